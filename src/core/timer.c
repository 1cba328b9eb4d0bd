/* The virtual clock, and timers on it: one small heap a vCPU. */
#include "core/vm.h"
#include "lib/err.h"
#include "lib/str.h"

#define NS_PER_S 1000000000u
/* Under --deterministic the wall clock starts here: 2026-01-01 00:00 UTC. */
#define DET_EPOCH_S 1767225600u

uint64_t clock_now_ns(struct vm *vm)
{
    if (vm->desc.deterministic) {
        const struct vcpu *v = vm->clock.turn;

        return vm->clock.insns + vm->clock.skipped + (v ? vcpu_icount(v) - vm->clock.turn_start : 0);
    }
    if (!atomic_load_explicit(&vm->clock.running, memory_order_acquire))
        return vm->clock.stopped;
    return plat_clock_ns() - vm->clock.offset;
}

void clock_start(struct vm *vm)
{
    vm->clock.offset = plat_clock_ns() - vm->clock.stopped;
    atomic_store_explicit(&vm->clock.running, true, memory_order_release);
}

void clock_stop(struct vm *vm)
{
    if (!atomic_load(&vm->clock.running))
        return;
    vm->clock.stopped = plat_clock_ns() - vm->clock.offset;
    atomic_store_explicit(&vm->clock.running, false, memory_order_release);
}

uint64_t clock_host_deadline(struct vm *vm, uint64_t deadline_ns)
{
    uint64_t host = deadline_ns + vm->clock.offset;

    if (deadline_ns == TIMER_NEVER || host < deadline_ns || !atomic_load(&vm->clock.running))
        return PLAT_FOREVER;
    return host;
}

uint64_t clock_ticks(struct vm *vm, uint64_t hz)
{
    return (uint64_t)((u128)clock_now_ns(vm) * hz / NS_PER_S);
}

uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    u128 ns = ((u128)ticks * NS_PER_S + hz - 1) / hz;

    return ns >= TIMER_NEVER ? TIMER_NEVER - 1 : (uint64_t)ns;
}

uint64_t clock_counter_hz(const struct vm *vm, uint64_t choice)
{
    return vm->engine && vm->engine->counter_hz ? vm->engine->counter_hz() : choice;
}

uint64_t clock_wall_ns(struct vm *vm)
{
    if (vm->desc.deterministic)
        return (uint64_t)DET_EPOCH_S * NS_PER_S + clock_now_ns(vm);
    return plat_wall_ns();
}

/* ---- heap; the lock is held ---- */

static void heap_place(struct timer_heap *h, uint32_t i, struct timer *t)
{
    h->heap[i] = t;
    t->slot = i + 1;
}

static void heap_up(struct timer_heap *h, uint32_t i)
{
    struct timer *t = h->heap[i];

    while (i && h->heap[(i - 1) / 2]->deadline > t->deadline) {
        heap_place(h, i, h->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_place(h, i, t);
}

static void heap_down(struct timer_heap *h, uint32_t i)
{
    struct timer *t = h->heap[i];

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->heap[child + 1]->deadline < h->heap[child]->deadline)
            child++;
        if (h->heap[child]->deadline >= t->deadline)
            break;
        heap_place(h, i, h->heap[child]);
        i = child;
    }
    heap_place(h, i, t);
}

static void heap_remove(struct timer_heap *h, struct timer *t)
{
    uint32_t i = t->slot - 1;
    struct timer *last = h->heap[--h->count];

    t->slot = 0;
    if (last != t) {
        heap_place(h, i, last);
        heap_up(h, i);
        heap_down(h, last->slot - 1);
    }
}

static void heap_publish(struct timer_heap *h)
{
    atomic_store(&h->next, h->count ? h->heap[0]->deadline : TIMER_NEVER);
}

/* ---- timers ---- */

static struct timer_heap *heap_of(const struct timer *t)
{
    return &t->vm->timers[t->home];
}

/* Room for one more timer, so that setting one never fails. Only create paths come here. */
static int heap_reserve(struct timer_heap *h)
{
    struct timer **heap;
    uint32_t max = h->max + 8;

    heap = plat_alloc(max * sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    plat_lock(&h->lock);
    if (h->count)
        memcpy(heap, h->heap, h->count * sizeof(*heap));
    plat_free(h->heap);
    h->heap = heap;
    h->max = max;
    plat_unlock(&h->lock);
    return 0;
}

static void heap_disown(struct timer_heap *h)
{
    plat_lock(&h->lock);
    h->owned--;
    plat_unlock(&h->lock);
}

static int heap_own(struct timer_heap *h)
{
    bool room;
    int err;

    plat_lock(&h->lock);
    room = ++h->owned <= h->max;
    plat_unlock(&h->lock);
    err = room ? 0 : heap_reserve(h);
    if (err)
        heap_disown(h);
    return err;
}

int timer_home(struct timer *t, unsigned vcpu)
{
    int err;

    BUG_ON(t->slot || vcpu >= VM_MAX_VCPUS);
    err = heap_own(&t->vm->timers[vcpu]);
    if (err)
        return err;
    heap_disown(heap_of(t));
    t->home = vcpu;
    return 0;
}

int timer_init(struct timer *t, struct vm *vm, void (*fn)(void *), void *opaque)
{
    int err = heap_own(&vm->timers[0]);

    *t = (struct timer){.fn = fn, .opaque = opaque, .deadline = TIMER_NEVER};
    if (!err)
        t->vm = vm; /* without it there is nothing to finish */
    return err;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    struct timer_heap *h = heap_of(t);
    bool earlier;

    plat_lock(&h->lock);
    if (t->slot)
        heap_remove(h, t);
    t->deadline = deadline_ns;
    if (deadline_ns != TIMER_NEVER) {
        heap_place(h, h->count++, t);
        heap_up(h, h->count - 1);
    }
    earlier = t->slot == 1;
    heap_publish(h);
    plat_unlock(&h->lock);
    /* Whoever sleeps until the old deadline, or counts down to it, has to look again. */
    if (earlier && t->vm->vcpu[t->home] &&
        (t->vm->desc.deterministic || plat_current() != t->vm->vcpu[t->home]))
        vcpu_request(t->vm->vcpu[t->home], VCPU_REQ_KICK);
}

void timer_cancel(struct timer *t)
{
    timer_set(t, TIMER_NEVER);
}

void timer_fini(struct timer *t)
{
    struct timer_heap *h;

    if (!t->vm)
        return;
    h = heap_of(t);
    timer_cancel(t);
    plat_lock(&h->run);
    plat_unlock(&h->run);
    heap_disown(h);
    t->vm = NULL;
}

uint64_t timer_next(struct vm *vm, unsigned vcpu)
{
    return atomic_load_explicit(&vm->timers[vcpu].next, memory_order_acquire);
}

void timer_run(struct vm *vm, unsigned vcpu, uint64_t now)
{
    struct timer_heap *h = &vm->timers[vcpu];

    while (timer_next(vm, vcpu) <= now) {
        struct timer *t = NULL;

        plat_lock(&h->run);
        plat_lock(&h->lock);
        if (h->count && h->heap[0]->deadline <= now) {
            t = h->heap[0];
            heap_remove(h, t);
            t->deadline = TIMER_NEVER;
            heap_publish(h);
        }
        plat_unlock(&h->lock);
        if (t)
            t->fn(t->opaque);
        plat_unlock(&h->run);
    }
}
