/* Entry at EL1, exception vectors that record and go on, runs at EL0 (DDI 0487, D1.3). */
#include "../../../src/platform/bare/boot/arm64/pairs.inc"

    .section .text.start, "ax"
    .global _start
_start:
    ldr x0, =stack_top
    msr spsel, #1
    mov sp, x0
    ldr x0, =vectors
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    isb
    bl test_main
    b finish

    .text
    .macro vector offset
    .balign 128
    sub sp, sp, #288
    stp x0, x1, [sp]
    mov x0, #\offset
    b common
    .endm

    .balign 2048
    .global vectors
vectors:
    .irp offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
    vector \offset
    .endr

common:
    pairs stp, sp, 16, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x30
    mrs x1, elr_el1
    mrs x2, spsr_el1
    stp x1, x2, [sp, #160]
    mov x1, sp
    bl trapped
    ldp x1, x2, [sp, #160]
    msr elr_el1, x1
    msr spsr_el1, x2
    pairs ldp, sp, 16, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x30
    ldp x0, x1, [sp], #288
    eret

/* u64 run(u64 pc, u64 x0, u64 sp_el0, u64 spsr): until an exception that trapped() ends at run_exit. */
    .global run, run_exit
run:
    ldr x9, =context
    pairs stp, x9, 0, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
    mov x10, sp
    str x10, [x9, #96]
    msr elr_el1, x0
    msr sp_el0, x2
    msr spsr_el1, x3
    mov x0, x1
    eret
run_exit:
    ldr x9, =context
    pairs ldp, x9, 0, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
    ldr x10, [x9, #96]
    mov sp, x10
    ret

    .bss
    .balign 16
context:
    .skip 128
