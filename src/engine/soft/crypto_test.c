/* Cryptographic steps: the examples of FIPS 197 and FIPS 180-4. */
#include "engine/soft/crypto.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void step(unsigned op, unsigned kind, const void *a, const void *b, const void *c, void *out)
{
    uint64_t x[3][2] = {{0}};

    memcpy(x[0], a, 16);
    if (b)
        memcpy(x[1], b, 16);
    if (c)
        memcpy(x[2], c, 16);
    soft_crypto(op, kind, x);
    memcpy(out, x[0], 16);
}

/* FIPS 197, appendix B: round 1 */
static void aes_rounds(void **state)
{
    static const uint8_t start[16] = {0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b,
                                      0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08};
    static const uint8_t rows[16] = {0xd4, 0xbf, 0x5d, 0x30, 0xe0, 0xb4, 0x52, 0xae,
                                     0xb8, 0x41, 0x11, 0xf1, 0x1e, 0x27, 0x98, 0xe5};
    static const uint8_t mixed[16] = {0x04, 0x66, 0x81, 0xe5, 0xe0, 0xcb, 0x19, 0x9a,
                                      0x48, 0xf8, 0xd3, 0x7a, 0x28, 0x06, 0x26, 0x4c};
    static const uint8_t key[16] = {0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1,
                                    0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05};
    static const uint8_t next[16] = {0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b,
                                     0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49};
    uint8_t r[16];

    (void)state;
    step(IR_VAES, IR_AES_LAST, start, NULL, NULL, r);
    assert_memory_equal(r, rows, 16);
    step(IR_VAES, IR_AES_LAST_BACK, r, NULL, NULL, r);
    assert_memory_equal(r, start, 16);
    step(IR_VAES, IR_AES_MIX, rows, NULL, NULL, r);
    assert_memory_equal(r, mixed, 16);
    step(IR_VAES, IR_AES_MIX_BACK, r, NULL, NULL, r);
    assert_memory_equal(r, rows, 16);
    step(IR_VAES, IR_AES_ROUND, start, key, NULL, r);
    assert_memory_equal(r, next, 16);
    step(IR_VAES, IR_AES_ROUND_BACK, mixed, NULL, NULL, r);
    step(IR_VAES, IR_AES_MIX, r, NULL, NULL, r);
    step(IR_VAES, IR_AES_LAST, r, NULL, NULL, r);
    assert_memory_equal(r, mixed, 16);
}

/* The message "abc". */
static void message(uint32_t w[16])
{
    memset(w, 0, 64);
    w[0] = 0x61626380;
    w[15] = 24;
}

/* FIPS 180-4, 6.1.2 */
static void sha1(void **state)
{
    static const uint32_t first[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    static const uint32_t digest[5] = {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d};
    uint32_t w[80], x[4], e[4] = {first[4]}, next[4] = {0};

    (void)state;
    message(w);
    for (unsigned i = 16; i < 80; i++) {
        uint32_t t = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];

        w[i] = t << 1 | t >> 31;
    }
    memcpy(x, first, 16);
    for (unsigned i = 0; i < 80; i += 4) {
        uint32_t words[4];

        for (unsigned j = 0; j < 4; j++)
            words[j] = w[i + j] + k[i / 20];
        next[0] = x[0] << 30 | x[0] >> 2;
        step(IR_VSHA1, (const unsigned[]){0, 1, 2, 1}[i / 20], x, e, words, x);
        e[0] = next[0];
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(x[i] + first[i], digest[i]);
    assert_int_equal(e[0] + first[4], digest[4]);
}

/* FIPS 180-4, 6.2.2: four rounds, and the first words of the schedule */
static void sha256(void **state)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t k[4] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5};
    uint32_t w[20], x[4], y[4], old[4], words[4];

    (void)state;
    message(w);
    memcpy(x, first, 16);
    memcpy(y, first + 4, 16);
    memcpy(old, x, 16);
    for (unsigned j = 0; j < 4; j++)
        words[j] = w[j] + k[j];
    step(IR_VSHA256, 0, x, y, words, x);
    step(IR_VSHA256, 1, old, y, words, y);
    assert_int_equal(x[3], 0x5d6aebcd);
    assert_int_equal(y[3], 0xfa2a4622);
    step(IR_VSHA256W, 0, w, w + 4, NULL, w + 16);
    for (unsigned i = 0; i < 3; i++)
        w[16 + i] += w[9 + i];
    w[19] += w[12];
    step(IR_VSHA256W, 1, w + 16, w + 12, NULL, w + 16);
    assert_int_equal(w[16], 0x61626380);
    assert_int_equal(w[17], 0x000f0000);
}

/* The check values of both: of "123456789". */
static void crc32(void **state)
{
    static const uint32_t check[2] = {0xcbf43926, 0xe3069283};

    (void)state;
    for (unsigned which = 0; which < 2; which++) {
        uint64_t x[3][2] = {{0xffffffff}, {UINT64_C(0x3837363534333231)}};

        soft_crypto(IR_CRC32, 3 | which << 2, x);
        x[1][0] = '9';
        soft_crypto(IR_CRC32, which << 2, x);
        assert_int_equal(~x[0][0] & 0xffffffff, check[which]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_rounds),
        cmocka_unit_test(sha1),
        cmocka_unit_test(sha256),
        cmocka_unit_test(crc32),
    };

    return cmocka_run_group_tests_name("engine/soft/crypto", tests, NULL, NULL);
}
