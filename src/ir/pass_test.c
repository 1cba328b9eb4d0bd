/* Each pass from text to text. What random programs compute before and after: engine/interp/interp_test.c. */
#include "ir/ir_test.h"

static uint64_t helper(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)v;
    return a + b + c;
}

/* 0: anything may happen; 1: pure. */
static const struct ir_helper helpers[] = {{"any", helper, 0, IR_H_MAY_LEAVE},
                                           {"pure", helper, 0, IR_H_PURE}};

#define HEAD "block +0\n insn +0 len=4\n "
#define TAIL " dispatch\n"

static void expect(unsigned passes, const char *in, const char *want)
{
    struct test_unit a, b;
    char got_text[8192], want_text[8192], why[160] = "";

    unit_parse(&a, in);
    ir_optimise(&a.u, passes, helpers);
    if (ir_verify(&a.u, why, sizeof(why)))
        fail_msg("after the passes: %s", why);
    unit_parse(&b, want);
    ir_print(&a.u, got_text, sizeof(got_text));
    ir_print(&b.u, want_text, sizeof(want_text));
    assert_string_equal(got_text, want_text);
}

#define WIDTH_DEAD (IR_PASS_WIDTH | IR_PASS_DEAD)

static void rotations(void **state)
{
    (void)state;
    expect(WIDTH_DEAD,
           HEAD
           "v1=get.i64 slot=520\n v2=const.i64 20\n v3=const.i64 44\n v4=shr.i64 v1, v3\n v5=shl.i64 v1, "
           "v2\n v6=or.i64 v4, v5\n put.i64 v6 slot=528\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 20\n v6=rol.i64 v1, v2\n put.i64 v6 slot=528\n" TAIL);
    expect(
        WIDTH_DEAD,
        HEAD "v1=get.i64 slot=520\n v2=trunc.i32 v1\n v3=const.i32 7\n v4=const.i32 25\n v5=shl.i32 v2, v3\n "
             "v6=sext.i64 v5 aux=32\n v7=trunc.i32 v1\n v8=shr.i32 v7, v4\n v9=sext.i64 v8 aux=32\n "
             "v10=or.i64 v6, v9\n put.i64 v10 slot=528\n" TAIL,
        HEAD "v1=get.i64 slot=520\n v2=trunc.i32 v1\n v3=const.i32 7\n v9=rol.i32 v2, v3\n v10=sext.i64 v9 "
             "aux=32\n put.i64 v10 slot=528\n" TAIL);
    /* Counts that do not make the width, different values: no rotation. */
    expect(
        WIDTH_DEAD,
        HEAD "v1=get.i64 slot=520\n v2=const.i64 20\n v3=const.i64 43\n v4=shr.i64 v1, v3\n v5=shl.i64 v1, "
             "v2\n v6=or.i64 v4, v5\n put.i64 v6 slot=528\n" TAIL,
        HEAD "v1=get.i64 slot=520\n v2=const.i64 20\n v3=const.i64 43\n v4=shr.i64 v1, v3\n v5=shl.i64 v1, "
             "v2\n v6=or.i64 v4, v5\n put.i64 v6 slot=528\n" TAIL);
}

/* An extension stays where its upper half is seen: by a slot, an address, a comparison. */
static void extensions(void **state)
{
    (void)state;
    expect(WIDTH_DEAD,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=xor.i64 v2, v3\n "
                "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v2=anyext.i64 v1\n v3=get.i64 slot=528\n v4=xor.i64 v2, v3\n "
                "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL);
    expect(WIDTH_DEAD,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=xor.i64 v2, v3\n "
                "v5=trunc.i32 v4\n put.i32 v5 slot=536\n put.i64 v4 slot=544\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=xor.i64 v2, v3\n "
                "v5=trunc.i32 v4\n put.i32 v5 slot=536\n put.i64 v4 slot=544\n" TAIL);
    expect(WIDTH_DEAD,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=load.i64 v2\n put.i64 v3 slot=536\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=load.i64 v2\n put.i64 v3 slot=536\n" TAIL);
    /* What selects is looked at whole, what is selected as far as the result is. */
    expect(
        WIDTH_DEAD,
        HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=select.i64 v2, v3, v3\n "
             "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL,
        HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=select.i64 v2, v3, v3\n "
             "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL);
    expect(WIDTH_DEAD,
           HEAD
           "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=get.i64 slot=528\n v4=select.i64 v3, v2, v3\n "
           "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v2=anyext.i64 v1\n v3=get.i64 slot=528\n v4=select.i64 v3, v2, v3\n "
                "v5=trunc.i32 v4\n put.i32 v5 slot=536\n" TAIL);
}

/* A mask or a field of the lower half: nobody looks at the upper one; a mask that has some of it does. */
static void masks(void **state)
{
    static const struct {
        const char *op;
        bool low;
    } rows[] = {
        {"and.i64 v2, v3", true},
        {"and.i64 v3, v2", true},
        {"and.i64 v2, v4", false},
        {"and.i64 v2, v2", false},
        {"extract.i64 v2 aux=0x808", true},
        {"extract.i64 v2 aux=0x1808", true},
        {"extract.i64 v2 aux=0x1908", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[2][512];

        for (unsigned k = 0; k < 2; k++)
            snprintf(text[k], sizeof(text[k]),
                     HEAD
                     "v1=get.i32 slot=520\n v2=%s\n v3=const.i64 255\n v4=const.i64 0x100000000\n v5=%s\n "
                     "put.i64 v5 slot=536\n put.i64 v3 slot=544\n put.i64 v4 slot=552\n" TAIL,
                     k && rows[i].low ? "anyext.i64 v1" : "sext.i64 v1 aux=32", rows[i].op);
        expect(WIDTH_DEAD, text[0], text[1]);
    }
}

#define FOLD_DEAD (IR_PASS_FOLD | IR_PASS_DEAD)

/* A mask that is inverted first, by either way of writing that, on either side. */
static void inverted_masks(void **state)
{
    static const char *const rows[][2] = {
        {"v3=not.i64 v1\n v4=and.i64 v3, v2\n", "v4=andn.i64 v2, v1\n"},
        {"v3=not.i64 v1\n v4=and.i64 v2, v3\n", "v4=andn.i64 v2, v1\n"},
        {"v5=const.i64 -1\n v3=xor.i64 v1, v5\n v4=and.i64 v3, v2\n", "v4=andn.i64 v2, v1\n"},
        {"v5=const.i64 -2\n v3=xor.i64 v1, v5\n v4=and.i64 v3, v2\n",
         "v5=const.i64 -2\n v3=xor.i64 v1, v5\n v4=and.i64 v3, v2\n"},
        {"v3=not.i64 v1\n v4=or.i64 v3, v2\n", "v3=not.i64 v1\n v4=or.i64 v3, v2\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[2][512];

        for (unsigned k = 0; k < 2; k++)
            snprintf(text[k], sizeof(text[k]),
                     HEAD "v1=get.i64 slot=520\n v2=get.i64 slot=528\n %s put.i64 v4 slot=536\n" TAIL,
                     rows[i][k]);
        expect(FOLD_DEAD, text[0], text[1]);
    }
}

static void folds(void **state)
{
    static const struct {
        const char *expr, *value;
    } rows[] = {
        {"v3=add.i64 v1, v2", "2"},
        {"v3=sub.i64 v1, v2", "-12"},
        {"v3=mul.i64 v1, v2", "-35"},
        {"v3=mulhu.i64 v1, v2", "6"},
        {"v3=mulhs.i64 v1, v2", "-1"},
        {"v3=mulhsu.i64 v1, v2", "-1"},
        {"v3=divs.i64 v1, v2", "0"},
        {"v3=divu.i64 v1, v2", "2635249153387078801"},
        {"v3=rems.i64 v1, v2", "-5"},
        {"v3=remu.i64 v1, v2", "4"},
        {"v3=and.i64 v1, v2", "3"},
        {"v3=or.i64 v1, v2", "-1"},
        {"v3=xor.i64 v1, v2", "-4"},
        {"v3=andn.i64 v1, v2", "-8"},
        {"v3=orn.i64 v1, v2", "-5"},
        {"v3=xnor.i64 v1, v2", "3"},
        {"v3=shl.i64 v1, v2", "-640"},
        {"v3=shr.i64 v1, v2", "144115188075855871"},
        {"v3=sar.i64 v1, v2", "-1"},
        {"v3=rol.i64 v1, v2", "-513"},
        {"v3=ror.i64 v1, v2", "-576460752303423489"},
        {"v3=mins.i64 v1, v2", "-5"},
        {"v3=minu.i64 v1, v2", "7"},
        {"v3=maxs.i64 v1, v2", "7"},
        {"v3=maxu.i64 v1, v2", "-5"},
        {"v3=neg.i64 v1", "5"},
        {"v3=not.i64 v1", "4"},
        {"v3=sext.i64 v1 aux=8", "-5"},
        {"v3=zext.i64 v1 aux=16", "65531"},
        {"v3=extract.i64 v1 aux=0x404", "15"},
        {"v3=setcc.i64 v1, v2 aux=6", "1"},
        {"v3=setcc.i64 v1, v2 aux=2", "0"},
        {"v3=select.i64 v1, v2, v1", "7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char in[512], want[512];

        snprintf(in, sizeof(in), HEAD "v1=const.i64 -5\n v2=const.i64 7\n %s\n put.i64 v3 slot=512\n" TAIL,
                 rows[i].expr);
        snprintf(want, sizeof(want), HEAD "v1=const.i64 %s\n put.i64 v1 slot=512\n" TAIL, rows[i].value);
        expect(FOLD_DEAD, in, want);
    }
    /* A count of 32 bits' operations is taken modulo 32. */
    expect(FOLD_DEAD,
           HEAD "v1=const.i32 5\n v2=const.i32 33\n v3=shl.i32 v1, v2\n put.i32 v3 slot=512\n" TAIL,
           HEAD "v3=const.i32 10\n put.i32 v3 slot=512\n" TAIL);
    expect(FOLD_DEAD,
           HEAD "v1=const.i32 5\n v2=const.i32 33\n v3=sar.i32 v1, v2\n put.i32 v3 slot=512\n" TAIL,
           HEAD "v3=const.i32 2\n put.i32 v3 slot=512\n" TAIL);
}

static void neutral_operands(void **state)
{
    static const char *const rows[] = {"add.i64 v1, v2", "add.i64 v2, v1", "sub.i64 v1, v2",
                                       "or.i64 v1, v2",  "xor.i64 v2, v1", "shl.i64 v1, v2",
                                       "sar.i64 v1, v2", "ror.i64 v1, v2"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char in[512];

        snprintf(in, sizeof(in),
                 HEAD "v1=get.i64 slot=520\n v2=const.i64 0\n v3=%s\n put.i64 v3 slot=512\n" TAIL, rows[i]);
        expect(FOLD_DEAD, in, HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n" TAIL);
    }
    /* 0 - x is not x. */
    expect(FOLD_DEAD,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 0\n v3=sub.i64 v2, v1\n put.i64 v3 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 0\n v3=sub.i64 v2, v1\n put.i64 v3 slot=512\n" TAIL);
}

static void folds_addresses(void **state)
{
    (void)state;
    expect(FOLD_DEAD,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 16\n v3=add.i64 v1, v2\n v4=load.i64 v3 aux=3 imm=-24\n"
                " put.i64 v4 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v4=load.i64 v1 aux=3 imm=-8\n put.i64 v4 slot=512\n" TAIL);
    /* A sum that is no displacement stays one. */
    expect(FOLD_DEAD,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 2147483647\n v3=add.i64 v1, v2\n v4=load.i64 v3 aux=3 "
                "imm=1\n put.i64 v4 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=const.i64 2147483647\n v3=add.i64 v1, v2\n v4=load.i64 v3 aux=3 "
                "imm=1\n put.i64 v4 slot=512\n" TAIL);
    /* auipc and addi are one pc-relative value. */
    expect(FOLD_DEAD, HEAD "v1=pc +4096\n v2=const.i64 -12\n v3=add.i64 v1, v2\n put.i64 v3 slot=512\n" TAIL,
           HEAD "v1=pc +4084\n put.i64 v1 slot=512\n" TAIL);
}

static void folds_vectors(void **state)
{
    (void)state;
    /* Zeros above stay zeros lane by lane; not where zeros are compared for equality. */
    expect(FOLD_DEAD,
           HEAD "v1=get.v128 slot=512\n v2=vzext.v128 v1\n v3=vadd.v128 v2, v2 aux=32\n v4=vzext.v128 v3\n "
                "put.v128 v4 slot=528\n" TAIL,
           HEAD "v1=get.v128 slot=512\n v2=vzext.v128 v1\n v3=vadd.v128 v2, v2 aux=1056\n "
                "put.v128 v3 slot=528\n" TAIL);
    expect(FOLD_DEAD,
           HEAD "v1=get.v128 slot=512\n v2=vzext.v128 v1\n v3=vcmpeq.v128 v2, v2 aux=32\n v4=vzext.v128 v3\n "
                "put.v128 v4 slot=528\n" TAIL,
           HEAD "v1=get.v128 slot=512\n v2=vzext.v128 v1\n v3=vcmpeq.v128 v2, v2 aux=32\n v4=vzext.v128 v3\n "
                "put.v128 v4 slot=528\n" TAIL);
    /* A scalar is read from where it was put with zeros above. */
    expect(IR_PASS_SLOTS | IR_PASS_DEAD,
           HEAD "v1=get.f64 slot=560\n v2=vzext.v128 v1\n put.v128 v2 slot=512\n v3=get.f64 slot=512\n "
                "put.f64 v3 slot=544\n" TAIL,
           HEAD "v1=get.f64 slot=560\n v2=vzext.v128 v1\n put.v128 v2 slot=512\n put.f64 v1 slot=544\n" TAIL);
    expect(IR_PASS_SLOTS | IR_PASS_DEAD,
           HEAD "v1=get.f64 slot=560\n v2=vzext.v128 v1\n put.v128 v2 slot=512\n v3=get.i64 slot=512\n "
                "put.i64 v3 slot=544\n" TAIL,
           HEAD "v1=get.f64 slot=560\n v2=vzext.v128 v1\n put.v128 v2 slot=512\n v3=get.i64 slot=512\n "
                "put.i64 v3 slot=544\n" TAIL);
    expect(
        FOLD_DEAD,
        HEAD
        "v1=const.i64 4660\n v2=const.i64 22136\n v3=insert.i64 v1, v2 aux=4112\n put.i64 v3 slot=528\n" TAIL,
        HEAD "v3=const.i64 1450709556\n put.i64 v3 slot=528\n" TAIL);
}

static void folds_branches(void **state)
{
    (void)state;
    expect(FOLD_DEAD, HEAD "v1=const.i64 0\n branch.i64 v1, v1 taken=+32 else=+4\n", HEAD "jump +32\n");
    expect(FOLD_DEAD, HEAD "v1=const.i64 0\n branch.i64 v1, v1 aux=1 taken=+32 else=-4\n", HEAD "jump -4\n");
}

static void copies(void **state)
{
    unsigned passes = IR_PASS_COPY | IR_PASS_DEAD;

    (void)state;
    expect(passes,
           HEAD "v1=get.i32 slot=520\n v2=sext.i64 v1 aux=32\n v3=trunc v2\n v4=add.i32 v3, v3\n put.i32 v4 "
                "slot=512\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v4=add.i32 v1, v1\n put.i32 v4 slot=512\n" TAIL);
    expect(passes, HEAD "v1=get.f32 slot=520\n v2=box.f32 v1\n v3=unbox.f32 v2\n put.f32 v3 slot=512\n" TAIL,
           HEAD "v1=get.f32 slot=520\n put.f32 v1 slot=512\n" TAIL);
    expect(passes,
           HEAD "v1=get.i64 slot=520\n v2=bitcast.f64 v1\n v3=bitcast.i64 v2\n put.i64 v3 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n" TAIL);
    /* The same expression twice. */
    expect(passes,
           HEAD "v1=get.i64 slot=520\n v2=neg.i64 v1\n v3=neg.i64 v1\n v4=mul.i64 v2, v3\n put.i64 v4 "
                "slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=neg.i64 v1\n v4=mul.i64 v2, v2\n put.i64 v4 slot=512\n" TAIL);
    /* Not the same: another condition, another width. */
    expect(passes,
           HEAD "v1=get.i64 slot=520\n v2=get.i64 slot=528\n v3=setcc.i64 v1, v2 aux=2\n v4=setcc.i64 v1, v2 "
                "aux=6\n v5=sub.i64 v3, v4\n put.i64 v5 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=get.i64 slot=528\n v3=setcc.i64 v1, v2 aux=2\n v4=setcc.i64 v1, v2 "
                "aux=6\n v5=sub.i64 v3, v4\n put.i64 v5 slot=512\n" TAIL);
    /* An extension of a narrower value is done, one of a wider value is not. */
    expect(passes,
           HEAD "v1=get.i64 slot=520\n v2=sext.i64 v1 aux=8\n v3=sext.i64 v2 aux=16\n put.i64 v3 "
                "slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=sext.i64 v1 aux=8\n put.i64 v2 slot=512\n" TAIL);
    expect(passes,
           HEAD "v1=get.i64 slot=520\n v2=sext.i64 v1 aux=16\n v3=sext.i64 v2 aux=8\n put.i64 v3 "
                "slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=sext.i64 v1 aux=16\n v3=sext.i64 v2 aux=8\n put.i64 v3 "
                "slot=512\n" TAIL);
    /* Through f16 bits are lost. */
    expect(passes,
           HEAD "v1=get.i32 slot=520\n v2=bitcast.f16 v1\n v3=bitcast.i32 v2\n put.i32 v3 slot=512\n" TAIL,
           HEAD "v1=get.i32 slot=520\n v2=bitcast.f16 v1\n v3=bitcast.i32 v2\n put.i32 v3 slot=512\n" TAIL);
}

static void slots(void **state)
{
    unsigned p = IR_PASS_SLOTS | IR_PASS_DEAD;

    (void)state;
    /* A read of what was written; a write that is overwritten. */
    expect(p,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=get.i64 slot=512\n v4=add.i64 v3, v3\n "
                "put.i64 v4 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v4=add.i64 v1, v1\n put.i64 v4 slot=512\n" TAIL);
    /* Not across an operation that may fault: the slot has to be exact there. */
    expect(
        p,
        HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=load.i64 v1 aux=3\n put.i64 v3 slot=512\n" TAIL,
        HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=load.i64 v1 aux=3\n put.i64 v3 slot=512\n" TAIL);
    /* A call may have changed anything, a pure one nothing. */
    expect(p,
           HEAD "v1=get.i64 slot=520\n v2=call.i64 imm=0\n v3=get.i64 slot=520\n put.i64 v3 slot=512\n" TAIL,
           HEAD "v1=call.i64 imm=0\n v3=get.i64 slot=520\n put.i64 v3 slot=512\n" TAIL);
    expect(p,
           HEAD "v1=get.i64 slot=520\n v2=call.i64 v1 imm=1\n put.i64 v2 slot=528\n v3=get.i64 slot=520\n "
                "put.i64 v3 slot=512\n" TAIL,
           HEAD
           "v1=get.i64 slot=520\n v2=call.i64 v1 imm=1\n put.i64 v2 slot=528\n put.i64 v1 slot=512\n" TAIL);
    /* Narrow writes inside wide ones: neither read nor write is the other's. */
    expect(p,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=get.i32 slot=516\n put.i32 v3 slot=512\n "
                "v5=get.i64 slot=512\n put.i64 v5 slot=528\n" TAIL,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=get.i32 slot=516\n put.i32 v3 slot=512\n "
                "v5=get.i64 slot=512\n put.i64 v5 slot=528\n" TAIL);
    /* A part of it was read before it is overwritten. */
    expect(p,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=get.i32 slot=516\n v4=zext.i64 v3 aux=32\n "
                "put.i64 v4 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n v3=get.i32 slot=516\n v4=zext.i64 v3 aux=32\n "
                "put.i64 v4 slot=512\n" TAIL);
    /* A wide write covers a narrow one. */
    expect(p, HEAD "v1=get.i64 slot=520\n v2=trunc v1\n put.i32 v2 slot=516\n put.i64 v1 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n" TAIL);
    /* A write of its upper half leaves the lower half of a wide one. */
    expect(p, HEAD "v1=get.i64 slot=520\n v2=trunc v1\n put.i64 v1 slot=512\n put.i32 v2 slot=516\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=trunc v1\n put.i64 v1 slot=512\n put.i32 v2 slot=516\n" TAIL);
    expect(p, HEAD "v1=get.i64 slot=520\n v2=trunc v1\n put.i64 v1 slot=512\n put.i32 v2 slot=512\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=trunc v1\n put.i64 v1 slot=512\n put.i32 v2 slot=512\n" TAIL);
    /* What is there already. */
    expect(p, HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=520\n" TAIL, HEAD TAIL);
    /* Values end with their block. */
    expect(p,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n jump +4\nblock +4\n insn +4 len=4\n v2=get.i64 "
                "slot=512\n put.i64 v2 slot=528\n" TAIL,
           HEAD "v1=get.i64 slot=520\n put.i64 v1 slot=512\n jump +4\nblock +4\n insn +4 len=4\n v2=get.i64 "
                "slot=512\n put.i64 v2 slot=528\n" TAIL);
}

static void dead(void **state)
{
    (void)state;
    expect(IR_PASS_DEAD, HEAD "v1=get.i64 slot=520\n v2=flags.i64 v1, v1 aux=1\n v3=fpack v2\n" TAIL,
           HEAD TAIL);
    expect(IR_PASS_DEAD, HEAD "v1=call.i64 imm=1\n v2=call.i64 imm=0\n" TAIL,
           HEAD "v1=call.i64 imm=0\n" TAIL);
    /* A load may fault, FP sets flags: they stay. */
    expect(IR_PASS_DEAD,
           HEAD "v1=get.i64 slot=520\n v2=load.i64 v1\n v3=get.f64 slot=528\n v4=fsqrt.f64 v3\n" TAIL,
           HEAD "v1=get.i64 slot=520\n v2=load.i64 v1\n v3=get.f64 slot=528\n v4=fsqrt.f64 v3\n" TAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),           cmocka_unit_test(neutral_operands),
        cmocka_unit_test(folds_addresses), cmocka_unit_test(folds_vectors),
        cmocka_unit_test(folds_branches),  cmocka_unit_test(copies),
        cmocka_unit_test(slots),           cmocka_unit_test(dead),
        cmocka_unit_test(rotations),       cmocka_unit_test(extensions),
        cmocka_unit_test(masks),           cmocka_unit_test(inverted_masks),
    };

    return cmocka_run_group_tests_name("ir passes", tests, NULL, NULL);
}
