/*
 * The ITS. Its tables are in guest memory and untrusted: each entry is checked when it is read. Lock order:
 * the ITS, then its GIC.
 */
#include "device/intc/gicv3_its.h"
#include "core/vm.h"
#include "device/intc/gicv3_priv.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define PART        0x494
#define IIDR        0x43bu
#define DEVICE_BITS 16
#define COLLECTIONS 255u
#define UNMAPPED    0xff
#define ENTRY_SIZE  8u /* of device and translation tables */

enum region { REGION_ITS };

enum {
    GITS_CTLR = 0x0,
    GITS_IIDR = 0x4,
    GITS_TYPER = 0x8,
    GITS_CBASER = 0x80,
    GITS_CWRITER = 0x88,
    GITS_CREADR = 0x90,
    GITS_BASER0 = 0x100,
    GITS_ID = 0xf000,
    GITS_ID_END = 0x10000,
    GITS_TRANSLATER = 0x10040
};
enum { CTLR_ENABLED = 1 };
#define CTLR_QUIESCENT UINT32_C(0x80000000)

#define VALID        BIT(63)
#define CBASER_MASK  UINT64_C(0xb8effffffffffcff)
#define BASER_MASK   UINT64_C(0xb8e0ffffffffffff) /* flat only; Type and Entry_Size are fixed */
#define BASER_FIXED  (BIT(56) | (uint64_t)(ENTRY_SIZE - 1) << 48)
#define QUEUE_MASK   UINT64_C(0xfffe0)
#define COMMAND_SIZE 32u
/* What one slice of the queue may cost; a command costs 1 unless it goes over all LPIs. */
#define SLICE     64u
#define COST_LOAD 16u /* INVALL */
#define COST_MOVE 64u /* MOVALL */

struct its {
    struct device dev;
    struct gicv3 *gic;
    uint32_t phandle;
    uint32_t ctlr;
    uint64_t cbaser, cwriter, creadr, baser;
    uint8_t collection[COLLECTIONS]; /* the vCPU, or UNMAPPED */
    struct work work;                /* the rest of a long queue */
};

static const struct state_field its_state[] = {
    STATE_FIELD(struct its, ctlr, 0, 0),
    STATE_FIELD(struct its, cbaser, 0, 0),
    STATE_FIELD(struct its, cwriter, 0, 0),
    STATE_FIELD(struct its, creadr, 0, 0),
    STATE_FIELD(struct its, baser, 0, 0),
    STATE_ARRAY(struct its, collection, 0, 0),
    STATE_END,
};

/* ---- tables ---- */

/*
 * A device's entry: bit 63 valid, 51:8 its translation table, 4:0 bits of an event number minus one. That of
 * an event: bit 63 valid, 47:32 collection, 31:0 LPI.
 */
#define DEVICE_TABLE(e)     ((e)&UINT64_C(0x000fffffffffff00))
#define DEVICE_EVENTS(e)    (UINT64_C(2) << ((e)&31))
#define EVENT_COLLECTION(e) ((unsigned)((e) >> 32 & 0xffff))
#define EVENT_LPI(e)        ((uint32_t)(e))

/* Pages of 4, 16 or 64 KiB; the last take bits 51:48 of the address from 15:12 (12.19.1). */
static bool device_slot(const struct its *s, uint32_t device, gpa_t *at)
{
    unsigned page_bits = 12 + 2 * MIN((unsigned)(s->baser >> 8 & 3), 2u);
    uint64_t size = ((s->baser & 0xff) + 1) << page_bits;
    gpa_t table = s->baser & UINT64_C(0x0000fffffffff000);

    if (page_bits == 16)
        table = (s->baser & UINT64_C(0x0000ffffffff0000)) | (s->baser >> 12 & 15) << 48;
    *at = table + (uint64_t)device * ENTRY_SIZE;
    return s->baser & VALID && device < 1u << DEVICE_BITS && (device + UINT64_C(1)) * ENTRY_SIZE <= size;
}

static bool entry_read(const struct its *s, gpa_t at, uint64_t *entry)
{
    return !mem_read(&s->dev.vm->mem, at, entry, ENTRY_SIZE) && *entry & VALID;
}

/* A table outside memory keeps nothing. */
static void entry_write(struct its *s, gpa_t at, uint64_t entry)
{
    (void)!mem_write(&s->dev.vm->mem, at, &entry, ENTRY_SIZE);
}

static bool event_slot(const struct its *s, uint32_t device, uint32_t event, gpa_t *at)
{
    uint64_t entry;

    if (!device_slot(s, device, at) || !entry_read(s, *at, &entry) || event >= DEVICE_EVENTS(entry))
        return false;
    *at = DEVICE_TABLE(entry) + (uint64_t)event * ENTRY_SIZE;
    return true;
}

struct target {
    gpa_t slot;
    uint64_t entry;
    unsigned cpu; /* where its collection is */
};

static bool collection_cpu(const struct its *s, unsigned collection, unsigned *cpu)
{
    if (collection >= COLLECTIONS || s->collection[collection] >= s->gic->cpus)
        return false;
    *cpu = s->collection[collection];
    return true;
}

static bool translate(const struct its *s, uint32_t device, uint32_t event, struct target *t)
{
    return event_slot(s, device, event, &t->slot) && entry_read(s, t->slot, &t->entry) &&
           collection_cpu(s, EVENT_COLLECTION(t->entry), &t->cpu);
}

/* ---- commands (5.3); one with a fault in it is skipped. The GIC's lock is held ---- */

struct command {
    uint64_t w[4];
};

static uint32_t command_device(const struct command *c)
{
    return (uint32_t)(c->w[0] >> 32);
}

static uint32_t command_event(const struct command *c)
{
    return (uint32_t)c->w[1];
}

static unsigned command_collection(const struct command *c)
{
    return (unsigned)(c->w[2] & 0xffff);
}

/* A redistributor is named by its number (GITS_TYPER.PTA 0). */
static uint64_t command_cpu(uint64_t word)
{
    return word >> 16 & ((UINT64_C(1) << 35) - 1);
}

static void mapd(struct its *s, const struct command *c)
{
    gpa_t at;

    if (!device_slot(s, command_device(c), &at) || (c->w[1] & 31) >= GICV3_ID_BITS)
        return;
    entry_write(s, at, c->w[2] & VALID ? VALID | DEVICE_TABLE(c->w[2]) | (c->w[1] & 31) : 0);
}

static void mapc(struct its *s, const struct command *c)
{
    unsigned collection = command_collection(c);
    uint64_t cpu = command_cpu(c->w[2]);

    if (collection >= COLLECTIONS || (c->w[2] & VALID && cpu >= s->gic->cpus))
        return;
    s->collection[collection] = c->w[2] & VALID ? (uint8_t)cpu : UNMAPPED;
}

static void map_event(struct its *s, const struct command *c, uint64_t lpi)
{
    unsigned collection = command_collection(c), cpu;
    gpa_t at;

    if (lpi < GICV3_LPI_BASE || lpi >= GICV3_LPI_BASE + GICV3_LPIS || collection >= COLLECTIONS ||
        !event_slot(s, command_device(c), command_event(c), &at))
        return;
    entry_write(s, at, VALID | (uint64_t)collection << 32 | lpi);
    if (collection_cpu(s, collection, &cpu))
        gicv3_lpi_load(s->gic, cpu, lpi);
}

static void mapti(struct its *s, const struct command *c)
{
    map_event(s, c, c->w[1] >> 32);
}

static void mapi(struct its *s, const struct command *c)
{
    map_event(s, c, command_event(c));
}

static void interrupt(struct its *s, const struct command *c)
{
    struct target t;

    if (translate(s, command_device(c), command_event(c), &t))
        gicv3_lpi_set(s->gic, t.cpu, EVENT_LPI(t.entry), true);
}

static void clear(struct its *s, const struct command *c)
{
    struct target t;

    if (translate(s, command_device(c), command_event(c), &t))
        gicv3_lpi_set(s->gic, t.cpu, EVENT_LPI(t.entry), false);
}

static void discard(struct its *s, const struct command *c)
{
    struct target t;

    if (!translate(s, command_device(c), command_event(c), &t))
        return;
    gicv3_lpi_set(s->gic, t.cpu, EVENT_LPI(t.entry), false);
    entry_write(s, t.slot, 0);
}

static void inv(struct its *s, const struct command *c)
{
    struct target t;

    if (translate(s, command_device(c), command_event(c), &t))
        gicv3_lpi_load(s->gic, t.cpu, EVENT_LPI(t.entry));
}

static void invall(struct its *s, const struct command *c)
{
    unsigned cpu;

    if (collection_cpu(s, command_collection(c), &cpu))
        gicv3_lpi_load_all(s->gic, cpu);
}

static void move_pending(struct gicv3 *g, unsigned from, unsigned to, uint64_t lpi)
{
    if (from != to && gicv3_lpi_get(g, from, lpi)) {
        gicv3_lpi_set(g, from, lpi, false);
        gicv3_lpi_set(g, to, lpi, true);
    }
}

static void movi(struct its *s, const struct command *c)
{
    unsigned collection = command_collection(c), to;
    struct target t;

    if (!translate(s, command_device(c), command_event(c), &t) || !collection_cpu(s, collection, &to))
        return;
    entry_write(s, t.slot, VALID | (uint64_t)collection << 32 | EVENT_LPI(t.entry));
    move_pending(s->gic, t.cpu, to, EVENT_LPI(t.entry));
}

static void movall(struct its *s, const struct command *c)
{
    uint64_t from = command_cpu(c->w[2]), to = command_cpu(c->w[3]);

    if (from >= s->gic->cpus || to >= s->gic->cpus || !s->gic->lpi_pending[from])
        return;
    for (unsigned w = 0; w < GICV3_LPIS / 64; w++) {
        for (uint64_t bits = s->gic->lpi[from].pending[w]; bits; bits &= bits - 1)
            move_pending(s->gic, (unsigned)from, (unsigned)to,
                         GICV3_LPI_BASE + 64u * w + (unsigned)__builtin_ctzll(bits));
    }
}

static void command_do(struct its *s, const struct command *c)
{
    static void (*const table[])(struct its * s, const struct command *c) = {
        [0x01] = movi, [0x03] = interrupt, [0x04] = clear,  [0x08] = mapd,   [0x09] = mapc,    [0x0a] = mapti,
        [0x0b] = mapi, [0x0c] = inv,       [0x0d] = invall, [0x0e] = movall, [0x0f] = discard,
    };
    unsigned code = c->w[0] & 0xff;

    /* SYNC (5) has nothing to wait for. */
    if (code < ARRAY_SIZE(table) && table[code])
        table[code](s, c);
}

static unsigned command_cost(const struct command *c)
{
    unsigned code = c->w[0] & 0xff;

    return code == 0x0d ? COST_LOAD : code == 0x0e ? COST_MOVE : 1;
}

/*
 * What is between CREADR and CWRITER, a slice at a time, so that no queue holds up those who wait for the
 * locks: the rest is a work item's. A queue outside memory, or a CWRITER behind its end, stands still.
 */
static void queue_run(struct its *s)
{
    uint64_t size = ((s->cbaser & 0xff) + 1) << 12;
    gpa_t queue = s->cbaser & UINT64_C(0x000ffffffffff000);
    struct gicv3 *g = s->gic;
    unsigned cost = 0;

    if (!(s->ctlr & CTLR_ENABLED) || !(s->cbaser & VALID) || s->cwriter >= size || s->creadr == s->cwriter)
        return;
    plat_lock(&g->dev.lock);
    while (s->creadr != s->cwriter && cost < SLICE) {
        struct command c;

        if (mem_read(&s->dev.vm->mem, queue + s->creadr, &c, sizeof(c)))
            break;
        command_do(s, &c);
        cost += command_cost(&c);
        s->creadr = (s->creadr + COMMAND_SIZE) % size;
    }
    gicv3_update_all(g);
    plat_unlock(&g->dev.lock);
    if (cost >= SLICE && s->creadr != s->cwriter)
        work_queue(&s->work);
}

static void queue_work(void *opaque)
{
    struct its *s = opaque;

    plat_lock(&s->dev.lock);
    queue_run(s);
    plat_unlock(&s->dev.lock);
}

/* ---- messages ---- */

static bool its_msi(struct device *d, unsigned region, uint64_t offset, uint32_t source, uint32_t data)
{
    struct its *s = container_of(d, struct its, dev);
    struct target t;

    (void)region;
    if (offset != GITS_TRANSLATER || !(s->ctlr & CTLR_ENABLED) || !translate(s, source, data, &t))
        return false;
    plat_lock(&s->gic->dev.lock);
    gicv3_lpi_set(s->gic, t.cpu, EVENT_LPI(t.entry), true);
    gicv3_update(s->gic, t.cpu);
    plat_unlock(&s->gic->dev.lock);
    return true;
}

/* ---- registers ---- */

/* Physical LPIs, 8-byte entries, no collection table: HCC says how many are held here. */
static uint64_t typer(void)
{
    return 1 | (ENTRY_SIZE - 1) << 4 | (GICV3_ID_BITS - 1) << 8 | (DEVICE_BITS - 1) << 13 |
           (uint64_t)COLLECTIONS << 24 | UINT64_C(7) << 32 | BIT(36);
}

static uint64_t reg_read(const struct its *s, uint64_t offset)
{
    switch (offset) {
    case GITS_CTLR:
        return (uint64_t)IIDR << 32 | s->ctlr | (s->ctlr & CTLR_ENABLED ? 0 : CTLR_QUIESCENT);
    case GITS_TYPER:
        return typer();
    case GITS_CBASER:
        return s->cbaser;
    case GITS_CWRITER:
        return s->cwriter;
    case GITS_CREADR:
        return s->creadr;
    case GITS_BASER0:
        return s->baser | BASER_FIXED;
    default:
        return 0;
    }
}

static uint64_t its_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct its *s = container_of(d, struct its, dev);
    struct gic_lanes l;
    uint64_t value = 0;

    (void)region;
    for (unsigned i = 0; i < 2 && gic_lane(offset, size, 0, i, &l); i++) {
        uint32_t word = l.word >= GITS_ID && l.word < GITS_ID_END
                            ? gic_id_register(l.word - GITS_ID, PART, 3)
                            : (uint32_t)(reg_read(s, l.word & ~UINT64_C(7)) >> (l.word % 8 * 8));

        value |= (uint64_t)word << (32 * i);
    }
    return gic_narrow(value, offset, size);
}

static uint64_t merge(uint64_t old, const struct gic_lanes *l, uint64_t writable)
{
    unsigned shift = l->word % 8 * 8;
    uint64_t mask = (uint64_t)l->mask << shift & writable;

    return (old & ~mask) | ((uint64_t)l->value << shift & mask);
}

/* Tables change only while the ITS is off (12.19.1, 12.19.2). */
static void reg_write(struct its *s, const struct gic_lanes *l)
{
    bool on = s->ctlr & CTLR_ENABLED;

    switch (l->word & ~UINT64_C(7)) {
    case GITS_CTLR:
        if (l->word == GITS_CTLR)
            s->ctlr = (uint32_t)merge(s->ctlr, l, CTLR_ENABLED);
        break;
    case GITS_CBASER:
        if (on)
            return;
        s->cbaser = merge(s->cbaser, l, CBASER_MASK);
        s->creadr = 0;
        break;
    case GITS_CWRITER:
        s->cwriter = merge(s->cwriter, l, QUEUE_MASK);
        break;
    case GITS_BASER0:
        if (!on)
            s->baser = merge(s->baser, l, BASER_MASK);
        break;
    default:
        break;
    }
}

/* A vCPU's own write to GITS_TRANSLATER has no device number and is no message. */
static void its_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct its *s = container_of(d, struct its, dev);
    struct gic_lanes l;

    (void)region;
    for (unsigned i = 0; i < 2 && gic_lane(offset, size, value, i, &l); i++)
        reg_write(s, &l);
    queue_run(s);
}

/* ---- life ---- */

static void its_reset(struct device *d)
{
    struct its *s = container_of(d, struct its, dev);

    s->ctlr = 0;
    s->cbaser = s->cwriter = s->creadr = s->baser = 0;
    memset(s->collection, UNMAPPED, sizeof(s->collection));
}

static void its_quiesce(struct device *d)
{
    work_flush(&container_of(d, struct its, dev)->work);
}

static void its_destroy(struct device *d)
{
    struct its *s = container_of(d, struct its, dev);

    s->ctlr = 0; /* what is left of the queue is nobody's */
    work_flush(&s->work);
    device_fini(d);
    plat_free(s);
}

void gicv3_its_describe(struct device *d, struct dtw *w)
{
    struct its *s = container_of(d, struct its, dev);

    device_node_begin(d, w, "its");
    dtw_prop_str(w, "compatible", "arm,gic-v3-its");
    dtw_prop_empty(w, "msi-controller");
    dtw_prop_u32(w, "#msi-cells", 1);
    dtw_prop_u32(w, "phandle", s->phandle);
    dtw_end_node(w);
}

static const struct device_ops its_ops = {
    .name = "gicv3-its",
    .summary = "Arm GICv3 interrupt translation service",
    .state = its_state,
    .read = its_read,
    .write = its_write,
    .msi = its_msi,
    .reset = its_reset,
    .quiesce = its_quiesce,
    .destroy = its_destroy,
};

struct device *gicv3_its_create(struct vm *vm, const char *id, struct device *gic, gpa_t base,
                                uint32_t phandle, char *why, size_t why_size)
{
    struct its *s = device_alloc(sizeof(*s), why, why_size);

    if (!s)
        return NULL;
    device_init(&s->dev, &its_ops, vm, id);
    s->gic = container_of(gic, struct gicv3, dev);
    s->phandle = phandle;
    work_init(&s->work, vm, queue_work, s);
    BUG_ON(!s->gic->config.lpis);
    if (device_map(&s->dev, REGION_ITS, base, GICV3_ITS_SIZE, why, why_size)) {
        its_destroy(&s->dev);
        return NULL;
    }
    device_add(&s->dev);
    s->gic->its = &s->dev;
    return &s->dev;
}
