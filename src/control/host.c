/* What VMs stand on: sched, trace, stats, log. */
#include "control/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* ---- sched ---- */

int command_sched_show(struct call *k)
{
    if (!k->c->ops->sched_show)
        return refuse(k, -ENOTSUP,
                      "sched: the host's own scheduler runs the vCPUs of the %s form; see its tools",
                      k->c->ops->form);
    k->c->ops->sched_show(k->c->opaque, k->out);
    return 0;
}

int command_sched_policy(struct call *k)
{
    uint64_t cpu = UINT32_MAX;
    int err = 0;

    if (!k->c->ops->sched_policy)
        return not_here(k, "sched policy");
    if (strcmp(k->word[0], "all"))
        err = take_number(k, 0, "CPU", 63, &cpu);
    return err ? err : k->c->ops->sched_policy(k->c->opaque, (unsigned)cpu, k->word[1], k->why, k->why_size);
}

static int set(struct call *k, const char *what, unsigned max, bool budget)
{
    uint64_t n = 0;
    int err = take_number(k, 0, what, max, &n);

    if (err)
        return err;
    if (!k->c->ops->sched_set)
        return not_here(k, budget ? "sched budget" : "sched weight");
    if (!n)
        return refuse(k, -EINVAL, "%s: 0 is too small, 1 is the least", what);
    return k->c->ops->sched_set(k->c->opaque, k->vm_index, budget ? 0 : (unsigned)n, budget ? (unsigned)n : 0,
                                k->why, k->why_size);
}

int command_sched_weight(struct call *k)
{
    return set(k, "N", 1000, false);
}

int command_sched_budget(struct call *k)
{
    return set(k, "PERCENT", 6400, true);
}

int command_sched_pin(struct call *k)
{
    uint64_t cpu = UINT32_MAX;
    struct vcpu *v;
    int err = take_vcpu(k, 0, &v);

    if (!err && strcmp(k->word[1], "none"))
        err = take_number(k, 1, "HOSTCPU", 63, &cpu);
    if (err)
        return err;
    if (!k->c->ops->vcpu_pin)
        return not_here(k, "sched pin");
    return k->c->ops->vcpu_pin(k->c->opaque, k->vm_index, v->id, (unsigned)cpu, k->why, k->why_size);
}

/* ---- trace ---- */

int command_trace_start(struct call *k)
{
    int err = need_vm(k);

    return err ? err : trace_parse(&k->vm.vm->log, k->word[0], k->why, k->why_size);
}

int command_trace_stop(struct call *k)
{
    int err = need_vm(k);

    if (!err)
        k->vm.vm->log.trace = 0;
    return err;
}

static void emit_line(void *opaque, const char *line)
{
    out_line(opaque, line);
}

int command_trace_show(struct call *k)
{
    struct vcpu *v;
    int err = take_vcpu(k, 0, &v);

    if (err)
        return err;
    if (!v->vm->engine->history)
        return refuse(k, -ENOTSUP, "engine %s keeps no history of exits; `trace start` shows new ones",
                      v->vm->engine->name);
    v->vm->engine->history(v, emit_line, k->out);
    return 0;
}

/* ---- stats ---- */

static void emit_counter(void *opaque, const char *name, uint64_t value)
{
    struct control_out *o = opaque;

    out_begin(o);
    out_str(o, "counter", 32, name);
    out_u64(o, "value", 0, value);
    out_end(o);
}

int command_stats(struct call *k)
{
    int err;

    out_list(k->out, CONTROL_TABLE);
    if (!k->vm.name && k->c->ops->stats) {
        k->c->ops->stats(k->c->opaque, k->out);
        return 0;
    }
    if (!k->vm.name && !k->c->ops->vm_at(k->c->opaque, 0, &k->vm))
        return refuse(k, -EINVAL, "there are no VMs");
    err = need_vm(k);
    if (!err)
        vm_counters(k->vm.vm, emit_counter, k->out);
    return err;
}

/* ---- log ---- */

int command_log(struct call *k)
{
    char line[400];
    int err;

    if (k->vm.name) {
        err = need_vm(k);
        if (!err && !k->count)
            err = refuse(k, -EINVAL, "usage: log [VM SUBSYSTEM=LEVEL]");
        return err ? err : log_parse(&k->vm.vm->log, k->word[0], k->why, k->why_size);
    }
    if (!k->c->ops->log_line)
        return refuse(k, -ENOTSUP, "log: messages of the %s form are on its standard error", k->c->ops->form);
    for (unsigned i = 0; k->c->ops->log_line(k->c->opaque, i, line, sizeof(line)) >= 0; i++)
        out_line(k->out, line);
    return 0;
}
