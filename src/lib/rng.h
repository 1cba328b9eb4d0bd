/*
 * A small seeded generator of pseudo-random numbers, equal on every host: entropy of deterministic runs
 * and the cases of tests. Not for secrets. The caller locks.
 */
#ifndef CV_LIB_RNG_H
#define CV_LIB_RNG_H

#include "lib/base.h"

/* xoshiro256** 1.0 (Blackman, Vigna); never all zero. Plain data: a snapshot may save it. */
struct rng {
    uint64_t s[4];
};

/* Any seed; the state is four steps of SplitMix64 from it. */
void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, n); n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* The numbers' bytes, little endian; a call that is no multiple of 8 drops the rest of its last number. */
void rng_bytes(struct rng *r, void *data, size_t size);

#endif
