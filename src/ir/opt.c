/* The order of the passes. */
#include "ir/ir.h"

void ir_optimise(struct ir_unit *u, unsigned passes, const struct ir_helper *helpers)
{
    (void)u;
    (void)passes;
    (void)helpers;
}
