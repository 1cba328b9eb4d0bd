/* The drivers for what riscv64 boards have, by "compatible". */
#include "lib/err.h"
#include "lib/fmt.h"
#include "platform/bare/console.h"
#include "platform/bare/drivers/drivers.h"
#include "platform/bare/drivers/goldfish_rtc.h"
#include "platform/bare/drivers/ns16550.h"
#include "platform/bare/drivers/riscv64/aia.h"
#include "platform/bare/drivers/riscv64/plic.h"

struct driver {
    const char *compatible;
    int (*init)(const struct board *b, dtb_node n);
};

/* What interrupts CPUs, then what gathers wires. */
static const struct driver roots[] = {
    {"riscv,imsics", imsic_init},
};
static const struct driver controllers[] = {
    {"riscv,aplic", aplic_init},
    {"sifive,plic-1.0.0", plic_init},
    {"riscv,plic0", plic_init},
};
static const struct driver consoles[] = {
    {"ns16550a", ns16550_init},
    {"ns16550", ns16550_init},
    {"snps,dw-apb-uart", ns16550_init},
};
static const struct driver others[] = {
    {"google,goldfish-rtc", goldfish_rtc_init},
};

static bool is_compatible(const struct board *b, dtb_node n, const char *what)
{
    dtb_node at = DTB_NONE;

    do
        at = dtb_compatible(&b->dtb, at, what);
    while (at != DTB_NONE && at != n);
    return at != DTB_NONE;
}

/* The first that works; false when none does. */
static bool start_one(const struct board *b, const struct driver *d, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (dtb_node n = DTB_NONE; (n = dtb_compatible(&b->dtb, n, d[i].compatible)) != DTB_NONE;) {
            if (!d[i].init(b, n))
                return true;
        }
    }
    return false;
}

/* What the tree names for output, else the first that fits; the firmware's console stays where there is none.
 */
static void start_console(const struct board *b)
{
    for (unsigned i = 0; b->stdout_node != DTB_NONE && i < ARRAY_SIZE(consoles); i++) {
        if (is_compatible(b, b->stdout_node, consoles[i].compatible) && !consoles[i].init(b, b->stdout_node))
            return;
    }
    start_one(b, consoles, ARRAY_SIZE(consoles));
}

int drivers_setup(const struct board *b, char *why, size_t why_size)
{
    if (start_one(b, roots, ARRAY_SIZE(roots)))
        imsic_cpu_setup(cpu_at(0));
    if (!start_one(b, controllers, ARRAY_SIZE(controllers))) {
        fmt_snprintf(why, why_size, "the board has no interrupt controller that is known (PLIC, APLIC)");
        return -ENODEV;
    }
    start_console(b);
    start_one(b, others, ARRAY_SIZE(others));
    return 0;
}

void drivers_cpu_setup(struct cpu *c)
{
    imsic_cpu_setup(c);
    plic_cpu_setup(c);
}
