/* What a guest does where it says nothing else: other PEs and interrupts nothing, an exception is the end. */
#include "guest.h"

#define DEFAULT __attribute__((weak))

DEFAULT void guest_off(void)
{
    hvc(PSCI_OFF, 0, 0, 0);
}

DEFAULT void guest_pe(uint64_t context)
{
    (void)context;
}

DEFAULT void guest_irq(uint64_t ticks)
{
    (void)ticks;
}

DEFAULT uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    guest_off();
    return 4;
}
