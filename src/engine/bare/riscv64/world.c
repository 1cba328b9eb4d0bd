/*
 * Into the guest and out of it. Assembly in functions of C, so that offsets come from the structs. While a
 * guest runs sscratch is its struct riscv_vcpu.
 */
#include "engine/bare/riscv64/bare.h"

void bare_vector(void);
void bare_again(void);

#define X(n)     "i"(offsetof(struct riscv_vcpu, x) + 8 * (n))
#define PC       [pc] "i"(offsetof(struct riscv_vcpu, v.pc))
#define ENGINE   [engine] "i"(offsetof(struct riscv_vcpu, v.engine))
#define HOST_SP  [host_sp] "i"(offsetof(struct bare_vcpu, host_sp))
#define HOST_TP  [host_tp] "i"(offsetof(struct bare_vcpu, host_tp))
#define VECTOR   [vector] "i"(offsetof(struct bare_vcpu, host_vector))
#define B_STATUS [sstatus] "i"(offsetof(struct bare_vcpu, sstatus))
#define ALL_X                                                                                                \
    [x1] X(1), [x2] X(2), [x3] X(3), [x4] X(4), [x5] X(5), [x6] X(6), [x7] X(7), [x8] X(8), [x9] X(9),       \
        [x10] X(10), [x11] X(11), [x12] X(12), [x13] X(13), [x14] X(14), [x15] X(15)
#define MORE_X                                                                                               \
    [x16] X(16), [x17] X(17), [x18] X(18), [x19] X(19), [x20] X(20), [x21] X(21), [x22] X(22), [x23] X(23),  \
        [x24] X(24), [x25] X(25), [x26] X(26), [x27] X(27), [x28] X(28), [x29] X(29), [x30] X(30),           \
        [x31] X(31)

/* Loads and stores of RISC-V reach 2 KiB. */
_Static_assert(offsetof(struct riscv_vcpu, x) + 8 * 32 <= 2048, "reached from the struct's beginning");

__attribute__((naked)) void bare_enter(__attribute__((unused)) struct riscv_vcpu *r)
{
    __asm__ volatile("addi sp, sp, -112\n"
                     "sd ra, 0(sp)\n"
                     "sd s0, 8(sp)\n"
                     "sd s1, 16(sp)\n"
                     "sd s2, 24(sp)\n"
                     "sd s3, 32(sp)\n"
                     "sd s4, 40(sp)\n"
                     "sd s5, 48(sp)\n"
                     "sd s6, 56(sp)\n"
                     "sd s7, 64(sp)\n"
                     "sd s8, 72(sp)\n"
                     "sd s9, 80(sp)\n"
                     "sd s10, 88(sp)\n"
                     "sd s11, 96(sp)\n"
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
__attribute__((naked)) void bare_again(void)
{
    __asm__ volatile("csrw sscratch, a0\n"
                     "2:\n"
                     "ld x3, %[x3](a0)\n"
                     "ld x8, %[x8](a0)\n"
                     "ld x9, %[x9](a0)\n"
                     "ld x18, %[x18](a0)\n"
                     "ld x19, %[x19](a0)\n"
                     "ld x20, %[x20](a0)\n"
                     "ld x21, %[x21](a0)\n"
                     "ld x22, %[x22](a0)\n"
                     "ld x23, %[x23](a0)\n"
                     "ld x24, %[x24](a0)\n"
                     "ld x25, %[x25](a0)\n"
                     "ld x26, %[x26](a0)\n"
                     "ld x27, %[x27](a0)\n"
                     "j 3f\n"
                     ".globl bare_back\n"
                     "bare_back:\n"
                     "addi t0, a0, -1\n"
                     "csrr a0, sscratch\n"
                     "bnez t0, 2b\n"
                     "3:\n" ::[x8] X(8),
                     [x9] X(9), [x3] X(3), MORE_X);
    __asm__ volatile("lla t0, bare_vector\n"
                     "csrw stvec, t0\n"
                     "ld t0, %[pc](a0)\n"
                     "csrw sepc, t0\n"
                     "ld x1, %[x1](a0)\n"
                     "ld x2, %[x2](a0)\n"
                     "ld x4, %[x4](a0)\n"
                     "ld x5, %[x5](a0)\n"
                     "ld x6, %[x6](a0)\n"
                     "ld x7, %[x7](a0)\n"
                     "ld x11, %[x11](a0)\n"
                     "ld x12, %[x12](a0)\n"
                     "ld x13, %[x13](a0)\n"
                     "ld x14, %[x14](a0)\n"
                     "ld x15, %[x15](a0)\n" ::PC,
                     ALL_X);
    __asm__ volatile("ld x16, %[x16](a0)\n"
                     "ld x17, %[x17](a0)\n"
                     "ld x28, %[x28](a0)\n"
                     "ld x29, %[x29](a0)\n"
                     "ld x30, %[x30](a0)\n"
                     "ld x31, %[x31](a0)\n"
                     "ld x10, %[x10](a0)\n"
                     "sret\n" ::[x10] X(10),
                     MORE_X);
}

__attribute__((naked, aligned(4))) void bare_vector(void)
{
    __asm__ volatile("csrrw a0, sscratch, a0\n"
                     "sd x1, %[x1](a0)\n"
                     "sd x2, %[x2](a0)\n"
                     "sd x3, %[x3](a0)\n"
                     "sd x4, %[x4](a0)\n"
                     "sd x5, %[x5](a0)\n"
                     "sd x6, %[x6](a0)\n"
                     "sd x7, %[x7](a0)\n"
                     "sd x8, %[x8](a0)\n"
                     "sd x9, %[x9](a0)\n"
                     "sd x11, %[x11](a0)\n"
                     "sd x12, %[x12](a0)\n"
                     "sd x13, %[x13](a0)\n"
                     "sd x14, %[x14](a0)\n"
                     "sd x15, %[x15](a0)\n" ::[unused] "i"(0),
                     ALL_X);
    __asm__ volatile("sd x16, %[x16](a0)\n"
                     "sd x17, %[x17](a0)\n"
                     "sd x18, %[x18](a0)\n"
                     "sd x19, %[x19](a0)\n"
                     "sd x20, %[x20](a0)\n"
                     "sd x21, %[x21](a0)\n"
                     "sd x22, %[x22](a0)\n"
                     "sd x23, %[x23](a0)\n"
                     "sd x24, %[x24](a0)\n"
                     "sd x25, %[x25](a0)\n"
                     "sd x26, %[x26](a0)\n"
                     "sd x27, %[x27](a0)\n"
                     "sd x28, %[x28](a0)\n"
                     "sd x29, %[x29](a0)\n"
                     "sd x30, %[x30](a0)\n"
                     "sd x31, %[x31](a0)\n" ::[unused] "i"(0),
                     MORE_X);
    __asm__ volatile("csrr t0, sscratch\n"
                     "sd t0, %[x10](a0)\n"
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
                     "ld s0, 8(sp)\n"
                     "ld s1, 16(sp)\n"
                     "ld s2, 24(sp)\n"
                     "ld s3, 32(sp)\n"
                     "ld s4, 40(sp)\n"
                     "ld s5, 48(sp)\n"
                     "ld s6, 56(sp)\n"
                     "ld s7, 64(sp)\n"
                     "ld s8, 72(sp)\n"
                     "ld s9, 80(sp)\n"
                     "ld s10, 88(sp)\n"
                     "ld s11, 96(sp)\n"
                     "addi sp, sp, 112\n"
                     "ret\n" ::[x10] X(10),
                     PC, ENGINE, HOST_SP, HOST_TP, B_STATUS, VECTOR);
}
