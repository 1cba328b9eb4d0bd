/* Waiting: WFI, WFE and the event register with all that sets it (D1.7). */
#include "guest/arm64/cpu.h"

/* At EL0 SCTLR_EL1 may trap a wait that would be one (D1.7). */
static bool wait_trapped(struct arm64_vcpu *a, uint64_t allow, uint64_t iss)
{
    if (a->el || a->sctlr_el1 & allow)
        return false;
    arm64_trap(a, a64_esr(A64_EC_WFX, A64_ISS_COND_ALWAYS | iss));
    return true;
}

static void halt(struct arm64_vcpu *a)
{
    a->v.exit.kind = EXIT_HALT;
    a->v.leave = 1;
}

void arm64_wfi(struct arm64_vcpu *a)
{
    bool waits = !arm64_signals(a);

    if (waits && wait_trapped(a, A64_SCTLR_NTWI, 0))
        return;
    atomic_store(&a->waits_event, false);
    a->v.pc += 4;
    if (waits)
        halt(a);
}

/* ---- the event stream: an edge of one bit of the counter is an event (D12.2.3) ---- */

/* The count at which the bit next has its edge: up, or down with EVNTDIR. */
static uint64_t stream_next(const struct arm64_vcpu *a)
{
    unsigned bit = (unsigned)a64_field_get(a->cntkctl_el1, A64_CNTKCTL_EVNTI);
    uint64_t now = clock_ticks(a->v.vm, arm64_counter_hz(a)), period = BIT(bit + 1);
    uint64_t edge = ALIGN_DOWN(now, period) + (a->cntkctl_el1 & A64_CNTKCTL_EVNTDIR ? 0 : period / 2);

    return edge > now ? edge : edge + period;
}

void arm64_event_fire(void *opaque)
{
    struct arm64_vcpu *a = opaque;

    atomic_store(&a->event, 1);
}

/* ---- WFE ---- */

/*
 * It waits in place: what ends the wait runs it again. While the exclusive monitor is set it does not wait,
 * for any store to the monitored bytes would be an event (B2.12.1), and stores do not tell; it only comes
 * back after others had their chance.
 */
void arm64_wfe(struct arm64_vcpu *a)
{
    bool ready = atomic_exchange(&a->event, 0) || arm64_signals(a);

    atomic_store(&a->waits_event, false);
    if (!ready && wait_trapped(a, A64_SCTLR_NTWE, 1))
        return;
    if (ready || a->v.resv_addr != UINT64_MAX) {
        a->v.pc += 4;
        a->v.leave = 1;
        return;
    }
    if (a->cntkctl_el1 & A64_CNTKCTL_EVNTEN)
        timer_set(&a->etimer, clock_ticks_to_ns(stream_next(a), arm64_counter_hz(a)));
    atomic_store(&a->waits_event, true);
    halt(a);
}

/* SEV is for all PEs; those that sleep have published it before they looked at their event register. */
void arm64_sev(struct arm64_vcpu *a)
{
    const struct vm *vm = a->v.vm;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct arm64_vcpu *other = arm64_of(vm->vcpu[i]);

        atomic_store(&other->event, 1);
        if (other != a && atomic_load(&other->waits_event))
            vcpu_request(&other->v, VCPU_REQ_KICK);
    }
}

/* Whatever is signalled ends a wait, masked by PSTATE or not (D1.7.2); events end that of WFE. */
bool arm64_irq_wakeup(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);

    return arm64_signals(a) || (atomic_load(&a->waits_event) && atomic_load(&a->event));
}
