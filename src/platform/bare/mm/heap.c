/*
 * Slab caches. A slab is 16 KiB, aligned to its size, so that an object leads to it; free objects are a list
 * through their first word. Each CPU keeps a magazine of objects in front of the lock.
 */
#include "platform/bare/mm/heap.h"
#include "core/platform.h"
#include "lib/str.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"

#define SLAB_BYTES ((uint64_t)FRAME_BYTES << HEAP_SLAB_ORDER)

struct slab {
    struct list_link link;
    struct cache *cache;
    void *free;           /* first free object */
    uint32_t used, fresh; /* objects out; objects never given yet start at this index */
};

#define SLAB_HEAD ALIGN_UP(sizeof(struct slab), 16)

/* Sizes of plat_alloc(): powers of two and what is half way, so that a quarter at most is lost. */
static const uint16_t classes[] = {16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3264};

static struct {
    struct cache class[ARRAY_SIZE(classes)];
    uint8_t by_size[3264 / 16 + 1]; /* class of each multiple of 16 */
    struct spin lock;
    struct list_link caches; /* lock */
    _Atomic uint64_t large;
} heap;

void cache_init(struct cache *c, const char *name, size_t size)
{
    bool on;

    memset(c, 0, sizeof(*c));
    c->name = name;
    c->size = (uint32_t)ALIGN_UP(MAX(size, (size_t)16), 16);
    c->per_slab = (uint32_t)((SLAB_BYTES - SLAB_HEAD) / c->size);
    BUG_ON(c->size > 4096);
    c->lock = SPIN_INIT(RANK_HEAP);
    list_init(&c->partial);
    on = spin_lock_irq(&heap.lock);
    list_push_back(&heap.caches, &c->all_caches);
    spin_unlock_irq(&heap.lock, on);
}

static struct slab *slab_new(struct cache *c)
{
    struct slab *s = c->spare;

    c->spare = NULL;
    if (!s) {
        s = frame_alloc(HEAP_SLAB_ORDER, FRAME_SLAB);
        if (!s)
            return NULL;
        *s = (struct slab){.cache = c};
        c->slabs++;
    }
    list_push_front(&c->partial, &s->link);
    return s;
}

static void *slab_take(struct cache *c)
{
    struct slab *s = list_empty(&c->partial) ? slab_new(c) : LIST_ENTRY(c->partial.next, struct slab, link);
    void *p;

    if (!s)
        return NULL;
    p = s->free;
    if (p)
        s->free = *(void **)p;
    else
        p = (char *)s + SLAB_HEAD + (size_t)c->size * s->fresh++;
    if (++s->used == c->per_slab)
        list_remove(&s->link);
    c->used++;
    return p;
}

static void slab_put(struct cache *c, void *p)
{
    struct slab *s = (struct slab *)ALIGN_DOWN((uintptr_t)p, SLAB_BYTES);

    BUG_ON(s->cache != c || !s->used);
    *(void **)p = s->free;
    s->free = p;
    c->used--;
    if (s->used-- == c->per_slab)
        list_push_front(&c->partial, &s->link);
    if (s->used)
        return;
    list_remove(&s->link);
    if (!c->spare) {
        c->spare = s;
        return;
    }
    c->slabs--;
    frame_free(s);
}

void *cache_alloc(struct cache *c)
{
    bool on = arch_irq_save();
    struct magazine *m = &c->magazine[arch_cpu()->id];
    void *p = NULL;

    if (!m->count) {
        spin_lock(&c->lock);
        while (m->count < HEAP_MAGAZINE / 2) {
            void *more = slab_take(c);

            if (!more)
                break;
            m->object[m->count++] = more;
        }
        spin_unlock(&c->lock);
    }
    if (m->count)
        p = m->object[--m->count];
    arch_irq_restore(on);
    return p;
}

void cache_free(struct cache *c, void *p)
{
    bool on = arch_irq_save();
    struct magazine *m = &c->magazine[arch_cpu()->id];

    if (m->count == HEAP_MAGAZINE) {
        spin_lock(&c->lock);
        while (m->count > HEAP_MAGAZINE / 2)
            slab_put(c, m->object[--m->count]);
        spin_unlock(&c->lock);
    }
    m->object[m->count++] = p;
    arch_irq_restore(on);
}

void cache_shrink(struct cache *c)
{
    bool on = spin_lock_irq(&c->lock);
    struct magazine *m = &c->magazine[arch_cpu()->id];

    while (m->count)
        slab_put(c, m->object[--m->count]);
    if (c->spare) {
        frame_free(c->spare);
        c->spare = NULL;
        c->slabs--;
    }
    spin_unlock_irq(&c->lock, on);
}

void cache_fini(struct cache *c)
{
    bool on;

    cache_shrink(c);
    BUG_ON(c->used || c->slabs);
    on = spin_lock_irq(&heap.lock);
    list_remove(&c->all_caches);
    spin_unlock_irq(&heap.lock, on);
}

void heap_init(void)
{
    unsigned class = 0;

    heap.lock = SPIN_INIT(RANK_HEAP);
    list_init(&heap.caches);
    heap.large = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++)
        cache_init(&heap.class[i], "heap", classes[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(heap.by_size); i++) {
        if (i * 16 > classes[class])
            class ++;
        heap.by_size[i] = (uint8_t) class;
    }
}

struct cache *cache_at(unsigned i)
{
    struct cache *found = NULL;
    bool on = spin_lock_irq(&heap.lock);

    LIST_FOR_EACH(l, &heap.caches)
    {
        if (!i--) {
            found = LIST_ENTRY(l, struct cache, all_caches);
            break;
        }
    }
    spin_unlock_irq(&heap.lock, on);
    return found;
}

static void shrink_here(void *unused)
{
    struct cache *c;

    (void)unused;
    for (unsigned i = 0; (c = cache_at(i)); i++)
        cache_shrink(c);
}

void heap_shrink(void)
{
    ipi_call(cpu_online_mask(), shrink_here, NULL);
}

uint64_t heap_large(void)
{
    return atomic_load(&heap.large);
}

void *plat_alloc(size_t size)
{
    void *p;

    if (size <= classes[ARRAY_SIZE(classes) - 1]) {
        struct cache *c = &heap.class[heap.by_size[(size + 15) / 16]];

        p = cache_alloc(c);
        return p ? memset(p, 0, ALIGN_UP(MAX(size, (size_t)1), 16)) : NULL;
    }
    if (size > UINT64_MAX / 4)
        return NULL;
    size = ALIGN_UP(size, FRAME_BYTES);
    p = frame_alloc_range(size);
    if (p) {
        memset(p, 0, size);
        atomic_fetch_add(&heap.large, size);
    }
    return p;
}

/* Debug builds: who still uses what is free meets no pointer there. */
static void spoil(void *p, size_t size)
{
#ifdef CV_DEBUG
    memset(p, 0x5a, size);
#else
    (void)p;
    (void)size;
#endif
}

void plat_free(void *p)
{
    enum frame_use use;
    uint64_t size;
    void *slab = (void *)ALIGN_DOWN((uintptr_t)p, SLAB_BYTES);

    if (!p)
        return;
    if (frame_block(slab, &use, &size) && use == FRAME_SLAB) {
        struct cache *c = ((struct slab *)slab)->cache;

        spoil(p, c->size);
        cache_free(c, p);
        return;
    }
    if (frame_block(p, &use, &size)) {
        spoil(p, size);
        atomic_fetch_sub(&heap.large, size);
    }
    frame_free(p);
}
