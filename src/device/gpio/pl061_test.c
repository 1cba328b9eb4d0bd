/* PL061: masked data, directions, edges and levels (DDI 0190). */
#include "device/gpio/pl061.h"

#define BASE (TESTVM_DEV + 0x2000)
#define KEY  3

#include "device/reg_test.h"

enum {
    DATA = 0x3fc,
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418
};
enum { IC = 0x41c, AFSEL = 0x420 };

static struct device *gpio;

static void pin(unsigned n, bool level)
{
    pl061_input_set(gpio, n, level);
}

static int setup(void **state)
{
    char why[160];

    (void)state;
    drv_init(&d, false);
    gpio = pl061_create(d.vm, "gpio", BASE, (struct irq_line){.controller = &d.line->dev}, 7, 8, why,
                        sizeof(why));
    assert_non_null(gpio);
    return 0;
}

static void data(void **state)
{
    static const uint8_t id[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    set(DATA, 0xff); /* all are inputs */
    assert_int_equal(get(DATA), 0);
    set(DIR, 0xf0);
    set(DATA, 0xff);
    assert_int_equal(get(DATA), 0xf0);
    set(0x30 << 2, 0); /* the address masks bits 5:4 */
    assert_int_equal(get(DATA), 0xc0);
    assert_int_equal(get(0x40 << 2), 0x40);
    pin(0, true);
    pin(7, false); /* an output shows what was written */
    assert_int_equal(get(DATA), 0xc1);
    set(DIR, 0x70); /* line 7 again an input, driven low */
    assert_int_equal(get(DATA), 0x41);
    assert_int_equal(get(0), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(0xfe0 + 4 * i), id[i]);
}

static void edges(void **state)
{
    (void)state;
    set(IE, 1 << KEY);
    set(IEV, 1 << KEY);
    pin(KEY, true);
    assert_true(line());
    assert_int_equal(get(RIS) & 1 << KEY, 1 << KEY);
    assert_int_equal(get(MIS), 1 << KEY);
    pin(KEY, false); /* the edge stays */
    assert_true(line());
    set(IC, 1 << KEY);
    assert_false(line());
    set(IEV, 0); /* falling ones now */
    pin(KEY, true);
    assert_false(line());
    pin(KEY, false);
    assert_true(line());
    set(IC, 0xff);
    set(IBE, 1 << KEY);
    pin(KEY, true);
    assert_true(line());
    set(IC, 0xff);
    pin(KEY, false);
    assert_true(line());
    set(IE, 0);
    assert_false(line());
    assert_int_equal(get(RIS) & 1 << KEY, 1 << KEY);
}

static void levels(void **state)
{
    (void)state;
    set(IS, 1 << KEY);
    set(IEV, 1 << KEY);
    set(IE, 1 << KEY);
    assert_false(line());
    pin(KEY, true);
    assert_true(line());
    set(IC, 0xff); /* a level cannot be cleared */
    assert_true(line());
    pin(KEY, false);
    assert_false(line());
    set(IEV, 0);
    assert_true(line());
    /* An edge from before is none of a level. */
    set(IS, 0);
    set(IEV, 1 << KEY);
    pin(KEY, true);
    pin(KEY, false);
    assert_true(line());
    set(IS, 1 << KEY);
    assert_false(line());
}

static void reset_keeps_inputs(void **state)
{
    (void)state;
    set(IE, 0xff);
    set(IEV, 0xff);
    pin(KEY, true);
    plat_lock(&gpio->lock);
    gpio->ops->reset(gpio);
    plat_unlock(&gpio->lock);
    assert_false(line());
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(DATA), 1 << KEY);
}

static void hostile(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 9);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v = rng_u64(&r);

        bus_access(d.vm, BASE + rng_below(&r, rng_below(&r, 4) ? 0x430 : 0xff8), 1u << rng_below(&r, 4),
                   rng_below(&r, 2), &v);
        pin((unsigned)rng_below(&r, 8), rng_below(&r, 2));
    }
    vm_hash(d.vm);
}

static void *create(char *why, size_t why_size)
{
    return pl061_create(d.vm, "gpio", BASE, (struct irq_line){0}, 7, 8, why, why_size);
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
        T(data), T(edges), T(levels), T(reset_keeps_inputs), T(hostile), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("pl061", tests, NULL, NULL);
}
