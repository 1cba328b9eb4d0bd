/* LR and SC on one hart (14.2), misaligned atomics (14.2, 14.4). */
#include "vm.h"

#define WHY  "14.2: naturally aligned or an exception; QEMU 7.2 performs a misaligned LR"
#define CELL (SCRATCH + 0x20000)

#define LRSC(size)                                                                                           \
    static u64 lr_##size(u64 a)                                                                              \
    {                                                                                                        \
        u64 r;                                                                                               \
        asm volatile("lr." #size " %0, (%1)" : "=r"(r) : "r"(a) : "memory");                                 \
        return r;                                                                                            \
    }                                                                                                        \
    static u64 sc_##size(u64 a, u64 v)                                                                       \
    {                                                                                                        \
        u64 r;                                                                                               \
        asm volatile("sc." #size " %0, %2, (%1)" : "=r"(r) : "r"(a), "r"(v) : "memory");                     \
        return r;                                                                                            \
    }
LRSC(w)
LRSC(d)

/* A constrained loop (14.3) must succeed in the end; here at once or after few tries. */
static u64 pair_d(u64 a, u64 v, u64 *old)
{
    u64 r, o, n = 0;

    do {
        asm volatile("lr.d %0, (%2)\n sc.d %1, %3, (%2)" : "=&r"(o), "=&r"(r) : "r"(a), "r"(v) : "memory");
    } while (r && ++n < 1000);
    *old = o;
    return r;
}

static u64 pair_w(u64 a, u64 v, u64 *old)
{
    u64 r, o, n = 0;

    do {
        asm volatile("lr.w.aq %0, (%2)\n sc.w.rl %1, %3, (%2)"
                     : "=&r"(o), "=&r"(r)
                     : "r"(a), "r"(v)
                     : "memory");
    } while (r && ++n < 1000);
    *old = o;
    return r;
}

static void success(void)
{
    u64 old;

    section("lr/sc success");
    for (u64 i = 0; i < 300; i++) {
        u64 v = 0x8000000180000001UL * (i + 1);
        poke64(CELL, ~v);
        check("sc.d result", pair_d(CELL, v, &old), 0);
        check("lr.d value", old, ~v);
        check("sc.d memory", peek64(CELL), v);
        poke64(CELL, ~v);
        check("sc.w result", pair_w(CELL + 4, v, &old), 0);
        check("lr.w value, sign-extended", old, (u64)(s64)(s32)(~v >> 32));
        check("sc.w memory", peek64(CELL), (~v & 0xffffffff) | v << 32);
        u64 o;
        asm volatile("1: lr.d %0, (%1)\n addi %0, %0, 1\n sc.d t0, %0, (%1)\n bnez t0, 1b"
                     : "=&r"(o)
                     : "r"(CELL)
                     : "t0", "memory");
        check("increment", peek64(CELL), o);
        asm volatile("1: lr.d %0, (%1)\n addi %0, %0, 1\n sc.d %0, %0, (%1)\n bnez %0, 1b"
                     : "=&r"(o)
                     : "r"(CELL)
                     : "memory");
        check("sc rd = rs2", o, 0);
    }
}

static void failure(void)
{
    u64 old;

    section("sc without its reservation fails");
    poke64(CELL, 11);
    poke64(CELL + 4096, 22);
    pair_d(CELL, 11, &old); /* takes any reservation away */
    check("lr.w sign-extends", lr_w(CELL), 11);
    pair_d(CELL, 11, &old);
    check_true("no lr, sc.d", sc_d(CELL, 5) != 0);
    check_true("no lr, sc.w", sc_w(CELL, 5) != 0);
    check("memory untouched", peek64(CELL), 11);
    lr_d(CELL);
    sc_d(CELL, 12);
    check_true("second sc", sc_d(CELL, 13) != 0);
    check("memory of second", peek64(CELL), 12);
    lr_d(CELL);
    check_true("other address", sc_d(CELL + 4096, 7) != 0);
    check("other memory", peek64(CELL + 4096), 22);
    check_true("failed sc took the reservation", sc_d(CELL, 14) != 0);
    check("memory after both", peek64(CELL), 12);
    lr_d(CELL + 4096);
    lr_d(CELL);
    check_true("the last lr counts", sc_d(CELL + 4096, 7) != 0);
    check("memory of the former lr", peek64(CELL + 4096), 22);
    u64 r;
    asm volatile("sc.d %0, zero, (%1)" : "=r"(r) : "r"(CELL) : "memory");
    check("fail code is 1, the unspecified failure", r, 1);
}

/* As above, where the value would be the expected one; often enough to be compiled. */
static void other_address(void)
{
    section("sc elsewhere, of the same value");
    for (u64 i = 0; i < 100; i++) {
        poke64(CELL, i);
        poke64(CELL + 4096, i);
        lr_d(CELL);
        check_true("sc.d above", sc_d(CELL + 4096, 7) != 0);
        lr_w(CELL + 4096);
        check_true("sc.w below", sc_w(CELL, 7) != 0);
        check("memory below", peek64(CELL), i);
        check("memory above", peek64(CELL + 4096), i);
    }
}

/* An SC of another size than the LR: one of 8 bytes would need those that the LR did not read. Often, as
 * above. */
static void other_size(void)
{
    section("sc of another size");
    gap_begin("QEMU 7.2 looks at address and value only");
    for (u64 i = 1; i < 100; i++) {
        poke64(CELL, i); /* as LR.W and as LR.D the same value */
        lr_w(CELL);
        check_true("sc.d after lr.w", sc_d(CELL, 7) != 0);
        check("memory", peek64(CELL), i);
        poke64(CELL, i);
        lr_d(CELL);
        check_true("sc.w after lr.d", sc_w(CELL, 7) != 0);
        check("memory", peek64(CELL), i);
        lr_d(CELL);
        check("sc.d after lr.d", sc_d(CELL, 8), 0);
    }
    gap_end();
}

static void misaligned(void)
{
    static void (*const f[])(u64, u64) = {f_amo, f_lr};

    section("misaligned atomics");
    for (u64 k = 0; k < COUNT(f); k++)
        for (u64 o = 1; o < 8; o++) {
            u64 at = CELL + o, load = f[k] == f_lr;
            poke64(CELL, 77);
            struct trap t = run(MODE_M, f[k], at, 1);
            u64 want = load ? C_LOAD_MISALIGNED : C_STORE_MISALIGNED;
            /* an access fault instead is allowed (14.2, 14.4) */
            check_gap("cause", t.by && (t.cause == want || t.cause == want + 1), 1, WHY);
            if (!t.by)
                continue;
            check("tval", t.tval, at);
            check("epc", t.epc, (u64)f[k]);
            check("memory", peek64(CELL), 77);
        }
    poke64(CELL, 77);
    struct trap t = run(MODE_M, f_sc, CELL + 2, CELL);
    check_gap("sc misaligned", t.by && (t.cause == C_STORE_MISALIGNED || t.cause == C_STORE_ACCESS), 1, WHY);
    check("sc memory", peek64(CELL), 77);
}

void test_main(void)
{
    success();
    failure();
    other_address();
    other_size();
    misaligned();
}
