/* A neighbour that wants all of the CPU. */
#include "guest.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    for (;;)
        __asm__ volatile("");
}

void guest_pe(uint64_t context)
{
    (void)context;
}

void guest_irq(uint64_t ticks)
{
    (void)ticks;
}

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    return 0;
}

void guest_off(void)
{
}
