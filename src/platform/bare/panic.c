/* Panic: the trace of who failed; the vCPU's task alone stops where the fault is one vCPU's. */
#include "platform/bare/panic.h"
#include <stdarg.h>
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/arch.h"
#include "platform/bare/console.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/sched/sched.h"

#define STOP_NS UINT64_C(500000000)

static struct {
    void (*_Atomic vcpu_hook)(struct vcpu *v, const char *why);
    _Atomic bool stopping;
    _Atomic unsigned stopped; /* CPUs */
    char why[200];            /* of the vCPU that failed last: stacks are gone when it is told */
} state;

void panic_vcpu_hook(void (*fn)(struct vcpu *v, const char *why))
{
    atomic_store(&state.vcpu_hook, fn);
}

void panic_stopped(void)
{
    arch_irq_save();
    atomic_fetch_add(&state.stopped, 1);
    arch_cpu_park();
}

static void dump(const char *why)
{
    struct cpu *c = arch_cpu();
    uint64_t pc[16];
    unsigned n = arch_backtrace(pc, ARRAY_SIZE(pc));

    console_printf("carbovisor: internal error on CPU %u: %s; please report it\n", c ? c->id : 0, why);
    if (c && c->task)
        console_printf("carbovisor: task %s\n", task_name(c->task));
    for (unsigned i = 0; i < n; i++)
        console_printf("carbovisor:   %016llx\n", (unsigned long long)pc[i]);
}

/* Waits a moment for them, so that what they write is not in the middle of what is to be read. */
static void stop_others(const struct cpu *self)
{
    unsigned told = 0;
    uint64_t until;

    for (unsigned i = 0; i < cpu_count(); i++) {
        if (cpu_at(i) != self && atomic_load(&cpu_at(i)->online)) {
            ipi_send(cpu_at(i), IPI_STOP);
            told++;
        }
    }
    until = told ? plat_clock_ns() + STOP_NS : 0;
    while (atomic_load(&state.stopped) < told && plat_clock_ns() < until)
        arch_relax();
}

NORETURN static void stop_everything(const char *why)
{
    if (atomic_exchange(&state.stopping, true))
        arch_cpu_park();
    if (arch_cpu())
        stop_others(arch_cpu());
    console_break_lock();
    dump(why);
    console_printf("carbovisor: this is no vCPU's own, so all guests stop; reset the board\n");
    arch_cpu_park();
}

/* What is left of a vCPU's task: tells the front end and ends. On its own stack, from the top again. */
static void stopped_task(void *unused)
{
    struct vcpu *v = task_vcpu(task_current());
    void (*hook)(struct vcpu *, const char *) = atomic_load(&state.vcpu_hook);

    (void)unused;
    plat_current_set(NULL); /* one that fails again stops everything */
    arch_irq_restore(true);
    if (hook)
        hook(v, state.why);
    task_exit();
}

/* The stack may be a fault's, or be used up: neither is good to sleep on. */
NORETURN static void stop_task(const char *why)
{
    struct arch_context here, top;

    dump(why);
    fmt_snprintf(state.why, sizeof(state.why), "%s", why);
    arch_context_init(&top, (void *)(uintptr_t)arch_cpu()->stack_top, stopped_task, NULL);
    arch_switch(&here, &top);
    arch_cpu_park();
}

/* Interrupts that were off mean a spin lock: then nobody else could go on anyway. */
NORETURN static void stop(const char *why, bool irqs_were_on)
{
    struct cpu *c = arch_cpu();

    if (irqs_were_on && c && c->task && task_vcpu(c->task))
        stop_task(why);
    stop_everything(why);
}

void panic(const char *fmt, ...)
{
    bool on = arch_irq_save();
    char why[200];
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    stop(why, on);
}

void bug_stop(const char *file, int line, const char *what)
{
    panic("%s:%d: %s", file, line, what);
}

void trap_fatal(const char *what, uint64_t pc, uint64_t address, uint64_t syndrome, bool irqs_were_on)
{
    char why[200];

    arch_irq_save();
    fmt_snprintf(why, sizeof(why), "%s at pc %llx, address %llx, syndrome %llx", what, (unsigned long long)pc,
                 (unsigned long long)address, (unsigned long long)syndrome);
    stop(why, irqs_were_on);
}
