/* virtio-rng: fills what buffers it gets, some KiB at most each. */
#include "device/virtio/virtio_rng.h"
#include "core/vm.h"
#include "lib/rng.h"

#define PIECE 256u
#define FILL  (16u << 10) /* of one chain, however much room it has */
#define SEED  0x43617262

struct virtio_rng {
    struct virtio_dev v;
    struct rng rng;           /* deterministic only */
    struct virtq_chain chain; /* work only */
};

static const struct state_field virtio_rng_state[] = {
    VIRTIO_STATE(struct virtio_rng, v),
    STATE_ARRAY(struct virtio_rng, rng.s, 0, 0),
    STATE_END,
};

static bool entropy(struct virtio_rng *r, void *buf, size_t size)
{
    if (!r->v.dev.vm->desc.deterministic)
        return plat_random(buf, size) == 0;
    rng_bytes(&r->rng, buf, size);
    return true;
}

static uint32_t fill(struct virtio_rng *r)
{
    uint32_t room = MIN(r->chain.write_bytes, FILL), done = 0;
    uint8_t piece[PIECE];

    while (done < room) {
        uint32_t n = MIN(room - done, PIECE);

        if (!entropy(r, piece, n))
            break;
        virtq_write(&r->v.queue[0], &r->chain, done, piece, n);
        done += n;
    }
    return done;
}

static void rng_work(struct virtio_dev *v)
{
    struct virtio_rng *r = container_of(v, struct virtio_rng, v);

    while (virtio_take(v, 0, &r->chain)) {
        uint32_t len = fill(r);

        virtio_give(v, 0, r->chain.head, len);
    }
}

static void rng_destroy(struct device *d)
{
    struct virtio_rng *r = container_of(d, struct virtio_rng, v.dev);

    virtio_fini(&r->v);
    plat_free(r);
}

static const struct virtio_ops virtio_rng_ops = {
    .id = VIRTIO_ENTROPY,
    .queues = 1,
    .work = rng_work,
};

static const struct device_ops virtio_rng_device = {
    .name = "virtio-rng",
    .summary = "entropy",
    .state = virtio_rng_state,
    VIRTIO_DEVICE_OPS,
    .destroy = rng_destroy,
};

struct virtio_dev *virtio_rng_create(struct vm *vm, const char *id, char *why, size_t why_size)
{
    struct virtio_rng *r = device_alloc(sizeof(*r), why, why_size);

    if (!r)
        return NULL;
    virtio_init(&r->v, &virtio_rng_ops, &virtio_rng_device, vm, id);
    rng_init(&r->rng, SEED);
    device_add(&r->v.dev);
    return &r->v;
}
