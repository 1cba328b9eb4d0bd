/* Timers: a pairing heap a CPU, and the clock. */
#include "platform/bare/sched/timer.h"
#include "core/platform.h"
#include "platform/bare/sched/internal.h"

/*
 * ---- pairing heap: a node's children are linked by sibling, prev leads back to the one before or the parent
 * ----
 */

static struct ktimer *meld(struct ktimer *a, struct ktimer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct ktimer *t = a;

        a = b;
        b = t;
    }
    b->prev = a;
    b->sibling = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    a->sibling = NULL;
    return a;
}

/* A list of siblings to one heap: pairs from the left, then all from the right. */
static struct ktimer *meld_siblings(struct ktimer *first)
{
    struct ktimer *pairs = NULL, *all = NULL;

    while (first) {
        struct ktimer *a = first, *b = a->sibling;

        first = b ? b->sibling : NULL;
        a->sibling = NULL;
        if (b)
            b->sibling = NULL;
        a = meld(a, b);
        a->sibling = pairs;
        pairs = a;
    }
    while (pairs) {
        struct ktimer *a = pairs;

        pairs = a->sibling;
        a->sibling = NULL;
        all = meld(all, a);
    }
    if (all)
        all->prev = NULL;
    return all;
}

static void heap_remove(struct ktimer_queue *q, struct ktimer *t)
{
    struct ktimer *children = meld_siblings(t->child);

    if (t == q->top) {
        q->top = children;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->sibling;
        else
            t->prev->sibling = t->sibling;
        if (t->sibling)
            t->sibling->prev = t->prev;
        q->top = meld(q->top, children);
        q->top->prev = NULL;
    }
    t->child = t->sibling = t->prev = NULL;
}

/* ---- queues ---- */

void ktimer_queue_init(struct ktimer_queue *q, struct cpu *c)
{
    *q = (struct ktimer_queue){.lock = SPIN_INIT(RANK_TIMERS), .cpu = c};
}

/* Sets the hardware where its next deadline changed; on the queue's own CPU, lock held. */
static void program(struct ktimer_queue *q)
{
    uint64_t next = q->top ? q->top->deadline : KTIMER_NEVER;

    if (next == q->cpu->timer_deadline)
        return;
    q->cpu->timer_deadline = next;
    arch_timer_set(next);
}

void ktimer_init(struct ktimer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct ktimer){.fn = fn, .arg = arg};
}

/* Takes it out of its queue, wherever that is; whether its callback runs on another CPU meanwhile. */
static bool unset(struct ktimer *t)
{
    struct ktimer_queue *q = __atomic_load_n(&t->queue, __ATOMIC_ACQUIRE);
    bool running;

    if (!q)
        return false;
    spin_lock(&q->lock);
    running = atomic_load_explicit(&q->running, memory_order_relaxed) == t;
    if (t->set && t->queue == q) {
        heap_remove(q, t);
        t->set = false;
        if (q->cpu == arch_cpu())
            program(q);
    }
    spin_unlock(&q->lock);
    return running && q->cpu != arch_cpu();
}

void ktimer_cancel(struct ktimer *t)
{
    bool on = arch_irq_save();

    while (unset(t))
        arch_relax();
    arch_irq_restore(on);
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
    bool on = arch_irq_save();
    struct ktimer_queue *q = arch_cpu()->timers;

    if (t->set && deadline == t->deadline && t->queue == q) {
        arch_irq_restore(on);
        return;
    }
    while (unset(t))
        arch_relax();
    if (deadline != KTIMER_NEVER) {
        spin_lock(&q->lock);
        t->deadline = deadline;
        t->child = t->sibling = t->prev = NULL;
        t->set = true;
        __atomic_store_n(&t->queue, q, __ATOMIC_RELEASE);
        q->top = meld(q->top, t);
        q->top->prev = NULL;
        program(q);
        spin_unlock(&q->lock);
    }
    arch_irq_restore(on);
}

void ktimer_run(struct ktimer_queue *q, uint64_t now)
{
    spin_lock(&q->lock);
    q->cpu->timer_deadline = KTIMER_NEVER; /* it fired: whatever comes next has to be set */
    while (q->top && q->top->deadline <= now) {
        struct ktimer *t = q->top;
        void (*fn)(void *) = t->fn;
        void *arg = t->arg;

        heap_remove(q, t);
        t->set = false;
        atomic_store(&q->running, t); /* who cancels it elsewhere waits until the callback is over */
        spin_unlock(&q->lock);
        fn(arg);
        spin_lock(&q->lock);
        atomic_store(&q->running, NULL);
    }
    if (q->top)
        program(q);
    else
        arch_timer_set(KTIMER_NEVER);
    spin_unlock(&q->lock);
}

uint64_t ktimer_next(struct ktimer_queue *q)
{
    return q->top ? q->top->deadline : KTIMER_NEVER;
}

/* The one behind it in the heap's order of links; NULL: it was the last. */
static struct ktimer *behind(struct ktimer *t)
{
    if (t->child)
        return t->child;
    while (t && !t->sibling) {
        while (t->prev && t->prev->child != t)
            t = t->prev;
        t = t->prev;
    }
    return t ? t->sibling : NULL;
}

unsigned ktimer_count(struct ktimer_queue *q)
{
    bool on = spin_lock_irq(&q->lock);
    unsigned n = 0;

    for (struct ktimer *t = q->top; t; t = behind(t))
        n++;
    spin_unlock_irq(&q->lock, on);
    return n;
}

/* ---- the clock: fixed-point factors with 32 bits behind the point ---- */

static struct {
    uint64_t to_ns, from_ns;
    _Atomic uint64_t wall; /* at power on */
} clock;

struct sched_ticks sched_ticks;

void clock_init(void)
{
    uint64_t hz = arch_counter_hz();

    clock.to_ns = (uint64_t)(((u128)1000000000 << 32) / hz);
    clock.from_ns = (uint64_t)(((u128)hz << 32) / 1000000000);
    sched_ticks.slice = clock_from_ns(SLICE_NS);
    sched_ticks.balance = clock_from_ns(BALANCE_NS);
    sched_ticks.period = clock_from_ns(PERIOD_NS);
}

uint64_t clock_to_ns(uint64_t counter)
{
    return counter == UINT64_MAX ? counter : (uint64_t)(((u128)counter * clock.to_ns) >> 32);
}

/* Rounded up: never before the time. */
uint64_t clock_from_ns(uint64_t ns)
{
    u128 ticks;

    if (ns == UINT64_MAX)
        return UINT64_MAX;
    ticks = (((u128)ns * clock.from_ns) >> 32) + 1;
    return ticks > UINT64_MAX ? UINT64_MAX : (uint64_t)ticks;
}

void clock_wall_set(uint64_t ns)
{
    atomic_store(&clock.wall, ns - plat_clock_ns());
}

uint64_t plat_clock_ns(void)
{
    return clock_to_ns(arch_counter());
}

uint64_t plat_wall_ns(void)
{
    return atomic_load(&clock.wall) + plat_clock_ns();
}
