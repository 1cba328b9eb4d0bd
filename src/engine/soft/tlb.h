/*
 * The soft TLB: guest-virtual page to host memory, per vCPU. Entries exist for plain RAM (and ROM for
 * reads) only; write entries only for pages that are DIRTY and not CODE, so that everything a store has to
 * announce comes through tlb_fill().
 */
#ifndef CV_ENGINE_SOFT_TLB_H
#define CV_ENGINE_SOFT_TLB_H

#include "engine/soft/soft.h"

/*
 * Adding (not xor-ing) the folded part keeps the sets of neighbouring pages different: their numbers
 * differ by 1 or 2.
 */
static inline unsigned tlb_set(gva_t va)
{
    uint64_t page = va >> MEM_PAGE_BITS;

    return (unsigned)(page + (page >> TLB_SET_BITS)) & (TLB_SETS - 1);
}

static inline unsigned tlb_fetch_set(gva_t va)
{
    uint64_t page = va >> MEM_PAGE_BITS;

    return (unsigned)(page + (page >> 7)) & (TLB_FETCH_SETS - 1);
}

static inline uint64_t tlb_tag(gva_t last_byte, uint64_t ctx)
{
    return (last_byte & TLB_PAGE_MASK) + ctx;
}

static inline void *tlb_hit(struct soft_vcpu *s, const struct tlb_way *way, gva_t va)
{
    s->stat.tlb_hits++;
    return (void *)(uintptr_t)(va + way->addend);
}

/* Host pointer for `size` bytes at va, or NULL: crosses a page, or is not in the TLB. */
static inline void *tlb_read(struct soft_vcpu *s, gva_t va, unsigned size)
{
    const struct tlb_set *set = &s->read[tlb_set(va)];
    uint64_t tag = tlb_tag(va + size - 1, s->ctx[ACCESS_READ]);

    if (LIKELY(set->way[0].tag == tag))
        return tlb_hit(s, &set->way[0], va);
    if (set->way[1].tag == tag)
        return tlb_hit(s, &set->way[1], va);
    return NULL;
}

static inline void *tlb_write(struct soft_vcpu *s, gva_t va, unsigned size)
{
    const struct tlb_set *set = &s->write[tlb_set(va)];
    uint64_t tag = tlb_tag(va + size - 1, s->ctx[ACCESS_WRITE]);

    if (LIKELY(set->way[0].tag == tag))
        return tlb_hit(s, &set->way[0], va);
    if (set->way[1].tag == tag)
        return tlb_hit(s, &set->way[1], va);
    return NULL;
}

/*
 * The slow way to the same answer: walks, fills. NULL when the access faults, crosses a page, or meets
 * something that is not plain RAM; nothing has happened then, and the instruction is to be executed exactly.
 */
void *tlb_fill_read(struct vcpu *v, gva_t va, unsigned size);
void *tlb_fill_write(struct vcpu *v, gva_t va, unsigned size);

/*
 * For this one store, which no entry may serve: to a CODE page, but not to code. NULL as above, and where
 * several vCPUs run: another might be about to make code of these bytes.
 */
void *tlb_store_once(struct vcpu *v, gva_t va, unsigned size);
/* Either: with this bit set in the address it is for this one store. */
#define TLB_ONCE BIT(63)
void *tlb_fill_store(struct vcpu *v, gva_t va, unsigned size);

/*
 * The site's window becomes one around the page of its slot, which is in the soft TLB: as far as its
 * neighbours are too.
 */
void tlb_fill_window(struct vcpu *v, unsigned site);

/*
 * Where an access of one page goes, for the exact path and for code fetch. 0, or 1: translate() recorded an
 * exception. `host` is NULL for anything but RAM and ROM.
 */
struct tlb_target {
    gpa_t gpa;
    uint8_t *host;
    const struct mem_region *region;
    uint8_t page_bits;
    bool global;
    bool device; /* never an entry: each access is looked at */
};
int tlb_walk(struct vcpu *v, gva_t va, enum access access, struct tlb_target *out);

/* GPA of the page of a fetch; 0, or 1 with the exception recorded. A page of less than 4 KiB is not kept. */
int tlb_fetch(struct vcpu *v, gva_t va, gpa_t *gpa);

/* Drops write entries of one guest-physical page (it becomes CODE) from this vCPU's TLB and sites. */
void tlb_drop_write(struct vcpu *v, const uint8_t *host_page);
/* Drops all write entries (DIRTY flags were cleared). */
void tlb_drop_writes(struct vcpu *v);
/* Entries, slots and windows; not the jump hash. True: contexts were forgotten, soft_context_changed() is
 * due. */
bool tlb_flush(struct vcpu *v, const struct flush_scope *scope);
/* Pages that are not global leave the contexts of global ones. Before soft_context_changed(). */
void tlb_locals_drop(struct soft_vcpu *s);
void tlb_reset(struct soft_vcpu *s);

#endif
