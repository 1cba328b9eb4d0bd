/* PL031 (DDI 0224): seconds since 1970 in DR. */
#include "platform/bare/drivers/pl031.h"
#include "platform/bare/arch.h"
#include "platform/bare/board.h"
#include "platform/bare/sched/timer.h"

void pl031_init(const struct board *b)
{
    dtb_node n = dtb_compatible(&b->dtb, DTB_NONE, "arm,pl031");
    const volatile uint32_t *rtc;
    uint64_t pa, size;

    if (n == DTB_NONE || board_reg(b, n, 0, &pa, &size))
        return;
    rtc = arch_map_device(pa, size);
    if (rtc)
        clock_wall_set(rtc[0] * UINT64_C(1000000000));
}
