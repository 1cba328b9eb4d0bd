/* APLIC of S-level with message delivery (AIA 1.0, 4): a source's message goes to one CPU of its affinity. */
#include "lib/err.h"
#include "platform/bare/arch.h"
#include "platform/bare/drivers/riscv64/aia.h"
#include "platform/bare/irq/irq.h"

enum {
    DOMAINCFG = 0x0,
    SOURCECFG = 0x0, /* + 4 n, n from 1 */
    SETIPNUM = 0x1cdc,
    IN_CLRIP = 0x1d00,
    SETIENUM = 0x1edc,
    CLRIENUM = 0x1fdc,
    TARGET = 0x3000 /* + 4 n */
};
enum { DOMAIN_IE = 1 << 8, DOMAIN_DM = 1 << 2 };
enum { SM_EDGE1 = 4, SM_EDGE0 = 5, SM_LEVEL1 = 6, SM_LEVEL0 = 7 };

static struct aplic {
    volatile uint8_t *base;
    struct irq_domain domain;
} aplic;

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(aplic.base + offset);
}

static bool is_level(unsigned hwirq)
{
    return (*reg(SOURCECFG + 4 * (uint64_t)hwirq) & 7) >= SM_LEVEL1;
}

/* A level that is up sends again (4.9.2). Its input is looked at first: some controllers set any source. */
static void ask_again(unsigned hwirq)
{
    if (is_level(hwirq) && *reg(IN_CLRIP + hwirq / 32 * 4) >> hwirq % 32 & 1)
        *reg(SETIPNUM) = hwirq;
}

static void aplic_mask(struct irq_domain *d, unsigned hwirq)
{
    (void)d;
    *reg(CLRIENUM) = hwirq;
}

static void aplic_affinity(struct irq_domain *d, unsigned hwirq, uint64_t cpus)
{
    uint64_t mask = cpus & cpu_online_mask();
    unsigned cpu = mask ? (unsigned)__builtin_ctzll(mask) : 0;

    (void)d;
    *reg(TARGET + 4 * (uint64_t)hwirq) = imsic_hart_index(cpu) << 18 | (hwirq + IMSIC_IDENTITY_SOURCE);
}

/* The message of a level that is up already may have gone while it was masked. */
static void aplic_unmask(struct irq_domain *d, unsigned hwirq)
{
    aplic_affinity(d, hwirq, d->lines[hwirq].cpus ? d->lines[hwirq].cpus : 1);
    *reg(SETIENUM) = hwirq;
    ask_again(hwirq);
}

static void aplic_trigger(struct irq_domain *d, unsigned hwirq, enum irq_trigger t)
{
    static const uint8_t mode[] = {[IRQ_LEVEL_HIGH] = SM_LEVEL1,
                                   [IRQ_EDGE_RISING] = SM_EDGE1,
                                   [IRQ_LEVEL_LOW] = SM_LEVEL0,
                                   [IRQ_EDGE_FALLING] = SM_EDGE0};

    (void)d;
    *reg(SOURCECFG + 4 * (uint64_t)hwirq) = mode[t];
}

/* Two cells: source and trigger, as IRQ_TYPE_* of the devicetree's bindings: 1 2 edges, 4 8 levels. */
static int aplic_translate(struct irq_domain *d, const uint32_t *cells, unsigned count, unsigned *hwirq,
                           enum irq_trigger *t)
{
    if (count < 2 || !cells[0] || cells[0] >= d->count)
        return -EINVAL;
    *hwirq = cells[0];
    *t = cells[1] == 1   ? IRQ_EDGE_RISING
         : cells[1] == 2 ? IRQ_EDGE_FALLING
         : cells[1] == 8 ? IRQ_LEVEL_LOW
                         : IRQ_LEVEL_HIGH;
    return 0;
}

/* After its handler. */
static void aplic_end(struct irq_domain *d, unsigned hwirq)
{
    (void)d;
    ask_again(hwirq);
}

int aplic_init(const struct board *b, dtb_node n)
{
    static const struct irq_domain_ops ops = {.mask = aplic_mask,
                                              .unmask = aplic_unmask,
                                              .trigger = aplic_trigger,
                                              .affinity = aplic_affinity,
                                              .translate = aplic_translate};
    uint64_t pa, size;
    uint32_t sources, parent;
    int err;

    if (dtb_u32(&b->dtb, n, "msi-parent", 0, &parent) || !imsic_phandle() || parent != imsic_phandle() ||
        board_reg(b, n, 0, &pa, &size) || dtb_u32(&b->dtb, n, "riscv,num-sources", 0, &sources) ||
        sources > 500)
        return -ENODEV;
    aplic.base = arch_map_device(pa, size);
    if (!aplic.base)
        return -ENODEV;
    *reg(DOMAINCFG) = 0;
    for (uint32_t i = 1; i <= sources; i++) {
        *reg(CLRIENUM) = i;
        *reg(SOURCECFG + 4 * (uint64_t)i) = 0;
    }
    aplic.domain = (struct irq_domain){.name = "aplic", .ops = &ops, .node = n, .count = sources + 1};
    err = irq_domain_add(&aplic.domain);
    if (err)
        return err;
    imsic_sources_set(sources);
    imsic_domain_set(&aplic.domain, aplic_end);
    *reg(DOMAINCFG) = DOMAIN_IE | DOMAIN_DM;
    return 0;
}
