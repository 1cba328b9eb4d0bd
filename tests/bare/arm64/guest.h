/* What test guests share: PSCI, the UART, the GICv3, numbers as text. No library; MMU off. */
#ifndef CV_TESTS_BARE_ARM64_GUEST_H
#define CV_TESTS_BARE_ARM64_GUEST_H

#include "../common.h"

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICR 0x080a0000ul

#define VIRTIO 0x0a000000ul

#define sys_read(name)                                                                                       \
    ({                                                                                                       \
        uint64_t sys_value;                                                                                  \
        __asm__ volatile("mrs %0, " #name : "=r"(sys_value)::"memory");                                      \
        sys_value;                                                                                           \
    })
#define sys_write(name, value)                                                                               \
    __asm__ volatile("msr " #name ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

static inline uint64_t hvc(uint64_t function, uint64_t x, uint64_t y, uint64_t z)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = x;
    register uint64_t x2 __asm__("x2") = y;
    register uint64_t x3 __asm__("x3") = z;

    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return x0;
}

enum { PSCI_VERSION = 0x84000000, PSCI_CPU_OFF = 0x84000002, PSCI_OFF = 0x84000008 };
#define CARBOVISOR_YIELD 0x86000002ul
#define PSCI_CPU_ON      0xc4000003ul

static inline uint32_t r32(uint64_t at)
{
    uint32_t v;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(at) : "memory");
    return v;
}

static inline void w32(uint64_t at, uint32_t v)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(v), "r"(at) : "memory");
}

static inline uint64_t now(void)
{
    return sys_read(cntvct_el0);
}

static inline void put(const char *s)
{
    for (; *s; s++)
        w32(UART, (uint8_t)*s);
}

/* The distributor, and this PE's redistributor and CPU interface: everything in group 1, SGIs and PPIs on. */
static inline void gic_start(unsigned pe)
{
    uint64_t rd = GICR + 0x20000ul * pe, sgi = rd + 0x10000;

    w32(GICD, 0x12);
    w32(rd + 0x14, 0);
    w32(sgi + 0x80, 0xffffffff);
    for (unsigned i = 0; i < 32; i += 4)
        w32(sgi + 0x400 + i, 0x80808080);
    w32(sgi + 0x100, 0x0800ffff);  /* SGIs, virtual timer */
    sys_write(S3_0_C4_C6_0, 0xf0); /* ICC_PMR_EL1 */
    sys_write(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

static inline uint64_t gic_ack(void)
{
    return sys_read(S3_0_C12_C12_0) & 0xffffff;
}

static inline void gic_end(uint64_t id)
{
    sys_write(S3_0_C12_C12_1, id);
}

/* SGI `id` to one PE of affinity 0. */
static inline void gic_sgi(unsigned id, unsigned pe)
{
    sys_write(S3_0_C12_C11_5, (uint64_t)id << 24 | 1ul << pe);
}

/* A guest's own; all but guest_main() have a default (defaults.c). ticks: CNTVCT_EL0 at the first
 * instruction; at the vector. */
void guest_main(uint64_t dtb, uint64_t ticks);
void guest_pe(uint64_t context);
void guest_irq(uint64_t ticks);
/* Gives how far ELR moves. */
uint64_t guest_sync(uint64_t esr, uint64_t far);

static inline void check(const char *what, uint64_t have, uint64_t want)
{
    put(have == want ? "ok " : "not ok ");
    put(what);
    if (have != want) {
        put(" ");
        put_number(have);
        put(" not ");
        put_number(want);
    }
    put("\n");
}

/* overflow.c, its.c */
void overflow(void);
void its(void);

#endif
