/* Advanced SIMD on floating point: what happens in one lane. */
#include "guest/arm64/simd.h"

#define UNUSED (void)s, (void)a, (void)b, (void)d
#define FP(name, expr)                                                                                       \
    static uint64_t name(struct simd *s, uint64_t a, uint64_t b, uint64_t d)                                 \
    {                                                                                                        \
        UNUSED;                                                                                              \
        return expr;                                                                                         \
    }

#define F s->f
#define E &s->env

/* ---- arithmetic ---- */

FP(add, sf_add(F, a, b, E))
FP(sub, sf_sub(F, a, b, E))
FP(mul, sf_mul(F, a, b, E))
FP(div_, sf_div(F, a, b, E))
FP(mulx, arm64_fp_mulx(F, a, b, E))
FP(max, arm64_fp_max(F, a, b, E))
FP(min, arm64_fp_min(F, a, b, E))
FP(maxnm, arm64_fp_maxnm(F, a, b, E))
FP(minnm, arm64_fp_minnm(F, a, b, E))
FP(mla, sf_fma(F, a, b, d, E))
FP(mls, sf_fma(F, arm64_fp_neg(F, a), b, d, E))
FP(abd, arm64_fp_abs(F, sf_sub(F, a, b, E)))
FP(recps, arm64_fp_recps(F, a, b, E))
FP(rsqrts, arm64_fp_rsqrts(F, a, b, E))
FP(abs_, arm64_fp_abs(F, a))
FP(neg, arm64_fp_neg(F, a))
FP(sqrt_, sf_sqrt(F, a, E))
FP(recpe, arm64_fp_recpe(F, a, E))
FP(rsqrte, arm64_fp_rsqrte(F, a, E))
FP(recpx, arm64_fp_recpx(F, a, E))

/* ---- comparisons; row->arg: which of less 1, equal 2, greater 4 hold ---- */

enum { LT = 1, EQ = 2, GT = 4 };

static uint64_t compared(struct simd *s, uint64_t a, uint64_t b)
{
    bool quiet = s->row->arg == EQ;

    return s->row->arg >> (sf_compare(F, a, b, quiet, E) + 1) & 1 ? UINT64_MAX : 0;
}

FP(compare, compared(s, a, b))
FP(compare_abs, compared(s, arm64_fp_abs(F, a), arm64_fp_abs(F, b)))
FP(compare_zero, compared(s, a, 0))

/* ---- to integers; row->arg: enum a64_round, bit 3: FRINTX ---- */

static struct sf_env *rounding(struct simd *s, unsigned a64_round)
{
    s->env.round = (uint8_t)arm64_fp_round(s->a->v.mode, a64_round);
    return &s->env;
}

FP(rint_, sf_round_int(F, a, s->row->arg & 8, rounding(s, s->row->arg & 7)))
/* amount is 0 where the format has no fraction bits */
FP(to_int, arm64_fp_to_fixed(F, a, s->bits, s->row->arg, s->amount, rounding(s, s->opt)))
FP(to_fix, arm64_fp_to_fixed(F, a, s->bits, s->row->arg, s->amount, rounding(s, A64_ROUND_ZERO)))
FP(from_int, arm64_fp_from_fixed(F, a, s->bits, s->row->arg, s->amount, E))

/* ---- between formats; size is the narrow one ---- */

static bool ahp(const struct simd *s)
{
    return s->a->v.mode & ARM64_MODE_AHP;
}

static void cvtl(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], r = {0, 0};
    unsigned lanes = 8u >> s->size;

    for (unsigned i = 0; i < lanes; i++)
        simd_set(&r, s->size + 1u, i,
                 arm64_fp_convert(F, F + 1, simd_get(&n, s->size, i + (s->q ? lanes : 0)), ahp(s), E));
    s->a->q[s->rd] = r;
}

/* row->arg: rounds to odd */
static void cvtn(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], r = {s->q ? s->a->q[s->rd].lo : 0, 0};
    unsigned lanes = s->row->flags & SIMD_SCALAR ? 1 : 8u >> s->size;

    if (s->row->arg)
        s->env.round = SF_ODD;
    for (unsigned i = 0; i < lanes; i++)
        simd_set(&r, s->size, i + (s->q ? lanes : 0),
                 arm64_fp_convert(F + 1, F, simd_get(&n, s->size + 1u, i), ahp(s), E));
    s->a->q[s->rd] = r;
}

// clang-format off
#define SC SIMD_SCALAR
#define EL SIMD_ELEM
#define ROW(id, shape, flags, arg, fn) [A64_##id] = {SIMD_##shape, (flags) | SIMD_FP, arg, fn, NULL}
#define OWN(id, flags, arg, fn)        [A64_##id] = {SIMD_WHOLE, (flags) | SIMD_FP, arg, NULL, fn}
/* Vectors of s and d, of h; scalars alike. */
#define V(id, shape, arg, fn)    ROW(id##_V, shape, 0, arg, fn), ROW(id##_VH, shape, 0, arg, fn)
#define S(id, shape, arg, fn)    ROW(id##_S, shape, SC, arg, fn), ROW(id##_SH, shape, SC, arg, fn)
#define VS(id, shape, arg, fn)   V(id, shape, arg, fn), S(id, shape, arg, fn)
#define ELEM(id, fn) \
    ROW(id##_ELEM_V, LANES, EL, 0, fn), ROW(id##_ELEM_VH, LANES, EL, 0, fn), \
    ROW(id##_ELEM_S, LANES, EL | SC, 0, fn), ROW(id##_ELEM_SH, LANES, EL | SC, 0, fn)
#define PAIR(id, fn)             V(id##P, PAIRS, 0, fn), S(id##P, PAIRS, 0, fn)
#define ACROSS(id, fn)           ROW(id##V, ACROSS, 0, 0, fn), ROW(id##V_H, ACROSS, 0, 0, fn)
#define TO_INT(m)                VS(FCVT##m##S, LANES, 1, to_int), VS(FCVT##m##U, LANES, 0, to_int)
#define FIXED(id, arg, fn)       ROW(id##_FIX_V, LANES, 0, arg, fn), ROW(id##_FIX_S, LANES, SC, arg, fn)

const struct simd_row simd_fp_rows[A64_ID_COUNT] = {
    V(FADD, LANES, 0, add), V(FSUB, LANES, 0, sub), V(FMUL, LANES, 0, mul), V(FDIV, LANES, 0, div_),
    VS(FMULX, LANES, 0, mulx), V(FMAX, LANES, 0, max), V(FMIN, LANES, 0, min), V(FMAXNM, LANES, 0, maxnm),
    V(FMINNM, LANES, 0, minnm), V(FMLA, LANES, 0, mla), V(FMLS, LANES, 0, mls), VS(FABD, LANES, 0, abd),
    VS(FRECPS, LANES, 0, recps), VS(FRSQRTS, LANES, 0, rsqrts),
    PAIR(FADD, add), PAIR(FMAX, max), PAIR(FMIN, min), PAIR(FMAXNM, maxnm), PAIR(FMINNM, minnm),
    ACROSS(FMAX, max), ACROSS(FMIN, min), ACROSS(FMAXNM, maxnm), ACROSS(FMINNM, minnm),
    ELEM(FMLA, mla), ELEM(FMLS, mls), ELEM(FMUL, mul), ELEM(FMULX, mulx),
    V(FABS, LANES, 0, abs_), V(FNEG, LANES, 0, neg), V(FSQRT, LANES, 0, sqrt_),
    VS(FRECPE, LANES, 0, recpe), VS(FRSQRTE, LANES, 0, rsqrte), S(FRECPX, LANES, 0, recpx),

    VS(FCMEQ, LANES, EQ, compare), VS(FCMGE, LANES, GT | EQ, compare), VS(FCMGT, LANES, GT, compare),
    VS(FACGE, LANES, GT | EQ, compare_abs), VS(FACGT, LANES, GT, compare_abs),
    VS(FCMEQ_ZERO, LANES, EQ, compare_zero), VS(FCMGE_ZERO, LANES, GT | EQ, compare_zero),
    VS(FCMGT_ZERO, LANES, GT, compare_zero), VS(FCMLE_ZERO, LANES, LT | EQ, compare_zero),
    VS(FCMLT_ZERO, LANES, LT, compare_zero),

    V(FRINTN, LANES, A64_ROUND_EVEN, rint_), V(FRINTP, LANES, A64_ROUND_UP, rint_),
    V(FRINTM, LANES, A64_ROUND_DOWN, rint_), V(FRINTZ, LANES, A64_ROUND_ZERO, rint_),
    V(FRINTA, LANES, A64_ROUND_AWAY, rint_), V(FRINTX, LANES, A64_ROUND_FPCR | 8, rint_),
    V(FRINTI, LANES, A64_ROUND_FPCR, rint_),
    TO_INT(N), TO_INT(P), TO_INT(M), TO_INT(Z), TO_INT(A),
    VS(SCVTF, LANES, 1, from_int), VS(UCVTF, LANES, 0, from_int),
    FIXED(FCVTZS, 1, to_fix), FIXED(FCVTZU, 0, to_fix), FIXED(SCVTF, 1, from_int), FIXED(UCVTF, 0, from_int),

    OWN(FCVTL_V, 0, 0, cvtl), OWN(FCVTN_V, 0, 0, cvtn), OWN(FCVTXN_V, 0, 1, cvtn), OWN(FCVTXN_S, SC, 1, cvtn),
};
