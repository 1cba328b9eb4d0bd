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
    uint16_t vlenb;      /* bytes of a vector register; 0: there are none, or not the same on each hart */
    uint64_t timebase_hz;
    const char *isa; /* "rv64imafdch_...", of the boot hart; "" without */
    const char *mmu; /* "riscv,sv57" */
};
extern struct riscv_host riscv_host;

/*
 * One instruction, as text of an asm, that may trap: it has done nothing then, and it goes on at local label
 * 2, which the asm has after it. RISCV_TRY has that label, and in register `trapped` whether it did.
 */
#define RISCV_MAY_TRAP(insn)     "1: " insn "\n.pushsection .traps, \"a\"\n.dword 1b, 2f\n.popsection\n"
#define RISCV_TRY(insn, trapped) "li " trapped ", 1\n" RISCV_MAY_TRAP(insn) "li " trapped ", 0\n2:\n"

/* A CSR read. False: there is no such CSR, 0. */
#define csr_probe(number, out)                                                                               \
    ({                                                                                                       \
        uint64_t probe_value = 0, probe_trapped;                                                             \
        __asm__ volatile(RISCV_TRY("csrr %0, %2", "%1")                                                      \
                         : "+r"(probe_value), "=&r"(probe_trapped)                                           \
                         : "i"(number)                                                                       \
                         : "memory");                                                                        \
        *(out) = probe_value;                                                                                \
        !probe_trapped;                                                                                      \
    })

#include "platform/bare/boot/inline.h"

enum { RISCV_SCRATCH_STACK = 2, RISCV_SCRATCH_GUEST = 4 }; /* places in cpu->scratch */

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
