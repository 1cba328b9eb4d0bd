/*
 * A neighbour that keeps the hypervisor busy: reads of 1 MiB from its virtio disk (VIRTIO 1.2, 4.2 and 5.2),
 * one after the other, as fast as they come; a line "bench requests N" now and then. For both ISAs, after
 * guest.h.
 */
#ifndef CV_TESTS_BARE_BLK_H
#define CV_TESTS_BARE_BLK_H

#define BLK_BYTES (1u << 20)

enum {
    BLK_DEVICE_ID = 0x008,
    BLK_DRIVER_FEATURES = 0x020,
    BLK_DRIVER_FEATURES_SEL = 0x024,
    BLK_QUEUE_NUM = 0x038,
    BLK_QUEUE_READY = 0x044,
    BLK_QUEUE_NOTIFY = 0x050,
    BLK_STATUS = 0x070,
    BLK_QUEUE_DESC = 0x080,
    BLK_QUEUE_DRIVER = 0x090,
    BLK_QUEUE_DEVICE = 0x0a0
};
enum { BLK_NEXT = 1, BLK_WRITE = 2, BLK_QUEUE = 4 };

static struct {
    struct {
        uint64_t at;
        uint32_t len;
        uint16_t flags, next;
    } desc[BLK_QUEUE];
    struct {
        uint16_t flags, index, ring[BLK_QUEUE], event;
    } avail __attribute__((aligned(4096)));
    struct {
        uint16_t flags;
        volatile uint16_t index;
        struct {
            uint32_t id, len;
        } ring[BLK_QUEUE];
    } used __attribute__((aligned(4096)));
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    volatile uint8_t status;
} blk __attribute__((aligned(4096)));
static uint8_t blk_data[BLK_BYTES] __attribute__((aligned(4096)));

static inline volatile uint32_t *blk_reg(uint64_t base, unsigned offset)
{
    return (volatile uint32_t *)(base + offset);
}

static inline void blk_address(uint64_t base, unsigned offset, const void *p)
{
    *blk_reg(base, offset) = (uint32_t)(uint64_t)p;
    *blk_reg(base, offset + 4) = (uint32_t)((uint64_t)p >> 32);
}

static inline bool blk_start(uint64_t base)
{
    if (*blk_reg(base, BLK_DEVICE_ID) != 2)
        return false;
    *blk_reg(base, BLK_STATUS) = 0;
    *blk_reg(base, BLK_STATUS) = 3; /* ACKNOWLEDGE, DRIVER */
    *blk_reg(base, BLK_DRIVER_FEATURES_SEL) = 1;
    *blk_reg(base, BLK_DRIVER_FEATURES) = 1; /* VIRTIO_F_VERSION_1 */
    *blk_reg(base, BLK_STATUS) = 11;         /* and FEATURES_OK */
    *blk_reg(base, BLK_QUEUE_NUM) = BLK_QUEUE;
    blk_address(base, BLK_QUEUE_DESC, blk.desc);
    blk_address(base, BLK_QUEUE_DRIVER, &blk.avail);
    blk_address(base, BLK_QUEUE_DEVICE, &blk.used);
    *blk_reg(base, BLK_QUEUE_READY) = 1;
    *blk_reg(base, BLK_STATUS) = 15; /* and DRIVER_OK */
    blk.desc[0].at = (uint64_t)&blk.header;
    blk.desc[0].len = sizeof(blk.header);
    blk.desc[0].flags = BLK_NEXT;
    blk.desc[0].next = 1;
    blk.desc[1].at = (uint64_t)blk_data;
    blk.desc[1].len = BLK_BYTES;
    blk.desc[1].flags = BLK_NEXT | BLK_WRITE;
    blk.desc[1].next = 2;
    blk.desc[2].at = (uint64_t)&blk.status;
    blk.desc[2].len = 1;
    blk.desc[2].flags = BLK_WRITE;
    return true;
}

static inline bool blk_read(uint64_t base)
{
    uint16_t next = (uint16_t)(blk.avail.index + 1);

    blk.status = 0xff;
    blk.avail.ring[blk.avail.index % BLK_QUEUE] = 0;
    __atomic_store_n(&blk.avail.index, next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *blk_reg(base, BLK_QUEUE_NOTIFY) = 0;
    while (blk.used.index != next)
        ;
    return !blk.status;
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
