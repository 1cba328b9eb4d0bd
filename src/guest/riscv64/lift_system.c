/* Lifts what deals with privilege: CSR instructions, traps and returns, WFI, translation fences. */
#include "guest/riscv64/lift.h"

typedef const struct lift_row *row_t;

enum csr_op { CSR_WRITE, CSR_SET, CSR_CLEAR };

static enum csr_op csr_op(const struct rv_insn *i)
{
    switch (i->id) {
    case RV_CSRRW:
    case RV_CSRRWI:
        return CSR_WRITE;
    case RV_CSRRS:
    case RV_CSRRSI:
        return CSR_SET;
    default:
        return CSR_CLEAR;
    }
}

static bool is_immediate(const struct rv_insn *i)
{
    return i->id == RV_CSRRWI || i->id == RV_CSRRSI || i->id == RV_CSRRCI;
}

/* Set and clear write nothing when the field says x0 or 0; the value of a register does not matter (7.1). */
bool lift_csr_writes(const struct rv_insn *i)
{
    return csr_op(i) == CSR_WRITE || (is_immediate(i) ? i->imm != 0 : i->rs1 != 0);
}

static ir_ref operand(struct lift *l)
{
    return is_immediate(&l->i) ? lift_imm(l, l->i.imm) : lift_get(l, l->i.rs1);
}

static ir_ref masked(struct lift *l, ir_ref v, uint64_t mask)
{
    return mask == UINT64_MAX ? v : ir_bin(l->u, IR_AND, IRT_I64, v, lift_imm(l, (int64_t)mask));
}

/* ---- plain storage: no helper ---- */

static void csr_direct(struct lift *l, const struct riscv_csr_info *c)
{
    bool writes = lift_csr_writes(&l->i);
    ir_ref value = writes ? operand(l) : IR_REF_NONE, old = IR_REF_NONE;

    if (l->i.rd || csr_op(&l->i) != CSR_WRITE)
        old = ir_get(l->u, IRT_I64, c->slot);
    if (writes) {
        if (csr_op(&l->i) == CSR_SET)
            value = ir_bin(l->u, IR_OR, IRT_I64, old, value);
        else if (csr_op(&l->i) == CSR_CLEAR)
            value = ir_bin(l->u, IR_ANDN, IRT_I64, old, value);
        ir_put(l->u, IRT_I64, c->slot, masked(l, value, c->write_mask));
    }
    if (l->i.rd)
        lift_put(l, l->i.rd, masked(l, old, c->read_mask));
}

/* ---- by helper ---- */

/* The row, and the instruction's bits for its exception. */
static ir_ref csr_call(struct lift *l, const struct riscv_csr_info *c, enum riscv_helper h, ir_ref value)
{
    ir_ref desc = lift_imm(l, (int64_t)((uint64_t)c->row << 32 | l->i.raw));

    return lift_call(l, h, desc, value, IR_REF_NONE);
}

static void csr_write(struct lift *l, const struct riscv_csr_info *c, ir_ref value)
{
    static const uint8_t helper[] = {
        [CSR_WRITE] = RVH_CSR_WRITE, [CSR_SET] = RVH_CSR_SET, [CSR_CLEAR] = RVH_CSR_CLEAR};

    csr_call(l, c, (enum riscv_helper)helper[csr_op(&l->i)], value);
}

static void csr_read(struct lift *l, const struct riscv_csr_info *c)
{
    ir_ref old;

    if (c->how == RISCV_CSR_STATUS)
        old = masked(l, ir_get(l->u, IRT_I64, c->slot), c->read_mask);
    else
        old = csr_call(l, c, RVH_CSR_READ, IR_REF_NONE);
    lift_put(l, l->i.rd, old);
}

/* Disabling interrupts in sstatus or mstatus asks for nothing but the bit. */
static bool only_disables(const struct lift *l)
{
    return l->i.id == RV_CSRRCI && !((uint64_t)l->i.imm & ~(RV_MSTATUS_SIE | RV_MSTATUS_MIE)) &&
           (l->i.csr == RV_CSR_mstatus || !(l->i.imm & (int64_t)RV_MSTATUS_MIE));
}

static void csr_disable(struct lift *l, const struct riscv_csr_info *c)
{
    ir_ref old = ir_get(l->u, IRT_I64, c->slot);

    ir_put(l->u, IRT_I64, c->slot, ir_bin(l->u, IR_AND, IRT_I64, old, lift_imm(l, ~l->i.imm)));
    if (l->i.rd)
        lift_put(l, l->i.rd, masked(l, old, c->read_mask));
}

static void csr_claim(struct lift *l, const struct riscv_csr_info *c)
{
    lift_sync(l);
    lift_put(l, l->i.rd, csr_call(l, c, RVH_CSR_CLAIM, IR_REF_NONE));
}

/*
 * rd is written between read and write, since the write may leave the unit (it changed the mode, or lets an
 * interrupt in), going on behind this instruction. What the read lets pass the write does too.
 */
static void op_csr(struct lift *l, row_t row)
{
    struct riscv_csr_info c;
    bool writes = lift_csr_writes(&l->i);
    ir_ref value;

    (void)row;
    riscv_csr_lookup(l->i.csr, lift_priv(l), writes, &c);
    if (c.how == RISCV_CSR_DIRECT) {
        csr_direct(l, &c);
    } else if (c.how == RISCV_CSR_CLAIM && writes) {
        csr_claim(l, &c);
    } else if (c.how == RISCV_CSR_STATUS && only_disables(l)) {
        csr_disable(l, &c);
    } else {
        value = writes ? operand(l) : IR_REF_NONE;
        if (writes || c.how != RISCV_CSR_STATUS)
            lift_sync(l);
        if (l->i.rd || csr_op(&l->i) != CSR_WRITE)
            csr_read(l, &c);
        if (writes)
            csr_write(l, &c, value);
    }
}

/* ---- traps, returns, WFI ---- */

/* arg: the helper; aux 1: it wants the instruction's bits. The helper sets pc. */
static void op_trap(struct lift *l, row_t row)
{
    lift_sync(l);
    lift_call(l, (enum riscv_helper)row->arg, row->aux ? lift_imm(l, l->i.raw) : IR_REF_NONE, IR_REF_NONE,
              IR_REF_NONE);
    lift_dispatch(l);
}

/* ---- sfence.vma and its parts ---- */

/* sinval.vma does what sfence.vma does; the fences around it then have nothing left (Svinval). */
static void op_sfence(struct lift *l, row_t row)
{
    ir_ref va = lift_get(l, l->i.rs1), asid = lift_get(l, l->i.rs2);
    uint64_t desc = l->i.raw | (l->i.rs1 ? BIT(32) : 0) | (l->i.rs2 ? BIT(33) : 0);

    (void)row;
    lift_sync(l);
    lift_call(l, RVH_SFENCE, va, asid, lift_imm(l, (int64_t)desc));
    lift_dispatch(l);
}

static void op_nothing(struct lift *l, row_t row)
{
    (void)l;
    (void)row;
}

// clang-format off
#define CSR(id)                  [RV_##id] = {op_csr, 0, 0, INSN_PLAIN, NEEDS_CSR}
#define TRAP(id, helper, raw, n) [RV_##id] = {op_trap, RVH_##helper, raw, INSN_END, n}

const struct lift_row riscv_lift_system[RV_ID_COUNT] = {
    CSR(CSRRW), CSR(CSRRS), CSR(CSRRC), CSR(CSRRWI), CSR(CSRRSI), CSR(CSRRCI),
    TRAP(ECALL, ECALL, 0, 0), TRAP(EBREAK, EBREAK, 0, 0),
    TRAP(MRET, MRET, 0, NEEDS_M), TRAP(SRET, SRET, 1, NEEDS_S), TRAP(WFI, WFI, 1, NEEDS_S),
    [RV_SFENCE_VMA] = {op_sfence, 0, 0, INSN_END, NEEDS_S},
    [RV_SINVAL_VMA] = {op_sfence, 0, 0, INSN_END, NEEDS_S},
    [RV_SFENCE_W_INVAL] = {op_nothing, 0, 0, INSN_PLAIN, NEEDS_S},
    [RV_SFENCE_INVAL_IR] = {op_nothing, 0, 0, INSN_PLAIN, NEEDS_S},
};
