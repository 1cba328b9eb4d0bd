/* Stage 1 translation: granules, faults with their levels, hardware flags, PAN (D8.2 to D8.5). */
#include "harness.h"

#define WINDOW     0x80000000UL
#define AF         (1UL << 10)
#define NG         (1UL << 11)
#define SHARED     (3UL << 8)
#define EL0        (1UL << 6)
#define RO         (1UL << 7)
#define DBM        (1UL << 51)
#define NORMAL     0UL
#define DEVICE     (1UL << 2)
#define ABORT(iss) ESR(0x25, iss)

static u64 root[8192] __attribute__((aligned(65536))), middle[8192] __attribute__((aligned(65536))),
    leaf[8192] __attribute__((aligned(65536)));
static u64 pages[4 * 8192] __attribute__((aligned(65536)));

struct granule {
    const char *name;
    u64 tcr;              /* T0SZ, TG0 */
    unsigned page, block; /* address bits of a page, of a root entry */
    int three;            /* levels under the root's: middle is in use */
};

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi vmalle1is\n dsb ish\n isb" ::: "memory");
}

static u64 *page_entry(const struct granule *g)
{
    return &leaf[WINDOW >> g->page & ((1UL << (g->page - 3)) - 1)];
}

static void translation_on(const struct granule *g, u64 tcr)
{
    u64 step = 1UL << g->block, attr = AF | SHARED | NORMAL | 1;

    for (unsigned i = 0; i < 8192; i++)
        root[i] = middle[i] = leaf[i] = 0;
    for (u64 at = 0x08000000 & ~(step - 1); at < 0x0b000000; at += step)
        root[at >> g->block] = at | AF | DEVICE | 1;
    for (u64 at = 0x40000000; at < 0x44000000; at += step)
        root[at >> g->block] = at | attr;
    if (g->three) {
        root[WINDOW >> g->block] = (u64)middle | 3;
        middle[0] = (u64)leaf | 3;
    } else {
        root[WINDOW >> g->block] = (u64)leaf | 3;
    }
    WRITE(mair_el1, 0x00ff);
    WRITE(tcr_el1, g->tcr | 1UL << 23 | 3 << 12 | 1 << 10 | 1 << 8 | 2UL << 32 | tcr);
    WRITE(ttbr0_el1, root);
    flush();
    WRITE(sctlr_el1, READ(sctlr_el1) | 1 | 1 << 2 | 1 << 12 | 1 << 23);
}

static void translation_off(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(u64)(1 | 1 << 2 | 1 << 12));
    flush();
}

static u64 load(u64 va)
{
    u64 v = 0;

    try_begin(0);
    __asm__ volatile("ldr %0, [%1]" : "+r"(v) : "r"(va) : "memory");
    return v;
}

static void store(u64 va, u64 v)
{
    try_begin(0);
    __asm__ volatile("str %0, [%1]" ::"r"(v), "r"(va) : "memory");
}

static void fault(u64 esr, u64 va)
{
    check("vector", last.vector, 0x200);
    check("ESR", last.esr, esr);
    check("FAR", last.far, va);
}

static void put(u64 *entry, u64 value)
{
    *(volatile u64 *)entry = value;
    flush();
}

static void each(const struct granule *g)
{
    u64 page = (u64)pages | AF | SHARED | NORMAL | 3, *e = page_entry(g);
    u64 span = 1UL << (g->three ? 21 : g->block);

    section(g->name);
    pages[1] = 0x1234;
    translation_on(g, 0);
    put(e, page);
    check("load", load(WINDOW + 8), 0x1234);
    check("no exception", last.vector, 0xffff);
    store(WINDOW + 16, 77);
    check("store", pages[2], 77);
    load(WINDOW + (1UL << g->page));
    fault(ABORT(0x07), WINDOW + (1UL << g->page)); /* translation, level 3 */
    load(WINDOW + span + 24);
    if (span < 1UL << g->block)
        fault(ABORT(0x06), WINDOW + span + 24); /* level 2 */
    store(WINDOW + (1UL << g->block), 1);
    fault(ABORT(1 << 6 | (g->three ? 0x05 : 0x06)), WINDOW + (1UL << g->block)); /* of the root */
    put(e, page & ~AF);
    load(WINDOW);
    fault(ABORT(0x0b), WINDOW); /* access flag, level 3 */
    put(e, page | RO);
    store(WINDOW + 4, 1);
    check("store to read-only", last.esr, ABORT(1 << 6 | 0x0f)); /* permission, level 3 */
    put(e, (page & ~2UL));
    load(WINDOW);
    fault(ABORT(0x07), WINDOW); /* bits 1:0 = 01 are reserved at level 3 */
    load(1UL << 47);
    fault(ABORT(0x04), 1UL << 47); /* beyond TxSZ: level 0 */
    translation_off();
}

static void flags(const struct granule *g)
{
    u64 page = (u64)pages | SHARED | NORMAL | NG | 3, *e = page_entry(g);

    if (!(READ(id_aa64mmfr1_el1) & 15))
        return;
    section("hardware access flag and dirty state");
    translation_on(g, (READ(id_aa64mmfr1_el1) & 15) == 2 ? 3UL << 39 : 1UL << 39);
    put(e, page);
    load(WINDOW);
    check("no exception", last.vector, 0xffff);
    check("AF set", *(volatile u64 *)e, page | AF);
    if ((READ(id_aa64mmfr1_el1) & 15) == 2) {
        put(e, page | DBM | RO);
        load(WINDOW);
        check("a load leaves it clean", *(volatile u64 *)e, page | DBM | RO | AF);
        store(WINDOW, 5);
        check("no exception", last.vector, 0xffff);
        check("AP[2] cleared", *(volatile u64 *)e, page | DBM | AF);
    }
    translation_off();
}

static void pan(const struct granule *g)
{
    u64 page = (u64)pages | AF | SHARED | NORMAL | EL0 | 3, v;

    if (!(READ(id_aa64mmfr1_el1) >> 20 & 15))
        return;
    section("privileged access never");
    translation_on(g, 0);
    put(page_entry(g), page);
    __asm__ volatile(".inst 0xd500409f" ::: "memory"); /* MSR PAN, #0 */
    load(WINDOW + 8);
    check("PAN 0", last.vector, 0xffff);
    __asm__ volatile(".inst 0xd500419f" ::: "memory"); /* MSR PAN, #1 */
    load(WINDOW + 8);
    fault(ABORT(0x0f), WINDOW + 8);
    try_begin(0);
    __asm__ volatile("ldtr %0, [%1]" : "=r"(v) : "r"(WINDOW + 8) : "memory");
    check("LDTR is not denied", last.vector, 0xffff);
    __asm__ volatile(".inst 0xd500409f" ::: "memory");
    translation_off();
}

static void asids(const struct granule *g)
{
    u64 page = AF | SHARED | NORMAL | NG | 3, *e = page_entry(g);

    section("ASIDs and TLBI of one of them");
    pages[0] = 1;
    pages[8192] = 2;
    translation_on(g, 1UL << 36);
    put(e, (u64)pages | page);
    WRITE(ttbr0_el1, (u64)root | 1UL << 48);
    check("ASID 1", load(WINDOW), 1);
    *(volatile u64 *)e = (u64)&pages[8192] | page;
    __asm__ volatile("dsb ish\n tlbi aside1is, %0\n dsb ish\n isb" ::"r"(1UL << 48) : "memory");
    check("after TLBI ASIDE1IS", load(WINDOW), 2);
    WRITE(ttbr0_el1, (u64)root | 2UL << 48);
    check("ASID 2", load(WINDOW), 2);
    *(volatile u64 *)e = (u64)pages | page;
    __asm__ volatile("dsb ish\n tlbi vaae1is, %0\n dsb ish\n isb" ::"r"(WINDOW >> 12) : "memory");
    check("after TLBI VAAE1IS", load(WINDOW), 1);
    translation_off();
}

/* Code at one address that differs between address spaces, executed at EL1 until it is compiled. */
static void code_of_asids(const struct granule *g)
{
    enum { OTHER = 1024 }; /* of tables of 512 entries: a second set */
    u64 page = AF | SHARED | NORMAL | NG | 3, at = page_entry(g) - leaf, wrong = 0;
    u64 (*fn)(void) = (u64(*)(void))WINDOW;

    section("code of two ASIDs");
    for (unsigned i = 0; i < 2; i++) {
        ((u32 *)&pages[512 * i])[0] = 0xd2800020 + 32 * i; /* mov x0, #1 + i */
        ((u32 *)&pages[512 * i])[1] = 0xd65f03c0;          /* ret */
    }
    translation_on(g, 1UL << 36);
    for (unsigned i = 0; i < 512; i++)
        root[OTHER + i] = root[i];
    root[OTHER + (WINDOW >> g->block)] = (u64)&middle[OTHER] | 3;
    middle[OTHER] = (u64)&leaf[OTHER] | 3;
    leaf[at] = (u64)pages | page;
    leaf[OTHER + at] = (u64)&pages[512] | page;
    __asm__ volatile("dsb ish\n ic ialluis\n dsb ish\n isb" ::: "memory");
    flush();
    for (u64 i = 0; i < 2000; i++) {
        WRITE(ttbr0_el1, ((u64)root + (i & 1) * OTHER * 8) | (1 + (i & 1)) << 48);
        for (unsigned n = 0; n < 3; n++)
            wrong += fn() != 1 + (i & 1);
    }
    check("calls that went elsewhere", wrong, 0);
    translation_off();
}

/* Unprivileged accesses to a page that differs between address spaces, until they are compiled. */
static void user_data_of_asids(const struct granule *g)
{
    enum { OTHER = 1024 };
    u64 page = AF | SHARED | NORMAL | NG | EL0 | 3, at = page_entry(g) - leaf, wrong = 0, v;

    section("unprivileged data of two ASIDs");
    translation_on(g, 1UL << 36);
    for (unsigned i = 0; i < 512; i++)
        root[OTHER + i] = root[i];
    root[OTHER + (WINDOW >> g->block)] = (u64)&middle[OTHER] | 3;
    middle[OTHER] = (u64)&leaf[OTHER] | 3;
    leaf[at] = (u64)pages | page;
    leaf[OTHER + at] = (u64)&pages[512] | page;
    flush();
    pages[0] = pages[512] = 0;
    for (u64 i = 0; i < 2000; i++) {
        WRITE(ttbr0_el1, ((u64)root + (i & 1) * OTHER * 8) | (1 + (i & 1)) << 48);
        for (unsigned n = 0; n < 3; n++) {
            __asm__ volatile("ldtr %0, [%1]" : "=r"(v) : "r"(WINDOW) : "memory");
            wrong += v != i / 2 * 3 + n;
            __asm__ volatile("sttr %0, [%1]" ::"r"(v + 1), "r"(WINDOW) : "memory");
        }
    }
    check("values of the other one", wrong, 0);
    put(&leaf[OTHER + at], leaf[OTHER + at] | RO);
    try_begin(0);
    __asm__ volatile("sttr %0, [%1]" ::"r"(v), "r"(WINDOW) : "memory");
    check("STTR to read-only", last.esr, ABORT(1 << 6 | 0x0f));
    put(&leaf[OTHER + at], 0);
    try_begin(0);
    __asm__ volatile("ldtr %0, [%1]" : "=r"(v) : "r"(WINDOW) : "memory");
    check("LDTR of nothing", last.esr, ABORT(0x07));
    translation_off();
}

void test_main(void)
{
    static const struct granule granules[] = {
        {"4 KiB granule", 25, 12, 30, 1},
        {"16 KiB granule", 28 | 2 << 14, 14, 25, 0},
        {"64 KiB granule", 25 | 1 << 14, 16, 29, 0},
    };

    for (unsigned i = 0; i < 3; i++)
        each(&granules[i]);
    flags(&granules[0]);
    pan(&granules[0]);
    asids(&granules[0]);
    code_of_asids(&granules[0]);
    user_data_of_asids(&granules[0]);
}
