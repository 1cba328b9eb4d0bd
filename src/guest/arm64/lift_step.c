/*
 * Lifts floating point that is several operations of IR (DDI 0487, C7.2): steps of Newton's method, products
 * where infinity times zero is a number, fixed point, integral numbers of a range. Where denormal operands
 * are flushed, products and steps go by helper.
 */
#include "guest/arm64/fp.h"
#include "guest/arm64/lift_vec.h"

typedef const struct lift_row *row_t;

/* row->aux */
enum { ONE_LANE = 1, ELEMENT = 2 };

static unsigned bits_of(const struct lift *l)
{
    return lane_bits(l->i.size);
}

/* The exponent's lowest bit in the format, and its bias. */
static unsigned fraction_of(const struct lift *l)
{
    static const uint8_t fraction[] = {0, 10, 23, 52};

    return fraction[l->i.size];
}

static uint64_t bias_of(const struct lift *l)
{
    return (UINT64_C(1) << (bits_of(l) - fraction_of(l) - 2)) - 1;
}

/* 2 to the power, as bits. */
static uint64_t power_of_two(const struct lift *l, int power)
{
    return (bias_of(l) + (uint64_t)(int64_t)power) << fraction_of(l);
}

static uint64_t infinity(const struct lift *l)
{
    return power_of_two(l, (int)bias_of(l) + 1);
}

static ir_ref each(struct lift *l, uint64_t value)
{
    return alift_vec_const(l, bits_of(l), (int64_t)value);
}

static ir_ref and (struct lift * l, ir_ref a, ir_ref b)
{
    return vec_bin(l, IR_VAND, 0, a, b);
}

static ir_ref without(struct lift *l, ir_ref a, ir_ref mask)
{
    return vec_bin(l, IR_VANDN, 0, a, mask);
}

static ir_ref equal(struct lift *l, ir_ref a, ir_ref b)
{
    return vec_bin(l, IR_VCMPEQ, bits_of(l), a, b);
}

/* Of magnitudes, as integers. */
static ir_ref greater(struct lift *l, ir_ref a, ir_ref b)
{
    return vec_bin(l, IR_VCMPGT, bits_of(l) | IR_V_SIGNED, a, b);
}

static ir_ref magnitude(struct lift *l, ir_ref v)
{
    return without(l, v, each(l, UINT64_C(1) << (bits_of(l) - 1)));
}

static unsigned count_of(const struct lift *l, row_t row)
{
    return row->aux & ONE_LANE ? 0 : (l->i.q ? 4u : 3u) - l->i.size;
}

static ir_ref lanes(struct lift *l, row_t row, unsigned op, unsigned kind, unsigned round, ir_ref a, ir_ref b,
                    ir_ref c)
{
    return alift_lanes(l, op, count_of(l, row), kind, round, a, b, c);
}

static void put(struct lift *l, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), v);
}

static bool flushes(const struct lift *l)
{
    return l->mode & (l->i.size == 1 ? ARM64_MODE_FZ16 : ARM64_MODE_FZ);
}

/* ---- products and steps ---- */

struct factors {
    ir_ref n, m;
    ir_ref n_size, m_size; /* magnitudes */
    ir_ref special;        /* lanes of infinity times zero */
};

static struct factors factors(struct lift *l, row_t row)
{
    struct factors f = {.n = alift_get_v(l, l->i.rn), .m = alift_get_v(l, l->i.rm)};
    ir_ref inf = each(l, infinity(l)), zero = alift_vec_const(l, 64, 0);

    if (row->aux & ELEMENT)
        f.m = vec_un(l, IR_VDUPL, bits_of(l), f.m, l->i.index);
    f.n_size = magnitude(l, f.n);
    f.m_size = magnitude(l, f.m);
    f.special = vec_bin(l, IR_VOR, 0, and(l, equal(l, f.n_size, inf), equal(l, f.m_size, zero)),
                        and(l, equal(l, f.n_size, zero), equal(l, f.m_size, inf)));
    return f;
}

/* Infinity times zero is 2, as a product of 2 and 1 with their signs. */
static void op_mulx(struct lift *l, row_t row)
{
    struct factors f;
    ir_ref mask;

    if (flushes(l)) {
        alift_simd(l);
        return;
    }
    f = factors(l, row);
    mask = vec_un(l, IR_VSHR, bits_of(l), f.special, 1); /* all but the sign */
    f.n = vec_bin(l, IR_VOR, 0, without(l, f.n, mask), and(l, mask, each(l, power_of_two(l, 1))));
    f.m = vec_bin(l, IR_VOR, 0, without(l, f.m, mask), and(l, mask, each(l, power_of_two(l, 0))));
    put(l, lanes(l, row, IR_VFMUL, 0, A64_ROUND_FPCR, f.n, f.m, IR_REF_NONE));
}

/* The larger factor halved, unless both are tiny: nothing overflows that the half of the sum does not. */
static void halve(struct lift *l, struct factors *f)
{
    ir_ref first = vec_bin(l, IR_VCMPGE, bits_of(l) | IR_V_SIGNED, f->n_size, f->m_size);
    ir_ref size = alift_choose(l, first, f->n_size, f->m_size), unit;

    unit = and(l, greater(l, each(l, infinity(l)), size),
               greater(l, size, each(l, (UINT64_C(2) << fraction_of(l)) - 1)));
    unit = and(l, unit, each(l, UINT64_C(1) << fraction_of(l)));
    f->n = vec_bin(l, IR_VSUB, bits_of(l), f->n, and(l, unit, first));
    f->m = vec_bin(l, IR_VSUB, bits_of(l), f->m, without(l, unit, first));
}

/* 2 - n * m, arg 1: half of 3 - n * m; infinity times zero counts as zero. */
static void op_step(struct lift *l, row_t row)
{
    uint64_t addend =
        row->arg ? power_of_two(l, 0) | UINT64_C(1) << (fraction_of(l) - 1) : power_of_two(l, 1);
    struct factors f;

    if (flushes(l)) {
        alift_simd(l);
        return;
    }
    f = factors(l, row);
    if (row->arg)
        halve(l, &f);
    f.n = without(l, f.n, f.special);
    f.m = without(l, f.m, f.special);
    put(l, lanes(l, row, IR_VFMADD, 1, A64_ROUND_FPCR, f.n, f.m, each(l, addend)));
}

/* ---- fixed point ---- */

/*
 * arg: unsigned. A product by a power of two is exact where the number is below 2^64; from there on nothing
 * fits, scaled or not.
 */
static void op_to_fixed(struct lift *l, row_t row)
{
    uint64_t one = power_of_two(l, 0), scale = power_of_two(l, l->i.amount);
    ir_ref n, by;

    if (l->i.size == 1) {
        alift_simd(l);
        return;
    }
    n = alift_get_v(l, l->i.rn);
    by = greater(l, each(l, power_of_two(l, 64)), magnitude(l, n));
    by = vec_bin(l, IR_VXOR, 0, each(l, one), and(l, by, each(l, one ^ scale)));
    n = lanes(l, row, IR_VFMUL, 0, A64_ROUND_EVEN, n, by, IR_REF_NONE);
    put(l, lanes(l, row, IR_VFTOI, row->arg, A64_ROUND_ZERO, n, IR_REF_NONE, IR_REF_NONE));
}

/* ---- integral numbers that fit integers of arg bits (FPRoundIntN) ---- */

/* The second rounding is for the flags: of what does not fit, of a NaN that signals. aux: ONE_LANE, enum
 * a64_round from bit 8 */
static void op_rint_range(struct lift *l, row_t row)
{
    uint64_t limit = power_of_two(l, row->arg - 1), sign = UINT64_C(1) << (bits_of(l) - 1);
    unsigned round = row->aux >> 8;
    ir_ref n = alift_get_v(l, l->i.rn), r, fits;

    r = lanes(l, row, IR_VFRINT, 0, round, n, IR_REF_NONE, IR_REF_NONE);
    fits = vec_bin(l, IR_VOR, 0, greater(l, each(l, limit), magnitude(l, r)),
                   equal(l, r, each(l, limit | sign)));
    r = lanes(l, row, IR_VFRINT, 1, round, alift_choose(l, fits, n, each(l, infinity(l) | 1)), IR_REF_NONE,
              IR_REF_NONE);
    r = alift_choose(l, fits, r, each(l, limit | sign));
    /* Lanes above are the result's, not zeros. */
    if (row->aux & ONE_LANE)
        alift_put_scalar(l, l->i.rd, alift_lane(l, bits_of(l), r, 0));
    else
        alift_put_v(l, l->i.rd, r);
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
/* Of singles and doubles, of halves; vectors and scalars. */
#define ALL(id, fn, arg, aux) \
    ROW(id##_V, fn, arg, aux), ROW(id##_VH, fn, arg, aux), \
    ROW(id##_S, fn, arg, (aux) | ONE_LANE), ROW(id##_SH, fn, arg, (aux) | ONE_LANE)
#define FIXED(id, arg)        ROW(id##_FIX_V, op_to_fixed, arg, 0), ROW(id##_FIX_S, op_to_fixed, arg, ONE_LANE)
#define RANGE(id, arg, round) \
    ROW(id##_V, op_rint_range, arg, (round) << 8), ROW(id, op_rint_range, arg, (round) << 8 | ONE_LANE)

const struct lift_row arm64_lift_step[A64_ID_COUNT] = {
    ALL(FMULX, op_mulx, 0, 0), ALL(FMULX_ELEM, op_mulx, 0, ELEMENT),
    ALL(FRECPS, op_step, 0, 0), ALL(FRSQRTS, op_step, 1, 0),
    FIXED(FCVTZS, 0), FIXED(FCVTZU, 1),
    RANGE(FRINT32Z, 32, A64_ROUND_ZERO), RANGE(FRINT32X, 32, A64_ROUND_FPCR),
    RANGE(FRINT64Z, 64, A64_ROUND_ZERO), RANGE(FRINT64X, 64, A64_ROUND_FPCR),
};
