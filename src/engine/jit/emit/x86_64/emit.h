/*
 * What the files of the x86-64 emitter share.
 *
 * Register convention of all generated code: rbp is the vcpu (engine state at negative displacements); r15 is
 * its budget (in memory it takes a turn through the store queue at each block, where a branch was predicted
 * wrongly); rax, rcx, rdx and the first xmm are scratch; the other registers are homes of guest slots, the
 * same in every unit, so that units follow each other without moving anything. Slots without a home stay in
 * memory and serve as memory operands. The xmm homes are valid only while jit_own.fp_live is set.
 */
#ifndef CV_ENGINE_JIT_EMIT_X86_64_EMIT_H
#define CV_ENGINE_JIT_EMIT_X86_64_EMIT_H

#include "engine/jit/emit/x86_64/asm.h"
#include "engine/jit/jit.h"

#define PIN_GPRS 10
#define PIN_XMMS 13
#define BUDGET   R15
/* Scratch xmm registers: operations on lanes need one more. */
#define SCRATCH_XMMS      3
#define SCRATCH_XMMS_WIDE 4

/*
 * Home of a slot: 0 memory, a general register, or an xmm register; WIDE: of 16 bytes, HIGH: it is the upper
 * half of such a slot.
 */
enum { HOME_NONE, HOME_REG = 0x0f, HOME_HIGH = 0x10, HOME_GPR = 0x20, HOME_XMM = 0x40, HOME_WIDE = 0x80 };

enum thunk {
    T_NEXT,     /* leave at pc_page + ecx */
    T_BUDGET,   /* ecx: offset | refund << 16 */
    T_RESUME,   /* called; the same, and behind the call it can go on */
    T_BAIL,     /* ecx alike */
    T_HASH,     /* by the jump hash to pc_page + ecx */
    T_MISS,     /* leave at rax, which the jump hash does not know */
    T_LINK,     /* ecx: offset, rdx: struct jit_link */
    T_DISPATCH, /* go on at v->pc after a look at requests */
    T_FP_LOAD,
    T_FLAGS,               /* own.flag_* becomes the packed flags; changes nothing else */
    T_READ,                /* + log2 size: site miss, see emit_mem.c */
    T_WRITE = T_READ + 5,  /* alike, up to 32 bytes */
    T_GROUP = T_WRITE + 6, /* reads, writes: see group.c */
    T_FLOAT = T_GROUP + 2, /* soft float on own_wide.arg */
    T_HELPER,
    T_COUNT = T_HELPER + 64
};

/* Overlay of soft_vcpu.jit_own. */
struct own {
    uint64_t fp_live; /* far from the vcpu: its displacement has to take 4 bytes, see emit_close() */
    struct jit_link *link;
    struct emit *emit;
    const uint8_t *resume; /* where generated code goes on at v->pc, NULL: unknown */
    uint32_t mxcsr, mxcsr_default;
    uint64_t nan[2];  /* default NaN of f64; boxed one of f32 */
    uint64_t box[2];  /* what a boxed f32 has above it */
    uint64_t sign[2]; /* f64; f32 */
    uint64_t abs[2];
    uint64_t limit[6];   /* -1, 2^32, 2^63 as f64, then as f32 */
    const uint8_t *busy; /* trailer of a site that misses all the time, NULL: none found */
    /*
     * What the guest's condition flags follow from: enum flag_op and operands as they were put away by the
     * last instruction that sets them; 0: they stand packed in their slot. Only while generated code runs.
     */
    uint64_t flag_a, flag_b;
    uint32_t flag_op;
};

/* By enum ir_flagop; each: 64 bits, 32 bits. */
enum flag_op {
    FLAGS_PACKED,
    FLAGS_ADD,
    FLAGS_SUB = FLAGS_ADD + 2,
    FLAGS_LOGIC = FLAGS_SUB + 2,
    FLAGS_OPS = FLAGS_LOGIC + 2
};

_Static_assert(sizeof(struct own) <= sizeof(((struct soft_vcpu *)0)->jit_own), "room in the headroom");

/* Overlay of soft_vcpu.jit_wide. */
struct own_wide {
    uint64_t arg[3][2]; /* of soft float: operands, then the result in the first; see float_call.c */
    uint64_t what;
    uint64_t spare;
    /* By [vector lanes | scalar][f32, f64]; scalars have zeros above. */
    uint64_t sign[2][2][2];
    uint64_t abs[2][2][2];
    uint64_t least[2][2][2]; /* the least normal number */
    /* Scalars by [f32, f64]: from here on all numbers are integral; 1/2; 1. */
    uint64_t integral[2][2], half[2][2], one[2][2];
};

_Static_assert(sizeof(struct own_wide) <= sizeof(((struct soft_vcpu *)0)->jit_wide), "room in the headroom");

/* Host features beyond x86-64-v1. */
struct cpu {
    bool bmi1, bmi2, lzcnt, popcnt, sse41, pclmul, cx16, avx, avx2, fma, f16c, aes, sha, crc;
};

struct emit_vm {
    struct cpu cpu;
    const uint8_t *thunk[T_COUNT]; /* in the executable mapping */
    uint8_t home[JIT_HOMES];       /* by slot offset / 8 */
    uint32_t pin_gpr[PIN_GPRS];    /* slot offsets; 0: unused */
    uint32_t pin_xmm[PIN_XMMS];
    uint8_t scratch_xmms; /* xmm registers below the homes */
    bool wide;            /* xmm homes are 16 bytes */
    const struct lift_ops *lift;
};

extern const uint8_t emit_pin_gpr[PIN_GPRS];

/* ---- one emission ---- */

enum val_kind { V_NONE, V_CONST, V_SLOT, V_GPR, V_XMM, V_CELL };

struct val {
    uint8_t kind;
    uint8_t reg;
    bool boxed;    /* f32: the bits above are all ones */
    bool wide;     /* 128 bits: V_XMM, V_SLOT, or a V_CELL of two */
    bool lazy;     /* not computed: its one user does it */
    bool kept;     /* V_GPR: stands in memory too, in the slot at disp */
    uint16_t uses; /* still to come */
    uint16_t cell;
    int32_t disp; /* V_SLOT, kept: offset in the vcpu */
    int32_t hint; /* slot that it is put to, -1 */
};

struct emit;
struct cold {
    void (*fn)(struct emit *e, const struct cold *c);
    uint8_t *jump; /* rel32 that leads here */
    uint8_t *back;
    int32_t offset;
    uint32_t where; /* emit_where() of the instruction */
    uint32_t x;
    uint8_t a, b, d; /* fn's own, these and x, offset */
    uint16_t block;  /* that asked for it */
    uint16_t weight; /* of a miss */
    bool final;
};

struct reloc {
    uint32_t at; /* of a rel32 */
    uint32_t thunk;
};

struct out {
    uint32_t site, stub; /* code offsets */
    int32_t offset;
};

/* An address: a slot's value at the head of the block (-1: something else) plus a constant. */
struct affine {
    int32_t slot, offset;
    uint8_t group; /* of an access: number + 1 */
};

/* Accesses [lo, hi) from the slot's value at the head. site: the memory slot that they share, -1: none. */
struct group {
    int32_t slot, lo, hi, site;
    unsigned accesses; /* that are sure to be made, or to be made in most turns of a loop */
    bool write;
};

/* Which memory slot an instruction's access has: the order-th of the instruction at that offset. */
struct memo {
    int32_t offset;
    uint16_t site;
    uint8_t order;
    bool pair;
};

#define EMIT_GROUPS 8
#define EMIT_MEMOS  64
/* An operation left to soft float: where its operands are, where its result goes. */
struct float_call {
    uint32_t what;
    struct float_place {
        enum { PLACE_NONE, PLACE_XMM, PLACE_GPR, PLACE_MEM, PLACE_CONST } kind;
        bool wide;
        uint8_t reg;
        uint8_t sign; /* byte whose sign is to be inverted; 0: none */
        struct xmem mem;
        uint64_t value;
    } arg[3];
    bool wide, gpr, boxed; /* the result: 128 bits; in a general register; ones above an f32 */
    uint8_t d;
    uint8_t jumps;
    uint8_t *jump[4];
};

#define EMIT_FLOATS 512
#define EMIT_STAGE  (192u << 10)
#define EMIT_COLDS  4096
#define EMIT_RELOCS 4096
#define EMIT_OUTS   256
#define EMIT_ALIAS  64
#define EMIT_CELLS  48

struct emit {
    struct as a;
    struct emit_vm *ev;
    struct jit_vm *jv;
    struct vcpu *v;
    const struct ir_unit *u;
    const struct ir_op *ops;
    bool failed, uses_fp;

    gpa_t page;
    unsigned bank; /* first site of the unit's mode */
    /* The instruction in progress. */
    unsigned at;    /* operation */
    int32_t offset; /* from the page base */
    unsigned begun; /* instructions of the block begun before it */
    unsigned block; /* its number */
    int64_t synced; /* what SYNC gave back to the budget */
    bool done;      /* it has had an effect that must not happen again: no bail from here on */
    /* Scratch registers: who is in them (IR_REF_NONE: nobody), which are in use by this operation. */
    ir_ref gpr[3], xmm[SCRATCH_XMMS_WIDE];
    unsigned lock_gpr, lock_xmm;
    uint64_t cells;      /* bitmap */
    uint64_t cells_done; /* free when the present operation is over: it may still read them */
    ir_ref alias[EMIT_ALIAS];
    unsigned aliases;
    uint64_t boxed; /* xmm slots known to hold a boxed f32, by register */

    uint8_t *block_at[REGION_MAX_BLOCKS],
        *body_at[REGION_MAX_BLOCKS]; /* before and behind the budget check */
    struct {
        uint8_t *at;
        unsigned block;
    } fix[REGION_MAX_BLOCKS * 4];
    unsigned fixes;
    /* The groups of the block in progress; jumps to its copy; the blocks that need one. */
    struct group group[EMIT_GROUPS];
    unsigned groups;
    bool copying;
    struct {
        uint8_t *at;
        unsigned block;
    } copy[REGION_MAX_BLOCKS * EMIT_GROUPS * 2];
    unsigned copies;
    uint8_t *block_copy;
    struct memo memo[EMIT_MEMOS]; /* of the block */
    unsigned memos;
    unsigned loop_insns; /* of one turn, where the block is a loop by itself; else 0 */
    uint8_t insn_sites;  /* of the instruction, so far */
    struct cold cold[EMIT_COLDS];
    unsigned colds;
    struct float_call floats[EMIT_FLOATS];
    unsigned float_count;
    struct reloc reloc[EMIT_RELOCS];
    unsigned relocs;
    struct out out[EMIT_OUTS];
    unsigned outs;
    struct {
        uint32_t at;
        int32_t offset;
    } mark[REGION_MAX_INSNS + 1]; /* for traces */
    unsigned marks;

    ir_ref root[REGION_MAX_OPS];
    struct val val[REGION_MAX_OPS];
    struct affine affine[REGION_MAX_OPS];
    _Alignas(64) uint8_t stage[EMIT_STAGE];
};

/* Displacements from rbp. */
#define SOFT_DISP(field) ((int32_t)offsetof(struct soft_vcpu, field) - (int32_t)sizeof(struct soft_vcpu))
#define OWN_DISP(field)  (SOFT_DISP(jit_own) + (int32_t)offsetof(struct own, field))
#define VCPU_DISP(field) ((int32_t)offsetof(struct vcpu, field))

#define WIDE_DISP(field) (SOFT_DISP(jit_wide) + (int32_t)offsetof(struct own_wide, field))
static inline struct own_wide *own_wide_of(struct vcpu *v)
{
    return (struct own_wide *)soft_of(v)->jit_wide;
}

static inline struct own *own_of(struct vcpu *v)
{
    return (struct own *)soft_of(v)->jit_own;
}

/* Behind the call of a stub's miss thunk, after the jump back: see cold_miss(). */
#define TRAILER_WHERE    5
#define TRAILER_SITE     9
#define TRAILER_AT       11
#define TRAILER_WEIGHT   15
#define TRAILER_GROUP    11 /* a group's ends here: what comes then is the way without it */
#define TRAILER_FINAL    0x80000000u
#define TRAILER_PAIR_BIT 15 /* of the site number */
#define TRAILER_PAIR     (1u << TRAILER_PAIR_BIT)
#define TRAILER_WINDOW   (1u << 14) /* the site has a window too */
#define TRAILER_NUMBER   (TRAILER_WINDOW - 1)
_Static_assert(SOFT_BANKS *SOFT_SITES <= TRAILER_WINDOW, "room for the site's number");

/* Bytes of a link's stub: where the link's address stands, where the way by the jump hash begins. */
#define LINK_IMM  7
#define STUB_HASH 20
/* The last stub: mov ecx, imm32; jmp rel32. */
#define CLOSED_BYTES 10

static inline struct xmem slot_mem(int32_t disp)
{
    return mem_at(RBP, disp);
}

static inline uint32_t width(const struct ir_op *op)
{
    return op->type == IRT_I32 || op->type == IRT_F32 ? 0 : O_W;
}

/* ---- unit.c ---- */

void emit_cold(struct emit *e, struct cold c);
void emit_thunk_ref(struct emit *e, uint8_t *rel32, unsigned thunk);
static inline void emit_jmp_thunk(struct emit *e, unsigned thunk)
{
    emit_thunk_ref(e, as_jmp(&e->a), thunk);
}
static inline void emit_call_thunk(struct emit *e, unsigned thunk)
{
    emit_thunk_ref(e, as_call(&e->a), thunk);
}
/* Leaves before the present instruction when cc holds; always. */
void emit_bail_if(struct emit *e, unsigned cc);
void emit_bail(struct emit *e);
/* How often the present instruction's access was marked as one that misses: up to JIT_LEVELS. */
unsigned emit_access_level(const struct emit *e);
/* offset | refund << 16 of the present instruction. */
uint32_t emit_where(const struct emit *e);

/* ---- mem.c, group.c ---- */

/* Number of a memory slot of its own. */
unsigned emit_site_number(struct emit *e, bool write);
int32_t emit_site_disp(unsigned site);
/* A jump to the copy of the present block (in a stub: of the block that asked for the stub). */
void emit_copy_ref(struct emit *e, uint8_t *rel32);
/* The groups of a block; their checks at its head, false: there are none. */
void group_find(struct emit *e, const struct ir_block *b);
bool group_checks(struct emit *e);
/* The present access belongs to one: the addend is in rcx. */
bool group_addend(struct emit *e);

/* ---- value.c ---- */

void val_block_begin(struct emit *e, const struct ir_block *b);
static inline struct val *val_of(struct emit *e, ir_ref r)
{
    return &e->val[e->root[r]];
}
unsigned home_of(const struct emit *e, int32_t slot);
/* The constant behind r, if it is one. */
bool val_const(const struct emit *e, ir_ref r, int64_t *value);
/* The same when it fits a sign-extended imm32 of an operation of that width. */
bool val_imm32(const struct emit *e, ir_ref r, uint32_t w, int32_t *value);
/* In a register, which is not to be written; locked until the operation ends. */
unsigned val_gpr(struct emit *e, ir_ref r);
unsigned val_xmm(struct emit *e, ir_ref r);
/* Copied into that register. */
void val_gpr_to(struct emit *e, ir_ref r, unsigned reg);
void val_xmm_to(struct emit *e, ir_ref r, unsigned reg);
/* A register or a memory operand; true: memory. */
struct rm {
    bool is_mem;
    uint8_t reg;
    struct xmem mem;
};
struct rm val_rm(struct emit *e, ir_ref r);
struct rm val_xmm_rm(struct emit *e, ir_ref r);
static inline void as_r_rm(struct as *a, uint32_t op, unsigned reg, struct rm rm)
{
    if (rm.is_mem)
        as_rm(a, op, reg, rm.mem);
    else
        as_rr(a, op, reg, rm.reg);
}
static inline void as_v_rm(struct as *a, uint32_t op, unsigned reg, unsigned v, struct rm rm)
{
    if (rm.is_mem)
        as_vrm(a, op, reg, v, rm.mem);
    else
        as_vrr(a, op, reg, v, rm.reg);
}
/* One use of r is over. */
void val_done(struct emit *e, ir_ref r);
/* Scratch register, locked. avoid: mask. */
unsigned val_scratch(struct emit *e, unsigned avoid);
unsigned val_scratch_xmm(struct emit *e, unsigned avoid);
/* Makes that scratch register free and locks it. */
void val_take(struct emit *e, unsigned reg);
void val_take_xmm(struct emit *e, unsigned reg);
/* Takes it, and brings the value there to be overwritten: one that stands there for the last time stays. */
void val_consume(struct emit *e, ir_ref r, unsigned reg);
/* Where operation e->at may put its result, its operands done: the home of the slot it is put to, or
 * scratch. avoid: registers that are still read after the first write. */
unsigned val_dest(struct emit *e, unsigned avoid);
unsigned val_dest_xmm(struct emit *e, unsigned avoid);
/* A value still stands for the slot. */
bool val_alias_live(const struct emit *e, int32_t slot, unsigned size, unsigned except);
/* e->at's result stands there. */
void val_set(struct emit *e, unsigned reg);
void val_set_xmm(struct emit *e, unsigned reg, bool boxed);
/* e->at's result of 128 bits stands in two general registers: it goes to a cell. */
void val_set_pair(struct emit *e, unsigned low, unsigned high);
/* Half of such a value. */
bool val_pair_mem(struct emit *e, ir_ref r, bool high, struct xmem *m);
/* The result of e->at is what r is. */
void val_alias(struct emit *e, ir_ref r, bool boxed);
void val_get(struct emit *e);
void val_put(struct emit *e);
/* A half of a wide home, as a general register's value. */
void val_get_half(struct emit *e);
void val_put_half(struct emit *e);
/* Before a call: values leave the scratch registers; slots may change under their aliases. */
void val_call(struct emit *e, bool writes_homes);

/* ---- by group; false: no inline form ---- */

/* Sets the host's flags; gives the condition code. Operands are not done. */
unsigned emit_compare(struct emit *e, const struct ir_op *op);
bool emit_int(struct emit *e, const struct ir_op *op);
bool emit_flags(struct emit *e, const struct ir_op *op);
/* Marks the flags of a block that need not be packed when they are put to their slot. */
void emit_flags_prepare(struct emit *e, const struct ir_block *b);
/* Before a read of the flags' slot; the slot is written otherwise. */
void emit_flags_get(struct emit *e);
void emit_flags_put(struct emit *e);
/* The code of T_FLAGS. */
void emit_flags_thunk(struct as *a, const struct emit_vm *ev);
/* Of FCOND and BRANCHF: sets the host's flags; *cc is the condition. The operand is not done. */
bool emit_flag_test(struct emit *e, const struct ir_op *op, unsigned *cc);
/* The operation gives its operand's bits. */
bool emit_flags_same(const struct ir_unit *u, const struct ir_op *op);
bool emit_float(struct emit *e, const struct ir_op *op);
bool emit_vector_float(struct emit *e, const struct ir_op *op);
/* Half precision by F16C; false: there is no such form. */
bool emit_half(struct emit *e, const struct ir_op *op);
bool emit_half_lanes(struct emit *e, const struct ir_op *op);
bool emit_crypto(struct emit *e, const struct ir_op *op);

/* ---- user.c: the call of a helper that accesses memory unprivileged ---- */

/* It is one, of so many bytes: 1, 2, 4, 8. */
bool user_inline(const struct emit *e, const struct ir_op *op, int64_t *bytes);
/* Instead of the call: scratch registers are free. The result is in rax. */
void user_access(struct emit *e, const struct ir_op *op, unsigned bytes);

/* ---- float_call.c: cases of FP operations that soft float computes ---- */

/* A cold call of the present operation. Where its operands are is noted now, and they have to stay there. */
struct float_call *float_cold(struct emit *e, const struct ir_op *op);
/* To it on that condition: up to 4 times. */
void float_cold_if(struct emit *e, struct float_call *f, unsigned cc);
/* It goes on here, its result in d (gpr: a general register). */
void float_cold_end(struct emit *e, struct float_call *f, unsigned d);
/* The whole operation by soft float. */
bool float_call(struct emit *e, const struct ir_op *op);
/* Called by T_FLOAT. */
void float_compute(struct vcpu *v);
/* The operand behind a negation that was left to its user. */
ir_ref float_negated(const struct emit *e, ir_ref r, bool *neg);
/* There is a scratch xmm register to be had besides that one. */
bool float_scratch_left(const struct emit *e, unsigned except);
/* How many are not locked. */
unsigned float_scratch_free(const struct emit *e);
/* Where the result may go while the operands, in registers and not done, are still wanted. */
unsigned float_dest(struct emit *e, const struct ir_op *op);
bool emit_vector(struct emit *e, const struct ir_op *op);
/* BREV */
bool emit_reverse_bits(struct emit *e, const struct ir_op *op);
bool emit_mem(struct emit *e, const struct ir_op *op);
bool emit_flow(struct emit *e, const struct ir_op *op);
/* rax = pc: goes there by the jump hash; gives the rel32 of the way out when it is not in there. */
uint8_t *emit_hash_jump(struct as *a);
/* rax: how far the set of guest address rcx (tlb_set()) is into an array of the soft TLB; changes rdx. */
void emit_tlb_set(struct as *a);
/* All thunks at the start of the code memory. */
int emit_thunks(struct jit_vm *jv);
/* The vCPU's storage for emission. */
struct emit *emit_of(struct vcpu *v);

#endif
