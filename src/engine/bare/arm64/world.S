/*
 * Into the guest and out of it. TPIDR_EL2 is this CPU; its scratch word SCRATCH_GUEST_X points to x0..x30 of the
 * vCPU that runs. The C side has set ELR_EL2, SPSR_EL2 and all of the guest's system registers.
 */
#include "platform/bare/boot/arm64/el2.h"

    .text
    .global world_enter
world_enter:
    stp x19, x20, [sp, #-96]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
resume:
    mrs x30, tpidr_el2
    ldr x30, [x30, #(CPU_SCRATCH + SCRATCH_GUEST_X)]
    ldp x0, x1, [x30]
    ldp x2, x3, [x30, #16]
    ldp x4, x5, [x30, #32]
    ldp x6, x7, [x30, #48]
    ldp x8, x9, [x30, #64]
    ldp x10, x11, [x30, #80]
    ldp x12, x13, [x30, #96]
    ldp x14, x15, [x30, #112]
    ldp x16, x17, [x30, #128]
    ldp x18, x19, [x30, #144]
    ldp x20, x21, [x30, #160]
    ldp x22, x23, [x30, #176]
    ldp x24, x25, [x30, #192]
    ldp x26, x27, [x30, #208]
    ldp x28, x29, [x30, #224]
    ldr x30, [x30, #240]
    eret

    .macro guest_exit kind
    stp x0, x1, [sp, #-16]!
    mrs x0, tpidr_el2
    ldr x0, [x0, #(CPU_SCRATCH + SCRATCH_GUEST_X)]
    stp x2, x3, [x0, #16]
    mov w1, #\kind
    b exit_common
    .endm

    .global guest_exit_sync, guest_exit_irq, guest_exit_serror
guest_exit_sync:
    guest_exit 0
guest_exit_irq:
    guest_exit 1
guest_exit_serror:
    guest_exit 2

exit_common:
    ldp x2, x3, [sp], #16
    stp x2, x3, [x0]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    str x30, [x0, #240]
    mov w0, w1
    add x29, sp, #80 /* world_enter()'s frame record */
    bl hw_exit
    cbz w0, resume
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #96
    ret
