/*
 * What the passes share. While they run, ir_op.spare says what became of an operation: 0 it stays, IR_GONE
 * it is dropped at the end, else its value is that of operation spare - 1.
 */
#ifndef CV_IR_PASS_H
#define CV_IR_PASS_H

#include "ir/ir.h"
#include "lib/str.h"

#define IR_GONE 0xffff

void ir_pass_fold(struct ir_unit *u);
void ir_pass_copy(struct ir_unit *u);
void ir_pass_slots(struct ir_unit *u, const struct ir_helper *helpers);
void ir_pass_width(struct ir_unit *u);
void ir_pass_dead(struct ir_unit *u, const struct ir_helper *helpers);

static inline bool pass_gone(const struct ir_op *op)
{
    return op->spare != 0;
}

/* Later uses of operation `at` mean `by` from here on. */
static inline void pass_replace(struct ir_unit *u, unsigned at, ir_ref by)
{
    u->ops[at].spare = (uint16_t)(by + 1);
}

static inline ir_ref pass_resolve(const struct ir_unit *u, ir_ref r)
{
    while (r != IR_REF_NONE && u->ops[r].spare && u->ops[r].spare != IR_GONE)
        r = (ir_ref)(u->ops[r].spare - 1);
    return r;
}

static inline void pass_operands(struct ir_unit *u, struct ir_op *op)
{
    op->a = pass_resolve(u, op->a);
    op->b = pass_resolve(u, op->b);
    op->c = pass_resolve(u, op->c);
}

static inline bool pass_const(const struct ir_unit *u, ir_ref r, int64_t *value)
{
    if (r == IR_REF_NONE || u->ops[r].op != IR_CONST)
        return false;
    *value = u->ops[r].imm;
    return true;
}

/* A set of a unit's values, a bit each. */
struct pass_set {
    uint8_t bits[IR_MAX_OPS / 8 + 1];
};

static inline void pass_set_init(struct pass_set *set, const struct ir_unit *u)
{
    memset(set->bits, 0, u->op_count / 8 + 1);
}

static inline void pass_mark(struct pass_set *set, ir_ref r)
{
    if (r != IR_REF_NONE)
        set->bits[r / 8] |= (uint8_t)(1u << (r % 8));
}

static inline bool pass_marked(const struct pass_set *set, ir_ref r)
{
    return set->bits[r / 8] >> (r % 8) & 1;
}

/* Nothing but its value: no memory, no exception, no slot written, no FP flags. */
static inline bool pass_pure(const struct ir_op *op, const struct ir_helper *helpers)
{
    if (op->op == IR_CALL)
        return helpers && (helpers[op->imm].flags & IR_H_PURE);
    return op->op != IR_INSN && !(ir_opinfo[op->op].effects & ~(unsigned)IR_E_SLOT_R) &&
           ir_result_type(op) != IRT_NONE;
}

#endif
