/* vCPU states, requests, and calls into another vCPU's context. */
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define NO VCPU_STATES

/* The allowed transitions; everything else is an error that changes nothing. */
static const uint8_t vcpu_transitions[VCPU_STATES][VCPU_EVENTS] = {
    /*                 SETUP      BIND        RUN           EXIT        HALT          WAKE        UNBIND FAIL
     */
    [VCPU_CREATED] = {VCPU_FREE, NO, NO, NO, NO, NO, NO, VCPU_INVALID},
    [VCPU_FREE] = {NO, VCPU_READY, NO, NO, NO, NO, NO, VCPU_INVALID},
    [VCPU_READY] = {NO, NO, VCPU_RUNNING, NO, NO, NO, VCPU_FREE, VCPU_INVALID},
    [VCPU_RUNNING] = {NO, NO, NO, VCPU_READY, VCPU_BLOCKED, NO, NO, VCPU_INVALID},
    [VCPU_BLOCKED] = {NO, NO, NO, NO, NO, VCPU_READY, NO, VCPU_INVALID},
    [VCPU_INVALID] = {NO, NO, NO, NO, NO, NO, NO, VCPU_INVALID},
};

bool vcpu_allowed(enum vcpu_state from, enum vcpu_event ev, enum vcpu_state *to)
{
    uint8_t t = vcpu_transitions[from][ev];

    if (t == NO)
        return false;
    *to = (enum vcpu_state)t;
    return true;
}

int vcpu_transition(struct vcpu *v, enum vcpu_event ev)
{
    enum vcpu_state to;

    if (!vcpu_allowed((enum vcpu_state)atomic_load(&v->state), ev, &to))
        return -EINVAL;
    atomic_store(&v->state, to);
    return 0;
}

struct vcpu *vcpu_create(struct vm *vm, unsigned id)
{
    size_t headroom = ALIGN_UP(vm->engine->vcpu_headroom, 64);
    char *base = plat_alloc(headroom + vm->guest->vcpu_size + 64);
    struct vcpu *v;

    if (!base)
        return NULL;
    v = (struct vcpu *)(ALIGN_UP((uintptr_t)base, 64) + headroom);
    v->base = base;
    v->vm = vm;
    v->id = id;
    v->resv_addr = UINT64_MAX;
    atomic_store(&v->state, VCPU_CREATED);
    plat_event_init(&v->wake);
    plat_lock_init(&v->lock);
    plat_lock_init(&v->call_lock);
    return v;
}

void vcpu_destroy(struct vcpu *v)
{
    enum vcpu_state s = (enum vcpu_state)atomic_load(&v->state);

    BUG_ON(s == VCPU_RUNNING || s == VCPU_BLOCKED || v->attached);
    if (s == VCPU_READY)
        vcpu_unbind(v);
    if (v->set_up) {
        v->vm->engine->vcpu_fini(v);
        v->vm->guest->vcpu_fini(v);
    }
    plat_event_fini(&v->wake);
    plat_lock_fini(&v->call_lock);
    plat_lock_fini(&v->lock);
    plat_free(v->base);
}

int vcpu_setup(struct vcpu *v)
{
    enum vcpu_state to;
    int err;

    if (!vcpu_allowed((enum vcpu_state)atomic_load(&v->state), VCPU_EV_SETUP, &to))
        return -EINVAL;
    err = v->vm->guest->vcpu_init(v, &v->vm->desc);
    if (!err) {
        err = v->vm->engine->vcpu_init(v);
        if (err)
            v->vm->guest->vcpu_fini(v);
    }
    if (err) {
        vcpu_transition(v, VCPU_EV_FAIL);
        return err;
    }
    v->set_up = true;
    return vcpu_transition(v, VCPU_EV_SETUP);
}

int vcpu_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1)
{
    uint32_t s = atomic_load(&v->state);

    if (s != VCPU_FREE && s != VCPU_READY)
        return -EINVAL;
    v->vm->guest->set_entry(v, entry, arg0, arg1);
    v->entry_set = true;
    return 0;
}

int vcpu_bind(struct vcpu *v)
{
    enum vcpu_state to;
    int err;

    if (!vcpu_allowed((enum vcpu_state)atomic_load(&v->state), VCPU_EV_BIND, &to))
        return -EINVAL;
    err = v->vm->engine->bind ? v->vm->engine->bind(v) : 0;
    vcpu_transition(v, err ? VCPU_EV_FAIL : VCPU_EV_BIND);
    return err;
}

int vcpu_unbind(struct vcpu *v)
{
    int err = vcpu_transition(v, VCPU_EV_UNBIND);

    if (!err && v->vm->engine->unbind)
        v->vm->engine->unbind(v);
    return err;
}

void vcpu_grant(struct vcpu *v, uint64_t n)
{
    uint64_t now = vcpu_icount(v);

    if (UNLIKELY(v->due > now))
        n = MIN(n, v->due - now);
    v->count += n - (uint64_t)v->budget;
    v->budget = (int64_t)n;
}

int vcpu_run(struct vcpu *v, enum exit_action *action)
{
    int err;

    if (!v->entry_set)
        return -EINVAL;
    err = vcpu_transition(v, VCPU_EV_RUN);
    if (err)
        return err;
    v->exit.kind = EXIT_NONE;
    v->vm->engine->run(v);
    v->exits[v->exit.kind]++;
    if (UNLIKELY(v->vm->log.trace & TRACE_EXIT))
        trace_write(&v->vm->log, "exit: cpu%u %s pc 0x%llx", v->id, exit_names[v->exit.kind],
                    (unsigned long long)v->pc);
    *action = v->exit.kind == EXIT_NONE ? EXIT_HANDLED : exit_handle(v, &v->exit);
    return vcpu_transition(v, *action == EXIT_BLOCK ? VCPU_EV_HALT : VCPU_EV_EXIT);
}

void vcpu_request(struct vcpu *v, uint32_t bits)
{
    bool running;

    plat_meet();
    atomic_fetch_or(&v->request, bits);
    plat_meet();
    running = atomic_load(&v->state) == VCPU_RUNNING;
    if ((bits & VCPU_REQ_CALL) || !running)
        plat_event_wake(&v->wake);
    /* A call's target may wait for others' answers while it counts as running: hardware does not look by
     * itself. */
    if (running && (!(bits & VCPU_REQ_CALL) || v->vm->engine->hardware) && v->vm->engine->kick)
        v->vm->engine->kick(v);
}

/* ---- calls ---- */

static void call_run(struct vcpu *v, struct vcpu_call *c)
{
    struct plat_event *waiter = c->waiter;

    plat_meet();
    c->fn(v, c->arg);
    plat_meet();
    atomic_store(&c->done, true); /* c is the issuer's stack: gone from here on */
    plat_event_wake(waiter);
}

void vcpu_serve_calls(struct vcpu *v)
{
    for (;;) {
        struct vcpu_call *c;

        plat_lock(&v->lock);
        c = v->calls;
        if (c)
            v->calls = c->next;
        else
            atomic_fetch_and(&v->request, ~(uint32_t)VCPU_REQ_CALL);
        plat_unlock(&v->lock);
        plat_meet();
        if (!c)
            return;
        call_run(v, c);
    }
}

void vcpu_attach(struct vcpu *v)
{
    plat_lock(&v->call_lock); /* a caller may be in the vCPU's context just now */
    plat_lock(&v->lock);
    v->attached = true;
    plat_unlock(&v->lock);
    plat_unlock(&v->call_lock);
}

/* Lets go with an empty mailbox only: from then on callers act in its context themselves. */
void vcpu_detach(struct vcpu *v)
{
    bool attached = true;

    while (attached) {
        vcpu_serve_calls(v);
        plat_lock(&v->lock);
        if (!v->calls)
            v->attached = attached = false;
        plat_unlock(&v->lock);
    }
}

/* Hands c to v's task; false when there is none. */
static bool call_post(struct vcpu *v, struct vcpu_call *c)
{
    bool attached;

    plat_meet();
    plat_lock(&v->lock);
    attached = v->attached;
    if (attached) {
        c->next = v->calls;
        v->calls = c;
    }
    plat_unlock(&v->lock);
    if (attached)
        vcpu_request(v, VCPU_REQ_CALL);
    return attached;
}

/* Hands c to v's task, or runs it here; true: it has to be waited for. */
static bool call_make(struct vcpu *v, struct vcpu_call *c)
{
    bool posted = call_post(v, c);

    if (posted)
        return true;
    plat_lock(&v->call_lock);
    posted = call_post(v, c); /* a task may have come meanwhile; none comes from here on */
    if (!posted)
        c->fn(v, c->arg);
    plat_unlock(&v->call_lock);
    return posted;
}

static void calls_wait(struct vcpu *self, struct vcpu_call *calls, unsigned n, struct plat_event *event)
{
    for (unsigned i = 0; i < n; i++) {
        while (!atomic_load(&calls[i].done)) {
            if (self)
                vcpu_serve_calls(self);
            plat_meet();
            if (!atomic_load(&calls[i].done))
                plat_event_wait(event, PLAT_FOREVER);
        }
    }
}

/*
 * An issuer that is no vCPU has no event of its own that outlives the call, so it borrows the VM's, one
 * issuer at a time.
 */
void vcpu_call_mask(struct vcpu *self, struct vm *vm, uint64_t mask, void (*fn)(struct vcpu *v, void *arg),
                    void *arg)
{
    struct plat_event *event = self ? &self->wake : &vm->call_event;
    struct vcpu_call calls[VM_MAX_VCPUS];
    unsigned n = 0;

    if (!self)
        plat_lock(&vm->call_lock);
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct vcpu *v = vm->vcpu[i];

        if (!(mask >> i & 1))
            continue;
        calls[n] = (struct vcpu_call){.fn = fn, .arg = arg, .waiter = event};
        if (v == self)
            fn(v, arg);
        else if (call_make(v, &calls[n]))
            n++;
    }
    calls_wait(self, calls, n, event);
    if (!self)
        plat_unlock(&vm->call_lock);
}

void vcpu_call_others(struct vcpu *self, struct vm *vm, void (*fn)(struct vcpu *v, void *arg), void *arg)
{
    vcpu_call_mask(self, vm, ~(self ? BIT(self->id) : 0), fn, arg);
}

/* ---- registers by name ---- */

/* "x10" or "x[10]"-like rows of arrays are named field plus index. */
static void *reg_find(struct vcpu *v, const char *name, unsigned *size)
{
    for (const struct state_field *f = v->vm->guest->state; f && f->name; f++) {
        size_t n = strlen(f->name);
        uint64_t index = 0;

        if (!(f->flags & STATE_REG) || strncmp(name, f->name, n))
            continue;
        if (f->count > 1 ? fmt_parse_u64(name + n, &index) || index >= f->count : name[n] != 0)
            continue;
        *size = f->size;
        return (char *)v + f->offset + index * f->size;
    }
    return NULL;
}

static int reg_access(struct vcpu *v, const char *name, void *get, const void *set, size_t size)
{
    unsigned width;
    void *p = reg_find(v, name, &width);

    if (!p)
        return -ENOENT;
    if (width != size)
        return -EINVAL;
    if (v->vm->engine->pull)
        v->vm->engine->pull(v, REGS_ALL);
    if (get)
        memcpy(get, p, size);
    if (set)
        memcpy(p, set, size);
    if (set && v->vm->engine->push)
        v->vm->engine->push(v, REGS_ALL);
    return 0;
}

int vcpu_reg_get(struct vcpu *v, const char *name, void *buf, size_t size)
{
    return reg_access(v, name, buf, NULL, size);
}

int vcpu_reg_set(struct vcpu *v, const char *name, const void *buf, size_t size)
{
    return reg_access(v, name, NULL, buf, size);
}
