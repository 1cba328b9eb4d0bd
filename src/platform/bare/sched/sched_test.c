/*
 * The scheduler's properties on the simulated machine: fairness, budgets, policies, affinity, no lost
 * wake-up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/platform.h"
#include "lib/err.h"
#include "lib/rng.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/sched/internal.h"
#include "platform/bare/sim/sim.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static bool stop;

static void hog(void *unused)
{
    (void)unused;
    while (!stop)
        sim_work(100000);
}

/* Starts n hogs, in group g where one is given. */
static void hogs_start(struct plat_task **t, unsigned n, struct group *g)
{
    struct group *before = group_enter(g);

    stop = false;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(plat_task_start(&t[i], "hog", hog, NULL), 0);
    group_enter(before);
}

static void hogs_stop(struct plat_task **t, unsigned n)
{
    stop = true;
    for (unsigned i = 0; i < n; i++)
        plat_task_join(t[i]);
}

static void check_share(uint64_t got, uint64_t want, unsigned percent, const char *what)
{
    if (got * 100 < want * (100 - percent) || got * 100 > want * (100 + percent))
        fail_msg("%s: %llu ms instead of %llu", what, (unsigned long long)(got / MS),
                 (unsigned long long)(want / MS));
}

/* ---- fairness ---- */

static void fair_body(void *unused)
{
    struct plat_task *t[5];

    (void)unused;
    hogs_start(t, 5, NULL);
    sim_sleep(5 * S);
    for (unsigned i = 0; i < 5; i++)
        check_share(task_time_ns(t[i]), S, 2, "one of five");
    hogs_stop(t, 5);
}

static void test_fair(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, fair_body, NULL);
}

static void fair_smp_body(void *unused)
{
    struct plat_task *t[7];

    (void)unused;
    hogs_start(t, 3, NULL);
    sim_sleep(10 * S);
    for (unsigned i = 0; i < 3; i++)
        check_share(task_time_ns(t[i]), 20 * S / 3, 5, "one of three on two CPUs");
    hogs_stop(t, 3);
    hogs_start(t, 7, NULL);
    sim_sleep(10 * S);
    for (unsigned i = 0; i < 7; i++)
        check_share(task_time_ns(t[i]), 20 * S / 7, 5, "one of seven on two CPUs");
    hogs_stop(t, 7);
}

static void test_fair_smp(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        sim_run(&(struct sim_config){.cpus = 2, .seed = seed, .switch_every = 8}, fair_smp_body, NULL);
}

static void weight_body(void *unused)
{
    static const unsigned weight[] = {50, 100, 300};
    struct group *g[3];
    struct plat_task *t[3];

    (void)unused;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(group_create(&g[i], "g", weight[i], 0), 0);
        hogs_start(&t[i], 1, g[i]);
    }
    sim_sleep(9 * S);
    for (unsigned i = 0; i < 3; i++)
        check_share(group_time_ns(g[i]), 9 * S * weight[i] / 450, 3, "a weight");
    hogs_stop(t, 3);
    for (unsigned i = 0; i < 3; i++)
        group_destroy(g[i]);
}

static void test_weight(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, weight_body, NULL);
}

/* Sleeps 5 ms, computes 1 ms, and notes how late it came to that. */
static uint64_t late;

static void sleeper(void *unused)
{
    (void)unused;
    while (!stop) {
        uint64_t due = plat_clock_ns() + 5 * MS;

        sim_sleep(5 * MS);
        late = MAX(late, plat_clock_ns() - due);
        sim_work(1 * MS);
    }
}

static void latency_body(void *unused)
{
    struct plat_task *t[4];

    (void)unused;
    late = 0;
    hogs_start(t, 3, NULL);
    assert_int_equal(plat_task_start(&t[3], "sleeper", sleeper, NULL), 0);
    sim_sleep(5 * S);
    /* Its slice is 4 ms: after four turns it waits for its place once. */
    assert_true(late <= 13 * MS);
    for (unsigned i = 0; i < 3; i++)
        check_share(task_time_ns(t[i]), (5 * S - task_time_ns(t[3])) / 3, 3, "a hog beside a sleeper");
    assert_true(task_time_ns(t[3]) > 500 * MS);
    hogs_stop(t, 4);
}

static void test_latency(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, latency_body, NULL);
}

/* ---- budgets ---- */

static void budget_body(void *opaque)
{
    unsigned cpus = *(unsigned *)opaque;
    static const unsigned budget[] = {30, 0, 150};
    struct group *g[3];
    static const unsigned hogs[] = {3, 4, 3}; /* the four without a bound can use all there is */
    struct plat_task *t[10];
    unsigned n = 0;
    uint64_t sum = 0;

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(group_create(&g[i], "g", 100, budget[i] > 100 * cpus ? 100 * cpus : budget[i]), 0);
        hogs_start(&t[n], hogs[i], g[i]);
        n += hogs[i];
    }
    sim_sleep(10 * S);
    /* Never more than the budget and one period of it; and what it is owed where the CPUs are not crowded. */
    assert_true(group_time_ns(g[0]) <= 3 * S + PERIOD_NS * 30 / 100);
    check_share(group_time_ns(g[0]), 3 * S, 5, "a budget of 30 %");
    if (cpus > 1)
        assert_true(group_time_ns(g[2]) <= 15 * S + PERIOD_NS * 150 / 100);
    if (cpus == 4)
        check_share(group_time_ns(g[2]), 15 * S, 15, "a budget of 150 % among others");
    for (unsigned i = 0; i < 3; i++)
        sum += group_time_ns(g[i]);
    check_share(sum, cpus * 10 * S, 2, "all CPU time"); /* nobody waits while a CPU is free */
    assert_int_equal(group_set(g[0], 100, 0), 0);
    assert_int_equal(group_set(g[0], 0, 0), -EINVAL);
    assert_int_equal(group_set(g[0], 100, 100 * cpus + 1), -EINVAL);
    hogs_stop(t, n);
    for (unsigned i = 0; i < 3; i++)
        group_destroy(g[i]);
}

static void test_budget(void **state)
{
    static const unsigned cpus[] = {1, 2, 4};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        sim_run(&(struct sim_config){.cpus = cpus[i], .seed = i, .switch_every = 8}, budget_body,
                (void *)&cpus[i]);
}

/* ---- policies ---- */

static unsigned order[4], ordered;

static void in_order(void *opaque)
{
    sim_work(20 * MS);
    order[ordered++] = (unsigned)(uintptr_t)opaque;
}

static void fifo_body(void *unused)
{
    struct plat_task *t[4];

    (void)unused;
    ordered = 0;
    assert_int_equal(sched_policy_set(0, "fifo"), 0);
    assert_int_equal(sched_policy_set(0, "lottery"), -ENOENT);
    assert_int_equal(sched_policy_set(9, "fifo"), -EINVAL);
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(plat_task_start(&t[i], "t", in_order, (void *)i), 0);
    for (unsigned i = 0; i < 4; i++)
        plat_task_join(t[i]);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(order[i], i);
}

static void test_fifo(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, fifo_body, NULL);
}

static void priority_body(void *unused)
{
    struct plat_task *t[4], *self = task_current();
    uint64_t begun[4];

    (void)unused;
    assert_int_equal(sched_policy_set(0, "priority"), 0);
    assert_int_equal(task_priority_set(self, 31), 0);
    assert_int_equal(task_priority_set(self, 32), -EINVAL);
    hogs_start(t, 4, NULL);
    assert_int_equal(task_priority_set(t[0], 9), 0);
    assert_int_equal(task_priority_set(t[1], 9), 0);
    sim_sleep(1 * S);
    assert_int_equal(task_time_ns(t[2]) + task_time_ns(t[3]), 0);
    check_share(task_time_ns(t[0]), S / 2, 2, "an equal");
    assert_int_equal(task_priority_set(t[3], 20), 0);
    for (unsigned i = 0; i < 4; i++)
        begun[i] = task_time_ns(t[i]);
    sim_sleep(1 * S);
    assert_int_equal(task_time_ns(t[0]) - begun[0] + task_time_ns(t[1]) - begun[1], 0);
    check_share(task_time_ns(t[3]) - begun[3], S, 1, "the highest");
    assert_int_equal(sched_policy_set(0, "rr"), 0); /* while they run */
    for (unsigned i = 0; i < 4; i++)
        begun[i] = task_time_ns(t[i]);
    sim_sleep(4 * S);
    for (unsigned i = 0; i < 4; i++)
        check_share(task_time_ns(t[i]) - begun[i], S, 2, "rr after priority");
    hogs_stop(t, 4);
}

static void test_priority(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, priority_body, NULL);
}

/* ---- where tasks run ---- */

static void pin_body(void *unused)
{
    struct plat_task *t[5];
    struct sched_cpu_stat before, after;
    struct sched_task_stat ts;
    uint64_t begun;

    (void)unused;
    hogs_start(t, 5, NULL);
    assert_int_equal(task_affinity_set(t[0], BIT(2)), 0);
    assert_int_equal(task_affinity_set(t[0], 0), -EINVAL);
    assert_int_equal(task_affinity_set(t[0], BIT(40)), -EINVAL);
    assert_int_equal(sched_pin(0, t[4]), -EINVAL);
    assert_int_equal(sched_pin(1, t[4]), 0);
    assert_int_equal(sched_pin(1, t[3]), -EBUSY);
    sim_sleep(100 * MS);
    sched_cpu_stat(1, &before);
    begun = task_time_ns(t[4]);
    sim_sleep(4 * S);
    sched_cpu_stat(1, &after);
    check_share(task_time_ns(t[4]) - begun, 4 * S, 1, "the owner of a CPU");
    assert_int_equal(before.ticks, after.ticks);
    assert_int_equal(before.switches, after.switches);
    assert_string_equal(after.pinned, "hog");
    for (unsigned i = 0; !sched_task_stat(i, &ts); i++)
        assert_true(strcmp(ts.name, "hog") || ts.cpu != 1 || ts.affinity == BIT(1));
    assert_int_equal(sched_pin(1, NULL), 0);
    begun = task_time_ns(t[1]) + task_time_ns(t[2]) + task_time_ns(t[3]) + task_time_ns(t[0]);
    sim_sleep(1 * S);
    /* Given back: CPU 1 takes from the others again. */
    assert_true(task_time_ns(t[1]) + task_time_ns(t[2]) + task_time_ns(t[3]) + task_time_ns(t[0]) - begun >
                2 * S);
    hogs_stop(t, 5);
}

static void test_pin(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        sim_run(&(struct sim_config){.cpus = 3, .seed = seed, .switch_every = 4}, pin_body, NULL);
}

static void tickless_body(void *unused)
{
    struct plat_task *t[3];
    uint64_t before[4];

    (void)unused;
    hogs_start(t, 3, NULL);
    sim_sleep(500 * MS); /* spread out by now; this task sleeps on the fourth */
    for (unsigned i = 0; i < 4; i++)
        before[i] = sim_interrupts(i);
    sim_sleep(10 * S);
    for (unsigned i = 0; i < 4; i++)
        assert_true(sim_interrupts(i) - before[i] <= 2);
    hogs_stop(t, 3);
}

static void test_tickless(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 4, .seed = 1, .switch_every = 4}, tickless_body, NULL);
}

/*
 * An engine as far as the scheduler can tell: whose registers are in which CPU, and whether they are where
 * they run.
 */
struct guest {
    struct plat_task *task;
    struct cpu *in; /* NULL: in memory */
    unsigned evicted;
};
static struct guest guests[6];

static void guest_evict(void *opaque)
{
    struct guest *g = opaque;

    assert_ptr_equal(g->in, arch_cpu());
    assert_false(arch_irqs_on());
    g->in = NULL;
    g->evicted++;
    sched_resident_set(NULL);
}

static void guest_main(void *opaque)
{
    static const struct task_hooks hooks = {guest_evict};
    struct guest *g = opaque;
    struct rng rng;

    rng_init(&rng, (uint64_t)(g - guests));
    task_hooks_set(&hooks, g);
    while (!stop) {
        bool on = arch_irq_save();
        struct plat_task *other = sched_resident();

        if (other != g->task) { /* the world switch */
            if (other) {
                for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
                    if (guests[i].task == other) {
                        assert_ptr_equal(guests[i].in, arch_cpu());
                        guests[i].in = NULL;
                    }
                }
            }
            assert_null(g->in);
            g->in = arch_cpu();
            sched_resident_set(g->task);
        }
        assert_ptr_equal(g->in, arch_cpu());
        arch_irq_restore(on);
        sim_work(rng_below(&rng, 2 * MS));
        if (!rng_below(&rng, 4))
            sim_sleep(rng_below(&rng, 5 * MS));
    }
}

static void resident_body(void *unused)
{
    unsigned evicted = 0;

    (void)unused;
    stop = false;
    memset(guests, 0, sizeof(guests));
    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++)
        assert_int_equal(plat_task_start(&guests[i].task, "guest", guest_main, &guests[i]), 0);
    for (unsigned i = 0; i < 200; i++) {
        sim_sleep(10 * MS);
        task_affinity_set(guests[i % 6].task, i % 3 ? UINT64_MAX : BIT(i / 3 % 3));
    }
    stop = true;
    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
        plat_task_join(guests[i].task);
        assert_null(guests[i].in); /* the end of its task evicts, too */
        evicted += guests[i].evicted;
    }
    assert_true(evicted > 10);
}

static void test_resident(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        sim_run(&(struct sim_config){.cpus = 3, .seed = seed, .switch_every = 3}, resident_body, NULL);
}

/* ---- wake-ups ---- */

#define PAIRS  8
#define EVENTS 1000000

/*
 * One side adds to a counter and wakes, the other waits until it has seen all. A lost wake-up ends in "waits
 * for ever".
 */
struct pair {
    struct plat_event event, back;
    _Atomic unsigned sent;
    unsigned seen;
    struct rng rng;
    unsigned goal;
};
static struct pair pairs[PAIRS];
static unsigned pair_count;

static void waker(void *opaque)
{
    struct pair *p = opaque;
    struct rng rng;

    rng_init(&rng, (uint64_t)(p - pairs) + 77);
    for (unsigned i = 0; i < p->goal; i++) {
        atomic_fetch_add(&p->sent, 1);
        plat_event_wake(&p->event);
        if (!rng_below(&rng, 3))
            plat_event_wait(&p->back, PLAT_FOREVER);
        else if (!rng_below(&rng, 16))
            sim_work(rng_below(&rng, 3000));
    }
}

static void waiter(void *opaque)
{
    struct pair *p = opaque;

    while (p->seen < p->goal) {
        uint64_t until = rng_below(&p->rng, 8) ? PLAT_FOREVER : plat_clock_ns() + rng_below(&p->rng, 2000);

        if (!plat_event_wait(&p->event, until))
            assert_true(plat_clock_ns() >= until); /* never early */
        p->seen = atomic_load(&p->sent);
        plat_event_wake(&p->back);
        if (!rng_below(&p->rng, 16))
            sim_work(rng_below(&p->rng, 3000));
    }
}

static void wakes_body(void *opaque)
{
    struct plat_task *t[2 * PAIRS];
    unsigned goal = *(unsigned *)opaque / pair_count;

    memset(pairs, 0, sizeof(pairs));
    for (unsigned i = 0; i < pair_count; i++) {
        plat_event_init(&pairs[i].event);
        plat_event_init(&pairs[i].back);
        rng_init(&pairs[i].rng, i);
        pairs[i].goal = goal;
        assert_int_equal(plat_task_start(&t[2 * i], "waker", waker, &pairs[i]), 0);
        assert_int_equal(plat_task_start(&t[2 * i + 1], "waiter", waiter, &pairs[i]), 0);
    }
    for (unsigned i = 0; i < 2 * pair_count; i++)
        plat_task_join(t[i]);
    for (unsigned i = 0; i < pair_count; i++)
        assert_int_equal(pairs[i].seen, goal);
}

static void test_wakes(void **state)
{
    static const unsigned long_run = EVENTS / 2, short_run = EVENTS / 40;

    (void)state;
    pair_count = PAIRS;
    sim_run(&(struct sim_config){.cpus = 4, .seed = 1, .switch_every = 5}, wakes_body, (void *)&long_run);
    for (uint64_t seed = 2; seed < 22; seed++) {
        pair_count = seed % 3 ? PAIRS : 2; /* few: CPUs are idle and fetch what wakes */
        sim_run(&(struct sim_config){.cpus = 1 + seed % 4, .seed = seed, .switch_every = 2}, wakes_body,
                (void *)&short_run);
    }
}

/* ---- life and death ---- */

static void nothing(void *unused)
{
    (void)unused;
}

static void life_body(void *unused)
{
    struct plat_task *t[16];
    uint64_t before = 0;

    (void)unused;
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(plat_task_start(&t[i], "t", nothing, NULL), 0);
        for (unsigned i = 0; i < 16; i++)
            plat_task_join(t[i]);
        if (round == 20) {
            heap_shrink();
            before = frames_free();
        }
    }
    heap_shrink();
    assert_int_equal(frames_free(), before);
    assert_null(frames_check());
}

static void test_life(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, life_body, NULL);
    sim_run(&(struct sim_config){.cpus = 1, .seed = 2}, life_body, NULL);
}

/* No memory for a task is an error, nothing else. */
static void exhausted_body(void *unused)
{
    static struct plat_task *t[4096]; /* this body's stack is a task's */
    unsigned n = 0;

    (void)unused;
    stop = false;
    while (n < ARRAY_SIZE(t) && !plat_task_start(&t[n], "hog", hog, NULL))
        n++;
    assert_true(n > 8 && n < ARRAY_SIZE(t));
    hogs_stop(t, n);
    assert_null(frames_check());
}

static void test_exhausted(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 2, .seed = 1, .memory = UINT64_C(2) << 20}, exhausted_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fair),      cmocka_unit_test(test_fair_smp), cmocka_unit_test(test_weight),
        cmocka_unit_test(test_latency),   cmocka_unit_test(test_budget),   cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_priority),  cmocka_unit_test(test_pin),      cmocka_unit_test(test_tickless),
        cmocka_unit_test(test_resident),  cmocka_unit_test(test_wakes),    cmocka_unit_test(test_life),
        cmocka_unit_test(test_exhausted),
    };

    return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
