/*
 * Performance monitors and debug registers beside a neighbour that uses the same ones in another way:
 * breakpoint and watchpoint at the same addresses (off), counters with other values. Compiled twice;
 * -DNEIGHBOUR is the other one. A line "ok WHAT" or "not ok WHAT" each.
 */
#include "guest.h"

#ifdef NEIGHBOUR
#define MINE 0x1000
#else
#define MINE 0x2000
#endif
#define ROUNDS   400
#define PMU_PPI  23
#define KDE_MDE  (1 << 13 | 1 << 15)
#define EL1      (1 << 1 | 1) /* PMC or PAC: EL1; E */
#define ALL_BAS  (0xf << 5)   /* BAS of an instruction */
#define STORES   (2 << 3 | 0xff << 5)
#define OVERFLOW (UINT64_C(1) << 31)

static volatile uint64_t watched, breaks, watches, others, overflows, unknown;

/* The instruction that the breakpoint is at, and the store that is watched, are stepped over. */
uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    switch (esr >> 26) {
    case 0x31:
        breaks++;
        break;
    case 0x35:
        watches += far == (uint64_t)&watched;
        break;
    case 0:
        unknown++;
        break;
    default:
        others++;
    }
    return 4;
}

void guest_irq(uint64_t ticks)
{
    uint64_t id = gic_ack();

    (void)ticks;
    if (id >= 1020)
        return;
    overflows += id == PMU_PPI && sys_read(pmovsset_el0) == OVERFLOW;
    sys_write(pmovsclr_el0, OVERFLOW);
    gic_end(id);
}

extern const char stop[];
static void __attribute__((noinline)) stopped(void)
{
    __asm__ volatile("stop: nop" ::: "memory");
}

static void spend(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("nop" ::: "memory");
}

static void debug_set(bool on)
{
    sys_write(oslar_el1, 0);
    sys_write(dbgbvr1_el1, (uint64_t)stop + (on ? 0 : MINE));
    sys_write(dbgbcr1_el1, ALL_BAS | EL1);
    sys_write(dbgwvr2_el1, (uint64_t)&watched + (on ? 0 : MINE));
    sys_write(dbgwcr2_el1, STORES | EL1);
    sys_write(mdscr_el1, KDE_MDE);
    __asm__ volatile("msr daifclr, #8\n\tisb");
}

/* A counter that stands has its value, whoever else counts; the cycle counter goes on. */
static void counters_set(void)
{
    sys_write(pmcr_el0, 1 << 6 | 1 << 2 | 1 << 1 | 1);
    sys_write(pmccfiltr_el0, 0);
    sys_write(pmselr_el0, 1);
    sys_write(pmxevtyper_el0, 0x11);
    sys_write(pmxevcntr_el0, MINE);
    sys_write(pmcntenset_el0, 1u << 31);
}

static bool counters_are(uint64_t *before)
{
    uint64_t cycles = sys_read(pmccntr_el0);
    bool good = sys_read(pmxevcntr_el0) == MINE && sys_read(pmselr_el0) == 1 && cycles > *before &&
                sys_read(pmcntenset_el0) == 1u << 31;

    *before = cycles;
    return good;
}

static bool debug_is(bool on)
{
    return sys_read(dbgbvr1_el1) == (uint64_t)stop + (on ? 0 : MINE) &&
           sys_read(dbgwcr2_el1) == (STORES | EL1) && (sys_read(mdscr_el1) & KDE_MDE) == KDE_MDE;
}

static void rounds(bool on)
{
    uint64_t before = 0, lost = 0, wrong = 0;

    debug_set(on);
    counters_set();
    breaks = watches = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        lost += !counters_are(&before);
        stopped();
        watched = i;
        wrong += !debug_is(on);
        spend(1000);
        hvc(CARBOVISOR_YIELD, 0, 0, 0);
    }
    check("counters are its own", lost, 0);
    check("debug registers are its own", wrong, 0);
    check("breakpoint", breaks, on ? ROUNDS : 0);
    check("watchpoint", watches, on ? ROUNDS : 0);
}

/* The cycle counter is about to wrap. */
static void wraps(void)
{
    gic_start(0);
    w32(GICR + 0x10000 + 0x100, 1u << PMU_PPI);
    __asm__ volatile("msr daifclr, #2");
    for (unsigned i = 0; i < 5; i++) {
        sys_write(pmccntr_el0, UINT64_MAX - 10000);
        sys_write(pmintenset_el1, OVERFLOW);
        for (unsigned k = 0; k < 10000000 && overflows == i; k++) /* the board's clock may be late */
            spend(1000);
    }
    __asm__ volatile("msr daifset, #2");
    check("overflow interrupts", overflows, 5);
}

/* What the hypervisor does for the guest is not the guest's: 256 calls take some 40,000 instructions there.
 */
static bool counted_less(void)
{
    uint64_t at = sys_read(pmccntr_el0), clock = now(), hz = sys_read(cntfrq_el0);

    for (unsigned i = 0; i < 256; i++)
        (void)r32(UART + 0x18);
    at = sys_read(pmccntr_el0) - at;
    clock = (now() - clock) * (1000000000 / hz);
    return at < clock / 2;
}

/* Were it counted, it would be each time; a board that somebody holds up while the guest runs is another
 * thing. */
static void not_outside(void)
{
    bool good = false;

    for (unsigned i = 0; i < 100 && !good; i++)
        good = counted_less();
    check("time in the hypervisor is not counted", good, 1);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    check("the model's numbers", sys_read(id_aa64dfr0_el1) & 0xf0f0ff00, 0x10305100);
    check("event counters", sys_read(pmcr_el0) >> 11 & 31, 6);
#ifdef NEIGHBOUR
    for (;;)
        rounds(false);
#endif
    rounds(true);
    rounds(true);
    wraps();
    not_outside();
    __asm__ volatile("mrs x9, S3_3_C14_C11_7" ::: "x9"); /* PMEVCNTR31_EL0 is none */
    check("a counter that is not there", unknown, 1);
    check("nothing else", others, 0);
    put("lent end\n");
}
