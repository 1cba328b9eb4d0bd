/* FP, debug registers and performance monitors of the hardware, for the vCPU that uses them. */
#include "engine/bare/arm64/hw.h"
#include "platform/bare/drivers/gic.h"

/* CPTR_EL2 (D19.2.33): SVE, SME and trace trapped; FP trapped or not. With VHE it has CPACR_EL1's shape. */
#define CPTR_TRAP     UINT64_C(0x37ff)
#define CPTR_FP       UINT64_C(0x33ff)
#define CPTR_VHE_TRAP BIT(28)
#define CPTR_VHE_FP   (BIT(28) | UINT64_C(3) << 20)

/*
 * MDCR_EL2 (D19.2.66). Trapped until they are used: the PMU (TPM 6, TPMCR 5), debug registers (TDA 9); always
 * the OS lock (TDOSA 10) and the debug ROM's address (TDRA 11). Nothing counts at EL2: HPMD 17, HCCD 23. TDE
 * is 0: debug exceptions are the guest's own, and there are none at EL2.
 */
#define MDCR_PMU    (BIT(5) | BIT(6))
#define MDCR_DEBUG  BIT(9)
#define MDCR_ALWAYS (BIT(10) | BIT(11) | BIT(17) | BIT(23))

/* ---- FP ---- */

/* clang-format off */
#define Q_PAIRS(X) \
    X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(8, 9) X(10, 11) X(12, 13) X(14, 15) \
    X(16, 17) X(18, 19) X(20, 21) X(22, 23) X(24, 25) X(26, 27) X(28, 29) X(30, 31)
/* clang-format on */
#define Q_SAVE(i, j) "stp q" #i ", q" #j ", [%0, #16*" #i "]\n\t"
#define Q_LOAD(i, j) "ldp q" #i ", q" #j ", [%0, #16*" #i "]\n\t"

/* FPSR's flags in the struct are those of the soft float (arm64_fpsr()); engines without it go the same way.
 */
static void fp_out(struct hw_vcpu *h)
{
    uint64_t fpsr, fpcr;

    __asm__ volatile(".arch_extension fp\n\t" Q_PAIRS(Q_SAVE) "mrs %1, fpsr\n\tmrs %2, fpcr"
                     : "+r"((struct arm64_q *){h->a->q}), "=&r"(fpsr), "=&r"(fpcr)::"memory");
    h->a->fpcr = fpcr;
    h->fpsr = fpsr;
}

static void fp_in(struct hw_vcpu *h)
{
    __asm__ volatile(".arch_extension fp\n\t" Q_PAIRS(Q_LOAD) "msr fpsr, %1\n\tmsr fpcr, %2" ::"r"(h->a->q),
                     "r"(h->fpsr), "r"(h->a->fpcr)
                     : "memory");
}

static void fp_open(const struct hw_cpu *hc, bool open)
{
    if (hc->vhe)
        sys_write(cptr_el2, open ? CPTR_VHE_FP : CPTR_VHE_TRAP);
    else
        sys_write(cptr_el2, open ? CPTR_FP : CPTR_TRAP);
}

/* What was saved when it left stands in the registers still if it was here last, and nobody else since. */
static void fp_take(struct hw_cpu *hc, struct hw_vcpu *h)
{
    fp_open(hc, true);
    if (hc->fp == h && h->fp_home == hc->cpu)
        return;
    isb();
    fp_in(h);
    hc->fp = h;
    h->fp_home = hc->cpu;
}

void lent_fp_to_struct(struct hw_cpu *hc, struct hw_vcpu *h)
{
    if (hc->loaded == h && hc->open & LENT_FP) {
        fp_out(h);
        fp_open(hc, false);
        hc->open &= (uint8_t)~LENT_FP;
    }
    h->fp_home = NULL;
}

/* ---- debug ---- */

/* A guest has its model's number of them or the host's, whatever is less; the rest of the host's are off. */
#define BREAKPOINTS(X)        X(0) X(1) X(2) X(3) X(4) X(5)
#define WATCHPOINTS(X)        X(0) X(1) X(2) X(3)
#define HIDDEN_WATCHPOINTS(X) X(4) X(5)
#define HIDDEN(X)             X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
_Static_assert(ARM64_BREAKPOINTS == 6 && ARM64_WATCHPOINTS == 4, "the lists above");

/* By ID_AA64DFR0_EL1; context-aware breakpoints are the last ones. */
struct numbers {
    unsigned breakpoints, watchpoints, contexts;
};

static struct numbers numbers_of(uint64_t dfr0)
{
    return (struct numbers){(dfr0 >> 12 & 0xf) + 1, (dfr0 >> 20 & 0xf) + 1, (dfr0 >> 28 & 0xf) + 1};
}

uint64_t lent_dfr0(uint64_t model)
{
    struct numbers m = numbers_of(model), h = numbers_of(sys_read(id_aa64dfr0_el1));
    unsigned b = MIN(m.breakpoints, h.breakpoints), first = h.breakpoints - h.contexts;
    uint64_t contexts = first + 1 < b ? MIN(b - first, m.contexts) : 1; /* there has to be one */

    model &= ~(UINT64_C(0xf) << 12 | UINT64_C(0xf) << 20 | UINT64_C(0xf) << 28);
    return model | (uint64_t)(b - 1) << 12 | (uint64_t)(MIN(m.watchpoints, h.watchpoints) - 1) << 20 |
           (contexts - 1) << 28;
}

#define OUT_BREAKPOINT(n)                                                                                    \
    if (n < has.breakpoints) {                                                                               \
        a->dbgbvr[n] = sys_read(dbgbvr##n##_el1);                                                            \
        a->dbgbcr[n] = sys_read(dbgbcr##n##_el1);                                                            \
    }
#define OUT_WATCHPOINT(n)                                                                                    \
    if (n < has.watchpoints) {                                                                               \
        a->dbgwvr[n] = sys_read(dbgwvr##n##_el1);                                                            \
        a->dbgwcr[n] = sys_read(dbgwcr##n##_el1);                                                            \
    }
#define IN_BREAKPOINT(n)                                                                                     \
    if (n < has.breakpoints) {                                                                               \
        sys_write(dbgbvr##n##_el1, a->dbgbvr[n]);                                                            \
        sys_write(dbgbcr##n##_el1, a->dbgbcr[n]);                                                            \
    }
#define IN_WATCHPOINT(n)                                                                                     \
    if (n < has.watchpoints) {                                                                               \
        sys_write(dbgwvr##n##_el1, a->dbgwvr[n]);                                                            \
        sys_write(dbgwcr##n##_el1, a->dbgwcr[n]);                                                            \
    }
#define OFF_BREAKPOINT(n)                                                                                    \
    if (n < has.breakpoints)                                                                                 \
        sys_write(dbgbcr##n##_el1, 0);
#define OFF_WATCHPOINT(n)                                                                                    \
    if (n < has.watchpoints)                                                                                 \
        sys_write(dbgwcr##n##_el1, 0);

static void debug_out(struct arm64_vcpu *a)
{
    struct numbers has = numbers_of(sys_read(id_aa64dfr0_el1));

    BREAKPOINTS(OUT_BREAKPOINT)
    WATCHPOINTS(OUT_WATCHPOINT)
}

/* The OS lock, which is emulated, keeps the hardware from debug exceptions, too (D2.3). */
static void debug_in(const struct arm64_vcpu *a)
{
    struct numbers has = numbers_of(sys_read(id_aa64dfr0_el1));

    BREAKPOINTS(IN_BREAKPOINT)
    WATCHPOINTS(IN_WATCHPOINT)
    HIDDEN(OFF_BREAKPOINT)
    HIDDEN_WATCHPOINTS(OFF_WATCHPOINT)
    HIDDEN(OFF_WATCHPOINT)
    sys_write(oslar_el1, !!(a->oslsr_el1 & A64_OSLSR_OSLK));
}

/* ---- performance monitors ---- */

#define PMCR_KEPT  (A64_PMCR_E | A64_PMCR_D | A64_PMCR_X | A64_PMCR_DP | A64_PMCR_LC | A64_PMCR_LP)
#define CYCLE_TYPE 31 /* PMSELR_EL0: PMXEVTYPER_EL0 is PMCCFILTR_EL0 */

bool lent_has_pmu(void)
{
    uint64_t version = sys_read(id_aa64dfr0_el1) >> 8 & 0xf;

    return version && version != 0xf && gic_get()->pmu;
}

static unsigned counters(void)
{
    return MIN((unsigned)a64_field_get(sys_read(pmcr_el0), A64_PMCR_N), (unsigned)ARM64_EVENT_COUNTERS);
}

static void counter_select(unsigned n)
{
    sys_write(pmselr_el0, n);
    isb();
}

void lent_pmu_stop(void)
{
    uint64_t control = sys_read(pmcr_el0);

    sys_write(pmcr_el0, control & ~A64_PMCR_E);
    isb();
}

/* Counters in the struct are what they count from: here that is their value. */
static void pmu_out(struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;

    a->pmcr_el0 = sys_read(pmcr_el0) & PMCR_KEPT;
    lent_pmu_stop();
    vgic_pmu_release(h);
    a->pmselr_el0 = sys_read(pmselr_el0) & 31;
    a->pmuserenr_el0 = sys_read(pmuserenr_el0);
    a->pmcntenset_el0 = sys_read(pmcntenset_el0);
    a->pmintenset_el1 = sys_read(pmintenset_el1);
    a->pmovsset_el0 = sys_read(pmovsset_el0);
    a->pmccntr_base = sys_read(pmccntr_el0);
    for (unsigned n = 0; n < counters(); n++) {
        counter_select(n);
        a->pmevcntr_base[n] = sys_read(pmxevcntr_el0);
        a->pmevtyper[n] = sys_read(pmxevtyper_el0);
    }
    counter_select(CYCLE_TYPE);
    a->pmccfiltr_el0 = sys_read(pmxevtyper_el0);
}

static void pmu_in(const struct arm64_vcpu *a)
{
    uint64_t all = (BIT(counters()) - 1) | A64_PM_CYCLE;

    sys_write(pmcntenclr_el0, all);
    sys_write(pmintenclr_el1, all);
    sys_write(pmovsclr_el0, all);
    for (unsigned n = 0; n < counters(); n++) {
        counter_select(n);
        sys_write(pmxevtyper_el0, a->pmevtyper[n]);
        sys_write(pmxevcntr_el0, a->pmevcntr_base[n]);
    }
    counter_select(CYCLE_TYPE);
    sys_write(pmxevtyper_el0, a->pmccfiltr_el0);
    sys_write(pmccntr_el0, a->pmccntr_base);
    sys_write(pmselr_el0, a->pmselr_el0);
    sys_write(pmuserenr_el0, a->pmuserenr_el0);
    sys_write(pmovsset_el0, a->pmovsset_el0 & all);
    sys_write(pmcntenset_el0, a->pmcntenset_el0 & all);
    isb();
    sys_write(pmcr_el0, a->pmcr_el0 & PMCR_KEPT);
    sys_write(pmintenset_el1, a->pmintenset_el1 & all); /* the last: emulators look at the level then */
}

bool lent_pmu_level(const struct hw_cpu *hc, const struct hw_vcpu *h)
{
    const struct arm64_vcpu *a = h->a;

    if (hc->loaded == h && hc->open & LENT_PMU)
        return sys_read(pmcr_el0) & A64_PMCR_E && sys_read(pmovsset_el0) & sys_read(pmintenset_el1);
    return a->pmcr_el0 & A64_PMCR_E && a->pmovsset_el0 & a->pmintenset_el1;
}

/* ---- all of them ---- */

static void mdcr_write(const struct hw_cpu *hc)
{
    sys_write(mdcr_el2,
              hc->mdcr | (hc->open & LENT_DEBUG ? 0 : MDCR_DEBUG) | (hc->open & LENT_PMU ? 0 : MDCR_PMU));
}

/* HPMN, the number of a guest's event counters, is in bits 4:0. */
void lent_cpu_init(struct hw_cpu *hc)
{
    hc->mdcr = MDCR_ALWAYS;
    if (lent_has_pmu()) {
        hc->mdcr |= counters();
        lent_pmu_stop();
    }
    hc->open = 0;
    mdcr_write(hc);
    fp_open(hc, false);
}

unsigned lent_wanted(const struct arm64_vcpu *a)
{
    return (a->mdscr_el1 & (A64_MDSCR_MDE | A64_MDSCR_SS) ? LENT_DEBUG : 0) |
           (a->pmcr_el0 & A64_PMCR_E || a->pmuserenr_el0 ? LENT_PMU : 0);
}

/*
 * Debug: MDSCR_EL1, breakpoints, watchpoints (the claim tags are left alone: emulators have none). The PMU:
 * PMINTENSET_EL1 and its kin, PMCR_EL0, counters.
 */
unsigned lent_kind(unsigned code)
{
    unsigned op0 = a64_sysreg_op0(code), op1 = a64_sysreg_op1(code), n = a64_sysreg_crn(code),
             m = a64_sysreg_crm(code);

    if (op0 == 2)
        return op1 == 0 && n == 0 ? LENT_DEBUG : 0;
    if (n == 9)
        return (op1 == 0 && m == 14) || (op1 == 3 && m >= 12 && m <= 14) ? LENT_PMU : 0;
    return n == 14 && op1 == 3 && m >= 8 ? LENT_PMU : 0;
}

void lent_take(struct hw_cpu *hc, struct hw_vcpu *h, unsigned kind)
{
    kind &= ~(unsigned)hc->open;
    hc->open |= (uint8_t)kind;
    if (kind & LENT_FP)
        fp_take(hc, h);
    if (kind & LENT_DEBUG)
        debug_in(h->a);
    if (kind & LENT_PMU)
        pmu_in(h->a);
    if (kind & (LENT_DEBUG | LENT_PMU))
        mdcr_write(hc);
}

static void close_all(struct hw_cpu *hc)
{
    bool more = hc->open & (LENT_DEBUG | LENT_PMU);

    hc->open = 0;
    fp_open(hc, false);
    if (more)
        mdcr_write(hc);
}

/* MDSCR_EL1 is in the struct already. */
void lent_save(struct hw_cpu *hc, struct hw_vcpu *h)
{
    if (hc->open & LENT_FP)
        fp_out(h);
    if (hc->open & LENT_DEBUG)
        debug_out(h->a);
    if (hc->open & LENT_PMU)
        pmu_out(h);
    h->wanted = (uint8_t)lent_wanted(h->a);
    close_all(hc);
}

void lent_drop(struct hw_cpu *hc)
{
    if (hc->open & LENT_PMU)
        lent_pmu_stop();
    close_all(hc);
}
