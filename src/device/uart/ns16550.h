/* The NS16550A serial port: eight byte registers, a receive FIFO, one interrupt line. */
#ifndef CV_DEVICE_UART_NS16550_H
#define CV_DEVICE_UART_NS16550_H

#include "core/chardev.h"
#include "core/device.h"

/*
 * Created, added and mapped at base. chr may be NULL (output is dropped) and stays the caller's to
 * destroy, after the VM. NULL with the reason in why.
 */
struct device *ns16550_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq,
                              struct chardev *chr, char *why, size_t why_size);

#endif
