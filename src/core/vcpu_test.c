/* vCPU states, each legal and each illegal transition; registers by name; requests; calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/minimal/testvm.h"

/* ---- the table, written a second time as the list of what is legal ---- */

static const struct {
    enum vcpu_state from;
    enum vcpu_event ev;
    enum vcpu_state to;
} legal[] = {
    {VCPU_CREATED, VCPU_EV_SETUP, VCPU_FREE},   {VCPU_FREE, VCPU_EV_BIND, VCPU_READY},
    {VCPU_READY, VCPU_EV_RUN, VCPU_RUNNING},    {VCPU_RUNNING, VCPU_EV_EXIT, VCPU_READY},
    {VCPU_RUNNING, VCPU_EV_HALT, VCPU_BLOCKED}, {VCPU_BLOCKED, VCPU_EV_WAKE, VCPU_READY},
    {VCPU_READY, VCPU_EV_UNBIND, VCPU_FREE},    {VCPU_CREATED, VCPU_EV_FAIL, VCPU_INVALID},
    {VCPU_FREE, VCPU_EV_FAIL, VCPU_INVALID},    {VCPU_READY, VCPU_EV_FAIL, VCPU_INVALID},
    {VCPU_RUNNING, VCPU_EV_FAIL, VCPU_INVALID}, {VCPU_BLOCKED, VCPU_EV_FAIL, VCPU_INVALID},
    {VCPU_INVALID, VCPU_EV_FAIL, VCPU_INVALID},
};

static bool is_legal(enum vcpu_state from, enum vcpu_event ev, enum vcpu_state *to)
{
    for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
        if (legal[i].from == from && legal[i].ev == ev) {
            *to = legal[i].to;
            return true;
        }
    }
    return false;
}

static void table(void **state)
{
    (void)state;
    for (unsigned from = 0; from < VCPU_STATES; from++) {
        for (unsigned ev = 0; ev < VCPU_EVENTS; ev++) {
            enum vcpu_state want = VCPU_STATES, to = VCPU_STATES;
            bool ok = is_legal((enum vcpu_state)from, (enum vcpu_event)ev, &want);

            assert_int_equal(vcpu_allowed((enum vcpu_state)from, (enum vcpu_event)ev, &to), ok);
            assert_int_equal(to, want);
        }
    }
}

static void transitions(void **state)
{
    struct vm *vm = testvm_new(1);
    struct vcpu *v = vm->vcpu[0];

    (void)state;
    for (unsigned from = 0; from < VCPU_STATES; from++) {
        for (unsigned ev = 0; ev < VCPU_EVENTS; ev++) {
            enum vcpu_state want = (enum vcpu_state)from;
            bool ok = is_legal((enum vcpu_state)from, (enum vcpu_event)ev, &want);

            atomic_store(&v->state, from);
            assert_int_equal(vcpu_transition(v, (enum vcpu_event)ev), ok ? 0 : -EINVAL);
            assert_int_equal(atomic_load(&v->state), want);
        }
    }
    atomic_store(&v->state, VCPU_FREE);
    vm_destroy(vm);
}

/* ---- the calls behind the events, in every state: refused ones change nothing ---- */

enum call { CALL_SETUP, CALL_BIND, CALL_UNBIND, CALL_ENTRY, CALL_RUN, CALLS };

static int make_call(struct vcpu *v, enum call call)
{
    enum exit_action action;

    switch (call) {
    case CALL_SETUP:
        return vcpu_setup(v);
    case CALL_BIND:
        return vcpu_bind(v);
    case CALL_UNBIND:
        return vcpu_unbind(v);
    case CALL_ENTRY:
        return vcpu_set_entry(v, TESTVM_RAM, 1, 2);
    default:
        return vcpu_run(v, &action);
    }
}

static bool call_fits(enum vcpu_state s, enum call call)
{
    static const uint8_t fits[CALLS] = {
        [CALL_SETUP] = BIT(VCPU_CREATED), [CALL_BIND] = BIT(VCPU_FREE),
        [CALL_UNBIND] = BIT(VCPU_READY),  [CALL_ENTRY] = BIT(VCPU_FREE) | BIT(VCPU_READY),
        [CALL_RUN] = BIT(VCPU_READY),
    };

    return fits[call] >> s & 1;
}

static void refused_calls_change_nothing(void **state)
{
    (void)state;
    for (unsigned s = 0; s < VCPU_STATES; s++) {
        for (unsigned call = 0; call < CALLS; call++) {
            struct vm *vm;
            struct vcpu *v;
            uint64_t pc;

            if (call_fits((enum vcpu_state)s, (enum call)call))
                continue;
            vm = testvm_new(1);
            v = vm->vcpu[0];
            assert_int_equal(vcpu_set_entry(v, 0x1234, 0, 0), 0);
            pc = v->pc;
            atomic_store(&v->state, s);
            assert_int_equal(make_call(v, (enum call)call), -EINVAL);
            assert_int_equal(atomic_load(&v->state), s);
            assert_int_equal(v->pc, pc);
            assert_int_equal(minimal_told(vm)->binds + minimal_told(vm)->unbinds, 0);
            atomic_store(&v->state, VCPU_FREE);
            vm_destroy(vm);
        }
    }
}

static void run_needs_an_entry(void **state)
{
    struct vm *vm = testvm_new(1);
    struct vcpu *v = vm->vcpu[0];
    enum exit_action action;

    (void)state;
    assert_int_equal(vcpu_bind(v), 0);
    assert_int_equal(vcpu_run(v, &action), -EINVAL);
    assert_int_equal(atomic_load(&v->state), VCPU_READY);
    assert_int_equal(vcpu_set_entry(v, TESTVM_RAM, 0, 0), 0);
    vcpu_grant(v, 1);
    assert_int_equal(vcpu_run(v, &action), 0);
    assert_int_equal(action, EXIT_HANDLED);
    assert_int_equal(vcpu_unbind(v), 0);
    assert_int_equal(minimal_told(vm)->unbinds, 1);
    vm_destroy(vm);
}

/* An action that fails half way makes the vCPU invalid; destroying it still works. */
static int bind_fails(struct vcpu *v)
{
    (void)v;
    return -EIO;
}

static void failing_bind(void **state)
{
    struct engine_ops engine = engine_minimal;
    struct vm_desc desc = {.smp = 1};
    struct vm *vm;
    char why[160];

    (void)state;
    engine.bind = bind_fails;
    assert_int_equal(vm_create(&vm, &desc, &guest_mock, NULL, &engine, why, sizeof(why)), 0);
    assert_int_equal(vcpu_bind(vm->vcpu[0]), -EIO);
    assert_int_equal(atomic_load(&vm->vcpu[0]->state), VCPU_INVALID);
    assert_int_equal(vcpu_bind(vm->vcpu[0]), -EINVAL);
    vm_destroy(vm);
}

static int setup_fails(struct vcpu *v)
{
    return v->id == 1 ? -ENOMEM : engine_minimal.vcpu_init(v);
}

static void failing_setup(void **state)
{
    struct engine_ops engine = engine_minimal;
    struct vm_desc desc = {.smp = 3};
    struct vm *vm;
    char why[160] = "";

    (void)state;
    engine.vcpu_init = setup_fails;
    assert_int_equal(vm_create(&vm, &desc, &guest_mock, NULL, &engine, why, sizeof(why)), -ENOMEM);
    assert_null(vm);
    assert_non_null(strstr(why, "3 CPUs"));
}

/* ---- budget ---- */

static void budget_and_count(void **state)
{
    static const struct script loop[] = {{SCRIPT_ADD, 0, 0, 0, 1}, {SCRIPT_JUMP, 0, 0, 0, -8}};
    struct vm *vm = testvm_new(1);
    struct vcpu *v = vm->vcpu[0];
    enum exit_action action;
    uint64_t r0;

    (void)state;
    mem_load(&vm->mem, TESTVM_RAM, loop, sizeof(loop));
    vcpu_bind(v);
    vcpu_set_entry(v, TESTVM_RAM, 0, 0);
    for (unsigned i = 1; i <= 10; i++) {
        vcpu_grant(v, 2 * i + (i == 10));
        assert_int_equal(vcpu_run(v, &action), 0);
        assert_int_equal(v->exit.kind, EXIT_NONE);
        assert_int_equal(v->budget, 0);
    }
    assert_int_equal(vcpu_icount(v), 2 * 55 + 1);
    /* A grant does not count what it takes back. */
    vcpu_grant(v, 1000);
    vcpu_grant(v, 0);
    assert_int_equal(vcpu_icount(v), 111);
    assert_int_equal(vcpu_reg_get(v, "r0", &r0, 8), 0);
    assert_int_equal(r0, 56);
    /* A request keeps the engine out. */
    vcpu_request(v, VCPU_REQ_KICK);
    vcpu_grant(v, 5);
    assert_int_equal(vcpu_run(v, &action), 0);
    assert_int_equal(v->budget, 5);
    vm_destroy(vm);
}

/* ---- registers ---- */

static void registers_by_name(void **state)
{
    struct vm *vm = testvm_new(1);
    struct vcpu *v = vm->vcpu[0];
    char name[32];
    uint64_t x;
    uint16_t h;

    (void)state;
    for (unsigned i = 0; i < SCRIPT_REGS; i++) {
        x = 0x1111111111111111u * (i + 1);
        snprintf(name, sizeof(name), "r%u", i);
        assert_int_equal(vcpu_reg_set(v, name, &x, 8), 0);
    }
    for (unsigned i = 0; i < SCRIPT_REGS; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        assert_int_equal(vcpu_reg_get(v, name, &x, 8), 0);
        assert_int_equal(x, 0x1111111111111111u * (i + 1));
    }
    h = 0xbeef;
    assert_int_equal(vcpu_reg_set(v, "halves3", &h, 2), 0);
    assert_int_equal(mock_of(v)->halves[3], 0xbeef);
    assert_int_equal(mock_of(v)->halves[2], 0);
    x = 77;
    assert_int_equal(vcpu_reg_set(v, "vector", &x, 8), 0);
    assert_int_equal(mock_of(v)->vector, 77);
    vm_destroy(vm);
}

static void registers_refused(void **state)
{
    static const char *const unknown[] = {"r16",       "r99999999999999999999",
                                          "r",         "r1x",
                                          "",          "nothing",
                                          "forbidden", "vector0",
                                          "vecto",     "r-1",
                                          "pending",   "R0"};
    struct vm *vm = testvm_new(1);
    struct vcpu *v = vm->vcpu[0];
    uint64_t x = 5;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        assert_int_equal(vcpu_reg_get(v, unknown[i], &x, 8), -ENOENT);
        assert_int_equal(vcpu_reg_set(v, unknown[i], &x, 8), -ENOENT);
    }
    assert_int_equal(vcpu_reg_get(v, "r1", &x, 4), -EINVAL);
    assert_int_equal(vcpu_reg_get(v, "r1", &x, 16), -EINVAL);
    assert_int_equal(vcpu_reg_set(v, "halves0", &x, 8), -EINVAL);
    assert_int_equal(x, 5);
    vm_destroy(vm);
}

static void headroom_and_alignment(void **state)
{
    struct vm *vm = testvm_new(3);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal((uintptr_t)vm->vcpu[i] % 64, 0);
        assert_true((char *)vm->vcpu[i] - (char *)vm->vcpu[i]->base >=
                    (ptrdiff_t)engine_minimal.vcpu_headroom);
        assert_int_equal(vm->vcpu[i]->id, i);
        assert_int_equal(vm->vcpu[i]->resv_addr, UINT64_MAX);
    }
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(transitions),
        cmocka_unit_test(refused_calls_change_nothing),
        cmocka_unit_test(run_needs_an_entry),
        cmocka_unit_test(failing_bind),
        cmocka_unit_test(failing_setup),
        cmocka_unit_test(budget_and_count),
        cmocka_unit_test(registers_by_name),
        cmocka_unit_test(registers_refused),
        cmocka_unit_test(headroom_and_alignment),
    };

    return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
