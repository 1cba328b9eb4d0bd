/*
 * RISC-V ACLINT in the layout of the SiFive CLINT: msip at 0, mtimecmp at 0x4000, mtime at 0xbff8.
 * Inputs are the hart's mip bit numbers for M software and M timer interrupts.
 */
#ifndef CV_DEVICE_INTC_ACLINT_H
#define CV_DEVICE_INTC_ACLINT_H

#include "core/device.h"

struct aclint_config {
    gpa_t base;
    uint64_t timebase_hz;
    unsigned input_soft, input_timer;
    /* "interrupts-extended" in the device tree: per hart, phandle of its controller node. */
    uint32_t (*cpu_phandle)(unsigned hart);
};

struct device *aclint_create(struct vm *vm, const char *id, const struct aclint_config *config, char *why,
                             size_t why_size);

#endif
