/* Wait queues, and what sleeps on them: mutexes and events of core/platform.h, semaphores. */
#include "platform/bare/sync/wait.h"
#include "core/platform.h"
#include "platform/bare/sched/internal.h"

void waitq_init(struct waitq *q)
{
    q->lock = SPIN_INIT(RANK_EVENT);
    list_init(&q->waiters);
}

/*
 * BLOCKED is stored before the lock is given up: whoever wakes takes the lock, then finds it. A deadline's
 * callback does not look at the queue; a wake that it races with has taken the task off the queue, and that
 * decides.
 */
bool waitq_sleep(struct waitq *q, uint64_t deadline)
{
    struct plat_task *t = arch_cpu()->task;
    bool woken;

    list_push_back(&q->waiters, &t->wait);
    atomic_store(&t->timed_out, false);
    atomic_store(&t->state, TASK_BLOCKED);
    spin_unlock(&q->lock);
    if (deadline != KTIMER_NEVER)
        ktimer_set(&t->timeout, deadline);
    schedule();
    if (deadline != KTIMER_NEVER)
        ktimer_cancel(&t->timeout);
    spin_lock(&q->lock);
    woken = list_empty(&t->wait);
    list_remove(&t->wait);
    return woken || !atomic_load(&t->timed_out);
}

bool waitq_wake(struct waitq *q)
{
    struct list_link *l = list_pop_front(&q->waiters);

    if (l)
        task_wake(LIST_ENTRY(l, struct plat_task, wait));
    return l;
}

/* ---- semaphores ---- */

void sema_init(struct sema *s, unsigned count)
{
    waitq_init(&s->q);
    s->count = count;
}

bool sema_take(struct sema *s, uint64_t deadline_ns)
{
    uint64_t deadline = clock_from_ns(deadline_ns);
    bool on = spin_lock_irq(&s->q.lock), taken, in_time = true;

    while (!s->count && in_time)
        in_time = waitq_sleep(&s->q, deadline);
    taken = s->count != 0;
    if (taken)
        s->count--;
    spin_unlock_irq(&s->q.lock, on);
    return taken;
}

void sema_give(struct sema *s)
{
    bool on = spin_lock_irq(&s->q.lock);

    s->count++;
    waitq_wake(&s->q);
    spin_unlock_irq(&s->q.lock, on);
}

/* ---- mutexes: one word without contention ---- */

enum { FREE, HELD, WANTED }; /* WANTED: held, and somebody may wait */

struct mutex {
    _Atomic uint32_t state;
    struct waitq q;
};
_Static_assert(sizeof(struct mutex) <= sizeof(struct plat_lock), "lock storage");

void plat_lock_init(struct plat_lock *l)
{
    struct mutex *m = (struct mutex *)l;

    atomic_store(&m->state, FREE);
    waitq_init(&m->q);
}

void plat_lock_fini(struct plat_lock *l)
{
    BUG_ON(atomic_load(&((struct mutex *)l)->state) != FREE);
}

static __attribute__((noinline)) void lock_slow(struct mutex *m)
{
    bool on = spin_lock_irq(&m->q.lock);

    while (atomic_exchange(&m->state, WANTED) != FREE)
        waitq_sleep(&m->q, KTIMER_NEVER);
    spin_unlock_irq(&m->q.lock, on);
}

/*
 * One exchange each way. HELD in place of WANTED hides a waiter for a moment: who put it there either takes
 * the lock by lock_slow(), whose WANTED wakes at the end, or finds it free.
 */
void plat_lock(struct plat_lock *l)
{
    struct mutex *m = (struct mutex *)l;

    if (UNLIKELY(atomic_exchange_explicit(&m->state, HELD, memory_order_acquire) != FREE))
        lock_slow(m);
}

static __attribute__((noinline)) void unlock_slow(struct mutex *m)
{
    bool on = spin_lock_irq(&m->q.lock);

    waitq_wake(&m->q);
    spin_unlock_irq(&m->q.lock, on);
}

void plat_unlock(struct plat_lock *l)
{
    struct mutex *m = (struct mutex *)l;

    if (UNLIKELY(atomic_exchange_explicit(&m->state, FREE, memory_order_release) == WANTED))
        unlock_slow(m);
}

/* ---- events ---- */

struct event {
    bool woken; /* q.lock */
    struct waitq q;
};
_Static_assert(sizeof(struct event) <= sizeof(struct plat_event), "event storage");

void plat_event_init(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;

    e->woken = false;
    waitq_init(&e->q);
}

void plat_event_fini(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;
    bool on = spin_lock_irq(&e->q.lock); /* a waker may be about to let go of it */

    BUG_ON(!list_empty(&e->q.waiters));
    spin_unlock_irq(&e->q.lock, on);
}

void plat_event_wake(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;
    bool on = spin_lock_irq(&e->q.lock);

    if (!e->woken) {
        e->woken = true;
        waitq_wake(&e->q);
    }
    spin_unlock_irq(&e->q.lock, on);
}

bool plat_event_wait(struct plat_event *pe, uint64_t deadline_ns)
{
    struct event *e = (struct event *)pe;
    uint64_t deadline = clock_from_ns(deadline_ns);
    bool on = spin_lock_irq(&e->q.lock), woken, in_time = true;

    while (!(woken = e->woken) && in_time && (deadline == UINT64_MAX || arch_counter() < deadline))
        in_time = waitq_sleep(&e->q, deadline);
    e->woken = false;
    spin_unlock_irq(&e->q.lock, on);
    return woken;
}
