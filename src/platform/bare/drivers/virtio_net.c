/*
 * Virtio network devices of the board (VIRTIO 1.2, 5.1): one queue each way, frames through buffers of our
 * own.
 */
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/app.h"
#include "platform/bare/drivers/virtio.h"
#include "platform/bare/mm/frame.h"

#define BUFFERS     32 /* each way; half a page each */
#define BUFFER      2048u
#define HEADER      12u /* of legacy devices 10: no num_buffers (5.1.6.1) */
#define FRAME_LIMIT 1514u

enum { F_MAC = 5 };

struct net {
    struct virtio *v;
    struct virtq rx, tx;
    uint8_t *rx_buf, *tx_buf;
    unsigned header;
    uint8_t mac[6];
    struct spin lock;        /* tx */
    uint64_t tx_busy;        /* lock; bit = buffer */
    struct plat_event event; /* frames came */
    struct plat_task *task;
    void (*receive)(void *opaque, const void *frame, size_t len);
    void *opaque;
};

static struct net *nets[4];
static unsigned net_count;

static void interrupt(struct virtio *v)
{
    for (unsigned i = 0; i < net_count; i++) {
        if (nets[i]->v == v)
            plat_event_wake(&nets[i]->event);
    }
}

static void rx_offer(struct net *n, unsigned i)
{
    n->rx.desc[i] = (struct virtq_desc){arch_pa(n->rx_buf + i * BUFFER), BUFFER, VIRTQ_WRITE, 0};
    vioq_offer(&n->rx, i);
}

/* The only user of the receive queue. */
static void net_task(void *opaque)
{
    struct net *n = opaque;

    for (;;) {
        struct virtq_used u;

        plat_event_wait(&n->event, PLAT_FOREVER);
        while (vioq_done(&n->rx, &u)) {
            if (u.id >= BUFFERS)
                continue;
            if (u.len > n->header && u.len <= n->header + FRAME_LIMIT)
                n->receive(n->opaque, n->rx_buf + u.id * BUFFER + n->header, u.len - n->header);
            rx_offer(n, u.id);
            vioq_kick(&n->rx);
        }
    }
}

unsigned bare_net_count(void)
{
    vio_need(VIRTIO_NET);
    return net_count;
}

int bare_net_start(unsigned i, void (*receive)(void *opaque, const void *frame, size_t len), void *opaque,
                   uint8_t mac[6])
{
    struct net *n = i < net_count ? nets[i] : NULL;

    if (!n)
        return -ENODEV;
    if (n->task)
        return -EBUSY;
    n->receive = receive;
    n->opaque = opaque;
    memcpy(mac, n->mac, 6);
    return plat_task_start(&n->task, "net", net_task, n);
}

int bare_net_send(unsigned i, const void *frame, size_t len)
{
    struct net *n = i < net_count ? nets[i] : NULL;
    struct virtq_used u;
    unsigned slot = 0;
    bool on;

    if (!n || !len || len > FRAME_LIMIT)
        return -EINVAL;
    on = spin_lock_irq(&n->lock);
    while (vioq_done(&n->tx, &u)) {
        if (u.id < BUFFERS)
            n->tx_busy &= ~BIT(u.id);
    }
    while (slot < BUFFERS && n->tx_busy >> slot & 1)
        slot++;
    if (slot < BUFFERS) {
        uint8_t *p = n->tx_buf + slot * BUFFER;

        memset(p, 0, n->header);
        memcpy(p + n->header, frame, len);
        n->tx.desc[slot] = (struct virtq_desc){arch_pa(p), (uint32_t)(n->header + len), 0, 0};
        n->tx_busy |= BIT(slot);
        vioq_offer(&n->tx, slot);
        vioq_kick(&n->tx);
    }
    spin_unlock_irq(&n->lock, on);
    return slot < BUFFERS ? 0 : -EAGAIN;
}

static int net_prepare(struct net *n)
{
    int err = vio_start(n->v, BIT(F_MAC));

    if (!err)
        err = vio_queue(n->v, &n->rx, 0);
    if (!err)
        err = vio_queue(n->v, &n->tx, 1);
    if (err)
        return err;
    n->rx_buf = frame_alloc_range(BUFFERS * BUFFER);
    n->tx_buf = frame_alloc_range(BUFFERS * BUFFER);
    if (!n->rx_buf || !n->tx_buf || n->rx.size < BUFFERS || n->tx.size < BUFFERS)
        return -ENOMEM;
    n->header = n->v->modern ? HEADER : HEADER - 2;
    n->lock = SPIN_INIT(RANK_USER);
    plat_event_init(&n->event);
    for (unsigned i = 0; i < 6; i++)
        n->mac[i] = vio_config8(n->v, i);
    for (unsigned i = 0; i < BUFFERS; i++)
        rx_offer(n, i);
    n->tx.avail[0] = 1; /* no interrupts for what was sent (2.7.7) */
    return 0;
}

int vio_net_probe(struct virtio *v, unsigned i)
{
    struct net *n = i < ARRAY_SIZE(nets) ? plat_alloc(sizeof(*n)) : NULL;
    int err;

    if (!n)
        return -ENOMEM;
    n->v = v;
    err = net_prepare(n);
    if (err)
        return err;
    v->interrupt = interrupt;
    nets[net_count++] = n;
    err = vio_ready(v);
    if (err)
        net_count--;
    else
        vioq_kick(&n->rx);
    return err;
}
