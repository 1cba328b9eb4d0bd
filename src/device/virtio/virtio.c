/* The common part of virtio devices: status machine, features, queues, interrupts (VIRTIO 1.2, 2 and 3). */
#include "device/virtio/virtio.h"
#include "core/vm.h"
#include "lib/str.h"

#define GENERAL_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* ---- interrupts ---- */

static void isr_raise(struct virtio_dev *v, uint8_t bits)
{
    v->isr |= bits;
    if (v->transport)
        v->transport_ops->interrupt(v->transport, true);
}

static void isr_lower(struct virtio_dev *v, uint8_t bits)
{
    v->isr &= (uint8_t)~bits;
    if (v->transport)
        v->transport_ops->interrupt(v->transport, v->isr != 0);
}

void virtio_signal(struct virtio_dev *v, unsigned queue)
{
    if (virtq_interrupt(&v->queue[queue]))
        isr_raise(v, VIRTIO_ISR_QUEUE);
}

void virtio_config_changed(struct virtio_dev *v)
{
    v->generation++;
    if (v->status & VIRTIO_DRIVER_OK)
        isr_raise(v, VIRTIO_ISR_CONFIG);
}

/* 2.1.2: no more work until a reset; a driver that is running is told. */
static void break_device(struct virtio_dev *v, const char *reason)
{
    if (v->status & VIRTIO_NEEDS_RESET)
        return;
    if (!v->warned)
        log_write(&v->dev.vm->log, LOG_DEV, LOG_WARN,
                  "%s: mistake of the guest's driver: %s; it has to reset", v->dev.id, reason);
    v->warned = true;
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        isr_raise(v, VIRTIO_ISR_CONFIG);
}

void virtio_refuse(struct virtio_dev *v, const char *reason)
{
    plat_lock(&v->dev.lock);
    break_device(v, reason);
    plat_unlock(&v->dev.lock);
}

/* ---- chains ---- */

bool virtio_pop(struct virtio_dev *v, unsigned queue, struct virtq_chain *c)
{
    struct virtq *q = &v->queue[queue];
    int r;

    if (!virtio_live(v) || !q->ready)
        return false;
    do
        r = virtq_pop(q, c);
    while (r == 0 && virtq_listen(q));
    if (r < 0)
        break_device(v, "malformed chain of descriptors");
    return r > 0;
}

void virtio_push(struct virtio_dev *v, unsigned queue, uint16_t head, uint32_t len)
{
    struct virtq *q = &v->queue[queue];

    virtq_push(q, 0, head, len);
    virtq_publish(q, 1);
}

bool virtio_take(struct virtio_dev *v, unsigned queue, struct virtq_chain *c)
{
    bool got;

    plat_lock(&v->dev.lock);
    got = virtio_pop(v, queue, c);
    v->busy += got;
    plat_unlock(&v->dev.lock);
    return got;
}

void virtio_give(struct virtio_dev *v, unsigned queue, uint16_t head, uint32_t len)
{
    plat_lock(&v->dev.lock);
    if (virtio_live(v)) {
        virtio_push(v, queue, head, len);
        virtio_signal(v, queue);
    }
    v->busy--;
    plat_unlock(&v->dev.lock);
    plat_event_wake(&v->idle);
}

/*
 * Until work() holds no chain: at most one request's time, and with it the one access of ours that waits. The
 * driver may use its buffers again as soon as its write of status or QueueReady is done.
 */
static void wait_idle(struct virtio_dev *v)
{
    while (v->busy) {
        plat_unlock(&v->dev.lock);
        plat_event_wait(&v->idle, plat_clock_ns() + 1000000);
        plat_lock(&v->dev.lock);
    }
}

static void run_work(void *opaque)
{
    struct virtio_dev *v = opaque;

    v->ops->work(v);
}

/* ---- status and features ---- */

static void reset(struct virtio_dev *v)
{
    /* No new chain is taken meanwhile. */
    v->status = 0;
    wait_idle(v);
    v->status = 0;
    v->driver_features = 0;
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
        virtq_reset(&v->queue[i], &v->dev.vm->mem);
    isr_lower(v, UINT8_MAX);
    if (v->ops->reset)
        v->ops->reset(v);
}

void virtio_dev_reset(struct device *d)
{
    reset(virtio_of(d));
}

/* 2.2.2: only what is offered, and never without VERSION_1 (6.1). */
static bool features_acceptable(const struct virtio_dev *v)
{
    return !(v->driver_features & ~v->features) && (v->driver_features & VIRTIO_F_VERSION_1);
}

uint32_t virtio_features_get(struct virtio_dev *v, uint32_t select)
{
    return select < 2 ? (uint32_t)(v->features >> (32 * select)) : 0;
}

void virtio_features_set(struct virtio_dev *v, uint32_t select, uint32_t value)
{
    plat_lock(&v->dev.lock);
    if (select < 2 && !(v->status & VIRTIO_FEATURES_OK)) {
        v->driver_features &= ~((uint64_t)UINT32_MAX << (32 * select));
        v->driver_features |= (uint64_t)value << (32 * select);
    }
    plat_unlock(&v->dev.lock);
}

uint8_t virtio_status_get(struct virtio_dev *v)
{
    uint8_t status;

    plat_lock(&v->dev.lock);
    status = v->status;
    plat_unlock(&v->dev.lock);
    return status;
}

/* Bits are added only (2.1.1); NEEDS_RESET is ours. */
static void status_add(struct virtio_dev *v, uint8_t status)
{
    uint8_t added = status & (uint8_t) ~(v->status | VIRTIO_NEEDS_RESET);

    if ((added & VIRTIO_FEATURES_OK) && !features_acceptable(v))
        added &= (uint8_t) ~(VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    if ((added & VIRTIO_DRIVER_OK) && !((v->status | added) & VIRTIO_FEATURES_OK))
        added &= (uint8_t)~VIRTIO_DRIVER_OK;
    v->status |= added;
    if (added & VIRTIO_DRIVER_OK) {
        if (v->status & VIRTIO_NEEDS_RESET)
            isr_raise(v, VIRTIO_ISR_CONFIG);
        else
            work_queue(&v->work);
    }
}

void virtio_status_set(struct virtio_dev *v, uint8_t status)
{
    plat_lock(&v->dev.lock);
    if (status)
        status_add(v, status);
    else
        reset(v);
    plat_unlock(&v->dev.lock);
}

uint8_t virtio_isr_get(struct virtio_dev *v)
{
    uint8_t isr;

    plat_lock(&v->dev.lock);
    isr = v->isr;
    plat_unlock(&v->dev.lock);
    return isr;
}

void virtio_isr_ack(struct virtio_dev *v, uint8_t bits)
{
    plat_lock(&v->dev.lock);
    isr_lower(v, bits);
    plat_unlock(&v->dev.lock);
}

/* ---- configuration space ---- */

uint64_t virtio_config_read(struct virtio_dev *v, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    plat_lock(&v->dev.lock);
    if (offset < v->config_size)
        memcpy(&value, v->config + offset, MIN(size, v->config_size - (unsigned)offset));
    plat_unlock(&v->dev.lock);
    return value;
}

uint32_t virtio_generation(struct virtio_dev *v)
{
    uint32_t generation;

    plat_lock(&v->dev.lock);
    generation = v->generation;
    plat_unlock(&v->dev.lock);
    return generation;
}

/* ---- queues ---- */

void virtio_notify(struct virtio_dev *v, uint32_t queue)
{
    plat_lock(&v->dev.lock);
    if (queue < v->ops->queues && virtio_live(v))
        work_queue(&v->work);
    plat_unlock(&v->dev.lock);
}

uint16_t virtio_queue_size_max(struct virtio_dev *v, uint32_t queue)
{
    return queue < v->ops->queues ? VIRTQ_SIZE_MAX : 0;
}

/* The queue when it may be set up (4.2.2.2: only while QueueReady is 0), or NULL; takes the lock if not. */
static struct virtq *queue_begin(struct virtio_dev *v, uint32_t queue)
{
    if (queue >= v->ops->queues)
        return NULL;
    plat_lock(&v->dev.lock);
    if (!v->queue[queue].ready)
        return &v->queue[queue];
    plat_unlock(&v->dev.lock);
    return NULL;
}

void virtio_queue_size(struct virtio_dev *v, uint32_t queue, uint32_t size)
{
    struct virtq *q = queue_begin(v, queue);

    if (!q)
        return;
    q->size = size <= VIRTQ_SIZE_MAX ? (uint16_t)size : 0;
    plat_unlock(&v->dev.lock);
}

void virtio_queue_area(struct virtio_dev *v, uint32_t queue, enum virtio_area area, bool high, uint32_t value)
{
    struct virtq *q = queue_begin(v, queue);
    gpa_t *at;

    if (!q)
        return;
    at = area == VIRTIO_AREA_DESC ? &q->desc : area == VIRTIO_AREA_DRIVER ? &q->driver : &q->device;
    if (high)
        *at = (uint32_t)*at | (uint64_t)value << 32;
    else
        *at = (*at & ~(uint64_t)UINT32_MAX) | value;
    plat_unlock(&v->dev.lock);
}

bool virtio_queue_ready(struct virtio_dev *v, uint32_t queue)
{
    bool ready;

    if (queue >= v->ops->queues)
        return false;
    plat_lock(&v->dev.lock);
    ready = v->queue[queue].ready;
    plat_unlock(&v->dev.lock);
    return ready;
}

void virtio_queue_enable(struct virtio_dev *v, uint32_t queue, bool on)
{
    struct virtq *q;

    if (queue >= v->ops->queues)
        return;
    plat_lock(&v->dev.lock);
    q = &v->queue[queue];
    if (on && !q->ready) {
        if (virtq_enable(q, virtio_has(v, VIRTIO_F_EVENT_IDX), virtio_has(v, VIRTIO_F_INDIRECT_DESC)))
            break_device(v, "a queue of impossible size or place");
    } else if (!on && q->ready) {
        q->ready = false;
        wait_idle(v);
        virtq_reset(q, &v->dev.vm->mem);
    }
    plat_unlock(&v->dev.lock);
}

/* ---- life ---- */

void virtio_dev_quiesce(struct device *d)
{
    work_flush(&virtio_of(d)->work);
}

/* No window leads here. */
uint64_t virtio_dev_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    (void)d, (void)region, (void)offset, (void)size;
    return 0;
}

void virtio_dev_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    (void)d, (void)region, (void)offset, (void)size, (void)value;
}

void virtio_init(struct virtio_dev *v, const struct virtio_ops *ops, const struct device_ops *device_ops,
                 struct vm *vm, const char *id)
{
    device_init(&v->dev, device_ops, vm, id);
    v->ops = ops;
    v->features = ops->features | GENERAL_FEATURES;
    work_init(&v->work, vm, run_work, v);
    plat_event_init(&v->idle);
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
        virtq_reset(&v->queue[i], &vm->mem);
}

void virtio_fini(struct virtio_dev *v)
{
    plat_lock(&v->dev.lock);
    v->status = 0;
    plat_unlock(&v->dev.lock);
    work_flush(&v->work);
    plat_event_fini(&v->idle);
    device_fini(&v->dev);
}

void virtio_attach(struct virtio_dev *v, const struct virtio_transport_ops *ops, struct device *transport)
{
    plat_lock(&v->dev.lock);
    v->transport_ops = ops;
    v->transport = transport;
    plat_unlock(&v->dev.lock);
}

void virtio_detach(struct virtio_dev *v)
{
    virtio_attach(v, NULL, NULL);
}
