/* Why the guest came out: what is done here and now, and what goes to the core's loop. */
#include "core/bus.h"
#include "engine/bare/arm64/hw.h"
#include "guest/arm64/sysreg.h"
#include "isa/arm64/psci.h"
#include "lib/err.h"
#include "platform/bare/drivers/gic.h"

enum {
    EC_WFX = 1,
    EC_FP = 7,
    EC_PAUTH = 9,
    EC_ILLEGAL = 0xe,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_INSN_ABORT = 0x20,
    EC_DATA_ABORT = 0x24
};

const char *const hw_reason_names[HW_REASONS] = {
    "irq",        "wfi",          "wfe",    "hvc", "smc",    "sysreg",    "mmio-read",
    "mmio-write", "mmio-decoded", "stage2", "fp",  "serror", "undefined", "other"};

/* ---- the guest's own exceptions ---- */

/* The struct is what guest/arm64 changes; the registers go back at the next entry. */
static void to_struct(struct hw_vcpu *h)
{
    bool on = arch_irq_save();

    hw_unload(h);
    arch_irq_restore(on);
    hw_unpack(h);
}

void hw_undefined(struct hw_vcpu *h)
{
    h->reason = HW_UNDEFINED;
    to_struct(h);
    arm64_undefined(h->a);
}

void hw_abort(struct hw_vcpu *h, gva_t va, enum access access)
{
    to_struct(h);
    h->a->v.vm->guest->raise_bus(&h->a->v, va, access);
}

/* ---- system registers ---- */

static unsigned sysreg_code(uint64_t esr)
{
    return A64_SYSREG_CODE((unsigned)(esr >> 20 & 3), (unsigned)(esr >> 14 & 7), (unsigned)(esr >> 10 & 15),
                           (unsigned)(esr >> 1 & 15), (unsigned)(esr >> 17 & 7));
}

static uint32_t sysreg_insn(uint64_t esr)
{
    return 0xd5000000 | (uint32_t)(esr & 1) << 21 | sysreg_code(esr) << 5 | (esr >> 5 & 31);
}

static bool is_gic(unsigned code)
{
    return a64_sysreg_op0(code) == 3 && (a64_sysreg_crn(code) == 12 || a64_sysreg_crn(code) == 4) &&
           a64_sysreg_op1(code) == 0 &&
           (a64_sysreg_crm(code) >= 8 || (a64_sysreg_crn(code) == 4 && a64_sysreg_crm(code) == 6));
}

/*
 * The host's ID registers bound what the guest's model has: a field is the lesser of both. Fields that count
 * from -1 (0xf: absent) are signed (D19.1.3): FP and AdvSIMD.
 */
static uint64_t id_min(uint64_t model, uint64_t host, uint64_t is_signed)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 64; i += 4) {
        uint64_t m = model >> i & 0xf, o = host >> i & 0xf;

        if (is_signed >> i & 1)
            v |= (bits_sext(m, 4) < bits_sext(o, 4) ? m : o) << i;
        else
            v |= MIN(m, o) << i;
    }
    return v;
}

/* APA, API, GPA, GPI as the host has them, where the model may have pointer authentication at all. */
#define ISAR1_PAUTH UINT64_C(0xff000ff0)

static uint64_t id_value(struct hw_vcpu *h, unsigned code, uint64_t model)
{
    uint64_t v;

    switch (code) {
    case A64_SYSREG_id_aa64pfr0_el1:
        v = id_min(model, sys_read(id_aa64pfr0_el1), 0x110000);
        return (v & ~(UINT64_C(0xf) << 24)) | (model & UINT64_C(0xf) << 24);
    case A64_SYSREG_id_aa64pfr1_el1:
        return id_min(model, sys_read(id_aa64pfr1_el1), 0);
    case A64_SYSREG_id_aa64dfr0_el1:
        return lent_dfr0(model);
    case A64_SYSREG_id_aa64isar0_el1:
        return id_min(model, sys_read(id_aa64isar0_el1), 0);
    case A64_SYSREG_id_aa64isar1_el1:
        v = id_min(model, sys_read(id_aa64isar1_el1), 0) & ~ISAR1_PAUTH;
        return v | (h->hcr >> 40 & 1 ? sys_read(id_aa64isar1_el1) & ISAR1_PAUTH : 0);
    case A64_SYSREG_id_aa64mmfr0_el1:
        /* Granules: TGran4 and TGran64 are 0 where they are there, 0xf where not. */
        v = id_min(model, sys_read(id_aa64mmfr0_el1), 0x11000000);
        return v;
    case A64_SYSREG_id_aa64mmfr1_el1:
        return id_min(model, sys_read(id_aa64mmfr1_el1), 0);
    case A64_SYSREG_id_aa64mmfr2_el1:
        return id_min(model, sys_read(id_aa64mmfr2_el1), 0);
    default:
        return model;
    }
}

/*
 * Those whose handlers touch nothing that stands in hardware: identification, the GIC's CPU interface, the
 * physical timer; from EL1, where they cannot fail. True: done.
 */
static bool light(struct hw_vcpu *h, unsigned code, bool read, unsigned rt)
{
    struct arm64_vcpu *a = h->a;
    struct arm64_sys_info info;
    uint64_t value = rt == 31 ? 0 : a->x[rt];
    bool id = a64_sysreg_is_id(code), timer = a64_sysreg_crn(code) == 14 && a64_sysreg_op1(code) == 3;

    if (hw_el(h) != 1 || !(id || timer || (is_gic(code) && a->v.dist && a->v.dist->ops->top)) ||
        !arm64_sys_lookup(1 | ARM64_MODE_SPSEL, code, !read, &info))
        return false;
    a->el = 1;
    if (read) {
        if (!arm64_sys_read(a, info.row, 0, &value))
            return false;
        if (id)
            value = id_value(h, code, value);
        if (rt != 31)
            a->x[rt] = value;
    } else if (!arm64_sys_write(a, info.row, 0, value)) {
        return false;
    }
    a->changed = 0; /* the interrupt state is looked at before the guest runs, in any case */
    a->v.pc += 4;
    return true;
}

/* The hardware's registers, if they are; the guest does it again then. False: they are not what it lacks. */
static bool lent(struct hw_vcpu *h, unsigned code)
{
    unsigned kind = lent_kind(code);
    bool on;

    if (LIKELY(!kind) || (kind == LENT_PMU && !arm64_has(h->a, ARM64F_PMU)))
        return false;
    on = arch_irq_save();
    hw_here_with(h);
    if (hw_here()->open & kind)
        kind = 0;
    else
        lent_take(hw_here(), h, kind);
    arch_irq_restore(on);
    if (!kind)
        hw_undefined(h); /* one that it does not have */
    return true;
}

static void sysreg(struct hw_vcpu *h)
{
    struct arm64_vcpu *a = h->a;
    unsigned code = sysreg_code(h->esr), rt = h->esr >> 5 & 31;
    bool read = h->esr & 1;
    struct arm64_sys_info info;
    uint64_t value = rt == 31 ? 0 : a->x[rt];

    h->reason = HW_SYSREG;
    if (light(h, code, read, rt) || lent(h, code))
        return;
    to_struct(h);
    if (!arm64_sys_lookup(a->v.mode, code, !read, &info)) {
        arm64_undefined(a);
        return;
    }
    if (read ? !arm64_sys_read(a, info.row, sysreg_insn(h->esr), &value)
             : !arm64_sys_write(a, info.row, sysreg_insn(h->esr), value))
        return; /* it has taken its exception */
    if (read && rt != 31)
        a->x[rt] = value;
    a->v.pc += 4;
    arm64_settle(a);
}

/* ---- calls ---- */

/* PSCI functions that look at nothing but their arguments, and answer at once. */
static bool answers_at_once(uint64_t function)
{
    switch ((uint32_t)function) {
    case PSCI_VERSION:
    case PSCI_FEATURES:
    case PSCI_AFFINITY_INFO_64:
    case SMCCC_VERSION:
    case SMCCC_ARCH_FEATURES:
    case SMCCC_ARCH_WORKAROUND_1:
    case SMCCC_ARCH_WORKAROUND_2:
    case SMCCC_ARCH_WORKAROUND_3:
        return true;
    default:
        return false;
    }
}

/* HVC's return address is behind it, SMC's is not (D1.3.2). */
static bool hypercall(struct hw_vcpu *h, bool smc)
{
    struct vcpu *v = &h->a->v;

    h->reason = smc ? HW_SMC : HW_HVC;
    v->pc += smc ? 4 : 0;
    if (LIKELY(answers_at_once(h->a->x[0]))) {
        v->exits[EXIT_HYPERCALL]++;
        arm64_psci_call(h->a);
        return true;
    }
    if ((uint32_t)h->a->x[0] == PSCI_CPU_SUSPEND_32 || (uint32_t)h->a->x[0] == PSCI_CPU_SUSPEND_64)
        to_struct(h);
    v->exit.kind = EXIT_HYPERCALL;
    return false;
}

/* ---- waiting ---- */

void hw_wake(struct hw_vcpu *h)
{
    bool on = spin_lock_irq(&h->sleep.lock);

    waitq_wake(&h->sleep);
    spin_unlock_irq(&h->sleep.lock, on);
}

/* An interrupt that ends the halt; the distributor's word is enough to look closer. Interrupts off. */
static bool wakes(struct hw_vcpu *h)
{
    struct vcpu *v = &h->a->v;

    if (h->home == arch_cpu() && vgic_vtimer_waits(h))
        return true;
    if (!h->vgic.version || !v->dist->ops->top)
        return arm64_irq_wakeup(v);
    return v->dist->ops->top(v->dist, v) != DIST_NONE;
}

/*
 * The task sleeps here, its registers stay in the hardware until another vCPU wants that. Who sets a request
 * afterwards kicks, and a kick wakes; so does the virtual timer's interrupt.
 */
static void sleep_until_wake(struct hw_vcpu *h)
{
    struct vcpu *v = &h->a->v;
    bool on = arch_irq_save();

    hw_here_with(h);
    spin_lock(&h->sleep.lock);
    atomic_store(&h->asleep, true);
    for (;;) {
        uint32_t r = atomic_load(&v->request);

        if (r & ~(uint32_t)VCPU_REQ_IRQ)
            break;
        if (r) {
            atomic_fetch_and(&v->request, ~(uint32_t)VCPU_REQ_IRQ);
            h->vgic.stale = true;
        }
        if (wakes(h) || !hw_sleep_ready(h))
            break;
        waitq_sleep(&h->sleep, UINT64_MAX);
    }
    atomic_store(&h->asleep, false);
    spin_unlock(&h->sleep.lock);
    arch_irq_restore(on);
}

static void wait_for_interrupt(struct hw_vcpu *h)
{
    h->a->v.pc += 4;
    if (h->esr & 1) { /* WFE, of one that was preempted: who spins gives way, until nobody wants the CPU */
        h->reason = HW_WFE;
        if (!task_yield()) {
            h->hcr &= ~(uint64_t)HCR_TWE;
            h->vgic.changed = true; /* hw_prepare() writes it */
        }
        return;
    }
    h->reason = HW_WFI;
    if (!h->vgic.version || h->vgic.used & ~1u)
        vgic_sync(h);
    if (!h->vgic.version || h->vgic.used & ~1u)
        vgic_neutral(h);
    sleep_until_wake(h);
}

/* ---- aborts ---- */

static void stage2_fault(struct hw_vcpu *h, bool fetch)
{
    /* HPFAR_EL2 bits 39:4 are IPA 47:12 (D19.2.49). */
    gpa_t gpa = (h->hpfar >> 4 << 12 & UINT64_C(0x0000fffffffff000)) | (h->far & 0xfff);
    bool write = !fetch && h->esr >> 6 & 1 && !(h->esr >> 8 & 1), walk = h->esr >> 7 & 1;
    int err = 1;

    if (fetch || walk || !hw_mmio_known(h, gpa >> MEM_PAGE_BITS))
        err = stage2_map(h->a->v.vm, gpa, write && !walk);
    if (!err) {
        h->reason = HW_STAGE2;
    } else if (err < 0) {
        h->a->v.exit =
            (struct exit){.kind = EXIT_FATAL, .fatal = "no memory for the guest's translation tables"};
    } else if (fetch || walk) {
        hw_abort(h, h->far, fetch ? ACCESS_FETCH : write ? ACCESS_WRITE : ACCESS_READ);
    } else {
        h->reason = write ? HW_MMIO_WRITE : HW_MMIO_READ;
        hw_mmio(h, gpa);
    }
}

/* ---- dispatch ---- */

/* True: the guest goes on. Interrupts are on but for what wants them off. */
static bool handle_sync(struct hw_vcpu *h)
{
    switch (h->esr >> 26 & 0x3f) {
    case EC_HVC:
        return hypercall(h, false);
    case EC_SMC:
        return hypercall(h, true);
    case EC_DATA_ABORT:
        stage2_fault(h, false);
        return h->a->v.exit.kind == EXIT_NONE;
    case EC_INSN_ABORT:
        stage2_fault(h, true);
        return h->a->v.exit.kind == EXIT_NONE;
    case EC_SYSREG:
        sysreg(h);
        return h->a->v.exit.kind == EXIT_NONE;
    case EC_WFX:
        wait_for_interrupt(h);
        return true;
    default:
        hw_undefined(h); /* SVE, SME, pointer authentication where it is hidden, and what else is not given */
        return true;
    }
}

/* Where it came out, and when. */
static inline void came_out(struct hw_vcpu *h)
{
    h->started = sys_read(cntpct_el0);
    h->a->v.pc = sys_read(elr_el2);
    h->spsr = sys_read(spsr_el2);
}

static inline void trace(struct hw_vcpu *h, uint64_t esr)
{
    struct hw_exit *e = &h->ring[h->ring_at++ % HW_EXIT_RING];

    e->esr = esr;
    e->time = h->started;
    e->pc = h->a->v.pc;
}

/* Ticks of the counter that the exit took are counted by the zeros in front of them. */
static inline unsigned back(struct hw_vcpu *h, enum hw_way way)
{
    uint64_t ticks = sys_read(cntpct_el0) - h->started;

    h->histogram[h->reason][__builtin_clzll(ticks | 1)]++;
    return way;
}

static __attribute__((noinline)) unsigned back_prepared(struct hw_vcpu *h)
{
    return back(h, hw_prepare(h) ? HW_BACK_ALL : HW_LEAVE);
}

/* Nothing has happened since the exit that the guest would have to see: it goes on where it is. */
static inline bool unchanged(const struct hw_vcpu *h)
{
    const struct cpu *c = arch_cpu();

    return !(atomic_load_explicit(&h->a->v.request, memory_order_relaxed) |
             atomic_load_explicit(&c->resched, memory_order_relaxed)) &&
           ((const struct hw_cpu *)c->engine)->loaded == h &&
           h->timer_for == atomic_load_explicit(h->timer_next, memory_order_relaxed) && !h->vgic.attention;
}

/* Its return address is in the registers still: interrupts were off all the way. */
static inline unsigned back_at_once(struct hw_vcpu *h, enum hw_way way)
{
    if (UNLIKELY(!unchanged(h)))
        return back_prepared(h);
    return back(h, way);
}

/* Others may have been on this CPU since, or this may be another. */
static inline unsigned back_again(struct hw_vcpu *h, enum hw_way way)
{
    if (UNLIKELY(!unchanged(h)))
        return back_prepared(h);
    sys_write(elr_el2, h->a->v.pc);
    sys_write(spsr_el2, h->spsr);
    return back(h, way);
}

/*
 * Each way out is a function of its own, jumped to: what one of them saves, the others do not pay.
 */
static __attribute__((noinline)) unsigned exit_slow(struct hw_vcpu *h)
{
    bool on;

    h->far = sys_read(far_el2);
    h->hpfar = sys_read(hpfar_el2);
    arch_irq_restore(true);
    on = handle_sync(h);
    arch_irq_save();
    return on ? back_again(h, HW_BACK_ALL) : back(h, HW_LEAVE);
}

static __attribute__((noinline)) unsigned exit_yield(struct hw_vcpu *h)
{
    h->reason = HW_HVC;
    h->a->v.exits[EXIT_HYPERCALL]++;
    h->a->x[0] = 0;
    atomic_store_explicit(&h->inside, NULL, memory_order_relaxed);
    sched_give_way();
    return back_prepared(h);
}

static __attribute__((noinline)) unsigned exit_hypercall(struct hw_vcpu *h)
{
    if ((uint32_t)h->a->x[0] == SMCCC_VENDOR_HYP_YIELD)
        return exit_yield(h);
    if (UNLIKELY(!answers_at_once(h->a->x[0])))
        return exit_slow(h);
    h->reason = HW_HVC;
    h->a->v.exits[EXIT_HYPERCALL]++;
    arm64_psci_call(h->a);
    return back_at_once(h, HW_BACK);
}

/* ISV, which says that it was no cache maintenance and no table walk (D19.2.37), and a translation fault. */
static inline bool tells_all(uint64_t esr)
{
    return esr >> 24 & 1 && (esr & 0x3c) == 4;
}

static inline uint64_t by_width(uint64_t esr, uint64_t value)
{
    unsigned shift = 64 - (8u << (esr >> 22 & 3));

    if (esr >> 21 & 1)
        value = (uint64_t)((int64_t)(value << shift) >> shift);
    else
        value = value << shift >> shift;
    return esr >> 15 & 1 ? value : (uint32_t)value;
}

/* With the device's lock; the syndrome is read anew, so that nothing of it is kept over calls. */
static inline void device_access(struct hw_vcpu *h, struct device *d, unsigned region, uint64_t offset)
{
    uint64_t esr = h->esr, value;
    unsigned rt = esr >> 16 & 31, size = 1u << (esr >> 22 & 3);

    if (esr >> 6 & 1) {
        value = rt == 31 ? 0 : h->a->x[rt];
        h->reason = HW_MMIO_WRITE;
        d->ops->write(d, region, offset, size, value << (64 - 8 * size) >> (64 - 8 * size));
        return;
    }
    h->reason = HW_MMIO_READ;
    value = d->ops->read(d, region, offset, size);
    if ((h->esr >> 16 & 31) != 31)
        h->a->x[h->esr >> 16 & 31] = by_width(h->esr, value);
}

/* An access to a device that was met before, with all that the syndrome can say. */
static __attribute__((noinline)) unsigned exit_device(struct hw_vcpu *h, uint64_t esr)
{
    uint64_t page = sys_read(hpfar_el2) >> 4, offset = sys_read(far_el2) & 0xfff;
    const struct mem_region *m = hw_mmio_known(h, page);
    struct device *d;

    if (UNLIKELY(!m || !tells_all(esr) || bus_is_watched(h->a->v.vm) || vgic_is_state(h, m, offset)))
        return exit_slow(h);
    offset += (page << 12) - m->base;
    if (UNLIKELY(offset + (1u << (esr >> 22 & 3)) > m->size))
        return exit_slow(h);
    d = m->dev;
    arch_irq_restore(true);
    plat_lock(&d->lock);
    device_access(h, d, m->dev_region, offset);
    plat_unlock(&d->lock);
    arch_irq_save();
    h->a->v.pc += 4;
    return back_again(h, h->reason == HW_MMIO_WRITE ? HW_BACK : HW_BACK_ALL);
}

/* A64_SYSREG_icc_sgi1r_el1 written, as ISS has it without Rt. */
#define ISS_SGI1R (UINT64_C(3) << 20 | UINT64_C(5) << 17 | UINT64_C(12) << 10 | UINT64_C(11) << 1)

/* An interrupt to other vCPUs, with a GICv3. */
static __attribute__((noinline)) unsigned exit_sysreg(struct hw_vcpu *h)
{
    unsigned rt = h->esr >> 5 & 31;
    bool done;

    if ((h->esr & 0x1fffc1f) != ISS_SGI1R || hw_el(h) != 1)
        return exit_slow(h);
    arch_irq_restore(true);
    done = arm64_gic_set(h->a, A64_SYSREG_icc_sgi1r_el1, rt == 31 ? 0 : h->a->x[rt]);
    arch_irq_save();
    if (UNLIKELY(!done))
        return exit_slow(h);
    h->reason = HW_SYSREG;
    h->a->changed = 0;
    h->a->v.pc += 4;
    return back_again(h, HW_BACK);
}

static __attribute__((noinline)) unsigned exit_fp(struct hw_vcpu *h)
{
    h->reason = HW_FP;
    lent_take(hw_here(), h, LENT_FP);
    return back_at_once(h, HW_BACK);
}

unsigned hw_exit_sync(void)
{
    struct hw_vcpu *h = hw_here()->running;
    uint64_t esr = sys_read(esr_el2);

    came_out(h);
    h->esr = esr;
    trace(h, esr);
    switch (esr >> 26) {
    case EC_DATA_ABORT:
        return exit_device(h, esr);
    case EC_HVC:
        return exit_hypercall(h);
    case EC_SYSREG:
        return exit_sysreg(h);
    case EC_FP:
        return exit_fp(h);
    default:
        return exit_slow(h);
    }
}

/* One is acknowledged; more of them come when the guest goes on. */
unsigned hw_exit_irq(void)
{
    struct hw_cpu *hc = hw_here();
    struct hw_vcpu *h = hc->running;
    struct gic *g = hc->gic;
    uint32_t ack;

    came_out(h);
    ack = g->driver->ack(g);
    h->reason = HW_IRQ;
    if (LIKELY(gic_intid(g, ack) == g->vtimer)) {
        h->vgic.vtimer_held = h->vgic.vtimer_up = h->vgic.vtimer_fired = true;
        g->driver->drop(g, ack);
        vgic_tick(h);
    } else if (gic_intid(g, ack) < GIC_SPURIOUS) {
        gic_handle(g, ack);
    }
    return back_at_once(h, HW_BACK);
}

unsigned hw_exit_serror(void)
{
    struct hw_vcpu *h = hw_here()->running;

    came_out(h);
    h->reason = HW_SERROR;
    arm64_irq_input(&h->a->v, ARM64_INPUT_SERROR, true);
    h->vgic.stale = true;
    return back_prepared(h);
}
