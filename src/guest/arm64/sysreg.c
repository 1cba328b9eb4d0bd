/*
 * System registers: one table over the encodings of isa/arm64/sysreg.def and sysop.def, and the access
 * functions of those that are no plain storage and have no file of their own (D19.2, C5.2). What has no row
 * is undefined.
 */
#include "guest/arm64/sysreg.h"
#include "lib/softfloat.h"

/* Who may read and write. */
enum { R1 = 1, W1 = 2, R0 = 4, W0 = 8, RW1 = R1 | W1, RW0 = RW1 | R0 | W0 };

struct sys {
    uint16_t code, mask; /* an access's code under mask is code */
    uint8_t who;
    uint8_t needs;   /* enum arm64_feature or NEEDS_NOTHING */
    uint8_t flags;   /* enum flags */
    uint8_t changed; /* enum arm64_changed of a write */
    /* Storage, where there is no function: what reads show, what writes change. No slot: 0, ignored. */
    uint32_t slot;
    uint64_t read_mask, write_mask;
    arm64_sys_get *get;
    arm64_sys_set *set;
};

enum flags {
    DIRECT_READ = 1,  /* lift may read the slot */
    DIRECT_WRITE = 2, /* and write it */
    FP_REG = 4        /* trapped like FP instructions */
};

#define SLOT(field) offsetof(struct arm64_vcpu, field)

/* ---- traps ---- */

bool arm64_sys_trap_el0(struct arm64_vcpu *a, bool allowed)
{
    if (a->el || allowed)
        return false;
    arm64_trap(a, a64_esr_sysreg(a->insn >> 5 & 0xffff, a->insn & 31, a->insn >> 21 & 1));
    a->trapped = true;
    return true;
}

/* ---- control ---- */

static bool sctlr_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    uint64_t mask = A64_SCTLR_M | A64_SCTLR_A | A64_SCTLR_C | A64_SCTLR_SA | A64_SCTLR_SA0 | A64_SCTLR_UMA |
                    A64_SCTLR_I | A64_SCTLR_DZE | A64_SCTLR_UCT | A64_SCTLR_NTWI | A64_SCTLR_NTWE |
                    A64_SCTLR_WXN | A64_SCTLR_UCI;
    uint64_t old = a->sctlr_el1;

    (void)code;
    if (arm64_has(a, ARM64F_PAN))
        mask |= A64_SCTLR_SPAN;
    if (arm64_has(a, ARM64F_PAUTH))
        mask |= A64_SCTLR_ENIA | A64_SCTLR_ENIB | A64_SCTLR_ENDA | A64_SCTLR_ENDB;
    if (arm64_has(a, ARM64F_SSBS))
        mask |= A64_SCTLR_DSSBS;
    a->sctlr_el1 = (value & mask) | (ARM64_SCTLR_RES1 & ~mask);
    a->changed |= ARM64_CHANGED_MODE | ARM64_CHANGED_CONTEXT;
    if ((old ^ a->sctlr_el1) & A64_SCTLR_WXN)
        a->changed |= ARM64_CHANGED_TLB;
    return true;
}

static bool tcr_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    uint64_t mask = A64_MASK(34, 0) & ~BIT(6);
    uint64_t old = a->tcr_el1;

    (void)code;
    mask |= A64_TCR_AS | A64_TCR_TBI0 | A64_TCR_TBI1;
    mask |= arm64_has(a, ARM64F_HAFDBS) ? A64_TCR_HA | A64_TCR_HD : 0;
    mask |= arm64_has(a, ARM64F_HPDS) ? A64_TCR_HPD0 | A64_TCR_HPD1 : 0;
    mask |= arm64_has(a, ARM64F_E0PD) ? A64_TCR_E0PD0 | A64_TCR_E0PD1 : 0;
    mask |= arm64_has(a, ARM64F_PAUTH) ? A64_TCR_TBID0 | A64_TCR_TBID1 : 0;
    a->tcr_el1 = value & mask;
    /* Attributes of table walks mean nothing here; which register has the ASID is no change of tables. */
    if ((old ^ a->tcr_el1) & ~(A64_TCR_A1 | A64_TCR_IRGN0 | A64_TCR_ORGN0 | A64_TCR_SH0 | A64_TCR_IRGN1 |
                               A64_TCR_ORGN1 | A64_TCR_SH1))
        a->changed |= ARM64_CHANGED_TLB;
    a->changed |= ARM64_CHANGED_CONTEXT;
    return true;
}

/* ---- floating point ---- */

/* The accrued flags may live in the host's FPU while an engine runs. */
uint64_t arm64_fpsr(struct arm64_vcpu *a)
{
    const struct engine_ops *e = a->v.vm->engine;
    uint64_t f;

    if (e->pull)
        e->pull(&a->v, REGS_FP);
    f = a->v.fp_flags;
    return (f & SF_INVALID ? A64_FPSR_IOC : 0) | (f & SF_DIVZERO ? A64_FPSR_DZC : 0) |
           (f & SF_OVERFLOW ? A64_FPSR_OFC : 0) | (f & SF_UNDERFLOW ? A64_FPSR_UFC : 0) |
           (f & SF_INEXACT ? A64_FPSR_IXC : 0) | (f & SF_INPUT_DENORMAL ? A64_FPSR_IDC : 0) |
           (a->qc ? A64_FPSR_QC : 0);
}

void arm64_fpsr_set(struct arm64_vcpu *a, uint64_t value)
{
    const struct engine_ops *e = a->v.vm->engine;

    a->v.fp_flags = (value & A64_FPSR_IOC ? SF_INVALID : 0u) | (value & A64_FPSR_DZC ? SF_DIVZERO : 0u) |
                    (value & A64_FPSR_OFC ? SF_OVERFLOW : 0u) | (value & A64_FPSR_UFC ? SF_UNDERFLOW : 0u) |
                    (value & A64_FPSR_IXC ? SF_INEXACT : 0u) |
                    (value & A64_FPSR_IDC ? SF_INPUT_DENORMAL : 0u);
    a->qc = value & A64_FPSR_QC ? 1 : 0;
    if (e->push)
        e->push(&a->v, REGS_FP);
}

static bool fpsr_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    (void)code;
    *value = arm64_fpsr(a);
    return true;
}

static bool fpsr_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    (void)code;
    arm64_fpsr_set(a, value);
    return true;
}

/* No exception can be trapped: the enables are not there. */
static bool fpcr_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    uint64_t mask = A64_FPCR_MASK;

    (void)code;
    if (!arm64_has(a, ARM64F_FP16))
        mask &= ~A64_FPCR_FZ16;
    if (a->fpcr == (value & mask))
        return true;
    a->fpcr = value & mask;
    a->changed |= ARM64_CHANGED_MODE;
    return true;
}

/* ---- identity ---- */

static bool id_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    static const uint16_t ids[ARM64_IDS] = {
        [ARM64_ID_PFR0] = A64_SYSREG_id_aa64pfr0_el1,   [ARM64_ID_PFR1] = A64_SYSREG_id_aa64pfr1_el1,
        [ARM64_ID_DFR0] = A64_SYSREG_id_aa64dfr0_el1,   [ARM64_ID_ISAR0] = A64_SYSREG_id_aa64isar0_el1,
        [ARM64_ID_ISAR1] = A64_SYSREG_id_aa64isar1_el1, [ARM64_ID_MMFR0] = A64_SYSREG_id_aa64mmfr0_el1,
        [ARM64_ID_MMFR1] = A64_SYSREG_id_aa64mmfr1_el1, [ARM64_ID_MMFR2] = A64_SYSREG_id_aa64mmfr2_el1,
    };

    *value = 0;
    for (unsigned i = 0; i < ARM64_IDS; i++) {
        if (ids[i] == code)
            *value = arm64_features_id(&a->cpu, (enum arm64_id)i, a->v.dist && a->v.dist->ops->top);
    }
    return true;
}

static bool midr_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    *value = code == A64_SYSREG_midr_el1 ? a->cpu.model->midr : arm64_mpidr(a->v.id);
    return true;
}

static bool ctr_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    (void)code;
    *value = a->cpu.model->ctr;
    return !arm64_sys_trap_el0(a, a->sctlr_el1 & A64_SCTLR_UCT);
}

/* 64 bytes; at EL0 forbidden by SCTLR_EL1.DZE 0. */
static bool dczid_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    (void)code;
    *value = 4 | (a->el || a->sctlr_el1 & A64_SCTLR_DZE ? 0 : A64_DCZID_DZP);
    return true;
}

/* Caches of 32 KiB data, 48 KiB instructions, 2 MiB unified: the shape that Cortex-A57 and A72 have. */
static bool cache_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    static const uint32_t ccsidr[] = {0x701fe00a, 0x201fe012, 0x70ffe07a};

    if (code == A64_SYSREG_clidr_el1)
        *value = 0x0a200023;
    else
        *value = a->csselr_el1 < ARRAY_SIZE(ccsidr) ? ccsidr[a->csselr_el1] : 0;
    return true;
}

static bool isr_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    uint64_t s = arm64_signals(a);

    (void)code;
    *value = (s & BIT(ARM64_INPUT_IRQ) ? A64_ISR_I : 0) | (s & BIT(ARM64_INPUT_FIQ) ? A64_ISR_F : 0) |
             (s & BIT(ARM64_INPUT_SERROR) ? A64_ISR_A : 0);
    return true;
}

/* RNDR, RNDRRS: NZCV says 0000, a number (C5.2.19). Equal in each run of a deterministic VM. */
static bool rndr_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    (void)code;
    arm64_random(a, value, sizeof(*value));
    a->nzcv = 0;
    return true;
}

/* ---- the table ---- */

#define ALL            UINT64_MAX
#define REG(name)      .code = A64_SYSREG_##name, .mask = 0xffff
#define OP(kind, name) .code = A64_SYSOP_##kind##_##name, .mask = 0xffff
/* Plain storage that lift reads and writes by itself */
#define PLAIN(name, access, field, wmask)                                                                    \
    {                                                                                                        \
        REG(name), .who = access, .needs = NEEDS_NOTHING, .flags = DIRECT_READ | DIRECT_WRITE,               \
                   .slot = SLOT(field), .read_mask = ALL, .write_mask = wmask                                \
    }
/* Storage whose writes change something; reads are direct */
#define STORE(name, field, wmask, chg, setter)                                                               \
    {                                                                                                        \
        REG(name), .who = RW1, .needs = NEEDS_NOTHING, .flags = DIRECT_READ, .changed = chg,                 \
                   .slot = SLOT(field), .read_mask = ALL, .write_mask = wmask, .set = setter                 \
    }
#define FN(name, access, feature, g, s)                                                                      \
    {                                                                                                        \
        REG(name), .who = access, .needs = feature, .get = g, .set = s                                       \
    }
/* Storage of a feature */
#define KEPT(name, feature, field)                                                                           \
    {                                                                                                        \
        REG(name), .who = RW1, .needs = feature, .slot = SLOT(field), .read_mask = ALL, .write_mask = ALL    \
    }
#define ZERO(name, access, feature)                                                                          \
    {                                                                                                        \
        REG(name), .who = access, .needs = feature                                                           \
    }
#define RANGE(first, m, access, feature, g, s)                                                               \
    {                                                                                                        \
        .code = first, .mask = m, .who = access, .needs = feature, .get = g, .set = s                        \
    }
#define DO(kind, name, access, feature, fn)                                                                  \
    {                                                                                                        \
        OP(kind, name), .who = access, .needs = feature, .set = fn                                           \
    }

#define NONE NEEDS_NOTHING

// clang-format off
static const struct sys table[] = {
    /* Hot first: rows are met in order. */
    PLAIN(sp_el0, RW1, sp_el0, ALL),
    PLAIN(tpidr_el0, RW0, tpidr_el0, ALL),
    PLAIN(tpidr_el1, RW1, tpidr_el1, ALL),
    PLAIN(elr_el1, RW1, elr_el1, ALL),
    PLAIN(spsr_el1, RW1, spsr_el1, 0xffffffff),
    PLAIN(esr_el1, RW1, esr_el1, 0xffffffff),
    PLAIN(far_el1, RW1, far_el1, ALL),
    {REG(daif), .who = RW0, .needs = NONE, .slot = SLOT(daif), .read_mask = ALL, .get = arm64_pstate_get,
     .set = arm64_pstate_set, .changed = ARM64_CHANGED_IRQ},
    FN(nzcv, RW0, NONE, arm64_pstate_get, arm64_pstate_set),
    {REG(fpcr), .who = RW0, .needs = NONE, .flags = DIRECT_READ | FP_REG, .slot = SLOT(fpcr),
     .read_mask = ALL, .set = fpcr_set, .changed = ARM64_CHANGED_MODE},
    {REG(fpsr), .who = RW0, .needs = NONE, .flags = FP_REG, .get = fpsr_get, .set = fpsr_set},
    FN(cntvct_el0, R1 | R0, NONE, arm64_timer_get, NULL),
    FN(cntv_ctl_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),
    FN(cntv_cval_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),
    FN(cntv_tval_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),
    FN(icc_iar1_el1, R1, NONE, arm64_gic_get, NULL),
    FN(icc_eoir1_el1, W1, NONE, NULL, arm64_gic_set),
    FN(icc_dir_el1, W1, NONE, NULL, arm64_gic_set),
    FN(icc_pmr_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_sgi1r_el1, W1, NONE, NULL, arm64_gic_set),
    STORE(ttbr0_el1, ttbr0_el1, ~A64_TTBR_CNP, ARM64_CHANGED_CONTEXT, NULL),
    STORE(ttbr1_el1, ttbr1_el1, ~A64_TTBR_CNP, ARM64_CHANGED_CONTEXT, NULL),
    PLAIN(contextidr_el1, RW1, contextidr_el1, 0xffffffff),
    {REG(tpidrro_el0), .who = RW1 | R0, .needs = NONE, .flags = DIRECT_READ | DIRECT_WRITE,
     .slot = SLOT(tpidrro_el0), .read_mask = ALL, .write_mask = ALL},
    FN(ctr_el0, R1 | R0, NONE, ctr_get, NULL),
    FN(dczid_el0, R1 | R0, NONE, dczid_get, NULL),

    STORE(sctlr_el1, sctlr_el1, 0, 0, sctlr_set),
    STORE(tcr_el1, tcr_el1, 0, 0, tcr_set),
    STORE(cpacr_el1, cpacr_el1, A64_CPACR_FPEN, ARM64_CHANGED_MODE, NULL),
    PLAIN(vbar_el1, RW1, vbar_el1, A64_VBAR_BASE),
    PLAIN(mair_el1, RW1, mair_el1, ALL),
    ZERO(amair_el1, RW1, NONE),
    PLAIN(par_el1, RW1, par_el1, ALL),
    PLAIN(csselr_el1, RW1, csselr_el1, 0xf),
    ZERO(actlr_el1, RW1, NONE),
    ZERO(afsr0_el1, RW1, NONE),
    ZERO(afsr1_el1, RW1, NONE),

    FN(currentel, R1, NONE, arm64_pstate_get, NULL),
    FN(spsel, RW1, NONE, arm64_pstate_get, arm64_pstate_set),
    FN(pan, RW1, ARM64F_PAN, arm64_pstate_get, arm64_pstate_set),
    FN(uao, RW1, ARM64F_UAO, arm64_pstate_get, arm64_pstate_set),
    FN(dit, RW0, ARM64F_DIT, arm64_pstate_get, arm64_pstate_set),
    FN(ssbs, RW0, ARM64F_SSBS, arm64_pstate_get, arm64_pstate_set),
    FN(isr_el1, R1, NONE, isr_get, NULL),
    ZERO(rvbar_el1, R1, NONE),
    FN(rndr, R1 | R0, ARM64F_RNG, rndr_get, NULL),
    FN(rndrrs, R1 | R0, ARM64F_RNG, rndr_get, NULL),

    FN(midr_el1, R1, NONE, midr_get, NULL),
    FN(mpidr_el1, R1, NONE, midr_get, NULL),
    ZERO(revidr_el1, R1, NONE),
    /* S3_0_C0_C1..C7: those that say nothing read as zero. */
    RANGE(A64_SYSREG_CODE(3, 0, 0, 1, 0), 0xfff8, R1, NONE, id_get, NULL),
    RANGE(A64_SYSREG_CODE(3, 0, 0, 2, 0), 0xfff0, R1, NONE, id_get, NULL),
    RANGE(A64_SYSREG_CODE(3, 0, 0, 4, 0), 0xffe0, R1, NONE, id_get, NULL),
    FN(clidr_el1, R1, NONE, cache_get, NULL),
    FN(ccsidr_el1, R1, NONE, cache_get, NULL),
    ZERO(aidr_el1, R1, NONE),

    /* No LORegions: the registers are there and empty (D8.9). */
    ZERO(lorsa_el1, RW1, ARM64F_LOR), ZERO(lorea_el1, RW1, ARM64F_LOR), ZERO(lorn_el1, RW1, ARM64F_LOR),
    ZERO(lorc_el1, RW1, ARM64F_LOR), ZERO(lorid_el1, R1, ARM64F_LOR),

    KEPT(apiakeylo_el1, ARM64F_PAUTH, apia.lo), KEPT(apiakeyhi_el1, ARM64F_PAUTH, apia.hi),
    KEPT(apibkeylo_el1, ARM64F_PAUTH, apib.lo), KEPT(apibkeyhi_el1, ARM64F_PAUTH, apib.hi),
    KEPT(apdakeylo_el1, ARM64F_PAUTH, apda.lo), KEPT(apdakeyhi_el1, ARM64F_PAUTH, apda.hi),
    KEPT(apdbkeylo_el1, ARM64F_PAUTH, apdb.lo), KEPT(apdbkeyhi_el1, ARM64F_PAUTH, apdb.hi),
    KEPT(apgakeylo_el1, ARM64F_PAUTH, apga.lo), KEPT(apgakeyhi_el1, ARM64F_PAUTH, apga.hi),

    STORE(cntkctl_el1, cntkctl_el1, 0x3ff, 0, NULL),
    FN(cntfrq_el0, RW1 | R0, NONE, arm64_timer_get, arm64_timer_set),
    FN(cntpct_el0, R1 | R0, NONE, arm64_timer_get, NULL),
    FN(cntp_ctl_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),
    FN(cntp_cval_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),
    FN(cntp_tval_el0, RW0, NONE, arm64_timer_get, arm64_timer_set),

    FN(icc_iar0_el1, R1, NONE, arm64_gic_get, NULL),
    FN(icc_eoir0_el1, W1, NONE, NULL, arm64_gic_set),
    FN(icc_hppir0_el1, R1, NONE, arm64_gic_get, NULL),
    FN(icc_hppir1_el1, R1, NONE, arm64_gic_get, NULL),
    FN(icc_bpr0_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_bpr1_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_ap0r0_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_ap1r0_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_rpr_el1, R1, NONE, arm64_gic_get, NULL),
    FN(icc_asgi1r_el1, W1, NONE, NULL, arm64_gic_set),
    FN(icc_sgi0r_el1, W1, NONE, NULL, arm64_gic_set),
    FN(icc_ctlr_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_sre_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_igrpen0_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),
    FN(icc_igrpen1_el1, RW1, NONE, arm64_gic_get, arm64_gic_set),

    FN(mdscr_el1, RW1, NONE, arm64_debug_get, arm64_debug_set),
    FN(oslar_el1, W1, NONE, NULL, arm64_debug_set),
    FN(oslsr_el1, R1, NONE, arm64_debug_get, NULL),
    STORE(osdlr_el1, osdlr_el1, 1, ARM64_CHANGED_MODE, NULL),
    KEPT(oseccr_el1, NONE, oseccr_el1),
    KEPT(osdtrrx_el1, NONE, osdtrrx_el1),
    KEPT(osdtrtx_el1, NONE, osdtrtx_el1),
    ZERO(mdccint_el1, RW1, NONE),
    ZERO(mdrar_el1, R1, NONE),
    ZERO(dbgprcr_el1, RW1, NONE),
    FN(dbgclaimset_el1, RW1, NONE, arm64_debug_get, arm64_debug_set),
    FN(dbgclaimclr_el1, RW1, NONE, arm64_debug_get, arm64_debug_set),
    FN(dbgauthstatus_el1, R1, NONE, arm64_debug_get, NULL),
    FN(mdccsr_el0, R1 | R0, NONE, arm64_debug_get, NULL),
    FN(dbgdtr_el0, RW0, NONE, arm64_debug_get, arm64_debug_set),
    FN(dbgdtrrx_el0, RW0, NONE, arm64_debug_get, arm64_debug_set),
    /* DBGBVR, DBGBCR, DBGWVR, DBGWCR by CRm */
    RANGE(A64_SYSREG_dbgbvr0_el1, 0xff84, RW1, NONE, arm64_debug_get, arm64_debug_set),

    FN(pmintenset_el1, RW1, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmintenclr_el1, RW1, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmcr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmcntenset_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmcntenclr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmovsclr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmovsset_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmswinc_el0, W1 | W0, ARM64F_PMU, NULL, arm64_pmu_set),
    FN(pmselr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmceid0_el0, R1 | R0, ARM64F_PMU, arm64_pmu_get, NULL),
    FN(pmceid1_el0, R1 | R0, ARM64F_PMU, arm64_pmu_get, NULL),
    FN(pmccntr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmxevtyper_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmxevcntr_el0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    FN(pmuserenr_el0, RW1 | R0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    /* PMEVCNTR<n>, PMEVTYPER<n>, and PMCCFILTR in the place of n 31 */
    RANGE(A64_SYSREG_pmevcntr0_el0, 0xffe0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),
    RANGE(A64_SYSREG_pmevtyper0_el0, 0xffe0, RW0, ARM64F_PMU, arm64_pmu_get, arm64_pmu_set),

    /* Operations */
    DO(ic, ialluis, W1, NONE, arm64_op_cache), DO(ic, iallu, W1, NONE, arm64_op_cache),
    DO(ic, ivau, W1 | W0, NONE, arm64_op_cache), DO(dc, ivac, W1, NONE, arm64_op_cache),
    DO(dc, isw, W1, NONE, arm64_op_cache), DO(dc, csw, W1, NONE, arm64_op_cache),
    DO(dc, cisw, W1, NONE, arm64_op_cache), DO(dc, cvac, W1 | W0, NONE, arm64_op_cache),
    DO(dc, cvau, W1 | W0, NONE, arm64_op_cache), DO(dc, civac, W1 | W0, NONE, arm64_op_cache),
    DO(dc, cvap, W1 | W0, ARM64F_DPB, arm64_op_cache), DO(dc, zva, W1 | W0, NONE, arm64_op_cache),
    RANGE(A64_SYSOP_at_s1e1r, 0xfffc, W1, NONE, NULL, arm64_op_at),
    RANGE(A64_SYSOP_at_s1e1rp, 0xfffe, W1, ARM64F_PAN, NULL, arm64_op_at),
    /* TLBI: all of op1 0, CRn 8; what is none of them says so itself */
    RANGE(A64_SYSREG_CODE(1, 0, 8, 0, 0), 0xff80, W1, NONE, NULL, arm64_op_tlbi),
};
// clang-format on

/* ---- access ---- */

static const struct sys *find(unsigned code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        if ((code & table[i].mask) == table[i].code)
            return &table[i];
    }
    return NULL;
}

static bool direct(const struct sys *s, uint64_t mode, bool write)
{
    if (s->flags & FP_REG && mode & ARM64_MODE_FP_TRAP)
        return false;
    if (s->code == A64_SYSREG_daif && !write) /* EL0's reads may be trapped */
        return mode & ARM64_MODE_EL;
    return s->flags & (write ? DIRECT_WRITE : DIRECT_READ);
}

bool arm64_sys_lookup(uint64_t mode, unsigned code, bool write, struct arm64_sys_info *out)
{
    const struct sys *s = find(code);
    unsigned el = (unsigned)(mode & ARM64_MODE_EL);

    if (!s || !(s->who & (write ? (el ? W1 : W0) : (el ? R1 : R0))))
        return false;
    /* SP_EL0 has no name of its own while it is the stack pointer (C5.2.17). */
    if (code == A64_SYSREG_sp_el0 && !(mode & ARM64_MODE_SPSEL))
        return false;
    *out = (struct arm64_sys_info){.row = (uint32_t)(s - table) << 16 | code,
                                   .how = direct(s, mode, write) ? ARM64_SYS_DIRECT : ARM64_SYS_HELPER,
                                   .slot = s->slot,
                                   .read_mask = s->read_mask,
                                   .write_mask = s->write_mask};
    return true;
}

/* False: the access is no access, and its exception was taken. */
static bool begin(struct arm64_vcpu *a, const struct sys *s, uint32_t insn)
{
    a->insn = insn;
    a->trapped = false;
    if (s->needs != NEEDS_NOTHING && !arm64_has(a, (enum arm64_feature)s->needs)) {
        arm64_undefined(a);
        return false;
    }
    if (s->flags & FP_REG && a->v.mode & ARM64_MODE_FP_TRAP) {
        arm64_fp_trap(a);
        return false;
    }
    return true;
}

static bool failed(struct arm64_vcpu *a)
{
    if (!a->trapped)
        arm64_undefined(a);
    return false;
}

bool arm64_sys_read(struct arm64_vcpu *a, uint32_t row, uint32_t insn, uint64_t *value)
{
    const struct sys *s = &table[row >> 16];

    *value = 0;
    if (!begin(a, s, insn))
        return false;
    if (s->get)
        return s->get(a, row & 0xffff, value) || failed(a);
    if (s->slot)
        *value = *(uint64_t *)((char *)a + s->slot) & s->read_mask;
    return true;
}

bool arm64_sys_write(struct arm64_vcpu *a, uint32_t row, uint32_t insn, uint64_t value)
{
    const struct sys *s = &table[row >> 16];

    if (!begin(a, s, insn))
        return false;
    if (s->set)
        return s->set(a, row & 0xffff, value) || failed(a);
    if (s->slot)
        *(uint64_t *)((char *)a + s->slot) = value & s->write_mask;
    a->changed |= s->changed;
    return true;
}
