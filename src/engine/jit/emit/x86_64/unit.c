/* One unit: blocks in order, then the cold stubs. */
#include "engine/jit/emit/x86_64/emit.h"
#include "core/vm.h"
#include "lib/err.h"

/* Instructions of one block see each other's values through slots only, unless passes made it otherwise. */
static void uses_scan(struct emit *e, const struct ir_block *b)
{
    for (unsigned i = b->first; i < b->end; i++) {
        e->last_use[i] = 0;
        e->uses[i] = 0;
        e->val[i] = (struct val){0};
    }
    for (unsigned i = b->first; i < b->end; i++) {
        const struct ir_op *op = &e->u->ops[i];
        const ir_ref refs[3] = {op->a, op->b, op->c};

        for (unsigned k = 0; k < 3; k++) {
            if (refs[k] == IR_REF_NONE)
                continue;
            e->last_use[refs[k]] = (uint16_t)i;
            e->uses[refs[k]] = (uint8_t)MIN(e->uses[refs[k]] + 1, 2);
        }
    }
}

static bool can(const struct ir_op *op)
{
    switch (op->op) {
    case IR_CONST:
    case IR_INSN:
    case IR_TRUNC:
    case IR_JUMP:
    case IR_JUMPI:
    case IR_SYNC:
    case IR_CALL:
    case IR_DISPATCH:
        return true;
    case IR_GET:
    case IR_PUT:
        return op->type == IRT_I64 || op->type == IRT_F64;
    case IR_BRANCH:
        return op->type == IRT_I64 || op->type == IRT_I32;
    default:
        return emit_int_can(op) || emit_fp_can(op) || emit_mem_can(op);
    }
}

/* Whether all operations of the instruction that begins at i have an inline form. */
static bool insn_can(const struct emit *e, unsigned i, unsigned end)
{
    for (i++; i < end && e->u->ops[i].op != IR_INSN; i++) {
        if (!can(&e->u->ops[i]))
            return false;
    }
    return true;
}

/* ---- leaving ---- */

static void jmp_to(struct emit *e, const uint8_t *rx)
{
    uint8_t *at = asm_jmp(&e->b);

    asm_patch(&e->b, at, e->jv->code.rw + (rx - e->jv->code.rx));
}

static void leave(struct emit *e, const uint8_t *where, uint32_t arg)
{
    asm_imm(&e->b, RAX, arg);
    jmp_to(e, where);
}

/*
 * To the pc in rcx by the jump hash, without leaving generated code on a hit. The index is that of
 * soft_jump_index().
 */
static void transition(struct emit *e)
{
    struct asm_buf *b = &e->b;
    const int32_t jumps = SOFT_DISP(jumps);
    uint8_t *miss;

    asm_mov(b, true, RAX, RCX);
    asm_mov(b, true, RDX, RCX);
    asm_shift_ri(b, true, SHIFT_SHR, RAX, 1);
    asm_shift_ri(b, true, SHIFT_SHR, RDX, 1 + SOFT_JUMP_BITS);
    asm_rr(b, false, 0x33, RAX, RDX);
    asm_alu_ri(b, false, ALU_AND, RAX, SOFT_JUMPS - 1);
    asm_shift_ri(b, false, SHIFT_SHL, RAX, 4);
    asm_mov(b, true, RDX, RCX);
    asm_rm(b, true, 0x33, RDX, RBP, SOFT_DISP(space));
    asm_rx(b, true, 0x3b, RDX, RBP, RAX, jumps + (int32_t)offsetof(struct soft_jump, key));
    miss = asm_jcc(b, CC_NE);
    asm_patch(b, miss, e->jv->code.rw + (e->jv->entry.leave_next - e->jv->code.rx));
    asm_alu_ri(b, true, ALU_AND, RCX, -(int32_t)MEM_PAGE_SIZE);
    asm_store(b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_rx(b, false, 0xff, 4, RBP, RAX, jumps + (int32_t)offsetof(struct soft_jump, target));
}

/* The block of the unit at offset, or -1. */
static int block_of(const struct emit *e, int32_t offset)
{
    for (unsigned i = 0; i < e->u->block_count; i++) {
        if (e->u->blocks[i].offset == offset)
            return (int)i;
    }
    return -1;
}

static void fix(struct emit *e, uint8_t *at, unsigned block)
{
    if (e->fixups == EMIT_FIXUPS) {
        e->failed = true;
        return;
    }
    e->fixup[e->fixups].at = at;
    e->fixup[e->fixups++].block = block;
}

static void go(struct emit *e, int32_t offset)
{
    int block = block_of(e, offset);

    if (block >= 0) {
        if ((unsigned)block != e->block + 1)
            fix(e, asm_jmp(&e->b), (unsigned)block);
        return;
    }
    asm_load(&e->b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_alu_ri(&e->b, true, ALU_ADD, RCX, offset);
    transition(e);
}

static void branch(struct emit *e, const struct ir_op *op)
{
    int32_t taken = (int32_t)(op->imm >> 32), other = (int32_t)op->imm;
    unsigned cc = emit_compare(e, op);
    int block = block_of(e, taken);

    if (block >= 0) {
        fix(e, asm_jcc(&e->b, cc), (unsigned)block);
        go(e, other);
        return;
    }
    if (block_of(e, other) >= 0) {
        fix(e, asm_jcc(&e->b, cc ^ 1), (unsigned)block_of(e, other));
        go(e, taken);
        return;
    }
    uint8_t *skip = asm_jcc(&e->b, cc);

    asm_load(&e->b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_alu_ri(&e->b, true, ALU_ADD, RCX, other);
    transition(e);
    asm_patch(&e->b, skip, e->b.p);
    asm_load(&e->b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_alu_ri(&e->b, true, ALU_ADD, RCX, taken);
    transition(e);
}

/* ---- slots ---- */

static void get(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];

    e->val[i] = (struct val){.where = V_SLOT, .disp = (int32_t)op->imm};
    if (op->imm % 8 == 0 && op->imm / 8 < JIT_SLOTS)
        e->alias_last[op->imm / 8] = MAX(e->alias_last[op->imm / 8], e->last_use[i]);
}

static void put(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    const struct val *v = &e->val[op->a];
    unsigned home = emit_home(e, (int32_t)op->imm), reg;

    if (home >= HOME_XMM)
        e->boxed &= ~BIT(home - HOME_XMM);
    if (home >= HOME_XMM && e->u->ops[op->a].op == IR_BOX)
        e->boxed |= BIT(home - HOME_XMM);
    if (v->where == V_REG || (v->where == V_SLOT && v->disp == op->imm))
        return;
    emit_unalias(e, i, (int32_t)op->imm);
    if (home >= HOME_XMM) {
        reg = emit_use_xmm(e, op->a, home - HOME_XMM);
        if (reg != home - HOME_XMM)
            asm_rr(&e->b, false, OP_0F | 0x28, home - HOME_XMM, reg);
    } else if (home) {
        reg = emit_use(e, op->a, home - HOME_GPR);
        asm_mov(&e->b, true, home - HOME_GPR, reg);
    } else if (op->type == IRT_F64) {
        reg = emit_use_xmm(e, op->a, 1);
        asm_rm(&e->b, false, PRE_66 | OP_0F | 0xd6, reg, RBP, (int32_t)op->imm);
    } else if (v->where == V_CONST && v->imm == (int32_t)v->imm) {
        asm_rm(&e->b, true, 0xc7, 0, RBP, (int32_t)op->imm);
        asm_u32(&e->b, (uint32_t)v->imm);
    } else {
        reg = emit_use(e, op->a, RCX);
        asm_store(&e->b, true, reg, RBP, (int32_t)op->imm);
    }
}

/* A value that is the same bits: TRUNC. */
static void same(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];

    e->val[i] = e->val[op->a];
    if (e->val[i].where == V_SLOT && e->val[i].disp % 8 == 0 && e->val[i].disp / 8 < JIT_SLOTS) {
        uint16_t *last = &e->alias_last[e->val[i].disp / 8];

        *last = MAX(*last, e->last_use[i]);
    } else if (e->val[i].where == V_ACC && e->last_use[i] > i + 1) {
        emit_keep(e, (ir_ref)i);
    }
}

/* ---- helpers ---- */

/* pc and count become those of the present instruction; what follows of the block is given back meanwhile. */
static void sync(struct emit *e)
{
    unsigned rest = e->refund - 1;

    asm_load(&e->b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_alu_ri(&e->b, true, ALU_ADD, RCX, e->insn_offset);
    asm_store(&e->b, true, RCX, RBP, VCPU_DISP(pc));
    if (rest)
        asm_alu_mi(&e->b, true, ALU_ADD, RBP, VCPU_DISP(budget), (int32_t)rest);
    e->given_back = rest;
    e->refund = 1;
}

static void unsync(struct emit *e)
{
    if (e->given_back)
        asm_alu_mi(&e->b, true, ALU_SUB, RBP, VCPU_DISP(budget), (int32_t)e->given_back);
    e->given_back = 0;
}

/* Operands in rax, rdx, rcx; the thunk of the helper does the rest. A helper that left leads out. */
static void call(struct emit *e, unsigned i)
{
    static const uint8_t regs[3] = {RAX, RDX, RCX};
    const struct ir_op *op = &e->u->ops[i];
    const ir_ref refs[3] = {op->a, op->b, op->c};
    struct cold *c = &e->cold[e->colds];
    uint8_t *at;

    if (e->colds == EMIT_COLDS || (size_t)op->imm >= JIT_HELPERS) {
        e->failed = true;
        return;
    }
    for (unsigned k = 0; k < 3; k++) {
        if (refs[k] != IR_REF_NONE && k)
            emit_keep(e, refs[k]); /* rax is the first one's */
    }
    for (unsigned k = 0; k < 3; k++) {
        if (refs[k] != IR_REF_NONE)
            asm_mov(&e->b, true, regs[k], emit_use(e, refs[k], regs[k]));
    }
    at = asm_call(&e->b);
    asm_patch(&e->b, at, e->jv->code.rw + (e->jv->entry.helper[op->imm] - e->jv->code.rx));
    asm_rm(&e->b, false, 0x80, 7, RBP, VCPU_DISP(leave));
    asm_byte(&e->b, 0);
    e->colds++;
    *c = (struct cold){.jump = asm_jcc(&e->b, CC_NE), .kind = COLD_LEAVE};
    if (e->uses[i]) {
        unsigned dst = emit_dest(e, i, RAX);

        asm_mov(&e->b, true, dst, RAX);
        emit_result(e, i, dst);
    }
}

/* On at v->pc, unless somebody wants the vCPU or a helper made an exit. */
static void dispatch(struct emit *e)
{
    const uint8_t *out = e->jv->code.rw + (e->jv->entry.leave_dispatch - e->jv->code.rx);

    asm_alu_mi(&e->b, false, ALU_CMP, RBP, VCPU_DISP(request), 0);
    asm_patch(&e->b, asm_jcc(&e->b, CC_NE), out);
    asm_alu_mi(&e->b, false, ALU_CMP, RBP, VCPU_DISP(exit.kind), EXIT_NONE);
    asm_patch(&e->b, asm_jcc(&e->b, CC_NE), out);
    asm_rm(&e->b, false, 0xc6, 0, RBP, VCPU_DISP(leave));
    asm_byte(&e->b, 0);
    asm_load(&e->b, true, RCX, RBP, VCPU_DISP(pc));
    transition(e);
}

/* ---- blocks ---- */

static void one(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];

    switch (op->op) {
    case IR_CONST:
        e->val[i] = (struct val){.where = V_CONST, .imm = op->imm};
        break;
    case IR_GET:
        get(e, i);
        break;
    case IR_PUT:
        put(e, i);
        break;
    case IR_TRUNC:
        same(e, i);
        break;
    case IR_JUMP:
        go(e, (int32_t)op->imm);
        break;
    case IR_BRANCH:
        branch(e, op);
        break;
    case IR_SYNC:
        sync(e);
        break;
    case IR_CALL:
        call(e, i);
        break;
    case IR_DISPATCH:
        dispatch(e);
        break;
    case IR_JUMPI:
        asm_mov(&e->b, true, RCX, emit_use(e, op->a, RCX));
        transition(e);
        break;
    default:
        if (!emit_int(e, i) && !emit_fp(e, i) && !emit_mem(e, i))
            e->failed = true;
        break;
    }
}

static void block_head(struct emit *e, const struct ir_block *b)
{
    struct cold *c = &e->cold[e->colds];

    if (e->colds == EMIT_COLDS) {
        e->failed = true;
        return;
    }
    asm_alu_mi(&e->b, true, ALU_SUB, RBP, VCPU_DISP(budget), b->insns);
    e->colds++;
    *c = (struct cold){.jump = asm_jcc(&e->b, CC_S),
                       .kind = COLD_BUDGET,
                       .where = (uint32_t)(uint16_t)b->offset | (uint32_t)b->insns << 16};
}

static void block(struct emit *e, unsigned n)
{
    const struct ir_block *b = &e->u->blocks[n];
    unsigned begun = 0;

    e->block = n;
    e->block_at[n] = e->b.p;
    e->cells = 0;
    e->given_back = 0;
    e->boxed = 0;
    memset(e->alias_last, 0, sizeof(e->alias_last));
    uses_scan(e, b);
    block_head(e, b);
    for (unsigned i = b->first; i < b->end; i++) {
        const struct ir_op *op = &e->u->ops[i];

        if (op->op == IR_INSN) {
            unsync(e);
            e->insn_offset = (int32_t)op->imm;
            e->refund = b->insns - begun++;
            if (!insn_can(e, i, b->end)) {
                leave(e, e->jv->entry.leave_bail, (uint32_t)(uint16_t)e->insn_offset | e->refund << 16);
                return;
            }
            continue;
        }
        one(e, i);
        if (e->failed || e->b.full)
            return;
    }
}

static void cold_stub(struct emit *e, const struct cold *c)
{
    uint8_t *at;

    asm_patch(&e->b, c->jump, e->b.p);
    if (c->kind == COLD_LEAVE) {
        jmp_to(e, e->jv->entry.leave_dispatch);
    } else if (c->kind == COLD_SITE) {
        asm_byte(&e->b, 0x68); /* push imm32: what a bail needs to know */
        asm_u32(&e->b, c->where);
        asm_rm(&e->b, true, 0x8d, RDX, RBP, (int32_t)c->site);
        at = asm_call(&e->b);
        asm_patch(&e->b, at, e->jv->code.rw + (e->jv->entry.probe[c->write][c->size] - e->jv->code.rx));
        at = asm_jmp(&e->b);
        asm_patch(&e->b, at, c->back);
    } else {
        leave(e, c->kind == COLD_BAIL ? e->jv->entry.leave_bail : e->jv->entry.leave_budget, c->where);
    }
}

/* The first bytes of a unit are one 8-byte aligned no-operation, for emit_close() to replace at once. */
static void entry_pad(struct emit *e)
{
    static const uint8_t nop8[8] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};

    for (unsigned i = 0; i < sizeof(nop8); i++)
        asm_byte(&e->b, nop8[i]);
}

/* Behind the entry, at a fixed place: where a closed unit leads to. */
#define CLOSED_AT 16

static void closed_exit(struct emit *e)
{
    struct asm_buf *b = &e->b;
    uint8_t *start = b->p, *over = asm_jmp(b);

    while ((b->p - start) < CLOSED_AT - 8 && !b->full)
        asm_byte(b, 0x90);
    asm_load(b, true, RCX, RBP, VCPU_DISP(pc_page));
    asm_alu_ri(b, true, ALU_ADD, RCX, e->u->blocks[0].offset);
    jmp_to(e, e->jv->entry.leave_next);
    asm_patch(b, over, b->p);
}

int emit_unit(struct jit_vm *jv, const struct vm *vm, const struct ir_unit *ir, uint8_t *rw,
              const uint8_t *rx, size_t room)
{
    struct emit *e = jv->emit;

    (void)vm, (void)rx;
    e->b = (struct asm_buf){rw, rw + room, false};
    e->jv = jv;
    e->u = ir;
    e->colds = e->fixups = 0;
    e->failed = false;
    entry_pad(e);
    closed_exit(e);
    for (unsigned i = 0; i < ir->block_count && !e->failed; i++)
        block(e, i);
    for (unsigned i = 0; i < e->colds && !e->failed; i++)
        cold_stub(e, &e->cold[i]);
    if (e->failed || e->b.full)
        return e->failed ? -ENOTSUP : -E2BIG;
    for (unsigned i = 0; i < e->fixups; i++)
        asm_patch(&e->b, e->fixup[i].at, e->block_at[e->fixup[i].block]);
    return (int)(e->b.p - rw);
}

void emit_close(struct jit_vm *jv, uint8_t *rw, const uint8_t *rx)
{
    /* jmp CLOSED_AT, padded: one aligned 8-byte store, which a running thread sees whole. */
    static const uint8_t jump[8] = {0xe9, CLOSED_AT - 5, 0, 0, 0, 0x90, 0x90, 0x90};
    uint64_t v;

    (void)jv, (void)rx;
    memcpy(&v, jump, sizeof(v));
    __atomic_store_n((uint64_t *)rw, v, __ATOMIC_SEQ_CST);
}
