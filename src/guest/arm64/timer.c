/* The generic timer at EL1 and EL0: counters, the virtual and the physical timer (D12). */
#include "guest/arm64/sysreg.h"
#include "isa/arm64/dt.h"

static uint64_t counter(const struct arm64_vcpu *a)
{
    return clock_ticks(a->v.vm, arm64_counter_hz(a));
}

void arm64_private_line(struct arm64_vcpu *a, unsigned intid, bool level)
{
    unsigned input = intid - A64_INTID_PPI;
    uint32_t lines = (a->lines & ~(1u << input)) | (uint32_t)level << input;

    if (lines == a->lines || !a->v.dist)
        return;
    a->lines = lines;
    a->v.dist->ops->private_input(a->v.dist, &a->v, input, level);
}

/* One of the two timers of EL1. */
struct one {
    uint64_t *ctl, *cval;
    struct timer *timer;
    unsigned intid;
};

static struct one timer_one(struct arm64_vcpu *a, bool virt)
{
    return virt ? (struct one){&a->cntv_ctl_el0, &a->cntv_cval_el0, &a->vtimer, A64_INTID_TIMER_VIRT}
                : (struct one){&a->cntp_ctl_el0, &a->cntp_cval_el0, &a->ptimer, A64_INTID_TIMER_PHYS};
}

/* The line is a level: enabled, due, not masked (D12.2.4). */
static void update(struct arm64_vcpu *a, const struct one *o)
{
    bool enabled = *o->ctl & A64_CNT_CTL_ENABLE, due = enabled && counter(a) >= *o->cval;
    bool waits = enabled && !due && !(*o->ctl & A64_CNT_CTL_IMASK) && *o->cval != UINT64_MAX;

    arm64_private_line(a, o->intid, due && !(*o->ctl & A64_CNT_CTL_IMASK));
    timer_set(o->timer, waits ? clock_ticks_to_ns(*o->cval, arm64_counter_hz(a)) : TIMER_NEVER);
    a->changed |= ARM64_CHANGED_IRQ;
}

/* On the vCPU's own task, between two stays in the engine. */
static void fire(struct arm64_vcpu *a, bool virt)
{
    struct one o = timer_one(a, virt);

    update(a, &o);
    a->changed &= ~ARM64_CHANGED_IRQ; /* the distributor requests a look */
}

void arm64_vtimer_fire(void *opaque)
{
    fire(opaque, true);
}

void arm64_ptimer_fire(void *opaque)
{
    fire(opaque, false);
}

/* ---- registers; CNTKCTL_EL1 says what EL0 may ---- */

static bool is_virtual(unsigned code)
{
    return code == A64_SYSREG_cntvct_el0 || a64_sysreg_crm(code) == 3;
}

static bool allowed(const struct arm64_vcpu *a, unsigned code)
{
    switch (code) {
    case A64_SYSREG_cntfrq_el0:
        return a->cntkctl_el1 & (A64_CNTKCTL_EL0PCTEN | A64_CNTKCTL_EL0VCTEN);
    case A64_SYSREG_cntpct_el0:
        return a->cntkctl_el1 & A64_CNTKCTL_EL0PCTEN;
    case A64_SYSREG_cntvct_el0:
        return a->cntkctl_el1 & A64_CNTKCTL_EL0VCTEN;
    default:
        return a->cntkctl_el1 & (is_virtual(code) ? A64_CNTKCTL_EL0VTEN : A64_CNTKCTL_EL0PTEN);
    }
}

bool arm64_timer_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    struct one o = timer_one(a, is_virtual(code));

    if (arm64_sys_trap_el0(a, allowed(a, code)))
        return false;
    switch (code) {
    case A64_SYSREG_cntvct_el0:
    case A64_SYSREG_cntpct_el0:
        *value = counter(a);
        break;
    case A64_SYSREG_cntfrq_el0:
        *value = a->cntfrq_el0;
        break;
    case A64_SYSREG_cntv_ctl_el0:
    case A64_SYSREG_cntp_ctl_el0:
        *value = *o.ctl;
        if (*o.ctl & A64_CNT_CTL_ENABLE && counter(a) >= *o.cval)
            *value |= A64_CNT_CTL_ISTATUS;
        break;
    case A64_SYSREG_cntv_cval_el0:
    case A64_SYSREG_cntp_cval_el0:
        *value = *o.cval;
        break;
    default: /* TVAL: what is left, 32 bits */
        *value = (uint32_t)(*o.cval - counter(a));
        break;
    }
    return true;
}

bool arm64_timer_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    struct one o = timer_one(a, is_virtual(code));

    if (arm64_sys_trap_el0(a, allowed(a, code)))
        return false;
    switch (code) {
    case A64_SYSREG_cntfrq_el0:
        a->cntfrq_el0 = (uint32_t)value;
        return true;
    case A64_SYSREG_cntv_ctl_el0:
    case A64_SYSREG_cntp_ctl_el0:
        *o.ctl = value & (A64_CNT_CTL_ENABLE | A64_CNT_CTL_IMASK);
        break;
    case A64_SYSREG_cntv_cval_el0:
    case A64_SYSREG_cntp_cval_el0:
        *o.cval = value;
        break;
    default:
        *o.cval = counter(a) + (uint64_t)bits_sext(value, 32);
        break;
    }
    update(a, &o);
    return true;
}
