/*
 * Exception syndromes: ESR_EL1's classes and what ISS holds for each (DDI 0487, D19.2 "ESR_EL1"), fault
 * status codes, and functions that build the whole register.
 */
#ifndef CV_ISA_ARM64_ESR_H
#define CV_ISA_ARM64_ESR_H

#include "isa/arm64/sysreg.h"

#define A64_ESR_ISS  A64_MASK(24, 0)
#define A64_ESR_IL   BIT(25) /* 32-bit instruction, or the class says nothing of one */
#define A64_ESR_EC   A64_MASK(31, 26)
#define A64_ESR_ISS2 A64_MASK(55, 32)

/* Those that AArch64 can cause; the pairs: from a lower level, from the same one. */
enum a64_ec {
    A64_EC_UNKNOWN = 0x00,   /* undefined instructions too; ISS 0 */
    A64_EC_WFX = 0x01,       /* trapped WFI, WFE */
    A64_EC_FP_ACCESS = 0x07, /* CPACR_EL1.FPEN */
    A64_EC_PAUTH = 0x09,     /* use of pointer authentication trapped; ISS 0 */
    A64_EC_BTI = 0x0d,
    A64_EC_ILLEGAL_STATE = 0x0e, /* ISS 0 */
    A64_EC_SVC = 0x15,
    A64_EC_HVC = 0x16,
    A64_EC_SMC = 0x17,
    A64_EC_SYSREG = 0x18, /* MSR, MRS, SYS trapped */
    A64_EC_SVE = 0x19,
    A64_EC_FPAC = 0x1c, /* pointer authentication failed, FEAT_FPAC */
    A64_EC_INSN_ABORT_LOWER = 0x20,
    A64_EC_INSN_ABORT = 0x21,
    A64_EC_PC_ALIGNMENT = 0x22, /* ISS 0 */
    A64_EC_DATA_ABORT_LOWER = 0x24,
    A64_EC_DATA_ABORT = 0x25,
    A64_EC_SP_ALIGNMENT = 0x26, /* ISS 0 */
    A64_EC_FP_EXCEPTION = 0x2c, /* trapped floating-point exception */
    A64_EC_SERROR = 0x2f,
    A64_EC_BREAKPOINT_LOWER = 0x30,
    A64_EC_BREAKPOINT = 0x31,
    A64_EC_STEP_LOWER = 0x32,
    A64_EC_STEP = 0x33,
    A64_EC_WATCHPOINT_LOWER = 0x34,
    A64_EC_WATCHPOINT = 0x35,
    A64_EC_BRK = 0x3c,
};

/* Classes that have a pair: the one for an exception from the same level. */
enum { A64_EC_SAME_LEVEL = 1 };

/* SVC, HVC, SMC, BRK: the instruction's 16 bits */
#define A64_ISS_IMM16 A64_MASK(15, 0)

/* Conditions: A64 instructions give CV 1, COND 14 */
#define A64_ISS_COND        A64_MASK(23, 20)
#define A64_ISS_CV          BIT(24)
#define A64_ISS_COND_ALWAYS (A64_ISS_CV | UINT64_C(14) << 20)

/* WFX: TI 0: WFI, 1: WFE */
#define A64_ISS_WFX_TI A64_MASK(1, 0)

/* SYSREG */
#define A64_ISS_SYS_READ BIT(0) /* MRS, SYSL */
#define A64_ISS_SYS_CRM  A64_MASK(4, 1)
#define A64_ISS_SYS_RT   A64_MASK(9, 5)
#define A64_ISS_SYS_CRN  A64_MASK(13, 10)
#define A64_ISS_SYS_OP1  A64_MASK(16, 14)
#define A64_ISS_SYS_OP2  A64_MASK(19, 17)
#define A64_ISS_SYS_OP0  A64_MASK(21, 20)

/* Data aborts and watchpoints; instruction aborts have FSC, S1PTW, EA, FNV alone. ISV and what it says is
 * valid (SAS to AR) are for stage 2 only: 0 at EL1. */
#define A64_ISS_FSC   A64_MASK(5, 0)
#define A64_ISS_WNR   BIT(6)
#define A64_ISS_S1PTW BIT(7)
#define A64_ISS_CM    BIT(8) /* cache maintenance or AT; WNR is 1 then */
#define A64_ISS_EA    BIT(9)
#define A64_ISS_FNV   BIT(10) /* FAR is not valid */
#define A64_ISS_AR    BIT(14)
#define A64_ISS_SF    BIT(15)
#define A64_ISS_SRT   A64_MASK(20, 16)
#define A64_ISS_SSE   BIT(21)
#define A64_ISS_SAS   A64_MASK(23, 22)
#define A64_ISS_ISV   BIT(24)

/* Fault status codes; those marked + level take the level 0..3 of the table walk. PAR_EL1.FST has the same.
 */
enum a64_fsc {
    A64_FSC_ADDRESS_SIZE = 0x00, /* + level */
    A64_FSC_TRANSLATION = 0x04,  /* + level */
    A64_FSC_ACCESS_FLAG = 0x08,  /* + level */
    A64_FSC_PERMISSION = 0x0c,   /* + level */
    A64_FSC_EXTERNAL = 0x10,     /* synchronous external abort of the access itself */
    A64_FSC_TAG_CHECK = 0x11,
    A64_FSC_EXTERNAL_WALK = 0x14, /* + level */
    A64_FSC_ALIGNMENT = 0x21,
    A64_FSC_DEBUG = 0x22, /* breakpoint, watchpoint, step */
    A64_FSC_TLB_CONFLICT = 0x30,
    A64_FSC_UNSUPPORTED_ATOMIC = 0x31, /* exclusive or atomic access to memory that cannot do it */
};

/* STEP: ISV says EX is valid; EX: the instruction stepped was an exclusive load */
#define A64_ISS_STEP_EX  BIT(6)
#define A64_ISS_STEP_ISV BIT(24)

/* SERROR: implementation-defined syndrome */
#define A64_ISS_SERROR_IDS BIT(24)

static inline uint64_t a64_esr(enum a64_ec ec, uint64_t iss)
{
    return (uint64_t)ec << 26 | A64_ESR_IL | iss;
}

/* EC_SYSREG for an instruction's sysreg code, general register and direction. */
static inline uint64_t a64_esr_sysreg(unsigned code, unsigned rt, bool read)
{
    uint64_t iss = (uint64_t)a64_sysreg_op0(code) << 20 | (uint64_t)a64_sysreg_op2(code) << 17 |
                   (uint64_t)a64_sysreg_op1(code) << 14 | (uint64_t)a64_sysreg_crn(code) << 10 |
                   (uint64_t)rt << 5 | (uint64_t)a64_sysreg_crm(code) << 1 | read;

    return a64_esr(A64_EC_SYSREG, iss);
}

#endif
