/*
 * Control and status registers: one table, the access functions of those that are no plain storage.
 * Numbers and fields: Privileged, chapter 2; AIA 1.0; Sstc.
 */
#include "guest/riscv64/cpu.h"
#include "core/irqchip.h"
#include "isa/riscv64/fp.h"
#include "isa/riscv64/pte.h"

struct csr {
    uint16_t number, count; /* count: a range of alike registers */
    uint8_t how;            /* enum riscv_csr_how */
    uint8_t needs;          /* enum riscv_feature, I where nothing is needed */
    /* Storage: what reads show, what writes change. No slot and no functions: reads 0, ignores writes. */
    uint32_t slot;
    uint64_t read_mask, write_mask;
    bool (*get)(struct riscv_vcpu *r, unsigned number, uint64_t *value);
    bool (*set)(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask);
    uint8_t changed; /* enum riscv_changed of a storage write */
};

#define SLOT(field) offsetof(struct riscv_vcpu, field)

static uint64_t merge(uint64_t old, uint64_t value, uint64_t mask)
{
    return (old & ~mask) | (value & mask);
}

/* ---- mstatus, sstatus ---- */

#define MSTATUS_WRITE                                                                                        \
    (RV_MSTATUS_SIE | RV_MSTATUS_MIE | RV_MSTATUS_SPIE | RV_MSTATUS_MPIE | RV_MSTATUS_SPP | RV_MSTATUS_MPP | \
     RV_MSTATUS_FS | RV_MSTATUS_MPRV | RV_MSTATUS_SUM | RV_MSTATUS_MXR | RV_MSTATUS_TVM | RV_MSTATUS_TW |    \
     RV_MSTATUS_TSR)

static bool status_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t old = r->mstatus, s;

    mask &= number == RV_CSR_sstatus ? MSTATUS_WRITE & RV_SSTATUS_MASK : MSTATUS_WRITE;
    if (!riscv_has(r, RVF_F))
        mask &= ~RV_MSTATUS_FS;
    s = merge(old, value, mask) & ~RV_MSTATUS_SD;
    if (rv_field_get(s, RV_MSTATUS_MPP) == 2) /* WARL: no such mode */
        s = merge(s, old, RV_MSTATUS_MPP);
    if ((s & RV_MSTATUS_FS) == RV_MSTATUS_FS)
        s |= RV_MSTATUS_SD;
    r->mstatus = s;
    r->changed |= RISCV_CHANGED_MODE | RISCV_CHANGED_IRQ;
    return true;
}

/* ---- floating point ---- */

static bool fp_on(const struct riscv_vcpu *r)
{
    return (r->mstatus & RV_MSTATUS_FS) != 0;
}

/* The accrued flags may live in the host's FPU while an engine runs. */
static bool fcsr_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    const struct engine_ops *e = r->v.vm->engine;

    if (!fp_on(r))
        return false;
    if (e->pull)
        e->pull(&r->v, REGS_FP);
    *value = number == RV_CSR_frm      ? r->frm
             : number == RV_CSR_fflags ? r->v.fp_flags
                                       : r->frm << RV_FCSR_FRM_SHIFT | r->v.fp_flags;
    return true;
}

static bool fcsr_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    const struct engine_ops *e = r->v.vm->engine;
    uint64_t old;

    if (!fcsr_get(r, number, &old))
        return false;
    value = merge(old, value, mask);
    if (number != RV_CSR_frm)
        r->v.fp_flags = value & RV_FCSR_FFLAGS;
    if (number == RV_CSR_fcsr)
        value >>= RV_FCSR_FRM_SHIFT;
    if (number != RV_CSR_fflags)
        r->frm = value & 7;
    r->mstatus |= RV_MSTATUS_FS | RV_MSTATUS_SD;
    r->changed |= RISCV_CHANGED_MODE;
    if (e->push)
        e->push(&r->v, REGS_FP);
    return true;
}

/* ---- interrupts ---- */

#define S_IRQS (RV_IRQ_SSI | RV_IRQ_STI | RV_IRQ_SEI)
#define M_IRQS (RV_IRQ_MSI | RV_IRQ_MTI | RV_IRQ_MEI)

static bool mip_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    *value = riscv_mip(r);
    if (number == RV_CSR_sip)
        *value &= r->mideleg;
    return true;
}

/* A read-modify-write of SEIP works on the software bit alone (Privileged, 3.1.9). */
static bool mip_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t writable = number == RV_CSR_sip ? RV_IRQ_SSI & r->mideleg : S_IRQS;

    if (r->menvcfg & RV_ENVCFG_STCE)
        writable &= ~RV_IRQ_STI;
    mask &= writable;
    r->seip_soft = merge(r->seip_soft, value, mask & RV_IRQ_SEI) & RV_IRQ_SEI;
    mask &= ~RV_IRQ_SEI;
    atomic_fetch_or(&r->mip, value & mask);
    atomic_fetch_and(&r->mip, value | ~mask);
    r->changed |= RISCV_CHANGED_IRQ;
    return true;
}

/* mvip: with mvien 0, aliases of the software-writable bits of mip (AIA 1.0, 5.3). */
static bool mvip_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = (atomic_load(&r->mip) & RV_IRQ_SSI) | r->seip_soft;
    if (!(r->menvcfg & RV_ENVCFG_STCE))
        *value |= atomic_load(&r->mip) & RV_IRQ_STI;
    return true;
}

static bool sie_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = r->mie & r->mideleg;
    return true;
}

static bool sie_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    (void)number;
    r->mie = merge(r->mie, value, mask & r->mideleg & S_IRQS);
    r->changed |= RISCV_CHANGED_IRQ;
    return true;
}

/* mtvec, stvec: only direct and vectored; other modes keep the old one (WARL). */
static bool tvec_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t *tvec = number == RV_CSR_stvec ? &r->stvec : &r->mtvec;

    value = merge(*tvec, value, mask);
    if ((value & RV_TVEC_MODE) > RV_TVEC_VECTORED)
        value = (value & RV_TVEC_BASE) | (*tvec & RV_TVEC_MODE);
    *tvec = value;
    return true;
}

/* ---- environment configuration ---- */

/* CBIE 2 is reserved: the old value stays. */
static uint64_t cbie_legal(uint64_t old, uint64_t value)
{
    return rv_field_get(value, RV_ENVCFG_CBIE) == 2 ? merge(value, old, RV_ENVCFG_CBIE) : value;
}

static uint64_t envcfg_mask(const struct riscv_vcpu *r, unsigned number)
{
    uint64_t mask = RV_ENVCFG_FIOM;

    mask |= riscv_has(r, RVF_ZICBOM) ? RV_ENVCFG_CBIE | RV_ENVCFG_CBCFE : 0;
    mask |= riscv_has(r, RVF_ZICBOZ) ? RV_ENVCFG_CBZE : 0;
    if (number == RV_CSR_senvcfg)
        return mask;
    mask |= riscv_has(r, RVF_SVADU) ? RV_ENVCFG_ADUE : 0;
    mask |= riscv_has(r, RVF_SVPBMT) ? RV_ENVCFG_PBMTE : 0;
    return mask | (riscv_has(r, RVF_SSTC) ? RV_ENVCFG_STCE : 0);
}

static bool senvcfg_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    r->senvcfg = cbie_legal(r->senvcfg, merge(r->senvcfg, value, mask & envcfg_mask(r, number)));
    r->changed |= RISCV_CHANGED_MODE;
    return true;
}

static bool menvcfg_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t old = r->menvcfg;

    r->menvcfg = cbie_legal(old, merge(old, value, mask & envcfg_mask(r, number)));
    r->changed |= RISCV_CHANGED_MODE;
    if ((old ^ r->menvcfg) & (RV_ENVCFG_ADUE | RV_ENVCFG_PBMTE))
        r->changed |= RISCV_CHANGED_TLB;
    if ((old ^ r->menvcfg) & RV_ENVCFG_STCE) {
        riscv_irq_input(&r->v, RV_INT_STI, false);
        riscv_stimecmp_write(r, r->stimecmp);
    }
    return true;
}

/* ---- translation ---- */

/* mstatus.TVM keeps satp from S-mode (3.1.6.5). */
static bool satp_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = r->satp;
    return r->priv != RV_PRIV_S || !(r->mstatus & RV_MSTATUS_TVM);
}

/* A write with an unsupported MODE has no effect at all (10.1.11). */
static bool satp_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t old;

    if (!satp_get(r, number, &old))
        return false;
    value = merge(old, value, mask);
    if (!(riscv_features_satp_modes(r->features) >> rv_field_get(value, RV_SATP_MODE) & 1))
        return true;
    r->satp = value;
    r->changed |= RISCV_CHANGED_MODE | RISCV_CHANGED_CONTEXT;
    return true;
}

static bool pmpcfg_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    *value = riscv_pmpcfg_read(r, number - RV_CSR_pmpcfg0);
    return !(number & 1); /* the odd ones are RV32's */
}

static bool pmpcfg_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t old;

    if (!pmpcfg_get(r, number, &old))
        return false;
    riscv_pmpcfg_write(r, number - RV_CSR_pmpcfg0, merge(old, value, mask));
    return true;
}

static bool pmpaddr_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    *value = riscv_pmpaddr_read(r, number - RV_CSR_pmpaddr0);
    return true;
}

static bool pmpaddr_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    unsigned i = number - RV_CSR_pmpaddr0;

    riscv_pmpaddr_write(r, i, merge(riscv_pmpaddr_read(r, i), value, mask));
    return true;
}

/* ---- counters ---- */

/* mcounteren says for S and U, scounteren for U (3.1.11, 10.1.5). */
static bool counter_visible(const struct riscv_vcpu *r, unsigned n)
{
    uint64_t enabled = r->priv == RV_PRIV_M   ? UINT64_MAX
                       : r->priv == RV_PRIV_S ? r->mcounteren
                                              : r->mcounteren & r->scounteren;

    return enabled >> n & 1;
}

/* Cycles and instructions are the same count; each has its own base and its own bit to stop it. */
static uint64_t *counter_base(struct riscv_vcpu *r, unsigned n)
{
    return n == 0 ? &r->cycle_base : &r->instret_base;
}

static uint64_t counted(const struct riscv_vcpu *r, unsigned n)
{
    return r->mcountinhibit >> n & 1 ? 0 : vcpu_icount(&r->v);
}

/*
 * The count has this instruction in it already. A read shows what came before it; a written value is what
 * the next instruction reads (Unprivileged, 8.1).
 */
static uint64_t counter_now(struct riscv_vcpu *r, unsigned n)
{
    return *counter_base(r, n) + counted(r, n) - !(r->mcountinhibit >> n & 1);
}

static bool counter_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    unsigned n = number & 31;

    *value = n == 1   ? clock_ticks(r->v.vm, clock_counter_hz(r->v.vm, RISCV_TIMEBASE_HZ))
             : n <= 2 ? counter_now(r, n)
                      : 0;
    return rv_csr_privilege(number) == RV_PRIV_M || counter_visible(r, n);
}

static bool counter_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    unsigned n = number & 31;

    value = merge(counter_now(r, n), value, mask);
    *counter_base(r, n) = value - counted(r, n);
    return true;
}

static bool inhibit_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t cy = r->cycle_base + counted(r, 0), ir = r->instret_base + counted(r, 2);

    (void)number;
    r->mcountinhibit = merge(r->mcountinhibit, value, mask & (RV_COUNTER_CY | RV_COUNTER_IR));
    counter_set(r, RV_CSR_mcycle, cy, UINT64_MAX);
    counter_set(r, RV_CSR_minstret, ir, UINT64_MAX);
    return true;
}

void riscv_counters_inhibit(struct riscv_vcpu *r, uint64_t inhibit)
{
    inhibit_set(r, RV_CSR_mcountinhibit, inhibit, UINT64_MAX);
}

void riscv_counter_put(struct riscv_vcpu *r, unsigned n, uint64_t value)
{
    counter_set(r, RV_CSR_mcycle + n, value, UINT64_MAX);
}

/* Sstc: S-mode reaches stimecmp when both mcounteren.TM and menvcfg.STCE say so. */
static bool stimecmp_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = r->stimecmp;
    return r->priv == RV_PRIV_M || (r->menvcfg & RV_ENVCFG_STCE && r->mcounteren & RV_COUNTER_TM);
}

static bool stimecmp_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    uint64_t old;

    if (!stimecmp_get(r, number, &old))
        return false;
    riscv_stimecmp_write(r, merge(old, value, mask));
    return true;
}

/* ---- identity ---- */

static bool misa_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = riscv_features_misa(r->features);
    return true;
}

static bool hartid_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    (void)number;
    *value = r->v.id;
    return true;
}

/* ---- AIA: indirect registers and the top interrupt (AIA 1.0, 2.2, 3.8, 5.2) ---- */

#define IPRIO_FIRST 0x30
#define IPRIO_LAST  0x3f

static struct msi_file *msi_of(struct riscv_vcpu *r, unsigned number)
{
    return r->v.msi[rv_csr_privilege(number) == RV_PRIV_M ? 0 : 1];
}

static uint64_t select_of(struct riscv_vcpu *r, unsigned number)
{
    return rv_csr_privilege(number) == RV_PRIV_M ? r->miselect : r->siselect;
}

/* The priority arrays exist but are all zeros, which leaves the default order. Odd numbers are RV32's. */
static bool is_iprio(uint64_t select)
{
    return select >= IPRIO_FIRST && select <= IPRIO_LAST && !(select & 1);
}

static bool ireg_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    struct msi_file *f = msi_of(r, number);
    uint64_t select = select_of(r, number);

    *value = 0;
    return is_iprio(select) || (f && f->ops->read(f, select, value));
}

static bool ireg_set(struct riscv_vcpu *r, unsigned number, uint64_t value, uint64_t mask)
{
    struct msi_file *f = msi_of(r, number);
    uint64_t select = select_of(r, number), old;

    r->changed |= RISCV_CHANGED_IRQ;
    return is_iprio(select) || (f && f->ops->write(f, select, value, mask, &old));
}

static bool topei_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    struct msi_file *f = msi_of(r, number);

    *value = f ? f->ops->top(f, false) : 0;
    return f != NULL;
}

bool riscv_csr_claim(struct riscv_vcpu *r, uint32_t row, uint64_t *value)
{
    struct msi_file *f = msi_of(r, row & 0xfff);

    *value = f ? f->ops->top(f, true) : 0;
    return f != NULL;
}

/* Highest pending and enabled of this level: identity << 16 | priority, which is always 1 here. */
static bool topi_get(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    uint64_t level = rv_csr_privilege(number) == RV_PRIV_M ? ~r->mideleg : r->mideleg;
    int n = riscv_irq_top(riscv_mip(r) & r->mie & level);

    *value = n < 0 ? 0 : (uint64_t)n << 16 | 1;
    return true;
}

/* ---- the table, ascending ---- */

#define ALL UINT64_MAX
#define FN(n, cnt, feature, g, s)                                                                            \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = cnt, .needs = RVF_##feature, .get = g, .set = s                       \
    }
#define DIRECT(n, wmask)                                                                                     \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .how = RISCV_CSR_DIRECT, .needs = RVF_I, .slot = SLOT(n),          \
        .read_mask = ALL, .write_mask = wmask                                                                \
    }
#define STORE(n, feature, wmask, chg)                                                                        \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .needs = RVF_##feature, .slot = SLOT(n), .read_mask = ALL,         \
        .write_mask = wmask, .changed = chg                                                                  \
    }
#define STATUS(n, rmask)                                                                                     \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .how = RISCV_CSR_STATUS, .needs = RVF_I, .slot = SLOT(mstatus),    \
        .read_mask = rmask, .set = status_set                                                                \
    }
#define TVEC(n)                                                                                              \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .needs = RVF_I, .slot = SLOT(n), .read_mask = ALL, .set = tvec_set \
    }
#define CLAIM(n, feature)                                                                                    \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .how = RISCV_CSR_CLAIM, .needs = RVF_##feature, .get = topei_get   \
    }
#define ENVCFG(n)                                                                                            \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = 1, .needs = RVF_I, .slot = SLOT(n), .read_mask = ALL, .set = n##_set  \
    }
#define ZERO(n, cnt, feature)                                                                                \
    {                                                                                                        \
        .number = RV_CSR_##n, .count = cnt, .needs = RVF_##feature                                           \
    }

/* Exceptions that can be delegated: all but ecall from M (3.1.8). */
#define MEDELEG                                                                                              \
    (BIT(RV_EXC_INSN_MISALIGNED) | BIT(RV_EXC_INSN_ACCESS) | BIT(RV_EXC_ILLEGAL_INSN) |                      \
     BIT(RV_EXC_BREAKPOINT) | BIT(RV_EXC_LOAD_MISALIGNED) | BIT(RV_EXC_LOAD_ACCESS) |                        \
     BIT(RV_EXC_STORE_MISALIGNED) | BIT(RV_EXC_STORE_ACCESS) | BIT(RV_EXC_ECALL_U) | BIT(RV_EXC_ECALL_S) |   \
     BIT(RV_EXC_INSN_PAGE_FAULT) | BIT(RV_EXC_LOAD_PAGE_FAULT) | BIT(RV_EXC_STORE_PAGE_FAULT))
#define EPC     (~UINT64_C(1))
#define ENABLES UINT64_C(0xffffffff)

static const struct csr csrs[] = {
    FN(fflags, 1, F, fcsr_get, fcsr_set),
    FN(frm, 1, F, fcsr_get, fcsr_set),
    FN(fcsr, 1, F, fcsr_get, fcsr_set),
    STATUS(sstatus, RV_SSTATUS_MASK),
    FN(sie, 1, I, sie_get, sie_set),
    TVEC(stvec),
    STORE(scounteren, I, ENABLES, 0),
    ENVCFG(senvcfg),
    DIRECT(sscratch, ALL),
    DIRECT(sepc, EPC),
    DIRECT(scause, ALL),
    DIRECT(stval, ALL),
    FN(sip, 1, I, mip_get, mip_set),
    FN(stimecmp, 1, SSTC, stimecmp_get, stimecmp_set),
    STORE(siselect, SSAIA, UINT64_C(0x1ff), 0),
    FN(sireg, 1, SSAIA, ireg_get, ireg_set),
    CLAIM(stopei, SSAIA),
    FN(satp, 1, I, satp_get, satp_set),
    STATUS(mstatus, ALL),
    FN(misa, 1, I, misa_get, NULL),
    STORE(medeleg, I, MEDELEG, 0),
    STORE(mideleg, I, S_IRQS, RISCV_CHANGED_IRQ),
    STORE(mie, I, S_IRQS | M_IRQS, RISCV_CHANGED_IRQ),
    TVEC(mtvec),
    STORE(mcounteren, I, ENABLES, 0),
    ZERO(mvien, 1, SMAIA),
    FN(mvip, 1, SMAIA, mvip_get, mip_set),
    ENVCFG(menvcfg),
    {.number = RV_CSR_mcountinhibit,
     .count = 1,
     .needs = RVF_I,
     .slot = SLOT(mcountinhibit),
     .read_mask = ALL,
     .set = inhibit_set},
    ZERO(mhpmevent3, 29, I),
    DIRECT(mscratch, ALL),
    DIRECT(mepc, EPC),
    DIRECT(mcause, ALL),
    DIRECT(mtval, ALL),
    FN(mip, 1, I, mip_get, mip_set),
    STORE(miselect, SMAIA, UINT64_C(0x1ff), 0),
    FN(mireg, 1, SMAIA, ireg_get, ireg_set),
    CLAIM(mtopei, SMAIA),
    FN(pmpcfg0, 16, I, pmpcfg_get, pmpcfg_set),
    FN(pmpaddr0, 64, I, pmpaddr_get, pmpaddr_set),
    FN(mcycle, 1, I, counter_get, counter_set),
    FN(minstret, 1, I, counter_get, counter_set),
    ZERO(mhpmcounter3, 29, I),
    FN(cycle, 1, ZICNTR, counter_get, NULL),
    FN(time, 1, ZICNTR, counter_get, NULL),
    FN(instret, 1, ZICNTR, counter_get, NULL),
    FN(hpmcounter3, 29, ZIHPM, counter_get, NULL),
    FN(stopi, 1, SSAIA, topi_get, NULL),
    ZERO(mvendorid, 1, I),
    ZERO(marchid, 1, I),
    ZERO(mimpid, 1, I),
    FN(mhartid, 1, I, hartid_get, NULL),
    ZERO(mconfigptr, 1, I),
    FN(mtopi, 1, SMAIA, topi_get, NULL),
};

static const struct csr *csr_find(unsigned number)
{
    size_t lo = 0, hi = ARRAY_SIZE(csrs);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (number < csrs[mid].number)
            hi = mid;
        else if (number >= csrs[mid].number + csrs[mid].count)
            lo = mid + 1;
        else
            return &csrs[mid];
    }
    return NULL;
}

bool riscv_csr_lookup(unsigned number, unsigned priv, bool write, struct riscv_csr_info *out)
{
    const struct csr *c = csr_find(number);

    if (!c || priv < rv_csr_privilege(number) || (write && rv_csr_read_only(number)))
        return false;
    *out = (struct riscv_csr_info){.row = (uint32_t)(c - csrs) << 12 | number,
                                   .how = c->how,
                                   .slot = c->slot,
                                   .read_mask = c->read_mask,
                                   .write_mask = c->write_mask};
    return true;
}

static uint64_t *storage(struct riscv_vcpu *r, const struct csr *c)
{
    return (uint64_t *)((char *)r + c->slot);
}

bool riscv_csr_get(struct riscv_vcpu *r, uint32_t row, uint64_t *value)
{
    const struct csr *c = &csrs[row >> 12];

    *value = 0;
    if (!riscv_has(r, (enum riscv_feature)c->needs))
        return false;
    if (c->get)
        return c->get(r, row & 0xfff, value);
    if (c->slot)
        *value = *storage(r, c) & c->read_mask;
    return true;
}

bool riscv_csr_set(struct riscv_vcpu *r, uint32_t row, uint64_t value, uint64_t mask)
{
    const struct csr *c = &csrs[row >> 12];
    uint64_t *p = storage(r, c);

    if (!riscv_has(r, (enum riscv_feature)c->needs))
        return false;
    if (c->set)
        return c->set(r, row & 0xfff, value, mask);
    if (c->slot) {
        *p = merge(*p, value, mask & c->write_mask);
        r->changed |= c->changed;
    }
    return true;
}
