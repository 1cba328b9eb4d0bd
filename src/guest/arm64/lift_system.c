/* Lifts system registers and operations, hints, barriers, exceptions (DDI 0487, C5, C6.2). */
#include "guest/arm64/lift.h"
#include "isa/arm64/sysreg.h"

typedef const struct lift_row *row_t;

/* ---- system registers ---- */

bool alift_sys_lookup(uint64_t mode, const struct a64_insn *i, struct arm64_sys_info *out)
{
    *out = (struct arm64_sys_info){0};
    if (i->sysreg == A64_SYSREG_nzcv)
        return true;
    if (i->sysreg == A64_SYSOP_dc_zva && mode & ARM64_MODE_DCZVA)
        return true;
    return arm64_sys_lookup(mode, i->sysreg, i->id == A64_MSR || i->id == A64_SYS, out);
}

static ir_ref masked(struct lift *l, ir_ref v, uint64_t mask)
{
    return mask == UINT64_MAX ? v : alift_bini(l, IR_AND, v, (int64_t)mask);
}

/* The row, and the instruction's bits for its exception. */
static ir_ref sys_desc(struct lift *l, const struct arm64_sys_info *s)
{
    return alift_imm(l, (int64_t)((uint64_t)s->row << 32 | l->i.raw));
}

/* NZCV: bits 31..28, in the slot 0..3. */
static ir_ref nzcv_swap(struct lift *l, ir_ref v)
{
    return alift_bini(l, IR_SHR, ir_un(l->u, IR_BREV, IRT_I64, v), 32);
}

static void op_mrs(struct lift *l, row_t row)
{
    struct arm64_sys_info s;

    (void)row;
    alift_sys_lookup(l->mode, &l->i, &s);
    if (l->i.sysreg == A64_SYSREG_nzcv) {
        alift_put(l, l->i.rd, nzcv_swap(l, alift_get_nzcv(l)));
    } else if (s.how == ARM64_SYS_DIRECT) {
        alift_put(l, l->i.rd, masked(l, ir_get(l->u, IRT_I64, s.slot), s.read_mask));
    } else {
        alift_sync(l);
        alift_put(l, l->i.rd, alift_call(l, A64H_SYS_READ, sys_desc(l, &s), IR_REF_NONE, IR_REF_NONE));
        if (l->i.sysreg == A64_SYSREG_rndr || l->i.sysreg == A64_SYSREG_rndrrs)
            alift_put_nzcv(l, alift_imm(l, 0)); /* there always is a number */
    }
}

static void sys_write(struct lift *l, const struct arm64_sys_info *s)
{
    ir_ref v = alift_get(l, l->i.rd);

    alift_sync(l);
    alift_call(l, A64H_SYS_WRITE, sys_desc(l, s), v, IR_REF_NONE);
}

static void op_msr(struct lift *l, row_t row)
{
    struct arm64_sys_info s;

    (void)row;
    alift_sys_lookup(l->mode, &l->i, &s);
    if (l->i.sysreg == A64_SYSREG_nzcv)
        alift_put_nzcv(l, alift_bini(l, IR_AND, nzcv_swap(l, alift_get(l, l->i.rd)), 15));
    else if (s.how == ARM64_SYS_DIRECT)
        ir_put(l->u, IRT_I64, s.slot, masked(l, alift_get(l, l->i.rd), s.write_mask));
    else
        sys_write(l, &s);
}

/*
 * The first store, of one byte at the address itself, makes a fault report that address and not the block's
 * first one.
 */
static void zero_block(struct lift *l)
{
    ir_ref at = alift_get(l, l->i.rd), zero = alift_imm(l, 0), block;

    alift_watch(l, alift_bini(l, IR_AND, at, -ARM64_DCZVA_BLOCK), 0, ARM64_DCZVA_BLOCK, true);
    ir_store(l->u, IRT_I64, 0, at, 0, zero);
    block = alift_bini(l, IR_AND, at, -ARM64_DCZVA_BLOCK);
    for (int i = 0; i < ARM64_DCZVA_BLOCK; i += 8)
        ir_store(l->u, IRT_I64, 3, block, i, zero);
}

static void op_sys(struct lift *l, row_t row)
{
    struct arm64_sys_info s;

    (void)row;
    alift_sys_lookup(l->mode, &l->i, &s);
    if (l->i.sysreg == A64_SYSOP_dc_zva && l->mode & ARM64_MODE_DCZVA)
        zero_block(l);
    else
        sys_write(l, &s);
}

/* ---- PSTATE ---- */

/* op1:op2, and the bits for the syndrome */
static void op_pstate(struct lift *l, row_t row)
{
    unsigned field = (unsigned)(bits_get(l->i.raw, 18, 16) << 3 | bits_get(l->i.raw, 7, 5));

    (void)row;
    alift_sync(l);
    alift_call(l, A64H_MSR_IMM, alift_imm(l, field), alift_imm(l, l->i.imm), alift_imm(l, l->i.raw));
}

/* Masking at EL1 asks for nothing but the bits, unless D changes what debug looks at. */
static void op_daifset(struct lift *l, row_t row)
{
    if (!(l->mode & ARM64_MODE_EL) || l->mode & (ARM64_MODE_BREAK | ARM64_MODE_WATCH | ARM64_MODE_STEP)) {
        op_pstate(l, row);
        return;
    }
    ir_put(l->u, IRT_I64, SLOT(daif), alift_bini(l, IR_OR, ir_get(l->u, IRT_I64, SLOT(daif)), l->i.imm << 6));
}

/* ---- exceptions ---- */

/* arg: the helper, with the immediate */
static void op_exception(struct lift *l, row_t row)
{
    alift_end_call(l, (enum arm64_helper)row->arg, alift_imm(l, l->i.imm), IR_REF_NONE, IR_REF_NONE);
}

/* arg: the helper; it sets pc */
static void op_end(struct lift *l, row_t row)
{
    alift_end_call(l, (enum arm64_helper)row->arg, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
}

static void op_undefined(struct lift *l, row_t row)
{
    (void)row;
    alift_undefined(l);
}

/* ---- hints, barriers ---- */

static void op_nop(struct lift *l, row_t row)
{
    (void)l;
    (void)row;
}

/* Changes of the context act at once; code that was written is met by leaving the unit. */
static void op_isb(struct lift *l, row_t row)
{
    (void)row;
    alift_jump_to(l, alift_pc(l, 4), IR_HINT_NONE);
}

static void op_sev(struct lift *l, row_t row)
{
    (void)row;
    alift_sync(l);
    alift_call(l, A64H_SEV, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
}

static void op_sevl(struct lift *l, row_t row)
{
    (void)row;
    ir_put(l->u, IRT_I64, SLOT(event), alift_imm(l, 1));
}

static void op_clrex(struct lift *l, row_t row)
{
    (void)row;
    ir_put(l->u, IRT_I64, SLOT(v.resv_addr), alift_imm(l, -1));
}

/* CRm[1:0]: 1 loads before loads and stores, 2 stores before stores, else all; arg: DSB */
static void op_barrier(struct lift *l, row_t row)
{
    const unsigned reads = IR_FENCE_R | IR_FENCE_I, writes = IR_FENCE_W | IR_FENCE_O;
    unsigned type = l->i.imm & 3, before = reads | writes, after = before;

    (void)row;
    if (type == 1)
        before = reads;
    else if (type == 2)
        before = after = writes;
    ir_emit(l->u, IR_FENCE, IRT_NONE, before << 4 | after, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

// clang-format off
#define ROW(id, f)      [A64_##id] = {f, 0, 0, INSN_PLAIN, 0}
#define END(id, f, h)   [A64_##id] = {f, A64H_##h, 0, INSN_END, 0}
#define SYSREG(id, f)   [A64_##id] = {f, 0, 0, INSN_PLAIN, NEEDS_SYS}
#define PSTATE(id)      [A64_##id] = {op_pstate, 0, 0, INSN_PLAIN, 0}

const struct lift_row arm64_lift_system[A64_ID_COUNT] = {
    SYSREG(MRS, op_mrs), SYSREG(MSR, op_msr), SYSREG(SYS, op_sys),
    [A64_SYSL] = {op_undefined, 0, 0, INSN_END, 0},
    PSTATE(MSR_UAO), PSTATE(MSR_PAN), PSTATE(MSR_SPSEL), PSTATE(MSR_SSBS), PSTATE(MSR_DIT), PSTATE(MSR_DAIFCLR),
    [A64_MSR_DAIFSET] = {op_daifset, 0, 0, INSN_PLAIN, 0},
    END(SVC, op_exception, SVC), END(HVC, op_exception, HVC), END(SMC, op_exception, SMC),
    END(BRK, op_exception, BRK),
    END(HLT, op_undefined, UNDEFINED), END(DCPS1, op_undefined, UNDEFINED), END(DCPS2, op_undefined, UNDEFINED),
    END(DCPS3, op_undefined, UNDEFINED), END(DRPS, op_undefined, UNDEFINED),
    END(WFI, op_end, WFI), END(WFE, op_end, WFE), [A64_ISB] = {op_isb, 0, 0, INSN_END, 0},
    ROW(NOP, op_nop), ROW(YIELD, op_nop), ROW(HINT, op_nop), ROW(SEV, op_sev), ROW(SEVL, op_sevl),
    ROW(CLREX, op_clrex), ROW(DMB, op_barrier), ROW(DSB, op_barrier), ROW(SB, op_nop),
};
