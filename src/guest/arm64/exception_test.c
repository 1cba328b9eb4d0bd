/* Entry and return, syndromes, banked stack pointers, interrupts, waiting, debug exceptions. */
#include "guest/arm64/pe_test.h"

#define CODE TEST_RAM
#define VBAR (TEST_RAM + 0x800)

static int setup(void **state)
{
    struct vm *vm = test_vm("max", 2, true);
    struct arm64_vcpu *a = test_pe(vm, 0);

    test_set(a, A64_SYSREG_vbar_el1, VBAR + 0x7ff);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_SPAN | A64_SCTLR_SA0);
    a->v.pc = CODE;
    *state = vm;
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static void vectors(void **state)
{
    static const struct {
        unsigned el, spsel;
        uint64_t offset;
    } rows[] = {{1, 1, 0x200}, {1, 0, 0}, {0, 0, 0x400}};
    struct arm64_vcpu *a = test_pe(*state, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        a->v.pc = CODE;
        arm64_level_set(a, rows[i].el, rows[i].spsel);
        arm64_svc(a, 0x1234);
        assert_int_equal(a->v.pc, VBAR + rows[i].offset);
        assert_int_equal(a->elr_el1, CODE + 4);
        assert_int_equal(a->esr_el1, UINT64_C(0x56001234));
        assert_int_equal(a->spsr_el1 & 0x1f, rows[i].el << 2 | (rows[i].el && rows[i].spsel));
        assert_true(a->v.leave);
    }
}

static void entry_and_return(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    a->x[31] = 0x1000; /* SP_EL1 */
    a->sp_el0 = 0x2000;
    a->spsr_el1 = A64_SPSR_N | A64_SPSR_V | A64_SPSR_PAN | A64_SPSR_DIT | A64_SPSR_SSBS;
    a->v.resv_addr = 64;
    atomic_store(&a->event, 0);
    arm64_eret(a, CODE + 0x100);
    assert_int_equal(a->el, 0);
    assert_int_equal(a->x[31], 0x2000);
    assert_int_equal(a->nzcv, ARM64_FLAG_N | ARM64_FLAG_V);
    assert_int_equal(a->daif, 0);
    assert_true(a->pan && a->dit && a->ssbs);
    assert_int_equal(a->v.pc, CODE + 0x100);
    assert_int_equal(a->v.resv_addr, UINT64_MAX);
    assert_int_equal(atomic_load(&a->event), 1);
    assert_true(a->v.mode & ARM64_MODE_SP_ALIGN);
    a->x[31] = 0x3000;
    a->pan = 0;
    arm64_undefined(a);
    assert_int_equal(a->el, 1);
    assert_int_equal(a->x[31], 0x1000);
    assert_int_equal(a->sp_el0, 0x3000);
    assert_int_equal(a->daif, A64_SPSR_DAIF);
    assert_int_equal(a->pan, 0); /* SPAN */
    assert_int_equal(a->ssbs, 0);
    assert_int_equal(a->esr_el1, A64_ESR_IL);
    assert_int_equal(a->elr_el1, CODE + 0x100);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_DSSBS);
    arm64_undefined(a);
    assert_int_equal(a->pan, 1);
    assert_int_equal(a->ssbs, 1);
}

/* Of addresses that are branched to, each half of the space has its bit that says the top byte is a tag. */
static void branch_tags(void **state)
{
    const gva_t low = UINT64_C(0xab00000000001000) & ~BIT(55), high = UINT64_C(0xab80000000001000);
    struct arm64_vcpu *a = test_pe(*state, 0);

    a->tcr_el1 = A64_TCR_TBI0;
    assert_int_equal(arm64_branch_address(a, low), 0x1000);
    assert_int_equal(arm64_branch_address(a, high), high);
    a->tcr_el1 = A64_TCR_TBI1;
    assert_int_equal(arm64_branch_address(a, low), low);
    assert_int_equal(arm64_branch_address(a, high), UINT64_C(0xff80000000001000));
    a->tcr_el1 = A64_TCR_TBI0 | A64_TCR_TBID0 | A64_TCR_TBI1; /* a tag of data only */
    assert_int_equal(arm64_branch_address(a, low), low);
    assert_int_equal(arm64_branch_address(a, high), UINT64_C(0xff80000000001000));
}

/* What a branch left of a tag is gone before anybody sees PC: by an interrupt, or the fetch. */
static void pc_tags(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct translation t;

    a->tcr_el1 = A64_TCR_TBI0;
    a->v.pc = UINT64_C(0x5a00000000001000);
    assert_int_equal(guest_arm64.translate(&a->v, a->v.pc, ACCESS_FETCH, &t), 1);
    guest_arm64.raise(&a->v, a->v.pc);
    assert_int_equal(a->v.pc, 0x1000);
    a->v.pc = UINT64_C(0x5a00000000001000);
    arm64_irq_input(&a->v, ARM64_INPUT_IRQ, true);
    a->daif = 0;
    arm64_irq_take(&a->v);
    assert_int_equal(a->elr_el1, 0x1000);
}

/* What a flush forgets besides the engine's entries; a page met under a tagged address is flushed with all.
 */
static void flushes(void **state)
{
    static const struct {
        enum flush_kind kind;
        bool tagged, walks;
    } rows[] = {{FLUSH_ALL, false, true},        {FLUSH_ASID, false, true}, {FLUSH_PAGE, false, false},
                {FLUSH_PAGE_ASID, false, false}, {FLUSH_PAGE, true, true},  {FLUSH_PAGE_ASID, true, true}};
    struct arm64_vcpu *a = test_pe(*state, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t before = a->walk_generation;

        a->tagged = rows[i].tagged;
        arm64_flush(&a->v, &(struct flush_scope){.kind = rows[i].kind});
        assert_int_equal(a->walk_generation != before, rows[i].walks);
        assert_false(a->tagged);
    }
}

static void illegal_return(void **state)
{
    /* AArch32, EL2, EL3, a reserved bit, EL0 with its own SP */
    static const uint8_t bad[] = {0x10, 0x9, 0xd, 0x6, 0x1};
    struct arm64_vcpu *a = test_pe(*state, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        a->il = 0;
        a->spsr_el1 = bad[i] | A64_SPSR_Z | A64_SPSR_I;
        arm64_eret(a, CODE + 8);
        assert_int_equal(a->il, 1);
        assert_int_equal(a->el, 1);
        assert_int_equal(a->spsel, 1);
        assert_int_equal(a->nzcv, ARM64_FLAG_Z);
        assert_int_equal(a->daif, A64_SPSR_I);
        assert_int_equal(a->v.pc, CODE + 8);
        assert_true(a->v.mode & ARM64_MODE_IL);
    }
    arm64_illegal_state(a);
    assert_int_equal(test_ec(a), A64_EC_ILLEGAL_STATE);
    assert_true(a->spsr_el1 & A64_SPSR_IL && !a->il);
    /* IL is given back as it was saved. */
    a->spsr_el1 = A64_MODE_EL1H | A64_SPSR_IL;
    arm64_eret(a, CODE);
    assert_int_equal(a->il, 1);
}

static void misaligned_target(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    a->spsr_el1 = A64_MODE_EL0T;
    arm64_eret(a, CODE + 2);
    assert_int_equal(test_ec(a), A64_EC_PC_ALIGNMENT);
    assert_int_equal(a->elr_el1, CODE + 2);
    assert_int_equal(a->far_el1, CODE + 2);
    assert_int_equal(a->v.pc, VBAR + 0x400);
}

static void aborts(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    const struct guest_ops *g = &guest_arm64;
    uint32_t swp = 0xf8208041; /* swp x0, x1, [x2] */

    g->raise_bus(&a->v, 0x10, ACCESS_READ);
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_DATA_ABORT, A64_FSC_EXTERNAL));
    assert_int_equal(a->far_el1, 0x10);
    arm64_level_set(a, 0, 0);
    a->v.pc = CODE;
    g->raise_bus(&a->v, 0x18, ACCESS_FETCH);
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_INSN_ABORT_LOWER, A64_FSC_EXTERNAL));
    g->raise_misaligned(&a->v, 0x21, ACCESS_WRITE);
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_DATA_ABORT, A64_FSC_ALIGNMENT | A64_ISS_WNR));
    /* A store's fault says so; that of an atomic which could not read either does not. */
    for (unsigned i = 0; i < 2; i++) {
        struct translation t;

        a->v.pc = CODE;
        if (i)
            assert_int_equal(mem_write(&a->v.vm->mem, CODE, &swp, 4), 0);
        assert_int_equal(g->translate(&a->v, BIT(50), ACCESS_WRITE, &t), 1);
        g->raise(&a->v, BIT(50));
        assert_int_equal(a->esr_el1,
                         a64_esr(A64_EC_DATA_ABORT, A64_FSC_ADDRESS_SIZE | (i ? 0 : A64_ISS_WNR)));
        assert_int_equal(a->far_el1, BIT(50));
    }
}

static void interrupts(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    arm64_irq_input(&a->v, ARM64_INPUT_IRQ, true);
    arm64_irq_input(&a->v, 77, true);
    assert_false(arm64_irq_ready(&a->v));
    assert_true(arm64_irq_wakeup(&a->v));
    assert_true(arm64_msr_imm(a, 3 << 3 | 7, 2, 0)); /* DAIFClr I */
    arm64_settle(a);
    assert_true(atomic_load(&a->v.request) & VCPU_REQ_IRQ);
    a->esr_el1 = 5;
    arm64_irq_take(&a->v);
    assert_int_equal(a->v.pc, VBAR + 0x280);
    assert_int_equal(a->elr_el1, CODE);
    assert_int_equal(a->esr_el1, 5);
    assert_false(arm64_irq_ready(&a->v));
    arm64_irq_input(&a->v, ARM64_INPUT_IRQ, false);
    assert_int_equal(arm64_inject(&a->v, ARM64_INJECT_INTERRUPT, ARM64_INPUT_SERROR), 0);
    a->daif = A64_SPSR_A;
    assert_false(arm64_irq_ready(&a->v));
    a->daif = 0;
    assert_true(arm64_irq_ready(&a->v));
    arm64_irq_take(&a->v);
    assert_int_equal(a->v.pc, VBAR + 0x380);
    assert_int_equal(test_ec(a), A64_EC_SERROR);
    assert_false(arm64_irq_wakeup(&a->v));
    assert_int_equal(arm64_inject(&a->v, 9, 0), -22);
}

static void waiting(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    arm64_wfi(a);
    assert_int_equal(a->v.exit.kind, EXIT_HALT);
    assert_int_equal(a->v.pc, CODE + 4);
    arm64_level_set(a, 0, 0);
    arm64_wfe(a); /* nTWE is 0 */
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_WFX, A64_ISS_COND_ALWAYS | 1));
    assert_int_equal(a->elr_el1, CODE + 4);
    arm64_level_set(a, 0, 0);
    arm64_sev(a);
    a->v.pc = CODE;
    arm64_wfe(a); /* there is an event: no wait, no trap */
    assert_int_equal(a->v.pc, CODE + 4);
}

/* WFE waits in place for SEV of any PE, for an interrupt, for the event stream; not with the monitor set. */
static void waiting_for_events(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0), *b = test_pe(*state, 1);

    a->v.exit.kind = EXIT_NONE;
    a->v.pc = CODE;
    arm64_wfe(a);
    assert_int_equal(a->v.exit.kind, EXIT_HALT);
    assert_int_equal(a->v.pc, CODE);
    assert_false(arm64_irq_wakeup(&a->v));
    arm64_sev(b);
    assert_true(arm64_irq_wakeup(&a->v));
    assert_true(atomic_load(&a->v.request) & VCPU_REQ_KICK);
    a->v.exit.kind = EXIT_NONE;
    arm64_wfe(a);
    assert_int_equal(a->v.exit.kind, EXIT_NONE);
    assert_int_equal(a->v.pc, CODE + 4);
    assert_int_equal(b->event, 1); /* its own, too */
    arm64_irq_input(&a->v, ARM64_INPUT_FIQ, true);
    arm64_wfe(a);
    assert_int_equal(a->v.exit.kind, EXIT_NONE);
    arm64_irq_input(&a->v, ARM64_INPUT_FIQ, false);
    a->v.resv_addr = 64;
    arm64_wfe(a);
    assert_int_equal(a->v.exit.kind, EXIT_NONE);
    assert_int_equal(a->v.pc, CODE + 12);
    a->v.resv_addr = UINT64_MAX;
    /* Bit 4 rises at 16, 48, ... of the counter, a tick of which is 16 ns. */
    a->v.vm->clock.skipped = 16 * 40;
    a->cntkctl_el1 = A64_CNTKCTL_EVNTEN | 4 << 4;
    arm64_wfe(a);
    assert_int_equal(a->v.exit.kind, EXIT_HALT);
    assert_int_equal(timer_next(a->v.vm, 0), 48 * 16);
    a->v.vm->clock.skipped = 16 * 48;
    timer_run(a->v.vm, 0, 48 * 16);
    assert_true(arm64_irq_wakeup(&a->v));
}

static void calls_are_undefined_at_el0(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    arm64_level_set(a, 0, 0);
    arm64_hvc(a, 0);
    assert_int_equal(test_ec(a), A64_EC_UNKNOWN);
    assert_int_equal(a->elr_el1, CODE);
}

static void software_step(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    test_set(a, A64_SYSREG_mdscr_el1, A64_MDSCR_SS);
    a->spsr_el1 = A64_MODE_EL0T | A64_SPSR_SS;
    arm64_eret(a, CODE);
    assert_false(a->v.mode & (ARM64_MODE_STEP | ARM64_MODE_STEP_TRAP)); /* the OS lock */
    arm64_undefined(a);
    test_set(a, A64_SYSREG_oslar_el1, 0);
    a->spsr_el1 = A64_MODE_EL0T | A64_SPSR_SS;
    arm64_eret(a, CODE);
    assert_true(a->v.mode & ARM64_MODE_STEP);
    arm64_step_begin(a, false);
    assert_true(a->v.mode & ARM64_MODE_STEP_TRAP && !(a->v.mode & ARM64_MODE_STEP));
    a->v.pc += 4;
    arm64_step_trap(a);
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_STEP_LOWER, A64_ISS_STEP_ISV | A64_FSC_DEBUG));
    assert_false(a->v.mode & (ARM64_MODE_STEP | ARM64_MODE_STEP_TRAP));
    /* Without SS in SPSR the exception comes before the instruction. */
    a->spsr_el1 = A64_MODE_EL0T;
    arm64_eret(a, CODE);
    assert_true(a->v.mode & ARM64_MODE_STEP_TRAP);
}

static void breakpoints(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    test_set(a, A64_SYSREG_oslar_el1, 0);
    test_set(a, A64_SYSREG_mdscr_el1, A64_MDSCR_MDE);
    test_set(a, A64_SYSREG_dbgbvr2_el1, CODE + 4);
    test_set(a, A64_SYSREG_dbgbcr2_el1, A64_DBGBCR_E | 2 << 1 | 0xf << 5); /* EL0 */
    assert_false(a->v.mode & ARM64_MODE_BREAK);
    test_level(a, 0);
    assert_true(a->v.mode & ARM64_MODE_BREAK);
    assert_false(arm64_breakpoint(a));
    a->v.pc = CODE + 4;
    assert_true(arm64_breakpoint(a));
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_BREAKPOINT_LOWER, A64_FSC_DEBUG));
    assert_int_equal(a->elr_el1, CODE + 4);
    /* Linked to a context */
    test_set(a, A64_SYSREG_dbgbcr2_el1, A64_DBGBCR_E | 2 << 1 | 0xf << 5 | 1 << 20 | 5 << 16);
    test_set(a, A64_SYSREG_dbgbvr5_el1, 77 << 2);
    test_set(a, A64_SYSREG_dbgbcr5_el1, A64_DBGBCR_E | 3 << 1 | 0xf << 5 | 3 << 20);
    test_level(a, 0);
    a->v.pc = CODE + 4;
    assert_false(arm64_breakpoint(a));
    a->contextidr_el1 = 77 << 2;
    assert_true(arm64_breakpoint(a));
}

static void watchpoints(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    test_set(a, A64_SYSREG_oslar_el1, 0);
    test_set(a, A64_SYSREG_mdscr_el1, A64_MDSCR_MDE | A64_MDSCR_KDE);
    test_set(a, A64_SYSREG_dbgwvr0_el1, 0x1000);
    test_set(a, A64_SYSREG_dbgwcr0_el1,
             A64_DBGWCR_E | 3 << 1 | 2 << 3 | 0x0c << 5); /* stores to bytes 2, 3 */
    a->daif = 0;
    arm64_settle(a);
    assert_true(a->v.mode & ARM64_MODE_WATCH);
    assert_false(arm64_watchpoint(a, 0x1000, 8, false));
    assert_false(arm64_watchpoint(a, 0x1000, 2, true));
    assert_false(arm64_watchpoint(a, 0x1004, 4, true));
    assert_true(arm64_watchpoint(a, 0x1000, 8, true));
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_WATCHPOINT, A64_FSC_DEBUG | A64_ISS_WNR));
    assert_int_equal(a->far_el1, 0x1002);
    /* A block of 4 KiB by mask */
    test_set(a, A64_SYSREG_dbgwcr0_el1, A64_DBGWCR_E | 3 << 1 | 1 << 3 | 0xff << 5 | 12 << 24);
    assert_true(arm64_watchpoint(a, 0x1ffc, 4, false));
    assert_false(arm64_watchpoint(a, 0x2000, 4, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(entry_and_return, setup, teardown),
        cmocka_unit_test_setup_teardown(branch_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(pc_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(flushes, setup, teardown),
        cmocka_unit_test_setup_teardown(illegal_return, setup, teardown),
        cmocka_unit_test_setup_teardown(misaligned_target, setup, teardown),
        cmocka_unit_test_setup_teardown(aborts, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_for_events, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_are_undefined_at_el0, setup, teardown),
        cmocka_unit_test_setup_teardown(software_step, setup, teardown),
        cmocka_unit_test_setup_teardown(breakpoints, setup, teardown),
        cmocka_unit_test_setup_teardown(watchpoints, setup, teardown),
    };

    return cmocka_run_group_tests_name("guest/arm64/exception", tests, NULL, NULL);
}
