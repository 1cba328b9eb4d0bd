/* The riscv64 board "virt": the memory map that riscv64 software knows. */
#ifndef CV_MACHINE_VIRT_RISCV64_H
#define CV_MACHINE_VIRT_RISCV64_H

#include "machine/machine.h"

extern const struct machine_ops machine_virt_riscv64;

#endif
