/*
 * The run loop: what is looked at between two stays in the engine, the task of a vCPU, the one task of a
 * deterministic VM, and the one function that resolves exits.
 */
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"

/* Instructions between two looks at requests: some microseconds. */
#define SLICE 65536
/* Deterministic: a vCPU's turn. */
#define QUANTUM 20000

const char *const exit_names[EXIT_KINDS] = {"none",  "mmio", "pio",          "hypercall", "interrupt",
                                            "halt",  "kick", "cpu-on",       "cpu-off",   "system",
                                            "debug", "isa",  "entry-failed", "fatal"};

enum exit_action exit_handle(struct vcpu *v, struct exit *e)
{
    switch (e->kind) {
    case EXIT_MMIO:
        if (bus_access(v->vm, e->mmio.gpa, e->mmio.size, e->mmio.write, &e->mmio.value))
            return EXIT_HANDLED;
        e->kind = EXIT_NONE; /* nobody answers: the engine raises the ISA's bus error */
        return EXIT_STOP;
    case EXIT_HALT:
        return EXIT_BLOCK;
    case EXIT_CPU_OFF:
        atomic_store(&v->power, VCPU_OFF);
        return EXIT_BLOCK;
    case EXIT_SYSTEM:
        vm_system(v->vm, e->system.what, e->system.status, "by the guest");
        return EXIT_HANDLED;
    case EXIT_HYPERCALL:
    case EXIT_ISA:
    case EXIT_CPU_ON:
    case EXIT_DEBUG:
    case EXIT_PIO:
        return v->vm->guest->handle_exit(v, e);
    case EXIT_ENTRY_FAILED:
    case EXIT_FATAL:
        vm_stop(v->vm, SYSTEM_CRASH, 0, e->fatal ? e->fatal : "the engine could not enter the guest");
        return EXIT_STOP;
    default:
        return EXIT_HANDLED;
    }
}

/* A CPU that was off comes up where its starter said (SBI HSM, PSCI CPU_ON). */
static void power_up(struct vcpu *v)
{
    uint32_t pending = VCPU_ON_PENDING;

    if (atomic_load(&v->power) != VCPU_ON_PENDING)
        return;
    v->vm->guest->reset(v);
    v->vm->guest->set_entry(v, v->off_entry, v->id, v->off_arg);
    v->entry_set = true;
    atomic_compare_exchange_strong(&v->power, &pending, VCPU_ON);
}

bool vcpu_prepare(struct vcpu *v)
{
    uint32_t r = atomic_load(&v->request);

    plat_meet();
    if (r & VCPU_REQ_CALL)
        vcpu_serve_calls(v);
    if (r & VCPU_REQ_POWER)
        power_up(v);
    atomic_fetch_and(&v->request, ~(uint32_t)(VCPU_REQ_KICK | VCPU_REQ_IRQ | VCPU_REQ_POWER));
    if (atomic_load(&v->vm->stopping) || atomic_load(&v->power) != VCPU_ON)
        return false;
    /* Hardware takes interrupts itself: its engine maps the inputs to it. */
    if (!v->vm->engine->hardware && v->vm->guest->irq_ready(v)) {
        v->stat.irqs++;
        v->vm->guest->irq_take(v);
    }
    return true;
}

bool vcpu_idle(struct vcpu *v)
{
    if (atomic_load(&v->request) & (VCPU_REQ_CALL | VCPU_REQ_POWER | VCPU_REQ_PAUSE))
        return false;
    if (atomic_load(&v->power) != VCPU_ON)
        return true;
    return atomic_load(&v->state) == VCPU_BLOCKED && !v->vm->guest->irq_wakeup(v);
}

/* ---- a vCPU on its own task ---- */

static void park(struct vm *vm, struct vcpu *v)
{
    plat_lock(&vm->lock);
    vm->parked++;
    plat_unlock(&vm->lock);
    plat_event_wake(&vm->parked_event);
    while (atomic_load(&vm->pause) && !atomic_load(&vm->stopping)) {
        vcpu_serve_calls(v); /* first: the wake that came with one may have ended another wait */
        plat_event_wait(&v->wake, PLAT_FOREVER);
    }
    plat_lock(&vm->lock);
    vm->parked--;
    plat_unlock(&vm->lock);
}

static void look_at_pause(struct vcpu *v)
{
    if (!(atomic_load(&v->request) & VCPU_REQ_PAUSE))
        return;
    atomic_fetch_and(&v->request, ~(uint32_t)VCPU_REQ_PAUSE);
    if (atomic_load(&v->vm->pause))
        park(v->vm, v);
}

/* Sleeps until something is to do; its own timers run here too. Calls and pauses do not end a halt. */
static void idle(struct vcpu *v)
{
    struct vm *vm = v->vm;

    while (!atomic_load(&vm->stopping)) {
        vcpu_serve_calls(v);
        look_at_pause(v);
        if (!vcpu_idle(v)) {
            if (atomic_load(&v->request) & (VCPU_REQ_CALL | VCPU_REQ_PAUSE))
                continue;
            break;
        }
        plat_meet();
        plat_event_wait(&v->wake, clock_host_deadline(vm, timer_next(vm, v->id)));
        timer_run(vm, v->id, clock_now_ns(vm));
    }
    if (atomic_load(&v->state) == VCPU_BLOCKED)
        vcpu_transition(v, VCPU_EV_WAKE);
}

void run_vcpu_task(void *opaque)
{
    struct vcpu *v = opaque;
    struct vm *vm = v->vm;
    enum exit_action action;

    plat_current_set(v); /* attached before this task started */
    while (!atomic_load(&vm->stopping)) {
        look_at_pause(v);
        if (timer_next(vm, v->id) != TIMER_NEVER)
            timer_run(vm, v->id, clock_now_ns(vm));
        if (!vcpu_prepare(v)) {
            idle(v);
            continue;
        }
        vcpu_grant(v, SLICE);
        if (vcpu_run(v, &action)) {
            vm_stop(vm, SYSTEM_CRASH, 0, "a vCPU was run in a state that does not allow it");
            break;
        }
        if (action == EXIT_BLOCK)
            idle(v);
    }
    vcpu_detach(v);
    plat_current_set(NULL);
}

/* ---- all vCPUs in turn on one task, time by instruction count ---- */

static uint64_t det_next_timer(struct vm *vm)
{
    uint64_t next = TIMER_NEVER;

    for (unsigned i = 0; i < vm->vcpu_count; i++)
        next = MIN(next, timer_next(vm, i));
    return next;
}

static void det_run_timers(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        timer_run(vm, i, clock_now_ns(vm));
}

static uint64_t det_insns(struct vm *vm)
{
    struct vcpu *v = vm->clock.turn;

    return vm->clock.insns + (v ? vcpu_icount(v) - vm->clock.turn_start : 0);
}

static void dump_line(void *opaque, const char *line)
{
    size_t n = 0;

    (void)opaque;
    while (line[n])
        n++;
    plat_log_line(line, n);
}

/* Hidden state never differs between engines: TLBs and reservations are dropped at each checkpoint. */
static void det_checkpoint(struct vm *vm)
{
    static const struct flush_scope all = {.kind = FLUSH_ALL};
    char line[64];
    int n;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        vm->vcpu[i]->resv_addr = UINT64_MAX;
        vm->engine->flush(vm->vcpu[i], &all);
    }
    vm->checkpoint.number++;
    vm->checkpoint.next += vm->desc.checkpoint_every;
    n = fmt_snprintf(line, sizeof(line), "checkpoint %llu %016llx", (unsigned long long)vm->checkpoint.number,
                     (unsigned long long)vm_hash(vm));
    plat_log_line(line, (size_t)n);
    if (vm->desc.hash_dump == vm->checkpoint.number)
        vm_dump(vm, dump_line, NULL);
    if (vm->engine->dirty_restart)
        vm->engine->dirty_restart(vm);
}

/* How many instructions may run now: to the end of the turn, the next timer or the next checkpoint. */
static uint64_t det_span(struct vm *vm, uint64_t left)
{
    uint64_t now = clock_now_ns(vm), next = det_next_timer(vm);

    if (next <= now)
        return 0;
    left = MIN(left, next - now);
    if (vm->desc.checkpoint_every) {
        uint64_t done = det_insns(vm);

        if (vm->checkpoint.next <= done)
            return 0;
        left = MIN(left, vm->checkpoint.next - done);
    }
    return left;
}

static void det_due(struct vm *vm)
{
    det_run_timers(vm);
    if (vm->desc.checkpoint_every && vm->checkpoint.next <= det_insns(vm))
        det_checkpoint(vm);
}

static void det_turn(struct vm *vm, struct vcpu *v)
{
    uint64_t end;

    plat_current_set(v);
    vcpu_grant(v, 0);
    vm->clock.turn = v;
    vm->clock.turn_start = vcpu_icount(v);
    end = vm->clock.turn_start + QUANTUM;
    while (!atomic_load(&vm->stopping) && vcpu_icount(v) < end) {
        enum exit_action action;
        uint64_t span = det_span(vm, end - vcpu_icount(v));

        if (!span) {
            det_due(vm);
            continue;
        }
        if (!vcpu_prepare(v))
            break;
        vcpu_grant(v, span);
        if (vcpu_run(v, &action)) {
            vm_stop(vm, SYSTEM_CRASH, 0, "a vCPU was run in a state that does not allow it");
            break;
        }
        if (action == EXIT_BLOCK || atomic_load(&vm->pause))
            break;
    }
    vcpu_grant(v, 0);
    vm->clock.turn = NULL;
    vm->clock.insns += vcpu_icount(v) - vm->clock.turn_start;
}

/* No vCPU can go on: time jumps to the next timer, or the host has to say something. */
static void det_idle(struct vm *vm)
{
    uint64_t next = det_next_timer(vm);

    if (next == TIMER_NEVER) {
        plat_event_wait(&vm->vcpu[0]->wake, PLAT_FOREVER);
        return;
    }
    if (next > clock_now_ns(vm))
        vm->clock.skipped += next - clock_now_ns(vm);
    det_run_timers(vm);
}

static void det_park(struct vm *vm)
{
    if (atomic_load(&vm->pause))
        park(vm, vm->vcpu[0]);
}

static void dump_missed(const struct vm *vm)
{
    if (vm->ended && vm->desc.hash_dump > vm->checkpoint.number)
        log_write(&vm->log, LOG_CORE, LOG_WARN,
                  "hash-dump: the run ended before checkpoint %llu, after %llu; name one of those",
                  (unsigned long long)vm->desc.hash_dump, (unsigned long long)vm->checkpoint.number);
}

void run_det_task(void *opaque)
{
    struct vm *vm = opaque;

    if (!vm->checkpoint.next)
        vm->checkpoint.next = vm->desc.checkpoint_every;
    while (!atomic_load(&vm->stopping)) {
        bool any = false;

        det_park(vm);
        plat_current_set(vm->vcpu[0]);
        work_drain(vm);
        for (unsigned i = 0; i < vm->vcpu_count && !atomic_load(&vm->stopping); i++) {
            struct vcpu *v = vm->vcpu[i];

            atomic_fetch_and(&v->request, ~(uint32_t)VCPU_REQ_PAUSE);
            if (atomic_load(&v->request) & VCPU_REQ_POWER)
                vcpu_prepare(v);
            if (vcpu_idle(v))
                continue;
            if (atomic_load(&v->state) == VCPU_BLOCKED)
                vcpu_transition(v, VCPU_EV_WAKE);
            any = true;
            det_turn(vm, v);
        }
        if (!any && !atomic_load(&vm->stopping))
            det_idle(vm);
    }
    dump_missed(vm);
    plat_current_set(NULL);
}
