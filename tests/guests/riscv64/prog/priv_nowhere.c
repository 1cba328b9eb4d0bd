/*
 * Addresses where nothing can be: not canonical with translation (10.4.1, 10.5.1), beyond the physical
 * address space without. An access there faults, however warm the code and however empty what caches
 * translations.
 */
#include "vm.h"

#define TARGET (SCRATCH + 0x1000)

struct access {
    const char *name;
    void (*fn)(u64, u64);
    u64 size;
    int store;
};
static const struct access accesses[] = {
    {"ld", f_ld, 8, 0}, {"lw", f_lw, 4, 0}, {"lh", f_lh, 2, 0}, {"lb", f_lb, 1, 0},
    {"sd", f_sd, 8, 1}, {"sw", f_sw, 4, 1}, {"sh", f_sh, 2, 1}, {"sb", f_sb, 1, 1},
};

static const u64 pages[] = {
    0x7ff0000000000000, 0x7fe0000000000000, 0x4000000000000000, 0x4060000000000000, 0x00ff000000000000,
    0x8000000000000000, 0xf000000000000000, 0x7ffffffffffff000, 0xff00000000000000, 0x0100000000000000,
};

static void warm(const struct access *x)
{
    void (*volatile fn)(u64, u64) = x->fn;

    for (u64 i = 0; i < 3000; i++)
        fn(TARGET, 0);
}

static void one(const struct access *x, enum mode m, u64 va, int paged)
{
    u64 cause = paged ? (x->store ? C_STORE_PAGE : C_LOAD_PAGE) : x->store ? C_STORE_ACCESS : C_LOAD_ACCESS;
    struct trap t;

    vm_flush();
    t = run(m, x->fn, va, 0);
    if (!check_trap(x->name, t, MODE_M, cause, va, (u64)x->fn))
        note("address", va);
}

static void all(enum mode m, int paged)
{
    for (u64 i = 0; i < COUNT(accesses); i++) {
        warm(&accesses[i]);
        for (u64 p = 0; p < COUNT(pages); p++) {
            one(&accesses[i], m, pages[p], paged);
            one(&accesses[i], m, pages[p] + 4096 - accesses[i].size, paged);
        }
    }
}

void test_main(void)
{
    section("M-mode, no translation");
    all(MODE_M, 0);
    for (int levels = 3; levels <= 5; levels++) {
        section(levels == 3 ? "Sv39" : levels == 4 ? "Sv48" : "Sv57");
        vm_new(levels);
        if (!need("the mode", vm_on()))
            continue;
        /* made in S-mode too, where the slots are the mode's own */
        for (u64 i = 0; i < COUNT(accesses); i++) {
            for (u64 n = 0; n < 200; n++)
                run(MODE_S, accesses[i].fn, TARGET, 0);
        }
        all(MODE_S, 1);
        vm_off();
    }
}
