/*
 * A learning Ethernet switch between the VMs of one host or process. A frame waits at the port it goes to
 * until that VM's worker takes it; what finds no room there is lost, so that no VM can hold up another.
 */
#ifndef CV_BACKEND_NET_SWITCH_H
#define CV_BACKEND_NET_SWITCH_H

#include "core/netdev.h"

struct vm;
struct net_switch;

struct net_switch *net_switch_create(void); /* NULL without memory */
/* When all ports are gone. */
void net_switch_destroy(struct net_switch *s);
/*
 * A port for one network device of vm. 0, or -E... with one line in why. Ended by ops->destroy, after the
 * VM's devices and before the VM.
 */
int net_switch_port(struct netdev **out, struct net_switch *s, struct vm *vm, char *why, size_t why_size);

/*
 * A port that leads out of the host: frames for it go to send() at once, from any task, with the switch's
 * lock held; what comes in goes to net_switch_input(). For good. -ENOMEM, -EBUSY.
 */
int net_switch_uplink(struct netdev **out, struct net_switch *s,
                      void (*send)(void *opaque, const void *frame, size_t len), void *opaque);
void net_switch_input(struct netdev *port, const void *frame, size_t len);

struct net_switch_stat {
    uint64_t frames, flooded, dropped; /* came in; went to every port; found no room at one */
    unsigned ports, addresses;
};
void net_switch_stat(struct net_switch *s, struct net_switch_stat *st);

#endif
