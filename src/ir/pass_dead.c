/* Values that nobody uses, flags first of all. */
#include "ir/pass.h"

void ir_pass_dead(struct ir_unit *u, const struct ir_helper *helpers)
{
    struct pass_set used;

    pass_set_init(&used, u);
    /* Operands stand before their uses: one walk from the end sees all. */
    for (unsigned i = u->op_count; i-- > 0;) {
        struct ir_op *op = &u->ops[i];

        if (pass_gone(op))
            continue;
        pass_operands(u, op);
        if (!pass_marked(&used, (ir_ref)i) && pass_pure(op, helpers)) {
            op->spare = IR_GONE;
            continue;
        }
        pass_mark(&used, op->a);
        pass_mark(&used, op->b);
        pass_mark(&used, op->c);
    }
}
