/* Pointer authentication: what is signed checks, in every layout; what is changed does not. */
#include "guest/arm64/pauth.h"
#include "guest/arm64/pe_test.h"
#include "isa/arm64/sysreg.h"

static const uint64_t tcrs[] = {
    16 | 16 << 16,                                /* 48 bits, no byte ignored */
    25 | 25 << 16,                                /* 39 bits */
    16 | 16 << 16 | A64_TCR_TBI0,                 /* below, the top byte is a tag */
    16 | 16 << 16 | A64_TCR_TBI0 | A64_TCR_TBID0, /* of data only */
    16 | 16 << 16 | A64_TCR_TBI0 | A64_TCR_TBI1,  /* everywhere */
    25 | UINT64_C(16) << 16 | A64_TCR_TBI1,
};

static struct arm64_vcpu pe(uint64_t tcr)
{
    struct arm64_vcpu a = {.tcr_el1 = tcr,
                           .apia = {1, 2},
                           .apib = {3, 4},
                           .apda = {0x123456789abcdef0, 5},
                           .apdb = {6, UINT64_MAX},
                           .apga = {7, 8}};

    return a;
}

static void round_trip(void **state)
{
    static const uint64_t pointers[] = {0x1000, 0x7fffffff8, UINT64_C(0xffffff8000123450),
                                        UINT64_C(0xfffffffffffffff0)};

    (void)state;
    for (unsigned t = 0; t < ARRAY_SIZE(tcrs); t++) {
        struct arm64_vcpu a = pe(tcrs[t]);

        for (unsigned p = 0; p < ARRAY_SIZE(pointers); p++) {
            for (unsigned key = 0; key < 4; key++) {
                uint64_t s = arm64_pac_sign(&a, pointers[p], 99, (enum arm64_pac_key)key);

                assert_int_equal(arm64_pac_check(&a, s, 99, (enum arm64_pac_key)key), pointers[p]);
                assert_int_equal(arm64_pac_strip(&a, s, key >= ARM64_PAC_DA), pointers[p]);
                assert_int_equal(s >> 55 & 1, pointers[p] >> 55 & 1);
            }
        }
    }
}

/* Another modifier, key or address: the pointer comes out unusable. */
static void forgeries(void **state)
{
    struct arm64_vcpu a = pe(tcrs[0]);
    unsigned passed = 0;

    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t p = 0x7f0000001000 + 16 * i, s = arm64_pac_sign(&a, p, i, ARM64_PAC_IA);

        passed += arm64_pac_check(&a, s, i + 1, ARM64_PAC_IA) == p;
        passed += arm64_pac_check(&a, s, i, ARM64_PAC_IB) == p;
        passed += arm64_pac_check(&a, s ^ 16, i, ARM64_PAC_IA) == (p ^ 16);
        passed += arm64_pac_check(&a, s ^ BIT(50), i, ARM64_PAC_IA) == p;
    }
    assert_true(passed < 3); /* 15 bits of code */
    assert_int_equal(arm64_pac_check(&a, 0x1000, 5, ARM64_PAC_IA) >> 61 & 3, 1);
    assert_int_equal(arm64_pac_check(&a, 0x1000, 5, ARM64_PAC_DB) >> 61 & 3, 2);
    a.tcr_el1 = tcrs[4];
    assert_int_equal(arm64_pac_check(&a, 0x1000, 5, ARM64_PAC_IA) >> 53 & 3, 1);
}

/* Signing what is no address gives what no check accepts. */
static void not_canonical(void **state)
{
    struct arm64_vcpu a = pe(tcrs[0]);
    uint64_t p = 0x0012000000001000, s = arm64_pac_sign(&a, p, 1, ARM64_PAC_IA);

    (void)state;
    assert_int_not_equal(arm64_pac_check(&a, s, 1, ARM64_PAC_IA), 0x1000);
}

static void tags_stay(void **state)
{
    struct arm64_vcpu a = pe(tcrs[4]);
    uint64_t p = 0xab00000000001000 & ~BIT(55), s = arm64_pac_sign(&a, p, 1, ARM64_PAC_DA);

    (void)state;
    assert_int_equal(s >> 56, 0xab);
    assert_int_equal(arm64_pac_check(&a, s, 1, ARM64_PAC_DA), p);
}

/* With TBID the top byte of an instruction's address is code, that of data still a tag. */
static void tags_of_data_only(void **state)
{
    struct arm64_vcpu plain = pe(tcrs[0]), data = pe(tcrs[3]);

    (void)state;
    assert_int_equal(arm64_pac_sign(&data, 0x1000, 1, ARM64_PAC_IA),
                     arm64_pac_sign(&plain, 0x1000, 1, ARM64_PAC_IA));
    assert_int_not_equal(arm64_pac_sign(&data, 0x1000, 1, ARM64_PAC_IA) >> 56, 0);
    assert_int_equal(arm64_pac_sign(&data, 0x1000, 1, ARM64_PAC_DA) >> 56, 0);
}

/* What fails names the key, A or B, in a bit pair that no canonical address has. */
static void error_codes(void **state)
{
    struct arm64_vcpu a = pe(tcrs[0]);

    (void)state;
    for (unsigned key = 0; key < 4; key++) {
        uint64_t s = arm64_pac_sign(&a, 0x1000, 1, (enum arm64_pac_key)key);

        s = arm64_pac_check(&a, s ^ BIT(50), 1, (enum arm64_pac_key)key);
        assert_int_equal(s, 0x1000 | (uint64_t)(key & 1 ? 2 : 1) << 61);
    }
}

static void generic(void **state)
{
    struct arm64_vcpu a = pe(tcrs[0]);
    uint64_t x = arm64_pac_generic(&a, 1, 2);

    (void)state;
    assert_int_equal((uint32_t)x, 0);
    assert_int_not_equal(x, arm64_pac_generic(&a, 2, 2));
    assert_int_not_equal(x, arm64_pac_generic(&a, 1, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),  cmocka_unit_test(forgeries), cmocka_unit_test(not_canonical),
        cmocka_unit_test(tags_stay),   cmocka_unit_test(generic),   cmocka_unit_test(tags_of_data_only),
        cmocka_unit_test(error_codes),
    };

    return cmocka_run_group_tests_name("guest/arm64/pauth", tests, NULL, NULL);
}
