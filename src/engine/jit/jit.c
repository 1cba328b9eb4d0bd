/* The JIT as an engine: dispatcher, tiers, the life of compiled units. */
#include "engine/jit/jit.h"
#include "engine/interp/interp.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* All units together: compiled code, and the interpreter's of cold ones. */
#define UNIT_BYTES (28u << 20)
/* Entries from the dispatcher until a unit is compiled; so many instructions in a loop count as one more. */
#define HEAT       24
#define HEAT_INSNS 64
/* So much oftener one way than the other: that is where a branch mostly leads. */
#define LEAN_CLEAR 8

static int fill_hot(struct vcpu *v, struct unit *u, const struct ir_unit *ir);

static const struct soft_form cold = {
    .fill = interp_lower, .limits = {.insns = 64, .blocks = 16}, .heat = HEAT};
static const struct soft_form hot = {.fill = fill_hot,
                                     .limits = {.insns = 256, .blocks = 64, .traces = true},
                                     .passes = IR_PASS_ALL,
                                     .lean = jit_lean};

static struct jit_code *code_of(struct unit *u)
{
    return atomic_load_explicit(&u->jit, memory_order_acquire);
}

/* ---- perf map: what `perf report` names code by ---- */

static void perf_open(struct jit_vm *jv)
{
    const char *path = plat_getenv("CARBOVISOR_PERF_MAP");
    struct plat_file *f;
    int err;

    if (!path)
        return;
    err = plat_file_open(&f, path, PLAT_WRITE | PLAT_CREATE | PLAT_TRUNC);
    if (err)
        log_write(&jv->vm->log, LOG_JIT, LOG_WARN,
                  "CARBOVISOR_PERF_MAP: %.200s cannot be written (error %d); name another file, or unset it",
                  path, -err);
    else
        jv->perf = f;
}

/* ---- passes left out: what tests compare, and who looks for a wrong one ---- */

static const struct {
    const char *name;
    unsigned pass;
} pass_names[] = {{"fold", IR_PASS_FOLD}, {"copy", IR_PASS_COPY},   {"slots", IR_PASS_SLOTS},
                  {"dead", IR_PASS_DEAD}, {"width", IR_PASS_WIDTH}, {"all", IR_PASS_ALL}};

static unsigned pass_named(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(pass_names); i++) {
        if (strlen(pass_names[i].name) == len && !memcmp(pass_names[i].name, word, len))
            return pass_names[i].pass;
    }
    return 0;
}

static void passes_choose(struct jit_vm *jv)
{
    const char *list = plat_getenv("CARBOVISOR_PASSES_OFF");

    jv->hot = hot;
    while (list && *list) {
        const char *comma = strchr(list, ',');
        size_t len = comma ? (size_t)(comma - list) : strlen(list);
        unsigned pass = pass_named(list, len);

        if (!pass)
            log_write(
                &jv->vm->log, LOG_JIT, LOG_WARN,
                "CARBOVISOR_PASSES_OFF: there is no pass '%.*s'; known: fold, copy, slots, dead, width, all",
                (int)MIN(len, (size_t)40), list);
        jv->hot.passes &= ~pass;
        list += len + (comma ? 1 : 0);
    }
}

static void perf_line(struct jit_vm *jv, const struct unit *u, const struct jit_code *c)
{
    char line[96];
    int n;

    if (LIKELY(!jv->perf))
        return;
    n = fmt_snprintf(line, sizeof(line), "%llx %x guest_%llx_%llx\n", (unsigned long long)(uintptr_t)c->rx,
                     c->size, (unsigned long long)u->gpa, (unsigned long long)u->mode);
    plat_lock(&jv->lock);
    if (!plat_file_write(jv->perf, jv->perf_at, line, (size_t)n))
        jv->perf_at += (uint64_t)n;
    plat_unlock(&jv->lock);
}

/* ---- compiling ---- */

static int fill_hot(struct vcpu *v, struct unit *u, const struct ir_unit *ir)
{
    struct jit_vm *jv = jit_of(v->vm);
    struct jit_code *c;
    int err = emit_unit(v, u, ir, &c);

    if (err == -E2BIG && u->insns > 1)
        return err;
    if (err) {
        /* Left to the interpreter: that unit alone. */
        plat_lock(&jv->lock);
        jv->stat.refused++;
        jv->stat.full += err == -ENOSPC;
        if (err == -ENOSPC)
            __atomic_store_n(&jv->wants_flush, true, __ATOMIC_RELAXED);
        plat_unlock(&jv->lock);
        u->no_jit = true;
        return interp_lower(v, u, ir);
    }
    c->unit = u;
    u->size = (uint32_t)sizeof(*u) + c->size;
    atomic_store(&u->jit, c);
    plat_lock(&jv->lock);
    jv->stat.units++;
    jv->stat.insns += u->insns;
    jv->stat.bytes += c->size;
    plat_unlock(&jv->lock);
    perf_line(jv, u, c);
    if (UNLIKELY(v->vm->log.trace & TRACE_ASM))
        emit_trace(v, u, c);
    return 0;
}

/* ---- links, under jit_vm.lock ---- */

static void link_remove(struct jit_link *l)
{
    struct jit_link **at;

    if (!l->to)
        return;
    for (at = &l->to->in; *at != l; at = &(*at)->next_in)
        ;
    *at = l->next_in;
    l->to = NULL;
}

/* Called while nobody can have released the link's unit: before the next safepoint. */
static void try_link(struct vcpu *v, struct jit_link *l)
{
    struct jit_vm *jv = jit_of(v->vm);
    struct jit_code *to;
    struct unit *u;

    u = soft_known(soft_of(v), v->pc);
    if (u && !code_of(u)) /* mostly so: no need to look for it in the table */
        return;
    u = units_find(v->vm, (l->from->unit->gpa & TLB_PAGE_MASK) + (uint32_t)l->offset, l->from->unit->mode);
    to = u ? code_of(u) : NULL;
    if (!to)
        return;
    plat_meet();
    plat_lock(&jv->lock);
    /* A unit that dies is marked before kill() asks for the lock. */
    if (!unit_dead(u) && !unit_dead(l->from->unit) && !l->to) {
        if (u->gpa2 != UNIT_NO_PAGE) {
            emit_link_hash(l);
        } else {
            emit_link(l, to);
            l->to = to;
            l->next_in = to->in;
            to->in = l;
            jv->stat.links++;
        }
    }
    plat_unlock(&jv->lock);
}

static void unit_kill(struct vm *vm, struct unit *u)
{
    struct jit_vm *jv = jit_of(vm);
    struct jit_code *c = code_of(u);

    if (!c) {
        interp_unit_close(u);
        return;
    }
    plat_lock(&jv->lock);
    emit_close(jv, c);
    while (c->in) {
        struct jit_link *l = c->in;

        emit_unlink(l);
        link_remove(l);
    }
    for (unsigned i = 0; i < c->link_count; i++)
        link_remove(&c->links[i]);
    plat_unlock(&jv->lock);
}

static void unit_release(struct vm *vm, struct unit *u)
{
    struct jit_vm *jv = jit_of(vm);
    struct jit_code *c = code_of(u);

    if (!c)
        return;
    plat_lock(&jv->lock);
    jit_code_free(jv, (uint32_t)(c->rw - jv->code.rw), c->size);
    plat_unlock(&jv->lock);
    plat_free(c);
}

static const struct units_ops units_ops = {.kill = unit_kill, .release = unit_release};

/* ---- dispatcher ---- */

static void note_lean(void *opaque, gpa_t at, int lean, bool both)
{
    if (lean >= LEAN_CLEAR || lean <= -LEAN_CLEAR)
        jit_lean_set(opaque, at, lean > 0, both);
}

static struct unit *unit_at(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    struct unit *u = soft_known(s, v->pc);

    if (u) {
        s->fetch_local = false; /* of this look-up: it was told when the unit became known */
        return u;
    }
    u = soft_unit_at(v, false, &cold);
    if (u)
        soft_known_set(s, v->pc, u);
    return u;
}

/* The unit at v->pc, compiled when it is hot. NULL: an exception was taken instead, or a fatal exit. */
static struct unit *find(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    struct unit *u = unit_at(v);
    uint32_t heat;

    if (!u || code_of(u) || u->no_jit)
        return u;
    heat = __atomic_load_n(&u->heat, __ATOMIC_RELAXED);
    if (heat > 1 && !(heat == HEAT && jit_marked(jit_of(v->vm), jit_key_hot(u->gpa)))) {
        __atomic_store_n(&u->heat, heat - 1, __ATOMIC_RELAXED);
        return u;
    }
    s->stat.promotions++;
    interp_leans(u, note_lean, jit_of(v->vm));
    plat_meet();
    units_kill(v->vm, u);
    return soft_unit_at(v, false, &jit_of(v->vm)->hot);
}

static void warm(struct unit *u, uint64_t insns)
{
    uint32_t heat = __atomic_load_n(&u->heat, __ATOMIC_RELAXED);

    if (insns >= HEAT_INSNS)
        __atomic_store_n(&u->heat, heat - (uint32_t)MIN(insns / HEAT_INSNS, heat - 1), __ATOMIC_RELAXED);
}

/*
 * Code that ran out of budget is entered again where it stopped, through the jump hash: by the dispatcher or
 * by the guest's way back from an interrupt.
 */
static void resume_note(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    const void *at = emit_resume(v, false);
    gpa_t gpa;

    s->fetch_local = false;
    if (at && !tlb_fetch(v, v->pc, &gpa))
        soft_jump_set(s, v->pc, (void *)(uintptr_t)at, false);
}

static const void *resume_at(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    const struct soft_jump *j = &s->jumps[soft_jump_index(v->pc)];
    const void *at = emit_resume(v, true);

    return at && j->target == at && j->key == (v->pc ^ s->space) ? at : NULL;
}

static enum jit_leave run_unit(struct vcpu *v, struct unit *u)
{
    struct soft_vcpu *s = soft_of(v);
    struct jit_code *c = code_of(u);
    int64_t before = v->budget;
    enum interp_leave why;

    s->stat.units_run++;
    if (c) {
        soft_jump_set(s, v->pc, (void *)(uintptr_t)c->far, u->gpa2 != UNIT_NO_PAGE);
        return jit_of(v->vm)->enter(v, c->far);
    }
    soft_enter(v, u);
    why = interp_exec_alone(v, u);
    s->stat.insns_interp += (uint64_t)(before - v->budget);
    warm(u, (uint64_t)(before - v->budget));
    return why == INTERP_BUDGET ? JIT_BUDGET : why == INTERP_BAIL ? JIT_BAIL : JIT_NEXT;
}

static void step(struct vcpu *v)
{
    interp_step(v);
    soft_of(v)->stat.insns_interp++;
}

/* False: the caller has to hand out a new budget. */
static bool run_once(struct vcpu *v)
{
    const void *at = resume_at(v);
    struct unit *u = at ? NULL : find(v);

    if (!at && !u)
        return true;
    switch (at ? jit_of(v->vm)->enter(v, at) : run_unit(v, u)) {
    case JIT_BAIL:
        __atomic_fetch_add(&jit_of(v->vm)->stat.bails, 1, __ATOMIC_RELAXED);
        step(v);
        return true;
    case JIT_BUDGET:
        resume_note(v);
        /* Where counts are part of the result they are met exactly. */
        if (!v->vm->desc.deterministic && v->count != v->due)
            return false;
        step(v);
        return true;
    case JIT_LINK:
        try_link(v, emit_last_link(v));
        return true;
    default:
        return true;
    }
}

/* A unit with an access that its slot does not serve is compiled anew when it is entered next. */
static void look_at_sites(struct vcpu *v)
{
    struct jit_code *c = emit_busy(v);

    if (LIKELY(!c) || unit_dead(c->unit))
        return;
    jit_mark(jit_of(v->vm), jit_key_hot(c->unit->gpa));
    __atomic_fetch_add(&jit_of(v->vm)->stat.rebuilt, 1, __ATOMIC_RELAXED);
    units_kill(v->vm, c->unit);
}

static void flush_code(struct vcpu *v)
{
    struct jit_vm *jv = jit_of(v->vm);

    plat_lock(&jv->lock);
    __atomic_store_n(&jv->wants_flush, false, __ATOMIC_RELAXED);
    plat_unlock(&jv->lock);
    units_flush(v->vm);
}

static void run(struct vcpu *v)
{
    struct jit_vm *jv = jit_of(v->vm);
    bool more;

    soft_context_changed(v);
    memset(soft_of(v)->site_misses, 0, sizeof(soft_of(v)->site_misses));
    v->leave = 0; /* an interrupt taken before: a helper that does not leave would be taken to do so */
    while (v->exit.kind == EXIT_NONE && v->budget > 0 &&
           !atomic_load_explicit(&v->request, memory_order_relaxed)) {
        units_safepoint(v);
        if (UNLIKELY(__atomic_load_n(&jv->wants_flush, __ATOMIC_RELAXED)))
            flush_code(v);
        more = run_once(v);
        look_at_sites(v);
        if (!more)
            break;
    }
    v->leave = 0;
    units_leave(v);
}

/* ---- engine ---- */

/* Limits and policies of the host may forbid such memory: ulimit -f, vm.memfd_noexec, SELinux. */
static int probe(char *why, size_t why_size)
{
    struct plat_code code;
    int err = emit_probe(why, why_size);

    if (err)
        return err;
    err = plat_code_map(&code, JIT_CODE_BYTES);
    if (!err) {
        plat_code_unmap(&code);
        return 0;
    }
    fmt_snprintf(why, why_size,
                 "the host gives no %u MiB of memory for code (error %d); lift its limit (ulimit -f), or use "
                 "--accel interp",
                 JIT_CODE_BYTES >> 20, -err);
    return -ENOTSUP;
}

static void vm_free(struct vm *vm)
{
    struct soft_vm *sv = vm->engine_vm;
    struct jit_vm *jv = sv->jit;

    if (jv) {
        if (jv->perf)
            plat_file_close(jv->perf);
        if (jv->code.rw)
            plat_code_unmap(&jv->code);
        plat_lock_fini(&jv->lock);
    }
    plat_free(jv);
    plat_free(sv);
    vm->engine_vm = NULL;
}

static void vm_fini(struct vm *vm)
{
    if (!vm->engine_vm)
        return;
    units_fini(vm);
    vm_free(vm);
}

static int vm_init(struct vm *vm)
{
    struct soft_vm *sv = plat_alloc(sizeof(*sv));
    struct jit_vm *jv = plat_alloc(sizeof(*jv) + emit_vm_size());
    int err;

    if (!sv || !jv) {
        plat_free(sv);
        plat_free(jv);
        return -ENOMEM;
    }
    vm->engine_vm = sv;
    sv->jit = jv;
    jv->vm = vm;
    passes_choose(jv);
    jv->emit = jv + 1;
    jv->free = JIT_GRANULES;
    plat_lock_init(&jv->lock);
    err = plat_code_map(&jv->code, JIT_CODE_BYTES);
    if (err)
        jv->code.rw = NULL;
    else
        err = emit_vm_init(jv);
    if (!err)
        err = units_init(vm, &units_ops, UNIT_BYTES);
    if (err)
        vm_free(vm);
    else
        perf_open(jv);
    return err;
}

static int vcpu_init(struct vcpu *v)
{
    int err = soft_vcpu_init(v);

    if (!err) {
        err = emit_vcpu_init(v);
        if (err)
            soft_vcpu_fini(v);
    }
    return err;
}

static void vcpu_fini(struct vcpu *v)
{
    emit_vcpu_fini(v);
    soft_vcpu_fini(v);
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
    emit(opaque, "jit.bails", jv->stat.bails);
    emit(opaque, "jit.links", jv->stat.links);
    emit(opaque, "jit.full", jv->stat.full);
    emit(opaque, "jit.rebuilt", jv->stat.rebuilt);
}

const struct engine_ops engine_jit = {
    .name = "jit",
    .summary = "just-in-time compiler: x86-64 hosts",
    .software = true,
    .vcpu_headroom = SOFT_HEADROOM,
    .probe = probe,
    .vm_init = vm_init,
    .vm_fini = vm_fini,
    .vcpu_init = vcpu_init,
    .vcpu_fini = vcpu_fini,
    .run = run,
    .kick = soft_kick,
    .flush = soft_flush,
    .context_changed = soft_context_changed,
    .fetch_barrier = soft_fetch_barrier,
    .code_written = soft_code_written,
    .dirty_restart = soft_dirty_restart,
    .mem_changed = soft_mem_changed,
    .counters = counters,
};
