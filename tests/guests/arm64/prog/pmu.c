/* Performance monitors: counters, what they count, overflow and its interrupt (D11). */
#include "gic.h"

#define PPI   23u
#define CYCLE (1UL << 31)

static volatile unsigned taken, taken_id;
static volatile u64 status_then;

static void take(u64 vector)
{
    (void)vector;
    taken_id = (unsigned)GET(ICC_IAR1);
    status_then = READ(pmovsclr_el0);
    WRITE(pmovsclr_el0, status_then);
    taken++;
    if (taken_id < 1020)
        SET(ICC_EOIR1, taken_id);
}

static void work(u64 n)
{
    __asm__ volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(n)::"cc");
}

/* Of instructions, where the machine counts them; else of cycles. */
static unsigned event(void)
{
    return READ(pmceid0_el0) >> 8 & 1 ? 0x08 : 0x11;
}

static void counts(void)
{
    u64 a;

    section("counters");
    WRITE(pmcr_el0, 1 << 1 | 1 << 2);
    WRITE(pmcntenclr_el0, ~0UL);
    WRITE(pmintenclr_el1, ~0UL);
    WRITE(pmovsclr_el0, ~0UL);
    check("nothing counts", READ(pmccntr_el0), 0);
    WRITE(pmevtyper0_el0, event());
    WRITE(pmevcntr0_el0, 0);
    WRITE(pmcntenset_el0, CYCLE | 1);
    check("enabled ones", READ(pmcntenset_el0), CYCLE | 1);
    work(1000);
    check("not without PMCR.E", READ(pmevcntr0_el0), 0);
    WRITE(pmcr_el0, 1 | 1 << 6);
    work(10000);
    a = READ(pmevcntr0_el0);
    check("some were counted", a > 1000, 1);
    check("and cycles", READ(pmccntr_el0) > 0, 1);
    WRITE(pmevtyper0_el0, event() | 1UL << 31); /* P: not at EL1 */
    a = READ(pmevcntr0_el0);
    work(1000);
    check("none at this level", READ(pmevcntr0_el0), a);
    WRITE(pmevtyper0_el0, event());
    WRITE(pmcr_el0, 1 | 1 << 1 | 1 << 6);
    check("cleared", READ(pmevcntr0_el0) < 1000000, 1);
    WRITE(pmcr_el0, 0);
}

static void software(void)
{
    section("software increments");
    WRITE(pmevtyper1_el0, 0);
    WRITE(pmevcntr1_el0, 0xfffffffe);
    WRITE(pmcntenset_el0, 2);
    WRITE(pmcr_el0, 1 | 1 << 6);
    WRITE(pmswinc_el0, 2);
    check("one", READ(pmevcntr1_el0), 0xffffffff);
    check("no overflow", READ(pmovsset_el0) & 2, 0);
    WRITE(pmswinc_el0, 2);
    check("another", READ(pmevcntr1_el0), 0);
    check("overflow", READ(pmovsset_el0) & 2, 2);
    WRITE(pmovsclr_el0, 2);
    check("cleared", READ(pmovsset_el0) & 2, 0);
    WRITE(pmcr_el0, 0);
}

static void interrupts(void)
{
    section("overflow interrupts");
    gic_on(0);
    interrupt = take;
    gic_enable(0, PPI);
    WRITE(pmcntenclr_el0, ~0UL);
    WRITE(pmovsclr_el0, ~0UL);
    WRITE(pmevtyper0_el0, event());
    irqs_on();
    for (unsigned i = 0; i < 10; i++) {
        WRITE(pmevcntr0_el0, -(5000 + 1000UL * i) & 0xffffffff);
        WRITE(pmcntenset_el0, 1);
        WRITE(pmintenset_el1, 1);
        WRITE(pmcr_el0, 1 | 1 << 6);
        while (taken <= i)
            work(100);
        WRITE(pmcr_el0, 0);
        check("which", status_then, 1);
        check("soon after", READ(pmevcntr0_el0) < 20000000, 1);
    }
    check("one each", taken, 10);
    check("id", taken_id, PPI);
    WRITE(pmovsset_el0, 1); /* by register */
    WRITE(pmcr_el0, 1 | 1 << 6);
    __asm__ volatile("isb");
    check("set by a register", taken, 11);
    WRITE(pmcr_el0, 0);
    /* The cycle counter, all 64 bits. */
    WRITE(pmintenclr_el1, ~0UL);
    WRITE(pmintenset_el1, CYCLE);
    WRITE(pmccntr_el0, -100000UL);
    WRITE(pmcntenset_el0, CYCLE);
    WRITE(pmcr_el0, 1 | 1 << 6);
    while (taken < 12)
        work(100);
    check("which", status_then & CYCLE, CYCLE);
    WRITE(pmcr_el0, 0);
    irqs_off();
}

void test_main(void)
{
    if (!(READ(id_aa64dfr0_el1) >> 8 & 15)) {
        section("no performance monitors");
        return;
    }
    counts();
    software();
    interrupts();
}
