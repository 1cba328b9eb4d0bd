/*
 * A checksum against damage by accident, of at most half an instruction a byte: for images that a loader
 * reads once. Not for anything that is keyed by it (lib/hash.h is).
 *
 * Definition, all numbers 64-bit and little endian: the bytes, padded with zeros to a multiple of 64, are
 * words. In each block of 4096 bytes (the last may be shorter) word i is added to lane i mod 8; at the
 * block's end for each lane l in order h = (h ^ l) * K, rotated left by 29. h begins as the size ^ K; the
 * result is h ^ h >> 32, and 1 where that is 0. K is 0x9e3779b97f4a7c15. So every change of one word shows,
 * and of more but for words that change places within a block's lane or sums that cancel out there.
 */
#ifndef CV_LIB_SUM_H
#define CV_LIB_SUM_H

#include "lib/base.h"

/* In parts: each but the last a multiple of SUM_BLOCK. */
#define SUM_BLOCK 4096u
uint64_t sum64_begin(uint64_t total_size);
uint64_t sum64_add(uint64_t state, const void *data, size_t size);
uint64_t sum64_end(uint64_t state);
/* Never 0, which stands for "no sum". Fast where data is aligned to 8. */
uint64_t sum64(const void *data, size_t size);
/* The same of `from` while it is copied; the two do not overlap. */
uint64_t sum64_copy(void *restrict to, const void *restrict from, size_t size);

#endif
