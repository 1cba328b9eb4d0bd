/* A neighbour with interrupts pending all the time, in every list register there is, and masked. */
#include "guest.h"

#define FIRST 40u /* SPI */
#define COUNT 12u

void guest_main(uint64_t dtb, uint64_t ticks)
{
    uint64_t at = now(), step = sys_read(cntfrq_el0) / 10;

    (void)dtb;
    (void)ticks;
    gic_start(0);
    for (unsigned id = FIRST; id < FIRST + COUNT; id++) {
        w32(GICD + 0x80 + id / 32 * 4, r32(GICD + 0x80 + id / 32 * 4) | 1u << id % 32);
        w32(GICD + 0x100 + id / 32 * 4, 1u << id % 32);
        w32(GICD + 0x200 + id / 32 * 4, 1u << id % 32);
    }
    for (unsigned n = 1;; n++) {
        at += step;
        while (now() < at)
            ;
        put("flood ");
        put_number(n);
        put("\n");
    }
}
