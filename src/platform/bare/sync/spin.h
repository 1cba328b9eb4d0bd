/*
 * Spin locks: held with interrupts off, for a few hundred instructions at most, never over a switch of tasks.
 * Debug builds (CV_DEBUG) check the order: a CPU that holds locks takes only one of a higher rank.
 */
#ifndef CV_PLATFORM_BARE_SYNC_SPIN_H
#define CV_PLATFORM_BARE_SYNC_SPIN_H

#include <stdatomic.h>
#include "platform/bare/arch.h"

/* In the order in which they may be taken; two of the same rank only in the order of their addresses. */
enum spin_rank {
    RANK_USER = 1, /* drivers, front end */
    RANK_IRQ,
    RANK_EVENT, /* events, mutexes, semaphores */
    RANK_RUNQUEUE,
    RANK_GROUP,
    RANK_TIMERS,
    RANK_HEAP,
    RANK_FRAMES,
    RANK_CONSOLE,
    RANK_RAM
};

/* A ticket lock: equal numbers are free. */
struct spin {
    _Atomic uint32_t next, serving;
    uint32_t rank;
};

#define SPIN_INIT(r) ((struct spin){.rank = (r)})

#ifdef CV_DEBUG
void spin_check(struct spin *s);
void spin_uncheck(struct spin *s);
#else
static inline void spin_check(struct spin *s)
{
    (void)s;
}
static inline void spin_uncheck(struct spin *s)
{
    (void)s;
}
#endif

/* Interrupts are off already. */
static inline void spin_lock(struct spin *s)
{
    uint32_t mine = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);

    spin_check(s);
    while (atomic_load_explicit(&s->serving, memory_order_acquire) != mine)
        arch_relax();
}

static inline bool spin_try(struct spin *s)
{
    uint32_t at = atomic_load_explicit(&s->serving, memory_order_acquire);

    if (!atomic_compare_exchange_strong_explicit(&s->next, &at, at + 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    spin_check(s);
    return true;
}

static inline void spin_unlock(struct spin *s)
{
    spin_uncheck(s);
    atomic_store_explicit(&s->serving, atomic_load_explicit(&s->serving, memory_order_relaxed) + 1,
                          memory_order_release);
}

/* The pair for code that may have interrupts on: what spin_lock_irq() gave goes to spin_unlock_irq(). */
static inline bool spin_lock_irq(struct spin *s)
{
    bool on = arch_irq_save();

    spin_lock(s);
    return on;
}

static inline void spin_unlock_irq(struct spin *s, bool on)
{
    spin_unlock(s);
    arch_irq_restore(on);
}

#endif
