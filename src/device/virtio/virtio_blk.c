/* virtio-blk: requests to calls of a block device. */
#include "device/virtio/virtio_blk.h"
#include "core/vm.h"
#include "lib/str.h"

#define SECTOR    512u
#define RANGES    16         /* of one discard or write-zeroes request */
#define RANGE_MAX (1u << 21) /* sectors of one of them: 1 GiB */
#define HEADER    16u        /* bytes in front of the data */

/* Feature bits (5.2.3). */
enum {
    F_SEG_MAX = 1 << 2,
    F_RO = 1 << 5,
    F_BLK_SIZE = 1 << 6,
    F_FLUSH = 1 << 9,
    F_DISCARD = 1 << 13,
    F_WRITE_ZEROES = 1 << 14
};
enum blk_type { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum blk_status { S_OK, S_IOERR, S_UNSUPP };
enum { RANGE_UNMAP = 1 };

/* 5.2.4, little endian. */
struct blk_config {
    uint64_t capacity; /* sectors */
    uint32_t size_max, seg_max;
    uint8_t geometry[4];
    uint32_t blk_size;
    uint8_t topology[8];
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
};
#define CONFIG_SIZE 60
_Static_assert(offsetof(struct blk_config, unused1) + 3 == CONFIG_SIZE, "5.2.4");

struct blk_header {
    uint32_t type, reserved;
    uint64_t sector;
};
struct blk_range {
    uint64_t sector;
    uint32_t sectors, flags;
};
_Static_assert(sizeof(struct blk_header) == HEADER && sizeof(struct blk_range) == 16, "5.2.6");

struct virtio_blk {
    struct virtio_dev v;
    struct blockdev *disk;
    struct blk_config config;
    struct virtq_chain chain; /* work only */
    bool told;                /* of an error of the host */
};

static const struct state_field virtio_blk_state[] = {
    VIRTIO_STATE(struct virtio_blk, v),
    STATE_END,
};

/* A request as read from its chain. */
struct request {
    struct blk_header h;
    uint32_t out; /* bytes of data from the driver, behind the header */
    uint32_t in;  /* bytes of room for data, before the status byte */
};

/* Whole sectors, all of them on the disk. */
static bool on_disk(const struct virtio_blk *b, uint64_t sector, uint64_t bytes)
{
    uint64_t all = b->disk->size / SECTOR;

    return bytes % SECTOR == 0 && sector <= all && bytes / SECTOR <= all - sector;
}

/* The guest is told each time, who runs it once: a full disk of the host, a failing one. */
static enum blk_status failed(struct virtio_blk *b, const char *what, int err)
{
    if (!b->told)
        log_write(
            &b->v.dev.vm->log, LOG_BLOCK, LOG_WARN,
            "%s: the host cannot %s the image (error %d), an I/O error to the guest; look at the host's disk",
            b->v.dev.id, what, -err);
    b->told = true;
    return S_IOERR;
}

static enum blk_status do_in(struct virtio_blk *b, const struct request *r)
{
    uint64_t offset = r->h.sector * SECTOR;
    uint32_t left = r->in;

    if (!on_disk(b, r->h.sector, r->in))
        return S_IOERR;
    for (unsigned i = b->chain.readable; left; i++) {
        const struct virtq_seg *s = &b->chain.seg[i];
        uint32_t n = MIN(s->len, left);
        int err = b->disk->ops->read(b->disk, offset, s->host, n);

        /* Also after an error: part of it may have been written. */
        mem_dirty(&b->v.dev.vm->mem, s->gpa, n);
        if (err)
            return failed(b, "read", err);
        offset += n;
        left -= n;
    }
    return S_OK;
}

static enum blk_status do_out(struct virtio_blk *b, const struct request *r)
{
    uint64_t offset = r->h.sector * SECTOR;
    uint32_t skip = HEADER;

    if (b->disk->read_only || !on_disk(b, r->h.sector, r->out))
        return S_IOERR;
    for (unsigned i = 0; i < b->chain.readable; i++) {
        const struct virtq_seg *s = &b->chain.seg[i];
        uint32_t from = MIN(skip, s->len), n = s->len - from;

        int err = n ? b->disk->ops->write(b->disk, offset, s->host + from, n) : 0;

        skip -= from;
        if (err)
            return failed(b, "write", err);
        offset += n;
    }
    return S_OK;
}

static enum blk_status do_flush(struct virtio_blk *b, const struct request *r)
{
    int err = b->disk->ops->flush(b->disk);

    (void)r;
    return err ? failed(b, "write", err) : S_OK;
}

/* 20 bytes, zero-padded, without a terminator when all are used (5.2.6.1). */
static enum blk_status do_get_id(struct virtio_blk *b, const struct request *r)
{
    uint8_t id[20] = {0};

    memcpy(id, b->v.dev.id, MIN(strlen(b->v.dev.id), sizeof(id)));
    virtq_write(&b->v.queue[0], &b->chain, 0, id, MIN(r->in, (uint32_t)sizeof(id)));
    return S_OK;
}

/* All ranges are good before the first is acted on. */
static enum blk_status ranges_check(const struct virtio_blk *b, const struct request *r,
                                    struct blk_range *ranges)
{
    uint32_t allowed = r->h.type == T_WRITE_ZEROES ? RANGE_UNMAP : 0;
    unsigned n = r->out / sizeof(*ranges);

    if (b->disk->read_only || !n || n > RANGES || r->out % sizeof(*ranges))
        return S_IOERR;
    virtq_read(&b->chain, HEADER, ranges, r->out);
    for (unsigned i = 0; i < n; i++) {
        /* 5.2.6.2: unknown flags, and unmap in a discard, are unsupported. */
        if (ranges[i].flags & ~allowed)
            return S_UNSUPP;
        if (ranges[i].sectors > RANGE_MAX ||
            !on_disk(b, ranges[i].sector, (uint64_t)ranges[i].sectors * SECTOR))
            return S_IOERR;
    }
    return S_OK;
}

static enum blk_status do_ranges(struct virtio_blk *b, const struct request *r)
{
    const struct blockdev_ops *ops = b->disk->ops;
    int (*fn)(struct blockdev *, uint64_t, uint64_t) = r->h.type == T_DISCARD ? ops->discard : ops->zero;
    struct blk_range ranges[RANGES];
    enum blk_status status;

    if (!fn)
        return S_UNSUPP;
    status = ranges_check(b, r, ranges);
    if (status)
        return status;
    for (unsigned i = 0; i < r->out / sizeof(*ranges); i++) {
        int err = fn(b->disk, ranges[i].sector * SECTOR, (uint64_t)ranges[i].sectors * SECTOR);

        if (err)
            return failed(b, "write", err);
    }
    return S_OK;
}

static const struct {
    uint32_t type;
    enum blk_status (*fn)(struct virtio_blk *b, const struct request *r);
} handlers[] = {
    {T_IN, do_in},         {T_OUT, do_out},        {T_FLUSH, do_flush},
    {T_GET_ID, do_get_id}, {T_DISCARD, do_ranges}, {T_WRITE_ZEROES, do_ranges},
};

static enum blk_status request_do(struct virtio_blk *b, const struct request *r)
{
    for (unsigned i = 0; i < ARRAY_SIZE(handlers); i++) {
        if (handlers[i].type == r->h.type)
            return handlers[i].fn(b, r);
    }
    return S_UNSUPP;
}

static void blk_work(struct virtio_dev *v)
{
    struct virtio_blk *b = container_of(v, struct virtio_blk, v);
    struct virtq_chain *c = &b->chain;

    while (virtio_take(v, 0, c)) {
        struct request r;
        uint8_t status;
        uint32_t written = 0;

        if (c->read_bytes < HEADER || !c->write_bytes) {
            virtio_refuse(v, "a disk request without header or status");
            virtio_give(v, 0, c->head, 0);
            break;
        }
        virtq_read(c, 0, &r.h, HEADER);
        r.out = c->read_bytes - HEADER;
        r.in = c->write_bytes - 1;
        status = (uint8_t)request_do(b, &r);
        virtq_write(&v->queue[0], c, r.in, &status, 1);
        /* Of a failed read nobody knows how much was written (2.7.8.2). */
        if (status == S_OK || !r.in)
            written = c->write_bytes;
        virtio_give(v, 0, c->head, written);
    }
}

static void blk_destroy(struct device *d)
{
    struct virtio_blk *b = container_of(d, struct virtio_blk, v.dev);

    virtio_fini(&b->v);
    plat_free(b);
}

static const struct virtio_ops virtio_blk_ops = {
    .id = VIRTIO_BLOCK,
    .queues = 1,
    .features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH,
    .work = blk_work,
};

static const struct device_ops virtio_blk_device = {
    .name = "virtio-blk",
    .summary = "disk",
    .state = virtio_blk_state,
    VIRTIO_DEVICE_OPS,
    .destroy = blk_destroy,
};

struct virtio_dev *virtio_blk_create(struct vm *vm, const char *id, struct blockdev *disk, char *why,
                                     size_t why_size)
{
    struct virtio_blk *b = device_alloc(sizeof(*b), why, why_size);

    if (!b)
        return NULL;
    virtio_init(&b->v, &virtio_blk_ops, &virtio_blk_device, vm, id);
    b->disk = disk;
    b->v.features |= disk->read_only ? F_RO : 0;
    b->v.features |= !disk->read_only && disk->ops->discard ? F_DISCARD : 0;
    b->v.features |= !disk->read_only && disk->ops->zero ? F_WRITE_ZEROES : 0;
    b->config = (struct blk_config){
        .capacity = disk->size / SECTOR,
        .seg_max = VIRTQ_SEGS - 2, /* header and status apart */
        .blk_size = SECTOR,
        .num_queues = 1,
        .max_discard_sectors = RANGE_MAX,
        .max_discard_seg = RANGES,
        .discard_sector_alignment = 1,
        .max_write_zeroes_sectors = RANGE_MAX,
        .max_write_zeroes_seg = RANGES,
        .write_zeroes_may_unmap = 1,
    };
    b->v.config = (const uint8_t *)&b->config;
    b->v.config_size = CONFIG_SIZE;
    device_add(&b->v.dev);
    return &b->v;
}
