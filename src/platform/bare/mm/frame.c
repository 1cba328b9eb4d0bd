/*
 * Buddy allocator. A zone is one range of RAM with a byte for each page; links of free blocks stand in the
 * blocks. The byte of a block's first page tells order and use, the others' bytes are 0 (TAIL).
 */
#include "platform/bare/mm/frame.h"
#include "lib/list.h"
#include "lib/str.h"
#include "platform/bare/sync/spin.h"

enum { TAIL = 0, FREE = 1, USED = 2, USED_SLAB = 3, USED_NEXT = 4 }; /* NEXT: goes with the block before */
#define META(kind, order)  ((uint8_t)((kind) << 5 | (order)))
#define META_KIND(m)       ((m) >> 5)
#define META_ORDER(m)      ((m)&31u)
#define ORDER_BYTES(order) (UINT64_C(1) << ((order) + FRAME_BITS))

struct zone {
    uint64_t base, end; /* physical */
    uint8_t *meta;
};

static struct {
    struct spin lock;
    struct list_link free[FRAME_ORDER + 1];
    uint64_t blocks[FRAME_ORDER + 1];
    uint64_t total, free_bytes;
    struct zone zone[BOARD_RANGES];
    unsigned zones;
} frames;

static struct zone *zone_of(uint64_t pa)
{
    for (unsigned i = 0; i < frames.zones; i++) {
        if (pa >= frames.zone[i].base && pa < frames.zone[i].end)
            return &frames.zone[i];
    }
    return NULL;
}

static uint8_t *meta_of(struct zone *z, uint64_t pa)
{
    return &z->meta[(pa - z->base) >> FRAME_BITS];
}

/* The largest order whose block begins at pa and ends by end. */
static unsigned order_at(uint64_t pa, uint64_t end)
{
    unsigned order = pa ? (unsigned)__builtin_ctzll(pa) - FRAME_BITS : FRAME_ORDER;

    order = MIN(order, (unsigned)FRAME_ORDER);
    while (pa + ORDER_BYTES(order) > end)
        order--;
    return order;
}

static void list_add(struct zone *z, uint64_t pa, unsigned order)
{
    *meta_of(z, pa) = META(FREE, order);
    list_push_front(&frames.free[order], arch_ptr(pa));
    frames.blocks[order]++;
    frames.free_bytes += ORDER_BYTES(order);
}

static void list_take(struct zone *z, uint64_t pa, unsigned order)
{
    *meta_of(z, pa) = TAIL;
    list_remove(arch_ptr(pa));
    frames.blocks[order]--;
    frames.free_bytes -= ORDER_BYTES(order);
}

/* Frees one block, with its buddies as long as these are free and whole. */
static void block_free(struct zone *z, uint64_t pa, unsigned order)
{
    *meta_of(z, pa) = TAIL;
    while (order < FRAME_ORDER) {
        uint64_t buddy = pa ^ ORDER_BYTES(order);

        if (buddy < z->base || buddy + ORDER_BYTES(order) > z->end || *meta_of(z, buddy) != META(FREE, order))
            break;
        list_take(z, buddy, order);
        pa &= ~ORDER_BYTES(order);
        order++;
    }
    list_add(z, pa, order);
}

static void range_free(struct zone *z, uint64_t pa, uint64_t end)
{
    while (pa < end) {
        unsigned order = order_at(pa, end);

        block_free(z, pa, order);
        pa += ORDER_BYTES(order);
    }
}

void frames_init(const struct board_range *ranges, unsigned count)
{
    frames.lock = SPIN_INIT(RANK_FRAMES);
    for (unsigned i = 0; i <= FRAME_ORDER; i++) {
        list_init(&frames.free[i]);
        frames.blocks[i] = 0;
    }
    frames.zones = 0;
    frames.total = frames.free_bytes = 0;
    for (unsigned i = 0; i < count && frames.zones < BOARD_RANGES; i++) {
        struct zone *z = &frames.zone[frames.zones];
        uint64_t pages = ranges[i].size >> FRAME_BITS;
        uint64_t meta = ALIGN_UP(pages, FRAME_BYTES);

        if (ranges[i].size <= meta)
            continue;
        z->base = ranges[i].base;
        z->end = z->base + ranges[i].size - meta;
        z->meta = arch_ptr(z->end); /* at the end, so that the range keeps its alignment */
        memset(z->meta, 0, meta);
        frames.zones++;
        frames.total += z->end - z->base;
        range_free(z, z->base, z->end);
    }
}

/* Takes a block off the smallest free one that has it; UINT64_MAX. Its byte is TAIL then. */
static uint64_t block_take(unsigned order)
{
    unsigned have = order;
    struct zone *z;
    uint64_t pa;

    while (have <= FRAME_ORDER && list_empty(&frames.free[have]))
        have++;
    if (have > FRAME_ORDER)
        return UINT64_MAX;
    pa = arch_pa(frames.free[have].next);
    z = zone_of(pa);
    list_take(z, pa, have);
    while (have > order) {
        have--;
        list_add(z, pa + ORDER_BYTES(have), have);
    }
    return pa;
}

void *frame_alloc(unsigned order, enum frame_use use)
{
    bool on = spin_lock_irq(&frames.lock);
    uint64_t pa = block_take(order);

    if (pa != UINT64_MAX)
        *meta_of(zone_of(pa), pa) = META(use == FRAME_SLAB ? USED_SLAB : USED, order);
    spin_unlock_irq(&frames.lock, on);
    return pa != UINT64_MAX ? arch_ptr(pa) : NULL;
}

/* Start of the first run of free blocks in z that holds size bytes from a multiple of align on; UINT64_MAX.
 */
static uint64_t run_find(struct zone *z, uint64_t size, uint64_t align)
{
    uint64_t start = z->base, pa = z->base;

    while (pa < z->end) {
        uint8_t m = *meta_of(z, pa);

        if (META_KIND(m) != FREE) {
            /* Inside a used block, or its first page: either way the run is over. */
            pa += META_KIND(m) == TAIL ? FRAME_BYTES : ORDER_BYTES(META_ORDER(m));
            start = pa;
            continue;
        }
        pa += ORDER_BYTES(META_ORDER(m));
        if (ALIGN_UP(start, align) + size <= pa)
            return ALIGN_UP(start, align);
    }
    return UINT64_MAX;
}

/* Marks [pa, end) as one range in use. */
static void run_mark(struct zone *z, uint64_t pa, uint64_t end)
{
    bool begun = false;

    while (pa < end) {
        unsigned order = order_at(pa, end);

        *meta_of(z, pa) = META(begun ? USED_NEXT : USED, order);
        begun = true;
        pa += ORDER_BYTES(order);
    }
}

/* Takes [pa, end), which free blocks cover, out of them. */
static void run_take(struct zone *z, uint64_t pa, uint64_t end)
{
    uint64_t first = pa, at, last;

    while (META_KIND(*meta_of(z, first)) != FREE) /* the block that pa is in */
        first -= FRAME_BYTES;
    for (at = first; at < end;) {
        unsigned order = META_ORDER(*meta_of(z, at));

        list_take(z, at, order);
        at += ORDER_BYTES(order);
    }
    last = at;
    range_free(z, first, pa);
    run_mark(z, pa, end);
    range_free(z, first, pa);
    range_free(z, end, last);
}

/* Up to 2 MiB: from one block, whose end goes back. */
static uint64_t small_range(uint64_t size)
{
    unsigned order = 0;
    uint64_t pa;

    while (ORDER_BYTES(order) < size)
        order++;
    pa = block_take(order);
    if (pa != UINT64_MAX) {
        run_mark(zone_of(pa), pa, pa + size);
        range_free(zone_of(pa), pa + size, pa + ORDER_BYTES(order));
    }
    return pa;
}

static uint64_t large_range(uint64_t size)
{
    static const uint64_t aligns[] = {UINT64_C(1) << 30, UINT64_C(1) << 21, FRAME_BYTES};

    for (unsigned a = 0; a < ARRAY_SIZE(aligns); a++) {
        for (unsigned i = 0; aligns[a] <= size && i < frames.zones; i++) {
            uint64_t pa = run_find(&frames.zone[i], size, aligns[a]);

            if (pa == UINT64_MAX)
                continue;
            run_take(&frames.zone[i], pa, pa + size);
            return pa;
        }
    }
    return UINT64_MAX;
}

void *frame_alloc_range(uint64_t size)
{
    uint64_t pa = UINT64_MAX;
    bool on;

    if (!size || size > UINT64_MAX / 4)
        return NULL;
    size = ALIGN_UP(size, FRAME_BYTES);
    on = spin_lock_irq(&frames.lock);
    if (size <= UINT64_C(2) << 20)
        pa = small_range(size);
    if (pa == UINT64_MAX)
        pa = large_range(size);
    spin_unlock_irq(&frames.lock, on);
    return pa != UINT64_MAX ? arch_ptr(pa) : NULL;
}

void frame_free(void *p)
{
    uint64_t pa = arch_pa(p);
    struct zone *z = zone_of(pa);
    bool on = spin_lock_irq(&frames.lock);
    unsigned kind;

    BUG_ON(!z || pa % FRAME_BYTES);
    kind = META_KIND(*meta_of(z, pa));
    BUG_ON(kind != USED && kind != USED_SLAB);
    do {
        unsigned order = META_ORDER(*meta_of(z, pa));

        block_free(z, pa, order);
        pa += ORDER_BYTES(order);
    } while (pa < z->end && META_KIND(*meta_of(z, pa)) == USED_NEXT);
    spin_unlock_irq(&frames.lock, on);
}

bool frame_block(const void *p, enum frame_use *use, uint64_t *size)
{
    uint64_t pa = arch_pa(p), at = pa;
    struct zone *z = zone_of(pa);
    unsigned kind = z && pa % FRAME_BYTES == 0 ? META_KIND(*meta_of(z, pa)) : TAIL;

    if (kind != USED && kind != USED_SLAB)
        return false;
    do {
        at += ORDER_BYTES(META_ORDER(*meta_of(z, at)));
    } while (at < z->end && META_KIND(*meta_of(z, at)) == USED_NEXT);
    *use = kind == USED_SLAB ? FRAME_SLAB : FRAME_PLAIN;
    *size = at - pa;
    return true;
}

uint64_t frames_total(void)
{
    return frames.total;
}

uint64_t frames_free(void)
{
    return frames.free_bytes;
}

uint64_t frames_free_blocks(unsigned order)
{
    return order <= FRAME_ORDER ? frames.blocks[order] : 0;
}

static const char *zone_check(struct zone *z, uint64_t *free_bytes)
{
    uint64_t pa = z->base;

    while (pa < z->end) {
        uint8_t m = *meta_of(z, pa);
        uint64_t size = ORDER_BYTES(META_ORDER(m)), buddy = pa ^ size;

        if (META_KIND(m) == TAIL)
            return "a page that no block has";
        if (pa & (size - 1) || pa + size > z->end)
            return "a block that is not aligned, or leaves its zone";
        for (uint64_t at = pa + FRAME_BYTES; at < pa + size; at += FRAME_BYTES) {
            if (*meta_of(z, at))
                return "a block inside a block";
        }
        if (META_KIND(m) == FREE) {
            *free_bytes += size;
            if (META_ORDER(m) < FRAME_ORDER && buddy >= z->base && buddy + size <= z->end &&
                *meta_of(z, buddy) == m)
                return "two buddies that are both free";
        }
        pa += size;
    }
    return NULL;
}

const char *frames_check(void)
{
    bool on = spin_lock_irq(&frames.lock);
    uint64_t in_zones = 0, in_lists = 0;
    const char *wrong = NULL;

    for (unsigned i = 0; i < frames.zones && !wrong; i++)
        wrong = zone_check(&frames.zone[i], &in_zones);
    for (unsigned i = 0; i <= FRAME_ORDER && !wrong; i++) {
        uint64_t n = 0;

        LIST_FOR_EACH(l, &frames.free[i])
        n++;
        if (n != frames.blocks[i])
            wrong = "the count of a free list";
        in_lists += n * ORDER_BYTES(i);
    }
    if (!wrong && (in_zones != in_lists || in_lists != frames.free_bytes))
        wrong = "free bytes do not add up";
    spin_unlock_irq(&frames.lock, on);
    return wrong;
}
