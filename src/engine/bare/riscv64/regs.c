/* The registers of a vCPU between memory and the hardware's VS copies. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/pte.h"

/* What VS-mode takes itself: its page faults, breakpoints, U-mode's calls, misaligned and illegal
 * instructions. */
#define HEDELEG                                                                                              \
    (BIT(RV_EXC_INSN_MISALIGNED) | BIT(RV_EXC_INSN_ACCESS) | BIT(RV_EXC_ILLEGAL_INSN) |                      \
     BIT(RV_EXC_BREAKPOINT) | BIT(RV_EXC_LOAD_MISALIGNED) | BIT(RV_EXC_LOAD_ACCESS) |                        \
     BIT(RV_EXC_STORE_MISALIGNED) | BIT(RV_EXC_STORE_ACCESS) | BIT(RV_EXC_ECALL_U) |                         \
     BIT(RV_EXC_INSN_PAGE_FAULT) | BIT(RV_EXC_LOAD_PAGE_FAULT) | BIT(RV_EXC_STORE_PAGE_FAULT))
#define HIDELEG (RV_IRQ_VSSI | RV_IRQ_VSTI | RV_IRQ_VSEI)
#define S_IRQS  (RV_IRQ_SSI | RV_IRQ_STI | RV_IRQ_SEI)

/*
 * ---- floating point ----
 *
 * Saved when FS says that they changed; loaded with the vCPU, unless both it and the hardware have nothing
 * but zeros, as guests that do not use them have. Not at their first use: the illegal instruction by which
 * that would tell goes through M-mode, whose firmware emulates some, and costs more than 32 loads; and where
 * software cannot write mstatus.MPV (QEMU 10.0) it does not come to HS-mode at all.
 */

#define FP_ALL(op)                                                                                           \
    op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)    \
        op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24) op(25) op(26) op(27) op(28) op(29)    \
            op(30) op(31)
#define FP_STORE(n) "fsd f" #n ", 8*" #n "(%1)\n"
#define FP_LOAD(n)  "fld f" #n ", 8*" #n "(%0)\n"

static uint64_t fs_field(enum rv_fs fs)
{
    return rv_field_set(0, RV_MSTATUS_FS, fs);
}

/*
 * Writing a control register alone makes both levels dirty as well (Priv. 20240411, 18.2.11), but QEMU 7.2
 * tells the guest's level only.
 */
bool bare_dirty(const struct bare_vcpu *b, uint64_t field)
{
    return (b->sstatus & field) == field || (csr_read(RV_CSR_vsstatus) & field) == field;
}

void bare_fp_save(struct bare_vcpu *b)
{
    uint64_t fcsr;

    if (!bare_dirty(b, RV_MSTATUS_FS))
        return;
    csr_set(RV_CSR_sstatus, RV_MSTATUS_FS);
    __asm__ volatile(".option push\n.option arch, +d\n" FP_ALL(FP_STORE) "frcsr %0\n.option pop"
                     : "=&r"(fcsr)
                     : "r"(b->r->f)
                     : "memory");
    csr_clear(RV_CSR_sstatus, RV_MSTATUS_FS);
    b->r->v.fp_flags = fcsr & 31;
    b->r->frm = fcsr >> 5 & 7;
    b->sstatus = (b->sstatus & ~RV_MSTATUS_FS) | fs_field(RV_FS_CLEAN);
    b->fp_used = true;
    b->cpu->fp_zero = false;
}

static void fp_load(struct bare_vcpu *b, struct bare_cpu *c)
{
    uint64_t fcsr = (b->r->v.fp_flags & 31) | b->r->frm << 5;

    b->sstatus |= fs_field(RV_FS_CLEAN);
    if (!b->fp_used && c->fp_zero)
        return;
    csr_set(RV_CSR_sstatus, RV_MSTATUS_FS);
    __asm__ volatile(
        ".option push\n.option arch, +d\n" FP_ALL(FP_LOAD) "fscsr %1\n.option pop" ::"r"(b->r->f), "r"(fcsr)
        : "memory");
    csr_clear(RV_CSR_sstatus, RV_MSTATUS_FS);
    c->fp_zero = !b->fp_used;
}

/* ---- interrupt inputs ---- */

/*
 * SEIP and STIP are levels that devices drive. SSIP is moved: from mip, where others set it, to hvip, where
 * the guest clears it; so neither's write is lost.
 */
void bare_inputs(struct bare_vcpu *b)
{
    uint64_t mip = atomic_load_explicit(&b->r->mip, memory_order_relaxed);
    uint64_t level = (b->aia == BARE_AIA_FILE ? 0 : RV_IRQ_SEI) | (riscv_host.sstc ? 0 : RV_IRQ_STI);
    uint64_t want = (mip & level) << 1, change = want ^ b->hvip;

    if (mip & RV_IRQ_SSI) {
        atomic_fetch_and(&b->r->mip, ~RV_IRQ_SSI);
        csr_set(RV_CSR_hvip, RV_IRQ_VSSI);
    }
    if (!change)
        return;
    csr_set(RV_CSR_hvip, change & want);
    csr_clear(RV_CSR_hvip, change & ~want);
    b->hvip = want;
    /* Without a guest file stopi may name the external interrupt by this only (AIA 1.0, 6.3.3). */
    if (b->aia == BARE_AIA_EMULATED)
        csr_write(RV_CSR_hvictl, want & RV_IRQ_VSEI ? RV_INT_SEI << 16 | 1 : 0);
}

void bare_inputs_fold(struct bare_vcpu *b)
{
    if (!(csr_read(RV_CSR_hvip) & RV_IRQ_VSSI))
        return;
    csr_clear(RV_CSR_hvip, RV_IRQ_VSSI);
    atomic_fetch_or(&b->r->mip, RV_IRQ_SSI);
}

/* ---- all of it ---- */

void bare_hgatp_write(const struct bare_vcpu *b)
{
    const struct bare_vm *s = b->r->v.vm->engine_vm;

    csr_write(RV_CSR_hgatp, (uint64_t)s->mode << 60 | rv_field_set(0, RV_HGATP_VMID, b->vmid.number) |
                                arch_pa(s->root) >> RV_PAGE_SHIFT);
}

static uint64_t henvcfg_of(const struct riscv_vcpu *r)
{
    return (r->menvcfg & (RV_ENVCFG_FIOM | RV_ENVCFG_CBIE | RV_ENVCFG_CBCFE | RV_ENVCFG_CBZE)) |
           (riscv_host.svpbmt && riscv_has(r, RVF_SVPBMT) ? RV_ENVCFG_PBMTE : 0) |
           (riscv_host.sstc ? RV_ENVCFG_STCE : 0);
}

/* What is the same for every vCPU stays in the hardware once it is there. */
static void cpu_prepare(void)
{
    csr_write(RV_CSR_hedeleg, HEDELEG);
    csr_write(RV_CSR_hideleg, HIDELEG);
    csr_write(RV_CSR_hcounteren, RV_COUNTER_CY | RV_COUNTER_TM | RV_COUNTER_IR);
    csr_write(RV_CSR_hgeie, 0);
}

void bare_load(struct bare_vcpu *b)
{
    struct bare_cpu *c = arch_cpu()->engine;
    struct riscv_vcpu *r = b->r;

    if (c->resident && c->resident != b)
        bare_drop(c->resident);
    if (!c->vmid.generation)
        cpu_prepare();
    b->sstatus = r->priv == RV_PRIV_S ? RV_MSTATUS_SPP : 0;
    fp_load(b, c);
    if (b->vector)
        bare_vector_load(b, c);
    b->hstatus = RV_HSTATUS_SPV | RV_HSTATUS_VTW | rv_field_set(0, RV_HSTATUS_VSXL, RV_XL_64) |
                 (b->aia == BARE_AIA_FILE ? rv_field_set(0, RV_HSTATUS_VGEIN, 1) : 0);
    csr_write(RV_CSR_vsstatus, r->mstatus & b->status_mask);
    csr_write(RV_CSR_vstvec, r->stvec);
    csr_write(RV_CSR_vsscratch, r->sscratch);
    csr_write(RV_CSR_vsepc, r->sepc);
    csr_write(RV_CSR_vscause, r->scause);
    csr_write(RV_CSR_vstval, r->stval);
    csr_write(RV_CSR_vsatp, r->satp);
    csr_write(RV_CSR_vsie, r->mie & S_IRQS);
    csr_write(RV_CSR_senvcfg, r->senvcfg);
    csr_write(RV_CSR_scounteren, r->scounteren);
    csr_write(RV_CSR_henvcfg, henvcfg_of(r));
    csr_write(RV_CSR_hvip, 0);
    b->hvip = 0;
    if (riscv_host.ssaia)
        csr_write(RV_CSR_hvictl, 0);
    if (b->aia)
        bare_aia_load(b);
    csr_write(RV_CSR_htimedelta, b->timedelta);
    if (riscv_host.sstc) /* after htimedelta: emulators compare when it is written */
        csr_write(RV_CSR_vstimecmp, r->stimecmp);
    bare_vmid_check(b);
    bare_hgatp_write(b);
    c->resident = b;
    b->cpu = c;
    b->valid = true;
    b->switches++;
    sched_resident_set(arch_cpu()->task);
}

void bare_save(struct bare_vcpu *b)
{
    struct riscv_vcpu *r = b->r;

    r->priv = b->sstatus & RV_MSTATUS_SPP ? RV_PRIV_S : RV_PRIV_U;
    r->mstatus = (r->mstatus & ~RV_SSTATUS_MASK) | (csr_read(RV_CSR_vsstatus) & RV_SSTATUS_MASK);
    r->stvec = csr_read(RV_CSR_vstvec);
    r->sscratch = csr_read(RV_CSR_vsscratch);
    r->sepc = csr_read(RV_CSR_vsepc);
    r->scause = csr_read(RV_CSR_vscause);
    r->stval = csr_read(RV_CSR_vstval);
    r->satp = csr_read(RV_CSR_vsatp);
    r->mie = (r->mie & ~S_IRQS) | (csr_read(RV_CSR_vsie) & S_IRQS);
    r->senvcfg = csr_read(RV_CSR_senvcfg);
    r->scounteren = csr_read(RV_CSR_scounteren);
    if (riscv_host.sstc)
        r->stimecmp = csr_read(RV_CSR_vstimecmp);
    bare_inputs_fold(b);
    if (b->aia)
        bare_aia_save(b);
    bare_fp_save(b);
    if (b->vector)
        bare_vector_save(b);
}

void bare_drop(struct bare_vcpu *b)
{
    if (b->valid)
        bare_save(b);
    else /* what it wrote is still there */
        b->cpu->fp_zero = b->cpu->vector_zero = false;
    b->cpu->resident = NULL;
    b->cpu = NULL;
    b->valid = false;
    sched_resident_set(NULL);
}

/* As hardware takes a trap into VS-mode (Priv. 20240411, 18.6.3). */
void bare_inject(struct bare_vcpu *b, uint64_t cause, uint64_t tval)
{
    uint64_t s = csr_read(RV_CSR_vsstatus);

    csr_write(RV_CSR_vsepc, b->r->v.pc);
    csr_write(RV_CSR_vscause, cause);
    csr_write(RV_CSR_vstval, tval);
    s = rv_field_set(s, RV_MSTATUS_SPIE, rv_field_get(s, RV_MSTATUS_SIE));
    s = rv_field_set(s, RV_MSTATUS_SPP, rv_field_get(b->sstatus, RV_MSTATUS_SPP));
    csr_write(RV_CSR_vsstatus, s & ~RV_MSTATUS_SIE);
    b->sstatus |= RV_MSTATUS_SPP;
    b->r->v.pc = csr_read(RV_CSR_vstvec) & RV_TVEC_BASE;
}
