/* The built-in firmware: PSCI, SMCCC, TRNG. */
#include "guest/arm64/pe_test.h"
#include "isa/arm64/psci.h"

static int setup(void **state)
{
    *state = test_vm("max", 2, false);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static int64_t call(struct arm64_vcpu *a, uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
    a->x[0] = function;
    a->x[1] = x1;
    a->x[2] = x2;
    a->x[3] = x3;
    a->v.exit.kind = EXIT_NONE;
    a->v.pc = TEST_RAM;
    arm64_hvc(a, 0);
    return (int64_t)a->x[0];
}

static void versions(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    assert_int_equal(call(a, PSCI_VERSION, 0, 0, 0), 0x10001);
    assert_int_equal(a->v.pc, TEST_RAM + 4);
    assert_int_equal(call(a, PSCI_FEATURES, PSCI_CPU_ON_64, 0, 0), 0);
    assert_int_equal(call(a, PSCI_FEATURES, PSCI_SYSTEM_SUSPEND_64, 0, 0), PSCI_NOT_SUPPORTED);
    /* SMCCC_VERSION is the one function of another kind that it answers for. */
    assert_int_equal(call(a, PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
    assert_int_equal(call(a, PSCI_FEATURES, SMCCC_ARCH_FEATURES, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(call(a, PSCI_FEATURES, SMCCC_TRNG_RND64, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(call(a, PSCI_FEATURES, SMCCC_VENDOR_HYP_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(call(a, SMCCC_VERSION, 0, 0, 0), 0x10002);
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0, 0), 1);
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_SOC_ID, 0, 0), SMCCC_NOT_SUPPORTED);
    assert_int_equal(call(a, 0x12345678, 0, 0, 0), -1);
    assert_int_equal(call(a, PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
    a->x[0] = PSCI_VERSION;
    arm64_smc(a, 0);
    assert_int_equal(a->x[0], 0x10001);
}

static struct {
    int32_t says[3]; /* of ARCH_WORKAROUND_1 to 3 */
    unsigned calls;
    uint32_t function, arg;
} fake;

static int32_t fake_features(uint32_t workaround)
{
    return fake.says[workaround == SMCCC_ARCH_WORKAROUND_1   ? 0
                     : workaround == SMCCC_ARCH_WORKAROUND_2 ? 1
                                                             : 2];
}

static void fake_workaround(uint32_t function, uint32_t arg)
{
    fake.calls++;
    fake.function = function;
    fake.arg = arg;
}

/* A machine's own firmware: its word, and its deeds. */
static void workarounds(void **state)
{
    static const struct arm64_firmware firmware = {fake_features, fake_workaround};
    struct arm64_vcpu *a = test_pe(*state, 0);

    memset(&fake, 0, sizeof(fake));
    assert_int_equal(call(a, SMCCC_ARCH_WORKAROUND_1, 5, 6, 7), SMCCC_ARCH_WORKAROUND_1);
    a->firmware = &firmware;
    fake.says[1] = -2;
    fake.says[2] = -1;
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0, 0), 0);
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2, 0, 0), -2);
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_3, 0, 0), -1);
    assert_int_equal(call(a, SMCCC_ARCH_FEATURES, SMCCC_ARCH_SOC_ID, 0, 0), SMCCC_NOT_SUPPORTED);
    assert_int_equal(fake.calls, 0);
    assert_int_equal(call(a, SMCCC_ARCH_WORKAROUND_1, 5, 6, 7), SMCCC_ARCH_WORKAROUND_1);
    assert_int_equal(fake.calls, 1);
    assert_int_equal(fake.function, SMCCC_ARCH_WORKAROUND_1);
    assert_int_equal(a->x[1], 5);
    call(a, SMCCC_ARCH_WORKAROUND_3, 0, 0, 0);
    assert_int_equal(fake.calls, 2);
    assert_int_equal(fake.function, SMCCC_ARCH_WORKAROUND_3);
    call(a, SMCCC_ARCH_WORKAROUND_2, 1, 0, 0);
    assert_int_equal(fake.calls, 3);
    assert_int_equal(fake.function, SMCCC_ARCH_WORKAROUND_2);
    assert_int_equal(fake.arg, 1);
    call(a, SMCCC_ARCH_WORKAROUND_2, UINT64_C(1) << 32, 0, 0); /* off: its argument is a word */
    assert_int_equal(fake.calls, 3);
}

static void vendor_calls(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    assert_int_equal(call(a, SMCCC_VENDOR_HYP_VERSION, 0, 0, 0), 0x10001);
    assert_int_equal(call(a, SMCCC_VENDOR_HYP_FEATURES, 0, 0, 0), 1);
    assert_int_equal(call(a, SMCCC_VENDOR_HYP_REVISION, 0, 7, 0), 1);
    assert_int_equal(a->x[1], 1);
    assert_int_equal(call(a, SMCCC_VENDOR_HYP_CALL_UID, 0, 0, 0), 0x805a1dc3);
    assert_int_equal(a->x[1], 0x0b4f427e);
    assert_int_equal(a->x[3], 0x57e0c8f1);
    assert_int_equal(call(a, SMCCC_VENDOR_HYP_YIELD, 0, 0, 0), 0);
    assert_int_equal(call(a, SMCCC_VENDOR_HYP_VERSION + 3, 0, 0, 0), SMCCC_NOT_SUPPORTED);
}

static void cpu_on(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct vcpu *t = test_pe(*state, 1)->v.vm->vcpu[1];

    atomic_store(&a->v.power, VCPU_ON);
    atomic_store(&t->power, VCPU_OFF);
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_OFF);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 5, TEST_RAM, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 1, 0x10, 0), PSCI_INVALID_ADDRESS);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 1, TEST_RAM + 2, 0), PSCI_INVALID_ADDRESS);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 0, TEST_RAM, 0), PSCI_ALREADY_ON);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 1, TEST_RAM + 0x40, 0x77), 0);
    assert_int_equal(call(a, PSCI_CPU_ON_64, 1, TEST_RAM + 0x40, 0x77), PSCI_ON_PENDING);
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_ON_PENDING);
    assert_true(vcpu_prepare(t));
    assert_int_equal(t->pc, TEST_RAM + 0x40);
    assert_int_equal(arm64_of(t)->x[0], 0x77);
    assert_int_equal(arm64_of(t)->el, 1);
    assert_int_equal(arm64_of(t)->daif, A64_SPSR_DAIF);
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_ON);
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_64, 1, 1, 0), PSCI_INVALID_PARAMETERS); /* a level above */
    /* A word of the 32-bit convention is the register's lower half. */
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_32, UINT64_MAX << 32 | 1, 0, 0), PSCI_AFFINITY_ON);
    assert_int_equal(call(a, PSCI_AFFINITY_INFO_64, UINT64_MAX << 32 | 1, 0, 0), PSCI_INVALID_PARAMETERS);
    call(a, PSCI_CPU_OFF, 0, 0, 0);
    assert_int_equal(a->v.exit.kind, EXIT_CPU_OFF);
}

static void suspend(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    assert_int_equal(call(a, PSCI_CPU_SUSPEND_64, UINT32_C(1) << 26, 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(call(a, PSCI_CPU_SUSPEND_64, UINT32_C(1) << 17, 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(a->v.exit.kind, EXIT_NONE);
    assert_int_equal(call(a, PSCI_CPU_SUSPEND_64, 0, 0, 0), 0);
    assert_int_equal(a->v.exit.kind, EXIT_HALT);
    assert_int_equal(a->v.pc, TEST_RAM + 4);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_M);
    assert_int_equal(call(a, PSCI_CPU_SUSPEND_64, PSCI_POWER_STATE_DOWN, TEST_RAM + 0x80, 9), 9);
    assert_int_equal(a->v.pc, TEST_RAM + 0x80);
    assert_false(a->sctlr_el1 & A64_SCTLR_M);
}

static void system_calls(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    call(a, PSCI_SYSTEM_OFF, 0, 0, 0);
    assert_int_equal(a->v.exit.kind, EXIT_SYSTEM);
    assert_int_equal(a->v.exit.system.what, SYSTEM_POWEROFF);
    call(a, PSCI_SYSTEM_RESET, 0, 0, 0);
    assert_int_equal(a->v.exit.system.what, SYSTEM_RESET);
    assert_int_equal(call(a, PSCI_SYSTEM_RESET2_64, 1, 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(call(a, PSCI_SYSTEM_RESET2_64, UINT32_C(1) << 31, 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(a->v.exit.kind, EXIT_NONE);
    call(a, PSCI_SYSTEM_RESET2_64, 0, 0, 0);
    assert_int_equal(a->v.exit.kind, EXIT_SYSTEM);
    assert_int_equal(a->v.exit.system.what, SYSTEM_RESET);
}

static void random_numbers(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    assert_int_equal(call(a, SMCCC_TRNG_VERSION, 0, 0, 0), 0x10000);
    assert_int_equal(call(a, SMCCC_TRNG_FEATURES, SMCCC_TRNG_RND64, 0, 0), 0);
    assert_int_equal(call(a, SMCCC_TRNG_FEATURES, PSCI_VERSION, 0, 0), SMCCC_NOT_SUPPORTED);
    assert_int_equal(call(a, SMCCC_TRNG_RND64, 193, 0, 0), -2);
    assert_int_equal(call(a, SMCCC_TRNG_RND64, 70, 1, 1), 0);
    assert_true(a->x[3] && a->x[2] < 64 && !a->x[1]);
    assert_int_equal(call(a, SMCCC_TRNG_RND32, 96, 0, 0), 0);
    assert_true(a->x[1] && !((a->x[1] | a->x[2] | a->x[3]) >> 32));
    assert_int_equal(call(a, SMCCC_TRNG_RND32, 97, 0, 0), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions, setup, teardown),
        cmocka_unit_test_setup_teardown(workarounds, setup, teardown),
        cmocka_unit_test_setup_teardown(vendor_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_on, setup, teardown),
        cmocka_unit_test_setup_teardown(suspend, setup, teardown),
        cmocka_unit_test_setup_teardown(system_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(random_numbers, setup, teardown),
    };

    return cmocka_run_group_tests_name("guest/arm64/psci", tests, NULL, NULL);
}
