/* For the tests of ir/: a unit with storage, from text. */
#ifndef CV_IR_IR_TEST_H
#define CV_IR_IR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "ir/ir.h"

struct test_unit {
    struct ir_unit u;
    struct ir_op ops[1024];
    struct ir_block blocks[32];
};

static inline struct ir_unit *unit_new(struct test_unit *t)
{
    t->u = (struct ir_unit){.ops = t->ops, .blocks = t->blocks, .op_max = 1024, .block_max = 32};
    return &t->u;
}

static inline struct ir_unit *unit_parse(struct test_unit *t, const char *text)
{
    char why[160] = "";

    unit_new(t);
    if (ir_parse(&t->u, text, why, sizeof(why)) || ir_verify(&t->u, why, sizeof(why)))
        fail_msg("%s in:\n%s", why, text);
    return &t->u;
}

#endif
