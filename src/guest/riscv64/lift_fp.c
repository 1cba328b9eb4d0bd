/* Lifts F, D, Zfh: each operand unboxed, each narrow result boxed; rounding resolved by the mode word. */
#include "guest/riscv64/lift.h"

typedef const struct lift_row *row_t;

#define SLOT_F(n) (unsigned)(offsetof(struct riscv_vcpu, f) + 8 * (n))

/* aux of a row: the type, and another type for conversions. */
#define TYPES(to, from) ((to) | (from) << 8)

static enum ir_type type_of(row_t row)
{
    return (enum ir_type)(row->aux & 0xff);
}

static enum ir_type from_of(row_t row)
{
    return (enum ir_type)(row->aux >> 8);
}

static ir_ref fget(struct lift *l, unsigned reg, enum ir_type type)
{
    ir_ref v = ir_get(l->u, IRT_F64, SLOT_F(reg));

    return type == IRT_F64 ? v : ir_un(l->u, IR_UNBOX, type, v);
}

static void fput(struct lift *l, enum ir_type type, ir_ref v)
{
    ir_put(l->u, IRT_F64, SLOT_F(l->i.rd), type == IRT_F64 ? v : ir_un(l->u, IR_BOX, type, v));
}

static unsigned rm(const struct lift *l)
{
    return lift_rm(l->mode, &l->i);
}

/* arg: opcode */
static void op_bin(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t), b = fget(l, l->i.rs2, t);

    fput(l, t, ir_emit(l->u, (enum ir_opcode)row->arg, t, rm(l), a, b, IR_REF_NONE, 0));
}

static void op_sgnj(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t), b = fget(l, l->i.rs2, t);

    fput(l, t, ir_bin(l->u, (enum ir_opcode)row->arg, t, a, b));
}

static void op_minmax(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t), b = fget(l, l->i.rs2, t);

    fput(l, t, ir_emit(l->u, (enum ir_opcode)row->arg, t, IR_MM_RISCV << 8, a, b, IR_REF_NONE, 0));
}

static void op_sqrt(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t);

    fput(l, t, ir_emit(l->u, IR_FSQRT, t, rm(l), a, IR_REF_NONE, IR_REF_NONE, 0));
}

enum { NEGATE_PRODUCT = 1, NEGATE_ADDEND = 2 };

/* arg: what is negated before the one rounding (Unprivileged, 20.6); negation raises nothing */
static void op_fma(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t), b = fget(l, l->i.rs2, t), c = fget(l, l->i.rs3, t);

    if (row->arg & NEGATE_PRODUCT)
        a = ir_un(l->u, IR_FNEG, t, a);
    if (row->arg & NEGATE_ADDEND)
        c = ir_un(l->u, IR_FNEG, t, c);
    fput(l, t, ir_emit(l->u, IR_FMADD, t, rm(l), a, b, c, 0));
}

/* arg: enum ir_fcmp */
static void op_cmp(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t), b = fget(l, l->i.rs2, t);

    lift_put(l, l->i.rd, ir_emit(l->u, IR_FCMP, t, row->arg, a, b, IR_REF_NONE, 0));
}

static void op_class(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);

    lift_put(l, l->i.rd, ir_un(l->u, IR_FCLASS, t, fget(l, l->i.rs1, t)));
}

/* arg: enum ir_intkind */
static void op_ftoi(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, t);

    lift_put(l, l->i.rd,
             ir_emit(l->u, IR_FTOI, t, rm(l) | (unsigned)row->arg << 8, a, IR_REF_NONE, IR_REF_NONE, 0));
}

static void op_itof(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = lift_get(l, l->i.rs1);

    fput(l, t, ir_emit(l->u, IR_ITOF, t, rm(l) | (unsigned)row->arg << 8, a, IR_REF_NONE, IR_REF_NONE, 0));
}

static void op_ftof(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref a = fget(l, l->i.rs1, from_of(row));

    fput(l, t, ir_emit(l->u, IR_FTOF, t, rm(l), a, IR_REF_NONE, IR_REF_NONE, 0));
}

/* The bits as they are, boxed or not; narrow ones with the sign extended (21.2). aux: type */
static void op_mv_x(struct lift *l, row_t row)
{
    ir_ref v = ir_un(l->u, IR_BITCAST, IRT_I64, ir_get(l->u, IRT_F64, SLOT_F(l->i.rs1)));
    enum ir_type t = type_of(row);

    if (t != IRT_F64)
        v = ir_emit(l->u, IR_SEXT, IRT_I64, t == IRT_F32 ? 32 : 16, v, IR_REF_NONE, IR_REF_NONE, 0);
    lift_put(l, l->i.rd, v);
}

static void op_mv_f(struct lift *l, row_t row)
{
    enum ir_type t = type_of(row);
    ir_ref v = t == IRT_F64 ? lift_get(l, l->i.rs1) : lift_get32(l, l->i.rs1);

    fput(l, t, ir_un(l->u, IR_BITCAST, t, v));
}

// clang-format off
#define RM (NEEDS_DIRTY | NEEDS_RM)
#define ROW(id, fn, arg, aux, needs) [RV_##id] = {fn, arg, aux, INSN_PLAIN, needs}
/* One row for each of the three widths. */
#define SDH(id, fn, arg, needs) ROW(id##_S, fn, arg, IRT_F32, needs), ROW(id##_D, fn, arg, IRT_F64, needs), \
                                ROW(id##_H, fn, arg, IRT_F16, needs)
#define INT(id, w, kind) \
    ROW(FCVT_##w##_##id, op_ftoi, IR_INT_##kind, IRT_##id##_, RM), \
    ROW(FCVT_##id##_##w, op_itof, IR_INT_##kind, IRT_##id##_, RM)
#define IRT_S_ IRT_F32
#define IRT_D_ IRT_F64
#define IRT_H_ IRT_F16
#define CVT(to, from) ROW(FCVT_##to##_##from, op_ftof, 0, TYPES(IRT_##to##_, IRT_##from##_), RM)

const struct lift_row riscv_lift_fp[RV_ID_COUNT] = {
    SDH(FADD, op_bin, IR_FADD, RM), SDH(FSUB, op_bin, IR_FSUB, RM), SDH(FMUL, op_bin, IR_FMUL, RM),
    SDH(FDIV, op_bin, IR_FDIV, RM), SDH(FSQRT, op_sqrt, 0, RM),
    SDH(FMADD, op_fma, 0, RM), SDH(FMSUB, op_fma, NEGATE_ADDEND, RM), SDH(FNMSUB, op_fma, NEGATE_PRODUCT, RM),
    SDH(FNMADD, op_fma, NEGATE_PRODUCT | NEGATE_ADDEND, RM),
    SDH(FSGNJ, op_sgnj, IR_FSGNJ, NEEDS_DIRTY), SDH(FSGNJN, op_sgnj, IR_FSGNJN, NEEDS_DIRTY),
    SDH(FSGNJX, op_sgnj, IR_FSGNJX, NEEDS_DIRTY),
    SDH(FMIN, op_minmax, IR_FMIN, NEEDS_DIRTY), SDH(FMAX, op_minmax, IR_FMAX, NEEDS_DIRTY),
    SDH(FEQ, op_cmp, IR_FCMP_EQ, NEEDS_DIRTY), SDH(FLT, op_cmp, IR_FCMP_LT, NEEDS_DIRTY),
    SDH(FLE, op_cmp, IR_FCMP_LE, NEEDS_DIRTY), SDH(FCLASS, op_class, 0, NEEDS_FS),
    INT(S, W, S32), INT(S, WU, U32), INT(S, L, S64), INT(S, LU, U64),
    INT(D, W, S32), INT(D, WU, U32), INT(D, L, S64), INT(D, LU, U64),
    INT(H, W, S32), INT(H, WU, U32), INT(H, L, S64), INT(H, LU, U64),
    CVT(S, D), CVT(D, S), CVT(S, H), CVT(H, S), CVT(D, H), CVT(H, D),
    ROW(FMV_X_W, op_mv_x, 0, IRT_F32, NEEDS_FS), ROW(FMV_X_D, op_mv_x, 0, IRT_F64, NEEDS_FS),
    ROW(FMV_X_H, op_mv_x, 0, IRT_F16, NEEDS_FS),
    ROW(FMV_W_X, op_mv_f, 0, IRT_F32, NEEDS_DIRTY), ROW(FMV_D_X, op_mv_f, 0, IRT_F64, NEEDS_DIRTY),
    ROW(FMV_H_X, op_mv_f, 0, IRT_F16, NEEDS_DIRTY),
};
