/*
 * NS16550A as the board's console: registers reg-shift apart, accessed by reg-io-width bytes (Devicetree
 * binding "ns16550"). Output polls; input comes by interrupt where the tree names one.
 */
#include "platform/bare/drivers/ns16550.h"
#include "lib/err.h"
#include "platform/bare/arch.h"
#include "platform/bare/console.h"
#include "platform/bare/irq/irq.h"

enum { RBR = 0, THR = 0, IER = 1, FCR = 2, LSR = 5 };
enum { IER_RX = 1, FCR_ENABLE = 1, LSR_DATA = 1, LSR_THR_EMPTY = 0x20 };

/* A transmitter that stays full for longer than this has no clock: output is dropped. */
#define SPINS_MAX 1000000

struct ns16550 {
    volatile uint8_t *base;
    unsigned shift, width;
};

/* There is one console. */
static struct ns16550 uart;

static uint8_t reg_read(const struct ns16550 *u, unsigned reg)
{
    volatile uint8_t *p = u->base + ((size_t)reg << u->shift);

    return u->width == 4 ? (uint8_t) * (volatile uint32_t *)p : *p;
}

static void reg_write(const struct ns16550 *u, unsigned reg, uint8_t value)
{
    volatile uint8_t *p = u->base + ((size_t)reg << u->shift);

    if (u->width == 4)
        *(volatile uint32_t *)p = value;
    else
        *p = value;
}

static void uart_write(void *opaque, const uint8_t *data, size_t len)
{
    const struct ns16550 *u = opaque;

    for (size_t i = 0; i < len; i++) {
        for (unsigned n = 0; n < SPINS_MAX && !(reg_read(u, LSR) & LSR_THR_EMPTY); n++)
            arch_relax();
        reg_write(u, THR, data[i]);
    }
}

static void uart_irq(void *arg)
{
    const struct ns16550 *u = arg;
    uint8_t buf[16];
    size_t n = 0;

    while (reg_read(u, LSR) & LSR_DATA) {
        buf[n++] = reg_read(u, RBR);
        if (n == sizeof(buf)) {
            console_input(buf, n);
            n = 0;
        }
    }
    if (n)
        console_input(buf, n);
}

static void input_start(dtb_node n)
{
    struct irq_domain *d;
    enum irq_trigger t;
    unsigned hwirq;

    if (irq_of_node(n, 0, &d, &hwirq, &t) || irq_request(d, hwirq, t, uart_irq, &uart, "console"))
        return;
    reg_write(&uart, FCR, FCR_ENABLE);
    reg_write(&uart, IER, IER_RX);
    irq_enable(d, hwirq, true);
}

int ns16550_init(const struct board *b, dtb_node n)
{
    static const struct console_ops ops = {"ns16550", uart_write};
    uint32_t cell;
    uint64_t pa, size;

    if (board_reg(b, n, 0, &pa, &size))
        return -ENODEV;
    uart.base = arch_map_device(pa, size);
    if (!uart.base)
        return -ENODEV;
    uart.shift = dtb_u32(&b->dtb, n, "reg-shift", 0, &cell) ? 0 : cell & 7;
    uart.width = dtb_u32(&b->dtb, n, "reg-io-width", 0, &cell) ? 1 : cell;
    console_set(&ops, &uart);
    input_start(n);
    return 0;
}
