/* Operations by SYS: cache maintenance, address translation, TLB maintenance (C5.4, C5.5). */
#include "guest/arm64/sysreg.h"
#include "isa/arm64/pte.h"

/* ---- caches: there are none, but what was written has to be what is fetched ---- */

static bool by_va(unsigned code)
{
    switch (code) {
    case A64_SYSOP_ic_ialluis:
    case A64_SYSOP_ic_iallu:
    case A64_SYSOP_dc_isw:
    case A64_SYSOP_dc_csw:
    case A64_SYSOP_dc_cisw:
        return false;
    default:
        return true;
    }
}

/*
 * The address has to be mapped, and at EL0 readable; IVAC wants to write (D8.15.5). A fault is that of a
 * store, with CM.
 */
static bool cache_fault(struct arm64_vcpu *a, unsigned code, gva_t va)
{
    enum access access = code == A64_SYSOP_dc_ivac ? ACCESS_WRITE : ACCESS_READ;
    enum arm64_as as = a->el ? ARM64_AS_EL1 : ARM64_AS_EL0; /* PAN is for data */
    struct translation t;
    unsigned res = arm64_walk(a, va, access, as | ARM64_AS_PROBE, &t), fsc = res & A64_ISS_FSC;

    if (!res)
        return false;
    /* EL1 cleans what it cannot read. */
    if (a->el && access == ACCESS_READ && (fsc & ~3u) == A64_FSC_PERMISSION)
        return false;
    arm64_abort(a, va, access, fsc, A64_ISS_CM | A64_ISS_WNR);
    a->trapped = true;
    return true;
}

/* Lift makes stores of DC ZVA: what comes here is not allowed, or is to a device for want of translation. */
static void zva_fault(struct arm64_vcpu *a, gva_t va)
{
    if (arm64_sys_trap_el0(a, a->sctlr_el1 & A64_SCTLR_DZE))
        return;
    arm64_abort(a, va, ACCESS_WRITE, A64_FSC_ALIGNMENT, A64_ISS_WNR);
    a->trapped = true;
}

bool arm64_op_cache(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    if (code == A64_SYSOP_dc_zva) {
        zva_fault(a, value);
        return false;
    }
    if (arm64_sys_trap_el0(a, a->sctlr_el1 & A64_SCTLR_UCI))
        return false;
    if (by_va(code) && cache_fault(a, code, value))
        return false;
    if (code == A64_SYSOP_ic_ialluis || code == A64_SYSOP_ic_iallu || code == A64_SYSOP_ic_ivau) {
        arm64_fetch_barrier(&a->v);
        a->changed |= ARM64_CHANGED_CONTEXT;
    }
    return true;
}

/* ---- AT: the result goes to PAR_EL1 (D8.11) ---- */

/* Devices, and memory that neither inner nor outer caches keep, whatever their entries say (D8.11.1). */
static bool shared_anyway(unsigned attr)
{
    return a64_mair_is_device(attr) || attr == A64_MAIR_NORMAL_NC;
}

bool arm64_op_at(struct arm64_vcpu *a, unsigned code, uint64_t va)
{
    bool write = code & 1, user = (code & 7) >= 2 && a64_sysreg_crm(code) == 8;
    bool pan = a64_sysreg_crm(code) == 9 && a->pan;
    unsigned as = user ? ARM64_AS_EL0 : pan ? ARM64_AS_EL1_PAN : ARM64_AS_EL1;
    struct translation t;
    unsigned res = arm64_walk(a, va, write ? ACCESS_WRITE : ACCESS_READ, as | ARM64_AS_PROBE, &t);
    unsigned attr = A64_MAIR_DEVICE_NGNRNE, sh = A64_SH_OUTER;

    /* A table outside memory is no result but an exception (D8.11.1). */
    if ((res & A64_ISS_FSC & ~3u) == A64_FSC_EXTERNAL_WALK) {
        arm64_abort(a, va, ACCESS_READ, res & A64_ISS_FSC, A64_ISS_CM | A64_ISS_WNR);
        a->trapped = true;
        return false;
    }
    if (res) {
        a->par_el1 = A64_PAR_F | A64_PAR_RES1 | a64_field_set(0, A64_PAR_FST, res & A64_ISS_FSC);
        return true;
    }
    if (a->leaf) {
        attr = arm64_leaf_attr(a, a->leaf);
        sh = shared_anyway(attr) ? A64_SH_OUTER : (unsigned)a64_field_get(a->leaf, A64_PTE_SH);
    }
    a->par_el1 = A64_PAR_RES1 | A64_PAR_NS | (t.gpa & A64_PAR_PA) | a64_field_set(0, A64_PAR_ATTR, attr) |
                 a64_field_set(0, A64_PAR_SH, sh);
    return true;
}

/* ---- TLBI (D8.14) ---- */

/* Above this many pages one flush of more than was asked is the cheaper way. */
#define RANGE_PAGES_MAX 64

struct tlbi {
    struct flush_scope scope;
    uint64_t pages; /* of 4 KiB, from scope.va */
    bool last;      /* pointers to tables stay */
};

static void flush_here(struct vcpu *v, void *opaque)
{
    const struct tlbi *t = opaque;
    struct flush_scope s = t->scope;

    if (!t->last)
        arm64_of(v)->walk_generation++;
    arm64_flush(v, &s);
    for (uint64_t i = 1; i < t->pages; i++) {
        s.va += MEM_PAGE_SIZE;
        arm64_flush(v, &s);
    }
}

/* By range: BADDR in granules, (NUM + 1) << (5 * SCALE + 1) of them. `every`: of all ASIDs. */
static bool range_of(uint64_t value, bool every, struct tlbi *t)
{
    static const uint8_t shift[] = {0, 12, 14, 16};
    unsigned bits = shift[a64_field_get(value, A64_TLBI_TG)];
    uint64_t granules = (a64_field_get(value, A64_TLBI_NUM) + 1)
                        << (5 * a64_field_get(value, A64_TLBI_SCALE) + 1);

    if (!bits)
        return false;
    t->scope.va = (gva_t)bits_sext(a64_field_get(value, A64_TLBI_BADDR), 37) << bits;
    t->pages = granules << (bits - MEM_PAGE_BITS);
    if (t->pages > RANGE_PAGES_MAX) {
        t->scope.kind = every ? FLUSH_ALL : FLUSH_HALF;
        t->pages = 1;
    }
    return true;
}

/*
 * op2: 0 all, 1 VA, 2 ASID, 3 VA of all ASIDs, 5 and 7 alike of the last level only. CRm: 7 here, 3 inner and
 * 1 outer shareable; 6, 2, 5 the same by range. A page is named for all ASIDs, which is more than asked:
 * global entries go with it in each form.
 */
bool arm64_op_tlbi(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    unsigned crm = a64_sysreg_crm(code), op = a64_sysreg_op2(code);
    bool range = crm == 6 || crm == 2 || crm == 5, here = crm == 7 || crm == 6;
    struct tlbi t = {.pages = 1, .last = op >= 5};
    uint64_t asid = a64_field_get(value, A64_TLBI_ASID);

    if (!(BIT(crm) & 0xee) || !(BIT(op) & (range ? 0xaa : 0xaf)) || crm == 4)
        return false;
    if (!arm64_has(a, ARM64F_TLBIRANGE) && (range || crm == 1))
        return false;
    t.scope.kind = op == 0 ? FLUSH_ALL : op == 2 ? FLUSH_ASID : FLUSH_PAGE;
    t.scope.asid = a->tcr_el1 & A64_TCR_AS ? asid : asid & 0xff;
    t.scope.va = (gva_t)bits_sext(value, 44) << 12;
    if (range && !range_of(value, op & 2, &t))
        return true; /* a reserved granule: nothing is named */
    if (here)
        flush_here(&a->v, &t);
    else
        vcpu_call_mask(&a->v, a->v.vm, UINT64_MAX, flush_here, &t);
    a->changed |= ARM64_CHANGED_CONTEXT;
    return true;
}
