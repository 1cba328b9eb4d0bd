/* Region forming: a scan for instructions and leaders, then one IR block a leader. */
#include "engine/soft/region.h"
#include "engine/soft/ram.h"
#include "lib/err.h"
#include "lib/str.h"

#define LINE 64u

static bool is_set(const uint64_t *map, unsigned i)
{
    return map[i / 64] >> (i % 64) & 1;
}

static void set(uint64_t *map, unsigned i)
{
    map[i / 64] |= BIT(i % 64);
}

static void clear(uint64_t *map, unsigned i)
{
    map[i / 64] &= ~BIT(i % 64);
}

struct scan {
    struct soft_scratch *s;
    const struct lift_ops *lift;
    const struct region_limits *limits;
    uint64_t mode;
    unsigned avail;
    unsigned insns, leaders, work;
};

static void copy_line(struct soft_scratch *s, unsigned line)
{
    plat_meet();
    s->copied |= BIT(line);
    ram_read_words(s->page + (size_t)line * LINE, s->source + (size_t)line * LINE, LINE);
}

/* The bytes there. They are read from guest RAM once, for it may change at any time. */
static const uint8_t *code_at(const struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    unsigned last = MIN(offset + sc->lift->insn_max, MEM_PAGE_SIZE) - 1;

    for (unsigned line = offset / LINE; s->source && line <= last / LINE; line++) {
        if (!is_set(&s->copied, line))
            copy_line(s, line);
    }
    return s->page + offset;
}

static bool leader_add(struct scan *sc, int64_t offset)
{
    if (offset < 0 || offset >= (int64_t)MEM_PAGE_SIZE)
        return false;
    if (is_set(sc->s->leader, (unsigned)offset)) {
        set(sc->s->joined, (unsigned)offset);
        return true;
    }
    if (sc->leaders >= sc->limits->blocks)
        return false;
    set(sc->s->leader, (unsigned)offset);
    sc->leaders++;
    sc->s->work[sc->work++] = (uint16_t)offset;
    return true;
}

static int lean_at(const struct scan *sc, unsigned at)
{
    const struct region_hints *h = sc->limits->hints;

    return h ? h->lean(h->vm, h->page + at) : 0;
}

/*
 * The way that a branch was never seen to go is left out: 1 the next instruction, -1 the target. Not the end
 * of a loop, which comes some time.
 */
static int never(const struct scan *sc, unsigned at, const struct insn_shape *shape)
{
    int lean = shape->kind == INSN_BRANCH ? lean_at(sc, at) : 0;

    return lean == -2 ? -1 : lean == 2 && shape->target > 0;
}

/* From a leader straight on until the flow ends, meets scanned code, or the limits. */
static void scan_line(struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;

    while (offset < MEM_PAGE_SIZE && !is_set(s->scanned, offset) && sc->insns < sc->limits->insns) {
        struct insn_shape shape = {0};

        sc->lift->shape(sc->mode, code_at(sc, offset), sc->avail - offset, &shape);
        if (!shape.len || offset + shape.len > sc->avail)
            return; /* crosses: a unit of its own, found when execution gets there */
        if (offset + shape.len > MEM_PAGE_SIZE && sc->insns)
            return;
        set(s->scanned, offset);
        sc->insns++;
        int out = never(sc, offset, &shape);

        if ((shape.kind == INSN_BRANCH && out >= 0) || shape.kind == INSN_JUMP)
            leader_add(sc, (int64_t)offset + shape.target);
        if (shape.kind == INSN_JUMP || shape.kind == INSN_END || out > 0)
            return;
        offset += shape.len;
        if (shape.kind == INSN_BRANCH) {
            if (!leader_add(sc, offset))
                return;
        } else {
            set(s->follows, MIN(offset, MEM_PAGE_SIZE - 1));
        }
    }
}

static void scan(struct scan *sc, unsigned entry)
{
    memset(sc->s->scanned, 0, sizeof(sc->s->scanned));
    memset(sc->s->leader, 0, sizeof(sc->s->leader));
    memset(sc->s->joined, 0, sizeof(sc->s->joined));
    memset(sc->s->follows, 0, sizeof(sc->s->follows));
    memset(sc->s->lifted, 0, sizeof(sc->s->lifted));
    memset(sc->s->turned, 0, sizeof(sc->s->turned));
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

/* ---- traces ---- */

/* A block that goes on behind a branch. */
#define TRACE_INSNS 48
/* A loop of few instructions is repeated in its block, up to so many times and instructions in all. */
#define UNROLL_COPIES 4
#define UNROLL_INSNS  40
/* A way back to its head that a block takes although others come by there: their instructions are lifted
 * twice. */
#define WAY_BACK_INSNS 16

struct trace {
    unsigned head, copies;
    unsigned last;             /* instruction */
    uint16_t way[TRACE_INSNS]; /* places where it went on, of the first turn */
    unsigned steps;
};

/* A branch at `at` is mostly taken: as running showed, or because it leads back. */
static bool mostly_taken(const struct scan *sc, unsigned at, int64_t target)
{
    int lean = lean_at(sc, at);

    return lean ? lean > 0 : target <= (int64_t)at;
}

/* The way to `offset` is the only one there. */
static bool only_way(const struct scan *sc, int64_t offset)
{
    const struct soft_scratch *s = sc->s;
    unsigned o = (unsigned)offset;

    return offset >= 0 && offset < (int64_t)MEM_PAGE_SIZE && is_set(s->leader, o) && is_set(s->scanned, o) &&
           !is_set(s->joined, o) && !is_set(s->follows, o) && !is_set(s->lifted, o);
}

/* A few instructions lead from there to the head, by the ways that a trace takes. */
static bool leads_back(const struct scan *sc, int64_t offset, unsigned head)
{
    const struct soft_scratch *s = sc->s;

    if (is_set(s->turned, head))
        return false;
    for (unsigned n = 0; n < WAY_BACK_INSNS && offset != head; n++) {
        struct insn_shape shape = {0};
        int64_t target;

        if (offset < 0 || offset >= (int64_t)MEM_PAGE_SIZE || !is_set(s->scanned, (unsigned)offset))
            return false;
        sc->lift->shape(sc->mode, s->page + offset, sc->avail - (unsigned)offset, &shape);
        target = offset + shape.target;
        if (shape.kind == INSN_END)
            return false;
        if (shape.kind == INSN_BRANCH && target == head)
            return true;
        if (shape.kind == INSN_JUMP ||
            (shape.kind == INSN_BRANCH && mostly_taken(sc, (unsigned)offset, target)))
            offset = target;
        else
            offset += shape.len;
    }
    return offset == head;
}

/* The loop is closed: what lies on it needs no such block for itself. */
static void has_turned(struct scan *sc, struct trace *t)
{
    for (unsigned i = 0; i < t->steps; i++)
        set(sc->s->turned, t->way[i]);
    t->copies++;
}

static bool unrolls(struct scan *sc, struct trace *t, const struct ir_block *b, int64_t to)
{
    if (to != t->head)
        return false;
    has_turned(sc, t);
    return t->copies < UNROLL_COPIES && b->insns + b->insns / t->copies <= UNROLL_INSNS;
}

/*
 * It goes on there; each further turn goes where the first one went, and nowhere else: other vCPUs change
 * what is known of branches meanwhile.
 */
static bool goes_on(const struct scan *sc, struct trace *t, int64_t to)
{
    for (unsigned i = 0; i < t->steps; i++) {
        if (t->way[i] == to)
            return t->copies != 0;
    }
    if (t->copies || t->steps == ARRAY_SIZE(t->way) || (!only_way(sc, to) && !leads_back(sc, to, t->head)))
        return false;
    t->way[t->steps++] = (uint16_t)to;
    return true;
}

/* The branch goes where it did not go, and the other way round. */
static void turn_round(struct ir_op *branch)
{
    branch->aux ^= 1; /* conditions stand in pairs */
    branch->imm = (int64_t)((uint64_t)branch->imm << 32 | (uint64_t)branch->imm >> 32);
}

/* A branch that becomes a way out: where the block goes on, or -1. */
static int64_t trace_branch(struct scan *sc, const struct ir_block *b, struct ir_op *end, struct trace *t)
{
    int32_t head = (int32_t)t->head;

    if ((int32_t)end->imm == head)
        turn_round(end);
    int32_t taken = (int32_t)(end->imm >> 32), next = (int32_t)end->imm;
    bool turn = taken == head || mostly_taken(sc, t->last, taken);

    if (taken == head ? !unrolls(sc, t, b, taken) : !goes_on(sc, t, turn ? taken : next))
        return -1;
    if (turn)
        turn_round(end);
    next = (int32_t)end->imm;
    end->imm >>= 32;
    end->op = end->op == IR_BRANCHF ? IR_EXITF : IR_EXIT;
    return next;
}

/* The end of the block becomes a way out in it where the block goes on: there, or -1. */
static int64_t trace_on(struct scan *sc, struct ir_unit *u, struct trace *t)
{
    struct ir_block *b = &u->blocks[u->block_count - 1];
    struct ir_op *end = &u->ops[u->op_count - 1];
    int64_t next = end->imm;

    if (!sc->limits->traces || b->insns >= TRACE_INSNS || u->op_count > REGION_MAX_OPS / 2)
        return -1;
    if (end->op == IR_BRANCH || end->op == IR_BRANCHF)
        return trace_branch(sc, b, end, t);
    if (end->op != IR_JUMP || !(next == t->head ? unrolls(sc, t, b, next) : goes_on(sc, t, next)))
        return -1;
    u->op_count--;
    b->end--;
    return next;
}

/* The block, not ended, goes on with the instruction there. */
static bool straight_on(const struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    const struct ir_unit *u = &s->unit;

    if (offset >= MEM_PAGE_SIZE || is_set(s->leader, offset) || !is_set(s->scanned, offset))
        return false;
    if (u->blocks[u->block_count - 1].insns < REGION_BLOCK_INSNS)
        return true;
    set(s->leader, offset);
    return false;
}

/* The instruction there; its length. */
static unsigned lift_insn(struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    struct ir_unit *u = &s->unit;
    unsigned at = u->op_count, end;

    sc->lift->lift(u, sc->mode, (int32_t)offset, s->page + offset, sc->avail - offset);
    if (u->overflow)
        return 0;
    end = offset + u->ops[at].aux; /* INSN */
    if (end > MEM_PAGE_SIZE)
        s->beyond = end - MEM_PAGE_SIZE;
    s->lines |= BIT(offset / LINE) | BIT((MIN(end, MEM_PAGE_SIZE) - 1) / LINE);
    return end - offset;
}

static void lift_block(struct scan *sc, unsigned offset)
{
    struct soft_scratch *s = sc->s;
    struct ir_unit *u = &s->unit;
    struct trace t = {.head = offset};

    ir_block_begin(u, (int32_t)offset);
    set(s->lifted, offset);
    for (;;) {
        t.last = offset;
        offset += lift_insn(sc, offset);
        if (u->overflow)
            return;
        if (!ended(u)) {
            if (straight_on(sc, offset))
                continue;
            jump_to(u, offset);
        }
        if (u->overflow)
            return;
        int64_t on = trace_on(sc, u, &t);

        if (on < 0)
            return;
        offset = (unsigned)on;
        if (!is_set(s->joined, offset) && !is_set(s->follows, offset))
            set(s->lifted, offset);
    }
}

/* All that are known; false: there were none. Cuts make new ones, mostly further on. */
static bool lift_leaders(struct scan *sc)
{
    struct soft_scratch *s = sc->s;
    bool any = false;

    for (unsigned w = 0; w < ARRAY_SIZE(s->leader); w++) {
        uint64_t rest;

        while ((rest = s->leader[w] & s->scanned[w] & ~s->lifted[w]) && !s->unit.overflow) {
            lift_block(sc, w * 64 + (unsigned)__builtin_ctzll(rest));
            any = true;
        }
    }
    return any;
}

int region_form(struct soft_scratch *s, const struct lift_ops *lift, uint64_t mode, unsigned entry,
                unsigned avail, const struct region_limits *limits)
{
    struct scan sc = {.s = s, .lift = lift, .limits = limits, .mode = mode, .avail = avail};
    struct ir_unit *u = &s->unit;
    bool bypassed;

    *u = (struct ir_unit){.ops = s->ops,
                          .blocks = s->blocks,
                          .op_max = REGION_MAX_OPS,
                          .block_max = REGION_MAX_BLOCKS,
                          .mode = mode};
    s->lines = 0;
    s->beyond = 0;
    scan(&sc, entry);
    if (!sc.insns)
        return -E2BIG;
    /*
     * An entry that the flow comes by again, but does not jump to, has a block of its own: a loop that is
     * entered in its middle is one all the same.
     */
    bypassed = limits->traces && is_set(s->follows, entry) && !is_set(s->joined, entry);
    if (bypassed)
        clear(s->leader, entry);
    lift_block(&sc, entry);
    if (bypassed)
        memset(s->lifted, 0, sizeof(s->lifted));
    while (!u->overflow && lift_leaders(&sc)) {
    }
    return u->overflow ? -EOVERFLOW : 0;
}
