/* The checksum against its definition, bit by bit and at every size and alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/sum.h"

#define SIZE 9000

/* As lib/sum.h says it, byte by byte. */
static uint64_t defined(const uint8_t *p, size_t size)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = size ^ k;

    for (size_t at = 0; at < size; at += 4096) {
        uint64_t lane[8] = {0};

        for (size_t i = at; i < size && i < at + 4096; i++)
            lane[(i - at) / 8 % 8] += (uint64_t)p[i] << i % 8 * 8;
        for (unsigned i = 0; i < 8; i++) {
            h = (h ^ lane[i]) * k;
            h = h << 29 | h >> 35;
        }
    }
    h ^= h >> 32;
    return h ? h : 1;
}

static uint8_t *noise(void)
{
    uint8_t *p = malloc(SIZE + 8);
    uint32_t x = 1;

    for (size_t i = 0; i < SIZE + 8; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = (uint8_t)(x >> 24);
    }
    return p;
}

static void test_definition(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 511, 4095, 4096, 4097, 4160, 8192, SIZE};
    uint8_t *p = noise(), *copy = malloc(SIZE + 8);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (unsigned off = 0; off < 8; off++) {
            uint64_t want = defined(p + off, sizes[i]);

            assert_true(sum64(p + off, sizes[i]) == want);
            memset(copy, 0xee, SIZE + 8);
            assert_true(sum64_copy(copy + (8 - off) % 8, p + off, sizes[i]) == want);
            assert_memory_equal(copy + (8 - off) % 8, p + off, sizes[i]);
            assert_int_equal(copy[(8 - off) % 8 + sizes[i]], 0xee);
        }
    }
    free(copy);
    free(p);
}

static void test_every_bit_counts(void **state)
{
    uint8_t *p = noise();
    uint64_t whole = sum64(p, SIZE);

    (void)state;
    for (size_t bit = 0; bit < SIZE * 8; bit += 13) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(sum64(p, SIZE) != whole);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(sum64(p, SIZE - 1) != whole);
    memset(p, 0, SIZE);
    assert_true(sum64(p, SIZE) != sum64(p, SIZE - 1));
    free(p);
}

static void test_parts(void **state)
{
    uint8_t *p = noise();
    uint64_t h = sum64_begin(SIZE);

    (void)state;
    h = sum64_add(h, p, SUM_BLOCK);
    h = sum64_add(h, p + SUM_BLOCK, SUM_BLOCK);
    h = sum64_add(h, p + 2 * SUM_BLOCK, SIZE - 2 * SUM_BLOCK);
    assert_true(sum64_end(h) == sum64(p, SIZE));
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_parts),
    };

    return cmocka_run_group_tests_name("sum", tests, NULL, NULL);
}
