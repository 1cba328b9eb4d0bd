/*
 * The CPU side of interrupt controllers, as devices call it, and the message-signalled interrupt files
 * (AIA IMSIC) as guest code calls them.
 */
#ifndef CV_CORE_IRQCHIP_H
#define CV_CORE_IRQCHIP_H

#include "lib/base.h"

struct vcpu;
struct vm;
struct msi_file;

/* Drives input `input` (the ISA's own number: RISC-V mip bit, Arm IRQ/FIQ) of a vCPU; any task. */
void irqchip_cpu_input(struct vcpu *v, unsigned input, bool level);

/* One interrupt file of one vCPU at one privilege level; called from the vCPU's own task. */
struct msi_file_ops {
    /* Indirect registers by select number (AIA 1.0, 3.8); false: no such register. */
    bool (*read)(struct msi_file *f, uint64_t select, uint64_t *value);
    bool (*write)(struct msi_file *f, uint64_t select, uint64_t value, uint64_t mask, uint64_t *old);
    /* mtopei/stopei: identity << 16 | identity or 0; claim clears the pending bit. */
    uint64_t (*top)(struct msi_file *f, bool claim);
};

struct msi_file {
    const struct msi_file_ops *ops;
};

/* Sends an MSI: a 32-bit write on the bus. */
void msi_send(struct vm *vm, uint64_t address, uint32_t data);

#endif
