/*
 * GICv3 (IHI 0069): distributor and redistributors, affinity routing always on, one Security state, 256 SPIs,
 * five bits of priority. The CPU interface is the guest's system registers, which call by core/irqchip.h.
 */
#ifndef CV_DEVICE_INTC_GICV3_H
#define CV_DEVICE_INTC_GICV3_H

#include "core/device.h"

#define GICV3_SPIS          256
#define GICV3_DIST_SIZE     0x10000
#define GICV3_REDIST_STRIDE 0x20000 /* one vCPU's two frames */

struct gicv3_config {
    gpa_t dist;                          /* GICV3_DIST_SIZE */
    gpa_t redist;                        /* GICV3_REDIST_STRIDE a vCPU */
    uint64_t (*affinity)(unsigned vcpu); /* MPIDR_EL1's affinity fields */
    uint32_t phandle;
    bool lpis; /* an ITS follows (gicv3_its.h) */
};

/* Sets v->dist of each vCPU. NULL with the reason in why. */
struct device *gicv3_create(struct vm *vm, const char *id, const struct gicv3_config *c, char *why,
                            size_t why_size);
/* The line of SPI n (0 .. GICV3_SPIS-1: interrupt 32 + n), level-triggered. */
struct irq_line gicv3_line(struct device *gic, unsigned spi);

#endif
