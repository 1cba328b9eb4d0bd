/*
 * Timers of the hypervisor: each CPU has a heap of them behind its one hardware timer. Callbacks run in
 * interrupt context on the CPU that set the timer.
 */
#ifndef CV_PLATFORM_BARE_SCHED_TIMER_H
#define CV_PLATFORM_BARE_SCHED_TIMER_H

#include "platform/bare/sync/spin.h"

#define KTIMER_NEVER UINT64_MAX

/* The caller's storage; a node of a pairing heap. */
struct ktimer {
    uint64_t deadline; /* counter */
    void (*fn)(void *arg);
    void *arg;
    struct ktimer *child, *sibling, *prev; /* prev: the sibling before, or the parent */
    struct ktimer_queue *queue;            /* where it was set last; NULL: never */
    bool set;                              /* queue->lock */
};

struct ktimer_queue {
    struct spin lock;
    struct ktimer *top;
    struct ktimer *_Atomic running; /* whose callback runs now */
    struct cpu *cpu;
};

void ktimer_init(struct ktimer *t, void (*fn)(void *arg), void *arg);
/* On this CPU, instead of what it was set to. */
void ktimer_set(struct ktimer *t, uint64_t deadline);
/* After it the callback neither runs nor will; not from the callback itself. */
void ktimer_cancel(struct ktimer *t);

/* Private to sched: the queue of a CPU. Runs what is due, tells the next deadline. */
void ktimer_queue_init(struct ktimer_queue *q, struct cpu *c);
void ktimer_run(struct ktimer_queue *q, uint64_t now);
uint64_t ktimer_next(struct ktimer_queue *q);
/* How many are set. */
unsigned ktimer_count(struct ktimer_queue *q);

/* Its time comes: it is in a queue. By its owner. */
static inline bool ktimer_is_set(const struct ktimer *t)
{
    return t->set;
}

/* Counter ticks and nanoseconds since power on; UINT64_MAX stays. */
void clock_init(void);
uint64_t clock_to_ns(uint64_t counter);
uint64_t clock_from_ns(uint64_t ns);
/* The wall clock, by the RTC's driver: nanoseconds since 1970 now. */
void clock_wall_set(uint64_t ns);

#endif
