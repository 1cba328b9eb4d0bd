/* Advanced SIMD that moves elements: tables, permutations, selections, structures in registers. */
#include "guest/arm64/simd.h"

/* ---- permutations of n and m ---- */

/* Element i of the result, as a number into n's elements and then m's. */
static unsigned zip_from(unsigned i, unsigned count, unsigned part)
{
    return part * count / 2 + i / 2 + (i & 1) * count;
}

static unsigned uzp_from(unsigned i, unsigned count, unsigned part)
{
    (void)count;
    return 2 * i + part;
}

static unsigned trn_from(unsigned i, unsigned count, unsigned part)
{
    return (i & ~1u) + part + (i & 1) * count;
}

enum { ZIP, UZP, TRN };

/* arg: which of the above, part in bit 4 */
static void permute(struct simd *s)
{
    static unsigned (*const from[])(unsigned, unsigned, unsigned) = {zip_from, uzp_from, trn_from};
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], r = {0, 0};
    unsigned count = simd_lanes(s, s->size);

    for (unsigned i = 0; i < count; i++) {
        unsigned at = from[s->row->arg & 15](i, count, s->row->arg >> 4);

        simd_set(&r, s->size, i, simd_get(at < count ? &n : &m, s->size, at % count));
    }
    s->a->q[s->rd] = r;
}

/* Bytes from index on of m:n. */
static void ext(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], r = {0, 0};
    unsigned count = s->q ? 16 : 8;

    for (unsigned i = 0; i < count; i++) {
        unsigned at = i + s->index;

        simd_set(&r, 0, i, at < count ? simd_get(&n, 0, at) : simd_get(&m, 0, at - count));
    }
    s->a->q[s->rd] = r;
}

/* amount registers from n on; arg: bytes out of range stay, else they are zero */
static void table(struct simd *s)
{
    struct arm64_q m = s->a->q[s->rm], d = s->a->q[s->rd], r = {0, 0};

    for (unsigned i = 0; i < (s->q ? 16u : 8u); i++) {
        unsigned at = (unsigned)simd_get(&m, 0, i);
        uint64_t x = s->row->arg ? simd_get(&d, 0, i) : 0;

        if (at < 16u * s->amount)
            x = simd_get(&s->a->q[(s->rn + at / 16) & 31], 0, at % 16);
        simd_set(&r, 0, i, x);
    }
    s->a->q[s->rd] = r;
}

/* Elements in opposite order in each container; arg: its log2. */
static void reverse(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], r = {0, 0};
    unsigned flip = (1u << (s->row->arg - s->size)) - 1;

    for (unsigned i = 0; i < simd_lanes(s, s->size); i++)
        simd_set(&r, s->size, i, simd_get(&n, s->size, i ^ flip));
    s->a->q[s->rd] = r;
}

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
    OWN(ZIP1, ZIP, permute), OWN(ZIP2, ZIP | 16, permute), OWN(UZP1, UZP, permute), OWN(UZP2, UZP | 16, permute),
    OWN(TRN1, TRN, permute), OWN(TRN2, TRN | 16, permute),
    OWN(EXT, 0, ext), OWN(TBL, 0, table), OWN(TBX, 1, table),
    OWN(REV64_V, 3, reverse), OWN(REV32_V, 2, reverse), OWN(REV16_V, 1, reverse),
    OWN(LD2, 0, load_structures), OWN(LD3, 0, load_structures), OWN(LD4, 0, load_structures),
    OWN(ST2, 0, store_structures), OWN(ST3, 0, store_structures), OWN(ST4, 0, store_structures),
};
