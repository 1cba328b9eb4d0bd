/* A byte stream behind a serial port or console. */
#ifndef CV_CORE_CHARDEV_H
#define CV_CORE_CHARDEV_H

#include "lib/base.h"

struct chardev;

struct chardev_ops {
    const char *name;
    void (*write)(struct chardev *c, const void *data, size_t len);
    /* The device has room for input again. */
    void (*accept)(struct chardev *c);
    void (*destroy)(struct chardev *c);
};

struct chardev {
    const struct chardev_ops *ops;
    /* Set by the device: bytes for the guest, from any task; gives how many it took. */
    size_t (*receive)(void *opaque, const uint8_t *data, size_t len);
    void *opaque;
};

#endif
