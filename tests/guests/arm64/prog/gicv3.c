/* GICv3 register by register: distributor, redistributor, CPU interface (IHI 0069, 12.9 to 12.11, 12.2). */
#include "gic.h"

#define SPI 40u /* nothing drives it */

static volatile unsigned taken, taken_vector, taken_id, taken_rpr;

static void take(u64 vector)
{
    int fiq = (vector & 0x180) == 0x100;
    u64 id = fiq ? GET(ICC_IAR0) : GET(ICC_IAR1);

    taken++;
    taken_vector = (unsigned)vector & 0x1ff;
    taken_id = (unsigned)id;
    taken_rpr = (unsigned)GET(ICC_RPR);
    if (id >= 1020)
        return;
    if (fiq)
        SET(ICC_EOIR0, id);
    else
        SET(ICC_EOIR1, id);
}

static void pulse_irqs(void)
{
    taken = 0;
    irqs_on();
    irqs_off();
}

static void set_pending(unsigned id)
{
    MMIO32((id < 32 ? SGI(0) : GICD) + 0x200 + id / 32 * 4) = 1u << id % 32;
}

static void clear_pending(unsigned id)
{
    MMIO32((id < 32 ? SGI(0) : GICD) + 0x280 + id / 32 * 4) = 1u << id % 32;
}

static void identity(void)
{
    u32 typer = MMIO32(GICD + 4);

    section("identification");
    check("GICD_PIDR2 says GICv3", MMIO32(GICD + 0xffe8) & 0xf0, 0x30);
    check("GICR_PIDR2", MMIO32(GICR + 0xffe8) & 0xf0, 0x30);
    check("GICD_CIDR",
          MMIO32(GICD + 0xfff0) | MMIO32(GICD + 0xfff4) << 8 | MMIO32(GICD + 0xfff8) << 16 |
              MMIO32(GICD + 0xfffc) << 24,
          0xb105f00d);
    check("at least 256 interrupts", (typer & 31) >= 7, 1);
    check("LPIs", typer >> 17 & 1, 1);
    check("four levels of affinity, as the CPU interface has", typer >> 24 & 1, GET(ICC_CTLR) >> 15 & 1);
    check("one Security state", MMIO32(GICD) & 1 << 6, 1 << 6);
    check("affinity routing", MMIO32(GICD) & 1 << 4, 1 << 4);
    MMIO32(GICD) = 0;
    check("affinity routing cannot be switched off", MMIO32(GICD) & 0x50, 0x50);
    MMIO32(GICD) = 0x13;
    check("groups on", MMIO32(GICD), 0x53);
    check("GICR_TYPER: affinity", MMIO64(GICR + 8) >> 32, 0);
    check("GICR_TYPER: last, LPIs", MMIO64(GICR + 8) & 0x11, 0x11);
    check("GICR_TYPER as words", MMIO32(GICR + 8) | (u64)MMIO32(GICR + 12) << 32, MMIO64(GICR + 8));
    check("awake", MMIO32(GICR + 0x14), 0);
    check("ICC_SRE", GET(ICC_SRE) & 1, 1);
}

/* Set and clear registers; 32 bits each. */
static void set_clear(const char *name, u64 set, u64 clear, u32 mask)
{
    section(name);
    MMIO32(clear) = ~0u;
    check("all clear", MMIO32(set), 0);
    MMIO32(set) = 0x5a5a5a5a & mask;
    check("set", MMIO32(set), 0x5a5a5a5a & mask);
    check("the clear register reads the same", MMIO32(clear), 0x5a5a5a5a & mask);
    MMIO32(set) = 0;
    check("zeros change nothing", MMIO32(set), 0x5a5a5a5a & mask);
    MMIO32(set) = 0x0f0f0f0f & mask;
    check("more", MMIO32(set), 0x5f5f5f5f & mask);
    MMIO32(clear) = 0x11111111;
    check("less", MMIO32(set), 0x4e4e4e4e & mask);
    MMIO32(clear) = ~0u;
    check("none", MMIO32(set), 0);
}

static void banks(void)
{
    set_clear("ISENABLER and ICENABLER of SPIs", GICD + 0x104, GICD + 0x184, ~0u);
    set_clear("ISENABLER and ICENABLER of PPIs", SGI(0) + 0x100, SGI(0) + 0x180, 0xffff0000);
    set_clear("ISPENDR and ICPENDR of SPIs", GICD + 0x208, GICD + 0x288, ~0u);
    set_clear("ISPENDR and ICPENDR of SGIs", SGI(0) + 0x200, SGI(0) + 0x280, 0xffff);
    set_clear("ISACTIVER and ICACTIVER of SPIs", GICD + 0x308, GICD + 0x388, ~0u);
    set_clear("ISACTIVER and ICACTIVER of private ones", SGI(0) + 0x300, SGI(0) + 0x380, 0xffff);
    section("private registers are not in the distributor");
    MMIO32(GICD + 0x100) = ~0u;
    check("GICD_ISENABLER0", MMIO32(GICD + 0x100), 0);
    check("GICD_IPRIORITYR0", MMIO32(GICD + 0x400), 0);
    check("GICD_SGIR", MMIO32(GICD + 0xf00), 0);
}

static void bytes(void)
{
    section("priorities by byte and word");
    MMIO32(GICD + 0x400 + SPI) = 0;
    MMIO8(GICD + 0x400 + SPI + 1) = 0x37;
    check("its upper bits", MMIO8(GICD + 0x400 + SPI + 1) & 0xf8, 0x30);
    check("beside it", MMIO32(GICD + 0x400 + SPI) & ~0x700u, 0x3000);
    MMIO32(GICD + 0x400 + SPI) = 0xf8c0a050;
    check("byte 0", MMIO8(GICD + 0x400 + SPI), 0x50);
    check("byte 3", MMIO8(GICD + 0x400 + SPI + 3), 0xf8);
    MMIO8(SGI(0) + 0x400 + 5) = 0x98;
    check("private", MMIO8(SGI(0) + 0x400 + 5), 0x98);
    MMIO32(GICD + 0x400 + SPI) = 0xa0a0a0a0;
    MMIO32(SGI(0) + 0x404) = 0xa0a0a0a0;
}

static void configuration(void)
{
    section("ICFGR, IGROUPR, IROUTER");
    MMIO32(GICD + 0xc08) = ~0u;
    check("two bits each, the lower RES0", MMIO32(GICD + 0xc08), 0xaaaaaaaa);
    MMIO32(GICD + 0xc08) = 0;
    check("level", MMIO32(GICD + 0xc08), 0);
    check("SGIs are edges", MMIO32(SGI(0) + 0xc00), 0xaaaaaaaa);
    MMIO32(SGI(0) + 0xc00) = 0;
    check("and stay so", MMIO32(SGI(0) + 0xc00), 0xaaaaaaaa);
    MMIO32(GICD + 0x84) = 0x12345678;
    check("IGROUPR", MMIO32(GICD + 0x84), 0x12345678);
    MMIO32(GICD + 0x84) = ~0u;
    MMIO64(GICD + 0x6000 + 8 * SPI) = ~0UL;
    check("IROUTER's affinity", MMIO64(GICD + 0x6000 + 8 * SPI) & 0xff00ffffff, 0xff00ffffff);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 0;
    check("IROUTER of private ones", MMIO64(GICD + 0x6000), 0);
    MMIO32(GICD + 0x6000 + 8 * SPI) = 3;
    check("by word", MMIO64(GICD + 0x6000 + 8 * SPI), 3);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 0;
}

static void interface(void)
{
    section("ICC registers");
    SET(ICC_PMR, 0x9f);
    check("PMR: implemented bits", GET(ICC_PMR), 0x98);
    SET(ICC_PMR, 0xff);
    check("PMR", GET(ICC_PMR), 0xf8);
    SET(ICC_BPR0, 0);
    SET(ICC_BPR1, 0);
    check("smallest BPR0", GET(ICC_BPR0), 2);
    check("smallest BPR1", GET(ICC_BPR1), 3);
    SET(ICC_BPR1, 7);
    check("BPR1", GET(ICC_BPR1), 7);
    SET(ICC_CTLR, 1);
    check("CBPR: BPR1 is BPR0 and one", GET(ICC_BPR1), 3);
    SET(ICC_BPR0, 5);
    check("so", GET(ICC_BPR1), 6);
    SET(ICC_BPR1, 4);
    check("and takes no writes", GET(ICC_BPR1), 6);
    SET(ICC_CTLR, 0);
    SET(ICC_BPR0, 2);
    SET(ICC_BPR1, 3);
    check("PRIbits 5", GET(ICC_CTLR) >> 8 & 7, 4);
    check("nothing runs", GET(ICC_RPR), 0xff);
    check("nothing pending", GET(ICC_HPPIR1), 1023);
    check("spurious", GET(ICC_IAR1), 1023);
    SET(ICC_IGRPEN0, ~0UL);
    check("IGRPEN0", GET(ICC_IGRPEN0), 1);
}

static void states(void)
{
    section("inactive, pending, active");
    gic_enable(0, SPI);
    set_pending(SPI);
    check("HPPIR", GET(ICC_HPPIR1), SPI);
    check("pending", gic_pending(0, SPI), 1);
    check("IAR", GET(ICC_IAR1), SPI);
    check("not pending", gic_pending(0, SPI), 0);
    check("active", gic_active(0, SPI), 1);
    check("running priority", GET(ICC_RPR), 0xa0);
    check("active priorities", GET(ICC_AP1R0), 1u << (0xa0 >> 3));
    set_pending(SPI);
    check("active and pending", gic_pending(0, SPI) + 2 * gic_active(0, SPI), 3);
    check("not signalled again", GET(ICC_IAR1), 1023);
    SET(ICC_EOIR1, SPI);
    check("dropped", GET(ICC_RPR), 0xff);
    check("pending alone", gic_pending(0, SPI) + 2 * gic_active(0, SPI), 1);
    check("again", GET(ICC_IAR1), SPI);
    SET(ICC_EOIR1, SPI);
    set_pending(SPI);
    clear_pending(SPI);
    check("withdrawn", GET(ICC_IAR1), 1023);
    MMIO32(GICD + 0x300 + SPI / 32 * 4) = 1u << SPI % 32;
    set_pending(SPI);
    check("made active by register: not signalled", GET(ICC_HPPIR1), 1023);
    MMIO32(GICD + 0x380 + SPI / 32 * 4) = 1u << SPI % 32;
    check("deactivated by register", GET(ICC_HPPIR1), SPI);
    gic_disable(0, SPI);
    check("disabled", GET(ICC_HPPIR1), 1023);
    check("it stays pending", gic_pending(0, SPI), 1);
    clear_pending(SPI);
}

static void eoimode(void)
{
    section("EOImode: priority drop and deactivation apart");
    gic_enable(0, SPI);
    gic_enable(0, SPI + 1);
    SET(ICC_CTLR, 2);
    check("EOImode", GET(ICC_CTLR) & 3, 2);
    set_pending(SPI);
    check("IAR", GET(ICC_IAR1), SPI);
    SET(ICC_EOIR1, SPI);
    check("dropped", GET(ICC_RPR), 0xff);
    check("still active", gic_active(0, SPI), 1);
    set_pending(SPI);
    set_pending(SPI + 1);
    check("another one of the same priority", GET(ICC_IAR1), SPI + 1);
    SET(ICC_EOIR1, SPI + 1);
    SET(ICC_DIR, SPI + 1);
    check("deactivated", gic_active(0, SPI + 1), 0);
    SET(ICC_DIR, SPI);
    check("now the first again", GET(ICC_IAR1), SPI);
    SET(ICC_EOIR1, SPI);
    SET(ICC_DIR, SPI);
    SET(ICC_CTLR, 0);
    gic_disable(0, SPI);
    gic_disable(0, SPI + 1);
}

static void priorities(void)
{
    section("priorities and preemption");
    for (unsigned i = 0; i < 3; i++)
        gic_enable(0, SPI + i);
    MMIO32(GICD + 0x400 + SPI) = 0xa0608090;
    set_pending(SPI);
    set_pending(SPI + 1);
    set_pending(SPI + 2);
    check("the highest", GET(ICC_HPPIR1), SPI + 2);
    SET(ICC_PMR, 0x60);
    check("the mask hides it", GET(ICC_IAR1), 1023);
    SET(ICC_PMR, 0x88);
    check("0x60", GET(ICC_IAR1), SPI + 2);
    check("0x80 does not preempt it", GET(ICC_IAR1), 1023);
    SET(ICC_EOIR1, SPI + 2);
    check("0x80", GET(ICC_IAR1), SPI + 1);
    SET(ICC_PMR, 0xff);
    set_pending(SPI + 2);
    check("0x60 preempts", GET(ICC_IAR1), SPI + 2);
    check("both active", GET(ICC_AP1R0), 1u << (0x60 >> 3) | 1u << (0x80 >> 3));
    SET(ICC_EOIR1, SPI + 2);
    check("0x80 runs", GET(ICC_RPR), 0x80);
    SET(ICC_BPR1, 6); /* groups of 0x40: 0x80 and 0x90 are one */
    check("0x90 waits", GET(ICC_IAR1), 1023);
    SET(ICC_EOIR1, SPI + 1);
    check("0x90", GET(ICC_IAR1), SPI);
    MMIO8(GICD + 0x400 + SPI + 1) = 0x88;
    set_pending(SPI + 1);
    check("0x88 is of the same group", GET(ICC_IAR1), 1023);
    SET(ICC_BPR1, 3);
    check("running priority is of the group then", GET(ICC_RPR), 0x80);
    check("with finer groups it would preempt from 0x80 up only", GET(ICC_IAR1), 1023);
    SET(ICC_EOIR1, SPI);
    check("0x88", GET(ICC_IAR1), SPI + 1);
    SET(ICC_EOIR1, SPI + 1);
    MMIO32(GICD + 0x400 + SPI) = 0xa0a0a0a0;
    set_pending(SPI + 1);
    set_pending(SPI);
    check("equals: the lower number", GET(ICC_IAR1), SPI);
    SET(ICC_EOIR1, SPI);
    check("then the other", GET(ICC_IAR1), SPI + 1);
    SET(ICC_EOIR1, SPI + 1);
    for (unsigned i = 0; i < 3; i++)
        gic_disable(0, SPI + i);
}

static void software(void)
{
    section("software-generated interrupts");
    interrupt = take;
    gic_enable(0, 3);
    gic_enable(0, 15);
    SET(ICC_SGI1R, 3UL << 24 | 1);
    check("to itself", gic_pending(0, 3), 1);
    check("masked by PSTATE: ISR", READ(isr_el1), 1 << 7);
    pulse_irqs();
    check("taken", taken, 1);
    check("as IRQ", taken_vector, 0x80);
    check("id", taken_id, 3);
    check("priority", taken_rpr, 0xa0);
    check("ISR", READ(isr_el1), 0);
    SET(ICC_SGI1R, 3UL << 24 | 1UL << 40 | 1);
    check("all but itself: nobody", gic_pending(0, 3), 0);
    SET(ICC_SGI1R, 3UL << 24 | 1UL << 16 | 1);
    check("another Aff1: nobody", gic_pending(0, 3), 0);
    SET(ICC_SGI1R, 15UL << 24 | 3);
    pulse_irqs();
    check("id", taken_id, 15);
    gic_disable(0, 3);
    gic_disable(0, 15);
    interrupt = 0;
}

static void groups(void)
{
    section("group 0 is FIQ");
    interrupt = take;
    MMIO32(SGI(0) + 0x80) = ~(1u << 5);
    SET(ICC_IGRPEN0, 1);
    gic_enable(0, 5);
    set_pending(5);
    check("ISR", READ(isr_el1), 1 << 6);
    check("not of group 1", GET(ICC_HPPIR1), 1023);
    check("of group 0", GET(ICC_HPPIR0), 5);
    check("IAR1 does not take it", GET(ICC_IAR1), 1023);
    pulse_irqs();
    check("taken", taken, 1);
    check("as FIQ", taken_vector, 0x100);
    check("id", taken_id, 5);
    SET(ICC_SGI0R, 5UL << 24 | 1);
    check("SGI0R", gic_pending(0, 5), 1);
    pulse_irqs();
    check("taken", taken_id + taken, 6);
    SET(ICC_SGI1R, 5UL << 24 | 1);
    check("SGI1R is for group 1 alone", gic_pending(0, 5), 0);
    set_pending(5);
    MMIO32(GICD) = 0x12;
    check("group 0 off in the distributor", READ(isr_el1), 0);
    MMIO32(GICD) = 0x13;
    check("on", READ(isr_el1), 1 << 6);
    SET(ICC_IGRPEN0, 0);
    check("off in the interface", READ(isr_el1), 0);
    SET(ICC_IGRPEN0, 1);
    clear_pending(5);
    gic_disable(0, 5);
    MMIO32(SGI(0) + 0x80) = ~0u;
    interrupt = 0;
}

static void routing(void)
{
    section("routes");
    gic_enable(0, SPI);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 0x77;
    set_pending(SPI);
    check("to nobody", GET(ICC_HPPIR1), 1023);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 0;
    check("to this one", GET(ICC_HPPIR1), SPI);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 1UL << 31;
    check("to any", GET(ICC_HPPIR1), SPI);
    MMIO64(GICD + 0x6000 + 8 * SPI) = 0;
    MMIO32(GICD + 0x40) = SPI; /* GICD_SETSPI_NSR where it is there */
    clear_pending(SPI);
    gic_disable(0, SPI);
}

void test_main(void)
{
    gic_on(0);
    identity();
    gic_on(0);
    banks();
    gic_on(0);
    bytes();
    configuration();
    gic_on(0);
    interface();
    states();
    eoimode();
    priorities();
    software();
    groups();
    routing();
}
