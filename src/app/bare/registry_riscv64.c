/* What an image for riscv64 boards is made of: guests of the board's own ISA, run by the hardware. */
#include "api/registry.h"
#include "app/bare/defaults.h"
#include "engine/bare/riscv64/engine.h"
#include "guest/riscv64/features.h"
#include "guest/riscv64/guest.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "machine/machine.h"
#include "machine/virt_riscv64.h"
#include "platform/bare/boot/riscv64/csr_ops.h"

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

/* No model has it, so without a + it was not asked for. */
static int board_cpu(const struct vm_desc *d, char *why, size_t why_size)
{
    uint64_t f;
    int err;

    if (riscv_host.vlenb || !d->cpu || !strchr(d->cpu, '+'))
        return 0;
    err = riscv_features_parse(d->cpu, &f, why, why_size);
    if (err || !(f >> RVF_V & 1))
        return err;
    fmt_snprintf(why, why_size, "cpu: v: this board's CPUs have no vector registers; leave out +v");
    return -ENOTSUP;
}

/* A PLIC is emulated anywhere; registers of an interrupt file trap only where CPUs know them (AIA 1.0, 5). */
int board_machine(struct vm_desc *d, char *why, size_t why_size)
{
    char value[16];

    if (!machine_option(d->machine_options, "aia", value, sizeof(value))) {
        if (riscv_host.ssaia && riscv_host.guest_files)
            d->machine_options = "aia=aplic-imsic"; /* options without it name files for hosts only */
    } else if (!riscv_host.ssaia && !strcmp(value, "aplic-imsic")) {
        fmt_snprintf(
            why, why_size,
            "machine: aia=aplic-imsic: this board's CPUs have no AIA; take aia=none, or leave it out");
        return -ENOTSUP;
    }
    return board_cpu(d, why, why_size);
}
