/* What all units share: the way in, the ways out, and the probes of the soft TLB behind the page slots. */
#include "engine/jit/emit/x86_64/emit.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/softfloat.h"

#define MXCSR_CLEAN 0x1f80 /* all exceptions masked, round to nearest, no flags */
#define THUNK_BYTES (48u << 10)
#define FRAME       24 /* keeps rsp 16-byte aligned in generated code; [rsp]: the caller's MXCSR */

#if !defined(__x86_64__)
#error "this folder emits code for the host that it is compiled on"
#endif

int emit_probe(char *why, size_t why_size)
{
    static const char remedy[] = "use --accel interp";

    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("fma")) {
        fmt_snprintf(why, why_size, "jit: this CPU has no AVX2, BMI2 and FMA; %s", remedy);
        return -ENOTSUP;
    }
    return 0;
}

/* The hottest slots of each class get the registers. */
static void choose_homes(struct jit_vm *jv, const struct lift_ops *lift)
{
    unsigned gprs = 0, xmms = 0;

    for (unsigned i = 0; i < lift->slot_count; i++) {
        const struct slot_desc *s = &lift->slots[i];

        if (s->offset % 8 || s->offset / 8 >= JIT_SLOTS)
            continue;
        if (s->type == IRT_I64 && gprs < PIN_GPRS)
            jv->home[s->offset / 8] = (uint8_t)(HOME_GPR + emit_pin_gpr[gprs++]);
        else if (s->type == IRT_F64 && xmms < PIN_XMMS)
            jv->home[s->offset / 8] = (uint8_t)(HOME_XMM + PIN_XMM_FIRST + xmms++);
    }
}

/* All homes from or to their slots. */
static void move_homes(struct asm_buf *b, const struct jit_vm *jv, bool store)
{
    for (unsigned i = 0; i < JIT_SLOTS; i++) {
        unsigned home = jv->home[i];
        int32_t disp = (int32_t)i * 8;

        if (home >= HOME_XMM)
            asm_rm(b, false, store ? PRE_66 | OP_0F | 0xd6 : PRE_F3 | OP_0F | 0x7e, home - HOME_XMM, RBP,
                   disp);
        else if (home)
            asm_rm(b, true, store ? 0x89 : 0x8b, home - HOME_GPR, RBP, disp);
    }
}

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};

static void push(struct asm_buf *b, unsigned reg)
{
    asm_opcode(b, false, 0x50 | (reg & 7), 0, 0, reg, false);
}

static void pop(struct asm_buf *b, unsigned reg)
{
    asm_opcode(b, false, 0x58 | (reg & 7), 0, 0, reg, false);
}

static void ldmxcsr(struct asm_buf *b, unsigned base, int32_t disp)
{
    asm_rm(b, false, OP_0F | 0xae, 2, base, disp);
}

static void stmxcsr(struct asm_buf *b, unsigned base, int32_t disp)
{
    asm_rm(b, false, OP_0F | 0xae, 3, base, disp);
}

/* Upper halves that C code left would tie each SSE result to the register's old value. */
static void vzeroupper(struct asm_buf *b)
{
    asm_byte(b, 0xc5);
    asm_byte(b, 0xf8);
    asm_byte(b, 0x77);
}

/* enter(v in rdi, code in rsi) */
static void thunk_enter(struct asm_buf *b, const struct jit_vm *jv)
{
    for (unsigned i = 0; i < sizeof(saved); i++)
        push(b, saved[i]);
    asm_alu_ri(b, true, ALU_SUB, RSP, FRAME);
    asm_mov(b, true, RBP, RDI);
    asm_mov(b, true, RAX, RSI);
    stmxcsr(b, RSP, 0);
    asm_rm(b, false, 0xc7, 0, RBP, SOFT_DISP(jit_own[OWN_MXCSR]));
    asm_u32(b, MXCSR_CLEAN);
    ldmxcsr(b, RBP, SOFT_DISP(jit_own[OWN_MXCSR]));
    asm_imm(b, RCX, UINT64_C(0xffffffff00000000));
    asm_store(b, true, RCX, RBP, SOFT_DISP(jit_own[OWN_BOX]));
    asm_rm(b, true, 0xc7, 0, RBP, SOFT_DISP(jit_own[OWN_BOX + 1]));
    asm_u32(b, 0);
    vzeroupper(b);
    move_homes(b, jv, false);
    asm_rr(b, false, 0xff, 4, RAX);
}

/* The result is in eax. */
static void thunk_out(struct asm_buf *b, const struct jit_vm *jv)
{
    move_homes(b, jv, true);
    stmxcsr(b, RBP, SOFT_DISP(jit_own[OWN_MXCSR]));
    ldmxcsr(b, RSP, 0);
    asm_alu_ri(b, true, ALU_ADD, RSP, FRAME);
    for (unsigned i = sizeof(saved); i-- > 0;)
        pop(b, saved[i]);
    asm_byte(b, 0xc3);
}

/* rcx: pc to go on at. */
static void thunk_leave_next(struct asm_buf *b, const uint8_t *out)
{
    asm_store(b, true, RCX, RBP, VCPU_DISP(pc));
    asm_imm(b, RAX, JIT_NEXT);
    asm_patch(b, asm_jmp(b), out);
}

/* eax: offset of the instruction, and above it what the budget gets back. */
static void thunk_leave_at(struct asm_buf *b, const uint8_t *out, enum jit_leave why)
{
    asm_rr(b, true, OP_0F | 0xbf, RCX, RAX);
    asm_rm(b, true, 0x03, RCX, RBP, VCPU_DISP(pc_page));
    asm_store(b, true, RCX, RBP, VCPU_DISP(pc));
    asm_shift_ri(b, false, SHIFT_SHR, RAX, 16);
    asm_rm(b, true, 0x01, RAX, RBP, VCPU_DISP(budget));
    asm_imm(b, RAX, why);
    asm_patch(b, asm_jmp(b), out);
}

/* The helper left, or a dispatch has to look at requests: v->pc is set. */
static void thunk_leave_dispatch(struct asm_buf *b, const uint8_t *out)
{
    asm_rm(b, false, 0xc6, 0, RBP, VCPU_DISP(leave));
    asm_byte(b, 0);
    asm_imm(b, RAX, JIT_NEXT);
    asm_patch(b, asm_jmp(b), out);
}

/*
 * Calls fn(v, rax, rdx, rcx), result in rax, with all guest registers in their slots and the FP flags where
 * emit_fp_flags() finds them.
 */
static void thunk_helper(struct asm_buf *b, const struct jit_vm *jv, const struct ir_helper *h)
{
    move_homes(b, jv, true);
    stmxcsr(b, RBP, SOFT_DISP(jit_own[OWN_MXCSR]));
    asm_rm(b, true, 0xff, 0, RBP, VCPU_DISP(stat.helper_calls)); /* inc */
    asm_mov(b, true, RDI, RBP);
    asm_mov(b, true, RSI, RAX);
    asm_alu_ri(b, true, ALU_SUB, RSP, 8);
    asm_imm(b, RAX, (uintptr_t)h->fn);
    asm_rr(b, false, 0xff, 2, RAX);
    asm_alu_ri(b, true, ALU_ADD, RSP, 8);
    ldmxcsr(b, RBP, SOFT_DISP(jit_own[OWN_MXCSR]));
    move_homes(b, jv, false);
    asm_byte(b, 0xc3);
}

static void call_c(struct asm_buf *b, const void *fn)
{
    static const uint8_t regs[] = {RCX, RDX, RSI, RDI, R8, R9, R10, R11};

    for (unsigned i = 0; i < sizeof(regs); i++)
        push(b, regs[i]);
    asm_alu_ri(b, true, ALU_SUB, RSP, 16 * 16);
    for (unsigned i = 0; i < 16; i++)
        asm_rm(b, false, OP_0F | 0x29, i, RSP, (int32_t)i * 16);
    asm_mov(b, true, RDI, RBP);
    asm_mov(b, true, RSI, RCX);
    asm_mov(b, true, RCX, RDX);
    asm_mov(b, true, RDX, RBX);
    asm_imm(b, RAX, (uintptr_t)fn);
    asm_rr(b, false, 0xff, 2, RAX);
    asm_mov(b, true, RBX, RAX);
    for (unsigned i = 0; i < 16; i++)
        asm_rm(b, false, OP_0F | 0x28, i, RSP, (int32_t)i * 16);
    asm_alu_ri(b, true, ALU_ADD, RSP, 16 * 16);
    for (unsigned i = sizeof(regs); i-- > 0;)
        pop(b, regs[i]);
}

/*
 * rcx: address, rdx: slot to fill, [rsp + 8]: for a bail. Returns with the slot filled, the host address in
 * rcx and all but rdx as it was, or leaves. The index of the set is that of tlb_set(), the tag that of
 * tlb_tag().
 */
static void thunk_probe(struct asm_buf *b, const uint8_t *bail, bool write, unsigned size)
{
    const int32_t table = write ? SOFT_DISP(write) : SOFT_DISP(read);
    uint8_t *second, *miss, *hit;

    push(b, RAX);
    push(b, RBX);
    asm_mov(b, true, RAX, RCX);
    asm_shift_ri(b, true, SHIFT_SHR, RAX, MEM_PAGE_BITS);
    asm_mov(b, true, RBX, RAX);
    asm_shift_ri(b, true, SHIFT_SHR, RBX, TLB_SET_BITS);
    asm_rr(b, false, 0x03, RAX, RBX);
    asm_alu_ri(b, false, ALU_AND, RAX, TLB_SETS - 1);
    asm_shift_ri(b, false, SHIFT_SHL, RAX, 5);
    asm_rm(b, true, 0x8d, RBX, RCX, (1 << size) - 1);
    asm_alu_ri(b, true, ALU_AND, RBX, -(int32_t)MEM_PAGE_SIZE);
    asm_rm(b, true, 0x03, RBX, RBP, write ? SOFT_DISP(ctx[ACCESS_WRITE]) : SOFT_DISP(ctx[ACCESS_READ]));
    asm_rx(b, true, 0x3b, RBX, RBP, RAX, table);
    second = asm_jcc(b, CC_NE);
    asm_rx(b, true, 0x8b, RAX, RBP, RAX, table + 8);
    hit = b->p;
    asm_store(b, true, RAX, RDX, (int32_t)offsetof(struct soft_site, addend));
    asm_mov(b, true, RBX, RCX);
    asm_alu_ri(b, true, ALU_AND, RBX, -(int32_t)MEM_PAGE_SIZE);
    asm_store(b, true, RBX, RDX, (int32_t)offsetof(struct soft_site, page));
    asm_rr(b, true, 0x03, RCX, RAX);
    asm_rm(b, false, 0xc6, 0, RBP, SOFT_DISP(sites_filled));
    asm_byte(b, 1);
    pop(b, RBX);
    pop(b, RAX);
    asm_byte(b, 0xc2); /* ret 8 */
    asm_byte(b, 8);
    asm_byte(b, 0);
    asm_patch(b, second, b->p);
    asm_rx(b, true, 0x3b, RBX, RBP, RAX, table + 16);
    miss = asm_jcc(b, CC_NE);
    asm_rx(b, true, 0x8b, RAX, RBP, RAX, table + 24);
    asm_patch(b, asm_jmp(b), hit);
    asm_patch(b, miss, b->p);
    asm_imm(b, RBX, size | (write ? 8 : 0));
    call_c(b, (const void *)jit_fill_site);
    asm_rr(b, true, 0x85, RBX, RBX);
    pop(b, RBX);
    pop(b, RAX);
    miss = asm_jcc(b, CC_E);
    asm_rm(b, true, 0x03, RCX, RDX, (int32_t)offsetof(struct soft_site, addend));
    asm_byte(b, 0xc2);
    asm_byte(b, 8);
    asm_byte(b, 0);
    asm_patch(b, miss, b->p);
    asm_rm(b, true, 0x8d, RSP, RSP, 8);
    pop(b, RAX);
    asm_patch(b, asm_jmp(b), bail);
}

static void align(struct asm_buf *b)
{
    while ((uintptr_t)b->p % 16)
        asm_byte(b, 0xcc);
}

int emit_thunks(struct jit_vm *jv, const struct lift_ops *lift)
{
    struct asm_buf b = {jv->code.rw, jv->code.rw + THUNK_BYTES, false};
    const ptrdiff_t to_rx = jv->code.rx - (const uint8_t *)jv->code.rw;
    struct emit *e = plat_alloc(sizeof(*e));
    const uint8_t *out;

    if (!e)
        return -ENOMEM;
    e->val = plat_alloc(REGION_MAX_OPS * sizeof(*e->val));
    e->last_use = plat_alloc(REGION_MAX_OPS * sizeof(*e->last_use));
    e->uses = plat_alloc(REGION_MAX_OPS);
    jv->emit = e;
    if (!e->val || !e->last_use || !e->uses)
        return -ENOMEM;
    choose_homes(jv, lift);
    jv->entry.enter = (enum jit_leave(*)(struct vcpu *, const void *))(uintptr_t)(b.p + to_rx);
    thunk_enter(&b, jv);
    align(&b);
    out = b.p;
    thunk_out(&b, jv);
    align(&b);
    jv->entry.leave_next = b.p + to_rx;
    thunk_leave_next(&b, out);
    align(&b);
    jv->entry.leave_budget = b.p + to_rx;
    thunk_leave_at(&b, out, JIT_BUDGET);
    align(&b);
    jv->entry.leave_bail = b.p + to_rx;
    const uint8_t *bail = b.p;

    thunk_leave_at(&b, out, JIT_BAIL);
    align(&b);
    jv->entry.leave_dispatch = b.p + to_rx;
    thunk_leave_dispatch(&b, out);
    for (unsigned i = 0; i < lift->helper_count && i < JIT_HELPERS; i++) {
        align(&b);
        jv->entry.helper[i] = b.p + to_rx;
        thunk_helper(&b, jv, &lift->helpers[i]);
    }
    for (unsigned write = 0; write < 2; write++) {
        for (unsigned size = 0; size < 4; size++) {
            align(&b);
            jv->entry.probe[write][size] = b.p + to_rx;
            thunk_probe(&b, bail, write, size);
        }
    }
    BUG_ON(b.full);
    jv->thunk_bytes = (uint32_t)ALIGN_UP((uint64_t)(b.p - jv->code.rw), 4096);
    return 0;
}

void emit_fini(struct jit_vm *jv)
{
    struct emit *e = jv->emit;

    if (!e)
        return;
    plat_free(e->val);
    plat_free(e->last_use);
    plat_free(e->uses);
    plat_free(e);
    jv->emit = NULL;
}

unsigned emit_fp_flags(struct vcpu *v)
{
    /* MXCSR: IE 0, DE 1, ZE 2, OE 3, UE 4, PE 5 (Intel SDM 1, 10.2.3). */
    unsigned m = (unsigned)soft_of(v)->jit_own[OWN_MXCSR];

    if (LIKELY(!(m & 0x3d)))
        return 0;
    return ((m & 1) ? SF_INVALID : 0) | ((m & 4) ? SF_DIVZERO : 0) | ((m & 8) ? SF_OVERFLOW : 0) |
           ((m & 16) ? SF_UNDERFLOW : 0) | ((m & 32) ? SF_INEXACT : 0);
}

void emit_fp_clear(struct vcpu *v)
{
    soft_of(v)->jit_own[OWN_MXCSR] = MXCSR_CLEAN;
}
