/*
 * For the decoder only: the functions that format.def names. Each takes the fields of its format apart and
 * returns false for a reserved value; the register fields, sf, q and raw are set already.
 */
#ifndef CV_ISA_ARM64_EXTRACT_H
#define CV_ISA_ARM64_EXTRACT_H

#include "isa/arm64/decode.h"

#define A64_FORMAT(id, extract, half, operands) bool a64_get_##extract(struct a64_insn *o);
#include "isa/arm64/format.def"

/* Bits [hi:lo] of the instruction, as they are and as a signed number. */
static inline unsigned a64_bits(const struct a64_insn *o, unsigned hi, unsigned lo)
{
    return (unsigned)bits_get(o->raw, hi, lo);
}

static inline int64_t a64_sbits(const struct a64_insn *o, unsigned hi, unsigned lo)
{
    return bits_sext(bits_get(o->raw, hi, lo), hi - lo + 1);
}

#endif
