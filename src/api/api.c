/* libcarbovisor: the public functions over config, machine and core. */
#include <carbovisor/carbovisor.h>
#include "api/make.h"
#include "api/monitor.h"
#include "backend/block_raw.h"
#include "backend/char_stream.h"
#include "backend/net_switch.h"
#include "backend/net_user.h"
#include "backend/null.h"
#include "config/bundle.h"
#include <stdatomic.h>
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* Counted, since a VM keeps the strings of the description it was made from. */
struct cv_config {
    struct config c;
    _Atomic unsigned refs;
};

struct cv_vm {
    struct vm *vm;
    cv_config *config;   /* owns the strings of desc */
    struct vm_desc desc; /* resolved */
    struct machine_backends backends;
    const char *engine_reason;
    struct monitor *monitor;
    struct net_switch *sw; /* net-mode vswitch: with no other VM on it */
    bool inspect;          /* to be looked at only */
};

const char *cv_version(void)
{
    return CV_VERSION;
}

/* ---- configuration ---- */

cv_config *cv_config_create(void)
{
    cv_config *c = plat_alloc(sizeof(*c));

    if (c) {
        config_init(&c->c);
        atomic_store(&c->refs, 1);
    }
    return c;
}

void cv_config_destroy(cv_config *config)
{
    if (!config || atomic_fetch_sub(&config->refs, 1) > 1)
        return;
    config_fini(&config->c);
    plat_free(config);
}

int cv_config_set(cv_config *config, const char *key, const char *value, char *why, size_t why_size)
{
    return config_set(&config->c, key, value, why, why_size);
}

int cv_config_load(cv_config *config, const char *path, char *why, size_t why_size)
{
    return config_load(&config->c, path, why, why_size);
}

bool cv_config_option(unsigned i, const char **key, const char **arg, const char **help)
{
    if (i >= CONFIG_FLAGS)
        return false;
    *key = config_info[i].key;
    *arg = config_info[i].arg;
    *help = config_info[i].help;
    return true;
}

/* ---- backends ---- */

static void end_vm(void *opaque)
{
    struct cv_vm *cv = opaque;

    vm_stop(cv->vm, SYSTEM_POWEROFF, 0, "ended from the console");
}

static int no_memory(char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "no memory for the VM; free some on the host");
    return -ENOMEM;
}

/* Two disks of one file, of which one writes, would destroy it. */
static int disks_check(const struct vm_desc *d, char *why, size_t why_size)
{
    for (unsigned i = 0; i < d->disk_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            const struct desc_disk *a = &d->disks[j], *b = &d->disks[i];

            if ((a->read_only && b->read_only) || !block_raw_same(a->path, b->path))
                continue;
            fmt_snprintf(
                why, why_size,
                "disk: %s: the same file was given before (%s); name it once, or make both read-only (,ro)",
                b->path, a->path);
            return -EINVAL;
        }
    }
    return 0;
}

static bool same_file(const char *a, const char *b)
{
    return a && b && (!strcmp(a, b) || block_raw_same(a, b));
}

/* The name of what the VM reads, if that is the file. */
static const char *input_of(const struct cv_vm *cv, const char *path)
{
    const struct vm_desc *d = &cv->desc;
    const char *const single[] = {d->kernel, d->initrd, d->firmware};
    char vars[CONFIG_VALUE_MAX + 1];

    for (unsigned i = 0; i < ARRAY_SIZE(single); i++) {
        if (same_file(path, single[i]))
            return single[i];
    }
    for (unsigned i = 0; i < d->disk_count; i++) {
        if (same_file(path, d->disks[i].path))
            return d->disks[i].path;
    }
    for (unsigned i = 0; i < CONFIG_OPTIONS; i++) {
        if (same_file(path, cv->config->c.place[i].file))
            return "its description";
    }
    if (machine_option(d->machine_options, "vars", vars, sizeof(vars)) && same_file(path, vars))
        return "flash";
    return NULL;
}

/* One socket serves one of them. */
static int sockets_check(const struct vm_desc *d, char *why, size_t why_size)
{
    const char *const name[] = {"serial", "console", "monitor"};
    const char *const spec[] = {d->serial, d->console, d->monitor};

    for (unsigned i = 0; i < ARRAY_SIZE(spec); i++) {
        for (unsigned j = 0; j < i; j++) {
            if (!spec[i] || !spec[j] || strncmp(spec[i], "unix:", 5) || strcmp(spec[i], spec[j]))
                continue;
            fmt_snprintf(why, why_size, "%s: %s: the VM has that socket already (%s); name another", name[i],
                         spec[i] + 5, name[j]);
            return -EINVAL;
        }
    }
    return 0;
}

/* What is written from its beginning must be nothing that the VM needs. */
static int outputs_check(const struct cv_vm *cv, char *why, size_t why_size)
{
    const struct vm_desc *d = &cv->desc;
    const char *const name[] = {"serial", "console"}, *const spec[] = {d->serial, d->console};
    const char *first = NULL, *input;

    for (unsigned i = 0; i < ARRAY_SIZE(spec); i++) {
        if (!spec[i] || strncmp(spec[i], "file:", 5))
            continue;
        input = input_of(cv, spec[i] + 5);
        if (input || same_file(first, spec[i] + 5)) {
            fmt_snprintf(why, why_size, "%s: %s: the VM has that file already (%s); name another", name[i],
                         spec[i] + 5, input ? input : "serial");
            return -EINVAL;
        }
        first = spec[i] + 5;
    }
    return sockets_check(d, why, why_size);
}

typedef int open_fn(struct blockdev **out, const char *path, bool read_only, char *why, size_t why_size);

/* What a disk's errors mean for flash: it has one size, and is not read-only. */
static int refuse_vars(const char *path, uint64_t size, int err, char *why, size_t why_size)
{
    static const struct {
        int err;
        const char *text;
    } reasons[] = {
        {-EACCES, "the file's permissions forbid it; change them"},
        {-EPERM, "the file's permissions forbid it; change them"},
        {-EROFS, "it is on a read-only file system; copy it to another one"},
        {-EBUSY, "in use by another VM; stop that one, or give each a file of its own"},
        {-EISDIR, "is a directory; name a file in it"},
        {-ENODEV, "is neither a file nor a disk of the host; name one"},
        {-ENOTDIR, "there is no such file; check the path"},
        {-ENAMETOOLONG, "the path is too long; shorten it"},
        {-ELOOP, "links lead in a circle; name the file itself"},
        {-ENOMEM, "no memory to open it; free some on the host"},
    };
    unsigned long long mib = size >> 20;

    if (err == -ENOENT)
        fmt_snprintf(why, why_size, "vars: %s: there is no such file; create it (truncate -s %lluM FILE)",
                     path, mib);
    else if (err == -EINVAL)
        fmt_snprintf(
            why, why_size,
            "vars: %s: its size is not that of the flash, %llu MiB; change it (truncate -s %lluM FILE)", path,
            mib, mib);
    else
        fmt_snprintf(why, why_size, "vars: %s: the host cannot open it (error %d); check the file", path,
                     -err);
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i].err == err)
            fmt_snprintf(why, why_size, "vars: %s: %s", path, reasons[i].text);
    }
    return err;
}

/* The flash that is a file, if one is. */
static int vars_create(struct cv_vm *cv, open_fn *open, char *why, size_t why_size)
{
    const struct vm_desc *d = &cv->desc;
    uint64_t size = machine_find(d->machine, d->guest_arch)->vars_size;
    struct machine_backends *b = &cv->backends;
    char path[CONFIG_VALUE_MAX + 1];
    int err;

    if (!machine_option(d->machine_options, "vars", path, sizeof(path)))
        return 0;
    err = open(&b->vars, path, false, why, why_size);
    if (!err && b->vars->size != size)
        err = -EINVAL;
    return err ? refuse_vars(path, size, err, why, why_size) : 0;
}

/* The disks, and the flash that is a file. */
static int disks_create(struct cv_vm *cv, char *why, size_t why_size)
{
    open_fn *open = cv->inspect ? block_raw_inspect : block_raw_create;
    const struct vm_desc *d = &cv->desc;
    int err = disks_check(d, why, why_size);

    if (!err)
        err = outputs_check(cv, why, why_size);

    for (unsigned i = 0; !err && i < d->disk_count; i++)
        err = open(&cv->backends.disk[i], d->disks[i].path, d->disks[i].read_only, why, why_size);
    return err ? err : vars_create(cv, open, why, why_size);
}

/* Nothing that anybody could notice: no terminal, no process, no file. */
static int backends_inspect(struct cv_vm *cv, char *why, size_t why_size)
{
    const struct vm_desc *d = &cv->desc;
    struct machine_backends *b = &cv->backends;
    int err = disks_create(cv, why, why_size);

    if (!err)
        err = char_stream_check("serial", d->serial, why, why_size);
    if (!err && d->console)
        err = char_stream_check("console", d->console, why, why_size);
    if (!err && d->monitor)
        err = char_stream_check("monitor", d->monitor, why, why_size);
    if (!err && d->net != DESC_NET_NONE && !(b->net = null_net_create()))
        err = no_memory(why, why_size);
    if (!err && d->console && strcmp(d->console, "none") && !(b->console = null_char_create()))
        err = no_memory(why, why_size);
    return err;
}

/* A switch of its own: the guest finds the network that it has elsewhere, and nobody there. */
static int switch_create(struct cv_vm *cv, char *why, size_t why_size)
{
    cv->sw = net_switch_create();
    return cv->sw ? net_switch_port(&cv->backends.net, cv->sw, cv->vm, why, why_size)
                  : no_memory(why, why_size);
}

static int backends_create(struct cv_vm *cv, char *why, size_t why_size)
{
    const struct vm_desc *d = &cv->desc;
    bool commands = cv->monitor && !strcmp(d->monitor, "stdio");
    struct char_stream_hooks hooks = {.quit = end_vm,
                                      .opaque = cv,
                                      .monitor = commands ? monitor_input : NULL,
                                      .monitor_opaque = cv->monitor};
    struct machine_backends *b = &cv->backends;
    int err = disks_create(cv, why, why_size);

    if (!err && d->net == DESC_NET_NAT)
        err = net_user_create(&b->net, cv->vm, d->forwards, d->forward_count, why, why_size);
    if (!err && d->net == DESC_NET_VSWITCH)
        err = switch_create(cv, why, why_size);
    if (!err && strcmp(d->serial, "none"))
        err = char_stream_create(&b->serial, cv->vm, "serial", d->serial, hooks, why, why_size);
    if (!err && d->console && strcmp(d->console, "none"))
        err = char_stream_create(&b->console, cv->vm, "console", d->console, hooks, why, why_size);
    return err;
}

/* ---- life ---- */

/* A network that was asked for is not left out in silence, as the default is. */
static int plan(struct make_plan *p, struct vm_desc *d, const struct config *c, char *why, size_t why_size)
{
    if (d->deterministic && c->net_given && d->net != DESC_NET_NONE) {
        fmt_snprintf(why, why_size, "net-mode: a --deterministic run has no network; leave one of them out");
        return -EINVAL;
    }
    return make_plan(p, d, why, why_size);
}

int cv_config_check(const cv_config *config, char *why, size_t why_size)
{
    const struct config_place *place;
    struct vm_desc d = config->c.desc;
    struct make_plan p;
    char reason[4500]; /* may quote a path whole */
    int err = plan(&p, &d, &config->c, reason, sizeof(reason));

    place = err ? config_blame(&config->c, reason) : NULL;
    if (place)
        fmt_snprintf(why, why_size, "%s:%u:%u: %s", place->file, place->line, place->column, reason);
    else if (err)
        fmt_snprintf(why, why_size, "%s", reason);
    return err;
}

static int connect(void *opaque, struct vm *vm, struct machine_backends *b, char *why, size_t why_size)
{
    struct cv_vm *cv = opaque;

    (void)vm, (void)b; /* both are cv's */
    return cv->inspect ? backends_inspect(cv, why, why_size) : backends_create(cv, why, why_size);
}

/* ---- monitor ---- */

static bool monitor_vm_at(void *opaque, unsigned i, struct control_vm *out)
{
    struct cv_vm *cv = opaque;

    *out = (struct control_vm){cv->desc.name, cv->vm, &cv->desc};
    return i == 0;
}

static const struct control_ops monitor_ops = {.form = "hosted", .vm_at = monitor_vm_at, .quit = end_vm};

/* Who has the terminal, if a port of the guest has. */
static struct chardev *terminal_of(const struct cv_vm *cv)
{
    const struct vm_desc *d = &cv->desc;

    if (!strcmp(d->serial, "stdio"))
        return cv->backends.serial;
    return d->console && !strcmp(d->console, "stdio") ? cv->backends.console : NULL;
}

static int create(struct cv_vm *cv, char *why, size_t why_size)
{
    const struct make_form form = {connect, cv};
    struct make_plan p = {0};
    bool monitor = cv->desc.monitor && !cv->inspect;
    int err = plan(&p, &cv->desc, &cv->config->c, why, why_size);

    cv->engine_reason = p.engine_reason;
    if (!err && monitor && !(cv->monitor = monitor_create(&monitor_ops, cv)))
        err = no_memory(why, why_size);
    if (!err)
        err = make_vm(&cv->vm, &cv->backends, &p, &cv->desc, &form, why, why_size);
    if (!err && monitor)
        err = monitor_start(cv->monitor, cv->desc.monitor, terminal_of(cv), why, why_size);
    return err;
}

/* desc: the config's, or what is taken of it. */
static int create_as(cv_vm **out, cv_config *config, const struct vm_desc *desc, bool inspect, char *why,
                     size_t why_size)
{
    struct cv_vm *cv = plat_alloc(sizeof(*cv));
    int err;

    *out = NULL;
    if (!cv)
        return no_memory(why, why_size);
    atomic_fetch_add(&config->refs, 1);
    cv->config = config;
    cv->desc = *desc;
    cv->inspect = inspect;
    err = create(cv, why, why_size);
    if (err) {
        cv_vm_destroy(cv);
        return err;
    }
    *out = cv;
    return 0;
}

int cv_vm_create(cv_vm **out, cv_config *config, char *why, size_t why_size)
{
    return create_as(out, config, &config->c.desc, false, why, why_size);
}

int cv_vm_inspect(cv_vm **out, cv_config *config, char *why, size_t why_size)
{
    return create_as(out, config, &config->c.desc, true, why, why_size);
}

/*
 * What a bundle takes of a description, as far as files matter: engine, CPU model and interrupt controller
 * are the board's, disks of a file are only read, the rest is left out.
 */
static struct vm_desc bundled_desc(const struct vm_desc *whole, const struct make_plan *p)
{
    struct vm_desc d = {
        .name = whole->name,
        .guest_arch = whole->guest_arch,
        .accel = "auto",
        .machine = whole->machine,
        .cpu = p->guest->ops->cpu_models[0],
        .memory = whole->memory,
        .smp = whole->smp,
        .kernel = whole->kernel,
        .initrd = whole->initrd,
        .append = whole->append,
        .firmware = whole->firmware,
        .serial = "none",
        .log = whole->log,
    };

    for (unsigned i = 0; i < whole->disk_count; i++) {
        if (!config_is_board(whole->disks[i].path))
            d.disks[d.disk_count++] = (struct desc_disk){whole->disks[i].path, true};
    }
    return d;
}

/* Its files as cv_vm_inspect() looks at them. */
static int bundle_check(cv_config *config, char *why, size_t why_size)
{
    struct make_plan p = {0};
    struct vm_desc d;
    cv_vm *cv;
    int err = plan(&p, &config->c.desc, &config->c, why, why_size);

    if (err)
        return err;
    d = bundled_desc(&config->c.desc, &p);
    err = create_as(&cv, config, &d, true, why, why_size);
    cv_vm_destroy(cv);
    return err;
}

int cv_bundle_write(const char *path, cv_config *const *configs, unsigned count,
                    void (*note)(void *opaque, const char *line), void *opaque, char *why, size_t why_size)
{
    struct config *vms[BUNDLE_VMS];
    int err = 0;

    if (count > ARRAY_SIZE(vms)) {
        fmt_snprintf(why, why_size, "bundle: %u VMs were given; 1 to %u are possible", count, BUNDLE_VMS);
        return -EINVAL;
    }
    for (unsigned i = 0; !err && i < count; i++) {
        vms[i] = &configs[i]->c;
        err = bundle_check(configs[i], why, why_size);
    }
    return err ? err : bundle_write(path, vms, count, (struct bundle_notes){note, opaque}, why, why_size);
}

void cv_vm_destroy(cv_vm *cv)
{
    if (!cv)
        return;
    monitor_stop(cv->monitor);
    make_destroy(cv->vm, &cv->backends);
    monitor_destroy(cv->monitor);
    net_switch_destroy(cv->sw);
    cv_config_destroy(cv->config);
    plat_free(cv);
}

int cv_vm_start(cv_vm *cv, char *why, size_t why_size)
{
    if (cv->inspect) {
        fmt_snprintf(why, why_size, "the VM was made to be looked at; create one to start it");
        return -EINVAL;
    }
    if (cv->backends.serial)
        char_stream_begin(cv->backends.serial);
    if (cv->backends.console)
        char_stream_begin(cv->backends.console);
    return vm_start(cv->vm, why, why_size);
}

int cv_vm_wait(cv_vm *cv, int64_t ms, struct cv_result *result)
{
    static const enum cv_end ends[] = {[SYSTEM_POWEROFF] = CV_END_POWEROFF,
                                       [SYSTEM_RESET] = CV_END_RESET,
                                       [SYSTEM_CRASH] = CV_END_CRASH,
                                       [SYSTEM_STATUS] = CV_END_STATUS};
    struct vm_result r;
    int err = vm_wait(cv->vm, ms < 0 ? PLAT_FOREVER : plat_clock_ns() + (uint64_t)ms * 1000000, &r);

    if (err)
        return err;
    *result = (struct cv_result){.end = ends[r.what], .status = r.status};
    fmt_snprintf(result->reason, sizeof(result->reason), "%s", r.reason);
    result->output_lost = (cv->backends.serial && char_stream_lost(cv->backends.serial)) ||
                          (cv->backends.console && char_stream_lost(cv->backends.console));
    return 0;
}

void cv_vm_stop(cv_vm *cv)
{
    vm_stop(cv->vm, SYSTEM_POWEROFF, 0, "ended by its owner");
}

int cv_vm_power_button(cv_vm *cv)
{
    struct vm *vm = cv->vm;
    enum vm_state state;

    if (!vm->power_button)
        return -ENOTSUP;
    plat_lock(&vm->lock);
    state = vm->state;
    plat_unlock(&vm->lock);
    if (state != VM_RUNNING && state != VM_PAUSED)
        return -EINVAL;
    vm->power_button(vm);
    return 0;
}

int cv_vm_pause(cv_vm *cv)
{
    return vm_pause(cv->vm);
}

int cv_vm_resume(cv_vm *cv)
{
    return vm_resume(cv->vm);
}

/* ---- state ---- */

static struct vcpu *vcpu_get(cv_vm *cv, unsigned vcpu)
{
    return vcpu < cv->vm->vcpu_count && vm_is_still(cv->vm) ? cv->vm->vcpu[vcpu] : NULL;
}

int cv_vm_reg_get(cv_vm *cv, unsigned vcpu, const char *name, void *value, size_t size)
{
    struct vcpu *v = vcpu_get(cv, vcpu);

    return v ? vcpu_reg_get(v, name, value, size) : -EINVAL;
}

int cv_vm_reg_set(cv_vm *cv, unsigned vcpu, const char *name, const void *value, size_t size)
{
    struct vcpu *v = vcpu_get(cv, vcpu);

    return v ? vcpu_reg_set(v, name, value, size) : -EINVAL;
}

int cv_vm_mem_read(cv_vm *cv, uint64_t gpa, void *buf, size_t size)
{
    return mem_read(&cv->vm->mem, gpa, buf, size);
}

int cv_vm_mem_write(cv_vm *cv, uint64_t gpa, const void *buf, size_t size)
{
    return mem_write(&cv->vm->mem, gpa, buf, size);
}

int cv_vm_inject(cv_vm *cv, unsigned vcpu, unsigned kind, uint64_t number)
{
    struct vcpu *v = vcpu < cv->vm->vcpu_count ? cv->vm->vcpu[vcpu] : NULL;
    int err = v ? v->vm->guest->inject(v, kind, number) : -EINVAL;

    if (!err)
        vcpu_request(v, VCPU_REQ_IRQ);
    return err;
}

uint64_t cv_vm_hash(cv_vm *cv)
{
    return vm_is_still(cv->vm) ? vm_hash(cv->vm) : 0;
}

const char *cv_vm_engine(const cv_vm *cv, const char **reason)
{
    if (reason)
        *reason = cv->engine_reason;
    return cv->vm->engine->name;
}

void cv_vm_counters(cv_vm *cv, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque)
{
    vm_counters(cv->vm, emit, opaque);
}

/* What only the bare form will make use of, where any of it was set. */
static void describe_bare(const struct vm_desc *d, void (*emit)(void *opaque, const char *line), void *opaque)
{
    const struct desc_sched *s = &d->sched;
    char line[200], cpus[40] = "any", budget[24] = "none";

    if (!d->manual && s->policy == DESC_POLICY_RR && !s->priority && s->weight == 100 && !s->budget &&
        !s->affinity && !s->pin)
        return;
    if (s->affinity)
        fmt_snprintf(cpus, sizeof(cpus), "0x%llx", (unsigned long long)s->affinity);
    if (s->budget)
        fmt_snprintf(budget, sizeof(budget), "%u %%", s->budget);
    fmt_snprintf(line, sizeof(line),
                 "bare form: autostart %s, policy %s, priority %u, weight %u, budget %s, cpus %s, pin %s",
                 d->manual ? "no" : "yes", desc_policy_names[s->policy], s->priority, s->weight, budget, cpus,
                 s->pin ? "yes" : "no");
    emit(opaque, line);
}

void cv_vm_describe(cv_vm *cv, void (*emit)(void *opaque, const char *line), void *opaque)
{
    static const char *const kinds[] = {[MEM_RAM] = "ram", [MEM_ROM] = "rom", [MEM_MMIO] = "mmio"};
    const struct vm_desc *d = &cv->vm->desc;
    const struct mem_region *r;
    char line[200];

    fmt_snprintf(line, sizeof(line), "machine %s, %s, cpu %s x %u, memory %llu MiB, engine %s (%s)",
                 d->machine, d->guest_arch, d->cpu, d->smp, (unsigned long long)(d->memory >> 20),
                 cv->vm->engine->name, cv->engine_reason);
    emit(opaque, line);
    describe_bare(d, emit, opaque);
    for (unsigned i = 0; (r = mem_region_at(&cv->vm->mem, i)); i++) {
        fmt_snprintf(line, sizeof(line), "%012llx-%012llx %-4s %s", (unsigned long long)r->base,
                     (unsigned long long)(r->base + r->size - 1), kinds[r->kind], r->name);
        emit(opaque, line);
    }
}

/* ---- lists ---- */

bool cv_list(enum cv_kind kind, unsigned i, const char **name, const char **summary)
{
    switch (kind) {
    case CV_GUESTS:
        *name = registry_guests[i].ops ? registry_guests[i].ops->name : NULL;
        *summary = registry_guests[i].ops ? registry_guests[i].ops->summary : NULL;
        return *name;
    case CV_ENGINES:
        *name = registry_engines[i] ? registry_engines[i]->name : NULL;
        *summary = registry_engines[i] ? registry_engines[i]->summary : NULL;
        return *name;
    case CV_MACHINES:
        *name = machines[i] ? machines[i]->name : NULL;
        *summary = machines[i] ? machines[i]->summary : NULL;
        return *name;
    case CV_DEVICES:
        *name = registry_devices[i].name;
        *summary = registry_devices[i].summary;
        return *name;
    }
    return false;
}

int cv_engine_probe(unsigned i, char *why, size_t why_size)
{
    return registry_engines[i]->probe(why, why_size);
}
