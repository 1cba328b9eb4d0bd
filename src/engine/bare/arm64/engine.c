/* engine_ops of the arm64 hardware engine. */
#include "engine/bare/arm64/engine.h"
#include "engine/bare/arm64/hw.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/boot/arm64/firmware.h"
#include "platform/bare/drivers/gic.h"
#include "platform/bare/histogram.h"
#include "platform/bare/irq/irq.h"

static int probe(char *why, size_t why_size)
{
    (void)why;
    (void)why_size;
    return 0;
}

/* Private to each CPU, which enabled it when it came up; a request masks it on this one. */
static void private_handler(struct gic *g, unsigned intid, irq_handler *fn, const char *name)
{
    bool on = arch_irq_save();

    if (!irq_request(&g->domain, intid, IRQ_LEVEL_HIGH, fn, NULL, name)) /* -EBUSY: it was before */
        irq_enable(&g->domain, intid, true);
    arch_irq_restore(on);
}

/* Once for all VMs: the state of each CPU, the virtual timer's handler. */
static int cpus_init(void)
{
    struct gic *g = gic_get();

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_at(i);
        struct hw_cpu *hc = c->engine ? c->engine : plat_alloc(sizeof(*hc));

        if (!hc)
            return -ENOMEM;
        hc->cpu = c;
        c->engine = hc;
    }
    private_handler(g, g->vtimer, vgic_vtimer, "vtimer");
    if (g->maintenance)
        private_handler(g, g->maintenance, vgic_maintenance, "vgic");
    if (lent_has_pmu())
        private_handler(g, g->pmu, vgic_pmu, "pmu");
    return 0;
}

static int vm_init(struct vm *vm)
{
    struct hw_vm *hv;
    int err = cpus_init();

    if (err)
        return err;
    hv = plat_alloc(sizeof(*hv));
    if (!hv)
        return -ENOMEM;
    vm->engine_vm = hv;
    err = stage2_init(vm);
    if (err) {
        vm->engine_vm = NULL;
        plat_free(hv);
    }
    return err;
}

static void vm_fini(struct vm *vm)
{
    if (!vm->engine_vm)
        return;
    stage2_fini(vm);
    plat_free(vm->engine_vm);
    vm->engine_vm = NULL;
}

static void timer_due(void *arg)
{
    struct hw_vcpu *h = arg;

    h->timer_for = TIMER_NEVER;
    vcpu_request(&h->a->v, VCPU_REQ_KICK);
}

/* The guest's timer is due, while another vCPU has the hardware. */
static void alarm(void *arg)
{
    struct hw_vcpu *h = arg;

    vcpu_request(&h->a->v, VCPU_REQ_KICK);
}

/* Pointer authentication is given where the host has it and the model may: the old cores have not. */
static bool pauth(const struct arm64_vcpu *a)
{
    return sys_read(id_aa64isar1_el1) & UINT64_C(0xff000ff0) && (a->cpu.model->midr >> 24) != 0x41;
}

static const struct arm64_firmware firmware = {firmware_features, firmware_workaround};

static int vcpu_init(struct vcpu *v)
{
    struct hw_vcpu *h = plat_alloc(sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->a = arm64_of(v);
    h->a->firmware = firmware_there() ? &firmware : NULL;
    if (!lent_has_pmu())
        h->a->cpu.features &= ~BIT(ARM64F_PMU);
    h->hcr = hw_hcr(pauth(h->a));
    /* The model for software has no implementer: a guest is better off with the host's, for its errata. */
    h->midr = h->a->cpu.model->midr >> 24 ? h->a->cpu.model->midr : sys_read(midr_el1);
    h->mpidr = arm64_mpidr(v->id);
    h->timer_for = TIMER_NEVER;
    h->timer_next = &v->vm->timers[v->id].next;
    ktimer_init(&h->timer, timer_due, h);
    ktimer_init(&h->alarm, alarm, h);
    waitq_init(&h->sleep);
    v->engine = h;
    return 0;
}

static void vcpu_fini(struct vcpu *v)
{
    struct hw_vcpu *h = hw_of(v);

    ktimer_cancel(&h->timer);
    ktimer_cancel(&h->alarm);
    hw_forget(h);
    plat_free(h);
    v->engine = NULL;
}

static void evict(void *arg)
{
    hw_unload(arg);
}

static const struct task_hooks hooks = {.evict = evict};

static void run(struct vcpu *v)
{
    struct hw_vcpu *h = hw_of(v);
    bool on;

    v->exit.kind = EXIT_NONE;
    if (UNLIKELY(!h->vgic.started))
        vgic_start(h);
    task_hooks_set(&hooks, h);
    on = arch_irq_save();
    if (hw_prepare(h))
        world_enter();
    atomic_store(&h->inside, NULL);
    arch_irq_restore(on);
}

static void kick(struct vcpu *v)
{
    struct cpu *c = atomic_load(&hw_of(v)->inside);
    bool on;

    if (atomic_load(&hw_of(v)->asleep)) {
        hw_wake(hw_of(v));
        return;
    }
    on = arch_irq_save();

    if (c && c != arch_cpu())
        ipi_send(c, IPI_KICK);
    arch_irq_restore(on);
}

/*
 * Guests maintain their own TLBs; what the core wants flushed is about stage 1. All of it: a reset, and the
 * images that are loaded next go to memory when the guest touches them (stage2.c).
 */
static void flush(struct vcpu *v, const struct flush_scope *scope)
{
    if (scope->kind == FLUSH_ALL && atomic_load(&v->vm->stopping))
        stage2_unmap_all(v->vm);
}

/* Regions come and go while no vCPU runs, but for flash, which is in no vCPU's list of devices. */
static void mem_changed(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        if (vm->vcpu[i]->engine)
            memset(hw_of(vm->vcpu[i])->mmio, 0, sizeof(hw_of(vm->vcpu[i])->mmio));
    }
    stage2_unmap_all(vm);
}

static void pull(struct vcpu *v, unsigned groups)
{
    (void)groups;
    if (v->engine)
        hw_pull(hw_of(v));
}

static void push(struct vcpu *v, unsigned groups)
{
    (void)groups;
    if (v->engine)
        hw_forget(hw_of(v));
    if (v->engine)
        vgic_reset(hw_of(v));
}

/* Kept by the zeros in front of their ticks. */
static uint64_t exits_in(const void *vm, unsigned vcpu, unsigned reason, unsigned bucket)
{
    const struct vm *of = vm;

    return hw_of(of->vcpu[vcpu])->histogram[reason][HW_HISTOGRAM - 1 - bucket];
}

static void counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value),
                     void *opaque)
{
    for (unsigned r = 0; r < HW_REASONS; r++) {
        const struct histograms h = {vm, vm->vcpu_count, r, HW_HISTOGRAM, exits_in};
        char name[32];

        fmt_snprintf(name, sizeof(name), "exit-%s", hw_reason_names[r]);
        emit(opaque, name, histogram_total(&h));
        histogram_emit(name, &h, emit, opaque);
    }
    emit(opaque, "stage2-gib", hw_vm_of(vm)->gib);
}

/* A line an exit, oldest first; the vCPU may run on, so the oldest may be newer than it should. */
static void history(struct vcpu *v, void (*emit)(void *opaque, const char *line), void *opaque)
{
    const struct hw_vcpu *h = hw_of(v);
    char line[96];

    for (unsigned i = 0; i < HW_EXIT_RING; i++) {
        const struct hw_exit *e = &h->ring[(h->ring_at + i) % HW_EXIT_RING];

        if (!e->time)
            continue;
        fmt_snprintf(line, sizeof(line), "%llu us: class 0x%x syndrome 0x%llx pc 0x%llx",
                     (unsigned long long)(clock_to_ns(e->time) / 1000), (unsigned)(e->esr >> 26),
                     (unsigned long long)(e->esr & 0x1ffffff), (unsigned long long)e->pc);
        emit(opaque, line);
    }
}

const struct engine_ops engine_bare_arm64 = {
    .name = "el2",
    .summary = "this CPU's virtualization, at EL2",
    .hardware = true,
    .probe = probe,
    .vm_init = vm_init,
    .vm_fini = vm_fini,
    .vcpu_init = vcpu_init,
    .vcpu_fini = vcpu_fini,
    .run = run,
    .kick = kick,
    .flush = flush,
    .mem_changed = mem_changed,
    .pull = pull,
    .push = push,
    .counter_hz = arch_counter_hz,
    .counters = counters,
    .history = history,
};
