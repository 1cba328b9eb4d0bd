/* The simulated machine: contexts of the C library as stacks, a loop that chooses which CPU goes on. */
#define _GNU_SOURCE
#include "platform/bare/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "core/platform.h"
#include "lib/rng.h"
#include "platform/bare/board.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/panic.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"

#define NEVER        UINT64_MAX
#define WINDOW_BYTES (UINT64_C(64) << 20)

struct sim_cpu {
    struct cpu cpu;
    ucontext_t context; /* where it left off for the loop */
    ucontext_t idle;
    void *stack;
    bool irqs_on, ipi, waits; /* waits: until an interrupt is pending or `until` */
    uint64_t until, timer, taken;
};

static struct {
    struct sim_config config;
    struct sim_cpu *cpu;
    unsigned count;
    struct sim_cpu *now_on; /* which CPU the host thread plays; NULL: the loop */
    ucontext_t loop;
    uint64_t now; /* ns, which are counter ticks */
    struct rng rng;
    void (*fn)(void *);
    void *arg;
    bool done;
    void *memory, *window;
} sim;

/* ---- the loop ---- */

static bool pending(const struct sim_cpu *c)
{
    return c->ipi || c->timer <= sim.now;
}

static bool can_run(const struct sim_cpu *c)
{
    return !c->waits || pending(c) || c->until <= sim.now;
}

/* A CPU that can go on, at random; when none can, time passes. */
static struct sim_cpu *choose(void)
{
    for (;;) {
        uint64_t next = NEVER;
        unsigned n = 0, pick;

        for (unsigned i = 0; i < sim.count; i++)
            n += can_run(&sim.cpu[i]);
        if (n) {
            pick = (unsigned)rng_below(&sim.rng, n);
            for (unsigned i = 0;; i++) {
                if (can_run(&sim.cpu[i]) && !pick--)
                    return &sim.cpu[i];
            }
        }
        for (unsigned i = 0; i < sim.count; i++)
            next = MIN(next, MIN(sim.cpu[i].until, sim.cpu[i].timer));
        if (next == NEVER) {
            fprintf(stderr, "sim: every CPU waits for ever at %llu ns\n", (unsigned long long)sim.now);
            abort();
        }
        sim.now = next;
    }
}

static void back_to_loop(void)
{
    struct sim_cpu *c = sim.now_on;

    swapcontext(&c->context, &sim.loop);
}

/* Perhaps another CPU goes on first. */
static void chance(void)
{
    if (sim.count > 1 && sim.config.switch_every && !rng_below(&sim.rng, sim.config.switch_every))
        back_to_loop();
}

/* ---- interrupts ---- */

static void take_interrupts(void)
{
    struct sim_cpu *c;

    while ((c = sim.now_on)->irqs_on && pending(c)) {
        c->irqs_on = false;
        c->taken++;
        if (c->ipi) {
            c->ipi = false;
            irq_ipi();
        } else {
            c->timer = NEVER;
            irq_timer();
        }
        irq_exit();
        sim.now_on->irqs_on = true; /* perhaps another CPU by now */
    }
}

struct cpu *arch_cpu(void)
{
    return sim.now_on ? &sim.now_on->cpu : NULL;
}

void arch_cpu_set(struct cpu *c)
{
    (void)c;
}

bool arch_irqs_on(void)
{
    return sim.now_on->irqs_on;
}

bool arch_irq_save(void)
{
    bool on = sim.now_on->irqs_on;

    sim.now_on->irqs_on = false;
    if (on)
        chance();
    return on;
}

void arch_irq_restore(bool on)
{
    sim.now_on->irqs_on = on;
    if (!on)
        return;
    chance();
    take_interrupts();
}

/* Others have to go on, else it would spin for ever; a moment passes, so that deadlines do. */
void arch_relax(void)
{
    sim.now++;
    back_to_loop();
}

void arch_wait(void)
{
    struct sim_cpu *c = sim.now_on;

    c->until = NEVER;
    c->waits = true;
    while (!pending(c))
        back_to_loop();
    c->waits = false;
}

uint64_t arch_counter(void)
{
    return sim.now;
}

uint64_t arch_counter_hz(void)
{
    return 1000000000;
}

void arch_timer_set(uint64_t counter)
{
    sim.now_on->timer = counter;
}

void arch_ipi_send(struct cpu *to)
{
    container_of(to, struct sim_cpu, cpu)->ipi = true;
}

void sim_work(uint64_t ns)
{
    while (ns) {
        struct sim_cpu *c = sim.now_on;
        uint64_t begin = sim.now;

        c->until = begin + ns;
        c->waits = true;
        do
            back_to_loop();
        while (!pending(c) && sim.now < c->until);
        c->waits = false;
        ns -= MIN(ns, sim.now - begin);
        take_interrupts();
    }
}

void sim_sleep(uint64_t ns)
{
    struct plat_event e;

    plat_event_init(&e);
    plat_event_wait(&e, plat_clock_ns() + ns);
    plat_event_fini(&e);
}

uint64_t sim_interrupts(unsigned cpu)
{
    return sim.cpu[cpu].taken;
}

/* ---- contexts ---- */

/* What makecontext() can hand over are ints. */
static void context_begin(unsigned fn_high, unsigned fn_low, unsigned arg_high, unsigned arg_low)
{
    void (*fn)(void *) = (void (*)(void *))((uintptr_t)fn_high << 32 | fn_low);

    fn((void *)((uintptr_t)arg_high << 32 | arg_low));
    abort();
}

/* The ucontext stands at the top of the stack. */
void arch_context_init(struct arch_context *c, void *stack_top, void (*fn)(void *), void *arg)
{
    ucontext_t *u = (ucontext_t *)ALIGN_DOWN((uintptr_t)stack_top - sizeof(ucontext_t), 64);
    uint8_t *low = (uint8_t *)stack_top - STACK_BYTES;

    getcontext(u);
    u->uc_stack.ss_sp = low;
    u->uc_stack.ss_size = (size_t)((uint8_t *)u - low);
    u->uc_link = NULL;
    makecontext(u, (void (*)(void))context_begin, 4, (unsigned)((uintptr_t)fn >> 32), (unsigned)(uintptr_t)fn,
                (unsigned)((uintptr_t)arg >> 32), (unsigned)(uintptr_t)arg);
    c->sp = (uint64_t)(uintptr_t)u;
}

void arch_switch(struct arch_context *from, const struct arch_context *to)
{
    if (!from->sp) /* the idle task, whose stack nobody made */
        from->sp = (uint64_t)(uintptr_t)&sim.now_on->idle;
    swapcontext((ucontext_t *)(uintptr_t)from->sp, (const ucontext_t *)(uintptr_t)to->sp);
}

/* ---- memory, and what the platform asks of the boot ---- */

uint64_t arch_window_base(void)
{
    return (uint64_t)(uintptr_t)sim.window;
}

uint64_t arch_window_size(void)
{
    return WINDOW_BYTES;
}

/* The window is there already; the frame is only counted. */
int arch_map_page(uint64_t va, uint64_t pa)
{
    (void)va;
    (void)pa;
    return 0;
}

const bool arch_guest_flush_all_cpus = false;

void arch_guest_flush(unsigned vmid, gpa_t gpa, uint64_t size)
{
    (void)vmid;
    (void)gpa;
    (void)size;
}

void arch_cpu_park(void)
{
    abort();
}

const struct board *board_get(void)
{
    return NULL;
}

void panic_stopped(void)
{
    abort();
}

void bug_stop(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

/* ---- a run ---- */

static void main_task(void *unused)
{
    (void)unused;
    sim.fn(sim.arg);
    sim.done = true;
    for (;;)
        sim_sleep(UINT64_C(1000000000));
}

static void cpu_main(void *opaque)
{
    struct sim_cpu *c = opaque;
    struct plat_task *first;

    if (!c->cpu.id && plat_task_start(&first, "main", main_task, NULL))
        abort();
    sched_idle();
}

static void cpu_boot(unsigned i)
{
    struct sim_cpu *c = &sim.cpu[i];

    c->cpu.self = &c->cpu;
    c->cpu.id = i;
    c->timer = c->until = NEVER;
    sim.now_on = c;
    c->stack = malloc(STACK_BYTES);
    if (sched_cpu_add(&c->cpu))
        abort();
    atomic_store(&c->cpu.online, true);
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK_BYTES;
    c->context.uc_link = NULL;
    makecontext(&c->context, (void (*)(void))context_begin, 4, (unsigned)((uintptr_t)cpu_main >> 32),
                (unsigned)(uintptr_t)cpu_main, (unsigned)((uintptr_t)c >> 32), (unsigned)(uintptr_t)c);
}

void sim_run(const struct sim_config *config, void (*fn)(void *arg), void *arg)
{
    uint64_t memory = config->memory ? config->memory : UINT64_C(64) << 20;
    struct board_range range;

    memset(&sim, 0, sizeof(sim));
    sim.config = *config;
    sim.count = config->cpus;
    sim.cpu = calloc(config->cpus, sizeof(*sim.cpu));
    sim.fn = fn;
    sim.arg = arg;
    rng_init(&sim.rng, config->seed);
    sim.memory =
        mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    sim.window =
        mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sim.memory == MAP_FAILED || sim.window == MAP_FAILED || !sim.cpu)
        abort();
    range = (struct board_range){(uint64_t)(uintptr_t)sim.memory, memory};
    sim.now_on = &sim.cpu[0];
    cpu_set = (struct cpu_set){.count = sim.count, .online = BIT(sim.count) - 1};
    for (unsigned i = 0; i < sim.count; i++)
        cpu_set.cpu[i] = &sim.cpu[i].cpu;
    frames_init(&range, 1);
    heap_init();
    clock_init();
    tasks_forget();
    for (unsigned i = 0; i < sim.count; i++)
        cpu_boot(i);
    while (!sim.done) {
        sim.now_on = choose();
        swapcontext(&sim.loop, &sim.now_on->context);
    }
    sim.now_on = NULL;
    for (unsigned i = 0; i < sim.count; i++)
        free(sim.cpu[i].stack);
    free(sim.cpu);
    munmap(sim.memory, memory);
    munmap(sim.window, WINDOW_BYTES);
}
