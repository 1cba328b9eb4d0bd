/* The bump allocator. */
#include "lib/arena.h"
#include "lib/str.h"

static void use_storage(struct arena *a)
{
    a->current = NULL;
    a->at = a->storage;
    a->end = a->storage + a->storage_size;
}

static void use_chunk(struct arena *a, struct arena_chunk *c)
{
    a->current = c;
    a->at = (uint8_t *)(c + 1);
    a->end = (uint8_t *)c + c->size;
}

void arena_init(struct arena *a, void *storage, size_t size, arena_more_fn *more, void *ctx)
{
    *a = (struct arena){.storage = storage, .storage_size = size, .more = more, .ctx = ctx};
    use_storage(a);
}

/* A piece of what is left of the current chunk, or NULL. */
static void *cut(struct arena *a, size_t size, size_t align)
{
    size_t left = (size_t)(a->end - a->at), skip = (size_t)(-(uintptr_t)a->at & (align - 1));
    uint8_t *p;

    if (!a->at || skip > left || size > left - skip)
        return NULL;
    p = a->at + skip;
    a->at = p + size;
    return p;
}

static bool grow(struct arena *a, size_t size, size_t align)
{
    size_t need, got = 0;
    struct arena_chunk *c;

    if (!a->more || __builtin_add_overflow(size, sizeof(*c) + align, &need))
        return false;
    c = a->more(a->ctx, need, &got);
    if (!c)
        return false;
    BUG_ON(got < need);
    *c = (struct arena_chunk){.next = NULL, .size = got};
    if (a->last)
        a->last->next = c;
    else
        a->first = c;
    a->last = c;
    use_chunk(a, c);
    return true;
}

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
    for (;;) {
        void *p = cut(a, size, align);
        struct arena_chunk *next = a->current ? a->current->next : a->first;

        if (p)
            return p;
        if (next)
            use_chunk(a, next);
        else if (!grow(a, size, align))
            return NULL;
    }
}

void *arena_zalloc(struct arena *a, size_t size, size_t align)
{
    void *p = arena_alloc(a, size, align);

    if (p)
        memset(p, 0, size);
    return p;
}

void arena_reset(struct arena *a)
{
    use_storage(a);
}

void arena_fini(struct arena *a, arena_release_fn *release)
{
    struct arena_chunk *next;

    for (struct arena_chunk *c = a->first; c; c = next) {
        next = c->next;
        release(a->ctx, c, c->size);
    }
    a->first = a->last = NULL;
    use_storage(a);
}
