/*
 * Trap causes: the codes of mcause and scause (Privileged, 3.1.15 and "H" extension). Interrupts have
 * RV_CAUSE_INTERRUPT set beside the code.
 */
#ifndef CV_ISA_RISCV64_CAUSE_H
#define CV_ISA_RISCV64_CAUSE_H

enum rv_exception {
    RV_EXC_INSN_MISALIGNED = 0,
    RV_EXC_INSN_ACCESS = 1,
    RV_EXC_ILLEGAL_INSN = 2,
    RV_EXC_BREAKPOINT = 3,
    RV_EXC_LOAD_MISALIGNED = 4,
    RV_EXC_LOAD_ACCESS = 5,
    RV_EXC_STORE_MISALIGNED = 6, /* store or AMO, here and below */
    RV_EXC_STORE_ACCESS = 7,
    RV_EXC_ECALL_U = 8, /* or VU */
    RV_EXC_ECALL_S = 9, /* or HS */
    RV_EXC_ECALL_VS = 10,
    RV_EXC_ECALL_M = 11,
    RV_EXC_INSN_PAGE_FAULT = 12,
    RV_EXC_LOAD_PAGE_FAULT = 13,
    RV_EXC_STORE_PAGE_FAULT = 15,
    RV_EXC_SOFTWARE_CHECK = 18,
    RV_EXC_HARDWARE_ERROR = 19,
    RV_EXC_INSN_GUEST_PAGE_FAULT = 20,
    RV_EXC_LOAD_GUEST_PAGE_FAULT = 21,
    RV_EXC_VIRTUAL_INSN = 22,
    RV_EXC_STORE_GUEST_PAGE_FAULT = 23,
};

enum rv_interrupt {
    RV_INT_SSI = 1, /* supervisor software */
    RV_INT_VSSI = 2,
    RV_INT_MSI = 3,
    RV_INT_STI = 5, /* supervisor timer */
    RV_INT_VSTI = 6,
    RV_INT_MTI = 7,
    RV_INT_SEI = 9, /* supervisor external */
    RV_INT_VSEI = 10,
    RV_INT_MEI = 11,
    RV_INT_SGEI = 12,  /* supervisor guest external */
    RV_INT_LCOFI = 13, /* local counter overflow, Sscofpmf */
};

#endif
