/* Nothing in, nothing out. */
#include "backend/null.h"
#include "core/platform.h"

static void char_write(struct chardev *c, const void *data, size_t len)
{
    (void)c, (void)data, (void)len;
}

static void char_accept(struct chardev *c)
{
    (void)c;
}

static void char_destroy(struct chardev *c)
{
    plat_free(c);
}

static void net_send(struct netdev *n, const void *frame, size_t len)
{
    (void)n, (void)frame, (void)len;
}

static void net_resume(struct netdev *n)
{
    (void)n;
}

static void net_destroy(struct netdev *n)
{
    plat_free(n);
}

static const struct chardev_ops null_char_ops = {
    .name = "null", .write = char_write, .accept = char_accept, .destroy = char_destroy};
static const struct netdev_ops null_net_ops = {
    .name = "null", .send = net_send, .resume = net_resume, .destroy = net_destroy};

struct chardev *null_char_create(void)
{
    struct chardev *c = plat_alloc(sizeof(*c));

    if (c)
        c->ops = &null_char_ops;
    return c;
}

struct netdev *null_net_create(void)
{
    struct netdev *n = plat_alloc(sizeof(*n));

    if (n)
        n->ops = &null_net_ops;
    return n;
}
