/* What generated code shares: the way in and out, the slow side of memory sites, calls of helpers. */
#include <cpuid.h>
#include "engine/jit/emit/x86_64/vector.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/fmt.h"

/* Frame of generated code: spill cells, and what makes rsp a multiple of 16. */
#define FRAME (EMIT_CELLS * 8 + 8)

static const uint8_t callee_saved[] = {RBX, RBP, R12, R13, R14, R15};

struct make {
    struct as a;
    struct jit_vm *jv;
    struct emit_vm *ev;
    uint8_t *leave; /* eax: enum jit_leave */
    uint8_t *fp_save, *flags, *window;
};

static void here(struct make *m, unsigned thunk)
{
    as_align(&m->a, 16);
    m->ev->thunk[thunk] = m->jv->code.rx + (m->a.p - m->jv->code.rw);
}

static uint8_t *rw_of(const struct make *m, unsigned thunk)
{
    return m->jv->code.rw + (m->ev->thunk[thunk] - m->jv->code.rx);
}

/* ---- homes ---- */

static bool call_clobbers(unsigned reg)
{
    return reg == RSI || reg == RDI || (reg >= R8 && reg <= R11);
}

static void homes(struct make *m, bool store, bool all)
{
    for (unsigned i = 0; i < PIN_GPRS; i++) {
        int32_t slot = (int32_t)m->ev->pin_gpr[i];

        if (!slot || !(all || call_clobbers(emit_pin_gpr[i])))
            continue;
        if (store)
            as_st(&m->a, emit_pin_gpr[i], RBP, slot);
        else
            as_ld(&m->a, emit_pin_gpr[i], RBP, slot);
    }
}

static void homes_xmm(struct make *m, bool store)
{
    uint32_t ld = m->ev->wide ? S_MOVUPS_LD : S_MOVQ_LD, st = m->ev->wide ? S_MOVUPS_ST : S_MOVQ_ST;

    for (unsigned i = 0; i < PIN_XMMS; i++) {
        int32_t slot = (int32_t)m->ev->pin_xmm[i];

        if (slot)
            as_rm(&m->a, store ? st : ld, m->ev->scratch_xmms + i, mem_at(RBP, slot));
    }
}

/*
 * Writes the xmm homes back, and the flags gathered in MXCSR (SDM volume 1, 10.2.3: IE DE ZE OE UE PE in bits
 * 0..5) as enum sf_flag. Changes rax, rdx.
 */
static void make_fp_save(struct make *m)
{
    uint8_t *none;
    static const uint8_t flag[6] = {16, 0, 8, 4, 2, 1};

    as_align(&m->a, 16);
    m->fp_save = m->a.p;
    as_rm(&m->a, 0xae | O_0F, 3, mem_at(RBP, OWN_DISP(mxcsr))); /* stmxcsr */
    as_rm(&m->a, X_LOAD, RAX, mem_at(RBP, OWN_DISP(mxcsr)));
    as_rr(&m->a, 0xf6, 0, RAX); /* test al, imm8 */
    as_u8(&m->a, 0x3d);
    none = as_jcc(&m->a, CC_E);
    for (unsigned i = 0; i < 6; i++) {
        uint8_t *skip;

        if (!flag[i])
            continue;
        as_rr(&m->a, 0xf6, 0, RAX);
        as_u8(&m->a, 1u << i);
        skip = as_jcc8(&m->a, CC_E);
        as_rm(&m->a, 0x80, G_OR, mem_at(RBP, m->ev->lift->fpflags_slot));
        as_u8(&m->a, flag[i]);
        as_patch8(skip, m->a.p);
    }
    as_patch(none, m->a.p);
    homes_xmm(m, true);
    as_mov8_mi(&m->a, mem_at(RBP, OWN_DISP(fp_live)), 0);
    as_ret(&m->a);
}

/* Changes nothing else. Flags gathered before are somebody else's. */
static void make_fp_load(struct make *m)
{
    uint8_t *live;

    here(m, T_FP_LOAD);
    as_cmp8_mi(&m->a, mem_at(RBP, OWN_DISP(fp_live)), 0);
    live = as_jcc(&m->a, CC_NE);
    as_rm(&m->a, 0xae | O_0F, 2, mem_at(RBP, OWN_DISP(mxcsr_default))); /* ldmxcsr */
    homes_xmm(m, false);
    as_mov8_mi(&m->a, mem_at(RBP, OWN_DISP(fp_live)), 1);
    as_patch(live, m->a.p);
    as_ret(&m->a);
}

/* ---- in and out ---- */

static void make_enter(struct make *m)
{
    as_align(&m->a, 16);
    m->jv->enter = (enum jit_leave(*)(struct vcpu *, const void *))(uintptr_t)(m->jv->code.rx +
                                                                               (m->a.p - m->jv->code.rw));
    for (unsigned i = 0; i < ARRAY_SIZE(callee_saved); i++)
        as_push(&m->a, callee_saved[i]);
    as_alu_ri(&m->a, O_W, G_SUB, RSP, FRAME);
    as_mov(&m->a, RBP, RDI);
    as_mov(&m->a, RCX, RSI);
    homes(m, false, true);
    as_ld(&m->a, BUDGET, RBP, VCPU_DISP(budget));
    as_ld(&m->a, RAX, RBP, VCPU_DISP(pc));
    as_jmp_reg(&m->a, RCX);
}

/* Flags that were put away otherwise are packed. */
static void flags_save(struct make *m)
{
    uint8_t *packed;

    if (!m->ev->lift->flags_slot)
        return;
    as_alu_mi(&m->a, 0, G_CMP, mem_at(RBP, OWN_DISP(flag_op)), FLAGS_PACKED);
    packed = as_jcc8(&m->a, CC_E);
    as_patch(as_call(&m->a), m->flags);
    as_patch8(packed, m->a.p);
}

static void make_leave(struct make *m)
{
    uint8_t *integer;

    here(m, T_FLAGS);
    m->flags = m->a.p;
    emit_flags_thunk(&m->a, m->ev);
    as_align(&m->a, 16);
    m->leave = m->a.p;
    flags_save(m);
    homes(m, true, true);
    as_st(&m->a, BUDGET, RBP, VCPU_DISP(budget));
    as_cmp8_mi(&m->a, mem_at(RBP, OWN_DISP(fp_live)), 0);
    integer = as_jcc8(&m->a, CC_E);
    as_mov(&m->a, RBX, RAX);
    as_patch(as_call(&m->a), m->fp_save);
    as_mov(&m->a, RAX, RBX);
    as_patch8(integer, m->a.p);
    as_alu_ri(&m->a, O_W, G_ADD, RSP, FRAME);
    for (unsigned i = ARRAY_SIZE(callee_saved); i--;)
        as_pop(&m->a, callee_saved[i]);
    as_ret(&m->a);
}

static void leave(struct make *m, enum jit_leave why)
{
    as_imm_f(&m->a, RAX, why);
    as_patch(as_jmp(&m->a), m->leave);
}

/* ecx: offset | refund << 16 */
static void make_leave_where(struct make *m, unsigned thunk, enum jit_leave why)
{
    here(m, thunk);
    as_mov32(&m->a, RAX, RCX);
    as_shift_ri(&m->a, 0, G_SHR, RAX, 16);
    as_rr(&m->a, X_ADD | O_W, BUDGET, RAX);
    as_rr(&m->a, X_MOVZX16, RCX, RCX);
    as_rm(&m->a, X_ADD | O_W, RCX, mem_at(RBP, VCPU_DISP(pc_page)));
    as_st(&m->a, RCX, RBP, VCPU_DISP(pc));
    leave(m, why);
}

/* See soft_jump_index() for the hash. */
uint8_t *emit_hash_jump(struct as *a)
{
    int32_t jumps = SOFT_DISP(jumps);
    uint8_t *miss;

    as_mov32(a, RCX, RAX);
    as_shift_ri(a, 0, G_SHR, RCX, SOFT_JUMP_BITS);
    as_rr(a, X_XOR, RCX, RAX);
    as_alu_ri(a, 0, G_AND, RCX, (SOFT_JUMPS - 1) << 1);
    as_ld(a, RDX, RBP, SOFT_DISP(space));
    as_rr(a, X_XOR | O_W, RDX, RAX);
    as_rm(a, X_CMP_MR | O_W, RDX, mem_sum(RBP, RCX, 3, jumps + (int32_t)offsetof(struct soft_jump, key)));
    miss = as_jcc(a, CC_NE);
    as_jmp_mem(a, mem_sum(RBP, RCX, 3, jumps + (int32_t)offsetof(struct soft_jump, target)));
    return miss;
}

static void make_ways_out(struct make *m)
{
    uint8_t *stop[2];

    make_leave_where(m, T_BUDGET, JIT_BUDGET);
    here(m, T_RESUME);
    as_pop(&m->a, RDX);
    as_st(&m->a, RDX, RBP, OWN_DISP(resume));
    as_patch(as_jmp(&m->a), rw_of(m, T_BUDGET));
    make_leave_where(m, T_BAIL, JIT_BAIL);
    here(m, T_NEXT);
    as_mov32(&m->a, RAX, RCX);
    as_rm(&m->a, X_ADD | O_W, RAX, mem_at(RBP, VCPU_DISP(pc_page)));
    here(m, T_MISS);
    as_st(&m->a, RAX, RBP, VCPU_DISP(pc));
    leave(m, JIT_NEXT);
    here(m, T_LINK);
    as_st(&m->a, RDX, RBP, OWN_DISP(link));
    as_rm(&m->a, X_ADD | O_W, RCX, mem_at(RBP, VCPU_DISP(pc_page)));
    as_st(&m->a, RCX, RBP, VCPU_DISP(pc));
    leave(m, JIT_LINK);
    here(m, T_HASH);
    as_mov32(&m->a, RAX, RCX);
    as_rm(&m->a, X_ADD | O_W, RAX, mem_at(RBP, VCPU_DISP(pc_page)));
    as_patch(emit_hash_jump(&m->a), rw_of(m, T_MISS));
    here(m, T_DISPATCH);
    as_alu_mi(&m->a, 0, G_CMP, mem_at(RBP, VCPU_DISP(exit.kind)), EXIT_NONE);
    stop[0] = as_jcc(&m->a, CC_NE);
    as_alu_mi(&m->a, 0, G_CMP, mem_at(RBP, VCPU_DISP(request)), 0);
    stop[1] = as_jcc(&m->a, CC_NE);
    as_ld(&m->a, RAX, RBP, VCPU_DISP(pc));
    as_patch(emit_hash_jump(&m->a), rw_of(m, T_MISS));
    as_patch(stop[0], m->a.p);
    as_patch(stop[1], m->a.p);
    leave(m, JIT_NEXT);
}

/* ---- memory sites ---- */

/*
 * Where code that generated code calls may use vector registers (builds with instrumentation), they are
 * saved around it; elsewhere it is compiled without them.
 */
#ifdef CV_LEAN
#define SAVE_BYTES 0
#else
#define SAVE_BYTES 256
#endif

static void save_vectors(struct make *m, bool store)
{
    if (!SAVE_BYTES)
        return;
    if (store)
        as_alu_ri(&m->a, O_W, G_SUB, RSP, SAVE_BYTES);
    for (unsigned i = 0; i < 16; i++)
        as_rm(&m->a, store ? S_MOVAPS | 1 : S_MOVAPS, i, mem_at(RSP, (int32_t)i * 16));
    if (!store)
        as_alu_ri(&m->a, O_W, G_ADD, RSP, SAVE_BYTES);
}

void emit_tlb_set(struct as *a)
{
    as_mov(a, RAX, RCX);
    as_shift_ri(a, O_W, G_SHR, RAX, MEM_PAGE_BITS);
    as_mov(a, RDX, RAX);
    as_shift_ri(a, O_W, G_SHR, RDX, TLB_SET_BITS);
    as_rr(a, X_ADD, RAX, RDX);
    as_alu_ri(a, 0, G_AND, RAX, TLB_SETS - 1);
    as_shift_ri(a, 0, G_SHL, RAX, 5);
}

/*
 * Looks in both ways of the soft TLB's set (tlb_tag()). rcx: guest address. What it gives is the
 * jump of a miss; on a hit, which it counts, it goes on with the addend in rdi. Changes rax, rdx, rsi.
 */
static uint8_t *probe(struct make *m, unsigned size, bool write)
{
    uint8_t *hit, *none;

    emit_tlb_set(&m->a);
    as_rm(&m->a, X_LEA | O_W, RDX, mem_at(RCX, (1 << size) - 1));
    as_alu_ri(&m->a, O_W, G_AND, RDX, -(int32_t)MEM_PAGE_SIZE);
    as_rm(&m->a, X_ADD | O_W, RDX,
          mem_at(RBP, SOFT_DISP(ctx) + 8 * (int32_t)(write ? ACCESS_WRITE : ACCESS_READ)));
    as_rm(&m->a, X_LEA | O_W, RSI, mem_sum(RBP, RAX, 0, write ? SOFT_DISP(write) : SOFT_DISP(read)));
    as_ld(&m->a, RDI, RSI, 8);
    as_rm(&m->a, X_CMP_MR | O_W, RDX, mem_at(RSI, 0));
    hit = as_jcc8(&m->a, CC_E);
    as_ld(&m->a, RDI, RSI, 24);
    as_rm(&m->a, X_CMP_MR | O_W, RDX, mem_at(RSI, 16));
    none = as_jcc(&m->a, CC_NE);
    as_patch8(hit, m->a.p);
    as_alu_mi(&m->a, O_W, G_ADD, mem_at(RBP, SOFT_DISP(stat.tlb_hits)), 1);
    return none;
}

/* A slot that is refilled this often within a slice of instructions is no use. rax: trailer, rsi: site;
 * changes rdx. */
static void count_miss(struct make *m)
{
    uint8_t *few;

    as_rm(&m->a, X_MOVZX16, RDX, mem_at(RAX, TRAILER_WEIGHT));
    as_rm(&m->a, X_ADD_MR | O_66, RDX, mem_sum(RBP, RSI, 1, SOFT_DISP(site_misses)));
    few = as_jcc8(&m->a, CC_AE);
    as_st(&m->a, RAX, RBP, OWN_DISP(busy));
    as_patch8(few, m->a.p);
}

/* Word `i` of the slot whose offset rsi is. */
static struct xmem slot_word(unsigned i)
{
    return mem_sum(RBP, RSI, 0, SOFT_DISP(sites) + (int32_t)i * 8);
}

/*
 * The pair at rsi takes the page in rcx in, by chance for the first or the second, and is brought in order:
 * the second has the upper page. Of two pages in turn both stay soon. What it gives is the jump of a pair
 * that has the new one as its second; else that is still to be stored as the first. Changes rdx.
 */
static uint8_t *into_pair(struct make *m)
{
    uint8_t *second, *lower, *done;

    as_test8_ri(&m->a, BUDGET, 0xff);
    second = as_jcc8(&m->a, CC_P);
    for (unsigned i = 0; i < 2; i++) {
        as_rm(&m->a, X_LOAD | O_W, RDX, slot_word(i + 2));
        as_rm(&m->a, X_STORE | O_W, RDX, slot_word(i));
    }
    as_patch8(second, m->a.p);
    as_rm(&m->a, X_LOAD | O_W, RDX, slot_word(0));
    as_rr(&m->a, X_CMP | O_W, RCX, RDX);
    lower = as_jcc8(&m->a, CC_B);
    as_rm(&m->a, X_STORE | O_W, RCX, slot_word(2));
    as_rm(&m->a, X_STORE | O_W, RDI, slot_word(3));
    done = as_jmp(&m->a);
    as_patch8(lower, m->a.p);
    as_rm(&m->a, X_STORE | O_W, RDX, slot_word(2));
    as_rm(&m->a, X_LOAD | O_W, RDX, slot_word(1));
    as_rm(&m->a, X_STORE | O_W, RDX, slot_word(3));
    return done;
}

/* Refills the slot and gives the addend (rdi) in rcx. The return address leads to its number. */
static void refill(struct make *m, bool counted)
{
    uint8_t *one, *second, *plain;

    as_ld(&m->a, RAX, RSP, 32);
    as_rm(&m->a, X_MOVZX16, RSI, mem_at(RAX, TRAILER_SITE));
    as_alu_ri(&m->a, 0, G_AND, RSI, TRAILER_NUMBER);
    if (counted)
        count_miss(m);
    as_rm(&m->a, X_MOVZX16, RDX, mem_at(RAX, TRAILER_SITE));
    as_shift_ri(&m->a, 0, G_SHL, RSI, 4);
    as_alu_ri(&m->a, O_W, G_AND, RCX, -(int32_t)MEM_PAGE_SIZE);
    as_shift_ri(&m->a, 0, G_SHR, RDX, TRAILER_PAIR_BIT + 1); /* its last bit out: the pair's */
    one = as_jcc8(&m->a, CC_AE);
    second = into_pair(m);
    as_patch8(one, m->a.p);
    as_rm(&m->a, X_STORE | O_W, RCX, slot_word(0));
    as_rm(&m->a, X_STORE | O_W, RDI, slot_word(1));
    as_patch(second, m->a.p);
    as_shift_ri(&m->a, 0, G_SHR, RSI, 4 + SOFT_BLOCK_BITS);
    as_shift_ri(&m->a, O_W, G_SHR, RCX, MEM_PAGE_BITS); /* soft_page_bit() */
    as_rm(&m->a, X_LOAD | O_W, RDX, mem_sum(RBP, RSI, 3, SOFT_DISP(sites_pages)));
    as_rr(&m->a, X_BTS_MR | O_W, RCX, RDX);
    as_rm(&m->a, X_STORE | O_W, RDX, mem_sum(RBP, RSI, 3, SOFT_DISP(sites_pages)));
    as_mov(&m->a, RCX, RDI);
    if (!counted)
        return;
    as_rm(&m->a, X_MOVZX16, RSI, mem_at(RAX, TRAILER_SITE));
    as_alu_ri(&m->a, 0, G_SUB, RSI, TRAILER_WINDOW);
    as_alu_ri(&m->a, 0, G_CMP, RSI, TRAILER_WINDOW);
    plain = as_jcc8(&m->a, CC_AE);
    as_patch(as_call(&m->a), m->window);
    as_patch8(plain, m->a.p);
}

static const uint8_t miss_saved[] = {RAX, RDX, RSI, RDI};
static const uint8_t walk_saved[] = {RCX, R8, R9, R10, R11};

static void pop_saved(struct make *m, const uint8_t *regs, unsigned n)
{
    while (n--)
        as_pop(&m->a, regs[n]);
}

/* rsi: site. Changes rax, rdx, rsi, rdi. */
static void make_window(struct make *m)
{
    as_align(&m->a, 16);
    m->window = m->a.p;
    for (unsigned i = 0; i < ARRAY_SIZE(walk_saved); i++)
        as_push(&m->a, walk_saved[i]);
    as_push(&m->a, RAX); /* rsp: a multiple of 16 */
    as_mov(&m->a, RDI, RBP);
    save_vectors(m, true);
    as_imm(&m->a, RAX, (uintptr_t)tlb_fill_window);
    as_call_reg(&m->a, RAX);
    save_vectors(m, false);
    as_pop(&m->a, RAX);
    pop_saved(m, walk_saved, ARRAY_SIZE(walk_saved));
    as_ret(&m->a);
}

/* rcx: guest address; all other registers stay. Comes back with the addend, or not at all. */
static void make_miss(struct make *m, unsigned size, bool write)
{
    void *(*fill)(struct vcpu *, gva_t, unsigned) = write ? tlb_fill_store : tlb_fill_read;
    uint8_t *again, *slow, *none, *lasting;

    here(m, (write ? T_WRITE : T_READ) + size);
    for (unsigned i = 0; i < ARRAY_SIZE(miss_saved); i++)
        as_push(&m->a, miss_saved[i]);
    slow = probe(m, size, write);
    again = m->a.p;
    refill(m, true);
    pop_saved(m, miss_saved, ARRAY_SIZE(miss_saved));
    as_ret(&m->a);

    as_patch(slow, m->a.p);
    for (unsigned i = 0; i < ARRAY_SIZE(walk_saved); i++)
        as_push(&m->a, walk_saved[i]);
    as_st(&m->a, BUDGET, RBP, VCPU_DISP(budget));
    as_mov(&m->a, RDI, RBP);
    as_mov(&m->a, RSI, RCX);
    as_imm(&m->a, RDX, 1u << size);
    save_vectors(m, true);
    as_imm(&m->a, RAX, (uintptr_t)fill);
    as_call_reg(&m->a, RAX);
    save_vectors(m, false);
    pop_saved(m, walk_saved, ARRAY_SIZE(walk_saved));
    as_rr(&m->a, X_TEST | O_W, RAX, RAX);
    none = as_jcc8(&m->a, CC_E);
    as_mov(&m->a, RDI, RAX);
    as_rr(&m->a, X_SUB | O_W, RDI, RCX);
    as_rr(&m->a, X_TEST | O_W, RAX, RAX);
    lasting = as_jcc8(&m->a, CC_NS);
    as_shift_ri(&m->a, O_W, G_SHL, RAX, 1); /* TLB_ONCE */
    as_shift_ri(&m->a, O_W, G_SHR, RAX, 1);
    as_rr(&m->a, X_SUB | O_W, RAX, RCX);
    as_mov(&m->a, RCX, RAX);
    pop_saved(m, miss_saved, ARRAY_SIZE(miss_saved));
    as_ret(&m->a);
    as_patch8(lasting, m->a.p);
    as_jmp_to(&m->a, again);
    as_patch8(none, m->a.p);
    pop_saved(m, miss_saved, ARRAY_SIZE(miss_saved));
    as_pop(&m->a, RCX);
    as_rm(&m->a, X_LOAD, RCX, mem_at(RCX, TRAILER_WHERE));
    as_patch(as_jmp(&m->a), rw_of(m, T_BAIL));
}

/* rcx: guest address; all other registers stay. Where the soft TLB does not know it: back behind the trailer.
 */
static void make_group(struct make *m, bool write)
{
    uint8_t *none;

    here(m, T_GROUP + write);
    for (unsigned i = 0; i < ARRAY_SIZE(miss_saved); i++)
        as_push(&m->a, miss_saved[i]);
    none = probe(m, 0, write);
    refill(m, false);
    pop_saved(m, miss_saved, ARRAY_SIZE(miss_saved));
    as_ret(&m->a);
    as_patch(none, m->a.p);
    pop_saved(m, miss_saved, ARRAY_SIZE(miss_saved));
    as_alu_mi(&m->a, O_W, G_ADD, mem_at(RSP, 0), TRAILER_GROUP);
    as_ret(&m->a);
}

/* ---- soft float: all registers stay ---- */

static const uint8_t float_saved[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11};

static void make_float(struct make *m)
{
    here(m, T_FLOAT);
    for (unsigned i = 0; i < ARRAY_SIZE(float_saved); i++)
        as_push(&m->a, float_saved[i]);
    as_alu_ri(&m->a, O_W, G_SUB, RSP, 256);
    for (unsigned i = 0; i < 16; i++)
        as_rm(&m->a, S_MOVAPS | 1, i, mem_at(RSP, (int32_t)i * 16));
    as_mov(&m->a, RDI, RBP);
    as_imm(&m->a, RAX, (uintptr_t)float_compute);
    as_call_reg(&m->a, RAX);
    for (unsigned i = 0; i < 16; i++)
        as_rm(&m->a, S_MOVAPS, i, mem_at(RSP, (int32_t)i * 16));
    as_alu_ri(&m->a, O_W, G_ADD, RSP, 256);
    pop_saved(m, float_saved, ARRAY_SIZE(float_saved));
    as_ret(&m->a);
}

/* ---- helpers: arguments in rax, rcx, rdx; the result in rax ---- */

static void make_helper(struct make *m, unsigned n)
{
    const struct ir_helper *h = &m->ev->lift->helpers[n];
    bool all = h->flags & (IR_H_READS | IR_H_WRITES);
    uint8_t *integer, *left;

    here(m, T_HELPER + n);
    flags_save(m);
    homes(m, true, all);
    as_st(&m->a, BUDGET, RBP, VCPU_DISP(budget));
    as_cmp8_mi(&m->a, mem_at(RBP, OWN_DISP(fp_live)), 0);
    integer = as_jcc8(&m->a, CC_E);
    as_push(&m->a, RAX);
    as_push(&m->a, RDX);
    as_patch(as_call(&m->a), m->fp_save);
    as_pop(&m->a, RDX);
    as_pop(&m->a, RAX);
    as_patch8(integer, m->a.p);
    as_mov(&m->a, RDI, RBP);
    as_mov(&m->a, RSI, RAX);
    as_rr(&m->a, X_XCHG | O_W, RCX, RDX);
    as_alu_mi(&m->a, O_W, G_ADD, mem_at(RBP, VCPU_DISP(stat.helper_calls)), 1);
    as_push(&m->a, RAX);
    as_imm(&m->a, RAX, (uintptr_t)h->fn);
    as_call_reg(&m->a, RAX);
    as_pop(&m->a, RCX);
    homes(m, false, all);
    as_ld(&m->a, BUDGET, RBP, VCPU_DISP(budget));
    as_cmp8_mi(&m->a, mem_at(RBP, VCPU_DISP(leave)), 0);
    left = as_jcc8(&m->a, CC_NE);
    as_ret(&m->a);
    as_patch8(left, m->a.p);
    as_mov8_mi(&m->a, mem_at(RBP, VCPU_DISP(leave)), 0);
    as_pop(&m->a, RCX); /* does not return */
    as_patch(as_jmp(&m->a), rw_of(m, T_DISPATCH));
}

int emit_thunks(struct jit_vm *jv)
{
    struct make m = {.a = {jv->code.rw, jv->code.rw + jv->code.size}, .jv = jv, .ev = jv->emit};
    uint32_t at;

    make_fp_save(&m);
    make_fp_load(&m);
    make_enter(&m);
    make_leave(&m);
    make_ways_out(&m);
    make_window(&m);
    for (unsigned i = 0; i < 5; i++) {
        make_miss(&m, i, false);
        make_miss(&m, i, true);
    }
    make_miss(&m, 5, true);
    make_group(&m, false);
    make_group(&m, true);
    make_float(&m);
    for (unsigned i = 0; i < MIN(m.ev->lift->helper_count, T_COUNT - T_HELPER); i++)
        make_helper(&m, i);
    plat_lock(&jv->lock);
    at = jit_code_alloc(jv, (uint32_t)(m.a.p - jv->code.rw)); /* of an empty memory: what was written */
    plat_unlock(&jv->lock);
    return at ? -EINVAL : 0;
}

/* ---- set-up ---- */

static void choose_homes(struct emit_vm *ev)
{
    unsigned g = 0, x = 0;

    for (unsigned i = 0; i < ev->lift->slot_count; i++)
        ev->wide |= ev->lift->slots[i].type == IRT_V128;
    ev->scratch_xmms = ev->wide ? SCRATCH_XMMS_WIDE : SCRATCH_XMMS;
    for (unsigned i = 0; i < ev->lift->slot_count; i++) {
        const struct slot_desc *s = &ev->lift->slots[i];

        if (s->offset & 7 || s->offset / 8 + 1 >= JIT_HOMES)
            continue;
        if (s->type == IRT_I64 && g < PIN_GPRS) {
            ev->home[s->offset / 8] = HOME_GPR | emit_pin_gpr[g];
            ev->pin_gpr[g++] = s->offset;
        } else if (s->type == (ev->wide ? IRT_V128 : IRT_F64) && x < 16u - ev->scratch_xmms) {
            uint8_t home = (uint8_t)(HOME_XMM | (ev->scratch_xmms + x));

            ev->home[s->offset / 8] = home | (ev->wide ? HOME_WIDE : 0);
            if (ev->wide)
                ev->home[s->offset / 8 + 1] = home | HOME_WIDE | HOME_HIGH;
            ev->pin_xmm[x++] = s->offset;
        }
    }
}

static bool os_saves_ymm(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & 6) == 6;
}

static void find_features(struct cpu *c)
{
    unsigned a, b, cx, d;

    if (__get_cpuid(1, &a, &b, &cx, &d)) {
        c->popcnt = cx >> 23 & 1;
        c->crc = cx >> 20 & 1; /* SSE4.2 */
        c->sse41 = cx >> 19 & 1;
        c->pclmul = cx >> 1 & 1;
        c->cx16 = cx >> 13 & 1;
        c->avx = cx >> 27 & 1 && cx >> 28 & 1 && os_saves_ymm();
        c->fma = c->avx && cx >> 12 & 1;
        c->f16c = c->avx && cx >> 29 & 1;
        c->aes = c->avx && cx >> 25 & 1;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &cx, &d)) {
        c->bmi1 = c->avx && b >> 3 & 1;
        c->bmi2 = c->avx && b >> 8 & 1;
        c->avx2 = c->avx && b >> 5 & 1;
        c->sha = c->avx && b >> 29 & 1;
    }
    if (__get_cpuid(0x80000001, &a, &b, &cx, &d))
        c->lzcnt = cx >> 5 & 1;
}

int emit_probe(char *why, size_t why_size)
{
    (void)why;
    (void)why_size;
    return 0;
}

size_t emit_vm_size(void)
{
    return sizeof(struct emit_vm);
}

int emit_vm_init(struct jit_vm *jv)
{
    struct emit_vm *ev = jv->emit;

    ev->lift = jv->vm->lift;
    find_features(&ev->cpu);
    choose_homes(ev);
    return emit_thunks(jv);
}

struct emit *emit_of(struct vcpu *v)
{
    return own_of(v)->emit;
}

#define SIGN_32  UINT64_C(0x80000000)
#define SIGN_64  UINT64_C(0x8000000000000000)
#define LEAST_32 UINT64_C(0x00800000) /* the least normal number */
#define LEAST_64 UINT64_C(0x0010000000000000)

int emit_vcpu_init(struct vcpu *v)
{
    static const struct own init = {
        .mxcsr_default = 0x1f80, /* all masked, round to nearest */
        .nan = {UINT64_C(0x7ff8000000000000), UINT64_C(0xffffffff7fc00000)},
        .box = {UINT64_C(0xffffffff00000000), UINT64_C(0xffffffff00000000)},
        .sign = {UINT64_C(0x8000000000000000), UINT64_C(0x80000000)},
        .abs = {UINT64_C(0x7fffffffffffffff), UINT64_C(0xffffffff7fffffff)},
        .limit = {UINT64_C(0xbff0000000000000), UINT64_C(0x41f0000000000000), UINT64_C(0x43e0000000000000),
                  0xbf800000, 0x4f800000, 0x5f000000},
    };

    static const struct own_wide wide = {
        .sign = {{{SIGN_32 << 32 | SIGN_32, SIGN_32 << 32 | SIGN_32}, {SIGN_64, SIGN_64}},
                 {{SIGN_32, 0}, {SIGN_64, 0}}},
        .abs = {{{~(SIGN_32 << 32 | SIGN_32), ~(SIGN_32 << 32 | SIGN_32)}, {~SIGN_64, ~SIGN_64}},
                {{SIGN_32 - 1, 0}, {~SIGN_64, 0}}},
        .least = {{{LEAST_32 << 32 | LEAST_32, LEAST_32 << 32 | LEAST_32}, {LEAST_64, LEAST_64}},
                  {{LEAST_32, 0}, {LEAST_64, 0}}},
        .integral = {{0x4b000000}, {UINT64_C(0x4330000000000000)}},
        .half = {{0x3f000000}, {UINT64_C(0x3fe0000000000000)}},
        .one = {{0x3f800000}, {UINT64_C(0x3ff0000000000000)}},
    };

    *own_of(v) = init;
    vec_consts_init(v);
    *own_wide_of(v) = wide;
    own_of(v)->emit = plat_alloc(sizeof(struct emit));
    return own_of(v)->emit ? 0 : -ENOMEM;
}

void emit_vcpu_fini(struct vcpu *v)
{
    plat_free(own_of(v)->emit);
    own_of(v)->emit = NULL;
}

struct jit_link *emit_last_link(struct vcpu *v)
{
    return own_of(v)->link;
}
