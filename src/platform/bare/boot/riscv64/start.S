/*
 * First instructions: the header that loaders look for (Linux, Documentation/arch/riscv/boot-image-header.rst),
 * early page tables, and the way to C. The firmware leaves S-mode, MMU off, hart id in a0, device tree in a1.
 */
#include "platform/bare/boot/riscv64/early.h"

.section .head, "ax"
.globl image_start_code
image_start_code:
.option push
.option norvc
    j entry
    nop
.option pop
    .dword 0x200000                 /* offset from the start of RAM; 2 MiB aligned */
    .dword image_end - image_start
    .dword 0                        /* little endian */
    .word 2, 0                      /* version 0.2 */
    .dword 0
    .dword 0x5643534952             /* "RISCV" */
    .word 0x05435352                /* "RSC\5" */
    .word 0

.text
entry:
    csrw sie, zero
    csrci sstatus, 2
    /* One hart boots; any other that comes this way is one that was started, see riscv_secondary. */
    lla t0, boot_state
    li t1, BOOT_TAKEN
    amoswap.w.aq t1, t1, (t0)
    beqz t1, 1f
    j riscv_secondary
1:  mv s0, a0
    mv s1, a1
    /* hgatp is there where the H extension is (RISC-V Priv. 20240411, 18.2.10); else it traps. */
    la t0, no_hypervisor
    csrw stvec, t0
    csrr t1, 0x680
    lla t0, image_bss
    lla t1, image_bss_end
1:  sd zero, 0(t0)
    sd zero, 8(t0)
    sd zero, 16(t0)
    sd zero, 24(t0)
    sd zero, 32(t0)
    sd zero, 40(t0)
    sd zero, 48(t0)
    sd zero, 56(t0)
    addi t0, t0, 64
    bltu t0, t1, 1b
    lla t0, boot_state
    li t1, BOOT_CLEARED
    fence rw, w
    sw t1, 0(t0)

    /* One to one: the low 256 GiB as gigapages; final tables, with least rights, come with the board. */
    lla t0, early_root
    li t1, EARLY_PTE_RWX
    li t2, 256
    li t3, 1 << 28
1:  sd t1, 0(t0)
    add t1, t1, t3
    addi t0, t0, 8
    addi t2, t2, -1
    bnez t2, 1b
    /* The image where it is linked: 2 MiB pages below root slot 510. */
    lla t0, early_root
    lla t1, early_image
    srli t2, t1, 2
    ori t2, t2, EARLY_PTE_TABLE
    li t3, EARLY_IMAGE_SLOT * 8
    add t3, t0, t3
    sd t2, 0(t3)
    lla t2, image_start
    mv s2, t2
    srli t2, t2, 2
    ori t2, t2, EARLY_PTE_RWX
    li t3, 1 << 19
    li t4, 512
1:  sd t2, 0(t1)
    add t2, t2, t3
    addi t1, t1, 8
    addi t4, t4, -1
    bnez t4, 1b
    srli t0, t0, 12
    li t1, EARLY_SATP_MODE
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    li t0, IMAGE_VA
    sub t0, t0, s2 /* where it is linked minus where it is */
    lla t1, 1f
    add t1, t1, t0
    jr t1
1:  lla t1, riscv_image_pa
    sd s2, 0(t1)
    lla sp, early_stack_top
    lla t0, hv_vector_fatal
    csrw stvec, t0
    mv tp, zero
    mv a0, s1
    mv a1, s0
    call bare_main
1:  wfi
    j 1b

/* Without H there is nothing to do here; the console of the firmware says so (SBI 2.0, 5.2). */
.balign 4
no_hypervisor:
    lla s2, no_hypervisor_text
1:  lbu a0, 0(s2)
    beqz a0, 2f
    li a7, 1
    ecall
    addi s2, s2, 1
    j 1b
2:  wfi
    j 2b

/*
 * A started hart (SBI 2.0, 9.1): a0 its id, MMU off. It finds its arguments by that alone: OpenSBI before 1.2
 * lets a hart go that comes just while it is started, with a1 and the address of the boot hart or of the start.
 */
.globl riscv_secondary
riscv_secondary:
    csrw sie, zero
    csrci sstatus, 2
    lla a2, riscv_start_args
    lla a3, boot_state
1:  lw t0, 0(a3)
    li t1, BOOT_CLEARED
    bne t0, t1, 1b
    fence r, r
    mv a1, a2
    li t0, START_COUNT
2:  ld t1, START_READY(a1)
    fence r, r
    ld t2, START_HART(a1)
    beqz t1, 3f
    beq t2, a0, 4f
3:  addi a1, a1, START_SIZE
    addi t0, t0, -1
    bnez t0, 2b
    j 1b
4:
    ld t0, START_SATP(a1)
    ld tp, START_CPU(a1)
    ld sp, START_SP(a1)
    ld t1, START_ENTRY(a1)
    /* The text here has no one-to-one mapping that executes: the trap that follows goes on there. */
    csrw stvec, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    jr t1
.balign 4
.globl riscv_secondary_mapped
riscv_secondary_mapped:
    lla t0, hv_vector
    csrw stvec, t0
    mv a0, tp
    call bare_secondary
1:  wfi
    j 1b

.data
.balign 4
boot_state:
    .word 0

.section .rodata
no_hypervisor_text:
    .asciz "Carbovisor: this CPU has no H extension; a Type-1 hypervisor needs it. Stopped.\r\n"

.bss
.balign 4096
early_root:
    .space 4096
early_image:
    .space 4096

.section .noinit, "aw", @nobits
.balign 16
    .space 32768
early_stack_top:
