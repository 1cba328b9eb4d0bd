/*
 * What the device tree says of cores and their interrupts: the bindings of the GIC ("arm,gic-v3": kind,
 * number, flags) and the private interrupts that the Base System Architecture (DEN 0094) gives the timers and
 * the PMU.
 */
#ifndef CV_ISA_ARM64_DT_H
#define CV_ISA_ARM64_DT_H

enum a64_dt_irq_kind { A64_DT_SPI = 0, A64_DT_PPI = 1 };

enum a64_dt_irq_flags { A64_DT_EDGE_RISING = 1, A64_DT_LEVEL_HIGH = 4, A64_DT_LEVEL_LOW = 8 };

/* Interrupt ids; the device tree counts PPIs from 16 and SPIs from 32. */
enum a64_intid {
    A64_INTID_SGI = 0,
    A64_INTID_PPI = 16,
    A64_INTID_PMU = 23,
    A64_INTID_TIMER_HYP = 26,         /* CNTHP */
    A64_INTID_TIMER_VIRT = 27,        /* CNTV */
    A64_INTID_TIMER_PHYS_SECURE = 29, /* CNTPS */
    A64_INTID_TIMER_PHYS = 30,        /* CNTP */
    A64_INTID_SPI = 32,
};

#endif
