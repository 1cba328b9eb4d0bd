/* The order of the passes, and the removal of what they dropped. */
#include "ir/pass.h"

/* Old number to new: by the new number that an operation that stays has in `spare`. */
static ir_ref renumber(const struct ir_unit *u, ir_ref r)
{
    return r == IR_REF_NONE ? r : (ir_ref)u->ops[r].spare;
}

/*
 * In three steps, since `spare` has two meanings: operands are resolved while it says what was replaced, then
 * it holds new numbers, then the operations move.
 */
static void drop_gone(struct ir_unit *u)
{
    unsigned to = 0;

    for (unsigned i = 0; i < u->op_count; i++) {
        if (!pass_gone(&u->ops[i]))
            pass_operands(u, &u->ops[i]);
    }
    for (unsigned b = 0; b < u->block_count; b++) {
        struct ir_block *block = &u->blocks[b];
        unsigned first = to;

        for (unsigned i = block->first; i < block->end; i++) {
            struct ir_op *op = &u->ops[i];

            if (pass_gone(op)) {
                op->op = IR_OPS; /* `spare` of it means nothing from here on */
                continue;
            }
            op->a = renumber(u, op->a);
            op->b = renumber(u, op->b);
            op->c = renumber(u, op->c);
            op->spare = (uint16_t)to++;
        }
        /* block->end is read by the move below as the end of the old range. */
        block->spare = (uint16_t)first;
    }
    to = 0;
    for (unsigned b = 0; b < u->block_count; b++) {
        struct ir_block *block = &u->blocks[b];

        for (unsigned i = block->first; i < block->end; i++) {
            if (u->ops[i].op == IR_OPS)
                continue;
            u->ops[to] = u->ops[i];
            u->ops[to++].spare = 0;
        }
        block->first = block->spare;
        block->end = (uint16_t)to;
        block->spare = 0;
    }
    u->op_count = (uint16_t)to;
}

void ir_optimise(struct ir_unit *u, unsigned passes, const struct ir_helper *helpers)
{
    if (passes & IR_PASS_SLOTS)
        ir_pass_slots(u, helpers);
    if (passes & IR_PASS_FOLD)
        ir_pass_fold(u);
    if (passes & IR_PASS_COPY)
        ir_pass_copy(u);
    if (passes & IR_PASS_WIDTH)
        ir_pass_width(u);
    if (passes & IR_PASS_DEAD)
        ir_pass_dead(u, helpers);
    drop_gone(u);
}
