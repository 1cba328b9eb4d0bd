/* What the boards called "virt" have in common: virtio slots, PCI, the limits of a description. */
#ifndef CV_MACHINE_VIRT_H
#define CV_MACHINE_VIRT_H

#include "device/pci/pci_host.h"
#include "machine/virtio_slots.h"

struct virt_board {
    const char *const *options; /* as machine_options_check() takes them */
    uint64_t ram_min, ram_max;
    struct virtio_slots slots;
    struct pci_host_config pci; /* windows only */
    unsigned pci_irq;           /* of INTA of slot 0; the next pin's is one more */
};

/* See machine_ops.check. */
int virt_check(const struct virt_board *b, const struct vm_desc *d, char *why, size_t why_size);
/* Virtio devices and the bridge; pci: the board's windows, and who takes its interrupts and messages. */
int virt_build_buses(struct vm *vm, const struct virt_board *b, const struct pci_host_config *pci,
                     const struct wiring *w, const struct machine_backends *backends, char *why,
                     size_t why_size);

#endif
