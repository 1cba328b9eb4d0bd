/* Software interrupts between harts, code and mappings that change under running harts (3.2.1, chapter
 * 6, 10.2.1). */
#include "smp.h"

#define HARTS 4UL
#define CODE  (SCRATCH + 0x40000)
#define FA    (SCRATCH + 0x50000)
#define FB    (SCRATCH + 0x51000)

static struct {
    volatile u64 n;
    char pad[120];
} taken[HART_MAX], value[HART_MAX];
static volatile u64 letter, bad, stop, ready, wrong[3];

static void inc(volatile u64 *p)
{
    asm volatile("amoadd.d.aqrl zero, %0, (%1)" ::"r"(1UL), "r"(p) : "memory");
}

static int on_ipi(struct area *a)
{
    u64 h = csr_read("mhartid");

    if (a->cause != (C_IRQ | IRQ_MSI))
        return 0;
    poke32(MSIP(h), 0);
    full_fence();
    fence_i();
    vm_flush();
    value[h].n = letter;
    full_fence();
    taken[h].n = taken[h].n + 1;
    return 1;
}

/* Others: interrupts on, asleep or busy, until told to stop. */
static void idle_job(u64 hart, u64 asleep)
{
    smp_enter(HARTS, hart);
    if (!hart)
        return;
    csr_set("mstatus", MS_MIE);
    inc(&ready);
    while (!stop)
        if (asleep)
            asm volatile("wfi");
    csr_clear("mstatus", MS_MIE);
}

/* Sends to all others and waits until each has taken it. */
static int shoot(u64 n)
{
    u64 old[HART_MAX], end = csr_read("time") + 30000000; /* 3 s */

    for (u64 i = 1; i < n; i++)
        old[i] = taken[i].n;
    full_fence();
    for (u64 i = 1; i < n; i++)
        poke32(MSIP(i), 1);
    for (u64 i = 1; i < n; i++)
        while (taken[i].n == old[i])
            if (csr_read("time") > end)
                return 0;
    full_fence();
    return 1;
}

static u64 rounds_wanted;
static void sender(u64 hart, u64 asleep)
{
    idle_job(hart, asleep);
    if (hart)
        return;
    while (ready < HARTS - 1)
        ;
    for (u64 i = 0; i < rounds_wanted; i++) {
        letter = i * 3 + 1;
        if (!check_true("taken", shoot(HARTS)))
            break;
        for (u64 h = 1; h < HARTS; h++)
            check("what was written before msip is seen", value[h].n, i * 3 + 1);
    }
    stop = 1;
    shoot(HARTS);
}

/* Ping-pong of two harts through msip alone. */
static void pong_job(u64 hart, u64 n)
{
    csr_set("mie", 1UL << IRQ_MSI);
    smp_enter(2, hart);
    for (u64 i = 0; i < n; i++) {
        if (hart == 0)
            poke32(MSIP(1), 1);
        while (!(csr_read("mip") & 1UL << IRQ_MSI))
            asm volatile("wfi");
        poke32(MSIP(hart), 0);
        while (csr_read("mip") & 1UL << IRQ_MSI)
            ;
        if (hart == 1)
            poke32(MSIP(0), 1);
    }
}

static u64 call_code(u64 a)
{
    return ((u64(*)(u64))a)(0);
}

/* Runs what hart 0 rewrites: any value once valid, never older than what the last interrupt told of. */
static void runner_job(u64 hart, u64 n)
{
    u64 seed = hart + 99, floor;

    smp_enter(HARTS, hart);
    if (hart == 0) {
        while (ready < HARTS - 1)
            ;
        for (u64 i = 1; i <= n; i++) {
            letter = i & 2047;
            full_fence();
            poke32(CODE, INSN_LI_A0(i & 2047));
            fence_i();
            if (call_code(CODE) != (i & 2047))
                inc(&bad);
            if (!shoot(HARTS)) {
                inc(&bad);
                break;
            }
            dither(&seed, 1023);
        }
        stop = 1;
        shoot(HARTS);
        return;
    }
    csr_set("mstatus", MS_MIE);
    inc(&ready);
    while (!stop) {
        floor = value[hart].n;
        u64 got = call_code(CODE);
        u64 top = letter;
        if (got < floor || got > top) {
            inc(&bad);
            wrong[0] = got;
            wrong[1] = floor;
            wrong[2] = top;
        }
    }
    csr_clear("mstatus", MS_MIE);
}

/* Loads through a mapping that hart 0 moves between two frames: after the shootdown only the new one. */
static u64 remap_load(u64 va)
{
    return run(MODE_S, f_ld, va, 0).a0;
}

static volatile u64 expected;
static void remap_job(u64 hart, u64 n)
{
    smp_enter(HARTS, hart);
    csr_write("satp", vm_satp(0));
    vm_flush();
    if (hart == 0) {
        while (ready < HARTS - 1)
            ;
        for (u64 i = 1; i <= n; i++) {
            u64 frame = i & 1 ? FB : FA;
            expected = 0; /* either is right until all have flushed */
            full_fence();
            vm_map(TVA, frame, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
            vm_flush();
            if (!shoot(HARTS)) {
                inc(&bad);
                break;
            }
            expected = i & 1 ? 2 : 1;
            full_fence();
            for (u64 k = 0; k < 50; k++)
                if (remap_load(TVA) != expected)
                    inc(&bad);
        }
        stop = 1;
        shoot(HARTS);
    } else {
        csr_set("mstatus", MS_MIE);
        inc(&ready);
        while (!stop) {
            csr_clear("mstatus", MS_MIE);
            u64 e = expected;
            full_fence();
            u64 got = remap_load(TVA);
            full_fence();
            if (e && e == expected && got != e && taken[hart].n)
                inc(&bad);
            if (got != 1 && got != 2)
                inc(&bad);
            csr_set("mstatus", MS_MIE);
        }
        csr_clear("mstatus", MS_MIE);
    }
    csr_write("satp", 0);
    vm_flush();
}

static void fresh(void)
{
    bad = stop = ready = letter = 0;
    for (u64 i = 0; i < HART_MAX; i++)
        taken[i].n = value[i].n = 0;
    full_fence();
}

void test_main(void)
{
    section("harts");
    if (!check("present", smp_begin(HARTS), HARTS))
        return;
    hook = on_ipi;

    section("interrupts to sleeping harts");
    fresh();
    rounds_wanted = 300;
    smp_run(HARTS, sender, 1);
    section("interrupts to busy harts");
    fresh();
    rounds_wanted = 300;
    smp_run(HARTS, sender, 0);

    section("ping-pong");
    smp_run(2, pong_job, 2000);
    check_true("came back", 1);

    section("code rewritten under running harts");
    poke32(CODE, INSN_LI_A0(0));
    poke32(CODE + 4, INSN_RET);
    fence_i();
    fresh();
    smp_run(HARTS, runner_job, 300);
    gap_begin("chapter 6; QEMU 7.2 may keep a translation that raced with the store");
    if (!check("wrong results", bad, 0)) {
        note("last wrong one", wrong[0]);
        note("at least", wrong[1]);
        note("at most", wrong[2]);
    }

    section("mappings changed under running harts");
    vm_new(3);
    poke64(FA, 1);
    poke64(FB, 2);
    vm_map(TVA, FA, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
    fresh();
    expected = 0;
    smp_run(HARTS, remap_job, 100);
    check("wrong results", bad, 0);
    hook = 0;
}
