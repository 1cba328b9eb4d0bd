/*
 * Run queues: who runs next on a CPU, the switch, sleeping and waking. A queue's lock is held over the switch
 * and released by whoever comes up on the CPU, so nobody sees a task between two stacks.
 */
#include "platform/bare/sched/internal.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/heap.h"

struct runqueue *rq_of(unsigned cpu)
{
    return cpu < cpu_count() ? cpu_at(cpu)->rq : NULL;
}

static struct runqueue *this_rq(void)
{
    return arch_cpu()->rq;
}

bool rq_allows(const struct runqueue *rq, const struct plat_task *t)
{
    return t->affinity >> rq->cpu->id & 1 && (!rq->pinned || rq->pinned == t);
}

uint64_t task_weight(const struct plat_task *t)
{
    return t->group ? atomic_load_explicit(&t->group->weight, memory_order_relaxed) : WEIGHT_UNIT;
}

void rq_resched(struct runqueue *rq)
{
    if (rq->cpu == arch_cpu()) {
        atomic_store_explicit(&rq->cpu->resched, 1, memory_order_relaxed);
        return;
    }
    if (atomic_exchange(&rq->cpu->resched, 1))
        return; /* it was told already */
    ipi_send(rq->cpu, IPI_RESCHED);
}

struct cpu_set cpu_set;

/* Somebody waits for rq's CPU: one that has nothing to do shall look. */
static void poke(const struct runqueue *rq, uint64_t affinity)
{
    uint64_t idle = atomic_load(&cpu_set.idle) & affinity & ~BIT(rq->cpu->id);
    struct cpu *c;

    if (LIKELY(!idle))
        return;
    c = cpu_at((unsigned)__builtin_ctzll(idle));
    if (!c->rq->pinned && !atomic_exchange(&c->resched, 1) && c != arch_cpu())
        ipi_send(c, IPI_RESCHED);
}

/* The fence: either we see who is about to wait, or it sees what we queued. */
static inline void poke_idle(const struct runqueue *rq, uint64_t affinity)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (UNLIKELY(atomic_load_explicit(&cpu_set.idle, memory_order_relaxed)))
        poke(rq, affinity);
}

/* ---- on and off the lists ---- */

void rq_enqueue(struct runqueue *rq, struct plat_task *t, bool woken)
{
    struct plat_task *running = atomic_load_explicit(&rq->current, memory_order_relaxed);

    if (!rq_allows(rq, t)) {
        t->where = IN_STRAYS;
        list_push_back(&rq->strays, &t->link);
        rq_resched(rq);
        return;
    }
    t->where = IN_POLICY;
    rq->policy->enqueue(rq, t, woken);
    t->yielded = false;
    if (t != running && running != &rq->idle)
        poke_idle(rq, t->affinity);
    /* The first that waits beside a running one: this one's slice begins to count. */
    if (!rq->ready++ || running == &rq->idle || rq->policy->preempts(rq, running, t))
        rq_resched(rq);
}

struct runqueue *task_rq_lock(struct plat_task *t)
{
    for (;;) {
        struct runqueue *rq = atomic_load(&t->cpu)->rq;

        spin_lock(&rq->lock);
        if (LIKELY(atomic_load_explicit(&t->cpu, memory_order_relaxed) == rq->cpu))
            return rq;
        spin_unlock(&rq->lock);
    }
}

/* ---- budgets ---- */

static void throttle(struct runqueue *rq, struct plat_task *t, uint64_t now)
{
    rq_dequeue(rq, t);
    t->where = IN_THROTTLED;
    list_push_back(&rq->throttled, &t->link);
    ktimer_set(&rq->period, group_period_end(now));
}

static void period_over(void *opaque)
{
    struct runqueue *rq = opaque;
    struct list_link *l;

    spin_lock(&rq->lock);
    while ((l = list_pop_front(&rq->throttled))) {
        struct plat_task *t = LIST_ENTRY(l, struct plat_task, link);

        t->where = NOWHERE;
        rq_enqueue(rq, t, false);
    }
    rq_resched(rq);
    spin_unlock(&rq->lock);
}

/* ---- choosing ---- */

static void account(struct runqueue *rq, struct plat_task *t, uint64_t now)
{
    uint64_t ran = now - t->since;

    t->since = now;
    if (t == &rq->idle) {
        rq->idle_ticks += ran;
        return;
    }
    time_add(&t->time, ran);
    if (rq->policy->sliced)
        t->left -= MIN(t->left, ran);
    if (t->group) {
        atomic_fetch_add_explicit(&t->group->time, ran, memory_order_relaxed);
        if (atomic_load_explicit(&t->group->quota, memory_order_relaxed))
            group_charge_quota(t->group, now, ran);
    }
}

static struct plat_task *pick(struct runqueue *rq, uint64_t now)
{
    struct plat_task *t;

    while ((t = rq->policy->first(rq))) {
        if (UNLIKELY(!group_left(t->group, now))) {
            throttle(rq, t, now);
            continue;
        }
        rq_dequeue(rq, t);
        return t;
    }
    return &rq->idle;
}

/* When this CPU has to look again: end of a slice that others wait for, end of a budget. */
static void arm(struct runqueue *rq, struct plat_task *t, uint64_t now)
{
    uint64_t in = UINT64_MAX;

    if (t != &rq->idle) {
        if (rq->ready && rq->policy->sliced)
            in = MAX(t->left, (uint64_t)1);
        in = MIN(in, group_left(t->group, now));
        if (rq->ready && in > sched_ticks.balance)
            in = sched_ticks.balance;
    }
    /* One that is early looks again then: cheaper than to set it with each switch. */
    if (in < UINT64_MAX / 2 && (!ktimer_is_set(&rq->slice) || rq->slice.deadline > now + in))
        ktimer_set(&rq->slice, now + in);
}

static void slice_over(void *opaque)
{
    struct runqueue *rq = opaque;

    rq->ticks++;
    atomic_store(&rq->cpu->resched, 1);
}

/* ---- the switch ---- */

/* Tasks that may not run here go where they may; this CPU only. */
__attribute__((noinline)) static void send_strays(struct runqueue *rq)
{
    for (;;) {
        struct plat_task *t = NULL;
        struct runqueue *to;

        spin_lock(&rq->lock);
        if (!list_empty(&rq->strays)) {
            t = LIST_ENTRY(rq->strays.next, struct plat_task, link);
            rq_dequeue(rq, t);
        }
        spin_unlock(&rq->lock);
        if (!t)
            return;
        if (atomic_load(&rq->resident) == t && t->hooks && t->hooks->evict)
            t->hooks->evict(t->hooks_arg);
        to = balance_place(t)->rq;
        spin_lock(&rq->lock);
        atomic_store(&t->cpu, to->cpu);
        spin_unlock(&rq->lock);
        spin_lock(&to->lock);
        t->moved_at = arch_counter();
        to->moved_in++;
        rq_enqueue(to, t, false);
        spin_unlock(&to->lock);
    }
}

void sched_switched(void)
{
    struct runqueue *rq = this_rq();

    spin_unlock(&rq->lock);
    if (UNLIKELY(!list_empty(&rq->strays)))
        send_strays(rq);
}

static void switch_to(struct runqueue *rq, struct plat_task *prev, struct plat_task *next)
{
    rq->switches++;
    time_add(&next->switches, 1);
    rq->cpu->task = next;
    rq->cpu->stack_top = (uint64_t)(uintptr_t)next->stack_top;
    arch_switch(&prev->context, &next->context);
    sched_switched(); /* perhaps another CPU by now */
}

/* Back among those that wait, without the questions of rq_enqueue(): schedule() looks at all of them next. */
static inline void again(struct runqueue *rq, struct plat_task *prev)
{
    if (UNLIKELY(!rq_allows(rq, prev))) {
        rq_enqueue(rq, prev, false);
        return;
    }
    prev->where = IN_POLICY;
    rq->policy->enqueue(rq, prev, false);
    prev->yielded = false;
    rq->ready++;
}

void schedule(void)
{
    struct runqueue *rq = this_rq();
    struct plat_task *prev = atomic_load_explicit(&rq->current, memory_order_relaxed), *next;
    uint64_t now = arch_counter();

    if (now >= rq->balance_at && rq->ready)
        balance_push(rq);
    spin_lock(&rq->lock);
    account(rq, prev, now);
    if (prev != &rq->idle && atomic_load_explicit(&prev->state, memory_order_relaxed) == TASK_RUNNING) {
        atomic_store_explicit(&prev->state, TASK_READY, memory_order_relaxed);
        again(rq, prev);
    }
    next = pick(rq, now);
    atomic_store_explicit(&next->state, TASK_RUNNING, memory_order_relaxed);
    next->since = now;
    atomic_store_explicit(&rq->cpu->resched, 0, memory_order_relaxed);
    atomic_store(&rq->current, next); /* sequentially consistent: sched_kick() */
    arm(rq, next, now);
    if (next == prev) {
        sched_switched();
        return;
    }
    if (rq->ready)
        poke_idle(rq, UINT64_MAX);
    switch_to(rq, prev, next);
}

void sched_preempt(void)
{
    if (atomic_load_explicit(&arch_cpu()->resched, memory_order_relaxed) && this_rq())
        schedule();
}

void irq_exit(void)
{
    sched_preempt();
}

void sched_give_way(void)
{
    const struct cpu *c = arch_cpu();

    if (!((const struct runqueue *)c->rq)->ready && !c->resched)
        return;
    c->task->yielded = true;
    schedule();
    arch_cpu()->task->yielded = false;
}

bool task_yield(void)
{
    struct plat_task *t = task_current();
    uint64_t before = atomic_load(&t->switches);
    bool on = arch_irq_save();

    sched_give_way();
    arch_irq_restore(on);
    return atomic_load(&t->switches) != before;
}

/* ---- sleeping and waking ---- */

void task_wake(struct plat_task *t)
{
    bool on = arch_irq_save();
    struct cpu *better = cpu_set.count > 1 ? balance_wake(t) : arch_cpu();
    struct runqueue *rq = task_rq_lock(t);

    if (atomic_load_explicit(&t->state, memory_order_relaxed) != TASK_BLOCKED) {
        spin_unlock_irq(&rq->lock, on);
        return;
    }
    /* It has not left the CPU yet, and need not. */
    if (t == atomic_load_explicit(&rq->current, memory_order_relaxed)) {
        atomic_store(&t->state, TASK_RUNNING);
        spin_unlock_irq(&rq->lock, on);
        return;
    }
    atomic_store_explicit(&t->state, TASK_READY, memory_order_relaxed);
    if (better != rq->cpu && atomic_load(&rq->resident) != t) {
        atomic_store(&t->cpu, better);
        spin_unlock(&rq->lock);
        rq = better->rq;
        spin_lock(&rq->lock);
        t->moved_at = arch_counter();
        rq->moved_in++;
    }
    rq_enqueue(rq, t, true);
    spin_unlock_irq(&rq->lock, on);
}

/* By its address alone: a task that is kicked at its end may be gone, and so is what it says of itself. */
void sched_kick(const struct plat_task *t)
{
    bool on = arch_irq_save();

    atomic_thread_fence(
        memory_order_seq_cst); /* the request was set before; who enters a guest looks after */
    for (unsigned i = 0; i < cpu_set.count; i++) {
        struct cpu *c = cpu_at(i);

        if (c->rq && atomic_load(&c->rq->current) == t) {
            if (c != arch_cpu())
                ipi_send(c, IPI_KICK);
            break;
        }
    }
    arch_irq_restore(on);
}

/* ---- the current task ---- */

struct plat_task *task_current(void)
{
    bool on = arch_irq_save();
    struct plat_task *t = arch_cpu()->task;

    arch_irq_restore(on);
    return t;
}

bool task_hooks_set(const struct task_hooks *hooks, void *arg)
{
    struct plat_task *t = task_current();

    if (t->hooks == hooks && t->hooks_arg == arg)
        return false;
    t->hooks_arg = arg;
    t->hooks = hooks;
    return true;
}

void sched_resident_set(struct plat_task *t)
{
    atomic_store(&this_rq()->resident, t);
}

struct plat_task *sched_resident(void)
{
    return atomic_load(&this_rq()->resident);
}

struct vcpu *plat_current(void)
{
    struct plat_task *t = task_current();

    return t ? t->vcpu : NULL;
}

void plat_current_set(struct vcpu *v)
{
    task_current()->vcpu = v;
}

/* ---- CPUs ---- */

int sched_cpu_add(struct cpu *c)
{
    struct runqueue *rq = plat_alloc(sizeof(*rq));

    if (!rq)
        return -ENOMEM;
    rq->lock = SPIN_INIT(RANK_RUNQUEUE);
    rq->cpu = c;
    rq->policy = policies[0];
    rq->policy->init(rq);
    list_init(&rq->throttled);
    list_init(&rq->strays);
    ktimer_queue_init(&rq->timers, c);
    ktimer_init(&rq->slice, slice_over, rq);
    ktimer_init(&rq->period, period_over, rq);
    fmt_snprintf(rq->idle.name, sizeof(rq->idle.name), "idle%u", c->id);
    atomic_store(&rq->idle.cpu, c);
    atomic_store(&rq->idle.state, TASK_RUNNING);
    rq->idle.stack_top = (void *)(uintptr_t)c->stack_top;
    list_init(&rq->idle.link);
    list_init(&rq->idle.wait);
    rq->idle.since = arch_counter();
    atomic_store(&rq->current, &rq->idle);
    c->timer_deadline = KTIMER_NEVER;
    c->task = &rq->idle;
    c->timers = &rq->timers;
    c->rq = rq;
    return 0;
}

void sched_idle(void)
{
    for (;;) {
        struct runqueue *rq;

        arch_irq_save();
        rq = this_rq();
        atomic_fetch_or(&cpu_set.idle, BIT(rq->cpu->id));
        if (!atomic_load(&rq->cpu->resched) && !balance_pull(rq))
            arch_wait();
        atomic_fetch_and(&cpu_set.idle, ~BIT(rq->cpu->id));
        if (atomic_load(&rq->cpu->resched))
            schedule();
        arch_irq_restore(true); /* what is pending is taken here */
    }
}

int sched_policy_set(unsigned cpu, const char *policy)
{
    struct runqueue *rq = rq_of(cpu);
    const struct policy *p = NULL;
    struct list_link moved;
    bool on;

    for (unsigned i = 0; policies[i]; i++) {
        if (!strcmp(policies[i]->name, policy))
            p = policies[i];
    }
    if (!p)
        return -ENOENT;
    if (!rq)
        return -EINVAL;
    list_init(&moved);
    on = spin_lock_irq(&rq->lock);
    for (struct plat_task *t; (t = rq->policy->first(rq));) {
        rq_dequeue(rq, t);
        list_push_back(&moved, &t->link);
    }
    rq->policy = p;
    p->init(rq);
    for (struct list_link *l; (l = list_pop_front(&moved));) {
        struct plat_task *t = LIST_ENTRY(l, struct plat_task, link);

        t->left = 0;
        rq_enqueue(rq, t, false);
    }
    rq_resched(rq);
    spin_unlock_irq(&rq->lock, on);
    return 0;
}

int sched_pin(unsigned cpu, struct plat_task *t)
{
    struct runqueue *rq = rq_of(cpu);
    bool on;
    int err = 0;

    if (!rq || !cpu || !(cpu_online_mask() >> cpu & 1))
        return -EINVAL;
    on = spin_lock_irq(&rq->lock);
    if (t && rq->pinned && rq->pinned != t)
        err = -EBUSY;
    if (!err) {
        rq->pinned = t;
        for (struct plat_task *other; t && (other = rq->policy->first(rq));) {
            rq_dequeue(rq, other);
            other->where = IN_STRAYS;
            list_push_back(&rq->strays, &other->link);
        }
        rq_resched(rq);
    }
    spin_unlock_irq(&rq->lock, on);
    if (!err && t)
        err = task_affinity_set(t, BIT(cpu));
    return err;
}

int sched_cpu_stat(unsigned cpu, struct sched_cpu_stat *s)
{
    struct runqueue *rq = rq_of(cpu);
    bool on;

    if (!rq)
        return -ENOENT;
    on = spin_lock_irq(&rq->lock);
    *s = (struct sched_cpu_stat){
        .policy = rq->policy->name,
        .runnable = rq_load(rq),
        .switches = rq->switches,
        .moved_in = rq->moved_in,
        .ticks = rq->ticks,
        .idle_ns = clock_to_ns(rq->idle_ticks),
    };
    if (rq->current != &rq->idle)
        fmt_snprintf(s->running, sizeof(s->running), "%s", ((struct plat_task *)rq->current)->name);
    if (rq->pinned)
        fmt_snprintf(s->pinned, sizeof(s->pinned), "%s", rq->pinned->name);
    spin_unlock_irq(&rq->lock, on);
    return 0;
}
