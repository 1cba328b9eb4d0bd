/* The transport of virtio devices over memory-mapped registers, version 2 (VIRTIO 1.2, 4.2). */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_MMIO_H
#define CV_DEVICE_VIRTIO_VIRTIO_MMIO_H

#include "device/virtio/virtio.h"

#define VIRTIO_MMIO_SIZE 0x200 /* of the window; offsets past the configuration space read 0 */

/* Created, added and mapped at base; v is added already and outlives it. NULL with the reason in why. */
struct device *virtio_mmio_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq,
                                  struct virtio_dev *v, char *why, size_t why_size);

#endif
