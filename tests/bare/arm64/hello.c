/* The least guest: a call, a word by the UART, the end. */
#include "guest.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    if (hvc(PSCI_VERSION, 0, 0, 0) == 0x10001)
        put("hello by HVC\n");
    put("hello by MMIO\n");
}
