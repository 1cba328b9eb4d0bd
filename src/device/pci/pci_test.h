/*
 * A PCI function for tests: BAR 0 of I/O space and BAR 1 of memory are 16 bytes of its own each, BAR 2
 * (64-bit) has MSI-X with the table at 0 and pending bits at 0x800. A write to byte 0 of BAR 1 sets its pin,
 * one to byte 1 raises that vector.
 */
#ifndef CV_DEVICE_PCI_PCI_TEST_H
#define CV_DEVICE_PCI_PCI_TEST_H

#include "core/vm.h"
#include "device/pci/pci_host.h"

#define PCI_TEST_VECTORS 4

struct pci_test {
    struct pci_func func;
    uint8_t bytes[2][16];
};

static const struct state_field pci_test_state[] = {
    PCI_FUNC_STATE(struct pci_test, func),
    STATE_ARRAY(struct pci_test, bytes[0], 0, 0),
    STATE_ARRAY(struct pci_test, bytes[1], 0, 0),
    STATE_END,
};

static inline uint64_t pci_test_read(struct device *d, unsigned bar, uint64_t offset, unsigned size)
{
    struct pci_test *t = container_of(d, struct pci_test, func.dev);
    uint64_t v = 0;

    if (bar == 2)
        return pci_msix_read(&t->func, offset >= 0x800, offset & 0x7ff, size);
    BUG_ON(bar > 1 || offset > sizeof(t->bytes[0]) - size);
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)t->bytes[bar][offset + i] << (8 * i);
    return v;
}

static inline void pci_test_write(struct device *d, unsigned bar, uint64_t offset, unsigned size,
                                  uint64_t value)
{
    struct pci_test *t = container_of(d, struct pci_test, func.dev);

    if (bar == 2) {
        if (offset < 0x800)
            pci_msix_write(&t->func, offset, size, value);
        return;
    }
    BUG_ON(bar > 1 || offset > sizeof(t->bytes[0]) - size);
    for (unsigned i = 0; i < size; i++)
        t->bytes[bar][offset + i] = (uint8_t)(value >> (8 * i));
    if (bar == 1 && offset == 0)
        pci_intx_set(&t->func, value & 1);
    if (bar == 1 && offset == 1)
        pci_msix_raise(&t->func, (unsigned)value & 0xff);
}

static inline void pci_test_reset(struct device *d)
{
    pci_func_reset(container_of(d, struct pci_func, dev));
}

static inline void pci_test_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct pci_test, func.dev));
}

static const struct device_ops pci_test_ops = {.name = "pci-test",
                                               .state = pci_test_state,
                                               .read = pci_test_read,
                                               .write = pci_test_write,
                                               .reset = pci_test_reset,
                                               .destroy = pci_test_destroy};

static inline struct pci_test *pci_test_create(struct vm *vm, struct device *bridge, const char *id,
                                               uint8_t devfn, char *why, size_t why_size)
{
    static const struct pci_ids ids = {
        .vendor = 0x1234, .device = 0x5678, .class = 0xff0000, .revision = 3, .interrupt = true};
    struct pci_test *t = device_alloc(sizeof(*t), why, why_size);

    if (!t)
        return NULL;
    pci_func_init(&t->func, &pci_test_ops, vm, id, &ids);
    pci_bar(&t->func, 0, PCI_BAR_IO, 16);
    pci_bar(&t->func, 1, PCI_BAR_MEM32, 16);
    pci_bar(&t->func, 2, PCI_BAR_MEM64, 4096);
    pci_capability(&t->func, 9, 5);
    pci_msix_init(&t->func, PCI_TEST_VECTORS, 2, 0, 0x800);
    if (pci_func_add(&t->func, bridge, devfn, why, why_size)) {
        pci_test_destroy(&t->func.dev);
        return NULL;
    }
    pci_func_reset(&t->func);
    return t;
}

#endif
