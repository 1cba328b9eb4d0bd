/*
 * Virtio devices of the board over MMIO (VIRTIO 1.2, 4.2), the modern and the legacy form, as a driver sees
 * them. The device is trusted with memory as any is that has no IOMMU in front; what it writes into rings is
 * checked.
 */
#ifndef CV_PLATFORM_BARE_DRIVERS_VIRTIO_H
#define CV_PLATFORM_BARE_DRIVERS_VIRTIO_H

#include "platform/bare/board.h"
#include "platform/bare/sync/spin.h"

#define VIRTQ_MAX 64 /* entries */

enum { VIRTIO_NET = 1, VIRTIO_BLK = 2 };
#define VIRTIO_F_VERSION_1 32

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};
enum { VIRTQ_NEXT = 1, VIRTQ_WRITE = 2 };

struct virtq_used {
    uint32_t id, len;
};

struct virtio;

/* The user fills desc[] itself: it knows which of its own are free. */
struct virtq {
    struct virtio *dev;
    unsigned index, size;
    struct virtq_desc *desc;
    volatile uint16_t *avail; /* flags, idx, ring[] */
    volatile uint16_t *used;  /* flags, idx, then struct virtq_used */
    uint16_t avail_next, used_next;
};

struct virtio {
    volatile uint32_t *reg;
    bool modern;
    uint64_t features;                   /* agreed on */
    void (*interrupt)(struct virtio *v); /* in interrupt context */
    dtb_node node;
};

/* Reset, acknowledge, agree on what both want. -ENODEV. */
int vio_start(struct virtio *v, uint64_t wanted);
int vio_queue(struct virtio *v, struct virtq *q, unsigned index);
/* Queues are set up: the device may work, its interrupt comes. */
int vio_ready(struct virtio *v);
void vio_fail(struct virtio *v);
uint8_t vio_config8(const struct virtio *v, unsigned offset);
uint64_t vio_config64(const struct virtio *v, unsigned offset);

/* Offers the chain that begins at head; the device is told by vioq_kick(). */
void vioq_offer(struct virtq *q, unsigned head);
void vioq_kick(struct virtq *q);
/* What the device is done with: id below size, or false. */
bool vioq_done(struct virtq *q, struct virtq_used *u);

/* Boot only; nothing is looked for before somebody asks. */
void vio_init(void);
/* Starts the drivers of this kind where that was not done; on a task. */
void vio_need(unsigned device);
/* A driver's: the i-th device of its kind, not yet reset; the storage stays when it gives 0. */
int vio_blk_probe(struct virtio *v, unsigned i);
int vio_net_probe(struct virtio *v, unsigned i);

#endif
