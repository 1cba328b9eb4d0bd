/* See smp.h. */
#include "smp.h"

static struct {
    volatile job fn;
    volatile u64 arg, turn, harts;
    u64 present, done;
    struct {
        volatile u64 n;
        char pad[120];
    } at[HART_MAX];
} smp __attribute__((aligned(128)));

static u64 add(u64 *p, u64 v)
{
    u64 old;

    asm volatile("amoadd.d.aqrl %0, %1, (%2)" : "=r"(old) : "r"(v), "r"(p) : "memory");
    return old;
}

void smp_main(u64 hart)
{
    u64 seen = 0;

    hart_init();
    csr_set("mie", 1UL << IRQ_MSI);
    add(&smp.present, 1);
    for (;;) {
        while (smp.turn == seen)
            asm volatile("wfi");
        poke32(MSIP(hart), 0);
        full_fence();
        seen = smp.turn;
        if (hart >= smp.harts)
            continue;
        smp.fn(hart, smp.arg);
        csr_write("mie", 1UL << IRQ_MSI);
        add(&smp.done, 1);
    }
}

u64 smp_begin(u64 want)
{
    u64 end = csr_read("time") + 50000000;

    smp_start();
    while (add(&smp.present, 0) + 1 < want && csr_read("time") < end)
        ;
    return add(&smp.present, 0) + 1;
}

void smp_run(u64 n, job fn, u64 arg)
{
    smp.fn = fn;
    smp.arg = arg;
    smp.harts = n;
    smp.done = 0;
    for (u64 i = 0; i < HART_MAX; i++)
        smp.at[i].n = 0;
    full_fence();
    smp.turn = smp.turn + 1;
    full_fence();
    for (u64 i = 1; i < n; i++)
        poke32(MSIP(i), 1);
    fn(0, arg);
    while (add(&smp.done, 0) + 1 < n)
        ;
}

void smp_meet(u64 n, u64 hart)
{
    u64 mine = smp.at[hart].n + 1;

    full_fence();
    smp.at[hart].n = mine;
    for (u64 i = 0; i < n; i++)
        while (smp.at[i].n < mine)
            ;
    full_fence();
}

void smp_enter(u64 n, u64 hart)
{
    smp_meet(n, hart);
    poke32(MSIP(hart), 0);
    while (csr_read("mip") & 1UL << IRQ_MSI)
        ;
    smp_meet(n, hart);
}
