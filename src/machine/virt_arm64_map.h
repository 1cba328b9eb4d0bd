/* The memory map and interrupt numbers of arm64 "virt". */
#ifndef CV_MACHINE_VIRT_ARM64_MAP_H
#define CV_MACHINE_VIRT_ARM64_MAP_H

#include "core/vm.h"

#define VIRT_FLASH         0x00000000
#define VIRT_FLASH_SIZE    (64u << 20) /* each of two banks */
#define VIRT_GICD          0x08000000
#define VIRT_GICC          0x08010000
#define VIRT_GICV2M        0x08020000
#define VIRT_ITS           0x08080000
#define VIRT_GICR          0x080a0000
#define VIRT_UART          0x09000000
#define VIRT_RTC           0x09010000
#define VIRT_FW_CFG        0x09020000
#define VIRT_GPIO          0x09030000
#define VIRT_VIRTIO        0x0a000000
#define VIRT_VIRTIO_STRIDE 0x200
#define VIRT_VIRTIO_SLOTS  32
#define VIRT_PCI_MMIO      0x10000000
#define VIRT_PCI_MMIO_SIZE 0x2eff0000
#define VIRT_PCI_PIO       0x3eff0000
#define VIRT_PCI_PIO_SIZE  0x10000
#define VIRT_PCI_ECAM      0x3f000000
#define VIRT_PCI_ECAM_SIZE 0x1000000 /* 16 buses */
#define VIRT_RAM           UINT64_C(0x40000000)
#define VIRT_RAM_MIN       (UINT64_C(16) << 20)
#define VIRT_RAM_MAX       (UINT64_C(255) << 30) /* within 40 bits of address, with what stands above */
#define VIRT_RAW_OFFSET    0x80000               /* of a raw binary in RAM */

/* SPIs: interrupt 32 + n. */
#define VIRT_SPI_UART   1
#define VIRT_SPI_RTC    2
#define VIRT_SPI_PCI    3 /* to 6: INTx */
#define VIRT_SPI_GPIO   7
#define VIRT_SPI_VIRTIO 16 /* of slot 0 */
#define VIRT_SPI_MSI    48 /* to 111: of GICv2m */
#define VIRT_MSI_COUNT  64

#define VIRT_GPIO_POWER_KEY 3

/* Those of cores are small. */
#define VIRT_PHANDLE_GIC   0x8001
#define VIRT_PHANDLE_MSI   0x8002
#define VIRT_PHANDLE_CLOCK 0x8003
#define VIRT_PHANDLE_GPIO  0x8004

/* Loads the kernel, writes the device tree, sets entries; see vm->boot. */
int virt_arm64_boot(struct vm *vm, char *why, size_t why_size);

#endif
