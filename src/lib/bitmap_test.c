/* Bitmaps against arrays of bool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/bitmap.h"
#include "lib/rng.h"

#define BITS_MAX 200

static void compare(const uint64_t *map, const bool *model, size_t bits)
{
    size_t set = bits, clear = bits, count = 0;

    for (size_t i = bits; i-- > 0;) {
        assert_int_equal(bitmap_test(map, i), model[i]);
        if (model[i])
            set = i;
        else
            clear = i;
        count += model[i];
        assert_int_equal(bitmap_find_set(map, bits, i), set);
        assert_int_equal(bitmap_find_clear(map, bits, i), clear);
    }
    assert_int_equal(bitmap_find_set(map, bits, bits), bits);
    assert_int_equal(bitmap_find_clear(map, bits, bits + 100), bits);
    assert_int_equal(bitmap_count(map, bits), count);
}

static void change(struct rng *r, uint64_t *map, bool *model, size_t bits)
{
    size_t at = rng_below(r, bits), n = rng_below(r, bits - at + 1);
    bool set = rng_below(r, 2);

    if (rng_below(r, 2)) {
        (set ? bitmap_set : bitmap_clear)(map, at);
        model[at] = set;
        return;
    }
    (set ? bitmap_set_range : bitmap_clear_range)(map, at, n);
    for (size_t i = at; i < at + n; i++)
        model[i] = set;
}

/* The bits behind the end are noise that must neither be seen nor be changed. */
static void test_random(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    for (size_t bits = 1; bits <= BITS_MAX; bits++) {
        uint64_t map[BITMAP_WORDS(BITS_MAX) + 1];
        bool model[BITS_MAX];
        uint64_t noise = bits % 64 ? UINT64_MAX << bits % 64 : 0;

        memset(map, 0xff, sizeof(map));
        memset(model, true, sizeof(model));
        for (int round = 0; round < 50; round++) {
            change(&r, map, model, bits);
            compare(map, model, bits);
        }
        assert_int_equal(map[BITMAP_WORDS(bits) - 1] & noise, noise);
        assert_int_equal(map[BITMAP_WORDS(bits)], UINT64_MAX);
    }
}

static void test_for_each(void **state)
{
    uint64_t map[3] = {BIT(0) | BIT(63), 0, BIT(1)};
    size_t want[] = {0, 63, 129}, n = 0;

    (void)state;
    BITMAP_FOR_EACH(bit, map, 192)
    {
        assert_int_equal(bit, want[n++]);
    }
    assert_int_equal(n, 3);
    assert_int_equal(bitmap_find_set(map, 0, 0), 0);
    assert_int_equal(bitmap_count(map, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_for_each),
    };

    return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
