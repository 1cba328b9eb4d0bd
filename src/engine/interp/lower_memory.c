/* Loads, stores and atomics as threaded code. */
#include "engine/interp/lower.h"

#define PLAIN_LOAD (IR_MEM_SIZE | IR_MEM_SIGNED)

static enum iop_code load_code(const struct ir_op *op)
{
    static const uint16_t wide[8] = {IOP_LD8U, IOP_LD16U, IOP_LD32U, IOP_LD64,
                                     IOP_LD8S, IOP_LD16S, IOP_LD32S, IOP_LD64};
    static const uint16_t narrow[8] = {IOP_LD8U_32, IOP_LD16U_32, IOP_LD32, 0,
                                       IOP_LD8S_32, IOP_LD16S_32, IOP_LD32, 0};
    unsigned i = (op->aux & 3) + (op->aux & IR_MEM_SIGNED ? 4 : 0);

    if (op->aux == 4)
        return IOP_LD128;
    /* Acquire loads need nothing more on hosts that keep loads in order; LDX does it right everywhere. */
    if ((op->aux & ~(unsigned)PLAIN_LOAD) || (op->aux & IR_MEM_SIZE) > 3)
        return IOP_LDX;
    switch (ir_type_size((enum ir_type)op->type)) {
    case 8:
        return (enum iop_code)wide[i];
    case 4:
        return (enum iop_code)narrow[i];
    case 2:
        return IOP_LD16_16;
    default:
        return IOP_LDX;
    }
}

void lower_load(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a);
    enum iop_code code = load_code(op);

    lower_out(l, code, cell_result(l, at), a, code == IOP_LDX ? (int)ir_type_size((enum ir_type)op->type) : 0,
              op->aux, op->imm);
}

/* The pair right before its only use, a plain store: stored from where its halves are. */
static bool feeds_store(struct lower *l, unsigned at)
{
    const struct ir_op *next = &l->ir->ops[at + 1];

    return at + 1u < l->block->end && next->op == IR_STORE && next->b == at && next->aux == 4 &&
           val(l, (ir_ref)at)->last == at + 1;
}

void lower_store(struct lower *l, unsigned at, const struct ir_op *op)
{
    static const uint16_t codes[4] = {IOP_ST8, IOP_ST16, IOP_ST32, IOP_ST64};
    int16_t a = cell_of(l, at, op->a), b;

    if (l->ir->ops[op->b].op == IR_CONCAT && val(l, op->b)->place == P_NONE) {
        const struct ir_op *pair = &l->ir->ops[op->b];

        b = cell_of(l, at, pair->a);
        lower_out(l, IOP_ST64P, cell_of(l, at, pair->b), a, b, 0, op->imm);
        return;
    }
    b = cell_of(l, at, op->b);
    if (op->aux == 4)
        lower_out(l, IOP_ST128, 0, a, b, 0, op->imm);
    else if (op->aux & ~7u || op->aux > 3)
        lower_out(l, IOP_STX, 0, a, b, op->aux, op->imm);
    else
        lower_out(l, (enum iop_code)codes[op->aux], 0, a, b, 0, op->imm);
}

void lower_atomic(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a);
    int16_t b = cell_or(l, at, op->b, 0);
    int16_t c = cell_or(l, at, op->c, 0);
    enum iop_code code = op->op == IR_AMO   ? IOP_AMO
                         : op->op == IR_CAS ? IOP_CAS
                         : op->op == IR_LR  ? IOP_LR
                                            : IOP_SC;

    /* The result's own size stands in the upper half. */
    lower_out(l, code, cell_result(l, at), a, b, op->aux,
              (int64_t)((uint64_t)ir_type_size(value_type(l, (ir_ref)at)) << 32 | (uint16_t)c));
}

void lower_store2(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a), b = cell_of(l, at, op->b);

    lower_out(l, IOP_STORE2, cell_of(l, at, op->c), a, b, op->aux, op->imm);
}

void lower_pair(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a, b, d;

    if (feeds_store(l, at)) {
        cell_keep(l, op->a, at + 1);
        cell_keep(l, op->b, at + 1);
        return;
    }
    a = cell_of(l, at, op->a);
    b = cell_of(l, at, op->b);
    d = cell_result(l, at);
    lower_out(l, IOP_MOV64, d, a, 0, 0, 0);
    lower_out(l, IOP_MOV64, d + 8, b, 0, 0, 0);
}
