/* platform/bare/arch.h, inline part, riscv64: tp is this CPU. */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_INLINE_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_INLINE_H

#include "platform/bare/boot/riscv64/early.h"
#include "platform/bare/cpu.h"

#define ARCH_RAM_LAZY 1

/* Where the image is; set by start.S, never changed. */
extern uint64_t riscv_image_pa;

static inline struct cpu *arch_cpu(void)
{
    struct cpu *c;

    __asm__ volatile("mv %0, tp" : "=r"(c)::"memory");
    return c;
}

static inline void arch_cpu_set(struct cpu *c)
{
    __asm__ volatile("mv tp, %0" ::"r"(c) : "memory");
}

/* sstatus.SIE is bit 1 (RISC-V Priv. 20240411, 12.1.1). */
static inline bool arch_irqs_on(void)
{
    uint64_t s;

    __asm__ volatile("csrr %0, sstatus" : "=r"(s)::"memory");
    return s & 2;
}

static inline bool arch_irq_save(void)
{
    uint64_t s;

    __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(s)::"memory");
    return s & 2;
}

static inline void arch_irq_restore(bool on)
{
    if (on)
        __asm__ volatile("csrsi sstatus, 2" ::: "memory");
    else
        __asm__ volatile("csrci sstatus, 2" ::: "memory");
}

static inline void arch_relax(void)
{
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); /* PAUSE (Zihintpause 2.0) */
}

static inline void arch_wait(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

static inline uint64_t arch_counter(void)
{
    uint64_t t;

    __asm__ volatile("rdtime %0" : "=r"(t)::"memory");
    return t;
}

static inline void *arch_ptr(uint64_t pa)
{
    return (void *)pa;
}

static inline uint64_t arch_pa(const void *p)
{
    uint64_t va = (uint64_t)p;

    return va >= IMAGE_VA ? va - IMAGE_VA + riscv_image_pa : va;
}

#endif
