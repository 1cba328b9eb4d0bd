# The first instruction: hart 0 gets a stack and calls hello(), all others wait.
    .section .text.start, "ax"
    .globl _start
_start:
    bnez    a0, 1f
    la      sp, stack_top
    call    hello
1:  wfi
    j       1b

    .bss
    .balign 16
    .space  4096
stack_top:
