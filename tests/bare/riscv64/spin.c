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
