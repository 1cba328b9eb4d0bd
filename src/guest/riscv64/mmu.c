/*
 * Address translation (Privileged, 10.3.2): Sv39, Sv48, Sv57, with Svnapot, Svpbmt, Svadu, and physical
 * memory protection of both the tables and the page.
 */
#include "guest/riscv64/cpu.h"
#include "isa/riscv64/pte.h"

static const uint8_t page_fault[] = {
    [ACCESS_READ] = RV_EXC_LOAD_PAGE_FAULT,
    [ACCESS_WRITE] = RV_EXC_STORE_PAGE_FAULT,
    [ACCESS_FETCH] = RV_EXC_INSN_PAGE_FAULT,
};
static const uint8_t access_fault[] = {
    [ACCESS_READ] = RV_EXC_LOAD_ACCESS,
    [ACCESS_WRITE] = RV_EXC_STORE_ACCESS,
    [ACCESS_FETCH] = RV_EXC_INSN_ACCESS,
};

#define BARE_PAGE_BITS 30

/* Never 0: a cause of 0 (misaligned fetch) does not come from a walk. */
enum { WALK_OK = 0, WALK_AGAIN = -1, WALK_PAGE_FAULT = -2, WALK_ACCESS_FAULT = -3 };

/* Narrows rights and size to what protection allows. */
static int finish(struct riscv_vcpu *r, enum access access, unsigned priv, struct translation *out)
{
    unsigned rights = riscv_pmp_rights(r, out->gpa, priv, &out->page_bits);

    out->read = out->read && rights & RV_PMP_R;
    out->write = out->write && rights & RV_PMP_W;
    out->exec = out->exec && rights & RV_PMP_X;
    if (access == ACCESS_READ ? out->read : access == ACCESS_WRITE ? out->write : out->exec)
        return WALK_OK;
    return WALK_ACCESS_FAULT;
}

static int walk_bare(struct riscv_vcpu *r, gva_t va, enum access access, unsigned priv,
                     struct translation *out)
{
    if (va >> RV_PADDR_BITS)
        return WALK_ACCESS_FAULT;
    *out = (struct translation){.gpa = va,
                                .page_bits = BARE_PAGE_BITS,
                                .read = true,
                                .write = true,
                                .exec = true,
                                .global = true,
                                .dirty = true};
    return finish(r, access, priv, out);
}

/* The table entry at pa, as supervisor's access. NULL: an access fault. */
static _Atomic uint64_t *pte_at(struct riscv_vcpu *r, gpa_t pa, bool write)
{
    uint8_t bits = RV_PAGE_SHIFT;
    unsigned need = write ? RV_PMP_R | RV_PMP_W : RV_PMP_R;

    if ((riscv_pmp_rights(r, pa, RV_PRIV_S, &bits) & need) != need)
        return NULL;
    return mem_ptr(&r->v.vm->mem, pa, RV_PTE_SIZE, write);
}

/* Reserved bits and combinations of any valid entry. */
static bool pte_malformed(const struct riscv_vcpu *r, uint64_t pte)
{
    uint64_t reserved = RV_PTE_RESERVED;

    if (!riscv_has(r, RVF_SVNAPOT))
        reserved |= RV_PTE_N;
    if (!(r->menvcfg & RV_ENVCFG_PBMTE))
        reserved |= RV_PTE_PBMT;
    return !(pte & RV_PTE_V) || (pte & (RV_PTE_R | RV_PTE_W)) == RV_PTE_W || pte & reserved ||
           (pte & RV_PTE_PBMT) == RV_PTE_PBMT;
}

static bool permitted(const struct translation *t, enum access access)
{
    return access == ACCESS_READ ? t->read : access == ACCESS_WRITE ? t->write : t->exec;
}

/* Rights of a leaf for data (or fetch) at this privilege. */
static void leaf_rights(const struct riscv_vcpu *r, uint64_t pte, enum access access, unsigned priv,
                        struct translation *out)
{
    bool user = pte & RV_PTE_U;
    bool data = priv == RV_PRIV_U ? user : !user || r->mstatus & RV_MSTATUS_SUM;
    bool fetch = priv == RV_PRIV_U ? user : !user;

    if (access == ACCESS_FETCH)
        data = fetch;
    out->read = data && (pte & RV_PTE_R || (r->mstatus & RV_MSTATUS_MXR && pte & RV_PTE_X));
    out->write = data && pte & RV_PTE_W;
    out->exec = fetch && pte & RV_PTE_X;
}

/* Physical page number of a leaf at `level`, its size; false: misaligned or an unknown NAPOT size. */
static bool leaf_place(uint64_t pte, unsigned level, gva_t va, struct translation *out)
{
    uint64_t base = rv_pte_ppn(pte) << RV_PAGE_SHIFT;
    unsigned bits = RV_PAGE_SHIFT + level * RV_LEVEL_BITS;

    if (pte & RV_PTE_N) {
        if (level || (rv_pte_ppn(pte) & RV_NAPOT_64K_MASK) != RV_NAPOT_64K_MATCH)
            return false;
        bits = RV_NAPOT_64K_SHIFT;
        base = ALIGN_DOWN(base, BIT(bits));
    }
    if (base & (BIT(bits) - 1))
        return false;
    out->page_bits = (uint8_t)bits;
    out->gpa = base | (va & (BIT(bits) - 1));
    return true;
}

/* Sets A and D as Svadu does: one atomic update, valid only while the entry is what was walked. */
static int leaf_update(struct riscv_vcpu *r, gpa_t pa, uint64_t pte, uint64_t need)
{
    _Atomic uint64_t *p;

    if (!(r->menvcfg & RV_ENVCFG_ADUE))
        return WALK_PAGE_FAULT;
    p = pte_at(r, pa, true);
    if (!p)
        return WALK_ACCESS_FAULT;
    if (!atomic_compare_exchange_strong(p, &pte, pte | need))
        return WALK_AGAIN;
    mem_dirty(&r->v.vm->mem, pa, RV_PTE_SIZE);
    return WALK_OK;
}

static int walk_leaf(struct riscv_vcpu *r, gpa_t pa, uint64_t pte, unsigned level, gva_t va,
                     enum access access, unsigned priv, struct translation *out)
{
    uint64_t need = RV_PTE_A | (access == ACCESS_WRITE ? RV_PTE_D : 0);
    int res = WALK_OK;

    leaf_rights(r, pte, access, priv, out);
    if (!permitted(out, access) || !leaf_place(pte, level, va, out))
        return WALK_PAGE_FAULT;
    out->global = pte & RV_PTE_G || out->global;
    out->dirty = (pte | need) & RV_PTE_D;
    /* Protection of the page comes first: a refused access updates nothing. */
    res = finish(r, access, priv, out);
    if (res == WALK_OK && (pte & need) != need)
        res = leaf_update(r, pa, pte, need);
    return res;
}

#define LAST_TABLE_SHIFT (RV_PAGE_SHIFT + RV_LEVEL_BITS)

static struct riscv_walk_hint *hint_of(struct riscv_vcpu *r, gva_t va)
{
    return &r->walk_hint[va >> LAST_TABLE_SHIFT & (RISCV_WALK_HINTS - 1)];
}

/* Where to begin: at the last level if its table is known, else at the root. Gives the level. */
static unsigned walk_begin(struct riscv_vcpu *r, gva_t va, unsigned levels, gpa_t *table, bool *global)
{
    const struct riscv_walk_hint *h = hint_of(r, va);

    if (h->va == va >> LAST_TABLE_SHIFT && h->satp == r->satp && h->generation == r->walk_generation) {
        *table = h->table;
        *global = h->global;
        return 0;
    }
    *table = rv_field_get(r->satp, RV_SATP_PPN) << RV_PAGE_SHIFT;
    *global = false;
    return levels - 1;
}

static int walk_tables(struct riscv_vcpu *r, gva_t va, enum access access, unsigned priv,
                       struct translation *out)
{
    const struct rv_vm_mode *m = &rv_vm_modes[rv_field_get(r->satp, RV_SATP_MODE)];
    gpa_t table;

    if ((uint64_t)bits_sext(va, m->va_bits) != va)
        return WALK_PAGE_FAULT;
    for (unsigned level = walk_begin(r, va, m->levels, &table, &out->global);; level--) {
        unsigned shift = RV_PAGE_SHIFT + level * RV_LEVEL_BITS;
        gpa_t pa = table + (va >> shift & (BIT(RV_LEVEL_BITS) - 1)) * RV_PTE_SIZE;
        _Atomic uint64_t *p = pte_at(r, pa, false);
        uint64_t pte;

        if (!p)
            return WALK_ACCESS_FAULT;
        pte = atomic_load_explicit(p, memory_order_acquire);
        if (pte_malformed(r, pte))
            return WALK_PAGE_FAULT;
        if (!rv_pte_is_table(pte))
            return walk_leaf(r, pa, pte, level, va, access, priv, out);
        /* 10.4.1: reserved in a pointer to the next level; and the last level has no next. */
        if (!level || pte & (RV_PTE_A | RV_PTE_D | RV_PTE_U | RV_PTE_PBMT | RV_PTE_N))
            return WALK_PAGE_FAULT;
        out->global = out->global || pte & RV_PTE_G;
        table = rv_pte_ppn(pte) << RV_PAGE_SHIFT;
        if (level == 1)
            *hint_of(r, va) = (struct riscv_walk_hint){.va = va >> LAST_TABLE_SHIFT,
                                                       .satp = r->satp,
                                                       .generation = r->walk_generation,
                                                       .table = table,
                                                       .global = out->global};
    }
}

uint64_t riscv_walk(struct riscv_vcpu *r, gva_t va, enum access access, unsigned priv,
                    struct translation *out)
{
    int res;

    if (priv == RV_PRIV_M || !(r->satp & RV_SATP_MODE)) {
        res = walk_bare(r, va, access, priv, out);
    } else {
        do
            res = walk_tables(r, va, access, priv, out);
        while (res == WALK_AGAIN);
    }
    return res == WALK_OK ? 0 : res == WALK_PAGE_FAULT ? page_fault[access] : access_fault[access];
}

/* Effective privilege of an access, MPRV included. */
static unsigned access_priv(const struct riscv_vcpu *r, enum access access)
{
    return access == ACCESS_FETCH ? r->priv : (unsigned)(r->v.mode >> 2 & 3);
}

int riscv_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out)
{
    struct riscv_vcpu *r = riscv_of(v);

    r->exc_cause = riscv_walk(r, va, access, access_priv(r, access), out);
    return r->exc_cause != 0;
}

uint64_t riscv_asid(struct vcpu *v)
{
    return rv_field_get(riscv_of(v)->satp, RV_SATP_ASID);
}

/*
 * ASID 15:0, privilege 17:16, satp.MODE 21:18, SUM 22, MXR 23, fetch 24. Untranslated accesses have ASID
 * and MODE 0; they still differ by privilege (protection).
 */
uint64_t riscv_context(struct vcpu *v, enum access access)
{
    struct riscv_vcpu *r = riscv_of(v);
    unsigned priv = access_priv(r, access);
    uint64_t c = (uint64_t)priv << 16;

    if (priv != RV_PRIV_M && r->satp & RV_SATP_MODE)
        c |= riscv_asid(v) | rv_field_get(r->satp, RV_SATP_MODE) << 18;
    if (access == ACCESS_FETCH)
        return c | BIT(24);
    return c | (v->mode & RISCV_MODE_SUM ? BIT(22) : 0) | (v->mode & RISCV_MODE_MXR ? BIT(23) : 0);
}

/* What a kernel executes: leaves with G (Privileged 20240411, 10.3.1). */
uint64_t riscv_global_context(struct vcpu *v)
{
    struct riscv_vcpu *r = riscv_of(v);
    unsigned priv = access_priv(r, ACCESS_FETCH);

    if (priv != RV_PRIV_S || !(r->satp & RV_SATP_MODE))
        return 0;
    return (uint64_t)priv << 16 | rv_field_get(r->satp, RV_SATP_MODE) << 18 | BIT(24) | BIT(25);
}
