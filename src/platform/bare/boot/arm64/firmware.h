/* The board's firmware, as engines may call it for their guests (psci.c). */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_FIRMWARE_H
#define CV_PLATFORM_BARE_BOOT_ARM64_FIRMWARE_H

#include "lib/base.h"

/* Asks it what this CPU needs. */
void firmware_cpu_setup(void);
/* There is one. */
bool firmware_there(void);
/* What SMCCC_ARCH_FEATURES says of a workaround, the safest answer of all CPUs. */
int32_t firmware_features(uint32_t workaround);
/* Carries it out on this CPU; nothing where the firmware does not have it. */
void firmware_workaround(uint32_t function, uint32_t arg);

#endif
