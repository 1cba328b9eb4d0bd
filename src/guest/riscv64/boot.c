/* A hart's making and reset, entry for firmware and for kernels, and the state table. */
#include "guest/riscv64/cpu.h"
#include "lib/err.h"
#include "lib/str.h"

#define R(field, flags)  STATE_FIELD(struct riscv_vcpu, field, REGS_SYSTEM, flags)
#define RA(field, flags) STATE_ARRAY(struct riscv_vcpu, field, REGS_SYSTEM, flags)

const struct state_field riscv_state[] = {
    {"pc", offsetof(struct riscv_vcpu, v.pc), 8, 1, REGS_GENERAL, STATE_REG},
    {"x", offsetof(struct riscv_vcpu, x), 8, 32, REGS_GENERAL, STATE_REG},
    {"f", offsetof(struct riscv_vcpu, f), 8, 32, REGS_FP, STATE_REG},
    {"fflags", offsetof(struct riscv_vcpu, v.fp_flags), 8, 1, REGS_FP, STATE_REG},
    {"frm", offsetof(struct riscv_vcpu, frm), 8, 1, REGS_FP, STATE_REG},
    {"priv", offsetof(struct riscv_vcpu, priv), 1, 1, REGS_SYSTEM, STATE_REG},
    R(mstatus, STATE_REG),
    R(mtvec, STATE_REG),
    R(mscratch, STATE_REG),
    R(mepc, STATE_REG),
    R(mcause, STATE_REG),
    R(mtval, STATE_REG),
    R(stvec, STATE_REG),
    R(sscratch, STATE_REG),
    R(sepc, STATE_REG),
    R(scause, STATE_REG),
    R(stval, STATE_REG),
    R(medeleg, STATE_REG),
    R(mideleg, STATE_REG),
    R(mie, STATE_REG),
    {"mip", offsetof(struct riscv_vcpu, mip), 8, 1, REGS_INTERRUPT, STATE_REG},
    R(seip_soft, 0),
    R(menvcfg, STATE_REG),
    R(senvcfg, STATE_REG),
    R(satp, STATE_REG),
    R(mcounteren, STATE_REG),
    R(scounteren, STATE_REG),
    R(mcountinhibit, STATE_REG),
    R(stimecmp, STATE_REG),
    R(miselect, STATE_REG),
    R(siselect, STATE_REG),
    R(cycle_base, 0),
    R(instret_base, 0),
    {"fw_event", offsetof(struct riscv_vcpu, fw_event), 8, RV_SBI_FW_EVENTS, REGS_SYSTEM, 0},
    {"fw_counter", offsetof(struct riscv_vcpu, fw_counter), 8, 2 * RISCV_FW_COUNTERS, REGS_SYSTEM, 0},
    RA(pmpaddr, STATE_REG),
    RA(pmpcfg, STATE_REG),
    STATE_END,
};

/* Interrupt files, "aia=aplic-imsic" among the machine's options, bring the AIA's CSRs. */
static bool wants_aia(const char *options)
{
    static const char word[] = "aia=aplic-imsic";
    const size_t n = sizeof(word) - 1;

    for (const char *s = options; s && *s; s = strchr(s, ',')) {
        s += *s == ',';
        if (!strncmp(s, "aia=", 4))
            return !strncmp(s, word, n) && (!s[n] || s[n] == ',');
        if (!strchr(s, ','))
            break;
    }
    return false;
}

int riscv_vcpu_init(struct vcpu *v, const struct vm_desc *desc)
{
    struct riscv_vcpu *r = riscv_of(v);
    char why[128];
    int err;

    if (!v->vm->guest_vm) {
        v->vm->guest_vm = plat_alloc(sizeof(struct riscv_vm));
        if (!v->vm->guest_vm)
            return -ENOMEM;
    }
    err = riscv_features_parse(desc->cpu, &r->features, why, sizeof(why));
    if (!err)
        err = timer_init(&r->stimer, v->vm, riscv_stimer_fire, r);
    if (!err)
        err = timer_home(&r->stimer, v->id);
    if (err) {
        riscv_vcpu_fini(v);
        return err;
    }
    if (wants_aia(desc->machine_options))
        r->features |= BIT(RVF_SMAIA) | BIT(RVF_SSAIA);
    r->mode_fixed = riscv_features_mode(r->features);
    r->sbi = !desc->firmware;
    r->priv = RV_PRIV_M;
    v->mode = riscv_mode(r);
    return 0;
}

/* The VM's part goes with the last hart: harts are unmade in the order of their making. */
void riscv_vcpu_fini(struct vcpu *v)
{
    timer_fini(&riscv_of(v)->stimer);
    if (v->id + 1 == v->vm->vcpu_count || !v->vm->vcpu_count) {
        plat_free(v->vm->guest_vm);
        v->vm->guest_vm = NULL;
    }
}

/* Privileged, 3.4: M-mode, MIE and MPRV 0; the rest is ours to choose: zeros. */
void riscv_reset(struct vcpu *v)
{
    struct riscv_vcpu *r = riscv_of(v);
    const size_t from = offsetof(struct riscv_vcpu, x), to = offsetof(struct riscv_vcpu, priv);

    timer_cancel(&r->stimer);
    memset((char *)r + from, 0, to - from);
    r->priv = RV_PRIV_M;
    r->mstatus = rv_field_set(rv_field_set(0, RV_MSTATUS_UXL, RV_XL_64), RV_MSTATUS_SXL, RV_XL_64);
    r->stimecmp = UINT64_MAX;
    r->cycle_base = r->instret_base = -vcpu_icount(v);
    r->walk_generation++;
    v->fp_flags = 0;
    v->resv_addr = UINT64_MAX;
    v->pc = 0;
    if (v->vm->engine->push)
        v->vm->engine->push(v, REGS_ALL);
    riscv_pmp_update(r);
    riscv_settle(r);
    v->leave = 0;
}

/* What firmware leaves behind for the kernel (SBI 2.0; Linux, Documentation/arch/riscv/boot.rst). */
static void enter_s_mode(struct riscv_vcpu *r)
{
    const uint64_t env =
        RV_ENVCFG_STCE | RV_ENVCFG_PBMTE | RV_ENVCFG_ADUE | RV_ENVCFG_CBZE | RV_ENVCFG_CBCFE | RV_ENVCFG_CBIE;
    const struct {
        unsigned number;
        uint64_t value;
    } set[] = {
        {RV_CSR_medeleg, ~(BIT(RV_EXC_ECALL_S))},
        {RV_CSR_mideleg, UINT64_MAX},
        {RV_CSR_mcounteren, RV_COUNTER_CY | RV_COUNTER_TM | RV_COUNTER_IR},
        {RV_CSR_menvcfg, env},
        {RV_CSR_pmpaddr0, RV_PMPADDR_MASK},
        {RV_CSR_pmpcfg0, RV_PMP_R | RV_PMP_W | RV_PMP_X | RV_PMP_NAPOT << 3},
    };
    struct riscv_csr_info csr;

    for (unsigned i = 0; i < ARRAY_SIZE(set); i++) {
        if (riscv_csr_lookup(set[i].number, RV_PRIV_M, true, &csr))
            riscv_csr_set(r, csr.row, set[i].value, UINT64_MAX);
    }
    r->priv = RV_PRIV_S;
}

void riscv_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1)
{
    struct riscv_vcpu *r = riscv_of(v);

    r->x[RV_REG_A0] = arg0;
    r->x[RV_REG_A1] = arg1;
    v->pc = entry;
    if (r->sbi)
        enter_s_mode(r);
    riscv_settle(r);
    v->leave = 0;
}
