/* FP operations on lanes by lib/softfloat: those of soft/float.c, lane by lane. */
#include "engine/soft/float.h"
#include "lib/str.h"

static const uint8_t formats[] = {IRT_F16, IRT_F32, IRT_F64};

static uint64_t lane_get(const uint64_t *v, unsigned bytes, unsigned i)
{
    uint64_t x = 0;

    memcpy(&x, (const uint8_t *)v + (size_t)i * bytes, bytes);
    return x;
}

static void lane_set(uint64_t *v, unsigned bytes, unsigned i, uint64_t x)
{
    memcpy((uint8_t *)v + (size_t)i * bytes, &x, bytes);
}

/* By VF operation, from VFADD; kinds of VFMIN, VFMAX and VFRINT are those of the scalar operation. */
static const uint8_t scalar_of[] = {
    [0] = IR_FADD,
    [IR_VFSUB - IR_VFADD] = IR_FSUB,
    [IR_VFMUL - IR_VFADD] = IR_FMUL,
    [IR_VFDIV - IR_VFADD] = IR_FDIV,
    [IR_VFSQRT - IR_VFADD] = IR_FSQRT,
    [IR_VFMADD - IR_VFADD] = IR_FMADD,
    [IR_VFMIN - IR_VFADD] = IR_FMIN,
    [IR_VFMAX - IR_VFADD] = IR_FMAX,
    [IR_VFCMP - IR_VFADD] = IR_FCMP,
    [IR_VFRINT - IR_VFADD] = IR_FRINT,
    [IR_VFTOI - IR_VFADD] = IR_FTOI,
    [IR_VITOF - IR_VFADD] = IR_ITOF,
    [IR_VFWIDEN - IR_VFADD] = IR_FTOF,
    [IR_VFNARROW - IR_VFADD] = IR_FTOF,
};

/* One operation on lanes of `format`, as the scalar operation that it is. */
static uint32_t what_of(unsigned op, unsigned mode, unsigned format, unsigned kind)
{
    static const uint8_t compare[] = {
        [IR_VF_EQ] = IR_FCMP_EQ, [IR_VF_GT] = IR_FCMP_LT, [IR_VF_GE] = IR_FCMP_LE};
    unsigned scalar = scalar_of[op - IR_VFADD], type = formats[format];

    switch (op) {
    case IR_VFCMP:
        return soft_float_what(scalar, type, 0, (mode & ~(unsigned)IR_FP_ROUND) | compare[kind]);
    case IR_VFTOI:
    case IR_VITOF:
        return soft_float_what(scalar, type, 0,
                               mode | ((format == 2 ? IR_INT_S64 : IR_INT_S32) + (kind & 1)) << 8);
    case IR_VFWIDEN:
        return soft_float_what(scalar, formats[format + 1], type, mode);
    case IR_VFNARROW:
        return soft_float_what(scalar, type, formats[format + 1], mode);
    case IR_VFMADD:
        return soft_float_what(scalar, type, 0, mode);
    default:
        return soft_float_what(scalar, type, 0, mode | kind << 8);
    }
}

void soft_vector_float(struct vcpu *v, uint32_t what, uint64_t x[3][2])
{
    unsigned op = what & 0xff, aux = what >> 16, mode = aux & 0xff, format = aux >> IR_VF_FORMAT & 3,
             count = 1u << (aux >> IR_VF_COUNT & 3), kind = aux >> IR_VF_KIND;
    unsigned bytes = 2u << format, from = op == IR_VFNARROW ? 2 * bytes : bytes,
             to = op == IR_VFWIDEN ? 2 * bytes : bytes, first = op == IR_VFWIDEN && kind ? 8 / bytes : 0;
    uint64_t r[2] = {0, 0}, sign = BIT(8 * bytes - 1);
    uint32_t scalar = what_of(op, mode, format, kind);

    for (unsigned i = 0; i < count; i++) {
        uint64_t a = lane_get(x[0], from, first + i), b = lane_get(x[1], bytes, i),
                 c = lane_get(x[2], bytes, i), y;

        if (op == IR_VFMADD && kind)
            a ^= sign;
        /* a > b is b < a */
        y = op == IR_VFCMP && kind != IR_VF_EQ ? soft_float(v, scalar, b, a, 0)
                                               : soft_float(v, scalar, a, b, c);
        lane_set(r, to, i, op == IR_VFCMP ? -y : y);
    }
    memcpy(x[0], r, sizeof(r));
}
