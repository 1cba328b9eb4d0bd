/* ACLINT 1.0-rc4 in the layout of the SiFive CLINT: MSIP, MTIMECMP and MTIME, on a clock that the test moves.
 */
#include "device/intc/aclint.h"
#include "device/intc/intc_test.h"

#define BASE UINT64_C(0x2000000)
#define HZ   10000000
#define TICK 100 /* ns */

static struct device *create(char *why, size_t why_size)
{
    static const struct aclint_config c = {.base = BASE,
                                           .timebase_hz = HZ,
                                           .input_soft = INPUT_MSI,
                                           .input_timer = INPUT_MTI,
                                           .cpu_phandle = cpu_phandle};

    return aclint_create(vm, "aclint", &c, why, why_size);
}

static void pass_to(uint64_t ticks)
{
    test_clock_set(1000000000 + ticks * TICK);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        timer_run(vm, i, clock_now_ns(vm));
}

static void begin(void)
{
    char why[160];

    test_clock_set(1000000000);
    vm = testvm_new(2);
    assert_non_null(create(why, sizeof(why)));
    clock_start(vm);
    reset("aclint");
    assert_int_equal(get(BASE + 0xbff8, 8), 0);
}

static gpa_t mtimecmp(unsigned hart)
{
    return BASE + 0x4000 + 8 * hart;
}

/* 3.2: bit 0 is the hart's msip, the others are wired to 0. */
static void software_interrupts(void **state)
{
    (void)state;
    begin();
    set32(BASE + 4, UINT32_MAX);
    assert_int_equal(get32(BASE + 4), 1);
    assert_int_equal(get32(BASE), 0);
    assert_true(input(1, INPUT_MSI));
    assert_false(input(0, INPUT_MSI));
    set32(BASE + 4, 2);
    assert_false(input(1, INPUT_MSI));
    set32(BASE + 8, 1); /* no such hart */
    assert_int_equal(get32(BASE + 8), 0);
    set(BASE, 8, 1); /* registers of 32 bits */
    assert_int_equal(get32(BASE), 0);
    set(BASE, 2, 1);
    assert_int_equal(get32(BASE), 0);
    vm_destroy(vm);
}

/* 2.3: pending while mtime >= mtimecmp. */
static void timers(void **state)
{
    (void)state;
    begin();
    assert_false(input(0, INPUT_MTI));
    assert_true(get(mtimecmp(0), 8) == UINT64_MAX);
    set(mtimecmp(0), 8, 100);
    set(mtimecmp(1), 8, 50);
    pass_to(49);
    assert_false(input(0, INPUT_MTI) || input(1, INPUT_MTI));
    pass_to(50);
    assert_true(input(1, INPUT_MTI));
    assert_false(input(0, INPUT_MTI));
    pass_to(100);
    assert_true(input(0, INPUT_MTI));
    assert_int_equal(get(BASE + 0xbff8, 8), 100);
    set(mtimecmp(0), 8, 101);
    assert_false(input(0, INPUT_MTI));
    set(mtimecmp(0), 8, 0);
    assert_true(input(0, INPUT_MTI));
    vm_destroy(vm);
}

/* By halves, as RV32 and 32-bit buses do. */
static void halves(void **state)
{
    (void)state;
    begin();
    set32(mtimecmp(1) + 4, 0x12);
    set32(mtimecmp(1), 0x3456789a);
    assert_true(get(mtimecmp(1), 8) == UINT64_C(0x123456789a));
    assert_int_equal(get32(mtimecmp(1) + 4), 0x12);
    assert_int_equal(get32(mtimecmp(1)), 0x3456789a);
    set32(BASE + 0xbffc, 0x12);
    set32(BASE + 0xbff8, 0x34567899);
    assert_false(input(1, INPUT_MTI));
    pass_to(1);
    assert_true(input(1, INPUT_MTI));
    assert_int_equal(get32(BASE + 0xbffc), 0x12);
    assert_int_equal(get32(BASE + 0xbff8), 0x3456789a);
    vm_destroy(vm);
}

/* 2.2: mtime may be written; what is due changes with it. */
static void mtime_written(void **state)
{
    (void)state;
    begin();
    set(mtimecmp(0), 8, 1000);
    set(BASE + 0xbff8, 8, 1000);
    assert_true(input(0, INPUT_MTI));
    set(BASE + 0xbff8, 8, 10);
    assert_false(input(0, INPUT_MTI));
    pass_to(989);
    assert_false(input(0, INPUT_MTI));
    pass_to(990);
    assert_true(input(0, INPUT_MTI));
    vm_destroy(vm);
}

static void resets(void **state)
{
    (void)state;
    begin();
    set(BASE + 0xbff8, 8, 5000);
    set(mtimecmp(0), 8, 1);
    set32(BASE, 1);
    assert_true(input(0, INPUT_MTI) && input(0, INPUT_MSI));
    reset("aclint");
    assert_false(input(0, INPUT_MTI) || input(0, INPUT_MSI));
    assert_int_equal(get(BASE + 0xbff8, 8), 0);
    assert_true(get(mtimecmp(0), 8) == UINT64_MAX);
    vm_destroy(vm);
}

/* Beyond the registers there is nothing; odd sizes and places do nothing. */
static void odd_accesses(void **state)
{
    (void)state;
    begin();
    pass_to(77);
    for (unsigned at = 0xc000; at < 0x10000; at += 4) {
        set32(BASE + at, 0);
        assert_int_equal(get32(BASE + at), 0);
    }
    assert_int_equal(get32(mtimecmp(2)), 0);
    set(mtimecmp(2), 8, 0);
    set(mtimecmp(0) + 4, 8, 0);
    set(mtimecmp(0), 1, 0);
    assert_true(get(mtimecmp(0), 8) == UINT64_MAX);
    assert_int_equal(get(BASE + 0xbff8, 8), 77);
    assert_true(node_has("aclint", "sifive,clint0"));
    vm_destroy(vm);
}

static void hostile(void **state)
{
    (void)state;
    begin();
    hostile_registers("aclint", BASE, 0x10000, 100000);
    pass_to(1000000);
    vm_destroy(vm);
}

static void no_memory(void **state)
{
    (void)state;
    each_allocation(create, BASE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_interrupts),
        cmocka_unit_test(timers),
        cmocka_unit_test(halves),
        cmocka_unit_test(mtime_written),
        cmocka_unit_test(resets),
        cmocka_unit_test(odd_accesses),
        cmocka_unit_test(hostile),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("aclint", tests, NULL, NULL);
}
