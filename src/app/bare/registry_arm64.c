/* What an image for arm64 boards is made of: guests of the board's own ISA, run by the hardware. */
#include "api/registry.h"
#include "app/bare/defaults.h"
#include "engine/bare/arm64/engine.h"
#include "guest/arm64/guest.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
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

/*
 * The guest's GIC is the board's, whose hardware then serves it. A GICv2 is memory, which can be emulated;
 * the registers of a GICv3's CPU interface are undefined where the CPU has none, and nobody is told (DDI
 * 0487, D19.1).
 */
int board_machine(struct vm_desc *d, char *why, size_t why_size)
{
    bool old = gic_get()->version == 2;
    char value[8];

    if (!machine_option(d->machine_options, "gic", value, sizeof(value)))
        d->machine_options = old ? "gic=2" : "gic=3"; /* options without it name files for hosts only */
    else if (old && !strcmp(value, "3")) {
        fmt_snprintf(why, why_size,
                     "machine: gic=3: this board's GIC is version 2; take gic=2, or leave it out");
        return -ENOTSUP;
    }
    return 0;
}
