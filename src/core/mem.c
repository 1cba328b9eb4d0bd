/* Guest-physical memory: the map, host pointers, page flags, the hash of RAM. */
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/str.h"

/*
 * Regions are allocated one by one and never move: pointers from mem_find() stay good as long as the
 * region is mapped. The array is replaced whole on each change; replaced ones are kept until the end,
 * since a reader may still look at one (changes are few: set-up and hot plug).
 */
struct mem_map {
    struct mem_map *retired;
    unsigned count;
    struct mem_region *region[];
};

/* Per-page hashes behind mem_hash(), made when first asked for. */
struct mem_private {
    struct mem_region r;
    uint64_t *page_hash;
    uint64_t sum;
};

static struct mem_private *private_of(const struct mem_region *r)
{
    return container_of(r, struct mem_private, r);
}

static struct mem_map *map_alloc(unsigned count)
{
    struct mem_map *map = plat_alloc(sizeof(*map) + count * sizeof(map->region[0]));

    if (map)
        map->count = count;
    return map;
}

int mem_init(struct mem *m, struct vm *vm)
{
    struct mem_map *map = map_alloc(0);

    m->vm = vm;
    atomic_store(&m->map, map);
    return map ? 0 : -ENOMEM;
}

static void region_free(struct mem_region *r)
{
    uint64_t pages = r->size / MEM_PAGE_SIZE;

    if (r->owned) {
        plat_ram_unmap(r->host, r->size);
        plat_free((void *)r->flags);
    }
    if (private_of(r)->page_hash)
        plat_ram_unmap(private_of(r)->page_hash, ALIGN_UP(pages * sizeof(uint64_t), MEM_PAGE_SIZE));
    plat_free(private_of(r));
}

void mem_fini(struct mem *m)
{
    struct mem_map *map = atomic_load(&m->map);

    if (!map)
        return;
    for (unsigned i = 0; i < map->count; i++)
        region_free(map->region[i]);
    while (map) {
        struct mem_map *next = map->retired;

        plat_free(map);
        map = next;
    }
    atomic_store(&m->map, NULL);
}

static int map_insert(struct mem *m, struct mem_region *r, char *why, size_t why_size)
{
    struct mem_map *old = atomic_load(&m->map), *map;
    unsigned at = 0;

    for (unsigned i = 0; i < old->count; i++) {
        const struct mem_region *o = old->region[i];

        if (r->base <= o->base + (o->size - 1) && o->base <= r->base + (r->size - 1)) {
            fmt_snprintf(why, why_size, "%s at 0x%llx overlaps %s at 0x%llx", r->name,
                         (unsigned long long)r->base, o->name, (unsigned long long)o->base);
            return -EEXIST;
        }
        if (o->base < r->base)
            at = i + 1;
    }
    map = map_alloc(old->count + 1);
    if (!map) {
        fmt_snprintf(why, why_size, "no memory for the map entry of %s", r->name);
        return -ENOMEM;
    }
    memcpy(map->region, old->region, at * sizeof(map->region[0]));
    map->region[at] = r;
    memcpy(map->region + at + 1, old->region + at, (old->count - at) * sizeof(map->region[0]));
    map->retired = old;
    atomic_store(&m->map, map);
    if (m->vm && m->vm->engine && m->vm->engine->mem_changed)
        m->vm->engine->mem_changed(m->vm);
    return 0;
}

static int region_new(struct mem_region **out, gpa_t base, uint64_t size, enum mem_kind kind,
                      const char *name, char *why, size_t why_size)
{
    struct mem_private *p;

    if (!size || base + (size - 1) < base || (kind != MEM_MMIO && ((base | size) & (MEM_PAGE_SIZE - 1)))) {
        fmt_snprintf(why, why_size, "%s: 0x%llx bytes at 0x%llx is no possible range", name,
                     (unsigned long long)size, (unsigned long long)base);
        return -EINVAL;
    }
    p = plat_alloc(sizeof(*p));
    if (!p) {
        fmt_snprintf(why, why_size, "no memory for the map entry of %s", name);
        return -ENOMEM;
    }
    p->r = (struct mem_region){.base = base, .size = size, .kind = kind, .name = name};
    *out = &p->r;
    return 0;
}

/* A region with memory of its own; dev: flash. */
static int add_backed(struct mem *m, struct mem_region *r, char *why, size_t why_size)
{
    uint64_t size = r->size;
    int err;

    r->owned = true;
    r->host = plat_ram_map(size, "carbovisor-ram");
    r->flags = plat_alloc(size / MEM_PAGE_SIZE);
    if (!r->host || !r->flags) {
        fmt_snprintf(why, why_size,
                     "%s: the host gives no %llu MiB of memory; ask for less (--memory), or free some",
                     r->name, (unsigned long long)(size >> 20));
        if (r->host)
            plat_ram_unmap(r->host, size);
        plat_free((void *)r->flags);
        plat_free(private_of(r));
        return -ENOMEM;
    }
    err = map_insert(m, r, why, why_size);
    if (err)
        region_free(r);
    return err;
}

int mem_add_ram(struct mem *m, gpa_t base, uint64_t size, enum mem_kind kind, const char *name, char *why,
                size_t why_size)
{
    struct mem_region *r;
    int err = region_new(&r, base, size, kind, name, why, why_size);

    return err ? err : add_backed(m, r, why, why_size);
}

int mem_add_flash(struct mem *m, gpa_t base, uint64_t size, struct device *dev, unsigned dev_region,
                  const char *name, char *why, size_t why_size)
{
    struct mem_region *r;
    int err = region_new(&r, base, size, MEM_ROM, name, why, why_size);

    if (err)
        return err;
    r->dev = dev;
    r->dev_region = dev_region;
    atomic_store(&r->kind, MEM_MMIO);
    return add_backed(m, r, why, why_size);
}

int mem_add_mmio(struct mem *m, gpa_t base, uint64_t size, struct device *dev, unsigned dev_region,
                 const char *name, char *why, size_t why_size)
{
    struct mem_region *r;
    int err = region_new(&r, base, size, MEM_MMIO, name, why, why_size);

    if (err)
        return err;
    r->dev = dev;
    r->dev_region = dev_region;
    err = map_insert(m, r, why, why_size);
    if (err)
        region_free(r);
    return err;
}

static struct mem_region *region_at(struct mem *m, gpa_t base)
{
    const struct mem_map *map = atomic_load(&m->map);

    for (unsigned i = 0; i < map->count; i++) {
        if (map->region[i]->base == base)
            return map->region[i];
    }
    return NULL;
}

bool mem_flash_set(struct mem *m, gpa_t base, bool host)
{
    struct mem_region *r = region_at(m, base);
    enum mem_kind kind = host ? MEM_ROM : MEM_MMIO;

    BUG_ON(!r || !r->host || !r->dev);
    return atomic_exchange(&r->kind, kind) != kind;
}

static void forget_translations(struct vcpu *v, void *arg)
{
    const struct flush_scope all = {.kind = FLUSH_ALL};

    (void)arg;
    v->vm->engine->flush(v, &all);
}

/*
 * Translated code stays: it changes with the bytes only, and mem_dirty() tells of these. Who runs code from
 * flash that reads as something else gets what he would not on real hardware: the code.
 */
void mem_flash_announce(struct mem *m)
{
    struct vcpu *self = plat_current();
    struct vm *vm = m->vm;

    if (!vm->vcpu_count || !vm->vcpu[0]->set_up)
        return;
    if (vm->engine->hardware) {
        if (vm->engine->mem_changed)
            vm->engine->mem_changed(vm);
        return;
    }
    vcpu_call_mask(self && self->vm == vm ? self : NULL, vm, UINT64_MAX, forget_translations, NULL);
}

int mem_remove(struct mem *m, gpa_t base)
{
    struct mem_map *old = atomic_load(&m->map), *map;
    unsigned at = 0;

    while (at < old->count && old->region[at]->base != base)
        at++;
    if (at == old->count)
        return -ENOENT;
    map = map_alloc(old->count - 1);
    if (!map)
        return -ENOMEM;
    memcpy(map->region, old->region, at * sizeof(map->region[0]));
    memcpy(map->region + at, old->region + at + 1, (map->count - at) * sizeof(map->region[0]));
    map->retired = old;
    atomic_store(&m->map, map);
    if (m->vm && m->vm->engine && m->vm->engine->mem_changed)
        m->vm->engine->mem_changed(m->vm); /* after it no engine holds a pointer into the region */
    region_free(old->region[at]);
    return 0;
}

const struct mem_region *mem_find(const struct mem *m, gpa_t gpa)
{
    const struct mem_map *map = atomic_load_explicit(&m->map, memory_order_acquire);
    unsigned lo = 0, hi = map->count;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const struct mem_region *r = map->region[mid];

        if (gpa < r->base)
            hi = mid;
        else if (gpa - r->base < r->size)
            return r;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct mem_region *mem_region_at(const struct mem *m, unsigned i)
{
    const struct mem_map *map = atomic_load_explicit(&m->map, memory_order_acquire);

    return i < map->count ? map->region[i] : NULL;
}

/* The RAM or ROM region holding all of [gpa, gpa+len), or NULL. */
static const struct mem_region *backed(const struct mem *m, gpa_t gpa, uint64_t len)
{
    const struct mem_region *r = mem_find(m, gpa);

    if (!r || r->kind == MEM_MMIO || len > r->size - (gpa - r->base))
        return NULL;
    return r;
}

void *mem_ptr(const struct mem *m, gpa_t gpa, uint64_t len, bool write)
{
    const struct mem_region *r = backed(m, gpa, len);

    if (!r || (write && r->kind != MEM_RAM))
        return NULL;
    return r->host + (gpa - r->base);
}

void mem_dirty(struct mem *m, gpa_t gpa, uint64_t len)
{
    const struct mem_region *r = mem_find(m, gpa);
    uint64_t first, last;
    uint8_t flags = 0;

    if (!r || !r->host || !len || len > r->size - (gpa - r->base))
        return;
    first = (gpa - r->base) >> MEM_PAGE_BITS;
    last = (gpa - r->base + len - 1) >> MEM_PAGE_BITS;
    for (uint64_t i = first; i <= last; i++)
        flags |= atomic_fetch_or(&r->flags[i], MEM_PAGE_DIRTY);
    if ((flags & MEM_PAGE_CODE) && m->vm->engine->code_written)
        m->vm->engine->code_written(m->vm, gpa, len);
    if ((flags & MEM_PAGE_WATCH) && m->vm->watch)
        m->vm->watch(m->vm, gpa, len);
}

/*
 * Between guest memory, where vCPUs may load and store meanwhile, and memory of our own: an aligned word that
 * was stored whole is seen whole.
 */
static void copy_out(uint8_t *to, const uint8_t *from, uint64_t len)
{
    for (; len && ((uintptr_t)from & 7 || len < 8); len--)
        *to++ = __atomic_load_n(from++, __ATOMIC_RELAXED);
    for (; len >= 8; len -= 8, from += 8, to += 8) {
        uint64_t word = __atomic_load_n((const uint64_t *)(const void *)from, __ATOMIC_RELAXED);

        memcpy(to, &word, 8);
    }
    for (; len; len--)
        *to++ = __atomic_load_n(from++, __ATOMIC_RELAXED);
}

static void copy_in(uint8_t *to, const uint8_t *from, uint64_t len)
{
    for (; len && ((uintptr_t)to & 7 || len < 8); len--)
        __atomic_store_n(to++, *from++, __ATOMIC_RELAXED);
    for (; len >= 8; len -= 8, from += 8, to += 8) {
        uint64_t word;

        memcpy(&word, from, 8);
        __atomic_store_n((uint64_t *)(void *)to, word, __ATOMIC_RELAXED);
    }
    for (; len; len--)
        __atomic_store_n(to++, *from++, __ATOMIC_RELAXED);
}

int mem_read(const struct mem *m, gpa_t gpa, void *buf, uint64_t len)
{
    const void *p = mem_ptr(m, gpa, len, false);

    if (!p)
        return -EFAULT;
    copy_out(buf, p, len);
    return 0;
}

int mem_write(struct mem *m, gpa_t gpa, const void *buf, uint64_t len)
{
    void *p = mem_ptr(m, gpa, len, true);

    if (!p)
        return -EFAULT;
    copy_in(p, buf, len);
    mem_dirty(m, gpa, len);
    return 0;
}

int mem_load(struct mem *m, gpa_t gpa, const void *buf, uint64_t len)
{
    const struct mem_region *r = backed(m, gpa, len);

    if (!r)
        return -EFAULT;
    memcpy(r->host + (gpa - r->base), buf, len);
    mem_dirty(m, gpa, len);
    return 0;
}

/* A start of the bare form waits for it: four words at a time, by no call of memcpy(). */
static bool is_zero(const uint8_t *p, uint64_t n)
{
    const uint64_t *w;
    uint64_t any = 0;

    for (; n && (uintptr_t)p % sizeof(*w); n--)
        any |= *p++;
    for (w = (const void *)p; n >= 4 * sizeof(*w) && !any; w += 4, n -= 4 * sizeof(*w))
        any = w[0] | w[1] | w[2] | w[3];
    for (p = (const void *)w; n; n--)
        any |= *p++;
    return !any;
}

int mem_zero(struct mem *m, gpa_t gpa, uint64_t len)
{
    const struct mem_region *r = backed(m, gpa, len);

    if (!r)
        return -EFAULT;
    for (uint64_t n; len; gpa += n, len -= n) {
        uint8_t *p = r->host + (gpa - r->base);

        n = MIN(len, MEM_PAGE_SIZE - gpa % MEM_PAGE_SIZE);
        if (is_zero(p, n))
            continue;
        memset(p, 0, n);
        mem_dirty(m, gpa, n);
    }
    return 0;
}

uint8_t mem_page_flags(const struct mem *m, gpa_t gpa)
{
    const struct mem_region *r = backed(m, gpa, 1);

    return r ? atomic_load(&r->flags[(gpa - r->base) >> MEM_PAGE_BITS]) : 0;
}

uint8_t mem_page_mark(const struct mem *m, gpa_t gpa, uint8_t set, uint8_t clear)
{
    const struct mem_region *r = backed(m, gpa, 1);
    _Atomic uint8_t *f;
    uint8_t old;

    if (!r)
        return 0;
    f = &r->flags[(gpa - r->base) >> MEM_PAGE_BITS];
    old = atomic_load(f);
    while (!atomic_compare_exchange_weak(f, &old, (uint8_t)((old | set) & ~clear)))
        ;
    return old;
}

/* ---- hash ---- */

static bool page_is_zero(const uint8_t *page)
{
    const uint64_t *w = (const uint64_t *)page;

    for (unsigned i = 0; i < MEM_PAGE_SIZE / sizeof(*w); i++) {
        if (w[i])
            return false;
    }
    return true;
}

static uint64_t page_hash(gpa_t gpa, const uint8_t *page)
{
    return page_is_zero(page) ? 0 : hash_memory(gpa, page, MEM_PAGE_SIZE);
}

static void region_hash(const struct mem_region *r)
{
    struct mem_private *p = private_of(r);
    uint64_t pages = r->size / MEM_PAGE_SIZE;

    if (!p->page_hash)
        p->page_hash = plat_ram_map(ALIGN_UP(pages * sizeof(uint64_t), MEM_PAGE_SIZE), "carbovisor-hashes");
    BUG_ON(!p->page_hash);
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t h;

        if (!(atomic_load_explicit(&r->flags[i], memory_order_relaxed) & MEM_PAGE_DIRTY))
            continue;
        atomic_fetch_and(&r->flags[i], (uint8_t)~MEM_PAGE_DIRTY);
        h = page_hash(r->base + i * MEM_PAGE_SIZE, r->host + i * MEM_PAGE_SIZE);
        p->sum += h - p->page_hash[i];
        p->page_hash[i] = h;
    }
}

uint64_t mem_hash(struct mem *m)
{
    const struct mem_region *r;
    uint64_t sum = 0;

    for (unsigned i = 0; (r = mem_region_at(m, i)); i++) {
        if (!r->host)
            continue;
        region_hash(r);
        sum += private_of(r)->sum;
    }
    return sum;
}

void mem_dump(struct mem *m, void (*emit)(void *opaque, const char *line), void *opaque)
{
    const struct mem_region *r;
    char line[64];

    mem_hash(m);
    for (unsigned i = 0; (r = mem_region_at(m, i)); i++) {
        for (uint64_t p = 0; r->host && p < r->size / MEM_PAGE_SIZE; p++) {
            if (!private_of(r)->page_hash[p])
                continue;
            fmt_snprintf(line, sizeof(line), "page %016llx = %016llx",
                         (unsigned long long)(r->base + p * MEM_PAGE_SIZE),
                         (unsigned long long)private_of(r)->page_hash[p]);
            emit(opaque, line);
        }
    }
}

uint64_t mem_touched(const struct mem *m)
{
    const struct mem_region *r;
    uint64_t pages = 0;

    for (unsigned i = 0; (r = mem_region_at(m, i)); i++) {
        for (uint64_t p = 0; r->host && p < r->size / MEM_PAGE_SIZE; p++)
            pages += atomic_load_explicit(&r->flags[p], memory_order_relaxed) != 0;
    }
    return pages * MEM_PAGE_SIZE;
}
