/* Intrusive hash tables. */
#include "lib/htab.h"
#include "lib/str.h"

/*
 * Keys are mostly addresses, whose low bits are equal: multiplication by an odd number near 2^64 over the
 * golden ratio carries every bit to the top, from where the index is taken.
 */
static size_t bucket(const struct htab *t, uint64_t key)
{
    key ^= key >> 32;
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - t->bits));
}

void htab_init(struct htab *t, struct htab_link **buckets, unsigned bits)
{
    BUG_ON(bits < 1 || bits > 48);
    *t = (struct htab){.buckets = buckets, .bits = bits};
    memset(buckets, 0, sizeof(*buckets) << bits);
}

void htab_insert(struct htab *t, struct htab_link *l, uint64_t key)
{
    struct htab_link **b = &t->buckets[bucket(t, key)];

    l->key = key;
    l->next = *b;
    *b = l;
    t->count++;
}

bool htab_remove(struct htab *t, struct htab_link *l)
{
    for (struct htab_link **p = &t->buckets[bucket(t, l->key)]; *p; p = &(*p)->next) {
        if (*p != l)
            continue;
        *p = l->next;
        l->next = NULL;
        t->count--;
        return true;
    }
    return false;
}

static struct htab_link *with_key(struct htab_link *l, uint64_t key)
{
    while (l && l->key != key)
        l = l->next;
    return l;
}

struct htab_link *htab_find(const struct htab *t, uint64_t key)
{
    return with_key(t->buckets[bucket(t, key)], key);
}

struct htab_link *htab_same(const struct htab_link *l)
{
    return with_key(l->next, l->key);
}

struct htab_link *htab_next(const struct htab *t, const struct htab_link *l)
{
    size_t b = 0;

    if (l && l->next)
        return l->next;
    if (l)
        b = bucket(t, l->key) + 1;
    while (b < (size_t)1 << t->bits && !t->buckets[b])
        b++;
    return b < (size_t)1 << t->bits ? t->buckets[b] : NULL;
}

/* Appended, not pushed: elements of one key keep their order. */
static void append(struct htab *t, struct htab_link *l)
{
    struct htab_link **p = &t->buckets[bucket(t, l->key)];

    while (*p)
        p = &(*p)->next;
    *p = l;
    l->next = NULL;
    t->count++;
}

struct htab_link **htab_rehash(struct htab *t, struct htab_link **buckets, unsigned bits)
{
    struct htab old = *t;
    struct htab_link *next;

    htab_init(t, buckets, bits);
    for (size_t b = 0; b < (size_t)1 << old.bits; b++) {
        for (struct htab_link *l = old.buckets[b]; l; l = next) {
            next = l->next;
            append(t, l);
        }
    }
    return old.buckets;
}
