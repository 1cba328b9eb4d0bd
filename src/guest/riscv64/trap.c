/* Exceptions, interrupts, returns from them, and the mode word that privilege and status make. */
#include "guest/riscv64/cpu.h"
#include "lib/err.h"

/* ---- mode word ---- */

static unsigned data_priv(const struct riscv_vcpu *r)
{
    return r->mstatus & RV_MSTATUS_MPRV ? rv_field_get(r->mstatus, RV_MSTATUS_MPP) : r->priv;
}

static uint64_t mode_fs(const struct riscv_vcpu *r)
{
    switch (rv_field_get(r->mstatus, RV_MSTATUS_FS)) {
    case RV_FS_OFF:
        return RISCV_FS_OFF;
    case RV_FS_DIRTY:
        return RISCV_FS_DIRTY;
    default:
        return RISCV_FS_CLEAN;
    }
}

/* Cache-block instructions by the environment configuration (Unprivileged, 19.5; CMO 1.0, 2.5). */
static uint64_t mode_cbo(const struct riscv_vcpu *r)
{
    uint64_t env = r->priv == RV_PRIV_M ? UINT64_MAX : r->menvcfg;
    uint64_t cbie;

    if (r->priv == RV_PRIV_U)
        env &= r->senvcfg;
    cbie = rv_field_get(env, RV_ENVCFG_CBIE);
    /* S says "invalidate" and M "flush": the weaker holds; one of them "illegal" is illegal. */
    return (env & RV_ENVCFG_CBZE ? RISCV_MODE_CBZE : 0) | (env & RV_ENVCFG_CBCFE ? RISCV_MODE_CBCFE : 0) |
           rv_field_set(0, RISCV_MODE_CBIE, cbie);
}

uint64_t riscv_mode(const struct riscv_vcpu *r)
{
    unsigned priv = data_priv(r);
    bool vm = priv != RV_PRIV_M && r->satp & RV_SATP_MODE;

    return r->mode_fixed | r->priv | (uint64_t)priv << 2 |
           (vm && priv == RV_PRIV_S && r->mstatus & RV_MSTATUS_SUM ? RISCV_MODE_SUM : 0) |
           (vm && r->mstatus & RV_MSTATUS_MXR ? RISCV_MODE_MXR : 0) | (vm ? RISCV_MODE_DATA_VM : 0) |
           rv_field_set(0, RISCV_MODE_FS, mode_fs(r)) | rv_field_set(0, RISCV_MODE_FRM, r->frm) | mode_cbo(r);
}

/* Whatever is flushed, pointers to tables are forgotten too: they are found again soon. */
void riscv_flush(struct vcpu *v, const struct flush_scope *scope)
{
    riscv_of(v)->walk_generation++;
    if (v->vm->engine->flush)
        v->vm->engine->flush(v, scope);
}

void riscv_fetch_barrier(struct vcpu *v)
{
    if (v->vm->engine->fetch_barrier)
        v->vm->engine->fetch_barrier(v);
}

bool riscv_settle(struct riscv_vcpu *r)
{
    struct vcpu *v = &r->v;
    uint64_t mode = riscv_mode(r);
    bool context = mode != v->mode || r->changed & (RISCV_CHANGED_CONTEXT | RISCV_CHANGED_TLB);
    bool irq = r->changed & RISCV_CHANGED_IRQ && riscv_irq_ready(v);

    if (r->changed & RISCV_CHANGED_TLB)
        riscv_flush(v, &(struct flush_scope){.kind = FLUSH_ALL});
    r->changed = 0;
    v->mode = mode;
    if (context && v->vm->engine->context_changed)
        v->vm->engine->context_changed(v);
    if (irq)
        atomic_fetch_or(&v->request, VCPU_REQ_IRQ);
    if (context || irq)
        v->leave = 1;
    return context || irq;
}

/* ---- traps (Privileged, 3.1.6.1, 3.1.7, 10.1.2) ---- */

static uint64_t vector(uint64_t tvec, uint64_t cause)
{
    uint64_t base = tvec & RV_TVEC_BASE;

    return tvec & RV_TVEC_VECTORED && cause & RV_CAUSE_INTERRUPT ? base + 4 * (cause & ~RV_CAUSE_INTERRUPT)
                                                                 : base;
}

static void trap_to_s(struct riscv_vcpu *r, uint64_t cause, uint64_t tval)
{
    uint64_t sie = rv_field_get(r->mstatus, RV_MSTATUS_SIE);

    r->sepc = r->v.pc;
    r->scause = cause;
    r->stval = tval;
    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_SPIE, sie);
    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_SPP, r->priv) & ~RV_MSTATUS_SIE;
    r->priv = RV_PRIV_S;
    r->v.pc = vector(r->stvec, cause);
}

static void trap_to_m(struct riscv_vcpu *r, uint64_t cause, uint64_t tval)
{
    uint64_t mie = rv_field_get(r->mstatus, RV_MSTATUS_MIE);

    r->mepc = r->v.pc;
    r->mcause = cause;
    r->mtval = tval;
    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_MPIE, mie);
    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_MPP, r->priv) & ~RV_MSTATUS_MIE;
    r->priv = RV_PRIV_M;
    r->v.pc = vector(r->mtvec, cause);
}

static void trap(struct riscv_vcpu *r, uint64_t cause, uint64_t tval, uint64_t deleg)
{
    if (UNLIKELY(r->v.vm->log.trace & TRACE_EXC))
        trace_write(&r->v.vm->log, "exc: cpu%u cause 0x%llx tval 0x%llx pc 0x%llx priv %u", r->v.id,
                    (unsigned long long)cause, (unsigned long long)tval, (unsigned long long)r->v.pc,
                    r->priv);
    if (r->priv != RV_PRIV_M && deleg >> (cause & 63) & 1)
        trap_to_s(r, cause, tval);
    else
        trap_to_m(r, cause, tval);
    riscv_settle(r);
    r->v.leave = 1;
}

void riscv_trap(struct riscv_vcpu *r, uint64_t cause, uint64_t tval)
{
    static const uint8_t event[] = {
        [RV_EXC_ILLEGAL_INSN] = RV_SBI_FW_ILLEGAL_INSN + 1,
        [RV_EXC_LOAD_MISALIGNED] = RV_SBI_FW_MISALIGNED_LOAD + 1,
        [RV_EXC_LOAD_ACCESS] = RV_SBI_FW_ACCESS_LOAD + 1,
        [RV_EXC_STORE_MISALIGNED] = RV_SBI_FW_MISALIGNED_STORE + 1,
        [RV_EXC_STORE_ACCESS] = RV_SBI_FW_ACCESS_STORE + 1,
    };

    r->v.stat.exceptions++;
    if (cause < ARRAY_SIZE(event) && event[cause])
        riscv_fw_event(r, event[cause] - 1);
    trap(r, cause, tval, r->medeleg);
}

/* Both returns: interrupts as before the trap, the previous privilege becomes U, pc as saved. */
static void trap_return(struct riscv_vcpu *r, unsigned priv, uint64_t epc)
{
    /* Privileged, 3.1.6.3: leaving M-mode ends MPRV. */
    if (priv != RV_PRIV_M)
        r->mstatus &= ~RV_MSTATUS_MPRV;
    r->priv = (uint8_t)priv;
    r->v.pc = riscv_has(r, RVF_C) ? epc : epc & ~UINT64_C(3); /* epc[1] reads 0 without C (3.1.14) */
    r->changed |= RISCV_CHANGED_IRQ;
    riscv_settle(r);
}

void riscv_mret(struct riscv_vcpu *r)
{
    unsigned priv = (unsigned)rv_field_get(r->mstatus, RV_MSTATUS_MPP);

    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_MIE, rv_field_get(r->mstatus, RV_MSTATUS_MPIE));
    r->mstatus = (r->mstatus | RV_MSTATUS_MPIE) & ~RV_MSTATUS_MPP;
    trap_return(r, priv, r->mepc);
}

void riscv_sret(struct riscv_vcpu *r)
{
    unsigned priv = (unsigned)rv_field_get(r->mstatus, RV_MSTATUS_SPP);

    r->mstatus = rv_field_set(r->mstatus, RV_MSTATUS_SIE, rv_field_get(r->mstatus, RV_MSTATUS_SPIE));
    r->mstatus = (r->mstatus | RV_MSTATUS_SPIE) & ~RV_MSTATUS_SPP;
    trap_return(r, priv, r->sepc);
}

/* ---- interrupts ---- */

uint64_t riscv_mip(const struct riscv_vcpu *r)
{
    return atomic_load(&r->mip) | r->seip_soft;
}

int riscv_irq_top(uint64_t pending)
{
    static const uint8_t order[] = {RV_INT_MEI, RV_INT_MSI, RV_INT_MTI,  RV_INT_SEI,
                                    RV_INT_SSI, RV_INT_STI, RV_INT_LCOFI};

    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        if (pending >> order[i] & 1)
            return order[i];
    }
    return -1;
}

/* The bits that can be taken now: those of M before those of S (Privileged, 3.1.9). */
static uint64_t takeable(const struct riscv_vcpu *r)
{
    uint64_t pending = riscv_mip(r) & r->mie;
    uint64_t m = pending & ~r->mideleg, s = pending & r->mideleg;

    if (LIKELY(!pending))
        return 0;
    if (m && (r->priv != RV_PRIV_M || r->mstatus & RV_MSTATUS_MIE))
        return m;
    if (s && (r->priv == RV_PRIV_U || (r->priv == RV_PRIV_S && r->mstatus & RV_MSTATUS_SIE)))
        return s;
    return 0;
}

bool riscv_irq_ready(struct vcpu *v)
{
    return takeable(riscv_of(v)) != 0;
}

void riscv_irq_take(struct vcpu *v)
{
    struct riscv_vcpu *r = riscv_of(v);
    int n = riscv_irq_top(takeable(r));

    if (n < 0)
        return;
    if (UNLIKELY(v->vm->log.trace & TRACE_IRQ))
        trace_write(&v->vm->log, "irq: cpu%u takes %d at pc 0x%llx", v->id, n, (unsigned long long)v->pc);
    trap(r, RV_CAUSE_INTERRUPT | (unsigned)n, 0, r->mideleg);
}

/* WFI goes on when an interrupt is pending and enabled by itself, delegation and SIE apart (3.3.3). */
bool riscv_irq_wakeup(struct vcpu *v)
{
    struct riscv_vcpu *r = riscv_of(v);

    return (riscv_mip(r) & r->mie) != 0;
}

void riscv_irq_input(struct vcpu *v, unsigned input, bool level)
{
    struct riscv_vcpu *r = riscv_of(v);

    if (input > 63)
        return;
    if (level)
        atomic_fetch_or(&r->mip, BIT(input));
    else
        atomic_fetch_and(&r->mip, ~BIT(input));
}

int riscv_inject(struct vcpu *v, unsigned kind, uint64_t number)
{
    if (number > 63)
        return -EINVAL;
    switch (kind) {
    case RISCV_INJECT_INTERRUPT:
    case RISCV_INJECT_CLEAR:
        if (riscv_irq_top(BIT(number)) < 0)
            return -EINVAL;
        riscv_irq_input(v, (unsigned)number, kind == RISCV_INJECT_INTERRUPT);
        if (kind == RISCV_INJECT_INTERRUPT)
            vcpu_request(v, VCPU_REQ_IRQ);
        return 0;
    case RISCV_INJECT_EXCEPTION:
        riscv_trap(riscv_of(v), number, 0);
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- the supervisor timer (Sstc; SBI's set_timer is the same register) ---- */

static bool stimer_on(const struct riscv_vcpu *r)
{
    return r->sbi || r->menvcfg & RV_ENVCFG_STCE;
}

void riscv_stimecmp_write(struct riscv_vcpu *r, uint64_t ticks)
{
    struct vm *vm = r->v.vm;
    uint64_t hz = clock_counter_hz(vm, RISCV_TIMEBASE_HZ);
    bool due;

    r->stimecmp = ticks;
    if (!stimer_on(r)) {
        timer_cancel(&r->stimer);
        return;
    }
    due = clock_ticks(vm, hz) >= ticks;
    riscv_irq_input(&r->v, RV_INT_STI, due);
    timer_set(&r->stimer, due || ticks == UINT64_MAX ? TIMER_NEVER : clock_ticks_to_ns(ticks, hz));
    r->changed |= RISCV_CHANGED_IRQ;
}

/* On the hart's own task, between two stays in the engine. */
void riscv_stimer_fire(void *opaque)
{
    struct riscv_vcpu *r = opaque;

    if (!stimer_on(r))
        return;
    riscv_irq_input(&r->v, RV_INT_STI, true);
    vcpu_request(&r->v, VCPU_REQ_IRQ);
}
