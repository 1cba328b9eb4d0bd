/*
 * Interrupts of the board: domains of a controller's inputs, handlers, chaining, affinity; and interrupts
 * between CPUs.
 */
#ifndef CV_PLATFORM_BARE_IRQ_IRQ_H
#define CV_PLATFORM_BARE_IRQ_IRQ_H

#include "platform/bare/sync/spin.h"
#include "lib/fdt.h"

struct irq_domain;

/* In interrupt context, on the CPU that took it. */
typedef void irq_handler(void *arg);

enum irq_trigger { IRQ_LEVEL_HIGH, IRQ_EDGE_RISING, IRQ_LEVEL_LOW, IRQ_EDGE_FALLING };

/* By the controller's driver. Calls come with the domain's lock held; all but mask and unmask may be NULL. */
struct irq_domain_ops {
    void (*mask)(struct irq_domain *d, unsigned hwirq);
    void (*unmask)(struct irq_domain *d, unsigned hwirq);
    void (*trigger)(struct irq_domain *d, unsigned hwirq, enum irq_trigger t);
    /* mask: CPUs that may take it, never 0. */
    void (*affinity)(struct irq_domain *d, unsigned hwirq, uint64_t cpus);
    /* One "interrupts" specifier of the device tree to input and trigger; -EINVAL. */
    int (*translate)(struct irq_domain *d, const uint32_t *cells, unsigned count, unsigned *hwirq,
                     enum irq_trigger *t);
};

struct irq_entry {
    irq_handler *fn;
    void *arg;
    const char *name;
    uint64_t cpus;
    uint64_t count; /* taken; approximately, several CPUs add */
    bool enabled;
};

struct irq_domain {
    const char *name;
    const struct irq_domain_ops *ops;
    void *opaque; /* the driver's */
    dtb_node node;
    struct spin lock;
    struct irq_entry *lines;
    unsigned count;
    uint64_t spurious;
    struct irq_domain *next; /* all of them */
};

/* The driver's storage; lines are allocated. node: DTB_NONE where no specifier leads to it. */
int irq_domain_add(struct irq_domain *d);
struct irq_domain *irq_domain_first(void);
struct irq_domain *irq_domain_of(dtb_node controller);

/* Handler for an input, masked at first. -EBUSY, -EINVAL. A chained controller's handler calls irq_handle().
 */
int irq_request(struct irq_domain *d, unsigned hwirq, enum irq_trigger t, irq_handler *fn, void *arg,
                const char *name);
/* Masked; the handler runs on no CPU afterwards. Not from the handler. */
void irq_release(struct irq_domain *d, unsigned hwirq);
void irq_enable(struct irq_domain *d, unsigned hwirq, bool on);
int irq_affinity(struct irq_domain *d, unsigned hwirq, uint64_t cpus);
/*
 * Interrupt i of a device node ("interrupts-extended", "interrupts" with "interrupt-parent"); -ENOENT,
 * -ENODEV.
 */
int irq_of_node(dtb_node device, unsigned i, struct irq_domain **d, unsigned *hwirq, enum irq_trigger *t);

/* From the root controller's driver after its acknowledge, before its end of interrupt. */
void irq_handle(struct irq_domain *d, unsigned hwirq);

/* ---- between CPUs ---- */

enum ipi_kind { IPI_RESCHED = 1, IPI_CALL = 2, IPI_KICK = 4, IPI_STOP = 8 };

void ipi_send(struct cpu *to, enum ipi_kind kind);
/*
 * fn(arg) on each CPU of the mask (this one at once), in interrupt context; comes back when all have done it.
 * Not with a spin lock held. While it waits it serves calls of others.
 */
void ipi_call(uint64_t cpus, void (*fn)(void *arg), void *arg);
/* Stage-2 translations of a VMID leave the TLBs of these CPUs; size UINT64_MAX: the whole VMID. */
void ipi_guest_flush(uint64_t cpus, unsigned vmid, gpa_t gpa, uint64_t size);

#endif
