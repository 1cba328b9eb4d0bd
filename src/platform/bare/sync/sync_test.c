/* Mutexes, semaphores, timers and calls between CPUs on the simulated machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/platform.h"
#include "lib/rng.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"
#include "platform/bare/sim/sim.h"
#include "platform/bare/sync/wait.h"

#define TASKS  8
#define ROUNDS 2000

static struct plat_lock lock;
static unsigned inside, total;

static void locker(void *opaque)
{
    struct rng rng;

    rng_init(&rng, (uintptr_t)opaque);
    for (unsigned i = 0; i < ROUNDS; i++) {
        plat_lock(&lock);
        assert_int_equal(inside++, 0);
        if (!rng_below(&rng, 8))
            sim_work(rng_below(&rng, 2000));
        if (!rng_below(&rng, 64))
            sim_sleep(rng_below(&rng, 2000)); /* held over a sleep */
        total++;
        inside--;
        plat_unlock(&lock);
    }
}

static void run_tasks(void (*fn)(void *))
{
    struct plat_task *t[TASKS];

    for (uintptr_t i = 0; i < TASKS; i++)
        assert_int_equal(plat_task_start(&t[i], "t", fn, (void *)i), 0);
    for (unsigned i = 0; i < TASKS; i++)
        plat_task_join(t[i]);
}

static void mutex_body(void *unused)
{
    (void)unused;
    inside = total = 0;
    plat_lock_init(&lock);
    run_tasks(locker);
    assert_int_equal(total, TASKS * ROUNDS);
    plat_lock_fini(&lock);
}

static void test_mutex(void **state)
{
    (void)state;
    for (unsigned cpus = 1; cpus <= 4; cpus++)
        sim_run(&(struct sim_config){.cpus = cpus, .seed = cpus, .switch_every = 2}, mutex_body, NULL);
}

/* ---- semaphores: a bounded buffer ---- */

static struct sema space, items;
static _Atomic unsigned put, got;

static void producer_or_consumer(void *opaque)
{
    bool producer = (uintptr_t)opaque & 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (producer) {
            assert_true(sema_take(&space, PLAT_FOREVER));
            put++;
            sema_give(&items);
        } else {
            while (!sema_take(&items, plat_clock_ns() + 700))
                ; /* late: again */
            got++;
            sema_give(&space);
        }
        assert_true(put - got <= 3 + TASKS);
        if (!(i & 15))
            sim_work(100 * (i & 31));
    }
}

static void sem_body(void *unused)
{
    (void)unused;
    put = got = 0;
    sema_init(&space, 3);
    sema_init(&items, 0);
    run_tasks(producer_or_consumer);
    assert_int_equal(put, got);
    assert_int_equal(items.count, 0);
    assert_int_equal(space.count, 3);
}

static void test_sem(void **state)
{
    (void)state;
    for (unsigned cpus = 1; cpus <= 4; cpus++)
        sim_run(&(struct sim_config){.cpus = cpus, .seed = cpus, .switch_every = 3}, sem_body, NULL);
}

/* ---- timers ---- */

struct alarm {
    struct ktimer timer;
    uint64_t due;
    unsigned fired;
    bool set;
};
static struct alarm alarms[100];

static void ring(void *opaque)
{
    struct alarm *a = opaque;

    for (unsigned i = 0; i < (a->fired % 4 ? 1 : 1000); i++)
        arch_relax(); /* others go on meanwhile: who cancels it has to wait */
    assert_true(a->set);
    assert_true(arch_counter() >= a->due);
    assert_true(arch_counter() <= a->due + 20000); /* the longest step of any CPU */
    a->fired++;
    a->set = false;
}

/* Each task owns every TASKS-th timer, and sets or cancels one at random, wherever it runs. */
static void timer_task(void *opaque)
{
    struct rng rng;

    rng_init(&rng, (uintptr_t)opaque);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct alarm *a = &alarms[rng_below(&rng, ARRAY_SIZE(alarms) / TASKS) * TASKS + (uintptr_t)opaque];

        if (rng_below(&rng, 3)) {
            ktimer_cancel(&a->timer);
            a->due = arch_counter() + rng_below(&rng, 50000);
            a->set = true;
            ktimer_set(&a->timer, a->due);
        } else {
            unsigned fired;

            ktimer_cancel(&a->timer);
            fired = a->fired;
            a->set = false;
            sim_work(rng_below(&rng, 5000));
            assert_int_equal(a->fired, fired);
        }
        if (!rng_below(&rng, 4))
            sim_work(rng_below(&rng, 20000));
        if (!rng_below(&rng, 8)) /* away from the timers that it has set */
            task_affinity_set(task_current(), BIT(rng_below(&rng, cpu_count())));
    }
}

/* What is set of many, in any order; nothing else is set on this CPU meanwhile. */
static void check_count(void)
{
    bool on = arch_irq_save();
    unsigned n = ktimer_count(arch_cpu()->timers);
    struct rng rng;

    rng_init(&rng, 7);
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++) {
        ktimer_set(&alarms[i].timer, arch_counter() + UINT32_MAX + rng_below(&rng, 1000));
        assert_int_equal(ktimer_count(arch_cpu()->timers), ++n);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++) {
        ktimer_cancel(&alarms[i * 37 % ARRAY_SIZE(alarms)].timer);
        assert_int_equal(ktimer_count(arch_cpu()->timers), --n);
    }
    arch_irq_restore(on);
}

static void timers_body(void *unused)
{
    unsigned fired = 0;

    (void)unused;
    memset(alarms, 0, sizeof(alarms));
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++)
        ktimer_init(&alarms[i].timer, ring, &alarms[i]);
    run_tasks(timer_task);
    sim_sleep(100000);
    for (unsigned i = 0; i < ARRAY_SIZE(alarms); i++) {
        assert_false(alarms[i].set);
        fired += alarms[i].fired;
    }
    assert_true(fired > 1000);
    check_count();
}

static void test_timers(void **state)
{
    (void)state;
    for (unsigned cpus = 1; cpus <= 4; cpus++)
        sim_run(&(struct sim_config){.cpus = cpus, .seed = cpus, .switch_every = 4}, timers_body, NULL);
}

/* ---- calls ---- */

static _Atomic uint64_t seen[CPU_MAX];

static void note(void *opaque)
{
    assert_false(arch_irqs_on());
    atomic_fetch_add(&seen[arch_cpu()->id], *(unsigned *)opaque);
}

static void caller(void *opaque)
{
    unsigned one = 1;

    (void)opaque;
    for (unsigned i = 0; i < 500; i++) {
        ipi_call(BIT(cpu_count()) - 1, note, &one);
        ipi_call(BIT(i % cpu_count()), note, &one);
        ipi_guest_flush(UINT64_MAX, 3, 0x1000, 0x1000);
        sim_work(i * 7 % 500);
    }
}

static void calls_body(void *unused)
{
    uint64_t sum = 0;

    (void)unused;
    memset(seen, 0, sizeof(seen));
    run_tasks(caller);
    for (unsigned i = 0; i < cpu_count(); i++)
        sum += seen[i];
    assert_int_equal(sum, TASKS * 500 * (cpu_count() + 1));
}

static void test_calls(void **state)
{
    (void)state;
    for (unsigned cpus = 1; cpus <= 4; cpus++)
        sim_run(&(struct sim_config){.cpus = cpus, .seed = cpus, .switch_every = 3}, calls_body, NULL);
}

/* ---- interrupts ---- */

static unsigned masked, unmasked, handled;

static void fake_mask(struct irq_domain *d, unsigned hwirq)
{
    (void)d;
    masked |= 1u << hwirq;
    unmasked &= ~(1u << hwirq);
}

static void fake_unmask(struct irq_domain *d, unsigned hwirq)
{
    (void)d;
    unmasked |= 1u << hwirq;
}

static void handler(void *arg)
{
    handled += *(unsigned *)arg;
}

/* A controller behind an input of another. */
static void chained(void *arg)
{
    irq_handle(arg, 3);
}

static void irq_body(void *unused)
{
    static const struct irq_domain_ops ops = {.mask = fake_mask, .unmask = fake_unmask};
    static struct irq_domain root, behind;
    unsigned five = 5;
    bool on;

    (void)unused;
    masked = unmasked = handled = 0;
    root = (struct irq_domain){.name = "root", .ops = &ops, .node = 7, .count = 16};
    behind = (struct irq_domain){.name = "behind", .ops = &ops, .node = 9, .count = 8};
    assert_int_equal(irq_domain_add(&root), 0);
    assert_int_equal(irq_domain_add(&behind), 0);
    assert_ptr_equal(irq_domain_of(7), &root);
    assert_null(irq_domain_of(8));
    assert_int_equal(irq_request(&root, 16, IRQ_LEVEL_HIGH, handler, &five, "x"), -22);
    assert_int_equal(irq_request(&root, 1, IRQ_LEVEL_HIGH, chained, &behind, "behind"), 0);
    assert_int_equal(irq_request(&behind, 3, IRQ_LEVEL_HIGH, handler, &five, "dev"), 0);
    assert_int_equal(irq_request(&behind, 3, IRQ_LEVEL_HIGH, handler, &five, "dev"), -16);
    irq_enable(&behind, 3, true);
    assert_int_equal(unmasked, 8);
    assert_int_equal(irq_affinity(&behind, 3, 1), -95);
    on = arch_irq_save();
    irq_handle(&root, 1);
    irq_handle(&root, 2); /* nobody's: masked from now on */
    irq_handle(&root, 99);
    arch_irq_restore(on);
    assert_int_equal(handled, 5);
    assert_int_equal(root.spurious, 2);
    assert_true(masked & 4);
    irq_release(&behind, 3);
    on = arch_irq_save();
    irq_handle(&root, 1);
    arch_irq_restore(on);
    assert_int_equal(handled, 5);
}

static void test_irq(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 2, .seed = 1}, irq_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutex), cmocka_unit_test(test_sem), cmocka_unit_test(test_timers),
        cmocka_unit_test(test_calls), cmocka_unit_test(test_irq),
    };

    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
