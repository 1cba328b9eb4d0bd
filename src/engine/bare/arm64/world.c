/* The registers of EL1 and EL0 between a vCPU's struct and the hardware, with and without VHE. */
#include "engine/bare/arm64/hw.h"
#include "platform/bare/irq/irq.h"

#define HCR_GUEST                                                                                            \
    ((uint64_t)HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_IS | HCR_TWI | HCR_TID3 |  \
     HCR_TSC | HCR_TIDCP | HCR_TACR | BIT(31) | BIT(35))

/* name, its name for EL2 under VHE, field of the vCPU */
#define EL1_REGS(X)                                                                                          \
    X(sctlr_el1, S3_5_C1_C0_0, a->sctlr_el1)                                                                 \
    X(cpacr_el1, S3_5_C1_C0_2, a->cpacr_el1)                                                                 \
    X(ttbr0_el1, S3_5_C2_C0_0, a->ttbr0_el1)                                                                 \
    X(ttbr1_el1, S3_5_C2_C0_1, a->ttbr1_el1)                                                                 \
    X(tcr_el1, S3_5_C2_C0_2, a->tcr_el1)                                                                     \
    X(afsr0_el1, S3_5_C5_C1_0, h->afsr0)                                                                     \
    X(afsr1_el1, S3_5_C5_C1_1, h->afsr1)                                                                     \
    X(esr_el1, S3_5_C5_C2_0, a->esr_el1)                                                                     \
    X(far_el1, S3_5_C6_C0_0, a->far_el1)                                                                     \
    X(mair_el1, S3_5_C10_C2_0, a->mair_el1)                                                                  \
    X(amair_el1, S3_5_C10_C3_0, h->amair)                                                                    \
    X(vbar_el1, S3_5_C12_C0_0, a->vbar_el1)                                                                  \
    X(contextidr_el1, S3_5_C13_C0_1, a->contextidr_el1)                                                      \
    X(cntkctl_el1, S3_5_C14_C1_0, a->cntkctl_el1)                                                            \
    X(elr_el1, S3_5_C4_C0_1, a->elr_el1)                                                                     \
    X(spsr_el1, S3_5_C4_C0_0, a->spsr_el1)                                                                   \
    X(cntv_cval_el0, S3_5_C14_C3_2, a->cntv_cval_el0)

/* Those that have one name. */
#define PLAIN_REGS(X)                                                                                        \
    X(sp_el0, a->sp_el0)                                                                                     \
    X(sp_el1, a->sp_el1)                                                                                     \
    X(tpidr_el0, a->tpidr_el0)                                                                               \
    X(tpidrro_el0, a->tpidrro_el0)                                                                           \
    X(tpidr_el1, a->tpidr_el1)                                                                               \
    X(par_el1, a->par_el1)                                                                                   \
    X(csselr_el1, a->csselr_el1)                                                                             \
    X(mdscr_el1, a->mdscr_el1)

#define KEY_REGS(X)                                                                                          \
    X(S3_0_C2_C1_0, a->apia.lo)                                                                              \
    X(S3_0_C2_C1_1, a->apia.hi)                                                                              \
    X(S3_0_C2_C1_2, a->apib.lo)                                                                              \
    X(S3_0_C2_C1_3, a->apib.hi)                                                                              \
    X(S3_0_C2_C2_0, a->apda.lo)                                                                              \
    X(S3_0_C2_C2_1, a->apda.hi)                                                                              \
    X(S3_0_C2_C2_2, a->apdb.lo)                                                                              \
    X(S3_0_C2_C2_3, a->apdb.hi)                                                                              \
    X(S3_0_C2_C3_0, a->apga.lo)                                                                              \
    X(S3_0_C2_C3_1, a->apga.hi)

#define SAVE_EL1(name, el12, field)  field = sys_read(name);
#define SAVE_EL12(name, el12, field) field = sys_read(el12);
#define LOAD_EL1(name, el12, field)  sys_write(name, field);
#define LOAD_EL12(name, el12, field) sys_write(el12, field);
#define SAVE_PLAIN(name, field)      field = sys_read(name);
#define LOAD_PLAIN(name, field)      sys_write(name, field);

/* ---- PSTATE and stack pointers: in the struct x[31] is the one in use ---- */

static void pstate_out(struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;
    uint64_t s = h->spsr;

    a->nzcv = (s & A64_SPSR_N ? ARM64_FLAG_N : 0) | (s & A64_SPSR_Z ? ARM64_FLAG_Z : 0) |
              (s & A64_SPSR_C ? ARM64_FLAG_C : 0) | (s & A64_SPSR_V ? ARM64_FLAG_V : 0);
    a->daif = s & A64_SPSR_DAIF;
    a->el = s >> 2 & 3;
    a->spsel = a->el ? s & 1 : 0;
    a->pan = !!(s & A64_SPSR_PAN);
    a->uao = !!(s & A64_SPSR_UAO);
    a->dit = !!(s & A64_SPSR_DIT);
    a->ssbs = !!(s & A64_SPSR_SSBS);
    a->ss = !!(s & A64_SPSR_SS);
    a->il = !!(s & A64_SPSR_IL);
    a->x[31] = a->el && a->spsel ? a->sp_el1 : a->sp_el0;
    a->v.mode = arm64_mode(a);
    h->packed = false;
}

static void pstate_in(struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;

    *(a->el && a->spsel ? &a->sp_el1 : &a->sp_el0) = a->x[31];
    h->spsr = arm64_spsr(a);
    h->wanted = (uint8_t)lent_wanted(a);
    h->packed = true;
}

/* ---- the virtual timer: guests have it, with an offset ---- */

void hw_vtimer_get(struct hw_vcpu *h)
{
    if (!h->home)
        return;
    if (el2_vhe()) {
        h->a->cntv_ctl_el0 = sys_read(S3_5_C14_C3_1) & 3;
        h->a->cntv_cval_el0 = sys_read(S3_5_C14_C3_2);
    } else {
        h->a->cntv_ctl_el0 = sys_read(cntv_ctl_el0) & 3;
        h->a->cntv_cval_el0 = sys_read(cntv_cval_el0);
    }
}

/* ---- whole worlds ---- */

static void save(struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;

    if (hc->vhe) {
        EL1_REGS(SAVE_EL12)
        h->a->cntv_ctl_el0 = sys_read(S3_5_C14_C3_1) & 3;
        sys_write(S3_5_C14_C3_1, 0);
    } else {
        EL1_REGS(SAVE_EL1)
        h->a->cntv_ctl_el0 = sys_read(cntv_ctl_el0) & 3;
        sys_write(cntv_ctl_el0, 0);
    }
    PLAIN_REGS(SAVE_PLAIN)
    if (h->hcr >> 40 & 1) {
        KEY_REGS(SAVE_PLAIN)
    }
    if (UNLIKELY(hc->open))
        lent_save(hc, h);
    if (atomic_load(&h->asleep) && (h->a->cntv_ctl_el0 & 3) == 1)
        ktimer_set(&h->alarm, h->a->cntv_cval_el0 + h->cntvoff);
    vgic_unload(hc, h);
}

static void load(struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;
    struct vm *vm = a->v.vm;
    struct hw_vm *hv = hw_vm_of(vm);
    unsigned id = hc->cpu->id;

    if (!h->packed)
        pstate_in(h);
    sys_write(vpidr_el2, h->midr);
    sys_write(vmpidr_el2, h->mpidr);
    sys_write(vttbr_el2, stage2_vttbr(hc, vm));
    isb();
    /* Stage 1 entries know ASID and VMID, but not which of the VM's vCPUs made them (D8.13.3). */
    if (hv->last_vcpu[id] != (int)h->a->v.id + 1) {
        if (hv->last_vcpu[id])
            __asm__ volatile("tlbi vmalle1\n\tdsb nsh" ::: "memory");
        hv->last_vcpu[id] = (int)h->a->v.id + 1;
    }
    if (hc->vhe) {
        EL1_REGS(LOAD_EL12)
        sys_write(S3_5_C14_C3_1, h->a->cntv_ctl_el0 & 3);
    } else {
        EL1_REGS(LOAD_EL1)
        sys_write(cntv_ctl_el0, h->a->cntv_ctl_el0 & 3);
    }
    PLAIN_REGS(LOAD_PLAIN)
    if (h->hcr >> 40 & 1) {
        KEY_REGS(LOAD_PLAIN)
    }
    if (UNLIKELY(h->wanted))
        lent_take(hc, h, h->wanted);
    vgic_load(hc, h);
}

static void hw_cpu_init(struct hw_cpu *hc)
{
    hc->vhe = el2_vhe();
    sys_write(hstr_el2, 0);
    sys_write(cnthctl_el2, 0); /* the physical timer and counter are emulated */
    sys_write(vtcr_el2, stage2_vtcr());
    lent_cpu_init(hc);
    vgic_cpu_init(hc);
    isb();
    hc->ready = true;
}

void hw_unload(struct hw_vcpu *h)
{
    struct hw_cpu *hc = hw_here();

    if (h->home != hc->cpu)
        return;
    save(hc, h);
    vgic_off(h);
    h->home = NULL;
    hc->loaded = NULL;
    sched_resident_set(NULL);
}

void hw_load(struct hw_cpu *hc, struct hw_vcpu *h)
{
    if (UNLIKELY(!hc->ready))
        hw_cpu_init(hc);
    if (hc->loaded) {
        save(hc, hc->loaded);
        hc->loaded->home = NULL;
    }
    load(hc, h);
    h->home = hc->cpu;
    h->task = hc->cpu->task;
    hc->loaded = h;
    sched_resident_set(h->task);
}

static void pull_here(void *arg)
{
    struct hw_vcpu *h = arg;

    hw_unload(h);
}

void hw_unpack(struct hw_vcpu *h)
{
    if (!h->packed)
        return;
    pstate_out(h);
    vgic_unpack(h);
    h->packed_interface = false;
}

/* The struct has been written anew: nothing is saved, the timer and list registers are let go. */
static void forget_here(void *arg)
{
    struct hw_vcpu *h = arg;
    struct hw_cpu *hc = hw_here();

    if (h->home == hc->cpu) {
        if (hc->vhe)
            sys_write(S3_5_C14_C3_1, 0);
        else
            sys_write(cntv_ctl_el0, 0);
        lent_drop(hc);
        vgic_drop(h);
        hc->loaded = NULL;
        sched_resident_set(NULL);
    }
    h->home = NULL;
}

/* On the CPU that has them; a task that runs here keeps still meanwhile. */
static void on_home(struct hw_vcpu *h, void (*fn)(void *))
{
    struct cpu *c = h->home;
    bool on = arch_irq_save();

    if (c == arch_cpu()) {
        fn(h);
        c = NULL;
    }
    arch_irq_restore(on);
    if (c)
        ipi_call(BIT(c->id), fn, h);
}

void hw_pull(struct hw_vcpu *h)
{
    if (h->home)
        on_home(h, pull_here);
    hw_unpack(h);
}

void hw_forget(struct hw_vcpu *h)
{
    if (h->home)
        on_home(h, forget_here);
    h->fp_home = NULL;
    h->packed = h->packed_interface = false;
}

uint64_t hw_hcr(bool pauth)
{
    return HCR_GUEST | (el2_vhe() ? BIT(34) : 0) | (pauth ? BIT(40) | BIT(41) : 0);
}
