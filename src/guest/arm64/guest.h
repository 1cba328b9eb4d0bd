/* The arm64 guest, as registries name it. guest_arm64 needs core only; lift_arm64 needs ir. */
#ifndef CV_GUEST_ARM64_GUEST_H
#define CV_GUEST_ARM64_GUEST_H

#include "core/guest.h"
#include "isa/arm64/irq.h"

extern const struct guest_ops guest_arm64;
extern const struct lift_ops lift_arm64;

/*
 * Inputs of guest_ops.irq_input(): lines into the CPU. IRQ and FIQ are a GICv2's; SERROR is a level that
 * taking it clears.
 */
enum arm64_input {
    ARM64_INPUT_IRQ = A64_INPUT_IRQ,
    ARM64_INPUT_FIQ = A64_INPUT_FIQ,
    ARM64_INPUT_SERROR = A64_INPUT_SERROR,
    ARM64_INPUTS = A64_INPUTS
};

/* Kinds of guest_ops.inject(). INTERRUPT, CLEAR: number is an enum arm64_input. EXCEPTION: an ESR. */
enum arm64_inject { ARM64_INJECT_INTERRUPT, ARM64_INJECT_EXCEPTION, ARM64_INJECT_CLEAR };

#endif
