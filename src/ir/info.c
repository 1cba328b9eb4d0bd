/* The operation table, and what follows from a row: result type and operand count. */
#include "ir/ir.h"

enum {
    SLOT_R = IR_E_SLOT_R,
    SLOT_W = IR_E_SLOT_W,
    MEM_R = IR_E_MEM_R,
    MEM_W = IR_E_MEM_W,
    FAULT = IR_E_FAULT,
    END = IR_E_END,
    FP = IR_E_FP,
    CALL = IR_E_CALL
};

const struct ir_opinfo ir_opinfo[IR_OPS] = {
#define IR_OP(id, name, sig, effects) [IR_##id] = {name, sig, effects},
#include "ir/ir.def"
#undef IR_OP
};

const uint8_t ir_letter_types[128] = {
    ['i'] = IRT_I64, ['w'] = IRT_I32, ['f'] = IRT_FLAGS, ['v'] = IRT_V128, ['q'] = IRT_I128, ['d'] = IRT_F64,
};

unsigned ir_operands(const struct ir_op *op)
{
    const char *sig = ir_opinfo[op->op].sig + 2;
    unsigned n = 0;

    while (sig[n])
        n++;
    return n;
}

unsigned ir_type_size(enum ir_type type)
{
    static const uint8_t size[] = {
        [IRT_NONE] = 0, [IRT_I32] = 4,  [IRT_I64] = 8,   [IRT_I128] = 16, [IRT_F16] = 2,   [IRT_F32] = 4,
        [IRT_F64] = 8,  [IRT_F80] = 16, [IRT_V128] = 16, [IRT_V256] = 32, [IRT_FLAGS] = 8,
    };

    return type < ARRAY_SIZE(size) ? size[type] : 0;
}
