/* What an image for arm64 boards is made of: guests of the board's own ISA, run by the hardware. */
#include "api/registry.h"
#include "app/bare/defaults.h"
#include "engine/bare/arm64/engine.h"
#include "guest/arm64/guest.h"
#include "machine/machine.h"
#include "machine/virt_arm64.h"
#include "platform/bare/drivers/gic.h"

const struct registry_guest registry_guests[] = {
    {&guest_arm64, NULL},
    {NULL, NULL},
};

const struct engine_ops *const registry_engines[] = {
    &engine_bare_arm64,
    NULL,
};

const struct machine_ops *const machines[] = {
    &machine_virt_arm64,
    NULL,
};

/* The guest's GIC is the board's, whose hardware then serves it. */
const char *board_machine_options(void)
{
    return gic_get()->version == 2 ? "gic=2" : "gic=3";
}
