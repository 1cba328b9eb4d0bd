/*
 * Condition flags as values. A FLAGS value is its packed form, N Z C V in bits 0..3 of a register: most of
 * them are only put away and overwritten, and what tests one at once was made a comparison by lift. The
 * host's half carry and parity have no form here: what asks for them goes to the interpreter.
 */
#include "engine/jit/emit/x86_64/emit.h"

#define NZCV 15

static void done3(struct emit *e, const struct ir_op *op)
{
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
}

/* Packs the host's flags, of whose carry `carry` is the condition that says C, into rax. */
static void pack(struct emit *e, unsigned carry)
{
    struct as *a = &e->a;

    /* Moves and stores leave the flags alone. */
    e->lock_gpr = 0;
    val_take(e, RAX);
    val_take(e, RDX);
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

static bool flags(struct emit *e, const struct ir_op *op)
{
    unsigned ra, carry = CC_B;

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
