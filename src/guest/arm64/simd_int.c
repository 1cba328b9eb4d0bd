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

#define SIMPLE(name, expr)                                                                                   \
    LANE(name)                                                                                               \
    {                                                                                                        \
        UNUSED;                                                                                              \
        return expr;                                                                                         \
    }

/* ---- one operand ---- */

static uint64_t lane_mask(const struct simd *s)
{
    return UINT64_MAX >> (64 - s->bits);
}

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

/* ---- products ---- */

LANE(pmul)
{
    uint64_t r = 0;

    UNUSED;
    for (unsigned i = 0; i < 8; i++)
        r ^= b >> i & 1 ? a << i : 0;
    return r;
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
    ROW(PMUL_V, LANES, 0, 0, pmul), ROW(PMULL_V, LONG, 0, 0, pmul),
    VS(SUQADD, LANES, 0, 0, suqadd), VS(USQADD, LANES, SX, 0, usqadd),
    OWN(URECPE_V, 0, 0, urecpe), OWN(URSQRTE_V, 0, 1, urecpe),

    SU_S(QSHL, LANES, SATURATE, shl_reg),
    SU_S(QRSHL, LANES, ROUND | SATURATE, shl_reg),
    VS(SQSHLU, LANES, SX, SATURATE | TO_UNSIGNED, shl_imm),
};
