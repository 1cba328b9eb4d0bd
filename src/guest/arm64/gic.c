/*
 * The CPU interface of a GICv3 as system registers (IHI 0069, 4.6, 4.8, 12.2): one Security state, groups 0
 * (FIQ) and 1 (IRQ), 5 bits of priority, 32 preemption levels. What is pending stands in the distributor.
 */
#include "guest/arm64/sysreg.h"

#define PRIORITY_MASK 0xf8u
#define IDLE          0xffu
enum { BPR0_MIN = 2, BPR1_MIN = 3 };

/* The bits of a priority that decide about preemption: BPR1's field is one lower (4.8.2). */
static unsigned group_mask(const struct arm64_vcpu *a, unsigned group)
{
    unsigned bpr;

    if (group == 0 || a->icc_ctlr & A64_ICC_CTLR_CBPR)
        bpr = (unsigned)a->icc_bpr0 + 1;
    else
        bpr = (unsigned)a->icc_bpr1;
    return ~0u << bpr & 0xff;
}

static unsigned running_priority(const struct arm64_vcpu *a)
{
    uint64_t active = a->icc_ap0r | a->icc_ap1r;

    return active ? (unsigned)__builtin_ctzll(active) << 3 : IDLE;
}

/* Whether the CPU interface signals this one: enabled group, priority above mask and above what runs. */
static bool passes(const struct arm64_vcpu *a, uint64_t top)
{
    unsigned priority = DIST_TOP_PRIORITY(top), group = DIST_TOP_GROUP(top);

    if (top == DIST_NONE || !(group ? a->icc_igrpen1 : a->icc_igrpen0) || priority >= a->icc_pmr)
        return false;
    return (priority & group_mask(a, group)) < running_priority(a);
}

static uint64_t top_of(struct arm64_vcpu *a)
{
    return a->v.dist->ops->top(a->v.dist, &a->v);
}

uint64_t arm64_gic_signals(struct arm64_vcpu *a)
{
    uint64_t top = top_of(a);

    if (LIKELY(top == DIST_NONE) || !passes(a, top))
        return 0;
    return BIT(DIST_TOP_GROUP(top) ? ARM64_INPUT_IRQ : ARM64_INPUT_FIQ);
}

static uint64_t acknowledge(struct arm64_vcpu *a, unsigned group)
{
    for (;;) {
        uint64_t top = top_of(a);

        if (!passes(a, top) || DIST_TOP_GROUP(top) != group)
            return A64_ICC_SPURIOUS;
        if (!a->v.dist->ops->activate(a->v.dist, &a->v, top))
            continue;
        *(group ? &a->icc_ap1r : &a->icc_ap0r) |= BIT((DIST_TOP_PRIORITY(top) & group_mask(a, group)) >> 3);
        return DIST_TOP_ID(top);
    }
}

/* Priority drop of the highest active one; and, unless EOImode keeps that for DIR, deactivation. */
static void end(struct arm64_vcpu *a, unsigned group, uint64_t id)
{
    uint64_t *active = group ? &a->icc_ap1r : &a->icc_ap0r;

    if (id >= 1020 && id <= A64_ICC_SPURIOUS)
        return;
    *active &= *active - 1;
    if (!(a->icc_ctlr & A64_ICC_CTLR_EOIMODE))
        a->v.dist->ops->deactivate(a->v.dist, &a->v, (unsigned)id);
}

/* PEs of one Aff3.Aff2.Aff1 by a list of Aff0; IRM: all but this one (12.2.20). */
static void send(struct arm64_vcpu *a, uint64_t value, unsigned group)
{
    const struct vm *vm = a->v.vm;
    uint64_t mask = 0;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        uint64_t affinity = arm64_mpidr(i);

        if (value & A64_ICC_SGIR_IRM)
            mask |= i != a->v.id ? BIT(i) : 0;
        else if (a64_field_get(affinity, A64_MPIDR_AFF1) == a64_field_get(value, A64_ICC_SGIR_AFF1) &&
                 a64_field_get(affinity, A64_MPIDR_AFF2) == a64_field_get(value, A64_ICC_SGIR_AFF2) &&
                 a64_field_get(affinity, A64_MPIDR_AFF3) == a64_field_get(value, A64_ICC_SGIR_AFF3) &&
                 !(value & A64_ICC_SGIR_RS))
            mask |= value >> a64_field_get(affinity, A64_MPIDR_AFF0) & 1 ? BIT(i) : 0;
    }
    if (mask)
        a->v.dist->ops->software(a->v.dist, &a->v, (unsigned)a64_field_get(value, A64_ICC_SGIR_INTID), group,
                                 mask);
}

/* The highest pending of a group, masked or not; one of the other group hides it. */
static uint64_t highest(struct arm64_vcpu *a, unsigned group)
{
    uint64_t top = top_of(a);

    if (top == DIST_NONE || DIST_TOP_GROUP(top) != group || !(group ? a->icc_igrpen1 : a->icc_igrpen0))
        return A64_ICC_SPURIOUS;
    return DIST_TOP_ID(top);
}

/* ---- registers ---- */

static bool there(const struct arm64_vcpu *a)
{
    return a->v.dist && a->v.dist->ops->top;
}

static uint64_t bpr1_get(const struct arm64_vcpu *a)
{
    if (a->icc_ctlr & A64_ICC_CTLR_CBPR)
        return MIN(a->icc_bpr0 + 1, 7);
    return a->icc_bpr1;
}

bool arm64_gic_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    if (!there(a))
        return false;
    switch (code) {
    case A64_SYSREG_icc_iar0_el1:
    case A64_SYSREG_icc_iar1_el1:
        *value = acknowledge(a, code == A64_SYSREG_icc_iar1_el1);
        break;
    case A64_SYSREG_icc_hppir0_el1:
    case A64_SYSREG_icc_hppir1_el1:
        *value = highest(a, code == A64_SYSREG_icc_hppir1_el1);
        break;
    case A64_SYSREG_icc_pmr_el1:
        *value = a->icc_pmr;
        break;
    case A64_SYSREG_icc_rpr_el1:
        *value = running_priority(a);
        break;
    case A64_SYSREG_icc_bpr0_el1:
        *value = a->icc_bpr0;
        break;
    case A64_SYSREG_icc_bpr1_el1:
        *value = bpr1_get(a);
        break;
    case A64_SYSREG_icc_ap0r0_el1:
        *value = a->icc_ap0r;
        break;
    case A64_SYSREG_icc_ap1r0_el1:
        *value = a->icc_ap1r;
        break;
    case A64_SYSREG_icc_ctlr_el1:
        *value = a->icc_ctlr | A64_ICC_CTLR_A3V | a64_field_set(0, A64_ICC_CTLR_PRIBITS, 4);
        break;
    case A64_SYSREG_icc_sre_el1:
        *value = A64_ICC_SRE_SRE | A64_ICC_SRE_DFB | A64_ICC_SRE_DIB;
        break;
    case A64_SYSREG_icc_igrpen0_el1:
        *value = a->icc_igrpen0;
        break;
    default:
        *value = a->icc_igrpen1;
        break;
    }
    return true;
}

static void control_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    switch (code) {
    case A64_SYSREG_icc_pmr_el1:
        a->icc_pmr = value & PRIORITY_MASK;
        break;
    case A64_SYSREG_icc_bpr0_el1:
        a->icc_bpr0 = MAX(value & 7, BPR0_MIN);
        break;
    case A64_SYSREG_icc_bpr1_el1:
        if (!(a->icc_ctlr & A64_ICC_CTLR_CBPR))
            a->icc_bpr1 = MAX(value & 7, BPR1_MIN);
        break;
    case A64_SYSREG_icc_ap0r0_el1:
        a->icc_ap0r = (uint32_t)value;
        break;
    case A64_SYSREG_icc_ap1r0_el1:
        a->icc_ap1r = (uint32_t)value;
        break;
    case A64_SYSREG_icc_ctlr_el1:
        a->icc_ctlr = value & (A64_ICC_CTLR_CBPR | A64_ICC_CTLR_EOIMODE);
        break;
    case A64_SYSREG_icc_igrpen0_el1:
        a->icc_igrpen0 = value & 1;
        break;
    case A64_SYSREG_icc_igrpen1_el1:
        a->icc_igrpen1 = value & 1;
        break;
    default: /* SRE: all its bits are fixed */
        break;
    }
}

bool arm64_gic_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    if (!there(a))
        return false;
    a->changed |= ARM64_CHANGED_IRQ;
    switch (code) {
    case A64_SYSREG_icc_eoir0_el1:
    case A64_SYSREG_icc_eoir1_el1:
        end(a, code == A64_SYSREG_icc_eoir1_el1, value & A64_ICC_INTID);
        break;
    case A64_SYSREG_icc_dir_el1:
        if (a->icc_ctlr & A64_ICC_CTLR_EOIMODE)
            a->v.dist->ops->deactivate(a->v.dist, &a->v, (unsigned)(value & A64_ICC_INTID));
        break;
    case A64_SYSREG_icc_sgi1r_el1:
        send(a, value, 1);
        break;
    case A64_SYSREG_icc_asgi1r_el1: /* the other Security state's: there is only one */
    case A64_SYSREG_icc_sgi0r_el1:
        send(a, value, 0);
        break;
    default:
        control_set(a, code, value);
        break;
    }
    return true;
}
