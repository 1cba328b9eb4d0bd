/* The byte ring. */
#include "lib/ring.h"
#include "lib/str.h"

void ring_init(struct ring *r, void *buf, uint32_t size)
{
    BUG_ON(!size || (size & (size - 1)));
    r->buf = buf;
    r->mask = size - 1;
    atomic_init(&r->read_pos, 0);
    atomic_init(&r->write_pos, 0);
}

/* Bytes before the end of the storage, of n from a position. */
static size_t first_part(const struct ring *r, uint32_t pos, size_t n)
{
    size_t to_end = (size_t)r->mask + 1 - (pos & r->mask);

    return MIN(n, to_end);
}

/* The acquire of the other side's position pairs with its release: the bytes before it are ours. */
size_t ring_write(struct ring *r, const void *data, size_t n)
{
    uint32_t w = atomic_load_explicit(&r->write_pos, memory_order_relaxed);
    uint32_t used = w - atomic_load_explicit(&r->read_pos, memory_order_acquire);
    size_t first;

    n = MIN(n, (size_t)r->mask + 1 - used);
    if (!n)
        return 0;
    first = first_part(r, w, n);
    memcpy(r->buf + (w & r->mask), data, first);
    memcpy(r->buf, (const uint8_t *)data + first, n - first);
    atomic_store_explicit(&r->write_pos, w + (uint32_t)n, memory_order_release);
    return n;
}

size_t ring_read(struct ring *r, void *data, size_t n)
{
    uint32_t pos = atomic_load_explicit(&r->read_pos, memory_order_relaxed);
    uint32_t used = atomic_load_explicit(&r->write_pos, memory_order_acquire) - pos;
    size_t first;

    n = MIN(n, (size_t)used);
    if (!n)
        return 0;
    first = first_part(r, pos, n);
    memcpy(data, r->buf + (pos & r->mask), first);
    memcpy((uint8_t *)data + first, r->buf, n - first);
    atomic_store_explicit(&r->read_pos, pos + (uint32_t)n, memory_order_release);
    return n;
}

/* The read position first: it can only follow the write position, so the difference is never negative. */
size_t ring_used(const struct ring *r)
{
    uint32_t pos = atomic_load_explicit(&r->read_pos, memory_order_acquire);
    uint32_t used = atomic_load_explicit(&r->write_pos, memory_order_acquire) - pos;

    return MIN(used, (size_t)r->mask + 1);
}

size_t ring_space(const struct ring *r)
{
    return (size_t)r->mask + 1 - ring_used(r);
}
