/* What the two files of the GICv2 share: distributor (gicv2.c) and CPU interfaces (gicv2_cpu.c). */
#ifndef CV_DEVICE_INTC_GICV2_PRIV_H
#define CV_DEVICE_INTC_GICV2_PRIV_H

#include "core/irqchip.h"
#include "core/vm.h"
#include "device/intc/gic_bank.h"
#include "device/intc/gicv2.h"

#define GICV2_BANKS  (1 + GICV2_SPIS / 32)
#define GICV2_INTIDS (32 + GICV2_SPIS)

enum gicv2_ctlr { GICD_ENABLE_GRP0 = 1, GICD_ENABLE_GRP1 = 2 };

/* One vCPU's interface (IHI 0048B, 4.4). Active priorities: one bit a preemption level. */
struct gicv2_cpu {
    uint32_t ctlr, pmr, bpr, abpr;
    uint32_t apr[2]; /* of Group 0, of Group 1 */
    uint32_t driven; /* bit 0 IRQ, bit 1 FIQ: what the inputs show */
};

/* All fields: dev.lock. */
struct gicv2 {
    struct device dev;
    struct dist dist;
    struct gicv2_config config;
    unsigned cpus;
    uint32_t ctlr;
    struct gic_bank spi[GICV2_BANKS]; /* [0] unused */
    uint8_t target[GICV2_INTIDS];     /* GICD_ITARGETSR of SPIs: one bit a vCPU */
    struct gic_bank private[GICV2_CPUS];
    uint8_t sgi_source[GICV2_CPUS][GIC_SGIS]; /* from whom each SGI is pending */
    struct gicv2_cpu cpu[GICV2_CPUS];
    struct device *frame; /* GICv2m, NULL without */
};

struct gicv2_pending {
    unsigned intid; /* GIC_NONE */
    unsigned priority, group;
};
/* The highest pending interrupt that the distributor lets pass to this vCPU. */
struct gicv2_pending gicv2_highest(const struct gicv2 *g, unsigned cpu);
/* Pending becomes active; the number as IAR reads, for an SGI with its source. */
uint32_t gicv2_activate(struct gicv2 *g, unsigned cpu, unsigned intid);
void gicv2_deactivate(struct gicv2 *g, unsigned cpu, unsigned intid);
/* Brings the inputs of all vCPUs up to date. */
void gicv2_update(struct gicv2 *g);

/* The interface of this vCPU: whether it signals, and by which input (bit 0 IRQ, bit 1 FIQ). */
uint32_t gicv2_signals(const struct gicv2 *g, unsigned cpu);
uint32_t gicv2_cpu_read(struct gicv2 *g, unsigned cpu, uint64_t offset);
void gicv2_cpu_write(struct gicv2 *g, unsigned cpu, const struct gic_lanes *l);
void gicv2_cpu_reset(struct gicv2_cpu *c);

/* The frame's node, in that of the controller. */
struct dtw;
void gicv2m_describe(struct device *d, struct dtw *w);

#endif
