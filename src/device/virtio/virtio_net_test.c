/* virtio-net: frames out, frames in with and without merged buffers, want of buffers, hostile drivers. */
#include "device/virtio/virtio_net.h"
#include "device/virtio/virtio_test.h"

#define MRG (1u << 15)
enum { RX, TX };

struct wire {
    struct netdev net;
    uint8_t last[2048];
    size_t len;
    unsigned sent, resumed;
};

static void wire_send(struct netdev *n, const void *frame, size_t len)
{
    struct wire *w = container_of(n, struct wire, net);

    assert_true(len <= VIRTIO_NET_FRAME);
    memcpy(w->last, frame, len);
    w->len = len;
    w->sent++;
}

static void wire_resume(struct netdev *n)
{
    container_of(n, struct wire, net)->resumed++;
}

static const struct netdev_ops wire_ops = {.send = wire_send, .resume = wire_resume};
static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
static struct wire wire;

static void net_drv(struct drv *d, uint64_t features)
{
    char why[160];

    memset(&wire, 0, sizeof(wire));
    wire.net.ops = &wire_ops;
    drv_init(d, false);
    drv_plug(d, virtio_net_create(d->vm, "net0", mac, &wire.net, why, sizeof(why)));
    if (features != UINT64_MAX)
        drv_start(d, features);
}

static bool feed(const void *frame, size_t len)
{
    return wire.net.receive(wire.net.opaque, frame, len);
}

static void configuration(void **state)
{
    struct drv d;

    (void)state;
    net_drv(&d, 0);
    assert_int_equal(drv_r32(&d, 0x08), VIRTIO_NET);
    assert_int_equal(drv_features(&d) & UINT32_C(0xffffff), 1 << 5 | MRG | 1 << 16);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(drv_read(&d, 0x100 + i, 1), mac[i]);
    assert_int_equal(drv_read(&d, 0x106, 2), 1);
    drv_free(&d);
    assert_null(wire.net.receive);
}

static void transmit(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    net_drv(&d, VIRTIO_F_EVENT_IDX);
    memset(drv_ptr(&d, DRV_DATA), 0, 12);
    for (unsigned i = 0; i < 2000; i++)
        *(uint8_t *)drv_ptr(&d, DRV_DATA + 12 + i) = (uint8_t)(i * 7);
    /* Header and frame in one buffer, then cut in two places, then two at once. */
    drv_chain(&d, TX, 0, DRV_DATA, 12 + 60, 0, 0);
    drv_kick(&d, TX);
    assert_true(drv_used(&d, TX, &id, &len) && len == 0);
    assert_int_equal(wire.len, 60);
    assert_memory_equal(wire.last, drv_ptr(&d, DRV_DATA + 12), 60);
    drv_desc(&d, TX, 3, DRV_DATA, 5, D_NEXT, 4);
    drv_desc(&d, TX, 4, DRV_DATA + 5, 20, D_NEXT, 5);
    drv_desc(&d, TX, 5, DRV_DATA + 25, 12 + VIRTIO_NET_FRAME - 25, 0, 0);
    drv_add(&d, TX, 3);
    drv_kick(&d, TX);
    assert_int_equal(wire.len, VIRTIO_NET_FRAME);
    assert_memory_equal(wire.last, drv_ptr(&d, DRV_DATA + 12), VIRTIO_NET_FRAME);
    drv_chain(&d, TX, 6, DRV_DATA, 12 + 61, 0, 0);
    drv_chain(&d, TX, 7, DRV_DATA, 12 + 62, 0, 0);
    drv_kick(&d, TX);
    assert_int_equal(wire.sent, 4);
    assert_int_equal(wire.len, 62);
    /* One too long for any wire is lost, not an error. */
    drv_chain(&d, TX, 8, DRV_DATA, 12 + VIRTIO_NET_FRAME + 1, 0, 0);
    drv_kick(&d, TX);
    assert_int_equal(wire.sent, 4);
    assert_false(drv_broken(&d));
    drv_chain(&d, TX, 9, DRV_DATA, 11, 0, 0);
    drv_kick(&d, TX);
    assert_true(drv_broken(&d));
    drv_free(&d);
}

static void receive_small(void **state)
{
    uint8_t frame[VIRTIO_NET_FRAME];
    struct drv d;
    uint32_t id, len;

    (void)state;
    for (unsigned i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 3);
    net_drv(&d, 0);
    memset(drv_ptr(&d, DRV_DATA), 0xff, 64);
    drv_desc(&d, RX, 0, DRV_DATA, 12, D_WRITE | D_NEXT, 1);
    drv_desc(&d, RX, 1, DRV_DATA + 0x100, 1514, D_WRITE, 0);
    drv_add(&d, RX, 0);
    assert_true(feed(frame, 200));
    assert_true(drv_used(&d, RX, &id, &len));
    assert_int_equal(len, 212);
    assert_memory_equal(drv_ptr(&d, DRV_DATA), "\0\0\0\0\0\0\0\0\0\0\1\0\xff", 13);
    assert_memory_equal(drv_ptr(&d, DRV_DATA + 0x100), frame, 200);
    assert_true(d.line->level);
    /* Too big for the buffer: dropped, and the buffer is still there for the next. */
    drv_add(&d, RX, 0);
    assert_true(feed(frame, 1515));
    assert_false(drv_used(&d, RX, &id, &len));
    assert_true(feed(frame, 1514));
    assert_true(drv_used(&d, RX, &id, &len));
    assert_int_equal(len, 1526);
    /* Impossible lengths. */
    assert_true(feed(frame, 0));
    assert_true(feed(frame, sizeof(frame) + 1));
    drv_free(&d);
}

static void receive_merged(void **state)
{
    uint8_t frame[1000], got[1000];
    struct drv d;
    uint32_t id = 0, len = 0, at = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 5);
    net_drv(&d, MRG | VIRTIO_F_EVENT_IDX);
    for (unsigned i = 0; i < 4; i++)
        drv_chain(&d, RX, i, 0, 0, DRV_DATA + 0x200 * i, 300);
    assert_true(feed(frame, sizeof(frame)));
    for (unsigned i = 0; i < 4; i++) {
        unsigned skip = i ? 0 : 12;

        assert_true(drv_used(&d, RX, &id, &len));
        assert_int_equal(id, i);
        memcpy(got + at, drv_ptr(&d, DRV_DATA + 0x200 * i + skip), len - skip);
        at += len - skip;
    }
    assert_int_equal(at, 1000);
    assert_memory_equal(got, frame, 1000);
    assert_int_equal(*(uint16_t *)drv_ptr(&d, DRV_DATA + 10), 4);
    assert_int_equal(d.line->rises, 1);

    /* Not enough of them: nothing is used up, and it is asked for again when there are more. */
    drv_chain(&d, RX, 0, 0, 0, DRV_DATA, 300);
    drv_chain(&d, RX, 1, 0, 0, DRV_DATA + 0x200, 300);
    assert_false(feed(frame, sizeof(frame)));
    assert_false(drv_used(&d, RX, &id, &len));
    drv_chain(&d, RX, 2, 0, 0, DRV_DATA + 0x400, 600);
    drv_kick(&d, RX);
    assert_int_equal(wire.resumed, 1);
    assert_true(feed(frame, sizeof(frame)));
    assert_int_equal(*(uint16_t *)drv_ptr(&d, DRV_DATA + 10), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(drv_used(&d, RX, &id, &len) && id == i);
    assert_false(drv_used(&d, RX, &id, &len));
    /* A buffer for reading only gives no room: the frame waits, without an end. */
    drv_chain(&d, RX, 0, 0, 0, DRV_DATA, 300);
    drv_chain(&d, RX, 1, DRV_DATA + 0x200, 300, 0, 0);
    assert_false(feed(frame, sizeof(frame)));
    drv_free(&d);
}

static void want_of_buffers(void **state)
{
    uint8_t frame[100] = {0};
    struct drv d;
    uint32_t id, len;

    (void)state;
    net_drv(&d, UINT64_MAX);
    assert_true(feed(frame, 100)); /* no driver: lost */
    drv_start(&d, VIRTIO_F_EVENT_IDX);
    assert_false(feed(frame, 100));
    assert_int_equal(wire.resumed, 0);
    drv_chain(&d, RX, 0, 0, 0, DRV_DATA, 1526);
    drv_kick(&d, RX);
    assert_int_equal(wire.resumed, 1);
    assert_true(feed(frame, 100));
    drv_kick(&d, RX);
    assert_int_equal(wire.resumed, 1); /* nobody waits */
    assert_true(drv_used(&d, RX, &id, &len));
    /* What waits at a reset may go on: it is lost. */
    assert_false(feed(frame, 100));
    drv_write(&d, 0x70, 0);
    work_drain(d.vm);
    assert_int_equal(wire.resumed, 2);
    assert_true(feed(frame, 100));
    drv_free(&d);
}

static void malformed_receive(void **state)
{
    uint8_t frame[100] = {0};
    struct drv d;

    (void)state;
    net_drv(&d, 0);
    drv_desc(&d, RX, 0, 0x10, 2000, D_WRITE, 0);
    drv_add(&d, RX, 0);
    assert_true(feed(frame, 100)); /* lost */
    assert_true(drv_broken(&d));
    assert_true(d.line->level);
    assert_true(feed(frame, 100));
    drv_free(&d);
}

static void host_side(struct drv *d, struct rng *r)
{
    uint8_t frame[VIRTIO_NET_FRAME];

    (void)d;
    memset(frame, (int)rng_u64(r), sizeof(frame));
    for (unsigned i = 0; i < 3; i++)
        feed(frame, 1 + rng_below(r, sizeof(frame)));
}

static void hostile(void **state)
{
    struct drv d;

    (void)state;
    net_drv(&d, 0);
    hostile_run(&d, 3, host_side);
    drv_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration),   cmocka_unit_test(transmit),
        cmocka_unit_test(receive_small),   cmocka_unit_test(receive_merged),
        cmocka_unit_test(want_of_buffers), cmocka_unit_test(malformed_receive),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests_name("virtio_net", tests, NULL, NULL);
}
