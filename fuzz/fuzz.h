/* What the fuzz targets share: bytes taken from the front of the input, and a way to stop loudly. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_in {
    const uint8_t *p;
    size_t left;
};

/* The next n bytes as a number; zeros past the end. */
static inline uint64_t fuzz_take(struct fuzz_in *in, unsigned n)
{
    uint64_t x = 0;
    size_t k = n < in->left ? n : in->left;

    memcpy(&x, in->p, k);
    in->p += k;
    in->left -= k;
    return x;
}

#define FUZZ_CHECK(cond)                                                                                     \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
