/*
 * The 64-bit hash of pages and state. Not cryptographic; every bit of the input changes the result with
 * overwhelming probability.
 *
 * Definition, all numbers 64-bit and little endian: fold(a, b) is the low half xor the high half of the
 * 128-bit product a * b. Constants K0..K3 stand in hash.c. hash_memory(key, p, n) starts with
 * s = fold(key ^ K0, K1) and t = s ^ K2, takes each 16 bytes (x, y) as
 *   s = fold(s ^ x, K1 ^ y), and every second such pair with t in place of s and K3 in place of K1,
 * pads the rest with zeros, and gives fold(s ^ n, t ^ K2). The incremental form is s = fold(s ^ x, K1 ^
 * count) then xor x, for each 64-bit word x; bytes are packed into words per call.
 */
#ifndef CV_LIB_HASH_H
#define CV_LIB_HASH_H

#include "lib/base.h"

uint64_t hash_memory(uint64_t key, const void *data, size_t size);

struct hash {
    uint64_t state, count;
};
void hash_init(struct hash *h, uint64_t seed);
void hash_u64(struct hash *h, uint64_t value);
void hash_bytes(struct hash *h, const void *data, size_t size);
uint64_t hash_final(const struct hash *h);

#endif
