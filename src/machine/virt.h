/* What the boards called "virt" have in common: virtio slots, PCI, the limits of a description. */
#ifndef CV_MACHINE_VIRT_H
#define CV_MACHINE_VIRT_H

#include "device/flash/cfi.h"
#include "device/pci/pci_host.h"
#include "machine/virtio_slots.h"

struct virt_board {
    const char *const *options; /* as machine_options_check() takes them */
    uint64_t ram_min, ram_max;
    struct virtio_slots slots;
    struct pci_host_config pci; /* windows only */
    unsigned pci_irq;           /* of INTA of slot 0; the next pin's is one more */
};

/* Windows by the names that both boards' maps have. */
#define VIRT_PCI_WINDOWS                                                                                     \
    {                                                                                                        \
        .ecam = VIRT_PCI_ECAM, .ecam_size = VIRT_PCI_ECAM_SIZE, .mmio = VIRT_PCI_MMIO,                       \
        .mmio_size = VIRT_PCI_MMIO_SIZE, .pio = VIRT_PCI_PIO, .pio_size = VIRT_PCI_PIO_SIZE                  \
    }

/* See machine_ops.check. */
int virt_check(const struct virt_board *b, const struct vm_desc *d, char *why, size_t why_size);
/* A bank of flash: 0, -EIO where its file cannot be read, or -ENOMEM. */
int virt_build_flash(struct vm *vm, const char *id, const struct cfi_config *c, char *why, size_t why_size);
/* Virtio devices and the bridge; pci: the board's windows, and who takes its interrupts and messages. */
int virt_build_buses(struct vm *vm, const struct virt_board *b, const struct pci_host_config *pci,
                     const struct wiring *w, const struct machine_backends *backends, char *why,
                     size_t why_size);

#endif
