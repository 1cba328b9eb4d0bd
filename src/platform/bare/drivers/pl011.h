/* PL011 of the board as its console: the one of /chosen stdout-path, or the first. */
#ifndef CV_PLATFORM_BARE_DRIVERS_PL011_H
#define CV_PLATFORM_BARE_DRIVERS_PL011_H

struct board;
void pl011_init(const struct board *b);

#endif
