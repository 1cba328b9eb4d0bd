/* Every encoding lifts to IR that verifies and ends as shape() said, in every mode; what some of them lift
 * to. */
#include "guest/riscv64/hart_test.h"
#include "guest/riscv64/lift.h"

#define OPS 64

static struct ir_op ops[OPS];
static struct ir_block blocks[2];
static struct ir_unit unit = {.ops = ops, .op_max = OPS, .blocks = blocks, .block_max = 2};

#define MODE_S (RV_PRIV_S | RV_PRIV_S << 2 | RISCV_MODE_DATA_VM | (uint64_t)RISCV_FS_DIRTY << 7)

static void lift_at(uint32_t raw, uint64_t mode, int32_t offset)
{
    ir_unit_clear(&unit);
    unit.mode = mode;
    ir_block_begin(&unit, offset);
    lift_riscv64.lift(&unit, mode, offset, (const uint8_t *)&raw, 4);
    assert_false(unit.overflow);
}

static bool is_end(const struct ir_op *op)
{
    return ir_opinfo[op->op].effects & IR_E_END;
}

/* Lifts, checks that the end agrees with shape(), adds an end where there is none, and verifies. */
static void check(uint32_t raw, uint64_t mode)
{
    struct insn_shape s;
    char why[160] = "";
    bool ended;

    lift_riscv64.shape(mode, (const uint8_t *)&raw, 4, &s);
    assert_int_equal(s.len, rv_insn_len((uint16_t)raw));
    lift_at(raw, mode, 0x100);
    assert_int_equal(ops[0].op, IR_INSN);
    assert_int_equal(ops[0].aux, s.len);
    ended = is_end(&ops[unit.op_count - 1]);
    assert_int_equal(ended, s.kind != INSN_PLAIN);
    if (s.kind == INSN_BRANCH)
        assert_int_equal(ops[unit.op_count - 1].imm >> 32, 0x100 + s.target);
    if (s.kind == INSN_JUMP)
        assert_int_equal(ops[unit.op_count - 1].imm, 0x100 + s.target);
    if (!ended)
        ir_emit(&unit, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0x104);
    if (ir_verify(&unit, why, sizeof(why)))
        fail_msg("%08x in mode %llx: %s", raw, (unsigned long long)mode, why);
    for (unsigned i = 0; i < unit.op_count; i++) {
        if (ops[i].op != IR_CALL)
            continue;
        assert_true(ops[i].imm < RVH_COUNT);
        assert_int_equal((ops[i].a != IR_REF_NONE) + (ops[i].b != IR_REF_NONE) + (ops[i].c != IR_REF_NONE),
                         riscv_helpers[ops[i].imm].args);
    }
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
    static const uint8_t privs[] = {RV_PRIV_U, RV_PRIV_S, RV_PRIV_M, RV_PRIV_S};
    uint64_t r = next(x);
    uint64_t mode = (r & 0xffff & ~UINT64_C(0x18f)) | privs[r >> 20 & 3] | (uint64_t)privs[r >> 22 & 3] << 2;

    mode |= (r >> 24) % 3 << 7;
    return r >> 60 ? mode : mode | (r >> 16 & UINT64_C(0x003fffff00000000));
}

static void every_instruction(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    for (unsigned id = 1; id < RV_ID_COUNT; id++) {
        for (unsigned i = 0; i < 300; i++) {
            uint32_t raw = ((uint32_t)next(&x) & ~rv_insn_descs[id].mask) | rv_insn_descs[id].match;

            check(raw, i < 50 ? MODE_S : random_mode(&x));
        }
    }
}

/* In M-mode with everything on, every row of the decoder has a way to lift. */
static void none_is_missing(void **state)
{
    uint64_t mode = RV_PRIV_M | RV_PRIV_M << 2 | (uint64_t)RISCV_FS_DIRTY << 7 | RISCV_MODE_CBZE |
                    RISCV_MODE_CBCFE | RISCV_MODE_CBIE;

    (void)state;
    for (unsigned id = 1; id < RV_ID_COUNT; id++) {
        struct rv_insn i;
        uint32_t raw = rv_insn_descs[id].match;

        /* A CSR that there is. */
        if (rv_insn_descs[id].ext == RV_EXT_ZICSR)
            raw |= (uint32_t)RV_CSR_mscratch << 20;
        rv_decode(raw, &i);
        lift_at(raw, mode, 0);
        for (unsigned k = 0; k < unit.op_count; k++) {
            if (ops[k].op == IR_CALL && ops[k].imm == RVH_ILLEGAL)
                fail_msg("%s (%08x) does not lift", rv_insn_descs[id].name, raw);
        }
    }
}

static void all_compressed(void **state)
{
    uint64_t x = 7;

    (void)state;
    for (uint32_t raw = 0; raw < 0x10000; raw++) {
        if ((raw & 3) != 3) {
            check(raw, MODE_S);
            check(raw, random_mode(&x));
        }
    }
}

static void random_words(void **state)
{
    uint64_t x = 99;

    (void)state;
    for (unsigned i = 0; i < 300000; i++)
        check((uint32_t)next(&x), random_mode(&x));
}

static void short_reads(void **state)
{
    const uint8_t addi[] = {0x13, 0x05, 0x15, 0x00}, c_li[] = {0x05, 0x45};
    struct insn_shape s;

    (void)state;
    for (unsigned avail = 0; avail < 4; avail++) {
        lift_riscv64.shape(MODE_S, addi, avail, &s);
        assert_int_equal(s.len, 0);
    }
    lift_riscv64.shape(MODE_S, c_li, 2, &s);
    assert_int_equal(s.len, 2);
}

/* The opcodes of a lifted instruction, INSN apart. */
static void expect(uint32_t raw, uint64_t mode, const char *want)
{
    char got[256] = "";

    lift_at(raw, mode, 0);
    for (unsigned i = 1; i < unit.op_count; i++) {
        strcat(got, i > 1 ? " " : "");
        strcat(got, ir_opinfo[ops[i].op].name);
    }
    assert_string_equal(got, want);
}

static void texts(void **state)
{
    uint64_t clean = MODE_S - (UINT64_C(1) << 7), off = clean - (UINT64_C(1) << 7);

    (void)state;
    expect(0x00150513, MODE_S, "get const add put");                   /* addi a0, a0, 1 */
    expect(0x00100013, MODE_S, "const const add");                     /* addi x0, x0, 1 */
    expect(0x0000b503, MODE_S, "get load put");                        /* ld a0, 0(ra) */
    expect(0x0000b003, MODE_S, "get load");                            /* ld x0, 0(ra): may fault */
    expect(0x00008067, MODE_S, "get const and jumpi");                 /* ret */
    expect(0x14021573, MODE_S, "get get put put");                     /* csrrw a0, sscratch, tp */
    expect(0x10017073, MODE_S, "get const and put");                   /* csrci sstatus, 2 */
    expect(0x10016073, MODE_S, "const sync get const and const call"); /* csrsi sstatus, 2 */
    expect(0xc0102573, MODE_S, "sync const call put");                 /* rdtime a0 */
    expect(0x02b57553, MODE_S, "get get fadd put");                    /* fadd.d fa0, fa0, fa1 */
    expect(0x02b57553, clean, "sync call dispatch");
    expect(0x02b57553, off, "sync const call dispatch");
    expect(0x30200073, MODE_S, "sync const call dispatch"); /* mret in S: illegal */
    expect(0x0ff0000f, MODE_S, "fence");
    expect(0x8330000f, MODE_S, "fence fence");        /* fence.tso */
    expect(0x00000073, MODE_S, "sync call dispatch"); /* ecall */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction), cmocka_unit_test(none_is_missing),
        cmocka_unit_test(all_compressed),    cmocka_unit_test(random_words),
        cmocka_unit_test(short_reads),       cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests_name("riscv64/lift", tests, NULL, NULL);
}
