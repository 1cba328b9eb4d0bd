/* Entry of the test guests: a0 hart, a1 device tree, S-mode, MMU off. Started harts come by guest_secondary. */
#include "../../../src/platform/bare/boot/riscv64/frame.inc"

.section .head, "ax"
.globl _start
_start:
    rdinstret s0
    la sp, stacks
    li t0, 4096
    add sp, sp, t0
    la t0, trap
    csrw stvec, t0
    mv a2, s0
    call guest_main
    call guest_off

.globl guest_secondary
guest_secondary:
    la sp, stacks
    addi t0, a0, 1
    slli t0, t0, 12
    add sp, sp, t0
    la t0, trap
    csrw stvec, t0
    call guest_hart
1:  wfi
    j 1b

/* Interrupts and faults: guest_trap(scause, stval, instret at entry) gives how far sepc moves. */
.balign 4
trap:
    addi sp, sp, -144
    sd t0, 8(sp)
    rdinstret t0
    regs_changed sd
    csrr a0, scause
    csrr a1, stval
    mv a2, t0
    call guest_trap
    csrr t0, sepc
    add t0, t0, a0
    csrw sepc, t0
    ld t0, 8(sp)
    regs_changed ld
    addi sp, sp, 144
    sret

.bss
.balign 4096
stacks:
    .space 16384
