/* In place of a hypervisor: how many instructions the firmware took until here. */
.globl _start
_start:
    j 1f
    nop
    .dword 0x200000, 0x1000, 0
    .word 2, 0
    .dword 0
    .dword 0x5643534952
    .word 0x05435352, 0
1:  rdinstret s0
    la s1, text
    call puts
    li s2, 19
    li s3, 10000000000000000
1:  divu t0, s0, s3
    remu s0, s0, s3
    addi a0, t0, '0'
    li a7, 1
    ecall
    li t1, 10
    divu s3, s3, t1
    bnez s3, 1b
    li a0, '\n'
    ecall
    li a7, 8
    ecall
2:  j 2b
puts:
    lbu a0, 0(s1)
    beqz a0, 3f
    li a7, 1
    ecall
    addi s1, s1, 1
    j puts
3:  ret
text: .asciz "bench firmware "
