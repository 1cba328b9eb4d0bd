/*
 * One physical CPU of the bare form. boot/<isa> keeps a pointer to it in a register (tp, TPIDR_EL2), so
 * vectors reach its first fields by constant offsets.
 */
#ifndef CV_PLATFORM_BARE_CPU_H
#define CV_PLATFORM_BARE_CPU_H

#include <stdatomic.h>
#include "lib/base.h"

#define CPU_MAX 64

struct plat_task;
struct runqueue;
struct ktimer_queue;

struct cpu {
    /* Offsets are known to assembly: CPU_* below. */
    struct cpu *self;
    uint64_t hw_id;           /* MPIDR affinity, hart id */
    uint64_t stack_top;       /* of the task that runs here */
    struct plat_task *task;   /* that runs here */
    void *engine;             /* the engine's own per-CPU state */
    _Atomic uint32_t resched; /* somebody better waits, or a slice is over: call sched_preempt() */
    uint32_t id;              /* 0.. dense, 0 is the boot CPU */
    uint64_t scratch[10];     /* boot's and engine's vectors */

    struct runqueue *rq;
    struct ktimer_queue *timers; /* its part */
    void *arch;                  /* boot's own */
    uint64_t node;               /* of the device tree, dtb_node */
    _Atomic bool online;         /* bit of bare.online too */
    _Atomic uint32_t ipi;        /* enum ipi_kind bits that wait (irq/ipi.c) */
    uint64_t timer_deadline;     /* what the timer of this CPU is set to, counter; this CPU only */
    unsigned lock_depth;         /* debug: spin locks held */
    void *lock_held[8];          /* debug */
};

#define CPU_SELF      0
#define CPU_HW_ID     8
#define CPU_STACK_TOP 16
#define CPU_TASK      24
#define CPU_ENGINE    32
#define CPU_RESCHED   40
#define CPU_ID        44
#define CPU_SCRATCH   48
_Static_assert(offsetof(struct cpu, hw_id) == CPU_HW_ID, "known to assembly");
_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "known to assembly");
_Static_assert(offsetof(struct cpu, task) == CPU_TASK, "known to assembly");
_Static_assert(offsetof(struct cpu, engine) == CPU_ENGINE, "known to assembly");
_Static_assert(offsetof(struct cpu, resched) == CPU_RESCHED, "known to assembly");
_Static_assert(offsetof(struct cpu, id) == CPU_ID, "known to assembly");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "known to assembly");

/* Those that the device tree names and that are usable; [0] is there before the rest. Written at boot. */
struct cpu_set {
    struct cpu *cpu[CPU_MAX];
    unsigned count;
    _Atomic uint64_t online; /* bit = id of each CPU that runs tasks */
    _Atomic uint64_t idle;   /* of those, who has nothing to do and is about to wait, or does */
};
extern struct cpu_set cpu_set;

static inline struct cpu *cpu_at(unsigned id)
{
    return cpu_set.cpu[id];
}

static inline unsigned cpu_count(void)
{
    return cpu_set.count;
}

static inline uint64_t cpu_online_mask(void)
{
    return atomic_load_explicit(&cpu_set.online, memory_order_relaxed);
}

#endif
