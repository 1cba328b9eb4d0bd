/*
 * What the device tree says of harts: phandles that interrupt controllers refer to, the cells of the
 * harts' own controllers ("riscv,cpu-intc": the cause number), the time base.
 */
#ifndef CV_ISA_RISCV64_DT_H
#define CV_ISA_RISCV64_DT_H

#define RISCV_PHANDLE_CPU(i)      (1 + 2 * (uint32_t)(i))
#define RISCV_PHANDLE_CPU_INTC(i) (2 + 2 * (uint32_t)(i))

#define RISCV_TIMEBASE_HZ 10000000

/* Interrupt cells of a riscv,cpu-intc; the inputs of a hart have the same numbers. */
enum rv_cpu_intc {
    RV_IRQ_S_SOFT = 1,
    RV_IRQ_M_SOFT = 3,
    RV_IRQ_S_TIMER = 5,
    RV_IRQ_M_TIMER = 7,
    RV_IRQ_S_EXT = 9,
    RV_IRQ_M_EXT = 11,
};

#endif
