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

#endif
