/* PL061 GPIO (DDI 0190). Bit n of every register is line n. */
#include "device/gpio/pl061.h"
#include "core/vm.h"
#include "lib/fdt.h"

#define WINDOW 0x1000

enum {
    DATA_END = 0x400, /* GPIODATA: address bits 9:2 are the mask of the access (3.3.1) */
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41c,
    AFSEL = 0x420,
    ID = 0xfe0
};

struct pl061 {
    struct device dev;
    struct irq_line irq;
    uint32_t clock, phandle;
    uint8_t in;   /* from outside */
    uint8_t out;  /* what was written for outputs */
    uint8_t pins; /* as they were when edges were looked for last */
    uint8_t dir, is, ibe, iev, ie, afsel;
    uint8_t edges; /* seen and not cleared */
};

static const struct state_field pl061_state[] = {
    STATE_FIELD(struct pl061, in, 0, 0),
    STATE_FIELD(struct pl061, out, 0, 0),
    STATE_FIELD(struct pl061, pins, 0, 0),
    STATE_FIELD(struct pl061, dir, 0, 0),
    STATE_FIELD(struct pl061, is, 0, 0),
    STATE_FIELD(struct pl061, ibe, 0, 0),
    STATE_FIELD(struct pl061, iev, 0, 0),
    STATE_FIELD(struct pl061, ie, 0, 0),
    STATE_FIELD(struct pl061, afsel, 0, 0),
    STATE_FIELD(struct pl061, edges, 0, 0),
    STATE_END,
};

static uint8_t pins(const struct pl061 *g)
{
    return (uint8_t)((g->out & g->dir) | (g->in & ~g->dir));
}

/* Levels follow the pins, edges stay until cleared (3.3.3 to 3.3.8). */
static uint8_t raw_status(const struct pl061 *g)
{
    uint8_t levels = (uint8_t) ~(g->pins ^ g->iev);

    return (uint8_t)((levels & g->is) | (g->edges & ~g->is));
}

static void update(struct pl061 *g)
{
    uint8_t now = pins(g), changed = now ^ g->pins;
    uint8_t wanted = g->ibe | (uint8_t) ~(now ^ g->iev);

    g->edges |= changed & wanted & (uint8_t)~g->is;
    g->pins = now;
    irq_line_set(&g->irq, raw_status(g) & g->ie);
}

void pl061_input_set(struct device *gpio, unsigned line, bool level)
{
    struct pl061 *g = container_of(gpio, struct pl061, dev);
    uint8_t bit = (uint8_t)(1u << line);

    BUG_ON(line >= PL061_LINES);
    plat_lock(&gpio->lock);
    g->in = level ? g->in | bit : g->in & (uint8_t)~bit;
    update(g);
    plat_unlock(&gpio->lock);
}

/* ---- registers ---- */

/* PeriphID0..3, PCellID0..3 (3.3.10): part 0x061. */
static uint32_t identity(uint64_t offset)
{
    static const uint8_t id[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    return offset % 4 ? 0 : id[(offset - ID) / 4];
}

static uint64_t pl061_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct pl061 *g = container_of(d, struct pl061, dev);

    (void)region, (void)size;
    if (offset < DATA_END)
        return offset % 4 ? 0 : pins(g) & offset >> 2;
    switch (offset) {
    case DIR:
        return g->dir;
    case IS:
        return g->is;
    case IBE:
        return g->ibe;
    case IEV:
        return g->iev;
    case IE:
        return g->ie;
    case RIS:
        return raw_status(g);
    case MIS:
        return raw_status(g) & g->ie;
    case AFSEL:
        return g->afsel;
    default:
        return offset >= ID && offset < WINDOW ? identity(offset) : 0;
    }
}

static void control_write(struct pl061 *g, uint64_t offset, uint8_t value)
{
    switch (offset) {
    case DIR:
        g->dir = value;
        break;
    case IS:
        g->is = value;
        break;
    case IBE:
        g->ibe = value;
        break;
    case IEV:
        g->iev = value;
        break;
    case IE:
        g->ie = value;
        break;
    case IC:
        g->edges &= (uint8_t)~value;
        break;
    case AFSEL: /* no line has another function */
        g->afsel = value;
        break;
    }
}

static void pl061_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct pl061 *g = container_of(d, struct pl061, dev);
    uint8_t mask = (uint8_t)(offset >> 2) & g->dir;

    (void)region, (void)size;
    if (offset >= DATA_END)
        control_write(g, offset, (uint8_t)value);
    else if (offset % 4 == 0)
        g->out = (uint8_t)((g->out & ~mask) | (value & mask));
    update(g);
}

/* ---- life ---- */

static void pl061_reset(struct device *d)
{
    struct pl061 *g = container_of(d, struct pl061, dev);

    g->out = g->dir = g->is = g->ibe = g->iev = g->ie = g->afsel = g->edges = 0;
    g->pins = pins(g);
    update(g);
}

static void pl061_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct pl061, dev));
}

static int pl061_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"arm,pl061", "arm,primecell"};
    struct pl061 *g = container_of(d, struct pl061, dev);

    device_node_begin(d, w, "gpio");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_str(w, "clock-names", "apb_pclk");
    dtw_prop_u32(w, "clocks", g->clock);
    dtw_prop_empty(w, "gpio-controller");
    dtw_prop_u32(w, "#gpio-cells", 2);
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 2);
    dtw_prop_u32(w, "phandle", g->phandle);
    device_node_irq(w, &g->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops pl061_ops = {
    .name = "pl061",
    .summary = "PL061 general-purpose input and output",
    .state = pl061_state,
    .read = pl061_read,
    .write = pl061_write,
    .reset = pl061_reset,
    .destroy = pl061_destroy,
    .describe = pl061_describe,
};

struct device *pl061_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            uint32_t phandle, char *why, size_t why_size)
{
    struct pl061 *g = device_alloc(sizeof(*g), why, why_size);

    if (!g)
        return NULL;
    device_init(&g->dev, &pl061_ops, vm, id);
    g->irq = irq;
    g->clock = clock;
    g->phandle = phandle;
    if (device_map(&g->dev, 0, base, WINDOW, why, why_size)) {
        pl061_destroy(&g->dev);
        return NULL;
    }
    device_add(&g->dev);
    return &g->dev;
}
