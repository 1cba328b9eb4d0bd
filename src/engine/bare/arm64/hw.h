/*
 * The arm64 hardware engine: a guest runs at EL1 and EL0 of this CPU. What its files offer each other.
 *
 * A vCPU's state is in its struct, or in the hardware of the CPU where it ran last (h->home): general
 * registers are in the struct at each exit, all others stay in hardware until another vCPU enters there, the
 * task moves (task_hooks.evict), or somebody pulls them. What is lent (lent.h) is saved then, too. Functions
 * marked [off] want interrupts off.
 */
#ifndef CV_ENGINE_BARE_ARM64_HW_H
#define CV_ENGINE_BARE_ARM64_HW_H

#include "engine/bare/arm64/lent.h"
#include "engine/bare/arm64/lr.h"
#include "engine/bare/arm64/vmid.h"
#include "guest/arm64/cpu.h"
#include "platform/bare/arch.h"
#include "platform/bare/boot/arm64/el2.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"
#include "platform/bare/sync/wait.h"

#define HW_LRS_MAX   16
#define HW_MMIO      8 /* power of two */
#define HW_SPILL     32
#define HW_EXIT_RING 16
#define HW_HISTOGRAM 64

/* Reasons that are counted: index of hw_vcpu.exits. */
enum hw_reason {
    HW_IRQ,
    HW_WFI,
    HW_WFE,
    HW_HVC,
    HW_SMC,
    HW_SYSREG,
    HW_MMIO_READ,
    HW_MMIO_WRITE,
    HW_MMIO_DECODED,
    HW_STAGE2,
    HW_FP,
    HW_SERROR,
    HW_UNDEFINED,
    HW_OTHER,
    HW_REASONS
};
extern const char *const hw_reason_names[HW_REASONS];

/* How entry is switched on this CPU: one of two sets of functions (world.c). */
struct gic;

struct hw_cpu {
    struct cpu *cpu;
    struct hw_vcpu *loaded; /* whose registers are in this CPU */
    struct hw_vcpu *fp;     /* whose FP registers were here last; only compared */
    struct hw_vcpu *running;
    bool ready, vhe;
    uint8_t open;  /* LENT_*: what the loaded one has */
    uint64_t mdcr; /* MDCR_EL2, but for what is lent */
    struct vmid_cpu vmid;
    unsigned lrs, preemption_bits;
    uint32_t lrs_written; /* mask of those that are not zero, whoever's they are */
    struct gic *gic;
};

struct hw_vm {
    uint64_t *root;        /* stage 2 */
    _Atomic uint64_t vmid; /* generation << 16 | number; vmid.h's lock to change */
    struct plat_lock lock; /* tables */
    struct hw_page *pages; /* all of its tables */
    unsigned gib;          /* pages of 1 GiB */
    bool flat_clean;
    _Atomic bool clean_wanted;
    int last_vcpu[CPU_MAX]; /* id + 1 of the vCPU of this VM that each CPU ran last */
};

struct hw_exit {
    uint64_t time, pc, esr, info;
};

struct hw_vcpu {
    struct arm64_vcpu *a;
    struct cpu *_Atomic inside; /* the CPU whose guest it is, or is about to be */
    struct cpu *home;           /* its registers are in this CPU's hardware; NULL: in the struct */
    struct cpu *fp_home;        /* where its FP registers were last, and are those of the struct since */
    uint8_t wanted;             /* LENT_*: loaded with the rest */
    struct plat_task *task;     /* that last ran it */
    uint64_t spsr;              /* at the exit, while packed */
    bool packed_interface;
    bool packed; /* PSTATE, stack pointers and the interrupt interface in the struct are those of hw_unpack()
                  */
    uint64_t hcr;
    uint64_t midr, mpidr;
    uint64_t afsr0, afsr1, amair, fpsr;
    uint64_t clock_offset, cntvoff;
    uint64_t esr, far, hpfar, started;  /* of the exit in hand */
    const _Atomic uint64_t *timer_next; /* timer_next() of it */
    struct ktimer timer;                /* the earliest of the core's timers of this vCPU */
    uint64_t timer_for;                 /* that it is set to, virtual ns */
    struct waitq sleep;                 /* WFI */
    _Atomic bool asleep;
    struct ktimer alarm; /* the guest's timer while it sleeps and another has the hardware */
    uint32_t ring_at;
    struct hw_exit ring[HW_EXIT_RING];
    struct hw_mmio { /* devices it met last, by page */
        uint64_t page;
        const struct mem_region *region;
    } mmio[HW_MMIO];
    enum hw_reason reason; /* of the exit in hand */

    /* vgic.c */
    struct hw_vgic {
        uint8_t version; /* of the interface in hardware, 0: by software */
        bool started;
        union { /* none of them: the guest may go on as it is */
            struct {
                bool stale;        /* the distributor has news */
                bool dead;         /* the registers do not have the truth: put[] and now[] have */
                bool changed;      /* put[] and hcr have to be written */
                bool vtimer_fired; /* the host's interrupt of the virtual timer was taken */
                bool vtimer_waits; /* its line is up, and it has no list register */
            };
            uint64_t attention;
        };
        bool vtimer_up;   /* its line, as the distributor was told */
        bool vtimer_told; /* the distributor thinks that it is active */
        bool recheck;     /* active ones may have been made inactive by the distributor's registers */
        bool pmu_held;    /* the host's interrupt of the PMU is active for this vCPU, on its home */
        bool vtimer_held; /* the host's interrupt is active for this vCPU, on its home */
        uint32_t used;    /* mask of list registers */
        uint64_t put[HW_LRS_MAX], now[HW_LRS_MAX];
        uint64_t top[HW_LRS_MAX]; /* what stands there, as the distributor listed it */
        uint32_t hcr;
        uint64_t vmcr;
        struct lr_active ap;
        uint16_t spill[HW_SPILL]; /* active ones without a list register, the most urgent last */
        uint32_t spilled, eoi_count;
    } vgic;

    uint32_t histogram[HW_REASONS][HW_HISTOGRAM]; /* by 63 - log2 of ticks */
};

static inline struct hw_vcpu *hw_of(struct vcpu *v)
{
    return v->engine;
}

static inline struct hw_vm *hw_vm_of(struct vm *vm)
{
    return vm->engine_vm;
}

static inline struct hw_cpu *hw_here(void)
{
    return arch_cpu()->engine;
}

/* ---- world.S, world.c ---- */

/* Enters the guest whose registers are loaded; comes back when hw_exit() says so. [off] */
void world_enter(void);
uint64_t hw_hcr(bool pauth);
/* This vCPU's registers into this CPU, what was there before to its struct. [off] */
void hw_load(struct hw_cpu *hc, struct hw_vcpu *h);
/* The same where they are not here already; it may have been elsewhere while interrupts were on. [off] */
static inline void hw_here_with(struct hw_vcpu *h);
/* Its registers from this CPU to the struct. [off] */
void hw_unload(struct hw_vcpu *h);
/* What was unloaded, in the forms that guest/arm64 reads. */
void hw_unpack(struct hw_vcpu *h);
/* From any task: its registers to the struct, wherever they are; forget: what is in hardware is void. */
void hw_pull(struct hw_vcpu *h);
void hw_forget(struct hw_vcpu *h);
/* The EL that the exit came from, by its SPSR. */
static inline unsigned hw_el(const struct hw_vcpu *h)
{
    return (unsigned)(h->spsr >> 2 & 3);
}
/* The virtual timer's registers where they are now. [off] */
void hw_vtimer_get(struct hw_vcpu *h);

static inline void hw_here_with(struct hw_vcpu *h)
{
    struct hw_cpu *hc = hw_here();

    if (hc->loaded != h || h->home != hc->cpu)
        hw_load(hc, h);
}

/* ---- stage2.c ---- */

int stage2_init(struct vm *vm);
void stage2_fini(struct vm *vm);
/* Maps what stands at gpa as large as possible: 0, or 1: nothing that can be mapped for this. -ENOMEM. */
int stage2_map(struct vm *vm, gpa_t gpa, bool write);
void stage2_map_device(struct vm *vm, gpa_t gpa, uint64_t pa, uint64_t size);
void stage2_unmap_all(struct vm *vm);
uint64_t stage2_vtcr(void);
/* VTTBR_EL2 of this VM for this CPU, with a VMID of the present generation. [off] */
uint64_t stage2_vttbr(struct hw_cpu *hc, struct vm *vm);

/* ---- entry.c ---- */

/* Everything that has to be before the guest runs; false: leave the engine. [off] */
bool hw_prepare(struct hw_vcpu *h);

/* ---- exit.c ---- */

/* From world.S, interrupts off. */
enum hw_way {
    HW_BACK,     /* into the guest; x20..x27 were not written */
    HW_BACK_ALL, /* into the guest */
    HW_LEAVE     /* world_enter() returns */
};
unsigned hw_exit_sync(void);
unsigned hw_exit_irq(void);
unsigned hw_exit_serror(void);
/* The guest's own exceptions, with its registers in the struct afterwards. */
void hw_undefined(struct hw_vcpu *h);
void hw_abort(struct hw_vcpu *h, gva_t va, enum access access);

/* While it sleeps: its timer's interrupt, or in its place an alarm, will come. [off] */
static inline bool hw_sleep_ready(const struct hw_vcpu *h)
{
    return h->home || h->alarm.queue || (h->a->cntv_ctl_el0 & 3) != 1;
}
/* Ends its sleep. Any context. */
void hw_wake(struct hw_vcpu *h);

/* ---- mmio.c ---- */

/* A data abort on what is no memory. False: nobody answers, and the guest got its abort. */
void hw_mmio(struct hw_vcpu *h, gpa_t gpa);
/* The device of this page, if it was met before; NULL. */
static inline const struct mem_region *hw_mmio_known(const struct hw_vcpu *h, uint64_t page)
{
    const struct hw_mmio *m = &h->mmio[(page ^ page >> 4) & (HW_MMIO - 1)];

    return LIKELY(m->page == page) ? m->region : NULL;
}

/* ---- vgic.c ---- */

void vgic_cpu_init(struct hw_cpu *hc);
/* Before a vCPU's first entry; after its reset. */
void vgic_start(struct hw_vcpu *h);
void vgic_reset(struct hw_vcpu *h);
void vgic_load(struct hw_cpu *hc, struct hw_vcpu *h);
/* The list registers stay on until the next is loaded, or vgic_off(). */
void vgic_unload(struct hw_cpu *hc, struct hw_vcpu *h);
void vgic_off(const struct hw_vcpu *h);
/* Without looking at what they hold. */
void vgic_drop(struct hw_vcpu *h);
/* No news for the guest: vgic_sync() is not needed. [off] */
bool vgic_quiet(struct hw_vcpu *h);
/* The same after the virtual timer's interrupt, which it puts into its list register; false: vgic_sync().
 * [off] */
bool vgic_tick(struct hw_vcpu *h);
/* The virtual timer ends a halt. [off] */
bool vgic_vtimer_waits(struct hw_vcpu *h);
/* What the guest did goes to the distributor, and its news to the list registers' image. Interrupts may be
 * on. */
void vgic_sync(struct hw_vcpu *h);
/* The image into the registers. [off] */
void vgic_enter(struct hw_vcpu *h);
/* The interface's state to the struct: from hardware; from where unloading left it. */
void vgic_neutral(struct hw_vcpu *h);
void vgic_unpack(struct hw_vcpu *h);
/*
 * Registers of the distributor that show or change what list registers have: set and clear, pending and
 * active, of SPIs or in a redistributor (IHI 0069, 12.9, 12.11). They are at these offsets of a page.
 */
static inline bool vgic_is_state(const struct hw_vcpu *h, const struct mem_region *r, gpa_t gpa)
{
    return UNLIKELY((gpa & 0xe00) == 0x200) && h->vgic.version && r->dev == h->a->v.dist->dev;
}
/* An access to them. Interrupts on. */
bool vgic_access(struct hw_vcpu *h, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                 uint64_t *value);
/* Handler of the virtual timer's interrupt. */
void vgic_vtimer(void *arg);
/* Of the list registers' own interrupt. */
void vgic_maintenance(void *arg);
/* Of the PMU's; it may come again. [off] */
void vgic_pmu(void *arg);
void vgic_pmu_release(struct hw_vcpu *h);

#endif
