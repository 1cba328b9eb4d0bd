/*
 * The board's PLIC (RISC-V PLIC 1.0.0): one context a hart and privilege level; the tree says which is the
 * S-level one of each hart. A source is enabled for one CPU of its affinity at a time.
 */
#include "platform/bare/drivers/riscv64/plic.h"
#include "isa/riscv64/cause.h"
#include "lib/err.h"
#include "platform/bare/boot/riscv64/csr_ops.h"
#include "platform/bare/irq/irq.h"

enum { PRIORITY = 0, ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000 };
enum { THRESHOLD = 0, CLAIM = 4 };
#define NO_CONTEXT UINT32_MAX

static struct plic {
    volatile uint8_t *base;
    struct irq_domain domain;
    uint32_t context[CPU_MAX]; /* by cpu->id */
} plic;

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(plic.base + offset);
}

static volatile uint32_t *enable_word(unsigned cpu, unsigned hwirq)
{
    return reg(ENABLE + (uint64_t)plic.context[cpu] * ENABLE_STRIDE + hwirq / 32 * 4);
}

static void disable_all(unsigned hwirq)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (plic.context[i] != NO_CONTEXT)
            *enable_word(i, hwirq) &= ~(UINT32_C(1) << hwirq % 32);
    }
}

static void plic_mask(struct irq_domain *d, unsigned hwirq)
{
    (void)d;
    disable_all(hwirq);
}

static void route(struct irq_domain *d, unsigned hwirq, uint64_t cpus)
{
    disable_all(hwirq);
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (cpus >> i & 1 && plic.context[i] != NO_CONTEXT && d->lines[hwirq].enabled) {
            *enable_word(i, hwirq) |= UINT32_C(1) << hwirq % 32;
            return;
        }
    }
}

static void plic_unmask(struct irq_domain *d, unsigned hwirq)
{
    uint64_t cpus = d->lines[hwirq].cpus;

    *reg(PRIORITY + 4 * (uint64_t)hwirq) = 1;
    disable_all(hwirq);
    for (unsigned i = 0; i < cpu_count(); i++) {
        if ((!cpus || cpus >> i & 1) && plic.context[i] != NO_CONTEXT) {
            *enable_word(i, hwirq) |= UINT32_C(1) << hwirq % 32;
            return;
        }
    }
}

static int plic_translate(struct irq_domain *d, const uint32_t *cells, unsigned count, unsigned *hwirq,
                          enum irq_trigger *t)
{
    if (!count || !cells[0] || cells[0] >= d->count)
        return -EINVAL;
    *hwirq = cells[0];
    *t = IRQ_LEVEL_HIGH; /* the gateway knows; software sees requests only */
    return 0;
}

static void plic_external(void *opaque)
{
    uint32_t context = plic.context[arch_cpu()->id];
    volatile uint32_t *claim = reg(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + CLAIM);
    uint32_t hwirq;

    (void)opaque;
    while ((hwirq = *claim)) {
        irq_handle(&plic.domain, hwirq);
        *claim = hwirq;
    }
}

/* "interrupts-extended": pairs of a hart's controller and a cause, in the order of contexts. */
static uint32_t find_context(const struct board *b, dtb_node n, uint32_t intc)
{
    uint32_t phandle, cause;

    for (unsigned i = 0; !dtb_u32(&b->dtb, n, "interrupts-extended", 2 * i, &phandle); i++) {
        if (dtb_u32(&b->dtb, n, "interrupts-extended", 2 * i + 1, &cause))
            break;
        if (phandle == intc && cause == RV_INT_SEI)
            return i;
    }
    return NO_CONTEXT;
}

int plic_init(const struct board *b, dtb_node n)
{
    static const struct irq_domain_ops ops = {
        .mask = plic_mask, .unmask = plic_unmask, .affinity = route, .translate = plic_translate};
    uint64_t pa, size;
    uint32_t sources;
    int err;

    if (board_reg(b, n, 0, &pa, &size) || dtb_u32(&b->dtb, n, "riscv,ndev", 0, &sources) || sources > 1023)
        return -ENODEV;
    plic.base = arch_map_device(pa, size);
    if (!plic.base)
        return -ENODEV;
    plic.domain = (struct irq_domain){.name = "plic", .ops = &ops, .node = n, .count = sources + 1};
    for (unsigned i = 0; i < cpu_count(); i++) {
        plic.context[i] = find_context(b, n, riscv_cpu_intc(cpu_at(i)));
        for (unsigned w = 0; w <= sources / 32 && plic.context[i] != NO_CONTEXT; w++)
            *enable_word(i, w * 32) = 0;
    }
    err = irq_domain_add(&plic.domain);
    if (!err)
        riscv_external_set(plic_external, NULL);
    return err;
}

void plic_cpu_setup(struct cpu *c)
{
    if (plic.base && plic.context[c->id] != NO_CONTEXT)
        *reg(CONTEXT + (uint64_t)plic.context[c->id] * CONTEXT_STRIDE + THRESHOLD) = 0;
}
