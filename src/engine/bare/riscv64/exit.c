/*
 * Why guests came out. bare_exit() runs in the vector's wake and does what is short; what may block or needs
 * core's loop is left to bare_exit_slow(), in the loop of the vCPU's task.
 */
#include "engine/bare/riscv64/bare.h"
#include "lib/fmt.h"

#define INSN_WFI 0x10500073u

/* htinst of an access that the walk of VS tables made (Priv. 20240411, 18.6.3). */
#define HTINST_WALK_MASK 0xffffefdfu
#define HTINST_WALK      0x2000u

static void trace(struct bare_vcpu *b, uint64_t cause, uint64_t value)
{
    struct bare_trace *t = &b->ring[b->ring_at++ & (BARE_RING - 1)];

    t->pc = b->r->v.pc;
    t->cause = cause;
    t->value = value;
}

/* Whether the guest can go on as it is; interrupt inputs are brought up to date. */
static bool go_on(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    uint64_t mip;

    if (UNLIKELY(atomic_load_explicit(&r->v.request, memory_order_relaxed) |
                 atomic_load_explicit(&arch_cpu()->resched, memory_order_relaxed)))
        return false;
    mip = atomic_load_explicit(&r->mip, memory_order_relaxed);
    if (UNLIKELY(mip & RV_IRQ_SSI || (mip & RV_IRQ_SEI) << 1 != (b->hvip & RV_IRQ_VSEI)))
        bare_inputs(b);
    return true;
}

/* After code that may have let others run on this CPU, or moved. */
static bool still_here(struct bare_vcpu *b)
{
    struct bare_cpu *c = arch_cpu()->engine;

    if (c->resident != b || !b->valid || (uint64_t)arch_cpu() != b->host_tp)
        return false;
    csr_write(RV_CSR_hstatus, b->hstatus);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return true;
}

static bool leave(struct bare_vcpu *b, enum bare_reason reason, uint64_t cause, uint64_t gpa, uint64_t insn)
{
    b->exit.reason = reason;
    b->exit.cause = cause;
    b->exit.gpa = gpa;
    b->exit.insn = insn;
    return false;
}

/* ---- hypercalls ---- */

/* Calls that read and write the vCPU's struct only, and wake others at most. */
static bool is_short_call(uint64_t ext)
{
    return ext == RV_SBI_BASE || ext == RV_SBI_IPI;
}

static bool hypercall(struct riscv_vcpu *r, struct bare_vcpu *b, uint64_t cause)
{
    r->v.pc += 4;
    b->exits[BARE_HYPERCALL]++;
    if (!is_short_call(r->x[RV_REG_A7]))
        return leave(b, BARE_HYPERCALL, cause, 0, 0);
    riscv_sbi_call(r);
    r->changed = 0; /* IRQ at most: inputs are looked at on the way back */
    b->exit.reason = BARE_INTERRUPT;
    return go_on(r, b);
}

/* Which calls look at, or change, registers that are in the hardware. */
static bool needs_system(uint64_t ext)
{
    return ext == RV_SBI_HSM || ext <= RV_SBI_LEGACY_SHUTDOWN;
}

static enum exit_action hypercall_slow(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    const struct engine_ops *e = r->v.vm->engine;
    uint64_t ext = r->x[RV_REG_A7];
    bool system = needs_system(ext), timer = ext == RV_SBI_TIME || ext == RV_SBI_LEGACY_SET_TIMER;
    enum exit_action action;

    if (system)
        e->pull(&r->v, REGS_ALL);
    r->v.exit.kind = EXIT_HYPERCALL;
    action = exit_handle(&r->v, &r->v.exit);
    if (system) {
        e->push(&r->v, REGS_ALL);
    } else if (timer && riscv_host.sstc) {
        timer_cancel(&r->stimer);
        arch_irq_save();
        if (b->valid && b->cpu == arch_cpu()->engine)
            csr_write(RV_CSR_vstimecmp, r->stimecmp);
        arch_irq_restore(true);
    }
    /* Core asks again for what it has heard: a block by another name is still a block. */
    r->v.exit.kind = action == EXIT_BLOCK ? EXIT_HALT : EXIT_NONE;
    return action;
}

/* ---- memory ---- */

static void access_fault(struct bare_vcpu *b, uint64_t cause, uint64_t va)
{
    uint64_t as = cause == RV_EXC_STORE_GUEST_PAGE_FAULT  ? RV_EXC_STORE_ACCESS
                  : cause == RV_EXC_LOAD_GUEST_PAGE_FAULT ? RV_EXC_LOAD_ACCESS
                                                          : RV_EXC_INSN_ACCESS;

    bare_inject(b, as, va);
}

static uint64_t extend(uint64_t value, const struct mmio_insn *i)
{
    unsigned shift = 64 - 8 * i->size;

    return i->sext ? (uint64_t)((int64_t)(value << shift) >> shift) : value << shift >> shift;
}

/* Interrupts come through while a device is busy with it. False: nobody answers. */
static bool mmio(struct riscv_vcpu *r, struct bare_vcpu *b, gpa_t gpa, const struct mmio_insn *i)
{
    uint64_t value = i->write ? extend(r->x[i->reg], i) : 0;
    bool ok;

    b->exits[i->write ? BARE_MMIO_WRITE : BARE_MMIO_READ]++;
    arch_irq_restore(true);
    ok = bus_access(r->v.vm, gpa, i->size, i->write, &value);
    arch_irq_save();
    if (!ok)
        return false;
    if (!i->write && i->reg)
        r->x[i->reg] = extend(value, i);
    r->v.pc += i->len;
    return true;
}

/* A store to memory that core wants to hear of. */
static bool watched_store(struct riscv_vcpu *r, gpa_t gpa, const struct mmio_insn *i)
{
    uint64_t value = r->x[i->reg];

    if (!i->write || mem_write(&r->v.vm->mem, gpa, &value, i->size))
        return false;
    r->v.pc += i->len;
    return true;
}

static bool guest_fault(struct riscv_vcpu *r, struct bare_vcpu *b, uint64_t cause)
{
    uint64_t stval = csr_read(RV_CSR_stval), htinst = csr_read(RV_CSR_htinst);
    gpa_t gpa = csr_read(RV_CSR_htval) << 2 | (stval & 3);
    const struct mem_region *m = mem_find(&r->v.vm->mem, gpa);
    bool walk = (htinst & HTINST_WALK_MASK) == HTINST_WALK;
    struct mmio_insn insn;
    int mapped;

    trace(b, cause, gpa);
    b->exit.reason = BARE_INTERRUPT;
    if (m && atomic_load_explicit(&m->kind, memory_order_relaxed) != MEM_MMIO) {
        b->exits[BARE_MEMORY]++;
        mapped = stage2_map(r->v.vm, gpa, walk ? htinst & 0x20 : cause == RV_EXC_STORE_GUEST_PAGE_FAULT);
        if (mapped > 0)
            return go_on(r, b);
        if (mapped < 0)
            return leave(b, BARE_MEMORY, cause, gpa, 0);
    }
    if (m && !walk && cause != RV_EXC_INSN_GUEST_PAGE_FAULT && mmio_decode(r, htinst, &insn) &&
        (mmio(r, b, gpa, &insn) || watched_store(r, gpa, &insn)))
        return still_here(b) && go_on(r, b);
    if (!still_here(b)) /* rare: the exception waits for the next time the guest comes here */
        return false;
    access_fault(b, cause, stval);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return go_on(r, b);
}

/* ---- instructions that VS-mode may not execute itself ---- */

static bool virtual_insn(struct riscv_vcpu *r, struct bare_vcpu *b, uint64_t cause)
{
    uint64_t insn = csr_read(RV_CSR_stval);

    if (insn == INSN_WFI || !insn) {
        b->exits[BARE_WFI]++;
        r->v.pc += 4;
        b->exit.reason = BARE_INTERRUPT;
        /* Sleep only when nothing is pending that would end it, whatever SIE says. */
        if (csr_read(RV_CSR_vsip) & csr_read(RV_CSR_vsie))
            return go_on(r, b);
        return leave(b, BARE_WFI, cause, 0, 0);
    }
    b->exits[BARE_CSR]++;
    return leave(b, BARE_CSR, cause, 0, insn);
}

/* With HS-level FS off the first FP instruction comes here; a real illegal one then goes to the guest. */
static bool illegal(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    b->exits[BARE_FP]++;
    b->exit.reason = BARE_INTERRUPT;
    bare_fp_load(b);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return go_on(r, b);
}

/* The wake-up conditions that core asks the guest folder for, as they are in hardware. */
static void halt(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    arch_irq_save();
    if (b->valid && b->cpu == arch_cpu()->engine) {
        r->mie = (r->mie & ~(uint64_t)(RV_IRQ_SSI | RV_IRQ_STI | RV_IRQ_SEI)) | csr_read(RV_CSR_vsie);
        if (riscv_host.sstc)
            r->stimecmp = csr_read(RV_CSR_vstimecmp);
        bare_inputs_fold(b);
    }
    arch_irq_restore(true);
    if (riscv_host.sstc)
        riscv_stimecmp_write(r, r->stimecmp);
    r->changed = 0;
    r->v.exit.kind = EXIT_HALT;
}

/* CSRs of VS-mode that the hardware left to us (interrupt files): by the guest folder's table. */
static bool csr_emulate(struct riscv_vcpu *r, uint32_t insn)
{
    unsigned number = insn >> 20, funct3 = insn >> 12 & 7, rd = insn >> 7 & 31, rs1 = insn >> 15 & 31;
    uint64_t operand = funct3 & 4 ? rs1 : r->x[rs1], old = 0, value = operand, mask = UINT64_MAX;
    bool write = (funct3 & 3) == 1 || rs1;
    struct riscv_csr_info csr;

    if ((insn & 0x7f) != 0x73 || !(funct3 & 3) || !riscv_csr_lookup(number, r->priv, write, &csr))
        return false;
    if (csr.how == RISCV_CSR_CLAIM && write) {
        if (!riscv_csr_claim(r, csr.row, &old))
            return false;
    } else if (!riscv_csr_get(r, csr.row, &old)) {
        return false;
    }
    if ((funct3 & 3) != 1)
        mask = operand;
    if ((funct3 & 3) == 3)
        value = 0;
    if (write && csr.how != RISCV_CSR_CLAIM && !riscv_csr_set(r, csr.row, value, mask))
        return false;
    if (rd)
        r->x[rd] = old;
    r->v.pc += 4;
    return true;
}

static enum exit_action csr_slow(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    const struct engine_ops *e = r->v.vm->engine;

    e->pull(&r->v, REGS_ALL);
    if (!csr_emulate(r, (uint32_t)b->exit.insn))
        riscv_trap(r, RV_EXC_ILLEGAL_INSN, b->exit.insn);
    r->changed = 0;
    e->push(&r->v, REGS_ALL);
    return EXIT_HANDLED;
}

/* ---- dispatch ---- */

bool bare_exit(struct riscv_vcpu *r)
{
    struct bare_vcpu *b = bare_of(&r->v);
    uint64_t cause = csr_read(RV_CSR_scause);

    switch (cause) {
    case RV_EXC_ECALL_VS:
        return hypercall(r, b, cause);
    case RV_EXC_LOAD_GUEST_PAGE_FAULT:
    case RV_EXC_STORE_GUEST_PAGE_FAULT:
    case RV_EXC_INSN_GUEST_PAGE_FAULT:
        return guest_fault(r, b, cause);
    case RV_EXC_VIRTUAL_INSN:
        return virtual_insn(r, b, cause);
    default:
        break;
    }
    if (cause & RV_CAUSE_INTERRUPT) {
        b->exits[BARE_INTERRUPT]++;
        b->exit.reason = BARE_INTERRUPT;
        riscv_interrupt(cause);
        return go_on(r, b);
    }
    if (cause == RV_EXC_ILLEGAL_INSN && !b->fp_loaded)
        return illegal(r, b);
    b->exits[BARE_OTHER]++;
    trace(b, cause, csr_read(RV_CSR_stval));
    return leave(b, BARE_OTHER, cause, csr_read(RV_CSR_stval), 0);
}

enum exit_action bare_exit_slow(struct riscv_vcpu *r)
{
    struct bare_vcpu *b = bare_of(&r->v);

    switch (b->exit.reason) {
    case BARE_HYPERCALL:
        return hypercall_slow(r, b);
    case BARE_WFI:
        halt(r, b);
        return EXIT_BLOCK;
    case BARE_CSR:
        return csr_slow(r, b);
    case BARE_MEMORY:
        r->v.exit.kind = EXIT_FATAL;
        r->v.exit.fatal = "no memory for the guest's translation tables";
        return EXIT_STOP;
    case BARE_OTHER:
        bare_dump(&r->v);
        r->v.exit.kind = EXIT_FATAL;
        r->v.exit.fatal = "the guest did what no handler is for";
        return EXIT_STOP;
    default:
        return EXIT_HANDLED;
    }
}

void bare_dump(struct vcpu *v)
{
    const struct bare_vcpu *b = bare_of(v);
    char line[128];
    int n = fmt_snprintf(line, sizeof(line), "%s cpu%u: pc 0x%llx cause %lld value 0x%llx; last exits:",
                         v->vm->desc.name ? v->vm->desc.name : "vm", v->id, (unsigned long long)v->pc,
                         (long long)b->exit.cause, (unsigned long long)b->exit.gpa);

    plat_log_line(line, (size_t)n);
    for (unsigned i = 0; i < BARE_RING && i < b->ring_at; i++) {
        const struct bare_trace *t = &b->ring[(b->ring_at - 1 - i) & (BARE_RING - 1)];

        n = fmt_snprintf(line, sizeof(line), "  cause %llu pc 0x%llx value 0x%llx",
                         (unsigned long long)t->cause, (unsigned long long)t->pc,
                         (unsigned long long)t->value);
        plat_log_line(line, (size_t)n);
    }
}
