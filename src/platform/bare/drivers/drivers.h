/* Which drivers a board needs: boot/<isa>/devices.c says by its table. */
#ifndef CV_PLATFORM_BARE_DRIVERS_DRIVERS_H
#define CV_PLATFORM_BARE_DRIVERS_DRIVERS_H

#include "platform/bare/board.h"

/* Interrupt controllers first, then console and clock. -E... with the reason in words. */
int drivers_setup(const struct board *b, char *why, size_t why_size);
/* The CPU's own side of controllers; interrupts are off. */
void drivers_cpu_setup(struct cpu *c);

#endif
