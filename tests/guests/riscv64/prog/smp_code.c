/*
 * Code that one hart rewrites while others run it: after fence.i each sees what was stored before the number
 * it read (chapter 6). Code and data share the page, all harts write to it, at random distances.
 */
#include "smp.h"

#define HARTS           4UL
#define ROUNDS          1000UL
#define CODE            (SCRATCH + 0x80000)
#define ADDI(rd, rs, n) ((u32)(n) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define A0              10
#define CALL(a, x)      (((u64(*)(u64))(a))(x))

static volatile u64 told, bad, calls;

static void add(volatile u64 *p, u64 n)
{
    asm volatile("amoadd.d zero, %0, (%1)" ::"r"(n), "r"(p) : "memory");
}

static void rewrite(u64 *seed, u64 pages)
{
    for (u64 i = 1; i <= ROUNDS; i++) {
        for (u64 p = 0; p < pages; p++)
            poke32(CODE + p * 0x1000, ADDI(A0, A0, i));
        full_fence();
        told = i;
        dither(seed, 1023);
        /* the others keep up, however few processors the host has */
        for (u64 before = calls; !(i & 15) && calls == before;)
            ;
    }
    full_fence();
    told = ROUNDS + 1;
}

/* Data beside the code: the line after it, a word of each hart's own. */
static void execute(u64 hart, u64 *seed, u64 pages)
{
    u64 n = 0, least, got;

    do {
        u64 page = CODE + (rnd(seed) % pages) * 0x1000;
        volatile u64 *own = (volatile u64 *)(page + 128 + 8 * hart);

        least = told;
        full_fence();
        fence_i();
        *own = n;
        got = CALL(page, 0);
        if (got < (least > ROUNDS ? ROUNDS : least) || got > ROUNDS || *own != n)
            add(&bad, 1);
        n++;
        add(&calls, 1);
        dither(seed, 255);
    } while (least <= ROUNDS);
}

static void job_pages(u64 hart, u64 pages)
{
    u64 seed = 77 + hart;

    smp_meet(HARTS, hart);
    if (hart == 0)
        rewrite(&seed, pages);
    else
        execute(hart, &seed, pages);
}

/* Every hart rewrites a place of its own on the one page, and runs it. */
static void job_own(u64 hart, u64 arg)
{
    u64 at = CODE + 64 * hart, seed = 99 + hart;

    (void)arg;
    smp_meet(HARTS, hart);
    for (u64 i = 0; i < ROUNDS; i++) {
        poke32(at, ADDI(A0, A0, i));
        poke32(at + 4, INSN_RET);
        fence_i();
        for (u64 k = rnd(&seed) & 15; k; k--) {
            if (CALL(at, 5) != 5 + i)
                add(&bad, 1);
        }
    }
}

static void shared(u64 pages)
{
    for (u64 p = 0; p < pages; p++) {
        poke32(CODE + p * 0x1000, ADDI(A0, A0, 0));
        poke32(CODE + p * 0x1000 + 4, INSN_RET);
    }
    told = bad = calls = 0;
    full_fence();
    smp_run(HARTS, job_pages, pages);
    check("stale", bad, 0);
    check_true("called", calls >= HARTS - 1);
    note("calls", calls);
}

void test_main(void)
{
    section("harts");
    if (!check("present", smp_begin(HARTS), HARTS))
        return;
    section("one writes, three run, one page");
    shared(1);
    section("one writes, three run, four pages");
    shared(4);
    section("each its own code on one page");
    bad = 0;
    smp_run(HARTS, job_own, 0);
    check("stale", bad, 0);
}
