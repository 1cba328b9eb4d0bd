/* GICv2: distributor and CPU interfaces register by register (IHI 0048B). */
#include "device/intc/gicv2.h"
#include "device/intc/gic_test.h"

#define CPU  0x08010000u
#define CPUS 4u

enum { INPUT_IRQ = 3, INPUT_FIQ = 5 };
enum { CTLR = 0x0, TYPER = 0x4 };
enum { IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280 };
enum { ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400, ITARGETSR = 0x800, ICFGR = 0xc00 };
enum { SGIR = 0xf00, CPENDSGIR = 0xf10, SPENDSGIR = 0xf20 };
enum { C_CTLR = 0x0, PMR = 0x4, BPR = 0x8, IAR = 0xc, EOIR = 0x10, RPR = 0x14, HPPIR = 0x18, ABPR = 0x1c };
enum { AIAR = 0x20, AEOIR = 0x24, AHPPIR = 0x28, APR = 0xd0, NSAPR = 0xe0, DIR = 0x1000 };
enum { ACKCTL = 4, FIQEN = 8, CBPR = 0x10, EOIMODE = 0x200 };

static struct device *create(char *why, size_t why_size)
{
    const struct gicv2_config c = {
        .dist = DIST, .cpu = CPU, .input_irq = INPUT_IRQ, .input_fiq = INPUT_FIQ, .phandle = 9};

    return gicv2_create(vm, "gic", &c, why, why_size);
}

static void as(unsigned cpu)
{
    plat_current_set(vm->vcpu[cpu]);
}

static void begin(unsigned cpus)
{
    char why[160];

    vm = testvm_new(cpus);
    gic = create(why, sizeof(why));
    assert_non_null(gic);
    gic_reset();
    set32(DIST + CTLR, 3);
    for (unsigned i = 0; i < cpus; i++) {
        as(i);
        set32(CPU + C_CTLR, 3);
        set32(CPU + PMR, 0xff);
    }
    as(0);
}

static int setup(void **state)
{
    (void)state;
    begin(CPUS);
    return 0;
}

static bool input(unsigned cpu, unsigned n)
{
    return atomic_load(&mock_of(vm->vcpu[cpu])->pending) >> n & 1;
}

static bool irq(unsigned cpu)
{
    return input(cpu, INPUT_IRQ);
}

/* An SPI on, to these vCPUs. */
static void spi(unsigned intid, uint8_t targets, unsigned priority)
{
    set32(DIST + 4 * (intid / 32) + ISENABLER, 1u << intid % 32);
    set(DIST + IPRIORITYR + intid, 1, priority);
    set(DIST + ITARGETSR + intid, 1, targets);
}

static void group1(unsigned intid)
{
    gpa_t at = DIST + 4 * (intid / 32) + IGROUPR;

    set32(at, get32(at) | 1u << intid % 32);
}

static void identity(void **state)
{
    (void)state;
    assert_int_equal(get32(DIST + TYPER), 8 | (CPUS - 1) << 5);
    assert_int_equal(get32(DIST + 0xfe8) >> 4 & 15, 2);
    assert_int_equal(get32(CPU + 0xfc) >> 16 & 15, 2);
    for (unsigned i = 0; i < CPUS; i++) {
        as(i);
        assert_int_equal(get32(DIST + ITARGETSR), 0x01010101u << i);
        assert_int_equal(get32(DIST + ITARGETSR + 28), 0x01010101u << i);
    }
    assert_true(node_has(gic, "arm,cortex-a15-gic"));
}

static void one_cpu(void **state)
{
    (void)state;
    plat_current_set(NULL);
    vm_destroy(vm);
    begin(1);
    set32(DIST + ITARGETSR + 32, 0xffffffff); /* nothing to choose: RAZ/WI */
    assert_int_equal(get32(DIST + ITARGETSR + 32), 0);
    assert_int_equal(get32(DIST + ITARGETSR), 0);
    set32(DIST + 4 + ISENABLER, 1);
    wire(32, true);
    assert_true(irq(0));
    assert_int_equal(get32(CPU + IAR), 32);
}

static void too_many_cpus(void **state)
{
    char why[160] = "";

    (void)state;
    vm = testvm_new(9);
    assert_null(create(why, sizeof(why)));
    assert_non_null(strstr(why, "gic=3"));
    vm_destroy(vm);
}

static void level_spi(void **state)
{
    (void)state;
    spi(40, 2, 0x80);
    wire(40, true);
    assert_false(irq(0));
    assert_true(irq(1));
    as(0);
    assert_int_equal(get32(CPU + IAR), 1023);
    as(1);
    assert_int_equal(get32(CPU + HPPIR), 40);
    assert_int_equal(get32(CPU + RPR), 0xff);
    assert_int_equal(get32(CPU + IAR), 40);
    assert_int_equal(get32(CPU + RPR), 0x80);
    assert_false(irq(1));
    assert_int_equal(get32(DIST + 4 + ISACTIVER), 1u << 8);
    assert_int_equal(get32(DIST + 4 + ISPENDR), 1u << 8);
    set32(CPU + EOIR, 40);
    assert_true(irq(1)); /* the line still is high */
    wire(40, false);
    assert_false(irq(1));
    assert_int_equal(get32(CPU + IAR), 1023);
    assert_int_equal(get32(CPU + RPR), 0xff);
}

/* Several targets: who acknowledges first has it. */
static void several_targets(void **state)
{
    (void)state;
    spi(40, 0xf, 0x80);
    wire(40, true);
    for (unsigned i = 0; i < CPUS; i++)
        assert_true(irq(i));
    as(2);
    assert_int_equal(get32(CPU + IAR), 40);
    as(1);
    assert_int_equal(get32(CPU + IAR), 1023);
    for (unsigned i = 0; i < CPUS; i++)
        assert_false(irq(i));
}

static void targets_by_byte(void **state)
{
    (void)state;
    set32(DIST + ITARGETSR + 64, 0xffffffff);
    assert_int_equal(get32(DIST + ITARGETSR + 64), 0x0f0f0f0f); /* there are four */
    set(DIST + ITARGETSR + 66, 1, 2);
    assert_int_equal(get32(DIST + ITARGETSR + 64), 0x0f020f0f);
    assert_int_equal(get(DIST + ITARGETSR + 66, 1), 2);
    set(DIST + IPRIORITYR + 67, 1, 0xff);
    assert_int_equal(get32(DIST + IPRIORITYR + 64), 0xf8000000);
    set(DIST + IPRIORITYR + 5, 1, 0x58); /* banked */
    as(1);
    assert_int_equal(get(DIST + IPRIORITYR + 5, 1), 0);
    as(0);
    assert_int_equal(get(DIST + IPRIORITYR + 5, 1), 0x58);
}

/* Each sender's is its own interrupt; IAR and EOIR carry who it was. */
static void software_interrupts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CPUS; i++) {
        as(i);
        set32(DIST + ISENABLER, 0xffff);
    }
    as(0);
    set32(DIST + SGIR, 0x02000003); /* to itself */
    assert_true(irq(0));
    assert_int_equal(get32(CPU + IAR), 3);
    set32(CPU + EOIR, 3);
    assert_false(irq(0));
    set32(DIST + SGIR, 0x01000004); /* to all others */
    assert_false(irq(0));
    for (unsigned i = 1; i < CPUS; i++)
        assert_true(irq(i));
    as(3);
    set32(DIST + SGIR, 0x00020004); /* to CPU 1 */
    as(1);
    assert_int_equal(get32(DIST + CPENDSGIR + 4), 0x09); /* from 0 and 3 */
    assert_int_equal(get32(CPU + HPPIR), 4);
    assert_int_equal(get32(CPU + IAR), 4);
    assert_int_equal(get32(CPU + IAR), 1023); /* the second does not preempt */
    set32(CPU + EOIR, 4);
    assert_int_equal(get32(CPU + IAR), 4 | 3 << 10);
    set32(CPU + EOIR, 4 | 3 << 10);
    assert_int_equal(get32(CPU + IAR), 1023);
    /* Set and taken back as a context switch does. */
    set(DIST + SPENDSGIR + 9, 1, 5);
    assert_true(irq(1));
    assert_int_equal(get(DIST + SPENDSGIR + 9, 1), 5);
    set(DIST + CPENDSGIR + 9, 1, 4);
    assert_int_equal(get(DIST + SPENDSGIR + 9, 1), 1);
    set(DIST + CPENDSGIR + 9, 1, 1);
    assert_false(irq(1));
    set32(DIST + ISPENDR, 0xffff); /* not by this one */
    assert_false(irq(1));
    set32(DIST + SGIR, 0x03000000); /* reserved: to nobody */
    assert_false(irq(0));
    assert_false(irq(1));
}

static void priority_mask(void **state)
{
    (void)state;
    spi(40, 1, 0x80);
    wire(40, true);
    set32(CPU + PMR, 0x80); /* only what is higher passes */
    assert_false(irq(0));
    assert_int_equal(get32(CPU + IAR), 1023);
    assert_int_equal(get32(CPU + HPPIR), 40); /* whatever the mask */
    set32(CPU + PMR, 0x8f);
    assert_int_equal(get32(CPU + PMR), 0x88);
    assert_true(irq(0));
    set(DIST + IPRIORITYR + 40, 1, 0x90);
    assert_false(irq(0));
    set32(CPU + PMR, 0xff);
    set32(DIST + CTLR, 0);
    assert_false(irq(0));
    set32(DIST + CTLR, 1);
    assert_true(irq(0));
    set32(CPU + C_CTLR, 0);
    assert_false(irq(0));
}

static void preemption(void **state)
{
    (void)state;
    spi(40, 1, 0x80);
    spi(41, 1, 0x70);
    spi(42, 1, 0x20);
    set32(CPU + BPR, 6); /* groups of 0x80 */
    assert_int_equal(get32(CPU + BPR), 6);
    wire(40, true);
    assert_int_equal(get32(CPU + IAR), 40);
    wire(41, true);
    assert_true(irq(0));
    assert_int_equal(get32(CPU + IAR), 41);
    assert_int_equal(get32(CPU + RPR), 0);
    wire(42, true); /* the same group: no preemption */
    assert_false(irq(0));
    assert_int_equal(get32(CPU + IAR), 1023);
    set32(CPU + BPR, 0);
    assert_int_equal(get32(CPU + BPR), 2);
    wire(41, false);
    set32(CPU + EOIR, 41);
    assert_true(irq(0));
    assert_int_equal(get32(CPU + IAR), 42);
    assert_int_equal(get32(CPU + RPR), 0x20);
    wire(42, false);
    set32(CPU + EOIR, 42);
    assert_int_equal(get32(CPU + RPR), 0x80);
    wire(40, false);
    set32(CPU + EOIR, 40);
    assert_int_equal(get32(CPU + RPR), 0xff);
    assert_int_equal(get32(CPU + APR), 0);
}

static void eoi_mode(void **state)
{
    (void)state;
    spi(40, 1, 0x80);
    set32(CPU + C_CTLR, 3 | EOIMODE);
    wire(40, true);
    assert_int_equal(get32(CPU + IAR), 40);
    set32(CPU + EOIR, 40); /* the priority drops, it stays active */
    assert_int_equal(get32(CPU + RPR), 0xff);
    assert_false(irq(0));
    assert_int_equal(get32(DIST + 4 + ISACTIVER), 1u << 8);
    set32(CPU + DIR, 40);
    assert_int_equal(get32(DIST + 4 + ISACTIVER), 0);
    assert_true(irq(0));
    set32(CPU + C_CTLR, 3); /* without it DIR does nothing */
    assert_int_equal(get32(CPU + IAR), 40);
    set32(CPU + DIR, 40);
    assert_int_equal(get32(DIST + 4 + ISACTIVER), 1u << 8);
    set32(CPU + EOIR, 1023);
    assert_int_equal(get32(CPU + RPR), 0x80);
}

static void groups(void **state)
{
    (void)state;
    spi(40, 1, 0x80);
    spi(41, 1, 0x40);
    group1(40);
    set32(CPU + C_CTLR, 3 | FIQEN);
    wire(40, true);
    assert_true(input(0, INPUT_IRQ));
    assert_false(input(0, INPUT_FIQ));
    wire(41, true);
    assert_false(input(0, INPUT_IRQ));
    assert_true(input(0, INPUT_FIQ));
    assert_int_equal(get32(CPU + AIAR), 1023); /* the highest is of Group 0 */
    assert_int_equal(get32(CPU + AHPPIR), 1023);
    assert_int_equal(get32(CPU + IAR), 41);
    wire(41, false);
    set32(CPU + EOIR, 41);
    assert_int_equal(get32(CPU + IAR), 1022); /* there is one of Group 1 */
    assert_int_equal(get32(CPU + HPPIR), 1022);
    assert_int_equal(get32(CPU + AHPPIR), 40);
    assert_int_equal(get32(CPU + AIAR), 40);
    assert_int_equal(get32(CPU + NSAPR), 1u << 16);
    assert_int_equal(get32(CPU + APR), 0);
    set32(CPU + AEOIR, 40);
    assert_int_equal(get32(CPU + NSAPR), 0);
    set32(CPU + C_CTLR, 3 | ACKCTL);
    assert_int_equal(get32(CPU + IAR), 40);
    set32(CPU + EOIR, 40);
    /* Its own binary point, or the common one. */
    set32(CPU + ABPR, 7);
    set32(CPU + BPR, 3);
    assert_int_equal(get32(CPU + ABPR), 7);
    assert_int_equal(get32(CPU + IAR), 40);
    assert_int_equal(get32(CPU + NSAPR), 1u << 16);
    set32(CPU + EOIR, 40);
    set(DIST + IPRIORITYR + 40, 1, 0xe8);
    assert_int_equal(get32(CPU + IAR), 40);
    assert_int_equal(get32(CPU + RPR), 0x80);
    set32(CPU + EOIR, 40);
    set32(CPU + C_CTLR, 3 | ACKCTL | CBPR);
    assert_int_equal(get32(CPU + IAR), 40);
    assert_int_equal(get32(CPU + RPR), 0xe0);
}

static void private_inputs(void **state)
{
    (void)state;
    as(2);
    set32(DIST + ISENABLER, 1u << 27);
    ppi(1, 27, true);
    ppi(2, 27, true);
    assert_false(irq(1));
    assert_true(irq(2));
    assert_int_equal(get32(CPU + IAR), 27);
    ppi(2, 27, false);
    set32(CPU + EOIR, 27);
    assert_false(irq(2));
    as(1);
    assert_int_equal(get32(DIST + ISPENDR), 1u << 27);
}

static void reset_forgets(void **state)
{
    (void)state;
    spi(40, 1, 0x80);
    wire(40, true);
    assert_true(irq(0));
    gic_reset();
    assert_false(irq(0));
    assert_int_equal(get32(CPU + C_CTLR), 0);
    assert_int_equal(get32(CPU + BPR), 2);
    assert_int_equal(get32(CPU + ABPR), 3);
    assert_int_equal(get32(DIST + 4 + ISPENDR), 1u << 8); /* the wire is as it was */
    assert_int_equal(get32(DIST + 4 + ISENABLER), 0);
}

static void random_accesses(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 7);
    for (unsigned i = 0; i < 30; i++) {
        hostile(DIST, GICV2_DIST_SIZE, 1000, &r);
        hostile(CPU, 0x2000, 2000, &r);
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
        T(one_cpu),
        cmocka_unit_test(too_many_cpus),
        T(level_spi),
        T(several_targets),
        T(targets_by_byte),
        T(software_interrupts),
        T(priority_mask),
        T(preemption),
        T(eoi_mode),
        T(groups),
        T(private_inputs),
        T(reset_forgets),
        T(random_accesses),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("gicv2", tests, NULL, NULL);
}
