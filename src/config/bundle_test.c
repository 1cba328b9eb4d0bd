/* Bundles: written and read back; truncated, flipped, oversized, foreign ones refused in one line each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "config/bundle.h"
#include "lib/sum.h"

#define WHY 300

struct made {
    char folder[40], out[60];
    uint8_t *data;
    size_t size;
    unsigned notes;
    char note[200];
};

static void put_file(const struct made *m, const char *name, size_t size)
{
    char path[80];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", m->folder, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i * 7 + size), f);
    fclose(f);
}

static void set(struct config *c, const char *key, const char *value)
{
    char why[WHY];

    if (config_set(c, key, value, why, sizeof(why)))
        fail_msg("%s", why);
}

static void set_path(const struct made *m, struct config *c, const char *key, const char *name)
{
    char path[80];

    snprintf(path, sizeof(path), "%s/%s", m->folder, name);
    set(c, key, path);
}

static void count_note(void *opaque, const char *line)
{
    struct made *m = opaque;

    m->notes++;
    snprintf(m->note, sizeof(m->note), "%s", line);
}

static void read_back(struct made *m)
{
    FILE *f = fopen(m->out, "rb");

    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    m->size = (size_t)ftell(f);
    rewind(f);
    m->data = aligned_alloc(4096, (m->size + 4095) & ~(size_t)4095);
    assert_int_equal(fread(m->data, 1, m->size, f), m->size);
    fclose(f);
}

/* Two VMs, which share a kernel, and one of which has what only the hosted form knows. */
static int make(struct made *m, struct config *a, struct config *b, char *why)
{
    struct config *const vms[] = {a, b};

    *m = (struct made){.folder = "/tmp/bundle_test_XXXXXX"};
    assert_non_null(mkdtemp(m->folder));
    snprintf(m->out, sizeof(m->out), "%s/out.cvb", m->folder);
    put_file(m, "kernel", 10000);
    put_file(m, "disk,1.img", 8192);
    config_init(a);
    config_init(b);
    set(a, "name", "one");
    set(a, "guest-arch", "riscv64");
    set(a, "memory", "256M");
    set(a, "smp", "2");
    set(a, "append", "console=ttyS0 a=\"b c\"");
    set(a, "machine", "virt,aia=aplic-imsic");
    set_path(m, a, "kernel", "kernel");
    set_path(m, a, "disk", "disk,1.img,ro");
    set(a, "disk", "board:vda1");
    set(a, "sched.weight", "300");
    set(a, "sched.affinity", "0");
    set(a, "sched.affinity", "2");
    set(b, "name", "two");
    set(b, "guest-arch", "riscv64");
    set(b, "autostart", "false");
    set(b, "serial", "none");
    set(b, "console", "stdio");
    set(b, "monitor", "unix:sock");
    set_path(m, b, "kernel", "kernel");
    set_path(m, b, "initrd", "disk,1.img");
    return bundle_write(m->out, vms, 2, (struct bundle_notes){count_note, m}, why, WHY);
}

static void clean(struct made *m)
{
    static const char *const names[] = {"kernel", "disk,1.img", "out.cvb"};
    char path[80];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", m->folder, names[i]);
        unlink(path);
    }
    rmdir(m->folder);
    free(m->data);
}

static void made_whole(struct made *m)
{
    struct config a, b;
    char why[WHY] = "";

    if (make(m, &a, &b, why))
        fail_msg("%s", why);
    read_back(m);
    config_fini(&a);
    config_fini(&b);
}

static void test_read_back(void **state)
{
    char why[WHY] = "";
    struct bundle_file f;
    struct bundle b;
    struct config c;
    struct made m;

    (void)state;
    made_whole(&m);
    assert_int_equal(m.notes, 1);
    assert_string_equal(m.note, "two: monitor: means something to the hosted form only; left out");
    assert_int_equal(bundle_open(&b, m.data, m.size, "riscv64", why, sizeof(why)), 0);
    assert_int_equal(b.file_count, 2); /* the kernel and the disk once each */
    assert_int_equal(b.vm_count, 2);
    bundle_file(&b, 0, &f);
    assert_string_equal(f.name, "kernel");
    assert_int_equal(f.size, 10000);
    assert_true(sum64(f.data, f.size) == f.sum);
    assert_int_equal((uintptr_t)f.data % BUNDLE_ALIGN, 0);
    bundle_file(&b, 1, &f);
    assert_string_equal(f.name, "disk_1.img"); /* a comma would end the name */
    config_init(&c);
    assert_int_equal(bundle_vm(&b, 0, &c, why, sizeof(why)), 0);
    assert_string_equal(c.desc.name, "one");
    assert_int_equal(c.desc.memory, 256 << 20);
    assert_int_equal(c.desc.smp, 2);
    assert_string_equal(c.desc.append, "console=ttyS0 a=\"b c\"");
    assert_string_equal(c.desc.machine_options, "aia=aplic-imsic");
    assert_string_equal(c.desc.kernel, "kernel");
    assert_true(c.desc.disks[0].read_only);
    assert_int_equal(c.desc.disk_count, 2);
    assert_string_equal(c.desc.disks[1].path, "board:vda1");
    assert_int_equal(c.desc.net, DESC_NET_VSWITCH);
    assert_int_equal(c.desc.sched.weight, 300);
    assert_int_equal(c.desc.sched.affinity, 5);
    assert_false(c.desc.manual);
    config_fini(&c);
    config_init(&c);
    assert_int_equal(bundle_vm(&b, 1, &c, why, sizeof(why)), 0);
    assert_true(c.desc.manual);
    assert_string_equal(c.desc.initrd, "disk_1.img");
    assert_int_equal(c.desc.number, 1);
    config_fini(&c);
    clean(&m);
}

/* A bundle with its header summed anew, so that what is behind it is looked at. */
static void seal(uint8_t *data)
{
    struct bundle_header h;

    memcpy(&h, data, sizeof(h));
    h.sum = sum64(&h, offsetof(struct bundle_header, sum));
    memcpy(data, &h, sizeof(h));
}

static void refused(const void *data, size_t size, const char *arch, const char *says)
{
    char why[WHY] = "";
    struct bundle b;

    assert_int_not_equal(bundle_open(&b, data, size, arch, why, sizeof(why)), 0);
    if (!strstr(why, says) || strchr(why, '\n'))
        fail_msg("'%s' does not say '%s'", why, says);
}

static void test_refusals(void **state)
{
    struct bundle_header h, good;
    struct made m;

    (void)state;
    made_whole(&m);
    memcpy(&good, m.data, sizeof(good));
    refused(m.data, 0, NULL, "is none, it has 0 bytes");
    refused(m.data, sizeof(h) - 1, NULL, "is none");
    refused(m.data, m.size - 1, NULL, "ends after");
    refused(m.data, 4096, NULL, "ends after 4096 of");
    refused(m.data, m.size, "arm64", "is for riscv64, this is arm64");
#define WITH(change, says)                                                                                   \
    do {                                                                                                     \
        h = good;                                                                                            \
        change;                                                                                              \
        memcpy(m.data, &h, sizeof(h));                                                                       \
        seal(m.data);                                                                                        \
        refused(m.data, m.size, NULL, says);                                                                 \
        memcpy(m.data, &good, sizeof(good));                                                                 \
    } while (0)
    WITH(h.magic[0] ^= 1, "is none; make one");
    WITH(h.version = 2, "is of version 2");
    WITH(h.isa = 40, "is for an unknown ISA (40)");
    WITH(h.size = m.size + 1, "ends after");
    WITH(h.size = UINT64_MAX, "ends after");
    WITH(h.size = 4096, "its file 0 is outside"); /* oversized files */
    WITH(h.tree = UINT64_MAX, "descriptions are outside");
    WITH(h.tree = 0, "descriptions are outside");
    WITH(h.tree_size = UINT64_MAX, "descriptions are outside");
    WITH(h.tree_size = h.size, "descriptions are outside");
    WITH(h.tree_size -= 4, "descriptions are damaged");
    WITH(h.tree_sum ^= 1, "descriptions are damaged");
    WITH((h.tree_size = 0, h.tree_sum = sum64(m.data, 0)), "no device tree");
#undef WITH
    clean(&m);
}

/* Every bit of header and tree counts; those of files are for who reads them. */
static void test_flips(void **state)
{
    struct bundle_header h;
    char why[WHY];
    struct bundle b;
    struct made m;

    (void)state;
    made_whole(&m);
    memcpy(&h, m.data, sizeof(h));
    for (size_t bit = 0; bit < (h.tree + h.tree_size) * 8; bit += bit < sizeof(h) * 8 ? 1 : 7) {
        m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(bundle_open(&b, m.data, m.size, "riscv64", why, sizeof(why)), 0);
        m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(bundle_open(&b, m.data, m.size, "riscv64", why, sizeof(why)), 0);
    clean(&m);
}

/* ---- trees that nobody would write ---- */

struct crafted {
    uint8_t data[16384];
    struct dtw w;
};

static void craft_begin(struct crafted *k)
{
    dtw_init(&k->w, k->data + sizeof(struct bundle_header), 8192 - sizeof(struct bundle_header));
    dtw_begin_node(&k->w, "");
}

static void craft_file(struct crafted *k, unsigned i, const char *name, uint64_t at, uint64_t size)
{
    const uint64_t reg[2] = {at, size};

    dtw_begin_unit(&k->w, "file", i);
    dtw_prop_str(&k->w, "name", name);
    dtw_prop_u64s(&k->w, "reg", reg, 2);
    dtw_prop_u64(&k->w, "sum", 1);
    dtw_end_node(&k->w);
}

static void craft_end(struct crafted *k, const char *says)
{
    struct bundle_header h = {.magic = BUNDLE_MAGIC,
                              .version = BUNDLE_VERSION,
                              .isa = 243,
                              .size = sizeof(k->data),
                              .tree = sizeof(h)};
    size_t size = 0;

    dtw_end_node(&k->w);
    assert_int_equal(dtw_finish(&k->w, &size), 0);
    h.tree_size = size;
    h.tree_sum = sum64(k->data + sizeof(h), size);
    memcpy(k->data, &h, sizeof(h));
    seal(k->data);
    refused(k->data, sizeof(k->data), "riscv64", says);
}

/* One VM with one property beside those it needs. */
static void craft_vm(struct crafted *k, const char *key, const void *value, size_t size, const char *says)
{
    craft_begin(k);
    dtw_begin_node(&k->w, "files");
    craft_file(k, 0, "kernel", 8192, 100);
    dtw_end_node(&k->w);
    dtw_begin_node(&k->w, "vms");
    dtw_begin_node(&k->w, "vm");
    dtw_prop_str(&k->w, "guest-arch", "riscv64");
    dtw_prop_bytes(&k->w, key, value, size);
    dtw_end_node(&k->w);
    dtw_end_node(&k->w);
    craft_end(k, says);
}

static void test_crafted(void **state)
{
    static struct crafted k;

    (void)state;
    craft_vm(&k, "colour", "red", 4, "setting 'colour' is unknown");
    craft_vm(&k, "memory", "1G", 2, "setting 'memory' is no text");
    craft_vm(&k, "memory", "", 0, "setting 'memory' is no text");
    craft_vm(&k, "memory", "much", 5, "memory: 'much' is not a size");
    craft_vm(&k, "memory", "1G\0002G", 6, "has two values");
    craft_vm(&k, "kernel", "other", 6, "has no file 'other'");
    craft_vm(&k, "disk", "kernel\0other,ro", 16, "has no file 'other,ro'");
    craft_vm(&k, "guest-arch", "arm64", 6, "is not of its ISA");
    craft_vm(&k, "smp", "99999999999999999999", 21, "smp:");
    craft_begin(&k);
    craft_end(&k, "has 0 VMs");
    craft_begin(&k);
    dtw_begin_node(&k.w, "files");
    craft_file(&k, 0, "a", 8192, 8193);
    dtw_end_node(&k.w);
    craft_end(&k, "its file 0 is outside");
    craft_begin(&k);
    dtw_begin_node(&k.w, "files");
    craft_file(&k, 0, "a", 8193, 1);
    dtw_end_node(&k.w);
    craft_end(&k, "its file 0 is outside");
    craft_begin(&k);
    dtw_begin_node(&k.w, "files");
    craft_file(&k, 0, "a", UINT64_MAX - 4095, 4096);
    dtw_end_node(&k.w);
    craft_end(&k, "its file 0 is outside");
    craft_begin(&k);
    dtw_begin_node(&k.w, "files");
    craft_file(&k, 0, "a", 8192, 1);
    craft_file(&k, 1, "a", 8192, 1);
    dtw_end_node(&k.w);
    craft_end(&k, "two files are called 'a'");
    craft_begin(&k);
    dtw_begin_node(&k.w, "vms");
    for (unsigned i = 0; i < 2; i++) {
        dtw_begin_unit(&k.w, "vm", i);
        dtw_prop_str(&k.w, "guest-arch", "riscv64");
        dtw_end_node(&k.w);
    }
    dtw_end_node(&k.w);
    craft_end(&k, "two VMs are called 'vm'");
    craft_begin(&k);
    dtw_begin_node(&k.w, "vms");
    for (unsigned i = 0; i < BUNDLE_VMS + 1; i++) {
        dtw_begin_unit(&k.w, "vm", i);
        dtw_end_node(&k.w);
    }
    dtw_end_node(&k.w);
    craft_end(&k, "has 65 VMs");
}

static void test_write_refusals(void **state)
{
    struct config a, b, *const vms[] = {&a, &b};
    struct bundle_notes none = {0};
    char why[WHY] = "";
    struct made m;

    (void)state;
    assert_int_equal(make(&m, &a, &b, why), 0);
    set(&b, "name", "one");
    assert_int_not_equal(bundle_write(m.out, vms, 2, none, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "two VMs are called 'one'"));
    set(&b, "name", "two");
    set(&b, "guest-arch", "arm64");
    assert_int_not_equal(bundle_write(m.out, vms, 2, none, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "two: is for arm64"));
    set(&b, "guest-arch", "riscv64");
    assert_int_not_equal(bundle_write(a.desc.kernel, vms, 2, none, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "is a file of the bundle too"));
    assert_int_not_equal(bundle_write("/nowhere/x.cvb", vms, 2, none, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "/nowhere/x.cvb: cannot be written"));
    set(&b, "initrd", "/nowhere/initrd");
    assert_int_not_equal(bundle_write(m.out, vms, 2, none, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "/nowhere/initrd: cannot be read"));
    assert_int_not_equal(bundle_write(m.out, vms, 0, none, why, sizeof(why)), 0);
    config_fini(&a);
    config_fini(&b);
    clean(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back), cmocka_unit_test(test_refusals),       cmocka_unit_test(test_flips),
        cmocka_unit_test(test_crafted),   cmocka_unit_test(test_write_refusals),
    };

    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
