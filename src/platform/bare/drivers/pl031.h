/* PL031 of the board: the wall clock as the hypervisor starts. */
#ifndef CV_PLATFORM_BARE_DRIVERS_PL031_H
#define CV_PLATFORM_BARE_DRIVERS_PL031_H

struct board;
void pl031_init(const struct board *b);

#endif
