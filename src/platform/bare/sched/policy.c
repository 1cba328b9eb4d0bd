/*
 * The policies: how the tasks of one queue take turns. All keep them on rq->list[], so that others may look
 * for one.
 */
#include "platform/bare/sched/internal.h"

static void lists_init(struct runqueue *rq)
{
    for (unsigned i = 0; i < PRIORITIES; i++)
        list_init(&rq->list[i]);
    rq->levels = 0;
}

/* Two levels that are always looked at. */
static void two_init(struct runqueue *rq)
{
    lists_init(rq);
    rq->levels = 3;
}

static void level_add(struct runqueue *rq, struct plat_task *t, unsigned level, bool front)
{
    if (front)
        list_push_front(&rq->list[level], &t->link);
    else
        list_push_back(&rq->list[level], &t->link);
    rq->levels |= UINT32_C(1) << level;
}

/* Of two levels, the usual case. */
static struct plat_task *rr_first(struct runqueue *rq)
{
    for (int level = 1; level >= 0; level--) {
        if (!list_empty(&rq->list[level]))
            return LIST_ENTRY(rq->list[level].next, struct plat_task, link);
    }
    return NULL;
}

/* Lists that became empty are found when they are looked at. */
static struct plat_task *highest(struct runqueue *rq)
{
    while (rq->levels) {
        unsigned level = 31 - (unsigned)__builtin_clz(rq->levels);

        if (!list_empty(&rq->list[level]))
            return LIST_ENTRY(rq->list[level].next, struct plat_task, link);
        rq->levels &= ~(UINT32_C(1) << level);
    }
    return NULL;
}

/*
 * ---- rr: slices by weight. Who sleeps and wakes with a rest of its slice goes first (level 1) until that is
 * used ----
 */

static uint64_t rr_refill(struct runqueue *rq, struct plat_task *t)
{
    (void)rq;
    return MAX(sched_ticks.slice * task_weight(t) / WEIGHT_UNIT, (uint64_t)1);
}

static void rr_enqueue(struct runqueue *rq, struct plat_task *t, bool woken)
{
    struct list_link *list = &rq->list[0];

    if (UNLIKELY(!t->left)) {
        t->left = rr_refill(rq, t);
        t->boosted = false;
    } else if (woken) {
        t->boosted = true;
        list = &rq->list[1];
    } else if (t->yielded) {
        t->boosted = false;
    } else { /* preempted: it goes on first */
        list_push_front(&rq->list[t->boosted], &t->link);
        return;
    }
    list_push_back(list, &t->link);
}

static bool rr_preempts(struct runqueue *rq, const struct plat_task *running, const struct plat_task *t)
{
    (void)rq;
    return t->boosted && !running->boosted;
}

/* ---- fifo: until it sleeps or gives way ---- */

static void fifo_enqueue(struct runqueue *rq, struct plat_task *t, bool woken)
{
    if (!woken && t->left && !t->yielded)
        list_push_front(&rq->list[0], &t->link);
    else
        list_push_back(&rq->list[0], &t->link);
    t->left = 1; /* it has begun */
}

static bool never(struct runqueue *rq, const struct plat_task *running, const struct plat_task *t)
{
    (void)rq;
    (void)running;
    (void)t;
    return false;
}

/* ---- priority: the highest, equals in turn ---- */

static uint64_t plain_refill(struct runqueue *rq, struct plat_task *t)
{
    (void)rq;
    (void)t;
    return sched_ticks.slice;
}

static void priority_enqueue(struct runqueue *rq, struct plat_task *t, bool woken)
{
    bool front = t->left && !woken && !t->yielded;

    if (!t->left)
        t->left = plain_refill(rq, t);
    level_add(rq, t, t->priority, front);
}

static bool priority_preempts(struct runqueue *rq, const struct plat_task *running, const struct plat_task *t)
{
    (void)rq;
    return t->priority > running->priority;
}

static const struct policy rr = {
    .name = "rr",
    .sliced = true,
    .init = two_init,
    .enqueue = rr_enqueue,
    .first = rr_first,
    .preempts = rr_preempts,
};
static const struct policy fifo = {
    .name = "fifo",
    .init = two_init,
    .enqueue = fifo_enqueue,
    .first = rr_first,
    .preempts = never,
};
static const struct policy priority = {
    .name = "priority",
    .sliced = true,
    .init = lists_init,
    .enqueue = priority_enqueue,
    .first = highest,
    .preempts = priority_preempts,
};

/* The first is the default. */
const struct policy *const policies[] = {&rr, &fifo, &priority, NULL};

const char *sched_policy_name(unsigned i)
{
    return i < ARRAY_SIZE(policies) && policies[i] ? policies[i]->name : NULL;
}
