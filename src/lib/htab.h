/*
 * Intrusive hash tables with 64-bit keys: a struct htab_link sits in each element, the buckets are the
 * caller's. Several elements may have one key; the newest is found first. The caller locks.
 */
#ifndef CV_LIB_HTAB_H
#define CV_LIB_HTAB_H

#include "lib/base.h"

struct htab_link {
    struct htab_link *next;
    uint64_t key; /* not to be changed while in a table */
};

struct htab {
    struct htab_link **buckets;
    unsigned bits; /* 2^bits buckets */
    size_t count;  /* elements */
};

/* 1 <= bits <= 48. */
void htab_init(struct htab *t, struct htab_link **buckets, unsigned bits);
void htab_insert(struct htab *t, struct htab_link *l, uint64_t key);
/* Whether it was there. */
bool htab_remove(struct htab *t, struct htab_link *l);
struct htab_link *htab_find(const struct htab *t, uint64_t key);
/* The next element with the key of l, or NULL. */
struct htab_link *htab_same(const struct htab_link *l);
/* Iterates all, in no order: NULL gives the first. The table must not change meanwhile. */
struct htab_link *htab_next(const struct htab *t, const struct htab_link *l);
/* Moves all elements into new buckets; the old ones are the caller's again and are returned. */
struct htab_link **htab_rehash(struct htab *t, struct htab_link **buckets, unsigned bits);

#endif
