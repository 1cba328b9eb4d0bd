/* A guest on a virtio console. */
#include "guest.h"
#include "../hvc.h"

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    hvc_echo(hvc_find(0x10001000, 0x1000, 8));
}
