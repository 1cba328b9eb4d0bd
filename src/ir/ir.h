/*
 * The micro-op IR. Guests build it (lift), engines run or compile it, passes rewrite it.
 *
 * A unit is a region of guest code inside one page: blocks of operations in one array. An operation
 * gives at most one value, named by the operation's index (ir_ref). Values live inside their block;
 * between blocks only guest-state slots carry data. A slot is named by its byte offset in the guest's
 * vcpu struct. Each block ends with one END operation, each guest instruction begins with INSN.
 */
#ifndef CV_IR_IR_H
#define CV_IR_IR_H

#include "lib/base.h"

enum ir_type {
    IRT_NONE,
    IRT_I32,
    IRT_I64,
    IRT_I128,
    IRT_F16,
    IRT_F32,
    IRT_F64,
    IRT_F80,
    IRT_V128,
    IRT_V256,
    IRT_FLAGS
};

enum ir_opcode {
#define IR_OP(id, name, sig, effects) IR_##id,
#include "ir/ir.def"
#undef IR_OP
    IR_OPS
};

/* Effects of an operation, see ir.def. */
enum ir_effect {
    IR_E_SLOT_R = 1,
    IR_E_SLOT_W = 2,
    IR_E_MEM_R = 4,
    IR_E_MEM_W = 8,
    IR_E_FAULT = 16,
    IR_E_END = 32,
    IR_E_FP = 64,
    IR_E_CALL = 128
};

enum ir_cond { IR_EQ, IR_NE, IR_LTU, IR_GEU, IR_LEU, IR_GTU, IR_LTS, IR_GES, IR_LES, IR_GTS };

/* How FLAGS came about; decides N Z C V (Arm) and also A P (x86). SUB: carry = no borrow (Arm sense). */
enum ir_flagop { IR_FLAG_ADD, IR_FLAG_SUB, IR_FLAG_LOGIC, IR_FLAG_ADC, IR_FLAG_SBC };

/* Conditions on flags, in Arm's order (Arm ARM C1.2.4); x86 conditions map onto these with C inverted. */
enum ir_fcond {
    IR_F_EQ,
    IR_F_NE,
    IR_F_CS,
    IR_F_CC,
    IR_F_MI,
    IR_F_PL,
    IR_F_VS,
    IR_F_VC,
    IR_F_HI,
    IR_F_LS,
    IR_F_GE,
    IR_F_LT,
    IR_F_GT,
    IR_F_LE,
    IR_F_PE, /* x86 parity */
    IR_F_PO
};

/* aux of memory operations. */
enum ir_memaux {
    IR_MEM_SIZE = 7,   /* log2 of the bytes, 0..4; of STORE2 up to 5 */
    IR_MEM_SIGNED = 8, /* loads narrower than the type extend the sign */
    IR_MEM_ACQ = 16,
    IR_MEM_REL = 32,      /* ACQ | REL on an AMO is sequentially consistent (RVWMO aq.rl) */
    IR_MEM_TSO = 64,      /* x86 guests: ordinary accesses are ordered */
    IR_MEM_ALIGNED = 128, /* raises the guest's misaligned exception unless naturally aligned */
    IR_MEM_AMO_SHIFT = 8  /* enum ir_amo from here */
};

enum ir_amo {
    IR_AMO_SWAP,
    IR_AMO_ADD,
    IR_AMO_AND,
    IR_AMO_OR,
    IR_AMO_XOR,
    IR_AMO_MINS,
    IR_AMO_MAXS,
    IR_AMO_MINU,
    IR_AMO_MAXU
};

enum { IR_FENCE_W = 1, IR_FENCE_R = 2, IR_FENCE_O = 4, IR_FENCE_I = 8 };

/* Kinds of VAES: substitution with the shift of rows, and back; the mix of columns, and back; both in a
 * round. */
enum ir_aes { IR_AES_LAST, IR_AES_LAST_BACK, IR_AES_MIX, IR_AES_MIX_BACK, IR_AES_ROUND, IR_AES_ROUND_BACK };

/* Rounding: numbers equal enum sf_round of lib/softfloat.h. The lift resolves the dynamic mode from the
 * unit's mode bits. */
enum ir_round { IR_RNE, IR_RTZ, IR_RDN, IR_RUP, IR_RMM, IR_ROUND_ODD };
/* Or'ed to the rounding: NaN results are the default one; denormal operands, and results, are zeros. */
enum ir_fpmode { IR_FP_ROUND = 7, IR_FP_DEFAULT_NAN = 8, IR_FP_FLUSH_IN = 16, IR_FP_FLUSH_OUT = 32 };
enum ir_fminmax { IR_MM_RISCV, IR_MM_ARM, IR_MM_ARM_NUM, IR_MM_X86 };
enum ir_fcmp {
    IR_FCMP_EQ,
    IR_FCMP_LT,
    IR_FCMP_LE,
    IR_FCMP_LT_QUIET,
    IR_FCMP_LE_QUIET,
    IR_FCMP_EQ_SIGNAL,
    IR_FCMP_UNORDERED
};
/* Shifts of fields in aux of vector FP: 2 bits of format (f16, f32, f64), 2 bits log2 of lanes, 4 bits of
 * kind. */
enum ir_vfield { IR_VF_FORMAT = 8, IR_VF_COUNT = 10, IR_VF_KIND = 12 };
/* EQ is quiet, the others signal. */
enum ir_vfcmp { IR_VF_EQ, IR_VF_GT, IR_VF_GE };
enum ir_intkind { IR_INT_S32, IR_INT_U32, IR_INT_S64, IR_INT_U64 };
/* aux of vector operations. */
enum ir_vecaux {
    IR_V_LANE = 0xff,
    IR_V_SIGNED = 0x100,
    IR_V_UPPER = 0x200,
    IR_V_LOW = 0x400 /* a pass has found that the result's upper 64 bits are zero */
};
enum ir_hint { IR_HINT_NONE, IR_HINT_CALL, IR_HINT_RETURN };

typedef uint16_t ir_ref;
#define IR_REF_NONE ((ir_ref)0xffff)
#define IR_MAX_OPS  0xfff0

struct ir_op {
    uint8_t op;   /* enum ir_opcode */
    uint8_t type; /* enum ir_type of the result, or of the operands where there is none */
    uint16_t aux;
    ir_ref a, b, c; /* IR_REF_NONE where absent */
    uint16_t spare; /* passes' own, 0 outside */
    int64_t imm;
};

struct ir_block {
    int32_t offset;      /* of its first instruction from the page base */
    uint16_t first, end; /* ops [first, end) */
    uint16_t insns;      /* guest instructions: what its entry takes from the budget */
    uint16_t spare;
};

/* Storage is the owner's (fixed arrays, reused unit after unit). */
struct ir_unit {
    struct ir_op *ops;
    struct ir_block *blocks; /* [0] is the entry; the others in address order */
    uint16_t op_count, op_max;
    uint16_t block_count, block_max;
    uint64_t mode; /* vcpu mode word it was lifted for */
    bool overflow; /* the builder ran out of room: the unit is void */
};

struct ir_opinfo {
    const char *name;
    char sig[7];
    uint8_t effects;
};
extern const struct ir_opinfo ir_opinfo[IR_OPS];
/* Types by the letters of signatures. */
extern const uint8_t ir_letter_types[128];

struct vcpu;

enum ir_helper_flags {
    IR_H_MAY_LEAVE = 1, /* may deliver an exception or change pc: vcpu->leave is looked at after it */
    IR_H_PURE = 2,      /* neither reads nor writes slots or memory: may be dropped when unused */
    IR_H_READS = 4,     /* reads slots (general registers) other than by its operands */
    IR_H_WRITES = 8,    /* writes slots that may be pinned (general or FP registers) */
    IR_H_MEM = 16       /* touches guest memory */
};

/* A helper: result and operands as 64-bit patterns. MAY_LEAVE helpers stand after a SYNC. */
struct ir_helper {
    const char *name;
    uint64_t (*fn)(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c);
    uint8_t args;
    uint8_t flags;
};

/* Builder: emits into the unit's last block; every function gives the value's ref. */
void ir_unit_clear(struct ir_unit *u);
void ir_block_begin(struct ir_unit *u, int32_t offset);
ir_ref ir_emit(struct ir_unit *u, enum ir_opcode op, enum ir_type type, unsigned aux, ir_ref a, ir_ref b,
               ir_ref c, int64_t imm);
ir_ref ir_const(struct ir_unit *u, enum ir_type type, int64_t value);
ir_ref ir_get(struct ir_unit *u, enum ir_type type, unsigned slot);
void ir_put(struct ir_unit *u, enum ir_type type, unsigned slot, ir_ref value);
ir_ref ir_un(struct ir_unit *u, enum ir_opcode op, enum ir_type type, ir_ref a);
ir_ref ir_bin(struct ir_unit *u, enum ir_opcode op, enum ir_type type, ir_ref a, ir_ref b);
ir_ref ir_setcc(struct ir_unit *u, enum ir_type type, enum ir_cond cond, ir_ref a, ir_ref b);
ir_ref ir_load(struct ir_unit *u, enum ir_type type, unsigned aux, ir_ref base, int64_t disp);
void ir_store(struct ir_unit *u, enum ir_type type, unsigned aux, ir_ref base, int64_t disp, ir_ref value);
void ir_insn(struct ir_unit *u, int32_t offset, unsigned len);
ir_ref ir_call(struct ir_unit *u, unsigned helper, enum ir_type type, ir_ref a, ir_ref b, ir_ref c);

/* Result type of an operation (IRT_NONE where it gives no value). */
static inline enum ir_type ir_result_type(const struct ir_op *op)
{
    unsigned letter = (uint8_t)ir_opinfo[op->op].sig[0];

    return letter == 't' ? (enum ir_type)op->type : (enum ir_type)ir_letter_types[letter];
}

/* Operands in its signature (those of CALL may be absent). */
unsigned ir_operands(const struct ir_op *op);
/* Bytes of a value of the type. */
unsigned ir_type_size(enum ir_type type);

/* 0, or -EINVAL with the first fault in words. */
int ir_verify(const struct ir_unit *u, char *why, size_t why_size);

/* Value numbers that the parser accepts. */
#define IR_MAX_NAMES 4096
/* Text: one operation a line, "v3 = add.i64 v1, v2"; parse accepts what print gives. */
int ir_print(const struct ir_unit *u, char *buf, size_t size);
int ir_parse(struct ir_unit *u, const char *text, char *why, size_t why_size);

/* Passes, in place. Each keeps every FAULT and MEM operation and the exactness of slots at them. */
enum ir_pass {
    IR_PASS_FOLD = 1,
    IR_PASS_COPY = 2,
    IR_PASS_SLOTS = 4,
    IR_PASS_DEAD = 8,
    IR_PASS_WIDTH = 16,
    IR_PASS_ALL = 31
};
void ir_optimise(struct ir_unit *u, unsigned passes, const struct ir_helper *helpers);

#endif
