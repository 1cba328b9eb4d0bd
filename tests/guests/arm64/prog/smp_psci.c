/*
 * PSCI by HVC and SMC (DEN 0022): what is there, CPU_ON and its errors, CPU_OFF, AFFINITY_INFO, CPU_SUSPEND,
 * SYSTEM_RESET and SYSTEM_RESET2; SMCCC discovery (DEN 0028), TRNG (DEN 0098).
 */
#include "gic.h"
#include "mmu.h"
#include "smp.h"

#define VERSION       0x84000000u
#define SUSPEND32     0x84000001u
#define SUSPEND64     0xc4000001u
#define CPU_ON32      0x84000003u
#define AFFINITY32    0x84000004u
#define MIGRATE_TYPE  0x84000006u
#define SYSTEM_OFF    0x84000008u
#define FEATURES      0x8400000au
#define RESET2_32     0x84000012u
#define RESET2_64     0xc4000012u
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH    0x80000001u
#define SOC_ID        0x80000002u
#define WORKAROUND_1  0x80008000u
#define WORKAROUND_2  0x80007fffu
#define WORKAROUND_3  0x80003fffu
#define TRNG_VERSION  0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_RND64    0xc4000053u

#define NOT_SUPPORTED      ((u64)-1)
#define INVALID_PARAMETERS ((u64)-2)
#define ALREADY_ON         ((u64)-4)
#define INVALID_ADDRESS    ((u64)-9)

/* Kept by a reset: an ELF is loaded below. */
#define MARK   (*(volatile u64 *)0x4f000000)
#define MARKED 0x5e7f0a11c0ffeeUL /* + how many resets there were */

static volatile u64 seen[CPUS], level[CPUS];
static volatile unsigned stay;

static u64 smc(u32 function, u64 a, u64 b)
{
    register u64 x0 __asm__("x0") = function;
    register u64 x1 __asm__("x1") = a;
    register u64 x2 __asm__("x2") = b;

    __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2)::"x3", "memory");
    return x0;
}

/* QEMU without EL3 has PSCI alone. */
static int whole(void)
{
    return !(psci(TRNG_VERSION, 0, 0, 0) >> 31 & 1);
}

static void versions(void)
{
    static const u32 there[] = {VERSION,    SUSPEND32,  SUSPEND64,    CPU_OFF,    CPU_ON32,     CPU_ON64,
                                AFFINITY32, AFFINITY64, MIGRATE_TYPE, SYSTEM_OFF, SYSTEM_RESET, FEATURES};
    /* Trusted OS, freezing, statistics, suspend to memory, protection; what is no function of PSCI. */
    static const u32 absent[] = {0x84000005, 0xc4000005, 0x84000007, 0xc4000007, 0x8400000b, 0x8400000c,
                                 0xc400000c, 0x8400000d, 0xc400000d, 0x8400000e, 0xc400000e, 0x8400000f,
                                 0x84000010, 0xc4000010, 0x84000011, 0xc4000011, 0x84000013, 0x84000014,
                                 0xc4000014, 0x84000015, 0x84000099, 0xc4000000, 0xc4000002, 0xc4000008,
                                 0xc4000009, 0xc400000a};
    static const u32 others[] = {SMCCC_ARCH, TRNG_VERSION, TRNG_RND64, 0x86000000, 0};

    section("versions and features");
    check("PSCI 1.1 at least", psci(VERSION, 0, 0, 0) >= 0x10001, 1);
    for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++)
        check("a function that is there", psci(FEATURES, there[i], 0, 0) | (u64)there[i] << 32,
              (u64)there[i] << 32);
    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        check("a function that is not", (u32)psci(FEATURES, absent[i], 0, 0) | (u64)absent[i] << 32,
              (u32)NOT_SUPPORTED | (u64)absent[i] << 32);
        check("and called", (u32)psci(absent[i], 0, 0, 0) | (u64)absent[i] << 32,
              (u32)NOT_SUPPORTED | (u64)absent[i] << 32);
    }
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        check("one that is not PSCI's", (u32)psci(FEATURES, others[i], 0, 0), (u32)NOT_SUPPORTED);
    check("no migration", psci(MIGRATE_TYPE, 0, 0, 0), 2);
    if (!whole())
        return;
    check("SYSTEM_RESET2 is there", psci(FEATURES, RESET2_32, 0, 0) | psci(FEATURES, RESET2_64, 0, 0), 0);
    check("the version of the calls is", psci(FEATURES, SMCCC_VERSION, 0, 0), 0);
    check("by SMC", smc(VERSION, 0, 0), psci(VERSION, 0, 0, 0));
    check("features by SMC", smc(FEATURES, CPU_ON64, 0), 0);
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
    if (!whole())
        return;
    check("whose arguments are words", psci(AFFINITY32, 0xffffffff00000001, 0xffffffff00000000, 0), 1);
    check("which those of the others are not", psci(AFFINITY64, 0xffffffff00000001, 0, 0),
          INVALID_PARAMETERS);
    check("entry in no memory", psci(CPU_ON64, 1, 0x09000000, 0), INVALID_ADDRESS);
    check("a level that is not kept", psci(AFFINITY64, 1, 1, 0), INVALID_PARAMETERS);
    check("CPU_SUSPEND with reserved bits", psci(SUSPEND64, 1UL << 26, 0, 0), INVALID_PARAMETERS);
    check("SYSTEM_RESET2 of a type", psci(RESET2_64, 1, 0, 0), INVALID_PARAMETERS);
    check("of a vendor's", psci(RESET2_64, 1UL << 31, 0, 0), INVALID_PARAMETERS);
    check("by the 32-bit call", (u32)psci(RESET2_32, 1, 0, 0), (u32)INVALID_PARAMETERS);
    check("by SMC", (u32)smc(RESET2_32, 1UL << 31, 0), (u32)INVALID_PARAMETERS);
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
    if (!whole())
        return;
    check("ARCH_FEATURES of itself", psci(SMCCC_ARCH, SMCCC_ARCH, 0, 0), 0);
    check("of the version", psci(SMCCC_ARCH, SMCCC_VERSION, 0, 0), 0);
    check("the first workaround is not needed", psci(SMCCC_ARCH, WORKAROUND_1, 0, 0), 1);
    check("nor the second", psci(SMCCC_ARCH, WORKAROUND_2, 0, 0), 1);
    check("nor the third", psci(SMCCC_ARCH, WORKAROUND_3, 0, 0), 1);
    check("no SoC id", (u32)psci(SMCCC_ARCH, SOC_ID, 0, 0), (u32)NOT_SUPPORTED);
    check("its call", (u32)psci(SOC_ID, 0, 0, 0), (u32)NOT_SUPPORTED);
    check("what is none of its range", (u32)psci(SMCCC_ARCH, VERSION, 0, 0), (u32)NOT_SUPPORTED);
    check("by SMC", smc(SMCCC_ARCH, WORKAROUND_1, 0), 1);
    check("version by SMC", smc(SMCCC_VERSION, 0, 0), psci(SMCCC_VERSION, 0, 0, 0));
    check("TRNG 1.0", psci(TRNG_VERSION, 0, 0, 0), 0x10000);
    check("64-bit numbers", psci(TRNG_FEATURES, TRNG_RND64, 0, 0), 0);
    check("no function of its", (u32)psci(TRNG_FEATURES, VERSION, 0, 0), (u32)NOT_SUPPORTED);
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

static void reset(const char *name, u32 function)
{
    section(name);
    section(0);
    MARK++;
    __asm__ volatile("dsb sy" ::: "memory");
    psci(function, 0, 0, 0);
    section(name);
    check("it returned", 1, 0);
    finish();
}

/* What follows the resets, one after the other. */
static void came_back(void)
{
    section("it came back to the start");
    check("the others are off", psci(AFFINITY64, 1, 0, 0), 1);
    if (whole() && MARK == MARKED + 1)
        reset("SYSTEM_RESET2, warm", RESET2_64);
    if (whole() && MARK == MARKED + 2)
        reset("SYSTEM_RESET2 by the 32-bit call", RESET2_32);
    MARK = 0;
}

void test_main(void)
{
    mmu_on();
    if (MARK - MARKED - 1 < 3) {
        came_back();
        return;
    }
    versions();
    errors();
    others();
    suspend();
    signals();
    discovery();
    random_numbers();
    MARK = MARKED;
    reset("SYSTEM_RESET", SYSTEM_RESET);
}
