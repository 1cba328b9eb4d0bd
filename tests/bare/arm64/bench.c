/*
 * What leaving the guest costs, in instructions: for QEMU -icount shift=0,sleep=off, where an instruction,
 * the hypervisor's included, is a nanosecond. The counter has ticks of 16 of them, so a figure is the mean of
 * many rounds. One line "bench NAME VALUE" a figure.
 */
#include "guest.h"
#include "../blk.h"

#define RUNS   256
#define ROUNDS 256
#define NS     16 /* a tick */
#define QUIET  (4000000 / NS)

#include "../bench.h"

static volatile uint64_t trap_at, woken;

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)far;
    put("bench trap ");
    put_number(esr);
    put("\n");
    guest_off();
    return 4;
}

static void report(const char *name, uint64_t value)
{
    put_figure(name, value);
    for (uint64_t t = now(); now() - t < QUIET;) /* until the console has it: no part of the next figure */
        ;
}

static __attribute__((unused)) uint64_t loop_cost(void)
{
    uint64_t t = now();

    for (unsigned i = 0; i < RUNS; i++)
        __asm__ volatile("" ::: "memory");
    return now() - t;
}

#define MEASURE(name, statement)                                                                             \
    do {                                                                                                     \
        uint64_t none, t;                                                                                    \
        loop_cost();                                                                                         \
        none = loop_cost();                                                                                  \
        t = now();                                                                                           \
        for (unsigned i = 0; i < RUNS; i++) {                                                                \
            statement;                                                                                       \
        }                                                                                                    \
        t = now() - t;                                                                                       \
        report(name, (t - none) * NS / RUNS);                                                                \
    } while (0)

void guest_irq(uint64_t ticks)
{
    uint64_t id = gic_ack();

    if (id == 27) {
        trap_at = ticks;
        sys_write(cntv_ctl_el0, 0);
    }
    woken++;
    gic_end(id);
}

static void irqs(bool on)
{
    if (on)
        __asm__ volatile("msr daifclr, #2" ::: "memory");
    else
        __asm__ volatile("msr daifset, #2" ::: "memory");
}

/* From the deadline on; the guest's own vector is four instructions of it. */
static __attribute__((unused)) void bench_timer(const char *name, uint64_t ticks, bool wait)
{
    uint64_t sum = 0, best = UINT64_MAX;

    for (unsigned i = 0; i < RUNS / 4; i++) {
        uint64_t at = now() + ticks;

        irqs(false);
        trap_at = 0;
        sys_write(cntv_cval_el0, at);
        sys_write(cntv_ctl_el0, 1);
        if (wait)
            __asm__ volatile("wfi");
        irqs(true);
        while (!trap_at)
            ;
        sum += trap_at - at;
        best = trap_at - at < best ? trap_at - at : best;
    }
    irqs(false);
    report(name, wait ? best * NS : sum * NS / (RUNS / 4));
}

/* The latest of many beside a neighbour that has work done for it; after a while, when that is busy. */
static __attribute__((unused, noinline)) void bench_late(void)
{
    uint64_t most = 0;

    for (int i = 0; i < 500; i++) {
        uint64_t at = now() + 18000 + 41 * i, t;

        sys_write(cntv_cval_el0, at);
        sys_write(cntv_ctl_el0, 1);
        do {
            __asm__ volatile("wfi\n\t.global late_awake\nlate_awake:");
            t = now();
        } while (t < at);
        sys_write(cntv_ctl_el0, 0);
        gic_end(gic_ack());
        most = i >= 100 && t - at > most ? t - at : most;
    }
    report("late", most * NS);
}

static void wait_woken(uint64_t n)
{
    while (woken < n) {
        __asm__ volatile("wfi");
        irqs(true);
        __asm__ volatile("isb");
        irqs(false);
    }
}

static volatile uint64_t seen[2];

static void yield(void)
{
    hvc(CARBOVISOR_YIELD, 0, 0, 0);
}

static bool other_start(void)
{
    return !hvc(PSCI_CPU_ON, 1, (uint64_t)guest_secondary, 0);
}

static inline uint64_t tick(void)
{
    return now();
}

/* First each PE gives way to the other; then each wakes the other and waits for its answer. */
void guest_pe(uint64_t context)
{
    (void)context;
    gic_start(1);
    give_way();
    for (;;) {
        uint64_t id;

        __asm__ volatile("wfi");
        id = gic_ack();
        if (id >= 1020)
            continue;
        gic_end(id);
        seen[1]++;
        gic_sgi(2, 0);
    }
}

static __attribute__((unused)) void bench_wake(void)
{
    uint64_t t = 0;

    waking = 1;
    for (int i = -8; i < ROUNDS; i++) {
        uint64_t id;

        if (i == 0)
            t = now();
        gic_sgi(1, 1);
        do {
            __asm__ volatile("wfi");
            id = gic_ack();
        } while (id >= 1020);
        gic_end(id);
    }
    report("vcpu-wake", (now() - t) * NS / (2 * ROUNDS));
}

static void sgi_self(void)
{
    uint64_t n = woken;

    gic_sgi(3, 0);
    wait_woken(n + 1);
}

void guest_main(uint64_t dtb, uint64_t start)
{
    (void)dtb;
    (void)sgi_self;
    report("start-guest-clock", start * NS);
    gic_start(0);
#if defined(BLK)
    blk_neighbour(VIRTIO);
#elif defined(LATE)
    bench_late();
#elif defined(COMPETING)
    bench_timer("wfi-competing", 200000, true);
#else
    MEASURE("hypercall", hvc(PSCI_VERSION, 0, 0, 0));
    MEASURE("mmio-read", r32(GICD + 4));
    MEASURE("uart-read", r32(UART + 0x18));
    MEASURE("uart-write", w32(UART, '.'));
    put("\n");
    MEASURE("mmio-write", w32(GICD + 0x420, 0x80808080));
    MEASURE("ipi-self", sgi_self());
    bench_timer("timer", 1000, false);
    bench_timer("wfi-idle", 10000, true);
    bench_switch();
    bench_wake();
#endif
    put("bench end 0\n");
    guest_off();
}
