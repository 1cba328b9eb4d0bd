/*
 * Into the guest and out of it. TPIDR_EL2 is this CPU; its scratch word SCRATCH_GUEST_X points to x0..x30 of the
 * vCPU that runs. The C side has set ELR_EL2, SPSR_EL2 and all of the guest's system registers.
 */
#include "platform/bare/boot/arm64/el2.h"
#include "platform/bare/boot/arm64/pairs.inc"

    .text
    .macro guest_x
    mrs x30, tpidr_el2
    ldr x30, [x30, #(CPU_SCRATCH + SCRATCH_GUEST_X)]
    .endm

    .global world_enter
world_enter:
    push_kept
resume_all:
    guest_x
    pairs ldp, x30, 160, x20, x21, x22, x23, x24, x25, x26, x27
/* x20..x27 are the guest's still: C keeps them. */
resume:
    guest_x
    pairs ldp, x30, 0, x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17
    ldp x18, x19, [x30, #144]
    ldp x28, x29, [x30, #224]
    ldr x30, [x30, #240]
    eret

    .macro guest_exit
    stp x0, x1, [sp, #-16]!
    mrs x0, tpidr_el2
    ldr x0, [x0, #(CPU_SCRATCH + SCRATCH_GUEST_X)]
    stp x2, x3, [x0, #16]
    ldp x2, x3, [sp], #16
    stp x2, x3, [x0]
    pairs stp, x0, 32, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17
    pairs stp, x0, 144, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29
    str x30, [x0, #240]
    add x29, sp, #80 /* world_enter()'s frame record */
    .endm

/* enum hw_way says where to go from C. */
    .global guest_exit_sync, guest_exit_irq, guest_exit_serror
guest_exit_sync:
    guest_exit
    bl hw_exit_sync
    cbz w0, resume
left:
    tbnz w0, #0, resume_all
    pop_kept
    ret
guest_exit_irq:
    guest_exit
    bl hw_exit_irq
    cbz w0, resume
    b left
guest_exit_serror:
    guest_exit
    bl hw_exit_serror
    b left
