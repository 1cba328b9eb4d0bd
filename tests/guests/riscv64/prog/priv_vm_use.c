/* Translation in use: ASIDs, sfence.vma and Svinval, MPRV, Svnapot, Svpbmt, accesses and code across pages,
 * satp. */
#include "vm.h"

#define FA    (SCRATCH + 0x100000)
#define FB    (SCRATCH + 0x110000)
#define RWXAD (PTE_V | PTE_RWX | PTE_AD)

static void satp_fields(void)
{
    section("satp WARL");
    vm_new(3);
    u64 good = vm_satp(0);
    csr_write("satp", good);
    for (u64 mode = 1; mode < 16; mode++) {
        if (mode >= 8 && mode <= 10)
            continue;
        csr_write("satp", (good & ~(15UL << 60)) | mode << 60 | 0x123);
        check("a write of a mode that is not there has no effect", csr_read("satp"), good); /* 10.1.11 */
    }
    csr_write("satp", good | 0xffffUL << 44);
    u64 asids = csr_read("satp") >> 44 & 0xffff;
    check_true("ASID bits are the low ones", !(asids & (asids + 1)));
    note("largest ASID", asids);
    csr_write("satp", 0);
    check("bare", csr_read("satp"), 0);
    vm_flush();
}

/* The same address means another page under another ASID, without any fence in between (10.2.1). */
static void asids(void)
{
    u64 satp[4];

    section("ASIDs");
    for (u64 i = 0; i < 4; i++) {
        vm_new(3 + (int)(i & 1));
        poke64(FA + i * PAGE, 100 + i);
        vm_map(TVA, FA + i * PAGE, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
        satp[i] = vm_satp(i + 1);
    }
    csr_write("satp", satp[3]);
    if (csr_read("satp") != satp[3]) {
        need("3 ASID bits", 0);
        return;
    }
    vm_flush();
    for (u64 k = 0; k < 400; k++) {
        u64 i = k * 7 / 3 & 3;
        csr_write("satp", satp[i]);
        check_return("page of its own", run(MODE_S, f_ld, TVA, 0), 100 + i);
    }
    vm_off();
}

static void fence_kind(u64 k, u64 va, u64 asid)
{
    switch (k) {
    case 0:
        asm volatile("sfence.vma" ::: "memory");
        break;
    case 1:
        asm volatile("sfence.vma %0, zero" ::"r"(va) : "memory");
        break;
    case 2:
        asm volatile("sfence.vma zero, %0" ::"r"(asid) : "memory");
        break;
    case 3:
        asm volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
        break;
    default: /* Svinval: sfence.w.inval, sinval.vma va asid, sfence.inval.ir */
        asm volatile(".insn r 0x73, 0, 0x0c, x0, x0, x0\n .insn r 0x73, 0, 0x0b, x0, %0, %1\n .insn r 0x73, "
                     "0, 0x0c, x0, x0, x1" ::"r"(va),
                     "r"(asid)
                     : "memory");
    }
}

static void fences(void)
{
    static const char *const names[] = {"sfence.vma", "sfence.vma va", "sfence.vma asid",
                                        "sfence.vma va asid", "sinval.vma"};
    int levels[] = {0, 1, 2};

    section("sfence.vma and sinval.vma make changes seen");
    for (u64 k = 0; k < 5; k++)
        for (u64 i = 0; i < 60; i++) {
            int level = levels[i % 3];
            u64 size = PAGE << 9 * level, off = level ? FA & (size - 1) : 0;
            if (i == 0) {
                vm_new(4);
                csr_write("satp", vm_satp(5));
                vm_flush();
            }
            u64 va = TVA + (u64)level * 0x40000000UL + off;
            volatile u64 *e = vm_pte(va, level);
            poke64(FA, 1000 + i);
            poke64(FB, 2000 + i);
            *e = pte_of(level ? FA & ~(size - 1) : FA, RWXAD);
            fence_kind(k, va, 5);
            check_return(names[k], run(MODE_S, f_ld, va, 0), 1000 + i);
            check_return(names[k], run(MODE_S, f_sd, va, 3000 + i), va);
            check("stored", peek64(FA), 3000 + i);
            if (!level) {
                *e = pte_of(FB, RWXAD);
                fence_kind(k, va, 5);
                check_return("remapped", run(MODE_S, f_ld, va, 0), 2000 + i);
            }
            *e &= ~PTE_W;
            fence_kind(k, va, 5);
            check_trap("write-protected", run(MODE_S, f_sd, va, 1), MODE_M, C_STORE_PAGE, va, (u64)f_sd);
            *e = 0;
            fence_kind(k, va, 5);
            check_trap("unmapped", run(MODE_S, f_ld, va, 0), MODE_M, C_LOAD_PAGE, va, (u64)f_ld);
        }
    vm_off();
}

/* A global page is seen under every ASID; a full fence removes it. */
static void globals(void)
{
    u64 root, other;

    section("global pages");
    vm_new(3);
    vm_map(TVA, FA, 0, RWXAD | PTE_G);
    root = vm_satp(1);
    u64 entry = *vm_pte(TVA, 2);
    volatile u64 *e = vm_pte(TVA, 0);
    vm_new(3);
    *vm_pte(TVA, 2) = entry; /* both roots share the subtree, as a kernel's do */
    other = vm_satp(2);
    poke64(FA, 41);
    poke64(FB, 42);
    for (int i = 0; i < 20; i++) {
        *e = pte_of(FA, RWXAD | PTE_G);
        csr_write("satp", root);
        vm_flush();
        check_return("first", run(MODE_S, f_ld, TVA, 0), 41);
        csr_write("satp", other);
        check_return("second", run(MODE_S, f_ld, TVA, 0), 41);
        *e = pte_of(FB, RWXAD | PTE_G);
        fence_kind(i & 1, TVA, 0); /* without an ASID: global entries too */
        check_return("second, changed", run(MODE_S, f_ld, TVA, 0), 42);
        csr_write("satp", root);
        check_return("first, changed", run(MODE_S, f_ld, TVA, 0), 42);
    }
    vm_off();
}

/* SUM and MXR act at once, no fence needed (3.1.6.3). */
static void toggles(void)
{
    section("SUM and MXR take effect at once");
    vm_new(3);
    vm_map(TVA, FA, 0, PTE_V | PTE_R | PTE_W | PTE_U | PTE_AD);
    vm_map(TVA + PAGE, FA, 0, PTE_V | PTE_X | PTE_AD);
    vm_on();
    poke64(FA, 7);
    for (int i = 0; i < 50; i++) {
        csr_clear("mstatus", MS_SUM | MS_MXR);
        check_trap("no SUM", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_PAGE, TVA, (u64)f_ld);
        check_trap("no MXR", run(MODE_S, f_ld, TVA + PAGE, 0), MODE_M, C_LOAD_PAGE, TVA + PAGE, (u64)f_ld);
        check_return("U", run_user(f_ld, TVA, 0), 7);
        csr_set("mstatus", MS_SUM);
        check_return("SUM", run(MODE_S, f_ld, TVA, 0), 7);
        csr_set("mstatus", MS_MXR);
        check_return("MXR", run(MODE_S, f_ld, TVA + PAGE, 0), 7);
        check_trap("MXR does not write", run(MODE_S, f_sd, TVA + PAGE, 0), MODE_M, C_STORE_PAGE, TVA + PAGE,
                   (u64)f_sd);
    }
    csr_clear("mstatus", MS_SUM | MS_MXR);
    vm_off();
}

/* M-mode accesses under MPRV use MPP's translation; fetches do not (3.1.6.3). */
u64 mprv_load(u64 va, u64 mpp);
u64 mprv_store(u64 va, u64 mpp);
asm(".pushsection .text\n .balign 4\n .globl mprv_load\n .globl mprv_store\n"
    "mprv_load: li t0, 0x1800\n csrc mstatus, t0\n csrs mstatus, a1\n li t1, 0x20000\n csrs mstatus, t1\n"
    " ld a0, 0(a0)\n csrc mstatus, t1\n ret\n"
    "mprv_store: li t0, 0x1800\n csrc mstatus, t0\n csrs mstatus, a1\n li t1, 0x20000\n csrs mstatus, t1\n"
    " sd a0, 0(a0)\n csrc mstatus, t1\n ret\n .popsection");

static void mprv(void)
{
    section("MPRV");
    vm_new(3);
    vm_map(TVA, FA, 0, PTE_V | PTE_R | PTE_AD);
    vm_map(TVA + PAGE, FB, 0, PTE_V | PTE_R | PTE_W | PTE_U | PTE_AD);
    vm_on();
    poke64(FA, 31);
    poke64(FB, 32);
    for (int i = 0; i < 30; i++) {
        check_return("as S", run(MODE_M, mprv_load, TVA, 1UL << 11), 31);
        check_return("as U", run(MODE_M, mprv_load, TVA + PAGE, 0), 32);
        struct trap t = run(MODE_M, mprv_load, TVA, 0);
        check("as U of an S page", t.by ? t.cause : 0, C_LOAD_PAGE);
        check("tval", t.tval, TVA);
        check("MPP after the trap is M", t.status >> 11 & 3, 3);
        check("MPRV stays", t.status >> 17 & 1, 1);
        t = run(MODE_M, mprv_load, TVA + PAGE, 1UL << 11);
        check("as S of a U page", t.by ? t.cause : 0, C_LOAD_PAGE);
        t = run(MODE_M, mprv_store, TVA, 1UL << 11);
        check("store as S", t.by ? t.cause : 0, C_STORE_PAGE);
        check_return("as M: physical", run(MODE_M, mprv_load, FA, 3UL << 11), 31);
    }
    vm_off();
    /* mret to a mode below M clears it, mret to M keeps it (3.1.6.3) */
    csr_set("mstatus", MS_MPRV);
    struct trap t = run(MODE_S, f_ecall, 0, 0);
    gap_begin("3.1.6.3; QEMU 7.2 keeps MPRV");
    check("mret to S clears MPRV", t.status >> 17 & 1, 0);
    gap_end();
    csr_set("mstatus", MS_MPRV);
    t = run(MODE_M, f_ecall, 0, 0);
    check("mret to M keeps MPRV", t.status >> 17 & 1, 1);
}

/* 64 KiB NAPOT pages: ppn[0] ends in 1000; other patterns are reserved (Svnapot, chapter 11). */
static void napot(void)
{
    u64 base = FA, at;

    section("Svnapot");
    vm_new(3);
    vm_on();
    for (u64 i = 0; i < 16; i++)
        poke64(base + i * PAGE + 16, 500 + i);
    vm_map(TVA, base + 8 * PAGE, 0, RWXAD | PTE_N);
    vm_flush();
    if (!need("Svnapot", run(MODE_S, f_ld, TVA + 16, 0).by == 0)) {
        vm_off();
        return;
    }
    for (u64 i = 0; i < 16; i++)
        vm_map(TVA + i * PAGE, base + 8 * PAGE, 0, RWXAD | PTE_N);
    vm_flush();
    for (u64 k = 0; k < 3; k++)
        for (u64 i = 0; i < 16; i++)
            check_return("load", run(MODE_S, f_ld, TVA + i * PAGE + 16, 0), 500 + i);
    for (u64 low = 0; low < 16; low++) {
        if (low == 8)
            continue;
        at = TVA + 0x20000;
        vm_map(at, base + low * PAGE, 0, RWXAD | PTE_N);
        vm_flush();
        check_trap("reserved size", run(MODE_S, f_ld, at, 0), MODE_M, C_LOAD_PAGE, at, (u64)f_ld);
    }
    at = TVA + 0x40000000;
    vm_map(at, 0x83000000 + 8 * PAGE, 1, RWXAD | PTE_N);
    vm_flush();
    check_trap("on a superpage", run(MODE_S, f_ld, at, 0), MODE_M, C_LOAD_PAGE, at, (u64)f_ld);
    vm_off();
}

static void pbmt(void)
{
    section("Svpbmt");
    vm_new(3);
    vm_on();
    poke64(FA, 64);
    csr_set("menvcfg", MENVCFG_PBMTE);
    if (!need("menvcfg.PBMTE", !!(csr_read("menvcfg") & MENVCFG_PBMTE)))
        goto out;
    for (u64 t = 0; t < 4; t++) {
        vm_map(TVA, FA, 0, RWXAD | t << 61);
        vm_flush();
        struct trap r = run(MODE_S, f_ld, TVA, 0);
        gap_begin(t == 3 ? "chapter 12: type 3 is reserved; QEMU 7.2 takes it" : 0);
        check("type", r.by ? r.cause : 0, t == 3 ? C_LOAD_PAGE : 0);
        if (t < 3)
            check("value", r.a0, 64);
        u64 at = TVA + 0x40000000;
        vm_map(at, 0x83000000, 1, RWXAD | t << 61);
        vm_flush();
        r = run(MODE_S, f_ld, at, 0);
        check("type on a superpage", r.by ? r.cause : 0, t == 3 ? C_LOAD_PAGE : 0);
    }
    gap_end();
    vm_map(TVA, FA, 0, RWXAD);
    *vm_pte(TVA, 1) |= PTE_NC;
    vm_flush();
    check_trap("on a pointer", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_PAGE, TVA, (u64)f_ld);
    csr_clear("menvcfg", MENVCFG_PBMTE);
    *vm_pte(TVA, 1) &= ~PTE_NC;
    vm_map(TVA, FA, 0, RWXAD | PTE_NC);
    vm_flush();
    gap_begin("chapter 12: reserved while PBMTE is 0; QEMU 7.2 has no PBMTE");
    check_trap("off again", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_PAGE, TVA, (u64)f_ld);
out:
    csr_clear("menvcfg", MENVCFG_PBMTE);
    vm_off();
}

/* Two virtual pages side by side whose frames are apart: the access must be split; a fault names its own
 * part. */
static void across_pages(void)
{
    static void (*const load[])(u64, u64) = {f_lh, f_lw, f_ld};
    static void (*const store[])(u64, u64) = {f_sh, f_sw, f_sd};
    u64 second = TVA + PAGE;

    section("misaligned accesses across pages");
    for (u64 k = 0; k < 3; k++)
        for (u64 o = 1; o < 2UL << k; o++) {
            u64 n = 2UL << k, va = second - o;
            vm_new(3);
            vm_map(TVA, FA, 0, RWXAD);
            vm_map(second, FB, 0, RWXAD);
            vm_on();
            for (u64 i = 0; i < 16; i++) {
                poke8(FA + PAGE - 16 + i, (u8)(0x10 + i));
                poke8(FB + i, (u8)(0x20 + i));
            }
            u64 want = 0;
            for (u64 i = 0; i < n; i++)
                want |= (u64)(i < o ? 0x20 - o + i : 0x20 + i - o) << 8 * i;
            for (int i = 0; i < 3; i++)
                check_return("load", run(MODE_S, load[k], va, 0), want);
            check_return("store", run(MODE_S, store[k], va, 0xf8f7f6f5f4f3f2f1), va);
            for (u64 i = 0; i < n; i++)
                check("byte", peek8(i < o ? FA + PAGE - o + i : FB + i - o), 0xf1 + i);
            check("byte before", peek8(FA + PAGE - o - 1), 0x20 - o - 1);
            check("byte behind", peek8(FB + n - o), 0x20 + n - o);
            /* second page read-only, then absent; then the first */
            for (int step = 0; step < 3; step++) {
                u64 before = 0x7777777777777777;
                poke64(FA + PAGE - 8, before);
                poke64(FB, before);
                vm_map(TVA, FA, 0, step == 2 ? PTE_V | PTE_R | PTE_AD : RWXAD);
                vm_map(second, FB, 0, step == 0 ? PTE_V | PTE_R | PTE_AD : step == 1 ? 0 : RWXAD);
                vm_flush();
                u64 bad = step == 2 ? va : second;
                check_trap("store fault", run(MODE_S, store[k], va, 1), MODE_M, C_STORE_PAGE, bad,
                           (u64)store[k]);
                check("nothing stored in the first", peek64(FA + PAGE - 8), before);
                check("nothing stored in the second", peek64(FB), before);
                if (step == 1)
                    check_trap("load fault", run(MODE_S, load[k], va, 1), MODE_M, C_LOAD_PAGE, second,
                               (u64)load[k]);
            }
            vm_off();
        }
}

/* One instruction, many addresses: every other byte of two pages side by side. */
#define SWEEP(name, load, store)                                                                             \
    static u64 load_##name(u64 at, u64 end)                                                                  \
    {                                                                                                        \
        u64 r = 0, v;                                                                                        \
        for (; at < end; at += 2) {                                                                          \
            asm volatile(load " %0, (%1)" : "=r"(v) : "r"(at) : "memory");                                   \
            r = r * 31 + v;                                                                                  \
        }                                                                                                    \
        return r;                                                                                            \
    }                                                                                                        \
    static u64 store_##name(u64 at, u64 end)                                                                 \
    {                                                                                                        \
        for (; at < end; at += 2)                                                                            \
            asm volatile(store " %0, (%1)" ::"r"(at * 0x9e3779b97f4a7c15UL), "r"(at) : "memory");            \
        return 0;                                                                                            \
    }
SWEEP(2, "lhu", "sh")
SWEEP(4, "lwu", "sw")
SWEEP(8, "ld", "sd")

static u8 both[2 * PAGE];

static u64 frame_of(u64 offset)
{
    return offset < PAGE ? FA + offset : FB + offset - PAGE;
}

/* What has just served the first page does not serve what begins there and ends in the second. */
static void sweep_across_pages(void)
{
    static u64 (*const load[])(u64, u64) = {load_2, load_4, load_8};
    static u64 (*const store[])(u64, u64) = {store_2, store_4, store_8};

    section("one instruction on and across two pages");
    for (u64 k = 0; k < 3; k++) {
        u64 n = 2UL << k, first = k + 1, last = 2 * PAGE - n, want = 0;

        vm_new(3);
        vm_map(TVA, FA, 0, RWXAD);
        vm_map(TVA + PAGE, FB, 0, RWXAD);
        vm_on();
        for (u64 i = 0; i < 2 * PAGE; i++) {
            both[i] = (u8)(i * 37 + (i >> 8));
            poke8(frame_of(i), both[i]);
        }
        for (u64 i = 0; i < PAGE; i += 8) /* behind the first frame */
            poke64(FA + PAGE + i, 0);
        for (u64 i = first; i < last; i += 2) {
            u64 v = 0;
            for (u64 b = 0; b < n; b++)
                v |= (u64)both[i + b] << 8 * b;
            want = want * 31 + v;
        }
        for (int i = 0; i < 60; i++) /* often enough to be compiled */
            check_return("loads", run(MODE_S, load[k], TVA + first, TVA + last), want);
        for (u64 i = first; i < last; i += 2)
            for (u64 b = 0; b < n; b++)
                both[i + b] = (u8)((TVA + i) * 0x9e3779b97f4a7c15UL >> 8 * b);
        for (int i = 0; i < 60; i++)
            check_return("stores", run(MODE_S, store[k], TVA + first, TVA + last), 0);
        u64 wrong = 0;
        for (u64 i = 0; i < 2 * PAGE; i++)
            wrong += peek8(frame_of(i)) != both[i];
        check("bytes that differ", wrong, 0);
        for (u64 i = 0; i < PAGE; i += 8)
            wrong += peek64(FA + PAGE + i) != 0;
        check("words changed behind the first frame", wrong, 0);
        vm_off();
    }
}

static void fetch_across(void)
{
    u64 va = TVA + PAGE - 2, second = TVA + PAGE;

    section("an instruction across two pages");
    vm_new(3);
    vm_map(TVA, FA, 0, RWXAD);
    vm_map(second, FB, 0, RWXAD);
    vm_on();
    for (u32 i = 0; i < 40; i++) {
        u32 w = INSN_LI_A0(i + 5);
        u64 b = i & 1 ? FB : FB + PAGE; /* the second half comes from two frames in turn */
        poke16(FA + PAGE - 2, (u16)w);
        poke16(b, (u16)(w >> 16));
        poke32(b + 2, INSN_RET);
        fence_i();
        vm_map(second, b, 0, RWXAD);
        vm_flush();
        check_return("runs", run(MODE_S, f_jump, va, 0), i + 5);
        check_return("runs again", run(MODE_S, f_jump, va, 0), i + 5);
        vm_map(second, b, 0, 0);
        vm_flush();
        check_trap("second absent: epc the first, tval the second", run(MODE_S, f_jump, va, 0), MODE_M,
                   C_FETCH_PAGE, second, va);
        vm_map(second, b, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
        vm_flush();
        check_trap("second not executable", run(MODE_S, f_jump, va, 0), MODE_M, C_FETCH_PAGE, second, va);
        vm_map(TVA, FA, 0, 0);
        vm_map(second, b, 0, RWXAD);
        vm_flush();
        check_trap("first absent", run(MODE_S, f_jump, va, 0), MODE_M, C_FETCH_PAGE, va, va);
        vm_map(TVA, FA, 0, RWXAD);
        vm_flush();
    }
    /* a compressed one at the end needs no second page, what follows it does */
    poke16(FA + PAGE - 2, 0x4515); /* c.li a0, 5 */
    fence_i();
    vm_map(second, FB, 0, 0);
    vm_flush();
    check_trap("runs into the absent page", run(MODE_S, f_jump, va, 0), MODE_M, C_FETCH_PAGE, second, second);
    poke16(FA + PAGE - 2, 0x8082); /* c.ret */
    fence_i();
    check_return("compressed at the end", run(MODE_S, f_jump, va, 0), va);
    vm_off();
}

/* Code seen through a mapping that changes: other frame, other permission, other mode. */
static void remapped_code(void)
{
    section("code under changing mappings");
    vm_new(3);
    vm_on();
    poke32(FA, INSN_LI_A0(1));
    poke32(FA + 4, INSN_RET);
    poke32(FB, INSN_LI_A0(2));
    poke32(FB + 4, INSN_RET);
    fence_i();
    for (int i = 0; i < 100; i++) {
        vm_map(TVA, i & 1 ? FB : FA, 0, RWXAD);
        fence_kind((u64)i & 1, TVA, 0);
        check_return("frame", run(MODE_S, f_jump, TVA, 0), i & 1 ? 2 : 1);
        check_return("frame again", run(MODE_S, f_jump, TVA, 0), i & 1 ? 2 : 1);
        vm_map(TVA, FA, 0, RWXAD | PTE_U);
        vm_flush();
        check_trap("U page in S", run(MODE_S, f_jump, TVA, 0), MODE_M, C_FETCH_PAGE, TVA, TVA);
        check_return("U page in U", run_user(f_jump, TVA, 0), 1);
        vm_map(TVA, FA, 0, PTE_V | PTE_R | PTE_AD);
        vm_flush();
        check_trap("X gone", run(MODE_S, f_jump, TVA, 0), MODE_M, C_FETCH_PAGE, TVA, TVA);
        check_trap("X gone in U", run_user(f_jump, TVA, 0), MODE_M, C_FETCH_PAGE, TVA, TVA);
    }
    /* two virtual pages, one frame: a store through one, execution through the other */
    vm_map(TVA, FA, 0, RWXAD);
    vm_map(TVA + PAGE, FA, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
    vm_flush();
    for (u32 i = 0; i < 200; i++) {
        run(MODE_S, f_sw, TVA + PAGE, INSN_LI_A0(i));
        fence_i();
        check_return("alias", run(MODE_S, f_jump, TVA, 0), i);
    }
    vm_off();
}

/* Many pages, a power of two apart: more at the same places of a TLB than it has ways. */
static void many(void)
{
    section("many pages");
    vm_new(3);
    for (u64 i = 0; i < 1024; i++) {
        poke64(SCRATCH + 0x400000 + i * PAGE, i * 3);
        for (u64 k = 0; k < 4; k++)
            vm_map(TVA + k * 0x2000000 + i * PAGE, SCRATCH + 0x400000 + (i + k * 256) % 1024 * PAGE, 0,
                   RWXAD);
    }
    vm_on();
    for (u64 n = 0; n < 1500; n++) {
        u64 i = n * 389 & 1023;

        for (u64 k = 0; k < 4; k++)
            check_return("page", run(MODE_S, f_ld, TVA + k * 0x2000000 + i * PAGE, 0),
                         (i + k * 256) % 1024 * 3);
    }
    vm_off();
}

void test_main(void)
{
    satp_fields();
    asids();
    fences();
    globals();
    toggles();
    mprv();
    napot();
    pbmt();
    across_pages();
    sweep_across_pages();
    fetch_across();
    remapped_code();
    many();
}
