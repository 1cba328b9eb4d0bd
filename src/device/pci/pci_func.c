/* PCI functions: configuration space, BARs, capabilities (PCI 3.0, chapter 6). */
#include "device/pci/pci.h"
#include "core/vm.h"
#include "lib/str.h"

/* ---- bytes of configuration space ---- */

static uint32_t bytes_get(const uint8_t *p, unsigned size)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}

static void bytes_set(uint8_t *p, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

uint32_t pci_config_get(const struct pci_func *f, unsigned offset, unsigned size)
{
    BUG_ON(size > 4 || offset > PCI_CONFIG_SIZE - size);
    return bytes_get(f->config + offset, size);
}

void pci_config_default(struct pci_func *f, unsigned offset, unsigned size, uint32_t value, uint32_t writable)
{
    BUG_ON(size > 4 || offset > PCI_CONFIG_SIZE - size);
    bytes_set(f->defaults + offset, size, value);
    bytes_set(f->config + offset, size, value);
    bytes_set(f->writable + offset, size, writable);
}

static void status_set(struct pci_func *f, uint16_t bit, bool on)
{
    uint32_t status = pci_config_get(f, PCI_STATUS, 2);

    bytes_set(f->config + PCI_STATUS, 2, on ? status | bit : status & ~(uint32_t)bit);
}

/* What lies beyond conventional configuration space has no capability: zeros (PCI Express 6.0, 7.9.1). */
uint32_t pci_config_read(struct pci_func *f, unsigned offset, unsigned size)
{
    if (offset > PCI_CONFIG_SIZE - size)
        return 0;
    status_set(f, PCI_STATUS_INTERRUPT, f->intx);
    if (f->accessed)
        f->accessed(f, offset, size, false);
    return pci_config_get(f, offset, size);
}

void pci_config_write(struct pci_func *f, unsigned offset, unsigned size, uint32_t value)
{
    if (offset > PCI_CONFIG_SIZE - size)
        return;
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = f->writable[offset + i], *p = &f->config[offset + i];

        *p = (uint8_t)((*p & ~mask) | (value >> (8 * i) & mask));
    }
    if (f->accessed)
        f->accessed(f, offset, size, true);
    pci_host_intx(f->host, f);
    pci_msix_update(f);
}

bool pci_may_dma(const struct pci_func *f)
{
    return pci_config_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

void pci_intx_set(struct pci_func *f, bool level)
{
    f->intx = level;
    pci_host_intx(f->host, f);
}

/* ---- BARs ---- */

/* The lowest bits say what it is (PCI 3.0, 6.2.5.1); the size follows from which bits can be written. */
void pci_bar(struct pci_func *f, unsigned n, enum pci_bar_kind kind, uint64_t size)
{
    static const uint8_t type[] = {[PCI_BAR_IO] = 1, [PCI_BAR_MEM32] = 0, [PCI_BAR_MEM64] = 4};
    uint64_t mask = ~(size - 1);

    BUG_ON(n >= PCI_BARS || f->bar[n].kind || kind == PCI_BAR_NONE || kind == PCI_BAR_UPPER);
    BUG_ON(!size || (size & (size - 1)) || size < (kind == PCI_BAR_IO ? 4 : 16));
    BUG_ON(kind == PCI_BAR_IO ? size > 256 : kind == PCI_BAR_MEM32 && size > UINT64_C(1) << 31);
    f->bar[n] = (struct pci_bar){kind, size};
    pci_config_default(f, PCI_BAR + 4 * n, 4, type[kind], (uint32_t)mask);
    if (kind == PCI_BAR_MEM64) {
        BUG_ON(n + 1 >= PCI_BARS || f->bar[n + 1].kind);
        f->bar[n + 1].kind = PCI_BAR_UPPER;
        pci_config_default(f, PCI_BAR + 4 * n + 4, 4, 0, (uint32_t)(mask >> 32));
    }
    f->writable[PCI_COMMAND] |= kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
}

static uint64_t bar_address(const struct pci_func *f, unsigned n)
{
    uint64_t a = pci_config_get(f, PCI_BAR + 4 * n, 4);

    if (f->bar[n].kind == PCI_BAR_MEM64)
        a |= (uint64_t)pci_config_get(f, PCI_BAR + 4 * n + 4, 4) << 32;
    return a & ~(f->bar[n].size - 1);
}

bool pci_bar_find(const struct pci_func *f, bool io, uint64_t address, unsigned size, unsigned *n,
                  uint64_t *offset)
{
    uint32_t command = pci_config_get(f, PCI_COMMAND, 2);

    if (!(command & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        return false;
    for (unsigned i = 0; i < PCI_BARS; i++) {
        enum pci_bar_kind kind = f->bar[i].kind;

        if (kind == PCI_BAR_NONE || kind == PCI_BAR_UPPER || (kind == PCI_BAR_IO) != io)
            continue;
        *offset = address - bar_address(f, i);
        *n = i;
        if (*offset < f->bar[i].size && size <= f->bar[i].size - *offset)
            return true;
    }
    return false;
}

/* ---- making one ---- */

void pci_func_init(struct pci_func *f, const struct device_ops *ops, struct vm *vm, const char *id,
                   const struct pci_ids *ids)
{
    device_init(&f->dev, ops, vm, id);
    f->next_cap = PCI_HEADER_END;
    f->last_cap = PCI_CAPABILITIES;
    pci_config_default(f, PCI_VENDOR, 2, ids->vendor, 0);
    pci_config_default(f, PCI_DEVICE, 2, ids->device, 0);
    pci_config_default(f, PCI_COMMAND, 2, 0, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
    pci_config_default(f, PCI_REVISION, 1, ids->revision, 0);
    pci_config_default(f, PCI_CLASS, 3, ids->class, 0);
    pci_config_default(f, PCI_SUBSYSTEM_VENDOR, 2, ids->subsystem_vendor, 0);
    pci_config_default(f, PCI_SUBSYSTEM, 2, ids->subsystem, 0);
    pci_config_default(f, PCI_INTERRUPT_LINE, 1, 0, 0xff);
    pci_config_default(f, PCI_INTERRUPT_PIN, 1, ids->interrupt, 0);
}

unsigned pci_capability(struct pci_func *f, uint8_t id, unsigned size)
{
    unsigned at = f->next_cap;

    BUG_ON(size < 2 || at + size > PCI_CONFIG_SIZE);
    pci_config_default(f, at, 1, id, 0);
    pci_config_default(f, f->last_cap, 1, at, 0);
    pci_config_default(f, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES, 0);
    f->last_cap = (uint8_t)(at + 1);
    f->next_cap = (uint8_t)ALIGN_UP(at + size, 4);
    return at;
}

void pci_func_reset(struct pci_func *f)
{
    memcpy(f->config, f->defaults, sizeof(f->config));
    for (unsigned i = 0; i < f->msix.count; i++) {
        memset(f->msix.table[i], 0, sizeof(f->msix.table[i]));
        f->msix.table[i][3] = 1; /* masked (PCI 3.0, 6.8.2.9) */
    }
    memset(f->msix.pending, 0, sizeof(f->msix.pending));
    pci_intx_set(f, false);
}
