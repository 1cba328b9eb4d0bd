/* Floating point as A64 has it: see fp.h. Names in comments are those of the manual's pseudocode. */
#include "guest/arm64/fp.h"
#include "guest/arm64/cpu.h"

/* ---- formats ---- */

static const struct {
    uint8_t frac, exp; /* widths */
} formats[SF_FORMATS] = {[SF_F16] = {10, 5}, [SF_F32] = {23, 8}, [SF_F64] = {52, 11}};

static unsigned frac_bits(enum sf_format f)
{
    return formats[f].frac;
}

static uint64_t exp_max(enum sf_format f)
{
    return BIT(formats[f].exp) - 1;
}

static uint64_t exp_of(enum sf_format f, uint64_t a)
{
    return a >> frac_bits(f) & exp_max(f);
}

static uint64_t frac_of(enum sf_format f, uint64_t a)
{
    return a & (BIT(frac_bits(f)) - 1);
}

static bool sign_of(enum sf_format f, uint64_t a)
{
    return a >> (arm64_fp_bits(f) - 1) & 1;
}

static uint64_t assemble(enum sf_format f, bool sign, uint64_t exp, uint64_t frac)
{
    return (uint64_t)sign << (arm64_fp_bits(f) - 1) | exp << frac_bits(f) | frac;
}

static uint64_t infinity(enum sf_format f, bool sign)
{
    return assemble(f, sign, exp_max(f), 0);
}

/* 2^power times 1, or 1.5. */
static uint64_t power(enum sf_format f, int power, bool and_half)
{
    return assemble(f, false, (exp_max(f) >> 1) + (uint64_t)(int64_t)power,
                    and_half ? BIT(frac_bits(f) - 1) : 0);
}

static bool is_inf(enum sf_format f, uint64_t a)
{
    return exp_of(f, a) == exp_max(f) && !frac_of(f, a);
}

static bool flushes(enum sf_format f, const struct sf_env *e)
{
    return e->flush_in & BIT(f);
}

/* Zero, or a denormal that counts as one; does not set flags. */
static bool is_zero(enum sf_format f, uint64_t a, const struct sf_env *e)
{
    return !exp_of(f, a) && (!frac_of(f, a) || flushes(f, e));
}

/* FPUnpack() of an operand that no softfloat operation will see. */
static uint64_t flush_input(enum sf_format f, uint64_t a, struct sf_env *e)
{
    if (exp_of(f, a) || !frac_of(f, a) || !flushes(f, e))
        return a;
    e->flags |= e->rules->flush_in_flag & BIT(f) ? SF_INPUT_DENORMAL : 0;
    return assemble(f, sign_of(f, a), 0, 0);
}

/* ---- the environment ---- */

unsigned arm64_fp_round(uint64_t mode, unsigned a64_round)
{
    static const uint8_t rounds[] = {[A64_ROUND_EVEN] = SF_RNE,
                                     [A64_ROUND_UP] = SF_RUP,
                                     [A64_ROUND_DOWN] = SF_RDN,
                                     [A64_ROUND_ZERO] = SF_RTZ,
                                     [A64_ROUND_AWAY] = SF_RMM};

    if (a64_round == A64_ROUND_FPCR)
        a64_round = (unsigned)a64_field_get(mode, ARM64_MODE_RMODE);
    return rounds[a64_round];
}

struct sf_env arm64_fp_env(uint64_t mode)
{
    uint8_t flush = (uint8_t)((mode & ARM64_MODE_FZ ? BIT(SF_F32) | BIT(SF_F64) : 0) |
                              (mode & ARM64_MODE_FZ16 ? BIT(SF_F16) : 0));

    return (struct sf_env){.rules = &sf_rules_arm,
                           .round = (uint8_t)arm64_fp_round(mode, A64_ROUND_FPCR),
                           .default_nan = mode & ARM64_MODE_DN,
                           .flush_in = flush,
                           .flush_out = flush};
}

/* ---- minimum and maximum ---- */

static uint64_t min_max(enum sf_format f, uint64_t a, uint64_t b, bool max, struct sf_env *e)
{
    if (sf_is_nan(f, a) || sf_is_nan(f, b))
        return sf_add(f, a, b, e);
    return max ? sf_max(f, a, b, e) : sf_min(f, a, b, e);
}

static uint64_t min_max_number(enum sf_format f, uint64_t a, uint64_t b, bool max, struct sf_env *e)
{
    bool na = sf_is_nan(f, a), nb = sf_is_nan(f, b);

    if (na != nb && !sf_is_snan(f, na ? a : b)) {
        a = na ? b : a;
        b = a;
    }
    return min_max(f, a, b, max, e);
}

uint64_t arm64_fp_max(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max(f, a, b, true, e);
}

uint64_t arm64_fp_min(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max(f, a, b, false, e);
}

uint64_t arm64_fp_maxnm(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max_number(f, a, b, true, e);
}

uint64_t arm64_fp_minnm(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max_number(f, a, b, false, e);
}

/* ---- products and fused steps, where infinity times zero is a number ---- */

static bool inf_times_zero(enum sf_format f, uint64_t a, uint64_t b, const struct sf_env *e)
{
    return (is_inf(f, a) && is_zero(f, b, e)) || (is_zero(f, a, e) && is_inf(f, b));
}

static void flush_both(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    flush_input(f, a, e);
    flush_input(f, b, e);
}

uint64_t arm64_fp_mulx(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    if (!inf_times_zero(f, a, b, e))
        return sf_mul(f, a, b, e);
    flush_both(f, a, b, e);
    return power(f, 1, false) | ((a ^ b) & BIT(arm64_fp_bits(f) - 1));
}

/* 2 - a * b */
uint64_t arm64_fp_recps(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    a = arm64_fp_neg(f, a);
    if (sf_is_nan(f, a) || sf_is_nan(f, b))
        return sf_add(f, a, b, e);
    if (!inf_times_zero(f, a, b, e))
        return sf_fma(f, a, b, power(f, 1, false), e);
    flush_both(f, a, b, e);
    return power(f, 1, false);
}

/* Half of a number that is not tiny. */
static uint64_t halve(enum sf_format f, uint64_t a)
{
    return exp_of(f, a) > 1 && exp_of(f, a) < exp_max(f) ? a - BIT(frac_bits(f)) : a;
}

/* (3 - a * b) / 2: the larger factor is halved, so that nothing overflows that should not. */
uint64_t arm64_fp_rsqrts(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    uint64_t half = power(f, 0, true);

    a = arm64_fp_neg(f, a);
    if (sf_is_nan(f, a) || sf_is_nan(f, b))
        return sf_add(f, a, b, e);
    if (inf_times_zero(f, a, b, e)) {
        flush_both(f, a, b, e);
        return half;
    }
    if (exp_of(f, a) >= exp_of(f, b))
        a = halve(f, a);
    else
        b = halve(f, b);
    return sf_fma(f, a, b, half, e);
}

/* ---- estimates ---- */

/* RecipEstimate(): 256..511 both ways, 1/2 to 1 and 1 to 2 in units of 1/512 and 1/256 */
static unsigned recip_estimate(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* RecipSqrtEstimate(): a 128..511 */
static unsigned rsqrt_estimate(unsigned a)
{
    unsigned b = 512;

    a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
    while ((uint64_t)a * (b + 1) * (b + 1) < BIT(28))
        b++;
    return (b + 1) / 2;
}

static uint64_t nan_result(enum sf_format f, uint64_t a, struct sf_env *e)
{
    return sf_add(f, a, a, e);
}

/* The fraction as 52 bits. */
static uint64_t wide_frac(enum sf_format f, uint64_t a)
{
    return frac_of(f, a) << (52 - frac_bits(f));
}

static uint64_t narrow_frac(enum sf_format f, uint64_t frac)
{
    return frac >> (52 - frac_bits(f));
}

static uint64_t recpe_overflow(enum sf_format f, bool sign, struct sf_env *e)
{
    bool to_inf = e->round == SF_RNE || e->round == (sign ? SF_RDN : SF_RUP);

    e->flags |= SF_OVERFLOW | SF_INEXACT;
    return to_inf ? infinity(f, sign) : infinity(f, sign) - 1;
}

/* The result of a normal, or not too small, operand. */
static uint64_t recpe_finite(enum sf_format f, uint64_t a)
{
    int exp = (int)exp_of(f, a), result = (int)exp_max(f) - 2;
    uint64_t frac = wide_frac(f, a), out;

    if (exp == 0) {
        bool second = !(frac >> 51 & 1);

        exp = second ? -1 : 0;
        frac = frac << (second ? 2 : 1) & (BIT(52) - 1);
    }
    result -= exp;
    out = (uint64_t)(recip_estimate(256 | (unsigned)(frac >> 44)) & 255) << 44;
    if (result <= 0) {
        out = (BIT(52) | out) >> (1 - result);
        result = 0;
    }
    return assemble(f, sign_of(f, a), (uint64_t)result, narrow_frac(f, out));
}

/* FPRecipEstimate() */
uint64_t arm64_fp_recpe(enum sf_format f, uint64_t a, struct sf_env *e)
{
    bool sign = sign_of(f, a);

    if (sf_is_nan(f, a))
        return nan_result(f, a, e);
    a = flush_input(f, a, e);
    if (is_inf(f, a))
        return assemble(f, sign, 0, 0);
    if (is_zero(f, a, e)) {
        e->flags |= SF_DIVZERO;
        return infinity(f, sign);
    }
    /* Below a quarter of the smallest normal number the result has no exponent. */
    if (!exp_of(f, a) && frac_of(f, a) < BIT(frac_bits(f) - 2))
        return recpe_overflow(f, sign, e);
    if (e->flush_out & BIT(f) && exp_of(f, a) >= exp_max(f) - 2) {
        e->flags |= SF_UNDERFLOW;
        return assemble(f, sign, 0, 0);
    }
    return recpe_finite(f, a);
}

static uint64_t rsqrte_finite(enum sf_format f, uint64_t a)
{
    int exp = (int)exp_of(f, a), result;
    uint64_t frac = wide_frac(f, a);
    unsigned scaled;

    if (exp == 0) {
        for (; !(frac >> 51 & 1); exp--)
            frac <<= 1;
        frac = frac << 1 & (BIT(52) - 1);
    }
    scaled = exp & 1 ? 128 | (unsigned)(frac >> 45) : 256 | (unsigned)(frac >> 44);
    result = (int)(3 * (exp_max(f) >> 1)) - 1 - exp;
    return assemble(f, false, (uint64_t)(result / 2),
                    narrow_frac(f, (uint64_t)(rsqrt_estimate(scaled) & 255) << 44));
}

/* FPRSqrtEstimate() */
uint64_t arm64_fp_rsqrte(enum sf_format f, uint64_t a, struct sf_env *e)
{
    bool sign = sign_of(f, a);

    if (sf_is_nan(f, a))
        return nan_result(f, a, e);
    a = flush_input(f, a, e);
    if (is_zero(f, a, e)) {
        e->flags |= SF_DIVZERO;
        return infinity(f, sign);
    }
    if (sign) {
        e->flags |= SF_INVALID;
        return sf_default_nan(f, e);
    }
    return is_inf(f, a) ? 0 : rsqrte_finite(f, a);
}

/* FPRecpX() */
uint64_t arm64_fp_recpx(enum sf_format f, uint64_t a, struct sf_env *e)
{
    uint64_t exp = exp_of(f, a);

    if (sf_is_nan(f, a))
        return nan_result(f, a, e);
    flush_input(f, a, e);
    return assemble(f, sign_of(f, a), exp ? ~exp & exp_max(f) : exp_max(f) - 1, 0);
}

uint32_t arm64_fp_recpe_u32(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t arm64_fp_rsqrte_u32(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

/* ---- formats into each other ---- */

/* The alternative half format: exponent 31 is one more binade of numbers; no infinities, no NaNs. */
static uint64_t from_ahp(enum sf_format to, uint64_t a, struct sf_env *e)
{
    if (exp_of(SF_F16, a) != 31)
        return sf_convert(SF_F16, to, a, e);
    return assemble(to, sign_of(SF_F16, a), (exp_max(to) >> 1) + 16,
                    frac_of(SF_F16, a) << (frac_bits(to) - 10));
}

static uint64_t to_ahp(enum sf_format from, uint64_t a, struct sf_env *e)
{
    uint64_t sign = (uint64_t)sign_of(from, a) << 15, r;
    bool large = exp_of(from, a) >= (exp_max(from) >> 1) + 15;

    if (sf_is_nan(from, a) || is_inf(from, a)) {
        e->flags |= SF_INVALID;
        return sf_is_nan(from, a) ? sign : sign | 0x7fff;
    }
    if (!large)
        return sf_convert(from, SF_F16, a, e);
    struct sf_env half = *e;

    half.flags = 0;
    r = exp_of(from, a) > (exp_max(from) >> 1) + 16
            ? 0x7c00
            : sf_convert(from, SF_F16, a - BIT(frac_bits(from)), &half);
    if (exp_of(SF_F16, r) == 31 || half.flags & SF_OVERFLOW) {
        e->flags |= SF_INVALID;
        return sign | 0x7fff;
    }
    e->flags |= half.flags;
    return r + 0x400;
}

uint64_t arm64_fp_convert(enum sf_format from, enum sf_format to, uint64_t a, bool ahp, struct sf_env *e)
{
    if (ahp && from == SF_F16)
        return from_ahp(to, a, e);
    if (ahp && to == SF_F16)
        return to_ahp(from, a, e);
    return sf_convert(from, to, a, e);
}

/* ---- integers and fixed point ---- */

static uint64_t largest(unsigned bits, bool is_signed, bool negative)
{
    if (is_signed)
        return negative ? BIT(bits - 1) : BIT(bits - 1) - 1;
    return negative ? 0 : UINT64_MAX >> (64 - bits);
}

/* Narrower than 32 bits, from the 32-bit integer of the same kind. */
static uint64_t to_int16(enum sf_format f, uint64_t a, bool is_signed, struct sf_env *e)
{
    struct sf_env own = *e;
    uint64_t r = sf_to_int(f, a, 32, is_signed, &own);
    int64_t v = is_signed ? (int64_t)(int32_t)r : (int64_t)(uint32_t)r;

    if (v > (is_signed ? INT16_MAX : UINT16_MAX) || v < (is_signed ? INT16_MIN : 0)) {
        e->flags |= SF_INVALID;
        return largest(16, is_signed, v < 0);
    }
    e->flags |= own.flags;
    return r & 0xffff;
}

/* Fraction bits: only truncation is needed. */
static uint64_t truncate_scaled(enum sf_format f, uint64_t a, unsigned bits, bool is_signed,
                                unsigned fraction, struct sf_env *e)
{
    bool sign = sign_of(f, a);
    int exp = (int)exp_of(f, a), shift;
    uint64_t frac = frac_of(f, a), limit = largest(bits, is_signed, sign), v;

    if (exp)
        frac |= BIT(frac_bits(f));
    shift = (exp ? exp : 1) - (int)(exp_max(f) >> 1) - (int)frac_bits(f) + (int)fraction;
    if (!frac)
        return 0;
    if (exp == (int)exp_max(f) || shift > __builtin_clzll(frac)) {
        e->flags |= SF_INVALID;
        return limit;
    }
    v = shift >= 0 ? frac << shift : shift > -64 ? frac >> -shift : 0;
    if (v > limit || (sign && v && !is_signed)) { /* the most negative one is its own magnitude */
        e->flags |= SF_INVALID;
        return limit;
    }
    if (shift < 0 && (shift <= -64 || frac << (64 + shift)))
        e->flags |= SF_INEXACT;
    return (sign ? -v : v) & (UINT64_MAX >> (64 - bits));
}

uint64_t arm64_fp_to_fixed(enum sf_format f, uint64_t a, unsigned bits, bool is_signed, unsigned fraction,
                           struct sf_env *e)
{
    if (sf_is_nan(f, a)) {
        e->flags |= SF_INVALID;
        return 0;
    }
    if (fraction)
        return truncate_scaled(f, flush_input(f, a, e), bits, is_signed, fraction, e);
    if (bits == 16)
        return to_int16(f, a, is_signed, e);
    return sf_to_int(f, a, bits, is_signed, e) & (UINT64_MAX >> (64 - bits));
}

uint64_t arm64_fp_from_fixed(enum sf_format f, uint64_t a, unsigned bits, bool is_signed, unsigned fraction,
                             struct sf_env *e)
{
    uint64_t r;

    a = is_signed ? (uint64_t)bits_sext(a, bits) : a & (UINT64_MAX >> (64 - bits));
    if (!fraction || !a)
        return sf_from_int(f, a, is_signed, e);
    if (f == SF_F16) {
        /* By way of a double, rounded to odd, from which the second rounding is right. */
        uint8_t round = e->round, flags = e->flags;

        e->round = SF_ODD;
        r = sf_from_int(SF_F64, a, is_signed, e) - ((uint64_t)fraction << 52);
        e->round = round;
        if (e->flush_out & BIT(SF_F16) && exp_of(SF_F64, r) < exp_of(SF_F64, power(SF_F64, -14, false))) {
            e->flags = flags | SF_UNDERFLOW;
            return assemble(SF_F16, sign_of(SF_F64, r), 0, 0);
        }
        return sf_convert(SF_F64, SF_F16, r, e);
    }
    return sf_from_int(f, a, is_signed, e) - ((uint64_t)fraction << frac_bits(f));
}
