/* Lifts scalar floating point (DDI 0487, C7.2). What is rare goes by helper. */
#include "guest/arm64/fp.h"
#include "guest/arm64/lift.h"

typedef const struct lift_row *row_t;

static enum ir_type type_of(unsigned size)
{
    return size == 1 ? IRT_F16 : size == 2 ? IRT_F32 : IRT_F64;
}

/* A register of the instruction's size. */
static ir_ref get(struct lift *l, unsigned reg)
{
    return ir_get(l->u, type_of(l->i.size), SLOT_Q(reg));
}

static void put_sized(struct lift *l, unsigned size, unsigned reg, ir_ref v)
{
    if (size >= 2) {
        alift_put_scalar(l, reg, v);
    } else {
        v = ir_un(l->u, IR_BITCAST, IRT_I32, v);
        alift_put_scalar(l, reg, ir_emit(l->u, IR_ZEXT, IRT_I64, 16, v, IR_REF_NONE, IR_REF_NONE, 0));
    }
}

static void put(struct lift *l, unsigned reg, ir_ref v)
{
    put_sized(l, l->i.size, reg, v);
}

/* The register's low bits, zero-extended; and the way back. */
static ir_ref get_bits(struct lift *l, unsigned reg)
{
    ir_ref v = ir_get(l->u, IRT_I64, SLOT_Q(reg));

    return l->i.size == 3 ? v
                          : ir_emit(l->u, IR_ZEXT, IRT_I64, 8u << l->i.size, v, IR_REF_NONE, IR_REF_NONE, 0);
}

/* aux of an FP operation on the type: a rounding, and what FPCR says. */
static unsigned fp_aux(const struct lift *l, unsigned size, unsigned a64_round)
{
    uint64_t flush = size == 1 ? ARM64_MODE_FZ16 : ARM64_MODE_FZ;

    return arm64_fp_round(l->mode, a64_round) | (l->mode & ARM64_MODE_DN ? IR_FP_DEFAULT_NAN : 0) |
           (l->mode & flush ? IR_FP_FLUSH_IN | IR_FP_FLUSH_OUT : 0);
}

unsigned alift_fp_aux(const struct lift *l, unsigned size, unsigned a64_round)
{
    return fp_aux(l, size, a64_round);
}

void alift_put_float(struct lift *l, unsigned size, unsigned reg, ir_ref value)
{
    put_sized(l, size, reg, value);
}

static ir_ref emit(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_emit(l->u, (enum ir_opcode)op, type_of(l->i.size), aux, a, b, c, 0);
}

static ir_ref negate(struct lift *l, ir_ref v)
{
    return emit(l, IR_FNEG, 0, v, IR_REF_NONE, IR_REF_NONE);
}

/* ---- arithmetic ---- */

/* arg: the operation; aux: enum ir_fminmax, or 1 << 8 for a negated product */
#define NEGATED 0x100

static void op_bin(struct lift *l, row_t row)
{
    ir_ref a = get(l, l->i.rn), b = get(l, l->i.rm);
    unsigned kind = row->arg == IR_FMIN || row->arg == IR_FMAX ? (unsigned)row->aux << 8 : 0;
    ir_ref v = emit(l, row->arg, fp_aux(l, l->i.size, A64_ROUND_FPCR) | kind, a, b, IR_REF_NONE);

    put(l, l->i.rd, row->aux == NEGATED ? negate(l, v) : v);
}

/* arg: the operation, which neither rounds nor raises; 0: a move */
static void op_sign(struct lift *l, row_t row)
{
    ir_ref v = get(l, l->i.rn);

    put(l, l->i.rd, row->arg ? emit(l, row->arg, 0, v, IR_REF_NONE, IR_REF_NONE) : v);
}

static void op_sqrt(struct lift *l, row_t row)
{
    (void)row;
    put(l, l->i.rd,
        emit(l, IR_FSQRT, fp_aux(l, l->i.size, A64_ROUND_FPCR), get(l, l->i.rn), IR_REF_NONE, IR_REF_NONE));
}

enum { NEGATE_ADDEND = 1, NEGATE_FACTOR = 2 };

/* The sign of an operand is changed before it is looked at, that of a NaN too. */
static void op_fma(struct lift *l, row_t row)
{
    ir_ref a = get(l, l->i.rn), b = get(l, l->i.rm), c = get(l, l->i.ra);

    if (row->arg & NEGATE_FACTOR)
        a = negate(l, a);
    if (row->arg & NEGATE_ADDEND)
        c = negate(l, c);
    put(l, l->i.rd, emit(l, IR_FMADD, fp_aux(l, l->i.size, A64_ROUND_FPCR), a, b, c));
}

/* arg: enum a64_round; aux 1: raises inexact */
static void op_rint(struct lift *l, row_t row)
{
    put(l, l->i.rd,
        emit(l, IR_FRINT, fp_aux(l, l->i.size, row->arg) | (unsigned)row->aux << 8, get(l, l->i.rn),
             IR_REF_NONE, IR_REF_NONE));
}

/* ---- comparison ---- */

static ir_ref zero(struct lift *l)
{
    enum ir_type t = l->i.size == 3 ? IRT_I64 : IRT_I32;

    return ir_un(l->u, IR_BITCAST, type_of(l->i.size), ir_const(l->u, t, 0));
}

static ir_ref compare(struct lift *l, bool signals, ir_ref a, ir_ref b)
{
    unsigned aux = (fp_aux(l, l->i.size, A64_ROUND_EVEN) & ~(unsigned)IR_FP_ROUND) | signals;
    ir_ref f = emit(l, IR_FCMPF, aux, a, b, IR_REF_NONE);

    return ir_emit(l->u, IR_FPACK, IRT_I64, 15, f, IR_REF_NONE, IR_REF_NONE, 0);
}

/* arg: signals; aux: with zero */
static void op_cmp(struct lift *l, row_t row)
{
    ir_ref a = get(l, l->i.rn), b = row->aux ? zero(l) : get(l, l->i.rm);

    alift_put_nzcv(l, compare(l, row->arg, a, b));
}

/* Where the condition does not hold nothing is compared: two zeros, which raise nothing. */
static void op_ccmp(struct lift *l, row_t row)
{
    enum ir_type t = l->i.size == 3 ? IRT_I64 : IRT_I32;
    ir_ref cond = alift_cond(l, l->i.cond), none = ir_const(l->u, t, 0), v[2], nzcv;
    unsigned x = l->i.index;

    for (unsigned i = 0; i < 2; i++) {
        v[i] = get_bits(l, i ? l->i.rm : l->i.rn);
        if (t == IRT_I32)
            v[i] = ir_un(l->u, IR_TRUNC, t, v[i]);
        v[i] = alift_select(l, t, cond, v[i], none);
        v[i] = ir_un(l->u, IR_BITCAST, type_of(l->i.size), v[i]);
    }
    nzcv = compare(l, row->arg, v[0], v[1]);
    alift_put_nzcv(l, alift_select(l, IRT_I64, cond, nzcv, alift_imm(l, alift_nzcv_order(x))));
}

static void op_csel(struct lift *l, row_t row)
{
    ir_ref cond = alift_cond(l, l->i.cond), a = get_bits(l, l->i.rn), b = get_bits(l, l->i.rm);

    (void)row;
    alift_put_scalar(l, l->i.rd, alift_select(l, IRT_I64, cond, a, b));
}

/* ---- moves ---- */

static void op_imm(struct lift *l, row_t row)
{
    (void)row;
    alift_put_scalar(l, l->i.rd, alift_imm(l, l->i.imm));
}

static void op_to_gp(struct lift *l, row_t row)
{
    (void)row;
    alift_put(l, l->i.rd, get_bits(l, l->i.rn));
}

static void op_from_gp(struct lift *l, row_t row)
{
    ir_ref v = alift_get(l, l->i.rn);

    (void)row;
    if (l->i.size < 3)
        v = ir_emit(l->u, IR_ZEXT, IRT_I64, 8u << l->i.size, v, IR_REF_NONE, IR_REF_NONE, 0);
    alift_put_scalar(l, l->i.rd, v);
}

static void op_hi_to_gp(struct lift *l, row_t row)
{
    (void)row;
    alift_put(l, l->i.rd, alift_lane(l, 64, alift_get_v(l, l->i.rn), 1));
}

static void op_gp_to_hi(struct lift *l, row_t row)
{
    (void)row;
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd),
           alift_vec(l, IR_VINSLANE, 64, alift_get_v(l, l->i.rd), alift_get(l, l->i.rn), 1));
}

/* ---- conversions ---- */

/* What the helper needs to know of a conversion: see help_fp_convert. */
static ir_ref by_helper(struct lift *l, unsigned what, ir_ref v)
{
    uint64_t desc = l->i.size | (uint64_t)l->i.index << 4 | (uint64_t)l->i.sf << 8 |
                    (uint64_t)l->i.amount << 16 | (uint64_t)what << 24;

    return alift_call(l, A64H_FP_CONVERT, v, alift_imm(l, (int64_t)desc), IR_REF_NONE);
}

/* size: from; index: to. The alternative half format is the helper's. */
static void op_cvt(struct lift *l, row_t row)
{
    unsigned to = l->i.index;

    (void)row;
    if (l->mode & ARM64_MODE_AHP && (to == 1 || l->i.size == 1))
        alift_put_scalar(l, l->i.rd, by_helper(l, FP_FORMAT, get_bits(l, l->i.rn)));
    else
        put_sized(l, to, l->i.rd,
                  ir_emit(l->u, IR_FTOF, type_of(to), fp_aux(l, 3, A64_ROUND_FPCR), get(l, l->i.rn),
                          IR_REF_NONE, IR_REF_NONE, 0));
}

/* arg: signed; opt: enum a64_round */
static void op_to_int(struct lift *l, row_t row)
{
    unsigned kind = (l->i.sf ? IR_INT_S64 : IR_INT_S32) + !row->arg;
    ir_ref v = emit(l, IR_FTOI, fp_aux(l, l->i.size, l->i.opt) | kind << 8, get(l, l->i.rn), IR_REF_NONE,
                    IR_REF_NONE);

    alift_put(l, l->i.rd, l->i.sf ? v : alift_zext32(l, v));
}

static void op_from_int(struct lift *l, row_t row)
{
    unsigned kind = (l->i.sf ? IR_INT_S64 : IR_INT_S32) + !row->arg;

    put(l, l->i.rd,
        emit(l, IR_ITOF, fp_aux(l, l->i.size, A64_ROUND_FPCR) | kind << 8, alift_get(l, l->i.rn), IR_REF_NONE,
             IR_REF_NONE));
}

/* 2 to the power, of single or double precision, as an i64. */
static ir_ref power_of_two(struct lift *l, int power)
{
    return alift_imm(l, l->i.size == 3 ? (INT64_C(1023) + power) << 52 : (INT64_C(127) + power) << 23);
}

static ir_ref as_float(struct lift *l, ir_ref bits)
{
    if (l->i.size < 3)
        bits = ir_un(l->u, IR_TRUNC, IRT_I32, bits);
    return ir_un(l->u, IR_BITCAST, type_of(l->i.size), bits);
}

/*
 * A product by a power of two is exact where the number is below 2^64; from there on nothing fits, scaled or
 * not.
 */
static void op_to_fix(struct lift *l, row_t row)
{
    unsigned kind = (l->i.sf ? IR_INT_S64 : IR_INT_S32) + !row->arg, top = (8u << l->i.size) - 1;
    ir_ref v, below, scale;

    if (l->i.size == 1) {
        alift_put(l, l->i.rd, by_helper(l, row->arg ? FP_TO_FIXED_S : FP_TO_FIXED_U, get_bits(l, l->i.rn)));
        return;
    }
    v = alift_bini(l, IR_AND, get_bits(l, l->i.rn), (int64_t) ~(UINT64_C(1) << top));
    below = ir_setcc(l->u, IRT_I64, IR_LTU, v, power_of_two(l, 64));
    scale = alift_select(l, IRT_I64, below, power_of_two(l, l->i.amount), power_of_two(l, 0));
    v = emit(l, IR_FMUL, fp_aux(l, l->i.size, A64_ROUND_EVEN), get(l, l->i.rn), as_float(l, scale),
             IR_REF_NONE);
    v = emit(l, IR_FTOI, fp_aux(l, l->i.size, A64_ROUND_ZERO) | kind << 8, v, IR_REF_NONE, IR_REF_NONE);
    alift_put(l, l->i.rd, l->i.sf ? v : alift_zext32(l, v));
}

/* Of single and double precision: the quotient by a power of two is exact, no subnormal ever. */
static void op_from_fix(struct lift *l, row_t row)
{
    unsigned aux = fp_aux(l, l->i.size, A64_ROUND_FPCR),
             kind = (l->i.sf ? IR_INT_S64 : IR_INT_S32) + !row->arg;
    ir_ref v = alift_get(l, l->i.rn);

    if (l->i.size == 1) {
        alift_put_scalar(l, l->i.rd, by_helper(l, row->arg ? FP_FROM_FIXED_S : FP_FROM_FIXED_U, v));
        return;
    }
    v = emit(l, IR_ITOF, aux | kind << 8, v, IR_REF_NONE, IR_REF_NONE);
    put(l, l->i.rd, emit(l, IR_FMUL, aux, v, as_float(l, power_of_two(l, -l->i.amount)), IR_REF_NONE));
}

/* Bits 31:0 of a number whose magnitude is 2^31 or more, infinities and NaNs being zeros. exp: its exponent
 */
static ir_ref low_word(struct lift *l, ir_ref bits, ir_ref exp)
{
    ir_ref frac = alift_bini(l, IR_SHL, bits, 11), up, down, sign;

    frac = alift_bini(l, IR_OR, frac, INT64_MIN); /* 1. in bit 63 */
    down = alift_bin(l, IR_SHR, frac, alift_bin(l, IR_SUB, alift_imm(l, 1023 + 63), exp));
    up = alift_bin(l, IR_SHL, frac, alift_bini(l, IR_SUB, exp, 1023 + 63));
    up = alift_select(l, IRT_I64, ir_setcc(l->u, IRT_I64, IR_LTU, exp, alift_imm(l, 1023 + 127)), up,
                      alift_imm(l, 0));
    down = alift_select(l, IRT_I64, ir_setcc(l->u, IRT_I64, IR_LEU, exp, alift_imm(l, 1023 + 63)), down, up);
    sign = alift_bini(l, IR_SAR, bits, 63);
    return alift_bin(l, IR_SUB, alift_bin(l, IR_XOR, down, sign), sign);
}

/* FPToFixedJS(): modulo 2^32, with the flags of a conversion that saturates. Z: exact, and not -0. */
static void op_js(struct lift *l, row_t row)
{
    unsigned aux = fp_aux(l, 3, A64_ROUND_ZERO);
    ir_ref n = get(l, l->i.rn), bits = get_bits(l, l->i.rn), r, back, exp, z;

    (void)row;
    r = ir_emit(l->u, IR_FTOI, IRT_F64, aux | IR_INT_S32 << 8, n, IR_REF_NONE, IR_REF_NONE, 0);
    back = ir_emit(l->u, IR_ITOF, IRT_F64, (aux & ~(unsigned)IR_FP_ROUND) | IR_INT_S32 << 8, r, IR_REF_NONE,
                   IR_REF_NONE, 0);
    z = ir_setcc(l->u, IRT_I64, IR_EQ, ir_un(l->u, IR_BITCAST, IRT_I64, back), bits);
    exp = alift_bini(l, IR_AND, alift_bini(l, IR_SHR, bits, 52), 0x7ff);
    r = alift_select(l, IRT_I64, ir_setcc(l->u, IRT_I64, IR_GEU, exp, alift_imm(l, 1023 + 31)),
                     low_word(l, bits, exp), r);
    alift_put(l, l->i.rd, alift_zext32(l, r));
    alift_put_nzcv(l, alift_bini(l, IR_SHL, z, 1));
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
#define TO_INT(m) ROW(FCVT##m##S, op_to_int, 1, 0), ROW(FCVT##m##U, op_to_int, 0, 0)

const struct lift_row arm64_lift_fp[A64_ID_COUNT] = {
    ROW(FADD, op_bin, IR_FADD, 0), ROW(FSUB, op_bin, IR_FSUB, 0), ROW(FMUL, op_bin, IR_FMUL, 0),
    ROW(FNMUL, op_bin, IR_FMUL, NEGATED), ROW(FDIV, op_bin, IR_FDIV, 0),
    ROW(FMAX, op_bin, IR_FMAX, IR_MM_ARM), ROW(FMIN, op_bin, IR_FMIN, IR_MM_ARM),
    ROW(FMAXNM, op_bin, IR_FMAX, IR_MM_ARM_NUM), ROW(FMINNM, op_bin, IR_FMIN, IR_MM_ARM_NUM),
    ROW(FMOV, op_sign, 0, 0), ROW(FABS, op_sign, IR_FABS, 0), ROW(FNEG, op_sign, IR_FNEG, 0),
    ROW(FSQRT, op_sqrt, 0, 0),
    ROW(FMADD, op_fma, 0, 0), ROW(FMSUB, op_fma, NEGATE_FACTOR, 0),
    ROW(FNMADD, op_fma, NEGATE_FACTOR | NEGATE_ADDEND, 0), ROW(FNMSUB, op_fma, NEGATE_ADDEND, 0),
    ROW(FRINTN, op_rint, A64_ROUND_EVEN, 0), ROW(FRINTP, op_rint, A64_ROUND_UP, 0),
    ROW(FRINTM, op_rint, A64_ROUND_DOWN, 0), ROW(FRINTZ, op_rint, A64_ROUND_ZERO, 0),
    ROW(FRINTA, op_rint, A64_ROUND_AWAY, 0), ROW(FRINTX, op_rint, A64_ROUND_FPCR, 1),
    ROW(FRINTI, op_rint, A64_ROUND_FPCR, 0),
    ROW(FCMP, op_cmp, 0, 0), ROW(FCMP_ZERO, op_cmp, 0, 1), ROW(FCMPE, op_cmp, 1, 0), ROW(FCMPE_ZERO, op_cmp, 1, 1),
    ROW(FCCMP, op_ccmp, 0, 0), ROW(FCCMPE, op_ccmp, 1, 0), ROW(FCSEL, op_csel, 0, 0), ROW(FMOV_IMM, op_imm, 0, 0),
    ROW(FMOV_TO_GP, op_to_gp, 0, 0), ROW(FMOV_FROM_GP, op_from_gp, 0, 0),
    ROW(FMOV_HI_TO_GP, op_hi_to_gp, 0, 0), ROW(FMOV_GP_TO_HI, op_gp_to_hi, 0, 0),
    ROW(FCVT, op_cvt, 0, 0), ROW(FJCVTZS, op_js, 0, 0),
    TO_INT(N), TO_INT(P), TO_INT(M), TO_INT(Z), TO_INT(A),
    ROW(SCVTF, op_from_int, 1, 0), ROW(UCVTF, op_from_int, 0, 0),
    ROW(FCVTZS_FIX, op_to_fix, 1, 0), ROW(FCVTZU_FIX, op_to_fix, 0, 0),
    ROW(SCVTF_FIX, op_from_fix, 1, 0), ROW(UCVTF_FIX, op_from_fix, 0, 0),
};
