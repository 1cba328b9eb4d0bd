/* Which load or store met a device: by the transformed instruction in htinst, or by the guest's own bytes. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/decode.h"

/* LB LH LW LD LBU LHU LWU, SB SH SW SD by funct3 (Unprivileged 20240411, 2.6). */
enum { OPCODE_LOAD = 0x03, OPCODE_STORE = 0x23 };

static inline uint32_t decode_word(uint32_t insn, unsigned len)
{
    unsigned funct3 = insn >> 12 & 7;

    if ((insn & 0x7f) == OPCODE_LOAD && funct3 != 7)
        return MMIO_INSN(len, 1u << (funct3 & 3), insn >> 7 & 31, 0, funct3 < 4);
    if ((insn & 0x7f) == OPCODE_STORE && funct3 < 4)
        return MMIO_INSN(len, 1u << funct3, insn >> 20 & 31, 1, 0);
    return 0;
}

/* C.LW C.LD C.SW C.SD: x8..x15 and an offset (26.3.2); the others by the tables. */
static inline uint32_t decode_half(uint16_t half)
{
    unsigned funct3 = half >> 13;
    struct rv_insn i;

    if (!(half & 3) && funct3 & 2)
        return MMIO_INSN(2, funct3 & 1 ? 8 : 4, 8 + (half >> 2 & 7), funct3 >> 2, !(funct3 & 4));
    if (!rv_decode(half, &i))
        return 0;
    if (i.id >= RV_SB && i.id <= RV_SD)
        return MMIO_INSN(2, 1u << (rv_insn_descs[i.id].match >> 12 & 3), i.rs2, 1, 0);
    if (i.id >= RV_LB && i.id <= RV_LWU)
        return MMIO_INSN(2, 1u << (rv_insn_descs[i.id].match >> 12 & 3), i.rd, 0,
                         !(rv_insn_descs[i.id].match >> 14 & 1));
    return 0;
}

/* The guest's program as it may execute it: HLVX.HU, HLVX.WU (Priv. 20240411, 18.4.1). False: it may not. */
static inline bool fetch_half(uint64_t va, uint16_t *out)
{
    uint64_t value = 0;

    riscv_expect_begin();
    __asm__ volatile(".option push\n.option norvc\n.insn r 0x73, 4, 0x32, %0, %1, x3\n.option pop"
                     : "+r"(value)
                     : "r"(va)
                     : "memory");
    *out = (uint16_t)value;
    return !riscv_expect_end();
}

static inline bool fetch_word(uint64_t va, uint32_t *out)
{
    uint64_t value = 0;

    riscv_expect_begin();
    __asm__ volatile(".option push\n.option norvc\n.insn r 0x73, 4, 0x34, %0, %1, x3\n.option pop"
                     : "+r"(value)
                     : "r"(va)
                     : "memory");
    *out = (uint32_t)value;
    return !riscv_expect_end();
}

/* A word that crosses into a page of other rights, or that the hart does not read misaligned. */
static uint32_t decode_halves(uint64_t pc)
{
    uint16_t low, high;

    if (!fetch_half(pc, &low))
        return 0;
    if (rv_insn_len(low) == 2)
        return decode_half(low);
    return fetch_half(pc + 2, &high) ? decode_word((uint32_t)high << 16 | low, 4) : 0;
}

/* htinst bit 0 is set in a transformed instruction; bit 1 says whether it was 4 bytes long (18.6.3). */
uint32_t mmio_decode(struct riscv_vcpu *r, uint64_t htinst)
{
    uint32_t word;

    if (htinst & 1)
        return decode_word((uint32_t)htinst | 2, htinst & 2 ? 4 : 2);
    if (htinst)
        return 0;
    if (UNLIKELY(!fetch_word(r->v.pc, &word)))
        return decode_halves(r->v.pc);
    return (word & 3) == 3 ? decode_word(word, 4) : decode_half((uint16_t)word);
}
