/* Bitmaps, a word at a time. */
#include "lib/bitmap.h"

/* The bits of word `w` that belong to [from, end). */
static uint64_t word_mask(size_t w, size_t from, size_t end)
{
    uint64_t mask = UINT64_MAX;

    if (w == from / 64)
        mask <<= from % 64;
    if (w == end / 64)
        mask &= (UINT64_C(1) << end % 64) - 1;
    return mask;
}

void bitmap_set_range(uint64_t *map, size_t from, size_t count)
{
    for (size_t w = from / 64; w < BITMAP_WORDS(from + count); w++)
        map[w] |= word_mask(w, from, from + count);
}

void bitmap_clear_range(uint64_t *map, size_t from, size_t count)
{
    for (size_t w = from / 64; w < BITMAP_WORDS(from + count); w++)
        map[w] &= ~word_mask(w, from, from + count);
}

/* The lowest bit that differs from `invert`'s bits. */
static size_t find(const uint64_t *map, size_t bits, size_t from, uint64_t invert)
{
    if (from >= bits)
        return bits;
    for (size_t w = from / 64; w < BITMAP_WORDS(bits); w++) {
        uint64_t v = (map[w] ^ invert) & word_mask(w, from, bits);

        if (v)
            return w * 64 + (size_t)__builtin_ctzll(v);
    }
    return bits;
}

size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from)
{
    return find(map, bits, from, 0);
}

size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from)
{
    return find(map, bits, from, UINT64_MAX);
}

size_t bitmap_count(const uint64_t *map, size_t bits)
{
    size_t n = 0;

    for (size_t w = 0; w < BITMAP_WORDS(bits); w++) {
        uint64_t v = map[w] & word_mask(w, 0, bits);

        /* Not the builtin: without a popcount instruction it is a call into the compiler's library. */
        for (; v; v &= v - 1)
            n++;
    }
    return n;
}
