/* What the files of the lift share: one instruction being lifted, and the ways to its registers. */
#ifndef CV_GUEST_RISCV64_LIFT_H
#define CV_GUEST_RISCV64_LIFT_H

#include "guest/riscv64/cpu.h"
#include "ir/ir.h"
#include "isa/riscv64/decode.h"

enum riscv_helper {
#define RISCV_HELPER(id, fn, args, flags) RVH_##id,
#include "guest/riscv64/helpers.def"
    RVH_COUNT
};

extern const struct ir_helper riscv_helpers[RVH_COUNT];

struct lift {
    struct ir_unit *u;
    uint64_t mode;
    int32_t offset; /* of the instruction from the page base */
    struct rv_insn i;
};

/* What an instruction needs of the mode word; looked at before its function is called. */
enum lift_needs {
    NEEDS_S = 1, /* S-mode or M-mode */
    NEEDS_M = 2,
    NEEDS_FS = 4,    /* FS on */
    NEEDS_DIRTY = 8, /* FS dirty: it writes FP state; implies FS on */
    NEEDS_RM = 16,   /* a rounding mode that exists */
    NEEDS_CSR = 32,  /* the CSR exists for this privilege and way of access */
    NEEDS_CBZE = 64, /* cbo.* enabled */
    NEEDS_CBCFE = 128,
    NEEDS_CBIE = 256
};

/* Lifts one instruction; arg and aux are the row's own. */
struct lift_row {
    void (*fn)(struct lift *l, const struct lift_row *row);
    uint16_t arg;
    uint16_t aux;
    uint8_t kind;   /* enum insn_kind */
    uint16_t needs; /* enum lift_needs */
};

/* Rows by enum rv_id, in four parts; a row without fn stands in another part. */
extern const struct lift_row riscv_lift_int[RV_ID_COUNT];
extern const struct lift_row riscv_lift_mem[RV_ID_COUNT];
extern const struct lift_row riscv_lift_fp[RV_ID_COUNT];
extern const struct lift_row riscv_lift_system[RV_ID_COUNT];

/* Integer registers; reads of x0 are the constant 0, writes to it are dropped. */
ir_ref lift_get(struct lift *l, unsigned reg);
void lift_put(struct lift *l, unsigned reg, ir_ref value);
/* The low 32 bits, and a 32-bit result with its sign extended. */
ir_ref lift_get32(struct lift *l, unsigned reg);
void lift_put32(struct lift *l, unsigned reg, ir_ref value32);
ir_ref lift_imm(struct lift *l, int64_t value);
void lift_sync(struct lift *l);
/* Ends the block at vcpu->pc. */
void lift_dispatch(struct lift *l);
ir_ref lift_call(struct lift *l, enum riscv_helper h, ir_ref a, ir_ref b, ir_ref c);
/* The illegal-instruction exception; ends the block. */
void lift_illegal(struct lift *l);
/* The rounding mode: the instruction's, or frm where it is dynamic. Above RMM: there is none. */
unsigned lift_rm(uint64_t mode, const struct rv_insn *i);
/* CSR instructions: whether it writes; false also where the CSR is not there or not this way. */
bool lift_csr_writes(const struct rv_insn *i);

static inline unsigned lift_priv(const struct lift *l)
{
    return (unsigned)(l->mode & RISCV_MODE_PRIV);
}

#endif
