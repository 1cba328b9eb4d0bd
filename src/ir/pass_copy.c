/*
 * Copies: conversions that undo one another, and equal expressions of one block computed once.
 */
#include "ir/pass.h"

/* The value that a conversion of a conversion gives back, or IR_REF_NONE. */
static ir_ref undone(const struct ir_unit *u, const struct ir_op *op)
{
    const struct ir_op *in;
    enum ir_type origin;

    if (op->a == IR_REF_NONE)
        return IR_REF_NONE;
    in = &u->ops[op->a];
    if (in->a == IR_REF_NONE)
        return IR_REF_NONE;
    origin = ir_result_type(&u->ops[in->a]);
    switch (op->op) {
    case IR_TRUNC: /* of an i32 widened */
        return (in->op == IR_SEXT || in->op == IR_ZEXT) && in->aux == 32 && origin == IRT_I32 ? in->a
                                                                                              : IR_REF_NONE;
    case IR_BITCAST:
        return in->op == IR_BITCAST && (enum ir_type)op->type == origin && origin != IRT_I32 ? in->a
                                                                                             : IR_REF_NONE;
    case IR_UNBOX:
        return in->op == IR_BOX && (enum ir_type)op->type == origin ? in->a : IR_REF_NONE;
    case IR_LO64:
        return in->op == IR_CONCAT ? in->a : IR_REF_NONE;
    case IR_HI64:
        return in->op == IR_CONCAT ? in->b : IR_REF_NONE;
    case IR_SEXT:
    case IR_ZEXT: /* of a value that is as narrow already */
        return in->op == op->op && in->type == op->type && in->aux <= op->aux ? op->a : IR_REF_NONE;
    default:
        return IR_REF_NONE;
    }
}

static bool same(const struct ir_op *a, const struct ir_op *b)
{
    return a->op == b->op && a->type == b->type && a->aux == b->aux && a->a == b->a && a->b == b->b &&
           a->c == b->c && a->imm == b->imm;
}

static unsigned hash(const struct ir_op *op)
{
    uint64_t h = op->op ^ (uint64_t)op->a << 8 ^ (uint64_t)op->b << 24 ^ (uint64_t)op->imm << 13 ^
                 (uint64_t)op->aux << 40;

    return (unsigned)((h * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

/* One look at the last operation of equal hash in this block: cheap, and nearly all that there is. */
static void block_copy(struct ir_unit *u, const struct ir_block *b)
{
    uint16_t seen[256] = {0}; /* operation + 1 */

    for (unsigned i = b->first; i < b->end; i++) {
        struct ir_op *op = &u->ops[i];
        ir_ref r;
        unsigned h;

        if (pass_gone(op))
            continue;
        pass_operands(u, op);
        r = undone(u, op);
        if (r != IR_REF_NONE) {
            pass_replace(u, i, r);
            continue;
        }
        /* Slots change: reads of them are the slot pass's. */
        if (op->op == IR_GET || !pass_pure(op, NULL))
            continue;
        /* A pair with one user is none: the store of both takes the two values. */
        if (op->op == IR_CONCAT)
            continue;
        h = hash(op);
        if (seen[h] && same(&u->ops[seen[h] - 1], op))
            pass_replace(u, i, (ir_ref)(seen[h] - 1));
        else
            seen[h] = (uint16_t)(i + 1);
    }
}

void ir_pass_copy(struct ir_unit *u)
{
    for (unsigned b = 0; b < u->block_count; b++)
        block_copy(u, &u->blocks[b]);
}
