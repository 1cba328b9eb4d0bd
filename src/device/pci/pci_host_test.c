/* PCI host bridge: configuration space, BARs in their windows, INTx, MSI-X, and its node in the device tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "device/pci/pci_test.h"
#include "engine/minimal/testvm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/rng.h"
#include "platform/test/test_platform.h"

#define ECAM 0x30000000u
#define MMIO 0x40000000u
#define PIO  0x20000000u
#define MSI  (TESTVM_DEV + 0x40) /* the recorder takes messages as writes */
#define CAP  0x48                /* MSI-X, behind a capability of five bytes */

struct lines {
    struct device dev;
    bool level[4];
};

static struct vm *vm;
static struct device *host;
static struct lines *lines;
static struct pci_test *func;

static void lines_set(struct device *d, unsigned input, bool level)
{
    container_of(d, struct lines, dev)->level[input] = level;
}

static void lines_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct lines, dev));
}

static const struct state_field no_state[] = {STATE_END};
static const struct device_ops lines_ops = {
    .name = "lines", .state = no_state, .line = lines_set, .destroy = lines_destroy};

static struct device *create(char *why, size_t why_size)
{
    struct pci_host_config c = {.ecam = ECAM,
                                .ecam_size = 2 << 20,
                                .mmio = MMIO,
                                .mmio_size = 1 << 20,
                                .pio = PIO,
                                .pio_size = 1 << 16,
                                .intc_phandle = 0x77,
                                .intc_address_cells = 2,
                                .msi_phandle = 0x88,
                                .msi_by_requester = true};

    for (unsigned i = 0; i < PCI_PINS; i++)
        c.intx[i] = (struct irq_line){&lines->dev, i, 3, {0, 3 + i, 4}};
    return pci_host_create(vm, "pci0", &c, why, why_size);
}

static int setup(void **state)
{
    char why[160];

    (void)state;
    vm = testvm_new(1);
    lines = device_alloc(sizeof(*lines), why, sizeof(why));
    device_init(&lines->dev, &lines_ops, vm, "lines");
    device_add(&lines->dev);
    host = create(why, sizeof(why));
    assert_non_null(host);
    func = pci_test_create(vm, host, "test0", PCI_DEVFN(2, 0), why, sizeof(why));
    assert_non_null(func);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vm_destroy(vm);
    return 0;
}

static uint64_t get(gpa_t at, unsigned size)
{
    uint64_t v = 0;

    assert_true(bus_access(vm, at, size, false, &v));
    return v;
}

static void set(gpa_t at, unsigned size, uint64_t v)
{
    assert_true(bus_access(vm, at, size, true, &v));
}

static gpa_t cfg(unsigned slot, unsigned function, unsigned offset)
{
    return ECAM + PCI_DEVFN(slot, function) * 4096u + offset;
}

static gpa_t test(unsigned offset)
{
    return cfg(2, 0, offset);
}

static struct testvm_device *recorder(void)
{
    return (struct testvm_device *)vm_device(vm, "rec0");
}

/* Where a driver would put the BARs. */
static void place(void)
{
    set(test(PCI_BAR), 4, 0x1000);
    set(test(PCI_BAR + 4), 4, MMIO + 0x100);
    set(test(PCI_BAR + 8), 4, MMIO + 0x2000);
    set(test(PCI_BAR + 12), 4, 0);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void config(void **state)
{
    (void)state;
    assert_int_equal(get(cfg(0, 0, 0), 4), 0x00081b36);
    assert_int_equal(get(cfg(0, 0, PCI_REVISION), 4), 0x06000000);
    assert_int_equal(get(cfg(0, 0, PCI_HEADER), 1), 0);
    assert_int_equal(get(cfg(0, 0, PCI_SUBSYSTEM_VENDOR), 4), 0x11001af4);
    assert_int_equal(get(test(0), 4), 0x56781234);
    assert_int_equal(get(test(0), 8), UINT64_C(0x10000056781234));
    assert_int_equal(get(test(PCI_REVISION), 4), 0xff000003);
    assert_int_equal(get(test(PCI_DEVICE), 2), 0x5678);
    assert_int_equal(get(test(PCI_DEVICE + 1), 1), 0x56);
    assert_int_equal(get(test(PCI_INTERRUPT_PIN), 1), 1);
    set(test(PCI_INTERRUPT_LINE), 1, 0x2a);
    assert_int_equal(get(test(PCI_INTERRUPT_LINE), 2), 0x12a);
    set(test(PCI_INTERRUPT_LINE - 4), 8, UINT64_C(0x2b) << 32 | 0x55); /* two dwords */
    assert_int_equal(get(test(PCI_INTERRUPT_LINE), 1), 0x2b);
    set(test(0), 4, 0);
    assert_int_equal(get(test(0), 4), 0x56781234);
    /* Nobody: another slot, function, bus; and no extended capability. */
    assert_int_equal(get(cfg(1, 0, 0), 4), UINT32_MAX);
    assert_int_equal(get(cfg(2, 1, 0), 2), 0xffffffff);
    assert_int_equal(get(ECAM + (1 << 20), 4), UINT32_MAX);
    assert_int_equal(get(test(0x100), 4), 0);
    assert_int_equal(get(test(0xffc), 4), 0);
    set(cfg(31, 7, 0xffc), 4, 5);
    set(test(0x100), 4, 5);
    assert_int_equal(get(test(1), 4), UINT64_MAX);
    assert_int_equal(get(test(PCI_BAR + 8), 8), 4);
}

static void capabilities(void **state)
{
    (void)state;
    assert_int_equal(get(test(PCI_STATUS), 2) & PCI_STATUS_CAPABILITIES, PCI_STATUS_CAPABILITIES);
    assert_int_equal(get(cfg(0, 0, PCI_STATUS), 2), 0);
    assert_int_equal(get(test(PCI_CAPABILITIES), 1), 0x40);
    assert_int_equal(get(test(0x40), 2), CAP << 8 | 9);
    assert_int_equal(get(test(CAP), 4), (PCI_TEST_VECTORS - 1) << 16 | PCI_CAP_MSIX);
    assert_int_equal(get(test(CAP + 4), 4), 2);
    assert_int_equal(get(test(CAP + 8), 4), 0x802);
}

static void bars(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        set(test(PCI_BAR + 4 * i), 4, UINT32_MAX);
    assert_int_equal(get(test(PCI_BAR), 4), 0xfffffff1);
    assert_int_equal(get(test(PCI_BAR + 4), 4), 0xfffffff0);
    assert_int_equal(get(test(PCI_BAR + 8), 4), 0xfffff004);
    assert_int_equal(get(test(PCI_BAR + 12), 4), UINT32_MAX);
    assert_int_equal(get(test(PCI_BAR + 16), 4), 0);
    place();
    set(PIO + 0x1004, 4, 0x11223344);
    set(MMIO + 0x108, 8, 0x0123456789abcdef);
    assert_int_equal(get(PIO + 0x1006, 2), 0x1122);
    assert_int_equal(get(MMIO + 0x108, 8), 0x0123456789abcdef);
    assert_int_equal(func->bytes[0][4], 0x44);
    assert_int_equal(func->bytes[1][8], 0xef);
    /* Beside it, across its end, and elsewhere: nobody. */
    assert_int_equal(get(PIO + 0x1010, 1), UINT64_MAX);
    assert_int_equal(get(MMIO + 0x10c, 8), UINT64_MAX);
    assert_int_equal(get(MMIO + 0xffff8, 8), UINT64_MAX);
    set(MMIO + 0x80000, 4, 1);
    /* Each space has its switch. */
    set(test(PCI_COMMAND), 2, PCI_COMMAND_IO);
    assert_int_equal(get(PIO + 0x1004, 1), 0x44);
    assert_int_equal(get(MMIO + 0x108, 4), UINT64_MAX);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
    assert_int_equal(get(PIO + 0x1004, 1), UINT64_MAX);
    assert_int_equal(get(MMIO + 0x108, 4), 0x89abcdef);
    set(test(PCI_BAR + 4), 4, MMIO + 0x40000); /* it moves */
    assert_int_equal(get(MMIO + 0x40008, 4), 0x89abcdef);
    assert_int_equal(get(MMIO + 0x108, 4), UINT64_MAX);
}

static void intx(void **state)
{
    char why[160];
    struct pci_test *other = pci_test_create(vm, host, "test1", PCI_DEVFN(6, 0), why, sizeof(why));

    (void)state;
    place();
    set(MMIO + 0x100, 1, 1); /* slot 2, pin A: the third line */
    assert_true(lines->level[2]);
    assert_false(lines->level[0] || lines->level[1] || lines->level[3]);
    assert_int_equal(get(test(PCI_STATUS), 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
    plat_lock(&other->func.dev.lock); /* slot 6 shares it */
    pci_intx_set(&other->func, true);
    plat_unlock(&other->func.dev.lock);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF);
    assert_true(lines->level[2]);
    assert_int_equal(get(test(PCI_STATUS), 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
    set(cfg(6, 0, PCI_COMMAND), 2, PCI_COMMAND_INTX_OFF);
    assert_false(lines->level[2]);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
    assert_true(lines->level[2]);
    plat_lock(&func->func.dev.lock);
    pci_test_reset(&func->func.dev);
    plat_unlock(&func->func.dev.lock);
    assert_false(lines->level[2]);
    assert_int_equal(get(test(PCI_BAR), 4), 1);
}

static void vector(unsigned n, uint32_t address, uint32_t data, bool masked)
{
    set(MMIO + 0x2000 + 16 * n, 8, address);
    set(MMIO + 0x2008 + 16 * n, 4, data);
    set(MMIO + 0x200c + 16 * n, 4, masked);
}

static void msix(void **state)
{
    struct testvm_device *r = recorder();

    (void)state;
    place();
    assert_int_equal(get(MMIO + 0x203c, 4), 1); /* all are masked first */
    vector(0, MSI, 0x1111, false);
    vector(1, MSI + 4, 0x2222, true);
    assert_int_equal(get(MMIO + 0x2010, 8), MSI + 4);
    set(MMIO + 0x101, 1, 0);
    assert_int_equal(r->writes, 0); /* not enabled: neither sent nor kept */
    set(test(CAP + 2), 2, 0x8000);
    assert_int_equal(r->writes, 0);
    set(MMIO + 0x101, 1, 0);
    assert_int_equal(r->writes, 1);
    assert_int_equal(r->value, 0x1111);
    assert_int_equal(r->offset, 0x40);
    assert_int_equal(r->size, 4);
    set(MMIO + 0x101, 1, 1); /* masked: it waits */
    set(MMIO + 0x101, 1, 200);
    assert_int_equal(r->writes, 1);
    assert_int_equal(get(MMIO + 0x2800, 8), 2);
    set(MMIO + 0x2800, 4, 0);
    assert_int_equal(get(MMIO + 0x2800, 4), 2);
    set(MMIO + 0x201c, 4, 0);
    assert_int_equal(r->writes, 2);
    assert_int_equal(r->value, 0x2222);
    assert_int_equal(get(MMIO + 0x2800, 4), 0);
    set(test(CAP + 2), 2, 0xc000); /* the mask over all */
    set(MMIO + 0x101, 1, 0);
    set(MMIO + 0x101, 1, 0);
    assert_int_equal(r->writes, 2);
    set(test(CAP + 2), 2, 0x8000);
    assert_int_equal(r->writes, 3);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_MEMORY); /* no bus master, no message */
    set(MMIO + 0x101, 1, 0);
    assert_int_equal(r->writes, 3);
    set(test(PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(r->writes, 4);
    assert_int_equal(get(MMIO + 0x2002, 2), 0); /* a width that has no meaning */
}

static void places(void **state)
{
    char why[160] = "";

    (void)state;
    assert_null(pci_test_create(vm, host, "test1", PCI_DEVFN(2, 0), why, sizeof(why)));
    assert_string_equal(why, "pci: test0 and test1 both want place 2.0");
    assert_int_equal(get(test(PCI_HEADER), 1), 0);
    assert_non_null(pci_test_create(vm, host, "test2", PCI_DEVFN(2, 5), why, sizeof(why)));
    assert_int_equal(get(test(PCI_HEADER), 1), 0x80);
    assert_int_equal(get(cfg(2, 5, 0), 4), 0x56781234);
}

static void describe(void **state)
{
    static uint8_t blob[8192];
    struct dtw w;
    struct dtb d;
    dtb_node n;
    size_t size;
    uint32_t len, cell;

    (void)state;
    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    assert_int_equal(host->ops->describe(host, &w), 0);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    assert_int_equal(dtb_open(&d, blob, size), 0);
    n = dtb_path(&d, "/pcie@30000000");
    assert_int_not_equal(n, DTB_NONE);
    assert_string_equal(dtb_str(&d, n, "compatible"), "pci-host-ecam-generic");
    assert_non_null(dtb_prop(&d, n, "ranges", &len));
    assert_int_equal(len, 2 * 7 * 4);
    assert_non_null(dtb_prop(&d, n, "interrupt-map", &len));
    assert_int_equal(len, 16 * (4 + 1 + 2 + 3) * 4);
    /* Slot 1, pin A (entry 4) is line 1: SPI 4. */
    assert_int_equal(dtb_u32(&d, n, "interrupt-map", 4 * 10 + 8, &cell), 0);
    assert_int_equal(cell, 4);
    assert_int_equal(dtb_u32(&d, n, "bus-range", 1, &cell), 0);
    assert_int_equal(cell, 1);
    assert_int_equal(dtb_u32(&d, n, "msi-map", 1, &cell), 0);
    assert_int_equal(cell, 0x88);
}

static void hostile(void **state)
{
    static const gpa_t bases[] = {ECAM + 0x10000, ECAM, MMIO, PIO};
    static const uint32_t sizes[] = {0x100, 2 << 20, 0x4000, 1 << 16};
    struct rng r;

    (void)state;
    rng_init(&r, 3);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned w = (unsigned)rng_below(&r, 4), size = 1u << rng_below(&r, 4);
        uint64_t v = rng_below(&r, 2) ? rng_u64(&r) : MMIO + rng_below(&r, 0x3000);

        if (rng_below(&r, 1000) == 0)
            place();
        bus_access(vm, bases[w] + rng_below(&r, sizes[w] - 8), size, rng_below(&r, 2), &v);
    }
    vm_hash(vm);
}

static void no_memory(void **state)
{
    struct pci_test *t = NULL;
    char why[160];

    (void)state;
    for (uint64_t n = 1; !t; n++) {
        vm = testvm_new(1);
        lines = device_alloc(sizeof(*lines), why, sizeof(why));
        device_init(&lines->dev, &lines_ops, vm, "lines");
        device_add(&lines->dev);
        why[0] = 0;
        test_fail_at(n);
        host = create(why, sizeof(why));
        if (host)
            t = pci_test_create(vm, host, "test0", PCI_DEVFN(2, 0), why, sizeof(why));
        assert_int_equal(!t, test_failed());
        test_fail_at(0);
        assert_int_equal(!t, why[0] != 0);
        vm_destroy(vm);
    }
    assert_int_equal(test_live(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(config),   T(capabilities), T(bars),
        T(intx),     T(msix),         T(places),
        T(describe), T(hostile),      cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
