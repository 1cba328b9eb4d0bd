/* The GICv3's distributor, and what the CPU interfaces see of it. */
#include "device/intc/gicv3_priv.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define PART_DIST    0x492
#define IIDR         0x43bu
#define ROUTE_MASK   UINT64_C(0xff00ffffff)
#define ANY_PRIORITY 256u

enum {
    GICD_CTLR = 0x0,
    GICD_TYPER = 0x4,
    GICD_IIDR = 0x8,
    GICD_IROUTER = 0x6000,
    GICD_IROUTER_END = 0x6000 + 8 * GICV3_INTIDS,
    GICD_ID = 0xf000
};

enum region { REGION_DIST, REGION_REDIST };

static const struct state_field gicv3_state[] = {
    STATE_FIELD(struct gicv3, ctlr, 0, 0),        STATE_ARRAY(struct gicv3, spi, 0, 0),
    STATE_ARRAY(struct gicv3, route, 0, 0),       STATE_ARRAY(struct gicv3, routed, 0, 0),
    STATE_ARRAY(struct gicv3, private, 0, 0),     STATE_ARRAY(struct gicv3, waker, 0, 0),
    STATE_ARRAY(struct gicv3, redist_ctlr, 0, 0), STATE_ARRAY(struct gicv3, propbaser, 0, 0),
    STATE_ARRAY(struct gicv3, pendbaser, 0, 0),   STATE_ARRAY(struct gicv3, top, 0, 0),
    STATE_ARRAY(struct gicv3, lpi_config, 0, 0),  STATE_ARRAY(struct gicv3, lpi, 0, 0),
    STATE_ARRAY(struct gicv3, lpi_pending, 0, 0), STATE_END,
};

/* A bank of SPIs whose latches or wires may have changed. */
static void touched(struct gicv3 *g, unsigned bank)
{
    g->busy = (g->busy & ~(UINT32_C(1) << bank)) | (uint32_t)(gic_bank_pending(&g->spi[bank]) != 0) << bank;
}

/* ---- the highest pending interrupt ---- */

static uint32_t group_mask(const struct gicv3 *g, const struct gic_bank *b)
{
    return (g->ctlr & GICD_ENABLE_GRP1 ? b->group : 0) | (g->ctlr & GICD_ENABLE_GRP0 ? ~b->group : 0);
}

/* Among equals: private ones, then SPIs by number, then LPIs. */
static uint64_t find_top(const struct gicv3 *g, unsigned cpu)
{
    const struct gic_bank *b = &g->private[cpu];
    unsigned priority = ANY_PRIORITY, group = 0;
    unsigned best = GIC_NONE, n;

    if (g->waker[cpu] || !(g->ctlr & (GICD_ENABLE_GRP0 | GICD_ENABLE_GRP1)))
        return DIST_NONE;
    if (gic_bank_pending(b))
        best = gic_bank_best(b, group_mask(g, b), &priority);
    if (best != GIC_NONE)
        group = b->group >> best & 1;
    for (uint32_t busy = g->busy; busy; busy &= busy - 1) {
        unsigned i = (unsigned)__builtin_ctz(busy);

        b = &g->spi[i];
        n = gic_bank_best(b, group_mask(g, b) & g->routed[cpu][i], &priority);
        if (n != GIC_NONE) {
            best = 32 * i + n;
            group = b->group >> n & 1;
        }
    }
    if (g->lpi_pending[cpu] &&
        g->ctlr & GICD_ENABLE_GRP1) { /* LPIs are Group 1 where there is one Security state (IHI 0069, 4.6) */
        n = gicv3_lpi_best(g, cpu, &priority);
        if (n != GIC_NONE) {
            best = n;
            group = 1;
        }
    }
    return best == GIC_NONE ? DIST_NONE : DIST_TOP(best, priority, group);
}

/* What the CPU interface is shown: as inputs of a CPU, which other controllers drive, would tell. */
static void trace_top(const struct gicv3 *g, unsigned cpu, uint64_t top)
{
    if (top == DIST_NONE)
        trace_write(&g->dev.vm->log, "irq: cpu%u nothing pending", cpu);
    else
        trace_write(&g->dev.vm->log, "irq: cpu%u interrupt %u pending, priority 0x%x group %u", cpu,
                    DIST_TOP_ID(top), DIST_TOP_PRIORITY(top), DIST_TOP_GROUP(top));
}

void gicv3_update(struct gicv3 *g, unsigned cpu)
{
    uint64_t top = find_top(g, cpu), old = atomic_load_explicit(&g->top[cpu], memory_order_relaxed);

    if (top == DIST_NONE && old == top)
        return;
    atomic_store(&g->top[cpu], top);
    if (UNLIKELY(g->dev.vm->log.trace & TRACE_IRQ) && old != top)
        trace_top(g, cpu, top);
    if ((old != top && top != DIST_NONE) || g->dist.listed)
        vcpu_request(g->dev.vm->vcpu[cpu], VCPU_REQ_IRQ);
}

void gicv3_update_all(struct gicv3 *g)
{
    for (unsigned i = 0; i < g->cpus; i++)
        gicv3_update(g, i);
}

/* ---- routing ---- */

/* A route that no vCPU has keeps its interrupt pending. */
static void route_set(struct gicv3 *g, unsigned intid, uint64_t route)
{
    uint32_t bit = UINT32_C(1) << intid % 32;

    g->route[intid] = route & ROUTE_MASK;
    for (unsigned i = 0; i < g->cpus; i++) {
        uint32_t *m = &g->routed[i][intid / 32];

        *m = g->config.affinity(i) == g->route[intid] ? *m | bit : *m & ~bit;
    }
}

/* After a change of one interrupt. */
static void update_spi(struct gicv3 *g, unsigned intid)
{
    for (unsigned i = 0; i < g->cpus; i++) {
        if (g->routed[i][intid / 32] >> intid % 32 & 1)
            gicv3_update(g, i);
    }
}

/* ---- calls of the CPU interfaces (core/irqchip.h) ---- */

static struct gicv3 *of_dist(struct dist *d)
{
    return container_of(d, struct gicv3, dist);
}

static void dist_private_input(struct dist *d, struct vcpu *v, unsigned input, bool level)
{
    struct gicv3 *g = of_dist(d);

    plat_lock(&g->dev.lock);
    gic_bank_wire(&g->private[v->id], GIC_SGIS + input % 16, level);
    gicv3_update(g, v->id);
    plat_unlock(&g->dev.lock);
}

static uint64_t dist_top(struct dist *d, struct vcpu *v)
{
    return atomic_load(&of_dist(d)->top[v->id]);
}

static void activate(struct gicv3 *g, unsigned cpu, unsigned intid)
{
    if (intid >= GICV3_LPI_BASE)
        gicv3_lpi_set(g, cpu, intid, false);
    else if (intid < 32)
        gic_bank_activate(&g->private[cpu], intid);
    else
        gic_bank_activate(&g->spi[intid / 32], intid % 32);
    if (intid >= 32 && intid < GICV3_INTIDS)
        touched(g, intid / 32);
}

static bool dist_activate(struct dist *d, struct vcpu *v, uint64_t top)
{
    struct gicv3 *g = of_dist(d);
    bool ok;

    plat_lock(&g->dev.lock);
    ok = top != DIST_NONE && atomic_load(&g->top[v->id]) == top;
    if (ok) {
        activate(g, v->id, DIST_TOP_ID(top));
        gicv3_update(g, v->id);
    }
    plat_unlock(&g->dev.lock);
    return ok;
}

static void dist_deactivate(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv3 *g = of_dist(d);

    if (id >= GICV3_INTIDS) /* LPIs have no active state */
        return;
    plat_lock(&g->dev.lock);
    if (id < 32) {
        g->private[v->id].active &= ~(UINT32_C(1) << id);
        gicv3_update(g, v->id);
    } else {
        g->spi[id / 32].active &= ~(UINT32_C(1) << id % 32);
        update_spi(g, id);
    }
    plat_unlock(&g->dev.lock);
}

/* A target takes it only as an interrupt of the group that the sender named (IHI 0069, 4.5, 8.1). */
static void dist_software(struct dist *d, struct vcpu *v, unsigned id, unsigned group, uint64_t mask)
{
    struct gicv3 *g = of_dist(d);
    uint32_t bit = UINT32_C(1) << id % GIC_SGIS;

    (void)v;
    plat_lock(&g->dev.lock);
    for (; mask; mask &= mask - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(mask);

        if (cpu >= g->cpus || !(g->private[cpu].group & bit) != !group)
            continue;
        g->private[cpu].latch |= bit;
        gicv3_update(g, cpu);
    }
    plat_unlock(&g->dev.lock);
}

/* The bank of an interrupt that is no LPI. */
static struct gic_bank *bank_of(struct gicv3 *g, unsigned cpu, unsigned id)
{
    return id < 32 ? &g->private[cpu] : &g->spi[id / 32];
}

static void latch_set(struct gicv3 *g, unsigned cpu, uint64_t top, bool pending)
{
    unsigned id = DIST_TOP_ID(top);
    uint32_t bit = UINT32_C(1) << id % 32;

    if (id >= GICV3_LPI_BASE)
        gicv3_lpi_set(g, cpu, id, pending);
    else if (top & DIST_LATCHED && pending)
        bank_of(g, cpu, id)->latch |= bit;
    else if (top & DIST_LATCHED)
        bank_of(g, cpu, id)->latch &= ~bit;
    if (id >= 32 && id < GICV3_INTIDS)
        touched(g, id / 32);
}

static unsigned dist_list(struct dist *d, struct vcpu *v, uint64_t *tops, unsigned max)
{
    struct gicv3 *g = of_dist(d);
    unsigned cpu = v->id, n = 0;

    if (atomic_load(&g->top[cpu]) == DIST_NONE)
        return 0;
    plat_lock(&g->dev.lock);
    if (gic_bank_pending(&g->private[cpu]))
        n = gic_bank_list(&g->private[cpu], group_mask(g, &g->private[cpu]), 0, tops, max, n);
    for (uint32_t busy = g->busy; busy; busy &= busy - 1) {
        unsigned i = (unsigned)__builtin_ctz(busy);

        n = gic_bank_list(&g->spi[i], group_mask(g, &g->spi[i]) & g->routed[cpu][i], 32 * i, tops, max, n);
    }
    if (g->lpi_pending[cpu] && g->ctlr & GICD_ENABLE_GRP1)
        n = gicv3_lpi_list(g, cpu, tops, max, n);
    for (unsigned i = 0; i < MIN(n, max); i++)
        latch_set(g, cpu, tops[i], false);
    atomic_store(&g->top[cpu], find_top(g, cpu));
    plat_unlock(&g->dev.lock);
    return n;
}

static void dist_taken(struct dist *d, struct vcpu *v, uint64_t top, bool active)
{
    struct gicv3 *g = of_dist(d);
    unsigned id = DIST_TOP_ID(top);

    if (id >= GICV3_INTIDS || !active)
        return;
    plat_lock(&g->dev.lock);
    bank_of(g, v->id, id)->active |= UINT32_C(1) << id % 32;
    gicv3_update(g, v->id);
    plat_unlock(&g->dev.lock);
}

static uint64_t dist_peek(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv3 *g = container_of(d, struct gicv3, dist);
    const struct gic_bank *b = &g->private[v->id];

    if (!(b->enable & ~b->active & group_mask(g, b) & UINT32_C(1) << id))
        return DIST_NONE;
    return DIST_TOP(id, b->priority[id], b->group >> id & 1);
}

static void dist_returned(struct dist *d, struct vcpu *v, uint64_t top)
{
    struct gicv3 *g = of_dist(d);

    plat_lock(&g->dev.lock);
    latch_set(g, v->id, top, true);
    atomic_store(&g->top[v->id],
                 find_top(g, v->id)); /* no request: it is the vCPU itself that gives it back */
    plat_unlock(&g->dev.lock);
}

static bool dist_is_active(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv3 *g = of_dist(d);

    return id < GICV3_INTIDS && bank_of(g, v->id, id)->active >> id % 32 & 1;
}

static const struct dist_ops gicv3_dist_ops = {
    .private_input = dist_private_input,
    .top = dist_top,
    .activate = dist_activate,
    .deactivate = dist_deactivate,
    .software = dist_software,
    .list = dist_list,
    .taken = dist_taken,
    .peek = dist_peek,
    .returned = dist_returned,
    .is_active = dist_is_active,
};

static void gicv3_wire(struct device *d, unsigned intid, bool level)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);

    if (intid < 32 || intid >= GICV3_INTIDS)
        return;
    plat_lock(&d->lock);
    if (level != (g->spi[intid / 32].level >> intid % 32 & 1)) {
        gic_bank_wire(&g->spi[intid / 32], intid % 32, level);
        touched(g, intid / 32);
        update_spi(g, intid);
    }
    plat_unlock(&d->lock);
}

/* ---- registers ---- */

/* All four levels of affinity, no 1-of-N, no message-based SPIs, no extended ranges (IHI 0069, 12.9.38). */
static uint32_t typer(const struct gicv3 *g)
{
    return (GICV3_BANKS - 1) | (g->config.lpis ? UINT32_C(1) << 17 : 0) | (GICV3_ID_BITS - 1) << 19 |
           UINT32_C(1) << 24 | UINT32_C(1) << 25;
}

static uint32_t dist_read32(const struct gicv3 *g, uint64_t offset)
{
    struct gic_bank_at at;
    uint64_t n;

    switch (offset) {
    case GICD_CTLR:
        return g->ctlr | GICD_ARE | GICD_DS;
    case GICD_TYPER:
        return typer(g);
    case GICD_IIDR:
        return IIDR;
    }
    if (gic_bank_decode(offset, &at))
        return at.bank && at.bank < GICV3_BANKS ? gic_bank_read(&g->spi[at.bank], &at) : 0;
    if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END) {
        n = (offset - GICD_IROUTER) / 8;
        return n >= 32 ? (uint32_t)(g->route[n] >> (offset % 8 * 8)) : 0;
    }
    return offset >= GICD_ID ? gic_id_register(offset - GICD_ID, PART_DIST, 3) : 0;
}

static void route_write(struct gicv3 *g, const struct gic_lanes *l)
{
    unsigned intid = (unsigned)((l->word - GICD_IROUTER) / 8), shift = l->word % 8 * 8;
    uint64_t mask = (uint64_t)l->mask << shift;

    if (intid < 32)
        return;
    route_set(g, intid, (g->route[intid] & ~mask) | ((uint64_t)l->value << shift & mask));
    gicv3_update_all(g);
}

static void dist_write32(struct gicv3 *g, const struct gic_lanes *l)
{
    struct gic_bank_at at;
    uint32_t before;

    if (gic_bank_decode(l->word, &at)) {
        if (!at.bank || at.bank >= GICV3_BANKS)
            return;
        before = gic_bank_pending(&g->spi[at.bank]);
        gic_bank_write(&g->spi[at.bank], &at, l->value, l->mask, false);
        touched(g, at.bank);
        if (before | gic_bank_pending(&g->spi[at.bank]))
            gicv3_update_all(g);
    } else if (l->word >= GICD_IROUTER && l->word < GICD_IROUTER_END) {
        route_write(g, l);
    } else if (l->word == GICD_CTLR) {
        g->ctlr = ((g->ctlr & ~l->mask) | (l->value & l->mask)) & (GICD_ENABLE_GRP0 | GICD_ENABLE_GRP1);
        gicv3_update_all(g);
    }
}

static uint64_t gicv3_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);
    struct gic_lanes l;
    uint64_t value = 0;

    if (region == REGION_REDIST)
        return gicv3_redist_read(g, offset, size);
    if (LIKELY(size == 4 && !(offset & 3)))
        return dist_read32(g, offset);
    for (unsigned i = 0; i < 2 && gic_lane(offset, size, 0, i, &l); i++)
        value |= (uint64_t)dist_read32(g, l.word) << (32 * i);
    return gic_narrow(value, offset, size);
}

static void gicv3_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);
    struct gic_lanes l;

    if (region == REGION_REDIST) {
        gicv3_redist_write(g, offset, size, value);
        return;
    }
    if (LIKELY(size == 4 && !(offset & 3))) {
        dist_write32(g, &(struct gic_lanes){offset, (uint32_t)value, UINT32_MAX});
        return;
    }
    for (unsigned i = 0; i < 2 && gic_lane(offset, size, value, i, &l); i++)
        dist_write32(g, &l);
}

/* ---- life ---- */

static void gicv3_reset(struct device *d)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);

    g->ctlr = 0;
    for (unsigned i = 1; i < GICV3_BANKS; i++)
        gic_bank_reset(&g->spi[i], false), touched(g, i);
    for (unsigned i = 32; i < GICV3_INTIDS; i++)
        route_set(g, i, 0);
    gicv3_redist_reset(g);
    gicv3_update_all(g);
}

static void gicv3_destroy(struct device *d)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);

    for (unsigned i = 0; i < g->cpus; i++)
        d->vm->vcpu[i]->dist = NULL;
    device_fini(d);
    plat_free(g);
}

static int gicv3_describe(struct device *d, struct dtw *w)
{
    struct gicv3 *g = container_of(d, struct gicv3, dev);
    const uint64_t reg[4] = {g->config.dist, GICV3_DIST_SIZE, g->config.redist,
                             (uint64_t)g->cpus * GICV3_REDIST_STRIDE};

    dtw_begin_unit(w, "interrupt-controller", d->base);
    dtw_prop_str(w, "compatible", "arm,gic-v3");
    dtw_prop_u64s(w, "reg", reg, 4);
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 3);
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_empty(w, "ranges");
    dtw_prop_u32(w, "phandle", g->config.phandle);
    if (g->its)
        gicv3_its_describe(g->its, w);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops gicv3_ops = {
    .name = "gicv3",
    .summary = "Arm GICv3 interrupt controller",
    .state = gicv3_state,
    .read = gicv3_read,
    .write = gicv3_write,
    .reset = gicv3_reset,
    .destroy = gicv3_destroy,
    .describe = gicv3_describe,
    .line = gicv3_wire,
};

/* Both or none. */
static int map_windows(struct gicv3 *g, char *why, size_t why_size)
{
    int err = device_map(&g->dev, REGION_DIST, g->config.dist, GICV3_DIST_SIZE, why, why_size);

    if (err)
        return err;
    err = device_map(&g->dev, REGION_REDIST, g->config.redist, (uint64_t)g->cpus * GICV3_REDIST_STRIDE, why,
                     why_size);
    if (err)
        mem_remove(&g->dev.vm->mem, g->config.dist);
    return err;
}

struct device *gicv3_create(struct vm *vm, const char *id, const struct gicv3_config *c, char *why,
                            size_t why_size)
{
    struct gicv3 *g = device_alloc(sizeof(*g), why, why_size);

    if (!g)
        return NULL;
    device_init(&g->dev, &gicv3_ops, vm, id);
    g->dist.ops = &gicv3_dist_ops;
    g->dist.dev = &g->dev;
    g->config = *c;
    g->cpus = vm->vcpu_count;
    for (unsigned i = 0; i < g->cpus; i++) {
        atomic_store(&g->top[i], DIST_NONE);
        vm->vcpu[i]->dist = &g->dist;
    }
    if (map_windows(g, why, why_size)) {
        gicv3_destroy(&g->dev);
        return NULL;
    }
    device_add(&g->dev);
    return &g->dev;
}

struct irq_line gicv3_line(struct device *gic, unsigned spi)
{
    return (struct irq_line){.controller = gic, .input = 32 + spi, .dt_cells = 3, .dt = {0, spi, 4}};
}
