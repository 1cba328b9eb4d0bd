/* Goldfish RTC: nanoseconds since 1970 in two registers; reading the low one latches the high one. */
#include "platform/bare/drivers/goldfish_rtc.h"
#include "lib/err.h"
#include "platform/bare/arch.h"
#include "platform/bare/sched/timer.h"

enum { TIME_LOW = 0, TIME_HIGH = 4 };

int goldfish_rtc_init(const struct board *b, dtb_node n)
{
    volatile uint8_t *base;
    uint64_t pa, size, ns;

    if (board_reg(b, n, 0, &pa, &size))
        return -ENODEV;
    base = arch_map_device(pa, size);
    if (!base)
        return -ENODEV;
    ns = *(volatile uint32_t *)(base + TIME_LOW);
    ns |= (uint64_t) * (volatile uint32_t *)(base + TIME_HIGH) << 32;
    clock_wall_set(ns);
    return 0;
}
