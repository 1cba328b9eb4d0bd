/*
 * A generic PCI host bridge (device tree binding pci-host-ecam-generic): configuration space by ECAM
 * (PCI Express 6.0, 7.2.2), one window each for memory and I/O space, four interrupt lines. Bus 0 has the
 * bridge's own function 00:00.0 and what pci_func_add() puts there.
 */
#ifndef CV_DEVICE_PCI_PCI_HOST_H
#define CV_DEVICE_PCI_PCI_HOST_H

#include "device/pci/pci.h"

struct pci_host_config {
    gpa_t ecam;
    uint64_t ecam_size; /* 1 MiB a bus */
    gpa_t mmio;         /* addresses on the bus are the same */
    uint64_t mmio_size;
    gpa_t pio; /* address 0 of I/O space */
    uint64_t pio_size;
    struct irq_line intx[PCI_PINS]; /* of slot 0, pins A to D */
    uint32_t intc_phandle;          /* whose inputs those are */
    unsigned intc_address_cells;    /* of that node */
    /* Who takes messages; 0: messages reach nobody. By requester: the device number counts (ITS). */
    uint32_t msi_phandle;
    bool msi_by_requester;
};

/* NULL with the reason in why. */
struct device *pci_host_create(struct vm *vm, const char *id, const struct pci_host_config *c, char *why,
                               size_t why_size);

#endif
