/*
 * From a description to a VM, for both forms: choose guest, machine and engine from the registries that are
 * linked, check, make the VM, connect what the form supplies, build the machine, load the images.
 *
 * Errors: -EINVAL and its like with one line in why.
 */
#ifndef CV_API_MAKE_H
#define CV_API_MAKE_H

#include "api/registry.h"
#include "core/vmdesc.h"
#include "machine/machine.h"

/* What a description comes to in this form, on this host. */
struct make_plan {
    const struct registry_guest *guest;
    const struct machine_ops *machine;
    const struct engine_ops *engine;
    const char *engine_reason;
};

/* Completes the description (guest_arch) and chooses; reads no more than the first bytes of images. */
int make_plan(struct make_plan *p, struct vm_desc *d, char *why, size_t why_size);

/* The form's share: disks, streams, networks of the new VM. What it made of `b` stands there on failure too.
 */
struct make_form {
    int (*connect)(void *opaque, struct vm *vm, struct machine_backends *b, char *why, size_t why_size);
    void *opaque;
};
/*
 * The VM is in *vm already when connect() is called. On failure *vm and *b may hold something: destroy with
 * make_destroy(), as after success. The strings of d outlive the VM.
 */
int make_vm(struct vm **vm, struct machine_backends *b, const struct make_plan *p, const struct vm_desc *d,
            const struct make_form *form, char *why, size_t why_size);
/* Tasks stop, devices go, then backends, then the VM. */
void make_destroy(struct vm *vm, struct machine_backends *b);

#endif
