/* The part of a GIC that both versions share: domain, device tree, what begins how. */
#include "platform/bare/drivers/gic.h"
#include "lib/err.h"
#include "lib/fmt.h"

static struct gic the_gic;
static bool found;

struct gic *gic_get(void)
{
    return found ? &the_gic : NULL;
}

void gic_handle(struct gic *g, uint32_t ack)
{
    bool *forward = &g->forward[arch_cpu()->id];
    unsigned id = gic_intid(g, ack);

    *forward = false;
    if (id == g->timer)
        irq_timer();
    else if (id == GIC_SGI_IPI)
        irq_ipi();
    else
        irq_handle(&g->domain, id);
    g->driver->drop(g, ack);
    if (!*forward)
        g->driver->deactivate(g, ack);
}

/* LPIs are not in use: everything from GIC_SPURIOUS on is none. */
void gic_irq(void)
{
    struct gic *g = &the_gic;
    uint32_t ack = g->driver->ack(g);

    for (; gic_intid(g, ack) < GIC_SPURIOUS; ack = g->driver->ack(g))
        gic_handle(g, ack);
}

void gic_forward(void)
{
    the_gic.forward[arch_cpu()->id] = true;
}

/* ---- registers of one bit, two bits, eight bits an interrupt ---- */

void gic_bit(uint8_t *frame, unsigned reg, unsigned intid)
{
    gic_w32(frame, reg + intid / 32 * 4, UINT32_C(1) << intid % 32);
}

void gic_trigger_set(uint8_t *frame, unsigned intid, bool edge)
{
    unsigned at = GICD_ICFGR + intid / 16 * 4;
    uint32_t bit = UINT32_C(2) << intid % 16 * 2, v = gic_r32(frame, at);

    gic_w32(frame, at, edge ? v | bit : v & ~bit);
}

static void priorities_reset(uint8_t *frame, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i += 4)
        gic_w32(frame, GICD_IPRIORITYR + i, GIC_PRIORITY * UINT32_C(0x01010101));
}

void gic_dist_reset(struct gic *g)
{
    g->lines = MIN(((gic_r32(g->dist, GICD_TYPER) & 31) + 1) * 32, 1020u);
    gic_w32(g->dist, GICD_CTLR, 0);
    for (unsigned i = 32; i < g->lines; i += 32) {
        gic_w32(g->dist, GICD_ICENABLER + i / 8, UINT32_MAX);
        gic_w32(g->dist, GICD_ICPENDR + i / 8, UINT32_MAX);
        gic_w32(g->dist, GICD_ICACTIVER + i / 8, UINT32_MAX);
        gic_w32(g->dist, GICD_IGROUPR + i / 8, g->version == 3 ? UINT32_MAX : 0);
    }
    priorities_reset(g->dist, 32, g->lines);
}

void gic_private_reset(struct gic *g, uint8_t *frame)
{
    gic_w32(frame, GICD_ICACTIVER, UINT32_MAX);
    priorities_reset(frame, 0, 32);
    gic_w32(frame, GICD_ISENABLER, (uint32_t)g->private_on);
}

void gic_private_active(struct gic *g, unsigned intid, bool active)
{
    gic_bit(g->driver->private_frame(g), active ? GICD_ISACTIVER : GICD_ICACTIVER, intid);
}

/* ---- domain ---- */

static struct gic *of(struct irq_domain *d)
{
    return container_of(d, struct gic, domain);
}

static uint8_t *frame_of(struct gic *g, unsigned intid)
{
    return intid < 32 ? g->driver->private_frame(g) : g->dist;
}

static void mask(struct irq_domain *d, unsigned intid)
{
    gic_bit(frame_of(of(d), intid), GICD_ICENABLER, intid);
}

/* Private ones are enabled on each CPU alike, by the mask that a CPU reads when it comes up. */
static void unmask(struct irq_domain *d, unsigned intid)
{
    if (intid < 32)
        of(d)->private_on |= BIT(intid);
    gic_bit(frame_of(of(d), intid), GICD_ISENABLER, intid);
}

static void trigger(struct irq_domain *d, unsigned intid, enum irq_trigger t)
{
    if (intid >= 32)
        gic_trigger_set(of(d)->dist, intid, t == IRQ_EDGE_RISING || t == IRQ_EDGE_FALLING);
}

static void affinity(struct irq_domain *d, unsigned intid, uint64_t cpus)
{
    struct gic *g = of(d);
    const struct cpu *c = cpu_at((unsigned)__builtin_ctzll(cpus));

    if (intid < 32)
        return;
    if (g->version == 3)
        *(volatile uint64_t *)(g->dist + GICD_IROUTER + 8 * intid) = c->hw_id;
    else
        *(volatile uint8_t *)(g->dist + GICD_ITARGETSR + intid) = g->target[c->id];
}

/* Three cells: 0 SPI or 1 PPI, number, flags: 1 rising, 2 falling, 4 high, 8 low. */
static int translate(struct irq_domain *d, const uint32_t *cells, unsigned count, unsigned *intid,
                     enum irq_trigger *t)
{
    if (count < 3 || cells[0] > 1)
        return -EINVAL;
    *intid = cells[1] + (cells[0] ? 16 : 32);
    *t = cells[2] & 1 ? IRQ_EDGE_RISING : cells[2] & 2 ? IRQ_EDGE_FALLING : IRQ_LEVEL_HIGH;
    return *intid < of(d)->lines ? 0 : -EINVAL;
}

static const struct irq_domain_ops ops = {
    .mask = mask, .unmask = unmask, .trigger = trigger, .affinity = affinity, .translate = translate};

/* ---- life ---- */

static const struct {
    const char *compatible;
    const struct gic_driver *driver;
    unsigned version;
} drivers[] = {
    {"arm,gic-v3", &gicv3_driver, 3},
    {"arm,cortex-a15-gic", &gicv2_driver, 2},
    {"arm,gic-400", &gicv2_driver, 2},
    {"arm,cortex-a7-gic", &gicv2_driver, 2},
};

/* Interrupts of the generic timer: secure, non-secure, virtual, hypervisor (Devicetree bindings:
 * arm,arch_timer). */
static int timer_irqs(struct gic *g, const struct board *b)
{
    dtb_node n = dtb_compatible(&b->dtb, DTB_NONE, "arm,armv8-timer");
    struct irq_domain *d;
    enum irq_trigger t;
    int err = n == DTB_NONE ? -ENODEV : irq_of_node(n, 2, &d, &g->vtimer, &t);

    return err ? err : irq_of_node(n, 3, &d, &g->timer, &t);
}

/* The performance monitors', where each CPU has its own: a PPI, which only a GIC has. */
static unsigned pmu_irq(const struct board *b)
{
    static const char *const compatible[] = {"arm,armv8-pmuv3", "arm,cortex-a53-pmu", "arm,cortex-a57-pmu",
                                             "arm,cortex-a72-pmu"};
    dtb_node n = DTB_NONE;
    uint32_t ppi, number;

    for (unsigned i = 0; i < ARRAY_SIZE(compatible) && n == DTB_NONE; i++)
        n = dtb_compatible(&b->dtb, DTB_NONE, compatible[i]);
    if (n == DTB_NONE || dtb_u32(&b->dtb, n, "interrupts", 0, &ppi) || ppi != 1 ||
        dtb_u32(&b->dtb, n, "interrupts", 1, &number))
        return 0;
    return 16 + (number & 15);
}

static int start(struct gic *g, const struct board *b, dtb_node n, char *why, size_t why_size)
{
    struct irq_domain *d;
    enum irq_trigger t;
    int err = g->driver->init(g, b, n, why, why_size);

    if (err)
        return err;
    g->domain = (struct irq_domain){.name = "gic", .ops = &ops, .node = n, .count = g->lines};
    err = irq_domain_add(&g->domain);
    if (!err)
        err = timer_irqs(g, b);
    if (err) {
        fmt_snprintf(why, why_size, "the device tree has no generic timer with interrupts of EL2");
        return err;
    }
    if (irq_of_node(n, 0, &d, &g->maintenance, &t))
        g->maintenance = 0;
    g->pmu = pmu_irq(b);
    g->private_on = (g->pmu ? BIT(g->pmu) : 0) | BIT(g->timer) | BIT(g->vtimer) | BIT(GIC_SGI_IPI) |
                    (g->maintenance ? BIT(g->maintenance) : 0);
    found = true;
    return 0;
}

int gic_init(const struct board *b, char *why, size_t why_size)
{
    for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
        dtb_node n = dtb_compatible(&b->dtb, DTB_NONE, drivers[i].compatible);

        if (n == DTB_NONE)
            continue;
        the_gic.driver = drivers[i].driver;
        the_gic.version = drivers[i].version;
        return start(&the_gic, b, n, why, why_size);
    }
    fmt_snprintf(why, why_size, "the device tree has no GICv2 or GICv3");
    return -ENODEV;
}
