/* Synchronous exceptions: vector, syndrome, return address, fault address (D1.3, D19.2.37). */
#include "harness.h"

#define AT(label)                                                                                            \
    ({                                                                                                       \
        extern char label[];                                                                                 \
        (u64) label;                                                                                         \
    })

__asm__(".text\n"
        "el0_svc: svc #0x123\n"
        "el0_svc_end:\n"
        "el0_undefined: udf #7\n"
        "el0_msr: msr ttbr0_el1, x7\n"
        "el0_daif: mrs x3, daif\n"
        "el0_brk: brk #0x99\n"
        "el0_wfi: wfi\n"
        "el0_fp: fmov d0, x0\n"
        "tagged: adr x9, tagged_here\n"
        "movk x9, #0x5a00, lsl #48\n"
        "mov x10, x30\n"
        "br x9\n"
        "tagged_here: adr x0, tagged_here\n"
        "bl tagged_link\n"
        "tagged_link: mov x1, x30\n"
        "ret x10\n"
        "tagged_svc: adr x9, tagged_svc_here\n"
        "movk x9, #0x5a00, lsl #48\n"
        "br x9\n"
        "tagged_svc_here: svc #5\n"
        "tagged_svc_next: nop\n"
        "ret\n");

struct tagged {
    u64 pc, lr;
};
struct tagged tagged(void);
void tagged_svc(void);

static void expect(u64 vector, u64 esr, u64 elr)
{
    check("vector", last.vector, vector);
    check("ESR", last.esr, esr);
    check("ELR", last.elr, elr);
}

static void at_el1(void)
{
    section("SVC, BRK and an undefined instruction at EL1");
    try_begin(0);
    __asm__ volatile("svc_here: svc #0xbeef\n svc_next: nop" ::: "memory");
    expect(0x200, ESR(0x15, 0xbeef), AT(svc_next));
    try_begin(0);
    __asm__ volatile("brk_here: brk #0x42" ::: "memory");
    expect(0x200, ESR(0x3c, 0x42), AT(brk_here));
    try_begin(0);
    __asm__ volatile("udf_here: udf #0" ::: "memory");
    expect(0x200, ESR(0, 0), AT(udf_here));
    try_begin(0);
    __asm__ volatile("el2_here: mrs x9, hcr_el2" ::: "x9", "memory"); /* undefined at EL1 without EL2 */
    expect(0x200, ESR(0, 0), AT(el2_here));
}

static void at_el0(void)
{
    section("SVC, BRK, undefined and trapped system registers at EL0");
    try_begin(0);
    run(AT(el0_svc), 0, 0, SPSR_EL0);
    expect(0x400, ESR(0x15, 0x123), AT(el0_svc_end));
    check("SPSR", last.spsr, SPSR_EL0);
    try_begin(0);
    run(AT(el0_undefined), 0, 0, SPSR_EL0 | 0xa0000000);
    expect(0x400, ESR(0, 0), AT(el0_undefined));
    check("SPSR", last.spsr, SPSR_EL0 | 0xa0000000);
    try_begin(0);
    run(AT(el0_msr), 0, 0, SPSR_EL0);
    expect(0x400, ESR(0, 0), AT(el0_msr));
    /* SCTLR_EL1.UMA 0: class 0x18, with op0 3, op2 1, op1 3, CRn 4, Rt 3, CRm 2, a read. */
    try_begin(0);
    run(AT(el0_daif), 0, 0, SPSR_EL0);
    expect(0x400, ESR(0x18, 3 << 20 | 1 << 17 | 3 << 14 | 4 << 10 | 3 << 5 | 2 << 1 | 1), AT(el0_daif));
    try_begin(0);
    run(AT(el0_brk), 0, 0, SPSR_EL0);
    expect(0x400, ESR(0x3c, 0x99), AT(el0_brk));
}

static void traps(void)
{
    u64 sctlr = READ(sctlr_el1), cpacr = READ(cpacr_el1);

    section("WFI of EL0 and FP by their controls");
    WRITE(sctlr_el1, sctlr & ~(1UL << 16));
    try_begin(0);
    run(AT(el0_wfi), 0, 0, SPSR_EL0);
    expect(0x400, ESR(1, 1 << 24 | 0xe << 20), AT(el0_wfi)); /* CV, COND 1110, TI 0 */
    WRITE(sctlr_el1, sctlr);
    WRITE(cpacr_el1, 1UL << 20);
    try_begin(0);
    run(AT(el0_fp), 0, 0, SPSR_EL0);
    expect(0x400, ESR(7, 1 << 24 | 0xe << 20), AT(el0_fp));
    WRITE(cpacr_el1, cpacr);
}

static u64 words[4] __attribute__((aligned(16)));

static void alignment(void)
{
    u64 bad = (u64)words + 1, sctlr = READ(sctlr_el1);

    section("alignment of data and of PC");
    WRITE(sctlr_el1, sctlr | 2);
    try_begin(0);
    __asm__ volatile("load_here: ldr x9, [%0]" ::"r"(bad) : "x9", "memory");
    expect(0x200, ESR(0x25, 0x21), AT(load_here));
    check("FAR", last.far, bad);
    try_begin(0);
    __asm__ volatile("store_here: str wzr, [%0]" ::"r"(bad) : "memory");
    expect(0x200, ESR(0x25, 1 << 6 | 0x21), AT(store_here));
    check("FAR", last.far, bad);
    try_begin(0);
    __asm__ volatile("atomic_here: ldadd w9, w10, [%0]" ::"r"(bad)
                     : "x9", "x10", "memory"); /* its read fails */
    expect(0x200, ESR(0x25, 0x21), AT(atomic_here));
    WRITE(sctlr_el1, sctlr);
    try_begin(0);
    run((u64)words + 2, 0, 0, SPSR_EL0);
    expect(0x400, ESR(0x22, 0), (u64)words + 2);
    check("FAR", last.far, (u64)words + 2);
}

static void illegal_return(void)
{
    section("illegal exception return");
    /* To EL2, which is not there: PSTATE.IL is set, EL stays (D1.3.4). */
    try_begin((u64)run_exit);
    run(AT(el0_svc), 0, 0, 0x3c9);
    expect(0x200, ESR(0x0e, 0), AT(el0_svc));
    check("SPSR.IL", last.spsr >> 20 & 1, 1);
    check("level in SPSR", last.spsr & 15, 5);
}

/* PC has no tags: branches drop them (AArch64.BranchAddr). Often enough that they are compiled. */
static void branch_tags(void)
{
    u64 tcr = READ(tcr_el1);
    unsigned wrong = 0;

    section("a tag in the target of a branch");
    WRITE(tcr_el1, tcr | 1UL << 37);
    for (unsigned i = 0; i < 100; i++) {
        struct tagged t = tagged();

        wrong += t.pc != AT(tagged_here) || t.lr != AT(tagged_link);
    }
    check("ADR and BL behind it", wrong, 0);
    try_begin(0);
    tagged_svc();
    expect(0x200, ESR(0x15, 5), AT(tagged_svc_next));
    WRITE(tcr_el1, tcr);
}

void test_main(void)
{
    at_el1();
    at_el0();
    traps();
    alignment();
    illegal_return();
    branch_tags();
}
