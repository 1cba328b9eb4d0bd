/* What has to be before the guest runs (again). */
#include "engine/bare/arm64/hw.h"

/* What the core's loop is for: calls, pauses, power, timers that are due. */
static bool wanted_by_core(struct vcpu *v)
{
    uint32_t r = atomic_load(&v->request);

    if (LIKELY(!r))
        return false;
    if (r & ~(uint32_t)(VCPU_REQ_IRQ | VCPU_REQ_KICK))
        return true;
    atomic_fetch_and(&v->request, ~(uint32_t)(VCPU_REQ_IRQ | VCPU_REQ_KICK));
    hw_of(v)->vgic.stale |= r & VCPU_REQ_IRQ;
    return r & VCPU_REQ_KICK && timer_next(v->vm, v->id) != TIMER_NEVER &&
           timer_next(v->vm, v->id) <= clock_now_ns(v->vm);
}

/* The core's timers of this vCPU wake it like a kick does. */
static void arm_timer(struct hw_vcpu *h)
{
    struct vcpu *v = &h->a->v;
    uint64_t next = timer_next(v->vm, v->id);

    if (LIKELY(next == h->timer_for))
        return;
    h->timer_for = next;
    ktimer_cancel(&h->timer);
    if (next != TIMER_NEVER)
        ktimer_set(&h->timer, clock_from_ns(clock_host_deadline(v->vm, next)));
}

/* The guest's counter runs with the VM's clock. */
static void set_offset(struct hw_vcpu *h)
{
    struct vm *vm = h->a->v.vm;

    if (UNLIKELY(h->clock_offset != vm->clock.offset || !h->cntvoff)) {
        h->clock_offset = vm->clock.offset;
        h->cntvoff = clock_from_ns(vm->clock.offset) | 1;
    }
    sys_write(cntvoff_el2, h->cntvoff);
}

bool hw_prepare(struct hw_vcpu *h)
{
    struct vcpu *v = &h->a->v;

    for (;;) {
        struct hw_cpu *hc = hw_here();

        atomic_store(&h->inside, hc->cpu);
        if (UNLIKELY(atomic_load_explicit(&hc->cpu->resched, memory_order_relaxed))) {
            atomic_store(&h->inside, NULL);
            h->hcr |= HCR_TWE;
            sched_preempt();
            continue;
        }
        if (wanted_by_core(v)) {
            atomic_store(&h->inside, NULL);
            return false;
        }
        arm_timer(h);
        hw_here_with(h);
        if (UNLIKELY(!vgic_quiet(h)) && !vgic_tick(h)) {
            /* It may take locks that sleep, so this may not be the same CPU afterwards. */
            arch_irq_restore(true);
            vgic_sync(h);
            arch_irq_save();
            if (hw_here() != hc || hc->cpu->resched || atomic_load(&v->request))
                continue;
            hw_here_with(h);
        }
        vgic_enter(h);
        hc->running = h;
        hc->cpu->scratch[SCRATCH_GUEST_X / 8] = (uint64_t)h->a->x;
        set_offset(h);
        sys_write(hcr_el2, h->hcr);
        sys_write(elr_el2, v->pc);
        sys_write(spsr_el2, h->spsr);
        return true;
    }
}
