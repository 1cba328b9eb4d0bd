/* Page-table walks of every mode, their faults, A and D, NAPOT, PBMT, protection, contexts. */
#include "guest/riscv64/hart_test.h"
#include "isa/riscv64/pte.h"

#define ROOT   (TEST_RAM + 0x100000)
#define TABLES (TEST_RAM + 0x101000)
#define PAGE   (TEST_RAM + 0x200000)
#define RWX    (RV_PTE_R | RV_PTE_W | RV_PTE_X)
#define AD     (RV_PTE_A | RV_PTE_D)

static uint64_t ppn(gpa_t pa)
{
    return pa >> 12 << 10;
}

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

/* Maps va at `level` by tables one after the other behind the root; gives where the leaf's entry is. */
static gpa_t map(struct vm *vm, unsigned levels, unsigned level, gva_t va, uint64_t pte)
{
    gpa_t table = ROOT;

    for (unsigned i = levels - 1;; i--) {
        gpa_t at = table + (va >> (12 + 9 * i) & 511) * 8;

        if (i == level) {
            poke(vm, at, pte);
            return at;
        }
        table = TABLES + i * 0x1000;
        poke(vm, at, ppn(table) | RV_PTE_V);
    }
}

static void fence(struct riscv_vcpu *r)
{
    riscv_flush(&r->v, &(struct flush_scope){.kind = FLUSH_ALL});
}

static void use(struct riscv_vcpu *r, unsigned mode, unsigned priv)
{
    fence(r);
    test_priv(r, RV_PRIV_M);
    test_set(r, RV_CSR_pmpaddr0, RV_PMPADDR_MASK);
    test_set(r, RV_CSR_pmpcfg0, 0x1f);
    test_set(r, RV_CSR_menvcfg, RV_ENVCFG_ADUE | RV_ENVCFG_PBMTE);
    test_set(r, RV_CSR_satp, (uint64_t)mode << 60 | ROOT >> 12);
    test_priv(r, priv);
}

static int setup(void **state)
{
    struct vm *vm = test_vm("max", 1, "fw", NULL);

    use(test_hart(vm, 0), RV_SATP_SV39, RV_PRIV_S);
    *state = vm;
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static uint64_t walk(struct vm *vm, gva_t va, enum access a, struct translation *t)
{
    struct riscv_vcpu *r = test_hart(vm, 0);

    fence(r); /* the tables change between walks */
    return riscv_translate(&r->v, va, a, t) ? r->exc_cause : 0;
}

static void every_mode_and_level(void **state)
{
    static const struct {
        unsigned mode, levels;
    } modes[] = {{RV_SATP_SV39, 3}, {RV_SATP_SV48, 4}, {RV_SATP_SV57, 5}};
    struct riscv_vcpu *r = test_hart(*state, 0);
    struct translation t;

    for (unsigned m = 0; m < ARRAY_SIZE(modes); m++) {
        for (unsigned level = 0; level < 2; level++) {
            gva_t va = 0x12345678;
            gpa_t pa = PAGE | (va & (BIT(12 + 9 * level) - 1));

            use(r, modes[m].mode, RV_PRIV_S);
            map(*state, modes[m].levels, level, va, ppn(PAGE) | RV_PTE_V | RWX | AD);
            assert_int_equal(walk(*state, va, ACCESS_WRITE, &t), 0);
            assert_int_equal(t.gpa, pa);
            assert_int_equal(t.page_bits, 12 + 9 * level);
            assert_true(t.read && t.write && t.dirty && !t.global);
        }
        /* Not canonical. */
        assert_int_equal(walk(*state, BIT(modes[m].levels * 9 + 11), ACCESS_READ, &t),
                         RV_EXC_LOAD_PAGE_FAULT);
        /* Nor is it where the tables have an entry for its low bits. */
        map(*state, modes[m].levels, 1, BIT(modes[m].levels * 9 + 11), ppn(PAGE) | RV_PTE_V | RWX | AD);
        assert_int_equal(walk(*state, -BIT(modes[m].levels * 9 + 11), ACCESS_READ, &t), 0);
        assert_int_equal(walk(*state, BIT(modes[m].levels * 9 + 11), ACCESS_READ, &t),
                         RV_EXC_LOAD_PAGE_FAULT);
    }
}

static void faults_by_access(void **state)
{
    struct translation t;

    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), RV_EXC_STORE_PAGE_FAULT);
    assert_int_equal(walk(*state, 0x1000, ACCESS_FETCH, &t), RV_EXC_INSN_PAGE_FAULT);
    /* A table outside RAM, and a leaf beyond it: the walk itself faults, the leaf does not. */
    poke(*state, ROOT, ppn(0x1000) | RV_PTE_V);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_ACCESS);
    map(*state, 3, 0, 0x1000, ppn(0x1000) | RV_PTE_V | RWX | AD);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
}

static void malformed(void **state)
{
    static const uint64_t bad[] = {
        RWX | AD,                          /* not valid */
        RV_PTE_V | RV_PTE_W | AD,          /* W without R */
        RV_PTE_V | RWX | AD | BIT(54),     /* reserved */
        RV_PTE_V | RWX | AD | RV_PTE_PBMT, /* PBMT 3 */
        RV_PTE_V | RWX | AD | RV_PTE_N,    /* NAPOT of an unknown size */
        RV_PTE_V | RV_PTE_U,
        RV_PTE_V | RV_PTE_A,
        RV_PTE_V | RV_PTE_D, /* pointers with leaf bits */
        RV_PTE_V,            /* a pointer at the last level */
    };
    struct translation t;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        map(*state, 3, 0, 0x1000, ppn(PAGE) | bad[i]);
        assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
    }
    map(*state, 3, 1, 0x400000, ppn(PAGE + 0x1000) | RV_PTE_V | RWX | AD); /* misaligned large page */
    assert_int_equal(walk(*state, 0x400000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
    map(*state, 3, 0, 0x1000, ppn(PAGE) | RV_PTE_V | RWX | AD | BIT(61)); /* NC */
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
    test_hart(*state, 0)->menvcfg &= ~RV_ENVCFG_PBMTE;
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
}

static void rights(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    struct translation t;

    map(*state, 3, 0, 0x1000, ppn(PAGE) | RV_PTE_V | RV_PTE_X | RV_PTE_A | RV_PTE_U);
    map(*state, 3, 0, 0x2000, ppn(PAGE) | RV_PTE_V | RWX | AD);
    assert_int_equal(walk(*state, 0x1000, ACCESS_FETCH, &t), RV_EXC_INSN_PAGE_FAULT); /* S on a U page */
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
    test_set(r, RV_CSR_sstatus, RV_MSTATUS_SUM);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT); /* not readable */
    test_set(r, RV_CSR_sstatus, RV_MSTATUS_SUM | RV_MSTATUS_MXR);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
    assert_false(t.write || t.dirty || t.exec);
    test_priv(r, RV_PRIV_U);
    assert_int_equal(walk(*state, 0x1000, ACCESS_FETCH, &t), 0);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), RV_EXC_STORE_PAGE_FAULT);
    assert_int_equal(walk(*state, 0x2000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
}

static void accessed_dirty(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    gpa_t at = map(*state, 3, 0, 0x1000, ppn(PAGE) | RV_PTE_V | RWX);
    struct translation t;

    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
    assert_false(t.dirty);
    assert_int_equal(peek(*state, at) & AD, RV_PTE_A);
    assert_int_equal(walk(*state, 0x1000, ACCESS_WRITE, &t), 0);
    assert_true(t.dirty);
    assert_int_equal(peek(*state, at) & AD, AD);
    poke(*state, at, ppn(PAGE) | RV_PTE_V | RWX);
    r->menvcfg &= ~RV_ENVCFG_ADUE;
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT);
    assert_int_equal(peek(*state, at) & AD, 0);
}

static void napot(void **state)
{
    struct translation t;

    map(*state, 3, 0, 0x13000, ppn(PAGE + 0x8000) | RV_PTE_V | RWX | AD | RV_PTE_N);
    assert_int_equal(walk(*state, 0x13123, ACCESS_READ, &t), 0);
    assert_int_equal(t.gpa, PAGE + 0x3123);
    assert_int_equal(t.page_bits, 16);
}

static void global(void **state)
{
    struct translation t;

    map(*state, 3, 0, 0x1000, ppn(PAGE) | RV_PTE_V | RWX | AD);
    poke(*state, ROOT, peek(*state, ROOT) | RV_PTE_G); /* an upper level says it for all below */
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
    assert_true(t.global);
}

static void bare_and_mprv(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    struct translation t;

    test_priv(r, RV_PRIV_M);
    assert_int_equal(walk(*state, PAGE + 5, ACCESS_READ, &t), 0);
    assert_int_equal(t.gpa, PAGE + 5);
    assert_int_equal(walk(*state, BIT(60), ACCESS_READ, &t), RV_EXC_LOAD_ACCESS);
    test_set(r, RV_CSR_mstatus, RV_MSTATUS_MPRV | UINT64_C(1) << 11);
    assert_int_equal(walk(*state, PAGE, ACCESS_READ, &t), RV_EXC_LOAD_PAGE_FAULT); /* as S */
    assert_int_equal(walk(*state, PAGE, ACCESS_FETCH, &t), 0);                     /* fetches as M */
}

static void contexts(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    uint64_t s = riscv_context(&r->v, ACCESS_READ), sum;

    test_set(r, RV_CSR_sstatus, RV_MSTATUS_SUM);
    sum = riscv_context(&r->v, ACCESS_READ);
    assert_true(s != sum && s != riscv_context(&r->v, ACCESS_FETCH));
    test_set(r, RV_CSR_satp, r->satp | UINT64_C(3) << 44);
    assert_true(sum != riscv_context(&r->v, ACCESS_READ));
    assert_int_equal(riscv_asid(&r->v), 3);
}

static void protection(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    struct translation t;

    test_priv(r, RV_PRIV_M);
    test_set(r, RV_CSR_pmpcfg0, 0);
    test_priv(r, RV_PRIV_S);
    map(*state, 3, 1, 0x200000, ppn(PAGE) | RV_PTE_V | RWX | AD);
    assert_int_equal(walk(*state, 0x200000, ACCESS_READ, &t), RV_EXC_LOAD_ACCESS); /* no entry: no access */
    test_priv(r, RV_PRIV_M);
    assert_int_equal(walk(*state, PAGE, ACCESS_READ, &t), 0);
    /* 0: 16 KiB inside the large page, read only, NAPOT. 1: TOR from 0 over all RAM. */
    test_set(r, RV_CSR_pmpaddr0, (PAGE + 0x4000) >> 2 | 0x7ff);
    test_set(r, RV_CSR_pmpaddr1, 0);
    test_set(r, RV_CSR_pmpaddr2, (TEST_RAM + TEST_RAM_SIZE) >> 2);
    test_set(r, RV_CSR_pmpcfg0, 0x0f0019);
    test_priv(r, RV_PRIV_S);
    assert_int_equal(walk(*state, 0x200000, ACCESS_WRITE, &t), 0);
    assert_int_equal(t.page_bits, 14);
    assert_int_equal(walk(*state, 0x205000, ACCESS_READ, &t), 0);
    assert_int_equal(t.page_bits, 14);
    assert_false(t.write);
    assert_int_equal(walk(*state, 0x205000, ACCESS_WRITE, &t), RV_EXC_STORE_ACCESS);
    assert_int_equal(walk(*state, 0x300000, ACCESS_WRITE, &t), 0);
    assert_int_equal(t.page_bits, 20);
    /* M ignores entries that are not locked. */
    test_priv(r, RV_PRIV_M);
    assert_int_equal(walk(*state, PAGE + 0x5000, ACCESS_WRITE, &t), 0);
    test_set(r, RV_CSR_pmpcfg0, 0x0f0099);
    assert_int_equal(walk(*state, PAGE + 0x5000, ACCESS_WRITE, &t), RV_EXC_STORE_ACCESS);
    test_set(r, RV_CSR_pmpcfg0, 0); /* locked: stays */
    assert_int_equal(test_csr(r, RV_CSR_pmpcfg0) & 0xff, 0x99);
    test_set(r, RV_CSR_pmpaddr0, 0);
    assert_int_equal(test_csr(r, RV_CSR_pmpaddr0), (PAGE + 0x4000) >> 2 | 0x7ff);
    /* Fetches of the tables are S-mode reads of their page. */
    test_priv(r, RV_PRIV_S);
}

/* A table that was found is used again until a fence, and only in its address space. */
static void found_tables(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    struct translation t;
    uint64_t upper;

    map(*state, 3, 0, 0x1000, ppn(PAGE) | RV_PTE_V | RWX | AD);
    map(*state, 3, 0, 0x2000, ppn(PAGE) | RV_PTE_V | RWX | AD);
    assert_int_equal(walk(*state, 0x1000, ACCESS_READ, &t), 0);
    upper = peek(*state, ROOT);
    poke(*state, ROOT, 0);
    assert_int_equal(riscv_translate(&r->v, 0x2000, ACCESS_READ, &t), 0);
    test_set(r, RV_CSR_satp, r->satp | UINT64_C(1) << 44);
    assert_int_equal(riscv_translate(&r->v, 0x2000, ACCESS_READ, &t), 1);
    poke(*state, ROOT, upper | RV_PTE_G);
    assert_int_equal(riscv_translate(&r->v, 0x2000, ACCESS_READ, &t), 0);
    assert_true(t.global);
    assert_int_equal(riscv_translate(&r->v, 0x1000, ACCESS_READ, &t), 0);
    assert_true(t.global);
    poke(*state, ROOT, 0);
    fence(r);
    assert_int_equal(riscv_translate(&r->v, 0x2000, ACCESS_READ, &t), 1);
}

/* Tables of random words, self-references included: every answer is inside what there is. */
static void random_tables(void **state)
{
    struct vm *vm = *state;
    struct riscv_vcpu *r = test_hart(vm, 0);
    uint64_t x = 1234567;
    struct translation t;

    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < 64; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            poke(vm, ROOT + (x >> 52) * 8 % 0x1000,
                 (x & 0xe0000000000000ff & ~((x >> 7 & 3) ? 0xe : 0)) | ppn(ROOT) | RV_PTE_V);
        }
        use(r, RV_SATP_SV39 + round % 3, round & 4 ? RV_PRIV_U : RV_PRIV_S);
        for (unsigned i = 0; i < 32; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            if (!walk(vm, (gva_t)bits_sext(x, 39), (enum access)(i % 3), &t))
                assert_true(t.page_bits >= 12 && t.page_bits <= 48 && !(t.gpa >> 56));
        }
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_mode_and_level),
        T(faults_by_access),
        T(malformed),
        T(rights),
        T(accessed_dirty),
        T(napot),
        T(global),
        T(bare_and_mprv),
        T(contexts),
        T(protection),
        T(found_tables),
        T(random_tables),
    };

    return cmocka_run_group_tests_name("riscv64/mmu", tests, NULL, NULL);
}
