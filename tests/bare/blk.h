/*
 * A neighbour that keeps the hypervisor busy: reads of 1 MiB from its virtio disk (VIRTIO 1.2, 5.2), one
 * after the other, as fast as they come; a line "bench requests N" now and then. For both ISAs, after
 * guest.h.
 */
#ifndef CV_TESTS_BARE_BLK_H
#define CV_TESTS_BARE_BLK_H

#include "virtio.h"

#define BLK_BYTES (1u << 20)

static struct vq blk_queue;
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} blk_header;
static volatile uint8_t blk_status;
static uint8_t blk_data[BLK_BYTES] __attribute__((aligned(4096)));

static inline bool blk_start(uint64_t base)
{
    if (*virtio_reg(base, VIRTIO_DEVICE_ID) != 2)
        return false;
    virtio_start(base, &blk_queue, 1);
    vq_part(&blk_queue, 0, &blk_header, sizeof(blk_header), VQ_NEXT);
    vq_part(&blk_queue, 1, blk_data, BLK_BYTES, VQ_NEXT | VQ_WRITE);
    vq_part(&blk_queue, 2, &blk_status, 1, VQ_WRITE);
    return true;
}

static inline bool blk_read(uint64_t base)
{
    blk_status = 0xff;
    vq_run(base, 0, &blk_queue);
    return !blk_status;
}

static inline void blk_neighbour(uint64_t base)
{
    if (!blk_start(base)) {
        put("bench no-disk 0\n");
        return;
    }
    for (unsigned n = 1; blk_read(base); n++) {
        if (n % 32)
            continue;
        put("bench requests ");
        put_number(n);
        put("\n");
    }
    put("bench bad-read 0\n");
}

#endif
