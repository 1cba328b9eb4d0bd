/* virtio-console: output, input, want of buffers, hostile drivers. */
#include "device/virtio/virtio_console.h"
#include "device/virtio/virtio_test.h"

enum { RX, TX };

struct terminal {
    struct chardev chr;
    char text[256];
    size_t fill;
    unsigned accepts;
};

static void terminal_write(struct chardev *c, const void *data, size_t len)
{
    struct terminal *t = container_of(c, struct terminal, chr);
    size_t n = MIN(len, sizeof(t->text) - t->fill);

    memcpy(t->text + t->fill, data, n);
    t->fill += n;
}

static void terminal_accept(struct chardev *c)
{
    container_of(c, struct terminal, chr)->accepts++;
}

static const struct chardev_ops terminal_ops = {.write = terminal_write, .accept = terminal_accept};
static struct terminal term;

static void console_drv(struct drv *d, bool start)
{
    char why[160];

    memset(&term, 0, sizeof(term));
    term.chr.ops = &terminal_ops;
    drv_init(d, false);
    drv_plug(d, virtio_console_create(d->vm, "console0", &term.chr, why, sizeof(why)));
    if (start)
        drv_start(d, 0);
}

static size_t type(const char *text)
{
    return term.chr.receive(term.chr.opaque, (const uint8_t *)text, strlen(text));
}

static void output(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    console_drv(&d, true);
    assert_int_equal(drv_r32(&d, 0x08), VIRTIO_CONSOLE);
    assert_int_equal(drv_read(&d, 0x100, 8), 0);
    memcpy(drv_ptr(&d, DRV_DATA), "one two three", 13);
    drv_desc(&d, TX, 0, DRV_DATA, 4, D_NEXT, 1);
    drv_desc(&d, TX, 1, DRV_DATA + 4, 4, 0, 0);
    drv_add(&d, TX, 0);
    drv_chain(&d, TX, 2, DRV_DATA + 8, 5, 0, 0);
    drv_kick(&d, TX);
    assert_int_equal(term.fill, 13);
    assert_memory_equal(term.text, "one two three", 13);
    assert_true(drv_used(&d, TX, &id, &len) && drv_used(&d, TX, &id, &len));
    assert_true(d.line->level);
    drv_free(&d);
    assert_null(term.chr.receive);
}

static void input(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    console_drv(&d, false);
    assert_int_equal(type("early"), 0); /* no driver yet */
    drv_start(&d, VIRTIO_F_EVENT_IDX);
    assert_int_equal(term.accepts, 1); /* now it may try again */
    assert_int_equal(type("early"), 0);
    drv_chain(&d, RX, 0, 0, 0, DRV_DATA, 4);
    drv_chain(&d, RX, 1, 0, 0, DRV_DATA + 16, 4);
    drv_kick(&d, RX);
    assert_int_equal(term.accepts, 2);
    assert_int_equal(type("12345"), 5);
    assert_true(drv_used(&d, RX, &id, &len) && id == 0 && len == 4);
    assert_true(drv_used(&d, RX, &id, &len) && id == 1 && len == 1);
    assert_memory_equal(drv_ptr(&d, DRV_DATA), "1234", 4);
    assert_int_equal(*(char *)drv_ptr(&d, DRV_DATA + 16), '5');
    assert_int_equal(d.line->rises, 1);
    drv_chain(&d, RX, 2, 0, 0, DRV_DATA, 4);
    assert_int_equal(type("123456"), 4); /* part of it */
    drv_kick(&d, RX);
    assert_int_equal(term.accepts, 3);
    drv_kick(&d, RX);
    assert_int_equal(term.accepts, 3); /* nothing was turned away since */
    drv_free(&d);
}

static void malformed(void **state)
{
    struct drv d;

    (void)state;
    console_drv(&d, true);
    drv_desc(&d, RX, 0, 0x10, 64, D_WRITE, 0);
    drv_add(&d, RX, 0);
    assert_int_equal(type("x"), 0);
    assert_true(drv_broken(&d));
    drv_free(&d);
}

static void host_side(struct drv *d, struct rng *r)
{
    static const char text[] = "some text that is typed by somebody";

    (void)d;
    term.fill = 0;
    term.chr.receive(term.chr.opaque, (const uint8_t *)text, rng_below(r, sizeof(text)));
}

static void hostile(void **state)
{
    struct drv d;

    (void)state;
    console_drv(&d, true);
    hostile_run(&d, 4, host_side);
    drv_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output),
        cmocka_unit_test(input),
        cmocka_unit_test(malformed),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests_name("virtio_console", tests, NULL, NULL);
}
