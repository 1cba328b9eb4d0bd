/* The GICv3's redistributors: SGIs, PPIs, and LPIs with their tables in guest memory (IHI 0069, 5, 12.11). */
#include "device/intc/gicv3_priv.h"
#include "lib/str.h"

#define PART_REDIST 0x493
#define IIDR        0x43bu
#define FRAME       0x10000u

enum {
    GICR_CTLR = 0x0,
    GICR_IIDR = 0x4,
    GICR_TYPER = 0x8,
    GICR_WAKER = 0x14,
    GICR_PROPBASER = 0x70,
    GICR_PENDBASER = 0x78,
    GICR_ID = 0xf000
};
enum { CTLR_ENABLE_LPIS = 1, WAKER_SLEEP = 2, WAKER_CHILDREN_ASLEEP = 4 };

/* Address and attributes as written; Type and the reserved bits read as 0. */
#define PROPBASER_MASK UINT64_C(0x070fffffffffff9f)
#define PENDBASER_MASK UINT64_C(0x470fffffffff0f80)
#define PENDBASER_PTZ  BIT(62)
#define PROP_ADDRESS   UINT64_C(0x000ffffffffff000)
#define PEND_ADDRESS   UINT64_C(0x000fffffffff0000)

enum { LPI_ENABLE = 1 };

/* ---- LPIs ---- */

/* How many LPIs the property table covers; none while its size says less than there can be. */
static unsigned lpi_count(const struct gicv3 *g, unsigned cpu)
{
    unsigned bits = (unsigned)(g->propbaser[cpu] & 31) + 1;

    if (bits < GICV3_ID_BITS)
        return bits > 13 ? (1u << bits) - GICV3_LPI_BASE : 0;
    return GICV3_LPIS;
}

static bool lpi_index(const struct gicv3 *g, unsigned cpu, uint64_t intid, unsigned *n)
{
    if (intid < GICV3_LPI_BASE || intid - GICV3_LPI_BASE >= lpi_count(g, cpu))
        return false;
    *n = (unsigned)(intid - GICV3_LPI_BASE);
    return true;
}

void gicv3_lpi_set(struct gicv3 *g, unsigned cpu, uint64_t intid, bool pending)
{
    unsigned n;
    uint64_t *word, bit;

    if (!lpi_index(g, cpu, intid, &n) || !(g->redist_ctlr[cpu] & CTLR_ENABLE_LPIS))
        return;
    word = &g->lpi[cpu].pending[n / 64];
    bit = BIT(n % 64);
    if (pending && !(*word & bit))
        g->lpi_pending[cpu]++;
    else if (!pending && *word & bit)
        g->lpi_pending[cpu]--;
    *word = pending ? *word | bit : *word & ~bit;
}

bool gicv3_lpi_get(const struct gicv3 *g, unsigned cpu, uint64_t intid)
{
    unsigned n;

    return lpi_index(g, cpu, intid, &n) && g->lpi[cpu].pending[n / 64] >> n % 64 & 1;
}

unsigned gicv3_lpi_best(const struct gicv3 *g, unsigned cpu, unsigned *priority)
{
    unsigned left = g->lpi_pending[cpu], best = GIC_NONE;

    for (unsigned w = 0; left && w < ARRAY_SIZE(g->lpi[0].pending); w++) {
        for (uint64_t bits = g->lpi[cpu].pending[w]; bits; bits &= bits - 1, left--) {
            unsigned n = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint8_t config = g->lpi_config[n];

            if (config & LPI_ENABLE && (config & GIC_PRIORITY_MASK) < *priority) {
                *priority = config & GIC_PRIORITY_MASK;
                best = GICV3_LPI_BASE + n;
            }
        }
    }
    return best;
}

unsigned gicv3_lpi_list(const struct gicv3 *g, unsigned cpu, uint64_t *tops, unsigned max, unsigned count)
{
    unsigned left = g->lpi_pending[cpu];

    for (unsigned w = 0; left && w < ARRAY_SIZE(g->lpi[0].pending); w++) {
        for (uint64_t bits = g->lpi[cpu].pending[w]; bits; bits &= bits - 1, left--) {
            unsigned n = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint8_t config = g->lpi_config[n];

            if (config & LPI_ENABLE)
                count =
                    gic_list_add(tops, max, count,
                                 DIST_TOP(GICV3_LPI_BASE + n, config & GIC_PRIORITY_MASK, 1) | DIST_LATCHED);
        }
    }
    return count;
}

/* One byte an LPI: priority, enable (5.1.1). A table outside memory: disabled. */
void gicv3_lpi_load(struct gicv3 *g, unsigned cpu, uint64_t intid)
{
    gpa_t table = g->propbaser[cpu] & PROP_ADDRESS;
    unsigned n;

    if (!lpi_index(g, cpu, intid, &n))
        return;
    if (mem_read(&g->dev.vm->mem, table + n, &g->lpi_config[n], 1))
        g->lpi_config[n] = 0;
}

void gicv3_lpi_load_all(struct gicv3 *g, unsigned cpu)
{
    gpa_t table = g->propbaser[cpu] & PROP_ADDRESS;
    unsigned count = lpi_count(g, cpu);

    memset(g->lpi_config, 0, sizeof(g->lpi_config));
    if (mem_read(&g->dev.vm->mem, table, g->lpi_config, count))
        memset(g->lpi_config, 0, sizeof(g->lpi_config));
}

static void count_pending(struct gicv3 *g, unsigned cpu)
{
    g->lpi_pending[cpu] = 0;
    for (unsigned w = 0; w < ARRAY_SIZE(g->lpi[0].pending); w++)
        g->lpi_pending[cpu] += (unsigned)__builtin_popcountll(g->lpi[cpu].pending[w]);
}

/* The pending table has a bit an interrupt number, its first KiB is not used (5.1.2). */
static void pending_load(struct gicv3 *g, unsigned cpu)
{
    gpa_t table = (g->pendbaser[cpu] & PEND_ADDRESS) + GICV3_LPI_BASE / 8;
    struct gicv3_lpis *l = &g->lpi[cpu];
    unsigned count = lpi_count(g, cpu);

    memset(l, 0, sizeof(*l));
    if (!(g->pendbaser[cpu] & PENDBASER_PTZ) && mem_read(&g->dev.vm->mem, table, l->pending, count / 8))
        memset(l, 0, sizeof(*l));
    count_pending(g, cpu);
}

static void pending_store(struct gicv3 *g, unsigned cpu)
{
    gpa_t table = (g->pendbaser[cpu] & PEND_ADDRESS) + GICV3_LPI_BASE / 8;

    mem_write(&g->dev.vm->mem, table, g->lpi[cpu].pending, lpi_count(g, cpu) / 8);
    memset(&g->lpi[cpu], 0, sizeof(g->lpi[cpu]));
    g->lpi_pending[cpu] = 0;
}

/* ---- the frame of control registers ---- */

static void ctlr_write(struct gicv3 *g, unsigned cpu, uint32_t value)
{
    uint32_t old = g->redist_ctlr[cpu];

    if (!g->config.lpis || !((value ^ old) & CTLR_ENABLE_LPIS))
        return;
    if (value & CTLR_ENABLE_LPIS) {
        g->redist_ctlr[cpu] = CTLR_ENABLE_LPIS;
        gicv3_lpi_load_all(g, cpu);
        pending_load(g, cpu);
    } else {
        pending_store(g, cpu);
        g->redist_ctlr[cpu] = 0;
    }
    gicv3_update_all(g);
}

/* All redistributors share one configuration table (CommonLPIAff 0). */
static uint64_t redist_typer(const struct gicv3 *g, unsigned cpu)
{
    uint64_t a = g->config.affinity(cpu);
    uint64_t packed = (a & 0xffffff) | (a >> 32 & 0xff) << 24;

    return packed << 32 | (uint64_t)cpu << 8 | (cpu + 1 == g->cpus ? BIT(4) : 0) |
           (g->config.lpis ? BIT(0) : 0);
}

static uint64_t control_read(const struct gicv3 *g, unsigned cpu, uint64_t offset)
{
    switch (offset & ~UINT64_C(7)) {
    case GICR_CTLR: /* and IIDR; CES: EnableLPIs can be cleared again */
        return (uint64_t)IIDR << 32 | g->redist_ctlr[cpu] | (g->config.lpis ? 2 : 0);
    case GICR_TYPER:
        return redist_typer(g, cpu);
    case GICR_WAKER & ~7:
        return (uint64_t)(g->waker[cpu] | (g->waker[cpu] ? WAKER_CHILDREN_ASLEEP : 0)) << 32;
    case GICR_PROPBASER:
        return g->propbaser[cpu];
    case GICR_PENDBASER:
        return g->pendbaser[cpu] & ~PENDBASER_PTZ; /* write-only */
    default:
        return 0;
    }
}

static void base_write(uint64_t *reg, const struct gic_lanes *l, uint64_t writable)
{
    unsigned shift = l->word % 8 * 8;
    uint64_t mask = (uint64_t)l->mask << shift & writable;

    *reg = (*reg & ~mask) | ((uint64_t)l->value << shift & mask);
}

static void control_write(struct gicv3 *g, unsigned cpu, const struct gic_lanes *l)
{
    bool fixed = !g->config.lpis || g->redist_ctlr[cpu] & CTLR_ENABLE_LPIS;

    if (l->word == GICR_CTLR) {
        ctlr_write(g, cpu, (g->redist_ctlr[cpu] & ~l->mask) | (l->value & l->mask));
    } else if (l->word == GICR_WAKER) {
        g->waker[cpu] = ((g->waker[cpu] & ~l->mask) | (l->value & l->mask)) & WAKER_SLEEP;
        gicv3_update(g, cpu);
    } else if ((l->word & ~UINT64_C(7)) == GICR_PROPBASER && !fixed) {
        base_write(&g->propbaser[cpu], l, PROPBASER_MASK);
    } else if ((l->word & ~UINT64_C(7)) == GICR_PENDBASER && !fixed) {
        base_write(&g->pendbaser[cpu], l, PENDBASER_MASK);
    }
}

/* ---- both frames ---- */

static uint32_t redist_read32(const struct gicv3 *g, unsigned cpu, uint64_t offset)
{
    struct gic_bank_at at;

    if (offset % FRAME >= GICR_ID)
        return gic_id_register(offset % FRAME - GICR_ID, PART_REDIST, 3);
    if (offset < FRAME)
        return (uint32_t)(control_read(g, cpu, offset) >> (offset % 8 * 8));
    if (gic_bank_decode(offset - FRAME, &at) && at.bank == GIC_PRIVATE_BANK)
        return gic_bank_read(&g->private[cpu], &at);
    return 0;
}

static void redist_write32(struct gicv3 *g, unsigned cpu, const struct gic_lanes *l)
{
    struct gic_bank_at at;

    if (l->word < FRAME) {
        control_write(g, cpu, l);
    } else if (gic_bank_decode(l->word - FRAME, &at) && at.bank == GIC_PRIVATE_BANK) {
        gic_bank_write(&g->private[cpu], &at, l -> value, l -> mask, true);
        gicv3_update(g, cpu);
    }
}

uint64_t gicv3_redist_read(struct gicv3 *g, uint64_t offset, unsigned size)
{
    unsigned cpu = (unsigned)(offset / GICV3_REDIST_STRIDE);
    struct gic_lanes l;
    uint64_t value = 0;

    for (unsigned i = 0; i < 2 && gic_lane(offset % GICV3_REDIST_STRIDE, size, 0, i, &l); i++)
        value |= (uint64_t)redist_read32(g, cpu, l.word) << (32 * i);
    return gic_narrow(value, offset, size);
}

void gicv3_redist_write(struct gicv3 *g, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned cpu = (unsigned)(offset / GICV3_REDIST_STRIDE);
    struct gic_lanes l;

    for (unsigned i = 0; i < 2 && gic_lane(offset % GICV3_REDIST_STRIDE, size, value, i, &l); i++)
        redist_write32(g, cpu, &l);
}

void gicv3_redist_reset(struct gicv3 *g)
{
    memset(g->lpi_config, 0, sizeof(g->lpi_config));
    memset(g->lpi, 0, sizeof(g->lpi));
    for (unsigned i = 0; i < g->cpus; i++) {
        g->private[i].level = 0; /* the vCPU's own, which are reset with it */
        gic_bank_reset(&g->private[i], true);
        g->waker[i] = 0; /* awake, as firmware at EL3 leaves it: EDK2 does not look */
        g->redist_ctlr[i] = 0;
        g->propbaser[i] = g->pendbaser[i] = 0;
        g->lpi_pending[i] = 0;
    }
}
