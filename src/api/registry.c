/* One line a guest, one line an engine, one line a device type. */
#include "api/registry.h"
#include "engine/interp/interp.h"
#include "engine/jit/jit.h"
#include "guest/arm64/guest.h"
#include "guest/riscv64/guest.h"

const struct registry_guest registry_guests[] = {
    {&guest_riscv64, &lift_riscv64},
    {&guest_arm64, &lift_arm64},
    {NULL, NULL},
};

const struct engine_ops *const registry_engines[] = {
    &engine_jit,
    &engine_interp,
    NULL,
};

const struct registry_device registry_devices[] = {
    {"ns16550", "NS16550A serial port"},
    {"goldfish-rtc", "real-time clock"},
    {"aclint", "RISC-V software interrupts and timer, SiFive CLINT layout"},
    {"plic", "RISC-V platform-level interrupt controller"},
    {"aplic", "RISC-V AIA advanced PLIC, with or without MSIs"},
    {"imsic", "RISC-V AIA incoming MSI controller"},
    {"cfi-flash", "parallel NOR flash, CFI, Intel command set"},
    {"gicv2", "Arm GICv2 interrupt controller"},
    {"gicv3", "Arm GICv3 interrupt controller"},
    {"gicv3-its", "Arm GICv3 interrupt translation service"},
    {"pl011", "PL011 serial port"},
    {"pl031", "PL031 real-time clock"},
    {"pl061", "PL061 general-purpose input and output"},
    {"finisher", "SiFive test finisher: power off, reset, exit status"},
    {"fw-cfg", "configuration and files for firmware"},
    {"pci-host", "PCI host bridge: ECAM, memory and I/O windows, INTx, MSI"},
    {"virtio-blk", "disk"},
    {"virtio-net", "network interface"},
    {"virtio-console", "console"},
    {"virtio-rng", "entropy"},
    {NULL, NULL},
};
