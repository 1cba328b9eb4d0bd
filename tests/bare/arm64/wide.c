/* A guest that touches all of its RAM. */
#include "guest.h"
/* needs put() */
#include "../wide.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    wide(0x40000000);
    for (;;)
        __asm__ volatile("wfi");
}
