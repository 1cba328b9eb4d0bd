/*
 * Vector and FP operations and condition flags of the JIT against the interpreter: random programs on a guest
 * whose registers are 128 bits wide, some of them without a home; and each operation inline where it should
 * be.
 */
#include <cpuid.h>
#include "engine/jit/random_test.h"

#define INTS    8 /* r[0..7] */
#define FLAGS   12
#define VECTORS 8 /* r[16..31] */
#define HOMES   5

/*
 * {VEC, seed x 3}: a random chain; {ONE, operation, lane | bits, seed}: one operation; {FLOAT, row}: one of
 * floats[]; {COMPARE, a, b, v}: flags of registers, and where v is not 0 a vector, which engines may leave to
 * another.
 */
enum { VEC = 64, ONE, FLOAT, COMPARE };

struct gen {
    struct ir_unit *u;
    uint32_t seed;
    ir_ref v[32], i[32];
    unsigned nv, ni;
};

static uint32_t next(struct gen *g, uint32_t n)
{
    return random_next(&g->seed, n);
}

static unsigned vector_slot(unsigned n)
{
    return TOY_R(16 + 2 * (n % VECTORS));
}

static ir_ref some_v(struct gen *g)
{
    return g->v[next(g, g->nv)];
}

static ir_ref some_i(struct gen *g)
{
    return g->i[next(g, g->ni)];
}

static int64_t imm_for(struct gen *g, unsigned op, unsigned lane)
{
    unsigned count = 128 / lane;

    switch (op) {
    case IR_VSHL:
    case IR_VSHR:
        return next(g, lane + 1);
    case IR_VEXT:
        return next(g, 16);
    case IR_VDUPL:
    case IR_VLANE:
    case IR_VINSLANE:
        return next(g, count);
    case IR_VINSERT:
        return (int64_t)next(g, count) << 8 | next(g, count);
    case IR_VREV:
        return lane < 64 ? 2 * lane << next(g, lane == 8 ? 3 : lane == 16 ? 2 : 1) : 0;
    default:
        return 0;
    }
}

/* Whether the operation exists: by the verifier. */
static bool exists(unsigned op, unsigned aux, int64_t imm)
{
    struct ir_op ops[8];
    struct ir_block blocks[1];
    struct ir_unit u = {.ops = ops, .blocks = blocks, .op_max = 8, .block_max = 1};
    char why[100];
    ir_ref a, b;

    ir_block_begin(&u, 0);
    ir_insn(&u, 0, 4);
    a = ir_get(&u, op == IR_VDUP ? IRT_I64 : IRT_V128, 256);
    b = ir_get(&u, op == IR_VINSLANE ? IRT_I64 : IRT_V128, 512);
    ir_emit(&u, (enum ir_opcode)op, IRT_V128, aux, a, strlen(ir_opinfo[op].sig) > 3 ? b : IR_REF_NONE,
            strlen(ir_opinfo[op].sig) > 4 ? b : IR_REF_NONE, imm);
    ir_emit(&u, IR_DISPATCH, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
    return !ir_verify(&u, why, sizeof(why));
}

static void operation(struct gen *g, unsigned op, unsigned aux)
{
    int64_t imm = imm_for(g, op, aux & IR_V_LANE);
    const char *sig = ir_opinfo[op].sig + 2;
    ir_ref a, b = IR_REF_NONE, r;

    if (!exists(op, aux, imm))
        return;
    a = sig[0] == 'i' || (sig[0] == '*' && next(g, 2)) ? some_i(g) : some_v(g);
    if (sig[0] == '*' && !next(g, 3))
        a = ir_get(g->u, next(g, 2) ? IRT_F64 : IRT_F32, vector_slot(next(g, VECTORS)));
    if (sig[0] && sig[1])
        b = sig[1] == 'i' ? some_i(g) : some_v(g);
    r = ir_emit(g->u, (enum ir_opcode)op, IRT_V128, aux, a, b, IR_REF_NONE, imm);
    if (op == IR_VLANE || op == IR_VANY)
        g->i[g->ni++] = r;
    else
        g->v[g->nv++] = r;
}

/* ---- floating point ---- */

/* Of singles or doubles; now and then one where rules differ. */
static ir_ref float_operand(struct gen *g)
{
    static const uint64_t special[] = {
        UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000001), UINT64_C(0xfff4000000000000),
        UINT64_C(0x0010000000000000), UINT64_C(0x000fffffffffffff), UINT64_C(0x3ff0000000000000),
        UINT64_C(0x8000000000000000), UINT64_C(0x3fefffffffffffff), UINT64_C(0x7f80000000800000),
        UINT64_C(0x3f8000007fa00000), UINT64_C(0x007fffff3f7fffff), UINT64_C(0x36a0000000000000),
        UINT64_C(0x41e0000000000000), UINT64_C(0x43e0000000000000), UINT64_C(0x4f0000003fc00000),
    };
    ir_ref c;

    if (next(g, 3))
        return some_v(g);
    c = ir_const(g->u, IRT_I64, (int64_t)special[next(g, ARRAY_SIZE(special))]);
    return ir_emit(g->u, IR_VDUP, IRT_V128, 64, c, IR_REF_NONE, IR_REF_NONE, 0);
}

/* Mostly to nearest; else any rounding and modes. */
static unsigned float_mode(struct gen *g)
{
    return next(g, 4) ? next(g, 2) * IR_FP_DEFAULT_NAN : next(g, 6) | next(g, 8) << 3;
}

static void vector_float(struct gen *g)
{
    unsigned op = IR_VFADD + next(g, IR_VFNARROW - IR_VFADD + 1);
    unsigned format = next(g, 8) ? 1 + next(g, 2) : 0, lanes = next(g, 3) ? 3 - format : next(g, 4);
    unsigned aux = float_mode(g) | format << IR_VF_FORMAT | lanes << IR_VF_COUNT | next(g, 3) << IR_VF_KIND;
    size_t operands = strlen(ir_opinfo[op].sig) - 2;

    if (op >= IR_VFWIDEN && format == 2)
        aux ^= 3 << IR_VF_FORMAT;
    if (op >= IR_VFWIDEN)
        aux = (aux & ~(3u << IR_VF_COUNT)) | (3 - (aux >> IR_VF_FORMAT & 3) - 1) << IR_VF_COUNT;
    if (!exists(op, aux, 0))
        return;
    g->v[g->nv] = ir_emit(g->u, (enum ir_opcode)op, IRT_V128, aux, float_operand(g),
                          operands > 1 ? float_operand(g) : IR_REF_NONE,
                          operands > 2 ? float_operand(g) : IR_REF_NONE, 0);
    g->nv++;
}

/* Rounds of AES behind each other too, which become one operation. */
static void crypto(struct gen *g)
{
    static const uint8_t kinds[] = {6, 3, 2, 2};
    unsigned which = next(g, ARRAY_SIZE(kinds)), op = IR_VAES + which, kind = next(g, kinds[which]);
    size_t operands = strlen(ir_opinfo[op].sig) - 2;
    ir_ref last = g->v[g->nv - 1], b = some_v(g);

    if (op == IR_VAES && next(g, 2))
        b = ir_emit(g->u, IR_VDUP, IRT_V128, 64, ir_const(g->u, IRT_I64, 0), IR_REF_NONE, IR_REF_NONE, 0);
    g->v[g->nv++] = ir_emit(g->u, (enum ir_opcode)op, IRT_V128, kind, next(g, 2) ? last : some_v(g), b,
                            operands > 2 ? some_v(g) : IR_REF_NONE, 0);
    if (next(g, 2)) {
        ir_ref made = g->v[g->nv - 1];

        g->v[g->nv++] = ir_emit(g->u, IR_VXOR, IRT_V128, 0, made, some_v(g), IR_REF_NONE, 0);
    }
}

static void checksum(struct gen *g)
{
    ir_ref a = some_i(g), b = some_i(g);

    g->i[g->ni++] = ir_emit(g->u, IR_CRC32, IRT_I64, next(g, 8), a, b, IR_REF_NONE, 0);
}

static ir_ref scalar(struct gen *g, enum ir_type type)
{
    ir_ref v = ir_get(g->u, type, vector_slot(next(g, VECTORS)));

    return next(g, 4) ? v : ir_un(g->u, IR_FNEG, type, v);
}

static void scalar_float(struct gen *g)
{
    static const uint8_t ops[] = {IR_FADD, IR_FSUB, IR_FMUL,  IR_FDIV, IR_FSQRT, IR_FMADD, IR_FMIN,
                                  IR_FMAX, IR_FABS, IR_FRINT, IR_FTOI, IR_ITOF,  IR_FTOF};
    enum ir_type type = next(g, 2) ? IRT_F64 : IRT_F32;
    unsigned op = ops[next(g, ARRAY_SIZE(ops))], aux = float_mode(g);
    ir_ref x[3] = {IR_REF_NONE, IR_REF_NONE, IR_REF_NONE}, r;

    for (unsigned i = 0; i < strlen(ir_opinfo[op].sig) - 2; i++)
        x[i] = scalar(g, op != IR_FTOF ? type : type == IRT_F64 ? IRT_F32 : IRT_F64);
    if (op == IR_ITOF)
        x[0] = some_i(g);
    if (op == IR_FMIN || op == IR_FMAX)
        aux |= next(g, 3) << 8;
    else if (op == IR_FTOI || op == IR_ITOF)
        aux |= next(g, 4) << 8;
    else if (op == IR_FRINT)
        aux |= next(g, 2) << 8;
    r = ir_emit(g->u, (enum ir_opcode)op, type, op == IR_FABS ? 0 : aux, x[0], x[1], x[2], 0);
    if (op == IR_FTOI)
        g->i[g->ni++] = r;
    else
        g->v[g->nv++] = ir_un(g->u, IR_VZEXT, IRT_V128, r);
}

/* Floating point that is the host's on ordinary numbers. */
#define LANES(format, count, kind) ((format) << IR_VF_FORMAT | (count) << IR_VF_COUNT | (kind) << IR_VF_KIND)

static const struct {
    uint8_t op, type, from; /* from: of a scalar's operand, where it is another one */
    uint16_t aux;
} floats[] = {
    {IR_VFMADD, IRT_V128, 0, LANES(1, 2, 0)},
    {IR_VFMADD, IRT_V128, 0, LANES(1, 1, 0)},
    {IR_VFMADD, IRT_V128, 0, LANES(1, 1, 1)},
    {IR_VFMADD, IRT_V128, 0, LANES(2, 0, 1)},
    {IR_VFMADD, IRT_V128, 0, LANES(1, 0, 0)},
    {IR_VITOF, IRT_V128, 0, LANES(1, 2, 1)},
    {IR_VITOF, IRT_V128, 0, LANES(1, 1, 1)},
    {IR_VITOF, IRT_V128, 0, LANES(2, 1, 1)},
    {IR_VITOF, IRT_V128, 0, LANES(2, 1, 0)},
    {IR_VFTOI, IRT_V128, 0, LANES(1, 2, 1) | IR_RTZ},
    {IR_VFTOI, IRT_V128, 0, LANES(2, 1, 1) | IR_RTZ},
    {IR_VFTOI, IRT_V128, 0, LANES(1, 2, 0) | IR_RDN},
    {IR_VFTOI, IRT_V128, 0, LANES(2, 1, 0) | IR_RUP},
    {IR_VFTOI, IRT_V128, 0, LANES(1, 1, 1) | IR_RUP},
    {IR_VFTOI, IRT_V128, 0, LANES(1, 2, 0) | IR_RMM},
    {IR_VFTOI, IRT_V128, 0, LANES(2, 1, 1) | IR_RMM},
    {IR_VFRINT, IRT_V128, 0, LANES(1, 2, 0) | IR_RMM},
    {IR_VFRINT, IRT_V128, 0, LANES(1, 0, 0) | IR_RMM},
    {IR_VFRINT, IRT_V128, 0, LANES(2, 1, 0) | IR_RMM},
    {IR_VFWIDEN, IRT_V128, 0, LANES(0, 2, 0)},
    {IR_VFWIDEN, IRT_V128, 0, LANES(0, 2, 1)},
    {IR_VFNARROW, IRT_V128, 0, LANES(0, 2, 0)},
    {IR_FRINT, IRT_F64, 0, IR_RMM},
    {IR_FRINT, IRT_F32, 0, IR_RMM},
    {IR_FTOI, IRT_F64, 0, IR_RMM | IR_INT_S64 << 8},
    {IR_FTOI, IRT_F32, 0, IR_RMM | IR_INT_U32 << 8},
    {IR_FTOF, IRT_F32, IRT_F16, IR_RNE},
    {IR_FTOF, IRT_F64, IRT_F16, IR_RNE | IR_FP_DEFAULT_NAN},
    {IR_FTOF, IRT_F16, IRT_F32, IR_RNE},
};

static void one_float(struct gen *g, unsigned row)
{
    enum ir_opcode op = (enum ir_opcode)floats[row].op;
    enum ir_type type = (enum ir_type)floats[row].type, from = floats[row].from ? floats[row].from : type;
    ir_ref x[3] = {IR_REF_NONE, IR_REF_NONE, IR_REF_NONE}, r;

    for (unsigned i = 0; i < strlen(ir_opinfo[op].sig) - 2; i++)
        x[i] = ir_get(g->u, from, vector_slot(i + 3 * next(g, 2)));
    r = ir_emit(g->u, op, type, floats[row].aux, x[0], x[1], x[2], 0);
    if (op == IR_FTOI)
        g->i[g->ni++] = r;
    else
        g->v[g->nv++] = type == IRT_V128 ? r : ir_un(g->u, IR_VZEXT, IRT_V128, r);
}

static void random_operation(struct gen *g)
{
    if (!next(g, 3)) {
        vector_float(g);
        return;
    }
    if (!next(g, 4)) {
        scalar_float(g);
        return;
    }
    if (!next(g, 6)) {
        crypto(g);
        return;
    }
    if (!next(g, 20)) {
        checksum(g);
        return;
    }
    if (!next(g, 12)) {
        one_float(g, next(g, ARRAY_SIZE(floats)));
        return;
    }
    unsigned op = IR_VADD + next(g, IR_VZEXT - IR_VADD + 1);

    operation(g, op, 8u << next(g, 4) | next(g, 4) << 8);
}

static void flags(struct gen *g)
{
    static const uint8_t kinds[] = {IR_FLAG_ADD, IR_FLAG_SUB, IR_FLAG_LOGIC};
    enum ir_type type = next(g, 2) ? IRT_I64 : IRT_I32;
    ir_ref a = some_i(g), b = next(g, 2) ? some_i(g) : ir_const(g->u, IRT_I64, (int64_t)next(g, 5) - 2), f;

    if (type == IRT_I32) {
        a = ir_un(g->u, IR_TRUNC, IRT_I32, a);
        b = ir_un(g->u, IR_TRUNC, IRT_I32, b);
    }
    f = ir_emit(g->u, IR_FLAGS, type, kinds[next(g, 3)], a, b, IR_REF_NONE, 0);
    f = ir_emit(g->u, IR_FPACK, IRT_I64, 15, f, IR_REF_NONE, IR_REF_NONE, 0);
    ir_put(g->u, IRT_I64, TOY_R(FLAGS), f);
}

static void compare_flags(struct ir_unit *u, unsigned a, unsigned b, bool vector)
{
    ir_ref x = ir_get(u, IRT_I64, TOY_R(a)), f;

    f = ir_emit(u, IR_FLAGS, IRT_I64, IR_FLAG_SUB, x, ir_get(u, IRT_I64, TOY_R(b)), IR_REF_NONE, 0);
    ir_put(u, IRT_I64, TOY_R(FLAGS), ir_emit(u, IR_FPACK, IRT_I64, 15, f, IR_REF_NONE, IR_REF_NONE, 0));
    if (vector)
        ir_put(u, IRT_V128, vector_slot(0),
               ir_emit(u, IR_VDUP, IRT_V128, 64, x, IR_REF_NONE, IR_REF_NONE, 0));
}

static void read_flags(struct gen *g)
{
    ir_ref f = ir_get(g->u, IRT_I64, TOY_R(FLAGS));

    if (next(g, 2))
        f = ir_emit(g->u, IR_FCOND, IRT_I64, next(g, IR_F_LE + 1),
                    ir_emit(g->u, IR_FUNPACK, IRT_I64, 0, f, IR_REF_NONE, IR_REF_NONE, 0), IR_REF_NONE,
                    IR_REF_NONE, 0);
    ir_put(g->u, IRT_I64, TOY_R(next(g, INTS)), f);
}

static void begin(struct gen *g)
{
    for (unsigned i = 0; i < 3; i++) {
        g->v[g->nv++] = ir_get(g->u, IRT_V128, vector_slot(next(g, VECTORS)));
        g->i[g->ni++] = ir_get(g->u, IRT_I64, TOY_R(next(g, INTS)));
    }
    g->i[g->ni++] = ir_get(g->u, IRT_I64, vector_slot(next(g, VECTORS)) + 8 * next(g, 2));
}

static void put(struct gen *g)
{
    ir_put(g->u, IRT_V128, vector_slot(next(g, VECTORS)), g->v[g->nv - 1]);
    if (next(g, 2))
        ir_put(g->u, IRT_I64, TOY_R(next(g, INTS)), g->i[g->ni - 1]);
    if (next(g, 2))
        ir_put(g->u, IRT_V128, vector_slot(next(g, VECTORS)), some_v(g));
    if (!next(g, 4))
        ir_put(g->u, IRT_I64, vector_slot(next(g, VECTORS)) + 8 * next(g, 2), some_i(g));
}

static void lift(struct ir_unit *u, uint64_t mode, int32_t at, const uint8_t *bytes, unsigned avail)
{
    struct gen g = {.u = u};

    if (bytes[0] < VEC) {
        toy_lift(u, mode, at, bytes, avail);
        return;
    }
    ir_insn(u, at, 4);
    if (bytes[0] == COMPARE) {
        compare_flags(u, bytes[1], bytes[2], bytes[3]);
        return;
    }
    g.seed = (bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16) * 2654435761u;
    begin(&g);
    if (bytes[0] == FLOAT) {
        one_float(&g, bytes[1]);
        ir_put(u, IRT_V128, vector_slot(6 + bytes[2] % 2), g.v[g.nv - 1]); /* operands stay */
        ir_put(u, IRT_I64, TOY_R(bytes[2] % 2), g.i[g.ni - 1]);
        return;
    }
    if (bytes[0] == ONE) {
        operation(&g, IR_VADD + bytes[1] % (IR_VZEXT - IR_VADD + 1),
                  8u << (bytes[2] & 3) | (unsigned)(bytes[2] >> 2 & 3) << 8);
    } else {
        for (unsigned n = 1 + next(&g, 6); n; n--)
            random_operation(&g);
        if (!next(&g, 3))
            flags(&g);
        else if (!next(&g, 6))
            read_flags(&g);
    }
    put(&g);
}

static void shape(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out)
{
    toy_shape(mode, bytes, avail, out);
    if (avail >= 4 && bytes[0] >= VEC)
        out->kind = INSN_PLAIN;
}

#define INT(n)                                                                                               \
    {                                                                                                        \
        .offset = TOY_R(n), .type = IRT_I64                                                                  \
    }
#define WIDE(n)                                                                                              \
    {                                                                                                        \
        .offset = TOY_R(16 + 2 * (n)), .type = IRT_V128                                                      \
    }
static const struct slot_desc slots[] = {INT(0),  INT(1),  INT(2),  INT(3),  INT(4),
                                         WIDE(0), WIDE(1), WIDE(2), WIDE(3), WIDE(HOMES - 1)};

static const struct lift_ops lift_vectors = {
    .helpers = toy_helpers,
    .helper_count = ARRAY_SIZE(toy_helpers),
    .slots = slots,
    .slot_count = ARRAY_SIZE(slots),
    .flags_slot = TOY_R(FLAGS),
    .insn_max = 4,
    .insn_align = 2,
    .shape = shape,
    .lift = lift,
    .fp_rules = &sf_rules_arm,
    .fpflags_slot = offsetof(struct toy_vcpu, fpflags),
};

/* ---- machines ---- */

static struct toy_vm machine(const struct engine_ops *engine)
{
    return random_machine(engine, &lift_vectors);
}

static void start(struct toy_vm *x, const uint8_t (*code)[4], unsigned n, const uint64_t *r, unsigned rounds)
{
    assert_int_equal(mem_load(&x->vm->mem, CODE, code, (uint64_t)n * 4), 0);
    memcpy(x->t->r, r, sizeof(x->t->r));
    x->t->r[COUNTER] = rounds;
    x->t->r[ZERO] = 0;
    x->t->r[FLAGS] = 5;
    x->v->pc = CODE;
}

static unsigned random_program(uint8_t (*code)[4])
{
    return loop_end(code, random_insns(code, 3 + (unsigned)random() % 30, VEC, INTS, 3));
}

static void random_registers(uint64_t *r)
{
    static const uint64_t special[] = {0,
                                       UINT64_MAX,
                                       UINT64_C(0x8000000080000000),
                                       UINT64_C(0x7fff800000017f80),
                                       UINT64_C(0x0102030405060708),
                                       UINT64_C(0xff00fe01fd02fc03),
                                       UINT64_C(0x8080808080808080)};

    random_values(r, special, ARRAY_SIZE(special));
}

static void compare(struct toy_vm *a, struct toy_vm *b, const uint8_t (*code)[4], unsigned insns)
{
    for (unsigned i = 0; i < 32; i++) {
        if (a->t->r[i] == b->t->r[i])
            continue;
        show_program(&lift_vectors, code, insns);
        fail_msg("count %llu, pc 0x%llx: r%u is 0x%llx, not 0x%llx", (unsigned long long)vcpu_icount(a->v),
                 (unsigned long long)a->v->pc, i, (unsigned long long)b->t->r[i],
                 (unsigned long long)a->t->r[i]);
    }
    assert_int_equal(a->v->pc, b->v->pc);
    assert_int_equal(a->t->fpflags, b->t->fpflags);
}

static void random_programs(void **state)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    unsigned rounds = getenv("CV_LONG") ? 5000 : 300;
    static uint8_t code[64][4];
    uint64_t r[32];

    (void)state;
    srandom(12);
    for (unsigned n = 0; n < rounds; n++) {
        unsigned insns = random_program(code);
        enum exit_kind kind;

        random_registers(r);
        start(&a, code, insns, r, 600);
        start(&b, code, insns, r, 600);
        do {
            unsigned slice = 1 + (unsigned)random() % 1000;

            kind = toy_run(&a, a.v, slice);
            assert_int_equal(toy_run(&b, b.v, slice), kind);
            compare(&a, &b, code, insns);
        } while (kind == EXIT_NONE);
    }
    assert_true(counter(&b, "jit.units") >= rounds);
    assert_int_equal(counter(&b, "jit.refused"), 0);
    toy_free(&a);
    toy_free(&b);
}

/* ---- each operation ---- */

/* What NEON does not have, and what it has but hosts do not. */
static bool left_out(unsigned op, unsigned lane)
{
    switch (op) {
    case IR_VMUL:
    case IR_VMIN:
    case IR_VMAX:
        return lane == 64;
    case IR_VSHLV:
        return lane < 32;
    default:
        return false;
    }
}

static bool host_has_all(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 5 & 1 && __get_cpuid(1, &a, &b, &c, &d) &&
           c >> 28 & c >> 1 & 1;
}

static void inline_all(void **state)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    static uint8_t code[8][4];
    uint64_t r[32];

    (void)state;
    if (!host_has_all())
        skip();
    for (unsigned op = 0; op <= IR_VZEXT - IR_VADD; op++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            uint64_t before = counter(&b, "jit.bails"), ran;
            unsigned insns;

            for (unsigned i = 0; i < 3; i++)
                memcpy(code[i], (uint8_t[]){ONE, (uint8_t)op, (uint8_t)bits, (uint8_t)random()}, 4);
            insns = loop_end(code, 3);
            random_registers(r);
            start(&a, code, insns, r, 400);
            start(&b, code, insns, r, 400);
            for (unsigned i = 0; i < 10; i++) {
                toy_run(&a, a.v, 240);
                toy_run(&b, b.v, 240);
            }
            compare(&a, &b, code, insns);
            ran = counter(&b, "jit.bails") - before;
            if (!left_out(IR_VADD + op, 8u << (bits & 3)) && ran > 100)
                fail_msg("%s with %u bits: left %llu times", ir_opinfo[IR_VADD + op].name, 8u << (bits & 3),
                         (unsigned long long)ran);
        }
    }
    toy_free(&a);
    toy_free(&b);
}

/* A loop of one operation: until it is compiled, then with registers r. How often soft float was called then.
 */
static uint64_t float_calls(struct toy_vm *a, struct toy_vm *b, unsigned row, const uint64_t *r)
{
    static uint8_t code[8][4];
    struct toy_vm *both[] = {a, b};
    uint64_t before = 0, none[32] = {0};
    unsigned insns;

    for (unsigned i = 0; i < 2; i++)
        memcpy(code[i], (uint8_t[]){FLOAT, (uint8_t)row, (uint8_t)i, (uint8_t)random()}, 4);
    insns = loop_end(code, 2);
    for (unsigned i = 0; i < 2; i++) {
        start(both[i], code, insns, none, 100000);
        toy_run(both[i], both[i]->v, 4800);
        both[i]->t->fpflags = 0;
        for (unsigned k = 0; k < 32; k++) {
            if (k != COUNTER && k != ZERO)
                both[i]->t->r[k] = r[k];
        }
        before = both[i]->v->stat.helper_calls;
        toy_run(both[i], both[i]->v, 240);
    }
    compare(a, b, code, insns);
    return b->v->stat.helper_calls - before;
}

static bool host_has_halves(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && c >> 29 & c >> 12 & 1;
}

/* Where roundings meet, and what one lane's conversion is not to see of another one. */
static void float_registers(uint64_t *r)
{
    static const uint64_t special[] = {
        UINT64_C(0x3fe0000000000000), UINT64_C(0xbfe0000000000000), UINT64_C(0xbff8000000000000),
        UINT64_C(0x4004000000000000), UINT64_C(0x3fdfffffffffffff), UINT64_C(0xc330000000000001),
        UINT64_C(0x3f000000bf000000), UINT64_C(0xbfc000003effffff), UINT64_C(0x402000004b000001),
        UINT64_C(0x7f800001387ff000), UINT64_C(0x387fe001c77fefff), UINT64_C(0x7d003e008001bc00),
        UINT64_C(0x7e01fd0004003800), UINT64_C(0x3c003c007c003c00), UINT64_C(0x800000007fffffff),
    };

    for (unsigned i = 0; i < 32; i++)
        r[i] = special[(unsigned)random() % ARRAY_SIZE(special)];
}

/* Fractions, positive as halves, singles and doubles; results are, too. Then others. */
static void inline_floats(void **state)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    uint64_t r[32];

    (void)state;
    if (!host_has_all() || !host_has_halves())
        skip();
    for (unsigned row = 0; row < ARRAY_SIZE(floats); row++) {
        for (unsigned i = 0; i < 32; i++)
            r[i] = UINT64_C(0x4048440041484380) + ((uint64_t)i << 40 | i << 8);
        if (float_calls(&a, &b, row, r))
            fail_msg("%s, aux 0x%x: by soft float", ir_opinfo[floats[row].op].name, floats[row].aux);
        for (unsigned i = 0; i < 60; i++) {
            float_registers(r);
            float_calls(&a, &b, row, r);
        }
    }
    toy_free(&a);
    toy_free(&b);
}

/*
 * The same comparison twice, another one between: its flags are those of the second time. The loop is too
 * long to be unrolled, which would write them more often.
 */
static void flags_again(void **state)
{
    struct toy_vm a = machine(&engine_interp), b = machine(&engine_jit);
    static uint8_t code[64][4];
    uint64_t r[32] = {[4] = 7, [5] = 7, [6] = 8, [7] = 9};
    unsigned insns = 40;

    (void)state;
    for (unsigned i = 0; i < insns; i++)
        memcpy(code[i], (uint8_t[]){ONE, IR_VAND - IR_VADD, 0, (uint8_t)i}, 4);
    memcpy(code[1], (uint8_t[]){COMPARE, 4, 5, 0}, 4);
    memcpy(code[2], (uint8_t[]){COMPARE, 6, 7, 1}, 4);
    memcpy(code[39], (uint8_t[]){COMPARE, 4, 5, 0}, 4);
    insns = loop_end(code, insns);
    start(&a, code, insns, r, 600);
    start(&b, code, insns, r, 600);
    while (toy_run(&a, a.v, 240) == EXIT_NONE)
        assert_int_equal(toy_run(&b, b.v, 240), EXIT_NONE);
    toy_run(&b, b.v, 240);
    assert_true(counter(&b, "jit.units") > 0);
    compare(&a, &b, code, insns);
    toy_free(&a);
    toy_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs),
        cmocka_unit_test(inline_all),
        cmocka_unit_test(inline_floats),
        cmocka_unit_test(flags_again),
    };

    return cmocka_run_group_tests_name("engine/jit/vector", tests, NULL, NULL);
}
