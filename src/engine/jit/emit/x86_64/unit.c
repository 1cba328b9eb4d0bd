/*
 * Compiles a unit: a look over the operations for uses and destinations, one pass forward that emits, the
 * cold stubs behind it. Everything is emitted into a stage first, since its size is not known before.
 */
#include "engine/jit/emit/x86_64/emit.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/fmt.h"

/* ---- cold stubs, references to thunks ---- */

/*
 * Where a unit is entered: by the gate, at one of its blocks, rax the pc and rdx the block; by the far entry,
 * rax the pc; by the near one, which stands behind. Where gate and near entry are patched a whole instruction
 * of at least 5 bytes has to stand, in 8 aligned bytes.
 */
#define GATE       8
#define FAR_BYTES  10
#define FAR_OFFSET 38
#define NEAR       (FAR_OFFSET + FAR_BYTES)

void emit_cold(struct emit *e, struct cold c)
{
    c.block = (uint16_t)e->block;
    if (e->colds == EMIT_COLDS)
        e->failed = true;
    else
        e->cold[e->colds++] = c;
}

void emit_copy_ref(struct emit *e, uint8_t *rel32)
{
    if (e->copies == ARRAY_SIZE(e->copy)) {
        e->failed = true;
        return;
    }
    e->copy[e->copies].at = rel32;
    e->copy[e->copies++].block = e->block;
}

void emit_thunk_ref(struct emit *e, uint8_t *rel32, unsigned thunk)
{
    if (e->relocs == EMIT_RELOCS)
        e->failed = true;
    else
        e->reloc[e->relocs++] = (struct reloc){(uint32_t)(rel32 - e->stage), thunk};
}

uint32_t emit_where(const struct emit *e)
{
    unsigned refund = e->u->blocks[e->block].insns - (e->begun - 1) - (unsigned)e->synced;

    return (uint32_t)(e->offset & 0xffff) | refund << 16;
}

unsigned emit_access_level(const struct emit *e)
{
    for (unsigned level = 0; level < JIT_LEVELS; level++) {
        if (!jit_marked(e->jv, jit_key_access(e->page, (int16_t)e->offset, level)))
            return level;
    }
    return JIT_LEVELS;
}

static void leave_at(struct emit *e, uint32_t where, unsigned thunk)
{
    as_imm(&e->a, RCX, where);
    emit_jmp_thunk(e, thunk);
}

static void cold_leave(struct emit *e, const struct cold *c)
{
    leave_at(e, c->where, c->x);
}

/*
 * Out of budget before a block: the unit can be entered there again, so that a loop does not go on in a unit
 * of its own made from wherever it was interrupted.
 */
static void cold_budget(struct emit *e, const struct cold *c)
{
    as_imm(&e->a, RCX, c->where);
    emit_call_thunk(e, T_RESUME);
    as_lea_rip(&e->a, RDX, e->block_at[c->x]);
    as_jmp_to(&e->a, e->stage + GATE);
}

/* The instruction would be executed from its start by the interpreter. */
static void check_bail(struct emit *e)
{
    e->failed |= e->done;
}

void emit_bail_if(struct emit *e, unsigned cc)
{
    check_bail(e);
    emit_cold(
        e, (struct cold){.fn = cold_leave, .jump = as_jcc(&e->a, cc), .where = emit_where(e), .x = T_BAIL});
}

void emit_bail(struct emit *e)
{
    check_bail(e);
    leave_at(e, emit_where(e), T_BAIL);
}

/* ---- before emission: uses, aliases, destinations ---- */

/*
 * The extension of what 32-bit instructions of the host compute, which clears the rest of the register: with
 * zeros, or with the sign of what a shift to the right leaves.
 */
static bool is_extended(const struct ir_unit *u, const struct ir_op *op)
{
    const struct ir_op *in;

    if ((op->op != IR_SEXT && op->op != IR_ZEXT) || op->type != IRT_I64 || op->aux != 32)
        return false;
    in = &u->ops[op->a];
    if (in->type != IRT_I32)
        return false;
    switch (in->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_MUL:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        return op->op == IR_ZEXT;
    case IR_SHL:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
        return op->op == IR_ZEXT && u->ops[in->b].op == IR_CONST && u->ops[in->b].imm & 31;
    case IR_SHR:
        return u->ops[in->b].op == IR_CONST && u->ops[in->b].imm & 31;
    default:
        return false;
    }
}

static bool same_bits(const struct ir_unit *u, const struct ir_op *op)
{
    return is_extended(u, op) || op->op == IR_TRUNC || op->op == IR_ANYEXT || emit_flags_same(u, op) ||
           (op->op == IR_BITCAST && ir_type_size(ir_result_type(&u->ops[op->a])) <= 8 &&
            ir_type_size((enum ir_type)op->type) <= 8);
}

static bool has_float_home(const struct emit *e, const struct ir_op *op)
{
    if (op->op == IR_GET || op->op == IR_PUT)
        return home_of(e, (int32_t)op->imm) & HOME_XMM;
    return (op->op >= IR_FADD && op->op <= IR_UNBOX) || (op->op >= IR_VFADD && op->op <= IR_VFNARROW);
}

static void count_uses(struct emit *e, const struct ir_block *b)
{
    for (unsigned i = b->first; i < b->end; i++) {
        const struct ir_op *op = &e->ops[i];

        e->val[i] = (struct val){.hint = -1,
                                 .kind = op->op == IR_CONST ? V_CONST : V_NONE,
                                 .wide = ir_result_type(op) == IRT_V128};
        e->root[i] = (ir_ref)i;
        if (same_bits(e->u, op)) {
            e->root[i] = e->root[op->a];
            continue;
        }
        e->uses_fp |= has_float_home(e, op);
        if (op->a != IR_REF_NONE)
            e->val[e->root[op->a]].uses++;
        if (op->b != IR_REF_NONE)
            e->val[e->root[op->b]].uses++;
        if (op->c != IR_REF_NONE)
            e->val[e->root[op->c]].uses++;
    }
}

/* Neither leaves the unit nor reads or writes the slot. */
static bool minds_not(const struct ir_op *op, int32_t slot, unsigned size)
{
    switch (op->op) {
    case IR_GET:
    case IR_PUT:
        return op->imm >= slot + (int64_t)size ||
               op->imm + (int64_t)ir_type_size((enum ir_type)op->type) <= slot;
    case IR_BOX:
        return op->type == IRT_F32;
    case IR_CONST:
    case IR_INSN:
    case IR_PC:
    case IR_ADD:
    case IR_SUB:
    case IR_MUL:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR:
    case IR_SEXT:
    case IR_ZEXT:
    case IR_ANYEXT:
    case IR_TRUNC:
    case IR_BITCAST:
    case IR_SETCC:
    case IR_NOT:
    case IR_NEG:
    case IR_ANDN:
    case IR_ORN:
    case IR_XNOR:
    case IR_EXTRACT:
    case IR_SELECT:
        return true;
    default:
        return false;
    }
}

/* The slot may be written at operation p already, instead of at q. */
static bool window_clear(const struct emit *e, unsigned p, unsigned q, int32_t slot)
{
    unsigned size = ir_type_size((enum ir_type)e->ops[q].type);

    if (q - p > 8)
        return false;
    for (unsigned i = p + 1; i < q; i++) {
        if (!minds_not(&e->ops[i], slot, size))
            return false;
    }
    return true;
}

static bool computed(const struct emit *e, const struct ir_block *b, unsigned p)
{
    return p >= b->first && e->ops[p].op != IR_GET && e->ops[p].op != IR_CONST && e->val[p].hint < 0;
}

static void hint_put(struct emit *e, const struct ir_block *b, unsigned q)
{
    const struct ir_op *op = &e->ops[q];
    int32_t slot = (int32_t)op->imm;
    unsigned p = e->root[op->a];

    if (ir_type_size((enum ir_type)op->type) < 8 || !computed(e, b, p) || !window_clear(e, p, q, slot))
        return;
    e->val[p].hint = slot;
    while (home_of(e, slot) &&
           (e->ops[p].op == IR_SEXT || e->ops[p].op == IR_ZEXT || e->ops[p].op == IR_BOX)) {
        unsigned w = e->root[e->ops[p].a];

        if (!computed(e, b, w) || e->val[w].uses != 1 || !window_clear(e, w, q, slot))
            return;
        e->val[w].hint = slot;
        p = w;
    }
}

static void defer_shift(struct emit *e, const struct ir_op *add)
{
    ir_ref r[2] = {e->root[add->a], e->root[add->b]};

    for (unsigned i = 0; i < 2; i++) {
        const struct ir_op *s = &e->ops[r[i]];
        int64_t n;

        if (s->op == IR_SHL && s->type == IRT_I64 && e->val[r[i]].uses == 1 && val_const(e, s->b, &n) &&
            n >= 1 && n <= 3) {
            e->val[r[i]].lazy = true;
            e->val[r[i]].hint = -1;
            return;
        }
    }
}

/* A condition that only selects is no value. */
static void defer_condition(struct emit *e, const struct ir_op *select)
{
    ir_ref r = e->root[select->a];

    if ((e->ops[r].op == IR_SETCC || e->ops[r].op == IR_FCOND) && e->val[r].uses == 1 &&
        ir_type_size((enum ir_type)select->type) <= 8) {
        e->val[r].lazy = true;
        e->val[r].hint = -1;
    }
}

/* A pair that is only stored is two values to the store; compared and swapped, alike. */
static void defer_pair(struct emit *e, ir_ref pair)
{
    ir_ref r = e->root[pair];

    if (e->ops[r].op == IR_CONCAT && e->val[r].uses == 1)
        e->val[r].lazy = true;
}

/* Negations become part of a fused operation. */
static void defer_negations(struct emit *e, const struct ir_op *fma)
{
    const ir_ref r[2] = {e->root[fma->a], e->root[fma->c]};

    if (fma->type == IRT_F16)
        return;
    /* An operation that is left to the interpreter computes them itself: no harm. */
    for (unsigned i = 0; i < 2; i++) {
        if (e->ops[r[i]].op == IR_FNEG && e->val[r[i]].uses == 1) {
            e->val[r[i]].lazy = true;
            e->val[r[i]].hint = -1;
        }
    }
}

static void prepare(struct emit *e, const struct ir_block *b)
{
    count_uses(e, b);
    if (e->ev->lift->flags_slot)
        emit_flags_prepare(e, b);
    for (unsigned i = b->first; i < b->end; i++) {
        if (e->ops[i].op == IR_PUT)
            hint_put(e, b, i);
        else if (e->ops[i].op == IR_ADD && e->ops[i].type == IRT_I64)
            defer_shift(e, &e->ops[i]);
        else if ((e->ops[i].op == IR_STORE || e->ops[i].op == IR_SC) && e->ops[i].type == IRT_I128)
            defer_pair(e, e->ops[i].b);
        else if (e->ops[i].op == IR_SELECT)
            defer_condition(e, &e->ops[i]);
        else if (e->ops[i].op == IR_CAS && e->ops[i].type == IRT_I128)
            defer_pair(e, e->ops[i].b), defer_pair(e, e->ops[i].c);
        else if (e->ops[i].op == IR_FMADD)
            defer_negations(e, &e->ops[i]);
    }
}

/* ---- jumps ---- */

static int block_of(const struct emit *e, int32_t offset)
{
    for (unsigned i = 0; i < e->u->block_count; i++) {
        if (e->u->blocks[i].offset == offset)
            return (int)i;
    }
    return -1;
}

static void fix_add(struct emit *e, uint8_t *at, unsigned block)
{
    if (e->fixes == ARRAY_SIZE(e->fix)) {
        e->failed = true;
        return;
    }
    e->fix[e->fixes].at = at;
    e->fix[e->fixes++].block = block;
}

/* What an unlinked jump leads to: with the link's address, or (STUB_HASH behind) by the jump hash. */
static void cold_stub(struct emit *e, const struct cold *c)
{
    e->out[c->x].stub = (uint32_t)(e->a.p - e->stage);
    as_imm(&e->a, RCX, (uint32_t)c->offset);
    as_opcode(&e->a, 0xb8 | RDX | O_W, 0, 0, RDX, false);
    as_u64(&e->a, 0); /* filled in by finish() */
    emit_jmp_thunk(e, T_LINK);
    as_imm(&e->a, RCX, (uint32_t)c->offset);
    emit_jmp_thunk(e, T_HASH);
}

/* A jump that can be patched: its rel32 is aligned. */
static void jump_out(struct emit *e, int32_t offset)
{
    unsigned pad = -(unsigned)(uintptr_t)(e->a.p + 1) & 3;

    if (e->outs == EMIT_OUTS) {
        e->failed = true;
        return;
    }
    as_nop(&e->a, pad);
    e->out[e->outs].offset = offset;
    e->out[e->outs].site = (uint32_t)(as_jmp(&e->a) - e->stage);
    emit_cold(e,
              (struct cold){
                  .fn = cold_stub, .jump = e->stage + e->out[e->outs].site, .offset = offset, .x = e->outs});
    e->outs++;
}

static void hash_jump(struct emit *e)
{
    emit_thunk_ref(e, emit_hash_jump(&e->a), T_MISS);
}

/* Out of the unit. */
static void go_out(struct emit *e, int32_t offset)
{
    if (offset >= 0 && offset < (int32_t)MEM_PAGE_SIZE) {
        jump_out(e, offset);
        return;
    }
    as_ld(&e->a, RAX, RBP, VCPU_DISP(pc_page));
    as_alu_ri(&e->a, O_W, G_ADD, RAX, offset);
    hash_jump(e);
}

static void go(struct emit *e, int32_t offset)
{
    int b = block_of(e, offset);

    if (b < 0)
        go_out(e, offset);
    else if (b <= (int)e->block || e->copying)
        as_jmp_to(&e->a, e->block_at[b]);
    else if (b != (int)e->block + 1)
        fix_add(e, as_jmp(&e->a), (unsigned)b);
}

static void cold_out(struct emit *e, const struct cold *c)
{
    go_out(e, c->offset);
}

static void go_if(struct emit *e, unsigned cc, int32_t offset)
{
    int b = block_of(e, offset);

    if (b < 0)
        emit_cold(e, (struct cold){.fn = cold_out, .jump = as_jcc(&e->a, cc), .offset = offset});
    else if (b <= (int)e->block || e->copying)
        as_jcc_to(&e->a, cc, e->block_at[b]);
    else
        fix_add(e, as_jcc(&e->a, cc), (unsigned)b);
}

static void branch(struct emit *e, const struct ir_op *op, unsigned cc)
{
    int32_t taken = (int32_t)(op->imm >> 32), next = (int32_t)op->imm;

    if (block_of(e, taken) == (int)e->block + 1 && !e->copying) {
        go_if(e, cc ^ 1, next);
        return;
    }
    go_if(e, cc, taken);
    go(e, next);
}

/* The way to a block takes what the block does, less what is given back. */
static void cold_exit(struct emit *e, const struct cold *c)
{
    int b = block_of(e, c->offset);
    const struct ir_block *to = b < 0 ? NULL : &e->u->blocks[b];
    int32_t take = (to ? to->insns : 0) - (int32_t)c->x;

    if (take)
        as_alu_ri(&e->a, O_W, take < 0 ? G_ADD : G_SUB, BUDGET, take < 0 ? -take : take);
    if (!to) {
        go_out(e, c->offset);
        return;
    }
    if (take > 0)
        emit_cold(e, (struct cold){.fn = cold_budget,
                                   .jump = as_jcc(&e->a, CC_S),
                                   .where = (uint32_t)(to->offset & 0xffff) | (uint32_t)to->insns << 16,
                                   .x = (uint32_t)b});
    as_jmp_to(&e->a, e->body_at[b]);
}

/* Out of the middle of a block: the budget gets back what the rest of it would have taken. */
static void exit_if(struct emit *e, const struct ir_op *op, unsigned cc)
{
    uint32_t rest = e->u->blocks[e->block].insns - e->begun - (unsigned)e->synced;

    emit_cold(
        e, (struct cold){.fn = cold_exit, .jump = as_jcc(&e->a, cc), .offset = (int32_t)op->imm, .x = rest});
    val_done(e, op->a);
    val_done(e, op->b);
}

/* ---- instructions, calls ---- */

static void insn(struct emit *e, const struct ir_op *op)
{
    if (e->synced)
        as_alu_ri(&e->a, O_W, G_SUB, BUDGET, (int32_t)e->synced);
    e->synced = 0;
    e->offset = (int32_t)op->imm;
    e->begun++;
    e->insn_sites = 0;
    e->done = false;
    if (e->marks < ARRAY_SIZE(e->mark)) {
        e->mark[e->marks].at = (uint32_t)(e->a.p - e->stage);
        e->mark[e->marks++].offset = e->offset;
    }
}

static void sync(struct emit *e)
{
    unsigned rest = e->u->blocks[e->block].insns - e->begun, r = val_scratch(e, 0);

    as_ld(&e->a, r, RBP, VCPU_DISP(pc_page));
    if (e->offset)
        as_alu_ri(&e->a, O_W, G_ADD, r, e->offset);
    as_st(&e->a, r, RBP, VCPU_DISP(pc));
    if (rest && !e->synced)
        as_alu_ri(&e->a, O_W, G_ADD, BUDGET, (int32_t)rest);
    e->synced = rest;
}

static void call_helper(struct emit *e, const struct ir_op *op)
{
    if (op->a != IR_REF_NONE)
        val_gpr_to(e, op->a, RAX);
    if (op->b != IR_REF_NONE)
        val_gpr_to(e, op->b, RCX);
    if (op->c != IR_REF_NONE)
        val_gpr_to(e, op->c, RDX);
    emit_call_thunk(e, T_HELPER + (unsigned)op->imm);
    if (e->uses_fp)
        emit_call_thunk(e, T_FP_LOAD);
}

static bool call(struct emit *e, const struct ir_op *op)
{
    const struct ir_helper *h = &e->ev->lift->helpers[op->imm];
    int64_t bytes;

    if (op->imm >= T_COUNT - T_HELPER || op->type != IRT_I64)
        return false;
    val_call(e, h->flags & IR_H_WRITES);
    if (user_inline(e, op, &bytes))
        user_access(e, op, (unsigned)bytes);
    else
        call_helper(e, op);
    e->done = true;
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
    if (e->val[e->at].uses) {
        unsigned d = val_dest(e, 0);

        as_mov(&e->a, d, RAX);
        val_set(e, d);
    }
    return true;
}

/* Where it does not go on the interpreter executes the instruction and raises. */
static void guard(struct emit *e, const struct ir_op *op)
{
    struct rm ra = val_rm(e, op->a);

    if (ra.is_mem)
        as_alu_mi(&e->a, O_W, G_CMP, ra.mem, 0);
    else
        as_rr(&e->a, X_TEST | O_W, ra.reg, ra.reg);
    val_done(e, op->a);
    emit_bail_if(e, CC_NE);
}

bool emit_flow(struct emit *e, const struct ir_op *op)
{
    unsigned cc;

    switch (op->op) {
    case IR_INSN:
        insn(e, op);
        return true;
    case IR_SYNC:
        sync(e);
        return true;
    case IR_CALL:
        return call(e, op);
    case IR_JUMP:
        go(e, (int32_t)op->imm);
        return true;
    case IR_BRANCH:
        branch(e, op, emit_compare(e, op));
        return true;
    case IR_BRANCHF:
        if (!emit_flag_test(e, op, &cc))
            return false;
        branch(e, op, cc);
        return true;
    case IR_GUARD:
        guard(e, op);
        return true;
    case IR_EXIT:
        exit_if(e, op, emit_compare(e, op));
        return true;
    case IR_EXITF:
        if (!emit_flag_test(e, op, &cc))
            return false;
        exit_if(e, op, cc);
        return true;
    case IR_JUMPI:
        val_gpr_to(e, op->a, RAX);
        hash_jump(e);
        return true;
    case IR_DISPATCH:
        emit_jmp_thunk(e, T_DISPATCH);
        return true;
    default:
        return false;
    }
}

/* ---- blocks ---- */

static bool get(struct emit *e, const struct ir_op *op)
{
    unsigned size = ir_type_size((enum ir_type)op->type), home = home_of(e, (int32_t)(op->imm & ~7));

    if (home & HOME_HIGH) {
        if (op->type != IRT_I64 || !e->ev->cpu.sse41)
            return false;
        val_get_half(e);
        return true;
    }
    if (op->imm == e->ev->lift->flags_slot && op->imm)
        emit_flags_get(e);
    if ((home && op->imm & 7) || (size > 8 && (op->type != IRT_V128 || !(home & HOME_WIDE) != !home)))
        return false;
    val_get(e);
    return true;
}

/* Only the low bits of a home that is 16 bytes, or its upper half. */
static bool put_part(struct emit *e, const struct ir_op *op)
{
    if (op->imm & 7 || ir_type_size((enum ir_type)op->type) != 8 || !e->ev->cpu.sse41)
        return false;
    val_put_half(e);
    e->done = true;
    return true;
}

static bool put(struct emit *e, const struct ir_op *op)
{
    unsigned size = ir_type_size((enum ir_type)op->type), home = home_of(e, (int32_t)(op->imm & ~7));

    if (home & HOME_WIDE && size != 16)
        return put_part(e, op);
    if ((size > 8 && op->type != IRT_V128) || (home && (op->imm & 7 || size != (home & HOME_WIDE ? 16 : 8))))
        return false;
    val_put(e);
    if (op->imm == e->ev->lift->flags_slot && op->imm && !e->val[e->root[op->a]].lazy)
        emit_flags_put(e);
    e->done = true;
    return true;
}

static bool operation(struct emit *e, const struct ir_op *op)
{
    switch (op->op) {
    case IR_CONST:
        return true;
    case IR_GET:
        return get(e, op);
    case IR_PUT:
        return put(e, op);
    default:
        if (op->op >= IR_LOAD && op->op <= IR_FENCE)
            return emit_mem(e, op);
        if (op->op >= IR_FADD && op->op <= IR_UNBOX)
            return emit_float(e, op);
        if (op->op <= IR_SYNC || op->op >= IR_CALL)
            return emit_flow(e, op);
        if (op->op >= IR_VADD && op->op <= IR_VZEXT)
            return emit_vector(e, op);
        if (op->op >= IR_VFADD && op->op <= IR_VFNARROW)
            return emit_vector_float(e, op);
        if (op->op >= IR_VAES && op->op <= IR_CRC32)
            return emit_crypto(e, op);
        if (op->op >= IR_FLAGS && op->op <= IR_ADDC)
            return emit_flags(e, op);
        return emit_int(e, op);
    }
}

static void cold_fp_load(struct emit *e, const struct cold *c)
{
    emit_call_thunk(e, T_FP_LOAD);
    as_patch(as_jmp(&e->a), c->back);
}

static void block_head(struct emit *e, const struct ir_block *b)
{
    e->block_at[e->block] = e->a.p;
    if (e->block) {
        as_alu_ri(&e->a, O_W, G_SUB, BUDGET, b->insns);
    } else {
        as_rr(&e->a, 0x81 | O_W, G_SUB, BUDGET); /* 7 bytes: see emit_close() */
        as_u32(&e->a, b->insns);
    }
    emit_cold(e, (struct cold){.fn = e->block ? cold_budget : cold_leave,
                               .jump = as_jcc(&e->a, CC_S),
                               .where = (uint32_t)(b->offset & 0xffff) | (uint32_t)b->insns << 16,
                               .x = e->block ? e->block : T_BUDGET});
    e->body_at[e->block] = e->a.p;
}

static void block_body(struct emit *e, const struct ir_block *b)
{
    e->begun = 0;
    e->synced = 0;
    e->memos = 0;
    val_block_begin(e, b);
    for (unsigned i = b->first; i < b->end && !e->failed; i++) {
        e->at = i;
        e->lock_gpr = e->lock_xmm = 0;
        e->cells &= ~e->cells_done;
        e->cells_done = 0;
        if (e->a.end - e->a.p < ASM_SLACK) {
            e->failed = true;
        } else if (e->root[i] == i && !operation(e, &e->ops[i])) {
            emit_bail(e);
            break;
        }
    }
}

/* Instructions of one turn when the block leads back to itself: it may hold several turns. */
static unsigned loop_insns(const struct emit *e, const struct ir_block *b)
{
    const struct ir_op *end = &e->ops[b->end - 1];
    unsigned turns = 0;

    if (end->op == IR_JUMP ? end->imm != b->offset
                           : (end->op != IR_BRANCH && end->op != IR_BRANCHF) || end->imm >> 32 != b->offset)
        return 0;
    for (unsigned i = b->first; i < b->end; i++)
        turns += e->ops[i].op == IR_INSN && e->ops[i].imm == b->offset;
    return turns ? b->insns / turns : 0;
}

static void block(struct emit *e, const struct ir_block *b)
{
    e->loop_insns = loop_insns(e, b);
    block_head(e, b);
    group_find(e, b);
    group_checks(e);
    block_body(e, b);
}

static void fp_check(struct emit *e)
{
    struct cold c = {.fn = cold_fp_load};

    if (!e->uses_fp)
        return;
    as_cmp8_mi(&e->a, mem_at(RBP, OWN_DISP(fp_live)), 0);
    c.jump = as_jcc(&e->a, CC_E);
    c.back = e->a.p;
    emit_cold(e, c);
}

static void entries(struct emit *e)
{
    as_u64(&e->a, 0);                             /* whose code it is: see finish() */
    as_opcode(&e->a, 0x25 | O_W, 0, 0, 0, false); /* and rax, imm32 */
    as_u32(&e->a, 0u - (uint32_t)MEM_PAGE_SIZE);
    as_st(&e->a, RAX, RBP, VCPU_DISP(pc_page));
    fp_check(e);
    as_jmp_reg(&e->a, RDX);
    BUG_ON(e->a.p > e->stage + FAR_OFFSET);
    as_nop(&e->a, (unsigned)(e->stage + FAR_OFFSET - e->a.p));
    as_opcode(&e->a, 0x2d | O_W, 0, 0, 0, false); /* sub rax, imm32 */
    as_u32(&e->a, (uint32_t)e->u->blocks[0].offset);
    as_st(&e->a, RAX, RBP, VCPU_DISP(pc_page));
    BUG_ON(e->a.p != e->stage + NEAR);
    fp_check(e);
}

static void colds(struct emit *e, unsigned first)
{
    for (unsigned i = first; i < e->colds && !e->failed; i++) {
        if (e->a.end - e->a.p < ASM_SLACK) {
            e->failed = true;
            return;
        }
        if (e->cold[i].jump)
            as_patch(e->cold[i].jump, e->a.p);
        e->block = e->cold[i].block;
        e->cold[i].fn(e, &e->cold[i]);
    }
}

/* Blocks once more, without groups, for where a group's check fails. */
static void copies(struct emit *e)
{
    for (unsigned i = 0; i < e->copies && !e->failed; i++) {
        if (!i || e->copy[i].block != e->copy[i - 1].block) {
            const struct ir_block *b = &e->u->blocks[e->copy[i].block];

            e->block = e->copy[i].block;
            e->block_copy = e->a.p;
            e->loop_insns = loop_insns(e, b);
            prepare(e, b);
            block_body(e, b);
        }
        as_patch(e->copy[i].at, e->block_copy);
    }
}

static void emit_all(struct emit *e)
{
    unsigned done;

    for (unsigned i = 0; i < e->u->block_count; i++)
        prepare(e, &e->u->blocks[i]);
    entries(e);
    for (unsigned i = 0; i < e->u->block_count && !e->failed; i++) {
        e->block = i;
        block(e, &e->u->blocks[i]);
    }
    for (unsigned i = 0; i < e->fixes && !e->failed; i++)
        as_patch(e->fix[i].at, e->block_at[e->fix[i].block]);
    colds(e, 0);
    done = e->colds;
    e->copying = true;
    copies(e);
    colds(e, done);
    e->copying = false;
    /* Where a closed entry leads, see emit_close(): behind all stubs, those that stubs asked for too. */
    if (e->failed || e->a.end - e->a.p < ASM_SLACK)
        e->failed = true;
    else
        leave_at(e, (uint32_t)e->u->blocks[0].offset, T_NEXT);
}

/* ---- into code memory ---- */

static struct jit_code *finish(struct emit *e, uint32_t at, uint32_t size, struct jit_code *c)
{
    c->rw = e->jv->code.rw + at;
    c->rx = e->jv->code.rx + at;
    c->size = size;
    c->far = c->rx + FAR_OFFSET;
    c->near = c->rx + NEAR;
    c->link_count = e->outs;
    for (unsigned i = 0; i < e->outs; i++) {
        uint64_t link = (uintptr_t)&c->links[i];

        c->links[i] = (struct jit_link){.site = c->rw + e->out[i].site,
                                        .stub = c->rx + e->out[i].stub,
                                        .offset = e->out[i].offset,
                                        .from = c};
        memcpy(e->stage + e->out[i].stub + LINK_IMM, &link, sizeof(link));
    }
    for (unsigned i = 0; i < e->relocs; i++) {
        const uint8_t *from = c->rx + e->reloc[i].at + 4;
        int32_t rel = (int32_t)(e->ev->thunk[e->reloc[i].thunk] - from);

        memcpy(e->stage + e->reloc[i].at, &rel, sizeof(rel));
    }
    memcpy(e->stage, &c, sizeof(c));
    memcpy(c->rw, e->stage, size);
    return c;
}

static void start(struct emit *e, struct vcpu *v, const struct unit *u, const struct ir_unit *ir)
{
    e->jv = jit_of(v->vm);
    e->ev = e->jv->emit;
    e->v = v;
    e->u = ir;
    e->ops = ir->ops;
    e->failed = e->uses_fp = false;
    e->a = (struct as){e->stage, e->stage + EMIT_STAGE};
    e->float_count = e->fixes = e->colds = e->relocs = e->outs = e->marks = e->copies = 0;
    e->copying = false;
    e->page = u->gpa & TLB_PAGE_MASK;
    e->bank = soft_bank(ir->mode) * SOFT_SITES;
}

int emit_unit(struct vcpu *v, const struct unit *u, const struct ir_unit *ir, struct jit_code **out)
{
    struct emit *e = emit_of(v);
    struct jit_code *c;
    uint32_t size, at;

    start(e, v, u, ir);
    emit_all(e);
    if (e->failed)
        return -E2BIG;
    c = plat_alloc(sizeof(*c) + e->outs * sizeof(c->links[0]));
    if (!c)
        return -ENOMEM;
    size = (uint32_t)(e->a.p - e->stage);
    plat_lock(&e->jv->lock);
    at = jit_code_alloc(e->jv, size);
    plat_unlock(&e->jv->lock);
    if (at == UINT32_MAX) {
        plat_free(c);
        return -ENOSPC;
    }
    *out = finish(e, at, size, c);
    return 0;
}

/* ---- links and death: one aligned store each, other threads may be running there ---- */

static void store_rel32(uint8_t *site, const struct jit_code *c, const uint8_t *target)
{
    const uint8_t *rx = c->rx + (site - c->rw);

    __atomic_store_n((int32_t *)(void *)site, (int32_t)(target - (rx + 4)), __ATOMIC_RELEASE);
}

void emit_link(struct jit_link *l, const struct jit_code *to)
{
    store_rel32(l->site, l->from, to->near);
}

void emit_link_hash(struct jit_link *l)
{
    store_rel32(l->site, l->from, l->stub + STUB_HASH);
}

void emit_unlink(struct jit_link *l)
{
    store_rel32(l->site, l->from, l->stub);
}

static void patch_entry(struct jit_code *c, unsigned at, const uint8_t *to)
{
    uint64_t word;
    int64_t rel = to - (c->rx + at + 5);

    memcpy(&word, c->rw + at, 8);
    word = (word & ~UINT64_C(0xffffffffff)) | 0xe9 | (uint64_t)(uint32_t)rel << 8;
    __atomic_store_n((uint64_t *)(void *)(c->rw + at), word, __ATOMIC_RELEASE);
}

/*
 * The near entry's first 5 bytes become a jump to the last stub, the gate's a jump out. They lie in 8 aligned
 * bytes and are all of one instruction, so that a thread sees either the old or the new (AMD APM 2, 7.6.1:
 * asynchronous modification).
 */
void emit_close(struct jit_vm *jv, struct jit_code *c)
{
    const struct emit_vm *ev = jv->emit;
    uint32_t where;

    memcpy(&where, c->rw + c->size - CLOSED_BYTES + 1, sizeof(where)); /* behind the opcode, see leave_at() */
    BUG_ON(where != (c->unit->gpa & (MEM_PAGE_SIZE - 1)));
    patch_entry(c, NEAR, c->rx + (c->size - CLOSED_BYTES));
    patch_entry(c, GATE, ev->thunk[T_MISS]);
}

const void *emit_resume(struct vcpu *v, bool take)
{
    const void *resume = own_of(v)->resume;

    if (take)
        own_of(v)->resume = NULL;
    return resume;
}

struct jit_code *emit_busy(struct vcpu *v)
{
    const uint8_t *trailer = own_of(v)->busy;
    struct jit_vm *jv = jit_of(v->vm);
    struct jit_code *c;
    unsigned level = 0;
    gpa_t page;
    uint32_t where, at;

    if (LIKELY(!trailer))
        return NULL;
    own_of(v)->busy = NULL;
    memcpy(&where, trailer + TRAILER_WHERE, sizeof(where));
    memcpy(&at, trailer + TRAILER_AT, sizeof(at));
    if (at & TRAILER_FINAL)
        return NULL;
    memcpy(&c, trailer - at, sizeof(c));
    page = c->unit->gpa & TLB_PAGE_MASK;
    while (level < JIT_LEVELS - 1 && jit_marked(jv, jit_key_access(page, (int16_t)where, level)))
        level++;
    jit_mark(jv, jit_key_access(page, (int16_t)where, level));
    return c;
}

/* ---- traces ---- */

void emit_trace(struct vcpu *v, const struct unit *u, const struct jit_code *c)
{
    const struct emit *e = emit_of(v);
    unsigned m = 0;

    trace_write(&v->vm->log, "asm: unit gpa 0x%llx mode 0x%llx code %p size %u", (unsigned long long)u->gpa,
                (unsigned long long)u->mode, (const void *)c->rx, c->size);
    for (uint32_t at = 0; at < c->size;) {
        uint32_t end = m < e->marks ? e->mark[m].at : c->size;
        char hex[16 * 3 + 1];
        unsigned n = 0;

        if (at == end && m < e->marks) {
            trace_write(&v->vm->log, "asm: guest +0x%x", (unsigned)e->mark[m++].offset);
            continue;
        }
        for (; n < 16 && at + n < end; n++)
            fmt_snprintf(hex + 3 * n, 4, "%02x ", c->rw[at + n]);
        trace_write(&v->vm->log, "asm: %x: %s", at, hex);
        at += n;
    }
}
