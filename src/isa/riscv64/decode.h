/*
 * RISC-V instruction decoding: raw bits -> id and operands. 16-bit instructions decode to the 32-bit
 * instruction they stand for, with len 2. Pure functions over constant tables.
 */
#ifndef CV_ISA_RISCV64_DECODE_H
#define CV_ISA_RISCV64_DECODE_H

#include "lib/base.h"

enum rv_id {
    RV_ILLEGAL,
#define RV_INSN(id, name, mask, match, format, ext) RV_##id,
#include "isa/riscv64/insn.def"
    RV_ID_COUNT
};

enum rv_ext {
#define RV_EXT(id, name) RV_EXT_##id,
#include "isa/riscv64/ext.def"
    RV_EXT_COUNT
};

enum rv_format {
#define RV_FORMAT(id, fields, imm, operands) RV_FMT_##id,
#define RV_CFORMAT(id, operands)             RV_FMT_##id,
#include "isa/riscv64/format.def"
    RV_FMT_COUNT
};

/* A decoded instruction; fields its format does not use are 0. */
struct rv_insn {
    uint16_t id;               /* enum rv_id */
    uint8_t len;               /* bytes: 2 or 4 */
    uint8_t rd, rs1, rs2, rs3; /* register numbers, integer or FP as the format says */
    uint8_t rm;                /* rounding mode field, 7 = dynamic; 5 and 6 are reserved, but decode */
    uint8_t aqrl;              /* RV_AQ | RV_RL */
    uint16_t csr;              /* CSR number */
    int64_t imm;               /* sign-extended and scaled; U: bits [31:12] in place; CSR*I: 0..31; FENCE: the
                                  12 bits fm, pred, succ; shifts: the amount */
    uint32_t raw;              /* the instruction's own bits, 16-bit ones zero-extended */
};

enum { RV_RL = 1, RV_AQ = 2 };

/* What the tables say of one id (RV_ILLEGAL has a row too). */
struct rv_insn_desc {
    uint32_t mask, match;
    uint8_t format;   /* enum rv_format */
    uint8_t ext;      /* enum rv_ext */
    const char *name; /* mnemonic without .aq .rl */
};

extern const struct rv_insn_desc rv_insn_descs[RV_ID_COUNT];
extern const char *const rv_ext_names[RV_EXT_COUNT];

/* One 16-bit form. */
struct rv_cinsn_desc {
    uint16_t mask, match;
    uint8_t format; /* enum rv_format */
    uint16_t base;  /* enum rv_id of the expansion, RV_ILLEGAL for a reserved encoding */
    const char *name;
};

/* Bytes of the instruction that begins with these 16 bits; longer ones than 4 are not supported and illegal.
 */
static inline unsigned rv_insn_len(uint16_t first)
{
    return (first & 3) == 3 ? 4 : 2;
}

/*
 * Decodes the instruction in the low bits of raw (bits [31:16] are ignored for a 16-bit one). False: illegal,
 * reserved or not in the tables; *out then holds id RV_ILLEGAL, len and raw, the rest 0.
 */
bool rv_decode(uint32_t raw, struct rv_insn *out);

/* The 16-bit half of rv_decode(): id, operands; len and raw are the caller's. For rv_decode() and the tests.
 */
bool rv_decode_compressed(uint16_t raw, struct rv_insn *out);

/* The row that matches a 16-bit encoding (raw[1:0] != 3), or NULL: illegal. */
const struct rv_cinsn_desc *rv_compressed_find(uint16_t raw);

#endif
