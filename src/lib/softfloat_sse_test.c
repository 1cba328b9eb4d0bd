/*
 * Soft-float against the instructions of a host with SSE: by the x86 rules every bit counts, NaN payloads,
 * flush-to-zero and conversions out of range too; and f16 by the RISC-V rules, with F16C as the judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/softfloat.h"

#ifdef __SSE2__

#define MXCSR_MASKED 0x1f80u
#define MXCSR_DAZ    0x40u
#define MXCSR_FTZ    0x8000u

static uint64_t random_state = 0x6a09e667f3bcc909;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Half of the operands have an exponent and a fraction at or one step beside a boundary. */
static uint64_t operand(enum sf_format f)
{
    static const unsigned ebits[] = {5, 8, 11}, fbits[] = {10, 23, 52};
    unsigned eb = ebits[f], fb = fbits[f];
    uint64_t r = random64(), bias = BIT(eb - 1) - 1, top = BIT(eb) - 1, frac = random64() & (BIT(fb) - 1);
    const uint64_t exps[] = {
        0,        0,         1,         2,  bias - 1, bias, bias + 1, bias + fb,
        bias - 1, bias + 31, bias + 63, fb, bias / 2, top,  top - 1,  top / 2 + bias / 2};
    const uint64_t fracs[] = {0, 0, 1, 2, BIT(fb - 1), BIT(fb - 1) + 1, BIT(fb - 1) - 1, BIT(fb) - 1};

    if (r & 1)
        return random64() >> (63 - eb - fb);
    if (r & 2)
        frac = fracs[(r >> 8) % ARRAY_SIZE(fracs)];
    return (r >> 16 & 1) << (eb + fb) | MIN(exps[(r >> 24) % ARRAY_SIZE(exps)], top) << fb | frac;
}

/* ---- one instruction each; MXCSR is the program's own again after it ---- */

static uint32_t mxcsr_swap(uint32_t new_value)
{
    uint32_t old;

    __asm__ volatile("stmxcsr %0" : "=m"(old));
    __asm__ volatile("ldmxcsr %0" ::"m"(new_value));
    return old;
}

/* Flags of MXCSR: IE 0, DE 1, ZE 2, OE 3, UE 4, PE 5 (Intel SDM 1, 10.2.3). DE has no counterpart here. */
static uint8_t sf_flags(uint32_t mxcsr)
{
    return (uint8_t)(((mxcsr & 1) ? SF_INVALID : 0) | ((mxcsr & 4) ? SF_DIVZERO : 0) |
                     ((mxcsr & 8) ? SF_OVERFLOW : 0) | ((mxcsr & 16) ? SF_UNDERFLOW : 0) |
                     ((mxcsr & 32) ? SF_INEXACT : 0));
}

static uint32_t mxcsr_round(unsigned mode)
{
    static const uint32_t rc[] = {[SF_RNE] = 0, [SF_RDN] = 1, [SF_RUP] = 2, [SF_RTZ] = 3};

    return MXCSR_MASKED | rc[mode] << 13;
}

typedef double vec __attribute__((vector_size(16)));

static vec vec_of(uint64_t bits)
{
    uint64_t both[2] = {bits, 0};
    vec v;

    memcpy(&v, both, sizeof(v));
    return v;
}

static uint64_t bits_of(vec v, enum sf_format f)
{
    uint64_t both[2];

    memcpy(both, &v, sizeof(v));
    return f == SF_F64 ? both[0] : both[0] & (UINT64_MAX >> (64 - (16u << f)));
}

enum { ADD, SUB, MUL, DIV, SQRT, FMA, CONVERT, TO_S32, TO_S64, ARITH = FMA + 1, OPS = TO_S64 + 1 };
static const char *const op_names[] = {"add", "sub",     "mul",    "div",   "sqrt",
                                       "fma", "convert", "to_s32", "to_s64"};

#define BINARY(insn, x, y) __asm__ volatile(insn " %1, %0" : "+x"(x) : "x"(y))
#define TO_INT(insn, r, x) __asm__ volatile(insn " %1, %0" : "=r"(r) : "x"(x))

static uint64_t host64(unsigned op, vec x, vec y, vec z)
{
    int32_t narrow;
    int64_t wide;

    switch (op) {
    case ADD:
        BINARY("addsd", x, y);
        break;
    case SUB:
        BINARY("subsd", x, y);
        break;
    case MUL:
        BINARY("mulsd", x, y);
        break;
    case DIV:
        BINARY("divsd", x, y);
        break;
    case SQRT:
        BINARY("sqrtsd", x, x);
        break;
    case FMA: /* y = x * y + z: of the NaNs, x's is taken before y's */
        __asm__ volatile("vfmadd213sd %2, %1, %0" : "+x"(y) : "x"(x), "x"(z));
        return bits_of(y, SF_F64);
    case CONVERT:
        BINARY("cvtsd2ss", x, x);
        return bits_of(x, SF_F32);
    case TO_S32:
        TO_INT("cvtsd2si", narrow, x);
        return (uint64_t)(int64_t)narrow;
    default:
        TO_INT("cvtsd2si", wide, x);
        return (uint64_t)wide;
    }
    return bits_of(x, SF_F64);
}

static uint64_t host32(unsigned op, vec x, vec y, vec z)
{
    int32_t narrow;
    int64_t wide;

    switch (op) {
    case ADD:
        BINARY("addss", x, y);
        break;
    case SUB:
        BINARY("subss", x, y);
        break;
    case MUL:
        BINARY("mulss", x, y);
        break;
    case DIV:
        BINARY("divss", x, y);
        break;
    case SQRT:
        BINARY("sqrtss", x, x);
        break;
    case FMA:
        __asm__ volatile("vfmadd213ss %2, %1, %0" : "+x"(y) : "x"(x), "x"(z));
        return bits_of(y, SF_F32);
    case CONVERT:
        BINARY("cvtss2sd", x, x);
        return bits_of(x, SF_F64);
    case TO_S32:
        TO_INT("cvtss2si", narrow, x);
        return (uint64_t)(int64_t)narrow;
    default:
        TO_INT("cvtss2si", wide, x);
        return (uint64_t)wide;
    }
    return bits_of(x, SF_F32);
}

static uint64_t host(unsigned op, enum sf_format f, const uint64_t *v, uint32_t mxcsr, uint8_t *flags)
{
    vec x = vec_of(v[0]), y = vec_of(v[1]), z = vec_of(v[2]);
    uint32_t own = mxcsr_swap(mxcsr);
    uint64_t r = f == SF_F64 ? host64(op, x, y, z) : host32(op, x, y, z);

    *flags = sf_flags(mxcsr_swap(own));
    return r;
}

static uint64_t soft(unsigned op, enum sf_format f, const uint64_t *v, struct sf_env *e)
{
    switch (op) {
    case ADD:
        return sf_add(f, v[0], v[1], e);
    case SUB:
        return sf_sub(f, v[0], v[1], e);
    case MUL:
        return sf_mul(f, v[0], v[1], e);
    case DIV:
        return sf_div(f, v[0], v[1], e);
    case SQRT:
        return sf_sqrt(f, v[0], e);
    case FMA:
        return sf_fma(f, v[0], v[1], v[2], e);
    case CONVERT:
        return sf_convert(f, f == SF_F32 ? SF_F64 : SF_F32, v[0], e);
    default:
        return sf_to_int(f, v[0], op == TO_S32 ? 32 : 64, true, e);
    }
}

static void expect(const char *what, enum sf_format f, const struct sf_env *e, const uint64_t *v,
                   uint64_t got, uint64_t want, uint8_t want_flags)
{
    if (got != want || e->flags != want_flags)
        fail_msg("%s f%u mode %u flush %x %x: %llx %llx %llx gives %llx flags %x, host %llx flags %x", what,
                 16u << f, e->round, e->flush_in, e->flush_out, (unsigned long long)v[0],
                 (unsigned long long)v[1], (unsigned long long)v[2], (unsigned long long)got, e->flags,
                 (unsigned long long)want, want_flags);
}

static void x86_one(unsigned op, enum sf_format f, unsigned mode, bool daz, bool ftz)
{
    const uint64_t v[3] = {operand(f), operand(f), operand(f)};
    const uint8_t all = BIT(SF_F32) | BIT(SF_F64);
    struct sf_env e = {.rules = &sf_rules_x86,
                       .round = (uint8_t)mode,
                       .flush_in = daz ? all : 0,
                       .flush_out = ftz ? all : 0};
    uint8_t flags;
    uint64_t want = host(op, f, v, mxcsr_round(mode) | (daz ? MXCSR_DAZ : 0) | (ftz ? MXCSR_FTZ : 0), &flags);

    expect(op_names[op], f, &e, v, soft(op, f, v, &e), want, flags);
}

#define TUPLES 6000000

static void test_x86(void **state)
{
    bool fma = __builtin_cpu_supports("fma");

    (void)state;
    for (unsigned i = 0; i < TUPLES; i++) {
        unsigned op = i % OPS, r = i / OPS;

        if (op != FMA || fma)
            x86_one(op, (r & 1) ? SF_F32 : SF_F64, r >> 1 & 3, r >> 3 & 1, r >> 4 & 1);
    }
}

/* ---- f16: every CPU with AVX2 has F16C ---- */

static uint64_t f16_from_f32(uint64_t x, uint32_t mxcsr, uint8_t *flags)
{
    vec v = vec_of(x);
    uint32_t own = mxcsr_swap(mxcsr);

    __asm__ volatile("vcvtps2ph $4, %0, %0" : "+x"(v)); /* 4: rounding as MXCSR says */
    *flags = sf_flags(mxcsr_swap(own));
    return bits_of(v, SF_F16);
}

static uint64_t f32_from_f16(uint64_t x, uint8_t *flags)
{
    vec v = vec_of(x);
    uint32_t own = mxcsr_swap(MXCSR_MASKED | MXCSR_DAZ);

    __asm__ volatile("vcvtph2ps %0, %0" : "+x"(v));
    *flags = sf_flags(mxcsr_swap(own));
    return bits_of(v, SF_F32);
}

/* Its only flag is SF_INVALID, of a signalling NaN. */
static uint64_t f64_from_f16(uint64_t x, uint8_t *flags)
{
    uint8_t widened, none;
    const uint64_t v[3] = {f32_from_f16(x, &widened)};

    *flags |= widened;
    return host(CONVERT, SF_F32, v, MXCSR_MASKED, &none);
}

/* An f32 near an f16 boundary: every other one stands at a half of f16's last place, or beside it. */
static uint64_t narrow_source(void)
{
    uint64_t r = random64(), x = (r & 0x80000000) | (127 - 27 + (r >> 40) % 46) << 23 | (r & 0x7fffff);

    if (r >> 60 & 1)
        x = (x & ~UINT64_C(0x1fff)) | (0x1000 + (r >> 50) % 3 - 1);
    return (r >> 61 & 3) ? x : operand(SF_F32);
}

static void test_half_convert(void **state)
{
    uint8_t flags;

    (void)state;
    if (!__builtin_cpu_supports("avx2"))
        skip();
    for (uint64_t x = 0; x < 0x10000; x++) {
        struct sf_env e = {.rules = &sf_rules_x86, .flush_in = 7, .flush_out = 7};
        const uint64_t v[3] = {x}, want = f32_from_f16(x, &flags);

        expect("widen", SF_F16, &e, v, sf_convert(SF_F16, SF_F32, x, &e), want, flags);
    }
    for (unsigned i = 0; i < 2000000; i++) {
        const uint64_t v[3] = {narrow_source()};
        struct sf_env e = {.rules = &sf_rules_x86, .round = i & 3, .flush_out = 7};
        const uint64_t want = f16_from_f32(v[0], mxcsr_round(i & 3) | MXCSR_FTZ, &flags);

        expect("narrow", SF_F16, &e, v, sf_convert(SF_F32, SF_F16, v[0], &e), want, flags);
    }
}

/* The value rounded to odd from the one cut towards zero: later rounding to 2 bits fewer is then exact. */
static uint64_t odd_if_inexact(uint64_t cut, uint8_t flags)
{
    return cut | ((flags & SF_INEXACT) ? 1 : 0);
}

/*
 * f16 arithmetic by the host: f64 with rounding to odd, f32 with rounding to odd, then F16C in the mode
 * asked. Nothing on the way over- or underflows: f16 products and quotients lie within 2^-48 .. 2^40.
 */
static uint64_t half_by_host(unsigned op, const uint64_t *v, unsigned mode, uint8_t *flags)
{
    uint64_t wide[3] = {0}, x[3] = {0}, r;
    uint8_t first, cut, signalling = 0;

    for (unsigned i = 0; i < (op == FMA ? 3 : op == SQRT ? 1 : 2); i++)
        wide[i] = f64_from_f16(v[i], &signalling);
    x[0] = host(op, SF_F64, wide, mxcsr_round(SF_RTZ), &first);
    if (!(x[0] << 1) && !(first & SF_INEXACT)) /* an exact zero: its sign depends on the mode */
        x[0] = host(op, SF_F64, wide, mxcsr_round(mode), &first);
    x[0] = odd_if_inexact(x[0], first);
    r = host(CONVERT, SF_F64, x, mxcsr_round(SF_RTZ), &cut);
    r = f16_from_f32(odd_if_inexact(r, cut), mxcsr_round(mode), flags);
    *flags |= signalling | (first & (SF_INVALID | SF_DIVZERO));
    return r;
}

static bool inf_times_zero(uint64_t a, uint64_t b)
{
    a &= 0x7fff;
    b &= 0x7fff;
    return (a == 0x7c00 && b == 0) || (a == 0 && b == 0x7c00);
}

static void test_half_arithmetic(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        skip();
    for (unsigned i = 0; i < 2000000; i++) {
        const uint64_t v[3] = {operand(SF_F16), operand(SF_F16), operand(SF_F16)};
        unsigned op = i % ARITH, mode = i / ARITH & 3;
        struct sf_env e = {.rules = &sf_rules_riscv, .round = (uint8_t)mode};
        uint8_t flags;
        uint64_t want = half_by_host(op, v, mode, &flags), got = soft(op, SF_F16, v, &e);

        if (sf_is_nan(SF_F16, want))
            want = 0x7e00;
        if (op == FMA && inf_times_zero(v[0], v[1])) /* + qNaN: nothing on x86 */
            flags |= SF_INVALID;
        expect(op_names[op], SF_F16, &e, v, got, want, flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x86),
        cmocka_unit_test(test_half_convert),
        cmocka_unit_test(test_half_arithmetic),
    };

    return cmocka_run_group_tests_name("softfloat_sse", tests, NULL, NULL);
}

#else

static void test_skipped(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skipped)};

    return cmocka_run_group_tests_name("softfloat_sse", tests, NULL, NULL);
}

#endif
