/*
 * RISC-V PLIC 1.0.0 in SiFive's layout. Contexts come in the order given: context i drives input `input`
 * of vCPU `cpu`.
 */
#ifndef CV_DEVICE_INTC_PLIC_H
#define CV_DEVICE_INTC_PLIC_H

#include "core/device.h"

#define PLIC_SOURCES      96 /* source 0 does not exist */
#define PLIC_MAX_CONTEXTS 128

struct plic_context {
    uint16_t cpu;
    uint16_t input;   /* the hart's mip bit: M or S external */
    uint32_t phandle; /* of the hart's interrupt controller node */
};

struct device *plic_create(struct vm *vm, const char *id, gpa_t base, const struct plic_context *contexts,
                           unsigned count, uint32_t phandle, char *why, size_t why_size);
/* The line of source n (1 .. PLIC_SOURCES-1). */
struct irq_line plic_line(struct device *plic, unsigned source);

#endif
