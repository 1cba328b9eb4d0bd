/* The board's PLIC as root of its interrupts. */
#ifndef CV_PLATFORM_BARE_DRIVERS_RISCV64_PLIC_H
#define CV_PLATFORM_BARE_DRIVERS_RISCV64_PLIC_H

#include "platform/bare/board.h"

/* -ENODEV, -ENOMEM. */
int plic_init(const struct board *b, dtb_node n);
/* This CPU's side. Nothing where the board has no PLIC. */
void plic_cpu_setup(struct cpu *c);

#endif
