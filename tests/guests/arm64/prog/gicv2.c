/* GICv2 register by register: distributor and CPU interface (IHI 0048B, 4.3, 4.4). Machine option gic=2. */
#include "harness.h"

#define GICD 0x08000000UL
#define GICC 0x08010000UL
#define SPI  40u /* nothing drives it */

#define GICC_CTLR  MMIO32(GICC + 0x00)
#define GICC_PMR   MMIO32(GICC + 0x04)
#define GICC_BPR   MMIO32(GICC + 0x08)
#define GICC_IAR   MMIO32(GICC + 0x0c)
#define GICC_EOIR  MMIO32(GICC + 0x10)
#define GICC_RPR   MMIO32(GICC + 0x14)
#define GICC_HPPIR MMIO32(GICC + 0x18)
#define GICC_APR   MMIO32(GICC + 0xd0)
#define GICC_DIR   MMIO32(GICC + 0x1000)

static volatile unsigned taken, taken_vector, taken_id;

static void take(u64 vector)
{
    u32 iar = GICC_IAR;

    taken++;
    taken_vector = (unsigned)vector & 0x1ff;
    taken_id = iar;
    if (iar < 1020 || iar > 1023)
        GICC_EOIR = iar;
}

static void pulse_irqs(void)
{
    taken = 0;
    __asm__ volatile("msr daifclr, #3\n isb\n msr daifset, #3\n isb" ::: "memory");
}

static u32 bit(u64 bank, unsigned id)
{
    return MMIO32(GICD + bank + id / 32 * 4) >> id % 32 & 1;
}

static void put(u64 bank, unsigned id)
{
    MMIO32(GICD + bank + id / 32 * 4) = 1u << id % 32;
}

static void on(void)
{
    MMIO32(GICD) = 1;
    for (unsigned i = 0; i < 4; i++) {
        MMIO32(GICD + 0x180 + 4 * i) = ~0u;
        MMIO32(GICD + 0x280 + 4 * i) = ~0u;
        MMIO32(GICD + 0x380 + 4 * i) = ~0u;
        for (unsigned k = 0; k < 8; k++)
            MMIO32(GICD + 0x400 + 32 * i + 4 * k) = 0xa0a0a0a0;
    }
    for (unsigned i = 8; i < 32; i++)
        MMIO32(GICD + 0x800 + 4 * i) = 0x01010101;
    GICC_PMR = 0xff;
    GICC_BPR = 0;
    GICC_CTLR = 1;
}

static void identity(void)
{
    section("identification");
    check("GICD_PIDR2 says GICv2", MMIO32(GICD + 0xfe8) & 0xf0, 0x20);
    check("GICC_IIDR says GICv2", MMIO32(GICC + 0xfc) >> 16 & 0xf, 2);
    check("at least 256 interrupts", (MMIO32(GICD + 4) & 31) >= 7, 1);
    check("two CPUs", MMIO32(GICD + 4) >> 5 & 7, 1);
    check("private targets", MMIO32(GICD + 0x800) & 0xff, 1);
    MMIO32(GICD + 0x81c) = 0;
    check("are read-only", MMIO32(GICD + 0x81c) >> 24, 1);
}

static void set_clear(const char *name, u64 set, u64 clear, u32 mask)
{
    section(name);
    MMIO32(GICD + clear) = ~0u;
    check("all clear", MMIO32(GICD + set), 0);
    MMIO32(GICD + set) = 0x5a5a5a5a & mask;
    check("set", MMIO32(GICD + set), 0x5a5a5a5a & mask);
    check("the clear register reads the same", MMIO32(GICD + clear), 0x5a5a5a5a & mask);
    MMIO32(GICD + clear) = 0x11111111;
    check("less", MMIO32(GICD + set), 0x4a4a4a4a & mask);
    MMIO32(GICD + clear) = ~0u;
    check("none", MMIO32(GICD + set), 0);
}

static void banks(void)
{
    set_clear("ISENABLER and ICENABLER", 0x104, 0x184, ~0u);
    set_clear("ISPENDR and ICPENDR", 0x208, 0x288, ~0u);
    set_clear("ISACTIVER and ICACTIVER", 0x308, 0x388, ~0u);
    section("SGIs");
    MMIO32(GICD + 0x200) = 0xffff;
    check("ISPENDR does not set them", MMIO32(GICD + 0x200) & 0xffff, 0);
    check("edges", MMIO32(GICD + 0xc00), 0xaaaaaaaa);
}

static void bytes(void)
{
    section("priorities and targets by byte and word");
    MMIO32(GICD + 0x400 + SPI) = 0;
    MMIO8(GICD + 0x400 + SPI + 1) = 0x50;
    check("beside it", MMIO32(GICD + 0x400 + SPI), 0x5000);
    MMIO32(GICD + 0x400 + SPI) = 0xf0c0a050;
    check("byte 3", MMIO8(GICD + 0x400 + SPI + 3), 0xf0);
    MMIO32(GICD + 0x400 + SPI) = 0xa0a0a0a0;
    MMIO8(GICD + 0x800 + SPI) = 0;
    check("target", MMIO32(GICD + 0x800 + SPI) & 0xff, 0);
    MMIO8(GICD + 0x800 + SPI) = 1;
    MMIO32(GICD + 0xc08) = 0xaaaaaaaa;
    check("ICFGR", MMIO32(GICD + 0xc08), 0xaaaaaaaa);
    MMIO32(GICD + 0xc08) = 0;
}

static void states(void)
{
    section("inactive, pending, active");
    put(0x100, SPI);
    put(0x200, SPI);
    check("HPPIR", GICC_HPPIR, SPI);
    check("IAR", GICC_IAR, SPI);
    check("active", bit(0x200, SPI) + 2 * bit(0x300, SPI), 2);
    check("running priority", GICC_RPR, 0xa0);
    put(0x200, SPI);
    check("active and pending", bit(0x200, SPI) + 2 * bit(0x300, SPI), 3);
    check("not signalled again", GICC_IAR, 1023);
    GICC_EOIR = SPI;
    check("dropped", GICC_RPR, 0xff);
    check("again", GICC_IAR, SPI);
    GICC_EOIR = SPI;
    check("no more", GICC_IAR, 1023);
    put(0x200, SPI);
    MMIO8(GICD + 0x800 + SPI) = 0;
    check("no target", GICC_HPPIR, 1023);
    MMIO8(GICD + 0x800 + SPI) = 1;
    MMIO32(GICD) = 0;
    check("distributor off", GICC_IAR, 1023);
    MMIO32(GICD) = 1;
    put(0x280, SPI);
    put(0x180, SPI);
}

static void priorities(void)
{
    section("priorities and preemption");
    for (unsigned i = 0; i < 3; i++)
        put(0x100, SPI + i);
    MMIO32(GICD + 0x400 + SPI) = 0xa0608090;
    for (unsigned i = 0; i < 3; i++)
        put(0x200, SPI + i);
    GICC_PMR = 0x60;
    check("the mask hides them", GICC_IAR, 1023);
    GICC_PMR = 0xff;
    check("0x60", GICC_IAR, SPI + 2);
    check("0x80 does not preempt", GICC_IAR, 1023);
    GICC_EOIR = SPI + 2;
    check("0x80", GICC_IAR, SPI + 1);
    put(0x200, SPI + 2);
    check("0x60 preempts", GICC_IAR, SPI + 2);
    GICC_EOIR = SPI + 2;
    check("0x80 runs", GICC_RPR, 0x80);
    GICC_BPR = 5; /* groups of 0x40 */
    check("0x90 waits", GICC_IAR, 1023);
    GICC_EOIR = SPI + 1;
    check("0x90", GICC_IAR, SPI);
    GICC_EOIR = SPI;
    GICC_BPR = 0;
    MMIO32(GICD + 0x400 + SPI) = 0xa0a0a0a0;
    for (unsigned i = 0; i < 3; i++)
        put(0x180, SPI + i);
}

static void eoimode(void)
{
    section("EOImode");
    put(0x100, SPI);
    GICC_CTLR = 1 | 1 << 9;
    put(0x200, SPI);
    check("IAR", GICC_IAR, SPI);
    GICC_EOIR = SPI;
    check("dropped, active", (GICC_RPR & 0xff) << 1 | bit(0x300, SPI), 0xff << 1 | 1);
    GICC_DIR = SPI;
    check("deactivated", bit(0x300, SPI), 0);
    GICC_CTLR = 1;
    put(0x180, SPI);
}

static void software(void)
{
    section("software-generated interrupts");
    interrupt = take;
    put(0x100, 7);
    MMIO32(GICD + 0xf00) = 2u << 24 | 7;
    check("to itself", bit(0x200, 7), 1);
    check("source", MMIO8(GICD + 0xf20 + 7), 1);
    check("ISR", READ(isr_el1), 1 << 7);
    pulse_irqs();
    check("taken", taken, 1);
    check("as IRQ", taken_vector, 0x80);
    check("id and source", taken_id, 7);
    MMIO32(GICD + 0xf00) = 1u << 24 | 7;
    check("all but itself", bit(0x200, 7), 0);
    MMIO32(GICD + 0xf00) = 1u << 16 | 7;
    check("by list", bit(0x200, 7), 1);
    MMIO8(GICD + 0xf10 + 7) = 1;
    check("CPENDSGIR", bit(0x200, 7), 0);
    MMIO8(GICD + 0xf20 + 7) = 1;
    check("SPENDSGIR", bit(0x200, 7), 1);
    pulse_irqs();
    check("taken", taken + taken_id, 8);
    interrupt = 0;
}

void test_main(void)
{
    identity();
    on();
    banks();
    on();
    bytes();
    states();
    priorities();
    eoimode();
    software();
}
