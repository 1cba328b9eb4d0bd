/* Lifts memory instructions: loads and stores of both register files, atomics, fences, cache blocks. */
#include "guest/riscv64/lift.h"

typedef const struct lift_row *row_t;

#define SLOT_F(n) (unsigned)(offsetof(struct riscv_vcpu, f) + 8 * (n))

/* ---- integer: aux = enum ir_memaux ---- */

static void op_load(struct lift *l, row_t row)
{
    ir_ref v = ir_load(l->u, IRT_I64, row->aux, lift_get(l, l->i.rs1), l->i.imm);

    lift_put(l, l->i.rd, v);
}

static void op_store(struct lift *l, row_t row)
{
    ir_ref base = lift_get(l, l->i.rs1);

    ir_store(l->u, IRT_I64, row->aux, base, l->i.imm, lift_get(l, l->i.rs2));
}

/* ---- floating point ---- */

/* arg: the type in memory; narrower ones are boxed. */
static void op_fload(struct lift *l, row_t row)
{
    enum ir_type type = (enum ir_type)row->arg;
    ir_ref v;

    if (type == IRT_F16) {
        v = ir_load(l->u, IRT_I32, row->aux, lift_get(l, l->i.rs1), l->i.imm);
        v = ir_un(l->u, IR_BITCAST, IRT_F16, v);
    } else {
        v = ir_load(l->u, type, row->aux, lift_get(l, l->i.rs1), l->i.imm);
    }
    if (type != IRT_F64)
        v = ir_un(l->u, IR_BOX, type, v);
    ir_put(l->u, IRT_F64, SLOT_F(l->i.rd), v);
}

/* The low bits as they are, boxed or not (Unprivileged, 21.2). */
static void op_fstore(struct lift *l, row_t row)
{
    ir_ref base = lift_get(l, l->i.rs1);
    ir_ref v = ir_get(l->u, IRT_F64, SLOT_F(l->i.rs2));

    if (row->arg == IRT_F64) {
        ir_store(l->u, IRT_F64, row->aux, base, l->i.imm, v);
        return;
    }
    v = ir_un(l->u, IR_TRUNC, IRT_I32, ir_un(l->u, IR_BITCAST, IRT_I64, v));
    ir_store(l->u, IRT_I32, row->aux, base, l->i.imm, v);
}

/* ---- atomics: always naturally aligned, ordered by aq and rl ---- */

static unsigned order(const struct lift *l)
{
    return (l->i.aqrl & RV_AQ ? IR_MEM_ACQ : 0) | (l->i.aqrl & RV_RL ? IR_MEM_REL : 0) | IR_MEM_ALIGNED;
}

static ir_ref sext_w(struct lift *l, ir_ref v, unsigned size)
{
    return size == 2 ? ir_emit(l->u, IR_SEXT, IRT_I64, 32, v, IR_REF_NONE, IR_REF_NONE, 0) : v;
}

/* arg: enum ir_amo; aux: size. The old value is written even when rd is x0: the access counts. */
static void op_amo(struct lift *l, row_t row)
{
    enum ir_type type = row->aux == 2 ? IRT_I32 : IRT_I64;
    ir_ref base = lift_get(l, l->i.rs1);
    ir_ref operand = row->aux == 2 ? lift_get32(l, l->i.rs2) : lift_get(l, l->i.rs2);
    ir_ref old = ir_emit(l->u, IR_AMO, type, row->aux | order(l) | (unsigned)row->arg << IR_MEM_AMO_SHIFT,
                         base, operand, IR_REF_NONE, 0);

    lift_put(l, l->i.rd, sext_w(l, old, row->aux));
}

static void op_lr(struct lift *l, row_t row)
{
    enum ir_type type = row->aux == 2 ? IRT_I32 : IRT_I64;
    ir_ref v =
        ir_emit(l->u, IR_LR, type, row->aux | order(l), lift_get(l, l->i.rs1), IR_REF_NONE, IR_REF_NONE, 0);

    lift_put(l, l->i.rd, sext_w(l, v, row->aux));
}

static void op_sc(struct lift *l, row_t row)
{
    enum ir_type type = row->aux == 2 ? IRT_I32 : IRT_I64;
    ir_ref base = lift_get(l, l->i.rs1);
    ir_ref value = row->aux == 2 ? lift_get32(l, l->i.rs2) : lift_get(l, l->i.rs2);

    lift_put(l, l->i.rd, ir_emit(l->u, IR_SC, type, row->aux | order(l), base, value, IR_REF_NONE, 0));
}

/* ---- fences ---- */

static void fence(struct lift *l, unsigned pred, unsigned succ)
{
    ir_emit(l->u, IR_FENCE, IRT_NONE, pred << 4 | succ, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

/* The encoding's sets (i 8, o 4, r 2, w 1) are those of ir.def. */
static void op_fence(struct lift *l, row_t row)
{
    unsigned fm = (unsigned)l->i.imm >> 8 & 15, pred = (unsigned)l->i.imm >> 4 & 15,
             succ = (unsigned)l->i.imm & 15;

    (void)row;
    if (fm == 8 && pred == 3 && succ == 3) { /* fence.tso: all but store before load */
        fence(l, IR_FENCE_R, IR_FENCE_R | IR_FENCE_W);
        fence(l, IR_FENCE_W, IR_FENCE_W);
    } else if (pred && succ) {
        fence(l, pred, succ);
    }
}

static void op_fence_i(struct lift *l, row_t row)
{
    (void)row;
    lift_sync(l);
    lift_call(l, RVH_FENCE_I, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
    lift_dispatch(l);
}

/* pause, wrs.*: may always end at once. */
static void op_nop(struct lift *l, row_t row)
{
    (void)l;
    (void)row;
}

/* ---- cache blocks ---- */

/*
 * The first store, of one byte at the address itself, makes a fault report that address and not the
 * block's first one.
 */
static void op_cbo_zero(struct lift *l, row_t row)
{
    ir_ref at = lift_get(l, l->i.rs1), zero = lift_imm(l, 0), block;

    (void)row;
    ir_store(l->u, IRT_I64, 0, at, 0, zero);
    block = ir_bin(l->u, IR_AND, IRT_I64, at, lift_imm(l, -RISCV_CBO_BLOCK));
    for (int i = 0; i < RISCV_CBO_BLOCK; i += 8)
        ir_store(l->u, IRT_I64, 3, block, i, zero);
}

/* Caches are coherent here: what is left is the permission. */
static void op_cbo(struct lift *l, row_t row)
{
    (void)row;
    lift_sync(l);
    lift_call(l, RVH_CBO, lift_get(l, l->i.rs1), IR_REF_NONE, IR_REF_NONE);
}

// clang-format off
#define S IR_MEM_SIGNED
#define LOAD(id, aux)        [RV_##id] = {op_load, 0, aux, INSN_PLAIN, 0}
#define STORE(id, aux)       [RV_##id] = {op_store, 0, aux, INSN_PLAIN, 0}
#define FLOAD(id, type, sz)  [RV_##id] = {op_fload, type, sz, INSN_PLAIN, NEEDS_DIRTY}
#define FSTORE(id, type, sz) [RV_##id] = {op_fstore, type, sz, INSN_PLAIN, NEEDS_FS}
#define AMO(id, op)          [RV_##id##_W] = {op_amo, IR_AMO_##op, 2, INSN_PLAIN, 0}, \
                             [RV_##id##_D] = {op_amo, IR_AMO_##op, 3, INSN_PLAIN, 0}

const struct lift_row riscv_lift_mem[RV_ID_COUNT] = {
    LOAD(LB, 0 | S), LOAD(LH, 1 | S), LOAD(LW, 2 | S), LOAD(LD, 3), LOAD(LBU, 0), LOAD(LHU, 1), LOAD(LWU, 2),
    STORE(SB, 0), STORE(SH, 1), STORE(SW, 2), STORE(SD, 3),
    FLOAD(FLH, IRT_F16, 1), FLOAD(FLW, IRT_F32, 2), FLOAD(FLD, IRT_F64, 3),
    FSTORE(FSH, IRT_F16, 1), FSTORE(FSW, IRT_F32, 2), FSTORE(FSD, IRT_F64, 3),
    AMO(AMOSWAP, SWAP), AMO(AMOADD, ADD), AMO(AMOAND, AND), AMO(AMOOR, OR), AMO(AMOXOR, XOR),
    AMO(AMOMIN, MINS), AMO(AMOMAX, MAXS), AMO(AMOMINU, MINU), AMO(AMOMAXU, MAXU),
    [RV_LR_W] = {op_lr, 0, 2, INSN_PLAIN, 0}, [RV_LR_D] = {op_lr, 0, 3, INSN_PLAIN, 0},
    [RV_SC_W] = {op_sc, 0, 2, INSN_PLAIN, 0}, [RV_SC_D] = {op_sc, 0, 3, INSN_PLAIN, 0},
    [RV_FENCE] = {op_fence, 0, 0, INSN_PLAIN, 0}, [RV_FENCE_I] = {op_fence_i, 0, 0, INSN_END, 0},
    [RV_PAUSE] = {op_nop, 0, 0, INSN_PLAIN, 0},
    [RV_WRS_NTO] = {op_nop, 0, 0, INSN_PLAIN, 0}, [RV_WRS_STO] = {op_nop, 0, 0, INSN_PLAIN, 0},
    [RV_CBO_ZERO] = {op_cbo_zero, 0, 0, INSN_PLAIN, NEEDS_CBZE},
    [RV_CBO_INVAL] = {op_cbo, 0, 0, INSN_PLAIN, NEEDS_CBIE},
    [RV_CBO_CLEAN] = {op_cbo, 0, 0, INSN_PLAIN, NEEDS_CBCFE},
    [RV_CBO_FLUSH] = {op_cbo, 0, 0, INSN_PLAIN, NEEDS_CBCFE},
};
