/*
 * Where the loader jumps to: Linux's Image header (Documentation/arch/arm64/booting), entry of the boot CPU
 * with the device tree in x0, entry of the others with their struct start in x0. MMU off, at the address of
 * loading; both leave with it on, at the address of linking.
 */
#include "platform/bare/boot/arm64/el2.h"

    .section .head, "ax"
    .global _start
_start:
    b boot
    .long 0
    .quad 0          /* anywhere in 2 MiB steps */
    .quad image_size
    .quad 0xa        /* little endian, 4 KiB pages, anywhere in memory */
    .quad 0
    .quad 0
    .quad 0
    .ascii "ARM\x64"
    .long 0

    .text
boot:
    msr daifset, #15
    mov x19, x0
    adrp x0, image_data_end
    add x0, x0, :lo12:image_data_end
    adrp x1, image_end
1:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 1b
    adrp x0, boot_stack_top
    add sp, x0, :lo12:boot_stack_top
    mov x29, xzr
    mov x30, xzr
    mrs x0, CurrentEL
    cmp x0, #(2 << 2)
    b.ne 2f
    mov x0, x19
    adrp x1, _start
    bl early_init /* tables and register values into el2_config */
    adrp x20, el2_config
    add x20, x20, :lo12:el2_config
    adr x30, 3f
    b mmu_on
2:  mov x0, x19
    bl early_no_el2
3:  ldr x0, =boot_stack_top
    mov sp, x0
    ldr x0, =el2_vectors
    msr vbar_el2, x0
    msr tpidr_el2, xzr
    isb
    mov x0, x19
    mrs x1, mpidr_el1
    ldr x2, =0xff00ffffff
    and x1, x1, x2
    ldr x3, =bare_main
    br x3

/* x20: el2_config. Returns to x30 with its place in the image's own addresses. */
mmu_on:
    ldr x0, [x20, #EL2_HCR]
    msr hcr_el2, x0
    isb /* E2H decides what the others look like */
    ldr x0, [x20, #EL2_MAIR]
    msr mair_el2, x0
    ldr x0, [x20, #EL2_TCR]
    msr tcr_el2, x0
    ldr x0, [x20, #EL2_TTBR]
    msr ttbr0_el2, x0
    dsb sy
    tlbi alle2
    ic iallu
    dsb sy
    isb
    adrp x1, _start
    ldr x2, =image_start
    sub x2, x2, x1
    add x30, x30, x2
    ldr x0, [x20, #EL2_SCTLR]
    msr sctlr_el2, x0
    isb
    ret

/* A CPU that PSCI started: x0 is the address of struct start (setup.c). */
    .global secondary_entry
secondary_entry:
    msr daifset, #15
    mov x19, x0
    mrs x1, CurrentEL
    cmp x1, #(2 << 2)
    b.eq 1f
0:  wfi
    b 0b
1:  ldr x20, [x19, #16]
    adr x30, 2f
    b mmu_on
2:  ldr x1, =el2_vectors
    msr vbar_el2, x1
    ldp x2, x0, [x19]
    msr tpidr_el2, x0
    ldr x1, [x19, #24]
    msr ttbr0_el2, x1
    isb
    tlbi alle2
    dsb nsh
    isb
    mov sp, x2
    mov x29, xzr
    mov x30, xzr
    ldr x1, =bare_secondary
    br x1

    .section .bss
    .balign 16
    .space 32768
boot_stack_top:
