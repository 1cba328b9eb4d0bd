/*
 * The C library functions of lib/str.h and what a compiler calls by itself. Words of 8 bytes, several at a
 * time; guests are loaded and their memory zeroed by these, so their length in instructions is boot time.
 */
#include "lib/str.h"
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word;
/* A word at any address, on CPUs that may be strict about it. */
struct loose {
    uint64_t w;
} __attribute__((packed, may_alias));

#define ALIGNED(p) (!((uintptr_t)(p)&7))

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t w = (uint8_t)byte * UINT64_C(0x0101010101010101);

    while (n && !ALIGNED(t)) {
        *t++ = (uint8_t)byte;
        n--;
    }
    for (; n >= 256; n -= 256, t += 256) { /* what clears guests' RAM */
        word *p = (word *)t;

#pragma GCC unroll 32
        for (unsigned i = 0; i < 32; i++)
            p[i] = w;
    }
    for (; n >= 8; n -= 8, t += 8)
        *(word *)t = w;
    while (n--) {
        *t++ = (uint8_t)byte;
        __asm__ volatile("" ::: "memory"); /* else the compiler makes a call of memset of it */
    }
    return to;
}

/* Both aligned. */
static void copy_words(uint8_t *t, const uint8_t *f, size_t n)
{
    for (; n >= 64; n -= 64, t += 64, f += 64) {
        word *p = (word *)t;
        const word *q = (const word *)f;
        uint64_t a = q[0], b = q[1], c = q[2], d = q[3], e = q[4], g = q[5], h = q[6], i = q[7];

        p[0] = a;
        p[1] = b;
        p[2] = c;
        p[3] = d;
        p[4] = e;
        p[5] = g;
        p[6] = h;
        p[7] = i;
    }
    for (; n; n -= 8, t += 8, f += 8)
        *(word *)t = *(const word *)f;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (((uintptr_t)t & 7) == ((uintptr_t)f & 7)) {
        size_t words;

        while (n && !ALIGNED(t)) {
            *t++ = *f++;
            n--;
            __asm__ volatile("" ::: "memory");
        }
        words = n & ~(size_t)7;
        copy_words(t, f, words);
        t += words;
        f += words;
        n -= words;
    }
    for (; n >= 8; n -= 8, t += 8, f += 8)
        ((struct loose *)t)->w = ((const struct loose *)f)->w;
    while (n--) {
        *t++ = *f++;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t == f)
        return to;
    if (t < f) { /* upwards; words only where a store stays behind the next load */
        if (f - t >= 8) {
            for (; n >= 8; n -= 8, t += 8, f += 8)
                ((struct loose *)t)->w = ((const struct loose *)f)->w;
        }
        while (n--) {
            *t++ = *f++;
            __asm__ volatile("" ::: "memory");
        }
        return to;
    }
    if (t - f >= 8) {
        for (; n >= 8; n -= 8)
            ((struct loose *)(t + n - 8))->w = ((const struct loose *)(f + n - 8))->w;
    }
    while (n--) {
        t[n] = f[n];
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (; n >= 8 && ((const struct loose *)p)->w == ((const struct loose *)q)->w; n -= 8) {
        p += 8;
        q += 8;
    }
    for (; n--; p++, q++) {
        if (*p != *q)
            return *p - *q;
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
        __asm__ volatile("" ::: "memory");
    }
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    while (n && *a && *a == *b) {
        a++;
        b++;
        n--;
    }
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int c)
{
    while (*s && *s != (char)c)
        s++;
    return *s == (char)c ? (char *)s : NULL;
}
