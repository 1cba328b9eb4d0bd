/* What lifts of Advanced SIMD write their operations with. */
#ifndef CV_GUEST_ARM64_LIFT_VEC_H
#define CV_GUEST_ARM64_LIFT_VEC_H

#include "guest/arm64/lift.h"

static inline unsigned lane_bits(unsigned size)
{
    return 8u << size;
}

static inline ir_ref vec_un(struct lift *l, unsigned op, unsigned aux, ir_ref a, int64_t imm)
{
    return alift_vec(l, op, aux, a, IR_REF_NONE, imm);
}

static inline ir_ref vec_bin(struct lift *l, unsigned op, unsigned aux, ir_ref a, ir_ref b)
{
    return alift_vec(l, op, aux, a, b, 0);
}

/*
 * FP on lanes of the instruction's size, their number as its log2; round: enum a64_round, the rest by FPCR.
 * lift_simd_fp.c
 */
ir_ref alift_lanes(struct lift *l, unsigned op, unsigned count, unsigned kind, unsigned round, ir_ref a,
                   ir_ref b, ir_ref c);
/* Lanes of n shifted by m's, see SSHL: rounded or not. lift_vector.c */
ir_ref alift_shifted_by(struct lift *l, unsigned size, unsigned sign, bool round, ir_ref n, ir_ref m);
/* Lanes of x where the mask is ones, else of y. */
ir_ref alift_choose(struct lift *l, ir_ref mask, ir_ref x, ir_ref y);

#endif
