/*
 * Stage 1 translation of the EL1&0 regime in the VMSAv8-64 format: TCR_EL1, TTBRn_EL1, descriptors.
 * DDI 0487, D8.2 (the walk), D8.3 (descriptors), D17.2.131 (TCR_EL1), D17.2.144 (TTBR0_EL1).
 */
#ifndef CV_ISA_ARM64_PTE_H
#define CV_ISA_ARM64_PTE_H

#include "lib/base.h"

#define A64_PTE_SIZE 8

/* Descriptor type, bits 1:0. At the last level 3 is a page and 1 is reserved. */
#define A64_PTE_VALID BIT(0)
#define A64_PTE_TABLE BIT(1)

/* Of blocks and pages */
#define A64_PTE_ATTR_SHIFT 2 /* index in MAIR_EL1, 3 bits */
#define A64_PTE_NS         BIT(5)
#define A64_PTE_USER       BIT(6) /* AP[1]: EL0 has access */
#define A64_PTE_RO         BIT(7) /* AP[2] */
#define A64_PTE_SH_SHIFT   8
#define A64_PTE_AF         BIT(10)
#define A64_PTE_NG         BIT(11)
#define A64_PTE_DBM        BIT(51)
#define A64_PTE_CONT       BIT(52)
#define A64_PTE_PXN        BIT(53)
#define A64_PTE_UXN        BIT(54)

/* Of tables: limits on all below */
#define A64_PTE_PXN_TABLE  BIT(59)
#define A64_PTE_UXN_TABLE  BIT(60)
#define A64_PTE_USER_TABLE BIT(61) /* APTable[0]: EL0 has no access */
#define A64_PTE_RO_TABLE   BIT(62) /* APTable[1] */

/* Output address of 48 bits, before what the granule and the level leave out. */
#define A64_PTE_ADDRESS UINT64_C(0x0000fffffffff000)

/* TCR_EL1: one set of fields for each half. */
#define A64_TCR_T0SZ_SHIFT 0
#define A64_TCR_T1SZ_SHIFT 16
#define A64_TCR_EPD0       BIT(7)
#define A64_TCR_EPD1       BIT(23)
#define A64_TCR_TG0_SHIFT  14
#define A64_TCR_TG1_SHIFT  30
#define A64_TCR_A1         BIT(22)
#define A64_TCR_IPS_SHIFT  32
#define A64_TCR_AS         BIT(36)
#define A64_TCR_TBI0       BIT(37)
#define A64_TCR_TBI1       BIT(38)
#define A64_TCR_HA         BIT(39)
#define A64_TCR_HD         BIT(40)
#define A64_TCR_HPD0       BIT(41)
#define A64_TCR_HPD1       BIT(42)
#define A64_TCR_HWU        (UINT64_C(0xff) << 43)
#define A64_TCR_TBID0      BIT(51)
#define A64_TCR_TBID1      BIT(52)
#define A64_TCR_NFD0       BIT(53)
#define A64_TCR_NFD1       BIT(54)
#define A64_TCR_E0PD0      BIT(55)
#define A64_TCR_E0PD1      BIT(56)

/* log2 of the granule by TG0 and by TG1; 0 is reserved. */
static const uint8_t a64_tg0_bits[4] = {12, 16, 14, 0};
static const uint8_t a64_tg1_bits[4] = {0, 14, 12, 16};

/* TTBRn_EL1 */
#define A64_TTBR_ASID_SHIFT 48
#define A64_TTBR_CNP        BIT(0)

/* log2 of the physical address space by ID_AA64MMFR0_EL1.PARange and TCR_EL1.IPS. */
static const uint8_t a64_pa_bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};

/* MAIR_EL1 attributes that a byte may be */
enum { A64_MAIR_DEVICE_NGNRNE = 0x00, A64_MAIR_NORMAL_WB = 0xff };

/* PAR_EL1 */
#define A64_PAR_F         BIT(0)
#define A64_PAR_RES1      BIT(11)
#define A64_PAR_FST_SHIFT 1
#define A64_PAR_SH_SHIFT  7
#define A64_PAR_NS        BIT(9)

#endif
