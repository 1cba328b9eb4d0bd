/* MSI-X of PCI functions (PCI 3.0, 6.8.2). */
#include "device/pci/pci.h"
#include "core/irqchip.h"
#include "core/vm.h"

enum { CONTROL = 2, TABLE = 4, PBA = 8, CAP_SIZE = 12 };
enum { CONTROL_MASK = 1 << 14, CONTROL_ENABLE = 1 << 15 };
enum { ADDRESS, ADDRESS_HIGH, DATA, VECTOR_CONTROL };

void pci_msix_init(struct pci_func *f, unsigned count, unsigned bar, uint32_t table, uint32_t pba)
{
    struct pci_msix *m = &f->msix;

    BUG_ON(!count || count > PCI_MSIX_MAX || bar >= PCI_BARS || table % 8 || pba % 8);
    BUG_ON(f->bar[bar].kind != PCI_BAR_MEM32 && f->bar[bar].kind != PCI_BAR_MEM64);
    m->count = count;
    m->bar = bar;
    m->cap = pci_capability(f, PCI_CAP_MSIX, CAP_SIZE);
    pci_config_default(f, m->cap + CONTROL, 2, count - 1, CONTROL_MASK | CONTROL_ENABLE);
    pci_config_default(f, m->cap + TABLE, 4, table | bar, 0);
    pci_config_default(f, m->cap + PBA, 4, pba | bar, 0);
}

static uint32_t control(const struct pci_func *f)
{
    return f->msix.count ? pci_config_get(f, f->msix.cap + CONTROL, 2) : 0;
}

bool pci_msix_enabled(const struct pci_func *f)
{
    return control(f) & CONTROL_ENABLE;
}

static bool pending(const struct pci_msix *m, unsigned n)
{
    return m->pending[n / 32] >> (n % 32) & 1;
}

/* Sends what is pending and not masked any more. A message is a write to memory: a bus master's. */
void pci_msix_update(struct pci_func *f)
{
    struct pci_msix *m = &f->msix;
    uint32_t ctl = control(f);

    if (!(ctl & CONTROL_ENABLE) || ctl & CONTROL_MASK || !pci_may_dma(f))
        return;
    for (unsigned n = 0; n < m->count; n++) {
        const uint32_t *v = m->table[n];

        if (!pending(m, n) || v[VECTOR_CONTROL] & 1)
            continue;
        m->pending[n / 32] &= ~(1u << (n % 32));
        msi_send_from(f->dev.vm, f->devfn, (uint64_t)v[ADDRESS_HIGH] << 32 | v[ADDRESS], v[DATA]);
    }
}

void pci_msix_raise(struct pci_func *f, unsigned n)
{
    if (n >= f->msix.count || !pci_msix_enabled(f))
        return;
    f->msix.pending[n / 32] |= 1u << (n % 32);
    pci_msix_update(f);
}

static uint32_t word_read(const struct pci_msix *m, bool pba, uint64_t word)
{
    if (pba)
        return word < ARRAY_SIZE(m->pending) ? m->pending[word] : 0;
    return word / 4 < m->count ? m->table[word / 4][word % 4] : 0;
}

uint64_t pci_msix_read(struct pci_func *f, bool pba, uint64_t offset, unsigned size)
{
    uint64_t v;

    if ((size != 4 && size != 8) || offset % size)
        return 0;
    v = word_read(&f->msix, pba, offset / 4);
    if (size == 8)
        v |= (uint64_t)word_read(&f->msix, pba, offset / 4 + 1) << 32;
    return v;
}

static void word_write(struct pci_msix *m, uint64_t word, uint32_t value)
{
    static const uint32_t writable[4] = {~3u, ~0u, ~0u, 1};

    if (word / 4 < m->count)
        m->table[word / 4][word % 4] = value & writable[word % 4];
}

void pci_msix_write(struct pci_func *f, uint64_t offset, unsigned size, uint64_t value)
{
    if ((size != 4 && size != 8) || offset % size)
        return;
    word_write(&f->msix, offset / 4, (uint32_t)value);
    if (size == 8)
        word_write(&f->msix, offset / 4 + 1, (uint32_t)(value >> 32));
    pci_msix_update(f);
}
