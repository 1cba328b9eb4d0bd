/* What the files of the lift share: one instruction being lifted, and the ways to its registers and flags. */
#ifndef CV_GUEST_ARM64_LIFT_H
#define CV_GUEST_ARM64_LIFT_H

#include "guest/arm64/cpu.h"
#include "ir/ir.h"
#include "isa/arm64/decode.h"

enum arm64_helper {
#define ARM64_HELPER(id, fn, args, flags) A64H_##id,
#include "guest/arm64/helpers.def"
    A64H_COUNT
};

extern const struct ir_helper arm64_helpers[A64H_COUNT];

struct lift {
    struct ir_unit *u;
    uint64_t mode;
    int32_t offset; /* of the instruction from the page base */
    struct a64_insn i;
};

/* What an instruction needs of the mode word; looked at before its function is called. */
enum lift_needs {
    NEEDS_FP = 1,  /* FP and SIMD registers: traps while CPACR_EL1 says so */
    NEEDS_EL1 = 2, /* undefined at EL0 */
    NEEDS_SYS = 4  /* the system register exists for this level and direction */
};

/* Lifts one instruction; arg and aux are the row's own. */
struct lift_row {
    void (*fn)(struct lift *l, const struct lift_row *row);
    uint16_t arg;
    uint16_t aux;
    uint8_t kind;  /* enum insn_kind */
    uint8_t needs; /* enum lift_needs */
};

/* Rows by enum a64_id, in parts; a row without fn stands in another part. */
extern const struct lift_row arm64_lift_int[A64_ID_COUNT];
extern const struct lift_row arm64_lift_branch[A64_ID_COUNT];
extern const struct lift_row arm64_lift_mem[A64_ID_COUNT];
extern const struct lift_row arm64_lift_system[A64_ID_COUNT];
extern const struct lift_row arm64_lift_fp[A64_ID_COUNT];
extern const struct lift_row arm64_lift_simd[A64_ID_COUNT];
extern const struct lift_row arm64_lift_vector[A64_ID_COUNT];
extern const struct lift_row arm64_lift_simd_fp[A64_ID_COUNT];
extern const struct lift_row arm64_lift_step[A64_ID_COUNT];
extern const struct lift_row arm64_lift_crypto[A64_ID_COUNT];
extern const struct lift_row arm64_lift_saturate[A64_ID_COUNT];
/* For all that simd.h serves. */
extern const struct lift_row arm64_lift_by_helper;

/* What the helper FP_CONVERT does; its second operand: size 3:0, index 7:4, sf 8, amount 23:16, this.
 */
enum lift_fp_convert {
    FP_FORMAT, /* size to index */
    FP_TO_FIXED_S,
    FP_TO_FIXED_U,
    FP_FROM_FIXED_S,
    FP_FROM_FIXED_U
};

/* What a system register or operation is in this mode; false: undefined. */
bool alift_sys_lookup(uint64_t mode, const struct a64_insn *i, struct arm64_sys_info *out);

#define SLOT(field)  (unsigned)offsetof(struct arm64_vcpu, field)
#define SLOT_X(n)    (SLOT(x) + 8 * (n))
#define SLOT_Q(n)    (SLOT(q) + 16 * (n))
#define SLOT_Q_HI(n) (SLOT_Q(n) + 8)
#define ARM64_REG_SP 31

/* ---- emitting ---- */

ir_ref alift_imm(struct lift *l, int64_t value);
/* i64 operations: of two values, of a value and a constant. */
ir_ref alift_bin(struct lift *l, unsigned op, ir_ref a, ir_ref b);
ir_ref alift_bini(struct lift *l, unsigned op, ir_ref a, int64_t value);
/* a != 0 ? b : c */
ir_ref alift_select(struct lift *l, enum ir_type type, ir_ref a, ir_ref b, ir_ref c);
ir_ref alift_zext32(struct lift *l, ir_ref a);
/* This instruction's address plus a displacement. */
ir_ref alift_pc(struct lift *l, int64_t displacement);
void alift_sync(struct lift *l);
/* Ends the block at vcpu->pc. */
void alift_dispatch(struct lift *l);
ir_ref alift_call(struct lift *l, enum arm64_helper h, ir_ref a, ir_ref b, ir_ref c);
/* SYNC, a call, DISPATCH: for what raises or sets pc. */
void alift_end_call(struct lift *l, enum arm64_helper h, ir_ref a, ir_ref b, ir_ref c);
void alift_undefined(struct lift *l);

/* ---- registers ---- */

/* General registers as operands: 31 is zero, and writes to it are dropped; 31 is the stack pointer. */
ir_ref alift_get(struct lift *l, unsigned reg);
void alift_put(struct lift *l, unsigned reg, ir_ref value);
ir_ref alift_get_sp(struct lift *l, unsigned reg);
void alift_put_sp(struct lift *l, unsigned reg, ir_ref value);
/* As wide as the instruction says (i.sf): i64, or i32, which writes zero-extended. */
enum ir_type alift_type(const struct lift *l);
ir_ref alift_get_sized(struct lift *l, unsigned reg);
void alift_put_sized(struct lift *l, unsigned reg, ir_ref value);

/* The low 64 bits of a vector register, as f64. */
ir_ref alift_get_d(struct lift *l, unsigned reg);
/* A scalar of 32 or 64 bits to a vector register; the others become zero. Registers are written whole,
 * always. */
void alift_put_scalar(struct lift *l, unsigned reg, ir_ref value);
/* A float of the size (1 to 3), zeros above it. */
void alift_put_float(struct lift *l, unsigned size, unsigned reg, ir_ref value);
/* aux of an FP operation on that size: an enum a64_round as a rounding, and what FPCR says. */
unsigned alift_fp_aux(const struct lift *l, unsigned size, unsigned a64_round);
/* Raises unless the stack pointer, whose value this is, is a multiple of 16. */
void alift_sp_check(struct lift *l, ir_ref sp);

/* ---- vectors ---- */

/* v128 operations; aux: lane width in bits, enum ir_vecaux. */
ir_ref alift_vec(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b, int64_t imm);
/* The value in each lane. */
ir_ref alift_vec_const(struct lift *l, unsigned bits, int64_t value);
/* Lane n as an i64, zero-extended. */
ir_ref alift_lane(struct lift *l, unsigned bits, ir_ref v, unsigned n);
ir_ref alift_get_v(struct lift *l, unsigned reg);
/* The whole, or as the instruction says the lower half, zeros above. */
void alift_put_v(struct lift *l, unsigned reg, ir_ref v);
/* The instruction by simd.h. */
void alift_simd(struct lift *l);

/* Mode WATCH: before the access; how: enum arm64_watch. */
void alift_watch(struct lift *l, ir_ref base, int64_t disp, unsigned bytes, unsigned how);

/* ---- flags ---- */

/* NZCV of a flag operation on values of the type; c: carry-in where the operation takes one. */
ir_ref alift_flags(struct lift *l, enum ir_flagop op, enum ir_type type, ir_ref a, ir_ref b, ir_ref c);
void alift_put_nzcv(struct lift *l, ir_ref packed);
ir_ref alift_get_nzcv(struct lift *l);
/* Whether the condition holds, i64 0 or 1. */
ir_ref alift_cond(struct lift *l, unsigned cond);

/* ---- ends of blocks ---- */

/* Offsets as displacements from this instruction. */
void alift_jump(struct lift *l, int64_t displacement);
void alift_jump_to(struct lift *l, ir_ref target, enum ir_hint hint);
void alift_branch(struct lift *l, enum ir_type type, enum ir_cond cond, ir_ref a, ir_ref b,
                  int64_t displacement);
/* On the flags. */
void alift_branch_cond(struct lift *l, unsigned cond, int64_t displacement);

/* Four bits N Z C V from bit 3 down, as instructions have them, to slot order. */
static inline unsigned alift_nzcv_order(unsigned x)
{
    return (x >> 3 & 1) | (x >> 1 & 2) | (x << 1 & 4) | (x << 3 & 8);
}

static inline unsigned alift_el(const struct lift *l)
{
    return (unsigned)(l->mode & ARM64_MODE_EL);
}

#endif
