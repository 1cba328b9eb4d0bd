/* What test guests share: firmware calls, the UART, numbers as text. No library. */
#ifndef CV_TESTS_BARE_RISCV64_GUEST_H
#define CV_TESTS_BARE_RISCV64_GUEST_H

#include "../common.h"

#define UART   ((volatile uint8_t *)0x10000000)
#define PLIC   0x0c000000ul
#define ACLINT 0x02000000ul
#define VIRTIO 0x10001000ul

#define csr_read(name)                                                                                       \
    ({                                                                                                       \
        uint64_t csr_value;                                                                                  \
        __asm__ volatile("csrr %0, " #name : "=r"(csr_value)::"memory");                                     \
        csr_value;                                                                                           \
    })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(name, value)   __asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

struct sbi {
    int64_t error;
    uint64_t value;
};

static inline struct sbi sbi(uint64_t ext, uint64_t fid, uint64_t x, uint64_t y, uint64_t z)
{
    register uint64_t a0 __asm__("a0") = x;
    register uint64_t a1 __asm__("a1") = y;
    register uint64_t a2 __asm__("a2") = z;
    register uint64_t a6 __asm__("a6") = fid;
    register uint64_t a7 __asm__("a7") = ext;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2) : "r"(a6), "r"(a7) : "memory");
    return (struct sbi){(int64_t)a0, a1};
}

enum {
    SBI_BASE = 0x10,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_HSM = 0x48534d,
    SBI_SRST = 0x53525354,
    SBI_CARBOVISOR = 0x08004356
};

static inline uint64_t instret(void)
{
    uint64_t n;

    __asm__ volatile("rdinstret %0" : "=r"(n)::"memory");
    return n;
}

static inline uint64_t now(void)
{
    uint64_t n;

    __asm__ volatile("rdtime %0" : "=r"(n)::"memory");
    return n;
}

static inline uint32_t r32(uint64_t at)
{
    return *(volatile uint32_t *)at;
}

static inline void w32(uint64_t at, uint32_t v)
{
    *(volatile uint32_t *)at = v;
}

static inline void put(const char *s)
{
    for (; *s; s++)
        *UART = (uint8_t)*s;
}

/* A guest's own; all but guest_main() have a default (defaults.c). */
void guest_main(uint64_t hart, uint64_t dtb, uint64_t instret_at_start);
void guest_hart(uint64_t hart, uint64_t opaque);
uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t instret_at_trap);

#endif
