/* The arena: alignment, no overlap, growth, refusal, reuse; chunks are counted in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/arena.h"
#include "lib/rng.h"

struct supply {
    int out, allowed;
    size_t at_least;
};

static void *more(void *ctx, size_t need, size_t *got)
{
    struct supply *s = ctx;

    if (s->out == s->allowed)
        return NULL;
    s->out++;
    *got = MAX(need, s->at_least);
    return malloc(*got);
}

static void release(void *ctx, void *chunk, size_t size)
{
    struct supply *s = ctx;

    memset(chunk, 0xee, size);
    free(chunk);
    s->out--;
}

#define PIECES 300

/* Pieces of random size and alignment, each filled with its number; at the end all still have it. */
static void fill(struct arena *a, struct rng *r)
{
    uint8_t *piece[PIECES];
    size_t size[PIECES];

    for (int i = 0; i < PIECES; i++) {
        size_t align = (size_t)1 << rng_below(r, 7);

        size[i] = rng_below(r, 100) * (1 + 10 * !rng_below(r, 20));
        piece[i] = arena_alloc(a, size[i], align);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % align, 0);
        memset(piece[i], i & 0xff, size[i]);
    }
    for (int i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(piece[i][k], i & 0xff);
    }
}

static void test_grow_and_reuse(void **state)
{
    struct supply s = {.allowed = 1000, .at_least = 700};
    uint8_t storage[200];
    struct arena a;
    struct rng r;
    int chunks;

    (void)state;
    rng_init(&r, 1);
    arena_init(&a, storage, sizeof(storage), more, &s);
    fill(&a, &r);
    chunks = s.out;
    assert_true(chunks > 10);
    arena_reset(&a);
    rng_init(&r, 1);
    fill(&a, &r); /* the same pieces need no more chunks */
    assert_int_equal(s.out, chunks);
    arena_fini(&a, release);
    assert_int_equal(s.out, 0);
    fill(&a, &r);
    arena_fini(&a, release);
    assert_int_equal(s.out, 0);
}

static void test_fixed(void **state)
{
    _Alignas(16) uint8_t storage[64];
    struct arena a;

    (void)state;
    arena_init(&a, storage, sizeof(storage), NULL, NULL);
    assert_ptr_equal(arena_alloc(&a, 1, 1), storage);
    assert_ptr_equal(arena_alloc(&a, 8, 16), storage + 16);
    assert_null(arena_alloc(&a, 41, 1));
    assert_null(arena_alloc(&a, SIZE_MAX, 1));
    assert_null(arena_alloc(&a, SIZE_MAX - 8, 16));
    assert_ptr_equal(arena_alloc(&a, 40, 1), storage + 24);
    assert_null(arena_alloc(&a, 1, 1));
    assert_ptr_equal(arena_alloc(&a, 0, 1), storage + 64);
    arena_init(&a, NULL, 0, NULL, NULL);
    assert_null(arena_alloc(&a, 1, 1));
    assert_null(arena_alloc(&a, 0, 1));
}

static void test_refused(void **state)
{
    struct supply s = {.allowed = 1, .at_least = 128};
    struct arena a;
    uint64_t *p;

    (void)state;
    arena_init(&a, NULL, 0, more, &s);
    assert_null(arena_alloc(&a, SIZE_MAX - 4, 8)); /* the sum overflows: the callback is not asked */
    assert_int_equal(s.out, 0);
    p = ARENA_NEW(&a, uint64_t);
    assert_non_null(p);
    assert_int_equal(*p, 0);
    assert_null(arena_alloc(&a, 200, 8));
    assert_non_null(arena_alloc(&a, 64, 8)); /* what is left still serves */
    arena_fini(&a, release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow_and_reuse),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
