/*
 * What every file may use: fixed-width types, the address types, and the assertion for our own bugs.
 * Freestanding: nothing here needs a C library.
 */
#ifndef CV_LIB_BASE_H
#define CV_LIB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t gpa_t; /* guest-physical address */
typedef uint64_t gva_t; /* guest-virtual address */

typedef unsigned __int128 u128;

#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a)   (((x) + ((a)-1)) & ~((uint64_t)(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define BIT(n)           (UINT64_C(1) << (n))

#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)
#define NORETURN               __attribute__((noreturn))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))

/* Bits [hi:lo] of x, and x sign-extended from its low `width` bits (1..64). */
static inline uint64_t bits_get(uint64_t x, unsigned hi, unsigned lo)
{
    return (x >> lo) & (UINT64_MAX >> (63 - (hi - lo)));
}

static inline int64_t bits_sext(uint64_t x, unsigned width)
{
    return (int64_t)(x << (64 - width)) >> (64 - width);
}

/*
 * Our bug, never the guest's and never the caller's. The platform supplies bug_stop(): it reports and
 * does not come back (hosted: abort; bare: stops that vCPU only).
 */
NORETURN void bug_stop(const char *file, int line, const char *what);

#define BUG_ON(cond)                                                                                         \
    do {                                                                                                     \
        if (UNLIKELY(cond))                                                                                  \
            bug_stop(__FILE__, __LINE__, #cond);                                                             \
    } while (0)

#endif
