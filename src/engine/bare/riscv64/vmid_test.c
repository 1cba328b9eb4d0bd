/*
 * VMIDs that run out, all the time: no vCPU finds in a CPU's TLB what another left there, or itself before it
 * was elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "engine/bare/riscv64/vmid.h"
#include "lib/rng.h"

#define CPUS    4
#define VCPUS   6
#define NUMBERS 16
#define STEPS   200000

/* Whose translations stand under a number, and of which of its stays there; 0: nobody's. */
struct entry {
    uint64_t who, stay;
};

struct board {
    struct vmid_space space;
    struct vmid_cpu cpu[CPUS];
    struct entry tlb[CPUS][NUMBERS];
    struct vmid v[VCPUS];
    uint64_t who[VCPUS], stay[VCPUS], born;
    unsigned at[VCPUS]; /* CPU it is on */
};

static void drop(struct board *b, unsigned c, enum vmid_drop what, uint64_t number)
{
    if (what == VMID_DROP_ALL)
        memset(b->tlb[c], 0, sizeof(b->tlb[c]));
    else if (what == VMID_DROP_ITS_OWN)
        b->tlb[c][number] = (struct entry){0};
}

static void run(struct board *b, unsigned v, unsigned c)
{
    bool moved = b->at[v] != c;
    enum vmid_drop what;
    struct entry *e;

    b->stay[v] += moved;
    b->at[v] = c;
    what = vmid_take(&b->space, &b->v[v], &b->cpu[c]);
    if (moved) /* fence.i hangs on it */
        assert_int_not_equal(what, VMID_DROP_NOTHING);
    drop(b, c, what, b->v[v].number);
    assert_in_range(b->v[v].number, 1, b->space.count - 1);
    e = &b->tlb[c][b->v[v].number];
    if (e->who)
        assert_true(e->who == b->who[v] && e->stay == b->stay[v]);
    *e = (struct entry){b->who[v], b->stay[v]};
}

/* The next life in the same place. */
static void begin(struct board *b, unsigned v)
{
    b->v[v] = (struct vmid){0};
    b->who[v] = ++b->born;
    b->at[v] = CPUS;
}

static void random_life(unsigned bits)
{
    struct board b = {
        .space = {.generation = 1, .next = 1, .count = 1u << bits, .lock = {.rank = RANK_USER}}};
    struct rng r;

    rng_init(&r, bits);
    for (unsigned v = 0; v < VCPUS; v++)
        begin(&b, v);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned v = (unsigned)rng_below(&r, VCPUS);

        if (!rng_below(&r, 50))
            begin(&b, v);
        run(&b, v, b.at[v] < CPUS && rng_below(&r, 4) ? b.at[v] : (unsigned)rng_below(&r, CPUS));
    }
    assert_true(b.space.generation > STEPS / 1000);
}

static void test_roll_over(void **unused)
{
    (void)unused;
    for (unsigned bits = 1; bits <= 4; bits++)
        random_life(bits);
}

/* As many vCPUs as there are numbers keep theirs, wherever they go. */
static void test_kept(void **unused)
{
    struct board b = {.space = {.generation = 1, .next = 1, .count = 8, .lock = {.rank = RANK_USER}}};

    (void)unused;
    for (unsigned v = 0; v < VCPUS; v++)
        begin(&b, v);
    for (unsigned i = 0; i < 1000; i++)
        run(&b, i % VCPUS, i / 7 % CPUS);
    assert_int_equal(b.space.generation, 1);
    for (unsigned v = 0; v < VCPUS; v++)
        assert_int_equal(b.v[v].number, v + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_roll_over), cmocka_unit_test(test_kept)};

    return cmocka_run_group_tests_name("bare riscv64 vmid", tests, NULL, NULL);
}
