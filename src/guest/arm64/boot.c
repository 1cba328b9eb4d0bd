/* A PE's making and reset, its entry, randomness, and the state table. */
#include "guest/arm64/cpu.h"
#include "lib/err.h"
#include "lib/rng.h"
#include "lib/str.h"

#define R(field, flags)  STATE_FIELD(struct arm64_vcpu, field, REGS_SYSTEM, flags)
#define RA(field, flags) STATE_ARRAY(struct arm64_vcpu, field, REGS_SYSTEM, flags)
#define RI(field, flags) STATE_FIELD(struct arm64_vcpu, field, REGS_INTERRUPT, flags)

const struct state_field arm64_state[] = {
    {"pc", offsetof(struct arm64_vcpu, v.pc), 8, 1, REGS_GENERAL, STATE_REG},
    {"x", offsetof(struct arm64_vcpu, x), 8, 31, REGS_GENERAL, STATE_REG},
    {"sp", offsetof(struct arm64_vcpu, x) + 8 * 31, 8, 1, REGS_GENERAL, STATE_REG},
    {"nzcv", offsetof(struct arm64_vcpu, nzcv), 8, 1, REGS_GENERAL, STATE_REG},
    {"v", offsetof(struct arm64_vcpu, q), 16, 32, REGS_FP, STATE_REG},
    {"fp_flags", offsetof(struct arm64_vcpu, v.fp_flags), 8, 1, REGS_FP, 0},
    {"qc", offsetof(struct arm64_vcpu, qc), 8, 1, REGS_FP, 0},
    {"fpcr", offsetof(struct arm64_vcpu, fpcr), 8, 1, REGS_FP, STATE_REG},
    R(daif, STATE_REG),
    R(el, STATE_REG),
    R(spsel, STATE_REG),
    R(pan, STATE_REG),
    R(uao, STATE_REG),
    R(dit, STATE_REG),
    R(ssbs, STATE_REG),
    R(ss, STATE_REG),
    R(il, STATE_REG),
    R(sp_el0, STATE_REG),
    R(sp_el1, STATE_REG),
    R(tpidr_el0, STATE_REG),
    R(tpidrro_el0, STATE_REG),
    R(tpidr_el1, STATE_REG),
    R(elr_el1, STATE_REG),
    R(spsr_el1, STATE_REG),
    R(esr_el1, STATE_REG),
    R(far_el1, STATE_REG),
    R(vbar_el1, STATE_REG),
    R(sctlr_el1, STATE_REG),
    R(cpacr_el1, STATE_REG),
    R(ttbr0_el1, STATE_REG),
    R(ttbr1_el1, STATE_REG),
    R(tcr_el1, STATE_REG),
    R(mair_el1, STATE_REG),
    R(contextidr_el1, STATE_REG),
    R(par_el1, STATE_REG),
    R(csselr_el1, STATE_REG),
    R(apia, 0),
    R(apib, 0),
    R(apda, 0),
    R(apdb, 0),
    R(apga, 0),
    R(mdscr_el1, STATE_REG),
    R(oslsr_el1, STATE_REG),
    R(osdlr_el1, STATE_REG),
    R(osdtrrx_el1, 0),
    R(osdtrtx_el1, 0),
    R(dbgclaim, 0),
    R(oseccr_el1, 0),
    RA(dbgbvr, STATE_REG),
    RA(dbgbcr, STATE_REG),
    RA(dbgwvr, STATE_REG),
    RA(dbgwcr, STATE_REG),
    R(pmcr_el0, STATE_REG),
    R(pmcntenset_el0, STATE_REG),
    R(pmintenset_el1, STATE_REG),
    R(pmovsset_el0, STATE_REG),
    R(pmuserenr_el0, STATE_REG),
    R(pmselr_el0, STATE_REG),
    R(pmccntr_base, 0),
    R(pm_cycle_wrap, 0),
    R(pmccfiltr_el0, STATE_REG),
    RA(pmevcntr_base, 0),
    RA(pmevtyper, STATE_REG),
    R(cntkctl_el1, STATE_REG),
    R(cntfrq_el0, STATE_REG),
    R(cntv_ctl_el0, STATE_REG),
    R(cntv_cval_el0, STATE_REG),
    R(cntp_ctl_el0, STATE_REG),
    R(cntp_cval_el0, STATE_REG),
    RI(icc_pmr, STATE_REG),
    RI(icc_bpr0, STATE_REG),
    RI(icc_bpr1, STATE_REG),
    RI(icc_ctlr, STATE_REG),
    RI(icc_igrpen0, STATE_REG),
    RI(icc_igrpen1, STATE_REG),
    RI(icc_ap0r, STATE_REG),
    RI(icc_ap1r, STATE_REG),
    {"inputs", offsetof(struct arm64_vcpu, inputs), 8, 1, REGS_INTERRUPT, 0},
    {"event", offsetof(struct arm64_vcpu, event), 8, 1, REGS_INTERRUPT, 0},
    STATE_END,
};

uint64_t arm64_mpidr(unsigned id)
{
    return A64_MPIDR_RES1 | a64_affinity(id);
}

void arm64_random(struct arm64_vcpu *a, void *buf, size_t size)
{
    struct rng r;

    if (!a->v.vm->desc.deterministic && !plat_random(buf, size))
        return;
    rng_init(&r, vcpu_icount(&a->v) << 8 ^ a->v.id);
    rng_bytes(&r, buf, size);
}

int arm64_vcpu_init(struct vcpu *v, const struct vm_desc *desc)
{
    struct arm64_vcpu *a = arm64_of(v);
    char why[128];
    int err = arm64_features_parse(desc->cpu, &a->cpu, why, sizeof(why));

    if (!err)
        err = timer_init(&a->vtimer, v->vm, arm64_vtimer_fire, a);
    if (!err)
        err = timer_init(&a->ptimer, v->vm, arm64_ptimer_fire, a);
    if (!err)
        err = timer_init(&a->etimer, v->vm, arm64_event_fire, a);
    if (!err)
        err = timer_home(&a->etimer, v->id);
    if (!err)
        err = timer_home(&a->vtimer, v->id);
    if (!err)
        err = timer_home(&a->ptimer, v->id);
    if (err) {
        arm64_vcpu_fini(v);
        return err;
    }
    a->mode_fixed = arm64_features_mode(a->cpu.features);
    a->psci = 1;
    a->el = 1;
    v->mode = arm64_mode(a);
    return 0;
}

void arm64_vcpu_fini(struct vcpu *v)
{
    timer_fini(&arm64_of(v)->vtimer);
    timer_fini(&arm64_of(v)->ptimer);
    timer_fini(&arm64_of(v)->etimer);
}

/* D1.8: EL1 with its own stack pointer, all interrupts masked, the OS lock on; the rest is ours: zeros. */
void arm64_reset(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);
    const size_t from = offsetof(struct arm64_vcpu, x), to = offsetof(struct arm64_vcpu, cpu);

    timer_cancel(&a->vtimer);
    timer_cancel(&a->ptimer);
    timer_cancel(&a->etimer);
    atomic_store(&a->waits_event, false);
    memset((char *)a + from, 0, to - from);
    a->el = a->spsel = 1;
    a->daif = A64_SPSR_DAIF;
    a->sctlr_el1 = ARM64_SCTLR_RES1;
    a->oslsr_el1 = A64_OSLSR_OSLK;
    a->cntfrq_el0 = arm64_counter_hz(a);
    a->icc_bpr0 = 2;
    a->icc_bpr1 = 3;
    a->lines = 0; /* the distributor was reset too, or the timers drive it again */
    a->walk_generation++;
    a->user_generation++;
    v->fp_flags = 0;
    v->resv_addr = UINT64_MAX;
    v->due = 0;
    v->pc = 0;
    if (v->vm->engine->push)
        v->vm->engine->push(v, REGS_ALL);
    arm64_settle(a);
    v->leave = 0;
}

/* Boot protocol and PSCI alike: x0 has the device tree, or CPU_ON's context; its own number it knows itself.
 */
void arm64_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1)
{
    struct arm64_vcpu *a = arm64_of(v);

    (void)arg0;
    a->x[0] = arg1;
    v->pc = entry;
    arm64_settle(a);
    v->leave = 0;
}
