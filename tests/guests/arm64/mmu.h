/* Translation for programs that need it on: 4 KiB granule, RAM and devices as blocks, a window of 512 pages.
 */
#ifndef GUEST_ARM64_MMU_H
#define GUEST_ARM64_MMU_H

#include "harness.h"

#define WINDOW   0x80000000UL
#define PTE_AF   (1UL << 10)
#define PTE_NG   (1UL << 11)
#define PTE_IS   (3UL << 8)
#define PTE_EL0  (1UL << 6)
#define PTE_RO   (1UL << 7)
#define UNMAPPED (~0UL)

/* Of every CPU that calls it; the tables are shared. TTBR1 has the window too, at its own top. */
void mmu_on(void);
void mmu_off(void);
void tlb_flush(void);
/* Entry of a page of the window; flags besides AF and shareability, or UNMAPPED. Flushes that page. */
void map_page(u64 va, u64 pa, u64 flags);
u64 *page_entry(u64 va);
/* Entry of 2 MiB: of the window's first GiB, whose first entry leads to the pages. */
u64 *block_entry(u64 va);
/* The same addresses in the upper half, of TTBR1. */
#define UPPER(va) (0xffffff8000000000UL | (va))

#endif
