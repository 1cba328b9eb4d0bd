/* Lifts Advanced SIMD: moves of elements, immediates, structures; all else by helper (simd.h). */
#include "guest/arm64/lift.h"
#include "guest/arm64/simd.h"

typedef const struct lift_row *row_t;

static void call(struct lift *l)
{
    alift_call(l, A64H_SIMD, alift_imm(l, (int64_t)arm64_simd_desc(&l->i)), IR_REF_NONE, IR_REF_NONE);
}

static void op_helper(struct lift *l, row_t row)
{
    (void)row;
    call(l);
}

const struct lift_row arm64_lift_by_helper = {op_helper, 0, 0, INSN_PLAIN, NEEDS_FP};

/* ---- operations of IR on whole registers ---- */

static ir_ref get_v(struct lift *l, unsigned reg)
{
    return ir_get(l->u, IRT_V128, SLOT_Q(reg));
}

/* 64-bit forms clear the upper half. */
static void put_v(struct lift *l, unsigned reg, ir_ref v)
{
    if (l->i.q)
        ir_put(l->u, IRT_V128, SLOT_Q(reg), v);
    else
        alift_put_bits(l, reg, ir_emit(l->u, IR_VLANE, IRT_I64, 64, v, IR_REF_NONE, IR_REF_NONE, 0));
}

static ir_ref ones(struct lift *l)
{
    return ir_emit(l->u, IR_VDUP, IRT_V128, 64, alift_imm(l, -1), IR_REF_NONE, IR_REF_NONE, 0);
}

/* arg: the operation; aux 1: m is inverted */
static void op_logic(struct lift *l, row_t row)
{
    ir_ref n = get_v(l, l->i.rn), m;

    if (row->arg == IR_VOR && !row->aux && l->i.rn == l->i.rm) { /* MOV */
        put_v(l, l->i.rd, n);
        return;
    }
    m = get_v(l, l->i.rm);
    if (row->aux)
        m = ir_emit(l->u, IR_VXOR, IRT_V128, 0, m, ones(l), IR_REF_NONE, 0);
    put_v(l, l->i.rd, ir_emit(l->u, (enum ir_opcode)row->arg, IRT_V128, 0, n, m, IR_REF_NONE, 0));
}

/* arg: the operation, on lanes of the size */
static void op_lanes(struct lift *l, row_t row)
{
    ir_ref n = get_v(l, l->i.rn), m = get_v(l, l->i.rm);

    put_v(l, l->i.rd,
          ir_emit(l->u, (enum ir_opcode)row->arg, IRT_V128, 8u << l->i.size, n, m, IR_REF_NONE, 0));
}

static void op_not(struct lift *l, row_t row)
{
    (void)row;
    put_v(l, l->i.rd, ir_bin(l->u, IR_VXOR, IRT_V128, get_v(l, l->i.rn), ones(l)));
}

/* Bits of x where the mask has ones, else of y: ((x ^ y) & mask) ^ y */
enum { SELECT_BSL, SELECT_BIT, SELECT_BIF };

static void op_select(struct lift *l, row_t row)
{
    ir_ref n = get_v(l, l->i.rn), m = get_v(l, l->i.rm), d = get_v(l, l->i.rd);
    ir_ref mask = row->arg == SELECT_BSL ? d : m, y = row->arg == SELECT_BSL   ? m
                                                      : row->arg == SELECT_BIT ? d
                                                                               : n;
    ir_ref x = row->arg == SELECT_BIF ? d : n;

    x = ir_bin(l->u, IR_VAND, IRT_V128, ir_bin(l->u, IR_VXOR, IRT_V128, x, y), mask);
    put_v(l, l->i.rd, ir_bin(l->u, IR_VXOR, IRT_V128, x, y));
}

/* ---- elements ---- */

/* Element `index` of a register, zero-extended. */
static ir_ref element(struct lift *l, unsigned reg, unsigned size, unsigned index)
{
    unsigned per_half = 8u >> size, lsb = (index % per_half) * (8u << size);
    ir_ref v = ir_get(l->u, IRT_I64, SLOT_Q(reg) + (index >= per_half ? 8 : 0));

    return size == 3
               ? v
               : ir_emit(l->u, IR_EXTRACT, IRT_I64, lsb << 8 | 8u << size, v, IR_REF_NONE, IR_REF_NONE, 0);
}

static void element_put(struct lift *l, unsigned reg, unsigned size, unsigned index, ir_ref v)
{
    unsigned per_half = 8u >> size, lsb = (index % per_half) * (8u << size);
    unsigned slot = SLOT_Q(reg) + (index >= per_half ? 8 : 0);

    if (size < 3)
        v = ir_emit(l->u, IR_INSERT, IRT_I64, lsb << 8 | 8u << size, ir_get(l->u, IRT_I64, slot), v,
                    IR_REF_NONE, 0);
    ir_put(l->u, IRT_I64, slot, v);
}

/* The low bits of v in every element. */
static ir_ref repeated(struct lift *l, unsigned size, ir_ref v)
{
    static const uint64_t factor[] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001};

    if (size == 3)
        return v;
    v = ir_emit(l->u, IR_ZEXT, IRT_I64, 8u << size, v, IR_REF_NONE, IR_REF_NONE, 0);
    return alift_bini(l, IR_MUL, v, (int64_t)factor[size]);
}

static void put_halves(struct lift *l, unsigned reg, ir_ref v)
{
    ir_put(l->u, IRT_I64, SLOT_Q(reg), v);
    ir_put(l->u, IRT_I64, SLOT_Q_HI(reg), l->i.q ? v : alift_imm(l, 0));
}

/* arg 1: scalar */
static void op_dup_elem(struct lift *l, row_t row)
{
    ir_ref v = element(l, l->i.rn, l->i.size, l->i.index);

    if (row->arg)
        alift_put_bits(l, l->i.rd, v);
    else
        put_halves(l, l->i.rd, repeated(l, l->i.size, v));
}

static void op_dup_gp(struct lift *l, row_t row)
{
    (void)row;
    put_halves(l, l->i.rd, repeated(l, l->i.size, alift_get(l, l->i.rn)));
}

/* arg: signed */
static void op_mov_gp(struct lift *l, row_t row)
{
    ir_ref v = element(l, l->i.rn, l->i.size, l->i.index);

    if (row->arg)
        v = ir_emit(l->u, IR_SEXT, IRT_I64, 8u << l->i.size, v, IR_REF_NONE, IR_REF_NONE, 0);
    alift_put(l, l->i.rd, row->arg && !l->i.sf ? alift_zext32(l, v) : v);
}

static void op_ins_gp(struct lift *l, row_t row)
{
    (void)row;
    element_put(l, l->i.rd, l->i.size, l->i.index, alift_get(l, l->i.rn));
}

static void op_ins_elem(struct lift *l, row_t row)
{
    ir_ref v = element(l, l->i.rn, l->i.size, l->i.amount);

    (void)row;
    element_put(l, l->i.rd, l->i.size, l->i.index, v);
}

/* ---- immediates; arg: inverted; aux: combined with what is there ---- */

static void op_movi(struct lift *l, row_t row)
{
    put_halves(l, l->i.rd, alift_imm(l, row->arg ? ~l->i.imm : l->i.imm));
}

static void op_movi_half(struct lift *l, row_t row)
{
    ir_ref lo = ir_get(l->u, IRT_I64, SLOT_Q(l->i.rd)), hi = ir_get(l->u, IRT_I64, SLOT_Q_HI(l->i.rd));

    lo = alift_bini(l, row->arg, lo, l->i.imm);
    hi = l->i.q ? alift_bini(l, row->arg, hi, l->i.imm) : alift_imm(l, 0);
    ir_put(l->u, IRT_I64, SLOT_Q(l->i.rd), lo);
    ir_put(l->u, IRT_I64, SLOT_Q_HI(l->i.rd), hi);
}

static void op_movi_scalar(struct lift *l, row_t row)
{
    (void)row;
    alift_put_bits(l, l->i.rd, alift_imm(l, l->i.imm));
}

/* ---- structures ---- */

static ir_ref base_of(struct lift *l)
{
    ir_ref base = alift_get_sp(l, l->i.rn);

    if (l->i.rn == ARM64_REG_SP && l->mode & ARM64_MODE_SP_ALIGN)
        alift_sp_check(l, base);
    return base;
}

static void write_back(struct lift *l, ir_ref base)
{
    if (l->i.opt != A64_POST)
        return;
    alift_put_sp(l, l->i.rn,
                 l->i.rm == 31 ? alift_bini(l, IR_ADD, base, l->i.imm)
                               : alift_bin(l, IR_ADD, base, alift_get(l, l->i.rm)));
}

static unsigned reg_of(const struct lift *l, unsigned n)
{
    return (l->i.rd + n) & 31;
}

/* Elements are what has to be aligned where that is asked for; whole registers are accessed. */
static unsigned access_aux(const struct lift *l, unsigned size)
{
    return size | (l->mode & ARM64_MODE_ALIGN && size && l->i.size == size ? IR_MEM_ALIGNED : 0);
}

/* All loads come before the first write of a register. */
static void op_load_multi(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v[4] = {0};
    unsigned bytes = l->i.q ? 16 : 8;

    (void)row;
    alift_watch(l, base, 0, bytes * l->i.amount, false);
    for (unsigned i = 0; i < l->i.amount; i++)
        v[i] = ir_load(l->u, l->i.q ? IRT_V128 : IRT_I64, access_aux(l, l->i.q ? 4 : 3), base, i * bytes);
    for (unsigned i = 0; i < l->i.amount; i++) {
        if (l->i.q)
            ir_put(l->u, IRT_V128, SLOT_Q(reg_of(l, i)), v[i]);
        else
            alift_put_bits(l, reg_of(l, i), v[i]);
    }
    write_back(l, base);
    if (l->i.id != A64_LD1)
        call(l);
}

/* What is stored, register for register. */
static ir_ref stored(struct lift *l, unsigned i)
{
    unsigned slot = l->i.id == A64_ST1 ? SLOT_Q(reg_of(l, i)) : SLOT(scratch) + 16 * i;

    if (l->i.q)
        return ir_get(l->u, IRT_V128, slot);
    return ir_get(l->u, IRT_I64, slot);
}

static void op_store_multi(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);
    unsigned bytes = l->i.q ? 16 : 8;

    (void)row;
    alift_watch(l, base, 0, bytes * l->i.amount, true);
    if (l->i.id != A64_ST1)
        call(l);
    for (unsigned i = 0; i < l->i.amount; i++)
        ir_store(l->u, l->i.q ? IRT_V128 : IRT_I64, access_aux(l, l->i.q ? 4 : 3), base, i * bytes,
                 stored(l, i));
    write_back(l, base);
}

static void op_load_lane(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v[4];

    (void)row;
    alift_watch(l, base, 0, (unsigned)l->i.amount << l->i.size, false);
    for (unsigned i = 0; i < l->i.amount; i++)
        v[i] = ir_load(l->u, IRT_I64, access_aux(l, l->i.size), base, (int64_t)i << l->i.size);
    for (unsigned i = 0; i < l->i.amount; i++)
        element_put(l, reg_of(l, i), l->i.size, l->i.index, v[i]);
    write_back(l, base);
}

static void op_store_lane(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);

    (void)row;
    alift_watch(l, base, 0, (unsigned)l->i.amount << l->i.size, true);
    for (unsigned i = 0; i < l->i.amount; i++)
        ir_store(l->u, IRT_I64, access_aux(l, l->i.size), base, (int64_t)i << l->i.size,
                 element(l, reg_of(l, i), l->i.size, l->i.index));
    write_back(l, base);
}

static void op_load_replicate(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v[4] = {0};

    (void)row;
    alift_watch(l, base, 0, (unsigned)l->i.amount << l->i.size, false);
    for (unsigned i = 0; i < l->i.amount; i++)
        v[i] = repeated(l, l->i.size,
                        ir_load(l->u, IRT_I64, access_aux(l, l->i.size), base, (int64_t)i << l->i.size));
    for (unsigned i = 0; i < l->i.amount; i++)
        put_halves(l, reg_of(l, i), v[i]);
    write_back(l, base);
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
#define STRUCTURES(n) \
    ROW(LD##n, op_load_multi, 0, 0), ROW(ST##n, op_store_multi, 0, 0), ROW(LD##n##_LANE, op_load_lane, 0, 0), \
    ROW(ST##n##_LANE, op_store_lane, 0, 0), ROW(LD##n##R, op_load_replicate, 0, 0)

const struct lift_row arm64_lift_simd[A64_ID_COUNT] = {
    ROW(AND_V, op_logic, IR_VAND, 0), ROW(ORR_V, op_logic, IR_VOR, 0), ROW(EOR_V, op_logic, IR_VXOR, 0),
    ROW(BIC_V, op_logic, IR_VAND, 1), ROW(ORN_V, op_logic, IR_VOR, 1),
    ROW(ADD_V, op_lanes, IR_VADD, 0), ROW(SUB_V, op_lanes, IR_VSUB, 0), ROW(CMEQ_V, op_lanes, IR_VCMPEQ, 0),
    ROW(NOT_V, op_not, 0, 0), ROW(BSL_V, op_select, SELECT_BSL, 0), ROW(BIT_V, op_select, SELECT_BIT, 0),
    ROW(BIF_V, op_select, SELECT_BIF, 0),
    ROW(DUP_ELEM_V, op_dup_elem, 0, 0), ROW(DUP_ELEM_S, op_dup_elem, 1, 0), ROW(DUP_GP_V, op_dup_gp, 0, 0),
    ROW(SMOV, op_mov_gp, 1, 0), ROW(UMOV, op_mov_gp, 0, 0), ROW(INS_GP, op_ins_gp, 0, 0),
    ROW(INS_ELEM, op_ins_elem, 0, 0),
    ROW(MOVI_32, op_movi, 0, 0), ROW(MOVI_16, op_movi, 0, 0), ROW(MOVI_MSL, op_movi, 0, 0), ROW(MOVI_8, op_movi, 0, 0),
    ROW(MOVI_64, op_movi, 0, 0), ROW(MOVI_64_S, op_movi_scalar, 0, 0), ROW(FMOV_IMM_VS, op_movi, 0, 0),
    ROW(FMOV_IMM_VD, op_movi, 0, 0), ROW(FMOV_IMM_VH, op_movi, 0, 0),
    ROW(MVNI_32, op_movi, 1, 0), ROW(MVNI_16, op_movi, 1, 0), ROW(MVNI_MSL, op_movi, 1, 0),
    ROW(ORR_32, op_movi_half, IR_OR, 0), ROW(ORR_16, op_movi_half, IR_OR, 0),
    ROW(BIC_32, op_movi_half, IR_ANDN, 0), ROW(BIC_16, op_movi_half, IR_ANDN, 0),
    STRUCTURES(1), STRUCTURES(2), STRUCTURES(3), STRUCTURES(4),
};
