/* Work items: once for many, flushed, queued from inside an item, with and without a worker task. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "engine/minimal/testvm.h"

struct item {
    struct work w;
    _Atomic unsigned runs;
    unsigned again;
    struct item *other;
};

static void item_fn(void *opaque)
{
    struct item *i = opaque;

    nanosleep(&(struct timespec){0, 1000}, NULL);
    atomic_fetch_add(&i->runs, 1);
    if (i->again) {
        i->again--;
        work_queue(&i->w);
    }
    if (i->other)
        work_queue(&i->other->w);
}

static void without_a_task(void **state)
{
    struct vm *vm = testvm_new(1);
    struct item a = {.again = 2}, b = {.other = &a};

    (void)state;
    work_init(&a.w, vm, item_fn, &a);
    work_init(&b.w, vm, item_fn, &b);
    work_drain(vm); /* nothing there */
    for (unsigned i = 0; i < 5; i++)
        work_queue(&a.w);
    assert_true(atomic_load(&vm->vcpu[0]->request) & VCPU_REQ_KICK);
    assert_int_equal(a.runs, 0);
    work_drain(vm);
    assert_int_equal(a.runs, 3); /* five calls are one, then twice by itself */
    work_queue(&b.w);
    work_flush(&b.w);
    assert_int_equal(b.runs, 1);
    work_flush(&a.w);
    assert_int_equal(a.runs, 4);
    vm_destroy(vm);
}

struct inside {
    struct vm *vm;
    struct work w;
    unsigned runs, inside, most;
};

static void inside_fn(void *opaque)
{
    struct inside *i = opaque;

    i->inside++;
    i->most = MAX(i->most, i->inside);
    if (!i->runs++) {
        work_queue(&i->w);
        work_hold(i->vm, false);
        work_drain(i->vm);
    }
    i->inside--;
}

/* An item that a flush runs and that is queued again is left alone until it has ended. */
static void never_twice_at_once(void **state)
{
    struct vm *vm = testvm_new(1);
    struct inside i = {.vm = vm};

    (void)state;
    work_init(&i.w, vm, inside_fn, &i);
    work_hold(vm, true);
    work_queue(&i.w);
    work_flush(&i.w);
    assert_int_equal(i.runs, 2);
    assert_int_equal(i.most, 1);
    vm_destroy(vm);
}

static void order_kept_and_tail_right(void **state)
{
    struct vm *vm = testvm_new(1);
    struct item a = {0}, b = {0}, c = {0};

    (void)state;
    work_init(&a.w, vm, item_fn, &a);
    work_init(&b.w, vm, item_fn, &b);
    work_init(&c.w, vm, item_fn, &c);
    for (unsigned round = 1; round <= 3; round++) {
        work_queue(&a.w);
        work_queue(&b.w);
        work_queue(&a.w);
        work_drain(vm);
        work_queue(&c.w);
        work_drain(vm);
        assert_int_equal(a.runs, round);
        assert_int_equal(b.runs, round);
        assert_int_equal(c.runs, round);
    }
    vm_destroy(vm);
}

#define ROUNDS 2000

static void queue_task(void *opaque)
{
    struct item *i = opaque;

    for (unsigned k = 0; k < ROUNDS; k++)
        work_queue(&i->w);
}

/* Tasks queue while the worker runs; after a flush each has run at least once and none is lost. */
static void with_a_worker(void **state)
{
    struct vm *vm = testvm_new(1);
    struct item item[3] = {{.runs = 0}};
    struct plat_task *task[3];

    (void)state;
    assert_int_equal(work_start(vm), 0);
    for (unsigned i = 0; i < 3; i++)
        work_init(&item[i].w, vm, item_fn, &item[i]);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(plat_task_start(&task[i], "queue", queue_task, &item[i]), 0);
    for (unsigned i = 0; i < 3; i++)
        plat_task_join(task[i]);
    for (unsigned i = 0; i < 3; i++) {
        unsigned before;

        work_flush(&item[i].w);
        before = item[i].runs;
        assert_true(before >= 1 && before <= ROUNDS);
        work_queue(&item[i].w);
        work_flush(&item[i].w);
        assert_int_equal(item[i].runs, before + 1);
    }
    vm_destroy(vm);
}

/* Held items stay queued, whoever queues them, and a flush runs its own; released they run in order. */
static void held(void **state)
{
    struct vm *vm = testvm_new(1);
    struct item a = {.runs = 0}, b = {.runs = 0};

    (void)state;
    work_init(&a.w, vm, item_fn, &a);
    work_init(&b.w, vm, item_fn, &b);
    for (unsigned worker = 0; worker < 2; worker++) {
        unsigned before = a.runs;

        if (worker)
            assert_int_equal(work_start(vm), 0);
        work_hold(vm, true);
        work_settle(vm);
        work_queue(&a.w);
        work_queue(&b.w);
        work_queue(&a.w);
        work_drain(vm);
        nanosleep(&(struct timespec){0, 3000000}, NULL);
        assert_int_equal(a.runs, before);
        work_flush(&b.w);
        assert_int_equal(a.runs, before);
        assert_int_equal(b.runs, before + 1);
        work_hold(vm, false);
        work_flush(&a.w);
        assert_int_equal(a.runs, before + 1);
        assert_int_equal(b.runs, before + 1);
    }
    work_hold(vm, true);
    work_queue(&a.w);
    work_stop(vm); /* ends held ones too: nothing queued is lost */
    assert_int_equal(a.runs, 3);
    vm_destroy(vm);
}

/* Holds, releases and flushes from one task while others queue. */
static void held_at_random(void **state)
{
    struct vm *vm = testvm_new(1);
    struct item item[3] = {{.runs = 0}};
    struct plat_task *task[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        work_init(&item[i].w, vm, item_fn, &item[i]);
    assert_int_equal(work_start(vm), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(plat_task_start(&task[i], "queue", queue_task, &item[i]), 0);
    for (unsigned k = 0; k < 200; k++) {
        unsigned sum = 0, again = 0;

        work_hold(vm, true);
        work_settle(vm);
        for (unsigned i = 0; i < 3; i++)
            sum += item[i].runs;
        nanosleep(&(struct timespec){0, 20000}, NULL);
        for (unsigned i = 0; i < 3; i++)
            again += item[i].runs;
        assert_int_equal(again, sum);
        work_hold(vm, false);
    }
    for (unsigned i = 0; i < 3; i++)
        plat_task_join(task[i]);
    for (unsigned i = 0; i < 3; i++) {
        work_flush(&item[i].w);
        assert_true(item[i].runs);
    }
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_task), cmocka_unit_test(order_kept_and_tail_right),
        cmocka_unit_test(with_a_worker),  cmocka_unit_test(held),
        cmocka_unit_test(held_at_random), cmocka_unit_test(never_twice_at_once),
    };

    return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
