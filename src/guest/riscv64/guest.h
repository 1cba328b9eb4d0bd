/* The riscv64 guest, as registries name it. guest_riscv64 needs core only; lift_riscv64 needs ir. */
#ifndef CV_GUEST_RISCV64_GUEST_H
#define CV_GUEST_RISCV64_GUEST_H

#include "core/guest.h"

extern const struct guest_ops guest_riscv64;
extern const struct lift_ops lift_riscv64;

/* Kinds of guest_ops.inject(): number is the cause code (isa/riscv64/cause.h). */
enum riscv_inject { RISCV_INJECT_INTERRUPT, RISCV_INJECT_EXCEPTION, RISCV_INJECT_CLEAR };

#endif
