/* Entry of the test guests: x0 device tree, EL1, MMU off. PEs that CPU_ON started come by guest_secondary. */
#include "../../../src/platform/bare/boot/arm64/pairs.inc"

    .section .head, "ax"
    .global _start
_start:
    mrs x1, cntvct_el0
    adr x2, vectors
    msr vbar_el1, x2
    mov x2, #(3 << 20)
    msr cpacr_el1, x2
    isb
    adrp x2, stacks + 16384
    mov sp, x2
    bl guest_main
    bl guest_off

    .global guest_secondary
guest_secondary:
    adr x2, vectors
    msr vbar_el1, x2
    mov x2, #(3 << 20)
    msr cpacr_el1, x2
    isb
    adrp x2, stacks + 16384
    mrs x1, mpidr_el1
    and x1, x1, #15
    lsl x1, x1, #14
    add x2, x2, x1
    mov sp, x2
    bl guest_pe
1:  wfi
    b 1b

    .macro save
    stp x0, x1, [sp, #-176]!
    pairs stp, sp, 16, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x29
    str x30, [sp, #160]
    .endm
    .macro restore_high /* all but x0, x1 */
    ldr x30, [sp, #160]
    pairs ldp, sp, 16, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x29
    .endm
    .macro restore
    restore_high
    ldp x0, x1, [sp], #176
    eret
    .endm

    .text
on_sync:
    save
    mrs x0, esr_el1
    mrs x1, far_el1
    bl guest_sync
    mrs x1, elr_el1
    add x1, x1, x0
    msr elr_el1, x1
    restore
on_irq:
    stp x0, x1, [sp, #-16]!
    mrs x0, cntvct_el0
    str x0, [sp, #-16]!
    ldp x0, x1, [sp, #16]
    save
    ldr x0, [sp, #176]
    bl guest_irq
    restore_high
    ldp x0, x1, [sp]
    add sp, sp, #208
    eret

    .balign 2048
vectors:
    .rept 4
    .balign 128
    b on_sync
    .balign 128
    b on_irq
    .balign 128
    b on_irq
    .balign 128
    b on_sync
    .endr

    .bss
    .balign 4096
stacks:
    .space 16384 * 9
