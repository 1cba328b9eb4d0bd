/*
 * Fields of integer, branch and system instructions (DDI 0487, C4.1).
 */
#include "isa/arm64/extract.h"

bool a64_get_none(struct a64_insn *o)
{
    (void)o;
    return true;
}

bool a64_get_crc(struct a64_insn *o)
{
    o->size = a64_bits(o, 11, 10);
    return true;
}

bool a64_get_pcrel(struct a64_insn *o)
{
    bool page = a64_bits(o, 31, 31);
    int64_t imm = a64_sbits(o, 23, 5) * 4 + a64_bits(o, 30, 29);

    o->sf = 1;
    o->imm = page ? imm * 4096 : imm;
    return true;
}

bool a64_get_addsub_imm(struct a64_insn *o)
{
    o->imm = (int64_t)a64_bits(o, 21, 10) << (a64_bits(o, 22, 22) ? 12 : 0);
    return true;
}

/*
 * The element is 2^n bits, n the position of the highest set bit of N:NOT(imms); in it stand imms + 1 ones,
 * rotated right by immr. All ones cannot be had, nor elements of one bit.
 */
bool a64_bitmask_decode(unsigned sf, unsigned n, unsigned immr, unsigned imms, uint64_t *mask)
{
    unsigned sizes = n << 6 | (~imms & 0x3f);

    if (sizes < 2 || (n && !sf))
        return false;
    unsigned width = 1u << (31 - __builtin_clz(sizes));
    unsigned ones = (imms & (width - 1)) + 1;
    unsigned rotation = immr & (width - 1);
    if (ones == width)
        return false;

    uint64_t element = BIT(ones) - 1;
    if (rotation)
        element = (element >> rotation | element << (width - rotation)) & (UINT64_MAX >> (64 - width));
    for (; width < 64; width *= 2)
        element |= element << width;
    *mask = sf ? element : (uint32_t)element;
    return true;
}

bool a64_get_logic_imm(struct a64_insn *o)
{
    uint64_t mask;

    if (!a64_bitmask_decode(o->sf, a64_bits(o, 22, 22), a64_bits(o, 21, 16), a64_bits(o, 15, 10), &mask))
        return false;
    o->imm = (int64_t)mask;
    return true;
}

bool a64_get_movw(struct a64_insn *o)
{
    o->imm = a64_bits(o, 20, 5);
    o->amount = (uint8_t)(a64_bits(o, 22, 21) * 16);
    return o->sf || o->amount < 32;
}

bool a64_get_bitfield(struct a64_insn *o)
{
    unsigned n = a64_bits(o, 22, 22);

    o->amount = (uint8_t)a64_bits(o, 21, 16);
    o->imm = a64_bits(o, 15, 10);
    return n == o->sf && (o->sf || (o->amount < 32 && o->imm < 32));
}

bool a64_get_extr(struct a64_insn *o)
{
    o->amount = (uint8_t)a64_bits(o, 15, 10);
    return a64_bits(o, 22, 22) == o->sf && (o->sf || o->amount < 32);
}

bool a64_get_branch26(struct a64_insn *o)
{
    o->imm = a64_sbits(o, 25, 0) * 4;
    return true;
}

bool a64_get_branch19(struct a64_insn *o)
{
    o->imm = a64_sbits(o, 23, 5) * 4;
    return true;
}

bool a64_get_bcond(struct a64_insn *o)
{
    o->cond = a64_bits(o, 3, 0);
    return a64_get_branch19(o);
}

/* sf is bit 5 of the bit number: a W register is named for bits 0..31, to the same effect. */
bool a64_get_tbranch(struct a64_insn *o)
{
    o->index = (uint8_t)(o->sf << 5 | a64_bits(o, 23, 19));
    o->imm = a64_sbits(o, 18, 5) * 4;
    return true;
}

bool a64_get_imm16(struct a64_insn *o)
{
    o->imm = a64_bits(o, 20, 5);
    return true;
}

bool a64_get_hint(struct a64_insn *o)
{
    o->imm = a64_bits(o, 11, 5);
    return true;
}

bool a64_get_crm(struct a64_insn *o)
{
    o->imm = a64_bits(o, 11, 8);
    return true;
}

/* op0 of SYS is 1, that of MSR and MRS 2 or 3: bits [20:19] as they stand. */
bool a64_get_sysreg(struct a64_insn *o)
{
    o->sf = 1;
    o->sysreg = (uint16_t)a64_bits(o, 20, 5);
    return true;
}

bool a64_get_logic_shift(struct a64_insn *o)
{
    o->opt = a64_bits(o, 23, 22);
    o->amount = (uint8_t)a64_bits(o, 15, 10);
    return o->sf || o->amount < 32;
}

bool a64_get_addsub_shift(struct a64_insn *o)
{
    return a64_get_logic_shift(o) && o->opt != A64_ROR;
}

bool a64_get_addsub_ext(struct a64_insn *o)
{
    o->opt = (uint8_t)a64_bits(o, 15, 13);
    o->amount = (uint8_t)a64_bits(o, 12, 10);
    return o->amount <= 4;
}

bool a64_get_ccmp(struct a64_insn *o)
{
    o->cond = a64_bits(o, 15, 12);
    o->index = a64_bits(o, 3, 0);
    o->imm = a64_bits(o, 20, 16);
    return true;
}

bool a64_get_rmif(struct a64_insn *o)
{
    o->amount = (uint8_t)a64_bits(o, 20, 15);
    o->index = a64_bits(o, 3, 0);
    return true;
}
