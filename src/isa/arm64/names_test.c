/*
 * The tables of names: system registers and operations; granules and walks; syndromes; the disassembler with
 * a buffer too small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "isa/arm64/decode.h"
#include "isa/arm64/disasm.h"
#include "isa/arm64/dt.h"
#include "isa/arm64/esr.h"
#include "isa/arm64/fp.h"
#include "isa/arm64/psci.h"
#include "isa/arm64/pte.h"
#include "isa/arm64/sysreg.h"

static void sysreg_table(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        const char *name;
    } rows[] = {
#define A64_SYSREG(name, op0, op1, crn, crm, op2) {A64_SYSREG_##name, #name},
#include "isa/arm64/sysreg.def"
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (i)
            assert_true(rows[i - 1].code < rows[i].code); /* a64_sysreg_name() searches by halves */
        assert_string_equal(a64_sysreg_name(rows[i].code), rows[i].name);
        assert_int_equal(a64_sysreg_find(rows[i].name), rows[i].code);
    }
    assert_null(a64_sysreg_name(0));
    assert_null(a64_sysreg_name(0xffff));
    assert_null(a64_sysreg_name(0x12345));
    assert_int_equal(a64_sysreg_find("nothing"), -1);
}

static void sysop_table(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        const char *name;
    } rows[] = {
#define A64_SYSOP(kind, name, op1, crn, crm, op2) {A64_SYSOP_##kind##_##name, #kind " " #name},
#include "isa/arm64/sysop.def"
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (i)
            assert_true(rows[i - 1].code < rows[i].code);
        assert_string_equal(a64_sysop_name(rows[i].code), rows[i].name);
        assert_int_equal(a64_sysreg_op0(rows[i].code), 1);
    }
    assert_null(a64_sysop_name(A64_SYSREG_midr_el1));
}

static void sysreg_codes(void **state)
{
    (void)state;
    unsigned code = A64_SYSREG_cntv_cval_el0;

    assert_int_equal(a64_sysreg_op0(code), 3);
    assert_int_equal(a64_sysreg_op1(code), 3);
    assert_int_equal(a64_sysreg_crn(code), 14);
    assert_int_equal(a64_sysreg_crm(code), 3);
    assert_int_equal(a64_sysreg_op2(code), 2);
    assert_true(a64_sysreg_is_id(A64_SYSREG_id_aa64mmfr2_el1));
    assert_true(a64_sysreg_is_id(A64_SYSREG_CODE(3, 0, 0, 7, 7)));
    assert_false(a64_sysreg_is_id(A64_SYSREG_midr_el1));
    assert_false(a64_sysreg_is_id(A64_SYSREG_sctlr_el1));
}

static void fields(void **state)
{
    (void)state;
    assert_int_equal(a64_field_get(0x1234, A64_MASK(11, 8)), 2);
    assert_int_equal(a64_field_set(0x1234, A64_MASK(11, 8), 0x1f), 0x1f34);
    assert_true(A64_MASK(63, 0) == UINT64_MAX);
    assert_int_equal(a64_field_get(UINT64_MAX, A64_TTBR_ASID), 0xffff);
    assert_int_equal(A64_SCTLR_RES1, 0x30d00800); /* SCTLR_EL1 of Armv8.0: all bits that are RES1 */
}

/* What D8.2 tabulates: start levels by the size of the region, what a descriptor maps. */
static void walks(void **state)
{
    (void)state;
    static const struct {
        enum a64_granule granule;
        uint8_t va_bits, level;
    } starts[] = {
        {A64_GRANULE_4K, 48, 0},  {A64_GRANULE_4K, 40, 0},  {A64_GRANULE_4K, 39, 1},
        {A64_GRANULE_4K, 31, 1},  {A64_GRANULE_4K, 30, 2},  {A64_GRANULE_4K, 25, 2},
        {A64_GRANULE_16K, 48, 0}, {A64_GRANULE_16K, 47, 1}, {A64_GRANULE_16K, 37, 1},
        {A64_GRANULE_16K, 36, 2}, {A64_GRANULE_16K, 26, 2}, {A64_GRANULE_16K, 25, 3},
        {A64_GRANULE_64K, 48, 1}, {A64_GRANULE_64K, 43, 1}, {A64_GRANULE_64K, 42, 2},
        {A64_GRANULE_64K, 30, 2}, {A64_GRANULE_64K, 29, 3}, {A64_GRANULE_64K, 25, 3},
    };

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        assert_int_equal(a64_start_level(starts[i].granule, starts[i].va_bits), starts[i].level);
    assert_int_equal(a64_level_shift(A64_GRANULE_4K, 1), 30);
    assert_int_equal(a64_level_shift(A64_GRANULE_4K, 3), 12);
    assert_int_equal(a64_level_shift(A64_GRANULE_16K, 2), 25);
    assert_int_equal(a64_level_shift(A64_GRANULE_64K, 2), 29);
    assert_int_equal(a64_granule_tg0(0), A64_GRANULE_4K);
    assert_int_equal(a64_granule_tg0(1), A64_GRANULE_64K);
    assert_int_equal(a64_granule_tg1(1), A64_GRANULE_16K);
    assert_int_equal(a64_granule_tg1(2), A64_GRANULE_4K);
    assert_int_equal(a64_pa_bits[5], 48);
    assert_true(a64_mair_is_device(A64_MAIR_DEVICE_NGNRE));
    assert_false(a64_mair_is_device(A64_MAIR_NORMAL_NC));
}

static void syndromes(void **state)
{
    (void)state;
    assert_int_equal(a64_esr(A64_EC_SVC, 0x1234), 0x56001234);
    /* mrs x5, cntvct_el0, trapped */
    assert_int_equal(a64_esr_sysreg(A64_SYSREG_cntvct_el0, 5, true),
                     0x62000000 | 3 << 20 | 2 << 17 | 3 << 14 | 14 << 10 | 5 << 5 | 1);
    assert_int_equal(A64_EC_DATA_ABORT_LOWER | A64_EC_SAME_LEVEL, A64_EC_DATA_ABORT);
}

static void short_buffers(void **state)
{
    (void)state;
    struct a64_insn insn;
    char full[A64_DISASM_MAX], part[A64_DISASM_MAX];

    assert_true(a64_decode(0x4c402000, &insn)); /* ld1 {v0.16b-v3.16b}, [x0] */
    int length = a64_disasm(full, sizeof(full), &insn, 0);
    assert_string_equal(full, "ld1 {v0.16b-v3.16b}, [x0]");
    assert_int_equal(length, strlen(full));
    assert_int_equal(a64_disasm(NULL, 0, &insn, 0), length);
    for (size_t n = 1; n <= strlen(full); n++) {
        memset(part, 'x', sizeof(part));
        assert_int_equal(a64_disasm(part, n, &insn, 0), length);
        assert_int_equal(strlen(part), n - 1);
        assert_memory_equal(part, full, n - 1);
        assert_int_equal(part[n], 'x');
    }
    assert_true(a64_decode(0xd503201f, &insn));
    assert_int_equal(a64_disasm(full, sizeof(full), &insn, 0), 3);
    assert_string_equal(full, "nop");
    assert_int_equal(a64_disasm(part, 4, &insn, 0), 3);
    assert_string_equal(part, "nop");
    assert_false(a64_decode(0, &insn));
    a64_disasm(full, sizeof(full), &insn, 0);
    assert_string_equal(full, ".inst 0x00000000");
}

/* ADRP counts from its page. */
static void pc_relative(void **state)
{
    (void)state;
    struct a64_insn insn;
    char text[A64_DISASM_MAX];

    assert_true(a64_decode(0xb0000000, &insn));
    a64_disasm(text, sizeof(text), &insn, 0x40001234);
    assert_string_equal(text, "adrp x0, 0x40002000");
    assert_true(a64_decode(0x97ffffff, &insn));
    a64_disasm(text, sizeof(text), &insn, 0x40001234);
    assert_string_equal(text, "bl 0x40001230");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sysreg_table),  cmocka_unit_test(sysop_table), cmocka_unit_test(sysreg_codes),
        cmocka_unit_test(fields),        cmocka_unit_test(walks),       cmocka_unit_test(syndromes),
        cmocka_unit_test(short_buffers), cmocka_unit_test(pc_relative),
    };

    return cmocka_run_group_tests_name("isa arm64 names", tests, NULL, NULL);
}
