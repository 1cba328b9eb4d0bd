/*
 * The scheduler: tasks on run queues, one queue a CPU. It knows tasks only, no vCPU and no VM.
 *
 * A task is at home on one CPU; it runs there only, and moves between two runs. A task whose registers stand
 * in a CPU's hardware (cpu->rq->resident, set by the engine) moves after its evict hook ran on that CPU.
 */
#ifndef CV_PLATFORM_BARE_SCHED_SCHED_H
#define CV_PLATFORM_BARE_SCHED_SCHED_H

#include "core/platform.h"
#include "platform/bare/arch.h"

#define TASK_NAME   24
#define STACK_BYTES (32u << 10)
#define PRIORITIES  32
#define WEIGHT_UNIT 100 /* the usual weight */

struct vcpu;
struct group;

enum task_state { TASK_READY, TASK_RUNNING, TASK_BLOCKED, TASK_DEAD };

/*
 * What an engine wants to know of its task. Each may be NULL; interrupts are off, no locks but the
 * scheduler's.
 */
struct task_hooks {
    /*
     * On the CPU where the task is resident: put its registers where another CPU finds them and clear
     * sched_resident_set(NULL). The task does not run.
     */
    void (*evict)(void *arg);
};

/* ---- the current task ---- */

struct plat_task *task_current(void);
/* Of the current task. True: it had others, or none: a task of another life may have had the same struct. */
bool task_hooks_set(const struct task_hooks *hooks, void *arg);
/* Gives way to others of its queue; false: nobody took it. */
bool task_yield(void);
/* The same with interrupts off and no lock held; as sched_preempt(). */
void sched_give_way(void);
/*
 * Interrupts off, no lock held: switches if arch_cpu()->resched is set. The caller may be on another CPU
 * afterwards: what it knew of this CPU it has to read again.
 */
void sched_preempt(void);
/* Interrupts off, from the engine: whose registers are in this CPU's hardware now (NULL: nobody's). */
void sched_resident_set(struct plat_task *t);
struct plat_task *sched_resident(void);
/* Ends the current task; its joiner goes on. */
NORETURN void task_exit(void);

/* ---- any task ---- */

/* If it runs on another CPU now, that CPU takes an interrupt (so it leaves its guest). Any context. */
void sched_kick(const struct plat_task *t);
const char *task_name(const struct plat_task *t);
struct vcpu *task_vcpu(const struct plat_task *t);
uint64_t task_time_ns(struct plat_task *t);
/* Bit = CPU; -EINVAL where none of them is online and not given to another by pin. */
int task_affinity_set(struct plat_task *t, uint64_t mask);
/* -EINVAL above PRIORITIES - 1; higher is first, 8 is usual. */
int task_priority_set(struct plat_task *t, unsigned priority);
/*
 * The CPU belongs to this task alone, without a tick; NULL gives it back to all. -EBUSY, -EINVAL; never CPU
 * 0.
 */
int sched_pin(unsigned cpu, struct plat_task *t);

/* ---- start ---- */

/* No tasks, no stacks: before the first CPU of a machine. */
void tasks_forget(void);
/* Run queue of a CPU; the caller is its idle task from now on. Boot only. */
int sched_cpu_add(struct cpu *c);
/* The idle task's life: interrupts on, runs whatever comes. */
NORETURN void sched_idle(void);
/* A stack of STACK_BYTES with a guard page below it; its top. NULL without memory. */
void *stack_alloc(void);
void stack_free(void *top);

/* ---- groups: the tasks of a VM ---- */

/*
 * weight: WEIGHT_UNIT is usual; budget: per cent of one CPU, 0: no bound. Tasks started by a member are
 * members.
 */
int group_create(struct group **g, const char *name, unsigned weight, unsigned budget);
/* When its last task has ended. */
void group_destroy(struct group *g);
/* -EINVAL: weight 1..10000, budget up to 100 x CPUs. */
int group_set(struct group *g, unsigned weight, unsigned budget);
/* The current task's: it and what it starts from now on. NULL: none. The one before. */
struct group *group_enter(struct group *g);
uint64_t group_time_ns(struct group *g);

/* ---- policies and figures ---- */

/* Names: "rr", "fifo", "priority"; NULL past the last. */
const char *sched_policy_name(unsigned i);
/* -ENOENT: no such policy, -EINVAL: no such CPU. */
int sched_policy_set(unsigned cpu, const char *policy);

struct sched_cpu_stat {
    const char *policy;
    unsigned runnable; /* waiting and running, without idle */
    uint64_t switches, moved_in, ticks, idle_ns;
    char running[TASK_NAME], pinned[TASK_NAME]; /* names, empty: none */
};
int sched_cpu_stat(unsigned cpu, struct sched_cpu_stat *s);

struct sched_task_stat {
    char name[TASK_NAME];
    enum task_state state;
    unsigned cpu, priority;
    uint64_t affinity, time_ns, switches;
    const char *group; /* NULL without */
};
/* i-th task, in no order that lasts; -ENOENT past the last. */
int sched_task_stat(unsigned i, struct sched_task_stat *s);

#endif
