/* The JIT as an engine: dispatcher, tiers, code memory. */
#include "engine/jit/jit.h"
#include "engine/interp/interp.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* Interpreter's code beside the compiled one: cold units only. */
#define COLD_BYTES (16u << 20)
/* Entries from the dispatcher until a unit is compiled. */
#define HEAT       24
#define UNIT_ALIGN 64

static int fill_hot(struct vcpu *v, struct unit *u, const struct ir_unit *ir);

static const struct soft_form cold = {
    .fill = interp_lower, .limits = {.insns = 128, .blocks = 32}, .heat = HEAT};
static const struct soft_form hot = {
    .fill = fill_hot, .limits = {.insns = 256, .blocks = 64}, .passes = 0, .heat = 0};

/* ---- code memory ---- */

static uint32_t half_base(const struct jit_vm *jv, unsigned half)
{
    return half * JIT_HALF_BYTES + (half ? 0 : jv->thunk_bytes);
}

static uint32_t half_end(unsigned half)
{
    return (half + 1) * JIT_HALF_BYTES;
}

/* Which half a unit's code is in. */
static unsigned half_of(const struct jit_vm *jv, const void *code)
{
    return (size_t)((const uint8_t *)code - jv->code.rx) / JIT_HALF_BYTES;
}

static uint8_t *to_rw(const struct jit_vm *jv, const void *rx)
{
    return jv->code.rw + ((const uint8_t *)rx - jv->code.rx);
}

/*
 * Room at the end of the current half; when it is full the other one, if no vCPU can be in it any more.
 * 0: none now, the units die at the next safepoint (see run()).
 */
static uint32_t code_room(struct jit_vm *jv)
{
    struct jit_half *h = &jv->half[jv->current];
    struct jit_half *other = &jv->half[1 - jv->current];

    if (half_end(jv->current) - h->used >= JIT_HALF_BYTES / 32)
        return half_end(jv->current) - h->used;
    if (other->live)
        return 0;
    jv->current = 1 - jv->current;
    other->used = half_base(jv, jv->current);
    return half_end(jv->current) - other->used;
}

/* Lines of 32 bytes; `xxd -r -p | objdump -D -b binary -m i386:x86-64 /dev/stdin` reads them. */
static void trace_code(struct vcpu *v, const struct unit *u, const uint8_t *code, unsigned n)
{
    char hex[2 * 32 + 1];

    trace_write(&v->vm->log, "asm: pc 0x%llx gpa 0x%llx at %p, %u bytes", (unsigned long long)v->pc,
                (unsigned long long)u->gpa, (const void *)code, n);
    for (unsigned i = 0; i < n; i += 32) {
        unsigned k = 0;

        for (; k < 32 && i + k < n; k++)
            fmt_snprintf(hex + (size_t)2 * k, 3, "%02x", code[i + k]);
        trace_write(&v->vm->log, "%s", hex);
    }
}

static int compile(struct vcpu *v, struct unit *u, const struct ir_unit *ir)
{
    struct jit_vm *jv = jit_of(v->vm);
    struct jit_half *h;
    uint32_t room;
    int n = -ENOSPC;

    plat_lock(&jv->lock);
    room = code_room(jv);
    h = &jv->half[jv->current];
    if (room)
        n = emit_unit(jv, v->vm, ir, jv->code.rw + h->used, jv->code.rx + h->used, room);
    if (n > 0) {
        const uint8_t *rx = jv->code.rx + h->used;

        atomic_store(&u->jit, (void *)rx);
        atomic_store(&u->entry, rx);
        u->size = (uint32_t)(sizeof(*u) + 64);
        h->used = (uint32_t)ALIGN_UP(h->used + (uint32_t)n, UNIT_ALIGN);
        h->live++;
        if (UNLIKELY(v->vm->log.trace & TRACE_ASM))
            trace_code(v, u, rx, (unsigned)n);
        jv->stat.units++;
        jv->stat.insns += u->insns;
        jv->stat.bytes += (uint64_t)n;
    } else {
        jv->stat.refused++;
    }
    plat_unlock(&jv->lock);
    return n > 0 ? 0 : n;
}

/* A unit that has no compiled form stays with the interpreter, that unit alone. */
static int fill_hot(struct vcpu *v, struct unit *u, const struct ir_unit *ir)
{
    int err = compile(v, u, ir);

    if (!err || err == -E2BIG)
        return err;
    u->no_jit = true;
    return interp_lower(v, u, ir);
}

static void unit_kill(struct vm *vm, struct unit *u)
{
    struct jit_vm *jv = jit_of(vm);
    void *code = atomic_load(&u->jit);

    if (code)
        emit_close(jv, to_rw(jv, code), code);
    else
        interp_unit_close(u);
}

static void unit_release(struct vm *vm, struct unit *u)
{
    struct jit_vm *jv = jit_of(vm);
    void *code = atomic_load(&u->jit);

    if (!code)
        return;
    plat_lock(&jv->lock);
    jv->half[half_of(jv, code)].live--;
    plat_unlock(&jv->lock);
}

static const struct units_ops units_ops = {.kill = unit_kill, .release = unit_release};

/* ---- dispatcher ---- */

/* The unit at v->pc, compiled when it is hot. NULL: an exception was taken instead, or a fatal exit. */
static struct unit *find(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    struct unit *u = soft_unit_at(v, false, &cold);
    uint32_t heat;

    if (!u || atomic_load_explicit(&u->jit, memory_order_relaxed) || u->no_jit)
        return u;
    heat = __atomic_load_n(&u->heat, __ATOMIC_RELAXED);
    if (heat > 1) {
        __atomic_store_n(&u->heat, heat - 1, __ATOMIC_RELAXED);
        return u;
    }
    s->stat.promotions++;
    units_kill(v->vm, u);
    return soft_unit_at(v, false, &hot);
}

static enum jit_leave run_compiled(struct vcpu *v, struct unit *u)
{
    struct soft_vcpu *s = soft_of(v);
    const void *code = atomic_load(&u->jit);

    if (u->gpa2 == UNIT_NO_PAGE && !unit_dead(u))
        soft_jump_set(s, v->pc, (void *)code, false);
    return jit_of(v->vm)->entry.enter(v, code);
}

/* A loop inside the unit heats it as its entries do: so many instructions count as one. */
#define HEAT_INSNS 64

static void heat_up(struct unit *u, uint64_t insns)
{
    uint32_t heat = __atomic_load_n(&u->heat, __ATOMIC_RELAXED);
    uint64_t n = insns / HEAT_INSNS;

    if (heat > 1 && n)
        __atomic_store_n(&u->heat, n < heat ? heat - (uint32_t)n : 1, __ATOMIC_RELAXED);
}

/* True: go on. */
static bool run_once(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    const struct soft_jump *j = &s->jumps[soft_jump_index(v->pc)];
    struct unit *u = NULL;
    enum jit_leave why;
    int64_t before;

    v->pc_page = v->pc & TLB_PAGE_MASK;
    if (j->key != (v->pc ^ s->space)) {
        u = find(v);
        if (!u)
            return true;
    }
    before = v->budget;
    if (!u) {
        why = jit_of(v->vm)->entry.enter(v, j->target);
    } else if (atomic_load_explicit(&u->jit, memory_order_relaxed)) {
        s->stat.units_run++;
        why = run_compiled(v, u);
    } else {
        soft_enter(v, u);
        why = (enum jit_leave)interp_exec_alone(v, u);
        s->stat.insns_interp += (uint64_t)(before - v->budget);
        heat_up(u, (uint64_t)(before - v->budget));
    }
    v->fp_flags |= emit_fp_flags(v);
    if (why == JIT_BUDGET && !v->vm->desc.deterministic)
        return false;
    if (why != JIT_NEXT) {
        s->stat.bails += u == NULL;
        interp_step(v);
        s->stat.insns_interp++;
    } else if (!u && v->budget == before) {
        /* A closed entry: its unit died. */
        s->jumps[soft_jump_index(v->pc)].key = ~(v->pc ^ s->space);
    }
    return true;
}

static void run(struct vcpu *v)
{
    struct jit_vm *jv = jit_of(v->vm);

    soft_context_changed(v);
    while (v->exit.kind == EXIT_NONE && v->budget > 0 &&
           !atomic_load_explicit(&v->request, memory_order_relaxed)) {
        units_safepoint(v);
        if (UNLIKELY(half_end(jv->current) - jv->half[jv->current].used < JIT_HALF_BYTES / 32 &&
                     jv->half[jv->current].live)) {
            plat_lock(&jv->lock);
            jv->stat.flushes++;
            plat_unlock(&jv->lock);
            units_flush(v->vm);
            units_safepoint(v);
        }
        if (!run_once(v))
            break;
    }
    v->leave = 0;
    units_leave(v);
}

uint64_t jit_fill_site(struct vcpu *v, uint64_t va, uint64_t size_write, struct soft_site *site)
{
    unsigned size = 1u << (size_write & 7);
    void *p = (size_write & 8) ? tlb_fill_write(v, va, size) : tlb_fill_read(v, va, size);

    if (!p)
        return 0;
    site->page = va & TLB_PAGE_MASK;
    site->addend = (uintptr_t)p - va;
    soft_of(v)->sites_filled = true;
    return 1;
}

/* ---- engine ---- */

static void vm_fini(struct vm *vm)
{
    struct jit_vm *jv;

    if (!vm->engine_vm)
        return;
    jv = jit_of(vm);
    units_fini(vm);
    if (jv) {
        emit_fini(jv);
        plat_code_unmap(&jv->code);
        plat_lock_fini(&jv->lock);
        plat_free(jv);
    }
    plat_free(vm->engine_vm);
    vm->engine_vm = NULL;
}

static int vm_init(struct vm *vm)
{
    struct soft_vm *sv = plat_alloc(sizeof(*sv));
    struct jit_vm *jv = plat_alloc(sizeof(*jv));
    int err = sv && jv ? plat_code_map(&jv->code, JIT_HALVES * JIT_HALF_BYTES) : -ENOMEM;

    if (err) {
        plat_free(sv);
        plat_free(jv);
        return err;
    }
    vm->engine_vm = sv;
    sv->jit = jv;
    plat_lock_init(&jv->lock);
    err = emit_thunks(jv, vm->lift);
    jv->half[0].used = half_base(jv, 0);
    jv->half[1].used = half_base(jv, 1);
    if (!err)
        err = units_init(vm, &units_ops, COLD_BYTES);
    if (err) {
        emit_fini(jv);
        plat_code_unmap(&jv->code);
        plat_lock_fini(&jv->lock);
        plat_free(jv);
        plat_free(sv);
        vm->engine_vm = NULL;
    }
    return err;
}

/* Flags that generated code gathered join the guest's; a write of the guest's replaces both. */
static void pull(struct vcpu *v, unsigned groups)
{
    if (groups & REGS_FP)
        v->fp_flags |= emit_fp_flags(v);
}

static void push(struct vcpu *v, unsigned groups)
{
    if (groups & REGS_FP)
        emit_fp_clear(v);
}

static void counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value),
                     void *opaque)
{
    const struct jit_vm *jv = jit_of(vm);

    soft_counters(vm, emit, opaque);
    emit(opaque, "jit.units", jv->stat.units);
    emit(opaque, "jit.insns", jv->stat.insns);
    emit(opaque, "jit.bytes", jv->stat.bytes);
    emit(opaque, "jit.refused", jv->stat.refused);
    emit(opaque, "jit.flushes", jv->stat.flushes);
}

const struct engine_ops engine_jit = {
    .name = "jit",
    .summary = "just-in-time compiler: x86-64 hosts",
    .software = true,
    .vcpu_headroom = SOFT_HEADROOM,
    .probe = emit_probe,
    .vm_init = vm_init,
    .vm_fini = vm_fini,
    .vcpu_init = soft_vcpu_init,
    .vcpu_fini = soft_vcpu_fini,
    .run = run,
    .kick = soft_kick,
    .flush = soft_flush,
    .context_changed = soft_context_changed,
    .fetch_barrier = soft_fetch_barrier,
    .code_written = soft_code_written,
    .dirty_restart = soft_dirty_restart,
    .mem_changed = soft_mem_changed,
    .pull = pull,
    .push = push,
    .counters = counters,
};
