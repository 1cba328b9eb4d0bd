/* Tasks: their stacks, birth and end, what others may change of them. */
#include "platform/bare/sched/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "platform/bare/mm/frame.h"

static struct {
    struct spin lock;
    struct list_link all; /* lock */
    void *stacks;         /* lock; free ones, each begins (at its lowest word) with the next */
    uint64_t stack_next;  /* lock; first address of the window not used yet */
    bool ready;
} tasks = {.lock = SPIN_INIT(RANK_USER)};

void tasks_forget(void)
{
    tasks.stacks = NULL;
    tasks.ready = false;
}

static void tasks_init(void)
{
    if (tasks.ready)
        return;
    list_init(&tasks.all);
    tasks.stack_next = arch_window_base();
    tasks.ready = true;
}

/* ---- stacks ---- */

static void *stack_map(void)
{
    uint64_t base = tasks.stack_next + FRAME_BYTES; /* the page below stays without a mapping */
    uint64_t end = base + STACK_BYTES;

    if (end > arch_window_base() + arch_window_size())
        return NULL;
    for (uint64_t va = base; va < end; va += FRAME_BYTES) {
        void *frame = frame_alloc(0, FRAME_PLAIN);

        if (!frame || arch_map_page(va, arch_pa(frame)))
            return NULL; /* what is mapped already stays unused: memory is over anyway */
    }
    tasks.stack_next = end;
    return (void *)(uintptr_t)base;
}

void *stack_alloc(void)
{
    bool on = spin_lock_irq(&tasks.lock);
    void *low;

    tasks_init();
    low = tasks.stacks;
    if (low)
        tasks.stacks = *(void **)low;
    else
        low = stack_map();
    spin_unlock_irq(&tasks.lock, on);
    return low ? (char *)low + STACK_BYTES : NULL;
}

void stack_free(void *top)
{
    void *low = (char *)top - STACK_BYTES;
    bool on = spin_lock_irq(&tasks.lock);

    *(void **)low = tasks.stacks;
    tasks.stacks = low;
    spin_unlock_irq(&tasks.lock, on);
}

/* ---- birth and end ---- */

/* The first code on a new stack: completes the switch that led here. */
static void task_main(void *opaque)
{
    struct plat_task *t = opaque;

    sched_switched();
    arch_irq_restore(true);
    t->fn(t->arg);
    task_exit();
}

static void timeout(void *opaque)
{
    struct plat_task *t = opaque;

    atomic_store(&t->timed_out, true);
    task_wake(t);
}

int plat_task_start(struct plat_task **out, const char *name, void (*fn)(void *), void *arg)
{
    struct plat_task *t = plat_alloc(sizeof(*t)), *self = task_current();
    struct runqueue *rq;
    bool on;

    if (t)
        t->stack_top = stack_alloc();
    if (!t || !t->stack_top) {
        plat_free(t);
        return -ENOMEM;
    }
    fmt_snprintf(t->name, sizeof(t->name), "%s", name);
    t->fn = fn;
    t->arg = arg;
    t->priority = PRIORITY_NORMAL;
    t->affinity = UINT64_MAX;
    t->group = self->group;
    if (t->group)
        atomic_fetch_add(&t->group->tasks, 1);
    list_init(&t->link);
    list_init(&t->wait);
    waitq_init(&t->end);
    ktimer_init(&t->timeout, timeout, t);
    arch_context_init(&t->context, t->stack_top, task_main, t);
    *out = t;
    atomic_store(&t->state, TASK_READY);
    atomic_store(&t->cpu, balance_place(t));
    on = spin_lock_irq(&tasks.lock);
    list_push_back(&tasks.all, &t->all);
    spin_unlock(&tasks.lock);
    rq = task_rq_lock(t);
    rq_enqueue(rq, t, false);
    spin_unlock(&rq->lock);
    sched_preempt();
    arch_irq_restore(on);
    return 0;
}

void task_exit(void)
{
    struct plat_task *t = task_current();

    arch_irq_save();
    if (sched_resident() == t && t->hooks && t->hooks->evict)
        t->hooks->evict(t->hooks_arg);
    spin_lock(&t->end.lock);
    t->ended = true;
    atomic_store(&t->state, TASK_DEAD);
    waitq_wake(&t->end);
    spin_unlock(&t->end.lock);
    schedule();
    BUG_ON(true);
    for (;;)
        ;
}

/* Its stack is in use until its CPU has switched away. */
static void wait_until_left(struct plat_task *t)
{
    for (;;) {
        bool on = arch_irq_save();
        struct runqueue *rq = task_rq_lock(t);
        bool gone = atomic_load(&rq->current) != t;

        spin_unlock_irq(&rq->lock, on);
        if (gone)
            return;
        arch_relax();
    }
}

void plat_task_join(struct plat_task *t)
{
    bool on = spin_lock_irq(&t->end.lock);

    while (!t->ended)
        waitq_sleep(&t->end, KTIMER_NEVER);
    spin_unlock_irq(&t->end.lock, on);
    wait_until_left(t);
    on = spin_lock_irq(&tasks.lock);
    list_remove(&t->all);
    spin_unlock_irq(&tasks.lock, on);
    if (t->group)
        atomic_fetch_sub(&t->group->tasks, 1);
    stack_free(t->stack_top);
    plat_free(t);
}

/* ---- what others may change and see ---- */

const char *task_name(const struct plat_task *t)
{
    return t->name;
}

struct vcpu *task_vcpu(const struct plat_task *t)
{
    return t->vcpu;
}

/* rq->lock held */
static uint64_t time_of(struct runqueue *rq, struct plat_task *t)
{
    uint64_t ticks = atomic_load(&t->time);

    if (atomic_load(&rq->current) == t)
        ticks += arch_counter() - t->since;
    return clock_to_ns(ticks);
}

uint64_t task_time_ns(struct plat_task *t)
{
    bool on = arch_irq_save();
    struct runqueue *rq = task_rq_lock(t);
    uint64_t ns = time_of(rq, t);

    spin_unlock_irq(&rq->lock, on);
    return ns;
}

int task_affinity_set(struct plat_task *t, uint64_t mask)
{
    struct runqueue *rq;
    bool ok = false, on;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_at(i);

        ok |= mask >> i & 1 && atomic_load(&c->online) && (!c->rq->pinned || c->rq->pinned == t);
    }
    if (!ok)
        return -EINVAL;
    on = arch_irq_save();
    rq = task_rq_lock(t);
    t->affinity = mask;
    if (!rq_allows(rq, t)) {
        if (t->where == IN_POLICY || t->where == IN_THROTTLED) {
            rq_dequeue(rq, t);
            rq_enqueue(rq, t, false); /* to the strays */
        } else if (atomic_load(&rq->current) == t) {
            rq_resched(rq);
        }
    }
    spin_unlock(&rq->lock);
    sched_preempt();
    arch_irq_restore(on);
    return 0;
}

int task_priority_set(struct plat_task *t, unsigned priority)
{
    struct runqueue *rq;
    bool on;

    if (priority >= PRIORITIES)
        return -EINVAL;
    on = arch_irq_save();
    rq = task_rq_lock(t);
    if (t->where == IN_POLICY) {
        rq_dequeue(rq, t);
        t->priority = (uint8_t)priority;
        rq_enqueue(rq, t, false);
    }
    t->priority = (uint8_t)priority;
    rq_resched(rq);
    spin_unlock(&rq->lock);
    sched_preempt();
    arch_irq_restore(on);
    return 0;
}

int sched_task_stat(unsigned i, struct sched_task_stat *s)
{
    bool on = spin_lock_irq(&tasks.lock);
    int err = -ENOENT;

    tasks_init();
    LIST_FOR_EACH(l, &tasks.all)
    {
        struct plat_task *t = LIST_ENTRY(l, struct plat_task, all);
        struct runqueue *rq;

        if (i--)
            continue;
        rq = task_rq_lock(t);
        *s = (struct sched_task_stat){
            .state = (enum task_state)atomic_load(&t->state),
            .cpu = rq->cpu->id,
            .priority = t->priority,
            .affinity = t->affinity,
            .time_ns = time_of(rq, t),
            .switches = atomic_load(&t->switches),
            .group = t->group ? t->group->name : NULL,
        };
        fmt_snprintf(s->name, sizeof(s->name), "%s", t->name);
        spin_unlock(&rq->lock);
        err = 0;
        break;
    }
    spin_unlock_irq(&tasks.lock, on);
    return err;
}
