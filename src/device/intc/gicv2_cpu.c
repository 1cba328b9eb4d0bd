/* The CPU interfaces of a GICv2 (IHI 0048B, 4.4): acknowledge, end, priorities. */
#include "device/intc/gicv2_priv.h"

enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_ABPR = 0x1c,
    GICC_AIAR = 0x20,
    GICC_AEOIR = 0x24,
    GICC_AHPPIR = 0x28,
    GICC_APR0 = 0xd0,
    GICC_NSAPR0 = 0xe0,
    GICC_IIDR = 0xfc,
    GICC_DIR = 0x1000
};
enum {
    CTLR_ENABLE0 = 1,
    CTLR_ENABLE1 = 2,
    CTLR_ACKCTL = 4,
    CTLR_FIQEN = 8,
    CTLR_CBPR = 0x10,
    CTLR_EOIMODE = 0x200,
    CTLR_MASK = 0x3ff
};
/* The least binary points that five bits of priority allow (3.3.3). */
enum { BPR_MIN = 2, ABPR_MIN = 3 };

#define IIDR           0x0002043bu /* architecture version 2 */
#define IDLE           0xffu
#define SPURIOUS       1023u
#define SPURIOUS_GROUP 1022u /* there is one, of Group 1 (3.5.2) */
#define INTID_MASK     0x3ffu

/* ---- priorities ---- */

/* The bits that decide about preemption; Group 1 has its own binary point, which counts one less (3.3.3). */
static unsigned group_mask(const struct gicv2_cpu *c, unsigned group)
{
    unsigned bits = group && !(c->ctlr & CTLR_CBPR) ? c->abpr : c->bpr + 1;

    return ~0u << bits & 0xff;
}

static unsigned running_priority(const struct gicv2_cpu *c)
{
    uint32_t active = c->apr[0] | c->apr[1];

    return active ? (unsigned)__builtin_ctz(active) << 3 : IDLE;
}

static bool passes(const struct gicv2_cpu *c, const struct gicv2_pending *p)
{
    if (p->intid == GIC_NONE || !(c->ctlr & (p->group ? CTLR_ENABLE1 : CTLR_ENABLE0)) ||
        p->priority >= c->pmr)
        return false;
    return (p->priority & group_mask(c, p->group)) < running_priority(c);
}

uint32_t gicv2_signals(const struct gicv2 *g, unsigned cpu)
{
    const struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_pending p = gicv2_highest(g, cpu);

    if (!passes(c, &p))
        return 0;
    return !p.group && c->ctlr & CTLR_FIQEN ? 2 : 1;
}

/* ---- acknowledge and end ---- */

/* What IAR and HPPIR say of Group 1, and AIAR of Group 0 (4.4.4, 4.4.11). */
static uint32_t hidden(const struct gicv2_cpu *c, const struct gicv2_pending *p, bool aliased)
{
    if (aliased)
        return p->group ? 0 : SPURIOUS;
    return p->group && !(c->ctlr & CTLR_ACKCTL) ? SPURIOUS_GROUP : 0;
}

static uint32_t acknowledge(struct gicv2 *g, unsigned cpu, bool aliased)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_pending p = gicv2_highest(g, cpu);
    uint32_t value;

    if (!passes(c, &p))
        return SPURIOUS;
    value = hidden(c, &p, aliased);
    if (value)
        return value;
    c->apr[p.group] |= UINT32_C(1) << ((p.priority & group_mask(c, p.group)) >> 3);
    value = gicv2_activate(g, cpu, p.intid);
    gicv2_update(g);
    return value;
}

static uint32_t highest(const struct gicv2 *g, unsigned cpu, bool aliased)
{
    const struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_pending p = gicv2_highest(g, cpu);
    uint32_t value;

    if (p.intid == GIC_NONE)
        return SPURIOUS;
    value = hidden(c, &p, aliased);
    if (value)
        return value;
    if (p.intid < GIC_SGIS)
        return p.intid | (uint32_t)__builtin_ctz(g->sgi_source[cpu][p.intid]) << 10;
    return p.intid;
}

/* The highest active priority is of Group 1. */
static bool ends_group1(const struct gicv2_cpu *c)
{
    unsigned level0 = c->apr[0] ? (unsigned)__builtin_ctz(c->apr[0]) : 32;
    unsigned level1 = c->apr[1] ? (unsigned)__builtin_ctz(c->apr[1]) : 32;

    return level1 < level0;
}

/* Priority drop of the highest active one; and, unless EOImode keeps that for DIR, deactivation. */
static void end(struct gicv2 *g, unsigned cpu, uint32_t value, bool aliased)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    uint32_t *apr = &c->apr[aliased || ends_group1(c)];
    unsigned intid = value & INTID_MASK;

    if (intid >= GICV2_INTIDS)
        return;
    *apr &= *apr - 1;
    if (!(c->ctlr & CTLR_EOIMODE))
        gicv2_deactivate(g, cpu, intid);
    gicv2_update(g);
}

/* ---- registers ---- */

uint32_t gicv2_cpu_read(struct gicv2 *g, unsigned cpu, uint64_t offset)
{
    const struct gicv2_cpu *c = &g->cpu[cpu];

    switch (offset) {
    case GICC_CTLR:
        return c->ctlr;
    case GICC_PMR:
        return c->pmr;
    case GICC_BPR:
        return c->bpr;
    case GICC_IAR:
    case GICC_AIAR:
        return acknowledge(g, cpu, offset == GICC_AIAR);
    case GICC_RPR:
        return running_priority(c);
    case GICC_HPPIR:
    case GICC_AHPPIR:
        return highest(g, cpu, offset == GICC_AHPPIR);
    case GICC_ABPR:
        return c->abpr;
    case GICC_APR0:
        return c->apr[0];
    case GICC_NSAPR0:
        return c->apr[1];
    case GICC_IIDR:
        return IIDR;
    default:
        return 0;
    }
}

/* Registers that a write of narrow lanes merges into. */
static uint32_t merge(uint32_t old, const struct gic_lanes *l)
{
    return (old & ~l->mask) | (l->value & l->mask);
}

static void control_write(struct gicv2_cpu *c, const struct gic_lanes *l)
{
    switch (l->word) {
    case GICC_CTLR:
        c->ctlr = merge(c->ctlr, l) & CTLR_MASK;
        break;
    case GICC_PMR:
        c->pmr = merge(c->pmr, l) & GIC_PRIORITY_MASK;
        break;
    case GICC_BPR:
        c->bpr = MAX(merge(c->bpr, l) & 7, (uint32_t)BPR_MIN);
        break;
    case GICC_ABPR:
        c->abpr = MAX(merge(c->abpr, l) & 7, (uint32_t)ABPR_MIN);
        break;
    case GICC_APR0:
        c->apr[0] = merge(c->apr[0], l);
        break;
    case GICC_NSAPR0:
        c->apr[1] = merge(c->apr[1], l);
        break;
    }
}

void gicv2_cpu_write(struct gicv2 *g, unsigned cpu, const struct gic_lanes *l)
{
    struct gicv2_cpu *c = &g->cpu[cpu];

    switch (l->word) {
    case GICC_EOIR:
    case GICC_AEOIR:
        end(g, cpu, l->value, l->word == GICC_AEOIR);
        break;
    case GICC_DIR:
        if (c->ctlr & CTLR_EOIMODE) {
            gicv2_deactivate(g, cpu, l->value & INTID_MASK);
            gicv2_update(g);
        }
        break;
    default:
        control_write(c, l);
        gicv2_update(g);
        break;
    }
}

void gicv2_cpu_reset(struct gicv2_cpu *c)
{
    uint32_t driven = c->driven;

    *c = (struct gicv2_cpu){.bpr = BPR_MIN, .abpr = ABPR_MIN, .driven = driven};
}
