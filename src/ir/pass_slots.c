/*
 * Guest-state slots: reads of what the block read or wrote before, and writes that are overwritten before
 * anybody can see them. Slots stay exact at each operation that may leave, fault or call.
 */
#include "ir/pass.h"

/* What is known of one slot. */
struct known {
    int64_t slot;
    ir_ref value; /* its content */
    uint16_t put; /* operation + 1 that wrote it and that nobody has seen yet; 0: none */
    uint8_t type;
};
#define KNOWN 64

struct slots {
    struct ir_unit *u;
    const struct ir_helper *helpers;
    struct known k[KNOWN];
    unsigned used, next; /* the first `used` are known; when all are, `next` gives way */
};

static bool overlaps(const struct known *k, int64_t slot, unsigned size)
{
    return k->slot < slot + (int64_t)size && slot < k->slot + (int64_t)ir_type_size((enum ir_type)k->type);
}

static struct known *find(struct slots *s, int64_t slot, unsigned type)
{
    for (unsigned i = 0; i < s->used; i++) {
        if (s->k[i].slot == slot && s->k[i].type == type)
            return &s->k[i];
    }
    return NULL;
}

static void forget(struct slots *s)
{
    s->next = s->used = 0;
}

/* Everything written so far is seen by somebody. */
static void publish(struct slots *s)
{
    for (unsigned i = 0; i < s->used; i++)
        s->k[i].put = 0;
}

static void publish_range(struct slots *s, int64_t slot, unsigned size)
{
    for (unsigned i = 0; i < s->used; i++) {
        if (overlaps(&s->k[i], slot, size))
            s->k[i].put = 0;
    }
}

static void learn(struct slots *s, int64_t slot, unsigned type, ir_ref value, unsigned put)
{
    unsigned i = s->used < KNOWN ? s->used++ : s->next++ % KNOWN;

    s->k[i] = (struct known){slot, value, (uint16_t)put, (uint8_t)type};
}

/* The scalar whose vector the slot is known to hold, or IR_REF_NONE. */
static ir_ref extended(struct slots *s, const struct ir_op *op)
{
    const struct known *k = op->type == IRT_V128 ? NULL : find(s, op->imm, IRT_V128);
    ir_ref a;

    if (!k || s->u->ops[k->value].op != IR_VZEXT)
        return IR_REF_NONE;
    a = pass_resolve(s->u, s->u->ops[k->value].a);
    return ir_result_type(&s->u->ops[a]) == (enum ir_type)op->type ? a : IR_REF_NONE;
}

static void do_get(struct slots *s, unsigned at, const struct ir_op *op)
{
    struct known *k = find(s, op->imm, op->type);
    ir_ref r = k ? k->value : extended(s, op);

    if (r != IR_REF_NONE) {
        pass_replace(s->u, at, r);
        return;
    }
    publish_range(s, op->imm, ir_type_size((enum ir_type)op->type));
    learn(s, op->imm, op->type, (ir_ref)at, 0);
}

/* What a write covers whole need not have been written; what it touches is not known any more. */
static void overwrite(struct slots *s, int64_t slot, unsigned size)
{
    for (unsigned i = s->used; i-- > 0;) {
        struct known *k = &s->k[i];

        if (!overlaps(k, slot, size))
            continue;
        if (k->put && k->slot >= slot &&
            k->slot + ir_type_size((enum ir_type)k->type) <= slot + (int64_t)size)
            s->u->ops[k->put - 1].spare = IR_GONE;
        *k = s->k[--s->used];
    }
}

static void do_put(struct slots *s, unsigned at, struct ir_op *op)
{
    struct known *k = find(s, op->imm, op->type);

    if (k && k->value == op->a) {
        op->spare = IR_GONE; /* it holds that already */
        return;
    }
    overwrite(s, op->imm, ir_type_size((enum ir_type)op->type));
    learn(s, op->imm, op->type, op->a, at + 1);
}

/*
 * Operations that every engine does by itself. All others an engine may leave to another one, before the
 * instruction: slots are exact there.
 */
static bool never_left(const struct ir_op *op)
{
    if (op->op == IR_BITCAST)
        return true;
    /* What is not boxed is somebody else's. */
    if ((op->op >= IR_FADD && op->op < IR_UNBOX) || (op->op >= IR_VFADD && op->op <= IR_CRC32))
        return true;
    /* The flags of Arm; half carry and parity may be left. */
    if (op->op == IR_FCOND)
        return op->aux <= IR_F_LE;
    if (op->op == IR_FPACK)
        return op->aux && op->aux <= 15;
    if (op->op >= IR_FLAGS && op->op <= IR_ADDC)
        return true;
    if (op->type != IRT_I32 && op->type != IRT_I64 && op->type != IRT_NONE)
        return false;
    if (op->op >= IR_MULHU && op->op <= IR_MULHSU)
        return op->type == IRT_I64;
    return op->op <= IR_NOT || op->op == IR_BSWAP || (op->op >= IR_MINS && op->op <= IR_MAXU) ||
           (op->op >= IR_SETCC && op->op <= IR_TRUNC) || op->op == IR_EXTRACT || op->op == IR_FENCE;
}

static void do_effects(struct slots *s, const struct ir_op *op)
{
    unsigned effects = ir_opinfo[op->op].effects;

    if (op->op == IR_CALL) {
        if (pass_pure(op, s->helpers))
            return;
        publish(s);
        forget(s);
    } else if (effects & (IR_E_FAULT | IR_E_END) || !never_left(op)) {
        publish(s);
    }
}

static void block_slots(struct slots *s, const struct ir_block *b)
{
    forget(s);
    for (unsigned i = b->first; i < b->end; i++) {
        struct ir_op *op = &s->u->ops[i];

        if (pass_gone(op))
            continue;
        pass_operands(s->u, op);
        if (op->op == IR_GET)
            do_get(s, i, op);
        else if (op->op == IR_PUT)
            do_put(s, i, op);
        else
            do_effects(s, op);
    }
}

void ir_pass_slots(struct ir_unit *u, const struct ir_helper *helpers)
{
    struct slots s = {.u = u, .helpers = helpers};

    for (unsigned b = 0; b < u->block_count; b++)
        block_slots(&s, &u->blocks[b]);
}
