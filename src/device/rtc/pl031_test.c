/* PL031: counter, load, match interrupt, on a clock that the test moves (DDI 0224). */
#include "device/rtc/pl031.h"

#define BASE (TESTVM_DEV + 0x2000)
#define S    UINT64_C(1000000000)

#include "device/reg_test.h"

enum { DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c };

static void pass(uint64_t to)
{
    test_clock_set(to);
    timer_run(d.vm, 0, clock_now_ns(d.vm));
}

/* The guest sets it to 1000 when the clock stands at 1000 s. */
static int setup(void **state)
{
    char why[160];

    (void)state;
    test_clock_set(1000 * S);
    drv_init(&d, false);
    assert_non_null(
        pl031_create(d.vm, "rtc", BASE, (struct irq_line){.controller = &d.line->dev}, 7, why, sizeof(why)));
    clock_start(d.vm);
    assert_int_equal(get(DR), (uint32_t)(plat_wall_ns() / S));
    set(LR, 1000);
    return 0;
}

static void counts(void **state)
{
    static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    assert_int_equal(get(DR), 1000);
    pass(1007 * S);
    assert_int_equal(get(DR), 1007);
    set(LR, UINT32_MAX);
    assert_int_equal(get(LR), UINT32_MAX);
    assert_int_equal(get(DR), UINT32_MAX);
    pass(1009 * S);
    assert_int_equal(get(DR), 1);
    set(DR, 5); /* read-only */
    assert_int_equal(get(DR), 1);
    assert_int_equal(get(CR), 1);
    set(CR, 0);
    assert_int_equal(get(CR), 1);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(0xfe0 + 4 * i), id[i]);
}

static void match(void **state)
{
    (void)state;
    set(ICR, 1);
    set(MR, 1005);
    assert_int_equal(get(MR), 1005);
    pass(1004 * S + S - 1);
    assert_int_equal(get(RIS), 0);
    pass(1005 * S);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(MIS), 0);
    assert_false(d.line->level);
    set(IMSC, 1);
    assert_int_equal(get(MIS), 1);
    assert_true(d.line->level);
    set(ICR, 1);
    assert_false(d.line->level);
    pass(1006 * S);
    assert_int_equal(get(RIS), 0);
    pass(1006 * S + S / 2); /* set between two seconds, it comes with a whole one */
    set(MR, 1008);
    pass(1008 * S - 1);
    assert_int_equal(get(RIS), 0);
    pass(1008 * S);
    assert_int_equal(get(RIS), 1);
}

/* Loading moves the counter towards the match, or onto it. */
static void load_moves_match(void **state)
{
    (void)state;
    set(IMSC, 1);
    set(MR, 5000);
    set(LR, 4990);
    pass(1009 * S);
    assert_false(d.line->level);
    pass(1010 * S);
    assert_true(d.line->level);
    set(ICR, 1);
    set(LR, 5000);
    assert_true(d.line->level);
}

static void reset_keeps_time(void **state)
{
    struct device *r = vm_device(d.vm, "rtc");

    (void)state;
    set(IMSC, 1);
    set(MR, 1005);
    plat_lock(&r->lock);
    r->ops->reset(r);
    plat_unlock(&r->lock);
    pass(1005 * S);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(DR), 1005);
}

static void hostile(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 9);
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t v = rng_u64(&r);

        bus_access(d.vm, BASE + rng_below(&r, rng_below(&r, 4) ? 0x20 : 0xff8), 1u << rng_below(&r, 4),
                   rng_below(&r, 2), &v);
        if (i % 8 == 0)
            pass(clock_now_ns(d.vm) + 1000 * S + i * S / 4);
    }
    vm_hash(d.vm);
}

static void *create(char *why, size_t why_size)
{
    return pl031_create(d.vm, "rtc", BASE, (struct irq_line){0}, 7, why, why_size);
}

static void no_memory(void **state)
{
    (void)state;
    each_allocation(create);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(counts),           T(match),   T(load_moves_match),
        T(reset_keeps_time), T(hostile), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("pl031", tests, NULL, NULL);
}
