/*
 * The board's Arm GIC, version 2 or 3, whichever its device tree has: root interrupt domain, IPIs, and what
 * an engine wants of it for guests. Interrupts end in two steps (EOImode 1): priority drop, then
 * deactivation, which for forwarded ones is the guest's.
 */
#ifndef CV_PLATFORM_BARE_DRIVERS_GIC_H
#define CV_PLATFORM_BARE_DRIVERS_GIC_H

#include "platform/bare/board.h"
#include "platform/bare/irq/irq.h"

#define GIC_SPURIOUS 1020
#define GIC_SGI_IPI  1 /* the one SGI in use */
#define GIC_PRIORITY 0xa0

struct gic;

struct gic_driver {
    /* Once; finds its windows. -ENODEV or -EINVAL with the reason. */
    int (*init)(struct gic *g, const struct board *b, dtb_node n, char *why, size_t why_size);
    void (*cpu_init)(struct gic *g, struct cpu *c);
    /* Acknowledges: as the register reads, its INTID in bits 23:0 (version 2: 9:0); GIC_SPURIOUS and above:
     * none. */
    uint32_t (*ack)(struct gic *g);
    /* Priority drop, and deactivation. */
    void (*drop)(struct gic *g, uint32_t ack);
    void (*deactivate)(struct gic *g, uint32_t ack);
    void (*ipi)(struct gic *g, struct cpu *to);
    /* The registers of this CPU's private interrupts, laid out as the distributor's. */
    uint8_t *(*private_frame)(struct gic *g);
};

#define GIC_REGIONS 16
struct gic_region {
    uint8_t *base;
    uint64_t size;
};

struct gic {
    struct irq_domain domain;
    const struct gic_driver *driver;
    unsigned version, lines; /* interrupts without special ones */
    uint8_t *dist;
    unsigned timer;        /* INTID of EL2's timer */
    unsigned vtimer;       /* of the virtual timer */
    unsigned maintenance;  /* of the virtual CPU interface; 0: none */
    unsigned pmu;          /* of the CPUs' performance monitors; 0: none, or not a private one */
    uint64_t private_on;   /* bit = private INTID that each CPU enables */
    bool forward[CPU_MAX]; /* the handler left the one in hand to a guest; that CPU only */
    /* Version 2: CPU interface, GICH, and GICV's physical address for guests. */
    uint8_t *cpu, *hyp;
    uint64_t vcpu_pa;
    uint8_t target[CPU_MAX]; /* GICD_ITARGETSR bit of each CPU */
    /* Version 3: each CPU's redistributor. */
    uint8_t *redist[CPU_MAX];
    struct gic_region region[GIC_REGIONS];
    unsigned region_count;
};

extern const struct gic_driver gicv2_driver, gicv3_driver;

/* The board's; NULL before gic_init(). */
struct gic *gic_get(void);
int gic_init(const struct board *b, char *why, size_t why_size);
/* Vector's entry: acknowledges and handles what is pending. Interrupts are off. */
void gic_irq(void);
/* The same for one that was acknowledged: handles and ends it. */
void gic_handle(struct gic *g, uint32_t ack);
/* From the handler of a private interrupt: its deactivation is left to a guest, through a list register. */
void gic_forward(void);

static inline unsigned gic_intid(const struct gic *g, uint32_t ack)
{
    return ack & (g->version == 2 ? 0x3ff : 0xffffff);
}

static inline uint32_t gic_r32(const uint8_t *base, unsigned offset)
{
    return *(const volatile uint32_t *)(base + offset);
}

static inline void gic_w32(uint8_t *base, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(base + offset) = value;
}

/* What both versions' distributors have in common (IHI 0048B 4.3, IHI 0069 12.9); frame: of bank 0 its own.
 */
enum {
    GICD_CTLR = 0x0,
    GICD_TYPER = 0x4,
    GICD_IGROUPR = 0x80,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_SGIR = 0xf00,
    GICD_IROUTER = 0x6000,
};
void gic_bit(uint8_t *frame, unsigned reg, unsigned intid);
void gic_trigger_set(uint8_t *frame, unsigned intid, bool edge);
/* Finds how many lines there are; the distributor off, its shared interrupts as they begin. */
void gic_dist_reset(struct gic *g);
/* The same for private ones, which the caller has disabled: inactive, priorities, those in private_on
 * enabled. */
void gic_private_reset(struct gic *g, uint8_t *frame);
/* A private interrupt of this CPU. */
void gic_private_active(struct gic *g, unsigned intid, bool active);

#endif
