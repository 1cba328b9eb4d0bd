/* What an image for riscv64 boards is made of: guests of the board's own ISA, run by the hardware. */
#include "api/registry.h"
#include "app/bare/defaults.h"
#include "engine/bare/riscv64/engine.h"
#include "guest/riscv64/guest.h"
#include "machine/machine.h"
#include "machine/virt_riscv64.h"

const struct registry_guest registry_guests[] = {
    {&guest_riscv64, NULL},
    {NULL, NULL},
};

const struct engine_ops *const registry_engines[] = {
    &engine_bare_riscv64,
    NULL,
};

const struct machine_ops *const machines[] = {
    &machine_virt_riscv64,
    NULL,
};

const char *board_machine_options(void)
{
    return NULL;
}
