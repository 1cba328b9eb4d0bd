/* virtio-net: transmission in a work item, reception on the task that brings a frame. */
#include "device/virtio/virtio_net.h"
#include "core/vm.h"
#include "lib/str.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1 };
enum { F_MAC = 1 << 5, F_MRG_RXBUF = 1 << 15, F_STATUS = 1 << 16 };
enum { S_LINK_UP = 1 };

struct net_config {
    uint8_t mac[6];
    uint16_t status;
};

/* In front of each frame (5.1.6); zeros but for the last: nothing was offloaded. */
struct net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
    uint16_t num_buffers;
};
#define HEADER 12u
_Static_assert(sizeof(struct net_header) == HEADER && sizeof(struct net_config) == 8, "5.1.4, 5.1.6");

struct virtio_net {
    struct virtio_dev v;
    struct netdev *net;
    struct net_config config;
    bool refused;                    /* a frame was turned away for want of buffers */
    struct virtq_chain first, more;  /* reception; lock */
    struct virtq_chain tx;           /* work only */
    uint8_t frame[VIRTIO_NET_FRAME]; /* work only */
};

static const struct state_field virtio_net_state[] = {
    VIRTIO_STATE(struct virtio_net, v),
    STATE_END,
};

/* ---- reception; lock held ---- */

/* Where a frame stands while it goes into one or several chains. */
struct rx {
    const uint8_t *frame;
    size_t len, done;
    unsigned popped, chains;
};

/* The first chain: the header (count of chains to follow), then data. False: it has no room for both. */
static bool rx_first(struct virtio_net *n, struct rx *rx)
{
    struct virtq *q = &n->v.queue[QUEUE_RX];
    bool merge = virtio_has(&n->v, F_MRG_RXBUF);
    size_t room;

    if (n->first.write_bytes < HEADER || (!merge && n->first.write_bytes - HEADER < rx->len))
        return false;
    room = n->first.write_bytes - HEADER;
    rx->done = virtq_write(q, &n->first, HEADER, rx->frame, MIN(room, rx->len));
    virtq_push(q, 0, n->first.head, HEADER + (uint32_t)rx->done);
    rx->chains = rx->popped = 1;
    return true;
}

/* What is left into further chains (5.1.6.3.2); false: there are not enough of them. */
static bool rx_rest(struct virtio_net *n, struct rx *rx)
{
    struct virtq *q = &n->v.queue[QUEUE_RX];

    while (rx->done < rx->len) {
        size_t put;

        if (!virtio_pop(&n->v, QUEUE_RX, &n->more))
            return false;
        rx->popped++;
        put = virtq_write(q, &n->more, 0, rx->frame + rx->done, rx->len - rx->done);
        if (!put || rx->chains == q->size)
            return false;
        virtq_push(q, rx->chains, n->more.head, (uint32_t)put);
        rx->done += put;
        rx->chains++;
    }
    return true;
}

/* False: no room now. A frame that no chain of this driver can hold is dropped. */
static bool receive(struct virtio_net *n, struct rx *rx)
{
    struct virtq *q = &n->v.queue[QUEUE_RX];
    struct net_header h = {0};

    if (!virtio_pop(&n->v, QUEUE_RX, &n->first))
        return !virtio_live(&n->v);
    if (!rx_first(n, rx)) {
        virtq_unpop(q, 1);
        return true;
    }
    if (!rx_rest(n, rx)) {
        /* Nothing was published: the driver finds its buffers unused. */
        virtq_unpop(q, rx->popped);
        return !virtio_live(&n->v);
    }
    h.num_buffers = (uint16_t)rx->chains;
    virtq_write(q, &n->first, 0, &h, HEADER);
    virtq_publish(q, rx->chains);
    virtio_signal(&n->v, QUEUE_RX);
    return true;
}

/* From any task. Without a driver the cable leads nowhere: the frame is taken and lost. */
static bool net_receive(void *opaque, const void *frame, size_t len)
{
    struct virtio_net *n = opaque;
    struct rx rx = {.frame = frame, .len = len};
    bool taken = true;

    if (!len || len > VIRTIO_NET_FRAME)
        return true;
    plat_lock(&n->v.dev.lock);
    if (virtio_live(&n->v) && n->v.queue[QUEUE_RX].ready)
        taken = receive(n, &rx);
    n->refused |= !taken;
    plat_unlock(&n->v.dev.lock);
    return taken;
}

/* ---- work ---- */

static void resume(struct virtio_net *n)
{
    bool again;

    plat_lock(&n->v.dev.lock);
    again = n->refused;
    n->refused = false;
    plat_unlock(&n->v.dev.lock);
    if (again && n->net->ops->resume)
        n->net->ops->resume(n->net);
}

static void net_work(struct virtio_dev *v)
{
    struct virtio_net *n = container_of(v, struct virtio_net, v);

    resume(n);
    while (virtio_take(v, QUEUE_TX, &n->tx)) {
        const struct virtq_chain *c = &n->tx;

        if (c->read_bytes < HEADER)
            virtio_refuse(v, "a frame without its header");
        else if (c->read_bytes - HEADER <= sizeof(n->frame))
            n->net->ops->send(n->net, n->frame, virtq_read(c, HEADER, n->frame, sizeof(n->frame)));
        virtio_give(v, QUEUE_TX, c->head, 0);
    }
}

/* What waits for buffers of the old driver may go on: it is dropped until the new one is there. */
static void net_reset(struct virtio_dev *v)
{
    if (container_of(v, struct virtio_net, v)->refused)
        work_queue(&v->work);
}

/* ---- life ---- */

static void net_destroy(struct device *d)
{
    struct virtio_net *n = container_of(d, struct virtio_net, v.dev);

    n->net->receive = NULL;
    virtio_fini(&n->v);
    plat_free(n);
}

static const struct virtio_ops virtio_net_ops = {
    .id = VIRTIO_NET,
    .queues = 2,
    .features = F_MAC | F_MRG_RXBUF | F_STATUS,
    .work = net_work,
    .reset = net_reset,
};

static const struct device_ops virtio_net_device = {
    .name = "virtio-net",
    .summary = "network interface",
    .state = virtio_net_state,
    VIRTIO_DEVICE_OPS,
    .destroy = net_destroy,
};

struct virtio_dev *virtio_net_create(struct vm *vm, const char *id, const uint8_t mac[6], struct netdev *net,
                                     char *why, size_t why_size)
{
    struct virtio_net *n = device_alloc(sizeof(*n), why, why_size);

    if (!n)
        return NULL;
    virtio_init(&n->v, &virtio_net_ops, &virtio_net_device, vm, id);
    n->net = net;
    memcpy(n->config.mac, mac, sizeof(n->config.mac));
    n->config.status = S_LINK_UP;
    n->v.config = (const uint8_t *)&n->config;
    n->v.config_size = sizeof(n->config);
    device_add(&n->v.dev);
    net->opaque = n;
    net->receive = net_receive;
    return &n->v;
}
