/*
 * Guest-physical memory: regions, host pointers, per-page flags. The map is replaced whole and read
 * without a lock. RAM and ROM have host memory; MMIO regions go to the bus. Flash is both: its reads come
 * from host memory or from its device, as the device says, its writes always go to the device.
 */
#ifndef CV_CORE_MEM_H
#define CV_CORE_MEM_H

#include <stdatomic.h>
#include "lib/base.h"

struct vm;
struct device;

enum mem_kind { MEM_RAM, MEM_ROM, MEM_MMIO };
/* CODE and WATCH keep stores off the fast path; WATCH: vm->watch is told of each store (tohost). */
enum mem_page_flag { MEM_PAGE_CODE = 1, MEM_PAGE_DIRTY = 2, MEM_PAGE_WATCH = 4 };
#define MEM_PAGE_BITS 12
#define MEM_PAGE_SIZE 4096u

struct mem_region {
    gpa_t base;
    uint64_t size;
    _Atomic enum mem_kind kind; /* constant but for flash: ROM or MMIO, see mem_flash_set() */
    const char *name;
    uint8_t *host;          /* RAM, ROM, flash */
    _Atomic uint8_t *flags; /* RAM, ROM, flash: one byte a page, enum mem_page_flag */
    struct device *dev;     /* MMIO, flash: who answers */
    unsigned dev_region;    /* MMIO, flash: the device's own number of this window */
    bool owned;             /* host memory was allocated here */
};

struct mem_map; /* sorted, immutable */

struct mem {
    struct mem_map *_Atomic map;
    struct vm *vm;
};

int mem_init(struct mem *m, struct vm *vm);
void mem_fini(struct mem *m);
/* -EEXIST on overlap (why names both), -EINVAL on an empty, unaligned (RAM: page) or wrapping range. */
int mem_add_ram(struct mem *m, gpa_t base, uint64_t size, enum mem_kind kind, const char *name, char *why,
                size_t why_size);
int mem_add_mmio(struct mem *m, gpa_t base, uint64_t size, struct device *dev, unsigned dev_region,
                 const char *name, char *why, size_t why_size);
/* Flash: zeroed host memory behind a device's window; it begins as MMIO. */
int mem_add_flash(struct mem *m, gpa_t base, uint64_t size, struct device *dev, unsigned dev_region,
                  const char *name, char *why, size_t why_size);
/*
 * Where the flash at base is read from now on: its host memory, or its device; true when that is a change. By
 * the device, in its lock; the engines hear of it when the access that caused it ends (device.h, switched).
 */
bool mem_flash_set(struct mem *m, gpa_t base, bool host);
/* Makes every vCPU look again what its accesses meet. Outside all locks. */
void mem_flash_announce(struct mem *m);
int mem_remove(struct mem *m, gpa_t base);
/* The region holding gpa, or NULL. O(log n). */
const struct mem_region *mem_find(const struct mem *m, gpa_t gpa);
/* i-th region in address order, or NULL past the last. */
const struct mem_region *mem_region_at(const struct mem *m, unsigned i);

/* Host pointer to [gpa, gpa+len) when all of it is RAM (or ROM for reads); NULL otherwise. */
void *mem_ptr(const struct mem *m, gpa_t gpa, uint64_t len, bool write);
/* Every writer through mem_ptr or to flash ends with this: marks pages dirty, kills code on them. */
void mem_dirty(struct mem *m, gpa_t gpa, uint64_t len);
/* Copies; -EFAULT where not all of it is RAM/ROM, then nothing was copied. */
int mem_read(const struct mem *m, gpa_t gpa, void *buf, uint64_t len);
int mem_write(struct mem *m, gpa_t gpa, const void *buf, uint64_t len);
/* Loader's way: may write ROM. */
int mem_load(struct mem *m, gpa_t gpa, const void *buf, uint64_t len);
/* Zeros; pages that are zero stay untouched. -EFAULT like mem_load(). */
int mem_zero(struct mem *m, gpa_t gpa, uint64_t len);

/* Flags of the page holding gpa. mem_page_mark gives the old flags. */
uint8_t mem_page_flags(const struct mem *m, gpa_t gpa);
uint8_t mem_page_mark(const struct mem *m, gpa_t gpa, uint8_t set, uint8_t clear);

/*
 * Hash of RAM as the sum over pages of H(gpa, page), pages of zeros counting 0. Brought up to date from
 * the DIRTY pages only, which it clears; vCPUs must be stopped and engines told (dirty_restart).
 */
uint64_t mem_hash(struct mem *m);
/* One line a page that is not all zeros: "page GPA = HASH". */
void mem_dump(struct mem *m, void (*emit)(void *opaque, const char *line), void *opaque);
/* Host bytes of RAM the guest touched, as far as the flags know. */
uint64_t mem_touched(const struct mem *m);

#endif
