/* Advanced SIMD that moves elements: structures in registers. */
#include "guest/arm64/simd.h"

/* ---- structures ----
 *
 * Memory order is the registers' bytes one after the other. amount registers from rd on; loads have put the
 * bytes there, stores take them from a->scratch. */

static unsigned spread(struct simd *s, struct arm64_q raw[4], struct arm64_q by_element[4], bool to_registers)
{
    unsigned count = simd_lanes(s, s->size), n = s->amount;

    for (unsigned i = 0; i < count * n; i++) {
        unsigned in_memory = i, reg = i % n, lane = i / n;

        if (to_registers)
            simd_set(&by_element[reg], s->size, lane,
                     simd_get(&raw[in_memory / count], s->size, in_memory % count));
        else
            simd_set(&raw[in_memory / count], s->size, in_memory % count,
                     simd_get(&by_element[reg], s->size, lane));
    }
    return n;
}

static void load_structures(struct simd *s)
{
    struct arm64_q raw[4], out[4] = {{0, 0}};

    for (unsigned i = 0; i < s->amount; i++)
        raw[i] = s->a->q[(s->rd + i) & 31];
    for (unsigned i = 0, n = spread(s, raw, out, true); i < n; i++)
        s->a->q[(s->rd + i) & 31] = out[i];
}

static void store_structures(struct simd *s)
{
    struct arm64_q in[4];

    for (unsigned i = 0; i < s->amount; i++)
        in[i] = s->a->q[(s->rd + i) & 31];
    spread(s, s->a->scratch, in, false);
}

// clang-format off
#define OWN(id, arg, fn) [A64_##id] = {SIMD_WHOLE, 0, arg, NULL, fn}

const struct simd_row simd_move_rows[A64_ID_COUNT] = {
    OWN(LD3, 0, load_structures), OWN(ST3, 0, store_structures),
};
