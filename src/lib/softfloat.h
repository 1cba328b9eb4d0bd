/*
 * IEEE 754 binary arithmetic in integers: f16, f32, f64 as bit patterns in uint64_t (upper bits zero).
 * Rounding, NaN choice, tininess and conversion rules are data, so one implementation serves all ISAs.
 */
#ifndef CV_LIB_SOFTFLOAT_H
#define CV_LIB_SOFTFLOAT_H

#include "lib/base.h"

enum sf_format { SF_F16, SF_F32, SF_F64, SF_FORMATS };

/* The first five are numbered as RISC-V's rm field. ODD: truncate, then set the last bit if inexact. */
enum sf_round { SF_RNE, SF_RTZ, SF_RDN, SF_RUP, SF_RMM, SF_ODD };

enum sf_flag {
    SF_INEXACT = 1,
    SF_UNDERFLOW = 2,
    SF_OVERFLOW = 4,
    SF_DIVZERO = 8,
    SF_INVALID = 16,
    SF_INPUT_DENORMAL = 32
};

enum sf_nan_rule {
    SF_NAN_DEFAULT,      /* RISC-V: every NaN result is the default NaN */
    SF_NAN_SIGNAL_FIRST, /* Arm: the first signalling operand, else the first quiet one, made quiet */
    SF_NAN_FIRST         /* x86: the first NaN operand, made quiet */
};

/* What ISAs disagree on. */
struct sf_rules {
    uint8_t nan;              /* enum sf_nan_rule */
    bool default_nan_sign;    /* x86: the default NaN is negative */
    bool tiny_before;         /* tininess is seen before rounding (Arm) */
    bool fma_inf_zero_nan_ok; /* inf * 0 + qNaN raises nothing (x86 FMA) */
    uint8_t nan_to_int;       /* 0: largest (RISC-V), 1: zero (Arm), 2: the most negative (x86) */
    bool range_indefinite;    /* out of range gives the most negative too (x86), else it saturates */
    bool flush_out_inexact;   /* a flushed result is inexact, not only underflow (x86) */
    uint8_t flush_in_flag;    /* formats, BIT(f) each, whose flushed inputs raise SF_INPUT_DENORMAL (Arm) */
};
extern const struct sf_rules sf_rules_riscv, sf_rules_arm, sf_rules_x86;

struct sf_env {
    const struct sf_rules *rules;
    uint8_t round;    /* enum sf_round */
    uint8_t flags;    /* enum sf_flag, accumulated */
    bool default_nan; /* Arm FPCR.DN */
    /*
     * Formats, BIT(f) each, whose denormal operands and results are zeros: Arm's FZ is f32 and f64, FZ16 is
     * f16; x86's DAZ is in, FTZ out. sf_convert never flushes f16.
     */
    uint8_t flush_in, flush_out;
};

uint64_t sf_add(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t sf_sub(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t sf_mul(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t sf_div(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t sf_sqrt(enum sf_format f, uint64_t a, struct sf_env *e);
/* a * b + c, rounded once. */
uint64_t sf_fma(enum sf_format f, uint64_t a, uint64_t b, uint64_t c, struct sf_env *e);
/* RISC-V's (minimumNumber, maximumNumber of IEEE 754-2019): a number wins over a NaN, -0 < +0. */
uint64_t sf_min(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);
uint64_t sf_max(enum sf_format f, uint64_t a, uint64_t b, struct sf_env *e);

/* -1, 0, 1, or 2 when unordered. quiet: only signalling NaNs are invalid. */
int sf_compare(enum sf_format f, uint64_t a, uint64_t b, bool quiet, struct sf_env *e);
bool sf_is_nan(enum sf_format f, uint64_t a);
bool sf_is_snan(enum sf_format f, uint64_t a);
uint64_t sf_default_nan(enum sf_format f, const struct sf_env *e);
/* The ten classes of RISC-V FCLASS, one bit set. */
unsigned sf_class(enum sf_format f, uint64_t a);

/* To an integral value in the same format; exact: inexact is raised where the value changes. */
uint64_t sf_round_int(enum sf_format f, uint64_t a, bool exact, struct sf_env *e);
uint64_t sf_convert(enum sf_format from, enum sf_format to, uint64_t a, struct sf_env *e);
/* width 32 or 64. The result is sign-extended from its width, unsigned 32-bit ones too. */
uint64_t sf_to_int(enum sf_format f, uint64_t a, unsigned width, bool is_signed, struct sf_env *e);
/* value: 64 bits, already extended as its type says. */
uint64_t sf_from_int(enum sf_format f, uint64_t value, bool is_signed, struct sf_env *e);

#endif
