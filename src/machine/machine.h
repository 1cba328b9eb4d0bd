/*
 * A machine: which devices stand where, and how it boots. It builds a VM from its description; it knows
 * no engine.
 */
#ifndef CV_MACHINE_MACHINE_H
#define CV_MACHINE_MACHINE_H

#include "core/chardev.h"
#include "core/blockdev.h"
#include "core/netdev.h"
#include "core/vm.h"

/* What the front end connects to the machine's devices. All stay the caller's, to destroy after the VM. */
struct machine_backends {
    struct chardev *serial;  /* NULL: output dropped */
    struct chardev *console; /* virtio console, NULL: none */
    struct blockdev *disk[DESC_DISKS];
    struct netdev *net; /* NULL: no network device */
    struct blockdev
        *vars; /* the second bank of flash (option vars=FILE); NULL: what is in it ends with the VM */
};

struct machine_ops {
    const char *name; /* "virt" */
    const char *guest_arch;
    const char *summary;
    const char *options; /* "aia=none|aplic|aplic-imsic", for help and error texts; NULL: none */
    uint64_t vars_size;  /* bytes of the file of option vars=FILE; 0: there is no such option */
    unsigned cpu_max;
    /* 0, or -EINVAL with the reason: options, sizes, what files are given. Starts nothing. */
    int (*check)(const struct vm_desc *desc, char *why, size_t why_size);
    /* Memory and devices into a new VM; sets vm->boot. */
    int (*build)(struct vm *vm, const struct machine_backends *backends, char *why, size_t why_size);
};

/* The registry: NULL-terminated. */
extern const struct machine_ops *const machines[];
const struct machine_ops *machine_find(const char *name, const char *guest_arch);

/* "aia=aplic-imsic,x=y": value of key copied into value; false when absent. */
bool machine_option(const char *options, const char *key, char *value, size_t size);
/* Every word is one of `known`, NULL-terminated, each name once; "x=" takes any value but none. 0, or with
 * the reason -EINVAL, or -ERANGE where it is the value that is none. */
int machine_options_check(const char *machine, const char *options, const char *const *known, char *why,
                          size_t why_size);

#endif
