/*
 * GICv2 (IHI 0048B) without Security Extensions, with interrupt groups: distributor and CPU interfaces, up to
 * 8 vCPUs, 256 SPIs, five bits of priority. It drives the IRQ and FIQ inputs of the vCPUs itself.
 */
#ifndef CV_DEVICE_INTC_GICV2_H
#define CV_DEVICE_INTC_GICV2_H

#include "core/device.h"

#define GICV2_CPUS      8
#define GICV2_SPIS      256
#define GICV2_DIST_SIZE 0x10000
#define GICV2_CPU_SIZE  0x10000

struct gicv2_config {
    gpa_t dist, cpu;
    unsigned input_irq, input_fiq; /* of a vCPU, as irqchip_cpu_input() takes them */
    uint32_t phandle;
};

/* Sets v->dist of each vCPU; at most GICV2_CPUS. NULL with the reason in why. */
struct device *gicv2_create(struct vm *vm, const char *id, const struct gicv2_config *c, char *why,
                            size_t why_size);
/* The line of SPI n (0 .. GICV2_SPIS-1: interrupt 32 + n), level-triggered. */
struct irq_line gicv2_line(struct device *gic, unsigned spi);

#endif
