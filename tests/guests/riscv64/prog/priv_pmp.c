/* Physical memory protection (Priv. 3.7): matching, order, locking, grain, walks; fetches too. */
#include "vm.h"

#define R       1UL
#define W       2UL
#define X       4UL
#define TOR     (1UL << 3)
#define NA4     (2UL << 3)
#define NAPOT   (3UL << 3)
#define LOCK    0x80UL
#define AREA    (SCRATCH + 0x100000) /* 64 KiB under test */
#define ENTRIES 16

static u64 grain_bits; /* G of 3.7.1: the least region is 4 << G bytes, NA4 is there for G = 0 only */
static u64 k = 1;      /* offsets below are of regions of 8 bytes: times k where regions are larger */

static void grain_find(void)
{
    csr_clear("pmpcfg0", 0xff);
    csr_write("pmpaddr0", ~0UL);
    for (u64 v = csr_read("pmpaddr0"); !(v & 1); v >>= 1)
        grain_bits++;
    k = grain_bits ? (4UL << grain_bits) / 8 : 1;
    csr_write("pmpaddr0", 0);
}

static void addr_write(u64 i, u64 v)
{
    switch (i) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        csr_write("pmpaddr" #n, v);                                                                          \
        break;
        CASE(0)
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15)
    }
}

static u64 addr_read(u64 i)
{
    switch (i) {
#undef CASE
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        return csr_read("pmpaddr" #n);
        CASE(0)
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15)
    }
    return 0;
}

static u64 cfg_read(u64 i)
{
    u64 v = i < 8 ? csr_read("pmpcfg0") : csr_read("pmpcfg2");

    return v >> 8 * (i & 7) & 0xff;
}

static void cfg_write(u64 i, u64 cfg)
{
    u64 sh = 8 * (i & 7), m = 0xffUL << sh;

    if (i < 8)
        csr_write("pmpcfg0", (csr_read("pmpcfg0") & ~m) | cfg << sh);
    else
        csr_write("pmpcfg2", (csr_read("pmpcfg2") & ~m) | cfg << sh);
    vm_flush(); /* 3.7.2 wants it after a change where translations may be cached */
}

static void entry(u64 i, u64 cfg, u64 addr)
{
    cfg_write(i, 0);
    addr_write(i, addr);
    cfg_write(i, cfg);
}

static u64 napot(u64 base, u64 size)
{
    return base >> 2 | ((size >> 3) - 1);
}

/* Entries 0 to 14 off, the last one opens everything. */
static void reset(void)
{
    entry(ENTRIES - 1, R | W | X | NAPOT, ~0UL >> 10);
    for (u64 i = 0; i < ENTRIES - 1; i++) {
        cfg_write(i, 0);
        addr_write(i, 0);
    }
}

static void expect(const char *what, enum mode m, u64 at, u64 rights)
{
    poke32(at, INSN_LI_A0(9)); /* M is not bound in these tests */
    poke32(at + 4, INSN_RET);
    fence_i();
    u64 v = (u64)INSN_RET << 32 | INSN_LI_A0(9);
    struct trap t = run(m, f_ld, at, 0);
    if (rights & R)
        check_return(what, t, v);
    else
        check_trap(what, t, MODE_M, C_LOAD_ACCESS, at, (u64)f_ld);
    t = run(m, f_jump, at, 0);
    if (rights & X)
        check_return(what, t, 9);
    else
        check_trap(what, t, MODE_M, C_FETCH_ACCESS, at, at);
    t = run(m, f_sd, at, 1);
    if (rights & W) {
        check_return(what, t, at);
        check(what, peek64(at), 1);
    } else {
        check_trap(what, t, MODE_M, C_STORE_ACCESS, at, (u64)f_sd);
        check(what, peek64(at), v);
    }
    gap_begin("3.7.1, 3.1.15: AMOs raise store faults; QEMU 7.2 loads first");
    if (!(rights & W))
        check_trap(what, run(m, f_amo, at, 1), MODE_M, C_STORE_ACCESS, at, (u64)f_amo);
    gap_end();
}

static void registers(void)
{
    u64 off = ~((1UL << grain_bits) - 1), ones = grain_bits > 1 ? (1UL << (grain_bits - 1)) - 1 : 0;
    u64 some = 0x123456789abcd000 & ~0UL >> 10;

    section("pmp registers");
    note("grain G (least region 4 << G bytes)", grain_bits);
    reset();
    for (u64 i = 0; i < ENTRIES - 1; i++) {
        addr_write(i, ~0UL);
        gap_begin("3.7.1: bits 63:54 are zero; QEMU 7.2 keeps them");
        check("54 address bits", addr_read(i), ~0UL >> 10 & off);
        gap_end();
        addr_write(i, some | 0x5a5);
        check("address", addr_read(i), (some | 0x5a5) & off);
        cfg_write(i, R | NAPOT);
        check("address as NAPOT", addr_read(i), (some | 0x5a5) | ones);
        cfg_write(i, R | X | TOR);
        check("address as TOR", addr_read(i), (some | 0x5a5) & off);
        check("configuration", cfg_read(i), R | X | TOR);
        gap_begin("3.7.1: bits 6:5 are zero, W without R is reserved; QEMU 7.2 keeps both");
        cfg_write(i, R | 0x60);
        check("bits 6:5 are zero", cfg_read(i), R);
        cfg_write(i, W | NAPOT);
        check_true("W without R is not kept", (cfg_read(i) & (R | W)) != W);
        cfg_write(i, NA4);
        if (grain_bits)
            check_true("no NA4 with a larger grain", (cfg_read(i) & NAPOT) != NA4);
        gap_end();
        cfg_write(i, 0);
    }
    check("pmpcfg1 does not exist", run(MODE_M, code_one(INSN_CSRR(0x3a1, 10)), 0, 0).cause, C_ILLEGAL);
    check("pmpcfg3 does not exist", run(MODE_M, code_one(INSN_CSRR(0x3a3, 10)), 0, 0).cause, C_ILLEGAL);
    check("not for S", run(MODE_S, code_one(INSN_CSRR(0x3a0, 10)), 0, 0).cause, C_ILLEGAL);
}

static void rights(void)
{
    section("rights of one region");
    for (u64 p = 0; p < 8; p++) {
        if ((p & (R | W)) == W)
            continue;
        reset();
        entry(0, p | NAPOT, napot(AREA, 4096));
        for (int m = 0; m < 2; m++) {
            expect("inside", (enum mode)m, AREA + 64, p);
            expect("last bytes", (enum mode)m, AREA + 4088, p);
            expect("before", (enum mode)m, AREA - 8, R | W | X);
            expect("behind", (enum mode)m, AREA + 4096, R | W | X);
        }
        check_return("M is not bound", run(MODE_M, f_sd, AREA, 5), AREA);
        check("M stored", peek64(AREA), 5);
    }
}

static void none(void)
{
    section("no entry matches");
    reset();
    /* everything but the area: TOR below and above */
    entry(0, R | W | X | TOR, AREA >> 2);
    entry(1, TOR, (AREA + 4096) >> 2);
    cfg_write(1, 0);
    entry(2, 0, (AREA + 4096) >> 2);
    entry(3, R | W | X | TOR, ~0UL >> 10);
    cfg_write(ENTRIES - 1, 0);
    expect("S", MODE_S, AREA, 0);
    expect("U", MODE_U, AREA + 100 * 8, 0);
    expect("below", MODE_S, AREA - 8, R | W | X);
    expect("above", MODE_U, AREA + 4096, R | W | X);
    check_return("M is allowed", run(MODE_M, f_sd, AREA, 5), AREA);
    reset();
}

static void na4(void)
{
    reset();
    entry(0, NA4, (AREA + 4) >> 2);
    check("NA4 inside", run(MODE_S, f_lw, AREA + 4, 0).cause, C_LOAD_ACCESS);
    check("NA4 byte inside", run(MODE_S, f_lb, AREA + 7, 0).cause, C_LOAD_ACCESS);
    check("NA4 before", run(MODE_S, f_lw, AREA, 0).by, 0);
    check("NA4 behind", run(MODE_S, f_lw, AREA + 8, 0).by, 0);
    check("NA4 half covered", run(MODE_S, f_ld, AREA, 0).cause, C_LOAD_ACCESS);
    reset();
    entry(0, R | W | X | NA4, AREA >> 2);
    check("double half in NA4", run(MODE_S, f_ld, AREA, 0).cause, C_LOAD_ACCESS);
    check("store double half in NA4", run(MODE_S, f_sd, AREA, 0).cause, C_STORE_ACCESS);
    check("its word", run(MODE_S, f_lw, AREA, 0).by, 0);
    check("M is not bound by it, unlocked", run(MODE_M, f_lw, AREA, 0).by, 0);
}

static void ranges(void)
{
    static const u64 sizes[] = {8, 16, 64, 2048, 4096, 8192, 32768};

    section("NAPOT, NA4, TOR ranges");
    for (u64 i = 0; i < COUNT(sizes); i++) {
        if (sizes[i] < 8 * k)
            continue;
        reset();
        u64 base = AREA + (sizes[i] < 32768 ? sizes[i] * 2 : 0);
        entry(0, R | NAPOT, napot(base, sizes[i]));
        expect("NAPOT first", MODE_S, base, R);
        expect("NAPOT last", MODE_S, base + sizes[i] - 8, R);
        expect("NAPOT before", MODE_S, base - 8, 7);
        expect("NAPOT behind", MODE_S, base + sizes[i], 7);
    }
    if (!grain_bits)
        na4();
    reset();
    entry(0, 0, (AREA + 8 * k) >> 2);
    entry(1, R | X | TOR, (AREA + 24 * k) >> 2);
    expect("TOR before", MODE_S, AREA + 8 * k - 8, 7);
    expect("TOR first", MODE_S, AREA + 8 * k, R | X);
    expect("TOR last", MODE_U, AREA + 24 * k - 8, R | X);
    expect("TOR behind", MODE_S, AREA + 24 * k, 7);
    entry(1, TOR, AREA >> 2); /* upper below lower: matches nothing */
    expect("empty TOR", MODE_S, AREA, 7);
    expect("empty TOR at its top", MODE_S, AREA + 8 * k, 7);
    reset();
    entry(0, R | W | X | TOR, AREA >> 2); /* entry 0's range starts at 0 */
    entry(1, R | TOR, (AREA + 64 * k) >> 2);
    expect("TOR from zero", MODE_S, AREA - 8, 7);
    expect("TOR from the entry before, whatever its mode", MODE_S, AREA, R);
    expect("TOR behind both", MODE_S, AREA + 64 * k, 7);
    reset();
}

static void priority(void)
{
    section("lowest numbered entry decides; partial matches");
    reset();
    entry(0, R | NAPOT, napot(AREA, 16 * k));
    entry(1, R | W | X | NAPOT, napot(AREA, 64 * k));
    entry(2, NAPOT, napot(AREA, 256 * k));
    expect("first", MODE_S, AREA, R);
    expect("second", MODE_S, AREA + 16 * k, 7);
    expect("third", MODE_S, AREA + 64 * k, 0);
    expect("last", MODE_S, AREA + 256 * k, 7);
    /* an access across the end of a region of lower number fails even where both allow, unless it is
       misaligned and the hart splits it (3.7.1) */
    reset();
    entry(0, R | W | X | NAPOT, napot(AREA, 16 * k));
    check("up to the end", run(MODE_S, f_lw, AREA + 16 * k - 4, 0).by, 0);
    struct trap t = run(MODE_S, f_ld, AREA + 16 * k - 4, 0);
    check_true("misaligned across: split or refused", t.by == 0 || t.cause == C_LOAD_ACCESS);
    reset();
}

/* Changing entries must be seen, also with regions much smaller than a page. */
static void changes(void)
{
    section("changes are seen at once");
    for (int i = 0; i < 60; i++) {
        u64 at = AREA + 8 * k * (u64)(i % 32);
        reset();
        entry((u64)i & 7, (i & 1 ? R : 0) | NAPOT, napot(at, 8 * k));
        struct trap t = run(MODE_S, f_ld, at, 0);
        check("load", t.by ? t.cause : 0, i & 1 ? 0 : C_LOAD_ACCESS);
        t = run(MODE_S, f_sd, at, 1);
        check("store", t.by ? t.cause : 0, C_STORE_ACCESS);
        check("neighbour", run(MODE_S, f_sd, at + 8 * k, 1).by, 0);
        check("neighbour below", run(MODE_S, f_ld, at - 8, 1).by, 0);
    }
    reset();
}

static void translated(void)
{
    section("with translation and MPRV");
    reset();
    vm_new(3);
    u64 page = AREA + 0x4000;
    vm_map(TVA, page, 0, PTE_V | PTE_RWX | PTE_AD);
    u64 leaf_table = *vm_pte(TVA, 1) >> 10 << 12;
    vm_on();
    entry(0, R | NAPOT, napot(page, 4096));
    check("load", run(MODE_S, f_ld, TVA, 0).by, 0);
    check_trap("store", run(MODE_S, f_sd, TVA + 16, 0), MODE_M, C_STORE_ACCESS, TVA + 16, (u64)f_sd);
    check_trap("fetch", run(MODE_S, f_jump, TVA, 0), MODE_M, C_FETCH_ACCESS, TVA, TVA);
    entry(0, X | NAPOT, napot(page, 4096));
    check_trap("load", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_ACCESS, TVA, (u64)f_ld);
    /* the walk's own reads are S accesses and need R; the fault is of the original kind (3.7.2) */
    entry(0, NAPOT, napot(leaf_table, 4096));
    vm_flush();
    gap_begin("3.7.2, 10.3.2 step 2: access fault; QEMU 7.2 page fault for some");
    check_trap("walk, load", run(MODE_S, f_ld, TVA, 0), MODE_M, C_LOAD_ACCESS, TVA, (u64)f_ld);
    check_trap("walk, store", run(MODE_S, f_sd, TVA, 0), MODE_M, C_STORE_ACCESS, TVA, (u64)f_sd);
    check_trap("walk, fetch", run(MODE_S, f_jump, TVA, 0), MODE_M, C_FETCH_ACCESS, TVA, TVA);
    gap_end();
    vm_off();
    /* two pages, the second refused: nothing is stored */
    reset();
    entry(0, R | NAPOT, napot(AREA + 4096, 4096));
    poke64(AREA + 4088, 3);
    poke64(AREA + 4096, 4);
    struct trap t = run(MODE_S, f_sd, AREA + 4092, ~0UL);
    check("store across, second refused", t.cause, C_STORE_ACCESS);
    check("nothing stored first", peek64(AREA + 4088), 3);
    check("nothing stored second", peek64(AREA + 4096), 4);
    reset();
}

static void locked(void)
{
    section("locked entries bind M and stay");
    reset();
    u64 at = AREA + 0x80000;
    entry(4, R | NAPOT | LOCK, napot(at, 16 * k));
    check("M load", run(MODE_M, f_ld, at, 0).by, 0);
    check_trap("M store", run(MODE_M, f_sd, at, 0), MODE_M, C_STORE_ACCESS, at, (u64)f_sd);
    check_trap("M fetch", run(MODE_M, f_jump, at, 0), MODE_M, C_FETCH_ACCESS, at, at);
    check("M store beside", run(MODE_M, f_sd, at + 16 * k, 0).by, 0);
    cfg_write(4, R | W | X | NAPOT);
    check("configuration stays", cfg_read(4), R | NAPOT | LOCK);
    addr_write(4, 0);
    check("address stays", addr_read(4), napot(at, 16 * k));
    cfg_write(3, R | W | X);
    check("the one before is free", cfg_read(3), R | W | X);
    cfg_write(3, 0);
    /* a locked TOR entry locks the address before it too, not its configuration */
    addr_write(5, (at + 64 * k) >> 2);
    entry(6, TOR | R | LOCK, (at + 128 * k) >> 2);
    addr_write(5, 0);
    check("address below a locked TOR stays", addr_read(5), (at + 64 * k) >> 2);
    cfg_write(5, R);
    check("its configuration is free", cfg_read(5), R);
    cfg_write(5, 0);
    check("M store in the locked TOR", run(MODE_M, f_sd, at + 64 * k, 0).cause, C_STORE_ACCESS);
    check("M store below it", run(MODE_M, f_sd, at + 64 * k - 8, 0).by, 0);
    /* an unlocked entry of lower number still decides, and M passes it */
    entry(0, NAPOT, napot(at, 16 * k));
    check("lower unlocked entry: M passes", run(MODE_M, f_sd, at, 0).by, 0);
    check("S does not", run(MODE_S, f_ld, at, 0).cause, C_LOAD_ACCESS);
    cfg_write(0, 0);
    check("again bound", run(MODE_M, f_sd, at, 0).cause, C_STORE_ACCESS);
}

void test_main(void)
{
    grain_find();
    reset();
    registers();
    rights();
    none();
    ranges();
    priority();
    changes();
    translated();
    locked();
}
