/*
 * Performance monitors, PMUv3 (D11): a cycle counter and six event counters, for events that the engines
 * count anyhow. A cycle is an instruction. A counter's field holds its value while it stands; while it
 * counts, the value less the events so far.
 */
#include "guest/arm64/sysreg.h"
#include "isa/arm64/dt.h"

#define CYCLE    31 /* the cycle counter's number */
#define COUNTERS ((BIT(ARM64_EVENT_COUNTERS) - 1) | A64_PM_CYCLE)

/* Common events (D11.11.2) */
enum event { EV_SW_INCR = 0x00, EV_INST_RETIRED = 0x08, EV_EXC_TAKEN = 0x09, EV_CPU_CYCLES = 0x11 };

static uint64_t *base_of(struct arm64_vcpu *a, unsigned n)
{
    return n == CYCLE ? &a->pmccntr_base : &a->pmevcntr_base[n];
}

static uint64_t *type_of(struct arm64_vcpu *a, unsigned n)
{
    return n == CYCLE ? &a->pmccfiltr_el0 : &a->pmevtyper[n];
}

static uint64_t events(struct arm64_vcpu *a, unsigned n)
{
    switch (n == CYCLE ? EV_CPU_CYCLES : a64_field_get(a->pmevtyper[n], A64_PMEVTYPER_EVTCOUNT)) {
    case EV_INST_RETIRED:
    case EV_CPU_CYCLES:
        return vcpu_icount(&a->v);
    case EV_EXC_TAKEN:
        return a->v.stat.exceptions;
    default:
        return 0;
    }
}

/* Enabled, and not filtered at this level: P keeps EL1 out, U EL0. */
static bool counts(struct arm64_vcpu *a, unsigned n, unsigned el)
{
    return a->pmcr_el0 & A64_PMCR_E && a->pmcntenset_el0 >> n & 1 &&
           !(*type_of(a, n) & (el ? A64_PMEVTYPER_P : A64_PMEVTYPER_U));
}

static unsigned next_counter(unsigned n)
{
    return n + 1 == ARM64_EVENT_COUNTERS ? CYCLE : n + 1;
}

static void stop(struct arm64_vcpu *a)
{
    for (unsigned n = 0; n <= CYCLE; n = next_counter(n))
        *base_of(a, n) += counts(a, n, (unsigned)a->el) ? events(a, n) : 0;
}

static void start(struct arm64_vcpu *a, unsigned el)
{
    a->pm_filtered = false;
    for (unsigned n = 0; n <= CYCLE; n = next_counter(n)) {
        *base_of(a, n) -= counts(a, n, el) ? events(a, n) : 0;
        if (a->pmcr_el0 & A64_PMCR_E && a->pmcntenset_el0 >> n & 1 &&
            *type_of(a, n) & (A64_PMEVTYPER_P | A64_PMEVTYPER_U))
            a->pm_filtered = true;
    }
}

void arm64_pmu_level(struct arm64_vcpu *a, unsigned el)
{
    stop(a);
    start(a, el);
}

static uint64_t counter_get(struct arm64_vcpu *a, unsigned n)
{
    uint64_t value = *base_of(a, n) + (counts(a, n, (unsigned)a->el) ? events(a, n) : 0);

    return n == CYCLE ? value : (uint32_t)value;
}

/* ---- who may (D11.9.4, PMUSERENR_EL0) ---- */

static bool allowed(const struct arm64_vcpu *a, unsigned code, bool write)
{
    uint64_t more = 0;

    if (code == A64_SYSREG_pmuserenr_el0)
        return !write;
    if (code == A64_SYSREG_pmswinc_el0)
        more = A64_PMUSERENR_SW;
    else if (code == A64_SYSREG_pmccntr_el0 && !write)
        more = A64_PMUSERENR_CR;
    else if (code == A64_SYSREG_pmselr_el0 ||
             (!write && (code == A64_SYSREG_pmxevcntr_el0 || (code & 0xffe0) == A64_SYSREG_pmevcntr0_el0)))
        more = A64_PMUSERENR_ER;
    return a->pmuserenr_el0 & (A64_PMUSERENR_EN | more);
}

/* The counter that a register of one counter is about; above CYCLE: it is about none. */
static unsigned counter_of(const struct arm64_vcpu *a, unsigned code)
{
    unsigned n;

    if (code == A64_SYSREG_pmccntr_el0)
        return CYCLE;
    if (code == A64_SYSREG_pmxevcntr_el0 || code == A64_SYSREG_pmxevtyper_el0)
        n = (unsigned)a->pmselr_el0;
    else if (a64_sysreg_crn(code) == 14)
        n = code & 31;
    else
        return CYCLE + 1;
    if (n == CYCLE)
        return code == A64_SYSREG_pmxevtyper_el0 || (code & 0xffe0) == A64_SYSREG_pmevtyper0_el0 ? CYCLE : 32;
    return n < ARM64_EVENT_COUNTERS ? n : 32;
}

static bool is_type(unsigned code)
{
    return code == A64_SYSREG_pmxevtyper_el0 || (code & 0xffe0) == A64_SYSREG_pmevtyper0_el0;
}

/* ---- registers ---- */

static uint64_t status_get(const struct arm64_vcpu *a, unsigned code)
{
    switch (code) {
    case A64_SYSREG_pmcr_el0:
        return a->pmcr_el0 | A64_PMCR_LC | a64_field_set(0, A64_PMCR_N, ARM64_EVENT_COUNTERS);
    case A64_SYSREG_pmcntenset_el0:
    case A64_SYSREG_pmcntenclr_el0:
        return a->pmcntenset_el0;
    case A64_SYSREG_pmintenset_el1:
    case A64_SYSREG_pmintenclr_el1:
        return a->pmintenset_el1;
    case A64_SYSREG_pmovsset_el0:
    case A64_SYSREG_pmovsclr_el0:
        return a->pmovsset_el0;
    case A64_SYSREG_pmselr_el0:
        return a->pmselr_el0;
    case A64_SYSREG_pmuserenr_el0:
        return a->pmuserenr_el0;
    case A64_SYSREG_pmceid0_el0:
        return BIT(EV_SW_INCR) | BIT(EV_INST_RETIRED) | BIT(EV_EXC_TAKEN) | BIT(EV_CPU_CYCLES);
    default:
        return 0;
    }
}

bool arm64_pmu_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    unsigned n = counter_of(a, code);

    if (arm64_sys_trap_el0(a, allowed(a, code, false)))
        return false;
    if (n > CYCLE)
        *value = status_get(a, code);
    else
        *value = is_type(code) ? *type_of(a, n) : counter_get(a, n);
    return true;
}

/* P clears the event counters, C the cycle counter. */
static void control_set(struct arm64_vcpu *a, uint64_t value)
{
    a->pmcr_el0 = value & (A64_PMCR_E | A64_PMCR_X | A64_PMCR_DP);
    for (unsigned n = 0; value & A64_PMCR_P && n < ARM64_EVENT_COUNTERS; n++)
        a->pmevcntr_base[n] = 0;
    if (value & A64_PMCR_C)
        a->pmccntr_base = 0;
}

static void software_increment(struct arm64_vcpu *a, uint64_t value)
{
    for (unsigned n = 0; n < ARM64_EVENT_COUNTERS; n++) {
        if (!(value >> n & 1) || !counts(a, n, (unsigned)a->el) ||
            a64_field_get(a->pmevtyper[n], A64_PMEVTYPER_EVTCOUNT) != EV_SW_INCR)
            continue;
        a->pmevcntr_base[n] = (uint32_t)(a->pmevcntr_base[n] + 1);
        if (!a->pmevcntr_base[n])
            a->pmovsset_el0 |= BIT(n);
    }
}

static void status_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    switch (code) {
    case A64_SYSREG_pmcr_el0:
        control_set(a, value);
        break;
    case A64_SYSREG_pmcntenset_el0:
        a->pmcntenset_el0 |= value & COUNTERS;
        break;
    case A64_SYSREG_pmcntenclr_el0:
        a->pmcntenset_el0 &= ~value;
        break;
    case A64_SYSREG_pmintenset_el1:
        a->pmintenset_el1 |= value & COUNTERS;
        break;
    case A64_SYSREG_pmintenclr_el1:
        a->pmintenset_el1 &= ~value;
        break;
    case A64_SYSREG_pmovsset_el0:
        a->pmovsset_el0 |= value & COUNTERS;
        break;
    case A64_SYSREG_pmovsclr_el0:
        a->pmovsset_el0 &= ~value;
        break;
    case A64_SYSREG_pmselr_el0:
        a->pmselr_el0 = value & 31;
        break;
    case A64_SYSREG_pmswinc_el0:
        software_increment(a, value);
        break;
    case A64_SYSREG_pmuserenr_el0:
        a->pmuserenr_el0 = value & 0xf;
        break;
    default:
        break;
    }
}

bool arm64_pmu_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    const uint64_t filters = A64_PMEVTYPER_P | A64_PMEVTYPER_U;
    unsigned n = counter_of(a, code);

    if (arm64_sys_trap_el0(a, allowed(a, code, true)))
        return false;
    stop(a);
    if (n > CYCLE)
        status_set(a, code, value);
    else if (is_type(code))
        *type_of(a, n) = value & (n == CYCLE ? filters : filters | A64_PMEVTYPER_EVTCOUNT);
    else
        *base_of(a, n) = n == CYCLE ? value : (uint32_t)value;
    start(a, (unsigned)a->el);
    arm64_private_line(a, A64_INTID_PMU, a->pmcr_el0 & A64_PMCR_E && a->pmovsset_el0 & a->pmintenset_el1);
    a->changed |= ARM64_CHANGED_IRQ;
    return true;
}
