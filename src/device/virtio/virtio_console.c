/* virtio-console: output in a work item, input whenever the driver has given buffers. */
#include "device/virtio/virtio_console.h"
#include "core/vm.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1 };

struct virtio_console {
    struct virtio_dev v;
    struct chardev *chr;
    uint8_t config[12];    /* 5.3.4: no size, no multiport, no emergency write: all reads 0 */
    bool refused;          /* input was turned away for want of buffers */
    struct virtq_chain rx; /* lock */
    struct virtq_chain tx; /* work only */
};

static const struct state_field virtio_console_state[] = {
    VIRTIO_STATE(struct virtio_console, v),
    STATE_END,
};

/* From any task. */
static size_t console_receive(void *opaque, const uint8_t *data, size_t len)
{
    struct virtio_console *c = opaque;
    struct virtio_dev *v = &c->v;
    size_t done = 0;

    plat_lock(&v->dev.lock);
    while (done < len && virtio_pop(v, QUEUE_RX, &c->rx)) {
        size_t n = virtq_write(&v->queue[QUEUE_RX], &c->rx, 0, data + done, len - done);

        virtio_push(v, QUEUE_RX, c->rx.head, (uint32_t)n);
        done += n;
    }
    if (done)
        virtio_signal(v, QUEUE_RX);
    c->refused |= done < len;
    plat_unlock(&v->dev.lock);
    return done;
}

/* Buffers may have come: whoever holds input back tries again. */
static void accept_again(struct virtio_console *c)
{
    bool again;

    plat_lock(&c->v.dev.lock);
    again = c->refused && virtio_live(&c->v);
    if (again)
        c->refused = false;
    plat_unlock(&c->v.dev.lock);
    if (again && c->chr->ops->accept)
        c->chr->ops->accept(c->chr);
}

static void console_work(struct virtio_dev *v)
{
    struct virtio_console *c = container_of(v, struct virtio_console, v);

    accept_again(c);
    while (virtio_take(v, QUEUE_TX, &c->tx)) {
        for (unsigned i = 0; i < c->tx.readable; i++)
            c->chr->ops->write(c->chr, c->tx.seg[i].host, c->tx.seg[i].len);
        virtio_give(v, QUEUE_TX, c->tx.head, 0);
    }
}

static void console_destroy(struct device *d)
{
    struct virtio_console *c = container_of(d, struct virtio_console, v.dev);

    c->chr->receive = NULL;
    virtio_fini(&c->v);
    plat_free(c);
}

static const struct virtio_ops virtio_console_ops = {
    .id = VIRTIO_CONSOLE,
    .queues = 2,
    .work = console_work,
};

static const struct device_ops virtio_console_device = {
    .name = "virtio-console",
    .summary = "console",
    .state = virtio_console_state,
    VIRTIO_DEVICE_OPS,
    .destroy = console_destroy,
};

struct virtio_dev *virtio_console_create(struct vm *vm, const char *id, struct chardev *chr, char *why,
                                         size_t why_size)
{
    struct virtio_console *c = device_alloc(sizeof(*c), why, why_size);

    if (!c)
        return NULL;
    virtio_init(&c->v, &virtio_console_ops, &virtio_console_device, vm, id);
    c->chr = chr;
    c->v.config = c->config;
    c->v.config_size = sizeof(c->config);
    device_add(&c->v.dev);
    chr->opaque = c;
    chr->receive = console_receive;
    return &c->v;
}
