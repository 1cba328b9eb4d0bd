/* Lifts loads and stores of general and FP registers, exclusives, atomics (DDI 0487, C6.2, C7.2). */
#include "guest/arm64/lift.h"

typedef const struct lift_row *row_t;

/*
 * All that can leave the unit before its instruction comes first in it, writes of registers last: an
 * instruction that an engine leaves to another one is done again from its start.
 */

/* ---- addresses ---- */

/* Rn as a base. */
static ir_ref base_of(struct lift *l)
{
    ir_ref base = alift_get_sp(l, l->i.rn);

    if (l->i.rn == ARM64_REG_SP && l->mode & ARM64_MODE_SP_ALIGN)
        alift_sp_check(l, base);
    return base;
}

static int64_t disp_of(const struct lift *l)
{
    return l->i.opt == A64_POST ? 0 : l->i.imm;
}

static void write_back(struct lift *l, ir_ref base)
{
    if (l->i.opt != A64_OFFSET)
        alift_put_sp(l, l->i.rn, alift_bini(l, IR_ADD, base, l->i.imm));
}

/* Rn plus Rm extended and shifted. */
static ir_ref register_address(struct lift *l)
{
    ir_ref base = base_of(l), index = alift_get(l, l->i.rm);

    if (!(l->i.opt & 1))
        index =
            ir_emit(l->u, l->i.opt & 4 ? IR_SEXT : IR_ZEXT, IRT_I64, 32, index, IR_REF_NONE, IR_REF_NONE, 0);
    if (l->i.amount)
        index = alift_bini(l, IR_SHL, index, l->i.amount);
    return alift_bin(l, IR_ADD, base, index);
}

/* Ordinary accesses of this size here: what aux says besides. */
static unsigned plain(const struct lift *l, unsigned size)
{
    return size | (l->mode & ARM64_MODE_ALIGN && size ? IR_MEM_ALIGNED : 0);
}

/* ---- one general register; arg: LD_SIGNED; aux: order ---- */

enum { LD_SIGNED = 1 };

static ir_ref load_value(struct lift *l, unsigned aux, bool is_signed, ir_ref base, int64_t disp)
{
    alift_watch(l, base, disp, 1u << l->i.size, false);
    if (is_signed && !l->i.sf)
        return alift_zext32(l, ir_load(l->u, IRT_I32, aux | IR_MEM_SIGNED, base, disp));
    return ir_load(l->u, IRT_I64, aux | (is_signed ? IR_MEM_SIGNED : 0), base, disp);
}

static void op_load(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);
    ir_ref v = load_value(l, plain(l, l->i.size) | row->aux, row->arg, base, disp_of(l));

    write_back(l, base);
    alift_put(l, l->i.rd, v);
}

static void op_load_reg(struct lift *l, row_t row)
{
    ir_ref at = register_address(l);

    alift_put(l, l->i.rd, load_value(l, plain(l, l->i.size), row->arg, at, 0));
}

/* aux: 0 as the size field says; else bits of the register */
static void op_load_lit(struct lift *l, row_t row)
{
    ir_ref at = alift_pc(l, l->i.imm);

    alift_put(l, l->i.rd, load_value(l, plain(l, l->i.size), row->arg, at, 0));
}

static void op_store(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v = alift_get(l, l->i.rd);

    alift_watch(l, base, disp_of(l), 1u << l->i.size, true);
    ir_store(l->u, IRT_I64, plain(l, l->i.size) | row->aux, base, disp_of(l), v);
    write_back(l, base);
}

static void op_store_reg(struct lift *l, row_t row)
{
    ir_ref at = register_address(l);

    (void)row;
    alift_watch(l, at, 0, 1u << l->i.size, true);
    ir_store(l->u, IRT_I64, plain(l, l->i.size), at, 0, alift_get(l, l->i.rd));
}

/* ---- unprivileged: with the rights of EL0, by helper where that is not the present access's ---- */

static bool as_user(const struct lift *l)
{
    return alift_el(l) == 1 && !(l->mode & ARM64_MODE_UAO);
}

static ir_ref user_address(struct lift *l)
{
    ir_ref base = base_of(l);

    return l->i.imm ? alift_bini(l, IR_ADD, base, l->i.imm) : base;
}

static void op_load_user(struct lift *l, row_t row)
{
    unsigned bits = 8u << l->i.size;
    ir_ref v;

    if (!as_user(l)) {
        op_load(l, row);
        return;
    }
    v = user_address(l);
    alift_watch(l, v, 0, bits / 8, ARM64_WATCH_USER);
    alift_sync(l);
    v = alift_call(l, l->mode & ARM64_MODE_ALIGN ? A64H_USER_LOAD_ALIGNED : A64H_USER_LOAD, v,
                   alift_imm(l, bits / 8), IR_REF_NONE);
    if (row->arg && bits < 64)
        v = ir_emit(l->u, IR_SEXT, IRT_I64, bits, v, IR_REF_NONE, IR_REF_NONE, 0);
    alift_put(l, l->i.rd, row->arg && !l->i.sf ? alift_zext32(l, v) : v);
}

static void op_store_user(struct lift *l, row_t row)
{
    ir_ref at;

    if (!as_user(l)) {
        op_store(l, row);
        return;
    }
    at = user_address(l);
    alift_watch(l, at, 0, 1u << l->i.size, ARM64_WATCH_STORE | ARM64_WATCH_USER);
    alift_sync(l);
    alift_call(l, l->mode & ARM64_MODE_ALIGN ? A64H_USER_STORE_ALIGNED : A64H_USER_STORE, at,
               alift_imm(l, 1 << l->i.size), alift_get(l, l->i.rd));
}

/* ---- pairs of general registers; arg: LD_SIGNED ---- */

static void op_load_pair(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), a, b;
    unsigned aux = plain(l, l->i.size) | (row->arg ? IR_MEM_SIGNED : 0);
    int64_t disp = disp_of(l);

    alift_watch(l, base, disp, 2u << l->i.size, false);
    a = ir_load(l->u, IRT_I64, aux, base, disp);
    b = ir_load(l->u, IRT_I64, aux, base, disp + (1 << l->i.size));
    write_back(l, base);
    alift_put(l, l->i.rd, a);
    alift_put(l, l->i.ra, b);
}

/* One access of both, so that all its bytes are known to be writable before any is written. */
static void op_store_pair(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), a = alift_get(l, l->i.rd), b = alift_get(l, l->i.ra);
    int64_t disp = disp_of(l);

    (void)row;
    alift_watch(l, base, disp, 2u << l->i.size, true);
    if (l->mode & ARM64_MODE_ALIGN) { /* each by itself has to be aligned, and may be a device's */
        ir_store(l->u, IRT_I64, plain(l, l->i.size), base, disp, a);
        ir_store(l->u, IRT_I64, plain(l, l->i.size), base, disp + (1 << l->i.size), b);
    } else if (l->i.size == 3) {
        ir_store(l->u, IRT_I128, 4, base, disp, ir_bin(l->u, IR_CONCAT, IRT_I128, a, b));
    } else {
        ir_store(l->u, IRT_I64, 3, base, disp,
                 alift_bin(l, IR_OR, alift_zext32(l, a), alift_bini(l, IR_SHL, b, 32)));
    }
    write_back(l, base);
}

/* ---- FP and SIMD registers ---- */

static ir_ref fp_load_value(struct lift *l, unsigned size, ir_ref base, int64_t disp)
{
    if (size == 4)
        return ir_load(l->u, IRT_V128, plain(l, 4), base, disp);
    if (size >= 2)
        return ir_load(l->u, size == 3 ? IRT_F64 : IRT_F32, plain(l, size), base, disp);
    return ir_load(l->u, IRT_I64, plain(l, size), base, disp);
}

static void fp_put_value(struct lift *l, unsigned size, unsigned reg, ir_ref v)
{
    if (size == 4)
        ir_put(l->u, IRT_V128, SLOT_Q(reg), v);
    else
        alift_put_scalar(l, reg, v);
}

static enum ir_type fp_type(unsigned size)
{
    static const uint8_t types[] = {IRT_I64, IRT_I64, IRT_F32, IRT_F64, IRT_V128};

    return (enum ir_type)types[size];
}

static void fp_store_value(struct lift *l, unsigned size, ir_ref base, int64_t disp, unsigned reg)
{
    enum ir_type type = fp_type(size);

    ir_store(l->u, type, plain(l, size), base, disp, ir_get(l->u, type, SLOT_Q(reg)));
}

static void op_fp_load(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v;

    (void)row;
    alift_watch(l, base, disp_of(l), 1u << l->i.size, false);
    v = fp_load_value(l, l->i.size, base, disp_of(l));
    write_back(l, base);
    fp_put_value(l, l->i.size, l->i.rd, v);
}

static void op_fp_load_reg(struct lift *l, row_t row)
{
    ir_ref at = register_address(l);

    (void)row;
    alift_watch(l, at, 0, 1u << l->i.size, false);
    fp_put_value(l, l->i.size, l->i.rd, fp_load_value(l, l->i.size, at, 0));
}

static void op_fp_load_lit(struct lift *l, row_t row)
{
    ir_ref at = alift_pc(l, l->i.imm);

    (void)row;
    alift_watch(l, at, 0, 1u << l->i.size, false);
    fp_put_value(l, l->i.size, l->i.rd, fp_load_value(l, l->i.size, at, 0));
}

static void op_fp_store(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);

    (void)row;
    alift_watch(l, base, disp_of(l), 1u << l->i.size, true);
    fp_store_value(l, l->i.size, base, disp_of(l), l->i.rd);
    write_back(l, base);
}

static void op_fp_store_reg(struct lift *l, row_t row)
{
    ir_ref at = register_address(l);

    (void)row;
    alift_watch(l, at, 0, 1u << l->i.size, true);
    fp_store_value(l, l->i.size, at, 0, l->i.rd);
}

static void op_fp_load_pair(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), a, b;

    (void)row;
    alift_watch(l, base, disp_of(l), 2u << l->i.size, false);
    a = fp_load_value(l, l->i.size, base, disp_of(l));
    b = fp_load_value(l, l->i.size, base, disp_of(l) + (1 << l->i.size));
    write_back(l, base);
    fp_put_value(l, l->i.size, l->i.rd, a);
    fp_put_value(l, l->i.size, l->i.ra, b);
}

/* As of general registers. */
static void op_fp_store_pair(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);
    unsigned size = l->i.size;
    enum ir_type type = fp_type(size);
    int64_t disp = disp_of(l);

    (void)row;
    alift_watch(l, base, disp, 2u << size, true);
    if (l->mode & ARM64_MODE_ALIGN) {
        fp_store_value(l, size, base, disp, l->i.rd);
        fp_store_value(l, size, base, disp + (1 << size), l->i.ra);
    } else {
        ir_emit(l->u, IR_STORE2, type, size + 1, base, ir_get(l->u, type, SLOT_Q(l->i.rd)),
                ir_get(l->u, type, SLOT_Q(l->i.ra)), disp);
    }
    write_back(l, base);
}

/* ---- exclusives; aux: order ---- */

static void op_ldxr(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);

    alift_watch(l, base, 0, 1u << l->i.size, false);
    alift_put(l, l->i.rd,
              ir_emit(l->u, IR_LR, IRT_I64, l->i.size | row->aux | IR_MEM_ALIGNED, base, IR_REF_NONE,
                      IR_REF_NONE, 0));
}

static void op_stxr(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v = alift_get(l, l->i.rd);

    alift_watch(l, base, 0, 1u << l->i.size, true);
    alift_put(l, l->i.rm,
              ir_emit(l->u, IR_SC, IRT_I64, l->i.size | row->aux | IR_MEM_ALIGNED, base, v, IR_REF_NONE, 0));
}

/* Two registers as one value of twice the size. */
static ir_ref pair_value(struct lift *l, unsigned low, unsigned high)
{
    ir_ref a = alift_get(l, low), b = alift_get(l, high);

    if (l->i.size == 3)
        return ir_bin(l->u, IR_CONCAT, IRT_I128, a, b);
    return alift_bin(l, IR_OR, alift_zext32(l, a), alift_bini(l, IR_SHL, b, 32));
}

static void put_pair_value(struct lift *l, unsigned low, unsigned high, ir_ref v)
{
    bool wide = l->i.size == 3;
    ir_ref a = wide ? ir_un(l->u, IR_LO64, IRT_I64, v) : alift_zext32(l, v);
    ir_ref b = wide ? ir_un(l->u, IR_HI64, IRT_I64, v) : alift_bini(l, IR_SHR, v, 32);

    alift_put(l, low, a);
    alift_put(l, high, b);
}

static enum ir_type pair_type(const struct lift *l)
{
    return l->i.size == 3 ? IRT_I128 : IRT_I64;
}

static unsigned pair_aux(const struct lift *l, row_t row)
{
    return (l->i.size + 1u) | row->aux | IR_MEM_ALIGNED;
}

static void op_ldxp(struct lift *l, row_t row)
{
    ir_ref base = base_of(l);

    alift_watch(l, base, 0, 2u << l->i.size, false);
    put_pair_value(l, l->i.rd, l->i.ra,
                   ir_emit(l->u, IR_LR, pair_type(l), pair_aux(l, row), base, IR_REF_NONE, IR_REF_NONE, 0));
}

static void op_stxp(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v = pair_value(l, l->i.rd, l->i.ra);

    alift_watch(l, base, 0, 2u << l->i.size, true);
    alift_put(l, l->i.rm, ir_emit(l->u, IR_SC, pair_type(l), pair_aux(l, row), base, v, IR_REF_NONE, 0));
}

/* ---- atomics (FEAT_LSE) ---- */

static unsigned order(const struct lift *l)
{
    return (l->i.opt & A64_ACQUIRE ? IR_MEM_ACQ : 0) | (l->i.opt & A64_RELEASE ? IR_MEM_REL : 0) |
           IR_MEM_ALIGNED;
}

/* A match as a load is told as one (D19.2.37, WnR of watchpoints). */
static void watch_both(struct lift *l, ir_ref base, unsigned bytes)
{
    alift_watch(l, base, 0, bytes, false);
    alift_watch(l, base, 0, bytes, true);
}

/* arg: enum ir_amo; aux 1: the operand inverted */
static void op_amo(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v = alift_get(l, l->i.rm);

    if (row->aux)
        v = ir_un(l->u, IR_NOT, IRT_I64, v);
    watch_both(l, base, 1u << l->i.size);
    alift_put(l, l->i.rd,
              ir_emit(l->u, IR_AMO, IRT_I64, l->i.size | order(l) | (unsigned)row->arg << IR_MEM_AMO_SHIFT,
                      base, v, IR_REF_NONE, 0));
}

static void op_cas(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), expect = alift_get(l, l->i.rm), v = alift_get(l, l->i.rd);

    (void)row;
    watch_both(l, base, 1u << l->i.size);
    alift_put(l, l->i.rm, ir_emit(l->u, IR_CAS, IRT_I64, l->i.size | order(l), base, expect, v, 0));
}

static void op_casp(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), expect = pair_value(l, l->i.rm, l->i.rm + 1u);
    ir_ref v = pair_value(l, l->i.rd, l->i.rd + 1u);

    (void)row;
    watch_both(l, base, 2u << l->i.size);
    put_pair_value(l, l->i.rm, l->i.rm + 1u,
                   ir_emit(l->u, IR_CAS, pair_type(l), (l->i.size + 1u) | order(l), base, expect, v, 0));
}

/* ---- the rest ---- */

static void op_nop(struct lift *l, row_t row)
{
    (void)l;
    (void)row;
}

/* arg: enum arm64_pac_key; the base is authenticated, and written back so (C6.2 LDRAA) */
static void op_ldra(struct lift *l, row_t row)
{
    ir_ref base = base_of(l), v;

    if (l->mode & (row->arg == 2 ? ARM64_MODE_ENDA : ARM64_MODE_ENDB))
        base = alift_call(l, A64H_PAC, base, alift_imm(l, 0), alift_imm(l, row->arg | 8));
    v = load_value(l, plain(l, 3), false, base, l->i.imm);
    write_back(l, base);
    alift_put(l, l->i.rd, v);
}

// clang-format off
#define ACQ          (IR_MEM_ACQ | IR_MEM_ALIGNED)
/* A release that a later acquire does not overtake (B2.3.11: RCsc). */
#define REL          (IR_MEM_ACQ | IR_MEM_REL | IR_MEM_ALIGNED)
#define ROW(id, f, a, x) [A64_##id] = {f, a, x, INSN_PLAIN, 0}
#define FP(id, f)        [A64_##id] = {f, 0, 0, INSN_PLAIN, NEEDS_FP}

const struct lift_row arm64_lift_mem[A64_ID_COUNT] = {
    ROW(STXR, op_stxr, 0, 0), ROW(STLXR, op_stxr, 0, IR_MEM_REL),
    ROW(LDXR, op_ldxr, 0, 0), ROW(LDAXR, op_ldxr, 0, IR_MEM_ACQ),
    ROW(STXP, op_stxp, 0, 0), ROW(STLXP, op_stxp, 0, IR_MEM_REL),
    ROW(LDXP, op_ldxp, 0, 0), ROW(LDAXP, op_ldxp, 0, IR_MEM_ACQ),
    ROW(STLLR, op_store, 0, REL), ROW(STLR, op_store, 0, REL),
    ROW(LDLAR, op_load, 0, ACQ), ROW(LDAR, op_load, 0, ACQ), ROW(LDAPR, op_load, 0, ACQ),
    ROW(STLUR, op_store, 0, REL), ROW(LDAPUR, op_load, 0, ACQ), ROW(LDAPURS, op_load, LD_SIGNED, ACQ),
    ROW(CASP, op_casp, 0, 0), ROW(CAS, op_cas, 0, 0),

    ROW(LDR_LIT, op_load_lit, 0, 0), ROW(LDRSW_LIT, op_load_lit, LD_SIGNED, 0), FP(LDR_FP_LIT, op_fp_load_lit),
    ROW(PRFM_LIT, op_nop, 0, 0), ROW(PRFM_IMM, op_nop, 0, 0), ROW(PRFUM, op_nop, 0, 0), ROW(PRFM_REG, op_nop, 0, 0),

    ROW(STNP, op_store_pair, 0, 0), ROW(LDNP, op_load_pair, 0, 0),
    ROW(STP, op_store_pair, 0, 0), ROW(LDP, op_load_pair, 0, 0), ROW(LDPSW, op_load_pair, LD_SIGNED, 0),
    FP(STNP_FP, op_fp_store_pair), FP(LDNP_FP, op_fp_load_pair), FP(STP_FP, op_fp_store_pair),
    FP(LDP_FP, op_fp_load_pair),

    ROW(STR_IMM, op_store, 0, 0), ROW(LDR_IMM, op_load, 0, 0), ROW(LDRS_IMM, op_load, LD_SIGNED, 0),
    ROW(STR_INDEX, op_store, 0, 0), ROW(LDR_INDEX, op_load, 0, 0), ROW(LDRS_INDEX, op_load, LD_SIGNED, 0),
    ROW(STUR, op_store, 0, 0), ROW(LDUR, op_load, 0, 0), ROW(LDURS, op_load, LD_SIGNED, 0),
    ROW(STTR, op_store_user, 0, 0), ROW(LDTR, op_load_user, 0, 0), ROW(LDTRS, op_load_user, LD_SIGNED, 0),
    ROW(STR_REG, op_store_reg, 0, 0), ROW(LDR_REG, op_load_reg, 0, 0), ROW(LDRS_REG, op_load_reg, LD_SIGNED, 0),
    FP(STR_FP_IMM, op_fp_store), FP(LDR_FP_IMM, op_fp_load), FP(STR_FP_INDEX, op_fp_store),
    FP(LDR_FP_INDEX, op_fp_load), FP(STUR_FP, op_fp_store), FP(LDUR_FP, op_fp_load),
    FP(STR_FP_REG, op_fp_store_reg), FP(LDR_FP_REG, op_fp_load_reg),

    ROW(LDADD, op_amo, IR_AMO_ADD, 0), ROW(LDCLR, op_amo, IR_AMO_AND, 1), ROW(LDEOR, op_amo, IR_AMO_XOR, 0),
    ROW(LDSET, op_amo, IR_AMO_OR, 0), ROW(LDSMAX, op_amo, IR_AMO_MAXS, 0), ROW(LDSMIN, op_amo, IR_AMO_MINS, 0),
    ROW(LDUMAX, op_amo, IR_AMO_MAXU, 0), ROW(LDUMIN, op_amo, IR_AMO_MINU, 0), ROW(SWP, op_amo, IR_AMO_SWAP, 0),
    ROW(LDRAA, op_ldra, 2, 0), ROW(LDRAB, op_ldra, 3, 0),
};
