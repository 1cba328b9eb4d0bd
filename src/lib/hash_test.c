/* The hash: its definition written out again, pinned values, avalanche, and speed for information. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <time.h>
#include "lib/hash.h"
#include "lib/rng.h"

#define K0 UINT64_C(0x6a09e667f3bcc909)
#define K1 UINT64_C(0xbb67ae8584caa73b)
#define K2 UINT64_C(0x3c6ef372fe94f82b)
#define K3 UINT64_C(0xa54ff53a5f1d36f1)

static uint64_t fold(uint64_t a, uint64_t b)
{
    u128 p = (u128)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Word i of n bytes padded with zeros, little endian, a byte at a time. */
static uint64_t word(const uint8_t *p, size_t n, size_t i)
{
    uint64_t v = 0;

    for (size_t k = 0; k < 8 && i * 8 + k < n; k++)
        v |= (uint64_t)p[i * 8 + k] << 8 * k;
    return v;
}

static uint64_t by_definition(uint64_t key, const uint8_t *p, size_t n)
{
    uint64_t s = fold(key ^ K0, K1), t = s ^ K2;

    for (size_t i = 0; i * 8 < n; i += 4) {
        s = fold(s ^ word(p, n, i), K1 ^ word(p, n, i + 1));
        t = fold(t ^ word(p, n, i + 2), K3 ^ word(p, n, i + 3));
    }
    return fold(s ^ n, t ^ K2);
}

static void test_definition(void **state)
{
    uint8_t data[4200];
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    rng_bytes(&r, data, sizeof(data));
    for (size_t n = 0; n < 300; n++)
        assert_int_equal(hash_memory(n * 7, data + n % 13, n), by_definition(n * 7, data + n % 13, n));
    assert_int_equal(hash_memory(5, data, 4096), by_definition(5, data, 4096));
}

static void test_pinned(void **state)
{
    uint8_t data[100];
    struct hash h;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    assert_int_equal(hash_memory(0, data, 0), UINT64_C(0x7f37c6f5b0695bd2));
    assert_int_equal(hash_memory(1, data, 100), UINT64_C(0xf4897aebb1d31cad));
    hash_init(&h, 2);
    hash_u64(&h, 3);
    hash_bytes(&h, data, 21);
    assert_int_equal(hash_final(&h), UINT64_C(0x49eef272c59f0e5c));
}

static unsigned differing_bits(uint64_t a, uint64_t b)
{
    return (unsigned)__builtin_popcountll(a ^ b);
}

/* Each flipped bit changes about half of the result, wherever it is and also in a page of zeros. */
static void test_avalanche(void **state)
{
    static uint8_t page[4096];
    struct rng r;

    (void)state;
    rng_init(&r, 2);
    for (int round = 0; round < 2; round++) {
        uint64_t base = hash_memory(0x80000000, page, sizeof(page)), total = 0;
        unsigned per_bit[64] = {0};

        for (size_t bit = 0; bit < 8 * sizeof(page); bit++) {
            uint64_t h;

            page[bit / 8] ^= (uint8_t)(1 << bit % 8);
            h = hash_memory(0x80000000, page, sizeof(page));
            page[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(differing_bits(h, base) >= 8);
            total += differing_bits(h, base);
            for (unsigned i = 0; i < 64; i++)
                per_bit[i] += (h ^ base) >> i & 1;
        }
        assert_in_range(total, 8 * sizeof(page) * 31, 8 * sizeof(page) * 33);
        for (unsigned i = 0; i < 64; i++)
            assert_in_range(per_bit[i], 8 * sizeof(page) * 48 / 100, 8 * sizeof(page) * 52 / 100);
        rng_bytes(&r, page, sizeof(page));
    }
}

static void test_key_and_size(void **state)
{
    static const uint8_t zeros[4096];
    uint64_t seen[200];
    size_t n = 0;

    (void)state;
    /* Equal content at other addresses, and zeros of other lengths. */
    for (uint64_t page = 0; page < 100; page++)
        seen[n++] = hash_memory(page << 12, zeros, sizeof(zeros));
    for (size_t size = 0; size < 100; size++)
        seen[n++] = hash_memory(0, zeros, size);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
}

static uint64_t of_words(const uint64_t *v, size_t n)
{
    struct hash h;

    hash_init(&h, 0);
    for (size_t i = 0; i < n; i++)
        hash_u64(&h, v[i]);
    return hash_final(&h);
}

static void test_incremental(void **state)
{
    uint64_t v[40] = {0}, base = of_words(v, 40), swapped;
    struct hash a, b;

    (void)state;
    for (size_t i = 0; i < 40 * 64; i++) {
        v[i / 64] ^= BIT(i % 64);
        assert_true(differing_bits(of_words(v, 40), base) >= 8);
        v[i / 64] ^= BIT(i % 64);
    }
    assert_true(of_words(v, 39) != base);
    v[0] = 1;
    v[1] = 2;
    base = of_words(v, 2);
    v[0] = 2;
    v[1] = 1;
    swapped = of_words(v, 2);
    assert_true(swapped != base);
    /* Whole words of bytes are the words; a tail of zeros counts. */
    hash_init(&a, 9);
    hash_bytes(&a, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16);
    hash_init(&b, 9);
    hash_u64(&b, 1);
    hash_u64(&b, 2);
    assert_int_equal(hash_final(&a), hash_final(&b));
    hash_bytes(&a, "\0\0", 2);
    hash_bytes(&b, "\0\0\0", 3);
    assert_true(hash_final(&a) != hash_final(&b));
}

static void test_speed(void **state)
{
    static uint8_t data[1 << 18];
    struct timespec start, end;
    uint64_t sum = 0;
    double seconds;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < 256; i++) {
        for (size_t at = 0; at < sizeof(data); at += 4096)
            sum += hash_memory(i, data + at, 4096);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
    print_message("hash_memory: %.1f GB/s (sum %llx)\n", 256.0 * sizeof(data) / seconds * 1e-9,
                  (unsigned long long)sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),  cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_avalanche),   cmocka_unit_test(test_key_and_size),
        cmocka_unit_test(test_incremental), cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
