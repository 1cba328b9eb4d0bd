/* The PrimeCell real-time clock PL031 (DDI 0224): seconds, one alarm, one interrupt line. */
#ifndef CV_DEVICE_RTC_PL031_H
#define CV_DEVICE_RTC_PL031_H

#include "core/device.h"

/* clock: phandle of its bus clock. NULL with the reason in why. */
struct device *pl031_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            char *why, size_t why_size);

#endif
