/* A guest that takes whatever interrupt comes, and asked for none. */
#include "guest.h"

static volatile unsigned strays;

void guest_irq(uint64_t ticks)
{
    uint64_t id = gic_ack();

    (void)ticks;
    if (id >= 1020)
        return;
    strays++;
    gic_end(id);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    uint64_t at = now(), step = sys_read(cntfrq_el0) / 10;

    (void)dtb;
    (void)ticks;
    gic_start(0);
    __asm__ volatile("msr daifclr, #2");
    for (;;) {
        at += step;
        while (now() < at)
            ;
        put("strays ");
        put_number(strays);
        put("\n");
    }
}
