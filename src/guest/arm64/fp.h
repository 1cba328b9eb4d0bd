/*
 * Floating point as A64 has it, where lib/softfloat alone does not say: minimum and maximum, estimates, fused
 * steps, fixed point, alternative half precision (DDI 0487, shared/functions/float). Values are bit patterns.
 */
#ifndef CV_GUEST_ARM64_FP_H
#define CV_GUEST_ARM64_FP_H

#include "isa/arm64/fp.h"
#include "lib/softfloat.h"

/* The environment that the mode word's FPCR bits make; flags are gathered in it. */
struct sf_env arm64_fp_env(uint64_t mode);
/* enum sf_round of an enum a64_round. */
unsigned arm64_fp_round(uint64_t mode, unsigned a64_round);

uint64_t arm64_fp_max(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t arm64_fp_min(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
/* A number wins over one quiet NaN. */
uint64_t arm64_fp_maxnm(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t arm64_fp_minnm(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);

/* FMULX, FRECPS, FRSQRTS, FRECPE, FRSQRTE, FRECPX */
uint64_t arm64_fp_mulx(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t arm64_fp_recps(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t arm64_fp_rsqrts(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t arm64_fp_recpe(enum sf_format f, uint64_t a, struct sf_env *e);
uint64_t arm64_fp_rsqrte(enum sf_format f, uint64_t a, struct sf_env *e);
uint64_t arm64_fp_recpx(enum sf_format f, uint64_t a, struct sf_env *e);
/* URECPE, URSQRTE: fixed-point estimates of 32 bits. */
uint32_t arm64_fp_recpe_u32(uint32_t a);
uint32_t arm64_fp_rsqrte_u32(uint32_t a);

/* Formats into each other; ahp: the half format is the alternative one. */
uint64_t arm64_fp_convert(enum sf_format from, enum sf_format to, uint64_t a, bool ahp, struct sf_env *e);
/* Integers of `bits` (16, 32, 64) with `fraction` bits behind the point; to_fixed rounds as e says. */
uint64_t arm64_fp_to_fixed(enum sf_format f, uint64_t a, unsigned bits, bool is_signed, unsigned fraction,
                           struct sf_env *e);
uint64_t arm64_fp_from_fixed(enum sf_format f, uint64_t a, unsigned bits, bool is_signed, unsigned fraction,
                             struct sf_env *e);

static inline unsigned arm64_fp_bits(enum sf_format f)
{
    return 16u << f;
}

static inline uint64_t arm64_fp_neg(enum sf_format f, uint64_t a)
{
    return a ^ BIT(arm64_fp_bits(f) - 1);
}

static inline uint64_t arm64_fp_abs(enum sf_format f, uint64_t a)
{
    return a & ~BIT(arm64_fp_bits(f) - 1);
}

#endif
