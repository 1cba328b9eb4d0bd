/*
 * Exception syndromes of AArch64: classes, fault status codes, and the fields of ESR_EL1, SPSR_EL1 and the
 * vector table. DDI 0487: D1.3 (exceptions), D17.2.37 (ESR_EL1), C5.2.18 (SPSR_EL1).
 */
#ifndef CV_ISA_ARM64_ESR_H
#define CV_ISA_ARM64_ESR_H

#include "lib/base.h"

/* ESR_EL1.EC */
enum a64_ec {
    A64_EC_UNKNOWN = 0x00,
    A64_EC_WFX = 0x01,
    A64_EC_FP = 0x07,  /* FP and SIMD trapped by CPACR_EL1 */
    A64_EC_PAC = 0x09, /* pointer authentication trapped */
    A64_EC_BTI = 0x0d,
    A64_EC_ILLEGAL_STATE = 0x0e,
    A64_EC_SVC = 0x15,
    A64_EC_HVC = 0x16,
    A64_EC_SMC = 0x17,
    A64_EC_SYS = 0x18, /* MRS, MSR, SYS, SYSL trapped */
    A64_EC_FPAC = 0x1c,
    A64_EC_INSN_ABORT_LOWER = 0x20,
    A64_EC_INSN_ABORT_SAME = 0x21,
    A64_EC_PC_ALIGN = 0x22,
    A64_EC_DATA_ABORT_LOWER = 0x24,
    A64_EC_DATA_ABORT_SAME = 0x25,
    A64_EC_SP_ALIGN = 0x26,
    A64_EC_FP_EXCEPTION = 0x2c,
    A64_EC_SERROR = 0x2f,
    A64_EC_BREAKPOINT_LOWER = 0x30,
    A64_EC_BREAKPOINT_SAME = 0x31,
    A64_EC_STEP_LOWER = 0x32,
    A64_EC_STEP_SAME = 0x33,
    A64_EC_WATCHPOINT_LOWER = 0x34,
    A64_EC_WATCHPOINT_SAME = 0x35,
    A64_EC_BRK = 0x3c,
};

#define A64_ESR_EC_SHIFT 26
#define A64_ESR_IL       BIT(25) /* a 32-bit instruction, or no instruction's exception */
#define A64_ESR(ec)      ((uint64_t)(ec) << A64_ESR_EC_SHIFT | A64_ESR_IL)
#define A64_ESR_EC(esr)  ((unsigned)((esr) >> A64_ESR_EC_SHIFT & 0x3f))

/* ISS of aborts: DFSC or IFSC in bits 5:0, and: */
#define A64_ISS_WNR BIT(6)
#define A64_ISS_CM  BIT(8)
#define A64_ISS_EA  BIT(9)
#define A64_ISS_FNV BIT(10)

/* DFSC, IFSC; those of a level: code | level. */
enum a64_fsc {
    A64_FSC_ADDRESS_SIZE = 0x00,
    A64_FSC_TRANSLATION = 0x04,
    A64_FSC_ACCESS_FLAG = 0x08,
    A64_FSC_PERMISSION = 0x0c,
    A64_FSC_EXTERNAL = 0x10,
    A64_FSC_EXTERNAL_WALK = 0x14,
    A64_FSC_ALIGNMENT = 0x21,
    A64_FSC_DEBUG = 0x22,
    A64_FSC_TLB_CONFLICT = 0x30,
    A64_FSC_ATOMIC = 0x35, /* unsupported exclusive or atomic access */
};
#define A64_FSC_MASK UINT64_C(0x3f)

/* ISS of a software step exception, and of a trapped WFx. */
#define A64_ISS_STEP_ISV BIT(24)
#define A64_ISS_STEP_EX  BIT(6)
#define A64_ISS_WFE      BIT(0)
/* COND is "always", CV says that it is valid: exceptions of conditional AArch32 instructions share the field.
 */
#define A64_ISS_CV_AL (UINT64_C(0x1e) << 20)

/* ISS of EC SYS: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, read 0. insn: its bits. */
static inline uint64_t a64_iss_sys(uint32_t insn)
{
    return bits_get(insn, 20, 19) << 20 | bits_get(insn, 7, 5) << 17 | bits_get(insn, 18, 16) << 14 |
           bits_get(insn, 15, 12) << 10 | bits_get(insn, 4, 0) << 5 | bits_get(insn, 11, 8) << 1 |
           bits_get(insn, 21, 21);
}

/* SPSR_EL1 of an exception from AArch64 */
#define A64_SPSR_N    BIT(31)
#define A64_SPSR_Z    BIT(30)
#define A64_SPSR_C    BIT(29)
#define A64_SPSR_V    BIT(28)
#define A64_SPSR_TCO  BIT(25)
#define A64_SPSR_DIT  BIT(24)
#define A64_SPSR_UAO  BIT(23)
#define A64_SPSR_PAN  BIT(22)
#define A64_SPSR_SS   BIT(21)
#define A64_SPSR_IL   BIT(20)
#define A64_SPSR_SSBS BIT(12)
#define A64_SPSR_DAIF UINT64_C(0x3c0)
#define A64_SPSR_D    BIT(9)
#define A64_SPSR_A    BIT(8)
#define A64_SPSR_I    BIT(7)
#define A64_SPSR_F    BIT(6)
#define A64_SPSR_NRW  BIT(4) /* AArch32 */
#define A64_SPSR_M    UINT64_C(0x1f)

enum a64_spsr_mode { A64_MODE_EL0T = 0, A64_MODE_EL1T = 4, A64_MODE_EL1H = 5 };

/* Offsets in the vector table (D1.3.1.5): the kind, above it where it comes from. */
enum a64_vector {
    A64_VECTOR_SYNC = 0,
    A64_VECTOR_IRQ = 0x80,
    A64_VECTOR_FIQ = 0x100,
    A64_VECTOR_SERROR = 0x180,
    A64_VECTOR_SAME_SP0 = 0,
    A64_VECTOR_SAME_SPX = 0x200,
    A64_VECTOR_LOWER = 0x400,
};

#endif
