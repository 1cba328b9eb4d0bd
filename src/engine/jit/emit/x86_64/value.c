/* Where values are: aliases of guest slots, constants, the accumulator, spill cells. */
#include "engine/jit/emit/x86_64/emit.h"

const uint8_t emit_pin_gpr[PIN_GPRS] = {RBX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15};

unsigned emit_home(const struct emit *e, int32_t slot)
{
    return slot >= 0 && slot % 8 == 0 && slot / 8 < JIT_SLOTS ? e->jv->home[slot / 8] : 0;
}

static struct val *val_of(struct emit *e, ir_ref r)
{
    return &e->val[r];
}

bool emit_in_gpr(const struct emit *e, const struct val *v, unsigned *reg)
{
    unsigned home;

    switch (v->where) {
    case V_ACC:
        *reg = RAX;
        return true;
    case V_REG:
        *reg = v->reg;
        return true;
    case V_SLOT:
        home = emit_home(e, v->disp);
        *reg = home - HOME_GPR;
        return home && home < HOME_XMM;
    default:
        return false;
    }
}

unsigned emit_use(struct emit *e, ir_ref r, unsigned scratch)
{
    const struct val *v = val_of(e, r);
    unsigned reg, home;

    if (emit_in_gpr(e, v, &reg))
        return reg;
    home = v->where == V_SLOT ? emit_home(e, v->disp) : 0;
    if (v->where == V_CONST)
        asm_imm(&e->b, scratch, (uint64_t)v->imm);
    else if (home)
        asm_rr(&e->b, true, PRE_66 | OP_0F | 0x7e, home - HOME_XMM, scratch); /* movq r, xmm */
    else
        asm_load(&e->b, true, scratch, RBP, v->disp);
    return scratch;
}

unsigned emit_use_xmm(struct emit *e, ir_ref r, unsigned scratch)
{
    const struct val *v = val_of(e, r);
    unsigned reg, home = v->where == V_SLOT ? emit_home(e, v->disp) : 0;

    if (v->where == V_ACC)
        return 0;
    if (v->where == V_REG)
        return v->reg;
    if (home >= HOME_XMM)
        return home - HOME_XMM;
    if (v->where == V_CONST) {
        asm_imm(&e->b, RCX, (uint64_t)v->imm);
        asm_rr(&e->b, true, PRE_66 | OP_0F | 0x6e, scratch, RCX);
    } else if (emit_in_gpr(e, v, &reg)) {
        asm_rr(&e->b, true, PRE_66 | OP_0F | 0x6e, scratch, reg); /* movq xmm, r */
    } else {
        asm_rm(&e->b, false, PRE_F3 | OP_0F | 0x7e, scratch, RBP, v->disp); /* movq xmm, m64 */
    }
    return scratch;
}

/* Operation i's only use is the PUT behind it, and nobody needs the slot's old value after that. */
static unsigned direct_home(const struct emit *e, unsigned i)
{
    const struct ir_op *put = &e->u->ops[i + 1];

    if (i + 1 >= e->u->op_count || put->op != IR_PUT || put->a != i || e->uses[i] != 1)
        return 0;
    if (put->imm % 8 || put->imm / 8 >= JIT_SLOTS || e->alias_last[put->imm / 8] > i + 1)
        return 0;
    return emit_home(e, (int32_t)put->imm);
}

unsigned emit_dest(struct emit *e, unsigned i, unsigned scratch)
{
    unsigned home = direct_home(e, i);

    return home && home < HOME_XMM ? home - HOME_GPR : scratch;
}

unsigned emit_dest_xmm(struct emit *e, unsigned i, unsigned scratch)
{
    unsigned home = direct_home(e, i);

    return home >= HOME_XMM ? home - HOME_XMM : scratch;
}

static int32_t cell(struct emit *e)
{
    if (e->cells == SOFT_TEMPS) {
        e->failed = true;
        e->cells = 0;
    }
    return SOFT_DISP(temps) + (int32_t)(e->cells++ * sizeof(u128));
}

/* The accumulator lives to the next operation only, and for it alone. */
static bool short_lived(const struct emit *e, unsigned i)
{
    return e->last_use[i] <= i + 1;
}

void emit_result(struct emit *e, unsigned i, unsigned reg)
{
    struct val *v = val_of(e, (ir_ref)i);

    if (reg != RAX && emit_dest(e, i, RAX) == reg) {
        *v = (struct val){.where = V_REG, .reg = (uint8_t)reg};
    } else if (short_lived(e, i)) {
        asm_mov(&e->b, true, RAX, reg);
        *v = (struct val){.where = V_ACC};
    } else {
        *v = (struct val){.where = V_CELL, .disp = cell(e)};
        asm_store(&e->b, true, reg, RBP, v->disp);
    }
}

void emit_result_xmm(struct emit *e, unsigned i, unsigned reg)
{
    struct val *v = val_of(e, (ir_ref)i);

    if (reg >= PIN_XMM_FIRST && emit_dest_xmm(e, i, 0) == reg) {
        *v = (struct val){.where = V_REG, .reg = (uint8_t)reg};
    } else if (short_lived(e, i)) {
        if (reg)
            asm_rr(&e->b, false, OP_0F | 0x28, 0, reg);
        *v = (struct val){.where = V_ACC};
    } else {
        *v = (struct val){.where = V_CELL, .disp = cell(e)};
        asm_rm(&e->b, false, PRE_66 | OP_0F | 0xd6, reg, RBP, v->disp);
    }
}

void emit_bail_if(struct emit *e, unsigned cc)
{
    struct cold *c = &e->cold[e->colds];

    if (e->colds == EMIT_COLDS) {
        e->failed = true;
        return;
    }
    e->colds++;
    *c = (struct cold){.jump = asm_jcc(&e->b, cc),
                       .kind = COLD_BAIL,
                       .where = (uint32_t)(uint16_t)e->insn_offset | e->refund << 16};
}

void emit_keep(struct emit *e, ir_ref r)
{
    struct val *v = val_of(e, r);

    if (v->where != V_ACC)
        return;
    *v = (struct val){.where = V_CELL, .disp = cell(e)};
    asm_store(&e->b, true, RAX, RBP, v->disp);
}

/* A slot is about to be overwritten: values that stand for its old content move to cells. */
void emit_unalias(struct emit *e, unsigned i, int32_t slot)
{
    unsigned first = e->u->blocks[e->block].first;

    if (slot % 8 || slot / 8 >= JIT_SLOTS || e->alias_last[slot / 8] <= i)
        return;
    for (unsigned k = first; k < i; k++) {
        struct val *v = val_of(e, (ir_ref)k);
        int32_t at;
        unsigned reg;

        if (v->where != V_SLOT || v->disp != slot || e->last_use[k] <= i)
            continue;
        at = cell(e);
        reg = emit_use(e, (ir_ref)k, RCX);
        asm_store(&e->b, true, reg, RBP, at);
        *v = (struct val){.where = V_CELL, .disp = at};
    }
    e->alias_last[slot / 8] = 0;
}
