/* PL011: registers, FIFO and interrupts, as DDI 0183 has them. */
#include "core/chardev.h"
#include "device/uart/pl011.h"

#define BASE (TESTVM_DEV + 0x2000)

#include "device/reg_test.h"

enum { DR = 0x00, FR = 0x18, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38 };
enum { RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48 };
enum { FEN = 0x10, RXFE = 0x10, RXFF = 0x40, TXFE = 0x80, RX = 0x10, TX = 0x20, RT = 0x40, LBE = 0x80 };

static struct {
    struct chardev chr;
    char out[256];
    size_t len;
    unsigned accepts;
} host;

static void host_write(struct chardev *c, const void *data, size_t len)
{
    (void)c;
    len = MIN(len, sizeof(host.out) - host.len);
    memcpy(host.out + host.len, data, len);
    host.len += len;
}

static void host_accept(struct chardev *c)
{
    (void)c;
    host.accepts++;
}

static const struct chardev_ops host_ops = {.name = "test", .write = host_write, .accept = host_accept};

static size_t type(const char *text, size_t len)
{
    return host.chr.receive(host.chr.opaque, (const uint8_t *)text, len);
}

static void reset(void)
{
    struct device *u = vm_device(d.vm, "serial0");

    plat_lock(&u->lock);
    u->ops->reset(u);
    plat_unlock(&u->lock);
}

static void begin_on(struct chardev *chr)
{
    char why[160];

    drv_init(&d, false);
    assert_non_null(pl011_create(d.vm, "serial0", BASE, (struct irq_line){.controller = &d.line->dev}, 7, chr,
                                 why, sizeof(why)));
    reset();
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof(host));
    host.chr.ops = &host_ops;
    begin_on(&host.chr);
    return 0;
}

static void after_reset(void **state)
{
    static const uint8_t id[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    assert_int_equal(get(CR), 0x300);
    assert_int_equal(get(IFLS), 0x12);
    assert_int_equal(get(FR) & 0xf8, RXFE | TXFE);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(IMSC), 0);
    assert_int_equal(get(LCR_H), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(0xfe0 + 4 * i), id[i]);
    assert_int_equal(get(0xfe1), 0);
    assert_false(line());
}

static void registers(void **state)
{
    (void)state;
    set(IBRD, 0xfffff);
    set(FBRD, 0xff);
    set(LCR_H, 0x1ff);
    set(CR, UINT32_MAX);
    set(IFLS, UINT32_MAX);
    set(IMSC, UINT32_MAX);
    set(DMACR, UINT32_MAX);
    assert_int_equal(get(IBRD), 0xffff);
    assert_int_equal(get(FBRD), 0x3f);
    assert_int_equal(get(LCR_H), 0xff);
    assert_int_equal(get(CR), 0xff87);
    assert_int_equal(get(IFLS), 0x3f);
    assert_int_equal(get(IMSC), 0x7ff);
    assert_int_equal(get(DMACR), 7);
    reset();
    after_reset(NULL);
}

static void transmits(void **state)
{
    (void)state;
    set(DR, 'h');
    set(CR, 0); /* nothing has enabled it yet */
    set(DR, 'i');
    assert_int_equal(host.len, 2);
    assert_memory_equal(host.out, "hi", 2);
    assert_int_equal(get(FR) & TXFE, TXFE);
    assert_int_equal(get(RIS), TX);
    assert_false(line());
    set(IMSC, TX);
    assert_true(line());
    assert_int_equal(get(MIS), TX);
    set(ICR, TX);
    assert_false(line());
    assert_int_equal(get(RIS), 0);
    set(DR, '!');
    assert_true(line());
}

/* Without FIFOs: one byte, and it raises RX. */
static void holding_register(void **state)
{
    (void)state;
    set(IMSC, RX);
    assert_int_equal(type("abc", 3), 1);
    assert_true(line());
    assert_int_equal(get(FR) & (RXFE | RXFF), RXFF);
    assert_int_equal(get(DR), 'a');
    assert_false(line());
    assert_int_equal(host.accepts, 1);
    assert_int_equal(get(FR) & (RXFE | RXFF), RXFE);
    assert_int_equal(get(DR), 0);
}

static void fifo_levels(void **state)
{
    static const uint8_t levels[] = {4, 8, 16, 24, 28};
    char text[40];

    (void)state;
    memset(text, 'x', sizeof(text));
    set(LCR_H, FEN);
    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        set(IFLS, i << 3);
        type(text, levels[i] - 1u);
        assert_int_equal(get(RIS), RT); /* below the level: the time-out tells */
        type(text, 1);
        assert_int_equal(get(RIS), RT | RX);
        get(DR);
        assert_int_equal(get(RIS), RT);
        for (unsigned k = 1; k < levels[i]; k++)
            assert_int_equal(get(DR), 'x');
        assert_int_equal(get(RIS), 0);
    }
    set(IFLS, 2 << 3);
    type(text, 17);
    get(DR);
    assert_int_equal(get(RIS), RT | RX); /* at the level still */
    get(DR);
    assert_int_equal(get(RIS), RT);
    host.accepts = 0;
    for (unsigned k = 0; k < 15; k++)
        get(DR);
    assert_int_equal(host.accepts, 1); /* empty: more may come */
    assert_int_equal(type(text, 40), 32);
    assert_int_equal(get(FR) & RXFF, RXFF);
    assert_int_equal(type(text, 1), 0);
    host.accepts = 0;
    for (unsigned k = 0; k < 16; k++)
        get(DR);
    assert_int_equal(host.accepts, 1); /* half empty: more may come */
}

/* A cleared time-out comes again while bytes are left behind a read. */
static void time_out(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, RT);
    type("ab", 2);
    assert_true(line());
    set(ICR, RT);
    assert_false(line());
    assert_int_equal(get(DR), 'a');
    assert_true(line());
    assert_int_equal(get(DR), 'b');
    assert_false(line());
}

static void loop_back(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(CR, 0x300 | LBE);
    for (unsigned i = 0; i < 40; i++)
        set(DR, i);
    assert_int_equal(host.len, 0);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(get(DR), i);
    assert_int_equal(get(FR) & RXFE, RXFE);
}

static void without_stream(void **state)
{
    (void)state;
    vm_destroy(d.vm);
    begin_on(NULL);
    set(DR, 'x');
    assert_int_equal(get(FR) & RXFE, RXFE);
}

static void hostile(void **state)
{
    static const char text[80];
    struct rng r;

    (void)state;
    rng_init(&r, 9);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v = rng_u64(&r);

        bus_access(d.vm, BASE + rng_below(&r, rng_below(&r, 4) ? 0x50 : 0xff8), 1u << rng_below(&r, 4),
                   rng_below(&r, 2), &v);
        if (i % 8 == 0)
            type(text, rng_below(&r, sizeof(text)));
        host.len = 0;
    }
    vm_hash(d.vm);
}

static void *create(char *why, size_t why_size)
{
    struct device *u;

    memset(&host, 0, sizeof(host));
    u = pl011_create(d.vm, "serial0", BASE, (struct irq_line){0}, 7, &host.chr, why, why_size);
    assert_int_equal(!u, !host.chr.receive);
    return u;
}

static void no_memory(void **state)
{
    (void)state;
    each_allocation(create);
    assert_null(host.chr.receive);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(after_reset), T(registers), T(transmits),      T(holding_register), T(fifo_levels),
        T(time_out),    T(loop_back), T(without_stream), T(hostile),          cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("pl011", tests, NULL, NULL);
}
