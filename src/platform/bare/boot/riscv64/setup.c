/* What the common platform asks of riscv64: traps, timers, interrupts between CPUs, starting CPUs, power. */
#include "isa/riscv64/cause.h"
#include "isa/riscv64/pte.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/boot/riscv64/hgatp.h"
#include "platform/bare/boot/riscv64/private.h"
#include "platform/bare/boot/riscv64/sbi.h"
#include "platform/bare/drivers/drivers.h"

uint64_t riscv_image_pa;
struct riscv_host riscv_host = {.isa = "", .mmu = "", .timebase_hz = 10000000};

static struct {
    void (*external)(void *opaque);
    void *external_opaque;
    void (*guest_external)(void);
    void (*ipi)(struct cpu *to);
} hooks;

/* The boot CPU needs one before there is a heap. */
static uint8_t boot_fault_stack[FAULT_STACK] __attribute__((aligned(16), section(".noinit")));

void arch_early_putc(char c)
{
    if (c == '\n')
        sbi_call3(RV_SBI_LEGACY_PUTCHAR, 0, '\r', 0, 0);
    sbi_call3(RV_SBI_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0);
}

/* ---- contexts ---- */

/* As arch_switch() leaves one: ra and s0..s11, at the low end of 112 bytes. */
void arch_context_init(struct arch_context *c, void *stack_top, void (*fn)(void *), void *arg)
{
    uint64_t *frame = (uint64_t *)((uintptr_t)stack_top & ~(uintptr_t)15) - 14;

    memset(frame, 0, 112);
    frame[0] = (uint64_t)riscv_context_begin;
    frame[1] = (uint64_t)fn;
    frame[2] = (uint64_t)arg;
    c->sp = (uint64_t)frame;
}

/* ---- traps ---- */

void riscv_external_set(void (*handler)(void *opaque), void *opaque)
{
    hooks.external_opaque = opaque;
    hooks.external = handler;
}

void riscv_guest_external_set(void (*handler)(void))
{
    hooks.guest_external = handler;
}

void riscv_interrupt(uint64_t scause)
{
    switch (scause & ~RV_CAUSE_INTERRUPT) {
    case RV_INT_SSI:
        csr_clear(RV_CSR_sip, RV_IRQ_SSI);
        irq_ipi();
        break;
    case RV_INT_STI:
        csr_clear(RV_CSR_sie, RV_IRQ_STI); /* a level, until arch_timer_set() */
        irq_timer();
        break;
    case RV_INT_SEI:
        if (hooks.external)
            hooks.external(hooks.external_opaque);
        break;
    case RV_INT_SGEI:
        if (hooks.guest_external)
            hooks.guest_external();
        break;
    default:
        break;
    }
}

static const char *exception_name(uint64_t cause)
{
    static const char *const names[] = {
        [RV_EXC_INSN_ACCESS] = "instruction access fault",
        [RV_EXC_ILLEGAL_INSN] = "illegal instruction",
        [RV_EXC_BREAKPOINT] = "breakpoint",
        [RV_EXC_LOAD_MISALIGNED] = "misaligned load",
        [RV_EXC_LOAD_ACCESS] = "load access fault",
        [RV_EXC_STORE_MISALIGNED] = "misaligned store",
        [RV_EXC_STORE_ACCESS] = "store access fault",
        [RV_EXC_INSN_PAGE_FAULT] = "instruction page fault",
        [RV_EXC_LOAD_PAGE_FAULT] = "load page fault",
        [RV_EXC_STORE_PAGE_FAULT] = "store page fault",
    };

    return cause < ARRAY_SIZE(names) && names[cause] ? names[cause] : "exception";
}

/* Where it goes on when the instruction at pc traps (RISCV_MAY_TRAP), or 0. */
static uint64_t trap_way_on(uint64_t pc)
{
    extern const struct {
        uint64_t pc, to;
    } riscv_traps_begin[], riscv_traps_end[];

    for (unsigned i = 0; riscv_traps_begin + i < riscv_traps_end; i++) {
        if (riscv_traps_begin[i].pc == pc)
            return riscv_traps_begin[i].to;
    }
    return 0;
}

/* On the CPU's stack for faults. */
void riscv_exception(uint64_t scause, struct trap_frame *f)
{
    uint64_t stval = csr_read(RV_CSR_stval), to = trap_way_on(f->sepc);

    if (to) {
        f->sepc = to;
        return;
    }
    /*
     * Guest RAM's first touch; or another CPU mapped it, and this one still knows it as missing (Priv.
     * 20240411, 12.2.1).
     */
    if ((scause == RV_EXC_LOAD_PAGE_FAULT || scause == RV_EXC_STORE_PAGE_FAULT) &&
        ((stval < IMAGE_VA && ram_fault(stval)) || riscv_mapped(stval, scause == RV_EXC_STORE_PAGE_FAULT))) {
        __asm__ volatile("sfence.vma" ::: "memory");
        return;
    }
    trap_fatal(exception_name(scause), f->sepc, stval, scause, csr_read(RV_CSR_sstatus) >> 5 & 1); /* SPIE */
}

void riscv_early_trap(uint64_t scause, uint64_t sepc, uint64_t stval)
{
    char text[96];

    fmt_snprintf(text, sizeof(text), "Carbovisor: early trap %llu at 0x%llx, address 0x%llx. Stopped.\n",
                 (unsigned long long)scause, (unsigned long long)sepc, (unsigned long long)stval);
    for (const char *s = text; *s; s++)
        arch_early_putc(*s);
    arch_cpu_park();
}

/* ---- time ---- */

uint64_t arch_counter_hz(void)
{
    return riscv_host.timebase_hz;
}

void arch_timer_set(uint64_t counter)
{
    if (riscv_host.sstc)
        csr_write(RV_CSR_stimecmp, counter);
    else
        sbi_call3(RV_SBI_TIME, 0, counter, 0, 0);
    if (counter == UINT64_MAX)
        csr_clear(RV_CSR_sie, RV_IRQ_STI);
    else
        csr_set(RV_CSR_sie, RV_IRQ_STI);
}

/* ---- CPUs ---- */

/* Every hart's: (mask, base) -1 means all; 0 and -1 the whole space (SBI 2.0, 8.2). */
void riscv_remote_sfence(void)
{
    register uint64_t a0 __asm__("a0") = 0;
    register uint64_t a1 __asm__("a1") = UINT64_MAX;
    register uint64_t a2 __asm__("a2") = 0;
    register uint64_t a3 __asm__("a3") = UINT64_MAX;
    register uint64_t a6 __asm__("a6") = 1;
    register uint64_t a7 __asm__("a7") = RV_SBI_RFENCE;

    if (cpu_count() > 1)
        __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
}

static void ipi_by_firmware(struct cpu *to)
{
    sbi_call3(RV_SBI_IPI, 0, 1, to->hw_id, 0);
}

void riscv_ipi_set(void (*send)(struct cpu *to))
{
    hooks.ipi = send;
}

void arch_ipi_send(struct cpu *to)
{
    atomic_thread_fence(memory_order_seq_cst);
    hooks.ipi(to);
}

uint32_t riscv_cpu_intc(const struct cpu *c)
{
    const struct dtb *d = &board_get()->dtb;
    uint32_t phandle = 0, size;

    for (dtb_node n = dtb_child(d, (dtb_node)c->node); n != DTB_NONE; n = dtb_sibling(d, n)) {
        if (dtb_prop(d, n, "interrupt-controller", &size))
            dtb_u32(d, n, "phandle", 0, &phandle);
    }
    return phandle;
}

/* Single letters come before the first underscore, after "rv64". */
static bool isa_has_letter(const char *isa, char letter)
{
    for (const char *s = isa && strlen(isa) >= 4 ? isa + 4 : ""; *s && *s != '_'; s++) {
        if (*s == letter)
            return true;
    }
    return false;
}

static void find_vector(const struct cpu *c)
{
    const char *isa = c->id ? dtb_str(&board_get()->dtb, (dtb_node)c->node, "riscv,isa") : riscv_host.isa;
    uint64_t vlenb = 0;

    if (isa_has_letter(isa, 'v')) {
        csr_set(RV_CSR_sstatus, RV_MSTATUS_VS);
        csr_probe(RV_CSR_vlenb, &vlenb);
        csr_clear(RV_CSR_sstatus, RV_MSTATUS_VS);
    }
    riscv_host.vlenb = c->id && riscv_host.vlenb != vlenb ? 0 : (uint16_t)vlenb;
}

void arch_cpu_setup(struct cpu *c)
{
    if (!c->scratch[RISCV_SCRATCH_STACK]) {
        uint8_t *stack = boot_fault_stack;

        if (c->id)
            stack = plat_alloc(FAULT_STACK);

        BUG_ON(!stack);
        c->scratch[RISCV_SCRATCH_STACK] = (uint64_t)stack + FAULT_STACK;
    }
    csr_write(RV_CSR_stvec, (uint64_t)hv_vector);
    csr_write(RV_CSR_hie, 0);
    /* What the hypervisor itself may read as U-mode would is nothing; guests' counters by hcounteren. */
    csr_write(RV_CSR_sie, RV_IRQ_SSI | RV_IRQ_SEI);
    find_vector(c);
    drivers_cpu_setup(c);
}

struct start_args riscv_start_args[CPU_MAX];

int arch_cpu_start(struct cpu *c, void *stack_top)
{
    struct start_args *a = &riscv_start_args[c->id];
    struct sbi_result r;

    if (!c->scratch[RISCV_SCRATCH_STACK]) {
        uint8_t *stack = plat_alloc(FAULT_STACK);

        if (!stack)
            return -ENOMEM;
        c->scratch[RISCV_SCRATCH_STACK] = (uint64_t)stack + FAULT_STACK;
    }
    a->satp = riscv_satp();
    a->cpu = c;
    a->sp = stack_top;
    a->entry = riscv_secondary_mapped;
    a->hart = c->hw_id;
    atomic_store(&a->ready, 1);
    atomic_thread_fence(memory_order_seq_cst);
    r = sbi_call3(RV_SBI_HSM, 0, c->hw_id, arch_pa((void *)riscv_secondary), 0);
    if (r.error == RV_SBI_ERR_ALREADY_AVAILABLE) /* it came by itself, and waits for its arguments */
        return 0;
    if (r.error != RV_SBI_SUCCESS)
        atomic_store(&a->ready, 0);
    return r.error == RV_SBI_SUCCESS ? 0 : r.error == RV_SBI_ERR_NOT_SUPPORTED ? -ENOTSUP : -EIO;
}

void arch_cpu_park(void)
{
    arch_irq_save();
    csr_write(RV_CSR_sie, 0);
    for (;;)
        __asm__ volatile("wfi");
}

/* ---- power: SRST, or the legacy call (SBI 2.0, 10 and 5.10) ---- */

NORETURN static void power(uint64_t type)
{
    sbi_call3(RV_SBI_SRST, 0, type, 0, 0);
    sbi_call3(RV_SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0);
    arch_cpu_park();
}

void arch_power_off(void)
{
    power(0);
}

void arch_reset(void)
{
    power(1);
}

/* ---- caches: coherent on every board with the H extension so far ---- */

void arch_cache_clean(const void *p, uint64_t size)
{
    (void)p;
    (void)size;
    atomic_thread_fence(memory_order_seq_cst);
}

void arch_cache_invalidate(void *p, uint64_t size)
{
    arch_cache_clean(p, size);
}

/* Every hart: a guest's code runs on any of them (FENCE.I is of one hart; SBI 2.0, 8.1). */
void arch_icache_sync(const void *p, uint64_t size)
{
    (void)p;
    (void)size;
    __asm__ volatile("fence.i" ::: "memory");
    sbi_call3(RV_SBI_RFENCE, 0, 0, UINT64_MAX, 0);
}

const bool arch_guest_flush_all_cpus = false;

/* Priv. 20240411, 18.4.2: HFENCE.GVMA takes the guest address shifted right by 2. */
void arch_guest_flush(unsigned vmid, gpa_t gpa, uint64_t size)
{
    if (size > 64 * 4096) {
        __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"((uint64_t)vmid) : "memory");
        return;
    }
    for (uint64_t at = ALIGN_DOWN(gpa, 4096); at < gpa + size; at += 4096)
        __asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, %1" ::"r"(at >> 2), "r"((uint64_t)vmid) : "memory");
}

bool arch_random(uint64_t *out)
{
    (void)out;
    return false;
}

/* ---- setup ---- */

/* Whether an ISA string has this extension of several letters. */
static bool isa_has(const char *isa, const char *name)
{
    size_t n = strlen(name);

    for (const char *s = isa; (s = strchr(s, '_')); s++) {
        if (!strncmp(s + 1, name, n) && (s[n + 1] == '_' || !s[n + 1]))
            return true;
    }
    return false;
}

static void find_features(const struct board *b)
{
    const char *isa = dtb_str(&b->dtb, b->cpu[0].node, "riscv,isa");
    const char *mmu = dtb_str(&b->dtb, b->cpu[0].node, "mmu-type");
    uint64_t v;

    riscv_host.isa = isa ? isa : "";
    riscv_host.mmu = mmu ? mmu : "";
    if (b->timebase)
        riscv_host.timebase_hz = b->timebase;
    riscv_host.page_mode = (uint8_t)(riscv_satp() >> 60);
    /* The firmware decides by menvcfg what is there in truth. */
    riscv_host.sstc = isa_has(riscv_host.isa, "sstc") && csr_probe(RV_CSR_stimecmp, &v);
    riscv_host.ssaia = csr_probe(RV_CSR_siselect, &v);
    if (csr_probe(RV_CSR_henvcfg, &v)) {
        csr_write(RV_CSR_henvcfg, RV_ENVCFG_PBMTE | RV_ENVCFG_STCE);
        v = csr_read(RV_CSR_henvcfg);
        riscv_host.svpbmt = isa_has(riscv_host.isa, "svpbmt") && v & RV_ENVCFG_PBMTE;
        riscv_host.sstc &= (v & RV_ENVCFG_STCE) != 0;
        csr_write(RV_CSR_henvcfg, 0);
    }
}

static uint64_t hgatp_try(uint64_t hgatp)
{
    csr_write(RV_CSR_hgatp, hgatp);
    return csr_read(RV_CSR_hgatp);
}

static void find_stage2(void)
{
    struct hgatp_modes m;

    hgatp_find(&m, hgatp_try);
    riscv_host.stage2_mode = m.widest;
    riscv_host.stage2_narrow = m.narrowest;
    riscv_host.vmid_bits = m.vmid_bits;
    csr_write(RV_CSR_hgatp, 0);
    __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" ::: "memory");
}

int arch_setup(const struct board *b, char *why, size_t why_size)
{
    struct cpu *c = arch_cpu();
    bool on = arch_irq_save();

    c->scratch[RISCV_SCRATCH_STACK] = (uint64_t)boot_fault_stack + FAULT_STACK;
    csr_write(RV_CSR_stvec, (uint64_t)hv_vector);
    hooks.ipi = ipi_by_firmware;
    find_features(b);
    find_stage2();
    arch_irq_restore(on);
    if (!riscv_host.stage2_mode) {
        fmt_snprintf(why, why_size, "hgatp has no translation mode: the H extension is not usable");
        return -ENOTSUP;
    }
    return drivers_setup(b, why, why_size);
}
