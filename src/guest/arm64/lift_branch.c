/* Lifts branches, authenticated ones too, and exception return (DDI 0487, C6.2). */
#include "guest/arm64/lift.h"

typedef const struct lift_row *row_t;

static void op_b(struct lift *l, row_t row)
{
    if (row->arg)
        alift_put(l, 30, alift_pc(l, 4));
    alift_jump(l, l->i.imm);
}

static void op_bcond(struct lift *l, row_t row)
{
    (void)row;
    alift_branch_cond(l, l->i.cond, l->i.imm);
}

/* aux: enum ir_cond */
static void op_cbz(struct lift *l, row_t row)
{
    ir_ref v = alift_get_sized(l, l->i.rd);

    alift_branch(l, alift_type(l), (enum ir_cond)row->aux, v, ir_const(l->u, alift_type(l), 0), l->i.imm);
}

static void op_tbz(struct lift *l, row_t row)
{
    ir_ref v = alift_bini(l, IR_AND, alift_get(l, l->i.rd), (int64_t)BIT(l->i.index));

    alift_branch(l, IRT_I64, (enum ir_cond)row->aux, v, alift_imm(l, 0), l->i.imm);
}

static void go_to(struct lift *l, row_t row, ir_ref target)
{
    if (row->arg == IR_HINT_CALL)
        alift_put(l, 30, alift_pc(l, 4));
    alift_jump_to(l, target, (enum ir_hint)row->arg);
}

/* arg: enum ir_hint */
static void op_br(struct lift *l, row_t row)
{
    go_to(l, row, alift_get(l, l->i.rn));
}

/* aux: 1: key B; 2: the modifier is Rd, else zero; 4: LR with SP */
enum { AUTH_B = 1, AUTH_RD = 2, AUTH_LR = 4 };

static ir_ref authenticated(struct lift *l, row_t row, ir_ref target)
{
    uint64_t enable = row->aux & AUTH_B ? ARM64_MODE_ENIB : ARM64_MODE_ENIA;
    ir_ref modifier;

    if (!(l->mode & enable))
        return target;
    modifier = row->aux & AUTH_LR   ? alift_get_sp(l, ARM64_REG_SP)
               : row->aux & AUTH_RD ? alift_get_sp(l, l->i.rd)
                                    : alift_imm(l, 0);
    return alift_call(l, A64H_PAC, target, modifier, alift_imm(l, (row->aux & AUTH_B) | 8));
}

static void op_br_auth(struct lift *l, row_t row)
{
    go_to(l, row, authenticated(l, row, alift_get(l, row->aux & AUTH_LR ? 30 : l->i.rn)));
}

static void op_eret(struct lift *l, row_t row)
{
    ir_ref target = ir_get(l->u, IRT_I64, SLOT(elr_el1));

    if (row->arg)
        target = authenticated(l, row, target);
    alift_end_call(l, A64H_ERET, target, IR_REF_NONE, IR_REF_NONE);
}

// clang-format off
#define ROW(id, f, a, x, kind) [A64_##id] = {f, a, x, INSN_##kind, 0}
#define BR_AUTH(id, hint, x) ROW(id, op_br_auth, IR_HINT_##hint, x, END)
#define ERET(id, a, x) [A64_##id] = {op_eret, a, x, INSN_END, NEEDS_EL1}

const struct lift_row arm64_lift_branch[A64_ID_COUNT] = {
    ROW(B, op_b, 0, 0, JUMP), ROW(BL, op_b, 1, 0, JUMP), ROW(B_COND, op_bcond, 0, 0, BRANCH),
    ROW(CBZ, op_cbz, 0, IR_EQ, BRANCH), ROW(CBNZ, op_cbz, 0, IR_NE, BRANCH),
    ROW(TBZ, op_tbz, 0, IR_EQ, BRANCH), ROW(TBNZ, op_tbz, 0, IR_NE, BRANCH),
    ROW(BR, op_br, IR_HINT_NONE, 0, END), ROW(BLR, op_br, IR_HINT_CALL, 0, END),
    ROW(RET, op_br, IR_HINT_RETURN, 0, END),
    BR_AUTH(BRAAZ, NONE, 0), BR_AUTH(BRABZ, NONE, AUTH_B), BR_AUTH(BLRAAZ, CALL, 0), BR_AUTH(BLRABZ, CALL, AUTH_B),
    BR_AUTH(BRAA, NONE, AUTH_RD), BR_AUTH(BRAB, NONE, AUTH_RD | AUTH_B),
    BR_AUTH(BLRAA, CALL, AUTH_RD), BR_AUTH(BLRAB, CALL, AUTH_RD | AUTH_B),
    BR_AUTH(RETAA, RETURN, AUTH_LR), BR_AUTH(RETAB, RETURN, AUTH_LR | AUTH_B),
    ERET(ERET, 0, 0), ERET(ERETAA, 1, AUTH_LR), ERET(ERETAB, 1, AUTH_LR | AUTH_B),
};
