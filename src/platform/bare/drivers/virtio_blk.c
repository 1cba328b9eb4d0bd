/*
 * Virtio block devices of the board (VIRTIO 1.2, 5.2) as disks: a few requests at a time, through buffers of
 * our own.
 */
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/disk.h"
#include "platform/bare/drivers/virtio.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/sync/wait.h"

#define SLOTS      4
#define SLOT_ORDER 4 /* 64 KiB of data at a time */
#define SLOT_BYTES ((uint64_t)FRAME_BYTES << SLOT_ORDER)
#define TIMEOUT_NS UINT64_C(30000000000)

enum { F_RO = 5, F_FLUSH = 9 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4 };

/* What the device reads and writes beside the data; a line each. */
struct head {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
    uint8_t pad[47];
};

struct slot {
    struct head *head;
    uint8_t *data;
    struct plat_event done;
    bool busy; /* blk.lock */
};

struct blk {
    struct virtio *v;
    struct virtq q;
    struct disk disk;
    struct spin lock; /* queue, slots */
    struct sema free; /* slots */
    struct slot slot[SLOTS];
    bool dead; /* lock; a request did not come back */
};

/* The devices by their interrupt's argument: a struct virtio is in no other. */
static struct blk *blks[16];

static void interrupt(struct virtio *v)
{
    for (unsigned i = 0; i < ARRAY_SIZE(blks) && blks[i]; i++) {
        struct blk *b = blks[i];
        struct virtq_used u;

        if (b->v != v)
            continue;
        spin_lock(&b->lock);
        while (vioq_done(&b->q, &u)) {
            if (u.id / 3 < SLOTS && b->slot[u.id / 3].busy)
                plat_event_wake(&b->slot[u.id / 3].done);
        }
        spin_unlock(&b->lock);
    }
}

/* Descriptors 3n..3n+2 are those of slot n. */
static void submit(struct blk *b, unsigned n, uint32_t type, uint64_t sector, uint64_t bytes)
{
    struct slot *s = &b->slot[n];
    struct virtq_desc *d = &b->q.desc[3 * n];
    unsigned last = bytes ? 2 : 1;
    bool on;

    *s->head = (struct head){.type = type, .sector = sector, .status = 0xff};
    d[0] = (struct virtq_desc){arch_pa(s->head), 16, VIRTQ_NEXT, (uint16_t)(3 * n + 1)};
    if (bytes)
        d[1] = (struct virtq_desc){arch_pa(s->data), (uint32_t)bytes,
                                   VIRTQ_NEXT | (type == T_IN ? VIRTQ_WRITE : 0), (uint16_t)(3 * n + 2)};
    d[last] = (struct virtq_desc){arch_pa(&s->head->status), 1, VIRTQ_WRITE, 0};
    on = spin_lock_irq(&b->lock);
    vioq_offer(&b->q, 3 * n);
    vioq_kick(&b->q);
    spin_unlock_irq(&b->lock, on);
}

static int slot_take(struct blk *b, unsigned *n)
{
    bool on;
    int err;

    if (!sema_take(&b->free, plat_clock_ns() + TIMEOUT_NS))
        return -EIO;
    on = spin_lock_irq(&b->lock);
    for (*n = 0; b->slot[*n].busy;)
        ++*n;
    err = b->dead ? -EIO : 0;
    b->slot[*n].busy = !err;
    spin_unlock_irq(&b->lock, on);
    if (err)
        sema_give(&b->free);
    return err;
}

/* One request, up to SLOT_BYTES. A device that does not answer keeps its slot: it may write there yet. */
static int request(struct blk *b, uint32_t type, uint64_t sector, void *buf, uint64_t bytes)
{
    struct slot *s;
    unsigned n;
    bool on, came;
    int err = slot_take(b, &n);

    if (err)
        return err;
    s = &b->slot[n];
    if (type == T_OUT)
        memcpy(s->data, buf, bytes);
    submit(b, n, type, sector, bytes);
    came = plat_event_wait(&s->done, plat_clock_ns() + TIMEOUT_NS);
    if (came && type == T_IN)
        memcpy(buf, s->data, bytes);
    err = came && !*(volatile uint8_t *)&s->head->status ? 0 : -EIO;
    on = spin_lock_irq(&b->lock);
    s->busy = !came;
    b->dead |= !came;
    spin_unlock_irq(&b->lock, on);
    if (came)
        sema_give(&b->free);
    return err;
}

static int blk_io(void *opaque, bool write, uint64_t sector, void *buf, uint64_t count)
{
    struct blk *b = opaque;
    uint8_t *p = buf;
    int err = 0;

    while (count && !err) {
        uint64_t n = MIN(count, SLOT_BYTES / DISK_SECTOR);

        err = request(b, write ? T_OUT : T_IN, sector, p, n * DISK_SECTOR);
        sector += n;
        p += n * DISK_SECTOR;
        count -= n;
    }
    return err;
}

static int blk_flush(void *opaque)
{
    struct blk *b = opaque;

    return b->v->features >> F_FLUSH & 1 ? request(b, T_FLUSH, 0, NULL, 0) : 0;
}

static int blk_prepare(struct blk *b)
{
    uint8_t *heads = frame_alloc(0, FRAME_PLAIN);

    for (unsigned i = 0; i < SLOTS; i++) {
        b->slot[i].data = frame_alloc(SLOT_ORDER, FRAME_PLAIN);
        if (!heads || !b->slot[i].data)
            return -ENOMEM;
        b->slot[i].head = (struct head *)heads + i;
        plat_event_init(&b->slot[i].done);
    }
    b->lock = SPIN_INIT(RANK_USER);
    sema_init(&b->free, SLOTS);
    return 0;
}

/* What a failed probe allocated stays: boards have few of them. */
int vio_blk_probe(struct virtio *v, unsigned i)
{
    static const struct disk_ops ops = {.io = blk_io, .flush = blk_flush};
    struct blk *b = i < ARRAY_SIZE(blks) ? plat_alloc(sizeof(*b)) : NULL;
    int err;

    if (!b)
        return -ENOMEM;
    b->v = v;
    err = vio_start(v, BIT(F_RO) | BIT(F_FLUSH));
    if (!err)
        err = vio_queue(v, &b->q, 0);
    if (!err && b->q.size < 3 * SLOTS)
        err = -ENODEV;
    if (!err)
        err = blk_prepare(b);
    if (err)
        return err;
    blks[i] = b;
    v->interrupt = interrupt;
    err = vio_ready(v);
    if (err) {
        blks[i] = NULL;
        return err;
    }
    b->disk.ops = &ops;
    b->disk.opaque = b;
    b->disk.sectors = MIN(vio_config64(v, 0), UINT64_MAX / DISK_SECTOR / 2);
    b->disk.read_only = v->features >> F_RO & 1;
    fmt_snprintf(b->disk.name, sizeof(b->disk.name), "vd%c", 'a' + (int)i);
    return disk_add(&b->disk);
}
