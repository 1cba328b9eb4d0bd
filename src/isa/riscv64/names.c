/*
 * The tables behind regs.h, csr.h and pte.h: register names, CSR names, translation modes.
 */
#include "isa/riscv64/regs.h"
#include "isa/riscv64/csr.h"
#include "isa/riscv64/pte.h"
#include "lib/str.h"

// clang-format off
const char *const rv_reg_names[RV_REG_COUNT] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4",  "s5",  "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

const char *const rv_freg_names[RV_REG_COUNT] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1",
    "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",
    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};
// clang-format on

const struct rv_vm_mode rv_vm_modes[16] = {
    [RV_SATP_BARE] = {0, 0, "none"},
    [RV_SATP_SV39] = {3, 39, "sv39"},
    [RV_SATP_SV48] = {4, 48, "sv48"},
    [RV_SATP_SV57] = {5, 57, "sv57"},
};

static const struct {
    uint16_t number;
    const char *name;
} csrs[] = {
#define RV_CSR(number, name) {number, #name},
#include "isa/riscv64/csr.def"
};

const char *rv_csr_name(unsigned csr)
{
    size_t lo = 0, hi = ARRAY_SIZE(csrs);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (csrs[mid].number == csr)
            return csrs[mid].name;
        if (csrs[mid].number < csr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

int rv_csr_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(csrs); i++)
        if (strcmp(csrs[i].name, name) == 0)
            return csrs[i].number;
    return -1;
}
