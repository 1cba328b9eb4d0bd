/* CSRs by their numbers (isa/riscv64/csr.h), and facts about the host that engine and drivers ask for. */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_CSR_OPS_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_CSR_OPS_H

#include "isa/riscv64/csr.h"

#define csr_read(number)                                                                                     \
    ({                                                                                                       \
        uint64_t csr_value;                                                                                  \
        __asm__ volatile("csrr %0, %1" : "=r"(csr_value) : "i"(number) : "memory");                          \
        csr_value;                                                                                           \
    })
#define csr_write(number, value)                                                                             \
    __asm__ volatile("csrw %0, %1" ::"i"(number), "rK"((uint64_t)(value)) : "memory")
#define csr_set(number, bits) __asm__ volatile("csrs %0, %1" ::"i"(number), "rK"((uint64_t)(bits)) : "memory")
#define csr_clear(number, bits)                                                                              \
    __asm__ volatile("csrc %0, %1" ::"i"(number), "rK"((uint64_t)(bits)) : "memory")

/* Found at boot, constant from then on. */
struct riscv_host {
    bool sstc;             /* stimecmp and, by henvcfg, vstimecmp */
    bool ssaia;            /* siselect, stopei... */
    bool svpbmt;           /* henvcfg.PBMTE can be set */
    uint8_t page_mode;     /* satp.MODE in use */
    uint8_t stage2_mode;   /* the widest hgatp.MODE */
    uint8_t stage2_narrow; /* and the one of fewest bits */
    uint8_t vmid_bits;
    uint8_t guest_files; /* of the IMSIC, each hart */
    uint64_t timebase_hz;
    const char *isa; /* "rv64imafdch_...", of the boot hart; "" without */
    const char *mmu; /* "riscv,sv57" */
};
extern struct riscv_host riscv_host;

/*
 * Runs one CSR read that may trap, of an `probe`d instruction: interrupts off. False: it did (no such CSR).
 */
#define csr_probe(number, out)                                                                               \
    ({                                                                                                       \
        uint64_t probe_value = 0;                                                                            \
        riscv_expect_begin();                                                                                \
        __asm__ volatile(".option push\n.option norvc\ncsrr %0, %1\n.option pop"                             \
                         : "+r"(probe_value)                                                                 \
                         : "i"(number)                                                                       \
                         : "memory");                                                                        \
        *(out) = probe_value;                                                                                \
        !riscv_expect_end();                                                                                 \
    })

#include "platform/bare/boot/inline.h"

/* cpu->scratch[3]: a trap of the next instructions (4 bytes each) is expected: it is skipped and noted here.
 */
enum { RISCV_SCRATCH_STACK = 2, RISCV_SCRATCH_EXPECT = 3, RISCV_SCRATCH_GUEST = 4 };
enum { RISCV_EXPECT_NONE, RISCV_EXPECT, RISCV_EXPECT_TRAPPED };

static inline void riscv_expect_begin(void)
{
    *(volatile uint64_t *)&arch_cpu()->scratch[RISCV_SCRATCH_EXPECT] = RISCV_EXPECT;
}

static inline bool riscv_expect_end(void)
{
    volatile uint64_t *expect = &arch_cpu()->scratch[RISCV_SCRATCH_EXPECT];
    bool trapped = *expect == RISCV_EXPECT_TRAPPED;

    *expect = RISCV_EXPECT_NONE;
    return trapped;
}

/* Of an instruction of 4 bytes at local label 1 before it: a trap of it skips it, and nothing is noted. */
#define RISCV_SKIP_TRAP ".pushsection .skip, \"a\"\n.dword 1b\n.popsection\n"

/* From vectors, interrupts off: serves one interrupt by its scause. */
void riscv_interrupt(uint64_t scause);
/* What drivers of root controllers set: serves all external interrupts of this CPU. */
void riscv_external_set(void (*handler)(void *opaque), void *opaque);
/* What the engine sets: guest files of this CPU have something (cause 12). */
void riscv_guest_external_set(void (*handler)(void));
/* How this CPU sends interrupts to others; the firmware's way unless a driver knows a better one. */
void riscv_ipi_set(void (*send)(struct cpu *to));
/* This CPU's place in the tree: its interrupt controller's phandle, or 0. */
uint32_t riscv_cpu_intc(const struct cpu *c);

#endif
