/*
 * Condition flags as values. A FLAGS value is its packed form, N Z C V in bits 0..3 of a register: most of
 * them are only put away and overwritten, and what tests one at once was made a comparison by lift. The
 * host's half carry and parity have no form here: what asks for them goes to the interpreter.
 */
#include "engine/jit/emit/x86_64/emit.h"

#define NZCV 15

static struct xmem own_flag_op(void)
{
    return mem_at(RBP, OWN_DISP(flag_op));
}

static void done3(struct emit *e, const struct ir_op *op)
{
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
}

/* Packs the host's flags, of whose carry `carry` is the condition that says C, into rax. Changes rdx. */
static void pack_host(struct as *a, unsigned carry)
{
    as_rr(a, X_SETCC + CC_S, 0, RAX);
    as_opcode(a, 0x94 | O_0F, 0, 0, 0, false); /* sete ah */
    as_u8(a, 0xc4);
    as_rr(a, X_SETCC + carry, 0, RDX);
    as_opcode(a, 0x90 | O_0F, 0, 0, 0, false); /* seto dh */
    as_u8(a, 0xc6);
    as_rr(a, X_MOVZX16, RAX, RAX);
    as_rr(a, X_MOVZX16, RDX, RDX);
    as_rm(a, X_LEA, RAX, mem_sum(RAX, RDX, 2, 0)); /* N 0, C 2, Z 8, V 10 */
    as_mov32(a, RDX, RAX);
    as_shift_ri(a, 0, G_SHR, RDX, 7);
    as_rr(a, X_OR, RAX, RDX);
    as_alu_ri(a, 0, G_AND, RAX, NZCV);
}

static void pack(struct emit *e, unsigned carry)
{
    /* Moves and stores leave the flags alone. */
    e->lock_gpr = 0;
    val_take(e, RAX);
    val_take(e, RDX);
    pack_host(&e->a, carry);
    val_set(e, RAX);
}

/* Compares without a result: a - b, or a with itself. */
static void flags_sub(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_gpr(e, op->a);
    int32_t imm;

    if (val_imm32(e, op->b, width(op), &imm))
        as_alu_ri(&e->a, width(op), G_CMP, ra, imm);
    else
        as_r_rm(&e->a, X_CMP | width(op), ra, val_rm(e, op->b));
}

static void flags_add(struct emit *e, const struct ir_op *op)
{
    struct rm rb = val_rm(e, op->b);
    unsigned t = val_scratch(e, 0);

    val_gpr_to(e, op->a, t);
    as_r_rm(&e->a, X_ADD | width(op), t, rb);
}

/* ---- flags put away as what they follow from ---- */

static void park_operand(struct emit *e, const struct ir_op *op, ir_ref r, int32_t disp)
{
    int32_t imm;

    if (val_imm32(e, r, width(op), &imm))
        as_mov_mi(&e->a, width(op), mem_at(RBP, disp), imm);
    else
        as_rm(&e->a, X_STORE | width(op), val_gpr(e, r), mem_at(RBP, disp));
}

static void park(struct emit *e, const struct ir_op *op)
{
    static const uint8_t codes[] = {
        [IR_FLAG_ADD] = FLAGS_ADD, [IR_FLAG_SUB] = FLAGS_SUB, [IR_FLAG_LOGIC] = FLAGS_LOGIC};
    unsigned what = op->aux & 0xff;

    park_operand(e, op, op->a, OWN_DISP(flag_a));
    if (what != IR_FLAG_LOGIC)
        park_operand(e, op, op->b, OWN_DISP(flag_b));
    as_mov_mi(&e->a, 0, own_flag_op(), codes[what] + (op->type == IRT_I32));
    done3(e, op);
    e->done = true;
}

/* The slot is looked at before it is written. */
static bool reads_flags(const struct emit *e, const struct ir_block *b)
{
    for (unsigned i = b->first; i < b->end; i++) {
        const struct ir_op *op = &e->ops[i];

        if (op->imm == e->ev->lift->flags_slot && (op->op == IR_GET || op->op == IR_PUT))
            return op->op == IR_GET;
    }
    return false;
}

/* A block of the unit that this one leads to looks at them at once. */
static bool wanted_next(const struct emit *e, const struct ir_block *b)
{
    const struct ir_op *end = &e->ops[b->end - 1];
    bool jump = end->op == IR_JUMP, branch = end->op == IR_BRANCH || end->op == IR_BRANCHF;

    for (unsigned i = 0; i < e->u->block_count && (jump || branch); i++) {
        const struct ir_block *to = &e->u->blocks[i];

        if ((jump && to->offset == end->imm) ||
            (branch && (to->offset == (int32_t)end->imm || to->offset == (int32_t)(end->imm >> 32)))) {
            if (reads_flags(e, to))
                return true;
        }
    }
    return false;
}

/*
 * What the flags follow from is put away where they are computed: that has to be where they are written. A
 * value that an earlier instruction has computed already comes too late for that, or others were written
 * meanwhile.
 */
static bool written_at_once(const struct emit *e, unsigned flags, unsigned put)
{
    for (unsigned i = flags + 1; i < put; i++) {
        const struct ir_op *op = &e->ops[i];

        if (op->op == IR_INSN ||
            ((op->op == IR_GET || op->op == IR_PUT) && op->imm == e->ev->lift->flags_slot))
            return false;
    }
    return true;
}

void emit_flags_prepare(struct emit *e, const struct ir_block *b)
{
    for (unsigned i = b->end; i-- > b->first;) {
        const struct ir_op *op = &e->ops[i], *f;
        struct val *v;

        if (op->op != IR_PUT || op->imm != e->ev->lift->flags_slot)
            continue;
        f = &e->ops[e->root[op->a]];
        v = &e->val[e->root[op->a]];
        if (f->op == IR_FLAGS && (f->aux & 0xff) <= IR_FLAG_LOGIC && v->uses == 1 && !wanted_next(e, b) &&
            written_at_once(e, e->root[op->a], i))
            v->lazy = true;
    }
}

static void cold_flags(struct emit *e, const struct cold *c)
{
    emit_call_thunk(e, T_FLAGS);
    as_patch(as_jmp(&e->a), c->back);
}

void emit_flags_get(struct emit *e)
{
    struct cold c = {.fn = cold_flags};

    as_alu_mi(&e->a, 0, G_CMP, own_flag_op(), FLAGS_PACKED);
    c.jump = as_jcc(&e->a, CC_NE);
    c.back = e->a.p;
    emit_cold(e, c);
}

void emit_flags_put(struct emit *e)
{
    as_mov_mi(&e->a, 0, own_flag_op(), FLAGS_PACKED);
}

void emit_flags_thunk(struct as *a, const struct emit_vm *ev)
{
    uint8_t *packed[FLAGS_OPS];

    as_push(a, RAX);
    as_push(a, RDX);
    as_rm(a, X_LOAD, RAX, own_flag_op());
    as_ld(a, RDX, RBP, OWN_DISP(flag_a));
    for (unsigned i = FLAGS_ADD; i < FLAGS_OPS; i++) {
        uint32_t w = (i - FLAGS_ADD) & 1 ? 0 : O_W;
        uint8_t *other;

        as_alu_ri(a, 0, G_CMP, RAX, (int32_t)i);
        other = as_jcc8(a, CC_NE);
        if (i >= FLAGS_LOGIC)
            as_rr(a, X_TEST | w, RDX, RDX);
        else
            as_rm(a, (i < FLAGS_SUB ? X_ADD : X_CMP) | w, RDX, mem_at(RBP, OWN_DISP(flag_b)));
        if (i >= FLAGS_SUB && i < FLAGS_LOGIC)
            as_u8(a, 0xf5); /* cmc: C is no borrow */
        packed[i] = as_jmp(a);
        as_patch8(other, a->p);
    }
    for (unsigned i = FLAGS_ADD; i < FLAGS_OPS; i++)
        as_patch(packed[i], a->p);
    pack_host(a, CC_B);
    as_st(a, RAX, RBP, ev->lift->flags_slot);
    as_mov_mi(a, 0, own_flag_op(), FLAGS_PACKED);
    as_pop(a, RDX);
    as_pop(a, RAX);
    as_ret(a);
}

static bool flags(struct emit *e, const struct ir_op *op)
{
    unsigned ra, carry = CC_B;

    if (e->val[e->at].lazy) {
        park(e, op);
        return true;
    }
    switch (op->aux & 0xff) {
    case IR_FLAG_SUB:
        flags_sub(e, op);
        carry = CC_AE; /* no borrow */
        break;
    case IR_FLAG_ADD:
        flags_add(e, op);
        break;
    case IR_FLAG_LOGIC:
        ra = val_gpr(e, op->a);
        as_rr(&e->a, X_TEST | width(op), ra, ra);
        break;
    default:
        return false;
    }
    done3(e, op);
    pack(e, carry);
    return true;
}

/* The host's carry becomes bit 0 of c. */
static void carry_in(struct emit *e, unsigned c)
{
    as_rr(&e->a, X_BT_I, 4, c);
    as_u8(&e->a, 0);
}

/* a + b + c, or a - b - not c, with what the host's flags then say. */
static bool flags_carry(struct emit *e, const struct ir_op *op)
{
    bool sub = (op->aux & 0xff) == IR_FLAG_SBC;
    struct rm rb = val_rm(e, op->b);
    unsigned t;

    if (!sub && (op->aux & 0xff) != IR_FLAG_ADC)
        return false;
    t = val_scratch(e, 0);
    val_gpr_to(e, op->c, t);
    carry_in(e, t);
    if (sub)
        as_u8(&e->a, 0xf5); /* cmc */
    val_gpr_to(e, op->a, t);
    as_r_rm(&e->a, (sub ? X_SBB : X_ADC) | width(op), t, rb);
    done3(e, op);
    pack(e, sub ? CC_AE : CC_B);
    return true;
}

/* ---- reading ---- */

static bool holds(unsigned cond, unsigned f)
{
    bool n = f & 1, z = f & 2, c = f & 4, v = f & 8, r;

    switch (cond >> 1) {
    case IR_F_EQ / 2:
        r = z;
        break;
    case IR_F_CS / 2:
        r = c;
        break;
    case IR_F_MI / 2:
        r = n;
        break;
    case IR_F_VS / 2:
        r = v;
        break;
    case IR_F_HI / 2:
        r = c && !z;
        break;
    case IR_F_GE / 2:
        r = n == v;
        break;
    default:
        r = n == v && !z;
        break;
    }
    return r != (cond & 1);
}

/* All conditions by packed flags, a bit each; twice, since bit 4 of the packed form is not of interest. */
static uint32_t truth(unsigned cond)
{
    uint32_t t = 0;

    for (unsigned f = 0; f < 16; f++)
        t |= holds(cond, f) ? 1u << f | 1u << (f + 16) : 0;
    return t;
}

bool emit_flag_test(struct emit *e, const struct ir_op *op, unsigned *cc)
{
    static const uint8_t bit[] = {[IR_F_EQ] = 2, [IR_F_CS] = 4, [IR_F_MI] = 1, [IR_F_VS] = 8};
    unsigned r, t;

    if (op->aux > IR_F_LE)
        return false;
    r = val_gpr(e, op->a);
    if (op->aux < IR_F_HI) {
        as_test8_ri(&e->a, r, bit[op->aux & ~1u]);
        *cc = op->aux & 1 ? CC_E : CC_NE;
        return true;
    }
    t = val_scratch(e, 0);
    as_imm(&e->a, t, truth(op->aux));
    as_rr(&e->a, X_BT, r, t);
    *cc = CC_B;
    return true;
}

static bool condition(struct emit *e, const struct ir_op *op)
{
    unsigned cc, d;

    if (e->val[e->at].lazy)
        return true;
    if (!emit_flag_test(e, op, &cc))
        return false;
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_rr(&e->a, X_SETCC + cc, 0, d);
    as_rr(&e->a, X_MOVZX8 | O_B, d, d);
    val_set(e, d);
    return true;
}

/* What has no more than these four bits is the same value, see emit_flags_same(). */
static bool masked(struct emit *e, const struct ir_op *op)
{
    unsigned r, d;

    if (!op->aux || op->aux & ~(unsigned)NZCV)
        return false;
    r = val_gpr(e, op->a);
    val_done(e, op->a);
    d = val_dest(e, 0);
    as_mov(&e->a, d, r);
    as_alu_ri(&e->a, 0, G_AND, d, op->aux);
    val_set(e, d);
    return true;
}

bool emit_flags_same(const struct ir_unit *u, const struct ir_op *op)
{
    const struct ir_op *f;

    if (op->op == IR_FUNPACK)
        return true;
    if (op->op != IR_FPACK || op->aux != NZCV)
        return false;
    f = &u->ops[op->a];
    return f->op == IR_FLAGS || f->op == IR_FLAGSC || f->op == IR_FCMPF;
}

/* ---- add with carry ---- */

static void add_carry(struct emit *e, const struct ir_op *op)
{
    unsigned ra = val_gpr(e, op->a), rc = val_gpr(e, op->c), d;
    struct rm rb = val_rm(e, op->b);

    done3(e, op);
    d = val_dest(e, (rb.is_mem ? 0 : 1u << rb.reg) | 1u << rc);
    carry_in(e, rc);
    as_mov(&e->a, d, ra);
    as_r_rm(&e->a, X_ADC | width(op), d, rb);
    val_set(e, d);
}

bool emit_flags(struct emit *e, const struct ir_op *op)
{
    switch (op->op) {
    case IR_FLAGS:
        return flags(e, op);
    case IR_FLAGSC:
        return flags_carry(e, op);
    case IR_FCOND:
        return condition(e, op);
    case IR_FPACK:
        return masked(e, op);
    case IR_ADDC:
        if (op->type != IRT_I32 && op->type != IRT_I64)
            return false;
        add_carry(e, op);
        return true;
    default:
        return false;
    }
}
