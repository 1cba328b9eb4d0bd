/*
 * The interpreter on a guest without an ISA: programs with exact counts, faults, devices, changed code; IR
 * from text; random IR against itself, optimised and not.
 */
#include "engine/interp/interp.h"
#include "engine/soft/toy_test.h"

#define CODE TOY_RAM

/* ---- programs ---- */

static void program(struct toy_vm *x, gpa_t at, const uint8_t (*insns)[4], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        toy_code(x, at + 4 * i, insns[i][0], insns[i][1], insns[i][2], (int8_t)insns[i][3]);
}

#define PROGRAM(x, at, ...)                                                                                  \
    do {                                                                                                     \
        static const uint8_t code_[][4] = {__VA_ARGS__};                                                     \
        program(x, at, code_, ARRAY_SIZE(code_));                                                            \
    } while (0)

/* Ten times round: 2 + 10 * 3 + 1 instructions. */
static void count_to_ten(struct toy_vm *x)
{
    PROGRAM(x, CODE, {TOY_ADDI, 1, 0, 0}, {TOY_ADDI, 2, 0, 10}, {TOY_ADDI, 1, 1, 1}, {TOY_ADDI, 3, 3, 5},
            {TOY_BNE, 1, 2, (uint8_t)-2}, {TOY_HALT, 0, 0, 0});
}

static void loop(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    count_to_ten(&x);
    assert_int_equal(toy_run(&x, x.v, 1000), EXIT_HALT);
    assert_int_equal(x.t->r[1], 10);
    assert_int_equal(x.t->r[3], 50);
    assert_int_equal(vcpu_icount(x.v), 33);
    assert_int_equal(x.v->pc, CODE + 24);
    toy_free(&x);
}

/* Whatever the slices, the engine stops at exactly these counts with the same state. */
static void exact_budgets(void **state)
{
    (void)state;
    for (unsigned slice = 1; slice < 40; slice++) {
        struct toy_vm x = toy_new(&engine_interp, 1);
        uint64_t done = 0;

        count_to_ten(&x);
        while (toy_run(&x, x.v, slice) == EXIT_NONE) {
            done += slice;
            assert_int_equal(vcpu_icount(x.v), done);
            assert_int_equal(x.v->budget, 0);
            assert_true(x.t->r[3] == 5 * (x.t->r[1] - (done >= 3 && done % 3 == 0)) || done < 3);
        }
        assert_int_equal(vcpu_icount(x.v), 33);
        assert_int_equal(x.t->r[3], 50);
        toy_free(&x);
    }
}

static void counts_inside(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_COUNT, 4, 0, 0}, {TOY_ADDI, 1, 1, 1}, {TOY_COUNT, 5, 0, 0},
            {TOY_HALT, 0, 0, 0});
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[4], 2);
    assert_int_equal(x.t->r[5], 4);
    assert_int_equal(vcpu_icount(x.v), 5);
    toy_free(&x);
}

static void exceptions(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_LOAD, 2, 5, 0}, {TOY_ADDI, 1, 1, 1}, {TOY_ILLEGAL, 0, 0, 0});
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    x.t->r[5] = 0x1000; /* nothing there */
    assert_int_equal(toy_run(&x, x.v, 100), EXIT_HALT);
    assert_int_equal(x.t->cause, TOY_BUS);
    assert_int_equal(x.t->saved_pc, CODE + 4);
    assert_int_equal(x.t->fault_va, 0x1000);
    assert_int_equal(x.t->r[1], 1);
    assert_int_equal(vcpu_icount(x.v), 3); /* the load counts as begun */
    x.t->r[5] = TOY_RAM + 0x8000;
    x.v->pc = CODE;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->cause, TOY_BAD);
    assert_int_equal(x.t->saved_pc, CODE + 12);
    assert_int_equal(x.t->r[1], 3);
    toy_free(&x);
}

static void fetch_faults(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    PROGRAM(&x, CODE, {TOY_JR, 0, 5, 0});
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    x.t->r[5] = TOY_DEV; /* code on a device */
    assert_int_equal(toy_run(&x, x.v, 100), EXIT_HALT);
    assert_int_equal(x.t->cause, TOY_BUS);
    assert_int_equal(x.t->saved_pc, TOY_DEV);
    assert_int_equal(vcpu_icount(x.v), 3);
    /* A handler that cannot be fetched itself: a loop of exceptions that ends with the budget. */
    x.t->vector = 0x1000;
    x.v->pc = 0x1000;
    assert_int_equal(toy_run(&x, x.v, 1000), EXIT_NONE);
    assert_int_equal(x.v->budget, 0);
    toy_free(&x);
}

/* The second half of the pair is not there: neither register changes, the handler may run it again. */
static void pair_faults_halfway(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    x.t->paging = true;
    toy_map(&x, CODE, TOY_RAM, 0x1000);
    toy_map(&x, x.t->vector, x.t->vector, 0x1000);
    toy_map(&x, 0x4000, TOY_RAM + 0x8000, 0x1000);
    PROGRAM(&x, CODE, {TOY_LDP, 6, 5, 0}, {TOY_HALT, 0, 0, 0});
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    x.t->r[5] = 0x4ff8;
    x.t->r[6] = x.t->r[7] = 99;
    x.ram[0x8ff8] = 5;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->cause, TOY_FAULT);
    assert_int_equal(x.t->fault_va, 0x5000);
    assert_int_equal(x.t->saved_pc, CODE);
    assert_int_equal(x.t->r[6], 99);
    assert_int_equal(x.t->r[7], 99);
    toy_map(&x, 0x5000, TOY_RAM + 0x9000, 0x1000);
    x.ram[0x9000] = 6;
    x.v->pc = x.t->saved_pc;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[6], 5);
    assert_int_equal(x.t->r[7], 6);
    toy_free(&x);
}

/* An instruction that repeats: stops at the byte that faults with exact registers, and goes on there. */
static void repeated_move(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    x.t->paging = true;
    toy_map(&x, CODE, TOY_RAM, 0x1000);
    toy_map(&x, x.t->vector, x.t->vector, 0x1000);
    toy_map(&x, 0x4000, TOY_RAM + 0x8000, 0x1000);
    toy_map(&x, 0x6000, TOY_RAM + 0x9000, 0x1000);
    PROGRAM(&x, CODE, {TOY_REP, 0, 0, 0}, {TOY_HALT, 0, 0, 0});
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    for (unsigned i = 0; i < 40; i++)
        x.ram[0x8000 + i] = (uint8_t)(i + 1);
    x.t->r[1] = 0x4000;
    x.t->r[2] = 0x6ff0;
    x.t->r[3] = 40;
    toy_run(&x, x.v, 1000);
    assert_int_equal(x.t->cause, TOY_FAULT);
    assert_int_equal(x.t->fault_va, 0x7000);
    assert_int_equal(x.t->saved_pc, CODE);
    assert_int_equal(x.t->r[1], 0x4010);
    assert_int_equal(x.t->r[2], 0x7000);
    assert_int_equal(x.t->r[3], 24);
    toy_map(&x, 0x7000, TOY_RAM + 0xa000, 0x1000);
    x.v->pc = CODE;
    x.t->cause = 0;
    assert_int_equal(toy_run(&x, x.v, 1000), EXIT_HALT);
    assert_int_equal(x.t->cause, 0);
    assert_int_equal(x.t->r[3], 0);
    assert_memory_equal(x.ram + 0x9ff0, x.ram + 0x8000, 40);
    toy_free(&x);
}

static void devices(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 0, 5}, {TOY_LOAD, 2, 5, 16}, {TOY_STORE, 1, 5, 8}, {TOY_ADDI, 1, 1, 1},
            {TOY_HALT, 0, 0, 0});
    x.t->r[5] = TOY_DEV;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[2], UINT64_C(0x1122334455667798));
    assert_int_equal(x.dev->reads, 1);
    assert_int_equal(x.dev->writes, 1);
    assert_int_equal(x.dev->value, 5);
    assert_int_equal(x.dev->count_seen, 2); /* time at a device is exact */
    assert_int_equal(vcpu_icount(x.v), 5);
    /* A device asks for attention: the engine comes out right behind that instruction. */
    x.v->pc = CODE + 8;
    x.t->r[1] = 77;
    assert_int_equal(toy_run(&x, x.v, 100), EXIT_NONE);
    assert_int_equal(x.v->pc, CODE + 12);
    assert_int_equal(vcpu_icount(x.v), 6);
    toy_free(&x);
}

/* ---- code that changes ---- */

static void store_over_code(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    union {
        uint8_t b[8];
        uint64_t u;
    } code = {{TOY_ADDI, 7, 7, 2, TOY_HALT, 0, 0, 0}};

    (void)state;
    /* The loop body stores over its own next instruction. */
    PROGRAM(&x, CODE, {TOY_STORE, 1, 5, 0}, {TOY_ADDI, 3, 3, 1}, {TOY_ADDI, 7, 7, 1},
            {TOY_JUMP, 0, 0, (uint8_t)-2});
    x.t->r[5] = CODE + 8;
    x.t->r[1] = code.u;
    assert_int_equal(toy_run(&x, x.v, 100), EXIT_HALT);
    assert_int_equal(x.t->r[7], 2);
    assert_int_equal(vcpu_icount(x.v), 4);
    toy_free(&x);
}

static void device_writes_code(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 7, 7, 1}, {TOY_HALT, 0, 0, 0});
    for (unsigned i = 1; i < 200; i++) {
        x.v->pc = CODE;
        x.t->r[7] = 0;
        toy_code(&x, CODE, TOY_ADDI, 7, 7, (int8_t)(i % 100));
        assert_int_equal(toy_run(&x, x.v, 100), EXIT_HALT);
        assert_int_equal(x.t->r[7], i % 100);
    }
    toy_free(&x);
}

/* An instruction across pages: either page's bytes and either mapping may change. */
static void crossing_instruction(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    const struct flush_scope second = {FLUSH_PAGE, 0x5000, 0};
    struct toy_page *p;

    (void)state;
    x.t->paging = true;
    toy_map(&x, 0x4000, TOY_RAM + 0x8000, 0x1000);
    p = toy_map(&x, 0x5000, TOY_RAM + 0xa000, 0x1000);
    toy_map(&x, x.t->vector, x.t->vector, 0x1000);
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    memcpy(x.ram + 0x8ffa, (uint8_t[]){TOY_ADDI, 6, 6, 1, TOY_ADDI, 7}, 6);
    memcpy(x.ram + 0xa000, (uint8_t[]){7, 1, TOY_HALT, 0, 0, 0}, 6);
    memcpy(x.ram + 0xb000, (uint8_t[]){7, 50, TOY_HALT, 0, 0, 0}, 6);
    x.v->pc = 0x4ffa;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[7], 1);
    assert_int_equal(vcpu_icount(x.v), 3);
    mem_load(&x.vm->mem, TOY_RAM + 0xa001, "\x05", 1);
    x.v->pc = 0x4ffa;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[7], 6);
    p->gpa = TOY_RAM + 0xb000;
    x.vm->engine->flush(x.v, &second);
    x.v->pc = 0x4ffa;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[7], 56);
    p->exec = false; /* its second half faults: at its own address, with the instruction's pc */
    x.vm->engine->flush(x.v, &second);
    x.v->pc = 0x4ffa;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->cause, TOY_FAULT);
    assert_int_equal(x.t->saved_pc, 0x4ffe);
    assert_int_equal(x.t->fault_va, 0x5000);
    toy_free(&x);
}

/* The same virtual address in two spaces is other code; a flush after remapping too. */
static void spaces_and_remaps(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct toy_page *one, *two;

    (void)state;
    x.t->paging = true;
    x.t->space = 1;
    one = toy_map(&x, 0x4000, TOY_RAM + 0x8000, 0x1000);
    two = toy_map(&x, 0x4000, TOY_RAM + 0x9000, 0x1000);
    two->space = 2;
    /* Each sets its register, then changes to the other space; the code there goes on. */
    PROGRAM(&x, TOY_RAM + 0x8000, {TOY_ADDI, 1, 1, 1}, {TOY_SPACE, 0, 6, 0}, {TOY_ADDI, 2, 2, 1},
            {TOY_HALT, 0, 0, 0});
    PROGRAM(&x, TOY_RAM + 0x9000, {TOY_ADDI, 3, 3, 1}, {TOY_SPACE, 0, 6, 0}, {TOY_ADDI, 4, 4, 1},
            {TOY_HALT, 0, 0, 0});
    for (unsigned i = 1; i < 5; i++) {
        x.t->r[6] = 2;
        x.t->space = 1;
        x.v->pc = 0x4000;
        toy_run(&x, x.v, 100);
        assert_int_equal(x.t->r[1], i);
        assert_int_equal(x.t->r[4], i);
        assert_int_equal(x.t->r[2] + x.t->r[3], 0);
    }
    one->gpa = TOY_RAM + 0x9000;
    x.t->space = 1;
    x.vm->engine->flush(x.v, &(struct flush_scope){FLUSH_ASID, 0, 1});
    x.v->pc = 0x4000;
    toy_run(&x, x.v, 100);
    assert_int_equal(x.t->r[3], 1);
    toy_free(&x);
}

/* ---- IR from text ---- */

struct text_unit {
    struct ir_unit u;
    struct ir_op ops[1024];
    struct ir_block blocks[16];
};

static struct ir_unit *parse(struct text_unit *t, const char *text)
{
    char why[160] = "";

    t->u = (struct ir_unit){.ops = t->ops, .blocks = t->blocks, .op_max = 1024, .block_max = 16};
    if (ir_parse(&t->u, text, why, sizeof(why)) || ir_verify(&t->u, why, sizeof(why)))
        fail_msg("%s in:\n%s", why, text);
    return &t->u;
}

/* Runs a unit that is in no table. */
static enum interp_leave run_unit(struct toy_vm *x, const struct ir_unit *ir)
{
    struct unit *u = units_alloc(x->vm);
    enum interp_leave why;

    assert_int_equal(interp_lower(x->v, u, ir), 0);
    vcpu_grant(x->v, 1000);
    soft_context_changed(x->v);
    x->v->pc = CODE;
    soft_enter(x->v, u);
    why = interp_exec_alone(x->v, u);
    units_free(x->vm, u);
    return why;
}

static enum interp_leave run_text(struct toy_vm *x, const char *body)
{
    static const char *const names[] = {"%d", "%a", "%b", "%c", "%e"};
    char text[8192] = "block +0\n insn +0 len=4\n", *to = text + strlen(text);
    struct text_unit t;

    /* %a stands for slot=r[1] and so on. */
    while (*body) {
        bool found = false;

        for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
            if (!strncmp(body, names[i], 2)) {
                to += sprintf(to, "slot=%u", TOY_R(2 * i));
                body += 2;
                found = true;
                break;
            }
        }
        if (!found)
            *to++ = *body++;
    }
    *to = 0;
    return run_unit(x, parse(&t, text));
}

/* Two registers wide addition with the carry handed on as a value, NZCV packed at the end. */
static void add_with_carry(void **state)
{
    static const struct {
        uint64_t a, b, c, e, lo, hi, nzcv;
    } rows[] = {
        {1, 2, 3, 4, 3, 7, 0},
        {UINT64_MAX, 1, 3, 4, 0, 8, 0},
        {UINT64_MAX, 1, UINT64_MAX, 0, 0, 0, 2 | 4},
        {UINT64_MAX, 1, INT64_MAX, 0, 0, UINT64_C(1) << 63, 1 | 8},
        {0, 0, UINT64_C(1) << 63, UINT64_C(1) << 63, 0, 0, 2 | 4 | 8},
    };
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        x.t->r[2] = rows[i].a;
        x.t->r[4] = rows[i].b;
        x.t->r[6] = rows[i].c;
        x.t->r[8] = rows[i].e;
        run_text(
            &x,
            "v1=get.i64 %a\n v2=get.i64 %b\n v3=flags.i64 v1, v2 aux=0\n v4=add.i64 v1, v2\n put.i64 v4 %a\n"
            "v5=fcond v3 aux=2\n v6=get.i64 %c\n v7=get.i64 %e\n v8=addc.i64 v6, v7, v5\n"
            "v9=flagsc.i64 v6, v7, v5 aux=3\n put.i64 v8 %c\n v10=fpack v9\n put.i64 v10 %d\n jump +4\n");
        assert_int_equal(x.t->r[2], rows[i].lo);
        assert_int_equal(x.t->r[6], rows[i].hi);
        assert_int_equal(x.t->r[0] & 15, rows[i].nzcv);
    }
    toy_free(&x);
}

/* Each condition after a comparison, in both widths, against C. */
static void flag_conditions(void **state)
{
    static const uint64_t values[] = {
        0, 1, 2, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, 0x7fffffff, 0x80000000, 0xffffffff};
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        for (unsigned j = 0; j < 9; j++) {
            uint64_t a = values[i], b = values[j];
            int64_t sa = (int64_t)a, sb = (int64_t)b;
            bool v = __builtin_sub_overflow(sa, sb, &(int64_t){0}), n = (int64_t)(a - b) < 0;
            bool want[14] = {a == b, a != b,   a >= b,        a<b, n, !n, v, !v, a> b,
                             a <= b, sa >= sb, sa<sb, sa> sb, sa <= sb};

            for (unsigned cond = 0; cond < 14; cond++) {
                char text[512];

                x.t->r[2] = a;
                x.t->r[4] = b;
                snprintf(text, sizeof(text),
                         "v1=get.i64 %%a\n v2=get.i64 %%b\n v3=flags.i64 v1, v2 aux=1\n v4=fcond v3 aux=%u\n"
                         "v5=const.i64 11\n v6=const.i64 22\n v7=select.i64 v4, v5, v6\n put.i64 v7 %%d\n"
                         "branchf v3 aux=%u taken=+100 else=+200\n",
                         cond, cond);
                run_text(&x, text);
                assert_int_equal(x.t->r[0], want[cond] ? 11 : 22);
                assert_int_equal(x.v->pc, CODE + (want[cond] ? 100 : 200));
            }
        }
    }
    toy_free(&x);
}

/* Flags packed to N Z C V at once, and with all their bits, say the same; the value stays one for conditions.
 */
static void flags_packed(void **state)
{
    static const uint64_t values[] = {0, 1, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, 0x7fffffff, 0x80000000};
    static const char *const types[] = {"i64", "i32"};
    struct toy_vm x = toy_new(&engine_interp, 1);
    char text[512];

    (void)state;
    for (unsigned n = 0; n < 7 * 7 * 3 * 2; n++) {
        const char *type = types[n / 147];

        x.t->r[2] = values[n % 7];
        x.t->r[4] = values[n / 7 % 7];
        snprintf(text, sizeof(text),
                 "v1=get.%s %%a\n v2=get.%s %%b\n v3=flags.%s v1, v2 aux=%u\n v4=fpack v3 aux=15\n"
                 "v5=flags.%s v1, v2 aux=%u\n v6=fpack v5\n put.i64 v4 %%d\n put.i64 v6 %%c\n jump +4\n",
                 type, type, type, n / 49 % 3, type, n / 49 % 3);
        run_text(&x, text);
        assert_int_equal(x.t->r[0], x.t->r[6] & 15);
    }
    run_text(&x, "v1=get.i64 %a\n v2=flags.i64 v1, v1 aux=1\n v3=fpack v2 aux=15\n put.i64 v3 %d\n"
                 "v5=funpack v3\n branchf v5 aux=0 taken=+100 else=+200\n");
    assert_int_equal(x.t->r[0], 2 | 4);
    assert_int_equal(x.v->pc, CODE + 100);
    toy_free(&x);
}

/* Nothing at 0; else back to before the instruction, whose helper raises when it is executed alone. */
static void guards(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    const char *text = "v1=get.i64 %a\n guard v1 imm=1\n v3=const.i64 7\n put.i64 v3 %d\n jump +4\n";

    (void)state;
    assert_int_equal(run_text(&x, text), INTERP_NEXT);
    assert_int_equal(x.t->r[0], 7);
    x.t->r[0] = 0;
    x.t->r[2] = 4;
    assert_int_equal(run_text(&x, text), INTERP_BAIL);
    assert_int_equal(x.v->pc, CODE);
    soft_of(x.v)->exact = true;
    run_text(&x, text);
    soft_of(x.v)->exact = false;
    assert_int_equal(x.t->r[0], 0);
    assert_int_equal(x.v->pc, x.t->vector);
    toy_free(&x);
}

static void float_flags(void **state)
{
    static const uint64_t values[] = {0, UINT64_C(0x3ff0000000000000), UINT64_C(0x7ff8000000000000)};
    static const uint8_t want[3][3] = {{2 | 4, 1, 4 | 8}, {4, 2 | 4, 4 | 8}, {4 | 8, 4 | 8, 4 | 8}};
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        x.t->r[2] = values[i / 3];
        x.t->r[4] = values[i % 3];
        run_text(&x,
                 "v1=get.f64 %a\n v2=get.f64 %b\n v3=fcmpf.f64 v1, v2\n v4=fpack v3 aux=15\n put.i64 v4 %d\n"
                 "jump +4\n");
        assert_int_equal(x.t->r[0], want[i / 3][i % 3]);
    }
    assert_int_equal(x.t->fpflags, 0);
    run_text(&x,
             "v1=get.f64 %a\n v3=fcmpf.f64 v1, v1 aux=1\n v4=fpack v3 aux=15\n put.i64 v4 %d\n jump +4\n");
    assert_int_equal(x.t->fpflags, SF_INVALID);
    toy_free(&x);
}

/* 16 bytes: a pair stored, loaded with a reservation, exchanged if nobody came between. */
static void pairs_of_words(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    x.t->r[2] = TOY_RAM + 0x8000;
    x.t->r[4] = 11;
    x.t->r[6] = 22;
    run_text(
        &x,
        "v1=get.i64 %a\n v2=get.i64 %b\n v3=get.i64 %c\n v4=concat.i128 v2, v3\n store.i128 v1, v4 aux=4\n"
        "jump +4\n");
    assert_int_equal(x.ram[0x8000], 11);
    assert_int_equal(x.ram[0x8008], 22);
    run_text(&x, "v1=get.i64 %a\n v2=lr.i128 v1 aux=132\n v3=hi64 v2\n put.i64 v3 %d\n jump +4\n");
    assert_int_equal(x.t->r[0], 22);
    run_text(
        &x,
        "v1=get.i64 %a\n v2=get.i64 %c\n v3=concat.i128 v2, v2\n v4=sc.i128 v1, v3 aux=132\n put.i64 v4 %d\n"
        "jump +4\n");
    assert_int_equal(x.t->r[0], 0);
    assert_int_equal(x.ram[0x8000], 22);
    run_text(&x, "v1=get.i64 %a\n v2=lr.i128 v1 aux=132\n v3=hi64 v2\n put.i64 v3 %d\n jump +4\n");
    x.ram[0x8008]++; /* in the upper half */
    run_text(
        &x,
        "v1=get.i64 %a\n v2=get.i64 %c\n v3=concat.i128 v2, v2\n v4=sc.i128 v1, v3 aux=132\n put.i64 v4 %d\n"
        "jump +4\n");
    assert_int_equal(x.t->r[0], 1);
    toy_free(&x);
}

/* Values read from a slot stay what they were when it is written. */
static void slots_and_values(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    x.t->r[2] = 5;
    x.t->r[4] = 7;
    run_text(&x, "v1=get.i64 %a\n v2=get.i64 %b\n put.i64 v2 %a\n put.i64 v1 %b\n jump +4\n");
    assert_int_equal(x.t->r[2], 7);
    assert_int_equal(x.t->r[4], 5);
    /* Half of a slot written while the whole is still wanted. */
    x.t->r[2] = UINT64_C(0x1111111122222222);
    run_text(&x, "v1=get.i64 %a\n v2=const.i32 -1\n put.i32 v2 %a\n v3=get.i64 %a\n put.i64 v1 %b\n put.i64 "
                 "v3 %c\n jump +4\n");
    assert_int_equal(x.t->r[4], UINT64_C(0x1111111122222222));
    assert_int_equal(x.t->r[6], UINT64_C(0x11111111ffffffff));
    /* A 32-bit result, its extension used twice; 16 bytes as halves. */
    x.t->r[2] = 0x7fffffff;
    run_text(&x,
             "v1=get.i64 %a\n v2=trunc v1\n v3=const.i32 1\n v4=add.i32 v2, v3\n v5=sext.i64 v4 aux=32\n "
             "put.i64 v5 %b\n"
             "v6=zext.i64 v4 aux=32\n put.i64 v6 %c\n v7=concat v5, v6\n put.i128 v7 %d\n v8=get.i128 %d\n"
             "v9=hi64 v8\n put.i64 v9 %e\n jump +4\n");
    assert_int_equal(x.t->r[4], UINT64_C(0xffffffff80000000));
    assert_int_equal(x.t->r[6], 0x80000000);
    assert_int_equal(x.t->r[0], UINT64_C(0xffffffff80000000));
    assert_int_equal(x.t->r[8], 0x80000000);
    toy_free(&x);
}

/* 80-bit values are opaque and move by slots: a stack top that the mode word fixes is plain slot numbers. */
static void x87_exchange(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    uint64_t was[4] = {1, 2, 3, 4};

    (void)state;
    memcpy(&x.t->r[2], was, 16);
    memcpy(&x.t->r[4], was + 2, 16);
    run_text(&x, "v1=get.f80 %a\n v2=get.f80 %b\n put.f80 v2 %a\n put.f80 v1 %b\n jump +4\n");
    assert_memory_equal(&x.t->r[2], was + 2, 16);
    assert_memory_equal(&x.t->r[4], was, 16);
    toy_free(&x);
}

static void one_value(struct toy_vm *x, const char *expr, uint64_t a, uint64_t b, uint64_t want)
{
    char text[1024];

    x->t->r[2] = a;
    x->t->r[4] = b;
    snprintf(text, sizeof(text), "v1=get.i64 %%a\n v2=get.i64 %%b\n %s\n put.i64 v9 %%d\n jump +4\n", expr);
    run_text(x, text);
    if (x->t->r[0] != want)
        fail_msg("%s of %llx, %llx: %llx, not %llx", expr, (unsigned long long)a, (unsigned long long)b,
                 (unsigned long long)x->t->r[0], (unsigned long long)want);
}

static void rarer_operations(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    one_value(&x, "v9=clz.i64 v1", 0, 0, 64);
    one_value(&x, "v9=clz.i64 v1", 1, 0, 63);
    one_value(&x, "v9=ctz.i64 v1", 0, 0, 64);
    one_value(&x, "v9=ctz.i64 v1", 8, 0, 3);
    one_value(&x, "v9=popcnt.i64 v1", UINT64_MAX, 0, 64);
    one_value(&x, "v9=bswap.i64 v1", UINT64_C(0x0102030405060708), 0, UINT64_C(0x0807060504030201));
    one_value(&x, "v9=brev.i64 v1", 1, 0, UINT64_C(1) << 63);
    one_value(&x, "v9=orcb.i64 v1", UINT64_C(0x0100000010000080), 0, UINT64_C(0xff000000ff0000ff));
    one_value(&x, "v9=clmul.i64 v1, v2", 5, 7, 27);
    one_value(&x, "v9=clmulh.i64 v1, v2", UINT64_C(1) << 63, 6, 3);
    one_value(&x, "v9=clmulr.i64 v1, v2", UINT64_C(1) << 63, 6, 6);
    one_value(&x, "v9=insert.i64 v1, v2 aux=0x0808", UINT64_MAX, 0x12, UINT64_C(0xffffffffffff12ff));
    one_value(&x, "v9=extract.i64 v1 aux=0x0408", 0x12345, 0, 0x34);
    one_value(&x, "v3=trunc v1\n v4=clz.i32 v3\n v9=zext.i64 v4 aux=32", UINT64_C(0xf00000001), 0, 31);
    one_value(&x, "v3=trunc v1\n v4=bswap.i32 v3\n v9=zext.i64 v4 aux=32", 0x01020304, 0, 0x04030201);
    one_value(&x, "v9=divs.i64 v1, v2", UINT64_C(1) << 63, UINT64_MAX, UINT64_C(1) << 63);
    one_value(&x, "v9=rems.i64 v1, v2", UINT64_C(1) << 63, UINT64_MAX, 0);
    one_value(&x, "v9=divu.i64 v1, v2", 5, 0, UINT64_MAX);
    one_value(&x, "v9=remu.i64 v1, v2", 5, 0, 5);
    one_value(&x, "v9=call.i64 v1, v2, v1 imm=4", 2, 3, 2 * 3 + 3 * 5 + 2 * 7);
    one_value(&x, "v9=pc.i64 +100", 0, 0, CODE + 100);
    one_value(&x,
              "v3=vdup.v128 v1 aux=8\n v4=vdup.v128 v2 aux=8\n v5=vadd.v128 v3, v4 aux=8\n v9=vlane.v128 v5 "
              "aux=64 imm=1",
              0xff, 3, UINT64_C(0x0202020202020202));
    one_value(&x,
              "v3=vdup.v128 v1 aux=16\n v4=vdup.v128 v2 aux=16\n v5=vcmpgt.v128 v3, v4 aux=272\n "
              "v9=vlane.v128 v5 aux=16 imm=7",
              1, 0xffff, 0xffff);
    one_value(&x,
              "v3=vdup.v128 v1 aux=32\n v4=vinslane.v128 v3, v2 aux=32 imm=3\n v9=vlane.v128 v4 aux=64 imm=1",
              1, 9, UINT64_C(0x900000001));
    toy_free(&x);
}

/* One vector operation on {v1, v2} and {v2, v1}, of which 64 bits are looked at. */
static void vectors(void **state)
{
    static const struct {
        const char *op;
        unsigned half;
        uint64_t a, b, expect;
    } rows[] = {
        {"vmin.v128 v6, v7 aux=264", 0, 0x80ff017f, 0x7f01ff80, 0x80ffff80},
        {"vmax.v128 v6, v7 aux=8", 0, 0x80ff017f, 0x7f01ff80, 0x80ffff80},
        {"vcmpge.v128 v6, v7 aux=16", 0, 0x00010002, 0x00010003, UINT64_C(0xffffffffffff0000)},
        {"vshlv.v128 v6, v7 aux=288", 0, UINT64_C(0x80000000ffffffff), UINT64_C(0x000000fc00000020),
         UINT64_C(0xf800000000000000)},
        {"vshr.v128 v6 aux=264 imm=8", 0, 0x80ff017f, 0, 0xffff0000},
        {"vshl.v128 v6 aux=16 imm=4", 0, 0x12345678, 0, 0x23406780},
        {"vabs.v128 v6 aux=8", 0, 0x80ff017f, 0, 0x8001017f},
        {"vclz.v128 v6 aux=8", 0, 0x80ff017f, 0, UINT64_C(0x0808080800000701)},
        {"vcnt.v128 v6 aux=8", 0, 0x80ff017f, 0, 0x01080107},
        {"vrbit.v128 v6 aux=8", 0, 0x80ff017f, 0, 0x01ff80fe},
        {"vzip.v128 v6, v7 aux=8", 0, 0x04030201, 0x14131211, UINT64_C(0x1404130312021101)},
        {"vuzp.v128 v6, v7 aux=528", 0, UINT64_C(0x0004000300020001), UINT64_C(0x0014001300120011),
         UINT64_C(0x0014001200040002)},
        {"vtrn.v128 v6, v7 aux=544", 0, UINT64_C(0x0000000200000001), UINT64_C(0x0000001200000011),
         UINT64_C(0x0000001200000002)},
        {"vtbl.v128 v6, v7 aux=8", 0, 0x44434241, UINT64_C(0xff10080003020100), UINT64_C(0x0000004144434241)},
        {"vext.v128 v6, v7 aux=8 imm=12", 1, 1, UINT64_C(0x1122334455667788), UINT64_C(0x0000000111223344)},
        {"vrev.v128 v6 aux=16 imm=64", 0, UINT64_C(0x0004000300020001), 0, UINT64_C(0x0001000200030004)},
        {"vdupl.v128 v6 aux=32 imm=1", 1, UINT64_C(0x0000000900000001), 0, UINT64_C(0x0000000900000009)},
        {"vinsert.v128 v6, v7 aux=16 imm=0x0103", 0, 0, 0x56780000, UINT64_C(0x5678000000000000)},
        {"vwiden.v128 v6 aux=264", 0, 0x80ff017f, 0, UINT64_C(0xff80ffff0001007f)},
        {"vmull.v128 v6, v7 aux=288", 0, 0xffffffff, 5, UINT64_C(0xfffffffffffffffb)},
        {"vmull.v128 v6, v7 aux=32", 0, 0xffffffff, 5, UINT64_C(0x00000004fffffffb)},
        {"vclmull.v128 v6, v7 aux=64", 0, 7, 5, 0x1b},
        {"vsumb.v128 v6 aux=8", 0, UINT64_C(0xff01020304050607), 0, 0xff + 28},
        {"vandn.v128 v6, v7 aux=0", 0, 0xff, 0x0f, 0xf0},
        {"vzext.v128 v6", 1, 1, 2, 0},
    };
    struct toy_vm x = toy_new(&engine_interp, 1);
    char text[400];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        snprintf(text, sizeof(text),
                 "v3=vzext.v128 v1\n v4=vzext.v128 v2\n v6=vinslane.v128 v3, v2 aux=64 imm=1\n "
                 "v7=vinslane.v128 v4, v1 aux=64 imm=1\n v8=%s\n v9=vlane.v128 v8 aux=64 imm=%u",
                 rows[i].op, rows[i].half);
        one_value(&x, text, rows[i].a, rows[i].b, rows[i].expect);
    }
    toy_free(&x);
}

static void floats(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    uint64_t one = UINT64_C(0x3ff0000000000000), three = UINT64_C(0x4008000000000000);
    uint64_t snan = UINT64_C(0x7ff0000000000001), nan = UINT64_C(0x7ff8000000000000);

    (void)state;
#define BITS "v3=bitcast.f64 v1\n v4=bitcast.f64 v2\n "
    one_value(&x, BITS "v5=fadd.f64 v3, v4\n v9=bitcast.i64 v5", one, one, UINT64_C(0x4000000000000000));
    assert_int_equal(x.t->fpflags, 0);
    one_value(&x, BITS "v5=fdiv.f64 v3, v4\n v9=bitcast.i64 v5", one, three, UINT64_C(0x3fd5555555555555));
    assert_int_equal(x.t->fpflags, SF_INEXACT);
    one_value(&x, BITS "v5=fdiv.f64 v3, v4 aux=3\n v9=bitcast.i64 v5", one, three,
              UINT64_C(0x3fd5555555555556));
    one_value(&x, BITS "v5=fdiv.f64 v3, v4\n v9=bitcast.i64 v5", one, 0, UINT64_C(0x7ff0000000000000));
    assert_int_equal(x.t->fpflags, SF_INEXACT | SF_DIVZERO);
    x.t->fpflags = 0;
    one_value(&x, BITS "v9=fcmp.f64 v3, v4", nan, nan, 0);
    assert_int_equal(x.t->fpflags, 0);
    one_value(&x, BITS "v9=fcmp.f64 v3, v4 aux=1", nan, one, 0);
    assert_int_equal(x.t->fpflags, SF_INVALID);
    one_value(&x, BITS "v9=fcmp.f64 v3, v4 aux=6", nan, one, 1);
    one_value(&x, BITS "v5=fmadd.f64 v3, v4, v3\n v9=bitcast.i64 v5", one, three,
              UINT64_C(0x4010000000000000));
    one_value(&x, BITS "v9=fclass.f64 v3", snan, 0, 256);
    one_value(&x, BITS "v9=ftoi.f64 v3 aux=0x0201", UINT64_C(0xbff8000000000000), 0, UINT64_MAX);
    one_value(&x, "v5=itof.f64 v1 aux=0x0200\n v9=bitcast.i64 v5", UINT64_MAX, 0,
              UINT64_C(0xbff0000000000000));
    one_value(&x, BITS "v5=fmin.f64 v3, v4\n v9=bitcast.i64 v5", nan, one, one);
    one_value(&x, BITS "v5=fmin.f64 v3, v4 aux=0x100\n v9=bitcast.i64 v5", nan, one, nan);
    one_value(&x, BITS "v5=fmax.f64 v3, v4 aux=0x300\n v9=bitcast.i64 v5", three, nan, nan);
    one_value(&x, BITS "v5=ftof.f32 v3\n v6=box.f32 v5\n v9=bitcast.i64 v6", one, 0,
              UINT64_C(0xffffffff3f800000));
    one_value(&x, BITS "v5=unbox.f32 v3\n v6=box.f32 v5\n v9=bitcast.i64 v6", one, 0,
              UINT64_C(0xffffffff7fc00000));
    one_value(&x, BITS "v5=fsgnjn.f64 v3, v4\n v9=bitcast.i64 v5", one, three, one | UINT64_C(1) << 63);
    toy_free(&x);
}

/* A bail leaves everything as before the instruction, and hands back what was not begun. */
static void bails(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    enum interp_leave why;

    (void)state;
    x.t->r[2] = TOY_DEV;
    why = run_text(
        &x,
        "v1=const.i64 1\n put.i64 v1 %d\n insn +4 len=4\n v2=const.i64 2\n put.i64 v2 %d\n insn +8 len=2\n"
        "v3=get.i64 %a\n v4=load.i64 v3 aux=3\n put.i64 v4 %d\n insn +10 len=4\n jump +14\n");
    assert_int_equal(why, INTERP_BAIL);
    assert_int_equal(x.v->pc, CODE + 8);
    assert_int_equal(x.t->r[0], 2);
    assert_int_equal(x.v->budget, 1000 - 2);
    assert_int_equal(x.dev->reads, 0);
    toy_free(&x);
}

/* ---- random IR ---- */

struct gen {
    struct ir_unit *u;
    ir_ref i64[600], i32[600];
    unsigned n64, n32;
};

static ir_ref pick64(struct gen *g)
{
    return g->i64[(unsigned)random() % g->n64];
}

static ir_ref pick32(struct gen *g)
{
    return g->i32[(unsigned)random() % g->n32];
}

static int64_t constant(void)
{
    static const int64_t special[] = {0,  1,         -1,        2,         31,        63,
                                      64, INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, 0xffffffff};

    return random() % 2 ? special[random() % ARRAY_SIZE(special)] : (int64_t)random() << 32 ^ random();
}

static unsigned slot64(void)
{
    return TOY_R(random() % 12);
}

static unsigned slot32(void)
{
    return slot64() + (random() % 2 ? 4 : 0);
}

static void add64(struct gen *g, ir_ref r)
{
    g->i64[g->n64++] = r;
}

static void add32(struct gen *g, ir_ref r)
{
    g->i32[g->n32++] = r;
}

static void random_binary(struct gen *g)
{
    enum ir_opcode op = (enum ir_opcode)(IR_ADD + (unsigned)random() % (IR_ROR - IR_ADD + 1));

    if (random() % 3)
        add64(g, ir_bin(g->u, op, IRT_I64, pick64(g), pick64(g)));
    else
        add32(g, ir_bin(g->u, op, IRT_I32, pick32(g), pick32(g)));
}

static void random_unary(struct gen *g)
{
    enum ir_opcode op = (enum ir_opcode)(IR_NEG + (unsigned)random() % (IR_ORCB - IR_NEG + 1));

    if (random() % 3)
        add64(g, ir_un(g->u, op, IRT_I64, pick64(g)));
    else
        add32(g, ir_un(g->u, op, IRT_I32, pick32(g)));
}

static void random_convert(struct gen *g)
{
    static const unsigned widths[] = {8, 16, 32};
    enum ir_opcode op = random() % 2 ? IR_SEXT : IR_ZEXT;
    unsigned lsb = (unsigned)random() % 40;

    switch (random() % 6) {
    case 0:
        add32(g, ir_un(g->u, IR_TRUNC, IRT_I32, pick64(g)));
        break;
    case 1:
        add64(g, ir_emit(g->u, op, IRT_I64, 32, pick32(g), IR_REF_NONE, IR_REF_NONE, 0));
        break;
    case 2:
        add64(g, ir_emit(g->u, op, IRT_I64, widths[random() % 3], pick64(g), IR_REF_NONE, IR_REF_NONE, 0));
        break;
    case 3:
        add32(g, ir_emit(g->u, op, IRT_I32, widths[random() % 2], pick32(g), IR_REF_NONE, IR_REF_NONE, 0));
        break;
    case 4:
        add64(g, ir_emit(g->u, IR_INSERT, IRT_I64, lsb << 8 | 9, pick64(g), pick64(g), IR_REF_NONE, 0));
        break;
    default:
        add64(g, ir_emit(g->u, IR_EXTRACT, IRT_I64, lsb << 8 | 20, pick64(g), IR_REF_NONE, IR_REF_NONE, 0));
        break;
    }
}

static void random_memory(struct gen *g)
{
    ir_ref base = ir_const(g->u, IRT_I64, TOY_RAM + 0x10000);
    ir_ref at = ir_bin(g->u, IR_ADD, IRT_I64, base,
                       ir_bin(g->u, IR_AND, IRT_I64, pick64(g), ir_const(g->u, IRT_I64, 0x7f8)));
    unsigned size = (unsigned)random() % 4, sign = random() % 2 ? IR_MEM_SIGNED : 0;

    switch (random() % 4) {
    case 0:
        add64(g, ir_load(g->u, IRT_I64, size | sign, at, random() % 64));
        break;
    case 1:
        add32(g, ir_load(g->u, IRT_I32, size % 3 | sign, at, random() % 64));
        break;
    case 2:
        ir_store(g->u, IRT_I64, size, at, random() % 64, pick64(g));
        break;
    default:
        ir_store(g->u, IRT_I32, size % 3, at, random() % 64, pick32(g));
        break;
    }
}

static void random_other(struct gen *g)
{
    ir_ref f;

    switch (random() % 6) {
    case 0:
        add64(g, ir_setcc(g->u, IRT_I64, (enum ir_cond)(random() % 10), pick64(g), pick64(g)));
        break;
    case 1:
        add64(g, ir_setcc(g->u, IRT_I32, (enum ir_cond)(random() % 10), pick32(g), pick32(g)));
        break;
    case 2:
        add64(g, ir_emit(g->u, IR_SELECT, IRT_I64, 0, pick64(g), pick64(g), pick64(g), 0));
        break;
    case 3:
        add64(g, ir_call(g->u, TOY_H_PURE, IRT_I64, pick64(g), pick64(g), pick64(g)));
        break;
    case 4:
        f = ir_emit(g->u, IR_FLAGS, IRT_I64, (unsigned)random() % 3, pick64(g), pick64(g), IR_REF_NONE, 0);
        add64(g, ir_emit(g->u, IR_FCOND, IRT_NONE, (unsigned)random() % 16, f, IR_REF_NONE, IR_REF_NONE, 0));
        break;
    default:
        add64(g, ir_emit(g->u, IR_PC, IRT_I64, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, random() % 5000));
        break;
    }
}

static void random_op(struct gen *g, int32_t *offset)
{
    switch (random() % 12) {
    case 0:
        add64(g, ir_const(g->u, IRT_I64, constant()));
        break;
    case 1:
        add32(g, ir_const(g->u, IRT_I32, (int32_t)constant()));
        break;
    case 2:
        add64(g, ir_get(g->u, IRT_I64, slot64()));
        break;
    case 3:
        add32(g, ir_get(g->u, IRT_I32, slot32()));
        break;
    case 4:
        ir_put(g->u, IRT_I64, slot64(), pick64(g));
        break;
    case 5:
        ir_put(g->u, IRT_I32, slot32(), pick32(g));
        break;
    case 6:
        random_unary(g);
        break;
    case 7:
        random_convert(g);
        break;
    case 8:
        random_memory(g);
        break;
    case 9:
        random_other(g);
        break;
    case 10:
        ir_insn(g->u, *offset += 4, 4);
        break;
    default:
        random_binary(g);
        break;
    }
}

static void random_unit(struct text_unit *t)
{
    struct gen g = {.u = &t->u};
    int32_t offset = 0;
    char why[160];

    t->u = (struct ir_unit){.ops = t->ops, .blocks = t->blocks, .op_max = 1024, .block_max = 16};
    ir_block_begin(&t->u, 0);
    ir_insn(&t->u, 0, 4);
    add64(&g, ir_get(&t->u, IRT_I64, slot64()));
    add32(&g, ir_get(&t->u, IRT_I32, slot32()));
    for (unsigned n = 5 + (unsigned)random() % 120; n; n--)
        random_op(&g, &offset);
    ir_emit(&t->u, IR_BRANCH, IRT_I64, (unsigned)random() % 10, pick64(&g), pick64(&g), IR_REF_NONE,
            (int64_t)100 << 32 | 200);
    if (ir_verify(&t->u, why, sizeof(why)))
        fail_msg("%s", why);
}

struct outcome {
    uint64_t r[32], pc;
    uint8_t ram[0x1000];
};

static void outcome_of(struct toy_vm *x, const struct ir_unit *u, const struct outcome *start,
                       struct outcome *end)
{
    memcpy(x->t->r, start->r, sizeof(start->r));
    memcpy(x->ram + 0x10000, start->ram, sizeof(start->ram));
    assert_int_equal(run_unit(x, u), INTERP_NEXT);
    memcpy(end->r, x->t->r, sizeof(end->r));
    memcpy(end->ram, x->ram + 0x10000, sizeof(end->ram));
    end->pc = x->v->pc;
}

/* Every combination of passes gives what the plain program gives. */
static void random_programs(void **state)
{
    static struct outcome start, plain, optimised;
    static struct text_unit a, b;
    struct toy_vm x = toy_new(&engine_interp, 1);
    unsigned rounds = getenv("CV_LONG") ? 400000 : 12000;

    (void)state;
    srandom(7);
    for (unsigned n = 0; n < rounds; n++) {
        char why[160], text[32768];

        for (unsigned i = 0; i < 32; i++)
            start.r[i] = (uint64_t)constant();
        random_unit(&a);
        outcome_of(&x, &a.u, &start, &plain);
        b = a;
        b.u.ops = b.ops;
        b.u.blocks = b.blocks;
        ir_optimise(&b.u, n % (IR_PASS_ALL + 1), toy_helpers);
        if (ir_verify(&b.u, why, sizeof(why)))
            fail_msg("program %u, passes %u: %s", n, n % (IR_PASS_ALL + 1), why);
        outcome_of(&x, &b.u, &start, &optimised);
        if (memcmp(&plain, &optimised, sizeof(plain))) {
            ir_print(&a.u, text, sizeof(text));
            fail_msg("program %u, passes %u:\n%s", n, n % (IR_PASS_ALL + 1), text);
        }
    }
    toy_free(&x);
}

/* Far too large for the interpreter's cells: refused, so that a shorter unit is tried. */
static void too_many_values(void **state)
{
    static struct text_unit t;
    struct toy_vm x = toy_new(&engine_interp, 1);
    ir_ref r[400], a;
    struct unit *u = units_alloc(x.vm);

    (void)state;
    t.u = (struct ir_unit){.ops = t.ops, .blocks = t.blocks, .op_max = 1024, .block_max = 16};
    ir_block_begin(&t.u, 0);
    ir_insn(&t.u, 0, 4);
    a = ir_get(&t.u, IRT_I64, TOY_R(1));
    for (unsigned i = 0; i < 400; i++)
        r[i] = ir_un(&t.u, IR_NEG, IRT_I64, a);
    for (unsigned i = 0; i < 400; i++)
        ir_put(&t.u, IRT_I64, TOY_R(i % 32), r[i]);
    ir_emit(&t.u, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 4);
    assert_false(t.u.overflow);
    assert_int_equal(interp_lower(x.v, u, &t.u), -E2BIG);
    units_free(x.vm, u);
    toy_free(&x);
}

/* ---- several vCPUs ---- */

struct runner {
    struct toy_vm *x;
    struct vcpu *v;
};

static void runner_task(void *opaque)
{
    struct runner *r = opaque;
    enum exit_action action;

    plat_current_set(r->v);
    vcpu_attach(r->v);
    do {
        if (atomic_load(&r->v->request) & VCPU_REQ_CALL)
            vcpu_serve_calls(r->v);
        vcpu_grant(r->v, 500);
        vcpu_run(r->v, &action);
    } while (action != EXIT_BLOCK);
    vcpu_transition(r->v, VCPU_EV_WAKE);
    vcpu_detach(r->v);
}

/* Four tasks add to one word, each rewriting its own copy of code on a page that they share. */
static void parallel(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 4);
    struct plat_task *task[4];
    struct runner r[4];

    (void)state;
    x.vm->desc.deterministic = false;
    for (unsigned i = 0; i < 4; i++) {
        struct toy_vcpu *t = toy_of(x.vm->vcpu[i]);
        gpa_t at = CODE + 0x40 * i;

        /* r4 += amoadd; rewrite the ADDI at +0x14 with itself; r1 += 1; until r1 == r2 */
        PROGRAM(&x, at, {TOY_ADDI, 3, 0, 1}, {TOY_AMOADD, 3, 5, 0}, {TOY_STORE, 7, 6, 0}, {TOY_ADDI, 1, 1, 1},
                {TOY_ADDI, 8, 8, 0}, {TOY_ADDI, 9, 9, 1}, {TOY_ADDI, 10, 10, 1}, {TOY_BNE, 1, 2, (uint8_t)-7},
                {TOY_HALT, 0, 0, 0});
        memcpy(&t->r[7], x.ram + 0x40 * i + 0x14, 8);
        t->r[2] = 3000;
        t->r[5] = TOY_RAM + 0x8000;
        t->r[6] = at + 0x14;
        x.vm->vcpu[i]->pc = at;
        r[i] = (struct runner){&x, x.vm->vcpu[i]};
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(plat_task_start(&task[i], "runner", runner_task, &r[i]), 0);
    for (unsigned i = 0; i < 4; i++)
        plat_task_join(task[i]);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(toy_of(x.vm->vcpu[i])->r[9], 3000);
        assert_int_equal(toy_of(x.vm->vcpu[i])->exceptions, 0);
    }
    assert_int_equal(*(uint64_t *)(x.ram + 0x8000), 12000);
    toy_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop),
        cmocka_unit_test(exact_budgets),
        cmocka_unit_test(counts_inside),
        cmocka_unit_test(exceptions),
        cmocka_unit_test(fetch_faults),
        cmocka_unit_test(pair_faults_halfway),
        cmocka_unit_test(repeated_move),
        cmocka_unit_test(devices),
        cmocka_unit_test(store_over_code),
        cmocka_unit_test(device_writes_code),
        cmocka_unit_test(crossing_instruction),
        cmocka_unit_test(spaces_and_remaps),
        cmocka_unit_test(add_with_carry),
        cmocka_unit_test(flag_conditions),
        cmocka_unit_test(flags_packed),
        cmocka_unit_test(guards),
        cmocka_unit_test(float_flags),
        cmocka_unit_test(pairs_of_words),
        cmocka_unit_test(slots_and_values),
        cmocka_unit_test(x87_exchange),
        cmocka_unit_test(rarer_operations),
        cmocka_unit_test(vectors),
        cmocka_unit_test(floats),
        cmocka_unit_test(bails),
        cmocka_unit_test(random_programs),
        cmocka_unit_test(too_many_values),
        cmocka_unit_test(parallel),
    };

    return cmocka_run_group_tests_name("interp", tests, NULL, NULL);
}
