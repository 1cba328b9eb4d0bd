/*
 * Device trees: the reader against libfdt on trees of both makers, the writer against dtc, and blobs with
 * every kind of damage, each in an allocation of its exact size so that a sanitizer sees a byte too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <libfdt.h>
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/rng.h"

#define BLOB_MAX 65536
#define DAMAGED  100000 /* cases */

/* ---- trees to look at ---- */

/* A small machine with something of everything. */
static size_t write_board(uint8_t *buf, size_t room)
{
    struct dtw w;
    size_t size = 0;

    dtw_init(&w, buf, room);
    dtw_reserve(&w, 0x80000000, 0x10000);
    dtw_reserve(&w, UINT64_C(0x123456789000), 0x2000);
    dtw_begin_node(&w, "");
    dtw_prop_strlist(&w, "compatible", (const char *const[]){"carbovisor,board", "board"}, 2);
    dtw_prop_str(&w, "model", "board");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    dtw_begin_unit(&w, "memory", 0x80000000);
    dtw_prop_str(&w, "device_type", "memory");
    dtw_prop_u64s(&w, "reg", (const uint64_t[]){0x80000000, 0x40000000, UINT64_C(0x200000000), 0x1000}, 4);
    dtw_end_node(&w);
    dtw_begin_node(&w, "cpus");
    dtw_prop_u32(&w, "#address-cells", 1);
    dtw_prop_u32(&w, "#size-cells", 0);
    dtw_begin_unit(&w, "cpu", 3);
    dtw_prop_str(&w, "device_type", "cpu");
    dtw_prop_u32(&w, "reg", 3);
    dtw_end_node(&w);
    dtw_end_node(&w);
    dtw_begin_node(&w, "soc");
    dtw_prop_strlist(&w, "compatible", (const char *const[]){"simple-bus"}, 1);
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    dtw_prop_empty(&w, "ranges");
    dtw_begin_unit(&w, "intc", 0xc000000);
    dtw_prop_u64s(&w, "reg", (const uint64_t[]){0xc000000, 0x4000}, 2);
    dtw_prop_empty(&w, "interrupt-controller");
    dtw_prop_u32(&w, "#interrupt-cells", 1);
    dtw_prop_u32(&w, "#address-cells", 0);
    dtw_prop_u32(&w, "phandle", 7);
    dtw_end_node(&w);
    dtw_begin_unit(&w, "serial", 0x10000000);
    dtw_prop_strlist(&w, "compatible", (const char *const[]){"ns16550a", "ns16550"}, 2);
    dtw_prop_u64s(&w, "reg", (const uint64_t[]){0x10000000, 0x100}, 2);
    dtw_prop_u32(&w, "interrupt-parent", 7);
    dtw_prop_u32(&w, "interrupts", 10);
    dtw_prop_u64(&w, "carbovisor,wide", UINT64_C(0x1122334455667788));
    dtw_prop_bytes(&w, "carbovisor,bytes", "\1\2\3\4\5", 5);
    dtw_end_node(&w);
    dtw_end_node(&w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    return size;
}

/* The same calls to our writer and to libfdt's, for a random tree. */
struct both {
    struct dtw w;
    uint8_t *theirs;
    struct rng r;
    unsigned nodes;
};

static void random_node(struct both *b, unsigned depth)
{
    static const char *const names[] = {"reg",        "phandle", "status", "a", "interrupts-extended",
                                        "compatible", "b"};
    uint64_t props = rng_below(&b->r, 6), children = depth < 12 ? rng_below(&b->r, 5) : 0;
    char name[40] = "";

    if (depth)
        snprintf(name, sizeof(name), "n%u@%llx", b->nodes++, (unsigned long long)rng_below(&b->r, 1000));
    dtw_begin_node(&b->w, name);
    assert_int_equal(fdt_begin_node(b->theirs, name), 0);
    for (uint64_t i = 0; i < props; i++) {
        uint8_t data[30];
        size_t n = i == 1 ? 4 : rng_below(&b->r, sizeof(data));

        for (size_t k = 0; k < n; k++)
            data[k] = rng_below(&b->r, 3) ? (uint8_t)('a' + rng_below(&b->r, 2)) : 0;
        dtw_prop_bytes(&b->w, names[i], data, n);
        assert_int_equal(fdt_property(b->theirs, names[i], data, (int)n), 0);
    }
    for (uint64_t i = 0; i < children && b->nodes < 200; i++)
        random_node(b, depth + 1);
    dtw_end_node(&b->w);
    assert_int_equal(fdt_end_node(b->theirs), 0);
}

/* ---- the reader beside libfdt ---- */

static void same_properties(const struct dtb *d, const void *blob, int n)
{
    struct dtb_property p = {0};
    int at;

    fdt_for_each_property_offset(at, blob, n)
    {
        const char *name;
        int size;
        const void *value = fdt_getprop_by_offset(blob, at, &name, &size);
        uint32_t our_size;

        assert_true(dtb_prop_next(d, n, &p));
        assert_string_equal(p.name, name);
        assert_ptr_equal(p.value, value);
        assert_int_equal(p.size, size);
        assert_ptr_equal(dtb_prop(d, n, name, &our_size), fdt_getprop(blob, n, name, &size));
        assert_int_equal(our_size, size);
    }
    assert_false(dtb_prop_next(d, n, &p));
}

static void same_relatives(const struct dtb *d, const void *blob, int n)
{
    int child = fdt_first_subnode(blob, n), next = fdt_next_subnode(blob, n);
    int parent = n ? fdt_parent_offset(blob, n) : -1;
    uint32_t phandle = fdt_get_phandle(blob, n);
    char path[512];

    assert_string_equal(dtb_name(d, n), fdt_get_name(blob, n, NULL));
    assert_int_equal(dtb_child(d, n), child < 0 ? DTB_NONE : child);
    assert_int_equal(dtb_sibling(d, n), next < 0 ? DTB_NONE : next);
    assert_int_equal(dtb_parent(d, n), parent < 0 ? DTB_NONE : parent);
    if (!fdt_get_path(blob, n, path, sizeof(path)))
        assert_int_equal(dtb_path(d, path), fdt_path_offset(blob, path));
    if (phandle && phandle != UINT32_MAX)
        assert_int_equal(dtb_phandle(d, phandle), fdt_node_offset_by_phandle(blob, phandle));
}

static void same_compatible(const struct dtb *d, const void *blob, const char *word)
{
    int theirs = -1;
    dtb_node ours = DTB_NONE;

    do {
        theirs = fdt_node_offset_by_compatible(blob, theirs, word);
        ours = dtb_compatible(d, ours, word);
        assert_int_equal(ours, theirs < 0 ? DTB_NONE : theirs);
    } while (ours != DTB_NONE);
}

/* Number of nodes. */
static unsigned same_tree(const struct dtb *d, const void *blob)
{
    unsigned nodes = 0;
    dtb_node ours = DTB_NONE;
    uint64_t a, s, address, size;

    for (int n = fdt_next_node(blob, -1, NULL); n >= 0; n = fdt_next_node(blob, n, NULL)) {
        ours = dtb_next(d, ours);
        assert_int_equal(ours, n);
        same_properties(d, blob, n);
        same_relatives(d, blob, n);
        nodes++;
    }
    assert_int_equal(dtb_next(d, ours), DTB_NONE);
    same_compatible(d, blob, "a");
    same_compatible(d, blob, "ns16550");
    for (int i = 0; i < fdt_num_mem_rsv(blob); i++) {
        assert_int_equal(fdt_get_mem_rsv(blob, i, &a, &s), 0);
        assert_true(dtb_reserved(d, (unsigned)i, &address, &size));
        assert_true(a == address && s == size);
    }
    /* libfdt stops at a size of 0 already; the specification asks for two zeros (5.3.2). */
    assert_true(!dtb_reserved(d, (unsigned)fdt_num_mem_rsv(blob), &address, &size) || size == 0);
    return nodes;
}

static void test_board(void **state)
{
    static uint8_t buf[BLOB_MAX];
    size_t size = write_board(buf, sizeof(buf));
    uint64_t a, s;
    uint32_t v;
    struct dtb d;
    dtb_node n;

    (void)state;
    assert_int_equal(fdt_check_full(buf, size), 0);
    assert_int_equal(dtb_open(&d, buf, size), 0);
    assert_int_equal(same_tree(&d, buf), 7);
    n = dtb_path(&d, "/soc/serial");
    assert_true(n != DTB_NONE);
    assert_int_equal(dtb_path(&d, "/soc/serial@10000000"), n);
    assert_int_equal(dtb_path(&d, "/soc/serial@1000000"), DTB_NONE);
    assert_int_equal(dtb_path(&d, "/soc/serial/"), n);
    assert_int_equal(dtb_path(&d, "/soc/seria"), DTB_NONE);
    assert_int_equal(dtb_path(&d, "/"), dtb_root(&d));
    assert_int_equal(dtb_reg(&d, n, 0, &a, &s), 0);
    assert_true(a == 0x10000000 && s == 0x100);
    assert_int_equal(dtb_reg(&d, n, 1, &a, &s), -ENOENT);
    assert_int_equal(dtb_u64(&d, n, "carbovisor,wide", &a), 0);
    assert_true(a == UINT64_C(0x1122334455667788));
    assert_int_equal(dtb_u64(&d, n, "interrupts", &a), 0);
    assert_int_equal(a, 10);
    assert_int_equal(dtb_u64(&d, n, "carbovisor,bytes", &a), -ENOENT);
    assert_int_equal(dtb_u32(&d, n, "carbovisor,wide", 1, &v), 0);
    assert_int_equal(v, 0x55667788);
    assert_int_equal(dtb_u32(&d, n, "carbovisor,wide", 2, &v), -ENOENT);
    assert_string_equal(dtb_str(&d, n, "compatible"), "ns16550a");
    assert_null(dtb_str(&d, n, "carbovisor,bytes"));
    assert_null(dtb_str(&d, n, "model"));
    n = dtb_path(&d, "/memory");
    assert_int_equal(dtb_reg(&d, n, 1, &a, &s), 0);
    assert_true(a == UINT64_C(0x200000000) && s == 0x1000);
    assert_int_equal(dtb_reg(&d, dtb_path(&d, "/cpus/cpu"), 0, &a, &s), 0);
    assert_true(a == 3 && s == 0);
    assert_int_equal(dtb_reg(&d, dtb_root(&d), 0, &a, &s), -ENOENT);
    assert_int_equal(dtb_phandle(&d, 7), dtb_path(&d, "/soc/intc"));
    assert_int_equal(dtb_phandle(&d, 0), DTB_NONE);
}

static void test_random_trees(void **state)
{
    static uint8_t ours[BLOB_MAX], theirs[BLOB_MAX];
    unsigned nodes = 0;
    struct dtb d;

    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct both b = {.theirs = theirs};
        size_t size;

        rng_init(&b.r, seed);
        dtw_init(&b.w, ours, sizeof(ours));
        assert_int_equal(fdt_create(theirs, sizeof(theirs)), 0);
        assert_int_equal(fdt_finish_reservemap(theirs), 0);
        random_node(&b, 0);
        assert_int_equal(dtw_finish(&b.w, &size), 0);
        assert_int_equal(fdt_finish(theirs), 0);
        assert_int_equal(fdt_check_full(ours, size), 0);
        /* The structure blocks are equal up to the offsets of names: compare by reading each with each. */
        assert_int_equal(fdt_size_dt_struct(ours), fdt_size_dt_struct(theirs));
        assert_int_equal(dtb_open(&d, theirs, fdt_totalsize(theirs)), 0);
        nodes += same_tree(&d, theirs);
        assert_int_equal(dtb_open(&d, ours, size), 0);
        same_tree(&d, ours);
    }
    assert_true(nodes > 1000);
}

/* ---- the writer ---- */

/* What dtc says to a blob goes into `said`; false without dtc. */
static bool dtc(const void *blob, size_t size, char *said, size_t room)
{
    char path[] = "/tmp/cv-fdt-XXXXXX", command[128];
    int fd = mkstemp(path);
    FILE *out;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, blob, size), (ssize_t)size);
    close(fd);
    snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1; echo status=$?", path);
    out = popen(command, "r");
    assert_non_null(out);
    said[fread(said, 1, room - 1, out)] = 0;
    pclose(out);
    unlink(path);
    return !strstr(said, "status=127");
}

static void test_dtc(void **state)
{
    static uint8_t buf[BLOB_MAX];
    char said[1000];
    size_t size = write_board(buf, sizeof(buf));

    (void)state;
    if (!dtc(buf, size, said, sizeof(said)))
        skip();
    assert_string_equal(said, "status=0\n");
}

/* Each name stands once in the strings block. */
static void test_strings_once(void **state)
{
    static uint8_t buf[BLOB_MAX];
    const char *strings;
    struct dtb d;

    (void)state;
    assert_int_equal(dtb_open(&d, buf, write_board(buf, sizeof(buf))), 0);
    strings = (const char *)d.strings;
    for (uint32_t a = 0; a < d.strings_size; a += (uint32_t)strlen(strings + a) + 1) {
        for (uint32_t b = 0; b < a; b += (uint32_t)strlen(strings + b) + 1)
            assert_string_not_equal(strings + a, strings + b);
    }
}

/* A buffer of any smaller size is refused, and nothing behind it is written. */
static void test_no_space(void **state)
{
    static uint8_t buf[BLOB_MAX];
    size_t full = write_board(buf, sizeof(buf)), size;

    (void)state;
    for (size_t room = 0; room < full; room++) {
        uint8_t *small = malloc(room + 1);
        struct dtw w;

        small[room] = 0x5a;
        dtw_init(&w, small, room);
        dtw_reserve(&w, 1, 2);
        dtw_begin_node(&w, "");
        for (size_t i = 0; i < full; i += 16)
            dtw_prop_u32(&w, "a", 1);
        dtw_end_node(&w);
        assert_int_equal(dtw_finish(&w, &size), -ENOSPC);
        assert_int_equal(small[room], 0x5a);
        free(small);
    }
    write_board(buf, full); /* fits exactly */
}

static void test_many_names(void **state)
{
    static uint8_t buf[4 * BLOB_MAX];
    char name[40];
    size_t size;
    struct dtw w;

    (void)state;
    dtw_init(&w, buf, sizeof(buf));
    dtw_begin_node(&w, "");
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "carbovisor,name-%d", i);
        dtw_prop_u32(&w, name, 1);
    }
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), -ENOSPC); /* of the strings */
}

/* Calls that make no tree; '(' ')' nodes, 'p' property, 'r' reservation, 'u' '(' with too long a name. */
static void test_misuse(void **state)
{
    static const char *const bad[] = {"",    "(",   "())",   ")",   "()()", "p",
                                      "p()", "()p", "(()p)", "(r)", "()r",  "(u))"};
    static const char *const good[] = {"()", "(p)", "r()", "rr(p(p)(p))", "((())())"};
    static char longest[100];
    uint8_t buf[1024];
    size_t size;
    struct dtb d;

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(bad) + ARRAY_SIZE(good); i++) {
        bool ok = i >= ARRAY_SIZE(bad);
        struct dtw w;

        dtw_init(&w, buf, sizeof(buf));
        for (const char *c = ok ? good[i - ARRAY_SIZE(bad)] : bad[i]; *c; c++) {
            if (*c == '(')
                dtw_begin_node(&w, w.depth ? "n" : "");
            else if (*c == ')')
                dtw_end_node(&w);
            else if (*c == 'p')
                dtw_prop_u32(&w, "p", 1);
            else if (*c == 'r')
                dtw_reserve(&w, 0x1000, 0x1000);
            else
                dtw_begin_unit(&w, longest, 1);
        }
        if (dtw_finish(&w, &size) != (ok ? 0 : -EINVAL))
            fail_msg("case %zu", i);
        if (ok)
            assert_int_equal(dtb_open(&d, buf, size), 0);
    }
}

/* ---- damage ---- */

/* Calls everything; the sanitizer and the time limit judge. */
static uint64_t use(const struct dtb *d)
{
    uint64_t sum = 0, a = 0, s = 0;
    uint32_t v = 0;

    for (dtb_node n = dtb_next(d, DTB_NONE); n != DTB_NONE; n = dtb_next(d, n)) {
        struct dtb_property p = {0};

        while (dtb_prop_next(d, n, &p)) {
            sum += strlen(p.name);
            for (uint32_t i = 0; i < p.size; i++)
                sum += ((const uint8_t *)p.value)[i];
        }
        sum += strlen(dtb_name(d, n)) + (uint64_t)dtb_parent(d, n) + (uint64_t)dtb_child(d, n) +
               (uint64_t)dtb_sibling(d, n);
        sum +=
            !dtb_reg(d, n, 0, &a, &s) + !dtb_reg(d, n, 1, &a, &s) + !dtb_u32(d, n, "reg", 1, &v) + a + s + v;
        sum += dtb_str(d, n, "compatible") ? strlen(dtb_str(d, n, "compatible")) : 0;
    }
    for (unsigned i = 0; dtb_reserved(d, i, &a, &s); i++)
        sum += a + s;
    sum += (uint64_t)dtb_path(d, "/soc/serial@10000000") + (uint64_t)dtb_phandle(d, 7) +
           (uint64_t)dtb_compatible(d, DTB_NONE, "ns16550");
    return sum;
}

/* Whether it opened. When libfdt takes it too, both must see one tree. */
static bool try_blob(const uint8_t *bytes, size_t size)
{
    uint8_t *blob = malloc(size ? size : 1);
    struct dtb d;
    bool ok;

    memcpy(blob, bytes, size);
    ok = !dtb_open(&d, blob, size);
    if (ok) {
        use(&d);
        if (size >= FDT_V17_SIZE && !fdt_check_full(blob, size) && dtb_root(&d) == 0)
            same_tree(&d, blob);
    }
    free(blob);
    return ok;
}

static void test_truncated(void **state)
{
    static uint8_t buf[BLOB_MAX];
    size_t size = write_board(buf, sizeof(buf));

    (void)state;
    for (size_t n = 0; n < size; n++)
        assert_false(try_blob(buf, n));
    /* Also when the header says that it is whole. */
    for (size_t n = 40; n < size; n++) {
        buf[6] = (uint8_t)(n >> 8);
        buf[7] = (uint8_t)n;
        try_blob(buf, n);
    }
}

/* One damage: a bit, a byte, a word to a number that matters, or a word from elsewhere. */
static void damage(struct rng *r, uint8_t *p, size_t size)
{
    static const uint32_t words[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    size_t at = rng_below(r, 3) ? rng_below(r, size) : rng_below(r, 40);
    uint32_t v = words[rng_below(r, ARRAY_SIZE(words))];

    switch (rng_below(r, 4)) {
    case 0:
        p[at] ^= (uint8_t)(1 << rng_below(r, 8));
        break;
    case 1:
        p[at] = (uint8_t)rng_u64(r);
        break;
    case 2:
        at &= ~(size_t)3;
        for (size_t i = 0; i < 4 && at + i < size; i++)
            p[at + i] = (uint8_t)(v >> (24 - 8 * i));
        break;
    default:
        at &= ~(size_t)3;
        if (at + 4 <= size)
            memcpy(p + at, p + (rng_below(r, size - 3) & ~(uint64_t)3), 4);
        break;
    }
}

static void test_damaged(void **state)
{
    static uint8_t buf[BLOB_MAX], bytes[BLOB_MAX];
    size_t size = write_board(buf, sizeof(buf));
    unsigned opened = 0;
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    for (unsigned i = 0; i < DAMAGED; i++) {
        memcpy(bytes, buf, size);
        for (uint64_t n = 1 + rng_below(&r, 4); n; n--)
            damage(&r, bytes, size);
        opened += try_blob(bytes, size - (rng_below(&r, 8) ? 0 : rng_below(&r, size)));
    }
    print_message("%u damaged blobs, %u of them still trees\n", DAMAGED, opened);
    assert_in_range(opened, DAMAGED / 20, DAMAGED * 19 / 20);
}

/* NOPs anywhere change nothing that is seen. */
static void test_nops(void **state)
{
    static uint8_t buf[BLOB_MAX];
    size_t size = write_board(buf, sizeof(buf)), n;
    struct dtb d;

    (void)state;
    assert_int_equal(fdt_nop_property(buf, fdt_path_offset(buf, "/soc"), "ranges"), 0);
    assert_int_equal(fdt_nop_node(buf, fdt_path_offset(buf, "/soc/intc")), 0);
    assert_int_equal(dtb_open(&d, buf, size), 0);
    n = same_tree(&d, buf);
    assert_int_equal(n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board),    cmocka_unit_test(test_random_trees),
        cmocka_unit_test(test_dtc),      cmocka_unit_test(test_strings_once),
        cmocka_unit_test(test_no_space), cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_misuse),   cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),  cmocka_unit_test(test_nops),
    };

    return cmocka_run_group_tests_name("fdt", tests, NULL, NULL);
}
