/*
 * IR as text. A unit is lines:
 *
 *   unit mode=0x..
 *   block +16
 *     insn +16 len=4
 *     v2 = get.i64 slot=520
 *     v3 = add.i64 v1, v2
 *     branch.i64 v3, v1 aux=1 taken=+0 else=+20
 *
 * aux and imm are left out where 0; operands that are absent in the middle are "_".
 */
#include "ir/text.h"
#include "lib/fmt.h"

struct out {
    char *buf;
    size_t size, len;
};

static void put(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vsnprintf(o->len < o->size ? o->buf + o->len : NULL, o->len < o->size ? o->size - o->len : 0, fmt,
                      ap);
    va_end(ap);
    o->len += (size_t)n;
}

static void put_operands(struct out *o, const struct ir_op *op)
{
    const ir_ref refs[3] = {op->a, op->b, op->c};
    unsigned n = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (refs[i] != IR_REF_NONE)
            n = i + 1;
    }
    for (unsigned i = 0; i < n; i++) {
        put(o, i ? ", " : " ");
        if (refs[i] == IR_REF_NONE)
            put(o, "_");
        else
            put(o, "v%u", refs[i]);
    }
}

static void put_imm(struct out *o, const struct ir_op *op)
{
    switch (op->op) {
    case IR_GET:
    case IR_PUT:
        put(o, " slot=%lld", (long long)op->imm);
        break;
    case IR_INSN:
        put(o, " %+lld len=%u", (long long)op->imm, op->aux);
        break;
    case IR_JUMP:
    case IR_PC:
    case IR_EXIT:
    case IR_EXITF:
        put(o, " %+lld", (long long)op->imm);
        break;
    case IR_BRANCH:
    case IR_BRANCHF:
        put(o, " taken=%+d else=%+d", (int)(op->imm >> 32), (int)(int32_t)op->imm);
        break;
    case IR_CONST:
        put(o, " %lld", (long long)op->imm);
        break;
    default:
        if (op->imm)
            put(o, " imm=%lld", (long long)op->imm);
        break;
    }
}

static void put_op(struct out *o, const struct ir_unit *u, unsigned i)
{
    const struct ir_op *op = &u->ops[i];

    put(o, "  ");
    if (ir_result_type(op) != IRT_NONE)
        put(o, "v%u = ", i);
    put(o, "%s", ir_opinfo[op->op].name);
    if (op->type != IRT_NONE)
        put(o, ".%s", ir_type_names[op->type]);
    put_operands(o, op);
    if (op->aux && op->op != IR_INSN)
        put(o, " aux=%u", op->aux);
    put_imm(o, op);
    put(o, "\n");
}

int ir_print(const struct ir_unit *u, char *buf, size_t size)
{
    struct out o = {buf, size, 0};

    if (size)
        buf[0] = 0;
    put(&o, "unit mode=0x%llx\n", (unsigned long long)u->mode);
    for (unsigned b = 0; b < u->block_count; b++) {
        put(&o, "block %+d\n", (int)u->blocks[b].offset);
        for (unsigned i = u->blocks[b].first; i < u->blocks[b].end; i++)
            put_op(&o, u, i);
    }
    return (int)o.len;
}
