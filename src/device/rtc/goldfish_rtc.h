/* The Goldfish real-time clock: wall time in ns, one alarm (Linux Documentation, google,goldfish-rtc). */
#ifndef CV_DEVICE_RTC_GOLDFISH_RTC_H
#define CV_DEVICE_RTC_GOLDFISH_RTC_H

#include "core/device.h"

/* Created, added and mapped at base. NULL with the reason in why. */
struct device *goldfish_rtc_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, char *why,
                                   size_t why_size);

#endif
