/*
 * Memory accesses. Each site has a page slot: the address is checked against its page beside the access, not
 * in front of it: the access itself adds the slot's addend to the guest's own address operands. What misses
 * goes to a cold stub, which asks the soft TLB and refills the slot (thunks.c). Where that happens too often
 * the unit is compiled once more, with more at that site: a pair of slots, then a window of pages, then a
 * probe of the soft TLB.
 */
#include "engine/jit/emit/x86_64/emit.h"
#include "engine/soft/tlb.h"

/* The guest address as the instruction gives it: a register and a displacement. */
struct addr {
    uint8_t base; /* NO_REG: none */
    int32_t disp;
};

static struct addr addr_of(struct emit *e, const struct ir_op *op)
{
    struct addr at = {.disp = (int32_t)op->imm};
    int64_t x;
    unsigned r;

    if (val_const(e, op->a, &x) || op->imm != (int32_t)op->imm) {
        r = val_scratch(e, 1u << RCX);
        as_imm(&e->a, r, (uint64_t)op->imm);
        if (val_const(e, op->a, &x)) {
            as_imm(&e->a, r, (uint64_t)(x + op->imm));
        } else {
            struct rm rm = val_rm(e, op->a);

            as_r_rm(&e->a, X_ADD | O_W, r, rm);
        }
        return (struct addr){.base = (uint8_t)r};
    }
    at.base = (uint8_t)val_gpr(e, op->a);
    return at;
}

/* A move costs nothing. */
static void lea(struct emit *e, unsigned reg, unsigned base, int32_t disp)
{
    if (disp)
        as_rm(&e->a, X_LEA | O_W, reg, mem_at(base, disp));
    else
        as_mov(&e->a, reg, base);
}

static void lea_rcx(struct emit *e, unsigned base, int32_t disp)
{
    lea(e, RCX, base, disp);
}

/*
 * Site numbers of reads and writes never mix: a slot filled by a read says nothing about writing. A pair's
 * first is even.
 */
static unsigned number_of_own(struct emit *e, bool write, bool pair)
{
    enum { READS = SOFT_SITES_READ };
    uint32_t n = __atomic_load_n(&e->jv->sites[write], __ATOMIC_RELAXED);

    n += pair && n & 1;
    __atomic_store_n(&e->jv->sites[write], n + 1 + pair, __ATOMIC_RELAXED);
    return e->bank + (write ? READS + n % (SOFT_SITES - READS) : n % READS);
}

unsigned emit_site_number(struct emit *e, bool write)
{
    return number_of_own(e, write, false);
}

int32_t emit_site_disp(unsigned site)
{
    return SOFT_DISP(sites) + (int32_t)(site * sizeof(struct soft_site));
}

/* An instruction that a block holds several times has one slot. */
static unsigned site_number(struct emit *e, bool write, bool pair)
{
    struct memo m = {.offset = e->offset, .order = e->insn_sites++, .pair = pair};

    for (unsigned i = 0; i < e->memos; i++) {
        const struct memo *o = &e->memo[i];

        if (o->offset == m.offset && o->order == m.order && o->pair == m.pair)
            return o->site;
    }
    m.site = (uint16_t)number_of_own(e, write, pair);
    if (e->memos < ARRAY_SIZE(e->memo))
        e->memo[e->memos++] = m;
    return m.site;
}

/*
 * c->x: site number; a: base, d: log2 size, b: write. Behind the jump back stands what the thunk reads when
 * the access is none for it: offset and refund; and the site; and how far the unit's start is, with the top
 * bit set where nothing better than this is known.
 */
static void cold_miss(struct emit *e, const struct cold *c)
{
    uint32_t at;

    lea_rcx(e, c->a, (int32_t)c->offset);
    emit_call_thunk(e, (c->b ? T_WRITE : T_READ) + c->d);
    at = (uint32_t)(e->a.p - e->stage);
    as_patch(as_jmp(&e->a), c->back);
    as_u32(&e->a, c->where);
    as_u16(&e->a, c->x);
    as_u32(&e->a, at | (c->final ? TRAILER_FINAL : 0));
    as_u16(&e->a, c->weight);
}

/*
 * What a miss weighs, 65536 within a slice being too many. A probe at each access costs as much as a miss
 * each 14th time; how often an access comes by is known where it is in a loop of one block.
 */
static unsigned miss_weight(const struct emit *e)
{
    return e->loop_insns ? MIN(14 * e->loop_insns, 256u) : 256;
}

struct place {
    struct addr at;
    unsigned size; /* log2 */
    bool write;
    unsigned used; /* registers that are not to be written */
};

/* rcx: the slot's addend, when the address is on the slot's page. */
static uint8_t *by_slot(struct emit *e, const struct place *x, unsigned n)
{
    int32_t slot = emit_site_disp(n);
    uint8_t *miss;

    lea_rcx(e, x->at.base, x->at.disp);
    as_rm(&e->a, X_SUB | O_W, RCX, mem_at(RBP, slot + (int32_t)offsetof(struct soft_site, page)));
    as_alu_ri(&e->a, O_W, G_CMP, RCX, (int32_t)(MEM_PAGE_SIZE - (1u << x->size)));
    miss = as_jcc(&e->a, CC_A);
    as_rm(&e->a, X_LOAD | O_W, RCX, mem_at(RBP, slot + (int32_t)offsetof(struct soft_site, addend)));
    return miss;
}

/*
 * A scratch register, or a home, which is in its slot meanwhile: moves leave the flags alone, so that it is
 * back before the jump.
 */
struct loan {
    uint8_t reg;
    int32_t slot; /* 0: scratch */
};

static struct loan borrow(struct emit *e, struct place *x)
{
    static const uint8_t scratch[] = {RDX, RAX};

    for (unsigned i = 0; i < ARRAY_SIZE(scratch); i++) {
        if (!(x->used >> scratch[i] & 1)) {
            x->used |= 1u << scratch[i];
            val_take(e, scratch[i]);
            return (struct loan){scratch[i], 0};
        }
    }
    for (unsigned i = PIN_GPRS; i--;) {
        if (e->ev->pin_gpr[i] && !(x->used >> emit_pin_gpr[i] & 1)) {
            x->used |= 1u << emit_pin_gpr[i];
            as_st(&e->a, emit_pin_gpr[i], RBP, (int32_t)e->ev->pin_gpr[i]);
            return (struct loan){emit_pin_gpr[i], (int32_t)e->ev->pin_gpr[i]};
        }
    }
    e->failed = true;
    return (struct loan){RAX, 0};
}

static void give_back(struct emit *e, struct loan l)
{
    if (l.slot)
        as_ld(&e->a, l.reg, RBP, l.slot);
}

/*
 * The same with two slots, n and n + 1: which of them serves is no branch. The second has the upper page, so
 * that one subtraction says which.
 */
static uint8_t *by_pair(struct emit *e, struct place *x, unsigned n)
{
    struct xmem slot = mem_at(RBP, emit_site_disp(n));
    struct xmem addend = slot, slot2 = slot, addend2 = slot;
    struct loan r = borrow(e, x), s = borrow(e, x);

    addend.disp += (int32_t)offsetof(struct soft_site, addend);
    slot2.disp += (int32_t)sizeof(struct soft_site);
    addend2.disp = addend.disp + (int32_t)sizeof(struct soft_site);
    as_rm(&e->a, X_LOAD | O_W, RCX, addend);
    lea(e, r.reg, x->at.base, x->at.disp);
    as_mov(&e->a, s.reg, r.reg);
    as_rm(&e->a, X_SUB | O_W, r.reg, slot);
    as_rm(&e->a, X_SUB | O_W, s.reg, slot2);
    as_rm(&e->a, (X_CMOV + CC_AE) | O_W, RCX, addend2);
    as_rr(&e->a, (X_CMOV + CC_AE) | O_W, r.reg, s.reg);
    as_alu_ri(&e->a, O_W, G_CMP, r.reg, (int32_t)(MEM_PAGE_SIZE - (1u << x->size)));
    give_back(e, r);
    give_back(e, s);
    return as_jcc(&e->a, CC_A);
}

/* rcx: the addend of the soft TLB's first way: see tlb_set(), tlb_tag(). */
static uint8_t *by_probe(struct emit *e, struct place *x)
{
    int32_t tlb = x->write ? SOFT_DISP(write) : SOFT_DISP(read);
    struct loan s = borrow(e, x);
    uint8_t *miss;

    lea_rcx(e, x->at.base, x->at.disp);
    as_vrr(&e->a, V_RORX | O_W, s.reg, 0, RCX);
    as_u8(&e->a, MEM_PAGE_BITS + TLB_SET_BITS);
    as_shift_ri(&e->a, O_W, G_SHR, RCX, MEM_PAGE_BITS);
    as_rr(&e->a, X_ADD, RCX, s.reg);
    as_alu_ri(&e->a, 0, G_AND, RCX, TLB_SETS - 1);
    as_shift_ri(&e->a, 0, G_SHL, RCX, 5);
    as_rm(&e->a, X_LEA | O_W, s.reg, mem_at(x->at.base, x->at.disp + (1 << x->size) - 1));
    as_alu_ri(&e->a, O_W, G_AND, s.reg, -(int32_t)MEM_PAGE_SIZE);
    as_rm(&e->a, X_ADD | O_W, s.reg,
          mem_at(RBP, SOFT_DISP(ctx) + 8 * (int32_t)(x->write ? ACCESS_WRITE : ACCESS_READ)));
    as_rm(&e->a, X_CMP | O_W, s.reg, mem_sum(RBP, RCX, 0, tlb + (int32_t)offsetof(struct tlb_way, tag)));
    give_back(e, s);
    miss = as_jcc(&e->a, CC_NE);
    as_rm(&e->a, X_LOAD | O_W, RCX, mem_sum(RBP, RCX, 0, tlb + (int32_t)offsetof(struct tlb_way, addend)));
    return miss;
}

/*
 * rcx: the addend of the page in the window. *ends: the way out of an access that is not aligned and may
 * reach into the next page; NULL: none.
 */
static uint8_t *by_window(struct emit *e, const struct place *x, unsigned n, uint8_t **ends)
{
    unsigned w = soft_window_of(n);
    int32_t window = SOFT_DISP(windows) + (int32_t)(w * sizeof(struct soft_window));
    int32_t addends = SOFT_DISP(window_addend) + (int32_t)(w * SOFT_WINDOW_PAGES * sizeof(uint64_t));
    uint8_t *miss;

    lea_rcx(e, x->at.base, x->at.disp);
    as_rm(&e->a, X_SUB | O_W, RCX, mem_at(RBP, window + (int32_t)offsetof(struct soft_window, base)));
    if (x->size) {
        as_test8_ri(&e->a, RCX, (1u << x->size) - 1);
        *ends = as_jcc(&e->a, CC_NE);
    }
    as_rm(&e->a, X_CMP | O_W, RCX, mem_at(RBP, window + (int32_t)offsetof(struct soft_window, size)));
    miss = as_jcc(&e->a, CC_AE);
    as_shift_ri(&e->a, 0, G_SHR, RCX, MEM_PAGE_BITS);
    as_rm(&e->a, X_LOAD | O_W, RCX, mem_sum(RBP, RCX, 3, addends));
    return miss;
}

/* How an access finds its page. */
enum way { BY_SLOT, BY_PAIR, BY_WINDOW, BY_PROBE };

/* By what is known of the site. */
static enum way way_of(struct emit *e)
{
    unsigned tried = emit_access_level(e);

    return tried < JIT_LEVELS ? (enum way)tried : e->ev->cpu.bmi2 ? BY_PROBE : BY_SLOT;
}

/* Leaves in rcx what is to be added to the guest address. */
static void site(struct emit *e, struct place x, enum way way)
{
    unsigned n = site_number(e, x.write, way == BY_PAIR);
    struct cold c = {.fn = cold_miss,
                     .x = n | (way == BY_PAIR     ? TRAILER_PAIR
                               : way == BY_WINDOW ? TRAILER_WINDOW
                                                  : 0),
                     .offset = x.at.disp,
                     .a = x.at.base,
                     .d = (uint8_t)x.size,
                     .b = x.write,
                     .weight = (uint16_t)miss_weight(e)};

    uint8_t *ends = NULL;

    x.used |= 1u << x.at.base;
    c.jump = way == BY_SLOT     ? by_slot(e, &x, n)
             : way == BY_PAIR   ? by_pair(e, &x, n)
             : way == BY_WINDOW ? by_window(e, &x, n, &ends)
                                : by_probe(e, &x);
    c.back = e->a.p;
    e->failed |= e->done; /* it may end in a bail */
    c.where = emit_where(e);
    c.final = emit_access_level(e) == JIT_LEVELS;
    emit_cold(e, c);
    if (ends) {
        c.jump = ends;
        emit_cold(e, c);
    }
}

static void aligned(struct emit *e, struct addr at, unsigned size)
{
    unsigned r = at.base;

    if (!size)
        return;
    if (at.disp & ((1 << size) - 1)) {
        lea_rcx(e, at.base, at.disp);
        r = RCX;
    }
    as_test8_ri(&e->a, r, (1u << size) - 1);
    emit_bail_if(e, CC_NE);
}

static bool plain(const struct ir_op *op)
{
    unsigned size = op->aux & IR_MEM_SIZE;

    if (op->type == IRT_V128)
        return size == 4;
    if (op->type == IRT_F64 || op->type == IRT_F32)
        return size == (op->type == IRT_F64 ? 3 : 2);
    return (op->type == IRT_I64 || op->type == IRT_I32) && size <= 3;
}

static bool load(struct emit *e, const struct ir_op *op)
{
    static const uint32_t zero[] = {X_MOVZX8, X_MOVZX16, X_LOAD, X_LOAD | O_W};
    static const uint32_t sign[] = {X_MOVSX8, X_MOVSX16, X_MOVSXD, X_LOAD | O_W};
    unsigned size = op->aux & IR_MEM_SIZE, d;
    struct place x;
    struct addr at;
    struct xmem m;
    uint32_t code;

    if (!plain(op))
        return false;
    val_take(e, RCX);
    at = addr_of(e, op);
    if (op->aux & IR_MEM_ALIGNED)
        aligned(e, at, size);
    x = (struct place){.at = at, .size = size};
    if (!group_addend(e))
        site(e, x, way_of(e));
    val_done(e, op->a);
    m = mem_sum(at.base, RCX, 0, at.disp);
    if (op->type == IRT_V128 || op->type == IRT_F64 || op->type == IRT_F32) {
        d = val_dest_xmm(e, 0);
        as_rm(&e->a,
              op->type == IRT_V128  ? S_MOVUPS_LD
              : op->type == IRT_F64 ? S_MOVSD_LD
                                    : S_MOVSS_LD,
              d, m);
        val_set_xmm(e, d, false);
        return true;
    }
    code = zero[size];
    if (op->aux & IR_MEM_SIGNED && !(size == 2 && op->type == IRT_I32))
        code = sign[size] | (size < 2 ? width(op) : 0);
    d = val_dest(e, 0);
    as_rm(&e->a, code, d, m);
    val_set(e, d);
    return true;
}

static bool store(struct emit *e, const struct ir_op *op)
{
    static const uint32_t code[] = {X_STORE8, X_STORE16, X_STORE, X_STORE | O_W};
    unsigned size = op->aux & IR_MEM_SIZE, r = 0;
    bool is_float = op->type == IRT_V128 || op->type == IRT_F64 || op->type == IRT_F32, is_imm;
    struct place x;
    struct addr at;
    struct xmem m;
    int32_t imm;

    if (!plain(op))
        return false;
    val_take(e, RCX);
    at = addr_of(e, op);
    is_imm = !is_float && size >= 2 && val_imm32(e, op->b, size == 3 ? O_W : 0, &imm);
    if (is_float)
        r = val_xmm(e, op->b);
    else if (!is_imm)
        r = val_gpr(e, op->b);
    if (op->aux & IR_MEM_ALIGNED)
        aligned(e, at, size);
    x = (struct place){.at = at, .size = size, .write = true, .used = is_float || is_imm ? 0 : 1u << r};
    if (!group_addend(e))
        site(e, x, way_of(e));
    m = mem_sum(at.base, RCX, 0, at.disp);
    if (is_float)
        as_rm(&e->a,
              op->type == IRT_V128  ? S_MOVUPS_ST
              : op->type == IRT_F64 ? S_MOVSD_ST
                                    : S_MOVSS_ST,
              r, m);
    else if (is_imm)
        as_mov_mi(&e->a, size == 3 ? O_W : 0, m, imm);
    else
        as_rm(&e->a, code[size], r, m);
    if ((op->aux & (IR_MEM_ACQ | IR_MEM_REL)) == (IR_MEM_ACQ | IR_MEM_REL)) {
        as_u8(&e->a, 0xf0);
        as_alu_mi(&e->a, 0, G_OR, mem_at(RSP, -64), 0);
    }
    val_done(e, op->a);
    val_done(e, op->b);
    return true;
}

/* Two FP or vector values as one access of both. */
static bool store_two(struct emit *e, const struct ir_op *op)
{
    const ir_ref half[2] = {op->b, op->c};
    unsigned size = op->aux & IR_MEM_SIZE;
    uint32_t code = op->type == IRT_V128 ? S_MOVUPS_ST : op->type == IRT_F64 ? S_MOVSD_ST : S_MOVSS_ST;
    struct addr at;

    if (op->aux != size)
        return false;
    val_take(e, RCX);
    at = addr_of(e, op);
    if (!group_addend(e))
        site(e, (struct place){.at = at, .size = size, .write = true}, BY_SLOT);
    for (int i = 0; i < 2; i++) {
        as_rm(&e->a, code, val_xmm(e, half[i]), mem_sum(at.base, RCX, 0, at.disp + i * (1 << (size - 1))));
        val_done(e, half[i]);
    }
    val_done(e, op->a);
    return true;
}

/* Two registers as one access of 16 bytes, which nothing asks to be indivisible: CONCAT was left to us. */
static bool store_pair(struct emit *e, const struct ir_op *op)
{
    const struct ir_op *pair = &e->ops[e->root[op->b]];
    const ir_ref half[2] = {pair->a, pair->b};
    struct addr at;

    if (!e->val[e->root[op->b]].lazy || (op->aux & IR_MEM_SIZE) != 4)
        return false;
    val_take(e, RCX);
    at = addr_of(e, op);
    if (op->aux & IR_MEM_ALIGNED)
        aligned(e, at, 4);
    if (!group_addend(e))
        site(e, (struct place){.at = at, .size = 4, .write = true}, BY_SLOT);
    for (int i = 0; i < 2; i++) {
        struct xmem m = mem_sum(at.base, RCX, 0, at.disp + 8 * i);
        unsigned held = e->lock_gpr;
        int32_t imm;

        if (val_imm32(e, half[i], O_W, &imm))
            as_mov_mi(&e->a, O_W, m, imm);
        else
            as_rm(&e->a, X_STORE | O_W, val_gpr(e, half[i]), m);
        val_done(e, half[i]);
        e->lock_gpr = held; /* a register that the value was fetched into serves the other too */
    }
    val_done(e, op->a);
    val_done(e, op->b);
    return true;
}

/* ---- atomics: all scratch registers taken; rcx becomes the host address ---- */

/* The base in a home, or in rdx. */
static struct addr atomic_base(struct emit *e, const struct ir_op *op)
{
    struct addr at = {.base = RDX};
    unsigned home = 0;

    val_take(e, RCX);
    val_take(e, RAX);
    val_take(e, RDX);
    if (e->val[e->root[op->a]].kind == V_SLOT)
        home = home_of(e, e->val[e->root[op->a]].disp);
    if (home & HOME_GPR)
        at.base = home & HOME_REG;
    else
        val_gpr_to(e, op->a, RDX);
    return at;
}

static void atomic_address(struct emit *e, struct addr at, unsigned size, bool write)
{
    site(e, (struct place){.at = at, .size = size, .write = write}, BY_SLOT);
    as_rr(&e->a, X_ADD | O_W, RCX, at.base);
}

static void atomic_result(struct emit *e, uint32_t w)
{
    unsigned d = val_dest(e, 1u << RCX | 1u << RDX);

    if (d != RAX)
        as_rr(&e->a, X_LOAD | w, d, RAX);
    val_set(e, d);
}

/* rax: old value. rdx: the new one, by a loop on compare-and-swap. */
static void amo_loop(struct emit *e, const struct ir_op *op, unsigned kind, uint32_t w)
{
    static const uint32_t alu[] = {[IR_AMO_AND] = X_AND, [IR_AMO_OR] = X_OR, [IR_AMO_XOR] = X_XOR};
    static const uint8_t keep[] = {
        [IR_AMO_MINS] = CC_L, [IR_AMO_MAXS] = CC_G, [IR_AMO_MINU] = CC_B, [IR_AMO_MAXU] = CC_A};
    uint8_t *again;

    as_rm(&e->a, X_LOAD | w, RAX, mem_at(RCX, 0));
    again = e->a.p;
    val_gpr_to(e, op->b, RDX);
    if (kind <= IR_AMO_XOR) {
        as_rr(&e->a, alu[kind] | w, RDX, RAX);
    } else {
        as_rr(&e->a, X_CMP | w, RAX, RDX);
        as_rr(&e->a, (X_CMOV + keep[kind]) | w, RDX, RAX);
    }
    as_u8(&e->a, 0xf0);
    as_rm(&e->a, X_CMPXCHG | w, RDX, mem_at(RCX, 0));
    as_jcc_to(&e->a, CC_NE, again);
}

static bool amo(struct emit *e, const struct ir_op *op)
{
    unsigned size = op->aux & IR_MEM_SIZE, kind = op->aux >> IR_MEM_AMO_SHIFT;
    uint32_t w = size == 3 ? O_W : 0;
    struct addr at;

    if (size < 2 || size > 3 || (size == 3 && op->type == IRT_I32))
        return false;
    at = atomic_base(e, op);
    aligned(e, at, size);
    atomic_address(e, at, size, true);
    if (kind == IR_AMO_SWAP || kind == IR_AMO_ADD) {
        val_gpr_to(e, op->b, RAX);
        if (kind == IR_AMO_ADD)
            as_u8(&e->a, 0xf0);
        as_rm(&e->a, (kind == IR_AMO_ADD ? X_XADD : X_XCHG) | w, RAX, mem_at(RCX, 0));
    } else {
        amo_loop(e, op, kind, w);
    }
    val_done(e, op->a);
    val_done(e, op->b);
    atomic_result(e, w);
    return true;
}

/* cmpxchg16b wants the new value in rcx:rbx, the address elsewhere: two homes are put aside. */
static bool wide_compare_and_swap(struct emit *e, const struct ir_op *op)
{
    const struct ir_op *old = &e->ops[e->root[op->b]], *new = &e->ops[e->root[op->c]];
    const ir_ref half[4] = {new->a, new->b, old->a, old->b};
    struct addr at;

    if ((op->aux & IR_MEM_SIZE) != 4 || !e->ev->cpu.cx16 || !e->val[e->root[op->b]].lazy ||
        !e->val[e->root[op->c]].lazy)
        return false;
    at = atomic_base(e, op);
    aligned(e, at, 4);
    atomic_address(e, at, 4, true);
    for (unsigned i = 0; i < 4; i++) {
        val_gpr_to(e, half[i], RAX);
        as_st(&e->a, RAX, RBP, WIDE_DISP(arg) + 8 * (int32_t)i);
    }
    as_st(&e->a, RBX, RBP, WIDE_DISP(arg[2][0]));
    as_st(&e->a, RSI, RBP, WIDE_DISP(arg[2][1]));
    as_mov(&e->a, RSI, RCX);
    as_ld(&e->a, RBX, RBP, WIDE_DISP(arg[0][0]));
    as_ld(&e->a, RCX, RBP, WIDE_DISP(arg[0][1]));
    as_ld(&e->a, RAX, RBP, WIDE_DISP(arg[1][0]));
    as_ld(&e->a, RDX, RBP, WIDE_DISP(arg[1][1]));
    as_u8(&e->a, 0xf0);
    as_rm(&e->a, X_CMPXCHG16, 1, mem_at(RSI, 0));
    as_ld(&e->a, RBX, RBP, WIDE_DISP(arg[2][0]));
    as_ld(&e->a, RSI, RBP, WIDE_DISP(arg[2][1]));
    for (unsigned i = 0; i < 4; i++)
        val_done(e, half[i]);
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
    val_set_pair(e, RAX, RDX);
    return true;
}

/* rax: what is expected, then the old value; rdx: the new one. */
static bool compare_and_swap(struct emit *e, const struct ir_op *op)
{
    static const uint32_t code[] = {X_CMPXCHG8, X_CMPXCHG | O_66, X_CMPXCHG, X_CMPXCHG | O_W};
    static const uint32_t zero[] = {X_MOVZX8 | O_B, X_MOVZX16, X_LOAD};
    unsigned size = op->aux & IR_MEM_SIZE;
    struct addr at;

    if (op->type == IRT_I128)
        return wide_compare_and_swap(e, op);
    if ((op->type != IRT_I64 && op->type != IRT_I32) || size > 3 || (size == 3 && op->type == IRT_I32) ||
        op->aux & IR_MEM_SIGNED)
        return false;
    at = atomic_base(e, op);
    aligned(e, at, size);
    atomic_address(e, at, size, true);
    val_gpr_to(e, op->b, RAX);
    if (size < 3)
        as_rr(&e->a, zero[size], RAX, RAX);
    val_gpr_to(e, op->c, RDX);
    as_u8(&e->a, 0xf0);
    as_rm(&e->a, code[size], RDX, mem_at(RCX, 0));
    val_done(e, op->a);
    val_done(e, op->b);
    val_done(e, op->c);
    atomic_result(e, O_W);
    return true;
}

static bool load_reserved(struct emit *e, const struct ir_op *op)
{
    static const uint32_t zero[] = {X_MOVZX8, X_MOVZX16, X_LOAD, X_LOAD | O_W, X_LOAD | O_W};
    unsigned size = op->aux & IR_MEM_SIZE;
    struct addr at;

    if (size > 4 || (size == 4) != (op->type == IRT_I128) || (size == 3 && op->type == IRT_I32))
        return false;
    at = atomic_base(e, op);
    aligned(e, at, size);
    atomic_address(e, at, size, false);
    as_rm(&e->a, zero[size], RAX, mem_at(RCX, 0));
    as_st(&e->a, at.base, RBP, VCPU_DISP(resv_addr));
    as_st(&e->a, RAX, RBP, VCPU_DISP(resv_value));
    as_mov_mi(&e->a, O_W, mem_at(RBP, VCPU_DISP(resv_size)), 1 << size);
    val_done(e, op->a);
    if (size == 4) {
        as_ld(&e->a, RDX, RCX, 8);
        as_st(&e->a, RDX, RBP, VCPU_DISP(resv_high));
        val_set_pair(e, RAX, RDX);
    } else {
        atomic_result(e, size == 3 ? O_W : 0);
    }
    return true;
}

/* No reservation for this: fails without an access. */
static void cold_sc(struct emit *e, const struct cold *c)
{
    as_mov_mi(&e->a, O_W, mem_at(RBP, VCPU_DISP(resv_addr)), -1);
    as_imm(&e->a, RAX, 1);
    as_patch(as_jmp(&e->a), c->back);
}

/* Against the value that was reserved: flags as of cmpxchg. */
static void exchange_reserved(struct emit *e, const struct ir_op *op, unsigned size)
{
    static const uint32_t code[] = {X_CMPXCHG8, X_CMPXCHG | O_66, X_CMPXCHG, X_CMPXCHG | O_W};

    as_ld(&e->a, RAX, RBP, VCPU_DISP(resv_value));
    val_gpr_to(e, op->b, RDX);
    as_u8(&e->a, 0xf0);
    as_rm(&e->a, code[size], RDX, mem_at(RCX, 0));
    val_done(e, op->b);
}

/* Of 16 bytes: see wide_compare_and_swap(). */
static void exchange_reserved_pair(struct emit *e, const struct ir_op *op)
{
    const struct ir_op *new = &e->ops[e->root[op->b]];
    const ir_ref half[2] = {new->a, new->b};

    for (unsigned i = 0; i < 2; i++) {
        val_gpr_to(e, half[i], RAX);
        as_st(&e->a, RAX, RBP, WIDE_DISP(arg) + 8 * (int32_t)i);
        val_done(e, half[i]);
    }
    as_st(&e->a, RBX, RBP, WIDE_DISP(arg[2][0]));
    as_st(&e->a, RSI, RBP, WIDE_DISP(arg[2][1]));
    as_mov(&e->a, RSI, RCX);
    as_ld(&e->a, RBX, RBP, WIDE_DISP(arg[0][0]));
    as_ld(&e->a, RCX, RBP, WIDE_DISP(arg[0][1]));
    as_ld(&e->a, RAX, RBP, VCPU_DISP(resv_value));
    as_ld(&e->a, RDX, RBP, VCPU_DISP(resv_high));
    as_u8(&e->a, 0xf0);
    as_rm(&e->a, X_CMPXCHG16, 1, mem_at(RSI, 0));
    as_ld(&e->a, RBX, RBP, WIDE_DISP(arg[2][0]));
    as_ld(&e->a, RSI, RBP, WIDE_DISP(arg[2][1]));
    val_done(e, op->b);
}

static bool store_conditional(struct emit *e, const struct ir_op *op)
{
    unsigned size = op->aux & IR_MEM_SIZE;
    struct cold other = {.fn = cold_sc}, wide = {.fn = cold_sc};
    struct addr at;

    if (size > 4 || (size == 4 && (!e->ev->cpu.cx16 || !e->val[e->root[op->b]].lazy)))
        return false;
    at = atomic_base(e, op);
    aligned(e, at, size);
    as_rm(&e->a, X_CMP | O_W, at.base, mem_at(RBP, VCPU_DISP(resv_addr)));
    other.jump = as_jcc(&e->a, CC_NE);
    as_alu_mi(&e->a, O_W, G_CMP, mem_at(RBP, VCPU_DISP(resv_size)), 1 << size);
    wide.jump = as_jcc(&e->a, CC_NE);
    atomic_address(e, at, size, true);
    as_mov_mi(&e->a, O_W, mem_at(RBP, VCPU_DISP(resv_addr)), -1);
    if (size == 4)
        exchange_reserved_pair(e, op);
    else
        exchange_reserved(e, op, size);
    as_rr(&e->a, X_SETCC + CC_NE, 0, RAX);
    as_rr(&e->a, X_MOVZX8, RAX, RAX);
    other.back = wide.back = e->a.p;
    emit_cold(e, other);
    emit_cold(e, wide);
    val_done(e, op->a);
    atomic_result(e, 0);
    return true;
}

/*
 * The host orders all but a store before a later load (Intel SDM 3A, 9.2.3); a locked operation on a line of
 * our own stack costs less than mfence.
 */
static void fence(struct emit *e, const struct ir_op *op)
{
    unsigned pred = op->aux >> 4 & 15, succ = op->aux & 15;

    if (!(pred & (IR_FENCE_W | IR_FENCE_O)) || !(succ & (IR_FENCE_R | IR_FENCE_I)))
        return;
    as_u8(&e->a, 0xf0);
    as_alu_mi(&e->a, 0, G_OR, mem_at(RSP, -64), 0);
}

bool emit_mem(struct emit *e, const struct ir_op *op)
{
    switch (op->op) {
    case IR_LOAD:
        return load(e, op);
    case IR_STORE:
        return op->type == IRT_I128 ? store_pair(e, op) : store(e, op);
    case IR_STORE2:
        return store_two(e, op);
    case IR_CAS:
        return compare_and_swap(e, op) && (e->done = true);
    case IR_AMO:
        return amo(e, op) && (e->done = true);
    case IR_LR:
        return load_reserved(e, op);
    case IR_SC:
        return store_conditional(e, op) && (e->done = true);
    case IR_FENCE:
        fence(e, op);
        return true;
    default:
        return false;
    }
}
