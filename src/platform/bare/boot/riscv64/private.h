/* Within boot/riscv64. */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_PRIVATE_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_PRIVATE_H

#include "platform/bare/arch.h"
#include "platform/bare/boot/riscv64/csr_ops.h"

#define FAULT_STACK 8192

/* What vector.S saves; order and size by early.h. */
struct trap_frame {
    uint64_t x[16]; /* ra t0 t1 t2 a0..a7 t3..t6 */
    uint64_t sepc, sstatus, hstatus;
    uint64_t sp; /* exceptions only */
};
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "known to assembly");
_Static_assert(offsetof(struct trap_frame, sepc) == FRAME_SEPC, "known to assembly");
_Static_assert(offsetof(struct trap_frame, hstatus) == FRAME_HSTATUS, "known to assembly");
_Static_assert(offsetof(struct trap_frame, sp) == FRAME_SP, "known to assembly");

/* What a started hart finds by its id; indexed by the CPU's number. */
struct start_args {
    uint64_t satp;
    struct cpu *cpu;
    void *sp;
    void (*entry)(void);
    uint64_t hart;
    _Atomic uint64_t ready; /* the rest stands */
};
_Static_assert(offsetof(struct start_args, entry) == START_ENTRY, "known to assembly");
_Static_assert(offsetof(struct start_args, hart) == START_HART, "known to assembly");
_Static_assert(offsetof(struct start_args, ready) == START_READY, "known to assembly");
_Static_assert(sizeof(struct start_args) == START_SIZE, "known to assembly");
_Static_assert(CPU_MAX == START_COUNT, "known to assembly");

extern struct start_args riscv_start_args[CPU_MAX];

/* vector.S, start.S */
void hv_vector(void);
void riscv_context_begin(void);
void riscv_secondary(void);
void riscv_secondary_mapped(void);
void riscv_exception(uint64_t scause, struct trap_frame *f);
void riscv_early_trap(uint64_t scause, uint64_t sepc, uint64_t stval);

/* map.c: satp of the final tables; whether the page of va is mapped by them (for a store). */
uint64_t riscv_satp(void);
bool riscv_mapped(uint64_t va, bool write);
/* setup.c: every other hart forgets its translations of the hypervisor. */
void riscv_remote_sfence(void);

#endif
