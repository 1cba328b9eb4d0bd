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
enum event {
    EV_SW_INCR = 0x00,
    EV_INST_RETIRED = 0x08,
    EV_EXC_TAKEN = 0x09,
    EV_EXC_RETURN = 0x0a,
    EV_CPU_CYCLES = 0x11,
    EV_CHAIN = 0x1e
};

static uint64_t *base_of(struct arm64_vcpu *a, unsigned n)
{
    return n == CYCLE ? &a->pmccntr_base : &a->pmevcntr_base[n];
}

static uint64_t *type_of(struct arm64_vcpu *a, unsigned n)
{
    return n == CYCLE ? &a->pmccfiltr_el0 : &a->pmevtyper[n];
}

static unsigned event_of(const struct arm64_vcpu *a, unsigned n)
{
    return n == CYCLE ? EV_CPU_CYCLES : (unsigned)a64_field_get(a->pmevtyper[n], A64_PMEVTYPER_EVTCOUNT);
}

static bool is_instructions(const struct arm64_vcpu *a, unsigned n)
{
    return event_of(a, n) == EV_CPU_CYCLES || event_of(a, n) == EV_INST_RETIRED;
}

static uint64_t events(struct arm64_vcpu *a, unsigned n)
{
    switch (event_of(a, n)) {
    case EV_INST_RETIRED:
    case EV_CPU_CYCLES:
        return vcpu_icount(&a->v);
    case EV_EXC_TAKEN:
        return a->v.stat.exceptions + a->v.stat.irqs;
    case EV_EXC_RETURN:
        return a->pm_returns;
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

/* ---- overflow (D11.3) ---- */

static bool is_chained(const struct arm64_vcpu *a, unsigned n)
{
    return n % 2 == 0 && n + 1 < ARM64_EVENT_COUNTERS && event_of(a, n + 1) == EV_CHAIN;
}

/* Event counters that stand have their value in 32 bits; an odd one may count the overflows of the one below.
 */
static void wrap(struct arm64_vcpu *a, unsigned n)
{
    uint64_t over;

    while ((over = a->pmevcntr_base[n] >> 32)) {
        a->pmevcntr_base[n] = (uint32_t)a->pmevcntr_base[n];
        a->pmovsset_el0 |= BIT(n);
        if (!is_chained(a, n) || !counts(a, n + 1, (unsigned)a->el))
            return;
        a->pmevcntr_base[++n] += over;
    }
}

/* PMUIRQ is a level (D11.3.1). */
static void drive(struct arm64_vcpu *a)
{
    arm64_private_line(a, A64_INTID_PMU, a->pmcr_el0 & A64_PMCR_E && a->pmovsset_el0 & a->pmintenset_el1);
}

static void stop(struct arm64_vcpu *a)
{
    for (unsigned n = 0; n < ARM64_EVENT_COUNTERS; n++)
        a->pmevcntr_base[n] += counts(a, n, (unsigned)a->el) ? events(a, n) : 0;
    for (unsigned n = 0; n < ARM64_EVENT_COUNTERS; n++)
        wrap(a, n);
    if (!counts(a, CYCLE, (unsigned)a->el))
        return;
    a->pmccntr_base += events(a, CYCLE);
    if (events(a, CYCLE) >= a->pm_cycle_wrap)
        a->pmovsset_el0 |= A64_PM_CYCLE;
}

/* Counter n begins to count: when will it overflow? Only counts of instructions tell in advance. */
static uint64_t wraps_at(struct arm64_vcpu *a, unsigned n)
{
    uint64_t now = vcpu_icount(&a->v), left = n == CYCLE ? 0 - a->pmccntr_base : BIT(32) - *base_of(a, n);

    return left && left < UINT64_MAX - now && is_instructions(a, n) ? now + left : UINT64_MAX;
}

/* The overflow of counter n leads to an interrupt, by itself or through its chain. */
static bool interrupts(const struct arm64_vcpu *a, unsigned n)
{
    return (a->pmintenset_el1 | (is_chained(a, n) ? a->pmintenset_el1 >> 1 : 0)) >> n & 1;
}

static void start(struct arm64_vcpu *a, unsigned el)
{
    uint64_t due = UINT64_MAX;

    a->pm_filtered = a->pm_exceptions = false;
    a->pm_cycle_wrap = UINT64_MAX;
    for (unsigned n = 0; n <= CYCLE; n = next_counter(n)) {
        if (counts(a, n, el)) {
            uint64_t at = wraps_at(a, n);

            if (n == CYCLE)
                a->pm_cycle_wrap = at;
            if (interrupts(a, n)) {
                due = MIN(due, at);
                a->pm_exceptions |= !is_instructions(a, n);
            }
            *base_of(a, n) -= events(a, n);
        }
        if (a->pmcr_el0 & A64_PMCR_E && a->pmcntenset_el0 >> n & 1 &&
            *type_of(a, n) & (A64_PMEVTYPER_P | A64_PMEVTYPER_U))
            a->pm_filtered = true;
    }
    a->v.due = due == UINT64_MAX ? 0 : due;
}

void arm64_pmu_level(struct arm64_vcpu *a, unsigned el)
{
    stop(a);
    start(a, el);
    drive(a);
}

void arm64_pmu_look(struct arm64_vcpu *a)
{
    arm64_pmu_level(a, (unsigned)a->el);
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
        return a->cpu.model->pmcr | a64_field_set(0, A64_PMCR_N, ARM64_EVENT_COUNTERS) | A64_PMCR_LC |
               a->pmcr_el0;
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
        return BIT(EV_SW_INCR) | BIT(EV_INST_RETIRED) | BIT(EV_EXC_TAKEN) | BIT(EV_EXC_RETURN) |
               BIT(EV_CPU_CYCLES) | BIT(EV_CHAIN);
    default:
        return 0;
    }
}

bool arm64_pmu_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    unsigned n = counter_of(a, code);

    if (arm64_sys_trap_el0(a, allowed(a, code, false)))
        return false;
    arm64_pmu_look(a); /* overflows until now */
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
        if (!(value >> n & 1) || !counts(a, n, (unsigned)a->el) || event_of(a, n) != EV_SW_INCR)
            continue;
        a->pmevcntr_base[n]++;
        wrap(a, n);
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
    drive(a);
    a->changed |= ARM64_CHANGED_IRQ;
    return true;
}
