/* A neighbour that wants all of the CPU. */
#include "guest.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    for (;;)
        __asm__ volatile("");
}
