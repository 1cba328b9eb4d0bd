/* What the extensions of the built-in SBI share. A call's arguments are in a0 to a5, its number in a6. */
#ifndef CV_GUEST_RISCV64_SBI_H
#define CV_GUEST_RISCV64_SBI_H

#include "guest/riscv64/cpu.h"

struct sbi_ret {
    int64_t error;
    uint64_t value;
};

static inline struct sbi_ret sbi_ok(uint64_t value)
{
    return (struct sbi_ret){RV_SBI_SUCCESS, value};
}

static inline struct sbi_ret sbi_error(enum rv_sbi_error e)
{
    return (struct sbi_ret){e, 0};
}

static inline uint64_t sbi_arg(const struct riscv_vcpu *r, unsigned i)
{
    return r->x[RV_REG_A0 + i];
}

/* Performance monitoring (11). */
struct sbi_ret riscv_sbi_pmu(struct riscv_vcpu *r, uint64_t fid);

#endif
