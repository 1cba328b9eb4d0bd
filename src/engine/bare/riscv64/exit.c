/*
 * Why guests came out. bare_exit() runs in the vector's wake and does what is short; what may block or needs
 * core's loop is left to bare_exit_slow(), in the loop of the vCPU's task.
 */
#include "core/bus.h"
#include "engine/bare/riscv64/bare.h"
#include "lib/fmt.h"
#include "platform/bare/histogram.h"

#define INSN_WFI     0x10500073u
#define INSN_WRS_NTO 0x00d00073u

/* htinst of an access that the walk of VS tables made (Priv. 20240411, 18.6.3). */
#define HTINST_WALK_MASK 0xffffefdfu
#define HTINST_WALK      0x2000u

/*
 * Reading the clock twice at each exit would cost more than some exits: one in BARE_RING * BARE_ROUNDS is
 * measured, from here on. No call, or who traces would need a frame.
 */
static inline void measure(struct bare_vcpu *b)
{
    b->ring_next = b->ring;
    if (b->measure.round++ % BARE_ROUNDS)
        return;
    b->measure.start = arch_counter();
    b->measure.memory = b->exits[BARE_MEMORY];
    atomic_fetch_or_explicit(&b->r->v.request, BARE_REQ_MEASURE, memory_order_relaxed);
}

/* What the last exit of the ring was. */
static enum bare_reason measured_reason(const struct bare_vcpu *b)
{
    const struct bare_trace *t = &b->ring[BARE_RING - 1];

    switch (t->cause) {
    case RV_EXC_ECALL_VS:
        return BARE_HYPERCALL;
    case RV_EXC_VIRTUAL_INSN:
        return t->value == INSN_WFI || !t->value ? BARE_WFI : BARE_CSR;
    default:
        return b->exits[BARE_MEMORY] != b->measure.memory  ? BARE_MEMORY
               : t->cause == RV_EXC_STORE_GUEST_PAGE_FAULT ? BARE_MMIO_WRITE
                                                           : BARE_MMIO_READ;
    }
}

void bare_measured(struct bare_vcpu *b)
{
    uint64_t ticks = arch_counter() - b->measure.start;

    atomic_fetch_and(&b->r->v.request, ~BARE_REQ_MEASURE);
    b->measure.histogram[measured_reason(b)][MIN(histogram_bucket(ticks), BARE_HISTOGRAM - 1u)]++;
}

static inline void trace(struct bare_vcpu *b, uint64_t pc, uint64_t cause, uint64_t value)
{
    struct bare_trace *t = b->ring_next;

    t->pc = pc;
    t->cause = cause;
    t->value = value;
    b->ring_next = ++t;
    if (UNLIKELY(t == b->ring + BARE_RING))
        measure(b);
}

/* Interrupt inputs brought up to date; the guest goes on as it is where that is all. */
static inline uint64_t with_inputs(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    uint64_t mip = atomic_load_explicit(&r->mip, memory_order_relaxed);

    /* An external interrupt that came or went, a software interrupt that came: b->hvip has none. */
    if (UNLIKELY((mip << 1 ^ b->hvip) & (RV_IRQ_VSEI | RV_IRQ_VSSI))) {
        if (b->aia == BARE_AIA_FILE && mip & RV_IRQ_SEI) { /* bare_run() moves what has come */
            b->exit.reason = BARE_INTERRUPT;
            return BARE_LEAVE;
        }
        bare_inputs(b);
    }
    return BARE_BACK;
}

static inline bool wanted(const struct riscv_vcpu *r)
{
    return atomic_load_explicit(&r->v.request, memory_order_relaxed) |
           atomic_load_explicit(&arch_cpu()->resched, memory_order_relaxed);
}

/* A change of interrupt inputs is short work; the rest is for bare_run(). */
static __attribute__((noinline)) uint64_t requested(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    if (atomic_load_explicit(&r->v.request, memory_order_relaxed) & BARE_REQ_MEASURE) {
        bare_measured(b);
        if (!wanted(r))
            return with_inputs(r, b);
    }
    if (atomic_load(&r->v.request) == VCPU_REQ_IRQ && b->aia != BARE_AIA_FILE &&
        !atomic_load_explicit(&arch_cpu()->resched, memory_order_relaxed)) {
        atomic_fetch_and(&r->v.request, ~(uint32_t)VCPU_REQ_IRQ);
        bare_inputs(b);
        return BARE_BACK;
    }
    b->exit.reason = BARE_INTERRUPT;
    return BARE_LEAVE;
}

/* Whether the guest can go on as it is. */
static inline uint64_t go_on(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    return UNLIKELY(wanted(r)) ? requested(r, b) : with_inputs(r, b);
}

/* After code that may have let others run on this CPU, moved, or trapped itself. */
static inline bool still_here(struct bare_vcpu *b)
{
    if (((struct bare_cpu *)arch_cpu()->engine)->resident != b)
        return false; /* only this task makes it resident again, on whatever CPU */
    csr_write(RV_CSR_hstatus, b->hstatus);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return true;
}

static uint64_t leave(struct bare_vcpu *b, enum bare_reason reason, uint64_t cause, uint64_t gpa,
                      uint64_t insn)
{
    b->exit.reason = reason;
    b->exit.cause = cause;
    b->exit.gpa = gpa;
    b->exit.insn = insn;
    return BARE_LEAVE;
}

/* ---- hypercalls ---- */

/* Calls that read and write the vCPU's struct only, and wake others at most. */
static bool is_short_call(uint64_t ext)
{
    return ext == RV_SBI_BASE || ext == RV_SBI_IPI;
}

/* Others run here, and this one goes on from here, perhaps on another CPU. */
static __attribute__((noinline)) uint64_t give_way(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    sched_give_way();
    /* What came for a guest file meanwhile is bare_run()'s to move. */
    if (!(b->aia == BARE_AIA_FILE && atomic_load(&r->mip) & RV_IRQ_SEI) && bare_prepare(b))
        return BARE_BACK_ALL;
    b->exit.reason = BARE_INTERRUPT;
    return BARE_LEAVE;
}

static uint64_t yield(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    r->x[RV_REG_A0] = r->x[RV_REG_A1] = 0;
    return give_way(r, b);
}

static __attribute__((noinline)) uint64_t hypercall(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    trace(b, r->v.pc, RV_EXC_ECALL_VS, r->x[RV_REG_A7]);
    r->v.pc += 4;
    b->exits[BARE_HYPERCALL]++;
    if (r->x[RV_REG_A7] == RV_SBI_CARBOVISOR && r->x[RV_REG_A6] == RV_SBI_CARBOVISOR_YIELD)
        return yield(r, b);
    if (!is_short_call(r->x[RV_REG_A7]))
        return leave(b, BARE_HYPERCALL, RV_EXC_ECALL_VS, 0, 0);
    riscv_sbi_call(r);
    r->changed = 0; /* IRQ at most: inputs are looked at on the way back */
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
    /* Core sleeps for it now (hart suspend), and knows its own timers only. */
    if (action == EXIT_BLOCK && riscv_host.sstc)
        riscv_stimecmp_write(r, r->stimecmp);
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

/* The same for an exit that has nothing more to do. */
static uint64_t go_on_here(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    if (still_here(b))
        return go_on(r, b);
    b->exit.reason = BARE_INTERRUPT;
    return BARE_LEAVE;
}

static __attribute__((noinline)) uint64_t access_denied(struct riscv_vcpu *r, struct bare_vcpu *b,
                                                        uint64_t cause, uint64_t va)
{
    if (!still_here(b)) { /* rare: the guest comes here again */
        b->exit.reason = BARE_INTERRUPT;
        return BARE_LEAVE;
    }
    access_fault(b, cause, va);
    csr_write(RV_CSR_sstatus, b->sstatus);
    return go_on(r, b);
}

_Static_assert((RV_EXC_LOAD_GUEST_PAGE_FAULT | 2) == RV_EXC_STORE_GUEST_PAGE_FAULT, "told by one comparison");

/* After a device was asked: the guest goes on behind its access. */
static inline uint64_t accessed(struct riscv_vcpu *r, struct bare_vcpu *b, const struct mmio_op *op)
{
    if (UNLIKELY(!still_here(b))) {
        b->exit.reason = BARE_INTERRUPT;
        return BARE_LEAVE;
    }
    return LIKELY(go_on(r, b)) ? op->back : BARE_LEAVE;
}

static inline uint64_t *reg_of(struct riscv_vcpu *r, const struct mmio_op *op)
{
    return (uint64_t *)((uint8_t *)r + op->at);
}

/* What a store writes; what a load gives. */
static inline uint64_t stored(struct riscv_vcpu *r, const struct mmio_op *op)
{
    return *reg_of(r, op) << op->shift >> op->shift;
}

static inline void loaded(struct riscv_vcpu *r, const struct mmio_op *op, uint64_t value)
{
    if (!op->zero)
        *reg_of(r, op) = op->sext ? (uint64_t)((int64_t)(value << op->shift) >> op->shift)
                                  : value << op->shift >> op->shift;
}

/* A store to memory that core wants to hear of. */
static bool watched_store(struct riscv_vcpu *r, struct bare_vcpu *b, gpa_t gpa, uint64_t htinst)
{
    struct mmio_op fp;
    const struct mmio_op *op = mmio_decode_any(b, htinst, &fp);

    if (op && op->fp)
        bare_fp_save(b);
    if (!op || !op->write || mem_write(&r->v.vm->mem, gpa, reg_of(r, op), op->size))
        return false;
    r->v.pc += op->len;
    return true;
}

static __attribute__((noinline)) uint64_t memory(struct riscv_vcpu *r, struct bare_vcpu *b, uint64_t cause,
                                                 gpa_t gpa, uint64_t va)
{
    uint64_t htinst = csr_read(RV_CSR_htinst);
    bool walk = (htinst & HTINST_WALK_MASK) == HTINST_WALK;
    int mapped;

    b->exits[BARE_MEMORY]++;
    arch_irq_restore(true); /* what fails in there is this vCPU's alone */
    mapped = stage2_map(r->v.vm, gpa, walk ? htinst & 0x20 : cause == RV_EXC_STORE_GUEST_PAGE_FAULT);
    arch_irq_restore(false);
    if (mapped < 0)
        return leave(b, BARE_MEMORY, cause, gpa, 0);
    /* The first touch of the RAM behind it was a trap of the hypervisor's own: hstatus is of that one. */
    if (mapped)
        return go_on_here(r, b);
    if (!walk && cause == RV_EXC_STORE_GUEST_PAGE_FAULT && still_here(b) && watched_store(r, b, gpa, htinst))
        return go_on_here(r, b);
    return access_denied(r, b, cause, va);
}

/* An f register, NaN-boxed (Unprivileged 20240411, 21.2): the next entry loads it. */
static void fp_loaded(struct riscv_vcpu *r, struct bare_vcpu *b, const struct mmio_op *op, uint64_t value)
{
    const struct engine_ops *e = r->v.vm->engine;

    e->pull(&r->v, REGS_ALL);
    *reg_of(r, op) = value | ~(UINT64_MAX >> op->shift);
    r->mstatus |= RV_MSTATUS_FS | RV_MSTATUS_SD;
    b->fp_used = true;
    e->push(&r->v, REGS_ALL);
}

/* By the bus, whatever is there: flash, what is traced, what reaches over a device's end. */
static uint64_t device_slow(struct bare_vcpu *b, const struct mem_region *m, gpa_t gpa, uint64_t cause,
                            uint64_t va)
{
    struct riscv_vcpu *r = b->r;
    struct mmio_op fp;
    const struct mmio_op *op = mmio_decode_any(b, csr_read(RV_CSR_htinst), &fp);
    uint64_t value;
    bool answered;

    if (!op)
        return access_denied(r, b, cause, va);
    if (op->fp)
        bare_fp_save(b);
    value = stored(r, op);
    b->exits[op->write ? BARE_MMIO_WRITE : BARE_MMIO_READ]++;
    arch_irq_restore(true);
    answered = bus_access_at(r->v.vm, m, gpa, op->size, op->write, &value);
    arch_irq_save();
    if (!answered)
        return access_denied(r, b, cause, va);
    r->v.pc += op->len;
    if (!op->write && op->fp)
        fp_loaded(r, b, op, value);
    else if (!op->write)
        loaded(r, op, value);
    return accessed(r, b, op);
}

/* No device, or one that it has not met lately. A page may hold several: the last one met is known. */
static __attribute__((noinline)) uint64_t guest_fault_elsewhere(struct bare_vcpu *b)
{
    uint64_t cause = csr_read(RV_CSR_scause), va = csr_read(RV_CSR_stval);
    gpa_t gpa = csr_read(RV_CSR_htval) << 2 | (va & 3);
    struct riscv_vcpu *r = b->r;
    const struct mem_region *m = mem_find(&r->v.vm->mem, gpa);

    if (m && atomic_load(&m->kind) != MEM_MMIO)
        return memory(r, b, cause, gpa, va);
    if (!m || cause == RV_EXC_INSN_GUEST_PAGE_FAULT)
        return access_denied(r, b, cause, va);
    if (!m->host && !bus_is_watched(r->v.vm))
        *bare_mmio_page(b, gpa) = (struct mmio_page){gpa >> MEM_PAGE_BITS, m};
    return device_slow(b, m, gpa, cause, va);
}

/* Interrupts come through while a device is busy with it. What can be read again is not kept over calls. */
static __attribute__((noinline)) uint64_t device(struct bare_vcpu *b, const struct mem_region *m,
                                                 uint64_t offset)
{
    const struct mmio_op *op = mmio_decode(b, b->r->v.pc, csr_read(RV_CSR_htinst));
    struct device *d;

    if (UNLIKELY(!op || b->r->v.vm->log.trace & TRACE_MMIO || offset + op->size > m->size))
        return guest_fault_elsewhere(b);
    arch_irq_restore(true);
    d = m->dev;
    plat_lock(&d->lock);
    if (LIKELY(op->write)) {
        b->exits[BARE_MMIO_WRITE]++;
        d->ops->write(d, m->dev_region, offset, op->size, stored(b->r, op));
    } else {
        b->exits[BARE_MMIO_READ]++;
        loaded(b->r, op, d->ops->read(d, m->dev_region, offset, op->size));
    }
    plat_unlock(&m->dev->lock);
    arch_irq_save();
    b->r->v.pc += op->len;
    return accessed(b->r, b, op);
}

static __attribute__((noinline)) uint64_t guest_fault(struct riscv_vcpu *r, struct bare_vcpu *b,
                                                      uint64_t cause)
{
    gpa_t gpa = csr_read(RV_CSR_htval) << 2 | (csr_read(RV_CSR_stval) & 3);
    const struct mmio_page *known = bare_mmio_page(b, gpa);

    trace(b, r->v.pc, cause, gpa);
    if (LIKELY(known->page == gpa >> MEM_PAGE_BITS))
        return device(b, known->region, gpa - known->region->base);
    return guest_fault_elsewhere(b);
}

/* ---- instructions that VS-mode may not execute itself ---- */

static uint64_t virtual_insn(struct riscv_vcpu *r, struct bare_vcpu *b, uint64_t cause)
{
    uint64_t insn = csr_read(RV_CSR_stval);

    if (!insn) /* it need not say (Priv. 20240411, 10.1.9); of WRS.NTO QEMU 10 does not */
        insn = mmio_fetch(r->v.pc);
    trace(b, r->v.pc, cause, insn);
    /* A spinning wait for a store, which may end at any time: perhaps who stores needs this CPU. */
    if (insn == INSN_WRS_NTO) {
        b->exits[BARE_WFI]++;
        r->v.pc += 4;
        return give_way(r, b);
    }
    if (insn == INSN_WFI) {
        b->exits[BARE_WFI]++;
        r->v.pc += 4;
        /* Sleep only when nothing is pending that would end it, whatever SIE says. */
        if (csr_read(RV_CSR_vsip) & csr_read(RV_CSR_vsie))
            return go_on(r, b);
        return leave(b, BARE_WFI, cause, 0, 0);
    }
    b->exits[BARE_CSR]++;
    return leave(b, BARE_CSR, cause, 0, insn);
}

/* When the guest's own timer ends its sleep, as the host's counter; interrupts off, resident. */
static uint64_t sleep_deadline(const struct riscv_vcpu *r, const struct bare_vcpu *b)
{
    uint64_t at = riscv_host.sstc && r->mie & RV_IRQ_STI ? csr_read(RV_CSR_vstimecmp) : UINT64_MAX;

    return at > UINT64_MAX / 2 ? KTIMER_NEVER : at - b->timedelta;
}

/*
 * WFI: the task sleeps in the engine, its registers stay in the hardware until another vCPU wants it. Who
 * sets a request afterwards kicks, and bare_kick() wakes.
 */
static void sleep_until_wake(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    uint64_t deadline;
    uint32_t request;

    arch_irq_save();
    if (!b->valid || b->cpu != arch_cpu()->engine) { /* moved since: what is pending is looked at there */
        arch_irq_restore(true);
        return;
    }
    r->mie = (r->mie & ~(uint64_t)(RV_IRQ_SSI | RV_IRQ_STI | RV_IRQ_SEI)) | csr_read(RV_CSR_vsie);
    deadline = sleep_deadline(r, b);
    if (deadline <= arch_counter()) { /* vsip need not show it (QEMU 7.2 does not) */
        arch_irq_restore(true);
        return;
    }
    spin_lock(&b->sleep.lock);
    atomic_store(&b->asleep, true);
    for (;;) {
        request =
            atomic_load(&r->v.request); /* one that is measured is not slept through: WFI may do nothing */
        if (request & ~(uint32_t)VCPU_REQ_IRQ || (riscv_mip(r) & r->mie))
            break;
        if (request)
            atomic_fetch_and(&r->v.request, ~(uint32_t)VCPU_REQ_IRQ);
        else if (!waitq_sleep(&b->sleep, deadline))
            break;
    }
    atomic_store(&b->asleep, false);
    spin_unlock(&b->sleep.lock);
    arch_irq_restore(true);
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

static __attribute__((noinline)) uint64_t other_exit(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    uint64_t cause = csr_read(RV_CSR_scause);

    if (cause & RV_CAUSE_INTERRUPT) {
        b->exits[BARE_INTERRUPT]++;
        riscv_interrupt(cause);
        return go_on_here(r, b); /* it may have been a call to put this vCPU away */
    }
    if (cause == RV_EXC_VIRTUAL_INSN)
        return virtual_insn(r, b, cause);
    b->exits[BARE_OTHER]++;
    trace(b, r->v.pc, cause, csr_read(RV_CSR_stval));
    return leave(b, BARE_OTHER, cause, csr_read(RV_CSR_stval), 0);
}

static __attribute__((noinline)) uint64_t fetch_fault(struct riscv_vcpu *r, struct bare_vcpu *b,
                                                      uint64_t cause)
{
    trace(b, r->v.pc, cause, csr_read(RV_CSR_htval) << 2);
    return guest_fault_elsewhere(b);
}

/* Each way is a function of its own, jumped to: what one of them saves, the others do not pay. */
uint64_t bare_exit(struct riscv_vcpu *r, struct bare_vcpu *b)
{
    uint64_t cause = csr_read(RV_CSR_scause);

    if (LIKELY((cause | 2) == RV_EXC_STORE_GUEST_PAGE_FAULT)) /* or LOAD's, which is 2 less */
        return guest_fault(r, b, cause);
    if (cause == RV_EXC_ECALL_VS)
        return hypercall(r, b);
    if (cause == RV_EXC_INSN_GUEST_PAGE_FAULT)
        return fetch_fault(r, b, cause);
    return other_exit(r, b);
}

enum exit_action bare_exit_slow(struct riscv_vcpu *r)
{
    struct bare_vcpu *b = bare_of(&r->v);

    switch (b->exit.reason) {
    case BARE_HYPERCALL:
        return hypercall_slow(r, b);
    case BARE_WFI:
        sleep_until_wake(r, b);
        return EXIT_HANDLED;
    case BARE_CSR:
        return csr_slow(r, b);
    case BARE_MEMORY:
        r->v.exit.kind = EXIT_FATAL;
        r->v.exit.fatal = "no memory for the guest's translation tables";
        return EXIT_STOP;
    case BARE_OTHER:
        r->v.exit.kind = EXIT_FATAL;
        r->v.exit.fatal = "the guest did what no handler is for";
        return EXIT_STOP;
    default:
        return EXIT_HANDLED;
    }
}

void bare_history(struct vcpu *v, void (*emit)(void *opaque, const char *line), void *opaque)
{
    struct bare_vcpu *b = bare_of(v);
    char line[128];

    bare_aia_show(b, emit, opaque);
    for (unsigned i = 0; i < BARE_RING; i++) {
        const struct bare_trace *t = &b->ring[((size_t)(b->ring_next - b->ring) + i) % BARE_RING];

        if (!t->cause)
            continue;
        fmt_snprintf(line, sizeof(line), "cause %llu pc 0x%llx value 0x%llx", (unsigned long long)t->cause,
                     (unsigned long long)t->pc, (unsigned long long)t->value);
        emit(opaque, line);
    }
}
