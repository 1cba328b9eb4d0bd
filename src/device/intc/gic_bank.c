/* 32 interrupts of a GIC: registers and transitions. */
#include "device/intc/gic_bank.h"
#include "core/irqchip.h"
#include "lib/str.h"

#define SGI_MASK 0xffffu

/* ---- transitions (IHI 0048B, 3.2.4) ---- */

void gic_bank_reset(struct gic_bank *b, bool is_private)
{
    uint32_t level = b->level;

    memset(b, 0, sizeof(*b));
    b->level = level;
    b->edge = is_private ? SGI_MASK : 0; /* SGIs have no wires */
}

void gic_bank_wire(struct gic_bank *b, unsigned n, bool level)
{
    uint32_t bit = UINT32_C(1) << n;

    if (level && !(b->level & bit))
        b->latch |= bit & b->edge;
    b->level = level ? b->level | bit : b->level & ~bit;
}

void gic_bank_activate(struct gic_bank *b, unsigned n)
{
    uint32_t bit = UINT32_C(1) << n;

    b->latch &= ~bit;
    b->active |= bit;
}

unsigned gic_bank_best(const struct gic_bank *b, uint32_t among, unsigned *priority)
{
    uint32_t bits = gic_bank_pending(b) & b->enable & ~b->active & among;
    unsigned best = GIC_NONE;

    for (; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);

        if (b->priority[n] < *priority) {
            *priority = b->priority[n];
            best = n;
        }
    }
    return best;
}

unsigned gic_list_add(uint64_t *tops, unsigned max, unsigned count, uint64_t top)
{
    unsigned n = MIN(count, max), at = n;

    if (!max)
        return count + 1;
    while (at && DIST_TOP_PRIORITY(tops[at - 1]) > DIST_TOP_PRIORITY(top))
        at--;
    for (unsigned i = MIN(n, max - 1); i > at; i--)
        tops[i] = tops[i - 1];
    if (at < max)
        tops[at] = top;
    return count + 1;
}

unsigned gic_bank_list(const struct gic_bank *b, uint32_t among, unsigned first, uint64_t *tops, unsigned max,
                       unsigned count)
{
    uint32_t bits = gic_bank_pending(b) & b->enable & ~b->active & among;

    for (; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);
        uint64_t level = (b->edge >> n & 1 ? 0 : DIST_LEVEL) | (b->latch >> n & 1 ? DIST_LATCHED : 0);

        count =
            gic_list_add(tops, max, count, DIST_TOP(first + n, b->priority[n], b->group >> n & 1) | level);
    }
    return count;
}

/* ---- registers ---- */

bool gic_bank_decode(uint64_t offset, struct gic_bank_at *at)
{
    if (offset < GIC_IGROUPR || offset >= GIC_IGRPMODR || offset % 4)
        return false;
    if (offset < GIC_IPRIORITYR)
        *at = (struct gic_bank_at){(uint16_t)(offset & ~UINT64_C(0x7f)), (uint8_t)(offset % 0x80 / 4), 0};
    else if (offset < GIC_ITARGETSR)
        *at = (struct gic_bank_at){GIC_IPRIORITYR, (uint8_t)((offset - GIC_IPRIORITYR) / 32), offset % 32};
    else if (offset >= GIC_ICFGR)
        *at = (struct gic_bank_at){GIC_ICFGR, (uint8_t)((offset - GIC_ICFGR) / 8), offset % 8 ? 16 : 0};
    else
        return false;
    return true;
}

/* The odd bit of each pair says edge; the even one reads as 0 (IHI 0069, 12.9.9). */
static uint32_t config_read(const struct gic_bank *b, unsigned first)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 16; i++)
        value |= (b->edge >> (first + i) & 1) << (2 * i + 1);
    return value;
}

/* Changing it under a pending interrupt is unpredictable; here the latch stays. */
static void config_write(struct gic_bank *b, unsigned first, uint32_t value, uint32_t mask)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = UINT32_C(1) << (first + i), odd = UINT32_C(2) << (2 * i);

        if (mask & odd)
            b->edge = value & odd ? b->edge | bit : b->edge & ~bit;
    }
}

uint32_t gic_bank_read(const struct gic_bank *b, const struct gic_bank_at *at)
{
    uint32_t value = 0;

    switch (at->reg) {
    case GIC_IGROUPR:
        return b->group;
    case GIC_ISENABLER:
    case GIC_ICENABLER:
        return b->enable;
    case GIC_ISPENDR:
    case GIC_ICPENDR:
        return gic_bank_pending(b);
    case GIC_ISACTIVER:
    case GIC_ICACTIVER:
        return b->active;
    case GIC_IPRIORITYR:
        for (unsigned i = 0; i < 4; i++)
            value |= (uint32_t)b->priority[at->first + i] << (8 * i);
        return value;
    case GIC_ICFGR:
        return config_read(b, at->first);
    default:
        return 0;
    }
}

void gic_bank_write(struct gic_bank *b, const struct gic_bank_at *at, uint32_t value, uint32_t mask,
                    bool is_private)
{
    uint32_t bits = value & mask;

    switch (at->reg) {
    case GIC_IGROUPR:
        b->group = (b->group & ~mask) | bits;
        break;
    case GIC_ISENABLER:
        b->enable |= bits;
        break;
    case GIC_ICENABLER:
        b->enable &= ~bits;
        break;
    case GIC_ISPENDR:
        b->latch |= bits;
        break;
    case GIC_ICPENDR:
        b->latch &= ~bits;
        break;
    case GIC_ISACTIVER:
        b->active |= bits;
        break;
    case GIC_ICACTIVER:
        b->active &= ~bits;
        break;
    case GIC_IPRIORITYR:
        for (unsigned i = 0; i < 4; i++) {
            if (mask >> (8 * i) & 0xff)
                b->priority[at->first + i] = value >> (8 * i) & GIC_PRIORITY_MASK;
        }
        break;
    case GIC_ICFGR:
        if (!is_private || at->first)
            config_write(b, at->first, value, mask);
        break;
    default:
        break;
    }
}

uint32_t gic_id_register(uint64_t offset, unsigned part, unsigned archrev)
{
    /* PIDR4..7, PIDR0..3, CIDR0..3: JEP106 code 4 0x3b, the part's number, the architecture's revision. */
    const uint8_t id[] = {
        0x44, 0,    0,    0,    (uint8_t)part, (uint8_t)(0xb0 | part >> 8), (uint8_t)(archrev << 4 | 0xb),
        0,    0x0d, 0xf0, 0x05, 0xb1};

    if (offset < 0xfd0 || offset > 0xffc || offset % 4)
        return 0;
    return id[(offset - 0xfd0) / 4];
}

bool gic_lane(uint64_t offset, unsigned size, uint64_t value, unsigned i, struct gic_lanes *out)
{
    unsigned shift = (unsigned)(offset % 4) * 8;

    if (offset % size || i >= (size == 8 ? 2u : 1u))
        return false;
    if (size >= 4)
        *out = (struct gic_lanes){offset + 4 * i, (uint32_t)(value >> (32 * i)), UINT32_MAX};
    else
        *out = (struct gic_lanes){offset - offset % 4, (uint32_t)value << shift,
                                  (uint32_t)(BIT(8 * size) - 1) << shift};
    return true;
}
