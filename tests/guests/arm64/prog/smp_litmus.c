/*
 * Litmus tests of the memory model on two CPUs (B2.3): outcomes that are forbidden never come, the relaxed
 * one that each machine with store buffers shows is seen. x and y begin as 0; each body gives what it has
 * read.
 */
#include "mmu.h"
#include "smp.h"

/*
 * Of each test, unless its time (counter ticks) is over: on a busy host the two seldom run together. What has
 * to be seen is looked for until it is, and PATIENCE is long.
 */
#define PATIENCE (300 * 62500000UL)
#ifdef SOAK
#define TRIES 10000000u
#define TIME  (300 * 62500000UL)
#else
#define TRIES 100000u
#define TIME  (62500000UL)
#endif
#define BATCH 1000u

struct litmus {
    const char *name;
    u64 (*body[2])(u64 *x, u64 *y);
    u64 outcome[2]; /* the interesting one */
    int relaxed;    /* it has to be seen; else never */
};

struct cell {
    u64 x, pad[15], y, pad2[15];
};

static struct cell cells[BATCH] __attribute__((aligned(128)));
static u64 result[2][BATCH];
static struct {
    volatile unsigned n;
    u32 pad[31];
} ready[2] __attribute__((aligned(128)));
static const struct litmus *current;
static unsigned seen, torn;
static volatile int over; /* CPU 0 says so between two barriers */

#define BODY(name, insns)                                                                                    \
    static u64 name(u64 *x, u64 *y)                                                                          \
    {                                                                                                        \
        u64 r = 0;                                                                                           \
        __asm__ volatile("mov x9, #1\n mov x10, #-1\n" insns                                                 \
                         : "+&r"(r)                                                                          \
                         : "r"(x), "r"(y)                                                                    \
                         : "x9", "x10", "x11", "x12", "memory");                                             \
        return r;                                                                                            \
    }

/* %0 the result, %1 x, %2 y, x9 1, x10 -1 */
BODY(sb0, "str x9, [%1]\n ldr %0, [%2]")
BODY(sb1, "str x9, [%2]\n ldr %0, [%1]")
BODY(sb0_dmb, "str x9, [%1]\n dmb ish\n ldr %0, [%2]")
BODY(sb1_dmb, "str x9, [%2]\n dmb ish\n ldr %0, [%1]")
BODY(sb0_dsb, "str x9, [%1]\n dsb ish\n ldr %0, [%2]")
BODY(sb1_dsb, "str x9, [%2]\n dsb ish\n ldr %0, [%1]")
BODY(sb0_rel, "stlr x9, [%1]\n ldar %0, [%2]")
BODY(sb1_rel, "stlr x9, [%2]\n ldar %0, [%1]")
BODY(sb0_mixed, "stlrb w9, [%1]\n ldar %w0, [%2]")
BODY(sb1_mixed, "stlr w9, [%2]\n ldarh %w0, [%1]")
BODY(sb0_lock, "1: ldaxr x11, [%1]\n stlxr w12, x9, [%1]\n cbnz w12, 1b\n dmb ish\n ldr %0, [%2]")
BODY(sb0_swp, "swpal x9, x11, [%1]\n dmb ish\n ldr %0, [%2]")
BODY(mp0_dmb, "str x9, [%1]\n dmb ishst\n str x9, [%2]")
BODY(mp1_dmb, "ldr x11, [%2]\n dmb ishld\n ldr x12, [%1]\n add %0, x12, x11, lsl #1")
BODY(mp0_rel, "str x9, [%1]\n stlr x9, [%2]")
BODY(mp1_acq, "ldar x11, [%2]\n ldr x12, [%1]\n add %0, x12, x11, lsl #1")
BODY(mp1_addr, "ldr x11, [%2]\n eor x12, x11, x11\n ldr x12, [%1, x12]\n add %0, x12, x11, lsl #1")
BODY(mp0_wide, "stp x10, x10, [%1]\n dmb ishst\n strb w9, [%2]")
BODY(mp1_narrow, "ldarb w11, [%2]\n ldrb w12, [%1, #13]\n and w12, w12, #1\n add %0, x12, x11, lsl #1")
BODY(mp0_bytes, "strh w10, [%1]\n strh w10, [%1, #2]\n str w10, [%1, #4]\n stlrh w9, [%2]")
BODY(mp1_wide, "ldar x11, [%2]\n ldr x12, [%1]\n cmn x12, #1\n cset x12, eq\n add %0, x12, x11, lsl #1")
BODY(lb0_data, "ldr %0, [%1]\n eor x11, %0, %0\n add x11, x11, #1\n str x11, [%2]")
BODY(lb1_data, "ldr %0, [%2]\n eor x11, %0, %0\n add x11, x11, #1\n str x11, [%1]")
BODY(lb0_rel, "ldr %0, [%1]\n stlr x9, [%2]")
BODY(lb1_rel, "ldr %0, [%2]\n stlr x9, [%1]")
BODY(lb1_acq, "ldar %0, [%2]\n str x9, [%1]")
BODY(co0, "str x9, [%1]")
BODY(co1, "ldr x11, [%1]\n ldr x12, [%1]\n add %0, x12, x11, lsl #1")
BODY(s0, "mov x11, #2\n str x11, [%1]\n dmb ish\n str x9, [%2]")
BODY(s1, "ldr x12, [%2]\n dmb ish\n str x9, [%1]\n mov %0, x12")
BODY(tear0, "str x10, [%1]")
BODY(tear1, "ldr x11, [%1]\n sub x12, x11, #1\n cmn x12, #2\n cset %0, lo") /* neither 0 nor -1 */

static const struct litmus tests[] = {
    {"SB: store buffers are seen", {sb0, sb1}, {0, 0}, 1},
    {"SB with DMB", {sb0_dmb, sb1_dmb}, {0, 0}, 0},
    {"SB with DSB", {sb0_dsb, sb1_dsb}, {0, 0}, 0},
    {"SB with STLR and LDAR", {sb0_rel, sb1_rel}, {0, 0}, 0},
    {"SB with STLR and LDAR of different sizes", {sb0_mixed, sb1_mixed}, {0, 0}, 0},
    {"SB with exclusives and DMB", {sb0_lock, sb1_dmb}, {0, 0}, 0},
    {"SB with SWPAL and DMB", {sb0_swp, sb1_dmb}, {0, 0}, 0},
    {"MP with DMB", {mp0_dmb, mp1_dmb}, {0, 2}, 0},
    {"MP with STLR and LDAR", {mp0_rel, mp1_acq}, {0, 2}, 0},
    {"MP with an address dependency", {mp0_dmb, mp1_addr}, {0, 2}, 0},
    {"MP of a pair read by byte", {mp0_wide, mp1_narrow}, {0, 2}, 0},
    {"MP of parts read as one", {mp0_bytes, mp1_wide}, {0, 2}, 0},
    {"LB with data dependencies", {lb0_data, lb1_data}, {1, 1}, 0},
    {"LB with STLR", {lb0_rel, lb1_rel}, {1, 1}, 0},
    {"LB with LDAR", {lb0_rel, lb1_acq}, {1, 1}, 0},
    {"CoRR: a location goes one way", {co0, co1}, {0, 2}, 0},
    {"64 bits are not torn", {tear0, tear1}, {0, 1}, 0},
};

/* Both begin a few tries at once, as far as that can be. */
static void meet(unsigned cpu, unsigned i)
{
    if (i % 16)
        return;
    ready[cpu].n = i + 1;
    while (ready[!cpu].n < i + 1)
        ;
}

static void batch(unsigned cpu)
{
    u64 (*body)(u64 * x, u64 * y) = current->body[cpu];

    for (unsigned i = 0; i < BATCH; i++) {
        meet(cpu, i);
        result[cpu][i] = body(&cells[i].x, &cells[i].y);
    }
}

static void tally(void)
{
    for (unsigned i = 0; i < BATCH; i++) {
        if (result[0][i] == current->outcome[0] && result[1][i] == current->outcome[1])
            seen++;
        for (unsigned k = 0; k < 2; k++)
            cells[i].x = cells[i].y = cells[i].pad[0] = 0;
    }
    ready[0].n = ready[1].n = 0;
}

static void look_at_time(u64 begin, unsigned done)
{
    int wanted = current->relaxed && !seen;

    over = (!wanted && done >= TRIES / BATCH) || READ(cntvct_el0) - begin > (wanted ? PATIENCE : TIME);
}

static void all(unsigned cpu)
{
    u64 begin = 0;

    for (unsigned t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
        if (!cpu) {
            current = &tests[t];
            section(tests[t].name);
            seen = 0;
            tally();
            seen = 0;
            over = 0;
            begin = READ(cntvct_el0);
        }
        barrier();
        for (unsigned n = 1; !over; n++) {
            batch(cpu);
            barrier();
            if (!cpu) {
                tally();
                look_at_time(begin, n);
            }
            barrier();
        }
        barrier(); /* both have seen that it is over */
        if (!cpu && tests[t].relaxed)
            check("seen", seen != 0, 1);
        else if (!cpu)
            check("times seen", seen, 0);
    }
}

/* S: with DMB, the last value of x is not the first one's where its flag was read. */
static void last_value(unsigned cpu)
{
    u64 begin = READ(cntvct_el0);

    for (unsigned n = 1; !over; n++) {
        for (unsigned i = 0; i < BATCH; i++) {
            meet(cpu, i);
            result[cpu][i] = (cpu ? s1 : s0)(&cells[i].x, &cells[i].y);
        }
        barrier();
        for (unsigned i = 0; !cpu && i < BATCH; i++) {
            torn += result[1][i] == 1 && cells[i].x == 2;
            cells[i].x = cells[i].y = 0;
        }
        if (!cpu) {
            ready[0].n = ready[1].n = 0;
            look_at_time(begin, n);
        }
        barrier();
    }
}

void test_main(void)
{
    mmu_on();
    on_cpus(2, all);
    section("S with DMB");
    over = 0;
    on_cpus(2, last_value);
    check("times seen", torn, 0);
}
