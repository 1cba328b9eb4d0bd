/* A neighbour that wants all of the CPU. */
#include "guest.h"

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    for (;;)
        __asm__ volatile("");
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
}

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    return 0;
}

void guest_off(void)
{
}
