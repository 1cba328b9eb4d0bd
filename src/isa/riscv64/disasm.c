/*
 * The disassembler: an interpreter of the operand strings of format.def.
 */
#include "isa/riscv64/disasm.h"
#include "isa/riscv64/csr.h"
#include "isa/riscv64/fp.h"
#include "isa/riscv64/regs.h"
#include "lib/fmt.h"

static const char *const operand_strings[RV_FMT_COUNT] = {
#define RV_FORMAT(id, fields, imm, operands) [RV_FMT_##id] = operands,
#define RV_CFORMAT(id, operands)             [RV_FMT_##id] = operands,
#include "isa/riscv64/format.def"
};

/* fm = TSO, predecessors and successors rw (Unprivileged, 2.7): a mnemonic of its own. */
#define FENCE_TSO 0x833

/* Text being built: len counts what did not fit too. */
struct text {
    char *buf;
    size_t size, len;
};

static void put(struct text *t, const char *s)
{
    for (; *s; s++, t->len++) {
        if (t->len + 1 >= t->size)
            continue;
        t->buf[t->len] = *s;
        t->buf[t->len + 1] = 0;
    }
}

static void put_hex(struct text *t, uint64_t value)
{
    char number[24];

    fmt_snprintf(number, sizeof(number), "0x%llx", (unsigned long long)value);
    put(t, number);
}

static void put_dec(struct text *t, int64_t value)
{
    char number[24];

    fmt_snprintf(number, sizeof(number), "%lld", (long long)value);
    put(t, number);
}

static void put_fence_set(struct text *t, unsigned set)
{
    char letters[5];
    unsigned n = 0;

    for (unsigned i = 0; i < 4; i++)
        if (set & (8u >> i))
            letters[n++] = "iorw"[i];
    letters[n] = 0;
    put(t, n ? letters : "unknown"); /* the assembler's word for the empty set */
}

static void put_csr(struct text *t, unsigned csr)
{
    const char *name = rv_csr_name(csr);

    if (name)
        put(t, name);
    else
        put_hex(t, csr);
}

static const char *const rounding_names[8] = {",rne", ",rtz",     ",rdn",     ",rup",
                                              ",rmm", ",unknown", ",unknown", ",dyn"};

/* The mode an assembler takes when none is written stays unwritten. */
static void put_rounding(struct text *t, unsigned rm, enum rv_rm unwritten)
{
    if (rm != unwritten)
        put(t, rounding_names[rm & 7]);
}

static void put_operand(struct text *t, char letter, const struct rv_insn *insn, uint64_t pc)
{
    switch (letter) {
    case 'd':
        return put(t, rv_reg_names[insn->rd & 31]);
    case 's':
        return put(t, rv_reg_names[insn->rs1 & 31]);
    case 't':
        return put(t, rv_reg_names[insn->rs2 & 31]);
    case 'D':
        return put(t, rv_freg_names[insn->rd & 31]);
    case 'S':
        return put(t, rv_freg_names[insn->rs1 & 31]);
    case 'T':
        return put(t, rv_freg_names[insn->rs2 & 31]);
    case 'R':
        return put(t, rv_freg_names[insn->rs3 & 31]);
    case 'i':
    case 'z':
        return put_dec(t, insn->imm);
    case 'x':
        return put_hex(t, (uint64_t)insn->imm);
    case 'u':
        return put_hex(t, (uint64_t)insn->imm >> 12 & 0xfffff);
    case 'a':
        return put_hex(t, pc + (uint64_t)insn->imm);
    case 'c':
        return put_csr(t, insn->csr);
    case 'm':
        return put_rounding(t, insn->rm, RV_RM_DYN);
    case 'M':
        return put_rounding(t, insn->rm, RV_RM_RNE);
    case 'P':
        return put_fence_set(t, insn->imm >> 4 & 15);
    case 'Q':
        return put_fence_set(t, insn->imm & 15);
    default:
        return put(t, (const char[]){letter, 0});
    }
}

static void put_mnemonic(struct text *t, const struct rv_insn *insn, const char *name)
{
    static const char *const order[4] = {"", ".rl", ".aq", ".aqrl"};

    put(t, name);
    put(t, order[insn->aqrl & 3]);
}

static int print(char *buf, size_t n, const struct rv_insn *insn, uint64_t pc, const char *name,
                 unsigned format)
{
    struct text t = {buf, n, 0};
    const char *operands = operand_strings[format];

    if (n)
        buf[0] = 0;
    if (insn->id == RV_ILLEGAL) {
        put(&t, insn->len == 2 ? ".2byte " : ".4byte ");
        put_hex(&t, insn->raw);
        return (int)t.len;
    }
    put_mnemonic(&t, insn, name);
    if (*operands)
        put(&t, " ");
    for (; *operands; operands++)
        put_operand(&t, *operands, insn, pc);
    return (int)t.len;
}

int rv_disasm(char *buf, size_t n, const struct rv_insn *insn, uint64_t pc)
{
    const struct rv_insn_desc *desc = &rv_insn_descs[insn->id < RV_ID_COUNT ? insn->id : RV_ILLEGAL];

    if (insn->id == RV_FENCE && insn->imm == FENCE_TSO)
        return print(buf, n, insn, pc, "fence.tso", RV_FMT_NONE);
    return print(buf, n, insn, pc, desc->name, desc->format);
}

int rv_disasm_encoded(char *buf, size_t n, const struct rv_insn *insn, uint64_t pc)
{
    const struct rv_cinsn_desc *row = insn->len == 2 ? rv_compressed_find((uint16_t)insn->raw) : NULL;

    if (!row)
        return rv_disasm(buf, n, insn, pc);
    return print(buf, n, insn, pc, row->name, row->format);
}
