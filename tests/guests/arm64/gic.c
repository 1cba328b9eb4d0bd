/* GICv3 as programs need it: see gic.h. */
#include "gic.h"

static u64 base(unsigned cpu, unsigned id)
{
    return id < 32 ? SGI(cpu) : GICD;
}

void gic_on(unsigned cpu)
{
    MMIO32(RD(cpu) + 0x14) &= ~2u;
    while (MMIO32(RD(cpu) + 0x14) & 4)
        ;
    MMIO32(GICD) = 1 << 4 | 3;
    for (unsigned i = 0; i < 8; i++)
        MMIO32(SGI(cpu) + 0x400 + 4 * i) = 0xa0a0a0a0;
    MMIO32(SGI(cpu) + 0x80) = ~0u;
    MMIO32(SGI(cpu) + 0x180) = ~0u;
    if (!cpu) {
        for (unsigned i = 8; i < 32; i++)
            MMIO32(GICD + 0x400 + 4 * i) = 0xa0a0a0a0;
        for (unsigned i = 1; i < 4; i++) {
            MMIO32(GICD + 0x80 + 4 * i) = ~0u;
            MMIO32(GICD + 0x180 + 4 * i) = ~0u;
        }
    }
    SET(ICC_SRE, 7);
    SET(ICC_PMR, 0xff);
    SET(ICC_BPR1, 0);
    SET(ICC_CTLR, 0);
    SET(ICC_IGRPEN1, 1);
}

void gic_enable(unsigned cpu, unsigned id)
{
    if (id >= 32)
        MMIO64(GICD + 0x6000 + 8 * id) = 0;
    MMIO32(base(cpu, id) + 0x100 + id / 32 * 4) = 1u << id % 32;
}

void gic_disable(unsigned cpu, unsigned id)
{
    MMIO32(base(cpu, id) + 0x180 + id / 32 * 4) = 1u << id % 32;
    while (MMIO32(id < 32 ? RD(cpu) : GICD) & (id < 32 ? 8u : 1u << 31))
        ;
}

int gic_pending(unsigned cpu, unsigned id)
{
    return MMIO32(base(cpu, id) + 0x200 + id / 32 * 4) >> id % 32 & 1;
}

int gic_active(unsigned cpu, unsigned id)
{
    return MMIO32(base(cpu, id) + 0x300 + id / 32 * 4) >> id % 32 & 1;
}
