/* List registers of GICv3 (system registers) and GICv2 (GICH, IHI 0048B 5.3). */
#include "engine/bare/arm64/lr.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/drivers/gic.h"

/* ---- GICv3 ---- */

/* clang-format never comes to rest with such lists. */
/* clang-format off */
#define CASES(X) \
    X(0, S3_4_C12_C12_0) X(1, S3_4_C12_C12_1) X(2, S3_4_C12_C12_2) X(3, S3_4_C12_C12_3) \
    X(4, S3_4_C12_C12_4) X(5, S3_4_C12_C12_5) X(6, S3_4_C12_C12_6) X(7, S3_4_C12_C12_7) \
    X(8, S3_4_C12_C13_0) X(9, S3_4_C12_C13_1) X(10, S3_4_C12_C13_2) X(11, S3_4_C12_C13_3) \
    X(12, S3_4_C12_C13_4) X(13, S3_4_C12_C13_5) X(14, S3_4_C12_C13_6) X(15, S3_4_C12_C13_7)
/* clang-format on */

/* ICH_VTR_EL2: ListRegs 4:0 less one, PREbits 28:26 less one */
unsigned lr_v3_count(unsigned *preemption_bits)
{
    uint64_t vtr = sys_read(S3_4_C12_C11_1);

    *preemption_bits = (unsigned)(vtr >> 26 & 7) + 1;
    return MIN((unsigned)(vtr & 31) + 1, 16u);
}

uint64_t lr_v3_get(unsigned i)
{
#define GET(n, name)                                                                                         \
    case n:                                                                                                  \
        return sys_read(name);
    switch (i) {
        CASES(GET)
    }
    return 0;
}

/* Bits 47:45 are version 2's. */
void lr_v3_set(unsigned i, uint64_t lr)
{
    lr &= ~(UINT64_C(7) << 45);
#define SET(n, name)                                                                                         \
    case n:                                                                                                  \
        sys_write(name, lr);                                                                                 \
        break;
    switch (i) {
        CASES(SET)
    }
}

uint32_t lr_v3_hcr(void)
{
    return (uint32_t)sys_read(S3_4_C12_C11_0);
}

void lr_v3_hcr_set(uint32_t hcr)
{
    sys_write(S3_4_C12_C11_0, hcr);
}

/* Registers beyond the first exist with more than five bits of preemption (12.4.1). */
void lr_v3_interface_get(uint64_t *vmcr, struct lr_active *ap, unsigned preemption_bits)
{
    *vmcr = sys_read(S3_4_C12_C11_7);
    ap->word[0][0] = (uint32_t)sys_read(S3_4_C12_C8_0);
    ap->word[1][0] = (uint32_t)sys_read(S3_4_C12_C9_0);
    if (preemption_bits >= 6) {
        ap->word[0][1] = (uint32_t)sys_read(S3_4_C12_C8_1);
        ap->word[1][1] = (uint32_t)sys_read(S3_4_C12_C9_1);
    }
    if (preemption_bits >= 7) {
        ap->word[0][2] = (uint32_t)sys_read(S3_4_C12_C8_2);
        ap->word[0][3] = (uint32_t)sys_read(S3_4_C12_C8_3);
        ap->word[1][2] = (uint32_t)sys_read(S3_4_C12_C9_2);
        ap->word[1][3] = (uint32_t)sys_read(S3_4_C12_C9_3);
    }
}

void lr_v3_interface_set(uint64_t vmcr, const struct lr_active *ap, unsigned preemption_bits)
{
    sys_write(S3_4_C12_C11_7, vmcr);
    sys_write(S3_4_C12_C8_0, ap->word[0][0]);
    sys_write(S3_4_C12_C9_0, ap->word[1][0]);
    if (preemption_bits >= 6) {
        sys_write(S3_4_C12_C8_1, ap->word[0][1]);
        sys_write(S3_4_C12_C9_1, ap->word[1][1]);
    }
    if (preemption_bits >= 7) {
        sys_write(S3_4_C12_C8_2, ap->word[0][2]);
        sys_write(S3_4_C12_C8_3, ap->word[0][3]);
        sys_write(S3_4_C12_C9_2, ap->word[1][2]);
        sys_write(S3_4_C12_C9_3, ap->word[1][3]);
    }
}

/* ---- GICv2 ---- */

enum { GICH_HCR = 0x0, GICH_VTR = 0x4, GICH_VMCR = 0x8, GICH_APR = 0xf0, GICH_LR = 0x100 };

unsigned lr_v2_count(const uint8_t *gich)
{
    return MIN((gic_r32(gich, GICH_VTR) & 0x3f) + 1, 16u);
}

/* GICH_LR (5.3.7): number 9:0, physical 19:10 or sender 12:10 and EOI 19, priority 27:23, state 29:28, group
 * 30, HW 31 */
uint64_t lr_v2_get(const uint8_t *gich, unsigned i)
{
    uint32_t v = gic_r32(gich, GICH_LR + 4 * i);
    uint64_t lr = LR_MAKE(v >> 28 & 3, v & 0x3ff, v >> 20 & 0xf8, v >> 30 & 1);

    if (v >> 31)
        return lr | LR_HW | LR_PHYSICAL(v >> 10 & 0x3ff);
    return lr | (v >> 19 & 1 ? LR_EOI : 0) | LR_SOURCE_SET(v >> 10 & 7);
}

void lr_v2_set(uint8_t *gich, unsigned i, uint64_t lr)
{
    uint32_t v =
        LR_STATE(lr) << 28 | (LR_ID(lr) & 0x3ff) | (LR_PRIORITY(lr) & 0xf8) << 20 | LR_GROUP(lr) << 30;

    if (lr & LR_HW)
        v |= 1u << 31 | (uint32_t)(lr >> 32 & 0x3ff) << 10;
    else
        v |= (lr & LR_EOI ? 1u << 19 : 0) | LR_SOURCE(lr) << 10;
    gic_w32(gich, GICH_LR + 4 * i, v);
}

uint32_t lr_v2_hcr(const uint8_t *gich)
{
    return gic_r32(gich, GICH_HCR);
}

void lr_v2_hcr_set(uint8_t *gich, uint32_t hcr)
{
    gic_w32(gich, GICH_HCR, hcr);
}

void lr_v2_interface_get(const uint8_t *gich, uint32_t *vmcr, uint32_t *ap)
{
    *vmcr = gic_r32(gich, GICH_VMCR);
    *ap = gic_r32(gich, GICH_APR);
}

void lr_v2_interface_set(uint8_t *gich, uint32_t vmcr, uint32_t ap)
{
    gic_w32(gich, GICH_VMCR, vmcr);
    gic_w32(gich, GICH_APR, ap);
}
