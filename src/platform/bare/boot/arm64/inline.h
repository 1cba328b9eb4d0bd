/* platform/bare/arch.h, inline part, arm64: TPIDR_EL2 is this CPU. */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_INLINE_H
#define CV_PLATFORM_BARE_BOOT_ARM64_INLINE_H

#include "platform/bare/cpu.h"

#define ARCH_RAM_LAZY 1

/* Where image.ld puts the image; everything else is mapped where it is. */
#define ARCH_IMAGE_VA UINT64_C(0x7f8000000000)
extern uint64_t image_pa; /* set before the MMU is on */

static inline struct cpu *arch_cpu(void)
{
    struct cpu *c;

    __asm__ volatile("mrs %0, tpidr_el2" : "=r"(c)::"memory");
    return c;
}

static inline void arch_cpu_set(struct cpu *c)
{
    __asm__ volatile("msr tpidr_el2, %0" ::"r"(c) : "memory");
}

/* DAIF.I is bit 7 and F bit 6 (Arm ARM K.a, C5.2.3); both go together. */
static inline bool arch_irqs_on(void)
{
    uint64_t d;

    __asm__ volatile("mrs %0, daif" : "=r"(d)::"memory");
    return !(d & 0x80);
}

static inline bool arch_irq_save(void)
{
    bool on = arch_irqs_on();

    __asm__ volatile("msr daifset, #3" ::: "memory");
    return on;
}

static inline void arch_irq_restore(bool on)
{
    if (on)
        __asm__ volatile("msr daifclr, #3" ::: "memory");
    else
        __asm__ volatile("msr daifset, #3" ::: "memory");
}

static inline void arch_relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}

static inline void arch_wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

static inline uint64_t arch_counter(void)
{
    uint64_t t;

    __asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(t)::"memory");
    return t;
}

/* Whole blocks of DC ZVA, 64 bytes where it is usual: p and size are multiples of 4096. */
#define ARCH_ZERO 1
static inline void arch_zero(void *p, uint64_t size)
{
    uint64_t at = (uint64_t)p, end = at + size, id, step;

    __asm__ volatile("mrs %0, dczid_el0" : "=r"(id));
    step = UINT64_C(4) << (id & 0xf);
    if (id & 0x10 || step > 1024) {
        for (; at < end; at += 8)
            *(volatile uint64_t *)at = 0;
        return;
    }
    for (; at < end; at += 4 * step)
        __asm__ volatile("dc zva, %0\n\tdc zva, %1\n\tdc zva, %2\n\tdc zva, %3" ::"r"(at), "r"(at + step),
                         "r"(at + 2 * step), "r"(at + 3 * step)
                         : "memory");
}

static inline void *arch_ptr(uint64_t pa)
{
    return (void *)pa;
}

static inline uint64_t arch_pa(const void *p)
{
    uint64_t va = (uint64_t)p;

    return va >= ARCH_IMAGE_VA ? va - ARCH_IMAGE_VA + image_pa : va;
}

#endif
