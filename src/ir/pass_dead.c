/* Values that nobody uses, flags first of all. */
#include "ir/pass.h"

static void use(ir_ref r, uint8_t *used)
{
    if (r != IR_REF_NONE)
        used[r / 8] |= (uint8_t)(1u << (r % 8));
}

void ir_pass_dead(struct ir_unit *u, const struct ir_helper *helpers)
{
    uint8_t used[IR_MAX_OPS / 8 + 1] = {0};

    /* Operands stand before their uses: one walk from the end sees all. */
    for (unsigned i = u->op_count; i-- > 0;) {
        struct ir_op *op = &u->ops[i];

        if (pass_gone(op))
            continue;
        pass_operands(u, op);
        if (!(used[i / 8] >> (i % 8) & 1) && pass_pure(op, helpers)) {
            op->spare = IR_GONE;
            continue;
        }
        use(op->a, used);
        use(op->b, used);
        use(op->c, used);
    }
}
