/*
 * The protocol of units.c (a page becomes CODE, code is written, units die, their memory goes) as a small
 * model, and a search through all interleavings of its steps. One page, one place of code on it; a vCPU or a
 * device that stores there, and vCPUs that translate and execute it. Each step is what the code does under
 * one lock or in one atomic access. Variants leave a step out or move it: each has to be found wrong, else
 * the search would prove nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base.h"

#define MAX_VCPUS 3
#define UNITS     6
#define NONE      0xff

enum variant {
    AS_IS,
    NO_WAIT,           /* the translator does not wait for the others' safepoints */
    READ_EARLY,        /* bytes are read before the wait */
    MARK_LATE,         /* CODE is set after the wait */
    READY_EARLY,       /* another translator is told that the page is ready before the wait */
    NO_DROP,           /* a safepoint leaves the write entry */
    CHECK_FIRST,       /* a slow store looks at CODE before it stores */
    NO_VERSION,        /* a unit is inserted whatever was written meanwhile */
    VERSION_LATE,      /* the version is taken after the bytes were read */
    CLEAR_UNDER_BUILD, /* CODE goes with the last unit, though one is being made */
    CLEAR_LATE,        /* the last unit's death is seen, but CODE is cleared without looking again */
    NO_KILL,           /* dead units may still be entered */
    NO_EPOCH,          /* memory goes when the unit dies */
    EPOCH_EARLY,       /* a death counts for the epoch before it */
    JUMPS_KEPT,        /* a safepoint acknowledges the epoch but keeps the jump hash */
    VARIANTS
};

enum pc {
    /* the writer */
    W_NEXT, /* safepoint, then the next store; which way it goes */
    W_FILL, /* CODE was not set: the write entry comes, then the store */
    W_FAST,
    W_SLOW,  /* CODE was set: store, then look at it */
    W_CHECK, /* reads CODE again */
    W_TOLD,  /* units_written() */
    W_CLEAR, /* CLEAR_LATE only */
    /* who executes */
    X_POINT,   /* safepoint: mailbox, then the jump hash's epoch is read */
    X_JUMPS,   /* the hash is emptied when it is old */
    X_RELEASE, /* dead units whose time has come; then fence.i: from here on it has to see what is stored */
    X_FIND,
    X_ENTER,
    X_RUN, /* inside: reads the unit's memory */
    /* who translates */
    T_BEGIN,
    T_MARK,
    T_POST,
    T_WAIT,
    T_READY,
    T_READ,
    T_INSERT,
    END
};

struct mvcpu {
    uint8_t pc, left;
    uint8_t mail;  /* who waits for our safepoint, a bit each */
    uint8_t entry; /* write entry for the page */
    uint8_t jumps; /* unit in the jump hash */
    uint8_t jumps_epoch, seen_epoch;
    uint8_t unit;           /* found, or being run */
    uint8_t must;           /* the oldest bytes it may execute */
    uint8_t bytes, version; /* the unit in the making */
    uint8_t early;
};

struct munit {
    uint8_t made, live, freed, bytes, retired;
};

struct model {
    uint8_t mem, completed; /* number of the last store: made, and over */
    uint8_t code, page, building, version, ready;
    uint8_t hash; /* unit to be found */
    uint8_t epoch, jumps_epoch;
    struct munit unit[UNITS];
    struct mvcpu v[MAX_VCPUS];
};

struct search {
    enum variant variant;
    unsigned vcpus;
    bool device;        /* the writer is one: nobody waits for it, and it has no write entry */
    struct model *seen; /* open hash; `used` tells which */
    uint8_t *used;
    struct model *stack;
    size_t size, states, depth;
    const char *bad;
};

static void serve(const struct search *s, struct mvcpu *v)
{
    if (v->mail && s->variant != NO_DROP)
        v->entry = 0;
    v->mail = 0;
}

/* ---- under the table's lock ---- */

static void page_put(struct model *m, bool under_build)
{
    if (m->hash != NONE || (m->building && !under_build))
        return;
    m->code = m->ready = 0;
    if (!m->building)
        m->page = m->version = 0;
}

static void kill_unit(const struct search *s, struct model *m)
{
    struct munit *u = &m->unit[m->hash];

    u->live = 0;
    u->freed = s->variant == NO_EPOCH;
    u->retired = (uint8_t)(m->epoch + (s->variant != EPOCH_EARLY));
    m->epoch++;
    m->hash = NONE;
}

static void written(const struct search *s, struct model *m)
{
    if (!m->page)
        return;
    if (m->building)
        m->version++;
    if (m->hash == NONE)
        return;
    kill_unit(s, m);
    if (s->variant != CLEAR_LATE)
        page_put(m, s->variant == CLEAR_UNDER_BUILD);
}

static void release(const struct search *s, struct model *m)
{
    for (unsigned i = s->device; i < s->vcpus; i++) {
        if (m->v[i].pc != END && m->v[i].jumps_epoch < m->jumps_epoch)
            return;
    }
    for (unsigned i = 0; i < UNITS; i++) {
        struct munit *u = &m->unit[i];

        if (u->made && !u->live && u->retired <= m->jumps_epoch)
            u->freed = 1;
    }
    m->jumps_epoch = m->epoch;
}

/* False: another write came between, begin again. */
static bool insert(struct search *s, struct model *m, struct mvcpu *v)
{
    unsigned i = 0;

    m->building--;
    if (m->version != v->version && s->variant != NO_VERSION) {
        page_put(m, false);
        return false;
    }
    if (m->hash == NONE) {
        while (i < UNITS && m->unit[i].made)
            i++;
        assert_true(i < UNITS);
        m->unit[i] = (struct munit){.made = 1, .live = 1, .bytes = v->bytes};
        m->hash = (uint8_t)i;
    }
    v->unit = m->hash;
    return true;
}

/* ---- steps: true when v could make one ---- */

static void writer_next(struct search *s, struct model *m, struct mvcpu *v)
{
    serve(s, v);
    v->jumps_epoch = m->jumps_epoch;
    if (!v->left)
        v->pc = END;
    else if (v->entry)
        v->pc = W_FAST;
    else if (m->code || s->device)
        v->pc = W_SLOW;
    else
        v->pc = W_FILL;
    v->early = m->code;
}

/* The instruction, or the device's copy, is over. */
static void store_done(struct model *m, struct mvcpu *v)
{
    m->completed = m->mem;
    v->left--;
    v->pc = W_NEXT;
}

static bool writer_step(struct search *s, struct model *m, struct mvcpu *v)
{
    switch (v->pc) {
    case W_NEXT:
        writer_next(s, m, v);
        return true;
    case W_FILL:
        v->entry = 1;
        v->pc = W_FAST;
        return true;
    case W_FAST:
        m->mem++;
        store_done(m, v);
        return true;
    case W_SLOW:
        m->mem++;
        v->pc = W_CHECK;
        return true;
    case W_CHECK:
        if (s->variant == CHECK_FIRST ? v->early : m->code)
            v->pc = W_TOLD;
        else
            store_done(m, v);
        return true;
    case W_TOLD:
        written(s, m);
        if (s->variant == CLEAR_LATE && m->hash == NONE)
            v->pc = W_CLEAR;
        else
            store_done(m, v);
        return true;
    case W_CLEAR:
        m->code = m->ready = 0;
        store_done(m, v);
        return true;
    default:
        return false;
    }
}

static void enter(struct search *s, struct model *m, struct mvcpu *v)
{
    struct munit *u = &m->unit[v->unit];

    if (u->freed)
        s->bad = "a freed unit is entered";
    v->pc = X_POINT;
    if (!u->live && s->variant != NO_KILL)
        return; /* its entry leads back */
    if (u->bytes < v->must)
        s->bad = "stale bytes are executed";
    v->jumps = v->unit;
    v->pc = X_RUN;
}

static bool executor_step(struct search *s, struct model *m, struct mvcpu *v)
{
    switch (v->pc) {
    case X_POINT:
        serve(s, v);
        v->unit = NONE;
        v->seen_epoch = m->jumps_epoch;
        v->pc = v->left ? X_JUMPS : END;
        return true;
    case X_JUMPS:
        if (v->jumps_epoch != v->seen_epoch && s->variant != JUMPS_KEPT)
            v->jumps = NONE;
        v->jumps_epoch = v->seen_epoch;
        v->pc = X_RELEASE;
        return true;
    case X_RELEASE:
        release(s, m);
        v->must = m->completed;
        v->pc = X_FIND;
        return true;
    case X_FIND:
        v->unit = v->jumps != NONE ? v->jumps : m->hash;
        v->jumps = NONE; /* one that leads back is not taken twice */
        v->pc = v->unit != NONE ? X_ENTER : T_BEGIN;
        return true;
    case X_ENTER:
        enter(s, m, v);
        return true;
    case X_RUN:
        if (m->unit[v->unit].freed)
            s->bad = "a freed unit is executed";
        v->left--;
        v->pc = X_POINT;
        return true;
    default:
        return false;
    }
}

static void post(const struct search *s, struct model *m, unsigned self)
{
    m->v[self].entry = 0;
    for (unsigned i = s->device; i < s->vcpus; i++) {
        if (i != self)
            m->v[i].mail |= (uint8_t)BIT(self);
    }
}

static bool waits(const struct search *s, const struct model *m, unsigned self)
{
    for (unsigned i = 0; i < s->vcpus; i++) {
        if (m->v[i].mail >> self & 1)
            return true;
    }
    return false;
}

static bool translator_step(struct search *s, struct model *m, unsigned self)
{
    struct mvcpu *v = &m->v[self];

    switch (v->pc) {
    case T_BEGIN:
        m->page = 1;
        m->building++;
        v->pc = m->ready ? T_READY : T_MARK;
        return true;
    case T_MARK:
        if (s->variant != MARK_LATE)
            m->code = 1;
        if (s->variant == READY_EARLY)
            m->ready = 1;
        v->bytes = m->mem; /* READ_EARLY */
        v->pc = T_POST;
        return true;
    case T_POST:
        post(s, m, self);
        v->pc = T_WAIT;
        return true;
    case T_WAIT:
        if (!v->mail && s->variant != NO_WAIT && waits(s, m, self))
            return false;
        serve(s, v);
        if (s->variant != NO_WAIT && waits(s, m, self))
            return true;
        if (s->variant == MARK_LATE)
            m->code = 1;
        v->early = s->variant == READ_EARLY;
        v->pc = T_READY;
        return true;
    case T_READY:
        m->ready = 1;
        v->version = m->version;
        v->pc = T_READ;
        return true;
    case T_READ:
        if (!v->early)
            v->bytes = m->mem;
        v->early = 0;
        v->pc = T_INSERT;
        return true;
    case T_INSERT:
        if (s->variant == VERSION_LATE)
            v->version = m->version;
        v->pc = insert(s, m, v) ? X_ENTER : T_BEGIN;
        return true;
    default:
        return false;
    }
}

static bool step(struct search *s, struct model *m, unsigned self)
{
    struct mvcpu *v = &m->v[self];

    if (v->pc == END) { /* outside the engine its task still serves the mailbox */
        if (!v->mail)
            return false;
        serve(s, v);
        return true;
    }
    return writer_step(s, m, v) || executor_step(s, m, v) || translator_step(s, m, self);
}

/* What holds after every step. */
static const char *broken(const struct search *s, const struct model *m)
{
    if (m->hash == NONE)
        return NULL;
    if (!m->code)
        return "CODE is lost: a unit lives on a page without it";
    for (unsigned i = 0; i < s->vcpus; i++) {
        if (m->v[i].entry)
            return "a page with a unit has a write entry";
    }
    return NULL;
}

/* ---- the search ---- */

static bool visit(struct search *s, const struct model *m)
{
    const uint8_t *b = (const uint8_t *)m;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    size_t i;

    for (i = 0; i < sizeof(*m); i++)
        h = (h ^ b[i]) * UINT64_C(0x100000001b3);
    for (i = (h ^ h >> 29) & (s->size - 1); s->used[i]; i = (i + 1) & (s->size - 1)) {
        if (!memcmp(&s->seen[i], m, sizeof(*m)))
            return false;
    }
    assert_true(++s->states < s->size / 4 * 3);
    s->used[i] = 1;
    s->seen[i] = *m;
    s->stack[s->depth++] = *m;
    return true;
}

static void start(const struct search *s, struct model *m, unsigned stores, unsigned rounds, bool entry)
{
    memset(m, 0, sizeof(*m));
    m->hash = NONE;
    for (unsigned i = 0; i < s->vcpus; i++)
        m->v[i] = (struct mvcpu){.pc = i ? X_POINT : W_NEXT,
                                 .left = (uint8_t)(i ? rounds : stores),
                                 .entry = !i && entry,
                                 .jumps = NONE,
                                 .unit = NONE};
}

static void expand(struct search *s, const struct model *m)
{
    bool moved = false, over = true;

    for (unsigned i = 0; i < s->vcpus && !s->bad; i++) {
        struct model next = *m;

        over &= m->v[i].pc == END;
        if (!step(s, &next, i))
            continue;
        moved = true;
        if (!s->bad)
            s->bad = broken(s, &next);
        visit(s, &next);
    }
    if (!moved && !over && !s->bad)
        s->bad = "nobody can go on";
}

/* NULL, or what is violated. */
static const char *explore(enum variant variant, bool device, unsigned vcpus, unsigned stores,
                           unsigned rounds, size_t *states)
{
    struct search s = {.variant = variant, .vcpus = vcpus, .device = device, .size = (size_t)1 << 22};

    s.seen = calloc(s.size, sizeof(*s.seen));
    s.used = calloc(s.size, 1);
    s.stack = calloc(s.size, sizeof(*s.stack));
    assert_true(s.seen && s.used && s.stack);
    for (unsigned entry = 0; entry < (device ? 1 : 2); entry++) {
        struct model m;

        start(&s, &m, stores, rounds, entry);
        visit(&s, &m);
    }
    while (s.depth && !s.bad) {
        struct model m = s.stack[--s.depth];

        expand(&s, &m);
    }
    *states = s.states;
    free(s.seen);
    free(s.used);
    free(s.stack);
    return s.bad;
}

static void holds(void **state)
{
    static const struct {
        bool device;
        unsigned vcpus, stores, rounds;
    } rows[] = {{false, 2, 1, 2}, {false, 2, 3, 4}, {false, 3, 1, 2}, {false, 3, 2, 1},
                {true, 2, 3, 4},  {true, 3, 1, 2},  {true, 3, 2, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t states;
        const char *bad =
            explore(AS_IS, rows[i].device, rows[i].vcpus, rows[i].stores, rows[i].rounds, &states);

        print_message("%s, %u more, %u stores, %u rounds: %zu states\n", rows[i].device ? "device" : "vCPU",
                      rows[i].vcpus - 1, rows[i].stores, rows[i].rounds, states);
        if (bad)
            fail_msg("%s", bad);
        assert_true(states > 100);
    }
}

/* The smallest system that shows it; which one that is says where the step matters. */
static void has_teeth(void **state)
{
    (void)state;
    for (enum variant x = AS_IS + 1; x < VARIANTS; x++) {
        const char *bad = NULL;
        unsigned size;
        size_t states;

        for (size = 0; size < 8 && !bad; size++)
            bad = explore(x, size & 1, size & 2 ? 3 : 2, size & 2 ? 1 : 3, size & 4 ? 2 : 3 - (size & 2),
                          &states);
        print_message("variant %d: %s (%u)\n", x, bad ? bad : "not found", size);
        assert_non_null(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds), cmocka_unit_test(has_teeth)};

    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
