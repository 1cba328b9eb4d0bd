/* PLIC: pending and enable bits, priorities, one claim register a context. */
#include "device/intc/plic.h"
#include "core/irqchip.h"
#include "core/vm.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define WORDS        (PLIC_SOURCES / 32)
#define PRIORITY_MAX 7

enum {
    PRIORITY = 0x0,
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    WINDOW = 0x4000000
};

struct plic {
    struct device dev;
    uint32_t phandle;
    unsigned contexts;
    struct plic_context context[PLIC_MAX_CONTEXTS];
    uint8_t priority[PLIC_SOURCES];
    uint32_t level[WORDS]; /* the wires */
    uint32_t pending[WORDS];
    uint32_t claimed[WORDS]; /* gateway closed until completion */
    uint32_t enable[PLIC_MAX_CONTEXTS][WORDS];
    uint8_t threshold[PLIC_MAX_CONTEXTS];
    uint8_t driven[PLIC_MAX_CONTEXTS]; /* what the CPU input shows */
};

static const struct state_field plic_state[] = {
    STATE_ARRAY(struct plic, priority, 0, 0),  STATE_ARRAY(struct plic, level, 0, 0),
    STATE_ARRAY(struct plic, pending, 0, 0),   STATE_ARRAY(struct plic, claimed, 0, 0),
    STATE_ARRAY(struct plic, threshold, 0, 0), STATE_ARRAY(struct plic, enable, 0, 0),
    STATE_ARRAY(struct plic, driven, 0, 0),    STATE_END,
};

static bool bit_get(const uint32_t *bits, unsigned n)
{
    return bits[n / 32] >> (n % 32) & 1;
}

static void bit_put(uint32_t *bits, unsigned n, bool on)
{
    uint32_t bit = UINT32_C(1) << (n % 32);

    bits[n / 32] = on ? bits[n / 32] | bit : bits[n / 32] & ~bit;
}

/* The pending, enabled source of highest priority above `floor`; the lowest number among equals (PLIC 1.0.0,
 * 5). */
static unsigned best(const struct plic *p, unsigned ctx, unsigned floor)
{
    unsigned source = 0, priority = floor;

    for (unsigned w = 0; w < WORDS; w++) {
        uint32_t bits = p->pending[w] & p->enable[ctx][w];

        for (; bits; bits &= bits - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(bits);

            if (p->priority[n] > priority) {
                priority = p->priority[n];
                source = n;
            }
        }
    }
    return source;
}

static void update(struct plic *p)
{
    for (unsigned c = 0; c < p->contexts; c++) {
        bool on = best(p, c, p->threshold[c]) != 0;

        if (on == p->driven[c])
            continue;
        p->driven[c] = on;
        irqchip_cpu_input(p->dev.vm->vcpu[p->context[c].cpu], p->context[c].input, on);
    }
}

/* A level gateway forwards one request, then waits for its completion. */
static void gateway(struct plic *p, unsigned n)
{
    if (bit_get(p->level, n) && !bit_get(p->claimed, n))
        bit_put(p->pending, n, true);
}

static __attribute__((noinline)) uint32_t claim(struct plic *p, unsigned ctx)
{
    /* Claims look past the threshold (PLIC 1.0.0, 7). */
    unsigned n = best(p, ctx, 0);

    if (n) {
        bit_put(p->pending, n, false);
        bit_put(p->claimed, n, true);
        update(p);
    }
    return n;
}

static void complete(struct plic *p, unsigned ctx, uint64_t n)
{
    if (n == 0 || n >= PLIC_SOURCES || !bit_get(p->enable[ctx], (unsigned)n))
        return;
    bit_put(p->claimed, (unsigned)n, false);
    gateway(p, (unsigned)n);
    update(p);
}

static void plic_wire(struct device *d, unsigned n, bool level)
{
    struct plic *p = container_of(d, struct plic, dev);

    if (n == 0 || n >= PLIC_SOURCES)
        return;
    plat_lock(&d->lock);
    if (bit_get(p->level, n) != level) {
        bit_put(p->level, n, level);
        gateway(p, n);
        /* A level that falls before its claim stays a request (PLIC 1.0.0, 4, interrupt gateways). */
        update(p);
    }
    plat_unlock(&d->lock);
}

static uint64_t plic_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct plic *p = container_of(d, struct plic, dev);
    uint64_t c, w;

    (void)region;
    if (size != 4 || offset % 4)
        return 0;
    if (offset < PENDING)
        return offset / 4 < PLIC_SOURCES ? p->priority[offset / 4] : 0;
    if (offset < ENABLE)
        return (offset - PENDING) / 4 < WORDS ? p->pending[(offset - PENDING) / 4] : 0;
    if (offset < CONTEXT) {
        c = (offset - ENABLE) / ENABLE_STRIDE;
        w = (offset - ENABLE) % ENABLE_STRIDE / 4;
        return c < p->contexts && w < WORDS ? p->enable[c][w] : 0;
    }
    c = (offset - CONTEXT) / CONTEXT_STRIDE;
    if (c >= p->contexts)
        return 0;
    switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
    case 0:
        return p->threshold[c];
    case 4:
        return claim(p, (unsigned)c);
    }
    return 0;
}

static void context_write(struct plic *p, unsigned c, uint64_t reg, uint64_t value)
{
    if (reg == 0) {
        p->threshold[c] = value & PRIORITY_MAX;
        update(p);
    } else if (reg == 4) {
        complete(p, c, value);
    }
}

static void plic_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct plic *p = container_of(d, struct plic, dev);
    uint64_t c, w;

    (void)region;
    if (size != 4 || offset % 4)
        return;
    if (offset < PENDING) {
        if (offset && offset / 4 < PLIC_SOURCES)
            p->priority[offset / 4] = value & PRIORITY_MAX;
        update(p);
    } else if (offset >= CONTEXT) {
        c = (offset - CONTEXT) / CONTEXT_STRIDE;
        if (c < p->contexts)
            context_write(p, (unsigned)c, (offset - CONTEXT) % CONTEXT_STRIDE, value);
    } else if (offset >= ENABLE) {
        c = (offset - ENABLE) / ENABLE_STRIDE;
        w = (offset - ENABLE) % ENABLE_STRIDE / 4;
        if (c < p->contexts && w < WORDS)
            p->enable[c][w] = (uint32_t)value & (w ? UINT32_MAX : ~UINT32_C(1));
        update(p);
    }
}

static void plic_reset(struct device *d)
{
    struct plic *p = container_of(d, struct plic, dev);

    memset(p->priority, 0, sizeof(p->priority));
    memset(p->pending, 0, sizeof(p->pending));
    memset(p->claimed, 0, sizeof(p->claimed));
    memset(p->enable, 0, sizeof(p->enable));
    memset(p->threshold, 0, sizeof(p->threshold));
    update(p);
}

static void plic_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct plic, dev));
}

static int plic_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"sifive,plic-1.0.0", "riscv,plic0"};
    struct plic *p = container_of(d, struct plic, dev);
    uint32_t cells[PLIC_MAX_CONTEXTS * 2];

    for (unsigned i = 0; i < p->contexts; i++) {
        cells[2 * i] = p->context[i].phandle;
        cells[2 * i + 1] = p->context[i].input;
    }
    device_node_begin(d, w, "plic");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 1);
    dtw_prop_u32(w, "#address-cells", 0);
    dtw_prop_u32(w, "riscv,ndev", PLIC_SOURCES - 1);
    dtw_prop_u32(w, "phandle", p->phandle);
    dtw_prop_cells(w, "interrupts-extended", cells, p->contexts * 2);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops plic_ops = {
    .name = "plic",
    .summary = "RISC-V platform-level interrupt controller",
    .state = plic_state,
    .read = plic_read,
    .write = plic_write,
    .reset = plic_reset,
    .destroy = plic_destroy,
    .describe = plic_describe,
    .line = plic_wire,
};

struct device *plic_create(struct vm *vm, const char *id, gpa_t base, const struct plic_context *contexts,
                           unsigned count, uint32_t phandle, char *why, size_t why_size)
{
    struct plic *p = device_alloc(sizeof(*p), why, why_size);

    if (!p)
        return NULL;
    BUG_ON(count > PLIC_MAX_CONTEXTS);
    device_init(&p->dev, &plic_ops, vm, id);
    p->phandle = phandle;
    p->contexts = count;
    memcpy(p->context, contexts, count * sizeof(*contexts));
    if (device_map(&p->dev, 0, base, WINDOW, why, why_size)) {
        plic_destroy(&p->dev);
        return NULL;
    }
    device_add(&p->dev);
    return &p->dev;
}

struct irq_line plic_line(struct device *plic, unsigned source)
{
    return (struct irq_line){.controller = plic, .input = source, .dt_cells = 1, .dt = {source}};
}
