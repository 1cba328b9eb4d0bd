/*
 * A guest that reads its clock again and again (where tests/bare/guests has the hypervisor fail), and does
 * what it is typed: r resets it, x loses its way for good: each exception is the cause of the next. All else
 * it writes back.
 */
#include "guest.h"

#define RTC ((volatile uint32_t *)0x101000)

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)scause;
    (void)stval;
    (void)at;
    return 4;
}

static char typed(void)
{
    return UART[5] & 1 ? (char)UART[0] : 0;
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    put("victim up\n");
    for (;;) {
        uint64_t until = now() + 10000;

        (void)RTC[0];
        while (now() < until)
            ;
        char c = typed();

        switch (c) {
        case 0:
            break;
        case 'r':
            sbi(SBI_SRST, 0, 1, 0, 0);
            break;
        case 'x':
            put("victim lost\n");
            csr_write(stvec, 0x30000000);
            __asm__ volatile("unimp");
            break;
        default:
            put((char[]){c, 0});
        }
    }
}
