/* Goldfish RTC: time, setting it, alarms, interrupt enable, reset; on a clock that the test moves. */
#include "device/rtc/goldfish_rtc.h"
#include "lib/fdt.h"

#define BASE (TESTVM_DEV + 0x2000)
#define S    UINT64_C(1000000000)

#include "device/reg_test.h"

/* At 1000 s, as the guest set it. */
static void rtc_new(void)
{
    char why[160];

    test_clock_set(1000 * S);
    drv_init(&d, false);
    assert_non_null(goldfish_rtc_create(d.vm, "rtc", BASE, (struct irq_line){.controller = &d.line->dev}, why,
                                        sizeof(why)));
    clock_start(d.vm);
    assert_int_equal(get(0) | (uint64_t)get(4) << 32, plat_wall_ns());
    set(4, (uint32_t)(1000 * S >> 32));
    set(0, (uint32_t)(1000 * S));
}

static uint64_t time_get(void)
{
    uint64_t low = get(0);

    return (uint64_t)get(4) << 32 | low;
}

static void pass(uint64_t to)
{
    test_clock_set(to);
    timer_run(d.vm, 0, clock_now_ns(d.vm));
}

static void alarm_set(uint64_t ns)
{
    set(0x0c, (uint32_t)(ns >> 32));
    set(0x08, (uint32_t)ns);
}

static void time_reads_and_sets(void **state)
{
    (void)state;
    rtc_new();
    assert_int_equal(time_get(), 1000 * S);
    /* The high half belongs to the low half read before. */
    test_clock_set((UINT64_C(1) << 32) * 300 - 1);
    assert_int_equal(get(0), UINT32_MAX);
    test_clock_set((UINT64_C(1) << 32) * 300);
    assert_int_equal(get(4), 299);
    set(4, 0x1234);
    set(0, 0x5678);
    assert_int_equal(time_get(), UINT64_C(0x123400005678));
    test_clock_set((UINT64_C(1) << 32) * 300 + 7);
    assert_int_equal(time_get(), UINT64_C(0x12340000567f));
    vm_destroy(d.vm);
}

static void alarms(void **state)
{
    (void)state;
    rtc_new();
    set(0x10, 1);
    alarm_set(1005 * S);
    assert_int_equal(get(0x18), 1);
    assert_int_equal((uint64_t)get(0x0c) << 32 | get(0x08), 1005 * S);
    pass(1005 * S - 1);
    assert_false(d.line->level);
    pass(1005 * S);
    assert_true(d.line->level);
    assert_int_equal(get(0x18), 0);
    set(0x1c, 1);
    assert_false(d.line->level);
    /* One in the past rings at once; disabled it stays pending. */
    set(0x10, 0);
    alarm_set(1);
    assert_int_equal(get(0x18), 0);
    assert_false(d.line->level);
    set(0x10, 1);
    assert_true(d.line->level);
    set(0x1c, 1);
    /* Cleared before its time. */
    alarm_set(1010 * S);
    set(0x14, 1);
    assert_int_equal(get(0x18), 0);
    pass(1020 * S);
    assert_false(d.line->level);
    /* Setting the time moves over an alarm. */
    alarm_set(2000 * S);
    set(4, (uint32_t)(3000 * S >> 32));
    set(0, (uint32_t)(3000 * S));
    assert_true(d.line->level);
    vm_destroy(d.vm);
}

static void reset(void **state)
{
    struct device *rtc;

    (void)state;
    rtc_new();
    rtc = vm_device(d.vm, "rtc");
    set(0x10, 1);
    alarm_set(1005 * S);
    set(4, 1);
    set(0, 0);
    plat_lock(&rtc->lock);
    rtc->ops->reset(rtc);
    plat_unlock(&rtc->lock);
    pass(3000 * S);
    assert_false(d.line->level);
    assert_int_equal(get(0x18) + get(0x10) + get(0x08) + get(0x0c), 0);
    assert_int_equal(time_get(), (UINT64_C(1) << 32) + 2000 * S); /* the time stays set */
    vm_destroy(d.vm);
}

static void odd_accesses(void **state)
{
    uint64_t v = UINT64_MAX;

    (void)state;
    rtc_new();
    for (unsigned offset = 0x20; offset < 0x1000; offset += 4) {
        set(offset, UINT32_MAX);
        assert_int_equal(get(offset), 0);
    }
    assert_true(bus_access(d.vm, BASE + 1, 8, true, &v));
    assert_true(bus_access(d.vm, BASE + 1, 1, false, &v));
    assert_int_equal(v, 0);
    vm_destroy(d.vm);
}

static void hostile(void **state)
{
    struct rng r;

    (void)state;
    rtc_new();
    rng_init(&r, 5);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v = rng_below(&r, 2) ? rng_u64(&r) : rng_below(&r, 2000 * S);

        bus_access(d.vm, BASE + rng_below(&r, 0x24), 1u << rng_below(&r, 4), rng_below(&r, 2), &v);
        if (i % 16 == 0)
            pass(plat_clock_ns() + rng_below(&r, S));
    }
    vm_destroy(d.vm);
}

static void no_memory(void **state)
{
    char why[160];

    (void)state;
    rtc_new();
    for (uint64_t n = 1;; n++) {
        struct device *rtc;

        test_fail_at(n);
        why[0] = 0;
        rtc = goldfish_rtc_create(d.vm, "rtc2", BASE + 0x1000, (struct irq_line){0}, why, sizeof(why));
        if (!test_failed()) {
            assert_non_null(rtc);
            break;
        }
        if (!rtc)
            assert_true(why[0]);
        else
            break; /* an allocation that can be done without */
    }
    test_fail_at(0);
    vm_destroy(d.vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_reads_and_sets), cmocka_unit_test(alarms),  cmocka_unit_test(reset),
        cmocka_unit_test(odd_accesses),        cmocka_unit_test(hostile), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("goldfish_rtc", tests, NULL, NULL);
}
