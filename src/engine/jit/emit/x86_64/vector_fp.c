/*
 * Floating point on lanes, by the rules of float.c: the host computes all lanes, and where one of them is not
 * the guest's (a NaN, perhaps tiny, out of range) soft float computes them all again.
 *
 * Fewer lanes than fill a register are repeated above, so that what the register holds there raises nothing.
 */
#include "engine/jit/emit/x86_64/vector.h"
#include "lib/softfloat.h"

enum {
    V_PTEST = P38(0x17),
    V_MOVDDUP = 0x12 | O_0F | O_F2,
    V_CMPPS = 0xc2 | O_0F, /* O_66: of doubles, as with all that follow */
    V_ROUNDPS = P3A(0x08),
    V_CVTDQ2PS = 0x5b | O_0F,
    V_CVTPS2DQ = 0x5b | O_0F | O_66,
    V_CVTTPS2DQ = 0x5b | O_0F | O_F3,
    V_CVTPS2PD = 0x5a | O_0F,
    V_CVTPD2PS = 0x5a | O_0F | O_66,
    V_FMADD231P = 0xb8 | O_0F38 | O_66,
    V_FNMADD231P = 0xbc | O_0F38 | O_66,
    /* predicates of V_CMPPS (SDM volume 2, table 3-1) */
    CMP_EQ = 0,
    CMP_LT = 1,
    CMP_LE = 2,
    CMP_UNORDERED = 3,
    CMP_NOT_LT = 5,
    CMP_EQ_OR_UNORDERED = 8
};

struct lanes {
    bool dbl;
    unsigned count, kind, mode;
    bool full;
    uint32_t pre; /* O_66 of doubles */
};

static struct lanes lanes_of(const struct ir_op *op)
{
    unsigned format = op->aux >> IR_VF_FORMAT & 3, count = 1u << (op->aux >> IR_VF_COUNT & 3);

    return (struct lanes){.dbl = format == 2,
                          .count = count,
                          .kind = op->aux >> IR_VF_KIND,
                          .mode = op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN,
                          .full = (count << format) == 8,
                          .pre = format == 2 ? O_66 : 0};
}

/* An operand in a register, all lanes of it of use. */
static unsigned source(struct emit *e, const struct lanes *l, ir_ref r)
{
    unsigned reg = val_xmm(e, r), t;

    if (l->full)
        return reg;
    t = val_scratch_xmm(e, 0);
    if (l->count == 1 && !l->dbl)
        vec_rri(e, S_SHUFPS, t, reg, reg, 0);
    else
        as_vrr(&e->a, V_MOVDDUP, t, 0, reg);
    return t;
}

/* Scratch registers that n sources take besides those they stand in, and others. */
static bool room(struct emit *e, const struct lanes *l, unsigned n, unsigned others)
{
    return float_scratch_free(e) >= (l->full ? 0 : n) + others;
}

/* Lanes above become zero. */
static void clear_above(struct emit *e, const struct lanes *l, unsigned d)
{
    if (l->full)
        return;
    if (l->count == 1 && !l->dbl)
        vec_rri(e, S_INSERTPS, d, d, d, 0x0e);
    else
        as_vrr(&e->a, S_MOVQ_LD, d, 0, d);
}

static void cold_if_any(struct emit *e, struct float_call *f, unsigned t)
{
    as_vrr(&e->a, V_PTEST, t, 0, t);
    float_cold_if(e, f, CC_NE);
}

static bool may_be_tiny(const struct emit *e, const struct ir_op *op)
{
    return e->ev->lift->fp_rules->tiny_before &&
           (op->op == IR_VFMUL || op->op == IR_VFDIV || op->op == IR_VFMADD || op->op == IR_VFNARROW);
}

/* Results in d that soft float has to look at. The operands are as they were. */
static void check(struct emit *e, const struct ir_op *op, const struct lanes *l, unsigned d, unsigned t)
{
    struct float_call *f = float_cold(e, op);

    if (may_be_tiny(e, op)) {
        as_vrm(&e->a, S_AND, t, d, mem_at(RBP, WIDE_DISP(abs[0][l->dbl])));
        as_vrm(&e->a, V_CMPPS | l->pre, t, t, mem_at(RBP, WIDE_DISP(least[0][l->dbl])));
        as_u8(&e->a, CMP_EQ_OR_UNORDERED);
    } else {
        vec_rri(e, V_CMPPS | l->pre, t, d, d, CMP_UNORDERED);
    }
    cold_if_any(e, f, t);
    clear_above(e, l, d);
    float_cold_end(e, f, d);
}

static bool finish(struct emit *e, const struct ir_op *op, unsigned d)
{
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
    return vec_set(e, d);
}

/* ---- arithmetic ---- */

/* Both operands in registers, and room for `scratch` more. False: there is none. */
static bool operands(struct emit *e, const struct ir_op *op, const struct lanes *l, unsigned scratch,
                     unsigned *ra, unsigned *rb)
{
    *ra = val_xmm(e, op->a);
    *rb = val_xmm(e, op->b);
    if (!room(e, l, 2, scratch))
        return false;
    if (!l->full) {
        *ra = source(e, l, op->a);
        *rb = source(e, l, op->b);
    }
    return true;
}

static bool binary(struct emit *e, const struct ir_op *op, const struct lanes *l, uint32_t code)
{
    unsigned ra, d, t;
    struct rm rb;

    ra = val_xmm(e, op->a);
    rb = val_xmm_rm(e, op->b);
    if (!room(e, l, 2, 2))
        return float_call(e, op);
    if (!l->full) {
        ra = source(e, l, op->a);
        rb = (struct rm){.reg = (uint8_t)source(e, l, op->b)};
    }
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    as_v_rm(&e->a, code | l->pre, d, ra, rb);
    check(e, op, l, d, t);
    return finish(e, op, d);
}

static bool unary(struct emit *e, const struct ir_op *op, const struct lanes *l, uint32_t code, int imm)
{
    unsigned ra, d, t;

    ra = source(e, l, op->a);
    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    as_vrr(&e->a, code, d, 0, ra);
    if (imm >= 0)
        as_u8(&e->a, (unsigned)imm);
    check(e, op, l, d, t);
    return finish(e, op, d);
}

/* Its lanes that count all over a scratch register. */
static unsigned repeated(struct emit *e, const struct lanes *l, struct rm from)
{
    unsigned t = val_scratch_xmm(e, 0);
    bool single = l->count == 1 && !l->dbl;

    as_v_rm(&e->a, single ? P_SHUFD : V_MOVDDUP, t, 0, from);
    if (single)
        as_u8(&e->a, 0);
    return t;
}

static bool fused_part(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    struct rm rm[3] = {val_xmm_rm(e, op->a), val_xmm_rm(e, op->b), val_xmm_rm(e, op->c)};
    unsigned a, b, d;

    if (float_scratch_free(e) < 3)
        return float_call(e, op);
    a = repeated(e, l, rm[0]);
    b = repeated(e, l, rm[1]);
    d = repeated(e, l, rm[2]);
    as_vrr(&e->a, (l->kind ? V_FNMADD231P : V_FMADD231P) | (l->dbl ? O_W : 0), d, a, b);
    check(e, op, l, d, a);
    return finish(e, op, d);
}

static bool fused(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra, d, t;
    struct rm rb;

    if (!e->ev->cpu.fma)
        return float_call(e, op);
    if (!l->full)
        return fused_part(e, op, l);
    ra = val_xmm(e, op->a);
    rb = val_xmm_rm(e, op->b);
    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = val_scratch_xmm(e, 0);
    val_xmm_to(e, op->c, d);
    t = val_scratch_xmm(e, 0);
    as_v_rm(&e->a, (l->kind ? V_FNMADD231P : V_FMADD231P) | (l->dbl ? O_W : 0), d, ra, rb);
    check(e, op, l, d, t);
    return finish(e, op, d);
}

/* ---- guests that flush denormal numbers: see float.c ---- */

static bool flushes(const struct lanes *l)
{
    return l->mode & (IR_FP_FLUSH_IN | IR_FP_FLUSH_OUT) && !(l->mode & IR_FP_ROUND);
}

/* Soft float's unless each lane of x is zero or large: less one its exponent says so. */
static void check_large(struct emit *e, const struct lanes *l, struct float_call *f, unsigned x, unsigned t)
{
    unsigned lane = l->dbl ? 3 : 2;

    vec_shift(e, P_SLL, lane, t, x, 1); /* without its sign */
    as_vrm(&e->a, l->dbl ? P0(0xd4) : P0(0xfe), t, t, vec_const(VC_ONES));
    vec_shift(e, P_SRL, lane, t, t, l->dbl ? 53 : 24);
    as_vrm(&e->a, l->dbl ? P_CMPGTQ : P0(0x66), t, t, vec_const(l->dbl ? VC_LARGE64 : VC_LARGE32));
    as_vrm(&e->a, V_PTEST, t, 0, vec_const(VC_ONES));
    float_cold_if(e, f, CC_AE); /* not all ones */
}

static bool flushing_end(struct emit *e, const struct ir_op *op, const struct lanes *l, struct float_call *f,
                         unsigned d, unsigned t)
{
    vec_rri(e, V_CMPPS | l->pre, t, d, d, CMP_UNORDERED);
    cold_if_any(e, f, t);
    clear_above(e, l, d);
    float_cold_end(e, f, d);
    return finish(e, op, d);
}

static bool flushing_binary(struct emit *e, const struct ir_op *op, const struct lanes *l, uint32_t code)
{
    unsigned ra, rb, d, t;
    struct float_call *f;

    if (!operands(e, op, l, 2, &ra, &rb))
        return float_call(e, op);
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    f = float_cold(e, op);
    check_large(e, l, f, ra, t);
    check_large(e, l, f, rb, t);
    as_vrr(&e->a, code | l->pre, d, ra, rb);
    return flushing_end(e, op, l, f, d, t);
}

static bool flushing_fused(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra, rb, d, t;
    struct float_call *f;

    if (!e->ev->cpu.fma || !l->full)
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = val_scratch_xmm(e, 0);
    val_xmm_to(e, op->c, d);
    t = val_scratch_xmm(e, 0);
    f = float_cold(e, op);
    check_large(e, l, f, d, t);
    check_large(e, l, f, ra, t);
    check_large(e, l, f, rb, t);
    as_vrr(&e->a, (l->kind ? V_FNMADD231P : V_FMADD231P) | (l->dbl ? O_W : 0), d, ra, rb);
    return flushing_end(e, op, l, f, d, t);
}

static bool flushing(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    switch (op->op) {
    case IR_VFADD:
        return flushing_binary(e, op, l, S_ADD);
    case IR_VFSUB:
        return flushing_binary(e, op, l, S_SUB);
    case IR_VFMUL:
        return flushing_binary(e, op, l, S_MUL);
    case IR_VFMADD:
        return flushing_fused(e, op, l);
    default:
        return float_call(e, op);
    }
}

/* See float.c. */
static bool min_max(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    bool min = op->op == IR_VFMIN;
    uint32_t code = (min ? S_MIN : S_MAX) | l->pre;
    unsigned ra, rb, d, t;
    struct float_call *f;

    if (l->kind == IR_MM_X86 || !operands(e, op, l, 2, &ra, &rb))
        return float_call(e, op);
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    f = float_cold(e, op);
    vec_rri(e, V_CMPPS | l->pre, t, ra, rb, CMP_UNORDERED);
    cold_if_any(e, f, t);
    as_vrr(&e->a, code, t, ra, rb);
    as_vrr(&e->a, code, d, rb, ra);
    as_vrr(&e->a, min ? S_OR : S_AND, d, d, t);
    clear_above(e, l, d);
    float_cold_end(e, f, d);
    return finish(e, op, d);
}

/* The host raises what Arm does, and all results are right. */
static bool compare(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    static const uint8_t predicate[] = {[IR_VF_EQ] = CMP_EQ, [IR_VF_GT] = CMP_LT, [IR_VF_GE] = CMP_LE};
    bool swap = l->kind != IR_VF_EQ;
    unsigned ra, rb, d;

    if (op->aux & (IR_FP_FLUSH_IN | IR_FP_FLUSH_OUT) || !operands(e, op, l, 1, &ra, &rb))
        return float_call(e, op);
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest_xmm(e, 0);
    vec_rri(e, V_CMPPS | l->pre, d, swap ? rb : ra, swap ? ra : rb, predicate[l->kind]);
    clear_above(e, l, d);
    return vec_set(e, d);
}

/* ---- conversions ---- */

/* Halves away from zero, see float.c. Registers differ. */
static void away(struct emit *e, const struct lanes *l, struct float_call *f, unsigned d, unsigned x,
                 unsigned t)
{
    as_vrm(&e->a, S_AND, t, x, mem_at(RBP, WIDE_DISP(abs[0][l->dbl])));
    as_vrm(&e->a, l->dbl ? P_CMPGTQ : P0(0x66), d, t, vec_const(l->dbl ? VC_FRACTION64 : VC_FRACTION32));
    cold_if_any(e, f, d);
    as_vrr(&e->a, V_ROUNDPS | (l->dbl ? 1 : 0), d, 0, t);
    as_u8(&e->a, 11);
    as_vrr(&e->a, S_SUB | l->pre, t, t, d);
    as_vrm(&e->a, V_CMPPS | l->pre, t, t, vec_const(l->dbl ? VC_A_HALF64 : VC_A_HALF32));
    as_u8(&e->a, CMP_NOT_LT);
    as_vrm(&e->a, S_AND, t, t, vec_const(l->dbl ? VC_ONE64 : VC_ONE32));
    as_vrr(&e->a, S_ADD | l->pre, d, d, t);
    as_vrm(&e->a, S_AND, t, x, mem_at(RBP, WIDE_DISP(sign[0][l->dbl])));
    as_vrr(&e->a, S_OR, d, d, t);
}

static bool integral_away(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra = source(e, l, op->a), d, t;
    struct float_call *f;

    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = val_scratch_xmm(e, 0);
    t = val_scratch_xmm(e, 0);
    f = float_cold(e, op);
    away(e, l, f, d, ra, t);
    clear_above(e, l, d);
    float_cold_end(e, f, d);
    return finish(e, op, d);
}

static bool integral(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    static const uint8_t mode[] = {[IR_RNE] = 0, [IR_RDN] = 1, [IR_RUP] = 2, [IR_RTZ] = 3};

    if (l->mode == IR_RMM && !l->kind)
        return integral_away(e, op, l);
    if (l->mode > IR_RUP)
        return float_call(e, op);
    return unary(e, op, l, V_ROUNDPS | (l->dbl ? 1 : 0), mode[l->mode] | (l->kind ? 0 : 8));
}

/* Lane by lane: before AVX-512 there is no other way. The smallest number stands for what does not fit. */
static void doubles_to_int(struct emit *e, struct float_call *f, unsigned ra, unsigned d, unsigned t,
                           unsigned r, uint32_t code)
{
    vec_rri(e, P_SHUFD, t, 0, ra, 0xee);
    for (unsigned i = 0; i < 2; i++) {
        as_vrr(&e->a, code | O_F2 | O_W, r, 0, i ? t : ra);
        as_alu_ri(&e->a, O_W, G_CMP, r, 1);
        float_cold_if(e, f, CC_O);
        if (i)
            vec_rri(e, P3A(0x22) | O_W, d, d, r, 1); /* vpinsrq */
        else
            as_vrr(&e->a, S_MOVQ_XG | O_W, d, 0, r);
    }
}

/* Unsigned: soft float's unless no lane is negative, or more than a signed integer holds. */
static void check_unsigned(struct emit *e, const struct lanes *l, struct float_call *f, unsigned x,
                           unsigned t)
{
    as_vrm(&e->a, l->dbl ? P_CMPGTQ : P0(0x66), t, x, vec_const(l->dbl ? VC_HALF64 : VC_HALF32));
    as_vrr(&e->a, P_OR, t, t, x);
    as_vrm(&e->a, V_PTEST, t, 0, vec_const(l->dbl ? VC_SIGN64 : VC_SIGN32));
    float_cold_if(e, f, CC_NE);
}

/*
 * To nearest and by truncation. By other roundings they become integral first, which tells whether that is
 * exact: what is too large is integral already.
 */
static bool to_int(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    static const uint8_t mode[] = {[IR_RDN] = 1, [IR_RUP] = 2, [IR_RMM] = 3};
    bool nearest = l->mode == IR_RNE;
    unsigned ra, d, t, u = 0, r;
    struct float_call *f;

    if (l->mode > IR_RMM || (l->dbl && !l->full))
        return float_call(e, op);
    ra = source(e, l, op->a);
    if (!room(e, l, 0, l->mode >= IR_RDN ? 3 : 2))
        return float_call(e, op);
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    r = l->dbl ? val_scratch(e, 0) : 0;
    if (l->mode >= IR_RDN)
        u = val_scratch_xmm(e, 1u << d);
    f = float_cold(e, op);
    if (l->kind)
        check_unsigned(e, l, f, ra, t);
    if (l->mode == IR_RMM) {
        away(e, l, f, u, ra, t);
        as_vrr(&e->a, V_ROUNDPS | (l->dbl ? 1 : 0), t, 0, ra); /* for the flag alone */
        as_u8(&e->a, mode[l->mode]);
        ra = u;
    } else if (l->mode >= IR_RDN) {
        as_vrr(&e->a, V_ROUNDPS | (l->dbl ? 1 : 0), u, 0, ra);
        as_u8(&e->a, mode[l->mode]);
        ra = u;
    }
    if (l->dbl) {
        doubles_to_int(e, f, ra, d, t, r, nearest ? S_CVT : S_CVTT);
    } else {
        as_vrr(&e->a, nearest ? V_CVTPS2DQ : V_CVTTPS2DQ, d, 0, ra);
        as_vrm(&e->a, P_CMPEQD, t, d, mem_at(RBP, WIDE_DISP(sign[0][0])));
        cold_if_any(e, f, t);
        clear_above(e, l, d);
    }
    float_cold_end(e, f, d);
    return finish(e, op, d);
}

/* One instruction a lane. x may be d: it is read before. */
static void doubles_from_int(struct emit *e, unsigned x, unsigned d, unsigned t)
{
    unsigned r = val_scratch(e, 0);

    as_vrr(&e->a, S_PEXTRQ, x, 0, r);
    as_u8(&e->a, 1);
    vec_zero(e, t);
    as_vrr(&e->a, S_CVTSI | O_F2 | O_W, t, t, r);
    as_vrr(&e->a, S_MOVQ_GX | O_W, x, 0, r);
    vec_zero(e, d);
    as_vrr(&e->a, S_CVTSI | O_F2 | O_W, d, d, r);
    as_vrr(&e->a, P_UNPCKLQDQ, d, d, t);
}

/*
 * Unsigned: each half as the fraction of a power of two whose last bit has the weight of the half's; the sum
 * of both, less those powers, is rounded once. x may be d.
 */
static void from_unsigned(struct emit *e, const struct lanes *l, unsigned x, unsigned d, unsigned t)
{
    vec_shift(e, P_SRL, l->dbl ? 3 : 2, t, x, l->dbl ? 32 : 16);
    as_vrm(&e->a, P_OR, t, t, vec_const(l->dbl ? VC_UPPER64 : VC_UPPER32));
    as_vrm(&e->a, S_SUB | l->pre, t, t, vec_const(l->dbl ? VC_HALVES64 : VC_HALVES32));
    as_vrm(&e->a, P_BLENDW, d, x, vec_const(l->dbl ? VC_LOWER64 : VC_LOWER32));
    as_u8(&e->a, l->dbl ? 0xcc : 0xaa);
    as_vrr(&e->a, S_ADD | l->pre, d, d, t);
}

static bool from_int(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra, d, t;

    if (l->mode != IR_RNE || (l->dbl && !l->full))
        return float_call(e, op);
    ra = source(e, l, op->a);
    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = float_dest(e, op);
    if (l->kind || l->dbl) {
        t = val_scratch_xmm(e, 1u << d);
        if (l->kind)
            from_unsigned(e, l, ra, d, t);
        else
            doubles_from_int(e, ra, d, t);
    } else {
        as_vrr(&e->a, V_CVTDQ2PS, d, 0, ra);
    }
    clear_above(e, l, d);
    return finish(e, op, d);
}

/* f32 to f64. A NaN stays what it is, made quiet. */
static bool widen(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra, d, t;

    if (op->aux & (IR_FP_FLUSH_IN | IR_FP_DEFAULT_NAN) || l->count != 2)
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    t = l->kind ? val_scratch_xmm(e, 0) : ra;
    if (l->kind)
        vec_rri(e, P_SHUFD, t, 0, ra, 0xee);
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrr(&e->a, V_CVTPS2PD, d, 0, t);
    return vec_set(e, d);
}

/* f64 to f32. */
static bool narrow(struct emit *e, const struct ir_op *op, const struct lanes *l)
{
    unsigned ra, d, t;

    if (l->mode != IR_RNE || l->count != 2)
        return float_call(e, op);
    ra = val_xmm(e, op->a);
    if (!room(e, l, 0, 2))
        return float_call(e, op);
    d = float_dest(e, op);
    t = val_scratch_xmm(e, 1u << d);
    as_vrr(&e->a, V_CVTPD2PS, d, 0, ra);
    check(e, op, l, d, t);
    return finish(e, op, d);
}

bool emit_vector_float(struct emit *e, const struct ir_op *op)
{
    struct lanes l = lanes_of(op);
    bool arithmetic = op->op <= IR_VFMAX;

    if ((op->aux >> IR_VF_FORMAT & 3) == 0)
        return emit_half_lanes(e, op) || float_call(e, op);
    if (!e->ev->cpu.avx)
        return float_call(e, op);
    if (arithmetic && flushes(&l))
        return flushing(e, op, &l);
    if (arithmetic && l.mode != IR_RNE)
        return float_call(e, op);
    switch (op->op) {
    case IR_VFADD:
        return binary(e, op, &l, S_ADD);
    case IR_VFSUB:
        return binary(e, op, &l, S_SUB);
    case IR_VFMUL:
        return binary(e, op, &l, S_MUL);
    case IR_VFDIV:
        return binary(e, op, &l, S_DIV);
    case IR_VFSQRT:
        return unary(e, op, &l, S_SQRT | l.pre, -1);
    case IR_VFMADD:
        return fused(e, op, &l);
    case IR_VFMIN:
    case IR_VFMAX:
        return min_max(e, op, &l);
    case IR_VFCMP:
        return compare(e, op, &l);
    case IR_VFRINT:
        return integral(e, op, &l);
    case IR_VFTOI:
        return to_int(e, op, &l);
    case IR_VITOF:
        return from_int(e, op, &l);
    case IR_VFWIDEN:
        return widen(e, op, &l);
    default:
        return narrow(e, op, &l);
    }
}
