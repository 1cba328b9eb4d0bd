/*
 * Floating point: the fields of fcsr, rounding modes, NaN boxing and canonical NaNs (Unprivileged,
 * chapters 20 and 21), the classes of fclass.
 */
#ifndef CV_ISA_RISCV64_FP_H
#define CV_ISA_RISCV64_FP_H

#include "lib/base.h"

/* fflags */
#define RV_FFLAG_NX 0x01
#define RV_FFLAG_UF 0x02
#define RV_FFLAG_OF 0x04
#define RV_FFLAG_DZ 0x08
#define RV_FFLAG_NV 0x10

/* fcsr: frm[7:5] fflags[4:0]; the rest is zero */
#define RV_FCSR_FFLAGS    0x1f
#define RV_FCSR_FRM       0xe0
#define RV_FCSR_FRM_SHIFT 5

/* Values of frm and of an instruction's rm field; 5 and 6 are reserved, 7 in frm too. */
enum rv_rm { RV_RM_RNE, RV_RM_RTZ, RV_RM_RDN, RV_RM_RUP, RV_RM_RMM, RV_RM_DYN = 7 };

#define RV_NAN_H UINT64_C(0x7e00)
#define RV_NAN_S UINT64_C(0x7fc00000)
#define RV_NAN_D UINT64_C(0x7ff8000000000000)

/* A narrower value in a 64-bit f register has all upper bits 1; one that has not reads as the canonical NaN.
 */
#define RV_BOX_S UINT64_C(0xffffffff00000000)
#define RV_BOX_H UINT64_C(0xffffffffffff0000)

enum rv_fclass {
    RV_FCLASS_NEG_INF = 1 << 0,
    RV_FCLASS_NEG_NORMAL = 1 << 1,
    RV_FCLASS_NEG_SUBNORMAL = 1 << 2,
    RV_FCLASS_NEG_ZERO = 1 << 3,
    RV_FCLASS_POS_ZERO = 1 << 4,
    RV_FCLASS_POS_SUBNORMAL = 1 << 5,
    RV_FCLASS_POS_NORMAL = 1 << 6,
    RV_FCLASS_POS_INF = 1 << 7,
    RV_FCLASS_SNAN = 1 << 8,
    RV_FCLASS_QNAN = 1 << 9,
};

#endif
