/* What the files of the x86-64 emitter share: where values are, and the state of one emission. */
#ifndef CV_ENGINE_JIT_EMIT_X86_64_EMIT_H
#define CV_ENGINE_JIT_EMIT_X86_64_EMIT_H

#include "engine/jit/emit/x86_64/asm.h"
#include "engine/jit/jit.h"

/*
 * rbp is the vcpu. rax, rcx, rdx and xmm0..2 are scratch; the other registers hold guest registers in every
 * unit (jit_vm.home), in memory only outside generated code.
 */
#define PIN_GPRS 11
#define PIN_XMMS 13
#define HOME_GPR 1  /* home = HOME_GPR + register */
#define HOME_XMM 32 /* home = HOME_XMM + register */
extern const uint8_t emit_pin_gpr[PIN_GPRS];
#define PIN_XMM_FIRST 3

enum where { V_NONE, V_CONST, V_SLOT, V_ACC, V_REG, V_CELL };

/* A value: a constant, a guest slot not yet overwritten, the accumulator (rax, xmm0), a home, a spill cell.
 */
struct val {
    uint8_t where;
    uint8_t reg;  /* V_REG */
    int32_t disp; /* V_SLOT, V_CELL: displacement from rbp */
    int64_t imm;
};

struct cold {
    uint8_t *jump;  /* rel32 that leads here */
    uint8_t *back;  /* where the host address is in rcx */
    uint32_t site;  /* displacement of the slot */
    uint32_t where; /* offset of the instruction, and what a bail gives back to the budget */
    uint8_t kind;   /* enum cold_kind */
    uint8_t size, write;
};
enum cold_kind { COLD_SITE, COLD_BAIL, COLD_BUDGET, COLD_LEAVE };

#define EMIT_COLDS  4096
#define EMIT_FIXUPS 512

struct emit {
    struct asm_buf b;
    struct jit_vm *jv;
    const struct ir_unit *u;
    struct val *val;
    uint16_t *last_use;             /* of each value, in its block */
    uint8_t *uses;                  /* saturating at 2 */
    uint16_t alias_last[JIT_SLOTS]; /* last use of a value that stands for the slot */
    unsigned cells;
    int32_t insn_offset;
    unsigned given_back; /* of the budget, by SYNC, until the next instruction */
    unsigned refund;     /* instructions of the block not begun, the present one included */
    uint64_t boxed;      /* slots (by their index among the pinned xmms) known to hold a boxed f32 */
    struct cold cold[EMIT_COLDS];
    unsigned colds;
    struct {
        uint8_t *at;
        unsigned block;
    } fixup[EMIT_FIXUPS];
    unsigned fixups;
    uint8_t *block_at[REGION_MAX_BLOCKS];
    unsigned block; /* being emitted */
    bool failed;
};

/* Displacement of a field of struct soft_vcpu from rbp. */
#define SOFT_DISP(field) ((int32_t)offsetof(struct soft_vcpu, field) - (int32_t)sizeof(struct soft_vcpu))
#define VCPU_DISP(field) ((int32_t)offsetof(struct vcpu, field))

unsigned emit_home(const struct emit *e, int32_t slot);
bool emit_in_gpr(const struct emit *e, const struct val *v, unsigned *reg);
/* The value in a register: its own, or the scratch one given, which it is then loaded into. */
unsigned emit_use(struct emit *e, ir_ref r, unsigned scratch);
unsigned emit_use_xmm(struct emit *e, ir_ref r, unsigned scratch);
/* Where operation i may compute its result: the home of the slot it is put to at once, or scratch. */
unsigned emit_dest(struct emit *e, unsigned i, unsigned scratch);
unsigned emit_dest_xmm(struct emit *e, unsigned i, unsigned scratch);
/* The result of operation i stands in reg. */
void emit_result(struct emit *e, unsigned i, unsigned reg);
void emit_result_xmm(struct emit *e, unsigned i, unsigned reg);
/* The accumulator's value moves to a cell. */
void emit_keep(struct emit *e, ir_ref r);
void emit_unalias(struct emit *e, unsigned i, int32_t slot);
/* Compares, and gives the host's condition code for it. */
unsigned emit_compare(struct emit *e, const struct ir_op *op);
/* Leaves before the present instruction, if cc (or always). */
void emit_bail_if(struct emit *e, unsigned cc);
/* False: no inline form; the instruction is left to the interpreter. */
bool emit_int(struct emit *e, unsigned i);
bool emit_int_can(const struct ir_op *op);
bool emit_fp(struct emit *e, unsigned i);
bool emit_fp_can(const struct ir_op *op);
bool emit_mem(struct emit *e, unsigned i);
bool emit_mem_can(const struct ir_op *op);

/* jit_own: host MXCSR of generated code, and the constant that boxes a single. */
#define OWN_MXCSR 0
#define OWN_BOX   2

#endif
