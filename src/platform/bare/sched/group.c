/* Groups of tasks: weight, and a budget of so many per cent of a CPU in each period. */
#include "platform/bare/sched/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"

int group_create(struct group **out, const char *name, unsigned weight, unsigned budget)
{
    struct group *g = plat_alloc(sizeof(*g));
    int err;

    if (!g)
        return -ENOMEM;
    g->lock = SPIN_INIT(RANK_GROUP);
    fmt_snprintf(g->name, sizeof(g->name), "%s", name);
    err = group_set(g, weight, budget);
    if (err) {
        plat_free(g);
        return err;
    }
    *out = g;
    return 0;
}

void group_destroy(struct group *g)
{
    BUG_ON(atomic_load(&g->tasks));
    plat_free(g);
}

int group_set(struct group *g, unsigned weight, unsigned budget)
{
    if (!weight || weight > 10000 || budget > 100 * cpu_count())
        return -EINVAL;
    atomic_store(&g->weight, weight);
    atomic_store(&g->quota, sched_ticks.period / 100 * budget);
    return 0;
}

struct group *group_enter(struct group *g)
{
    struct plat_task *t = task_current();
    struct group *before = t->group;
    bool on;

    if (g)
        atomic_fetch_add(&g->tasks, 1);
    on = arch_irq_save();
    schedule(); /* so far it ran for the other */
    t->group = g;
    arch_irq_restore(on);
    if (before)
        atomic_fetch_sub(&before->tasks, 1);
    return before;
}

uint64_t group_time_ns(struct group *g)
{
    return clock_to_ns(atomic_load(&g->time));
}

uint64_t group_period_end(uint64_t now)
{
    return (now / sched_ticks.period + 1) * sched_ticks.period;
}

/* What was used too much is taken off the periods that follow. g->lock held. */
static void period_renew(struct group *g, uint64_t now, uint64_t quota)
{
    uint64_t number = now / sched_ticks.period, passed = number - g->period;

    if (!passed)
        return;
    g->period = number;
    g->used -= passed > g->used / quota ? g->used : passed * quota;
}

uint64_t group_left_of_quota(struct group *g, uint64_t now)
{
    uint64_t quota = atomic_load(&g->quota), left;

    if (!quota)
        return UINT64_MAX;
    spin_lock(&g->lock);
    period_renew(g, now, quota);
    left = quota - MIN(quota, g->used);
    spin_unlock(&g->lock);
    return left;
}

void group_charge_quota(struct group *g, uint64_t now, uint64_t ticks)
{
    uint64_t quota = atomic_load(&g->quota);

    if (!quota)
        return;
    spin_lock(&g->lock);
    period_renew(g, now, quota);
    g->used += ticks;
    spin_unlock(&g->lock);
}
