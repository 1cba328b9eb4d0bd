/* The memory map and interrupt numbers of riscv64 "virt". */
#ifndef CV_MACHINE_VIRT_RISCV64_MAP_H
#define CV_MACHINE_VIRT_RISCV64_MAP_H

#include "core/vm.h"
#include "machine/tohost.h"

#define VIRT_BOOTROM       0x1000
#define VIRT_BOOTROM_SIZE  0xf000
#define VIRT_FINISHER      0x100000
#define VIRT_RTC           0x101000
#define VIRT_ACLINT        0x2000000
#define VIRT_PCI_PIO       0x3000000
#define VIRT_PCI_PIO_SIZE  0x10000
#define VIRT_PLIC          0xc000000
#define VIRT_APLIC_M       0xc000000
#define VIRT_APLIC_S       0xd000000
#define VIRT_UART          0x10000000
#define VIRT_VIRTIO        0x10001000
#define VIRT_VIRTIO_STRIDE 0x1000
#define VIRT_VIRTIO_SLOTS  8
#define VIRT_FLASH         0x20000000
#define VIRT_FLASH_SIZE    (32u << 20) /* each of two banks */
#define VIRT_IMSIC_M       0x24000000
#define VIRT_IMSIC_S       0x28000000
#define VIRT_PCI_ECAM      0x30000000
#define VIRT_PCI_ECAM_SIZE 0x10000000 /* 256 buses */
#define VIRT_PCI_MMIO      0x40000000
#define VIRT_PCI_MMIO_SIZE 0x40000000
#define VIRT_RAM           UINT64_C(0x80000000)
#define VIRT_RAM_MIN       (UINT64_C(16) << 20)
#define VIRT_RAM_MAX       (UINT64_C(256) << 30)

#define VIRT_IRQ_VIRTIO 1 /* of slot 0 */
#define VIRT_IRQ_UART   10
#define VIRT_IRQ_RTC    11
#define VIRT_IRQ_PCI    32 /* to 35: INTx */

#define VIRT_TIMEBASE_HZ     10000000
#define VIRT_PHANDLE_PLIC    0x101
#define VIRT_PHANDLE_APLIC_M 0x102
#define VIRT_PHANDLE_APLIC_S 0x103
#define VIRT_PHANDLE_IMSIC_M 0x104
#define VIRT_PHANDLE_IMSIC_S 0x105

/* vm->machine. */
struct virt_riscv64 {
    struct tohost tohost; /* first, see tohost.h */
};

/* Loads kernel or firmware, writes the device tree, sets entries; see vm->boot. */
int virt_riscv64_boot(struct vm *vm, char *why, size_t why_size);

#endif
