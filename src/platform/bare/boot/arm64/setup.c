/* platform/bare/arch.h, arm64: CPUs, timer, contexts, caches, power. */
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/boot/arm64/early.h"
#include "platform/bare/boot/arm64/el2.h"
#include "platform/bare/boot/arm64/firmware.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/drivers/gic.h"
#include "platform/bare/drivers/pl011.h"
#include "platform/bare/drivers/pl031.h"

#define STACK_MAX       65536
#define EMERGENCY_STACK 8192

_Static_assert(offsetof(struct el2_config, ttbr) == EL2_TTBR && offsetof(struct el2_config, tcr) == EL2_TCR &&
                   offsetof(struct el2_config, mair) == EL2_MAIR &&
                   offsetof(struct el2_config, sctlr) == EL2_SCTLR &&
                   offsetof(struct el2_config, hcr) == EL2_HCR,
               "known to assembly");

static struct emergency {
    uint8_t bytes[EMERGENCY_STACK] __attribute__((aligned(16)));
} emergency[CPU_MAX] __attribute__((section(".bss.emergency")));

/* Seldom used, so looked for when it is. */
static volatile uint32_t *early_output(void)
{
    static enum { UNKNOWN, NONE, BOOT, FINAL } state;

    if (state == UNKNOWN) {
        early_find_uart(early_fdt);
        state = early_uart ? BOOT : NONE;
        if (early_uart && !mmu_is_final())
            early_map_uart();
    }
    if (state == BOOT && mmu_is_final())
        state = arch_map_device(early_uart, 4096) ? FINAL : NONE;
    return state >= BOOT ? (volatile uint32_t *)early_uart : NULL;
}

void arch_early_putc(char c)
{
    volatile uint32_t *u = early_output();

    if (!u)
        return;
    while (u[0x18 / 4] & 0x20) /* FR.TXFF */
        ;
    u[0] = (uint8_t)c;
}

/* ---- contexts; switch.S has the order ---- */

void arch_context_init(struct arch_context *c, void *stack_top, void (*fn)(void *), void *arg)
{
    uint64_t *sp = (uint64_t *)stack_top - 12;

    memset(sp, 0, 12 * sizeof(*sp));
    sp[0] = (uint64_t)fn;             /* x19 */
    sp[1] = (uint64_t)arg;            /* x20 */
    sp[11] = (uint64_t)context_begin; /* x30 */
    c->sp = (uint64_t)sp;
}

/* ---- CPUs ---- */

int arch_setup(const struct board *b, char *why, size_t why_size)
{
    int err = gic_init(b, why, why_size);

    psci_init(b);
    if (err)
        return err;
    pl011_init(b);
    pl031_init(b);
    return 0;
}

/* What guests are kept from is the engine's; here only what must not be left to chance. */
void arch_cpu_setup(struct cpu *c)
{
    c->scratch[SCRATCH_EMERGENCY / 8] = (uint64_t)(emergency[c->id].bytes + EMERGENCY_STACK);
    sys_write(cnthp_cval_el2, UINT64_MAX);
    sys_write(cnthp_ctl_el2, 1);
    sys_write(vttbr_el2, 0);
    isb();
    firmware_cpu_setup();
    gic_get()->driver->cpu_init(gic_get(), c);
}

/* entry.S knows the offsets. Tables of the boot until the CPU runs at the image's addresses, then the final
 * ones. */
struct start {
    uint64_t stack_top, cpu, config, ttbr;
};

int arch_cpu_start(struct cpu *c, void *stack_top)
{
    static struct start start[CPU_MAX];
    struct start *s = &start[c->id];

    *s = (struct start){(uint64_t)stack_top, (uint64_t)c, arch_pa(&el2_config), sys_read(ttbr0_el2)};
    arch_cache_clean(s, sizeof(*s));
    arch_cache_clean(&el2_config, sizeof(el2_config));
    return psci_cpu_on(c->hw_id, arch_pa((void *)secondary_entry), arch_pa(s));
}

void arch_cpu_park(void)
{
    for (;;)
        __asm__ volatile("msr daifset, #15\n\twfi");
}

/* ---- time ---- */

uint64_t arch_counter_hz(void)
{
    return sys_read(cntfrq_el0);
}

void arch_timer_set(uint64_t counter)
{
    arch_cpu()->scratch[SCRATCH_TIMER / 8] = counter;
    sys_write(cnthp_cval_el2, counter);
    sys_write(cnthp_ctl_el2, counter == UINT64_MAX ? 2 : 1);
}

void arch_ipi_send(struct cpu *to)
{
    gic_get()->driver->ipi(gic_get(), to);
}

/* ---- power ---- */

void arch_power_off(void)
{
    psci_system(false);
    arch_cpu_park();
}

void arch_reset(void)
{
    psci_system(true);
    arch_cpu_park();
}

/* ---- caches ---- */

static uint64_t dcache_line(void)
{
    return UINT64_C(4) << (sys_read(ctr_el0) >> 16 & 0xf);
}

void arch_cache_clean(const void *p, uint64_t size)
{
    uint64_t line = dcache_line(), end = (uint64_t)p + size;

    for (uint64_t a = ALIGN_DOWN((uint64_t)p, line); a < end; a += line)
        __asm__ volatile("dc cvac, %0" ::"r"(a) : "memory");
    dsb_sy();
}

/* Four lines at a time: it comes in blocks of 2 MiB. */
void arch_cache_invalidate(void *p, uint64_t size)
{
    uint64_t line = dcache_line(), end = (uint64_t)p + size, a = ALIGN_DOWN((uint64_t)p, line);

    for (; a + 3 * line < end; a += 4 * line)
        __asm__ volatile("dc civac, %0\n\tdc civac, %1\n\tdc civac, %2\n\tdc civac, %3" ::"r"(a),
                         "r"(a + line), "r"(a + 2 * line), "r"(a + 3 * line)
                         : "memory");
    for (; a < end; a += line)
        __asm__ volatile("dc civac, %0" ::"r"(a) : "memory");
    dsb_sy();
}

void arch_icache_sync(const void *p, uint64_t size)
{
    uint64_t line = dcache_line(), end = (uint64_t)p + size;

    for (uint64_t a = ALIGN_DOWN((uint64_t)p, line); a < end; a += line)
        __asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
    __asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

/* ---- TLBs of guests ---- */

const bool arch_guest_flush_all_cpus = true;

/*
 * Broadcast within the inner shareable domain; VTTBR names whose entries are meant (D8.14.5). Interrupts are
 * kept off while it is another's.
 */
void arch_guest_flush(unsigned vmid, gpa_t gpa, uint64_t size)
{
    bool on = arch_irq_save();
    uint64_t vttbr = sys_read(vttbr_el2);

    dsb_ish();
    sys_write(vttbr_el2, (uint64_t)vmid << 48 | (vttbr & UINT64_C(0x0000ffffffffffff)));
    isb();
    if (size > UINT64_C(64) << 12) {
        __asm__ volatile("tlbi vmalls12e1is" ::: "memory");
    } else {
        for (gpa_t a = ALIGN_DOWN(gpa, 4096); a < gpa + size; a += 4096)
            __asm__ volatile("tlbi ipas2e1is, %0" ::"r"(a >> 12) : "memory");
        /* Stage 1 entries hold the result of both stages. */
        __asm__ volatile("dsb ish\n\ttlbi vmalle1is" ::: "memory");
    }
    dsb_ish();
    sys_write(vttbr_el2, vttbr);
    isb();
    arch_irq_restore(on);
}

/* ---- randomness, frames ---- */

bool arch_random(uint64_t *out)
{
    uint64_t ok;

    if (!(sys_read(id_aa64isar0_el1) >> 60))
        return false;
    __asm__ volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, ne" : "=r"(*out), "=r"(ok)::"cc", "memory");
    return ok;
}

/* Frame records (AAPCS64, 6.4.6) ascend on a stack; one of a fault's own stack leads to the task's. */
static bool frame_follows(const uint64_t *fp, const uint64_t *next)
{
    uint64_t top = arch_cpu() ? arch_cpu()->stack_top : 0;
    bool ascends = next > fp && (uint64_t)next - (uint64_t)fp <= STACK_MAX;
    bool was_here = (uint64_t)fp < top && top - (uint64_t)fp <= STACK_MAX;
    bool is_here = (uint64_t)next < top && top - (uint64_t)next <= STACK_MAX;

    return ascends || (is_here && !was_here);
}

unsigned arch_backtrace(uint64_t *pc, unsigned max)
{
    const uint64_t *fp = __builtin_frame_address(0);
    unsigned n = 0;

    while (n < max && fp && !((uint64_t)fp & 7)) {
        const uint64_t *next = (const uint64_t *)fp[0];

        if (!fp[1])
            break;
        pc[n++] = fp[1];
        if (!frame_follows(fp, next))
            break;
        fp = next;
    }
    return n;
}

/* ---- faults of the hypervisor ---- */

enum { EC_DATA_ABORT_SAME = 0x25, FSC_TRANSLATION = 0x04 };

/* Where the vector keeps what the comparator of the timer held: it borrowed that for a moment. */
static void timer_restore(void)
{
    sys_write(cnthp_cval_el2, arch_cpu() ? arch_cpu()->scratch[SCRATCH_TIMER / 8] : 0);
}

void trap_hyp(unsigned kind)
{
    uint64_t esr = sys_read(esr_el2), far = sys_read(far_el2), pc = sys_read(elr_el2);
    uint64_t spsr = sys_read(spsr_el2);

    timer_restore();
    if (!kind && esr >> 26 == EC_DATA_ABORT_SAME && (esr & 0x3c) == FSC_TRANSLATION && ram_fault(far))
        return;
    trap_fatal(kind ? "SError in the hypervisor" : "exception in the hypervisor", pc, far, esr,
               !(spsr & 0x80));
}
