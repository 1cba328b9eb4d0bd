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
    uint64_t deadline; /* virtual ns, TIMER_NEVER when off; the heap's lock */
    uint32_t slot;     /* place in the heap */
    uint32_t home;     /* vCPU whose task runs it; 0 unless timer_home() said otherwise */
};

uint64_t clock_now_ns(struct vm *vm);
/* Now as ticks of a counter of `hz`, and the ns at which that counter reaches `ticks` (saturating). */
uint64_t clock_ticks(struct vm *vm, uint64_t hz);
uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);
/* What the guest's own counter runs at: the engine's, or the ISA's choice. */
uint64_t clock_counter_hz(const struct vm *vm, uint64_t choice);
/* Seconds and ns since 1970 UTC as the guest shall see them (fixed start under --deterministic). */
uint64_t clock_wall_ns(struct vm *vm);

int timer_init(struct timer *t, struct vm *vm, void (*fn)(void *), void *opaque);
/* Before the first set: the vCPU whose task is to run it, by id. 0 or -ENOMEM. */
int timer_home(struct timer *t, unsigned vcpu);
void timer_fini(struct timer *t); /* waits for a running callback */
void timer_set(struct timer *t, uint64_t deadline_ns);
void timer_cancel(struct timer *t);
/* Earliest deadline at home with this vCPU; without a lock. */
uint64_t timer_next(struct vm *vm, unsigned vcpu);
/* Runs what is due there at `now`; that vCPU's task only. */
void timer_run(struct vm *vm, unsigned vcpu, uint64_t now);
/* A virtual deadline as plat_clock_ns(); PLAT_FOREVER for TIMER_NEVER or while the clock stands. */
uint64_t clock_host_deadline(struct vm *vm, uint64_t deadline_ns);
void clock_start(struct vm *vm);
void clock_stop(struct vm *vm);

#endif
