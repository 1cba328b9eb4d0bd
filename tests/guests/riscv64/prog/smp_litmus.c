/*
 * Litmus tests of RVWMO (chapter 18, appendix A): outcomes that the model forbids never appear; those that it
 * allows are counted and reported. Threads take (x, y) and give two results; x and y are on lines of their
 * own.
 */
#include "smp.h"

#define BATCH     500UL
#define LIMIT     10000000UL /* a second of the 10 MHz clock for each test */
#define CELLS     (SCRATCH + 0x100000)
#define CELL_SIZE 512UL

/* r0 in the low half, r1 in the high half, of 32 bits each. */
typedef u64 (*thread)(u64 x, u64 y);

#define THREAD(name, body)                                                                                   \
    static u64 name(u64 x, u64 y)                                                                            \
    {                                                                                                        \
        u64 r0 = 0, r1 = 0;                                                                                  \
        asm volatile(body                                                                                    \
                     : "+&r"(r0), "+&r"(r1)                                                                  \
                     : "r"(x), "r"(y), "r"(1UL), "r"(2UL)                                                    \
                     : "t0", "t1", "memory");                                                                \
        return (r0 & 0xffffffff) | r1 << 32;                                                                 \
    }
/* Operands: %0 %1 results, %2 x, %3 y, %4 one, %5 two. */
THREAD(sb0, "sw %4, (%2)\n lw %0, (%3)")
THREAD(sb1, "sw %4, (%3)\n lw %0, (%2)")
THREAD(sb0_f, "sw %4, (%2)\n fence rw, rw\n lw %0, (%3)")
THREAD(sb1_f, "sw %4, (%3)\n fence rw, rw\n lw %0, (%2)")
THREAD(sb0_wr, "sw %4, (%2)\n fence w, r\n lw %0, (%3)")
THREAD(sb1_wr, "sw %4, (%3)\n fence w, r\n lw %0, (%2)")
THREAD(sb0_tso, "sw %4, (%2)\n fence.tso\n lw %0, (%3)")
THREAD(sb1_tso, "sw %4, (%3)\n fence.tso\n lw %0, (%2)")
THREAD(sb0_amo, "amoswap.w.aq zero, %4, (%2)\n lw %0, (%3)")
THREAD(sb1_amo, "amoswap.w.aq zero, %4, (%3)\n lw %0, (%2)")
THREAD(sb0_amo2, "amoswap.w.aqrl zero, %4, (%2)\n amoadd.w.aqrl %0, zero, (%3)")
THREAD(sb1_amo2, "amoswap.w.aqrl zero, %4, (%3)\n amoadd.w.aqrl %0, zero, (%2)")
/* The store again behind a lr/sc with aq and rl; sc.rl alone does not order the later load, lr.aq of it does.
 */
THREAD(sb0_lr, "sw %4, (%2)\n fence rw, rw\n lr.w.aqrl %0, (%3)")
THREAD(sb1_lr, "sw %4, (%3)\n fence rw, rw\n lr.w.aqrl %0, (%2)")
THREAD(mp0, "sw %4, (%2)\n sw %4, (%3)")
THREAD(mp1, "lw %0, (%3)\n lw %1, (%2)")
THREAD(mp0_f, "sw %4, (%2)\n fence w, w\n sw %4, (%3)")
THREAD(mp1_f, "lw %0, (%3)\n fence r, r\n lw %1, (%2)")
THREAD(mp0_tso, "sw %4, (%2)\n fence.tso\n sw %4, (%3)")
THREAD(mp1_tso, "lw %0, (%3)\n fence.tso\n lw %1, (%2)")
THREAD(mp0_rl, "sw %4, (%2)\n amoswap.w.rl zero, %4, (%3)")
THREAD(mp1_aq, "amoor.w.aq %0, zero, (%3)\n lw %1, (%2)")
THREAD(mp1_lraq, "lr.w.aq %0, (%3)\n lw %1, (%2)")
THREAD(mp1_addr, "lw %0, (%3)\n xor t0, %0, %0\n add t0, t0, %2\n lw %1, (t0)")
THREAD(mp1_fencei, "lw %0, (%3)\n fence rw, rw\n lw %1, (%2)")
THREAD(lb0, "lw %0, (%2)\n sw %4, (%3)")
THREAD(lb1, "lw %0, (%3)\n sw %4, (%2)")
THREAD(lb0_f, "lw %0, (%2)\n fence r, w\n sw %4, (%3)")
THREAD(lb1_f, "lw %0, (%3)\n fence r, w\n sw %4, (%2)")
THREAD(lb0_data, "lw %0, (%2)\n xor t0, %0, %0\n or t0, t0, %4\n sw t0, (%3)")
THREAD(lb1_data, "lw %0, (%3)\n xor t0, %0, %0\n or t0, t0, %4\n sw t0, (%2)")
THREAD(lb0_ctrl, "lw %0, (%2)\n bnez %0, 1f\n 1: sw %4, (%3)")
THREAD(lb1_ctrl, "lw %0, (%3)\n bnez %0, 1f\n 1: sw %4, (%2)")
THREAD(ww0, "sw %4, (%2)\n sw %5, (%3)")
THREAD(ww1, "sw %4, (%3)\n sw %5, (%2)")
THREAD(ww0_f, "sw %4, (%2)\n fence w, w\n sw %5, (%3)")
THREAD(ww1_f, "sw %4, (%3)\n fence w, w\n sw %5, (%2)")
THREAD(r0_f, "sw %4, (%2)\n fence rw, rw\n sw %4, (%3)")
THREAD(r1_f, "sw %5, (%3)\n fence rw, rw\n lw %0, (%2)")
THREAD(s0_f, "sw %5, (%2)\n fence w, w\n sw %4, (%3)")
THREAD(s1_f, "lw %0, (%3)\n fence r, w\n sw %4, (%2)")
THREAD(w_x, "sw %4, (%2)")
THREAD(w_y, "sw %4, (%3)")
THREAD(rr_xy, "lw %0, (%2)\n fence r, r\n lw %1, (%3)")
THREAD(rr_yx, "lw %0, (%3)\n fence r, r\n lw %1, (%2)")
THREAD(corr, "lw %0, (%2)\n lw %1, (%2)")
THREAD(cowr, "sw %5, (%2)\n lw %0, (%2)")
THREAD(wrc1, "lw %0, (%2)\n fence r, w\n sw %4, (%3)")
/* Mixed sizes: y is unused; the word at x + 4 is the other half. */
THREAD(wide0, "slli t0, %4, 32\n or t0, t0, %4\n sd t0, (%2)")
THREAD(wide1, "lw %0, 4(%2)\n fence r, r\n lw %1, (%2)")
THREAD(halves0, "sw %4, (%2)\n fence rw, rw\n ld t0, (%2)\n srli %0, t0, 32")
THREAD(halves1, "sw %4, 4(%2)\n fence rw, rw\n ld t0, (%2)\n sext.w %0, t0")
THREAD(byte0, "sb %4, (%2)\n ld t0, (%2)\n andi %0, t0, 255\n srli %1, t0, 32")
THREAD(byte1, "sw %4, 4(%2)\n fence rw, rw\n lbu %0, (%2)")
/* A word written through LR/SC against a byte store: the byte is not lost. */
THREAD(scb0, "1: lr.d t0, (%2)\n ori t0, t0, 1\n sc.d t1, t0, (%2)\n bnez t1, 1b")
THREAD(scb1, "sb %5, 7(%2)")

enum { ANY = 99 };

struct test {
    const char *name;
    int forbidden; /* the outcome must not appear; else it is counted */
    int harts;
    thread t[4];
    /* the outcome: results of the threads and the final x and y; ANY is any */
    u64 r[8], x, y;
};

#define A ANY
static const struct test tests[] = {
    {"SB", 0, 2, {sb0, sb1}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB fence rw,rw", 1, 2, {sb0_f, sb1_f}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB fence w,r", 1, 2, {sb0_wr, sb1_wr}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB fence.tso", 0, 2, {sb0_tso, sb1_tso}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB amoswap.aq", 1, 2, {sb0_amo, sb1_amo}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB amo.aqrl both", 1, 2, {sb0_amo2, sb1_amo2}, {0, A, 0, A, A, A, A, A}, A, A},
    {"SB fence lr.aqrl", 1, 2, {sb0_lr, sb1_lr}, {0, A, 0, A, A, A, A, A}, A, A},
    {"MP", 0, 2, {mp0, mp1}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP fences", 1, 2, {mp0_f, mp1_f}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP fence.tso", 1, 2, {mp0_tso, mp1_tso}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP amo rl, amo aq", 1, 2, {mp0_rl, mp1_aq}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP amo rl, lr aq", 1, 2, {mp0_rl, mp1_lraq}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP fence, address", 1, 2, {mp0_f, mp1_addr}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"MP rl, fence", 1, 2, {mp0_rl, mp1_fencei}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"LB", 0, 2, {lb0, lb1}, {1, A, 1, A, A, A, A, A}, A, A},
    {"LB fences", 1, 2, {lb0_f, lb1_f}, {1, A, 1, A, A, A, A, A}, A, A},
    {"LB data", 1, 2, {lb0_data, lb1_data}, {1, A, 1, A, A, A, A, A}, A, A},
    {"LB control", 1, 2, {lb0_ctrl, lb1_ctrl}, {1, A, 1, A, A, A, A, A}, A, A},
    {"2+2W", 0, 2, {ww0, ww1}, {A, A, A, A, A, A, A, A}, 1, 1},
    {"2+2W fences", 1, 2, {ww0_f, ww1_f}, {A, A, A, A, A, A, A, A}, 1, 1},
    {"R fences", 1, 2, {r0_f, r1_f}, {A, A, 0, A, A, A, A, A}, A, 2},
    {"S fences", 1, 2, {s0_f, s1_f}, {A, A, 1, A, A, A, A, A}, 2, A},
    {"CoRR", 1, 2, {w_x, corr}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"CoWR", 1, 2, {w_x, cowr}, {A, A, 0, A, A, A, A, A}, A, A},
    {"CoWR, final", 1, 2, {w_x, cowr}, {A, A, 1, A, A, A, A, A}, 2, A},
    {"WRC fences", 1, 3, {w_x, wrc1, mp1_f}, {A, A, 1, A, 1, 0, A, A}, A, A},
    {"IRIW fences", 1, 4, {w_x, w_y, rr_xy, rr_yx}, {A, A, A, A, 1, 0, 1, 0}, A, A},
    {"mixed: doubleword, two words", 1, 2, {wide0, wide1}, {A, A, 1, 0, A, A, A, A}, A, A},
    {"mixed: words, doublewords", 1, 2, {halves0, halves1}, {0, A, 0, A, A, A, A, A}, A, A},
    {"mixed: own byte", 1, 2, {byte0, byte1}, {0, A, A, A, A, A, A, A}, A, A},
    {"mixed: byte forwarded past a store", 0, 2, {byte0, byte1}, {1, 0, 0, A, A, A, A, A}, A, A},
    {"mixed: sc.d against sb, byte", 1, 2, {scb0, scb1}, {A, A, A, A, A, A, A, A}, 0x01, A},
    {"mixed: sc.d against sb, word", 1, 2, {scb0, scb1}, {A, A, A, A, A, A, A, A}, 0x02, A},
};
#undef A

static volatile u64 results[BATCH][4];
static u64 seeds[HART_MAX];

static u64 cell(u64 i)
{
    return CELLS + i * CELL_SIZE;
}

static void batch_job(u64 hart, u64 arg)
{
    const struct test *t = (const struct test *)arg;
    u64 seed = seeds[hart] | 1;

    for (u64 i = 0; i < BATCH; i++) {
        u64 x = cell(i), y = x + 256;
        /* more threads than host CPUs make each meeting a wait for the host's scheduler */
        if (t->harts == 2 || i % 100 == 0)
            smp_meet((u64)t->harts, hart);
        dither(&seed, i & 1 ? 31 : 3);
        results[i][hart] = t->t[hart](x, y);
    }
    seeds[hart] = seed;
}

static int outcome(const struct test *t, u64 i)
{
    for (u64 h = 0; h < (u64)t->harts; h++) {
        u64 lo = results[i][h] & 0xffffffff, hi = results[i][h] >> 32;
        if ((t->r[2 * h] != ANY && t->r[2 * h] != lo) || (t->r[2 * h + 1] != ANY && t->r[2 * h + 1] != hi))
            return 0;
    }
    u64 x = peek64(cell(i));
    /* for the LR/SC tests x is the top byte and the lowest, folded */
    x = x >> 56 ? (x & 1) | x >> 56 : x;
    return (t->x == ANY || t->x == x) && (t->y == ANY || t->y == peek64(cell(i) + 256));
}

static void test_run(const struct test *t)
{
    u64 seen = 0, n = 0, end = csr_read("time") + LIMIT;

    for (u64 k = 0; k < 40 && csr_read("time") < end; k++) {
        for (u64 i = 0; i < BATCH; i++) {
            poke64(cell(i), 0);
            poke64(cell(i) + 256, 0);
        }
        full_fence();
        smp_run((u64)t->harts, batch_job, (u64)t);
        for (u64 i = 0; i < BATCH; i++)
            seen += (u64)outcome(t, i);
        n += BATCH;
    }
    check_true("ran", n > 0);
    if (t->forbidden)
        check("forbidden outcome", seen, 0);
    else
        note("allowed outcome seen", seen);
    note("of", n);
}

void test_main(void)
{
    section("harts");
    if (!check("present", smp_begin(4), 4))
        return;
    for (u64 i = 0; i < HART_MAX; i++)
        seeds[i] = i * 0x9e3779b97f4a7c15UL + 12345;
    for (u64 i = 0; i < COUNT(tests); i++) {
        section(tests[i].name);
        test_run(&tests[i]);
    }
}
