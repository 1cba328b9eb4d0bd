/*
 * Half precision by F16C: conversions from and to singles. NaNs keep their sign and what fits of their
 * payload, as Arm's do. Soft float has other roundings, flushing and default NaNs, and what may have been
 * tiny before rounding.
 */
#include "engine/jit/emit/x86_64/vector.h"

enum {
    V_CVTPH2PS = P38(0x13),
    V_CVTPS2PH = P3A(0x1d), /* the source is the reg field; imm: rounding */
    V_MOVZXWQ = P38(0x34),
    V_CMPEQW = P0(0x75),
    V_PTEST = P38(0x17),
    LEAST = 0x400, /* the least normal number */
    INFINITE = 0x7c00
};

/* To the host's rounding, nothing flushed. Default NaNs are for those who look at results. */
static bool plain(const struct ir_op *op)
{
    return (op->aux & 0xff & ~(unsigned)IR_FP_DEFAULT_NAN) == IR_RNE;
}

/* The other three, which are converted too, become zeros. */
static bool widen(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), d = float_dest(e, op);
    struct float_call *f = float_cold(e, op);
    bool dbl = op->type == IRT_F64;

    as_vrr(&e->a, V_MOVZXWQ, d, 0, ra);
    as_vrr(&e->a, V_CVTPH2PS, d, 0, d);
    if (dbl)
        as_vrr(&e->a, S_CVT_SS_SD, d, d, d);
    as_vrr(&e->a, S_UCOMISS | (dbl ? O_66 : 0), d, 0, d);
    float_cold_if(e, f, CC_P);
    float_cold_end(e, f, d);
    val_done(e, op->a);
    val_set_xmm(e, d, false);
    return true;
}

static bool narrow(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), g = val_scratch(e, 0), d = float_dest(e, op);
    struct float_call *f = float_cold(e, op);

    vec_rri(e, S_INSERTPS, d, ra, ra, 0x0e);
    as_vrr(&e->a, V_CVTPS2PH, d, 0, d);
    as_u8(&e->a, 0);
    as_vrr(&e->a, S_MOVQ_GX, d, 0, g);
    as_alu_ri(&e->a, 0, G_AND, g, 0x7fff);
    as_alu_ri(&e->a, 0, G_CMP, g, LEAST);
    float_cold_if(e, f, CC_E);
    as_alu_ri(&e->a, 0, G_CMP, g, INFINITE);
    float_cold_if(e, f, CC_A);
    float_cold_end(e, f, d);
    val_done(e, op->a);
    val_set_xmm(e, d, false);
    return true;
}

bool emit_half(struct emit *e, const struct ir_op *op)
{
    enum ir_type from = ir_result_type(&e->ops[op->a]);

    if (!e->ev->cpu.f16c || op->op != IR_FTOF || !plain(op))
        return false;
    if (from == IRT_F16 && op->type != IRT_F16)
        return widen(e, op);
    return from == IRT_F32 && op->type == IRT_F16 && narrow(e, op);
}

/* kind 1: of the upper half */
static bool widen_lanes(struct emit *e, const struct ir_op *op)
{
    unsigned from = val_xmm(e, op->a), t = from, d;

    if (op->aux >> IR_VF_KIND) {
        t = val_scratch_xmm(e, 0);
        vec_rri(e, P_SHUFD, t, 0, from, 0xee);
    }
    val_done(e, op->a);
    d = val_dest_xmm(e, 0);
    as_vrr(&e->a, V_CVTPH2PS, d, 0, t);
    return vec_set(e, d);
}

static bool narrow_lanes(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), d = float_dest(e, op), t = val_scratch_xmm(e, 1u << d);
    struct float_call *f = float_cold(e, op);

    as_vrr(&e->a, V_CVTPS2PH, ra, 0, d);
    as_u8(&e->a, 0);
    vec_shift(e, P_SLL, 1, t, d, 1); /* without its sign */
    as_vrm(&e->a, V_CMPEQW, t, t, vec_const(VC_LEAST16));
    as_vrr(&e->a, V_PTEST, t, 0, t);
    float_cold_if(e, f, CC_NE);
    float_cold_end(e, f, d);
    val_done(e, op->a);
    return vec_set(e, d);
}

bool emit_half_lanes(struct emit *e, const struct ir_op *op)
{
    bool four = (op->aux >> IR_VF_COUNT & 3) == 2;

    if (!e->ev->cpu.f16c || !four || (op->aux & 0xff) != IR_RNE)
        return false;
    return op->op == IR_VFWIDEN ? widen_lanes(e, op) : op->op == IR_VFNARROW && narrow_lanes(e, op);
}
