/* virtio-rng: entropy of the host, or of a seeded generator under --deterministic (VIRTIO 1.2, 5.4). */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_RNG_H
#define CV_DEVICE_VIRTIO_VIRTIO_RNG_H

#include "device/virtio/virtio.h"

/* Created and added, without a transport. NULL with the reason in why. */
struct virtio_dev *virtio_rng_create(struct vm *vm, const char *id, char *why, size_t why_size);

#endif
