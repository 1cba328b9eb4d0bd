/*
 * The hypervisor's own memory: slab caches of objects of one size, pools private to their user, and
 * plat_alloc() (core/platform.h) over classes of sizes. What is larger than a class comes from frames.
 */
#ifndef CV_PLATFORM_BARE_MM_HEAP_H
#define CV_PLATFORM_BARE_MM_HEAP_H

#include "lib/list.h"
#include "platform/bare/sync/spin.h"

#define HEAP_SLAB_ORDER 2 /* 16 KiB */
#define HEAP_MAGAZINE   16

struct slab;

/* Objects that a CPU gives and takes without a lock. */
struct magazine {
    void *object[HEAP_MAGAZINE];
    unsigned count;
};

struct cache {
    const char *name;
    uint32_t size, per_slab;
    struct spin lock;
    struct list_link partial; /* slabs with free objects; lock, as all below */
    struct list_link all_caches;
    struct slab *spare; /* one empty slab is kept */
    uint64_t slabs;
    uint64_t used; /* objects that are not in slabs: with users or in magazines */
    struct magazine magazine[CPU_MAX];
};

/* The caller's storage. size up to 4096; rounded up to 16. */
void cache_init(struct cache *c, const char *name, size_t size);
/* Not zeroed, aligned to 16; NULL without memory. */
void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *p);
/* Gives empty slabs back, and what this CPU's magazine holds. */
void cache_shrink(struct cache *c);
/* All objects are back, and no other CPU's magazine has any. */
void cache_fini(struct cache *c);

void heap_init(void);
/* i-th cache, for figures; NULL past the last. */
struct cache *cache_at(unsigned i);
/* Empties every CPU's magazines and gives empty slabs back, so that figures before and after can be compared.
 * No lock held. */
void heap_shrink(void);
/* Bytes behind plat_alloc() that are not from caches. */
uint64_t heap_large(void);

#endif
