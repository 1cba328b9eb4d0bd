/*
 * Into the guest and out of it. Assembly in functions of C, so that offsets come from the structs. While a
 * guest runs sscratch is its struct riscv_vcpu.
 */
#include "engine/bare/riscv64/bare.h"

void bare_vector(void);
void bare_again(void);

#define PC       [pc] "i"(offsetof(struct riscv_vcpu, v.pc))
#define ENGINE   [engine] "i"(offsetof(struct riscv_vcpu, v.engine))
#define HOST_SP  [host_sp] "i"(offsetof(struct bare_vcpu, host_sp))
#define HOST_TP  [host_tp] "i"(offsetof(struct bare_vcpu, host_tp))
#define VECTOR   [vector] "i"(offsetof(struct bare_vcpu, host_vector))
#define B_STATUS [sstatus] "i"(offsetof(struct bare_vcpu, sstatus))
#define GUEST_X  [x] "i"(offsetof(struct riscv_vcpu, x))

/* Loads and stores of RISC-V reach 2 KiB. */
_Static_assert(offsetof(struct riscv_vcpu, x) + 8 * 32 <= 2048, "reached from the struct's beginning");

__attribute__((naked)) void bare_enter(__attribute__((unused)) struct riscv_vcpu *r)
{
    __asm__ volatile("addi sp, sp, -112\n"
                     "sd ra, 0(sp)\n"
                     ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
                     "sd s\\n, 8 + 8 * \\n(sp)\n"
                     ".endr\n"
                     "ld t1, %[engine](a0)\n"
                     "sd sp, %[host_sp](t1)\n"
                     "sd tp, %[host_tp](t1)\n"
                     "j bare_again\n" ::ENGINE,
                     HOST_SP, HOST_TP);
}

/*
 * a0: r. Everything is loaded but pc and the general registers. bare_back is the way of most exits: C keeps
 * s0..s11, so they are the guest's still, and sscratch is r as long as no other vCPU was entered here.
 */
__attribute__((naked, section(".text.world"))) void bare_again(void)
{
    __asm__ volatile("csrw sscratch, a0\n"
                     "2:\n"
                     ".irp n, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27\n"
                     "ld x\\n, %[x] + 8 * \\n(a0)\n"
                     ".endr\n"
                     "j 3f\n"
                     "bare_back:\n"
                     "addi t0, a0, -1\n"
                     "csrr a0, sscratch\n"
                     "bnez t0, 2b\n"
                     "3:\n"
                     "lla t0, bare_vector\n"
                     "csrw stvec, t0\n"
                     "ld t0, %[pc](a0)\n"
                     "csrw sepc, t0\n"
                     ".irp n, 1, 2, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31, 10\n"
                     "ld x\\n, %[x] + 8 * \\n(a0)\n"
                     ".endr\n"
                     "sret\n" ::PC,
                     GUEST_X);
}

__attribute__((naked, aligned(4), section(".text.world"))) void bare_vector(void)
{
    __asm__ volatile("csrrw a0, sscratch, a0\n"
                     ".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, "
                     "24, 25, 26, 27, 28, 29, 30, 31\n"
                     "sd x\\n, %[x] + 8 * \\n(a0)\n"
                     ".endr\n"
                     "csrr t0, sscratch\n"
                     "sd t0, %[x] + 80(a0)\n"
                     "csrw sscratch, a0\n"
                     "csrr t0, sepc\n"
                     "sd t0, %[pc](a0)\n"
                     "ld a1, %[engine](a0)\n"
                     "ld t0, %[vector](a1)\n"
                     "ld sp, %[host_sp](a1)\n"
                     "ld tp, %[host_tp](a1)\n"
                     "csrw stvec, t0\n"
                     "csrr t0, sstatus\n"
                     "sd t0, %[sstatus](a1)\n"
                     "call bare_exit\n"
                     "bnez a0, bare_back\n"
                     "ld ra, 0(sp)\n"
                     ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
                     "ld s\\n, 8 + 8 * \\n(sp)\n"
                     ".endr\n"
                     "addi sp, sp, 112\n"
                     "ret\n" ::GUEST_X,
                     PC, ENGINE, HOST_SP, HOST_TP, B_STATUS, VECTOR);
}
