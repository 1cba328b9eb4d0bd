/*
 * Address translation of the EL1&0 regime, stage 1 (D8.2 to D8.5): three granules, two halves, hierarchical
 * rights, hardware access flag and dirty state.
 */
#include "guest/arm64/cpu.h"
#include "isa/arm64/pte.h"

#define FLAT_PAGE_BITS 30
#define LAST_LEVEL     3

/* A fault is its status code with its level, and this so that code 0 is no success. */
#define FAULT                 BIT(6)
#define WALK_AGAIN            BIT(7)
#define fault_at(code, level) (FAULT | (code) | (level))

/* One half of the address space as TCR_EL1 has it. */
struct half {
    uint64_t root; /* TTBRn_EL1 */
    uint8_t va_bits, va_max;
    uint8_t granule; /* enum a64_granule */
    bool disabled, e0pd, tbi, hpd;
};

/* What the tables above left of the rights (D8.3.1). */
enum limits { LIMIT_EL0 = 1, LIMIT_RO = 2, LIMIT_PXN = 4, LIMIT_UXN = 8 };

struct walk {
    gva_t va;
    enum access access;
    unsigned as; /* enum arm64_as, PROBE apart */
    bool probe;
    struct half half;
    unsigned limits;
};

static enum a64_granule granule_of(const struct arm64_vcpu *a, bool high)
{
    enum a64_granule g = high ? a64_granule_tg1((unsigned)a64_field_get(a->tcr_el1, A64_TCR_TG1))
                              : a64_granule_tg0((unsigned)a64_field_get(a->tcr_el1, A64_TCR_TG0));

    return g == A64_GRANULE_16K && !arm64_has(a, ARM64F_GRAN16) ? A64_GRANULE_4K : g;
}

static void half_of(const struct arm64_vcpu *a, gva_t va, bool fetch, struct half *h)
{
    uint64_t t = a->tcr_el1;
    bool high = va >> 55 & 1;
    uint64_t tbid = high ? A64_TCR_TBID1 : A64_TCR_TBID0;
    unsigned txsz = (unsigned)a64_field_get(t, high ? A64_TCR_T1SZ : A64_TCR_T0SZ);

    h->root = high ? a->ttbr1_el1 : a->ttbr0_el1;
    h->granule = (uint8_t)granule_of(a, high);
    h->disabled = t & (high ? A64_TCR_EPD1 : A64_TCR_EPD0);
    h->e0pd = t & (high ? A64_TCR_E0PD1 : A64_TCR_E0PD0);
    h->tbi = t & (high ? A64_TCR_TBI1 : A64_TCR_TBI0) && !(fetch && t & tbid);
    h->hpd = t & (high ? A64_TCR_HPD1 : A64_TCR_HPD0);
    h->va_bits = (uint8_t)(64 - txsz);
    /* FEAT_TTST: down to 16 bits, 17 with 64K (D8.2.1); sizes out of range fault. */
    if (txsz < A64_TXSZ_MIN || txsz > (!arm64_has(a, ARM64F_TTST)      ? A64_TXSZ_MAX
                                       : h->granule == A64_GRANULE_64K ? 47u
                                                                       : 48u))
        h->disabled = true;
}

/* The address fits its half, whose size is in range: all above is the same as bit 55, but for an ignored top
 * byte. */
static bool va_fits(const struct half *h, gva_t va)
{
    int64_t v = bits_sext(va, h->tbi ? 56 : 64);

    v >>= h->va_bits;
    return v == (va >> 55 & 1 ? -1 : 0);
}

/* Bits of output address: the lesser of TCR_EL1.IPS and what there is. */
static unsigned pa_bits(const struct arm64_vcpu *a)
{
    unsigned ips = (unsigned)a64_field_get(a->tcr_el1, A64_TCR_IPS);

    return a64_pa_bits[MIN(ips, a->cpu.model->pa_range)];
}

/* ---- rights (D8.4) ---- */

struct rights {
    bool read, write, exec;
};

static bool dbm_on(const struct arm64_vcpu *a)
{
    const uint64_t on = A64_TCR_HA | A64_TCR_HD;

    return (a->tcr_el1 & on) == on;
}

static struct rights leaf_rights(const struct arm64_vcpu *a, const struct walk *w, uint64_t d)
{
    bool ro = (d & A64_PTE_AP_RO && !(d & A64_PTE_DBM && dbm_on(a))) || w->limits & LIMIT_RO;
    bool el0 = d & A64_PTE_AP_EL0 && !(w->limits & LIMIT_EL0);
    bool wxn = a->sctlr_el1 & A64_SCTLR_WXN;
    struct rights r;

    if (w->as == ARM64_AS_EL0) {
        r.read = el0;
        r.write = el0 && !ro;
        r.exec = !(d & A64_PTE_UXN || w->limits & LIMIT_UXN) && !(wxn && r.write);
        return r;
    }
    /* What EL0 can write is never executed at EL1. */
    r.exec = !(d & A64_PTE_PXN || w->limits & LIMIT_PXN) && !(el0 && !ro) && !(wxn && !ro);
    r.read = !(el0 && w->as == ARM64_AS_EL1_PAN);
    r.write = r.read && !ro;
    return r;
}

/* ---- descriptors ---- */

static _Atomic uint64_t *descriptor(struct arm64_vcpu *a, gpa_t pa, bool write)
{
    return mem_ptr(&a->v.vm->mem, pa, 8, write);
}

/* Sets AF and clears AP[2] as HAFDBS does: one atomic update, valid only while the entry is what was walked.
 */
static unsigned leaf_update(struct arm64_vcpu *a, gpa_t pa, uint64_t d, uint64_t now, unsigned level)
{
    _Atomic uint64_t *p = descriptor(a, pa, true);

    if (!p)
        return fault_at(A64_FSC_EXTERNAL_WALK, level);
    if (!atomic_compare_exchange_strong(p, &d, now))
        return WALK_AGAIN;
    mem_dirty(&a->v.vm->mem, pa, 8);
    return 0;
}

/* MAIR_EL1's attributes for a descriptor (D8.5.2). */
unsigned arm64_leaf_attr(const struct arm64_vcpu *a, uint64_t leaf)
{
    return (unsigned)(a->mair_el1 >> 8 * a64_field_get(leaf, A64_PTE_ATTRINDX) & 0xff);
}

static unsigned walk_leaf(struct arm64_vcpu *a, const struct walk *w, gpa_t pa, uint64_t d, unsigned level,
                          struct translation *out)
{
    unsigned shift = a64_level_shift(w->half.granule, level);
    gpa_t base = d & A64_PTE_ADDR & ~(BIT(shift) - 1);
    struct rights r = leaf_rights(a, w, d);
    uint64_t now = d;

    if (base >> pa_bits(a))
        return fault_at(A64_FSC_ADDRESS_SIZE, level);
    if (!(d & A64_PTE_AF) && !(a->tcr_el1 & A64_TCR_HA))
        return fault_at(A64_FSC_ACCESS_FLAG, level);
    if (!(w->access == ACCESS_READ ? r.read : w->access == ACCESS_WRITE ? r.write : r.exec))
        return fault_at(A64_FSC_PERMISSION, level);
    now |= A64_PTE_AF;
    if (w->access == ACCESS_WRITE)
        now &= ~A64_PTE_AP_RO; /* set here: writable by DBM */
    *out = (struct translation){.gpa = base | (w->va & (BIT(shift) - 1)),
                                .page_bits = (uint8_t)shift,
                                .read = r.read,
                                .write = r.write,
                                .exec = r.exec,
                                .global = !(d & A64_PTE_NG),
                                .dirty = !(now & A64_PTE_AP_RO),
                                .device = a64_mair_is_device(arm64_leaf_attr(a, d))};
    a->leaf = d;
    return now == d || w->probe ? 0 : leaf_update(a, pa, d, now, level);
}

static unsigned table_limits(const struct half *h, uint64_t d)
{
    if (h->hpd)
        return 0;
    return (d & A64_PTE_APTABLE_EL0 ? LIMIT_EL0 : 0) | (d & A64_PTE_APTABLE_RO ? LIMIT_RO : 0) |
           (d & A64_PTE_PXNTABLE ? LIMIT_PXN : 0) | (d & A64_PTE_UXNTABLE ? LIMIT_UXN : 0);
}

/* ---- the walk (D8.2) ---- */

/* What a last table covers. */
static uint64_t hint_key(const struct walk *w)
{
    return w->va >> (a64_level_shift(w->half.granule, LAST_LEVEL) + a64_granules[w->half.granule].level_bits);
}

static struct arm64_walk_hint *hint_of(struct arm64_vcpu *a, const struct walk *w)
{
    return &a->walk_hint[hint_key(w) & (ARM64_WALK_HINTS - 1)];
}

/* The tables without the ASID that TTBRn_EL1 may have. */
static uint64_t table_root(const struct walk *w)
{
    return w->half.root & A64_TTBR_BADDR;
}

/* Where to begin: at the last level if its table is known, else at the root. Gives the level. */
static unsigned walk_begin(struct arm64_vcpu *a, struct walk *w, gpa_t *table)
{
    const struct arm64_walk_hint *h = hint_of(a, w);
    unsigned level = a64_start_level(w->half.granule, w->half.va_bits);
    unsigned bits = w->half.va_bits - a64_level_shift(w->half.granule, level) + 3;

    if (h->va == hint_key(w) && h->root == table_root(w) && h->generation == a->walk_generation) {
        *table = h->table;
        w->limits = h->limits;
        return LAST_LEVEL;
    }
    /* BADDR is aligned to the table's size. */
    *table = w->half.root & A64_TTBR_BADDR & ~(BIT(bits) - 1);
    return level;
}

static void hint_set(struct arm64_vcpu *a, const struct walk *w, gpa_t table)
{
    *hint_of(a, w) = (struct arm64_walk_hint){.va = hint_key(w),
                                              .root = table_root(w),
                                              .generation = a->walk_generation,
                                              .table = table,
                                              .limits = w->limits};
}

static bool is_block(const struct half *h, uint64_t d, unsigned level)
{
    return !(d & A64_PTE_TABLE) && level >= a64_granules[h->granule].block_level && level < LAST_LEVEL;
}

static unsigned walk_tables(struct arm64_vcpu *a, struct walk *w, struct translation *out)
{
    const struct a64_granule_info *g = &a64_granules[w->half.granule];
    unsigned level, top = w->half.va_bits;
    gpa_t table;

    w->limits = 0;
    level = walk_begin(a, w, &table);
    if (table >> pa_bits(a))
        return fault_at(A64_FSC_ADDRESS_SIZE, 0);
    for (;; level++) {
        unsigned shift = a64_level_shift(w->half.granule, level);
        unsigned bits = MIN(top - shift, (unsigned)g->level_bits);
        gpa_t pa = table + (w->va >> shift & (BIT(bits) - 1)) * 8;
        _Atomic uint64_t *p = descriptor(a, pa, false);
        uint64_t d;

        if (!p)
            return fault_at(A64_FSC_EXTERNAL_WALK, level);
        d = atomic_load_explicit(p, memory_order_acquire);
        if (!(d & A64_PTE_VALID))
            return fault_at(A64_FSC_TRANSLATION, level);
        if (is_block(&w->half, d, level) || (level == LAST_LEVEL && d & A64_PTE_TABLE))
            return walk_leaf(a, w, pa, d, level, out);
        if (!(d & A64_PTE_TABLE))
            return fault_at(A64_FSC_TRANSLATION, level);
        table = d & A64_PTE_ADDR & ~(BIT(g->shift) - 1);
        if (table >> pa_bits(a))
            return fault_at(A64_FSC_ADDRESS_SIZE, level);
        w->limits |= table_limits(&w->half, d);
        if (level + 1 == LAST_LEVEL)
            hint_set(a, w, table);
    }
}

/* Without translation addresses are physical ones, their tags ignored alike (D8.2.14). */
static unsigned walk_flat(struct arm64_vcpu *a, gva_t va, bool fetch, struct translation *out)
{
    struct half h;

    half_of(a, va, fetch, &h);
    if (h.tbi)
        va &= BIT(56) - 1;
    if (va >> a64_pa_bits[a->cpu.model->pa_range])
        return fault_at(A64_FSC_ADDRESS_SIZE, 0);
    a->leaf = 0;
    *out = (struct translation){.gpa = va,
                                .page_bits = FLAT_PAGE_BITS,
                                .read = true,
                                .write = true,
                                .exec = true,
                                .global = true,
                                .dirty = true};
    return 0;
}

unsigned arm64_walk(struct arm64_vcpu *a, gva_t va, enum access access, unsigned as, struct translation *out)
{
    struct walk w = {
        .va = va, .access = access, .as = as & ~(unsigned)ARM64_AS_PROBE, .probe = as & ARM64_AS_PROBE};
    unsigned res;

    if (w.as == ARM64_AS_SELF)
        w.as = !a->el ? ARM64_AS_EL0 : a->pan ? ARM64_AS_EL1_PAN : ARM64_AS_EL1;
    if ((gva_t)bits_sext(va, 56) != va)
        a->tagged = true;
    if (!(a->sctlr_el1 & A64_SCTLR_M))
        return walk_flat(a, va, access == ACCESS_FETCH, out);
    half_of(a, va, access == ACCESS_FETCH, &w.half);
    if (w.half.disabled || !va_fits(&w.half, va) || (w.half.e0pd && w.as == ARM64_AS_EL0))
        return fault_at(A64_FSC_TRANSLATION, 0);
    do
        res = walk_tables(a, &w, out);
    while (res == WALK_AGAIN);
    return res;
}

int arm64_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out)
{
    struct arm64_vcpu *a = arm64_of(v);
    unsigned res;

    /* PC has no tag. Branches leave it, so that they need not look; here is where it goes. */
    if (UNLIKELY(access == ACCESS_FETCH && arm64_branch_address(a, va) != va)) {
        a->fault.access = ACCESS_FETCH;
        a->fault.fsc = ARM64_FAULT_TAG;
        return 1;
    }
    res = arm64_walk(a, va, access, ARM64_AS_SELF, out);
    if (LIKELY(!res))
        return 0;
    a->fault.fsc = (uint8_t)(res & A64_ISS_FSC);
    a->fault.access = (uint8_t)access;
    return 1;
}

/* TCR_EL1.A1 names the register that has it, AS its size. */
uint64_t arm64_asid(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);
    uint64_t asid = a64_field_get(a->tcr_el1 & A64_TCR_A1 ? a->ttbr1_el1 : a->ttbr0_el1, A64_TTBR_ASID);

    return a->tcr_el1 & A64_TCR_AS ? asid : asid & 0xff;
}

/*
 * ASID 15:0, EL 17:16, PAN 18, fetch 19, translated 20, global 21. Whatever else decides a walk flushes when
 * it changes.
 */
uint64_t arm64_context(struct vcpu *v, enum access access)
{
    struct arm64_vcpu *a = arm64_of(v);
    uint64_t c = access == ACCESS_FETCH ? BIT(19) : 0;

    if (!(a->sctlr_el1 & A64_SCTLR_M))
        return c;
    c |= arm64_asid(v) | a->el << 16 | BIT(20);
    return access != ACCESS_FETCH && a->el && a->pan ? c | BIT(18) : c;
}

/* What the kernel executes. */
uint64_t arm64_global_context(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);

    return a->el && a->sctlr_el1 & A64_SCTLR_M ? BIT(21) | BIT(20) | BIT(19) | a->el << 16 : 0;
}

/* What the kernel reads and writes: its own, but for the little that it has of a program with plain loads. */
uint64_t arm64_global_data(struct vcpu *v)
{
    struct arm64_vcpu *a = arm64_of(v);
    uint64_t pan = a->pan ? BIT(18) : 0;

    return a->el && a->sctlr_el1 & A64_SCTLR_M ? BIT(21) | BIT(20) | pan | a->el << 16 : 0;
}
