/*
 * User NAT: frames from the helper wait in a ring until a work item has given them to the device. With the
 * ring full the helper's task waits, then its socket, then the sender far away.
 */
#include "backend/net_user.h"
#include "core/log.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define SLOTS 64
#define FRAME 1522

struct slot {
    uint16_t len;
    uint8_t data[FRAME];
};

struct net_user {
    struct netdev net;
    struct vm *vm;
    struct plat_netproc *proc;
    struct work work;       /* deliver() */
    struct plat_lock lock;  /* head, fill, stop */
    struct plat_event room; /* for the helper's task */
    unsigned head, fill;
    bool stop;
    struct slot slot[SLOTS];
};

/* ---- to the guest ---- */

/* Only deliver() takes slots away, so the first one stays while the device looks at it without the lock. */
static struct slot *first(struct net_user *n)
{
    struct slot *s;

    plat_lock(&n->lock);
    s = n->fill ? &n->slot[n->head] : NULL;
    plat_unlock(&n->lock);
    return s;
}

static void deliver(void *opaque)
{
    struct net_user *n = opaque;
    struct slot *s;

    while ((s = first(n))) {
        /* No device (any more): a cable that leads nowhere. */
        if (n->net.receive && !n->net.receive(n->net.opaque, s->data, s->len))
            return;
        plat_lock(&n->lock);
        n->head = (n->head + 1) % SLOTS;
        n->fill--;
        plat_unlock(&n->lock);
        plat_event_wake(&n->room);
    }
}

/* On the helper's task. */
static void input(void *opaque, const uint8_t *data, size_t len)
{
    struct net_user *n = opaque;
    struct slot *s;

    if (!len) {
        log_write(&n->vm->log, LOG_NET, LOG_ERROR,
                  "net: the NAT helper has ended; the guest has no network any more, restart the VM");
        return;
    }
    if (len > FRAME)
        return;
    plat_lock(&n->lock);
    while (n->fill == SLOTS && !n->stop) {
        plat_unlock(&n->lock);
        plat_event_wait(&n->room, PLAT_FOREVER);
        plat_lock(&n->lock);
    }
    if (!n->stop) {
        s = &n->slot[(n->head + n->fill) % SLOTS];
        s->len = (uint16_t)len;
        memcpy(s->data, data, len);
        n->fill++;
    }
    plat_unlock(&n->lock);
    work_queue(&n->work);
}

/* ---- ops ---- */

static void net_send(struct netdev *net, const void *frame, size_t len)
{
    /* A frame that is lost here is lost as on any wire. */
    (void)plat_netproc_send(container_of(net, struct net_user, net)->proc, frame, len);
}

static void net_resume(struct netdev *net)
{
    work_queue(&container_of(net, struct net_user, net)->work);
}

static void net_destroy(struct netdev *net)
{
    struct net_user *n = container_of(net, struct net_user, net);

    plat_lock(&n->lock);
    n->stop = true;
    plat_unlock(&n->lock);
    plat_event_wake(&n->room);
    if (n->proc)
        plat_netproc_stop(n->proc);
    work_flush(&n->work);
    plat_event_fini(&n->room);
    plat_lock_fini(&n->lock);
    plat_free(n);
}

static const struct netdev_ops net_user_ops = {
    .name = "user",
    .send = net_send,
    .resume = net_resume,
    .destroy = net_destroy,
};

static void options_format(char *buf, size_t size, const struct desc_forward *forwards, unsigned count)
{
    size_t at = 0;

    buf[0] = 0;
    for (unsigned i = 0; i < count && at < size; i++)
        at += (size_t)fmt_snprintf(buf + at, size - at, "%s%u:%u", i ? "," : "", forwards[i].host,
                                   forwards[i].guest);
}

int net_user_create(struct netdev **out, struct vm *vm, const struct desc_forward *forwards, unsigned count,
                    char *why, size_t why_size)
{
    char options[DESC_FORWARDS * 12 + 1];
    struct net_user *n = plat_alloc(sizeof(*n));
    int err;

    if (!n) {
        fmt_snprintf(why, why_size, "net: no memory for the network; free some on the host");
        return -ENOMEM;
    }
    n->net.ops = &net_user_ops;
    n->vm = vm;
    plat_lock_init(&n->lock);
    plat_event_init(&n->room);
    work_init(&n->work, vm, deliver, n);
    options_format(options, sizeof(options), forwards, count);
    err = plat_netproc_start(&n->proc, options, (struct plat_stream_cb){input, n}, why, why_size);
    if (err) {
        net_destroy(&n->net);
        return err;
    }
    *out = &n->net;
    return 0;
}
