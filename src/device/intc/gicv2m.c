/* The GICv2m frame: see gicv2m.h. It has no state of its own. */
#include "device/intc/gicv2m.h"
#include "core/irqchip.h"
#include "core/vm.h"
#include "device/intc/gicv2_priv.h"
#include "lib/fdt.h"

enum { MSI_TYPER = 0x8, MSI_SETSPI_NS = 0x40, MSI_IIDR = 0xfcc };

struct gicv2m {
    struct device dev;
    struct gicv2m_config config;
};

static const struct state_field gicv2m_state[] = {STATE_END};

static uint64_t gicv2m_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    const struct gicv2m *m = container_of(d, struct gicv2m, dev);

    (void)region;
    if (size != 4)
        return 0;
    switch (offset) {
    case MSI_TYPER:
        return (uint64_t)(32 + m->config.first_spi) << 16 | m->config.spis;
    case MSI_IIDR:
        return 0x53 << 20 | 0x43b; /* product, implementer: as software knows this frame */
    default:
        return 0;
    }
}

/* The number of an interrupt of this frame makes an edge, any other does nothing. */
static void gicv2m_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct gicv2m *m = container_of(d, struct gicv2m, dev);
    uint64_t first = 32 + m->config.first_spi, n = value & 0x3ff;

    (void)region;
    if (size != 4 || offset != MSI_SETSPI_NS || n < first || n >= first + m->config.spis)
        return;
    m->config.gic->ops->line(m->config.gic, (unsigned)n, true);
    m->config.gic->ops->line(m->config.gic, (unsigned)n, false);
}

static void gicv2m_reset(struct device *d)
{
    (void)d;
}

static void gicv2m_destroy(struct device *d)
{
    device_fini(d);
    plat_free(d);
}

void gicv2m_describe(struct device *d, struct dtw *w)
{
    const struct gicv2m *m = container_of(d, struct gicv2m, dev);

    device_node_begin(d, w, "v2m");
    dtw_prop_str(w, "compatible", "arm,gic-v2m-frame");
    dtw_prop_empty(w, "msi-controller");
    dtw_prop_u32(w, "phandle", m->config.phandle);
    dtw_end_node(w);
}

static const struct device_ops gicv2m_ops = {
    .name = "gicv2m",
    .summary = "message interrupts for the Arm GICv2",
    .state = gicv2m_state,
    .read = gicv2m_read,
    .write = gicv2m_write,
    .reset = gicv2m_reset,
    .destroy = gicv2m_destroy,
};

struct device *gicv2m_create(struct vm *vm, const char *id, const struct gicv2m_config *c, char *why,
                             size_t why_size)
{
    struct gicv2m *m = device_alloc(sizeof(*m), why, why_size);

    if (!m)
        return NULL;
    device_init(&m->dev, &gicv2m_ops, vm, id);
    m->config = *c;
    if (device_map(&m->dev, 0, c->base, GICV2M_SIZE, why, why_size)) {
        gicv2m_destroy(&m->dev);
        return NULL;
    }
    device_add(&m->dev);
    container_of(c->gic, struct gicv2, dev)->frame = &m->dev;
    return &m->dev;
}
