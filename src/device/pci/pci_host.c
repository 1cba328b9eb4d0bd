/* The generic PCI host bridge: ECAM, the windows of memory and I/O space, interrupt lines, its own function.
 */
#include "device/pci/pci_host.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

enum { REGION_ECAM, REGION_MMIO, REGION_PIO };
enum { FUNCTIONS = 256 };
#define BUS_SIZE      (1u << 20) /* of ECAM */
#define FUNCTION_SIZE 4096u

struct pci_host {
    struct device dev;
    struct pci_host_config config;
    struct pci_func *func[FUNCTIONS]; /* of bus 0 by devfn; constant when the guest runs */
    struct plat_lock intx_lock;
    uint32_t intx[PCI_PINS]; /* intx_lock; functions that drive each line */
};

/* The function that each host bridge shows at 00:00.0. */
struct bridge_func {
    struct pci_func func;
};

static const struct state_field pci_host_state[] = {
    STATE_ARRAY(struct pci_host, intx, 0, 0),
    STATE_END,
};

/* ---- configuration space ---- */

/* Nobody there: all ones (PCI 3.0, 6.1). */
static uint32_t ecam_read(struct pci_host *h, uint64_t offset, unsigned size)
{
    struct pci_func *f = offset < BUS_SIZE ? h->func[offset / FUNCTION_SIZE] : NULL;
    uint32_t v;

    if (!f)
        return UINT32_MAX;
    plat_lock(&f->dev.lock);
    v = pci_config_read(f, (unsigned)(offset % FUNCTION_SIZE), size);
    plat_unlock(&f->dev.lock);
    return v;
}

static void ecam_write(struct pci_host *h, uint64_t offset, unsigned size, uint32_t value)
{
    struct pci_func *f = offset < BUS_SIZE ? h->func[offset / FUNCTION_SIZE] : NULL;

    if (!f)
        return;
    plat_lock(&f->dev.lock);
    pci_config_write(f, (unsigned)(offset % FUNCTION_SIZE), size, value);
    plat_unlock(&f->dev.lock);
}

/* ---- memory and I/O space ---- */

/* Who has the address, locked, or NULL. */
static struct pci_func *claim(struct pci_host *h, bool io, uint64_t address, unsigned size, unsigned *bar,
                              uint64_t *offset)
{
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        struct pci_func *f = h->func[i];

        if (!f)
            continue;
        plat_lock(&f->dev.lock);
        if (pci_bar_find(f, io, address, size, bar, offset))
            return f;
        plat_unlock(&f->dev.lock);
    }
    return NULL;
}

static uint64_t space_address(const struct pci_host *h, unsigned region, uint64_t offset)
{
    return region == REGION_PIO ? offset : h->config.mmio + offset;
}

static uint64_t space_read(struct pci_host *h, unsigned region, uint64_t offset, unsigned size)
{
    uint64_t v = UINT64_MAX, at;
    unsigned bar;
    struct pci_func *f = claim(h, region == REGION_PIO, space_address(h, region, offset), size, &bar, &at);

    if (!f)
        return v;
    v = f->dev.ops->read(&f->dev, bar, at, size);
    plat_unlock(&f->dev.lock);
    return v;
}

static void space_write(struct pci_host *h, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t at;
    unsigned bar;
    struct pci_func *f = claim(h, region == REGION_PIO, space_address(h, region, offset), size, &bar, &at);

    if (!f)
        return;
    f->dev.ops->write(&f->dev, bar, at, size, value);
    plat_unlock(&f->dev.lock);
}

/* ---- the bridge as a device ---- */

/* Configuration requests are of one dword (PCI Express 6.0, 2.2.7): eight bytes are two of them. */
static uint64_t host_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct pci_host *h = container_of(d, struct pci_host, dev);
    uint64_t v;

    if (region != REGION_ECAM)
        return space_read(h, region, offset, size);
    if (offset % size)
        return UINT64_MAX;
    v = ecam_read(h, offset, MIN(size, 4u));
    if (size == 8)
        v |= (uint64_t)ecam_read(h, offset + 4, 4) << 32;
    return v;
}

static void host_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_host *h = container_of(d, struct pci_host, dev);

    if (region != REGION_ECAM) {
        space_write(h, region, offset, size, value);
        return;
    }
    if (offset % size)
        return;
    ecam_write(h, offset, MIN(size, 4u), (uint32_t)value);
    if (size == 8)
        ecam_write(h, offset + 4, 4, (uint32_t)(value >> 32));
}

/* Pins of slot n are turned by n (PCI 3.0, 2.2.6, and the bridge specification's table 9-1). */
static unsigned swizzle(unsigned slot, unsigned pin)
{
    return (slot + pin) % PCI_PINS;
}

/* Several functions share a line: it is high while one of them drives it. */
void pci_host_intx(struct pci_host *h, struct pci_func *f)
{
    uint8_t pin = f->config[PCI_INTERRUPT_PIN];
    bool on = f->intx && !(pci_config_get(f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF);
    unsigned n;

    if (!h || !pin || on == f->intx_driven)
        return;
    n = swizzle(f->devfn >> 3, pin - 1u);
    plat_lock(&h->intx_lock);
    f->intx_driven = on;
    h->intx[n] += on ? 1 : -1u;
    irq_line_set(&h->config.intx[n], h->intx[n] != 0);
    plat_unlock(&h->intx_lock);
}

/* Its functions are devices of their own, with their own resets. */
static void host_reset(struct device *d)
{
    (void)d;
}

static void host_destroy(struct device *d)
{
    struct pci_host *h = container_of(d, struct pci_host, dev);

    plat_lock_fini(&h->intx_lock);
    device_fini(d);
    plat_free(h);
}

/* ---- device tree (IEEE 1275 PCI binding; Linux, host-generic-pci.yaml) ---- */

enum { SPACE_IO = 0x01000000, SPACE_MEM32 = 0x02000000 };

static void describe_ranges(const struct pci_host_config *c, struct dtw *w)
{
    const uint32_t ranges[] = {
        SPACE_IO,
        0,
        0,
        (uint32_t)((uint64_t)c->pio >> 32),
        (uint32_t)c->pio,
        (uint32_t)(c->pio_size >> 32),
        (uint32_t)c->pio_size,
        SPACE_MEM32,
        (uint32_t)((uint64_t)c->mmio >> 32),
        (uint32_t)c->mmio,
        (uint32_t)((uint64_t)c->mmio >> 32),
        (uint32_t)c->mmio,
        (uint32_t)(c->mmio_size >> 32),
        (uint32_t)c->mmio_size,
    };

    dtw_prop_cells(w, "ranges", ranges, ARRAY_SIZE(ranges));
}

/* Slots 0 to 3 say it for all, since the lines repeat. */
static void describe_interrupts(const struct pci_host_config *c, struct dtw *w)
{
    const uint32_t mask[4] = {(PCI_PINS - 1) << 11, 0, 0, 7};
    uint32_t map[PCI_PINS * PCI_PINS * 12];
    unsigned n = 0;

    for (unsigned i = 0; i < PCI_PINS * PCI_PINS; i++) {
        unsigned slot = i / PCI_PINS, pin = i % PCI_PINS;
        const struct irq_line *line = &c->intx[swizzle(slot, pin)];

        map[n++] = slot << 11;
        map[n++] = 0;
        map[n++] = 0;
        map[n++] = pin + 1;
        map[n++] = c->intc_phandle;
        for (unsigned k = 0; k < c->intc_address_cells; k++)
            map[n++] = 0;
        for (unsigned k = 0; k < line->dt_cells; k++)
            map[n++] = line->dt[k];
    }
    dtw_prop_u32(w, "#interrupt-cells", 1);
    dtw_prop_cells(w, "interrupt-map-mask", mask, ARRAY_SIZE(mask));
    dtw_prop_cells(w, "interrupt-map", map, n);
}

static int host_describe(struct device *d, struct dtw *w)
{
    const struct pci_host_config *c = &container_of(d, struct pci_host, dev)->config;
    const uint32_t buses[2] = {0, (uint32_t)(c->ecam_size / BUS_SIZE) - 1};
    const uint32_t msi_map[4] = {0, c->msi_phandle, 0, 0x10000};

    device_node_begin(d, w, "pcie");
    dtw_prop_str(w, "compatible", "pci-host-ecam-generic");
    dtw_prop_str(w, "device_type", "pci");
    dtw_prop_u32(w, "#address-cells", 3);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_u32(w, "linux,pci-domain", 0);
    dtw_prop_cells(w, "bus-range", buses, ARRAY_SIZE(buses));
    dtw_prop_empty(w, "dma-coherent");
    describe_ranges(c, w);
    describe_interrupts(c, w);
    if (c->msi_phandle && c->msi_by_requester)
        dtw_prop_cells(w, "msi-map", msi_map, ARRAY_SIZE(msi_map));
    else if (c->msi_phandle)
        dtw_prop_u32(w, "msi-parent", c->msi_phandle);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops pci_host_ops = {
    .name = "pci-host",
    .summary = "PCI host bridge: ECAM, memory and I/O windows, INTx, MSI",
    .state = pci_host_state,
    .read = host_read,
    .write = host_write,
    .reset = host_reset,
    .destroy = host_destroy,
    .describe = host_describe,
};

/* ---- functions ---- */

/* The first of several functions tells of the others (PCI 3.0, 6.2.1). */
static void mark_multifunction(struct pci_host *h, unsigned slot)
{
    struct pci_func *first = h->func[PCI_DEVFN(slot, 0)];

    for (unsigned i = 1; first && i < 8; i++) {
        if (h->func[PCI_DEVFN(slot, i)])
            pci_config_default(first, PCI_HEADER, 1, 0x80, 0);
    }
}

int pci_func_add(struct pci_func *f, struct device *bridge, uint8_t devfn, char *why, size_t why_size)
{
    struct pci_host *h = container_of(bridge, struct pci_host, dev);

    if (h->func[devfn]) {
        fmt_snprintf(why, why_size, "pci: %s and %s both want place %u.%u", h->func[devfn]->dev.id, f->dev.id,
                     devfn >> 3, devfn & 7);
        return -EEXIST;
    }
    f->host = h;
    f->devfn = devfn;
    h->func[devfn] = f;
    mark_multifunction(h, devfn >> 3);
    return device_add(&f->dev);
}

static uint64_t bridge_read(struct device *d, unsigned bar, uint64_t offset, unsigned size)
{
    (void)d, (void)bar, (void)offset, (void)size;
    return 0;
}

static void bridge_write(struct device *d, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)d, (void)bar, (void)offset, (void)size, (void)value;
}

static void bridge_reset(struct device *d)
{
    pci_func_reset(container_of(d, struct pci_func, dev));
}

static void bridge_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct bridge_func, func.dev));
}

static const struct state_field bridge_state[] = {
    STATE_ARRAY(struct bridge_func, func.config, 0, 0),
    STATE_END,
};

static const struct device_ops bridge_ops = {
    .name = "pci-host-function",
    .summary = "the host bridge's own function 00:00.0",
    .state = bridge_state,
    .read = bridge_read,
    .write = bridge_write,
    .reset = bridge_reset,
    .destroy = bridge_destroy,
};

/* The ids under which the generic host bridge is known to lists of devices (pci.ids). */
static int add_bridge_func(struct pci_host *h, char *why, size_t why_size)
{
    static const struct pci_ids ids = {.vendor = 0x1b36,
                                       .device = 0x0008,
                                       .subsystem_vendor = 0x1af4,
                                       .subsystem = 0x1100,
                                       .class = 0x060000};
    struct bridge_func *b = device_alloc(sizeof(*b), why, why_size);

    if (!b)
        return -ENOMEM;
    pci_func_init(&b->func, &bridge_ops, h->dev.vm, "pci0.0", &ids);
    return pci_func_add(&b->func, &h->dev, PCI_DEVFN(0, 0), why, why_size);
}

struct device *pci_host_create(struct vm *vm, const char *id, const struct pci_host_config *c, char *why,
                               size_t why_size)
{
    struct pci_host *h = device_alloc(sizeof(*h), why, why_size);

    if (!h)
        return NULL;
    BUG_ON(!c->ecam_size || c->ecam_size % BUS_SIZE || c->ecam_size / BUS_SIZE > 256);
    device_init(&h->dev, &pci_host_ops, vm, id);
    plat_lock_init(&h->intx_lock);
    h->config = *c;
    if (device_map(&h->dev, REGION_ECAM, c->ecam, c->ecam_size, why, why_size) ||
        device_map(&h->dev, REGION_MMIO, c->mmio, c->mmio_size, why, why_size) ||
        device_map(&h->dev, REGION_PIO, c->pio, c->pio_size, why, why_size)) {
        host_destroy(&h->dev);
        return NULL;
    }
    device_add(&h->dev);
    return add_bridge_func(h, why, why_size) ? NULL : &h->dev;
}
