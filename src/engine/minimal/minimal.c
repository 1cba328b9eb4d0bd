/* The minimal engine: fetch, execute, exit. Every access takes the long way through guest and core. */
#include "engine/minimal/minimal.h"
#include "engine/minimal/script.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* The registers live here while the vCPU is set up; pull and push copy them from and to the guest's. */
struct minimal_vcpu {
    uint64_t r[SCRIPT_REGS];
    uint64_t *guest_r; /* in the vCPU, by the guest's state table */
};

static struct minimal_vcpu *own(struct vcpu *v)
{
    return v->engine;
}

struct minimal_told *minimal_told(struct vm *vm)
{
    return vm->engine_vm;
}

static int minimal_probe(char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "works on every host");
    return 0;
}

static int minimal_vm_init(struct vm *vm)
{
    vm->engine_vm = plat_alloc(sizeof(struct minimal_told));
    return vm->engine_vm ? 0 : -ENOMEM;
}

static void minimal_vm_fini(struct vm *vm)
{
    plat_free(vm->engine_vm);
}

static int minimal_vcpu_init(struct vcpu *v)
{
    const struct state_field *f = v->vm->guest->state;

    while (f->name && strcmp(f->name, "r"))
        f++;
    if (!f->name || f->size != sizeof(uint64_t) || f->count != SCRIPT_REGS)
        return -ENOTSUP;
    v->engine = plat_alloc(sizeof(struct minimal_vcpu));
    if (!v->engine)
        return -ENOMEM;
    own(v)->guest_r = (uint64_t *)((char *)v + f->offset);
    return 0;
}

static void minimal_vcpu_fini(struct vcpu *v)
{
    plat_free(v->engine);
    v->engine = NULL;
}

static void minimal_pull(struct vcpu *v, unsigned groups)
{
    minimal_told(v->vm)->pulls++;
    if (groups & REGS_GENERAL)
        memcpy(own(v)->guest_r, own(v)->r, sizeof(own(v)->r));
}

static void minimal_push(struct vcpu *v, unsigned groups)
{
    minimal_told(v->vm)->pushes++;
    if (groups & REGS_GENERAL)
        memcpy(own(v)->r, own(v)->guest_r, sizeof(own(v)->r));
}

/* ---- one instruction ---- */

/* Leaves with an exit that the run loop resolves; pc is that of the next instruction. */
static bool leave(struct vcpu *v, struct exit e)
{
    v->pc += sizeof(struct script);
    v->exit = e;
    return false;
}

/*
 * The device's part of an access is resolved here, inside the instruction. The guest folder may look at
 * registers when it takes an exception, so they are handed over around each call that can raise one.
 */
static bool access_mmio(struct vcpu *v, gva_t va, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    struct exit e = {.kind = EXIT_MMIO,
                     .mmio = {.gpa = gpa, .value = *value, .size = (uint8_t)size, .write = write}};

    v->exits[EXIT_MMIO]++;
    if (exit_handle(v, &e) == EXIT_HANDLED) {
        *value = e.mmio.value;
        return true;
    }
    v->vm->guest->raise_bus(v, va, write ? ACCESS_WRITE : ACCESS_READ);
    return false;
}

/*
 * RAM as the guest's other CPUs see it: an aligned access is one access, never pieces of one. False: not
 * RAM, or a store to ROM.
 */
static bool access_ram(struct mem *m, gpa_t gpa, unsigned size, bool write, void *buf)
{
    void *p = mem_ptr(m, gpa, size, write);

    if (!p)
        return false;
    if (size == 8 && gpa % 8 == 0) {
        uint64_t x;

        memcpy(&x, buf, 8);
        if (write)
            __atomic_store_n((uint64_t *)p, x, __ATOMIC_RELEASE);
        else
            x = __atomic_load_n((uint64_t *)p, __ATOMIC_ACQUIRE);
        memcpy(buf, &x, 8);
    } else {
        memcpy(write ? p : buf, write ? buf : p, size);
    }
    if (write)
        mem_dirty(m, gpa, size);
    return true;
}

/* False: the exception was taken. An access must not cross a page; the script programs do not. */
static bool access(struct vcpu *v, gva_t va, unsigned size, enum access kind, void *buf)
{
    struct mem *m = &v->vm->mem;
    struct translation t;
    uint64_t value = 0;

    if (v->vm->guest->translate(v, va, kind, &t)) {
        v->vm->guest->raise(v, va);
        return false;
    }
    if (access_ram(m, t.gpa, size, kind == ACCESS_WRITE, buf))
        return true;
    if (kind == ACCESS_FETCH) {
        v->vm->guest->raise_bus(v, va, kind);
        return false;
    }
    memcpy(&value, buf, kind == ACCESS_WRITE ? size : 0);
    if (!access_mmio(v, va, t.gpa, size, kind == ACCESS_WRITE, &value))
        return false;
    if (kind == ACCESS_READ)
        memcpy(buf, &value, size);
    return true;
}

static bool next(struct vcpu *v)
{
    v->pc += sizeof(struct script);
    return true;
}

static bool execute_access(struct vcpu *v, const struct script *s)
{
    uint64_t *r = own(v)->r, value = 0;
    uint64_t va = r[s->rs] + (uint64_t)(int64_t)s->imm;

    if (s->op == SCRIPT_STORE)
        return !access(v, va, s->size, ACCESS_WRITE, &r[s->rd]) || next(v);
    if (access(v, va, s->size, ACCESS_READ, &value)) {
        r[s->rd] = value;
        next(v);
    }
    return true;
}

static bool execute_exit(struct vcpu *v, const struct script *s)
{
    const uint64_t *r = own(v)->r;

    switch (s->op) {
    case SCRIPT_HALT:
        return leave(v, (struct exit){.kind = EXIT_HALT});
    case SCRIPT_ISA:
        minimal_pull(v, REGS_ALL);
        return leave(v, (struct exit){.kind = EXIT_ISA, .isa = {(uint64_t)(int64_t)s->imm, r[s->rs]}});
    case SCRIPT_SYSTEM:
        return leave(
            v, (struct exit){.kind = EXIT_SYSTEM, .system = {(enum exit_system)s->imm, (unsigned)r[s->rs]}});
    case SCRIPT_OFF:
        return leave(v, (struct exit){.kind = EXIT_CPU_OFF});
    case SCRIPT_ON:
        return leave(v, (struct exit){.kind = EXIT_CPU_ON, .cpu_on = {(unsigned)s->imm, r[s->rd], r[s->rs]}});
    default:
        return leave(v, (struct exit){.kind = EXIT_FATAL, .fatal = "the program asked for it"});
    }
}

/* False: out to the run loop, v->exit is set. */
static bool execute(struct vcpu *v, const struct script *s)
{
    uint64_t *r = own(v)->r;

    switch (s->op) {
    case SCRIPT_LI:
        r[s->rd] = (uint64_t)(int64_t)s->imm;
        return next(v);
    case SCRIPT_LUI:
        r[s->rd] = (uint64_t)(uint32_t)s->imm << 32 | (uint32_t)r[s->rd];
        return next(v);
    case SCRIPT_ADD:
        r[s->rd] = r[s->rs] + (uint64_t)(int64_t)s->imm;
        return next(v);
    case SCRIPT_SUM:
        r[s->rd] += r[s->rs];
        return next(v);
    case SCRIPT_LOAD:
    case SCRIPT_STORE:
        return execute_access(v, s);
    case SCRIPT_JUMP:
        v->pc += (uint64_t)(int64_t)s->imm;
        return true;
    case SCRIPT_JNZ:
        v->pc += r[s->rs] ? (uint64_t)(int64_t)s->imm : sizeof(*s);
        return true;
    case SCRIPT_FENCE:
        v->vm->engine->fetch_barrier(v);
        return next(v);
    default:
        return execute_exit(v, s);
    }
}

static bool valid(const struct script *s)
{
    bool sized = s->op == SCRIPT_LOAD || s->op == SCRIPT_STORE;

    return s->op != SCRIPT_ILLEGAL && s->op < SCRIPT_OPS && s->rd < SCRIPT_REGS && s->rs < SCRIPT_REGS &&
           (!sized || s->size == 1 || s->size == 2 || s->size == 4 || s->size == 8);
}

static void minimal_run(struct vcpu *v)
{
    while (v->budget > 0 && !atomic_load(&v->request)) {
        struct script s = {0};

        v->budget--;
        if (!access(v, v->pc, sizeof(s), ACCESS_FETCH, &s))
            continue;
        if (!valid(&s))
            v->vm->guest->raise_illegal(v);
        else if (!execute(v, &s))
            return;
    }
}

/* ---- what the engine is told: nothing is cached here, so all of it is only counted ---- */

static int minimal_bind(struct vcpu *v)
{
    minimal_told(v->vm)->binds++;
    return 0;
}

static void minimal_unbind(struct vcpu *v)
{
    minimal_told(v->vm)->unbinds++;
}

static void minimal_kick(struct vcpu *v)
{
    minimal_told(v->vm)->kicks++; /* run() looks at v->request before each instruction */
}

static void minimal_flush(struct vcpu *v, const struct flush_scope *scope)
{
    minimal_told(v->vm)->flushes++;
    minimal_told(v->vm)->last_flush = *scope;
}

static void minimal_context_changed(struct vcpu *v)
{
    minimal_told(v->vm)->contexts++;
}

static void minimal_fetch_barrier(struct vcpu *v)
{
    minimal_told(v->vm)->barriers++;
}

static void minimal_code_written(struct vm *vm, gpa_t gpa, uint64_t len)
{
    (void)gpa;
    (void)len;
    minimal_told(vm)->code_writes++;
}

static void minimal_dirty_restart(struct vm *vm)
{
    minimal_told(vm)->dirty_restarts++;
}

static void minimal_mem_changed(struct vm *vm)
{
    minimal_told(vm)->mem_changes++;
}

static void minimal_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value),
                             void *opaque)
{
    emit(opaque, "flushes", minimal_told(vm)->flushes);
    emit(opaque, "kicks", minimal_told(vm)->kicks);
}

const struct engine_ops engine_minimal = {
    .name = "minimal",
    .summary = "pattern for new engines; runs test programs only",
    .vcpu_headroom = 64,
    .probe = minimal_probe,
    .vm_init = minimal_vm_init,
    .vm_fini = minimal_vm_fini,
    .vcpu_init = minimal_vcpu_init,
    .vcpu_fini = minimal_vcpu_fini,
    .bind = minimal_bind,
    .unbind = minimal_unbind,
    .run = minimal_run,
    .kick = minimal_kick,
    .flush = minimal_flush,
    .context_changed = minimal_context_changed,
    .fetch_barrier = minimal_fetch_barrier,
    .code_written = minimal_code_written,
    .dirty_restart = minimal_dirty_restart,
    .mem_changed = minimal_mem_changed,
    .pull = minimal_pull,
    .push = minimal_push,
    .counters = minimal_counters,
};
