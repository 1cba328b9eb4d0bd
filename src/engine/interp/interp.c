/* The interpreter as an engine: the dispatcher, single steps, engine_ops. */
#include "engine/interp/interp.h"
#include "engine/interp/code.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"

/* Booting Linux runs some 450 k instructions of code; this holds the warm part of them, in reach of 24 MiB in
 * all. */
#define CODE_BYTES (17u << 20)

static const struct soft_form form = {.fill = interp_lower, .limits = {.insns = 64, .blocks = 16}};

void interp_step(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    struct unit *u = soft_unit_at(v, true, &form);

    if (!u)
        return;
    s->stat.singles++;
    s->exact = true;
    soft_enter(v, u);
    interp_exec_alone(v, u);
    s->exact = false;
}

/* The unit at v->pc by the jump hash, or by the table. */
static struct unit *find(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    const struct soft_jump *j = &s->jumps[soft_jump_index(v->pc)];
    struct unit *u;

    /* Units that died stay in the hash until its next clearing: their closed entry leads here. */
    if (j->key == (v->pc ^ s->space) && !__atomic_load_n(&((struct unit *)j->target)->dead, __ATOMIC_ACQUIRE))
        return j->target;
    u = soft_unit_at(v, false, &form);
    if (u)
        soft_jump_set(s, v->pc, u, u->gpa2 != UNIT_NO_PAGE);
    return u;
}

/*
 * A budget below the next block: count exactly to its end, where counts are part of the result (v->due too);
 * else the caller hands out a new one.
 */
static bool spend_rest(struct vcpu *v)
{
    if (!v->vm->desc.deterministic && v->count != v->due)
        return false;
    interp_step(v);
    return true;
}

static void run(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);
    int64_t start = v->budget;

    soft_context_changed(v);
    v->leave = 0; /* as in the JIT: of an interrupt taken before */
    while (v->exit.kind == EXIT_NONE && v->budget > 0 &&
           !atomic_load_explicit(&v->request, memory_order_relaxed)) {
        struct unit *u;
        enum interp_leave why;

        units_safepoint(v);
        u = find(v);
        if (!u)
            continue;
        s->stat.units_run++;
        soft_enter(v, u);
        why = interp_exec(v, u);
        if (why == INTERP_BAIL)
            interp_step(v);
        else if (why == INTERP_BUDGET && !spend_rest(v))
            break;
    }
    v->leave = 0;
    s->stat.insns_interp += (uint64_t)(start - v->budget);
    units_leave(v);
}

static void unit_kill(struct vm *vm, struct unit *u)
{
    (void)vm;
    interp_unit_close(u);
}

static void unit_release(struct vm *vm, struct unit *u)
{
    (void)vm;
    (void)u; /* the code goes with the unit */
}

static const struct units_ops units_ops = {.kill = unit_kill, .release = unit_release};

static int vm_init(struct vm *vm)
{
    int err;

    vm->engine_vm = plat_alloc(sizeof(struct soft_vm));
    if (!vm->engine_vm)
        return -ENOMEM;
    err = units_init(vm, &units_ops, CODE_BYTES);
    if (err) {
        plat_free(vm->engine_vm);
        vm->engine_vm = NULL;
    }
    return err;
}

static void vm_fini(struct vm *vm)
{
    if (!vm->engine_vm)
        return;
    units_fini(vm);
    plat_free(vm->engine_vm);
    vm->engine_vm = NULL;
}

static int probe(char *why, size_t why_size)
{
    (void)why;
    (void)why_size;
    return 0;
}

const struct engine_ops engine_interp = {
    .name = "interp",
    .summary = "interpreter: any host, the reference",
    .software = true,
    .vcpu_headroom = SOFT_HEADROOM,
    .probe = probe,
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
    .counters = soft_counters,
};
