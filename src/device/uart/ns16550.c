/* NS16550A, as in TI's PC16550D data sheet. Transmission takes no time: THR and TSR are always empty. */
#include "device/uart/ns16550.h"
#include "core/vm.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define FIFO     64 /* deeper than the real 16, so that pasted text survives a busy guest */
#define CLOCK_HZ 3686400

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MASK = 15 };
enum { IIR_NONE = 1, IIR_TX = 2, IIR_RX = 4, IIR_FIFOS = 0xc0 };
enum { LSR_DR = 1, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { LCR_DLAB = 0x80, MCR_LOOP = 0x10, MCR_MASK = 0x1f, FCR_ENABLE = 1, FCR_CLEAR_RX = 2 };

struct ns16550 {
    struct device dev;
    struct irq_line irq;
    struct chardev *chr;
    uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
    uint8_t tx_pending; /* "transmitter empty" not yet seen by a read of IIR or a write of THR */
    uint8_t fifo[FIFO];
    uint8_t head, fill;
    uint8_t driven; /* what the line shows: most accesses change nothing, and its controller need not hear */
};

static const struct state_field ns16550_state[] = {
    STATE_FIELD(struct ns16550, ier, 0, 0),
    STATE_FIELD(struct ns16550, fcr, 0, 0),
    STATE_FIELD(struct ns16550, lcr, 0, 0),
    STATE_FIELD(struct ns16550, mcr, 0, 0),
    STATE_FIELD(struct ns16550, scr, 0, 0),
    STATE_FIELD(struct ns16550, dll, 0, 0),
    STATE_FIELD(struct ns16550, dlm, 0, 0),
    STATE_FIELD(struct ns16550, tx_pending, 0, 0),
    STATE_ARRAY(struct ns16550, fifo, 0, 0),
    STATE_FIELD(struct ns16550, head, 0, 0),
    STATE_FIELD(struct ns16550, fill, 0, 0),
    STATE_FIELD(struct ns16550, driven, 0, STATE_NOHASH),
    STATE_END,
};

/* The highest-priority cause that is enabled (table III of the data sheet). */
static uint8_t cause(const struct ns16550 *u)
{
    if ((u->ier & IER_RX) && u->fill)
        return IIR_RX;
    if ((u->ier & IER_TX) && u->tx_pending)
        return IIR_TX;
    return IIR_NONE;
}

static void update_irq(struct ns16550 *u)
{
    uint8_t level = cause(u) != IIR_NONE;

    if (level == u->driven)
        return;
    u->driven = level;
    irq_line_set(&u->irq, level);
}

static void push(struct ns16550 *u, uint8_t byte)
{
    u->fifo[(u->head + u->fill) % FIFO] = byte;
    u->fill++;
}

/* There is room again, for what waits behind a FIFO that was full. */
static void accept(struct ns16550 *u)
{
    if (u->chr && u->chr->ops->accept)
        u->chr->ops->accept(u->chr);
}

static uint8_t pop(struct ns16550 *u)
{
    uint8_t byte = u->fifo[u->head];

    if (!u->fill)
        return 0;
    u->head = (u->head + 1) % FIFO;
    u->fill--;
    if (u->fill == FIFO / 2)
        accept(u);
    return byte;
}

/* Going into FIFO mode or out of it clears the FIFO too (PC16550D, 8.5, FCR0). */
static void fcr_write(struct ns16550 *u, uint8_t byte)
{
    bool clear = (byte & FCR_CLEAR_RX) || (byte & FCR_ENABLE) != u->fcr;

    u->fcr = byte & FCR_ENABLE;
    if (!clear || !u->fill)
        return;
    u->head = u->fill = 0;
    accept(u);
}

static uint8_t read_iir(struct ns16550 *u)
{
    uint8_t c = cause(u);

    if (c == IIR_TX)
        u->tx_pending = 0;
    return c | ((u->fcr & FCR_ENABLE) ? IIR_FIFOS : 0);
}

static uint64_t ns16550_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct ns16550 *u = container_of(d, struct ns16550, dev);
    bool dlab = u->lcr & LCR_DLAB;
    uint8_t value = 0;

    (void)region, (void)size;
    switch (offset) {
    case RBR:
        value = dlab ? u->dll : pop(u);
        break;
    case IER:
        value = dlab ? u->dlm : u->ier;
        break;
    case IIR:
        value = read_iir(u);
        break;
    case LCR:
        value = u->lcr;
        break;
    case MCR:
        value = u->mcr;
        break;
    case LSR:
        value = LSR_THRE | LSR_TEMT | (u->fill ? LSR_DR : 0);
        break;
    case MSR:
        /* Loop-back shows our own outputs; else carrier, data set ready, clear to send. */
        value = (u->mcr & MCR_LOOP) ? (uint8_t)((u->mcr & 0xc) << 4 | (u->mcr & 1) << 5 | (u->mcr & 2) << 3)
                                    : 0xb0;
        break;
    case SCR:
        value = u->scr;
        break;
    }
    update_irq(u);
    return value;
}

/* Whether it may have changed the interrupt. */
static bool transmit(struct ns16550 *u, uint8_t byte)
{
    bool loop = u->mcr & MCR_LOOP;

    if (loop && u->fill < FIFO)
        push(u, byte);
    if (!loop && u->chr)
        u->chr->ops->write(u->chr, &byte, 1);
    u->tx_pending = 1;
    return loop || u->ier & IER_TX;
}

static void register_write(struct ns16550 *u, uint64_t offset, uint8_t byte)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (offset) {
    case RBR:
        u->dll = byte; /* THR is transmit()'s */
        break;
    case IER:
        if (dlab) {
            u->dlm = byte;
            break;
        }
        /* Enabling THRE with an empty transmitter raises it at once. */
        u->tx_pending |= !(u->ier & IER_TX) && (byte & IER_TX);
        u->ier = byte & IER_MASK;
        break;
    case IIR:
        fcr_write(u, byte);
        break;
    case LCR:
        u->lcr = byte;
        break;
    case MCR:
        u->mcr = byte & MCR_MASK;
        break;
    case SCR:
        u->scr = byte;
        break;
    }
}

static void ns16550_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct ns16550 *u = container_of(d, struct ns16550, dev);

    (void)region, (void)size;
    if (UNLIKELY(offset != RBR || u->lcr & LCR_DLAB))
        register_write(u, offset, (uint8_t)value);
    else if (!transmit(u, (uint8_t)value))
        return;
    update_irq(u);
}

static size_t ns16550_receive(void *opaque, const uint8_t *data, size_t len)
{
    struct ns16550 *u = opaque;
    size_t n;

    plat_lock(&u->dev.lock);
    n = MIN(len, (size_t)(FIFO - u->fill));
    for (size_t i = 0; i < n; i++)
        push(u, data[i]);
    update_irq(u);
    plat_unlock(&u->dev.lock);
    return n;
}

static void ns16550_reset(struct device *d)
{
    struct ns16550 *u = container_of(d, struct ns16550, dev);

    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dlm = u->tx_pending = 0;
    u->dll = 12;
    update_irq(u);
}

static void ns16550_destroy(struct device *d)
{
    struct ns16550 *u = container_of(d, struct ns16550, dev);

    if (u->chr)
        u->chr->receive = NULL;
    device_fini(d);
    plat_free(u);
}

static int ns16550_describe(struct device *d, struct dtw *w)
{
    struct ns16550 *u = container_of(d, struct ns16550, dev);

    device_node_begin(d, w, "serial");
    dtw_prop_str(w, "compatible", "ns16550a");
    dtw_prop_u32(w, "clock-frequency", CLOCK_HZ);
    device_node_irq(w, &u->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops ns16550_ops = {
    .name = "ns16550",
    .summary = "NS16550A serial port",
    .state = ns16550_state,
    .read = ns16550_read,
    .write = ns16550_write,
    .reset = ns16550_reset,
    .destroy = ns16550_destroy,
    .describe = ns16550_describe,
};

struct device *ns16550_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq,
                              struct chardev *chr, char *why, size_t why_size)
{
    struct ns16550 *u = device_alloc(sizeof(*u), why, why_size);

    if (!u)
        return NULL;
    device_init(&u->dev, &ns16550_ops, vm, id);
    u->irq = irq;
    u->chr = chr;
    if (device_map(&u->dev, 0, base, 0x100, why, why_size)) {
        ns16550_destroy(&u->dev);
        return NULL;
    }
    device_add(&u->dev);
    if (chr) {
        chr->opaque = u;
        chr->receive = ns16550_receive;
    }
    return &u->dev;
}
