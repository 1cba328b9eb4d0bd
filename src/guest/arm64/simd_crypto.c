/*
 * The cryptographic instructions: AES (FIPS 197), SHA-1 and SHA-2 (FIPS 180-4), what SHA-3 is made of (FIPS
 * 202), SM3 (GB/T 32905), SM4 (GB/T 32907). Each does one step of its algorithm, as DDI 0487, C7.2 cuts it.
 */
#include "guest/arm64/simd.h"

static const uint8_t aes_sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};

static const uint8_t aes_inverse[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

/* The registers as four words, or two doublewords, lowest first. */
struct words {
    uint32_t w[4];
};

static struct words get(const struct simd *s, unsigned reg)
{
    struct words r;

    __builtin_memcpy(&r, &s->a->q[reg], 16);
    return r;
}

static void put(struct simd *s, struct words r)
{
    __builtin_memcpy(&s->a->q[s->rd], &r, 16);
}

static uint32_t rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t ror(uint32_t x, unsigned n)
{
    return rol(x, 32 - n);
}

static uint64_t ror64(uint64_t x, unsigned n)
{
    return n ? x >> n | x << (64 - n) : x;
}

/* Lower words move down by one, the freed top is `top`. */
static void shift_in(struct words *r, uint32_t top)
{
    for (unsigned i = 0; i < 3; i++)
        r->w[i] = r->w[i + 1];
    r->w[3] = top;
}

/* ---- AES: bytes stand in columns of four ---- */

static uint8_t times2(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t times(uint8_t x, unsigned k)
{
    uint8_t r = 0;

    for (; k; k >>= 1, x = times2(x))
        r ^= k & 1 ? x : 0;
    return r;
}

/* The round key is added, rows are shifted, bytes substituted; arg: backwards. */
static void aes_round(struct simd *s)
{
    const uint8_t *box = s->row->arg ? aes_inverse : aes_sbox;
    struct words d = get(s, s->rd), n = get(s, s->rn), r;
    uint8_t in[16], out[16];

    for (unsigned i = 0; i < 4; i++)
        d.w[i] ^= n.w[i];
    __builtin_memcpy(in, &d, 16);
    for (unsigned i = 0; i < 16; i++) {
        unsigned row = i % 4, column = i / 4, from = (s->row->arg ? column - row : column + row) & 3;

        out[i] = box[in[row + 4 * from]];
    }
    __builtin_memcpy(&r, out, 16);
    put(s, r);
}

static void aes_mix(struct simd *s)
{
    static const uint8_t factors[2][4] = {{2, 3, 1, 1}, {14, 11, 13, 9}};
    struct words n = get(s, s->rn), r;
    uint8_t in[16], out[16] = {0};

    __builtin_memcpy(in, &n, 16);
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 4; k++)
            out[i] ^= times(in[(i & ~3u) + ((i + k) & 3)], factors[s->row->arg][k]);
    }
    __builtin_memcpy(&r, out, 16);
    put(s, r);
}

/* ---- SHA-1 and SHA-256 ---- */

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (x & z) | (y & z);
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

/* Four rounds; d: a to d, n: e, m: words with their constants. */
static void sha1_rounds(struct simd *s)
{
    static uint32_t (*const mix[])(uint32_t, uint32_t, uint32_t) = {choose, parity, majority};
    struct words x = get(s, s->rd), w = get(s, s->rm);
    uint32_t y = get(s, s->rn).w[0], t;

    for (unsigned i = 0; i < 4; i++) {
        t = y + rol(x.w[0], 5) + mix[s->row->arg](x.w[1], x.w[2], x.w[3]) + w.w[i];
        y = x.w[3];
        x = (struct words){{t, x.w[0], rol(x.w[1], 30), x.w[2]}};
    }
    put(s, x);
}

static void sha1h(struct simd *s)
{
    put(s, (struct words){{rol(get(s, s->rn).w[0], 30)}});
}

static void sha1su0(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm), r;

    for (unsigned i = 0; i < 4; i++)
        r.w[i] = d.w[i] ^ m.w[i] ^ (i < 2 ? d.w[i + 2] : n.w[i - 2]);
    put(s, r);
}

static void sha1su1(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn);

    for (unsigned i = 0; i < 4; i++)
        d.w[i] = rol(d.w[i] ^ (i < 3 ? n.w[i + 1] : 0), 1);
    d.w[3] ^= rol(d.w[0], 1);
    put(s, d);
}

/* Four rounds; arg: d is e to h and n the other half, else the other way round. */
static void sha256_rounds(struct simd *s)
{
    struct words x = get(s, s->row->arg ? s->rn : s->rd), y = get(s, s->row->arg ? s->rd : s->rn),
                 w = get(s, s->rm);

    for (unsigned i = 0; i < 4; i++) {
        uint32_t e = y.w[0], a = x.w[0];
        uint32_t t = y.w[3] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + choose(e, y.w[1], y.w[2]) + w.w[i];
        uint32_t u = t + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + majority(a, x.w[1], x.w[2]);

        y = (struct words){{x.w[3] + t, y.w[0], y.w[1], y.w[2]}};
        x = (struct words){{u, x.w[0], x.w[1], x.w[2]}};
    }
    put(s, s->row->arg ? y : x);
}

static void sha256su0(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), r;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = i < 3 ? d.w[i + 1] : n.w[0];

        r.w[i] = d.w[i] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3);
    }
    put(s, r);
}

static void sha256su1(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm), r;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = i < 2 ? m.w[i + 2] : r.w[i - 2];

        r.w[i] = d.w[i] + (i < 3 ? n.w[i + 1] : m.w[0]) + (ror(x, 17) ^ ror(x, 19) ^ x >> 10);
    }
    put(s, r);
}

/* ---- SHA-512, SHA-3 ---- */

static uint64_t choose64(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) | (~x & z);
}

static uint64_t majority64(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) | (x & z) | (y & z);
}

static uint64_t sum1(uint64_t x)
{
    return ror64(x, 14) ^ ror64(x, 18) ^ ror64(x, 41);
}

static uint64_t sum0(uint64_t x)
{
    return ror64(x, 28) ^ ror64(x, 34) ^ ror64(x, 39);
}

static void sha512h(struct simd *s)
{
    struct arm64_q x = s->a->q[s->rn], y = s->a->q[s->rm], *d = &s->a->q[s->rd];
    uint64_t hi = choose64(y.hi, x.lo, x.hi) + sum1(y.hi) + d->hi, t = hi + y.lo;

    *d = (struct arm64_q){choose64(t, y.hi, x.lo) + sum1(t) + d->lo, hi};
}

static void sha512h2(struct simd *s)
{
    struct arm64_q x = s->a->q[s->rn], y = s->a->q[s->rm], *d = &s->a->q[s->rd];
    uint64_t hi = majority64(x.lo, y.hi, y.lo) + sum0(y.lo) + d->hi;

    *d = (struct arm64_q){majority64(hi, y.lo, y.hi) + sum0(hi) + d->lo, hi};
}

static uint64_t small0(uint64_t x)
{
    return ror64(x, 1) ^ ror64(x, 8) ^ x >> 7;
}

static uint64_t small1(uint64_t x)
{
    return ror64(x, 19) ^ ror64(x, 61) ^ x >> 6;
}

static void sha512su0(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], d = s->a->q[s->rd];

    s->a->q[s->rd] = (struct arm64_q){d.lo + small0(d.hi), d.hi + small0(n.lo)};
}

static void sha512su1(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], *d = &s->a->q[s->rd];

    *d = (struct arm64_q){d->lo + small1(n.lo) + m.lo, d->hi + small1(n.hi) + m.hi};
}

static void rax1(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm];

    s->a->q[s->rd] = (struct arm64_q){n.lo ^ ror64(m.lo, 63), n.hi ^ ror64(m.hi, 63)};
}

static void eor3(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], a = s->a->q[s->ra];

    s->a->q[s->rd] = (struct arm64_q){n.lo ^ m.lo ^ a.lo, n.hi ^ m.hi ^ a.hi};
}

static void bcax(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm], a = s->a->q[s->ra];

    s->a->q[s->rd] = (struct arm64_q){n.lo ^ (m.lo & ~a.lo), n.hi ^ (m.hi & ~a.hi)};
}

static void xar(struct simd *s)
{
    struct arm64_q n = s->a->q[s->rn], m = s->a->q[s->rm];

    s->a->q[s->rd] = (struct arm64_q){ror64(n.lo ^ m.lo, s->amount), ror64(n.hi ^ m.hi, s->amount)};
}

/* ---- SM3 ---- */

static void sm3ss1(struct simd *s)
{
    uint32_t x = rol(get(s, s->rn).w[3], 12) + get(s, s->rm).w[3] + get(s, s->ra).w[3];

    put(s, (struct words){{0, 0, 0, rol(x, 7)}});
}

/* arg 1: the rounds from 16 on */
static void sm3tt1(struct simd *s)
{
    struct words d = get(s, s->rd);
    uint32_t word = get(s, s->rm).w[s->index], x;

    x = s->row->arg ? majority(d.w[3], d.w[1], d.w[2]) : parity(d.w[3], d.w[1], d.w[2]);
    x += d.w[0] + (get(s, s->rn).w[3] ^ rol(d.w[3], 12)) + word;
    put(s, (struct words){{d.w[1], rol(d.w[2], 9), d.w[3], x}});
}

static void sm3tt2(struct simd *s)
{
    struct words d = get(s, s->rd);
    uint32_t word = get(s, s->rm).w[s->index], x;

    x = s->row->arg ? choose(d.w[3], d.w[2], d.w[1]) : parity(d.w[3], d.w[1], d.w[2]);
    x += d.w[0] + get(s, s->rn).w[3] + word;
    put(s, (struct words){{d.w[1], rol(d.w[2], 19), d.w[3], x ^ rol(x, 9) ^ rol(x, 17)}});
}

static uint32_t sm3_expand(uint32_t x)
{
    return x ^ rol(x, 15) ^ rol(x, 23);
}

static void sm3partw1(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm), r;

    for (unsigned i = 0; i < 4; i++)
        r.w[i] = sm3_expand(d.w[i] ^ n.w[i] ^ rol(i < 3 ? m.w[i + 1] : r.w[0], 15));
    put(s, r);
}

static void sm3partw2(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm);
    uint32_t first = n.w[0] ^ rol(m.w[0], 7);

    for (unsigned i = 0; i < 4; i++)
        d.w[i] ^= n.w[i] ^ rol(m.w[i], 7);
    d.w[3] ^= sm3_expand(rol(first, 15));
    put(s, d);
}

/* ---- SM4 ---- */

static uint32_t sm4_substitute(uint32_t x)
{
    return (uint32_t)sm4_sbox[x & 255] | (uint32_t)sm4_sbox[x >> 8 & 255] << 8 |
           (uint32_t)sm4_sbox[x >> 16 & 255] << 16 | (uint32_t)sm4_sbox[x >> 24] << 24;
}

/* Four rounds of `state` with the words of `key`; arg: of the key schedule. */
static void sm4(struct simd *s)
{
    struct words state = get(s, s->row->arg ? s->rn : s->rd), key = get(s, s->row->arg ? s->rm : s->rn);

    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = sm4_substitute(state.w[3] ^ state.w[2] ^ state.w[1] ^ key.w[i]);

        x ^= s->row->arg ? rol(x, 13) ^ rol(x, 23) : rol(x, 2) ^ rol(x, 10) ^ rol(x, 18) ^ rol(x, 24);
        shift_in(&state, x ^ state.w[0]);
    }
    put(s, state);
}

// clang-format off
#define ROW(id, arg, fn) [A64_##id] = {SIMD_WHOLE, 0, arg, NULL, fn}

const struct simd_row simd_crypto_rows[A64_ID_COUNT] = {
    ROW(AESE, 0, aes_round), ROW(AESD, 1, aes_round), ROW(AESMC, 0, aes_mix), ROW(AESIMC, 1, aes_mix),
    ROW(SHA1C, 0, sha1_rounds), ROW(SHA1P, 1, sha1_rounds), ROW(SHA1M, 2, sha1_rounds), ROW(SHA1H, 0, sha1h),
    ROW(SHA1SU0, 0, sha1su0), ROW(SHA1SU1, 0, sha1su1),
    ROW(SHA256H, 0, sha256_rounds), ROW(SHA256H2, 1, sha256_rounds), ROW(SHA256SU0, 0, sha256su0),
    ROW(SHA256SU1, 0, sha256su1),
    ROW(SHA512H, 0, sha512h), ROW(SHA512H2, 0, sha512h2), ROW(SHA512SU0, 0, sha512su0), ROW(SHA512SU1, 0, sha512su1),
    ROW(RAX1, 0, rax1), ROW(EOR3, 0, eor3), ROW(BCAX, 0, bcax), ROW(XAR, 0, xar),
    ROW(SM3SS1, 0, sm3ss1), ROW(SM3TT1A, 0, sm3tt1), ROW(SM3TT1B, 1, sm3tt1), ROW(SM3TT2A, 0, sm3tt2),
    ROW(SM3TT2B, 1, sm3tt2), ROW(SM3PARTW1, 0, sm3partw1), ROW(SM3PARTW2, 0, sm3partw2),
    ROW(SM4E, 0, sm4), ROW(SM4EKEY, 1, sm4),
};
