/* platform/bare/arch.h, inline part, of the simulated machine: sim.c. */
#ifndef CV_PLATFORM_BARE_SIM_INLINE_H
#define CV_PLATFORM_BARE_SIM_INLINE_H

#include "platform/bare/cpu.h"

struct cpu *arch_cpu(void);
void arch_cpu_set(struct cpu *c);
bool arch_irq_save(void);
void arch_irq_restore(bool on);
bool arch_irqs_on(void);
void arch_relax(void);
void arch_wait(void);
uint64_t arch_counter(void);

static inline void *arch_ptr(uint64_t pa)
{
    return (void *)(uintptr_t)pa;
}

static inline uint64_t arch_pa(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

#endif
