/* Which load or store met a device: by the transformed instruction in htinst, or by the guest's own bytes. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/decode.h"

/* LB LH LW LD LBU LHU LWU, SB SH SW SD by funct3 (Unprivileged 20240411, 2.6). */
enum { OPCODE_LOAD = 0x03, OPCODE_STORE = 0x23 };
/* FLH FLW FLD, FSH FSW FSD by funct3 1 to 3 (20.5, 21.3, 22.1). */
enum { OPCODE_LOAD_FP = 0x07, OPCODE_STORE_FP = 0x27 };

/* x8, x9, x18..x27 are s registers, which C keeps; x3 (gp) is none of C's. */
#define S_REGISTERS 0x0ffc0308u

static bool fill(struct mmio_op *op, unsigned len, unsigned size_log, unsigned reg, bool write, bool sext)
{
    op->len = (uint8_t)len;
    op->size = (uint8_t)(1u << size_log);
    op->shift = (uint8_t)(64 - 8 * op->size);
    op->at = (uint16_t)(offsetof(struct riscv_vcpu, x) + 8 * reg);
    op->zero = !reg;
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

/* HLVX.HU: half a word of the guest's program as it may execute it. False: it may not. */
static bool fetch_half(uint64_t va, uint32_t *out)
{
    uint64_t value = 0, trapped;

    __asm__ volatile(RISCV_TRY(".insn r 0x73, 4, 0x32, %0, %2, x3", "%1")
                     : "+r"(value), "=&r"(trapped)
                     : "r"(va)
                     : "memory");
    *out = (uint32_t)value;
    return !trapped;
}

static bool decode(struct mmio_op *op, uint32_t word)
{
    return (word & 3) == 3 ? decode_word(op, word, 4) : decode_half(op, (uint16_t)word);
}

uint32_t mmio_fetch(uint64_t pc)
{
    uint32_t low, high = 0;

    if (!fetch_half(pc, &low) || (rv_insn_len((uint16_t)low) == 4 && !fetch_half(pc + 2, &high)))
        return 0;
    return high << 16 | low;
}

/* htinst bit 0 is set in a transformed instruction; bit 1 says whether it was 4 bytes long (18.6.3). */
const struct mmio_op *mmio_decode_new(struct bare_vcpu *b, uint32_t word, uint64_t htinst)
{
    struct mmio_op *op;
    bool ok;

    /* Across into a page of other rights, or not aligned for this hart: by halves. */
    if (!word && !(word = mmio_fetch(b->r->v.pc)))
        return NULL;
    op = mmio_op_of(b, word);
    if (op->insn == word)
        return op;
    ok = htinst ? htinst & 1 && decode_word(op, word | 2, htinst & 2 ? 4 : 2) : decode(op, word);
    op->insn = ok ? word : 0;
    return ok ? op : NULL;
}

/* ---- f registers: seldom, so what others need not pay for ---- */

static bool fill_fp(struct mmio_op *op, unsigned len, unsigned size_log, unsigned reg, bool write)
{
    fill(op, len, size_log, 0, write, false);
    op->at = (uint16_t)(offsetof(struct riscv_vcpu, f) + 8 * reg);
    op->zero = false;
    op->fp = true;
    return true;
}

static bool decode_fp(struct mmio_op *op, uint32_t insn, unsigned len)
{
    unsigned funct3 = insn >> 12 & 7;

    if (!funct3 || funct3 > 3)
        return false;
    if ((insn & 0x7f) == OPCODE_LOAD_FP)
        return fill_fp(op, len, funct3, insn >> 7 & 31, false);
    if ((insn & 0x7f) == OPCODE_STORE_FP)
        return fill_fp(op, len, funct3, insn >> 20 & 31, true);
    return false;
}

/* C.FLD, C.FSD and those by sp expand to FLD and FSD. */
static bool decode_fp_half(struct mmio_op *op, uint16_t half)
{
    struct rv_insn i;

    if (!rv_decode(half, &i) || (i.id != RV_FLD && i.id != RV_FSD))
        return false;
    return i.id == RV_FSD ? fill_fp(op, 2, 3, i.rs2, true) : fill_fp(op, 2, 3, i.rd, false);
}

const struct mmio_op *mmio_decode_any(struct bare_vcpu *b, uint64_t htinst, struct mmio_op *fp)
{
    const struct mmio_op *op = mmio_decode(b, b->r->v.pc, htinst);
    uint32_t word;
    bool ok;

    if (op)
        return op;
    word = htinst ? (uint32_t)htinst : mmio_fetch(b->r->v.pc);
    if (htinst)
        ok = htinst & 1 && decode_fp(fp, word | 2, htinst & 2 ? 4 : 2);
    else
        ok = (word & 3) == 3 ? decode_fp(fp, word, 4) : decode_fp_half(fp, (uint16_t)word);
    return ok ? fp : NULL;
}
