/* The least guest: a word by the firmware's console, one by the UART, the end. */
#include "guest.h"

void guest_off(void)
{
    sbi(SBI_SRST, 0, 0, 0, 0);
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    for (const char *s = "hello by ecall\n"; *s; s++)
        sbi(1, 0, (uint8_t)*s, 0, 0);
    put("hello by MMIO\n");
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
}

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    guest_off();
    return 0;
}
