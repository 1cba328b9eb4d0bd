/* A guest on a virtio console. */
#include "guest.h"
#include "../hvc.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    hvc_echo(hvc_find(0x0a000000, 0x200, 32));
}
