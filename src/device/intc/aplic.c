/*
 * APLIC (RISC-V AIA 1.0, chapter 4) of one delivery mode: domaincfg.DM is read-only, which the specification
 * allows (4.5.1). By MSIs there are no interrupt delivery control structures (IDCs); without, no MSI
 * registers.
 */
#include "device/intc/aplic.h"
#include "core/irqchip.h"
#include "core/vm.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define WORDS  (APLIC_SOURCES / 32)
#define WINDOW 0x8000

enum {
    DOMAINCFG = 0x0,
    SOURCECFG = 0x4,
    MMSIADDRCFG = 0x1bc0,
    SMSIADDRCFGH = 0x1bcc,
    SETIP = 0x1c00,
    SETIPNUM = 0x1cdc,
    IN_CLRIP = 0x1d00,
    CLRIPNUM = 0x1ddc,
    SETIE = 0x1e00,
    SETIENUM = 0x1edc,
    CLRIE = 0x1f00,
    CLRIENUM = 0x1fdc,
    SETIPNUM_LE = 0x2000,
    GENMSI = 0x3000,
    TARGET = 0x3004,
    IDC = 0x4000, /* a hart's */
    IDC_STRIDE = 0x20
};
enum { IDELIVERY = 0x0, IFORCE = 0x4, ITHRESHOLD = 0x8, TOPI = 0x18, CLAIMI = 0x1c };
enum { DOMAIN_FIXED = (int)0x80000000, DOMAIN_IE = 1 << 8, DOMAIN_DM = 1 << 2 };
enum {
    SOURCE_D = 1 << 10,
    SM_INACTIVE = 0,
    SM_DETACHED = 1,
    SM_EDGE1 = 4,
    SM_EDGE0 = 5,
    SM_LEVEL1 = 6,
    SM_LEVEL0 = 7
};

/* 4.8.1: what one hart gets. */
struct idc {
    uint32_t delivery, force, threshold;
    uint32_t driven; /* what the CPU input shows */
};

struct aplic {
    struct device dev;
    struct aplic_config config;
    struct aplic *parent; /* NULL: every source is this domain's */
    uint32_t domaincfg;
    uint32_t sourcecfg[APLIC_SOURCES], target[APLIC_SOURCES];
    uint32_t wire[WORDS], pending[WORDS], enable[WORDS];
    uint32_t genmsi;
    uint32_t msiaddr[4]; /* mmsiaddrcfg, mmsiaddrcfgh, smsiaddrcfg, smsiaddrcfgh: stored, see msi_to() */
    struct idc idc[VM_MAX_VCPUS];
};

static const struct state_field aplic_state[] = {
    STATE_FIELD(struct aplic, domaincfg, 0, 0),
    STATE_ARRAY(struct aplic, sourcecfg, 0, 0),
    STATE_ARRAY(struct aplic, target, 0, 0),
    STATE_ARRAY(struct aplic, wire, 0, 0),
    STATE_ARRAY(struct aplic, pending, 0, 0),
    STATE_ARRAY(struct aplic, enable, 0, 0),
    STATE_FIELD(struct aplic, genmsi, 0, 0),
    STATE_ARRAY(struct aplic, msiaddr, 0, 0),
    {"idc", offsetof(struct aplic, idc), 4, VM_MAX_VCPUS * 4, 0, 0},
    STATE_END,
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

static unsigned mode(const struct aplic *a, unsigned n)
{
    return (a->sourcecfg[n] & SOURCE_D) ? SM_INACTIVE : a->sourcecfg[n] & 7;
}

static bool is_level(unsigned m)
{
    return m == SM_LEVEL1 || m == SM_LEVEL0;
}

/* The wire as the source's mode sees it: inverted for the falling and low modes (AIA 1.0, 4.7). */
static bool rectified(const struct aplic *a, unsigned n)
{
    unsigned m = mode(a, n);

    if (m < SM_EDGE1)
        return false;
    return bit_get(a->wire, n) != (m == SM_EDGE0 || m == SM_LEVEL0);
}

static bool by_msi(const struct aplic *a)
{
    return a->config.msi_phandle != 0;
}

/* ---- delivery by MSI ---- */

/* The machine's files stand a page a hart from msi_base on: what mmsiaddrcfg and smsiaddrcfg can only
 * confirm. */
static void msi_to(struct aplic *a, uint32_t target)
{
    uint32_t hart = target >> 18;

    if (hart < a->dev.vm->vcpu_count && (target & 0x7ff))
        msi_send(a->dev.vm, a->config.msi_base + (uint64_t)hart * 0x1000, target & 0x7ff);
}

/* An enabled pending source is forwarded, which ends its pending state (AIA 1.0, 4.9.2). */
static void forward(struct aplic *a, unsigned n)
{
    if (!(a->domaincfg & DOMAIN_IE) || !bit_get(a->pending, n) || !bit_get(a->enable, n))
        return;
    bit_put(a->pending, n, false);
    msi_to(a, a->target[n]);
}

/* ---- direct delivery (AIA 1.0, 4.8) ---- */

/* Of each hart: identity << 16 | priority of what it is to take first, as topi has it. The lowest number is
 * the highest priority; of equals the lowest identity goes first. */
static void find_tops(const struct aplic *a, uint32_t *top)
{
    unsigned harts = a->dev.vm->vcpu_count;

    memset(top, 0, harts * sizeof(*top));
    for (unsigned w = 0; w < WORDS; w++) {
        for (uint32_t bits = a->pending[w] & a->enable[w]; bits; bits &= bits - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(bits);
            uint32_t hart = a->target[n] >> 18, priority = a->target[n] & 0xff;

            if (hart >= harts || (a->idc[hart].threshold && priority >= a->idc[hart].threshold))
                continue;
            if (!top[hart] || priority < (top[hart] & 0xff))
                top[hart] = n << 16 | priority;
        }
    }
}

static void update_harts(struct aplic *a)
{
    uint32_t top[VM_MAX_VCPUS];

    find_tops(a, top);
    for (unsigned i = 0; i < a->dev.vm->vcpu_count; i++) {
        struct idc *c = &a->idc[i];
        bool on = a->domaincfg & DOMAIN_IE && c->delivery && (c->force || top[i]);

        if (on == c->driven)
            continue;
        c->driven = on;
        irqchip_cpu_input(a->dev.vm->vcpu[i], a->config.input, on);
    }
}

/* 4.8.1.5: what is claimed is pending no more (a level stays); a spurious claim ends a forced interrupt. */
static uint32_t claim(struct aplic *a, unsigned hart)
{
    uint32_t top[VM_MAX_VCPUS];
    unsigned n;

    find_tops(a, top);
    n = top[hart] >> 16;
    if (!n)
        a->idc[hart].force = 0;
    else if (!is_level(mode(a, n)))
        bit_put(a->pending, n, false);
    update_harts(a);
    return top[hart];
}

static uint32_t idc_read(struct aplic *a, uint64_t offset)
{
    unsigned hart = (unsigned)(offset / IDC_STRIDE);
    uint32_t top[VM_MAX_VCPUS];

    if (by_msi(a) || hart >= a->dev.vm->vcpu_count)
        return 0;
    switch (offset % IDC_STRIDE) {
    case IDELIVERY:
        return a->idc[hart].delivery;
    case IFORCE:
        return a->idc[hart].force;
    case ITHRESHOLD:
        return a->idc[hart].threshold;
    case TOPI:
        find_tops(a, top);
        return top[hart];
    case CLAIMI:
        return claim(a, hart);
    default:
        return 0;
    }
}

static void idc_write(struct aplic *a, uint64_t offset, uint32_t value)
{
    unsigned hart = (unsigned)(offset / IDC_STRIDE);

    if (by_msi(a) || hart >= a->dev.vm->vcpu_count)
        return;
    if (offset % IDC_STRIDE == IDELIVERY)
        a->idc[hart].delivery = value & 1;
    else if (offset % IDC_STRIDE == IFORCE)
        a->idc[hart].force = value & 1;
    else if (offset % IDC_STRIDE == ITHRESHOLD)
        a->idc[hart].threshold = value & 0xff;
    update_harts(a);
}

/* ---- sources ---- */

static void deliver(struct aplic *a, unsigned n)
{
    if (by_msi(a))
        forward(a, n);
    else
        update_harts(a);
}

/* In direct delivery the pending bit of a level is the level (AIA 1.0, 4.7). */
static void source_input(struct aplic *a, unsigned n, bool before)
{
    bool now = rectified(a, n), level = is_level(mode(a, n));

    if (now && (!before || (level && !by_msi(a))))
        bit_put(a->pending, n, true);
    else if (!now && level)
        bit_put(a->pending, n, false);
    deliver(a, n);
}

static void aplic_wire(struct device *d, unsigned n, bool level);

/* What the child sees of source n; its lock is taken within ours. */
// NOLINTNEXTLINE(misc-no-recursion)
static void child_input(struct aplic *a, unsigned n)
{
    if (a->config.child)
        aplic_wire(a->config.child, n, (a->sourcecfg[n] & SOURCE_D) && bit_get(a->wire, n));
}

/* A source that the parent keeps is inactive here (AIA 1.0, 4.5.2). Called under either lock. */
static bool is_ours(const struct aplic *a, unsigned n)
{
    return !a->parent || __atomic_load_n(&a->parent->sourcecfg[n], __ATOMIC_RELAXED) & SOURCE_D;
}

/* The child is a leaf: there are two domains. */
// NOLINTNEXTLINE(misc-no-recursion)
static void aplic_wire(struct device *d, unsigned n, bool level)
{
    struct aplic *a = container_of(d, struct aplic, dev);
    bool before;

    if (n == 0 || n >= APLIC_SOURCES)
        return;
    plat_lock(&d->lock);
    before = rectified(a, n);
    bit_put(a->wire, n, level);
    if (!(a->sourcecfg[n] & SOURCE_D))
        source_input(a, n, before);
    child_input(a, n);
    plat_unlock(&d->lock);
}

/* A software request: for level modes only while the input is asserted, which makes it so by itself in direct
 * delivery (AIA 1.0, 4.7). */
static void set_pending(struct aplic *a, uint64_t n)
{
    if (n == 0 || n >= APLIC_SOURCES || mode(a, (unsigned)n) == SM_INACTIVE)
        return;
    if (is_level(mode(a, (unsigned)n)) && !rectified(a, (unsigned)n))
        return;
    bit_put(a->pending, (unsigned)n, true);
    deliver(a, (unsigned)n);
}

static void set_enable(struct aplic *a, uint64_t n, bool on)
{
    if (n == 0 || n >= APLIC_SOURCES || mode(a, (unsigned)n) == SM_INACTIVE)
        return;
    bit_put(a->enable, (unsigned)n, on);
    deliver(a, (unsigned)n);
}

static void clear_pending(struct aplic *a, uint64_t n)
{
    if (n == 0 || n >= APLIC_SOURCES || (!by_msi(a) && is_level(mode(a, (unsigned)n))))
        return;
    bit_put(a->pending, (unsigned)n, false);
    deliver(a, (unsigned)n);
}

static void child_forget(struct aplic *a, unsigned n);

/* No guest files; priority 0 does not exist (AIA 1.0, 4.5.16.1 and 2). */
static void set_target(struct aplic *a, unsigned n, uint32_t value)
{
    if (mode(a, n) == SM_INACTIVE)
        a->target[n] = 0;
    else if (by_msi(a))
        a->target[n] = value & 0xfffc07ff;
    else
        a->target[n] = (value & 0xfffc00ff) | !(value & 0xff);
}

/* The child is a leaf: there are two domains. */
// NOLINTNEXTLINE(misc-no-recursion)
static void sourcecfg_write(struct aplic *a, unsigned n, uint32_t value)
{
    bool before = rectified(a, n);

    if (!is_ours(a, n))
        value = 0;
    if (value & SOURCE_D)
        value = a->config.child ? SOURCE_D : 0; /* the only child has index 0 */
    else
        value = (value & 7) == 2 || (value & 7) == 3 ? 0 : value & 7;
    __atomic_store_n(&a->sourcecfg[n], value, __ATOMIC_RELAXED);
    if (mode(a, n) == SM_INACTIVE) {
        bit_put(a->pending, n, false);
        bit_put(a->enable, n, false);
    }
    set_target(a, n, a->target[n]);
    source_input(a, n, before);
    child_input(a, n);
    if (a->config.child && !(value & SOURCE_D))
        child_forget(a, n);
}

// NOLINTNEXTLINE(misc-no-recursion)
static void child_forget(struct aplic *a, unsigned n)
{
    struct aplic *child = container_of(a->config.child, struct aplic, dev);

    plat_lock(&child->dev.lock);
    sourcecfg_write(child, n, 0);
    plat_unlock(&child->dev.lock);
}

static uint32_t word_get(const uint32_t *bits, uint64_t offset)
{
    return offset / 4 < WORDS ? bits[offset / 4] : 0;
}

static uint32_t rectified_word(const struct aplic *a, uint64_t offset)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 32 && offset / 4 < WORDS; i++)
        v |= (uint32_t)rectified(a, (unsigned)(offset / 4) * 32 + i) << i;
    return v;
}

static uint64_t aplic_read(struct device *d, unsigned region, uint64_t o, unsigned size)
{
    struct aplic *a = container_of(d, struct aplic, dev);

    (void)region;
    if (size != 4 || o % 4)
        return 0;
    if (o == DOMAINCFG)
        return a->domaincfg;
    if (o >= SOURCECFG && o < SOURCECFG + 4 * (APLIC_SOURCES - 1))
        return a->sourcecfg[o / 4];
    if (o >= MMSIADDRCFG && o <= SMSIADDRCFGH)
        return a->msiaddr[(o - MMSIADDRCFG) / 4];
    if (o >= SETIP && o < SETIPNUM)
        return word_get(a->pending, o - SETIP);
    if (o >= IN_CLRIP && o < CLRIPNUM)
        return rectified_word(a, o - IN_CLRIP);
    if (o >= SETIE && o < SETIENUM)
        return word_get(a->enable, o - SETIE);
    if (o == GENMSI)
        return a->genmsi;
    if (o >= TARGET && o < TARGET + 4 * (APLIC_SOURCES - 1))
        return a->target[(o - GENMSI) / 4];
    if (o >= IDC)
        return idc_read(a, o - IDC);
    return 0;
}

/* Bit arrays: one call a bit that is set in value. */
static void each_bit(struct aplic *a, uint64_t offset, uint32_t value, unsigned what)
{
    for (; value; value &= value - 1) {
        uint64_t n = offset / 4 * 32 + (unsigned)__builtin_ctz(value);

        if (what == SETIP)
            set_pending(a, n);
        else if (what == IN_CLRIP)
            clear_pending(a, n);
        else
            set_enable(a, n, what == SETIE);
    }
}

/* Of what one delivery mode alone has. */
static void delivery_write(struct aplic *a, uint64_t o, uint32_t v)
{
    if (o >= IDC) {
        idc_write(a, o - IDC, v);
    } else if (!by_msi(a)) {
        return;
    } else if (o == GENMSI) {
        a->genmsi = v & 0xfffc07ff;
        msi_to(a, a->genmsi);
    } else {
        a->msiaddr[(o - MMSIADDRCFG) / 4] = v;
    }
}

static void domaincfg_write(struct aplic *a, uint32_t v)
{
    a->domaincfg = (uint32_t)DOMAIN_FIXED | (by_msi(a) ? DOMAIN_DM : 0) | (v & DOMAIN_IE);
    for (unsigned n = 1; n < APLIC_SOURCES; n++)
        deliver(a, n);
}

static void aplic_write(struct device *d, unsigned region, uint64_t o, unsigned size, uint64_t value)
{
    struct aplic *a = container_of(d, struct aplic, dev);
    uint32_t v = (uint32_t)value;

    (void)region;
    if (size != 4 || o % 4)
        return;
    if (o == DOMAINCFG) {
        domaincfg_write(a, v);
    } else if (o >= SOURCECFG && o < SOURCECFG + 4 * (APLIC_SOURCES - 1)) {
        sourcecfg_write(a, (unsigned)(o / 4), v);
    } else if ((o >= MMSIADDRCFG && o <= SMSIADDRCFGH) || o == GENMSI || o >= IDC) {
        delivery_write(a, o, v);
    } else if (o >= SETIP && o < SETIPNUM) {
        each_bit(a, o - SETIP, v, SETIP);
    } else if (o == SETIPNUM || o == SETIPNUM_LE) {
        set_pending(a, v);
    } else if (o >= IN_CLRIP && o < CLRIPNUM) {
        each_bit(a, o - IN_CLRIP, v, IN_CLRIP);
    } else if (o == CLRIPNUM) {
        clear_pending(a, v);
    } else if (o >= SETIE && o < SETIENUM) {
        each_bit(a, o - SETIE, v, SETIE);
    } else if (o == SETIENUM) {
        set_enable(a, v, true);
    } else if (o >= CLRIE && o < CLRIENUM) {
        each_bit(a, o - CLRIE, v, CLRIE);
    } else if (o == CLRIENUM) {
        set_enable(a, v, false);
    } else if (o >= TARGET && o < TARGET + 4 * (APLIC_SOURCES - 1)) {
        set_target(a, (unsigned)((o - GENMSI) / 4), v);
        if (!by_msi(a))
            update_harts(a);
    }
}

static void aplic_reset(struct device *d)
{
    struct aplic *a = container_of(d, struct aplic, dev);

    a->domaincfg = (uint32_t)DOMAIN_FIXED | (by_msi(a) ? DOMAIN_DM : 0);
    a->genmsi = 0;
    memset(a->sourcecfg, 0, sizeof(a->sourcecfg));
    memset(a->target, 0, sizeof(a->target));
    memset(a->pending, 0, sizeof(a->pending));
    memset(a->enable, 0, sizeof(a->enable));
    memset(a->msiaddr, 0, sizeof(a->msiaddr));
    for (unsigned i = 0; i < VM_MAX_VCPUS; i++)
        a->idc[i] = (struct idc){.driven = a->idc[i].driven};
    if (!by_msi(a))
        update_harts(a);
}

static void aplic_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct aplic, dev));
}

/* Where it delivers to: MSIs, or the input of each hart, in the order of the IDCs. */
static void describe_delivery(struct aplic *a, struct dtw *w)
{
    uint32_t cells[VM_MAX_VCPUS * 2];

    if (by_msi(a)) {
        dtw_prop_u32(w, "msi-parent", a->config.msi_phandle);
        return;
    }
    for (unsigned i = 0; i < a->dev.vm->vcpu_count; i++) {
        cells[2 * i] = a->config.cpu_phandle(i);
        cells[2 * i + 1] = a->config.input;
    }
    dtw_prop_cells(w, "interrupts-extended", cells, a->dev.vm->vcpu_count * 2);
}

static int aplic_describe(struct device *d, struct dtw *w)
{
    struct aplic *a = container_of(d, struct aplic, dev);

    device_node_begin(d, w, "aplic");
    dtw_prop_str(w, "compatible", "riscv,aplic");
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 2);
    dtw_prop_u32(w, "#address-cells", 0);
    dtw_prop_u32(w, "riscv,num-sources", APLIC_SOURCES - 1);
    describe_delivery(a, w);
    if (a->config.child) {
        const uint32_t child = container_of(a->config.child, struct aplic, dev)->config.phandle;
        const uint32_t delegation[3] = {child, 1, APLIC_SOURCES - 1};

        dtw_prop_u32(w, "riscv,children", child);
        dtw_prop_cells(w, "riscv,delegation", delegation, 3);
        dtw_prop_cells(w, "riscv,delegate", delegation, 3); /* the name before the binding settled */
    }
    dtw_prop_u32(w, "phandle", a->config.phandle);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops aplic_ops = {
    .name = "aplic",
    .summary = "RISC-V AIA advanced PLIC",
    .state = aplic_state,
    .read = aplic_read,
    .write = aplic_write,
    .reset = aplic_reset,
    .destroy = aplic_destroy,
    .describe = aplic_describe,
    .line = aplic_wire,
};

struct device *aplic_create(struct vm *vm, const char *id, const struct aplic_config *config, char *why,
                            size_t why_size)
{
    struct aplic *a = device_alloc(sizeof(*a), why, why_size);

    if (!a)
        return NULL;
    device_init(&a->dev, &aplic_ops, vm, id);
    a->config = *config;
    if (config->child)
        container_of(config->child, struct aplic, dev)->parent = a;
    if (device_map(&a->dev, 0, config->base, WINDOW, why, why_size)) {
        aplic_destroy(&a->dev);
        return NULL;
    }
    device_add(&a->dev);
    return &a->dev;
}

struct irq_line aplic_line(struct device *root, unsigned source)
{
    return (struct irq_line){.controller = root, .input = source, .dt_cells = 2, .dt = {source, 4}};
}
