/*
 * Firmware calls by HVC and SMC: SMC Calling Convention 1.2 (DEN0028), PSCI 1.1 (DEN0022), TRNG firmware
 * interface 1.0 (DEN0098).
 */
#ifndef CV_ISA_ARM64_PSCI_H
#define CV_ISA_ARM64_PSCI_H

#include "lib/base.h"

/* Function ids: fast call 31, 64-bit arguments 30, owner 29:24. */
#define A64_SMCCC_64 BIT(30)

enum a64_smccc_fn {
    A64_SMCCC_VERSION = 0x80000000,
    A64_SMCCC_ARCH_FEATURES = 0x80000001,
    A64_SMCCC_ARCH_SOC_ID = 0x80000002,
    A64_SMCCC_WORKAROUND_1 = 0x80008000,
    A64_SMCCC_WORKAROUND_2 = 0x80007fff,
    A64_SMCCC_WORKAROUND_3 = 0x80003fff,
};

/* As 32-bit calls; those with addresses have a 64-bit form too. */
enum a64_psci_fn {
    A64_PSCI_VERSION = 0x84000000,
    A64_PSCI_CPU_SUSPEND = 0x84000001,
    A64_PSCI_CPU_OFF = 0x84000002,
    A64_PSCI_CPU_ON = 0x84000003,
    A64_PSCI_AFFINITY_INFO = 0x84000004,
    A64_PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    A64_PSCI_SYSTEM_OFF = 0x84000008,
    A64_PSCI_SYSTEM_RESET = 0x84000009,
    A64_PSCI_FEATURES = 0x8400000a,
    A64_PSCI_SYSTEM_RESET2 = 0x84000012,
};

enum a64_trng_fn {
    A64_TRNG_VERSION = 0x84000050,
    A64_TRNG_FEATURES = 0x84000051,
    A64_TRNG_GET_UUID = 0x84000052,
    A64_TRNG_RND = 0x84000053,
};

#define A64_PSCI_VERSION_1_1  0x10001u
#define A64_SMCCC_VERSION_1_2 0x10002u
#define A64_TRNG_VERSION_1_0  0x10000u

enum a64_psci_error {
    A64_PSCI_SUCCESS = 0,
    A64_PSCI_NOT_SUPPORTED = -1,
    A64_PSCI_INVALID_PARAMETERS = -2,
    A64_PSCI_DENIED = -3,
    A64_PSCI_ALREADY_ON = -4,
    A64_PSCI_ON_PENDING = -5,
    A64_PSCI_INTERNAL_FAILURE = -6,
    A64_PSCI_INVALID_ADDRESS = -9,
};

/* AFFINITY_INFO */
enum a64_psci_affinity { A64_PSCI_AFF_ON, A64_PSCI_AFF_OFF, A64_PSCI_AFF_ON_PENDING };

enum { A64_TRNG_INVALID_PARAMETERS = -2, A64_TRNG_NO_ENTROPY = -3, A64_TRNG_BITS_MAX = 192 };

/* MIGRATE_INFO_TYPE: no trusted OS, or one that needs no migration */
#define A64_PSCI_NO_MIGRATION 2
/* CPU_SUSPEND, power_state: the original format's state type; 1 loses the PE's state */
#define A64_PSCI_POWERDOWN BIT(16)

#endif
