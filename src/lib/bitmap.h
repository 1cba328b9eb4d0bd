/*
 * Bitmaps: arrays of 64-bit words, bit n at bit n % 64 of word n / 64. The size is in bits and the
 * caller's to remember; bits of the last word behind it are never looked at. Not atomic.
 */
#ifndef CV_LIB_BITMAP_H
#define CV_LIB_BITMAP_H

#include "lib/base.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *map, size_t n)
{
    return map[n / 64] >> n % 64 & 1;
}

static inline void bitmap_set(uint64_t *map, size_t n)
{
    map[n / 64] |= UINT64_C(1) << n % 64;
}

static inline void bitmap_clear(uint64_t *map, size_t n)
{
    map[n / 64] &= ~(UINT64_C(1) << n % 64);
}

/* Bits [from, from + count). */
void bitmap_set_range(uint64_t *map, size_t from, size_t count);
void bitmap_clear_range(uint64_t *map, size_t from, size_t count);
/* The lowest set (clear) bit n with from <= n < bits; `bits` when there is none. */
size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from);
size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from);
/* Number of set bits. */
size_t bitmap_count(const uint64_t *map, size_t bits);

#define BITMAP_FOR_EACH(n, map, bits)                                                                        \
    for (size_t n = bitmap_find_set(map, bits, 0); n < (bits); n = bitmap_find_set(map, bits, n + 1))

#endif
