/* Constant folding, operations with a neutral operand, and constants moved into addresses. */
#include "ir/pass.h"

static uint64_t mask_of(unsigned width)
{
    return UINT64_MAX >> (64 - width);
}

static uint64_t high_product(unsigned op, uint64_t a, uint64_t b, unsigned width)
{
    __int128 x = op == IR_MULHU ? (__int128)(u128)a : bits_sext(a, width);
    __int128 y = op == IR_MULHS ? bits_sext(b, width) : (__int128)(u128)b;

    return (uint64_t)((u128)(x * y) >> width);
}

/* Totals of ir.def; a and b are zero-extended from width. */
static uint64_t divide(unsigned op, uint64_t a, uint64_t b, unsigned width)
{
    int64_t x = bits_sext(a, width), y = bits_sext(b, width);

    if (!b)
        return op == IR_DIVS || op == IR_DIVU ? UINT64_MAX : a;
    switch (op) {
    case IR_DIVU:
        return a / b;
    case IR_REMU:
        return a % b;
    case IR_DIVS:
        return y == -1 ? -(uint64_t)x : (uint64_t)(x / y);
    default:
        return y == -1 ? 0 : (uint64_t)(x % y);
    }
}

static uint64_t shift(unsigned op, uint64_t a, uint64_t b, unsigned width)
{
    unsigned n = (unsigned)b & (width - 1), back = (width - n) & (width - 1);

    switch (op) {
    case IR_SHL:
        return a << n;
    case IR_SHR:
        return a >> n;
    case IR_SAR:
        return (uint64_t)(bits_sext(a, width) >> n);
    case IR_ROL:
        return n ? a << n | a >> back : a;
    default:
        return n ? a >> n | a << back : a;
    }
}

static uint64_t extreme(unsigned op, uint64_t a, uint64_t b, unsigned width)
{
    bool less = op == IR_MINS || op == IR_MAXS ? bits_sext(a, width) < bits_sext(b, width) : a < b;

    return less == (op == IR_MINS || op == IR_MINU) ? a : b;
}

/* false: not an operation that is folded. */
static bool binary(unsigned op, uint64_t a, uint64_t b, unsigned width, uint64_t *out)
{
    a &= mask_of(width);
    b &= mask_of(width);
    switch (op) {
    case IR_ADD:
        *out = a + b;
        return true;
    case IR_SUB:
        *out = a - b;
        return true;
    case IR_MUL:
        *out = a * b;
        return true;
    case IR_AND:
        *out = a & b;
        return true;
    case IR_OR:
        *out = a | b;
        return true;
    case IR_XOR:
        *out = a ^ b;
        return true;
    case IR_ANDN:
        *out = a & ~b;
        return true;
    case IR_ORN:
        *out = a | ~b;
        return true;
    case IR_XNOR:
        *out = ~(a ^ b);
        return true;
    case IR_MULHU:
    case IR_MULHS:
    case IR_MULHSU:
        *out = high_product(op, a, b, width);
        return true;
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU:
        *out = divide(op, a, b, width);
        return true;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
        *out = shift(op, a, b, width);
        return true;
    case IR_MINS:
    case IR_MINU:
    case IR_MAXS:
    case IR_MAXU:
        *out = extreme(op, a, b, width);
        return true;
    default:
        return false;
    }
}

static bool condition(unsigned cond, uint64_t a, uint64_t b, unsigned width)
{
    int64_t x = bits_sext(a, width), y = bits_sext(b, width);

    a &= mask_of(width);
    b &= mask_of(width);
    switch (cond) {
    case IR_EQ:
        return a == b;
    case IR_NE:
        return a != b;
    case IR_LTU:
        return a < b;
    case IR_GEU:
        return a >= b;
    case IR_LEU:
        return a <= b;
    case IR_GTU:
        return a > b;
    case IR_LTS:
        return x < y;
    case IR_GES:
        return x >= y;
    case IR_LES:
        return x <= y;
    default:
        return x > y;
    }
}

/* The operation becomes a constant; 32-bit ones are kept sign-extended, so that equal ones look equal. */
static void become_const(struct ir_op *op, enum ir_type type, uint64_t value)
{
    op->op = IR_CONST;
    op->type = (uint8_t)type;
    op->aux = 0;
    op->a = op->b = op->c = IR_REF_NONE;
    op->imm = type == IRT_I32 ? (int32_t)value : (int64_t)value;
}

static unsigned width_of(const struct ir_op *op)
{
    return op->type == IRT_I32 ? 32 : 64;
}

/* x op k == x */
static bool neutral(unsigned op, int64_t constant, unsigned width)
{
    uint64_t k = (uint64_t)constant & mask_of(width);

    switch (op) {
    case IR_ADD:
    case IR_SUB:
    case IR_OR:
    case IR_XOR:
    case IR_ANDN:
        return k == 0;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
        return (k & (width - 1)) == 0;
    case IR_AND:
        return k == mask_of(width);
    case IR_MUL:
        return k == 1;
    default:
        return false;
    }
}

static bool commutes(unsigned op)
{
    return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR;
}

/* pc + k is a pc. */
static void fold_pc(struct ir_unit *u, struct ir_op *op, int64_t k)
{
    const struct ir_op *inner = &u->ops[op->a];

    if (op->op != IR_ADD || inner->op != IR_PC)
        return;
    op->op = IR_PC;
    op->type = inner->type;
    op->a = op->b = IR_REF_NONE;
    op->imm = (int64_t)((uint64_t)inner->imm + (uint64_t)k);
}

/* What r has all bits of inverted, or IR_REF_NONE. */
static ir_ref inverted(const struct ir_unit *u, ir_ref r)
{
    const struct ir_op *op = &u->ops[r];
    int64_t k;
    bool is_not = op->op == IR_NOT || (op->op == IR_XOR && pass_const(u, op->b, &k) && k == -1);

    return is_not ? pass_resolve(u, op->a) : IR_REF_NONE;
}

/* a & ~b is one operation. */
static void fold_andn(const struct ir_unit *u, struct ir_op *op)
{
    ir_ref b = inverted(u, op->b);

    if (b == IR_REF_NONE) {
        b = inverted(u, op->a);
        if (b == IR_REF_NONE)
            return;
        op->a = op->b;
    }
    op->b = b;
    op->op = IR_ANDN;
}

static void fold_binary(struct ir_unit *u, unsigned at, struct ir_op *op)
{
    int64_t a, b;
    uint64_t r;
    bool ca = pass_const(u, op->a, &a), cb = pass_const(u, op->b, &b);

    if (ca && cb) {
        if (binary(op->op, (uint64_t)a, (uint64_t)b, width_of(op), &r))
            become_const(op, (enum ir_type)op->type, r);
        return;
    }
    if (ca && commutes(op->op)) {
        ir_ref t = op->a;

        op->a = op->b;
        op->b = t;
        b = a;
        cb = true;
    }
    if (!cb && op->op == IR_AND)
        fold_andn(u, op);
    if (!cb)
        return;
    if (neutral(op->op, b, width_of(op)))
        pass_replace(u, at, op->a);
    else
        fold_pc(u, op, b);
}

static void fold_unary(struct ir_unit *u, struct ir_op *op)
{
    int64_t a;

    if (!pass_const(u, op->a, &a))
        return;
    switch (op->op) {
    case IR_NEG:
        become_const(op, (enum ir_type)op->type, -(uint64_t)a);
        break;
    case IR_NOT:
        become_const(op, (enum ir_type)op->type, ~(uint64_t)a);
        break;
    case IR_SEXT:
        become_const(op, (enum ir_type)op->type, (uint64_t)bits_sext((uint64_t)a, op->aux));
        break;
    case IR_ZEXT:
        become_const(op, (enum ir_type)op->type, (uint64_t)a & mask_of(op->aux));
        break;
    case IR_TRUNC:
        become_const(op, IRT_I32, (uint64_t)a);
        break;
    case IR_EXTRACT:
        become_const(op, (enum ir_type)op->type,
                     ((uint64_t)a & mask_of(width_of(op))) >> (op->aux >> 8) & mask_of(op->aux & 0xff));
        break;
    }
}

/* A constant's bits in a constant: wide ones are made of parts. */
static void fold_insert(struct ir_unit *u, struct ir_op *op)
{
    unsigned lsb = op->aux >> 8;
    uint64_t field = mask_of(op->aux & 0xff) << lsb;
    int64_t a, b;

    if (pass_const(u, op->a, &a) && pass_const(u, op->b, &b))
        become_const(op, (enum ir_type)op->type, ((uint64_t)a & ~field) | ((uint64_t)b << lsb & field));
}

static bool is_zero_vector(const struct ir_unit *u, ir_ref r)
{
    int64_t k;

    return u->ops[r].op == IR_VDUP && pass_const(u, u->ops[r].a, &k) && !k;
}

/* The two instructions of a round. */
static void fold_aes(const struct ir_unit *u, struct ir_op *op)
{
    const struct ir_op *a = &u->ops[op->a];

    if (a->op != IR_VAES || a->aux + 2u != op->aux || op->aux > IR_AES_MIX_BACK || !is_zero_vector(u, a->b))
        return;
    op->aux += 2;
    op->a = a->a;
}

/* The next round's key added to a round. */
static void fold_aes_key(const struct ir_unit *u, struct ir_op *op)
{
    const struct ir_op *a = &u->ops[op->a];

    if (a->op != IR_VAES || !is_zero_vector(u, a->b))
        return;
    op->op = IR_VAES;
    op->aux = a->aux;
    op->a = a->a;
}

/* Zeros in the upper half of what this one lane by lane works on give zeros. */
static bool low_stays_low(const struct ir_op *op)
{
    if (op->op == IR_VCMPGT || op->op == IR_VRBIT || op->op == IR_VCNT)
        return true;
    return op->op >= IR_VADD && op->op <= IR_VSHR && op->op != IR_VCMPEQ && op->op != IR_VCMPGE &&
           op->op != IR_VCLZ;
}

/* The upper half of the vector is known to be zero. */
static bool is_low(const struct ir_unit *u, ir_ref r)
{
    const struct ir_op *op = &u->ops[r];

    return is_zero_vector(u, r) || op->op == IR_VZEXT ||
           (op->op >= IR_VADD && op->op < IR_VZEXT && op->aux & IR_V_LOW);
}

/* Zeros above a vector that has them there already. */
static void fold_zext(struct ir_unit *u, unsigned at, const struct ir_op *op)
{
    struct ir_op *in = &u->ops[op->a];

    if (ir_result_type(in) != IRT_V128)
        return;
    if (!is_low(u, op->a)) {
        if (!low_stays_low(in) || !is_low(u, in->a) || (in->b != IR_REF_NONE && !is_low(u, in->b)))
            return;
        in->aux |= IR_V_LOW;
    }
    pass_replace(u, at, op->a);
}

static void fold_select(struct ir_unit *u, unsigned at, const struct ir_op *op)
{
    int64_t a;

    if (pass_const(u, op->a, &a))
        pass_replace(u, at, a ? op->b : op->c);
    else if (op->b == op->c)
        pass_replace(u, at, op->b);
}

static void fold_branch(struct ir_unit *u, struct ir_op *op)
{
    int64_t a, b;
    int32_t target;

    if (!pass_const(u, op->a, &a) || !pass_const(u, op->b, &b))
        return;
    target = condition(op->aux, (uint64_t)a, (uint64_t)b, width_of(op)) ? (int32_t)(op->imm >> 32)
                                                                        : (int32_t)op->imm;
    *op = (struct ir_op){.op = IR_JUMP, .a = IR_REF_NONE, .b = IR_REF_NONE, .c = IR_REF_NONE, .imm = target};
}

/*
 * Address = base + displacement, modulo 2^64: a constant added to the base is displacement. Not where a slot
 * holds the sum: it is there, and what it was made from may have been overwritten by it.
 */
static void fold_address(struct ir_unit *u, const struct pass_set *in_slot, struct ir_op *op)
{
    const struct ir_op *base = &u->ops[op->a];
    int64_t k;

    while (base->op == IR_ADD && base->type == IRT_I64 && !pass_marked(in_slot, op->a) &&
           pass_const(u, pass_resolve(u, base->b), &k)) {
        int64_t sum = (int64_t)((uint64_t)op->imm + (uint64_t)k);

        if (sum != (int32_t)sum)
            return;
        op->imm = sum;
        op->a = pass_resolve(u, base->a);
        base = &u->ops[op->a];
    }
}

static void fold_op(struct ir_unit *u, const struct pass_set *in_slot, unsigned at)
{
    struct ir_op *op = &u->ops[at];
    int64_t a, b;

    if (op->op >= IR_ADD && op->op <= IR_ROR) {
        fold_binary(u, at, op);
        return;
    }
    switch (op->op) {
    case IR_MINS:
    case IR_MINU:
    case IR_MAXS:
    case IR_MAXU:
        fold_binary(u, at, op);
        break;
    case IR_NEG:
    case IR_NOT:
    case IR_SEXT:
    case IR_ZEXT:
    case IR_TRUNC:
    case IR_EXTRACT:
        fold_unary(u, op);
        break;
    case IR_SETCC:
        if (pass_const(u, op->a, &a) && pass_const(u, op->b, &b))
            become_const(op, IRT_I64, condition(op->aux, (uint64_t)a, (uint64_t)b, width_of(op)));
        break;
    case IR_VZEXT:
        fold_zext(u, at, op);
        break;
    case IR_INSERT:
        fold_insert(u, op);
        break;
    case IR_SELECT:
        fold_select(u, at, op);
        break;
    case IR_BRANCH:
        fold_branch(u, op);
        break;
    case IR_VAES:
        fold_aes(u, op);
        break;
    case IR_VXOR:
        fold_aes_key(u, op);
        break;
    case IR_LOAD:
    case IR_STORE:
    case IR_STORE2:
        fold_address(u, in_slot, op);
        break;
    }
}

void ir_pass_fold(struct ir_unit *u)
{
    struct pass_set in_slot;

    pass_set_init(&in_slot, u);
    for (unsigned i = 0; i < u->op_count; i++) {
        if (u->ops[i].op == IR_PUT && !pass_gone(&u->ops[i]))
            pass_mark(&in_slot, pass_resolve(u, u->ops[i].a));
    }
    for (unsigned i = 0; i < u->op_count; i++) {
        if (pass_gone(&u->ops[i]))
            continue;
        pass_operands(u, &u->ops[i]);
        fold_op(u, &in_slot, i);
    }
}
