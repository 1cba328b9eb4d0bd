// Entry of programs that run in S-mode over an SBI; functions whose access may trap, and the handler behind them.
#include "harness.h"

    .option norvc
    .section .text.start, "ax"
    .globl _start
_start:
    la t1, bss_start
    la t2, bss_end
1:  bgeu t1, t2, 2f
    sd zero, 0(t1)
    addi t1, t1, 8
    j 1b
2:  la t0, s_trap
    csrw stvec, t0
    la sp, boot_stack_end
    call sbi_main
3:  wfi
    j 3b

    // HSM: a0 hart, a1 what hart_start() was given: the stack.
    .globl sbi_second
sbi_second:
    la t0, s_trap
    csrw stvec, t0
    mv sp, a1
    call sbi_hart
4:  wfi
    j 4b

    .text
    // {value, 0} or {anything, scause + 1}
    .globl acc_begin, acc_end, acc_ld, acc_sd, acc_amo, acc_call
acc_begin:
acc_ld:
    mv t0, a0
    li a1, 0
    ld a0, 0(t0)
    ret
acc_sd:
    mv t0, a1
    li a1, 0
    sd t0, 0(a0)
    ret
acc_amo:
    mv t0, a1
    li a1, 0
    amoadd.d a0, t0, (a0)
    ret
acc_call:
    mv t0, a0
    li a1, 0
    jr t0
acc_end:

    // A trap in one of these, or where it jumped to (above 2^37), ends the function. Any other ends the test.
    .balign 4
s_trap:
    csrr t0, sepc
    srli t1, t0, 37
    bnez t1, 5f
    la t1, acc_begin
    bltu t0, t1, 6f
    la t1, acc_end
    bgeu t0, t1, 6f
5:  csrr a1, scause
    addi a1, a1, 1
    csrw sepc, ra
    sret
6:  csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call sbi_panic

    // Names that the harness for M-mode wants.
    .globl run_enter, run_exit, s_entry, m_entry
run_enter:
run_exit:
s_entry:
m_entry:
    ebreak

    .section .noinit, "aw", @nobits
    .balign 4096
    .globl areas, run_stacks
areas:
run_stacks:
    .space STACK_SIZE
boot_stack_end:
    .globl hart_stacks
hart_stacks:
    .space HART_MAX * STACK_SIZE
