/* Printer and parser against one another, and what each of parser and verifier refuses. */
#include "ir/ir_test.h"

/* The cases that decide whether the IR is enough for the other ISAs. */
static const char adc_chain[] = "unit mode=0x0\n"
                                "block +0\n"
                                "  insn +0 len=4\n"
                                "  v1 = get.i64 slot=512\n"
                                "  v2 = get.i64 slot=520\n"
                                "  v3 = flags.i64 v1, v2\n"
                                "  v4 = add.i64 v1, v2\n"
                                "  put.i64 v4 slot=512\n"
                                "  insn +4 len=4\n"
                                "  v7 = get.i64 slot=528\n"
                                "  v8 = get.i64 slot=536\n"
                                "  v9 = fcond.none v3 aux=2\n"
                                "  v10 = addc.i64 v7, v8, v9\n"
                                "  v11 = flagsc.i64 v7, v8, v9 aux=3\n"
                                "  put.i64 v10 slot=528\n"
                                "  v13 = fpack v11\n"
                                "  put.i64 v13 slot=600\n"
                                "  jump +8\n";

static const char rep_movsb[] = "unit mode=0x5\n"
                                "block +16\n"
                                "  insn +16 len=2\n"
                                "  v1 = get.i64 slot=512\n"
                                "  v2 = get.i64 slot=520\n"
                                "  v3 = get.i64 slot=528\n"
                                "  v4 = load.i64 v1\n"
                                "  store.i64 v2, v4\n"
                                "  v6 = const.i64 1\n"
                                "  v7 = add.i64 v1, v6\n"
                                "  put.i64 v7 slot=512\n"
                                "  v9 = add.i64 v2, v6\n"
                                "  put.i64 v9 slot=520\n"
                                "  v11 = sub.i64 v3, v6\n"
                                "  put.i64 v11 slot=528\n"
                                "  v13 = const.i64 0\n"
                                "  branch.i64 v11, v13 aux=1 taken=+16 else=+18\n";

static void round_trip(const char *text)
{
    struct test_unit a, b;
    char first[8192], second[8192];

    unit_parse(&a, text);
    assert_true(ir_print(&a.u, first, sizeof(first)) < (int)sizeof(first));
    unit_parse(&b, first);
    ir_print(&b.u, second, sizeof(second));
    assert_string_equal(first, second);
    assert_int_equal(a.u.op_count, b.u.op_count);
    assert_memory_equal(a.ops, b.ops, a.u.op_count * sizeof(a.ops[0]));
    assert_int_equal(a.u.mode, b.u.mode);
}

static void hard_cases(void **state)
{
    (void)state;
    round_trip(rep_movsb);
    round_trip("block -2\n insn -2 len=4\n v1=const.i64 -9223372036854775808\n jumpi v1 aux=2\n"
               "block +8\n insn +8 len=4\n dispatch # comment\n\n");
}

/* Each operation of the table, with operands made to its signature. */
static ir_ref operand_for(struct ir_unit *u, char letter, enum ir_type own)
{
    switch (letter) {
    case 't':
        if (own == IRT_FLAGS)
            break;
        return ir_get(u, own, 512);
    case 'w':
        return ir_get(u, IRT_I32, 520);
    case 'i':
        return ir_get(u, IRT_I64, 528);
    case 'f':
        return ir_emit(u, IR_FUNPACK, IRT_NONE, 0, ir_get(u, IRT_I64, 536), IR_REF_NONE, IR_REF_NONE, 0);
    case 'v':
        return ir_get(u, IRT_V128, 544);
    case 'q':
        return ir_get(u, IRT_I128, 560);
    case 'd':
        return ir_get(u, IRT_F64, 576);
    }
    return ir_get(u, own == IRT_F16 || own == IRT_F32 || own == IRT_F64 ? own : IRT_I64, 584);
}

static enum ir_type type_for(unsigned op)
{
    if ((op >= IR_FADD && op <= IR_UNBOX) || op == IR_STORE2)
        return IRT_F32;
    if (op == IR_INSN || op == IR_SYNC || op == IR_FENCE || op == IR_JUMP || op == IR_DISPATCH ||
        op == IR_JUMPI)
        return IRT_NONE;
    return IRT_I64;
}

static unsigned aux_for(unsigned op)
{
    if (op >= IR_VADD && op <= IR_VZEXT)
        return op == IR_VCLMULL ? 64 : 8;
    if (op >= IR_VFADD && op <= IR_VFNARROW)
        return 1 << IR_VF_FORMAT;
    switch (op) {
    case IR_SEXT:
    case IR_ZEXT:
        return 16;
    case IR_INSERT:
    case IR_EXTRACT:
        return 8 << 8 | 8;
    case IR_LOAD:
    case IR_STORE:
    case IR_STORE2:
    case IR_AMO:
    case IR_CAS:
    case IR_LR:
    case IR_SC:
        return 3;
    }
    return 0;
}

static void every_operation(void **state)
{
    (void)state;
    for (unsigned op = 0; op < IR_OPS; op++) {
        const char *sig = ir_opinfo[op].sig + 2;
        enum ir_type type = type_for(op);
        ir_ref r[3] = {IR_REF_NONE, IR_REF_NONE, IR_REF_NONE};
        struct test_unit t;
        struct ir_unit *u = unit_new(&t);
        char text[4096], why[160];

        ir_block_begin(u, 0);
        ir_insn(u, 0, 4);
        for (unsigned i = 0; sig[i]; i++)
            r[i] = operand_for(u, sig[i], type);
        if (op == IR_INSN)
            ir_insn(u, 4, 4);
        else
            ir_emit(u, (enum ir_opcode)op, type, aux_for(op), r[0], r[1], r[2],
                    op == IR_GET || op == IR_PUT ? 512
                    : op == IR_VREV              ? 32
                                                 : 0);
        if (!(ir_opinfo[op].effects & IR_E_END))
            ir_emit(u, IR_DISPATCH, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
        if (ir_verify(u, why, sizeof(why)))
            fail_msg("%s: %s", ir_opinfo[op].name, why);
        ir_print(u, text, sizeof(text));
        round_trip(text);
    }
}

static void flag_chain(void **state)
{
    struct test_unit t;

    (void)state;
    round_trip(adc_chain);
    unit_parse(&t, adc_chain);
    assert_int_equal(t.u.blocks[0].insns, 2);
}

static void parser_refuses(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"block +0\n  nonsense\n", "line 2: no such operation"},
        {"block +0\n insn +0 len=4\n put.i64 v7 slot=512\n", "line 3: a value is used before"},
        {"block x\n", "line 1: a number is missing"},
        {"block +0\n v1 get.i64 slot=8\n", "'=' is missing"},
        {"block +0\n v1 = get.i99 slot=8\n", "no such type"},
        {"block +0\n v1 = get.i64 slot=\n", "a number is missing"},
        {"block +0\n v99999 = get.i64 slot=8\n", "too large"},
        {"  dispatch\n", "outside a block"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct test_unit t;
        char why[160] = "";

        assert_int_not_equal(ir_parse(unit_new(&t), rows[i].text, why, sizeof(why)), 0);
        if (!strstr(why, rows[i].word))
            fail_msg("row %zu: \"%s\"", i, why);
    }
}

static void verifier_refuses(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"", "no blocks"},
        {"block +0\n dispatch\n", "begins with insn"},
        {"block +0\n insn +0 len=4\n", "no end"},
        {"block +0\n insn +0 len=4\n dispatch\n dispatch\n", "an end inside"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\nblock +4\n insn +4 len=4\n dispatch\n", "no end"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n jump +4\n"
         "block +4\n insn +4 len=4\n put.i64 v1 slot=8\n dispatch\n",
         "not defined before it in its block"},
        {"block +0\n insn +0 len=4\n v1=get.i32 slot=8\n v2=add.i64 v1, v1\n dispatch\n", "wrong type"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=add.i64 v1\n dispatch\n", "missing"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=neg.i64 v1, v1\n dispatch\n", "more operands"},
        {"block +0\n insn +0 len=4\n v1=get.f64 slot=8\n v2=add.f64 v1, v1\n dispatch\n", "not an integer"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=99999\n dispatch\n", "out of reach"},
        {"block +0\n insn +0 len=4\n v1=get.i32 slot=8\n v2=get.i64 slot=8\n v3=load.i32 v2 aux=3\n "
         "dispatch\n",
         "wider than its value"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=sext.i64 v1 aux=7\n dispatch\n", "source width"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=extract.i64 v1 aux=65\n dispatch\n",
         "leaves the value"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=bitcast.f32 v1\n dispatch\n", "sizes differ"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n branch.i64 v1, v1 aux=10\n", "no such comparison"},
        {"block +0\n insn +0 len=4\n v1=get.f64 slot=8\n v2=fadd.f64 v1, v1 aux=6\n dispatch\n",
         "no such rounding"},
        {"block +0\n insn +0 len=4\n v1=get.v128 slot=16\n v2=vadd.v128 v1, v1 aux=7\n dispatch\n",
         "lane width"},
        {"block +0\n insn +0 len=4\n v1=get.v128 slot=16\n v2=vlane.v128 v1 aux=32 imm=4\n dispatch\n",
         "no such lane"},
        {"block +0\n insn +0 len=4\n v1=get.i64 slot=8\n v2=amo.i64 v1, v1 aux=0xf03\n dispatch\n",
         "atomic operation"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct test_unit t;
        char why[160] = "";

        if (ir_parse(unit_new(&t), rows[i].text, why, sizeof(why)))
            fail_msg("row %zu does not parse: %s", i, why);
        assert_int_not_equal(ir_verify(&t.u, why, sizeof(why)), 0);
        if (!strstr(why, rows[i].word))
            fail_msg("row %zu: \"%s\"", i, why);
    }
}

static void overflows(void **state)
{
    struct test_unit t;
    struct ir_unit *u = unit_new(&t);
    char why[160];

    (void)state;
    u->op_max = 3;
    ir_block_begin(u, 0);
    for (unsigned i = 0; i < 5; i++)
        ir_insn(u, 0, 4);
    assert_true(u->overflow);
    assert_int_equal(u->op_count, 3);
    assert_int_not_equal(ir_verify(u, why, sizeof(why)), 0);
    ir_unit_clear(u);
    assert_false(u->overflow);
    for (unsigned i = 0; i < 40; i++)
        ir_block_begin(u, 0);
    assert_true(u->overflow);
}

/* Random bytes and damaged good text: an answer, never a crash; what parses and verifies prints again. */
static void damaged_text(void **state)
{
    char text[2048], why[160], out[65536];

    (void)state;
    srandom(1);
    for (unsigned n = 0; n < 20000; n++) {
        struct test_unit t;
        size_t len = sizeof(adc_chain) - 1;

        memcpy(text, n & 1 ? adc_chain : rep_movsb, n & 1 ? sizeof(adc_chain) : sizeof(rep_movsb));
        len = strlen(text);
        for (unsigned k = random() % 6; k; k--)
            text[(size_t)random() % len] = (char)(random() % 8 ? 32 + random() % 95 : random());
        if (!ir_parse(unit_new(&t), text, why, sizeof(why)) && !ir_verify(&t.u, why, sizeof(why)))
            ir_print(&t.u, out, sizeof(out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_cases),       cmocka_unit_test(flag_chain),
        cmocka_unit_test(every_operation),  cmocka_unit_test(parser_refuses),
        cmocka_unit_test(verifier_refuses), cmocka_unit_test(overflows),
        cmocka_unit_test(damaged_text),
    };

    return cmocka_run_group_tests_name("ir text", tests, NULL, NULL);
}
