/*
 * System registers of EL1 and EL0: encodings, names, fields. Fields are masks in place (A64_<REG>_<FIELD>),
 * for a64_field_get() and a64_field_set(). Section numbers are those of DDI 0487.
 */
#ifndef CV_ISA_ARM64_SYSREG_H
#define CV_ISA_ARM64_SYSREG_H

#include "lib/base.h"

/* op0:op1:CRn:CRm:op2 as they stand in the instruction's bits [20:5]; SYS and SYSL have op0 1. */
#define A64_SYSREG_CODE(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum a64_sysreg {
#define A64_SYSREG(name, op0, op1, crn, crm, op2)                                                            \
    A64_SYSREG_##name = A64_SYSREG_CODE(op0, op1, crn, crm, op2),
#include "isa/arm64/sysreg.def"
    A64_SYSREG_dbgdtrtx_el0 = A64_SYSREG_dbgdtrrx_el0, /* the name for writing */
};

enum a64_sysop {
#define A64_SYSOP(kind, name, op1, crn, crm, op2)                                                            \
    A64_SYSOP_##kind##_##name = A64_SYSREG_CODE(1, op1, crn, crm, op2),
#include "isa/arm64/sysop.def"
};

/* Name of a register, NULL if it has no row; and the reverse, -1 if there is none of that name. */
const char *a64_sysreg_name(unsigned code);
int a64_sysreg_find(const char *name);

/* "tlbi vmalle1is" and the like, NULL if the operation has no row. */
const char *a64_sysop_name(unsigned code);

static inline unsigned a64_sysreg_op0(unsigned code)
{
    return code >> 14 & 3;
}

/* 0: EL1; 1: EL1 (cache identification); 2: EL1; 3: EL0; 4 and more: EL2, EL3 (C5.1.3). */
static inline unsigned a64_sysreg_op1(unsigned code)
{
    return code >> 11 & 7;
}

static inline unsigned a64_sysreg_crn(unsigned code)
{
    return code >> 7 & 15;
}

static inline unsigned a64_sysreg_crm(unsigned code)
{
    return code >> 3 & 15;
}

static inline unsigned a64_sysreg_op2(unsigned code)
{
    return code & 7;
}

/* S3_x_C0_C1..C7: ID registers, of which those without a row read as zero (D19.1). */
static inline bool a64_sysreg_is_id(unsigned code)
{
    return code >= A64_SYSREG_CODE(3, 0, 0, 1, 0) && code <= A64_SYSREG_CODE(3, 0, 0, 7, 7);
}

/* Bits [hi:lo] set. */
#define A64_MASK(hi, lo) ((UINT64_MAX >> (63 - (hi))) & (UINT64_MAX << (lo)))

/* A field's value from, and into, a register; mask: contiguous ones, not 0. */
static inline uint64_t a64_field_get(uint64_t reg, uint64_t mask)
{
    return (reg & mask) / (mask & -mask);
}

static inline uint64_t a64_field_set(uint64_t reg, uint64_t mask, uint64_t value)
{
    return (reg & ~mask) | ((value * (mask & -mask)) & mask);
}

/* SCTLR_EL1 (D19.2) */
#define A64_SCTLR_M       BIT(0)
#define A64_SCTLR_A       BIT(1)
#define A64_SCTLR_C       BIT(2)
#define A64_SCTLR_SA      BIT(3)
#define A64_SCTLR_SA0     BIT(4)
#define A64_SCTLR_CP15BEN BIT(5)
#define A64_SCTLR_NAA     BIT(6)
#define A64_SCTLR_ITD     BIT(7)
#define A64_SCTLR_SED     BIT(8)
#define A64_SCTLR_UMA     BIT(9)
#define A64_SCTLR_ENRCTX  BIT(10)
#define A64_SCTLR_EOS     BIT(11)
#define A64_SCTLR_I       BIT(12)
#define A64_SCTLR_ENDB    BIT(13)
#define A64_SCTLR_DZE     BIT(14)
#define A64_SCTLR_UCT     BIT(15)
#define A64_SCTLR_NTWI    BIT(16)
#define A64_SCTLR_NTWE    BIT(18)
#define A64_SCTLR_WXN     BIT(19)
#define A64_SCTLR_TSCXT   BIT(20)
#define A64_SCTLR_IESB    BIT(21)
#define A64_SCTLR_EIS     BIT(22)
#define A64_SCTLR_SPAN    BIT(23)
#define A64_SCTLR_E0E     BIT(24)
#define A64_SCTLR_EE      BIT(25)
#define A64_SCTLR_UCI     BIT(26)
#define A64_SCTLR_ENDA    BIT(27)
#define A64_SCTLR_NTLSMD  BIT(28)
#define A64_SCTLR_LSMAOE  BIT(29)
#define A64_SCTLR_ENIB    BIT(30)
#define A64_SCTLR_ENIA    BIT(31)
#define A64_SCTLR_DSSBS   BIT(44)

/* Bits that read as one unless a later feature gives them a meaning: ExS (11, 22), CSV2 (20), PAN (23),
 * LSMAOC (28, 29). */
#define A64_SCTLR_RES1                                                                                       \
    (A64_SCTLR_EOS | A64_SCTLR_TSCXT | A64_SCTLR_EIS | A64_SCTLR_SPAN | A64_SCTLR_NTLSMD | A64_SCTLR_LSMAOE)

/* CPACR_EL1; FPEN: 0 and 2 trap EL0 and EL1, 1 traps EL0, 3 nothing */
#define A64_CPACR_ZEN  A64_MASK(17, 16)
#define A64_CPACR_FPEN A64_MASK(21, 20)
#define A64_CPACR_SMEN A64_MASK(25, 24)
#define A64_CPACR_TTA  BIT(28)

/* TCR_EL1; granules and sizes in pte.h */
#define A64_TCR_T0SZ  A64_MASK(5, 0)
#define A64_TCR_EPD0  BIT(7)
#define A64_TCR_IRGN0 A64_MASK(9, 8)
#define A64_TCR_ORGN0 A64_MASK(11, 10)
#define A64_TCR_SH0   A64_MASK(13, 12)
#define A64_TCR_TG0   A64_MASK(15, 14)
#define A64_TCR_T1SZ  A64_MASK(21, 16)
#define A64_TCR_A1    BIT(22)
#define A64_TCR_EPD1  BIT(23)
#define A64_TCR_IRGN1 A64_MASK(25, 24)
#define A64_TCR_ORGN1 A64_MASK(27, 26)
#define A64_TCR_SH1   A64_MASK(29, 28)
#define A64_TCR_TG1   A64_MASK(31, 30)
#define A64_TCR_IPS   A64_MASK(34, 32)
#define A64_TCR_AS    BIT(36)
#define A64_TCR_TBI0  BIT(37)
#define A64_TCR_TBI1  BIT(38)
#define A64_TCR_HA    BIT(39)
#define A64_TCR_HD    BIT(40)
#define A64_TCR_HPD0  BIT(41)
#define A64_TCR_HPD1  BIT(42)
#define A64_TCR_TBID0 BIT(51)
#define A64_TCR_TBID1 BIT(52)
#define A64_TCR_NFD0  BIT(53)
#define A64_TCR_NFD1  BIT(54)
#define A64_TCR_E0PD0 BIT(55)
#define A64_TCR_E0PD1 BIT(56)
#define A64_TCR_DS    BIT(59)

/* TTBR0_EL1, TTBR1_EL1 */
#define A64_TTBR_CNP   BIT(0)
#define A64_TTBR_BADDR A64_MASK(47, 1)
#define A64_TTBR_ASID  A64_MASK(63, 48)

/* PSTATE as SPSR_EL1 keeps it (C5.2); NZCV, DAIF, SPSel, PAN, UAO, DIT, SSBS registers have their
 * bits at the same places (SPSel: bit 0) */
#define A64_SPSR_SP    BIT(0)
#define A64_SPSR_EL    A64_MASK(3, 2)
#define A64_SPSR_NRW   BIT(4)
#define A64_SPSR_M     A64_MASK(4, 0)
#define A64_SPSR_F     BIT(6)
#define A64_SPSR_I     BIT(7)
#define A64_SPSR_A     BIT(8)
#define A64_SPSR_D     BIT(9)
#define A64_SPSR_BTYPE A64_MASK(11, 10)
#define A64_SPSR_SSBS  BIT(12)
#define A64_SPSR_IL    BIT(20)
#define A64_SPSR_SS    BIT(21)
#define A64_SPSR_PAN   BIT(22)
#define A64_SPSR_UAO   BIT(23)
#define A64_SPSR_DIT   BIT(24)
#define A64_SPSR_TCO   BIT(25)
#define A64_SPSR_V     BIT(28)
#define A64_SPSR_C     BIT(29)
#define A64_SPSR_Z     BIT(30)
#define A64_SPSR_N     BIT(31)

#define A64_SPSR_NZCV (A64_SPSR_N | A64_SPSR_Z | A64_SPSR_C | A64_SPSR_V)
#define A64_SPSR_DAIF (A64_SPSR_D | A64_SPSR_A | A64_SPSR_I | A64_SPSR_F)

/* Values of SPSR.M: exception level and stack pointer; all others are illegal, or AArch32 (NRW) */
enum a64_mode {
    A64_MODE_EL0T = 0,
    A64_MODE_EL1T = 4,
    A64_MODE_EL1H = 5,
    A64_MODE_EL2T = 8,
    A64_MODE_EL2H = 9
};

/* CurrentEL */
#define A64_CURRENTEL_EL A64_MASK(3, 2)

/* Offsets from VBAR_EL1 (D1.3): the kind, plus where the exception comes from */
enum a64_vector {
    A64_VECTOR_SYNC = 0x000,
    A64_VECTOR_IRQ = 0x080,
    A64_VECTOR_FIQ = 0x100,
    A64_VECTOR_SERROR = 0x180,
    A64_VECTOR_FROM_SP0 = 0x000,
    A64_VECTOR_FROM_SPX = 0x200,
    A64_VECTOR_FROM_LOWER64 = 0x400,
    A64_VECTOR_FROM_LOWER32 = 0x600,
};
#define A64_VBAR_BASE A64_MASK(63, 11)

/* PAR_EL1: the result of AT; if F, FST is a fault status code of esr.h */
#define A64_PAR_F    BIT(0)
#define A64_PAR_FST  A64_MASK(6, 1)
#define A64_PAR_PTW  BIT(8)
#define A64_PAR_S    BIT(9)
#define A64_PAR_SH   A64_MASK(8, 7)
#define A64_PAR_NS   BIT(9)
#define A64_PAR_PA   A64_MASK(51, 12)
#define A64_PAR_ATTR A64_MASK(63, 56)

#define A64_PAR_RES1 BIT(11)

/* MIDR_EL1 */
#define A64_MIDR_REVISION     A64_MASK(3, 0)
#define A64_MIDR_PARTNUM      A64_MASK(15, 4)
#define A64_MIDR_ARCHITECTURE A64_MASK(19, 16)
#define A64_MIDR_VARIANT      A64_MASK(23, 20)
#define A64_MIDR_IMPLEMENTER  A64_MASK(31, 24)

/* MPIDR_EL1; bit 31 is one */
#define A64_MPIDR_AFF0 A64_MASK(7, 0)
#define A64_MPIDR_AFF1 A64_MASK(15, 8)
#define A64_MPIDR_AFF2 A64_MASK(23, 16)
#define A64_MPIDR_MT   BIT(24)
#define A64_MPIDR_U    BIT(30)
#define A64_MPIDR_RES1 BIT(31)
#define A64_MPIDR_AFF3 A64_MASK(39, 32)

/* CTR_EL0: line lengths in log2 of words; bit 31 is one */
#define A64_CTR_IMINLINE A64_MASK(3, 0)
#define A64_CTR_L1IP     A64_MASK(15, 14)
#define A64_CTR_DMINLINE A64_MASK(19, 16)
#define A64_CTR_ERG      A64_MASK(23, 20)
#define A64_CTR_CWG      A64_MASK(27, 24)
#define A64_CTR_IDC      BIT(28)
#define A64_CTR_DIC      BIT(29)
#define A64_CTR_RES1     BIT(31)

enum a64_l1ip { A64_L1IP_VIPT = 2, A64_L1IP_PIPT = 3 };

/* DCZID_EL0: BS: log2 of words that DC ZVA clears; DZP: it is forbidden */
#define A64_DCZID_BS  A64_MASK(3, 0)
#define A64_DCZID_DZP BIT(4)

/* CLIDR_EL1: cache types, three bits a level from bit 0 */
#define A64_CLIDR_CTYPE1 A64_MASK(2, 0)
#define A64_CLIDR_LOUIS  A64_MASK(23, 21)
#define A64_CLIDR_LOC    A64_MASK(26, 24)
#define A64_CLIDR_LOUU   A64_MASK(29, 27)
#define A64_CLIDR_ICB    A64_MASK(32, 30)

/* CCSIDR_EL1 without CCIDX; CSSELR_EL1 */
#define A64_CCSIDR_LINESIZE      A64_MASK(2, 0)
#define A64_CCSIDR_ASSOCIATIVITY A64_MASK(12, 3)
#define A64_CCSIDR_NUMSETS       A64_MASK(27, 13)

/* CSSELR_EL1 */
#define A64_CSSELR_IND   BIT(0)
#define A64_CSSELR_LEVEL A64_MASK(3, 1)

/* ISR_EL1: what is pending */
#define A64_ISR_F BIT(6)
#define A64_ISR_I BIT(7)
#define A64_ISR_A BIT(8)

/* CNTKCTL_EL1 */
#define A64_CNTKCTL_EL0PCTEN BIT(0)
#define A64_CNTKCTL_EL0VCTEN BIT(1)
#define A64_CNTKCTL_EVNTEN   BIT(2)
#define A64_CNTKCTL_EVNTDIR  BIT(3)
#define A64_CNTKCTL_EVNTI    A64_MASK(7, 4)
#define A64_CNTKCTL_EL0VTEN  BIT(8)
#define A64_CNTKCTL_EL0PTEN  BIT(9)

/* CNTP_CTL_EL0, CNTV_CTL_EL0 */
#define A64_CNT_CTL_ENABLE  BIT(0)
#define A64_CNT_CTL_IMASK   BIT(1)
#define A64_CNT_CTL_ISTATUS BIT(2)

/* MDSCR_EL1 */
#define A64_MDSCR_SS     BIT(0)
#define A64_MDSCR_ERR    BIT(6)
#define A64_MDSCR_TDCC   BIT(12)
#define A64_MDSCR_KDE    BIT(13)
#define A64_MDSCR_HDE    BIT(14)
#define A64_MDSCR_MDE    BIT(15)
#define A64_MDSCR_SC2    BIT(19)
#define A64_MDSCR_TDA    BIT(21)
#define A64_MDSCR_INTDIS A64_MASK(23, 22)
#define A64_MDSCR_TXU    BIT(26)
#define A64_MDSCR_RXO    BIT(27)
#define A64_MDSCR_TXFULL BIT(29)
#define A64_MDSCR_RXFULL BIT(30)
#define A64_MDSCR_TFO    BIT(31)

/* OSLAR_EL1 (bit 0), OSLSR_EL1 */
#define A64_OSLSR_OSLM0 BIT(0)
#define A64_OSLSR_OSLK  BIT(1)
#define A64_OSLSR_NTT   BIT(2)
#define A64_OSLSR_OSLM1 BIT(3)

/* DBGBCR<n>_EL1 */
#define A64_DBGBCR_E   BIT(0)
#define A64_DBGBCR_PMC A64_MASK(2, 1)
#define A64_DBGBCR_BAS A64_MASK(8, 5)
#define A64_DBGBCR_HMC BIT(13)
#define A64_DBGBCR_SSC A64_MASK(15, 14)
#define A64_DBGBCR_LBN A64_MASK(19, 16)
#define A64_DBGBCR_BT  A64_MASK(23, 20)

/* DBGWCR<n>_EL1 */
#define A64_DBGWCR_E    BIT(0)
#define A64_DBGWCR_PAC  A64_MASK(2, 1)
#define A64_DBGWCR_LSC  A64_MASK(4, 3)
#define A64_DBGWCR_BAS  A64_MASK(12, 5)
#define A64_DBGWCR_HMC  BIT(13)
#define A64_DBGWCR_SSC  A64_MASK(15, 14)
#define A64_DBGWCR_LBN  A64_MASK(19, 16)
#define A64_DBGWCR_WT   BIT(20)
#define A64_DBGWCR_MASK A64_MASK(28, 24)

/* PMCR_EL0 */
#define A64_PMCR_E      BIT(0)
#define A64_PMCR_P      BIT(1)
#define A64_PMCR_C      BIT(2)
#define A64_PMCR_D      BIT(3)
#define A64_PMCR_X      BIT(4)
#define A64_PMCR_DP     BIT(5)
#define A64_PMCR_LC     BIT(6)
#define A64_PMCR_LP     BIT(7)
#define A64_PMCR_N      A64_MASK(15, 11)
#define A64_PMCR_IDCODE A64_MASK(23, 16)
#define A64_PMCR_IMP    A64_MASK(31, 24)

/* PMUSERENR_EL0 */
#define A64_PMUSERENR_EN BIT(0)
#define A64_PMUSERENR_SW BIT(1)
#define A64_PMUSERENR_CR BIT(2)
#define A64_PMUSERENR_ER BIT(3)

/* PMEVTYPER<n>_EL0, PMCCFILTR_EL0 (no EVTCOUNT); PMCNTEN*, PMINTEN*, PMOVS*: bit n, and 31 for PMCCNTR */
#define A64_PMEVTYPER_EVTCOUNT A64_MASK(15, 0)
#define A64_PMEVTYPER_MT       BIT(25)
#define A64_PMEVTYPER_M        BIT(26)
#define A64_PMEVTYPER_NSH      BIT(27)
#define A64_PMEVTYPER_NSU      BIT(28)
#define A64_PMEVTYPER_NSK      BIT(29)
#define A64_PMEVTYPER_U        BIT(30)
#define A64_PMEVTYPER_P        BIT(31)

#define A64_PM_CYCLE BIT(31)

/* ICC_CTLR_EL1 (IHI 0069, 12.2) */
#define A64_ICC_CTLR_CBPR     BIT(0)
#define A64_ICC_CTLR_EOIMODE  BIT(1)
#define A64_ICC_CTLR_PMHE     BIT(6)
#define A64_ICC_CTLR_PRIBITS  A64_MASK(10, 8)
#define A64_ICC_CTLR_IDBITS   A64_MASK(13, 11)
#define A64_ICC_CTLR_SEIS     BIT(14)
#define A64_ICC_CTLR_A3V      BIT(15)
#define A64_ICC_CTLR_RSS      BIT(18)
#define A64_ICC_CTLR_EXTRANGE BIT(19)

/* ICC_SRE_EL1; ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1: bit 0 enables */
#define A64_ICC_SRE_SRE BIT(0)
#define A64_ICC_SRE_DFB BIT(1)
#define A64_ICC_SRE_DIB BIT(2)

/* ICC_SGI0R_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1 */
#define A64_ICC_SGIR_TARGETLIST A64_MASK(15, 0)
#define A64_ICC_SGIR_AFF1       A64_MASK(23, 16)
#define A64_ICC_SGIR_INTID      A64_MASK(27, 24)
#define A64_ICC_SGIR_AFF2       A64_MASK(39, 32)
#define A64_ICC_SGIR_IRM        BIT(40)
#define A64_ICC_SGIR_RS         A64_MASK(47, 44)
#define A64_ICC_SGIR_AFF3       A64_MASK(55, 48)

/* ICC_IAR*, ICC_HPPIR*, ICC_EOIR*, ICC_DIR: interrupt ids; what IAR and HPPIR read when nothing is pending */
#define A64_ICC_INTID    A64_MASK(23, 0)
#define A64_ICC_SPURIOUS 1023

/* ---- ID registers (D19.2): four bits each ---- */

/* ID_AA64PFR0_EL1; FP and ADVSIMD: 15 = none, 0 = without FP16, 1 = with; GIC: 1 = system registers */
#define A64_PFR0_EL0     A64_MASK(3, 0)
#define A64_PFR0_EL1     A64_MASK(7, 4)
#define A64_PFR0_EL2     A64_MASK(11, 8)
#define A64_PFR0_EL3     A64_MASK(15, 12)
#define A64_PFR0_FP      A64_MASK(19, 16)
#define A64_PFR0_ADVSIMD A64_MASK(23, 20)
#define A64_PFR0_GIC     A64_MASK(27, 24)
#define A64_PFR0_RAS     A64_MASK(31, 28)
#define A64_PFR0_SVE     A64_MASK(35, 32)
#define A64_PFR0_SEL2    A64_MASK(39, 36)
#define A64_PFR0_MPAM    A64_MASK(43, 40)
#define A64_PFR0_AMU     A64_MASK(47, 44)
#define A64_PFR0_DIT     A64_MASK(51, 48)
#define A64_PFR0_RME     A64_MASK(55, 52)
#define A64_PFR0_CSV2    A64_MASK(59, 56)
#define A64_PFR0_CSV3    A64_MASK(63, 60)

/* ID_AA64PFR1_EL1 */
#define A64_PFR1_BT        A64_MASK(3, 0)
#define A64_PFR1_SSBS      A64_MASK(7, 4)
#define A64_PFR1_MTE       A64_MASK(11, 8)
#define A64_PFR1_RAS_FRAC  A64_MASK(15, 12)
#define A64_PFR1_MPAM_FRAC A64_MASK(19, 16)
#define A64_PFR1_SME       A64_MASK(27, 24)
#define A64_PFR1_RNDR_TRAP A64_MASK(31, 28)
#define A64_PFR1_CSV2_FRAC A64_MASK(35, 32)
#define A64_PFR1_NMI       A64_MASK(39, 36)

/* ID_AA64ISAR0_EL1; AES: 1 = without PMULL, 2 = with; SHA2: 2 = with SHA512; ATOMIC: 2; TS: 1 = FlagM, 2 =
 * FlagM2; TLB: 1 = outer shareable, 2 = ranges too */
#define A64_ISAR0_AES    A64_MASK(7, 4)
#define A64_ISAR0_SHA1   A64_MASK(11, 8)
#define A64_ISAR0_SHA2   A64_MASK(15, 12)
#define A64_ISAR0_CRC32  A64_MASK(19, 16)
#define A64_ISAR0_ATOMIC A64_MASK(23, 20)
#define A64_ISAR0_TME    A64_MASK(27, 24)
#define A64_ISAR0_RDM    A64_MASK(31, 28)
#define A64_ISAR0_SHA3   A64_MASK(35, 32)
#define A64_ISAR0_SM3    A64_MASK(39, 36)
#define A64_ISAR0_SM4    A64_MASK(43, 40)
#define A64_ISAR0_DP     A64_MASK(47, 44)
#define A64_ISAR0_FHM    A64_MASK(51, 48)
#define A64_ISAR0_TS     A64_MASK(55, 52)
#define A64_ISAR0_TLB    A64_MASK(59, 56)
#define A64_ISAR0_RNDR   A64_MASK(63, 60)

/* ID_AA64ISAR1_EL1; DPB: 1 = DC CVAP, 2 = CVADP too; APA, GPA: QARMA5; API, GPI: another algorithm; LRCPC: 1,
 * 2 */
#define A64_ISAR1_DPB     A64_MASK(3, 0)
#define A64_ISAR1_APA     A64_MASK(7, 4)
#define A64_ISAR1_API     A64_MASK(11, 8)
#define A64_ISAR1_JSCVT   A64_MASK(15, 12)
#define A64_ISAR1_FCMA    A64_MASK(19, 16)
#define A64_ISAR1_LRCPC   A64_MASK(23, 20)
#define A64_ISAR1_GPA     A64_MASK(27, 24)
#define A64_ISAR1_GPI     A64_MASK(31, 28)
#define A64_ISAR1_FRINTTS A64_MASK(35, 32)
#define A64_ISAR1_SB      A64_MASK(39, 36)
#define A64_ISAR1_SPECRES A64_MASK(43, 40)
#define A64_ISAR1_BF16    A64_MASK(47, 44)
#define A64_ISAR1_DGH     A64_MASK(51, 48)
#define A64_ISAR1_I8MM    A64_MASK(55, 52)
#define A64_ISAR1_XS      A64_MASK(59, 56)
#define A64_ISAR1_LS64    A64_MASK(63, 60)

/* ID_AA64ISAR2_EL1 */
#define A64_ISAR2_WFXT     A64_MASK(3, 0)
#define A64_ISAR2_RPRES    A64_MASK(7, 4)
#define A64_ISAR2_GPA3     A64_MASK(11, 8)
#define A64_ISAR2_APA3     A64_MASK(15, 12)
#define A64_ISAR2_MOPS     A64_MASK(19, 16)
#define A64_ISAR2_BC       A64_MASK(23, 20)
#define A64_ISAR2_PAC_FRAC A64_MASK(27, 24)

/* ID_AA64MMFR0_EL1; PARANGE as TCR.IPS; ASIDBITS: 0 = 8, 2 = 16; TGRAN4, TGRAN64: 0 = yes, 15 = no;
 * TGRAN16: 0 = no, 1 = yes */
#define A64_MMFR0_PARANGE   A64_MASK(3, 0)
#define A64_MMFR0_ASIDBITS  A64_MASK(7, 4)
#define A64_MMFR0_BIGEND    A64_MASK(11, 8)
#define A64_MMFR0_SNSMEM    A64_MASK(15, 12)
#define A64_MMFR0_BIGENDEL0 A64_MASK(19, 16)
#define A64_MMFR0_TGRAN16   A64_MASK(23, 20)
#define A64_MMFR0_TGRAN64   A64_MASK(27, 24)
#define A64_MMFR0_TGRAN4    A64_MASK(31, 28)
#define A64_MMFR0_TGRAN16_2 A64_MASK(35, 32)
#define A64_MMFR0_TGRAN64_2 A64_MASK(39, 36)
#define A64_MMFR0_TGRAN4_2  A64_MASK(43, 40)
#define A64_MMFR0_EXS       A64_MASK(47, 44)
#define A64_MMFR0_FGT       A64_MASK(59, 56)
#define A64_MMFR0_ECV       A64_MASK(63, 60)

/* ID_AA64MMFR1_EL1; HAFDBS: 1 = access flag, 2 = dirty state too; PAN: 1, 2 = with AT S1E1RP */
#define A64_MMFR1_HAFDBS   A64_MASK(3, 0)
#define A64_MMFR1_VMIDBITS A64_MASK(7, 4)
#define A64_MMFR1_VH       A64_MASK(11, 8)
#define A64_MMFR1_HPDS     A64_MASK(15, 12)
#define A64_MMFR1_LO       A64_MASK(19, 16)
#define A64_MMFR1_PAN      A64_MASK(23, 20)
#define A64_MMFR1_SPECSEI  A64_MASK(27, 24)
#define A64_MMFR1_XNX      A64_MASK(31, 28)
#define A64_MMFR1_TWED     A64_MASK(35, 32)
#define A64_MMFR1_ETS      A64_MASK(39, 36)
#define A64_MMFR1_HCX      A64_MASK(43, 40)
#define A64_MMFR1_AFP      A64_MASK(47, 44)
#define A64_MMFR1_NTLBPA   A64_MASK(51, 48)
#define A64_MMFR1_TIDCP1   A64_MASK(55, 52)
#define A64_MMFR1_CMOW     A64_MASK(59, 56)

/* ID_AA64MMFR2_EL1 */
#define A64_MMFR2_CNP     A64_MASK(3, 0)
#define A64_MMFR2_UAO     A64_MASK(7, 4)
#define A64_MMFR2_LSM     A64_MASK(11, 8)
#define A64_MMFR2_IESB    A64_MASK(15, 12)
#define A64_MMFR2_VARANGE A64_MASK(19, 16)
#define A64_MMFR2_CCIDX   A64_MASK(23, 20)
#define A64_MMFR2_NV      A64_MASK(27, 24)
#define A64_MMFR2_ST      A64_MASK(31, 28)
#define A64_MMFR2_AT      A64_MASK(35, 32)
#define A64_MMFR2_IDS     A64_MASK(39, 36)
#define A64_MMFR2_FWB     A64_MASK(43, 40)
#define A64_MMFR2_TTL     A64_MASK(51, 48)
#define A64_MMFR2_BBM     A64_MASK(55, 52)
#define A64_MMFR2_EVT     A64_MASK(59, 56)
#define A64_MMFR2_E0PD    A64_MASK(63, 60)

/* ID_AA64DFR0_EL1; DEBUGVER: 6 = Armv8.0; BRPS, WRPS, CTX_CMPS: number less one; PMUVER: 0 = none, 1 = PMUv3
 */
#define A64_DFR0_DEBUGVER    A64_MASK(3, 0)
#define A64_DFR0_TRACEVER    A64_MASK(7, 4)
#define A64_DFR0_PMUVER      A64_MASK(11, 8)
#define A64_DFR0_BRPS        A64_MASK(15, 12)
#define A64_DFR0_WRPS        A64_MASK(23, 20)
#define A64_DFR0_CTX_CMPS    A64_MASK(31, 28)
#define A64_DFR0_PMSVER      A64_MASK(35, 32)
#define A64_DFR0_DOUBLELOCK  A64_MASK(39, 36)
#define A64_DFR0_TRACEFILT   A64_MASK(43, 40)
#define A64_DFR0_TRACEBUFFER A64_MASK(47, 44)
#define A64_DFR0_MTPMU       A64_MASK(51, 48)

#endif
