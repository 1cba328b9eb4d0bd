/* What a guest does where it says nothing else: other harts nothing, a trap is the end. */
#include "guest.h"

#define DEFAULT __attribute__((weak))

DEFAULT void guest_off(void)
{
    sbi(SBI_SRST, 0, 0, 0, 0);
}

DEFAULT void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
}

DEFAULT uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    guest_off();
    return 0;
}
