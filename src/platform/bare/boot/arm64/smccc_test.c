/* What guests are told of the workarounds, by firmware of several kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "isa/arm64/psci.h"
#include "platform/bare/boot/arm64/smccc.h"

static struct {
    uint32_t psci, version; /* 0: SMCCC_VERSION is not there */
    int32_t says[3];
    unsigned unknown; /* calls that firmware of this age does not have */
} fake;

static int64_t firmware(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    (void)b;
    (void)c;
    switch (function) {
    case PSCI_VERSION:
        return fake.psci;
    case PSCI_FEATURES:
        fake.unknown += fake.psci < 0x10000;
        return a == SMCCC_VERSION && fake.version ? 0 : (uint32_t)SMCCC_NOT_SUPPORTED;
    case SMCCC_VERSION:
        fake.unknown += !fake.version;
        return fake.version;
    case SMCCC_ARCH_FEATURES:
        fake.unknown += fake.version < 0x10001;
        /* A word: what stands above it is no part of the result. */
        return (int64_t)(uint32_t)fake.says[a == SMCCC_ARCH_WORKAROUND_1   ? 0
                                            : a == SMCCC_ARCH_WORKAROUND_2 ? 1
                                                                           : 2];
    default:
        fake.unknown++;
        return SMCCC_NOT_SUPPORTED;
    }
}

static void cpu(struct smccc *s, uint32_t psci, uint32_t version, int32_t w1, int32_t w2, int32_t w3)
{
    fake.psci = psci;
    fake.version = version;
    fake.says[0] = w1;
    fake.says[1] = w2;
    fake.says[2] = w3;
    fake.unknown = 0;
    smccc_ask(s, firmware);
    assert_int_equal(fake.unknown, 0);
}

static void expect(struct smccc *s, int32_t w1, int32_t w2, int32_t w3)
{
    assert_int_equal(smccc_answer(s, SMCCC_ARCH_WORKAROUND_1), w1);
    assert_int_equal(smccc_answer(s, SMCCC_ARCH_WORKAROUND_2), w2);
    assert_int_equal(smccc_answer(s, SMCCC_ARCH_WORKAROUND_3), w3);
    assert_int_equal(smccc_answer(s, SMCCC_ARCH_SOC_ID), SMCCC_NOT_SUPPORTED);
}

static void old_firmware(void **state)
{
    struct smccc s = {0};

    (void)state;
    expect(&s, -1, -1, -1);
    cpu(&s, 2, 0, 0, 0, 0);
    expect(&s, -1, -1, -1);
    cpu(&s, 0x10001, 0, 0, 0, 0);
    expect(&s, -1, -1, -1);
    cpu(&s, 0x10001, 0x10000, 0, 0, 0);
    expect(&s, -1, -1, -1);
}

static void one_cpu(void **state)
{
    static const int32_t all[] = {0, -1, 1, -2};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        struct smccc s = {0};

        cpu(&s, 0x10001, 0x10002, all[i], all[(i + 1) % 4], all[(i + 2) % 4]);
        expect(&s, all[i], all[(i + 1) % 4], all[(i + 2) % 4]);
    }
    for (int32_t other = 2; other > -9; other -= 5) { /* 2, -3, -8: none that is defined */
        struct smccc s = {0};

        cpu(&s, 0x10001, 0x10001, other, other, other);
        expect(&s, -1, -1, -1);
    }
}

/* In whatever order they come up. */
static void safest_of_all(void **state)
{
    struct smccc s = {0}, t = {0};

    (void)state;
    cpu(&s, 0x10001, 0x10001, 1, -2, 1);
    expect(&s, 1, -2, 1);
    cpu(&s, 0x10001, 0x10001, 1, 1, -1);
    expect(&s, 1, 1, -1);
    cpu(&s, 0x10001, 0x10001, 0, -1, 0);
    expect(&s, 0, -1, 0);
    cpu(&s, 0x10001, 0x10001, 1, 0, 1);
    expect(&s, 0, 0, 0);
    cpu(&t, 0x10001, 0x10001, 0, 0, 0);
    cpu(&t, 0x10001, 0x10001, 1, -2, -1);
    expect(&t, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_firmware),
        cmocka_unit_test(one_cpu),
        cmocka_unit_test(safest_of_all),
    };

    return cmocka_run_group_tests_name("boot/arm64/smccc", tests, NULL, NULL);
}
