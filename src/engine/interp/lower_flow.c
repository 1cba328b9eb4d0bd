/* Branches, exits and jumps as threaded code. */
#include "engine/interp/lower.h"

unsigned lower_refund(const struct lower *l)
{
    return l->block->insns - l->begun;
}

void lower_unsync(struct lower *l)
{
    if (l->synced && lower_refund(l))
        lower_out(l, IOP_UNSYNC, 0, 0, 0, 0, lower_refund(l));
    l->synced = false;
}

static int find_block(const struct lower *l, int32_t offset)
{
    if (l->single)
        return -1;
    for (unsigned i = 0; i < l->ir->block_count; i++) {
        if (l->ir->blocks[i].offset == offset)
            return (int)i;
    }
    return -1;
}

void lower_target_set(struct lower *l, uint32_t op, bool taken, uint32_t to)
{
    uint32_t rel = to - op;
    uint64_t imm = (uint64_t)l->ops[op].imm;

    l->ops[op].imm =
        (int64_t)(taken ? (imm & UINT32_MAX) | (uint64_t)rel << 32 : (imm & ~(uint64_t)UINT32_MAX) | rel);
}

/* Every target is a HEAD: a block's, or one of no instructions before an EXIT. */
static void lower_target(struct lower *l, uint32_t op, bool taken, int32_t offset)
{
    int block = find_block(l, offset);

    if (block >= 0) {
        if (l->fixup_count < ARRAY_SIZE(l->fixups))
            l->fixups[l->fixup_count++] = (struct fixup){op, (uint16_t)block, taken};
        else
            l->failed = true;
        return;
    }
    lower_target_set(l, op, taken, l->count);
    lower_out(l, IOP_HEAD, 0, 0, 0, 0, 0);
    lower_out(l, IOP_EXIT, 0, 0, 0, 0, offset);
}

/* The comparison of a branch or of an exit; gives the index of the operation whose targets are to be set. */
static uint32_t lower_condition(struct lower *l, unsigned at, const struct ir_op *op)
{
    uint32_t index;
    int64_t imm;

    if (op->op == IR_BRANCHF || op->op == IR_EXITF) {
        int16_t a = cell_of(l, at, op->a);

        index = l->count;
        lower_out(l, IOP_BRF, 0, a, 0, op->aux, 0);
    } else {
        enum iop_code code = (enum iop_code)(IOP_BR_EQ_64 + 3 * op->aux);
        int16_t a = cell_of(l, at, op->a), b = 0;

        if (op->type == IRT_I32)
            code += 2;
        else if (is_const(l, op->b, &imm) && imm == 0)
            code += 1;
        if (code != (enum iop_code)(IOP_BR_EQ_64 + 3 * op->aux + 1))
            b = cell_of(l, at, op->b);
        index = l->count;
        lower_out(l, code, 0, a, b, 0, 0);
    }
    return index;
}

void lower_branch(struct lower *l, unsigned at, const struct ir_op *op)
{
    uint32_t index = lower_condition(l, at, op);

    lower_target(l, index, false, (int32_t)op->imm);
    lower_target(l, index, true, (int32_t)(op->imm >> 32));
}

void lower_jump(struct lower *l, const struct ir_op *op)
{
    uint32_t index = l->count;

    if (find_block(l, (int32_t)op->imm) < 0) {
        lower_out(l, IOP_EXIT, 0, 0, 0, 0, (int32_t)op->imm);
        return;
    }
    lower_out(l, IOP_JUMP, 0, 0, 0, 0, 0);
    lower_target(l, index, false, (int32_t)op->imm);
}

/* The way out stands behind the comparison: it gives back what the block took for the rest. */
void lower_exit(struct lower *l, unsigned at, const struct ir_op *op)
{
    uint32_t index = lower_condition(l, at, op);

    lower_target_set(l, index, true, l->count);
    lower_out(l, IOP_HEAD, 0, 0, 0, 0, (int64_t)l->begun - l->block->insns);
    lower_jump(l, op);
    lower_target_set(l, index, false, l->count);
    lower_out(l, IOP_HEAD, 0, 0, 0, 0, 0);
}
