/* Which CPU a task runs on: where it starts and wakes, what an idle CPU fetches, what a busy one gives away.
 */
#include "platform/bare/sched/internal.h"

/* How long a difference of one may last: three tasks on two CPUs take turns in being alone. */
#define ROTATE 4 /* times the usual */

static bool usable(const struct cpu *c, const struct plat_task *t)
{
    return atomic_load_explicit(&c->online, memory_order_relaxed) && c->rq && rq_allows(c->rq, t);
}

struct cpu *balance_place(const struct plat_task *t)
{
    struct cpu *best = NULL;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_at(i);

        if (usable(c, t) && (!best || rq_load(c->rq) < rq_load(best->rq)))
            best = c;
    }
    return best ? best : cpu_at(0); /* allowed nowhere: CPU 0 has no owner */
}

struct cpu *balance_wake(struct plat_task *t)
{
    struct cpu *home = atomic_load_explicit(&t->cpu, memory_order_relaxed);
    uint64_t idle = atomic_load_explicit(&cpu_set.idle, memory_order_relaxed) & t->affinity;

    if (!usable(home, t))
        return balance_place(t);
    if (!idle || idle >> home->id & 1)
        return home;
    for (; idle; idle &= idle - 1) {
        struct cpu *c = cpu_at((unsigned)__builtin_ctzll(idle));

        if (usable(c, t) && !rq_load(c->rq))
            return c;
    }
    return home;
}

/*
 * The queued task of highest level that may go over to `to`, among equals the one that came here first;
 * without `any` none whose registers stand here.
 */
static struct plat_task *candidate(struct runqueue *rq, struct runqueue *to, bool any)
{
    struct plat_task *best = NULL;

    for (uint32_t levels = rq->levels; levels && !best;) {
        unsigned level = 31 - (unsigned)__builtin_clz(levels);

        LIST_FOR_EACH(l, &rq->list[level])
        {
            struct plat_task *t = LIST_ENTRY(l, struct plat_task, link);

            if (rq_allows(to, t) && (any || atomic_load(&rq->resident) != t) &&
                (!best || t->moved_at < best->moved_at))
                best = t;
        }
        levels &= ~(UINT32_C(1) << level);
    }
    return best;
}

/* Queue locks are of one rank: the lower address first. */
static void lock_both(struct runqueue *a, struct runqueue *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    spin_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct runqueue *a, struct runqueue *b)
{
    spin_unlock(a < b ? &b->lock : &a->lock);
    spin_unlock(a < b ? &a->lock : &b->lock);
}

static void move(struct runqueue *from, struct runqueue *to, struct plat_task *t)
{
    rq_dequeue(from, t);
    if (atomic_load(&from->resident) == t && t->hooks && t->hooks->evict)
        t->hooks->evict(t->hooks_arg);
    atomic_store(&t->cpu, to->cpu);
    t->moved_at = arch_counter();
    to->moved_in++;
    rq_enqueue(to, t, false);
}

static bool move_one(struct runqueue *from, struct runqueue *to, bool any)
{
    struct plat_task *t;

    lock_both(from, to);
    t = candidate(from, to, any);
    if (t)
        move(from, to, t);
    unlock_both(from, to);
    return t;
}

/*
 * A difference of one: who has been here longest goes over, so that all are the odd one in turn. False: that
 * is the one that runs now, another time.
 */
static bool rotate(struct runqueue *from, struct runqueue *to)
{
    struct plat_task *t, *running;
    bool good;

    lock_both(from, to);
    running = atomic_load(&from->current);
    t = candidate(from, to, true);
    good = t && !(rq_allows(to, running) && running->moved_at < t->moved_at);
    if (good)
        move(from, to, t);
    unlock_both(from, to);
    return good;
}

bool balance_pull(struct runqueue *rq)
{
    struct runqueue *busiest = NULL;

    if (rq->pinned || !atomic_load(&rq->cpu->online))
        return false;
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct runqueue *other = rq_of(i);

        if (other && other != rq && other->ready && (!busiest || other->ready > busiest->ready))
            busiest = other;
    }
    return busiest && move_one(busiest, rq, false);
}

void balance_push(struct runqueue *rq)
{
    struct runqueue *least = NULL;
    uint64_t now = arch_counter();
    int more;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct runqueue *other = rq_of(i);

        if (other && other != rq && atomic_load(&other->cpu->online) && !other->pinned &&
            (!least || rq_load(other) < rq_load(least)))
            least = other;
    }
    more = least ? (int)rq_load(rq) - (int)rq_load(least) : 0;
    if (more == 1 && (now - rq->balance_at < ROTATE * sched_ticks.balance || !rotate(rq, least)))
        return; /* another time, and soon */
    if (more > 1 && !move_one(rq, least, false))
        move_one(rq, least, true);
    rq->balance_at = now + sched_ticks.balance;
}
