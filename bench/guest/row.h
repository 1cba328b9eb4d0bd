/*
 * A bench row: one piece of guest work with a name, a class and a scale. Every source file of this folder
 * offers one table of rows; main.c runs them and prints the markers that the driver on the host waits for.
 */
#ifndef CV_BENCH_ROW_H
#define CV_BENCH_ROW_H

#include <stdint.h>
#include <stddef.h>

struct row {
    const char *cls;
    const char *name;
    /* Does the work n times over and returns a checksum that depends on all of it. */
    uint64_t (*run)(unsigned long n);
    unsigned long n;     /* chosen so that QEMU 7.2 takes 0.3 to 1 s */
    void (*setup)(void); /* before the start marker, so never measured; may be NULL */
    int cpus;            /* 1: pinned to CPU 0; 2: needs two, skipped on a smaller machine */
};

/* Each table ends with a row whose name is NULL. */
extern const struct row rows_integer[];
extern const struct row rows_calls[];
extern const struct row rows_fp[];
extern const struct row rows_memory[];
extern const struct row rows_code[];
extern const struct row rows_traps[];
extern const struct row rows_mm[];
extern const struct row rows_threads[];

/* xorshift64*: the same stream on every guest, good enough to defeat prediction. */
static inline uint64_t rnd(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
}

/* Checksum of doubles by their bits: both machines must agree to the last one. */
static inline uint64_t bits(double d)
{
    uint64_t u;

    __builtin_memcpy(&u, &d, sizeof(u));
    return u;
}

/* Pages of anonymous memory, or the end of the program. huge: 0 never, 1 wanted, -1 as the kernel likes. */
void *pages(size_t len, int huge);
void die(const char *what);

#endif
