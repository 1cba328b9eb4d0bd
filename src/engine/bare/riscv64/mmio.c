/* Which load or store met a device: by the transformed instruction in htinst, or by the guest's own bytes. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/decode.h"

/* LB LH LW LD LBU LHU LWU, SB SH SW SD by funct3 (Unprivileged 20240411, 2.6). */
enum { OPCODE_LOAD = 0x03, OPCODE_STORE = 0x23 };

/* x8, x9, x18..x27 are s registers, which C keeps; x3 (gp) is none of C's. */
#define S_REGISTERS 0x0ffc0308u

static bool fill(struct mmio_op *op, unsigned len, unsigned size_log, unsigned reg, bool write, bool sext)
{
    op->len = (uint8_t)len;
    op->size = (uint8_t)(1u << size_log);
    op->shift = (uint8_t)(64 - 8 * op->size);
    op->reg = (uint8_t)reg;
    op->write = write;
    op->sext = sext;
    op->back = !write && S_REGISTERS >> reg & 1 ? BARE_BACK_ALL : BARE_BACK;
    return true;
}

static bool decode_word(struct mmio_op *op, uint32_t insn, unsigned len)
{
    unsigned funct3 = insn >> 12 & 7;

    if ((insn & 0x7f) == OPCODE_LOAD && funct3 != 7)
        return fill(op, len, funct3 & 3, insn >> 7 & 31, false, funct3 < 4);
    if ((insn & 0x7f) == OPCODE_STORE && funct3 < 4)
        return fill(op, len, funct3, insn >> 20 & 31, true, false);
    return false;
}

/* A compressed one expands to one of the same sizes. */
static bool decode_half(struct mmio_op *op, uint16_t half)
{
    struct rv_insn i;
    unsigned funct3;

    if (!rv_decode(half, &i))
        return false;
    funct3 = rv_insn_descs[i.id].match >> 12 & 7;
    if (i.id >= RV_SB && i.id <= RV_SD)
        return fill(op, 2, funct3, i.rs2, true, false);
    if (i.id >= RV_LB && i.id <= RV_LWU)
        return fill(op, 2, funct3 & 3, i.rd, false, funct3 < 4);
    return false;
}

#define HLVX(funct7, value, va)                                                                              \
    __asm__ volatile(".option push\n.option norvc\n.insn r 0x73, 4, " #funct7 ", %0, %1, x3\n.option pop"    \
                     : "+r"(value)                                                                           \
                     : "r"(va)                                                                               \
                     : "memory")

/* The guest's program as it may execute it: HLVX.WU, HLVX.HU (Priv. 20240411, 18.4.1). False: it may not. */
static inline bool fetch(uint64_t va, bool word, uint32_t *out)
{
    uint64_t value = 0;

    riscv_expect_begin();
    if (word)
        HLVX(0x34, value, va);
    else
        HLVX(0x32, value, va);
    *out = (uint32_t)value;
    return !riscv_expect_end();
}

static bool decode(struct mmio_op *op, uint32_t word)
{
    return (word & 3) == 3 ? decode_word(op, word, 4) : decode_half(op, (uint16_t)word);
}

/* A word that crosses into a page of other rights, or that the hart does not read misaligned. */
static bool fetch_halves(uint64_t pc, uint32_t *out)
{
    uint32_t low, high = 0;

    if (!fetch(pc, false, &low) || (rv_insn_len((uint16_t)low) == 4 && !fetch(pc + 2, false, &high)))
        return false;
    *out = high << 16 | low;
    return true;
}

/* htinst bit 0 is set in a transformed instruction; bit 1 says whether it was 4 bytes long (18.6.3). */
static __attribute__((noinline)) const struct mmio_op *decode_new(struct bare_vcpu *b, struct mmio_op *op,
                                                                  uint64_t htinst, uint32_t word)
{
    bool ok =
        htinst ? htinst & 1 && decode_word(op, (uint32_t)htinst | 2, htinst & 2 ? 4 : 2) : decode(op, word);

    op->counter = &b->exits[op->write ? BARE_MMIO_WRITE : BARE_MMIO_READ];
    op->insn = ok ? (htinst ? (uint32_t)htinst : word) : 0;
    return ok ? op : NULL;
}

const struct mmio_op *mmio_decode(struct bare_vcpu *b, uint64_t htinst)
{
    uint32_t word = (uint32_t)htinst;
    struct mmio_op *op;

    if (!htinst && UNLIKELY(!fetch(b->r->v.pc, true, &word)) && !fetch_halves(b->r->v.pc, &word))
        return NULL;
    op = &b->op[(word >> 7 ^ word >> 12) % MMIO_OPS];
    if (LIKELY(op->insn == word))
        return op;
    return decode_new(b, op, htinst, word);
}
