/*
 * What leaving the guest costs, in instructions: for QEMU -icount shift=0,sleep=off, where instret counts
 * each one, the hypervisor's included, and ten of them are a microsecond. One line "bench NAME VALUE" a
 * figure.
 */
#include "guest.h"
#include "../blk.h"

#define RUNS   64
#define ROUNDS 256
#define NS     1

#include "../bench.h"

static volatile uint64_t trap_at, echoed;

static void report(const char *name, uint64_t value)
{
    put_figure(name, value);
}

/* The fewest of some runs, without what the reading itself costs. */
#define MEASURE(name, statement)                                                                             \
    do {                                                                                                     \
        uint64_t best = UINT64_MAX, none = UINT64_MAX;                                                       \
        for (int i = 0; i < RUNS; i++) {                                                                     \
            uint64_t t = instret(), u = instret();                                                           \
            none = u - t < none ? u - t : none;                                                              \
        }                                                                                                    \
        for (int i = 0; i < RUNS; i++) {                                                                     \
            uint64_t t = instret();                                                                          \
            statement;                                                                                       \
            t = instret() - t;                                                                               \
            best = t < best ? t : best;                                                                      \
        }                                                                                                    \
        report(name, best - none);                                                                           \
    } while (0)

/* Timer, or the other hart's interrupt. */
uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)stval;
    if (scause == (1ul << 63 | 5)) {
        trap_at = at;
        csr_write(0x14d, UINT64_MAX);
        return 0;
    }
    put("bench trap ");
    put_number(scause);
    put("\n");
    guest_off();
    return 4;
}

/*
 * From the last reading before it: of the loop's last turn, or, where the board looks for interrupts just in
 * front of the reading, of the turn before.
 */
static __attribute__((unused)) void bench_timer(void)
{
    uint64_t best = UINT64_MAX;

    csr_write(sie, 1 << 5);
    for (int i = 0; i < RUNS; i++) {
        uint64_t last = 0, before = 0;

        trap_at = 0;
        csr_write(0x14d, now() + 20);
        csr_set(sstatus, 2);
        while (!trap_at) {
            before = last;
            last = instret();
        }
        csr_clear(sstatus, 2);
        last = trap_at > last ? last : before;
        if (last && trap_at - last < best)
            best = trap_at - last;
    }
    report("timer", best);
}

/* instret is the board's time in ns then: what it was at a tick of the timer. */
static uint64_t instret_at(uint64_t tick)
{
    uint64_t t, n;

    t = now();
    do
        n = instret();
    while (now() == t);
    t = now();
    n = instret();
    return n - (t - tick) * 100;
}

/* From the deadline on: the clock jumps, or a neighbour runs, until then. */
static __attribute__((unused)) void bench_wfi(const char *name, uint64_t ticks)
{
    uint64_t best = UINT64_MAX;

    csr_write(sie, 1 << 5);
    for (int i = 0; i < RUNS; i++) {
        uint64_t at = now() + ticks, t;

        csr_write(0x14d, at);
        __asm__ volatile("wfi");
        t = instret();
        csr_write(0x14d, UINT64_MAX);
        t -= instret_at(at);
        best = (int64_t)t >= 0 && t < best ? t : best;
    }
    report(name, best);
}

/* The latest of many beside a neighbour that has work done for it; after a while, when that is busy. */
static __attribute__((unused, noinline)) void bench_late(void)
{
    uint64_t most = 0;

    csr_write(sie, 1 << 5);
    for (int i = 0; i < 500; i++) {
        uint64_t at = now() + 3000 + 7 * i, t;

        csr_write(0x14d, at);
        do {
            __asm__ volatile("wfi\n\t.global late_awake\nlate_awake:");
            t = instret();
        } while (now() < at);
        csr_write(0x14d, UINT64_MAX);
        t -= instret_at(at);
        most = i >= 100 && (int64_t)t > (int64_t)most ? t : most;
    }
    report("late", most);
}

static void yield(void)
{
    sbi(SBI_CARBOVISOR, 2, 0, 0, 0);
}

static bool other_start(void)
{
    return !sbi(SBI_HSM, 0, 1, (uint64_t)guest_secondary, 0).error;
}

static inline uint64_t tick(void)
{
    return instret();
}

/* First each hart gives way to the other; then each wakes the other by a call and waits for its answer. */
void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
    csr_write(sie, 1 << 1);
    give_way();
    for (;;) {
        while (!(csr_read(sip) & 2))
            __asm__ volatile("wfi");
        csr_clear(sip, 2);
        echoed++;
        sbi(SBI_IPI, 0, 1, 0, 0);
    }
}

static __attribute__((unused)) void bench_wake(void)
{
    uint64_t t = 0;

    csr_write(sie, 1 << 1);
    waking = 1;
    for (int i = -8; i < ROUNDS; i++) {
        if (i == 0)
            t = instret();
        sbi(SBI_IPI, 0, 2, 0, 0);
        while (!(csr_read(sip) & 2))
            __asm__ volatile("wfi");
        csr_clear(sip, 2);
    }
    report("vcpu-wake", (instret() - t) / (2 * ROUNDS));
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    volatile uint32_t *priority = (uint32_t *)(PLIC + 4 * 10), *enable = (uint32_t *)(PLIC + 0x2080);

    (void)priority;
    (void)enable;
    (void)hart;
    (void)dtb;
    report("start", start);
#if defined(BLK)
    blk_neighbour(VIRTIO);
#elif defined(LATE)
    bench_late();
#elif defined(COMPETING)
    bench_wfi("wfi-competing", 20000);
#else
    MEASURE("hypercall", sbi(SBI_BASE, 0, 0, 0, 0));
    MEASURE("mmio-read", *priority);
    MEASURE("uart-read", UART[5]);
    MEASURE("uart-write", *UART = '.');
    put("\n");
    MEASURE("mmio-write", *enable = 2);
    MEASURE("ipi-self", sbi(SBI_IPI, 0, 1, 0, 0); csr_clear(sip, 2));
    bench_timer();
    bench_wfi("wfi-idle", 1000);
    bench_switch();
    bench_wake();
#endif
    put("bench end 0\n");
    guest_off();
}
