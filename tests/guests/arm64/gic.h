/* GICv3 as programs need it: group 1, this CPU's interface by system registers. */
#ifndef GUEST_ARM64_GIC_H
#define GUEST_ARM64_GIC_H

#include "harness.h"

#define GICD   0x08000000UL
#define GICR   0x080a0000UL
#define ITS    0x08080000UL
#define RD(n)  (GICR + (n)*0x20000UL)
#define SGI(n) (RD(n) + 0x10000)

#define ICC_PMR     S3_0_C4_C6_0
#define ICC_IAR0    S3_0_C12_C8_0
#define ICC_EOIR0   S3_0_C12_C8_1
#define ICC_HPPIR0  S3_0_C12_C8_2
#define ICC_BPR0    S3_0_C12_C8_3
#define ICC_AP0R0   S3_0_C12_C8_4
#define ICC_AP1R0   S3_0_C12_C9_0
#define ICC_DIR     S3_0_C12_C11_1
#define ICC_RPR     S3_0_C12_C11_3
#define ICC_SGI1R   S3_0_C12_C11_5
#define ICC_ASGI1R  S3_0_C12_C11_6
#define ICC_SGI0R   S3_0_C12_C11_7
#define ICC_IAR1    S3_0_C12_C12_0
#define ICC_EOIR1   S3_0_C12_C12_1
#define ICC_HPPIR1  S3_0_C12_C12_2
#define ICC_BPR1    S3_0_C12_C12_3
#define ICC_CTLR    S3_0_C12_C12_4
#define ICC_SRE     S3_0_C12_C12_5
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7

#define GET(reg)           READ_(reg)
#define READ_(reg)         READ(reg)
#define SET(reg, value)    WRITE_(reg, value)
#define WRITE_(reg, value) WRITE(reg, value)

/* Distributor and this CPU's redistributor on, all interrupts of group 1 with priority 0xa0, none enabled. */
void gic_on(unsigned cpu);
void gic_enable(unsigned cpu, unsigned id); /* SPIs: edge or level as they are, routed to CPU 0 */
void gic_disable(unsigned cpu, unsigned id);
int gic_pending(unsigned cpu, unsigned id);
int gic_active(unsigned cpu, unsigned id);

/* PSTATE.I and F. */
static inline void irqs_on(void)
{
    __asm__ volatile("msr daifclr, #3\n isb" ::: "memory");
}

static inline void irqs_off(void)
{
    __asm__ volatile("msr daifset, #3\n isb" ::: "memory");
}

#endif
