/*
 * The 64-bit hash of pages and state. Not cryptographic; every bit of the input changes the result with
 * overwhelming probability.
 *
 * Definition, all numbers 64-bit and little endian: fold(a, b) is the low half xor the high half of the
 * 128-bit product a * b. Constants K0..K3 stand in hash.c.
 *
 * hash_memory(key, p, n): s = fold(key ^ K0, K1), t = s ^ K2; the bytes, padded with zeros to a multiple
 * of 32, are words (w, x, y, z), for each four of which s = fold(s ^ w, K1 ^ x), t = fold(t ^ y, K3 ^ z);
 * the result is fold(s ^ n, t ^ K2). Two chains, since one would wait for its multiplication. A sum of
 * such hashes over pages, each keyed by its address, is a hash of memory that follows single pages.
 *
 * The incremental form: s = fold(seed ^ K0, K1), count = 0; for each word x, count = count + 1 and
 * s = fold(s ^ x, K1 ^ count) ^ x; the result is fold(s ^ K2, K3 ^ count). Bytes are words per call, a
 * last part of n < 8 bytes one whose highest byte is n.
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
