/*
 * The validated description of one VM: what config/ makes of YAML and flags and what machine/ builds
 * from. Plain data; strings live in the description's own arena, or are literals.
 */
#ifndef CV_CORE_VMDESC_H
#define CV_CORE_VMDESC_H

#include "core/log.h"

#define DESC_DISKS    16
#define DESC_FORWARDS 32

/* VSWITCH: a switch between the VMs of one host. */
enum desc_net { DESC_NET_NONE, DESC_NET_NAT, DESC_NET_VSWITCH };

/* How the bare form's scheduler treats the VM's vCPUs. */
enum desc_policy { DESC_POLICY_RR, DESC_POLICY_FIFO, DESC_POLICY_PRIORITY, DESC_POLICIES };
extern const char *const desc_policy_names[DESC_POLICIES];

struct desc_sched {
    enum desc_policy policy;
    unsigned priority; /* 0 to 255, the highest first */
    unsigned weight;   /* 1 to 1000, 100 is usual */
    unsigned budget;   /* percent of one CPU that the VM gets at most; 0: no bound */
    uint64_t affinity; /* bit = CPU of the host; 0: any */
    bool pin;          /* each vCPU has a CPU of its own */
};

struct desc_disk {
    const char *path;
    bool read_only;
};

struct desc_forward {
    uint16_t host, guest;
};

struct vm_desc {
    const char *name;            /* default: "vm" */
    const char *guest_arch;      /* canonical: "riscv64" */
    const char *accel;           /* "auto", "interp", "jit" */
    const char *machine;         /* "virt" */
    const char *machine_options; /* "aia=aplic-imsic" or NULL */
    const char *cpu;             /* "max[,+f][,-f]" */
    uint64_t memory;             /* bytes */
    unsigned smp;
    const char *kernel, *initrd, *append, *firmware;
    struct desc_disk disks[DESC_DISKS];
    unsigned disk_count;
    enum desc_net net;
    struct desc_forward forwards[DESC_FORWARDS];
    unsigned forward_count;
    const char *serial; /* "stdio", ... as cli.md */
    bool deterministic, no_reboot;
    const char *console;       /* second console, virtio: as serial; NULL or "none": no device */
    uint64_t checkpoint_every; /* instructions, 0: none */
    uint64_t hash_dump;        /* checkpoint number, 0: none */
    struct log log;
    unsigned verbose;
    bool quiet, json;
    const char *monitor;     /* hosted: "stdio", "unix:PATH"; NULL: none */
    bool manual;             /* bare: not started with the board (autostart: false) */
    struct desc_sched sched; /* bare */
    unsigned number;         /* among the VMs of one host: what has to differ between them, as a MAC */
};

#endif
