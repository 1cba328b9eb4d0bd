/*
 * The driver's part of a virtio-mmio device (VIRTIO 1.2, 2.7 and 4.2.2), for guests that hand it one chain
 * after the other, from descriptor 0 on, and wait for each. For both ISAs, after guest.h.
 */
#ifndef CV_TESTS_BARE_VIRTIO_H
#define CV_TESTS_BARE_VIRTIO_H

enum {
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_QUEUE_SEL = 0x030,
    VIRTIO_QUEUE_NUM = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESC = 0x080,
    VIRTIO_QUEUE_DRIVER = 0x090,
    VIRTIO_QUEUE_DEVICE = 0x0a0
};
enum { VQ_NEXT = 1, VQ_WRITE = 2, VQ_SIZE = 4 };

struct vq {
    struct {
        uint64_t at;
        uint32_t len;
        uint16_t flags, next;
    } desc[VQ_SIZE];
    struct {
        uint16_t flags, index, ring[VQ_SIZE], event;
    } avail __attribute__((aligned(4096)));
    struct {
        uint16_t flags;
        volatile uint16_t index;
        struct {
            uint32_t id, len;
        } ring[VQ_SIZE];
    } used __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

static inline volatile uint32_t *virtio_reg(uint64_t base, unsigned offset)
{
    return (volatile uint32_t *)(base + offset);
}

static inline void virtio_address(uint64_t base, unsigned offset, const void *p)
{
    *virtio_reg(base, offset) = (uint32_t)(uint64_t)p;
    *virtio_reg(base, offset + 4) = (uint32_t)((uint64_t)p >> 32);
}

/* Its queues, from 0 on, are ready then. */
static inline void virtio_start(uint64_t base, const struct vq *queues, unsigned count)
{
    *virtio_reg(base, VIRTIO_STATUS) = 0;
    *virtio_reg(base, VIRTIO_STATUS) = 3; /* ACKNOWLEDGE, DRIVER */
    *virtio_reg(base, VIRTIO_DRIVER_FEATURES_SEL) = 1;
    *virtio_reg(base, VIRTIO_DRIVER_FEATURES) = 1; /* VIRTIO_F_VERSION_1 */
    *virtio_reg(base, VIRTIO_STATUS) = 11;         /* and FEATURES_OK */
    for (unsigned q = 0; q < count; q++) {
        *virtio_reg(base, VIRTIO_QUEUE_SEL) = q;
        *virtio_reg(base, VIRTIO_QUEUE_NUM) = VQ_SIZE;
        virtio_address(base, VIRTIO_QUEUE_DESC, queues[q].desc);
        virtio_address(base, VIRTIO_QUEUE_DRIVER, &queues[q].avail);
        virtio_address(base, VIRTIO_QUEUE_DEVICE, &queues[q].used);
        *virtio_reg(base, VIRTIO_QUEUE_READY) = 1;
    }
    *virtio_reg(base, VIRTIO_STATUS) = 15; /* and DRIVER_OK */
}

static inline void vq_part(struct vq *q, unsigned i, const volatile void *at, uint32_t len, uint16_t flags)
{
    q->desc[i].at = (uint64_t)at;
    q->desc[i].len = len;
    q->desc[i].flags = flags;
    q->desc[i].next = (uint16_t)(i + 1);
}

/* The chain as queue `number`, until the device has used it. */
static inline void vq_run(uint64_t base, unsigned number, struct vq *q)
{
    uint16_t next = (uint16_t)(q->avail.index + 1);

    q->avail.ring[q->avail.index % VQ_SIZE] = 0;
    __atomic_store_n(&q->avail.index, next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *virtio_reg(base, VIRTIO_QUEUE_NOTIFY) = number;
    while (q->used.index != next)
        ;
}

#endif
