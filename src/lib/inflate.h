/* Decompression of DEFLATE streams (RFC 1951) and gzip members (RFC 1952). Input is untrusted. */
#ifndef CV_LIB_INFLATE_H
#define CV_LIB_INFLATE_H

#include "lib/base.h"

struct inflate_result {
    size_t used; /* bytes of input, the one that the stream ends in included */
    size_t size; /* bytes of output */
};

/* 0; -EINVAL: no such stream, or damaged; -ENOSPC: it holds more than out has room for. */
int inflate_raw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, struct inflate_result *r);
/* One member, its CRC and length checked. */
int inflate_gzip(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, struct inflate_result *r);
/* What the end of a file of one member says of its size, modulo 2^32. 0: no gzip file. */
uint32_t inflate_gzip_size(const uint8_t *in, size_t in_size);

#endif
