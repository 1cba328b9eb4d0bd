/* AT and what it leaves in PAR_EL1, and cache maintenance by address (D8.11, D8.15.5). */
#include "mmu.h"

#define PAR(attr, sh, pa) ((u64)(attr) << 56 | (u64)(sh) << 7 | (pa) | 1 << 11)
#define PAR_NS            (1UL << 9) /* of no meaning here */
#define ATTR(n)           ((u64)(n) << 2)
#define NOWHERE           (0x70UL << 32)
/* A cache's or translation's abort at EL1: CM, WnR */
#define ABORT(fsc) ESR(0x25, 1 << 8 | 1 << 6 | (fsc))

static u64 page[512] __attribute__((aligned(4096)));

#define OP(op, va)                                                                                           \
    ({                                                                                                       \
        try_begin(0);                                                                                        \
        __asm__ volatile(op ", %0\n isb" ::"r"(va) : "memory");                                              \
    })

static void result(const char *what, u64 want)
{
    check("exception", last.vector, 0xffff);
    check(what, READ(par_el1) & ~PAR_NS, want);
}

static void results(void)
{
    section("AT: attributes and shareability");
    WRITE(mair_el1, READ(mair_el1) | 0x4fUL << 24 | 0x44UL << 16);
    map_page(WINDOW, (u64)page, 0);
    OP("at s1e1r", WINDOW + 0x123);
    result("normal memory", PAR(0xff, 3, (u64)page));
    map_page(WINDOW, (u64)page, ATTR(1));
    OP("at s1e1w", WINDOW);
    result("a device", PAR(0, 2, (u64)page));
    map_page(WINDOW, (u64)page, ATTR(2));
    OP("at s1e1r", WINDOW);
    result("normal memory that is not cached", PAR(0x44, 2, (u64)page));
    map_page(WINDOW, (u64)page, ATTR(3));
    OP("at s1e1r", WINDOW);
    result("normal memory that inner caches keep", PAR(0x4f, 3, (u64)page));

    section("AT: faults");
    OP("at s1e0r", WINDOW);
    result("no right at EL0", 1 << 11 | 0xf << 1 | 1);
    map_page(WINDOW, (u64)page, PTE_RO);
    OP("at s1e1w", WINDOW);
    result("read-only", 1 << 11 | 0xf << 1 | 1);
    map_page(WINDOW, 0, UNMAPPED);
    OP("at s1e1r", WINDOW);
    result("unmapped", 1 << 11 | 7 << 1 | 1);
}

static void walks(void)
{
    section("AT: a table that is nowhere is an abort");
    *(volatile u64 *)block_entry(WINDOW + (4UL << 20)) = NOWHERE | 3;
    tlb_flush();
    OP("at s1e1r", WINDOW + (4UL << 20) + 8);
    check("vector", last.vector, 0x200);
    check("ESR", last.esr, ABORT(0x17));
    check("FAR", last.far, WINDOW + (4UL << 20) + 8);
    *(volatile u64 *)block_entry(WINDOW + (4UL << 20)) = 0;
    tlb_flush();
}

static void caches(void)
{
    section("cache maintenance by address");
    map_page(WINDOW, 0, UNMAPPED);
    OP("dc cvac", WINDOW + 4);
    check("ESR", last.esr, ABORT(7));
    check("FAR", last.far, WINDOW + 4);
    OP("ic ivau", WINDOW + 4);
    check("ESR", last.esr, ABORT(7));
    map_page(WINDOW, (u64)page, PTE_RO);
    OP("dc civac", WINDOW);
    check("exception", last.vector, 0xffff);
    OP("dc ivac", WINDOW); /* wants to write */
    check("ESR", last.esr, ABORT(0xf));
    map_page(WINDOW, (u64)page, PTE_EL0);
    __asm__ volatile(".arch_extension pan\n msr pan, #1"); /* not for these */
    OP("dc ivac", WINDOW);
    check("exception", last.vector, 0xffff);
    __asm__ volatile("msr pan, #0");
}

void test_main(void)
{
    mmu_on();
    results();
    walks();
    caches();
    mmu_off();
}
