/* Walks of each granule and level, their faults, rights, PAN, hierarchical limits, AF and DBM, contexts. */
#include "guest/arm64/pe_test.h"
#include "isa/arm64/pte.h"

#define ROOT   (TEST_RAM + 0x100000)
#define TABLES (TEST_RAM + 0x110000)
#define PAGE   (TEST_RAM + 0x200000)
#define LEAF   (A64_PTE_VALID | A64_PTE_AF)
#define IPS_48 (UINT64_C(5) << 32)

static void poke(struct vm *vm, gpa_t pa, uint64_t value)
{
    assert_int_equal(mem_write(&vm->mem, pa, &value, 8), 0);
}

static uint64_t peek(struct vm *vm, gpa_t pa)
{
    uint64_t value;

    assert_int_equal(mem_read(&vm->mem, pa, &value, 8), 0);
    return value;
}

static void flush(struct arm64_vcpu *a)
{
    arm64_flush(&a->v, &(struct flush_scope){.kind = FLUSH_ALL});
}

/* Tables for va from ROOT, one behind the other, to a leaf at `level`; gives where the leaf's entry is. */
static gpa_t map_more(struct vm *vm, enum a64_granule g, unsigned va_bits, unsigned level, gva_t va,
                      uint64_t leaf, uint64_t table_bits)
{
    gpa_t table = ROOT;
    unsigned first = a64_start_level(g, va_bits);

    for (unsigned i = first;; i++) {
        unsigned shift = a64_level_shift(g, i);
        unsigned bits = i == first ? va_bits - shift : a64_granules[g].level_bits;
        gpa_t at = table + (va >> shift & (BIT(bits) - 1)) * 8;

        if (i == level) {
            poke(vm, at, leaf | (level == 3 ? A64_PTE_TABLE : 0));
            return at;
        }
        table = TABLES + i * 0x10000;
        poke(vm, at, table | A64_PTE_VALID | A64_PTE_TABLE | table_bits);
    }
}

static gpa_t map(struct vm *vm, unsigned level, gva_t va, uint64_t leaf)
{
    return map_more(vm, A64_GRANULE_4K, 39, level, va, leaf, 0);
}

static void use(struct arm64_vcpu *a, uint64_t tcr)
{
    test_level(a, 1);
    test_set(a, A64_SYSREG_tcr_el1, tcr | IPS_48 | A64_TCR_AS);
    test_set(a, A64_SYSREG_ttbr0_el1, ROOT);
    test_set(a, A64_SYSREG_ttbr1_el1, ROOT);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_M | A64_SCTLR_SPAN);
}

static int setup(void **state)
{
    struct vm *vm = test_vm("max", 1, false);

    use(test_pe(vm, 0), 25 | 25 << 16 | UINT64_C(2) << 30);
    *state = vm;
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

/* The fault status code, or -1. */
static int walk(struct vm *vm, gva_t va, enum access access, struct translation *t)
{
    struct arm64_vcpu *a = test_pe(vm, 0);

    flush(a); /* the tables change between walks */
    return arm64_translate(&a->v, va, access, t) ? a->fault.fsc : -1;
}

static void each_granule_and_level(void **state)
{
    static const struct {
        enum a64_granule g;
        unsigned tg0, txsz, level;
    } rows[] = {
        {A64_GRANULE_4K, 0, 25, 3},  {A64_GRANULE_4K, 0, 25, 2},  {A64_GRANULE_4K, 0, 16, 1},
        {A64_GRANULE_4K, 0, 16, 3},  {A64_GRANULE_4K, 0, 39, 3},  {A64_GRANULE_4K, 0, 48, 3},
        {A64_GRANULE_16K, 2, 16, 3}, {A64_GRANULE_16K, 2, 17, 2}, {A64_GRANULE_16K, 2, 28, 3},
        {A64_GRANULE_64K, 1, 16, 3}, {A64_GRANULE_64K, 1, 22, 2}, {A64_GRANULE_64K, 1, 47, 3},
    };
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned bits = a64_level_shift(rows[i].g, rows[i].level);
        gva_t va = 0x7654;
        gpa_t base = PAGE & ~(BIT(bits) - 1);

        use(a, rows[i].txsz | rows[i].tg0 << 14);
        map_more(*state, rows[i].g, 64 - rows[i].txsz, rows[i].level, va, base | LEAF, 0);
        assert_int_equal(walk(*state, va, ACCESS_WRITE, &t), -1);
        assert_int_equal(t.gpa, base | (va & (BIT(bits) - 1)));
        assert_int_equal(t.page_bits, bits);
        assert_true(t.read && t.write && t.dirty && t.global);
        /* Above the half. */
        assert_int_equal(walk(*state, BIT(64 - rows[i].txsz), ACCESS_READ, &t), A64_FSC_TRANSLATION);
    }
}

static void both_halves(void **state)
{
    struct translation t;
    gva_t high = UINT64_C(0xffffff8000001000);

    map(*state, 3, 0x1000, PAGE | LEAF);
    assert_int_equal(walk(*state, 0x1234, ACCESS_READ, &t), -1);
    assert_int_equal(walk(*state, high + 0x234, ACCESS_READ, &t), -1);
    assert_int_equal(t.gpa, PAGE | 0x234);
    test_set(test_pe(*state, 0), A64_SYSREG_tcr_el1, test_pe(*state, 0)->tcr_el1 | A64_TCR_EPD1);
    assert_int_equal(walk(*state, high, ACCESS_READ, &t), A64_FSC_TRANSLATION);
    assert_int_equal(walk(*state, 0x1234, ACCESS_READ, &t), -1);
}

static void faults(void **state)
{
    struct translation t;
    gpa_t at = map(*state, 3, 0x1000, 0);

    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_TRANSLATION | 3);
    poke(*state, at, PAGE | LEAF); /* 1 at the last level is reserved */
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_TRANSLATION | 3);
    poke(*state, at, PAGE | A64_PTE_VALID | A64_PTE_TABLE);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_ACCESS_FLAG | 3);
    poke(*state, at, PAGE | LEAF | A64_PTE_TABLE | A64_PTE_AP_RO);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), A64_FSC_PERMISSION | 3);
    map(*state, 2, 0x1000, 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_TRANSLATION | 2);
    map(*state, 2, 0x1000, LEAF | BIT(40) | A64_PTE_AP_RO);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), A64_FSC_PERMISSION | 2);
    /* Tables where there is no memory; a root beyond the address size. */
    poke(*state, ROOT, UINT64_C(0x1000) | 3);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_EXTERNAL_WALK | 2);
    poke(*state, ROOT, 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_TRANSLATION | 1);
    test_set(test_pe(*state, 0), A64_SYSREG_tcr_el1, 25 | 25 << 16);
    test_set(test_pe(*state, 0), A64_SYSREG_ttbr0_el1, BIT(36));
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_ADDRESS_SIZE);
    test_set(test_pe(*state, 0), A64_SYSREG_ttbr0_el1, ROOT);
    map(*state, 3, 0x1000, BIT(36) | LEAF);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_ADDRESS_SIZE | 3);
    /* Sizes out of range, up to the whole 64 bits. */
    test_set(test_pe(*state, 0), A64_SYSREG_tcr_el1, 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_TRANSLATION);
    assert_int_equal(walk(*state, ~UINT64_C(0xfff), ACCESS_READ, &t), A64_FSC_TRANSLATION);
}

static void rights(void **state)
{
    /* AP, XN of a page; what EL1 and EL0 may: R 4, W 2, X 1. */
    static const struct {
        uint64_t bits;
        unsigned el1, el0;
    } rows[] = {
        {0, 7, 1},
        {A64_PTE_AP_EL0, 6, 7},
        {A64_PTE_AP_RO, 5, 1},
        {A64_PTE_AP_RO | A64_PTE_AP_EL0, 5, 5},
        {A64_PTE_PXN, 6, 1},
        {A64_PTE_UXN, 7, 0},
        {A64_PTE_AP_RO | A64_PTE_AP_EL0 | A64_PTE_PXN | A64_PTE_UXN, 4, 4},
    };
    struct arm64_vcpu *a = test_pe(*state, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        map(*state, 3, 0x1000, PAGE | LEAF | rows[i].bits);
        for (unsigned el = 0; el < 2; el++) {
            unsigned want = el ? rows[i].el1 : rows[i].el0;
            struct translation t;

            test_level(a, el);
            assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t),
                             want & 4 ? -1 : (int)(A64_FSC_PERMISSION | 3));
            assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t),
                             want & 2 ? -1 : (int)(A64_FSC_PERMISSION | 3));
            assert_int_equal(walk(*state, 0x1000, ACCESS_FETCH, &t),
                             want & 1 ? -1 : (int)(A64_FSC_PERMISSION | 3));
        }
    }
}

static void privileged_access_never(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    uint64_t value = 0x1122334455667788;
    struct translation t;

    map(*state, 3, 0x1000, PAGE | LEAF | A64_PTE_AP_EL0);
    test_set(a, A64_SYSREG_pan, A64_SPSR_PAN);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_PERMISSION | 3);
    assert_true(arm64_context(&a->v, ACCESS_READ) != arm64_context(&a->v, ACCESS_FETCH));
    /* LDTR and STTR may. */
    assert_true(arm64_user_access(a, 0x1008, 8, true, &value));
    assert_true(arm64_user_access(a, 0x100c, 4, false, &value));
    assert_int_equal(value, 0x11223344);
    assert_int_equal(peek(*state, PAGE + 8), 0x1122334455667788);
    /* What EL0 may not they may not either. */
    map(*state, 3, 0x1000, PAGE | LEAF);
    flush(a);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    assert_false(arm64_user_access(a, 0x1008, 8, true, &value));
    assert_int_equal(test_ec(a), A64_EC_DATA_ABORT);
    assert_int_equal(a->esr_el1 & 0x7f, A64_FSC_PERMISSION | 3 | A64_ISS_WNR);
    assert_int_equal(a->far_el1, 0x1008);
}

static void tables_limit(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    map_more(*state, A64_GRANULE_4K, 39, 3, 0x1000, PAGE | LEAF | A64_PTE_AP_EL0,
             A64_PTE_APTABLE_RO | A64_PTE_UXNTABLE);
    test_level(a, 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), A64_FSC_PERMISSION | 3);
    assert_int_equal(walk(*state, 0x1000, ACCESS_FETCH, &t), A64_FSC_PERMISSION | 3);
    map_more(*state, A64_GRANULE_4K, 39, 3, 0x1000, PAGE | LEAF | A64_PTE_AP_EL0, A64_PTE_APTABLE_EL0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), A64_FSC_PERMISSION | 3);
    test_level(a, 1);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), -1);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_HPD0);
    test_level(a, 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
}

/* A walk that begins at a table it knows keeps what the tables above it forbid; another root is another walk.
 */
static void known_tables(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    map_more(*state, A64_GRANULE_4K, 39, 3, 0x1000, PAGE | LEAF, A64_PTE_APTABLE_RO);
    map_more(*state, A64_GRANULE_4K, 39, 3, 0x2000, PAGE | LEAF, A64_PTE_APTABLE_RO);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    assert_int_equal(arm64_translate(&a->v, 0x2000, ACCESS_READ, &t), 0);
    assert_false(t.write);
    assert_int_equal(arm64_translate(&a->v, 0x2000, ACCESS_WRITE, &t), 1);
    assert_int_equal(a->fault.fsc, A64_FSC_PERMISSION | 3);
    test_set(a, A64_SYSREG_ttbr0_el1, ROOT + 0x1000); /* empty */
    assert_int_equal(arm64_translate(&a->v, 0x1000, ACCESS_READ, &t), 1);
    assert_int_equal(a->fault.fsc, A64_FSC_TRANSLATION | 1);
    test_set(a, A64_SYSREG_ttbr0_el1, ROOT | UINT64_C(7) << 48); /* another ASID, the same tables */
    assert_int_equal(arm64_translate(&a->v, 0x1000, ACCESS_READ, &t), 0);
    assert_int_equal(t.gpa, PAGE);
}

static void hardware_flags(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    gpa_t at = map(*state, 3, 0x1000, PAGE | A64_PTE_VALID | A64_PTE_AP_RO | A64_PTE_DBM);
    struct translation t;

    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_HA);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), A64_FSC_PERMISSION | 3);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    assert_true(peek(*state, at) & A64_PTE_AF && !t.write && !t.dirty);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_HD);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    assert_true(t.write && !t.dirty && peek(*state, at) & A64_PTE_AP_RO);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), -1);
    assert_true(t.write && t.dirty && !(peek(*state, at) & A64_PTE_AP_RO));
    /* AT looks only. */
    poke(*state, at, PAGE | A64_PTE_VALID | A64_PTE_TABLE);
    flush(a);
    test_set(a, A64_SYSOP_at_s1e1w, 0x1000);
    assert_false(a->par_el1 & A64_PAR_F);
    assert_false(peek(*state, at) & A64_PTE_AF);
}

/* What MAIR_EL1 has for the descriptor's index: by page and by block. */
static void device_memory(void **state)
{
    static const struct {
        uint8_t attr;
        bool device;
    } rows[] = {{0x00, true}, {0x04, true}, {0x0c, true}, {0x44, false}, {0xff, false}, {0xf4, false}};
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    for (unsigned level = 2; level <= 3; level++) {
        gva_t va = UINT64_C(0x40200000) * level;

        map(*state, level, va, PAGE | A64_PTE_VALID | A64_PTE_AF | a64_field_set(0, A64_PTE_ATTRINDX, 5));
        for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
            uint64_t others = rows[i].device ? UINT64_MAX : 0, mask = UINT64_C(0xff) << 40;

            test_set(a, A64_SYSREG_mair_el1, (others & ~mask) | (uint64_t)rows[i].attr << 40);
            assert_int_equal(walk(*state, va, ACCESS_READ, &t), -1);
            assert_int_equal(t.device, rows[i].device);
        }
    }
}

static void translation_off(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    test_set(a, A64_SYSREG_sctlr_el1, 0);
    assert_true(a->v.mode & ARM64_MODE_ALIGN && !(a->v.mode & ARM64_MODE_MMU));
    assert_int_equal(walk(*state, PAGE + 8, ACCESS_FETCH, &t), -1);
    assert_int_equal(t.gpa, PAGE + 8);
    assert_int_equal(walk(*state, BIT(48), ACCESS_READ, &t), A64_FSC_ADDRESS_SIZE);
}

static void tags(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    gva_t tagged = UINT64_C(0x5a00000000001000);
    struct translation t;

    map(*state, 3, 0x1000, PAGE | LEAF | A64_PTE_NG);
    assert_int_equal(walk(*state, tagged, ACCESS_READ, &t), A64_FSC_TRANSLATION);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_TBI0);
    assert_int_equal(walk(*state, tagged, ACCESS_READ, &t), -1);
    assert_int_equal(t.gpa, PAGE);
    assert_false(t.global);
    /* The page's own address does not name what was cached by the tagged one. */
    test_set(a, A64_SYSOP_tlbi_vae1, 1);
    assert_int_equal(test_engine(*state)->scope.kind, FLUSH_ALL);
    test_set(a, A64_SYSOP_tlbi_vae1, 1);
    assert_int_equal(test_engine(*state)->scope.kind, FLUSH_PAGE);
    assert_int_equal(test_engine(*state)->scope.va, 0x1000);
}

static void e0pd(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    map(*state, 3, 0x1000, PAGE | LEAF | A64_PTE_AP_EL0);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_E0PD1);
    test_level(a, 0);
    assert_int_equal(walk(*state, UINT64_C(0xffffff8000001000), ACCESS_READ, &t), A64_FSC_TRANSLATION);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), -1);
    test_level(a, 1);
    assert_int_equal(walk(*state, UINT64_C(0xffffff8000001000), ACCESS_READ, &t), -1);
}

static void asids(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    unsigned flushes;

    test_set(a, A64_SYSREG_ttbr0_el1, ROOT | UINT64_C(0x1234) << 48);
    assert_int_equal(arm64_asid(&a->v), 0x1234);
    flushes = test_engine(*state)->flushes;
    test_set(a, A64_SYSREG_ttbr1_el1, ROOT | UINT64_C(0x4321) << 48);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 | A64_TCR_A1);
    assert_int_equal(arm64_asid(&a->v), 0x4321);
    assert_int_equal(test_engine(*state)->flushes, flushes);
    test_set(a, A64_SYSREG_tcr_el1, a->tcr_el1 & ~A64_TCR_AS);
    assert_int_equal(arm64_asid(&a->v), 0x21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_granule_and_level, setup, teardown),
        cmocka_unit_test_setup_teardown(both_halves, setup, teardown),
        cmocka_unit_test_setup_teardown(faults, setup, teardown),
        cmocka_unit_test_setup_teardown(rights, setup, teardown),
        cmocka_unit_test_setup_teardown(privileged_access_never, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(known_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(hardware_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(device_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(translation_off, setup, teardown),
        cmocka_unit_test_setup_teardown(tags, setup, teardown),
        cmocka_unit_test_setup_teardown(e0pd, setup, teardown),
        cmocka_unit_test_setup_teardown(asids, setup, teardown),
    };

    return cmocka_run_group_tests_name("guest/arm64/mmu", tests, NULL, NULL);
}
