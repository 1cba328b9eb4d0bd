/* Lists against an array that has the same done to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/list.h"
#include "lib/rng.h"

struct item {
    int id;
    struct list_link link;
};

#define ITEMS 30

/* Both directions show the ids in order. */
static void expect(struct list_link *head, const int *ids, size_t n)
{
    struct list_link *back = head->prev;
    size_t i = 0;

    LIST_FOR_EACH(l, head)
    {
        assert_true(i < n);
        assert_int_equal(LIST_ENTRY(l, struct item, link)->id, ids[i++]);
    }
    assert_int_equal(i, n);
    for (; back != head; back = back->prev)
        assert_int_equal(LIST_ENTRY(back, struct item, link)->id, ids[--i]);
    assert_int_equal(i, 0);
    assert_int_equal(list_empty(head), n == 0);
}

static void test_random(void **state)
{
    struct item items[ITEMS];
    struct list_link head;
    int model[ITEMS];
    size_t n = 0, k;
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    list_init(&head);
    for (int i = 0; i < ITEMS; i++) {
        items[i].id = i;
        list_init(&items[i].link);
    }
    for (int round = 0; round < 20000; round++) {
        int id = (int)rng_below(&r, ITEMS);
        struct item *it = &items[id];

        if (list_empty(&it->link) && rng_below(&r, 2)) {
            list_push_back(&head, &it->link);
            model[n++] = id;
        } else if (list_empty(&it->link)) {
            list_push_front(&head, &it->link);
            memmove(model + 1, model, n++ * sizeof(model[0]));
            model[0] = id;
        } else if (rng_below(&r, 4)) {
            list_remove(&it->link);
            for (k = 0; model[k] != id; k++)
                ;
            memmove(model + k, model + k + 1, (--n - k) * sizeof(model[0]));
        } else {
            assert_ptr_equal(list_pop_front(&head), &items[model[0]].link);
            memmove(model, model + 1, --n * sizeof(model[0]));
        }
        expect(&head, model, n);
    }
}

static void test_splice_and_safe(void **state)
{
    struct item items[6];
    struct list_link a, b;

    (void)state;
    list_init(&a);
    list_init(&b);
    assert_null(list_pop_front(&a));
    for (int i = 0; i < 6; i++) {
        items[i].id = i;
        list_push_back(i < 3 ? &a : &b, &items[i].link);
    }
    list_splice_back(&a, &b);
    expect(&a, (const int[]){0, 1, 2, 3, 4, 5}, 6);
    expect(&b, NULL, 0);
    list_splice_back(&a, &b);
    expect(&a, (const int[]){0, 1, 2, 3, 4, 5}, 6);
    list_splice_back(&b, &a);
    expect(&a, NULL, 0);
    LIST_FOR_EACH_SAFE(l, &b)
    {
        if (LIST_ENTRY(l, struct item, link)->id % 2)
            list_remove(l);
    }
    expect(&b, (const int[]){0, 2, 4}, 3);
    list_remove(&items[1].link); /* on no list */
    expect(&b, (const int[]){0, 2, 4}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_splice_and_safe),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
