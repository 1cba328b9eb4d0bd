/*
 * VMIDs that run out, all the time, while CPUs run guests: none finds in a CPU's TLB what another VM left
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "engine/bare/arm64/vmid.h"
#include "lib/rng.h"

#define CPUS    4
#define VMS     10
#define NUMBERS 64
#define STEPS   200000

/* drop_all() has no other way to it. */
static struct board {
    struct vmid_space space;
    uint64_t map[1];
    struct vmid_cpu cpu[CPUS];
    uint64_t tlb[CPUS][NUMBERS]; /* whose translations stand under a number; 0: nobody's */
    _Atomic uint64_t vmid[VMS];
    uint64_t who[VMS], born;
    unsigned running[CPUS], number[CPUS]; /* VM, or VMS: none */
} b;

static struct vmid_cpu *cpu_of(unsigned id)
{
    return id < CPUS ? &b.cpu[id] : NULL;
}

/* Who runs meanwhile has its translations there again at once. */
static void drop_all(void)
{
    memset(b.tlb, 0, sizeof(b.tlb));
    for (unsigned c = 0; c < CPUS; c++) {
        if (b.running[c] < VMS)
            b.tlb[c][b.number[c]] = b.who[b.running[c]];
    }
}

static void run(unsigned vm, unsigned c)
{
    uint64_t vmid = b.vmid[vm];

    b.running[c] = VMS;
    if (!vmid_is_here(vmid, &b.cpu[c]))
        vmid = vmid_take(&b.space, &b.vmid[vm], &b.cpu[c]);
    b.number[c] = vmid & 0xffff;
    assert_in_range(b.number[c], 1, b.space.count - 1);
    if (b.tlb[c][b.number[c]])
        assert_int_equal(b.tlb[c][b.number[c]], b.who[vm]);
    b.tlb[c][b.number[c]] = b.who[vm];
    b.running[c] = vm;
}

/* The next life in the same place, when no CPU runs the one before, whose translations go with it. */
static void begin(unsigned vm)
{
    for (unsigned c = 0; c < CPUS; c++) {
        if (b.running[c] == vm)
            return;
    }
    for (unsigned c = 0; b.vmid[vm] && c < CPUS; c++)
        b.tlb[c][b.vmid[vm] & 0xffff] = 0;
    b.vmid[vm] = 0;
    b.who[vm] = ++b.born;
}

static void board_begin(unsigned count)
{
    b = (struct board){
        .space = {.count = count, .lock = {.rank = RANK_USER}, .cpu = cpu_of, .drop_all = drop_all}};
    b.space.map = b.map;
    for (unsigned c = 0; c < CPUS; c++)
        b.running[c] = VMS;
    for (unsigned vm = 0; vm < VMS; vm++)
        begin(vm);
}

static void test_roll_over(void **unused)
{
    struct rng r;

    (void)unused;
    for (unsigned count = 8; count <= NUMBERS; count *= 2) {
        rng_init(&r, count);
        board_begin(count);
        for (unsigned i = 0; i < STEPS; i++) {
            unsigned vm = (unsigned)rng_below(&r, VMS);

            if (!rng_below(&r, 10))
                begin(vm);
            run(vm, (unsigned)rng_below(&r, CPUS));
        }
        assert_true(b.space.generation >> 16 > STEPS / 1000);
    }
}

/* A CPU that never leaves its guest keeps its number in every generation. */
static void test_reserved(void **unused)
{
    (void)unused;
    board_begin(8);
    run(0, 0);
    for (unsigned i = 0; i < 1000; i++) {
        begin(1);
        run(1, 1);
        b.running[1] = VMS;
        assert_false(b.number[1] == b.number[0]);
    }
    assert_true(b.space.generation >> 16 > 100);
    run(0, 2);
    assert_int_equal(b.number[2], b.number[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_roll_over), cmocka_unit_test(test_reserved)};

    return cmocka_run_group_tests_name("bare arm64 vmid", tests, NULL, NULL);
}
