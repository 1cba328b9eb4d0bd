/*
 * Floating point: FPCR, FPSR (DDI 0487, C5.2), rounding modes, default NaNs (A1.4).
 */
#ifndef CV_ISA_ARM64_FP_H
#define CV_ISA_ARM64_FP_H

#include "isa/arm64/sysreg.h"

#define A64_FPCR_IOE   BIT(8) /* trap enables; implementations may have none (RAZ/WI) */
#define A64_FPCR_DZE   BIT(9)
#define A64_FPCR_OFE   BIT(10)
#define A64_FPCR_UFE   BIT(11)
#define A64_FPCR_IXE   BIT(12)
#define A64_FPCR_IDE   BIT(15)
#define A64_FPCR_FZ16  BIT(19) /* FEAT_FP16 */
#define A64_FPCR_RMODE A64_MASK(23, 22)
#define A64_FPCR_FZ    BIT(24)
#define A64_FPCR_DN    BIT(25)
#define A64_FPCR_AHP   BIT(26)

/* What can be written where no exception can be trapped, with FEAT_FP16. */
#define A64_FPCR_MASK (A64_FPCR_FZ16 | A64_FPCR_RMODE | A64_FPCR_FZ | A64_FPCR_DN | A64_FPCR_AHP)

#define A64_FPSR_IOC BIT(0)
#define A64_FPSR_DZC BIT(1)
#define A64_FPSR_OFC BIT(2)
#define A64_FPSR_UFC BIT(3)
#define A64_FPSR_IXC BIT(4)
#define A64_FPSR_IDC BIT(7)
#define A64_FPSR_QC  BIT(27)

#define A64_FPSR_MASK                                                                                        \
    (A64_FPSR_IOC | A64_FPSR_DZC | A64_FPSR_OFC | A64_FPSR_UFC | A64_FPSR_IXC | A64_FPSR_IDC | A64_FPSR_QC)

/* FPCR.RMode, and in the same numbers FRINT*, FCVT* with a mode of their own; away is theirs alone. */
enum a64_round {
    A64_ROUND_EVEN, /* N */
    A64_ROUND_UP,   /* P */
    A64_ROUND_DOWN, /* M */
    A64_ROUND_ZERO, /* Z */
    A64_ROUND_AWAY, /* A: to nearest, ties away */
    A64_ROUND_FPCR, /* I, X: as FPCR.RMode says */
};

#define A64_NAN_H UINT64_C(0x7e00)
#define A64_NAN_S UINT64_C(0x7fc00000)
#define A64_NAN_D UINT64_C(0x7ff8000000000000)

#endif
