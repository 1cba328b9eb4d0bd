/* Making, starting, ending the VMs of a board. */
#include "app/bare/host.h"
#include "app/bare/defaults.h"
#include "backend/block_raw.h"
#include "backend/char_stream.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "lib/sum.h"
#include "platform/bare/panic.h"
#include "platform/bare/sched/sched.h"

static void say(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void say(const char *fmt, ...)
{
    char line[300];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    plat_log_line(line, fmt_fitted(n, sizeof(line)));
}

/* ---- scheduling ---- */

/* Priorities of descriptions are 0 to 255, those of the scheduler fewer. */
static unsigned priority_of(const struct desc_sched *s)
{
    return s->priority ? s->priority * PRIORITIES / 256 : 8;
}

static bool has_byte(const uint8_t *p, size_t n, uint8_t byte)
{
    while (n && *p != byte)
        p++, n--;
    return n;
}

int host_pin(struct bare_vm *b, unsigned vcpu, unsigned cpu)
{
    struct plat_task *t;
    int err = 0;

    plat_lock(&b->vm->lock);
    t = b->vm->vcpu[vcpu]->task;
    if (cpu)
        err = t ? sched_pin(cpu, t) : -ENOENT;
    if (!err && b->pinned[vcpu] && b->pinned[vcpu] != cpu)
        sched_pin(b->pinned[vcpu], NULL);
    if (!err)
        b->pinned[vcpu] = (uint8_t)cpu;
    plat_unlock(&b->vm->lock);
    return err;
}

/* The first CPU but 0 that the VM may have. */
static int pin_any(struct bare_vm *b, unsigned vcpu)
{
    uint64_t may = b->desc.sched.affinity ? b->desc.sched.affinity : UINT64_MAX;

    for (unsigned cpu = 1; cpu < 64; cpu++) {
        if ((may & BIT(cpu)) && !has_byte(b->pinned, b->vm->vcpu_count, (uint8_t)cpu) &&
            !host_pin(b, vcpu, cpu))
            return 0;
    }
    return -EBUSY;
}

static void unpin_all(struct bare_vm *b)
{
    plat_lock(&b->vm->lock);
    for (unsigned i = 0; i < VM_MAX_VCPUS; i++) {
        if (b->pinned[i])
            sched_pin(b->pinned[i], NULL);
        b->pinned[i] = 0;
    }
    plat_unlock(&b->vm->lock);
}

/* What cannot be had is said, and the VM runs without. */
static void schedule(struct vm *vm, void *opaque)
{
    struct bare_vm *b = opaque;
    const struct desc_sched *s = &vm->desc.sched;

    unpin_all(b); /* of tasks that are gone, after a reset */
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct plat_task *t = vm->vcpu[i]->task;

        if (s->affinity && task_affinity_set(t, s->affinity))
            say("VM '%s': sched.affinity: none of these CPUs is there; vCPU %u runs on any", b->desc.name, i);
        if (s->priority)
            task_priority_set(t, MIN(priority_of(s), PRIORITIES - 1u));
        if (s->pin && pin_any(b, i))
            say("VM '%s': sched.pin: no CPU is left for vCPU %u; it shares one", b->desc.name, i);
    }
    for (unsigned cpu = 0; s->policy != DESC_POLICY_RR && cpu < 64; cpu++) {
        if (!s->affinity || (s->affinity >> cpu & 1))
            sched_policy_set(cpu, desc_policy_names[s->policy]);
    }
}

/* ---- what the VM stands on ---- */

/* Disks are read a sector at a time: their sums are checked once, before. */
static int verify_disk(const struct host *h, const char *path, char *why, size_t why_size)
{
    struct bundle_file f;

    for (unsigned i = 0; i < h->bundle.file_count; i++) {
        bundle_file(&h->bundle, i, &f);
        if (strcmp(f.name, path) || sum64(f.data, f.size) == f.sum)
            continue;
        fmt_snprintf(why, why_size,
                     "disk: %s: is damaged: its checksum is wrong; make and copy the bundle again", path);
        return -EINVAL;
    }
    return 0;
}

static int connect_disks(struct bare_vm *b, struct machine_backends *m, char *why, size_t why_size)
{
    int err = 0;

    for (unsigned i = 0; !err && i < b->desc.disk_count; i++) {
        const struct desc_disk *d = &b->desc.disks[i];

        err = verify_disk(b->host, d->path, why, why_size);
        if (!err)
            err = block_raw_create(&m->disk[i], d->path, d->read_only, why, why_size);
    }
    return err;
}

static int connect(void *opaque, struct vm *vm, struct machine_backends *m, char *why, size_t why_size)
{
    const struct char_stream_hooks hooks = {0};
    struct bare_vm *b = opaque;
    char spec[80];
    int err = connect_disks(b, m, why, why_size);

    vm->started = schedule;
    vm->started_opaque = b;
    fmt_snprintf(spec, sizeof(spec), "vm:%s", b->desc.name);
    if (!err && strcmp(b->desc.serial, "none"))
        err = char_stream_create(&m->serial, vm, "serial", spec, hooks, why, why_size);
    else if (!err && b->desc.console) /* beside no serial port only, see make_plan() */
        err = char_stream_create(&m->console, vm, "console", spec, hooks, why, why_size);
    if (!err && b->desc.net != DESC_NET_NONE)
        err = net_switch_port(&m->net, b->host->sw, vm, why, why_size);
    return err;
}

/* ---- life; one command at a time ---- */

static int create(struct bare_vm *b, char *why, size_t why_size)
{
    const struct make_form form = {connect, b};
    struct group *before;
    struct make_plan plan;
    int err;

    if (b->vm) {
        fmt_snprintf(why, why_size, "VM '%s' is created already; destroy it first", b->desc.name);
        return -EEXIST;
    }
    b->desc = b->config.desc;
    err = board_machine(&b->desc, why, why_size);
    if (err)
        return err;
    err = group_create(&b->group, b->desc.name, b->desc.sched.weight, b->desc.sched.budget);
    if (err) {
        b->group = NULL;
        fmt_snprintf(why, why_size, "no memory for the VM; destroy another");
        return err;
    }
    before = group_enter(b->group);
    err = make_plan(&plan, &b->desc, why, why_size);
    if (!err)
        err = make_vm(&b->vm, &b->backends, &plan, &b->desc, &form, why, why_size);
    group_enter(before);
    if (!err)
        return 0;
    make_destroy(b->vm, &b->backends);
    b->vm = NULL;
    group_destroy(b->group);
    b->group = NULL;
    return err;
}

static void destroy(struct bare_vm *b)
{
    if (!b->vm)
        return;
    vm_stop(b->vm, SYSTEM_POWEROFF, 0, "destroyed");
    while (b->vm->state == VM_PAUSED && !vm_resume(b->vm))
        ;
    if (b->waiter)
        plat_task_join(b->waiter);
    b->waiter = NULL;
    unpin_all(b);
    make_destroy(b->vm, &b->backends);
    b->vm = NULL;
    group_destroy(b->group);
    b->group = NULL;
}

static void say_line(void *opaque, const char *line)
{
    (void)opaque;
    say("  %s", line);
}

/* What led to the end of a guest that did not mean to. */
static void say_history(struct vm *vm)
{
    for (unsigned i = 0; vm->engine->history && i < vm->vcpu_count; i++) {
        say("  the last exits of vCPU %u:", i);
        vm->engine->history(vm->vcpu[i], say_line, NULL);
    }
}

/*
 * A bug or a fault of ours in that vCPU's task: its VM ends, the others go on. It may have held locks, and
 * its devices may be half way through something, so it stays as it is.
 */
static void vcpu_broke(struct vcpu *v, const char *why)
{
    struct bare_vm *b = v->vm->started_opaque;

    atomic_store(&b->broken, true);
    vm_stop(v->vm, SYSTEM_CRASH, 0, why);
    vcpu_detach(v);
}

static int refuse_broken(const struct bare_vm *b, char *why, size_t why_size)
{
    if (!atomic_load(&b->broken))
        return 0;
    fmt_snprintf(why, why_size,
                 "VM '%s' ended by an internal error (see log) and is not touched again; restart the board",
                 b->desc.name);
    return -EIO;
}

static void wait_for_end(void *opaque)
{
    static const char *const ends[] = {[SYSTEM_POWEROFF] = "powered off",
                                       [SYSTEM_RESET] = "reset itself (no-reboot)",
                                       [SYSTEM_CRASH] = "crashed",
                                       [SYSTEM_STATUS] = "ended with a status"};
    struct bare_vm *b = opaque;
    struct vm_result r;

    if (vm_wait(b->vm, PLAT_FOREVER, &r))
        return;
    unpin_all(b);
    if (r.what == SYSTEM_STATUS)
        say("VM '%s' %s %u", b->desc.name, ends[r.what], r.status);
    else
        say("VM '%s' %s: %s", b->desc.name, ends[r.what], r.reason);
    if (r.what == SYSTEM_CRASH)
        say_history(b->vm);
}

static int start_tasks(struct bare_vm *b, char *why, size_t why_size)
{
    struct group *before = group_enter(b->group);
    int err = vm_start(b->vm, why, why_size);

    if (!err) {
        err = plat_task_start(&b->waiter, b->desc.name, wait_for_end, b);
        if (err)
            fmt_snprintf(why, why_size, "no memory for a task; destroy another VM");
    }
    group_enter(before);
    return err;
}

/* One that ended is made anew, so that it starts as from power on. */
static int start(struct bare_vm *b, char *why, size_t why_size)
{
    int err = refuse_broken(b, why, why_size);

    if (err)
        return err;
    if (b->vm && !b->vm->ended && b->vm->state != VM_CREATED) {
        fmt_snprintf(why, why_size, "VM '%s' runs already", b->desc.name);
        return -EINVAL;
    }
    if (b->vm && b->vm->state != VM_CREATED)
        destroy(b);
    if (!b->vm)
        err = create(b, why, why_size);
    if (err)
        return err;
    err = start_tasks(b, why, why_size);
    if (err)
        destroy(b);
    else
        say("VM '%s' started", b->desc.name);
    return err;
}

/* ---- the board's VMs ---- */

static int add_files(struct host *h, char *why, size_t why_size)
{
    struct bundle_file f;
    int err = 0;

    for (unsigned i = 0; !err && i < h->bundle.file_count; i++) {
        bundle_file(&h->bundle, i, &f);
        err = memfile_add(f.name, f.data, f.size, f.sum);
    }
    if (err)
        fmt_snprintf(why, why_size, "bundle: no memory for its files");
    return err;
}

static int open_bundle(struct host *h, const struct bare_boot *boot, char *why, size_t why_size)
{
    int err =
        bundle_open(&h->bundle, boot->bundle, boot->bundle_size, registry_guests[0].ops->name, why, why_size);

    if (!err)
        err = add_files(h, why, why_size);
    for (unsigned i = 0; !err && i < h->bundle.vm_count; i++) {
        struct bare_vm *b = &h->vms[i];

        b->host = h;
        config_init(&b->config);
        err = bundle_vm(&h->bundle, i, &b->config, why, why_size);
        b->desc = b->config.desc;
        h->count = i + 1;
    }
    return err;
}

void host_init(struct host *h, const struct bare_boot *boot)
{
    char why[300];

    h->cpus = cpu_online_mask();
    panic_vcpu_hook(vcpu_broke);
    h->sw = net_switch_create();
    if (!h->sw)
        say("no memory for the switch");
    else if (!boot->bundle)
        say("no bundle: hand one over as the initrd (carbovisor bundle VM.yaml... -o FILE)");
    else if (open_bundle(h, boot, why, sizeof(why))) {
        say("%s", why);
        h->count = 0;
    }
}

static void uplink_send(void *opaque, const void *frame, size_t len)
{
    const struct host *h = opaque;

    bare_net_send(h->uplink_nic, frame, len); /* what finds no room there is lost */
}

static void uplink_receive(void *opaque, const void *frame, size_t len)
{
    const struct host *h = opaque;

    net_switch_input(h->uplink, frame, len);
}

void host_uplink(struct host *h, unsigned nic)
{
    uint8_t mac[6];

    h->uplink_nic = nic;
    if (nic >= bare_net_count())
        say("uplink: the board has no network device %u", nic);
    else if (!h->sw || net_switch_uplink(&h->uplink, h->sw, uplink_send, h) ||
             bare_net_start(nic, uplink_receive, h, mac))
        say("uplink: network device %u cannot be used", nic);
}

void host_autostart(struct host *h)
{
    char why[300];

    for (unsigned i = 0; i < h->count; i++) {
        struct bare_vm *b = &h->vms[i];

        if (!b->desc.manual && start(b, why, sizeof(why)))
            say("VM '%s' cannot start: %s", b->desc.name, why);
    }
}

void host_fini(struct host *h)
{
    for (unsigned i = 0; i < h->count; i++) {
        if (!atomic_load(&h->vms[i].broken))
            destroy(&h->vms[i]);
        config_fini(&h->vms[i].config);
    }
    net_switch_destroy(h->sw);
}

/* ---- control ---- */

bool host_vm_at(void *opaque, unsigned i, struct control_vm *out)
{
    struct host *h = opaque;

    if (i >= h->count)
        return false;
    *out = (struct control_vm){h->vms[i].config.desc.name, h->vms[i].vm, &h->vms[i].desc};
    return true;
}

int host_vm_act(void *opaque, unsigned i, enum control_act act, char *why, size_t why_size)
{
    struct bare_vm *b = &((struct host *)opaque)->vms[i];

    switch (act) {
    case CONTROL_CREATE:
        return create(b, why, why_size);
    case CONTROL_START:
        return start(b, why, why_size);
    case CONTROL_DESTROY:
        if (!b->vm) {
            fmt_snprintf(why, why_size, "VM '%s' is not created", b->desc.name);
            return -EINVAL;
        }
        if (refuse_broken(b, why, why_size))
            return -EIO;
        destroy(b);
        return 0;
    }
    return -EINVAL;
}
