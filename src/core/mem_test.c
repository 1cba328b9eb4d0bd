/* Guest memory: ranges refused, copies, flags, ROM, the hash of RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/minimal/testvm.h"

static int setup(void **state)
{
    *state = testvm_new(1);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static void ranges_refused(void **state)
{
    static const struct {
        gpa_t base;
        uint64_t size;
        int err;
    } rows[] = {
        {0x1000, 0, -EINVAL},
        {0x1001, 0x1000, -EINVAL},
        {0x1000, 0x1001, -EINVAL},
        {UINT64_MAX - 0xfff, 0x2000, -EINVAL},
        {0x2000, UINT64_MAX & ~(uint64_t)0xfff, -EINVAL},
        {TESTVM_RAM, 0x1000, -EEXIST},
        {TESTVM_RAM - 0x1000, 0x2000, -EEXIST},
        {TESTVM_RAM + TESTVM_SIZE - 0x1000, 0x1000, -EEXIST},
        {TESTVM_RAM + 0x1000, 0x1000, -EEXIST},
        {TESTVM_RAM - 0x1000, TESTVM_SIZE + 0x2000, -EEXIST},
        {TESTVM_DEV, 0x1000, -EEXIST},
        {TESTVM_DEV - 0xf000, 0x10000, -EEXIST},
    };
    struct vm *vm = *state;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[160] = "";

        assert_int_equal(mem_add_ram(&vm->mem, rows[i].base, rows[i].size, MEM_RAM, "new", why, sizeof(why)),
                         rows[i].err);
        assert_non_null(strstr(why, "new"));
        if (rows[i].err == -EEXIST)
            assert_true(strstr(why, "ram at 0x80000000") || strstr(why, "rec0 at 0x10000000"));
    }
    assert_null(mem_region_at(&vm->mem, 2));
}

static void neighbours_and_edges(void **state)
{
    struct vm *vm = *state;
    char why[160];

    assert_int_equal(mem_add_ram(&vm->mem, TESTVM_RAM - 0x1000, 0x1000, MEM_RAM, "below", why, sizeof(why)),
                     0);
    assert_int_equal(
        mem_add_ram(&vm->mem, TESTVM_RAM + TESTVM_SIZE, 0x1000, MEM_ROM, "above", why, sizeof(why)), 0);
    assert_int_equal(mem_add_ram(&vm->mem, UINT64_MAX - 0xfff, 0x1000, MEM_RAM, "top", why, sizeof(why)), 0);
    assert_string_equal(mem_find(&vm->mem, TESTVM_RAM - 1)->name, "below");
    assert_string_equal(mem_find(&vm->mem, TESTVM_RAM)->name, "ram");
    assert_string_equal(mem_find(&vm->mem, TESTVM_RAM + TESTVM_SIZE - 1)->name, "ram");
    assert_string_equal(mem_find(&vm->mem, TESTVM_RAM + TESTVM_SIZE)->name, "above");
    assert_string_equal(mem_find(&vm->mem, UINT64_MAX)->name, "top");
    assert_null(mem_find(&vm->mem, 0));
    assert_null(mem_find(&vm->mem, TESTVM_DEV + 0x100));
    for (unsigned i = 0; mem_region_at(&vm->mem, i + 1); i++)
        assert_true(mem_region_at(&vm->mem, i)->base < mem_region_at(&vm->mem, i + 1)->base);
    assert_int_equal(minimal_told(vm)->mem_changes, 5);
}

/* A few hundred regions in random order, each found by its first and last byte, then removed again. */
static void many_regions(void **state)
{
    enum { N = 300 };
    struct vm *vm = *state;
    unsigned order[N];
    char why[160];

    for (unsigned i = 0; i < N; i++)
        order[i] = i;
    srand(1);
    for (unsigned i = N; i-- > 1;) {
        unsigned j = (unsigned)rand() % (i + 1), t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(
            mem_add_mmio(&vm->mem, 0x1000u * order[i], 0x800, vm->devices, order[i], "w", why, sizeof(why)),
            0);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(mem_find(&vm->mem, 0x1000u * i)->dev_region, i);
        assert_int_equal(mem_find(&vm->mem, 0x1000u * i + 0x7ff)->dev_region, i);
        assert_null(mem_find(&vm->mem, 0x1000u * i + 0x800));
    }
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(mem_remove(&vm->mem, 0x1000u * order[i]), 0);
        assert_null(mem_find(&vm->mem, 0x1000u * order[i]));
        assert_int_equal(mem_remove(&vm->mem, 0x1000u * order[i]), -ENOENT);
    }
}

static void copies(void **state)
{
    struct vm *vm = *state;
    char why[160], buf[16] = "0123456789abcde", got[16];
    gpa_t end = TESTVM_RAM + TESTVM_SIZE;

    assert_int_equal(mem_write(&vm->mem, TESTVM_RAM + 0xff8, buf, 16), 0); /* across pages */
    assert_int_equal(mem_read(&vm->mem, TESTVM_RAM + 0xff8, got, 16), 0);
    assert_memory_equal(buf, got, 16);
    memset(got, 'x', sizeof(got));
    assert_int_equal(mem_read(&vm->mem, end - 8, got, 16), -EFAULT);
    assert_int_equal(mem_read(&vm->mem, TESTVM_RAM - 8, got, 16), -EFAULT);
    assert_int_equal(mem_read(&vm->mem, TESTVM_DEV, got, 8), -EFAULT);
    assert_int_equal(mem_read(&vm->mem, TESTVM_RAM, got, UINT64_MAX), -EFAULT);
    assert_int_equal(got[0], 'x');
    assert_int_equal(mem_write(&vm->mem, end - 8, buf, 16), -EFAULT);
    assert_int_equal(mem_read(&vm->mem, end - 8, got, 8), 0);
    assert_int_equal(got[0], 0); /* nothing was copied */
    assert_int_equal(mem_add_ram(&vm->mem, end, 0x1000, MEM_ROM, "rom", why, sizeof(why)), 0);
    assert_int_equal(mem_write(&vm->mem, end, buf, 4), -EFAULT);
    assert_null(mem_ptr(&vm->mem, end, 4, true));
    assert_int_equal(mem_load(&vm->mem, end, buf, 4), 0);
    assert_int_equal(mem_read(&vm->mem, end, got, 4), 0);
    assert_memory_equal(buf, got, 4);
    assert_non_null(mem_ptr(&vm->mem, end - 1, 1, true));
    assert_null(mem_ptr(&vm->mem, end - 1, 2, false)); /* one pointer never spans two regions */
}

static uint64_t watched, watched_len;

static void watch(struct vm *vm, gpa_t gpa, uint64_t len)
{
    (void)vm;
    watched = gpa;
    watched_len = len;
}

/* One byte anywhere is seen, and those beside the range stay. */
static void zeros(void **state)
{
    struct vm *vm = *state;
    uint8_t one = 1, got[4];
    const uint64_t at = 0x2ffd, len = 0x1085; /* over two ends of pages */

    for (uint64_t i = 0; i < len; i++) {
        uint8_t found = 7;

        assert_int_equal(mem_load(&vm->mem, TESTVM_RAM + at + i, &one, 1), 0);
        assert_int_equal(mem_zero(&vm->mem, TESTVM_RAM + at, len), 0);
        assert_int_equal(mem_read(&vm->mem, TESTVM_RAM + at + i, &found, 1), 0);
        assert_int_equal(found, 0);
    }
    assert_int_equal(mem_load(&vm->mem, TESTVM_RAM + at - 2, "\1\2\3\4", 4), 0);
    assert_int_equal(mem_zero(&vm->mem, TESTVM_RAM + at, 1), 0);
    assert_int_equal(mem_read(&vm->mem, TESTVM_RAM + at - 2, got, 4), 0);
    assert_memory_equal(got, "\1\2\0\4", 4);
    assert_int_equal(mem_zero(&vm->mem, TESTVM_RAM + TESTVM_SIZE - 1, 2), -EFAULT);
}

static void page_flags(void **state)
{
    struct vm *vm = *state;
    struct minimal_told *told = minimal_told(vm);
    char b = 1, wide[0x1100] = {0};

    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM), 0);
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_DEV), 0);
    assert_int_equal(mem_page_flags(&vm->mem, 0), 0);
    mem_write(&vm->mem, TESTVM_RAM + 0x1fff, &b, 1);
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM + 0x1000), MEM_PAGE_DIRTY);
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM + 0x2000), 0);
    assert_int_equal(told->code_writes, 0);
    assert_int_equal(mem_page_mark(&vm->mem, TESTVM_RAM + 0x3000, MEM_PAGE_CODE, 0), 0);
    assert_int_equal(mem_page_mark(&vm->mem, TESTVM_RAM + 0x3000, MEM_PAGE_WATCH, 0), MEM_PAGE_CODE);
    mem_write(&vm->mem, TESTVM_RAM + 0x2ffe, wide, 2);
    assert_int_equal(told->code_writes, 0); /* the page before */
    vm->watch = watch;
    mem_write(&vm->mem, TESTVM_RAM + 0x2fff, wide, sizeof(wide));
    assert_int_equal(told->code_writes, 1); /* reaches into it */
    assert_int_equal(watched, TESTVM_RAM + 0x2fff);
    assert_int_equal(watched_len, sizeof(wide));
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM + 0x4000), MEM_PAGE_DIRTY);
    assert_int_equal(mem_page_mark(&vm->mem, TESTVM_RAM + 0x3000, 0, MEM_PAGE_CODE | MEM_PAGE_WATCH),
                     MEM_PAGE_CODE | MEM_PAGE_WATCH | MEM_PAGE_DIRTY);
    mem_write(&vm->mem, TESTVM_RAM + 0x3000, &b, 1);
    assert_int_equal(told->code_writes, 1);
    assert_int_equal(mem_page_mark(&vm->mem, 0, 1, 0), 0);
}

static void hash_follows_ram(void **state)
{
    struct vm *vm = *state;
    uint64_t zero = mem_hash(&vm->mem), h1, h2;
    char b = 1;

    assert_int_equal(zero, 0); /* pages of zeros count 0 */
    mem_write(&vm->mem, TESTVM_RAM + 0x1234, &b, 1);
    h1 = mem_hash(&vm->mem);
    assert_int_not_equal(h1, zero);
    assert_int_equal(mem_hash(&vm->mem), h1);
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM + 0x1000), 0); /* brought up to date */
    mem_write(&vm->mem, TESTVM_RAM + 0x5234, &b, 1);                    /* the same page elsewhere */
    h2 = mem_hash(&vm->mem);
    assert_int_not_equal(h2, h1);
    assert_int_not_equal(h2, 2 * h1); /* the address counts */
    b = 0;
    mem_write(&vm->mem, TESTVM_RAM + 0x5234, &b, 1);
    assert_int_equal(mem_hash(&vm->mem), h1);
    mem_write(&vm->mem, TESTVM_RAM + 0x1234, &b, 1);
    assert_int_equal(mem_hash(&vm->mem), zero);
}

/* Each single bit of a page changes the hash, and its return restores it. */
static void hash_sees_every_bit(void **state)
{
    struct vm *vm = *state;
    uint8_t page[MEM_PAGE_SIZE];
    uint64_t base;

    for (size_t i = 0; i < sizeof(page); i++)
        page[i] = (uint8_t)(i * 7 + (i >> 8));
    mem_write(&vm->mem, TESTVM_RAM + 0x3000, page, sizeof(page));
    base = mem_hash(&vm->mem);
    for (unsigned bit = 0; bit < MEM_PAGE_SIZE * 8; bit++) {
        uint8_t b = (uint8_t)(page[bit / 8] ^ 1u << bit % 8);

        mem_write(&vm->mem, TESTVM_RAM + 0x3000 + bit / 8, &b, 1);
        assert_int_not_equal(mem_hash(&vm->mem), base);
        mem_write(&vm->mem, TESTVM_RAM + 0x3000 + bit / 8, &page[bit / 8], 1);
    }
    assert_int_equal(mem_hash(&vm->mem), base);
}

/* Pages without the flag are not read again: a change behind mem's back stays unseen until marked. */
static void hash_reads_dirty_pages_only(void **state)
{
    struct vm *vm = *state;
    uint64_t h = mem_hash(&vm->mem);
    uint8_t *p = mem_ptr(&vm->mem, TESTVM_RAM, 1, true);

    *p = 1;
    assert_int_equal(mem_hash(&vm->mem), h);
    mem_dirty(&vm->mem, TESTVM_RAM, 1);
    assert_int_not_equal(mem_hash(&vm->mem), h);
    mem_dirty(&vm->mem, TESTVM_RAM, 0);
    assert_int_equal(mem_page_flags(&vm->mem, TESTVM_RAM), 0);
    mem_dirty(&vm->mem, 0x123, 1); /* no RAM there: nothing happens */
}

static void count_line(void *opaque, const char *line)
{
    assert_int_equal(strncmp(line, "page 00000000800", 16), 0);
    ++*(unsigned *)opaque;
}

static void dump_and_touched(void **state)
{
    struct vm *vm = *state;
    unsigned lines = 0;
    char b = 9;

    assert_int_equal(mem_touched(&vm->mem), 0);
    mem_write(&vm->mem, TESTVM_RAM, &b, 1);
    mem_write(&vm->mem, TESTVM_RAM + 0x2000, &b, 1);
    assert_int_equal(mem_touched(&vm->mem), 2 * MEM_PAGE_SIZE);
    mem_dump(&vm->mem, count_line, &lines);
    assert_int_equal(lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranges_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(neighbours_and_edges, setup, teardown),
        cmocka_unit_test_setup_teardown(many_regions, setup, teardown),
        cmocka_unit_test_setup_teardown(copies, setup, teardown),
        cmocka_unit_test_setup_teardown(zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(page_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_follows_ram, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_sees_every_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_reads_dirty_pages_only, setup, teardown),
        cmocka_unit_test_setup_teardown(dump_and_touched, setup, teardown),
    };

    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
