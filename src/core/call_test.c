/* Calls into other vCPUs' contexts: by several issuers at once, with and without tasks behind the vCPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "engine/minimal/testvm.h"

#define CPUS 4

struct where {
    _Atomic unsigned seen[CPUS];
    _Atomic unsigned wrong; /* id + 1 */
};

static void note(struct vcpu *v, void *arg)
{
    struct where *w = arg;

    atomic_fetch_add(&w->seen[v->id], 1);
    plat_lock(&v->lock);
    if (v->attached && plat_current() != v)
        atomic_store(&w->wrong, v->id + 1);
    plat_unlock(&v->lock);
}

static void unattached_run_at_once(void **state)
{
    struct vm *vm = testvm_new(CPUS);
    struct where w = {0};

    (void)state;
    vcpu_call_mask(NULL, vm, 0, note, &w);
    vcpu_call_mask(NULL, vm, BIT(1) | BIT(3) | BIT(40), note, &w);
    vcpu_call_mask(vm->vcpu[0], vm, BIT(0) | BIT(1), note, &w);
    vcpu_call_others(vm->vcpu[2], vm, note, &w);
    vcpu_call_others(NULL, vm, note, &w);
    assert_int_equal(w.seen[0], 3);
    assert_int_equal(w.seen[1], 4);
    assert_int_equal(w.seen[2], 1);
    assert_int_equal(w.seen[3], 3);
    vm_destroy(vm);
}

/* Every vCPU's task calls all others, and one outside task calls all: no deadlock, none lost. */
#define ROUNDS 3000

struct peer {
    struct vcpu *v;
    struct where *w;
    _Atomic unsigned *left;
};

static void peer_task(void *opaque)
{
    struct peer *p = opaque;
    struct vcpu *v = p->v;

    plat_current_set(v);
    for (unsigned i = 0; i < ROUNDS; i++) {
        vcpu_call_mask(v, v->vm, ~BIT(v->id) & (i % 2 ? ~UINT64_C(0) : BIT(i / 2 % CPUS)), note, p->w);
        if (atomic_load(&v->request) & VCPU_REQ_CALL)
            vcpu_serve_calls(v);
    }
    atomic_fetch_sub(p->left, 1);
    while (atomic_load(p->left)) {
        plat_event_wait(&v->wake, plat_clock_ns() + 1000000);
        vcpu_serve_calls(v);
    }
    vcpu_detach(v);
    plat_current_set(NULL);
}

static void concurrent_issuers(void **state)
{
    struct vm *vm = testvm_new(CPUS);
    struct where w = {0}, outside = {0};
    _Atomic unsigned left = CPUS;
    struct peer peer[CPUS];
    struct plat_task *task[CPUS];
    unsigned sum = 0;

    (void)state;
    for (unsigned i = 0; i < CPUS; i++) {
        peer[i] = (struct peer){vm->vcpu[i], &w, &left};
        vcpu_attach(vm->vcpu[i]);
    }
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(plat_task_start(&task[i], "peer", peer_task, &peer[i]), 0);
    for (unsigned i = 0; i < ROUNDS / 4; i++)
        vcpu_call_mask(NULL, vm, ~UINT64_C(0), note, &outside);
    for (unsigned i = 0; i < CPUS; i++)
        plat_task_join(task[i]);
    for (unsigned i = 0; i < CPUS; i++) {
        assert_int_equal(outside.seen[i], ROUNDS / 4);
        sum += w.seen[i];
    }
    /* Odd rounds reach the three others, even rounds one of four, itself left out. */
    assert_int_equal(sum, CPUS * (ROUNDS / 2 * (CPUS - 1)) + CPUS * (ROUNDS / 2) - ROUNDS / 2);
    assert_int_equal(w.wrong, 0);
    for (unsigned i = 0; i < CPUS; i++)
        assert_null(vm->vcpu[i]->calls);
    vm_destroy(vm);
}

/* A call posted just before the task lets go is still served. */
static void detach_serves(void **state)
{
    struct vm *vm = testvm_new(2);
    struct where w = {0};
    struct plat_event event;
    struct vcpu_call c = {.fn = note, .arg = &w, .waiter = &event};

    (void)state;
    plat_event_init(&event);
    plat_current_set(vm->vcpu[1]);
    vcpu_attach(vm->vcpu[1]);
    vm->vcpu[1]->calls = &c;
    vcpu_request(vm->vcpu[1], VCPU_REQ_CALL);
    vcpu_detach(vm->vcpu[1]);
    plat_current_set(NULL);
    assert_true(atomic_load(&c.done));
    assert_int_equal(w.seen[1], 1);
    assert_int_equal(atomic_load(&vm->vcpu[1]->request), 0);
    plat_event_fini(&event);
    vm_destroy(vm);
}

/* A vCPU that is attached before its task runs: the call waits for the task. */
static void call_one_task(void *opaque)
{
    void **arg = opaque;

    vcpu_call_mask(NULL, arg[0], BIT(1), note, arg[1]);
}

static void attached_before_its_task(void **state)
{
    struct vm *vm = testvm_new(2);
    struct vcpu *v = vm->vcpu[1];
    struct where w = {0};
    struct plat_task *task;
    void *arg[] = {vm, &w};

    (void)state;
    vcpu_attach(v);
    assert_int_equal(plat_task_start(&task, "caller", call_one_task, arg), 0);
    while (!(atomic_load(&v->request) & VCPU_REQ_CALL))
        plat_event_wait(&v->wake, plat_clock_ns() + 1000000);
    assert_int_equal(w.seen[1], 0);
    plat_current_set(v);
    vcpu_serve_calls(v);
    plat_task_join(task);
    assert_int_equal(w.seen[1], 1);
    assert_int_equal(w.wrong, 0);
    vcpu_detach(v);
    plat_current_set(NULL);
    vm_destroy(vm);
}

/* The wake that came with a call is used up when the vCPU parks: the call is served all the same. */
static void parked_with_a_call(void **state)
{
    struct vm *vm = testvm_new(2);
    struct vcpu *v = vm->vcpu[1];
    struct where w = {0};
    struct plat_task *caller, *task;
    void *arg[] = {vm, &w};

    (void)state;
    atomic_store(&vm->pause, 1);
    vcpu_attach(v);
    assert_int_equal(plat_task_start(&caller, "caller", call_one_task, arg), 0);
    while (!plat_event_wait(&v->wake, PLAT_FOREVER))
        ;
    atomic_fetch_or(&v->request, VCPU_REQ_PAUSE);
    assert_int_equal(plat_task_start(&task, "vcpu1", run_vcpu_task, v), 0);
    plat_task_join(caller);
    assert_int_equal(w.seen[1], 1);
    assert_int_equal(w.wrong, 0);
    atomic_store(&vm->stopping, true);
    vcpu_request(v, VCPU_REQ_PAUSE);
    plat_task_join(task);
    vm_destroy(vm);
}

/* While a task comes and goes nobody is ever in a vCPU's context beside another. */
struct inside {
    _Atomic unsigned now, wrong, seen;
};

static void be_inside(struct vcpu *v, void *arg)
{
    struct inside *in = arg;

    (void)v;
    if (atomic_fetch_add(&in->now, 1))
        atomic_fetch_add(&in->wrong, 1);
    atomic_fetch_add(&in->seen, 1);
    atomic_fetch_sub(&in->now, 1);
}

struct inside_peer {
    struct vm *vm;
    struct vcpu *self;
    struct inside *in;
    _Atomic unsigned *left;
};

static void inside_task(void *opaque)
{
    struct inside_peer *p = opaque;

    plat_current_set(p->self);
    for (unsigned i = 0; i < ROUNDS; i++)
        vcpu_call_mask(p->self, p->vm, BIT(3), be_inside, p->in);
    atomic_fetch_sub(p->left, 1);
    plat_current_set(NULL);
}

static void one_at_a_time(void **state)
{
    struct vm *vm = testvm_new(CPUS);
    struct inside in = {0};
    _Atomic unsigned left = 3;
    struct inside_peer peer[3];
    struct plat_task *task[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        peer[i] = (struct inside_peer){vm, i ? vm->vcpu[i] : NULL, &in, &left};
        assert_int_equal(plat_task_start(&task[i], "peer", inside_task, &peer[i]), 0);
    }
    plat_current_set(vm->vcpu[3]);
    while (atomic_load(&left)) {
        vcpu_attach(vm->vcpu[3]);
        for (unsigned i = 0; i < 20; i++)
            vcpu_serve_calls(vm->vcpu[3]);
        if (atomic_fetch_add(&in.now, 1)) /* as the task of the vCPU itself */
            atomic_fetch_add(&in.wrong, 1);
        atomic_fetch_sub(&in.now, 1);
        vcpu_detach(vm->vcpu[3]);
    }
    plat_current_set(NULL);
    for (unsigned i = 0; i < 3; i++)
        plat_task_join(task[i]);
    assert_int_equal(in.wrong, 0);
    assert_int_equal(in.seen, 3 * ROUNDS);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unattached_run_at_once), cmocka_unit_test(concurrent_issuers),
        cmocka_unit_test(detach_serves),          cmocka_unit_test(attached_before_its_task),
        cmocka_unit_test(parked_with_a_call),     cmocka_unit_test(one_at_a_time),
    };

    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
