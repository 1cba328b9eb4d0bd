/*
 * A guest at EL1 without an operating system: prints on the PL011 serial port and powers off by PSCI. It may be
 * loaded anywhere: carbovisor run hello_arm64.yaml
 */
    .equ    UART, 0x09000000
    .equ    UART_DR, 0
    .equ    UART_FR, 0x18
    .equ    FR_TX_FULL, 5               // bit number
    .equ    PSCI_SYSTEM_OFF, 0x84000008

    .section .text.start, "ax"
    .globl  _start
_start:
    mov     x1, #UART
    adr     x2, text
next:
    ldrb    w3, [x2], #1
    cbz     w3, off
wait:
    ldr     w4, [x1, #UART_FR]
    tbnz    w4, #FR_TX_FULL, wait
    str     w3, [x1, #UART_DR]
    b       next
off:
    ldr     w0, =PSCI_SYSTEM_OFF
    hvc     #0

text:
    .asciz  "Hello, arm64!\n"
    .balign 4
