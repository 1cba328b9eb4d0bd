/* What an engine executes: each test is one program. */
#include <stdlib.h>
#include <string.h>
#include "conformance.h"
#include "lib/err.h"

/* Registers set by name before the run reach the program, what it leaves is read back. */
void exec_registers(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    const struct code_isa *i = r->pair->isa;
    struct code *c = &r->code[0];
    struct vm_result res;
    char why[160];
    uint64_t x = 0xfedcba9876543210;

    i->sum(c, 2, 1);
    i->set(c, 3, 0x1122334455667788);
    i->add(c, 4, 3, -0x88);
    rig_end(c, 9);
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
    assert_int_equal(vcpu_reg_set(r->vm->vcpu[0], i->reg[1], &x, 8), 0);
    x = 1;
    assert_int_equal(vcpu_reg_set(r->vm->vcpu[0], i->reg[2], &x, 8), 0);
    res = rig_run(r);
    assert_int_equal(res.what, SYSTEM_STATUS);
    assert_int_equal(res.status, 9);
    assert_int_equal(rig_reg(r, 0, 2), 0xfedcba9876543211);
    assert_int_equal(rig_reg(r, 0, 3), 0x1122334455667788);
    assert_int_equal(rig_reg(r, 0, 4), 0x1122334455667700);
    assert_int_equal(vcpu_reg_get(r->vm->vcpu[0], "no such register", &x, 8), -ENOENT);
    rig_free(r);
}

/* Each size, read and written, with offset and value exact; reads are zero extended. */
void exec_mmio(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    const struct code_isa *i = r->pair->isa;
    struct code *c = &r->code[0];
    unsigned n = 0;

    i->set(c, 1, RIG_DEV);
    i->set(c, 2, 0x8877665544332211);
    for (unsigned size = 1; size <= 8; size *= 2) {
        i->store(c, size, 2, 1, (int)size);
        i->load(c, size, 3, 1, (int)(16 + size));
        i->set(c, 4, RIG_DATA);
        i->store(c, 8, 3, 4, (int)(8 * n++));
    }
    rig_end(c, 1);
    r->dev->answer = 0xa1a2a3a4a5a6a7a8;
    assert_int_equal(rig_run(r).status, 1);
    assert_int_equal(r->dev->count, 8);
    n = 0;
    for (unsigned size = 1; size <= 8; size *= 2, n++) {
        uint64_t mask = size == 8 ? ~UINT64_C(0) : BIT(8 * size) - 1;
        const struct rig_access *w = &r->dev->log[2 * n], *l = w + 1;

        assert_true(w->write && !l->write);
        assert_int_equal(w->size, size);
        assert_int_equal(l->size, size);
        assert_int_equal(w->offset, size);
        assert_int_equal(l->offset, 16 + size);
        assert_int_equal(w->value & mask, 0x8877665544332211 & mask);
        assert_int_equal(rig_word(r, RIG_DATA + 8 * n), (0xa1a2a3a4a5a6a7a8 + 16 + size) & mask);
    }
    rig_free(r);
}

/* Vector to a handler that ends with `status`; falls off to ending with 1. */
static void with_handler(struct rig *r, void (*middle)(struct code *c), unsigned status)
{
    struct code *c = &r->code[0];

    c->isa->set(c, 1, RIG_DATA);
    c->isa->vector(c, 1);
    middle(c);
    rig_end(c, 1);
    memset(&r->code[1], 0, sizeof(r->code[1]));
    r->code[1].isa = c->isa;
    rig_end(&r->code[1], status);
    mem_load(&r->vm->mem, RIG_DATA, r->code[1].bytes, r->code[1].at);
}

static void load_nowhere(struct code *c)
{
    c->isa->set(c, 2, 0x40000000);
    c->isa->load(c, 8, 3, 2, 0);
}

static void store_nowhere(struct code *c)
{
    c->isa->set(c, 2, 0x40000000);
    c->isa->store(c, 4, 3, 2, 0);
}

static void store_past_window(struct code *c)
{
    c->isa->set(c, 2, RIG_DEV + 0x1000);
    c->isa->store(c, 8, 3, 2, 0);
}

/* Nobody answers: the guest gets its exception, the VM goes on. */
void exec_bus_error(void **state)
{
    void (*const accesses[])(struct code * c) = {load_nowhere, store_nowhere, store_past_window};

    for (size_t k = 0; k < ARRAY_SIZE(accesses); k++) {
        struct rig *r = rig_new(*state, 1, false);

        with_handler(r, accesses[k], 30);
        assert_int_equal(rig_run(r).status, 30);
        assert_int_equal(r->dev->count, 0);
        rig_free(r);
    }
}

static void illegal(struct code *c)
{
    c->isa->illegal(c);
}

static void jump_away(struct code *c)
{
    c->isa->set(c, 2, 0x40000000);
    if (c->isa->jump_reg)
        c->isa->jump_reg(c, 2);
    else
        c->isa->jump(c, 0x40000000);
}

void exec_illegal(void **state)
{
    void (*const what[])(struct code * c) = {illegal, jump_away};

    for (size_t k = 0; k < ARRAY_SIZE(what); k++) {
        struct rig *r = rig_new(*state, 1, false);

        with_handler(r, what[k], 31);
        assert_int_equal(rig_run(r).status, 31);
        assert_true(r->vm->vcpu[0]->stat.exceptions >= 1);
        rig_free(r);
    }
}

/* n granted are n executed, whatever n; the program's own count agrees at the end of each loop. */
void exec_budget(void **state)
{
    struct rig *r = rig_new(*state, 1, true);
    const struct code_isa *i = r->pair->isa;
    struct code *c = &r->code[0];
    struct vcpu *v = r->vm->vcpu[0];
    enum exit_action action;
    uint64_t sum = 0;
    size_t top;
    char why[160];

    top = c->at;
    i->add(c, 1, 1, 1);
    i->add(c, 2, 2, 1);
    i->add(c, 3, 3, 1);
    i->jump(c, top);
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
    for (unsigned n = 0; n < 300; n++) {
        uint64_t before = vcpu_icount(v);

        assert_true(vcpu_prepare(v));
        vcpu_grant(v, n);
        assert_int_equal(vcpu_run(v, &action), 0);
        assert_int_equal(action, EXIT_HANDLED);
        assert_int_equal(vcpu_icount(v) - before, n);
        sum += n;
        assert_int_equal(rig_reg(r, 0, 1), (sum + 3) / 4);
        assert_int_equal(rig_reg(r, 0, 2), (sum + 2) / 4);
        assert_int_equal(rig_reg(r, 0, 3), (sum + 1) / 4);
    }
    vcpu_grant(v, 0);
    rig_free(r);
}

#define SITE 0x1000u

/*
 * A loop adds by an instruction that lies on another page and is rewritten each round, with a fetch
 * barrier after the store: every round must see its own.
 */
static void write_rounds(struct code *c, unsigned rounds, uint8_t *bytes, size_t *size)
{
    const struct code_isa *i = c->isa;
    struct code one = {.isa = i};
    size_t top;

    /* The instruction: r4 += round; here "add r4, r4, 1" or "add r4, r4, 3" in turn. */
    i->add(&one, 4, 4, 1);
    *size = one.at;
    memcpy(bytes, one.bytes, one.at);
    one.at = 0;
    i->add(&one, 4, 4, 3);
    memcpy(bytes + *size, one.bytes, one.at);

    i->set(c, 1, rig_entry(0) + SITE);
    i->set(c, 2, RIG_DATA);
    i->set(c, 3, rounds);
    top = c->at;
    i->load(c, 4, 5, 2, 0);
    i->store(c, 4, 5, 1, 0);
    if (*size == 8) {
        i->load(c, 4, 5, 2, 4);
        i->store(c, 4, 5, 1, 4);
    }
    i->fence(c);
    /* Swap the two in memory for the next round. */
    i->load(c, 8, 5, 2, 0);
    i->load(c, 8, 6, 2, 8);
    i->store(c, 8, 6, 2, 0);
    i->store(c, 8, 5, 2, 8);
    i->add(c, 3, 3, -1);
    i->jump(c, SITE);
    while (c->at < SITE)
        i->add(c, 6, 6, 0);
    i->add(c, 4, 4, 0); /* the site */
    i->jump_if(c, 3, top);
    rig_end(c, 2);
}

void exec_code_rewritten_by_guest(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    uint8_t bytes[16] = {0}, words[16] = {0};
    size_t size;

    write_rounds(&r->code[0], 400, bytes, &size);
    memcpy(words, bytes, size);
    memcpy(words + 8, bytes + size, size);
    mem_load(&r->vm->mem, RIG_DATA, words, sizeof(words));
    assert_int_equal(rig_run(r).status, 2);
    assert_int_equal(rig_reg(r, 0, 4), 200 * 1 + 200 * 3);
    rig_free(r);
}

/* The host writes code of a paused VM: a load from disk, a debugger. No barrier by the guest. */
void exec_code_rewritten_by_host(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    const struct code_isa *i = r->pair->isa;
    struct code *c = &r->code[0], one = {.isa = i};
    size_t top;

    i->set(c, 2, RIG_DATA);
    top = c->at;
    i->add(c, 1, 1, 1);
    i->store(c, 8, 1, 2, 0);
    i->jump(c, top);
    rig_start(r);
    rig_until(r, RIG_DATA, 1000000);
    for (unsigned k = 0; k < 20; k++) {
        uint64_t mark;

        assert_int_equal(vm_pause(r->vm), 0);
        one.at = 0;
        i->add(&one, 1, 1, k % 2 ? 1 : -1);
        assert_int_equal(mem_write(&r->vm->mem, rig_entry(0) + top, one.bytes, one.at), 0);
        mark = rig_word(r, RIG_DATA);
        assert_int_equal(vm_resume(r->vm), 0);
        for (uint64_t end = plat_clock_ns() + 60000000000u;;) {
            uint64_t now = rig_word(r, RIG_DATA);

            if (k % 2 ? (int64_t)(now - mark) > 1000 : (int64_t)(mark - now) > 1000)
                break;
            if (plat_clock_ns() > end)
                fail_msg("round %u: the old code still runs", k);
        }
    }
    vm_stop(r->vm, SYSTEM_POWEROFF, 0, "done");
    rig_wait(r);
    rig_free(r);
}

/* A program that stores to the first word of each of 8 pages, forever. */
static void store_loop(struct rig *r)
{
    const struct code_isa *i = r->pair->isa;
    struct code *c = &r->code[0];
    size_t top;

    i->set(c, 2, RIG_DATA);
    i->set(c, 3, MEM_PAGE_SIZE);
    top = c->at;
    i->add(c, 1, 1, 1);
    for (unsigned k = 0; k < 8; k++) {
        i->store(c, 8, 1, 2, 0);
        i->sum(c, 2, 3);
    }
    i->set(c, 2, RIG_DATA);
    i->jump(c, top);
}

static void run_for(struct rig *r, uint64_t n)
{
    struct vcpu *v = r->vm->vcpu[0];
    enum exit_action action;
    uint64_t end = vcpu_icount(v) + n;

    while (vcpu_icount(v) < end) {
        assert_true(vcpu_prepare(v));
        vcpu_grant(v, end - vcpu_icount(v));
        assert_int_equal(vcpu_run(v, &action), 0);
        assert_int_equal(action, EXIT_HANDLED);
    }
    vcpu_grant(v, 0);
}

/* After the flags were cleared, stores set them again, although the engine knew the pages as dirty. */
void exec_dirty_again(void **state)
{
    struct rig *r = rig_new(*state, 1, true);
    uint64_t last = 0;
    char why[160];

    store_loop(r);
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
    for (unsigned round = 0; round < 10; round++) {
        uint64_t h;

        run_for(r, 1000);
        for (unsigned k = 0; k < 8; k++)
            assert_int_equal(mem_page_flags(&r->vm->mem, RIG_DATA + k * MEM_PAGE_SIZE), MEM_PAGE_DIRTY);
        h = mem_hash(&r->vm->mem);
        assert_int_not_equal(h, last);
        last = h;
        for (unsigned k = 0; k < 8; k++)
            assert_int_equal(mem_page_flags(&r->vm->mem, RIG_DATA + k * MEM_PAGE_SIZE), 0);
        if (r->vm->engine->dirty_restart)
            r->vm->engine->dirty_restart(r->vm);
    }
    rig_free(r);
}

static void count_watched(struct vm *vm, gpa_t gpa, uint64_t len)
{
    struct rig *r = vm->machine;

    if (gpa == RIG_DATA + MEM_PAGE_SIZE && len == 8)
        r->arg[7]++;
}

/* Every single store to a watched page is told. */
void exec_watch(void **state)
{
    struct rig *r = rig_new(*state, 1, true);
    uint64_t loops;
    char why[160];

    store_loop(r);
    mem_page_mark(&r->vm->mem, RIG_DATA + MEM_PAGE_SIZE, MEM_PAGE_WATCH, 0);
    r->vm->watch = count_watched;
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
    run_for(r, 5000);
    loops = rig_word(r, RIG_DATA + MEM_PAGE_SIZE);
    assert_true(loops > 50);
    assert_int_equal(r->arg[7], loops);
    rig_free(r);
}

/* Flushes of every kind between two stays change nothing that the guest sees. */
void exec_flush_keeps_state(void **state)
{
    struct rig *r = rig_new(*state, 1, true), *q = rig_new(*state, 1, true);
    char why[160];

    store_loop(r);
    store_loop(q);
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
    assert_int_equal(vm_load(q->vm, why, sizeof(why)), 0);
    for (unsigned k = 0; k < 200; k++) {
        struct flush_scope s = {
            .kind = (enum flush_kind)(k % 4), .va = RIG_DATA + k % 9 * MEM_PAGE_SIZE, .asid = k % 3};

        run_for(r, 37);
        run_for(q, 37);
        r->vm->engine->flush(r->vm->vcpu[0], &s);
        if (k % 5 == 0 && r->vm->engine->fetch_barrier)
            r->vm->engine->fetch_barrier(r->vm->vcpu[0]);
        if (k % 7 == 0 && r->vm->engine->context_changed)
            r->vm->engine->context_changed(r->vm->vcpu[0]);
        if (k % 11 == 0 && r->vm->engine->mem_changed)
            r->vm->engine->mem_changed(r->vm);
        assert_int_equal(r->vm->vcpu[0]->pc, q->vm->vcpu[0]->pc);
        for (unsigned reg = 1; reg < 4; reg++)
            assert_int_equal(rig_reg(r, 0, reg), rig_reg(q, 0, reg));
    }
    assert_int_equal(vm_hash(r->vm), vm_hash(q->vm));
    rig_free(r);
    rig_free(q);
}

#define RANDOM 4096u

/* Whatever bytes are executed: the VM goes on or ends, the process lives, the count stays exact. */
void exec_random_code(void **state)
{
    srand(11);
    for (unsigned seed = 0; seed < 60; seed++) {
        struct rig *r = rig_new(*state, 1, true);
        struct vcpu *v = r->vm->vcpu[0];
        enum exit_action action;
        char why[160];

        for (size_t k = 0; k < RANDOM; k++)
            r->code[0].bytes[k] = (uint8_t)(rand() >> 8);
        /* Half of them with the low bits of a plausible instruction. */
        for (size_t k = 0; seed % 2 && k < RANDOM; k += r->pair->engine->software ? 4 : 8)
            r->code[0].bytes[k] =
                r->pair->engine->software ? r->code[0].bytes[k] | 3 : r->code[0].bytes[k] % 16;
        r->code[0].at = RANDOM;
        assert_int_equal(vm_load(r->vm, why, sizeof(why)), 0);
        for (unsigned k = 0; k < 50 && !atomic_load(&r->vm->stopping) && vcpu_prepare(v); k++) {
            vcpu_grant(v, 200);
            assert_int_equal(vcpu_run(v, &action), 0);
            assert_true(v->budget >= 0);
            if (action == EXIT_BLOCK)
                break;
        }
        rig_free(r);
    }
}

static void deterministic_program(struct rig *r)
{
    for (unsigned k = 0; k < r->cpus; k++) {
        const struct code_isa *i = r->pair->isa;
        struct code *c = &r->code[k];
        size_t top;

        i->set(c, 1, RIG_DATA);
        i->set(c, 2, 30000);
        top = c->at;
        i->load(c, 8, 3, 1, 0); /* all of them on one word: the turns decide */
        i->add(c, 3, 3, 1 + (int)k);
        i->store(c, 8, 3, 1, 0);
        i->add(c, 2, 2, -1);
        i->jump_if(c, 2, top);
        i->set(c, 4, RIG_DATA + 64);
        i->add(c, 5, 5, 1);
        i->store(c, 8, 5, 4, 8 * (int)k);
        if (k) {
            top = c->at;
            i->jump(c, top);
            continue;
        }
        for (unsigned o = 1; o < r->cpus; o++) {
            top = c->at;
            i->load(c, 8, 5, 4, 8 * (int)o);
            i->add(c, 6, 5, -1);
            i->jump_if(c, 6, top);
        }
        rig_end(c, 3);
    }
}

/* Two runs end in the same state; so do all engines of the same guest. */
void exec_deterministic(void **state)
{
    const struct rig_pair *self = *state;
    struct rig_pair pairs[16];
    unsigned n = rig_pairs(pairs, ARRAY_SIZE(pairs));
    uint64_t hash = 0, count = 0;

    for (unsigned k = 0; k < n + 1; k++) {
        const struct rig_pair *p = k < n ? &pairs[k] : self;
        struct rig *r;
        uint64_t h, insns = 0;

        if (p->isa != self->isa)
            continue;
        r = rig_new(p, 3, true);
        deterministic_program(r);
        assert_int_equal(rig_run(r).status, 3);
        h = vm_hash(r->vm);
        for (unsigned i = 0; i < 3; i++)
            insns += vcpu_icount(r->vm->vcpu[i]);
        if (!hash) {
            hash = h;
            count = insns;
        }
        assert_int_equal(insns, count);
        assert_int_equal(h, hash);
        rig_free(r);
    }
}

/* Checkpoints at every count of instructions leave the run as it is. */
void exec_checkpointed(void **state)
{
    uint64_t hash[2];

    for (unsigned k = 0; k < 2; k++) {
        struct rig *r = rig_new(*state, 2, true);

        r->vm->desc.checkpoint_every = k ? 7001 : 0;
        deterministic_program(r);
        assert_int_equal(rig_run(r).status, 3);
        assert_int_equal(r->vm->checkpoint.number > 10, k);
        hash[k] = vm_hash(r->vm);
        rig_free(r);
    }
    assert_int_equal(hash[0], hash[1]);
}
