/* IR from text, as print.c gives it. Values may have any names "vN"; '#' begins a comment. */
#include "ir/text.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

struct parser {
    struct ir_unit *u;
    const char *p, *end; /* of the present line */
    unsigned line;
    ir_ref names[IR_MAX_NAMES];
    char *why;
    size_t why_size;
    const char *error;
};

static int fail(struct parser *ps, const char *what)
{
    if (!ps->error)
        ps->error = what;
    return -EINVAL;
}

static void skip(struct parser *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t' || *ps->p == ','))
        ps->p++;
}

static bool at_end(struct parser *ps)
{
    skip(ps);
    return ps->p >= ps->end || *ps->p == '#';
}

static bool word(struct parser *ps, const char *w)
{
    size_t n = strlen(w);

    skip(ps);
    if ((size_t)(ps->end - ps->p) < n || strncmp(ps->p, w, n))
        return false;
    ps->p += n;
    return true;
}

static bool digit_of(char c, unsigned base, unsigned *d)
{
    if (c >= '0' && c <= '9')
        *d = (unsigned)(c - '0');
    else if (base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f')
        *d = (unsigned)((c | 32) - 'a' + 10);
    else
        return false;
    return true;
}

static int number(struct parser *ps, int64_t *out)
{
    bool minus = word(ps, "-");
    unsigned base = 10, d;
    uint64_t x = 0;

    if (!minus)
        word(ps, "+");
    if (word(ps, "0x"))
        base = 16;
    if (ps->p >= ps->end || !digit_of(*ps->p, base, &d))
        return fail(ps, "a number is missing");
    for (; ps->p < ps->end && digit_of(*ps->p, base, &d); ps->p++)
        x = x * base + d;
    *out = (int64_t)(minus ? -x : x);
    return 0;
}

static int name(struct parser *ps, unsigned *index)
{
    int64_t n = 0;

    if (number(ps, &n))
        return -EINVAL;
    if (n < 0 || n >= IR_MAX_NAMES)
        return fail(ps, "a value number is too large");
    *index = (unsigned)n;
    return 0;
}

/* The longest operation name that stands here: "add" does not hide "addc". */
static int opcode(struct parser *ps)
{
    size_t best = 0;
    int found = -1;

    skip(ps);
    for (int i = 0; i < IR_OPS; i++) {
        size_t n = strlen(ir_opinfo[i].name);

        if (n > best && (size_t)(ps->end - ps->p) >= n && !strncmp(ps->p, ir_opinfo[i].name, n)) {
            best = n;
            found = i;
        }
    }
    ps->p += best;
    return found;
}

static int type_suffix(struct parser *ps, struct ir_op *op)
{
    op->type = IRT_NONE;
    if (ps->p >= ps->end || *ps->p != '.')
        return 0;
    ps->p++;
    for (unsigned i = 0; i < ARRAY_SIZE(ir_type_names); i++) {
        if (word(ps, ir_type_names[i])) {
            op->type = (uint8_t)i;
            return 0;
        }
    }
    return fail(ps, "no such type");
}

static int operands(struct parser *ps, struct ir_op *op)
{
    ir_ref *refs[3] = {&op->a, &op->b, &op->c};

    op->a = op->b = op->c = IR_REF_NONE;
    for (unsigned i = 0; i < 3; i++) {
        unsigned n;

        if (word(ps, "_"))
            continue;
        if (!word(ps, "v"))
            return 0;
        if (name(ps, &n))
            return -EINVAL;
        if (ps->names[n] == IR_REF_NONE)
            return fail(ps, "a value is used before it is defined");
        *refs[i] = ps->names[n];
    }
    return 0;
}

static int attribute(struct parser *ps, struct ir_op *op)
{
    int64_t n;
    int err;

    if (word(ps, "aux=") || word(ps, "len=")) {
        err = number(ps, &n);
        op->aux = (uint16_t)n;
    } else if (word(ps, "taken=")) {
        err = number(ps, &n);
        op->imm = (int64_t)((uint64_t)n << 32 | ((uint64_t)op->imm & UINT32_MAX));
    } else if (word(ps, "else=")) {
        err = number(ps, &n);
        op->imm = (int64_t)(((uint64_t)op->imm & ~(uint64_t)UINT32_MAX) | (uint32_t)n);
    } else {
        if (!word(ps, "slot="))
            word(ps, "imm=");
        err = number(ps, &op->imm);
    }
    return err;
}

static int parse_op(struct parser *ps)
{
    unsigned result = IR_MAX_NAMES;
    struct ir_op op = {0};
    int code;
    ir_ref r;

    skip(ps);
    /* "v12 = ..." names a result; "vadd" is an operation. */
    if (ps->end - ps->p > 1 && ps->p[0] == 'v' && ps->p[1] >= '0' && ps->p[1] <= '9') {
        ps->p++;
        if (name(ps, &result))
            return -EINVAL;
        if (!word(ps, "="))
            return fail(ps, "'=' is missing");
    }
    code = opcode(ps);
    if (code < 0)
        return fail(ps, "no such operation");
    op.op = (uint8_t)code;
    if (type_suffix(ps, &op) || operands(ps, &op))
        return -EINVAL;
    while (!at_end(ps)) {
        if (attribute(ps, &op))
            return -EINVAL;
    }
    r = ir_emit(ps->u, (enum ir_opcode)op.op, (enum ir_type)op.type, op.aux, op.a, op.b, op.c, op.imm);
    if (op.op == IR_INSN && ps->u->block_count)
        ps->u->blocks[ps->u->block_count - 1].insns++;
    if (result < IR_MAX_NAMES)
        ps->names[result] = r;
    return 0;
}

static int parse_line(struct parser *ps)
{
    int64_t n;

    if (at_end(ps))
        return 0;
    if (word(ps, "unit")) {
        if (word(ps, "mode=") && !number(ps, &n))
            ps->u->mode = (uint64_t)n;
        return ps->error ? -EINVAL : 0;
    }
    if (word(ps, "block")) {
        if (number(ps, &n))
            return -EINVAL;
        ir_block_begin(ps->u, (int32_t)n);
        return 0;
    }
    return parse_op(ps);
}

int ir_parse(struct ir_unit *u, const char *text, char *why, size_t why_size)
{
    struct parser ps = {.u = u, .why = why, .why_size = why_size};

    memset(ps.names, 0xff, sizeof(ps.names));
    ir_unit_clear(u);
    while (*text) {
        const char *end = strchr(text, '\n');

        ps.line++;
        ps.p = text;
        ps.end = end ? end : text + strlen(text);
        if (parse_line(&ps)) {
            fmt_snprintf(why, why_size, "line %u: %s", ps.line, ps.error ? ps.error : "not understood");
            return -EINVAL;
        }
        text = *ps.end ? ps.end + 1 : ps.end;
    }
    if (u->overflow) {
        fmt_snprintf(why, why_size, "line %u: the unit has no room, or an operation stands outside a block",
                     ps.line);
        return -EINVAL;
    }
    return 0;
}
