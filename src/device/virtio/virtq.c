/* Split virtqueues: reading chains, publishing used ones, when to notify (VIRTIO 1.2, 2.7). */
#include "device/virtio/virtq.h"
#include "lib/err.h"
#include "lib/str.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_SIZE = 16 };
enum { AVAIL_NO_INTERRUPT = 1 };
/* Both rings: flags, idx, entries of this size, then the other side's event index. */
enum { RING_IDX = 2, RING_ENTRIES = 4, AVAIL_ENTRY = 2, USED_ENTRY = 8 };

/* As in memory, little endian like every host of ours (2.7.5). */
struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};
struct used_elem {
    uint32_t id, len;
};
_Static_assert(sizeof(struct desc) == DESC_SIZE && sizeof(struct used_elem) == USED_ENTRY, "wire formats");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rings are read as they are");

static uint64_t avail_bytes(const struct virtq *q)
{
    return RING_ENTRIES + AVAIL_ENTRY * (uint64_t)q->size + 2;
}

static uint64_t used_bytes(const struct virtq *q)
{
    return RING_ENTRIES + USED_ENTRY * (uint64_t)q->size + 2;
}

/* RAM does not move while it is mapped; looked up each time, since it may be unmapped. */
static uint8_t *avail_ring(const struct virtq *q)
{
    return mem_ptr(q->mem, q->driver, avail_bytes(q), false);
}

static uint8_t *used_ring(const struct virtq *q)
{
    return mem_ptr(q->mem, q->device, used_bytes(q), true);
}

/* The areas are aligned (virtq_enable), so each of these is one access. */
static uint16_t load16(const uint8_t *p, int order)
{
    return __atomic_load_n((const uint16_t *)(const void *)p, order);
}

static void store16(uint8_t *p, uint16_t value, int order)
{
    __atomic_store_n((uint16_t *)(void *)p, value, order);
}

void virtq_reset(struct virtq *q, struct mem *mem)
{
    memset(q, 0, sizeof(*q));
    q->mem = mem;
}

int virtq_enable(struct virtq *q, bool event_index, bool indirect)
{
    bool fits;

    if (!q->size || q->size > VIRTQ_SIZE_MAX || (q->size & (q->size - 1)))
        return -EINVAL;
    /* 2.7: alignment of the three parts. */
    if (q->desc % 16 || q->driver % 2 || q->device % 4)
        return -EINVAL;
    fits = mem_ptr(q->mem, q->desc, (uint64_t)DESC_SIZE * q->size, false) && avail_ring(q) && used_ring(q);
    if (!fits)
        return -EINVAL;
    q->event_index = event_index;
    q->indirect = indirect;
    q->ready = true;
    return 0;
}

/* ---- reading a chain ---- */

/* A descriptor table: the queue's, or an indirect one. */
struct table {
    const uint8_t *host;
    uint32_t count;
    bool indirect;
};

static void desc_read(const struct table *t, uint32_t i, struct desc *d)
{
    memcpy(d, t->host + (size_t)DESC_SIZE * i, sizeof(*d));
    /* Read once: what is checked below is what is used, whatever the guest writes meanwhile. */
    atomic_signal_fence(memory_order_seq_cst);
}

static int chain_add(const struct virtq *q, struct virtq_chain *c, const struct desc *d)
{
    bool write = d->flags & DESC_WRITE;
    uint32_t *total = write ? &c->write_bytes : &c->read_bytes;
    struct virtq_seg *s;

    /* 2.7.4.2: what the device reads comes first. */
    if (!write && c->count > c->readable)
        return -EINVAL;
    if (!d->len)
        return 0;
    if (c->count == VIRTQ_SEGS || d->len > UINT32_MAX - *total)
        return -EINVAL;
    s = &c->seg[c->count];
    s->host = mem_ptr(q->mem, d->addr, d->len, write);
    if (!s->host)
        return -EINVAL;
    s->gpa = d->addr;
    s->len = d->len;
    *total += d->len;
    c->count++;
    c->readable += !write;
    return 0;
}

/* 2.7.5.3.1: not within another one, not with NEXT; a whole number of descriptors. */
static int enter_indirect(const struct virtq *q, struct table *t, const struct desc *d)
{
    if (!q->indirect || t->indirect || (d->flags & DESC_NEXT) || !d->len || d->len % DESC_SIZE)
        return -EINVAL;
    t->host = mem_ptr(q->mem, d->addr, d->len, false);
    t->count = d->len / DESC_SIZE;
    t->indirect = true;
    return t->host ? 0 : -EINVAL;
}

static int chain_read(const struct virtq *q, struct virtq_chain *c)
{
    struct table t = {mem_ptr(q->mem, q->desc, (uint64_t)DESC_SIZE * q->size, false), q->size, false};
    uint32_t i = c->head;

    if (!t.host)
        return -EINVAL;
    /* The bound catches loops: a chain has no more descriptors than its table, and than we take. */
    for (uint32_t left = MIN(t.count, (uint32_t)VIRTQ_SEGS); left && i < t.count; left--) {
        struct desc d;
        int err;

        desc_read(&t, i, &d);
        if (d.flags & DESC_INDIRECT) {
            err = enter_indirect(q, &t, &d);
            i = 0;
            left = MIN(t.count, (uint32_t)VIRTQ_SEGS) + 1;
        } else {
            err = chain_add(q, c, &d);
            if (!err && !(d.flags & DESC_NEXT))
                return 0;
            i = d.next;
        }
        if (err)
            return err;
    }
    return -EINVAL;
}

int virtq_pop(struct virtq *q, struct virtq_chain *c)
{
    const uint8_t *ring = avail_ring(q);
    uint16_t waiting;

    if (!ring)
        return -EINVAL;
    /* Acquire: the entries and descriptors were written before the index (2.7.13.3). */
    waiting = load16(ring + RING_IDX, __ATOMIC_ACQUIRE) - q->avail;
    if (!waiting)
        return 0;
    if (waiting > q->size)
        return -EINVAL;
    c->head = load16(ring + RING_ENTRIES + AVAIL_ENTRY * (q->avail & (q->size - 1)), __ATOMIC_RELAXED);
    c->readable = c->count = 0;
    c->read_bytes = c->write_bytes = 0;
    if (c->head >= q->size || chain_read(q, c))
        return -EINVAL;
    q->avail++;
    return 1;
}

void virtq_unpop(struct virtq *q, unsigned n)
{
    q->avail -= (uint16_t)n;
}

/* ---- used ring ---- */

void virtq_push(struct virtq *q, unsigned ahead, uint16_t head, uint32_t len)
{
    const struct used_elem e = {head, len};
    uint64_t at = RING_ENTRIES + USED_ENTRY * (uint64_t)((q->used + ahead) & (q->size - 1));
    uint8_t *ring = used_ring(q);

    if (!ring)
        return;
    memcpy(ring + at, &e, sizeof(e));
    mem_dirty(q->mem, q->device + at, sizeof(e));
}

void virtq_publish(struct virtq *q, unsigned count)
{
    uint8_t *ring = used_ring(q);

    q->used += (uint16_t)count;
    if (!ring)
        return;
    /*
     * Buffers and elements are written before the index (2.7.8.2), and the index before virtq_interrupt()
     * reads what the driver asks for; the driver does the reverse (2.7.13.4.1).
     */
    store16(ring + RING_IDX, q->used, __ATOMIC_SEQ_CST);
    mem_dirty(q->mem, q->device + RING_IDX, 2);
}

bool virtq_interrupt(struct virtq *q)
{
    const uint8_t *ring = avail_ring(q);
    uint16_t from = q->signalled;
    bool first = !q->signalled_valid;
    uint16_t event;

    q->signalled = q->used;
    q->signalled_valid = true;
    if (!ring)
        return false;
    if (!q->event_index)
        return !(load16(ring, __ATOMIC_SEQ_CST) & AVAIL_NO_INTERRUPT);
    event = load16(ring + RING_ENTRIES + AVAIL_ENTRY * q->size, __ATOMIC_SEQ_CST);
    /* 2.7.7: the index moved past `event`, modulo 2^16. */
    return first || (uint16_t)(q->used - event - 1) < (uint16_t)(q->used - from);
}

bool virtq_listen(struct virtq *q)
{
    uint8_t *ring = used_ring(q);
    const uint8_t *avail = avail_ring(q);
    uint64_t at = RING_ENTRIES + USED_ENTRY * (uint64_t)q->size;

    if (!ring || !avail)
        return false;
    if (q->event_index) {
        /* What is asked for stands before the look; the driver adds, then looks (2.7.13.4.1). */
        store16(ring + at, q->avail, __ATOMIC_SEQ_CST);
        mem_dirty(q->mem, q->device + at, 2);
    }
    return load16(avail + RING_IDX, __ATOMIC_SEQ_CST) != q->avail;
}

/* ---- data ---- */

size_t virtq_read(const struct virtq_chain *c, uint32_t offset, void *buf, size_t len)
{
    uint8_t *out = buf;
    size_t done = 0;

    for (unsigned i = 0; i < c->readable && done < len; i++) {
        const struct virtq_seg *s = &c->seg[i];
        size_t n;

        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        n = MIN((size_t)(s->len - offset), len - done);
        memcpy(out + done, s->host + offset, n);
        done += n;
        offset = 0;
    }
    return done;
}

size_t virtq_write(struct virtq *q, const struct virtq_chain *c, uint32_t offset, const void *buf, size_t len)
{
    const uint8_t *in = buf;
    size_t done = 0;

    for (unsigned i = c->readable; i < c->count && done < len; i++) {
        const struct virtq_seg *s = &c->seg[i];
        size_t n;

        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        n = MIN((size_t)(s->len - offset), len - done);
        memcpy(s->host + offset, in + done, n);
        mem_dirty(q->mem, s->gpa + offset, n);
        done += n;
        offset = 0;
    }
    return done;
}
