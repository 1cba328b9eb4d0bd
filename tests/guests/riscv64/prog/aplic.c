/*
 * APLIC in direct delivery mode (Advanced Interrupt Architecture 1.0, chapter 4): the domains' registers, the
 * harts' delivery control (4.8), priorities, levels, edges, delegation, and the traps that come of it.
 */
#include "smp.h"

#define APLIC_M 0xc000000UL
#define APLIC_S 0xd000000UL

#define DOMAINCFG     0x0
#define SOURCECFG(n)  (4 * (n))
#define SETIP(w)      (0x1c00 + 4 * (w))
#define SETIPNUM      0x1cdc
#define IN_CLRIP(w)   (0x1d00 + 4 * (w))
#define CLRIPNUM      0x1ddc
#define SETIE(w)      (0x1e00 + 4 * (w))
#define SETIENUM      0x1edc
#define CLRIENUM      0x1fdc
#define GENMSI        0x3000
#define TARGET(n)     (0x3000 + 4 * (n))
#define IDC(hart)     (0x4000 + 32 * (hart))
#define IDELIVERY(h)  (IDC(h) + 0)
#define IFORCE(h)     (IDC(h) + 4)
#define ITHRESHOLD(h) (IDC(h) + 8)
#define TOPI(h)       (IDC(h) + 0x18)
#define CLAIMI(h)     (IDC(h) + 0x1c)
#define DOMAIN_IE     0x100
#define SOURCE_D      0x400
enum { INACTIVE, DETACHED, EDGE1 = 4, EDGE0, LEVEL1, LEVEL0 };

#define UART             0x10000000UL
#define IRQ_UART         10UL
#define BIT(n)           (1UL << (n))
#define TOP(n, priority) ((n) << 16 | (priority))

static void uart_irq(int on)
{
    poke8(UART + 1, on ? 2 : 0); /* transmitter empty, which it always is */
}

static void quiet_domain(u64 base)
{
    poke32(base + DOMAINCFG, 0);
    for (u64 n = 1; n < 64; n++)
        poke32(base + SOURCECFG(n), 0);
    for (u64 h = 0; h < 2; h++) {
        poke32(base + IDELIVERY(h), 0);
        poke32(base + IFORCE(h), 0);
        poke32(base + ITHRESHOLD(h), 0);
    }
}

static void quiet(void)
{
    csr_write("mie", 0);
    csr_write("mideleg", 0);
    csr_clear("mstatus", MS_MPIE | MS_SPIE | MS_SIE | MS_MIE);
    uart_irq(0);
    quiet_domain(APLIC_M);
    quiet_domain(APLIC_S);
}

/* The interrupt's way may be another thread. */
static int wait_mip(u64 bits, u64 want)
{
    for (int i = 0; i < 10000000; i++)
        if ((csr_read("mip") & bits) == want)
            return 1;
    return 0;
}

/* A source of the M domain, pending by a write alone. */
static void ready(u64 n, u64 mode, u64 hart, u64 priority)
{
    poke32(APLIC_M + SOURCECFG(n), (u32)mode);
    poke32(APLIC_M + TARGET(n), (u32)(hart << 18 | priority));
    poke32(APLIC_M + SETIENUM, (u32)n);
}

static void registers(u64 base, const char *name)
{
    section(name);
    quiet();
    check("domaincfg", peek32(base + DOMAINCFG), 0x80000000);
    poke32(base + DOMAINCFG, ~0u);
    check("IE; no DM, no BE", peek32(base + DOMAINCFG) & ~1u, 0x80000100);
    poke32(base + DOMAINCFG, DOMAIN_IE);
    if (base == APLIC_S)
        poke32(APLIC_M + SOURCECFG(7), SOURCE_D);
    poke32(base + SOURCECFG(7), DETACHED);
    check("sourcecfg", peek32(base + SOURCECFG(7)), DETACHED);
    poke32(base + TARGET(7), 1u << 18 | 5);
    check("target", peek32(base + TARGET(7)), 1u << 18 | 5);
    poke32(base + TARGET(7), 0);
    check("4.5.16.1: no priority 0", peek32(base + TARGET(7)), 1);
    poke32(base + TARGET(7), 0x100 | 200);
    gap_begin("QEMU 7.2 has three bits of priority");
    check("eight bits of priority", peek32(base + TARGET(7)), 200);
    gap_end();
    gap_begin("QEMU 7.2 keeps what an inactive source has");
    poke32(base + SOURCECFG(7), INACTIVE);
    check("inactive: no target", peek32(base + TARGET(7)), 0);
    poke32(base + GENMSI, 5);
    check("4.5.15: no genmsi", peek32(base + GENMSI), 0);
    gap_end();
    for (u64 h = 0; h < 2; h++) {
        poke32(base + IDELIVERY(h), 1);
        poke32(base + IFORCE(h), 1);
        poke32(base + ITHRESHOLD(h), 0xfff);
        check("idelivery", peek32(base + IDELIVERY(h)), 1);
        check("iforce", peek32(base + IFORCE(h)), 1);
        gap_begin("QEMU 7.2 has three bits of priority");
        check("ithreshold", peek32(base + ITHRESHOLD(h)), 0xff);
        gap_end();
        check("topi", peek32(base + TOPI(h)), 0);
        poke32(base + IDELIVERY(h), 0);
    }
}

/* 4.8.1.4: the lowest number first, then the lowest identity; 4.8.1.3: below the threshold only. */
static void order(void)
{
    section("topi: order, threshold, claim");
    quiet();
    ready(40, DETACHED, 0, 7);
    ready(41, DETACHED, 0, 3);
    ready(20, DETACHED, 0, 7);
    ready(5, DETACHED, 1, 1);
    poke32(APLIC_M + SETIP(0), ~0u);
    poke32(APLIC_M + SETIP(1), ~0u);
    check("pending: those active", peek32(APLIC_M + SETIP(0)), BIT(20) | BIT(5));
    check("pending: those active", peek32(APLIC_M + SETIP(1)), BIT(8) | BIT(9));
    check("the lowest number", peek32(APLIC_M + TOPI(0)), TOP(41, 3));
    check("of the other hart", peek32(APLIC_M + TOPI(1)), TOP(5, 1));
    check("no delivery: no line", csr_read("mip") & BIT(IRQ_MEI), 0);
    poke32(APLIC_M + IDELIVERY(0), 1);
    check("domain off: no line", csr_read("mip") & BIT(IRQ_MEI), 0);
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    check_true("the line", wait_mip(BIT(IRQ_MEI), BIT(IRQ_MEI)));
    poke32(APLIC_M + ITHRESHOLD(0), 3);
    check("threshold", peek32(APLIC_M + TOPI(0)), 0);
    check_true("and no line", wait_mip(BIT(IRQ_MEI), 0));
    poke32(APLIC_M + ITHRESHOLD(0), 4);
    check("below it", peek32(APLIC_M + TOPI(0)), TOP(41, 3));
    check_true("the line", wait_mip(BIT(IRQ_MEI), BIT(IRQ_MEI)));
    poke32(APLIC_M + ITHRESHOLD(0), 0);
    check("claim", peek32(APLIC_M + CLAIMI(0)), TOP(41, 3));
    check("not pending", peek32(APLIC_M + SETIP(1)), BIT(8));
    check("of equals the lowest identity", peek32(APLIC_M + CLAIMI(0)), TOP(20, 7));
    check("the last", peek32(APLIC_M + CLAIMI(0)), TOP(40, 7));
    check("none", peek32(APLIC_M + CLAIMI(0)), 0);
    check_true("no line", wait_mip(BIT(IRQ_MEI), 0));
    check("the other hart's is its own", peek32(APLIC_M + CLAIMI(1)), TOP(5, 1));
    poke32(APLIC_M + SETIPNUM, 20);
    poke32(APLIC_M + CLRIENUM, 20);
    check("not enabled", peek32(APLIC_M + CLAIMI(0)), 0);
    poke32(APLIC_M + SETIENUM, 20);
    check("enabled", peek32(APLIC_M + CLAIMI(0)), TOP(20, 7));
}

/* 4.8.1.2 and 4.8.1.5 */
static void force(void)
{
    section("iforce");
    quiet();
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + IDELIVERY(0), 1);
    poke32(APLIC_M + IFORCE(0), 1);
    check_true("the line", wait_mip(BIT(IRQ_MEI), BIT(IRQ_MEI)));
    check("nothing to take", peek32(APLIC_M + TOPI(0)), 0);
    check("the reading of topi changes nothing", peek32(APLIC_M + IFORCE(0)), 1);
    check("a spurious claim", peek32(APLIC_M + CLAIMI(0)), 0);
    check("ends it", peek32(APLIC_M + IFORCE(0)), 0);
    gap_begin("QEMU 7.2 leaves the line as it is");
    check_true("no line", wait_mip(BIT(IRQ_MEI), 0));
    gap_end();
}

/* 4.7: in direct delivery a level is pending as long as it is there. */
static void wires(void)
{
    section("level and edge");
    quiet();
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + IDELIVERY(0), 1);
    ready(IRQ_UART, LEVEL1, 0, 1);
    check("low", peek32(APLIC_M + IN_CLRIP(0)) >> IRQ_UART & 1, 0);
    poke32(APLIC_M + SETIPNUM, IRQ_UART);
    check("not to be set", peek32(APLIC_M + SETIP(0)) & BIT(IRQ_UART), 0);
    uart_irq(1);
    check("high", peek32(APLIC_M + IN_CLRIP(0)) >> IRQ_UART & 1, 1);
    check("pending", peek32(APLIC_M + SETIP(0)) & BIT(IRQ_UART), BIT(IRQ_UART));
    poke32(APLIC_M + CLRIPNUM, IRQ_UART);
    check("not to be cleared", peek32(APLIC_M + SETIP(0)) & BIT(IRQ_UART), BIT(IRQ_UART));
    check("claimed", peek32(APLIC_M + CLAIMI(0)), TOP(IRQ_UART, 1));
    check("and still there", peek32(APLIC_M + CLAIMI(0)), TOP(IRQ_UART, 1));
    uart_irq(0);
    gap_begin("QEMU 7.2 leaves a level pending that has ended");
    check("low", peek32(APLIC_M + CLAIMI(0)), 0);
    gap_end();
    poke32(APLIC_M + SOURCECFG(IRQ_UART), EDGE1);
    uart_irq(1);
    uart_irq(0);
    check("rising: stays", peek32(APLIC_M + CLAIMI(0)), TOP(IRQ_UART, 1));
    check("once", peek32(APLIC_M + CLAIMI(0)), 0);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), EDGE0);
    poke32(APLIC_M + CLRIPNUM, IRQ_UART);
    uart_irq(1);
    check("falling mode, rising", peek32(APLIC_M + CLAIMI(0)), 0);
    uart_irq(0);
    check("falling mode, falling", peek32(APLIC_M + CLAIMI(0)), TOP(IRQ_UART, 1));
}

static void traps(void)
{
    struct trap t;

    section("traps, by level and delegation");
    quiet();
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + IDELIVERY(0), 1);
    ready(IRQ_UART, LEVEL1, 0, 1);
    csr_set("mie", BIT(IRQ_MEI) | BIT(IRQ_SEI));
    uart_irq(1);
    check("U", run(MODE_U, f_spin, 100000000, 0).cause, C_IRQ | IRQ_MEI);
    csr_set("mstatus", MS_MPIE);
    check("M", run(MODE_M, f_spin, 100000000, 0).cause, C_IRQ | IRQ_MEI);
    csr_clear("mstatus", MS_MPIE);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), SOURCE_D);
    check("delegated", peek32(APLIC_M + SOURCECFG(IRQ_UART)), SOURCE_D);
    check_true("not M's any more", wait_mip(BIT(IRQ_MEI), 0));
    poke32(APLIC_S + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_S + IDELIVERY(0), 1);
    poke32(APLIC_S + SOURCECFG(IRQ_UART), LEVEL1);
    poke32(APLIC_S + TARGET(IRQ_UART), 2);
    poke32(APLIC_S + SETIENUM, IRQ_UART);
    if (under_reference()) { /* QEMU 7.2 does not look at a wire that is up already */
        uart_irq(0);
        uart_irq(1);
    }
    check_true("SEIP", wait_mip(BIT(IRQ_SEI), BIT(IRQ_SEI)));
    check("to M", run(MODE_S, f_spin, 100000000, 0).cause, C_IRQ | IRQ_SEI);
    csr_set("mideleg", BIT(IRQ_SEI));
    csr_set("mstatus", MS_SPIE | MS_SIE);
    t = run(MODE_S, f_spin, 100000000, 0);
    check("delegated: to S", t.by, MODE_S);
    check("cause", t.cause, C_IRQ | IRQ_SEI);
    check("claim", peek32(APLIC_S + CLAIMI(0)), TOP(IRQ_UART, 2));
    uart_irq(0);
    gap_begin("QEMU 7.2 leaves a level pending that has ended");
    check_true("gone", wait_mip(BIT(IRQ_SEI), 0));
    gap_end();
    gap_begin("QEMU 7.2 lets a source be active in both");
    poke32(APLIC_M + SOURCECFG(IRQ_UART), LEVEL1);
    check("taken back: inactive there", peek32(APLIC_S + SOURCECFG(IRQ_UART)), 0);
    gap_end();
}

/* Without interrupt files the CSRs of Smaia and Ssaia are not there. */
static void no_files(void)
{
    static const u64 csrs[] = {0x350, 0x35c, 0x150, 0x15c};

    section("no CSRs of interrupt files");
    quiet();
    for (u64 i = 0; i < COUNT(csrs); i++)
        check("illegal", run(MODE_M, code_one((u32)INSN_CSRR(csrs[i], 10)), 0, 0).cause, C_ILLEGAL);
}

/* ---- two harts ---- */

static volatile u64 other[4];

static void job_other(u64 hart, u64 arg)
{
    (void)arg;
    if (hart == 0)
        return;
    other[0] = (u64)wait_mip(BIT(IRQ_MEI), BIT(IRQ_MEI));
    other[1] = peek32(APLIC_M + CLAIMI(1));
    other[2] = (u64)wait_mip(BIT(IRQ_MEI), 0);
}

static void harts(void)
{
    section("to another hart");
    quiet();
    if (!check("present", smp_begin(2), 2))
        return;
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + IDELIVERY(0), 1);
    poke32(APLIC_M + IDELIVERY(1), 1);
    ready(30, DETACHED, 1, 6);
    poke32(APLIC_M + SETIPNUM, 30);
    check("not this one", csr_read("mip") & BIT(IRQ_MEI), 0);
    smp_run(2, job_other, 0);
    check("the line", other[0], 1);
    check("claim", other[1], TOP(30, 6));
    check("no line", other[2], 1);
}

void test_main(void)
{
    registers(APLIC_M, "registers of the M domain");
    registers(APLIC_S, "registers of the S domain");
    order();
    force();
    wires();
    traps();
    no_files();
    harts();
}
