/*
 * A guest that reads its clock again and again (where tests/bare/guests has the hypervisor fail), and does
 * what it is typed: r resets it, x loses its way for good: each exception is the cause of the next. All else
 * it writes back.
 */
#include "guest.h"

#define RTC 0x09010000ul

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    return 4;
}

static char typed(void)
{
    return r32(UART + 0x18) & 0x10 ? 0 : (char)r32(UART);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    w32(UART + 0x30, 0x301);
    put("victim up\n");
    for (;;) {
        uint64_t until = now() + sys_read(cntfrq_el0) / 1000;

        (void)r32(RTC);
        while (now() < until)
            ;
        char c = typed();

        switch (c) {
        case 0:
            break;
        case 'r':
            hvc(0x84000009, 0, 0, 0);
            break;
        case 'x':
            put("victim lost\n");
            sys_write(vbar_el1, 0x30000000);
            __asm__ volatile("udf #0");
            break;
        default:
            put((char[]){c, 0});
        }
    }
}
