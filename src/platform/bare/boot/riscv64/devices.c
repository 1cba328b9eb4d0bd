/* The drivers for what riscv64 boards have, by "compatible". */
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
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

/* Whether one of the strings of a "compatible" is this one. */
static bool is_in(const char *list, uint32_t size, const char *what)
{
    size_t n = strlen(what);

    for (uint32_t at = 0; at + n < size; at += (uint32_t)strlen(list + at) + 1) {
        if (!memcmp(list + at, what, n + 1))
            return true;
    }
    return false;
}

/* The node's driver, or NULL. */
static const struct driver *find_driver(const struct board *b, dtb_node n, const struct driver *d,
                                        unsigned count)
{
    uint32_t size;
    const char *list = dtb_prop(&b->dtb, n, "compatible", &size);

    for (unsigned i = 0; list && size && !list[size - 1] && i < count; i++) {
        if (is_in(list, size, d[i].compatible))
            return &d[i];
    }
    return NULL;
}

/* The first node whose driver works; false when there is none. */
static bool start_one(const struct board *b, const struct driver *d, unsigned count)
{
    for (dtb_node n = dtb_root(&b->dtb); n != DTB_NONE; n = dtb_next(&b->dtb, n)) {
        const struct driver *found = find_driver(b, n, d, count);

        if (found && !found->init(b, n))
            return true;
    }
    return false;
}

/* What the tree names for output, else the first that fits; the firmware's console stays where there is none.
 */
static void start_console(const struct board *b)
{
    const struct driver *d =
        b->stdout_node == DTB_NONE ? NULL : find_driver(b, b->stdout_node, consoles, ARRAY_SIZE(consoles));

    if (!d || d->init(b, b->stdout_node))
        start_one(b, consoles, ARRAY_SIZE(consoles));
}

int drivers_setup(const struct board *b, char *why, size_t why_size)
{
    if (start_one(b, roots, ARRAY_SIZE(roots)))
        imsic_cpu_setup(cpu_at(0));
    if (!start_one(b, controllers, ARRAY_SIZE(controllers))) {
        fmt_snprintf(why, why_size,
                     "the board has no interrupt controller that is known (PLIC, or APLIC with IMSIC)");
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
