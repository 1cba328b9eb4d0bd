/* The verifier: what every unit must satisfy before anything executes or rewrites it. */
#include "ir/ir.h"
#include "lib/err.h"
#include "lib/fmt.h"

struct check {
    const struct ir_unit *u;
    const struct ir_block *block;
    unsigned at;
    char *why;
    size_t why_size;
};

static int fail(const struct check *c, const char *what)
{
    fmt_snprintf(c->why, c->why_size, "operation %u (%s): %s", c->at,
                 c->at < c->u->op_count && c->u->ops[c->at].op < IR_OPS ? ir_opinfo[c->u->ops[c->at].op].name
                                                                        : "?",
                 what);
    return -EINVAL;
}

static bool type_fits(char letter, enum ir_type type, enum ir_type own)
{
    switch (letter) {
    case 't':
        return type == own;
    case 'i':
        return type == IRT_I64;
    case 'w':
        return type == IRT_I32;
    case 'f':
        return type == IRT_FLAGS;
    case 'v':
        return type == IRT_V128;
    case 'q':
        return type == IRT_I128;
    case 'd':
        return type == IRT_F64;
    case '*':
        return type != IRT_NONE && type != IRT_FLAGS;
    default:
        return false;
    }
}

static int check_operands(const struct check *c, const struct ir_op *op)
{
    const char *sig = ir_opinfo[op->op].sig + 2;
    const ir_ref refs[3] = {op->a, op->b, op->c};
    unsigned n = ir_operands(op);

    for (unsigned i = 0; i < 3; i++) {
        ir_ref r = refs[i];

        if (r == IR_REF_NONE && (i >= n || op->op == IR_CALL))
            continue;
        if (i >= n)
            return fail(c, "more operands than its signature");
        if (r == IR_REF_NONE)
            return fail(c, "an operand is missing");
        if (r < c->block->first || r >= c->at)
            return fail(c, "an operand is not defined before it in its block");
        if (!type_fits(sig[i], ir_result_type(&c->u->ops[r]), (enum ir_type)op->type))
            return fail(c, "an operand has the wrong type");
    }
    return 0;
}

/* ---- types, aux and imm by group ---- */

static bool is_int(unsigned type)
{
    return type == IRT_I32 || type == IRT_I64;
}

static bool is_float(unsigned type)
{
    return type == IRT_F16 || type == IRT_F32 || type == IRT_F64;
}

static unsigned type_bits(unsigned type)
{
    return ir_type_size((enum ir_type)type) * 8;
}

static const char *check_memory(const struct ir_op *op)
{
    unsigned size = 1u << (op->aux & IR_MEM_SIZE);

    if (op->op == IR_STORE2)
        return op->aux <= 5 && !is_int(op->type) && size == 2 * ir_type_size((enum ir_type)op->type)
                   ? NULL
                   : "a pair is of two whole FP or vector values";
    if ((op->aux & IR_MEM_SIZE) > 4)
        return "no such size";
    if (op->op == IR_LOAD || op->op == IR_STORE) {
        if (op->type == IRT_NONE || op->type == IRT_FLAGS || size > ir_type_size((enum ir_type)op->type))
            return "the access is wider than its value";
        if (!is_int(op->type) && size != ir_type_size((enum ir_type)op->type))
            return "only integers may be narrower in memory";
        return NULL;
    }
    if (!is_int(op->type) && (op->op == IR_AMO || op->type != IRT_I128))
        return "atomics are of integers";
    if (size > ir_type_size((enum ir_type)op->type))
        return "the access is wider than its value";
    if (op->op == IR_AMO && (op->aux >> IR_MEM_AMO_SHIFT) > IR_AMO_MAXU)
        return "no such atomic operation";
    return NULL;
}

static const char *check_field(const struct ir_op *op)
{
    unsigned lsb = op->aux >> 8, width = op->aux & 0xff;

    return !width || lsb + width > type_bits(op->type) ? "the bit field leaves the value" : NULL;
}

static const char *check_extend(const struct ir_unit *u, const struct ir_op *op)
{
    enum ir_type from = ir_result_type(&u->ops[op->a]);

    if (op->aux != 8 && op->aux != 16 && op->aux != 32)
        return "no such source width";
    return !is_int(op->type) || !is_int(from) || op->aux > type_bits(from) ? "not an extension of integers"
                                                                           : NULL;
}

/* f16 takes the low half of an i32, otherwise the sizes are the same. */
static const char *check_bitcast(const struct ir_unit *u, const struct ir_op *op)
{
    enum ir_type from = ir_result_type(&u->ops[op->a]), to = (enum ir_type)op->type;

    if ((from == IRT_I32 && to == IRT_F16) || (from == IRT_F16 && to == IRT_I32))
        return NULL;
    return ir_type_size(from) != ir_type_size(to) || to == IRT_NONE ? "the sizes differ" : NULL;
}

static const char *check_float(const struct ir_op *op)
{
    if (op->op == IR_FCMP)
        return !is_float(op->type) || op->aux > IR_FCMP_UNORDERED ? "no such comparison" : NULL;
    if (op->op == IR_BOX)
        return NULL;
    if (!is_float(op->type))
        return "not a float type";
    if ((op->aux & IR_FP_ROUND) > IR_ROUND_ODD || op->aux & 0xc0)
        return "no such rounding";
    if ((op->op == IR_FTOI || op->op == IR_ITOF) && op->aux >> 8 > IR_INT_U64)
        return "no such integer kind";
    return NULL;
}

/* What a vector operation takes, by operation: lane widths (as bits of a mask), numbers in imm. */
#define LANES_BHS  (8 | 16 | 32)
#define LANES_BHSD (LANES_BHS | 64)
enum vector_imm { VI_NONE, VI_COUNT, VI_LANE, VI_BYTE, VI_LANES, VI_CONTAINER };

static const struct {
    uint8_t lanes, imm;
} vector_rows[IR_VZEXT - IR_VADD + 1] = {
#define ROW(id, lanes, imm) [IR_##id - IR_VADD] = {lanes, imm}
    ROW(VADD, LANES_BHSD, VI_NONE),
    ROW(VSUB, LANES_BHSD, VI_NONE),
    ROW(VMUL, LANES_BHSD, VI_NONE),
    ROW(VMIN, LANES_BHSD, VI_NONE),
    ROW(VMAX, LANES_BHSD, VI_NONE),
    ROW(VCMPEQ, LANES_BHSD, VI_NONE),
    ROW(VCMPGT, LANES_BHSD, VI_NONE),
    ROW(VCMPGE, LANES_BHSD, VI_NONE),
    ROW(VSHLV, LANES_BHSD, VI_NONE),
    ROW(VQADD, 8 | 16, VI_NONE),
    ROW(VQSUB, 8 | 16, VI_NONE),
    ROW(VABS, LANES_BHSD, VI_NONE),
    ROW(VCNT, 8, VI_NONE),
    ROW(VRBIT, 8, VI_NONE),
    ROW(VCLZ, 8, VI_NONE),
    ROW(VSHL, LANES_BHSD, VI_COUNT),
    ROW(VSHR, LANES_BHSD, VI_COUNT),
    ROW(VZIP, LANES_BHSD, VI_NONE),
    ROW(VUZP, LANES_BHSD, VI_NONE),
    ROW(VTRN, LANES_BHSD, VI_NONE),
    ROW(VTBL, 8, VI_NONE),
    ROW(VEXT, 8, VI_BYTE),
    ROW(VREV, LANES_BHS, VI_CONTAINER),
    ROW(VDUPL, LANES_BHSD, VI_LANE),
    ROW(VINSERT, LANES_BHSD, VI_LANES),
    ROW(VWIDEN, LANES_BHS, VI_NONE),
    ROW(VMULL, LANES_BHS, VI_NONE),
    ROW(VCLMULL, 64, VI_NONE),
    ROW(VSUMB, 8, VI_NONE),
    ROW(VDUP, LANES_BHSD, VI_NONE),
    ROW(VLANE, LANES_BHSD, VI_LANE),
    ROW(VINSLANE, LANES_BHSD, VI_LANE),
#undef ROW
};

static bool vector_imm_fits(enum vector_imm kind, int64_t imm, unsigned lane)
{
    unsigned count = 128 / lane;

    switch (kind) {
    case VI_COUNT:
        return imm >= 0 && imm <= lane;
    case VI_LANE:
        return imm >= 0 && imm < count;
    case VI_BYTE:
        return imm >= 0 && imm < 16;
    case VI_LANES:
        return imm >= 0 && (imm & 0xff) < count && imm >> 8 < count;
    case VI_CONTAINER:
        return (imm == 16 || imm == 32 || imm == 64) && imm > lane;
    default:
        return !imm;
    }
}

static const char *check_vector(const struct ir_unit *u, const struct ir_op *op)
{
    unsigned lane = op->aux & IR_V_LANE, lanes = vector_rows[op->op - IR_VADD].lanes;

    if (op->op == IR_VZEXT)
        return ir_type_size(ir_result_type(&u->ops[op->a])) < 4 ? "too narrow to be extended" : NULL;
    if (!lanes)
        return NULL;
    if ((lane & (lane - 1)) || !(lane & lanes) || op->aux >> 11)
        return "no such lane width";
    return vector_imm_fits((enum vector_imm)vector_rows[op->op - IR_VADD].imm, op->imm, lane)
               ? NULL
               : "no such lane";
}

static const char *check_vector_float(const struct ir_op *op)
{
    static const uint8_t kinds[] = {
        [IR_VFMADD - IR_VFADD] = 1,        [IR_VFMIN - IR_VFADD] = IR_MM_X86,
        [IR_VFMAX - IR_VFADD] = IR_MM_X86, [IR_VFCMP - IR_VFADD] = IR_VF_GE,
        [IR_VFRINT - IR_VFADD] = 1,        [IR_VFTOI - IR_VFADD] = 1,
        [IR_VITOF - IR_VFADD] = 1,         [IR_VFWIDEN - IR_VFADD] = 1,
        [IR_VFNARROW - IR_VFADD] = 0,
    };
    unsigned format = op->aux >> IR_VF_FORMAT & 3, count = op->aux >> IR_VF_COUNT & 3,
             wide = op->op >= IR_VFWIDEN;

    if ((op->aux & IR_FP_ROUND) > IR_ROUND_ODD || op->aux & 0xc0)
        return "no such rounding";
    if (format + wide > 2 || format + wide + count > 3)
        return "no such lanes";
    /* Integers of 16 bits have no scalar operation. */
    if ((op->op == IR_VFTOI || op->op == IR_VITOF) && !format)
        return "no such lanes";
    return op->aux >> IR_VF_KIND > kinds[op->op - IR_VFADD] ? "no such kind" : NULL;
}

static const uint8_t crypto_kinds[] = {[0] = IR_AES_ROUND_BACK, /* of IR_VAES, the first */
                                       [IR_VSHA1 - IR_VAES] = 2,
                                       [IR_VSHA256 - IR_VAES] = 1,
                                       [IR_VSHA256W - IR_VAES] = 1,
                                       [IR_CRC32 - IR_VAES] = 7};

static const char *check_slot(const struct ir_op *op)
{
    if (!ir_type_size((enum ir_type)op->type))
        return "a slot of no size";
    return op->imm < 0 || op->imm > INT16_MAX - 32 ? "a slot out of reach" : NULL;
}

static const char *check_details(const struct ir_unit *u, const struct ir_op *op)
{
    unsigned o = op->op;

    if (o == IR_GET || o == IR_PUT)
        return check_slot(op);
    if (o == IR_CONST)
        return op->type == IRT_NONE || op->type == IRT_FLAGS ? "a constant of no type" : NULL;
    if (o >= IR_ADD && o <= IR_MAXU)
        return is_int(op->type) ? NULL : "not an integer type";
    if (o == IR_SETCC || o == IR_BRANCH || o == IR_EXIT)
        return !is_int(op->type) || op->aux > IR_GTS ? "no such comparison" : NULL;
    if (o == IR_FCOND || o == IR_BRANCHF || o == IR_EXITF)
        return op->aux > IR_F_PO ? "no such condition" : NULL;
    if (o == IR_SEXT || o == IR_ZEXT)
        return check_extend(u, op);
    if (o == IR_INSERT || o == IR_EXTRACT)
        return is_int(op->type) ? check_field(op) : "not an integer type";
    if (o == IR_BITCAST)
        return check_bitcast(u, op);
    if (o == IR_FLAGS || o == IR_FLAGSC || o == IR_ADDC)
        return !is_int(op->type) || (op->aux & 0xff) > IR_FLAG_SBC ? "no such flag operation" : NULL;
    if (o >= IR_LOAD && o <= IR_SC)
        return check_memory(op);
    if (o >= IR_FADD && o <= IR_UNBOX)
        return check_float(op);
    if (o >= IR_VADD && o <= IR_VZEXT)
        return check_vector(u, op);
    if (o >= IR_VFADD && o <= IR_VFNARROW)
        return check_vector_float(op);
    if (o >= IR_VAES && o <= IR_CRC32)
        return op->aux > crypto_kinds[o - IR_VAES] ? "no such kind" : NULL;
    return NULL;
}

/* ---- blocks ---- */

static int check_op(struct check *c)
{
    const struct ir_op *op = &c->u->ops[c->at];
    bool last = c->at + 1u == c->block->end;
    const char *bad;
    int err;

    if (op->op >= IR_OPS)
        return fail(c, "no such operation");
    if (c->at == c->block->first && op->op != IR_INSN)
        return fail(c, "a block begins with insn");
    if (last != ((ir_opinfo[op->op].effects & IR_E_END) != 0))
        return fail(c, last ? "the block has no end" : "an end inside the block");
    if (op->type > IRT_FLAGS)
        return fail(c, "no such type");
    err = check_operands(c, op);
    if (err)
        return err;
    bad = check_details(c->u, op);
    return bad ? fail(c, bad) : 0;
}

static int check_block(struct check *c)
{
    unsigned insns = 0;

    for (c->at = c->block->first; c->at < c->block->end; c->at++) {
        int err = check_op(c);

        if (err)
            return err;
        insns += c->u->ops[c->at].op == IR_INSN;
    }
    c->at = c->block->first;
    return insns != c->block->insns ? fail(c, "the block counts other instructions than it has") : 0;
}

int ir_verify(const struct ir_unit *u, char *why, size_t why_size)
{
    struct check c = {.u = u, .why = why, .why_size = why_size};
    unsigned expect = 0;

    if (u->overflow || !u->block_count)
        return fail(&c, u->overflow ? "the unit ran out of room" : "no blocks");
    for (unsigned i = 0; i < u->block_count; i++) {
        int err;

        c.block = &u->blocks[i];
        c.at = c.block->first;
        if (c.block->first != expect || c.block->end <= c.block->first || c.block->end > u->op_count)
            return fail(&c, "blocks do not cover the operations in order");
        expect = c.block->end;
        err = check_block(&c);
        if (err)
            return err;
    }
    c.at = expect;
    return expect != u->op_count ? fail(&c, "operations behind the last block") : 0;
}
