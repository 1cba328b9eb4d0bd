/* Steps of hash functions on words of 32 bits (FIPS 180-4, 4.1; GB/T 32905), four of which are a register. */
#ifndef CV_LIB_WORDS_H
#define CV_LIB_WORDS_H

#include "lib/base.h"

/* Lowest first. */
struct words {
    uint32_t w[4];
};

static inline uint32_t words_rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* Each bit of x chooses between y's and z's. */
static inline uint32_t words_choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (~x & z);
}

static inline uint32_t words_majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (x & z) | (y & z);
}

static inline uint32_t words_parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

#endif
