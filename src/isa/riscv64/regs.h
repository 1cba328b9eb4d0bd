/*
 * Integer and floating-point registers: ABI names and numbers (RISC-V ABIs Specification, 1.1 and 1.2).
 */
#ifndef CV_ISA_RISCV64_REGS_H
#define CV_ISA_RISCV64_REGS_H

#define RV_REG_COUNT 32

/* The registers that code here names by role: firmware calls, boot, stacks. */
enum rv_reg {
    RV_REG_ZERO = 0,
    RV_REG_RA = 1,
    RV_REG_SP = 2,
    RV_REG_GP = 3,
    RV_REG_TP = 4,
    RV_REG_T0 = 5,
    RV_REG_S0 = 8,
    RV_REG_A0 = 10,
    RV_REG_A1,
    RV_REG_A2,
    RV_REG_A3,
    RV_REG_A4,
    RV_REG_A5,
    RV_REG_A6,
    RV_REG_A7,
};

extern const char *const rv_reg_names[RV_REG_COUNT];  /* zero, ra, sp, ... */
extern const char *const rv_freg_names[RV_REG_COUNT]; /* ft0, ... */

#endif
