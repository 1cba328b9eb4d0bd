/*
 * Page tables: PTE bits and the translation modes (Privileged, 10.3 to 10.6; Svnapot; Svpbmt).
 */
#ifndef CV_ISA_RISCV64_PTE_H
#define CV_ISA_RISCV64_PTE_H

#include "lib/base.h"

#define RV_PTE_V        BIT(0)
#define RV_PTE_R        BIT(1)
#define RV_PTE_W        BIT(2)
#define RV_PTE_X        BIT(3)
#define RV_PTE_U        BIT(4)
#define RV_PTE_G        BIT(5)
#define RV_PTE_A        BIT(6)
#define RV_PTE_D        BIT(7)
#define RV_PTE_RSW      (UINT64_C(3) << 8)
#define RV_PTE_PPN      UINT64_C(0x003ffffffffffc00) /* [53:10] */
#define RV_PTE_RESERVED UINT64_C(0x1fc0000000000000) /* [60:54]: a set bit is a page fault */
#define RV_PTE_PBMT     (UINT64_C(3) << 61)          /* reserved unless menvcfg.PBMTE; in non-leaves always */
#define RV_PTE_N        BIT(63)                      /* Svnapot; in non-leaves reserved */

enum rv_pbmt { RV_PBMT_PMA, RV_PBMT_NC, RV_PBMT_IO, RV_PBMT_RESERVED };

#define RV_PAGE_SHIFT 12
#define RV_LEVEL_BITS 9
#define RV_PTE_SIZE   8
#define RV_PADDR_BITS 56

/* The only NAPOT size so far is 64 KiB: ppn[3:0] = 8 in a level-0 leaf (Privileged, Svnapot). */
#define RV_NAPOT_64K_MASK  0xf
#define RV_NAPOT_64K_MATCH 0x8
#define RV_NAPOT_64K_SHIFT 16

/* satp.MODE; hgatp.MODE has the same numbers for Sv39x4... */
enum rv_satp_mode { RV_SATP_BARE = 0, RV_SATP_SV39 = 8, RV_SATP_SV48 = 9, RV_SATP_SV57 = 10 };

/* A translation mode; levels 0: Bare or not defined. Virtual addresses are sign-extended from va_bits - 1. */
struct rv_vm_mode {
    uint8_t levels;
    uint8_t va_bits;
    const char *name; /* as in the device tree's mmu-type, after "riscv,"; NULL if not defined */
};

extern const struct rv_vm_mode rv_vm_modes[16]; /* by satp.MODE */

static inline uint64_t rv_pte_ppn(uint64_t pte)
{
    return (pte & RV_PTE_PPN) >> 10;
}

/* A valid PTE that points to the next level: none of R, W, X. */
static inline bool rv_pte_is_table(uint64_t pte)
{
    return (pte & (RV_PTE_V | RV_PTE_R | RV_PTE_W | RV_PTE_X)) == RV_PTE_V;
}

#endif
