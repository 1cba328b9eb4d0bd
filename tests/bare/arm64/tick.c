/* A neighbour that says that it lives: a line each tenth of a second; as chatter much more often. */
#include "guest.h"

#ifndef RATE
#define RATE 10
#endif

void guest_main(uint64_t dtb, uint64_t ticks)
{
    uint64_t at = now(), step = sys_read(cntfrq_el0) / RATE;

    (void)dtb;
    (void)ticks;
    gic_start(0);
    for (unsigned n = 1;; n++) {
        at += step;
        sys_write(cntv_cval_el0, at);
        sys_write(cntv_ctl_el0, 1);
        while (now() < at)
            __asm__ volatile("wfi");
        sys_write(cntv_ctl_el0, 0);
        put("tick ");
        put_number(n);
        put("\n");
    }
}
