/* Four harts on shared words: nothing lost, nothing torn (chapter 14, 18.1). */
#include "smp.h"

#define HARTS  4UL
#define ROUNDS 20000UL

static struct {
    volatile u64 a, b, c, d;
    volatile u8 bytes[64];
} s __attribute__((aligned(128)));
static volatile u64 bad, tickets, serving;

static void count_bad(void)
{
    u64 old;

    asm volatile("amoadd.d %0, %1, (%2)" : "=r"(old) : "r"(1UL), "r"(&bad) : "memory");
}

static void amoadd_job(u64 hart, u64 arg)
{
    u64 old, last = 0;

    (void)hart;
    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++) {
        asm volatile("amoadd.d %0, %1, (%2)" : "=r"(old) : "r"(1UL), "r"(&s.a) : "memory");
        if (i && old <= last)
            count_bad(); /* one location is seen in one order */
        last = old;
        asm volatile("amoadd.w zero, %0, (%1)" ::"r"(1UL), "r"(&s.b) : "memory");
        asm volatile("amoadd.w zero, %0, (%1)" ::"r"(2UL), "r"((u64)&s.b + 4) : "memory");
        asm volatile("amoxor.d zero, %0, (%1)" ::"r"(1UL << (i & 63)), "r"(&s.c) : "memory");
    }
}

static void lrsc_job(u64 hart, u64 arg)
{
    (void)hart;
    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++) {
        asm volatile("1: lr.d t0, (%0)\n addi t0, t0, 1\n sc.d t1, t0, (%0)\n bnez t1, 1b" ::"r"(&s.a)
                     : "t0", "t1", "memory");
        asm volatile("1: lr.w.aq t0, (%0)\n addi t0, t0, 3\n sc.w.rl t1, t0, (%0)\n bnez t1, 1b" ::"r"(
                         (u64)&s.b + 4 * (i & 1))
                     : "t0", "t1", "memory");
    }
}

/* LR/SC and AMO on one word, and .w beside .d on the same eight bytes. */
static void mixed_job(u64 hart, u64 arg)
{
    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++) {
        if (hart & 1)
            asm volatile("1: lr.d t0, (%0)\n addi t0, t0, 1\n sc.d t1, t0, (%0)\n bnez t1, 1b" ::"r"(&s.a)
                         : "t0", "t1", "memory");
        else if (i & 1)
            asm volatile("amoadd.d zero, %0, (%1)" ::"r"(1UL), "r"(&s.a) : "memory");
        else
            asm volatile("amoadd.w zero, %0, (%1)" ::"r"(1UL), "r"((u64)&s.a + 4) : "memory");
    }
}

static void lock_job(u64 hart, u64 arg)
{
    u64 t;

    (void)hart;
    (void)arg;
    for (u64 i = 0; i < ROUNDS / 8; i++) {
        do
            asm volatile("amoswap.w.aq %0, %1, (%2)" : "=r"(t) : "r"(1UL), "r"(&s.d) : "memory");
        while (t);
        s.a = s.a + 1;
        s.b = s.b + s.a;
        asm volatile("amoswap.w.rl zero, zero, (%0)" ::"r"(&s.d) : "memory");
    }
}

static void ticket_job(u64 hart, u64 arg)
{
    u64 mine;

    (void)hart;
    (void)arg;
    for (u64 i = 0; i < ROUNDS / 40; i++) {
        asm volatile("amoadd.d %0, %1, (%2)" : "=r"(mine) : "r"(1UL), "r"(&tickets) : "memory");
        while (serving != mine)
            ;
        asm volatile("fence r, rw" ::: "memory");
        s.a = s.a + 1;
        asm volatile("fence rw, w" ::: "memory");
        serving = mine + 1;
    }
}

/* Byte stores of four harts into one doubleword; the others' bytes stay. */
static void bytes_job(u64 hart, u64 arg)
{
    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++)
        for (u64 k = 0; k < 2; k++) {
            volatile u8 *p = &s.bytes[hart + 4 * k];
            u8 v = (u8)(i + k);
            *p = v;
            if (*p != v)
                count_bad();
        }
}

/* Aligned accesses of all sizes are single copy atomic. */
static void tear_job(u64 hart, u64 arg)
{
    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++) {
        u64 v = 0x0101010101010101UL * ((hart + i) & 255);
        s.a = v;
        *(volatile u32 *)&s.b = (u32)v;
        *(volatile u16 *)&s.c = (u16)v;
        u64 g = s.a;
        u32 w = *(volatile u32 *)&s.b;
        u16 h = *(volatile u16 *)&s.c;
        if (g != (g & 255) * 0x0101010101010101UL || w != (w & 255) * 0x01010101u || h != (h & 255) * 0x0101u)
            count_bad();
    }
}

/* A failed SC stores nothing: counts of successes equal the sum. */
static volatile u64 wins[HART_MAX * 16];
static void sc_once_job(u64 hart, u64 arg)
{
    u64 n = 0, fail, seed = hart * 77 + 5;

    (void)arg;
    for (u64 i = 0; i < ROUNDS; i++) {
        u64 v;
        asm volatile("lr.d %0, (%1)" : "=r"(v) : "r"(&s.a) : "memory");
        dither(&seed, 7);
        asm volatile("sc.d %0, %1, (%2)" : "=r"(fail) : "r"(v + 1), "r"(&s.a) : "memory");
        n += !fail;
    }
    wins[hart * 16] = n;
}

/* Hart 1 stores between LR and SC of hart 0, each time: SC fails, and what hart 1 stored stays. */
static void between_job(u64 hart, u64 arg)
{
    (void)arg;
    for (u64 i = 1; i <= 100; i++) {
        u64 old, fail;

        smp_meet(2, hart);
        if (hart) {
            while (s.c != i)
                ;
            s.a = i;
            full_fence();
            s.d = i;
            continue;
        }
        asm volatile("lr.d %0, (%1)" : "=r"(old) : "r"(&s.a) : "memory");
        full_fence();
        s.c = i;
        while (s.d != i)
            ;
        full_fence();
        asm volatile("sc.d %0, %2, (%1)" : "=r"(fail) : "r"(&s.a), "r"(~i) : "memory");
        if (!fail || s.a != i)
            count_bad();
    }
}

static void clear(void)
{
    s.a = s.b = s.c = s.d = 0;
    bad = tickets = serving = 0;
    for (u64 i = 0; i < 64; i++)
        s.bytes[i] = 0;
}

void test_main(void)
{
    section("harts");
    if (!check("present", smp_begin(HARTS), HARTS))
        return;

    section("amoadd, amoxor");
    clear();
    smp_run(HARTS, amoadd_job, 0);
    check("amoadd.d", s.a, HARTS * ROUNDS);
    check("amoadd.w low and high", s.b, HARTS * ROUNDS * 2 << 32 | HARTS * ROUNDS);
    check("amoxor.d", s.c, 0);
    check("order", bad, 0);

    section("lr/sc counters");
    clear();
    smp_run(HARTS, lrsc_job, 0);
    check("lr.d sc.d", s.a, HARTS * ROUNDS);
    check("lr.w sc.w", s.b, (HARTS * ROUNDS / 2 * 3) << 32 | HARTS * ROUNDS / 2 * 3);

    section("a store of another hart between lr and sc");
    clear();
    smp_run(2, between_job, 0);
    check("sc that succeeded or stored", bad, 0);

    section("lr/sc beside amo, .w beside .d");
    clear();
    smp_run(HARTS, mixed_job, 0);
    check("sum", s.a, (ROUNDS << 32) + HARTS / 2 * ROUNDS + ROUNDS);

    section("locks");
    clear();
    smp_run(HARTS, lock_job, 0);
    u64 n = HARTS * (ROUNDS / 8);
    check("guarded counter", s.a, n);
    check("guarded sum", s.b, n * (n + 1) / 2);
    clear();
    smp_run(HARTS, ticket_job, 0);
    check("ticket counter", s.a, HARTS * (ROUNDS / 40));

    section("bytes of one word, tearing");
    clear();
    smp_run(HARTS, bytes_job, 0);
    check("lost bytes", bad, 0);
    for (u64 i = 0; i < 8; i++)
        check("byte", s.bytes[i], (u8)(ROUNDS - 1 + i / 4));
    clear();
    smp_run(HARTS, tear_job, 0);
    check("torn", bad, 0);

    section("sc succeeds as often as it stores");
    clear();
    smp_run(HARTS, sc_once_job, 0);
    u64 sum = 0;
    for (u64 i = 0; i < HARTS; i++)
        sum += wins[i * 16];
    check("successes", sum, s.a);
    note("of tries", HARTS * ROUNDS);
    note("succeeded", sum);
}
