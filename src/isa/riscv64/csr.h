/*
 * CSR numbers, names and fields. Fields are masks in place (RV_<CSR>_<FIELD>), so that rv_field_get() and
 * rv_field_set() below need nothing else.
 */
#ifndef CV_ISA_RISCV64_CSR_H
#define CV_ISA_RISCV64_CSR_H

#include "lib/base.h"

enum rv_csr {
#define RV_CSR(number, name) RV_CSR_##name = number,
#include "isa/riscv64/csr.def"
};

/* Name of a CSR, NULL if it has no row; and the reverse, -1 if there is none of that name. */
const char *rv_csr_name(unsigned csr);
int rv_csr_find(const char *name);

/* Privileged, 2.1: the number itself says who may access it, and how. */
static inline unsigned rv_csr_privilege(unsigned csr) /* lowest mode: enum rv_privilege; 2 = hypervisor, VS */
{
    return csr >> 8 & 3;
}

static inline bool rv_csr_read_only(unsigned csr)
{
    return (csr >> 10 & 3) == 3;
}

enum rv_privilege { RV_PRIV_U = 0, RV_PRIV_S = 1, RV_PRIV_M = 3 };

/* A field's value from, and into, a register; mask: contiguous ones, not 0. */
static inline uint64_t rv_field_get(uint64_t reg, uint64_t mask)
{
    return (reg & mask) / (mask & -mask);
}

static inline uint64_t rv_field_set(uint64_t reg, uint64_t mask, uint64_t value)
{
    return (reg & ~mask) | ((value * (mask & -mask)) & mask);
}

/* mstatus (Privileged, 3.1.6), hypervisor fields ("H" extension) */
#define RV_MSTATUS_SIE  BIT(1)
#define RV_MSTATUS_MIE  BIT(3)
#define RV_MSTATUS_SPIE BIT(5)
#define RV_MSTATUS_UBE  BIT(6)
#define RV_MSTATUS_MPIE BIT(7)
#define RV_MSTATUS_SPP  BIT(8)
#define RV_MSTATUS_VS   (UINT64_C(3) << 9)
#define RV_MSTATUS_MPP  (UINT64_C(3) << 11)
#define RV_MSTATUS_FS   (UINT64_C(3) << 13)
#define RV_MSTATUS_XS   (UINT64_C(3) << 15)
#define RV_MSTATUS_MPRV BIT(17)
#define RV_MSTATUS_SUM  BIT(18)
#define RV_MSTATUS_MXR  BIT(19)
#define RV_MSTATUS_TVM  BIT(20)
#define RV_MSTATUS_TW   BIT(21)
#define RV_MSTATUS_TSR  BIT(22)
#define RV_MSTATUS_UXL  (UINT64_C(3) << 32)
#define RV_MSTATUS_SXL  (UINT64_C(3) << 34)
#define RV_MSTATUS_SBE  BIT(36)
#define RV_MSTATUS_MBE  BIT(37)
#define RV_MSTATUS_GVA  BIT(38)
#define RV_MSTATUS_MPV  BIT(39)
#define RV_MSTATUS_SD   BIT(63)

/* The part of mstatus that sstatus shows (Privileged, 10.1.1). */
#define RV_SSTATUS_MASK                                                                                      \
    (RV_MSTATUS_SIE | RV_MSTATUS_SPIE | RV_MSTATUS_UBE | RV_MSTATUS_SPP | RV_MSTATUS_VS | RV_MSTATUS_FS |    \
     RV_MSTATUS_XS | RV_MSTATUS_SUM | RV_MSTATUS_MXR | RV_MSTATUS_UXL | RV_MSTATUS_SD)

/* Values of mstatus.FS, VS (Privileged, 3.1.6.6) and of UXL, SXL, misa.MXL. */
enum rv_fs { RV_FS_OFF, RV_FS_INITIAL, RV_FS_CLEAN, RV_FS_DIRTY };
enum { RV_XL_32 = 1, RV_XL_64 = 2 };

/* hstatus (Privileged, "H" extension) */
#define RV_HSTATUS_VSBE  BIT(5)
#define RV_HSTATUS_GVA   BIT(6)
#define RV_HSTATUS_SPV   BIT(7)
#define RV_HSTATUS_SPVP  BIT(8)
#define RV_HSTATUS_HU    BIT(9)
#define RV_HSTATUS_VGEIN (UINT64_C(0x3f) << 12)
#define RV_HSTATUS_VTVM  BIT(20)
#define RV_HSTATUS_VTW   BIT(21)
#define RV_HSTATUS_VTSR  BIT(22)
#define RV_HSTATUS_VSXL  (UINT64_C(3) << 32)

/* misa (Privileged, 3.1.1): one bit a letter, 'A'..'Z'. */
#define RV_MISA_EXT(letter) BIT((letter) - 'A')
#define RV_MISA_MXL         (UINT64_C(3) << 62)

/* mie, mip, sie, sip, mideleg: bit numbers are the interrupt causes of cause.h. */
#define RV_IRQ_SSI   BIT(1)
#define RV_IRQ_VSSI  BIT(2)
#define RV_IRQ_MSI   BIT(3)
#define RV_IRQ_STI   BIT(5)
#define RV_IRQ_VSTI  BIT(6)
#define RV_IRQ_MTI   BIT(7)
#define RV_IRQ_SEI   BIT(9)
#define RV_IRQ_VSEI  BIT(10)
#define RV_IRQ_MEI   BIT(11)
#define RV_IRQ_SGEI  BIT(12)
#define RV_IRQ_LCOFI BIT(13) /* Sscofpmf */

/* mtvec, stvec (Privileged, 3.1.7) */
#define RV_TVEC_MODE UINT64_C(3)
#define RV_TVEC_BASE (~UINT64_C(3))
enum { RV_TVEC_DIRECT, RV_TVEC_VECTORED };

/* mcause, scause */
#define RV_CAUSE_INTERRUPT BIT(63)

/* mcounteren, scounteren, mcountinhibit; bits 3..31: hpmcounter3..31 */
#define RV_COUNTER_CY BIT(0)
#define RV_COUNTER_TM BIT(1)
#define RV_COUNTER_IR BIT(2)

/* menvcfg, senvcfg, henvcfg (Privileged, 3.1.18 and 10.1.10); senvcfg has the fields up to CBZE only */
#define RV_ENVCFG_FIOM  BIT(0)
#define RV_ENVCFG_CBIE  (UINT64_C(3) << 4) /* cbo.inval: 0 illegal, 1 does a flush, 3 invalidates */
#define RV_ENVCFG_CBCFE BIT(6)
#define RV_ENVCFG_CBZE  BIT(7)
#define RV_ENVCFG_ADUE  BIT(61) /* Svadu */
#define RV_ENVCFG_PBMTE BIT(62) /* Svpbmt */
#define RV_ENVCFG_STCE  BIT(63) /* Sstc */

/* satp (Privileged, 10.1.11) and hgatp; modes in pte.h */
#define RV_SATP_PPN   UINT64_C(0x00000fffffffffff)
#define RV_SATP_ASID  UINT64_C(0x0ffff00000000000)
#define RV_SATP_MODE  UINT64_C(0xf000000000000000)
#define RV_HGATP_VMID UINT64_C(0x03fff00000000000)

/* pmpcfg bytes (Privileged, 3.7.1); pmpaddr holds address bits [55:2] */
#define RV_PMP_R 0x01
#define RV_PMP_W 0x02
#define RV_PMP_X 0x04
#define RV_PMP_A 0x18
#define RV_PMP_L 0x80
enum { RV_PMP_OFF, RV_PMP_TOR, RV_PMP_NA4, RV_PMP_NAPOT };
#define RV_PMPADDR_MASK UINT64_C(0x003fffffffffffff)

#endif
