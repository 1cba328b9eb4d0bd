/* A VM's life: create, start, pause, reset, stop, destroy. */
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/str.h"

/* The allowed transitions of a VM. */
static const uint8_t vm_transitions[VM_STATES] = {
    [VM_CREATED] = BIT(VM_RUNNING) | BIT(VM_CRASHED),
    [VM_RUNNING] = BIT(VM_PAUSED) | BIT(VM_STOPPED) | BIT(VM_CRASHED) | BIT(VM_RUNNING),
    [VM_PAUSED] = BIT(VM_RUNNING) | BIT(VM_STOPPED) | BIT(VM_CRASHED),
    [VM_STOPPED] = 0,
    [VM_CRASHED] = 0,
};

static int vm_transition(struct vm *vm, enum vm_state to)
{
    if (!(vm_transitions[vm->state] >> to & 1))
        return -EINVAL;
    vm->state = to;
    return 0;
}

static void sync_init(struct vm *vm)
{
    plat_lock_init(&vm->lock);
    plat_lock_init(&vm->call_lock);
    plat_lock_init(&vm->work.lock);
    plat_event_init(&vm->event);
    plat_event_init(&vm->call_event);
    plat_event_init(&vm->parked_event);
    plat_event_init(&vm->work.wake);
    plat_event_init(&vm->work.idle);
    vm->work.tail = &vm->work.head;
    for (unsigned i = 0; i < VM_MAX_VCPUS; i++) {
        plat_lock_init(&vm->timers[i].lock);
        plat_lock_init(&vm->timers[i].run);
        atomic_store(&vm->timers[i].next, TIMER_NEVER);
    }
}

static void sync_fini(struct vm *vm)
{
    for (unsigned i = 0; i < VM_MAX_VCPUS; i++) {
        plat_lock_fini(&vm->timers[i].lock);
        plat_lock_fini(&vm->timers[i].run);
        plat_free(vm->timers[i].heap);
    }
    plat_event_fini(&vm->work.idle);
    plat_event_fini(&vm->work.wake);
    plat_event_fini(&vm->parked_event);
    plat_event_fini(&vm->call_event);
    plat_event_fini(&vm->event);
    plat_lock_fini(&vm->work.lock);
    plat_lock_fini(&vm->call_lock);
    plat_lock_fini(&vm->lock);
}

int vm_create(struct vm **out, const struct vm_desc *desc, const struct guest_ops *guest,
              const struct lift_ops *lift, const struct engine_ops *engine, char *why, size_t why_size)
{
    struct vm *vm;
    int err;

    *out = NULL;
    if (desc->smp < 1 || desc->smp > VM_MAX_VCPUS) {
        fmt_snprintf(why, why_size, "smp: %u CPUs asked for; 1 to %u are possible", desc->smp, VM_MAX_VCPUS);
        return -EINVAL;
    }
    if (engine->software && !lift) {
        fmt_snprintf(why, why_size, "engine %s cannot run %s guests", engine->name, guest->name);
        return -ENOTSUP;
    }
    vm = plat_alloc(sizeof(*vm));
    if (!vm) {
        fmt_snprintf(why, why_size, "no memory for the VM; free some on the host");
        return -ENOMEM;
    }
    vm->guest = guest;
    vm->lift = lift;
    vm->engine = engine;
    vm->desc = *desc;
    vm->log = desc->log;
    sync_init(vm);
    err = mem_init(&vm->mem, vm);
    if (!err)
        err = engine->vm_init(vm);
    vm->engine_ready = !err;
    for (unsigned i = 0; !err && i < desc->smp; i++) {
        vm->vcpu[i] = vcpu_create(vm, i);
        if (!vm->vcpu[i]) {
            err = -ENOMEM;
            break;
        }
        vm->vcpu_count++;
        err = vcpu_setup(vm->vcpu[i]);
    }
    if (err) {
        fmt_snprintf(why, why_size,
                     "no memory for %u CPUs under engine %s; free some on the host, or ask for fewer",
                     desc->smp, engine->name);
        vm_destroy(vm);
        return err;
    }
    *out = vm;
    return 0;
}

static void devices_destroy(struct vm *vm)
{
    /* Later ones may use earlier ones (interrupt lines): last added, first gone. */
    while (vm->devices) {
        struct device **p = &vm->devices, *d;

        while ((*p)->next)
            p = &(*p)->next;
        d = *p;
        *p = NULL;
        d->ops->destroy(d);
    }
}

static void tasks_stop(struct vm *vm);

void vm_shutdown(struct vm *vm)
{
    atomic_store(&vm->stopping, true);
    tasks_stop(vm);
    work_stop(vm);
    devices_destroy(vm);
    if (vm->machine_destroy)
        vm->machine_destroy(vm);
    vm->machine_destroy = NULL;
}

void vm_destroy(struct vm *vm)
{
    if (!vm)
        return;
    vm_shutdown(vm);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_destroy(vm->vcpu[i]);
    if (vm->engine_ready)
        vm->engine->vm_fini(vm);
    mem_fini(&vm->mem);
    sync_fini(vm);
    plat_free(vm);
}

/* ---- tasks ---- */

/* Others act on a vCPU's task with the VM's lock held: it is there as a whole, or not at all. */
static int vcpu_task_start(struct vcpu *v)
{
    char name[16];
    int err;

    fmt_snprintf(name, sizeof(name), "vcpu%u", v->id);
    plat_lock(&v->vm->lock);
    err = plat_task_start(&v->task, name, run_vcpu_task, v);
    if (err)
        v->task = NULL;
    plat_unlock(&v->vm->lock);
    return err;
}

static void vcpu_task_join(struct vcpu *v)
{
    struct plat_task *t;

    plat_lock(&v->vm->lock);
    t = v->task;
    v->task = NULL;
    plat_unlock(&v->vm->lock);
    if (t)
        plat_task_join(t);
}

/* All are attached before the first runs: a call to one whose task is still to start waits for that task. */
static int vcpu_tasks_start(struct vm *vm)
{
    int err = 0;
    unsigned i;

    for (i = 0; i < vm->vcpu_count; i++)
        vcpu_attach(vm->vcpu[i]);
    for (i = 0; i < vm->vcpu_count; i++) {
        err = vcpu_task_start(vm->vcpu[i]);
        if (err)
            break;
    }
    /* Those that run may already wait for one that never will. */
    for (; i < vm->vcpu_count; i++)
        vcpu_detach(vm->vcpu[i]);
    return err;
}

static int tasks_start(struct vm *vm)
{
    int err;

    atomic_store(&vm->stopping, false);
    /* Tasks of before a reset may have taken the request to park, which still stands. */
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_request(vm->vcpu[i], VCPU_REQ_PAUSE);
    if (vm->desc.deterministic)
        return plat_task_start(&vm->det_task, "vcpus", run_det_task, vm);
    err = work_start(vm);
    if (!err)
        err = vcpu_tasks_start(vm);
    if (!err && vm->started)
        vm->started(vm, vm->started_opaque);
    return err;
}

static void tasks_stop(struct vm *vm)
{
    atomic_store(&vm->stopping, true);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_request(vm->vcpu[i], VCPU_REQ_PAUSE);
    if (vm->det_task)
        plat_task_join(vm->det_task);
    vm->det_task = NULL;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct vcpu *v = vm->vcpu[i];

        vcpu_task_join(v);
        if (atomic_load(&v->state) == VCPU_BLOCKED)
            vcpu_transition(v, VCPU_EV_WAKE);
    }
}

/* Firmware or kernel into memory, CPU 0 on at its entry, the others off. */
static int boot(struct vm *vm, char *why, size_t why_size)
{
    for (struct device *d = vm->devices; d; d = d->next) {
        plat_lock(&d->lock);
        if (d->ops->reset)
            d->ops->reset(d);
        plat_unlock(&d->lock);
    }
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        vm->guest->reset(vm->vcpu[i]);
        vm->engine->flush(vm->vcpu[i], &(struct flush_scope){.kind = FLUSH_ALL});
        atomic_store(&vm->vcpu[i]->power, VCPU_OFF);
        if (atomic_load(&vm->vcpu[i]->state) == VCPU_FREE && vcpu_bind(vm->vcpu[i]))
            return -ENOMEM;
    }
    return vm->boot ? vm->boot(vm, why, why_size) : 0;
}

int vm_load(struct vm *vm, char *why, size_t why_size)
{
    int err;

    if (vm->state != VM_CREATED)
        return -EINVAL;
    fmt_snprintf(why, why_size, "no memory to load the images; free some on the host");
    err = boot(vm, why, why_size);
    vm->loaded = !err;
    return err;
}

bool vm_is_still(const struct vm *vm)
{
    return vm->state != VM_RUNNING;
}

int vm_start(struct vm *vm, char *why, size_t why_size)
{
    int err;

    if (vm->state != VM_CREATED) {
        fmt_snprintf(why, why_size, "the VM was started before; create a new one");
        return -EINVAL;
    }
    err = vm->loaded ? 0 : vm_load(vm, why, why_size);
    if (err)
        return err;
    vm_transition(vm, VM_RUNNING);
    clock_start(vm);
    err = tasks_start(vm);
    if (err) {
        fmt_snprintf(why, why_size, "no threads for %u CPUs; raise the host's limit", vm->vcpu_count);
        tasks_stop(vm);
        vm_transition(vm, VM_CRASHED);
    }
    return err;
}

/* In the waiter's task, all vCPU tasks gone. */
static void do_reset(struct vm *vm)
{
    char why[300] = "no memory for its tasks", reason[400];

    tasks_stop(vm);
    plat_lock(&vm->lock);
    vm->reset_wanted = false;
    plat_unlock(&vm->lock);
    if (!boot(vm, why, sizeof(why)) && !tasks_start(vm))
        return;
    fmt_snprintf(reason, sizeof(reason), "the VM could not be reset: %s", why);
    vm_stop(vm, SYSTEM_CRASH, 0, reason);
}

int vm_wait(struct vm *vm, uint64_t deadline_ns, struct vm_result *result)
{
    for (;;) {
        bool ended, reset;

        plat_lock(&vm->lock);
        ended = vm->ended;
        reset = vm->reset_wanted;
        plat_unlock(&vm->lock);
        if (ended)
            break;
        if (reset)
            do_reset(vm);
        else if (!plat_event_wait(&vm->event, deadline_ns) && plat_clock_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
    tasks_stop(vm);
    clock_stop(vm);
    plat_lock(&vm->lock);
    vm_transition(vm, vm->result.what == SYSTEM_CRASH ? VM_CRASHED : VM_STOPPED);
    *result = vm->result;
    plat_unlock(&vm->lock);
    return 0;
}

static void interrupt_all(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vcpu_request(vm->vcpu[i], VCPU_REQ_PAUSE | VCPU_REQ_KICK);
}

void vm_stop(struct vm *vm, enum exit_system what, unsigned status, const char *reason)
{
    plat_lock(&vm->lock);
    if (!vm->ended) {
        vm->ended = true;
        vm->result = (struct vm_result){.what = what, .status = MIN(status, 63u)};
        fmt_snprintf(vm->result.reason, sizeof(vm->result.reason), "%s", reason);
    }
    plat_unlock(&vm->lock);
    atomic_store(&vm->stopping, true);
    interrupt_all(vm);
    plat_event_wake(&vm->event);
}

void vm_system(struct vm *vm, enum exit_system what, unsigned status, const char *reason)
{
    if (what != SYSTEM_RESET || vm->desc.no_reboot) {
        vm_stop(vm, what, status, reason);
        return;
    }
    plat_lock(&vm->lock);
    vm->reset_wanted = true;
    plat_unlock(&vm->lock);
    atomic_store(&vm->stopping, true);
    interrupt_all(vm);
    plat_event_wake(&vm->event);
}

/* ---- pause ---- */

/* So long a pause waits for the vCPUs. */
#define PAUSE_NS UINT64_C(5000000000)

static unsigned task_count(const struct vm *vm)
{
    return vm->desc.deterministic ? 1 : vm->vcpu_count;
}

/* Counts a pause; false: the state does not allow it. */
static bool pause_count(struct vm *vm)
{
    bool allowed;

    plat_lock(&vm->lock);
    allowed = vm->state == VM_RUNNING || vm->state == VM_PAUSED;
    if (allowed) {
        vm->state = VM_PAUSED;
        if (atomic_fetch_add(&vm->pause, 1) == 0)
            clock_stop(vm);
    }
    plat_unlock(&vm->lock);
    return allowed;
}

/* False: not all did so in time, one waits for the host in the middle of an instruction. */
static bool wait_parked(struct vm *vm)
{
    uint64_t deadline = plat_clock_ns() + PAUSE_NS;

    for (;;) {
        bool all;

        plat_lock(&vm->lock);
        all = vm->parked == task_count(vm) || vm->ended || !atomic_load(&vm->pause);
        plat_unlock(&vm->lock);
        if (all)
            return true;
        if (plat_clock_ns() >= deadline)
            return false;
        plat_event_wait(&vm->parked_event, plat_clock_ns() + 10000000);
    }
}

/*
 * vCPUs first, then what they began in devices, then everything that comes from outside (input, frames): it
 * stays queued until the VM goes on.
 */
int vm_pause(struct vm *vm)
{
    if (!pause_count(vm))
        return -EINVAL;
    interrupt_all(vm);
    if (!wait_parked(vm)) {
        vm_resume(vm);
        return -EBUSY;
    }
    for (struct device *d = vm->devices; d; d = d->next) {
        if (d->ops->quiesce)
            d->ops->quiesce(d);
    }
    plat_lock(&vm->lock);
    work_hold(vm, atomic_load(&vm->pause) > 0); /* unless it goes on already */
    plat_unlock(&vm->lock);
    work_settle(vm);
    return 0;
}

int vm_resume(struct vm *vm)
{
    plat_lock(&vm->lock);
    if (vm->state != VM_PAUSED) {
        plat_unlock(&vm->lock);
        return -EINVAL;
    }
    if (atomic_fetch_sub(&vm->pause, 1) == 1) {
        vm->state = VM_RUNNING;
        clock_start(vm);
        work_hold(vm, false);
    }
    plat_unlock(&vm->lock);
    interrupt_all(vm);
    return 0;
}

/* ---- the whole state ---- */

uint64_t vm_hash(struct vm *vm)
{
    struct hash h;

    hash_init(&h, 0);
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        if (vm->engine->pull)
            vm->engine->pull(vm->vcpu[i], REGS_ALL);
        state_hash(vm->guest->state, vm->vcpu[i], &h);
        hash_u64(&h, vm->vcpu[i]->pc);
        hash_u64(&h, atomic_load(&vm->vcpu[i]->power));
    }
    for (struct device *d = vm->devices; d; d = d->next)
        state_hash(d->ops->state, d, &h);
    hash_u64(&h, mem_hash(&vm->mem));
    return hash_final(&h);
}

void vm_dump(struct vm *vm, void (*emit)(void *opaque, const char *line), void *opaque)
{
    char prefix[32], line[64];

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        fmt_snprintf(prefix, sizeof(prefix), "cpu%u", i);
        state_dump(vm->guest->state, vm->vcpu[i], prefix, emit, opaque);
        fmt_snprintf(line, sizeof(line), "%s.pc = %016llx", prefix, (unsigned long long)vm->vcpu[i]->pc);
        emit(opaque, line);
    }
    for (struct device *d = vm->devices; d; d = d->next)
        state_dump(d->ops->state, d, d->id, emit, opaque);
    mem_dump(&vm->mem, emit, opaque);
}

void vm_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque)
{
    uint64_t exits[EXIT_KINDS] = {0}, insns = 0, irqs = 0, exceptions = 0, helpers = 0;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu *v = vm->vcpu[i];

        insns += vcpu_icount(v);
        irqs += v->stat.irqs;
        exceptions += v->stat.exceptions;
        helpers += v->stat.helper_calls;
        for (unsigned k = 0; k < EXIT_KINDS; k++)
            exits[k] += v->exits[k];
    }
    emit(opaque, "insns", insns);
    emit(opaque, "interrupts", irqs);
    emit(opaque, "exceptions", exceptions);
    emit(opaque, "helper-calls", helpers);
    for (unsigned k = 0; k < EXIT_KINDS; k++) {
        char name[32];

        fmt_snprintf(name, sizeof(name), "exit-%s", exit_names[k]);
        if (exits[k])
            emit(opaque, name, exits[k]);
    }
    if (vm->engine->counters)
        vm->engine->counters(vm, emit, opaque);
}
