/* NS16550A and its kin as the board's console, interrupt driven input. */
#ifndef CV_PLATFORM_BARE_DRIVERS_NS16550_H
#define CV_PLATFORM_BARE_DRIVERS_NS16550_H

#include "platform/bare/board.h"

/* The board's console from now on. -ENODEV: no such device, or it cannot be mapped. */
int ns16550_init(const struct board *b, dtb_node n);

#endif
