/* Advanced SIMD on integers that IR has no operation for: what happens in one lane, saturation mostly. */
#include "guest/arm64/simd.h"

typedef __int128 i128;

#define LANE(name) static uint64_t name(struct simd *s, uint64_t a, uint64_t b, uint64_t d)
#define UNUSED     (void)s, (void)a, (void)b, (void)d

static bool is_signed(const struct simd *s)
{
    return s->row->flags & SIMD_SIGNED;
}

/* Whole value of an operand that came extended as the row says. */
static i128 whole(const struct simd *s, uint64_t x)
{
    return is_signed(s) ? (i128)(int64_t)x : (i128)x;
}

/* SatQ() to the lane's width. */
static uint64_t saturate(struct simd *s, i128 x, bool to_signed)
{
    i128 high = ((i128)1 << (s->bits - to_signed)) - 1, low = to_signed ? -high - 1 : 0;

    if (x > high || x < low) {
        s->a->qc = 1;
        x = x > high ? high : low;
    }
    return (uint64_t)x;
}

/* ---- sums and differences ---- */

#define SIMPLE(name, expr)                                                                                   \
    LANE(name)                                                                                               \
    {                                                                                                        \
        UNUSED;                                                                                              \
        return expr;                                                                                         \
    }

SIMPLE(qadd, saturate(s, whole(s, a) + whole(s, b), is_signed(s)))
SIMPLE(qsub, saturate(s, whole(s, a) - whole(s, b), is_signed(s)))

/* ---- one operand ---- */

static uint64_t lane_mask(const struct simd *s)
{
    return UINT64_MAX >> (64 - s->bits);
}

static uint64_t leading_zeros(const struct simd *s, uint64_t a)
{
    a &= lane_mask(s);
    return a ? (unsigned)__builtin_clzll(a) - (64u - s->bits) : s->bits;
}

SIMPLE(cls, leading_zeros(s, a ^ (uint64_t)((int64_t)a >> 1)) - 1)
SIMPLE(qabs, saturate(s, (int64_t)a < 0 ? -(i128)(int64_t)a : (i128)a, true))
SIMPLE(qneg, saturate(s, -(i128)(int64_t)a, true))

/* To the destination, of the other signedness: row->arg says which rule d has. */
LANE(suqadd)
{
    UNUSED;
    return saturate(s, (i128)bits_sext(d, s->bits) + (a & lane_mask(s)), true);
}

LANE(usqadd)
{
    UNUSED;
    return saturate(s, (i128)(d & lane_mask(s)) + (int64_t)a, false);
}

/* Narrowing: as the row reads, or to unsigned (arg 1). */
SIMPLE(qxtn, saturate(s, whole(s, a), is_signed(s) && !s->row->arg))

/* ---- products ---- */

LANE(pmul)
{
    uint64_t r = 0;

    UNUSED;
    for (unsigned i = 0; i < 8; i++)
        r ^= b >> i & 1 ? a << i : 0;
    return r;
}

static i128 doubled(uint64_t a, uint64_t b)
{
    return 2 * (i128)(int64_t)a * (int64_t)b;
}

/* 2 * a * b, high half; arg: rounded */
SIMPLE(qdmulh, saturate(s, (doubled(a, b) + ((i128)s->row->arg << (s->bits - 1))) >> s->bits, true))
/* d * 2^bits +- 2 * a * b, high half, rounded; arg: minus */
SIMPLE(qrdmlah, saturate(s,
                         (((i128)(int64_t)d << s->bits) + (s->row->arg ? -doubled(a, b) : doubled(a, b)) +
                          ((i128)1 << (s->bits - 1))) >>
                             s->bits,
                         true))
SIMPLE(qdmull, saturate(s, doubled(a, b), true))
SIMPLE(qdmlal, saturate(s, (i128)(int64_t)d + (int64_t)bits_sext(qdmull(s, a, b, 0), s->bits), true))
SIMPLE(qdmlsl, saturate(s, (i128)(int64_t)d - (int64_t)bits_sext(qdmull(s, a, b, 0), s->bits), true))

/* Four products of bytes each: size is that of the sum. */
static void dot(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], r = s->a->q[s->rd];
    bool elem = s->row->flags & SIMD_ELEM, sign = is_signed(s);

    for (unsigned i = 0; i < simd_lanes(s, 2); i++) {
        uint64_t sum = simd_get(&r, 2, i);

        for (unsigned k = 0; k < 4; k++) {
            uint64_t a = simd_get(&n, 0, 4 * i + k), b = simd_get(&m, 0, 4 * (elem ? s->index : i) + k);

            sum += sign ? (uint64_t)((int64_t)(int8_t)a * (int8_t)b) : a * b;
        }
        simd_set(&r, 2, i, sum);
    }
    if (!s->q)
        r.hi = 0;
    s->a->q[s->rd] = r;
}

/* ---- shifts ---- */

enum { ROUND = 1, SATURATE = 2, TO_UNSIGNED = 4 };

/* To the left by n, to the right where it is negative; how: of the enum above. */
static uint64_t shift(struct simd *s, uint64_t a, int n, unsigned how)
{
    i128 x = whole(s, a);

    if (n < 0) {
        n = -n > 100 ? 100 : -n;
        x = (x + (how & ROUND ? (i128)1 << (n - 1) : 0)) >> n;
    } else if (n >= s->bits && x) {
        /* All bits go: anything too large to fit. */
        x = how & SATURATE ? (x < 0 ? -1 : 1) * ((i128)1 << 100) : 0;
    } else if (x) {
        x = (i128)((u128)x << n);
    }
    return how & SATURATE ? saturate(s, x, is_signed(s) && !(how & TO_UNSIGNED)) : (uint64_t)x;
}

SIMPLE(shl_reg, shift(s, a, (int8_t)b, s->row->arg))
SIMPLE(shl_imm, shift(s, a, s->amount, s->row->arg))
SIMPLE(shr_imm, shift(s, a, -(int)s->amount, s->row->arg))

static void urecpe(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], r = {0, 0};

    for (unsigned i = 0; i < simd_lanes(s, 2); i++) {
        uint32_t x = (uint32_t)simd_get(&n, 2, i);

        simd_set(&r, 2, i, s->row->arg ? arm64_fp_rsqrte_u32(x) : arm64_fp_recpe_u32(x));
    }
    s->a->q[s->rd] = r;
}

// clang-format off
#define SX SIMD_SIGNED
#define SC SIMD_SCALAR
#define EL SIMD_ELEM
#define ROW(id, shape, flags, arg, fn) [A64_##id] = {SIMD_##shape, flags, arg, fn, NULL}
#define OWN(id, flags, arg, fn)        [A64_##id] = {SIMD_WHOLE, flags, arg, NULL, fn}
/* Vector and scalar form; signed and unsigned. */
#define VS(id, shape, flags, arg, fn)  ROW(id##_V, shape, flags, arg, fn), ROW(id##_S, shape, (flags) | SC, arg, fn)
#define SU_S(id, shape, arg, fn)       VS(S##id, shape, SX, arg, fn), VS(U##id, shape, 0, arg, fn)

const struct simd_row simd_int_rows[A64_ID_COUNT] = {
    SU_S(QADD, LANES, 0, qadd), SU_S(QSUB, LANES, 0, qsub), ROW(PMUL_V, LANES, 0, 0, pmul),
    VS(SQDMULH, LANES, SX, 0, qdmulh), VS(SQRDMULH, LANES, SX, 1, qdmulh),
    ROW(SQDMULH_ELEM_V, LANES, SX | EL, 0, qdmulh), ROW(SQDMULH_ELEM_S, LANES, SX | EL | SC, 0, qdmulh),
    ROW(SQRDMULH_ELEM_V, LANES, SX | EL, 1, qdmulh), ROW(SQRDMULH_ELEM_S, LANES, SX | EL | SC, 1, qdmulh),
    VS(SQRDMLAH, LANES, SX, 0, qrdmlah), VS(SQRDMLSH, LANES, SX, 1, qrdmlah),
    ROW(SQRDMLAH_ELEM_V, LANES, SX | EL, 0, qrdmlah), ROW(SQRDMLAH_ELEM_S, LANES, SX | EL | SC, 0, qrdmlah),
    ROW(SQRDMLSH_ELEM_V, LANES, SX | EL, 1, qrdmlah), ROW(SQRDMLSH_ELEM_S, LANES, SX | EL | SC, 1, qrdmlah),
    OWN(SDOT_V, SX, 0, dot), OWN(UDOT_V, 0, 0, dot), OWN(SDOT_ELEM_V, SX | EL, 0, dot), OWN(UDOT_ELEM_V, EL, 0, dot),
    VS(SQDMULL, LONG, SX, 0, qdmull), VS(SQDMLAL, LONG, SX, 0, qdmlal), VS(SQDMLSL, LONG, SX, 0, qdmlsl),
    ROW(SQDMULL_ELEM_V, LONG, SX | EL, 0, qdmull), ROW(SQDMULL_ELEM_S, LONG, SX | EL | SC, 0, qdmull),
    ROW(SQDMLAL_ELEM_V, LONG, SX | EL, 0, qdmlal), ROW(SQDMLAL_ELEM_S, LONG, SX | EL | SC, 0, qdmlal),
    ROW(SQDMLSL_ELEM_V, LONG, SX | EL, 0, qdmlsl), ROW(SQDMLSL_ELEM_S, LONG, SX | EL | SC, 0, qdmlsl),
    ROW(PMULL_V, LONG, 0, 0, pmul),

    ROW(CLS_V, LANES, SX, 0, cls), VS(SQABS, LANES, SX, 0, qabs), VS(SQNEG, LANES, SX, 0, qneg),
    VS(SUQADD, LANES, 0, 0, suqadd), VS(USQADD, LANES, SX, 0, usqadd),
    VS(SQXTN, NARROW, SX, 0, qxtn), VS(UQXTN, NARROW, 0, 0, qxtn), VS(SQXTUN, NARROW, SX, 1, qxtn),
    OWN(URECPE_V, 0, 0, urecpe), OWN(URSQRTE_V, 0, 1, urecpe),

    VS(SSHL, LANES, SX, 0, shl_reg), SU_S(RSHL, LANES, ROUND, shl_reg), SU_S(QSHL, LANES, SATURATE, shl_reg),
    SU_S(QRSHL, LANES, ROUND | SATURATE, shl_reg),
    SU_S(QSHL_IMM, LANES, SATURATE, shl_imm), VS(SQSHLU, LANES, SX, SATURATE | TO_UNSIGNED, shl_imm),
    SU_S(QSHRN, NARROW, SATURATE, shr_imm), SU_S(QRSHRN, NARROW, ROUND | SATURATE, shr_imm),
    VS(SQSHRUN, NARROW, SX, SATURATE | TO_UNSIGNED, shr_imm),
    VS(SQRSHRUN, NARROW, SX, ROUND | SATURATE | TO_UNSIGNED, shr_imm),
};
