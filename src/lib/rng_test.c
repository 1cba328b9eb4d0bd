/* The generator against published outputs of its two parts, and its ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/rng.h"

static void test_published(void **state)
{
    struct rng r;

    (void)state;
    /* SplitMix64 from 0. */
    rng_init(&r, 0);
    assert_int_equal(r.s[0], UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(r.s[1], UINT64_C(0x6e789e6aa1b965f4));
    assert_int_equal(r.s[2], UINT64_C(0x06c45d188009454f));
    assert_int_equal(r.s[3], UINT64_C(0xf88bb8a8724c81ec));
    /* xoshiro256** from the state 1, 2, 3, 4. */
    r = (struct rng){{1, 2, 3, 4}};
    assert_int_equal(rng_u64(&r), 11520);
    assert_int_equal(rng_u64(&r), 0);
    assert_int_equal(rng_u64(&r), 1509978240);
    assert_int_equal(rng_u64(&r), UINT64_C(1215971899390074240));
}

static void test_below(void **state)
{
    unsigned counts[7] = {0};
    struct rng r;

    (void)state;
    rng_init(&r, 3);
    for (unsigned i = 0; i < 70000; i++)
        counts[rng_below(&r, 7)]++;
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(rng_below(&r, 1), 0);
        assert_true(rng_below(&r, BIT(63) + 1) <= BIT(63));
    }
}

static void test_bytes(void **state)
{
    struct rng a, b;
    uint8_t bytes[20];

    (void)state;
    rng_init(&a, 4);
    b = a;
    rng_bytes(&a, bytes, 11);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t v = rng_u64(&b);

        for (unsigned k = 0; k < 8 && i * 8 + k < 11; k++)
            assert_int_equal(bytes[i * 8 + k], (uint8_t)(v >> 8 * k));
    }
    assert_int_equal(rng_u64(&a), rng_u64(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
