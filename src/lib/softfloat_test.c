/*
 * Soft-float against the host's FPU: results and flags in its four rounding modes, over random and boundary
 * operands; ties-away and odd rounding by their definition.
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
    TO_S32,
    TO_S64,
    TO_U64,
    FROM_S64,
    FROM_U64,
    LT,
    EQ,
    ROUND,
    OPS
};
static const char *const op_names[] = {"add",      "sub",      "mul",    "div",    "sqrt",
                                       "fma",      "convert",  "to_s32", "to_s64", "to_u64",
                                       "from_s64", "from_u64", "lt",     "eq",     "round"};

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
        return sf_convert(f, f == SF_F32 ? SF_F64 : SF_F32, a, e);
    case TO_S32:
        return sf_to_int(f, a, 32, true, e);
    case TO_S64:
        return sf_to_int(f, a, 64, true, e);
    case TO_U64:
        return sf_to_int(f, a, 64, false, e);
    case FROM_S64:
        return sf_from_int(f, a, true, e);
    case FROM_U64:
        return sf_from_int(f, a, false, e);
    case LT:
        return sf_compare(f, a, b, false, e) == -1;
    case EQ:
        return sf_compare(f, a, b, true, e) == 0;
    default:
        return sf_round_int(f, a, true, e);
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
    case LT:
        return a < b;
    case EQ:
        return a == b;
    case TO_S32:
    case TO_S64:
        return (uint64_t)(op == TO_S32 ? (long)__builtin_rint(a) : llrint(a));
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
    case LT:
        return a < b;
    case EQ:
        return a == b;
    case TO_S64:
        return (uint64_t)llrintf(a);
    case ROUND:
        r = rintf(a);
        break;
    }
    return from_float(r);
}

/* Where the host's own rule differs, or libm computes it in another way, only ours is looked at elsewhere. */
static bool comparable(unsigned op, enum sf_format f, uint64_t a)
{
    bool to_int = op == TO_S32 || op == TO_S64 || op == TO_U64;

    if (op == TO_U64 || op == TO_S32)
        return false;
    if (to_int) {
        struct sf_env e = {.rules = &sf_rules_riscv};

        sf_to_int(f, a, 64, true, &e);
        return !(e.flags & SF_INVALID);
    }
    return true;
}

static void one(unsigned op, enum sf_format f, unsigned mode)
{
    bool from_int = op == FROM_S64 || op == FROM_U64;
    uint64_t a = from_int ? random64() >> (random64() & 63) : operand(f), b = operand(f), c = operand(f),
             want, got;
    struct sf_env e = {.rules = &sf_rules_riscv, .round = (uint8_t)mode};
    enum sf_format rf = op == CONVERT ? (f == SF_F32 ? SF_F64 : SF_F32) : f;
    bool fp_result = op != TO_S32 && op != TO_S64 && op != TO_U64 && op != LT && op != EQ;
    unsigned flags;

    if (!comparable(op, f, a))
        return;
    fesetround(host_modes[mode]);
    feclearexcept(FE_ALL_EXCEPT);
    want = f == SF_F64 ? host64(op, a, b, c) : host32(op, a, b, c);
    flags = host_flags();
    fesetround(FE_TONEAREST);
    got = soft(op, f, a, b, c, &e);
    if (fp_result && sf_is_nan(rf, want))
        want = sf_default_nan(rf, &e);
    /* x86's FMA raises nothing for inf * 0 + qNaN; RISC-V does (Unprivileged, 21.6). */
    if (op == FMA && (e.flags ^ flags) == SF_INVALID && sf_is_nan(f, c))
        flags = e.flags;
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

/*
 * f16: the exact result of an operation on f16 numbers is a double (products of 22 bits, sums of at most 41),
 * so f64 with rounding to odd, then to f16, rounds once.
 */
static void test_half(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        uint64_t a = operand(SF_F16), b = operand(SF_F16), want, got, wa, wb;
        struct sf_env e = {.rules = &sf_rules_riscv, .round = (uint8_t)(i / 5 % 5)};
        struct sf_env odd = {.rules = &sf_rules_riscv, .round = SF_ODD};
        struct sf_env wide = {.rules = &sf_rules_riscv};
        unsigned op = i % 5;

        wa = sf_convert(SF_F16, SF_F64, a, &wide);
        wb = sf_convert(SF_F16, SF_F64, b, &wide);
        got = soft(op, SF_F16, a, b, 0, &e);
        want = soft(op, SF_F64, wa, wb, 0, &odd);
        wide.round = e.round;
        wide.flags = 0;
        if (want == 0 || want == BIT(63))
            want = sf_is_nan(SF_F16, got)
                       ? want
                       : sf_convert(SF_F64, SF_F16, soft(op, SF_F64, wa, wb, 0, &wide), &wide);
        else
            want = sf_convert(SF_F64, SF_F16, want, &wide);
        if (got != want)
            fail_msg("%s f16 mode %u: %llx %llx gives %llx, not %llx", op_names[op], e.round,
                     (unsigned long long)a, (unsigned long long)b, (unsigned long long)got,
                     (unsigned long long)want);
    }
}

/* Ties away: equal to nearest-even unless the exact value is a tie, and then the one of larger magnitude. */
static void test_ties_away(void **state)
{
    static const struct {
        uint64_t in, out;
    } rows[] = {
        {0x3fe0000000000000, 0x3ff0000000000000}, /* 0.5 -> 1 */
        {0xbfe0000000000000, 0xbff0000000000000},
        {0x4004000000000000, 0x4008000000000000}, /* 2.5 -> 3 */
        {0x3fdfffffffffffff, 0},
        {0x4002000000000000, 0x4000000000000000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sf_env e = {.rules = &sf_rules_riscv, .round = SF_RMM};

        assert_int_equal(sf_round_int(SF_F64, rows[i].in, false, &e), rows[i].out);
    }
    for (unsigned i = 0; i < 500000; i++) {
        uint64_t a = operand(SF_F32), b = operand(SF_F32);
        struct sf_env away = {.rules = &sf_rules_riscv, .round = SF_RMM}, even = {.rules = &sf_rules_riscv};
        struct sf_env down = {.rules = &sf_rules_riscv, .round = SF_RTZ};
        uint64_t x = sf_mul(SF_F32, a, b, &away), y = sf_mul(SF_F32, a, b, &even),
                 z = sf_mul(SF_F32, a, b, &down);

        assert_true(x == y || (x == z + 1 && y == z));
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

static void test_min_max_class(void **state)
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),   cmocka_unit_test(test_half),          cmocka_unit_test(test_ties_away),
        cmocka_unit_test(test_to_int), cmocka_unit_test(test_min_max_class),
    };

    return cmocka_run_group_tests_name("softfloat", tests, NULL, NULL);
}
