/*
 * Where values are. A GET gives a value that stands for the slot until the slot is written; constants become
 * immediates; a result goes straight to the home of the slot it is put to when nothing in between minds;
 * everything else is in a scratch register, or in a cell of the host stack when those run out.
 */
#include "engine/jit/emit/x86_64/emit.h"

const uint8_t emit_pin_gpr[PIN_GPRS] = {RBX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14};

unsigned home_of(const struct emit *e, int32_t slot)
{
    return slot >= 0 && !(slot & 7) && slot / 8 < JIT_HOMES ? e->ev->home[slot / 8] : HOME_NONE;
}

static struct xmem cell_mem(const struct val *v)
{
    return mem_at(RSP, v->cell * 8);
}

/* ---- scratch registers and cells ---- */

static uint64_t cell_bits(const struct val *v)
{
    return (v->wide ? UINT64_C(3) : UINT64_C(1)) << v->cell;
}

static void cell_take(struct emit *e, struct val *v)
{
    unsigned i = 0, last = EMIT_CELLS - v->wide;
    uint64_t mask = v->wide ? 3 : 1;

    while (i < last && e->cells >> i & mask)
        i++;
    if (i == last) {
        e->failed = true;
        i = 0;
    }
    v->cell = (uint16_t)i;
    e->cells |= cell_bits(v);
}

static void stays_in_slot(struct emit *e, ir_ref root, int32_t slot);

static void spill(struct emit *e, struct val *v)
{
    if (v->kept) {
        stays_in_slot(e, e->gpr[v->reg], v->disp);
        return;
    }
    cell_take(e, v);
    if (v->kind == V_GPR) {
        as_st(&e->a, v->reg, RSP, v->cell * 8);
        e->gpr[v->reg] = IR_REF_NONE;
    } else {
        as_rm(&e->a, v->wide ? S_MOVUPS_ST : S_MOVQ_ST, v->reg, cell_mem(v));
        e->xmm[v->reg] = IR_REF_NONE;
    }
    v->kind = V_CELL;
}

/* rcx last: addresses and counts want it. */
static const uint8_t order[3] = {RAX, RDX, RCX};

unsigned val_scratch(struct emit *e, unsigned avoid)
{
    unsigned taboo = avoid | e->lock_gpr;
    int victim = -1;

    for (unsigned i = 0; i < 3; i++) {
        if (!(taboo >> order[i] & 1) && e->gpr[order[i]] == IR_REF_NONE) {
            e->lock_gpr |= 1u << order[i];
            return order[i];
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        if (!(taboo >> order[i] & 1) && (victim < 0 || e->val[e->gpr[order[i]]].kept))
            victim = order[i];
    }
    if (victim < 0) {
        e->failed = true;
        return RAX;
    }
    spill(e, &e->val[e->gpr[victim]]);
    e->lock_gpr |= 1u << victim;
    return (unsigned)victim;
}

unsigned val_scratch_xmm(struct emit *e, unsigned avoid)
{
    unsigned taboo = avoid | e->lock_xmm, count = e->ev->scratch_xmms, victim = count;

    for (unsigned i = 0; i < count; i++) {
        if (taboo >> i & 1)
            continue;
        if (e->xmm[i] == IR_REF_NONE) {
            e->lock_xmm |= 1u << i;
            return i;
        }
        victim = i;
    }
    if (victim == count) {
        e->failed = true;
        return 0;
    }
    spill(e, &e->val[e->xmm[victim]]);
    e->lock_xmm |= 1u << victim;
    return victim;
}

void val_take(struct emit *e, unsigned reg)
{
    struct val *v;

    if (e->gpr[reg] != IR_REF_NONE) {
        v = &e->val[e->gpr[reg]];
        for (unsigned i = 0; i < 3; i++) {
            unsigned to = order[i];

            if (to != reg && e->gpr[to] == IR_REF_NONE && !(e->lock_gpr >> to & 1)) {
                as_mov(&e->a, to, reg);
                e->gpr[to] = e->gpr[reg];
                e->gpr[reg] = IR_REF_NONE;
                v->reg = (uint8_t)to;
                break;
            }
        }
        if (e->gpr[reg] != IR_REF_NONE)
            spill(e, v);
    }
    e->lock_gpr |= 1u << reg;
}

void val_take_xmm(struct emit *e, unsigned reg)
{
    if (e->xmm[reg] != IR_REF_NONE)
        spill(e, &e->val[e->xmm[reg]]);
    e->lock_xmm |= 1u << reg;
}

/* ---- aliases of slots ---- */

static bool is_alias(const struct val *v)
{
    return v->kind == V_SLOT && v->uses;
}

static void alias_add(struct emit *e, ir_ref r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < e->aliases; i++) {
        if (is_alias(&e->val[e->alias[i]]))
            e->alias[n++] = e->alias[i];
    }
    if (n == EMIT_ALIAS) {
        e->failed = true;
        n = 0;
    }
    e->alias[n++] = r;
    e->aliases = n;
}

static int32_t size_of(const struct val *v)
{
    return v->wide ? 16 : 8;
}

static bool overlaps(const struct val *v, int32_t slot, int32_t size)
{
    return v->disp < slot + size && slot < v->disp + size_of(v);
}

/* What is in that scratch register stands in the slot too. */
static bool is_kept(const struct emit *e, unsigned reg, int32_t slot, unsigned size)
{
    const struct val *v = e->gpr[reg] == IR_REF_NONE ? NULL : &e->val[e->gpr[reg]];

    return v && v->kept && overlaps(v, slot, (int32_t)size);
}

bool val_alias_live(const struct emit *e, int32_t slot, unsigned size, unsigned except)
{
    for (unsigned i = 0; i < e->aliases; i++) {
        const struct val *v = &e->val[e->alias[i]];

        if (e->alias[i] != except && is_alias(v) && overlaps(v, slot, (int32_t)size))
            return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(e->gpr); i++) {
        if (is_kept(e, i, slot, size))
            return true;
    }
    return false;
}

/* The content of an xmm home, or of 16 bytes in memory. */
static void alias_move_xmm(struct emit *e, ir_ref r, bool to_cell)
{
    struct val *v = &e->val[r];
    unsigned home = home_of(e, v->disp), reg = home & HOME_REG, saved = e->lock_xmm;

    if (home && to_cell) {
        cell_take(e, v);
        as_rm(&e->a, v->wide ? S_MOVUPS_ST : S_MOVQ_ST, reg, cell_mem(v));
        v->kind = V_CELL;
        return;
    }
    reg = val_scratch_xmm(e, 0);
    val_xmm_to(e, r, reg);
    e->lock_xmm = saved;
    v->kind = V_XMM;
    v->reg = (uint8_t)reg;
    e->xmm[reg] = r;
    if (to_cell)
        spill(e, v);
}

/* The value no longer stands for its slot. */
static void alias_move(struct emit *e, ir_ref r, bool to_cell)
{
    struct val *v = &e->val[r];
    unsigned home = home_of(e, v->disp), reg = home & HOME_REG, saved = e->lock_gpr;

    if (home & HOME_XMM || v->wide) {
        alias_move_xmm(e, r, to_cell);
        return;
    }
    if (to_cell && home) {
        cell_take(e, v);
        as_st(&e->a, reg, RSP, v->cell * 8);
        v->kind = V_CELL;
        return;
    }
    if (home) {
        unsigned to = val_scratch(e, 0);

        as_mov(&e->a, to, reg);
        reg = to;
    } else {
        reg = val_scratch(e, 0);
        as_ld(&e->a, reg, RBP, v->disp);
    }
    e->lock_gpr = saved;
    v->kind = V_GPR;
    v->reg = (uint8_t)reg;
    e->gpr[reg] = r;
    if (to_cell)
        spill(e, v);
}

static void aliases_clear(struct emit *e, int32_t slot, unsigned size, unsigned except)
{
    for (unsigned i = 0; i < e->aliases; i++) {
        struct val *v = &e->val[e->alias[i]];

        if (e->alias[i] != except && is_alias(v) && overlaps(v, slot, (int32_t)size))
            alias_move(e, e->alias[i], false);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(e->gpr); i++) {
        if (is_kept(e, i, slot, size))
            e->val[e->gpr[i]].kept = false;
    }
}

void val_alias(struct emit *e, ir_ref r, bool boxed)
{
    const struct val *from = val_of(e, r);
    struct val *v = &e->val[e->at];

    v->boxed = boxed;
    if (from->kind == V_SLOT) {
        v->kind = V_SLOT;
        v->disp = from->disp;
        if (v->uses)
            alias_add(e, (ir_ref)e->at);
    } else {
        unsigned reg = val_scratch_xmm(e, 0);

        val_xmm_to(e, r, reg);
        val_set_xmm(e, reg, boxed);
    }
}

/* ---- operands ---- */

bool val_const(const struct emit *e, ir_ref r, int64_t *value)
{
    const struct ir_op *op = &e->ops[e->root[r]];

    if (op->op != IR_CONST)
        return false;
    *value = op->imm;
    return true;
}

bool val_imm32(const struct emit *e, ir_ref r, uint32_t w, int32_t *value)
{
    int64_t x;

    if (!val_const(e, r, &x) || (w && x != (int32_t)x))
        return false;
    *value = (int32_t)x;
    return true;
}

void val_gpr_to(struct emit *e, ir_ref r, unsigned reg)
{
    const struct val *v = val_of(e, r);
    unsigned home;

    switch (v->kind) {
    case V_CONST:
        as_imm(&e->a, reg, (uint64_t)e->ops[e->root[r]].imm);
        break;
    case V_GPR:
        as_mov(&e->a, reg, v->reg);
        break;
    case V_XMM:
        as_rr(&e->a, S_MOVQ_GX | O_W, v->reg, reg);
        break;
    case V_CELL:
        as_ld(&e->a, reg, RSP, v->cell * 8);
        break;
    case V_SLOT:
        home = home_of(e, v->disp);
        if (home & HOME_GPR)
            as_mov(&e->a, reg, home & HOME_REG);
        else if (home & HOME_XMM)
            as_rr(&e->a, S_MOVQ_GX | O_W, home & HOME_REG, reg);
        else
            as_ld(&e->a, reg, RBP, v->disp);
        break;
    default:
        e->failed = true;
    }
}

/* Its register, if it is in one of that class. */
static bool in_gpr(const struct emit *e, const struct val *v, unsigned *reg)
{
    unsigned home = v->kind == V_SLOT ? home_of(e, v->disp) : 0;

    *reg = v->kind == V_GPR ? v->reg : home & HOME_REG;
    return v->kind == V_GPR || home & HOME_GPR;
}

static bool in_xmm(const struct emit *e, const struct val *v, unsigned *reg)
{
    unsigned home = v->kind == V_SLOT ? home_of(e, v->disp) : 0;

    *reg = v->kind == V_XMM ? v->reg : home & HOME_REG;
    return v->kind == V_XMM || home & HOME_XMM;
}

static bool in_mem(const struct emit *e, const struct val *v, struct xmem *m)
{
    if (v->kind == V_CELL)
        *m = cell_mem(v);
    else if (v->kind == V_SLOT && !home_of(e, v->disp))
        *m = slot_mem(v->disp);
    else
        return false;
    return true;
}

unsigned val_gpr(struct emit *e, ir_ref r)
{
    const struct val *v = val_of(e, r);
    unsigned reg;

    if (in_gpr(e, v, &reg)) {
        e->lock_gpr |= 1u << reg;
        return reg;
    }
    reg = val_scratch(e, 0);
    val_gpr_to(e, r, reg);
    return reg;
}

void val_consume(struct emit *e, ir_ref r, unsigned reg)
{
    const struct val *v = val_of(e, r);

    if (v->kind == V_GPR && v->reg == reg && v->uses == 1) {
        e->lock_gpr |= 1u << reg;
        return;
    }
    val_take(e, reg);
    val_gpr_to(e, r, reg);
}

struct rm val_rm(struct emit *e, ir_ref r)
{
    struct rm rm = {.is_mem = true};

    if (in_mem(e, val_of(e, r), &rm.mem))
        return rm;
    return (struct rm){.reg = (uint8_t)val_gpr(e, r)};
}

void val_xmm_to(struct emit *e, ir_ref r, unsigned reg)
{
    const struct val *v = val_of(e, r);
    struct xmem m;
    unsigned from;

    if (in_xmm(e, v, &from)) {
        if (from != reg)
            as_rr(&e->a, S_MOVAPS, reg, from);
    } else if (in_mem(e, v, &m)) {
        as_rm(&e->a, v->wide ? S_MOVUPS_LD : S_MOVQ_LD, reg, m);
    } else if (v->kind == V_CONST && !e->ops[e->root[r]].imm) {
        as_rr(&e->a, S_XOR, reg, reg);
    } else {
        as_rr(&e->a, S_MOVQ_XG | O_W, reg, val_gpr(e, r));
    }
}

unsigned val_xmm(struct emit *e, ir_ref r)
{
    const struct val *v = val_of(e, r);
    unsigned reg;

    if (in_xmm(e, v, &reg)) {
        if (reg < e->ev->scratch_xmms)
            e->lock_xmm |= 1u << reg;
        return reg;
    }
    reg = val_scratch_xmm(e, 0);
    val_xmm_to(e, r, reg);
    return reg;
}

struct rm val_xmm_rm(struct emit *e, ir_ref r)
{
    struct rm rm = {.is_mem = true};

    if (in_mem(e, val_of(e, r), &rm.mem))
        return rm;
    return (struct rm){.reg = (uint8_t)val_xmm(e, r)};
}

void val_done(struct emit *e, ir_ref r)
{
    struct val *v;

    if (r == IR_REF_NONE)
        return;
    v = val_of(e, r);
    if (!v->uses || --v->uses)
        return;
    if (v->kind == V_GPR)
        e->gpr[v->reg] = IR_REF_NONE;
    else if (v->kind == V_XMM)
        e->xmm[v->reg] = IR_REF_NONE;
    else if (v->kind == V_CELL)
        e->cells_done |= cell_bits(v);
    else
        return;
    v->kind = V_NONE;
}

/* ---- results ---- */

static bool hint_home(const struct emit *e, unsigned class, unsigned *reg)
{
    const struct val *v = &e->val[e->at];
    unsigned home = v->hint >= 0 ? home_of(e, v->hint) : 0;

    *reg = home & HOME_REG;
    return (home & class) && v->wide == (bool)(home & HOME_WIDE) &&
           !val_alias_live(e, v->hint, v->wide ? 16 : 8, e->at);
}

unsigned val_dest(struct emit *e, unsigned avoid)
{
    unsigned reg;

    if (hint_home(e, HOME_GPR, &reg) && !(avoid >> reg & 1))
        return reg;
    for (unsigned i = 0; i < 3; i++) {
        /* Operands that ended here are still locked; their registers will do. */
        if (!(avoid >> order[i] & 1) && e->gpr[order[i]] == IR_REF_NONE)
            return order[i];
    }
    return val_scratch(e, avoid);
}

unsigned val_dest_xmm(struct emit *e, unsigned avoid)
{
    unsigned reg;

    if (hint_home(e, HOME_XMM, &reg) && !(avoid >> reg & 1))
        return reg;
    for (unsigned i = 0; i < e->ev->scratch_xmms; i++) {
        if (!(avoid >> i & 1) && e->xmm[i] == IR_REF_NONE)
            return i;
    }
    return val_scratch_xmm(e, avoid);
}

static void set_home(struct emit *e, struct val *v)
{
    v->kind = V_SLOT;
    v->disp = v->hint;
    alias_add(e, (ir_ref)e->at);
}

void val_set(struct emit *e, unsigned reg)
{
    struct val *v = &e->val[e->at];

    if (!v->uses)
        return;
    if (reg > RDX) {
        set_home(e, v);
        return;
    }
    v->kind = V_GPR;
    v->reg = (uint8_t)reg;
    e->gpr[reg] = (ir_ref)e->at;
}

void val_set_xmm(struct emit *e, unsigned reg, bool boxed)
{
    struct val *v = &e->val[e->at];

    v->boxed = boxed;
    if (!v->uses)
        return;
    if (reg >= e->ev->scratch_xmms) {
        set_home(e, v);
        return;
    }
    v->kind = V_XMM;
    v->reg = (uint8_t)reg;
    e->xmm[reg] = (ir_ref)e->at;
}

void val_set_pair(struct emit *e, unsigned low, unsigned high)
{
    struct val *v = &e->val[e->at];

    if (!v->uses)
        return;
    v->wide = true;
    cell_take(e, v);
    v->kind = V_CELL;
    as_st(&e->a, low, RSP, v->cell * 8);
    as_st(&e->a, high, RSP, v->cell * 8 + 8);
}

bool val_pair_mem(struct emit *e, ir_ref r, bool high, struct xmem *m)
{
    const struct val *v = val_of(e, r);

    *m = mem_at(RSP, v->cell * 8 + (high ? 8 : 0));
    return v->kind == V_CELL && v->wide;
}

/* ---- slots ---- */

void val_get(struct emit *e)
{
    struct val *v = &e->val[e->at];

    v->kind = V_SLOT;
    v->disp = (int32_t)e->ops[e->at].imm;
    if (v->uses)
        alias_add(e, (ir_ref)e->at);
}

static void store(struct emit *e, ir_ref r, struct xmem m, unsigned size)
{
    const struct val *v = val_of(e, r);
    int32_t imm;
    unsigned reg;

    if (in_xmm(e, v, &reg) && size >= 4) {
        as_rm(&e->a, size == 8 ? S_MOVQ_ST : S_MOVSS_ST, reg, m);
    } else if (size >= 4 && val_imm32(e, r, size == 8 ? O_W : 0, &imm)) {
        as_mov_mi(&e->a, size == 8 ? O_W : 0, m, imm);
    } else {
        reg = val_gpr(e, r);
        as_rm(&e->a, size == 8 ? X_STORE | O_W : size == 4 ? X_STORE : X_STORE16, reg, m);
    }
}

/* A register with the value, for a store. */
static void store_wide(struct emit *e, ir_ref r, struct xmem m)
{
    as_rm(&e->a, S_MOVUPS_ST, val_xmm(e, r), m);
}

static void put_to_home(struct emit *e, ir_ref r, unsigned home)
{
    int64_t x;

    if (home & HOME_XMM)
        val_xmm_to(e, r, home & HOME_REG);
    else if (val_const(e, r, &x))
        as_imm_f(&e->a, home & HOME_REG, (uint64_t)x);
    else
        val_gpr_to(e, r, home & HOME_REG);
}

/* What else the value is used for finds it in the slot. */
static void stays_in_slot(struct emit *e, ir_ref root, int32_t slot)
{
    struct val *v = &e->val[root];

    if (v->kind == V_GPR)
        e->gpr[v->reg] = IR_REF_NONE;
    else if (v->kind == V_XMM)
        e->xmm[v->reg] = IR_REF_NONE;
    else
        e->cells &= ~cell_bits(v);
    v->kind = V_SLOT;
    v->kept = false;
    v->disp = slot;
    alias_add(e, root);
}

void val_put(struct emit *e)
{
    const struct ir_op *op = &e->ops[e->at];
    unsigned size = ir_type_size((enum ir_type)op->type);
    int32_t slot = (int32_t)op->imm;
    ir_ref root = e->root[op->a];
    struct val *v = &e->val[root];
    unsigned home = home_of(e, slot);
    bool whole = (int32_t)size == size_of(v);

    if (home & HOME_XMM) {
        uint64_t bit = BIT(home & HOME_REG);

        e->boxed = v->boxed ? e->boxed | bit : e->boxed & ~bit;
    }
    if ((v->kind == V_SLOT || v->kept) && v->disp == slot && whole) {
        val_done(e, op->a);
        return;
    }
    aliases_clear(e, slot, size, root);
    if (v->lazy) { /* flags: it is written when somebody looks */
        val_done(e, op->a);
        return;
    }
    if (v->kind == V_SLOT && !whole && overlaps(v, slot, (int32_t)size) && v->uses > 1)
        alias_move(e, root, false);
    if (home)
        put_to_home(e, op->a, home);
    else if (size == 16)
        store_wide(e, op->a, slot_mem(slot));
    else
        store(e, op->a, slot_mem(slot), size);
    val_done(e, op->a);
    if (!v->uses || !whole)
        return;
    if (v->kind == V_GPR && !home) {
        v->kept = true;
        v->disp = slot;
    } else if (v->kind == V_GPR || v->kind == V_XMM || v->kind == V_CELL) {
        stays_in_slot(e, root, slot);
    }
}

void val_get_half(struct emit *e)
{
    unsigned home = home_of(e, (int32_t)e->ops[e->at].imm), d = val_dest(e, 0);

    as_rr(&e->a, S_PEXTRQ, home & HOME_REG, d);
    as_u8(&e->a, home & HOME_HIGH ? 1 : 0);
    val_set(e, d);
}

void val_put_half(struct emit *e)
{
    const struct ir_op *op = &e->ops[e->at];
    unsigned home = home_of(e, (int32_t)op->imm), reg = val_gpr(e, op->a);

    aliases_clear(e, (int32_t)op->imm, 8, IR_REF_NONE);
    as_rr(&e->a, S_PINSRQ, home & HOME_REG, reg);
    as_u8(&e->a, home & HOME_HIGH ? 1 : 0);
    val_done(e, op->a);
}

static void spill_all(struct emit *e)
{
    for (unsigned i = 0; i < ARRAY_SIZE(e->gpr); i++) {
        if (e->gpr[i] != IR_REF_NONE)
            spill(e, &e->val[e->gpr[i]]);
    }
    for (unsigned i = 0; i < e->ev->scratch_xmms; i++) {
        if (e->xmm[i] != IR_REF_NONE)
            spill(e, &e->val[e->xmm[i]]);
    }
}

void val_call(struct emit *e, bool writes_homes)
{
    spill_all(e);
    for (unsigned i = 0; i < e->aliases; i++) {
        struct val *v = &e->val[e->alias[i]];
        unsigned home = home_of(e, v->disp);

        /* Wide homes are what helpers compute in. */
        if (is_alias(v) && (writes_homes || !home || home & HOME_WIDE))
            alias_move(e, e->alias[i], true);
    }
    if (writes_homes)
        e->boxed = 0;
}

void val_block_begin(struct emit *e, const struct ir_block *b)
{
    (void)b;
    for (unsigned i = 0; i < ARRAY_SIZE(e->gpr); i++)
        e->gpr[i] = IR_REF_NONE;
    for (unsigned i = 0; i < ARRAY_SIZE(e->xmm); i++)
        e->xmm[i] = IR_REF_NONE;
    e->cells = e->cells_done = 0;
    e->aliases = 0;
    e->boxed = 0;
}
