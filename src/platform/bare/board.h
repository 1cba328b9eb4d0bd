/*
 * The board as its device tree describes it: memory minus what is reserved, CPUs, command line, bundle. Made
 * once at boot, read by everybody.
 */
#ifndef CV_PLATFORM_BARE_BOARD_H
#define CV_PLATFORM_BARE_BOARD_H

#include "lib/fdt.h"
#include "platform/bare/cpu.h"

#define BOARD_RANGES 32

struct board_range {
    uint64_t base, size;
};

struct board {
    struct dtb dtb;
    uint64_t fdt_pa, fdt_size;
    char model[64];
    /* RAM as the tree has it; and what of it is free: page aligned, without image, tree, bundle,
     * reservations. */
    struct board_range ram[BOARD_RANGES], free[BOARD_RANGES];
    unsigned ram_count, free_count;
    /* Reservations that must not even be mapped (Devicetree: no-map); page aligned outwards. */
    struct board_range no_map[BOARD_RANGES];
    unsigned no_map_count;
    uint64_t ram_size;
    struct board_range bundle; /* /chosen linux,initrd-*; size 0: none */
    char bootargs[512];
    struct {
        uint64_t hw_id;
        dtb_node node;
    } cpu[CPU_MAX];
    unsigned cpu_count, cpu_left_out; /* the boot CPU is [0]; those above CPU_MAX are left out */
    dtb_node stdout_node;             /* /chosen stdout-path, DTB_NONE without */
    uint32_t timebase;                /* /cpus timebase-frequency, 0 without */
};

/*
 * Reads the tree. The image is at [image, image_end). 0, or -E... with the reason in words: no tree, no
 * memory, none of the CPUs is hw_id.
 */
int board_read(struct board *b, const void *fdt, uint64_t fdt_pa, uint64_t image, uint64_t image_end,
               uint64_t hw_id, char *why, size_t why_size);
/* The board we run on; NULL before it was read. */
const struct board *board_get(void);
/*
 * Value of "name=value" on the command line, or "" for a bare "name"; NULL without. Copied to buf, cut to
 * fit.
 */
const char *board_arg(const struct board *b, const char *name, char *buf, size_t size);
/* Window i of a device node ("reg"), translated by the "ranges" of its parents; -ENOENT. */
int board_reg(const struct board *b, dtb_node n, unsigned i, uint64_t *pa, uint64_t *size);

#endif
