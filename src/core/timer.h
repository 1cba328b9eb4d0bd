/*
 * The VM's virtual clock and timers on it. The clock stops with the VM and is the only source of guest
 * time: host time in a normal run, executed instructions under --deterministic (1 ns each, all vCPUs
 * together; in a halt of all vCPUs it jumps to the next timer).
 */
#ifndef CV_CORE_TIMER_H
#define CV_CORE_TIMER_H

#include "lib/base.h"

struct vm;

#define TIMER_NEVER UINT64_MAX

/* Owner's storage. The callback runs without locks, on any task; it may set the timer again. */
struct timer {
    struct vm *vm;
    void (*fn)(void *opaque);
    void *opaque;
    uint64_t deadline; /* virtual ns, TIMER_NEVER when off; vm->timers.lock */
    uint32_t slot;     /* place in the heap */
};

uint64_t clock_now_ns(struct vm *vm);
/* Now as ticks of a counter of `hz`, and the ns at which that counter reaches `ticks` (saturating). */
uint64_t clock_ticks(struct vm *vm, uint64_t hz);
uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);
/* Seconds and ns since 1970 UTC as the guest shall see them (fixed start under --deterministic). */
uint64_t clock_wall_ns(struct vm *vm);

int timer_init(struct timer *t, struct vm *vm, void (*fn)(void *), void *opaque);
void timer_fini(struct timer *t); /* waits for a running callback */
void timer_set(struct timer *t, uint64_t deadline_ns);
void timer_cancel(struct timer *t);
/* Earliest deadline of the VM. */
uint64_t timer_next(struct vm *vm);
/* Runs what is due at `now`. */
void timer_run(struct vm *vm, uint64_t now);

#endif
