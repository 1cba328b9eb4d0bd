/* virtio-mmio: registers to calls of virtio.h (VIRTIO 1.2, 4.2.2). */
#include "device/virtio/virtio_mmio.h"
#include "core/vm.h"
#include "lib/fdt.h"

#define MAGIC  0x74726976u /* "virt" */
#define VENDOR 0x56495643u /* "CVIV" */

enum {
    REG_MAGIC = 0x00,
    REG_VERSION = 0x04,
    REG_DEVICE_ID = 0x08,
    REG_VENDOR_ID = 0x0c,
    REG_DEVICE_FEATURES = 0x10,
    REG_DEVICE_FEATURES_SEL = 0x14,
    REG_DRIVER_FEATURES = 0x20,
    REG_DRIVER_FEATURES_SEL = 0x24,
    REG_QUEUE_SEL = 0x30,
    REG_QUEUE_SIZE_MAX = 0x34,
    REG_QUEUE_SIZE = 0x38,
    REG_QUEUE_READY = 0x44,
    REG_QUEUE_NOTIFY = 0x50,
    REG_INTERRUPT_STATUS = 0x60,
    REG_INTERRUPT_ACK = 0x64,
    REG_STATUS = 0x70,
    REG_QUEUE_DESC = 0x80, /* each area: low half, high half */
    REG_QUEUE_DRIVER = 0x90,
    REG_QUEUE_DEVICE = 0xa0,
    REG_SHM_LEN = 0xb0,
    REG_SHM_BASE_END = 0xc0,
    REG_CONFIG_GENERATION = 0xfc,
    REG_CONFIG = 0x100
};

struct virtio_mmio {
    struct device dev;
    struct irq_line irq;
    struct virtio_dev *v;
    uint32_t device_sel, driver_sel, queue_sel;
};

static const struct state_field virtio_mmio_state[] = {
    STATE_FIELD(struct virtio_mmio, device_sel, 0, 0),
    STATE_FIELD(struct virtio_mmio, driver_sel, 0, 0),
    STATE_FIELD(struct virtio_mmio, queue_sel, 0, 0),
    STATE_END,
};

static uint32_t register_read(struct virtio_mmio *m, uint64_t offset)
{
    struct virtio_dev *v = m->v;

    switch (offset) {
    case REG_MAGIC:
        return MAGIC;
    case REG_VERSION:
        return 2;
    case REG_DEVICE_ID:
        return v->ops->id;
    case REG_VENDOR_ID:
        return VENDOR;
    case REG_DEVICE_FEATURES:
        return virtio_features_get(v, m->device_sel);
    case REG_QUEUE_SIZE_MAX:
        return virtio_queue_size_max(v, m->queue_sel);
    case REG_QUEUE_READY:
        return virtio_queue_ready(v, m->queue_sel);
    case REG_INTERRUPT_STATUS:
        return virtio_isr_get(v);
    case REG_STATUS:
        return virtio_status_get(v);
    case REG_CONFIG_GENERATION:
        return virtio_generation(v);
    }
    /* No shared memory: length and base of every region are all ones (4.2.2). */
    return offset >= REG_SHM_LEN && offset < REG_SHM_BASE_END ? UINT32_MAX : 0;
}

static uint64_t mmio_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct virtio_mmio *m = container_of(d, struct virtio_mmio, dev);

    (void)region;
    if (offset >= REG_CONFIG)
        return virtio_config_read(m->v, offset - REG_CONFIG, size);
    /* 4.2.2.2: all others are accessed by aligned 32-bit words only. */
    return size == 4 && offset % 4 == 0 ? register_read(m, offset) : 0;
}

static void area_write(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    static const enum virtio_area areas[] = {VIRTIO_AREA_DESC, VIRTIO_AREA_DRIVER, VIRTIO_AREA_DEVICE};

    if (offset % 16 <= 4)
        virtio_queue_area(m->v, m->queue_sel, areas[(offset - REG_QUEUE_DESC) / 16], offset % 16 == 4, value);
}

static void register_write(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    struct virtio_dev *v = m->v;

    switch (offset) {
    case REG_DEVICE_FEATURES_SEL:
        m->device_sel = value;
        break;
    case REG_DRIVER_FEATURES:
        virtio_features_set(v, m->driver_sel, value);
        break;
    case REG_DRIVER_FEATURES_SEL:
        m->driver_sel = value;
        break;
    case REG_QUEUE_SEL:
        m->queue_sel = value;
        break;
    case REG_QUEUE_SIZE:
        virtio_queue_size(v, m->queue_sel, value);
        break;
    case REG_QUEUE_READY:
        virtio_queue_enable(v, m->queue_sel, value & 1);
        break;
    case REG_QUEUE_NOTIFY:
        virtio_notify(v, value);
        break;
    case REG_INTERRUPT_ACK:
        virtio_isr_ack(v, (uint8_t)value);
        break;
    case REG_STATUS:
        virtio_status_set(v, (uint8_t)value);
        break;
    default:
        if (offset >= REG_QUEUE_DESC && offset < REG_QUEUE_DEVICE + 16)
            area_write(m, offset, value);
    }
}

static void mmio_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    (void)region;
    if (size == 4 && offset % 4 == 0 && offset < REG_CONFIG)
        register_write(container_of(d, struct virtio_mmio, dev), offset, (uint32_t)value);
}

static void mmio_reset(struct device *d)
{
    struct virtio_mmio *m = container_of(d, struct virtio_mmio, dev);

    m->device_sel = m->driver_sel = m->queue_sel = 0;
}

static void mmio_destroy(struct device *d)
{
    struct virtio_mmio *m = container_of(d, struct virtio_mmio, dev);

    virtio_detach(m->v);
    device_fini(d);
    plat_free(m);
}

static int mmio_describe(struct device *d, struct dtw *w)
{
    struct virtio_mmio *m = container_of(d, struct virtio_mmio, dev);

    device_node_begin(d, w, "virtio_mmio");
    dtw_prop_str(w, "compatible", "virtio,mmio");
    dtw_prop_empty(w, "dma-coherent");
    device_node_irq(w, &m->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops virtio_mmio_ops = {
    .name = "virtio-mmio",
    .summary = "virtio transport over memory-mapped registers",
    .state = virtio_mmio_state,
    .read = mmio_read,
    .write = mmio_write,
    .reset = mmio_reset,
    .destroy = mmio_destroy,
    .describe = mmio_describe,
};

/* The virtio device's lock is held. */
static void mmio_interrupt(struct device *d, bool level)
{
    irq_line_set(&container_of(d, struct virtio_mmio, dev)->irq, level);
}

static const struct virtio_transport_ops transport_ops = {.interrupt = mmio_interrupt};

struct device *virtio_mmio_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq,
                                  struct virtio_dev *v, char *why, size_t why_size)
{
    struct virtio_mmio *m = device_alloc(sizeof(*m), why, why_size);

    if (!m)
        return NULL;
    device_init(&m->dev, &virtio_mmio_ops, vm, id);
    m->irq = irq;
    m->v = v;
    if (device_map(&m->dev, 0, base, VIRTIO_MMIO_SIZE, why, why_size)) {
        mmio_destroy(&m->dev);
        return NULL;
    }
    device_add(&m->dev);
    virtio_attach(v, &transport_ops, &m->dev);
    return &m->dev;
}
