/* Virtio devices and their transports on a board's slots. */
#include "machine/virtio_slots.h"
#include "device/virtio/virtio_blk.h"
#include "device/virtio/virtio_console.h"
#include "device/virtio/virtio_mmio.h"
#include "device/virtio/virtio_net.h"
#include "device/virtio/virtio_rng.h"
#include "lib/err.h"
#include "lib/fmt.h"

struct plugging {
    struct vm *vm;
    const struct virtio_slots *slots;
    const struct wiring *wiring;
    unsigned used;
    char *why;
    size_t why_size;
};

static const char *const slot_ids[VIRTIO_SLOTS_MAX] = {
    "virtio0",  "virtio1",  "virtio2",  "virtio3",  "virtio4",  "virtio5",  "virtio6",  "virtio7",
    "virtio8",  "virtio9",  "virtio10", "virtio11", "virtio12", "virtio13", "virtio14", "virtio15",
    "virtio16", "virtio17", "virtio18", "virtio19", "virtio20", "virtio21", "virtio22", "virtio23",
    "virtio24", "virtio25", "virtio26", "virtio27", "virtio28", "virtio29", "virtio30", "virtio31"};
static const char *const disk_ids[DESC_DISKS] = {"disk0",  "disk1",  "disk2",  "disk3", "disk4",  "disk5",
                                                 "disk6",  "disk7",  "disk8",  "disk9", "disk10", "disk11",
                                                 "disk12", "disk13", "disk14", "disk15"};
static int plug(struct plugging *p, struct virtio_dev *v)
{
    const struct virtio_slots *s = p->slots;
    unsigned i = p->used++;

    if (!v)
        return -ENOMEM;
    BUG_ON(i >= s->count); /* see virtio_slots_check() */
    if (!virtio_mmio_create(p->vm, slot_ids[i], s->base + i * s->stride,
                            p->wiring->line(p->wiring->controller, s->irq + i), v, p->why, p->why_size))
        return -ENOMEM;
    return 0;
}

/* Locally administered; VMs of one host may meet on a switch. */
static int plug_net(struct plugging *p, struct netdev *net)
{
    unsigned n = p->vm->desc.number + 1;
    const uint8_t mac[6] = {0x02, 0x43, 0x56, 0x00, (uint8_t)(n >> 8), (uint8_t)n};

    return plug(p, virtio_net_create(p->vm, "net0", mac, net, p->why, p->why_size));
}

int virtio_slots_build(struct vm *vm, const struct virtio_slots *s, const struct wiring *w,
                       const struct machine_backends *b, char *why, size_t why_size)
{
    struct plugging p = {vm, s, w, 0, why, why_size};
    int err = 0;

    for (unsigned i = 0; !err && i < DESC_DISKS; i++) {
        if (b->disk[i])
            err = plug(&p, virtio_blk_create(vm, disk_ids[i], b->disk[i], why, why_size));
    }
    if (!err && b->net)
        err = plug_net(&p, b->net);
    if (!err)
        err = plug(&p, virtio_rng_create(vm, "rng0", why, why_size));
    if (!err && b->console)
        err = plug(&p, virtio_console_create(vm, "console0", b->console, why, why_size));
    return err;
}

int virtio_slots_check(const struct vm_desc *d, unsigned count, char *why, size_t why_size)
{
    unsigned others = (d->net != DESC_NET_NONE) + 1 + (d->console != NULL);

    if (d->disk_count + others <= count)
        return 0;
    fmt_snprintf(
        why, why_size,
        "disk: %u disks are too many; machine virt has %u slots, of which network, entropy and console "
        "take %u here",
        d->disk_count, count, others);
    return -EINVAL;
}
