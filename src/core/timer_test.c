/* Timers: order, homes, setting again from the callback, cancelling against a running callback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>
#include "engine/minimal/testvm.h"

static int setup(void **state)
{
    *state = testvm_new(2);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

#define N 200

struct fired {
    unsigned order[N], n;
};

struct probe {
    struct timer t;
    struct fired *f;
    unsigned id;
    uint64_t again;
};

static void probe_fn(void *opaque)
{
    struct probe *p = opaque;

    if (p->f->n < N)
        p->f->order[p->f->n] = p->id;
    p->f->n++;
    if (p->again) {
        timer_set(&p->t, p->again);
        p->again = 0;
    }
}

/* Random deadlines, changes and cancellations against a plain array as the model. */
static void against_a_model(void **state)
{
    struct vm *vm = *state;
    static struct probe p[N];
    uint64_t model[N];

    srand(3);
    for (unsigned round = 0; round < 50; round++) {
        struct fired f = {.n = 0};
        uint64_t next = TIMER_NEVER, last = 0;
        unsigned due = 0;

        for (unsigned i = 0; i < N; i++) {
            p[i] = (struct probe){.f = &f, .id = i};
            assert_int_equal(timer_init(&p[i].t, vm, probe_fn, &p[i]), 0);
            model[i] = TIMER_NEVER;
        }
        for (unsigned k = 0; k < 1000; k++) {
            unsigned i = (unsigned)rand() % N;

            model[i] = rand() % 4 ? (uint64_t)(rand() % 5000) : TIMER_NEVER;
            timer_set(&p[i].t, model[i]);
        }
        for (unsigned i = 0; i < N; i++)
            next = MIN(next, model[i]);
        assert_int_equal(timer_next(vm, 0), next);
        timer_run(vm, 0, 2500);
        for (unsigned i = 0; i < N; i++)
            due += model[i] <= 2500;
        assert_int_equal(f.n, due);
        for (unsigned i = 0; i < f.n; i++) {
            assert_true(model[f.order[i]] >= last && model[f.order[i]] <= 2500);
            last = model[f.order[i]];
            assert_int_equal(p[f.order[i]].t.deadline, TIMER_NEVER);
        }
        for (unsigned i = 0; i < N; i++)
            timer_fini(&p[i].t);
        assert_int_equal(timer_next(vm, 0), TIMER_NEVER);
        assert_int_equal(vm->timers[0].owned, 0);
    }
}

static void homes(void **state)
{
    struct vm *vm = *state;
    struct fired f = {.n = 0};
    struct probe a = {.f = &f, .id = 1}, b = {.f = &f, .id = 2};

    timer_init(&a.t, vm, probe_fn, &a);
    timer_init(&b.t, vm, probe_fn, &b);
    assert_int_equal(timer_home(&b.t, 1), 0);
    timer_set(&a.t, 10);
    timer_set(&b.t, 5);
    assert_int_equal(timer_next(vm, 0), 10);
    assert_int_equal(timer_next(vm, 1), 5);
    timer_run(vm, 0, 100);
    assert_int_equal(f.n, 1);
    timer_run(vm, 1, 100);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.order[1], 2);
    /* Setting an earlier one makes its home look again. */
    atomic_store(&vm->vcpu[0]->request, 0);
    atomic_store(&vm->vcpu[1]->request, 0);
    timer_set(&b.t, 50);
    assert_int_equal(atomic_load(&vm->vcpu[1]->request), VCPU_REQ_KICK);
    assert_int_equal(atomic_load(&vm->vcpu[0]->request), 0);
    timer_fini(&a.t);
    timer_fini(&b.t);
    assert_int_equal(timer_next(vm, 1), TIMER_NEVER);
}

static void set_again_in_callback(void **state)
{
    struct vm *vm = *state;
    struct fired f = {.n = 0};
    struct probe a = {.f = &f, .again = 20};

    timer_init(&a.t, vm, probe_fn, &a);
    timer_set(&a.t, 10);
    timer_run(vm, 0, 15);
    assert_int_equal(f.n, 1);
    assert_int_equal(timer_next(vm, 0), 20);
    a.again = 25;
    timer_run(vm, 0, 30); /* both of them are due */
    assert_int_equal(f.n, 3);
    timer_fini(&a.t);
    timer_fini(&(struct timer){0}); /* never initialised */
}

/* ---- races: a task runs timers while another sets, cancels and finishes them ---- */

struct race {
    struct vm *vm;
    _Atomic bool stop;
    _Atomic unsigned inside, calls;
    struct timer t;
};

static void race_fn(void *opaque)
{
    struct race *r = opaque;

    atomic_store(&r->inside, 1);
    nanosleep(&(struct timespec){0, 20000}, NULL);
    atomic_fetch_add(&r->calls, 1);
    atomic_store(&r->inside, 0);
}

static void race_task(void *opaque)
{
    struct race *r = opaque;

    while (!atomic_load(&r->stop))
        timer_run(r->vm, 0, 1000);
}

static void fini_waits_for_the_callback(void **state)
{
    struct race r = {.vm = *state};
    struct plat_task *task;

    assert_int_equal(plat_task_start(&task, "timers", race_task, &r), 0);
    for (unsigned i = 0; i < 500; i++) {
        timer_init(&r.t, r.vm, race_fn, &r);
        timer_set(&r.t, 1);
        if (i % 3)
            timer_set(&r.t, i % 2000);
        if (i % 7 == 0)
            timer_cancel(&r.t);
        if (i % 5 == 0)
            while (!atomic_load(&r.inside) && i % 7 && i < 1000 && atomic_load(&r.calls) < 1)
                ;
        timer_fini(&r.t);
        assert_int_equal(atomic_load(&r.inside), 0);
        r.vm->timers[0].owned = 0;
    }
    atomic_store(&r.stop, true);
    plat_task_join(task);
    assert_true(atomic_load(&r.calls) > 0);
}

/* ---- the clock ---- */

static void clock_stops_and_goes_on(void **state)
{
    struct vm *vm = *state;
    uint64_t a, b;

    assert_int_equal(clock_now_ns(vm), 0);
    clock_start(vm);
    while ((a = clock_now_ns(vm)) < 100000)
        ;
    clock_stop(vm);
    b = clock_now_ns(vm);
    assert_true(b >= a);
    nanosleep(&(struct timespec){0, 2000000}, NULL);
    assert_int_equal(clock_now_ns(vm), b);
    assert_int_equal(clock_host_deadline(vm, b + 5), PLAT_FOREVER);
    clock_stop(vm); /* twice is once */
    assert_int_equal(clock_now_ns(vm), b);
    clock_start(vm);
    assert_true(clock_now_ns(vm) >= b && clock_now_ns(vm) < b + 60000000000u);
    assert_int_equal(clock_host_deadline(vm, TIMER_NEVER), PLAT_FOREVER);
    assert_int_equal(clock_host_deadline(vm, TIMER_NEVER - 1), PLAT_FOREVER);
    assert_true(clock_host_deadline(vm, 0) <= plat_clock_ns());
}

static void ticks(void **state)
{
    (void)state;
    assert_int_equal(clock_ticks_to_ns(0, 10000000), 0);
    assert_int_equal(clock_ticks_to_ns(1, 10000000), 100);
    assert_int_equal(clock_ticks_to_ns(1, 3), 333333334); /* up: never before the tick */
    assert_int_equal(clock_ticks_to_ns(UINT64_MAX, 10000000), TIMER_NEVER - 1);
    assert_int_equal(clock_ticks_to_ns(UINT64_MAX, 1), TIMER_NEVER - 1);
}

static uint64_t hardware_hz(void)
{
    return 24000000;
}

/* What hardware shows to guests is the engine's word. */
static void counter_hz(void **state)
{
    struct vm *vm = *state;
    const struct engine_ops *before = vm->engine;
    struct engine_ops hardware = *before;

    assert_int_equal(clock_counter_hz(vm, 10000000), 10000000);
    hardware.counter_hz = hardware_hz;
    vm->engine = &hardware;
    assert_int_equal(clock_counter_hz(vm, 10000000), 24000000);
    vm->engine = before;
}

static void deterministic_clock(void **state)
{
    struct vm_desc desc = {.smp = 1, .deterministic = true};
    char why[160];
    struct vm *vm = testvm_try(&desc, why, sizeof(why));
    struct vcpu *v = vm->vcpu[0];

    (void)state;
    vm->clock.insns = 1000;
    vm->clock.skipped = 500;
    assert_int_equal(clock_now_ns(vm), 1500);
    vm->clock.turn = v;
    vm->clock.turn_start = vcpu_icount(v);
    vcpu_grant(v, 100);
    v->budget -= 40;
    assert_int_equal(clock_now_ns(vm), 1540);
    assert_int_equal(clock_ticks(vm, 10000000), 15);
    assert_int_equal(clock_wall_ns(vm) % 1000000000u, 1540);
    vm->clock.turn = NULL;
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(against_a_model, setup, teardown),
        cmocka_unit_test_setup_teardown(homes, setup, teardown),
        cmocka_unit_test_setup_teardown(set_again_in_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(fini_waits_for_the_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_stops_and_goes_on, setup, teardown),
        cmocka_unit_test(ticks),
        cmocka_unit_test_setup_teardown(counter_hz, setup, teardown),
        cmocka_unit_test(deterministic_clock),
    };

    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
