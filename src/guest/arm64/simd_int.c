/* Advanced SIMD on integers that IR has no operation for: products of polynomials, estimates. */
#include "guest/arm64/simd.h"

#define LANE(name) static uint64_t name(struct simd *s, uint64_t a, uint64_t b, uint64_t d)
#define UNUSED     (void)s, (void)a, (void)b, (void)d

/* ---- products ---- */

LANE(pmul)
{
    uint64_t r = 0;

    UNUSED;
    for (unsigned i = 0; i < 8; i++)
        r ^= b >> i & 1 ? a << i : 0;
    return r;
}

/* ---- estimates ---- */

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
#define ROW(id, shape, flags, arg, fn) [A64_##id] = {SIMD_##shape, flags, arg, fn, NULL}
#define OWN(id, flags, arg, fn)        [A64_##id] = {SIMD_WHOLE, flags, arg, NULL, fn}

const struct simd_row simd_int_rows[A64_ID_COUNT] = {
    ROW(PMUL_V, LANES, 0, 0, pmul), ROW(PMULL_V, LONG, 0, 0, pmul),
    OWN(URECPE_V, 0, 0, urecpe), OWN(URSQRTE_V, 0, 1, urecpe),
};
