/* Exceptions, interrupts, returns from them, and the mode word that PSTATE and system registers make. */
#include "guest/arm64/cpu.h"
#include "isa/arm64/pte.h"
#include "lib/err.h"

/* ---- mode word ---- */

static bool fp_trapped(const struct arm64_vcpu *a)
{
    unsigned fpen = (unsigned)bits_get(a->cpacr_el1, 21, 20);

    return a->el ? !(fpen & 1) : fpen != 3;
}

/* What SCTLR_EL1 says of the present level. */
static uint64_t mode_control(const struct arm64_vcpu *a)
{
    uint64_t s = a->sctlr_el1, m = 0;

    if (s & A64_SCTLR_M)
        m |= ARM64_MODE_MMU;
    /* Without translation all data is Device-nGnRnE, where unaligned accesses fault (D8.2.14, B2.5.2). */
    if (!(s & A64_SCTLR_M) || s & A64_SCTLR_A)
        m |= ARM64_MODE_ALIGN;
    if (s & (a->el ? A64_SCTLR_SA : A64_SCTLR_SA0))
        m |= ARM64_MODE_SP_ALIGN;
    /* Nor is a block of a device cleared (C5.3, DC ZVA). */
    if (s & A64_SCTLR_M && (a->el || s & A64_SCTLR_DZE))
        m |= ARM64_MODE_DCZVA;
    m |= s & A64_SCTLR_ENIA ? ARM64_MODE_ENIA : 0;
    m |= s & A64_SCTLR_ENIB ? ARM64_MODE_ENIB : 0;
    m |= s & A64_SCTLR_ENDA ? ARM64_MODE_ENDA : 0;
    return m | (s & A64_SCTLR_ENDB ? ARM64_MODE_ENDB : 0);
}

static uint64_t mode_fp(const struct arm64_vcpu *a)
{
    uint64_t f = a->fpcr;

    return (fp_trapped(a) ? ARM64_MODE_FP_TRAP : 0) | bits_get(f, 23, 22) << 8 |
           (f & A64_FPCR_FZ ? ARM64_MODE_FZ : 0) | (f & A64_FPCR_DN ? ARM64_MODE_DN : 0) |
           (f & A64_FPCR_AHP ? ARM64_MODE_AHP : 0) | (f & A64_FPCR_FZ16 ? ARM64_MODE_FZ16 : 0);
}

uint64_t arm64_mode(const struct arm64_vcpu *a)
{
    uint64_t m = a->mode_fixed | a->el | mode_control(a) | mode_fp(a);

    if (a->el) {
        m |= a->spsel ? ARM64_MODE_SPSEL : 0;
        m |= a->pan ? ARM64_MODE_PAN : 0;
        m |= a->uao ? ARM64_MODE_UAO : 0;
        m |= a->ttbr1_el1 >> 13 & 1 ? ARM64_MODE_TABLE : 0;
    }
    if (UNLIKELY(a->il))
        m |= ARM64_MODE_IL;
    if (UNLIKELY(a->mdscr_el1 & (A64_MDSCR_SS | A64_MDSCR_MDE)))
        m |= arm64_debug_mode(a);
    return m;
}

void arm64_flush(struct vcpu *v, const struct flush_scope *scope)
{
    struct arm64_vcpu *a = arm64_of(v);
    struct flush_scope s = *scope;

    a->user_generation++;
    /* A page that was met under a tagged address has entries that its own address does not name. */
    if (UNLIKELY(a->tagged) && (s.kind != FLUSH_ASID))
        s.kind = FLUSH_ALL;
    if (s.kind != FLUSH_PAGE && s.kind != FLUSH_PAGE_ASID)
        a->walk_generation++;
    if (s.kind == FLUSH_ALL)
        a->tagged = false;
    if (v->vm->engine->flush)
        v->vm->engine->flush(v, &s);
}

void arm64_fetch_barrier(struct vcpu *v)
{
    if (v->vm->engine->fetch_barrier)
        v->vm->engine->fetch_barrier(v);
}

bool arm64_settle(struct arm64_vcpu *a)
{
    struct vcpu *v = &a->v;
    uint64_t mode = arm64_mode(a);
    bool context = mode != v->mode || a->changed & (ARM64_CHANGED_CONTEXT | ARM64_CHANGED_TLB);
    /* The instructions handed out may reach beyond a new v->due: they are handed out again. */
    bool irq = a->changed & ARM64_CHANGED_IRQ && (arm64_irq_ready(v) || (v->due && v->due < v->count));

    if (a->changed & ARM64_CHANGED_TLB)
        arm64_flush(v, &(struct flush_scope){.kind = FLUSH_ALL});
    if (a->changed & ARM64_CHANGED_CONTEXT)
        a->user_generation++; /* the ASID */
    a->changed = 0;
    v->mode = mode;
    if (context && v->vm->engine->context_changed)
        v->vm->engine->context_changed(v);
    if (irq)
        atomic_fetch_or(&v->request, VCPU_REQ_IRQ);
    if (context || irq)
        v->leave = 1;
    return context || irq;
}

/* ---- PSTATE ---- */

uint64_t arm64_spsr(const struct arm64_vcpu *a)
{
    uint64_t f = a->nzcv, s = a->daif;

    s |= (f & ARM64_FLAG_N ? A64_SPSR_N : 0) | (f & ARM64_FLAG_Z ? A64_SPSR_Z : 0) |
         (f & ARM64_FLAG_C ? A64_SPSR_C : 0) | (f & ARM64_FLAG_V ? A64_SPSR_V : 0);
    s |= (a->dit ? A64_SPSR_DIT : 0) | (a->uao ? A64_SPSR_UAO : 0) | (a->pan ? A64_SPSR_PAN : 0) |
         (a->ss ? A64_SPSR_SS : 0) | (a->il ? A64_SPSR_IL : 0) | (a->ssbs ? A64_SPSR_SSBS : 0);
    return s | a->el << 2 | (a->el ? a->spsel : 0);
}

static uint64_t *sp_in_use(struct arm64_vcpu *a)
{
    return a->el && a->spsel ? &a->sp_el1 : &a->sp_el0;
}

void arm64_level_set(struct arm64_vcpu *a, unsigned el, unsigned spsel)
{
    *sp_in_use(a) = a->x[31];
    if (UNLIKELY(a->pm_filtered) && a->el != el)
        arm64_pmu_level(a, el);
    a->el = el;
    a->spsel = spsel;
    a->x[31] = *sp_in_use(a);
}

/* C5.2.18; bits of features that are absent stay 0. */
static void restore_flags(struct arm64_vcpu *a, uint64_t spsr)
{
    a->nzcv = (spsr & A64_SPSR_N ? ARM64_FLAG_N : 0) | (spsr & A64_SPSR_Z ? ARM64_FLAG_Z : 0) |
              (spsr & A64_SPSR_C ? ARM64_FLAG_C : 0) | (spsr & A64_SPSR_V ? ARM64_FLAG_V : 0);
    a->daif = spsr & A64_SPSR_DAIF;
    a->pan = arm64_has(a, ARM64F_PAN) && spsr & A64_SPSR_PAN;
    a->uao = arm64_has(a, ARM64F_UAO) && spsr & A64_SPSR_UAO;
    a->dit = arm64_has(a, ARM64F_DIT) && spsr & A64_SPSR_DIT;
}

/* ---- entry (D1.3.1, AArch64.TakeException) ---- */

static void enter(struct arm64_vcpu *a, unsigned vector)
{
    if (!a->el)
        vector += A64_VECTOR_FROM_LOWER64;
    else if (a->spsel)
        vector += A64_VECTOR_FROM_SPX;
    a->elr_el1 = arm64_branch_address(a, a->v.pc); /* an interrupt may come before the fetch, see translate */
    a->spsr_el1 = arm64_spsr(a);
    arm64_level_set(a, 1, 1);
    a->daif = A64_SPSR_DAIF;
    a->il = a->ss = 0;
    a->stepping = false;
    a->uao = 0;
    if (arm64_has(a, ARM64F_PAN) && !(a->sctlr_el1 & A64_SCTLR_SPAN))
        a->pan = 1;
    a->ssbs = arm64_has(a, ARM64F_SSBS) && a->sctlr_el1 & A64_SCTLR_DSSBS;
    a->v.pc = a->vbar_el1 + vector;
    if (UNLIKELY(a->pm_exceptions))
        arm64_pmu_look(a);
    arm64_settle(a);
    a->v.leave = 1;
}

void arm64_trap(struct arm64_vcpu *a, uint64_t esr)
{
    struct vcpu *v = &a->v;

    if (UNLIKELY(v->vm->log.trace & TRACE_EXC))
        trace_write(&v->vm->log, "exc: cpu%u ec 0x%x esr 0x%llx far 0x%llx pc 0x%llx el %u", v->id,
                    (unsigned)a64_field_get(esr, A64_ESR_EC), (unsigned long long)esr,
                    (unsigned long long)a->far_el1, (unsigned long long)v->pc, (unsigned)a->el);
    v->stat.exceptions++;
    a->ss |= a->stepping; /* it is still to be stepped after the return (D2.12.3) */
    a->esr_el1 = esr;
    enter(a, A64_VECTOR_SYNC);
}

void arm64_trap_far(struct arm64_vcpu *a, uint64_t esr, uint64_t far)
{
    a->far_el1 = far;
    arm64_trap(a, esr);
}

void arm64_undefined(struct arm64_vcpu *a)
{
    arm64_trap(a, a64_esr(A64_EC_UNKNOWN, 0));
}

void arm64_abort(struct arm64_vcpu *a, gva_t va, enum access access, unsigned fsc, uint64_t iss)
{
    unsigned ec = access == ACCESS_FETCH ? A64_EC_INSN_ABORT_LOWER : A64_EC_DATA_ABORT_LOWER;

    /* A step that is over comes before anything of the next instruction (D1.3.5.5). */
    if (UNLIKELY(access == ACCESS_FETCH && a->v.mode & ARM64_MODE_STEP_TRAP)) {
        arm64_step_trap(a);
        return;
    }
    arm64_trap_far(a, a64_esr((enum a64_ec)(ec + (a->el ? A64_EC_SAME_LEVEL : 0)), iss | fsc), va);
}

void arm64_illegal_state(struct arm64_vcpu *a)
{
    arm64_trap(a, a64_esr(A64_EC_ILLEGAL_STATE, 0));
}

void arm64_sp_misaligned(struct arm64_vcpu *a)
{
    arm64_trap(a, a64_esr(A64_EC_SP_ALIGNMENT, 0));
}

/* The branch was made: ELR and FAR have the target (D1.3.5.3). */
void arm64_pc_misaligned(struct arm64_vcpu *a, gva_t target)
{
    a->v.pc = target;
    if (UNLIKELY(a->v.mode & ARM64_MODE_STEP_TRAP)) {
        arm64_step_trap(a);
        return;
    }
    arm64_trap_far(a, a64_esr(A64_EC_PC_ALIGNMENT, 0), target);
}

void arm64_fp_trap(struct arm64_vcpu *a)
{
    arm64_trap(a, a64_esr(A64_EC_FP_ACCESS, A64_ISS_COND_ALWAYS));
}

void arm64_svc(struct arm64_vcpu *a, uint16_t imm)
{
    a->v.pc += 4;
    a->stepping = false; /* done: what follows is stepped next */
    arm64_trap(a, a64_esr(A64_EC_SVC, imm));
}

void arm64_brk(struct arm64_vcpu *a, uint16_t imm)
{
    arm64_trap(a, a64_esr(A64_EC_BRK, imm));
}

/* Without EL2 and EL3 both are undefined; the built-in firmware takes their place. */
static void firmware_call(struct arm64_vcpu *a)
{
    if (!a->el || !a->psci) {
        arm64_undefined(a);
        return;
    }
    a->v.pc += 4;
    arm64_psci_call(a);
    arm64_settle(a);
}

void arm64_hvc(struct arm64_vcpu *a, uint16_t imm)
{
    (void)imm;
    firmware_call(a);
}

void arm64_smc(struct arm64_vcpu *a, uint16_t imm)
{
    (void)imm;
    firmware_call(a);
}

/* ---- return (D1.3.4, AArch64.ExceptionReturn) ---- */

/* Levels and states that are not there, and reserved encodings (D1.3.4.1). */
static bool return_is_illegal(const struct arm64_vcpu *a, uint64_t spsr)
{
    unsigned m = (unsigned)(spsr & A64_SPSR_M);

    return !(m == A64_MODE_EL0T || (a->el && (m == A64_MODE_EL1T || m == A64_MODE_EL1H)));
}

gva_t arm64_branch_address(const struct arm64_vcpu *a, gva_t target)
{
    bool high = target >> 55 & 1;
    uint64_t tbi = high ? A64_TCR_TBI1 : A64_TCR_TBI0, tbid = high ? A64_TCR_TBID1 : A64_TCR_TBID0;

    return a->tcr_el1 & tbi && !(a->tcr_el1 & tbid) ? (gva_t)bits_sext(target, 56) : target;
}

void arm64_eret(struct arm64_vcpu *a, uint64_t target)
{
    struct vcpu *v = &a->v;
    uint64_t spsr = a->spsr_el1;
    bool illegal = return_is_illegal(a, spsr) || a->il;
    unsigned el = illegal ? (unsigned)a->el : (unsigned)(spsr >> 2 & 3);

    a->ss = arm64_debug_return_ss(a, el, spsr);
    a->stepping = false;
    restore_flags(a, spsr);
    if (illegal) {
        a->il = 1;
    } else {
        a->il = spsr & A64_SPSR_IL ? 1 : 0;
        a->ssbs = arm64_has(a, ARM64F_SSBS) && spsr & A64_SPSR_SSBS;
        arm64_level_set(a, el, (unsigned)(spsr & 1));
    }
    a->pm_returns++;
    v->resv_addr = UINT64_MAX;
    atomic_store(&a->event, 1);
    v->pc = arm64_branch_address(a, target);
    a->changed |= ARM64_CHANGED_IRQ;
    arm64_settle(a);
    v->leave = 1;
    if (UNLIKELY(v->pc & 3))
        arm64_pc_misaligned(a, v->pc);
}

/* ---- interrupts ---- */

uint64_t arm64_signals(struct arm64_vcpu *a)
{
    uint64_t s = atomic_load(&a->inputs);

    return a->v.dist && a->v.dist->ops->top ? s | arm64_gic_signals(a) : s;
}

/* Those that PSTATE lets pass: F, I, A. */
static uint64_t takeable(struct arm64_vcpu *a)
{
    uint64_t s = arm64_signals(a);

    if (LIKELY(!s))
        return 0;
    s &= a->daif & A64_SPSR_F ? ~BIT(ARM64_INPUT_FIQ) : UINT64_MAX;
    s &= a->daif & A64_SPSR_I ? ~BIT(ARM64_INPUT_IRQ) : UINT64_MAX;
    return s & (a->daif & A64_SPSR_A ? ~BIT(ARM64_INPUT_SERROR) : UINT64_MAX);
}

bool arm64_irq_ready(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);

    if (UNLIKELY(v->due && vcpu_icount(v) >= v->due))
        arm64_pmu_look(a);
    /* The common case, without asking the distributor. */
    if ((a->daif & (A64_SPSR_A | A64_SPSR_I | A64_SPSR_F)) == (A64_SPSR_A | A64_SPSR_I | A64_SPSR_F))
        return false;
    return takeable(a) != 0;
}

void arm64_irq_take(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);
    uint64_t s = takeable(a);

    if (!s)
        return;
    if (UNLIKELY(v->vm->log.trace & TRACE_IRQ))
        trace_write(&v->vm->log, "irq: cpu%u takes %s at pc 0x%llx", v->id,
                    s & BIT(ARM64_INPUT_SERROR) ? "SError"
                    : s & BIT(ARM64_INPUT_FIQ)  ? "FIQ"
                                                : "IRQ",
                    (unsigned long long)v->pc);
    if (s & BIT(ARM64_INPUT_SERROR)) {
        arm64_irq_input(v, ARM64_INPUT_SERROR, false);
        a->esr_el1 = a64_esr(A64_EC_SERROR, 0);
        enter(a, A64_VECTOR_SERROR);
    } else {
        enter(a, s & BIT(ARM64_INPUT_FIQ) ? A64_VECTOR_FIQ : A64_VECTOR_IRQ);
    }
}

void arm64_irq_input(struct vcpu *v, unsigned input, bool level)
{
    struct arm64_vcpu *a = arm64_of(v);

    if (input >= ARM64_INPUTS)
        return;
    if (level)
        atomic_fetch_or(&a->inputs, BIT(input));
    else
        atomic_fetch_and(&a->inputs, ~BIT(input));
}

int arm64_inject(struct vcpu *v, unsigned kind, uint64_t number)
{
    switch (kind) {
    case ARM64_INJECT_INTERRUPT:
    case ARM64_INJECT_CLEAR:
        if (number >= ARM64_INPUTS)
            return -EINVAL;
        arm64_irq_input(v, (unsigned)number, kind == ARM64_INJECT_INTERRUPT);
        if (kind == ARM64_INJECT_INTERRUPT)
            vcpu_request(v, VCPU_REQ_IRQ);
        return 0;
    case ARM64_INJECT_EXCEPTION:
        if (number > UINT32_MAX)
            return -EINVAL;
        arm64_trap(arm64_of(v), number);
        return 0;
    default:
        return -EINVAL;
    }
}
