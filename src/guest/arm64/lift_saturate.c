/*
 * Lifts Advanced SIMD that saturates (DDI 0487, C7.2), and dot products. Operands of 64 bits and scalars are
 * extended by zeros first: lanes that do not count give zeros and saturate nothing.
 */
#include "guest/arm64/lift_vec.h"

typedef const struct lift_row *row_t;

/* row->aux: IR_V_SIGNED, and */
enum {
    SCALAR = 1, /* one lane */
    ROUND = 2,
    ELEMENT = 4,    /* the second operand is one element */
    TO_UNSIGNED = 8 /* signed operands, unsigned results */
};

static ir_ref constant(struct lift *l, unsigned bits, uint64_t value)
{
    return alift_vec_const(l, bits, (int64_t)value);
}

static uint64_t highest(unsigned bits)
{
    return UINT64_MAX >> (65 - bits);
}

static uint64_t lowest(unsigned bits)
{
    return UINT64_C(1) << (bits - 1);
}

/* A register's lanes of that width which the instruction works on. */
static ir_ref operand(struct lift *l, row_t row, unsigned bits, unsigned reg, bool whole)
{
    if (row->aux & SCALAR && bits < 64)
        return vec_un(l, IR_VZEXT, 0, alift_lane(l, bits, alift_get_v(l, reg), 0), 0);
    if ((row->aux & SCALAR) || !whole)
        return vec_un(l, IR_VZEXT, 0, alift_get_d(l, reg), 0);
    return alift_get_v(l, reg);
}

static ir_ref first(struct lift *l, row_t row)
{
    return operand(l, row, lane_bits(l->i.size), l->i.rn, l->i.q);
}

static ir_ref second(struct lift *l, row_t row)
{
    if (row->aux & ELEMENT)
        return vec_un(l, IR_VDUPL, lane_bits(l->i.size), alift_get_v(l, l->i.rm), l->i.index);
    return operand(l, row, lane_bits(l->i.size), l->i.rm, l->i.q);
}

static void put(struct lift *l, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), v);
}

/* FPSR.QC becomes 1 where `lanes` has a bit. */
static void saturated(struct lift *l, ir_ref lanes)
{
    ir_ref any = ir_un(l->u, IR_VANY, IRT_I64, lanes);

    ir_put(l->u, IRT_I64, SLOT(qc), alift_bin(l, IR_OR, ir_get(l->u, IRT_I64, SLOT(qc)), any));
}

/* What a signed lane saturates to in the direction of its sign. */
static ir_ref limit(struct lift *l, unsigned bits, ir_ref v)
{
    return vec_bin(l, IR_VXOR, 0, vec_un(l, IR_VSHR, bits | IR_V_SIGNED, v, bits - 1),
                   constant(l, bits, highest(bits)));
}

/* ---- sums and differences ---- */

static ir_ref signed_sum(struct lift *l, unsigned op, unsigned bits, ir_ref a, ir_ref b)
{
    ir_ref w = vec_bin(l, op, bits, a, b), changed = vec_bin(l, IR_VXOR, 0, a, w), over;

    over = vec_bin(l, IR_VXOR, 0, op == IR_VADD ? b : a, op == IR_VADD ? w : b);
    over = vec_un(l, IR_VSHR, bits | IR_V_SIGNED, vec_bin(l, IR_VAND, 0, changed, over), bits - 1);
    saturated(l, over);
    return alift_choose(l, over, limit(l, bits, a), w);
}

static ir_ref unsigned_sum(struct lift *l, unsigned op, unsigned bits, ir_ref a, ir_ref b)
{
    ir_ref w = vec_bin(l, op, bits, a, b);
    ir_ref over = op == IR_VADD ? vec_bin(l, IR_VCMPGT, bits, a, w) : vec_bin(l, IR_VCMPGT, bits, b, a);

    saturated(l, over);
    return vec_bin(l, op == IR_VADD ? IR_VOR : IR_VANDN, 0, w, over);
}

/* op: IR_VADD, IR_VSUB; narrow lanes have an operation of their own */
static ir_ref sum(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b)
{
    unsigned bits = aux & IR_V_LANE;
    ir_ref r;

    if (bits > 16)
        return (aux & IR_V_SIGNED ? signed_sum : unsigned_sum)(l, op, bits, a, b);
    r = vec_bin(l, op == IR_VADD ? IR_VQADD : IR_VQSUB, aux, a, b);
    saturated(l, vec_bin(l, IR_VXOR, 0, r, vec_bin(l, op, bits, a, b)));
    return r;
}

static void op_sum(struct lift *l, row_t row)
{
    ir_ref n = first(l, row);

    put(l, sum(l, row->arg, lane_bits(l->i.size) | (row->aux & IR_V_SIGNED), n, second(l, row)));
}

/* Of operands of other kinds: the destination's as one of the other kind, which the order keeps. */
static void op_sum_other(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size);
    ir_ref n = first(l, row), half = constant(l, bits, lowest(bits));
    ir_ref d = vec_bin(l, IR_VXOR, 0, operand(l, row, bits, l->i.rd, l->i.q), half);

    put(l, vec_bin(l, IR_VXOR, 0, sum(l, IR_VADD, bits | (row->aux & IR_V_SIGNED), d, n), half));
}

/* Of the least number; arg: IR_VABS or IR_VSUB (from zero) */
static void op_negate(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size);
    ir_ref n = first(l, row), over = vec_bin(l, IR_VCMPEQ, bits, n, constant(l, bits, lowest(bits))), r;

    r = row->arg == IR_VABS ? vec_un(l, IR_VABS, bits, n, 0)
                            : vec_bin(l, IR_VSUB, bits, constant(l, 64, 0), n);
    saturated(l, over);
    put(l, vec_bin(l, IR_VXOR, 0, r, over));
}

/* ---- narrowing ---- */

/* The least or greatest of v and a constant, signed or not. */
static ir_ref bounded(struct lift *l, unsigned op, unsigned aux, ir_ref v, uint64_t k)
{
    unsigned bits = aux & IR_V_LANE;
    ir_ref c = constant(l, bits, k), less;

    if (bits < 64)
        return vec_bin(l, op, aux, v, c);
    less = op == IR_VMIN ? vec_bin(l, IR_VCMPGT, aux, v, c) : vec_bin(l, IR_VCMPGT, aux, c, v);
    return alift_choose(l, less, c, v);
}

/* Wide lanes saturated to half their width. */
static ir_ref clamped(struct lift *l, row_t row, ir_ref v)
{
    unsigned narrow = lane_bits(l->i.size), aux = 2 * narrow | (row->aux & IR_V_SIGNED);
    ir_ref r;

    if (row->aux & TO_UNSIGNED)
        r = bounded(l, IR_VMIN, aux, bounded(l, IR_VMAX, aux, v, 0), UINT64_MAX >> (64 - narrow));
    else if (row->aux & IR_V_SIGNED)
        r = bounded(l, IR_VMIN, aux, bounded(l, IR_VMAX, aux, v, ~highest(narrow)), highest(narrow));
    else
        r = bounded(l, IR_VMIN, aux, v, UINT64_MAX >> (64 - narrow));
    saturated(l, vec_bin(l, IR_VXOR, 0, r, v));
    return r;
}

static void put_narrow(struct lift *l, row_t row, ir_ref wide)
{
    ir_ref r = vec_bin(l, IR_VUZP, lane_bits(l->i.size), clamped(l, row, wide), constant(l, 64, 0));

    put(l, l->i.q && !(row->aux & SCALAR) ? vec_bin(l, IR_VZIP, 64, alift_get_v(l, l->i.rd), r) : r);
}

static ir_ref wide_operand(struct lift *l, row_t row)
{
    return operand(l, row, 2 * lane_bits(l->i.size), l->i.rn, true);
}

static void op_narrow(struct lift *l, row_t row)
{
    put_narrow(l, row, wide_operand(l, row));
}

/* Rounded: the last bit that is dropped is added. */
static void op_narrow_shift(struct lift *l, row_t row)
{
    unsigned bits = 2 * lane_bits(l->i.size), n = l->i.amount;
    ir_ref v = wide_operand(l, row), r = vec_un(l, IR_VSHR, bits | (row->aux & IR_V_SIGNED), v, n);

    if (row->aux & ROUND)
        r = vec_bin(l, IR_VADD, bits, r,
                    vec_bin(l, IR_VAND, 0, vec_un(l, IR_VSHR, bits, v, n - 1), constant(l, bits, 1)));
    put_narrow(l, row, r);
}

/* ---- shifts to the left ---- */

static void op_shift(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), aux = bits | (row->aux & IR_V_SIGNED), n = l->i.amount;
    ir_ref v = first(l, row), w = vec_un(l, IR_VSHL, bits, v, n), fits, over;

    fits = vec_bin(l, IR_VCMPEQ, bits, vec_un(l, IR_VSHR, aux, w, n), v);
    over = vec_bin(l, IR_VXOR, 0, fits, constant(l, 64, UINT64_MAX));
    saturated(l, over);
    put(l, aux & IR_V_SIGNED ? alift_choose(l, over, limit(l, bits, v), w) : vec_bin(l, IR_VOR, 0, w, over));
}

/* Of signed lanes; negative ones become zero. */
static void op_shift_unsigned(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), n = l->i.amount;
    ir_ref v = first(l, row), w = vec_un(l, IR_VSHL, bits, v, n), lost, negative;

    lost = vec_bin(l, IR_VCMPEQ, bits, vec_un(l, IR_VSHR, bits, w, n), v);
    lost = vec_bin(l, IR_VXOR, 0, lost, constant(l, 64, UINT64_MAX));
    negative = vec_un(l, IR_VSHR, bits | IR_V_SIGNED, v, bits - 1);
    saturated(l, vec_bin(l, IR_VOR, 0, lost, negative));
    put(l, vec_bin(l, IR_VANDN, 0, vec_bin(l, IR_VOR, 0, w, lost), negative));
}

/* By each lane's count. Only what goes to the left can be too large: then it does not come back. */
static void op_shift_by(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), sign = row->aux & IR_V_SIGNED;
    ir_ref v = first(l, row), m = second(l, row), w, back, right, over;

    w = alift_shifted_by(l, l->i.size, sign, row->aux & ROUND, v, m);
    back = alift_shifted_by(l, l->i.size, sign, false, w, vec_bin(l, IR_VSUB, 8, constant(l, 64, 0), m));
    right = vec_un(l, IR_VSHR, bits | IR_V_SIGNED, vec_un(l, IR_VSHL, bits, m, bits - 8), bits - 1);
    over = vec_bin(l, IR_VOR, 0, right, vec_bin(l, IR_VCMPEQ, bits, back, v));
    over = vec_bin(l, IR_VXOR, 0, over, constant(l, 64, UINT64_MAX));
    saturated(l, over);
    put(l, sign ? alift_choose(l, over, limit(l, bits, v), w) : vec_bin(l, IR_VOR, 0, w, over));
}

/* ---- products: only that of the least numbers is too large ---- */

/* Twice the product, its high half. */
static void op_multiply_high(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), wide = 2 * bits;
    ir_ref n = first(l, row), m = second(l, row), part[2], r, over;

    for (unsigned i = 0; i < 2; i++) {
        r = vec_bin(l, IR_VMULL, bits | IR_V_SIGNED | (i ? IR_V_UPPER : 0), n, m);
        if (row->aux & ROUND)
            r = vec_bin(l, IR_VADD, wide, r, constant(l, wide, UINT64_C(1) << (bits - 2)));
        part[i] = vec_un(l, IR_VSHR, wide, r, bits - 1);
    }
    r = vec_bin(l, IR_VUZP, bits, part[0], part[1]);
    over = vec_bin(l, IR_VCMPEQ, bits, r, constant(l, bits, lowest(bits)));
    saturated(l, over);
    put(l, vec_bin(l, IR_VXOR, 0, r, over));
}

/*
 * The destination as the high half of a wide lane, twice the product added or subtracted (arg), rounded; the
 * high half of that, saturated. All at half its size: no intermediate value is too large for its lane.
 */
static void op_accumulate_high(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), wide = 2 * bits;
    ir_ref n = first(l, row), m = second(l, row), d = operand(l, row, bits, l->i.rd, l->i.q), part[2], r,
           base;

    for (unsigned i = 0; i < 2; i++) {
        unsigned upper = i ? IR_V_UPPER : 0;

        base = vec_bin(l, IR_VZIP, bits | upper, constant(l, 64, 0), d);
        base = vec_un(l, IR_VSHR, wide | IR_V_SIGNED, base, 1);
        r = vec_bin(l, row->arg, wide, base, vec_bin(l, IR_VMULL, bits | IR_V_SIGNED | upper, n, m));
        r = vec_bin(l, IR_VADD, wide, r, constant(l, wide, UINT64_C(1) << (bits - 2)));
        part[i] = clamped(l, row, vec_un(l, IR_VSHR, wide | IR_V_SIGNED, r, bits - 1));
    }
    put(l, vec_bin(l, IR_VUZP, bits, part[0], part[1]));
}

/* Twice the product; arg: what combines it with the destination, 0: nothing */
static void op_multiply_long(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size), wide = 2 * bits;
    bool scalar = row->aux & SCALAR, upper = l->i.q && !scalar;
    ir_ref n = operand(l, row, bits, l->i.rn, true), m, r, over;

    m = row->aux & ELEMENT ? second(l, row) : operand(l, row, bits, l->i.rm, true);
    r = vec_bin(l, IR_VMULL, bits | IR_V_SIGNED | (upper ? IR_V_UPPER : 0), n, m);
    r = vec_un(l, IR_VSHL, wide, r, 1);
    over = vec_bin(l, IR_VCMPEQ, wide, r, constant(l, wide, lowest(wide)));
    saturated(l, over);
    r = vec_bin(l, IR_VXOR, 0, r, over);
    if (row->arg)
        r = sum(l, row->arg, wide | IR_V_SIGNED, operand(l, row, wide, l->i.rd, true), r);
    put(l, r);
}

/* Four products of bytes each. */
static void op_dot(struct lift *l, row_t row)
{
    unsigned sign = row->aux & IR_V_SIGNED;
    ir_ref n = alift_get_v(l, l->i.rn), m = alift_get_v(l, l->i.rm), part[2], even, r;

    if (row->aux & ELEMENT)
        m = vec_un(l, IR_VDUPL, 32, m, l->i.index);
    for (unsigned i = 0; i < 2; i++) {
        r = vec_bin(l, IR_VMULL, 8 | sign | (i ? IR_V_UPPER : 0), n, m);
        even = vec_un(l, IR_VSHR, 32 | sign, vec_un(l, IR_VSHL, 32, r, 16), 16);
        part[i] = vec_bin(l, IR_VADD, 32, even, vec_un(l, IR_VSHR, 32 | sign, r, 16));
    }
    r = vec_bin(l, IR_VADD, 32, vec_bin(l, IR_VUZP, 32, part[0], part[1]),
                vec_bin(l, IR_VUZP, 32 | IR_V_UPPER, part[0], part[1]));
    alift_put_v(l, l->i.rd, vec_bin(l, IR_VADD, 32, alift_get_v(l, l->i.rd), r));
}

// clang-format off
#define S  IR_V_SIGNED
#define EL ELEMENT
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
/* Vector and scalar form; signed and unsigned. */
#define VS(id, fn, arg, aux)   ROW(id##_V, fn, arg, aux), ROW(id##_S, fn, arg, (aux) | SCALAR)
#define SU_S(id, fn, arg, aux) VS(S##id, fn, arg, (aux) | S), VS(U##id, fn, arg, aux)
#define LONG(id, arg) \
    VS(id, op_multiply_long, arg, S), ROW(id##_ELEM_V, op_multiply_long, arg, S | EL), \
    ROW(id##_ELEM_S, op_multiply_long, arg, S | EL | SCALAR)
#define HIGH(id, fn, arg, aux) \
    VS(id, fn, arg, aux), ROW(id##_ELEM_V, fn, arg, (aux) | EL), ROW(id##_ELEM_S, fn, arg, (aux) | EL | SCALAR)

const struct lift_row arm64_lift_saturate[A64_ID_COUNT] = {
    SU_S(QADD, op_sum, IR_VADD, 0), SU_S(QSUB, op_sum, IR_VSUB, 0),
    VS(SQABS, op_negate, IR_VABS, 0), VS(SQNEG, op_negate, IR_VSUB, 0),
    VS(SQXTN, op_narrow, 0, S), VS(UQXTN, op_narrow, 0, 0), VS(SQXTUN, op_narrow, 0, S | TO_UNSIGNED),
    SU_S(QSHRN, op_narrow_shift, 0, 0), SU_S(QRSHRN, op_narrow_shift, 0, ROUND),
    VS(SQSHRUN, op_narrow_shift, 0, S | TO_UNSIGNED), VS(SQRSHRUN, op_narrow_shift, 0, S | TO_UNSIGNED | ROUND),
    SU_S(QSHL_IMM, op_shift, 0, 0), VS(SQSHLU, op_shift_unsigned, 0, 0),
    SU_S(QSHL, op_shift_by, 0, 0), SU_S(QRSHL, op_shift_by, 0, ROUND),
    VS(SUQADD, op_sum_other, 0, 0), VS(USQADD, op_sum_other, 0, S),
    HIGH(SQDMULH, op_multiply_high, 0, 0), HIGH(SQRDMULH, op_multiply_high, 0, ROUND),
    HIGH(SQRDMLAH, op_accumulate_high, IR_VADD, S), HIGH(SQRDMLSH, op_accumulate_high, IR_VSUB, S),
    LONG(SQDMULL, 0), LONG(SQDMLAL, IR_VADD), LONG(SQDMLSL, IR_VSUB),
    ROW(SDOT_V, op_dot, 0, S), ROW(UDOT_V, op_dot, 0, 0), ROW(SDOT_ELEM_V, op_dot, 0, S | EL),
    ROW(UDOT_ELEM_V, op_dot, 0, EL),
};
