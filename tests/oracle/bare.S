// The bare machine `virt`: output by the UART, the end by tohost; a trap is reported and ends the program.
#define UART 0x10000000

    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_top
    la t0, trap
    csrw mtvec, t0
    li t0, 0x6000
    csrs mstatus, t0
    la t0, bss_start
    la t1, bss_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    call body_main
    li a0, 0
    .globl leave
leave:
    slli a0, a0, 1
    ori a0, a0, 1
    la t0, tohost
    sd a0, 0(t0)
1:  j 1b

    .globl put
put:
    li t0, UART
    add a1, a0, a1
1:  bgeu a0, a1, 2f
    lbu t1, 0(a0)
    sb t1, 0(t0)
    addi a0, a0, 1
    j 1b
2:  ret

    .balign 4
trap:
    la sp, stack_top
    la a0, words
    li a1, 5
    call put
    csrr a0, mcause
    call hex
    csrr a0, mepc
    call hex
    csrr a0, mtval
    call hex
    li a0, 63
    j leave

hex:
    li t0, UART
    li t2, 60
1:  srl t1, a0, t2
    andi t1, t1, 15
    la t3, digits
    add t1, t1, t3
    lbu t1, 0(t1)
    sb t1, 0(t0)
    addi t2, t2, -4
    bgez t2, 1b
    li t1, 10
    sb t1, 0(t0)
    ret

    .data
words:
    .ascii "trap\n"
digits:
    .ascii "0123456789abcdef"
    .bss
    .balign 16
    .space 16384
stack_top:
    .space 16
