/* Fields of scalar floating point, Advanced SIMD and cryptography (DDI 0487, C4.1). */
#include "isa/arm64/extract.h"
#include "isa/arm64/fp.h"

/* ---- scalar floating point ---- */

/* ftype, bits [23:22]: single, double, reserved, half */
bool a64_get_fp(struct a64_insn *o)
{
    static const uint8_t sizes[4] = {2, 3, 0, 1};

    o->q = 0;
    o->size = sizes[a64_bits(o, 23, 22)];
    return o->size;
}

bool a64_get_fp_cvt(struct a64_insn *o)
{
    static const uint8_t sizes[4] = {2, 3, 0, 1};

    o->index = sizes[a64_bits(o, 16, 15)];
    return a64_get_fp(o) && o->index && o->index != o->size;
}

bool a64_get_fp_cond(struct a64_insn *o)
{
    o->cond = a64_bits(o, 15, 12);
    o->index = a64_bits(o, 3, 0);
    return a64_get_fp(o);
}

/*
 * VFPExpandImm: a sign bit, an exponent of three bits, the highest inverted and repeated, and four of
 * fraction.
 */
static uint64_t fp_imm_expand(unsigned imm8, unsigned size)
{
    unsigned bits = 8u << size, exponent = size == 3 ? 11 : size == 2 ? 8 : 5;
    uint64_t sign = imm8 >> 7, top = imm8 >> 6 & 1, low = imm8 & 0x3f;
    uint64_t repeated = top ? BIT(exponent - 3) - 1 : 0;

    return sign << (bits - 1) | (top ^ 1) << (bits - 2) | repeated << (bits - 1 - exponent + 2) |
           low << (bits - 1 - exponent - 4);
}

bool a64_get_fp_imm(struct a64_insn *o)
{
    o->index = a64_bits(o, 20, 13);
    if (!a64_get_fp(o))
        return false;
    o->imm = (int64_t)fp_imm_expand(o->index, o->size);
    return true;
}

bool a64_get_fmov_gp(struct a64_insn *o)
{
    return a64_get_fp(o) && (o->size == 1 || o->size == 2 + o->sf);
}

bool a64_get_fmov_hi(struct a64_insn *o)
{
    o->q = 0;
    o->size = 3;
    o->index = 1;
    return true;
}

/* rmode, bits [20:19], is numbered as enum a64_round; opcode[2] is "to nearest, ties away". */
bool a64_get_fp_int(struct a64_insn *o)
{
    o->opt = a64_bits(o, 18, 18) ? A64_ROUND_AWAY : a64_bits(o, 20, 19);
    return a64_get_fp(o);
}

bool a64_get_fp_fix(struct a64_insn *o)
{
    o->amount = (uint8_t)(64 - a64_bits(o, 15, 10));
    o->opt = a64_bits(o, 20, 19);
    return a64_get_fp(o) && (o->sf || o->amount <= 32);
}

/* ---- vectors: sizes ---- */

static bool vector_size(struct a64_insn *o, unsigned allowed)
{
    o->sf = 0;
    o->size = a64_bits(o, 23, 22);
    return (allowed >> o->size & 1) && (o->size != 3 || o->q);
}

static bool scalar_size(struct a64_insn *o, unsigned allowed)
{
    o->sf = o->q = 0;
    o->size = a64_bits(o, 23, 22);
    return allowed >> o->size & 1;
}

enum { B = 1, H = 2, S = 4, D = 8 };

bool a64_get_v_any(struct a64_insn *o)
{
    return vector_size(o, B | H | S | D);
}

bool a64_get_v_bhs(struct a64_insn *o)
{
    return vector_size(o, B | H | S);
}

bool a64_get_v_hs(struct a64_insn *o)
{
    return vector_size(o, H | S);
}

bool a64_get_v_bh(struct a64_insn *o)
{
    return vector_size(o, B | H);
}

bool a64_get_v_b(struct a64_insn *o)
{
    return vector_size(o, B);
}

bool a64_get_v_logic(struct a64_insn *o)
{
    o->sf = 0;
    return true;
}

/*
 * Rounding of FCVT*: bits 23 and 12 are rmode, bit 16 with them "to nearest, ties away" (C4.1, two-
 * register miscellaneous: opcode 11010 and 11011 take their mode from bits 23 and 12, 11100 is A).
 */
static void rounding_set(struct a64_insn *o)
{
    unsigned opcode = a64_bits(o, 16, 12);

    if (opcode == 0x1c)
        o->opt = A64_ROUND_AWAY;
    else if (opcode == 0x1a || opcode == 0x1b)
        o->opt = (uint8_t)((opcode & 1) << 1 | a64_bits(o, 23, 23));
}

bool a64_get_v_fp(struct a64_insn *o)
{
    o->sf = 0;
    o->size = (uint8_t)(2 + a64_bits(o, 22, 22));
    rounding_set(o);
    return o->size == 2 || o->q;
}

bool a64_get_v_half(struct a64_insn *o)
{
    o->sf = 0;
    o->size = 1;
    rounding_set(o);
    return true;
}

bool a64_get_v_dot(struct a64_insn *o)
{
    o->sf = 0;
    o->size = 2;
    return true;
}

bool a64_get_v_rot(struct a64_insn *o)
{
    o->opt = a64_bits(o, 12, 11);
    return vector_size(o, H | S | D);
}

bool a64_get_v_rot_add(struct a64_insn *o)
{
    o->opt = a64_bits(o, 12, 12) ? 3 : 1;
    return vector_size(o, H | S | D);
}

bool a64_get_v_pmull(struct a64_insn *o)
{
    o->sf = 0;
    o->size = 3;
    return true;
}

bool a64_get_v_shll(struct a64_insn *o)
{
    bool ok = vector_size(o, B | H | S);

    o->amount = (uint8_t)(8 << o->size);
    return ok;
}

/* FCVTN, FCVTL, FCVTXN: the narrower size, half or single */
bool a64_get_v_fcvtn(struct a64_insn *o)
{
    o->sf = 0;
    o->size = (uint8_t)(1 + a64_bits(o, 22, 22));
    return true;
}

/* Two elements are not reduced. */
bool a64_get_v_across(struct a64_insn *o)
{
    return vector_size(o, B | H | S) && (o->size != 2 || o->q);
}

bool a64_get_s_any(struct a64_insn *o)
{
    return scalar_size(o, B | H | S | D);
}

bool a64_get_s_bhs(struct a64_insn *o)
{
    return scalar_size(o, B | H | S);
}

bool a64_get_s_hs(struct a64_insn *o)
{
    return scalar_size(o, H | S);
}

bool a64_get_s_d(struct a64_insn *o)
{
    return scalar_size(o, D);
}

bool a64_get_s_fp(struct a64_insn *o)
{
    o->q = 1;
    a64_get_v_fp(o);
    o->q = 0;
    return true;
}

bool a64_get_s_half(struct a64_insn *o)
{
    o->q = 0;
    return a64_get_v_half(o);
}

bool a64_get_s_fcvtxn(struct a64_insn *o)
{
    o->sf = o->q = 0;
    o->size = 2;
    return true;
}

/* ---- copies, tables ---- */

/* imm5: the lowest set bit says the size, the bits above it are the element. */
static bool element_get(struct a64_insn *o)
{
    unsigned imm5 = a64_bits(o, 20, 16);

    if (!(imm5 & 15))
        return false;
    o->sf = 0;
    o->size = (uint8_t)__builtin_ctz(imm5);
    o->index = (uint8_t)(imm5 >> (o->size + 1));
    return true;
}

bool a64_get_dup_elem(struct a64_insn *o)
{
    return element_get(o) && (o->size != 3 || o->q);
}

bool a64_get_sdup(struct a64_insn *o)
{
    o->q = 0;
    return element_get(o);
}

bool a64_get_dup_gp(struct a64_insn *o)
{
    bool ok = a64_get_dup_elem(o);

    o->sf = o->size == 3;
    return ok;
}

/* The general register is 64 bits if q. */
bool a64_get_smov(struct a64_insn *o)
{
    bool ok = element_get(o);

    o->sf = o->q;
    return ok && o->size < (o->q ? 3 : 2);
}

bool a64_get_umov(struct a64_insn *o)
{
    bool ok = element_get(o);

    o->sf = o->q;
    return ok && (o->size == 3) == o->q;
}

bool a64_get_ins_gp(struct a64_insn *o)
{
    bool ok = element_get(o);

    o->sf = o->size == 3;
    return ok;
}

bool a64_get_ins_elem(struct a64_insn *o)
{
    bool ok = element_get(o);

    o->amount = (uint8_t)(a64_bits(o, 14, 11) >> o->size);
    return ok;
}

bool a64_get_tbl(struct a64_insn *o)
{
    o->sf = 0;
    o->amount = (uint8_t)(a64_bits(o, 14, 13) + 1);
    return true;
}

bool a64_get_ext(struct a64_insn *o)
{
    o->sf = 0;
    o->index = a64_bits(o, 14, 11);
    return o->q || o->index < 8;
}

/* ---- modified immediates (AdvSIMDExpandImm) ---- */

static void modimm_set(struct a64_insn *o, unsigned size, uint64_t value)
{
    o->sf = 0;
    o->size = (uint8_t)size;
    for (unsigned bits = 8u << size; bits < 64; bits *= 2)
        value |= value << bits;
    o->imm = (int64_t)value;
}

static unsigned modimm_imm8(const struct a64_insn *o)
{
    return a64_bits(o, 18, 16) << 5 | a64_bits(o, 9, 5);
}

bool a64_get_modimm_32(struct a64_insn *o)
{
    o->amount = (uint8_t)(a64_bits(o, 14, 13) * 8);
    modimm_set(o, 2, (uint64_t)modimm_imm8(o) << o->amount);
    return true;
}

bool a64_get_modimm_16(struct a64_insn *o)
{
    o->amount = (uint8_t)(a64_bits(o, 13, 13) * 8);
    modimm_set(o, 1, (uint64_t)modimm_imm8(o) << o->amount);
    return true;
}

/* Ones are shifted in. */
bool a64_get_modimm_msl(struct a64_insn *o)
{
    o->amount = a64_bits(o, 12, 12) ? 16 : 8;
    modimm_set(o, 2, (uint64_t)modimm_imm8(o) << o->amount | (BIT(o->amount) - 1));
    return true;
}

bool a64_get_modimm_8(struct a64_insn *o)
{
    modimm_set(o, 0, modimm_imm8(o));
    return true;
}

/* Each bit stands for a byte. */
bool a64_get_modimm_64(struct a64_insn *o)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        if (modimm_imm8(o) >> i & 1)
            value |= UINT64_C(0xff) << (8 * i);
    modimm_set(o, 3, value);
    return true;
}

static bool modimm_fp(struct a64_insn *o, unsigned size)
{
    o->index = (uint8_t)modimm_imm8(o);
    modimm_set(o, size, fp_imm_expand(o->index, size));
    return true;
}

bool a64_get_modimm_fps(struct a64_insn *o)
{
    return modimm_fp(o, 2);
}

bool a64_get_modimm_fpd(struct a64_insn *o)
{
    return modimm_fp(o, 3);
}

bool a64_get_modimm_fph(struct a64_insn *o)
{
    return modimm_fp(o, 1);
}

/* ---- shifts by immediate ---- */

/*
 * immh:immb, bits [22:16]: the highest set bit of immh says the size; a right shift is twice the element's
 * bits less the number, a left one the number less the element's bits. immh 0 is another instruction or
 * none.
 */
static bool shift_get(struct a64_insn *o, bool right)
{
    unsigned number = a64_bits(o, 22, 16);

    if (number < 8)
        return false;
    o->sf = 0;
    o->size = (uint8_t)(28 - __builtin_clz(number));
    o->amount = (uint8_t)(right ? (16u << o->size) - number : number - (8u << o->size));
    return true;
}

bool a64_get_v_shift_right(struct a64_insn *o)
{
    return shift_get(o, true) && (o->size != 3 || o->q);
}

bool a64_get_v_shift_left(struct a64_insn *o)
{
    return shift_get(o, false) && (o->size != 3 || o->q);
}

bool a64_get_v_shift_narrow(struct a64_insn *o)
{
    return shift_get(o, true) && o->size != 3;
}

bool a64_get_v_shift_long(struct a64_insn *o)
{
    return shift_get(o, false) && o->size != 3;
}

/* SCVTF, UCVTF and the one that rounds to zero, FCVTZ*. */
static void fix_rounding_set(struct a64_insn *o)
{
    o->opt = a64_bits(o, 15, 11) == 0x1f ? A64_ROUND_ZERO : 0;
}

bool a64_get_v_shift_fix(struct a64_insn *o)
{
    fix_rounding_set(o);
    return a64_get_v_shift_right(o) && o->size >= 1;
}

bool a64_get_s_shift_right(struct a64_insn *o)
{
    o->q = 0;
    return shift_get(o, true) && o->size == 3;
}

bool a64_get_s_shift_left(struct a64_insn *o)
{
    o->q = 0;
    return shift_get(o, false) && o->size == 3;
}

bool a64_get_s_shift_left_any(struct a64_insn *o)
{
    o->q = 0;
    return shift_get(o, false);
}

bool a64_get_s_shift_narrow(struct a64_insn *o)
{
    o->q = 0;
    return shift_get(o, true) && o->size != 3;
}

bool a64_get_s_shift_fix(struct a64_insn *o)
{
    fix_rounding_set(o);
    o->q = 0;
    return shift_get(o, true) && o->size >= 1;
}

/* ---- by element ---- */

/*
 * H, L and M are bits 11, 21 and 20: halves are numbered H:L:M and then rm has 4 bits, singles H:L, doubles
 * H with L 0.
 */
static bool element_index(struct a64_insn *o, unsigned size)
{
    unsigned h = a64_bits(o, 11, 11), l = a64_bits(o, 21, 21);

    o->sf = 0;
    o->size = (uint8_t)size;
    if (size == 1) {
        o->index = (uint8_t)(h << 2 | l << 1 | o->rm >> 4);
        o->rm &= 15;
        return true;
    }
    o->index = (uint8_t)(size == 2 ? h << 1 | l : h);
    return size == 2 || (size == 3 && !l);
}

bool a64_get_v_elem(struct a64_insn *o)
{
    unsigned size = a64_bits(o, 23, 22);

    return (size == 1 || size == 2) && element_index(o, size);
}

bool a64_get_v_elem_fp(struct a64_insn *o)
{
    unsigned size = 2 + a64_bits(o, 22, 22);

    return element_index(o, size) && (size == 2 || o->q);
}

bool a64_get_v_elem_half(struct a64_insn *o)
{
    return element_index(o, 1);
}

bool a64_get_v_elem_dot(struct a64_insn *o)
{
    return element_index(o, 2);
}

/* Pairs: of halves H:L, of singles H; a vector of 64 bits has two pairs of halves and one of singles. */
bool a64_get_v_elem_rot(struct a64_insn *o)
{
    unsigned h = a64_bits(o, 11, 11), l = a64_bits(o, 21, 21);

    o->sf = 0;
    o->size = a64_bits(o, 23, 22);
    o->opt = a64_bits(o, 14, 13);
    if (o->size == 1) {
        o->index = (uint8_t)(h << 1 | l);
        return o->q || !h;
    }
    o->index = (uint8_t)h;
    return o->size == 2 && o->q && !l;
}

bool a64_get_s_elem(struct a64_insn *o)
{
    o->q = 0;
    return a64_get_v_elem(o);
}

bool a64_get_s_elem_fp(struct a64_insn *o)
{
    o->q = 0;
    return element_index(o, 2 + a64_bits(o, 22, 22));
}

bool a64_get_s_elem_half(struct a64_insn *o)
{
    o->q = 0;
    return element_index(o, 1);
}

/* ---- cryptography ---- */

bool a64_get_xar(struct a64_insn *o)
{
    o->amount = (uint8_t)a64_bits(o, 15, 10);
    return true;
}

bool a64_get_sm3tt(struct a64_insn *o)
{
    o->size = 2;
    o->index = a64_bits(o, 13, 12);
    return true;
}
