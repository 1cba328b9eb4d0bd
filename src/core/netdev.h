/* The wire behind a network device: whole Ethernet frames. */
#ifndef CV_CORE_NETDEV_H
#define CV_CORE_NETDEV_H

#include "lib/base.h"

struct netdev;

struct netdev_ops {
    const char *name;
    void (*send)(struct netdev *n, const void *frame, size_t len);
    /* The device took frames again after `receive` said no. */
    void (*resume)(struct netdev *n);
    void (*destroy)(struct netdev *n);
};

struct netdev {
    const struct netdev_ops *ops;
    /* Set by the device: a frame for the guest, from any task; false: no room now. */
    bool (*receive)(void *opaque, const void *frame, size_t len);
    void *opaque;
};

#endif
