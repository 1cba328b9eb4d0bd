/*
 * Cases of FP operations that the host's FPU does otherwise than the guest's: NaN results of guests that
 * choose among NaNs, tiny results, numbers out of an integer's range, rounding modes. Cold code hands the
 * operands to soft float and goes on behind the operation: no instruction is left to the interpreter for
 * them.
 */
#include "engine/jit/emit/x86_64/emit.h"
#include "engine/soft/crypto.h"
#include "engine/soft/float.h"

static bool is_vector(unsigned op)
{
    return op >= IR_VFADD && op <= IR_CRC32;
}

static bool gives_gpr(unsigned op)
{
    return op == IR_FCMP || op == IR_FCMPF || op == IR_FCLASS || op == IR_FTOI || op == IR_CRC32;
}

void float_compute(struct vcpu *v)
{
    struct own_wide *o = own_wide_of(v);

    v->stat.helper_calls++;
    if ((o->what & 0xff) >= IR_VAES && (o->what & 0xff) <= IR_CRC32)
        soft_crypto(o->what & 0xff, (unsigned)o->what >> 16, o->arg);
    else if (is_vector(o->what & 0xff))
        soft_vector_float(v, (uint32_t)o->what, o->arg);
    else
        o->arg[0][0] = soft_float(v, (uint32_t)o->what, o->arg[0][0], o->arg[1][0], o->arg[2][0]);
}

/* ---- operands ---- */

static struct float_place in_register(unsigned home)
{
    return (struct float_place){.kind = home & HOME_XMM ? PLACE_XMM : PLACE_GPR, .reg = home & HOME_REG};
}

ir_ref float_negated(const struct emit *e, ir_ref r, bool *neg)
{
    *neg = r != IR_REF_NONE && e->val[e->root[r]].lazy;
    return *neg ? e->ops[e->root[r]].a : r;
}

static struct float_place place_of(struct emit *e, ir_ref r)
{
    struct float_place p = {0};
    const struct val *v;
    unsigned home;
    bool neg;

    r = float_negated(e, r, &neg);
    v = val_of(e, r);
    switch (v->kind) {
    case V_CONST:
        p = (struct float_place){.kind = PLACE_CONST, .value = (uint64_t)e->ops[e->root[r]].imm};
        break;
    case V_GPR:
        p = in_register(HOME_GPR | v->reg);
        break;
    case V_XMM:
        p = in_register(HOME_XMM | v->reg);
        break;
    case V_CELL:
        p = (struct float_place){.kind = PLACE_MEM, .mem = mem_at(RSP, v->cell * 8)};
        break;
    case V_SLOT:
        home = home_of(e, v->disp);
        if (home)
            p = in_register(home);
        else
            p = (struct float_place){.kind = PLACE_MEM, .mem = slot_mem(v->disp)};
        break;
    default:
        e->failed = true;
    }
    p.wide = ir_result_type(&e->ops[r]) == IRT_V128;
    p.sign = !neg ? 0 : ir_result_type(&e->ops[r]) == IRT_F64 ? 7 : 3;
    return p;
}

static struct xmem arg_mem(unsigned i, unsigned half)
{
    return mem_at(RBP, WIDE_DISP(arg) + (int32_t)(16 * i + 8 * half));
}

/* Changes no register but the stack pointer, and no flag that matters. */
static void copy(struct emit *e, struct xmem from, struct xmem to)
{
    as_rm(&e->a, 0xff, 6, from); /* push */
    as_rm(&e->a, 0x8f, 0, to);   /* pop */
}

static void argument(struct emit *e, unsigned i, const struct float_place *p)
{
    struct xmem high = p->mem;

    high.disp += 8;
    switch (p->kind) {
    case PLACE_XMM:
        as_rm(&e->a, p->wide ? S_MOVUPS_ST : S_MOVQ_ST, p->reg, arg_mem(i, 0));
        break;
    case PLACE_GPR:
        as_rm(&e->a, X_STORE | O_W, p->reg, arg_mem(i, 0));
        break;
    case PLACE_MEM:
        copy(e, p->mem, arg_mem(i, 0));
        if (p->wide)
            copy(e, high, arg_mem(i, 1));
        break;
    case PLACE_CONST:
        for (unsigned half = 0; half < 2; half++) {
            struct xmem m = arg_mem(i, 0);

            m.disp += (int32_t)half * 4;
            as_mov_mi(&e->a, 0, m, (int32_t)(p->value >> 32 * half));
        }
        break;
    case PLACE_NONE:
        break;
    }
    if (p->sign) {
        struct xmem m = arg_mem(i, 0);

        m.disp += p->sign;
        as_rm(&e->a, 0x80, G_XOR, m); /* the byte of the sign */
        as_u8(&e->a, 0x80);
    }
}

static struct float_call describe(struct emit *e, const struct ir_op *op)
{
    const ir_ref r[3] = {op->a, op->b, op->c};
    bool converts = op->op == IR_FTOF || op->op == IR_BOX || op->op == IR_UNBOX;
    struct float_call f = {.wide = is_vector(op->op), .gpr = gives_gpr(op->op)};

    f.what = soft_float_what(op->op, op->type, converts ? ir_result_type(&e->ops[op->a]) : 0, op->aux);
    for (unsigned i = 0; i < 3; i++) {
        if (r[i] != IR_REF_NONE)
            f.arg[i] = place_of(e, r[i]);
    }
    return f;
}

/* Operands are stored, the result fetched. */
static void do_call(struct emit *e, const struct float_call *f)
{
    for (unsigned i = 0; i < 3; i++)
        argument(e, i, &f->arg[i]);
    as_mov_mi(&e->a, 0, mem_at(RBP, WIDE_DISP(what)), (int32_t)f->what);
    emit_call_thunk(e, T_FLOAT);
    if (f->boxed)
        as_mov_mi(&e->a, 0, mem_at(RBP, WIDE_DISP(arg) + 4), -1);
    if (f->gpr)
        as_rm(&e->a, X_LOAD | O_W, f->d, arg_mem(0, 0));
    else
        as_rm(&e->a, f->wide ? S_MOVUPS_LD : S_MOVQ_LD, f->d, arg_mem(0, 0));
}

/* ---- cold ---- */

struct float_call *float_cold(struct emit *e, const struct ir_op *op)
{
    if (e->float_count == EMIT_FLOATS) {
        e->failed = true;
        e->float_count = 0;
    }
    e->floats[e->float_count] = describe(e, op);
    return &e->floats[e->float_count++];
}

void float_cold_if(struct emit *e, struct float_call *f, unsigned cc)
{
    f->jump[f->jumps++] = as_jcc(&e->a, cc);
}

static void cold_call(struct emit *e, const struct cold *c)
{
    const struct float_call *f = &e->floats[c->x];

    for (unsigned i = 0; i < f->jumps; i++)
        as_patch(f->jump[i], e->a.p);
    do_call(e, f);
    as_patch(as_jmp(&e->a), c->back);
}

void float_cold_end(struct emit *e, struct float_call *f, unsigned d)
{
    f->d = (uint8_t)d;
    emit_cold(e, (struct cold){.fn = cold_call, .x = (uint32_t)(f - e->floats), .back = e->a.p});
}

bool float_scratch_left(const struct emit *e, unsigned except)
{
    unsigned all = (1u << e->ev->scratch_xmms) - 1;

    return all & ~(e->lock_xmm | 1u << except);
}

unsigned float_scratch_free(const struct emit *e)
{
    unsigned all = (1u << e->ev->scratch_xmms) - 1;

    return (unsigned)__builtin_popcount(all & ~e->lock_xmm);
}

unsigned float_dest(struct emit *e, const struct ir_op *op)
{
    const ir_ref r[3] = {op->a, op->b, op->c};
    unsigned avoid = 0, d;

    for (unsigned i = 0; i < 3; i++) {
        struct float_place p;

        if (r[i] == IR_REF_NONE)
            continue;
        p = place_of(e, r[i]);
        avoid |= p.kind == PLACE_XMM ? 1u << p.reg : 0;
    }
    d = val_dest_xmm(e, avoid);
    if (d < e->ev->scratch_xmms)
        e->lock_xmm |= 1u << d;
    return d;
}

/* ---- hot ---- */

bool float_call(struct emit *e, const struct ir_op *op)
{
    struct float_call f = describe(e, op);
    bool neg;

    val_done(e, float_negated(e, op->a, &neg));
    val_done(e, op->b);
    val_done(e, float_negated(e, op->c, &neg));
    f.d = (uint8_t)(f.gpr ? val_dest(e, 0) : val_dest_xmm(e, 0));
    f.boxed = op->op == IR_BOX;
    do_call(e, &f);
    if (f.gpr)
        val_set(e, f.d);
    else
        val_set_xmm(e, f.d, f.boxed);
    return true;
}
