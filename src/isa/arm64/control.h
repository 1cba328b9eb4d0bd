/*
 * Fields of system registers. DDI 0487, D17 (general, debug, PMU, timers), C5.2 (FPCR, FPSR); GIC
 * architecture v3 (IHI 0069), 12.2 (ICC registers).
 */
#ifndef CV_ISA_ARM64_CONTROL_H
#define CV_ISA_ARM64_CONTROL_H

#include "lib/base.h"

/* SCTLR_EL1 */
#define A64_SCTLR_M     BIT(0)
#define A64_SCTLR_A     BIT(1)
#define A64_SCTLR_C     BIT(2)
#define A64_SCTLR_SA    BIT(3)
#define A64_SCTLR_SA0   BIT(4)
#define A64_SCTLR_UMA   BIT(9)
#define A64_SCTLR_EOS   BIT(11)
#define A64_SCTLR_I     BIT(12)
#define A64_SCTLR_ENDB  BIT(13)
#define A64_SCTLR_DZE   BIT(14)
#define A64_SCTLR_UCT   BIT(15)
#define A64_SCTLR_NTWI  BIT(16)
#define A64_SCTLR_NTWE  BIT(18)
#define A64_SCTLR_WXN   BIT(19)
#define A64_SCTLR_TSCXT BIT(20)
#define A64_SCTLR_EIS   BIT(22)
#define A64_SCTLR_SPAN  BIT(23)
#define A64_SCTLR_UCI   BIT(26)
#define A64_SCTLR_ENDA  BIT(27)
#define A64_SCTLR_ENIB  BIT(30)
#define A64_SCTLR_ENIA  BIT(31)
#define A64_SCTLR_DSSBS BIT(44)

/* CPACR_EL1.FPEN, and its trap of system registers of the trace unit */
#define A64_CPACR_FPEN (UINT64_C(3) << 20)

/* FPCR, FPSR */
#define A64_FPCR_FZ16  BIT(19)
#define A64_FPCR_RMODE (UINT64_C(3) << 22)
#define A64_FPCR_FZ    BIT(24)
#define A64_FPCR_DN    BIT(25)
#define A64_FPCR_AHP   BIT(26)
#define A64_FPSR_IOC   BIT(0)
#define A64_FPSR_DZC   BIT(1)
#define A64_FPSR_OFC   BIT(2)
#define A64_FPSR_UFC   BIT(3)
#define A64_FPSR_IXC   BIT(4)
#define A64_FPSR_IDC   BIT(7)
#define A64_FPSR_QC    BIT(27)

/* MDSCR_EL1 */
#define A64_MDSCR_SS   BIT(0)
#define A64_MDSCR_TDCC BIT(12)
#define A64_MDSCR_KDE  BIT(13)
#define A64_MDSCR_MDE  BIT(15)

/* OSLSR_EL1: OSLM[1], the OS lock exists; OSLK */
#define A64_OSLSR_OSLM BIT(3)
#define A64_OSLSR_OSLK BIT(1)

/* DBGBCR<n>_EL1, DBGWCR<n>_EL1 */
#define A64_DBG_E          BIT(0)
#define A64_DBG_PMC(r)     ((unsigned)((r) >> 1 & 3))
#define A64_DBG_HMC        BIT(13)
#define A64_DBG_SSC(r)     ((unsigned)((r) >> 14 & 3))
#define A64_DBGBCR_BAS(r)  ((unsigned)((r) >> 5 & 15))
#define A64_DBGBCR_LBN(r)  ((unsigned)((r) >> 16 & 15))
#define A64_DBGBCR_BT(r)   ((unsigned)((r) >> 20 & 15))
#define A64_DBGWCR_LSC(r)  ((unsigned)((r) >> 3 & 3))
#define A64_DBGWCR_BAS(r)  ((unsigned)((r) >> 5 & 255))
#define A64_DBGWCR_WT      BIT(20)
#define A64_DBGWCR_LBN(r)  ((unsigned)((r) >> 16 & 15))
#define A64_DBGWCR_MASK(r) ((unsigned)((r) >> 24 & 31))

/* CNTKCTL_EL1, CNT?_CTL_EL0 */
#define A64_CNTKCTL_EL0PCTEN BIT(0)
#define A64_CNTKCTL_EL0VCTEN BIT(1)
#define A64_CNTKCTL_EL0VTEN  BIT(8)
#define A64_CNTKCTL_EL0PTEN  BIT(9)
#define A64_CNTCTL_ENABLE    BIT(0)
#define A64_CNTCTL_IMASK     BIT(1)
#define A64_CNTCTL_ISTATUS   BIT(2)

/* PMCR_EL0, PMUSERENR_EL0, PMCCFILTR_EL0, PMEVTYPER<n>_EL0 */
#define A64_PMCR_E       BIT(0)
#define A64_PMCR_P       BIT(1)
#define A64_PMCR_C       BIT(2)
#define A64_PMCR_D       BIT(3)
#define A64_PMCR_X       BIT(4)
#define A64_PMCR_DP      BIT(5)
#define A64_PMCR_LC      BIT(6)
#define A64_PMCR_N_SHIFT 11
#define A64_PMUSERENR_EN BIT(0)
#define A64_PMUSERENR_SW BIT(1)
#define A64_PMUSERENR_CR BIT(2)
#define A64_PMUSERENR_ER BIT(3)
#define A64_PM_CYCLE     BIT(31)             /* in PMCNTENSET_EL0 and its kin */
#define A64_PMFILTER     (UINT64_C(3) << 30) /* P, U: not at EL1, not at EL0 */
#define A64_PMFILTER_P   BIT(31)
#define A64_PMFILTER_U   BIT(30)

/* Common events (D13.12) */
enum a64_event {
    A64_EVENT_SW_INCR = 0x00,
    A64_EVENT_INST_RETIRED = 0x08,
    A64_EVENT_EXC_TAKEN = 0x09,
    A64_EVENT_CPU_CYCLES = 0x11,
    A64_EVENT_CHAIN = 0x1e,
};

/* ICC registers */
#define A64_ICC_CTLR_CBPR          BIT(0)
#define A64_ICC_CTLR_EOIMODE       BIT(1)
#define A64_ICC_CTLR_PMHE          BIT(6)
#define A64_ICC_CTLR_PRIBITS_SHIFT 8
#define A64_ICC_CTLR_IDBITS_SHIFT  11
#define A64_ICC_CTLR_A3V           BIT(15)
#define A64_ICC_CTLR_RSS           BIT(18)
#define A64_ICC_SRE                UINT64_C(7) /* SRE, DFB, DIB: the memory-mapped interface is not there */
#define A64_INTID_NONE             1023
#define A64_INTID_MASK             UINT64_C(0xffffff)

#endif
