/* Translation: block and contiguous entries, each kind of TLBI, broadcast to other CPUs, UAO, E0PD (D8). */
#include "mmu.h"
#include "smp.h"

#define CONTIGUOUS (1UL << 52)
#define FRAMES     0x48000000UL /* of RAM that the image does not use */

static u64 frame(unsigned n)
{
    return FRAMES + 4096UL * n;
}

static u64 load(u64 va)
{
    u64 v = ~0UL;

    try_begin(0);
    __asm__ volatile("ldr %0, [%1]" : "+r"(v) : "r"(va) : "memory");
    return v;
}

static u64 load_user(u64 va)
{
    u64 v = ~0UL;

    try_begin(0);
    __asm__ volatile("ldtr %0, [%1]" : "+r"(v) : "r"(va) : "memory");
    return v;
}

static void put(u64 *entry, u64 value)
{
    *(volatile u64 *)entry = value;
    __asm__ volatile("dsb ish" ::: "memory");
}

static void blocks(void)
{
    u64 va = WINDOW + (4UL << 21);

    section("blocks of 2 MiB and 1 GiB");
    put(block_entry(va), FRAMES | PTE_AF | PTE_IS | 1);
    check("first page", load(va), 0x1000);
    check("last page", load(va + 511 * 4096), 0x1000 + 511);
    check("as by the block of 1 GiB", load(frame(511)), 0x1000 + 511);
    put(block_entry(va), (FRAMES + (2UL << 20)) | PTE_AF | PTE_IS | 1);
    __asm__ volatile("tlbi vae1is, %0\n dsb ish\n isb" ::"r"((va + 4096 * 77) >> 12) : "memory");
    check("TLBI by any address of a block takes all of it", load(va), 0x1000 + 512);
    check("last page", load(va + 511 * 4096), 0x1000 + 1023);
    put(block_entry(va), 0);
    tlb_flush();
    load(va);
    check("translation fault, level 2", last.esr, ESR(0x25, 0x06));
}

static void contiguous(void)
{
    section("contiguous pages and blocks");
    for (u64 i = 0; i < 16; i++)
        put(page_entry(WINDOW + 0x10000 + 4096 * i),
            frame(16 + (unsigned)i) | PTE_AF | PTE_IS | CONTIGUOUS | 3);
    for (u64 i = 0; i < 16; i++)
        check("page", load(WINDOW + 0x10000 + 4096 * i), 0x1000 + 16 + i);
    for (u64 i = 0; i < 16; i++)
        put(page_entry(WINDOW + 0x10000 + 4096 * i), 0);
    for (u64 i = 0; i < 16; i++)
        __asm__ volatile("tlbi vae1is, %0" ::"r"((WINDOW + 0x10000) / 4096 + i) : "memory");
    __asm__ volatile("dsb ish\n isb" ::: "memory");
    for (u64 i = 0; i < 16; i++) {
        load(WINDOW + 0x10000 + 4096 * i);
        check("gone", last.esr, ESR(0x25, 0x07));
    }
    for (u64 i = 0; i < 16; i++)
        put(block_entry(WINDOW + ((32 + i) << 21)),
            (FRAMES - 0x2000000 + (i << 21)) | PTE_AF | PTE_IS | CONTIGUOUS | 1);
    tlb_flush();
    *(volatile u64 *)(FRAMES - 0x2000000 + (15UL << 21)) = 0xb10c;
    check("the last block", load(WINDOW + (47UL << 21)), 0xb10c);
}

/* The page's frame changes; only then the operation, with VA >> 12 and ASID 1 in its operand. */
#define AFTER(name, op, global)                                                                              \
    ({                                                                                                       \
        u64 va_ = WINDOW + 0x40000, arg_ = va_ >> 12 | 1UL << 48;                                            \
        put(page_entry(va_), frame(1) | PTE_AF | PTE_IS | ((global) ? 0 : PTE_NG) | 3);                      \
        tlb_flush();                                                                                         \
        check("before", load(va_), 0x1001);                                                                  \
        put(page_entry(va_), frame(2) | PTE_AF | PTE_IS | ((global) ? 0 : PTE_NG) | 3);                      \
        __asm__ volatile(op "\n dsb ish\n isb" ::"r"(arg_) : "memory");                                      \
        check(name, load(va_), 0x1002);                                                                      \
    })
#define BOTH(op)                                                                                             \
    AFTER(op, "tlbi " op ", %0", 0);                                                                         \
    AFTER(op "is", "tlbi " op "is, %0", 0)

/* Four pages from that address on: TG 4 KiB, SCALE 0, NUM 1 (range of (NUM + 1) << (5 * SCALE + 1) pages). */
#define RANGE(name, encoding)                                                                                \
    ({                                                                                                       \
        u64 va_ = WINDOW + 0x40000, arg_ = (va_ >> 12 & 0x1fffffffff) | 1UL << 39 | 1UL << 46 | 1UL << 48;   \
        put(page_entry(va_ + 3 * 4096), frame(1) | PTE_AF | PTE_IS | PTE_NG | 3);                            \
        tlb_flush();                                                                                         \
        load(va_ + 3 * 4096);                                                                                \
        put(page_entry(va_ + 3 * 4096), frame(2) | PTE_AF | PTE_IS | PTE_NG | 3);                            \
        __asm__ volatile(encoding "\n dsb ish\n isb" ::"r"(arg_) : "memory");                                \
        check(name, load(va_ + 3 * 4096), 0x1002);                                                           \
    })

static void kinds(void)
{
    u64 ttbr = READ(ttbr0_el1);

    section("TLBI by VA, ASID and all");
    WRITE(ttbr0_el1, ttbr | 1UL << 48);
    BOTH("vae1");
    BOTH("vale1");
    BOTH("vaae1");
    BOTH("vaale1");
    BOTH("aside1");
    AFTER("vmalle1", "tlbi vmalle1 // %0", 0);
    AFTER("vmalle1, global", "tlbi vmalle1 // %0", 1);
    AFTER("vae1, global", "tlbi vae1, %0", 1);
    if ((READ(id_aa64isar0_el1) >> 56 & 15) >= 1) {
        section("TLBI, outer shareable");
        AFTER("vmalle1os", "sys #0, c8, c1, #0 // %0", 0);
        AFTER("vae1os", "sys #0, c8, c1, #1, %0", 0);
        AFTER("aside1os", "sys #0, c8, c1, #2, %0", 0);
        AFTER("vaae1os", "sys #0, c8, c1, #3, %0", 0);
        AFTER("vale1os", "sys #0, c8, c1, #5, %0", 0);
        AFTER("vaale1os", "sys #0, c8, c1, #7, %0", 0);
    }
    if ((READ(id_aa64isar0_el1) >> 56 & 15) >= 2) {
        section("TLBI by range");
        RANGE("rvae1", "sys #0, c8, c6, #1, %0");
        RANGE("rvaae1", "sys #0, c8, c6, #3, %0");
        RANGE("rvale1", "sys #0, c8, c6, #5, %0");
        RANGE("rvae1is", "sys #0, c8, c2, #1, %0");
        RANGE("rvaae1is", "sys #0, c8, c2, #3, %0");
        RANGE("rvaale1is", "sys #0, c8, c2, #7, %0");
        RANGE("rvae1os", "sys #0, c8, c5, #1, %0");
    }
    WRITE(ttbr0_el1, ttbr);
}

/* CPU 0 exchanges the frame of a page that the others read; after its DSB nobody reads the old one. */
static volatile u64 rounds_done, bad[CPUS];

static void broadcast(unsigned cpu)
{
    u64 va = WINDOW + 0x80000;

    if (!cpu) {
        map_page(va, frame(1), 0);
        barrier();
        for (unsigned i = 0; i < 50; i++) {
            put(page_entry(va), 0);
            __asm__ volatile("tlbi vae1is, %0\n dsb ish\n isb" ::"r"(va >> 12) : "memory");
            *(volatile u64 *)frame(1) = 0xdead; /* whoever still reads it reads this */
            __asm__ volatile("dsb ish" ::: "memory");
            put(page_entry(va), frame(2) | PTE_AF | PTE_IS | 3);
            *(volatile u64 *)frame(1) = 0x1001;
            __asm__ volatile("dsb ish" ::: "memory");
            put(page_entry(va), 0);
            __asm__ volatile("tlbi vaale1is, %0\n dsb ish\n isb" ::"r"(va >> 12) : "memory");
            put(page_entry(va), frame(1) | PTE_AF | PTE_IS | 3);
        }
        rounds_done = 1;
        barrier();
        return;
    }
    barrier();
    while (!rounds_done) {
        u64 v = ~0UL;

        /* A fault leaves v alone: AT tells without one. */
        __asm__ volatile("at s1e1r, %0\n isb" ::"r"(va) : "memory");
        if (READ(par_el1) & 1)
            continue;
        v = READ(par_el1) & 0xfffffffff000;
        if (v != frame(1) && v != frame(2))
            bad[cpu]++;
    }
    barrier();
}

/* After the DSB of a TLBI the other CPU, which had the old frame, loads from the new one. */
static void handover(unsigned cpu)
{
    u64 va = WINDOW + 0x90000;

    if (!cpu)
        map_page(va, frame(1), 0);
    barrier();
    for (u64 i = 0; i < 20; i++) {
        if (cpu) {
            if (*(volatile u64 *)va != 0x1001 + (i & 1))
                bad[cpu]++;
        }
        barrier();
        if (!cpu)
            map_page(va, frame(2 - (i & 1)), 0);
        barrier();
    }
}

static void shared(void)
{
    section("TLBI reaches the other CPUs");
    on_cpus(CPUS, broadcast);
    on_cpus(CPUS, handover);
    for (unsigned i = 1; i < CPUS; i++)
        check("old translations", bad[i], 0);
}

static void uao(void)
{
    u64 va = WINDOW + 0xa0000;

    if (!(READ(id_aa64mmfr2_el1) >> 4 & 15))
        return;
    section("user access override");
    map_page(va, frame(3), 0);
    map_page(va + 4096, frame(4), PTE_EL0);
    load_user(va);
    check("LDTR has no right", last.esr, ESR(0x25, 0x0f));
    check("of EL0 it has", load_user(va + 4096), 0x1004);
    __asm__ volatile(".inst 0xd500417f" ::: "memory"); /* MSR UAO, #1 */
    check("UAO: as LDR", load_user(va), 0x1003);
    check("no exception", last.vector, 0xffff);
    __asm__ volatile(".inst 0xd500407f" ::: "memory");
}

static void e0pd(void)
{
    u64 va = WINDOW + 0xa0000, tcr = READ(tcr_el1);

    if (!(READ(id_aa64mmfr2_el1) >> 60))
        return;
    section("EL0 kept out of a half by E0PD");
    map_page(va, frame(5), PTE_EL0);
    check("lower", load_user(va), 0x1005);
    check("upper", load_user(UPPER(va)), 0x1005);
    WRITE(tcr_el1, tcr | 1UL << 56);
    tlb_flush();
    load_user(UPPER(va));
    check("E0PD1: translation fault, level 0", last.esr, ESR(0x25, 0x04));
    check("FAR", last.far, UPPER(va));
    check("EL1 has it", load(UPPER(va)), 0x1005);
    check("the lower half, too", load_user(va), 0x1005);
    WRITE(tcr_el1, tcr | 1UL << 55);
    tlb_flush();
    load_user(va);
    check("E0PD0", last.esr, ESR(0x25, 0x04));
    check("upper", load_user(UPPER(va)), 0x1005);
    WRITE(tcr_el1, tcr);
    tlb_flush();
}

void test_main(void)
{
    mmu_on();
    for (unsigned i = 0; i < 1024; i++)
        *(volatile u64 *)frame(i) = 0x1000 + i;
    blocks();
    contiguous();
    kinds();
    shared();
    uao();
    e0pd();
}
