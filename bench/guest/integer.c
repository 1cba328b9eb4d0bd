/* Integer rows: straight-line code and loops, operands mostly in the first-level cache. */
#include "row.h"
#include <stdlib.h>
#include <string.h>

static uint64_t run_crc(unsigned long n)
{
    static uint32_t table[256];
    static uint8_t buf[16384];
    uint64_t s = 1;
    uint32_t crc = ~0U;

    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320U ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    for (size_t i = 0; i < sizeof(buf); i++)
        buf[i] = rnd(&s) >> 56;
    while (n--) {
        for (size_t i = 0; i < sizeof(buf); i++)
            crc = table[(crc ^ buf[i]) & 0xff] ^ (crc >> 8);
    }
    return crc;
}

static uint32_t ror(uint32_t x, int k)
{
    return x >> k | x << (32 - k);
}

/* The round constants are the fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static void sha_constants(uint32_t *k)
{
    int found = 0;

    for (unsigned p = 2; found < 64; p++) {
        unsigned d = 2;

        while (d * d <= p && p % d)
            d++;
        if (d * d <= p)
            continue;
        /* Largest r with r^3 <= p * 2^96, so r is the cube root with 32 fraction bits. */
        unsigned __int128 goal = (unsigned __int128)p << 96;
        uint64_t r = 0;

        for (int b = 35; b >= 0; b--) {
            unsigned __int128 t = r | 1ULL << b;

            if (t * t * t <= goal)
                r = (uint64_t)t;
        }
        k[found++] = (uint32_t)r;
    }
}

static void sha_block(uint32_t *h, const uint32_t *k, uint32_t *w)
{
    uint32_t v[8];

    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
    }
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        uint32_t t2 =
            (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

        v[7] = v[6], v[6] = v[5], v[5] = v[4], v[4] = v[3] + t1;
        v[3] = v[2], v[2] = v[1], v[1] = v[0], v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

static uint64_t run_sha256(unsigned long n)
{
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t k[64], w[64];
    uint64_t s = 2;

    sha_constants(k);
    while (n--) {
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)rnd(&s);
        sha_block(h, k, w);
    }
    return (uint64_t)h[0] << 32 | h[7];
}

/* Open-addressed hash table: insert and look up, multiply and shift, unpredictable branches. */
static uint64_t run_hash(unsigned long n)
{
    static uint64_t slots[4096];
    uint64_t s = 3, hits = 0, probes = 0;

    while (n--) {
        memset(slots, 0, sizeof(slots));
        for (int i = 0; i < 6000; i++) {
            uint64_t key = rnd(&s) % 4000 + 1;
            size_t at = key * 0x9e3779b97f4a7c15ULL >> 52;

            while (slots[at] && slots[at] != key)
                at = (at + 1) & 4095, probes++;
            if (slots[at])
                hits++;
            else if (i < 2500)
                slots[at] = key;
        }
    }
    return mix(hits, probes);
}

static uint64_t run_muldiv(unsigned long n)
{
    uint64_t a = 0x123456789abcdefULL, b = 0xfedcba987654321ULL, sum = 0;

    while (n--) {
        uint64_t q, r;

        a = a * 6364136223846793005ULL + 1442695040888963407ULL;
        b = b * 3935559000370003845ULL + 2691343689449507681ULL;
        q = a / (b >> 33 | 1);
        r = a % (b >> 17 | 1);
        sum += q ^ r;
        sum += (int64_t)a / (int32_t)(b >> 40 | 3);
        sum ^= (uint64_t)((unsigned __int128)a * b >> 64);
        sum += (uint32_t)a % ((uint32_t)b | 5);
    }
    return sum;
}

static void quicksort(uint32_t *a, long lo, long hi)
{
    while (lo < hi) {
        uint32_t pivot = a[(lo + hi) / 2];
        long i = lo, j = hi;

        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];

                a[i++] = a[j];
                a[j--] = t;
            }
        }
        quicksort(a, lo, j);
        lo = i;
    }
}

static uint64_t run_sort(unsigned long n)
{
    static uint32_t a[8192];
    uint64_t s = 4, sum = 0;

    while (n--) {
        for (int i = 0; i < 8192; i++)
            a[i] = (uint32_t)rnd(&s);
        quicksort(a, 0, 8191);
        for (int i = 0; i < 8192; i += 64)
            sum = mix(sum, a[i]);
    }
    return sum;
}

static uint64_t run_bitops(unsigned long n)
{
    uint64_t s = 5, sum = 0;

    while (n--) {
        uint64_t x = rnd(&s), c = x, v = x;

        c -= c >> 1 & 0x5555555555555555ULL;
        c = (c & 0x3333333333333333ULL) + (c >> 2 & 0x3333333333333333ULL);
        c = (c + (c >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
        sum += c * 0x0101010101010101ULL >> 56;
        v = (v >> 8 & 0x00ff00ff00ff00ffULL) | (v & 0x00ff00ff00ff00ffULL) << 8;
        v = (v >> 16 & 0x0000ffff0000ffffULL) | (v & 0x0000ffff0000ffffULL) << 16;
        sum ^= v >> 32 | v << 32;
        for (uint64_t g = x >> 48; g; g &= g - 1)
            sum = (sum << 7 | sum >> 57) + (g & -g);
        sum += (int8_t)(x >> 9) + (int16_t)(x >> 3) + (int32_t)x;
    }
    return sum;
}

static size_t length(const char *s)
{
    const char *p = s;

    while (*p)
        p++;
    return (size_t)(p - s);
}

static int compare(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

static uint64_t run_strings(unsigned long n)
{
    static char words[256][40];
    static char upper[40];
    uint64_t s = 6, sum = 0;

    for (int i = 0; i < 256; i++) {
        int len = 4 + rnd(&s) % 32;

        for (int k = 0; k < len; k++)
            words[i][k] = 'a' + (k < len / 2 ? 0 : rnd(&s) % 26);
    }
    while (n--) {
        for (int i = 0; i < 256; i++) {
            const char *w = words[i];
            size_t len = length(w), vowels = 0;

            for (size_t k = 0; k <= len; k++) {
                char c = w[k];

                vowels += c == 'e' || c == 'i' || c == 'o' || c == 'u';
                upper[k] = c >= 'a' && c <= 'z' ? c - 32 : c;
            }
            sum += len + vowels + (compare(w, words[(i * 7 + 1) & 255]) > 0) + upper[len / 2];
        }
    }
    return sum;
}

static uint64_t run_matmul_int(unsigned long n)
{
    enum { N = 64 };
    static int32_t a[N][N], b[N][N];
    static int64_t c[N][N];
    uint64_t s = 7, sum = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = (int16_t)rnd(&s), b[i][j] = (int16_t)rnd(&s);
    while (n--) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                int64_t t = 0;

                for (int k = 0; k < N; k++)
                    t += (int64_t)a[i][k] * b[k][j];
                c[i][j] = t;
            }
        }
        a[n % N][n / N % N] ^= (int32_t)c[n % N][3];
        sum = mix(sum, (uint64_t)c[n % N][n / N % N]);
    }
    return sum;
}

static uint64_t run_sieve(unsigned long n)
{
    static uint8_t composite[65536];
    uint64_t count = 0;

    while (n--) {
        memset(composite, 0, sizeof(composite));
        for (size_t i = 2; i < sizeof(composite); i++) {
            if (composite[i])
                continue;
            count++;
            for (size_t k = i * i; k < sizeof(composite); k += i)
                composite[k] = 1;
        }
    }
    return count;
}

const struct row rows_integer[] = {
    {"integer", "crc", run_crc, 6200, NULL, 1},
    {"integer", "sha256", run_sha256, 690000, NULL, 1},
    {"integer", "hash", run_hash, 6200, NULL, 1},
    {"integer", "muldiv", run_muldiv, 61000000, NULL, 1},
    {"integer", "sort", run_sort, 620, NULL, 1},
    {"integer", "bitops", run_bitops, 23000000, NULL, 1},
    {"integer", "strings", run_strings, 18000, NULL, 1},
    {"integer", "matmul-int", run_matmul_int, 910, NULL, 1},
    {"integer", "sieve", run_sieve, 1700, NULL, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
