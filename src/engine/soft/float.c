/* FP operations of the IR by lib/softfloat: the reference for every other way to do them. */
#include "engine/soft/float.h"
#include "core/vm.h"
#include "lib/softfloat.h"

struct fp {
    unsigned op, aux;
    enum sf_format f;    /* of the operation */
    enum sf_format from; /* of the operand, in conversions */
    uint64_t a, b, c;
    struct sf_env env;
};

static enum sf_format format_of(unsigned type)
{
    return type == IRT_F16 ? SF_F16 : type == IRT_F32 ? SF_F32 : SF_F64;
}

static unsigned width_of(enum sf_format f)
{
    return 16u << f;
}

static uint64_t low(uint64_t x, enum sf_format f)
{
    return x & (UINT64_MAX >> (64 - width_of(f)));
}

static uint64_t sign_bit(enum sf_format f)
{
    return BIT(width_of(f) - 1);
}

/* ---- minimum and maximum, by whose rules ---- */

static uint64_t minmax_x86(struct fp *x, bool max)
{
    int r = sf_compare(x->f, x->a, x->b, false, &x->env);

    return r == (max ? 1 : -1) ? x->a : x->b;
}

static uint64_t minmax_number(struct fp *x, bool max)
{
    return max ? sf_max(x->f, x->a, x->b, &x->env) : sf_min(x->f, x->a, x->b, &x->env);
}

/* A NaN wins (Arm ARM, FPMin), except that NUM lets a number win over one quiet NaN (FPMinNum). */
static uint64_t minmax_arm(struct fp *x, bool max, bool num)
{
    bool na = sf_is_nan(x->f, x->a), nb = sf_is_nan(x->f, x->b);

    if (num && na != nb && !sf_is_snan(x->f, na ? x->a : x->b)) {
        uint64_t number = na ? x->b : x->a;

        return sf_min(x->f, number, number, &x->env); /* a denormal may be flushed */
    }
    if (na || nb)
        return sf_add(x->f, x->a, x->b, &x->env);
    return minmax_number(x, max);
}

static uint64_t minmax(struct fp *x, bool max)
{
    switch (x->aux >> 8) {
    case IR_MM_X86:
        return minmax_x86(x, max);
    case IR_MM_ARM:
        return minmax_arm(x, max, false);
    case IR_MM_ARM_NUM:
        return minmax_arm(x, max, true);
    default:
        return minmax_number(x, max);
    }
}

static uint64_t compare(struct fp *x)
{
    static const struct {
        bool quiet;
        uint8_t mask; /* which of less, equal, greater, unordered give 1 */
    } rows[] = {
        [IR_FCMP_EQ] = {true, 2},        [IR_FCMP_LT] = {false, 1},      [IR_FCMP_LE] = {false, 3},
        [IR_FCMP_LT_QUIET] = {true, 1},  [IR_FCMP_LE_QUIET] = {true, 3}, [IR_FCMP_EQ_SIGNAL] = {false, 2},
        [IR_FCMP_UNORDERED] = {true, 8},
    };
    unsigned i = x->aux & 7;

    return rows[i].mask >> (sf_compare(x->f, x->a, x->b, rows[i].quiet, &x->env) + 1) & 1;
}

static uint64_t compare_flags(struct fp *x)
{
    static const uint8_t flags[] = {1, 2 | 4, 4, 4 | 8}; /* less, equal, greater, unordered */

    return flags[sf_compare(x->f, x->a, x->b, !(x->aux & 1), &x->env) + 1];
}

static uint64_t from_int(struct fp *x)
{
    unsigned kind = x->aux >> 8;
    uint64_t a = kind == IR_INT_S32   ? (uint64_t)(int64_t)(int32_t)x->a
                 : kind == IR_INT_U32 ? (uint32_t)x->a
                                      : x->a;

    return sf_from_int(x->f, a, kind == IR_INT_S32 || kind == IR_INT_S64, &x->env);
}

static uint64_t to_int(struct fp *x)
{
    unsigned kind = x->aux >> 8;

    return sf_to_int(x->f, x->a, kind == IR_INT_S32 || kind == IR_INT_U32 ? 32 : 64,
                     kind == IR_INT_S32 || kind == IR_INT_S64, &x->env);
}

/* A narrow float in a 64-bit register has all upper bits set (RISC-V Unprivileged, 21.2). */
static uint64_t unbox(struct fp *x)
{
    uint64_t upper = ~low(UINT64_MAX, x->f);

    return (x->a & upper) == upper ? low(x->a, x->f) : sf_default_nan(x->f, &x->env);
}

static uint64_t compute(struct fp *x)
{
    enum sf_format f = x->f;
    struct sf_env *e = &x->env;

    switch (x->op) {
    case IR_FADD:
        return sf_add(f, x->a, x->b, e);
    case IR_FSUB:
        return sf_sub(f, x->a, x->b, e);
    case IR_FMUL:
        return sf_mul(f, x->a, x->b, e);
    case IR_FDIV:
        return sf_div(f, x->a, x->b, e);
    case IR_FSQRT:
        return sf_sqrt(f, x->a, e);
    case IR_FMADD:
        return sf_fma(f, x->a, x->b, x->c, e);
    case IR_FMIN:
        return minmax(x, false);
    case IR_FMAX:
        return minmax(x, true);
    case IR_FNEG:
        return x->a ^ sign_bit(f);
    case IR_FABS:
        return x->a & ~sign_bit(f);
    case IR_FSGNJ:
        return (x->a & ~sign_bit(f)) | (x->b & sign_bit(f));
    case IR_FSGNJN:
        return (x->a & ~sign_bit(f)) | (~x->b & sign_bit(f));
    case IR_FSGNJX:
        return x->a ^ (x->b & sign_bit(f));
    case IR_FCMP:
        return compare(x);
    case IR_FCMPF:
        return compare_flags(x);
    case IR_FCLASS:
        return sf_class(f, x->a);
    case IR_FTOI:
        return to_int(x);
    case IR_ITOF:
        return from_int(x);
    case IR_FTOF:
        return sf_convert(x->from, f, x->a, e);
    case IR_FRINT:
        return sf_round_int(f, x->a, x->aux >> 8 & 1, e);
    case IR_BOX:
        return low(x->a, x->from) | ~low(UINT64_MAX, x->from);
    default:
        return unbox(x);
    }
}

uint64_t soft_float(struct vcpu *v, uint32_t what, uint64_t a, uint64_t b, uint64_t c)
{
    const struct lift_ops *lift = v->vm->lift;
    struct fp x = {.op = what & 0xff, .aux = what >> 16, .f = format_of(what >> 8 & 15)};
    uint64_t r;

    x.from = x.op == IR_FTOF || x.op == IR_BOX ? format_of(what >> 12 & 15) : x.f;
    /* ITOF and UNBOX take 64 bits. */
    x.a = x.op == IR_ITOF || x.op == IR_UNBOX ? a : low(a, x.from);
    x.b = low(b, x.f);
    x.c = low(c, x.f);
    x.env = (struct sf_env){.rules = lift->fp_rules,
                            .round = x.aux & IR_FP_ROUND,
                            .default_nan = x.aux & IR_FP_DEFAULT_NAN,
                            .flush_in = x.aux & IR_FP_FLUSH_IN ? 7 : 0,
                            .flush_out = x.aux & IR_FP_FLUSH_OUT ? 7 : 0};
    r = compute(&x);
    if (x.env.flags)
        *((uint8_t *)v + lift->fpflags_slot) |= x.env.flags;
    return r;
}
