/* The switch: learning, flooding, queues that fill, ports that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backend/net_switch.h"
#include "engine/minimal/testvm.h"
#include "lib/err.h"

struct card {
    struct vm *vm;
    struct netdev *net;
    unsigned frames, room;
    size_t len;
    uint8_t last[2000];
};

static bool receive(void *opaque, const void *frame, size_t len)
{
    struct card *c = opaque;

    if (!c->room)
        return false;
    c->room--;
    c->frames++;
    c->len = len;
    memcpy(c->last, frame, MIN(len, sizeof(c->last)));
    return true;
}

static void plug(struct card *c, struct net_switch *s)
{
    char why[100];

    *c = (struct card){.vm = testvm_new(1), .room = 1000000};
    assert_int_equal(net_switch_port(&c->net, s, c->vm, why, sizeof(why)), 0);
    c->net->opaque = c;
    c->net->receive = receive;
}

static void unplug(struct card *c)
{
    c->net->ops->destroy(c->net);
    vm_destroy(c->vm);
}

/* A frame from address a to address b; 255: everybody. Its length tells it from others. */
static void send(struct card *from, uint8_t a, uint8_t b, size_t len)
{
    uint8_t frame[2000] = {0};

    memset(frame, b == 255 ? 255 : 0, 6);
    if (b != 255)
        frame[0] = 2, frame[5] = b;
    frame[6] = 2;
    frame[11] = a;
    from->net->ops->send(from->net, frame, len);
}

/* How many frames arrived since. */
static unsigned arrived(struct card *c)
{
    unsigned before = c->frames;

    work_drain(c->vm);
    return c->frames - before;
}

static void learns(void **state)
{
    struct net_switch *s = net_switch_create();
    struct net_switch_stat st;
    struct card c[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        plug(&c[i], s);
    send(&c[0], 1, 255, 60);
    assert_int_equal(arrived(&c[0]), 0);
    assert_int_equal(arrived(&c[1]), 1);
    assert_int_equal(arrived(&c[2]), 1);
    send(&c[1], 2, 1, 61); /* known by now */
    assert_int_equal(arrived(&c[0]), 1);
    assert_int_equal(c[0].len, 61);
    assert_int_equal(c[0].last[11], 2);
    assert_int_equal(arrived(&c[2]), 0);
    send(&c[0], 1, 9, 62); /* unknown: to all others */
    assert_int_equal(arrived(&c[1]) + arrived(&c[2]), 2);
    send(&c[0], 1, 1, 63); /* to itself: nowhere */
    assert_int_equal(arrived(&c[0]) + arrived(&c[1]) + arrived(&c[2]), 0);
    send(&c[2], 1, 255, 64); /* the address has moved */
    arrived(&c[0]);
    arrived(&c[1]);
    send(&c[1], 2, 1, 65);
    assert_int_equal(arrived(&c[0]), 0);
    assert_int_equal(arrived(&c[2]), 1);
    send(&c[1], 2, 1, 13); /* no whole header */
    net_switch_stat(s, &st);
    assert_int_equal(st.ports, 3);
    assert_int_equal(st.addresses, 2);
    assert_int_equal(st.dropped, 0);
    for (unsigned i = 0; i < 3; i++)
        unplug(&c[i]);
    net_switch_stat(s, &st);
    assert_int_equal(st.ports + st.addresses, 0);
    net_switch_destroy(s);
}

/* Addresses that share a place in the table are told apart; a group's address is nobody's. */
static void many_addresses(void **state)
{
    uint8_t frame[60] = {[0] = 2, [5] = 250, [6] = 3};
    struct net_switch *s = net_switch_create();
    struct net_switch_stat st;
    struct card c[3];
    unsigned known;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        plug(&c[i], s);
    for (unsigned i = 1; i <= 120; i++)
        send(&c[0], (uint8_t)i, 255, 60);
    arrived(&c[1]);
    arrived(&c[2]);
    for (unsigned i = 121; i < 250; i++) { /* of none of these it knows where they are: to all others */
        send(&c[1], 250, (uint8_t)i, 60);
        assert_int_equal(arrived(&c[0]), 1);
        assert_int_equal(arrived(&c[2]), 1);
    }
    net_switch_stat(s, &st);
    known = st.addresses;
    assert_true(known > 60 && known <= 121);
    for (unsigned i = 0; i < 250; i++) {
        frame[11] = (uint8_t)i;
        c[2].net->ops->send(c[2].net, frame, sizeof(frame)); /* from a group */
    }
    assert_int_equal(arrived(&c[1]), 250);
    frame[6] = 0;
    frame[11] = 0;
    c[2].net->ops->send(c[2].net, frame, sizeof(frame)); /* from nobody */
    net_switch_stat(s, &st);
    assert_int_equal(st.addresses, known);
    for (unsigned i = 0; i < 3; i++)
        unplug(&c[i]);
    net_switch_destroy(s);
}

/* A guest without room holds up nobody: what does not fit its queue is lost, the rest comes in order. */
static void fills(void **state)
{
    struct net_switch *s = net_switch_create();
    struct net_switch_stat st;
    struct card a, b;
    unsigned sent = 200, got;

    (void)state;
    plug(&a, s);
    plug(&b, s);
    send(&b, 2, 255, 60);
    arrived(&a);
    b.room = 0;
    for (unsigned i = 0; i < sent; i++)
        send(&a, 1, 2, 1000 + i);
    assert_int_equal(arrived(&b), 0);
    net_switch_stat(s, &st);
    assert_true(st.dropped > 0 && st.dropped < sent);
    b.room = 1;
    b.net->ops->resume(b.net);
    assert_int_equal(arrived(&b), 1);
    assert_int_equal(b.len, 1000);
    b.room = sent;
    b.net->ops->resume(b.net);
    got = 1 + arrived(&b);
    assert_int_equal(got + st.dropped, sent);
    assert_int_equal(b.len, 1000 + got - 1); /* the first ones, in order */
    send(&a, 1, 2, 70);
    assert_int_equal(arrived(&b), 1);
    assert_int_equal(b.len, 70);
    unplug(&a);
    send(&b, 2, 1, 60);
    unplug(&b);
    net_switch_destroy(s);
}

/* The ring goes round many times, with frames of every length. */
static void goes_round(void **state)
{
    struct net_switch *s = net_switch_create();
    struct card a, b;

    (void)state;
    plug(&a, s);
    plug(&b, s);
    for (unsigned i = 0; i < 3000; i++) {
        send(&a, 1, 255, 14 + i % 1500);
        assert_int_equal(arrived(&b), 1);
        assert_int_equal(b.len, 14 + i % 1500);
    }
    unplug(&a);
    unplug(&b);
    net_switch_destroy(s);
}

static void count_out(void *opaque, const void *frame, size_t len)
{
    struct card *c = opaque;

    c->frames++;
    c->len = len;
    memcpy(c->last, frame, MIN(len, sizeof(c->last)));
}

/* What leads out of the host is a port as others, without a queue. */
static void uplink(void **state)
{
    struct net_switch *s = net_switch_create();
    struct card a, out = {0};
    struct netdev *up;
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9};

    (void)state;
    plug(&a, s);
    assert_int_equal(net_switch_uplink(&up, s, count_out, &out), 0);
    send(&a, 1, 255, 61);
    assert_int_equal(out.frames, 1);
    assert_int_equal(out.len, 61);
    net_switch_input(up, frame, sizeof(frame)); /* from 9 to 1 */
    assert_int_equal(arrived(&a), 1);
    send(&a, 1, 9, 62);
    assert_int_equal(out.frames, 2);
    assert_int_equal(out.len, 62);
    send(&a, 1, 1, 63);
    assert_int_equal(out.frames, 2);
    up->ops->destroy(up);
    unplug(&a);
    net_switch_destroy(s);
}

static void ports_end(void **state)
{
    struct net_switch *s = net_switch_create();
    struct vm *vm = testvm_new(1);
    struct netdev *port[64], *more;
    char why[120];

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(net_switch_port(&port[i], s, vm, why, sizeof(why)), 0);
    assert_int_equal(net_switch_port(&more, s, vm, why, sizeof(why)), -EBUSY);
    assert_non_null(strstr(why, "64 ports"));
    for (unsigned i = 0; i < 64; i++)
        port[i]->ops->destroy(port[i]);
    vm_destroy(vm);
    net_switch_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),     cmocka_unit_test(many_addresses), cmocka_unit_test(fills),
        cmocka_unit_test(goes_round), cmocka_unit_test(uplink),         cmocka_unit_test(ports_end),
    };

    return cmocka_run_group_tests_name("net_switch", tests, NULL, NULL);
}
