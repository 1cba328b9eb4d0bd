/* What the monitor's commands come to on a board. */
#include "app/bare/host.h"
#include "app/bare/mux.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"

static struct bare_vm *vm_of(void *opaque, unsigned i)
{
    return &((struct host *)opaque)->vms[i];
}

static int vm_console(void *opaque, unsigned i, char *why, size_t why_size)
{
    struct bare_vm *b = vm_of(opaque, i);
    int err = mux_attach(b->desc.name);

    if (err)
        fmt_snprintf(why, why_size, "VM '%s' has no console (serial: none); give it one (console: stdio)",
                     b->desc.name);
    return err;
}

static int vcpu_affinity(void *opaque, unsigned i, unsigned vcpu, uint64_t cpus, char *why, size_t why_size)
{
    struct vm *vm = vm_of(opaque, i)->vm;
    int err;

    plat_lock(&vm->lock); /* a reset ends the task, at any time */
    err = vm->vcpu[vcpu]->task ? task_affinity_set(vm->vcpu[vcpu]->task, cpus) : -ENOENT;
    plat_unlock(&vm->lock);
    if (err == -ENOENT)
        fmt_snprintf(why, why_size, "vCPU %u does not run; start the VM first", vcpu);
    else if (err)
        fmt_snprintf(why, why_size, "HOSTCPU: none of these is there and free; see sched show");
    return err;
}

static int vcpu_pin(void *opaque, unsigned i, unsigned vcpu, unsigned cpu, char *why, size_t why_size)
{
    struct bare_vm *b = vm_of(opaque, i);
    int err = cpu == 0 ? -EINVAL : host_pin(b, vcpu, cpu == UINT32_MAX ? 0 : cpu);

    if (err == -ENOENT)
        fmt_snprintf(why, why_size, "vCPU %u does not run; start the VM first", vcpu);
    else if (err)
        fmt_snprintf(why, why_size, "HOSTCPU: %u cannot be given away: it is CPU 0, another's, or not there",
                     cpu);
    return err;
}

/* ---- irq ---- */

static void irq_list(void *opaque, struct control_out *out)
{
    (void)opaque;
    out_list(out, CONTROL_TABLE);
    for (struct irq_domain *d = irq_domain_first(); d; d = d->next) {
        for (unsigned i = 0; i < d->count; i++) {
            if (!d->lines[i].fn)
                continue;
            out_begin(out);
            out_str(out, "controller", 12, d->name);
            out_u64(out, "input", 5, i);
            out_str(out, "name", 16, d->lines[i].name);
            out_u64(out, "taken", 10, d->lines[i].count);
            out_bool(out, "enabled", 7, d->lines[i].enabled);
            out_hex(out, "cpus", 6, d->lines[i].cpus);
            out_end(out);
        }
    }
}

/* ---- sched ---- */

static void show_cpus(struct control_out *out)
{
    struct sched_cpu_stat s;

    out_list(out, CONTROL_TABLE);
    for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
        if (sched_cpu_stat(cpu, &s))
            continue;
        out_begin(out);
        out_u64(out, "cpu", 3, cpu);
        out_str(out, "policy", 8, s.policy);
        out_u64(out, "runnable", 8, s.runnable);
        out_str(out, "running", 16, s.running[0] ? s.running : NULL);
        out_str(out, "pinned", 16, s.pinned[0] ? s.pinned : NULL);
        out_u64(out, "switches", 10, s.switches);
        out_u64(out, "ticks", 10, s.ticks);
        out_u64(out, "idle-ms", 10, s.idle_ns / 1000000);
        out_end(out);
    }
}

static void sched_show(void *opaque, struct control_out *out)
{
    static const char *const states[] = {
        [TASK_READY] = "ready", [TASK_RUNNING] = "running", [TASK_BLOCKED] = "blocked", [TASK_DEAD] = "dead"};
    struct sched_task_stat t;

    (void)opaque;
    show_cpus(out);
    out_list(out, CONTROL_TABLE);
    for (unsigned i = 0; !sched_task_stat(i, &t); i++) {
        out_begin(out);
        out_str(out, "task", 16, t.name);
        out_str(out, "vm", 16, t.group);
        out_str(out, "state", 8, states[t.state]);
        out_u64(out, "cpu", 3, t.cpu);
        out_u64(out, "priority", 8, t.priority);
        out_u64(out, "time-ms", 10, t.time_ns / 1000000);
        out_u64(out, "switches", 10, t.switches);
        out_end(out);
    }
}

static int policy_refused(int err, unsigned cpu, const char *policy, char *why, size_t why_size)
{
    if (err == -ENOENT)
        fmt_snprintf(why, why_size, "policy '%s' is unknown; known: rr, fifo, priority", policy);
    else
        fmt_snprintf(why, why_size, "CPU: %u is not there; see sched show", cpu);
    return err;
}

/* cpu UINT32_MAX: all. */
static int sched_policy(void *opaque, unsigned cpu, const char *policy, char *why, size_t why_size)
{
    const struct host *h = opaque;
    int err = 0;

    if (cpu != UINT32_MAX) {
        err = sched_policy_set(cpu, policy);
        return err ? policy_refused(err, cpu, policy, why, why_size) : 0;
    }
    for (cpu = 0; !err && cpu < CPU_MAX; cpu++) {
        if (h->cpus >> cpu & 1)
            err = sched_policy_set(cpu, policy);
    }
    return err ? policy_refused(err, cpu - 1, policy, why, why_size) : 0;
}

/* Kept for the next time that the VM is created, too. */
static int sched_set(void *opaque, unsigned i, unsigned weight, unsigned budget, char *why, size_t why_size)
{
    struct bare_vm *b = vm_of(opaque, i);
    struct desc_sched s = b->config.desc.sched;
    int err;

    s.weight = weight ? weight : s.weight;
    s.budget = budget ? budget : s.budget;
    err = b->group ? group_set(b->group, s.weight, s.budget) : 0;
    if (err) {
        fmt_snprintf(why, why_size, "weight is 1 to 1000, budget at most 100 times the board's CPUs");
        return err;
    }
    b->config.desc.sched = b->desc.sched = s;
    if (b->vm)
        b->vm->desc.sched = s;
    return 0;
}

/* ---- log, stats, quit ---- */

static int log_line(void *opaque, unsigned i, char *buf, size_t size)
{
    (void)opaque;
    return bare_log_line(i, buf, size);
}

static void counter(struct control_out *out, const char *name, uint64_t value)
{
    out_begin(out);
    out_str(out, "counter", 32, name);
    out_u64(out, "value", 0, value);
    out_end(out);
}

static unsigned timers_set(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < cpu_count(); i++)
        n += ktimer_count(cpu_at(i)->timers);
    return n;
}

/* Inputs that somebody handles. */
static unsigned interrupts_taken(void)
{
    unsigned n = 0;

    for (struct irq_domain *d = irq_domain_first(); d; d = d->next) {
        for (unsigned i = 0; i < d->count; i++)
            n += d->lines[i].fn != NULL;
    }
    return n;
}

static void stats(void *opaque, struct control_out *out)
{
    struct host *h = opaque;
    struct net_switch_stat s;

    counter(out, "uptime-ms", plat_clock_ns() / 1000000);
    counter(out, "cpus", cpu_count());
    counter(out, "vms", h->count);
    heap_shrink(); /* what is kept for the next ones is free */
    counter(out, "memory-kib", frames_total() >> 10);
    counter(out, "memory-free-kib", frames_free() >> 10);
    counter(out, "timers", timers_set());
    counter(out, "interrupts", interrupts_taken());
    if (!h->sw)
        return;
    net_switch_stat(h->sw, &s);
    counter(out, "switch-ports", s.ports);
    counter(out, "switch-addresses", s.addresses);
    counter(out, "switch-frames", s.frames);
    counter(out, "switch-flooded", s.flooded);
    counter(out, "switch-dropped", s.dropped);
}

static void quit(void *opaque)
{
    struct host *h = opaque;

    h->quit(h->opaque);
}

const struct control_ops host_control = {
    .form = "bare",
    .vm_at = host_vm_at,
    .vm_act = host_vm_act,
    .vm_console = vm_console,
    .vcpu_affinity = vcpu_affinity,
    .vcpu_pin = vcpu_pin,
    .irq_list = irq_list,
    .sched_show = sched_show,
    .sched_policy = sched_policy,
    .sched_set = sched_set,
    .stats = stats,
    .log_line = log_line,
    .quit = quit,
};
