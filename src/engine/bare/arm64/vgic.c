/*
 * The guest's CPU interface. In hardware: list registers hold what the distributor (a device) has pending;
 * the guest acknowledges and ends without an exit, and what it did is told to the distributor afterwards.
 * Where the host's GIC has no interface of the guest's version: by software, with HCR_EL2.VI and VF as its
 * signals.
 */
#include "core/bus.h"
#include "engine/bare/arm64/hw.h"
#include "isa/arm64/dt.h"
#include "platform/bare/drivers/gic.h"

/* ICH_HCR_EL2 and GICH_HCR (IHI 0069, 12.4.8; IHI 0048B, 5.3.1) */
enum { HCR_EN = 1, HCR_UIE = 2, HCR_LRENPIE = 4, HCR_EOICOUNT_SHIFT = 27 };
/* TC 10, TALL0 11, TALL1 12: all of the guest's accesses come here */
#define HCR_SOFTWARE (BIT(10) | BIT(11) | BIT(12))
/* ICH_VMCR_EL2 (12.4.19) */
#define VMCR_ENG0  BIT(0)
#define VMCR_ENG1  BIT(1)
#define VMCR_FIQEN BIT(3)
#define VMCR_CBPR  BIT(4)
#define VMCR_EOIM  BIT(9)

/* ---- between struct and registers of the interface ---- */

static uint64_t vmcr_of(const struct arm64_vcpu *a)
{
    return (a->icc_igrpen0 ? VMCR_ENG0 : 0) | (a->icc_igrpen1 ? VMCR_ENG1 : 0) | VMCR_FIQEN |
           (a->icc_ctlr & A64_ICC_CTLR_CBPR ? VMCR_CBPR : 0) |
           (a->icc_ctlr & A64_ICC_CTLR_EOIMODE ? VMCR_EOIM : 0) | a->icc_bpr1 << 18 | a->icc_bpr0 << 21 |
           a->icc_pmr << 24;
}

static void vmcr_to(struct arm64_vcpu *a, uint64_t v)
{
    a->icc_igrpen0 = !!(v & VMCR_ENG0);
    a->icc_igrpen1 = !!(v & VMCR_ENG1);
    a->icc_ctlr = (v & VMCR_CBPR ? A64_ICC_CTLR_CBPR : 0) | (v & VMCR_EOIM ? A64_ICC_CTLR_EOIMODE : 0);
    a->icc_bpr1 = v >> 18 & 7;
    a->icc_bpr0 = v >> 21 & 7;
    a->icc_pmr = v >> 24 & 0xff;
}

/* Five bits of priority have one register of active priorities a group; hosts with more keep them apart. */
static void interface_in(const struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (g->version == 3)
        lr_v3_interface_set(g->vmcr, &g->ap, hc->preemption_bits);
    else
        lr_v2_interface_set(hc->gic->hyp, (uint32_t)g->vmcr, g->ap.word[0][0]);
}

static void interface_out(const struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    uint32_t vmcr;

    if (g->version == 3) {
        lr_v3_interface_get(&g->vmcr, &g->ap, hc->preemption_bits);
    } else {
        lr_v2_interface_get(hc->gic->hyp, &vmcr, &g->ap.word[0][0]);
        g->vmcr = vmcr;
    }
}

void vgic_unpack(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (g->version != 3)
        return;
    vmcr_to(h->a, g->vmcr);
    h->a->icc_ap0r = g->ap.word[0][0];
    h->a->icc_ap1r = g->ap.word[1][0];
}

static void hcr_write(const struct hw_vgic *g, uint32_t v)
{
    if (g->version == 3)
        lr_v3_hcr_set(v);
    else
        lr_v2_hcr_set(gic_get()->hyp, v);
}

static uint32_t hcr_read(const struct hw_vgic *g)
{
    return g->version == 3 ? lr_v3_hcr() : lr_v2_hcr(gic_get()->hyp);
}

static uint64_t lr_read(const struct hw_vgic *g, unsigned i)
{
    return g->version == 3 ? lr_v3_get(i) : lr_v2_get(gic_get()->hyp, i);
}

static void lr_write(const struct hw_vgic *g, unsigned i, uint64_t v)
{
    if (g->version == 3)
        lr_v3_set(i, v);
    else
        lr_v2_set(gic_get()->hyp, i, v);
}

/* ---- the virtual timer ---- */

/* Enabled, not masked, due (D12.2.4). */
static bool vtimer_level(void)
{
    uint64_t ctl = el2_vhe() ? sys_read(S3_5_C14_C3_1) : sys_read(cntv_ctl_el0);

    return (ctl & 7) == 5;
}

/* The host's interrupt is active while the guest has it, so that it does not come again. */
static void vtimer_hold(struct hw_vcpu *h, bool hold)
{
    if (h->vgic.vtimer_held == hold)
        return;
    h->vgic.vtimer_held = hold;
    gic_private_active(gic_get(), gic_get()->vtimer, hold);
}

void vgic_vtimer(void *arg)
{
    struct hw_vcpu *h = hw_here()->loaded;

    (void)arg;
    if (!h)
        return;
    h->vgic.vtimer_held = h->vgic.vtimer_up = true;
    h->vgic.vtimer_fired = true;
    gic_forward();
    if (atomic_load(&h->asleep))
        hw_wake(h);
}

/* It is quiet until the list registers are filled anew. */
void vgic_maintenance(void *arg)
{
    struct hw_cpu *hc = hw_here();
    struct hw_vcpu *h = hc->loaded;

    (void)arg;
    if (h && h->home == hc->cpu) {
        h->vgic.stale = true;
        hcr_write(&h->vgic, hcr_read(&h->vgic) & ~(uint32_t)(HCR_EN | HCR_UIE | HCR_LRENPIE));
        isb();
    }
}

/* ---- the PMU's interrupt: a level, active here while the guest has it ---- */

void vgic_pmu(void *arg)
{
    struct hw_cpu *hc = hw_here();
    struct hw_vcpu *h = hc->loaded;

    (void)arg;
    if (!h || !(hc->open & LENT_PMU)) {
        lent_pmu_stop();
        return;
    }
    gic_forward();
    h->vgic.pmu_held = h->vgic.stale = true;
    vcpu_request(&h->a->v, VCPU_REQ_KICK);
}

void vgic_pmu_release(struct hw_vcpu *h)
{
    if (h->vgic.pmu_held)
        gic_private_active(gic_get(), gic_get()->pmu, false);
    h->vgic.pmu_held = false;
}

/* Its line at the distributor. The guest makes it go down without an exit: seen when it ends the interrupt.
 */
static void pmu_sync(struct hw_vcpu *h)
{
    bool on, level;

    if (LIKELY(!h->vgic.pmu_held && !(h->a->lines >> (A64_INTID_PMU - A64_INTID_PPI) & 1)))
        return;
    on = arch_irq_save();
    hw_here_with(h);
    level = lent_pmu_level(hw_here(), h);
    if (!level)
        vgic_pmu_release(h);
    arch_irq_restore(on);
    arm64_private_line(h->a, A64_INTID_PMU, level);
}

/* ---- life ---- */

void vgic_cpu_init(struct hw_cpu *hc)
{
    struct gic *g = gic_get();

    hc->gic = g;
    if (g->version == 3) {
        hc->lrs = lr_v3_count(&hc->preemption_bits);
        lr_v3_hcr_set(HCR_SOFTWARE);
    } else {
        hc->lrs = lr_v2_count(g->hyp);
        hc->preemption_bits = 5;
        lr_v2_hcr_set(g->hyp, 0);
    }
    for (unsigned i = 0; i < hc->lrs; i++)
        g->version == 3 ? lr_v3_set(i, 0) : lr_v2_set(g->hyp, i, 0);
}

/* The guest's version is what its distributor is: one with a memory-mapped interface is version 2. */
void vgic_start(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;
    unsigned guest = !d ? 0 : d->cpu_base ? 2 : 3;

    *g = (struct hw_vgic){.started = true, .stale = true, .dead = true};
    if (!d || !d->ops->list || guest != gic_get()->version || !gic_get()->maintenance)
        return;
    g->version = (uint8_t)guest;
    d->listed = true;
    if (guest == 2)
        stage2_map_device(h->a->v.vm, d->cpu_base, gic_get()->vcpu_pa, LR_V2_CPU_SIZE);
}

void vgic_reset(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    uint8_t version = g->version;
    bool started = g->started;

    *g = (struct hw_vgic){.version = version, .started = started, .stale = true, .dead = true};
}

void vgic_load(struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (g->version == 3 && !h->packed_interface) {
        g->vmcr = vmcr_of(h->a);
        g->ap.word[0][0] = (uint32_t)h->a->icc_ap0r;
        g->ap.word[1][0] = (uint32_t)h->a->icc_ap1r;
    }
    h->packed_interface = true;
    if (g->version)
        interface_in(hc, h);
    else if (gic_get()->version == 3)
        lr_v3_hcr_set(HCR_SOFTWARE);
    else
        lr_v2_hcr_set(gic_get()->hyp, 0);
    g->changed = true;
}

/* What the registers hold into the struct. */
static void read_back(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (g->dead)
        return;
    for (unsigned m = g->used; m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctz(m);

        g->now[i] = lr_read(g, i);
    }
    if (UNLIKELY(g->spilled))
        g->eoi_count += hcr_read(g) >> HCR_EOICOUNT_SHIFT;
    g->dead = true;
}

void vgic_unload(struct hw_cpu *hc, struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (g->version) {
        read_back(h);
        interface_out(hc, h);
    }
    vtimer_hold(h, false);
}

void vgic_off(const struct hw_vcpu *h)
{
    if (h->vgic.version)
        hcr_write(&h->vgic, 0);
}

void vgic_drop(struct hw_vcpu *h)
{
    if (h->vgic.version)
        hcr_write(&h->vgic, 0);
    vtimer_hold(h, false);
    vgic_pmu_release(h);
}

/* ---- what the guest did ---- */

static void told(struct hw_vcpu *h, unsigned i)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;
    unsigned was = LR_STATE(g->put[i]), is = LR_STATE(g->now[i]);

    if (was == is)
        return;
    /* An edge that came and went makes room, no more. */
    if (is || was != LR_PENDING || g->top[i] & DIST_LEVEL || g->hcr & HCR_UIE)
        g->stale = true;
    if (was == LR_PENDING && is)
        d->ops->taken(d, &h->a->v, g->top[i], true);
    else if (was != LR_PENDING && !is)
        d->ops->deactivate(d, &h->a->v, LR_ID(g->put[i]));
    g->put[i] = g->now[i];
    if (!is)
        g->used &= ~(1u << i);
}

/* Ends of interrupts that stand in no list register: the highest active one that was spilled, each time. */
static void spilled_ends(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;

    for (; g->eoi_count; g->eoi_count--) {
        if (g->spilled)
            d->ops->deactivate(d, &h->a->v, g->spill[--g->spilled]);
    }
    g->stale = true;
}

/*
 * The virtual timer has list register 0 to itself and the distributor is asked only what it would say: the
 * host's interrupt raises the line, and its end by the guest, which is the host's too, or a timer quietened
 * before, lowers it. [off]
 */
static void vtimer_sync(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    bool fired = g->vtimer_fired;
    uint64_t top;

    g->vtimer_fired = g->vtimer_waits = false;
    if (!g->vtimer_up)
        return;
    if (g->used & 1) {
        unsigned is = LR_STATE(g->now[0]);

        g->put[0] = g->now[0];
        if (is == LR_ACTIVE || (is == LR_PENDING && vtimer_level()))
            return;
        g->used &= ~1u;
        g->changed = true;
        if (!is && !fired)
            g->vtimer_held = false;
    }
    g->vtimer_up = fired || vtimer_level();
    if (!g->vtimer_up) {
        vtimer_hold(h, false);
        return;
    }
    top = h->a->v.dist->ops->peek(h->a->v.dist, &h->a->v, A64_INTID_TIMER_VIRT);
    g->vtimer_waits = top == DIST_NONE;
    if (g->vtimer_waits)
        return;
    g->put[0] = g->now[0] =
        LR_MAKE(LR_PENDING, A64_INTID_TIMER_VIRT, DIST_TOP_PRIORITY(top), DIST_TOP_GROUP(top)) | LR_HW |
        LR_PHYSICAL(hw_here()->gic->vtimer);
    g->used |= 1;
    g->changed = true;
}

bool vgic_vtimer_waits(struct hw_vcpu *h)
{
    return (h->vgic.vtimer_fired || vtimer_level()) &&
           h->a->v.dist->ops->peek(h->a->v.dist, &h->a->v, A64_INTID_TIMER_VIRT) != DIST_NONE;
}

/* Interrupts are on, or at least nothing is held: the distributor may be another's just now. */
static void tell(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    for (unsigned m = g->used & ~1u; m; m &= m - 1)
        told(h, (unsigned)__builtin_ctz(m));
    if (UNLIKELY(g->eoi_count))
        spilled_ends(h);
}

bool vgic_quiet(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    /* What was read back has to be told before it is written again. */
    return g->version && !g->stale && !g->vtimer_fired && (!g->dead || (!g->used && !g->vtimer_up));
}

/* The one thing that comes often: a tick, with nothing else going on. [off] */
bool vgic_tick(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;

    if (!g->version || g->stale || g->dead || h->home != arch_cpu())
        return false;
    if (g->used & 1)
        g->now[0] = g->version == 3 ? sys_read(S3_4_C12_C12_0) : lr_read(g, 0);
    vtimer_sync(h);
    if (g->changed && g->used & 1) {
        if (g->version == 3)
            sys_write(S3_4_C12_C12_0, g->put[0]);
        else
            lr_write(g, 0, g->put[0]);
        hw_here()->lrs_written |= 1;
        g->changed = false;
        vtimer_hold(h, true);
    }
    return !g->changed;
}

static void software(struct hw_vcpu *h)
{
    uint64_t s = arm64_signals(h->a);

    h->hcr |= (s & BIT(ARM64_INPUT_IRQ) ? HCR_VI : 0) | (s & BIT(ARM64_INPUT_FIQ) ? HCR_VF : 0);
}

/* ---- what it is to see ---- */

static uint64_t lr_of(uint64_t top)
{
    unsigned id = DIST_TOP_ID(top);
    uint64_t lr = LR_MAKE(LR_PENDING, id, DIST_TOP_PRIORITY(top), DIST_TOP_GROUP(top));

    if (top & DIST_LEVEL)
        lr |= LR_EOI; /* it may still be up then */
    return lr | LR_SOURCE_SET(DIST_TOP_SOURCE(top));
}

/* An active one goes to the spill: the least urgent, whose end comes last. */
static void spill_one(struct hw_vgic *g)
{
    unsigned worst = HW_LRS_MAX;

    for (unsigned m = g->used & ~1u; m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctz(m);

        if (LR_STATE(g->put[i]) == LR_ACTIVE &&
            (worst == HW_LRS_MAX || LR_PRIORITY(g->put[i]) >= LR_PRIORITY(g->put[worst])))
            worst = i;
    }
    if (worst == HW_LRS_MAX || g->spilled == HW_SPILL)
        return;
    g->spill[g->spilled++] = (uint16_t)LR_ID(g->put[worst]);
    g->used &= ~(1u << worst);
}

/* Active ones keep their places; what is only pending goes back to the distributor. */
static void give_back(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;

    for (unsigned m = g->used & ~1u; m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctz(m);

        if (LR_STATE(g->put[i]) == LR_ACTIVE) {
            g->put[i] |= LR_EOI; /* it may be pending again by its end */
            continue;
        }
        g->used &= ~(1u << i);
        if (g->top[i] & DIST_LATCHED)
            d->ops->returned(d, &h->a->v, g->top[i]);
    }
    g->changed = true;
}

/* Those that the guest made inactive by the distributor's registers: their ends, if they come, mean nothing.
 */
static void recheck(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;
    unsigned kept = 0;

    g->recheck = false;
    for (unsigned m = g->used & ~1u; m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctz(m);

        if (!d->ops->is_active(d, &h->a->v, LR_ID(g->put[i])))
            g->used &= ~(1u << i);
    }
    for (unsigned i = 0; i < g->spilled; i++) {
        if (d->ops->is_active(d, &h->a->v, g->spill[i]))
            g->spill[kept++] = g->spill[i];
    }
    g->spilled = kept;
}

/* The first is the timer's. */
static unsigned free_lrs(const struct hw_vgic *g, unsigned lrs)
{
    unsigned n = lrs - 1;

    for (unsigned m = g->used & ~1u; m; m &= m - 1)
        n--;
    return n;
}

static void fill(struct hw_vcpu *h, unsigned lrs)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;
    uint64_t tops[HW_LRS_MAX];
    unsigned n, free, at = 1;

    give_back(h);
    if (UNLIKELY(g->recheck))
        recheck(h);
    g->stale = false; /* before the list is read: what comes later makes it stale again */
    free = free_lrs(g, lrs);
    if (UNLIKELY(!free && d->ops->list(d, &h->a->v, tops, 0))) {
        spill_one(g);
        free = free_lrs(g, lrs);
    }
    n = d->ops->list(d, &h->a->v, tops, free);
    for (unsigned i = 0; i < MIN(n, free); i++, at++) {
        while (g->used >> at & 1)
            at++;
        g->top[at] = tops[i];
        g->put[at] = g->now[at] = lr_of(tops[i]);
        g->used |= 1u << at;
    }
    g->hcr = HCR_EN | (n > free ? HCR_UIE : 0) | (g->spilled ? HCR_LRENPIE : 0);
}

void vgic_sync(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    bool on = arch_irq_save(), level = false;
    unsigned lrs;

    hw_here_with(h);
    read_back(h);
    lrs = hw_here()->lrs;
    if (g->version) {
        vtimer_sync(h);
    } else {
        g->vtimer_fired = false;
        level = g->vtimer_up = vtimer_level();
        if (!level)
            vtimer_hold(h, false);
    }
    arch_irq_restore(on);
    h->hcr &= ~(uint64_t)(HCR_VI | HCR_VF | HCR_VSE);
    if (atomic_load(&h->a->inputs) & BIT(ARM64_INPUT_SERROR)) {
        atomic_fetch_and(&h->a->inputs, ~BIT(ARM64_INPUT_SERROR));
        h->hcr |= HCR_VSE;
    }
    if (g->version) {
        tell(h);
        if (g->stale) {
            pmu_sync(h);
            fill(h, lrs);
        }
        g->changed = true;
    } else {
        pmu_sync(h);
        arm64_private_line(h->a, A64_INTID_TIMER_VIRT, level);
        software(h);
    }
}

/* The distributor is told of the timer's interrupt for the time of an access only. */
static void fold_vtimer(struct hw_vcpu *h, bool after)
{
    struct hw_vgic *g = &h->vgic;
    struct dist *d = h->a->v.dist;
    bool on;

    if (!after) {
        g->vtimer_told = g->used & 1 && LR_STATE(g->now[0]) >= LR_ACTIVE;
        if (g->vtimer_told)
            d->ops->taken(d, &h->a->v, A64_INTID_TIMER_VIRT, true);
    } else if (g->vtimer_told && d->ops->is_active(d, &h->a->v, A64_INTID_TIMER_VIRT)) {
        d->ops->deactivate(d, &h->a->v, A64_INTID_TIMER_VIRT);
    } else if (g->vtimer_told) {
        g->used &= ~1u;
        g->vtimer_up = false;
        on = arch_irq_save();
        hw_here_with(h);
        vtimer_hold(h, false);
        arch_irq_restore(on);
    }
}

/* In its own context: what list registers hold goes back to the distributor. */
static void fold(struct vcpu *v, void *after)
{
    struct hw_vcpu *h = hw_of(v);
    bool on = arch_irq_save();

    hw_here_with(h);
    read_back(h);
    arch_irq_restore(on);
    tell(h);
    give_back(h);
    fold_vtimer(h, after);
    h->vgic.stale = true;
    h->vgic.recheck |= !!after;
}

/* Whether others have to be asked: what they take from now on is theirs. */
static bool others_hold(const struct hw_vcpu *h)
{
    struct vm *vm = h->a->v.vm;
    bool any = false;

    for (unsigned i = 0; i < vm->vcpu_count; i++)
        any |= vm->vcpu[i] != &h->a->v && hw_of(vm->vcpu[i])->vgic.used;
    return any;
}

bool vgic_access(struct hw_vcpu *h, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                 uint64_t *value)
{
    struct vcpu *v = &h->a->v;
    bool others = others_hold(h), done;

    fold(v, NULL);
    if (others)
        vcpu_call_others(v, v->vm, fold, NULL);
    done = bus_access_at(v->vm, r, gpa, size, write, value);
    fold(v, h);
    if (others)
        vcpu_call_others(v, v->vm, fold, h);
    return done;
}

void vgic_enter(struct hw_vcpu *h)
{
    struct hw_vgic *g = &h->vgic;
    struct hw_cpu *hc = hw_here();

    if (g->vtimer_up)
        vtimer_hold(h, true);
    if (!g->version || (g->dead = false, LIKELY(!g->changed)))
        return;
    /* What another vCPU left there is none of this one's. */
    for (unsigned i = 0, all = g->used | hc->lrs_written; all >> i; i++) {
        if (g->used >> i & 1)
            lr_write(g, i, g->put[i]);
        else if (hc->lrs_written >> i & 1)
            lr_write(g, i, 0);
    }
    hc->lrs_written = g->used;
    g->changed = false;
    hcr_write(g, g->hcr);
}

/* What a halt looks at (guest_ops.irq_wakeup) is in the struct and in the distributor. */
void vgic_neutral(struct hw_vcpu *h)
{
    bool on;

    if (h->vgic.used & ~1u) {
        give_back(h);
        h->vgic.stale = true;
    }
    on = arch_irq_save();

    if (h->vgic.version == 3) {
        hw_here_with(h);
        interface_out(hw_here(), h);
        vgic_unpack(h);
    }
    arch_irq_restore(on);
}
