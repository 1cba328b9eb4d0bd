/*
 * EL2's vectors. From EL2 itself: interrupts, and faults of the hypervisor, which are fatal. From a guest:
 * the engine's code (engine/bare/arm64/world.S).
 */
#include "platform/bare/boot/arm64/el2.h"
#include "platform/bare/boot/arm64/pairs.inc"

    .macro entry target
    .balign 128
    b \target
    .endm

    .text
    .balign 2048
    .global el2_vectors
el2_vectors:
    /* from EL2 with SP_EL0, which nobody uses */
    entry hyp_sync
    entry hyp_sync
    entry hyp_sync
    entry hyp_sync
    entry hyp_sync
    entry hyp_irq
    entry hyp_irq
    entry hyp_serror
    /* from AArch64 guests */
    entry guest_exit_sync
    entry guest_exit_irq
    entry guest_exit_irq
    entry guest_exit_serror
    /* from AArch32, which guests do not get */
    entry guest_exit_sync
    entry guest_exit_irq
    entry guest_exit_irq
    entry guest_exit_serror

/* What a C function may change, and where to return to. */
hyp_irq:
    stp x29, x30, [sp, #-192]!
    stp x0, x1, [sp, #16]
    mrs x0, elr_el2
    mrs x1, spsr_el2
    pairs stp, sp, 32, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17
    str x18, [sp, #160]
    stp x0, x1, [sp, #176]
    mov x29, sp
    bl gic_irq
    bl irq_exit
    ldp x0, x1, [sp, #176]
    msr elr_el2, x0
    msr spsr_el2, x1
    ldr x18, [sp, #160]
    pairs ldp, sp, 16, x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17
    ldp x29, x30, [sp], #192
    eret

/*
 * The stack may be what faulted: all stands on this CPU's emergency stack. EL2's timer register is the one place
 * to put x0 in the meantime; trap_hyp() sets it again. Interrupts are off.
 */
    .macro fault kind
    msr cnthp_cval_el2, x0
    mrs x0, tpidr_el2
    cbz x0, 1f
    ldr x0, [x0, #(CPU_SCRATCH + SCRATCH_EMERGENCY)]
    cbnz x0, 2f
1:  adrp x0, emergency_stack_top
    add x0, x0, :lo12:emergency_stack_top
2:  sub x0, x0, #192
    pairs stp, x0, 0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18
    mov x1, sp
    mrs x2, cnthp_cval_el2
    stp x1, x2, [x0, #144]
    mrs x1, elr_el2
    mrs x2, spsr_el2
    stp x1, x2, [x0, #160]
    stp x29, x30, [x0, #176]
    mov sp, x0
    add x29, sp, #176
    mov x0, #\kind
    bl trap_hyp
    ldp x29, x30, [sp, #176]
    ldp x1, x2, [sp, #160]
    msr elr_el2, x1
    msr spsr_el2, x2
    pairs ldp, sp, 16, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18
    mov x0, sp
    ldr x1, [x0, #144]
    mov sp, x1
    ldp x1, x2, [x0]
    ldr x0, [x0, #152]
    eret
    .endm

hyp_sync:
    fault 0
hyp_serror:
    fault 1

    .section .bss
    .balign 16
    .space 8192
emergency_stack_top:
