/*
 * The CPU side of interrupt controllers, as devices call it, and the message-signalled interrupt files
 * (AIA IMSIC) as guest code calls them.
 */
#ifndef CV_CORE_IRQCHIP_H
#define CV_CORE_IRQCHIP_H

#include "lib/base.h"

struct vcpu;
struct vm;
struct msi_file;
struct dist;

/* Drives input `input` (the ISA's own number: RISC-V mip bit, Arm IRQ/FIQ) of a vCPU; any task. */
void irqchip_cpu_input(struct vcpu *v, unsigned input, bool level);

/* One interrupt file of one vCPU at one privilege level; called from the vCPU's own task. */
struct msi_file_ops {
    /* Indirect registers by select number (AIA 1.0, 3.8); false: no such register. */
    bool (*read)(struct msi_file *f, uint64_t select, uint64_t *value);
    bool (*write)(struct msi_file *f, uint64_t select, uint64_t value, uint64_t mask, uint64_t *old);
    /* mtopei/stopei: identity << 16 | identity or 0; claim clears the pending bit. */
    uint64_t (*top)(struct msi_file *f, bool claim);
};

struct msi_file {
    const struct msi_file_ops *ops;
};

/*
 * The distributor behind vCPUs, as their guest code calls it from the vCPU's own task: v->dist, NULL
 * without. Private inputs are the ISA's own numbers (Arm: PPI 0..15). The rest is for a CPU interface in
 * system registers (GICv3) and NULL where the distributor drives the CPU's inputs itself (GICv2).
 */
struct dist_ops {
    void (*private_input)(struct dist *d, struct vcpu *v, unsigned input, bool level);
    /*
     * The pending interrupt of highest priority that distributor and group enables let pass to this vCPU:
     * DIST_TOP(), or DIST_NONE. No lock: a word that the device keeps; where that changes to another
     * interrupt the device requests VCPU_REQ_IRQ.
     */
    uint64_t (*top)(struct dist *d, struct vcpu *v);
    /* Pending becomes active (an LPI: nothing is left). False: it is not that vCPU's top any more. */
    bool (*activate)(struct dist *d, struct vcpu *v, uint64_t top);
    void (*deactivate)(struct dist *d, struct vcpu *v, unsigned id);
    /* Software-generated interrupt `id` of this group for the vCPUs in mask (bit = id of the vCPU). */
    void (*software)(struct dist *d, struct vcpu *v, unsigned id, unsigned group, uint64_t mask);
    /*
     * For a CPU interface that holds several interrupts at once (list registers), where `listed` is set.
     * list(): up to max pending and inactive ones that distributor and group enables let pass to this vCPU,
     * best first; how many there are in all. Each change of that requests VCPU_REQ_IRQ. An edge, an SGI or an
     * LPI that was listed is pending in the CPU interface from then on and here no more: the next one is
     * another.
     */
    unsigned (*list)(struct dist *d, struct vcpu *v, uint64_t *tops, unsigned max);
    /* One of the list was acknowledged, and active says whether it still is. */
    void (*taken)(struct dist *d, struct vcpu *v, uint64_t top, bool active);
    /*
     * A private interrupt as it would stand in the list if its input were high now; DIST_NONE where it is
     * disabled or active. No lock: for an input that comes and goes with each tick.
     */
    uint64_t (*peek)(struct dist *d, struct vcpu *v, unsigned id);
    /* One of the list was not, and is pending here again. */
    void (*returned)(struct dist *d, struct vcpu *v, uint64_t top);
    /* An interrupt that is no LPI is active; what taken() and deactivate() said, or the guest wrote. */
    bool (*is_active)(struct dist *d, struct vcpu *v, unsigned id);
};

struct dist {
    const struct dist_ops *ops;
    struct device *dev; /* whose registers they are */
    bool listed;        /* set by an engine before the guest runs */
    gpa_t cpu_base;     /* window of a memory-mapped CPU interface; 0: none */
};

#define DIST_TOP(id, priority, group) ((uint64_t)(id) | (uint64_t)(priority) << 32 | (uint64_t)(group) << 40)
#define DIST_TOP_ID(top)              ((unsigned)(top))
#define DIST_TOP_PRIORITY(top)        ((unsigned)((top) >> 32 & 0xff))
#define DIST_TOP_GROUP(top)           ((unsigned)((top) >> 40 & 1))
#define DIST_NONE                     UINT64_MAX
/* In a list: sender of a GICv2's SGI; a level that ends by itself. */
#define DIST_SOURCE(cpu)     ((uint64_t)(cpu) << 44)
#define DIST_TOP_SOURCE(top) ((unsigned)((top) >> 44 & 7))
#define DIST_LEVEL           (UINT64_C(1) << 47)
#define DIST_LATCHED         (UINT64_C(1) << 48) /* it was pending by more than its level */

/* Sends an MSI: a 32-bit write on the bus. */
void msi_send(struct vm *vm, uint64_t address, uint32_t data);
/* The same from a device that has a number (PCI: bus, device, function), for controllers that tell by it. */
void msi_send_from(struct vm *vm, uint32_t source, uint64_t address, uint32_t data);

#endif
