/*
 * Advanced SIMD instructions as functions on the vector registers, by enum a64_id: what lifted code calls for
 * all that IR has no operation for. Integer C only.
 */
#ifndef CV_GUEST_ARM64_SIMD_H
#define CV_GUEST_ARM64_SIMD_H

#include "guest/arm64/cpu.h"
#include "guest/arm64/fp.h"
#include "isa/arm64/decode.h"

/* Whether the id is served here, and the operand that says which instruction it is. */
bool arm64_simd_has(unsigned id);
uint64_t arm64_simd_desc(const struct a64_insn *i);
void arm64_simd(struct arm64_vcpu *a, uint64_t desc);

/* ---- for the files of simd_*.c ---- */

/* One instruction. */
struct simd {
    struct arm64_vcpu *a;
    const struct simd_row *row;
    uint8_t rd, rn, rm, ra, size, q, opt, amount, index;
    uint8_t bits;     /* of the element that a lane function computes */
    enum sf_format f; /* of size */
    struct sf_env env;
};

/*
 * Lane functions: operands zero-extended from their width; d is what the destination holds. Only the low
 * s->bits of the result count.
 */
typedef uint64_t (*simd_lane)(struct simd *s, uint64_t a, uint64_t b, uint64_t d);

/* Instructions of their own. */
typedef void (*simd_whole)(struct simd *s);

enum simd_shape {
    SIMD_NONE,
    SIMD_LANES,  /* d = fn(n, m, d) in each lane; one operand: m counts as zero */
    SIMD_PAIRS,  /* fn of neighbours in m:n */
    SIMD_LONG,   /* n and m narrow, d wide */
    SIMD_ACROSS, /* fn over all lanes of n, in halves of halves */
    SIMD_WHOLE   /* whole(s) */
};

enum simd_flag {
    SIMD_SCALAR = 2, /* one lane */
    SIMD_ELEM = 4,   /* m is one element, index, for all lanes */
    SIMD_FP = 8      /* size is that of a float */
};

struct simd_row {
    uint8_t shape, flags;
    uint8_t arg; /* the lane function's own */
    simd_lane fn;
    simd_whole whole;
};

extern const struct simd_row simd_int_rows[A64_ID_COUNT];
extern const struct simd_row simd_fp_rows[A64_ID_COUNT];
extern const struct simd_row simd_crypto_rows[A64_ID_COUNT];

static inline uint64_t simd_get(const struct arm64_q *v, unsigned size, unsigned lane)
{
    uint64_t x = 0;

    __builtin_memcpy(&x, (const uint8_t *)v + ((size_t)lane << size), (size_t)1 << size);
    return x;
}

static inline void simd_set(struct arm64_q *v, unsigned size, unsigned lane, uint64_t x)
{
    __builtin_memcpy((uint8_t *)v + ((size_t)lane << size), &x, (size_t)1 << size);
}

static inline unsigned simd_lanes(const struct simd *s, unsigned size)
{
    return s->row->flags & SIMD_SCALAR ? 1 : (s->q ? 16u : 8u) >> size;
}

#endif
