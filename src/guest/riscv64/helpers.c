/* What lifted code calls. v->pc is exact: the instruction's own. */
#include "guest/riscv64/lift.h"

#define HELPER(name) static uint64_t help_##name(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
#define UNUSED3      (void)a, (void)b, (void)c

/* a: the instruction's bits, which xtval shows */
HELPER(illegal)
{
    UNUSED3;
    riscv_trap(riscv_of(v), RV_EXC_ILLEGAL_INSN, a);
    return 0;
}

/* a: a jump target; on a CPU without C it has to be a multiple of 4 */
HELPER(misaligned_pc)
{
    UNUSED3;
    if (a & 2)
        riscv_trap(riscv_of(v), RV_EXC_INSN_MISALIGNED, a);
    return 0;
}

/* ---- CSRs; a: row << 32 | the instruction's bits ---- */

/* Leaves for the next instruction where the change asks for it. */
static void go_on(struct riscv_vcpu *r)
{
    uint64_t pc = r->v.pc;

    if (!r->changed)
        return;
    r->v.pc = pc + 4;
    if (!riscv_settle(r))
        r->v.pc = pc;
}

HELPER(csr_read)
{
    struct riscv_vcpu *r = riscv_of(v);
    uint64_t value;

    UNUSED3;
    if (!riscv_csr_get(r, (uint32_t)(a >> 32), &value))
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, (uint32_t)a);
    return value;
}

static uint64_t csr_change(struct vcpu *v, uint64_t desc, uint64_t value, uint64_t mask)
{
    struct riscv_vcpu *r = riscv_of(v);

    if (riscv_csr_set(r, (uint32_t)(desc >> 32), value, mask))
        go_on(r);
    else
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, (uint32_t)desc);
    return 0;
}

HELPER(csr_write)
{
    (void)c;
    return csr_change(v, a, b, UINT64_MAX);
}

HELPER(csr_set)
{
    (void)c;
    return csr_change(v, a, UINT64_MAX, b);
}

HELPER(csr_clear)
{
    (void)c;
    return csr_change(v, a, 0, b);
}

HELPER(csr_claim)
{
    struct riscv_vcpu *r = riscv_of(v);
    uint64_t value;

    UNUSED3;
    if (!riscv_has(r, RVF_SSAIA) || !riscv_csr_claim(r, (uint32_t)(a >> 32), &value)) {
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, (uint32_t)a);
        return 0;
    }
    return value;
}

/* ---- traps and returns ---- */

HELPER(ecall)
{
    static const uint8_t cause[] = {RV_EXC_ECALL_U, RV_EXC_ECALL_S, 0, RV_EXC_ECALL_M};
    struct riscv_vcpu *r = riscv_of(v);

    UNUSED3;
    if (r->sbi && r->priv == RV_PRIV_S) {
        v->pc += 4;
        riscv_sbi_call(r);
        riscv_settle(r);
    } else {
        riscv_trap(r, cause[r->priv], 0);
    }
    return 0;
}

HELPER(ebreak)
{
    UNUSED3;
    riscv_trap(riscv_of(v), RV_EXC_BREAKPOINT, v->pc);
    return 0;
}

HELPER(mret)
{
    UNUSED3;
    riscv_mret(riscv_of(v));
    return 0;
}

/* a: the instruction's bits; mstatus.TSR keeps it from S-mode */
HELPER(sret)
{
    struct riscv_vcpu *r = riscv_of(v);

    UNUSED3;
    if (r->priv == RV_PRIV_S && r->mstatus & RV_MSTATUS_TSR)
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, a);
    else
        riscv_sret(r);
    return 0;
}

/* a: the instruction's bits; with mstatus.TW no waiting below M-mode */
HELPER(wfi)
{
    struct riscv_vcpu *r = riscv_of(v);

    UNUSED3;
    if (r->priv != RV_PRIV_M && r->mstatus & RV_MSTATUS_TW) {
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, a);
        return 0;
    }
    v->pc += 4;
    if (!riscv_irq_wakeup(v)) {
        v->exit.kind = EXIT_HALT;
        v->leave = 1;
    }
    return 0;
}

/* ---- fences ---- */

/* a: address, b: ASID, c: the instruction's bits, bit 32: with address, bit 33: with ASID */
HELPER(sfence)
{
    static const uint8_t kind[] = {FLUSH_ALL, FLUSH_PAGE, FLUSH_ASID, FLUSH_PAGE_ASID};
    struct riscv_vcpu *r = riscv_of(v);
    struct flush_scope s = {.kind = (enum flush_kind)kind[c >> 32 & 3], .va = a, .asid = b & 0xffff};

    if (r->priv == RV_PRIV_S && r->mstatus & RV_MSTATUS_TVM) {
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, (uint32_t)c);
        return 0;
    }
    v->pc += 4;
    riscv_flush(v, &s);
    v->leave = 1;
    return 0;
}

HELPER(fence_i)
{
    UNUSED3;
    v->pc += 4;
    riscv_fetch_barrier(v);
    v->leave = 1;
    return 0;
}

/* The instruction that needs FS dirty comes again, in its new mode. */
HELPER(fs_dirty)
{
    struct riscv_vcpu *r = riscv_of(v);

    UNUSED3;
    r->mstatus |= RV_MSTATUS_FS | RV_MSTATUS_SD;
    v->count--; /* it counts when it is executed */
    riscv_settle(r);
    v->leave = 1;
    return 0;
}

/* a: address. Loads or stores have to be allowed there; faults are those of a store (CMO 1.0, 2.5.2). */
HELPER(cbo)
{
    struct riscv_vcpu *r = riscv_of(v);
    struct translation t;

    UNUSED3;
    if (!riscv_translate(v, a, ACCESS_READ, &t))
        return 0;
    r->exc_cause = r->exc_cause == RV_EXC_LOAD_PAGE_FAULT ? RV_EXC_STORE_PAGE_FAULT : RV_EXC_STORE_ACCESS;
    riscv_trap(r, r->exc_cause, a);
    return 0;
}

#define MAY_LEAVE IR_H_MAY_LEAVE
#define READS     IR_H_READS
#define WRITES    IR_H_WRITES
#define MEM       IR_H_MEM

const struct ir_helper riscv_helpers[RVH_COUNT] = {
#define RISCV_HELPER(id, fn, args, flags) [RVH_##id] = {#fn, help_##fn, args, flags},
#include "guest/riscv64/helpers.def"
};
