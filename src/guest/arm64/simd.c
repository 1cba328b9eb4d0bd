/* Advanced SIMD: from the operand of the call to lanes, by the shape of the instruction. */
#include "guest/arm64/simd.h"

/* ---- the operand: registers 19:0, size 22:20, q 23, opt 26:24, amount 33:27, index 38:34, id 55:40, its
 * part 57:56
 * ---- */

static const struct simd_row *const parts[] = {simd_int_rows, simd_fp_rows, simd_crypto_rows};

static unsigned part_of(unsigned id)
{
    unsigned p = 0;

    while (p < ARRAY_SIZE(parts) && !parts[p][id].shape)
        p++;
    return p;
}

uint64_t arm64_simd_desc(const struct a64_insn *i)
{
    return (uint64_t)i->rd | (uint64_t)i->rn << 5 | (uint64_t)i->rm << 10 | (uint64_t)i->ra << 15 |
           (uint64_t)i->size << 20 | (uint64_t)i->q << 23 | (uint64_t)i->opt << 24 |
           (uint64_t)i->amount << 27 | (uint64_t)i->index << 34 | (uint64_t)i->id << 40 |
           (uint64_t)part_of(i->id) << 56;
}

bool arm64_simd_has(unsigned id)
{
    return part_of(id) < ARRAY_SIZE(parts);
}

static struct simd unpack(struct arm64_vcpu *a, uint64_t desc)
{
    struct simd s = {.a = a,
                     .row = &parts[desc >> 56][desc >> 40 & 0xffff],
                     .rd = desc & 31,
                     .rn = desc >> 5 & 31,
                     .rm = desc >> 10 & 31,
                     .ra = desc >> 15 & 31,
                     .size = desc >> 20 & 7,
                     .q = desc >> 23 & 1,
                     .opt = desc >> 24 & 7,
                     .amount = desc >> 27 & 127,
                     .index = desc >> 34 & 31};

    s.bits = (uint8_t)(8u << s.size);
    s.f = (enum sf_format)(s.size - 1);
    if (s.row->flags & SIMD_FP)
        s.env = arm64_fp_env(a->v.mode);
    return s;
}

/* ---- lanes ---- */

/* The second operand: a register, or one element of it everywhere. */
static struct arm64_q second(const struct simd *s)
{
    struct arm64_q m = s->a->q[s->rm], r;

    if (!(s->row->flags & SIMD_ELEM))
        return m;
    for (unsigned i = 0; i < 16u >> s->size; i++)
        simd_set(&r, s->size, i, simd_get(&m, s->size, s->index));
    return r;
}

static void lanes(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = second(s), d = s->a->q[s->rd], r = {0, 0};

    for (unsigned i = 0; i < simd_lanes(s, s->size); i++)
        simd_set(&r, s->size, i,
                 s->row->fn(s, simd_get(&n, s->size, i), simd_get(&m, s->size, i), simd_get(&d, s->size, i)));
    s->a->q[s->rd] = r;
}

/* Scalars have one pair, in n. */
static void pairs(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], r = {0, 0};
    unsigned count = simd_lanes(s, s->size), half = count / 2;

    for (unsigned i = 0; i < count; i++) {
        const struct arm64_q *v = i < half || count == 1 ? &n : &m;
        unsigned at = i < half || count == 1 ? 2 * i : 2 * (i - half);

        simd_set(&r, s->size, i, s->row->fn(s, simd_get(v, s->size, at), simd_get(v, s->size, at + 1), 0));
    }
    s->a->q[s->rd] = r;
}

/* The upper half for a "2" instruction. */
static void widen(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = second(s), d = s->a->q[s->rd], r = {0, 0};
    unsigned wide = s->size + 1u, count = 8u >> s->size, first = s->q ? count : 0;

    s->bits = (uint8_t)(2 * s->bits);
    for (unsigned i = 0; i < count; i++) {
        simd_set(&r, wide, i,
                 s->row->fn(s, simd_get(&n, s->size, first + i), simd_get(&m, s->size, first + i),
                            simd_get(&d, wide, i)));
    }
    s->a->q[s->rd] = r;
}

/* Reduce(): at most four deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static uint64_t reduce(struct simd *s, const struct arm64_q *v, unsigned first, unsigned count)
{
    if (count == 1)
        return simd_get(v, s->size, first);
    uint64_t low = reduce(s, v, first, count / 2), high = reduce(s, v, first + count / 2, count / 2);

    return s->row->fn(s, low, high, 0);
}

static void across(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], r = {0, 0};

    simd_set(&r, s->size, 0, reduce(s, &n, 0, simd_lanes(s, s->size)));
    s->a->q[s->rd] = r;
}

void arm64_simd(struct arm64_vcpu *a, uint64_t desc)
{
    static void (*const shapes[])(struct simd *) = {
        [SIMD_LANES] = lanes, [SIMD_PAIRS] = pairs, [SIMD_LONG] = widen, [SIMD_ACROSS] = across};
    struct simd s = unpack(a, desc);

    if (s.row->shape == SIMD_WHOLE)
        s.row->whole(&s);
    else
        shapes[s.row->shape](&s);
    a->v.fp_flags |= s.env.flags;
}
