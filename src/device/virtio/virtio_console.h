/* virtio-console: one port over a character device (VIRTIO 1.2, 5.3). */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_CONSOLE_H
#define CV_DEVICE_VIRTIO_VIRTIO_CONSOLE_H

#include "core/chardev.h"
#include "device/virtio/virtio.h"

/*
 * Created and added, without a transport. chr stays the caller's to destroy, after the VM's devices. NULL
 * with the reason in why.
 */
struct virtio_dev *virtio_console_create(struct vm *vm, const char *id, struct chardev *chr, char *why,
                                         size_t why_size);

#endif
