/* Domains of interrupts: who handles which input, and how a device of the tree finds its own. */
#include "platform/bare/irq/irq.h"
#include "core/platform.h"
#include "lib/err.h"
#include "platform/bare/board.h"
#include "platform/bare/sched/timer.h"

static struct irq_domain *domains; /* added at boot only */

int irq_domain_add(struct irq_domain *d)
{
    d->lines = plat_alloc(sizeof(*d->lines) * d->count);
    if (!d->lines)
        return -ENOMEM;
    d->lock = SPIN_INIT(RANK_IRQ);
    d->next = domains;
    domains = d;
    return 0;
}

struct irq_domain *irq_domain_first(void)
{
    return domains;
}

struct irq_domain *irq_domain_of(dtb_node controller)
{
    struct irq_domain *d = domains;

    while (d && (d->node == DTB_NONE || d->node != controller))
        d = d->next;
    return d;
}

int irq_request(struct irq_domain *d, unsigned hwirq, enum irq_trigger t, irq_handler *fn, void *arg,
                const char *name)
{
    bool on;
    int err = 0;

    if (!d || hwirq >= d->count || !fn)
        return -EINVAL;
    on = spin_lock_irq(&d->lock);
    if (d->lines[hwirq].fn) {
        err = -EBUSY;
    } else {
        d->lines[hwirq] = (struct irq_entry){.fn = fn, .arg = arg, .name = name, .cpus = BIT(0)};
        d->ops->mask(d, hwirq);
        if (d->ops->trigger)
            d->ops->trigger(d, hwirq, t);
        if (d->ops->affinity)
            d->ops->affinity(d, hwirq, BIT(0));
    }
    spin_unlock_irq(&d->lock, on);
    return err;
}

static void nothing(void *arg)
{
    (void)arg;
}

void irq_release(struct irq_domain *d, unsigned hwirq)
{
    bool on;

    irq_enable(d, hwirq, false);
    ipi_call(cpu_online_mask(), nothing,
             NULL); /* who was in the handler is out of it: it runs with interrupts off */
    on = spin_lock_irq(&d->lock);
    d->lines[hwirq].fn = NULL;
    spin_unlock_irq(&d->lock, on);
}

void irq_enable(struct irq_domain *d, unsigned hwirq, bool on)
{
    bool irqs;

    if (hwirq >= d->count)
        return;
    irqs = spin_lock_irq(&d->lock);
    d->lines[hwirq].enabled = on;
    if (on)
        d->ops->unmask(d, hwirq);
    else
        d->ops->mask(d, hwirq);
    spin_unlock_irq(&d->lock, irqs);
}

int irq_affinity(struct irq_domain *d, unsigned hwirq, uint64_t cpus)
{
    bool on;

    if (hwirq >= d->count || !(cpus & cpu_online_mask()))
        return -EINVAL;
    if (!d->ops->affinity)
        return -ENOTSUP;
    on = spin_lock_irq(&d->lock);
    d->lines[hwirq].cpus = cpus;
    d->ops->affinity(d, hwirq, cpus & cpu_online_mask());
    spin_unlock_irq(&d->lock, on);
    return 0;
}

void irq_handle(struct irq_domain *d, unsigned hwirq)
{
    struct irq_entry *l = hwirq < d->count ? &d->lines[hwirq] : NULL;
    irq_handler *fn = l ? __atomic_load_n(&l->fn, __ATOMIC_ACQUIRE) : NULL;

    if (fn) {
        l->count++;
        fn(l->arg);
        return;
    }
    d->spurious++;
    if (l) {
        spin_lock(&d->lock);
        d->ops->mask(d, hwirq); /* nobody would ever quiet it */
        spin_unlock(&d->lock);
    }
}

void irq_timer(void)
{
    ktimer_run(arch_cpu()->timers, arch_counter());
}

/* ---- device tree (Devicetree Specification 0.4, 2.4) ---- */

static dtb_node interrupt_parent(const struct dtb *t, dtb_node n)
{
    for (; n != DTB_NONE; n = dtb_parent(t, n)) {
        uint32_t phandle;

        if (!dtb_u32(t, n, "interrupt-parent", 0, &phandle))
            return dtb_phandle(t, phandle);
    }
    return DTB_NONE;
}

static int translate(const struct dtb *t, dtb_node parent, dtb_node device, const char *prop, unsigned at,
                     struct irq_domain **d, unsigned *hwirq, enum irq_trigger *trigger)
{
    uint32_t cells[4], count;

    *d = irq_domain_of(parent);
    if (!*d || !(*d)->ops->translate)
        return -ENODEV;
    if (dtb_u32(t, parent, "#interrupt-cells", 0, &count) || !count || count > ARRAY_SIZE(cells))
        return -EINVAL;
    for (unsigned c = 0; c < count; c++) {
        if (dtb_u32(t, device, prop, at + c, &cells[c]))
            return -ENOENT;
    }
    return (*d)->ops->translate(*d, cells, count, hwirq, trigger);
}

int irq_of_node(dtb_node device, unsigned i, struct irq_domain **d, unsigned *hwirq,
                enum irq_trigger *trigger)
{
    const struct dtb *t = &board_get()->dtb;
    uint32_t phandle, count, at = 0;
    dtb_node parent;

    if (dtb_prop(t, device, "interrupts-extended", &count)) {
        for (;; at += count) {
            if (dtb_u32(t, device, "interrupts-extended", at++, &phandle))
                return -ENOENT;
            parent = dtb_phandle(t, phandle);
            if (parent == DTB_NONE || dtb_u32(t, parent, "#interrupt-cells", 0, &count))
                return -EINVAL;
            if (!i--)
                return translate(t, parent, device, "interrupts-extended", at, d, hwirq, trigger);
        }
    }
    parent = interrupt_parent(t, device);
    if (parent == DTB_NONE || dtb_u32(t, parent, "#interrupt-cells", 0, &count))
        return -ENODEV;
    return translate(t, parent, device, "interrupts", i * count, d, hwirq, trigger);
}
