/*
 * Lowers IR to threaded code, one block after the other. A value lives in a cell: a temporary, or the guest
 * slot it was read from or is about to be written to, as long as nothing else is written there; constants
 * live in the operations.
 */
#include "engine/interp/interp.h"
#include "engine/interp/lower.h"
#include "lib/err.h"
#include "lib/str.h"

/* ---- analysis of one block ---- */

static bool wants_all_flags(const struct ir_op *op)
{
    if (op->op == IR_FCOND || op->op == IR_BRANCHF)
        return op->aux >= IR_F_PE;
    return op->op == IR_FPACK && (!op->aux || op->aux & ~15u);
}

static void last_uses(struct lower *l)
{
    for (unsigned i = l->block->first; i < l->block->end; i++) {
        const struct ir_op *op = &l->ir->ops[i];
        ir_ref r[3] = {op->a, op->b, op->c};

        l->values[i] = (struct value){.fuse = NO_FUSE};
        for (unsigned n = 0; n < 3; n++) {
            if (r[n] != IR_REF_NONE)
                l->values[r[n]].last = (uint16_t)i;
        }
        if (wants_all_flags(op))
            l->values[op->a].full = true;
    }
}

/* May its producer write the slot at once? Only if nothing in between could see or disturb it. */
static bool can_fuse(struct lower *l, unsigned put)
{
    const struct ir_op *p = &l->ir->ops[put], *d;
    ir_ref r = p->a;
    unsigned size = ir_type_size((enum ir_type)p->type);

    if (r < l->block->first || l->values[r].fuse != NO_FUSE)
        return false;
    d = &l->ir->ops[r];
    switch (d->op) {
    case IR_CONST:
    case IR_GET:
    case IR_TRUNC:
    case IR_BITCAST:
    case IR_LO64:
    case IR_HI64:
    case IR_CONCAT:
        return false; /* have no operation of their own */
    }
    if (ir_type_size(ir_result_type(d)) != size || p->imm > INT16_MAX - 16)
        return false;
    for (unsigned i = r + 1u; i < put; i++) {
        const struct ir_op *op = &l->ir->ops[i];
        const struct ir_opinfo *info = &ir_opinfo[op->op];

        if (info->effects & (IR_E_FAULT | IR_E_CALL | IR_E_END | IR_E_MEM_R | IR_E_MEM_W))
            return false;
        if ((op->op == IR_GET || op->op == IR_PUT) &&
            overlap((int)op->imm, ir_type_size((enum ir_type)op->type), (int)p->imm, size))
            return false;
    }
    return true;
}

static void find_fusions(struct lower *l)
{
    for (unsigned i = l->block->first; i < l->block->end; i++) {
        const struct ir_op *op = &l->ir->ops[i];

        if (op->op == IR_PUT && can_fuse(l, i))
            l->values[op->a].fuse = (int16_t)op->imm;
    }
}

/* ---- operations ---- */

/* What an operation has six forms as; the others have none. */
#define SIX(op) [IR_##op] = IOP_##op##_64
static const uint16_t six_forms[IR_OPS] = {
    SIX(ADD),  SIX(SUB),  SIX(MUL),  SIX(AND),  SIX(OR),   SIX(XOR),   SIX(ANDN),  SIX(ORN),    SIX(XNOR),
    SIX(SHL),  SIX(SHR),  SIX(SAR),  SIX(ROL),  SIX(ROR),  SIX(MULHU), SIX(MULHS), SIX(MULHSU), SIX(DIVS),
    SIX(DIVU), SIX(REMS), SIX(REMU), SIX(MINS), SIX(MINU), SIX(MAXS),  SIX(MAXU),
};
#undef SIX

enum { FORM_64, FORM_64I, FORM_32, FORM_32I, FORM_W, FORM_WI };

static bool commutes(unsigned op)
{
    return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR || op == IR_XNOR;
}

/* A 32-bit result whose only use is the next operation, its sign extension. */
static bool feeds_sext(struct lower *l, unsigned at)
{
    const struct ir_op *next = &l->ir->ops[at + 1];

    return at + 1u < l->block->end && next->op == IR_SEXT && next->type == IRT_I64 && next->aux == 32 &&
           next->a == at && val(l, (ir_ref)at)->last == at + 1;
}

static void lower_binary(struct lower *l, unsigned at, const struct ir_op *op, unsigned base)
{
    bool narrow = op->type == IRT_I32, wide;
    ir_ref a = op->a, b = op->b;
    unsigned form;
    int64_t imm = 0;
    int16_t ca, cb = 0;

    if (commutes(op->op) && val(l, a)->place == P_CONST) {
        a = op->b;
        b = op->a;
    }
    ca = cell_of(l, at, a);
    form = is_const(l, b, &imm) ? 1 : 0;
    if (!form)
        cb = cell_of(l, at, b);
    wide = narrow && feeds_sext(l, at);
    if (wide) { /* the pair is one operation: the extension's value is made here */
        cell_hold(l, ca, at + 1);
        cell_hold(l, cb, at + 1);
        val(l, (ir_ref)at)->place = P_NONE;
        lower_out(l, base + FORM_W + form, cell_result(l, at + 1), ca, cb, 0, imm);
        return;
    }
    lower_out(l, (enum iop_code)(base + (narrow ? FORM_32 : FORM_64) + (int)form), cell_result(l, at), ca, cb,
              0, imm);
}

static void lower_setcc(struct lower *l, unsigned at, const struct ir_op *op)
{
    int64_t imm = 0;
    int16_t a = cell_of(l, at, op->a), b = 0;
    unsigned form = is_const(l, op->b, &imm) ? 1 : 0;

    if (!form)
        b = cell_of(l, at, op->b);
    lower_out(l, (enum iop_code)(IOP_SET_EQ_64 + 4 * op->aux + (op->type == IRT_I32 ? 2 : 0) + form),
              cell_result(l, at), a, b, 0, imm);
}

static void lower_extend(struct lower *l, unsigned at, const struct ir_op *op)
{
    bool sign = op->op == IR_SEXT, narrow = op->type == IRT_I32;
    static const uint16_t codes[2][2][3] = {
        {{IOP_ZEXT8, IOP_ZEXT16, IOP_ZEXT32}, {IOP_ZEXT8_32, IOP_ZEXT16_32, IOP_MOV32}},
        {{IOP_SEXT8, IOP_SEXT16, IOP_SEXT32}, {IOP_SEXT8_32, IOP_SEXT16_32, IOP_MOV32}},
    };
    unsigned w = op->aux == 8 ? 0 : op->aux == 16 ? 1 : 2;
    int16_t a;

    if (val(l, (ir_ref)at)->place == P_CELL)
        return; /* made together with its operand */
    a = cell_of(l, at, op->a);
    lower_out(l, (enum iop_code)codes[sign][narrow][w], cell_result(l, at), a, 0, 0, 0);
}

static void lower_select(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a), b = cell_of(l, at, op->b), c = cell_of(l, at, op->c);
    unsigned size = ir_type_size((enum ir_type)op->type);

    lower_out(l,
              size == 8    ? IOP_SELECT64
              : size == 16 ? IOP_SELECT128
                           : IOP_SELECT32,
              cell_result(l, at), a, b, 0, c);
}

static void lower_generic(struct lower *l, unsigned at, const struct ir_op *op)
{
    enum iop_code code = op->op >= IR_FADD && op->op <= IR_UNBOX ? IOP_FLOAT : IOP_GENERIC;
    int16_t a = cell_or(l, at, op->a, 0);
    int16_t b = cell_or(l, at, op->b, 0);
    int16_t c = cell_or(l, at, op->c, 0);
    bool wants_type = op->op == IR_FTOF || op->op == IR_BOX || op->op == IR_UNBOX || op->op == IR_VZEXT;
    unsigned from = wants_type ? value_type(l, op->a) : (unsigned)op->imm & 0xffff;

    if (op->op >= IR_VFADD && op->op <= IR_VFNARROW)
        code = IOP_VFLOAT;
    else if (op->op >= IR_VAES && op->op <= IR_CRC32)
        code = IOP_CRYPTO;
    lower_out(l, code, cell_result(l, at), a, b, 0, generic_imm(op->op, op->type, op->aux, c, from));
}

static void lower_call(struct lower *l, unsigned at, const struct ir_op *op)
{
    const struct ir_helper *h = &l->v->vm->lift->helpers[op->imm];
    int16_t a = cell_or(l, at, op->a, ZERO_CELL);
    int16_t b = cell_or(l, at, op->b, ZERO_CELL);
    int16_t c = cell_or(l, at, op->c, ZERO_CELL);
    int16_t d = TEMP_CELL(SOFT_TEMPS - 1);

    if (!(h->flags & IR_H_PURE))
        cell_slots_change(l, at, 0, 0);
    if (op->type != IRT_NONE)
        d = cell_result(l, at);
    /* imm: the function; c and "may leave" do not fit beside it, so they stand in aux. */
    lower_out(l, IOP_CALL, d, a, b, (uint16_t)c, (int64_t)(uintptr_t)h);
}

static void lower_insn(struct lower *l, const struct ir_op *op)
{
    struct insn_mark *m = &l->marks[l->mark_count];

    lower_unsync(l);
    if (l->mark_count == l->mark_max) {
        l->failed = true;
        return;
    }
    l->mark_count++;
    *m = (struct insn_mark){l->count, (int16_t)op->imm, (uint16_t)l->begun, l->block->insns};
    l->begun++;
}

static void lower_put(struct lower *l, unsigned at, const struct ir_op *op)
{
    enum ir_type type = (enum ir_type)op->type;
    unsigned size = ir_type_size(type);
    struct value *x = val(l, op->a);

    if (x->place == P_CELL && x->cell == op->imm && x->fuse == op->imm)
        return; /* its producer wrote it */
    cell_slots_change(l, at, (int)op->imm, size);
    if (x->place == P_CONST && size == 8)
        lower_out(l, IOP_MOVI64, (int)op->imm, 0, 0, 0, x->imm);
    else if (x->place == P_CONST && size == 4)
        lower_out(l, IOP_MOVI32, (int)op->imm, 0, 0, 0, x->imm);
    else
        lower_out(l, lower_move_code(type), (int)op->imm, cell_of(l, at, op->a), 0, 0, 0);
}

static void lower_get(struct lower *l, unsigned at, const struct ir_op *op)
{
    struct value *x = val(l, (ir_ref)at);

    x->place = P_CELL;
    x->cell = (int16_t)op->imm;
    if (x->last)
        cell_alias(l, (ir_ref)at);
}

/* An operation with a label of its own where the type is i64, the next one where it is i32. */
static void lower_plain(struct lower *l, unsigned at, const struct ir_op *op, enum iop_code code)
{
    int16_t a = cell_of(l, at, op->a), b = 0, c = 0;

    if (op->b != IR_REF_NONE)
        b = cell_of(l, at, op->b);
    if (op->c != IR_REF_NONE)
        c = cell_of(l, at, op->c);
    lower_out(l, (enum iop_code)(code + (op->type == IRT_I32)), cell_result(l, at), a, b, op->aux, c);
}

/* ---- flags: packed from the start ---- */

/* Whether a flags value is N Z C V in bits 0..3 and nothing else. */
static bool is_quick(struct lower *l, ir_ref r)
{
    const struct ir_op *op = &l->ir->ops[r];

    return op->op == IR_FCMPF || (op->op == IR_FLAGS && op->aux <= IR_FLAG_LOGIC && !val(l, r)->full);
}

/* Packed by the next operation and used nowhere else. */
static bool feeds_pack(struct lower *l, unsigned at)
{
    const struct ir_op *next = &l->ir->ops[at + 1];

    return at + 1u < l->block->end && next->op == IR_FPACK && next->a == at && next->aux == 15 &&
           val(l, (ir_ref)at)->last == at + 1;
}

static void lower_flags(struct lower *l, unsigned at, const struct ir_op *op)
{
    static const uint16_t codes[] = {[IR_FLAG_ADD] = IOP_FLAGS_ADD_64,
                                     [IR_FLAG_SUB] = IOP_FLAGS_SUB_64,
                                     [IR_FLAG_LOGIC] = IOP_FLAGS_LOGIC_64};
    int16_t a, b;

    if (!is_quick(l, (ir_ref)at)) {
        lower_generic(l, at, op);
        return;
    }
    a = cell_of(l, at, op->a);
    b = cell_of(l, at, op->b);
    if (feeds_pack(l, at)) {
        cell_hold(l, a, at + 1);
        cell_hold(l, b, at + 1);
    }
    lower_out(l, (enum iop_code)(codes[op->aux] + (op->type == IRT_I32)),
              cell_result(l, feeds_pack(l, at) ? at + 1 : at), a, b, 0, 0);
}

static void lower_pack(struct lower *l, unsigned at, const struct ir_op *op)
{
    struct value *x = val(l, (ir_ref)at);
    int16_t a;

    if (x->place == P_CELL)
        return; /* made together with its operand */
    if (op->op == IR_FPACK && (op->aux != 15 || !is_quick(l, op->a))) {
        lower_generic(l, at, op);
    } else if (x->fuse == NO_FUSE) {
        cell_share(l, at, op->a, 0);
    } else {
        a = cell_of(l, at, op->a);
        lower_out(l, IOP_MOV64, cell_result(l, at), a, 0, 0, 0);
    }
}

static void lower_fcond(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a);

    lower_out(l, IOP_FCOND, cell_result(l, at), a, 0, op->aux, 0);
}

static void lower_unary(struct lower *l, unsigned at, const struct ir_op *op)
{
    int16_t a = cell_of(l, at, op->a);
    enum iop_code code = op->op == IR_NEG ? IOP_NEG64 : IOP_NOT64;

    if (op->type == IRT_I32)
        code += IOP_NEG32 - IOP_NEG64;
    lower_out(l, code, cell_result(l, at), a, 0, 0, 0);
}

static void lower_op(struct lower *l, unsigned at)
{
    const struct ir_op *op = &l->ir->ops[at];
    unsigned base = six_forms[op->op];
    struct value *x = val(l, (ir_ref)at);

    /* Without effect and unused: nothing. Loads stay, they may fault; FP sets flags. */
    if (!x->last && x->fuse == NO_FUSE && !(ir_opinfo[op->op].effects & ~(unsigned)IR_E_SLOT_R) &&
        op->op != IR_INSN)
        return;
    if (base) {
        lower_binary(l, at, op, base);
        return;
    }
    switch (op->op) {
    case IR_CONST:
        x->place = P_CONST;
        x->imm = op->imm;
        break;
    case IR_GET:
        lower_get(l, at, op);
        break;
    case IR_PUT:
        lower_put(l, at, op);
        break;
    case IR_INSN:
        lower_insn(l, op);
        break;
    case IR_SYNC:
        lower_out(l, IOP_SYNC, l->marks[l->mark_count - 1].offset, 0, 0, 0, l->synced ? 0 : lower_refund(l));
        l->synced = true;
        break;
    case IR_PC:
        lower_out(l, IOP_PC, cell_result(l, at), 0, 0, 0, op->imm);
        break;
    case IR_NEG:
    case IR_NOT:
        lower_unary(l, at, op);
        break;
    case IR_SETCC:
        lower_setcc(l, at, op);
        break;
    case IR_SELECT:
        lower_select(l, at, op);
        break;
    case IR_SEXT:
    case IR_ZEXT:
    case IR_ANYEXT:
        lower_extend(l, at, op);
        break;
    case IR_TRUNC:
    case IR_BITCAST:
    case IR_LO64:
        cell_share(l, at, op->a, 0);
        break;
    case IR_HI64:
        cell_share(l, at, op->a, 8);
        break;
    case IR_CONCAT:
        lower_pair(l, at, op);
        break;
    case IR_EXTRACT:
        lower_plain(l, at, op, IOP_EXTRACT64);
        break;
    case IR_INSERT:
        lower_plain(l, at, op, IOP_INSERT64);
        break;
    case IR_CLZ:
        lower_plain(l, at, op, IOP_CLZ64);
        break;
    case IR_BSWAP:
        lower_plain(l, at, op, IOP_BSWAP64);
        break;
    case IR_ADDC:
        lower_plain(l, at, op, IOP_ADDC64);
        break;
    case IR_FLAGS:
        lower_flags(l, at, op);
        break;
    case IR_FPACK:
    case IR_FUNPACK:
        lower_pack(l, at, op);
        break;
    case IR_FCOND:
        lower_fcond(l, at, op);
        break;
    case IR_VAND:
        lower_plain(l, at, op, IOP_VAND);
        break;
    case IR_VOR:
        lower_plain(l, at, op, IOP_VOR);
        break;
    case IR_VXOR:
        lower_plain(l, at, op, IOP_VXOR);
        break;
    case IR_LOAD:
        lower_load(l, at, op);
        break;
    case IR_STORE:
        lower_store(l, at, op);
        break;
    case IR_STORE2:
        lower_store2(l, at, op);
        break;
    case IR_AMO:
    case IR_CAS:
    case IR_LR:
    case IR_SC:
        lower_atomic(l, at, op);
        break;
    case IR_FENCE:
        lower_out(l, IOP_FENCE, 0, 0, 0, op->aux, 0);
        break;
    case IR_CALL:
        lower_call(l, at, op);
        break;
    case IR_GUARD:
        lower_out(l, IOP_GUARD, 0, cell_of(l, at, op->a), 0, 0,
                  (int64_t)(uintptr_t)&l->v->vm->lift->helpers[op->imm]);
        break;
    case IR_JUMP:
        lower_jump(l, op);
        break;
    case IR_EXIT:
    case IR_EXITF:
        lower_unsync(l);
        lower_exit(l, at, op);
        break;
    case IR_BRANCH:
    case IR_BRANCHF:
        lower_branch(l, at, op);
        break;
    case IR_JUMPI:
        lower_out(l, IOP_JUMPI, 0, cell_of(l, at, op->a), 0, 0, 0);
        break;
    case IR_DISPATCH:
        lower_out(l, IOP_DISPATCH, 0, 0, 0, 0, 0);
        break;
    default:
        lower_generic(l, at, op);
        break;
    }
}

static void lower_block(struct lower *l, unsigned index)
{
    l->block = &l->ir->blocks[index];
    l->block_start[index] = l->count;
    l->begun = 0;
    l->synced = false;
    l->alias_count = 0;
    memset(l->temp_last, 0, sizeof(l->temp_last));
    last_uses(l);
    find_fusions(l);
    lower_out(l, IOP_HEAD, l->block->offset, 0, 0, 0, l->block->insns);
    for (unsigned i = l->block->first; i < l->block->end && !l->failed; i++)
        lower_op(l, i);
}

static int finish(struct lower *l, struct unit *u)
{
    size_t size =
        sizeof(struct icode) + l->count * sizeof(struct iop) + l->mark_count * sizeof(struct insn_mark);
    struct icode *c = plat_alloc(size);

    if (!c)
        return -ENOMEM;
    for (unsigned i = 0; i < l->fixup_count; i++) {
        const struct fixup *f = &l->fixups[i];

        lower_target_set(l, f->op, f->taken, l->block_start[f->block]);
    }
    c->op_count = l->count;
    c->mark_count = l->mark_count;
    memcpy(c->ops, l->ops, l->count * sizeof(struct iop));
    c->marks = (struct insn_mark *)(c->ops + l->count);
    memcpy(c->marks, l->marks, l->mark_count * sizeof(struct insn_mark));
    u->code = c;
    u->size = (uint32_t)(size + sizeof(*u) + 32);
    atomic_store_explicit(&u->entry, c->ops, memory_order_release);
    return 0;
}

/* Working storage: per vCPU, made when first needed. */
struct lower_room {
    struct lower l;
    struct value values[REGION_MAX_OPS];
    struct iop ops[2 * REGION_MAX_OPS];
    struct insn_mark marks[REGION_MAX_INSNS + 1];
};

int interp_lower(struct vcpu *v, struct unit *u, const struct ir_unit *ir)
{
    struct soft_vcpu *s = soft_of(v);
    struct lower_room *room = s->lower;
    struct lower *l;

    if (!room)
        room = s->lower = plat_alloc(sizeof(*room));
    if (!room)
        return -ENOMEM;
    l = &room->l;
    *l = (struct lower){.v = v,
                        .ir = ir,
                        .labels = interp_labels(),
                        .ops = room->ops,
                        .max = ARRAY_SIZE(room->ops),
                        .marks = room->marks,
                        .mark_max = ARRAY_SIZE(room->marks),
                        .values = room->values,
                        .single = (u->mode & UNIT_SINGLE) != 0};
    for (unsigned i = 0; i < ir->block_count && !l->failed; i++)
        lower_block(l, i);
    return l->failed ? -E2BIG : finish(l, u);
}
