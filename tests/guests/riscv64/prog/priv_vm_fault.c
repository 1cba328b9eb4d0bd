/*
 * Every leaf PTE of the low eight bits x access x mode x SUM x MXR x ADUE against the algorithm of
 * Priv. 10.3.2, in each translation mode and at each level; then reserved bits, pointers, misaligned
 * superpages, addresses not canonical.
 */
#include "vm.h"

enum { LOAD, STORE, FETCH, AMO, KINDS };

#define FRAME  (SCRATCH + 0x200000) /* 2 MiB aligned; page of code and data */
#define GAP_AD "10.3.2 step 9 without Svadu faults; QEMU 7.2 sets A and D always"

static const u64 fault_of[KINDS] = {C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE, C_STORE_PAGE};
static void (*const access_fn[KINDS])(u64, u64) = {f_ld, f_sd, f_jump, f_amo};
static int have_adue;

/* The specification's steps 3 to 9 for a leaf: 1 allowed, 0 fault; -1 fault for A or D alone. */
static int leaf_allowed(u64 pte, int kind, enum mode m, int sum, int mxr, int adue)
{
    int r = !!(pte & PTE_R), w = !!(pte & PTE_W), x = !!(pte & PTE_X), u = !!(pte & PTE_U);

    if (!(pte & PTE_V) || (!r && w))
        return 0;
    if (!r && !x)
        return 0; /* a pointer where no level is left, or what it points to is empty */
    if (m == MODE_U && !u)
        return 0;
    if (m == MODE_S && u && (kind == FETCH || !sum))
        return 0;
    if (kind == LOAD && !(r || (mxr && x)))
        return 0;
    if ((kind == STORE || kind == AMO) && !w)
        return 0;
    if (kind == FETCH && !x)
        return 0;
    if (adue)
        return 1;
    return (pte & PTE_A) && (kind == LOAD || kind == FETCH || (pte & PTE_D)) ? 1 : -1;
}

static u64 fn_of(int kind, enum mode m)
{
    return (u64)access_fn[kind] + (m == MODE_U ? WINDOW : 0);
}

static struct trap access(int kind, enum mode m, u64 va)
{
    return m == MODE_U ? run_user(access_fn[kind], va, 1) : run(MODE_S, access_fn[kind], va, 1);
}

static void data_reset(void)
{
    poke32(FRAME, INSN_LI_A0(55));
    poke32(FRAME + 4, INSN_RET);
}

/* The code jumped to sits where data is read: fetch returns 55. */
static u64 value_of(int kind)
{
    return kind == FETCH ? 55 : (u64)INSN_RET << 32 | INSN_LI_A0(55);
}

static void one(const char *what, u64 va, volatile u64 *e, u64 low, int kind, enum mode m, u64 set, int adue)
{
    u64 pte = pte_of(FRAME, low);
    int ok = leaf_allowed(pte, kind, m, !!(set & MS_SUM), !!(set & MS_MXR), adue);

    *e = pte;
    vm_flush();
    data_reset();
    csr_clear("mstatus", MS_SUM | MS_MXR);
    csr_set("mstatus", set);
    struct trap t = access(kind, m, va);
    csr_clear("mstatus", MS_SUM | MS_MXR);
    if (ok < 0 && under_reference() && !have_adue) {
        check_gap(what, t.by ? t.cause : 0, fault_of[kind], GAP_AD);
        return;
    }
    gap_end();
    if (kind == AMO) /* 14.4, 3.1.15: an AMO raises store page faults only, and changes nothing then */
        gap_begin("3.1.15: store page fault for AMOs; QEMU 7.2 loads first");
    if (ok <= 0) {
        check_trap(what, t, MODE_M, fault_of[kind], va, kind == FETCH ? va : fn_of(kind, m));
        check("entry unchanged", *e, pte);
        return;
    }
    check("allowed", t.by, 0);
    if (kind == LOAD || kind == FETCH || kind == AMO)
        check("value", t.a0, value_of(kind));
    u64 want = pte | PTE_A | (kind == STORE || kind == AMO ? PTE_D : 0);
    check("A and D", *e, want);
}

static void every_leaf(int levels, int level, int all)
{
    static const u64 sets[] = {0, MS_SUM, MS_MXR, MS_SUM | MS_MXR};

    vm_new(levels);
    if (!need("translation mode", vm_on()))
        return;
    volatile u64 *e = vm_pte(TVA, level);
    for (int adue = 0; adue < (have_adue ? 2 : 1); adue++) {
        csr_clear("menvcfg", MENVCFG_ADUE);
        csr_set("menvcfg", adue ? MENVCFG_ADUE : 0);
        for (u64 low = 0; low < 256; low += all ? 1 : 2) {
            u64 pte = low | (all ? 0 : PTE_V);
            if (level && !(pte & (PTE_R | PTE_X | PTE_W)))
                continue; /* pointers: below */
            for (int k = 0; k < KINDS; k++)
                for (int m = 0; m < 2; m++)
                    for (u64 s = 0; s < (all ? COUNT(sets) : 1); s++)
                        one("leaf", TVA, e, pte, k, (enum mode)m, sets[s], adue);
        }
    }
    *e = 0;
    csr_clear("menvcfg", MENVCFG_ADUE);
    vm_off();
}

static void leaves(void)
{
    static const char *const names[] = {"Sv39 leaf bits", "Sv48 leaf bits", "Sv57 leaf bits"};

    for (int d = 3; d <= 5; d++) {
        section(names[d - 3]);
        every_leaf(d, 0, d == 3);
        every_leaf(d, 1, 0);
    }
}

/* A superpage whose low PPN bits are not zero faults; an aligned one adds the address bits (10.3.2 step 5).
 */
static void superpages(void)
{
    section("superpages");
    for (int d = 3; d <= 5; d++) {
        vm_new(d);
        if (!need("translation mode", vm_on()))
            continue;
        for (int level = 1; level < d; level++) {
            u64 size = PAGE << 9 * level, base = 0x83000ff8 & ~(size - 1);
            u64 va = level < 3 ? TVA : size; /* entry 1 of the upper levels */
            volatile u64 *e = vm_pte(va, level);
            poke64(0x83000ff8, 0x5ca1ab1e + (u64)d);
            *e = pte_of(base, PTE_V | PTE_RWX | PTE_AD);
            vm_flush();
            u64 at = va + (0x83000ff8 - base);
            check_return("aligned", run(MODE_S, f_ld, at, 0), 0x5ca1ab1e + (u64)d);
            for (u64 bit = 0; bit < 9 * (u64)level; bit += level == 1 ? 1 : 4) {
                *e = pte_of(base ^ PAGE << bit, PTE_V | PTE_RWX | PTE_AD);
                vm_flush();
                check_trap("misaligned", run(MODE_S, f_ld, at, 0), MODE_M, C_LOAD_PAGE, at, (u64)f_ld);
                check_trap("misaligned store", run(MODE_S, f_sd, at, 0), MODE_M, C_STORE_PAGE, at, (u64)f_sd);
            }
            *e = 0;
            vm_flush();
            check_trap("removed", run(MODE_S, f_ld, at, 0), MODE_M, C_LOAD_PAGE, at, (u64)f_ld);
        }
        vm_off();
    }
}

static void expect_load_fault(const char *what, u64 va)
{
    vm_flush();
    check_trap(what, run(MODE_S, f_ld, va, 0), MODE_M, C_LOAD_PAGE, va, (u64)f_ld);
    check_trap(what, run(MODE_S, f_sd, va, 0), MODE_M, C_STORE_PAGE, va, (u64)f_sd);
    check_trap(what, run(MODE_S, f_jump, va, 0), MODE_M, C_FETCH_PAGE, va, va);
}

/* Bits 60:54, and N and PBMT where their extension is absent or off, are reserved: page fault (10.3.1, 10.4).
 */
static void reserved(void)
{
    u64 good = PTE_V | PTE_RWX | PTE_AD;

    section("reserved PTE bits");
    for (int d = 3; d <= 5; d++) {
        vm_new(d);
        if (!need("translation mode", vm_on()))
            continue;
        csr_clear("menvcfg", MENVCFG_PBMTE);
        for (u64 bit = 54; bit < 64; bit++) {
            if (bit == 63)
                continue; /* N: priv_vm_ext */
            gap_begin("10.3.1, 10.4.1: reserved; QEMU 7.2 ignores some of these and menvcfg.PBMTE");
            vm_map(TVA, FRAME, 0, good | 1UL << bit);
            expect_load_fault("leaf", TVA);
            volatile u64 *e = vm_pte(TVA, 1);
            vm_map(TVA, FRAME, 0, good);
            *e |= 1UL << bit;
            expect_load_fault("pointer", TVA);
            *e &= ~(1UL << bit);
            gap_end();
        }
        volatile u64 *e = vm_pte(TVA, 1);
        static const u64 bits[] = {PTE_A, PTE_D, PTE_U, PTE_N};
        for (u64 i = 0; i < COUNT(bits); i++) {
            *e |= bits[i];
            expect_load_fault("pointer with A, D, U or N", TVA);
            *e &= ~bits[i];
        }
        *e |= PTE_G | 3 << 8; /* G and the software's bits are fine */
        vm_map(TVA, FRAME, 0, good | 3 << 8);
        vm_flush();
        data_reset();
        check_return("G and RSW", run(MODE_S, f_ld, TVA, 0), value_of(LOAD));
        *vm_pte(TVA, 0) = pte_of(vm_page(), PTE_V);
        expect_load_fault("pointer at the last level", TVA);
        vm_off();
    }
}

/* Bits above the translated ones must equal the topmost one (10.3, 10.4.1, 10.5.1). */
static void canonical(void)
{
    section("addresses not canonical");
    for (int d = 3; d <= 5; d++) {
        vm_new(d);
        if (!need("translation mode", vm_on()))
            continue;
        u64 top = 1UL << (12 + 9 * d - 1), high = ~(top - 1);
        vm_map(TVA, FRAME, 0, PTE_V | PTE_RWX | PTE_AD);
        vm_map(high | TVA, FRAME, 0, PTE_V | PTE_RWX | PTE_AD);
        vm_flush();
        data_reset();
        check_return("low", run(MODE_S, f_ld, TVA, 0), value_of(LOAD));
        check_return("high", run(MODE_S, f_ld, high | TVA, 0), value_of(LOAD));
        check_return("high fetch", run(MODE_S, f_jump, high | TVA, 0), 55);
        for (u64 bit = 63; 1UL << bit > top; bit--) {
            expect_load_fault("low with a bit", TVA | 1UL << bit);
            expect_load_fault("high without a bit", (high | TVA) & ~(1UL << bit));
        }
        vm_off();
    }
}

/* A page-table access to where no memory is: access fault of the original kind (10.3.2 step 2). */
static void walk_access(void)
{
    section("page table outside memory");
    gap_begin("10.3.2 step 2: access fault; QEMU 7.2 raises a page fault");
    vm_new(3);
    vm_on();
    *vm_pte(TVA, 2) = pte_of(0x18000000, PTE_V);
    vm_flush();
    check_trap("load", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_ACCESS, TVA, (u64)f_ld);
    check_trap("store", run(MODE_S, f_sd, TVA, 0), MODE_M, C_STORE_ACCESS, TVA, (u64)f_sd);
    check_trap("fetch", run(MODE_S, f_jump, TVA, 0), MODE_M, C_FETCH_ACCESS, TVA, TVA);
    gap_end();
    /* and a leaf to where nothing is */
    *vm_pte(TVA, 2) = 0;
    vm_map(TVA, 0x18000000, 0, PTE_V | PTE_RWX | PTE_AD);
    vm_flush();
    check_trap("leaf load", run(MODE_S, f_ld, TVA + 8, 0), MODE_M, C_LOAD_ACCESS, TVA + 8, (u64)f_ld);
    check_trap("leaf store", run(MODE_S, f_sd, TVA + 8, 0), MODE_M, C_STORE_ACCESS, TVA + 8, (u64)f_sd);
    check_trap("leaf fetch", run(MODE_S, f_jump, TVA + 8, 0), MODE_M, C_FETCH_ACCESS, TVA + 8, TVA + 8);
    vm_off();
}

void test_main(void)
{
    data_reset();
    fence_i();
    csr_set("menvcfg", MENVCFG_ADUE);
    have_adue = !!(csr_read("menvcfg") & MENVCFG_ADUE);
    csr_clear("menvcfg", MENVCFG_ADUE);
    section("menvcfg.ADUE");
    need("Svadu", have_adue);
    leaves();
    superpages();
    reserved();
    canonical();
    walk_access();
}
