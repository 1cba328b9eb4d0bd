/*
 * What all virtio devices share (VIRTIO 1.2, 2): status, features, queues, configuration space. A device
 * type supplies struct virtio_ops; a transport (virtio_mmio.h) calls the functions below and is told of
 * interrupts. Both are devices of the VM: the type has no window, its field table holds all state but the
 * transport's selectors.
 *
 * The lock of everything here is the virtio device's own (v->dev.lock). Order: transport, virtio device,
 * interrupt controller.
 */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_H
#define CV_DEVICE_VIRTIO_VIRTIO_H

#include "core/device.h"
#include "core/work.h"
#include "device/virtio/virtq.h"

#define VIRTIO_QUEUES 2 /* the most that a device type here has */

/* Device ids (5). */
enum virtio_id { VIRTIO_NET = 1, VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_ENTROPY = 4 };

/* Feature bits of all devices (6). */
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)

/* Device status (2.1). */
enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128
};

/* Interrupt status (4.2.2, 4.1.4.5). */
enum virtio_isr { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

struct virtio_dev;

/* All but work and closed: called with the lock held; none may be NULL but where said. */
struct virtio_ops {
    enum virtio_id id;
    unsigned queues;
    uint64_t features; /* beside the general ones; v->features has what this device offers */
    /*
     * The device's work outside register accesses: a work item, run without the lock, queued by each
     * notification and by DRIVER_OK.
     */
    void (*work)(struct virtio_dev *v);
    void (*reset)(struct virtio_dev *v); /* own state; NULL: none */
};

/* How a transport is told that v->isr changed. */
struct virtio_transport_ops {
    void (*interrupt)(struct device *transport, bool level);
};

struct virtio_dev {
    struct device dev;
    const struct virtio_ops *ops;
    const struct virtio_transport_ops *transport_ops; /* NULL: no transport */
    struct device *transport;
    uint64_t features;     /* offered */
    const uint8_t *config; /* the configuration space as the driver sees it */
    uint32_t config_size;
    struct work work;
    struct plat_event idle;
    unsigned busy; /* chains taken by work and not yet given back */
    bool warned;   /* of the driver's first mistake; it may make many */
    /* State. */
    uint64_t driver_features;
    uint32_t generation; /* of config */
    uint8_t status, isr;
    struct virtq queue[VIRTIO_QUEUES];
};

/* Rows of the common state for the field table of `type`, whose struct virtio_dev is member m. */
#define VIRTIO_STATE(type, m)                                                                                \
    STATE_FIELD(type, m.driver_features, 0, 0), STATE_FIELD(type, m.generation, 0, 0),                       \
        STATE_FIELD(type, m.status, 0, 0), STATE_FIELD(type, m.isr, 0, 0), VIRTQ_STATE(type, m.queue[0]),    \
        VIRTQ_STATE(type, m.queue[1])

/* ---- for device types ---- */

/* Their device_ops use these three. destroy() calls virtio_fini() and frees. */
void virtio_dev_reset(struct device *d);
void virtio_dev_quiesce(struct device *d);
uint64_t virtio_dev_read(struct device *d, unsigned region, uint64_t offset, unsigned size);
void virtio_dev_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value);
#define VIRTIO_DEVICE_OPS                                                                                    \
    .read = virtio_dev_read, .write = virtio_dev_write, .reset = virtio_dev_reset,                           \
    .quiesce = virtio_dev_quiesce

/* device_ops is the type's; afterwards v->features is ops->features and the general ones. */
void virtio_init(struct virtio_dev *v, const struct virtio_ops *ops, const struct device_ops *device_ops,
                 struct vm *vm, const char *id);
/* No work runs afterwards. */
void virtio_fini(struct virtio_dev *v);

static inline struct virtio_dev *virtio_of(struct device *d)
{
    return container_of(d, struct virtio_dev, dev);
}

/* The driver set DRIVER_OK and nothing went wrong since; the lock is held. */
static inline bool virtio_live(const struct virtio_dev *v)
{
    return (v->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

static inline bool virtio_has(const struct virtio_dev *v, uint64_t feature)
{
    return v->driver_features & feature;
}

/*
 * Pop and push for code that holds the lock: false when there is no chain, or the device is not live. A
 * malformed chain breaks the device.
 */
bool virtio_pop(struct virtio_dev *v, unsigned queue, struct virtq_chain *c);
void virtio_push(struct virtio_dev *v, unsigned queue, uint16_t head, uint32_t len);
/* Interrupts the driver if it wants that for what was published in the queue; lock held. */
void virtio_signal(struct virtio_dev *v, unsigned queue);
/*
 * The same for work(), which takes no lock itself: a taken chain stays valid (a reset waits for it) until
 * it is given back. virtio_take() asks for a notification before it says that there is nothing.
 */
bool virtio_take(struct virtio_dev *v, unsigned queue, struct virtq_chain *c);
void virtio_give(struct virtio_dev *v, unsigned queue, uint16_t head, uint32_t len);
/* Something that the driver did makes no sense (2.1.2): the device needs a reset. Without the lock. */
void virtio_refuse(struct virtio_dev *v, const char *reason);
/* v->config changed; lock held. */
void virtio_config_changed(struct virtio_dev *v);

/* ---- for transports; all take the lock ---- */

void virtio_attach(struct virtio_dev *v, const struct virtio_transport_ops *ops, struct device *transport);
void virtio_detach(struct virtio_dev *v);
uint32_t virtio_features_get(struct virtio_dev *v, uint32_t select); /* 32 bits of those offered */
void virtio_features_set(struct virtio_dev *v, uint32_t select, uint32_t value);
uint8_t virtio_status_get(struct virtio_dev *v);
/* 0 resets: waits until no chain is with work(). */
void virtio_status_set(struct virtio_dev *v, uint8_t status);
uint8_t virtio_isr_get(struct virtio_dev *v);
void virtio_isr_ack(struct virtio_dev *v, uint8_t bits);
uint64_t virtio_config_read(struct virtio_dev *v, uint64_t offset, unsigned size);
uint32_t virtio_generation(struct virtio_dev *v);
void virtio_notify(struct virtio_dev *v, uint32_t queue);

/* One queue's set-up; a queue that is not there has size_max 0 and ignores everything. */
enum virtio_area { VIRTIO_AREA_DESC, VIRTIO_AREA_DRIVER, VIRTIO_AREA_DEVICE };
uint16_t virtio_queue_size_max(struct virtio_dev *v, uint32_t queue);
void virtio_queue_size(struct virtio_dev *v, uint32_t queue, uint32_t size);
/* One half of an area's address: the low 32 bits, or the high ones. */
void virtio_queue_area(struct virtio_dev *v, uint32_t queue, enum virtio_area area, bool high,
                       uint32_t value);
bool virtio_queue_ready(struct virtio_dev *v, uint32_t queue);
void virtio_queue_enable(struct virtio_dev *v, uint32_t queue, bool on);

#endif
