/* Calls to the firmware below (RISC-V SBI 2.0). */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_SBI_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_SBI_H

#include "isa/riscv64/sbi.h"

struct sbi_result {
    int64_t error; /* enum rv_sbi_error */
    uint64_t value;
};

static inline struct sbi_result sbi_call3(uint64_t ext, uint64_t fid, uint64_t arg0, uint64_t arg1,
                                          uint64_t arg2)
{
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a6 __asm__("a6") = fid;
    register uint64_t a7 __asm__("a7") = ext;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}

/* Whether the firmware has this extension. */
static inline bool sbi_has(uint64_t ext)
{
    return sbi_call3(RV_SBI_BASE, 3, ext, 0, 0).value != 0;
}

#endif
