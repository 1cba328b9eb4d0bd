/*
 * IMSIC (AIA 1.0, chapter 3): one S-level file a hart, a page each, guest files behind it. Identity 1 is the
 * interrupt between CPUs, the others are the APLIC's sources.
 */
#include "isa/riscv64/cause.h"
#include "lib/err.h"
#include "platform/bare/boot/riscv64/csr_ops.h"
#include "platform/bare/drivers/riscv64/aia.h"
#include "platform/bare/irq/irq.h"

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIE0 = 0xc0 };
#define NO_HART UINT32_MAX

static struct {
    volatile uint8_t *base;
    uint64_t stride;
    uint32_t phandle, identities;
    uint32_t hart[CPU_MAX]; /* place of a CPU's file, by cpu->id */
    uint64_t wanted[8];     /* identities that every CPU's file enables, bit = identity; 64 a word */
    struct irq_domain *domain;
    void (*end)(struct irq_domain *d, unsigned hwirq); /* after a source's handler */
} imsic;

static void indirect_write(uint64_t select, uint64_t value)
{
    csr_write(RV_CSR_siselect, select);
    csr_write(RV_CSR_sireg, value);
}

static void imsic_external(void *opaque)
{
    uint64_t top;
    unsigned hwirq;

    (void)opaque;
    for (;;) {
        __asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory"); /* stopei: claims */
        if (!top)
            return;
        hwirq = (unsigned)(top >> 16) - IMSIC_IDENTITY_SOURCE;
        if (top >> 16 == IMSIC_IDENTITY_IPI) {
            irq_ipi();
        } else if (imsic.domain) {
            irq_handle(imsic.domain, hwirq);
            imsic.end(imsic.domain, hwirq);
        }
    }
}

static void imsic_ipi(struct cpu *to)
{
    *(volatile uint32_t *)(imsic.base + imsic.hart[to->id] * imsic.stride) = IMSIC_IDENTITY_IPI;
}

void imsic_domain_set(struct irq_domain *d, void (*end)(struct irq_domain *d, unsigned hwirq))
{
    imsic.end = end;
    imsic.domain = d;
}

unsigned imsic_hart_index(unsigned cpu)
{
    return imsic.hart[cpu];
}

uint32_t imsic_phandle(void)
{
    return imsic.phandle;
}

static void identities_write(void)
{
    for (unsigned w = 0; w < ARRAY_SIZE(imsic.wanted) && w * 64 <= imsic.identities; w++)
        indirect_write(EIE0 + 2 * w, imsic.wanted[w]);
}

/* Every file takes every source: the message says which CPU gets it. Before the other CPUs come up. */
void imsic_sources_set(unsigned count)
{
    for (unsigned i = 1; i <= count && i + IMSIC_IDENTITY_SOURCE <= imsic.identities; i++)
        imsic.wanted[(i + IMSIC_IDENTITY_SOURCE) / 64] |= BIT((i + IMSIC_IDENTITY_SOURCE) % 64);
    identities_write();
}

static uint32_t find_hart(const struct board *b, dtb_node n, uint32_t intc)
{
    uint32_t phandle, cause;

    for (unsigned i = 0; !dtb_u32(&b->dtb, n, "interrupts-extended", 2 * i, &phandle); i++) {
        if (dtb_u32(&b->dtb, n, "interrupts-extended", 2 * i + 1, &cause) || cause != RV_INT_SEI)
            break;
        if (phandle == intc)
            return i;
    }
    return NO_HART;
}

/* GEILEN: the bits of hgeie that can be set (Priv. 20240411, 18.2.4). */
static void find_guest_files(void)
{
    csr_write(RV_CSR_hgeie, UINT64_MAX);
    riscv_host.guest_files = (uint8_t)__builtin_popcountll(csr_read(RV_CSR_hgeie));
    csr_write(RV_CSR_hgeie, 0);
}

int imsic_init(const struct board *b, dtb_node n)
{
    uint64_t pa, size;
    uint32_t guest_bits = 0;

    if (!riscv_host.ssaia || find_hart(b, n, riscv_cpu_intc(cpu_at(0))) == NO_HART ||
        board_reg(b, n, 0, &pa, &size) || dtb_u32(&b->dtb, n, "riscv,num-ids", 0, &imsic.identities))
        return -ENODEV;
    dtb_u32(&b->dtb, n, "riscv,guest-index-bits", 0, &guest_bits);
    dtb_u32(&b->dtb, n, "phandle", 0, &imsic.phandle);
    imsic.stride = UINT64_C(4096) << (guest_bits & 7);
    imsic.base = arch_map_device(pa, size);
    if (!imsic.base)
        return -ENODEV;
    imsic.identities = MIN(imsic.identities, (uint32_t)(64 * ARRAY_SIZE(imsic.wanted) - 1));
    imsic.wanted[0] = BIT(IMSIC_IDENTITY_IPI);
    find_guest_files();
    riscv_external_set(imsic_external, NULL);
    riscv_ipi_set(imsic_ipi);
    return 0;
}

void imsic_cpu_setup(struct cpu *c)
{
    if (!imsic.base)
        return;
    imsic.hart[c->id] =
        find_hart(board_get(), dtb_phandle(&board_get()->dtb, imsic.phandle), riscv_cpu_intc(c));
    BUG_ON(imsic.hart[c->id] == NO_HART);
    indirect_write(EITHRESHOLD, 0);
    identities_write();
    indirect_write(EIDELIVERY, 1);
}
