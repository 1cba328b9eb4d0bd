/*
 * The built-in SBI (RISC-V SBI 2.0): what S-mode's ecall reaches when a kernel was booted without
 * firmware. Each extension is a function; a call gives error and value in a0 and a1.
 */
#include "guest/riscv64/sbi.h"
#include "core/hypercall.h"
#include "core/irqchip.h"
#include "lib/str.h"

#define SBI_VERSION      (UINT64_C(2) << 24) /* 2.0 */
#define SBI_IMPL         0x43766d6d          /* no registered number */
#define SBI_IMPL_VERSION 1

#define ALL_HARTS UINT64_MAX

static struct rv_sbi_console *console(struct riscv_vcpu *r)
{
    return &((struct riscv_vm *)r->v.vm->guest_vm)->console;
}

/* Harts of (mask, base) as bits by id (3.1); base -1: all. False: one that is not there. */
static bool hart_mask(struct riscv_vcpu *r, uint64_t mask, uint64_t base, uint64_t *out)
{
    unsigned n = r->v.vm->vcpu_count;
    uint64_t present = n >= 64 ? UINT64_MAX : BIT(n) - 1;

    if (base == ALL_HARTS) {
        *out = present;
        return true;
    }
    if (base >= n)
        return false;
    *out = mask << base;
    return *out >> base == mask && !(*out & ~present);
}

/* ---- base (4) ---- */

static bool probe(struct riscv_vcpu *r, uint64_t ext);

static struct sbi_ret sbi_base(struct riscv_vcpu *r, uint64_t fid)
{
    static const uint64_t values[] = {SBI_VERSION, SBI_IMPL, SBI_IMPL_VERSION, 0, 0 /* mvendorid */, 0, 0};

    if (fid >= ARRAY_SIZE(values))
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    return sbi_ok(fid == 3 ? probe(r, sbi_arg(r, 0)) : values[fid]);
}

/* ---- time (6), IPI (7) ---- */

static void set_timer(struct riscv_vcpu *r, uint64_t ticks)
{
    riscv_fw_event(r, RV_SBI_FW_SET_TIMER);
    riscv_stimecmp_write(r, ticks);
}

static struct sbi_ret sbi_time(struct riscv_vcpu *r, uint64_t fid)
{
    if (fid)
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    set_timer(r, sbi_arg(r, 0));
    return sbi_ok(0);
}

/* One of these for each hart but the one that asks. */
static void sent(struct riscv_vcpu *r, uint64_t harts, enum rv_sbi_fw event)
{
    harts &= ~BIT(r->v.id);
    atomic_fetch_add_explicit(&r->fw_event[event], (uint64_t)__builtin_popcountll(harts),
                              memory_order_relaxed);
}

static void send_ipi(struct riscv_vcpu *r, uint64_t harts)
{
    struct vm *vm = r->v.vm;

    sent(r, harts, RV_SBI_FW_IPI_SENT);
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        if (!(harts >> i & 1))
            continue;
        if (i != r->v.id)
            riscv_fw_event(riscv_of(vm->vcpu[i]), RV_SBI_FW_IPI_RECEIVED);
        irqchip_cpu_input(vm->vcpu[i], RV_INT_SSI, true);
    }
    r->changed |= RISCV_CHANGED_IRQ;
}

static struct sbi_ret sbi_ipi(struct riscv_vcpu *r, uint64_t fid)
{
    uint64_t harts;

    if (fid)
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    if (!hart_mask(r, sbi_arg(r, 0), sbi_arg(r, 1), &harts))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    send_ipi(r, harts);
    return sbi_ok(0);
}

/* ---- remote fences (8) ---- */

/* Above this many pages one full flush is the cheaper way. */
#define RFENCE_PAGES_MAX 64

struct rfence {
    bool code, by_asid, whole;
    uint64_t start, size, asid;
    const struct riscv_vcpu *from;
};

/* The event of its sending; that of its reception is the next number. */
static enum rv_sbi_fw fence_event(const struct rfence *f)
{
    return f->code      ? RV_SBI_FW_FENCE_I_SENT
           : f->by_asid ? RV_SBI_FW_SFENCE_VMA_ASID_SENT
                        : RV_SBI_FW_SFENCE_VMA_SENT;
}

static void rfence_here(struct vcpu *v, void *opaque)
{
    const struct rfence *f = opaque;
    struct flush_scope s = {.asid = f->asid};

    if (riscv_of(v) != f->from)
        riscv_fw_event(riscv_of(v), fence_event(f) + 1);
    if (f->code) {
        riscv_fetch_barrier(v);
        return;
    }
    if (f->whole) {
        s.kind = f->by_asid ? FLUSH_ASID : FLUSH_ALL;
        riscv_flush(v, &s);
        return;
    }
    s.kind = f->by_asid ? FLUSH_PAGE_ASID : FLUSH_PAGE;
    for (uint64_t at = 0; at < f->size; at += MEM_PAGE_SIZE) {
        s.va = f->start + at;
        riscv_flush(v, &s);
    }
}

static void rfence(struct riscv_vcpu *r, uint64_t harts, struct rfence *f)
{
    /* 8: size 0 with start 0, or size -1, is everything. */
    f->whole = f->size == UINT64_MAX || (!f->size && !f->start) ||
               f->size > (uint64_t)RFENCE_PAGES_MAX * MEM_PAGE_SIZE;
    f->size += f->start & (MEM_PAGE_SIZE - 1);
    f->start = ALIGN_DOWN(f->start, MEM_PAGE_SIZE);
    f->from = r;
    sent(r, harts, fence_event(f));
    vcpu_call_mask(&r->v, r->v.vm, harts, rfence_here, f);
    /* Its own translations may be others now: by this fence, or by another's that it served while it waited.
     */
    r->v.leave = 1;
}

static struct sbi_ret sbi_rfence(struct riscv_vcpu *r, uint64_t fid)
{
    struct rfence f = {.code = fid == 0, .by_asid = fid == 2, .start = sbi_arg(r, 2), .size = sbi_arg(r, 3)};
    uint64_t harts;

    if (fid > 2) /* 3 to 6 are for hypervisors */
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    if (!hart_mask(r, sbi_arg(r, 0), sbi_arg(r, 1), &harts))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    f.asid = fid == 2 ? sbi_arg(r, 4) & 0xffff : 0;
    rfence(r, harts, &f);
    return sbi_ok(0);
}

/* ---- hart state management (9) ---- */

static struct sbi_ret hart_start(struct riscv_vcpu *r)
{
    struct vm *vm = r->v.vm;
    struct vcpu *t = sbi_arg(r, 0) < vm->vcpu_count ? vm->vcpu[sbi_arg(r, 0)] : NULL;
    uint32_t power;

    if (!t)
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    if (!mem_ptr(&vm->mem, sbi_arg(r, 1), 2, false) || sbi_arg(r, 1) & 1)
        return sbi_error(RV_SBI_ERR_INVALID_ADDRESS);
    plat_lock(&vm->lock); /* two harts may start the same one */
    power = atomic_load(&t->power);
    if (power == VCPU_OFF) {
        t->off_entry = sbi_arg(r, 1);
        t->off_arg = sbi_arg(r, 2);
        atomic_store(&t->power, VCPU_ON_PENDING);
    }
    plat_unlock(&vm->lock);
    if (power != VCPU_OFF)
        return sbi_error(RV_SBI_ERR_ALREADY_AVAILABLE);
    vcpu_request(t, VCPU_REQ_POWER);
    return sbi_ok(0);
}

static struct sbi_ret hart_status(struct riscv_vcpu *r)
{
    static const uint8_t state[] = {
        [VCPU_OFF] = RV_SBI_HART_STOPPED,
        [VCPU_ON_PENDING] = RV_SBI_HART_START_PENDING,
        [VCPU_ON] = RV_SBI_HART_STARTED,
        [VCPU_SUSPENDED] = RV_SBI_HART_SUSPENDED,
    };

    if (sbi_arg(r, 0) >= r->v.vm->vcpu_count)
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    return sbi_ok(state[atomic_load(&r->v.vm->vcpu[sbi_arg(r, 0)]->power)]);
}

static void leave_with(struct riscv_vcpu *r, enum exit_kind kind)
{
    r->v.exit.kind = kind;
    r->v.leave = 1;
}

/* Both kinds wait as WFI does; the non-retentive one then comes up as a started hart does (9.1, 9.4). */
static struct sbi_ret hart_suspend(struct riscv_vcpu *r)
{
    uint64_t type = sbi_arg(r, 0), resume = sbi_arg(r, 1), opaque = sbi_arg(r, 2);

    if (type != RV_SBI_SUSPEND_RETENTIVE && type != RV_SBI_SUSPEND_NON_RETENTIVE)
        return sbi_error(type >> 32 ? RV_SBI_ERR_INVALID_PARAM : RV_SBI_ERR_NOT_SUPPORTED);
    if (type == RV_SBI_SUSPEND_NON_RETENTIVE && !mem_ptr(&r->v.vm->mem, resume, 2, false))
        return sbi_error(RV_SBI_ERR_INVALID_ADDRESS);
    if (!riscv_irq_wakeup(&r->v))
        leave_with(r, EXIT_HALT);
    if (type == RV_SBI_SUSPEND_RETENTIVE)
        return sbi_ok(0);
    r->satp = 0;
    r->mstatus &= ~RV_MSTATUS_SIE;
    r->changed |= RISCV_CHANGED_MODE | RISCV_CHANGED_CONTEXT;
    r->v.pc = resume;
    r->v.leave = 1;
    return (struct sbi_ret){(int64_t)r->v.id, opaque};
}

static struct sbi_ret sbi_hsm(struct riscv_vcpu *r, uint64_t fid)
{
    switch (fid) {
    case 0:
        return hart_start(r);
    case 1:
        leave_with(r, EXIT_CPU_OFF);
        return sbi_ok(0);
    case 2:
        return hart_status(r);
    case 3:
        return hart_suspend(r);
    default:
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    }
}

/* ---- system reset (10) ---- */

static struct sbi_ret sbi_srst(struct riscv_vcpu *r, uint64_t fid)
{
    uint64_t type = sbi_arg(r, 0), reason = sbi_arg(r, 1);

    if (fid)
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    if (type > 2 || reason > 1)
        return sbi_error(type > UINT32_MAX || reason > UINT32_MAX ? RV_SBI_ERR_INVALID_PARAM
                                                                  : RV_SBI_ERR_NOT_SUPPORTED);
    r->v.exit.system.what = type ? SYSTEM_RESET : reason ? SYSTEM_CRASH : SYSTEM_POWEROFF;
    r->v.exit.system.status = 0;
    leave_with(r, EXIT_SYSTEM);
    return sbi_ok(0);
}

/* ---- debug console (12) ---- */

#define DBCN_CHUNK 256

static struct sbi_ret dbcn_write(struct riscv_vcpu *r)
{
    uint64_t len = sbi_arg(r, 0), at = sbi_arg(r, 1), done = 0;
    uint8_t buf[DBCN_CHUNK];

    if (sbi_arg(r, 2))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    while (done < len) {
        size_t n = (size_t)MIN(len - done, (uint64_t)sizeof(buf)), took;

        if (mem_read(&r->v.vm->mem, at + done, buf, n))
            return done ? sbi_ok(done) : sbi_error(RV_SBI_ERR_INVALID_PARAM);
        took = console(r)->write(console(r)->opaque, buf, n);
        done += took;
        if (took < n)
            break;
    }
    return sbi_ok(done);
}

static struct sbi_ret dbcn_read(struct riscv_vcpu *r)
{
    uint8_t buf[DBCN_CHUNK];
    size_t n = (size_t)MIN(sbi_arg(r, 0), (uint64_t)sizeof(buf));

    if (sbi_arg(r, 2) || (n && !mem_ptr(&r->v.vm->mem, sbi_arg(r, 1), n, true)))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    n = console(r)->read && n ? console(r)->read(console(r)->opaque, buf, n) : 0;
    if (n && mem_write(&r->v.vm->mem, sbi_arg(r, 1), buf, n))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    return sbi_ok(n);
}

static struct sbi_ret sbi_dbcn(struct riscv_vcpu *r, uint64_t fid)
{
    uint8_t byte = (uint8_t)sbi_arg(r, 0);

    if (!console(r)->write)
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    switch (fid) {
    case 0:
        return dbcn_write(r);
    case 1:
        return dbcn_read(r);
    case 2:
        console(r)->write(console(r)->opaque, &byte, 1);
        return sbi_ok(0);
    default:
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    }
}

/* ---- legacy calls (5): the result is in a0 alone, hart masks are in memory ---- */

/* All harts where the pointer is 0, or cannot be read. */
static uint64_t legacy_harts(struct riscv_vcpu *r)
{
    struct translation t;
    uint64_t mask, harts;

    if (!sbi_arg(r, 0) || riscv_walk(r, sbi_arg(r, 0), ACCESS_READ, r->priv, &t) ||
        mem_read(&r->v.vm->mem, t.gpa, &mask, sizeof(mask)) || !hart_mask(r, mask, 0, &harts))
        hart_mask(r, 0, ALL_HARTS, &harts);
    return harts;
}

static int64_t legacy_getchar(struct riscv_vcpu *r)
{
    uint8_t byte;

    if (!console(r)->read || !console(r)->read(console(r)->opaque, &byte, 1))
        return -1;
    return byte;
}

static int64_t legacy_fence(struct riscv_vcpu *r, uint64_t ext)
{
    struct rfence f = {.code = ext == RV_SBI_LEGACY_FENCE_I,
                       .by_asid = ext == RV_SBI_LEGACY_SFENCE_VMA_ASID,
                       .start = sbi_arg(r, 1),
                       .size = sbi_arg(r, 2),
                       .asid = sbi_arg(r, 3) & 0xffff};

    rfence(r, legacy_harts(r), &f);
    return 0;
}

static int64_t sbi_legacy(struct riscv_vcpu *r, uint64_t ext)
{
    uint8_t byte = (uint8_t)sbi_arg(r, 0);

    switch (ext) {
    case RV_SBI_LEGACY_SET_TIMER:
        set_timer(r, sbi_arg(r, 0));
        return 0;
    case RV_SBI_LEGACY_PUTCHAR:
        if (console(r)->write)
            console(r)->write(console(r)->opaque, &byte, 1);
        return 0;
    case RV_SBI_LEGACY_GETCHAR:
        return legacy_getchar(r);
    case RV_SBI_LEGACY_CLEAR_IPI:
        riscv_irq_input(&r->v, RV_INT_SSI, false);
        return 0;
    case RV_SBI_LEGACY_SEND_IPI:
        send_ipi(r, legacy_harts(r));
        return 0;
    case RV_SBI_LEGACY_SHUTDOWN:
        r->v.exit.system.what = SYSTEM_POWEROFF;
        r->v.exit.system.status = 0;
        leave_with(r, EXIT_SYSTEM);
        return 0;
    default:
        return legacy_fence(r, ext);
    }
}

/* ---- our own (docs/hypercalls.md) ---- */

static struct sbi_ret sbi_carbovisor(struct riscv_vcpu *r, uint64_t fid)
{
    (void)r;
    switch (fid) {
    case 0:
        return sbi_ok(HYPERCALL_VERSION);
    case 1:
        return sbi_ok(HYPERCALL_FEATURES);
    case RV_SBI_CARBOVISOR_YIELD: /* engines that have others to run do so instead of coming here */
        return sbi_ok(0);
    default:
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    }
}

/* ---- dispatch ---- */

static const struct {
    uint64_t ext;
    struct sbi_ret (*call)(struct riscv_vcpu *r, uint64_t fid);
} extensions[] = {
    {RV_SBI_BASE, sbi_base},     {RV_SBI_TIME, sbi_time},     {RV_SBI_IPI, sbi_ipi},
    {RV_SBI_RFENCE, sbi_rfence}, {RV_SBI_HSM, sbi_hsm},       {RV_SBI_SRST, sbi_srst},
    {RV_SBI_DBCN, sbi_dbcn},     {RV_SBI_PMU, riscv_sbi_pmu}, {RV_SBI_CARBOVISOR, sbi_carbovisor},
};

static bool probe(struct riscv_vcpu *r, uint64_t ext)
{
    if (ext == RV_SBI_DBCN)
        return console(r)->write != NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++) {
        if (extensions[i].ext == ext)
            return true;
    }
    return ext <= RV_SBI_LEGACY_SHUTDOWN;
}

void riscv_sbi_call(struct riscv_vcpu *r)
{
    uint64_t ext = r->x[RV_REG_A7];
    struct sbi_ret ret = sbi_error(RV_SBI_ERR_NOT_SUPPORTED);

    if (ext <= RV_SBI_LEGACY_SHUTDOWN) {
        r->x[RV_REG_A0] = (uint64_t)sbi_legacy(r, ext);
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(extensions); i++) {
        if (extensions[i].ext == ext) {
            ret = extensions[i].call(r, r->x[RV_REG_A6]);
            break;
        }
    }
    r->x[RV_REG_A0] = (uint64_t)ret.error;
    r->x[RV_REG_A1] = ret.value;
}
