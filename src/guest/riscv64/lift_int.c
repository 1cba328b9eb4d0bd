/* Lifts the integer instructions: I, M, Zba, Zbb, Zbc, Zbs, Zicond, jumps and branches. */
#include "guest/riscv64/lift.h"

typedef const struct lift_row *row_t;

static ir_ref bin(struct lift *l, unsigned op, ir_ref a, ir_ref b)
{
    return ir_bin(l->u, (enum ir_opcode)op, IRT_I64, a, b);
}

/* Combines with a constant. */
static ir_ref bini(struct lift *l, unsigned op, ir_ref a, int64_t value)
{
    ir_ref b = lift_imm(l, value);

    return bin(l, op, a, b);
}

static ir_ref zext32(struct lift *l, ir_ref a)
{
    return ir_emit(l->u, IR_ZEXT, IRT_I64, 32, a, IR_REF_NONE, IR_REF_NONE, 0);
}

/* ---- register and immediate operands, 64 and 32 bits ---- */

static void op_r(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), b = lift_get(l, l->i.rs2);

    lift_put(l, l->i.rd, bin(l, row->arg, a, b));
}

static void op_i(struct lift *l, row_t row)
{
    lift_put(l, l->i.rd, bini(l, row->arg, lift_get(l, l->i.rs1), l->i.imm));
}

static void op_rw(struct lift *l, row_t row)
{
    ir_ref a = lift_get32(l, l->i.rs1), b = lift_get32(l, l->i.rs2);

    lift_put32(l, l->i.rd, ir_bin(l->u, (enum ir_opcode)row->arg, IRT_I32, a, b));
}

static void op_iw(struct lift *l, row_t row)
{
    ir_ref a = lift_get32(l, l->i.rs1), b = ir_const(l->u, IRT_I32, (int32_t)l->i.imm);

    lift_put32(l, l->i.rd, ir_bin(l->u, (enum ir_opcode)row->arg, IRT_I32, a, b));
}

static void op_un(struct lift *l, row_t row)
{
    lift_put(l, l->i.rd, ir_un(l->u, (enum ir_opcode)row->arg, IRT_I64, lift_get(l, l->i.rs1)));
}

static void op_unw(struct lift *l, row_t row)
{
    lift_put32(l, l->i.rd, ir_un(l->u, (enum ir_opcode)row->arg, IRT_I32, lift_get32(l, l->i.rs1)));
}

/* aux: enum ir_cond */
static void op_slt(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), b = lift_get(l, l->i.rs2);

    lift_put(l, l->i.rd, ir_setcc(l->u, IRT_I64, (enum ir_cond)row->aux, a, b));
}

static void op_slti(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), b = lift_imm(l, l->i.imm);

    lift_put(l, l->i.rd, ir_setcc(l->u, IRT_I64, (enum ir_cond)row->aux, a, b));
}

/* arg: SEXT or ZEXT, aux: source bits */
static void op_ext(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1);

    lift_put(l, l->i.rd,
             ir_emit(l->u, (enum ir_opcode)row->arg, IRT_I64, row->aux, a, IR_REF_NONE, IR_REF_NONE, 0));
}

/* ---- constants ---- */

static void op_lui(struct lift *l, row_t row)
{
    (void)row;
    lift_put(l, l->i.rd, lift_imm(l, l->i.imm));
}

static ir_ref pc_plus(struct lift *l, int64_t displacement)
{
    return ir_emit(l->u, IR_PC, IRT_I64, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, l->offset + displacement);
}

static void op_auipc(struct lift *l, row_t row)
{
    (void)row;
    lift_put(l, l->i.rd, pc_plus(l, l->i.imm));
}

/* ---- Zba: aux = shift; arg 1: rs1 zero-extended from 32 bits ---- */

static void op_shadd(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), b = lift_get(l, l->i.rs2);

    if (row->arg)
        a = zext32(l, a);
    if (row->aux)
        a = bini(l, IR_SHL, a, row->aux);
    lift_put(l, l->i.rd, bin(l, IR_ADD, a, b));
}

static void op_slli_uw(struct lift *l, row_t row)
{
    (void)row;
    lift_put(l, l->i.rd, bini(l, IR_SHL, zext32(l, lift_get(l, l->i.rs1)), l->i.imm));
}

/* ---- Zbs: arg combines with the bit; aux 1: the bit number is the immediate ---- */

static void op_bit(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1);
    ir_ref bit = lift_imm(l, row->aux ? (int64_t)BIT(l->i.imm & 63) : 1);

    if (!row->aux)
        bit = bin(l, IR_SHL, bit, lift_get(l, l->i.rs2));
    lift_put(l, l->i.rd, bin(l, row->arg, a, bit));
}

static void op_bext(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1);
    ir_ref n = row->aux ? lift_imm(l, l->i.imm) : lift_get(l, l->i.rs2);

    lift_put(l, l->i.rd, bini(l, IR_AND, bin(l, IR_SHR, a, n), 1));
}

/* ---- Zicond: rd = (rs2 == 0 or != 0) ? 0 : rs1; aux 1: nez ---- */

static void op_czero(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), c = lift_get(l, l->i.rs2), zero = lift_imm(l, 0);

    lift_put(l, l->i.rd,
             ir_emit(l->u, IR_SELECT, IRT_I64, 0, c, row->aux ? zero : a, row->aux ? a : zero, 0));
}

/* ---- jumps ---- */

static bool no_c(const struct lift *l)
{
    return l->mode & RISCV_MODE_NO_EXT(RV_EXT_C);
}

/* A taken jump to a target off the 4-byte grid raises at the jump itself, before rd is written. */
static void misaligned_pc(struct lift *l, ir_ref target)
{
    lift_sync(l);
    lift_call(l, RVH_MISALIGNED_PC, target, IR_REF_NONE, IR_REF_NONE);
}

static void op_jal(struct lift *l, row_t row)
{
    (void)row;
    if (no_c(l) && l->i.imm & 2) {
        misaligned_pc(l, pc_plus(l, l->i.imm));
        lift_dispatch(l);
        return;
    }
    if (l->i.rd)
        lift_put(l, l->i.rd, pc_plus(l, l->i.len));
    ir_emit(l->u, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, l->offset + l->i.imm);
}

static bool is_link(unsigned reg)
{
    return reg == RV_REG_RA || reg == RV_REG_T0;
}

/* Unprivileged, 2.5.1, table of return-address stack hints. */
static enum ir_hint jump_hint(const struct rv_insn *i)
{
    if (is_link(i->rd))
        return IR_HINT_CALL;
    return is_link(i->rs1) ? IR_HINT_RETURN : IR_HINT_NONE;
}

static void op_jalr(struct lift *l, row_t row)
{
    ir_ref target = lift_get(l, l->i.rs1);

    (void)row;
    if (l->i.imm)
        target = bini(l, IR_ADD, target, l->i.imm);
    target = bini(l, IR_AND, target, -2);
    if (no_c(l))
        misaligned_pc(l, target);
    if (l->i.rd)
        lift_put(l, l->i.rd, pc_plus(l, l->i.len));
    ir_emit(l->u, IR_JUMPI, IRT_NONE, jump_hint(&l->i), target, IR_REF_NONE, IR_REF_NONE, 0);
}

static void op_branch(struct lift *l, row_t row)
{
    ir_ref a = lift_get(l, l->i.rs1), b = lift_get(l, l->i.rs2);
    int64_t taken = l->offset + l->i.imm, next = l->offset + l->i.len;

    if (no_c(l) && l->i.imm & 2) {
        /* The helper raises for a target off the grid only: give it 0 where the branch is not taken. */
        ir_ref cond = ir_setcc(l->u, IRT_I64, (enum ir_cond)row->aux, a, b);
        ir_ref target = pc_plus(l, l->i.imm), none = lift_imm(l, 0);

        misaligned_pc(l, ir_emit(l->u, IR_SELECT, IRT_I64, 0, cond, target, none, 0));
        a = lift_get(l, l->i.rs1);
        b = lift_get(l, l->i.rs2);
    }
    ir_emit(l->u, IR_BRANCH, IRT_I64, row->aux, a, b, IR_REF_NONE,
            (int64_t)((uint64_t)taken << 32 | (uint32_t)next));
}

// clang-format off
#define R(id, op)        [RV_##id] = {op_r, IR_##op, 0, INSN_PLAIN, 0}
#define I(id, op)        [RV_##id] = {op_i, IR_##op, 0, INSN_PLAIN, 0}
#define RW(id, op)       [RV_##id] = {op_rw, IR_##op, 0, INSN_PLAIN, 0}
#define IW(id, op)       [RV_##id] = {op_iw, IR_##op, 0, INSN_PLAIN, 0}
#define UN(id, op)       [RV_##id] = {op_un, IR_##op, 0, INSN_PLAIN, 0}
#define UNW(id, op)      [RV_##id] = {op_unw, IR_##op, 0, INSN_PLAIN, 0}
#define ROW(id, f, a, x) [RV_##id] = {f, a, x, INSN_PLAIN, 0}
#define BRANCH(id, c)    [RV_##id] = {op_branch, 0, IR_##c, INSN_BRANCH, 0}

const struct lift_row riscv_lift_int[RV_ID_COUNT] = {
    ROW(LUI, op_lui, 0, 0), ROW(AUIPC, op_auipc, 0, 0),
    R(ADD, ADD), R(SUB, SUB), R(SLL, SHL), R(SRL, SHR), R(SRA, SAR), R(XOR, XOR), R(OR, OR), R(AND, AND),
    ROW(SLT, op_slt, 0, IR_LTS), ROW(SLTU, op_slt, 0, IR_LTU),
    ROW(SLTI, op_slti, 0, IR_LTS), ROW(SLTIU, op_slti, 0, IR_LTU),
    I(ADDI, ADD), I(XORI, XOR), I(ORI, OR), I(ANDI, AND), I(SLLI, SHL), I(SRLI, SHR), I(SRAI, SAR),
    RW(ADDW, ADD), RW(SUBW, SUB), RW(SLLW, SHL), RW(SRLW, SHR), RW(SRAW, SAR),
    IW(ADDIW, ADD), IW(SLLIW, SHL), IW(SRLIW, SHR), IW(SRAIW, SAR),

    R(MUL, MUL), R(MULH, MULHS), R(MULHSU, MULHSU), R(MULHU, MULHU),
    R(DIV, DIVS), R(DIVU, DIVU), R(REM, REMS), R(REMU, REMU),
    RW(MULW, MUL), RW(DIVW, DIVS), RW(DIVUW, DIVU), RW(REMW, REMS), RW(REMUW, REMU),

    ROW(ADD_UW, op_shadd, 1, 0),
    ROW(SH1ADD, op_shadd, 0, 1), ROW(SH2ADD, op_shadd, 0, 2), ROW(SH3ADD, op_shadd, 0, 3),
    ROW(SH1ADD_UW, op_shadd, 1, 1), ROW(SH2ADD_UW, op_shadd, 1, 2), ROW(SH3ADD_UW, op_shadd, 1, 3),
    ROW(SLLI_UW, op_slli_uw, 0, 0),

    R(ANDN, ANDN), R(ORN, ORN), R(XNOR, XNOR), R(MIN, MINS), R(MINU, MINU), R(MAX, MAXS), R(MAXU, MAXU),
    R(ROL, ROL), R(ROR, ROR), I(RORI, ROR), RW(ROLW, ROL), RW(RORW, ROR), IW(RORIW, ROR),
    UN(CLZ, CLZ), UN(CTZ, CTZ), UN(CPOP, POPCNT), UNW(CLZW, CLZ), UNW(CTZW, CTZ), UNW(CPOPW, POPCNT),
    UN(REV8, BSWAP), UN(ORC_B, ORCB),
    ROW(SEXT_B, op_ext, IR_SEXT, 8), ROW(SEXT_H, op_ext, IR_SEXT, 16), ROW(ZEXT_H, op_ext, IR_ZEXT, 16),

    R(CLMUL, CLMUL), R(CLMULH, CLMULH), R(CLMULR, CLMULR),

    ROW(BSET, op_bit, IR_OR, 0), ROW(BCLR, op_bit, IR_ANDN, 0), ROW(BINV, op_bit, IR_XOR, 0),
    ROW(BSETI, op_bit, IR_OR, 1), ROW(BCLRI, op_bit, IR_ANDN, 1), ROW(BINVI, op_bit, IR_XOR, 1),
    ROW(BEXT, op_bext, 0, 0), ROW(BEXTI, op_bext, 0, 1),

    ROW(CZERO_EQZ, op_czero, 0, 0), ROW(CZERO_NEZ, op_czero, 0, 1),

    [RV_JAL] = {op_jal, 0, 0, INSN_JUMP, 0}, [RV_JALR] = {op_jalr, 0, 0, INSN_END, 0},
    BRANCH(BEQ, EQ), BRANCH(BNE, NE), BRANCH(BLT, LTS), BRANCH(BGE, GES),
    BRANCH(BLTU, LTU), BRANCH(BGEU, GEU),
};
