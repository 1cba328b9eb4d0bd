/* Vector operations that compute: arithmetic, comparisons, bits, shifts, products. */
#include "engine/jit/emit/x86_64/vector.h"

/* ---- one instruction for one operation ---- */

struct simple {
    uint32_t code[2][4]; /* unsigned, SIGNED; by lane */
    bool commutes;
};

#define SAME(a, b, c, d)                                                                                     \
    {                                                                                                        \
        {a, b, c, d},                                                                                        \
        {                                                                                                    \
            a, b, c, d                                                                                       \
        }                                                                                                    \
    }

static const struct simple simple[IR_VZEXT - IR_VADD + 1] = {
#define ROW(id) [IR_##id - IR_VADD]
    ROW(VADD) = {SAME(P0(0xfc), P0(0xfd), P0(0xfe), P0(0xd4)), true},
    ROW(VSUB) = {SAME(P0(0xf8), P0(0xf9), P0(0xfa), P0(0xfb)), false},
    ROW(VMUL) = {SAME(0, P0(0xd5), P38(0x40), 0), true},
    ROW(VMIN) = {{{P0(0xda), P38(0x3a), P38(0x3b), 0}, {P38(0x38), P0(0xea), P38(0x39), 0}}, true},
    ROW(VMAX) = {{{P0(0xde), P38(0x3e), P38(0x3f), 0}, {P38(0x3c), P0(0xee), P38(0x3d), 0}}, true},
    ROW(VCMPEQ) = {SAME(P0(0x74), P0(0x75), P0(0x76), P38(0x29)), true},
    ROW(VCMPGT) = {{{0}, {P0(0x64), P0(0x65), P0(0x66), P_CMPGTQ}}, false},
    ROW(VQADD) = {{{P0(0xdc), P0(0xdd), 0, 0}, {P0(0xec), P0(0xed), 0, 0}}, true},
    ROW(VQSUB) = {{{P0(0xd8), P0(0xd9), 0, 0}, {P0(0xe8), P0(0xe9), 0, 0}}, false},
    ROW(VAND) = {SAME(P_AND, P_AND, P_AND, P_AND), true},
    ROW(VOR) = {SAME(P_OR, P_OR, P_OR, P_OR), true},
    ROW(VXOR) = {SAME(P_XOR, P_XOR, P_XOR, P_XOR), true},
#undef ROW
};

static uint32_t simple_code(unsigned op, bool is_signed, unsigned lane)
{
    return simple[op - IR_VADD].code[is_signed][lane];
}

static bool is_signed(const struct ir_op *op)
{
    return op->aux & IR_V_SIGNED;
}

static bool one(struct emit *e, const struct ir_op *op, uint32_t code)
{
    bool swap = simple[op->op - IR_VADD].commutes && vec_in_memory(e, op->a);
    unsigned ra = val_xmm(e, swap ? op->b : op->a);
    struct rm rb = val_xmm_rm(e, swap ? op->a : op->b);
    unsigned d = vec_dest(e, op);

    as_v_rm(&e->a, code, d, ra, rb);
    return vec_set(e, d);
}

/* a & ~b: the instruction inverts its first operand */
static bool and_not(struct emit *e, const struct ir_op *op)
{
    unsigned rb = val_xmm(e, op->b);
    struct rm ra = val_xmm_rm(e, op->a);
    unsigned d = vec_dest(e, op);

    as_v_rm(&e->a, P_ANDN, d, rb, ra);
    return vec_set(e, d);
}

/* ---- with temporaries: the result is written last ---- */

struct regs {
    unsigned a, b, t, u;
};

static struct regs operands(struct emit *e, const struct ir_op *op)
{
    struct regs r = {.a = val_xmm(e, op->a)};

    if (op->b != IR_REF_NONE)
        r.b = val_xmm(e, op->b);
    r.t = val_scratch_xmm(e, 0);
    r.u = val_scratch_xmm(e, 0);
    return r;
}

/* Bytes: products of the even ones and of the odd ones. */
static bool multiply_bytes(struct emit *e, const struct ir_op *op)
{
    struct regs r = operands(e, op);
    unsigned d;

    vec_shift(e, P_SRL, 1, r.t, r.a, 8);
    as_vrm(&e->a, P_AND, r.u, r.b, vec_const(VC_ODD8));
    as_vrr(&e->a, simple_code(IR_VMUL, false, 1), r.t, r.t, r.u);
    as_vrr(&e->a, simple_code(IR_VMUL, false, 1), r.u, r.a, r.b);
    as_vrm(&e->a, P_AND, r.u, r.u, vec_const(VC_EVEN8));
    d = vec_dest(e, op);
    as_vrr(&e->a, P_OR, d, r.t, r.u);
    return vec_set(e, d);
}

/* Unsigned: as signed ones, with the order's halves exchanged. */
static bool greater_unsigned(struct emit *e, const struct ir_op *op)
{
    struct xmem sign = vec_const(VC_SIGN8 + vec_lane(op));
    struct regs r = operands(e, op);
    unsigned d;

    as_vrm(&e->a, P_XOR, r.t, r.a, sign);
    as_vrm(&e->a, P_XOR, r.u, r.b, sign);
    d = vec_dest(e, op);
    as_vrr(&e->a, simple_code(IR_VCMPGT, true, vec_lane(op)), d, r.t, r.u);
    return vec_set(e, d);
}

/* a is the larger one of both; 64 bits, which have no maximum: not b > a. */
static bool not_less(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), d;
    struct regs r = operands(e, op);

    if (lane < 3) {
        as_vrr(&e->a, simple_code(IR_VMAX, is_signed(op), lane), r.t, r.a, r.b);
        d = vec_dest(e, op);
        as_vrr(&e->a, simple_code(IR_VCMPEQ, false, lane), d, r.t, r.a);
        return vec_set(e, d);
    }
    if (is_signed(op)) {
        as_vrr(&e->a, P_CMPGTQ, r.t, r.b, r.a);
    } else {
        as_vrm(&e->a, P_XOR, r.t, r.a, vec_const(VC_SIGN64));
        as_vrm(&e->a, P_XOR, r.u, r.b, vec_const(VC_SIGN64));
        as_vrr(&e->a, P_CMPGTQ, r.t, r.u, r.t);
    }
    vec_ones(e, r.u);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_XOR, d, r.t, r.u);
    return vec_set(e, d);
}

/*
 * Signed lanes of 64 bits, which no instruction shifts to the right by counts of their own: as unsigned ones,
 * then the sign is extended from where it has gone.
 */
static bool shift_signed_64_by(struct emit *e, const struct ir_op *op)
{
    struct regs r = operands(e, op);
    unsigned d;

    vec_zero(e, r.t);
    as_vrr(&e->a, simple_code(IR_VSUB, false, 0), r.t, r.t, r.b);
    as_vrm(&e->a, P_AND, r.t, r.t, vec_const(VC_BYTE64));
    as_vrm(&e->a, simple_code(IR_VMIN, false, 0), r.t, r.t, vec_const(VC_BITS64));
    as_vrm(&e->a, S_MOVUPS_LD, r.u, 0, vec_const(VC_SIGN64));
    as_vrr(&e->a, P38(0x45) | O_W, r.u, r.u, r.t);
    as_vrr(&e->a, P38(0x45) | O_W, r.t, r.a, r.t);
    as_vrr(&e->a, P_XOR, r.t, r.t, r.u);
    as_vrr(&e->a, simple_code(IR_VSUB, false, 3), r.t, r.t, r.u);
    vec_shift(e, P_SLL, 2, r.u, r.b, 24); /* only where the count is negative */
    vec_shift(e, P_SRA, 2, r.u, r.u, 31);
    vec_rri(e, P_SHUFD, r.u, 0, r.u, 0xa0);
    as_vrr(&e->a, P_AND, r.t, r.t, r.u);
    as_vrm(&e->a, P_AND, r.u, r.b, vec_const(VC_BYTE64));
    as_vrr(&e->a, P38(0x47) | O_W, r.u, r.a, r.u);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_OR, d, r.t, r.u);
    return vec_set(e, d);
}

/* Both ways at once: a count beyond the width leaves nothing, and one of both counts always is. */
static bool shift_by(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), d;
    uint32_t w = lane == 3 ? O_W : 0;
    struct xmem byte = vec_const(lane == 3 ? VC_BYTE64 : VC_BYTE32);
    struct regs r;

    if (!e->ev->cpu.avx2 || lane < 2)
        return false;
    if (lane == 3 && is_signed(op))
        return shift_signed_64_by(e, op);
    r = operands(e, op);
    vec_zero(e, r.u);
    as_vrr(&e->a, simple_code(IR_VSUB, false, 0), r.u, r.u, r.b);
    as_vrm(&e->a, P_AND, r.u, r.u, byte);
    as_vrr(&e->a, (is_signed(op) ? P38(0x46) : P38(0x45)) | w, r.u, r.a, r.u);
    if (is_signed(op)) { /* copies of the sign only where it goes to the right */
        vec_shift(e, P_SLL, 2, r.t, r.b, 24);
        vec_shift(e, P_SRA, 2, r.t, r.t, 31);
        as_vrr(&e->a, P_AND, r.u, r.u, r.t);
    }
    as_vrm(&e->a, P_AND, r.t, r.b, byte);
    as_vrr(&e->a, P38(0x47) | w, r.t, r.a, r.t);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_OR, d, r.t, r.u);
    return vec_set(e, d);
}

static bool absolute(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), d;
    struct regs r;

    if (lane < 3) {
        struct rm ra = val_xmm_rm(e, op->a);

        d = vec_dest(e, op);
        as_v_rm(&e->a, P38(0x1c + lane), d, 0, ra);
        return vec_set(e, d);
    }
    r = operands(e, op);
    vec_zero(e, r.t);
    as_vrr(&e->a, P_CMPGTQ, r.t, r.t, r.a);
    as_vrr(&e->a, P_XOR, r.u, r.a, r.t);
    d = vec_dest(e, op);
    as_vrr(&e->a, simple_code(IR_VSUB, false, 3), d, r.u, r.t);
    return vec_set(e, d);
}

/* ---- bytes by their halves: two tables of 16 ---- */

static bool nibbles(struct emit *e, const struct ir_op *op)
{
    static const struct {
        uint8_t low, high;
        uint32_t join;
    } rows[] = {{VC_CNT, VC_CNT, P0(0xfc)}, /* VCNT, and so on */
                {VC_RBIT_LOW, VC_RBIT_HIGH, P_OR},
                {VC_CLZ_LOW, VC_CLZ_HIGH, P0(0xda)}};
    unsigned row = op->op - IR_VCNT, t, d;
    struct regs r = operands(e, op);

    t = val_scratch_xmm(e, 0);
    as_vrm(&e->a, P_AND, r.t, r.a, vec_const(VC_NIBBLE));
    as_vrm(&e->a, S_MOVUPS_LD, t, 0, vec_const(rows[row].low));
    as_vrr(&e->a, P_SHUFB, r.t, t, r.t);
    vec_shift(e, P_SRL, 1, r.u, r.a, 4);
    as_vrm(&e->a, P_AND, r.u, r.u, vec_const(VC_NIBBLE));
    if (rows[row].low != rows[row].high)
        as_vrm(&e->a, S_MOVUPS_LD, t, 0, vec_const(rows[row].high));
    as_vrr(&e->a, P_SHUFB, r.u, t, r.u);
    d = vec_dest(e, op);
    as_vrr(&e->a, rows[row].join, d, r.t, r.u);
    return vec_set(e, d);
}

/* A general register's bits in opposite order: each byte's by its halves, then the bytes. */
bool emit_reverse_bits(struct emit *e, const struct ir_op *op)
{
    unsigned r, x, t, table, d;

    if (!e->ev->cpu.avx)
        return false;
    r = val_gpr(e, op->a);
    x = val_scratch_xmm(e, 0);
    t = val_scratch_xmm(e, 0);
    table = val_scratch_xmm(e, 0);
    as_vrr(&e->a, S_MOVQ_XG | width(op), x, 0, r);
    as_vrm(&e->a, P_AND, t, x, vec_const(VC_NIBBLE));
    as_vrm(&e->a, S_MOVUPS_LD, table, 0, vec_const(VC_RBIT_LOW));
    as_vrr(&e->a, P_SHUFB, t, table, t);
    vec_shift(e, P_SRL, 1, x, x, 4);
    as_vrm(&e->a, P_AND, x, x, vec_const(VC_NIBBLE));
    as_vrm(&e->a, S_MOVUPS_LD, table, 0, vec_const(VC_RBIT_HIGH));
    as_vrr(&e->a, P_SHUFB, x, table, x);
    as_vrr(&e->a, P_OR, x, x, t);
    as_vrm(&e->a, P_SHUFB, x, x, vec_const(op->type == IRT_I32 ? VC_REV32_8 : VC_REV64_8));
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_vrr(&e->a, S_MOVQ_GX | width(op), x, 0, d);
    val_set(e, d);
    return true;
}

/* ---- shifts by a constant ---- */

static bool shift_plain(struct emit *e, const struct ir_op *op, unsigned which, unsigned n)
{
    unsigned ra = val_xmm(e, op->a), d = vec_dest(e, op);

    vec_shift(e, which, vec_lane(op), d, ra, n);
    return vec_set(e, d);
}

/* Bytes: as shorts, what came over from the neighbour cut off. */
static bool shift_bytes(struct emit *e, const struct ir_op *op, unsigned which, unsigned n)
{
    uint32_t mask = which == P_SLL ? 0xffu << n & 0xff : 0xffu >> n;
    struct regs r = operands(e, op);
    unsigned g, d;

    if (which == P_SRA) {
        as_vrr(&e->a, P_UNPCKLBW, r.t, r.a, r.a);
        as_vrr(&e->a, P_UNPCKHBW, r.u, r.a, r.a);
        vec_shift(e, P_SRA, 1, r.t, r.t, 8 + n);
        vec_shift(e, P_SRA, 1, r.u, r.u, 8 + n);
        d = vec_dest(e, op);
        as_vrr(&e->a, P_PACKSSWB, d, r.t, r.u);
        return vec_set(e, d);
    }
    g = val_scratch(e, 0);
    as_imm(&e->a, g, mask * 0x01010101u);
    as_vrr(&e->a, S_MOVQ_XG, r.u, 0, g);
    vec_rri(e, P_SHUFD, r.u, 0, r.u, 0);
    vec_shift(e, which, 1, r.t, r.a, n);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_AND, d, r.t, r.u);
    return vec_set(e, d);
}

static bool shift_signed_64(struct emit *e, const struct ir_op *op, unsigned n)
{
    struct regs r = operands(e, op);
    unsigned d;

    vec_zero(e, r.t);
    as_vrr(&e->a, P_CMPGTQ, r.t, r.t, r.a);
    vec_shift(e, P_SLL, 3, r.t, r.t, 64 - n);
    vec_shift(e, P_SRL, 3, r.u, r.a, n);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_OR, d, r.t, r.u);
    return vec_set(e, d);
}

static bool shift(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), n = (unsigned)op->imm, bits = 8u << lane;
    unsigned which = op->op == IR_VSHL ? P_SLL : is_signed(op) ? P_SRA : P_SRL;

    if (which == P_SRA && n == bits)
        n--;
    if (!lane && n < 8 && n)
        return shift_bytes(e, op, which, n);
    if (lane == 3 && which == P_SRA && n)
        return shift_signed_64(e, op, n);
    if (!lane || (lane == 3 && which == P_SRA)) { /* by nothing, or everything goes */
        unsigned ra = val_xmm(e, op->a), d = vec_dest(e, op);

        vec_shift(e, P_SRL, 3, d, ra, n ? 64 : 0);
        return vec_set(e, d);
    }
    return shift_plain(e, op, which, n);
}

/* ---- products of double width ---- */

static bool multiply_long(struct emit *e, const struct ir_op *op)
{
    bool upper = op->aux & IR_V_UPPER, sign = is_signed(op);
    struct regs r = operands(e, op);
    unsigned lane = vec_lane(op), d;
    uint32_t code, extend = sign ? P38(0x20) : P38(0x30);

    if (lane == 1) {
        as_vrr(&e->a, P0(0xd5), r.t, r.a, r.b);
        as_vrr(&e->a, sign ? P0(0xe5) : P0(0xe4), r.u, r.a, r.b);
        code = upper ? P0(0x69) : P0(0x61); /* punpckhwd, punpcklwd */
    } else if (lane == 2) {
        vec_rri(e, P_SHUFD, r.t, 0, r.a, upper ? 0xfa : 0x50);
        vec_rri(e, P_SHUFD, r.u, 0, r.b, upper ? 0xfa : 0x50);
        code = sign ? P38(0x28) : P0(0xf4);
    } else {
        if (upper) {
            vec_rri(e, P_SHUFD, r.t, 0, r.a, 0xee);
            vec_rri(e, P_SHUFD, r.u, 0, r.b, 0xee);
        }
        as_vrr(&e->a, extend, r.t, 0, upper ? r.t : r.a);
        as_vrr(&e->a, extend, r.u, 0, upper ? r.u : r.b);
        code = P0(0xd5);
    }
    d = vec_dest(e, op);
    as_vrr(&e->a, code, d, r.t, r.u);
    return vec_set(e, d);
}

static bool multiply_carryless(struct emit *e, const struct ir_op *op)
{
    unsigned ra, rb, d;

    if (!e->ev->cpu.pclmul)
        return false;
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    d = vec_dest(e, op);
    vec_rri(e, S_PCLMUL, d, ra, rb, op->aux & IR_V_UPPER ? 0x11 : 0);
    return vec_set(e, d);
}

static bool sum_bytes(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), t = val_scratch_xmm(e, 0), d;

    vec_zero(e, t);
    d = vec_dest(e, op);
    as_vrr(&e->a, P_SADBW, d, ra, t);
    return vec_set(e, d);
}

bool emit_vector(struct emit *e, const struct ir_op *op)
{
    uint32_t code = simple_code(op->op, is_signed(op), vec_lane(op));

    if (!e->ev->cpu.avx)
        return false;
    if (code)
        return one(e, op, code);
    switch (op->op) {
    case IR_VMUL:
        return vec_lane(op) == 0 && multiply_bytes(e, op);
    case IR_VCMPGT:
        return greater_unsigned(e, op);
    case IR_VCMPGE:
        return not_less(e, op);
    case IR_VSHLV:
        return shift_by(e, op);
    case IR_VANDN:
        return and_not(e, op);
    case IR_VABS:
        return absolute(e, op);
    case IR_VCNT:
    case IR_VRBIT:
    case IR_VCLZ:
        return nibbles(e, op);
    case IR_VSHL:
    case IR_VSHR:
        return shift(e, op);
    case IR_VMULL:
        return multiply_long(e, op);
    case IR_VCLMULL:
        return multiply_carryless(e, op);
    case IR_VSUMB:
        return sum_bytes(e, op);
    default:
        return emit_vector_move(e, op);
    }
}
