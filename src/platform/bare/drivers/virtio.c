/* Virtio over MMIO: registers of VIRTIO 1.2, 4.2.2 and 4.2.4 (legacy), split queues of 2.7. */
#include "platform/bare/drivers/virtio.h"
#include "core/platform.h"
#include "lib/err.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"

enum {
    MAGIC = 0x00,
    VERSION = 0x04,
    DEVICE_ID = 0x08,
    DEVICE_FEATURES = 0x10,
    DEVICE_FEATURES_SEL = 0x14,
    DRIVER_FEATURES = 0x20,
    DRIVER_FEATURES_SEL = 0x24,
    LEGACY_PAGE_SIZE = 0x28,
    QUEUE_SEL = 0x30,
    QUEUE_NUM_MAX = 0x34,
    QUEUE_NUM = 0x38,
    LEGACY_QUEUE_ALIGN = 0x3c,
    LEGACY_QUEUE_PFN = 0x40,
    QUEUE_READY = 0x44,
    QUEUE_NOTIFY = 0x50,
    INTERRUPT_STATUS = 0x60,
    INTERRUPT_ACK = 0x64,
    STATUS = 0x70,
    QUEUE_DESC = 0x80,
    QUEUE_DRIVER = 0x90,
    QUEUE_DEVICE = 0xa0,
    CONFIG = 0x100
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };

static uint32_t get(const struct virtio *v, unsigned reg)
{
    return v->reg[reg / 4];
}

/* What was written to memory before is there when the device hears of it. */
static void set(struct virtio *v, unsigned reg, uint32_t value)
{
    atomic_thread_fence(memory_order_seq_cst);
    v->reg[reg / 4] = value;
}

static void set64(struct virtio *v, unsigned reg, uint64_t value)
{
    set(v, reg, (uint32_t)value);
    set(v, reg + 4, (uint32_t)(value >> 32));
}

static void add_status(struct virtio *v, uint32_t bits)
{
    set(v, STATUS, get(v, STATUS) | bits);
}

void vio_fail(struct virtio *v)
{
    add_status(v, FAILED);
}

int vio_start(struct virtio *v, uint64_t wanted)
{
    uint64_t offered;

    set(v, STATUS, 0);
    add_status(v, ACKNOWLEDGE);
    add_status(v, DRIVER);
    set(v, DEVICE_FEATURES_SEL, 0);
    offered = get(v, DEVICE_FEATURES);
    if (v->modern) {
        set(v, DEVICE_FEATURES_SEL, 1);
        offered |= (uint64_t)get(v, DEVICE_FEATURES) << 32;
        wanted |= BIT(VIRTIO_F_VERSION_1);
    }
    v->features = offered & wanted;
    set(v, DRIVER_FEATURES_SEL, 0);
    set(v, DRIVER_FEATURES, (uint32_t)v->features);
    if (!v->modern) {
        set(v, LEGACY_PAGE_SIZE, FRAME_BYTES);
        return 0;
    }
    set(v, DRIVER_FEATURES_SEL, 1);
    set(v, DRIVER_FEATURES, (uint32_t)(v->features >> 32));
    add_status(v, FEATURES_OK);
    return v->features >> VIRTIO_F_VERSION_1 & 1 && get(v, STATUS) & FEATURES_OK ? 0 : -ENODEV;
}

/*
 * One layout for both forms (2.7.2): descriptors and available ring in the first page, used ring in the
 * second.
 */
int vio_queue(struct virtio *v, struct virtq *q, unsigned index)
{
    uint8_t *p;
    uint64_t pa;

    set(v, QUEUE_SEL, index);
    q->dev = v;
    q->index = index;
    q->size = MIN(get(v, QUEUE_NUM_MAX), (uint32_t)VIRTQ_MAX);
    while (q->size & (q->size - 1))
        q->size &= q->size - 1;
    p = q->size ? frame_alloc(1, FRAME_PLAIN) : NULL;
    if (!p)
        return q->size ? -ENOMEM : -ENODEV;
    __builtin_memset(p, 0, 2 * FRAME_BYTES);
    q->desc = (struct virtq_desc *)p;
    q->avail = (volatile uint16_t *)(p + sizeof(struct virtq_desc) * q->size);
    q->used = (volatile uint16_t *)(p + FRAME_BYTES);
    pa = arch_pa(p);
    set(v, QUEUE_NUM, q->size);
    if (!v->modern) {
        set(v, LEGACY_QUEUE_ALIGN, FRAME_BYTES);
        set(v, LEGACY_QUEUE_PFN, (uint32_t)(pa / FRAME_BYTES));
        return 0;
    }
    set64(v, QUEUE_DESC, pa);
    set64(v, QUEUE_DRIVER, arch_pa((const void *)q->avail));
    set64(v, QUEUE_DEVICE, pa + FRAME_BYTES);
    set(v, QUEUE_READY, 1);
    return 0;
}

static void interrupt(void *opaque)
{
    struct virtio *v = opaque;

    set(v, INTERRUPT_ACK, get(v, INTERRUPT_STATUS));
    v->interrupt(v);
}

int vio_ready(struct virtio *v)
{
    enum irq_trigger trigger;
    struct irq_domain *d;
    unsigned hwirq;
    int err = irq_of_node(v->node, 0, &d, &hwirq, &trigger);

    if (!err)
        err = irq_request(d, hwirq, trigger, interrupt, v, "virtio");
    if (err)
        return err;
    irq_enable(d, hwirq, true);
    add_status(v, DRIVER_OK);
    return 0;
}

uint8_t vio_config8(const struct virtio *v, unsigned offset)
{
    return ((const volatile uint8_t *)v->reg)[CONFIG + offset];
}

/* Constant fields only: a changing one may tear. */
uint64_t vio_config64(const struct virtio *v, unsigned offset)
{
    return get(v, CONFIG + offset) | (uint64_t)get(v, CONFIG + offset + 4) << 32;
}

/* ---- queues ---- */

void vioq_offer(struct virtq *q, unsigned head)
{
    q->avail[2 + q->avail_next % q->size] = (uint16_t)head;
    atomic_thread_fence(memory_order_release);
    q->avail[1] = ++q->avail_next;
}

void vioq_kick(struct virtq *q)
{
    set(q->dev, QUEUE_NOTIFY, q->index);
}

bool vioq_done(struct virtq *q, struct virtq_used *u)
{
    const volatile struct virtq_used *ring = (const volatile struct virtq_used *)(q->used + 2);

    while (q->used[1] != q->used_next) {
        atomic_thread_fence(memory_order_acquire);
        u->id = ring[q->used_next % q->size].id;
        u->len = ring[q->used_next % q->size].len;
        q->used_next++;
        if (u->id < q->size)
            return true;
    }
    return false;
}

/* ---- finding them ---- */

static bool open_device(const struct board *b, dtb_node n, unsigned device, struct virtio *v)
{
    uint64_t pa, size;

    if (board_reg(b, n, 0, &pa, &size) || size < CONFIG + 64)
        return false;
    v->reg = arch_map_device(pa, size);
    v->node = n;
    if (!v->reg || get(v, MAGIC) != 0x74726976 || get(v, DEVICE_ID) != device)
        return false;
    v->modern = get(v, VERSION) == 2;
    return get(v, VERSION) == 1 || v->modern;
}

static void start_all(const struct board *b, unsigned device, int (*probe)(struct virtio *v, unsigned i))
{
    unsigned found = 0;

    for (dtb_node n = DTB_NONE; (n = dtb_compatible(&b->dtb, n, "virtio,mmio")) != DTB_NONE;) {
        struct virtio here = {0}, *v;

        if (!open_device(b, n, device, &here))
            continue;
        v = plat_alloc(sizeof(*v));
        if (!v)
            return;
        *v = here;
        if (probe(v, found)) {
            vio_fail(v);
            plat_free(v);
        } else {
            found++;
        }
    }
}

static struct {
    struct plat_lock lock;
    bool started[VIRTIO_BLK + 1]; /* lock */
} once;

void vio_init(void)
{
    plat_lock_init(&once.lock);
}

void vio_need(unsigned device)
{
    plat_lock(&once.lock);
    if (!once.started[device])
        start_all(board_get(), device, device == VIRTIO_BLK ? vio_blk_probe : vio_net_probe);
    once.started[device] = true;
    plat_unlock(&once.lock);
}
