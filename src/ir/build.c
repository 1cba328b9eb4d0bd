/* The builder: appends operations to a unit's last block. Out of room it sets overflow and goes on. */
#include "ir/ir.h"

void ir_unit_clear(struct ir_unit *u)
{
    u->op_count = 0;
    u->block_count = 0;
    u->overflow = false;
}

void ir_block_begin(struct ir_unit *u, int32_t offset)
{
    struct ir_block *b;

    if (u->block_count >= u->block_max) {
        u->overflow = true;
        return;
    }
    b = &u->blocks[u->block_count++];
    *b = (struct ir_block){.offset = offset, .first = u->op_count, .end = u->op_count};
}

ir_ref ir_emit(struct ir_unit *u, enum ir_opcode op, enum ir_type type, unsigned aux, ir_ref a, ir_ref b,
               ir_ref c, int64_t imm)
{
    struct ir_op *o;

    if (u->op_count >= u->op_max || u->op_count >= IR_MAX_OPS || !u->block_count) {
        u->overflow = true;
        return 0; /* a ref that exists, so that callers need no check */
    }
    o = &u->ops[u->op_count];
    *o = (struct ir_op){
        .op = (uint8_t)op, .type = (uint8_t)type, .aux = (uint16_t)aux, .a = a, .b = b, .c = c, .imm = imm};
    u->blocks[u->block_count - 1].end = ++u->op_count;
    return (ir_ref)(u->op_count - 1);
}

ir_ref ir_const(struct ir_unit *u, enum ir_type type, int64_t value)
{
    return ir_emit(u, IR_CONST, type, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, value);
}

ir_ref ir_get(struct ir_unit *u, enum ir_type type, unsigned slot)
{
    return ir_emit(u, IR_GET, type, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, slot);
}

void ir_put(struct ir_unit *u, enum ir_type type, unsigned slot, ir_ref value)
{
    ir_emit(u, IR_PUT, type, 0, value, IR_REF_NONE, IR_REF_NONE, slot);
}

ir_ref ir_un(struct ir_unit *u, enum ir_opcode op, enum ir_type type, ir_ref a)
{
    return ir_emit(u, op, type, 0, a, IR_REF_NONE, IR_REF_NONE, 0);
}

ir_ref ir_bin(struct ir_unit *u, enum ir_opcode op, enum ir_type type, ir_ref a, ir_ref b)
{
    return ir_emit(u, op, type, 0, a, b, IR_REF_NONE, 0);
}

ir_ref ir_setcc(struct ir_unit *u, enum ir_type type, enum ir_cond cond, ir_ref a, ir_ref b)
{
    return ir_emit(u, IR_SETCC, type, cond, a, b, IR_REF_NONE, 0);
}

ir_ref ir_load(struct ir_unit *u, enum ir_type type, unsigned aux, ir_ref base, int64_t disp)
{
    return ir_emit(u, IR_LOAD, type, aux, base, IR_REF_NONE, IR_REF_NONE, disp);
}

void ir_store(struct ir_unit *u, enum ir_type type, unsigned aux, ir_ref base, int64_t disp, ir_ref value)
{
    ir_emit(u, IR_STORE, type, aux, base, value, IR_REF_NONE, disp);
}

void ir_insn(struct ir_unit *u, int32_t offset, unsigned len)
{
    ir_emit(u, IR_INSN, IRT_NONE, len, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, offset);
    if (u->block_count)
        u->blocks[u->block_count - 1].insns++;
}

ir_ref ir_call(struct ir_unit *u, unsigned helper, enum ir_type type, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_emit(u, IR_CALL, type, 0, a, b, c, helper);
}
