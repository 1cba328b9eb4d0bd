/* GICv3 of the board (IHI 0069): distributor, redistributors, CPU interface in system registers. */
#include "lib/err.h"
#include "lib/fmt.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/drivers/gic.h"

#define icc_iar1                  S3_0_C12_C12_0
#define icc_eoir1                 S3_0_C12_C12_1
#define icc_dir                   S3_0_C12_C11_1
#define icc_bpr1                  S3_0_C12_C12_3
#define icc_ctlr                  S3_0_C12_C12_4
#define icc_igrpen1               S3_0_C12_C12_7
#define icc_pmr                   S3_0_C4_C6_0
#define icc_sgi1r                 S3_0_C12_C11_5
#define icc_sre_el2               S3_4_C12_C9_5
#define rd(name)                  sys_read_expand(name)
#define wr(name, v)               sys_write_expand(name, v)
#define sys_read_expand(name)     sys_read(name)
#define sys_write_expand(name, v) sys_write(name, v)

enum { GICR_TYPER = 0x8, GICR_WAKER = 0x14, GICR_SGI = 0x10000, GICR_STRIDE = 0x20000 };
enum { CTLR_GRP0 = 1, CTLR_GRP1 = 2, CTLR_ARE = 0x10, CTLR_RWP = 1u << 31 };
enum { WAKER_SLEEP = 2, WAKER_ASLEEP = 4 };
enum { ICC_EOIMODE = 2, ICC_SRE_ALL = 0xf };

static uint64_t r64(const uint8_t *base, unsigned offset)
{
    return *(const volatile uint64_t *)(base + offset);
}

/* MPIDR's affinity as GICR_TYPER has it in its upper word. */
static uint64_t affinity_word(uint64_t hw_id)
{
    return (hw_id & 0xffffff) | (hw_id >> 32 & 0xff) << 24;
}

/* GICR_TYPER: bit 1 VLPIs, which double the stride; bit 4 the last of its region. NULL: not in this one. */
static uint8_t *find_in(const struct gic_region *r, uint64_t word)
{
    for (uint64_t at = 0; at + GICR_STRIDE <= r->size;) {
        uint64_t typer = r64(r->base + at, GICR_TYPER);

        if (typer >> 32 == word)
            return r->base + at;
        if (typer & BIT(4))
            return NULL;
        at += typer & BIT(1) ? 2 * GICR_STRIDE : GICR_STRIDE;
    }
    return NULL;
}

static uint8_t *redist_of(const struct gic *g, const struct cpu *c)
{
    uint8_t *p = NULL;

    for (unsigned i = 0; !p && i < g->region_count; i++)
        p = find_in(&g->region[i], affinity_word(c->hw_id));
    return p;
}

static int init(struct gic *g, const struct board *b, dtb_node n, char *why, size_t why_size)
{
    const uint8_t *regions;
    uint64_t pa, size;
    uint32_t cells;

    fmt_snprintf(why, why_size, "the GICv3's registers could not be found in the device tree");
    if (board_reg(b, n, 0, &pa, &size))
        return -EINVAL;
    g->dist = arch_map_device(pa, size);
    if (!g->dist)
        return -ENOMEM;
    regions = dtb_prop(&b->dtb, n, "#redistributor-regions", &cells);
    g->region_count = regions && cells == 4 && regions[3] <= GIC_REGIONS ? regions[3] : 1;
    for (unsigned i = 0; i < g->region_count; i++) {
        if (board_reg(b, n, 1 + i, &pa, &size))
            return -EINVAL;
        g->region[i] = (struct gic_region){arch_map_device(pa, size), size};
        if (!g->region[i].base)
            return -ENOMEM;
    }
    gic_dist_reset(g);
    while (gic_r32(g->dist, GICD_CTLR) & CTLR_RWP)
        ;
    gic_w32(g->dist, GICD_CTLR, CTLR_ARE | CTLR_GRP1 | CTLR_GRP0);
    for (unsigned i = 32; i < g->lines; i++)
        *(volatile uint64_t *)(g->dist + GICD_IROUTER + 8 * i) = cpu_at(0)->hw_id;
    return 0;
}

static void cpu_init(struct gic *g, struct cpu *c)
{
    uint8_t *rd = redist_of(g, c), *sgi = rd + GICR_SGI;

    BUG_ON(!rd);
    g->redist[c->id] = rd;
    gic_w32(rd, GICR_WAKER, gic_r32(rd, GICR_WAKER) & ~(uint32_t)WAKER_SLEEP);
    while (gic_r32(rd, GICR_WAKER) & WAKER_ASLEEP)
        ;
    gic_w32(sgi, GICD_IGROUPR, UINT32_MAX);
    gic_w32(sgi, GICD_ICENABLER, UINT32_MAX);
    gic_private_reset(g, sgi);
    wr(icc_sre_el2, ICC_SRE_ALL);
    isb();
    wr(icc_pmr, 0xf0);
    wr(icc_bpr1, 0);
    wr(icc_ctlr, ICC_EOIMODE);
    wr(icc_igrpen1, 1);
    isb();
}

static uint32_t ack(struct gic *g)
{
    (void)g;
    return (uint32_t)rd(icc_iar1);
}

static void drop(struct gic *g, uint32_t value)
{
    (void)g;
    wr(icc_eoir1, value);
}

static void deactivate(struct gic *g, uint32_t value)
{
    (void)g;
    wr(icc_dir, value);
}

/* ICC_SGI1R_EL1 (12.2.20): Aff3 55:48, range 47:44, Aff2 39:32, number 27:24, Aff1 23:16, list 15:0. */
static void ipi(struct gic *g, struct cpu *to)
{
    uint64_t id = to->hw_id, aff0 = id & 0xff;

    (void)g;
    __asm__ volatile("dsb ishst" ::: "memory");
    wr(icc_sgi1r, (id >> 32 & 0xff) << 48 | aff0 >> 4 << 44 | (id >> 16 & 0xff) << 32 |
                      (uint64_t)GIC_SGI_IPI << 24 | (id >> 8 & 0xff) << 16 | BIT(aff0 & 15));
    isb();
}

static uint8_t *private_frame(struct gic *g)
{
    return g->redist[arch_cpu()->id] + GICR_SGI;
}

const struct gic_driver gicv3_driver = {.init = init,
                                        .cpu_init = cpu_init,
                                        .ack = ack,
                                        .drop = drop,
                                        .deactivate = deactivate,
                                        .ipi = ipi,
                                        .private_frame = private_frame};
