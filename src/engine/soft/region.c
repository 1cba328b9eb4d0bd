/* Region forming: a scan for instructions and leaders, then one IR block a leader. */
#include "engine/soft/region.h"
#include "lib/err.h"
#include "lib/str.h"

static bool is_set(const uint64_t *map, unsigned i)
{
    return map[i / 64] >> (i % 64) & 1;
}

static void set(uint64_t *map, unsigned i)
{
    map[i / 64] |= BIT(i % 64);
}

struct scan {
    struct soft_scratch *s;
    const struct lift_ops *lift;
    const struct region_limits *limits;
    uint64_t mode;
    unsigned avail;
    unsigned insns, leaders, work;
};

static bool leader_add(struct scan *sc, int64_t offset)
{
    if (offset < 0 || offset >= (int64_t)MEM_PAGE_SIZE)
        return false;
    if (is_set(sc->s->leader, (unsigned)offset))
        return true;
    if (sc->leaders >= sc->limits->blocks)
        return false;
    set(sc->s->leader, (unsigned)offset);
    sc->leaders++;
    sc->s->work[sc->work++] = (uint16_t)offset;
    return true;
}

/* From a leader straight on until the flow ends, meets scanned code, or the limits. */
static void scan_line(struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    unsigned line = 0;

    while (offset < MEM_PAGE_SIZE && !is_set(s->scanned, offset) && sc->insns < sc->limits->insns) {
        struct insn_shape shape = {0};

        sc->lift->shape(sc->mode, s->page + offset, sc->avail - offset, &shape);
        if (!shape.len || offset + shape.len > sc->avail)
            return; /* crosses: a unit of its own, found when execution gets there */
        if (offset + shape.len > MEM_PAGE_SIZE && sc->insns)
            return;
        set(s->scanned, offset);
        sc->insns++;
        if (shape.kind == INSN_BRANCH || shape.kind == INSN_JUMP)
            leader_add(sc, (int64_t)offset + shape.target);
        if (shape.kind == INSN_JUMP || shape.kind == INSN_END)
            return;
        offset += shape.len;
        if (shape.kind == INSN_BRANCH) {
            if (!leader_add(sc, offset))
                return;
        } else if (++line % REGION_BLOCK_INSNS == 0 && !leader_add(sc, offset)) {
            return;
        }
    }
}

static void scan(struct scan *sc, unsigned entry)
{
    memset(sc->s->scanned, 0, sizeof(sc->s->scanned));
    memset(sc->s->leader, 0, sizeof(sc->s->leader));
    leader_add(sc, entry);
    /* First in, first out: what the entry reaches soonest gets the room. */
    for (unsigned i = 0; i < sc->work; i++)
        scan_line(sc, sc->s->work[i]);
}

static bool ended(const struct ir_unit *u)
{
    return u->op_count && (ir_opinfo[u->ops[u->op_count - 1].op].effects & IR_E_END);
}

static void jump_to(struct ir_unit *u, unsigned offset)
{
    ir_emit(u, IR_JUMP, IRT_NONE, 0, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE, offset);
}

static void lift_block(struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    struct ir_unit *u = &s->unit;

    ir_block_begin(u, (int32_t)offset);
    for (;;) {
        struct insn_shape shape = {0};

        sc->lift->shape(sc->mode, s->page + offset, sc->avail - offset, &shape);
        sc->lift->lift(u, sc->mode, (int32_t)offset, s->page + offset, sc->avail - offset);
        if (ended(u) || u->overflow)
            return;
        offset += shape.len;
        if (offset >= MEM_PAGE_SIZE || is_set(s->leader, offset) || !is_set(s->scanned, offset)) {
            jump_to(u, offset);
            return;
        }
    }
}

int region_form(struct soft_scratch *s, const struct lift_ops *lift, uint64_t mode, unsigned entry,
                unsigned avail, const struct region_limits *limits)
{
    struct scan sc = {.s = s, .lift = lift, .limits = limits, .mode = mode, .avail = avail};
    struct ir_unit *u = &s->unit;

    *u = (struct ir_unit){.ops = s->ops,
                          .blocks = s->blocks,
                          .op_max = REGION_MAX_OPS,
                          .block_max = REGION_MAX_BLOCKS,
                          .mode = mode};
    scan(&sc, entry);
    if (!sc.insns)
        return -E2BIG;
    lift_block(&sc, entry);
    for (unsigned w = 0; w < ARRAY_SIZE(s->leader); w++) {
        for (uint64_t rest = s->leader[w] & s->scanned[w]; rest && !u->overflow; rest &= rest - 1) {
            unsigned offset = w * 64 + (unsigned)__builtin_ctzll(rest);

            if (offset != entry)
                lift_block(&sc, offset);
        }
    }
    return u->overflow ? -EOVERFLOW : 0;
}

uint64_t region_lines(const struct ir_unit *u, unsigned *beyond)
{
    uint64_t lines = 0;

    *beyond = 0;
    for (unsigned i = 0; i < u->op_count; i++) {
        const struct ir_op *op = &u->ops[i];
        unsigned first, last;

        if (op->op != IR_INSN)
            continue;
        first = (unsigned)op->imm;
        last = first + op->aux - 1;
        if (last >= MEM_PAGE_SIZE)
            *beyond = last + 1 - MEM_PAGE_SIZE;
        last = MIN(last, MEM_PAGE_SIZE - 1);
        for (unsigned line = first / 64; line <= last / 64; line++)
            lines |= BIT(line);
    }
    return lines;
}
