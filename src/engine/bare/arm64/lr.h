/*
 * List registers and the virtual CPU interface of both GIC versions behind one form, which is that of
 * ICH_LR<n>_EL2 (IHI 0069, 12.4.9): number 31:0, physical number 44:32, EOI 41, priority 55:48, group 60, HW
 * 61, state 63:62; and, for what version 2 has besides, the sender of an SGI in bits 47:45.
 */
#ifndef CV_ENGINE_BARE_ARM64_LR_H
#define CV_ENGINE_BARE_ARM64_LR_H

#include "lib/base.h"

enum { LR_IDLE, LR_PENDING, LR_ACTIVE, LR_BOTH };

#define LR_MAKE(state, id, priority, group)                                                                  \
    ((uint64_t)(state) << 62 | (uint64_t)(group) << 60 | (uint64_t)(priority) << 48 | (id))
#define LR_STATE(lr)      ((unsigned)((lr) >> 62))
#define LR_ID(lr)         ((unsigned)(lr))
#define LR_PRIORITY(lr)   ((unsigned)((lr) >> 48 & 0xff))
#define LR_GROUP(lr)      ((unsigned)((lr) >> 60 & 1))
#define LR_HW             BIT(61)
#define LR_EOI            BIT(41)
#define LR_PHYSICAL(id)   ((uint64_t)(id) << 32)
#define LR_SOURCE(lr)     ((unsigned)((lr) >> 45 & 7))
#define LR_SOURCE_SET(id) ((uint64_t)(id) << 45)

#define LR_V2_CPU_SIZE 0x2000 /* of a guest's window of GICV */

/* Active priorities, by group. */
struct lr_active {
    uint32_t word[2][4];
};

/* How many there are; bits of preemption (5 to 7). */
unsigned lr_v3_count(unsigned *preemption_bits);
uint64_t lr_v3_get(unsigned i);
void lr_v3_set(unsigned i, uint64_t lr);
uint32_t lr_v3_hcr(void);
void lr_v3_hcr_set(uint32_t hcr);
/* ICH_VMCR_EL2 and active priorities. */
void lr_v3_interface_get(uint64_t *vmcr, struct lr_active *ap, unsigned preemption_bits);
void lr_v3_interface_set(uint64_t vmcr, const struct lr_active *ap, unsigned preemption_bits);

unsigned lr_v2_count(const uint8_t *gich);
uint64_t lr_v2_get(const uint8_t *gich, unsigned i);
void lr_v2_set(uint8_t *gich, unsigned i, uint64_t lr);
uint32_t lr_v2_hcr(const uint8_t *gich);
void lr_v2_hcr_set(uint8_t *gich, uint32_t hcr);
void lr_v2_interface_get(const uint8_t *gich, uint32_t *vmcr, uint32_t *ap);
void lr_v2_interface_set(uint8_t *gich, uint32_t vmcr, uint32_t ap);

#endif
