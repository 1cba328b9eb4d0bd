/* GICv2 of the board (IHI 0048B): distributor, CPU interface, and where the virtual one is. */
#include "lib/err.h"
#include "lib/fmt.h"
#include "platform/bare/drivers/gic.h"

enum { GICC_CTLR = 0x0, GICC_PMR = 0x4, GICC_BPR = 0x8, GICC_IAR = 0xc, GICC_EOIR = 0x10, GICC_DIR = 0x1000 };
enum { CTLR_ENABLE = 1, CTLR_EOIMODE = 0x200 };

static int window(const struct board *b, dtb_node n, unsigned i, uint8_t **p, uint64_t *pa)
{
    uint64_t size;
    int err = board_reg(b, n, i, pa, &size);

    if (err)
        return err;
    *p = arch_map_device(*pa, size);
    return *p ? 0 : -ENOMEM;
}

static int init(struct gic *g, const struct board *b, dtb_node n, char *why, size_t why_size)
{
    uint8_t *unused;
    uint64_t pa;

    fmt_snprintf(why, why_size, "the GICv2's registers could not be found in the device tree");
    if (window(b, n, 0, &g->dist, &pa) || window(b, n, 1, &g->cpu, &pa))
        return -EINVAL;
    if (window(b, n, 2, &g->hyp, &pa) || window(b, n, 3, &unused, &g->vcpu_pa)) {
        fmt_snprintf(why, why_size, "the GICv2 has no virtual CPU interface in the device tree");
        return -EINVAL;
    }
    gic_dist_reset(g);
    gic_w32(g->dist, GICD_CTLR, 1);
    return 0;
}

/* The bit by which the distributor knows this CPU stands in its own targets of private interrupts (4.3.12).
 */
static uint8_t own_target(const struct gic *g)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 32 && !v; i += 4)
        v = gic_r32(g->dist, GICD_ITARGETSR + i);
    v |= v >> 16;
    v |= v >> 8;
    return v & 0xff ? (uint8_t)v : 1;
}

static void cpu_init(struct gic *g, struct cpu *c)
{
    g->target[c->id] = own_target(g);
    gic_w32(g->dist, GICD_ICENABLER, 0xffff0000);
    gic_private_reset(g, g->dist);
    gic_w32(g->cpu, GICC_PMR, 0xf0);
    gic_w32(g->cpu, GICC_BPR, 0);
    gic_w32(g->cpu, GICC_CTLR, CTLR_ENABLE | CTLR_EOIMODE);
    if (!c->id) {
        for (unsigned i = 32; i < g->lines; i += 4)
            gic_w32(g->dist, GICD_ITARGETSR + i, g->target[0] * UINT32_C(0x01010101));
    }
}

static uint32_t ack(struct gic *g)
{
    return gic_r32(g->cpu, GICC_IAR);
}

/* An SGI ends with the number of its sender, as it was acknowledged. */
static void drop(struct gic *g, uint32_t value)
{
    gic_w32(g->cpu, GICC_EOIR, value);
}

static void deactivate(struct gic *g, uint32_t value)
{
    gic_w32(g->cpu, GICC_DIR, value);
}

static void ipi(struct gic *g, struct cpu *to)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    gic_w32(g->dist, GICD_SGIR, (uint32_t)g->target[to->id] << 16 | GIC_SGI_IPI);
}

static uint8_t *private_frame(struct gic *g)
{
    return g->dist;
}

const struct gic_driver gicv2_driver = {.init = init,
                                        .cpu_init = cpu_init,
                                        .ack = ack,
                                        .drop = drop,
                                        .deactivate = deactivate,
                                        .ipi = ipi,
                                        .private_frame = private_frame};
