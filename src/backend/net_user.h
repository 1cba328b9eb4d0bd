/*
 * A network behind user-mode NAT: the helper process of the platform (platform.h, plat_netproc) answers for
 * 10.0.2.0/24: gateway 10.0.2.2, DNS 10.0.2.3, DHCP gives 10.0.2.15.
 */
#ifndef CV_BACKEND_NET_USER_H
#define CV_BACKEND_NET_USER_H

#include "core/netdev.h"
#include "core/vmdesc.h"

struct vm;

/*
 * forwards: TCP ports of 127.0.0.1 that lead to the guest's. 0, or -E... with one line in why. Ended by
 * ops->destroy, after the VM's devices and before the VM.
 */
int net_user_create(struct netdev **out, struct vm *vm, const struct desc_forward *forwards, unsigned count,
                    char *why, size_t why_size);

#endif
