/*
 * Supervisor Binary Interface 2.0: extension and function numbers, error codes, and the console that a
 * board lends to the built-in implementation.
 */
#ifndef CV_ISA_RISCV64_SBI_H
#define CV_ISA_RISCV64_SBI_H

#include "lib/base.h"

enum rv_sbi_error {
    RV_SBI_SUCCESS = 0,
    RV_SBI_ERR_FAILED = -1,
    RV_SBI_ERR_NOT_SUPPORTED = -2,
    RV_SBI_ERR_INVALID_PARAM = -3,
    RV_SBI_ERR_DENIED = -4,
    RV_SBI_ERR_INVALID_ADDRESS = -5,
    RV_SBI_ERR_ALREADY_AVAILABLE = -6,
    RV_SBI_ERR_ALREADY_STARTED = -7,
    RV_SBI_ERR_ALREADY_STOPPED = -8,
    RV_SBI_ERR_NO_SHMEM = -9,
};

/* Extension numbers: chapters 4 to 12; the legacy calls (chapter 5) are extensions of their own. */
enum rv_sbi_ext {
    RV_SBI_LEGACY_SET_TIMER = 0,
    RV_SBI_LEGACY_PUTCHAR,
    RV_SBI_LEGACY_GETCHAR,
    RV_SBI_LEGACY_CLEAR_IPI,
    RV_SBI_LEGACY_SEND_IPI,
    RV_SBI_LEGACY_FENCE_I,
    RV_SBI_LEGACY_SFENCE_VMA,
    RV_SBI_LEGACY_SFENCE_VMA_ASID,
    RV_SBI_LEGACY_SHUTDOWN,
    RV_SBI_BASE = 0x10,
    RV_SBI_TIME = 0x54494d45,
    RV_SBI_IPI = 0x735049,
    RV_SBI_RFENCE = 0x52464e43,
    RV_SBI_HSM = 0x48534d,
    RV_SBI_SRST = 0x53525354,
    RV_SBI_PMU = 0x504d55,
    RV_SBI_DBCN = 0x4442434e,
    /* Experimental space (chapter 16: 0x08000000 to 0x08ffffff), "CV": the hypervisor's own. */
    RV_SBI_CARBOVISOR = 0x08004356,
    RV_SBI_CARBOVISOR_YIELD = 2, /* function */
};

/* Firmware events (11.4.4). */
enum rv_sbi_fw {
    RV_SBI_FW_MISALIGNED_LOAD,
    RV_SBI_FW_MISALIGNED_STORE,
    RV_SBI_FW_ACCESS_LOAD,
    RV_SBI_FW_ACCESS_STORE,
    RV_SBI_FW_ILLEGAL_INSN,
    RV_SBI_FW_SET_TIMER,
    RV_SBI_FW_IPI_SENT,
    RV_SBI_FW_IPI_RECEIVED,
    RV_SBI_FW_FENCE_I_SENT,
    RV_SBI_FW_FENCE_I_RECEIVED,
    RV_SBI_FW_SFENCE_VMA_SENT,
    RV_SBI_FW_SFENCE_VMA_RECEIVED,
    RV_SBI_FW_SFENCE_VMA_ASID_SENT,
    RV_SBI_FW_SFENCE_VMA_ASID_RECEIVED,
    RV_SBI_FW_EVENTS, /* from here on: those of hypervisors */
};

/* HSM hart states (9.1 table). */
enum rv_sbi_hart {
    RV_SBI_HART_STARTED,
    RV_SBI_HART_STOPPED,
    RV_SBI_HART_START_PENDING,
    RV_SBI_HART_STOP_PENDING,
    RV_SBI_HART_SUSPENDED,
};

#define RV_SBI_SUSPEND_RETENTIVE     0u
#define RV_SBI_SUSPEND_NON_RETENTIVE 0x80000000u

/*
 * The guest folder's data of a VM (vm->guest_vm) begins with this; the board may fill it in. write gives
 * how many bytes it took; read how many there were. NULL: there is no console.
 */
struct rv_sbi_console {
    size_t (*write)(void *opaque, const uint8_t *data, size_t len);
    size_t (*read)(void *opaque, uint8_t *data, size_t len);
    void *opaque;
};

#endif
