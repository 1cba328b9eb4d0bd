/*
 * Firmware calls: the numbering of SMCCC (DEN 0028) and the functions of PSCI 1.1 (DEN 0022). The id is in
 * W0, arguments in X1..; results in X0...
 */
#ifndef CV_ISA_ARM64_PSCI_H
#define CV_ISA_ARM64_PSCI_H

#include <stdint.h>

/* Function ids (DEN 0028, 2.5) */
#define SMCCC_FAST  (UINT32_C(1) << 31)
#define SMCCC_64    (UINT32_C(1) << 30)
#define SMCCC_OWNER UINT32_C(0x3f000000)
#define SMCCC_FUNC  UINT32_C(0x0000ffff)

/* W0 of a function that is not there, as a 64-bit result too */
#define SMCCC_NOT_SUPPORTED (-1)

enum smccc_arch {
    SMCCC_VERSION = 0x80000000, /* 0x10001: 1.1 */
    SMCCC_ARCH_FEATURES = 0x80000001,
    SMCCC_ARCH_SOC_ID = 0x80000002,
    SMCCC_ARCH_WORKAROUND_1 = 0x80008000,
    SMCCC_ARCH_WORKAROUND_2 = 0x80007fff,
    SMCCC_ARCH_WORKAROUND_3 = 0x80003fff,
};

/* Vendor-specific hypervisor service (DEN 0028, 6.2): its UID, by which a guest learns whose it is */
enum smccc_vendor_hyp {
    SMCCC_VENDOR_HYP_VERSION = 0x86000000, /* of the calls of this range */
    SMCCC_VENDOR_HYP_FEATURES = 0x86000001,
    SMCCC_VENDOR_HYP_YIELD = 0x86000002,
    SMCCC_VENDOR_HYP_CALL_UID = 0x8600ff01,
    SMCCC_VENDOR_HYP_REVISION = 0x8600ff03, /* major, minor in w0, w1 */
};

/* Paravirtualized time (DEN 0057) */
enum smccc_pv_time {
    SMCCC_PV_TIME_FEATURES = 0xc5000020,
    SMCCC_PV_TIME_ST = 0xc5000021,
};

/* True random numbers (DEN 0098) */
enum smccc_trng {
    SMCCC_TRNG_VERSION = 0x84000050,
    SMCCC_TRNG_FEATURES = 0x84000051,
    SMCCC_TRNG_GET_UUID = 0x84000052,
    SMCCC_TRNG_RND32 = 0x84000053,
    SMCCC_TRNG_RND64 = 0xc4000053,
    SMCCC_TRNG_LAST = 0x8400005f, /* of the numbers that are its */
};

enum psci_function {
    PSCI_VERSION = 0x84000000, /* major << 16 | minor */
    PSCI_CPU_SUSPEND_32 = 0x84000001,
    PSCI_CPU_SUSPEND_64 = 0xc4000001,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_CPU_ON_32 = 0x84000003, /* target MPIDR, entry, context for X0 */
    PSCI_CPU_ON_64 = 0xc4000003,
    PSCI_AFFINITY_INFO_32 = 0x84000004, /* target MPIDR, lowest affinity level */
    PSCI_AFFINITY_INFO_64 = 0xc4000004,
    PSCI_MIGRATE_32 = 0x84000005,
    PSCI_MIGRATE_64 = 0xc4000005,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006, /* 2: no trusted OS that would need it */
    PSCI_MIGRATE_INFO_UP_CPU_32 = 0x84000007,
    PSCI_MIGRATE_INFO_UP_CPU_64 = 0xc4000007,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    PSCI_CPU_FREEZE = 0x8400000b,
    PSCI_CPU_DEFAULT_SUSPEND_32 = 0x8400000c,
    PSCI_CPU_DEFAULT_SUSPEND_64 = 0xc400000c,
    PSCI_NODE_HW_STATE_32 = 0x8400000d,
    PSCI_NODE_HW_STATE_64 = 0xc400000d,
    PSCI_SYSTEM_SUSPEND_32 = 0x8400000e,
    PSCI_SYSTEM_SUSPEND_64 = 0xc400000e,
    PSCI_SET_SUSPEND_MODE = 0x8400000f,
    PSCI_STAT_RESIDENCY_32 = 0x84000010,
    PSCI_STAT_RESIDENCY_64 = 0xc4000010,
    PSCI_STAT_COUNT_32 = 0x84000011,
    PSCI_STAT_COUNT_64 = 0xc4000011,
    PSCI_SYSTEM_RESET2_32 = 0x84000012,
    PSCI_SYSTEM_RESET2_64 = 0xc4000012,
};

#define PSCI_1_1  0x00010001
#define PSCI_LAST UINT32_C(0x8400001f) /* of the numbers that are PSCI's, from PSCI_VERSION on */

enum psci_result {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_NOT_PRESENT = -7,
    PSCI_DISABLED = -8,
    PSCI_INVALID_ADDRESS = -9,
};

enum psci_affinity_info { PSCI_AFFINITY_ON = 0, PSCI_AFFINITY_OFF = 1, PSCI_AFFINITY_ON_PENDING = 2 };

enum { PSCI_MIGRATE_NOT_NEEDED = 2 };

/* CPU_SUSPEND's power_state, original format: StateType 1 is power down */
#define PSCI_POWER_STATE_DOWN (UINT32_C(1) << 16)
#define PSCI_POWER_STATE_RES0 UINT32_C(0xfcfe0000)

#endif
