/*
 * The boot bundle: the descriptions of several VMs with their kernels, initrds and disks, in one file that
 * the bare form is handed as its initrd. Written hosted, read by both; all of it is untrusted input.
 *
 * Layout, little endian: the header; at `tree` a device-tree blob; then the files, each at a multiple of
 * 4096. The tree's root has the node "files" with a child for each file (properties name, reg = offset and
 * size, sum = sum64() of lib/sum.h) and the node "vms" with a child for each VM, whose properties are
 * settings by their names in VM.yaml, as text; lists are string lists. A path is the name of a file of the
 * bundle.
 *
 * Errors: -EINVAL with one line in why.
 */
#ifndef CV_CONFIG_BUNDLE_H
#define CV_CONFIG_BUNDLE_H

#include "config/config.h"
#include "lib/fdt.h"

#define BUNDLE_MAGIC   "CVBUNDLE"
#define BUNDLE_VERSION 1
#define BUNDLE_ALIGN   4096u
#define BUNDLE_FILES   256
#define BUNDLE_VMS     64

struct bundle_header {
    char magic[8];
    uint32_t version;
    uint32_t isa;  /* of all VMs, by its number of ELF's e_machine */
    uint64_t size; /* of the bundle */
    uint64_t tree, tree_size, tree_sum;
    uint64_t sum; /* sum64() of the header before it */
};

struct bundle_file {
    const char *name;
    const void *data;
    uint64_t size, sum;
};

/* Refers to the caller's memory. */
struct bundle {
    const uint8_t *data;
    uint64_t size;
    const char *arch;
    struct dtb tree;
    unsigned file_count, vm_count;
};

/*
 * Checks header, tree, the place of every file, and every VM's settings; not the sums of files, which are for
 * who reads them. arch: the ISA that is wanted, NULL: any.
 */
int bundle_open(struct bundle *b, const void *data, uint64_t size, const char *arch, char *why,
                size_t why_size);
/* i below the counts. */
void bundle_file(const struct bundle *b, unsigned i, struct bundle_file *f);
/* The settings of VM i into a fresh config. */
int bundle_vm(const struct bundle *b, unsigned i, struct config *c, char *why, size_t why_size);

/* ---- writing; hosted ---- */

/* Told of each setting that the bare form has no use for, one line each. */
struct bundle_notes {
    void (*note)(void *opaque, const char *line);
    void *opaque;
};
/*
 * The configs were checked before; each names its guest_arch, and all the same. -EINVAL: two VMs of one name,
 * mixed ISAs; or what the files say.
 */
int bundle_write(const char *path, struct config *const *vms, unsigned count, struct bundle_notes notes,
                 char *why, size_t why_size);

/* ---- both ---- */

/* ELF's number, 0: unknown. */
uint32_t bundle_isa(const char *arch);

#endif
