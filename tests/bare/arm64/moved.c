/* A guest for which somebody else's registers, or old ones of its own, would be noticed. */
#include "guest.h"

static void registers_set(uint64_t n)
{
    sys_write(tpidr_el1, n);
    sys_write(elr_el1, n);
    __asm__ volatile(".arch_extension fp\nfmov d8, %0\n.arch_extension nofp" ::"r"(n));
}

static bool registers_are(uint64_t n)
{
    uint64_t f;

    __asm__ volatile(".arch_extension fp\nfmov %0, d8\n.arch_extension nofp" : "=r"(f));
    return f == n && sys_read(tpidr_el1) == n && sys_read(elr_el1) == n;
}

/* needs the two */
#include "../moved.h"

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    w32(UART + 0x30, 0x301);
    sys_write(cpacr_el1, 3 << 20); /* FPEN */
    moved(sys_read(cntfrq_el0) / 10);
}
