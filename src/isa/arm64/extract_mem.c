/* Fields of loads and stores (DDI 0487, C4.1). */
#include "isa/arm64/extract.h"

/* Where the size is bits [31:30] and registers are as wide as the access, W at least. */
static void size_set(struct a64_insn *o)
{
    o->size = a64_bits(o, 31, 30);
    o->sf = o->size == 3;
}

/* Sign-extending loads: opc[0] says W; no such register may be narrower than, or just as wide as, the access.
 */
static bool size_set_signed(struct a64_insn *o)
{
    o->size = a64_bits(o, 31, 30);
    o->sf = !a64_bits(o, 22, 22);
    return o->size < (o->sf ? 3 : 2);
}

/* FP registers: opc[1]:size, of which 4 is the most. */
static bool size_set_fp(struct a64_insn *o)
{
    o->sf = 0;
    o->size = (uint8_t)(a64_bits(o, 23, 23) << 2 | a64_bits(o, 31, 30));
    return o->size <= 4;
}

static void offset_unsigned(struct a64_insn *o)
{
    o->imm = (int64_t)a64_bits(o, 21, 10) << o->size;
}

static void offset_signed(struct a64_insn *o)
{
    o->imm = a64_sbits(o, 20, 12);
}

static void offset_indexed(struct a64_insn *o)
{
    o->opt = a64_bits(o, 11, 11) ? A64_PRE : A64_POST;
    offset_signed(o);
}

/* UXTW, UXTX (written LSL), SXTW, SXTX; S shifts by the access's size. */
static bool offset_register(struct a64_insn *o)
{
    o->opt = (uint8_t)a64_bits(o, 15, 13);
    o->amount = a64_bits(o, 12, 12) ? o->size : 0;
    return o->opt & 2;
}

bool a64_get_ldst_order(struct a64_insn *o)
{
    size_set(o);
    return true;
}

bool a64_get_ldst_exclp(struct a64_insn *o)
{
    size_set(o);
    return true;
}

bool a64_get_cas(struct a64_insn *o)
{
    size_set(o);
    o->opt = (uint8_t)((a64_bits(o, 22, 22) ? A64_ACQUIRE : 0) | (a64_bits(o, 15, 15) ? A64_RELEASE : 0));
    return true;
}

/* Pairs begin at an even register (C6.2 "CASP"). */
bool a64_get_casp(struct a64_insn *o)
{
    a64_get_cas(o);
    o->sf = a64_bits(o, 30, 30);
    o->size = o->sf ? 3 : 2;
    return !((o->rm | o->rd) & 1);
}

bool a64_get_atomic(struct a64_insn *o)
{
    size_set(o);
    o->opt = (uint8_t)((a64_bits(o, 23, 23) ? A64_ACQUIRE : 0) | (a64_bits(o, 22, 22) ? A64_RELEASE : 0));
    return true;
}

bool a64_get_ldr_lit(struct a64_insn *o)
{
    o->sf = a64_bits(o, 30, 30);
    o->size = o->sf ? 3 : 2;
    o->imm = a64_sbits(o, 23, 5) * 4;
    return true;
}

bool a64_get_ldrsw_lit(struct a64_insn *o)
{
    o->sf = 1;
    o->size = 2;
    o->imm = a64_sbits(o, 23, 5) * 4;
    return true;
}

bool a64_get_prfm_lit(struct a64_insn *o)
{
    o->imm = a64_sbits(o, 23, 5) * 4;
    return true;
}

bool a64_get_ldr_fp_lit(struct a64_insn *o)
{
    unsigned opc = a64_bits(o, 31, 30);

    o->sf = 0;
    o->size = (uint8_t)(2 + opc);
    o->imm = a64_sbits(o, 23, 5) * 4;
    return opc != 3;
}

/* Bits [24:23]: 0 no-allocate, 1 post, 2 offset, 3 pre. */
static void pair_offset(struct a64_insn *o)
{
    static const uint8_t modes[4] = {A64_OFFSET, A64_POST, A64_OFFSET, A64_PRE};

    o->opt = modes[a64_bits(o, 24, 23)];
    o->imm = a64_sbits(o, 21, 15) * (1 << o->size);
}

bool a64_get_ldst_pair(struct a64_insn *o)
{
    o->sf = a64_bits(o, 31, 31);
    o->size = o->sf ? 3 : 2;
    pair_offset(o);
    return true;
}

bool a64_get_ldpsw(struct a64_insn *o)
{
    o->sf = 1;
    o->size = 2;
    pair_offset(o);
    return a64_bits(o, 24, 23) != 0;
}

bool a64_get_ldst_pair_fp(struct a64_insn *o)
{
    unsigned opc = a64_bits(o, 31, 30);

    o->sf = 0;
    o->size = (uint8_t)(2 + opc);
    if (opc == 3)
        return false;
    pair_offset(o);
    return true;
}

bool a64_get_ldst_uimm(struct a64_insn *o)
{
    size_set(o);
    offset_unsigned(o);
    return true;
}

bool a64_get_lds_uimm(struct a64_insn *o)
{
    bool ok = size_set_signed(o);

    offset_unsigned(o);
    return ok;
}

bool a64_get_ldst_fp_uimm(struct a64_insn *o)
{
    bool ok = size_set_fp(o);

    offset_unsigned(o);
    return ok;
}

bool a64_get_ldst_index(struct a64_insn *o)
{
    size_set(o);
    offset_indexed(o);
    return true;
}

bool a64_get_lds_index(struct a64_insn *o)
{
    offset_indexed(o);
    return size_set_signed(o);
}

bool a64_get_ldst_fp_index(struct a64_insn *o)
{
    offset_indexed(o);
    return size_set_fp(o);
}

bool a64_get_ldst_unscaled(struct a64_insn *o)
{
    size_set(o);
    offset_signed(o);
    return true;
}

bool a64_get_lds_unscaled(struct a64_insn *o)
{
    offset_signed(o);
    return size_set_signed(o);
}

bool a64_get_ldst_fp_unscaled(struct a64_insn *o)
{
    offset_signed(o);
    return size_set_fp(o);
}

bool a64_get_ldst_reg(struct a64_insn *o)
{
    size_set(o);
    return offset_register(o);
}

bool a64_get_lds_reg(struct a64_insn *o)
{
    return size_set_signed(o) && offset_register(o);
}

bool a64_get_ldst_fp_reg(struct a64_insn *o)
{
    return size_set_fp(o) && offset_register(o);
}

/* LDRAA, LDRAB: S:imm9, in units of 8 bytes. */
bool a64_get_ldra(struct a64_insn *o)
{
    o->sf = 1;
    o->size = 3;
    o->opt = a64_bits(o, 11, 11) ? A64_PRE : A64_OFFSET;
    o->imm = bits_sext(a64_bits(o, 22, 22) << 9 | a64_bits(o, 20, 12), 10) * 8;
    return true;
}

/* ---- vector structures ---- */

/* Post-index, bit 23: rm is added, register 31 stands for the bytes accessed. Else the field is 0. */
static bool structure_index(struct a64_insn *o, unsigned bytes)
{
    o->sf = 0;
    if (!a64_bits(o, 23, 23))
        return o->rm == 0;
    o->opt = A64_POST;
    o->imm = bytes;
    return true;
}

static bool multi_get(struct a64_insn *o, unsigned registers)
{
    o->size = a64_bits(o, 11, 10);
    o->amount = (uint8_t)registers;
    return structure_index(o, registers * (o->q ? 16 : 8));
}

/* opcode: 2, 6, 7, 10 are four, three, one and two registers that are not interleaved */
bool a64_get_ldst_multi1(struct a64_insn *o)
{
    static const uint8_t registers[16] = {[2] = 4, [6] = 3, [7] = 1, [10] = 2};
    unsigned count = registers[a64_bits(o, 15, 12)];

    return count && multi_get(o, count);
}

/* opcode: 8, 4, 0 are LD2, LD3, LD4; interleaving single elements is reserved */
bool a64_get_ldst_multi(struct a64_insn *o)
{
    return multi_get(o, 4 - a64_bits(o, 15, 14)) && (o->size != 3 || o->q);
}

/* opcode[0]:R, bits 13 and 21: registers less one */
static unsigned lane_registers(const struct a64_insn *o)
{
    return 1 + (a64_bits(o, 13, 13) << 1 | a64_bits(o, 21, 21));
}

bool a64_get_ldst_replicate(struct a64_insn *o)
{
    o->size = a64_bits(o, 11, 10);
    o->amount = (uint8_t)lane_registers(o);
    return structure_index(o, (unsigned)o->amount << o->size);
}

/*
 * opcode[2:1]: scale; Q:S:size is the lane of bytes, of which wider elements leave the low bits 0, but
 * doubles have size 1.
 */
bool a64_get_ldst_lane(struct a64_insn *o)
{
    unsigned scale = a64_bits(o, 15, 14), low = a64_bits(o, 11, 10);
    unsigned lane = (unsigned)o->q << 3 | a64_bits(o, 12, 10);

    if (scale == 3 || (scale == 1 && (low & 1)) || (scale == 2 && (low & 2)))
        return false;
    if (scale == 2 && low == 1) {
        if (a64_bits(o, 12, 12))
            return false;
        scale = 3;
    }
    o->size = (uint8_t)scale;
    o->index = (uint8_t)(lane >> scale);
    o->amount = (uint8_t)lane_registers(o);
    return structure_index(o, (unsigned)o->amount << scale);
}
