/* Lifts Advanced SIMD: moves of elements, immediates, permutations, structures; by helper (simd.h). */
#include "guest/arm64/lift.h"

typedef const struct lift_row *row_t;

static void op_helper(struct lift *l, row_t row)
{
    (void)row;
    alift_simd(l);
}

const struct lift_row arm64_lift_by_helper = {op_helper, 0, 0, INSN_PLAIN, NEEDS_FP};

/* ---- elements ---- */

static unsigned bits_of(const struct lift *l)
{
    return 8u << l->i.size;
}

static ir_ref element(struct lift *l, unsigned reg, unsigned index)
{
    return alift_lane(l, bits_of(l), alift_get_v(l, reg), index);
}

static void element_put(struct lift *l, unsigned reg, unsigned index, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(reg), alift_vec(l, IR_VINSLANE, bits_of(l), alift_get_v(l, reg), v, index));
}

static void op_dup_elem(struct lift *l, row_t row)
{
    (void)row;
    alift_put_v(l, l->i.rd,
                alift_vec(l, IR_VDUPL, bits_of(l), alift_get_v(l, l->i.rn), IR_REF_NONE, l->i.index));
}

static void op_dup_scalar(struct lift *l, row_t row)
{
    ir_ref zero = alift_vec_const(l, 64, 0), n = alift_get_v(l, l->i.rn);

    (void)row;
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd),
           alift_vec(l, IR_VINSERT, bits_of(l), zero, n, (int64_t)l->i.index << 8));
}

static void op_dup_gp(struct lift *l, row_t row)
{
    (void)row;
    alift_put_v(l, l->i.rd, alift_vec(l, IR_VDUP, bits_of(l), alift_get(l, l->i.rn), IR_REF_NONE, 0));
}

/* arg: signed */
static void op_mov_gp(struct lift *l, row_t row)
{
    ir_ref v = element(l, l->i.rn, l->i.index);

    if (row->arg)
        v = ir_emit(l->u, IR_SEXT, IRT_I64, bits_of(l), v, IR_REF_NONE, IR_REF_NONE, 0);
    alift_put(l, l->i.rd, row->arg && !l->i.sf ? alift_zext32(l, v) : v);
}

static void op_ins_gp(struct lift *l, row_t row)
{
    (void)row;
    element_put(l, l->i.rd, l->i.index, alift_get(l, l->i.rn));
}

static void op_ins_elem(struct lift *l, row_t row)
{
    ir_ref d = alift_get_v(l, l->i.rd), n = alift_get_v(l, l->i.rn);

    (void)row;
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd),
           alift_vec(l, IR_VINSERT, bits_of(l), d, n, (int64_t)l->i.amount << 8 | l->i.index));
}

/* ---- immediates; arg: inverted; aux: combined with what is there ---- */

static void put_const(struct lift *l, int64_t value)
{
    if (l->i.q)
        ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), alift_vec_const(l, 64, value));
    else
        alift_put_scalar(l, l->i.rd, alift_imm(l, value));
}

static void op_movi(struct lift *l, row_t row)
{
    put_const(l, row->arg ? ~l->i.imm : l->i.imm);
}

static void op_movi_with(struct lift *l, row_t row)
{
    alift_put_v(l, l->i.rd,
                alift_vec(l, row->arg, 0, alift_get_v(l, l->i.rd), alift_vec_const(l, 64, l->i.imm), 0));
}

static void op_movi_scalar(struct lift *l, row_t row)
{
    (void)row;
    alift_put_scalar(l, l->i.rd, alift_imm(l, l->i.imm));
}

/* ---- permutations ---- */

/* arg: the operation; aux: IR_V_UPPER */
static void op_zip(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m = alift_get_v(l, l->i.rm), r;

    if (l->i.q || row->arg == IR_VTRN) {
        r = alift_vec(l, row->arg, bits_of(l) | row->aux, n, m, 0);
    } else if (row->arg == IR_VUZP) {
        n = alift_vec(l, IR_VZIP, 64, n, m, 0);
        r = alift_vec(l, IR_VUZP, bits_of(l) | row->aux, n, n, 0);
    } else { /* all of the result, of which the half is wanted that aux says */
        r = alift_vec(l, IR_VZIP, bits_of(l), n, m, 0);
        if (row->aux)
            r = alift_vec(l, IR_VDUPL, 64, r, IR_REF_NONE, 1);
    }
    alift_put_v(l, l->i.rd, r);
}

static void op_ext(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn), m = alift_get_v(l, l->i.rm);

    (void)row;
    if (!l->i.q)
        n = m = alift_vec(l, IR_VZIP, 64, n, m, 0);
    alift_put_v(l, l->i.rd, alift_vec(l, IR_VEXT, 8, n, m, l->i.index));
}

/* arg: bits of the container */
static void op_rev(struct lift *l, row_t row)
{
    alift_put_v(l, l->i.rd,
                alift_vec(l, IR_VREV, bits_of(l), alift_get_v(l, l->i.rn), IR_REF_NONE, row->arg));
}

/* arg: bytes whose number is too large stay */
static void op_table(struct lift *l, row_t row)
{
    ir_ref m = alift_get_v(l, l->i.rm), r = IR_REF_NONE, keep;

    for (unsigned i = 0; i < l->i.amount; i++) {
        ir_ref at = i ? alift_vec(l, IR_VSUB, 8, m, alift_vec_const(l, 8, 16 * (int)i), 0) : m, part;

        part = alift_vec(l, IR_VTBL, 8, alift_get_v(l, (l->i.rn + i) & 31), at, 0);
        r = i ? alift_vec(l, IR_VOR, 0, r, part, 0) : part;
    }
    if (row->arg) {
        keep = alift_vec(l, IR_VCMPGE, 8, m, alift_vec_const(l, 8, 16 * l->i.amount), 0);
        keep = alift_vec(l, IR_VAND, 0, keep, alift_get_v(l, l->i.rd), 0);
        r = alift_vec(l, IR_VOR, 0, r, keep, 0);
    }
    alift_put_v(l, l->i.rd, r);
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

static ir_ref load_reg(struct lift *l, bool whole, ir_ref base, int64_t disp)
{
    return ir_load(l->u, whole ? IRT_V128 : IRT_F64, access_aux(l, whole ? 4 : 3), base, disp);
}

/* All loads come before the first write of a register. */
static void op_load_multi(struct lift *l, row_t row)
{
    unsigned bytes = l->i.q ? 16 : 8;
    ir_ref base = base_of(l), v[4] = {0};

    (void)row;
    alift_watch(l, base, 0, bytes * l->i.amount, false);
    for (unsigned i = 0; i < l->i.amount; i++)
        v[i] = load_reg(l, l->i.q, base, i * bytes);
    for (unsigned i = 0; i < l->i.amount; i++)
        alift_put_v(l, reg_of(l, i), v[i]);
    write_back(l, base);
}

static void op_store_multi(struct lift *l, row_t row)
{
    enum ir_type type = l->i.q ? IRT_V128 : IRT_F64;
    unsigned bytes = l->i.q ? 16 : 8;
    ir_ref base = base_of(l);

    (void)row;
    alift_watch(l, base, 0, bytes * l->i.amount, true);
    for (unsigned i = 0; i < l->i.amount; i++)
        ir_store(l->u, type, access_aux(l, l->i.q ? 4 : 3), base, i * bytes,
                 ir_get(l->u, type, SLOT_Q(reg_of(l, i))));
    write_back(l, base);
}

/* ---- structures of three ---- */

/* Where byte i of register or memory vector n comes from, both counted through. */
static unsigned of_memory(const struct lift *l, unsigned n, unsigned i)
{
    return ((3 * (i >> l->i.size) + n) << l->i.size) + (i & ((1u << l->i.size) - 1));
}

static unsigned of_registers(const struct lift *l, unsigned n, unsigned i)
{
    unsigned bytes = l->i.q ? 16 : 8, at = bytes * n + i, element = at >> l->i.size;

    return element % 3 * bytes + (element / 3 << l->i.size) + (at & ((1u << l->i.size) - 1));
}

/* Bytes of three vectors by their numbers. */
static ir_ref gathered(struct lift *l, unsigned (*from)(const struct lift *, unsigned, unsigned), unsigned n,
                       const ir_ref v[3])
{
    unsigned bytes = l->i.q ? 16 : 8;
    ir_ref r = IR_REF_NONE, part, at;

    for (unsigned k = 0; k < 3; k++) {
        uint64_t number[2] = {UINT64_MAX, UINT64_MAX};

        for (unsigned i = 0; i < bytes; i++) {
            unsigned byte = from(l, n, i);

            if (byte / bytes == k)
                number[i / 8] ^= (uint64_t)(0xff ^ byte % bytes) << i % 8 * 8;
        }
        at = ir_un(l->u, IR_VZEXT, IRT_V128, alift_imm(l, (int64_t)number[0]));
        at = alift_vec(l, IR_VINSLANE, 64, at, alift_imm(l, (int64_t)number[1]), 1);
        part = alift_vec(l, IR_VTBL, 8, v[k], at, 0);
        r = k ? alift_vec(l, IR_VOR, 0, r, part, 0) : part;
    }
    return r;
}

static void op_load3(struct lift *l, row_t row)
{
    unsigned bytes = l->i.q ? 16 : 8;
    ir_ref base = base_of(l), v[3], r[3];

    (void)row;
    alift_watch(l, base, 0, bytes * 3, false);
    for (unsigned i = 0; i < 3; i++) {
        v[i] = load_reg(l, l->i.q, base, i * bytes);
        if (!l->i.q)
            v[i] = ir_un(l->u, IR_VZEXT, IRT_V128, v[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        r[i] = gathered(l, of_memory, i, v);
    for (unsigned i = 0; i < 3; i++)
        alift_put_v(l, reg_of(l, i), r[i]);
    write_back(l, base);
}

static void op_store3(struct lift *l, row_t row)
{
    unsigned bytes = l->i.q ? 16 : 8;
    ir_ref base = base_of(l), v[3];

    (void)row;
    alift_watch(l, base, 0, bytes * 3, true);
    for (unsigned i = 0; i < 3; i++)
        v[i] = alift_get_v(l, reg_of(l, i));
    for (unsigned i = 0; i < 3; i++) {
        ir_ref r = gathered(l, of_registers, i, v);

        if (l->i.q)
            ir_store(l->u, IRT_V128, access_aux(l, 4), base, i * bytes, r);
        else
            ir_store(l->u, IRT_I64, access_aux(l, 3), base, i * bytes, alift_lane(l, 64, r, 0));
    }
    write_back(l, base);
}

/*
 * Two and four registers are taken apart, and put together, by halves: even and odd elements. The 64-bit
 * forms have their memory in half as many vectors.
 */
static void split(struct lift *l, ir_ref a, ir_ref b, ir_ref *even, ir_ref *odd)
{
    ir_ref e = alift_vec(l, IR_VUZP, bits_of(l), a, b, 0);

    *odd = alift_vec(l, IR_VUZP, bits_of(l) | IR_V_UPPER, a, b, 0);
    *even = e;
}

static void join(struct lift *l, ir_ref a, ir_ref b, ir_ref *low, ir_ref *high)
{
    *low = alift_vec(l, IR_VZIP, bits_of(l), a, b, 0);
    *high = alift_vec(l, IR_VZIP, bits_of(l) | IR_V_UPPER, a, b, 0);
}

static void op_load_split(struct lift *l, row_t row)
{
    unsigned n = l->i.amount, parts = l->i.q ? n : n / 2;
    ir_ref base = base_of(l), v[4] = {0}, even[2], odd[2];

    (void)row;
    alift_watch(l, base, 0, 16 * parts, false);
    for (unsigned i = 0; i < parts; i++)
        v[i] = load_reg(l, true, base, 16 * i);
    if (n == 2) {
        split(l, v[0], v[parts - 1], &v[0], &v[1]);
    } else {
        split(l, v[0], v[1], &even[0], &odd[0]);
        even[1] = even[0];
        odd[1] = odd[0];
        if (l->i.q)
            split(l, v[2], v[3], &even[1], &odd[1]);
        split(l, even[0], even[1], &v[0], &v[2]);
        split(l, odd[0], odd[1], &v[1], &v[3]);
    }
    for (unsigned i = 0; i < n; i++)
        alift_put_v(l, reg_of(l, i), v[i]);
    write_back(l, base);
}

static void op_store_join(struct lift *l, row_t row)
{
    unsigned n = l->i.amount, parts = l->i.q ? n : n / 2;
    ir_ref base = base_of(l), v[4] = {0}, even[2], odd[2];

    (void)row;
    alift_watch(l, base, 0, 16 * parts, true);
    for (unsigned i = 0; i < n; i++)
        v[i] = alift_get_v(l, reg_of(l, i));
    if (n == 2) {
        join(l, v[0], v[1], &v[0], &v[1]);
    } else {
        join(l, v[0], v[2], &even[0], &even[1]);
        join(l, v[1], v[3], &odd[0], &odd[1]);
        join(l, even[0], odd[0], &v[0], &v[1]);
        join(l, even[1], odd[1], &v[2], &v[3]);
    }
    for (unsigned i = 0; i < parts; i++)
        ir_store(l->u, IRT_V128, access_aux(l, 4), base, 16 * i, v[i]);
    write_back(l, base);
}

/* One of each structure's i.amount. */
static void load_elements(struct lift *l, ir_ref base, ir_ref v[4])
{
    alift_watch(l, base, 0, (unsigned)l->i.amount << l->i.size, false);
    for (unsigned i = 0; i < l->i.amount; i++)
        v[i] = ir_load(l->u, IRT_I64, access_aux(l, l->i.size), base, (int64_t)i << l->i.size);
}

static void op_load_lane(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v[4] = {0};

    (void)row;
    load_elements(l, base, v);
    for (unsigned i = 0; i < l->i.amount; i++)
        element_put(l, reg_of(l, i), l->i.index, v[i]);
    write_back(l, base);
}

static void op_store_lane(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);

    (void)row;
    alift_watch(l, base, 0, (unsigned)l->i.amount << l->i.size, true);
    for (unsigned i = 0; i < l->i.amount; i++)
        ir_store(l->u, IRT_I64, access_aux(l, l->i.size), base, (int64_t)i << l->i.size,
                 element(l, reg_of(l, i), l->i.index));
    write_back(l, base);
}

static void op_load_replicate(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v[4] = {0};

    (void)row;
    load_elements(l, base, v);
    for (unsigned i = 0; i < l->i.amount; i++)
        alift_put_v(l, reg_of(l, i), alift_vec(l, IR_VDUP, bits_of(l), v[i], IR_REF_NONE, 0));
    write_back(l, base);
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}
#define STRUCTURES(n, load, store) \
    ROW(LD##n, load, 0, 0), ROW(ST##n, store, 0, 0), ROW(LD##n##_LANE, op_load_lane, 0, 0), \
    ROW(ST##n##_LANE, op_store_lane, 0, 0), ROW(LD##n##R, op_load_replicate, 0, 0)
#define TWO(id, arg) ROW(id##1, op_zip, arg, 0), ROW(id##2, op_zip, arg, IR_V_UPPER)

const struct lift_row arm64_lift_simd[A64_ID_COUNT] = {
    ROW(DUP_ELEM_V, op_dup_elem, 0, 0), ROW(DUP_ELEM_S, op_dup_scalar, 0, 0), ROW(DUP_GP_V, op_dup_gp, 0, 0),
    ROW(SMOV, op_mov_gp, 1, 0), ROW(UMOV, op_mov_gp, 0, 0), ROW(INS_GP, op_ins_gp, 0, 0),
    ROW(INS_ELEM, op_ins_elem, 0, 0),
    ROW(MOVI_32, op_movi, 0, 0), ROW(MOVI_16, op_movi, 0, 0), ROW(MOVI_MSL, op_movi, 0, 0), ROW(MOVI_8, op_movi, 0, 0),
    ROW(MOVI_64, op_movi, 0, 0), ROW(MOVI_64_S, op_movi_scalar, 0, 0), ROW(FMOV_IMM_VS, op_movi, 0, 0),
    ROW(FMOV_IMM_VD, op_movi, 0, 0), ROW(FMOV_IMM_VH, op_movi, 0, 0),
    ROW(MVNI_32, op_movi, 1, 0), ROW(MVNI_16, op_movi, 1, 0), ROW(MVNI_MSL, op_movi, 1, 0),
    ROW(ORR_32, op_movi_with, IR_VOR, 0), ROW(ORR_16, op_movi_with, IR_VOR, 0),
    ROW(BIC_32, op_movi_with, IR_VANDN, 0), ROW(BIC_16, op_movi_with, IR_VANDN, 0),
    TWO(ZIP, IR_VZIP), TWO(UZP, IR_VUZP), TWO(TRN, IR_VTRN), ROW(EXT, op_ext, 0, 0),
    ROW(REV64_V, op_rev, 64, 0), ROW(REV32_V, op_rev, 32, 0), ROW(REV16_V, op_rev, 16, 0),
    ROW(TBL, op_table, 0, 0), ROW(TBX, op_table, 1, 0),
    STRUCTURES(1, op_load_multi, op_store_multi), STRUCTURES(2, op_load_split, op_store_join),
    STRUCTURES(3, op_load3, op_store3), STRUCTURES(4, op_load_split, op_store_join),
};
