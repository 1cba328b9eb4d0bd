/*
 * Floating point by the host's FPU. MXCSR rounds to nearest and gathers the flags, tininess is seen after
 * rounding as IEEE allows and RISC-V wants; what differs are NaN results (RISC-V's is the default NaN),
 * and cases that go to soft float: other rounding modes, flushing to zero, f16, NaN results of guests that
 * choose among the operands' and of fused operations, whose invalid flag the host gives by other rules.
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

/* Rounds as MXCSR does, flushes nothing. */
static bool nearest(const struct ir_op *op)
{
    return (op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN) == IR_RNE;
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

static struct xmem sign_mask(const struct emit *e, bool dbl)
{
    if (own_nans(e))
        return mem_at(RBP, WIDE_DISP(sign[1][dbl]));
    return mem_at(RBP, OWN_DISP(sign) + (dbl ? 0 : 8));
}

static struct xmem abs_mask(const struct emit *e, bool dbl)
{
    if (own_nans(e))
        return mem_at(RBP, WIDE_DISP(abs[1][dbl]));
    return mem_at(RBP, OWN_DISP(abs) + (dbl ? 0 : 8));
}

/* A NaN becomes the default one. */
static void check_nan(struct emit *e, unsigned reg, bool dbl)
{
    struct cold c = {.fn = cold_nan, .a = (uint8_t)reg, .b = dbl};

    compare_self(e, reg, dbl);
    c.jump = as_jcc(&e->a, CC_P);
    c.back = e->a.p;
    emit_cold(e, c);
}

static bool may_be_tiny(const struct emit *e, const struct ir_op *op)
{
    return e->ev->lift->fp_rules->tiny_before &&
           (op->op == IR_FMUL || op->op == IR_FDIV || op->op == IR_FMADD || op->op == IR_FTOF);
}

/*
 * Where tininess is seen before rounding, the least normal number may have been tiny: soft float knows. Sums
 * are exact where they are that small. The comparison with it finds NaNs, too.
 */
static void check_tiny(struct emit *e, const struct ir_op *op, unsigned reg, bool box)
{
    bool dbl = is_double(op);
    uint32_t w = dbl ? O_W : 0;
    struct float_call *f;
    unsigned t;

    if (float_scratch_left(e, reg)) {
        t = val_scratch_xmm(e, 1u << reg);
        f = float_cold(e, op);
        as_vrm(&e->a, S_AND, t, reg, mem_at(RBP, WIDE_DISP(abs[1][dbl])));
        as_vrm(&e->a, S_UCOMISS | (dbl ? O_66 : 0), t, 0, mem_at(RBP, WIDE_DISP(least[1][dbl])));
    } else {
        t = val_scratch(e, 0);
        f = float_cold(e, op);
        compare_self(e, reg, dbl);
        float_cold_if(e, f, CC_P);
        as_rr(&e->a, S_MOVQ_GX | w, reg, t);
        as_rr(&e->a, X_ADD | w, t, t); /* without its sign */
        as_shift_ri(&e->a, w, G_ROL, t, dbl ? 11 : 8);
        as_alu_ri(&e->a, w, G_CMP, t, 1);
    }
    f->boxed = box;
    float_cold_if(e, f, CC_E);
    float_cold_end(e, f, reg);
}

/* Results in reg that are soft float's, as NaNs and what may have been tiny. Operands are as they were. */
static void check_cold(struct emit *e, const struct ir_op *op, unsigned reg, bool box)
{
    struct float_call *f;

    if (may_be_tiny(e, op)) {
        check_tiny(e, op, reg, box);
        return;
    }
    f = float_cold(e, op);
    f->boxed = box;
    compare_self(e, reg, is_double(op));
    float_cold_if(e, f, CC_P);
    float_cold_end(e, f, reg);
}

/* ---- guests that flush denormal numbers ---- */

/* To nearest, and denormal operands or results are flushed: the host's rules and flags of that are others. */
static bool flushes(const struct ir_op *op)
{
    unsigned mode = op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN;

    return mode & (IR_FP_FLUSH_IN | IR_FP_FLUSH_OUT) && !(mode & IR_FP_ROUND);
}

/*
 * Nothing is flushed where each operand is zero or so large that neither a product nor what a sum cancels to
 * can be denormal; all else is soft float's. Changes only g.
 */
static void check_large(struct emit *e, struct float_call *f, unsigned g, struct rm x, bool dbl)
{
    enum {
        LEAST_DOUBLE = 1023 - 440,
        LEAST_SINGLE = 127 - 39
    }; /* exponents: twice them and 106 or 48 bits below */
    uint32_t w = dbl ? O_W : 0;

    if (x.is_mem)
        as_rm(&e->a, X_LOAD | w, g, x.mem);
    else
        as_rr(&e->a, S_MOVQ_GX | w, x.reg, g);
    as_rr(&e->a, X_ADD | w, g, g); /* without its sign */
    as_alu_ri(&e->a, w, G_SUB, g, 1);
    as_shift_ri(&e->a, w, G_SHR, g, dbl ? 53 : 24);
    as_alu_ri(&e->a, 0, G_CMP, g, dbl ? LEAST_DOUBLE : LEAST_SINGLE);
    float_cold_if(e, f, CC_B);
}

static struct rm in_register(unsigned reg)
{
    return (struct rm){.reg = (uint8_t)reg};
}

/* The result in d, which is not a NaN; else soft float's. */
static void flushing_end(struct emit *e, struct float_call *f, unsigned d, bool dbl)
{
    compare_self(e, d, dbl);
    float_cold_if(e, f, CC_P);
    float_cold_end(e, f, d);
}

static bool flushing_binary(struct emit *e, const struct ir_op *op, uint32_t code)
{
    unsigned ra = val_xmm(e, op->a), d, g;
    struct rm rb = val_xmm_rm(e, op->b);
    bool dbl = is_double(op);
    struct float_call *f;

    d = float_dest(e, op);
    g = val_scratch(e, 0);
    f = float_cold(e, op);
    check_large(e, f, g, in_register(ra), dbl);
    check_large(e, f, g, rb, dbl);
    as_v_rm(&e->a, code | scalar(dbl), d, ra, rb);
    flushing_end(e, f, d, dbl);
    val_done(e, op->a);
    val_done(e, op->b);
    val_set_xmm(e, d, false);
    return true;
}

/* The result is in scratch register t: not in its home, or an operand's place, at once. */
static bool fused_end(struct emit *e, const struct ir_op *op, ir_ref a, ir_ref c, unsigned t, bool result)
{
    unsigned d;

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

static bool flushing_fused(struct emit *e, const struct ir_op *op, uint32_t code, ir_ref a, ir_ref c)
{
    bool dbl = is_double(op);
    unsigned t = val_scratch_xmm(e, 0), ra, g;
    struct float_call *f;
    struct rm rb;

    val_xmm_to(e, c, t);
    ra = val_xmm(e, a);
    rb = val_xmm_rm(e, op->b);
    g = val_scratch(e, 0);
    f = float_cold(e, op);
    check_large(e, f, g, in_register(t), dbl);
    check_large(e, f, g, in_register(ra), dbl);
    check_large(e, f, g, rb, dbl);
    as_v_rm(&e->a, code | (dbl ? O_W : 0), t, ra, rb);
    flushing_end(e, f, t, dbl);
    return fused_end(e, op, a, c, t, false);
}

/* ---- arithmetic ---- */

static bool binary(struct emit *e, const struct ir_op *op, uint32_t code, bool commutes)
{
    bool dbl = is_double(op), result;
    ir_ref a = op->a, b = op->b;
    struct rm rb;
    unsigned ra, d;

    if (flushes(op) && own_nans(e) && op->op != IR_FDIV)
        return flushing_binary(e, op, code);
    if (!nearest(op))
        return float_call(e, op);
    if (commutes && !dbl && !boxed(e, a) && boxed(e, b)) {
        a = op->b;
        b = op->a;
    }
    ra = val_xmm(e, a);
    rb = val_xmm_rm(e, b);
    result = keeps_box(e, op, a);
    if (own_nans(e)) {
        d = float_dest(e, op);
        as_v_rm(&e->a, code | scalar(dbl), d, ra, rb);
        check_cold(e, op, d, false);
        val_done(e, op->a);
        val_done(e, op->b);
    } else {
        val_done(e, op->a);
        val_done(e, op->b);
        d = val_dest_xmm(e, 0);
        as_v_rm(&e->a, code | scalar(dbl), d, ra, rb);
        check_nan(e, d, dbl);
    }
    val_set_xmm(e, d, result);
    return true;
}

static bool square_root(struct emit *e, const struct ir_op *op)
{
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);
    unsigned ra, d;

    if (!nearest(op))
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    d = own_nans(e) ? float_dest(e, op) : 0;
    if (!own_nans(e)) {
        val_done(e, op->a);
        d = val_dest_xmm(e, 0);
    }
    as_vrr(&e->a, S_SQRT | scalar(dbl), d, ra, ra);
    if (own_nans(e)) {
        check_cold(e, op, d, false);
        val_done(e, op->a);
    } else {
        check_nan(e, d, dbl);
    }
    val_set_xmm(e, d, result);
    return true;
}

static bool fused(struct emit *e, const struct ir_op *op)
{
    static const uint32_t code[2][2] = {{V_FMADD231, V_FMSUB231}, {V_FNMADD231, V_FNMSUB231}};
    bool dbl = is_double(op), neg_product, neg_addend, result;
    ir_ref a = float_negated(e, op->a, &neg_product), c = float_negated(e, op->c, &neg_addend);
    unsigned ra, t;
    struct rm rb;

    if (flushes(op) && own_nans(e) && e->ev->cpu.fma)
        return flushing_fused(e, op, code[neg_product][neg_addend], a, c);
    if (!nearest(op) || !e->ev->cpu.fma)
        return float_call(e, op);
    t = val_scratch_xmm(e, 0);
    val_xmm_to(e, c, t);
    ra = val_xmm(e, a);
    rb = val_xmm_rm(e, op->b);
    result = keeps_box(e, op, c);
    as_v_rm(&e->a, code[neg_product][neg_addend] | (dbl ? O_W : 0), t, ra, rb);
    check_cold(e, op, t, result);
    return fused_end(e, op, a, c, t, result);
}

/*
 * Of two numbers; soft float has the rules for NaNs. -0 is less than +0. The host's gives its second operand
 * for equal ones: both ways round, and the signs combined.
 */
static bool min_max(struct emit *e, const struct ir_op *op)
{
    bool dbl = is_double(op), min = op->op == IR_FMIN, result = keeps_box(e, op, op->a) && boxed(e, op->b);
    uint32_t code = (min ? S_MIN : S_MAX) | scalar(dbl);
    struct float_call *f;
    unsigned ra, rb, t, d;

    if (op->aux >> 8 == IR_MM_X86 || !nearest(op))
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    t = val_scratch_xmm(e, 0);
    f = float_cold(e, op);
    f->boxed = result;
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 1u << t);
    as_vrr(&e->a, S_UCOMISS | (dbl ? O_66 : 0), ra, 0, rb);
    float_cold_if(e, f, CC_P);
    as_vrr(&e->a, code, t, ra, rb);
    as_vrr(&e->a, code, d, rb, ra);
    as_vrr(&e->a, min ? S_OR : S_AND, d, d, t);
    float_cold_end(e, f, d);
    val_set_xmm(e, d, result);
    return true;
}

/*
 * d: ra as an integral number, halves away from zero; soft float's where it is integral by its size. No flag
 * is raised: what truncation takes off is exact, as is the next number. Registers differ.
 */
static void away(struct emit *e, struct float_call *f, unsigned d, unsigned ra, unsigned t, bool dbl)
{
    uint32_t form = scalar(dbl);

    as_vrm(&e->a, S_AND, t, ra, abs_mask(e, dbl));
    as_vrm(&e->a, S_UCOMISS | (dbl ? O_66 : 0), t, 0, mem_at(RBP, WIDE_DISP(integral[dbl])));
    float_cold_if(e, f, CC_P);
    float_cold_if(e, f, CC_AE);
    as_vrr(&e->a, dbl ? S_ROUNDSD : S_ROUNDSS, d, t, t);
    as_u8(&e->a, 11);
    as_vrr(&e->a, S_SUB | form, t, t, d);
    as_vrm(&e->a, S_CMP | form, t, t, mem_at(RBP, WIDE_DISP(half[dbl])));
    as_u8(&e->a, 5); /* not less */
    as_vrm(&e->a, S_AND, t, t, mem_at(RBP, WIDE_DISP(one[dbl])));
    as_vrr(&e->a, S_ADD | form, d, d, t);
    as_vrm(&e->a, S_AND, t, ra, sign_mask(e, dbl));
    as_vrr(&e->a, S_OR, d, d, t);
}

static bool integral_away(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), d = val_scratch_xmm(e, 0), t = val_scratch_xmm(e, 0);
    struct float_call *f = float_cold(e, op);

    away(e, f, d, ra, t, is_double(op));
    float_cold_end(e, f, d);
    return fused_end(e, op, op->a, IR_REF_NONE, d, false);
}

/* To an integral number in the same format. */
static bool integral(struct emit *e, const struct ir_op *op)
{
    static const uint8_t mode[] = {[IR_RNE] = 0, [IR_RDN] = 1, [IR_RUP] = 2, [IR_RTZ] = 3};
    unsigned rm = op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN, ra, d;
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);

    if (rm == IR_RMM && !(op->aux >> 8 & 1))
        return integral_away(e, op);
    if (rm > IR_RUP)
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    d = float_dest(e, op);
    as_vrr(&e->a, dbl ? S_ROUNDSD : S_ROUNDSS, d, ra, ra);
    as_u8(&e->a, mode[rm] | (op->aux >> 8 & 1 ? 0 : 8)); /* 8: not inexact */
    check_cold(e, op, d, result);
    val_done(e, op->a);
    val_set_xmm(e, d, result);
    return true;
}

/* ---- signs: no flags, no NaN rules ---- */

static bool sign_only(struct emit *e, const struct ir_op *op, bool negate)
{
    bool dbl = is_double(op), result = keeps_box(e, op, op->a);
    unsigned ra, d;

    ra = val_xmm(e, op->a);
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrm(&e->a, negate ? S_XOR : S_AND, d, ra, negate ? sign_mask(e, dbl) : abs_mask(e, dbl));
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
    as_vrm(&e->a, op->op == IR_FSGNJN ? S_ANDN : S_AND, t, rb, sign_mask(e, dbl));
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 1u << t);
    if (op->op == IR_FSGNJX) {
        as_vrr(&e->a, S_XOR, d, ra, t);
    } else {
        as_vrm(&e->a, S_AND, d, ra, abs_mask(e, dbl));
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
        return float_call(e, op);
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
    struct float_call *f = NULL;
    unsigned ra, t, d;
    struct rm rb;

    ra = val_xmm(e, op->a);
    rb = val_xmm_rm(e, op->b);
    t = val_scratch(e, 0);
    d = val_scratch(e, 0);
    if (op->aux & (IR_FP_FLUSH_IN | IR_FP_FLUSH_OUT)) {
        f = float_cold(e, op);
        check_large(e, f, t, in_register(ra), is_double(op));
        check_large(e, f, t, rb, is_double(op));
    }
    as_v_rm(&e->a, (op->aux & 1 ? S_COMISS : S_UCOMISS) | pre, ra, 0, rb);
    val_done(e, op->a);
    val_done(e, op->b);
    as_imm(&e->a, d, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        as_imm(&e->a, t, rows[i].flags);
        as_rr(&e->a, X_CMOV + rows[i].cc, d, t);
    }
    if (f)
        float_cold_end(e, f, d);
    val_set(e, d);
    return true;
}

/* ---- conversions ---- */

/* Soft float's unless -1 < x < limit (own.limit's index); other values give flags of their own. */
static void range(struct emit *e, struct float_call *f, unsigned x, bool dbl, unsigned limit)
{
    uint32_t code = S_UCOMISS | (dbl ? O_66 : 0);

    as_vrm(&e->a, code, x, 0, mem_at(RBP, OWN_DISP(limit) + (dbl ? 0 : 24)));
    float_cold_if(e, f, CC_BE);
    as_vrm(&e->a, code, x, 0, mem_at(RBP, OWN_DISP(limit) + (dbl ? 0 : 24) + 8 * (int32_t)limit));
    float_cold_if(e, f, CC_AE);
}

/* Other than by truncation: rounded first, silently; a truncation of the operand tells whether that is
 * inexact. */
static void rounded(struct emit *e, unsigned ra, unsigned t, bool dbl, unsigned rm)
{
    static const uint8_t mode[] = {[IR_RNE] = 8, [IR_RDN] = 9, [IR_RUP] = 10};

    as_vrr(&e->a, dbl ? S_ROUNDSD : S_ROUNDSS, t, ra, ra);
    as_u8(&e->a, mode[rm]);
}

static bool to_int(struct emit *e, const struct ir_op *op)
{
    unsigned kind = op->aux >> 8, rm = op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN;
    unsigned ra, from, t, r, flags, d;
    bool dbl = is_double(op), wide = kind == IR_INT_S64 || kind == IR_INT_U64;
    bool is_signed = kind == IR_INT_S32 || kind == IR_INT_S64, direct;
    uint32_t form = scalar(dbl) | (wide || !is_signed ? O_W : 0);
    struct float_call *f;

    if (rm > IR_RMM)
        return float_call(e, op);
    direct = rm == IR_RTZ || (rm == IR_RNE && is_signed);
    ra = from = val_xmm(e, op->a);
    r = val_scratch(e, 0);
    t = direct ? 0 : val_scratch_xmm(e, 0);
    flags = direct ? 0 : val_scratch(e, 0);
    f = float_cold(e, op);
    if (rm == IR_RMM)
        away(e, f, t, ra, val_scratch_xmm(e, 0), dbl);
    else if (!direct)
        rounded(e, ra, t, dbl, rm);
    if (!direct)
        from = t;
    if (!is_signed)
        range(e, f, from, dbl, kind == IR_INT_U32 ? 1 : 2);
    as_vrr(&e->a, (rm == IR_RNE && direct ? S_CVT : S_CVTT) | form, r, 0, from);
    if (is_signed) { /* the smallest number stands for what does not fit */
        as_alu_ri(&e->a, wide ? O_W : 0, G_CMP, r, 1);
        float_cold_if(e, f, CC_O);
    }
    if (!wide)
        as_rr(&e->a, X_MOVSXD, r, r);
    if (!direct)
        as_vrr(&e->a, S_CVTT | form, flags, 0, ra);
    float_cold_end(e, f, r);
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_mov(&e->a, d, r);
    val_set(e, d);
    return true;
}

static bool from_int(struct emit *e, const struct ir_op *op)
{
    unsigned kind = op->aux >> 8, r, t = 0, d;
    bool dbl = is_double(op), wide = kind != IR_INT_S32;
    struct float_call *f;

    if (!nearest(op) && !(dbl && (kind == IR_INT_S32 || kind == IR_INT_U32)))
        return float_call(e, op);
    r = val_gpr(e, op->a);
    if (kind == IR_INT_U32)
        t = val_scratch(e, 0);
    d = float_dest(e, op);
    f = float_cold(e, op);
    if (kind == IR_INT_U64) {
        as_rr(&e->a, X_TEST | O_W, r, r);
        float_cold_if(e, f, CC_S);
    } else if (kind == IR_INT_U32) {
        as_mov32(&e->a, t, r);
        r = t;
    }
    as_vrr(&e->a, S_XOR, d, d, d);
    as_vrr(&e->a, S_CVTSI | scalar(dbl) | (wide ? O_W : 0), d, d, r);
    if (f->jumps)
        float_cold_end(e, f, d);
    val_done(e, op->a);
    val_set_xmm(e, d, false);
    return true;
}

static bool float_to_float(struct emit *e, const struct ir_op *op)
{
    enum ir_type from = ir_result_type(&e->ops[op->a]);
    bool dbl = is_double(op);
    unsigned ra, d;

    if (from == IRT_F16)
        return emit_half(e, op) || float_call(e, op);
    if (!(dbl ? !(op->aux & IR_FP_FLUSH_IN) : nearest(op)))
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    d = float_dest(e, op);
    as_vrr(&e->a, dbl ? S_CVT_SS_SD : S_CVT_SD_SS, d, ra, ra);
    if (!own_nans(e))
        check_nan(e, d, dbl);
    else if (!dbl || op->aux & IR_FP_DEFAULT_NAN) /* a NaN keeps what fits of it here and there */
        check_cold(e, op, d, false);
    val_done(e, op->a);
    val_set_xmm(e, d, false);
    return true;
}

/* ---- boxing ---- */

static bool box(struct emit *e, const struct ir_op *op)
{
    struct val *from = &e->val[e->root[op->a]];
    unsigned ra, d;

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
    if (e->val[e->at].lazy)
        return true;
    if (op->type == IRT_F16 || !e->ev->cpu.avx || !e->ev->cpu.sse41)
        return emit_half(e, op) || float_call(e, op);
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
    case IR_FRINT:
        return integral(e, op);
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
    default: /* FCLASS */
        return float_call(e, op);
    }
}
