/*
 * A guest whose one console is virtio's (VIRTIO 1.2, 5.3): says a line, then says again what is typed there.
 * For both ISAs, after blk.h, whose registers these are.
 */
#ifndef CV_TESTS_BARE_HVC_H
#define CV_TESTS_BARE_HVC_H

enum { HVC_DEVICE = 3, HVC_QUEUE_SEL = 0x030, HVC_RECEIVE = 0, HVC_TRANSMIT = 1 };

static struct hvc_queue {
    struct {
        uint64_t at;
        uint32_t len;
        uint16_t flags, next;
    } desc[1];
    struct {
        uint16_t flags, index, ring[1], event;
    } avail __attribute__((aligned(4096)));
    struct {
        uint16_t flags;
        volatile uint16_t index;
        struct {
            uint32_t id, len;
        } ring[1];
    } used __attribute__((aligned(4096)));
    char data[64];
} port[2] __attribute__((aligned(4096)));

static inline uint64_t hvc_find(uint64_t base, unsigned step, unsigned slots)
{
    for (; slots; slots--, base += step) {
        if (*blk_reg(base, BLK_DEVICE_ID) == HVC_DEVICE)
            return base;
    }
    return 0;
}

static inline void hvc_start(uint64_t base)
{
    *blk_reg(base, BLK_STATUS) = 0;
    *blk_reg(base, BLK_STATUS) = 3;
    *blk_reg(base, BLK_DRIVER_FEATURES_SEL) = 1;
    *blk_reg(base, BLK_DRIVER_FEATURES) = 1;
    *blk_reg(base, BLK_STATUS) = 11;
    for (unsigned q = 0; q < 2; q++) {
        *blk_reg(base, HVC_QUEUE_SEL) = q;
        *blk_reg(base, BLK_QUEUE_NUM) = 1;
        blk_address(base, BLK_QUEUE_DESC, port[q].desc);
        blk_address(base, BLK_QUEUE_DRIVER, &port[q].avail);
        blk_address(base, BLK_QUEUE_DEVICE, &port[q].used);
        *blk_reg(base, BLK_QUEUE_READY) = 1;
    }
    *blk_reg(base, BLK_STATUS) = 15;
}

/* The whole of a buffer, and how much of it was used. */
static inline uint32_t hvc_transfer(uint64_t base, unsigned q, uint32_t len, uint16_t flags)
{
    uint16_t next = (uint16_t)(port[q].avail.index + 1);

    port[q].desc[0].at = (uint64_t)port[q].data;
    port[q].desc[0].len = len;
    port[q].desc[0].flags = flags;
    __atomic_store_n(&port[q].avail.index, next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *blk_reg(base, BLK_QUEUE_NOTIFY) = q;
    while (port[q].used.index != next)
        ;
    return port[q].used.ring[0].len;
}

static inline void hvc_put(uint64_t base, const char *text)
{
    uint32_t n = 0;

    for (; text[n] && n < sizeof(port[0].data); n++)
        port[HVC_TRANSMIT].data[n] = text[n];
    hvc_transfer(base, HVC_TRANSMIT, n, 0);
}

static inline void hvc_echo(uint64_t base)
{
    char twice[3] = "";

    hvc_start(base);
    hvc_put(base, "hvc is there\n");
    for (;;) {
        hvc_transfer(base, HVC_RECEIVE, 1, BLK_WRITE);
        twice[0] = twice[1] = port[HVC_RECEIVE].data[0];
        hvc_put(base, twice);
    }
}

#endif
