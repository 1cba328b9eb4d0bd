/* Cryptographic instructions that IR has no operation for: SM3 (GB/T 32905), SM4 (GB/T 32907). */
#include "guest/arm64/simd.h"
#include "lib/words.h"

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

/* Lower words move down by one, the freed top is `top`. */
static void shift_in(struct words *r, uint32_t top)
{
    for (unsigned i = 0; i < 3; i++)
        r->w[i] = r->w[i + 1];
    r->w[3] = top;
}

/* ---- SM3 ---- */

static void sm3ss1(struct simd *s)
{
    uint32_t x = words_rol(get(s, s->rn).w[3], 12) + get(s, s->rm).w[3] + get(s, s->ra).w[3];

    put(s, (struct words){{0, 0, 0, words_rol(x, 7)}});
}

/* arg 1: the rounds from 16 on */
static void sm3tt1(struct simd *s)
{
    struct words d = get(s, s->rd);
    uint32_t word = get(s, s->rm).w[s->index], x;

    x = s->row->arg ? words_majority(d.w[3], d.w[1], d.w[2]) : words_parity(d.w[3], d.w[1], d.w[2]);
    x += d.w[0] + (get(s, s->rn).w[3] ^ words_rol(d.w[3], 12)) + word;
    put(s, (struct words){{d.w[1], words_rol(d.w[2], 9), d.w[3], x}});
}

static void sm3tt2(struct simd *s)
{
    struct words d = get(s, s->rd);
    uint32_t word = get(s, s->rm).w[s->index], x;

    x = s->row->arg ? words_choose(d.w[3], d.w[2], d.w[1]) : words_parity(d.w[3], d.w[1], d.w[2]);
    x += d.w[0] + get(s, s->rn).w[3] + word;
    put(s, (struct words){{d.w[1], words_rol(d.w[2], 19), d.w[3], x ^ words_rol(x, 9) ^ words_rol(x, 17)}});
}

static uint32_t sm3_expand(uint32_t x)
{
    return x ^ words_rol(x, 15) ^ words_rol(x, 23);
}

static void sm3partw1(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm), r;

    for (unsigned i = 0; i < 4; i++)
        r.w[i] = sm3_expand(d.w[i] ^ n.w[i] ^ words_rol(i < 3 ? m.w[i + 1] : r.w[0], 15));
    put(s, r);
}

static void sm3partw2(struct simd *s)
{
    struct words d = get(s, s->rd), n = get(s, s->rn), m = get(s, s->rm);
    uint32_t first = n.w[0] ^ words_rol(m.w[0], 7);

    for (unsigned i = 0; i < 4; i++)
        d.w[i] ^= n.w[i] ^ words_rol(m.w[i], 7);
    d.w[3] ^= sm3_expand(words_rol(first, 15));
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

        x ^= s->row->arg ? words_rol(x, 13) ^ words_rol(x, 23)
                         : words_rol(x, 2) ^ words_rol(x, 10) ^ words_rol(x, 18) ^ words_rol(x, 24);
        shift_in(&state, x ^ state.w[0]);
    }
    put(s, state);
}

// clang-format off
#define ROW(id, arg, fn) [A64_##id] = {SIMD_WHOLE, 0, arg, NULL, fn}

const struct simd_row simd_crypto_rows[A64_ID_COUNT] = {
    ROW(SM3SS1, 0, sm3ss1), ROW(SM3TT1A, 0, sm3tt1), ROW(SM3TT1B, 1, sm3tt1), ROW(SM3TT2A, 0, sm3tt2),
    ROW(SM3TT2B, 1, sm3tt2), ROW(SM3PARTW1, 0, sm3partw1), ROW(SM3PARTW2, 0, sm3partw2),
    ROW(SM4E, 0, sm4), ROW(SM4EKEY, 1, sm4),
};
