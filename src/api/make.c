/* Choosing what a VM is made of, and making it; freestanding. */
#include "api/make.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "loader/loader.h"

/* ---- choosing ---- */

/* The ISA of the first file that says one. */
static int detect_arch(struct vm_desc *d, const char **from, char *why, size_t why_size)
{
    const char *const paths[] = {d->kernel, d->firmware};

    for (size_t i = 0; i < ARRAY_SIZE(paths) && !d->guest_arch; i++) {
        int err = paths[i] ? image_probe(paths[i], &d->guest_arch, why, why_size) : 0;

        if (err)
            return err;
        if (d->guest_arch)
            *from = paths[i];
    }
    if (!d->guest_arch) {
        fmt_snprintf(why, why_size,
                     d->kernel || d->firmware
                         ? "guest-arch: neither kernel nor firmware says its ISA; give --guest-arch"
                         : "nothing to boot; name a kernel (--kernel) or a firmware (--firmware)");
        return -EINVAL;
    }
    return 0;
}

static int choose_engine(const struct vm_desc *d, const struct engine_ops **out, const char **reason,
                         char *why, size_t why_size)
{
    char probe[200];

    if (strcmp(d->accel, "auto")) {
        *out = registry_engine_find(d->accel);
        *reason = "asked for";
        if (!*out) {
            const char *names[16] = {"auto"};
            char hint[160];
            size_t n = 1;

            for (; registry_engines[n - 1] && n < ARRAY_SIZE(names); n++)
                names[n] = registry_engines[n - 1]->name;
            fmt_hint(hint, sizeof(hint), d->accel, names, n);
            fmt_snprintf(why, why_size, "accel: '%s' is unknown; %s", d->accel, hint);
            return -EINVAL;
        }
        return (*out)->probe(why, why_size);
    }
    for (unsigned i = 0; registry_engines[i]; i++) {
        if (!registry_engines[i]->probe(probe, sizeof(probe))) {
            *out = registry_engines[i];
            *reason = i == 0 ? "the fastest for this guest on this host" : "the faster ones do not work here";
            return 0;
        }
    }
    fmt_snprintf(why, why_size, "no engine works on this host; see carbovisor doctor");
    return -ENOTSUP;
}

/* ---- checking ---- */

/* What is wanted beside each other. */
static int check_together(const struct vm_desc *d, char *why, size_t why_size)
{
    if (d->console && !strcmp(d->console, "stdio") && !strcmp(d->serial, "stdio")) {
        fmt_snprintf(why, why_size,
                     "console: serial has the terminal; give it another place (--serial none)");
        return -EINVAL;
    }
    if ((d->checkpoint_every || d->hash_dump) && !d->deterministic) {
        fmt_snprintf(why, why_size, "%s: needs --deterministic",
                     d->checkpoint_every ? "checkpoint-every" : "hash-dump");
        return -EINVAL;
    }
    if (d->hash_dump && !d->checkpoint_every) {
        fmt_snprintf(why, why_size, "hash-dump: needs --checkpoint-every");
        return -EINVAL;
    }
    if (d->forward_count && d->net != DESC_NET_NAT) {
        fmt_snprintf(why, why_size, "publish: %s",
                     d->deterministic ? "a --deterministic run has no network; leave one of them out"
                                      : "only --net-mode nat forwards ports; use that, or leave this out");
        return -EINVAL;
    }
    return 0;
}

/* A guest looks at the words there are: behind a comma at the end is none. */
static int check_cpu(const struct registry_guest *guest, const char *cpu, char *why, size_t why_size)
{
    size_t n = strlen(cpu);
    int err = guest->ops->cpu_check(cpu, why, why_size);

    if (err || !n || cpu[n - 1] != ',')
        return err;
    fmt_snprintf(why, why_size, "cpu: a feature is missing after a comma; write +FEATURE or -FEATURE");
    return -EINVAL;
}

static int check_desc(struct vm_desc *d, const struct registry_guest **guest,
                      const struct machine_ops **machine, char *why, size_t why_size)
{
    const char *from = NULL;
    int err = detect_arch(d, &from, why, why_size);

    if (err)
        return err;
    *guest = registry_guest_find(d->guest_arch);
    if (!*guest && from) {
        fmt_snprintf(why, why_size,
                     "%s: is for %s, and no such guests are supported; see carbovisor list guests", from,
                     d->guest_arch);
        return -EINVAL;
    }
    if (!*guest) {
        fmt_snprintf(why, why_size, "guest-arch: %s guests are not supported; see carbovisor list guests",
                     d->guest_arch);
        return -EINVAL;
    }
    *machine = machine_find(d->machine, d->guest_arch);
    if (!*machine) {
        fmt_snprintf(why, why_size, "machine: %s has no '%s'; see carbovisor list machines", d->guest_arch,
                     d->machine);
        return -EINVAL;
    }
    if (d->smp < 1 || d->smp > (*machine)->cpu_max) {
        fmt_snprintf(why, why_size, "smp: %u CPUs asked for; machine %s takes 1 to %u", d->smp, d->machine,
                     (*machine)->cpu_max);
        return -EINVAL;
    }
    err = check_cpu(*guest, d->cpu, why, why_size);
    if (err)
        return err;
    err = check_together(d, why, why_size);
    if (err)
        return err;
    return (*machine)->check(d, why, why_size);
}

int make_plan(struct make_plan *p, struct vm_desc *d, char *why, size_t why_size)
{
    int err;

    /* Frames come when the host likes. */
    if (d->deterministic)
        d->net = DESC_NET_NONE;
    err = check_desc(d, &p->guest, &p->machine, why, why_size);
    return err ? err : choose_engine(d, &p->engine, &p->engine_reason, why, why_size);
}

/* ---- life ---- */

int make_vm(struct vm **vm, struct machine_backends *b, const struct make_plan *p, const struct vm_desc *d,
            const struct make_form *form, char *why, size_t why_size)
{
    const struct guest_ops *guest = p->guest->ops;
    int err = guest->cpu_given ? guest->cpu_given(d->cpu, p->engine, why, why_size) : 0;

    *vm = NULL;
    *b = (struct machine_backends){0};
    if (!err)
        err = vm_create(vm, d, p->guest->ops, p->guest->lift, p->engine, why, why_size);
    if (!err)
        err = form->connect(form->opaque, *vm, b, why, why_size);
    if (!err)
        err = p->machine->build(*vm, b, why, why_size);
    if (!err)
        err = vm_load(*vm, why, why_size);
    return err;
}

static void backends_destroy(struct machine_backends *b)
{
    if (b->serial)
        b->serial->ops->destroy(b->serial);
    if (b->console)
        b->console->ops->destroy(b->console);
    if (b->net)
        b->net->ops->destroy(b->net);
    if (b->vars)
        b->vars->ops->destroy(b->vars);
    for (unsigned i = 0; i < DESC_DISKS; i++) {
        if (b->disk[i])
            b->disk[i]->ops->destroy(b->disk[i]);
    }
    *b = (struct machine_backends){0};
}

/* Devices use backends, and backends' work items use the VM. */
void make_destroy(struct vm *vm, struct machine_backends *b)
{
    if (vm)
        vm_shutdown(vm);
    backends_destroy(b);
    vm_destroy(vm);
}
