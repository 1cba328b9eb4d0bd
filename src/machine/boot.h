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
/* desc.initrd page aligned under `top`, not below `floor`; *size 0 without one. */
int boot_load_initrd(struct vm *vm, gpa_t floor, gpa_t top, gpa_t *at, uint64_t *size, char *why,
                     size_t why_size);
/* /chosen: command line, console (a path), initrd, seed. */
void boot_describe_chosen(struct vm *vm, struct dtw *w, const char *console, gpa_t initrd,
                          uint64_t initrd_size);
void boot_describe_memory(struct dtw *w, struct boot_ram ram);

#endif
