/* More CPUs by PSCI: they run a function each and meet at barriers. */
#ifndef GUEST_ARM64_SMP_H
#define GUEST_ARM64_SMP_H

#include "harness.h"

#define CPUS 4

/* Runs fn(i) on CPUs 0 to n - 1 and returns when all have come back. The others' caches and MMU are as CPU
 * 0's. */
void on_cpus(unsigned n, void (*fn)(unsigned cpu));
/* All CPUs of this on_cpus(). */
void barrier(void);
/* What CPU_ON said last. */
extern u64 smp_error;

u64 psci(u32 function, u64 a, u64 b, u64 c);

#define CPU_ON64     0xc4000003u
#define CPU_OFF      0x84000002u
#define AFFINITY64   0xc4000004u
#define SYSTEM_RESET 0x84000009u

#endif
