/* A guest that touches all of its RAM. */
#include "guest.h"
/* needs put() */
#include "../wide.h"

void guest_off(void)
{
    sbi(SBI_SRST, 0, 0, 0, 0);
}

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    return 4;
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    wide(0x80000000);
    for (;;)
        __asm__ volatile("wfi");
}
