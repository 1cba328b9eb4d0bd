/* What the files of the GICv3 share: distributor (gicv3.c), redistributors and LPIs (gicv3_redist.c), ITS. */
#ifndef CV_DEVICE_INTC_GICV3_PRIV_H
#define CV_DEVICE_INTC_GICV3_PRIV_H

#include <stdatomic.h>
#include "core/irqchip.h"
#include "core/vm.h"
#include "device/intc/gic_bank.h"
#include "device/intc/gicv3.h"

#define GICV3_BANKS    (1 + GICV3_SPIS / 32) /* bank 0 is each redistributor's own */
#define GICV3_INTIDS   (32 + GICV3_SPIS)
#define GICV3_ID_BITS  14 /* interrupt numbers: 8192 LPIs from 8192 */
#define GICV3_LPI_BASE 8192u
#define GICV3_LPIS     ((1u << GICV3_ID_BITS) - GICV3_LPI_BASE)

enum gicv3_ctlr { GICD_ENABLE_GRP0 = 1, GICD_ENABLE_GRP1 = 2, GICD_ARE = 0x10, GICD_DS = 0x40 };

/* LPIs of one redistributor; bit n is interrupt GICV3_LPI_BASE + n. */
struct gicv3_lpis {
    uint64_t pending[GICV3_LPIS / 64];
};

/* All fields: dev.lock, but for top. */
struct gicv3 {
    struct device dev;
    struct dist dist;
    struct device *its; /* NULL: none */
    struct gicv3_config config;
    unsigned cpus;

    uint32_t ctlr;
    struct gic_bank spi[GICV3_BANKS];           /* [0] unused */
    uint64_t route[GICV3_INTIDS];               /* GICD_IROUTER */
    uint32_t routed[VM_MAX_VCPUS][GICV3_BANKS]; /* the same, as masks of each vCPU */
    uint32_t busy;                              /* banks of SPIs where something may be pending */
    struct gic_bank private[VM_MAX_VCPUS];      /* SGIs and PPIs */
    uint32_t waker[VM_MAX_VCPUS];               /* ProcessorSleep */
    uint32_t redist_ctlr[VM_MAX_VCPUS];         /* EnableLPIs */
    uint64_t propbaser[VM_MAX_VCPUS], pendbaser[VM_MAX_VCPUS];
    _Atomic uint64_t top[VM_MAX_VCPUS]; /* see dist_ops.top */

    /* What the tables in memory say, as read at EnableLPIs and by the ITS's INV and INVALL. */
    uint8_t lpi_config[GICV3_LPIS];
    struct gicv3_lpis lpi[VM_MAX_VCPUS];
    uint32_t lpi_pending[VM_MAX_VCPUS]; /* how many bits are set */
};

/* Brings top up to date: of one vCPU; of all. */
void gicv3_update(struct gicv3 *g, unsigned cpu);
void gicv3_update_all(struct gicv3 *g);

uint64_t gicv3_redist_read(struct gicv3 *g, uint64_t offset, unsigned size);
void gicv3_redist_write(struct gicv3 *g, uint64_t offset, unsigned size, uint64_t value);
void gicv3_redist_reset(struct gicv3 *g);

/* LPIs by interrupt number; out of range: nothing happens. The caller updates. */
void gicv3_lpi_set(struct gicv3 *g, unsigned cpu, uint64_t intid, bool pending);
bool gicv3_lpi_get(const struct gicv3 *g, unsigned cpu, uint64_t intid);
/* Reads the configuration again, of one or of all. */
void gicv3_lpi_load(struct gicv3 *g, unsigned cpu, uint64_t intid);
void gicv3_lpi_load_all(struct gicv3 *g, unsigned cpu);
/* The best pending and enabled one, GIC_NONE: none better than *priority. */
unsigned gicv3_lpi_best(const struct gicv3 *g, unsigned cpu, unsigned *priority);

/* Adds all of them to a list (gic_bank.h). */
unsigned gicv3_lpi_list(const struct gicv3 *g, unsigned cpu, uint64_t *tops, unsigned max, unsigned count);

/* The ITS's node, within that of the GIC. */
void gicv3_its_describe(struct device *its, struct dtw *w);

#endif
