/*
 * Interrupts between CPUs: kinds as bits in the target's word, calls through a slot of the caller. A caller
 * waits with interrupts off and serves calls meanwhile, so that two that call each other both come through.
 */
#include "platform/bare/irq/irq.h"
#include "platform/bare/panic.h"

/* Of each caller while it waits. Never on its stack: others look at any time whether it is they who are
 * wanted. */
static struct ipi_work {
    void (*fn)(void *arg);
    void *arg;
    _Atomic uint64_t left; /* CPUs that have not done it; fn and arg stay until they have */
} slots[CPU_MAX];

void ipi_send(struct cpu *to, enum ipi_kind kind)
{
    /* One that is under way carries this kind, too. */
    if (!atomic_fetch_or(&to->ipi, (uint32_t)kind))
        arch_ipi_send(to);
}

static void serve_calls(struct cpu *self)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct ipi_work *w = &slots[i];

        if (!(atomic_load(&w->left) >> self->id & 1))
            continue;
        w->fn(w->arg);
        atomic_fetch_and(&w->left, ~BIT(self->id));
    }
}

void irq_ipi(void)
{
    struct cpu *self = arch_cpu();
    uint32_t kinds = atomic_exchange(&self->ipi, 0);

    if (kinds & IPI_STOP)
        panic_stopped();
    if (kinds & IPI_CALL)
        serve_calls(self);
    /* RESCHED: its sender set cpu->resched, which is looked at on the way out. KICK: being here is all. */
}

void ipi_call(uint64_t cpus, void (*fn)(void *arg), void *arg)
{
    bool on = arch_irq_save();
    struct cpu *self = arch_cpu();
    struct ipi_work *w = &slots[self->id];
    uint64_t others = cpus & cpu_online_mask() & ~BIT(self->id);

    if (others) {
        BUG_ON(atomic_load(&w->left)); /* a call out of a call */
        w->fn = fn;
        w->arg = arg;
        atomic_store(&w->left, others);
        for (unsigned i = 0; i < cpu_count(); i++) {
            if (others >> i & 1)
                ipi_send(cpu_at(i), IPI_CALL);
        }
    }
    if (cpus >> self->id & 1)
        fn(arg);
    while (others && atomic_load(&w->left)) {
        serve_calls(self);
        arch_relax();
    }
    arch_irq_restore(on);
}

struct flush {
    unsigned vmid;
    gpa_t gpa;
    uint64_t size;
};

static void flush_here(void *opaque)
{
    const struct flush *f = opaque;

    arch_guest_flush(f->vmid, f->gpa, f->size);
}

void ipi_guest_flush(uint64_t cpus, unsigned vmid, gpa_t gpa, uint64_t size)
{
    struct flush f = {vmid, gpa, size};

    if (arch_guest_flush_all_cpus)
        arch_guest_flush(vmid, gpa, size);
    else
        ipi_call(cpus, flush_here, &f);
}
