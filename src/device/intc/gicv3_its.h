/*
 * The GICv3's interrupt translation service (IHI 0069, 5, 12.19): message interrupts of devices become LPIs.
 * 16-bit device numbers in a flat table, 255 collections held here, commands done as they are written.
 */
#ifndef CV_DEVICE_INTC_GICV3_ITS_H
#define CV_DEVICE_INTC_GICV3_ITS_H

#include "core/device.h"

#define GICV3_ITS_SIZE 0x20000

/*
 * For a GICv3 created with `lpis`; described as its child. Messages come by msi_send_from() with the sender's
 * device number. NULL with the reason in why.
 */
struct device *gicv3_its_create(struct vm *vm, const char *id, struct device *gic, gpa_t base,
                                uint32_t phandle, char *why, size_t why_size);

#endif
