/* The table of system registers: who may, what reads back, ID registers by model, traps, timers, PMU, GIC. */
#include "guest/arm64/pe_test.h"
#include "isa/arm64/dt.h"
#include "isa/arm64/fp.h"

static int setup(void **state)
{
    *state = test_vm("max", 2, true);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static void names_are_in_the_table(void **state)
{
    /* Those that no PE of this kind has. */
    static const uint16_t absent[] = {A64_SYSREG_dspsr_el0, A64_SYSREG_dlr_el0, A64_SYSREG_rmr_el1,
                                      A64_SYSREG_pmmir_el1, A64_SYSREG_icc_ap0r1_el1};
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct arm64_sys_info i;

    assert_true(arm64_sys_lookup(a->v.mode, A64_SYSREG_sctlr_el1, true, &i));
    assert_int_equal(i.how, ARM64_SYS_HELPER);
    assert_true(arm64_sys_lookup(a->v.mode, A64_SYSREG_sctlr_el1, false, &i));
    assert_int_equal(i.how, ARM64_SYS_DIRECT);
    assert_true(arm64_sys_lookup(a->v.mode, A64_SYSREG_tpidr_el0, true, &i));
    assert_int_equal(i.how, ARM64_SYS_DIRECT);
    assert_int_equal(i.slot, offsetof(struct arm64_vcpu, tpidr_el0));
    for (unsigned k = 0; k < ARRAY_SIZE(absent); k++)
        assert_false(arm64_sys_lookup(a->v.mode, absent[k], false, &i));
    assert_false(arm64_sys_lookup(a->v.mode, A64_SYSREG_midr_el1, true, &i));
    assert_false(arm64_sys_lookup(a->v.mode, A64_SYSREG_CODE(3, 4, 1, 0, 0), false, &i)); /* SCTLR_EL2 */
    assert_false(arm64_sys_lookup(0, A64_SYSREG_midr_el1, false, &i));
    assert_false(arm64_sys_lookup(0, A64_SYSREG_tpidrro_el0, true, &i));
    assert_true(arm64_sys_lookup(0, A64_SYSREG_tpidrro_el0, false, &i));
}

/* Whatever is read and written with whatever, nothing but exceptions comes of it. */
static void any_code(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    uint64_t seed = 1, value;

    for (unsigned n = 0; n < 4; n++) {
        for (unsigned code = 0; code < 0x10000; code++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            test_level(a, n & 1);
            /* Not translation: there are no tables. */
            test_sys_write(a, code, code == A64_SYSREG_sctlr_el1 ? seed & ~UINT64_C(1) : seed);
            test_level(a, n & 1);
            test_sys_read(a, code, &value);
        }
    }
}

static void id_registers(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct vm *a57 = test_vm("cortex-a57", 1, false);

    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64pfr0_el1), UINT64_C(0x1101000001110011));
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64isar0_el1),
                     UINT64_C(0x1221111110212120) & ~UINT64_C(0xf000000000000) & ~UINT64_C(0xf000000));
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64mmfr0_el1), 0x100025);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64mmfr2_el1), UINT64_C(0x1000000010000010));
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64dfr0_el1), 0x10305106);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64isar2_el1), 0);
    assert_int_equal(test_sys(a, A64_SYSREG_id_mmfr0_el1), 0);
    assert_int_equal(test_sys(test_pe(*state, 1), A64_SYSREG_mpidr_el1), 0x80000001);
    a = test_pe(a57, 0);
    assert_int_equal(test_sys(a, A64_SYSREG_midr_el1), 0x411fd070);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64pfr0_el1), 0x11);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64isar0_el1), 0x11120);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64isar1_el1), 0);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64mmfr0_el1), 0x24);
    assert_int_equal(test_sys(a, A64_SYSREG_id_aa64mmfr1_el1), 0);
    assert_int_equal(test_sys(a, A64_SYSREG_pmcr_el0), 0x41010000 | A64_PMCR_LC | 6 << 11);
    test_set(a, A64_SYSREG_pmcr_el0, UINT64_MAX);
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_E);
    assert_int_equal(test_sys(a, A64_SYSREG_pmcr_el0), 0x41010000 | A64_PMCR_LC | 6 << 11 | A64_PMCR_E);
    vm_destroy(a57);
    a57 = test_vm("cortex-a72", 1, false);
    assert_int_equal(test_sys(test_pe(a57, 0), A64_SYSREG_midr_el1), 0x410fd083);
    assert_int_equal(test_sys(test_pe(a57, 0), A64_SYSREG_pmcr_el0), 0x41020000 | A64_PMCR_LC | 6 << 11);
    vm_destroy(a57);
}

static void cpu_specs(void **state)
{
    char why[160];

    (void)state;
    assert_int_equal(arm64_cpu_check("max,+pauth,-lse", why, sizeof(why)), 0);
    assert_int_equal(arm64_cpu_check("cortex-a73", why, sizeof(why)), -22);
    assert_string_equal(why, "cpu: 'cortex-a73' is no arm64 model; the nearest is 'cortex-a72'");
    assert_int_equal(arm64_cpu_check("z80", why, sizeof(why)), -22);
    assert_string_equal(why, "cpu: 'z80' is no arm64 model; known: max, cortex-a57, cortex-a72");
    assert_int_equal(arm64_cpu_check("max,", why, sizeof(why)), 0);
    assert_int_equal(arm64_cpu_check("max,,", why, sizeof(why)), -22);
    assert_int_equal(arm64_cpu_check("max,+sve", why, sizeof(why)), -22);
    assert_int_equal(arm64_cpu_check("max,lse", why, sizeof(why)), -22);
    assert_int_equal(arm64_cpu_check("max,-aes", why, sizeof(why)), -22);
    assert_string_equal(why, "cpu: pmull needs aes; add +aes or -pmull");
    assert_int_equal(arm64_cpu_check("cortex-a57,+pacga", why, sizeof(why)), 0);
}

static void el0_traps(void **state)
{
    static const uint16_t codes[] = {A64_SYSREG_ctr_el0, A64_SYSREG_cntvct_el0,  A64_SYSREG_cntp_ctl_el0,
                                     A64_SYSREG_daif,    A64_SYSREG_pmccntr_el0, A64_SYSREG_cntfrq_el0};
    struct arm64_vcpu *a = test_pe(*state, 0);
    uint64_t value;

    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
        test_level(a, 0);
        assert_false(test_sys_read(a, codes[i], &value));
        assert_int_equal(a->esr_el1, a64_esr_sysreg(codes[i], 5, true));
    }
    test_set(a, A64_SYSREG_cntkctl_el1, 3);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_UCT | A64_SCTLR_UMA);
    test_set(a, A64_SYSREG_pmuserenr_el0, A64_PMUSERENR_CR);
    test_level(a, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
        assert_int_equal(test_sys_read(a, codes[i], &value), codes[i] != A64_SYSREG_cntp_ctl_el0);
    test_level(a, 0);
    test_level(a, 0);
    assert_false(test_sys_write(a, A64_SYSOP_dc_civac, TEST_RAM));
    assert_int_equal(a->esr_el1, a64_esr_sysreg(A64_SYSOP_dc_civac, 5, false));
    test_level(a, 0);
    assert_false(test_sys_write(a, A64_SYSOP_dc_zva, TEST_RAM));
    assert_int_equal(a->esr_el1, a64_esr_sysreg(A64_SYSOP_dc_zva, 5, false));
    test_level(a, 0);
    assert_int_equal(a->v.mode & ARM64_MODE_DCZVA, 0);
}

static void pstate(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    test_set(a, A64_SYSREG_nzcv, A64_SPSR_N | A64_SPSR_C);
    assert_int_equal(a->nzcv, ARM64_FLAG_N | ARM64_FLAG_C);
    assert_int_equal(test_sys(a, A64_SYSREG_nzcv), A64_SPSR_N | A64_SPSR_C);
    assert_int_equal(test_sys(a, A64_SYSREG_currentel), 4);
    a->x[31] = 0x100;
    a->sp_el0 = 0x200;
    test_set(a, A64_SYSREG_spsel, 0);
    assert_int_equal(a->x[31], 0x200);
    assert_false(test_sys_write(a, A64_SYSREG_sp_el0, 1));
    assert_int_equal(test_ec(a), A64_EC_UNKNOWN);
    assert_int_equal(a->x[31], 0x100);
    test_set(a, A64_SYSREG_pan, A64_SPSR_PAN);
    assert_true(a->v.mode & ARM64_MODE_PAN);
    assert_true(arm64_msr_imm(a, 4, 0, 0));
    assert_true(arm64_msr_imm(a, 3, 1, 0));
    arm64_settle(a);
    assert_int_equal(a->v.mode & (ARM64_MODE_PAN | ARM64_MODE_UAO), ARM64_MODE_UAO);
    test_level(a, 0);
    assert_false(arm64_msr_imm(a, 4, 1, 0));
    assert_int_equal(test_ec(a), A64_EC_UNKNOWN);
}

static void floating_point(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    uint64_t value;

    assert_false(test_sys_read(a, A64_SYSREG_fpsr, &value));
    assert_int_equal(a->esr_el1, a64_esr(A64_EC_FP_ACCESS, A64_ISS_COND_ALWAYS));
    test_set(a, A64_SYSREG_cpacr_el1, UINT64_MAX);
    assert_int_equal(test_sys(a, A64_SYSREG_cpacr_el1), A64_CPACR_FPEN);
    test_set(a, A64_SYSREG_fpcr, UINT64_MAX);
    assert_int_equal(test_sys(a, A64_SYSREG_fpcr), A64_FPCR_MASK);
    assert_int_equal(a->v.mode & ARM64_MODE_RMODE, 3 << 8);
    test_set(a, A64_SYSREG_fpsr, UINT64_MAX);
    assert_int_equal(test_sys(a, A64_SYSREG_fpsr), A64_FPSR_MASK);
}

static void tlb_maintenance(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct test_engine *e = test_engine(*state);

    test_set(a, A64_SYSOP_tlbi_vmalle1, 0);
    assert_int_equal(e->scope.kind, FLUSH_ALL);
    test_set(a, A64_SYSREG_tcr_el1, A64_TCR_AS);
    e->flushes = 0;
    test_set(a, A64_SYSOP_tlbi_aside1is, UINT64_C(0x1234) << 48);
    assert_int_equal(e->flushes, 2);
    assert_int_equal(e->scope.kind, FLUSH_ASID);
    assert_int_equal(e->scope.asid, 0x1234);
    test_set(a, A64_SYSOP_tlbi_vaale1is, UINT64_C(0xffff8000012) | UINT64_C(5) << 48);
    assert_int_equal(e->scope.kind, FLUSH_PAGE);
    assert_int_equal(e->scope.va, UINT64_C(0xffffff8000012000));
    /* Four pages of 4 KiB, then too many */
    e->flushes = 0;
    test_set(a, A64_SYSOP_tlbi_rvae1, UINT64_C(1) << 46 | UINT64_C(1) << 39 | 0x10);
    assert_int_equal(e->flushes, 4);
    assert_int_equal(e->scope.va, 0x13000);
    test_set(a, A64_SYSOP_tlbi_rvae1, UINT64_C(7) << 48 | UINT64_C(1) << 46 | UINT64_C(3) << 44 | 0x10);
    assert_int_equal(e->scope.kind, FLUSH_HALF);
    assert_int_equal(e->scope.va, 0x10000);
    assert_int_equal(e->scope.asid, 7);
    test_set(a, A64_SYSOP_tlbi_rvaae1, UINT64_C(1) << 46 | UINT64_C(3) << 44 | 0x10);
    assert_int_equal(e->scope.kind, FLUSH_ALL);
    assert_false(test_sys_write(a, A64_SYSREG_CODE(1, 0, 8, 4, 1), 0)); /* stage 2 */
    assert_false(test_sys_write(a, A64_SYSREG_CODE(1, 0, 8, 7, 4), 0));
    e->barriers = 0;
    test_set(a, A64_SYSOP_ic_iallu, 0);
    assert_int_equal(e->barriers, 1);
}

static void timers(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct test_engine *e = test_engine(*state);
    const uint32_t virt = 1u << (A64_INTID_TIMER_VIRT - A64_INTID_PPI);

    assert_int_equal(test_sys(a, A64_SYSREG_cntfrq_el0), 62500000);
    test_set(a, A64_SYSREG_cntv_cval_el0, 100);
    test_set(a, A64_SYSREG_cntv_ctl_el0, 1);
    assert_int_equal(e->lines, 0);
    assert_int_equal(test_sys(a, A64_SYSREG_cntv_ctl_el0), 1);
    assert_int_equal(test_sys(a, A64_SYSREG_cntv_tval_el0), 100);
    vcpu_grant(&a->v, 4000);
    a->v.vm->clock.insns += 1600;
    timer_run(a->v.vm, 0, clock_now_ns(a->v.vm));
    assert_int_equal(e->lines, virt);
    assert_int_equal(test_sys(a, A64_SYSREG_cntv_ctl_el0), 5);
    test_set(a, A64_SYSREG_cntv_ctl_el0, 3);
    assert_int_equal(e->lines, 0);
    test_set(a, A64_SYSREG_cntv_ctl_el0, 1);
    assert_int_equal(e->lines, virt);
    test_set(a, A64_SYSREG_cntv_tval_el0, 50);
    assert_int_equal(e->lines, 0);
    assert_int_equal(test_sys(a, A64_SYSREG_cntv_cval_el0), 150);
    test_set(a, A64_SYSREG_cntv_tval_el0, 0xffffffff);
    assert_int_equal(test_sys(a, A64_SYSREG_cntv_cval_el0), 99);
    assert_int_equal(e->lines, virt);
}

static void performance_monitors(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);

    assert_int_equal(test_sys(a, A64_SYSREG_pmcr_el0), A64_PMCR_LC | 6 << 11);
    test_set(a, A64_SYSREG_pmcntenset_el0, UINT64_MAX);
    assert_int_equal(test_sys(a, A64_SYSREG_pmcntenclr_el0), 0x8000003f);
    test_set(a, A64_SYSREG_pmccntr_el0, 1000);
    test_set(a, A64_SYSREG_pmselr_el0, 2);
    test_set(a, A64_SYSREG_pmxevtyper_el0, 8);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevtyper2_el0), 8);
    test_set(a, A64_SYSREG_pmevtyper3_el0, 8 | A64_PMEVTYPER_P);
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_E);
    a->v.count += 10;
    assert_int_equal(test_sys(a, A64_SYSREG_pmccntr_el0), 1010);
    assert_int_equal(test_sys(a, A64_SYSREG_pmxevcntr_el0), 10);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr3_el0), 0);
    test_level(a, 0);
    a->v.count += 5;
    test_level(a, 1);
    a->v.count += 7;
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr2_el0), 22);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr3_el0), 5);
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_C | A64_PMCR_P);
    a->v.count += 7;
    assert_int_equal(test_sys(a, A64_SYSREG_pmccntr_el0), 0);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr2_el0), 0);
    /* Counter 0 counts software increments; one of them overflows. */
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_E);
    test_set(a, A64_SYSREG_pmevcntr0_el0, 0xffffffff);
    test_set(a, A64_SYSREG_pmintenset_el1, 1);
    test_set(a, A64_SYSREG_pmswinc_el0, 1);
    assert_int_equal(test_sys(a, A64_SYSREG_pmovsset_el0), 1);
    assert_int_equal(test_engine(*state)->lines, 1u << 7);
    test_set(a, A64_SYSREG_pmovsclr_el0, 1);
    assert_int_equal(test_engine(*state)->lines, 0);
}

/* An interrupt at the overflow of a counter of instructions, at its very instruction. */
static void counters_overflow(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct test_engine *e = test_engine(*state);

    vcpu_grant(&a->v, 1000);
    test_set(a, A64_SYSREG_pmcntenset_el0, A64_PM_CYCLE | 0x3f);
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_E);
    test_set(a, A64_SYSREG_pmevtyper1_el0, 8);
    test_set(a, A64_SYSREG_pmevcntr1_el0, 0xffffff00);
    assert_int_equal(a->v.due, 0); /* nobody asks for an interrupt */
    test_set(a, A64_SYSREG_pmintenset_el1, 2);
    assert_int_equal(a->v.due, vcpu_icount(&a->v) + 0x100);
    assert_true(a->v.request & VCPU_REQ_IRQ); /* more was handed out */
    vcpu_grant(&a->v, 1000);
    assert_int_equal(a->v.budget, 0x100);
    a->v.budget = 1;
    arm64_irq_ready(&a->v);
    assert_int_equal(e->lines, 0);
    a->v.budget = 0;
    arm64_irq_ready(&a->v);
    assert_int_equal(e->lines, 1u << 7);
    assert_int_equal(test_sys(a, A64_SYSREG_pmovsset_el0), 2);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr1_el0), 0);
    assert_int_equal(a->v.due, vcpu_icount(&a->v) + BIT(32));
    test_set(a, A64_SYSREG_pmovsclr_el0, 2);
    assert_int_equal(e->lines, 0);
    /* The cycle counter has 64 bits. */
    test_set(a, A64_SYSREG_pmintenclr_el1, 2);
    test_set(a, A64_SYSREG_pmccntr_el0, UINT64_MAX - 9);
    test_set(a, A64_SYSREG_pmintenset_el1, A64_PM_CYCLE);
    assert_int_equal(a->v.due, vcpu_icount(&a->v) + 10);
    a->v.count += 12;
    assert_int_equal(test_sys(a, A64_SYSREG_pmccntr_el0), 2);
    assert_int_equal(test_sys(a, A64_SYSREG_pmovsclr_el0), A64_PM_CYCLE);
    assert_int_equal(e->lines, 1u << 7);
    test_set(a, A64_SYSREG_pmcr_el0, 0); /* E masks the interrupt, too */
    assert_int_equal(e->lines, 0);
    assert_int_equal(a->v.due, 0);
}

/* An odd counter counts its neighbour's overflows; exceptions and returns are events. */
static void counters_chain(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct test_engine *e = test_engine(*state);

    test_set(a, A64_SYSREG_pmcntenset_el0, 0x3f);
    test_set(a, A64_SYSREG_pmcr_el0, A64_PMCR_E);
    test_set(a, A64_SYSREG_pmevtyper0_el0, 8);
    test_set(a, A64_SYSREG_pmevtyper1_el0, 0x1e);
    test_set(a, A64_SYSREG_pmevcntr0_el0, 0xfffffff0);
    test_set(a, A64_SYSREG_pmevcntr1_el0, 0xffffffff);
    test_set(a, A64_SYSREG_pmintenset_el1, 2);
    assert_int_equal(a->v.due, vcpu_icount(&a->v) + 0x10);
    a->v.count += 0x11;
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr1_el0), 0);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr0_el0), 1);
    assert_int_equal(test_sys(a, A64_SYSREG_pmovsset_el0), 3);
    assert_int_equal(e->lines, 1u << 7);
    test_set(a, A64_SYSREG_pmovsclr_el0, 3);
    test_set(a, A64_SYSREG_pmevtyper2_el0, 9);
    test_set(a, A64_SYSREG_pmevtyper3_el0, 0xa);
    test_set(a, A64_SYSREG_pmevcntr2_el0, 0xfffffffe);
    test_set(a, A64_SYSREG_pmintenset_el1, 4);
    arm64_svc(a, 0);
    assert_int_equal(e->lines, 0);
    arm64_svc(a, 0);
    assert_int_equal(e->lines, 1u << 7);
    a->spsr_el1 = A64_MODE_EL1H;
    arm64_eret(a, TEST_RAM);
    assert_int_equal(test_sys(a, A64_SYSREG_pmevcntr3_el0), 1);
    assert_int_equal(test_sys(a, A64_SYSREG_pmceid0_el0), 0x40020701);
}

static void cpu_interface(void **state)
{
    struct arm64_vcpu *a = test_pe(*state, 0);
    struct test_engine *e = test_engine(*state);

    e->top = DIST_TOP(40, 0xa0, 1);
    assert_int_equal(arm64_signals(a), 0);
    test_set(a, A64_SYSREG_icc_pmr_el1, 0xff);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_pmr_el1), 0xf8);
    test_set(a, A64_SYSREG_icc_igrpen1_el1, 1);
    assert_int_equal(arm64_signals(a), BIT(ARM64_INPUT_IRQ));
    assert_int_equal(test_sys(a, A64_SYSREG_isr_el1), A64_ISR_I);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar0_el1), 1023);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_hppir1_el1), 40);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar1_el1), 40);
    assert_int_equal(e->activated, 40);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_rpr_el1), 0xa0);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar1_el1), 1023);
    /* Equal does not preempt, higher does; both end in turn. */
    e->top = DIST_TOP(41, 0xa0, 1);
    assert_int_equal(arm64_signals(a), 0);
    e->top = DIST_TOP(42, 0x40, 1);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar1_el1), 42);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_rpr_el1), 0x40);
    test_set(a, A64_SYSREG_icc_eoir1_el1, 42);
    assert_int_equal(e->deactivated, 42);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_rpr_el1), 0xa0);
    test_set(a, A64_SYSREG_icc_ctlr_el1, A64_ICC_CTLR_EOIMODE);
    test_set(a, A64_SYSREG_icc_eoir1_el1, 40);
    assert_int_equal(e->deactivated, 42);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_rpr_el1), 0xff);
    test_set(a, A64_SYSREG_icc_dir_el1, 40);
    assert_int_equal(e->deactivated, 40);
    test_set(a, A64_SYSREG_icc_bpr1_el1, 0);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_bpr1_el1), 3);
    test_set(a, A64_SYSREG_icc_sgi1r_el1, UINT64_C(7) << 24 | 2);
    assert_int_equal(e->sent, 7 << 16 | 1 << 8 | 2);
    test_set(a, A64_SYSREG_icc_sgi0r_el1, UINT64_C(3) << 24 | BIT(40));
    assert_int_equal(e->sent, 3 << 16 | 2);
    /* Group 0 is the FIQ. */
    test_set(a, A64_SYSREG_icc_igrpen0_el1, 1);
    e->top = DIST_TOP(50, 0x80, 0);
    assert_int_equal(arm64_signals(a), BIT(ARM64_INPUT_FIQ));
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar1_el1), 1023);
    assert_int_equal(test_sys(a, A64_SYSREG_icc_iar0_el1), 50);
}

static void no_interface_without_gicv3(void **state)
{
    struct vm *vm = test_vm("max", 1, false);
    struct arm64_vcpu *a = test_pe(vm, 0);
    uint64_t value;

    (void)state;
    assert_false(test_sys_read(a, A64_SYSREG_icc_sre_el1, &value));
    assert_int_equal(test_ec(a), A64_EC_UNKNOWN);
    vm_destroy(vm);
}

static void features_of_keys(void **state)
{
    struct vm *vm = test_vm("max,+pauth", 1, false);
    struct arm64_vcpu *a = test_pe(vm, 0);

    test_set(a, A64_SYSREG_apiakeyhi_el1, 77);
    assert_int_equal(test_sys(a, A64_SYSREG_apiakeyhi_el1), 77);
    test_set(a, A64_SYSREG_sctlr_el1, A64_SCTLR_ENIA);
    assert_true(a->v.mode & ARM64_MODE_ENIA);
    vm_destroy(vm);
    a = test_pe(*state, 0);
    assert_false(test_sys_write(a, A64_SYSREG_apiakeyhi_el1, 77));
    assert_int_equal(test_ec(a), A64_EC_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_in_the_table, setup, teardown),
        cmocka_unit_test_setup_teardown(any_code, setup, teardown),
        cmocka_unit_test_setup_teardown(id_registers, setup, teardown),
        cmocka_unit_test(cpu_specs),
        cmocka_unit_test_setup_teardown(el0_traps, setup, teardown),
        cmocka_unit_test_setup_teardown(pstate, setup, teardown),
        cmocka_unit_test_setup_teardown(floating_point, setup, teardown),
        cmocka_unit_test_setup_teardown(tlb_maintenance, setup, teardown),
        cmocka_unit_test_setup_teardown(timers, setup, teardown),
        cmocka_unit_test_setup_teardown(performance_monitors, setup, teardown),
        cmocka_unit_test_setup_teardown(counters_overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(counters_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_interface, setup, teardown),
        cmocka_unit_test(no_interface_without_gicv3),
        cmocka_unit_test_setup_teardown(features_of_keys, setup, teardown),
    };

    return cmocka_run_group_tests_name("guest/arm64/sysreg", tests, NULL, NULL);
}
