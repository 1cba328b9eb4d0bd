/*
 * The JIT against the interpreter, on the guest without an ISA: random programs in slices, with faults,
 * devices and floating point; code that changes while it is hot; code memory that comes round; W^X.
 */
#include "engine/jit/random_test.h"

#define DATA   (TOY_RAM + 0x10000)
#define TRACE  13
#define INTS   13
#define FLOATS 16 /* r[16..31] */

/* One more instruction: {FUZZ, seed, seed, seed}; RESUME goes on behind the instruction that faulted. */
enum { FUZZ = 64, RESUME };

/* ---- a random instruction ---- */

struct gen {
    struct ir_unit *u;
    uint32_t seed;
    ir_ref i64[64], i32[64], f64[64], f32[64];
    unsigned n64, n32, nd, ns;
};

static uint32_t next(struct gen *g, uint32_t n)
{
    return random_next(&g->seed, n);
}

static ir_ref i64(struct gen *g)
{
    return g->i64[next(g, g->n64)];
}

static ir_ref i32(struct gen *g)
{
    return g->i32[next(g, g->n32)];
}

static ir_ref f64(struct gen *g)
{
    return g->f64[next(g, g->nd)];
}

static ir_ref f32(struct gen *g)
{
    return g->f32[next(g, g->ns)];
}

static void add_i64(struct gen *g, ir_ref r)
{
    g->i64[g->n64++] = r;
}

static void add_i32(struct gen *g, ir_ref r)
{
    g->i32[g->n32++] = r;
}

static void add_f64(struct gen *g, ir_ref r)
{
    g->f64[g->nd++] = r;
}

static void add_f32(struct gen *g, ir_ref r)
{
    g->f32[g->ns++] = r;
}

static ir_ref emit(struct gen *g, enum ir_opcode op, enum ir_type type, unsigned aux, ir_ref a, ir_ref b)
{
    return ir_emit(g->u, op, type, aux, a, b, IR_REF_NONE, 0);
}

static int64_t constant(struct gen *g)
{
    static const int64_t special[] = {0,  1,         -1,        2,         31,        63,
                                      64, INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, 0xffffffff};

    if (next(g, 2))
        return special[next(g, ARRAY_SIZE(special))];
    return (int64_t)((uint64_t)next(g, 1u << 23) << 41 ^ (uint64_t)next(g, 1u << 23) << 20 ^
                     next(g, 1u << 20));
}

static void integer(struct gen *g)
{
    enum ir_opcode op = (enum ir_opcode)(IR_ADD + next(g, IR_ROR - IR_ADD + 1));

    switch (next(g, 6)) {
    case 0:
        add_i32(g, emit(g, op, IRT_I32, 0, i32(g), i32(g)));
        break;
    case 1:
        op = (enum ir_opcode)(IR_NEG + next(g, IR_BREV - IR_NEG + 1));
        add_i64(g, emit(g, op, IRT_I64, 0, i64(g), IR_REF_NONE));
        break;
    case 2:
        op = (enum ir_opcode)(IR_NEG + next(g, IR_BREV - IR_NEG + 1));
        add_i32(g, emit(g, op, IRT_I32, 0, i32(g), IR_REF_NONE));
        break;
    case 3:
        op = (enum ir_opcode)(IR_MINS + next(g, IR_MAXU - IR_MINS + 1));
        add_i64(g, emit(g, op, IRT_I64, 0, i64(g), i64(g)));
        break;
    default:
        add_i64(g, emit(g, op, IRT_I64, 0, i64(g), i64(g)));
        break;
    }
}

static void convert(struct gen *g)
{
    enum ir_opcode op = next(g, 2) ? IR_SEXT : IR_ZEXT;

    switch (next(g, 6)) {
    case 0:
        add_i32(g, emit(g, IR_TRUNC, IRT_I32, 0, i64(g), IR_REF_NONE));
        break;
    case 1:
        add_i64(g, emit(g, op, IRT_I64, 32, i32(g), IR_REF_NONE));
        break;
    case 2:
        add_i64(g, emit(g, op, IRT_I64, 8u << next(g, 3), i64(g), IR_REF_NONE));
        break;
    case 3:
        add_i32(g, emit(g, op, IRT_I32, 8u << next(g, 2), i32(g), IR_REF_NONE));
        break;
    case 4:
        add_i64(g, emit(g, IR_EXTRACT, IRT_I64, next(g, 40) << 8 | (1 + next(g, 24)), i64(g), IR_REF_NONE));
        break;
    default:
        add_i64(g, ir_const(g->u, IRT_I64, constant(g)));
        break;
    }
}

static void choice(struct gen *g)
{
    switch (next(g, 4)) {
    case 0:
        add_i64(g, emit(g, IR_SETCC, IRT_I64, next(g, 10), i64(g), i64(g)));
        break;
    case 1:
        add_i64(g, emit(g, IR_SETCC, IRT_I32, next(g, 10), i32(g), i32(g)));
        break;
    case 2:
        add_i64(g, ir_emit(g->u, IR_SELECT, IRT_I64, 0, i64(g), i64(g), i64(g), 0));
        break;
    default:
        add_i64(g, ir_emit(g->u, IR_PC, IRT_I64, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, next(g, 5000)));
        break;
    }
}

static ir_ref float_value(struct gen *g, bool d)
{
    enum ir_type type = d ? IRT_F64 : IRT_F32;
    enum ir_opcode op = (enum ir_opcode)(IR_FADD + next(g, 4));
    unsigned round = next(g, 8) ? IR_RNE : next(g, 5);
    ir_ref a = d ? f64(g) : f32(g), b = d ? f64(g) : f32(g);

    switch (next(g, 7)) {
    case 0:
        return emit(g, IR_FSQRT, type, round, a, IR_REF_NONE);
    case 1:
        return ir_emit(g->u, IR_FMADD, type, round, a, b, d ? f64(g) : f32(g), 0);
    case 2:
        op = (enum ir_opcode)(IR_FSGNJ + next(g, 3));
        return emit(g, op, type, 0, a, b);
    case 3:
        return emit(g, IR_FTOF, type, round, d ? f32(g) : f64(g), IR_REF_NONE);
    case 4:
        return emit(g, IR_ITOF, type, round | next(g, 4) << 8, i64(g), IR_REF_NONE);
    case 5:
        return next(g, 2) ? emit(g, IR_FMIN, type, 0, a, b) : emit(g, IR_FABS, type, 0, a, IR_REF_NONE);
    default:
        return emit(g, op, type, round, a, b);
    }
}

static void floating(struct gen *g)
{
    bool d = next(g, 2);
    enum ir_type type = d ? IRT_F64 : IRT_F32;

    switch (next(g, 5)) {
    case 0:
        add_i64(g, emit(g, IR_FCMP, type, next(g, 7), d ? f64(g) : f32(g), d ? f64(g) : f32(g)));
        break;
    case 1:
        add_i64(g, emit(g, IR_FTOI, type, next(g, 5) | next(g, 4) << 8, d ? f64(g) : f32(g), IR_REF_NONE));
        break;
    case 2:
        if (d)
            add_f64(g, emit(g, IR_BITCAST, IRT_F64, 0, i64(g), IR_REF_NONE));
        else
            add_f32(g, emit(g, IR_UNBOX, IRT_F32, 0, f64(g), IR_REF_NONE));
        break;
    default:
        if (d)
            add_f64(g, float_value(g, true));
        else
            add_f32(g, float_value(g, false));
        break;
    }
}

/* Mostly inside RAM at any alignment; across its end, at a device, nowhere. */
static ir_ref address(struct gen *g)
{
    static const uint64_t bases[] = {DATA,    DATA,  DATA, DATA + 0xc00, DATA + 0xc00,
                                     DATA,    DATA,  DATA, DATA,         TOY_RAM + TOY_SIZE - 0x400,
                                     TOY_DEV, 0x1000};
    ir_ref masked = emit(g, IR_AND, IRT_I64, 0, i64(g), ir_const(g->u, IRT_I64, next(g, 4) ? 0x7f8 : 0x7ff));

    return emit(g, IR_ADD, IRT_I64, 0, masked,
                ir_const(g->u, IRT_I64, (int64_t)bases[next(g, ARRAY_SIZE(bases))]));
}

static void load(struct gen *g)
{
    unsigned size = next(g, 4), sign = next(g, 2) ? IR_MEM_SIGNED : 0;

    switch (next(g, 4)) {
    case 0:
        add_i32(g, ir_load(g->u, IRT_I32, size % 3 | sign, address(g), next(g, 64)));
        break;
    case 1:
        add_f64(g, ir_load(g->u, IRT_F64, 3, address(g), 8 * next(g, 8)));
        break;
    default:
        add_i64(g, ir_load(g->u, IRT_I64, size | sign, address(g), next(g, 64)));
        break;
    }
}

static void store(struct gen *g)
{
    unsigned size = next(g, 4);

    switch (next(g, 5)) {
    case 0:
        ir_store(g->u, IRT_I32, size % 3, address(g), next(g, 64), i32(g));
        break;
    case 1:
        ir_store(g->u, IRT_F64, 3, address(g), 8 * next(g, 8), f64(g));
        break;
    case 2:
        size = 2 + next(g, 2);
        add_i64(g, emit(g, IR_AMO, IRT_I64, size | IR_MEM_ALIGNED | next(g, 9) << IR_MEM_AMO_SHIFT,
                        address(g), i64(g)));
        break;
    default:
        ir_store(g->u, IRT_I64, size, address(g), next(g, 64), i64(g));
        break;
    }
}

/* What may fault comes before what the guest sees: at most one store, then the registers. */
static void fuzz(struct ir_unit *u, uint32_t seed)
{
    struct gen g = {.u = u, .seed = seed * 2654435761u};
    unsigned kind = next(&g, 8);

    for (unsigned i = 0; i < 3; i++)
        add_i64(&g, ir_get(u, IRT_I64, TOY_R(next(&g, INTS))));
    add_i32(&g, emit(&g, IR_TRUNC, IRT_I32, 0, i64(&g), IR_REF_NONE));
    for (unsigned i = 0; i < 2; i++)
        add_f64(&g, ir_get(u, IRT_F64, TOY_R(FLOATS + next(&g, 16))));
    add_f32(&g, emit(&g, IR_UNBOX, IRT_F32, 0, f64(&g), IR_REF_NONE));
    if (kind < 3)
        load(&g);
    for (unsigned n = next(&g, 6); n; n--)
        kind & 1 ? integer(&g) : kind & 2 ? floating(&g) : next(&g, 2) ? convert(&g) : choice(&g);
    if (kind == 3 || kind == 4)
        store(&g);
    ir_put(u, IRT_I64, TOY_R(next(&g, INTS)), g.i64[g.n64 - 1]);
    if (next(&g, 2))
        ir_put(u, IRT_I64, TOY_R(next(&g, INTS)), emit(&g, IR_SEXT, IRT_I64, 32, i32(&g), IR_REF_NONE));
    if (next(&g, 2))
        ir_put(u, IRT_F64, TOY_R(FLOATS + next(&g, 16)), g.f64[g.nd - 1]);
    if (next(&g, 2))
        ir_put(u, IRT_F64, TOY_R(FLOATS + next(&g, 16)),
               emit(&g, IR_BOX, IRT_F32, 0, g.f32[g.ns - 1], IR_REF_NONE));
}

/* Where and when it faulted goes into the trace register. */
static void resume(struct ir_unit *u)
{
    ir_ref pc = ir_get(u, IRT_I64, offsetof(struct toy_vcpu, saved_pc)), t;

    ir_emit(u, IR_SYNC, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
    t = ir_call(u, TOY_H_COUNT, IRT_I64, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
    t = ir_call(u, TOY_H_PURE, IRT_I64, t, pc, ir_get(u, IRT_I64, TOY_R(TRACE)));
    ir_put(u, IRT_I64, TOY_R(TRACE), t);
    ir_emit(u, IR_JUMPI, IRT_NONE, 0, ir_bin(u, IR_ADD, IRT_I64, pc, ir_const(u, IRT_I64, 4)), IR_REF_NONE,
            IR_REF_NONE, 0);
}

static void shape(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out)
{
    toy_shape(mode, bytes, avail, out);
    if (avail >= 4 && bytes[0] == FUZZ)
        out->kind = INSN_PLAIN;
}

static void lift(struct ir_unit *u, uint64_t mode, int32_t at, const uint8_t *bytes, unsigned avail)
{
    if (bytes[0] < FUZZ) {
        toy_lift(u, mode, at, bytes, avail);
        return;
    }
    ir_insn(u, at, 4);
    if (bytes[0] == FUZZ)
        fuzz(u, bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16);
    else
        resume(u);
}

#define INT(n)                                                                                               \
    {                                                                                                        \
        .offset = TOY_R(n), .type = IRT_I64                                                                  \
    }
#define FP(n)                                                                                                \
    {                                                                                                        \
        .offset = TOY_R(FLOATS + (n)), .type = IRT_F64                                                       \
    }
/* More than a host has registers: the last ones stay in memory. */
static const struct slot_desc slots[] = {INT(0), INT(1), INT(2),  INT(3),  INT(4),  INT(5),  INT(6), INT(7),
                                         INT(8), INT(9), INT(14), INT(15), INT(10), INT(11), FP(0),  FP(1),
                                         FP(2),  FP(3),  FP(4),   FP(5),   FP(6),   FP(7),   FP(8),  FP(9),
                                         FP(10), FP(11), FP(12),  FP(13),  FP(14),  FP(15)};

static const struct lift_ops lift_fuzz = {
    .helpers = toy_helpers,
    .helper_count = ARRAY_SIZE(toy_helpers),
    .slots = slots,
    .slot_count = ARRAY_SIZE(slots),
    .insn_max = 4,
    .insn_align = 2,
    .shape = shape,
    .lift = lift,
    .fp_rules = &sf_rules_riscv,
    .fpflags_slot = offsetof(struct toy_vcpu, fpflags),
};

/* ---- machines ---- */

static struct toy_vm machine(const struct engine_ops *engine)
{
    return random_machine(engine, &lift_fuzz);
}

#define PROGRAM(x, at, ...)                                                                                  \
    do {                                                                                                     \
        static const uint8_t code_[][4] = {__VA_ARGS__};                                                     \
        for (unsigned i_ = 0; i_ < ARRAY_SIZE(code_); i_++)                                                  \
            toy_code(x, (at) + 4 * i_, code_[i_][0], code_[i_][1], code_[i_][2], (int8_t)code_[i_][3]);      \
    } while (0)

/* In slices: heat is counted where a unit is left. Whole rounds of loops of 3, 4 and 5 instructions. */
static enum exit_kind run_sliced(struct toy_vm *x, unsigned insns)
{
    enum exit_kind kind = EXIT_NONE;

    for (unsigned slice; insns && kind == EXIT_NONE; insns -= slice) {
        slice = MIN(insns, 240u);
        kind = toy_run(x, x->v, slice);
    }
    return kind;
}

/* ---- random programs ---- */

static unsigned random_program(uint8_t (*code)[4])
{
    return loop_end(code, random_insns(code, 4 + (unsigned)random() % 40, FUZZ, INTS, 4));
}

static void start(struct toy_vm *x, const uint8_t (*code)[4], unsigned n, const uint64_t *r)
{
    assert_int_equal(mem_load(&x->vm->mem, CODE, code, (uint64_t)n * 4), 0);
    toy_code(x, x->t->vector, RESUME, 0, 0, 0);
    memset(x->ram + 0x10000, 0x5a, 0x2000);
    memcpy(x->t->r, r, sizeof(x->t->r));
    x->t->r[COUNTER] = 250;
    x->t->r[ZERO] = 0;
    x->t->fpflags = 0;
    x->v->fp_flags = 0;
    if (x->vm->engine->push)
        x->vm->engine->push(x->v, REGS_FP);
    x->v->pc = CODE;
}

static unsigned fp_flags(const struct toy_vm *x)
{
    return x->t->fpflags | x->v->fp_flags;
}

static const char *difference(const struct toy_vm *a, const struct toy_vm *b)
{
    static char text[100];

    for (unsigned i = 0; i < 32; i++) {
        if (a->t->r[i] != b->t->r[i]) {
            snprintf(text, sizeof(text), "r%u 0x%llx 0x%llx", i, (unsigned long long)a->t->r[i],
                     (unsigned long long)b->t->r[i]);
            return text;
        }
    }
    return a->v->pc != b->v->pc                       ? "pc"
           : vcpu_icount(a->v) != vcpu_icount(b->v)   ? "count"
           : a->v->budget != b->v->budget             ? "budget"
           : a->t->exceptions != b->t->exceptions     ? "exceptions"
           : a->t->saved_pc != b->t->saved_pc         ? "faulting pc"
           : a->t->fault_va != b->t->fault_va         ? "faulting address"
           : a->t->cause != b->t->cause               ? "cause"
           : fp_flags(a) != fp_flags(b)               ? "FP flags"
           : a->dev->reads != b->dev->reads           ? "device reads"
           : a->dev->writes != b->dev->writes         ? "device writes"
           : a->dev->value != b->dev->value           ? "device value"
           : a->dev->count_seen != b->dev->count_seen ? "count at the device"
           : memcmp(a->ram, b->ram, TOY_SIZE)         ? "memory"
                                                      : NULL;
}

static void random_registers(uint64_t *r)
{
    static const uint64_t special[] = {0,
                                       1,
                                       UINT64_MAX,
                                       UINT64_C(0x3ff0000000000000),
                                       UINT64_C(0x7ff0000000000000),
                                       UINT64_C(0x7ff8000000000000),
                                       UINT64_C(0x7ff0000000000001),
                                       UINT64_C(0x8000000000000000),
                                       UINT64_C(0xffffffff3f800000),
                                       UINT64_C(0xffffffff7f800001),
                                       UINT64_C(0x000fffffffffffff)};

    random_values(r, special, ARRAY_SIZE(special));
}

static void run_programs(unsigned rounds, unsigned seed, unsigned passes)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    static uint8_t code[64][4];
    uint64_t r[32];

    assert_int_equal(jit_of(b.vm)->hot.passes, passes);
    srandom(seed);
    for (unsigned n = 0; n < rounds; n++) {
        unsigned insns = random_program(code), slice;
        enum exit_kind kind;

        random_registers(r);
        start(&a, code, insns, r);
        start(&b, code, insns, r);
        do {
            const char *what;

            slice = 1 + (unsigned)random() % 1000;
            kind = toy_run(&a, a.v, slice);
            assert_int_equal(toy_run(&b, b.v, slice), kind);
            what = difference(&a, &b);
            /* The device asks for attention when 77 is written. */
            atomic_store(&a.v->request, 0);
            atomic_store(&b.v->request, 0);
            if (what) {
                show_program(&lift_fuzz, code, insns);
                fail_msg("program %u, count %llu, pc 0x%llx: %s differs", n,
                         (unsigned long long)vcpu_icount(a.v), (unsigned long long)a.v->pc, what);
            }
        } while (kind == EXIT_NONE);
    }
    assert_true(counter(&b, "jit.units") >= rounds / 2);
    assert_true(a.t->exceptions > 0);
    assert_true(a.dev->reads > 0);
    toy_free(&a);
    toy_free(&b);
}

static void random_programs(void **state)
{
    (void)state;
    run_programs(getenv("CV_LONG") ? 20000 : 250, 11, IR_PASS_ALL);
}

/* Each of the IR's passes left out, and all. */
static void random_programs_without_a_pass(void **state)
{
    static const struct {
        const char *names;
        unsigned passes;
    } off[] = {
        {"fold", IR_PASS_FOLD},
        {"copy", IR_PASS_COPY},
        {"slots", IR_PASS_SLOTS},
        {"dead", IR_PASS_DEAD},
        {"width", IR_PASS_WIDTH},
        {"all", IR_PASS_ALL},
        {"copy,dead", IR_PASS_COPY | IR_PASS_DEAD},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
        setenv("CARBOVISOR_PASSES_OFF", off[i].names, 1);
        run_programs(getenv("CV_LONG") ? 3000 : 100, 31 + i, IR_PASS_ALL & ~off[i].passes);
    }
    unsetenv("CARBOVISOR_PASSES_OFF");
}

/* ---- loops over memory: repeated turns, groups of accesses, pages that end or fault inside ---- */

enum { BASE = 5, BASE2 = 6, LAST = 4, WALK_PAGES = 12 };
#define WALK_VA UINT64_C(0x500000)

/* Pages of data in scattered frames; some cannot be written, some are not there. Code stays where it is. */
static void walk_pages(struct toy_vm *x, uint32_t seed)
{
    for (uint64_t i = 0; i < WALK_PAGES * 0x1000; i += 8) {
        uint64_t word = i * UINT64_C(0x9e3779b97f4a7c15);

        memcpy(x->ram + (DATA - TOY_RAM) + i, &word, 8);
    }
    x->t->paging = true;
    x->t->page[0] = (struct toy_page){
        .va = TOY_RAM, .gpa = TOY_RAM, .size = 0x10000, .global = true, .read = true, .exec = true};
    x->t->page[1] = (struct toy_page){.va = TOY_RAM + 0x3f000,
                                      .gpa = TOY_RAM + 0x3f000,
                                      .size = 0x1000,
                                      .global = true,
                                      .read = true,
                                      .exec = true};
    for (unsigned i = 0; i < WALK_PAGES; i++) {
        unsigned kind = seed >> (2 * i) & 3;

        x->t->page[2 + i] = (struct toy_page){.va = WALK_VA + i * 0x1000,
                                              .gpa = DATA + (i * 5 % WALK_PAGES) * 0x1000,
                                              .size = kind == 3 ? 0 : 0x1000,
                                              .global = true,
                                              .read = true,
                                              .write = kind != 2};
    }
    x->vm->engine->flush(x->v, &(struct flush_scope){.kind = FLUSH_ALL});
}

/* Accesses around two bases that move by constants, a way out in the middle, back to the start. */
static unsigned walk_program(uint8_t (*code)[4])
{
    unsigned n = 1 + (unsigned)random() % 5, i = 0, out = (unsigned)random() % 3;

    for (; i < n; i++) {
        uint8_t imm = (uint8_t)((unsigned)random() % 12 * 8 - 40), base = random() % 3 ? BASE : BASE2;

        switch (random() % 6) {
        case 0:
        case 5:
            memcpy(code[i], (uint8_t[]){TOY_STORE, (uint8_t)(random() % 4), base, imm}, 4);
            break;
        case 1:
            memcpy(code[i], (uint8_t[]){TOY_LDP, 2, base, imm}, 4);
            break;
        case 2:
            memcpy(code[i], (uint8_t[]){TOY_ADDI, base, base, (uint8_t)(random() % 9 * 8 - 16)}, 4);
            break;
        default:
            memcpy(code[i], (uint8_t[]){TOY_LOAD, (uint8_t)(random() % 4), base, imm}, 4);
            break;
        }
    }
    if (!out) /* to behind the loop */
        memcpy(code[i++], (uint8_t[]){TOY_BNE, 0, 0, 4}, 4);
    memcpy(code[i++], (uint8_t[]){TOY_ADDI, BASE, BASE, (uint8_t)(8 << random() % 4)}, 4);
    return loop_end(code, i);
}

static void walking_loops(void **state)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    unsigned rounds = getenv("CV_LONG") ? 30000 : 600;
    static uint8_t code[16][4];
    uint64_t r[32] = {0};

    (void)state;
    srandom(23);
    for (unsigned n = 0; n < rounds; n++) {
        unsigned insns = walk_program(code), slice;
        uint32_t pages = (uint32_t)random();
        enum exit_kind kind;

        if (n % 2)
            pages = 0;
        r[BASE] = WALK_VA + 0x1000 + (unsigned)random() % 0x2000;
        r[BASE2] = random() % 2 ? r[BASE] + 64 : WALK_VA + 0x4ff0 + (unsigned)random() % 32;
        start(&a, code, insns, r);
        start(&b, code, insns, r);
        walk_pages(&a, pages);
        walk_pages(&b, pages);
        do {
            const char *what;

            slice = 1 + (unsigned)random() % 900;
            kind = toy_run(&a, a.v, slice);
            assert_int_equal(toy_run(&b, b.v, slice), kind);
            what = difference(&a, &b);
            if (what) {
                show_program(&lift_fuzz, code, insns);
                fail_msg("loop %u, count %llu, pc 0x%llx: %s differs", n,
                         (unsigned long long)vcpu_icount(a.v), (unsigned long long)a.v->pc, what);
            }
        } while (kind == EXIT_NONE);
    }
    assert_true(counter(&b, "jit.units") >= rounds / 3);
    assert_true(a.t->exceptions > rounds);
    toy_free(&a);
    toy_free(&b);
}

static unsigned misses(const struct toy_vm *x)
{
    const struct soft_vcpu *s = soft_of(x->v);
    unsigned sum = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(s->site_misses); i++)
        sum += s->site_misses[i];
    return sum;
}

static void run_slices(struct toy_vm *x, unsigned n)
{
    while (n--)
        assert_int_equal(toy_run(x, x->v, 20000), EXIT_NONE);
}

/*
 * An access that meets two pages in turn becomes one with a pair of slots, which then serve both, whichever
 * is above, and whichever were there before.
 */
static void two_pages_in_turn(void **state)
{
    enum { X = 5, Y = 6, T = 7 };
    static const uint8_t turn[][4] = {
        {TOY_LOAD, 1, X, 0}, {TOY_ADDI, T, X, 0}, {TOY_ADDI, X, Y, 0}, {TOY_ADDI, Y, T, 0}};
    static const uint8_t pages[][2] = {{0, 1}, {1, 2}, {0, 2}, {3, 0}, {0, 3}, {2, 1}};
    struct toy_vm x = machine(&engine_jit);
    uint64_t r[32] = {0};
    uint8_t code[24][4];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(code); i++) /* too many to be repeated in their block */
        memcpy(code[i], i < ARRAY_SIZE(turn) ? turn[i] : (const uint8_t[]){TOY_ADDI, 2, 2, 1}, 4);
    memcpy(code[ARRAY_SIZE(code) - 1], (uint8_t[]){TOY_BNE, X, ZERO, (uint8_t)(1 - ARRAY_SIZE(code))}, 4);
    start(&x, code, ARRAY_SIZE(code), r);
    walk_pages(&x, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        unsigned before;

        x.t->r[X] = WALK_VA + pages[i][0] * 0x1000;
        x.t->r[Y] = WALK_VA + pages[i][1] * 0x1000;
        if (x.vm->engine->push)
            x.vm->engine->push(x.v, REGS_ALL);
        run_slices(&x, 40);
        before = misses(&x);
        run_slices(&x, 40);
        assert_int_equal(misses(&x), before);
        assert_int_equal(counter(&x, "jit.rebuilt"), 1);
    }
    toy_free(&x);
}

/*
 * What the interpreter saw of branches is known when their code is compiled; of those that vary nothing. A
 * slice is no whole number of rounds: all would begin at the same place, with the same to see.
 */
static void branches_lean(void **state)
{
    struct toy_vm x = machine(&engine_jit);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_BNE, 1, 0, 2}, {TOY_HALT, 0, 0, 0}, /* taken */
            {TOY_BNE, 2, 2, (uint8_t)-1},                                           /* not */
            {TOY_ADDI, 7, 8, 0}, {TOY_ADDI, 8, 9, 0}, {TOY_ADDI, 9, 7, 0},          /* in turns */
            {TOY_BNE, 8, 2, 1}, {TOY_ADDI, 3, 3, 1},                                /* one of four times: */
            {TOY_ADDI, 14, 10, 0}, {TOY_ADDI, 10, 11, 0}, {TOY_ADDI, 11, 12, 0}, {TOY_ADDI, 12, 13, 0},
            {TOY_ADDI, 13, 14, 0}, {TOY_BNE, 10, 2, 1}, {TOY_BNE, 1, 4, (uint8_t)-15}, {TOY_HALT, 0, 0, 0});
    x.t->r[9] = x.t->r[10] = 1;
    x.t->r[4] = UINT64_MAX;
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(toy_run(&x, x.v, 241), EXIT_NONE);
    assert_true(counter(&x, "jit.units") > 0);
    assert_int_equal(jit_lean(x.vm, CODE + 4 * 1), 2);
    assert_int_equal(jit_lean(x.vm, CODE + 4 * 3), -2);
    assert_int_equal(jit_lean(x.vm, CODE + 4 * 7), 0);
    assert_int_equal(jit_lean(x.vm, CODE + 4 * 14), -1);
    assert_int_equal(jit_lean(x.vm, CODE + 4 * 15), 2);
    jit_lean_set(jit_of(x.vm), CODE + 4, false, false); /* it was the other way before */
    assert_int_equal(jit_lean(x.vm, CODE + 4), -1);
    jit_lean_set(jit_of(x.vm), CODE + 4, false, false);
    assert_int_equal(jit_lean(x.vm, CODE + 4), -2);
    toy_free(&x);
}

/* Values that stand in a scratch register and in slots, of which the last one is written again. */
static void values_kept_in_slots(void **state)
{
    enum { N = 6, FROM = 16, COPY = FROM + N };
    struct toy_vm x = random_machine(&engine_jit, &lift_toy);
    uint8_t code[5 * N + 3][4];
    unsigned n = 0;

    (void)state;
    for (uint8_t i = 0; i < N; i++) {
        memcpy(code[n++], (uint8_t[]){TOY_ADDI, FROM + i, 1, i}, 4);
        memcpy(code[n++], (uint8_t[]){TOY_ADDI, COPY + i, FROM + i, 0}, 4);
        memcpy(code[n++], (uint8_t[]){TOY_LOAD, 0, 10, 0}, 4); /* may fault: what was put is put */
        memcpy(code[n++], (uint8_t[]){TOY_ADDI, COPY + i, 2, i}, 4);
    }
    for (uint8_t i = 0; i < N; i++)
        memcpy(code[n++], (uint8_t[]){TOY_ADD, 3 + i, FROM + i, 0}, 4);
    memcpy(code[n++], (uint8_t[]){TOY_ADDI, COUNTER, COUNTER, (uint8_t)-1}, 4);
    memcpy(code[n], (uint8_t[]){TOY_BNE, COUNTER, ZERO, (uint8_t)-n}, 4);
    n++;
    memcpy(code[n++], (uint8_t[]){TOY_HALT, 0, 0, 0}, 4);
    assert_int_equal(mem_load(&x.vm->mem, CODE, code, (uint64_t)n * 4), 0);
    x.t->r[1] = 1000;
    x.t->r[2] = 100000;
    x.t->r[10] = DATA;
    x.t->r[COUNTER] = 2000;
    for (unsigned i = 0; i < 4000 && toy_run(&x, x.v, 50) == EXIT_NONE; i++)
        ;
    assert_true(counter(&x, "jit.units") > 0);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(x.t->r[3 + i], 2000 * (1000 + i));
        assert_int_equal(x.t->r[COPY + i], 100000 + i);
    }
    toy_free(&x);
}

/* Marks are hints, but few that were never made may seem to be. */
static void marks_are_told_apart(void **state)
{
    struct jit_vm *jv = calloc(1, sizeof(*jv));
    unsigned seeming = 0;

    (void)state;
    for (unsigned i = 0; i < JIT_MARKS / JIT_MARKS_ROOM; i++)
        jit_mark(jv, jit_key_access(TOY_RAM, (int16_t)(i * 4), i % JIT_LEVELS) + ((uint64_t)i << 14));
    for (unsigned i = 0; i < JIT_MARKS / JIT_MARKS_ROOM; i++) {
        uint64_t key = jit_key_access(TOY_RAM, (int16_t)(i * 4), i % JIT_LEVELS) + ((uint64_t)i << 14);

        assert_true(jit_marked(jv, key));
        seeming += jit_marked(jv, (uint64_t)random() << 32 | (uint64_t)random());
    }
    assert_in_range(seeming, 1, JIT_MARKS / JIT_MARKS_ROOM / 32);
    for (unsigned i = 0; i < 2; i++)
        jit_mark(jv, i);
    assert_false(jit_marked(jv, jit_key_access(TOY_RAM, 4, 1) + (1 << 14))); /* full: forgotten */
    free(jv);
}

/* ---- exactness ---- */

/* A loop is hot, then its load leaves RAM in the middle of the block. */
static void fault_in_hot_block(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    uint64_t before;

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_LOAD, 2, 5, 0}, {TOY_ADD, 5, 6, 0}, {TOY_ADDI, 3, 3, 1},
            {TOY_BNE, 1, 4, (uint8_t)-4}, {TOY_HALT, 0, 0, 0});
    PROGRAM(&x, x.t->vector, {TOY_HALT, 0, 0, 0});
    x.t->r[5] = DATA;
    x.t->r[4] = 5000;
    assert_int_equal(run_sliced(&x, 20000), EXIT_NONE); /* 4000 rounds */
    assert_true(counter(&x, "jit.units") > 0);
    before = vcpu_icount(x.v);
    assert_int_equal(before, 20000);
    assert_int_equal(x.v->pc, CODE);
    x.t->r[6] = TOY_RAM + TOY_SIZE - DATA; /* the second load from now is behind RAM */
    assert_int_equal(run_sliced(&x, 20000), EXIT_HALT);
    assert_int_equal(x.t->cause, TOY_BUS);
    assert_int_equal(x.t->saved_pc, CODE + 4);
    assert_int_equal(x.t->fault_va, TOY_RAM + TOY_SIZE);
    assert_int_equal(x.t->r[1], 4002);
    assert_int_equal(x.t->r[3], 4001);
    assert_int_equal(vcpu_icount(x.v), before + 5 + 2 + 1);
    toy_free(&x);
}

static void device_in_hot_block(void **state)
{
    struct toy_vm x = machine(&engine_jit);

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_LOAD, 2, 5, 16}, {TOY_STORE, 1, 5, 8}, {TOY_ADDI, 3, 3, 1},
            {TOY_BNE, 1, 4, (uint8_t)-4}, {TOY_HALT, 0, 0, 0});
    x.t->r[5] = TOY_DEV;
    x.t->r[4] = 70;
    assert_int_equal(run_sliced(&x, 10000), EXIT_HALT);
    assert_int_equal(x.dev->reads, 70);
    assert_int_equal(x.dev->writes, 70);
    assert_int_equal(x.dev->value, 70);
    assert_int_equal(x.dev->count_seen, 69 * 5 + 2);
    assert_int_equal(x.t->r[3], 70);
    assert_int_equal(vcpu_icount(x.v), 70 * 5 + 1);
    toy_free(&x);
}

/* ---- code that changes ---- */

static void device_writes_hot_code(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    uint64_t units = 0;

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_ADDI, 7, 7, 1}, {TOY_BNE, 1, 4, (uint8_t)-2},
            {TOY_HALT, 0, 0, 0});
    for (unsigned i = 1; i < 40; i++) {
        x.v->pc = CODE;
        x.t->r[1] = x.t->r[7] = 0;
        x.t->r[4] = 1000;
        toy_code(&x, CODE + 4, TOY_ADDI, 7, 7, (int8_t)i);
        assert_int_equal(run_sliced(&x, 10000), EXIT_HALT);
        assert_int_equal(x.t->r[7], 1000 * i);
        assert_true(counter(&x, "jit.units") > units);
        units = counter(&x, "jit.units");
    }
    toy_free(&x);
}

/* The guest itself: a hot loop stores over its own next instruction on its last round. */
static void store_over_hot_code(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    union {
        uint8_t b[8];
        uint64_t u;
    } code = {{TOY_ADDI, 7, 7, 2, TOY_HALT, 0, 0, 0}};

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_STORE, 2, 5, 0}, {TOY_ADDI, 7, 7, 1},
            {TOY_JUMP, 0, 0, (uint8_t)-3});
    x.t->r[5] = DATA;
    x.t->r[2] = code.u;
    assert_int_equal(run_sliced(&x, 4000), EXIT_NONE);
    assert_true(counter(&x, "jit.units") > 0);
    assert_int_equal(x.t->r[7], 1000);
    x.t->r[5] = CODE + 8;
    assert_int_equal(run_sliced(&x, 4000), EXIT_HALT);
    assert_int_equal(x.t->r[1], 1001);
    assert_int_equal(x.t->r[7], 1002);
    assert_int_equal(vcpu_icount(x.v), 4000 + 4);
    toy_free(&x);
}

/* ---- code memory ---- */

/* Takes all of it, in pieces of any size that is left; the pieces go to at[]. */
static unsigned take_all(struct jit_vm *jv, uint32_t *at, uint32_t *size, unsigned max)
{
    unsigned n = 0;

    for (uint32_t bytes = 1u << 20; bytes >= JIT_GRANULE; bytes /= 2) {
        while (n < max && (at[n] = jit_code_alloc(jv, bytes)) != UINT32_MAX)
            size[n++] = bytes;
    }
    assert_int_equal(jv->free, 0);
    return n;
}

/* Without room units stay with the interpreter; with room again they are compiled; results are right. */
static void code_memory_full(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    struct jit_vm *jv = jit_of(x.vm);
    uint32_t at[200], size[200];
    unsigned n = take_all(jv, at, size, ARRAY_SIZE(at));

    (void)state;
    PROGRAM(&x, CODE, {TOY_ADDI, 1, 1, 1}, {TOY_ADDI, 7, 7, 3}, {TOY_BNE, 1, 4, (uint8_t)-2},
            {TOY_HALT, 0, 0, 0});
    for (unsigned runs = 0; runs < 200; runs++) {
        x.v->pc = CODE;
        x.t->r[1] = x.t->r[7] = 0;
        x.t->r[4] = 3000;
        assert_int_equal(run_sliced(&x, 20000), EXIT_HALT);
        assert_int_equal(x.t->r[7], 9000);
        if (runs == 100) {
            assert_int_equal(counter(&x, "jit.units"), 0);
            assert_true(counter(&x, "jit.full") > 0);
            while (n--)
                jit_code_free(jv, at[n], size[n]);
        }
    }
    assert_true(counter(&x, "jit.units") > 0);
    toy_free(&x);
}

/* Pieces never overlap, and what is given back can be had again. */
static void code_memory_pieces(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    struct jit_vm *jv = jit_of(x.vm);
    uint32_t at[64] = {0}, size[64] = {0}, seed = 1, before = jv->free;

    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        unsigned i = (seed = seed * 1103515245 + 12345) >> 16 & 63;

        if (size[i])
            jit_code_free(jv, at[i], size[i]);
        size[i] = 1 + (seed >> 4) % 300000;
        at[i] = jit_code_alloc(jv, size[i]);
        assert_int_not_equal(at[i], UINT32_MAX);
        assert_true(at[i] % JIT_GRANULE == 0 && at[i] + size[i] <= JIT_CODE_BYTES);
        for (unsigned k = 0; k < 64; k++)
            assert_true(k == i || !size[k] || at[k] + size[k] <= at[i] || at[i] + size[i] <= at[k]);
    }
    for (unsigned i = 0; i < 64; i++) {
        if (size[i])
            jit_code_free(jv, at[i], size[i]);
    }
    assert_int_equal(jv->free, before);
    toy_free(&x);
}

/* No page of the process can be written and executed, and the code is in two mappings. */
static void write_xor_execute(void **state)
{
    struct toy_vm x = machine(&engine_jit);
    const struct plat_code *code = &jit_of(x.vm)->code;
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned seen = 0;
    char line[600];

    (void)state;
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char rights[5];

        assert_int_equal(sscanf(line, "%lx-%lx %4s", &from, &to, rights), 3);
        if (rights[1] == 'w' && rights[2] == 'x')
            fail_msg("%s", line);
        if ((uintptr_t)code->rw >= from && (uintptr_t)code->rw < to) {
            assert_string_equal(rights, "rw-s");
            seen++;
        }
        if ((uintptr_t)code->rx >= from && (uintptr_t)code->rx < to) {
            assert_string_equal(rights, "r-xs");
            seen++;
        }
    }
    fclose(maps);
    assert_int_equal(seen, 2);
    toy_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs),      cmocka_unit_test(random_programs_without_a_pass),
        cmocka_unit_test(walking_loops),        cmocka_unit_test(two_pages_in_turn),
        cmocka_unit_test(values_kept_in_slots), cmocka_unit_test(branches_lean),
        cmocka_unit_test(marks_are_told_apart), cmocka_unit_test(fault_in_hot_block),
        cmocka_unit_test(device_in_hot_block),  cmocka_unit_test(device_writes_hot_code),
        cmocka_unit_test(store_over_hot_code),  cmocka_unit_test(code_memory_full),
        cmocka_unit_test(code_memory_pieces),   cmocka_unit_test(write_xor_execute),
    };

    return cmocka_run_group_tests_name("jit", tests, NULL, NULL);
}
