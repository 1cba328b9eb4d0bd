/* From pc to unit: fetch translation, table, forming. */
#include "engine/soft/run.h"
#include "engine/soft/ram.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define TAIL 16 /* of the next page, behind soft_scratch.page */

/* An exception in place of the instruction at v->pc: it counts as begun. */
static void count_fault(struct vcpu *v)
{
    v->budget--;
}

static int fetch(struct vcpu *v, gva_t va, gpa_t *gpa)
{
    if (!tlb_fetch(v, va, gpa))
        return 0;
    count_fault(v);
    v->vm->guest->raise(v, va);
    v->leave = 0; /* no unit is running */
    return 1;
}

static const uint8_t *code_page(struct vcpu *v, gva_t va, gpa_t gpa)
{
    const uint8_t *host = mem_ptr(&v->vm->mem, gpa & TLB_PAGE_MASK, MEM_PAGE_SIZE, false);

    if (host)
        return host;
    count_fault(v);
    v->vm->guest->raise_bus(v, va, ACCESS_FETCH);
    v->leave = 0;
    return NULL;
}

static gva_t next_page(gva_t va)
{
    return (va & TLB_PAGE_MASK) + MEM_PAGE_SIZE;
}

bool soft_unit_matches(struct vcpu *v, const struct unit *u)
{
    gpa_t gpa2;

    if (u->gpa2 == UNIT_NO_PAGE)
        return true;
    return !tlb_fetch(v, next_page(v->pc), &gpa2) && gpa2 == u->gpa2;
}

static void fatal(struct vcpu *v, const char *why)
{
    v->exit.kind = EXIT_FATAL;
    v->exit.fatal = why;
}

static void unit_lines(struct unit *u, const struct soft_scratch *s)
{
    const struct ir_unit *ir = &s->unit;
    bool same = u->gpa2 == (u->gpa & TLB_PAGE_MASK);

    u->lines[0] = s->lines | (same && s->beyond ? 1 : 0);
    u->lines[1] = s->beyond ? 1 : 0;
    u->insns = u->blocks = 0;
    for (unsigned i = 0; i < ir->block_count; i++)
        u->insns = (uint16_t)(u->insns + ir->blocks[i].insns);
    u->blocks = ir->block_count;
}

static void trace_unit(struct vcpu *v, const struct unit *u, const struct ir_unit *ir)
{
    struct vm *vm = v->vm;
    char *text;

    if (LIKELY(!(vm->log.trace & (TRACE_UNIT | TRACE_IR))))
        return;
    if (vm->log.trace & TRACE_UNIT)
        trace_write(&vm->log, "unit: cpu%u pc 0x%llx gpa 0x%llx mode 0x%llx %u insns %u blocks", v->id,
                    (unsigned long long)v->pc, (unsigned long long)u->gpa, (unsigned long long)u->mode,
                    u->insns, u->blocks);
    if (!(vm->log.trace & TRACE_IR))
        return;
    text = plat_alloc(1u << 18);
    if (text && ir_print(ir, text, 1u << 18) >= 0)
        trace_write(&vm->log, "ir:\n%s", text);
    plat_free(text);
}

/* IR of what is in the scratch page: as large as its form allows. */
static int form(struct vcpu *v, struct unit *u, unsigned avail, const struct soft_form *f, bool single)
{
    struct soft_scratch *s = soft_of(v)->scratch;
    struct region_limits limits = single ? (struct region_limits){1, 1} : f->limits;
    struct region_hints hints = {.lean = f->lean, .vm = v->vm, .page = u->gpa & TLB_PAGE_MASK};

    limits.hints = f->lean ? &hints : NULL;

    for (;;) {
        int err =
            region_form(s, v->vm->lift, v->mode, (unsigned)(u->gpa & (MEM_PAGE_SIZE - 1)), avail, &limits);

        if (!err) {
            unit_lines(u, s);
            trace_unit(v, u, &s->unit);
            if (f->passes && !single)
                ir_optimise(&s->unit, f->passes, v->vm->lift->helpers);
            err = f->fill(v, u, &s->unit);
        } else if (err == -E2BIG) {
            return err;
        }
        if ((err != -E2BIG && err != -EOVERFLOW) || limits.insns == 1)
            return err == -E2BIG ? -EOVERFLOW : err;
        limits.insns = MAX(limits.insns / 4, 1u);
        limits.blocks = MAX(limits.blocks / 4, 1u);
    }
}

/* One try: -EAGAIN when code was written meanwhile; -E2BIG when the second page is needed. */
static int make_once(struct vcpu *v, struct unit **out, const uint8_t *host[2], gpa_t gpa, gpa_t gpa2,
                     bool single, const struct soft_form *f)
{
    struct soft_scratch *s = soft_of(v)->scratch;
    struct units_build b;
    struct unit *u = units_alloc(v->vm);
    int err;

    if (!u)
        return -ENOMEM;
    err = units_begin(v, &b, gpa, gpa2);
    if (err) {
        units_free(v->vm, u);
        return err;
    }
    plat_meet();
    s->source = host[0];
    s->copied = 0;
    if (host[1])
        ram_read_words(s->page + MEM_PAGE_SIZE, host[1], TAIL);
    u->gpa = gpa;
    u->gpa2 = gpa2;
    u->mode = v->mode | (single ? UNIT_SINGLE : 0);
    u->heat = f->heat;
    err = form(v, u, MEM_PAGE_SIZE + (host[1] ? TAIL : 0), f, single);
    if (err) {
        units_abort(v, &b);
        units_free(v->vm, u);
        return err;
    }
    plat_meet();
    err = units_insert(v, &b, &u);
    if (err) {
        units_free(v->vm, u);
        return err;
    }
    soft_of(v)->stat.units_formed++;
    *out = u;
    return 0;
}

/*
 * NULL: an exception, or a fatal exit, or a flush since `flushes` voids gpa. Making a unit waits for the
 * other vCPUs, and serves them meanwhile.
 */
static struct unit *make(struct vcpu *v, gpa_t gpa, bool single, const struct soft_form *f, unsigned flushes)
{
    const uint8_t *host[2] = {code_page(v, v->pc, gpa), NULL};
    gpa_t gpa2 = UNIT_NO_PAGE;
    struct unit *u = NULL;
    int err, tries = 0;

    if (!host[0])
        return NULL;
    for (;;) {
        err = make_once(v, &u, host, gpa, gpa2, single, f);
        if (soft_of(v)->flushes != flushes)
            return NULL;
        if (!err)
            return u;
        if (err == -E2BIG && !host[1]) {
            if (fetch(v, next_page(v->pc), &gpa2))
                return NULL;
            host[1] = code_page(v, next_page(v->pc), gpa2);
            if (!host[1])
                return NULL;
            continue;
        }
        if (err != -EAGAIN && (err != -ENOMEM || ++tries > 1)) {
            fatal(v, err == -ENOMEM ? "no memory for translated code" : "an instruction has no translation");
            return NULL;
        }
    }
}

struct unit *soft_unit_at(struct vcpu *v, bool single, const struct soft_form *f)
{
    struct soft_vcpu *s = soft_of(v);
    struct unit *u;
    unsigned flushes;
    gpa_t gpa;

    do {
        flushes = s->flushes;
        s->fetch_local = false;
        if (fetch(v, v->pc, &gpa))
            return NULL;
        u = units_find(v->vm, gpa, v->mode | (single ? UNIT_SINGLE : 0));
        if (!u || !soft_unit_matches(v, u))
            u = make(v, gpa, single, f, flushes);
    } while (s->flushes != flushes);
    return u;
}

/* ---- engine_ops entries ---- */

void soft_kick(struct vcpu *v)
{
    (void)v; /* requests are seen at the end of the slice, some microseconds away */
}

void soft_fetch_barrier(struct vcpu *v)
{
    (void)v; /* units die when the bytes are written */
}

void soft_code_written(struct vm *vm, gpa_t gpa, uint64_t len)
{
    units_written(vm, gpa, len);
}

void soft_dirty_restart(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        tlb_drop_writes(vm->vcpu[i]);
}

static void drop_all(struct vcpu *v, void *arg)
{
    (void)arg;
    soft_of(v)->flushes++;
    tlb_reset(soft_of(v));
    soft_context_changed(v);
    soft_sites_clear(soft_of(v));
}

void soft_mem_changed(struct vm *vm)
{
    struct vcpu *self = plat_current();

    if (!vm->engine_vm || !vm->vcpu_count || !vm->vcpu[0]->set_up)
        return;
    units_flush(vm);
    if (self && self->vm == vm)
        drop_all(self, NULL);
    vcpu_call_others(self && self->vm == vm ? self : NULL, vm, drop_all, NULL);
}

struct counter_row {
    const char *name;
    size_t offset;
};

#define ROW(name, field)                                                                                     \
    {                                                                                                        \
        name, offsetof(struct soft_vcpu, stat.field)                                                         \
    }
static const struct counter_row rows[] = {
    ROW("units.formed", units_formed), ROW("units.entered", units_run),   ROW("tlb.hits", tlb_hits),
    ROW("tlb.misses", tlb_fills),      ROW("tlb.walks", tlb_walks),       ROW("insns.exact", singles),
    ROW("units.bails", bails),         ROW("units.promoted", promotions), ROW("insns.interp", insns_interp),
};

void soft_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque)
{
    struct units_stat st;

    for (unsigned r = 0; r < ARRAY_SIZE(rows); r++) {
        uint64_t sum = 0;

        for (unsigned i = 0; i < vm->vcpu_count; i++)
            sum += *(uint64_t *)((char *)soft_of(vm->vcpu[i]) + rows[r].offset);
        emit(opaque, rows[r].name, sum);
    }
    units_stat(vm, &st);
    emit(opaque, "units.alive", st.count);
    emit(opaque, "units.bytes", st.bytes);
    emit(opaque, "units.killed", st.killed);
    emit(opaque, "units.evicted", st.evicted);
}
