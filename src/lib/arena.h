/*
 * A bump allocator: many small pieces with one common end of life. It allocates nothing itself: it cuts
 * up storage given at arena_init() and chunks that a callback supplies when that is used up.
 */
#ifndef CV_LIB_ARENA_H
#define CV_LIB_ARENA_H

#include "lib/base.h"

/* Stands at the start of each chunk. */
struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* with this header */
};

/* A chunk of at least `need` bytes, aligned for any type, and its size in *got; NULL: no more. */
typedef void *arena_more_fn(void *ctx, size_t need, size_t *got);
/* Takes a chunk back that the callback supplied. */
typedef void arena_release_fn(void *ctx, void *chunk, size_t size);

struct arena {
    struct arena_chunk *first, *last; /* supplied chunks in order */
    struct arena_chunk *current;      /* the one being cut up; NULL: the caller's storage */
    uint8_t *storage;
    size_t storage_size;
    uint8_t *at, *end; /* what is left of it */
    arena_more_fn *more;
    void *ctx;
};

/* `storage` may be NULL with size 0, `more` NULL for an arena that cannot grow. */
void arena_init(struct arena *a, void *storage, size_t size, arena_more_fn *more, void *ctx);
/* Uninitialised bytes; `align` is a power of two. NULL when there are no more. */
void *arena_alloc(struct arena *a, size_t size, size_t align);
void *arena_zalloc(struct arena *a, size_t size, size_t align);
/* Forgets all pieces and keeps the chunks for new ones. */
void arena_reset(struct arena *a);
/* Forgets all pieces and gives the chunks back. The arena may be used again. */
void arena_fini(struct arena *a, arena_release_fn *release);

#define ARENA_NEW(a, type) ((type *)arena_zalloc(a, sizeof(type), _Alignof(type)))

#endif
