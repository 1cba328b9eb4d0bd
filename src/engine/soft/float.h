/*
 * FP operations of the IR by lib/softfloat: how the interpreter executes them, and generated code those cases
 * that the host's FPU does otherwise than the guest's.
 */
#ifndef CV_ENGINE_SOFT_FLOAT_H
#define CV_ENGINE_SOFT_FLOAT_H

#include "ir/ir.h"

/* An operation as one number; from: enum ir_type of operand a. */
static inline uint32_t soft_float_what(unsigned op, unsigned type, unsigned from, unsigned aux)
{
    return op | type << 8 | from << 12 | aux << 16;
}

/* FADD to UNBOX. Bits of operands above their type do not matter, those of the result are 0. Flags go to the
 * vcpu. */
uint64_t soft_float(struct vcpu *v, uint32_t what, uint64_t a, uint64_t b, uint64_t c);

/* VFADD to VFNARROW on the operands x; the result replaces x[0]. */
void soft_vector_float(struct vcpu *v, uint32_t what, uint64_t x[3][2]);

#endif
