/* The least guest: a call, a word by the UART, the end. */
#include "guest.h"

void guest_off(void)
{
    hvc(PSCI_OFF, 0, 0, 0);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    if (hvc(PSCI_VERSION, 0, 0, 0) == 0x10001)
        put("hello by HVC\n");
    put("hello by MMIO\n");
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
    guest_off();
    return 4;
}
