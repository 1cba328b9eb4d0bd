/* Hash tables: random work against an array, several elements of one key, rehashing, and even filling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/htab.h"
#include "lib/rng.h"

#define ITEMS 200

struct item {
    struct htab_link link;
    bool in;
};

static void test_random(void **state)
{
    struct htab_link *small[4], *large[256];
    static struct item items[ITEMS];
    size_t count = 0;
    struct htab t;
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    htab_init(&t, small, 2);
    for (int round = 0; round < 20000; round++) {
        uint64_t id = rng_below(&r, ITEMS), key = id << 12;
        struct item *it = &items[id];
        size_t seen = 0;

        assert_ptr_equal(htab_find(&t, key), it->in ? &it->link : NULL);
        assert_null(htab_find(&t, key + 1));
        if (it->in) {
            assert_true(htab_remove(&t, &it->link));
            assert_false(htab_remove(&t, &it->link));
        } else {
            htab_insert(&t, &it->link, key);
        }
        it->in = !it->in;
        count += it->in ? 1 : -(size_t)1;
        assert_int_equal(t.count, count);
        if (round % 500 == 0) {
            bool to_large = t.buckets == small;

            assert_ptr_equal(htab_rehash(&t, to_large ? large : small, to_large ? 8 : 2),
                             to_large ? small : large);
            for (struct htab_link *l = htab_next(&t, NULL); l; l = htab_next(&t, l)) {
                assert_true(container_of(l, struct item, link)->in);
                seen++;
            }
            assert_int_equal(seen, count);
        }
    }
}

static void test_one_key(void **state)
{
    struct htab_link *buckets[2], *more[16], l[3], other;
    struct htab t;

    (void)state;
    htab_init(&t, buckets, 1);
    for (int i = 0; i < 3; i++) {
        htab_insert(&t, &l[i], 5);
        if (i == 1)
            htab_insert(&t, &other, 6);
    }
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(htab_find(&t, 5), &l[2]);
        assert_ptr_equal(htab_same(&l[2]), &l[1]);
        assert_ptr_equal(htab_same(&l[1]), &l[0]);
        assert_null(htab_same(&l[0]));
        if (i == 0)
            htab_rehash(&t, more, 4);
    }
    assert_true(htab_remove(&t, &l[1]));
    assert_ptr_equal(htab_same(&l[2]), &l[0]);
    assert_int_equal(t.count, 3);
}

/* Keys as they come: pages, and pages of several address spaces far apart. No bucket is much too full. */
static void test_spread(void **state)
{
    static struct htab_link *buckets[1024], links[1024];
    static const unsigned shifts[] = {0, 2, 12, 21, 30, 40, 52};
    struct htab t;

    (void)state;
    for (size_t s = 0; s < ARRAY_SIZE(shifts); s++) {
        htab_init(&t, buckets, 10);
        for (uint64_t i = 0; i < 1024; i++)
            htab_insert(&t, &links[i], i << shifts[s]);
        for (size_t b = 0; b < 1024; b++) {
            int n = 0;

            for (struct htab_link *l = buckets[b]; l; l = l->next)
                n++;
            assert_true(n <= 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_one_key),
        cmocka_unit_test(test_spread),
    };

    return cmocka_run_group_tests_name("htab", tests, NULL, NULL);
}
