/*
 * A64 instruction decoding: raw bits -> id and operands. Pure functions over constant tables. Section numbers
 * are those of the Arm Architecture Reference Manual for A-profile, DDI 0487, issue J.a.
 */
#ifndef CV_ISA_ARM64_DECODE_H
#define CV_ISA_ARM64_DECODE_H

#include "lib/base.h"

enum a64_id {
    A64_UNDEFINED,
#define A64_INSN(id, name, mask, match, format, ext) A64_##id,
#include "isa/arm64/insn.def"
    A64_ID_COUNT
};

enum a64_ext {
#define A64_EXT(id, name) A64_EXT_##id,
#include "isa/arm64/ext.def"
    A64_EXT_COUNT
};

enum a64_format {
#define A64_FORMAT(id, extract, half, operands) A64_FMT_##id,
#include "isa/arm64/format.def"
    A64_FMT_COUNT
};

/*
 * A decoded instruction. The four register fields are always the bits named; what the others hold depends on
 * the format (format.def), and they are 0 where it says nothing. Register 31 is SP where format.def says
 * |SP, else zero.
 */
struct a64_insn {
    uint16_t id;     /* enum a64_id */
    uint8_t rd;      /* bits [4:0]: Rd, Rt */
    uint8_t rn;      /* bits [9:5] */
    uint8_t rm;      /* bits [20:16]: Rm, Rs */
    uint8_t ra;      /* bits [14:10]: Ra, Rt2 */
    uint8_t sf;      /* 1: general registers are 64 bits wide */
    uint8_t size;    /* log2 of the bytes of an access, or of a vector element or FP register */
    uint8_t q;       /* vector is 128 bits, not 64; or the upper half as a "2" instruction takes it */
    uint8_t opt;     /* enum a64_shift, a64_extend, a64_index, A64_ACQUIRE | A64_RELEASE: by format */
    uint8_t amount;  /* of the shift */
    uint8_t cond;    /* enum a64_cond */
    uint8_t index;   /* element, bit number, nzcv, mask: by format */
    uint16_t sysreg; /* A64_SYSREG_CODE() of sysreg.h */
    int64_t imm;     /* fully decoded: bitmasks expanded, branches and offsets in bytes */
    uint32_t raw;
};

enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR };

/* Of an address's or an addend's register. UXTX and SXTX take all 64 bits; UXTX is written LSL. */
enum a64_extend { A64_UXTB, A64_UXTH, A64_UXTW, A64_UXTX, A64_SXTB, A64_SXTH, A64_SXTW, A64_SXTX };

/* imm is added before the access; after it, and written back; before it, and written back. */
enum a64_index { A64_OFFSET, A64_POST, A64_PRE };

enum { A64_ACQUIRE = 1, A64_RELEASE = 2 };

/* C1.2.4; AL and NV are both "always". An odd number is the opposite of the even one below. */
enum a64_cond {
    A64_EQ,
    A64_NE,
    A64_CS,
    A64_CC,
    A64_MI,
    A64_PL,
    A64_VS,
    A64_VC,
    A64_HI,
    A64_LS,
    A64_GE,
    A64_LT,
    A64_GT,
    A64_LE,
    A64_AL,
    A64_NV,
};

/* What the tables say of one id (A64_UNDEFINED has a row too). */
struct a64_insn_desc {
    uint32_t mask, match;
    uint8_t format; /* enum a64_format */
    uint8_t ext;    /* enum a64_ext */
    const char *name;
};

extern const struct a64_insn_desc a64_insn_descs[A64_ID_COUNT];
extern const char *const a64_ext_names[A64_EXT_COUNT];

/* What one id of format.def needs and how it prints. */
struct a64_format_desc {
    bool half;            /* with size 1 the instruction needs A64_EXT_FP16 too */
    const char *operands; /* for disasm.c */
};

extern const struct a64_format_desc a64_format_descs[A64_FMT_COUNT];

/* The features an instruction needs, BIT(A64_EXT_*) each: its row's, and FEAT_FP16 where operands are halves.
 */
static inline uint64_t a64_insn_exts(const struct a64_insn *insn)
{
    const struct a64_insn_desc *desc = &a64_insn_descs[insn->id];
    bool half = a64_format_descs[desc->format].half && insn->size == 1;

    return BIT(desc->ext) | (half ? BIT(A64_EXT_FP16) : 0);
}

/*
 * False: undefined, reserved or not in the tables; *out then holds id A64_UNDEFINED and raw, the rest 0. That
 * the guest has the instruction's features (a64_insn_exts()) is for the caller to judge.
 */
bool a64_decode(uint32_t raw, struct a64_insn *out);

/*
 * The mask that a logical immediate's N:immr:imms stands for (DecodeBitMasks of the manual's
 * pseudocode): false if reserved. sf 0: 32 bits, zero-extended.
 */
bool a64_bitmask_decode(unsigned sf, unsigned n, unsigned immr, unsigned imms, uint64_t *mask);

#endif
