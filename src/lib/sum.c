/* The checksum of images: eight lanes of additions, mixed once a block. */
#include "lib/sum.h"
#include "lib/str.h"

#define LANES 8
#define STEP  (LANES * sizeof(uint64_t))

/* Definition: little endian, as every host is that this runs on. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lib/sum.h");

static const uint64_t K = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t mix(uint64_t h, const uint64_t lane[LANES])
{
    for (unsigned i = 0; i < LANES; i++) {
        h = (h ^ lane[i]) * K;
        h = h << 29 | h >> 35;
    }
    return h;
}

/* Whole steps of one block; the lanes stay in registers, and one loop serves sum and copy. */
__attribute__((always_inline)) static inline void add_steps(uint64_t lane[LANES], uint64_t *to,
                                                            const uint64_t *from, size_t steps)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    uint64_t e = lane[4], f = lane[5], g = lane[6], h = lane[7];

    for (const uint64_t *end = from + steps * LANES; from != end; from += LANES) {
        uint64_t w[LANES];

        for (unsigned i = 0; i < LANES; i++)
            w[i] = from[i];
        if (to) {
            for (unsigned i = 0; i < LANES; i++)
                to[i] = w[i];
            to += LANES;
        }
        a += w[0], b += w[1], c += w[2], d += w[3];
        e += w[4], f += w[5], g += w[6], h += w[7];
    }
    lane[0] = a, lane[1] = b, lane[2] = c, lane[3] = d;
    lane[4] = e, lane[5] = f, lane[6] = g, lane[7] = h;
}

/* By way of an aligned copy: for what is not, and for the last bytes. */
static void add_slowly(uint64_t lane[LANES], uint8_t *to, const uint8_t *from, size_t size)
{
    while (size) {
        uint64_t w[LANES] = {0};
        size_t n = MIN(size, STEP);

        memcpy(w, from, n);
        if (to) {
            memcpy(to, w, n);
            to += n;
        }
        add_steps(lane, NULL, w, 1);
        from += n;
        size -= n;
    }
}

__attribute__((always_inline)) static inline uint64_t add(uint64_t h, uint8_t *to, const uint8_t *from,
                                                          size_t size)
{
    bool aligned = !(((uintptr_t)from | (uintptr_t)to) & 7);

    while (size) {
        uint64_t lane[LANES] = {0};
        size_t n = MIN(size, (size_t)SUM_BLOCK), fast = aligned ? n - n % STEP : 0;

        add_steps(lane, (uint64_t *)(void *)to, (const uint64_t *)(const void *)from, fast / STEP);
        add_slowly(lane, to ? to + fast : NULL, from + fast, n - fast);
        h = mix(h, lane);
        from += n;
        to = to ? to + n : NULL;
        size -= n;
    }
    return h;
}

uint64_t sum64_begin(uint64_t total_size)
{
    return total_size ^ K;
}

uint64_t sum64_add(uint64_t state, const void *data, size_t size)
{
    return add(state, NULL, data, size);
}

uint64_t sum64_end(uint64_t state)
{
    state ^= state >> 32;
    return state ? state : 1;
}

uint64_t sum64(const void *data, size_t size)
{
    return sum64_end(add(sum64_begin(size), NULL, data, size));
}

uint64_t sum64_copy(void *restrict to, const void *restrict from, size_t size)
{
    return sum64_end(add(sum64_begin(size), to, from, size));
}
