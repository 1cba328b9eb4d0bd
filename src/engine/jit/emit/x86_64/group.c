/*
 * Groups: accesses of one block whose addresses are one slot's value at its head plus constants. One check at
 * the head says for all of them that they are on the page of one memory slot; each access then takes that
 * slot's addend. Where the check fails and the soft TLB has no entry that would make it hold, the block goes
 * on in a copy behind the unit in which each access is checked by itself. The check never walks page tables:
 * an access that an exit before it leaves undone has not touched them.
 */
#include "engine/jit/emit/x86_64/emit.h"
#include "engine/soft/tlb.h"

/* Bytes that a group may reach over; the more, the more often a page ends inside. */
#define GROUP_SPAN 1024

/* ---- addresses as a slot's value at the head of the block, plus a constant ---- */

static void affine_get(struct emit *e, unsigned i, const struct ir_op *op)
{
    if (op->type == IRT_I64)
        e->affine[i] = (struct affine){.slot = (int32_t)op->imm};
}

static void affine_add(struct emit *e, unsigned i, const struct ir_op *op)
{
    const struct affine *a = &e->affine[e->root[op->a]];
    int64_t k;

    if (op->type != IRT_I64 || a->slot < 0 || !val_const(e, op->b, &k))
        return;
    k += a->offset;
    if (k == (int16_t)k)
        e->affine[i] = (struct affine){.slot = a->slot, .offset = (int32_t)k};
}

static struct group *group_for(struct emit *e, int32_t slot, int32_t lo, int32_t hi)
{
    for (unsigned i = 0; i < e->groups; i++) {
        struct group *g = &e->group[i];

        if (g->slot == slot && MAX(g->hi, hi) - MIN(g->lo, lo) <= GROUP_SPAN) {
            g->lo = MIN(g->lo, lo);
            g->hi = MAX(g->hi, hi);
            return g;
        }
    }
    if (e->groups == ARRAY_SIZE(e->group))
        return NULL;
    e->group[e->groups] = (struct group){.slot = slot, .lo = lo, .hi = hi};
    return &e->group[e->groups++];
}

static void add_access(struct emit *e, unsigned i, const struct ir_op *op, bool sure)
{
    const struct affine *a = &e->affine[e->root[op->a]];
    int32_t lo = a->offset + (int32_t)op->imm;
    struct group *g;

    if (a->slot < 0 || op->imm != (int16_t)op->imm)
        return;
    g = group_for(e, a->slot, lo, lo + (1 << (op->aux & IR_MEM_SIZE)));
    if (!g)
        return;
    g->accesses += sure;
    g->write |= op->op != IR_LOAD;
    e->affine[i].group = (uint8_t)(g - e->group + 1);
}

static uint64_t slot_bit(const struct ir_op *op)
{
    return BIT(op->imm / 8 % 64);
}

static void look(struct emit *e, const struct ir_block *b)
{
    uint64_t written = 0; /* slots, several to a bit */
    bool calls = false, sure = true;

    e->groups = 0;
    for (unsigned i = b->first; i < b->end; i++) {
        const struct ir_op *op = &e->ops[i];

        e->affine[i] = (struct affine){.slot = -1};
        switch (op->op) {
        case IR_PUT:
            written |= slot_bit(op);
            break;
        case IR_GET:
            if (!(written & slot_bit(op)))
                affine_get(e, i, op);
            break;
        case IR_ADD:
            affine_add(e, i, op);
            break;
        case IR_LOAD:
        case IR_STORE:
        case IR_STORE2:
            if (!calls)
                add_access(e, i, op, sure);
            break;
        case IR_CALL: /* slots may change under it, and translations */
            written = UINT64_MAX;
            calls = true;
            break;
        case IR_EXIT:
        case IR_EXITF:
            sure = e->loop_insns;
            break;
        }
    }
}

void group_find(struct emit *e, const struct ir_block *b)
{
    unsigned worth = e->loop_insns ? 2 : 4;

    look(e, b);
    for (unsigned i = 0; i < e->groups; i++) {
        struct group *g = &e->group[i];

        g->site = g->accesses < worth ? -1 : (int)emit_site_number(e, g->write);
    }
}

/* ---- the check ---- */

static unsigned base_of(struct emit *e, const struct group *g)
{
    unsigned home = home_of(e, g->slot);

    if (home & HOME_GPR)
        return home & HOME_REG;
    as_ld(&e->a, RDX, RBP, g->slot);
    return RDX;
}

/*
 * A loop changes pages often enough that the soft TLB's first way is looked at here, as by_probe() in mem.c
 * does it. rcx: the address, which the thunk gets as it is where this finds nothing.
 */
static void refill(struct emit *e, const struct cold *c)
{
    int32_t slot = emit_site_disp(c->x), tlb = c->b ? SOFT_DISP(write) : SOFT_DISP(read);
    int32_t pages = SOFT_DISP(sites_pages) + 8 * (int32_t)(c->x >> SOFT_BLOCK_BITS);
    uint8_t *miss;

    emit_tlb_set(&e->a);
    as_mov(&e->a, RDX, RCX);
    as_alu_ri(&e->a, O_W, G_AND, RDX, -(int32_t)MEM_PAGE_SIZE);
    as_rm(&e->a, X_ADD | O_W, RDX,
          mem_at(RBP, SOFT_DISP(ctx) + 8 * (int32_t)(c->b ? ACCESS_WRITE : ACCESS_READ)));
    as_rm(&e->a, X_CMP | O_W, RDX, mem_sum(RBP, RAX, 0, tlb + (int32_t)offsetof(struct tlb_way, tag)));
    miss = as_jcc(&e->a, CC_NE);
    as_rm(&e->a, X_LOAD | O_W, RAX, mem_sum(RBP, RAX, 0, tlb + (int32_t)offsetof(struct tlb_way, addend)));
    as_alu_ri(&e->a, O_W, G_AND, RCX, -(int32_t)MEM_PAGE_SIZE);
    as_st(&e->a, RCX, RBP, slot + (int32_t)offsetof(struct soft_site, page));
    as_st(&e->a, RAX, RBP, slot + (int32_t)offsetof(struct soft_site, addend));
    as_shift_ri(&e->a, O_W, G_SHR, RCX, MEM_PAGE_BITS); /* soft_page_bit() */
    as_ld(&e->a, RDX, RBP, pages);
    as_rr(&e->a, X_BTS_MR | O_W, RCX, RDX);
    as_st(&e->a, RDX, RBP, pages);
    as_patch(as_jmp(&e->a), c->back);
    as_patch(miss, e->a.p);
}

/* c->x: site number, offset: lo, a: base, b: write; where: bytes; final: in a loop. */
static void cold_group(struct emit *e, const struct cold *c)
{
    uint8_t *ends;

    as_rm(&e->a, X_LEA | O_W, RCX, mem_at(c->a, (int32_t)c->offset));
    as_rm(&e->a, X_LEA | O_W, RAX, mem_at(c->a, (int32_t)(c->offset + (int32_t)c->where - 1)));
    as_rr(&e->a, X_XOR | O_W, RAX, RCX);
    as_alu_ri(&e->a, O_W, G_CMP, RAX, (int32_t)MEM_PAGE_SIZE - 1);
    ends = as_jcc(&e->a, CC_A);
    if (c->final)
        refill(e, c);
    emit_call_thunk(e, T_GROUP + c->b);
    as_patch(as_jmp(&e->a), c->back);
    as_u32(&e->a, 0);
    as_u16(&e->a, c->x);
    /* Here the thunk comes back to when it has nothing. */
    as_patch(ends, e->a.p);
    emit_copy_ref(e, as_jmp(&e->a));
}

bool group_checks(struct emit *e)
{
    bool any = false;

    for (unsigned i = 0; i < e->groups; i++) {
        const struct group *g = &e->group[i];
        int32_t span = g->hi - g->lo, slot = emit_site_disp((unsigned)g->site);
        struct cold c = {.fn = cold_group,
                         .offset = g->lo,
                         .where = (uint32_t)span,
                         .x = (uint32_t)g->site,
                         .b = g->write,
                         .final = e->loop_insns != 0};

        if (g->site < 0)
            continue;
        any = true;
        c.a = (uint8_t)base_of(e, g);
        if (g->lo)
            as_rm(&e->a, X_LEA | O_W, RCX, mem_at(c.a, g->lo));
        else
            as_mov(&e->a, RCX, c.a);
        as_rm(&e->a, X_SUB | O_W, RCX, mem_at(RBP, slot + (int32_t)offsetof(struct soft_site, page)));
        as_alu_ri(&e->a, O_W, G_CMP, RCX, (int32_t)MEM_PAGE_SIZE - span);
        c.jump = as_jcc(&e->a, CC_A);
        c.back = e->a.p;
        emit_cold(e, c);
    }
    return any;
}

bool group_addend(struct emit *e)
{
    unsigned n = e->copying ? 0 : e->affine[e->at].group;

    if (!n || e->group[n - 1].site < 0)
        return false;
    as_ld(&e->a, RCX, RBP,
          emit_site_disp((unsigned)e->group[n - 1].site) + (int32_t)offsetof(struct soft_site, addend));
    return true;
}
