/* virtio-blk: a disk over a block device (VIRTIO 1.2, 5.2). Requests are done one by one in a work item. */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_BLK_H
#define CV_DEVICE_VIRTIO_VIRTIO_BLK_H

#include "core/blockdev.h"
#include "device/virtio/virtio.h"

/*
 * Created and added, without a transport. disk stays the caller's to destroy, after the VM's devices. id
 * is also the disk's serial number as the guest reads it. NULL with the reason in why.
 */
struct virtio_dev *virtio_blk_create(struct vm *vm, const char *id, struct blockdev *disk, char *why,
                                     size_t why_size);

#endif
