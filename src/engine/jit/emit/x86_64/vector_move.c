/* Vector operations that move lanes: permutations, widening, to and from general registers; their constants.
 */
#include "engine/jit/emit/x86_64/vector.h"

/* ---- constants ---- */

static const uint8_t tables[VC_COUNT][16] = {
    [VC_REV16_8] = {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14},
    [VC_REV32_8] = {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12},
    [VC_REV64_8] = {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8},
    [VC_REV32_16] = {2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13},
    [VC_REV64_16] = {6, 7, 4, 5, 2, 3, 0, 1, 14, 15, 12, 13, 10, 11, 8, 9},
    [VC_NIBBLE] = {15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15},
    /* of the values of half a byte */
    [VC_CNT] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4},
    [VC_RBIT_LOW] = {0x00, 0x80, 0x40, 0xc0, 0x20, 0xa0, 0x60, 0xe0, 0x10, 0x90, 0x50, 0xd0, 0x30, 0xb0, 0x70,
                     0xf0},
    [VC_RBIT_HIGH] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
    /* the lower half counts only where the upper one gives 8 */
    [VC_CLZ_LOW] = {8, 7, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4},
    [VC_CLZ_HIGH] = {8, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0},
    [VC_EVEN8] = {255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0},
    [VC_ODD8] = {0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255},
    [VC_EVEN16] = {255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0},
    [VC_TBL] = {112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112, 112},
    [VC_SIGN8] = {128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128},
    [VC_SIGN16] = {0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128},
    [VC_SIGN32] = {0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 128},
    [VC_SIGN64] = {0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 128},
    [VC_BYTE32] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0},
    [VC_BYTE64] = {255, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0},
    [VC_BITS64] = {63, 0, 0, 0, 0, 0, 0, 0, 63},
    [VC_ONES] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
    [VC_LARGE32] = {87, 0, 0, 0, 87, 0, 0, 0, 87, 0, 0, 0, 87, 0, 0, 0},
    [VC_LARGE64] = {0x46, 2, 0, 0, 0, 0, 0, 0, 0x46, 2, 0, 0, 0, 0, 0, 0},
    [VC_HALF32] = {0xff, 0xff, 0xff, 0x4e, 0xff, 0xff, 0xff, 0x4e, 0xff, 0xff, 0xff, 0x4e, 0xff, 0xff, 0xff,
                   0x4e},
    [VC_HALF64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xdf, 0x43, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xdf,
                   0x43},
    [VC_LOWER32] = {0, 0, 0, 0x4b, 0, 0, 0, 0x4b, 0, 0, 0, 0x4b, 0, 0, 0, 0x4b},
    [VC_UPPER32] = {0, 0, 0, 0x53, 0, 0, 0, 0x53, 0, 0, 0, 0x53, 0, 0, 0, 0x53},
    [VC_HALVES32] = {0x80, 0, 0, 0x53, 0x80, 0, 0, 0x53, 0x80, 0, 0, 0x53, 0x80, 0, 0, 0x53},
    [VC_LOWER64] = {0, 0, 0, 0, 0, 0, 0x30, 0x43, 0, 0, 0, 0, 0, 0, 0x30, 0x43},
    [VC_UPPER64] = {0, 0, 0, 0, 0, 0, 0x30, 0x45, 0, 0, 0, 0, 0, 0, 0x30, 0x45},
    [VC_HALVES64] = {0, 0, 0x10, 0, 0, 0, 0x30, 0x45, 0, 0, 0x10, 0, 0, 0, 0x30, 0x45},
    [VC_FRACTION32] = {0xff, 0xff, 0xff, 0x4a, 0xff, 0xff, 0xff, 0x4a, 0xff, 0xff, 0xff, 0x4a, 0xff, 0xff,
                       0xff, 0x4a},
    [VC_FRACTION64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x2f, 0x43, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                       0x2f, 0x43},
    [VC_A_HALF32] = {0, 0, 0, 0x3f, 0, 0, 0, 0x3f, 0, 0, 0, 0x3f, 0, 0, 0, 0x3f},
    [VC_A_HALF64] = {0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f},
    [VC_ONE32] = {0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f},
    [VC_ONE64] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f},
    [VC_LEAST16] = {0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8},
    [VC_CRC32] = {0x20, 0x8b, 0x80, 0xfb, 0x12, 0xd8, 0x72, 0x5a, 0x40, 0x06, 0x71, 0xdb, 0x01},
    [VC_CRC32C] = {0xf8, 0x89, 0x53, 0x6f, 0x1c, 0xf6, 0x34, 0xa4, 0xf0, 0x76, 0xec, 0x05, 0x01},
    [VC_SHA1] = {0x67, 0x86, 0x7d, 0xa5, 0x67, 0x86, 0x7d, 0xa5, 0x67, 0x86, 0x7d, 0xa5, 0x67, 0x86, 0x7d,
                 0xa5},
    [VC_SHA1 + 1] = {0x5f, 0x14, 0x26, 0x91, 0x5f, 0x14, 0x26, 0x91, 0x5f, 0x14, 0x26, 0x91, 0x5f, 0x14, 0x26,
                     0x91},
    [VC_SHA1 + 2] = {0x24, 0x43, 0xe4, 0x70, 0x24, 0x43, 0xe4, 0x70, 0x24, 0x43, 0xe4, 0x70, 0x24, 0x43, 0xe4,
                     0x70},
};

void vec_consts_init(struct vcpu *v)
{
    memcpy(soft_of(v)->jit_tables, tables, sizeof(tables));
}

/* ---- permutations ---- */

static bool pair(struct emit *e, const struct ir_op *op, uint32_t code)
{
    unsigned ra = val_xmm(e, op->a);
    struct rm rb = val_xmm_rm(e, op->b);
    unsigned d = vec_dest(e, op);

    as_v_rm(&e->a, code, d, ra, rb);
    return vec_set(e, d);
}

static bool pair_imm(struct emit *e, const struct ir_op *op, uint32_t code, unsigned imm)
{
    unsigned ra = val_xmm(e, op->a), rb = val_xmm(e, op->b), d = vec_dest(e, op);

    vec_rri(e, code, d, ra, rb, imm);
    return vec_set(e, d);
}

static bool is_upper(const struct ir_op *op)
{
    return op->aux & IR_V_UPPER;
}

static bool zip(struct emit *e, const struct ir_op *op)
{
    static const uint8_t code[2][4] = {{0x60, 0x61, 0x62, 0x6c}, {0x68, 0x69, 0x6a, 0x6d}};

    return pair(e, op, P0(code[is_upper(op)][vec_lane(op)]));
}

/* Bytes and shorts: the other ones cut off, then packed; nothing saturates. */
static bool unzip(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), ra, rb, t, u, d;
    struct xmem even = vec_const(lane ? VC_EVEN16 : VC_EVEN8);

    if (lane == 3)
        return zip(e, op);
    if (lane == 2)
        return pair_imm(e, op, S_SHUFPS, is_upper(op) ? 0xdd : 0x88);
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    t = val_scratch_xmm(e, 0);
    u = val_scratch_xmm(e, 0);
    if (is_upper(op)) {
        vec_shift(e, P_SRL, lane + 1, t, ra, 8u << lane);
        vec_shift(e, P_SRL, lane + 1, u, rb, 8u << lane);
    } else {
        as_vrm(&e->a, P_AND, t, ra, even);
        as_vrm(&e->a, P_AND, u, rb, even);
    }
    d = vec_dest(e, op);
    as_vrr(&e->a, lane ? P_PACKUSDW : P_PACKUSWB, d, t, u);
    return vec_set(e, d);
}

/* One operand's lanes move by one, the other's stay. */
static bool transpose(struct emit *e, const struct ir_op *op)
{
    static const uint8_t odd[] = {0, 0xaa, 0xcc}; /* words of the odd lanes */
    unsigned lane = vec_lane(op), ra, rb, t, u, d;
    bool upper = is_upper(op);

    if (lane == 3)
        return zip(e, op);
    ra = val_xmm(e, op->a);
    rb = val_xmm(e, op->b);
    t = val_scratch_xmm(e, 0);
    vec_shift(e, upper ? P_SRL : P_SLL, lane + 1, t, upper ? ra : rb, 8u << lane);
    if (lane) {
        d = vec_dest(e, op);
        vec_rri(e, P_BLENDW, d, upper ? t : ra, upper ? rb : t, odd[lane]);
        return vec_set(e, d);
    }
    u = val_scratch_xmm(e, 0);
    as_vrm(&e->a, P_AND, u, upper ? rb : ra, vec_const(upper ? VC_ODD8 : VC_EVEN8));
    d = vec_dest(e, op);
    as_vrr(&e->a, P_OR, d, t, u);
    return vec_set(e, d);
}

/* Numbers above 15 get their top bit set, which gives zero. */
static bool table(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), rb = val_xmm(e, op->b), t = val_scratch_xmm(e, 0), d;

    as_vrm(&e->a, P_ADDUSB, t, rb, vec_const(VC_TBL));
    d = vec_dest(e, op);
    as_vrr(&e->a, P_SHUFB, d, ra, t);
    return vec_set(e, d);
}

static bool extract(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), rb = val_xmm(e, op->b), d = vec_dest(e, op);

    vec_rri(e, P_ALIGNR, d, rb, ra, (unsigned)op->imm);
    return vec_set(e, d);
}

static bool reverse(struct emit *e, const struct ir_op *op)
{
    static const uint8_t mask[2][7] = {{[1] = VC_REV16_8, [2] = VC_REV32_8, [4] = VC_REV64_8},
                                       {[2] = VC_REV32_16, [4] = VC_REV64_16}};
    unsigned ra = val_xmm(e, op->a), d = vec_dest(e, op);

    if (vec_lane(op) == 2)
        vec_rri(e, P_SHUFD, d, 0, ra, 0xb1);
    else
        as_vrm(&e->a, P_SHUFB, d, ra, vec_const(mask[vec_lane(op)][op->imm / 16]));
    return vec_set(e, d);
}

/* ---- the same lane everywhere ---- */

/* Lane n of r, in steps of double width down to 32 bits. */
static void repeat(struct emit *e, unsigned lane, unsigned d, unsigned r, unsigned n)
{
    if (!n && lane < 3 && e->ev->cpu.avx2) {
        as_vrr(&e->a, lane == 2 ? P38(0x58) : P38(0x78 + lane), d, 0, r);
        return;
    }
    if (lane == 0) {
        as_vrr(&e->a, n < 8 ? P_UNPCKLBW : P_UNPCKHBW, d, r, r);
        n &= 7;
        r = d;
        lane = 1;
    }
    if (lane == 1) {
        vec_rri(e, n < 4 ? P_SHUFLW : P_SHUFHW, d, 0, r, (n & 3) * 0x55);
        as_vrr(&e->a, n < 4 ? P_UNPCKLQDQ : P_UNPCKHQDQ, d, d, d);
    } else if (lane == 2) {
        vec_rri(e, P_SHUFD, d, 0, r, n * 0x55);
    } else {
        as_vrr(&e->a, n ? P_UNPCKHQDQ : P_UNPCKLQDQ, d, r, r);
    }
}

static bool repeat_lane(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), d = vec_dest(e, op);

    repeat(e, vec_lane(op), d, ra, (unsigned)op->imm);
    return vec_set(e, d);
}

static bool repeat_const(struct emit *e, const struct ir_op *op, int64_t x)
{
    static const uint64_t factor[] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1};
    uint64_t all = ((uint64_t)x & UINT64_MAX >> (64 - (8u << vec_lane(op)))) * factor[vec_lane(op)];
    unsigned d, g;

    if (!all || all == UINT64_MAX) {
        d = vec_dest(e, op);
        if (all)
            vec_ones(e, d);
        else
            vec_zero(e, d);
        return vec_set(e, d);
    }
    g = val_scratch(e, 0);
    d = vec_dest(e, op);
    as_imm(&e->a, g, all);
    as_vrr(&e->a, S_MOVQ_XG | O_W, d, 0, g);
    as_vrr(&e->a, P_UNPCKLQDQ, d, d, d);
    return vec_set(e, d);
}

static bool repeat_scalar(struct emit *e, const struct ir_op *op)
{
    unsigned ra, d;
    int64_t x;

    if (val_const(e, op->a, &x))
        return repeat_const(e, op, x);
    ra = val_xmm(e, op->a);
    d = vec_dest(e, op);
    repeat(e, vec_lane(op), d, ra, 0);
    return vec_set(e, d);
}

/* ---- single lanes ---- */

/* 0F 3A 14 to 16 have the vector in ModRM.reg; pextrq is pextrd with W. */
static bool lane_out(struct emit *e, const struct ir_op *op)
{
    static const uint32_t load[] = {X_MOVZX8, X_MOVZX16, X_LOAD, X_LOAD | O_W};
    static const uint32_t code[] = {P3A(0x14), P3A(0x15), P3A(0x16), P3A(0x16) | O_W};
    unsigned lane = vec_lane(op), n = (unsigned)op->imm, d;
    struct rm ra = val_xmm_rm(e, op->a);

    val_done(e, op->a);
    d = val_dest(e, 0);
    if (ra.is_mem) {
        ra.mem.disp += (int32_t)(n << lane);
        as_rm(&e->a, load[lane], d, ra.mem);
    } else if (!n && lane >= 2) {
        as_vrr(&e->a, S_MOVQ_GX | (lane == 3 ? O_W : 0), ra.reg, 0, d);
    } else {
        vec_rri(e, code[lane], ra.reg, 0, d, n);
    }
    val_set(e, d);
    return true;
}

static bool any(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), d;

    val_done(e, op->a);
    d = val_dest(e, 0);
    as_vrr(&e->a, P38(0x17), ra, 0, ra); /* vptest */
    as_imm(&e->a, d, 0);
    as_rr(&e->a, X_SETCC + CC_NE, 0, d);
    val_set(e, d);
    return true;
}

static const uint32_t pinsr[] = {P3A(0x20), P0(0xc4), P3A(0x22), P3A(0x22) | O_W};

static bool lane_in(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_xmm(e, op->a), r = val_gpr(e, op->b), d = vec_dest(e, op);

    vec_rri(e, pinsr[vec_lane(op)], d, ra, r, (unsigned)op->imm);
    return vec_set(e, d);
}

static bool insert(struct emit *e, const struct ir_op *op)
{
    unsigned lane = vec_lane(op), from = (unsigned)op->imm >> 8, to = (unsigned)op->imm & 0xff;
    unsigned ra = val_xmm(e, op->a), rb = val_xmm(e, op->b), g, d;

    if (lane < 2) {
        g = val_scratch(e, 0);
        vec_rri(e, P3A(0x14 + lane), rb, 0, g, from);
        d = vec_dest(e, op);
        vec_rri(e, pinsr[lane], d, ra, g, to);
    } else if (lane == 2) {
        d = vec_dest(e, op);
        vec_rri(e, S_INSERTPS, d, ra, rb, from << 6 | to << 4);
    } else {
        d = vec_dest(e, op);
        vec_rri(e, P_SHUFPD, d, to ? ra : rb, to ? rb : ra, to ? from << 1 : from | 2);
    }
    return vec_set(e, d);
}

/* ---- widths ---- */

static bool widen(struct emit *e, const struct ir_op *op)
{
    static const uint8_t code[2][4] = {{0x30, 0x33, 0x35}, {0x20, 0x23, 0x25}};
    uint32_t extend = P38(code[op->aux & IR_V_SIGNED ? 1 : 0][vec_lane(op)]);
    struct rm ra = val_xmm_rm(e, op->a);
    unsigned d = vec_dest(e, op);

    if (ra.is_mem)
        ra.mem.disp += is_upper(op) ? 8 : 0;
    if (!ra.is_mem && is_upper(op)) {
        vec_rri(e, P_SHUFD, d, 0, ra.reg, 0xee);
        ra.reg = (uint8_t)d;
    }
    as_v_rm(&e->a, extend, d, 0, ra);
    return vec_set(e, d);
}

static bool zero_extend_gpr(struct emit *e, const struct ir_op *op, bool wide)
{
    unsigned r, d;
    int64_t x;

    if (val_const(e, op->a, &x) && !x) {
        d = vec_dest(e, op);
        vec_zero(e, d);
        return vec_set(e, d);
    }
    r = val_gpr(e, op->a);
    d = vec_dest(e, op);
    as_vrr(&e->a, S_MOVQ_XG | (wide ? O_W : 0), d, 0, r);
    return vec_set(e, d);
}

/* What is above the value in its register is zero. */
static bool is_clear_above(const struct ir_op *op)
{
    return op->op == IR_LOAD && (op->type == IRT_F64 || op->type == IRT_F32);
}

static bool zero_extend(struct emit *e, const struct ir_op *op)
{
    const struct val *v = val_of(e, op->a);
    bool wide = ir_type_size(ir_result_type(&e->ops[op->a])) >= 8;
    bool clear = v->kind == V_XMM && is_clear_above(&e->ops[e->root[op->a]]);
    struct rm ra;
    unsigned d;

    if (v->kind == V_CONST || v->kind == V_GPR || (v->kind == V_SLOT && home_of(e, v->disp) & HOME_GPR))
        return zero_extend_gpr(e, op, wide);
    ra = val_xmm_rm(e, op->a);
    d = vec_dest(e, op);
    if (ra.is_mem)
        as_vrm(&e->a, wide ? S_MOVQ_LD : S_MOVSS_LD, d, 0, ra.mem);
    else if (clear)
        as_vrr(&e->a, S_MOVAPS, d, 0, ra.reg);
    else if (wide)
        as_vrr(&e->a, S_MOVQ_LD, d, 0, ra.reg);
    else
        vec_rri(e, S_INSERTPS, d, ra.reg, ra.reg, 0x0e);
    return vec_set(e, d);
}

bool emit_vector_move(struct emit *e, const struct ir_op *op)
{
    switch (op->op) {
    case IR_VZIP:
        return zip(e, op);
    case IR_VUZP:
        return unzip(e, op);
    case IR_VTRN:
        return transpose(e, op);
    case IR_VTBL:
        return table(e, op);
    case IR_VEXT:
        return extract(e, op);
    case IR_VREV:
        return reverse(e, op);
    case IR_VDUPL:
        return repeat_lane(e, op);
    case IR_VINSERT:
        return insert(e, op);
    case IR_VWIDEN:
        return widen(e, op);
    case IR_VDUP:
        return repeat_scalar(e, op);
    case IR_VLANE:
        return lane_out(e, op);
    case IR_VANY:
        return any(e, op);
    case IR_VINSLANE:
        return lane_in(e, op);
    case IR_VZEXT:
        return zero_extend(e, op);
    default:
        return false;
    }
}
