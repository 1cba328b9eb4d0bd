/* A guest of the GICv2: its interface is memory, on whatever board. A line for each tick of its timer. */
#include "guest.h"

#define GICC 0x08010000ul

static volatile unsigned ticks, strange;

void guest_off(void)
{
    hvc(PSCI_OFF, 0, 0, 0);
}

void guest_pe(uint64_t context)
{
    (void)context;
}

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    put("gicv2 trap\n");
    guest_off();
    return 4;
}

void guest_irq(uint64_t at)
{
    uint32_t id = r32(GICC + 0xc);

    (void)at;
    if (id == 27)
        ticks++;
    else
        strange++;
    sys_write(cntv_ctl_el0, 0);
    w32(GICC + 0x10, id);
}

void guest_main(uint64_t dtb, uint64_t at)
{
    (void)dtb;
    (void)at;
    w32(GICD, 1);
    w32(GICD + 0x100, 1u << 27);
    w32(GICC + 4, 0xf0);
    w32(GICC, 1);
    for (unsigned n = 1; n <= 20; n++) {
        sys_write(cntv_cval_el0, now() + sys_read(cntfrq_el0) / 100);
        sys_write(cntv_ctl_el0, 1);
        while (ticks < n && !strange)
            __asm__ volatile("wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
    }
    put(strange ? "gicv2 strange\n" : "gicv2 ticked\n");
    for (;;)
        __asm__ volatile("wfi");
}
