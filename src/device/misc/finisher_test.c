/* The test finisher: each command ends the VM its way; everything else does nothing. */
#include "device/misc/finisher.h"
#include "device/virtio/virtio_test.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "platform/test/test_platform.h"

#define BASE (TESTVM_DEV + 0x2000)

static struct drv d;

static void begin(void)
{
    char why[160];

    drv_init(&d, false);
    d.vm->desc.no_reboot = true;
    assert_non_null(finisher_create(d.vm, "finisher", BASE, why, sizeof(why)));
}

static void set(unsigned offset, unsigned size, uint64_t value)
{
    assert_true(bus_access(d.vm, BASE + offset, size, true, &value));
}

static void commands(void **state)
{
    static const struct {
        uint32_t word;
        enum exit_system what;
        unsigned status;
    } rows[] = {
        {0x5555, SYSTEM_POWEROFF, 0},   {0x00075555, SYSTEM_POWEROFF, 0}, {0x3333, SYSTEM_STATUS, 0},
        {0x00053333, SYSTEM_STATUS, 5}, {0x003f3333, SYSTEM_STATUS, 63},  {0xffff3333, SYSTEM_STATUS, 63},
        {0x7777, SYSTEM_RESET, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        begin();
        assert_false(d.vm->ended);
        set(0, 4, rows[i].word);
        assert_true(d.vm->ended);
        assert_int_equal(d.vm->result.what, rows[i].what);
        assert_int_equal(d.vm->result.status, rows[i].status);
        assert_non_null(strstr(d.vm->result.reason, "finisher"));
        vm_destroy(d.vm);
    }
}

/* The first end stands. */
static void once(void **state)
{
    (void)state;
    begin();
    set(0, 4, 0x00023333);
    set(0, 4, 0x5555);
    assert_int_equal(d.vm->result.what, SYSTEM_STATUS);
    assert_int_equal(d.vm->result.status, 2);
    vm_destroy(d.vm);
}

/* Without --no-reboot a reset is asked for, not an end. */
static void reboots(void **state)
{
    (void)state;
    begin();
    d.vm->desc.no_reboot = false;
    set(0, 2, 0x7777);
    assert_true(d.vm->reset_wanted);
    assert_false(d.vm->ended);
    vm_destroy(d.vm);
}

static void nothing_else(void **state)
{
    struct rng r;

    (void)state;
    begin();
    rng_init(&r, 1);
    set(4, 4, 0x5555);
    set(0, 1, 0x55);
    for (unsigned i = 0; i < 65536; i++) {
        uint64_t v = 0;

        if (i != 0x3333 && i != 0x5555 && i != 0x7777)
            set(0, 4, i | rng_u64(&r) << 16);
        set((unsigned)rng_below(&r, 0xff8) + 1, 1u << rng_below(&r, 4), i);
        assert_true(bus_access(d.vm, BASE + rng_below(&r, 0xff8), 4, false, &v));
        assert_int_equal(v, 0);
    }
    assert_false(d.vm->ended || d.vm->reset_wanted);
    vm_destroy(d.vm);
}

/* Linux finds power off and reboot by the syscon bindings. */
static void describes(void **state)
{
    static const char *const texts[] = {"test@", "sifive,test1", "syscon-poweroff", "syscon-reboot"};
    static uint8_t blob[4096];
    struct device *f;
    struct dtw w;
    size_t size;

    (void)state;
    begin();
    f = vm_device(d.vm, "finisher");
    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    f->ops->describe(f, &w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        bool found = false;

        for (size_t at = 0; at + strlen(texts[i]) <= size; at++)
            found |= !memcmp(blob + at, texts[i], strlen(texts[i]));
        assert_true(found);
    }
    vm_destroy(d.vm);
}

static void no_memory(void **state)
{
    struct device *f = NULL;
    char why[160];

    (void)state;
    for (uint64_t n = 1; !f; n++) {
        drv_init(&d, false);
        why[0] = 0;
        test_fail_at(n);
        f = finisher_create(d.vm, "finisher", BASE, why, sizeof(why));
        assert_int_equal(!f, test_failed());
        test_fail_at(0);
        assert_int_equal(!f, why[0] != 0);
        vm_destroy(d.vm);
    }
    assert_int_equal(test_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),     cmocka_unit_test(once),      cmocka_unit_test(reboots),
        cmocka_unit_test(nothing_else), cmocka_unit_test(describes), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("finisher", tests, NULL, NULL);
}
