/*
 * RISC-V AIA advanced PLIC: one interrupt domain, forwarding wired interrupts as MSIs or to the harts'
 * inputs. A domain may have one child, to which it delegates sources.
 */
#ifndef CV_DEVICE_INTC_APLIC_H
#define CV_DEVICE_INTC_APLIC_H

#include "core/device.h"

#define APLIC_SOURCES 96 /* source 0 does not exist */

struct aplic_config {
    gpa_t base;
    uint32_t phandle;
    uint32_t msi_phandle; /* of this domain's IMSIC; 0: direct delivery */
    gpa_t msi_base;       /* its files, a page a hart: what firmware would configure */
    unsigned input;       /* in direct delivery: of a CPU, and its node */
    uint32_t (*cpu_phandle)(unsigned hart);
    struct device *child; /* an APLIC made before, or NULL */
};

struct device *aplic_create(struct vm *vm, const char *id, const struct aplic_config *config, char *why,
                            size_t why_size);
/* The line of source n of the root domain. */
struct irq_line aplic_line(struct device *root, unsigned source);

#endif
