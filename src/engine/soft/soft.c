/* Per-vCPU state of the software engines: contexts, fetch spaces, jump hash, sites. */
#include "engine/soft/soft.h"
#include "engine/soft/region.h"
#include "engine/soft/tlb.h"
#include "engine/soft/units.h"
#include "lib/err.h"
#include "lib/str.h"

/* Where the host has no randomness, its addresses have a little. */
static uint64_t draw_empty(const struct soft_vcpu *s)
{
    uint64_t x;

    if (plat_random(&x, sizeof(x)))
        x = ((uintptr_t)s ^ plat_clock_ns()) * UINT64_C(0x9e3779b97f4a7c15);
    return SOFT_SITE_EMPTY | (x & SOFT_SITE_EMPTY_MASK);
}

int soft_vcpu_init(struct vcpu *v)
{
    struct soft_vcpu *s = soft_of(v);

    s->site_empty = draw_empty(s);
    s->scratch = plat_alloc(sizeof(struct soft_scratch));
    if (!s->scratch)
        return -ENOMEM;
    __atomic_store_n(&s->epoch, UINT64_MAX, __ATOMIC_RELAXED);
    memset(s->sites_pages, 255, sizeof(s->sites_pages)); /* to be emptied */
    tlb_reset(s);
    return 0;
}

void soft_vcpu_fini(struct vcpu *v)
{
    plat_free(soft_of(v)->scratch);
    plat_free(soft_of(v)->lower);
    soft_of(v)->scratch = soft_of(v)->lower = NULL;
}

static struct soft_site empty_site(const struct soft_vcpu *s)
{
    return (struct soft_site){s->site_empty, (uintptr_t)s->temps - s->site_empty};
}

static void block_clear(struct soft_vcpu *s, unsigned block)
{
    struct soft_site *site = &s->sites[block << SOFT_BLOCK_BITS];

    for (unsigned i = 0; i < 1u << SOFT_BLOCK_BITS; i++)
        site[i] = empty_site(s);
    s->sites_pages[block] = 0;
}

static void blocks_clear(struct soft_vcpu *s, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        if (s->sites_pages[i])
            block_clear(s, i);
    }
}

static void windows_clear(struct soft_vcpu *s, unsigned bank)
{
    if (s->windows_filled[bank])
        memset(&s->windows[bank * SOFT_WINDOWS], 0, SOFT_WINDOWS * sizeof(s->windows[0]));
    s->windows_filled[bank] = 0;
}

static void bank_clear(struct soft_vcpu *s, unsigned bank)
{
    blocks_clear(s, bank * SOFT_BLOCKS, (bank + 1) * SOFT_BLOCKS);
    windows_clear(s, bank);
}

void soft_sites_clear(struct soft_vcpu *s)
{
    for (unsigned i = 0; i < SOFT_BANKS; i++)
        bank_clear(s, i);
}

void soft_sites_clear_writes(struct soft_vcpu *s)
{
    enum { FIRST = SOFT_SITES_READ >> SOFT_BLOCK_BITS };

    _Static_assert(!(SOFT_SITES_READ & ((1 << SOFT_BLOCK_BITS) - 1)), "no block is of reads and writes");
    for (unsigned i = 0; i < SOFT_BANKS; i++) {
        blocks_clear(s, i * SOFT_BLOCKS + FIRST, (i + 1) * SOFT_BLOCKS);
        windows_clear(s, i);
    }
}

static void block_drop(struct soft_vcpu *s, unsigned block, gva_t page)
{
    struct soft_site *site = &s->sites[block << SOFT_BLOCK_BITS];
    uint64_t pages = 0;

    for (unsigned i = 0; i < 1u << SOFT_BLOCK_BITS; i++) {
        if (site[i].page == page)
            site[i] = empty_site(s);
        else if (site[i].page != s->site_empty)
            pages |= soft_page_bit(site[i].page);
    }
    s->sites_pages[block] = pages;
}

static void windows_drop(struct soft_vcpu *s, unsigned bank, gva_t page)
{
    struct soft_window *w = &s->windows[bank * SOFT_WINDOWS];

    for (unsigned i = 0; i < SOFT_WINDOWS; i++) {
        if (page - w[i].base < w[i].size)
            w[i].size = 0;
    }
}

void soft_sites_drop(struct soft_vcpu *s, gva_t page)
{
    uint64_t bit = soft_page_bit(page);

    for (unsigned i = 0; i < ARRAY_SIZE(s->sites_pages); i += 4) {
        const uint64_t *p = &s->sites_pages[i];

        for (unsigned k = 0; (p[0] | p[1] | p[2] | p[3]) & bit && k < 4; k++) {
            if (p[k] & bit)
                block_drop(s, i + k, page);
        }
    }
    for (unsigned bank = 0; bank < SOFT_BANKS; bank++) {
        if (s->windows_filled[bank])
            windows_drop(s, bank, page);
    }
}

/* The mode's bank becomes one of the present data contexts. */
static void bank_switch(struct soft_vcpu *s, uint64_t mode)
{
    unsigned bank = soft_bank(mode);
    uint64_t ctx = s->ctx[ACCESS_READ] | s->ctx[ACCESS_WRITE] << 32;

    if (s->site_ctx[bank] == ctx)
        return;
    bank_clear(s, bank);
    s->site_ctx[bank] = ctx;
}

/* Keys of empty entries: odd, as no pc is that leads to a unit of two-byte instructions; target is NULL
 * besides. */
void soft_jumps_clear(struct soft_vcpu *s)
{
    memset(s->jumps, 0, sizeof(s->jumps));
    memset(s->known, 0, sizeof(s->known));
    memset(s->jump_seen, 0, sizeof(s->jump_seen));
    s->jumps_local = false;
    /* Key 0 belongs to index 0 only; anywhere else it cannot match a pc of that index. */
    s->jumps[0].key = 1;
}

static unsigned seen_bit(uint64_t page)
{
    return (unsigned)((page * UINT64_C(0x9e3779b97f4a7c15)) >> 48); /* 16 bits: 1024 words of 64 */
}

static void jump_seen_add(struct soft_vcpu *s, uint64_t pc)
{
    unsigned b = seen_bit(pc >> MEM_PAGE_BITS);

    s->jump_seen[b / 64] |= BIT(b % 64);
}

static void jump_fill(struct soft_vcpu *s, struct soft_jump *j, uint64_t pc, void *target, bool crosses)
{
    *j = (struct soft_jump){pc ^ s->space, target};
    s->jumps_local |= s->space_shared && s->fetch_local;
    jump_seen_add(s, pc);
    if (crosses)
        jump_seen_add(s, pc + MEM_PAGE_SIZE);
}

void soft_jump_set(struct soft_vcpu *s, uint64_t pc, void *target, bool crosses)
{
    jump_fill(s, &s->jumps[soft_jump_index(pc)], pc, target, crosses);
}

void soft_known_set(struct soft_vcpu *s, uint64_t pc, struct unit *u)
{
    jump_fill(s, &s->known[soft_jump_index(pc) % SOFT_KNOWN], pc, u, u->gpa2 != UNIT_NO_PAGE);
}

struct unit *soft_known(const struct soft_vcpu *s, uint64_t pc)
{
    const struct soft_jump *j = &s->known[soft_jump_index(pc) % SOFT_KNOWN];
    struct unit *u = j->target;

    return u && j->key == (pc ^ s->space) && !__atomic_load_n(&u->dead, __ATOMIC_ACQUIRE) ? u : NULL;
}

/* Spaces take these bits of the key. */
#define SPACE_SHIFT 57
/* The address without its page number gives all bits of an index but those above these. */
#define PAGE_JUMPS (MEM_PAGE_SIZE / 2)

/* The entries of one page of any space. */
static void jumps_drop_page(struct soft_jump *jumps, unsigned count, gva_t page)
{
    struct soft_jump *j = &jumps[soft_jump_index(page) % count & ~(PAGE_JUMPS - 1)];

    for (unsigned i = 0; i < PAGE_JUMPS; i++) {
        if (!((j[i].key ^ page) << (64 - SPACE_SHIFT) >> (64 - SPACE_SHIFT + MEM_PAGE_BITS)))
            j[i] = (struct soft_jump){.key = 1}; /* odd: no pc */
    }
}

/* What is reached in the page, and what crosses into it. */
static void jumps_flush_page(struct soft_vcpu *s, gva_t va)
{
    unsigned b = seen_bit(va >> MEM_PAGE_BITS);
    gva_t page = va & TLB_PAGE_MASK;

    if (!(s->jump_seen[b / 64] >> (b % 64) & 1))
        return;
    for (unsigned before = 0; before < 2; before++) {
        jumps_drop_page(s->jumps, SOFT_JUMPS, page - before * MEM_PAGE_SIZE);
        jumps_drop_page(s->known, SOFT_KNOWN, page - before * MEM_PAGE_SIZE);
    }
}

/* ---- contexts ---- */

/* Ids run up and are never used twice until all entries are cleared, so forgetting a context is a flush. */
static uint16_t id_new(struct soft_vcpu *s)
{
    if (s->next_id >= MEM_PAGE_SIZE)
        tlb_reset(s);
    return (uint16_t)s->next_id++;
}

static unsigned hash6(uint64_t x)
{
    return (unsigned)((x * UINT64_C(0x9e3779b97f4a7c15)) >> 58);
}

/* Traps come by here: one probe, and one neighbour. */
static uint16_t context_id(struct vcpu *v, uint64_t value, bool shared)
{
    struct soft_vcpu *s = soft_of(v);
    unsigned h = hash6(value + 1);
    struct tlb_context *c = &s->contexts[h];
    uint16_t id;

    if (LIKELY(c->id && c->value == value))
        return c->id;
    c = &s->contexts[h ^ 1];
    if (c->id && c->value == value)
        return c->id;
    id = id_new(s); /* may clear all contexts, so it comes before one is chosen */
    if (s->contexts[h].id)
        h ^= s->next_context++ & 1;
    s->contexts[h] =
        (struct tlb_context){.value = value, .asid = shared ? TLB_NO_ASID : v->vm->guest->asid(v), .id = id};
    return id;
}

/* A number that changes hands takes the whole jump hash with it. */
static uint64_t space_number(struct soft_vcpu *s, uint64_t mode, uint16_t ctx)
{
    unsigned h = (hash6(mode + ((uint64_t)ctx << 48)) << 1) % SOFT_SPACES;

    for (unsigned i = 0; i < 8; i++) {
        unsigned n = (h + i) % SOFT_SPACES;

        if (s->spaces[n].ctx == ctx && s->spaces[n].mode == mode)
            return n;
        if (!s->spaces[n].ctx) {
            s->spaces[n] = (struct soft_space){.mode = mode, .ctx = ctx};
            return n;
        }
    }
    soft_jumps_clear(s);
    memset(s->spaces, 0, sizeof(s->spaces));
    s->spaces[h] = (struct soft_space){.mode = mode, .ctx = ctx};
    return h;
}

/* So often the jump hash is emptied for a kernel whose pages are not global after all. */
#define LOCAL_CLEARS 64

/*
 * Fetches of global pages share a space, so that the jump hash of a kernel outlives a change of process.
 * Where there are entries of other pages in it, they go when the address space changes.
 */
static uint16_t space_context(struct vcpu *v)
{
    const struct guest_ops *g = v->vm->guest;
    struct soft_vcpu *s = soft_of(v);
    uint64_t global = g->global_context && s->local_clears < LOCAL_CLEARS ? g->global_context(v) : 0;

    s->space_shared = global != 0;
    if (!global)
        return (uint16_t)s->ctx[ACCESS_FETCH];
    if (UNLIKELY(!s->global_id || s->global_value != global)) {
        s->global_id = id_new(s);
        s->global_value = global;
    }
    return s->global_id;
}

/* So often too much is in the contexts of global pages for a kernel whose pages are not global after all. */
#define LOCAL_FLOODS 64

static uint16_t context_of(struct vcpu *v, enum access a)
{
    const struct guest_ops *g = v->vm->guest;
    struct soft_vcpu *s = soft_of(v);
    uint64_t value = 0;

    if (g->global_data && a != ACCESS_FETCH && s->local_floods < LOCAL_FLOODS)
        value = g->global_data(v);
    s->shared[a] = value != 0;
    return context_id(v, value ? value : g->context(v, a), value);
}

void soft_context_changed(struct vcpu *v)
{
    const struct guest_ops *g = v->vm->guest;
    struct soft_vcpu *s = soft_of(v);
    uint64_t fetch = s->ctx[ACCESS_FETCH];
    unsigned generation;
    uint16_t ctx;

    if (UNLIKELY(s->local_count) && g->asid(v) != s->local_asid)
        tlb_locals_drop(s);
    /* An id may be the last one and clear the table: the ids taken before it are void then. */
    do {
        generation = s->generation;
        for (enum access a = ACCESS_READ; a <= ACCESS_FETCH; a++)
            s->ctx[a] = context_of(v, a);
        ctx = space_context(v);
    } while (generation != s->generation);
    if (UNLIKELY(s->jumps_local && s->ctx[ACCESS_FETCH] != fetch)) {
        soft_jumps_clear(s);
        s->local_clears++;
    }
    s->space = space_number(s, v->mode, ctx) << SPACE_SHIFT;
    bank_switch(s, v->mode);
}

void soft_flush(struct vcpu *v, const struct flush_scope *scope)
{
    struct soft_vcpu *s = soft_of(v);

    s->flushes++;
    if (scope->kind == FLUSH_PAGE || scope->kind == FLUSH_PAGE_ASID)
        jumps_flush_page(s, scope->va);
    /* Slots and jump hash entries of forgotten contexts die by their bank and space: their ids are new. */
    if (tlb_flush(v, scope))
        soft_context_changed(v);
}
