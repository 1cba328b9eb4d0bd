/* Lifts Advanced SIMD on floating point (DDI 0487, C7.2); its steps are in lift_step.c, estimates go by
 * helper. */
#include "guest/arm64/fp.h"
#include "guest/arm64/lift_vec.h"

typedef const struct lift_row *row_t;

/* ---- operands ---- */

static ir_ref get_v(struct lift *l, unsigned reg)
{
    return ir_get(l->u, IRT_V128, SLOT_Q(reg));
}

static void put_v(struct lift *l, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), v);
}

static ir_ref bin(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b)
{
    return ir_emit(l->u, (enum ir_opcode)op, IRT_V128, aux, a, b, IR_REF_NONE, 0);
}

/* Element `index` of every lane. */
static ir_ref repeated(struct lift *l, ir_ref v, unsigned index)
{
    return ir_emit(l->u, IR_VDUPL, IRT_V128, 8u << l->i.size, v, IR_REF_NONE, IR_REF_NONE, index);
}

static ir_ref constant(struct lift *l, uint64_t value)
{
    return ir_emit(l->u, IR_VDUP, IRT_V128, 64, alift_imm(l, (int64_t)value), IR_REF_NONE, IR_REF_NONE, 0);
}

static ir_ref signs(struct lift *l)
{
    static const uint64_t sign[] = {0, 0x8000800080008000, 0x8000000080000000, 0x8000000000000000};

    return constant(l, sign[l->i.size]);
}

static ir_ref absolute(struct lift *l, ir_ref v)
{
    return bin(l, IR_VANDN, 0, v, signs(l));
}

static enum ir_type type_of(unsigned size)
{
    return size == 1 ? IRT_F16 : size == 2 ? IRT_F32 : IRT_F64;
}

/* An element as a scalar; of single or double precision. */
static ir_ref scalar(struct lift *l, unsigned reg, unsigned index)
{
    enum ir_type type = type_of(l->i.size);
    ir_ref v;

    if (!index)
        return ir_get(l->u, type, SLOT_Q(reg));
    v = ir_emit(l->u, IR_VLANE, IRT_I64, 8u << l->i.size, get_v(l, reg), IR_REF_NONE, IR_REF_NONE, index);
    if (type == IRT_F32)
        v = ir_un(l->u, IR_TRUNC, IRT_I32, v);
    return ir_un(l->u, IR_BITCAST, type, v);
}

static ir_ref scalar_op(struct lift *l, unsigned op, unsigned kind, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_emit(l->u, (enum ir_opcode)op, type_of(l->i.size),
                   alift_fp_aux(l, l->i.size, A64_ROUND_FPCR) | kind << 8, a, b, c, 0);
}

/* ---- operations on lanes ---- */

static unsigned count_log2(const struct lift *l)
{
    return (l->i.q ? 4u : 3u) - l->i.size;
}

ir_ref alift_lanes(struct lift *l, unsigned op, unsigned count, unsigned kind, unsigned round, ir_ref a,
                   ir_ref b, ir_ref c)
{
    unsigned aux = alift_fp_aux(l, l->i.size, round) | (l->i.size - 1u) << IR_VF_FORMAT |
                   count << IR_VF_COUNT | kind << IR_VF_KIND;

    return ir_emit(l->u, (enum ir_opcode)op, IRT_V128, aux, a, b, c, 0);
}

/* By FPCR, on as many lanes as the instruction has. */
static ir_ref two(struct lift *l, unsigned op, unsigned kind, ir_ref a, ir_ref b)
{
    return alift_lanes(l, op, count_log2(l), kind, A64_ROUND_FPCR, a, b, IR_REF_NONE);
}

/* arg: the operation; aux: its kind */
static void op_bin(struct lift *l, row_t row)
{
    put_v(l, two(l, row->arg, row->aux, get_v(l, l->i.rn), get_v(l, l->i.rm)));
}

/* arg: the scalar operation, for one element; aux 1: the factor's sign inverted */
static void op_elem(struct lift *l, row_t row)
{
    ir_ref m = repeated(l, get_v(l, l->i.rm), l->i.index);

    if (row->arg == IR_VFMUL)
        put_v(l, two(l, row->arg, 0, get_v(l, l->i.rn), m));
    else
        put_v(l, alift_lanes(l, row->arg, count_log2(l), row->aux, A64_ROUND_FPCR, get_v(l, l->i.rn), m,
                             get_v(l, l->i.rd)));
}

static void op_elem_scalar(struct lift *l, row_t row)
{
    ir_ref n = scalar(l, l->i.rn, 0), m = scalar(l, l->i.rm, l->i.index), v;

    if (row->aux)
        n = ir_un(l->u, IR_FNEG, type_of(l->i.size), n);
    if (row->arg == IR_FMUL)
        v = scalar_op(l, IR_FMUL, 0, n, m, IR_REF_NONE);
    else
        v = scalar_op(l, IR_FMADD, 0, n, m, scalar(l, l->i.rd, 0));
    alift_put_float(l, l->i.size, l->i.rd, v);
}

/* aux 1: of -n */
static void op_fma(struct lift *l, row_t row)
{
    put_v(l, alift_lanes(l, IR_VFMADD, count_log2(l), row->aux, A64_ROUND_FPCR, get_v(l, l->i.rn),
                         get_v(l, l->i.rm), get_v(l, l->i.rd)));
}

static void op_abd(struct lift *l, row_t row)
{
    (void)row;
    put_v(l, absolute(l, two(l, IR_VFSUB, 0, get_v(l, l->i.rn), get_v(l, l->i.rm))));
}

static void op_abd_scalar(struct lift *l, row_t row)
{
    ir_ref v = scalar_op(l, IR_FSUB, 0, scalar(l, l->i.rn, 0), scalar(l, l->i.rm, 0), IR_REF_NONE);

    (void)row;
    alift_put_float(l, l->i.size, l->i.rd, ir_un(l->u, IR_FABS, type_of(l->i.size), v));
}

/* arg: VXOR negates, VANDN makes absolute */
static void op_sign(struct lift *l, row_t row)
{
    ir_ref v = bin(l, row->arg, 0, get_v(l, l->i.rn), signs(l));

    put_v(l, l->i.q ? v : ir_un(l->u, IR_VZEXT, IRT_V128, v));
}

static void op_sqrt(struct lift *l, row_t row)
{
    (void)row;
    put_v(l, two(l, IR_VFSQRT, 0, get_v(l, l->i.rn), IR_REF_NONE));
}

/* ---- neighbours ---- */

/* Neighbours in m:n, whose halves of 64 bits are used by the short forms. */
static ir_ref pairwise(struct lift *l, unsigned op, unsigned kind, unsigned count, ir_ref n, ir_ref m)
{
    unsigned width = 8u << l->i.size;
    ir_ref even = bin(l, IR_VUZP, width, n, m), odd = bin(l, IR_VUZP, width | IR_V_UPPER, n, m);

    return alift_lanes(l, op, count, kind, A64_ROUND_FPCR, even, odd, IR_REF_NONE);
}

static void op_pair(struct lift *l, row_t row)
{
    ir_ref n = get_v(l, l->i.rn), m = get_v(l, l->i.rm);

    if (!l->i.q)
        n = m = bin(l, IR_VZIP, 64, n, m);
    put_v(l, pairwise(l, row->arg, row->aux, count_log2(l), n, m));
}

/* arg: the scalar operation */
static void op_pair_scalar(struct lift *l, row_t row)
{
    ir_ref v = scalar_op(l, row->arg, row->aux, scalar(l, l->i.rn, 0), scalar(l, l->i.rn, 1), IR_REF_NONE);

    alift_put_float(l, l->i.size, l->i.rd, v);
}

/* Four lanes: halves of halves. */
static void op_across(struct lift *l, row_t row)
{
    ir_ref n = get_v(l, l->i.rn);

    n = pairwise(l, row->arg, row->aux, 1, n, n);
    put_v(l, pairwise(l, row->arg, row->aux, 0, n, n));
}

/* ---- complex numbers: even lanes real, odd ones imaginary (C7.2) ---- */

/* The sign bits of the real or the imaginary parts. */
static ir_ref signs_of(struct lift *l, bool imaginary)
{
    unsigned bits = 8u << l->i.size;

    return bin(l, IR_VTRN, bits, imaginary ? constant(l, 0) : signs(l),
               imaginary ? signs(l) : constant(l, 0));
}

/* Real and imaginary parts in each other's places. */
static ir_ref swapped(struct lift *l, ir_ref v)
{
    unsigned bits = 8u << l->i.size;

    if (bits == 64)
        return ir_emit(l->u, IR_VEXT, IRT_V128, 8, v, v, IR_REF_NONE, 8);
    return ir_emit(l->u, IR_VREV, IRT_V128, bits, v, IR_REF_NONE, IR_REF_NONE, 2 * bits);
}

/* n + m turned by a quarter (opt 1) or three. */
static void op_complex_add(struct lift *l, row_t row)
{
    ir_ref m = bin(l, IR_VXOR, 0, swapped(l, get_v(l, l->i.rm)), signs_of(l, l->i.opt != 1));

    (void)row;
    put_v(l, two(l, IR_VFADD, 0, get_v(l, l->i.rn), m));
}

/* One part of n times m, turned by opt quarters, added; arg 1: m is one pair. */
static void op_complex_fma(struct lift *l, row_t row)
{
    unsigned bits = 8u << l->i.size, part = l->i.opt & 1 ? IR_V_UPPER : 0;
    ir_ref n = get_v(l, l->i.rn), m = get_v(l, l->i.rm);

    if (row->arg && bits < 64)
        m = ir_emit(l->u, IR_VDUPL, IRT_V128, 2 * bits, m, IR_REF_NONE, IR_REF_NONE, l->i.index);
    if (part)
        m = swapped(l, m);
    if (l->i.opt == 1 || l->i.opt == 2)
        m = bin(l, IR_VXOR, 0, m, signs_of(l, false));
    if (l->i.opt >= 2)
        m = bin(l, IR_VXOR, 0, m, signs_of(l, true));
    put_v(l, alift_lanes(l, IR_VFMADD, count_log2(l), 0, A64_ROUND_FPCR, bin(l, IR_VTRN, bits | part, n, n),
                         m, get_v(l, l->i.rd)));
}

/* ---- comparisons ---- */

enum { OF_ABSOLUTES = 1, WITH_ZERO = 2, ZERO_FIRST = 4, ONE_LANE = 8 };

/* arg: enum ir_vfcmp */
static void op_cmp(struct lift *l, row_t row)
{
    ir_ref a = get_v(l, l->i.rn),
           b = row->aux & (WITH_ZERO | ZERO_FIRST) ? constant(l, 0) : get_v(l, l->i.rm);
    unsigned count = row->aux & ONE_LANE ? 0 : count_log2(l);

    if (row->aux & OF_ABSOLUTES) {
        a = absolute(l, a);
        b = absolute(l, b);
    }
    if (row->aux & ZERO_FIRST)
        put_v(l, alift_lanes(l, IR_VFCMP, count, row->arg, A64_ROUND_FPCR, b, a, IR_REF_NONE));
    else
        put_v(l, alift_lanes(l, IR_VFCMP, count, row->arg, A64_ROUND_FPCR, a, b, IR_REF_NONE));
}

/* ---- conversions ---- */

/* arg: enum a64_round; aux 1: raises inexact */
static void op_rint(struct lift *l, row_t row)
{
    put_v(l, alift_lanes(l, IR_VFRINT, count_log2(l), row->aux, row->arg, get_v(l, l->i.rn), IR_REF_NONE,
                         IR_REF_NONE));
}

/* arg: unsigned; opt: enum a64_round */
static void op_to_int(struct lift *l, row_t row)
{
    put_v(l, alift_lanes(l, IR_VFTOI, count_log2(l), row->arg, l->i.opt, get_v(l, l->i.rn), IR_REF_NONE,
                         IR_REF_NONE));
}

static unsigned int_kind(const struct lift *l, row_t row)
{
    return (l->i.size == 3 ? IR_INT_S64 : IR_INT_S32) + row->arg;
}

static void op_to_int_scalar(struct lift *l, row_t row)
{
    ir_ref v = ir_emit(l->u, IR_FTOI, type_of(l->i.size),
                       alift_fp_aux(l, l->i.size, l->i.opt) | int_kind(l, row) << 8, scalar(l, l->i.rn, 0),
                       IR_REF_NONE, IR_REF_NONE, 0);

    alift_put_scalar(l, l->i.rd, l->i.size == 3 ? v : alift_zext32(l, v));
}

static void op_from_int(struct lift *l, row_t row)
{
    put_v(l, two(l, IR_VITOF, row->arg, get_v(l, l->i.rn), IR_REF_NONE));
}

static void op_from_int_scalar(struct lift *l, row_t row)
{
    ir_ref v = ir_get(l->u, IRT_I64, SLOT_Q(l->i.rn));

    alift_put_float(l, l->i.size, l->i.rd,
                    scalar_op(l, IR_ITOF, int_kind(l, row), v, IR_REF_NONE, IR_REF_NONE));
}

/* Of single and double precision: the quotient by a power of two is exact, no subnormal ever. */
static void op_from_fix(struct lift *l, row_t row)
{
    uint64_t scale = l->i.size == 3 ? (UINT64_C(1023) - l->i.amount) << 52
                                    : ((UINT64_C(127) - l->i.amount) << 23) * UINT64_C(0x100000001);
    unsigned count = row->aux & ONE_LANE ? 0 : count_log2(l);
    ir_ref v;

    if (l->i.size == 1) {
        arm64_lift_by_helper.fn(l, row);
        return;
    }
    v = alift_lanes(l, IR_VITOF, count, row->arg, A64_ROUND_FPCR, get_v(l, l->i.rn), IR_REF_NONE,
                    IR_REF_NONE);
    put_v(l, alift_lanes(l, IR_VFMUL, count, 0, A64_ROUND_FPCR, v, constant(l, scale), IR_REF_NONE));
}

/* The alternative half format is the helper's. size: the narrow one */
static bool alternative(const struct lift *l)
{
    return l->mode & ARM64_MODE_AHP && l->i.size == 1;
}

/* Flags of a conversion are those of single and double precision. */
static unsigned format_aux(const struct lift *l, unsigned round)
{
    return alift_fp_aux(l, 3, round) | (l->i.size - 1u) << IR_VF_FORMAT | (3u - l->i.size) << IR_VF_COUNT;
}

static void op_widen(struct lift *l, row_t row)
{
    if (alternative(l))
        arm64_lift_by_helper.fn(l, row);
    else
        put_v(l, ir_emit(l->u, IR_VFWIDEN, IRT_V128,
                         format_aux(l, A64_ROUND_FPCR) | (unsigned)l->i.q << IR_VF_KIND, get_v(l, l->i.rn),
                         IR_REF_NONE, IR_REF_NONE, 0));
}

/* arg 1: rounds to odd */
static void op_narrow(struct lift *l, row_t row)
{
    unsigned aux = format_aux(l, A64_ROUND_FPCR);
    ir_ref v;

    if (alternative(l)) {
        arm64_lift_by_helper.fn(l, row);
        return;
    }
    if (row->arg)
        aux = (aux & ~(unsigned)IR_FP_ROUND) | IR_ROUND_ODD;
    v = ir_emit(l->u, IR_VFNARROW, IRT_V128, aux, get_v(l, l->i.rn), IR_REF_NONE, IR_REF_NONE, 0);
    put_v(l, l->i.q ? bin(l, IR_VZIP, 64, get_v(l, l->i.rd), v) : v);
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
/* Of singles and doubles, of halves. */
#define V(id, fn, arg, aux)    ROW(id##_V, fn, arg, aux), ROW(id##_VH, fn, arg, aux)
#define PAIR(id, op, kind)     V(id, op_pair, IR_V##op, kind), ROW(id##_S, op_pair_scalar, IR_##op, kind)
#define ACROSS(id, op, kind)   ROW(id, op_across, IR_V##op, kind)
#define CMP(id, cond, aux)     V(id, op_cmp, cond, aux), ROW(id##_S, op_cmp, cond, (aux) | ONE_LANE), \
                               ROW(id##_SH, op_cmp, cond, (aux) | ONE_LANE)
#define ELEM(id, op, neg)      ROW(id##_ELEM_V, op_elem, IR_V##op, neg), ROW(id##_ELEM_VH, op_elem, IR_V##op, neg), \
                               ROW(id##_ELEM_S, op_elem_scalar, IR_##op, neg)
#define TO_INT(m)              ROW(FCVT##m##S_V, op_to_int, 0, 0), ROW(FCVT##m##U_V, op_to_int, 1, 0), \
                               ROW(FCVT##m##S_S, op_to_int_scalar, 0, 0), ROW(FCVT##m##U_S, op_to_int_scalar, 1, 0)

const struct lift_row arm64_lift_simd_fp[A64_ID_COUNT] = {
    V(FADD, op_bin, IR_VFADD, 0), V(FSUB, op_bin, IR_VFSUB, 0), V(FMUL, op_bin, IR_VFMUL, 0),
    V(FDIV, op_bin, IR_VFDIV, 0), V(FMAX, op_bin, IR_VFMAX, IR_MM_ARM), V(FMIN, op_bin, IR_VFMIN, IR_MM_ARM),
    V(FMAXNM, op_bin, IR_VFMAX, IR_MM_ARM_NUM), V(FMINNM, op_bin, IR_VFMIN, IR_MM_ARM_NUM),
    V(FMLA, op_fma, 0, 0), V(FMLS, op_fma, 0, 1), V(FABD, op_abd, 0, 0), ROW(FABD_S, op_abd_scalar, 0, 0),
    PAIR(FADDP, FADD, 0), PAIR(FMAXP, FMAX, IR_MM_ARM), PAIR(FMINP, FMIN, IR_MM_ARM),
    PAIR(FMAXNMP, FMAX, IR_MM_ARM_NUM), PAIR(FMINNMP, FMIN, IR_MM_ARM_NUM),
    ACROSS(FMAXV, FMAX, IR_MM_ARM), ACROSS(FMINV, FMIN, IR_MM_ARM), ACROSS(FMAXNMV, FMAX, IR_MM_ARM_NUM),
    ACROSS(FMINNMV, FMIN, IR_MM_ARM_NUM),
    ROW(FCADD_V, op_complex_add, 0, 0), ROW(FCMLA_V, op_complex_fma, 0, 0), ROW(FCMLA_ELEM_V, op_complex_fma, 1, 0),
    ELEM(FMLA, FMADD, 0), ELEM(FMLS, FMADD, 1), ELEM(FMUL, FMUL, 0),
    V(FABS, op_sign, IR_VANDN, 0), V(FNEG, op_sign, IR_VXOR, 0), V(FSQRT, op_sqrt, 0, 0),

    CMP(FCMEQ, IR_VF_EQ, 0), CMP(FCMGE, IR_VF_GE, 0), CMP(FCMGT, IR_VF_GT, 0),
    CMP(FACGE, IR_VF_GE, OF_ABSOLUTES), CMP(FACGT, IR_VF_GT, OF_ABSOLUTES),
    CMP(FCMEQ_ZERO, IR_VF_EQ, WITH_ZERO), CMP(FCMGE_ZERO, IR_VF_GE, WITH_ZERO), CMP(FCMGT_ZERO, IR_VF_GT, WITH_ZERO),
    CMP(FCMLE_ZERO, IR_VF_GE, ZERO_FIRST), CMP(FCMLT_ZERO, IR_VF_GT, ZERO_FIRST),

    V(FRINTN, op_rint, A64_ROUND_EVEN, 0), V(FRINTP, op_rint, A64_ROUND_UP, 0), V(FRINTM, op_rint, A64_ROUND_DOWN, 0),
    V(FRINTZ, op_rint, A64_ROUND_ZERO, 0), V(FRINTA, op_rint, A64_ROUND_AWAY, 0), V(FRINTX, op_rint, A64_ROUND_FPCR, 1),
    V(FRINTI, op_rint, A64_ROUND_FPCR, 0),
    TO_INT(N), TO_INT(P), TO_INT(M), TO_INT(Z), TO_INT(A),
    ROW(SCVTF_V, op_from_int, 0, 0), ROW(UCVTF_V, op_from_int, 1, 0),
    ROW(SCVTF_S, op_from_int_scalar, 0, 0), ROW(UCVTF_S, op_from_int_scalar, 1, 0),
    ROW(SCVTF_FIX_V, op_from_fix, 0, 0), ROW(UCVTF_FIX_V, op_from_fix, 1, 0),
    ROW(SCVTF_FIX_S, op_from_fix, 0, ONE_LANE), ROW(UCVTF_FIX_S, op_from_fix, 1, ONE_LANE),
    ROW(FCVTL_V, op_widen, 0, 0), ROW(FCVTN_V, op_narrow, 0, 0), ROW(FCVTXN_V, op_narrow, 1, 0),
};
