/* The soft TLB: fills, walks, flushes. */
#include "engine/soft/tlb.h"
#include "engine/soft/units.h"
#include "lib/str.h"

static const uint8_t large_bits[TLB_LARGE_CLASSES] = {16, 21, 30};

void tlb_reset(struct soft_vcpu *s)
{
    memset(s->read, 0, sizeof(s->read));
    memset(s->write, 0, sizeof(s->write));
    memset(s->write_hosts, 0, sizeof(s->write_hosts));
    memset(s->write_sets, 0, sizeof(s->write_sets));
    memset(s->fetch, 0, sizeof(s->fetch));
    memset(s->code, 0, sizeof(s->code));
    memset(s->large, 0, sizeof(s->large));
    memset(s->contexts, 0, sizeof(s->contexts));
    memset(s->spaces, 0, sizeof(s->spaces));
    memset(s->large_seen, 0, sizeof(s->large_seen));
    soft_jumps_clear(s);
    soft_sites_clear(s);
    s->next_id = 1;
    s->global_id = 0;
    s->local_count = 0;
    s->global_low = false;
    s->generation++;
}

/* ---- large pages ---- */

/* The bit for a range of 2^bits bytes at va; upper and lower half of the address space apart. */
static uint64_t *seen_word(struct soft_vcpu *s, unsigned size_class, gva_t va, uint64_t *mask)
{
    unsigned h = (unsigned)(((va >> large_bits[size_class]) * UINT64_C(0x9e3779b97f4a7c15)) >> 56);

    *mask = BIT(h % 64);
    return &s->large_seen[va >> 63][size_class][h / 64];
}

static const struct tlb_large *large_find(const struct soft_vcpu *s, uint64_t mode, gva_t va,
                                          enum access access)
{
    for (unsigned i = 0; i < TLB_LARGE; i++) {
        const struct tlb_large *l = &s->large[i];

        if (va - l->va < l->size && l->access == access &&
            (l->ctx ? l->ctx == s->ctx[access] : l->mode == mode))
            return l;
    }
    return NULL;
}

static void large_add(struct vcpu *v, gva_t va, enum access access, const struct translation *t)
{
    struct soft_vcpu *s = soft_of(v);
    /* Without paging everything is one page; a piece of it at a time is enough. */
    uint64_t size = BIT(MIN(t->page_bits, large_bits[TLB_LARGE_CLASSES - 1]));
    uint64_t mask, *word;

    /* Its context outlives the address space: no entry, but the pieces are marked. */
    if (t->global || !s->shared[access])
        s->large[s->next_large++ % TLB_LARGE] = (struct tlb_large){
            .va = va & ~(size - 1),
            .size = size,
            .gpa = t->gpa & ~(size - 1),
            .mode = v->mode,
            .ctx = (uint16_t)(t->global ? 0 : s->ctx[access]),
            .access = (uint8_t)access,
            .device = t->device,
        };
    for (unsigned i = 0; i < ARRAY_SIZE(large_bits); i++) {
        /* A page of another size counts as the next larger class: its neighbours are marked alike. */
        if (size <= BIT(large_bits[i])) {
            word = seen_word(s, i, va, &mask);
            *word |= mask;
            break;
        }
    }
}

static bool large_covers(struct soft_vcpu *s, gva_t va)
{
    uint64_t mask;

    for (unsigned i = 0; i < ARRAY_SIZE(large_bits); i++) {
        if (*seen_word(s, i, va, &mask) & mask)
            return true;
    }
    return false;
}

/* ---- walks ---- */

/* All of the target but region and host. */
static int translate(struct vcpu *v, gva_t va, enum access access, struct tlb_target *out)
{
    struct soft_vcpu *s = soft_of(v);
    const struct tlb_large *l = large_find(s, v->mode, va, access);
    struct translation t = {0};

    if (l) {
        out->gpa = l->gpa + (va - l->va);
        out->page_bits = MEM_PAGE_BITS;
        out->global = !l->ctx;
        out->device = l->device;
        return 0;
    }
    s->stat.tlb_walks++;
    if (v->vm->guest->translate(v, va, access, &t))
        return 1;
    if (t.page_bits > MEM_PAGE_BITS)
        large_add(v, va, access, &t);
    s->global_low |= t.global && !(va >> 63);
    out->gpa = t.gpa;
    out->page_bits = t.page_bits;
    out->global = t.global;
    out->device = t.device;
    return 0;
}

int tlb_walk(struct vcpu *v, gva_t va, enum access access, struct tlb_target *out)
{
    if (translate(v, va, access, out))
        return 1;
    out->region = mem_find(&v->vm->mem, out->gpa);
    out->host = NULL;
    if (out->region && out->region->kind != MEM_MMIO)
        out->host = out->region->host + (out->gpa - out->region->base);
    return 0;
}

static void way_fill(struct tlb_set *set, uint64_t tag, uint64_t addend)
{
    if (set->way[0].tag != tag)
        set->way[1] = set->way[0];
    set->way[0] = (struct tlb_way){tag, addend};
}

/* Before an entry of the page is made. */
static void local_note(struct vcpu *v, gva_t va, enum access access, const struct tlb_target *t)
{
    struct soft_vcpu *s = soft_of(v);

    if (LIKELY(t->global || !s->shared[access]))
        return;
    if (!s->local_count)
        s->local_asid = v->vm->guest->asid(v);
    if (s->local_count < TLB_LOCALS)
        s->locals[s->local_count] = va & TLB_PAGE_MASK;
    if (s->local_count <= TLB_LOCALS)
        s->local_count++;
}

/* A hit in the second way comes here too: it moves to the first. */
void *tlb_fill_read(struct vcpu *v, gva_t va, unsigned size)
{
    struct soft_vcpu *s = soft_of(v);
    struct tlb_target t;

    if ((va & (MEM_PAGE_SIZE - 1)) + size > MEM_PAGE_SIZE)
        return NULL;
    s->stat.tlb_fills++;
    if (tlb_walk(v, va, ACCESS_READ, &t) || !t.host || t.device || t.page_bits < MEM_PAGE_BITS)
        return NULL;
    local_note(v, va, ACCESS_READ, &t);
    plat_meet();
    way_fill(&s->read[tlb_set(va)], tlb_tag(va, s->ctx[ACCESS_READ]), (uintptr_t)t.host - va);
    return t.host;
}

static _Atomic uint8_t *flags_of(const struct tlb_target *t)
{
    return &t->region->flags[(t->gpa - t->region->base) >> MEM_PAGE_BITS];
}

/* Sets DIRTY, and gives what was set. */
static uint8_t page_dirty(const struct tlb_target *t)
{
    _Atomic uint8_t *f = flags_of(t);
    uint8_t flags = atomic_load_explicit(f, memory_order_relaxed);

    if (!(flags & MEM_PAGE_DIRTY))
        flags = atomic_fetch_or(f, MEM_PAGE_DIRTY);
    return flags;
}

static struct tlb_code *code_entry(struct soft_vcpu *s, gva_t va)
{
    return &s->code[(va >> MEM_PAGE_BITS) % TLB_CODE_PAGES];
}

static void code_fill(struct vcpu *v, gva_t va, const struct tlb_target *t)
{
    struct soft_vcpu *s = soft_of(v);
    unsigned at = (unsigned)(va & (MEM_PAGE_SIZE - 1));

    if (v->vm->vcpu_count == 1)
        *code_entry(s, va) = (struct tlb_code){
            .tag = tlb_tag(va, s->ctx[ACCESS_WRITE]),
            .host = t->host - at,
            .gpa = t->gpa - at,
            .flags = flags_of(t),
        };
}

/* The entry's index comes from the first byte, its tag from the last: never both of an access that crosses.
 */
void *tlb_store_once(struct vcpu *v, gva_t va, unsigned size)
{
    enum { KNOWN = MEM_PAGE_CODE | MEM_PAGE_DIRTY };
    struct soft_vcpu *s = soft_of(v);
    const struct tlb_code *c = code_entry(s, va);
    unsigned at = (unsigned)(va & (MEM_PAGE_SIZE - 1));

    if (c->tag != tlb_tag(va + size - 1, s->ctx[ACCESS_WRITE]) ||
        atomic_load_explicit(c->flags, memory_order_relaxed) != KNOWN ||
        !units_beside(v->vm, c->gpa + at, size))
        return NULL;
    return c->host + at;
}

static uint16_t *host_sets(struct soft_vcpu *s, uintptr_t host)
{
    return &s->write_sets[(host >> MEM_PAGE_BITS) % TLB_HOSTS];
}

/* A write entry of that host page is in the set. */
static void host_note(struct soft_vcpu *s, uintptr_t host, unsigned set)
{
    uint16_t *sets = host_sets(s, host);

    if (*sets != set + 1)
        *sets = *sets ? TLB_HOST_MANY : (uint16_t)(set + 1);
    s->write_hosts[set / TLB_GROUP_SETS] |= soft_page_bit(host);
}

void *tlb_fill_write(struct vcpu *v, gva_t va, unsigned size)
{
    struct soft_vcpu *s = soft_of(v);
    struct tlb_target t;
    uint8_t flags;

    if ((va & (MEM_PAGE_SIZE - 1)) + size > MEM_PAGE_SIZE)
        return NULL;
    s->stat.tlb_fills++;
    if (tlb_walk(v, va, ACCESS_WRITE, &t) || !t.host || t.device || t.page_bits < MEM_PAGE_BITS ||
        t.region->kind != MEM_RAM)
        return NULL;
    local_note(v, va, ACCESS_WRITE, &t);
    flags = page_dirty(&t);
    /* Each store there has to be told. */
    if (flags & (MEM_PAGE_CODE | MEM_PAGE_WATCH)) {
        if (!(flags & MEM_PAGE_WATCH))
            code_fill(v, va, &t);
        return NULL;
    }
    plat_meet();
    way_fill(&s->write[tlb_set(va)], tlb_tag(va, s->ctx[ACCESS_WRITE]), (uintptr_t)t.host - va);
    host_note(s, (uintptr_t)t.host, tlb_set(va));
    return t.host;
}

void *tlb_fill_store(struct vcpu *v, gva_t va, unsigned size)
{
    void *p = tlb_store_once(v, va, size);

    if (!p) {
        p = tlb_fill_write(v, va, size);
        if (p)
            return p;
        p = tlb_store_once(v, va, size);
    }
    return p ? (void *)((uintptr_t)p | TLB_ONCE) : NULL;
}

/* The way of a page, or NULL. */
static const struct tlb_way *way_of(const struct tlb_set *sets, gva_t page, uint64_t ctx)
{
    const struct tlb_set *set = &sets[tlb_set(page)];

    for (unsigned w = 0; w < 2; w++) {
        if (set->way[w].tag == tlb_tag(page, ctx))
            return &set->way[w];
    }
    return NULL;
}

void tlb_fill_window(struct vcpu *v, unsigned site)
{
    struct soft_vcpu *s = soft_of(v);
    unsigned n = soft_window_of(site);
    bool write = site % SOFT_SITES >= SOFT_SITES_READ;
    const struct tlb_set *sets = write ? s->write : s->read;
    uint64_t ctx = s->ctx[write ? ACCESS_WRITE : ACCESS_READ];
    gva_t page = s->sites[site].page, low = page, high = page;
    const struct tlb_way *way;

    if (page - s->windows[n].base < s->windows[n].size || !way_of(sets, page, ctx))
        return;
    s->windows[n].size = 0;
    while (high - low < (SOFT_WINDOW_PAGES / 2) * MEM_PAGE_SIZE && way_of(sets, high + MEM_PAGE_SIZE, ctx))
        high += MEM_PAGE_SIZE;
    while (high - low < (SOFT_WINDOW_PAGES - 1) * MEM_PAGE_SIZE && way_of(sets, low - MEM_PAGE_SIZE, ctx))
        low -= MEM_PAGE_SIZE;
    for (gva_t p = low; p != high + MEM_PAGE_SIZE; p += MEM_PAGE_SIZE) {
        way = way_of(sets, p, ctx);
        if (!way)
            return;
        s->window_addend[n][(p - low) >> MEM_PAGE_BITS] = way->addend;
    }
    s->windows[n] = (struct soft_window){low, high + MEM_PAGE_SIZE - low};
    s->windows_filled[site / SOFT_SITES] = 1;
}

/* Bit 0 of a fetch entry's addend: the page is not global. */
int tlb_fetch(struct vcpu *v, gva_t va, gpa_t *gpa)
{
    struct soft_vcpu *s = soft_of(v);
    struct tlb_set *set = &s->fetch[tlb_fetch_set(va)];
    uint64_t tag = tlb_tag(va, s->ctx[ACCESS_FETCH]);
    struct tlb_target t;

    for (unsigned i = 0; i < 2; i++) {
        if (set->way[i].tag == tag) {
            *gpa = (set->way[i].addend & TLB_PAGE_MASK) + (va & (MEM_PAGE_SIZE - 1));
            s->fetch_local |= set->way[i].addend & 1;
            return 0;
        }
    }
    if (translate(v, va, ACCESS_FETCH, &t))
        return 1;
    *gpa = t.gpa;
    s->fetch_local |= !t.global;
    plat_meet();
    if (t.page_bits >= MEM_PAGE_BITS)
        way_fill(set, tag, (t.gpa & TLB_PAGE_MASK) | !t.global);
    return 0;
}

/* ---- flushes ---- */

/* Those of other pages are noted anew. */
static void group_drop_host(struct soft_vcpu *s, unsigned group, uintptr_t host)
{
    uint64_t hosts = 0;

    for (unsigned i = 0; i < 2 * TLB_GROUP_SETS; i++) {
        unsigned set = group * TLB_GROUP_SETS + i / 2;
        struct tlb_way *way = &s->write[set].way[i % 2];
        uint64_t page = (way->tag & TLB_PAGE_MASK) + way->addend;

        if (!way->tag)
            continue;
        if (page == host) {
            way->tag = 0;
            continue;
        }
        hosts |= soft_page_bit(page);
        if (host_sets(s, page) == host_sets(s, host))
            host_note(s, page, set);
    }
    s->write_hosts[group] = hosts;
}

/* Code that is written and run in turns comes by here each time: its page is mostly in the one set. */
void tlb_drop_write(struct vcpu *v, const uint8_t *host_page)
{
    struct soft_vcpu *s = soft_of(v);
    uintptr_t host = (uintptr_t)host_page;
    uint16_t sets = *host_sets(s, host);

    *host_sets(s, host) = 0;
    for (unsigned i = 0; sets == TLB_HOST_MANY && i < ARRAY_SIZE(s->write_hosts); i++) {
        if (s->write_hosts[i] & soft_page_bit(host))
            group_drop_host(s, i, host);
    }
    if (sets && sets != TLB_HOST_MANY)
        group_drop_host(s, (sets - 1u) / TLB_GROUP_SETS, host);
    soft_sites_clear_writes(s);
}

void tlb_drop_writes(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);

    memset(s->write, 0, sizeof(s->write));
    memset(s->write_hosts, 0, sizeof(s->write_hosts));
    memset(s->write_sets, 0, sizeof(s->write_sets));
    soft_sites_clear_writes(s);
}

static void set_drop(struct tlb_set *set, gva_t page)
{
    for (unsigned w = 0; w < 2; w++) {
        if ((set->way[w].tag & TLB_PAGE_MASK) == page)
            set->way[w].tag = 0;
    }
}

static void page_drop(struct soft_vcpu *s, gva_t page)
{
    set_drop(&s->read[tlb_set(page)], page);
    set_drop(&s->write[tlb_set(page)], page);
    if ((code_entry(s, page)->tag & TLB_PAGE_MASK) == page)
        code_entry(s, page)->tag = 0;
    soft_sites_drop(s, page);
}

static void contexts_forget(struct soft_vcpu *s, uint64_t asid)
{
    for (unsigned i = 0; i < TLB_CONTEXTS; i++) {
        if (s->contexts[i].asid == asid)
            s->contexts[i].id = 0;
    }
}

void tlb_locals_drop(struct soft_vcpu *s)
{
    if (s->local_count > TLB_LOCALS) {
        contexts_forget(s, TLB_NO_ASID);
        s->local_floods++;
    } else {
        for (unsigned i = 0; i < s->local_count; i++)
            page_drop(s, s->locals[i]);
    }
    s->local_count = 0;
}

static void forget_asid(struct soft_vcpu *s, uint64_t asid)
{
    tlb_locals_drop(s);
    /* Global large pages survive; those of one address space die with their context id. */
    contexts_forget(s, asid);
}

static void forget_all(struct soft_vcpu *s)
{
    for (unsigned i = 0; i < TLB_CONTEXTS; i++)
        s->contexts[i].id = 0;
    s->global_id = 0;
    s->local_count = 0;
    s->global_low = false;
    memset(s->large, 0, sizeof(s->large));
    memset(s->large_seen, 0, sizeof(s->large_seen));
}

/*
 * A page named by any address in it: the entries of that page in every context (more than asked is
 * allowed). If a piece of a larger page may be meant, its other pieces have to go too: all goes.
 */
static bool flush_page(struct soft_vcpu *s, gva_t va)
{
    gva_t page = va & TLB_PAGE_MASK;

    if (large_covers(s, va)) {
        forget_all(s);
        return true;
    }
    page_drop(s, page);
    set_drop(&s->fetch[tlb_fetch_set(va)], page);
    return false;
}

bool tlb_flush(struct vcpu *v, const struct flush_scope *scope)
{
    struct soft_vcpu *s = soft_of(v);

    switch (scope->kind) {
    case FLUSH_ALL:
        forget_all(s);
        return true;
    case FLUSH_HALF:
        if (scope->va >> 63 || s->global_low) {
            forget_all(s);
            return true;
        }
        forget_asid(s, scope->asid);
        return true;
    case FLUSH_ASID:
        forget_asid(s, scope->asid);
        return true;
    default:
        return flush_page(s, scope->va);
    }
}
