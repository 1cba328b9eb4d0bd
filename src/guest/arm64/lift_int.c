/* Lifts data processing: immediate, register, shifts and bit fields, conditional forms (DDI 0487, C6.2). */
#include "guest/arm64/lift.h"

typedef const struct lift_row *row_t;

static ir_ref bin(struct lift *l, unsigned op, ir_ref a, ir_ref b)
{
    return ir_bin(l->u, (enum ir_opcode)op, alift_type(l), a, b);
}

static ir_ref constant(struct lift *l, int64_t value)
{
    return ir_const(l->u, alift_type(l), l->i.sf ? value : (int32_t)value);
}

static ir_ref bini(struct lift *l, unsigned op, ir_ref a, int64_t value)
{
    ir_ref b = constant(l, value);

    return bin(l, op, a, b);
}

static unsigned width(const struct lift *l)
{
    return l->i.sf ? 64 : 32;
}

static ir_ref get_sp_sized(struct lift *l, unsigned reg)
{
    ir_ref v = alift_get_sp(l, reg);

    return l->i.sf ? v : ir_un(l->u, IR_TRUNC, IRT_I32, v);
}

static void put_sp_sized(struct lift *l, unsigned reg, ir_ref v)
{
    alift_put_sp(l, reg, l->i.sf ? v : alift_zext32(l, v));
}

/* ---- addresses and constants ---- */

static void op_adr(struct lift *l, row_t row)
{
    (void)row;
    alift_put(l, l->i.rd, alift_pc(l, l->i.imm));
}

/* From the page that the instruction stands in. */
static void op_adrp(struct lift *l, row_t row)
{
    (void)row;
    alift_put(l, l->i.rd, alift_pc(l, l->i.imm - l->offset));
}

static void op_movz(struct lift *l, row_t row)
{
    uint64_t v = (uint64_t)l->i.imm << l->i.amount;

    if (row->arg)
        v = ~v;
    alift_put(l, l->i.rd, alift_imm(l, (int64_t)(l->i.sf ? v : (uint32_t)v)));
}

static void op_movk(struct lift *l, row_t row)
{
    ir_ref field = constant(l, l->i.imm);

    (void)row;
    alift_put_sized(l, l->i.rd,
                    ir_emit(l->u, IR_INSERT, alift_type(l), l->i.amount << 8 | 16u,
                            alift_get_sized(l, l->i.rd), field, IR_REF_NONE, 0));
}

/* ---- add and subtract; arg: IR_ADD or IR_SUB; aux: the flags are set ---- */

enum { SETS = 1, SP_RD = 2 };

static void add_sub(struct lift *l, row_t row, ir_ref a, ir_ref b)
{
    enum ir_flagop f = row->arg == IR_ADD ? IR_FLAG_ADD : IR_FLAG_SUB;

    if (!(row->aux & SETS)) {
        ir_ref r = bin(l, row->arg, a, b);

        if (row->aux & SP_RD)
            put_sp_sized(l, l->i.rd, r);
        else
            alift_put_sized(l, l->i.rd, r);
        return;
    }
    ir_ref nzcv = alift_flags(l, f, alift_type(l), a, b, IR_REF_NONE);

    if (l->i.rd != 31)
        alift_put_sized(l, l->i.rd, bin(l, row->arg, a, b));
    alift_put_nzcv(l, nzcv);
}

static void op_add_imm(struct lift *l, row_t row)
{
    ir_ref a = get_sp_sized(l, l->i.rn);

    add_sub(l, row, a, constant(l, l->i.imm));
}

static ir_ref shifted(struct lift *l)
{
    static const uint8_t ops[] = {
        [A64_LSL] = IR_SHL, [A64_LSR] = IR_SHR, [A64_ASR] = IR_SAR, [A64_ROR] = IR_ROR};
    ir_ref v = alift_get_sized(l, l->i.rm);

    return l->i.amount ? bini(l, ops[l->i.opt & 3], v, l->i.amount) : v;
}

static void op_add_shift(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn);

    add_sub(l, row, a, shifted(l));
}

/* ExtendReg(): the type's own width and more is the register as it is. */
static ir_ref extended(struct lift *l)
{
    unsigned bits = 8u << (l->i.opt & 3);
    ir_ref v = alift_get_sized(l, l->i.rm);

    if (bits < width(l))
        v = ir_emit(l->u, l->i.opt & 4 ? IR_SEXT : IR_ZEXT, alift_type(l), bits, v, IR_REF_NONE, IR_REF_NONE,
                    0);
    return l->i.amount ? bini(l, IR_SHL, v, l->i.amount) : v;
}

static void op_add_ext(struct lift *l, row_t row)
{
    ir_ref a = get_sp_sized(l, l->i.rn);

    add_sub(l, row, a, extended(l));
}

/* arg: SBC; aux: sets flags */
static void op_adc(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn), b = alift_get_sized(l, l->i.rm), c = alift_cond(l, A64_CS),
           nzcv = 0;
    ir_ref addend = row->arg ? ir_un(l->u, IR_NOT, alift_type(l), b) : b;
    ir_ref r = ir_emit(l->u, IR_ADDC, alift_type(l), 0, a, addend, c, 0);

    if (row->aux)
        nzcv = alift_flags(l, row->arg ? IR_FLAG_SBC : IR_FLAG_ADC, alift_type(l), a, b, c);
    alift_put_sized(l, l->i.rd, r);
    if (row->aux)
        alift_put_nzcv(l, nzcv);
}

/* ---- logic; aux: as add and subtract ---- */

static void logic(struct lift *l, row_t row, ir_ref a, ir_ref b)
{
    ir_ref r, nzcv;

    if (row->arg == IR_OR && l->i.rn == 31)
        r = b;
    else if (row->arg == IR_ORN && l->i.rn == 31)
        r = ir_un(l->u, IR_NOT, alift_type(l), b);
    else
        r = bin(l, row->arg, a, b);
    if (row->aux & SP_RD) {
        put_sp_sized(l, l->i.rd, r);
    } else if (row->aux & SETS) {
        nzcv = alift_flags(l, IR_FLAG_LOGIC, alift_type(l), r, r, IR_REF_NONE);
        alift_put_sized(l, l->i.rd, r);
        alift_put_nzcv(l, nzcv);
    } else {
        alift_put_sized(l, l->i.rd, r);
    }
}

static void op_logic_imm(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn);

    logic(l, row, a, constant(l, l->i.imm));
}

static void op_logic_shift(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn);

    logic(l, row, a, shifted(l));
}

/* ---- bit fields (DecodeBitMasks seen as moves of one field) ---- */

/* The field's lowest source bit, its width, and where it goes. */
struct field {
    unsigned from, bits, to;
};

static struct field field_of(const struct lift *l)
{
    unsigned r = l->i.amount, s = (unsigned)l->i.imm;

    return s >= r ? (struct field){r, s - r + 1, 0} : (struct field){0, s + 1, width(l) - r};
}

static void op_ubfm(struct lift *l, row_t row)
{
    struct field f = field_of(l);
    ir_ref v = alift_get_sized(l, l->i.rn);

    (void)row;
    if (f.to) {
        if (f.to + f.bits < width(l))
            v = ir_emit(l->u, IR_EXTRACT, alift_type(l), f.bits, v, IR_REF_NONE, IR_REF_NONE, 0);
        v = bini(l, IR_SHL, v, f.to);
    } else if (f.from + f.bits == width(l)) {
        v = f.from ? bini(l, IR_SHR, v, f.from) : v;
    } else if (!f.from && (f.bits == 8 || f.bits == 16 || f.bits == 32)) {
        v = ir_emit(l->u, IR_ZEXT, alift_type(l), f.bits, v, IR_REF_NONE, IR_REF_NONE, 0);
    } else {
        v = ir_emit(l->u, IR_EXTRACT, alift_type(l), f.from << 8 | f.bits, v, IR_REF_NONE, IR_REF_NONE, 0);
    }
    alift_put_sized(l, l->i.rd, v);
}

static void op_sbfm(struct lift *l, row_t row)
{
    struct field f = field_of(l);
    unsigned up = width(l) - f.from - f.bits, down = width(l) - f.bits - f.to;
    ir_ref v = alift_get_sized(l, l->i.rn);

    (void)row;
    if (!f.from && !f.to && up && (f.bits == 8 || f.bits == 16 || f.bits == 32)) {
        v = ir_emit(l->u, IR_SEXT, alift_type(l), f.bits, v, IR_REF_NONE, IR_REF_NONE, 0);
    } else {
        v = up ? bini(l, IR_SHL, v, up) : v;
        v = down ? bini(l, IR_SAR, v, down) : v;
    }
    alift_put_sized(l, l->i.rd, v);
}

static void op_bfm(struct lift *l, row_t row)
{
    struct field f = field_of(l);
    ir_ref v = alift_get_sized(l, l->i.rn), old = alift_get_sized(l, l->i.rd);

    (void)row;
    if (f.from)
        v = bini(l, IR_SHR, v, f.from);
    alift_put_sized(l, l->i.rd,
                    ir_emit(l->u, IR_INSERT, alift_type(l), f.to << 8 | f.bits, old, v, IR_REF_NONE, 0));
}

static void op_extr(struct lift *l, row_t row)
{
    unsigned lsb = l->i.amount;
    ir_ref lo = alift_get_sized(l, l->i.rm), hi;

    (void)row;
    if (lsb && l->i.rn == l->i.rm) {
        lo = bini(l, IR_ROR, lo, lsb);
    } else if (lsb) {
        hi = alift_get_sized(l, l->i.rn);
        lo = bini(l, IR_SHR, lo, lsb);
        hi = bini(l, IR_SHL, hi, width(l) - lsb);
        lo = bin(l, IR_OR, lo, hi);
    }
    alift_put_sized(l, l->i.rd, lo);
}

/* ---- two sources ---- */

static void op_rr(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn), b = alift_get_sized(l, l->i.rm);

    alift_put_sized(l, l->i.rd, bin(l, row->arg, a, b));
}

/* Division by zero gives zero (C6.2 SDIV). */
static void op_div(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn), b = alift_get_sized(l, l->i.rm), q = bin(l, row->arg, a, b);
    ir_ref some = l->i.sf ? b : alift_zext32(l, b);

    alift_put_sized(l, l->i.rd, alift_select(l, alift_type(l), some, q, constant(l, 0)));
}

/* arg: polynomial and size are the instruction's: bit 2 of opcode2 says Castagnoli */
static void op_crc(struct lift *l, row_t row)
{
    ir_ref acc = alift_get(l, l->i.rn), v = alift_get(l, l->i.rm);

    alift_put(l, l->i.rd, ir_emit(l->u, IR_CRC32, IRT_I64, row->arg | row->aux << 2, acc, v, IR_REF_NONE, 0));
}

/* ---- one source ---- */

static void op_un(struct lift *l, row_t row)
{
    alift_put_sized(l, l->i.rd,
                    ir_un(l->u, (enum ir_opcode)row->arg, alift_type(l), alift_get_sized(l, l->i.rn)));
}

static void op_rev16(struct lift *l, row_t row)
{
    const int64_t low = 0x00ff00ff00ff00ff;
    ir_ref v = alift_get_sized(l, l->i.rn), a, b;

    (void)row;
    a = bini(l, IR_SHL, bini(l, IR_AND, v, low), 8);
    b = bini(l, IR_AND, bini(l, IR_SHR, v, 8), low);
    alift_put_sized(l, l->i.rd, bin(l, IR_OR, a, b));
}

static void op_rev32(struct lift *l, row_t row)
{
    ir_ref v = ir_un(l->u, IR_BSWAP, IRT_I64, alift_get(l, l->i.rn));

    (void)row;
    alift_put(l, l->i.rd, alift_bini(l, IR_ROR, v, 32));
}

/* Leading bits that equal the sign, itself not counted. */
static void op_cls(struct lift *l, row_t row)
{
    ir_ref v = alift_get_sized(l, l->i.rn);

    (void)row;
    v = bin(l, IR_XOR, v, bini(l, IR_SAR, v, 1));
    v = ir_un(l->u, IR_CLZ, alift_type(l), v);
    alift_put_sized(l, l->i.rd, bini(l, IR_SUB, v, 1));
}

/* ---- three sources ---- */

/* arg: IR_ADD or IR_SUB */
static void op_madd(struct lift *l, row_t row)
{
    ir_ref a = alift_get_sized(l, l->i.rn), b = alift_get_sized(l, l->i.rm), p = bin(l, IR_MUL, a, b);

    if (l->i.ra != 31 || row->arg == IR_SUB)
        p = bin(l, row->arg, alift_get_sized(l, l->i.ra), p);
    alift_put_sized(l, l->i.rd, p);
}

/* aux: IR_SEXT or IR_ZEXT */
static ir_ref word(struct lift *l, row_t row, unsigned reg)
{
    return ir_emit(l->u, (enum ir_opcode)row->aux, IRT_I64, 32, alift_get(l, reg), IR_REF_NONE, IR_REF_NONE,
                   0);
}

static void op_maddl(struct lift *l, row_t row)
{
    ir_ref a = word(l, row, l->i.rn), b = word(l, row, l->i.rm), p = alift_bin(l, IR_MUL, a, b);

    if (l->i.ra != 31 || row->arg == IR_SUB)
        p = alift_bin(l, row->arg, alift_get(l, l->i.ra), p);
    alift_put(l, l->i.rd, p);
}

/* ---- conditional forms ---- */

enum { CSEL_INC = 1, CSEL_INV, CSEL_NEG };

static void op_csel(struct lift *l, row_t row)
{
    bool zeros = l->i.rn == 31 && l->i.rm == 31 && l->i.cond < A64_AL;
    ir_ref cond, a, b;

    if (zeros && row->arg == CSEL_INC) { /* CSET */
        alift_put(l, l->i.rd, alift_cond(l, l->i.cond ^ 1u));
        return;
    }
    cond = alift_cond(l, l->i.cond);
    a = alift_get_sized(l, l->i.rn);
    b = alift_get_sized(l, l->i.rm);
    if (row->arg == CSEL_INC)
        b = bini(l, IR_ADD, b, 1);
    else if (row->arg)
        b = ir_un(l->u, row->arg == CSEL_INV ? IR_NOT : IR_NEG, alift_type(l), b);
    alift_put_sized(l, l->i.rd, alift_select(l, alift_type(l), cond, a, b));
}

/* arg: IR_FLAG_ADD or IR_FLAG_SUB; aux: immediate */
static void op_ccmp(struct lift *l, row_t row)
{
    ir_ref cond = alift_cond(l, l->i.cond), a = alift_get_sized(l, l->i.rn);
    ir_ref b = row->aux ? constant(l, l->i.imm) : alift_get_sized(l, l->i.rm);
    ir_ref nzcv = alift_flags(l, (enum ir_flagop)row->arg, alift_type(l), a, b, IR_REF_NONE);

    alift_put_nzcv(l, alift_select(l, IRT_I64, cond, nzcv, alift_imm(l, alift_nzcv_order(l->i.index))));
}

/* ---- flags as data (FEAT_FlagM, FEAT_FlagM2) ---- */

static void op_rmif(struct lift *l, row_t row)
{
    unsigned mask = alift_nzcv_order(l->i.index);
    ir_ref v = alift_get(l, l->i.rn), old = alift_get_nzcv(l);

    (void)row;
    v = l->i.amount ? alift_bini(l, IR_ROR, v, l->i.amount) : v;
    v = alift_bini(l, IR_SHR, ir_un(l->u, IR_BREV, IRT_I64, v), 60);
    v = alift_bini(l, IR_AND, v, mask);
    alift_put_nzcv(l, alift_bin(l, IR_OR, v, alift_bini(l, IR_AND, old, ~mask & 15)));
}

/* arg: bits. N the top one, Z none set, V the top one and the next differ, C stays. */
static void op_setf(struct lift *l, row_t row)
{
    unsigned top = row->arg - 1u;
    ir_ref v = alift_get(l, l->i.rn), c = alift_bini(l, IR_AND, alift_get_nzcv(l), ARM64_FLAG_C);
    ir_ref low = alift_bini(l, IR_AND, v, (int64_t)(BIT(row->arg) - 1));
    ir_ref z = alift_bini(l, IR_SHL, ir_setcc(l->u, IRT_I64, IR_EQ, low, alift_imm(l, 0)), 1);
    ir_ref n = alift_bini(l, IR_SHR, low, top);
    ir_ref o = alift_bin(l, IR_XOR, v, alift_bini(l, IR_SHR, v, 1));

    o = alift_bini(l, IR_SHL, alift_bini(l, IR_AND, alift_bini(l, IR_SHR, o, top), 1), 3);
    alift_put_nzcv(l, alift_bin(l, IR_OR, alift_bin(l, IR_OR, n, z), alift_bin(l, IR_OR, c, o)));
}

static void op_cfinv(struct lift *l, row_t row)
{
    (void)row;
    alift_put_nzcv(l, alift_bini(l, IR_XOR, alift_get_nzcv(l), ARM64_FLAG_C));
}

/* arg: 0 to the format of IEEE comparisons elsewhere (AXFLAG), 1 back */
static void op_axflag(struct lift *l, row_t row)
{
    alift_put_nzcv(l, alift_call(l, A64H_AXFLAG, alift_get_nzcv(l), alift_imm(l, row->arg), IR_REF_NONE));
}

/* ---- pointer authentication: nothing where the key is off (D8.10) ---- */

/*
 * arg: enum arm64_pac_key | 8 to authenticate; aux: where pointer and modifier are: of rd and rn|SP, of rd
 * and zero, X17 and X16, LR and SP, LR and zero.
 */
enum { PAC_RD_RN, PAC_RD_ZERO, PAC_17_16, PAC_LR_SP, PAC_LR_ZERO };

static void op_pac(struct lift *l, row_t row)
{
    static const uint64_t enable[] = {ARM64_MODE_ENIA, ARM64_MODE_ENIB, ARM64_MODE_ENDA, ARM64_MODE_ENDB};
    unsigned reg = row->aux == PAC_17_16 ? 17 : row->aux >= PAC_LR_SP ? 30 : l->i.rd;
    ir_ref modifier;

    if (!(l->mode & enable[row->arg & 3]) || (reg == 31))
        return;
    if (row->aux == PAC_RD_ZERO || row->aux == PAC_LR_ZERO)
        modifier = alift_imm(l, 0);
    else
        modifier = alift_get_sp(l, row->aux == PAC_17_16   ? 16
                                   : row->aux == PAC_LR_SP ? ARM64_REG_SP
                                                           : l->i.rn);
    alift_put(l, reg, alift_call(l, A64H_PAC, alift_get(l, reg), modifier, alift_imm(l, row->arg)));
}

/* aux 1: LR; arg: data */
static void op_xpac(struct lift *l, row_t row)
{
    unsigned reg = row->aux ? 30 : l->i.rd;

    if (reg != 31)
        alift_put(l, reg, alift_call(l, A64H_XPAC, alift_get(l, reg), alift_imm(l, row->arg), IR_REF_NONE));
}

static void op_pacga(struct lift *l, row_t row)
{
    ir_ref a = alift_get(l, l->i.rn), b = alift_get_sp(l, l->i.rm);

    (void)row;
    alift_put(l, l->i.rd, alift_call(l, A64H_PACGA, a, b, IR_REF_NONE));
}

// clang-format off
#define ROW(id, f, a, x) [A64_##id] = {f, a, x, INSN_PLAIN, 0}
#define ADDSUB(OP) \
    ROW(OP##_IMM, op_add_imm, IR_##OP, SP_RD), ROW(OP##S_IMM, op_add_imm, IR_##OP, SETS), \
    ROW(OP##_SHIFT, op_add_shift, IR_##OP, 0), ROW(OP##S_SHIFT, op_add_shift, IR_##OP, SETS), \
    ROW(OP##_EXT, op_add_ext, IR_##OP, SP_RD), ROW(OP##S_EXT, op_add_ext, IR_##OP, SETS)
#define CRC(id, size, c) ROW(CRC32##id, op_crc, size, c)
#define PAC(id, key) \
    ROW(PAC##id, op_pac, key, PAC_RD_RN), ROW(AUT##id, op_pac, key | 8, PAC_RD_RN)
#define PACZ(i, k, key) \
    ROW(PAC##i##Z##k, op_pac, key, PAC_RD_ZERO), ROW(AUT##i##Z##k, op_pac, key | 8, PAC_RD_ZERO)
#define PAC_HINTS(k, key) \
    ROW(PACI##k##1716, op_pac, key, PAC_17_16), ROW(AUTI##k##1716, op_pac, key | 8, PAC_17_16), \
    ROW(PACI##k##SP, op_pac, key, PAC_LR_SP), ROW(AUTI##k##SP, op_pac, key | 8, PAC_LR_SP), \
    ROW(PACI##k##Z, op_pac, key, PAC_LR_ZERO), ROW(AUTI##k##Z, op_pac, key | 8, PAC_LR_ZERO)

const struct lift_row arm64_lift_int[A64_ID_COUNT] = {
    ROW(ADR, op_adr, 0, 0), ROW(ADRP, op_adrp, 0, 0),
    ROW(MOVZ, op_movz, 0, 0), ROW(MOVN, op_movz, 1, 0), ROW(MOVK, op_movk, 0, 0),
    ADDSUB(ADD), ADDSUB(SUB),
    ROW(ADC, op_adc, 0, 0), ROW(ADCS, op_adc, 0, 1), ROW(SBC, op_adc, 1, 0), ROW(SBCS, op_adc, 1, 1),
    ROW(AND_IMM, op_logic_imm, IR_AND, SP_RD), ROW(ORR_IMM, op_logic_imm, IR_OR, SP_RD),
    ROW(EOR_IMM, op_logic_imm, IR_XOR, SP_RD), ROW(ANDS_IMM, op_logic_imm, IR_AND, SETS),
    ROW(AND_SHIFT, op_logic_shift, IR_AND, 0), ROW(BIC_SHIFT, op_logic_shift, IR_ANDN, 0),
    ROW(ORR_SHIFT, op_logic_shift, IR_OR, 0), ROW(ORN_SHIFT, op_logic_shift, IR_ORN, 0),
    ROW(EOR_SHIFT, op_logic_shift, IR_XOR, 0), ROW(EON_SHIFT, op_logic_shift, IR_XNOR, 0),
    ROW(ANDS_SHIFT, op_logic_shift, IR_AND, SETS), ROW(BICS_SHIFT, op_logic_shift, IR_ANDN, SETS),
    ROW(SBFM, op_sbfm, 0, 0), ROW(BFM, op_bfm, 0, 0), ROW(UBFM, op_ubfm, 0, 0), ROW(EXTR, op_extr, 0, 0),
    ROW(UDIV, op_div, IR_DIVU, 0), ROW(SDIV, op_div, IR_DIVS, 0),
    ROW(LSLV, op_rr, IR_SHL, 0), ROW(LSRV, op_rr, IR_SHR, 0), ROW(ASRV, op_rr, IR_SAR, 0),
    ROW(RORV, op_rr, IR_ROR, 0),
    CRC(B, 0, 0), CRC(H, 1, 0), CRC(W, 2, 0), CRC(X, 3, 0),
    CRC(CB, 0, 1), CRC(CH, 1, 1), CRC(CW, 2, 1), CRC(CX, 3, 1),
    ROW(RBIT, op_un, IR_BREV, 0), ROW(REV16, op_rev16, 0, 0), ROW(REV_W, op_un, IR_BSWAP, 0),
    ROW(REV_X, op_un, IR_BSWAP, 0), ROW(REV32, op_rev32, 0, 0), ROW(CLZ, op_un, IR_CLZ, 0),
    ROW(CLS, op_cls, 0, 0),
    ROW(MADD, op_madd, IR_ADD, 0), ROW(MSUB, op_madd, IR_SUB, 0),
    ROW(SMADDL, op_maddl, IR_ADD, IR_SEXT), ROW(SMSUBL, op_maddl, IR_SUB, IR_SEXT),
    ROW(UMADDL, op_maddl, IR_ADD, IR_ZEXT), ROW(UMSUBL, op_maddl, IR_SUB, IR_ZEXT),
    ROW(SMULH, op_rr, IR_MULHS, 0), ROW(UMULH, op_rr, IR_MULHU, 0),
    ROW(CSEL, op_csel, 0, 0), ROW(CSINC, op_csel, CSEL_INC, 0), ROW(CSINV, op_csel, CSEL_INV, 0),
    ROW(CSNEG, op_csel, CSEL_NEG, 0),
    ROW(CCMN_REG, op_ccmp, IR_FLAG_ADD, 0), ROW(CCMP_REG, op_ccmp, IR_FLAG_SUB, 0),
    ROW(CCMN_IMM, op_ccmp, IR_FLAG_ADD, 1), ROW(CCMP_IMM, op_ccmp, IR_FLAG_SUB, 1),
    ROW(RMIF, op_rmif, 0, 0), ROW(SETF8, op_setf, 8, 0), ROW(SETF16, op_setf, 16, 0),
    ROW(CFINV, op_cfinv, 0, 0), ROW(AXFLAG, op_axflag, 0, 0), ROW(XAFLAG, op_axflag, 1, 0),
    PAC(IA, 0), PAC(IB, 1), PAC(DA, 2), PAC(DB, 3),
    PACZ(I, A, 0), PACZ(I, B, 1), PACZ(D, A, 2), PACZ(D, B, 3), PAC_HINTS(A, 0), PAC_HINTS(B, 1),
    ROW(XPACI, op_xpac, 0, 0), ROW(XPACD, op_xpac, 1, 0), ROW(XPACLRI, op_xpac, 0, 1),
    ROW(PACGA, op_pacga, 0, 0),
};
