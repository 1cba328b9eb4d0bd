/* xoshiro256**, seeded by SplitMix64. */
#include "lib/rng.h"

static uint64_t rotate_left(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

void rng_init(struct rng *r, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = z ^ z >> 31;
    }
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, out = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    /* The lowest 2^64 mod n numbers are left out, so that every remainder is equally frequent. */
    uint64_t unfair = (0 - n) % n, v;

    do
        v = rng_u64(r);
    while (v < unfair);
    return v % n;
}

void rng_bytes(struct rng *r, void *data, size_t size)
{
    uint8_t *p = data;
    uint64_t v = 0;

    for (size_t i = 0; i < size; i++) {
        v = i % 8 ? v >> 8 : rng_u64(r);
        p[i] = (uint8_t)v;
    }
}
