/* Work on several harts: hart 0 hands a function to the first n harts and waits for them. Secondaries sleep
 * in wfi. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H
#include "vm.h"

#define MSIP(hart) (0x2000000UL + 4 * (hart))

typedef void (*job)(u64 hart, u64 arg);

/* Starts the other harts; returns how many there are, hart 0 counted, or fewer when some do not come within
 * time. */
u64 smp_begin(u64 want);
/* fn(hart, arg) on harts 0 to n - 1, hart 0 being the caller; returns when all are done. */
void smp_run(u64 n, job fn, u64 arg);
/* All of n harts meet; each passes its own hart number. Only inside smp_run. */
void smp_meet(u64 n, u64 hart);
/* For jobs that use msip themselves: meets, and takes away what smp_run woke the harts with. */
void smp_enter(u64 n, u64 hart);

/* Between accesses that race: a few turns, by a generator of its own per hart. */
static inline void dither(u64 *seed, u64 mask)
{
    for (u64 i = rnd(seed) & mask; i; i--)
        asm volatile("" ::: "memory");
}
static inline void full_fence(void)
{
    asm volatile("fence rw, rw" ::: "memory");
}
#endif
