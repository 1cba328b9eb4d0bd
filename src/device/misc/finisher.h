/* The SiFive test finisher: one register by which a guest ends its VM. */
#ifndef CV_DEVICE_MISC_FINISHER_H
#define CV_DEVICE_MISC_FINISHER_H

#include "core/device.h"

struct device *finisher_create(struct vm *vm, const char *id, gpa_t base, char *why, size_t why_size);

#endif
