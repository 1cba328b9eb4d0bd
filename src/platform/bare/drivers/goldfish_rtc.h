/* The goldfish real-time clock: what time it is at boot. */
#ifndef CV_PLATFORM_BARE_DRIVERS_GOLDFISH_RTC_H
#define CV_PLATFORM_BARE_DRIVERS_GOLDFISH_RTC_H

#include "platform/bare/board.h"

/* Sets the wall clock. -ENODEV. */
int goldfish_rtc_init(const struct board *b, dtb_node n);

#endif
