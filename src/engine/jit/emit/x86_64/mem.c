/*
 * Memory accesses: a page slot for each site; a miss goes to a cold stub, which asks the soft TLB and
 * fills it. rcx
 * is the guest address, then the host address; rdx is clobbered, rax is not.
 */
#include "engine/jit/emit/x86_64/emit.h"

bool emit_mem_can(const struct ir_op *op)
{
    unsigned size = op->aux & IR_MEM_SIZE, amo = op->aux >> IR_MEM_AMO_SHIFT;

    switch (op->op) {
    case IR_LOAD:
        if (op->type == IRT_F64 || op->type == IRT_F32)
            return size == (op->type == IRT_F64 ? 3 : 2) && !(op->aux & IR_MEM_ALIGNED);
        return (op->type == IRT_I64 || op->type == IRT_I32) && size <= 3 && !(op->aux & IR_MEM_ALIGNED);
    case IR_STORE:
        if (op->type == IRT_F64 || op->type == IRT_F32)
            return size == (op->type == IRT_F64 ? 3 : 2) && !(op->aux & IR_MEM_ALIGNED);
        return (op->type == IRT_I64 || op->type == IRT_I32) && size <= 3 && !(op->aux & IR_MEM_ALIGNED);
    case IR_AMO:
        return (size == 2 || size == 3) && amo <= IR_AMO_MAXU;
    case IR_LR:
    case IR_SC:
        return size == 2 || size == 3;
    case IR_FENCE:
        return true;
    default:
        return false;
    }
}

/* rcx = host address of a + imm. */
static void address(struct emit *e, const struct ir_op *op, bool write, bool aligned)
{
    unsigned size = op->aux & IR_MEM_SIZE, ra;
    int32_t site = SOFT_DISP(sites) + (int32_t)(e->jv->site++ % SOFT_SITES * sizeof(struct soft_site));
    struct cold *c;

    if (op->imm == (int32_t)op->imm) {
        ra = emit_use(e, op->a, RCX);
        if (op->imm)
            asm_rm(&e->b, true, 0x8d, RCX, ra, (int32_t)op->imm);
        else
            asm_mov(&e->b, true, RCX, ra);
    } else {
        asm_imm(&e->b, RCX, (uint64_t)op->imm);
        ra = emit_use(e, op->a, RDX);
        asm_rr(&e->b, true, 0x03, RCX, ra);
    }
    if (aligned && size) {
        asm_rr8(&e->b, 0xf6, 0, RCX); /* test cl, imm8 */
        asm_byte(&e->b, (1u << size) - 1);
        emit_bail_if(e, CC_NE);
    }
    if (e->colds == EMIT_COLDS) {
        e->failed = true;
        return;
    }
    c = &e->cold[e->colds++];
    *c = (struct cold){.kind = COLD_SITE,
                       .site = (uint32_t)site,
                       .where = (uint32_t)(uint16_t)e->insn_offset | e->refund << 16,
                       .size = (uint8_t)size,
                       .write = write};
    asm_mov(&e->b, true, RDX, RCX);
    asm_rm(&e->b, true, 0x2b, RDX, RBP, site + (int32_t)offsetof(struct soft_site, page));
    asm_alu_ri(&e->b, true, ALU_CMP, RDX, (int32_t)(MEM_PAGE_SIZE - (1u << size)));
    c->jump = asm_jcc(&e->b, CC_A);
    asm_rm(&e->b, true, 0x03, RCX, RBP, site + (int32_t)offsetof(struct soft_site, addend));
    c->back = e->b.p;
}

static void load(struct emit *e, unsigned i)
{
    static const uint32_t zero[] = {OP_0F | 0xb6, OP_0F | 0xb7, 0x8b, 0x8b};
    static const uint32_t sign[] = {OP_0F | 0xbe, OP_0F | 0xbf, 0x63, 0x8b};
    const struct ir_op *op = &e->u->ops[i];
    unsigned size = op->aux & IR_MEM_SIZE, dst;
    bool is_signed = op->aux & IR_MEM_SIGNED;

    address(e, op, false, false);
    if (op->type == IRT_F64 || op->type == IRT_F32) {
        dst = emit_dest_xmm(e, i, 0);
        asm_rm(&e->b, false, op->type == IRT_F64 ? PRE_F2 | OP_0F | 0x10 : PRE_F3 | OP_0F | 0x10, dst, RCX,
               0);
        emit_result_xmm(e, i, dst);
        return;
    }
    dst = emit_dest(e, i, RAX);
    if (is_signed && !(size == 2 && op->type == IRT_I32))
        asm_rm(&e->b, true, sign[size], dst, RCX, 0);
    else
        asm_rm(&e->b, size == 3, zero[size], dst, RCX, 0);
    emit_result(e, i, dst);
}

static void store(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    unsigned size = op->aux & IR_MEM_SIZE, rb;

    address(e, op, true, false);
    if (op->type == IRT_F64 || op->type == IRT_F32) {
        rb = emit_use_xmm(e, op->b, 1);
        asm_rm(&e->b, false, op->type == IRT_F64 ? PRE_F2 | OP_0F | 0x11 : PRE_F3 | OP_0F | 0x11, rb, RCX, 0);
        return;
    }
    rb = emit_use(e, op->b, RDX);
    if (size == 0)
        asm_rm8(&e->b, 0x88, rb, RCX, 0);
    else
        asm_rm(&e->b, size == 3, size == 1 ? PRE_66 | 0x89 : 0x89, rb, RCX, 0);
}

static void lock_prefix(struct emit *e)
{
    asm_byte(&e->b, 0xf0);
}

/* Read-modify-write by an atomic instruction of the host, or a compare-and-swap loop. */
static void amo(struct emit *e, unsigned i)
{
    static const uint8_t alu[] = {[IR_AMO_AND] = ALU_AND, [IR_AMO_OR] = ALU_OR, [IR_AMO_XOR] = ALU_XOR};
    static const uint8_t keep_old[] = {
        [IR_AMO_MINS] = CC_L, [IR_AMO_MAXS] = CC_G, [IR_AMO_MINU] = CC_B, [IR_AMO_MAXU] = CC_A};
    const struct ir_op *op = &e->u->ops[i];
    bool w = (op->aux & IR_MEM_SIZE) == 3;
    unsigned kind = op->aux >> IR_MEM_AMO_SHIFT, rb, dst;
    uint8_t *again;

    emit_keep(e, op->b); /* the loop needs rax */
    address(e, op, true, true);
    if (kind == IR_AMO_SWAP || kind == IR_AMO_ADD) {
        rb = emit_use(e, op->b, RDX);
        asm_mov(&e->b, true, RDX, rb);
        if (kind == IR_AMO_ADD)
            lock_prefix(e);
        asm_rm(&e->b, w, kind == IR_AMO_ADD ? OP_0F | 0xc1 : 0x87, RDX, RCX, 0);
    } else {
        asm_load(&e->b, w, RAX, RCX, 0);
        again = e->b.p;
        rb = emit_use(e, op->b, RDX);
        asm_mov(&e->b, true, RDX, rb);
        if (kind >= IR_AMO_MINS) {
            asm_rr(&e->b, w, 0x3b, RAX, RDX);
            asm_rr(&e->b, w, OP_0F | 0x40 | keep_old[kind], RDX, RAX);
        } else {
            asm_rr(&e->b, w, 8u * alu[kind] + 3, RDX, RAX);
        }
        lock_prefix(e);
        asm_rm(&e->b, w, OP_0F | 0xb1, RDX, RCX, 0); /* cmpxchg */
        asm_patch(&e->b, asm_jcc(&e->b, CC_NE), again);
        asm_mov(&e->b, true, RDX, RAX);
    }
    dst = emit_dest(e, i, RAX);
    asm_mov(&e->b, true, dst, RDX);
    emit_result(e, i, dst);
}

static void load_reserved(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    bool w = (op->aux & IR_MEM_SIZE) == 3;
    unsigned ra, dst;

    address(e, op, false, true);
    asm_load(&e->b, w, RDX, RCX, 0);
    asm_store(&e->b, true, RDX, RBP, VCPU_DISP(resv_value));
    ra = emit_use(e, op->a, RCX);
    asm_store(&e->b, true, ra, RBP, VCPU_DISP(resv_addr));
    asm_rm(&e->b, true, 0xc7, 0, RBP, VCPU_DISP(resv_size));
    asm_u32(&e->b, w ? 8 : 4);
    dst = emit_dest(e, i, RAX);
    asm_mov(&e->b, true, dst, RDX);
    emit_result(e, i, dst);
}

/* A compare-and-swap with the value that was loaded; without a reservation the interpreter says no. */
static void store_conditional(struct emit *e, unsigned i)
{
    const struct ir_op *op = &e->u->ops[i];
    bool w = (op->aux & IR_MEM_SIZE) == 3;
    unsigned r, dst;

    emit_keep(e, op->a);
    emit_keep(e, op->b);
    r = emit_use(e, op->a, RCX);
    asm_rm(&e->b, true, 0x3b, r, RBP, VCPU_DISP(resv_addr));
    emit_bail_if(e, CC_NE);
    asm_alu_mi(&e->b, true, ALU_CMP, RBP, VCPU_DISP(resv_size), w ? 8 : 4);
    emit_bail_if(e, CC_NE);
    address(e, op, true, true);
    asm_load(&e->b, true, RAX, RBP, VCPU_DISP(resv_value));
    r = emit_use(e, op->b, RDX);
    lock_prefix(e);
    asm_rm(&e->b, w, OP_0F | 0xb1, r, RCX, 0);
    asm_rm(&e->b, true, 0xc7, 0, RBP, VCPU_DISP(resv_addr));
    asm_u32(&e->b, UINT32_MAX);
    asm_rr8(&e->b, OP_0F | 0x90 | CC_NE, 0, RAX);
    dst = emit_dest(e, i, RAX);
    asm_rr8(&e->b, OP_0F | 0xb6, dst, RAX);
    emit_result(e, i, dst);
}

/*
 * The host orders all but a store before a later load (Intel SDM 3A, 9.2.3); a locked operation on a line of
 * our own stack costs less than mfence.
 */
static void fence(struct emit *e, unsigned i)
{
    unsigned aux = e->u->ops[i].aux, pred = aux >> 4 & 15, succ = aux & 15;

    if (!(pred & (IR_FENCE_W | IR_FENCE_O)) || !(succ & (IR_FENCE_R | IR_FENCE_I)))
        return;
    lock_prefix(e);
    asm_alu_mi(&e->b, false, ALU_OR, RSP, -64, 0);
}

bool emit_mem(struct emit *e, unsigned i)
{
    switch (e->u->ops[i].op) {
    case IR_LOAD:
        load(e, i);
        return true;
    case IR_STORE:
        store(e, i);
        return true;
    case IR_AMO:
        amo(e, i);
        return true;
    case IR_LR:
        load_reserved(e, i);
        return true;
    case IR_SC:
        store_conditional(e, i);
        return true;
    case IR_FENCE:
        fence(e, i);
        return true;
    default:
        return false;
    }
}
