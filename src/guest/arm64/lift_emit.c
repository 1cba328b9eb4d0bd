/* What lifting consists of: constants, registers, flags and conditions, ends of blocks. */
#include "guest/arm64/lift.h"
#include "guest/arm64/simd.h"

ir_ref alift_imm(struct lift *l, int64_t value)
{
    return ir_const(l->u, IRT_I64, value);
}

ir_ref alift_bin(struct lift *l, unsigned op, ir_ref a, ir_ref b)
{
    return ir_bin(l->u, (enum ir_opcode)op, IRT_I64, a, b);
}

ir_ref alift_bini(struct lift *l, unsigned op, ir_ref a, int64_t value)
{
    ir_ref b = alift_imm(l, value);

    return alift_bin(l, op, a, b);
}

ir_ref alift_select(struct lift *l, enum ir_type type, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_emit(l->u, IR_SELECT, type, 0, a, b, c, 0);
}

ir_ref alift_zext32(struct lift *l, ir_ref a)
{
    return ir_emit(l->u, IR_ZEXT, IRT_I64, 32, a, IR_REF_NONE, IR_REF_NONE, 0);
}

ir_ref alift_pc(struct lift *l, int64_t displacement)
{
    return ir_emit(l->u, IR_PC, IRT_I64, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, l->offset + displacement);
}

void alift_sync(struct lift *l)
{
    ir_emit(l->u, IR_SYNC, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

void alift_dispatch(struct lift *l)
{
    ir_emit(l->u, IR_DISPATCH, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

ir_ref alift_call(struct lift *l, enum arm64_helper h, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_call(l->u, h, IRT_I64, a, b, c);
}

void alift_end_call(struct lift *l, enum arm64_helper h, ir_ref a, ir_ref b, ir_ref c)
{
    alift_sync(l);
    alift_call(l, h, a, b, c);
    alift_dispatch(l);
}

void alift_undefined(struct lift *l)
{
    alift_end_call(l, A64H_UNDEFINED, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
}

/* ---- registers ---- */

ir_ref alift_get_sp(struct lift *l, unsigned reg)
{
    return ir_get(l->u, IRT_I64, SLOT_X(reg));
}

void alift_put_sp(struct lift *l, unsigned reg, ir_ref value)
{
    ir_put(l->u, IRT_I64, SLOT_X(reg), value);
}

ir_ref alift_get(struct lift *l, unsigned reg)
{
    return reg == 31 ? alift_imm(l, 0) : alift_get_sp(l, reg);
}

void alift_put(struct lift *l, unsigned reg, ir_ref value)
{
    if (reg != 31)
        alift_put_sp(l, reg, value);
}

enum ir_type alift_type(const struct lift *l)
{
    return l->i.sf ? IRT_I64 : IRT_I32;
}

ir_ref alift_get_sized(struct lift *l, unsigned reg)
{
    if (l->i.sf)
        return alift_get(l, reg);
    return reg == 31 ? ir_const(l->u, IRT_I32, 0) : ir_un(l->u, IR_TRUNC, IRT_I32, alift_get(l, reg));
}

void alift_put_sized(struct lift *l, unsigned reg, ir_ref value)
{
    if (reg != 31)
        alift_put(l, reg, l->i.sf ? value : alift_zext32(l, value));
}

ir_ref alift_get_d(struct lift *l, unsigned reg)
{
    return ir_get(l->u, IRT_F64, SLOT_Q(reg));
}

void alift_put_scalar(struct lift *l, unsigned reg, ir_ref value)
{
    ir_put(l->u, IRT_V128, SLOT_Q(reg), alift_vec(l, IR_VZEXT, 0, value, IR_REF_NONE, 0));
}

/* ---- vectors ---- */

ir_ref alift_vec(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b, int64_t imm)
{
    return ir_emit(l->u, (enum ir_opcode)op, IRT_V128, aux, a, b, IR_REF_NONE, imm);
}

ir_ref alift_vec_const(struct lift *l, unsigned bits, int64_t value)
{
    return alift_vec(l, IR_VDUP, bits, alift_imm(l, value), IR_REF_NONE, 0);
}

ir_ref alift_lane(struct lift *l, unsigned bits, ir_ref v, unsigned n)
{
    return ir_emit(l->u, IR_VLANE, IRT_I64, bits, v, IR_REF_NONE, IR_REF_NONE, n);
}

ir_ref alift_get_v(struct lift *l, unsigned reg)
{
    return ir_get(l->u, IRT_V128, SLOT_Q(reg));
}

void alift_put_v(struct lift *l, unsigned reg, ir_ref v)
{
    if (l->i.q)
        ir_put(l->u, IRT_V128, SLOT_Q(reg), v);
    else
        alift_put_scalar(l, reg, v);
}

void alift_simd(struct lift *l)
{
    alift_call(l, A64H_SIMD, alift_imm(l, (int64_t)arm64_simd_desc(&l->i)), IR_REF_NONE, IR_REF_NONE);
}

/* A new stack pointer that is the old one and a multiple of 16. */
static bool keeps_alignment(const struct ir_unit *u, ir_ref value)
{
    const struct ir_op *op = &u->ops[value];

    return (op->op == IR_ADD || op->op == IR_SUB) && u->ops[op->a].op == IR_GET &&
           u->ops[op->a].imm == (int64_t)SLOT_X(ARM64_REG_SP) && u->ops[op->b].op == IR_CONST &&
           !(u->ops[op->b].imm & 15);
}

/* This block has looked at it already, and it is still aligned if it was then. */
static bool sp_checked(const struct ir_unit *u)
{
    unsigned first = u->block_count ? u->blocks[u->block_count - 1].first : 0;

    for (unsigned i = u->op_count; i > first; i--) {
        const struct ir_op *op = &u->ops[i - 1];

        if (op->op == IR_GUARD && op->imm == A64H_SP_MISALIGNED)
            return true;
        if (op->op == IR_PUT && op->imm == (int64_t)SLOT_X(ARM64_REG_SP) && !keeps_alignment(u, op->a))
            return false;
    }
    return false;
}

void alift_sp_check(struct lift *l, ir_ref sp)
{
    if (!sp_checked(l->u))
        ir_emit(l->u, IR_GUARD, IRT_NONE, 0, alift_bini(l, IR_AND, sp, 15), IR_REF_NONE, IR_REF_NONE,
                A64H_SP_MISALIGNED);
}

void alift_watch(struct lift *l, ir_ref base, int64_t disp, unsigned bytes, unsigned how)
{
    if (!(l->mode & ARM64_MODE_WATCH))
        return;
    base = disp ? alift_bini(l, IR_ADD, base, disp) : base;
    alift_sync(l);
    alift_call(l, A64H_WATCHPOINT, base, alift_imm(l, bytes), alift_imm(l, how));
}

/* ---- flags ---- */

#define NZCV 15

ir_ref alift_flags(struct lift *l, enum ir_flagop op, enum ir_type type, ir_ref a, ir_ref b, ir_ref c)
{
    bool carry = c != IR_REF_NONE;
    ir_ref f = ir_emit(l->u, carry ? IR_FLAGSC : IR_FLAGS, type, op, a, b, c, 0);

    return ir_emit(l->u, IR_FPACK, IRT_I64, NZCV, f, IR_REF_NONE, IR_REF_NONE, 0);
}

void alift_put_nzcv(struct lift *l, ir_ref packed)
{
    ir_put(l->u, IRT_I64, SLOT(nzcv), packed);
}

/* The value that this block wrote to nzcv last, or none. No helper writes it. */
static ir_ref last_nzcv(const struct lift *l)
{
    const struct ir_unit *u = l->u;
    unsigned first = u->block_count ? u->blocks[u->block_count - 1].first : 0;

    for (unsigned i = u->op_count; i > first; i--) {
        const struct ir_op *op = &u->ops[i - 1];

        if (op->op == IR_PUT && op->imm == (int64_t)SLOT(nzcv))
            return op->a;
    }
    return IR_REF_NONE;
}

ir_ref alift_get_nzcv(struct lift *l)
{
    ir_ref r = last_nzcv(l);

    return r != IR_REF_NONE ? r : ir_get(l->u, IRT_I64, SLOT(nzcv));
}

/* A condition as a comparison of integers. */
struct compare {
    enum ir_cond cond;
    enum ir_type type;
    ir_ref a, b;
};

#define NO 0xff

/* Of a - b with these operands, by condition; the sign alone says nothing about them. */
static const uint8_t cond_sub[14] = {IR_EQ, IR_NE,  IR_GEU, IR_LTU, NO,     NO,     NO,
                                     NO,    IR_GTU, IR_LEU, IR_GES, IR_LTS, IR_GTS, IR_LES};
/* Of a result with zero, where C and V are 0. */
static const uint8_t cond_logic[14] = {IR_EQ, IR_NE, NO, NO,     IR_LTS, IR_GES, NO,
                                       NO,    NO,    NO, IR_GES, IR_LTS, IR_GTS, IR_LES};
/* Of a result with zero, whatever C and V. */
static const uint8_t cond_result[14] = {IR_EQ, IR_NE, NO, NO, IR_LTS, IR_GES, NO, NO, NO, NO, NO, NO, NO, NO};

/* Whether the flag value allows the condition to be a comparison. */
static bool as_compare(struct lift *l, ir_ref flags, unsigned cond, struct compare *out)
{
    const struct ir_op op = l->u->ops[flags];
    enum ir_type type = (enum ir_type)op.type;

    if (op.op != IR_FLAGS)
        return false;
    if (op.aux == IR_FLAG_SUB && cond_sub[cond] != NO) {
        *out = (struct compare){(enum ir_cond)cond_sub[cond], type, op.a, op.b};
        return true;
    }
    if (op.aux == IR_FLAG_LOGIC) {
        if (cond_logic[cond] == NO)
            return false;
        *out = (struct compare){(enum ir_cond)cond_logic[cond], type, op.a, ir_const(l->u, type, 0)};
        return true;
    }
    if (cond_result[cond] == NO)
        return false;
    *out = (struct compare){(enum ir_cond)cond_result[cond], type,
                            ir_bin(l->u, op.aux == IR_FLAG_SUB ? IR_SUB : IR_ADD, type, op.a, op.b),
                            IR_REF_NONE};
    out->b = ir_const(l->u, type, 0);
    return true;
}

/*
 * The flags as a value: those that this block computed, else unpacked from the slot. True: the condition is
 * a comparison instead.
 */
static bool condition(struct lift *l, unsigned cond, struct compare *cmp, ir_ref *flags)
{
    ir_ref packed = last_nzcv(l);

    if (packed != IR_REF_NONE && l->u->ops[packed].op == IR_FPACK) {
        *flags = l->u->ops[packed].a;
        return as_compare(l, *flags, cond, cmp);
    }
    if (packed == IR_REF_NONE)
        packed = ir_get(l->u, IRT_I64, SLOT(nzcv));
    *flags = ir_emit(l->u, IR_FUNPACK, IRT_I64, 0, packed, IR_REF_NONE, IR_REF_NONE, 0);
    return false;
}

ir_ref alift_cond(struct lift *l, unsigned cond)
{
    struct compare c;
    ir_ref flags;

    if (cond >= A64_AL)
        return alift_imm(l, 1);
    if (condition(l, cond, &c, &flags))
        return ir_setcc(l->u, c.type, c.cond, c.a, c.b);
    return ir_emit(l->u, IR_FCOND, IRT_I64, cond, flags, IR_REF_NONE, IR_REF_NONE, 0);
}

/* ---- ends of blocks ---- */

static bool stepping(const struct lift *l)
{
    return l->mode & ARM64_MODE_STEP;
}

/* Where the mode has changed under the unit: software step. */
static void step_end(struct lift *l, ir_ref target)
{
    alift_end_call(l, A64H_STEP_END, target, IR_REF_NONE, IR_REF_NONE);
}

void alift_jump(struct lift *l, int64_t displacement)
{
    if (stepping(l))
        step_end(l, alift_pc(l, displacement));
    else
        ir_emit(l->u, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, l->offset + displacement);
}

void alift_jump_to(struct lift *l, ir_ref target, enum ir_hint hint)
{
    if (stepping(l))
        step_end(l, target);
    else
        ir_emit(l->u, IR_JUMPI, IRT_NONE, hint, target, IR_REF_NONE, IR_REF_NONE, 0);
}

static int64_t targets(const struct lift *l, int64_t displacement)
{
    int64_t taken = l->offset + displacement, next = l->offset + 4;

    return (int64_t)((uint64_t)taken << 32 | (uint32_t)next);
}

static void step_branch(struct lift *l, ir_ref cond, int64_t displacement)
{
    ir_ref taken = alift_pc(l, displacement), next = alift_pc(l, 4);

    step_end(l, alift_select(l, IRT_I64, cond, taken, next));
}

void alift_branch(struct lift *l, enum ir_type type, enum ir_cond cond, ir_ref a, ir_ref b,
                  int64_t displacement)
{
    if (stepping(l))
        step_branch(l, ir_setcc(l->u, type, cond, a, b), displacement);
    else
        ir_emit(l->u, IR_BRANCH, type, cond, a, b, IR_REF_NONE, targets(l, displacement));
}

void alift_branch_cond(struct lift *l, unsigned cond, int64_t displacement)
{
    struct compare c;
    ir_ref flags;

    if (cond >= A64_AL) {
        ir_ref zero = alift_imm(l, 0);

        alift_branch(l, IRT_I64, IR_EQ, zero, zero, displacement);
    } else if (stepping(l)) {
        step_branch(l, alift_cond(l, cond), displacement);
    } else if (condition(l, cond, &c, &flags)) {
        alift_branch(l, c.type, c.cond, c.a, c.b, displacement);
    } else {
        ir_emit(l->u, IR_BRANCHF, IRT_NONE, cond, flags, IR_REF_NONE, IR_REF_NONE, targets(l, displacement));
    }
}
