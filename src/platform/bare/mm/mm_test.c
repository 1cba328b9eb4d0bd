/*
 * Frames and heap against a model, with random requests: nothing overlaps, nothing is lost, large blocks stay
 * whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/platform.h"
#include "lib/rng.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sim/sim.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

struct piece {
    uint8_t *p;
    uint64_t size;
    uint8_t mark;
};

/* First and last byte of each page carry the owner's mark. */
static void mark(struct piece *x, uint8_t value)
{
    x->mark = value;
    for (uint64_t at = 0; at < x->size; at += FRAME_BYTES)
        x->p[at] = x->p[MIN(at + FRAME_BYTES, x->size) - 1] = value;
}

static void check_mark(const struct piece *x)
{
    for (uint64_t at = 0; at < x->size; at += FRAME_BYTES) {
        assert_int_equal(x->p[at], x->mark);
        assert_int_equal(x->p[MIN(at + FRAME_BYTES, x->size) - 1], x->mark);
    }
}

static uint64_t random_size(struct rng *rng)
{
    uint64_t bits = rng_below(rng, 23); /* up to 4 MiB, small ones as often as large ones */

    return 1 + rng_below(rng, UINT64_C(1) << bits);
}

static void frames_body(void *unused)
{
    struct piece piece[200] = {{0}};
    uint64_t free = frames_free(), used = 0;
    struct rng rng;

    (void)unused;
    rng_init(&rng, 4);
    for (unsigned i = 0; i < 20000; i++) {
        struct piece *x = &piece[rng_below(&rng, ARRAY_SIZE(piece))];

        if (x->p) {
            check_mark(x);
            frame_free(x->p);
            used -= x->size;
            x->p = NULL;
        } else if (rng_below(&rng, 2)) {
            unsigned order = (unsigned)rng_below(&rng, 11);

            x->p = frame_alloc(order, FRAME_PLAIN);
            x->size = (uint64_t)FRAME_BYTES << order;
            assert_int_equal((uintptr_t)x->p & (x->size - 1), 0);
        } else {
            x->size = ALIGN_UP(random_size(&rng), FRAME_BYTES);
            x->p = frame_alloc_range(x->size);
        }
        if (x->p && x->size && x->mark != 255) {
            enum frame_use use;
            uint64_t size;

            assert_true(frame_block(x->p, &use, &size));
            assert_int_equal(size, x->size);
            mark(x, (uint8_t)(1 + i % 200));
            used += x->size;
        }
        assert_int_equal(frames_free() + used, free);
        if (i % 500 == 0)
            assert_null(frames_check());
    }
    for (unsigned i = 0; i < ARRAY_SIZE(piece); i++) {
        if (piece[i].p)
            frame_free(piece[i].p);
    }
    assert_int_equal(frames_free(), free);
    assert_null(frames_check());
}

static void test_frames(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, frames_body, NULL);
}

/* Two guests of 1 GiB and 512 MiB find whole blocks after a thousand small requests. */
static void whole_body(void *unused)
{
    void *small[1000], *a, *b;
    uint64_t whole = frames_free_blocks(FRAME_ORDER);

    (void)unused;
    for (unsigned i = 0; i < ARRAY_SIZE(small); i++)
        assert_non_null(small[i] = frame_alloc(i % 3, FRAME_PLAIN));
    assert_int_equal(frames_free_blocks(FRAME_ORDER), whole);
    a = frame_alloc_range(GIB);
    b = frame_alloc_range(512 * MIB);
    assert_int_equal((uintptr_t)a % GIB, 0);
    assert_int_equal((uintptr_t)b % (2 * MIB), 0);
    assert_null(frames_check());
    frame_free(a);
    frame_free(b);
    /* Not a power of two, and larger than any block. */
    assert_non_null(a = frame_alloc_range(GIB + 640 * MIB));
    assert_int_equal((uintptr_t)a % (2 * MIB), 0);
    assert_null(frames_check());
    frame_free(a);
    assert_null(frame_alloc_range(64 * GIB));
    assert_null(frame_alloc_range(0));
    assert_null(frame_alloc_range(UINT64_MAX));
    assert_null(frame_alloc(FRAME_ORDER + 1, FRAME_PLAIN));
    for (unsigned i = 0; i < ARRAY_SIZE(small); i++)
        frame_free(small[i]);
    assert_int_equal(frames_free_blocks(FRAME_ORDER), whole);
    assert_null(frames_check());
}

static void test_whole(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1, .memory = 4 * GIB}, whole_body, NULL);
}

/* ---- heap ---- */

static void check_zero(const uint8_t *p, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        assert_int_equal(p[i], 0);
}

static void heap_task(void *opaque)
{
    struct piece piece[64] = {{0}};
    struct rng rng;

    rng_init(&rng, (uintptr_t)opaque);
    for (unsigned i = 0; i < 5000; i++) {
        struct piece *x = &piece[rng_below(&rng, ARRAY_SIZE(piece))];

        if (x->p) {
            for (uint64_t at = 0; at < x->size; at++)
                assert_int_equal(x->p[at], x->mark);
            plat_free(x->p);
            x->p = NULL;
            continue;
        }
        x->size = 1 + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 15));
        x->p = plat_alloc(x->size);
        assert_non_null(x->p);
        assert_int_equal((uintptr_t)x->p % 16, 0);
        check_zero(x->p, x->size);
        x->mark = (uint8_t)rng_u64(&rng);
        memset(x->p, x->mark, x->size);
        if (!rng_below(&rng, 50))
            sim_work(1000);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(piece); i++)
        plat_free(piece[i].p);
}

static void heap_body(void *unused)
{
    struct plat_task *t[6];
    uint64_t free = 0, slabs = 0;
    struct cache *c;

    (void)unused;
    for (unsigned round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < 6; i++)
            assert_int_equal(plat_task_start(&t[i], "heap", heap_task, (void *)(i + 10 * round)), 0);
        for (unsigned i = 0; i < 6; i++)
            plat_task_join(t[i]);
        heap_shrink();
        if (!round)
            free = frames_free();
    }
    assert_int_equal(frames_free(), free);
    assert_int_equal(heap_large(), 0);
    assert_null(frames_check());
    for (unsigned i = 0; (c = cache_at(i)); i++)
        slabs += c->slabs;
    assert_true(slabs < 20); /* what the tasks and queues themselves need */
    assert_null(plat_alloc(UINT64_MAX));
    assert_null(plat_alloc(UINT64_C(1) << 40));
    plat_free(NULL);
}

static void test_heap(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 3, .seed = 1, .switch_every = 20}, heap_body, NULL);
}

static void pool_body(void *unused)
{
    struct cache pool;
    void *p[1000];
    uint64_t free = frames_free();

    (void)unused;
    cache_init(&pool, "pool", 200);
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
        memset(p[i] = cache_alloc(&pool), (int)i, 200);
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        assert_int_equal(((uint8_t *)p[i])[0], i & 255);
        assert_int_equal(((uint8_t *)p[i])[199], i & 255);
        cache_free(&pool, p[i]);
    }
    cache_shrink(&pool);
    assert_int_equal(pool.slabs, 0);
    assert_int_equal(pool.used, 0);
    assert_int_equal(frames_free(), free);
    cache_fini(&pool);
}

static void test_pool(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, pool_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_heap),
        cmocka_unit_test(test_pool),
    };

    return cmocka_run_group_tests_name("mm", tests, NULL, NULL);
}
