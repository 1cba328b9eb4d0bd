/* The smallest guest: its first instructions end the machine by PSCI (Arm DEN 0022, 5.1.10: SYSTEM_OFF). */
    .section .text.start, "ax"
    .globl _start
_start:
    movz    x0, #0x0008
    movk    x0, #0x8400, lsl #16
    hvc     #0
1:  b       1b
