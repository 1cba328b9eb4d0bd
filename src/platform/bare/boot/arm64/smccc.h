/*
 * What the board's firmware says of the workarounds of SMCCC 1.1 (DEN 0028, 7.5 to 7.8). Each CPU asks for
 * itself, and guests, which may run on any of them, are told the safest answer.
 */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_SMCCC_H
#define CV_PLATFORM_BARE_BOOT_ARM64_SMCCC_H

#include <stdatomic.h>

#include "lib/base.h"

#define SMCCC_WORKAROUNDS 3

struct smccc {
    _Atomic uint32_t said[SMCCC_WORKAROUNDS]; /* by any CPU: BIT(an answer) */
};

/* A call of the firmware: x0 as it comes back. */
typedef int64_t smccc_call(uint32_t function, uint64_t a, uint64_t b, uint64_t c);

/* On the CPU that is meant, of firmware that has PSCI 0.2 or later. */
void smccc_ask(struct smccc *s, smccc_call *call);
/* As SMCCC_ARCH_FEATURES has it; SMCCC_NOT_SUPPORTED where no CPU asked. */
int32_t smccc_answer(struct smccc *s, uint32_t workaround);

#endif
