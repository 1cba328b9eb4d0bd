// The bare machine `virt` of arm64: output by the PL011, the end by PSCI; an exception is reported and ends the program.
#define UART 0x09000000

    .section .text.start, "ax"
    .globl _start
_start:
    ldr x0, =stack_top
    mov sp, x0
    ldr x0, =vectors
    msr vbar_el1, x0
    mov x0, #3 << 20 // FPEN
    msr cpacr_el1, x0
    isb
    ldr x0, =bss_start
    ldr x1, =bss_end
1:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 1b
    bl body_main
    .globl leave
leave: // a status other than 0 was told by what was printed
    ldr x0, =0x84000008 // SYSTEM_OFF (DEN 0022, 5.9)
    hvc #0
1:  b 1b

    .globl put
put:
    ldr x2, =UART
    add x1, x0, x1
1:  cmp x0, x1
    b.hs 2f
    ldrb w3, [x0], #1
    str w3, [x2]
    b 1b
2:  ret

    .balign 2048
vectors:
    .rept 16
    b trap
    .balign 128
    .endr
trap:
    ldr x0, =stack_top
    mov sp, x0
    mrs x0, esr_el1
    mrs x1, elr_el1
    mrs x2, far_el1
    b trapped
    .ltorg

    .bss
    .balign 16
    .space 16384
stack_top:
    .space 16
