/*
 * Anything written to every register that does not end this program by itself: system registers of each
 * encoding, GIC, ITS with queues full of commands, PCI, flash and the devices, from four CPUs at once. There
 * is nothing to check but that the machine goes on.
 */
#include "gic.h"
#include "mmu.h"
#include "smp.h"

#ifdef SOAK
#define TRIES 300000u
#else
#define TRIES 20000u
#endif

#define QUEUE  0x4e000000UL
#define TABLES 0x4e100000UL /* 1 MiB */

static u64 state[CPUS];
static u32 code[CPUS][16] __attribute__((aligned(64)));
static unsigned spins[CPUS];

static u64 any(unsigned cpu)
{
    u64 x = state[cpu];

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return state[cpu] = x;
}

/* Often something that means something. */
static u64 value(unsigned cpu)
{
    u64 r = any(cpu);

    switch (r & 7) {
    case 0:
        return 0;
    case 1:
        return ~0UL;
    case 2:
        return 1UL << (r >> 8 & 63);
    case 3:
        return r >> 8 & 0xff;
    case 4:
        return TABLES + (r >> 8 & 0xfffff);
    case 5:
        return 1UL << 63 | (QUEUE + (r >> 8 & 0xf000));
    default:
        return any(cpu);
    }
}

/* Interrupts are taken and forgotten. */
static void take(u64 vector)
{
    u64 id = (vector & 0x180) == 0x100 ? GET(ICC_IAR0) : GET(ICC_IAR1);

    if (id < 1020 || id > 1023) {
        if ((vector & 0x180) == 0x100)
            SET(ICC_EOIR0, id);
        else
            SET(ICC_EOIR1, id);
        SET(ICC_DIR, id);
    }
    WRITE(cntv_ctl_el0, 2);
    WRITE(cntp_ctl_el0, 2);
    __asm__ volatile("msr pmcr_el0, %0\n msr daifset, #15" ::"r"(0UL));
}

/* op0, op1, CRn, CRm, op2 in bits 15:0; those without which this program does not go on. */
static int essential(u32 sys)
{
    static const u32 list[] = {
        0xc080, 0xc082,         /* SCTLR_EL1, CPACR_EL1 */
        0xc100, 0xc101, 0xc102, /* TTBR0, TTBR1, TCR */
        0xc510, 0xc600,         /* MAIR, VBAR */
        0xc210, 0xc208,         /* SPSel, SP_EL0 */
        0x8012,                 /* MDSCR_EL1 */
        0xc108, 0xc109, 0xc10a, 0xc10b, 0xc110, 0xc111, 0xc112, 0xc113, 0xc118, 0xc119, /* keys */
        0xc200, 0xc201, /* SPSR_EL1, ELR_EL1: of an exception between two instructions here */
    };

    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (list[i] == sys)
            return 1;
    }
    return (sys & 0xc000) != 0x8000 && (sys & 0xc000) != 0xc000;
}

static void system_register(unsigned cpu)
{
    u64 r = any(cpu), v = value(cpu);
    /* CRn where there are some. */
    static const u8 crn[] = {0, 1, 4, 5, 6, 7, 9, 9, 10, 12, 12, 13, 14, 14, 14, 3};
    u32 sys = 0x8000 | (r & 1) << 14 | (r >> 1 & 3 ? (r >> 3 & 1) * 3 : r >> 3 & 7) << 11 |
              (u32)crn[r >> 8 & 15] << 7 | (r >> 16 & 0x7f);

    if (essential(sys) && (r >> 32 & 1))
        return;
    code[cpu][0] = (r >> 32 & 1 ? 0xd5000000 : 0xd5200000) | sys << 5;
    code[cpu][1] = 0xd65f03c0;
    __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" ::"r"(code[cpu]) : "memory");
    __asm__ volatile("mov x0, %0\n blr %1\n msr daifset, #15\n msr spsel, #1" ::"r"(v), "r"(code[cpu])
                     : "x0", "x30", "memory", "cc");
    if ((r >> 33 & 31) == 0)
        __asm__ volatile("msr daifclr, #7\n isb\n msr daifset, #15" ::: "memory");
}

static void access(unsigned cpu, u64 at, unsigned size, u64 v, int write)
{
    (void)cpu;
    at &= ~(u64)(size - 1);
    if (size == 1 && write)
        MMIO8(at) = (u8)v;
    else if (size == 4 && write)
        MMIO32(at) = (u32)v;
    else if (size == 8 && write)
        MMIO64(at) = v;
    else if (size == 1)
        (void)MMIO8(at);
    else if (size == 4)
        (void)MMIO32(at);
    else
        (void)MMIO64(at);
}

static void device(unsigned cpu)
{
    static const struct {
        u64 base, size;
    } windows[] = {
        {GICD, 0x10000},       {GICD, 0x1000},       {GICD + 0x6000, 0x1000}, {GICR, 0x80000},
        {ITS, 0x20000},        {ITS, 0x140},         {0x09010000, 0x1000},    {0x09020000, 0x18},
        {0x09030000, 0x430},   {0x0a000000, 0x4000}, {0x3f000000, 0x10000},   {0x10000000, 0x10000},
        {0x04000000, 0x10000}, {0x09000008, 0x40},
    };
    u64 r = any(cpu);
    unsigned w = r % (sizeof(windows) / sizeof(windows[0]));
    u64 at = windows[w].base + (r >> 8) % windows[w].size;
    unsigned size = (r >> 4 & 3) == 3 ? 8 : (r >> 4 & 3) == 2 ? 1 : 4;

    access(cpu, at, size, value(cpu), r >> 6 & 1);
}

/* A queue of plausible commands, and the ITS and LPIs on it. */
static void commands(unsigned cpu)
{
    u64 r = any(cpu), at = QUEUE + (r & 0xfe0);

    for (unsigned i = 0; i < 16; i++, at = QUEUE + ((at + 32) & 0xfff)) {
        r = any(cpu);
        MMIO64(at) = (r & 15) | (r >> 4 & 7) << 32;
        MMIO64(at + 8) = (r >> 8 & 15) | (8192 + (r >> 12 & 63)) << 32;
        MMIO64(at + 16) =
            (r >> 20 & 3) | (r >> 24 & 3) << 16 | (r >> 26 & 1) << 63 | (TABLES & ((r & 15) == 8 ? ~0UL : 0));
        MMIO64(at + 24) = (r >> 28 & 3) << 16;
    }
    r = any(cpu);
    if (!(r & 7)) {
        MMIO32(ITS) = 0;
        MMIO64(ITS + 0x80) = 1UL << 63 | QUEUE;
        MMIO64(ITS + 0x100) = 1UL << 63 | (TABLES + 0x1000) | (r >> 4 & 3);
        MMIO32(ITS) = 1;
    }
    if (!(r & 0x70)) {
        u64 rd = RD(r >> 8 & 3);

        MMIO32(rd) = 0;
        MMIO64(rd + 0x70) = (TABLES + 0x10000) | 15;
        MMIO64(rd + 0x78) = TABLES + 0x20000 + (r >> 12 & 0xf) * 0x10000;
        MMIO32(rd) = 1;
    }
    MMIO64(ITS + 0x88) = r >> 16 & 0xfe0;
}

static void hostile(unsigned cpu)
{
    state[cpu] = 0x9e3779b97f4a7c15 * (cpu + 1);
    SET(ICC_IGRPEN1, 1);
    SET(ICC_PMR, 0xff);
    for (unsigned i = 0; i < TRIES; i++) {
        u64 r = any(cpu) & 15;

        spins[cpu]++;
        try_begin(0);
        if (r < 6)
            system_register(cpu);
        else if (r < 14)
            device(cpu);
        else
            commands(cpu);
    }
    barrier();
}

void test_main(void)
{
    section("any register, any value");
    mmu_on();
    interrupt = take;
    on_cpus(CPUS, hostile);
    MMIO32(0x0900002c) = 0x70; /* the console as it was: UARTLCR_H, UARTCR */
    MMIO32(0x09000030) = 0x301;
}
