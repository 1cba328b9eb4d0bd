/*
 * The tables of names: CSRs, registers, translation modes; field helpers; what the disassembler does with a
 * buffer too small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "isa/riscv64/cause.h"
#include "isa/riscv64/csr.h"
#include "isa/riscv64/disasm.h"
#include "isa/riscv64/fp.h"
#include "isa/riscv64/pte.h"
#include "isa/riscv64/regs.h"

static void csr_table(void **state)
{
    (void)state;
    static const struct {
        unsigned number;
        const char *name;
    } rows[] = {
#define RV_CSR(csr, csr_name) {csr, #csr_name},
#include "isa/riscv64/csr.def"
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (i)
            assert_true(rows[i - 1].number < rows[i].number); /* rv_csr_name() searches by halves */
        assert_string_equal(rv_csr_name(rows[i].number), rows[i].name);
        assert_int_equal(rv_csr_find(rows[i].name), rows[i].number);
    }
    assert_null(rv_csr_name(0));
    assert_null(rv_csr_name(0xfff));
    assert_null(rv_csr_name(0x12345));
    assert_int_equal(rv_csr_find("nothing"), -1);
}

static void csr_access(void **state)
{
    (void)state;
    assert_int_equal(rv_csr_privilege(RV_CSR_cycle), RV_PRIV_U);
    assert_int_equal(rv_csr_privilege(RV_CSR_satp), RV_PRIV_S);
    assert_int_equal(rv_csr_privilege(RV_CSR_mstatus), RV_PRIV_M);
    assert_true(rv_csr_read_only(RV_CSR_cycle));
    assert_true(rv_csr_read_only(RV_CSR_mhartid));
    assert_false(rv_csr_read_only(RV_CSR_stimecmp));
}

static void fields(void **state)
{
    (void)state;
    uint64_t satp = rv_field_set(0, RV_SATP_MODE, RV_SATP_SV48);

    satp = rv_field_set(satp, RV_SATP_ASID, 0x1ffff); /* too wide: cut */
    satp = rv_field_set(satp, RV_SATP_PPN, 0x80200);
    assert_true(satp == UINT64_C(0x9ffff00000080200));
    assert_int_equal(rv_field_get(satp, RV_SATP_MODE), RV_SATP_SV48);
    assert_int_equal(rv_field_get(satp, RV_SATP_ASID), 0xffff);
    assert_int_equal(rv_field_get(satp, RV_SATP_PPN), 0x80200);
    assert_true((RV_SATP_MODE | RV_SATP_ASID | RV_SATP_PPN) == UINT64_MAX);
    assert_int_equal(RV_IRQ_SEI, 1 << RV_INT_SEI);
    assert_int_equal(RV_IRQ_STI, 1 << RV_INT_STI);
    assert_int_equal(RV_IRQ_SSI, 1 << RV_INT_SSI);
    assert_true(RV_MISA_EXT('C') == 4);
    assert_true((RV_SSTATUS_MASK & (RV_MSTATUS_MPP | RV_MSTATUS_MIE | RV_MSTATUS_TVM)) == 0);
    assert_true(RV_SSTATUS_MASK == UINT64_C(0x80000003000de762));
}

static void page_tables(void **state)
{
    (void)state;
    for (unsigned mode = RV_SATP_SV39; mode <= RV_SATP_SV57; mode++)
        assert_int_equal(rv_vm_modes[mode].va_bits, RV_PAGE_SHIFT + RV_LEVEL_BITS * rv_vm_modes[mode].levels);
    assert_int_equal(rv_vm_modes[1].levels, 0);
    assert_null(rv_vm_modes[1].name);
    assert_true((RV_PTE_PPN | RV_PTE_RESERVED | RV_PTE_PBMT | RV_PTE_N | 0x3ff) == UINT64_MAX);
    assert_int_equal(rv_pte_ppn(0x200000cf), 0x80000);
    assert_true(rv_pte_is_table(RV_PTE_V | RV_PTE_G));
    assert_false(rv_pte_is_table(RV_PTE_V | RV_PTE_X));
    assert_false(rv_pte_is_table(0));
}

static void register_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RV_REG_COUNT; i++)
        for (unsigned j = 0; j < RV_REG_COUNT; j++) {
            assert_int_equal(strcmp(rv_reg_names[i], rv_reg_names[j]) == 0, i == j);
            assert_int_equal(strcmp(rv_freg_names[i], rv_freg_names[j]) == 0, i == j);
        }
    assert_string_equal(rv_reg_names[RV_REG_A7], "a7");
    assert_string_equal(rv_reg_names[RV_REG_S0], "s0");
}

static void disasm_cuts(void **state)
{
    (void)state;
    const char *whole = "addi sp,sp,-16";
    struct rv_insn insn;
    char buf[RV_DISASM_MAX];

    assert_true(rv_decode(0xff010113, &insn));
    for (size_t n = 0; n < sizeof(buf); n++) {
        memset(buf, '#', sizeof(buf));
        assert_int_equal(rv_disasm(buf, n, &insn, 0), strlen(whole));
        if (n)
            assert_int_equal(strncmp(buf, whole, n - 1), 0);
        assert_int_equal(buf[n], '#');
        if (n)
            assert_int_equal(strlen(buf), MIN(n - 1, strlen(whole)));
    }
    rv_decode(0xffffffff, &insn);
    rv_disasm(buf, sizeof(buf), &insn, 0);
    assert_string_equal(buf, ".4byte 0xffffffff");
    rv_decode(0x8330000f, &insn);
    rv_disasm(buf, sizeof(buf), &insn, 0);
    assert_string_equal(buf, "fence.tso");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csr_table),   cmocka_unit_test(csr_access),     cmocka_unit_test(fields),
        cmocka_unit_test(page_tables), cmocka_unit_test(register_names), cmocka_unit_test(disasm_cuts),
    };

    return cmocka_run_group_tests_name("isa riscv64 names", tests, NULL, NULL);
}
