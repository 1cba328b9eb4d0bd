/*
 * Interrupt lines from devices to a controller. irq_line_set works from any task, with the device's own
 * lock held: it takes the controller's lock. Lock order: device, wired controller, MSI controller.
 */
#ifndef CV_CORE_IRQ_H
#define CV_CORE_IRQ_H

#include "lib/base.h"

struct device;

struct irq_line {
    struct device *controller; /* NULL: not connected */
    unsigned input;
    /* The line as an "interrupts" property says it: cells of that controller's own format. */
    uint8_t dt_cells;
    uint32_t dt[3];
};

void irq_line_set(const struct irq_line *line, bool level);
/* Edge: high, then low. */
void irq_line_pulse(const struct irq_line *line);

#endif
