/*
 * Sleeping: wait queues, and on them what core/platform.h has (mutex, event) and semaphores. Any number of
 * waiters; they are woken in the order in which they came.
 */
#ifndef CV_PLATFORM_BARE_SYNC_WAIT_H
#define CV_PLATFORM_BARE_SYNC_WAIT_H

#include "lib/list.h"
#include "platform/bare/sync/spin.h"

/* The lock guards the condition that waiters wait for, too. */
struct waitq {
    struct spin lock;
    struct list_link waiters;
};

void waitq_init(struct waitq *q);
/*
 * Called with q->lock held (interrupts off): sleeps until a wake or the deadline (counter ticks, UINT64_MAX
 * never), and holds the lock again afterwards. False: the deadline passed. The caller looks at its condition
 * again.
 */
bool waitq_sleep(struct waitq *q, uint64_t deadline);
/* With q->lock held: the longest waiter goes on; false when there is none. Interrupt handlers may. */
bool waitq_wake(struct waitq *q);

struct sema {
    struct waitq q;
    unsigned count; /* q.lock */
};
void sema_init(struct sema *s, unsigned count);
/* deadline as plat_event_wait(); false when it passed. */
bool sema_take(struct sema *s, uint64_t deadline_ns);
void sema_give(struct sema *s);

#endif
