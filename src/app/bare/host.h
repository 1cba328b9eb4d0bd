/*
 * The VMs of a board: made from the bundle's descriptions by the same code as hosted ones (api/make.h), each
 * with a task that waits for its end, a scheduling group, a console and a port of the switch.
 */
#ifndef CV_APP_BARE_HOST_H
#define CV_APP_BARE_HOST_H

#include "api/make.h"
#include "backend/net_switch.h"
#include "config/bundle.h"
#include "control/control.h"
#include "platform/bare/app.h"

struct group;

struct bare_vm {
    struct host *host;
    struct config config; /* of the bundle; owns the strings of desc */
    struct vm_desc desc;  /* as resolved when it was created last */
    struct vm *vm;        /* NULL: described only */
    struct machine_backends backends;
    struct group *group;
    uint8_t pinned[VM_MAX_VCPUS]; /* the CPU that a vCPU has alone; 0: none, for CPU 0 is everybody's */
    struct plat_task *waiter;     /* in vm_wait(), from start to destroy */
    _Atomic bool broken;          /* a vCPU failed in here: what it left is not touched again */
};

struct host {
    struct bundle bundle;
    struct bare_vm vms[BUNDLE_VMS];
    unsigned count;
    struct net_switch *sw;
    struct netdev *uplink; /* of the switch: the board's network device number uplink_nic; NULL: none */
    unsigned uplink_nic;
    uint64_t cpus; /* bit = CPU that runs tasks */
    void (*quit)(void *opaque);
    void *opaque;
};

/* 0 VMs and one line of log where the bundle is no good. */
void host_init(struct host *h, const struct bare_boot *boot);
/* The board's network device joins the switch; a line of log where it cannot. */
void host_uplink(struct host *h, unsigned nic);
/* Those that are to start with the board; a line of log for each that cannot. */
void host_autostart(struct host *h);
/* Ends and destroys all. */
void host_fini(struct host *h);

/* cpu 0: it shares again. -EBUSY: the CPU is another's; -EINVAL: there is none; -ENOENT: the vCPU has no
 * task. */
int host_pin(struct bare_vm *b, unsigned vcpu, unsigned cpu);
/* As struct control_ops says; the rest is in commands.c. */
bool host_vm_at(void *opaque, unsigned i, struct control_vm *out);
int host_vm_act(void *opaque, unsigned i, enum control_act act, char *why, size_t why_size);
extern const struct control_ops host_control;

#endif
