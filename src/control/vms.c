/* help, quit, vm. */
#include "control/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* ---- help, quit ---- */

static void help_row(struct control_out *o, const struct command *cmd)
{
    char left[80], line[200];

    fmt_snprintf(left, sizeof(left), "%s%s%s", cmd->group, cmd->name ? " " : "", cmd->name ? cmd->name : "");
    if (o->json) {
        out_begin(o);
        out_str(o, "command", 0, left);
        out_str(o, "takes", 0, cmd->args);
        out_str(o, "does", 0, cmd->help);
        out_end(o);
        return;
    }
    fmt_snprintf(left, sizeof(left), "%s%s%s%s%s", cmd->group, cmd->name ? " " : "",
                 cmd->name ? cmd->name : "", cmd->args[0] ? " " : "", cmd->args);
    fmt_snprintf(line, sizeof(line), "%-44s %s", left, cmd->help);
    out_line(o, line);
}

int command_help(struct call *k)
{
    bool found = false;

    for (const struct command *cmd = commands; cmd->group; cmd++) {
        if (k->count && strcmp(cmd->group, k->word[0]))
            continue;
        if (k->count > 1 && (!cmd->name || strcmp(cmd->name, k->word[1])))
            continue;
        help_row(k->out, cmd);
        found = true;
    }
    if (!found)
        return refuse(k, -ENOENT, "there is no command '%s%s%s'; `help` lists them", k->word[0],
                      k->count > 1 ? " " : "", k->count > 1 ? k->word[1] : "");
    return 0;
}

int command_quit(struct call *k)
{
    if (!k->c->ops->quit)
        return not_here(k, "quit");
    k->c->ops->quit(k->c->opaque);
    return 0;
}

/* ---- what VMs there are ---- */

const char *vm_state_name(const struct control_vm *vm)
{
    static const char *const names[VM_STATES] = {
        [VM_CREATED] = "created", [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
        [VM_STOPPED] = "stopped", [VM_CRASHED] = "crashed",
    };
    enum vm_state s;

    if (!vm->vm)
        return "described";
    s = vm->vm->state;
    /* Its waiter has yet to notice. */
    if (vm->vm->ended && (s == VM_RUNNING || s == VM_PAUSED))
        return "ending";
    return names[s];
}

static const struct vm_desc *desc_of(const struct control_vm *vm)
{
    return vm->vm ? &vm->vm->desc : vm->desc;
}

int command_vm_list(struct call *k)
{
    struct control_vm vm;

    out_list(k->out, CONTROL_TABLE);
    for (unsigned i = 0; k->c->ops->vm_at(k->c->opaque, i, &vm); i++) {
        const struct vm_desc *d = desc_of(&vm);

        out_begin(k->out);
        out_str(k->out, "name", 16, vm.name);
        out_str(k->out, "state", 9, vm_state_name(&vm));
        out_str(k->out, "arch", 8, d->guest_arch);
        out_u64(k->out, "cpus", 4, d->smp);
        out_u64(k->out, "memory-mib", 10, d->memory >> 20);
        out_end(k->out);
    }
    return 0;
}

static void info_end(struct call *k)
{
    static const char *const ends[] = {[SYSTEM_POWEROFF] = "power off",
                                       [SYSTEM_RESET] = "reset",
                                       [SYSTEM_CRASH] = "crash",
                                       [SYSTEM_STATUS] = "status"};
    struct vm *vm = k->vm.vm;

    if (!vm || !vm->ended)
        return;
    out_str(k->out, "ended-by", 0, ends[vm->result.what]);
    out_u64(k->out, "status", 0, vm->result.status);
    out_str(k->out, "reason", 0, vm->result.reason);
}

static void info_files(struct call *k, const struct vm_desc *d)
{
    const struct {
        const char *key, *value;
    } files[] = {
        {"kernel", d->kernel}, {"initrd", d->initrd}, {"firmware", d->firmware}, {"append", d->append}};
    char key[16];

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (files[i].value)
            out_str(k->out, files[i].key, 0, files[i].value);
    }
    for (unsigned i = 0; i < d->disk_count; i++) {
        fmt_snprintf(key, sizeof(key), "disk%u", i);
        out_str(k->out, key, 0, d->disks[i].path);
    }
}

int command_vm_info(struct call *k)
{
    static const char *const nets[] = {
        [DESC_NET_NONE] = "none", [DESC_NET_NAT] = "nat", [DESC_NET_VSWITCH] = "vswitch"};
    const struct vm_desc *d = desc_of(&k->vm);

    out_list(k->out, CONTROL_PAIRS);
    out_begin(k->out);
    out_str(k->out, "name", 0, k->vm.name);
    out_str(k->out, "state", 0, vm_state_name(&k->vm));
    info_end(k);
    out_str(k->out, "arch", 0, d->guest_arch);
    out_str(k->out, "machine", 0, d->machine);
    out_str(k->out, "cpu", 0, d->cpu);
    out_u64(k->out, "cpus", 0, d->smp);
    out_u64(k->out, "memory-mib", 0, d->memory >> 20);
    if (k->vm.vm)
        out_str(k->out, "engine", 0, k->vm.vm->engine->name);
    info_files(k, d);
    out_str(k->out, "net-mode", 0, nets[d->net]);
    out_bool(k->out, "autostart", 0, !d->manual);
    out_str(k->out, "policy", 0, desc_policy_names[d->sched.policy]);
    out_u64(k->out, "weight", 0, d->sched.weight);
    out_u64(k->out, "budget", 0, d->sched.budget);
    out_end(k->out);
    return 0;
}

/* ---- acting on one ---- */

static int act(struct call *k, enum control_act a, const char *what)
{
    if (!k->c->ops->vm_act)
        return not_here(k, what);
    return k->c->ops->vm_act(k->c->opaque, k->vm_index, a, k->why, k->why_size);
}

int command_vm_create(struct call *k)
{
    return act(k, CONTROL_CREATE, "vm create");
}

int command_vm_start(struct call *k)
{
    return act(k, CONTROL_START, "vm start");
}

int command_vm_destroy(struct call *k)
{
    return act(k, CONTROL_DESTROY, "vm destroy");
}

/* Running or paused, and no end in sight. */
static int need_alive(struct call *k)
{
    int err = need_vm(k);

    if (!err && (k->vm.vm->ended || (k->vm.vm->state != VM_RUNNING && k->vm.vm->state != VM_PAUSED)))
        err = refuse(k, -EINVAL, "VM '%s' is %s, it does not run", k->vm.name, vm_state_name(&k->vm));
    return err;
}

int pause_vm(struct call *k)
{
    int err = vm_pause(k->vm.vm);

    if (err == -EBUSY)
        refuse(k, err,
               "VM '%s' does not come to rest: a device waits for the host; read its output, or: vm stop",
               k->vm.name);
    return err;
}

int command_vm_pause(struct call *k)
{
    int err = need_alive(k);

    if (!err && k->vm.vm->state == VM_PAUSED)
        err = refuse(k, -EINVAL, "VM '%s' is paused already", k->vm.name);
    return err ? err : pause_vm(k);
}

int command_vm_resume(struct call *k)
{
    int err = need_alive(k);

    if (!err && k->vm.vm->state != VM_PAUSED)
        err = refuse(k, -EINVAL, "VM '%s' is not paused", k->vm.name);
    return err ? err : vm_resume(k->vm.vm);
}

/* A paused one cannot end or begin again: its tasks stand still. */
static void wake_up(struct call *k)
{
    while (k->vm.vm->state == VM_PAUSED && !vm_resume(k->vm.vm))
        ;
}

int command_vm_stop(struct call *k)
{
    int err = need_alive(k);

    if (err)
        return err;
    vm_stop(k->vm.vm, SYSTEM_POWEROFF, 0, "ended from the monitor");
    wake_up(k);
    return 0;
}

int command_vm_reset(struct call *k)
{
    int err = need_alive(k);

    if (err)
        return err;
    vm_system(k->vm.vm, SYSTEM_RESET, 0, "reset from the monitor");
    wake_up(k);
    return 0;
}

int command_vm_console(struct call *k)
{
    int err = need_vm(k);

    if (err)
        return err;
    if (!k->c->ops->vm_console)
        return not_here(k, "vm console");
    return k->c->ops->vm_console(k->c->opaque, k->vm_index, k->why, k->why_size);
}
