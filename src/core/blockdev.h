/* A disk behind a block device: synchronous calls, made from work items. */
#ifndef CV_CORE_BLOCKDEV_H
#define CV_CORE_BLOCKDEV_H

#include "lib/base.h"

struct blockdev;

struct blockdev_ops {
    const char *name;
    int (*read)(struct blockdev *b, uint64_t offset, void *buf, size_t len);
    int (*write)(struct blockdev *b, uint64_t offset, const void *buf, size_t len);
    int (*flush)(struct blockdev *b);
    int (*discard)(struct blockdev *b, uint64_t offset, uint64_t len); /* may be NULL */
    int (*zero)(struct blockdev *b, uint64_t offset, uint64_t len);    /* may be NULL */
    void (*destroy)(struct blockdev *b);
};

struct blockdev {
    const struct blockdev_ops *ops;
    uint64_t size; /* bytes, multiple of 512 */
    bool read_only;
};

#endif
