/* GICv3: registers of distributor and redistributors, and what the CPU interfaces see (IHI 0069). */
#include "device/intc/gicv3.h"
#include "device/intc/gic_test.h"

#define REDIST 0x080a0000u
#define CPUS   4u

enum { CTLR = 0x0, TYPER = 0x4 };
enum { IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280 };
enum { ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400, ICFGR = 0xc00, IROUTER = 0x6000 };

static uint64_t affinity(unsigned cpu)
{
    return (cpu & 1) | (uint64_t)(cpu >> 1) << 8;
}

static struct device *create(char *why, size_t why_size)
{
    const struct gicv3_config c = {
        .dist = DIST, .redist = REDIST, .affinity = affinity, .phandle = 9, .lpis = true};

    return gicv3_create(vm, "gic", &c, why, why_size);
}

static gpa_t rd(unsigned cpu)
{
    return REDIST + cpu * GICV3_REDIST_STRIDE;
}

static gpa_t sgi(unsigned cpu)
{
    return rd(cpu) + 0x10000;
}

/* All awake, both groups on, all private interrupts of group 1 with priority 0xa0. */
static int setup(void **state)
{
    char why[160];

    (void)state;
    vm = testvm_new(CPUS);
    gic = create(why, sizeof(why));
    assert_non_null(gic);
    gic_reset();
    set32(DIST + CTLR, 3);
    for (unsigned i = 0; i < CPUS; i++) {
        set32(sgi(i) + IGROUPR, UINT32_MAX);
        for (unsigned n = 0; n < 32; n++)
            set(sgi(i) + IPRIORITYR + n, 1, 0xa0);
    }
    return 0;
}

static uint64_t top(unsigned cpu)
{
    struct dist *d = vm->vcpu[cpu]->dist;

    return d->ops->top(d, vm->vcpu[cpu]);
}

static bool activate(unsigned cpu)
{
    struct dist *d = vm->vcpu[cpu]->dist;

    return d->ops->activate(d, vm->vcpu[cpu], top(cpu));
}

static void deactivate(unsigned cpu, unsigned intid)
{
    struct dist *d = vm->vcpu[cpu]->dist;

    d->ops->deactivate(d, vm->vcpu[cpu], intid);
}

static void send(unsigned from, unsigned n, unsigned group, uint64_t mask)
{
    struct dist *d = vm->vcpu[from]->dist;

    d->ops->software(d, vm->vcpu[from], n, group, mask);
}

/* An SPI on, of group 1, to this vCPU. */
static void spi(unsigned intid, unsigned cpu, unsigned priority)
{
    gpa_t at = DIST + 4 * (intid / 32);

    set32(at + IGROUPR, get32(at + IGROUPR) | 1u << intid % 32);
    set32(at + ISENABLER, 1u << intid % 32);
    set(DIST + IPRIORITYR + intid, 1, priority);
    set(DIST + IROUTER + 8 * intid, 8, affinity(cpu));
}

/* ---- identification ---- */

static void identity(void **state)
{
    (void)state;
    assert_int_equal(get32(DIST + CTLR), 0x53); /* DS, ARE, both groups */
    assert_int_equal(get32(DIST + TYPER) & 31, 8);
    assert_int_equal(get32(DIST + TYPER) >> 19 & 31, 13);
    assert_int_equal(get32(DIST + 0xffe8), 0x3b); /* PIDR2: GICv3 */
    assert_int_equal(get32(DIST + 0xfffc), 0xb1);
    for (unsigned i = 0; i < CPUS; i++) {
        uint64_t typer = get(rd(i) + 8, 8);

        assert_int_equal(typer >> 32, affinity(i));
        assert_int_equal(typer >> 8 & 0xffff, i);
        assert_int_equal(typer >> 4 & 1, i == CPUS - 1);
        assert_int_equal(typer & 1, 1);
        assert_int_equal(get32(rd(i) + 0xc), typer >> 32);
        assert_int_equal(get32(rd(i) + 0xffe8), 0x3b);
    }
    /* The distributor has no private bank where affinity routing is on (12.9). */
    set32(DIST + ISENABLER, UINT32_MAX);
    assert_int_equal(get32(DIST + ISENABLER), 0);
    assert_int_equal(get32(sgi(0) + ISENABLER), 0);
    assert_true(node_has(gic, "arm,gic-v3"));
}

static void registers(void **state)
{
    gpa_t last = DIST + 4 * 8;

    (void)state;
    set32(last + ISENABLER, 0xf0f0f0f0);
    set32(last + ICENABLER, 0x00f000f0);
    assert_int_equal(get32(last + ISENABLER), 0xf000f000);
    assert_int_equal(get32(last + ICENABLER), 0xf000f000);
    set32(last + ISACTIVER, 5);
    set32(last + ICACTIVER, 1);
    assert_int_equal(get32(last + ISACTIVER), 4);
    set32(last + ISPENDR, 0x81);
    set32(last + ICPENDR, 0x80);
    assert_int_equal(get32(last + ICPENDR), 1);
    set32(DIST + ICFGR + 8 * 8, 0xffffffff);
    assert_int_equal(get32(DIST + ICFGR + 8 * 8), 0xaaaaaaaa);
    assert_int_equal(get32(DIST + ICFGR + 8 * 8 + 4), 0);
    /* Past the last SPI nothing is there. */
    set32(DIST + 4 * 9 + ISENABLER, UINT32_MAX);
    assert_int_equal(get32(DIST + 4 * 9 + ISENABLER), 0);
    set(DIST + IROUTER + 8 * 288, 8, 1);
    assert_int_equal(get(DIST + IROUTER + 8 * 288, 8), 0);
    /* Routes as two words; 1-of-N is absent. */
    set32(DIST + IROUTER + 8 * 40, 0x80000101);
    set32(DIST + IROUTER + 8 * 40 + 4, 0xffffff02);
    assert_int_equal(get(DIST + IROUTER + 8 * 40, 8), UINT64_C(0x0200000101));
}

/* Priorities take bytes, halves and words; the low three bits are not there. */
static void priorities_by_byte(void **state)
{
    (void)state;
    set32(DIST + IPRIORITYR + 64, 0xffffffff);
    assert_int_equal(get32(DIST + IPRIORITYR + 64), 0xf8f8f8f8);
    set(DIST + IPRIORITYR + 65, 1, 0x47);
    assert_int_equal(get32(DIST + IPRIORITYR + 64), 0xf8f840f8);
    assert_int_equal(get(DIST + IPRIORITYR + 65, 1), 0x40);
    set(DIST + IPRIORITYR + 66, 2, 0x1020);
    assert_int_equal(get32(DIST + IPRIORITYR + 64), 0x102040f8);
    assert_int_equal(get(DIST + IPRIORITYR + 66, 2), 0x1020);
    /* A misaligned one hits nothing. */
    set(DIST + IPRIORITYR + 65, 4, 0);
    assert_int_equal(get32(DIST + IPRIORITYR + 64), 0x102040f8);
    set(sgi(2) + IPRIORITYR + 31, 1, 0x78);
    assert_int_equal(get(sgi(2) + IPRIORITYR + 31, 1), 0x78);
    assert_int_equal(get(sgi(1) + IPRIORITYR + 31, 1), 0xa0);
}

/* ---- one interrupt's life ---- */

static void level_spi(void **state)
{
    (void)state;
    spi(50, 1, 0x80);
    assert_true(top(1) == DIST_NONE);
    wire(50, true);
    assert_int_equal(top(1), DIST_TOP(50, 0x80, 1));
    assert_true(atomic_load(&vm->vcpu[1]->request) & VCPU_REQ_IRQ);
    assert_true(top(0) == DIST_NONE);
    assert_true(activate(1));
    assert_true(top(1) == DIST_NONE); /* active and pending: not again before its end */
    assert_int_equal(get32(DIST + 4 + ISACTIVER), 1u << 18);
    assert_int_equal(get32(DIST + 4 + ISPENDR), 1u << 18);
    deactivate(1, 50);
    assert_int_equal(top(1), DIST_TOP(50, 0x80, 1));
    wire(50, false);
    assert_true(top(1) == DIST_NONE);
    /* ISPENDR latches; the acknowledge takes that back. */
    set32(DIST + 4 + ISPENDR, 1u << 18);
    assert_int_equal(DIST_TOP_ID(top(1)), 50);
    assert_true(activate(1));
    deactivate(1, 50);
    assert_true(top(1) == DIST_NONE);
}

static void edge_spi(void **state)
{
    (void)state;
    spi(33, 0, 0x80);
    set32(DIST + ICFGR + 8, 2u << 2);
    wire(33, true);
    wire(33, false);
    assert_int_equal(DIST_TOP_ID(top(0)), 33);
    assert_true(activate(0));
    wire(33, true); /* comes while it is active: pends again */
    assert_true(top(0) == DIST_NONE);
    deactivate(0, 33);
    assert_int_equal(DIST_TOP_ID(top(0)), 33);
    set32(DIST + 4 + ICPENDR, 2);
    assert_true(top(0) == DIST_NONE); /* the line still is high */
}

static void private_inputs(void **state)
{
    (void)state;
    set32(sgi(2) + ISENABLER, 1u << 27);
    ppi(1, 27, true);
    ppi(2, 27, true);
    assert_true(top(1) == DIST_NONE); /* not enabled there */
    assert_int_equal(top(2), DIST_TOP(27, 0xa0, 1));
    assert_int_equal(get32(sgi(1) + ISPENDR), 1u << 27);
    ppi(2, 27, false);
    assert_true(top(2) == DIST_NONE);
}

static void software_interrupts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CPUS; i++)
        set32(sgi(i) + ISENABLER, 0xffff);
    send(0, 5, 1, 0xd); /* to itself, too */
    assert_int_equal(DIST_TOP_ID(top(0)), 5);
    assert_true(top(1) == DIST_NONE);
    assert_int_equal(DIST_TOP_ID(top(2)), 5);
    assert_int_equal(DIST_TOP_ID(top(3)), 5);
    assert_true(activate(0));
    assert_int_equal(get32(sgi(0) + ISPENDR), 0);
    send(3, 5, 1, 1); /* again while active */
    assert_true(top(0) == DIST_NONE);
    deactivate(0, 5);
    assert_int_equal(DIST_TOP_ID(top(0)), 5);
    /* As an interrupt of the other group the target does not take it. */
    send(0, 6, 0, 2);
    assert_true(top(1) == DIST_NONE);
    set32(sgi(1) + IGROUPR, ~(1u << 6));
    send(0, 6, 0, 2);
    assert_int_equal(top(1), DIST_TOP(6, 0xa0, 0));
    send(0, 7, 1, UINT64_C(0xfffffffffffffff0)); /* nobody */
    /* SGIs are always edge-triggered. */
    set32(sgi(0) + ICFGR, 0);
    assert_int_equal(get32(sgi(0) + ICFGR), 0xaaaaaaaa);
}

static void highest_priority_first(void **state)
{
    (void)state;
    spi(60, 0, 0x80);
    spi(61, 0, 0x40);
    spi(62, 0, 0x40);
    set32(sgi(0) + ISENABLER, 1u << 20);
    wire(60, true);
    wire(62, true);
    assert_int_equal(DIST_TOP_ID(top(0)), 62);
    wire(61, true);
    assert_int_equal(DIST_TOP_ID(top(0)), 61); /* among equals the lower number */
    ppi(0, 20, true);
    set(sgi(0) + IPRIORITYR + 20, 1, 0x40);
    assert_int_equal(DIST_TOP_ID(top(0)), 20);
    set(sgi(0) + IPRIORITYR + 20, 1, 0x48);
    assert_int_equal(DIST_TOP_ID(top(0)), 61);
    assert_true(activate(0));
    assert_int_equal(DIST_TOP_ID(top(0)), 62);
    /* The top that a CPU read before is not there any more. */
    assert_false(vm->vcpu[0]->dist->ops->activate(vm->vcpu[0]->dist, vm->vcpu[0], DIST_TOP(61, 0x40, 1)));
    assert_false(vm->vcpu[1]->dist->ops->activate(vm->vcpu[1]->dist, vm->vcpu[1], DIST_NONE));
}

/* As an interface with several list registers takes them: what is no level is there and here no more. */
static void listed(void **state)
{
    struct dist *d = vm->vcpu[0]->dist;
    struct vcpu *v = vm->vcpu[0];
    uint64_t tops[2] = {0};

    (void)state;
    set32(sgi(0) + ISENABLER, 0xffff);
    spi(60, 0, 0x80);
    spi(61, 0, 0xc0);
    spi(62, 0, 0x40);
    set32(DIST + 4 + IGROUPR, ~(1u << 30)); /* SPI 62 is of Group 0 */
    set32(DIST + CTLR, 2);
    set32(DIST + ICFGR + 12, 2u << 26); /* SPI 61 is an edge */
    for (unsigned i = 60; i < 63; i++)
        wire(i, true);
    assert_int_equal(d->ops->list(d, v, tops, 2), 2);
    assert_int_equal(tops[0], DIST_TOP(60, 0x80, 1) | DIST_LEVEL);
    assert_int_equal(tops[1], DIST_TOP(61, 0xc0, 1) | DIST_LATCHED);
    assert_int_equal(d->ops->list(d, v, tops, 2), 1); /* the level goes on */
    assert_int_equal(tops[0], DIST_TOP(60, 0x80, 1) | DIST_LEVEL);
    send(0, 5, 1, 1);
    send(0, 6, 1, 1);
    assert_int_equal(d->ops->list(d, v, tops, 2), 3); /* one more than there is room for: it stays */
    assert_int_equal(DIST_TOP_ID(tops[0]), 60);
    assert_int_equal(DIST_TOP_ID(tops[1]), 5);
    wire(60, false);
    assert_int_equal(top(0), DIST_TOP(6, 0xa0, 1));
    d->ops->returned(d, v, tops[1]);
    assert_int_equal(top(0), DIST_TOP(5, 0xa0, 1));
    assert_int_equal(d->ops->list(d, v, tops, 2), 2);
    assert_true(top(0) == DIST_NONE);
    d->ops->taken(d, v, tops[0], true);
    assert_true(d->ops->is_active(d, v, 5) && !d->ops->is_active(d, v, 6));
    send(0, 5, 1, 1);
    assert_int_equal(d->ops->list(d, v, tops, 2), 0); /* active: later */
    deactivate(0, 5);
    assert_int_equal(d->ops->list(d, v, tops, 2), 1);
    assert_int_equal(d->ops->peek(d, v, 5), DIST_TOP(5, 0xa0, 1));
    d->ops->taken(d, v, tops[0], true);
    assert_true(d->ops->peek(d, v, 5) == DIST_NONE);
}

static void group_enables(void **state)
{
    (void)state;
    spi(40, 0, 0x80);
    wire(40, true);
    set32(DIST + CTLR, 1);
    assert_true(top(0) == DIST_NONE);
    set32(DIST + CTLR, 2);
    assert_int_equal(top(0), DIST_TOP(40, 0x80, 1));
    set32(DIST + 4 + IGROUPR, 0);
    assert_true(top(0) == DIST_NONE);
    set32(DIST + CTLR, 1);
    assert_int_equal(top(0), DIST_TOP(40, 0x80, 0));
    set32(DIST + CTLR, 0);
    assert_true(top(0) == DIST_NONE);
}

static void asleep(void **state)
{
    (void)state;
    spi(40, 3, 0x80);
    wire(40, true);
    assert_int_equal(get32(rd(3) + 0x14), 0);
    set32(rd(3) + 0x14, 2);
    assert_int_equal(get32(rd(3) + 0x14), 6);
    assert_true(top(3) == DIST_NONE);
    set32(rd(3) + 0x14, 0);
    assert_int_equal(get32(rd(3) + 0x14), 0);
    assert_int_equal(DIST_TOP_ID(top(3)), 40);
}

static void routes(void **state)
{
    (void)state;
    spi(100, 2, 0x80);
    wire(100, true);
    assert_int_equal(DIST_TOP_ID(top(2)), 100);
    set(DIST + IROUTER + 8 * 100, 8, affinity(3));
    assert_true(top(2) == DIST_NONE);
    assert_int_equal(DIST_TOP_ID(top(3)), 100);
    set(DIST + IROUTER + 8 * 100, 8, 0x77); /* nobody: it stays pending */
    for (unsigned i = 0; i < CPUS; i++)
        assert_true(top(i) == DIST_NONE);
    set(DIST + IROUTER + 8 * 100, 8, affinity(0));
    assert_int_equal(DIST_TOP_ID(top(0)), 100);
}

static void reset_forgets(void **state)
{
    (void)state;
    spi(100, 0, 0x80);
    wire(100, true);
    ppi(0, 27, true);
    gic_reset();
    assert_int_equal(get32(DIST + CTLR), 0x50);
    assert_int_equal(get32(DIST + 12 + ISENABLER), 0);
    assert_int_equal(get32(DIST + 12 + ISPENDR), 1u << 4); /* the wire is as it was */
    assert_int_equal(get32(sgi(0) + ISPENDR), 0);          /* the vCPU's own are not */
    assert_int_equal(get32(rd(0) + 0x14), 0);
    for (unsigned i = 0; i < CPUS; i++)
        assert_true(top(i) == DIST_NONE);
}

/* ---- LPI tables ---- */

#define PROP (TESTVM_RAM + 0x1000)
#define PEND (TESTVM_RAM)

static void lpis(void **state)
{
    static const uint8_t one = 0xa1, zero = 0;
    const uint8_t bits = 0x0a; /* 8193, 8195 */

    (void)state;
    mem_write(&vm->mem, PROP + 1, &one, 1);
    mem_write(&vm->mem, PROP + 3, &zero, 1);
    mem_write(&vm->mem, PEND + 1024, &bits, 1);
    set(rd(1) + 0x70, 8, PROP | 13);
    set(rd(1) + 0x78, 8, PEND);
    assert_int_equal(get32(rd(1)), 2);
    set32(rd(1), 1);
    assert_int_equal(get32(rd(1)), 3);
    assert_int_equal(top(1), DIST_TOP(8193, 0xa0, 1));
    set(rd(1) + 0x70, 8, 0); /* fixed while LPIs are on */
    assert_int_equal(get(rd(1) + 0x70, 8), PROP | 13);
    assert_true(activate(1));
    assert_true(top(1) == DIST_NONE); /* the other one is disabled */
    deactivate(1, 8193);
    set32(rd(1), 0);
    {
        uint8_t left = 0xff;

        mem_read(&vm->mem, PEND + 1024, &left, 1);
        assert_int_equal(left, 0x08);
    }
}

/* Tables outside memory, and sizes that no table has. */
static void lpi_tables_hostile(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 5);
    for (unsigned i = 0; i < 20000; i++) {
        set32(rd(0), 0);
        set(rd(0) + 0x70, 8, rng_u64(&r) & (rng_below(&r, 2) ? UINT64_MAX : 0xfff));
        set(rd(0) + 0x78, 8, rng_u64(&r));
        set32(rd(0), 1);
    }
    set32(rd(0), 0);
}

static void random_accesses(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 7);
    for (unsigned i = 0; i < 20; i++) {
        hostile(DIST, GICV3_DIST_SIZE, 1000, &r);
        hostile(REDIST, CPUS * GICV3_REDIST_STRIDE, 2000, &r);
        for (unsigned c = 0; c < CPUS; c++) {
            if (top(c) != DIST_NONE)
                assert_true(activate(c));
            deactivate(c, (unsigned)rng_u64(&r));
            send(c, (unsigned)rng_u64(&r), c & 1, rng_u64(&r));
        }
    }
    vm_hash(vm);
    teardown(NULL);
    setup(NULL);
    level_spi(NULL);
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
        T(identity),
        T(registers),
        T(priorities_by_byte),
        T(level_spi),
        T(edge_spi),
        T(private_inputs),
        T(software_interrupts),
        T(highest_priority_first),
        T(listed),
        T(group_enables),
        T(asleep),
        T(routes),
        T(reset_forgets),
        T(lpis),
        T(lpi_tables_hostile),
        T(random_accesses),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("gicv3", tests, NULL, NULL);
}
