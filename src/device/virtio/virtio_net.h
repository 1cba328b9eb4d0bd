/* virtio-net: a network interface on a netdev (VIRTIO 1.2, 5.1): one pair of queues, no offloads. */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_NET_H
#define CV_DEVICE_VIRTIO_VIRTIO_NET_H

#include "core/netdev.h"
#include "device/virtio/virtio.h"

#define VIRTIO_NET_FRAME 1522 /* longest frame, VLAN tag included, without checksum sequence */

/*
 * Created and added, without a transport. net stays the caller's to destroy, after the VM's devices. NULL
 * with the reason in why.
 */
struct virtio_dev *virtio_net_create(struct vm *vm, const char *id, const uint8_t mac[6], struct netdev *net,
                                     char *why, size_t why_size);

#endif
