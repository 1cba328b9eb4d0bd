/* A VM's making and its refusals; its table of states. Runs of VMs: tests/conformance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "engine/minimal/testvm.h"

static void refused(void **state)
{
    static const struct {
        unsigned smp;
        bool software;
        int err;
        const char *word;
    } rows[] = {
        {0, false, -EINVAL, "1 to 64"},
        {65, false, -EINVAL, "1 to 64"},
        {1000000, false, -EINVAL, "1000000"},
        {1, true, -ENOTSUP, "mock"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct engine_ops engine = engine_minimal;
        struct vm_desc desc = {.smp = rows[i].smp};
        struct vm *vm = (struct vm *)1;
        char why[160] = "";

        engine.software = rows[i].software;
        assert_int_equal(vm_create(&vm, &desc, &guest_mock, NULL, &engine, why, sizeof(why)), rows[i].err);
        assert_null(vm);
        assert_non_null(strstr(why, rows[i].word));
    }
    vm_destroy(NULL);
}

static void largest(void **state)
{
    struct vm *vm = testvm_new(VM_MAX_VCPUS);

    (void)state;
    assert_int_equal(vm->vcpu_count, VM_MAX_VCPUS);
    vm_destroy(vm);
}

static int engine_init_fails(struct vm *vm)
{
    (void)vm;
    return -ENOMEM;
}

static void engine_fails(void **state)
{
    struct engine_ops engine = engine_minimal;
    struct vm_desc desc = {.smp = 1};
    struct vm *vm;
    char why[160];

    (void)state;
    engine.vm_init = engine_init_fails;
    assert_int_equal(vm_create(&vm, &desc, &guest_mock, NULL, &engine, why, sizeof(why)), -ENOMEM);
}

static int boot_fails(struct vm *vm, char *why, size_t why_size)
{
    (void)vm;
    strncpy(why, "kernel: wrong", why_size);
    return -EINVAL;
}

static void boot_refuses(void **state)
{
    struct vm *vm = testvm_new(1);
    char why[160];

    (void)state;
    vm->boot = boot_fails;
    assert_int_equal(vm_load(vm, why, sizeof(why)), -EINVAL);
    assert_string_equal(why, "kernel: wrong");
    assert_int_equal(vm_start(vm, why, sizeof(why)), -EINVAL);
    assert_int_equal(vm->state, VM_CREATED);
    vm->boot = testvm_boot;
    assert_int_equal(vm_start(vm, why, sizeof(why)), 0); /* nothing was changed by the refusals */
    vm_stop(vm, SYSTEM_POWEROFF, 0, "done");
    vm_destroy(vm);
}

/* Loading once is enough for a start; devices are reset once. */
static void load_then_start(void **state)
{
    struct vm *vm = testvm_new(2);
    struct testvm_device *d = (struct testvm_device *)vm_device(vm, "rec0");
    struct vm_result res;
    char why[160];

    (void)state;
    vm->boot = testvm_boot;
    assert_int_equal(vm_load(vm, why, sizeof(why)), 0);
    assert_int_equal(d->resets, 1);
    assert_int_equal(atomic_load(&vm->vcpu[0]->power), VCPU_ON);
    assert_int_equal(atomic_load(&vm->vcpu[1]->power), VCPU_OFF);
    assert_int_equal(vm_start(vm, why, sizeof(why)), 0);
    assert_int_equal(d->resets, 1);
    assert_int_equal(vm_pause(vm), 0);
    assert_int_equal(d->quiesces, 1);
    vm_stop(vm, SYSTEM_POWEROFF, 0, "done");
    assert_int_equal(vm_wait(vm, PLAT_FOREVER, &res), 0);
    assert_int_equal(vm->state, VM_STOPPED);
    vm_destroy(vm);
}

/* What each state allows; the first word of a row is the state, then load, start, pause, resume. */
static void states(void **state)
{
    static const struct {
        enum vm_state s;
        bool load, start, pause, resume;
    } rows[] = {
        {VM_CREATED, true, true, false, false},   {VM_RUNNING, false, false, true, false},
        {VM_PAUSED, false, false, true, true},    {VM_STOPPED, false, false, false, false},
        {VM_CRASHED, false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct vm *vm = testvm_new(1);
        char why[160] = "";

        vm->state = rows[i].s;
        vm->boot = testvm_boot;
        assert_int_equal(vm_is_still(vm), rows[i].s != VM_RUNNING);
        if (!rows[i].load)
            assert_int_equal(vm_load(vm, why, sizeof(why)), -EINVAL);
        if (!rows[i].start) {
            assert_int_equal(vm_start(vm, why, sizeof(why)), -EINVAL);
            assert_non_null(strstr(why, "create a new one"));
        }
        if (!rows[i].pause)
            assert_int_equal(vm_pause(vm), -EINVAL);
        if (!rows[i].resume)
            assert_int_equal(vm_resume(vm), -EINVAL);
        assert_int_equal(vm->state, rows[i].s);
        vm_destroy(vm);
    }
}

struct counter {
    uint64_t insns, mmio;
    bool flushes;
};

static void take_counter(void *opaque, const char *name, uint64_t value)
{
    struct counter *c = opaque;

    if (!strcmp(name, "insns"))
        c->insns = value;
    if (!strcmp(name, "exit-mmio"))
        c->mmio = value;
    c->flushes |= !strcmp(name, "flushes");
}

/* One CPU starts the other, which ends the VM. */
static void counters_and_power(void **state)
{
    static const struct script first[] = {
        {SCRIPT_LI, 3, 0, 0, INT32_MIN}, {SCRIPT_LUI, 3, 0, 0, 0},                          /* r3 = RAM */
        {SCRIPT_ADD, 5, 3, 0, 0x400},    {SCRIPT_ON, 5, 3, 0, 1},  {SCRIPT_ON, 5, 3, 0, 9}, /* no such CPU */
        {SCRIPT_ON, 5, 3, 0, 1}, /* a second time: refused, r0 = 1 */
        {SCRIPT_STORE, 0, 3, 8, 0x800},  {SCRIPT_OFF, 0, 0, 0, 0},
    };
    /* r0 is its number, r1 the argument: RAM. Waits for the first CPU's word, then ends the VM. */
    static const struct script second[] = {
        {SCRIPT_LOAD, 5, 1, 8, 0x800},    {SCRIPT_ADD, 5, 5, 0, -1},  {SCRIPT_JNZ, 0, 5, 0, -16},
        {SCRIPT_LI, 2, 0, 0, TESTVM_DEV}, {SCRIPT_STORE, 1, 2, 8, 0}, {SCRIPT_STORE, 0, 2, 8, 0x80},
    };
    struct vm *vm = testvm_new(2);
    struct counter c = {0};
    struct vm_result res;
    char why[160];

    (void)state;
    vm->boot = testvm_boot;
    mem_load(&vm->mem, TESTVM_RAM, first, sizeof(first));
    mem_load(&vm->mem, TESTVM_RAM + 0x400, second, sizeof(second));
    assert_int_equal(vm_start(vm, why, sizeof(why)), 0);
    assert_int_equal(vm_wait(vm, plat_clock_ns() + 60000000000u, &res), 0);
    assert_int_equal(res.what, SYSTEM_STATUS);
    assert_int_equal(res.status, 1);
    vm_counters(vm, take_counter, &c);
    assert_true(c.insns >= ARRAY_SIZE(first) - 1 + ARRAY_SIZE(second));
    assert_int_equal(c.mmio, 2);
    assert_true(c.flushes);
    vm_destroy(vm);
}

struct typed {
    struct work w;
    _Atomic unsigned seen;
};

static void typed_fn(void *opaque)
{
    atomic_fetch_add(&((struct typed *)opaque)->seen, 1);
}

static bool all_parked(struct vm *vm)
{
    bool all;

    plat_lock(&vm->lock);
    all = vm->parked == vm->vcpu_count;
    plat_unlock(&vm->lock);
    return all;
}

/* What comes from outside reaches no device of a paused VM; it is there when the VM goes on, or ends. */
static void input_waits_for_resume(void **state)
{
    struct vm *vm = testvm_new(2);
    struct testvm_device *d = (struct testvm_device *)vm_device(vm, "rec0");
    struct vm_result res;
    struct typed t = {.seen = 0};
    char why[160];

    (void)state;
    vm->boot = testvm_boot;
    work_init(&t.w, vm, typed_fn, &t);
    assert_int_equal(vm_start(vm, why, sizeof(why)), 0);
    work_queue(&t.w);
    work_flush(&t.w);
    assert_int_equal(t.seen, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vm_pause(vm), 0);
    assert_int_equal(d->quiesces, 3);
    work_queue(&t.w);
    for (unsigned i = 0; i < 3; i++) {
        plat_event_wait(&vm->work.idle, plat_clock_ns() + 2000000);
        assert_int_equal(t.seen, 1);
        assert_int_equal(vm_resume(vm), 0);
    }
    work_flush(&t.w);
    assert_int_equal(t.seen, 2);
    assert_int_equal(vm_pause(vm), 0);
    work_queue(&t.w);
    vm_system(vm, SYSTEM_RESET, 0, "again"); /* paused, it starts anew and stays paused */
    for (unsigned i = 0; i < 3000 && !(d->resets == 2 && all_parked(vm)); i++)
        assert_int_equal(vm_wait(vm, plat_clock_ns() + 20000000, &res), -ETIMEDOUT);
    assert_int_equal(d->resets, 2);
    assert_true(all_parked(vm));
    assert_int_equal(t.seen, 2);
    vm_stop(vm, SYSTEM_POWEROFF, 0, "done");
    assert_int_equal(vm_wait(vm, PLAT_FOREVER, &res), 0);
    vm_shutdown(vm);
    assert_int_equal(t.seen, 3);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(largest),
        cmocka_unit_test(engine_fails),
        cmocka_unit_test(boot_refuses),
        cmocka_unit_test(load_then_start),
        cmocka_unit_test(states),
        cmocka_unit_test(counters_and_power),
        cmocka_unit_test(input_waits_for_resume),
    };

    return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
