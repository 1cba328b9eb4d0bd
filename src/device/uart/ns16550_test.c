/* NS16550A after the PC16550D data sheet: registers, FIFO, interrupts, loop-back, and the stream behind it.
 */
#include "device/uart/ns16550.h"
#include "device/virtio/virtio_test.h"
#include "lib/fdt.h"
#include "platform/test/test_platform.h"

#define BASE (TESTVM_DEV + 0x2000)
enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct drv d;

/* ---- the stream: what the guest sent, and how often it asked for more ---- */

static struct {
    struct chardev chr;
    uint8_t out[64];
    size_t len;
    unsigned accepts;
} host;

static void host_write(struct chardev *c, const void *data, size_t len)
{
    (void)c;
    assert_true(host.len + len <= sizeof(host.out));
    memcpy(host.out + host.len, data, len);
    host.len += len;
}

static void host_accept(struct chardev *c)
{
    (void)c;
    host.accepts++;
}

static void host_sink(struct chardev *c, const void *data, size_t len)
{
    (void)c, (void)data, (void)len;
}

static const struct chardev_ops host_ops = {.name = "test", .write = host_write, .accept = host_accept};
static const struct chardev_ops sink_ops = {.name = "sink", .write = host_sink}; /* never full: no accept */

static size_t type(const char *text, size_t len)
{
    return host.chr.receive(host.chr.opaque, (const uint8_t *)text, len);
}

static uint8_t get(unsigned reg)
{
    uint64_t v = 0;

    assert_true(bus_access(d.vm, BASE + reg, 1, false, &v));
    return (uint8_t)v;
}

static void set(unsigned reg, uint8_t value)
{
    uint64_t v = value;

    assert_true(bus_access(d.vm, BASE + reg, 1, true, &v));
}

static void begin_on(struct chardev *chr)
{
    char why[160];

    drv_init(&d, false);
    assert_non_null(ns16550_create(d.vm, "serial0", BASE, (struct irq_line){.controller = &d.line->dev}, chr,
                                   why, sizeof(why)));
    vm_device(d.vm, "serial0")->ops->reset(vm_device(d.vm, "serial0"));
}

static void begin(void)
{
    memset(&host, 0, sizeof(host));
    host.chr.ops = &host_ops;
    begin_on(&host.chr);
}

static bool line(void)
{
    return d.line->level;
}

/* ---- tests ---- */

/* Table I: what a reset leaves. */
static void after_reset(void **state)
{
    (void)state;
    begin();
    assert_int_equal(get(IER), 0);
    assert_int_equal(get(IIR), 1);
    assert_int_equal(get(LCR), 0);
    assert_int_equal(get(MCR), 0);
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(RBR), 0);
    assert_false(line());
    vm_destroy(d.vm);
}

/* Registers that hold what is written, and the divisor latch in front of two of them. */
static void registers(void **state)
{
    (void)state;
    begin();
    set(SCR, 0xa5);
    assert_int_equal(get(SCR), 0xa5);
    set(IER, 0xff);
    assert_int_equal(get(IER), 0x0f); /* bits 4 to 7 are always 0 */
    set(MCR, 0xff);
    assert_int_equal(get(MCR), 0x1f);
    set(IER, 0);
    set(LCR, 0x83);
    set(RBR, 0x12);
    set(IER, 0x34);
    assert_int_equal(get(RBR), 0x12);
    assert_int_equal(get(IER), 0x34);
    set(LCR, 0x03);
    assert_int_equal(get(LCR), 0x03);
    assert_int_equal(get(IER), 0);
    assert_int_equal(host.len, 0);
    set(LSR, 0);
    set(MSR, 0);
    set(8, 0xff);
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(8), 0);
    vm_destroy(d.vm);
}

static void transmits(void **state)
{
    (void)state;
    begin();
    set(RBR, 'h');
    set(RBR, 'i');
    assert_int_equal(host.len, 2);
    assert_memory_equal(host.out, "hi", 2);
    assert_int_equal(get(LSR) & 0x60, 0x60);
    vm_destroy(d.vm);
}

/* The transmitter's interrupt ends when IIR says so, and comes again with the next byte (table III). */
static void transmitter_interrupt(void **state)
{
    (void)state;
    begin();
    set(IER, 2);
    assert_true(line());
    assert_int_equal(get(IIR), 2);
    assert_false(line());
    assert_int_equal(get(IIR), 1);
    set(RBR, 'x');
    assert_true(line());
    set(IER, 0);
    assert_false(line());
    set(IER, 2);
    assert_true(line());
    vm_destroy(d.vm);
}

/* Data available goes before the transmitter; reading IIR does not end it, reading the byte does. */
static void receives(void **state)
{
    (void)state;
    begin();
    set(IER, 3);
    assert_int_equal(get(IIR), 2);
    assert_int_equal(type("ab", 2), 2);
    assert_true(line());
    set(RBR, 'x');
    assert_int_equal(get(IIR), 4);
    assert_int_equal(get(IIR), 4);
    assert_int_equal(get(LSR), 0x61);
    assert_int_equal(get(RBR), 'a');
    assert_int_equal(get(IIR), 4);
    assert_int_equal(get(RBR), 'b');
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(IIR), 2);
    assert_false(line());
    assert_int_equal(get(RBR), 0);
    vm_destroy(d.vm);
}

static void fifo(void **state)
{
    char text[100];

    (void)state;
    begin();
    assert_int_equal(get(IIR) & 0xc0, 0);
    set(IIR, 1);
    assert_int_equal(get(IIR) & 0xc0, 0xc0);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (char)i;
    assert_int_equal(type(text, sizeof(text)), 64);
    assert_int_equal(type(text, 1), 0);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(host.accepts, i > 31); /* asks for more when half empty */
        assert_int_equal(get(RBR), i);
    }
    /* Around the end of the ring. */
    assert_int_equal(type(text, 50), 50);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(get(RBR), i);
    vm_destroy(d.vm);
}

/* What is cleared makes room: the stream hears of it, or what waits there would wait for ever. */
static void fifo_cleared(void **state)
{
    static const char text[64];

    (void)state;
    begin();
    set(IIR, 1);
    set(IER, 1);
    type(text, 64);
    set(IIR, 3);
    assert_int_equal(get(LSR), 0x60);
    assert_false(line());
    assert_int_equal(host.accepts, 1);
    assert_int_equal(type(text, 64), 64);
    set(IIR, 1);
    assert_int_equal(get(LSR), 0x61);
    set(IIR, 0); /* leaving FIFO mode clears it (8.5) */
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(host.accepts, 2);
    type(text, 1);
    set(IIR, 1);
    assert_int_equal(get(LSR), 0x60);
    vm_destroy(d.vm);
}

/* 8.6: in loop-back what is sent is received, and MSR shows the outputs. */
static void loop_back(void **state)
{
    static const struct {
        uint8_t mcr, msr;
    } rows[] = {{0x10, 0}, {0x11, 0x20}, {0x12, 0x10}, {0x14, 0x40}, {0x18, 0x80}, {0x1f, 0xf0}};

    (void)state;
    begin();
    assert_int_equal(get(MSR), 0xb0); /* carrier, data set ready, clear to send */
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set(MCR, rows[i].mcr);
        assert_int_equal(get(MSR), rows[i].msr);
    }
    set(RBR, 'q');
    assert_int_equal(host.len, 0);
    assert_int_equal(get(RBR), 'q');
    for (unsigned i = 0; i < 100; i++)
        set(RBR, 'r');
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(get(RBR), 'r');
    assert_int_equal(get(LSR), 0x60);
    vm_destroy(d.vm);
}

static void without_stream(void **state)
{
    (void)state;
    begin_on(NULL);
    set(RBR, 'x');
    set(IIR, 3);
    assert_int_equal(get(LSR), 0x60);
    vm_destroy(d.vm);
}

static void hostile(void **state)
{
    static const char text[80];
    struct rng r;

    (void)state;
    memset(&host, 0, sizeof(host));
    host.chr.ops = &sink_ops;
    begin_on(&host.chr);
    rng_init(&r, 9);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v = rng_u64(&r);

        bus_access(d.vm, BASE + rng_below(&r, rng_below(&r, 4) ? 8 : 0xf8), 1u << rng_below(&r, 4),
                   rng_below(&r, 2), &v);
        if (i % 8 == 0)
            type(text, rng_below(&r, sizeof(text)));
    }
    vm_hash(d.vm);
    vm_destroy(d.vm);
    assert_null(host.chr.receive);
}

static void no_memory(void **state)
{
    struct device *u = NULL;
    char why[160];

    (void)state;
    for (uint64_t n = 1; !u; n++) {
        drv_init(&d, false);
        memset(&host, 0, sizeof(host));
        why[0] = 0;
        test_fail_at(n);
        u = ns16550_create(d.vm, "serial0", BASE, (struct irq_line){0}, &host.chr, why, sizeof(why));
        assert_int_equal(!u, test_failed());
        test_fail_at(0);
        assert_int_equal(!u, why[0] != 0);
        assert_int_equal(!u, !host.chr.receive);
        vm_destroy(d.vm);
    }
    assert_int_equal(test_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_reset),    cmocka_unit_test(registers),
        cmocka_unit_test(transmits),      cmocka_unit_test(transmitter_interrupt),
        cmocka_unit_test(receives),       cmocka_unit_test(fifo),
        cmocka_unit_test(fifo_cleared),   cmocka_unit_test(loop_back),
        cmocka_unit_test(without_stream), cmocka_unit_test(hostile),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("ns16550", tests, NULL, NULL);
}
