/* tohost: end with a status, print, acknowledge; what else is stored there or near it. */
#include "machine/tohost.h"
#include "device/virtio/virtio_test.h"
#include "platform/test/test_platform.h"

#define TOHOST   (TESTVM_RAM + 0x1000)
#define FROMHOST (TESTVM_RAM + 0x1040)
#define PRINT    UINT64_C(0x0101000000000000)

static struct drv d;
static struct tohost t; /* vm->machine */

static char out[16];
static size_t out_len;

static void put(struct chardev *c, const void *data, size_t len)
{
    (void)c;
    assert_true(out_len + len < sizeof(out));
    memcpy(out + out_len, data, len);
    out_len += len;
}

static const struct chardev_ops chr_ops = {.name = "test", .write = put};
static struct chardev chr = {.ops = &chr_ops};

static void begin(gpa_t tohost, gpa_t fromhost)
{
    drv_init(&d, false);
    memset(out, 0, sizeof(out));
    out_len = 0;
    t = (struct tohost){.tohost = tohost, .fromhost = fromhost, .console = &chr};
    d.vm->machine = &t;
    tohost_watch(d.vm, &t);
}

static void store(gpa_t at, uint64_t value, unsigned size)
{
    assert_int_equal(mem_write(&d.vm->mem, at, &value, size), 0);
}

static uint64_t load(gpa_t at)
{
    uint64_t v = 0;

    assert_int_equal(mem_read(&d.vm->mem, at, &v, 8), 0);
    return v;
}

static void ends(void **state)
{
    static const struct {
        uint64_t value;
        enum exit_system what;
        unsigned status;
    } rows[] = {{1, SYSTEM_POWEROFF, 0},  {3, SYSTEM_STATUS, 1},     {15, SYSTEM_STATUS, 7},
                {127, SYSTEM_STATUS, 63}, {1001, SYSTEM_STATUS, 63}, {UINT64_MAX, SYSTEM_STATUS, 63}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        begin(TOHOST, FROMHOST);
        store(TOHOST, rows[i].value, 8);
        assert_true(d.vm->ended);
        assert_int_equal(d.vm->result.what, rows[i].what);
        assert_int_equal(d.vm->result.status, rows[i].status);
        vm_destroy(d.vm);
    }
}

/* Device 1, command 1: the low byte, odd or even; tohost becomes 0 and fromhost the answer. */
static void prints(void **state)
{
    static const char text[] = "ok\na";

    (void)state;
    begin(TOHOST, FROMHOST);
    for (unsigned i = 0; text[i]; i++) {
        store(TOHOST, PRINT | (uint8_t)text[i], 8);
        assert_int_equal(load(TOHOST), 0);
        assert_true(load(FROMHOST) == PRINT);
        store(FROMHOST, 0, 8);
    }
    assert_string_equal(out, text);
    assert_false(d.vm->ended);
    t.console = NULL;
    store(TOHOST, PRINT | 'x', 8);
    assert_int_equal(load(TOHOST), 0);
    assert_string_equal(out, text);
    vm_destroy(d.vm);
}

/* By halves: the upper one completes the command. */
static void two_stores(void **state)
{
    (void)state;
    begin(TOHOST, FROMHOST);
    store(TOHOST + 4, PRINT >> 32, 4);
    assert_int_equal(load(TOHOST), 0);
    assert_true(load(FROMHOST) == PRINT);
    vm_destroy(d.vm);
    begin(TOHOST, 0);
    store(TOHOST, 3, 4);
    assert_int_equal(d.vm->result.status, 1);
    vm_destroy(d.vm);
}

/* The rest of the page is memory; commands of other devices are acknowledged and do nothing. */
static void others(void **state)
{
    (void)state;
    begin(TOHOST, 0);
    store(TOHOST - 8, 1, 8);
    store(TOHOST + 8, 1, 8);
    store(FROMHOST, 1, 8);
    store(TOHOST, 0, 8);
    assert_false(d.vm->ended);
    assert_int_equal(load(FROMHOST), 1);
    store(TOHOST, 0x0200000000000042, 8);
    assert_int_equal(load(TOHOST), 0);
    assert_int_equal(load(FROMHOST), 1); /* absent: address 0 is not written */
    assert_int_equal(out_len, 0);
    store(TOHOST - 4, UINT64_C(3) << 32, 8); /* a store that reaches into it */
    assert_int_equal(d.vm->result.status, 1);
    vm_destroy(d.vm);
}

/* Without the symbol nothing is watched; outside RAM the guest's stores lead nowhere. */
static void absent(void **state)
{
    (void)state;
    begin(0, 0);
    assert_null(d.vm->watch);
    store(TOHOST, 1, 8);
    assert_false(d.vm->ended);
    vm_destroy(d.vm);
    begin(0x1000, 0x2000);
    store(TOHOST, 1, 8);
    assert_false(d.vm->ended);
    vm_destroy(d.vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),   cmocka_unit_test(prints), cmocka_unit_test(two_stores),
        cmocka_unit_test(others), cmocka_unit_test(absent),
    };

    return cmocka_run_group_tests_name("tohost", tests, NULL, NULL);
}
