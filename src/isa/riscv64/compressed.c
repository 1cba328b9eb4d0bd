/*
 * The 16-bit half of the decoder: RV64C (Unprivileged, chapter 26), expanded to the instructions it stands
 * for.
 */
#include "isa/riscv64/decode.h"

static const struct rv_cinsn_desc rows[] = {
#define RV_CINSN(id, name, mask, match, format, base) {mask, match, RV_FMT_##format, RV_##base, name},
#include "isa/riscv64/insn.def"
};

/* Row numbers at which the groups begin and end, by the enum's own counting. */
enum {
#define RV_CINSN(id, name, mask, match, format, base) POS_##id,
#define RV_CGROUP(quadrant, funct3)                                                                          \
    BEGIN_##quadrant##_##funct3, BEGIN_BACK_##quadrant##_##funct3 = BEGIN_##quadrant##_##funct3 - 1,
#define RV_CGROUP_END(quadrant, funct3)                                                                      \
    END_##quadrant##_##funct3, END_BACK_##quadrant##_##funct3 = END_##quadrant##_##funct3 - 1,
#include "isa/riscv64/insn.def"
    POS_COUNT
};

static const struct {
    uint8_t begin, end;
} groups[3][8] = {
#define RV_CGROUP(quadrant, funct3)                                                                          \
    [quadrant][funct3] = {(uint8_t)BEGIN_##quadrant##_##funct3, (uint8_t)END_##quadrant##_##funct3},
#define RV_CGROUP_END(quadrant, funct3)
#include "isa/riscv64/insn.def"
};

const struct rv_cinsn_desc *rv_compressed_find(uint16_t raw)
{
    unsigned quadrant = raw & 3, funct3 = raw >> 13;

    if (quadrant == 3)
        return NULL;
    for (unsigned i = groups[quadrant][funct3].begin; i < groups[quadrant][funct3].end; i++)
        if ((raw & rows[i].mask) == rows[i].match)
            return rows[i].base == RV_ILLEGAL ? NULL : &rows[i];
    return NULL;
}

/* Bits [hi:lo] of raw, moved to begin at bit `to`. */
static inline uint32_t field(uint16_t raw, unsigned hi, unsigned lo, unsigned to)
{
    return (uint32_t)(raw >> lo & ((1u << (hi - lo + 1)) - 1)) << to;
}

/* The 3-bit register fields name x8..x15 or f8..f15. */
static inline uint8_t short_reg(uint16_t raw, unsigned lo)
{
    return 8 + (raw >> lo & 7);
}

/* The 6 immediate bits [12] and [6:2] that most CI forms share. */
static inline uint32_t imm6(uint16_t raw)
{
    return field(raw, 12, 12, 5) | field(raw, 6, 2, 0);
}

static void extract_arith(uint16_t raw, unsigned format, struct rv_insn *out)
{
    uint8_t wide = raw >> 7 & 31;

    switch (format) {
    case RV_FMT_CI:
        out->rd = out->rs1 = wide;
        out->imm = bits_sext(imm6(raw), 6);
        break;
    case RV_FMT_CI_LI:
        out->rd = wide;
        out->imm = bits_sext(imm6(raw), 6);
        break;
    case RV_FMT_CI_LUI:
        out->rd = wide;
        out->imm = bits_sext((uint64_t)imm6(raw) << 12, 18);
        break;
    case RV_FMT_CI_SLLI:
        out->rd = out->rs1 = wide;
        out->imm = imm6(raw);
        break;
    case RV_FMT_CB_SHIFT:
        out->rd = out->rs1 = short_reg(raw, 7);
        out->imm = imm6(raw);
        break;
    case RV_FMT_CB_ANDI:
        out->rd = out->rs1 = short_reg(raw, 7);
        out->imm = bits_sext(imm6(raw), 6);
        break;
    case RV_FMT_CA:
        out->rd = out->rs1 = short_reg(raw, 7);
        out->rs2 = short_reg(raw, 2);
        break;
    case RV_FMT_CR_MV: /* add rd, x0, rs2 */
        out->rd = wide;
        out->rs2 = raw >> 2 & 31;
        break;
    case RV_FMT_CR_ADD:
        out->rd = out->rs1 = wide;
        out->rs2 = raw >> 2 & 31;
        break;
    }
}

/* The forms whose base register is sp. */
static void extract_sp(uint16_t raw, unsigned format, struct rv_insn *out)
{
    out->rs1 = 2;
    switch (format) {
    case RV_FMT_CIW:
        out->rd = short_reg(raw, 2);
        out->imm = field(raw, 12, 11, 4) | field(raw, 10, 7, 6) | field(raw, 6, 6, 2) | field(raw, 5, 5, 3);
        break;
    case RV_FMT_CI_16SP:
        out->rd = 2;
        out->imm = bits_sext(field(raw, 12, 12, 9) | field(raw, 6, 6, 4) | field(raw, 5, 5, 6) |
                                 field(raw, 4, 3, 7) | field(raw, 2, 2, 5),
                             10);
        break;
    case RV_FMT_CI_LWSP:
        out->rd = raw >> 7 & 31;
        out->imm = field(raw, 12, 12, 5) | field(raw, 6, 4, 2) | field(raw, 3, 2, 6);
        break;
    case RV_FMT_CI_LDSP:
    case RV_FMT_CI_FLDSP:
        out->rd = raw >> 7 & 31;
        out->imm = field(raw, 12, 12, 5) | field(raw, 6, 5, 3) | field(raw, 4, 2, 6);
        break;
    case RV_FMT_CSS_SWSP:
        out->rs2 = raw >> 2 & 31;
        out->imm = field(raw, 12, 9, 2) | field(raw, 8, 7, 6);
        break;
    case RV_FMT_CSS_SDSP:
    case RV_FMT_CSS_FSDSP:
        out->rs2 = raw >> 2 & 31;
        out->imm = field(raw, 12, 10, 3) | field(raw, 9, 7, 6);
        break;
    }
}

static void extract_memory(uint16_t raw, unsigned format, struct rv_insn *out)
{
    out->rs1 = short_reg(raw, 7);
    out->imm = field(raw, 12, 10, 3);
    if (format == RV_FMT_CL_W || format == RV_FMT_CS_W)
        out->imm |= field(raw, 6, 6, 2) | field(raw, 5, 5, 6);
    else
        out->imm |= field(raw, 6, 5, 6);
    if (format == RV_FMT_CL_W || format == RV_FMT_CL_D || format == RV_FMT_CFL_D)
        out->rd = short_reg(raw, 2);
    else
        out->rs2 = short_reg(raw, 2);
}

static void extract_jump(uint16_t raw, unsigned format, struct rv_insn *out)
{
    switch (format) {
    case RV_FMT_CJ: /* jal x0 */
        out->imm = bits_sext(field(raw, 12, 12, 11) | field(raw, 11, 11, 4) | field(raw, 10, 9, 8) |
                                 field(raw, 8, 8, 10) | field(raw, 7, 7, 6) | field(raw, 6, 6, 7) |
                                 field(raw, 5, 3, 1) | field(raw, 2, 2, 5),
                             12);
        break;
    case RV_FMT_CB: /* against x0 */
        out->rs1 = short_reg(raw, 7);
        out->imm = bits_sext(field(raw, 12, 12, 8) | field(raw, 11, 10, 3) | field(raw, 6, 5, 6) |
                                 field(raw, 4, 3, 1) | field(raw, 2, 2, 5),
                             9);
        break;
    case RV_FMT_CR_JALR:
        out->rd = 1;
        out->rs1 = raw >> 7 & 31;
        break;
    case RV_FMT_CR_JR:
        out->rs1 = raw >> 7 & 31;
        break;
    }
}

/* Which function extracts a format; none: it has no operands. */
static void (*const extractors[RV_FMT_COUNT])(uint16_t, unsigned, struct rv_insn *) = {
    [RV_FMT_CI] = extract_arith,      [RV_FMT_CI_LI] = extract_arith,    [RV_FMT_CI_LUI] = extract_arith,
    [RV_FMT_CI_SLLI] = extract_arith, [RV_FMT_CB_SHIFT] = extract_arith, [RV_FMT_CB_ANDI] = extract_arith,
    [RV_FMT_CA] = extract_arith,      [RV_FMT_CR_MV] = extract_arith,    [RV_FMT_CR_ADD] = extract_arith,
    [RV_FMT_CIW] = extract_sp,        [RV_FMT_CI_16SP] = extract_sp,     [RV_FMT_CI_LWSP] = extract_sp,
    [RV_FMT_CI_LDSP] = extract_sp,    [RV_FMT_CI_FLDSP] = extract_sp,    [RV_FMT_CSS_SWSP] = extract_sp,
    [RV_FMT_CSS_SDSP] = extract_sp,   [RV_FMT_CSS_FSDSP] = extract_sp,   [RV_FMT_CL_W] = extract_memory,
    [RV_FMT_CL_D] = extract_memory,   [RV_FMT_CFL_D] = extract_memory,   [RV_FMT_CS_W] = extract_memory,
    [RV_FMT_CS_D] = extract_memory,   [RV_FMT_CFS_D] = extract_memory,   [RV_FMT_CJ] = extract_jump,
    [RV_FMT_CB] = extract_jump,       [RV_FMT_CR_JR] = extract_jump,     [RV_FMT_CR_JALR] = extract_jump,
};

bool rv_decode_compressed(uint16_t raw, struct rv_insn *out)
{
    const struct rv_cinsn_desc *row = rv_compressed_find(raw);

    if (!row)
        return false;
    out->id = row->base;
    if (extractors[row->format])
        extractors[row->format](raw, row->format, out);
    return true;
}
