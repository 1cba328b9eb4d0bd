/*
 * Stage 2 at three, four and five levels, with the widened root of each (RISC-V Priv. 20240411, 18.5.1): what
 * is mapped is what a walk by the specification finds, larger pages where they fit, nothing is left
 * afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define ARCH_RAM_LAZY 1 /* as on boards: 2 MiB at a time */
#include "engine/bare/riscv64/stage2.c"
#include "lib/rng.h"
#include "platform/bare/sim/sim.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

struct riscv_host riscv_host;

/* ---- a guest's memory: regions of one space that is only read ---- */

static struct {
    struct mem_region region[4];
    unsigned count;
    uint8_t *space; /* 3 GiB, aligned to 1 GiB */
} fake;

const struct mem_region *mem_find(const struct mem *m, gpa_t gpa)
{
    (void)m;
    for (unsigned i = 0; i < fake.count; i++) {
        if (gpa - fake.region[i].base < fake.region[i].size)
            return &fake.region[i];
    }
    return NULL;
}

static struct mem_region *add(gpa_t base, uint64_t size, uint64_t offset, enum mem_kind kind)
{
    struct mem_region *r = &fake.region[fake.count++];

    *r = (struct mem_region){.base = base, .size = size, .host = fake.space + offset};
    atomic_init(&r->kind, kind);
    r->flags = calloc(size / MEM_PAGE_SIZE, 1);
    assert_non_null(r->flags);
    return r;
}

static void forget_regions(void)
{
    while (fake.count)
        free((void *)(uintptr_t)fake.region[--fake.count].flags);
}

/* ---- a walk as the specification has it ---- */

struct found {
    uint64_t pte;
    unsigned level; /* of the leaf */
    uint64_t pa;
};

static unsigned bits_of(const struct bare_vm *s)
{
    return 12 + 9 * s->levels + 2;
}

static bool walk(const struct bare_vm *s, gpa_t gpa, struct found *f)
{
    const uint64_t *table = s->root;

    assert_int_equal((uintptr_t)table % 16384, 0);
    if (gpa >> bits_of(s))
        return false;
    for (int level = s->levels - 1; level >= 0; level--) {
        unsigned shift = 12 + 9 * (unsigned)level;
        uint64_t index = gpa >> shift & (level == s->levels - 1 ? 2047 : 511), pte = table[index];

        if (!(pte & 1))
            return false;
        if (pte & 0xe) {
            uint64_t ppn = pte >> 10 & ((UINT64_C(1) << 44) - 1);

            assert_int_equal(ppn & ((UINT64_C(1) << (9 * level)) - 1), 0); /* else a misaligned superpage */
            *f = (struct found){pte, (unsigned)level, ppn << 12 | (gpa & ((UINT64_C(1) << shift) - 1))};
            return true;
        }
        assert_int_equal(pte & 0xf0, 0); /* U, G, A, D are reserved in a table's entry */
        table = (const uint64_t *)(uintptr_t)((pte >> 10 & ((UINT64_C(1) << 44) - 1)) << 12);
    }
    return false;
}

static void expect(struct vm *vm, gpa_t gpa, unsigned level, bool write)
{
    const struct mem_region *r = mem_find(NULL, gpa);
    struct found f = {0};

    assert_true(walk(vm->engine_vm, gpa, &f));
    assert_int_equal(f.level, level);
    assert_int_equal(f.pa, (uintptr_t)(r->host + (gpa - r->base)));
    assert_int_equal(f.pte & 0xff, 0x5b | (write ? 0x84 : 0)); /* V R X U A, W D */
}

static void expect_none(struct vm *vm, gpa_t gpa)
{
    struct found f;

    assert_false(walk(vm->engine_vm, gpa, &f));
}

/* ---- at each count of levels ---- */

static void small_pages(struct vm *vm, gpa_t at)
{
    /* 256 KiB that are not a whole large page; 4 MiB of which the host's side is shifted by a page. */
    struct mem_region *ram = add(at, 256 * 1024, 4096, MEM_RAM),
                      *rom = add(at + 2 * MIB, 4 * MIB, 4096, MEM_ROM);

    assert_int_equal(stage2_map(vm, at + 0x5123, true), 1);
    expect(vm, at + 0x5123, 0, true);
    expect_none(vm, at + 0x4000);
    expect_none(vm, at + 0x6000);
    assert_int_equal(stage2_map(vm, at + 2 * MIB + 0x2000, false), 1);
    expect(vm, at + 2 * MIB + 0x2fff, 0, false);
    assert_int_equal(stage2_map(vm, at + 2 * MIB + 0x2000, true), 0); /* a store to ROM */
    assert_int_equal(stage2_map(vm, at + 8 * MIB, false), 0);         /* where nothing is */
    atomic_store(&rom->kind, MEM_MMIO);
    assert_int_equal(stage2_map(vm, at + 2 * MIB, false), 0);
    assert_int_equal(stage2_map(vm, at + 0x5000, true), 1); /* another vCPU was first */
    expect(vm, at + 0x5123, 0, true);
    (void)ram;
    stage2_clear(vm);
    expect_none(vm, at + 0x5123);
    forget_regions();
}

/* A page whose stores core wants to see leaves the large page that it was in, and comes back to it. */
static void large_pages(struct vm *vm, gpa_t at)
{
    struct bare_vm *s = vm->engine_vm;
    struct mem_region *r = add(at, 8 * MIB, 0, MEM_RAM);

    assert_int_equal(stage2_map(vm, at + 3 * MIB, false), 1);
    expect(vm, at + 2 * MIB, 1, true);
    expect(vm, at + 4 * MIB - 1, 1, true);
    expect_none(vm, at + 4 * MIB);
    assert_int_equal(s->tables, s->levels - 2);
    assert_int_equal(leaf_put(s, at + 2 * MIB, 0, 1), 1); /* below a leaf nothing is put */
    expect(vm, at + 2 * MIB, 1, true);
    atomic_store(&r->flags[3 * MIB / 4096], MEM_PAGE_WATCH);
    stage2_clear(vm);
    assert_int_equal(s->tables, 0);
    assert_int_equal(stage2_map(vm, at + 3 * MIB, true), 0);
    assert_int_equal(stage2_map(vm, at + 3 * MIB, false), 1);
    assert_int_equal(stage2_map(vm, at + 3 * MIB + 4096, true), 1);
    expect(vm, at + 3 * MIB, 0, false);
    expect(vm, at + 3 * MIB + 4096, 0, true);
    assert_int_equal(s->tables, s->levels - 1);
    assert_int_equal(stage2_map(vm, at, true), 1);
    expect(vm, at, 1, true);
    atomic_store(&r->flags[3 * MIB / 4096], 0);
    stage2_clear(vm);
    assert_int_equal(stage2_map(vm, at + 3 * MIB, true), 1);
    expect(vm, at + 3 * MIB, 1, true);
    stage2_clear(vm);
    forget_regions();
}

/* The last 2 MiB of a GiB make it one page, in whatever order they come. */
static void giant_pages(struct vm *vm, gpa_t at)
{
    struct bare_vm *s = vm->engine_vm;
    unsigned order[512];
    struct rng rng;

    add(at, 2 * GIB, 0, MEM_RAM);
    rng_init(&rng, s->levels);
    for (unsigned i = 0; i < 512; i++) {
        unsigned k = (unsigned)rng_below(&rng, i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    assert_int_equal(stage2_map(vm, at + GIB, true), 1); /* the next one has a beginning */
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(s->gib, 0);
        assert_int_equal(stage2_map(vm, at + order[i] * 2 * MIB + 0x1234, true), 1);
    }
    assert_int_equal(s->gib, 1);
    assert_int_equal(s->tables, s->levels - 2); /* the second GiB's, and what is above both */
    expect(vm, at, 2, true);
    expect(vm, at + GIB - 1, 2, true);
    expect(vm, at + GIB, 1, true);
    expect_none(vm, at + GIB + 2 * MIB);
    assert_int_equal(stage2_map(vm, at + 4096, true), 1); /* another vCPU was first */
    expect(vm, at, 2, true);
    stage2_clear(vm);
    assert_int_equal(s->gib, 0);
    expect_none(vm, at);
    expect_none(vm, at + GIB);
    forget_regions();
}

/* One whose pages do not lie alike in both spaces stays in pieces; so does one with a page that is watched.
 */
static void no_giant_pages(struct vm *vm, gpa_t at)
{
    struct bare_vm *s = vm->engine_vm;
    struct mem_region *r = add(at, GIB, 2 * MIB, MEM_RAM);

    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(stage2_map(vm, at + i * 2 * MIB, true), 1);
    assert_int_equal(s->gib, 0);
    expect(vm, at + GIB - 1, 1, true);
    stage2_clear(vm);
    r->host = fake.space;
    atomic_store(&r->flags[100 * MIB / 4096], MEM_PAGE_WATCH);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(stage2_map(vm, at + i * 2 * MIB, i != 50), 1);
    assert_int_equal(s->gib, 0);
    expect(vm, at + 100 * MIB, 0, false);
    stage2_clear(vm);
    forget_regions();
}

/* Both bits that the root has more than other tables tell addresses apart. */
static void wide_root(struct vm *vm)
{
    const struct bare_vm *s = vm->engine_vm;
    unsigned top = bits_of(s) - 1;
    gpa_t at = UINT64_C(3) << (top - 1);

    add(at + 5 * MIB, MIB, 4096, MEM_RAM);
    add(UINT64_C(1) << top, MIB, 2 * MIB, MEM_RAM);
    assert_int_equal(stage2_map(vm, at + 5 * MIB, true), 1);
    assert_true(s->root[3 * 512] & 1);
    expect(vm, at + 5 * MIB, 0, true);
    expect_none(vm, 5 * MIB);
    expect_none(vm, (UINT64_C(1) << top) + 5 * MIB);
    expect_none(vm, (UINT64_C(1) << (top - 1)) + 5 * MIB);
    assert_int_equal(stage2_map(vm, UINT64_C(1) << top, true), 1);
    expect(vm, UINT64_C(1) << top, 0, true);
    expect(vm, at + 5 * MIB, 0, true);
    stage2_clear(vm);
    forget_regions();
}

static void all_of_it(void *arg)
{
    const uint8_t *mode = arg;
    uint64_t before = frames_free();
    struct bare_vm s = {0};
    struct vm *vm = calloc(1, sizeof(*vm));

    assert_non_null(vm);
    vm->engine_vm = &s;
    riscv_host.stage2_narrow = *mode;
    riscv_host.stage2_mode = RV_SATP_SV57;
    assert_int_equal(stage2_init(&s), 0);
    assert_int_equal(s.mode, *mode);
    assert_int_equal(s.levels, *mode - RV_SATP_SV39 + 3);
    for (unsigned high = 0; high < 2; high++) {
        gpa_t at = high ? UINT64_C(1) << (bits_of(&s) - 1) : 2 * GIB; /* lower and upper half of the root */

        small_pages(vm, at);
        large_pages(vm, at);
        giant_pages(vm, at);
        no_giant_pages(vm, at);
    }
    wide_root(vm);
    add(2 * GIB, 8 * MIB, 0, MEM_RAM);
    assert_int_equal(stage2_map(vm, 2 * GIB, true), 1);
    forget_regions();
    stage2_fini(&s);
    assert_null(s.root);
    stage2_fini(&s); /* there is nothing any more */
    assert_int_equal(frames_free(), before);
    free(vm);
}

static void at(uint8_t mode)
{
    const struct sim_config config = {.cpus = 1, .seed = 1};

    sim_run(&config, all_of_it, &mode);
}

static void three_levels(void **state)
{
    (void)state;
    at(RV_SATP_SV39);
}

static void four_levels(void **state)
{
    (void)state;
    at(RV_SATP_SV48);
}

static void five_levels(void **state)
{
    (void)state;
    at(RV_SATP_SV57);
}

static int setup(void **state)
{
    uint8_t *p = mmap(NULL, 4 * GIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return -1;
    *state = p;
    fake.space = (uint8_t *)ALIGN_UP((uintptr_t)p, GIB);
    return 0;
}

static int teardown(void **state)
{
    return munmap(*state, 4 * GIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_levels),
        cmocka_unit_test(four_levels),
        cmocka_unit_test(five_levels),
    };

    return cmocka_run_group_tests_name("bare/riscv64/stage2", tests, setup, teardown);
}
