/*
 * 32 interrupts of a GIC as its distributors keep them: the state machine of one interrupt and the registers
 * that GICv2's distributor, GICv3's distributor and its redistributors have in common (IHI 0048B 4.3,
 * IHI 0069 12.9, 12.11): one bit, two bits or one byte an interrupt.
 */
#ifndef CV_DEVICE_INTC_GIC_BANK_H
#define CV_DEVICE_INTC_GIC_BANK_H

#include "lib/base.h"

#define GIC_BANK_IRQS     32
#define GIC_PRIORITY_MASK 0xf8u /* five bits: 32 levels */
#define GIC_NONE          UINT32_MAX
#define GIC_PRIVATE_BANK  0 /* of SGIs (0..15) and PPIs (16..31) */
#define GIC_SGIS          16

/* All fields: the controller's lock. Bit n is interrupt n of the bank. */
struct gic_bank {
    uint32_t group, enable;
    uint32_t level; /* the wires */
    uint32_t edge;  /* configured edge-triggered */
    uint32_t latch; /* pending by an edge, by software, or as an SGI */
    uint32_t active;
    uint8_t priority[GIC_BANK_IRQS];
};

/* Register offsets within a frame; of bank b: + 4 b, + 32 b for priorities, + 8 b for configuration. */
enum gic_bank_reg {
    GIC_IGROUPR = 0x080,
    GIC_ISENABLER = 0x100,
    GIC_ICENABLER = 0x180,
    GIC_ISPENDR = 0x200,
    GIC_ICPENDR = 0x280,
    GIC_ISACTIVER = 0x300,
    GIC_ICACTIVER = 0x380,
    GIC_IPRIORITYR = 0x400,
    GIC_ITARGETSR = 0x800,
    GIC_ICFGR = 0xc00,
    GIC_IGRPMODR = 0xd00,
};

/* What offsets from GIC_IGROUPR to GIC_ICFGR's end (without ITARGETSR) mean. */
struct gic_bank_at {
    uint16_t reg;  /* enum gic_bank_reg */
    uint8_t bank;  /* whose; the caller checks it against what there is */
    uint8_t first; /* priorities, configuration: first interrupt of the word */
};
/* False: not one of them. offset: of an aligned 32-bit word. */
bool gic_bank_decode(uint64_t offset, struct gic_bank_at *at);
uint32_t gic_bank_read(const struct gic_bank *b, const struct gic_bank_at *at);
/* mask: the byte lanes written. `is_private`: the SGIs' bits that are fixed stay so. */
void gic_bank_write(struct gic_bank *b, const struct gic_bank_at *at, uint32_t value, uint32_t mask,
                    bool is_private);

void gic_bank_reset(struct gic_bank *b, bool is_private); /* the wires stay */
void gic_bank_wire(struct gic_bank *b, unsigned n, bool level);
/* Acknowledged: pending becomes active. Its level may keep it pending as well. */
void gic_bank_activate(struct gic_bank *b, unsigned n);

static inline uint32_t gic_bank_pending(const struct gic_bank *b)
{
    return b->latch | (b->level & ~b->edge);
}

/* The best interrupt among `among` that is pending, enabled and inactive, if better than *priority. */
unsigned gic_bank_best(const struct gic_bank *b, uint32_t among, unsigned *priority);

/*
 * Adds those of `among` that are pending, enabled and inactive to a list of core/irqchip.h, numbers from
 * `first` on; best first, among equals in the order of adding. How many there are in all, `count` before.
 */
unsigned gic_bank_list(const struct gic_bank *b, uint32_t among, unsigned first, uint64_t *tops, unsigned max,
                       unsigned count);
/* The same of one. */
unsigned gic_list_add(uint64_t *tops, unsigned max, unsigned count, uint64_t top);

/* Identification registers at the end of a frame (CoreSight): 0xfd0..0xffc; archrev 2 or 3. */
uint32_t gic_id_register(uint64_t offset_in_4k, unsigned part, unsigned archrev);

/* One access of 1, 2, 4 or 8 bytes as lanes of aligned 32-bit words. */
struct gic_lanes {
    uint64_t word; /* offset of the word */
    uint32_t value, mask;
};
/* Lane i of the access (0, then 1 for 8 bytes); false: there is none, or the access is misaligned. */
bool gic_lane(uint64_t offset, unsigned size, uint64_t value, unsigned i, struct gic_lanes *out);
/* The bytes of a narrow access out of the words read for it. */
static inline uint64_t gic_narrow(uint64_t words, uint64_t offset, unsigned size)
{
    return size == 8 ? words : words >> (offset % 4 * 8) & (BIT(8 * size) - 1);
}

#endif
