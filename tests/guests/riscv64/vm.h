/*
 * Page tables (Sv39, Sv48, Sv57; Priv. 10.3 to 10.6) and small functions whose first instruction is the one
 * under test.
 */
#ifndef GUEST_VM_H
#define GUEST_VM_H
#include "harness.h"

#define PTE_V   1UL
#define PTE_R   2UL
#define PTE_W   4UL
#define PTE_X   8UL
#define PTE_U   16UL
#define PTE_G   32UL
#define PTE_A   64UL
#define PTE_D   128UL
#define PTE_RWX (PTE_R | PTE_W | PTE_X)
#define PTE_AD  (PTE_A | PTE_D)
#define PTE_N   (1UL << 63)
#define PTE_NC  (1UL << 61)
#define PTE_IO  (2UL << 61)
#define PAGE    4096UL

/* U-mode sees the first GiB of RAM here, executable and writable; as harness.c's USER_WINDOW. */
#define WINDOW 0x1000000000UL
/* Where tests map their own pages: nothing else is under this root entry. */
#define TVA 0x2000000000UL

#define MENVCFG_ADUE  (1UL << 61)
#define MENVCFG_PBMTE (1UL << 62)
#define MENVCFG_STCE  (1UL << 63)

/* A fresh root of 3, 4 or 5 levels: RAM and devices at their own addresses for S, RAM at WINDOW for U. Not
 * yet used. */
void vm_new(int levels);
/* satp of that root. */
u64 vm_satp(u64 asid);
/* Uses it: satp and a full sfence.vma. Returns 0 when the hart has not that mode. */
int vm_on(void);
void vm_off(void);
/* The entry for va at a level (0: 4 KiB pages), made reachable. */
volatile u64 *vm_pte(u64 va, int level);
void vm_map(u64 va, u64 pa, int level, u64 flags);
void vm_flush(void);
u64 vm_page(void); /* a zeroed page from the pool */
u64 vm_root(void);
void vm_use(u64 root, int levels);

static inline u64 pte_of(u64 pa, u64 flags)
{
    return pa >> 12 << 10 | flags;
}

/* f_x(a0, a1): the access is the first instruction; results in a0. */
void f_ld(u64, u64);
void f_lw(u64, u64);
void f_lh(u64, u64);
void f_lb(u64, u64);
void f_sd(u64, u64);
void f_sw(u64, u64);
void f_sh(u64, u64);
void f_sb(u64, u64);
void f_amo(u64, u64);
void f_lr(u64, u64);
void f_sc(u64, u64); /* lr first, then sc at f_sc + 4 */
void f_fld(u64, u64);
void f_fsd(u64, u64);
void f_jump(u64, u64); /* jumps to a0; the target returns to the run's end */
void f_ecall(u64, u64);
void f_ebreak(u64, u64);
void f_wfi(u64, u64);
void f_mret(u64, u64);
void f_sret(u64, u64);
void f_sfence(u64, u64);
void f_read_satp(u64, u64);
void f_write_satp(u64, u64);
void f_nop(u64, u64);
void f_spin(u64, u64); /* counts a0 down, then returns */

/* An instruction word followed by a return, in a page of its own; call with run(). */
void *code_one(u32 insn);
#define INSN_CSRR(csr, rd) ((csr) << 20 | 2 << 12 | (rd) << 7 | 0x73)  /* csrrs rd, csr, x0 */
#define INSN_CSRW(csr, rs) ((csr) << 20 | (rs) << 15 | 1 << 12 | 0x73) /* csrrw x0, csr, rs */
#define INSN_RET           0x00008067u
#define INSN_LI_A0(n)      ((u32)(n) << 20 | 10 << 7 | 0x13)

#endif
