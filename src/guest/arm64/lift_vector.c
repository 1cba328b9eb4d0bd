/* Lifts Advanced SIMD that computes on integers (DDI 0487, C7.2): lanes, wide and narrow forms, shifts. */
#include "guest/arm64/lift_vec.h"

typedef const struct lift_row *row_t;

/* Operations on lanes beyond those of IR, by the same number space. */
enum kind {
    K_MLA = IR_OPS, /* d + n * m */
    K_MLS,
    K_ABD,   /* the difference's magnitude */
    K_ABA,   /* the same added to d */
    K_TST,   /* any bit in common */
    K_HADD,  /* half the sum */
    K_RHADD, /* rounded */
    K_HSUB
};

/* row->aux: IR_V_SIGNED, IR_V_UPPER for IR, and */
enum {
    SWAP = 1,   /* operands the other way round */
    SCALAR = 2, /* one lane of 64 bits */
    ROUND = 4,
    ADD_TO = 8 /* the result is added to d */
};

static ir_ref zero(struct lift *l)
{
    return alift_vec_const(l, 64, 0);
}

/* A scalar form, which is of 64 bits, is a vector of one lane. */
static void as_vector(struct lift *l, row_t row)
{
    if (row->aux & SCALAR)
        l->i.q = 0;
}

/* ---- lane by lane ---- */

static ir_ref difference(struct lift *l, unsigned aux, ir_ref n, ir_ref m)
{
    return vec_bin(l, IR_VSUB, aux & IR_V_LANE, vec_bin(l, IR_VMAX, aux, n, m),
                   vec_bin(l, IR_VMIN, aux, n, m));
}

/* Half of a sum or difference without its carry: what differs counts half. */
static ir_ref half(struct lift *l, unsigned kind, unsigned aux, ir_ref n, ir_ref m)
{
    ir_ref differs = vec_un(l, IR_VSHR, aux, vec_bin(l, IR_VXOR, 0, n, m), 1), rest;

    rest = kind == K_HADD    ? vec_bin(l, IR_VAND, 0, n, m)
           : kind == K_RHADD ? vec_bin(l, IR_VOR, 0, n, m)
                             : vec_bin(l, IR_VANDN, 0, m, n);
    aux &= IR_V_LANE;
    return kind == K_HADD    ? vec_bin(l, IR_VADD, aux, rest, differs)
           : kind == K_RHADD ? vec_bin(l, IR_VSUB, aux, rest, differs)
                             : vec_bin(l, IR_VSUB, aux, differs, rest);
}

/* aux: lane width, IR_V_SIGNED */
static ir_ref compute(struct lift *l, unsigned kind, unsigned aux, ir_ref n, ir_ref m, ir_ref d)
{
    unsigned lane = aux & IR_V_LANE;

    switch (kind) {
    case K_MLA:
        return vec_bin(l, IR_VADD, lane, d, vec_bin(l, IR_VMUL, lane, n, m));
    case K_MLS:
        return vec_bin(l, IR_VSUB, lane, d, vec_bin(l, IR_VMUL, lane, n, m));
    case K_ABD:
        return difference(l, aux, n, m);
    case K_ABA:
        return vec_bin(l, IR_VADD, lane, d, difference(l, aux, n, m));
    case K_TST:
        return vec_bin(l, IR_VXOR, 0, alift_vec_const(l, 64, -1),
                       vec_bin(l, IR_VCMPEQ, lane, vec_bin(l, IR_VAND, 0, n, m), zero(l)));
    case K_HADD:
    case K_RHADD:
    case K_HSUB:
        return half(l, kind, aux, n, m);
    default:
        return vec_bin(l, kind, aux, n, m);
    }
}

static unsigned aux_of(const struct lift *l, row_t row)
{
    return lane_bits(l->i.size) | (row->aux & IR_V_SIGNED);
}

/* arg: the operation */
static void op_lanes(struct lift *l, row_t row)
{
    ir_ref n, m, d;

    as_vector(l, row);
    n = alift_get_v(l, l->i.rn);
    m = alift_get_v(l, l->i.rm);
    d = alift_get_v(l, l->i.rd);
    alift_put_v(l, l->i.rd, compute(l, row->arg, aux_of(l, row), n, m, d));
}

/* The second operand is one element. */
static void op_element(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), d = alift_get_v(l, l->i.rd);
    ir_ref m = vec_un(l, IR_VDUPL, lane_bits(l->i.size), alift_get_v(l, l->i.rm), l->i.index);

    alift_put_v(l, l->i.rd, compute(l, row->arg, aux_of(l, row), n, m, d));
}

/* The other operand is zero. */
static void op_zero(struct lift *l, row_t row)
{
    ir_ref n, z;

    as_vector(l, row);
    n = alift_get_v(l, l->i.rn);
    z = zero(l);
    alift_put_v(l, l->i.rd,
                vec_bin(l, row->arg, aux_of(l, row), row->aux & SWAP ? z : n, row->aux & SWAP ? n : z));
}

static void op_unary(struct lift *l, row_t row)
{
    as_vector(l, row);
    alift_put_v(l, l->i.rd, vec_un(l, row->arg, lane_bits(l->i.size), alift_get_v(l, l->i.rn), 0));
}

/* Of the upper half, and where that is all zeros of the lower one, too. At most three deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static ir_ref leading_zeros(struct lift *l, unsigned size, ir_ref n)
{
    ir_ref x, high, low;
    unsigned bits = lane_bits(size);

    if (!size)
        return vec_un(l, IR_VCLZ, 8, n, 0);
    x = leading_zeros(l, size - 1, n);
    high = vec_un(l, IR_VSHR, bits, x, bits / 2);
    low = vec_bin(l, IR_VAND, 0, x, alift_vec_const(l, bits, size == 1 ? 0xff : 0xffff));
    low = vec_bin(l, IR_VAND, 0, low, vec_bin(l, IR_VCMPEQ, bits, high, alift_vec_const(l, bits, bits / 2)));
    return vec_bin(l, IR_VADD, bits, high, low);
}

static void op_clz(struct lift *l, row_t row)
{
    (void)row;
    alift_put_v(l, l->i.rd, leading_zeros(l, l->i.size, alift_get_v(l, l->i.rn)));
}

/* Bits below the sign that are like it: those of what differs from its neighbour, which has one zero more. */
static void op_cls(struct lift *l, row_t row)
{
    unsigned bits = lane_bits(l->i.size);
    ir_ref n = alift_get_v(l, l->i.rn),
           x = vec_bin(l, IR_VXOR, 0, n, vec_un(l, IR_VSHR, bits | IR_V_SIGNED, n, 1));

    (void)row;
    alift_put_v(l, l->i.rd,
                vec_bin(l, IR_VADD, bits, leading_zeros(l, l->i.size, x), alift_vec_const(l, bits, -1)));
}

/* ---- neighbours ---- */

/* Of m:n, as registers of the width that q says. */
static void op_pairs(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m = alift_get_v(l, l->i.rm), even, odd;
    unsigned aux = aux_of(l, row), lane = aux & IR_V_LANE;

    if (!l->i.q)
        n = m = vec_bin(l, IR_VZIP, 64, n, m);
    even = vec_bin(l, IR_VUZP, lane, n, m);
    odd = vec_bin(l, IR_VUZP, lane | IR_V_UPPER, n, m);
    alift_put_v(l, l->i.rd, vec_bin(l, row->arg, aux, even, odd));
}

/* ADDP (scalar): of 64 bits */
static void op_pair(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn);

    l->i.q = 0;
    alift_put_v(l, l->i.rd, vec_bin(l, row->arg, 64, n, vec_un(l, IR_VDUPL, 64, n, 1)));
}

/* Sums of neighbours at double width. */
static ir_ref pair_sums(struct lift *l, row_t row, ir_ref n)
{
    unsigned narrow = lane_bits(l->i.size), wide = 2 * narrow | (row->aux & IR_V_SIGNED);
    ir_ref even = vec_un(l, IR_VSHR, wide, vec_un(l, IR_VSHL, 2 * narrow, n, narrow), narrow);

    return vec_bin(l, IR_VADD, 2 * narrow, even, vec_un(l, IR_VSHR, wide, n, narrow));
}

static void op_pairs_long(struct lift *l, row_t row)
{
    ir_ref r = pair_sums(l, row, alift_get_v(l, l->i.rn));

    if (row->aux & ADD_TO)
        r = vec_bin(l, IR_VADD, 2 * lane_bits(l->i.size), alift_get_v(l, l->i.rd), r);
    alift_put_v(l, l->i.rd, r);
}

/* ---- across all lanes ---- */

/* Lane 0 becomes op of the lanes of the first `bytes`. */
static ir_ref reduced(struct lift *l, unsigned op, unsigned aux, ir_ref v, unsigned bytes)
{
    while ((bytes /= 2) >= (aux & IR_V_LANE) / 8)
        v = vec_bin(l, op, aux, v, alift_vec(l, IR_VEXT, 8, v, v, bytes));
    return v;
}

static void put_lane(struct lift *l, unsigned bits, ir_ref v)
{
    alift_put_scalar(l, l->i.rd, alift_lane(l, bits, v, 0));
}

static void op_across(struct lift *l, row_t row)
{
    ir_ref v = reduced(l, row->arg, aux_of(l, row), alift_get_v(l, l->i.rn), l->i.q ? 16 : 8);

    put_lane(l, lane_bits(l->i.size), v);
}

/* Sum of unsigned bytes, in lane 0 of 64 bits. */
static ir_ref byte_sum(struct lift *l, ir_ref v)
{
    v = vec_un(l, IR_VSUMB, 8, v, 0);
    return l->i.q ? vec_bin(l, IR_VADD, 64, v, vec_un(l, IR_VDUPL, 64, v, 1)) : v;
}

static void op_addv(struct lift *l, row_t row)
{
    if (l->i.size)
        op_across(l, row);
    else
        put_lane(l, 8, byte_sum(l, alift_get_v(l, l->i.rn)));
}

static void op_addlv(struct lift *l, row_t row)
{
    ir_ref v = alift_get_v(l, l->i.rn);
    unsigned wide = 2 * lane_bits(l->i.size);

    if (!l->i.size && !(row->aux & IR_V_SIGNED))
        v = byte_sum(l, v);
    else
        v = reduced(l, IR_VADD, wide, pair_sums(l, row, v), l->i.q ? 16 : 8);
    put_lane(l, wide, v);
}

/* ---- wide and narrow ---- */

static ir_ref widened(struct lift *l, row_t row, ir_ref v)
{
    return vec_un(l, IR_VWIDEN, aux_of(l, row) | (l->i.q ? IR_V_UPPER : 0), v, 0);
}

static void put_whole(struct lift *l, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), v);
}

static unsigned wide_aux(const struct lift *l, row_t row)
{
    return 2 * lane_bits(l->i.size) | (row->aux & IR_V_SIGNED);
}

static void op_long(struct lift *l, row_t row)
{
    ir_ref n = widened(l, row, alift_get_v(l, l->i.rn)), m = widened(l, row, alift_get_v(l, l->i.rm));

    put_whole(l, compute(l, row->arg, wide_aux(l, row), n, m, alift_get_v(l, l->i.rd)));
}

static void op_wide(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m = widened(l, row, alift_get_v(l, l->i.rm));

    put_whole(l, vec_bin(l, row->arg, wide_aux(l, row) & IR_V_LANE, n, m));
}

/* arg: 0, or what combines the product with d */
static void multiply_long(struct lift *l, row_t row, ir_ref m)
{
    ir_ref r = vec_bin(l, IR_VMULL, aux_of(l, row) | (l->i.q ? IR_V_UPPER : 0), alift_get_v(l, l->i.rn), m);

    if (row->arg)
        r = vec_bin(l, row->arg, 2 * lane_bits(l->i.size), alift_get_v(l, l->i.rd), r);
    put_whole(l, r);
}

static void op_mull(struct lift *l, row_t row)
{
    multiply_long(l, row, alift_get_v(l, l->i.rm));
}

static void op_mull_element(struct lift *l, row_t row)
{
    multiply_long(l, row, vec_un(l, IR_VDUPL, lane_bits(l->i.size), alift_get_v(l, l->i.rm), l->i.index));
}

static void op_pmull(struct lift *l, row_t row)
{
    (void)row;
    put_whole(l, vec_bin(l, IR_VCLMULL, 64 | (l->i.q ? IR_V_UPPER : 0), alift_get_v(l, l->i.rn),
                         alift_get_v(l, l->i.rm)));
}

/* Low or, UPPER, high halves of wide lanes; the lower half of the register stays where q says the upper one.
 */
static void put_narrow(struct lift *l, unsigned upper, ir_ref wide)
{
    ir_ref r = vec_bin(l, IR_VUZP, lane_bits(l->i.size) | upper, wide, zero(l));

    put_whole(l, l->i.q ? vec_bin(l, IR_VZIP, 64, alift_get_v(l, l->i.rd), r) : r);
}

/* Half of what the shift drops. */
static ir_ref rounded(struct lift *l, unsigned bits, unsigned n, ir_ref v)
{
    return vec_bin(l, IR_VADD, bits, v, alift_vec_const(l, bits, (int64_t)1 << (n - 1)));
}

static void op_narrow(struct lift *l, row_t row)
{
    (void)row;
    put_narrow(l, 0, alift_get_v(l, l->i.rn));
}

static void op_narrow_high(struct lift *l, row_t row)
{
    unsigned narrow = lane_bits(l->i.size);
    ir_ref v = vec_bin(l, row->arg, 2 * narrow, alift_get_v(l, l->i.rn), alift_get_v(l, l->i.rm));

    put_narrow(l, IR_V_UPPER, row->aux & ROUND ? rounded(l, 2 * narrow, narrow, v) : v);
}

static void op_narrow_shift(struct lift *l, row_t row)
{
    unsigned narrow = lane_bits(l->i.size), n = l->i.amount;
    ir_ref v = alift_get_v(l, l->i.rn);

    if (row->aux & ROUND)
        v = rounded(l, 2 * narrow, n, v);
    if (n == narrow)
        put_narrow(l, IR_V_UPPER, v);
    else
        put_narrow(l, 0, vec_un(l, IR_VSHR, 2 * narrow, v, n));
}

/* ---- shifts ---- */

static void op_shl(struct lift *l, row_t row)
{
    as_vector(l, row);
    alift_put_v(l, l->i.rd, vec_un(l, IR_VSHL, lane_bits(l->i.size), alift_get_v(l, l->i.rn), l->i.amount));
}

/* Rounded: the last bit that is dropped is added. */
static void op_shr(struct lift *l, row_t row)
{
    unsigned aux = aux_of(l, row), lane = aux & IR_V_LANE;
    ir_ref n, r;

    as_vector(l, row);
    n = alift_get_v(l, l->i.rn);
    r = vec_un(l, IR_VSHR, aux, n, l->i.amount);
    if (row->aux & ROUND)
        r = vec_bin(l, IR_VADD, lane, r,
                    vec_bin(l, IR_VAND, 0, vec_un(l, IR_VSHR, lane, n, l->i.amount - 1),
                            alift_vec_const(l, lane, 1)));
    if (row->aux & ADD_TO)
        r = vec_bin(l, IR_VADD, lane, alift_get_v(l, l->i.rd), r);
    alift_put_v(l, l->i.rd, r);
}

/* arg: the shift; the bits that it leaves free stay. */
static void op_shift_insert(struct lift *l, row_t row)
{
    unsigned bits, n = l->i.amount;
    uint64_t all, moved;
    ir_ref r, d;

    as_vector(l, row);
    bits = lane_bits(l->i.size);
    all = UINT64_MAX >> (64 - bits);
    moved = n >= bits ? 0 : row->arg == IR_VSHL ? all << n & all : all >> n;
    r = vec_un(l, row->arg, bits, alift_get_v(l, l->i.rn), n);
    d = vec_bin(l, IR_VAND, 0, alift_get_v(l, l->i.rd), alift_vec_const(l, bits, (int64_t)(all & ~moved)));
    alift_put_v(l, l->i.rd, vec_bin(l, IR_VOR, 0, r, d));
}

static void op_shll(struct lift *l, row_t row)
{
    ir_ref v = widened(l, row, alift_get_v(l, l->i.rn));

    put_whole(l, l->i.amount ? vec_un(l, IR_VSHL, 2 * lane_bits(l->i.size), v, l->i.amount) : v);
}

/* By each lane's count, which is its low byte. Narrow lanes are shifted as words: two steps. */
// NOLINTNEXTLINE(misc-no-recursion)
static ir_ref shifted_by(struct lift *l, unsigned size, unsigned sign, ir_ref n, ir_ref m)
{
    unsigned bits = lane_bits(size);
    ir_ref part[2];

    if (size >= 2)
        return vec_bin(l, IR_VSHLV, bits | sign, n, m);
    for (unsigned i = 0; i < 2; i++) {
        unsigned upper = i ? IR_V_UPPER : 0;

        part[i] = shifted_by(l, size + 1, sign, vec_un(l, IR_VWIDEN, bits | sign | upper, n, 0),
                             vec_un(l, IR_VWIDEN, bits | upper, m, 0));
    }
    return vec_bin(l, IR_VUZP, bits, part[0], part[1]);
}

/* The highest bit that shifts to the right drop: bit 0 of a shift by one less. */
static ir_ref last_dropped(struct lift *l, unsigned size, unsigned sign, ir_ref n, ir_ref m)
{
    unsigned bits = lane_bits(size);
    ir_ref less = vec_bin(l, IR_VADD, bits, m, alift_vec_const(l, bits, 1));
    ir_ref right = vec_un(l, IR_VSHL, bits, m, bits - 8), one = alift_vec_const(l, bits, 1);

    right = vec_bin(l, IR_VAND, 0, vec_un(l, IR_VSHR, bits, right, bits - 1), one);
    return vec_bin(l, IR_VAND, 0, shifted_by(l, size, sign, n, less), right);
}

ir_ref alift_shifted_by(struct lift *l, unsigned size, unsigned sign, bool round, ir_ref n, ir_ref m)
{
    ir_ref r = shifted_by(l, size, sign, n, m);

    return round ? vec_bin(l, IR_VADD, lane_bits(size), r, last_dropped(l, size, sign, n, m)) : r;
}

static void op_shift_by(struct lift *l, row_t row)
{
    ir_ref n, m;

    as_vector(l, row);
    n = alift_get_v(l, l->i.rn);
    m = alift_get_v(l, l->i.rm);
    alift_put_v(l, l->i.rd, alift_shifted_by(l, l->i.size, row->aux & IR_V_SIGNED, row->aux & ROUND, n, m));
}

/* ---- bits of whole registers ---- */

static void op_logic(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m;

    if (row->arg == IR_VOR && l->i.rn == l->i.rm) { /* MOV */
        alift_put_v(l, l->i.rd, n);
        return;
    }
    m = alift_get_v(l, l->i.rm);
    alift_put_v(l, l->i.rd, vec_bin(l, row->arg, 0, n, m));
}

static void op_orn(struct lift *l, row_t row)
{
    ir_ref m = vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rm), alift_vec_const(l, 64, -1));

    (void)row;
    alift_put_v(l, l->i.rd, vec_bin(l, IR_VOR, 0, alift_get_v(l, l->i.rn), m));
}

static void op_not(struct lift *l, row_t row)
{
    (void)row;
    alift_put_v(l, l->i.rd, vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rn), alift_vec_const(l, 64, -1)));
}

ir_ref alift_choose(struct lift *l, ir_ref mask, ir_ref x, ir_ref y)
{
    return vec_bin(l, IR_VXOR, 0, y, vec_bin(l, IR_VAND, 0, vec_bin(l, IR_VXOR, 0, x, y), mask));
}

/* Bits of x where the mask has ones, else of y. */
enum { SELECT_BSL, SELECT_BIT, SELECT_BIF };

static void op_select(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m = alift_get_v(l, l->i.rm), d = alift_get_v(l, l->i.rd);
    ir_ref mask = row->arg == SELECT_BSL ? d : m, x = row->arg == SELECT_BIF ? d : n, y;

    y = row->arg == SELECT_BSL ? m : row->arg == SELECT_BIT ? d : n;
    alift_put_v(l, l->i.rd, alift_choose(l, mask, x, y));
}

// clang-format off
#define S IR_V_SIGNED
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
/* Vector and scalar form; signed and unsigned. */
#define VS(id, fn, arg, aux)  ROW(id##_V, fn, arg, aux), ROW(id##_S, fn, arg, (aux) | SCALAR)
#define SU(id, fn, arg, aux)  ROW(S##id##_V, fn, arg, (aux) | S), ROW(U##id##_V, fn, arg, aux)
#define SU_S(id, fn, aux)     VS(S##id, fn, 0, (aux) | S), VS(U##id, fn, 0, aux)

const struct lift_row arm64_lift_vector[A64_ID_COUNT] = {
    VS(ADD, op_lanes, IR_VADD, 0), VS(SUB, op_lanes, IR_VSUB, 0), VS(CMEQ, op_lanes, IR_VCMPEQ, 0),
    VS(CMGT, op_lanes, IR_VCMPGT, S), VS(CMGE, op_lanes, IR_VCMPGE, S), VS(CMHI, op_lanes, IR_VCMPGT, 0),
    VS(CMHS, op_lanes, IR_VCMPGE, 0), VS(CMTST, op_lanes, K_TST, 0),
    ROW(MUL_V, op_lanes, IR_VMUL, 0), ROW(MLA_V, op_lanes, K_MLA, 0), ROW(MLS_V, op_lanes, K_MLS, 0),
    SU(MAX, op_lanes, IR_VMAX, 0), SU(MIN, op_lanes, IR_VMIN, 0), SU(ABD, op_lanes, K_ABD, 0),
    SU(ABA, op_lanes, K_ABA, 0), SU(HADD, op_lanes, K_HADD, 0), SU(RHADD, op_lanes, K_RHADD, 0),
    SU(HSUB, op_lanes, K_HSUB, 0),
    ROW(MUL_ELEM_V, op_element, IR_VMUL, 0), ROW(MLA_ELEM_V, op_element, K_MLA, 0),
    ROW(MLS_ELEM_V, op_element, K_MLS, 0),
    VS(CMGT_ZERO, op_zero, IR_VCMPGT, S), VS(CMGE_ZERO, op_zero, IR_VCMPGE, S), VS(CMEQ_ZERO, op_zero, IR_VCMPEQ, 0),
    VS(CMLE_ZERO, op_zero, IR_VCMPGE, S | SWAP), VS(CMLT_ZERO, op_zero, IR_VCMPGT, S | SWAP),
    VS(NEG, op_zero, IR_VSUB, SWAP), VS(ABS, op_unary, IR_VABS, 0),
    ROW(CNT_V, op_unary, IR_VCNT, 0), ROW(RBIT_V, op_unary, IR_VRBIT, 0), ROW(CLZ_V, op_clz, 0, 0),
    ROW(CLS_V, op_cls, 0, 0),

    ROW(ADDP_V, op_pairs, IR_VADD, 0), SU(MAXP, op_pairs, IR_VMAX, 0), SU(MINP, op_pairs, IR_VMIN, 0),
    ROW(ADDP_S, op_pair, IR_VADD, 0), SU(ADDLP, op_pairs_long, 0, 0), SU(ADALP, op_pairs_long, 0, ADD_TO),
    ROW(ADDV, op_addv, IR_VADD, 0), ROW(SADDLV, op_addlv, 0, S), ROW(UADDLV, op_addlv, 0, 0),
    ROW(SMAXV, op_across, IR_VMAX, S), ROW(UMAXV, op_across, IR_VMAX, 0),
    ROW(SMINV, op_across, IR_VMIN, S), ROW(UMINV, op_across, IR_VMIN, 0),

    SU(ADDL, op_long, IR_VADD, 0), SU(SUBL, op_long, IR_VSUB, 0), SU(ABDL, op_long, K_ABD, 0),
    SU(ABAL, op_long, K_ABA, 0), SU(ADDW, op_wide, IR_VADD, 0), SU(SUBW, op_wide, IR_VSUB, 0),
    SU(MULL, op_mull, 0, 0), SU(MLAL, op_mull, IR_VADD, 0), SU(MLSL, op_mull, IR_VSUB, 0),
    ROW(SMULL_ELEM_V, op_mull_element, 0, S), ROW(UMULL_ELEM_V, op_mull_element, 0, 0),
    ROW(SMLAL_ELEM_V, op_mull_element, IR_VADD, S), ROW(UMLAL_ELEM_V, op_mull_element, IR_VADD, 0),
    ROW(SMLSL_ELEM_V, op_mull_element, IR_VSUB, S), ROW(UMLSL_ELEM_V, op_mull_element, IR_VSUB, 0),
    ROW(PMULL_VQ, op_pmull, 0, 0),
    ROW(XTN_V, op_narrow, 0, 0), ROW(ADDHN_V, op_narrow_high, IR_VADD, 0), ROW(SUBHN_V, op_narrow_high, IR_VSUB, 0),
    ROW(RADDHN_V, op_narrow_high, IR_VADD, ROUND), ROW(RSUBHN_V, op_narrow_high, IR_VSUB, ROUND),
    ROW(SHRN_V, op_narrow_shift, 0, 0), ROW(RSHRN_V, op_narrow_shift, 0, ROUND),

    VS(SHL, op_shl, 0, 0), VS(SLI, op_shift_insert, IR_VSHL, 0), VS(SRI, op_shift_insert, IR_VSHR, 0),
    SU_S(SHR, op_shr, 0), SU_S(SRA, op_shr, ADD_TO), SU_S(RSHR, op_shr, ROUND), SU_S(RSRA, op_shr, ROUND | ADD_TO),
    SU(SHLL, op_shll, 0, 0), ROW(SHLL_V, op_shll, 0, 0), SU_S(SHL, op_shift_by, 0),
    SU_S(RSHL, op_shift_by, ROUND),

    ROW(AND_V, op_logic, IR_VAND, 0), ROW(ORR_V, op_logic, IR_VOR, 0), ROW(EOR_V, op_logic, IR_VXOR, 0),
    ROW(BIC_V, op_logic, IR_VANDN, 0), ROW(ORN_V, op_orn, 0, 0), ROW(NOT_V, op_not, 0, 0),
    ROW(BSL_V, op_select, SELECT_BSL, 0), ROW(BIT_V, op_select, SELECT_BIT, 0), ROW(BIF_V, op_select, SELECT_BIF, 0),
};
