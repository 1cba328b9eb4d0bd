/* Every encoding lifts to IR that verifies and ends as shape() said, in every mode (undefined ones may end
 * where it did not say so); what some of them lift to. */
#include "guest/arm64/pe_test.h"
#include "guest/arm64/lift.h"
#include "isa/arm64/sysreg.h"

#define OPS 200

static struct ir_op ops[OPS];
static struct ir_block blocks[2];
static struct ir_unit unit = {.ops = ops, .op_max = OPS, .blocks = blocks, .block_max = 2};

#define MODE_EL1 (UINT64_C(1) | ARM64_MODE_SPSEL | ARM64_MODE_MMU)

static void lift_at(uint32_t raw, uint64_t mode, int32_t offset)
{
    ir_unit_clear(&unit);
    unit.mode = mode;
    ir_block_begin(&unit, offset);
    lift_arm64.lift(&unit, mode, offset, (const uint8_t *)&raw, 4);
    assert_false(unit.overflow);
}

/* Without INSN, and appended to what is there. */
static void lift_more(uint32_t raw, uint64_t mode, int32_t offset)
{
    lift_arm64.lift(&unit, mode, offset, (const uint8_t *)&raw, 4);
    assert_false(unit.overflow);
}

static const struct ir_op *last(void)
{
    return &ops[unit.op_count - 1];
}

static bool is_end(const struct ir_op *op)
{
    return ir_opinfo[op->op].effects & IR_E_END;
}

static void check_calls(void)
{
    for (unsigned i = 0; i < unit.op_count; i++) {
        if (ops[i].op != IR_CALL)
            continue;
        assert_true(ops[i].imm < A64H_COUNT);
        assert_int_equal((ops[i].a != IR_REF_NONE) + (ops[i].b != IR_REF_NONE) + (ops[i].c != IR_REF_NONE),
                         arm64_helpers[ops[i].imm].args);
    }
}

/*
 * What an engine may leave to another one has to come before the first write of a register: the instruction
 * is then done again from its start. Loads and stores that only move data may repeat.
 */
static void check_order(uint32_t raw)
{
    bool written = false;

    for (unsigned i = 0; i < unit.op_count; i++) {
        unsigned effects = ir_opinfo[ops[i].op].effects;

        written |= ops[i].op == IR_PUT;
        if (written && effects & IR_E_FAULT)
            fail_msg("%08x: %s stands behind a write", raw, ir_opinfo[ops[i].op].name);
    }
}

static bool lifts_to(enum arm64_helper h)
{
    for (unsigned i = 0; i < unit.op_count; i++) {
        if (ops[i].op == IR_CALL && ops[i].imm == h)
            return true;
    }
    return false;
}

/* Lifts, checks that the end agrees with shape(), adds an end where there is none, and verifies. */
static void check(uint32_t raw, uint64_t mode)
{
    struct insn_shape s;
    char why[160] = "";
    bool ended;

    lift_arm64.shape(mode, (const uint8_t *)&raw, 4, &s);
    assert_int_equal(s.len, 4);
    lift_at(raw, mode, 0x100);
    assert_int_equal(ops[0].op, IR_INSN);
    assert_int_equal(ops[0].aux, s.len);
    ended = is_end(last());
    if (ended != (s.kind != INSN_PLAIN) && !(ended && lifts_to(A64H_UNDEFINED)))
        fail_msg("%08x in mode %llx: ends %d, shape %u", raw, (unsigned long long)mode, ended, s.kind);
    if (s.kind == INSN_BRANCH)
        assert_int_equal(last()->imm >> 32, 0x100 + s.target);
    if (s.kind == INSN_JUMP)
        assert_int_equal(last()->imm, 0x100 + s.target);
    check_order(raw);
    if (!ended)
        ir_emit(&unit, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0x104);
    if (ir_verify(&unit, why, sizeof(why)))
        fail_msg("%08x in mode %llx: %s", raw, (unsigned long long)mode, why);
    check_calls();
}

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* Any bits that a mode word can have. */
static uint64_t random_mode(uint64_t *x)
{
    uint64_t r = next(x), mode = (r & 0x01fffff8) | (r >> 40 & 1);

    if (mode & 1)
        mode |= r & (ARM64_MODE_SPSEL);
    if (r >> 44 & 7) /* what raises at each instruction is rare */
        mode &= ~(ARM64_MODE_IL | ARM64_MODE_STEP_TRAP | ARM64_MODE_FP_TRAP);
    return r >> 60 ? mode : mode | (next(x) & UINT64_C(0x7fffffff00000000));
}

static void every_instruction(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    for (unsigned id = 1; id < A64_ID_COUNT; id++) {
        for (unsigned i = 0; i < 200; i++) {
            uint32_t raw = ((uint32_t)next(&x) & ~a64_insn_descs[id].mask) | a64_insn_descs[id].match;

            check(raw, i < 50 ? MODE_EL1 : random_mode(&x));
        }
    }
}

static void any_bits(void **state)
{
    uint64_t x = 1;

    (void)state;
    for (unsigned i = 0; i < 200000; i++)
        check((uint32_t)next(&x), random_mode(&x));
}

/* At EL1 with everything on, every row of the decoder has a way to lift. */
static void none_is_missing(void **state)
{
    static const uint16_t undefined[] = {A64_HLT,  A64_DCPS1, A64_DCPS2, A64_DCPS3, A64_DRPS,
                                         A64_SYSL, A64_SYS,   A64_MSR,   A64_MRS};
    uint64_t x = 7;

    (void)state;
    for (unsigned id = 1; id < A64_ID_COUNT; id++) {
        bool known = false, lifts = false;

        for (unsigned i = 0; i < ARRAY_SIZE(undefined); i++)
            known |= undefined[i] == id;
        for (unsigned i = 0; i < 500 && !lifts; i++) {
            uint32_t raw = ((uint32_t)next(&x) & ~a64_insn_descs[id].mask) | a64_insn_descs[id].match;

            lift_at(raw, MODE_EL1, 0);
            lifts = !lifts_to(A64H_UNDEFINED);
        }
        if (!lifts && !known)
            fail_msg("%s does not lift", a64_insn_descs[id].name);
    }
}

/* ---- what is done instead ---- */

static void gates(void **state)
{
    const uint32_t add = 0x8b020020, fadd = 0x1e622820, eret = 0xd69f03e0, paciasp = 0xd503233f;

    (void)state;
    lift_at(add, MODE_EL1 | ARM64_MODE_IL, 0);
    assert_true(lifts_to(A64H_ILLEGAL_STATE));
    lift_at(add, MODE_EL1 | ARM64_MODE_IL | ARM64_MODE_STEP_TRAP, 0);
    assert_true(lifts_to(A64H_STEP_TRAP));
    lift_at(add, MODE_EL1, 2);
    assert_true(lifts_to(A64H_PC_MISALIGNED));
    lift_at(fadd, MODE_EL1 | ARM64_MODE_FP_TRAP, 0);
    assert_true(lifts_to(A64H_FP_TRAP));
    lift_at(eret, 0, 0);
    assert_true(lifts_to(A64H_UNDEFINED));
    lift_at(paciasp, MODE_EL1 | ARM64_MODE_NO_EXT(A64_EXT_PAUTH), 0);
    assert_int_equal(unit.op_count, 1);
    lift_at(fadd, MODE_EL1 | ARM64_MODE_NO_EXT(A64_EXT_FP), 0);
    assert_true(lifts_to(A64H_UNDEFINED));
}

static void steps(void **state)
{
    const uint32_t add = 0x8b020020, cbz = 0xb4000040;

    (void)state;
    lift_at(add, MODE_EL1 | ARM64_MODE_STEP, 0);
    assert_true(lifts_to(A64H_STEP_BEGIN) && lifts_to(A64H_STEP_END));
    assert_int_equal(last()->op, IR_DISPATCH);
    lift_at(cbz, MODE_EL1 | ARM64_MODE_STEP, 0);
    assert_true(lifts_to(A64H_STEP_END));
    assert_int_equal(last()->op, IR_DISPATCH);
}

/* ---- flags ---- */

/* A comparison and the branch on it become one; without it the flags come from the slot. */
static void fused_conditions(void **state)
{
    const uint32_t cmp = 0xeb02003f, b_lt = 0x5400004b, b_mi = 0x54000044, ands = 0xea02003f,
                   csel = 0x9a82b020;

    (void)state;
    lift_at(cmp, MODE_EL1, 0);
    lift_more(b_lt, MODE_EL1, 4);
    assert_int_equal(last()->op, IR_BRANCH);
    assert_int_equal(last()->aux, IR_LTS);
    lift_at(cmp, MODE_EL1, 0);
    lift_more(b_mi, MODE_EL1, 4); /* the sign of the difference */
    assert_int_equal(last()->op, IR_BRANCH);
    assert_int_equal(last()->aux, IR_LTS);
    assert_int_equal(ops[last()->a].op, IR_SUB);
    lift_at(ands, MODE_EL1, 0);
    lift_more(b_lt, MODE_EL1, 4);
    assert_int_equal(last()->op, IR_BRANCH);
    lift_at(b_lt, MODE_EL1, 4);
    assert_int_equal(last()->op, IR_BRANCHF);
    lift_at(cmp, MODE_EL1, 0);
    lift_more(csel, MODE_EL1, 4);
    for (unsigned i = 0; i < unit.op_count; i++)
        assert_int_not_equal(ops[i].op, IR_FCOND);
}

/* ---- order of memory ---- */

static unsigned memory_aux(uint32_t raw)
{
    lift_at(raw, MODE_EL1, 0);
    for (unsigned i = 0; i < unit.op_count; i++) {
        if (ops[i].op >= IR_LOAD && ops[i].op <= IR_FENCE)
            return ops[i].aux;
    }
    return 0;
}

static void orders(void **state)
{
    (void)state;
    assert_int_equal(memory_aux(0xc8dffc20), 3 | IR_MEM_ALIGNED | IR_MEM_ACQ); /* ldar x0, [x1] */
    assert_int_equal(memory_aux(0xc89ffc20),
                     3 | IR_MEM_ALIGNED | IR_MEM_ACQ | IR_MEM_REL);                /* stlr x0, [x1] */
    assert_int_equal(memory_aux(0xf9400020), 3);                                   /* ldr x0, [x1] */
    assert_int_equal(memory_aux(0xd5033bbf), 0xff);                                /* dmb ish */
    assert_int_equal(memory_aux(0xd50339bf), (IR_FENCE_R | IR_FENCE_I) << 4 | 15); /* dmb ishld */
    assert_int_equal(memory_aux(0xd5033abf), (IR_FENCE_W | IR_FENCE_O) * 0x11);    /* dmb ishst */
}

static void sp_alignment(void **state)
{
    (void)state;
    lift_at(0xf94003e0, MODE_EL1 | ARM64_MODE_SP_ALIGN, 0); /* ldr x0, [sp] */
    assert_int_equal(ops[4].op, IR_GUARD);
    lift_at(0xf9400020, MODE_EL1 | ARM64_MODE_SP_ALIGN, 0);
    for (unsigned i = 0; i < unit.op_count; i++)
        assert_int_not_equal(ops[i].op, IR_GUARD);
}

/* Instructions of several operations, that are no call. */
static void without_calls(void **state)
{
    static const uint32_t words[] = {
        0x4e22dc20, /* fmulx v0.4s, v1.4s, v2.4s */
        0x7fc29820, /* fmulx d0, d1, v2.d[1] */
        0x4e62fc20, /* frecps v0.2d, v1.2d, v2.2d */
        0x5ea2fc20, /* frsqrts s0, s1, s2 */
        0x1e18e420, /* fcvtzs w0, s1, #7 */
        0x9e590020, /* fcvtzu x0, d1, #64 */
        0x4f38fc20, /* fcvtzs v0.4s, v1.4s, #8 */
        0x7f7dfc20, /* fcvtzu d0, d1, #3 */
        0x1e68c020, /* frint32x d0, d1 */
        0x0e21f820, /* frint64z v0.2s, v1.2s */
        0x1e7e0020, /* fjcvtzs w0, d1 */
        0x4e225c20, /* sqrshl v0.16b, v1.16b, v2.16b */
        0x7ee24c20, /* uqshl d0, d1, d2 */
        0x6f136420, /* sqshlu v0.8h, v1.8h, #3 */
        0x4ea03820, /* suqadd v0.4s, v1.4s */
        0x7e203820, /* usqadd b0, b1 */
        0x5ee24420, /* sshl d0, d1, d2 */
        0x4ee25420, /* srshl v0.2d, v1.2d, v2.2d */
    };

    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(words); n++) {
        lift_at(words[n], MODE_EL1, 0);
        for (unsigned i = 0; i < unit.op_count; i++) {
            if (ops[i].op == IR_CALL)
                fail_msg("%08x calls %s", words[n], arm64_helpers[ops[i].imm].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction),
        cmocka_unit_test(any_bits),
        cmocka_unit_test(none_is_missing),
        cmocka_unit_test(gates),
        cmocka_unit_test(steps),
        cmocka_unit_test(fused_conditions),
        cmocka_unit_test(orders),
        cmocka_unit_test(sp_alignment),
        cmocka_unit_test(without_calls),
    };

    return cmocka_run_group_tests_name("guest/arm64/lift", tests, NULL, NULL);
}
