/*
 * GICv2m: a frame of 4 KiB that makes a message into the edge of an SPI of a GICv2 (Arm SBSA, appendix I). So
 * PCI devices have MSI-X on a controller that knows none.
 */
#ifndef CV_DEVICE_INTC_GICV2M_H
#define CV_DEVICE_INTC_GICV2M_H

#include "core/device.h"

#define GICV2M_SIZE 0x1000

struct gicv2m_config {
    gpa_t base;
    struct device *gic;       /* a GICv2, which describes the frame as its child */
    unsigned first_spi, spis; /* first_spi: 0 is interrupt 32 */
    uint32_t phandle;
};

/* NULL with the reason in why. */
struct device *gicv2m_create(struct vm *vm, const char *id, const struct gicv2m_config *c, char *why,
                             size_t why_size);

#endif
