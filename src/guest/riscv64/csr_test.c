/* CSRs: privilege, WARL rules, presence by feature; traps, returns, interrupts. */
#include "guest/riscv64/hart_test.h"
#include "core/irqchip.h"
#include "isa/riscv64/decode.h"

static int setup(void **state)
{
    *state = test_vm("max", 1, "fw", NULL);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static struct riscv_vcpu *hart(void **state)
{
    return test_hart(*state, 0);
}

static void access_rules(void **state)
{
    struct riscv_vcpu *r = hart(state);
    uint64_t v;

    assert_false(test_csr_read(r, 0x5c0, &v)); /* no such CSR */
    assert_false(test_csr_read(r, RV_CSR_mseccfg, &v));
    assert_false(test_csr_write(r, RV_CSR_mhartid, 1)); /* read-only by number */
    assert_true(test_csr_read(r, RV_CSR_mhartid, &v));
    test_priv(r, RV_PRIV_S);
    assert_false(test_csr_read(r, RV_CSR_mstatus, &v));
    assert_true(test_csr_read(r, RV_CSR_sstatus, &v));
    test_priv(r, RV_PRIV_U);
    assert_false(test_csr_read(r, RV_CSR_sstatus, &v));
}

static void status_warl(void **state)
{
    struct riscv_vcpu *r = hart(state);
    const uint64_t xl = UINT64_C(0xa00000000);

    assert_int_equal(test_csr(r, RV_CSR_mstatus), xl);
    test_set(r, RV_CSR_mstatus, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_mstatus), xl | 0x80000000007e79aa);
    test_set(r, RV_CSR_mstatus, UINT64_C(2) << 11); /* MPP 2: keeps M */
    assert_int_equal(test_csr(r, RV_CSR_mstatus), xl | 0x1800);
    assert_int_equal(test_csr(r, RV_CSR_sstatus), UINT64_C(0x200000000));
    test_set(r, RV_CSR_mstatus, 0);
    test_set(r, RV_CSR_sstatus, UINT64_MAX); /* MIE, MPP, MPRV, TSR... stay */
    assert_int_equal(test_csr(r, RV_CSR_mstatus), xl | 0x80000000000c6122);
}

static void storage(void **state)
{
    static const struct {
        unsigned csr;
        uint64_t ones;
    } rows[] = {
        {RV_CSR_mscratch, UINT64_MAX},
        {RV_CSR_mepc, UINT64_MAX - 1},
        {RV_CSR_sepc, UINT64_MAX - 1},
        {RV_CSR_mtvec, UINT64_MAX - 3}, /* mode 3 is reserved: the old one stays */
        {RV_CSR_medeleg, 0xb3ff},
        {RV_CSR_mideleg, 0x222},
        {RV_CSR_mie, 0xaaa},
        {RV_CSR_mcounteren, 0xffffffff},
        {RV_CSR_mcountinhibit, 5},
        {RV_CSR_menvcfg, UINT64_C(0xe0000000000000f1)},
        {RV_CSR_senvcfg, 0xf1},
        {RV_CSR_mhpmevent3, 0},
        {RV_CSR_mhpmcounter31, 0},
        {RV_CSR_pmpaddr3, RV_PMPADDR_MASK & ~UINT64_C(0x3ff)},
        {RV_CSR_pmpaddr63, 0},
    };
    struct riscv_vcpu *r = hart(state);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        test_set(r, rows[i].csr, UINT64_MAX);
        assert_int_equal(test_csr(r, rows[i].csr), rows[i].ones);
    }
    test_set(r, RV_CSR_stvec, 0x1001);
    assert_int_equal(test_csr(r, RV_CSR_stvec), 0x1001);
    test_set(r, RV_CSR_stvec, 0x2002);
    assert_int_equal(test_csr(r, RV_CSR_stvec), 0x2001);
}

/* sie and sip are the delegated bits of mie and mip; the others neither show nor change (10.1.3). */
static void delegated_interrupts(void **state)
{
    struct riscv_vcpu *r = hart(state);

    test_set(r, RV_CSR_mideleg, RV_IRQ_SSI | RV_IRQ_SEI);
    test_set(r, RV_CSR_mie, 0);
    test_set(r, RV_CSR_sie, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_mie), RV_IRQ_SSI | RV_IRQ_SEI);
    test_set(r, RV_CSR_mie, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_sie), RV_IRQ_SSI | RV_IRQ_SEI);
    test_set(r, RV_CSR_sie, 0);
    assert_int_equal(test_csr(r, RV_CSR_mie), 0xaaa & ~(RV_IRQ_SSI | RV_IRQ_SEI));
    test_set(r, RV_CSR_mideleg, 0);
    test_set(r, RV_CSR_mip, 0);
    test_set(r, RV_CSR_sip, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_mip), 0);
}

static void satp_modes(void **state)
{
    struct riscv_vcpu *r = hart(state);
    unsigned contexts;

    test_set(r, RV_CSR_satp, UINT64_C(8) << 60 | 0x1234);
    assert_int_equal(test_csr(r, RV_CSR_satp), UINT64_C(8) << 60 | 0x1234);
    test_set(r, RV_CSR_satp, UINT64_C(3) << 60 | 0x55); /* no such mode: nothing changes */
    assert_int_equal(test_csr(r, RV_CSR_satp), UINT64_C(8) << 60 | 0x1234);
    contexts = test_engine(*state)->contexts;
    test_set(r, RV_CSR_satp, UINT64_C(8) << 60 | UINT64_C(7) << 44 | 0x99);
    assert_int_equal(test_engine(*state)->contexts, contexts + 1);
    assert_int_equal(riscv_asid(&r->v), 7);
    r->mstatus |= RV_MSTATUS_TVM;
    test_priv(r, RV_PRIV_S);
    assert_false(test_csr_write(r, RV_CSR_satp, 0));
}

static void fp_state(void **state)
{
    struct riscv_vcpu *r = hart(state);
    uint64_t v;

    assert_false(test_csr_read(r, RV_CSR_fcsr, &v)); /* FS off */
    test_set(r, RV_CSR_mstatus, UINT64_C(1) << 13);
    assert_int_equal(rv_field_get(r->v.mode, RISCV_MODE_FS), RISCV_FS_CLEAN);
    assert_int_equal(test_csr(r, RV_CSR_fcsr), 0);
    test_set(r, RV_CSR_fcsr, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_fcsr), 0xff);
    assert_int_equal(test_csr(r, RV_CSR_frm), 7);
    assert_int_equal(test_csr(r, RV_CSR_fflags), 0x1f);
    assert_int_equal(rv_field_get(r->v.mode, RISCV_MODE_FS), RISCV_FS_DIRTY);
    assert_int_equal(rv_field_get(r->v.mode, RISCV_MODE_FRM), 7);
    assert_true(test_csr(r, RV_CSR_sstatus) & RV_MSTATUS_SD);
    test_set(r, RV_CSR_frm, 2);
    assert_int_equal(r->v.fp_flags, 0x1f);
    assert_int_equal(rv_field_get(r->v.mode, RISCV_MODE_FRM), 2);
}

static void counters(void **state)
{
    struct riscv_vcpu *r = hart(state);
    uint64_t v;

    vcpu_grant(&r->v, 100);
    r->v.budget -= 40;
    assert_int_equal(test_csr(r, RV_CSR_minstret), 39); /* the 40th is the one that reads */
    test_set(r, RV_CSR_minstret, 1000);
    r->v.budget -= 5;
    assert_int_equal(test_csr(r, RV_CSR_instret), 1004);
    test_set(r, RV_CSR_mcountinhibit, 4);
    r->v.budget -= 5;
    assert_int_equal(test_csr(r, RV_CSR_minstret), 1005);
    assert_int_equal(test_csr(r, RV_CSR_mcycle), 49);
    test_priv(r, RV_PRIV_U);
    assert_false(test_csr_read(r, RV_CSR_cycle, &v));
    r->mcounteren = r->scounteren = RV_COUNTER_TM;
    assert_false(test_csr_read(r, RV_CSR_cycle, &v));
    assert_true(test_csr_read(r, RV_CSR_time, &v));
    r->scounteren = 0;
    assert_false(test_csr_read(r, RV_CSR_time, &v));
}

static void stimecmp(void **state)
{
    struct riscv_vcpu *r = hart(state);
    uint64_t v;

    test_set(r, RV_CSR_mideleg, UINT64_MAX);
    test_set(r, RV_CSR_mcounteren, 7);
    test_set(r, RV_CSR_mip, RV_IRQ_STI); /* without STCE a software bit */
    assert_int_equal(test_csr(r, RV_CSR_mip), RV_IRQ_STI);
    test_priv(r, RV_PRIV_S);
    assert_false(test_csr_read(r, RV_CSR_stimecmp, &v));
    test_priv(r, RV_PRIV_M);
    test_set(r, RV_CSR_menvcfg, RV_ENVCFG_STCE);
    assert_int_equal(test_csr(r, RV_CSR_mip), 0);
    test_set(r, RV_CSR_mip, RV_IRQ_STI);
    assert_int_equal(test_csr(r, RV_CSR_mip), 0);
    test_priv(r, RV_PRIV_S);
    test_set(r, RV_CSR_stimecmp, 0);
    assert_int_equal(test_csr(r, RV_CSR_sip), RV_IRQ_STI);
    test_set(r, RV_CSR_stimecmp, 5);
    assert_int_equal(test_csr(r, RV_CSR_sip), 0);
    timer_run(*state, 0, clock_ticks_to_ns(5, RISCV_TIMEBASE_HZ));
    assert_int_equal(test_csr(r, RV_CSR_sip), RV_IRQ_STI);
}

static void seip_has_two_sources(void **state)
{
    struct riscv_vcpu *r = hart(state);
    struct riscv_csr_info mip;

    assert_true(riscv_csr_lookup(RV_CSR_mip, RV_PRIV_M, true, &mip));
    irqchip_cpu_input(&r->v, RV_IRQ_S_EXT, true);
    assert_int_equal(test_csr(r, RV_CSR_mip), RV_IRQ_SEI);
    riscv_csr_set(r, mip.row, UINT64_MAX, RV_IRQ_SSI); /* csrrs does not write SEIP back */
    irqchip_cpu_input(&r->v, RV_IRQ_S_EXT, false);
    assert_int_equal(test_csr(r, RV_CSR_mip), RV_IRQ_SSI);
    riscv_csr_set(r, mip.row, UINT64_MAX, RV_IRQ_SEI);
    assert_int_equal(test_csr(r, RV_CSR_mip), RV_IRQ_SSI | RV_IRQ_SEI);
    riscv_csr_set(r, mip.row, 0, RV_IRQ_SEI | RV_IRQ_MSI);
    assert_int_equal(test_csr(r, RV_CSR_mip), RV_IRQ_SSI);
}

static void absent_features(void **state)
{
    struct vm *vm = test_vm("max,-sstc,-svadu,-svpbmt,-zicboz,-d,-f,-zfh,-zfhmin", 1, "fw", NULL);
    struct riscv_vcpu *r = test_hart(vm, 0);
    uint64_t v;

    (void)state;
    assert_false(test_csr_read(r, RV_CSR_stimecmp, &v));
    assert_false(test_csr_read(r, RV_CSR_fcsr, &v));
    assert_false(test_csr_read(r, RV_CSR_mtopi, &v));
    test_set(r, RV_CSR_menvcfg, UINT64_MAX);
    assert_int_equal(test_csr(r, RV_CSR_menvcfg), 0x71);
    test_set(r, RV_CSR_mstatus, RV_MSTATUS_FS);
    assert_int_equal(test_csr(r, RV_CSR_mstatus) & RV_MSTATUS_FS, 0);
    assert_int_equal(test_csr(r, RV_CSR_misa) & (RV_MISA_EXT('F') | RV_MISA_EXT('D')), 0);
    assert_true(r->v.mode & RISCV_MODE_NO_EXT(RV_EXT_ZICBOZ));
    vm_destroy(vm);
}

/* ---- traps ---- */

static void exception_delegation(void **state)
{
    struct riscv_vcpu *r = hart(state);

    r->mtvec = 0x1000;
    r->stvec = 0x2001;
    r->medeleg = BIT(RV_EXC_ECALL_U);
    r->mstatus |= RV_MSTATUS_SIE | RV_MSTATUS_MIE;
    test_priv(r, RV_PRIV_U);
    r->v.pc = 0x4444;
    riscv_trap(r, RV_EXC_ECALL_U, 0);
    assert_int_equal(r->priv, RV_PRIV_S);
    assert_int_equal(r->v.pc, 0x2000); /* exceptions are not vectored */
    assert_int_equal(r->sepc, 0x4444);
    assert_int_equal(r->scause, RV_EXC_ECALL_U);
    assert_int_equal(r->mstatus & (RV_MSTATUS_SIE | RV_MSTATUS_SPIE | RV_MSTATUS_SPP), RV_MSTATUS_SPIE);
    assert_int_equal(r->v.leave, 1);
    riscv_trap(r, RV_EXC_ILLEGAL_INSN, 0xabcd);
    assert_int_equal(r->priv, RV_PRIV_M);
    assert_int_equal(r->mtval, 0xabcd);
    assert_int_equal(rv_field_get(r->mstatus, RV_MSTATUS_MPP), RV_PRIV_S);
    riscv_trap(r, RV_EXC_ECALL_U, 0); /* never from M to S */
    assert_int_equal(r->priv, RV_PRIV_M);
}

static void returns(void **state)
{
    struct riscv_vcpu *r = hart(state);

    test_set(r, RV_CSR_mstatus, RV_MSTATUS_MPRV | RV_MSTATUS_MPIE | UINT64_C(1) << 11);
    assert_int_equal(r->v.mode >> 2 & 3, RV_PRIV_S); /* data as S by MPRV */
    r->mepc = 0x123456;
    riscv_mret(r);
    assert_int_equal(r->priv, RV_PRIV_S);
    assert_int_equal(r->v.pc, 0x123456);
    assert_int_equal(r->mstatus & (RV_MSTATUS_MPRV | RV_MSTATUS_MPP), 0);
    assert_int_equal(r->mstatus & (RV_MSTATUS_MIE | RV_MSTATUS_MPIE), RV_MSTATUS_MIE | RV_MSTATUS_MPIE);
    r->sepc = 0x99;
    riscv_sret(r);
    assert_int_equal(r->priv, RV_PRIV_U);
    assert_int_equal(r->mstatus & (RV_MSTATUS_SIE | RV_MSTATUS_SPIE), RV_MSTATUS_SPIE);
}

static void interrupt_priorities(void **state)
{
    struct riscv_vcpu *r = hart(state);

    r->mtvec = 0x1001;
    r->stvec = 0x2001;
    r->mideleg = RV_IRQ_SSI | RV_IRQ_SEI;
    r->mie = 0xaaa;
    atomic_store(&r->mip, RV_IRQ_SSI | RV_IRQ_SEI);
    assert_false(riscv_irq_ready(&r->v)); /* delegated: not in M */
    assert_true(riscv_irq_wakeup(&r->v));
    test_priv(r, RV_PRIV_S);
    assert_false(riscv_irq_ready(&r->v)); /* SIE is 0 */
    test_set(r, RV_CSR_sstatus, RV_MSTATUS_SIE);
    assert_true(atomic_load(&r->v.request) & VCPU_REQ_IRQ);
    riscv_irq_take(&r->v);
    assert_int_equal(r->scause, RV_CAUSE_INTERRUPT | RV_INT_SEI);
    assert_int_equal(r->v.pc, 0x2000 + 4 * RV_INT_SEI);
    atomic_fetch_or(&r->mip, RV_IRQ_MTI | RV_IRQ_MSI);
    assert_true(riscv_irq_ready(&r->v)); /* M's from S, whatever MIE */
    riscv_irq_take(&r->v);
    assert_int_equal(r->mcause, RV_CAUSE_INTERRUPT | RV_INT_MSI);
    assert_int_equal(r->v.pc, 0x1000 + 4 * RV_INT_MSI);
    assert_false(riscv_irq_ready(&r->v));
    assert_int_equal(riscv_irq_top(0xaaa), RV_INT_MEI);
    assert_int_equal(riscv_irq_top(RV_IRQ_STI | RV_IRQ_SSI), RV_INT_SSI);
    assert_int_equal(riscv_irq_top(0), -1);
}

static void injection(void **state)
{
    struct riscv_vcpu *r = hart(state);

    assert_int_equal(riscv_inject(&r->v, RISCV_INJECT_INTERRUPT, 4), -22);
    assert_int_equal(riscv_inject(&r->v, 77, 1), -22);
    assert_int_equal(riscv_inject(&r->v, RISCV_INJECT_INTERRUPT, 100), -22);
    assert_int_equal(riscv_inject(&r->v, RISCV_INJECT_INTERRUPT, RV_INT_SSI), 0);
    assert_int_equal(riscv_mip(r), RV_IRQ_SSI);
    assert_int_equal(riscv_inject(&r->v, RISCV_INJECT_CLEAR, RV_INT_SSI), 0);
    assert_int_equal(riscv_mip(r), 0);
}

/* ---- AIA ---- */

static unsigned claims;

static bool file_read(struct msi_file *f, uint64_t select, uint64_t *value)
{
    (void)f;
    *value = select * 2;
    return select >= 0x70;
}

static bool file_write(struct msi_file *f, uint64_t select, uint64_t value, uint64_t mask, uint64_t *old)
{
    (void)f, (void)value, (void)mask;
    *old = 0;
    return select >= 0x70;
}

static uint64_t file_top(struct msi_file *f, bool claim)
{
    (void)f;
    claims += claim;
    return 0x50005;
}

static void aia(void **state)
{
    static const struct msi_file_ops ops = {file_read, file_write, file_top};
    struct msi_file file = {&ops};
    struct vm *vm = test_vm("max", 1, "fw", "aia=aplic-imsic");
    struct riscv_vcpu *r = test_hart(vm, 0);
    struct riscv_csr_info c;
    uint64_t v;

    (void)state;
    r->v.msi[1] = &file;
    assert_false(test_csr_read(r, RV_CSR_mireg, &v)); /* select 0 */
    test_set(r, RV_CSR_siselect, 0x72);
    assert_int_equal(test_csr(r, RV_CSR_sireg), 0xe4);
    test_set(r, RV_CSR_siselect, 0x30);
    assert_int_equal(test_csr(r, RV_CSR_sireg), 0);
    assert_int_equal(test_csr(r, RV_CSR_stopei), 0x50005);
    assert_int_equal(claims, 0);
    assert_true(riscv_csr_lookup(RV_CSR_stopei, RV_PRIV_S, true, &c));
    assert_int_equal(c.how, RISCV_CSR_CLAIM);
    assert_true(riscv_csr_claim(r, c.row, &v));
    assert_int_equal(claims, 1);
    assert_false(test_csr_read(r, RV_CSR_mtopei, &v)); /* no file at M level here */
    r->mie = UINT64_MAX;
    atomic_store(&r->mip, RV_IRQ_MTI);
    assert_int_equal(test_csr(r, RV_CSR_mtopi), RV_INT_MTI << 16 | 1);
    assert_int_equal(test_csr(r, RV_CSR_stopi), 0);
    vm_destroy(vm);
}

/* Every number: lookups, reads and writes of random values keep the invariants and crash nothing. */
static void every_number(void **state)
{
    struct riscv_vcpu *r = hart(state);
    uint64_t x = 88172645463325252u, v;

    for (unsigned round = 0; round < 20; round++) {
        for (unsigned n = 0; n < 4096; n++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            test_priv(r, (unsigned[]){RV_PRIV_U, RV_PRIV_S, RV_PRIV_M, RV_PRIV_M}[x & 3]);
            test_csr_write(r, n, x);
            if (test_csr_read(r, n, &v))
                assert_true(r->priv >= rv_csr_privilege(n));
            assert_int_equal(r->v.mode, riscv_mode(r));
            assert_true(rv_field_get(r->mstatus, RV_MSTATUS_MPP) != 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(access_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(status_warl, setup, teardown),
        cmocka_unit_test_setup_teardown(storage, setup, teardown),
        cmocka_unit_test_setup_teardown(delegated_interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(satp_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(fp_state, setup, teardown),
        cmocka_unit_test_setup_teardown(counters, setup, teardown),
        cmocka_unit_test_setup_teardown(stimecmp, setup, teardown),
        cmocka_unit_test_setup_teardown(seip_has_two_sources, setup, teardown),
        cmocka_unit_test(absent_features),
        cmocka_unit_test_setup_teardown(exception_delegation, setup, teardown),
        cmocka_unit_test_setup_teardown(returns, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupt_priorities, setup, teardown),
        cmocka_unit_test_setup_teardown(injection, setup, teardown),
        cmocka_unit_test(aia),
        cmocka_unit_test_setup_teardown(every_number, setup, teardown),
    };

    return cmocka_run_group_tests_name("riscv64/csr", tests, NULL, NULL);
}
