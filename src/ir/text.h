/* Names that printer and parser share. */
#ifndef CV_IR_TEXT_H
#define CV_IR_TEXT_H

#include "ir/ir.h"

/* By enum ir_type. */
static const char *const ir_type_names[] = {"none", "i32", "i64",  "i128", "f16",  "f32",
                                            "f64",  "f80", "v128", "v256", "flags"};

#endif
