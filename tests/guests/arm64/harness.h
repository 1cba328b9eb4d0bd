/*
 * Harness of the arm64 guest tests: a console, checks, exceptions as records. Section numbers are of the Arm
 * Architecture Reference Manual, DDI 0487.
 */
#ifndef GUEST_ARM64_HARNESS_H
#define GUEST_ARM64_HARNESS_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* The last exception; vector 0xffff: none since try_begin(). */
struct record {
    u64 vector, esr, far, elr, spsr;
};
extern volatile struct record last;

void test_main(void);
void finish(void) __attribute__((noreturn));
void section(const char *name);
void check(const char *what, u64 got, u64 want);

/* Exceptions from EL1 resume behind the instruction, or where `resume` says. */
void try_begin(u64 resume);
u64 run(u64 pc, u64 x0, u64 sp_el0, u64 spsr);
extern char run_exit[];

/* Called for IRQ (vector 0x080 of its group) and FIQ (0x100); NULL: they are recorded as other exceptions. */
extern void (*volatile interrupt)(u64 vector);

#define SPSR_EL0  0x3c0UL
#define SPSR_EL1T 0x3c4UL
#define SPSR_EL1H 0x3c5UL

#define MMIO8(a)  (*(volatile u8 *)(u64)(a))
#define MMIO32(a) (*(volatile u32 *)(u64)(a))
#define MMIO64(a) (*(volatile u64 *)(u64)(a))

#define READ(reg)                                                                                            \
    ({                                                                                                       \
        u64 v_;                                                                                              \
        __asm__ volatile("mrs %0, " #reg : "=r"(v_)::"memory");                                              \
        v_;                                                                                                  \
    })
#define HVC(f, a1, a2, a3)                                                                                   \
    ({                                                                                                       \
        register u64 x0_ __asm__("x0") = (u64)(f);                                                           \
        register u64 x1_ __asm__("x1") = (u64)(a1);                                                          \
        register u64 x2_ __asm__("x2") = (u64)(a2);                                                          \
        register u64 x3_ __asm__("x3") = (u64)(a3);                                                          \
        __asm__ volatile("hvc #0" : "+r"(x0_), "+r"(x1_), "+r"(x2_), "+r"(x3_)::"memory");                   \
        x0_;                                                                                                 \
    })
#define WRITE(reg, value) __asm__ volatile("msr " #reg ", %0\n isb" ::"r"((u64)(value)) : "memory")

/* ESR_EL1: class, IL, syndrome (D19.2.37). */
#define ESR(ec, iss) ((u64)(ec) << 26 | 1UL << 25 | (iss))

#endif
