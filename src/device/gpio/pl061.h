/* The PrimeCell GPIO PL061 (DDI 0190): eight lines, each input or output, one interrupt line. */
#ifndef CV_DEVICE_GPIO_PL061_H
#define CV_DEVICE_GPIO_PL061_H

#include "core/device.h"

#define PL061_LINES 8

/* clock: phandle of its bus clock; phandle: its own. NULL with the reason in why. */
struct device *pl061_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            uint32_t phandle, char *why, size_t why_size);
/* What a line is driven to from outside (a key); from any task. */
void pl061_input_set(struct device *gpio, unsigned line, bool level);

#endif
