/* The board description, the memory files, and the freestanding string functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/platform.h"
#include "lib/err.h"
#include "lib/rng.h"
#include "platform/bare/app.h"
#include "platform/bare/board.h"
#include "platform/bare/disk.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/sim/sim.h"

/* ---- board ---- */

static uint8_t blob[16384];

static void chosen(struct dtw *w)
{
    dtw_begin_node(w, "chosen");
    dtw_prop_str(w, "bootargs", "console=all nosmp name=two words=");
    dtw_prop_u64(w, "linux,initrd-start", 0x88000100);
    dtw_prop_u32(w, "linux,initrd-end", 0x88002000);
    dtw_prop_str(w, "stdout-path", "serial0:115200n8");
    dtw_end_node(w);
    dtw_begin_node(w, "aliases");
    dtw_prop_str(w, "serial0", "/soc/uart@100");
    dtw_end_node(w);
}

static void cpus(struct dtw *w, unsigned n)
{
    dtw_begin_node(w, "cpus");
    dtw_prop_u32(w, "#address-cells", 1);
    dtw_prop_u32(w, "#size-cells", 0);
    dtw_prop_u32(w, "timebase-frequency", 10000000);
    for (unsigned i = 0; i < n; i++) {
        dtw_begin_unit(w, "cpu", i);
        dtw_prop_str(w, "device_type", "cpu");
        dtw_prop_u32(w, "reg", i);
        if (i == 2)
            dtw_prop_str(w, "status", "disabled");
        dtw_end_node(w);
    }
    dtw_end_node(w);
}

static void soc(struct dtw *w)
{
    static const uint32_t ranges[] = {0x0, 0x0, 0x10000000, 0x1000, 0x1000, 0x1, 0x00000000, 0x1000};
    static const uint32_t reg[] = {0x1100, 0x10};

    dtw_begin_node(w, "soc");
    dtw_prop_u32(w, "#address-cells", 1);
    dtw_prop_u32(w, "#size-cells", 1);
    dtw_prop_cells(w, "ranges", ranges, ARRAY_SIZE(ranges));
    dtw_begin_unit(w, "uart", 0x100);
    dtw_prop_cells(w, "reg", reg, ARRAY_SIZE(reg));
    dtw_end_node(w);
    dtw_end_node(w);
}

static size_t make_tree(unsigned cpu_count, bool memory)
{
    static const uint64_t ram[] = {0x80000000, 0x10000000, 0x200000800, 0x40001000};
    struct dtw w;
    size_t size;

    dtw_init(&w, blob, sizeof(blob));
    dtw_reserve(&w, 0x8a000000, 0x100);
    dtw_begin_node(&w, "");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    dtw_prop_str(&w, "model", "a board");
    if (memory) {
        dtw_begin_unit(&w, "memory", 0x80000000);
        dtw_prop_str(&w, "device_type", "memory");
        dtw_prop_u64s(&w, "reg", ram, 4);
        dtw_end_node(&w);
    }
    dtw_begin_node(&w, "reserved-memory");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    dtw_begin_unit(&w, "firmware", 0x80000000);
    dtw_prop_u64s(&w, "reg", (const uint64_t[]){0x80000000, 0x80000}, 2);
    dtw_prop_empty(&w, "no-map");
    dtw_end_node(&w);
    dtw_end_node(&w);
    chosen(&w);
    cpus(&w, cpu_count);
    soc(&w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    return size;
}

/* No page of the free ranges is in what was taken out, and they are in RAM, sorted, apart. */
static void check_free(const struct board *b)
{
    static const struct board_range taken[] = {{0x80000000, 0x80000},
                                               {0x80200000, 0x100000},
                                               {0x88000100, 0x1f00},
                                               {0x8a000000, 0x100},
                                               {0x8f000000, 0x1000}};
    uint64_t last = 0, sum = 0;

    for (unsigned i = 0; i < b->free_count; i++) {
        const struct board_range *f = &b->free[i];

        assert_true(f->size && f->base % 4096 == 0 && f->size % 4096 == 0 && f->base >= last);
        last = f->base + f->size;
        sum += f->size;
        for (unsigned t = 0; t < ARRAY_SIZE(taken); t++)
            assert_true(last <= taken[t].base || f->base >= taken[t].base + taken[t].size);
    }
    assert_int_equal(sum, b->ram_size - 0x80000 - 0x100000 - 0x2000 - 0x1000 - ALIGN_UP(b->fdt_size, 4096));
}

static void test_board(void **state)
{
    static struct board b;
    char why[160], value[16];
    uint64_t pa, size;

    (void)state;
    make_tree(5, true);
    assert_int_equal(board_read(&b, blob, 0x8f000000, 0x80200000, 0x80300000, 3, why, sizeof(why)), 0);
    assert_string_equal(b.model, "a board");
    assert_int_equal(b.ram_size, 0x10000000 + 0x40000000);
    check_free(&b);
    assert_int_equal(b.no_map_count, 1);
    assert_int_equal(b.bundle.base, 0x88000100);
    assert_int_equal(b.bundle.size, 0x1f00);
    assert_int_equal(b.timebase, 10000000);
    /* The boot CPU first, the disabled one not at all. */
    assert_int_equal(b.cpu_count, 4);
    assert_int_equal(b.cpu[0].hw_id, 3);
    assert_int_equal(b.cpu[1].hw_id, 0);
    assert_int_equal(b.cpu[3].hw_id, 4);
    assert_string_equal(board_arg(&b, "console", value, sizeof(value)), "all");
    assert_string_equal(board_arg(&b, "nosmp", value, sizeof(value)), "");
    assert_string_equal(board_arg(&b, "words", value, sizeof(value)), "");
    assert_null(board_arg(&b, "nos", value, sizeof(value)));
    /* Two windows of the bus; the second is the UART's. */
    assert_int_equal(board_reg(&b, b.stdout_node, 0, &pa, &size), 0);
    assert_int_equal(pa, 0x100000100);
    assert_int_equal(size, 0x10);
    assert_int_equal(board_reg(&b, b.stdout_node, 1, &pa, &size), -ENOENT);
}

static void test_board_bad(void **state)
{
    static struct board b;
    char why[160];
    size_t size;
    struct rng rng;

    (void)state;
    make_tree(1, false);
    assert_int_equal(board_read(&b, blob, 0x8f000000, 0x80200000, 0x80300000, 0, why, sizeof(why)), -ENOMEM);
    make_tree(100, true);
    assert_int_equal(board_read(&b, blob, 0x8f000000, 0x80200000, 0x80300000, 77, why, sizeof(why)), 0);
    assert_int_equal(b.cpu_count, CPU_MAX);
    assert_int_equal(b.cpu[0].hw_id, 77);
    assert_int_equal(b.cpu_count + b.cpu_left_out, 99);
    blob[0] = 0;
    assert_int_equal(board_read(&b, blob, 0x8f000000, 0x80200000, 0x80300000, 0, why, sizeof(why)), -EINVAL);
    /* Whatever a bit turns into: an answer. */
    rng_init(&rng, 1);
    for (unsigned i = 0; i < 3000; i++) {
        size = make_tree(3, true);
        for (unsigned n = 0; n < 4; n++)
            blob[8 + rng_below(&rng, size - 8)] ^= (uint8_t)(1u << rng_below(&rng, 8));
        board_read(&b, blob, 0x8f000000, 0x80200000, 0x80300000, 0, why, sizeof(why));
    }
}

/* ---- files ---- */

static void files_body(void *unused)
{
    static uint8_t data[10000], seen[10000];
    struct plat_file *a, *b, *r;
    uint64_t size, sum, id[2], other[2], free = frames_free();
    const void *map;

    (void)unused;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(memfile_add("disk", data, sizeof(data), 42), 0);
    assert_int_equal(memfile_add("disk", data, 1, 0), -EEXIST);
    assert_int_equal(plat_file_open(&a, "none", PLAT_READ), -ENOENT);
    assert_int_equal(plat_file_open(&a, "none", PLAT_WRITE | PLAT_CREATE), -EROFS);
    /* Two VMs write to one image: each sees its own. */
    assert_int_equal(plat_file_open(&a, "disk", PLAT_READ | PLAT_WRITE | PLAT_LOCK), 0);
    assert_int_equal(plat_file_open(&b, "disk", PLAT_READ | PLAT_WRITE | PLAT_LOCK), 0);
    assert_int_equal(plat_file_open(&r, "disk", PLAT_READ), 0);
    assert_int_equal(plat_file_write(r, 0, "x", 1), -EACCES);
    assert_int_equal(plat_file_write(a, 4090, "ABCDEFGHIJ", 10), 0);
    assert_int_equal(plat_file_write(b, 9999, "z", 1), 0);
    assert_int_equal(plat_file_write(b, 9999, "zz", 2), -ENOSPC);
    assert_int_equal(plat_file_write(b, UINT64_MAX, "zz", 2), -ENOSPC);
    assert_int_equal(plat_file_read(a, 0, seen, sizeof(seen)), 0);
    assert_memory_equal(seen, data, 4090);
    assert_memory_equal(seen + 4090, "ABCDEFGHIJ", 10);
    assert_memory_equal(seen + 4100, data + 4100, 5900);
    assert_int_equal(plat_file_read(b, 9990, seen, 10), 0);
    assert_int_equal(seen[9], 'z');
    assert_memory_equal(seen, data + 9990, 9);
    assert_int_equal(plat_file_read(b, 9991, seen, 10), -ENODATA);
    assert_int_equal(plat_file_size(a, &size), 0);
    assert_int_equal(size, 10000);
    assert_ptr_equal(map = plat_file_map(r, &sum), data);
    assert_int_equal(sum, 42);
    assert_null(plat_file_map(a, &sum));
    plat_file_identity(a, id);
    plat_file_identity(b, other);
    assert_true(id[1] != other[1]);
    plat_file_close(a);
    plat_file_close(b);
    plat_file_close(r);
    assert_true(free - frames_free() <=
                65536); /* pages that were written are back; the heap keeps a slab or two */
    assert_null(frames_check());
}

static void test_files(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, files_body, NULL);
}

/* ---- disks ---- */

#define SECTORS 200

static uint8_t medium[SECTORS * DISK_SECTOR];
static unsigned flushed;

static int medium_io(void *unused, bool write, uint64_t sector, void *buf, uint64_t count)
{
    (void)unused;
    assert_true(count && sector < SECTORS && count <= SECTORS - sector); /* whatever the tables say */
    if (write)
        memcpy(medium + sector * DISK_SECTOR, buf, count * DISK_SECTOR);
    else
        memcpy(buf, medium + sector * DISK_SECTOR, count * DISK_SECTOR);
    return 0;
}

static int medium_flush(void *unused)
{
    (void)unused;
    flushed++;
    return 0;
}

static const struct disk_ops medium_ops = {medium_io, medium_flush};

static void put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void mbr_entry(unsigned i, uint8_t type, uint32_t start, uint32_t count)
{
    medium[446 + 16 * i + 4] = type;
    put_le(medium + 446 + 16 * i + 8, start, 4);
    put_le(medium + 446 + 16 * i + 12, count, 4);
    medium[510] = 0x55;
    medium[511] = 0xaa;
}

static void gpt(void)
{
    uint8_t *h = medium + DISK_SECTOR;

    mbr_entry(0, 0xee, 1, SECTORS - 1);
    memcpy(h, "EFI PART", 8);
    put_le(h + 72, 2, 8);
    put_le(h + 80, 4, 4);
    put_le(h + 84, 128, 4);
    for (unsigned i = 0; i < 4; i++) {
        uint8_t *e = medium + 2 * DISK_SECTOR + 128 * i;

        e[0] = i != 1; /* the second is not used */
        put_le(e + 32, 10 + 40 * i, 8);
        put_le(e + 40, i == 3 ? SECTORS : 49 + 40 * i, 8); /* the last leaves the disk */
    }
}

static void disk_files_body(void *opaque)
{
    static struct disk d = {.ops = &medium_ops, .name = "vdt", .sectors = SECTORS};
    struct plat_file *a, *b;
    uint64_t size;
    char text[16];

    (void)opaque;
    memset(medium, 0, sizeof(medium));
    mbr_entry(0, 0x83, 100, 50);
    mbr_entry(1, 0x05, 150, 10);
    mbr_entry(2, 0x83, 190, 50);
    assert_int_equal(disk_add(&d), 0);
    assert_int_equal(plat_file_open(&a, "board:vdt2", PLAT_READ), -ENOENT);
    assert_int_equal(plat_file_open(&a, "board:vdt3", PLAT_READ), -ENOENT);
    assert_int_equal(plat_file_open(&a, "board:vdt1", PLAT_READ | PLAT_WRITE | PLAT_LOCK), 0);
    assert_int_equal(plat_file_size(a, &size), 0);
    assert_int_equal(size, 50 * DISK_SECTOR);
    /* The whole disk has the partition in it, and is taken with it. */
    assert_int_equal(plat_file_open(&b, "board:vdt", PLAT_READ | PLAT_LOCK), -EBUSY);
    assert_int_equal(plat_file_open(&b, "board:vdt", PLAT_READ), 0);
    assert_int_equal(plat_file_write(a, 510, "across", 6), 0);
    assert_int_equal(plat_file_read(b, 100 * DISK_SECTOR + 508, text, 10), 0);
    assert_memory_equal(text, "\0\0across\0\0", 10);
    assert_int_equal(plat_file_write(a, 49 * DISK_SECTOR, medium, DISK_SECTOR), 0);
    assert_int_equal(plat_file_write(a, 49 * DISK_SECTOR, medium, DISK_SECTOR + 1), -ENOSPC);
    assert_int_equal(plat_file_read(a, 50 * DISK_SECTOR, text, 1), -ENODATA);
    assert_int_equal(plat_file_sync(a), 0);
    assert_int_equal(flushed, 1);
    assert_null(plat_file_map(b, &size));
    plat_file_close(a);
    plat_file_close(b);
    assert_int_equal(plat_file_open(&b, "board:vdt", PLAT_WRITE | PLAT_LOCK), 0);
    assert_int_equal(plat_file_open(&a, "board:vdt1", PLAT_READ | PLAT_LOCK), -EBUSY);
    plat_file_close(b);
}

static void tables_body(void *unused)
{
    struct disk d = {.ops = &medium_ops, .sectors = SECTORS};
    struct disk_range part[DISK_PARTITIONS];
    struct rng rng;

    (void)unused;
    plat_lock_init(&d.edge);
    memset(medium, 0, sizeof(medium));
    assert_int_equal(disk_partitions(&d, part), 0);
    gpt();
    assert_int_equal(disk_partitions(&d, part), 4);
    assert_int_equal(part[0].start, 10);
    assert_int_equal(part[0].count, 40);
    assert_int_equal(part[1].count, 0);
    assert_int_equal(part[2].start, 90);
    assert_int_equal(part[3].count, 0);
    /* Whatever stands there: partitions are inside the disk. */
    rng_init(&rng, 3);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned n;

        if (i % 20 == 0)
            gpt();
        medium[rng_below(&rng, 4) * DISK_SECTOR + rng_below(&rng, DISK_SECTOR)] = (uint8_t)rng_u64(&rng);
        n = disk_partitions(&d, part);
        assert_true(n <= DISK_PARTITIONS);
        for (unsigned p = 0; p < n; p++)
            assert_true(!part[p].count ||
                        (part[p].start < SECTORS && part[p].count <= SECTORS - part[p].start));
    }
}

static void test_disks(void **state)
{
    (void)state;
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, tables_body, NULL);
    sim_run(&(struct sim_config){.cpus = 1, .seed = 1}, disk_files_body, NULL);
}

/* ---- str.c, beside the C library's ---- */

#define memcpy  own_memcpy
#define memmove own_memmove
#define memset  own_memset
#define memcmp  own_memcmp
#define strlen  own_strlen
#define strcmp  own_strcmp
#define strncmp own_strncmp
#define strchr  own_strchr
#undef CV_LIB_STR_H
#include "platform/bare/str.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp
#undef strchr

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void test_str(void **state)
{
    uint8_t a[512], b[512];
    struct rng rng;

    (void)state;
    rng_init(&rng, 9);
    for (unsigned i = 0; i < 100000; i++) {
        size_t to = rng_below(&rng, 200), from = rng_below(&rng, 200), n = rng_below(&rng, 300);

        rng_bytes(&rng, a, sizeof(a));
        memcpy(b, a, sizeof(b));
        switch (rng_below(&rng, 4)) {
        case 0:
            assert_ptr_equal(own_memset(a + to, (int)n, n), a + to);
            memset(b + to, (int)n, n);
            break;
        case 1:
            assert_ptr_equal(own_memmove(a + to, a + from, n), a + to);
            memmove(b + to, b + from, n);
            break;
        case 2:
            n = MIN(n, 256 - MAX(to, from));
            assert_ptr_equal(own_memcpy(a + to, a + 256 + from, n), a + to);
            memcpy(b + to, b + 256 + from, n);
            break;
        default:
            n /= 8;
            memmove(a + to, a + from, n);
            memcpy(b, a, sizeof(b));
            assert_int_equal(sign(own_memcmp(a + to, b + from, n)), sign(memcmp(a + to, b + from, n)));
        }
        assert_memory_equal(a, b, sizeof(a));
    }
    assert_int_equal(own_strlen("four"), 4);
    assert_int_equal(sign(own_strcmp("abc", "abd")), -1);
    assert_int_equal(own_strncmp("abc", "abd", 2), 0);
    assert_int_equal(sign(own_strncmp("abc", "ab", 3)), 1);
    assert_null(own_strchr("abc", 'd'));
    assert_string_equal(own_strchr("abc", 'b'), "bc");
    assert_string_equal(own_strchr("abc", 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board), cmocka_unit_test(test_board_bad), cmocka_unit_test(test_files),
        cmocka_unit_test(test_disks), cmocka_unit_test(test_str),
    };

    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
