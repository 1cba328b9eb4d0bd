/*
 * A guest whose one console is virtio's (VIRTIO 1.2, 5.3): says a line, then says twice what is typed there.
 * For both ISAs, after guest.h.
 */
#ifndef CV_TESTS_BARE_HVC_H
#define CV_TESTS_BARE_HVC_H

#include "virtio.h"

enum { HVC_DEVICE = 3, HVC_RECEIVE = 0, HVC_TRANSMIT = 1 };

static struct vq hvc_queue[2];

static inline uint64_t hvc_find(uint64_t base, unsigned step, unsigned slots)
{
    for (; slots; slots--, base += step) {
        if (*virtio_reg(base, VIRTIO_DEVICE_ID) == HVC_DEVICE)
            return base;
    }
    return 0;
}

static inline void hvc_put(uint64_t base, const char *text, uint32_t len)
{
    vq_part(&hvc_queue[HVC_TRANSMIT], 0, text, len, 0);
    vq_run(base, HVC_TRANSMIT, &hvc_queue[HVC_TRANSMIT]);
}

static inline void hvc_echo(uint64_t base)
{
    static const char hello[] = "hvc is there\n";
    volatile char twice[2];

    virtio_start(base, hvc_queue, 2);
    hvc_put(base, hello, sizeof(hello) - 1);
    for (;;) {
        vq_part(&hvc_queue[HVC_RECEIVE], 0, twice, 1, VQ_WRITE);
        vq_run(base, HVC_RECEIVE, &hvc_queue[HVC_RECEIVE]);
        twice[1] = twice[0];
        hvc_put(base, (const char *)twice, 2);
    }
}

#endif
