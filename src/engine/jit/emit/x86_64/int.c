/* Integer operations. */
#include "engine/jit/emit/x86_64/emit.h"

static unsigned rm_mask(struct rm rm)
{
    return rm.is_mem ? 0 : 1u << rm.reg;
}

static void done2(struct emit *e, const struct ir_op *op)
{
    val_done(e, op->a);
    val_done(e, op->b);
}

static bool in_register(const struct emit *e, ir_ref r)
{
    const struct val *v = &e->val[e->root[r]];

    return v->kind == V_GPR || (v->kind == V_SLOT && home_of(e, v->disp) & HOME_GPR);
}

/* The slot in memory that the operation reads as its operand and writes as its result, and nobody else. */
static bool in_place(const struct emit *e, ir_ref r, struct xmem *m)
{
    const struct val *v = &e->val[e->at], *a = &e->val[e->root[r]];

    if (v->hint < 0 || v->uses != 1 || home_of(e, v->hint) || a->kind != V_SLOT || a->disp != v->hint ||
        a->uses != 1 || val_alias_live(e, v->hint, 8, e->root[r]) ||
        ir_type_size((enum ir_type)e->ops[e->root[r]].type) != 8)
        return false;
    *m = slot_mem(v->hint);
    return true;
}

static void set_in_place(struct emit *e, const struct ir_op *op)
{
    struct val *v = &e->val[e->at];

    done2(e, op);
    v->kind = V_SLOT;
    v->disp = v->hint;
}

/* ---- add, and, or, xor, mul, sub ---- */

static unsigned group1(unsigned opcode)
{
    static const uint8_t g[] = {
        [IR_ADD] = G_ADD, [IR_SUB] = G_SUB, [IR_AND] = G_AND, [IR_OR] = G_OR, [IR_XOR] = G_XOR};

    return g[opcode];
}

static bool and_by_extension(struct emit *e, unsigned d, unsigned ra, int64_t imm)
{
    if (imm == 0xff)
        as_rr(&e->a, X_MOVZX8 | O_B, d, ra);
    else if (imm == 0xffff)
        as_rr(&e->a, X_MOVZX16, d, ra);
    else if (imm == 0xffffffff)
        as_mov32(&e->a, d, ra);
    else
        return false;
    return true;
}

static void alu_imm(struct emit *e, const struct ir_op *op, unsigned opcode, ir_ref a, int32_t imm)
{
    uint32_t w = width(op);
    struct xmem m;
    unsigned ra, d;

    if (w && in_place(e, a, &m)) {
        as_alu_mi(&e->a, w, group1(opcode), m, imm);
        set_in_place(e, op);
        return;
    }
    ra = val_gpr(e, a);
    done2(e, op);
    d = val_dest(e, 0);
    if (opcode == IR_AND && and_by_extension(e, d, ra, imm)) {
        val_set(e, d);
        return;
    }
    if (opcode == IR_ADD && d != ra) {
        as_rm(&e->a, X_LEA | w, d, mem_at(ra, imm));
    } else {
        as_mov(&e->a, d, ra);
        if (opcode == IR_XOR && imm == -1)
            as_grp3(&e->a, w, G_NOT, d);
        else
            as_alu_ri(&e->a, w, group1(opcode), d, imm);
    }
    val_set(e, d);
}

static void alu(struct emit *e, const struct ir_op *op)
{
    static const uint32_t code[] = {
        [IR_ADD] = X_ADD, [IR_SUB] = X_SUB, [IR_AND] = X_AND, [IR_OR] = X_OR, [IR_XOR] = X_XOR};
    uint32_t w = width(op);
    ir_ref a = op->a, b = op->b;
    unsigned ra, d;
    struct xmem m;
    struct rm rb;

    if (in_register(e, b) && !in_register(e, a) && !in_place(e, a, &m)) {
        a = op->b;
        b = op->a;
    }
    if (w && in_place(e, a, &m) && e->root[a] != e->root[b]) {
        unsigned r = val_gpr(e, b);

        as_rm(&e->a, (code[op->op] - 2) | w, r, m);
        set_in_place(e, op);
        return;
    }
    ra = val_gpr(e, a);
    rb = val_rm(e, b);
    done2(e, op);
    d = val_dest(e, 0);
    if (!rb.is_mem && d == rb.reg) {
        as_rr(&e->a, code[op->op] | w, d, ra);
    } else if (op->op == IR_ADD && d != ra && !rb.is_mem) {
        as_rm(&e->a, X_LEA | w, d, mem_sum(ra, rb.reg, 0, 0));
    } else {
        as_mov(&e->a, d, ra);
        as_r_rm(&e->a, code[op->op] | w, d, rb);
    }
    val_set(e, d);
}

/* x + (y << 1..3), the shift left to us. */
static bool shift_add(struct emit *e, const struct ir_op *op)
{
    ir_ref s = e->root[op->b], o = op->a;
    const struct ir_op *shl;
    unsigned ro, rx, d;

    if (!e->val[s].lazy) {
        s = e->root[op->a];
        o = op->b;
    }
    if (!e->val[s].lazy)
        return false;
    shl = &e->ops[s];
    ro = val_gpr(e, o);
    rx = val_gpr(e, shl->a);
    val_done(e, o);
    val_done(e, shl->a);
    d = val_dest(e, 0);
    as_rm(&e->a, X_LEA | O_W, d, mem_sum(ro, rx, (unsigned)e->ops[e->root[shl->b]].imm, 0));
    val_set(e, d);
    return true;
}

static void commutative(struct emit *e, const struct ir_op *op)
{
    int32_t imm;
    int64_t x;

    if (op->op == IR_ADD && shift_add(e, op))
        return;
    if (op->op == IR_AND && op->type == IRT_I64 && val_const(e, op->b, &x) && x == 0xffffffff) {
        unsigned ra = val_gpr(e, op->a), d;

        done2(e, op);
        d = val_dest(e, 0);
        as_mov32(&e->a, d, ra);
        val_set(e, d);
    } else if (val_imm32(e, op->b, width(op), &imm)) {
        alu_imm(e, op, op->op, op->a, imm);
    } else if (val_imm32(e, op->a, width(op), &imm)) {
        alu_imm(e, op, op->op, op->b, imm);
    } else {
        alu(e, op);
    }
}

static void sub(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    int32_t imm;
    struct xmem m;
    struct rm rb;
    unsigned ra, d;

    if (val_imm32(e, op->b, w, &imm) && imm != INT32_MIN) {
        alu_imm(e, op, IR_ADD, op->a, -imm);
        return;
    }
    if (w && in_place(e, op->a, &m) && e->root[op->a] != e->root[op->b]) {
        unsigned r = val_gpr(e, op->b);

        as_rm(&e->a, X_SUB_MR | w, r, m);
        set_in_place(e, op);
        return;
    }
    if (val_imm32(e, op->a, w, &imm) && !imm) {
        rb = val_rm(e, op->b);
        done2(e, op);
        d = val_dest(e, 0);
        if (rb.is_mem || rb.reg != d)
            as_r_rm(&e->a, X_LOAD | O_W, d, rb);
        as_grp3(&e->a, w, G_NEG, d);
        val_set(e, d);
        return;
    }
    ra = val_gpr(e, op->a);
    rb = val_rm(e, op->b);
    done2(e, op);
    d = val_dest(e, rb.is_mem || rb.reg == ra ? 0 : 1u << rb.reg);
    as_mov(&e->a, d, ra);
    as_r_rm(&e->a, X_SUB | w, d, rb);
    val_set(e, d);
}

static void mul(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    ir_ref a = op->a, b = op->b;
    struct rm rb;
    unsigned ra, d;
    int32_t imm;

    if (val_imm32(e, a, w, &imm)) {
        a = op->b;
        b = op->a;
    }
    if (val_imm32(e, b, w, &imm)) {
        rb = val_rm(e, a);
        done2(e, op);
        d = val_dest(e, 0);
        as_r_rm(&e->a, (imm == (int8_t)imm ? X_IMUL_I8 : X_IMUL_I32) | w, d, rb);
        if (imm == (int8_t)imm)
            as_u8(&e->a, (uint8_t)imm);
        else
            as_u32(&e->a, (uint32_t)imm);
        val_set(e, d);
        return;
    }
    ra = val_gpr(e, a);
    rb = val_rm(e, b);
    done2(e, op);
    d = val_dest(e, 0);
    if (!rb.is_mem && d == rb.reg) {
        as_rr(&e->a, X_IMUL | w, d, ra);
    } else {
        as_mov(&e->a, d, ra);
        as_r_rm(&e->a, X_IMUL | w, d, rb);
    }
    val_set(e, d);
}

/* ---- with one operand inverted ---- */

static void andn(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    struct rm ra;
    unsigned rb, d;
    int32_t imm;

    if (val_imm32(e, op->b, w, &imm)) {
        alu_imm(e, op, IR_AND, op->a, ~imm);
        return;
    }
    rb = val_gpr(e, op->b);
    ra = val_rm(e, op->a);
    done2(e, op);
    if (e->ev->cpu.bmi1) {
        d = val_dest(e, 0);
        as_v_rm(&e->a, V_ANDN | w, d, rb, ra);
    } else {
        d = val_dest(e, rm_mask(ra));
        as_mov(&e->a, d, rb);
        as_grp3(&e->a, w, G_NOT, d);
        as_r_rm(&e->a, X_AND | w, d, ra);
    }
    val_set(e, d);
}

static void orn(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    unsigned rb = val_gpr(e, op->b), d;
    struct rm ra = val_rm(e, op->a);

    done2(e, op);
    d = val_dest(e, rm_mask(ra));
    as_mov(&e->a, d, rb);
    as_grp3(&e->a, w, G_NOT, d);
    as_r_rm(&e->a, X_OR | w, d, ra);
    val_set(e, d);
}

static void xnor(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    unsigned ra = val_gpr(e, op->a), d;
    struct rm rb = val_rm(e, op->b);

    done2(e, op);
    d = val_dest(e, rb.is_mem || rb.reg == ra ? 0 : rm_mask(rb));
    as_mov(&e->a, d, ra);
    as_r_rm(&e->a, X_XOR | w, d, rb);
    as_grp3(&e->a, w, G_NOT, d);
    val_set(e, d);
}

/* ---- shifts ---- */

static const uint8_t shift_group[] = {
    [IR_SHL] = G_SHL, [IR_SHR] = G_SHR, [IR_SAR] = G_SAR, [IR_ROL] = G_ROL, [IR_ROR] = G_ROR};

static void shift_const(struct emit *e, const struct ir_op *op, unsigned n)
{
    uint32_t w = width(op);
    unsigned ra, d;

    n &= w ? 63 : 31;
    ra = val_gpr(e, op->a);
    done2(e, op);
    d = val_dest(e, 0);
    if ((op->op == IR_ROL || op->op == IR_ROR) && d != ra && e->ev->cpu.bmi2) {
        as_vrr(&e->a, V_RORX | w, d, 0, ra);
        as_u8(&e->a, (op->op == IR_ROR ? n : 0u - n) & (w ? 63 : 31));
    } else if (op->op == IR_SHL && n == 1 && d != ra) {
        as_rm(&e->a, X_LEA | w, d, mem_sum(ra, ra, 0, 0));
    } else {
        as_mov(&e->a, d, ra);
        if (n)
            as_shift_ri(&e->a, w, shift_group[op->op], d, n);
    }
    val_set(e, d);
}

static void shift(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    struct rm ra;
    unsigned rb, d;
    int64_t n;

    if (val_const(e, op->b, &n)) {
        shift_const(e, op, (unsigned)n);
        return;
    }
    if (e->ev->cpu.bmi2 && op->op != IR_ROL && op->op != IR_ROR) {
        uint32_t code = op->op == IR_SHL ? V_SHLX : op->op == IR_SHR ? V_SHRX : V_SARX;

        rb = val_gpr(e, op->b);
        ra = val_rm(e, op->a);
        done2(e, op);
        d = val_dest(e, 0);
        as_v_rm(&e->a, code | w, d, rb, ra);
        val_set(e, d);
        return;
    }
    val_take(e, RCX);
    val_gpr_to(e, op->b, RCX);
    ra = val_rm(e, op->a);
    done2(e, op);
    d = val_dest(e, 1u << RCX);
    if (ra.is_mem || ra.reg != d)
        as_r_rm(&e->a, X_LOAD | O_W, d, ra);
    as_shift_cl(&e->a, w, shift_group[op->op], d);
    val_set(e, d);
}

/* ---- wide products and quotients: rax and rdx ---- */

static void to_dest(struct emit *e, unsigned reg)
{
    unsigned d = val_dest(e, 0);

    if (d > RDX)
        as_mov(&e->a, d, reg);
    else
        d = reg;
    val_set(e, d);
}

static bool mulh(struct emit *e, const struct ir_op *op)
{
    struct rm rb;

    if (op->type != IRT_I64)
        return false;
    val_take(e, RAX);
    val_take(e, RDX);
    val_gpr_to(e, op->a, RAX);
    rb = val_rm(e, op->b);
    if (rb.is_mem)
        as_rm(&e->a, 0xf7 | O_W, op->op == IR_MULHS ? G_IMUL : G_MUL, rb.mem);
    else
        as_grp3(&e->a, O_W, op->op == IR_MULHS ? G_IMUL : G_MUL, rb.reg);
    if (op->op == IR_MULHSU) { /* less b where a is negative */
        val_gpr_to(e, op->a, RAX);
        as_shift_ri(&e->a, O_W, G_SAR, RAX, 63);
        as_r_rm(&e->a, X_AND | O_W, RAX, rb);
        as_rr(&e->a, X_SUB | O_W, RDX, RAX);
    }
    done2(e, op);
    to_dest(e, RDX);
    return true;
}

/* By zero: all ones, remainder a. By -1: -a, remainder 0; the host would trap on the smallest a. */
static void cold_div(struct emit *e, const struct cold *c)
{
    uint32_t w = c->d ? O_W : 0;

    if (c->b) {
        if (c->a == IR_DIVS)
            as_grp3(&e->a, w, G_NEG, RAX);
        else
            as_rr(&e->a, X_XOR, RDX, RDX);
    } else if (c->a == IR_DIVS || c->a == IR_DIVU) {
        as_imm(&e->a, RAX, UINT64_MAX);
    } else {
        as_rr(&e->a, X_LOAD | w, RDX, RAX);
    }
    as_patch(as_jmp(&e->a), c->back);
}

static void divide(struct emit *e, const struct ir_op *op)
{
    bool is_signed = op->op == IR_DIVS || op->op == IR_REMS;
    bool quotient = op->op == IR_DIVS || op->op == IR_DIVU;
    uint32_t w = width(op);
    struct cold c = {.fn = cold_div, .a = op->op, .d = w != 0};
    uint8_t *zero = NULL, *minus = NULL;
    int64_t by = 0;
    bool is_const = val_const(e, op->b, &by);
    unsigned rb;

    if (!w)
        by = (int32_t)by;
    val_consume(e, op->a, RAX);
    val_take(e, RDX);
    rb = val_gpr(e, op->b);
    if (!is_const || !by) {
        as_rr(&e->a, X_TEST | w, rb, rb);
        zero = as_jcc(&e->a, CC_E);
    }
    if (is_signed && (!is_const || by == -1)) {
        as_alu_ri(&e->a, w, G_CMP, rb, -1);
        minus = as_jcc(&e->a, CC_E);
    }
    if (is_signed)
        as_opcode(&e->a, 0x99 | w, 0, 0, 0, false); /* cqo, cdq */
    else
        as_rr(&e->a, X_XOR, RDX, RDX);
    as_grp3(&e->a, w, is_signed ? G_IDIV : G_DIV, rb);
    c.back = e->a.p;
    if (zero) {
        c.jump = zero;
        emit_cold(e, c);
    }
    if (minus) {
        c.jump = minus;
        c.b = 1;
        emit_cold(e, c);
    }
    done2(e, op);
    to_dest(e, quotient ? RAX : RDX);
}

/* ---- one operand ---- */

static void one_rm(struct emit *e, const struct ir_op *op, uint32_t code)
{
    struct rm rm = val_rm(e, op->a);
    unsigned d;

    val_done(e, op->a);
    d = val_dest(e, 0);
    as_r_rm(&e->a, code, d, rm);
    val_set(e, d);
}

static void one_in_place(struct emit *e, const struct ir_op *op)
{
    struct rm rm = val_rm(e, op->a);
    uint32_t w = width(op);
    unsigned d;

    val_done(e, op->a);
    d = val_dest(e, 0);
    if (rm.is_mem || rm.reg != d)
        as_r_rm(&e->a, X_LOAD | O_W, d, rm);
    if (op->op == IR_BSWAP)
        as_opcode(&e->a, X_BSWAP | (d & 7) | w, 0, 0, d, false);
    else
        as_grp3(&e->a, w, op->op == IR_NEG ? G_NEG : G_NOT, d);
    val_set(e, d);
}

static bool half(struct emit *e, const struct ir_op *op)
{
    struct xmem m;
    unsigned d;

    if (!val_pair_mem(e, op->a, op->op == IR_HI64, &m))
        return false;
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_rm(&e->a, X_LOAD | O_W, d, m);
    val_set(e, d);
    return true;
}

/* m: 0x80 in each byte that is not 0; each of those is 256 - 1 in the result. */
static bool orcb(struct emit *e, const struct ir_op *op)
{
    unsigned ra, t, d;

    if (op->type != IRT_I64)
        return false;
    ra = val_gpr(e, op->a);
    t = val_scratch(e, 0);
    val_done(e, op->a);
    d = val_dest(e, 1u << ra | 1u << t);
    as_imm(&e->a, t, UINT64_C(0x7f7f7f7f7f7f7f7f));
    as_mov(&e->a, d, ra);
    as_rr(&e->a, X_AND | O_W, d, t);
    as_rr(&e->a, X_ADD | O_W, d, t);
    as_rr(&e->a, X_OR | O_W, d, ra);
    as_grp3(&e->a, O_W, G_NOT, t);
    as_rr(&e->a, X_AND | O_W, d, t);
    as_mov(&e->a, t, d);
    as_shift_ri(&e->a, O_W, G_SHR, t, 7);
    as_rr(&e->a, X_ADD | O_W, d, d);
    as_rr(&e->a, X_SUB | O_W, d, t);
    val_set(e, d);
    return true;
}

static bool clmul(struct emit *e, const struct ir_op *op)
{
    unsigned x, y, d;

    if (!e->ev->cpu.pclmul || !e->ev->cpu.sse41 || op->type != IRT_I64)
        return false;
    x = val_scratch_xmm(e, 0);
    y = val_scratch_xmm(e, 0);
    val_xmm_to(e, op->a, x);
    val_xmm_to(e, op->b, y);
    done2(e, op);
    as_rr(&e->a, S_PCLMUL, x, y);
    as_u8(&e->a, 0);
    d = val_dest(e, 0);
    if (op->op == IR_CLMUL) {
        as_rr(&e->a, S_MOVQ_GX | O_W, x, d);
    } else {
        as_rr(&e->a, S_PEXTRQ, x, d);
        as_u8(&e->a, 1);
    }
    if (op->op == IR_CLMULR) {
        unsigned lo = val_scratch(e, 1u << d);

        as_rr(&e->a, S_MOVQ_GX | O_W, x, lo);
        as_rr(&e->a, X_SHLD_I | O_W, lo, d);
        as_u8(&e->a, 1);
    }
    val_set(e, d);
    return true;
}

/* ---- comparisons ---- */

static const uint8_t cond_cc[] = {
    [IR_EQ] = CC_E,  [IR_NE] = CC_NE, [IR_LTU] = CC_B,  [IR_GEU] = CC_AE, [IR_LEU] = CC_BE,
    [IR_GTU] = CC_A, [IR_LTS] = CC_L, [IR_GES] = CC_GE, [IR_LES] = CC_LE, [IR_GTS] = CC_G,
};
static const uint8_t cond_swapped[] = {
    [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_LTU] = IR_GTU, [IR_GEU] = IR_LEU, [IR_LEU] = IR_GEU,
    [IR_GTU] = IR_LTU, [IR_LTS] = IR_GTS, [IR_GES] = IR_LES, [IR_LES] = IR_GES, [IR_GTS] = IR_LTS,
};

unsigned emit_compare(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op);
    unsigned cond = op->aux;
    ir_ref a = op->a, b = op->b;
    struct rm ra, rb;
    int32_t imm;

    if (val_imm32(e, a, w, &imm) && !val_imm32(e, b, w, &imm)) {
        a = op->b;
        b = op->a;
        cond = cond_swapped[cond];
    }
    if (val_imm32(e, b, w, &imm)) {
        ra = val_rm(e, a);
        if (!imm && !ra.is_mem)
            as_rr(&e->a, X_TEST | w, ra.reg, ra.reg);
        else if (ra.is_mem)
            as_alu_mi(&e->a, w, G_CMP, ra.mem, imm);
        else
            as_alu_ri(&e->a, w, G_CMP, ra.reg, imm);
        return cond_cc[cond];
    }
    ra = val_rm(e, a);
    rb = val_rm(e, b);
    if (ra.is_mem && rb.is_mem)
        ra = (struct rm){.reg = (uint8_t)val_gpr(e, a)};
    if (ra.is_mem)
        as_rm(&e->a, X_CMP_MR | w, rb.reg, ra.mem);
    else
        as_r_rm(&e->a, X_CMP | w, ra.reg, rb);
    return cond_cc[cond];
}

static void setcc(struct emit *e, const struct ir_op *op)
{
    unsigned cc, d;

    if (e->val[e->at].lazy)
        return;
    cc = emit_compare(e, op);
    done2(e, op);
    d = val_dest(e, 0);
    as_rr(&e->a, X_SETCC + cc, 0, d);
    as_rr(&e->a, X_MOVZX8 | O_B, d, d);
    val_set(e, d);
}

/* The condition of a selection: a comparison that was left to it, or a value that is not 0. */
static bool select_condition(struct emit *e, ir_ref r, unsigned *cc)
{
    const struct ir_op *op = &e->ops[e->root[r]];
    struct rm ra;

    if (e->val[e->root[r]].lazy && op->op == IR_SETCC) {
        *cc = emit_compare(e, op);
        done2(e, op);
    } else if (e->val[e->root[r]].lazy) {
        if (!emit_flag_test(e, op, cc))
            return false;
        val_done(e, op->a);
    } else {
        ra = val_rm(e, r);
        if (ra.is_mem)
            as_alu_mi(&e->a, O_W, G_CMP, ra.mem, 0);
        else
            as_rr(&e->a, X_TEST | O_W, ra.reg, ra.reg);
        *cc = CC_NE;
    }
    val_done(e, r);
    return true;
}

static bool select_value(struct emit *e, const struct ir_op *op)
{
    struct rm rb, rc;
    unsigned cc, d;

    if (!select_condition(e, op->a, &cc))
        return false;
    /* Only moves from here on: they leave the flags alone. */
    e->lock_gpr = 0;
    rb = val_rm(e, op->b);
    rc = val_rm(e, op->c);
    val_done(e, op->b);
    val_done(e, op->c);
    d = val_dest(e, 0);
    if (!rb.is_mem && rb.reg == d) {
        as_r_rm(&e->a, (X_CMOV + (cc ^ 1)) | O_W, d, rc);
    } else {
        if (rc.is_mem || rc.reg != d)
            as_r_rm(&e->a, X_LOAD | O_W, d, rc);
        as_r_rm(&e->a, (X_CMOV + cc) | O_W, d, rb);
    }
    val_set(e, d);
    return true;
}

static void minmax(struct emit *e, const struct ir_op *op)
{
    static const uint8_t cc[] = {[IR_MINS] = CC_G, [IR_MINU] = CC_A, [IR_MAXS] = CC_L, [IR_MAXU] = CC_B};
    uint32_t w = width(op);
    unsigned ra = val_gpr(e, op->a), d;
    struct rm rb = val_rm(e, op->b);

    done2(e, op);
    d = val_dest(e, rb.is_mem || rb.reg == ra ? 0 : rm_mask(rb));
    as_r_rm(&e->a, X_CMP | w, ra, rb);
    as_mov(&e->a, d, ra);
    as_r_rm(&e->a, (X_CMOV + cc[op->op]) | w, d, rb);
    val_set(e, d);
}

/* ---- widths and fields ---- */

static void extend(struct emit *e, const struct ir_op *op)
{
    uint32_t w = width(op), code;
    struct rm rm = val_rm(e, op->a);
    unsigned d;

    if (op->op == IR_SEXT)
        code = op->aux == 8 ? X_MOVSX8 | O_B | w : op->aux == 16 ? X_MOVSX16 | w : w ? X_MOVSXD : X_LOAD;
    else
        code = op->aux == 8 ? X_MOVZX8 | O_B : op->aux == 16 ? X_MOVZX16 : X_LOAD;
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_r_rm(&e->a, code, d, rm);
    val_set(e, d);
}

static void extract(struct emit *e, const struct ir_op *op)
{
    unsigned lsb = op->aux >> 8, bits = op->aux & 0xff, size = op->type == IRT_I32 ? 32 : 64, d;
    uint32_t w = width(op);
    struct rm rm = val_rm(e, op->a);

    val_done(e, op->a);
    d = val_dest(e, 0);
    as_r_rm(&e->a, X_LOAD | w, d, rm);
    if (lsb + bits < size)
        as_shift_ri(&e->a, w, G_SHL, d, size - lsb - bits);
    if (bits < size)
        as_shift_ri(&e->a, w, G_SHR, d, size - bits);
    val_set(e, d);
}

/* d keeps all but the field; the field of b by two shifts. */
static void insert(struct emit *e, const struct ir_op *op)
{
    unsigned lsb = op->aux >> 8, bits = op->aux & 0xff, size = op->type == IRT_I32 ? 32 : 64, t, d;
    uint64_t keep = ~((UINT64_MAX >> (64 - bits)) << lsb);
    uint32_t w = width(op);
    struct rm ra = val_rm(e, op->a);

    t = val_scratch(e, 0);
    val_gpr_to(e, op->b, t);
    done2(e, op);
    d = val_dest(e, 1u << t);
    if (bits < size)
        as_shift_ri(&e->a, w, G_SHL, t, size - bits);
    if (lsb + bits < size)
        as_shift_ri(&e->a, w, G_SHR, t, size - bits - lsb);
    if (ra.is_mem || ra.reg != d)
        as_r_rm(&e->a, X_LOAD | O_W, d, ra);
    if (!w)
        keep = (uint64_t)(int32_t)keep;
    if ((int64_t)keep == (int32_t)keep) {
        as_alu_ri(&e->a, w, G_AND, d, (int32_t)keep);
    } else {
        if (lsb)
            as_shift_ri(&e->a, w, G_ROR, d, lsb);
        as_shift_ri(&e->a, w, G_SHR, d, bits);
        as_shift_ri(&e->a, w, G_SHL, d, bits);
        if (lsb)
            as_shift_ri(&e->a, w, G_ROL, d, lsb);
    }
    as_rr(&e->a, X_OR | w, d, t);
    val_set(e, d);
}

static void page_relative(struct emit *e, const struct ir_op *op)
{
    unsigned d = val_dest(e, 0);

    as_ld(&e->a, d, RBP, VCPU_DISP(pc_page));
    if (op->imm)
        as_alu_ri(&e->a, O_W, G_ADD, d, (int32_t)op->imm);
    if (op->imm != (int32_t)op->imm)
        e->failed = true;
    val_set(e, d);
}

bool emit_int(struct emit *e, const struct ir_op *op)
{
    const struct cpu *cpu = &e->ev->cpu;

    if (op->op >= IR_ADD && op->op <= IR_MAXU && op->type != IRT_I32 && op->type != IRT_I64)
        return false;
    switch (op->op) {
    case IR_PC:
        page_relative(e, op);
        return true;
    case IR_ADD:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        commutative(e, op);
        return true;
    case IR_SUB:
        sub(e, op);
        return true;
    case IR_MUL:
        mul(e, op);
        return true;
    case IR_MULHU:
    case IR_MULHS:
    case IR_MULHSU:
        return mulh(e, op);
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU:
        divide(e, op);
        return true;
    case IR_ANDN:
        andn(e, op);
        return true;
    case IR_ORN:
        orn(e, op);
        return true;
    case IR_XNOR:
        xnor(e, op);
        return true;
    case IR_LO64:
    case IR_HI64:
        return half(e, op);
    case IR_CONCAT:
        return e->val[e->at].lazy;
    case IR_SHL:
        if (e->val[e->at].lazy)
            return true;
        shift(e, op);
        return true;
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
        shift(e, op);
        return true;
    case IR_NEG:
    case IR_NOT:
    case IR_BSWAP:
        one_in_place(e, op);
        return true;
    case IR_BREV:
        return emit_reverse_bits(e, op);
    case IR_CLZ:
        if (cpu->lzcnt)
            one_rm(e, op, X_LZCNT | width(op));
        return cpu->lzcnt;
    case IR_CTZ:
        if (cpu->bmi1)
            one_rm(e, op, X_TZCNT | width(op));
        return cpu->bmi1;
    case IR_POPCNT:
        if (cpu->popcnt)
            one_rm(e, op, X_POPCNT | width(op));
        return cpu->popcnt;
    case IR_ORCB:
        return orcb(e, op);
    case IR_CLMUL:
    case IR_CLMULH:
    case IR_CLMULR:
        return clmul(e, op);
    case IR_MINS:
    case IR_MINU:
    case IR_MAXS:
    case IR_MAXU:
        minmax(e, op);
        return true;
    case IR_SETCC:
        setcc(e, op);
        return true;
    case IR_SELECT:
        if (op->type != IRT_I32 && op->type != IRT_I64)
            return false;
        return select_value(e, op);
    case IR_SEXT:
    case IR_ZEXT:
        if (ir_type_size(ir_result_type(&e->ops[op->a])) > 8)
            return false;
        extend(e, op);
        return true;
    case IR_INSERT:
        if ((op->type != IRT_I32 && op->type != IRT_I64) ||
            (op->aux & 0xff) >= (op->type == IRT_I32 ? 32 : 64))
            return false;
        insert(e, op);
        return true;
    case IR_EXTRACT:
        if (op->type != IRT_I32 && op->type != IRT_I64)
            return false;
        extract(e, op);
        return true;
    default:
        return false;
    }
}
