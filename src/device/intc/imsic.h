/*
 * RISC-V AIA incoming MSI controller: one interrupt file a hart at one privilege level, each a page of the
 * window. The hart reaches its file through v->msi[level] (core/irqchip.h).
 */
#ifndef CV_DEVICE_INTC_IMSIC_H
#define CV_DEVICE_INTC_IMSIC_H

#include "core/device.h"

#define IMSIC_IDS 255 /* interrupt identities 1..255 */

struct imsic_config {
    gpa_t base;
    bool supervisor; /* which of v->msi[0] (M), v->msi[1] (S) */
    unsigned input;  /* the hart's mip bit of that level's external interrupt */
    uint32_t phandle;
    uint32_t (*cpu_phandle)(unsigned hart);
};

struct device *imsic_create(struct vm *vm, const char *id, const struct imsic_config *config, char *why,
                            size_t why_size);

#endif
