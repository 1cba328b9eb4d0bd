/*
 * The device's side of a split virtqueue (VIRTIO 1.2, 2.7), with event index and indirect descriptors.
 *
 * Everything in the rings is the guest's and may change at any time: a chain is read once into a struct
 * virtq_chain and checked whole; afterwards only that copy is used. The caller serializes all calls on one
 * queue; the data of a popped chain may be used without that lock.
 */
#ifndef CV_DEVICE_VIRTIO_VIRTQ_H
#define CV_DEVICE_VIRTIO_VIRTQ_H

#include "core/mem.h"

#define VIRTQ_SIZE_MAX 256 /* descriptors of a queue, as devices offer it */
#define VIRTQ_SEGS     256 /* buffers of one chain, an indirect table's included */

struct virtq {
    struct mem *mem;
    gpa_t desc, driver, device; /* the three areas */
    uint16_t size;              /* power of two, set by the driver */
    uint16_t avail;             /* next entry of the available ring to look at */
    uint16_t used;              /* index as last published in the used ring */
    uint16_t signalled;         /* `used` at the last question whether to interrupt */
    uint8_t ready;
    uint8_t signalled_valid; /* an interrupt was decided since set-up */
    uint8_t event_index;     /* negotiated */
    uint8_t indirect;        /* negotiated */
};

/* One buffer of a chain: host is where gpa lies, all len (above 0) bytes are there. */
struct virtq_seg {
    uint8_t *host;
    gpa_t gpa;
    uint32_t len;
};

/* seg[0 .. readable) is the driver's data, seg[readable .. count) room for the device's. */
struct virtq_chain {
    uint16_t head;
    uint16_t readable, count;
    uint32_t read_bytes, write_bytes;
    struct virtq_seg seg[VIRTQ_SEGS];
};

/* Rows of a device's field table for queue `q`, a member of `type`. */
#define VIRTQ_STATE(type, q)                                                                                 \
    STATE_FIELD(type, q.desc, 0, 0), STATE_FIELD(type, q.driver, 0, 0), STATE_FIELD(type, q.device, 0, 0),   \
        STATE_FIELD(type, q.size, 0, 0), STATE_FIELD(type, q.avail, 0, 0), STATE_FIELD(type, q.used, 0, 0),  \
        STATE_FIELD(type, q.signalled, 0, 0), STATE_FIELD(type, q.ready, 0, 0),                              \
        STATE_FIELD(type, q.signalled_valid, 0, 0), STATE_FIELD(type, q.event_index, 0, 0),                  \
        STATE_FIELD(type, q.indirect, 0, 0)

/* After a reset: no areas, not ready. */
void virtq_reset(struct virtq *q, struct mem *mem);
/* Size and areas can be used: then ready. -EINVAL otherwise. */
int virtq_enable(struct virtq *q, bool event_index, bool indirect);

/*
 * 1: *c is the next chain; 0: there is none. -EINVAL: the driver's mistake (a loop, an index out of range,
 * a buffer outside RAM, writable before readable, more than VIRTQ_SEGS...): the device needs a reset.
 */
int virtq_pop(struct virtq *q, struct virtq_chain *c);
/* Gives the last n popped chains back, not yet pushed: the next pop finds them again. */
void virtq_unpop(struct virtq *q, unsigned n);
/* len: bytes written from the start of the writable part. virtq_publish() shows pushed ones to the driver. */
void virtq_push(struct virtq *q, unsigned ahead, uint16_t head, uint32_t len);
void virtq_publish(struct virtq *q, unsigned count);
/* Whether the driver wants an interrupt for what was published since the last call. */
bool virtq_interrupt(struct virtq *q);
/* Asks for a notification of the next chain; true: there is one already, look again. */
bool virtq_listen(struct virtq *q);

/* Bytes [offset, offset+len) of the readable or writable part; gives how many there were. */
size_t virtq_read(const struct virtq_chain *c, uint32_t offset, void *buf, size_t len);
size_t virtq_write(struct virtq *q, const struct virtq_chain *c, uint32_t offset, const void *buf,
                   size_t len);

#endif
