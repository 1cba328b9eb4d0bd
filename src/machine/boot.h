/*
 * What the boards' boot code has in common: images into memory by their kind, the initrd high in RAM, and the
 * device tree's /chosen. Errors: as loader.h, with the reason in why.
 */
#ifndef CV_MACHINE_BOOT_H
#define CV_MACHINE_BOOT_H

#include "core/vm.h"
#include "loader/loader.h"

struct dtw;

/* Where a board takes images. */
struct boot_ram {
    gpa_t base;
    uint64_t size;
};

/* The file at path by its kind; raw_at: where a raw binary goes, 0: it is refused. */
int boot_load_file(struct vm *vm, const char *path, struct boot_ram ram, gpa_t raw_at, struct loaded *out,
                   char *why, size_t why_size);
/* Where the initrd is; size 0: there is none. */
struct boot_initrd {
    gpa_t at;
    uint64_t size;
};

/* desc.initrd page aligned under `top`, not below `floor`. */
int boot_load_initrd(struct vm *vm, gpa_t floor, gpa_t top, struct boot_initrd *out, char *why,
                     size_t why_size);

/* Where the device tree goes: the end of RAM, or of what of it lies below 4 GiB. */
gpa_t boot_fdt_at(struct boot_ram ram);
/* What was loaded from `path` leaves it alone: -EFBIG with the reason. */
int boot_check_fdt(struct boot_ram ram, const char *path, const struct loaded *l, char *why, size_t why_size);
/* Writes to `at` the device tree whose root `fill` makes. */
int boot_place_fdt(struct vm *vm, gpa_t at, const struct boot_initrd *initrd,
                   int (*fill)(struct vm *vm, struct dtw *w, const struct boot_initrd *initrd), char *why,
                   size_t why_size);
/* /chosen (command line, console by its path, initrd, seed), /memory, and what the guest folder says of CPUs.
 */
int boot_describe_guest(struct vm *vm, struct dtw *w, const char *console, struct boot_ram ram,
                        const struct boot_initrd *initrd);
void boot_describe_devices(struct vm *vm, struct dtw *w);

#endif
