/*
 * Disks of the board. Each is a file for plat_file_open(), "board:NAME", and so is each of its partitions
 * (MBR, GPT), "board:NAME1" and on: what is written to them is written.
 */
#ifndef CV_PLATFORM_BARE_DISK_H
#define CV_PLATFORM_BARE_DISK_H

#include "core/platform.h"

#define DISK_SECTOR     512u
#define DISK_PARTITIONS 32

struct disk_ops {
    /* Whole sectors inside the disk, any count, any memory of the hypervisor; sleeps. 0 or -EIO. */
    int (*io)(void *opaque, bool write, uint64_t sector, void *buf, uint64_t count);
    int (*flush)(void *opaque);
};

struct disk {
    const struct disk_ops *ops;
    void *opaque;
    char name[16];
    uint64_t sectors;
    bool read_only;
    struct plat_lock edge; /* over writes of a part of a sector */
};

struct disk_range {
    uint64_t start, count; /* sectors */
};

/* By a driver, on a task; the storage is its own. Reads the partition table, makes the files. */
int disk_add(struct disk *d);
/*
 * Partitions by number (0: the first), count 0 where there is none; how many numbers there are. Wrong ones
 * are left out.
 */
unsigned disk_partitions(struct disk *d, struct disk_range part[DISK_PARTITIONS]);
/* Bytes; offset and size are inside the disk. */
int disk_read(struct disk *d, uint64_t offset, void *buf, size_t size);
int disk_write(struct disk *d, uint64_t offset, const void *buf, size_t size);

/* files.c: who is called (often) before a file "board:..." that is not there yet is said not to be. */
void diskfile_start_hook(void (*start)(void));
/* files.c: a part of a disk under a name. */
int diskfile_add(const char *name, struct disk *d, uint64_t offset, uint64_t size);

#endif
