/*
 * Unprivileged accesses of a kernel to its programs (Arm's LDTR, STTR): a guest's helper does them, and keeps
 * the pages that it met (struct lift_user_page). Pages of plain RAM that are there are accessed in generated
 * code.
 */
#include "core/vm.h"
#include "engine/jit/emit/x86_64/emit.h"

/* A field of the entry, whose offset in the vcpu rcx is. */
#define ENTRY(field)                                                                                         \
    mem_sum(RBP, RCX, 0, (int32_t)e->ev->lift->user.pages + (int32_t)offsetof(struct lift_user_page, field))

static unsigned log2_of(int64_t bytes)
{
    return (unsigned)__builtin_ctzll((uint64_t)bytes);
}

bool user_inline(const struct emit *e, const struct ir_op *op, int64_t *bytes)
{
    const struct lift_user *u = &e->ev->lift->user;

    return u->count && (op->imm == u->load || op->imm == u->store) && val_const(e, op->b, bytes) &&
           *bytes > 0 && *bytes <= 8 && !(*bytes & (*bytes - 1));
}

/* By the helper; rax is the offset in the page. c->a: log2 of the bytes, c->b: a store, c->x: the helper. */
static void cold_user(struct emit *e, const struct cold *c)
{
    const struct float_call *jumps = &e->floats[c->offset];

    for (unsigned i = 0; i < jumps->jumps; i++)
        as_patch(jumps->jump[i], e->a.p);
    as_rm(&e->a, X_ADD | O_W, RAX, ENTRY(va));
    as_imm(&e->a, RCX, UINT64_C(1) << c->a);
    if (c->b)
        as_ld(&e->a, RDX, RBP, WIDE_DISP(arg));
    emit_call_thunk(e, T_HELPER + c->x);
    if (e->uses_fp)
        emit_call_thunk(e, T_FP_LOAD);
    as_patch(as_jmp(&e->a), c->back);
}

static void cold_if(struct emit *e, struct float_call *f, unsigned cc)
{
    f->jump[f->jumps++] = as_jcc(&e->a, cc);
}

/* rcx: offset of the page's entry; rax: where in the page, if it is that page's and the access ends in it. */
static void find_page(struct emit *e, struct float_call *f, unsigned bytes, bool write)
{
    const struct lift_user *u = &e->ev->lift->user;

    as_mov(&e->a, RCX, RAX);
    as_shift_ri(&e->a, O_W, G_SHR, RCX, MEM_PAGE_BITS);
    as_rm(&e->a, X_LEA, RCX, mem_sum(RCX, RCX, 0, write));
    as_alu_ri(&e->a, 0, G_AND, RCX, u->count - 1);
    as_shift_ri(&e->a, 0, G_SHL, RCX, 6);
    as_rm(&e->a, X_SUB | O_W, RAX, ENTRY(va));
    as_alu_ri(&e->a, O_W, G_CMP, RAX, (int32_t)(MEM_PAGE_SIZE - bytes));
    cold_if(e, f, CC_A);
}

/* The entry is still true, and a page to be written is known to be. Changes rdx. */
static void check_page(struct emit *e, struct float_call *f, bool write)
{
    as_ld(&e->a, RDX, RBP, (int32_t)e->ev->lift->user.generation);
    as_rm(&e->a, X_CMP | O_W, RDX, ENTRY(generation));
    cold_if(e, f, CC_NE);
    as_ld(&e->a, RDX, RBP, VCPU_DISP(vm));
    as_ld(&e->a, RDX, RDX, (int32_t)(offsetof(struct vm, mem) + offsetof(struct mem, map)));
    as_rm(&e->a, X_CMP | O_W, RDX, ENTRY(map));
    cold_if(e, f, CC_NE);
    if (!write)
        return;
    as_rm(&e->a, X_LOAD | O_W, RDX, ENTRY(flags));
    as_cmp8_mi(&e->a, mem_at(RDX, 0), MEM_PAGE_DIRTY);
    cold_if(e, f, CC_NE);
}

void user_access(struct emit *e, const struct ir_op *op, unsigned bytes)
{
    static const uint32_t load[] = {X_MOVZX8, X_MOVZX16, X_LOAD, X_LOAD | O_W};
    static const uint32_t store[] = {X_STORE8, X_STORE16, X_STORE, X_STORE | O_W};
    bool write = op->imm == e->ev->lift->user.store;
    unsigned size = log2_of(bytes);
    struct float_call *f;

    if (e->float_count == EMIT_FLOATS) {
        e->failed = true;
        e->float_count = 0;
    }
    f = &e->floats[e->float_count++];
    *f = (struct float_call){0};
    if (write) {
        val_gpr_to(e, op->c, RDX);
        as_st(&e->a, RDX, RBP, WIDE_DISP(arg));
    }
    val_gpr_to(e, op->a, RAX);
    find_page(e, f, bytes, write);
    check_page(e, f, write);
    as_rm(&e->a, X_LOAD | O_W, RCX, ENTRY(host));
    if (write) {
        as_ld(&e->a, RDX, RBP, WIDE_DISP(arg));
        as_rm(&e->a, store[size], RDX, mem_sum(RCX, RAX, 0, 0));
    } else {
        as_rm(&e->a, load[size], RAX, mem_sum(RCX, RAX, 0, 0));
    }
    emit_cold(e, (struct cold){.fn = cold_user,
                               .a = (uint8_t)size,
                               .b = write,
                               .x = (uint32_t)op->imm,
                               .offset = (int32_t)(f - e->floats),
                               .back = e->a.p});
}
