/* A guest that touches all of its RAM. */
#include "guest.h"
/* needs put() */
#include "../wide.h"

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    wide(0x80000000);
    for (;;)
        __asm__ volatile("wfi");
}
