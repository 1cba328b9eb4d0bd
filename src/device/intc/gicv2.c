/* The GICv2's distributor (IHI 0048B, 4.3). */
#include "device/intc/gicv2_priv.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define PART         0x4b4
#define IIDR         0x43bu
#define ANY_PRIORITY 256u
#define SGI_MASK     0xffffu

enum {
    GICD_CTLR = 0x0,
    GICD_TYPER = 0x4,
    GICD_IIDR = 0x8,
    GICD_ITARGETSR_END = 0xc00,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICD_SPENDSGIR_END = 0xf30,
    GICD_ID = 0xfd0
};

enum region { REGION_DIST, REGION_CPU };

static const struct state_field gicv2_state[] = {
    STATE_FIELD(struct gicv2, ctlr, 0, 0),
    STATE_ARRAY(struct gicv2, spi, 0, 0),
    STATE_ARRAY(struct gicv2, target, 0, 0),
    STATE_ARRAY(struct gicv2, private, 0, 0),
    STATE_ARRAY(struct gicv2, cpu, 0, 0),
    STATE_ARRAY(struct gicv2, sgi_source, 0, 0),
    STATE_END,
};

/* ---- pending and active ---- */

static uint32_t group_mask(const struct gicv2 *g, const struct gic_bank *b)
{
    return (g->ctlr & GICD_ENABLE_GRP1 ? b->group : 0) | (g->ctlr & GICD_ENABLE_GRP0 ? ~b->group : 0);
}

/* The SPIs of a bank that have this vCPU among their targets. */
static uint32_t targeted(const struct gicv2 *g, unsigned bank, uint32_t among, unsigned cpu)
{
    uint32_t mask = 0;

    for (; among; among &= among - 1) {
        unsigned n = (unsigned)__builtin_ctz(among);

        if (g->target[32 * bank + n] >> cpu & 1)
            mask |= UINT32_C(1) << n;
    }
    return mask;
}

struct gicv2_pending gicv2_highest(const struct gicv2 *g, unsigned cpu)
{
    const struct gic_bank *b = &g->private[cpu];
    unsigned priority = ANY_PRIORITY, group = 0;
    unsigned best = gic_bank_best(b, group_mask(g, b), &priority);

    if (best != GIC_NONE)
        group = b->group >> best & 1;
    for (unsigned i = 1; i < GICV2_BANKS; i++) {
        unsigned n;

        b = &g->spi[i];
        n = gic_bank_best(b, targeted(g, i, group_mask(g, b) & gic_bank_pending(b), cpu), &priority);
        if (n != GIC_NONE) {
            best = 32 * i + n;
            group = b->group >> n & 1;
        }
    }
    return (struct gicv2_pending){best, priority, group};
}

/*
 * With the CPU interface in list registers an input says only that something waits, which ends a halt.
 */
static uint32_t signals(const struct gicv2 *g, unsigned cpu)
{
    if (UNLIKELY(g->dist.listed))
        return gicv2_highest(g, cpu).intid != GIC_NONE;
    return gicv2_signals(g, cpu);
}

static void update(struct gicv2 *g, bool request)
{
    for (unsigned i = 0; i < g->cpus; i++) {
        uint32_t now = signals(g, i), changed = now ^ g->cpu[i].driven;

        g->cpu[i].driven = now;
        if (changed & 1)
            irqchip_cpu_input(g->dev.vm->vcpu[i], g->config.input_irq, now & 1);
        if (changed & 2)
            irqchip_cpu_input(g->dev.vm->vcpu[i], g->config.input_fiq, now & 2);
        if (g->dist.listed && request)
            vcpu_request(g->dev.vm->vcpu[i], VCPU_REQ_IRQ);
    }
}

void gicv2_update(struct gicv2 *g)
{
    update(g, true);
}

static void sgi_pend(struct gicv2 *g, unsigned cpu, unsigned n, uint8_t set, uint8_t clear)
{
    uint8_t *s = &g->sgi_source[cpu][n];
    uint32_t bit = UINT32_C(1) << n;

    *s = (*s | set) & (uint8_t)~clear & (uint8_t)(BIT(g->cpus) - 1);
    g->private[cpu].latch = *s ? g->private[cpu].latch | bit : g->private[cpu].latch & ~bit;
}

/* An SGI is pending once for each of its senders; the lowest goes first. */
uint32_t gicv2_activate(struct gicv2 *g, unsigned cpu, unsigned intid)
{
    unsigned source;

    if (intid >= 32) {
        gic_bank_activate(&g->spi[intid / 32], intid % 32);
        return intid;
    }
    gic_bank_activate(&g->private[cpu], intid);
    if (intid >= GIC_SGIS)
        return intid;
    source = (unsigned)__builtin_ctz(g->sgi_source[cpu][intid]);
    sgi_pend(g, cpu, intid, 0, (uint8_t)(1u << source));
    return intid | source << 10;
}

void gicv2_deactivate(struct gicv2 *g, unsigned cpu, unsigned intid)
{
    if (intid < 32)
        g->private[cpu].active &= ~(UINT32_C(1) << intid);
    else if (intid < GICV2_INTIDS)
        g->spi[intid / 32].active &= ~(UINT32_C(1) << intid % 32);
}

static void gicv2_wire(struct device *d, unsigned intid, bool level)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);

    if (intid < 32 || intid >= GICV2_INTIDS)
        return;
    plat_lock(&d->lock);
    gic_bank_wire(&g->spi[intid / 32], intid % 32, level);
    gicv2_update(g);
    plat_unlock(&d->lock);
}

static void dist_private_input(struct dist *d, struct vcpu *v, unsigned input, bool level)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);

    plat_lock(&g->dev.lock);
    gic_bank_wire(&g->private[v->id], GIC_SGIS + input % 16, level);
    gicv2_update(g);
    plat_unlock(&g->dev.lock);
}

static void dist_deactivate(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);

    plat_lock(&g->dev.lock);
    gicv2_deactivate(g, v->id, id);
    gicv2_update(g);
    plat_unlock(&g->dev.lock);
}

static struct gic_bank *listed_bank(struct gicv2 *g, unsigned cpu, unsigned id)
{
    return id < 32 ? &g->private[cpu] : &g->spi[id / 32];
}

/* An SGI is pending once for each of its senders; the list has the lowest. */
static uint64_t take_out(struct gicv2 *g, unsigned cpu, uint64_t top)
{
    unsigned id = DIST_TOP_ID(top), source;

    if (id >= GIC_SGIS) {
        listed_bank(g, cpu, id)->latch &= ~(UINT32_C(1) << id % 32);
        return top;
    }
    source = (unsigned)__builtin_ctz(g->sgi_source[cpu][id]);
    sgi_pend(g, cpu, id, 0, (uint8_t)(1u << source));
    return top | DIST_SOURCE(source);
}

static unsigned dist_list(struct dist *d, struct vcpu *v, uint64_t *tops, unsigned max)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);
    const struct gic_bank *b = &g->private[v->id];
    unsigned n;

    plat_lock(&g->dev.lock);
    n = gic_bank_list(b, group_mask(g, b), 0, tops, max, 0);
    for (unsigned i = 1; i < GICV2_BANKS; i++) {
        b = &g->spi[i];
        n = gic_bank_list(b, targeted(g, i, group_mask(g, b) & gic_bank_pending(b), v->id), 32 * i, tops, max,
                          n);
    }
    for (unsigned i = 0; i < MIN(n, max); i++)
        tops[i] = take_out(g, v->id, tops[i]);
    plat_unlock(&g->dev.lock);
    return n;
}

static void dist_taken(struct dist *d, struct vcpu *v, uint64_t top, bool active)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);
    unsigned id = DIST_TOP_ID(top);

    if (!active)
        return;
    plat_lock(&g->dev.lock);
    listed_bank(g, v->id, id)->active |= UINT32_C(1) << id % 32;
    gicv2_update(g);
    plat_unlock(&g->dev.lock);
}

static uint64_t dist_peek(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);
    const struct gic_bank *b = &g->private[v->id];

    if (!(b->enable & ~b->active & group_mask(g, b) & UINT32_C(1) << id))
        return DIST_NONE;
    return DIST_TOP(id, b->priority[id], b->group >> id & 1);
}

static void dist_returned(struct dist *d, struct vcpu *v, uint64_t top)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);
    unsigned id = DIST_TOP_ID(top);

    plat_lock(&g->dev.lock);
    if (id < GIC_SGIS)
        sgi_pend(g, v->id, id, (uint8_t)(1u << DIST_TOP_SOURCE(top)), 0);
    else if (top & DIST_LATCHED)
        listed_bank(g, v->id, id)->latch |= UINT32_C(1) << id % 32;
    update(g, false); /* the vCPU itself gives it back */
    plat_unlock(&g->dev.lock);
}

static bool dist_is_active(struct dist *d, struct vcpu *v, unsigned id)
{
    struct gicv2 *g = container_of(d, struct gicv2, dist);

    return listed_bank(g, v->id, id)->active >> id % 32 & 1;
}

static const struct dist_ops gicv2_dist_ops = {
    .private_input = dist_private_input,
    .deactivate = dist_deactivate,
    .list = dist_list,
    .taken = dist_taken,
    .peek = dist_peek,
    .returned = dist_returned,
    .is_active = dist_is_active,
};

/* ---- registers ---- */

/* Targets of private interrupts are fixed; with one vCPU there is nothing to choose (4.3.12). */
static uint32_t targets_read(const struct gicv2 *g, unsigned cpu, uint64_t offset)
{
    unsigned first = (unsigned)(offset - GIC_ITARGETSR);
    uint32_t value = 0;

    if (g->cpus == 1 || first >= GICV2_INTIDS)
        return 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (first < 32 ? 1u << cpu : g->target[first + i]) << (8 * i);
    return value;
}

static void targets_write(struct gicv2 *g, const struct gic_lanes *l)
{
    unsigned first = (unsigned)(l->word - GIC_ITARGETSR);

    if (g->cpus == 1 || first < 32 || first >= GICV2_INTIDS)
        return;
    for (unsigned i = 0; i < 4; i++) {
        if (l->mask >> (8 * i) & 0xff)
            g->target[first + i] = (uint8_t)(l->value >> (8 * i)) & (uint8_t)(BIT(g->cpus) - 1);
    }
}

static uint32_t sgi_read(const struct gicv2 *g, unsigned cpu, uint64_t offset)
{
    uint32_t value;

    memcpy(&value, &g->sgi_source[cpu][offset % 16], 4);
    return value;
}

static void sgi_write(struct gicv2 *g, unsigned cpu, const struct gic_lanes *l)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t bits = (uint8_t)((l->value & l->mask) >> (8 * i));

        sgi_pend(g, cpu, (unsigned)(l->word % 16) + i, l->word >= GICD_SPENDSGIR ? bits : 0,
                 l->word < GICD_SPENDSGIR ? bits : 0);
    }
}

/* GICD_SGIR (4.3.15): to a list, to all others, to itself. */
static void sgi_send(struct gicv2 *g, unsigned cpu, uint32_t value)
{
    uint32_t targets = 0;

    switch (value >> 24 & 3) {
    case 0:
        targets = value >> 16 & 0xff;
        break;
    case 1:
        targets = ~(1u << cpu);
        break;
    case 2:
        targets = 1u << cpu;
        break;
    }
    for (unsigned i = 0; i < g->cpus; i++) {
        if (targets >> i & 1)
            sgi_pend(g, i, value & 15, (uint8_t)(1u << cpu), 0);
    }
}

static const struct gic_bank *bank_of(const struct gicv2 *g, unsigned cpu, unsigned bank)
{
    return bank ? &g->spi[bank] : &g->private[cpu];
}

static uint32_t dist_read32(const struct gicv2 *g, unsigned cpu, uint64_t offset)
{
    struct gic_bank_at at;

    if (gic_bank_decode(offset, &at))
        return at.bank < GICV2_BANKS ? gic_bank_read(bank_of(g, cpu, at.bank), &at) : 0;
    if (offset >= GIC_ITARGETSR && offset < GICD_ITARGETSR_END)
        return targets_read(g, cpu, offset);
    if (offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR_END)
        return sgi_read(g, cpu, offset);
    if (offset >= GICD_ID)
        return gic_id_register(offset, PART, 2);
    switch (offset) {
    case GICD_CTLR:
        return g->ctlr;
    case GICD_TYPER:
        return (GICV2_BANKS - 1) | (g->cpus - 1) << 5;
    case GICD_IIDR:
        return IIDR;
    default:
        return 0;
    }
}

/* SGIs become pending by their own registers only (4.3.7). */
static void bank_write(struct gicv2 *g, unsigned cpu, const struct gic_bank_at *at, const struct gic_lanes *l)
{
    uint32_t mask = l->mask;

    if (at->bank >= GICV2_BANKS)
        return;
    if (!at->bank && (at->reg == GIC_ISPENDR || at->reg == GIC_ICPENDR))
        mask &= ~SGI_MASK;
    gic_bank_write(at->bank ? &g->spi[at->bank] : &g->private[cpu], at, l -> value, mask, !at -> bank);
}

static void dist_write32(struct gicv2 *g, unsigned cpu, const struct gic_lanes *l)
{
    struct gic_bank_at at;

    if (gic_bank_decode(l->word, &at))
        bank_write(g, cpu, &at, l);
    else if (l->word >= GIC_ITARGETSR && l->word < GICD_ITARGETSR_END)
        targets_write(g, l);
    else if (l->word >= GICD_CPENDSGIR && l->word < GICD_SPENDSGIR_END)
        sgi_write(g, cpu, l);
    else if (l->word == GICD_SGIR)
        sgi_send(g, cpu, l->value);
    else if (l->word == GICD_CTLR)
        g->ctlr = ((g->ctlr & ~l->mask) | (l->value & l->mask)) & (GICD_ENABLE_GRP0 | GICD_ENABLE_GRP1);
    gicv2_update(g);
}

/* Banked registers are those of the vCPU that asks; a debugger's task gets the first one's. */
static unsigned accessor(const struct gicv2 *g)
{
    const struct vcpu *v = plat_current();

    return v && v->vm == g->dev.vm ? v->id : 0;
}

static uint64_t gicv2_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);
    unsigned cpu = accessor(g);
    struct gic_lanes l;
    uint64_t value = 0;

    for (unsigned i = 0; i < 2 && gic_lane(offset, size, 0, i, &l); i++) {
        uint32_t word = region == REGION_CPU ? gicv2_cpu_read(g, cpu, l.word) : dist_read32(g, cpu, l.word);

        value |= (uint64_t)word << (32 * i);
    }
    return gic_narrow(value, offset, size);
}

static void gicv2_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);
    unsigned cpu = accessor(g);
    struct gic_lanes l;

    for (unsigned i = 0; i < 2 && gic_lane(offset, size, value, i, &l); i++) {
        if (region == REGION_CPU)
            gicv2_cpu_write(g, cpu, &l);
        else
            dist_write32(g, cpu, &l);
    }
}

/* ---- life ---- */

static void gicv2_reset(struct device *d)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);

    g->ctlr = 0;
    memset(g->sgi_source, 0, sizeof(g->sgi_source));
    for (unsigned i = 1; i < GICV2_BANKS; i++)
        gic_bank_reset(&g->spi[i], false);
    for (unsigned i = 32; i < GICV2_INTIDS; i++)
        g->target[i] = g->cpus == 1;
    for (unsigned i = 0; i < g->cpus; i++) {
        g->private[i].level = 0; /* the vCPU's own, which are reset with it */
        gic_bank_reset(&g->private[i], true);
        gicv2_cpu_reset(&g->cpu[i]);
    }
    gicv2_update(g);
}

static void gicv2_destroy(struct device *d)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);

    for (unsigned i = 0; i < g->cpus; i++)
        d->vm->vcpu[i]->dist = NULL;
    device_fini(d);
    plat_free(g);
}

static int gicv2_describe(struct device *d, struct dtw *w)
{
    struct gicv2 *g = container_of(d, struct gicv2, dev);
    const uint64_t reg[4] = {g->config.dist, GICV2_DIST_SIZE, g->config.cpu, GICV2_CPU_SIZE};

    dtw_begin_unit(w, "interrupt-controller", d->base);
    dtw_prop_str(w, "compatible", "arm,cortex-a15-gic");
    dtw_prop_u64s(w, "reg", reg, 4);
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 3);
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_empty(w, "ranges");
    dtw_prop_u32(w, "phandle", g->config.phandle);
    if (g->frame)
        gicv2m_describe(g->frame, w);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops gicv2_ops = {
    .name = "gicv2",
    .summary = "Arm GICv2 interrupt controller",
    .state = gicv2_state,
    .read = gicv2_read,
    .write = gicv2_write,
    .reset = gicv2_reset,
    .destroy = gicv2_destroy,
    .describe = gicv2_describe,
    .line = gicv2_wire,
};

/* Both or none. */
static int map_windows(struct gicv2 *g, char *why, size_t why_size)
{
    int err = device_map(&g->dev, REGION_DIST, g->config.dist, GICV2_DIST_SIZE, why, why_size);

    if (err)
        return err;
    err = device_map(&g->dev, REGION_CPU, g->config.cpu, GICV2_CPU_SIZE, why, why_size);
    if (err)
        mem_remove(&g->dev.vm->mem, g->config.dist);
    return err;
}

struct device *gicv2_create(struct vm *vm, const char *id, const struct gicv2_config *c, char *why,
                            size_t why_size)
{
    struct gicv2 *g;

    if (vm->vcpu_count > GICV2_CPUS) {
        fmt_snprintf(why, why_size, "machine: gic=2 reaches %u CPUs, the guest has %u; use gic=3 (--machine)",
                     GICV2_CPUS, vm->vcpu_count);
        return NULL;
    }
    g = device_alloc(sizeof(*g), why, why_size);
    if (!g)
        return NULL;
    device_init(&g->dev, &gicv2_ops, vm, id);
    g->dist.ops = &gicv2_dist_ops;
    g->dist.dev = &g->dev;
    g->dist.cpu_base = c->cpu;
    g->config = *c;
    g->cpus = vm->vcpu_count;
    for (unsigned i = 0; i < g->cpus; i++)
        vm->vcpu[i]->dist = &g->dist;
    if (map_windows(g, why, why_size)) {
        gicv2_destroy(&g->dev);
        return NULL;
    }
    device_add(&g->dev);
    return &g->dev;
}

struct irq_line gicv2_line(struct device *gic, unsigned spi)
{
    return (struct irq_line){.controller = gic, .input = 32 + spi, .dt_cells = 3, .dt = {0, spi, 4}};
}
