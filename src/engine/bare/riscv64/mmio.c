/* Which load or store met a device: by the transformed instruction in htinst, or by the guest's own bytes. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/decode.h"

/* LB LH LW LD LBU LHU LWU by funct3 (Unprivileged 20240411, 2.6). */
enum { OPCODE_LOAD = 0x03, OPCODE_STORE = 0x23 };

static bool decode_load_store(uint32_t insn, struct mmio_insn *out)
{
    unsigned funct3 = insn >> 12 & 7;

    if ((insn & 0x7f) == OPCODE_LOAD && funct3 != 7) {
        out->write = false;
        out->reg = insn >> 7 & 31;
        out->sext = funct3 < 4;
    } else if ((insn & 0x7f) == OPCODE_STORE && funct3 < 4) {
        out->write = true;
        out->reg = insn >> 20 & 31;
    } else {
        return false;
    }
    out->size = (uint8_t)(1u << (funct3 & 3));
    return true;
}

/* Two bytes of the guest's program, as it may execute them: HLVX.HU (Priv. 20240411, 18.4.1). */
static bool fetch_half(uint64_t va, uint16_t *out)
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

/* C.LW C.LD C.SW C.SD: x8..x15 and an offset (Unprivileged 20240411, 26.3.2). */
static bool decode_compressed(uint16_t insn, struct mmio_insn *out)
{
    unsigned funct3 = insn >> 13;

    if (insn & 3 || !(funct3 & 2))
        return false;
    out->write = funct3 & 4;
    out->size = funct3 & 1 ? 8 : 4;
    out->reg = 8 + (insn >> 2 & 7);
    out->sext = true;
    return true;
}

static bool decode_rare(uint32_t raw, struct mmio_insn *out)
{
    struct rv_insn insn;

    if (!rv_decode(raw, &insn))
        return false;
    out->write = insn.id >= RV_SB && insn.id <= RV_SD;
    if (!out->write && (insn.id < RV_LB || insn.id > RV_LWU))
        return false;
    out->reg = out->write ? insn.rs2 : insn.rd;
    out->size = (uint8_t)(1u << (rv_insn_descs[insn.id].match >> 12 & 3));
    out->sext = insn.id == RV_LB || insn.id == RV_LH || insn.id == RV_LW || insn.id == RV_LD;
    return true;
}

static bool decode_bytes(struct riscv_vcpu *r, struct mmio_insn *out)
{
    uint16_t half[2] = {0, 0};

    if (!fetch_half(r->v.pc, &half[0]))
        return false;
    out->len = (uint8_t)rv_insn_len(half[0]);
    if (out->len == 2)
        return decode_compressed(half[0], out) || decode_rare(half[0], out);
    if (!fetch_half(r->v.pc + 2, &half[1]))
        return false;
    return decode_load_store((uint32_t)half[1] << 16 | half[0], out);
}

/* htinst bit 0 is set in a transformed instruction; bit 1 says whether it was 4 bytes long (18.6.3). */
bool mmio_decode(struct riscv_vcpu *r, uint64_t htinst, struct mmio_insn *out)
{
    if (htinst & 1) {
        out->len = htinst & 2 ? 4 : 2;
        return decode_load_store((uint32_t)htinst | 2, out);
    }
    return htinst == 0 && decode_bytes(r, out);
}
