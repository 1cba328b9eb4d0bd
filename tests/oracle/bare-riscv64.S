// The bare machine `virt`: output by the UART, the end by tohost; a trap is reported and ends the program.
// With PAGED the body runs in S-mode, its data in pages of 4 KiB, the rest in larger ones; with SCATTERED too, body and
// data are in pages of 4 KiB whose frames are nowhere neighbours.
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
#ifdef PAGED
    // Sv39 (Priv. 20240411, 10.4); PTEs V R W X A D: 0xcf, a pointer: 1.
    la t0, root
    li t1, 0xcf
    sd t1, 0(t0)
    la t2, middle
    srli t1, t2, 2
    ori t1, t1, 1
    sd t1, 16(t0)
    li t3, 0x80000000 >> 2 | 0xcf
    li t4, 512
1:  sd t3, 0(t2)
    li t5, 0x200000 >> 2
    add t3, t3, t5
    addi t2, t2, 8
    addi t4, t4, -1
    bnez t4, 1b
#ifdef SCATTERED
    // Body, pools and state, 10 MiB from 0x80800000 on: page i is in frame (1027 i + 5) mod 4096 of 16 MiB.
    la t2, leaves
    srli t1, t2, 2
    ori t1, t1, 1
    la t3, middle
    .irp k, 4,5,6,7,8
    sd t1, 8*\k(t3)
    addi t1, t1, 0x1000 >> 2
    .endr
    li t3, 0x80800000
    li t4, 5
    li t6, 0
1:  slli t1, t4, 52
    srli t1, t1, 40
    li t5, 0x84000000
    add t1, t1, t5
    srli t5, t1, 2
    ori t5, t5, 0xcf
    sd t5, 0(t2)
    addi t2, t2, 8
    li t5, 512
2:  ld a0, 0(t3)
    sd a0, 0(t1)
    addi t3, t3, 8
    addi t1, t1, 8
    addi t5, t5, -1
    bnez t5, 2b
    addi t4, t4, 1027
    addi t6, t6, 1
    li t5, 2560
    bltu t6, t5, 1b
    fence.i
#else
    la t2, leaves
    srli t1, t2, 2
    ori t1, t1, 1
    la t3, middle
    sd t1, 8 * 8(t3)
    li t3, 0x81000000 >> 2 | 0xcf
    li t4, 512
1:  sd t3, 0(t2)
    addi t3, t3, 0x1000 >> 2
    addi t2, t2, 8
    addi t4, t4, -1
    bnez t4, 1b
#endif
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x1800
    csrc mstatus, t0
    li t0, 0x800
    csrs mstatus, t0
    la t0, supervisor
    csrw mepc, t0
    mret
supervisor:
#endif
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
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    j trapped

    .bss
    .balign 16
    .space 16384
stack_top:
    .space 16
#ifdef PAGED
    .balign 4096
root:
    .space 4096
middle:
    .space 4096
leaves:
    .space 5 * 4096
#endif
