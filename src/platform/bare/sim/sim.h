/*
 * A simulated machine under the common platform, for host unit tests: several CPUs on one thread, interleaved
 * at random (by a seed) wherever interrupts go on or a lock spins; virtual time that passes in sim_work() and
 * sleep only. A run is the same every time.
 */
#ifndef CV_PLATFORM_BARE_SIM_SIM_H
#define CV_PLATFORM_BARE_SIM_SIM_H

#include "lib/base.h"

struct sim_config {
    unsigned cpus;
    uint64_t seed;
    uint64_t memory;       /* 0: 64 MiB */
    unsigned switch_every; /* one in so many chances to go over to another CPU is taken; 0: never */
};

/* Boots the machine and runs fn(arg) as its first task, until it returns; then the machine is gone. */
void sim_run(const struct sim_config *c, void (*fn)(void *arg), void *arg);
/* The current task computes for that long, in nanoseconds of CPU time. */
void sim_work(uint64_t ns);
/* The current task sleeps. */
void sim_sleep(uint64_t ns);
/* Timer interrupts and IPIs that this CPU took. */
uint64_t sim_interrupts(unsigned cpu);

#endif
