/* A neighbour that says that it lives: a line each tenth of a second. */
#include "guest.h"

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
    guest_off();
    return 4;
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    uint64_t at = now(), step = sys_read(cntfrq_el0) / 10;

    (void)dtb;
    (void)ticks;
    gic_start(0);
    for (unsigned n = 1;; n++) {
        at += step;
        sys_write(cntv_cval_el0, at);
        sys_write(cntv_ctl_el0, 1);
        while (now() < at)
            __asm__ volatile("wfi");
        sys_write(cntv_ctl_el0, 0);
        put("tick ");
        put_number(n);
        put("\n");
    }
}
