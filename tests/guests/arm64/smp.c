/* More CPUs: see smp.h. */
#include "smp.h"

u64 smp_error;
static struct {
    void (*fn)(unsigned cpu);
    u64 mair, tcr, ttbr0, ttbr1, sctlr;
} job;
static unsigned members;
static volatile unsigned running;
static volatile unsigned arrived, round;
static u8 stacks[CPUS][16384] __attribute__((aligned(16)));

void secondary(u64 cpu);
extern char secondary_entry[];

__asm__(".text\n"
        ".global secondary_entry\n"
        "secondary_entry:\n" /* x0: its stack's end, below which stands its number */
        "    msr spsel, #1\n"
        "    mov sp, x0\n"
        "    ldr x1, =vectors\n"
        "    msr vbar_el1, x1\n"
        "    mov x1, #(3 << 20)\n"
        "    msr cpacr_el1, x1\n"
        "    isb\n"
        "    ldr x0, [sp, #-8]\n"
        "    b secondary\n");

u64 psci(u32 function, u64 a, u64 b, u64 c)
{
    return HVC(function, a, b, c);
}

/* Atomics want translation on (Normal memory). */
static unsigned add(volatile unsigned *p, unsigned n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_SEQ_CST);
}

void barrier(void)
{
    unsigned r = round;

    if (add(&arrived, 1) == members) {
        arrived = 0;
        add(&round, 1);
    } else {
        while (__atomic_load_n(&round, __ATOMIC_ACQUIRE) == r)
            ;
    }
}

void secondary(u64 cpu)
{
    WRITE(mair_el1, job.mair);
    WRITE(tcr_el1, job.tcr);
    WRITE(ttbr0_el1, job.ttbr0);
    WRITE(ttbr1_el1, job.ttbr1);
    __asm__ volatile("tlbi vmalle1\n dsb ish\n isb" ::: "memory");
    WRITE(sctlr_el1, job.sctlr);
    job.fn((unsigned)cpu);
    add(&running, -1u);
    psci(CPU_OFF, 0, 0, 0);
    for (;;)
        ;
}

void on_cpus(unsigned n, void (*fn)(unsigned cpu))
{
    job.fn = fn;
    job.mair = READ(mair_el1);
    job.tcr = READ(tcr_el1);
    job.ttbr0 = READ(ttbr0_el1);
    job.ttbr1 = READ(ttbr1_el1);
    job.sctlr = READ(sctlr_el1);
    members = n;
    running = n - 1;
    arrived = 0;
    for (u64 i = 1; i < n; i++) {
        u8 *top = stacks[i] + sizeof(stacks[i]);

        ((volatile u64 *)top)[-1] = i;
        __asm__ volatile("dsb ish" ::: "memory");
        do
            smp_error = psci(CPU_ON64, i, (u64)secondary_entry, (u64)top);
        while (smp_error == -4UL); /* still on its way off */
        check("CPU_ON", smp_error, 0);
    }
    fn(0);
    while (running)
        ;
    for (u64 i = 1; i < n; i++) {
        while (psci(AFFINITY64, i, 0, 0) != 1)
            ;
    }
}
