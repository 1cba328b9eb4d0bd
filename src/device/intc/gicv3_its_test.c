/* ITS: commands, translation, LPIs at the CPU interfaces (IHI 0069, 5). */
#include "device/intc/gicv3_its.h"
#include "device/intc/gic_test.h"
#include "device/intc/gicv3.h"

#define REDIST  0x080a0000u
#define ITS     0x08080000u
#define CPUS    4u
#define TABLE   TESTVM_RAM            /* device table: 4 KiB, 512 devices */
#define QUEUE   (TESTVM_RAM + 0x1000) /* 128 commands */
#define ITT     (TESTVM_RAM + 0x2000)
#define PENDING (TESTVM_RAM + 0x0)    /* with PTZ nothing is read there */
#define PROP    (TESTVM_RAM + 0x4000) /* 8 KiB */
#define LPI     8192u
#define VALID   BIT(63)

enum {
    CTLR = 0,
    TYPER = 8,
    CBASER = 0x80,
    CWRITER = 0x88,
    CREADR = 0x90,
    BASER = 0x100,
    TRANSLATER = 0x10040
};
enum { MOVI = 1, INT = 3, CLEAR = 4, SYNC = 5, MAPD = 8, MAPC = 9, MAPTI = 10, MAPI = 11, INV = 12 };
enum { INVALL = 13, MOVALL = 14, DISCARD = 15 };

static uint64_t writer;

static uint64_t affinity(unsigned cpu)
{
    return cpu;
}

static struct device *create(char *why, size_t why_size)
{
    const struct gicv3_config c = {
        .dist = DIST, .redist = REDIST, .affinity = affinity, .phandle = 9, .lpis = true};
    struct device *g = gicv3_create(vm, "gic", &c, why, why_size);

    gic = g;
    return g ? gicv3_its_create(vm, "its", g, ITS, 10, why, why_size) : NULL;
}

static void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    const uint64_t c[4] = {w0, w1, w2, w3};

    assert_int_equal(mem_write(&vm->mem, QUEUE + writer, c, sizeof(c)), 0);
    writer = (writer + 32) % 0x1000;
    set(ITS + CWRITER, 8, writer);
    assert_int_equal(get(ITS + CREADR, 8), writer);
}

static void mapd(uint32_t device, gpa_t itt, unsigned bits, bool valid)
{
    command(MAPD | (uint64_t)device << 32, bits - 1, itt | (valid ? VALID : 0), 0);
}

static void mapc(unsigned collection, unsigned cpu, bool valid)
{
    command(MAPC, 0, collection | (uint64_t)cpu << 16 | (valid ? VALID : 0), 0);
}

static void mapti(uint32_t device, uint32_t event, uint32_t lpi, unsigned collection)
{
    command(MAPTI | (uint64_t)device << 32, event | (uint64_t)lpi << 32, collection, 0);
}

static void event(unsigned code, uint32_t device, uint32_t n, unsigned collection)
{
    command(code | (uint64_t)device << 32, n, collection, 0);
}

static void config(uint32_t lpi, uint8_t value)
{
    mem_write(&vm->mem, PROP + lpi - LPI, &value, 1);
}

static uint64_t top(unsigned cpu)
{
    return vm->vcpu[cpu]->dist->ops->top(vm->vcpu[cpu]->dist, vm->vcpu[cpu]);
}

static bool none(unsigned cpu)
{
    return top(cpu) == DIST_NONE;
}

static bool activate(unsigned cpu)
{
    return vm->vcpu[cpu]->dist->ops->activate(vm->vcpu[cpu]->dist, vm->vcpu[cpu], top(cpu));
}

static void msi(uint32_t source, uint32_t data)
{
    msi_send_from(vm, source, ITS + TRANSLATER, data);
}

/* LPIs on everywhere, device 5 with 32 events, collection i at vCPU i, LPI 8192+n enabled at priority 0x80.
 */
static int setup(void **state)
{
    char why[160];

    (void)state;
    vm = testvm_new(CPUS);
    assert_non_null(create(why, sizeof(why)));
    for (struct device *d = vm->devices; d; d = d->next) {
        plat_lock(&d->lock);
        d->ops->reset(d);
        plat_unlock(&d->lock);
    }
    set32(DIST, 3);
    memset(mem_ptr(&vm->mem, PROP, 0x2000, true), 0x81, 0x2000);
    for (unsigned i = 0; i < CPUS; i++) {
        gpa_t rd = REDIST + i * GICV3_REDIST_STRIDE;

        set32(rd + 0x14, 0);
        set(rd + 0x70, 8, PROP | 13);
        set(rd + 0x78, 8, BIT(62) | PENDING);
        set32(rd, 1);
    }
    writer = 0;
    set(ITS + BASER, 8, VALID | TABLE);
    set(ITS + CBASER, 8, VALID | QUEUE);
    set32(ITS + CTLR, 1);
    for (unsigned i = 0; i < CPUS; i++)
        mapc(i, i, true);
    mapd(5, ITT, 5, true);
    return 0;
}

static void registers(void **state)
{
    uint64_t typer = get(ITS + TYPER, 8);

    (void)state;
    assert_int_equal(typer & 1, 1);
    assert_int_equal(typer >> 4 & 15, 7);   /* entries of 8 bytes */
    assert_int_equal(typer >> 8 & 31, 13);  /* LPI numbers */
    assert_int_equal(typer >> 13 & 31, 15); /* devices */
    assert_int_equal(typer >> 24 & 255, 255);
    assert_int_equal(typer >> 19 & 1, 0); /* collections name a redistributor by its number */
    assert_int_equal(get32(ITS + CTLR), 1);
    assert_int_equal(get(ITS + BASER, 8) >> 56 & 7, 1);
    assert_int_equal(get(ITS + BASER, 8) >> 48 & 31, 7);
    set(ITS + BASER, 8, 0); /* fixed while it is on */
    set(ITS + CBASER, 8, 0);
    assert_int_equal(get(ITS + BASER, 8) & (VALID | 0xfffff000), VALID | TABLE);
    assert_int_equal(get(ITS + CBASER, 8), VALID | QUEUE);
    assert_int_equal(get32(ITS + 0xffe8), 0x3b);
    set32(ITS + CTLR, 0);
    assert_int_equal(get32(ITS + CTLR), 0x80000000); /* quiescent */
    set(ITS + BASER, 8, BIT(62));                    /* no two-level tables */
    assert_int_equal(get(ITS + BASER, 8) >> 62, 0);
    set32(ITS + CBASER, 0x1234f401);
    set32(ITS + CBASER + 4, 0x80000001);
    assert_int_equal(get(ITS + CBASER, 8), UINT64_C(0x800000011234f401));
    assert_int_equal(get(ITS + CREADR, 8), 0);
    assert_true(node_has(gic, "arm,gic-v3-its"));
}

static void messages(void **state)
{
    (void)state;
    mapti(5, 0, LPI + 7, 2);
    mapti(5, 31, LPI + 8, 1);
    command(MAPI | UINT64_C(5) << 32, 9, 0, 0); /* event 9 is no LPI number */
    msi(5, 0);
    assert_int_equal(top(2), DIST_TOP(LPI + 7, 0x80, 1));
    assert_true(none(1));
    assert_true(activate(2));
    assert_true(none(2));
    msi(5, 31);
    msi(5, 31);
    assert_true(activate(1));
    assert_true(none(1));
    /* Nowhere: other devices, events, collections; a vCPU's own write. */
    msi(4, 0);
    msi(5, 1);
    msi(5, 32);
    msi(UINT32_MAX, UINT32_MAX);
    set32(ITS + TRANSLATER, 0);
    msi_send(vm, ITS + TRANSLATER, 0);
    for (unsigned i = 0; i < CPUS; i++)
        assert_true(none(i));
    set32(ITS + CTLR, 0);
    msi(5, 0);
    assert_true(none(2));
}

static void commands(void **state)
{
    (void)state;
    mapti(5, 1, LPI + 1, 0);
    event(INT, 5, 1, 0);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI + 1);
    event(CLEAR, 5, 1, 0);
    assert_true(none(0));
    event(INT, 5, 1, 0);
    event(MOVI, 5, 1, 3); /* what is pending goes along */
    assert_true(none(0));
    assert_int_equal(DIST_TOP_ID(top(3)), LPI + 1);
    command(MOVALL, 0, UINT64_C(3) << 16, UINT64_C(1) << 16);
    assert_true(none(3));
    assert_int_equal(DIST_TOP_ID(top(1)), LPI + 1);
    command(MOVALL, 0, UINT64_C(1) << 16, UINT64_C(3) << 16);
    event(DISCARD, 5, 1, 0);
    assert_true(none(3));
    msi(5, 1);
    assert_true(none(3));
    command(SYNC, 0, 0, 0);
    /* A collection moved, then gone. */
    mapti(5, 2, LPI + 2, 3);
    mapc(3, 0, true);
    msi(5, 2);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI + 2);
    assert_true(activate(0));
    mapc(3, 0, false);
    msi(5, 2);
    mapc(3, 0, true);
    mapd(5, ITT, 5, false);
    msi(5, 2);
    assert_true(none(0));
}

/* The tables' changes count when INV or INVALL say so. */
static void configuration(void **state)
{
    (void)state;
    mapti(5, 0, LPI, 0);
    mapti(5, 1, LPI + 1, 0);
    msi(5, 0);
    msi(5, 1);
    assert_int_equal(top(0), DIST_TOP(LPI, 0x80, 1));
    config(LPI, 0x80);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI);
    event(INV, 5, 0, 0);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI + 1);
    config(LPI, 0xa1);
    config(LPI + 1, 0xff);
    event(INVALL, 0, 0, 0);
    assert_int_equal(top(0), DIST_TOP(LPI, 0xa0, 1));
    assert_true(activate(0));
    assert_int_equal(top(0), DIST_TOP(LPI + 1, 0xf8, 1));
}

/* Devices behind the table's end, collections and numbers that are not there. */
static void limits(void **state)
{
    (void)state;
    mapd(511, ITT + 0x800, 1, true);
    mapd(512, ITT + 0x900, 1, true);
    mapti(511, 0, LPI, 0);
    mapti(512, 0, LPI + 1, 0);
    mapti(511, 1, LPI + 16384 - 8192, 0);
    mapti(511, 1, LPI - 1, 0);
    mapti(511, 1, LPI + 2, 255);
    mapti(511, 1, LPI + 2, 0xffff);
    mapc(254, 1, true);
    mapc(255, 1, true);
    mapc(7, CPUS, true);
    mapti(511, 1, LPI + 2, 254);
    msi(511, 0);
    msi(511, 1);
    msi(512, 0);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI);
    assert_int_equal(DIST_TOP_ID(top(1)), LPI + 2);
    assert_true(activate(0));
    assert_true(none(0));
    assert_false(none(1));
    /* The first event behind a device's table is another device's. */
    mapd(6, ITT + 32 * 8, 5, true);
    mapti(6, 0, LPI + 3, 2);
    msi(5, 32);
    assert_true(none(2));
    msi(6, 0);
    assert_int_equal(DIST_TOP_ID(top(2)), LPI + 3);
    /* With one Security state LPIs are of Group 1. */
    set32(DIST, 1);
    assert_true(none(2));
    set32(DIST, 2);
    assert_int_equal(top(2), DIST_TOP(LPI + 3, 0x80, 1));
}

/* The queue waits while the ITS is off, and stands still outside memory. */
static void queue(void **state)
{
    const uint64_t c[4] = {INT | UINT64_C(5) << 32, 0, 0, 0};

    (void)state;
    mapti(5, 0, LPI, 0);
    set32(ITS + CTLR, 0);
    mem_write(&vm->mem, QUEUE + writer, c, sizeof(c));
    set(ITS + CWRITER, 8, writer + 32);
    assert_int_equal(get(ITS + CREADR, 8), writer);
    set32(ITS + CTLR, 1);
    assert_int_equal(get(ITS + CREADR, 8), writer + 32);
    assert_int_equal(DIST_TOP_ID(top(0)), LPI);
    set(ITS + CWRITER, 8, 0x1000);
    assert_int_equal(get(ITS + CREADR, 8), writer + 32);
    set32(ITS + CTLR, 0);
    set(ITS + CBASER, 8, VALID | 0x100000);
    set32(ITS + CTLR, 1);
    set(ITS + CWRITER, 8, 64);
    assert_int_equal(get(ITS + CREADR, 8), 0);
}

static void reset_forgets(void **state)
{
    struct device *its = vm_device(vm, "its");

    (void)state;
    mapti(5, 0, LPI, 0);
    plat_lock(&its->lock);
    its->ops->reset(its);
    plat_unlock(&its->lock);
    assert_int_equal(get(ITS + CBASER, 8), 0);
    msi(5, 0);
    assert_true(none(0));
}

/* Random commands and registers over random tables. */
static void hostile_commands(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 3);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t *ram = mem_ptr(&vm->mem, TESTVM_RAM, TESTVM_SIZE, true);

        for (unsigned k = 0; k < 200; k++)
            ram[rng_below(&r, 0x600)] =
                rng_below(&r, 2) ? rng_u64(&r) : TESTVM_RAM | VALID | rng_below(&r, 0x10000);
        for (unsigned k = 0; k < 512; k += 4) {
            ram[0x200 + k] = rng_below(&r, 18) | rng_below(&r, 600) << 32;
            ram[0x201 + k] = rng_below(&r, 32) | (LPI + rng_below(&r, 100)) << 32;
            ram[0x202 + k] = rng_below(&r, 2) ? VALID | rng_below(&r, 6) | rng_below(&r, 6) << 16
                                              : VALID | (TESTVM_RAM + rng_below(&r, 0x10000));
        }
        set32(ITS + CTLR, 0);
        if (rng_below(&r, 4)) {
            set(ITS + BASER, 8, VALID | TABLE | rng_below(&r, 0x400));
            set(ITS + CBASER, 8, VALID | QUEUE);
        } else {
            set(ITS + BASER, 8, rng_u64(&r));
            set(ITS + CBASER, 8, rng_u64(&r));
        }
        set32(ITS + CTLR, 1);
        set(ITS + CWRITER, 8, rng_below(&r, 0x1000));
        hostile(ITS, GICV3_ITS_SIZE, 20, &r);
        msi((uint32_t)rng_below(&r, 600), (uint32_t)rng_below(&r, 64));
        for (unsigned c = 0; c < CPUS; c++) {
            if (!none(c))
                assert_true(activate(c));
        }
    }
    vm_hash(vm);
}

/* A queue of commands that go over all LPIs is done in slices; the rest is a work item. */
static void long_queue(void **state)
{
    const uint64_t c[4] = {INVALL};
    uint64_t all = 120 * 32;

    (void)state;
    for (unsigned i = 0; i < 120; i++)
        assert_int_equal(mem_write(&vm->mem, QUEUE + 32 * i, c, sizeof(c)), 0);
    set32(ITS + CTLR, 0);
    set(ITS + CBASER, 8, VALID | QUEUE);
    set(ITS + CWRITER, 8, 0);
    set32(ITS + CTLR, 1);
    set(ITS + CWRITER, 8, all);
    assert_int_equal(get(ITS + CREADR, 8), 4 * 32);
    work_drain(vm);
    assert_int_equal(get(ITS + CREADR, 8), all);
    set32(ITS + CTLR, 0);
    set(ITS + CBASER, 8, VALID | QUEUE);
    set32(ITS + CTLR, 1); /* CWRITER is as it was */
    assert_int_equal(get(ITS + CREADR, 8), 4 * 32);
    set32(ITS + CTLR, 0);
    work_drain(vm);
    assert_int_equal(get(ITS + CREADR, 8), 4 * 32);
}

/* The GIC is there already; what fails leaves it without an ITS. */
static void no_memory(void **state)
{
    struct device *its = NULL;
    char why[160];

    (void)state;
    for (uint64_t n = 1; !its; n++) {
        const struct gicv3_config c = {.dist = DIST, .redist = REDIST, .affinity = affinity, .lpis = true};

        vm = testvm_new(2);
        gic = gicv3_create(vm, "gic", &c, why, sizeof(why));
        why[0] = 0;
        test_fail_at(n);
        its = gicv3_its_create(vm, "its", gic, ITS, 10, why, sizeof(why));
        assert_int_equal(!its, test_failed());
        test_fail_at(0);
        assert_int_equal(!its, why[0] != 0);
        assert_int_equal(!its, !mem_find(&vm->mem, ITS));
        assert_int_equal(!its, !node_has(gic, "arm,gic-v3-its"));
        vm_destroy(vm);
    }
    assert_int_equal(test_live(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(registers), T(messages),   T(commands),      T(configuration),    T(limits),
        T(queue),     T(long_queue), T(reset_forgets), T(hostile_commands), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("gicv3_its", tests, NULL, NULL);
}
