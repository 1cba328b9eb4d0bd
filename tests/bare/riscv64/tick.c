/*
 * A neighbour that says that it lives: a line each tenth of a second; as chatter much more often, as alarm by
 * the firmware's timer.
 */
#include "guest.h"

#ifndef RATE
#define RATE 10
#endif

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    put("tick trap\n");
    guest_off();
    return 0;
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    csr_write(sie, 1 << 5);
    for (uint64_t n = 0;; n++) {
        uint64_t at = now() + 10000000 / RATE;

#ifdef BY_CALL
        sbi(SBI_TIME, 0, at, 0, 0);
#else
        csr_write(0x14d, at);
#endif
        while (now() < at)
            __asm__ volatile("wfi");
        put("tick ");
        put_number(n);
        put("\n");
    }
}
