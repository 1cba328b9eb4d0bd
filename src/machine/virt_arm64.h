/* The arm64 board "virt": the memory map that arm64 software knows. */
#ifndef CV_MACHINE_VIRT_ARM64_H
#define CV_MACHINE_VIRT_ARM64_H

#include "machine/machine.h"

extern const struct machine_ops machine_virt_arm64;

#endif
