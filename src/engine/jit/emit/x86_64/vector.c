/*
 * Values of 128 bits. They live in the scratch xmm registers, or in two cells of the stack; a slot that is
 * read is loaded at once, since such slots have no homes.
 */
#include "engine/jit/emit/x86_64/emit.h"

/* In a register, which is not to be written. */
static unsigned wide(struct emit *e, ir_ref r)
{
    const struct val *v = val_of(e, r);
    unsigned reg = v->reg;

    if (v->kind == V_CELL) {
        reg = val_scratch_xmm(e, 0);
        as_rm(&e->a, S_MOVUPS_LD, reg, mem_at(RSP, v->cell * 8));
    } else if (v->kind != V_XMM || !v->wide) {
        e->failed = true;
        reg = 0;
    }
    e->lock_xmm |= 1u << reg;
    return reg;
}

static void set_wide(struct emit *e, unsigned reg)
{
    val_set_xmm(e, reg, false);
    e->val[e->at].wide = true;
}

void emit_get_wide(struct emit *e, const struct ir_op *op)
{
    unsigned d = val_scratch_xmm(e, 0);

    as_rm(&e->a, S_MOVUPS_LD, d, slot_mem((int32_t)op->imm));
    set_wide(e, d);
}

void emit_put_wide(struct emit *e, const struct ir_op *op)
{
    val_forget_slot(e, (int32_t)op->imm, 16);
    as_rm(&e->a, S_MOVUPS_ST, wide(e, op->a), slot_mem((int32_t)op->imm));
    val_done(e, op->a);
}

void emit_load_wide(struct emit *e, struct xmem m)
{
    unsigned d = val_scratch_xmm(e, 0);

    as_rm(&e->a, S_MOVUPS_LD, d, m);
    set_wide(e, d);
}

unsigned emit_wide(struct emit *e, ir_ref r)
{
    return wide(e, r);
}

void emit_store_wide(struct emit *e, unsigned reg, struct xmem m)
{
    as_rm(&e->a, S_MOVUPS_ST, reg, m);
}

/* ---- operations ---- */

static uint32_t opcode(const struct ir_op *op)
{
    static const uint8_t add[] = {0xfc, 0xfd, 0xfe, 0xd4}, sub[] = {0xf8, 0xf9, 0xfa, 0xfb};
    static const uint8_t equal[] = {0x74, 0x75, 0x76};
    unsigned bits = op->aux & 0xff, lane = bits ? (unsigned)__builtin_ctz(bits) - 3 : 3;

    if (lane > 3)
        return 0;
    switch (op->op) {
    case IR_VAND:
        return S_AND;
    case IR_VOR:
        return S_OR;
    case IR_VXOR:
        return S_XOR;
    case IR_VADD:
        return add[lane] | O_0F | O_66;
    case IR_VSUB:
        return sub[lane] | O_0F | O_66;
    case IR_VCMPEQ:
        return lane < 3 ? equal[lane] | O_0F | O_66 : 0;
    default:
        return 0;
    }
}

static bool binary(struct emit *e, const struct ir_op *op)
{
    uint32_t code = opcode(op);
    unsigned ra, rb, d;

    if (!code)
        return false;
    ra = wide(e, op->a);
    rb = wide(e, op->b);
    d = val_scratch_xmm(e, 0);
    as_rr(&e->a, S_MOVAPS, d, ra);
    as_rr(&e->a, code, d, rb);
    val_done(e, op->a);
    val_done(e, op->b);
    set_wide(e, d);
    return true;
}

static bool broadcast(struct emit *e, const struct ir_op *op)
{
    int64_t x;
    unsigned d;

    if (val_const(e, op->a, &x) && (x == 0 || x == -1)) {
        d = val_scratch_xmm(e, 0);
        as_rr(&e->a, x ? S_PCMPEQD : S_XOR, d, d);
    } else if ((op->aux & 0xff) == 64 || !(op->aux & 0xff)) {
        unsigned r = val_gpr(e, op->a);

        d = val_scratch_xmm(e, 0);
        as_rr(&e->a, S_MOVQ_XG | O_W, d, r);
        as_rr(&e->a, 0x6c | O_0F | O_66, d, d); /* punpcklqdq */
    } else {
        return false;
    }
    val_done(e, op->a);
    set_wide(e, d);
    return true;
}

static bool lane(struct emit *e, const struct ir_op *op)
{
    unsigned r, d;

    if (((op->aux & 0xff) && (op->aux & 0xff) != 64) || (op->imm & 1 && !e->ev->cpu.sse41))
        return false;
    r = wide(e, op->a);
    val_done(e, op->a);
    d = val_dest(e, 0);
    if (op->imm & 1) {
        as_rr(&e->a, S_PEXTRQ, r, d);
        as_u8(&e->a, 1);
    } else {
        as_rr(&e->a, S_MOVQ_GX | O_W, r, d);
    }
    val_set(e, d);
    return true;
}

bool emit_vector(struct emit *e, const struct ir_op *op)
{
    switch (op->op) {
    case IR_VDUP:
        return broadcast(e, op);
    case IR_VLANE:
        return lane(e, op);
    case IR_VINSLANE:
        return false;
    default:
        return binary(e, op);
    }
}
