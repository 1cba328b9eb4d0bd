/* Integer operations. */
#include "engine/jit/emit/x86_64/emit.h"

static bool wide(const struct ir_op *op)
{
    return op->type == IRT_I64;
}

static bool imm_of(const struct emit *e, ir_ref r, int32_t *imm)
{
    const struct val *v = &e->val[r];

    *imm = (int32_t)v->imm;
    return v->where == V_CONST && v->imm == (int32_t)v->imm;
}

/* A register to work in: the destination, unless an operand still stands there. */
static unsigned work_reg(struct emit *e, const struct ir_op *op, unsigned dst)
{
    unsigned reg;

    if (op->b != IR_REF_NONE && emit_in_gpr(e, &e->val[op->b], &reg) && reg == dst)
        return RDX;
    return dst;
}

static void finish(struct emit *e, unsigned i, unsigned dst, unsigned work)
{
    asm_mov(&e->b, true, dst, work);
    emit_result(e, i, dst);
}

/* work = a op b for the group 1 operations. */
static void alu(struct emit *e, unsigned i, unsigned n, bool invert_b, bool invert_result)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), work = work_reg(e, op, dst), ra, rb;
    bool w = wide(op);
    int32_t imm;

    if (imm_of(e, op->b, &imm)) {
        ra = emit_use(e, op->a, work);
        if (n == ALU_ADD && ra != work) {
            asm_rm(&e->b, w, 0x8d, work, ra, imm);
        } else {
            asm_mov(&e->b, true, work, ra);
            asm_alu_ri(&e->b, w, n, work, invert_b ? ~imm : imm);
        }
    } else {
        rb = emit_use(e, op->b, RCX);
        if (invert_b) {
            asm_mov(&e->b, true, RCX, rb);
            asm_rr(&e->b, w, 0xf7, 2, RCX);
            rb = RCX;
        }
        ra = emit_use(e, op->a, work);
        if (n == ALU_ADD && ra != work) {
            asm_rx(&e->b, w, 0x8d, work, ra, rb, 0);
        } else {
            asm_mov(&e->b, true, work, ra);
            asm_rr(&e->b, w, 8 * n + 3, work, rb);
        }
    }
    if (invert_result)
        asm_rr(&e->b, w, 0xf7, 2, work);
    finish(e, i, dst, work);
}

static void shift(struct emit *e, unsigned i, unsigned n)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), work = work_reg(e, op, dst), ra, rb;
    bool w = wide(op);
    int32_t imm;

    if (imm_of(e, op->b, &imm)) {
        ra = emit_use(e, op->a, work);
        asm_mov(&e->b, true, work, ra);
        imm &= w ? 63 : 31;
        if (imm || !w)
            asm_shift_ri(&e->b, w, n, work, (unsigned)imm);
    } else {
        rb = emit_use(e, op->b, RCX);
        asm_mov(&e->b, true, RCX, rb);
        ra = emit_use(e, op->a, work);
        asm_mov(&e->b, true, work, ra);
        asm_rr(&e->b, w, 0xd3, n, work);
    }
    finish(e, i, dst, work);
}

static void multiply(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), work = work_reg(e, op, dst);
    unsigned rb = emit_use(e, op->b, RCX), ra = emit_use(e, op->a, work);

    asm_mov(&e->b, true, work, ra);
    asm_rr(&e->b, wide(op), OP_0F | 0xaf, work, rb);
    finish(e, i, dst, work);
}

/* High half: mul (4) or imul (5) of group 3. */
static void multiply_high(struct emit *e, unsigned i, unsigned n)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rb = emit_use(e, op->b, RCX), ra, dst = emit_dest(e, i, RAX);

    if (rb == RAX) {
        asm_mov(&e->b, true, RCX, RAX);
        rb = RCX;
    }
    ra = emit_use(e, op->a, RAX);
    asm_mov(&e->b, true, RAX, ra);
    asm_rr(&e->b, wide(op), 0xf7, n, rb);
    finish(e, i, dst, RDX);
}

/* Short forward jumps inside one operation. */
static uint8_t *skip_if(struct emit *e, unsigned cc)
{
    asm_byte(&e->b, 0x70 | cc);
    asm_byte(&e->b, 0);
    return e->b.p - 1;
}

static uint8_t *skip(struct emit *e)
{
    asm_byte(&e->b, 0xeb);
    asm_byte(&e->b, 0);
    return e->b.p - 1;
}

static void here(struct emit *e, uint8_t *at)
{
    if (!e->b.full)
        *at = (uint8_t)(e->b.p - (at + 1));
}

/* x / 0 is all ones, x % 0 is x; MIN / -1 is MIN, remainder 0: the divider would trap. */
static void divide(struct emit *e, unsigned i, bool is_signed, bool remainder)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rb = emit_use(e, op->b, RCX), ra, dst = emit_dest(e, i, RAX);
    uint8_t *zero, *minus = NULL, *done;
    bool w = wide(op);

    asm_mov(&e->b, true, RCX, rb);
    ra = emit_use(e, op->a, RAX);
    asm_mov(&e->b, true, RAX, ra);
    asm_rr(&e->b, w, 0x85, RCX, RCX);
    zero = skip_if(e, CC_E);
    if (is_signed) {
        asm_alu_ri(&e->b, w, ALU_CMP, RCX, -1);
        minus = skip_if(e, CC_E);
        asm_opcode(&e->b, w, 0x99, 0, 0, 0, false); /* cdq, cqo */
    } else {
        asm_rr(&e->b, false, 0x31, RDX, RDX);
    }
    asm_rr(&e->b, w, 0xf7, is_signed ? 7 : 6, RCX);
    done = skip(e);
    if (is_signed) {
        here(e, minus);
        asm_rr(&e->b, w, 0xf7, 3, RAX);
        asm_rr(&e->b, false, 0x31, RDX, RDX);
        minus = skip(e);
    }
    here(e, zero);
    asm_mov(&e->b, true, RDX, RAX);
    asm_imm(&e->b, RAX, UINT64_MAX);
    here(e, done);
    if (is_signed)
        here(e, minus);
    finish(e, i, dst, remainder ? RDX : RAX);
}

/* Flags of a - b. */
static void compare(struct emit *e, const struct ir_op *op)
{
    unsigned rb, ra = emit_use(e, op->a, RDX);
    bool w = wide(op);
    int32_t imm;

    if (imm_of(e, op->b, &imm)) {
        if (imm)
            asm_alu_ri(&e->b, w, ALU_CMP, ra, imm);
        else
            asm_rr(&e->b, w, 0x85, ra, ra);
        return;
    }
    rb = emit_use(e, op->b, RCX);
    asm_rr(&e->b, w, 0x3b, ra, rb);
}

static const uint8_t cc_of[] = {
    [IR_EQ] = CC_E,  [IR_NE] = CC_NE, [IR_LTU] = CC_B,  [IR_GEU] = CC_AE, [IR_LEU] = CC_BE,
    [IR_GTU] = CC_A, [IR_LTS] = CC_L, [IR_GES] = CC_GE, [IR_LES] = CC_LE, [IR_GTS] = CC_G};

unsigned emit_compare(struct emit *e, const struct ir_op *op)
{
    compare(e, op);
    return cc_of[op->aux];
}

static void setcc(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned cc = emit_compare(e, op), dst = emit_dest(e, i, RAX);

    asm_rr8(&e->b, OP_0F | 0x90 | cc, 0, RAX);
    asm_rr8(&e->b, OP_0F | 0xb6, dst, RAX);
    emit_result(e, i, dst);
}

static void min_max(struct emit *e, unsigned i, unsigned cc)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rb = emit_use(e, op->b, RCX), ra, dst = emit_dest(e, i, RAX);

    ra = emit_use(e, op->a, RDX);
    asm_mov(&e->b, true, RDX, ra);
    asm_rr(&e->b, wide(op), 0x3b, RDX, rb);
    asm_rr(&e->b, wide(op), OP_0F | 0x40 | cc, RDX, rb); /* b where a is on the wrong side */
    finish(e, i, dst, RDX);
}

static void select_value(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rb = emit_use(e, op->b, RCX), rc, ra, dst = emit_dest(e, i, RAX);

    if (rb == RAX) { /* a may have to be loaded there */
        asm_mov(&e->b, true, RCX, RAX);
        rb = RCX;
    }
    rc = emit_use(e, op->c, RDX);
    asm_mov(&e->b, true, RDX, rc);
    ra = emit_use(e, op->a, RAX);
    asm_rr(&e->b, true, 0x85, ra, ra);
    asm_rr(&e->b, true, OP_0F | 0x40 | CC_NE, RDX, rb);
    finish(e, i, dst, RDX);
}

static void extend(struct emit *e, unsigned i, bool sign)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), ra = emit_use(e, op->a, RAX);

    switch (op->aux) {
    case 8:
        asm_opcode(&e->b, true, OP_0F | (sign ? 0xbe : 0xb6), dst, 0, ra, true);
        asm_byte(&e->b, 0xc0 | (dst & 7) << 3 | (ra & 7));
        break;
    case 16:
        asm_rr(&e->b, true, OP_0F | (sign ? 0xbf : 0xb7), dst, ra);
        break;
    default:
        if (sign)
            asm_rr(&e->b, true, 0x63, dst, ra);
        else
            asm_mov(&e->b, false, dst, ra);
        break;
    }
    emit_result(e, i, dst);
}

/* One operand, one instruction: dst = op ra. */
static void unary(struct emit *e, unsigned i, uint32_t opcode)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), ra = emit_use(e, op->a, RAX);

    asm_rr(&e->b, wide(op), opcode, dst, ra);
    emit_result(e, i, dst);
}

/* One operand, changed in place: group 3 (n), or bswap (n = 8). */
static void in_place(struct emit *e, unsigned i, unsigned n)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), ra = emit_use(e, op->a, dst);

    asm_mov(&e->b, true, dst, ra);
    if (n == 8)
        asm_opcode(&e->b, wide(op), OP_0F | 0xc8 | (dst & 7), 0, 0, dst, false);
    else
        asm_rr(&e->b, wide(op), 0xf7, n, dst);
    emit_result(e, i, dst);
}

static void extract(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), ra = emit_use(e, op->a, dst), lsb = op->aux >> 8, n = op->aux & 255;

    asm_mov(&e->b, true, dst, ra);
    asm_shift_ri(&e->b, true, SHIFT_SHL, dst, 64 - lsb - n);
    asm_shift_ri(&e->b, true, SHIFT_SHR, dst, 64 - n);
    emit_result(e, i, dst);
}

/* Bytes equal to zero by a vector compare; the answer is the opposite. */
static void or_combine(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst = emit_dest(e, i, RAX), ra = emit_use(e, op->a, RAX);

    asm_rr(&e->b, true, PRE_66 | OP_0F | 0x6e, 0, ra);
    asm_rr(&e->b, false, PRE_66 | OP_0F | 0xef, 1, 1);
    asm_rr(&e->b, false, PRE_66 | OP_0F | 0x74, 0, 1);
    asm_rr(&e->b, true, PRE_66 | OP_0F | 0x7e, 0, dst);
    asm_rr(&e->b, true, 0xf7, 2, dst);
    emit_result(e, i, dst);
}

static void pc_value(struct emit *e, unsigned i)
{
    unsigned dst = emit_dest(e, i, RAX);
    int64_t imm = e->u->ops[i].imm;

    asm_load(&e->b, true, dst, RBP, VCPU_DISP(pc_page));
    if (imm == (int32_t)imm) {
        asm_alu_ri(&e->b, true, ALU_ADD, dst, (int32_t)imm);
    } else {
        asm_imm(&e->b, RCX, (uint64_t)imm);
        asm_rr(&e->b, true, 0x03, dst, RCX);
    }
    emit_result(e, i, dst);
}

bool emit_int_can(const struct ir_op *op)
{
    if (op->type != IRT_I64 && op->type != IRT_I32)
        return false;
    switch (op->op) {
    case IR_MULHU:
    case IR_MULHS:
    case IR_EXTRACT:
    case IR_ORCB:
        return op->type == IRT_I64;
    case IR_PC:
    case IR_ADD:
    case IR_SUB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_ANDN:
    case IR_ORN:
    case IR_XNOR:
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
    case IR_MUL:
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU:
    case IR_NEG:
    case IR_NOT:
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
    case IR_BSWAP:
    case IR_MINS:
    case IR_MINU:
    case IR_MAXS:
    case IR_MAXU:
    case IR_SETCC:
    case IR_SELECT:
    case IR_SEXT:
    case IR_ZEXT:
        return true;
    default:
        return false;
    }
}

bool emit_int(struct emit *e, unsigned i)
{
    switch (e->u->ops[i].op) {
    case IR_PC:
        pc_value(e, i);
        return true;
    case IR_ADD:
        alu(e, i, ALU_ADD, false, false);
        return true;
    case IR_SUB:
        alu(e, i, ALU_SUB, false, false);
        return true;
    case IR_AND:
        alu(e, i, ALU_AND, false, false);
        return true;
    case IR_OR:
        alu(e, i, ALU_OR, false, false);
        return true;
    case IR_XOR:
        alu(e, i, ALU_XOR, false, false);
        return true;
    case IR_ANDN:
        alu(e, i, ALU_AND, true, false);
        return true;
    case IR_ORN:
        alu(e, i, ALU_OR, true, false);
        return true;
    case IR_XNOR:
        alu(e, i, ALU_XOR, false, true);
        return true;
    case IR_SHL:
        shift(e, i, SHIFT_SHL);
        return true;
    case IR_SHR:
        shift(e, i, SHIFT_SHR);
        return true;
    case IR_SAR:
        shift(e, i, SHIFT_SAR);
        return true;
    case IR_ROL:
        shift(e, i, SHIFT_ROL);
        return true;
    case IR_ROR:
        shift(e, i, SHIFT_ROR);
        return true;
    case IR_MUL:
        multiply(e, i);
        return true;
    case IR_MULHU:
        multiply_high(e, i, 4);
        return true;
    case IR_MULHS:
        multiply_high(e, i, 5);
        return true;
    case IR_DIVS:
    case IR_REMS:
        divide(e, i, true, e->u->ops[i].op == IR_REMS);
        return true;
    case IR_DIVU:
    case IR_REMU:
        divide(e, i, false, e->u->ops[i].op == IR_REMU);
        return true;
    case IR_NEG:
        in_place(e, i, 3);
        return true;
    case IR_NOT:
        in_place(e, i, 2);
        return true;
    case IR_BSWAP:
        in_place(e, i, 8);
        return true;
    case IR_CLZ:
        unary(e, i, PRE_F3 | OP_0F | 0xbd);
        return true;
    case IR_CTZ:
        unary(e, i, PRE_F3 | OP_0F | 0xbc);
        return true;
    case IR_POPCNT:
        unary(e, i, PRE_F3 | OP_0F | 0xb8);
        return true;
    case IR_MINS:
        min_max(e, i, CC_G);
        return true;
    case IR_MINU:
        min_max(e, i, CC_A);
        return true;
    case IR_MAXS:
        min_max(e, i, CC_L);
        return true;
    case IR_MAXU:
        min_max(e, i, CC_B);
        return true;
    case IR_SETCC:
        setcc(e, i);
        return true;
    case IR_SELECT:
        select_value(e, i);
        return true;
    case IR_SEXT:
    case IR_ZEXT:
        extend(e, i, e->u->ops[i].op == IR_SEXT);
        return true;
    case IR_ORCB:
        or_combine(e, i);
        return true;
    case IR_EXTRACT:
        extract(e, i);
        return true;
    default:
        return false;
    }
}
