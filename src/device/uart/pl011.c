/* PL011 UART (DDI 0183). Transmission takes no time: the transmit FIFO is always empty. */
#include "device/uart/pl011.h"
#include "core/vm.h"
#include "lib/fdt.h"

#define WINDOW 0x1000
#define FIFO   32 /* of r1p5, as the identification says */

enum {
    DR = 0x00,
    RSR = 0x04,
    FR = 0x18,
    ILPR = 0x20,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
    ID = 0xfe0
};
enum { FR_MODEM = 7, FR_RXFE = 0x10, FR_RXFF = 0x40, FR_TXFE = 0x80 };
enum { LCR_FEN = 0x10, CR_LBE = 0x80, CR_RESET = 0x300, IFLS_RESET = 0x12 };
enum { INT_RX = 0x10, INT_TX = 0x20, INT_RT = 0x40, INT_ALL = 0x7ff };

struct pl011 {
    struct device dev;
    struct irq_line irq;
    bool level; /* of irq, as it was driven */
    struct chardev *chr;
    uint32_t clock;
    uint32_t ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
    uint8_t fifo[FIFO];
    uint8_t head, fill;
};

static const struct state_field pl011_state[] = {
    STATE_FIELD(struct pl011, ilpr, 0, 0),
    STATE_FIELD(struct pl011, ibrd, 0, 0),
    STATE_FIELD(struct pl011, fbrd, 0, 0),
    STATE_FIELD(struct pl011, lcr, 0, 0),
    STATE_FIELD(struct pl011, cr, 0, 0),
    STATE_FIELD(struct pl011, ifls, 0, 0),
    STATE_FIELD(struct pl011, imsc, 0, 0),
    STATE_FIELD(struct pl011, ris, 0, 0),
    STATE_FIELD(struct pl011, dmacr, 0, 0),
    STATE_ARRAY(struct pl011, fifo, 0, 0),
    STATE_FIELD(struct pl011, head, 0, 0),
    STATE_FIELD(struct pl011, fill, 0, 0),
    STATE_END,
};

/* ---- the receive FIFO and its interrupts ---- */

static void update_irq(struct pl011 *u)
{
    bool level = (u->ris & u->imsc) != 0;

    if (level == u->level)
        return;
    u->level = level;
    irq_line_set(&u->irq, level);
}

/* Without FIFOs there is a one-byte holding register. */
static unsigned depth(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? FIFO : 1;
}

/* UARTIFLS.RXIFLSEL (3.3.11): 1/8, 1/4, 1/2, 3/4, 7/8; the reserved ones count as the last. */
static unsigned trigger(const struct pl011 *u)
{
    static const uint8_t eighths[8] = {1, 2, 4, 6, 7, 7, 7, 7};

    return u->lcr & LCR_FEN ? FIFO * eighths[u->ifls >> 3 & 7] / 8 : 1;
}

/* The time-out that tells of bytes below the trigger level comes at once (2.8.4): no line is slow here. */
static void received(struct pl011 *u)
{
    if (u->fill)
        u->ris |= INT_RT | (u->fill >= trigger(u) ? INT_RX : 0);
}

static void push(struct pl011 *u, uint8_t byte)
{
    u->fifo[(u->head + u->fill) % FIFO] = byte;
    u->fill++;
}

static uint8_t pop(struct pl011 *u)
{
    uint8_t byte = u->fifo[u->head];

    if (!u->fill)
        return 0;
    u->head = (u->head + 1) % FIFO;
    u->fill--;
    if (u->fill < trigger(u))
        u->ris &= ~(uint32_t)INT_RX;
    if (!u->fill)
        u->ris &= ~(uint32_t)INT_RT;
    else
        u->ris |= INT_RT;
    if ((u->fill == 0 || u->fill == depth(u) / 2) && u->chr && u->chr->ops->accept)
        u->chr->ops->accept(u->chr);
    return byte;
}

static size_t pl011_receive(void *opaque, const uint8_t *data, size_t len)
{
    struct pl011 *u = opaque;
    size_t n;

    plat_lock(&u->dev.lock);
    n = u->fill < depth(u) ? MIN(len, depth(u) - u->fill) : 0;
    for (size_t i = 0; i < n; i++)
        push(u, data[i]);
    received(u);
    update_irq(u);
    plat_unlock(&u->dev.lock);
    return n;
}

/*
 * What is sent goes out whether or not CR enables the transmitter: kernels that boot without firmware write
 * their first lines before anything has set it.
 */
static void transmit(struct pl011 *u, uint8_t byte)
{
    if (!(u->cr & CR_LBE)) {
        if (u->chr)
            u->chr->ops->write(u->chr, &byte, 1);
    } else if (u->fill < depth(u)) {
        push(u, byte);
        received(u);
    }
    u->ris |= INT_TX; /* the FIFO passed its level on the way to empty */
}

/* ---- registers ---- */

static uint32_t flags(const struct pl011 *u)
{
    return FR_TXFE | FR_MODEM | (u->fill ? 0 : FR_RXFE) | (u->fill >= depth(u) ? FR_RXFF : 0);
}

/* PeriphID0..3, PCellID0..3 (3.3.16 on): part 0x011, revision 3. */
static uint32_t identity(uint64_t offset)
{
    static const uint8_t id[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    return offset % 4 ? 0 : id[(offset - ID) / 4];
}

static uint64_t pl011_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct pl011 *u = container_of(d, struct pl011, dev);
    uint64_t value;

    (void)region, (void)size;
    switch (offset) {
    case DR:
        value = pop(u);
        update_irq(u);
        return value;
    case FR:
        return flags(u);
    case ILPR:
        return u->ilpr;
    case IBRD:
        return u->ibrd;
    case FBRD:
        return u->fbrd;
    case LCR_H:
        return u->lcr;
    case CR:
        return u->cr;
    case IFLS:
        return u->ifls;
    case IMSC:
        return u->imsc;
    case RIS:
        return u->ris;
    case MIS:
        return u->ris & u->imsc;
    case DMACR:
        return u->dmacr;
    default: /* RSR too: no errors */
        return offset >= ID && offset < WINDOW ? identity(offset) : 0;
    }
}

static void register_write(struct pl011 *u, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case ILPR:
        u->ilpr = value & 0xff;
        break;
    case IBRD:
        u->ibrd = value & 0xffff;
        break;
    case FBRD:
        u->fbrd = value & 0x3f;
        break;
    case LCR_H:
        u->lcr = value & 0xff;
        received(u);
        break;
    case CR:
        u->cr = value & 0xff87;
        break;
    case IFLS:
        u->ifls = value & 0x3f;
        received(u);
        break;
    case IMSC:
        u->imsc = value & INT_ALL;
        break;
    case ICR:
        u->ris &= ~(uint32_t)(value & INT_ALL);
        break;
    case DMACR:
        u->dmacr = value & 7;
        break;
    }
}

static void pl011_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct pl011 *u = container_of(d, struct pl011, dev);

    (void)region, (void)size;
    if (LIKELY(offset == DR))
        transmit(u, (uint8_t)value);
    else
        register_write(u, offset, value);
    update_irq(u);
}

/* ---- life ---- */

static void pl011_reset(struct device *d)
{
    struct pl011 *u = container_of(d, struct pl011, dev);

    u->ilpr = u->ibrd = u->fbrd = u->lcr = u->imsc = u->ris = u->dmacr = 0;
    u->cr = CR_RESET;
    u->ifls = IFLS_RESET;
    received(u);
    update_irq(u);
}

static void pl011_destroy(struct device *d)
{
    struct pl011 *u = container_of(d, struct pl011, dev);

    if (u->chr)
        u->chr->receive = NULL;
    device_fini(d);
    plat_free(u);
}

static int pl011_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"arm,pl011", "arm,primecell"};
    static const char *const clock_names[] = {"uartclk", "apb_pclk"};
    struct pl011 *u = container_of(d, struct pl011, dev);
    const uint32_t clocks[2] = {u->clock, u->clock};

    device_node_begin(d, w, "serial");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_strlist(w, "clock-names", clock_names, ARRAY_SIZE(clock_names));
    dtw_prop_cells(w, "clocks", clocks, ARRAY_SIZE(clocks));
    device_node_irq(w, &u->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops pl011_ops = {
    .name = "pl011",
    .summary = "PL011 serial port",
    .state = pl011_state,
    .read = pl011_read,
    .write = pl011_write,
    .reset = pl011_reset,
    .destroy = pl011_destroy,
    .describe = pl011_describe,
};

struct device *pl011_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            struct chardev *chr, char *why, size_t why_size)
{
    struct pl011 *u = device_alloc(sizeof(*u), why, why_size);

    if (!u)
        return NULL;
    device_init(&u->dev, &pl011_ops, vm, id);
    u->irq = irq;
    u->clock = clock;
    u->chr = chr;
    if (device_map(&u->dev, 0, base, WINDOW, why, why_size)) {
        pl011_destroy(&u->dev);
        return NULL;
    }
    device_add(&u->dev);
    if (chr) {
        chr->opaque = u;
        chr->receive = pl011_receive;
    }
    return &u->dev;
}
