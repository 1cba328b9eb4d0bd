/* The virtio-mmio slots of a board, filled in the order of use: disks, network, entropy, console. */
#ifndef CV_MACHINE_VIRTIO_SLOTS_H
#define CV_MACHINE_VIRTIO_SLOTS_H

#include "machine/machine.h"

#define VIRTIO_SLOTS_MAX 32

struct virtio_slots {
    gpa_t base;
    uint64_t stride;
    unsigned count; /* at most VIRTIO_SLOTS_MAX */
    unsigned irq;   /* of slot 0; the next slot's is one more */
};

/* The controller that device wires go to, and the line of one of its inputs. */
struct wiring {
    struct device *controller;
    struct irq_line (*line)(struct device *controller, unsigned irq);
};

/* -EINVAL with the reason: more devices than slots. */
int virtio_slots_check(const struct vm_desc *d, unsigned count, char *why, size_t why_size);
/* Makes the devices that were checked. */
int virtio_slots_build(struct vm *vm, const struct virtio_slots *s, const struct wiring *w,
                       const struct machine_backends *b, char *why, size_t why_size);

#endif
