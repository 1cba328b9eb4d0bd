/* PSCI by HVC (DEN 0022): versions, CPU_ON and its errors, CPU_OFF, AFFINITY_INFO, CPU_SUSPEND, SYSTEM_RESET.
 */
#include "gic.h"
#include "mmu.h"
#include "smp.h"

#define VERSION       0x84000000u
#define SUSPEND64     0xc4000001u
#define CPU_ON32      0x84000003u
#define AFFINITY32    0x84000004u
#define MIGRATE_TYPE  0x84000006u
#define FEATURES      0x8400000au
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH    0x80000001u
#define TRNG_VERSION  0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_RND64    0xc4000053u

#define NOT_SUPPORTED      ((u64)-1)
#define INVALID_PARAMETERS ((u64)-2)
#define ALREADY_ON         ((u64)-4)

/* Kept by a reset: an ELF is loaded below. */
#define MARK   (*(volatile u64 *)0x4f000000)
#define MARKED 0x5e7f0a11c0ffeeUL

static volatile u64 seen[CPUS], level[CPUS];
static volatile unsigned stay;

static void versions(void)
{
    section("versions and features");
    check("PSCI 1.1 at least", psci(VERSION, 0, 0, 0) >= 0x10001, 1);
    check("CPU_ON is there", psci(FEATURES, CPU_ON64, 0, 0), 0);
    check("SYSTEM_RESET is there", psci(FEATURES, SYSTEM_RESET, 0, 0), 0);
    check("a function that is not", (u32)psci(FEATURES, 0x84000099, 0, 0), (u32)NOT_SUPPORTED);
    check("an unknown call", (u32)psci(0x84000099, 0, 0, 0), (u32)NOT_SUPPORTED);
    check("no migration", psci(MIGRATE_TYPE, 0, 0, 0), 2);
}

static void errors(void)
{
    section("errors");
    check("CPU_ON of itself", psci(CPU_ON64, 0, 0x40080000, 0), ALREADY_ON);
    check("of nobody", psci(CPU_ON64, 77, 0x40080000, 0), INVALID_PARAMETERS);
    check("of a level", psci(CPU_ON64, 1UL << 8, 0x40080000, 0), INVALID_PARAMETERS);
    check("AFFINITY_INFO of itself", psci(AFFINITY64, 0, 0, 0), 0);
    check("of one that is off", psci(AFFINITY64, 1, 0, 0), 1);
    check("by the 32-bit call", psci(AFFINITY32, 1, 0, 0), 1);
    check("of nobody", psci(AFFINITY64, 77, 0, 0), INVALID_PARAMETERS);
}

static void where(unsigned cpu)
{
    seen[cpu] = READ(mpidr_el1) & 0xff00ffffff;
    level[cpu] = READ(currentel);
    barrier();
    if (cpu == 0)
        for (u64 i = 1; i < CPUS; i++) {
            check("AFFINITY_INFO: on", psci(AFFINITY64, i, 0, 0), 0);
            check("CPU_ON of one that is on", psci(CPU_ON64, i, 0x40080000, 0), ALREADY_ON);
        }
    barrier();
}

static void others(void)
{
    section("CPU_ON and CPU_OFF");
    for (unsigned round = 0; round < 4; round++) {
        on_cpus(CPUS, where);
        for (unsigned i = 0; i < CPUS; i++) {
            check("MPIDR", seen[i], i);
            check("level", level[i], 4);
        }
    }
}

/* An SGI wakes it from standby, masked by PSTATE; the call returns. */
static void suspend(void)
{
    section("CPU_SUSPEND, standby");
    gic_on(0);
    gic_enable(0, 4);
    WRITE(cntv_tval_el0, 20000);
    WRITE(cntv_ctl_el0, 1);
    gic_enable(0, 27);
    check("returns", psci(SUSPEND64, 0, 0, 0), 0);
    check("woken by the timer", READ(cntv_ctl_el0) & 4, 4);
    WRITE(cntv_ctl_el0, 0);
    gic_disable(0, 27);
}

static void sgi_from(unsigned cpu)
{
    gic_on(cpu);
    gic_enable(cpu, 4);
    barrier();
    if (cpu) {
        while (!(READ(isr_el1) & 1 << 7))
            __asm__ volatile("wfi" ::: "memory");
        seen[cpu] = GET(ICC_IAR1);
        SET(ICC_EOIR1, seen[cpu]);
    } else {
        SET(ICC_SGI1R, 4UL << 24 | 1UL << 40);
    }
    barrier();
}

static void event_from(unsigned cpu)
{
    barrier();
    if (!cpu) {
        for (volatile unsigned i = 0; i < 20000; i++)
            ;
        __asm__ volatile("dsb ish" ::: "memory");
        stay = 0;
        __asm__ volatile("dsb ish\n sev" ::: "memory");
    }
    while (__atomic_load_n(&stay, __ATOMIC_ACQUIRE))
        __asm__ volatile("wfe" ::: "memory");
    barrier();
}

static void signals(void)
{
    section("SGIs to the others in WFI");
    on_cpus(CPUS, sgi_from);
    for (unsigned i = 1; i < CPUS; i++)
        check("id", seen[i], 4);
    section("SEV to the others in WFE");
    for (unsigned round = 0; round < 6; round++) {
        stay = 1;
        on_cpus(CPUS, event_from);
    }
}

static void discovery(void)
{
    section("SMCCC and TRNG");
    check("SMCCC 1.1 at least", psci(SMCCC_VERSION, 0, 0, 0) >= 0x10001, 1);
    if (psci(TRNG_VERSION, 0, 0, 0) >> 31 & 1) /* QEMU has none */
        return;
    check("TRNG 1.0", psci(TRNG_VERSION, 0, 0, 0), 0x10000);
    check("64-bit numbers", psci(TRNG_FEATURES, TRNG_RND64, 0, 0), 0);
    check("none asked for", psci(TRNG_RND64, 0, 0, 0), INVALID_PARAMETERS);
    check("too many", psci(TRNG_RND64, 193, 0, 0), INVALID_PARAMETERS);
    check("some", psci(TRNG_RND64, 192, 0, 0), 0);
}

static void random_numbers(void)
{
    u64 a, b, flags;

    if (!(READ(id_aa64isar0_el1) >> 60))
        return;
    section("RNDR and RNDRRS");
    __asm__ volatile("msr nzcv, %3\n mrs %0, s3_3_c2_c4_0\n mrs %2, nzcv\n mrs %1, s3_3_c2_c4_1"
                     : "=&r"(a), "=&r"(b), "=&r"(flags)
                     : "r"(0xf0000000UL));
    check("NZCV 0000: there is a number", flags, 0);
    check("not the same", a != b, 1);
}

void test_main(void)
{
    mmu_on();
    if (MARK == MARKED) {
        MARK = 0;
        section("SYSTEM_RESET came back to the start");
        check("the others are off", psci(AFFINITY64, 1, 0, 0), 1);
        return;
    }
    versions();
    errors();
    others();
    suspend();
    signals();
    discovery();
    random_numbers();
    section("SYSTEM_RESET");
    section(0);
    MARK = MARKED;
    __asm__ volatile("dsb sy" ::: "memory");
    psci(SYSTEM_RESET, 0, 0, 0);
    for (;;)
        ;
}
