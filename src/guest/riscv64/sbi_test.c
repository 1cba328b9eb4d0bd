/* The built-in SBI, call by call, and the state that direct boot starts from. */
#include "guest/riscv64/hart_test.h"

#define ENTRY (TEST_RAM + 0x200000)

struct ret {
    int64_t error;
    uint64_t value;
};

static int setup(void **state)
{
    struct vm *vm = test_vm("max", 4, NULL, NULL);

    riscv_set_entry(vm->vcpu[0], ENTRY, 0, 0x1234);
    atomic_store(&vm->vcpu[0]->power, VCPU_ON);
    *state = vm;
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static struct ret call(void **state, uint64_t ext, uint64_t fid, uint64_t a0, uint64_t a1, uint64_t a2,
                       uint64_t a3)
{
    struct riscv_vcpu *r = test_hart(*state, 0);
    const uint64_t args[] = {a0, a1, a2, a3, 0, 0, fid, ext};

    memcpy(&r->x[RV_REG_A0], args, sizeof(args));
    r->v.exit.kind = EXIT_NONE;
    r->v.leave = 0;
    riscv_sbi_call(r);
    riscv_settle(r);
    return (struct ret){(int64_t)r->x[RV_REG_A0], r->x[RV_REG_A1]};
}

static void entry_state(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);

    assert_int_equal(r->priv, RV_PRIV_S);
    assert_int_equal(r->v.pc, ENTRY);
    assert_int_equal(r->x[RV_REG_A1], 0x1234);
    assert_int_equal(r->mideleg, 0x222);
    assert_int_equal(r->medeleg, 0xb1ff);
    assert_true(r->menvcfg & RV_ENVCFG_STCE && r->menvcfg & RV_ENVCFG_ADUE && r->pmp_open);
    assert_int_equal(r->satp, 0);
}

static void base(void **state)
{
    assert_int_equal(call(state, RV_SBI_BASE, 0, 0, 0, 0, 0).value, 0x2000000);
    assert_int_equal(call(state, RV_SBI_BASE, 3, RV_SBI_HSM, 0, 0, 0).value, 1);
    assert_int_equal(call(state, RV_SBI_BASE, 3, RV_SBI_DBCN, 0, 0, 0).value, 0); /* no console yet */
    assert_int_equal(call(state, RV_SBI_BASE, 3, RV_SBI_CARBOVISOR, 0, 0, 0).value, 1);
    assert_int_equal(call(state, RV_SBI_CARBOVISOR, 0, 0, 0, 0, 0).value, 0x10001);
    assert_int_equal(call(state, RV_SBI_CARBOVISOR, 1, 0, 0, 0, 0).value, 1);
    assert_int_equal(call(state, RV_SBI_CARBOVISOR, RV_SBI_CARBOVISOR_YIELD, 0, 0, 0, 0).error, 0);
    assert_int_equal(call(state, RV_SBI_CARBOVISOR, 3, 0, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, RV_SBI_BASE, 3, 0x12345, 0, 0, 0).value, 0);
    assert_int_equal(call(state, RV_SBI_BASE, 99, 0, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, 0xdeadbeef, 0, 0, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
}

static void timer(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);

    call(state, RV_SBI_TIME, 0, 0, 0, 0, 0);
    assert_int_equal(riscv_mip(r), RV_IRQ_STI);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    assert_int_equal(riscv_mip(r), 0);
    assert_int_equal(timer_next(*state, 0), 100000);
}

static void ipi(void **state)
{
    assert_int_equal(call(state, RV_SBI_IPI, 0, 5, 1, 0, 0).error, 0); /* harts 1 and 3 */
    assert_int_equal(riscv_mip(test_hart(*state, 1)), RV_IRQ_SSI);
    assert_int_equal(riscv_mip(test_hart(*state, 2)), 0);
    assert_int_equal(riscv_mip(test_hart(*state, 3)), RV_IRQ_SSI);
    assert_int_equal(call(state, RV_SBI_IPI, 0, 0x10, 0, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_IPI, 0, 1, 4, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_IPI, 0, 3, 63, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_IPI, 0, 0, UINT64_MAX, 0, 0).error, 0);
    assert_int_equal(riscv_mip(test_hart(*state, 0)), RV_IRQ_SSI);
}

static void fences(void **state)
{
    struct test_engine *e = test_engine(*state);
    unsigned before = e->flushes;

    assert_int_equal(call(state, RV_SBI_RFENCE, 1, 0xf, 0, 0x5123, 0x1000).error, 0);
    assert_int_equal(e->flushes - before, 4 * 2); /* two pages on each hart */
    assert_int_equal(e->scope.kind, FLUSH_PAGE);
    assert_int_equal(e->scope.va, 0x6000);
    before = e->flushes;
    call(state, RV_SBI_RFENCE, 2, 1, 0, 0, UINT64_MAX);
    assert_int_equal(e->flushes - before, 1);
    assert_int_equal(e->scope.kind, FLUSH_ASID);
    call(state, RV_SBI_RFENCE, 1, 1, 0, 0x1000, UINT64_C(1) << 40);
    assert_int_equal(e->scope.kind, FLUSH_ALL);
    call(state, RV_SBI_RFENCE, 0, 0xf, 0, 0, 0);
    assert_int_equal(e->barriers, 4);
    assert_int_equal(call(state, RV_SBI_RFENCE, 3, 1, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
}

static void harts(void **state)
{
    struct vm *vm = *state;

    assert_int_equal(call(state, RV_SBI_HSM, 2, 1, 0, 0, 0).value, RV_SBI_HART_STOPPED);
    assert_int_equal(call(state, RV_SBI_HSM, 0, 1, 0x10, 0, 0).error, RV_SBI_ERR_INVALID_ADDRESS);
    assert_int_equal(call(state, RV_SBI_HSM, 0, 9, ENTRY, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_HSM, 0, 1, ENTRY, 77, 0).error, 0);
    assert_int_equal(call(state, RV_SBI_HSM, 2, 1, 0, 0, 0).value, RV_SBI_HART_START_PENDING);
    assert_int_equal(call(state, RV_SBI_HSM, 0, 1, ENTRY, 0, 0).error, RV_SBI_ERR_ALREADY_AVAILABLE);
    assert_int_equal(vm->vcpu[1]->off_arg, 77);
    vcpu_prepare(vm->vcpu[1]);
    assert_int_equal(call(state, RV_SBI_HSM, 2, 1, 0, 0, 0).value, RV_SBI_HART_STARTED);
    assert_int_equal(test_hart(vm, 1)->priv, RV_PRIV_S);
    assert_int_equal(test_hart(vm, 1)->x[RV_REG_A0], 1);
    assert_int_equal(test_hart(vm, 1)->x[RV_REG_A1], 77);
    call(state, RV_SBI_HSM, 1, 0, 0, 0, 0);
    assert_int_equal(vm->vcpu[0]->exit.kind, EXIT_CPU_OFF);
    assert_int_equal(vm->vcpu[0]->leave, 1);
}

static void suspend(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0);

    assert_int_equal(call(state, RV_SBI_HSM, 3, 0, 0, 0, 0).error, 0);
    assert_int_equal(r->v.exit.kind, EXIT_HALT);
    test_set(r, RV_CSR_satp, UINT64_C(8) << 60);
    assert_int_equal(call(state, RV_SBI_HSM, 3, RV_SBI_SUSPEND_NON_RETENTIVE, ENTRY, 42, 0).value, 42);
    assert_int_equal(r->v.exit.kind, EXIT_HALT);
    assert_int_equal(r->v.pc, ENTRY);
    assert_int_equal(r->satp, 0);
    assert_int_equal(call(state, RV_SBI_HSM, 3, 7, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
}

static void reset(void **state)
{
    struct vcpu *v = &test_hart(*state, 0)->v;

    call(state, RV_SBI_SRST, 0, 0, 0, 0, 0);
    assert_int_equal(v->exit.kind, EXIT_SYSTEM);
    assert_int_equal(v->exit.system.what, SYSTEM_POWEROFF);
    call(state, RV_SBI_SRST, 0, 1, 0, 0, 0);
    assert_int_equal(v->exit.system.what, SYSTEM_RESET);
    call(state, RV_SBI_SRST, 0, 0, 1, 0, 0);
    assert_int_equal(v->exit.system.what, SYSTEM_CRASH);
    assert_int_equal(call(state, RV_SBI_SRST, 0, 5, 0, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(v->exit.kind, EXIT_NONE);
}

static char out[64];
static size_t out_len;

static size_t con_write(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque;
    len = MIN(len, sizeof(out) - out_len);
    memcpy(out + out_len, data, len);
    out_len += len;
    return len;
}

static size_t con_read(void *opaque, uint8_t *data, size_t len)
{
    (void)opaque;
    data[0] = 'k';
    return len ? 1 : 0;
}

static void debug_console(void **state)
{
    struct vm *vm = *state;
    char byte;

    assert_int_equal(call(state, RV_SBI_DBCN, 0, 5, TEST_RAM, 0, 0).error, RV_SBI_ERR_NOT_SUPPORTED);
    *(struct rv_sbi_console *)vm->guest_vm = (struct rv_sbi_console){con_write, con_read, NULL};
    mem_write(&vm->mem, TEST_RAM, "hello", 5);
    assert_int_equal(call(state, RV_SBI_DBCN, 0, 5, TEST_RAM, 0, 0).value, 5);
    call(state, RV_SBI_DBCN, 2, '!', 0, 0, 0);
    call(state, RV_SBI_LEGACY_PUTCHAR, 0, '?', 0, 0, 0);
    assert_memory_equal(out, "hello!?", 7);
    assert_int_equal(call(state, RV_SBI_DBCN, 0, 5, 0x100, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_DBCN, 0, 600, TEST_RAM, 0, 0).value, 57); /* it took no more */
    assert_int_equal(call(state, RV_SBI_DBCN, 1, 10, TEST_RAM + 64, 0, 0).value, 1);
    mem_read(&vm->mem, TEST_RAM + 64, &byte, 1);
    assert_int_equal(byte, 'k');
    assert_int_equal(call(state, RV_SBI_DBCN, 1, 10, 0x100, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_LEGACY_GETCHAR, 0, 0, 0, 0, 0).error, 'k');
}

static void pmu(void **state)
{
    assert_int_equal(call(state, RV_SBI_PMU, 0, 0, 0, 0, 0).value, 18);
    assert_int_equal(call(state, RV_SBI_PMU, 1, 1, 0, 0, 0).value, 0xc02 | 63 << 12);
    assert_int_equal(call(state, RV_SBI_PMU, 1, 18, 0, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, 3, 0, 2).value, 1);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, 1, 0, 2).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 0, 2, 1, 500).error, RV_SBI_ERR_ALREADY_STARTED);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 0, 2, 0, 0).error, 0);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 0, 3, 0, 0).error, RV_SBI_ERR_ALREADY_STOPPED);
    assert_int_equal(test_hart(*state, 0)->mcountinhibit, 5);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 0, 2, 1, 500).error, 0);
    test_hart(*state, 0)->v.budget--;
    assert_int_equal(test_csr(test_hart(*state, 0), RV_CSR_instret), 500);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 17, 2, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 1, UINT64_C(1) << 63, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
}

#define FW(event) (UINT64_C(15) << 16 | (event))
#define FW_ALL    0x3fffc
#define CLEAR_RUN 6

static uint64_t fw_read(void **state, uint64_t counter)
{
    struct ret ret = call(state, RV_SBI_PMU, 5, counter, 0, 0, 0);

    assert_int_equal(ret.error, 0);
    assert_int_equal(call(state, RV_SBI_PMU, 6, counter, 0, 0, 0).value, 0);
    return ret.value;
}

/* 11: a counter gets an event, counts from a value, stands, and is free again. */
static void pmu_firmware(void **state)
{
    assert_int_equal(call(state, RV_SBI_PMU, 1, 2, 0, 0, 0).value >> 63, 1);
    assert_int_equal(call(state, RV_SBI_PMU, 5, 2, 0, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 5, 0, 0, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 2, 1, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 2, 1, 1, FW(5)).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, 0, FW(14)).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, 0, FW(65535)).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, 3, 0, FW(5)).error, RV_SBI_ERR_NOT_SUPPORTED);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, 0, FW(RV_SBI_FW_SET_TIMER)).value, 2);
    assert_int_equal(fw_read(state, 2), 0);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    assert_int_equal(fw_read(state, 2), 0);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 2, 1, 1, 70).error, 0);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 2, 1, 1, 90).error, RV_SBI_ERR_ALREADY_STARTED);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    call(state, RV_SBI_LEGACY_SET_TIMER, 0, 1000, 0, 0, 0);
    assert_int_equal(fw_read(state, 2), 72);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 2, 1, 0, 0).error, 0);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    assert_int_equal(fw_read(state, 2), 72);
    assert_int_equal(call(state, RV_SBI_PMU, 3, 2, 1, 0, 0).error, 0);
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    assert_int_equal(fw_read(state, 2), 73);
    /* Configured again without a match, from 0. */
    assert_int_equal(call(state, RV_SBI_PMU, 2, 2, 1, 3, 0).value, 2);
    assert_int_equal(fw_read(state, 2), 0);
    /* The others take what there is; then there is none. */
    for (uint64_t i = 3; i < 18; i++)
        assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, 0, FW(i % 14)).value, i);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, 0, FW(5)).error, RV_SBI_ERR_NOT_SUPPORTED);
    assert_int_equal(call(state, RV_SBI_PMU, 4, 0, FW_ALL | 3, 1, 0).error, RV_SBI_ERR_ALREADY_STOPPED);
    assert_int_equal(call(state, RV_SBI_PMU, 5, 9, 0, 0, 0).error, RV_SBI_ERR_INVALID_PARAM);
    assert_int_equal(call(state, RV_SBI_PMU, 2, 9, 1, 0, FW(5)).value, 9);
}

/* Each event, and that it is not another's; what a hart sends itself is none. */
static void pmu_events(void **state)
{
    struct riscv_vcpu *r = test_hart(*state, 0), *other = test_hart(*state, 1);
    uint64_t want[RV_SBI_FW_EVENTS] = {0};

    for (uint64_t e = 0; e < RV_SBI_FW_EVENTS; e++)
        assert_int_equal(call(state, RV_SBI_PMU, 2, 0, FW_ALL, CLEAR_RUN, FW(e)).value, 2 + e);
    call(state, RV_SBI_IPI, 0, 0xf, 0, 0, 0);
    want[RV_SBI_FW_IPI_SENT] = 3;
    call(state, RV_SBI_RFENCE, 0, 3, 0, 0, 0);
    want[RV_SBI_FW_FENCE_I_SENT] = 1;
    call(state, RV_SBI_RFENCE, 1, 7, 0, 0x5000, 0x1000);
    call(state, RV_SBI_RFENCE, 1, 1, 0, 0x5000, 0x1000);
    want[RV_SBI_FW_SFENCE_VMA_SENT] = 2;
    call(state, RV_SBI_RFENCE, 2, 0xe, 0, 0, UINT64_MAX);
    want[RV_SBI_FW_SFENCE_VMA_ASID_SENT] = 3;
    call(state, RV_SBI_TIME, 0, 1000, 0, 0, 0);
    want[RV_SBI_FW_SET_TIMER] = 1;
    for (uint64_t cause = 0; cause < 16; cause++) {
        riscv_trap(r, cause, 0);
        r->priv = RV_PRIV_S;
    }
    for (unsigned e = RV_SBI_FW_MISALIGNED_LOAD; e <= RV_SBI_FW_ILLEGAL_INSN; e++)
        want[e] = 1;
    for (uint64_t e = 0; e < RV_SBI_FW_EVENTS; e++)
        assert_int_equal(fw_read(state, 2 + e), want[e]);
    assert_int_equal(other->fw_event[RV_SBI_FW_IPI_RECEIVED], 1);
    assert_int_equal(other->fw_event[RV_SBI_FW_IPI_SENT], 0);
    assert_int_equal(other->fw_event[RV_SBI_FW_FENCE_I_RECEIVED], 1);
    assert_int_equal(other->fw_event[RV_SBI_FW_SFENCE_VMA_RECEIVED], 1);
    assert_int_equal(other->fw_event[RV_SBI_FW_SFENCE_VMA_ASID_RECEIVED], 1);
}

/* Arguments of all shapes: an error or an answer, never a crash. */
static void random_calls(void **state)
{
    static const uint64_t ext[] = {0,           1,           2,          3,
                                   4,           5,           6,          7,
                                   RV_SBI_BASE, RV_SBI_TIME, RV_SBI_IPI, RV_SBI_RFENCE,
                                   RV_SBI_HSM,  RV_SBI_DBCN, RV_SBI_PMU, 9};
    uint64_t x = 42;

    for (unsigned i = 0; i < 20000; i++) {
        uint64_t a[4];

        for (unsigned k = 0; k < 4; k++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            a[k] = x >> (x >> 58);
        }
        call(state, ext[x >> 60], x >> 20 & 7, a[0], a[1], a[2], a[3]);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(entry_state), T(base),          T(timer),        T(ipi), T(fences),
        T(harts),       T(suspend),       T(reset),        T(pmu), T(pmu_firmware),
        T(pmu_events),  T(debug_console), T(random_calls),
    };

    return cmocka_run_group_tests_name("riscv64/sbi", tests, NULL, NULL);
}
