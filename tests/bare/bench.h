/*
 * What the benches of both ISAs share: a figure's line, and giving way to a neighbour of the same guest.
 * After guest.h, with ROUNDS, NS (a tick of the clock), and by the bench report(), tick(), yield() and
 * other_start().
 */
#ifndef CV_TESTS_BARE_BENCH_H
#define CV_TESTS_BARE_BENCH_H

static volatile uint64_t ready, turns, waking;

static void report(const char *name, uint64_t value);
static inline uint64_t tick(void);
static void yield(void);
static bool other_start(void);

static inline void put_figure(const char *name, uint64_t value)
{
    put("bench ");
    put(name);
    put(" ");
    put_number(value);
    put("\n");
}

/* The other CPU's half of bench_switch(). */
static inline void give_way(void)
{
    ready = 1;
    while (!waking) {
        yield();
        turns++;
    }
}

/* From one's call to the other's next instruction, the call itself and its way out and back included. */
static __attribute__((unused)) void bench_switch(void)
{
    uint64_t t = 0, other = 0;

    if (!other_start())
        return;
    while (!ready)
        ;
    for (int i = -8; i < ROUNDS; i++) {
        if (i == 0) {
            other = turns;
            t = tick();
        }
        yield();
    }
    t = tick() - t;
    if (turns - other == ROUNDS) /* else there were other turns than that */
        report("vcpu-switch", t * NS / (2 * ROUNDS));
}

#endif
