/*
 * What 32-bit code on a 64-bit machine costs: rotations spelled as two shifts and an or, and extensions whose
 * upper half nobody looks at.
 */
#include "ir/pass.h"
#include "lib/str.h"

/* ---- rotations ---- */

static void count_uses(const struct ir_unit *u, uint8_t *uses)
{
    for (unsigned i = 0; i < u->op_count; i++) {
        const struct ir_op *op = &u->ops[i];
        const ir_ref r[3] = {pass_resolve(u, op->a), pass_resolve(u, op->b), pass_resolve(u, op->c)};

        for (unsigned k = 0; k < 3 && !pass_gone(op); k++) {
            if (r[k] != IR_REF_NONE && uses[r[k]] < UINT8_MAX)
                uses[r[k]]++;
        }
    }
}

/* Two narrowings of one value are equal. */
static ir_ref wide(const struct ir_unit *u, ir_ref r)
{
    r = pass_resolve(u, r);
    return u->ops[r].op == IR_TRUNC ? pass_resolve(u, u->ops[r].a) : r;
}

/* left and right: shifts of one value, by counts that make the width. */
static bool halves(const struct ir_unit *u, const struct ir_op *left, const struct ir_op *right)
{
    int64_t n, m, width = left->type == IRT_I32 ? 32 : 64;

    return left->op == IR_SHL && right->op == IR_SHR && left->type == right->type &&
           pass_const(u, pass_resolve(u, left->b), &n) && pass_const(u, pass_resolve(u, right->b), &m) &&
           n > 0 && n < width && n + m == width && wide(u, left->a) == wide(u, right->a);
}

/* The 32-bit operation behind a sign extension. */
static const struct ir_op *extended(const struct ir_unit *u, ir_ref r)
{
    const struct ir_op *op = &u->ops[r];

    return op->op == IR_SEXT && op->type == IRT_I64 && op->aux == 32 ? &u->ops[pass_resolve(u, op->a)] : NULL;
}

static void rotation(struct ir_unit *u, struct ir_op *op, const uint8_t *uses)
{
    ir_ref a = pass_resolve(u, op->a), b = pass_resolve(u, op->b), later = MAX(a, b);
    const struct ir_op *x = &u->ops[a], *y = &u->ops[b];

    if (halves(u, x, y) || halves(u, y, x)) {
        const struct ir_op *left = x->op == IR_SHL ? x : y;

        *op = (struct ir_op){.op = IR_ROL, .type = op->type, .a = left->a, .b = left->b, .c = IR_REF_NONE};
        return;
    }
    x = extended(u, a);
    y = extended(u, b);
    if (!x || !y || uses[later] != 1 || !(halves(u, x, y) || halves(u, y, x)))
        return;
    x = x->op == IR_SHL ? x : y;
    u->ops[later] = (struct ir_op){.op = IR_ROL, .type = IRT_I32, .a = x->a, .b = x->b, .c = IR_REF_NONE};
    *op = (struct ir_op){
        .op = IR_SEXT, .type = IRT_I64, .aux = 32, .a = later, .b = IR_REF_NONE, .c = IR_REF_NONE};
}

static bool is_half(const struct ir_unit *u, ir_ref r)
{
    const struct ir_op *op = &u->ops[pass_resolve(u, r)];

    if (op->op == IR_SEXT)
        op = &u->ops[pass_resolve(u, op->a)];
    return op->op == IR_SHL || op->op == IR_SHR;
}

/* There may be some: mostly there are none. */
static bool any_rotation(const struct ir_unit *u)
{
    for (unsigned i = 0; i < u->op_count; i++) {
        const struct ir_op *op = &u->ops[i];

        if (op->op == IR_OR && !pass_gone(op) && is_half(u, op->a) && is_half(u, op->b))
            return true;
    }
    return false;
}

static void rotations(struct ir_unit *u, uint8_t *uses)
{
    if (!any_rotation(u))
        return;
    memset(uses, 0, u->op_count);
    count_uses(u, uses);
    for (unsigned i = 0; i < u->op_count; i++) {
        if (u->ops[i].op == IR_OR && !pass_gone(&u->ops[i]))
            rotation(u, &u->ops[i], uses);
    }
}

/* ---- extensions ---- */

enum { LOW = 1, ALL = 3 };

/* A constant that keeps nothing of the upper half. */
static bool keeps_low(const struct ir_unit *u, ir_ref r)
{
    int64_t mask;

    return pass_const(u, pass_resolve(u, r), &mask) && !((uint64_t)mask >> 32);
}

/* What op needs of operand k when `demand` of its own result is needed. */
static unsigned needs(const struct ir_unit *u, const struct ir_op *op, unsigned k, unsigned demand)
{
    switch (op->op) {
    case IR_AND:
        return keeps_low(u, k ? op->a : op->b) ? LOW : demand;
    case IR_EXTRACT:
        return (op->aux >> 8) + (op->aux & 0xff) <= 32 ? LOW : ALL;
    case IR_TRUNC:
        return LOW;
    case IR_SEXT:
    case IR_ZEXT:
        return op->aux <= 32 ? LOW : ALL;
    case IR_STORE:
        return k == 1 && (op->aux & IR_MEM_SIZE) <= 2 ? LOW : ALL;
    case IR_SHL:
        return k == 0 ? demand : ALL;
    case IR_SELECT:
        return k == 0 ? ALL : demand;
    case IR_ADD:
    case IR_SUB:
    case IR_MUL:
    case IR_OR:
    case IR_XOR:
    case IR_ANDN:
    case IR_ORN:
    case IR_XNOR:
    case IR_NEG:
    case IR_NOT:
        return demand;
    default:
        return ALL;
    }
}

static void demand(struct ir_unit *u, uint8_t *of, unsigned at)
{
    const struct ir_op *op = &u->ops[at];
    const ir_ref r[3] = {pass_resolve(u, op->a), pass_resolve(u, op->b), pass_resolve(u, op->c)};

    for (unsigned k = 0; k < 3; k++) {
        if (r[k] != IR_REF_NONE)
            of[r[k]] |= (uint8_t)needs(u, op, k, of[at]);
    }
}

void ir_pass_width(struct ir_unit *u)
{
    uint8_t of[IR_MAX_OPS]; /* uses, then demand */

    rotations(u, of);
    memset(of, 0, u->op_count);
    for (unsigned i = u->op_count; i-- > 0;) {
        struct ir_op *op = &u->ops[i];

        if (pass_gone(op))
            continue;
        if ((op->op == IR_SEXT || op->op == IR_ZEXT) && op->type == IRT_I64 && op->aux == 32 &&
            of[i] == LOW && ir_result_type(&u->ops[pass_resolve(u, op->a)]) == IRT_I32) {
            op->op = IR_ANYEXT;
            op->aux = 0;
        }
        demand(u, of, i);
    }
}
