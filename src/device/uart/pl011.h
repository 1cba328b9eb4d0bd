/* The PrimeCell UART PL011 (DDI 0183, r1p5): two 32-byte FIFOs, one interrupt line. */
#ifndef CV_DEVICE_UART_PL011_H
#define CV_DEVICE_UART_PL011_H

#include "core/chardev.h"
#include "core/device.h"

/* chr may be NULL: output is dropped. clock: phandle of its fixed clock. NULL with the reason in why. */
struct device *pl011_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            struct chardev *chr, char *why, size_t why_size);

#endif
