/* What a VM is made of: vcpu, mem, irq, dev. */
#include "control/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

int take_number(struct call *k, unsigned i, const char *what, uint64_t max, uint64_t *out)
{
    if (fmt_parse_u64(k->word[i], out))
        return refuse(k, -EINVAL, "%s: '%s' is no number", what, k->word[i]);
    if (*out > max)
        return refuse(k, -EINVAL, "%s: %s is too large, at most %llu is possible", what, k->word[i],
                      (unsigned long long)max);
    return 0;
}

int take_vcpu(struct call *k, unsigned i, struct vcpu **v)
{
    uint64_t n = 0;
    int err = need_vm(k);

    if (!err && i < k->count)
        err = take_number(k, i, "CPU", k->vm.vm->vcpu_count - 1, &n);
    if (!err)
        *v = k->vm.vm->vcpu[n];
    return err;
}

int hold(struct call *k, bool *held)
{
    int err = 0;

    *held = k->vm.vm->state == VM_RUNNING && !k->vm.vm->ended;
    if (*held)
        err = pause_vm(k);
    if (err == -EBUSY)
        return err;
    *held = *held && !err; /* it may have ended meanwhile */
    return 0;
}

void let_go(struct call *k, bool held)
{
    if (held)
        vm_resume(k->vm.vm);
}

static void emit_line(void *opaque, const char *line)
{
    out_line(opaque, line);
}

/* "name = value", as tables of state are shown. */
static void emit_field(void *opaque, const char *line)
{
    struct control_out *o = opaque;
    const char *eq = strchr(line, '=');
    char name[80];
    size_t len = eq ? (size_t)(eq - line) : 0;

    if (!o->json || !eq || len >= sizeof(name)) {
        emit_line(o, line);
        return;
    }
    while (len && line[len - 1] == ' ')
        len--;
    memcpy(name, line, len);
    name[len] = 0;
    out_begin(o);
    out_str(o, "name", 0, name);
    out_str(o, "value", 0, eq + 1 + (eq[1] == ' '));
    out_end(o);
}

/* ---- vcpu ---- */

int command_vcpu_list(struct call *k)
{
    static const char *const states[VCPU_STATES] = {"created", "free",    "ready",
                                                    "running", "blocked", "invalid"};
    static const char *const powers[] = {"off", "on-pending", "on", "suspended"};
    int err = need_vm(k);

    out_list(k->out, CONTROL_TABLE);
    for (unsigned i = 0; !err && i < k->vm.vm->vcpu_count; i++) {
        const struct vcpu *v = k->vm.vm->vcpu[i];
        uint64_t exits = 0;

        for (unsigned e = 0; e < EXIT_KINDS; e++)
            exits += v->exits[e];
        out_begin(k->out);
        out_u64(k->out, "cpu", 3, i);
        out_str(k->out, "state", 8, states[atomic_load(&v->state)]);
        out_str(k->out, "power", 10, powers[atomic_load(&v->power)]);
        out_u64(k->out, "interrupts", 10, v->stat.irqs);
        out_u64(k->out, "exits", 12, exits);
        out_end(k->out);
    }
    return err;
}

static bool has_field(const struct state_field *f, const char *name)
{
    while (f->name && strcmp(f->name, name))
        f++;
    return f->name;
}

int command_vcpu_regs(struct call *k)
{
    struct vcpu *v;
    char line[40];
    int err = take_vcpu(k, 0, &v);
    bool held;

    if (!err)
        err = hold(k, &held);
    if (err)
        return err;
    if (v->vm->engine->pull)
        v->vm->engine->pull(v, REGS_ALL);
    if (!has_field(v->vm->guest->state, "pc")) {
        fmt_snprintf(line, sizeof(line), "cpu%u.pc = %016llx", v->id, (unsigned long long)v->pc);
        emit_field(k->out, line);
    }
    fmt_snprintf(line, sizeof(line), "cpu%u", v->id);
    state_dump(v->vm->guest->state, v, line, emit_field, k->out);
    let_go(k, held);
    return 0;
}

int command_vcpu_affinity(struct call *k)
{
    const char *s = k->word[1];
    uint64_t mask = 0, cpu = 0;
    struct vcpu *v;
    int err = take_vcpu(k, 0, &v);

    if (err)
        return err;
    if (!k->c->ops->vcpu_affinity)
        return not_here(k, "vcpu affinity");
    while (*s) {
        const char *comma = strchr(s, ',');
        size_t len = comma ? (size_t)(comma - s) : strlen(s);
        char one[8];

        fmt_snprintf(one, sizeof(one), "%.*s", (int)MIN(len, sizeof(one) - 1), s);
        if (fmt_parse_u64(one, &cpu) || cpu > 63)
            return refuse(k, -EINVAL, "HOSTCPU: '%s' is no CPU of the host, such as 0 or 0,2", k->word[1]);
        mask |= BIT(cpu);
        s += len + (comma != NULL);
    }
    return k->c->ops->vcpu_affinity(k->c->opaque, k->vm_index, v->id, mask, k->why, k->why_size);
}

/* ---- mem ---- */

int command_mem_list(struct call *k)
{
    static const char *const kinds[] = {[MEM_RAM] = "ram", [MEM_ROM] = "rom", [MEM_MMIO] = "mmio"};
    const struct mem_region *r;
    int err = need_vm(k);

    out_list(k->out, CONTROL_TABLE);
    for (unsigned i = 0; !err && (r = mem_region_at(&k->vm.vm->mem, i)); i++) {
        out_begin(k->out);
        out_hex(k->out, "from", 14, r->base);
        out_hex(k->out, "to", 14, r->base + r->size - 1);
        out_str(k->out, "kind", 4, kinds[r->kind]);
        out_str(k->out, "name", 0, r->name);
        out_end(k->out);
    }
    return err;
}

static void show_bytes(struct control_out *o, gpa_t at, const uint8_t *p, size_t n)
{
    char hex[16 * 3 + 1] = "", text[17];

    for (size_t i = 0; i < n; i++) {
        fmt_snprintf(hex + i * 3, 4, "%02x ", p[i]);
        text[i] = (char)(p[i] >= ' ' && p[i] <= '~' ? p[i] : '.');
    }
    text[n] = 0;
    if (n)
        hex[n * 3 - 1] = 0;
    out_begin(o);
    out_hex(o, "address", 12, at);
    out_str(o, "bytes", 47, hex);
    out_str(o, "text", 16, text);
    out_end(o);
}

int command_mem_read(struct call *k)
{
    uint64_t at = 0, len = 64;
    uint8_t buf[16];
    int err = need_vm(k);

    if (!err)
        err = take_number(k, 0, "ADDRESS", UINT64_MAX, &at);
    if (!err && k->count > 1)
        err = take_number(k, 1, "LENGTH", 4096, &len);
    out_list(k->out, CONTROL_TABLE);
    for (uint64_t i = 0; !err && i < len; i += sizeof(buf)) {
        size_t n = (size_t)MIN(len - i, (uint64_t)sizeof(buf));

        if (mem_read(&k->vm.vm->mem, at + i, buf, n))
            return refuse(k, -EFAULT, "ADDRESS: not all of 0x%llx to 0x%llx is memory; see mem list",
                          (unsigned long long)(at + i), (unsigned long long)(at + i + n - 1));
        show_bytes(k->out, at + i, buf, n);
    }
    return err;
}

int command_mem_write(struct call *k)
{
    uint8_t buf[CONTROL_WORDS];
    uint64_t at = 0, byte = 0;
    int err = need_vm(k);

    if (!err)
        err = take_number(k, 0, "ADDRESS", UINT64_MAX, &at);
    for (unsigned i = 1; !err && i < k->count; i++) {
        err = take_number(k, i, "BYTE", 255, &byte);
        buf[i - 1] = (uint8_t)byte;
    }
    if (!err && mem_write(&k->vm.vm->mem, at, buf, k->count - 1))
        err = refuse(k, -EFAULT, "ADDRESS: not all of 0x%llx to 0x%llx is RAM; see mem list",
                     (unsigned long long)at, (unsigned long long)(at + k->count - 2));
    return err;
}

/* ---- irq ---- */

int command_irq_list(struct call *k)
{
    int err;

    if (!k->vm.name && k->c->ops->irq_list) {
        k->c->ops->irq_list(k->c->opaque, k->out);
        return 0;
    }
    if (!k->vm.name && !k->c->ops->vm_at(k->c->opaque, 0, &k->vm))
        return refuse(k, -EINVAL, "there are no VMs");
    err = need_vm(k);
    out_list(k->out, CONTROL_TABLE);
    for (unsigned i = 0; !err && i < k->vm.vm->vcpu_count; i++) {
        struct vcpu *v = k->vm.vm->vcpu[i];

        out_begin(k->out);
        out_u64(k->out, "cpu", 3, i);
        out_u64(k->out, "taken", 12, v->stat.irqs);
        out_bool(k->out, "waits", 5, atomic_load(&v->request) & VCPU_REQ_IRQ);
        out_end(k->out);
    }
    return err;
}

/* ---- dev ---- */

int command_dev_list(struct call *k)
{
    int err = need_vm(k);

    out_list(k->out, CONTROL_TABLE);
    for (const struct device *d = err ? NULL : k->vm.vm->devices; d; d = d->next) {
        out_begin(k->out);
        out_str(k->out, "device", 12, d->id);
        out_str(k->out, "type", 14, d->ops->name);
        out_hex(k->out, "base", 12, d->base);
        out_hex(k->out, "size", 10, d->size);
        out_end(k->out);
    }
    return err;
}

static int unknown_device(struct call *k)
{
    const char *names[64];
    char hint[400];
    unsigned n = 0;

    for (const struct device *d = k->vm.vm->devices; d && n < ARRAY_SIZE(names); d = d->next)
        names[n++] = d->id;
    fmt_hint(hint, sizeof(hint), k->word[0], names, n);
    return refuse(k, -ENOENT, "DEVICE: '%s' is unknown; %s", k->word[0], hint);
}

int command_dev_info(struct call *k)
{
    struct device *d;
    int err = need_vm(k);
    bool held;

    if (err)
        return err;
    d = vm_device(k->vm.vm, k->word[0]);
    if (!d)
        return unknown_device(k);
    err = hold(k, &held);
    if (err)
        return err;
    plat_lock(&d->lock);
    state_dump(d->ops->state, d, d->id, emit_field, k->out);
    plat_unlock(&d->lock);
    let_go(k, held);
    return 0;
}
