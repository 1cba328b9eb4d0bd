/* PL011 (DDI 0183): output by polling, input by interrupt. Speed and format stay as firmware left them. */
#include "platform/bare/drivers/pl011.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/console.h"
#include "platform/bare/irq/irq.h"

enum { DR = 0x00, FR = 0x18, LCRH = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, ICR = 0x44 };
enum { FR_RXFE = 0x10, FR_TXFF = 0x20, LCRH_8BITS_FIFO = 0x70, CR_ON = 0x301, INT_RX = 0x10, INT_RT = 0x40 };

static volatile uint32_t *uart;

static void write_bytes(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque;
    for (; len; len--) {
        while (uart[FR / 4] & FR_TXFF)
            ;
        uart[DR / 4] = *data++;
    }
}

static void interrupt(void *arg)
{
    uint8_t buf[32];
    size_t n = 0;

    (void)arg;
    /* Before the FIFO is emptied: what comes in between has to be told anew, and some UARTs do so once. */
    uart[ICR / 4] = INT_RX | INT_RT;
    while (!(uart[FR / 4] & FR_RXFE)) {
        buf[n++] = (uint8_t)uart[DR / 4];
        if (n == sizeof(buf)) {
            console_input(buf, n);
            n = 0;
        }
    }
    if (n)
        console_input(buf, n);
}

static const struct console_ops ops = {.name = "pl011", .write = write_bytes};

static dtb_node find(const struct board *b)
{
    dtb_node n = DTB_NONE;

    while ((n = dtb_compatible(&b->dtb, n, "arm,pl011")) != DTB_NONE) {
        if (n == b->stdout_node)
            return n;
    }
    return dtb_compatible(&b->dtb, DTB_NONE, "arm,pl011");
}

void pl011_init(const struct board *b)
{
    dtb_node n = find(b);
    struct irq_domain *d;
    enum irq_trigger t;
    uint64_t pa, size;
    unsigned irq;

    if (n == DTB_NONE || board_reg(b, n, 0, &pa, &size))
        return;
    uart = arch_map_device(pa, size);
    if (!uart)
        return;
    uart[LCRH / 4] = LCRH_8BITS_FIFO;
    uart[CR / 4] = CR_ON;
    uart[IFLS / 4] = 0; /* interrupt at an eighth */
    uart[ICR / 4] = 0x7ff;
    console_set(&ops, NULL);
    if (irq_of_node(n, 0, &d, &irq, &t) || irq_request(d, irq, t, interrupt, NULL, "pl011"))
        return;
    uart[IMSC / 4] = INT_RX | INT_RT;
    irq_enable(d, irq, true);
}
