/* Self-hosted debug (D2): breakpoints, watchpoints, software step, what they depend on and what they say. */
#include "mmu.h"

#define AT(label)                                                                                            \
    ({                                                                                                       \
        extern char label[];                                                                                 \
        (u64) label;                                                                                         \
    })

#define SS        (1UL << 21)
#define MDSCR_SS  1UL
#define MDSCR_KDE (1UL << 13)
#define MDSCR_MDE (1UL << 15)
/* DBGBCR, DBGWCR: enabled, at EL0 (2), EL1 (1) or both (3), for all bytes */
#define EL0      (2UL << 1)
#define EL1      (1UL << 1)
#define BREAK    (1UL | 15UL << 5)
#define LINKED   (1UL << 20)
#define LBN(n)   ((u64)(n) << 16)
#define CONTEXT  (3UL << 20)
#define LOADS    (1UL << 3)
#define STORES   (2UL << 3)
#define BYTES(m) ((u64)(m) << 5)
#define MASK(n)  ((u64)(n) << 24)
#define SPIN     16 /* often enough that it is compiled */

#define ESR_STEP(el, ex)   ESR(0x32 + (el), 1 << 24 | (ex) << 6 | 0x22)
#define ESR_BREAK(el)      ESR(0x30 + (el), 0x22)
#define ESR_WATCH(el, wnr) ESR(0x34 + (el), (wnr) << 6 | 0x22)
#define ESR_ABORT(el, iss) ESR(0x24 + (el), iss)

__asm__(".text\n"
        "two: add x0, x0, #1\n"
        "two_next: add x0, x0, #1\n"
        "two_end: svc #2\n"
        "call: svc #0x77\n"
        "call_end: nop\n"
        "load: ldr x1, [x0]\n"
        "load_end: svc #3\n"
        "store: str w1, [x0]\n"
        "store_end: svc #4\n"
        "exclusive: ldxr x1, [x0]\n"
        "exclusive_end: clrex\n svc #5\n"
        "atomic: ldadd w1, w2, [x0]\n"
        "atomic_end: svc #6\n"
        "pair: stp x1, x2, [x0]\n"
        "pair_end: svc #7\n"
        "zero: dc zva, x0\n"
        "zero_end: svc #8\n"
        "user: ldtr x1, [x0]\n"
        "user_end: svc #10\n"
        "jump: br x0\n"
        "spin: mov x1, #"
        "0x4000\n"
        "spin_loop: subs x1, x1, #1\n"
        "b.ne spin_loop\n"
        "spin_end: svc #9\n");

static u64 words[32] __attribute__((aligned(256)));

static void expect(u64 esr, u64 elr)
{
    check("ESR", last.esr, esr);
    check("ELR", last.elr, elr);
}

static void go(u64 pc, u64 x0, u64 spsr)
{
    try_begin((u64)run_exit);
    run(pc, x0, 0, spsr);
}

static void off(void)
{
    WRITE(mdscr_el1, 0);
    WRITE(dbgbcr0_el1, 0);
    WRITE(dbgbcr4_el1, 0);
    WRITE(dbgbcr5_el1, 0);
    WRITE(dbgwcr0_el1, 0);
    WRITE(dbgwcr1_el1, 0);
    WRITE(contextidr_el1, 0);
}

/* ---- software step (D2.12) ---- */

static void step(void)
{
    section("software step: one instruction, and none");
    WRITE(mdscr_el1, MDSCR_SS);
    go(AT(two), 0, SPSR_EL0 | SS);
    expect(ESR_STEP(0, 0), AT(two_next));
    check("SPSR", last.spsr, SPSR_EL0);
    check("vector", last.vector, 0x400);
    go(AT(two), 0, SPSR_EL0); /* active-pending at once: no instruction was stepped, ISV 0 (D2.12.6) */
    expect(ESR(0x32, 0x22), AT(two));

    section("software step over SVC, a load-exclusive, to EL1");
    go(AT(call), 0, SPSR_EL0 | SS);
    expect(ESR(0x15, 0x77), AT(call_end));
    check("SPSR", last.spsr, SPSR_EL0); /* done: its step is over */
    go(AT(exclusive), (u64)words, SPSR_EL0 | SS);
    expect(ESR_STEP(0, 1), AT(exclusive_end));
    WRITE(mdscr_el1, MDSCR_SS | MDSCR_KDE);
    go(AT(two), 0, (SPSR_EL1T | SS) & ~0x200UL);
    expect(ESR_STEP(1, 0), AT(two_next));
    check("SPSR", last.spsr, SPSR_EL1T & ~0x200UL);
    go(AT(two), 0, SPSR_EL1T | SS); /* masked by PSTATE.D */
    expect(ESR(0x15, 2), AT(call));
    WRITE(mdscr_el1, MDSCR_SS);
    go(AT(two), 0, (SPSR_EL1T | SS) & ~0x200UL); /* without KDE */
    expect(ESR(0x15, 2), AT(call));
}

/* An instruction with an exception of its own did not step: SPSR.SS stays for its return. */
static void step_faults(void)
{
    section("software step of what faults");
    WRITE(mdscr_el1, MDSCR_SS);
    map_page(WINDOW, 0, UNMAPPED);
    go(AT(load), WINDOW, SPSR_EL0 | SS);
    expect(ESR_ABORT(0, 7), AT(load));
    check("SPSR", last.spsr, SPSR_EL0 | SS);
    go(AT(two) + 1024 * 1024 * 64, 0, SPSR_EL0 | SS); /* zeros: undefined */
    check("class", last.esr >> 26, 0);
    check("SPSR", last.spsr, SPSR_EL0 | SS);
    section("software step comes before the fetch of what follows");
    go(AT(jump), WINDOW, SPSR_EL0 | SS);
    expect(ESR_STEP(0, 0), WINDOW);
    go(AT(jump), WINDOW + 2, SPSR_EL0 | SS);
    expect(ESR_STEP(0, 0), WINDOW + 2);
    go(WINDOW, 0, SPSR_EL0 | SS);
    expect(ESR(0x20, 7), WINDOW);
    check("SPSR", last.spsr, SPSR_EL0 | SS);
    WRITE(mdscr_el1, 0);
}

/* ---- breakpoints (D2.8) ---- */

static void breakpoints(void)
{
    section("breakpoints: level, KDE and PSTATE.D, MDE, the OS lock");
    WRITE(mdscr_el1, MDSCR_MDE);
    WRITE(dbgbvr0_el1, AT(two_next));
    WRITE(dbgbcr0_el1, BREAK | EL0);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR_BREAK(0), AT(two_next));
    check("SPSR", last.spsr, SPSR_EL0);
    go(AT(two), 0, SPSR_EL1T & ~0x200UL);
    expect(ESR(0x15, 2), AT(call));
    WRITE(dbgbcr0_el1, BREAK | EL0 | EL1);
    go(AT(two), 0, SPSR_EL1T & ~0x200UL); /* no KDE */
    expect(ESR(0x15, 2), AT(call));
    WRITE(mdscr_el1, MDSCR_MDE | MDSCR_KDE);
    go(AT(two), 0, SPSR_EL1T & ~0x200UL);
    expect(ESR_BREAK(1), AT(two_next));
    go(AT(two), 0, SPSR_EL1T); /* masked */
    expect(ESR(0x15, 2), AT(call));
    WRITE(mdscr_el1, MDSCR_KDE);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR(0x15, 2), AT(call));
    WRITE(mdscr_el1, MDSCR_MDE);
    WRITE(oslar_el1, 1);
    check("OSLSR", READ(oslsr_el1), 0xa);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR(0x15, 2), AT(call));
    WRITE(oslar_el1, 0);
    check("OSLSR", READ(oslsr_el1), 0x8);
    WRITE(osdlr_el1, ~0UL); /* the double lock: one bit (D19.3.21) */
    check("OSDLR", READ(osdlr_el1), 1);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR(0x15, 2), AT(call));
    WRITE(osdlr_el1, 0);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR_BREAK(0), AT(two_next));
    off();

    section("a breakpoint in a loop that runs already");
    WRITE(mdscr_el1, MDSCR_MDE);
    go(AT(spin), 0, SPSR_EL0);
    expect(ESR(0x15, 9), AT(spin_end) + 4);
    WRITE(dbgbvr0_el1, AT(spin_loop) + 4);
    WRITE(dbgbcr0_el1, BREAK | EL0);
    go(AT(spin), 0, SPSR_EL0);
    expect(ESR_BREAK(0), AT(spin_loop) + 4);
    off();
}

static void linked(void)
{
    section("breakpoints linked to a context");
    WRITE(mdscr_el1, MDSCR_MDE);
    WRITE(dbgbvr0_el1, AT(two_next));
    WRITE(dbgbvr5_el1, 0x12345677);
    WRITE(dbgbcr5_el1, BREAK | EL0 | CONTEXT);
    WRITE(dbgbcr0_el1, BREAK | EL0 | LINKED | LBN(5));
    check("DBGBVR of a context", READ(dbgbvr5_el1) & 0xffffffff, 0x12345677);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR(0x15, 2), AT(call));
    WRITE(contextidr_el1, 0x12345677);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR_BREAK(0), AT(two_next));
    WRITE(contextidr_el1, 0x12345674);
    go(AT(two), 0, SPSR_EL0);
    expect(ESR(0x15, 2), AT(call));
    off();
}

/* ---- watchpoints (D2.9) ---- */

static void watch(u64 at, u64 control)
{
    WRITE(mdscr_el1, MDSCR_MDE);
    WRITE(dbgwvr0_el1, at);
    WRITE(dbgwcr0_el1, 1 | EL0 | control);
}

static void hit(u64 pc, u64 at, u64 wnr, u64 far)
{
    go(pc, at, SPSR_EL0);
    expect(ESR_WATCH(0, wnr), pc);
    check("FAR", last.far, far);
}

static void miss(u64 pc, u64 at, u64 imm)
{
    go(pc, at, SPSR_EL0);
    check("ESR", last.esr, ESR(0x15, imm));
}

static void watchpoints(void)
{
    u64 at = (u64)words;

    section("watchpoints: loads, stores, bytes");
    watch(at, LOADS | BYTES(0xff));
    hit(AT(load), at, 0, at);
    miss(AT(store), at, 4);
    miss(AT(load), at + 8, 3);
    watch(at, STORES | BYTES(0xff));
    hit(AT(store), at, 1, at);
    hit(AT(store), at + 4, 1, at + 4);
    miss(AT(load), at, 3);
    watch(at, STORES | BYTES(0xf0));
    miss(AT(store), at, 4);
    hit(AT(store), at + 4, 1, at + 4);
    watch(at + 4, STORES | BYTES(0x0c));
    miss(AT(store), at, 4);
    hit(AT(store), at + 4, 1, at + 6);
    hit(AT(pair), at, 1, at + 6);
    watch(at + 8, STORES | BYTES(0x01));
    hit(AT(pair), at, 1, at + 8);
    miss(AT(pair), at + 16, 7);
    watch(at, LOADS | STORES | BYTES(0xff) | MASK(6));
    hit(AT(store), at + 60, 1, at + 60);
    miss(AT(store), at + 64, 4);
    off();
}

static void watched_atomics(void)
{
    u64 at = (u64)words;

    section("watchpoints of atomics: a read where one is watched for");
    watch(at, LOADS | BYTES(0xff));
    hit(AT(atomic), at, 0, at);
    watch(at, STORES | BYTES(0xff));
    hit(AT(atomic), at, 1, at);
    off();
}

static void watched_pages(void)
{
    u64 tcr = READ(tcr_el1), sctlr = READ(sctlr_el1);

    section("watchpoints: below an ignored top byte, and DC ZVA");
    map_page(WINDOW, (u64)words, PTE_EL0 | PTE_NG);
    WRITE(tcr_el1, tcr | 1UL << 37);   /* TBI0 */
    WRITE(sctlr_el1, sctlr | 1 << 14); /* DZE */
    watch(WINDOW + 8, STORES | BYTES(0xff));
    hit(AT(store), WINDOW + 8, 1, WINDOW + 8);
    go(AT(store), (0xa5UL << 56 | WINDOW) + 8, SPSR_EL0);
    expect(ESR_WATCH(0, 1), AT(store));
    go(AT(zero), WINDOW + 48, SPSR_EL0);
    expect(ESR_WATCH(0, 1), AT(zero));
    WRITE(tcr_el1, tcr);
    WRITE(sctlr_el1, sctlr);
    section("watchpoints of EL0 and unprivileged accesses");
    watch(WINDOW, LOADS | BYTES(0xff));
    WRITE(mdscr_el1, MDSCR_MDE | MDSCR_KDE);
    __asm__ volatile(".arch_extension pan\n msr pan, #1"); /* is not theirs */
    go(AT(user), WINDOW, (SPSR_EL1T | 1UL << 22) & ~0x200UL);
    expect(ESR_WATCH(1, 0), AT(user));
    __asm__ volatile("msr pan, #0");
    WRITE(dbgwcr0_el1, 1 | EL1 | LOADS | BYTES(0xff));
    go(AT(user), WINDOW, SPSR_EL1T & ~0x200UL);
    expect(ESR(0x15, 10), AT(user_end) + 4);
    section("a translation fault comes before a watchpoint");
    map_page(WINDOW, 0, UNMAPPED);
    go(AT(store), WINDOW + 8, SPSR_EL0);
    expect(ESR_ABORT(0, 1 << 6 | 7), AT(store));
    off();
}

void test_main(void)
{
    WRITE(oslar_el1, 0);
    off();
    step();
    breakpoints();
    linked();
    watchpoints();
    watched_atomics();
    mmu_on();
    step_faults();
    watched_pages();
    mmu_off();
}
