/*
 * Floating point by the host's FPU. MXCSR rounds to nearest and gathers the flags, tininess is seen after
 * rounding as IEEE allows and RISC-V wants; what differs are NaN results (the guest's is the default NaN),
 * and cases that go to the interpreter: other rounding modes, f16, NaN results of fused operations, whose
 * invalid flag the host gives by other rules.
 *
 * A single in a 64-bit register has ones above it (boxed). The VEX forms copy the bits above from their first
 * source, so a result is boxed when that source was.
 */
#include "engine/jit/emit/x86_64/emit.h"
#include "lib/softfloat.h"

static bool is_double(const struct ir_op *op)
{
    return op->type == IRT_F64;
}

/* Prefix of scalar arithmetic. */
static uint32_t scalar(bool dbl)
{
    return dbl ? O_F2 : O_F3;
}

static bool nearest(const struct ir_op *op)
{
    return (op->aux & 0xff) == IR_RNE;
}

static bool boxed(const struct emit *e, ir_ref r)
{
    return e->val[e->root[r]].boxed;
}

/* What an operation makes of r: a double writes the bits above, too. */
static bool keeps_box(const struct emit *e, const struct ir_op *op, ir_ref r)
{
    return !is_double(op) && boxed(e, r);
}

static void compare_self(struct emit *e, unsigned reg, bool dbl)
{
    as_vrr(&e->a, S_UCOMISS | (dbl ? O_66 : 0), reg, 0, reg);
}

static void cold_nan(struct emit *e, const struct cold *c)
{
    as_rm(&e->a, S_MOVQ_LD, c->a, mem_at(RBP, OWN_DISP(nan) + (c->b ? 0 : 8)));
    as_patch(as_jmp(&e->a), c->back);
}

/* NaN results are not all the default one: the interpreter knows which. Such guests have no xmm homes. */
static bool own_nans(const struct emit *e)
{
    return e->ev->lift->fp_rules->nan != SF_NAN_DEFAULT;
}

/* A NaN becomes the default one. */
static void check_nan(struct emit *e, unsigned reg, bool dbl)
{
    struct cold c = {.fn = cold_nan, .a = (uint8_t)reg, .b = dbl};

    compare_self(e, reg, dbl);
    if (own_nans(e)) {
        emit_bail_if(e, CC_P);
        return;
    }
    c.jump = as_jcc(&e->a, CC_P);
    c.back = e->a.p;
    emit_cold(e, c);
}

/*
 * Where tininess is seen before rounding, the least normal number may have been tiny: the interpreter knows.
 * Sums are exact where they are that small.
 */
static void check_tiny(struct emit *e, unsigned reg, bool dbl)
{
    uint32_t w = dbl ? O_W : 0;
    unsigned t;

    if (!e->ev->lift->fp_rules->tiny_before)
        return;
    t = val_scratch(e, 0);
    as_rr(&e->a, S_MOVQ_GX | w, reg, t);
    as_rr(&e->a, X_ADD | w, t, t); /* without its sign */
    as_shift_ri(&e->a, w, G_ROL, t, dbl ? 11 : 8);
    as_alu_ri(&e->a, w, G_CMP, t, 1);
    emit_bail_if(e, CC_E);
}

/* ---- arithmetic ---- */

static bool binary(struct emit *e, const struct ir_op *op, uint32_t code, bool commutes)
{
    bool dbl = is_double(op), result;
    ir_ref a = op->a, b = op->b;
    struct rm rb;
    unsigned ra, d;

    if (!nearest(op))
        return false;
    if (commutes && !dbl && !boxed(e, a) && boxed(e, b)) {
        a = op->b;
        b = op->a;
    }
    ra = val_xmm(e, a);
    rb = val_xmm_rm(e, b);
    result = keeps_box(e, op, a);
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 0);
    as_v_rm(&e->a, code | scalar(dbl), d, ra, rb);
    check_nan(e, d, dbl);
    if (op->op == IR_FMUL || op->op == IR_FDIV)
        check_tiny(e, d, dbl);
    val_set_xmm(e, d, result);
    return true;
}

static bool square_root(struct emit *e, const struct ir_op *op)
{
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);
    unsigned ra, d;

    if (!nearest(op))
        return false;
    ra = val_xmm(e, op->a);
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrr(&e->a, S_SQRT | scalar(dbl), d, ra, ra);
    check_nan(e, d, dbl);
    val_set_xmm(e, d, result);
    return true;
}

/* The operand behind a negation that was left to us. */
static ir_ref negated(const struct emit *e, ir_ref r, bool *neg)
{
    *neg = e->val[e->root[r]].lazy;
    return *neg ? e->ops[e->root[r]].a : r;
}

static bool fused(struct emit *e, const struct ir_op *op)
{
    static const uint32_t code[2][2] = {{V_FMADD231, V_FMSUB231}, {V_FNMADD231, V_FNMSUB231}};
    bool dbl = is_double(op), neg_product, neg_addend, result;
    ir_ref a = negated(e, op->a, &neg_product), c = negated(e, op->c, &neg_addend);
    unsigned ra, t, d;
    struct rm rb;

    if (!nearest(op) || !e->ev->cpu.fma)
        return false;
    /* Not into the home at once: the instruction may yet be left to the interpreter. */
    t = val_scratch_xmm(e, 0);
    val_xmm_to(e, c, t);
    ra = val_xmm(e, a);
    rb = val_xmm_rm(e, op->b);
    result = keeps_box(e, op, c);
    as_v_rm(&e->a, code[neg_product][neg_addend] | (dbl ? O_W : 0), t, ra, rb);
    compare_self(e, t, dbl);
    emit_bail_if(e, CC_P);
    check_tiny(e, t, dbl);
    val_done(e, a);
    val_done(e, op->b);
    val_done(e, c);
    d = val_dest_xmm(e, 0);
    if (d < e->ev->scratch_xmms)
        d = t;
    else
        as_rr(&e->a, S_MOVAPS, d, t);
    val_set_xmm(e, d, result);
    return true;
}

/*
 * RISC-V's (minimumNumber): a number wins over a NaN, which is the interpreter's; -0 is less than +0. The
 * host's gives its second operand for equal ones: both ways round, and the signs combined.
 */
static bool min_max(struct emit *e, const struct ir_op *op)
{
    bool dbl = is_double(op), min = op->op == IR_FMIN, result = keeps_box(e, op, op->a) && boxed(e, op->b);
    uint32_t code = (min ? S_MIN : S_MAX) | scalar(dbl);
    unsigned ra, rb, t, d;

    if (op->aux >> 8 != IR_MM_RISCV)
        return false;
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    as_vrr(&e->a, S_UCOMISS | (dbl ? O_66 : 0), ra, 0, rb);
    emit_bail_if(e, CC_P);
    t = val_scratch_xmm(e, 0);
    as_vrr(&e->a, code, t, ra, rb);
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 1u << t);
    as_vrr(&e->a, code, d, rb, ra);
    as_vrr(&e->a, min ? S_OR : S_AND, d, d, t);
    val_set_xmm(e, d, result);
    return true;
}

/* ---- signs: no flags, no NaN rules ---- */

static struct xmem sign_mask(bool dbl)
{
    return mem_at(RBP, OWN_DISP(sign) + (dbl ? 0 : 8));
}

static struct xmem abs_mask(bool dbl)
{
    return mem_at(RBP, OWN_DISP(abs) + (dbl ? 0 : 8));
}

static bool sign_only(struct emit *e, const struct ir_op *op, bool negate)
{
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);
    unsigned ra, d;

    if (e->val[e->at].lazy)
        return true;
    ra = val_xmm(e, op->a);
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrm(&e->a, negate ? S_XOR : S_AND, d, ra, negate ? sign_mask(dbl) : abs_mask(dbl));
    val_set_xmm(e, d, result);
    return true;
}

static bool copy(struct emit *e, const struct ir_op *op)
{
    bool result = boxed(e, op->a);
    unsigned ra = val_xmm(e, op->a), d;

    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 0);
    if (d != ra)
        as_rr(&e->a, S_MOVAPS, d, ra);
    val_set_xmm(e, d, result);
    return true;
}

static bool sign_of_other(struct emit *e, const struct ir_op *op)
{
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);
    unsigned ra, rb, t, d;

    if (e->root[op->a] == e->root[op->b] && op->op == IR_FSGNJ)
        return copy(e, op);
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    t = val_scratch_xmm(e, 0);
    as_vrm(&e->a, op->op == IR_FSGNJN ? S_ANDN : S_AND, t, rb, sign_mask(dbl));
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 1u << t);
    if (op->op == IR_FSGNJX) {
        as_vrr(&e->a, S_XOR, d, ra, t);
    } else {
        as_vrm(&e->a, S_AND, d, ra, abs_mask(dbl));
        as_vrr(&e->a, S_OR, d, d, t);
    }
    val_set_xmm(e, d, result);
    return true;
}

/* ---- comparisons ---- */

static bool compare(struct emit *e, const struct ir_op *op)
{
    uint32_t pre = is_double(op) ? O_66 : 0;
    unsigned ra, rb, d, cc;

    if (op->aux == IR_FCMP_EQ_SIGNAL || op->aux == IR_FCMP_UNORDERED)
        return false;
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    val_done(e, op->a);
    val_done(e, op->b);
    if (op->aux == IR_FCMP_EQ) {
        unsigned t = val_scratch_xmm(e, 0);

        d = val_dest(e, 0);
        as_vrr(&e->a, S_CMP | scalar(is_double(op)), t, ra, rb);
        as_u8(&e->a, 0); /* equal, quiet */
        as_rr(&e->a, S_MOVQ_GX, t, d);
        as_alu_ri(&e->a, 0, G_AND, d, 1);
        val_set(e, d);
        return true;
    }
    /* a < b as b above a: false when unordered */
    cc = op->aux == IR_FCMP_LT || op->aux == IR_FCMP_LT_QUIET ? CC_A : CC_AE;
    as_vrr(&e->a, (op->aux >= IR_FCMP_LT_QUIET ? S_UCOMISS : S_COMISS) | pre, rb, 0, ra);
    d = val_dest(e, 0);
    as_rr(&e->a, X_SETCC + cc, 0, d);
    as_rr(&e->a, X_MOVZX8 | O_B, d, d);
    val_set(e, d);
    return true;
}

/* As packed flags (flags.c): less 1, equal 6, greater 4, unordered 12. */
static bool compare_flags(struct emit *e, const struct ir_op *op)
{
    static const struct {
        uint8_t cc, flags;
    } rows[] = {{CC_B, 1}, {CC_E, 6}, {CC_P, 12}}; /* in this order: unordered is all three */
    uint32_t pre = is_double(op) ? O_66 : 0;
    unsigned ra, t, d;
    struct rm rb;

    if (op->aux & ~1u)
        return false;
    ra = val_xmm(e, op->a);
    rb = val_xmm_rm(e, op->b);
    t = val_scratch(e, 0);
    d = val_scratch(e, 0);
    as_v_rm(&e->a, (op->aux ? S_COMISS : S_UCOMISS) | pre, ra, 0, rb);
    val_done(e, op->a);
    val_done(e, op->b);
    as_imm(&e->a, d, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        as_imm(&e->a, t, rows[i].flags);
        as_rr(&e->a, X_CMOV + rows[i].cc, d, t);
    }
    val_set(e, d);
    return true;
}

/* ---- conversions ---- */

/* Bails unless -1 < x < limit (own.limit's index); other values give flags of their own. */
static void range(struct emit *e, unsigned x, bool dbl, unsigned limit)
{
    uint32_t code = S_UCOMISS | (dbl ? O_66 : 0);

    as_vrm(&e->a, code, x, 0, mem_at(RBP, OWN_DISP(limit) + (dbl ? 0 : 24)));
    emit_bail_if(e, CC_BE);
    as_vrm(&e->a, code, x, 0, mem_at(RBP, OWN_DISP(limit) + (dbl ? 0 : 24) + 8 * (int32_t)limit));
    emit_bail_if(e, CC_AE);
}

static bool to_int(struct emit *e, const struct ir_op *op)
{
    unsigned kind = op->aux >> 8, rm = op->aux & 0xff, ra, r, d;
    bool dbl = is_double(op), wide = kind == IR_INT_S64 || kind == IR_INT_U64;
    bool is_signed = kind == IR_INT_S32 || kind == IR_INT_S64;

    if (rm > IR_RUP || (rm != IR_RTZ && !is_signed) || (rm >= IR_RDN && kind != IR_INT_S64))
        return false;
    ra = val_xmm(e, op->a);
    r = val_scratch(e, 0);
    if (!is_signed)
        range(e, ra, dbl, kind == IR_INT_U32 ? 1 : 2);
    if (rm >= IR_RDN) {
        unsigned t = val_scratch_xmm(e, 0);

        as_vrr(&e->a, dbl ? S_ROUNDSD : S_ROUNDSS, t, ra, ra);
        as_u8(&e->a, rm == IR_RDN ? 1 : 2);
        ra = t;
    }
    as_vrr(&e->a, (rm == IR_RNE ? S_CVT : S_CVTT) | scalar(dbl) | (wide || !is_signed ? O_W : 0), r, 0, ra);
    if (is_signed) { /* the smallest number stands for what does not fit */
        as_alu_ri(&e->a, wide ? O_W : 0, G_CMP, r, 1);
        emit_bail_if(e, CC_O);
    }
    val_done(e, op->a);
    d = val_dest(e, 0);
    if (wide)
        as_mov(&e->a, d, r);
    else
        as_rr(&e->a, X_MOVSXD, d, r);
    val_set(e, d);
    return true;
}

static bool from_int(struct emit *e, const struct ir_op *op)
{
    unsigned kind = op->aux >> 8, r, d;
    bool dbl = is_double(op), wide = kind != IR_INT_S32;

    if (!nearest(op) && !(dbl && (kind == IR_INT_S32 || kind == IR_INT_U32)))
        return false;
    r = val_gpr(e, op->a);
    if (kind == IR_INT_U64) {
        as_rr(&e->a, X_TEST | O_W, r, r);
        emit_bail_if(e, CC_S);
    } else if (kind == IR_INT_U32) {
        unsigned t = val_scratch(e, 0);

        as_mov32(&e->a, t, r);
        r = t;
    }
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrr(&e->a, S_XOR, d, d, d);
    as_vrr(&e->a, S_CVTSI | scalar(dbl) | (wide ? O_W : 0), d, d, r);
    val_set_xmm(e, d, false);
    return true;
}

static bool float_to_float(struct emit *e, const struct ir_op *op)
{
    enum ir_type from = ir_result_type(&e->ops[op->a]);
    bool dbl = is_double(op);
    unsigned ra, d;

    if (from == IRT_F16 || (!dbl && !nearest(op)))
        return false;
    ra = val_xmm(e, op->a);
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrr(&e->a, dbl ? S_CVT_SS_SD : S_CVT_SD_SS, d, ra, ra);
    check_nan(e, d, dbl);
    val_set_xmm(e, d, false);
    return true;
}

/* ---- boxing ---- */

static bool box(struct emit *e, const struct ir_op *op)
{
    struct val *from = &e->val[e->root[op->a]];
    unsigned ra, d;

    if (op->type != IRT_F32)
        return false;
    if (from->boxed && from->kind == V_SLOT) {
        val_alias(e, op->a, true);
        val_done(e, op->a);
        return true;
    }
    ra = val_xmm(e, op->a);
    d = from->boxed;
    val_done(e, op->a);
    if (d) {
        d = val_dest_xmm(e, 0);
        if (d != ra)
            as_rr(&e->a, S_MOVAPS, d, ra);
    } else {
        d = val_dest_xmm(e, 0);
        as_vrm(&e->a, S_OR, d, ra, mem_at(RBP, OWN_DISP(box)));
    }
    val_set_xmm(e, d, true);
    return true;
}

/* What is not boxed is a NaN, and the interpreter's. */
static bool unbox(struct emit *e, const struct ir_op *op)
{
    const struct val *v = &e->val[e->root[op->a]];
    unsigned home = v->kind == V_SLOT ? home_of(e, v->disp) : 0;

    if (op->type != IRT_F32)
        return false;
    if (!v->boxed && !(home & HOME_XMM && e->boxed >> (home & HOME_REG) & 1)) {
        if (v->kind == V_SLOT && !home) {
            as_alu_mi(&e->a, 0, G_CMP, slot_mem(v->disp + 4), -1);
        } else {
            unsigned x = val_xmm(e, op->a), t = val_scratch(e, 0);

            as_rr(&e->a, S_PEXTRD, x, t);
            as_u8(&e->a, 1);
            as_alu_ri(&e->a, 0, G_CMP, t, -1);
        }
        emit_bail_if(e, CC_NE);
        if (home & HOME_XMM)
            e->boxed |= BIT(home & HOME_REG);
    }
    val_alias(e, op->a, true);
    val_done(e, op->a);
    return true;
}

bool emit_float(struct emit *e, const struct ir_op *op)
{
    /* Of other guests' rules than RISC-V's only what is known to be the same. */
    if (own_nans(e) && op->op > IR_FMADD && op->op != IR_FNEG && op->op != IR_FABS && op->op != IR_FCMPF &&
        op->op != IR_ITOF)
        return false;
    if (op->type == IRT_F16 || !e->ev->cpu.avx || !e->ev->cpu.sse41)
        return false;
    switch (op->op) {
    case IR_FADD:
        return binary(e, op, S_ADD, true);
    case IR_FSUB:
        return binary(e, op, S_SUB, false);
    case IR_FMUL:
        return binary(e, op, S_MUL, true);
    case IR_FDIV:
        return binary(e, op, S_DIV, false);
    case IR_FSQRT:
        return square_root(e, op);
    case IR_FMADD:
        return fused(e, op);
    case IR_FMIN:
    case IR_FMAX:
        return min_max(e, op);
    case IR_FNEG:
        return sign_only(e, op, true);
    case IR_FABS:
        return sign_only(e, op, false);
    case IR_FSGNJ:
    case IR_FSGNJN:
    case IR_FSGNJX:
        return sign_of_other(e, op);
    case IR_FCMP:
        return compare(e, op);
    case IR_FCMPF:
        return compare_flags(e, op);
    case IR_FTOI:
        return to_int(e, op);
    case IR_ITOF:
        return from_int(e, op);
    case IR_FTOF:
        return float_to_float(e, op);
    case IR_BOX:
        return box(e, op);
    case IR_UNBOX:
        return unbox(e, op);
    default:
        return false;
    }
}
