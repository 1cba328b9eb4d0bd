/* GICv2m: its registers, and messages that become interrupts. */
#include "device/intc/gicv2m.h"
#include "device/intc/gic_test.h"
#include "device/intc/gicv2.h"

#define CPU   0x08010000u
#define FRAME 0x08020000u

enum { FIRST = 112, COUNT = 64 }; /* interrupts */
enum { MSI_TYPER = 0x8, MSI_SETSPI_NS = 0x40 };
enum { IGROUPR = 0x80, ISENABLER = 0x100, ISPENDR = 0x200, ITARGETSR = 0x800, ICFGR = 0xc00 };
enum { INPUT_IRQ = 3 };

static struct device *frame(char *why, size_t why_size)
{
    const struct gicv2m_config c = {
        .base = FRAME, .gic = gic, .first_spi = FIRST - 32, .spis = COUNT, .phandle = 10};

    return gicv2m_create(vm, "v2m", &c, why, why_size);
}

static int setup(void **state)
{
    const struct gicv2_config c = {
        .dist = DIST, .cpu = CPU, .input_irq = INPUT_IRQ, .input_fiq = 5, .phandle = 9};
    char why[160];

    (void)state;
    vm = testvm_new(1);
    gic = gicv2_create(vm, "gic", &c, why, sizeof(why));
    assert_non_null(gic);
    assert_non_null(frame(why, sizeof(why)));
    gic_reset();
    set32(DIST, 3);
    plat_current_set(vm->vcpu[0]);
    set32(CPU, 3);
    set32(CPU + 4, 0xff);
    return 0;
}

static bool irq(void)
{
    return atomic_load(&mock_of(vm->vcpu[0])->pending) >> INPUT_IRQ & 1;
}

/* On, an edge, to vCPU 0 */
static void enable(unsigned intid)
{
    set32(DIST + 4 * (intid / 32) + ISENABLER, 1u << intid % 32);
    set(DIST + ITARGETSR + intid, 1, 1);
    set32(DIST + ICFGR + 4 * (intid / 16), 2u << 2 * (intid % 16));
}

static void type(void **state)
{
    (void)state;
    assert_int_equal(get32(FRAME + MSI_TYPER), FIRST << 16 | COUNT);
    assert_int_equal(get32(FRAME + MSI_SETSPI_NS), 0);
    assert_int_equal(get(FRAME + MSI_TYPER, 2), 0);
}

static void messages(void **state)
{
    (void)state;
    enable(FIRST + 5);
    msi_send_from(vm, 0x8, FRAME + MSI_SETSPI_NS, FIRST + 5);
    assert_true(irq());
    assert_int_equal(get32(CPU + 0xc), FIRST + 5);
    assert_false(irq());
    set32(CPU + 0x10, FIRST + 5);
    assert_false(irq()); /* it was an edge */
    set32(FRAME + MSI_SETSPI_NS, FIRST + 5);
    assert_true(irq());
}

static void other_numbers(void **state)
{
    (void)state;
    for (unsigned n = 32; n < 288; n++) {
        if (n >= FIRST && n < FIRST + COUNT)
            continue;
        enable(n);
        set32(FRAME + MSI_SETSPI_NS, n);
        assert_false(irq());
    }
    enable(FIRST);
    set(FRAME + MSI_SETSPI_NS, 2, FIRST);
    set32(FRAME + MSI_SETSPI_NS + 4, FIRST);
    assert_false(irq());
}

static void random_accesses(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, 11);
    hostile(FRAME, GICV2M_SIZE, 5000, &r);
    vm_hash(vm);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(type), T(messages), T(other_numbers), T(random_accesses)};

    return cmocka_run_group_tests_name("gicv2m", tests, NULL, NULL);
}
