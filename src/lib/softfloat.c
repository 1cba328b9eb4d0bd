/*
 * Soft-float on one intermediate form: sign, exponent, and a 64-bit fraction whose top bit is set, so the
 * value is fraction * 2^(exponent - 63). Lost bits are remembered by setting bit 0 ("jamming"), which the
 * formats' at most 53 bits leave room for.
 */
#include "lib/softfloat.h"

struct layout {
    unsigned exp_bits, frac_bits;
};
static const struct layout layouts[SF_FORMATS] = {{5, 10}, {8, 23}, {11, 52}};

const struct sf_rules sf_rules_riscv = {.nan = SF_NAN_DEFAULT, .nan_to_int = 0};
const struct sf_rules sf_rules_arm = {.nan = SF_NAN_SIGNAL_FIRST,
                                      .tiny_before = true,
                                      .nan_to_int = 1,
                                      .flush_in_flag = BIT(SF_F32) | BIT(SF_F64)};
const struct sf_rules sf_rules_x86 = {.nan = SF_NAN_FIRST,
                                      .default_nan_sign = true,
                                      .fma_inf_zero_nan_ok = true,
                                      .nan_to_int = 2,
                                      .range_indefinite = true,
                                      .flush_out_inexact = true};

enum kind { ZERO, FINITE, INF, QNAN, SNAN };

struct num {
    enum kind kind;
    bool sign;
    int exp;
    uint64_t frac;
};

static int bias(enum sf_format f)
{
    return (1 << (layouts[f].exp_bits - 1)) - 1;
}

static uint64_t exp_max(enum sf_format f)
{
    return BIT(layouts[f].exp_bits) - 1;
}

static uint64_t assemble(enum sf_format f, bool sign, uint64_t exp, uint64_t frac)
{
    const struct layout *l = &layouts[f];

    return (uint64_t)sign << (l->exp_bits + l->frac_bits) | exp << l->frac_bits | frac;
}

static struct num unpack(enum sf_format f, uint64_t a, struct sf_env *e)
{
    const struct layout *l = &layouts[f];
    uint64_t frac = a & (BIT(l->frac_bits) - 1), exp = a >> l->frac_bits & exp_max(f);
    struct num n = {.sign = a >> (l->exp_bits + l->frac_bits) & 1};

    if (exp == exp_max(f)) {
        n.kind = !frac ? INF : (frac >> (l->frac_bits - 1) & 1) ? QNAN : SNAN;
        n.frac = frac;
    } else if (exp) {
        n.kind = FINITE;
        n.exp = (int)exp - bias(f);
        n.frac = BIT(63) | frac << (63 - l->frac_bits);
    } else if (frac && e && (e->flush_in & BIT(f))) {
        e->flags |= (e->rules->flush_in_flag & BIT(f)) ? SF_INPUT_DENORMAL : 0;
    } else if (frac) {
        unsigned shift = (unsigned)__builtin_clzll(frac);

        n.kind = FINITE;
        n.frac = frac << shift;
        n.exp = 1 - bias(f) - (int)(shift - (63 - l->frac_bits));
    }
    return n;
}

/* ---- NaNs ---- */

static bool is_nan(const struct num *n)
{
    return n->kind >= QNAN;
}

uint64_t sf_default_nan(enum sf_format f, const struct sf_env *e)
{
    return assemble(f, e->rules->default_nan_sign, exp_max(f), BIT(layouts[f].frac_bits - 1));
}

static uint64_t invalid(enum sf_format f, struct sf_env *e)
{
    e->flags |= SF_INVALID;
    return sf_default_nan(f, e);
}

static uint64_t quiet(enum sf_format f, const struct num *n)
{
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): whoever propagates has a NaN
    return assemble(f, n->sign, exp_max(f), n->frac | BIT(layouts[f].frac_bits - 1));
}

/* The NaN that an operation with at least one NaN among n operands gives. */
static uint64_t propagate(enum sf_format f, const struct num *ops, unsigned n, struct sf_env *e)
{
    const struct num *first = NULL, *signalling = NULL;

    for (unsigned i = n; i-- > 0;) {
        first = is_nan(&ops[i]) ? &ops[i] : first;
        signalling = ops[i].kind == SNAN ? &ops[i] : signalling;
    }
    if (signalling)
        e->flags |= SF_INVALID;
    if (e->rules->nan == SF_NAN_DEFAULT || e->default_nan)
        return sf_default_nan(f, e);
    return quiet(f, e->rules->nan == SF_NAN_SIGNAL_FIRST && signalling ? signalling : first);
}

/* ---- rounding ---- */

static uint64_t shift_right_jam(uint64_t x, unsigned n)
{
    if (n == 0)
        return x;
    return n > 63 ? x != 0 : x >> n | (x << (64 - n) != 0);
}

static u128 shift_right_jam128(u128 x, unsigned n)
{
    if (n == 0)
        return x;
    return n > 127 ? x != 0 : x >> n | (x << (128 - n) != 0);
}

/* Whether the kept part goes up by one; rest is what is cut, half its middle. */
static bool round_up(uint8_t mode, bool sign, bool odd, uint64_t rest, uint64_t half)
{
    switch (mode) {
    case SF_RNE:
        return rest > half || (rest == half && odd);
    case SF_RMM:
        return rest >= half;
    case SF_RDN:
        return sign && rest;
    case SF_RUP:
        return !sign && rest;
    case SF_ODD:
        return !odd && rest;
    default:
        return false;
    }
}

static uint64_t overflow(enum sf_format f, bool sign, struct sf_env *e)
{
    bool to_inf = e->round == SF_RNE || e->round == SF_RMM || e->round == (sign ? SF_RDN : SF_RUP);

    e->flags |= SF_OVERFLOW | SF_INEXACT;
    return to_inf ? assemble(f, sign, exp_max(f), 0)
                  : assemble(f, sign, exp_max(f) - 1, BIT(layouts[f].frac_bits) - 1);
}

/* Denormal results: rounded at a fixed place; tiny decides about underflow (IEEE 754-2019, 7.5). */
static uint64_t pack_small(enum sf_format f, bool sign, int exp, uint64_t frac, struct sf_env *e)
{
    unsigned cut = 63 - layouts[f].frac_bits;
    uint64_t mask = BIT(cut) - 1, half = BIT(cut - 1), kept, rest;
    bool tiny = true;

    if (exp == 0 && !e->rules->tiny_before) {
        kept = frac >> cut;
        tiny = !(round_up(e->round, sign, kept & 1, frac & mask, half) &&
                 kept + 1 == BIT(layouts[f].frac_bits + 1));
    }
    if (tiny && (e->flush_out & BIT(f))) {
        e->flags |= SF_UNDERFLOW | (e->rules->flush_out_inexact ? SF_INEXACT : 0);
        return assemble(f, sign, 0, 0);
    }
    frac = shift_right_jam(frac, (unsigned)MIN(1 - exp, 64));
    rest = frac & mask;
    kept = frac >> cut;
    kept += round_up(e->round, sign, kept & 1, rest, half);
    if (rest)
        e->flags |= SF_INEXACT | (tiny ? SF_UNDERFLOW : 0);
    return assemble(f, sign, 0, 0) + kept; /* a carry makes the smallest normal number */
}

/* frac: top bit set, jammed. */
static uint64_t pack(enum sf_format f, bool sign, int exp, uint64_t frac, struct sf_env *e)
{
    unsigned cut = 63 - layouts[f].frac_bits;
    uint64_t kept = frac >> cut, rest = frac & (BIT(cut) - 1);

    exp += bias(f);
    if (exp < 1)
        return pack_small(f, sign, exp, frac, e);
    kept += round_up(e->round, sign, kept & 1, rest, BIT(cut - 1));
    if (kept == BIT(layouts[f].frac_bits + 1)) {
        kept >>= 1;
        exp++;
    }
    if (exp >= (int)exp_max(f))
        return overflow(f, sign, e);
    if (rest)
        e->flags |= SF_INEXACT;
    return assemble(f, sign, (uint64_t)exp, kept & (BIT(layouts[f].frac_bits) - 1));
}

/* Any non-zero frac: normalised first. */
static uint64_t pack_any(enum sf_format f, bool sign, int exp, uint64_t frac, struct sf_env *e)
{
    unsigned shift = (unsigned)__builtin_clzll(frac);

    return pack(f, sign, exp - (int)shift, frac << shift, e);
}

static uint64_t pack_any128(enum sf_format f, bool sign, int exp, u128 frac, struct sf_env *e)
{
    uint64_t hi = (uint64_t)(frac >> 64);
    unsigned shift = hi ? (unsigned)__builtin_clzll(hi) : 64 + (unsigned)__builtin_clzll((uint64_t)frac);

    frac <<= shift;
    return pack(f, sign, exp - (int)shift, (uint64_t)(frac >> 64) | ((uint64_t)frac != 0), e);
}

static uint64_t zero(enum sf_format f, bool sign)
{
    return assemble(f, sign, 0, 0);
}

static uint64_t inf(enum sf_format f, bool sign)
{
    return assemble(f, sign, exp_max(f), 0);
}

/* ---- arithmetic ---- */

/* A sum of exactly zero of opposite signs: +0, but -0 when rounding down (IEEE 754-2019, 6.3). */
static uint64_t zero_sum(enum sf_format f, const struct sf_env *e)
{
    return zero(f, e->round == SF_RDN);
}

static uint64_t add_finite(enum sf_format f, struct num a, struct num b, struct sf_env *e)
{
    uint64_t x, y;

    if (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) {
        struct num t = a;

        a = b;
        b = t;
    }
    x = a.frac >> 1; /* room for the carry; the formats leave the low bits free */
    y = shift_right_jam(b.frac >> 1, (unsigned)MIN(a.exp - b.exp, 64));
    if (a.sign == b.sign)
        return pack_any(f, a.sign, a.exp + 1, x + y, e);
    return x == y ? zero_sum(f, e) : pack_any(f, a.sign, a.exp + 1, x - y, e);
}

static uint64_t add_nums(enum sf_format f, uint64_t abits, uint64_t bbits, bool negate, struct sf_env *e)
{
    struct num n[2] = {unpack(f, abits, e), unpack(f, bbits, e)};

    if (is_nan(&n[0]) || is_nan(&n[1]))
        return propagate(f, n, 2, e);
    n[1].sign ^= negate;
    if (n[0].kind == INF || n[1].kind == INF) {
        if (n[0].kind == n[1].kind && n[0].sign != n[1].sign)
            return invalid(f, e);
        return inf(f, n[0].kind == INF ? n[0].sign : n[1].sign);
    }
    if (n[0].kind == ZERO && n[1].kind == ZERO)
        return n[0].sign == n[1].sign ? zero(f, n[0].sign) : zero_sum(f, e);
    if (n[0].kind == ZERO)
        return pack(f, n[1].sign, n[1].exp, n[1].frac, e);
    if (n[1].kind == ZERO)
        return pack(f, n[0].sign, n[0].exp, n[0].frac, e);
    return add_finite(f, n[0], n[1], e);
}

uint64_t sf_add(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return add_nums(f, a, b, false, e);
}

uint64_t sf_sub(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return add_nums(f, a, b, true, e);
}

uint64_t sf_mul(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    struct num n[2] = {unpack(f, a, e), unpack(f, b, e)};
    bool sign = n[0].sign ^ n[1].sign;

    if (is_nan(&n[0]) || is_nan(&n[1]))
        return propagate(f, n, 2, e);
    if (n[0].kind == INF || n[1].kind == INF)
        return n[0].kind == ZERO || n[1].kind == ZERO ? invalid(f, e) : inf(f, sign);
    if (n[0].kind == ZERO || n[1].kind == ZERO)
        return zero(f, sign);
    return pack_any128(f, sign, n[0].exp + n[1].exp + 1, (u128)n[0].frac * n[1].frac, e);
}

uint64_t sf_div(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    struct num n[2] = {unpack(f, a, e), unpack(f, b, e)};
    bool sign = n[0].sign ^ n[1].sign;
    uint64_t q;
    u128 dividend;

    if (is_nan(&n[0]) || is_nan(&n[1]))
        return propagate(f, n, 2, e);
    if (n[0].kind == INF)
        return n[1].kind == INF ? invalid(f, e) : inf(f, sign);
    if (n[1].kind == INF)
        return zero(f, sign);
    if (n[1].kind == ZERO) {
        if (n[0].kind == ZERO)
            return invalid(f, e);
        e->flags |= SF_DIVZERO;
        return inf(f, sign);
    }
    if (n[0].kind == ZERO)
        return zero(f, sign);
    /* The ratio of fractions is in (1/2, 2): 63 more bits make a quotient of 63 or 64 bits. */
    dividend = (u128)n[0].frac << 63;
    q = (uint64_t)(dividend / n[1].frac);
    return pack_any(f, sign, n[0].exp - n[1].exp, q | (dividend % n[1].frac != 0), e);
}

/* Largest r with r * r <= x; x >= 2^62. */
static uint64_t isqrt64(uint64_t x)
{
    uint64_t r = 0;

    for (int bit = 31; bit >= 0; bit--) {
        uint64_t t = r | BIT(bit);

        r = t * t <= x ? t : r;
    }
    return r;
}

/*
 * Largest r with r * r <= x; x >= 2^126. The lower half of r is one division by the upper half: at most a
 * little too large, since it leaves out its own square.
 */
static uint64_t isqrt(u128 x)
{
    uint64_t hi = (uint64_t)(x >> 64), s = isqrt64(hi);
    uint64_t half_rest = (hi - s * s) << 31 | (uint64_t)x >> 33, low = half_rest / s;
    uint64_t r = s << 32 | MIN(low, UINT32_MAX);

    while ((u128)r * r > x)
        r--;
    return r;
}

uint64_t sf_sqrt(enum sf_format f, uint64_t a, struct sf_env *e)
{
    struct num n = unpack(f, a, e);
    uint64_t r;
    u128 x;

    if (is_nan(&n))
        return propagate(f, &n, 1, e);
    if (n.kind == ZERO)
        return zero(f, n.sign);
    if (n.sign)
        return invalid(f, e);
    if (n.kind == INF)
        return inf(f, false);
    x = (u128)n.frac << ((n.exp & 1) ? 64 : 63); /* an even exponent is left */
    r = isqrt(x);
    return pack_any(f, false, (n.exp - (n.exp & 1)) / 2, r | ((u128)r * r != x), e);
}

/* product and addend as fraction * 2^(exp - 126), tops at bit 126 or 125. */
static uint64_t fma_finite(enum sf_format f, bool psign, int pexp, u128 p, struct num c, struct sf_env *e)
{
    u128 x = p, y = (u128)c.frac << 63;
    int exp = pexp;

    if (pexp >= c.exp) {
        y = shift_right_jam128(y, (unsigned)MIN(pexp - c.exp, 128));
    } else {
        exp = c.exp;
        x = shift_right_jam128(x, (unsigned)MIN(c.exp - pexp, 128));
    }
    if (psign == c.sign)
        return pack_any128(f, psign, exp + 1, x + y, e);
    if (x == y)
        return zero_sum(f, e);
    return x > y ? pack_any128(f, psign, exp + 1, x - y, e) : pack_any128(f, c.sign, exp + 1, y - x, e);
}

static uint64_t fma_nan(enum sf_format f, const struct num *n, struct sf_env *e)
{
    const struct num arm_order[3] = {n[2], n[0], n[1]}; /* Arm ARM, FPMulAdd: the addend first */
    bool inf_zero = (n[0].kind == INF && n[1].kind == ZERO) || (n[0].kind == ZERO && n[1].kind == INF);

    if (inf_zero && !(e->rules->fma_inf_zero_nan_ok && n[2].kind == QNAN))
        e->flags |= SF_INVALID;
    if (e->rules->nan != SF_NAN_SIGNAL_FIRST)
        return propagate(f, n, 3, e);
    if (inf_zero && n[2].kind == QNAN)
        return sf_default_nan(f, e);
    return propagate(f, arm_order, 3, e);
}

uint64_t sf_fma(enum sf_format f, uint64_t a, uint64_t b, uint64_t c, struct sf_env *e)
{
    struct num n[3] = {unpack(f, a, e), unpack(f, b, e), unpack(f, c, e)};
    bool sign = n[0].sign ^ n[1].sign;

    if (is_nan(&n[0]) || is_nan(&n[1]) || is_nan(&n[2]))
        return fma_nan(f, n, e);
    if (n[0].kind == INF || n[1].kind == INF) {
        if (n[0].kind == ZERO || n[1].kind == ZERO || (n[2].kind == INF && n[2].sign != sign))
            return invalid(f, e);
        return inf(f, sign);
    }
    if (n[2].kind == INF)
        return inf(f, n[2].sign);
    if (n[0].kind == ZERO || n[1].kind == ZERO) {
        if (n[2].kind == ZERO)
            return sign == n[2].sign ? zero(f, sign) : zero_sum(f, e);
        return pack(f, n[2].sign, n[2].exp, n[2].frac, e);
    }
    /* A product has its top at bit 127 or 126 of 2^(exp - 126): one to the right, exact for these formats. */
    u128 p = (u128)n[0].frac * n[1].frac >> 1;

    if (n[2].kind == ZERO)
        return pack_any128(f, sign, n[0].exp + n[1].exp + 2, p, e);
    return fma_finite(f, sign, n[0].exp + n[1].exp + 1, p, n[2], e);
}

/* ---- comparison ---- */

/* Order of two numbers that are no NaNs. */
static int order(const struct num *a, const struct num *b)
{
    bool alarger;

    if (a->kind == ZERO && b->kind == ZERO)
        return 0;
    if (a->kind == ZERO)
        return b->sign ? 1 : -1;
    if (b->kind == ZERO || a->sign != b->sign)
        return a->sign ? -1 : 1;
    if (a->kind == b->kind && (a->kind == INF || (a->exp == b->exp && a->frac == b->frac)))
        return 0;
    if (a->kind != b->kind)
        alarger = a->kind == INF;
    else
        alarger = a->exp != b->exp ? a->exp > b->exp : a->frac > b->frac;
    return alarger != a->sign ? 1 : -1;
}

int sf_compare(enum sf_format f, uint64_t a, uint64_t b, bool quiet_compare, struct sf_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);

    if (is_nan(&x) || is_nan(&y)) {
        if (!quiet_compare || x.kind == SNAN || y.kind == SNAN)
            e->flags |= SF_INVALID;
        return 2;
    }
    return order(&x, &y);
}

static uint64_t min_max(enum sf_format f, uint64_t a, uint64_t b, bool max, struct sf_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    int o;

    if (x.kind == SNAN || y.kind == SNAN)
        e->flags |= SF_INVALID;
    if (is_nan(&x) && is_nan(&y))
        return sf_default_nan(f, e);
    if (is_nan(&x) || is_nan(&y))
        return is_nan(&x) ? b : a;
    o = order(&x, &y);
    if (o == 0)
        o = (int)y.sign - (int)x.sign; /* -0 is the smaller */
    x = (o < 0) != max ? x : y;
    return x.kind == ZERO ? zero(f, x.sign) : (o < 0) != max ? a : b; /* zero: perhaps a flushed operand */
}

uint64_t sf_min(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max(f, a, b, false, e);
}

uint64_t sf_max(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e)
{
    return min_max(f, a, b, true, e);
}

bool sf_is_nan(enum sf_format f, uint64_t a)
{
    struct num n = unpack(f, a, NULL);

    return is_nan(&n);
}

bool sf_is_snan(enum sf_format f, uint64_t a)
{
    return unpack(f, a, NULL).kind == SNAN;
}

unsigned sf_class(enum sf_format f, uint64_t a)
{
    struct num n = unpack(f, a, NULL);
    bool normal = n.kind == FINITE && n.exp >= 1 - bias(f);

    switch (n.kind) {
    case SNAN:
        return 1u << 8;
    case QNAN:
        return 1u << 9;
    case INF:
        return 1u << (n.sign ? 0 : 7);
    case ZERO:
        return 1u << (n.sign ? 3 : 4);
    default:
        return 1u << (normal ? (n.sign ? 1 : 6) : (n.sign ? 2 : 5));
    }
}

/* ---- conversion ---- */

/* The integer part of |n|, rounded; *inexact: something was cut. n.exp <= 63. */
static uint64_t round_magnitude(const struct num *n, uint8_t mode, bool *inexact)
{
    uint64_t kept, rest;
    unsigned cut;

    if (n->exp == 63) {
        *inexact = false;
        return n->frac;
    }
    cut = (unsigned)(63 - n->exp);
    if (cut > 64) {
        *inexact = true;
        return round_up(mode, n->sign, false, 1, 2);
    }
    kept = cut == 64 ? 0 : n->frac >> cut;
    rest = cut == 64 ? n->frac : n->frac << (64 - cut);
    *inexact = rest != 0;
    return kept + round_up(mode, n->sign, kept & 1, rest, BIT(63));
}

uint64_t sf_round_int(enum sf_format f, uint64_t a, bool exact, struct sf_env *e)
{
    struct num n = unpack(f, a, e);
    bool inexact;
    uint64_t m;

    if (is_nan(&n))
        return propagate(f, &n, 1, e);
    if (n.kind == ZERO)
        return zero(f, n.sign);
    if (n.kind == INF || n.exp >= (int)layouts[f].frac_bits)
        return a;
    m = round_magnitude(&n, e->round, &inexact);
    if (inexact && exact)
        e->flags |= SF_INEXACT;
    return m ? pack_any(f, n.sign, 63, m, e) : zero(f, n.sign);
}

/* A NaN's payload keeps its upper bits. */
static uint64_t convert_nan(enum sf_format from, enum sf_format to, struct num n, struct sf_env *e)
{
    int widen = (int)layouts[to].frac_bits - (int)layouts[from].frac_bits;

    if (n.kind == SNAN)
        e->flags |= SF_INVALID;
    if (e->rules->nan == SF_NAN_DEFAULT || e->default_nan)
        return sf_default_nan(to, e);
    n.frac = widen >= 0 ? n.frac << widen : n.frac >> -widen;
    return quiet(to, &n);
}

static uint64_t convert(enum sf_format from, enum sf_format to, uint64_t a, struct sf_env *e)
{
    struct num n = unpack(from, a, e);

    switch (n.kind) {
    case SNAN:
    case QNAN:
        return convert_nan(from, to, n, e);
    case INF:
        return inf(to, n.sign);
    case ZERO:
        return zero(to, n.sign);
    default:
        return pack(to, n.sign, n.exp, n.frac, e);
    }
}

uint64_t sf_convert(enum sf_format from, enum sf_format to, uint64_t a, struct sf_env *e)
{
    struct sf_env env;
    uint64_t r;

    if (LIKELY(!((e->flush_in | e->flush_out) & BIT(SF_F16))))
        return convert(from, to, a, e);
    env = *e;
    /* FZ16 does not apply (Arm ARM, FPUnpackCV and FPRoundCV), nor do DAZ and FTZ (Intel SDM 1, 14.4). */
    env.flush_in &= (uint8_t)~BIT(SF_F16);
    env.flush_out &= (uint8_t)~BIT(SF_F16);
    r = convert(from, to, a, &env);
    e->flags = env.flags;
    return r;
}

static uint64_t int_limit(unsigned width, bool is_signed, bool negative)
{
    if (negative)
        return is_signed ? ~(BIT(width - 1) - 1) : 0;
    return is_signed ? BIT(width - 1) - 1 : UINT64_MAX;
}

static uint64_t int_invalid(unsigned width, bool is_signed, bool nan, bool negative, struct sf_env *e)
{
    e->flags |= SF_INVALID;
    if ((nan && e->rules->nan_to_int == 2) || (!nan && e->rules->range_indefinite))
        return ~(BIT(width - 1) - 1);
    if (nan && e->rules->nan_to_int == 1)
        return 0;
    return int_limit(width, is_signed, !nan && negative);
}

uint64_t sf_to_int(enum sf_format f, uint64_t a, unsigned width, bool is_signed, struct sf_env *e)
{
    struct num n = unpack(f, a, e);
    uint64_t m, most;
    bool inexact = false;

    if (is_nan(&n))
        return int_invalid(width, is_signed, true, false, e);
    if (n.kind == ZERO)
        return 0;
    if (n.kind == INF || n.exp > 63)
        return int_invalid(width, is_signed, false, n.sign, e);
    m = round_magnitude(&n, e->round, &inexact);
    most = is_signed ? BIT(width - 1) - !n.sign : n.sign ? 0 : UINT64_MAX >> (64 - width);
    /* m cannot wrap to 0: numbers from 2^53 on have nothing to round. */
    if (m > most)
        return int_invalid(width, is_signed, false, n.sign, e);
    if (inexact)
        e->flags |= SF_INEXACT;
    m = n.sign ? 0 - m : m;
    return width == 32 ? (uint64_t)bits_sext(m, 32) : m;
}

uint64_t sf_from_int(enum sf_format f, uint64_t value, bool is_signed, struct sf_env *e)
{
    bool sign = is_signed && value >> 63;

    if (!value)
        return zero(f, false);
    return pack_any(f, sign, 63, sign ? 0 - value : value, e);
}
