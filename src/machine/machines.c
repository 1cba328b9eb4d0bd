/* The registry of machines, where both ISAs' are linked. */
#include "machine/machine.h"
#include "machine/virt_arm64.h"
#include "machine/virt_riscv64.h"

const struct machine_ops *const machines[] = {
    &machine_virt_riscv64,
    &machine_virt_arm64,
    NULL,
};
