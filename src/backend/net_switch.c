/* Which port an address was last heard at; frames copied from port to port. */
#include "backend/net_switch.h"
#include "core/platform.h"
#include "core/work.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define PORTS     64
#define ADDRESSES 256u /* power of two; the table holds the last heard of those that share a place */
#define QUEUE     (64u << 10)
#define FRAME_MIN 14u
#define FRAME_MAX 9216u

struct port {
    struct netdev net;
    struct net_switch *sw;
    struct work work;      /* deliver() */
    struct plat_lock lock; /* queue, head, tail; after the switch's */
    uint32_t head, tail;   /* run freely */
    uint8_t *queue;        /* frames, each after its length in two bytes */
    unsigned frames;       /* in the queue; lock */
    uint8_t frame[FRAME_MAX];
    /* An uplink has no queue: frames go there at once. */
    void (*send)(void *opaque, const void *frame, size_t len);
    void *opaque;
    uint32_t waiting; /* length of the one in `frame` that the device had no room for; work only */
};

struct net_switch {
    struct plat_lock lock;
    struct port *port[PORTS];
    struct {
        uint64_t mac; /* 0: free */
        uint8_t port;
    } address[ADDRESSES];
    struct net_switch_stat stat;
};

/* ---- the queue of a port; its lock held ---- */

static void ring_copy_in(struct port *p, const void *data, uint32_t n)
{
    uint32_t at = p->tail % QUEUE, first = MIN(n, QUEUE - at);

    memcpy(p->queue + at, data, first);
    memcpy(p->queue, (const uint8_t *)data + first, n - first);
    p->tail += n;
}

static void ring_copy_out(struct port *p, void *data, uint32_t n)
{
    uint32_t at = p->head % QUEUE, first = MIN(n, QUEUE - at);

    memcpy(data, p->queue + at, first);
    memcpy((uint8_t *)data + first, p->queue, n - first);
    p->head += n;
}

static bool enqueue(struct port *p, const void *frame, size_t len)
{
    uint16_t n = (uint16_t)len;
    bool room;

    plat_lock(&p->lock);
    room = QUEUE - (p->tail - p->head) >= len + sizeof(n);
    if (room) {
        ring_copy_in(p, &n, sizeof(n));
        ring_copy_in(p, frame, n);
        p->frames++;
    }
    plat_unlock(&p->lock);
    if (room)
        work_queue(&p->work);
    return room;
}

/* The next frame into p->frame; false: there is none. */
static bool dequeue(struct port *p)
{
    uint16_t n = 0;

    plat_lock(&p->lock);
    if (p->frames) {
        ring_copy_out(p, &n, sizeof(n));
        ring_copy_out(p, p->frame, n);
        p->frames--;
    }
    plat_unlock(&p->lock);
    p->waiting = n;
    return n;
}

/* On the worker of the VM that the frames go to. */
static void deliver(void *opaque)
{
    struct port *p = opaque;

    while (p->waiting || dequeue(p)) {
        if (!p->net.receive || !p->net.receive(p->net.opaque, p->frame, p->waiting))
            return; /* resume() comes when it has room */
        p->waiting = 0;
    }
}

/* ---- switching; the switch's lock held ---- */

static uint64_t mac_at(const uint8_t *p)
{
    uint64_t mac = 0;

    memcpy(&mac, p, 6);
    return mac;
}

static unsigned slot_of(uint64_t mac)
{
    return (unsigned)(mac * UINT64_C(0x9e3779b97f4a7c15) >> 56) % ADDRESSES;
}

/* A source is one machine's own address: never a group, never all zeros. */
static void learn(struct net_switch *s, uint64_t mac, unsigned port)
{
    unsigned i = slot_of(mac);

    if (!mac || (mac & 1))
        return;
    s->stat.addresses += !s->address[i].mac;
    s->address[i].mac = mac;
    s->address[i].port = (uint8_t)port;
}

static struct port *lookup(const struct net_switch *s, uint64_t mac)
{
    unsigned i = slot_of(mac);

    return !(mac & 1) && s->address[i].mac == mac ? s->port[s->address[i].port] : NULL;
}

static void give(struct net_switch *s, struct port *to, const void *frame, size_t len)
{
    if (to->send)
        to->send(to->opaque, frame, len);
    else if (!enqueue(to, frame, len))
        s->stat.dropped++;
}

static void flood(struct net_switch *s, const struct port *from, const void *frame, size_t len)
{
    s->stat.flooded++;
    for (unsigned i = 0; i < PORTS; i++) {
        if (s->port[i] && s->port[i] != from)
            give(s, s->port[i], frame, len);
    }
}

static void net_send(struct netdev *net, const void *frame, size_t len)
{
    struct port *from = container_of(net, struct port, net), *to;
    struct net_switch *s = from->sw;
    const uint8_t *head = frame;

    if (len < FRAME_MIN || len > FRAME_MAX)
        return;
    plat_lock(&s->lock);
    s->stat.frames++;
    for (unsigned i = 0; i < PORTS; i++) {
        if (s->port[i] == from)
            learn(s, mac_at(head + 6), i);
    }
    to = lookup(s, mac_at(head));
    if (!to)
        flood(s, from, frame, len);
    else if (to != from)
        give(s, to, frame, len);
    plat_unlock(&s->lock);
}

static void net_resume(struct netdev *net)
{
    work_queue(&container_of(net, struct port, net)->work);
}

/* ---- life ---- */

static void forget(struct net_switch *s, const struct port *p)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (s->port[i] != p)
            continue;
        s->port[i] = NULL;
        s->stat.ports--;
        for (unsigned k = 0; k < ADDRESSES; k++) {
            if (s->address[k].mac && s->address[k].port == i) {
                s->address[k].mac = 0;
                s->stat.addresses--;
            }
        }
    }
}

static void net_destroy(struct netdev *net)
{
    struct port *p = container_of(net, struct port, net);

    plat_lock(&p->sw->lock);
    forget(p->sw, p);
    plat_unlock(&p->sw->lock);
    p->net.receive = NULL;
    if (!p->send) {
        work_flush(&p->work);
        plat_lock_fini(&p->lock);
    }
    plat_free(p->queue);
    plat_free(p);
}

static const struct netdev_ops net_switch_ops = {
    .name = "switch", .send = net_send, .resume = net_resume, .destroy = net_destroy};

static bool plug(struct net_switch *s, struct port *p)
{
    bool found = false;

    plat_lock(&s->lock);
    for (unsigned i = 0; i < PORTS && !found; i++) {
        found = !s->port[i];
        if (found)
            s->port[i] = p;
    }
    s->stat.ports += found;
    plat_unlock(&s->lock);
    return found;
}

int net_switch_port(struct netdev **out, struct net_switch *s, struct vm *vm, char *why, size_t why_size)
{
    struct port *p = plat_alloc(sizeof(*p));

    if (!p || !(p->queue = plat_alloc(QUEUE))) {
        plat_free(p);
        fmt_snprintf(why, why_size, "net-mode: no memory for a port of the switch; free some on the host");
        return -ENOMEM;
    }
    p->net.ops = &net_switch_ops;
    p->sw = s;
    plat_lock_init(&p->lock);
    work_init(&p->work, vm, deliver, p);
    if (!plug(s, p)) {
        net_destroy(&p->net);
        fmt_snprintf(why, why_size, "net-mode: the switch has %u ports and all are taken; stop another VM",
                     PORTS);
        return -EBUSY;
    }
    *out = &p->net;
    return 0;
}

int net_switch_uplink(struct netdev **out, struct net_switch *s,
                      void (*send)(void *opaque, const void *frame, size_t len), void *opaque)
{
    struct port *p = plat_alloc(sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->net.ops = &net_switch_ops;
    p->sw = s;
    p->send = send;
    p->opaque = opaque;
    if (!plug(s, p)) {
        plat_free(p);
        return -EBUSY;
    }
    *out = &p->net;
    return 0;
}

void net_switch_input(struct netdev *port, const void *frame, size_t len)
{
    net_send(port, frame, len);
}

struct net_switch *net_switch_create(void)
{
    struct net_switch *s = plat_alloc(sizeof(*s));

    if (s)
        plat_lock_init(&s->lock);
    return s;
}

void net_switch_destroy(struct net_switch *s)
{
    if (!s)
        return;
    plat_lock_fini(&s->lock);
    plat_free(s);
}

void net_switch_stat(struct net_switch *s, struct net_switch_stat *st)
{
    plat_lock(&s->lock);
    *st = s->stat;
    plat_unlock(&s->lock);
}
