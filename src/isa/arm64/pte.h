/*
 * Stage 1 translation of EL1&0: descriptors (DDI 0487, D8.3), granules (D8.2), the values of TCR_EL1 fields,
 * MAIR attributes (D19.2 "MAIR_EL1").
 */
#ifndef CV_ISA_ARM64_PTE_H
#define CV_ISA_ARM64_PTE_H

#include "isa/arm64/sysreg.h"

/* Bits [1:0]: 1 is a block at levels 1 and 2, at level 3 reserved; 3 is a table, at level 3 a page. */
#define A64_PTE_VALID BIT(0)
#define A64_PTE_TABLE BIT(1)

/* Blocks and pages: lower and upper attributes (D8.3) */
#define A64_PTE_ATTRINDX   A64_MASK(4, 2)
#define A64_PTE_NS         BIT(5)
#define A64_PTE_AP         A64_MASK(7, 6)
#define A64_PTE_AP_EL0     BIT(6) /* EL0 may access too */
#define A64_PTE_AP_RO      BIT(7)
#define A64_PTE_SH         A64_MASK(9, 8)
#define A64_PTE_AF         BIT(10)
#define A64_PTE_NG         BIT(11)
#define A64_PTE_NT         BIT(16) /* FEAT_BBM */
#define A64_PTE_GP         BIT(50) /* FEAT_BTI */
#define A64_PTE_DBM        BIT(51)
#define A64_PTE_CONTIGUOUS BIT(52)
#define A64_PTE_PXN        BIT(53)
#define A64_PTE_UXN        BIT(54) /* XN in regimes of one level */
#define A64_PTE_SW         A64_MASK(58, 55)

/* Tables: limits for all below, unless TCR_EL1.HPD0, HPD1 (D8.3) */
#define A64_PTE_PXNTABLE    BIT(59)
#define A64_PTE_UXNTABLE    BIT(60)
#define A64_PTE_APTABLE_EL0 BIT(61) /* no access from EL0 */
#define A64_PTE_APTABLE_RO  BIT(62)
#define A64_PTE_NSTABLE     BIT(63)

/* Output address, 48 bits; the bits below the block's, page's or table's size are not part of it. With 64 KiB
 * granules and 52 bits (FEAT_LPA), bits [15:12] hold address bits [51:48]. */
#define A64_PTE_ADDR A64_MASK(47, 12)

enum a64_shareability { A64_SH_NON, A64_SH_RESERVED, A64_SH_OUTER, A64_SH_INNER };

/* A granule: levels resolve shift - 3 bits each, the last (3) ends at `shift`. */
enum a64_granule { A64_GRANULE_4K, A64_GRANULE_16K, A64_GRANULE_64K, A64_GRANULE_COUNT };

struct a64_granule_info {
    uint8_t shift;              /* log2 of the page */
    uint8_t level_bits;         /* shift - 3 */
    uint8_t block_level;        /* the lowest level that can hold a block, without FEAT_LPA */
    uint8_t contiguous_bits[4]; /* log2 of the descriptors of a contiguous set, by level; 0: none */
};

extern const struct a64_granule_info a64_granules[A64_GRANULE_COUNT];

/* Granule of TCR_EL1.TG0 and of TG1, which number them differently; reserved values read as 4 KiB. */
static inline enum a64_granule a64_granule_tg0(unsigned tg0)
{
    return tg0 == 1 ? A64_GRANULE_64K : tg0 == 2 ? A64_GRANULE_16K : A64_GRANULE_4K;
}

static inline enum a64_granule a64_granule_tg1(unsigned tg1)
{
    return tg1 == 3 ? A64_GRANULE_64K : tg1 == 1 ? A64_GRANULE_16K : A64_GRANULE_4K;
}

/* T0SZ, T1SZ: 64 less the bits of virtual address; without FEAT_LVA, FEAT_TTST 16..39 (D8.2). */
enum { A64_TXSZ_MIN = 16, A64_TXSZ_MAX = 39 };

/* First level of the walk of a region of va_bits: each level below it resolves level_bits. */
static inline unsigned a64_start_level(enum a64_granule granule, unsigned va_bits)
{
    unsigned shift = a64_granules[granule].shift, bits = a64_granules[granule].level_bits;

    return 4 - (va_bits - shift + bits - 1) / bits;
}

/* log2 of the bytes one descriptor of a level maps. */
static inline unsigned a64_level_shift(enum a64_granule granule, unsigned level)
{
    return a64_granules[granule].shift + (3 - level) * a64_granules[granule].level_bits;
}

/* Bits of physical address by TCR_EL1.IPS and ID_AA64MMFR0_EL1.PARange; 7 is reserved, and reads as 6. */
extern const uint8_t a64_pa_bits[8];

/* MAIR_EL1 attribute bytes: 0000dd00 is Device; else two nibbles, outer and inner. */
enum a64_mair {
    A64_MAIR_DEVICE_NGNRNE = 0x00,
    A64_MAIR_DEVICE_NGNRE = 0x04,
    A64_MAIR_DEVICE_NGRE = 0x08,
    A64_MAIR_DEVICE_GRE = 0x0c,
    A64_MAIR_NORMAL_NC = 0x44,
    A64_MAIR_NORMAL_WT = 0xbb,
    A64_MAIR_NORMAL_WB = 0xff,
};

static inline bool a64_mair_is_device(unsigned attr)
{
    return (attr & 0xf0) == 0;
}

/* TLBI operands (C5.5): ASID, and VA[55:12] */
#define A64_TLBI_ASID A64_MASK(63, 48)
#define A64_TLBI_TTL  A64_MASK(47, 44)
#define A64_TLBI_VA   A64_MASK(43, 0)

/* TLBI by range: BADDR in units of the granule, (NUM + 1) * 2^(5 * SCALE + 1) of them; TG as TG1, 0 reserved,
 * but 1 = 4, 2 = 16, 3 = 64 KiB */
#define A64_TLBI_BADDR A64_MASK(36, 0)
#define A64_TLBI_RTTL  A64_MASK(38, 37)
#define A64_TLBI_NUM   A64_MASK(43, 39)
#define A64_TLBI_SCALE A64_MASK(45, 44)
#define A64_TLBI_TG    A64_MASK(47, 46)

#endif
