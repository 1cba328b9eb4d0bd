/*
 * Soft-float against the host's FPU by the RISC-V rules: results and flags in its four rounding modes, over
 * random and boundary operands; ties-away and odd rounding from what the others give; Arm's rules by vectors.
 */
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/softfloat.h"

static const int host_modes[] = {
    [SF_RNE] = FE_TONEAREST, [SF_RTZ] = FE_TOWARDZERO, [SF_RDN] = FE_DOWNWARD, [SF_RUP] = FE_UPWARD};

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Half of all operands stand at a boundary of the format or one step beside it. */
static uint64_t operand(enum sf_format f)
{
    static const unsigned ebits[] = {5, 8, 11}, fbits[] = {10, 23, 52};
    unsigned eb = ebits[f], fb = fbits[f];
    uint64_t r = random64(), frac = random64() & (BIT(fb) - 1), exp, bias = BIT(eb - 1) - 1;
    const uint64_t exps[] = {0,           1,           2,         bias - 1,
                             bias,        bias + 1,    bias + fb, bias + fb + 1,
                             BIT(eb) - 2, BIT(eb) - 1, bias + 31, bias + 63};
    const uint64_t fracs[] = {0,          1, 2, BIT(fb) - 1, BIT(fb - 1), BIT(fb - 1) - 1, BIT(fb - 1) + 1,
                              BIT(fb) - 2};

    if (!(r & 1))
        return random64() >> (63 - eb - fb);
    exp = (r & 2) ? exps[(r >> 8) % ARRAY_SIZE(exps)] : bias - fb + (r >> 8) % (2 * fb);
    if (r & 4)
        frac = fracs[(r >> 24) % ARRAY_SIZE(fracs)];
    return (r >> 40 & 1) << (eb + fb) | exp << fb | frac;
}

static double as_double(uint64_t v)
{
    double d;

    memcpy(&d, &v, sizeof(d));
    return d;
}

static uint64_t from_double(double d)
{
    uint64_t v;

    memcpy(&v, &d, sizeof(v));
    return v;
}

static float as_float(uint64_t v)
{
    uint32_t w = (uint32_t)v;
    float d;

    memcpy(&d, &w, sizeof(d));
    return d;
}

static uint64_t from_float(float d)
{
    uint32_t v;

    memcpy(&v, &d, sizeof(v));
    return v;
}

static unsigned host_flags(void)
{
    int h = fetestexcept(FE_ALL_EXCEPT);

    return ((h & FE_INEXACT) ? SF_INEXACT : 0) | ((h & FE_UNDERFLOW) ? SF_UNDERFLOW : 0) |
           ((h & FE_OVERFLOW) ? SF_OVERFLOW : 0) | ((h & FE_DIVBYZERO) ? SF_DIVZERO : 0) |
           ((h & FE_INVALID) ? SF_INVALID : 0);
}

enum {
    ADD,
    SUB,
    MUL,
    DIV,
    SQRT,
    FMA,
    CONVERT,
    FROM_S64,
    FROM_U64,
    SIGNAL,
    QUIET,
    ROUND,
    TO_S32,
    TO_U32,
    TO_S64,
    TO_U64,
    OPS
};
static const char *const op_names[] = {"add",     "sub",      "mul",      "div",    "sqrt",  "fma",
                                       "convert", "from_s64", "from_u64", "signal", "quiet", "round",
                                       "to_s32",  "to_u32",   "to_s64",   "to_u64"};

static enum sf_format result_format(unsigned op, enum sf_format f)
{
    return op != CONVERT ? f : f == SF_F32 ? SF_F64 : SF_F32;
}

static unsigned int_width(unsigned op)
{
    return op == TO_S32 || op == TO_U32 ? 32 : 64;
}

static bool int_signed(unsigned op)
{
    return op == TO_S32 || op == TO_S64;
}

static uint64_t soft(unsigned op, enum sf_format f, uint64_t a, uint64_t b, uint64_t c, struct sf_env *e)
{
    switch (op) {
    case ADD:
        return sf_add(f, a, b, e);
    case SUB:
        return sf_sub(f, a, b, e);
    case MUL:
        return sf_mul(f, a, b, e);
    case DIV:
        return sf_div(f, a, b, e);
    case SQRT:
        return sf_sqrt(f, a, e);
    case FMA:
        return sf_fma(f, a, b, c, e);
    case CONVERT:
        return sf_convert(f, result_format(op, f), a, e);
    case FROM_S64:
    case FROM_U64:
        return sf_from_int(f, a, op == FROM_S64, e);
    case SIGNAL:
    case QUIET:
        return (uint64_t)sf_compare(f, a, b, op == QUIET, e);
    case ROUND:
        return sf_round_int(f, a, true, e);
    default:
        return sf_to_int(f, a, int_width(op), int_signed(op), e);
    }
}

static uint64_t host64(unsigned op, uint64_t ai, uint64_t bi, uint64_t ci)
{
    volatile double a = as_double(ai), b = as_double(bi), c = as_double(ci), r = 0;
    volatile float f = 0;

    switch (op) {
    case ADD:
        r = a + b;
        break;
    case SUB:
        r = a - b;
        break;
    case MUL:
        r = a * b;
        break;
    case DIV:
        r = a / b;
        break;
    case SQRT:
        r = sqrt(a);
        break;
    case FMA:
        r = fma(a, b, c);
        break;
    case CONVERT:
        f = (float)a;
        return from_float(f);
    case FROM_S64:
        r = (double)(int64_t)ai;
        break;
    case FROM_U64:
        r = (double)ai;
        break;
    case SIGNAL:
        return (uint64_t)(a < b ? -1 : a > b ? 1 : a == b ? 0 : 2);
    case QUIET:
        return (uint64_t)(isless(a, b) ? -1 : isgreater(a, b) ? 1 : a == b ? 0 : 2);
    case ROUND:
        r = rint(a);
        break;
    }
    return from_double(r);
}

static uint64_t host32(unsigned op, uint64_t ai, uint64_t bi, uint64_t ci)
{
    volatile float a = as_float(ai), b = as_float(bi), c = as_float(ci), r = 0;
    volatile double d = 0;

    switch (op) {
    case ADD:
        r = a + b;
        break;
    case SUB:
        r = a - b;
        break;
    case MUL:
        r = a * b;
        break;
    case DIV:
        r = a / b;
        break;
    case SQRT:
        r = sqrtf(a);
        break;
    case FMA:
        r = fmaf(a, b, c);
        break;
    case CONVERT:
        d = a;
        return from_double(d);
    case FROM_S64:
        r = (float)(int64_t)ai;
        break;
    case FROM_U64:
        r = (float)ai;
        break;
    case SIGNAL:
        return (uint64_t)(a < b ? -1 : a > b ? 1 : a == b ? 0 : 2);
    case QUIET:
        return (uint64_t)(isless(a, b) ? -1 : isgreater(a, b) ? 1 : a == b ? 0 : 2);
    case ROUND:
        r = rintf(a);
        break;
    }
    return from_float(r);
}

/* RISC-V's result (Unprivileged 20240411, 20.7): the host rounds, the range is looked at here. */
static uint64_t host_to_int(unsigned op, enum sf_format f, uint64_t a, unsigned *flags)
{
    double d = f == SF_F64 ? as_double(a) : (double)as_float(a), r;
    double limit = ldexp(1, (int)int_width(op) - int_signed(op)); /* the first value too large */
    volatile double in = d;

    if (isnan(d)) {
        *flags = SF_INVALID;
        r = limit;
    } else {
        r = rint(in);
        *flags = host_flags() & SF_INEXACT;
    }
    if (r >= limit || r < (int_signed(op) ? -limit : 0)) {
        *flags = SF_INVALID;
        if (r < 0)
            return !int_signed(op) ? 0 : (uint64_t)(int_width(op) == 32 ? INT32_MIN : INT64_MIN);
        return !int_signed(op) ? UINT64_MAX : int_width(op) == 32 ? INT32_MAX : INT64_MAX;
    }
    if (int_signed(op))
        return (uint64_t)(int64_t)r;
    return op == TO_U32 ? (uint64_t)(int32_t)(uint32_t)r : (uint64_t)r;
}

static bool inf_times_zero(enum sf_format f, uint64_t a, uint64_t b)
{
    const unsigned inf = 0x81, zero = 0x18; /* FCLASS */
    unsigned x = sf_class(f, a), y = sf_class(f, b);

    return ((x & inf) && (y & zero)) || ((x & zero) && (y & inf));
}

static void one(unsigned op, enum sf_format f, unsigned mode)
{
    bool from_int = op == FROM_S64 || op == FROM_U64;
    uint64_t a = from_int ? random64() >> (random64() & 63) : operand(f), b = operand(f), c = operand(f),
             want, got;
    struct sf_env e = {.rules = &sf_rules_riscv, .round = (uint8_t)mode};
    unsigned flags;

    fesetround(host_modes[mode]);
    feclearexcept(FE_ALL_EXCEPT);
    if (op >= TO_S32) {
        want = host_to_int(op, f, a, &flags);
    } else {
        want = f == SF_F64 ? host64(op, a, b, c) : host32(op, a, b, c);
        flags = host_flags();
    }
    fesetround(FE_TONEAREST);
    got = soft(op, f, a, b, c, &e);
    if (op < TO_S32 && op != SIGNAL && op != QUIET && sf_is_nan(result_format(op, f), want))
        want = sf_default_nan(result_format(op, f), &e);
    /* Not every host raises invalid for inf * 0 + qNaN; RISC-V does (Unprivileged 20240411, 20.6). */
    if (op == FMA && inf_times_zero(f, a, b))
        flags |= SF_INVALID;
    if (got != want || e.flags != flags)
        fail_msg("%s f%u mode %u: %llx %llx %llx gives %llx flags %x, host %llx flags %x", op_names[op],
                 16u << f, mode, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
                 (unsigned long long)got, e.flags, (unsigned long long)want, flags);
}

#define TUPLES 12000000

static void test_host(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TUPLES; i++)
        one(i % OPS, (i / OPS) & 1 ? SF_F32 : SF_F64, (i / OPS / 2) % 4);
}

static uint64_t in_mode(unsigned op, enum sf_format f, const uint64_t *v, unsigned mode, uint8_t *flags)
{
    struct sf_env e = {.rules = &sf_rules_riscv, .round = (uint8_t)mode};
    uint64_t r = soft(op, f, v[0], v[1], v[2], &e);

    *flags = e.flags;
    return r;
}

static const struct {
    unsigned op, mode;
    uint64_t a, b, out;
} round_rows[] = {
    {ROUND, SF_RMM, 0x3fe0000000000000, 0, 0x3ff0000000000000}, /* 0.5 -> 1 */
    {ROUND, SF_RMM, 0xbfe0000000000000, 0, 0xbff0000000000000},
    {ROUND, SF_RMM, 0x4004000000000000, 0, 0x4008000000000000}, /* 2.5 -> 3 */
    {ROUND, SF_RMM, 0x3fdfffffffffffff, 0, 0},
    {ROUND, SF_RMM, 0x4002000000000000, 0, 0x4000000000000000},                /* 2.25 -> 2 */
    {ADD, SF_RMM, 0x3ff0000000000000, 0x3ca0000000000000, 0x3ff0000000000001}, /* 1 + 2^-53 */
    {ADD, SF_RMM, 0xbff0000000000000, 0xbca0000000000000, 0xbff0000000000001}, /* -(1 + 2^-53) */
    {ADD, SF_RMM, 0x3ff0000000000000, 0x3c9fffffffffffff, 0x3ff0000000000000}, /* just below the tie */
    {MUL, SF_RMM, 0x0000000000000001, 0x3fe0000000000000, 0x0000000000000001}, /* 2^-1075 */
    {MUL, SF_RMM, 0x0000000000000001, 0x3fdfffffffffffff, 0x0000000000000000},
    {ADD, SF_RMM, 0x7fefffffffffffff, 0x7c90000000000000, 0x7ff0000000000000}, /* max + half its last place */
    {ADD, SF_RMM, 0x7fefffffffffffff, 0x7c8fffffffffffff, 0x7fefffffffffffff},
    {ADD, SF_ODD, 0x3ff0000000000000, 0x3ca0000000000000, 0x3ff0000000000001},
    {ADD, SF_ODD, 0x3ff0000000000001, 0x3ca0000000000000, 0x3ff0000000000001},
    {ADD, SF_ODD, 0x7fefffffffffffff, 0x7fefffffffffffff, 0x7fefffffffffffff}, /* never infinite */
    {MUL, SF_ODD, 0x0000000000000001, 0x0000000000000001, 0x0000000000000001}, /* nor zero */
};

static void test_round_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(round_rows); i++) {
        const uint64_t v[3] = {round_rows[i].a, round_rows[i].b};
        uint8_t flags;

        assert_int_equal(in_mode(round_rows[i].op, SF_F64, v, round_rows[i].mode, &flags), round_rows[i].out);
        assert_true(flags & SF_INEXACT);
    }
}

/*
 * Ties away is one of the two neighbours, RTZ's and the one away from zero. It is RNE's unless RNE chose an
 * even neighbour towards zero, in a tie. Odd is RTZ's with its last bit set if inexact.
 */
static void modes_agree(unsigned op, enum sf_format f, const uint64_t *v)
{
    uint8_t flags[6];
    uint64_t r[6], away, sign = BIT((16u << f) - 1);
    bool inexact;

    for (unsigned m = 0; m < 6; m++)
        r[m] = in_mode(op, f, v, m, &flags[m]);
    inexact = flags[SF_RTZ] & SF_INEXACT;
    away = (r[SF_RTZ] & sign) ? r[SF_RDN] : r[SF_RUP];
    if (r[SF_RMM] != r[SF_RNE] &&
        !(r[SF_RMM] == away && r[SF_RNE] == r[SF_RTZ] && !(r[SF_RNE] & 1) && inexact))
        fail_msg("%s f%u RMM: %llx %llx %llx: %llx, RNE %llx RTZ %llx", op_names[op], 16u << f,
                 (unsigned long long)v[0], (unsigned long long)v[1], (unsigned long long)v[2],
                 (unsigned long long)r[SF_RMM], (unsigned long long)r[SF_RNE], (unsigned long long)r[SF_RTZ]);
    if (r[SF_ODD] != (r[SF_RTZ] | inexact) || flags[SF_ODD] != flags[SF_RTZ])
        fail_msg("%s f%u ODD: %llx %llx %llx: %llx flags %x, RTZ %llx flags %x", op_names[op], 16u << f,
                 (unsigned long long)v[0], (unsigned long long)v[1], (unsigned long long)v[2],
                 (unsigned long long)r[SF_ODD], flags[SF_ODD], (unsigned long long)r[SF_RTZ], flags[SF_RTZ]);
    for (unsigned m = 0; m < 5; m++)
        assert_int_equal(flags[m] & (SF_INEXACT | SF_INVALID | SF_DIVZERO),
                         flags[SF_RTZ] & (SF_INEXACT | SF_INVALID | SF_DIVZERO));
}

static void test_modes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        enum sf_format f = i % 3;
        const uint64_t v[3] = {operand(f), operand(f), operand(f)};

        modes_agree(i / 3 % (FMA + 1), f, v);
    }
}

/* f32 products and sums by f64, which holds the former and often the latter exactly: ties are seen there. */
static void test_ties_by_f64(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500000; i++) {
        const uint64_t v[3] = {operand(SF_F32), operand(SF_F32)};
        struct sf_env e = {.rules = &sf_rules_riscv};
        uint64_t wide[3] = {sf_convert(SF_F32, SF_F64, v[0], &e), sf_convert(SF_F32, SF_F64, v[1], &e), 0};
        unsigned op = i & 1 ? MUL : ADD, mode = i & 2 ? SF_RMM : SF_RNE;
        uint8_t flags, wide_flags;
        uint64_t got = in_mode(op, SF_F32, v, mode, &flags);

        wide[0] = in_mode(op, SF_F64, wide, mode, &wide_flags);
        if (!(wide_flags & SF_INEXACT))
            assert_int_equal(got, in_mode(CONVERT, SF_F64, wide, mode, &wide_flags));
    }
}

static void test_to_int(void **state)
{
    static const struct {
        uint64_t in;
        unsigned width;
        bool is_signed;
        uint64_t out;
        unsigned flags;
    } rows[] = {
        {0x7ff8000000000000, 32, true, 0x7fffffff, SF_INVALID},
        {0x7ff8000000000000, 64, false, UINT64_MAX, SF_INVALID},
        {0x41e0000000000000, 32, true, 0x7fffffff, SF_INVALID},          /* 2^31 */
        {0xc1e0000000000000, 32, true, 0xffffffff80000000, 0},           /* -2^31 */
        {0x41dfffffffc00000, 32, true, 0x7fffffff, 0},                   /* 2^31 - 1 */
        {0x41efffffffe00000, 32, false, 0xffffffffffffffff, 0},          /* 2^32 - 1, sign-extended */
        {0x41f0000000000000, 32, false, 0xffffffffffffffff, SF_INVALID}, /* 2^32 */
        {0xbff0000000000000, 32, false, 0, SF_INVALID},                  /* -1 */
        {0xbfe0000000000000, 64, false, 0, SF_INEXACT},                  /* -0.5 */
        {0x43f0000000000000, 64, false, UINT64_MAX, SF_INVALID},         /* 2^64 */
        {0xc3e0000000000000, 64, true, 0x8000000000000000, 0},           /* -2^63 */
        {0xfff0000000000000, 64, true, 0x8000000000000000, SF_INVALID},  /* -inf */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sf_env e = {.rules = &sf_rules_riscv};

        assert_int_equal(sf_to_int(SF_F64, rows[i].in, rows[i].width, rows[i].is_signed, &e), rows[i].out);
        assert_int_equal(e.flags, rows[i].flags);
    }
}

static void test_min_max_class_round(void **state)
{
    struct sf_env e = {.rules = &sf_rules_riscv};
    const uint64_t nan = 0x7fc00000, snan = 0x7f800001, one_f = 0x3f800000, minus_zero = 0x80000000;

    (void)state;
    assert_int_equal(sf_min(SF_F32, nan, one_f, &e), one_f);
    assert_int_equal(e.flags, 0);
    assert_int_equal(sf_max(SF_F32, snan, one_f, &e), one_f);
    assert_int_equal(e.flags, SF_INVALID);
    assert_int_equal(sf_min(SF_F32, 0, minus_zero, &e), minus_zero);
    assert_int_equal(sf_max(SF_F32, minus_zero, 0, &e), 0);
    assert_int_equal(sf_min(SF_F32, snan, nan, &e), nan);
    assert_int_equal(sf_class(SF_F32, minus_zero), 1 << 3);
    assert_int_equal(sf_class(SF_F32, 1), 1 << 5);
    assert_int_equal(sf_class(SF_F32, snan), 1 << 8);
    assert_int_equal(sf_class(SF_F32, 0xff800000), 1 << 0);
    assert_int_equal(sf_class(SF_F32, 0x007fffff), 1 << 5);
    assert_int_equal(sf_class(SF_F32, 0x00800000), 1 << 6);
    assert_int_equal(sf_class(SF_F32, 0x807fffff), 1 << 2);
    assert_int_equal(sf_class(SF_F32, 0xff7fffff), 1 << 1);
    assert_int_equal(sf_class(SF_F32, 0x7f800000), 1 << 7);
    assert_int_equal(sf_class(SF_F32, 0xffc00000), 1 << 9);
    e.flags = 0;
    assert_int_equal(sf_round_int(SF_F32, 0x3fc00000, false, &e), 0x40000000); /* 1.5 */
    assert_int_equal(e.flags, 0);
}

/* ---- the rules of Arm (Arm ARM DDI 0487: FPProcessNaNs, FPMulAdd, FPRound, FPUnpack, FPToFixed) ---- */

#define QNAN_A   0x7fc00001u
#define QNAN_B   0xffc00002u
#define SNAN_A   0x7f800003u
#define SNAN_B   0xff800004u
#define DEFAULT  0x7fc00000u
#define INFINITE 0x7f800000u
#define FZ       (BIT(SF_F32) | BIT(SF_F64))
#define FZ16     BIT(SF_F16)

static const struct {
    unsigned op;
    enum sf_format f;
    bool dn;
    uint8_t fz;
    uint64_t a, b, c, out;
    uint8_t flags;
} arm_rows[] = {
    {ADD, SF_F32, false, 0, QNAN_A, QNAN_B, 0, QNAN_A, 0},
    {ADD, SF_F32, false, 0, QNAN_A, SNAN_B, 0, SNAN_B | 0x400000, SF_INVALID},
    {SUB, SF_F32, false, 0, 0, QNAN_B, 0, QNAN_B, 0}, /* its sign is not changed */
    {MUL, SF_F32, true, 0, QNAN_A, QNAN_B, 0, DEFAULT, 0},
    {SQRT, SF_F32, false, 0, SNAN_A, 0, 0, SNAN_A | 0x400000, SF_INVALID},
    {SQRT, SF_F32, false, 0, 0xbf800000, 0, 0, DEFAULT, SF_INVALID},
    {FMA, SF_F32, false, 0, QNAN_A, 0, QNAN_B, QNAN_B, 0}, /* the addend first */
    {FMA, SF_F32, false, 0, SNAN_A, QNAN_B, SNAN_B, SNAN_B | 0x400000, SF_INVALID},
    {FMA, SF_F32, false, 0, INFINITE, 0, QNAN_A, DEFAULT, SF_INVALID},
    {FMA, SF_F32, false, 0, INFINITE, 0, SNAN_A, SNAN_A | 0x400000, SF_INVALID},
    {CONVERT, SF_F32, false, 0, QNAN_B, 0, 0, 0xfff8000040000000, 0},
    {CONVERT, SF_F64, false, 0, 0x7ff4000020000000, 0, 0, 0x7fe00001, SF_INVALID},
    /* 2^-126 - 2^-159: tiny before rounding, though 24 bits of it are 2^-126 (see test_tiny_after). */
    {FMA, SF_F32, false, 0, 1, 0xba800000, 0x00800000, 0x00800000, SF_INEXACT | SF_UNDERFLOW},
    {FMA, SF_F32, false, BIT(SF_F16), 1, 0xba800000, 0x00800000, 0x00800000, SF_INEXACT | SF_UNDERFLOW},
    {MUL, SF_F32, false, 0, 0x00ffffff, 0x3f000000, 0, 0x00800000, SF_INEXACT | SF_UNDERFLOW},
    {MUL, SF_F32, false, FZ, 0x00ffffff, 0x3f000000, 0, 0, SF_UNDERFLOW},
    {MUL, SF_F32, false, FZ, 0x80ffffff, 0x3f000000, 0, 0x80000000, SF_UNDERFLOW},
    {ADD, SF_F32, false, FZ, 0x00000001, 0x00800000, 0, 0x00800000, SF_INPUT_DENORMAL},
    {ADD, SF_F32, false, FZ16, 0x00000001, 0x00800000, 0, 0x00800001, 0},
    {ADD, SF_F16, false, FZ, 0x0001, 0x0400, 0, 0x0401, 0},
    {ADD, SF_F16, false, FZ16, 0x0001, 0x0400, 0, 0x0400, 0}, /* FZ16 raises no input denormal */
    {CONVERT, SF_F32, false, FZ, 0x80000001, 0, 0, BIT(63), SF_INPUT_DENORMAL},
    {QUIET, SF_F32, false, FZ, 0x00000001, 0, 0, 0, SF_INPUT_DENORMAL},
    {TO_S32, SF_F32, false, 0, QNAN_A, 0, 0, 0, SF_INVALID},
    {TO_S32, SF_F32, false, 0, INFINITE, 0, 0, INT32_MAX, SF_INVALID},
    {TO_U64, SF_F32, false, 0, 0xbf800000, 0, 0, 0, SF_INVALID},
};

static void test_arm(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(arm_rows); i++) {
        struct sf_env e = {.rules = &sf_rules_arm,
                           .default_nan = arm_rows[i].dn,
                           .flush_in = arm_rows[i].fz,
                           .flush_out = arm_rows[i].fz};
        uint64_t r = soft(arm_rows[i].op, arm_rows[i].f, arm_rows[i].a, arm_rows[i].b, arm_rows[i].c, &e);

        if (r != arm_rows[i].out || e.flags != arm_rows[i].flags)
            fail_msg("row %zu, %s: %llx flags %x", i, op_names[arm_rows[i].op], (unsigned long long)r,
                     e.flags);
    }
}

static void test_tiny_after(void **state)
{
    struct sf_env e = {.rules = &sf_rules_riscv};

    (void)state;
    assert_int_equal(sf_fma(SF_F32, 1, 0xba800000, 0x00800000, &e), 0x00800000);
    assert_int_equal(e.flags, SF_INEXACT);
}

/* To f16 and back FZ16 counts for nothing (FPUnpackCV, FPRoundCV); min gives a flushed operand as zero. */
static void test_arm_half(void **state)
{
    struct sf_env e = {.rules = &sf_rules_arm, .flush_in = FZ | FZ16, .flush_out = FZ | FZ16};

    (void)state;
    assert_int_equal(sf_convert(SF_F16, SF_F32, 0x0001, &e), 0x33800000);
    assert_int_equal(sf_convert(SF_F32, SF_F16, 0x33800000, &e), 0x0001);
    assert_int_equal(e.flags, 0);
    assert_int_equal(sf_min(SF_F32, 0x80000001, 0x3f800000, &e), 0x80000000);
    assert_int_equal(e.flags, SF_INPUT_DENORMAL);
}

/* FCVTXN's use: f64 to f32 by odd, then to f16 to nearest, rounds once. */
static void test_odd_then_nearest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500000; i++) {
        uint64_t x = operand(SF_F64), twice, once;
        struct sf_env odd = {.rules = &sf_rules_arm, .round = SF_ODD}, near = {.rules = &sf_rules_arm};

        if (i & 1) /* within f16's range, most of it at a tie and just beside it */
            x = (x & ~(UINT64_C(0x7ff) << 52)) | (1023 - 26 + random64() % 44) << 52;
        once = sf_convert(SF_F64, SF_F16, x, &near);
        twice = sf_convert(SF_F32, SF_F16, sf_convert(SF_F64, SF_F32, x, &odd), &near);
        if (once != twice)
            fail_msg("%llx: %llx, by f32 %llx", (unsigned long long)x, (unsigned long long)once,
                     (unsigned long long)twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),       cmocka_unit_test(test_round_rows),
        cmocka_unit_test(test_modes),      cmocka_unit_test(test_ties_by_f64),
        cmocka_unit_test(test_to_int),     cmocka_unit_test(test_min_max_class_round),
        cmocka_unit_test(test_tiny_after), cmocka_unit_test(test_arm),
        cmocka_unit_test(test_arm_half),   cmocka_unit_test(test_odd_then_nearest),
    };

    return cmocka_run_group_tests_name("softfloat", tests, NULL, NULL);
}
