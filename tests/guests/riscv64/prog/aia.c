/*
 * Advanced Interrupt Architecture 1.0, with MSIs: the interrupt file's registers (chapter 3), topei and topi,
 * the APLIC's domains, sources, delegation and delivery (chapter 4), priorities of major interrupts (chapter
 * 5).
 */
#include "smp.h"

#define APLIC_M 0xc000000UL
#define APLIC_S 0xd000000UL
#define IMSIC_M 0x24000000UL
#define IMSIC_S 0x28000000UL

#define DOMAINCFG    0x0
#define SOURCECFG(n) (4 * (n))
#define MMSIADDRCFG  0x1bc0
#define SETIP(w)     (0x1c00 + 4 * (w))
#define SETIPNUM     0x1cdc
#define IN_CLRIP(w)  (0x1d00 + 4 * (w))
#define CLRIPNUM     0x1ddc
#define SETIE(w)     (0x1e00 + 4 * (w))
#define SETIENUM     0x1edc
#define CLRIE(w)     (0x1f00 + 4 * (w))
#define CLRIENUM     0x1fdc
#define SETIPNUM_LE  0x2000
#define GENMSI       0x3000
#define TARGET(n)    (0x3000 + 4 * (n))
#define DOMAIN_IE    0x100
#define SOURCE_D     0x400
enum { INACTIVE, DETACHED, EDGE1 = 4, EDGE0, LEVEL1, LEVEL0 };

#define EIDELIVERY  0x70
#define EITHRESHOLD 0x72
#define EIP0        0x80
#define EIE0        0xc0
#define UART        0x10000000UL
#define IRQ_UART    10UL
#define BIT(n)      (1UL << (n))

/* miselect 0x350, mireg 0x351, mtopei 0x35c, mtopi 0xfb0; siselect 0x150, sireg 0x151, stopei 0x15c, stopi
 * 0xdb0. */
static u64 m_get(u64 select)
{
    csr_write("0x350", select);
    return csr_read("0x351");
}
static void m_put(u64 select, u64 value)
{
    csr_write("0x350", select);
    csr_write("0x351", value);
}
static u64 s_get(u64 select)
{
    csr_write("0x150", select);
    return csr_read("0x151");
}
static void s_put(u64 select, u64 value)
{
    csr_write("0x150", select);
    csr_write("0x151", value);
}

static void quiet(void)
{
    csr_write("mie", 0);
    csr_write("mideleg", 0);
    csr_clear("mstatus", MS_MPIE | MS_SPIE | MS_SIE | MS_MIE);
    poke8(UART + 1, 0);
    for (u64 n = 1; n < 32; n++) {
        poke32(APLIC_M + SOURCECFG(n), 0);
        poke32(APLIC_S + SOURCECFG(n), 0);
    }
    poke32(APLIC_M + DOMAINCFG, 0);
    poke32(APLIC_S + DOMAINCFG, 0);
    for (u64 i = 0; i < 8; i += 2) {
        m_put(EIP0 + i, 0);
        m_put(EIE0 + i, 0);
        s_put(EIP0 + i, 0);
        s_put(EIE0 + i, 0);
    }
    m_put(EIDELIVERY, 0);
    m_put(EITHRESHOLD, 0);
    s_put(EIDELIVERY, 0);
    s_put(EITHRESHOLD, 0);
}

/* The interrupt's way may be another thread. */
static int wait_mip(u64 bits, u64 want)
{
    for (int i = 0; i < 10000000; i++)
        if ((csr_read("mip") & bits) == want)
            return 1;
    return 0;
}

static void illegal(const char *what, u64 select, u64 csr)
{
    struct trap t;

    if (csr == 0x351)
        csr_write("0x350", select);
    else
        csr_write("0x150", select);
    t = run(MODE_M, code_one((u32)INSN_CSRR(csr, 10)), 0, 0);
    if (!check(what, t.by == MODE_M ? t.cause : 99, C_ILLEGAL))
        note("select", select);
}

/* ---- the interrupt file ---- */

static void file_registers(void)
{
    section("interrupt file: registers");
    quiet();
    m_put(EIDELIVERY, 1);
    check("eidelivery", m_get(EIDELIVERY), 1);
    m_put(EIDELIVERY, 0);
    check("eidelivery", m_get(EIDELIVERY), 0);
    m_put(EITHRESHOLD, 5);
    check("eithreshold", m_get(EITHRESHOLD), 5);
    check("the levels have their own", s_get(EITHRESHOLD), 0);
    m_put(EITHRESHOLD, 0);
    m_put(EIE0, ~0UL);
    check("eie0: identity 0 is none", m_get(EIE0), ~1UL);
    m_put(EIE0 + 2, ~0UL);
    check("eie2", m_get(EIE0 + 2), ~0UL);
    m_put(EIP0, ~0UL);
    check("eip0", m_get(EIP0), ~1UL);
    csr_write("0x350", EIP0);
    csr_clear("0x351", 0xff00);
    check("eip0 by csrrc", m_get(EIP0), ~0xff01UL);
    check("old value of csrrw", csr_swap("0x351", 0), ~0xff01UL);
    check("eip0", m_get(EIP0), 0);
    csr_write("0x350", EIE0);
    check("select reads back", csr_read("0x350"), EIE0);
    /* 3.8: on RV64 odd numbers are not there; 0x71 and 0x73 to 0x7f are reserved */
    illegal("eip1", EIP0 + 1, 0x351);
    illegal("eie1", EIE0 + 1, 0x351);
    illegal("S eip1", EIP0 + 1, 0x151);
    gap_begin("QEMU 7.2 reads reserved ones as zero");
    illegal("reserved 0x71", 0x71, 0x351);
    illegal("reserved 0x7f", 0x7f, 0x151);
    illegal("reserved 0", 0, 0x351);
    gap_end();
}

static void file_memory(void)
{
    section("interrupt file: seteipnum");
    quiet();
    poke32(IMSIC_M, 3);
    poke32(IMSIC_M, 64);
    poke32(IMSIC_M, 127);
    check("eip0", m_get(EIP0), BIT(3));
    check("eip2", m_get(EIP0 + 2), BIT(0) | BIT(63));
    check("S eip0", s_get(EIP0), 0);
    poke32(IMSIC_M, 0);
    poke32(IMSIC_M, 2047 + 1);
    poke32(IMSIC_M, 0x80000003);
    check("what is no identity", m_get(EIP0), BIT(3));
    check("reads as zero", peek32(IMSIC_M), 0);
    poke32(IMSIC_S, 9);
    check("S eip0", s_get(EIP0), BIT(9));
    check("M eip0", m_get(EIP0), BIT(3));
}

static void topei(void)
{
    section("topei: order, threshold, claim");
    quiet();
    poke32(IMSIC_M, 70);
    poke32(IMSIC_M, 5);
    poke32(IMSIC_M, 9);
    check("none enabled", csr_read("0x35c"), 0);
    m_put(EIE0, BIT(5) | BIT(9));
    m_put(EIE0 + 2, BIT(70 - 64));
    check("the lowest first", csr_read("0x35c"), 5UL << 16 | 5);
    check("no delivery: no line", csr_read("mip") & BIT(IRQ_MEI), 0);
    m_put(EIDELIVERY, 1);
    check_true("delivery: the line", wait_mip(BIT(IRQ_MEI), BIT(IRQ_MEI)));
    m_put(EITHRESHOLD, 5);
    check("threshold: below it only", csr_read("0x35c"), 0);
    check_true("and no line", wait_mip(BIT(IRQ_MEI), 0));
    m_put(EITHRESHOLD, 6);
    check("below", csr_read("0x35c"), 5UL << 16 | 5);
    m_put(EITHRESHOLD, 0);
    check("csrrw claims what it reads", csr_swap("0x35c", 0), 5UL << 16 | 5);
    check("the next", csr_read("0x35c"), 9UL << 16 | 9);
    check("gone from eip", m_get(EIP0), BIT(9));
    csr_write("0x35c", ~0UL);
    check("whatever is written", csr_swap("0x35c", 7), 70UL << 16 | 70);
    check("none left", csr_swap("0x35c", 0), 0);
    check_true("line off", wait_mip(BIT(IRQ_MEI), 0));
}

static void traps(void)
{
    struct trap t;

    section("MSIs trap, by level and delegation");
    quiet();
    m_put(EIDELIVERY, 1);
    m_put(EIE0, BIT(8));
    csr_set("mie", BIT(IRQ_MEI) | BIT(IRQ_SEI));
    poke32(IMSIC_M, 8);
    check("U", run(MODE_U, f_spin, 100000000, 0).cause, C_IRQ | IRQ_MEI);
    csr_set("mstatus", MS_MPIE);
    t = run(MODE_M, f_spin, 100000000, 0);
    check("M", t.cause, C_IRQ | IRQ_MEI);
    check("topi", csr_read("0xfb0") >> 16, IRQ_MEI);
    csr_swap("0x35c", 0);
    check("claimed: topi", csr_read("0xfb0"), 0);
    csr_clear("mstatus", MS_MPIE);

    s_put(EIDELIVERY, 1);
    s_put(EIE0, BIT(11));
    poke32(IMSIC_S, 11);
    check_true("SEIP", wait_mip(BIT(IRQ_SEI), BIT(IRQ_SEI)));
    check("not delegated: to M", run(MODE_S, f_spin, 100000000, 0).cause, C_IRQ | IRQ_SEI);
    check("stopi shows what is delegated", csr_read("0xdb0"), 0);
    csr_set("mideleg", BIT(IRQ_SEI));
    check("stopi", csr_read("0xdb0") >> 16, IRQ_SEI);
    check("mtopi", csr_read("0xfb0"), 0);
    csr_set("mstatus", MS_SPIE | MS_SIE);
    t = run(MODE_S, f_spin, 100000000, 0);
    check("delegated: to S", t.by, MODE_S);
    check("cause", t.cause, C_IRQ | IRQ_SEI);
    check("stopei", csr_swap("0x15c", 0), 11UL << 16 | 11);
    check("stopei", csr_read("0x15c"), 0);
    check("stopi", csr_read("0xdb0"), 0);
}

/* 5.2: without priorities of their own: M external, software, timer, then S. */
static void majors(void)
{
    static const u64 order[] = {IRQ_MSI, IRQ_SEI, IRQ_SSI, IRQ_STI};
    u64 all = 0;

    section("topi: order of major interrupts");
    quiet();
    csr_write("menvcfg", csr_read("menvcfg") & ~MENVCFG_STCE);
    for (u64 i = 0; i < COUNT(order); i++)
        all |= BIT(order[i]);
    csr_set("mip", BIT(IRQ_SEI) | BIT(IRQ_SSI) | BIT(IRQ_STI));
    poke32(MSIP(0), 1);
    check_true("pending", wait_mip(all, all));
    check("none enabled", csr_read("0xfb0"), 0);
    for (u64 i = 0; i < COUNT(order); i++) {
        csr_write("mie", all);
        check("the first", csr_read("0xfb0") >> 16, order[i]);
        check("its priority is not 0", (csr_read("0xfb0") & 0xff) != 0, 1);
        all &= ~BIT(order[i]);
    }
    csr_write("mie", ~0UL);
    csr_write("mideleg", 0x222);
    check("delegated ones are not M's", csr_read("0xfb0") >> 16, IRQ_MSI);
    check("but S's", csr_read("0xdb0") >> 16, IRQ_SEI);
    poke32(MSIP(0), 0);
    csr_clear("mip", 0x222);
    check("none", csr_read("0xdb0"), 0);
}

/* ---- APLIC ---- */

static void addresses(void)
{
    /* what the board has: a page a hart; 4.5.3: an index of one bit */
    poke32(APLIC_M + MMSIADDRCFG, IMSIC_M >> 12);
    poke32(APLIC_M + MMSIADDRCFG + 4, 1 << 12);
    poke32(APLIC_M + MMSIADDRCFG + 8, IMSIC_S >> 12);
    poke32(APLIC_M + MMSIADDRCFG + 12, 0);
}

static void registers(u64 base, const char *name)
{
    section(name);
    quiet();
    check("domaincfg", peek32(base + DOMAINCFG), 0x80000004);
    poke32(base + DOMAINCFG, ~0u);
    check("IE and DM, no BE", peek32(base + DOMAINCFG) & ~1u, 0x80000104);
    poke32(base + DOMAINCFG, DOMAIN_IE);
    poke32(base + SETIENUM, 7);
    check("inactive: not to be enabled", peek32(base + SETIE(0)), 0);
    poke32(base + SETIPNUM, 7);
    check("nor pending", peek32(base + SETIP(0)), 0);
    poke32(base + TARGET(7), 5);
    gap_begin("QEMU 7.2 keeps the target of an inactive source");
    check("and without a target", peek32(base + TARGET(7)), 0);
    gap_end();
    poke32(base + SOURCECFG(7), DETACHED);
    check("sourcecfg", peek32(base + SOURCECFG(7)), DETACHED);
    poke32(base + SOURCECFG(8), 2);
    check("a reserved mode", peek32(base + SOURCECFG(8)) & ~7u, 0);
    poke32(base + SOURCECFG(8), INACTIVE);
    poke32(base + TARGET(7), 1u << 18 | 33);
    check("target", peek32(base + TARGET(7)), 1u << 18 | 33);
    poke32(base + SETIPNUM, 7);
    check("setipnum", peek32(base + SETIP(0)), BIT(7));
    check("not enabled: stays", peek32(base + SETIP(0)), BIT(7));
    poke32(base + CLRIPNUM, 7);
    check("clripnum", peek32(base + SETIP(0)), 0);
    poke32(base + SETIP(0), BIT(7) | BIT(9));
    check("setip", peek32(base + SETIP(0)), BIT(7));
    poke32(base + IN_CLRIP(0), BIT(7));
    check("in_clrip", peek32(base + SETIP(0)), 0);
    poke32(base + DOMAINCFG, 0);
    poke32(base + SETIENUM, 7);
    check("setienum", peek32(base + SETIE(0)), BIT(7));
    poke32(base + CLRIE(0), ~0u);
    check("clrie", peek32(base + SETIE(0)), 0);
    poke32(base + SETIE(0), ~0u);
    check("setie: those active", peek32(base + SETIE(0)), BIT(7));
    poke32(base + CLRIENUM, 7);
    check("clrienum", peek32(base + SETIE(0)), 0);
    poke32(base + SOURCECFG(7), INACTIVE);
    gap_begin("QEMU 7.2 keeps the target of an inactive source");
    check("inactive: no target", peek32(base + TARGET(7)), 0);
    gap_end();
}

static void uart_irq(int on)
{
    poke8(UART + 1, on ? 2 : 0); /* transmitter empty, which it always is */
}

static void delivery(void)
{
    section("APLIC: sources become MSIs");
    quiet();
    addresses();
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + SOURCECFG(20), DETACHED);
    poke32(APLIC_M + TARGET(20), 21);
    poke32(APLIC_M + SETIENUM, 20);
    poke32(APLIC_M + SETIPNUM, 20);
    check("by setipnum", m_get(EIP0), BIT(21));
    check("forwarded: not pending", peek32(APLIC_M + SETIP(0)), 0);
    m_put(EIP0, 0);
    poke32(APLIC_M + SETIPNUM_LE, 20);
    check("by setipnum_le", m_get(EIP0), BIT(21));
    m_put(EIP0, 0);
    poke32(APLIC_M + GENMSI, 30);
    check("by genmsi", m_get(EIP0), BIT(30));
    m_put(EIP0, 0);
    poke32(APLIC_M + DOMAINCFG, 0);
    poke32(APLIC_M + SETIPNUM, 20);
    check("domain off: pending", peek32(APLIC_M + SETIP(0)), BIT(20));
    check("and not sent", m_get(EIP0), 0);
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    check("on: sent", m_get(EIP0), BIT(21));
    m_put(EIP0, 0);
    poke32(APLIC_M + CLRIENUM, 20);
    poke32(APLIC_M + SETIPNUM, 20);
    check("not enabled", m_get(EIP0), 0);
    poke32(APLIC_M + SETIENUM, 20);
    check("enabled: sent", m_get(EIP0), BIT(21));
}

static void wires(void)
{
    section("APLIC: level and edge");
    quiet();
    addresses();
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), LEVEL1);
    poke32(APLIC_M + TARGET(IRQ_UART), 40);
    poke32(APLIC_M + SETIENUM, IRQ_UART);
    check("low", peek32(APLIC_M + IN_CLRIP(0)) >> IRQ_UART & 1, 0);
    poke32(APLIC_M + SETIPNUM, IRQ_UART);
    gap_begin("QEMU 7.2 sets a level source that is low");
    check("a low level is not to be set", m_get(EIP0) | (peek32(APLIC_M + SETIP(0)) & BIT(IRQ_UART)), 0);
    gap_end();
    m_put(EIP0, 0);
    uart_irq(1);
    check("high", peek32(APLIC_M + IN_CLRIP(0)) >> IRQ_UART & 1, 1);
    check("sent", m_get(EIP0), BIT(40));
    m_put(EIP0, 0);
    check("once", m_get(EIP0), 0);
    /* 4.9.2: after its service, and still high */
    poke32(APLIC_M + SETIPNUM_LE, IRQ_UART);
    check("again by setipnum", m_get(EIP0), BIT(40));
    m_put(EIP0, 0);
    uart_irq(0);
    check("low", peek32(APLIC_M + IN_CLRIP(0)) >> IRQ_UART & 1, 0);
    check("nothing by that", m_get(EIP0), 0);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), EDGE1);
    uart_irq(1);
    check("rising", m_get(EIP0), BIT(40));
    m_put(EIP0, 0);
    uart_irq(0);
    check("falling", m_get(EIP0), 0);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), EDGE0);
    m_put(EIP0, 0);
    uart_irq(1);
    check("falling mode, rising", m_get(EIP0), 0);
    uart_irq(0);
    check("falling mode, falling", m_get(EIP0), BIT(40));
    m_put(EIP0, 0);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), INACTIVE);
    uart_irq(1);
    check("inactive", m_get(EIP0), 0);
    uart_irq(0);
}

static void delegation(void)
{
    section("APLIC: delegation to the S domain");
    quiet();
    addresses();
    poke32(APLIC_S + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_S + SOURCECFG(IRQ_UART), LEVEL1);
    gap_begin("QEMU 7.2 lets a source be active in both");
    check("not delegated: inactive there", peek32(APLIC_S + SOURCECFG(IRQ_UART)), 0);
    gap_end();
    poke32(APLIC_M + SOURCECFG(IRQ_UART), SOURCE_D);
    check("delegated", peek32(APLIC_M + SOURCECFG(IRQ_UART)), SOURCE_D);
    poke32(APLIC_M + SETIENUM, IRQ_UART);
    check("not M's any more", peek32(APLIC_M + SETIE(0)), 0);
    poke32(APLIC_S + SOURCECFG(IRQ_UART), LEVEL1);
    poke32(APLIC_S + TARGET(IRQ_UART), 44);
    poke32(APLIC_S + SETIENUM, IRQ_UART);
    uart_irq(1);
    check("to the S file", s_get(EIP0), BIT(44));
    check("not to M's", m_get(EIP0), 0);
    s_put(EIP0, 0);
    uart_irq(0);
    poke32(APLIC_S + SOURCECFG(IRQ_UART), SOURCE_D);
    check("a leaf has no child", peek32(APLIC_S + SOURCECFG(IRQ_UART)), 0);
    poke32(APLIC_S + SOURCECFG(IRQ_UART), LEVEL1);
    poke32(APLIC_M + SOURCECFG(IRQ_UART), LEVEL1);
    gap_begin("QEMU 7.2 lets a source be active in both");
    check("taken back: inactive there", peek32(APLIC_S + SOURCECFG(IRQ_UART)), 0);
    gap_end();
}

/* ---- two harts ---- */

static volatile u64 other[4];

static void job_other(u64 hart, u64 arg)
{
    (void)arg;
    if (hart == 0)
        return;
    other[0] = m_get(EIP0);
    other[1] = s_get(EIP0);
    m_put(EIP0, 0);
    s_put(EIP0, 0);
}

static void harts(void)
{
    section("MSIs to another hart");
    quiet();
    addresses();
    if (!check("present", smp_begin(2), 2))
        return;
    poke32(IMSIC_M + 0x1000, 12);
    poke32(IMSIC_S + 0x1000, 13);
    poke32(APLIC_M + DOMAINCFG, DOMAIN_IE);
    poke32(APLIC_M + GENMSI, 1u << 18 | 14);
    check("not this one", m_get(EIP0) | s_get(EIP0), 0);
    smp_run(2, job_other, 0);
    check("M", other[0], BIT(12) | BIT(14));
    check("S", other[1], BIT(13));
}

void test_main(void)
{
    file_registers();
    file_memory();
    topei();
    traps();
    majors();
    registers(APLIC_M, "APLIC: registers of the M domain");
    delivery();
    wires();
    delegation();
    harts();
}
