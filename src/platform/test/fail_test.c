/*
 * Every error path of set-up, by failing each request in turn: nothing crashes, nothing leaks, a reason is
 * given, and without the failure it works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "core/chardev.h"
#include "engine/minimal/testvm.h"
#include "guest/riscv64/guest.h"
#include "loader/loader.h"
#include "machine/machine.h"
#include "platform/test/test_platform.h"

/* Runs fn with the 1st, 2nd, ... request failing until none fails any more. fn: 0 or an error with a reason.
 */
static void each_failure(int (*fn)(char *why, size_t why_size), unsigned at_least)
{
    for (uint64_t n = 1;; n++) {
        uint64_t before = test_live();
        char why[200] = "";
        int err;

        test_fail_at(n);
        err = fn(why, sizeof(why));
        if (!test_failed()) {
            assert_int_equal(err, 0);
            assert_int_equal(test_live(), before);
            assert_true(n > at_least);
            break;
        }
        if (err)
            assert_true(why[0] && !strchr(why, '\n'));
        if (test_live() != before)
            fail_msg("request %llu of %u or more: %lld not given back", (unsigned long long)n, at_least,
                     (long long)(test_live() - before));
        assert_true(n < 10000);
    }
    test_fail_at(0);
}

static int make_vm(char *why, size_t why_size)
{
    struct vm_desc desc = {.smp = 3};
    struct vm *vm = testvm_try(&desc, why, why_size);

    if (!vm)
        return -ENOMEM;
    vm_destroy(vm);
    return 0;
}

static void creating(void **state)
{
    (void)state;
    each_failure(make_vm, 10);
}

/* One CPU counts to the end of its program; the others stay off. */
static int run_vm(char *why, size_t why_size)
{
    static const struct script program[] = {
        {SCRIPT_LI, 2, 0, 0, TESTVM_DEV}, {SCRIPT_LI, 1, 0, 0, 3}, {SCRIPT_STORE, 1, 2, 8, 0x80}};
    struct vm_desc desc = {.smp = 2};
    struct vm *vm = testvm_try(&desc, why, why_size);
    struct vm_result res;
    int err;

    if (!vm)
        return -ENOMEM;
    vm->boot = testvm_boot;
    mem_load(&vm->mem, TESTVM_RAM, program, sizeof(program));
    err = vm_start(vm, why, why_size);
    if (!err) {
        err = vm_wait(vm, PLAT_FOREVER, &res);
        assert_int_equal(res.status, 3);
    }
    vm_destroy(vm);
    return err;
}

static void running(void **state)
{
    (void)state;
    each_failure(run_vm, 13);
}

/* The first failed request of a memory map leaves the map as it was. */
static int map_memory(char *why, size_t why_size)
{
    struct mem m;
    int err = mem_init(&m, NULL);

    if (err) {
        snprintf(why, why_size, "mem_init");
        return err;
    }
    err = mem_add_ram(&m, 0x1000, 0x3000, MEM_RAM, "ram", why, why_size);
    if (err)
        assert_int_equal(err, -ENOMEM);
    if (err)
        assert_null(mem_region_at(&m, 0));
    if (!err) {
        err = mem_add_mmio(&m, 0x8000, 0x100, NULL, 0, "dev", why, why_size);
        assert_true(!err == !!mem_region_at(&m, 1));
    }
    if (!err) {
        err = mem_remove(&m, 0x8000);
        if (err) {
            snprintf(why, why_size, "mem_remove");
            assert_non_null(mem_find(&m, 0x8000)); /* still there, and usable */
        }
    }
    mem_fini(&m);
    return err;
}

static void call_nothing(struct vcpu *v, void *arg)
{
    (void)v, (void)arg;
}

/* Calls to vCPUs whose task does not start all come back, also those of tasks that did start. */
static void call_all(void *opaque)
{
    vcpu_call_mask(NULL, opaque, UINT64_MAX, call_nothing, NULL);
}

static int start_under_calls(char *why, size_t why_size)
{
    struct vm_desc desc = {.smp = 3};
    struct vm *vm = testvm_try(&desc, why, why_size);
    struct plat_task *caller;
    int err;

    if (!vm)
        return -ENOMEM;
    vm->boot = testvm_boot;
    if (plat_task_start(&caller, "caller", call_all, vm)) {
        fmt_snprintf(why, why_size, "caller");
        vm_destroy(vm);
        return -ENOMEM;
    }
    err = vm_start(vm, why, why_size);
    plat_task_join(caller);
    for (unsigned i = 0; err && i < 3; i++)
        assert_false(vm->vcpu[i]->attached);
    vm_destroy(vm);
    return err;
}

static void starting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        each_failure(start_under_calls, 13);
}

static void mapping(void **state)
{
    (void)state;
    each_failure(map_memory, 6);
}

static int read_image(char *why, size_t why_size)
{
    struct image img;
    int err = image_read(&img, "kernel", 1 << 20, why, why_size);

    if (!err)
        image_free(&img);
    return err;
}

static void reading(void **state)
{
    (void)state;
    test_file("kernel", NULL, 5000, true);
    each_failure(read_image, 4);
    test_reset();
}

static int timers(char *why, size_t why_size)
{
    struct vm_desc desc = {.smp = 1};
    struct vm *vm = testvm_try(&desc, why, why_size);
    struct timer t[20];
    int err = 0;

    if (!vm)
        return -ENOMEM;
    snprintf(why, why_size, "timer");
    for (unsigned i = 0; i < 20 && !err; i++)
        err = timer_init(&t[i], vm, NULL, NULL);
    vm_destroy(vm);
    return err;
}

static void timer_heaps(void **state)
{
    (void)state;
    each_failure(timers, 12);
}

/* A whole board with every device, and no engine behind it. */
static int no_vm_init(struct vm *vm)
{
    (void)vm;
    return 0;
}

static void no_vm_fini(struct vm *vm)
{
    (void)vm;
}

static int no_vcpu_init(struct vcpu *v)
{
    (void)v;
    return 0;
}

static void no_vcpu(struct vcpu *v)
{
    (void)v;
}

static void no_flush(struct vcpu *v, const struct flush_scope *scope)
{
    (void)v;
    (void)scope;
}

static int build_board(const char *options, char *why, size_t why_size)
{
    static const struct engine_ops engine = {.name = "none",
                                             .vm_init = no_vm_init,
                                             .vm_fini = no_vm_fini,
                                             .vcpu_init = no_vcpu_init,
                                             .vcpu_fini = no_vcpu,
                                             .run = no_vcpu,
                                             .flush = no_flush};
    struct vm_desc desc = {.guest_arch = "riscv64",
                           .machine = "virt",
                           .machine_options = options,
                           .cpu = "max",
                           .memory = 4 << 20,
                           .smp = 2,
                           .firmware = "firmware",
                           .serial = "none"};
    const struct machine_ops *machine = machine_find("virt", "riscv64");
    struct machine_backends b = {.serial = NULL};
    struct vm *vm;
    int err = vm_create(&vm, &desc, &guest_riscv64, NULL, &engine, why, why_size);

    if (err)
        return err;
    err = machine->build(vm, &b, why, why_size);
    if (!err)
        err = vm_load(vm, why, why_size);
    vm_destroy(vm);
    return err;
}

static int build_plic(char *why, size_t why_size)
{
    return build_board(NULL, why, why_size);
}

static int build_aia(char *why, size_t why_size)
{
    return build_board("aia=aplic-imsic", why, why_size);
}

static void boards(void **state)
{
    (void)state;
    test_file("firmware", "\x13\0\0\0", 4, true);
    each_failure(build_plic, 20);
    each_failure(build_aia, 20);
    test_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating), cmocka_unit_test(running), cmocka_unit_test(starting),
        cmocka_unit_test(mapping),  cmocka_unit_test(reading), cmocka_unit_test(timer_heaps),
        cmocka_unit_test(boards),
    };

    return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
