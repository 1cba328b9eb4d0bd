/*
 * Traps taken in the hypervisor itself. An interrupt keeps its frame on the stack of the task it came upon;
 * an exception goes to a stack of its own, since a stack that ran into its guard page is one cause of it.
 * Guests come by engine/bare/riscv64/world.S, which sets stvec while they run.
 */
#include "platform/bare/boot/riscv64/early.h"
#include "platform/bare/boot/riscv64/frame.inc"
#define CPU_SCRATCH 48 /* platform/bare/cpu.h */

.macro frame_save
    regs_changed sd
    csrr t0, sepc
    csrr t1, sstatus
    csrr t2, 0x600 /* hstatus: SPV, SPVP and GVA change with every trap */
    sd t0, FRAME_SEPC(sp)
    sd t1, FRAME_SSTATUS(sp)
    sd t2, FRAME_HSTATUS(sp)
.endm

.macro frame_restore
    ld t0, FRAME_SEPC(sp)
    ld t1, FRAME_SSTATUS(sp)
    ld t2, FRAME_HSTATUS(sp)
    csrw sepc, t0
    csrw sstatus, t1
    csrw 0x600, t2
    ld t0, 8(sp)
    regs_changed ld
.endm

.text
.balign 4
.globl hv_vector
hv_vector:
    sd t0, CPU_SCRATCH(tp)
    csrr t0, scause
    bgez t0, exception
    ld t0, CPU_SCRATCH(tp)
    addi sp, sp, -FRAME_SIZE
    sd t0, 8(sp)
    frame_save
    csrr a0, scause
    call riscv_interrupt
    call irq_exit
    frame_restore
    addi sp, sp, FRAME_SIZE
    sret

exception:
    sd t1, CPU_SCRATCH + 8(tp)
    ld t1, CPU_SCRATCH + 16(tp) /* top of this CPU's stack for faults */
    addi t1, t1, -FRAME_SIZE
    sd sp, FRAME_SP(t1)
    mv sp, t1
    ld t0, CPU_SCRATCH(tp)
    ld t1, CPU_SCRATCH + 8(tp)
    sd t0, 8(sp)
    frame_save
    csrr a0, scause
    mv a1, sp
    call riscv_exception
    frame_restore
    ld sp, FRAME_SP(sp)
    sret

/* Before there is a struct cpu. */
.balign 4
.globl hv_vector_fatal
hv_vector_fatal:
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call riscv_early_trap

/* void arch_switch(struct arch_context *from, const struct arch_context *to) */
.globl arch_switch
arch_switch:
    addi sp, sp, -112
    regs_kept sd
    sd sp, 0(a0)
    ld sp, 0(a1)
    regs_kept ld
    addi sp, sp, 112
    ret

/* A new context: fn in s0, its argument in s1. */
.globl riscv_context_begin
riscv_context_begin:
    mv a0, s1
    jalr s0
    unimp
