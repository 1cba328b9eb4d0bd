/* fw_cfg: items, files, data register, DMA, hostile commands. */
#include "device/misc/fw_cfg.h"
#include "device/virtio/virtio_test.h"
#include "lib/err.h"
#include "platform/test/test_platform.h"

#define BASE (TESTVM_DEV + 0x2000)
#define CMD  TESTVM_RAM
#define BUF  (TESTVM_RAM + 0x1000)

enum { DATA = 0, SELECTOR = 8, DMA = 16 };
enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static struct drv d;
static struct device *fw;

static uint64_t get(unsigned offset, unsigned size)
{
    uint64_t v = 0;

    assert_true(bus_access(d.vm, BASE + offset, size, false, &v));
    return v;
}

static void set(unsigned offset, unsigned size, uint64_t v)
{
    assert_true(bus_access(d.vm, BASE + offset, size, true, &v));
}

static void select_item(unsigned key)
{
    set(SELECTOR, 2, __builtin_bswap16((uint16_t)key));
}

/* What the control word says after it. */
static uint32_t dma(uint32_t control, uint32_t length, gpa_t to)
{
    uint32_t c[4] = {__builtin_bswap32(control), __builtin_bswap32(length)};
    uint64_t address = __builtin_bswap64(to);

    memcpy(c + 2, &address, 8);
    assert_int_equal(mem_write(&d.vm->mem, CMD, c, sizeof(c)), 0);
    set(DMA, 4, 0);
    set(DMA + 4, 4, __builtin_bswap32((uint32_t)CMD));
    assert_int_equal(mem_read(&d.vm->mem, CMD, c, 4), 0);
    return __builtin_bswap32(c[0]);
}

static int setup(void **state)
{
    char why[160];

    (void)state;
    drv_init(&d, false);
    fw = fw_cfg_create(d.vm, "fw", BASE, why, sizeof(why));
    assert_non_null(fw);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vm_destroy(d.vm);
    return 0;
}

static void identity(void **state)
{
    (void)state;
    assert_memory_equal(((uint64_t[]){get(DMA, 8)}), "QEMU CFG", 8);
    assert_memory_equal(((uint32_t[]){(uint32_t)get(DMA + 4, 4)}), " CFG", 4);
    assert_int_equal(get(DATA, 1), 'Q'); /* item 0 is selected first */
    assert_int_equal(get(DATA, 2), 'E' | 'M' << 8);
    assert_int_equal(get(DATA, 4), 'U');
    select_item(FW_CFG_ID);
    assert_int_equal(get(DATA, 4), 3);
    select_item(FW_CFG_CPUS);
    assert_int_equal(get(DATA, 2), 1);
    select_item(0x1234);
    assert_int_equal(get(DATA, 8), 0);
}

static void data_register(void **state)
{
    (void)state;
    assert_int_equal(fw_cfg_set(fw, FW_CFG_CMDLINE, "abcdefghij", 11), 0);
    select_item(FW_CFG_CMDLINE);
    assert_int_equal(get(DATA, 8), UINT64_C(0x6867666564636261));
    assert_int_equal(get(DATA, 8), 'i' | 'j' << 8);
    select_item(FW_CFG_CMDLINE); /* from the beginning again */
    assert_int_equal(get(DATA, 1), 'a');
    set(DATA, 1, 'x'); /* read-only */
    assert_int_equal(get(DATA, 1), 'b');
    assert_int_equal(fw_cfg_set(fw, FW_CFG_CMDLINE, "x", 1), 0);
    assert_int_equal(get(DATA, 1), 0);
    assert_int_equal(fw_cfg_set(fw, 0x1000, "x", 1), -EINVAL);
    assert_int_equal(fw_cfg_set(fw, FW_CFG_DIRECTORY, "x", 1), -EINVAL);
}

static void files(void **state)
{
    uint8_t dir[4 + 2 * 64];
    char name[60];

    (void)state;
    assert_int_equal(fw_cfg_file(fw, "etc/one", "1", 1), 0);
    assert_int_equal(fw_cfg_file(fw, "etc/two", "22", 2), 0);
    assert_int_equal(fw_cfg_file(fw, "etc/one", "111", 3), 0); /* in its place */
    assert_int_equal(dma(SELECT | READ | FW_CFG_DIRECTORY << 16, sizeof(dir), BUF), 0);
    mem_read(&d.vm->mem, BUF, dir, sizeof(dir));
    assert_memory_equal(dir, "\0\0\0\2\0\0\0\3\0\x20\0\0etc/one", 20);
    assert_memory_equal(dir + 68, "\0\0\0\2\0\x21\0\0etc/two", 16);
    select_item(0x20);
    assert_int_equal(get(DATA, 4), '1' | '1' << 8 | '1' << 16);
    memset(name, 'n', sizeof(name));
    name[56] = 0;
    assert_int_equal(fw_cfg_file(fw, name, "", 0), -ENOSPC);
    name[55] = 0;
    assert_int_equal(fw_cfg_file(fw, name, "", 0), 0);
    for (unsigned i = 3; i < FW_CFG_FILES; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        assert_int_equal(fw_cfg_file(fw, name, "", 0), 0);
    }
    assert_int_equal(fw_cfg_file(fw, "one more", "", 0), -ENOSPC);
    assert_int_equal(fw_cfg_file(fw, "etc/two", "2", 1), 0);
}

static void transfers(void **state)
{
    uint8_t got[8];

    (void)state;
    fw_cfg_set(fw, FW_CFG_KERNEL, "0123456789", 10);
    memset(mem_ptr(&d.vm->mem, BUF, 32, true), 0xff, 32);
    assert_int_equal(dma(SELECT | SKIP | FW_CFG_KERNEL << 16, 4, 0), 0);
    assert_int_equal(dma(READ, 3, BUF), 0);
    assert_int_equal(dma(READ, 5, BUF + 3), 0); /* zeros behind the end */
    mem_read(&d.vm->mem, BUF, got, 8);
    assert_memory_equal(got, "456789\0\0", 8);
    mem_read(&d.vm->mem, BUF + 8, got, 1);
    assert_int_equal(got[0], 0xff);
    mem_page_mark(&d.vm->mem, BUF, 0, MEM_PAGE_DIRTY);
    assert_int_equal(dma(READ, 1, BUF + 8), 0);
    assert_int_equal(mem_page_flags(&d.vm->mem, BUF), MEM_PAGE_DIRTY);
    set(DMA, 4, __builtin_bswap32(1)); /* the command's address has both halves: nothing is there */
    assert_int_equal(mem_write(&d.vm->mem, CMD, (uint32_t[4]){__builtin_bswap32(SKIP)}, 16), 0);
    set(DMA + 4, 4, __builtin_bswap32((uint32_t)CMD));
    mem_read(&d.vm->mem, CMD, got, 4);
    assert_int_equal(got[3], SKIP);
    assert_int_equal(dma(WRITE, 3, BUF), ERROR);
    assert_int_equal(dma(WRITE, 0, BUF), 0);
    assert_int_equal(dma(READ, 3, 0x1000), ERROR);
    assert_int_equal(dma(READ, UINT32_MAX, BUF), ERROR);
    assert_int_equal(dma(READ, 0, 0x1000), 0);
    assert_int_equal(dma(0, UINT32_MAX, 0), 0);
    set(DMA, 8, UINT64_MAX); /* a command outside memory */
    set(DMA, 8, __builtin_bswap64(TESTVM_RAM + TESTVM_SIZE - 8));
}

static void hostile(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 9);
    fw_cfg_set(fw, FW_CFG_KERNEL, "0123456789", 10);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v = rng_u64(&r);

        if (rng_below(&r, 2))
            bus_access(d.vm, BASE + rng_below(&r, 0x18), 1u << rng_below(&r, 4), rng_below(&r, 2), &v);
        else
            dma((uint32_t)(rng_below(&r, 32) | rng_below(&r, 0x50) << 16),
                rng_below(&r, 2) ? (uint32_t)v : (uint32_t)rng_below(&r, 64),
                TESTVM_RAM + rng_below(&r, 0x18000));
    }
    vm_hash(d.vm);
}

static void no_memory(void **state)
{
    struct device *u = NULL;
    char why[160];

    (void)state;
    for (uint64_t n = 1; !u; n++) {
        drv_init(&d, false);
        why[0] = 0;
        test_fail_at(n);
        u = fw_cfg_create(d.vm, "fw", BASE, why, sizeof(why));
        assert_int_equal(!u, test_failed());
        if (u) {
            test_fail_at(1);
            assert_int_equal(fw_cfg_file(u, "x", "y", 1), -ENOMEM);
        }
        test_fail_at(0);
        assert_int_equal(!u, why[0] != 0);
        vm_destroy(d.vm);
    }
    assert_int_equal(test_live(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(identity), T(data_register), T(files), T(transfers), T(hostile), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
