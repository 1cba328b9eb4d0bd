/*
 * The 32-bit decoder: major opcode and one further field choose a bucket, a few rows of insn.def, of which
 * the first that matches wins.
 */
#include "isa/riscv64/decode.h"

const struct rv_insn_desc rv_insn_descs[RV_ID_COUNT] = {
    [RV_ILLEGAL] = {0, 1, RV_FMT_NONE, RV_EXT_I, "illegal"},
#define RV_INSN(id, name, mask, match, format, ext)                                                          \
    [RV_##id] = {mask, match, RV_FMT_##format, RV_EXT_##ext, name},
#include "isa/riscv64/insn.def"
};

const char *const rv_ext_names[RV_EXT_COUNT] = {
#define RV_EXT(id, name) [RV_EXT_##id] = name,
#include "isa/riscv64/ext.def"
};

/* What a row's lookup needs, apart from the names so that the rows of a bucket share a cache line. */
struct pattern {
    uint32_t mask, match;
};

static const struct pattern patterns[RV_ID_COUNT] = {
    [RV_ILLEGAL] = {0, 1},
#define RV_INSN(id, name, mask, match, format, ext) [RV_##id] = {mask, match},
#include "isa/riscv64/insn.def"
};

static const uint8_t formats[RV_ID_COUNT] = {
#define RV_INSN(id, name, mask, match, format, ext) [RV_##id] = RV_FMT_##format,
#include "isa/riscv64/insn.def"
};

/* Major opcodes (Unprivileged, "RV32/64G Instruction Set Listings"): name, bits [6:2], and the field that is
 * the key of its buckets. */
#define RV_OPCODES(X)                                                                                        \
    X(LOAD, 0x00, 12, 3)                                                                                     \
    X(LOAD_FP, 0x01, 12, 3)                                                                                  \
    X(MISC_MEM, 0x03, 12, 3)                                                                                 \
    X(OP_IMM, 0x04, 12, 3)                                                                                   \
    X(AUIPC, 0x05, 0, 0)                                                                                     \
    X(OP_IMM_32, 0x06, 12, 3)                                                                                \
    X(STORE, 0x08, 12, 3)                                                                                    \
    X(STORE_FP, 0x09, 12, 3)                                                                                 \
    X(AMO, 0x0b, 27, 5)                                                                                      \
    X(OP, 0x0c, 12, 3)                                                                                       \
    X(LUI, 0x0d, 0, 0)                                                                                       \
    X(OP_32, 0x0e, 12, 3)                                                                                    \
    X(MADD, 0x10, 25, 2)                                                                                     \
    X(MSUB, 0x11, 25, 2)                                                                                     \
    X(NMSUB, 0x12, 25, 2)                                                                                    \
    X(NMADD, 0x13, 25, 2)                                                                                    \
    X(OP_FP, 0x14, 25, 7)                                                                                    \
    X(BRANCH, 0x18, 12, 3)                                                                                   \
    X(JALR, 0x19, 12, 3)                                                                                     \
    X(JAL, 0x1b, 0, 0)                                                                                       \
    X(SYSTEM, 0x1c, 12, 3)

/* Where each opcode's buckets begin; bucket 0 is empty and serves the opcodes that have none. */
enum {
    BUCKET_EMPTY,
#define BASE(name, opcode, shift, bits) BASE_##name, LAST_##name = BASE_##name + (1 << (bits)) - 1,
    RV_OPCODES(BASE)
#undef BASE
        BUCKET_COUNT
};

static const struct {
    uint16_t base;
    uint8_t shift, mask;
} opcodes[32] = {
#define OPCODE(name, opcode, shift, bits) [opcode] = {BASE_##name, shift, (1 << (bits)) - 1},
    RV_OPCODES(OPCODE)
#undef OPCODE
};

/* The ids at which each group begins and ends. The enum's own counting supplies them: see the `- 1`. */
enum {
    POS_ILLEGAL,
#define RV_INSN(id, name, mask, match, format, ext) POS_##id,
#define RV_GROUP(opcode, key)                                                                                \
    BEGIN_##opcode##_##key, BEGIN_BACK_##opcode##_##key = BEGIN_##opcode##_##key - 1,
#define RV_GROUP_END(opcode, key) END_##opcode##_##key, END_BACK_##opcode##_##key = END_##opcode##_##key - 1,
#include "isa/riscv64/insn.def"
    POS_COUNT
};

static const struct {
    uint16_t begin, end;
} buckets[BUCKET_COUNT] = {
#define RV_GROUP(opcode, key)                                                                                \
    [BASE_##opcode + (key)] = {(uint16_t)BEGIN_##opcode##_##key, (uint16_t)END_##opcode##_##key},
#define RV_GROUP_END(opcode, key)
#include "isa/riscv64/insn.def"
};

static unsigned find(uint32_t raw)
{
    unsigned op = raw >> 2 & 31;
    unsigned bucket = opcodes[op].base + (raw >> opcodes[op].shift & opcodes[op].mask);

    for (unsigned id = buckets[bucket].begin; id < buckets[bucket].end; id++)
        if ((raw & patterns[id].mask) == patterns[id].match)
            return id;
    return RV_ILLEGAL;
}

/* Register fields of a 32-bit instruction, as masks over its bits. */
enum {
    F_RD = 0x1f << 7,
    F_RM = 0x7 << 12,
    F_RS1 = 0x1f << 15,
    F_RS2 = 0x1f << 20,
    F_AQRL = 0x3 << 25,
};
#define F_RS3 (UINT32_C(0x1f) << 27)

enum imm { IMM_NONE, IMM_I, IMM_SHIFT, IMM_S, IMM_B, IMM_U, IMM_J, IMM_CSR, IMM_CSRI, IMM_FENCE };

static const struct {
    uint32_t fields;
    uint8_t imm;
} layouts[RV_FMT_COUNT] = {
#define RV_FORMAT(id, fields, imm, operands) [RV_FMT_##id] = {fields, IMM_##imm},
#include "isa/riscv64/format.def"
};

/* Unprivileged, 2.3: all immediates but zimm are sign-extended from bit 31. */
static int64_t imm_get(enum imm kind, uint32_t raw)
{
    int32_t s = (int32_t)raw;

    switch (kind) {
    case IMM_I:
        return s >> 20;
    case IMM_SHIFT: /* the row's mask has already judged bit 25 */
        return raw >> 20 & 0x3f;
    case IMM_S:
        return (s >> 25) * 32 | (int32_t)(raw >> 7 & 0x1f);
    case IMM_B:
        return (s >> 31) * 0x1000 | (int32_t)((raw << 4 & 0x800) | (raw >> 20 & 0x7e0) | (raw >> 7 & 0x1e));
    case IMM_U:
        return (int32_t)(raw & 0xfffff000);
    case IMM_J:
        return (s >> 31) * 0x100000 | (int32_t)((raw & 0xff000) | (raw >> 9 & 0x800) | (raw >> 20 & 0x7fe));
    case IMM_CSRI:
        return raw >> 15 & 0x1f;
    case IMM_FENCE:
        return raw >> 20;
    default:
        return 0;
    }
}

bool rv_decode(uint32_t raw, struct rv_insn *out)
{
    *out = (struct rv_insn){.len = 4, .raw = raw};
    if ((raw & 3) != 3) {
        out->len = 2;
        out->raw = raw & 0xffff;
        return rv_decode_compressed((uint16_t)raw, out);
    }

    unsigned id = find(raw);
    if (id == RV_ILLEGAL)
        return false;

    unsigned format = formats[id];
    uint32_t fields = raw & layouts[format].fields;
    out->id = (uint16_t)id;
    out->rd = fields >> 7 & 31;
    out->rm = fields >> 12 & 7;
    out->rs1 = fields >> 15 & 31;
    out->rs2 = fields >> 20 & 31;
    out->aqrl = fields >> 25 & 3;
    out->rs3 = fields >> 27;
    out->csr = layouts[format].imm == IMM_CSR || layouts[format].imm == IMM_CSRI ? raw >> 20 : 0;
    out->imm = imm_get(layouts[format].imm, raw);
    return true;
}
