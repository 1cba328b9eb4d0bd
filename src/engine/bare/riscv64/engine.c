/* engine_ops of the bare form on riscv64, and the loop of a vCPU's task around its guest. */
#include "engine/bare/riscv64/engine.h"
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/pte.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/histogram.h"
#include "platform/bare/irq/irq.h"

/* ---- calls to where a vCPU is resident ---- */

static void drop_here(void *arg)
{
    struct bare_vcpu *b = arg;

    if (b->cpu == arch_cpu()->engine)
        bare_drop(b);
}

static void save_here(void *arg)
{
    struct bare_vcpu *b = arg;

    if (b->cpu == arch_cpu()->engine && b->valid)
        bare_save(b);
}

/* The hardware's copies are not the truth any more. */
static void forget_here(void *arg)
{
    struct bare_vcpu *b = arg;

    b->valid = false;
    drop_here(b);
}

void bare_call_resident(struct bare_vcpu *b, void (*fn)(void *bare_vcpu))
{
    bool on = arch_irq_save();
    struct bare_cpu *c = b->cpu;

    if (c && c->cpu == arch_cpu()) {
        fn(b);
        c = NULL;
    }
    arch_irq_restore(on);
    if (c)
        ipi_call(BIT(c->cpu->id), fn, b);
}

/* ---- before each entry ---- */

static void evict(void *arg)
{
    struct bare_vcpu *b = arg;

    if (b->cpu && b->cpu == arch_cpu()->engine)
        bare_drop(b);
}

static const struct task_hooks hooks = {.evict = evict};

static void alarm_fire(void *arg)
{
    struct bare_vcpu *b = arg;

    b->alarm_ns = TIMER_NEVER; /* the VM's clock may have stood still meanwhile: then it is set once more */
    vcpu_request(&b->r->v, VCPU_REQ_KICK);
}

/* Core's timers at home with this vCPU run between two stays in the guest: one of ours ends the stay. */
static void alarm_follow(struct bare_vcpu *b)
{
    struct vm *vm = b->r->v.vm;
    uint64_t next = timer_next(vm, b->r->v.id), at;

    if (next == b->alarm_ns)
        return;
    b->alarm_ns = next;
    at = clock_host_deadline(vm, next);
    ktimer_set(&b->alarm, at == PLAT_FOREVER ? KTIMER_NEVER : clock_from_ns(at));
}

/*
 * Guest time is the host's counter plus a constant: the same for all vCPUs of a VM, since it follows from the
 * offset of the VM's clock alone.
 */
static void time_follow(struct bare_vcpu *b)
{
    struct vm *vm = b->r->v.vm;
    u128 ticks;

    if (b->clock_known && b->clock_offset == vm->clock.offset)
        return;
    b->clock_known = true;
    b->clock_offset = vm->clock.offset;
    ticks = (u128)b->clock_offset * riscv_host.timebase_hz / 1000000000u;
    b->timedelta = -(uint64_t)ticks;
    if (!b->valid)
        return;
    csr_write(RV_CSR_htimedelta, b->timedelta);
    if (riscv_host.sstc) /* compared anew where it is an emulator's */
        csr_write(RV_CSR_vstimecmp, csr_read(RV_CSR_vstimecmp));
}

bool bare_prepare(struct bare_vcpu *b)
{
    struct vcpu *v = &b->r->v;
    struct bare_cpu *c;
    uint32_t request;

    while (atomic_load_explicit(&arch_cpu()->resched, memory_order_relaxed))
        sched_preempt();
    request = atomic_load(&v->request);
    if (UNLIKELY(request & ~(uint32_t)VCPU_REQ_IRQ)) {
        if (request & BARE_REQ_MEASURE)
            bare_measured(b);
        request &= ~BARE_REQ_MEASURE;
        if (request & ~(uint32_t)VCPU_REQ_IRQ)
            return false;
    }
    if (request)
        atomic_fetch_and(&v->request, ~(uint32_t)VCPU_REQ_IRQ);
    c = arch_cpu()->engine;
    time_follow(b);
    alarm_follow(b);
    if (c->resident != b || !b->valid) {
        bare_load(b);
    } else if (bare_vmid_stale(b)) {
        bare_vmid_check(b);
        bare_hgatp_write(b);
    }
    bare_fences(b);
    bare_inputs(b);
    if (b->file.any_staged)
        bare_aia_deliver(b);
    b->host_tp = (uint64_t)arch_cpu();
    csr_write(RV_CSR_sscratch, b->r);
    csr_write(RV_CSR_hstatus, b->hstatus);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return true;
}

static void bare_run(struct vcpu *v)
{
    struct bare_vcpu *b = bare_of(v);
    enum exit_action action;

    if (task_hooks_set(&hooks, b)) /* each life of the VM has a task of its own */
        bare_aia_begin(b);
    do {
        if (b->aia == BARE_AIA_FILE && atomic_load(&b->r->mip) & RV_IRQ_SEI)
            bare_aia_stage(b);
        arch_irq_save();
        if (!bare_prepare(b)) {
            arch_irq_restore(true);
            v->exit.kind = EXIT_NONE;
            return;
        }
        bare_enter(b->r);
        arch_irq_restore(true);
        action = bare_exit_slow(b->r);
    } while (action == EXIT_HANDLED);
}

/* ---- what the guest may be told it has ---- */

static bool host_has(const char *name)
{
    const char *isa = riscv_host.isa;
    size_t n = strlen(name);

    if (!name[1]) { /* single letters come before the first underscore, after "rv64" */
        for (const char *s = isa + (strlen(isa) >= 4 ? 4 : 0); *s && *s != '_'; s++) {
            if (*s == name[0])
                return true;
        }
        return false;
    }
    for (const char *s = isa; (s = strchr(s, '_')); s++) {
        if (!strncmp(s + 1, name, n) && (s[n + 1] == '_' || !s[n + 1]))
            return true;
    }
    return false;
}

/* Zicsr and its kin are older than their names; what henvcfg gives, host_has() cannot know. */
static uint64_t host_features(void)
{
    uint64_t f = BIT(RVF_ZICNTR) | BIT(RVF_ZIHPM) | BIT(RVF_ZICSR) | BIT(RVF_ZIFENCEI);
    const char *mmu = riscv_host.mmu;

    for (unsigned i = 0; i < RVF_COUNT; i++) {
        const char *name;

        if (riscv_features_names(BIT(i), &name, 1) && host_has(name))
            f |= BIT(i);
    }
    f &= ~(BIT(RVF_SSTC) | BIT(RVF_SVADU) | BIT(RVF_SVPBMT));
    f &= riscv_host.vlenb ? UINT64_MAX : ~BIT(RVF_V);
    f |= riscv_host.sstc ? BIT(RVF_SSTC) : 0;
    f |= riscv_host.svpbmt ? BIT(RVF_SVPBMT) : 0;
    f |= riscv_host.ssaia ? BIT(RVF_SMAIA) | BIT(RVF_SSAIA) : 0;
    f |= BIT(RVF_SV39);
    f |= !strcmp(mmu, "riscv,sv48") || !strcmp(mmu, "riscv,sv57") ? BIT(RVF_SV48) : 0;
    f |= !strcmp(mmu, "riscv,sv57") ? BIT(RVF_SV57) : 0;
    return f;
}

/* ---- engine_ops ---- */

static int bare_probe(char *why, size_t why_size)
{
    if (riscv_host.stage2_mode)
        return 0;
    fmt_snprintf(why, why_size, "bare: this CPU has no H extension");
    return -ENOTSUP;
}

static int bare_vm_init(struct vm *vm)
{
    struct bare_vm *s = plat_alloc(sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    err = stage2_init(s);
    if (err) {
        plat_free(s);
        return err;
    }
    vm->engine_vm = s;
    return 0;
}

static void bare_vm_fini(struct vm *vm)
{
    stage2_fini(vm->engine_vm);
    plat_free(vm->engine_vm);
    vm->engine_vm = NULL;
}

/* Each CPU's part is made with the first vCPU, for all that are there. */
static int cpus_init(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct bare_cpu *c;

        if (cpu_at(i)->engine)
            continue;
        c = plat_alloc(sizeof(*c));
        if (!c)
            return -ENOMEM;
        c->cpu = cpu_at(i);
        cpu_at(i)->engine = c;
    }
    return 0;
}

static int bare_vcpu_init(struct vcpu *v)
{
    struct riscv_vcpu *r = riscv_of(v);
    struct bare_vcpu *b;
    /* All are described alike, and the search takes its time. */
    struct vcpu *first = v->vm->vcpu[0];
    uint64_t host = first && first->engine ? riscv_of(first)->features : host_features();
    uint64_t features = r->features & host;

    /* An interrupt controller of another kind than the guest asked for would be found by it. */
    if (riscv_has(r, RVF_SSAIA) && !(features >> RVF_SSAIA & 1))
        return -ENOTSUP;
    if (!riscv_host.sstc)
        r->stimecmp = UINT64_MAX;
    b = cpus_init() ? NULL : plat_alloc(sizeof(*b));
    if (!b)
        return -ENOMEM;
    b->status_mask = RV_SSTATUS_MASK & ~RV_MSTATUS_VS;
    if (features >> RVF_V & 1 && bare_vector_init(b)) {
        plat_free(b);
        return -ENOMEM;
    }
    b->r = r;
    b->ring_next = b->ring;
    bare_mmio_forget(b);
    b->host_vector = csr_read(RV_CSR_stvec);
    b->alarm_ns = TIMER_NEVER;
    ktimer_init(&b->alarm, alarm_fire, b);
    waitq_init(&b->sleep);
    r->features = features;
    b->aia = !(features >> RVF_SSAIA & 1) ? BARE_AIA_NONE
             : riscv_host.guest_files     ? BARE_AIA_FILE
                                          : BARE_AIA_EMULATED;
    v->engine = b;
    return 0;
}

static void bare_vcpu_fini(struct vcpu *v)
{
    struct bare_vcpu *b = bare_of(v);

    ktimer_cancel(&b->alarm);
    bare_call_resident(b, forget_here);
    plat_free(b->vector);
    plat_free(b);
    v->engine = NULL;
}

/* A request was set before. */
static void bare_kick(struct vcpu *v)
{
    struct bare_vcpu *b = bare_of(v);
    bool on;

    if (atomic_load(&b->asleep)) {
        on = spin_lock_irq(&b->sleep.lock);
        waitq_wake(&b->sleep);
        spin_unlock_irq(&b->sleep.lock, on);
    } else if (v->task) {
        sched_kick(v->task);
    }
}

/* Kept for the next entry: only then hgatp is sure to be this vCPU's. */
static void bare_flush(struct vcpu *v, const struct flush_scope *scope)
{
    struct bare_vcpu *b = bare_of(v);
    unsigned n = b->fence.count;

    if ((scope->kind != FLUSH_PAGE && scope->kind != FLUSH_PAGE_ASID) || n == BARE_FENCE_MAX) {
        b->fence.all = true;
        b->fence_code |= atomic_load(&v->vm->stopping); /* a reset: images are loaded next */
        return;
    }
    b->fence.page[n].va = scope->va;
    b->fence.page[n].asid = scope->asid;
    b->fence.page[n].by_asid = scope->kind == FLUSH_PAGE_ASID;
    b->fence.count++;
}

static void bare_fetch_barrier(struct vcpu *v)
{
    bare_of(v)->fence_code = true;
}

static void bare_code_written(struct vm *vm, gpa_t gpa, uint64_t len)
{
    (void)vm;
    (void)gpa;
    (void)len;
}

static void bare_pull(struct vcpu *v, unsigned groups)
{
    (void)groups;
    if (bare_of(v)->cpu)
        bare_call_resident(bare_of(v), save_here);
}

static void bare_push(struct vcpu *v, unsigned groups)
{
    (void)groups;
    if (v->engine && bare_of(v)->cpu)
        bare_call_resident(bare_of(v), forget_here);
}

static const char *const reason_names[BARE_REASONS] = {
    [BARE_INTERRUPT] = "exit-host-interrupt",
    [BARE_HYPERCALL] = "exit-sbi",
    [BARE_MMIO_READ] = "exit-mmio-read",
    [BARE_MMIO_WRITE] = "exit-mmio-write",
    [BARE_MEMORY] = "exit-stage2",
    [BARE_WFI] = "exit-wfi",
    [BARE_CSR] = "exit-csr",
    [BARE_OTHER] = "exit-other",
};

/* Measured ones. */
static uint64_t exits_in(const void *vm, unsigned vcpu, unsigned reason, unsigned bucket)
{
    const struct vm *of = vm;

    return bare_of(of->vcpu[vcpu])->measure.histogram[reason][bucket];
}

static void bare_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value),
                          void *opaque)
{
    uint64_t switches = 0;

    for (unsigned k = 0; k < BARE_REASONS; k++) {
        const struct histograms h = {vm, vm->vcpu_count, k, BARE_HISTOGRAM, exits_in};
        uint64_t n = 0;

        for (unsigned i = 0; i < vm->vcpu_count; i++)
            n += bare_of(vm->vcpu[i])->exits[k];
        if (n)
            emit(opaque, reason_names[k], n);
        histogram_emit(reason_names[k], &h, emit, opaque);
    }
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        switches += bare_of(vm->vcpu[i])->switches;
    emit(opaque, "world-switches", switches);
    emit(opaque, "stage2-tables", ((struct bare_vm *)vm->engine_vm)->tables);
    emit(opaque, "stage2-gib", ((struct bare_vm *)vm->engine_vm)->gib);
}

static void bare_mem_changed(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        if (vm->vcpu[i]->engine)
            bare_mmio_forget(bare_of(vm->vcpu[i]));
    }
    stage2_clear(vm);
}

const struct engine_ops engine_bare_riscv64 = {
    .name = "bare",
    .summary = "RISC-V H extension",
    .hardware = true,
    .probe = bare_probe,
    .vm_init = bare_vm_init,
    .vm_fini = bare_vm_fini,
    .vcpu_init = bare_vcpu_init,
    .vcpu_fini = bare_vcpu_fini,
    .run = bare_run,
    .kick = bare_kick,
    .flush = bare_flush,
    .fetch_barrier = bare_fetch_barrier,
    .code_written = bare_code_written,
    .mem_changed = bare_mem_changed,
    .pull = bare_pull,
    .push = bare_push,
    .counter_hz = arch_counter_hz,
    .counters = bare_counters,
    .history = bare_history,
};
