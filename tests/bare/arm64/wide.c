/* A guest that touches all of its RAM. */
#include "guest.h"
/* needs put() */
#include "../wide.h"

void guest_off(void)
{
    hvc(PSCI_OFF, 0, 0, 0);
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
    return 4;
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    wide(0x40000000);
    for (;;)
        __asm__ volatile("wfi");
}
