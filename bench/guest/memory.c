/*
 * Memory rows. Class tlb: many more pages than are in use elsewhere, or buffers whose addresses fall on the
 * same entry of a direct-mapped one. Class memory: accesses that hit.
 */
#include "row.h"

enum { PAGE = 4096, AREA = 64 << 20, APART = 16 << 20 };

static char *area;

static void setup_touch(int huge)
{
    area = pages(AREA, huge);
    for (size_t i = 0; i < AREA; i += 512)
        *(uint64_t *)(area + i) = mix(i, 1);
}

static void setup_small_pages(void)
{
    setup_touch(0);
}

static void setup_large_pages(void)
{
    setup_touch(1);
}

/* One word of a page chosen at random, 16384 pages. */
static uint64_t tlb_random(unsigned long n)
{
    uint64_t s = 31, sum = 0;

    while (n--) {
        uint64_t r = rnd(&s);
        uint64_t *p = (uint64_t *)(area + (r >> 50) * PAGE + (r >> 20 & 63) * 64);

        sum = sum * 3 + *p;
        *p = sum;
    }
    return sum;
}

/* A pointer chain that visits each of 8192 pages once a round: each load waits for the one before. */
static void **chain;

static void setup_page_chase(void)
{
    enum { N = 8192 };
    static uint16_t order[N];
    uint64_t s = 32;

    setup_touch(0);
    for (int i = 0; i < N; i++)
        order[i] = (uint16_t)i;
    for (int i = N - 1; i > 0; i--) {
        int j = (int)(rnd(&s) % (unsigned)(i + 1));
        uint16_t t = order[i];

        order[i] = order[j], order[j] = t;
    }
    for (int i = 0; i < N; i++) {
        size_t here = order[i], next = order[(i + 1) % N];

        *(void **)(area + here * PAGE + here % 61 * 64) = area + next * PAGE + next % 61 * 64;
    }
    chain = (void **)(area + order[0] * (size_t)PAGE + order[0] % 61 * 64);
}

static uint64_t chase(unsigned long n)
{
    void **p = chain;
    uint64_t sum = 0;

    while (n--) {
        p = *p;
        sum += (uint64_t)((char *)p - area);
    }
    return sum;
}

/* Sequential pages, one access each: the stride of a column walk through a matrix. */
static uint64_t stride(unsigned long n)
{
    uint64_t sum = 0;

    while (n--) {
        for (size_t i = n % 64 * 8; i < AREA; i += PAGE + 64)
            sum += *(uint64_t *)(area + i);
    }
    return sum;
}

/* Word by word from one buffer to another exactly 16 MiB apart. */
static uint64_t alias_copy(unsigned long n)
{
    volatile uint64_t *from = (uint64_t *)area, *to = (uint64_t *)(area + APART);
    enum { WORDS = 65536 / 8 };

    while (n--) {
        for (int i = 0; i < WORDS; i++)
            to[i] = from[i] + n;
    }
    return to[1] + to[WORDS - 1];
}

/* Three operands and a result, all 16 MiB apart. */
static uint64_t alias_add(unsigned long n)
{
    volatile uint32_t *a = (uint32_t *)area, *b = (uint32_t *)(area + APART),
                      *c = (uint32_t *)(area + 2 * APART), *d = (uint32_t *)(area + 3UL * APART);
    enum { WORDS = 16384 };

    while (n--) {
        for (int i = 0; i < WORDS; i++)
            d[i] = a[i] + b[i] * 3 + c[i] + (uint32_t)n;
        a[n % WORDS] = d[n % WORDS];
    }
    return d[1] + d[WORDS - 1];
}

/* Accesses that hit: a list in 128 KiB, a word copy, a byte copy, unaligned loads. */
static void setup_list(void)
{
    enum { N = 4096, STEP = 32 };
    static uint16_t order[N];
    uint64_t s = 33;

    setup_touch(0);
    for (int i = 0; i < N; i++)
        order[i] = (uint16_t)i;
    for (int i = N - 1; i > 0; i--) {
        int j = (int)(rnd(&s) % (unsigned)(i + 1));
        uint16_t t = order[i];

        order[i] = order[j], order[j] = t;
    }
    for (int i = 0; i < N; i++)
        *(void **)(area + order[i] * STEP) = area + order[(i + 1) % N] * STEP;
    chain = (void **)(area + order[0] * STEP);
}

static uint64_t copy_words(unsigned long n)
{
    /* 72 pages apart: no alias in any table of 128 entries or more. */
    uint64_t *from = (uint64_t *)area, *to = (uint64_t *)(area + 72 * PAGE);
    enum { WORDS = 65536 / 8 };

    for (int i = 0; i < WORDS; i++)
        from[i] = (uint64_t)i * 77;
    while (n--) {
        for (int i = 0; i < WORDS; i += 4) {
            uint64_t a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];

            to[i] = a, to[i + 1] = b, to[i + 2] = c, to[i + 3] = d;
        }
        from[n % WORDS] += to[n * 3 % WORDS];
    }
    return to[7] + to[WORDS - 1];
}

static uint64_t copy_bytes(unsigned long n)
{
    uint8_t *from = (uint8_t *)area, *to = (uint8_t *)(area + 72 * PAGE);
    enum { BYTES = 16384 };
    uint64_t sum = 0;

    for (int i = 0; i < BYTES; i++)
        from[i] = (uint8_t)(i * 7);
    while (n--) {
        for (int i = 0; i < BYTES; i++)
            to[i] = from[i];
        from[n % BYTES]++;
        sum += to[n * 5 % BYTES];
    }
    return sum;
}

static uint64_t update(unsigned long n)
{
    uint64_t s = 34, *t = (uint64_t *)area;

    for (int i = 0; i < 8192; i++)
        t[i] = (uint64_t)i;
    while (n--) {
        uint64_t r = rnd(&s);

        t[r & 8191] ^= r;
        t[r >> 13 & 8191] += t[r >> 26 & 8191];
    }
    return t[1] ^ t[8191];
}

const struct row rows_memory[] = {
    {"tlb", "tlb-random", tlb_random, 1500000, setup_small_pages, 1},
    {"tlb", "tlb-large", tlb_random, 1800000, setup_large_pages, 1},
    {"tlb", "page-chase", chase, 2700000, setup_page_chase, 1},
    {"tlb", "stride", stride, 190, setup_small_pages, 1},
    {"tlb", "alias-copy", alias_copy, 2300, setup_small_pages, 1},
    {"tlb", "alias-add", alias_add, 680, setup_small_pages, 1},
    {"memory", "list", chase, 95000000, setup_list, 1},
    {"memory", "copy-words", copy_words, 46000, setup_small_pages, 1},
    {"memory", "copy-bytes", copy_bytes, 22000, setup_small_pages, 1},
    {"memory", "update", update, 90000000, setup_small_pages, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
