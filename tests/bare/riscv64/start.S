/* Entry of the test guests: a0 hart, a1 device tree, S-mode, MMU off. Started harts come by guest_secondary. */
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
    sd ra, 0(sp)
    sd t1, 16(sp)
    sd t2, 24(sp)
    sd a0, 32(sp)
    sd a1, 40(sp)
    sd a2, 48(sp)
    sd a3, 56(sp)
    sd a4, 64(sp)
    sd a5, 72(sp)
    sd a6, 80(sp)
    sd a7, 88(sp)
    sd t3, 96(sp)
    sd t4, 104(sp)
    sd t5, 112(sp)
    sd t6, 120(sp)
    csrr a0, scause
    csrr a1, stval
    mv a2, t0
    call guest_trap
    csrr t0, sepc
    add t0, t0, a0
    csrw sepc, t0
    ld ra, 0(sp)
    ld t0, 8(sp)
    ld t1, 16(sp)
    ld t2, 24(sp)
    ld a0, 32(sp)
    ld a1, 40(sp)
    ld a2, 48(sp)
    ld a3, 56(sp)
    ld a4, 64(sp)
    ld a5, 72(sp)
    ld a6, 80(sp)
    ld a7, 88(sp)
    ld t3, 96(sp)
    ld t4, 104(sp)
    ld t5, 112(sp)
    ld t6, 120(sp)
    addi sp, sp, 144
    sret

.bss
.balign 4096
stacks:
    .space 16384
