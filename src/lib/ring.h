/*
 * A ring of bytes between one producer and one consumer, each on any thread, without a lock. Positions
 * run freely and are reduced by the mask; each is written by its own side only.
 */
#ifndef CV_LIB_RING_H
#define CV_LIB_RING_H

#include <stdatomic.h>
#include "lib/base.h"

struct ring {
    uint8_t *buf;               /* the caller's */
    uint32_t mask;              /* size - 1 */
    _Atomic uint32_t read_pos;  /* the consumer's */
    _Atomic uint32_t write_pos; /* the producer's */
};

/* `size` is a power of two up to 2^31; before either side starts. */
void ring_init(struct ring *r, void *buf, uint32_t size);
/* Producer: bytes taken, up to n. */
size_t ring_write(struct ring *r, const void *data, size_t n);
/* Consumer: bytes given, up to n. */
size_t ring_read(struct ring *r, void *data, size_t n);
/* Bytes that can be read, and written. From the side they matter to: at least so many. */
size_t ring_used(const struct ring *r);
size_t ring_space(const struct ring *r);

#endif
