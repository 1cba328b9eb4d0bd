// Entry, trap entries and the switch into a mode and back.
#include "harness.h"

    .section .text.start, "ax"
    .globl _start
_start:
    csrw mie, zero
    csrr t0, mhartid
    li t1, HART_MAX
    bgeu t0, t1, park
    la sp, stacks
    addi t1, t0, 1
    slli t1, t1, 14
    add sp, sp, t1
    la t2, areas
    slli t1, t0, 13
    add t2, t2, t1
    csrw mscratch, t2
    la t1, m_entry
    csrw mtvec, t1
    li t1, 0x6000
    csrs mstatus, t1
    bnez t0, secondary

    la t1, bss_start
    la t2, bss_end
1:  bgeu t1, t2, 2f
    sd zero, 0(t1)
    addi t1, t1, 8
    j 1b
2:  call harness_main
park:
    wfi
    j park

secondary:
    la t1, smp_go
1:  lw t2, 0(t1)
    beqz t2, 1b
    fence r, rw
    mv a0, t0
    call smp_main
    j park

    .text
    .balign 4
    .globl m_entry
m_entry:
    csrrw sp, mscratch, sp
    sd x1, 8(sp)
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8*\n(sp)
    .endr
    csrr t0, mscratch
    sd t0, 16(sp)
    csrw mscratch, sp
    csrr t0, mepc
    sd t0, AREA_EPC(sp)
    csrr t0, mcause
    sd t0, AREA_CAUSE(sp)
    csrr t0, mtval
    sd t0, AREA_TVAL(sp)
    csrr t0, mstatus
    sd t0, AREA_STATUS(sp)
    mv a0, sp
    li t0, AREA_SIZE
    add sp, sp, t0
    call trap_c
    csrr sp, mscratch
    beqz a0, run_leave
    ld t0, AREA_EPC(sp)
    csrw mepc, t0
    ld t0, AREA_STATUS(sp)
    csrw mstatus, t0
    ld x1, 8(sp)
    .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(sp)
    .endr
    ld sp, 16(sp)
    mret

    // Back into the caller of run_enter.
run_leave:
    addi t0, sp, AREA_CTX
    ld ra, 0(t0)
    ld sp, 8(t0)
    ld gp, 16(t0)
    ld tp, 24(t0)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld s\n, 32+8*\n(t0)
    .endr
    ret

    // run_enter(mepc, mstatus, a0, a1, sp, ra)
    .globl run_enter
run_enter:
    csrr t0, mscratch
    addi t0, t0, AREA_CTX
    sd ra, 0(t0)
    sd sp, 8(t0)
    sd gp, 16(t0)
    sd tp, 24(t0)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd s\n, 32+8*\n(t0)
    .endr
    csrw mepc, a0
    csrw mstatus, a1
    mv sp, a4
    mv ra, a5
    mv a0, a2
    mv a1, a3
    mret

    .balign 4
    .globl run_exit
run_exit:
    ecall
    j run_exit

    // S-mode traps: record, then leave to M-mode, by another cause than the one that may be delegated here.
    .balign 4
    .globl s_entry
s_entry:
    la t0, srec
    csrr t1, scause
    sd t1, SREC_CAUSE(t0)
    csrr t1, stval
    sd t1, SREC_TVAL(t0)
    csrr t1, sepc
    sd t1, SREC_EPC(t0)
    csrr t1, sstatus
    sd t1, SREC_STATUS(t0)
    li t1, 1
    sd t1, SREC_VALID(t0)
    csrr t1, scause
    addi t1, t1, -9
    beqz t1, 1f
    ecall
1:  ebreak
    j 1b

    .section .noinit, "aw", @nobits
    .balign 4096
    .globl areas
areas:
    .space HART_MAX * AREA_SIZE
    .globl stacks
stacks:
    .space HART_MAX * STACK_SIZE
    .globl run_stacks
run_stacks:
    .space HART_MAX * STACK_SIZE
