/* Pointer authentication codes (DDI 0487, D8.10): where they stand in a pointer and how they are made. */
#ifndef CV_GUEST_ARM64_PAUTH_H
#define CV_GUEST_ARM64_PAUTH_H

#include "guest/arm64/cpu.h"

enum arm64_pac_key { ARM64_PAC_IA, ARM64_PAC_IB, ARM64_PAC_DA, ARM64_PAC_DB };

/* The pointer with its code put in; with it taken out, or made non-canonical where it is wrong. */
uint64_t arm64_pac_sign(const struct arm64_vcpu *a, uint64_t pointer, uint64_t modifier,
                        enum arm64_pac_key key);
uint64_t arm64_pac_check(const struct arm64_vcpu *a, uint64_t pointer, uint64_t modifier,
                         enum arm64_pac_key key);
uint64_t arm64_pac_strip(const struct arm64_vcpu *a, uint64_t pointer, bool data);
/* PACGA: the code in the upper half. */
uint64_t arm64_pac_generic(const struct arm64_vcpu *a, uint64_t x, uint64_t y);

#endif
