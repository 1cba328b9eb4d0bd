/* Contended counters: no update is lost, by exclusives of each size and by the atomics of Armv8.1 (B2.12). */
#include "mmu.h"
#include "smp.h"

/* Increments of a section, by all its CPUs together. */
#ifdef SOAK
#define COUNT 100000000u
#else
#define COUNT 200000u
#endif

static struct {
    u64 low, high, pad[14];
} word __attribute__((aligned(128)));
static void (*volatile step)(u64 *p);
static unsigned workers;

#define STEP(name, insns)                                                                                    \
    static void name(u64 *p)                                                                                 \
    {                                                                                                        \
        __asm__ volatile("mov x9, #1\n" insns ::"r"(p)                                                       \
                         : "x2", "x3", "x4", "x5", "x9", "x10", "x11", "x12", "x13", "memory", "cc");        \
    }

STEP(exclusive8, "1: ldxrb w10, [%0]\n add w10, w10, #1\n stxrb w11, w10, [%0]\n cbnz w11, 1b")
STEP(exclusive16, "1: ldaxrh w10, [%0]\n add w10, w10, #1\n stxrh w11, w10, [%0]\n cbnz w11, 1b")
STEP(exclusive32, "1: ldaxr w10, [%0]\n add w10, w10, #1\n stlxr w11, w10, [%0]\n cbnz w11, 1b")
STEP(exclusive64, "1: ldxr x10, [%0]\n add x10, x10, #1\n stxr w11, x10, [%0]\n cbnz w11, 1b")
STEP(exclusive_pair,
     "1: ldxp x10, x11, [%0]\n add x10, x10, #1\n add x11, x11, #1\n stxp w12, x10, x11, [%0]\n cbnz w12, 1b")
STEP(exclusive_pair32, "1: ldaxp w10, w11, [%0]\n adds w10, w10, #1\n adc w11, w11, wzr\n stlxp w12, w10, "
                       "w11, [%0]\n cbnz w12, 1b")
STEP(ldadd8, "ldaddb w9, w10, [%0]")
STEP(ldadd16, "ldaddlh w9, w10, [%0]")
STEP(ldadd32, "ldadd w9, w10, [%0]")
STEP(ldadd64, "ldaddal x9, x10, [%0]")
STEP(stadd, "stadd x9, [%0]")
STEP(cas, "ldr x10, [%0]\n 1: mov x11, x10\n add x12, x10, #1\n casal x11, x12, [%0]\n cmp x11, x10\n"
          "mov x10, x11\n b.ne 1b")
STEP(cas16, "ldrh w10, [%0]\n 1: mov w11, w10\n add w12, w10, #1\n cash w11, w12, [%0]\n cmp w11, w10\n"
            "mov w10, w11\n b.ne 1b")
STEP(casp,
     "1: ldp x10, x11, [%0]\n mov x2, x10\n mov x3, x11\n add x12, x10, #1\n add x13, x11, #1\n"
     "mov x4, x2\n mov x5, x3\n casp x4, x5, x12, x13, [%0]\n cmp x4, x2\n ccmp x5, x3, #0, eq\n b.ne 1b")

/* A lock by exclusives around a plain addition: acquire and release keep it inside. */
static u32 lock;
static void locked(u64 *p)
{
    __asm__ volatile(
        "mov x9, #1\n sevl\n 1: wfe\n 2: ldaxr w10, [%1]\n cbnz w10, 1b\n stxr w11, w9, [%1]\n cbnz w11, 2b\n"
        "ldr x12, [%0]\n add x12, x12, #1\n str x12, [%0]\n stlr wzr, [%1]" ::"r"(p),
        "r"(&lock)
        : "x9", "x10", "x11", "x12", "memory");
}

static void count(unsigned cpu)
{
    void (*fn)(u64 * p) = step;
    unsigned n = COUNT / workers;

    (void)cpu;
    barrier();
    for (unsigned i = 0; i < n; i++)
        fn(&word.low);
}

static void contend(const char *name, void (*fn)(u64 *p), u64 mask, int pair)
{
    section(name);
    word.low = word.high = 0;
    step = fn;
    on_cpus(workers, count);
    check("sum", word.low, COUNT & mask);
    check("beside it", word.high, pair ? COUNT : 0);
}

/* Minimum, maximum and bits by many at once: what remains is that of all. */
static void extremes(unsigned cpu)
{
    for (u64 i = 0; i < COUNT / 10 / CPUS; i++) {
        u64 v = (i * 4 + cpu) * 0x9e3779b97f4a7c15;

        __asm__ volatile("ldumax %0, xzr, [%1]\n ldset %0, xzr, [%2]" ::"r"(v), "r"(&word.low),
                         "r"(&word.high)
                         : "memory");
    }
}

static void bits(void)
{
    u64 max = 0, set = 0;

    section("LDUMAX and LDSET");
    word.low = word.high = 0;
    on_cpus(CPUS, extremes);
    for (u64 i = 0; i < COUNT / 10 / CPUS * CPUS; i++) {
        u64 v = i * 0x9e3779b97f4a7c15;

        max = v > max ? v : max;
        set |= v;
    }
    check("maximum", word.low, max);
    check("all bits", word.high, set);
}

static void counters(unsigned n)
{
    workers = n;
    contend("LDXRB and STXRB", exclusive8, 0xff, 0);
    contend("LDAXRH and STXRH", exclusive16, 0xffff, 0);
    contend("LDAXR and STLXR, 32 bits", exclusive32, ~0UL, 0);
    contend("LDXR and STXR, 64 bits", exclusive64, ~0UL, 0);
    contend("LDAXP and STLXP, 32 bits", exclusive_pair32, ~0UL, 0);
    contend("LDXP and STXP, 64 bits", exclusive_pair, ~0UL, 1);
    contend("LDADDB", ldadd8, 0xff, 0);
    contend("LDADDLH", ldadd16, 0xffff, 0);
    contend("LDADD, 32 bits", ldadd32, ~0UL, 0);
    contend("LDADDAL, 64 bits", ldadd64, ~0UL, 0);
    contend("STADD", stadd, ~0UL, 0);
    contend("CASH", cas16, 0xffff, 0);
    contend("CASAL", cas, ~0UL, 0);
    contend("CASP", casp, ~0UL, 1);
    contend("a lock", locked, ~0UL, 0);
}

void test_main(void)
{
    mmu_on();
    counters(CPUS);
#ifdef SOAK
    counters(2); /* each on a host CPU of its own, most often */
#endif
    bits();
}
