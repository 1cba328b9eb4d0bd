/* CFI flash: modes, query, program, erase, buffer, locks, errors, the file behind it, hostile writes. */
#define _GNU_SOURCE
#include "device/flash/cfi.h"
#include "device/virtio/virtio_test.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "platform/test/test_platform.h"

#define BASE UINT64_C(0x20000000)
#define SIZE (1u << 20) /* 4 blocks */

static struct drv d;

/* ---- a file in memory ---- */

static struct {
    struct blockdev b;
    uint8_t bytes[SIZE];
    unsigned writes;
    int err;
} file;

static int file_read(struct blockdev *b, uint64_t offset, void *buf, size_t len)
{
    (void)b;
    memcpy(buf, file.bytes + offset, len);
    return file.err;
}

static int file_write(struct blockdev *b, uint64_t offset, const void *buf, size_t len)
{
    (void)b;
    assert_int_equal((offset | len) % 512, 0);
    assert_true(offset + len <= SIZE);
    file.writes++;
    if (!file.err)
        memcpy(file.bytes + offset, buf, len);
    return file.err;
}

static int file_flush(struct blockdev *b)
{
    (void)b;
    return 0;
}

static const struct blockdev_ops file_ops = {
    .name = "memory", .read = file_read, .write = file_write, .flush = file_flush};

static void file_new(bool read_only)
{
    memset(&file, 0, sizeof(file));
    file.b = (struct blockdev){.ops = &file_ops, .size = SIZE, .read_only = read_only};
    memset(file.bytes, 0xff, SIZE);
}

/* ---- driver ---- */

static uint64_t get(uint64_t offset, unsigned size)
{
    uint64_t v = 0;
    const void *p = mem_ptr(&d.vm->mem, BASE + offset, size, false);

    if (p)
        memcpy(&v, p, size);
    else
        assert_true(bus_access(d.vm, BASE + offset, size, false, &v));
    return v;
}

static void set(uint64_t offset, unsigned size, uint64_t value)
{
    assert_true(bus_access(d.vm, BASE + offset, size, true, &value));
}

/* A command to both chips. */
static void cmd(uint64_t offset, uint32_t command)
{
    set(offset, 4, command | command << 16);
}

static uint32_t status(void)
{
    uint32_t s;

    cmd(0, 0x70);
    s = (uint32_t)get(0, 4);
    assert_int_equal(s & 0xffff, s >> 16);
    return s & 0xffff;
}

static bool is_rom(void)
{
    return mem_find(&d.vm->mem, BASE)->kind == MEM_ROM;
}

static void program(uint64_t offset, uint32_t value)
{
    cmd(offset, 0x40);
    set(offset, 4, value);
}

static void erase(uint64_t offset)
{
    cmd(offset, 0x20);
    cmd(offset, 0xd0);
}

static void plug(struct cfi_config c)
{
    char why[160] = "";

    drv_init(&d, true); /* work runs within the access */
    c.base = BASE;
    c.size = c.size ? c.size : SIZE;
    assert_non_null(cfi_create(d.vm, "flash0", &c, why, sizeof(why)));
}

static void done(void)
{
    vm_destroy(d.vm);
}

/* ---- tests ---- */

/* An unused bank costs no memory and reads as erased; its first program makes it ROM. */
static void empty(void **state)
{
    (void)state;
    plug((struct cfi_config){0});
    assert_false(is_rom());
    assert_int_equal(get(0, 4), UINT32_MAX);
    assert_true(get(SIZE - 8, 8) == UINT64_MAX);
    assert_int_equal(get(5, 1), 0xff);
    program(0x1000, 0x12345678);
    assert_int_equal(status(), 0x80);
    cmd(0, 0xff);
    assert_true(is_rom());
    assert_int_equal(get(0x1000, 4), 0x12345678);
    assert_int_equal(get(0xffc, 4), UINT32_MAX);
    assert_int_equal(get(SIZE - 1, 1), 0xff);
    done();
}

static void image(void **state)
{
    static const char text[] = "firmware";

    (void)state;
    plug((struct cfi_config){.image = text, .image_size = sizeof(text)});
    assert_true(is_rom());
    assert_memory_equal(mem_ptr(&d.vm->mem, BASE, sizeof(text), false), text, sizeof(text));
    assert_int_equal(get(sizeof(text), 1), 0xff);
    assert_null(mem_ptr(&d.vm->mem, BASE, 1, true));
    cmd(0, 0x70);
    assert_false(is_rom());
    assert_null(mem_ptr(&d.vm->mem, BASE, 1, false));
    cmd(0, 0xff);
    assert_true(is_rom());
    done();
}

/* JESD68: "QRY" in word addresses of a chip, the same in both lanes. */
static void query(void **state)
{
    static const struct {
        unsigned word;
        uint8_t value;
    } rows[] = {
        {0x10, 'Q'}, {0x11, 'R'}, {0x12, 'Y'},  {0x13, 1}, {0x14, 0},   {0x15, 0x31},
        {0x23, 14},  {0x24, 14},  {0x27, 19},   {0x28, 1}, {0x2a, 9},   {0x2c, 1},
        {0x2d, 3},   {0x2e, 0},   {0x2f, 0},    {0x30, 2}, {0x31, 'P'}, {0x32, 'R'},
        {0x33, 'I'}, {0x34, '1'}, {0x36, 0x20}, {0x3f, 0}, {0x80, 0},
    };

    (void)state;
    plug((struct cfi_config){0});
    cmd(0x55 * 4, 0x98);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(get(rows[i].word * 4, 4), rows[i].value * 0x10001u);
        assert_int_equal(get(rows[i].word * 4, 1), rows[i].value);
        assert_int_equal(get(rows[i].word * 4 + 1, 1), 0);
        assert_int_equal(get(rows[i].word * 4 + 2, 2), rows[i].value);
    }
    assert_true(get(0x40, 8) == UINT64_C(0x0052005200510051));
    cmd(0, 0xf0); /* AMD's reset, of those who probe */
    assert_int_equal(get(0x40, 4), UINT32_MAX);
    done();
}

static void identifiers(void **state)
{
    (void)state;
    plug((struct cfi_config){0});
    cmd(0, 0x60);
    cmd(CFI_BLOCK, 0x90); /* no second cycle of a lock command */
    assert_int_equal(status(), 0xb0);
    cmd(0, 0x50);
    cmd(0, 0x90);
    assert_int_equal(get(0, 4), 0x00890089);
    assert_int_equal(get(4, 4), 0x00180018);
    assert_int_equal(get(8, 4), 0);
    done();
    plug((struct cfi_config){.size = CFI_SIZE_MAX});
    cmd(0, 0x90);
    assert_int_equal(get(4, 4), 0x001d001d);
    done();
}

/* Ones become zeros only; an erase brings a whole block back, and no other. */
static void program_and_erase(void **state)
{
    (void)state;
    plug((struct cfi_config){0});
    program(CFI_BLOCK, 0xff00ff00);
    program(CFI_BLOCK, 0x0ff00ff0);
    program(CFI_BLOCK - 4, 0x11111111);
    cmd(8, 0x10);
    set(8, 2, 0x4321);
    cmd(13, 0x40);
    set(13, 1, 0x77);
    cmd(0, 0xff);
    assert_int_equal(get(CFI_BLOCK, 4), 0x0f000f00);
    assert_int_equal(get(8, 4), 0xffff4321);
    assert_int_equal(get(12, 4), 0xffff77ff);
    erase(CFI_BLOCK + 0x123c);
    assert_int_equal(get(0, 4), 0x00800080);
    cmd(0, 0xff);
    assert_int_equal(get(CFI_BLOCK, 4), UINT32_MAX);
    assert_int_equal(get(CFI_BLOCK - 4, 4), 0x11111111);
    /* An erase not confirmed is none. */
    cmd(0, 0x20);
    cmd(0, 0xff);
    assert_int_equal(status(), 0xb0);
    cmd(0, 0x50);
    assert_int_equal(status(), 0x80);
    cmd(0, 0xff);
    assert_int_equal(get(8, 2), 0x4321);
    done();
}

static void buffered(void **state)
{
    (void)state;
    plug((struct cfi_config){0});
    cmd(CFI_BLOCK, 0xe8);
    assert_int_equal(get(CFI_BLOCK, 4), 0x00800080); /* the buffer is free */
    cmd(CFI_BLOCK, 255);
    for (unsigned i = 0; i < 256; i++)
        set(CFI_BLOCK + 0x100 + 4 * i, 4, i);
    cmd(CFI_BLOCK, 0xd0);
    assert_int_equal(status(), 0x80);
    cmd(0, 0xff);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(get(CFI_BLOCK + 0x100 + 4 * i, 4), i);
    assert_int_equal(get(CFI_BLOCK + 0x500, 4), UINT32_MAX);
    /* In any order after the first; what is not written stays. */
    cmd(0, 0xe8);
    cmd(0, 2);
    set(0, 4, 1);
    set(8, 4, 3);
    set(8, 4, 7);
    cmd(0, 0xd0);
    cmd(0, 0xff);
    assert_int_equal(get(0, 4), 1);
    assert_int_equal(get(4, 4), UINT32_MAX);
    assert_int_equal(get(8, 4), 7);
    done();
}

/* Each leaves a sequence error and the array as it was. */
static void buffer_errors(void **state)
{
    static const struct {
        uint32_t count_at, count, first, second, confirm;
    } rows[] = {
        {0, 256, 0, 4, 0xd0},                   /* more than the buffer holds */
        {0, 0xffff, 0, 4, 0xd0},                /* wraps */
        {CFI_BLOCK, 1, 0, 4, 0xd0},             /* another block */
        {0, 1, 8, 16, 0xd0},                    /* beyond the words asked for */
        {0, 1, 8, 4, 0xd0},                     /* before the first */
        {0, 1, CFI_BLOCK - 4, CFI_BLOCK, 0xd0}, /* across the end of the block */
        {0, 1, CFI_BLOCK, CFI_BLOCK + 4, 0xd0}, /* another block */
        {0, 1, 0, 4, 0xff},                     /* not confirmed */
    };

    (void)state;
    plug((struct cfi_config){0});
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        cmd(0, 0xe8);
        set(rows[i].count_at, 4, rows[i].count | rows[i].count << 16);
        set(rows[i].first, 4, 0);
        set(rows[i].second, 4, 0);
        cmd(0, rows[i].confirm);
        assert_int_equal(status() & 0x30, 0x30);
        cmd(0, 0x50);
        cmd(0, 0xff);
    }
    for (unsigned i = 0; i < SIZE; i += 4)
        assert_int_equal(get(i, 4), UINT32_MAX);
    done();
}

static void locks(void **state)
{
    (void)state;
    plug((struct cfi_config){0});
    cmd(CFI_BLOCK, 0x60);
    cmd(CFI_BLOCK, 0x01);
    assert_int_equal(status(), 0x80);
    cmd(0, 0x90);
    assert_int_equal(get(CFI_BLOCK + 8, 4), 0x00010001);
    assert_int_equal(get(8, 4), 0);
    program(CFI_BLOCK, 0);
    assert_int_equal(status(), 0x92);
    cmd(0, 0x50);
    erase(CFI_BLOCK);
    assert_int_equal(status(), 0xa2);
    cmd(0, 0x50);
    program(0, 5);
    assert_int_equal(status(), 0x80);
    cmd(CFI_BLOCK, 0x60);
    cmd(CFI_BLOCK, 0xd0);
    program(CFI_BLOCK, 6);
    assert_int_equal(status(), 0x80);
    cmd(0, 0xff);
    assert_int_equal(get(CFI_BLOCK, 4), 6);
    /* What unlocks one block leaves others locked. */
    for (unsigned i = 1; i < 3; i++) {
        cmd(i * CFI_BLOCK, 0x60);
        cmd(i * CFI_BLOCK, 0x01);
    }
    cmd(CFI_BLOCK, 0x60);
    cmd(CFI_BLOCK, 0xd0);
    cmd(0, 0x90);
    assert_int_equal(get(CFI_BLOCK + 8, 4), 0);
    assert_int_equal(get(2 * CFI_BLOCK + 8, 4), 0x00010001);
    done();
}

/* A reset reads the array again and keeps its bytes. */
static void reset(void **state)
{
    struct device *f;

    (void)state;
    plug((struct cfi_config){0});
    f = vm_device(d.vm, "flash0");
    program(4, 9);
    cmd(0, 0x60);
    cmd(0, 0x01);
    cmd(0, 0x20);
    plat_lock(&f->lock);
    f->ops->reset(f);
    plat_unlock(&f->lock);
    assert_int_equal(get(4, 4), 9);
    program(4, 1);
    assert_int_equal(status(), 0x80);
    done();
}

static void persistent(void **state)
{
    (void)state;
    file_new(false);
    memcpy(file.bytes + 0x2000, "kept", 4);
    plug((struct cfi_config){.file = &file.b});
    assert_int_equal(get(0x2000, 4), 0x7470656b);
    program(CFI_BLOCK + 0x204, 0xabcd);
    assert_int_equal(status(), 0x80);
    assert_int_equal(file.writes, 1);
    assert_int_equal(file.bytes[CFI_BLOCK + 0x204], 0xcd);
    erase(0x2000);
    assert_int_equal(status(), 0x80);
    assert_int_equal(file.bytes[0x2000], 0xff);
    file.err = -EIO;
    program(0, 0);
    assert_int_equal(status(), 0x90);
    cmd(0, 0x50);
    erase(0);
    assert_int_equal(status(), 0xa0);
    done();
    file_new(true);
    plug((struct cfi_config){.file = &file.b});
    program(0, 0);
    assert_int_equal(status(), 0x98);
    cmd(0, 0x50);
    erase(0);
    assert_int_equal(status(), 0xa8);
    assert_int_equal(file.writes, 0);
    done();
}

/* Until the file has the bytes the chip is busy and takes no command. */
static void busy(void **state)
{
    (void)state;
    file_new(false);
    drv_init(&d, false);
    assert_non_null(cfi_create(d.vm, "flash0",
                               &(struct cfi_config){.base = BASE, .size = SIZE, .file = &file.b}, NULL, 0));
    program(0, 0x55);
    assert_int_equal(get(0, 4), 0);
    cmd(0, 0xff);
    assert_int_equal(get(0, 4), 0);
    vm_device(d.vm, "flash0")->ops->quiesce(vm_device(d.vm, "flash0"));
    assert_int_equal(get(0, 4), 0x00800080);
    assert_int_equal(file.bytes[0], 0x55);
    done();
}

static void refused(void **state)
{
    static const uint8_t byte;
    static const struct cfi_config rows[] = {
        {.base = BASE, .size = CFI_BLOCK},
        {.base = BASE, .size = 3 * CFI_BLOCK},
        {.base = BASE, .size = 2 * CFI_SIZE_MAX},
        {.base = BASE, .size = SIZE / 2, .file = &file.b},
        {.base = BASE, .size = SIZE, .image = &byte, .image_size = SIZE + 1},
        {.base = TESTVM_RAM, .size = SIZE},
    };
    char why[160];

    (void)state;
    file_new(false);
    drv_init(&d, false);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        why[0] = 0;
        assert_null(cfi_create(d.vm, "flash0", &rows[i], why, sizeof(why)));
        assert_true(why[0]);
    }
    file.err = -EIO;
    why[0] = 0;
    assert_null(cfi_create(d.vm, "flash0", &(struct cfi_config){.base = BASE, .size = SIZE, .file = &file.b},
                           why, sizeof(why)));
    assert_true(why[0]);
    assert_null(mem_find(&d.vm->mem, BASE));
    done();
}

static void describes(void **state)
{
    static uint8_t blob[4096];
    struct dtw w;
    size_t size;

    (void)state;
    plug((struct cfi_config){0});
    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    vm_device(d.vm, "flash0")->ops->describe(vm_device(d.vm, "flash0"), &w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    assert_non_null(memmem(blob, size, "flash@20000000", 15));
    assert_non_null(memmem(blob, size, "cfi-flash", 10));
    assert_non_null(memmem(blob, size, "bank-width", 11));
    done();
}

static void hostile(void **state)
{
    static const uint8_t likely[] = {0x01, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70,
                                     0x90, 0x98, 0xb0, 0xd0, 0xe8, 0xff};
    struct rng r;

    (void)state;
    rng_init(&r, 7);
    for (unsigned round = 0; round < 2; round++) {
        file_new(false);
        plug((struct cfi_config){.file = round ? &file.b : NULL});
        for (unsigned i = 0; i < 100000; i++) {
            uint64_t v = rng_below(&r, 4) ? likely[rng_below(&r, sizeof(likely))] : rng_u64(&r);
            uint64_t at =
                rng_below(&r, 2) ? rng_below(&r, 4) * CFI_BLOCK + rng_below(&r, 64) : rng_below(&r, SIZE);

            bus_access(d.vm, BASE + at, 1u << rng_below(&r, 4), rng_below(&r, 4), &v);
        }
        vm_hash(d.vm);
        if (round) {
            cmd(0, 0xff);
            cmd(0, 0xff);
            for (unsigned i = 0; i < 600; i++) /* ends whatever buffer was being filled */
                cmd(0, 0xff);
            assert_true(is_rom());
            assert_memory_equal(mem_ptr(&d.vm->mem, BASE, SIZE, false), file.bytes, SIZE);
        }
        done();
    }
}

static void no_memory(void **state)
{
    struct device *f;
    char why[160];

    (void)state;
    file_new(false);
    for (uint64_t n = 1;; n++) {
        drv_init(&d, false);
        why[0] = 0;
        test_fail_at(n);
        f = cfi_create(d.vm, "flash0", &(struct cfi_config){.base = BASE, .size = SIZE, .file = &file.b}, why,
                       sizeof(why));
        if (!test_failed())
            break;
        test_fail_at(0);
        assert_null(f);
        assert_true(why[0]);
        assert_null(mem_find(&d.vm->mem, BASE));
        done();
    }
    test_fail_at(0);
    assert_non_null(f);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(image),
        cmocka_unit_test(query),
        cmocka_unit_test(identifiers),
        cmocka_unit_test(program_and_erase),
        cmocka_unit_test(buffered),
        cmocka_unit_test(buffer_errors),
        cmocka_unit_test(locks),
        cmocka_unit_test(reset),
        cmocka_unit_test(persistent),
        cmocka_unit_test(busy),
        cmocka_unit_test(refused),
        cmocka_unit_test(describes),
        cmocka_unit_test(hostile),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("cfi", tests, NULL, NULL);
}
