/* Translation for programs that need it on: see mmu.h. */
#include "mmu.h"

static u64 root[512] __attribute__((aligned(4096))), middle[512] __attribute__((aligned(4096))),
    leaf[512] __attribute__((aligned(4096)));

void tlb_flush(void)
{
    __asm__ volatile("dsb ish\n tlbi vmalle1is\n dsb ish\n isb" ::: "memory");
}

u64 *page_entry(u64 va)
{
    return &leaf[va >> 12 & 511];
}

u64 *block_entry(u64 va)
{
    return &middle[va >> 21 & 511];
}

void map_page(u64 va, u64 pa, u64 flags)
{
    *(volatile u64 *)page_entry(va) = flags == UNMAPPED ? 0 : pa | PTE_AF | PTE_IS | flags | 3;
    __asm__ volatile("dsb ish\n tlbi vaae1is, %0\n dsb ish\n isb" ::"r"(va >> 12 & 0xfffffffffff) : "memory");
}

void mmu_on(void)
{
    /* 39 bits of address: the root has blocks of 1 GiB. */
    root[0] = PTE_AF | 1 << 2 | 1;
    root[1] = 0x40000000 | PTE_AF | PTE_IS | 1;
    root[WINDOW >> 30] = (u64)middle | 3;
    middle[0] = (u64)leaf | 3;
    WRITE(mair_el1, 0x00ff);
    WRITE(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1UL << 36 | 25 << 16 | 1 << 24 | 1 << 26 | 3 << 28 |
                       2UL << 30 | 2UL << 32);
    WRITE(ttbr0_el1, root);
    WRITE(ttbr1_el1, root);
    tlb_flush();
    WRITE(sctlr_el1, READ(sctlr_el1) | 1 | 1 << 2 | 1 << 12 | 1 << 23);
}

void mmu_off(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(u64)(1 | 1 << 2 | 1 << 12));
    tlb_flush();
}
