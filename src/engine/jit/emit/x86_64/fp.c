/*
 * Floating point in host registers. MXCSR rounds to nearest and gathers flags; any other rounding and any
 * NaN result is left to the interpreter: a NaN has to become the guest's own (checked by comparing the result
 * with itself), and repeating an operation raises no flag that it had not raised before.
 */
#include "engine/jit/emit/x86_64/emit.h"

static bool is_double(const struct ir_op *op)
{
    return op->type == IRT_F64;
}

static bool is_fp(unsigned type)
{
    return type == IRT_F64 || type == IRT_F32;
}

/* Prefix of the scalar form: F2 0F for doubles, F3 0F for singles. */
static uint32_t scalar(const struct ir_op *op)
{
    return (is_double(op) ? PRE_F2 : PRE_F3) | OP_0F;
}

static void movaps(struct emit *e, unsigned dst, unsigned src)
{
    if (dst != src)
        asm_rr(&e->b, false, OP_0F | 0x28, dst, src);
}

/* The result in xmm0, once it is known to be no NaN. */
static void finish(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned dst;

    asm_rr(&e->b, false, (is_double(op) ? PRE_66 : 0) | OP_0F | 0x2e, 0, 0); /* ucomis */
    emit_bail_if(e, CC_P);
    dst = emit_dest_xmm(e, i, 0);
    movaps(e, dst, 0);
    emit_result_xmm(e, i, dst);
}

static void binary(struct emit *e, unsigned i, unsigned opcode)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rb = emit_use_xmm(e, op->b, 1), ra;

    if (rb == 0) {
        movaps(e, 1, 0);
        rb = 1;
    }
    ra = emit_use_xmm(e, op->a, 0);
    movaps(e, 0, ra);
    asm_rr(&e->b, false, scalar(op) | opcode, 0, rb);
    finish(e, i);
}

static void square_root(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned ra = emit_use_xmm(e, op->a, 1);

    asm_rr(&e->b, false, scalar(op) | 0x51, 0, ra);
    finish(e, i);
}

/* vfmadd213: xmm0 = xmm1 * xmm0 + c */
static void fused(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned rc = emit_use_xmm(e, op->c, 2), rb, ra;

    if (rc == 0) {
        movaps(e, 2, 0);
        rc = 2;
    }
    rb = emit_use_xmm(e, op->b, 1);
    if (rb == 0) {
        movaps(e, 1, 0);
        rb = 1;
    }
    ra = emit_use_xmm(e, op->a, 0);
    movaps(e, 0, ra);
    asm_vex(&e->b, is_double(op), 2, 1, 0xa9, 0, rb, rc);
    finish(e, i);
}

static bool same_slot(const struct emit *e, const struct ir_op *op)
{
    const struct val *a = &e->val[op->a], *b = &e->val[op->b];

    return op->a == op->b || (a->where == V_SLOT && b->where == V_SLOT && a->disp == b->disp);
}

/* A number with its own sign: how RISC-V moves one. */
static void copy(struct emit *e, unsigned i)
{
    unsigned ra = emit_use_xmm(e, e->u->ops[i].a, 0), dst = emit_dest_xmm(e, i, 0);

    movaps(e, dst, ra);
    emit_result_xmm(e, i, dst);
}

/* Signs by integer operations: no flags, no NaN rule. */
static void sign(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    bool d = is_double(op);
    uint32_t to_gpr = PRE_66 | OP_0F | 0x7e, from_gpr = PRE_66 | OP_0F | 0x6e;
    unsigned ra = emit_use_xmm(e, op->a, 2), rb, dst;

    asm_rr(&e->b, d, to_gpr, ra, RAX);
    if (op->op == IR_FNEG) {
        asm_rr(&e->b, d, OP_0F | 0xba, 7, RAX); /* btc */
        asm_byte(&e->b, d ? 63 : 31);
    } else if (op->op == IR_FABS) {
        asm_rr(&e->b, d, OP_0F | 0xba, 6, RAX); /* btr */
        asm_byte(&e->b, d ? 63 : 31);
    } else {
        rb = emit_use_xmm(e, op->b, 1);
        asm_rr(&e->b, d, to_gpr, rb, RCX);
        if (op->op == IR_FSGNJN)
            asm_rr(&e->b, d, 0xf7, 2, RCX);
        if (op->op != IR_FSGNJX) {
            asm_rr(&e->b, d, OP_0F | 0xba, 6, RAX);
            asm_byte(&e->b, d ? 63 : 31);
        }
        asm_shift_ri(&e->b, d, SHIFT_SHR, RCX, d ? 63 : 31);
        asm_shift_ri(&e->b, d, SHIFT_SHL, RCX, d ? 63 : 31);
        asm_rr(&e->b, d, 0x33, RAX, RCX);
    }
    dst = emit_dest_xmm(e, i, 0);
    asm_rr(&e->b, d, from_gpr, dst, RAX);
    emit_result_xmm(e, i, dst);
}

/* Quiet compares by ucomis, signalling ones by comis; a < b is b > a, which is false when unordered. */
static void compare(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    uint32_t prefix = (is_double(op) ? PRE_66 : 0) | OP_0F;
    unsigned ra = emit_use_xmm(e, op->a, 2), rb = emit_use_xmm(e, op->b, 1), dst;

    if (op->aux == IR_FCMP_EQ) {
        asm_rr(&e->b, false, prefix | 0x2e, ra, rb);
        asm_rr8(&e->b, OP_0F | 0x90 | CC_NP, 0, RAX);
        asm_rr8(&e->b, OP_0F | 0x90 | CC_E, 0, RCX);
        asm_rr(&e->b, false, 0x23, RAX, RCX);
    } else {
        asm_rr(&e->b, false, prefix | 0x2f, rb, ra);
        asm_rr8(&e->b, OP_0F | 0x90 | (op->aux == IR_FCMP_LT ? CC_A : CC_AE), 0, RAX);
    }
    dst = emit_dest(e, i, RAX);
    asm_rr8(&e->b, OP_0F | 0xb6, dst, RAX);
    emit_result(e, i, dst);
}

/*
 * The host's answer to what does not fit is the most negative number: the interpreter looks at these. Not for
 * unsigned results: a negative operand would raise inexact on the way.
 */
static void to_int(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned kind = op->aux >> 8, round = op->aux & 255, dst;
    const struct ir_op *from = &e->u->ops[op->a];
    bool d = is_fp(from->type) ? from->type == IRT_F64 : true;
    bool w = kind != IR_INT_S32;
    unsigned ra = emit_use_xmm(e, op->a, 0);

    asm_rr(&e->b, w, (d ? PRE_F2 : PRE_F3) | OP_0F | (round == IR_RTZ ? 0x2c : 0x2d), RAX, ra);
    asm_mov(&e->b, true, RCX, RAX);
    asm_rr(&e->b, w, 0xf7, 3, RCX); /* neg overflows for the most negative number alone */
    emit_bail_if(e, CC_O);
    dst = emit_dest(e, i, RAX);
    if (w)
        asm_mov(&e->b, true, dst, RAX);
    else
        asm_rr(&e->b, true, 0x63, dst, RAX);
    emit_result(e, i, dst);
}

static void from_int(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned kind = op->aux >> 8, ra = emit_use(e, op->a, RAX), dst;

    if (kind == IR_INT_U32) {
        asm_mov(&e->b, false, RAX, ra);
        ra = RAX;
    }
    asm_rr(&e->b, false, OP_0F | 0x57, 0, 0); /* xorps: the conversion would wait for xmm0's old value */
    asm_rr(&e->b, kind != IR_INT_S32, scalar(op) | 0x2a, 0, ra);
    dst = emit_dest_xmm(e, i, 0);
    movaps(e, dst, 0);
    emit_result_xmm(e, i, dst);
}

static void convert(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned ra = emit_use_xmm(e, op->a, 1);

    asm_rr(&e->b, false, (is_double(op) ? PRE_F3 : PRE_F2) | OP_0F | 0x5a, 0, ra);
    finish(e, i);
}

/* Upper half all ones, or the operand is no boxed single and counts as a NaN: left to the interpreter. */
static void unbox(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    struct val v = e->val[op->a];
    unsigned ra;

    if (v.where == V_SLOT) {
        unsigned home = emit_home(e, v.disp);

        if (home < HOME_XMM) {
            asm_alu_mi(&e->b, false, ALU_CMP, RBP, v.disp + 4, -1);
            emit_bail_if(e, CC_NE);
        } else if (!(e->boxed >> (home - HOME_XMM) & 1)) {
            asm_rr(&e->b, true, PRE_66 | OP_0F | 0x7e, home - HOME_XMM, RDX);
            asm_shift_ri(&e->b, true, SHIFT_SAR, RDX, 32);
            asm_alu_ri(&e->b, true, ALU_CMP, RDX, -1);
            emit_bail_if(e, CC_NE);
            e->boxed |= BIT(home - HOME_XMM);
        }
        e->val[i] = v;
        if (v.disp % 8 == 0 && v.disp / 8 < JIT_SLOTS)
            e->alias_last[v.disp / 8] = MAX(e->alias_last[v.disp / 8], e->last_use[i]);
        return;
    }
    ra = emit_use_xmm(e, op->a, 1);
    asm_rr(&e->b, true, PRE_66 | OP_0F | 0x7e, ra, RDX);
    asm_shift_ri(&e->b, true, SHIFT_SAR, RDX, 32);
    asm_alu_ri(&e->b, true, ALU_CMP, RDX, -1);
    emit_bail_if(e, CC_NE);
    emit_result_xmm(e, i, ra);
}

static void box(struct emit *e, unsigned i)
{
    unsigned ra = emit_use_xmm(e, e->u->ops[i].a, 0), dst = emit_dest_xmm(e, i, 0);

    movaps(e, dst, ra);
    asm_rm(&e->b, false, OP_0F | 0x56, dst, RBP, SOFT_DISP(jit_own[OWN_BOX])); /* orps with the boxing mask */
    emit_result_xmm(e, i, dst);
    if (dst >= PIN_XMM_FIRST)
        e->boxed |= BIT(dst);
}

static void bitcast(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    bool w = op->type == IRT_I64 || op->type == IRT_F64;
    unsigned dst;

    if (is_fp(op->type)) {
        unsigned ra = emit_use(e, op->a, RAX);

        dst = emit_dest_xmm(e, i, 0);
        asm_rr(&e->b, w, PRE_66 | OP_0F | 0x6e, dst, ra);
        emit_result_xmm(e, i, dst);
    } else {
        unsigned ra = emit_use_xmm(e, op->a, 0);

        dst = emit_dest(e, i, RAX);
        asm_rr(&e->b, w, PRE_66 | OP_0F | 0x7e, ra, dst);
        emit_result(e, i, dst);
    }
}

bool emit_fp_can(const struct ir_op *op)
{
    unsigned round = op->aux & 255, kind = op->aux >> 8;

    switch (op->op) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
    case IR_FSQRT:
    case IR_FMADD:
    case IR_FTOF:
        return is_fp(op->type) && round == IR_RNE;
    case IR_FNEG:
    case IR_FABS:
    case IR_FSGNJ:
    case IR_FSGNJN:
    case IR_FSGNJX:
    case IR_BOX:
    case IR_UNBOX:
        return is_fp(op->type);
    case IR_FCMP:
        return is_fp(op->type) && (op->aux == IR_FCMP_EQ || op->aux == IR_FCMP_LT || op->aux == IR_FCMP_LE);
    case IR_FTOI:
        return (round == IR_RTZ || round == IR_RNE) && kind != IR_INT_U64 && kind != IR_INT_U32;
    case IR_ITOF:
        return is_fp(op->type) && round == IR_RNE && kind != IR_INT_U64;
    case IR_BITCAST:
        return op->type != IRT_F16 && op->type != IRT_V128;
    default:
        return false;
    }
}

bool emit_fp(struct emit *e, unsigned i)
{
    switch (e->u->ops[i].op) {
    case IR_FADD:
        binary(e, i, 0x58);
        return true;
    case IR_FSUB:
        binary(e, i, 0x5c);
        return true;
    case IR_FMUL:
        binary(e, i, 0x59);
        return true;
    case IR_FDIV:
        binary(e, i, 0x5e);
        return true;
    case IR_FSQRT:
        square_root(e, i);
        return true;
    case IR_FMADD:
        fused(e, i);
        return true;
    case IR_FTOF:
        convert(e, i);
        return true;
    case IR_FSGNJ:
        if (same_slot(e, &e->u->ops[i])) {
            copy(e, i);
            return true;
        }
        /* fall through */
    case IR_FNEG:
    case IR_FABS:
    case IR_FSGNJN:
    case IR_FSGNJX:
        sign(e, i);
        return true;
    case IR_FCMP:
        compare(e, i);
        return true;
    case IR_FTOI:
        to_int(e, i);
        return true;
    case IR_ITOF:
        from_int(e, i);
        return true;
    case IR_BOX:
        box(e, i);
        return true;
    case IR_UNBOX:
        unbox(e, i);
        return true;
    case IR_BITCAST:
        bitcast(e, i);
        return true;
    default:
        return false;
    }
}
