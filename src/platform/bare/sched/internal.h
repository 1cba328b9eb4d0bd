/* Private to sched/: a task, a run queue, the table of a policy. */
#ifndef CV_PLATFORM_BARE_SCHED_INTERNAL_H
#define CV_PLATFORM_BARE_SCHED_INTERNAL_H

#include "lib/list.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"
#include "platform/bare/sync/wait.h"

#define SLICE_NS        UINT64_C(4000000)  /* of a task of usual weight */
#define BALANCE_NS      UINT64_C(20000000) /* a CPU with a tick looks at the others' load that often */
#define PERIOD_NS       UINT64_C(50000000) /* of budgets */
#define PRIORITY_NORMAL 8

/* The same in counter ticks; clock_init(). */
struct sched_ticks {
    uint64_t slice, balance, period;
};
extern struct sched_ticks sched_ticks;

enum task_where { NOWHERE, IN_POLICY, IN_THROTTLED, IN_STRAYS };

struct plat_task {
    struct arch_context context;
    char name[TASK_NAME];
    void (*fn)(void *);
    void *arg;
    void *stack_top;
    struct vcpu *vcpu;
    const struct task_hooks *hooks;
    void *hooks_arg;
    struct group *group; /* own task only, but for group_destroy */
    struct list_link all;

    struct cpu *_Atomic cpu; /* home; changes under the old home's queue lock */
    /* Lock of the home's queue. */
    _Atomic uint32_t state; /* enum task_state; the task itself may store BLOCKED without the lock */
    struct list_link link;  /* a policy's list, or the list of who waits for a new period */
    uint8_t where;          /* enum task_where: which kind of list has it */
    bool boosted, yielded;  /* rr: woke with a rest of its slice; gives way this time */
    uint8_t priority;
    uint64_t affinity;
    uint64_t left;                   /* of its slice, counter ticks */
    uint64_t since;                  /* when it began to run; counter */
    uint64_t moved_at;               /* when it came to this CPU */
    _Atomic uint64_t time, switches; /* counter ticks */

    struct list_link wait; /* waitq's, its lock */
    _Atomic bool timed_out;
    struct ktimer timeout;

    struct waitq end; /* joiner */
    bool ended;       /* end.lock */
};

/* One line each; rq->lock held. */
struct policy {
    const char *name;
    bool sliced; /* running tasks are preempted at the end of their slice */
    void (*init)(struct runqueue *rq);
    /* woken: from sleep; else it was preempted, gave way, or came from elsewhere. */
    void (*enqueue)(struct runqueue *rq, struct plat_task *t, bool woken);
    /* Who is next, left on its list; NULL: nobody. */
    struct plat_task *(*first)(struct runqueue *rq);
    /* Whether t, just queued, goes before the one that runs. */
    bool (*preempts)(struct runqueue *rq, const struct plat_task *running, const struct plat_task *t);
};

struct runqueue {
    struct spin lock;
    struct cpu *cpu;
    const struct policy *policy;
    struct list_link list[PRIORITIES]; /* the policy's */
    uint32_t levels;                   /* priority: bit = list that is not empty */
    struct list_link throttled;        /* their group's budget is used up */
    struct list_link strays;           /* may not run here: this CPU sends them on */
    unsigned ready;                    /* queued tasks, without throttled */
    struct plat_task *_Atomic current; /* == &idle when nobody wants */
    struct plat_task idle;
    struct plat_task *_Atomic resident; /* see sched_resident_set(); this CPU writes */
    struct plat_task *pinned;           /* the only one that may run here */
    struct plat_task *prev;             /* who was left by the switch under way */
    struct ktimer slice, period;
    struct ktimer_queue timers;
    uint64_t balance_at; /* counter */
    uint64_t switches, moved_in, ticks, idle_ticks;
};

/* Tasks of a VM: weight and budget. */
struct group {
    struct spin lock;
    char name[TASK_NAME];
    _Atomic unsigned weight;
    _Atomic uint64_t quota; /* budget in ticks a period, 0: none */
    _Atomic unsigned tasks;
    _Atomic uint64_t time; /* counter ticks, all tasks that ever were */
    /* lock; of the period under way */
    uint64_t period, used; /* number, counter ticks */
};

extern const struct policy *const policies[];

/* Time of a running task is charged by its own CPU only. */
static inline void time_add(_Atomic uint64_t *sum, uint64_t ticks)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + ticks, memory_order_relaxed);
}

struct runqueue *rq_of(unsigned cpu);
/* Tasks that want this CPU: queued, and the one that runs. */
static inline unsigned rq_load(const struct runqueue *rq)
{
    return rq->ready + (rq->current != &rq->idle);
}

/* Off whatever list it is on; rq->lock held. */
static inline void rq_dequeue(struct runqueue *rq, struct plat_task *t)
{
    rq->ready -= t->where == IN_POLICY;
    t->where = NOWHERE;
    list_remove(&t->link);
}

/* sched.c, with rq->lock held */
void rq_enqueue(struct runqueue *rq, struct plat_task *t, bool woken);
void rq_resched(struct runqueue *rq);
/* The lock of the home of t, which cannot change then. Interrupts are off. */
struct runqueue *task_rq_lock(struct plat_task *t);
/* Whether t may run there: affinity, and nobody else has the CPU for itself. */
bool rq_allows(const struct runqueue *rq, const struct plat_task *t);
/* A blocked task goes on; any context. */
void task_wake(struct plat_task *t);
/* Leaves the CPU to whoever is next; interrupts off, no lock held. */
void schedule(void);
/* On the stack of who came up, with this CPU's queue locked: completes the switch. */
void sched_switched(void);
uint64_t task_weight(const struct plat_task *t);

/* group.c: what of the budget is left to the group in this period, counter ticks; UINT64_MAX unbounded. */
uint64_t group_left_of_quota(struct group *g, uint64_t now);
void group_charge_quota(struct group *g, uint64_t now, uint64_t ticks);

static inline uint64_t group_left(struct group *g, uint64_t now)
{
    if (!g || !atomic_load_explicit(&g->quota, memory_order_relaxed))
        return UINT64_MAX;
    return group_left_of_quota(g, now);
}
/* When the period that `now` is in ends. */
uint64_t group_period_end(uint64_t now);

/* balance.c */
/* Where a task that wakes should run, home if nowhere better. No lock held. */
struct cpu *balance_wake(struct plat_task *t);
/* This CPU has nothing to do: brings a task from elsewhere; whether it did. No lock held, interrupts off. */
bool balance_pull(struct runqueue *rq);
/* Now and then on a busy CPU: gives one to a CPU with less to do. No lock held, interrupts off. */
void balance_push(struct runqueue *rq);
/* Where among all CPUs a task should start, or go from a CPU that it may not use. */
struct cpu *balance_place(const struct plat_task *t);

#endif
