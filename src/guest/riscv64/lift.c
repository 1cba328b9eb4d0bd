/* lift_ops of riscv64: from bytes to rows of the lift tables; registers; helpers' table; slots. */
#include "guest/riscv64/lift.h"
#include "lib/softfloat.h"
#include "isa/riscv64/disasm.h"

#define SLOT_X(n) (unsigned)(offsetof(struct riscv_vcpu, x) + 8 * (n))
#define SLOT_F(n) (unsigned)(offsetof(struct riscv_vcpu, f) + 8 * (n))

/* ---- emitting ---- */

ir_ref lift_imm(struct lift *l, int64_t value)
{
    return ir_const(l->u, IRT_I64, value);
}

ir_ref lift_get(struct lift *l, unsigned reg)
{
    return reg ? ir_get(l->u, IRT_I64, SLOT_X(reg)) : lift_imm(l, 0);
}

void lift_put(struct lift *l, unsigned reg, ir_ref value)
{
    if (reg)
        ir_put(l->u, IRT_I64, SLOT_X(reg), value);
}

ir_ref lift_get32(struct lift *l, unsigned reg)
{
    return reg ? ir_un(l->u, IR_TRUNC, IRT_I32, lift_get(l, reg)) : ir_const(l->u, IRT_I32, 0);
}

void lift_put32(struct lift *l, unsigned reg, ir_ref value32)
{
    if (reg)
        lift_put(l, reg, ir_emit(l->u, IR_SEXT, IRT_I64, 32, value32, IR_REF_NONE, IR_REF_NONE, 0));
}

void lift_sync(struct lift *l)
{
    ir_emit(l->u, IR_SYNC, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

void lift_dispatch(struct lift *l)
{
    ir_emit(l->u, IR_DISPATCH, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, 0);
}

ir_ref lift_call(struct lift *l, enum riscv_helper h, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_call(l->u, h, IRT_I64, a, b, c);
}

void lift_illegal(struct lift *l)
{
    lift_sync(l);
    lift_call(l, RVH_ILLEGAL, lift_imm(l, l->i.raw), IR_REF_NONE, IR_REF_NONE);
    lift_dispatch(l);
}

/* ---- decoding ---- */

static uint32_t fetch(const uint8_t *bytes, unsigned avail)
{
    uint32_t raw = avail >= 2 ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 : 0;

    if (avail >= 4)
        raw |= (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return raw;
}

/* The row of an instruction that exists in this mode, or NULL. */
static const struct lift_row *row_of(uint64_t mode, const struct rv_insn *i)
{
    const struct lift_row *parts[] = {riscv_lift_int, riscv_lift_mem, riscv_lift_fp, riscv_lift_system};
    uint64_t absent = RISCV_MODE_NO_EXT(rv_insn_descs[i->id].ext);

    if (i->len == 2)
        absent |= RISCV_MODE_NO_EXT(RV_EXT_C);
    if (i->id == RV_ILLEGAL || mode & absent)
        return NULL;
    for (unsigned p = 0; p < ARRAY_SIZE(parts); p++) {
        if (parts[p][i->id].fn)
            return &parts[p][i->id];
    }
    return NULL;
}

enum gate { GATE_OPEN, GATE_ILLEGAL, GATE_FS_DIRTY };

static bool csr_there(uint64_t mode, const struct rv_insn *i)
{
    struct riscv_csr_info info;

    return riscv_csr_lookup(i->csr, (unsigned)(mode & RISCV_MODE_PRIV), lift_csr_writes(i), &info);
}

/* Whether the mode lets the instruction be; decided once for shape() and lift(). */
static enum gate gate_of(uint64_t mode, const struct lift_row *row, const struct rv_insn *i)
{
    unsigned needs = row ? row->needs : 0, priv = (unsigned)(mode & RISCV_MODE_PRIV);
    uint64_t fs = rv_field_get(mode, RISCV_MODE_FS);

    if (!row || (needs & NEEDS_S && priv < RV_PRIV_S) || (needs & NEEDS_M && priv < RV_PRIV_M))
        return GATE_ILLEGAL;
    if (needs & (NEEDS_FS | NEEDS_DIRTY) && fs == RISCV_FS_OFF)
        return GATE_ILLEGAL;
    if ((needs & NEEDS_RM && lift_rm(mode, i) > IR_RMM) || (needs & NEEDS_CSR && !csr_there(mode, i)))
        return GATE_ILLEGAL;
    if ((needs & NEEDS_CBZE && !(mode & RISCV_MODE_CBZE)) ||
        (needs & NEEDS_CBCFE && !(mode & RISCV_MODE_CBCFE)) ||
        (needs & NEEDS_CBIE && !(mode & RISCV_MODE_CBIE)))
        return GATE_ILLEGAL;
    return needs & NEEDS_DIRTY && fs != RISCV_FS_DIRTY ? GATE_FS_DIRTY : GATE_OPEN;
}

unsigned lift_rm(uint64_t mode, const struct rv_insn *i)
{
    return i->rm == 7 ? (unsigned)rv_field_get(mode, RISCV_MODE_FRM) : i->rm;
}

static void shape(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out)
{
    uint32_t raw = fetch(bytes, avail);
    const struct lift_row *row;
    struct rv_insn i;

    *out = (struct insn_shape){.kind = INSN_END};
    if (avail < 2 || avail < rv_insn_len((uint16_t)raw))
        return;
    rv_decode(raw, &i);
    out->len = i.len;
    row = row_of(mode, &i);
    if (gate_of(mode, row, &i) != GATE_OPEN)
        return;
    out->kind = row->kind;
    if (row->kind != INSN_BRANCH && row->kind != INSN_JUMP)
        return;
    out->target = (int32_t)i.imm;
    /* Without C a target off the 4-byte grid raises; see lift_int.c. */
    if (row->kind == INSN_JUMP && mode & RISCV_MODE_NO_EXT(RV_EXT_C) && i.imm & 2)
        out->kind = INSN_END;
}

/* FS becomes dirty first, which is another mode; the instruction is then met again. */
static void lift_fs_dirty(struct lift *l)
{
    lift_sync(l);
    lift_call(l, RVH_FS_DIRTY, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
    lift_dispatch(l);
}

static void lift(struct ir_unit *u, uint64_t mode, int32_t offset, const uint8_t *bytes, unsigned avail)
{
    struct lift l = {.u = u, .mode = mode, .offset = offset};
    const struct lift_row *row;

    rv_decode(fetch(bytes, avail), &l.i);
    ir_insn(u, offset, l.i.len);
    row = row_of(mode, &l.i);
    switch (gate_of(mode, row, &l.i)) {
    case GATE_OPEN:
        row->fn(&l, row);
        break;
    case GATE_FS_DIRTY:
        lift_fs_dirty(&l);
        break;
    case GATE_ILLEGAL:
        lift_illegal(&l);
        break;
    }
}

static int disasm(char *buf, size_t size, uint64_t mode, uint64_t pc, const uint8_t *bytes, unsigned avail)
{
    struct rv_insn i;

    (void)mode;
    rv_decode(fetch(bytes, avail), &i);
    return rv_disasm(buf, size, &i, pc);
}

/* ---- slots: hottest first, as counted in code of gcc -O2 ---- */

#define X(n, name)                                                                                           \
    {                                                                                                        \
        SLOT_X(n), IRT_I64, name                                                                             \
    }
#define F(n, name)                                                                                           \
    {                                                                                                        \
        SLOT_F(n), IRT_F64, name                                                                             \
    }

static const struct slot_desc slots[] = {
    X(15, "a5"),  X(14, "a4"),  X(10, "a0"),   X(13, "a3"),   X(11, "a1"),  X(12, "a2"),   X(2, "sp"),
    X(8, "s0"),   X(9, "s1"),   X(16, "a6"),   X(17, "a7"),   X(1, "ra"),   X(5, "t0"),    X(6, "t1"),
    X(28, "t3"),  X(7, "t2"),   X(18, "s2"),   X(19, "s3"),   X(29, "t4"),  X(20, "s4"),   X(30, "t5"),
    X(31, "t6"),  X(21, "s5"),  X(22, "s6"),   X(4, "tp"),    X(23, "s7"),  X(24, "s8"),   X(3, "gp"),
    X(25, "s9"),  X(26, "s10"), X(27, "s11"),  F(15, "fa5"),  F(14, "fa4"), F(10, "fa0"),  F(11, "fa1"),
    F(12, "fa2"), F(13, "fa3"), F(0, "ft0"),   F(1, "ft1"),   F(2, "ft2"),  F(3, "ft3"),   F(4, "ft4"),
    F(5, "ft5"),  F(6, "ft6"),  F(7, "ft7"),   F(16, "fa6"),  F(17, "fa7"), F(8, "fs0"),   F(9, "fs1"),
    F(28, "ft8"), F(29, "ft9"), F(30, "ft10"), F(31, "ft11"), F(18, "fs2"), F(19, "fs3"),  F(20, "fs4"),
    F(21, "fs5"), F(22, "fs6"), F(23, "fs7"),  F(24, "fs8"),  F(25, "fs9"), F(26, "fs10"), F(27, "fs11"),
};

const struct lift_ops lift_riscv64 = {
    .helpers = riscv_helpers,
    .helper_count = RVH_COUNT,
    .slots = slots,
    .slot_count = ARRAY_SIZE(slots),
    .fp_rules = &sf_rules_riscv,
    .fpflags_slot = offsetof(struct vcpu, fp_flags),
    .insn_max = 4,
    .insn_align = 2,
    .shape = shape,
    .lift = lift,
    .disasm = disasm,
};
