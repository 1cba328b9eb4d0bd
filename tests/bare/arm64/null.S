/* In place of a hypervisor: there is no firmware that takes instructions before it. */
    .global _start
_start:
    b 1f
    .long 0
    .quad 0, 0x1000, 0xa, 0, 0, 0
    .ascii "ARM\x64"
    .long 0
1:  mov x1, #0x09000000
    adr x2, text
2:  ldrb w0, [x2], #1
    cbz w0, 3f
    str w0, [x1]
    b 2b
3:  b 3b
text:
    .asciz "bench firmware 0\nbench end 0\n"
