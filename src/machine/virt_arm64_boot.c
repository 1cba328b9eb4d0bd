/*
 * Booting arm64 "virt": a kernel directly at EL1 with the device tree in x0 (Linux,
 * Documentation/arch/arm64/booting.rst), or firmware in flash, which finds the device tree at the beginning
 * of RAM and a kernel in fw_cfg. PSCI is the guest's own.
 */
#include "device/misc/fw_cfg.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "machine/boot.h"
#include "machine/virt_arm64_map.h"

#define KEY_POWER 116 /* of Linux's input event codes */
#define CLOCK_HZ  24000000

/* ---- device tree ---- */

static void describe_clock(struct dtw *w)
{
    dtw_begin_node(w, "apb-pclk");
    dtw_prop_str(w, "compatible", "fixed-clock");
    dtw_prop_u32(w, "#clock-cells", 0);
    dtw_prop_u32(w, "clock-frequency", CLOCK_HZ);
    dtw_prop_str(w, "clock-output-names", "clk24mhz");
    dtw_prop_u32(w, "phandle", VIRT_PHANDLE_CLOCK);
    dtw_end_node(w);
}

/* Linux, Documentation/devicetree/bindings/input/gpio-keys.yaml */
static void describe_power_key(struct dtw *w)
{
    const uint32_t gpios[3] = {VIRT_PHANDLE_GPIO, VIRT_GPIO_POWER_KEY, 0};

    dtw_begin_node(w, "gpio-keys");
    dtw_prop_str(w, "compatible", "gpio-keys");
    dtw_begin_node(w, "poweroff");
    dtw_prop_str(w, "label", "GPIO Key Poweroff");
    dtw_prop_u32(w, "linux,code", KEY_POWER);
    dtw_prop_cells(w, "gpios", gpios, ARRAY_SIZE(gpios));
    dtw_end_node(w);
    dtw_end_node(w);
}

static int fill_fdt(struct vm *vm, struct dtw *w, const struct boot_initrd *initrd)
{
    const struct boot_ram ram = {VIRT_RAM, vm->desc.memory};
    char console[32];

    fmt_snprintf(console, sizeof(console), "/serial@%x", VIRT_UART);
    dtw_prop_str(w, "compatible", "linux,dummy-virt");
    dtw_prop_str(w, "model", "linux,dummy-virt");
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_u32(w, "interrupt-parent", VIRT_PHANDLE_GIC);
    dtw_prop_empty(w, "dma-coherent");
    if (boot_describe_guest(vm, w, console, ram, initrd))
        return -ENOSPC;
    describe_clock(w);
    boot_describe_devices(vm, w);
    describe_power_key(w);
    return 0;
}

/* ---- entry ---- */

struct boot_plan {
    struct loaded kernel;
    struct boot_initrd initrd;
    gpa_t fdt;
};

/* The initrd under the device tree. */
static int load_all(struct vm *vm, struct boot_plan *p, char *why, size_t why_size)
{
    const struct vm_desc *d = &vm->desc;
    const struct boot_ram ram = {VIRT_RAM, d->memory};
    int err = boot_load_file(vm, d->kernel, ram, VIRT_RAM + VIRT_RAW_OFFSET, &p->kernel, why, why_size);

    if (err)
        return err;
    p->fdt = boot_fdt_at(ram);
    err = boot_check_fdt(ram, d->kernel, &p->kernel, why, why_size);
    if (err)
        return err;
    return boot_load_initrd(vm, p->kernel.end, p->fdt, &p->initrd, why, why_size);
}

/* ---- firmware ---- */

/* A file and its size as items of fw_cfg; without a path both are empty. */
static int give_file(struct vm *vm, struct device *fw, unsigned key, unsigned size_key, const char *path,
                     char *why, size_t why_size)
{
    struct image img = {0};
    uint8_t size[4];
    int err = path ? image_read(&img, path, vm->desc.memory, why, why_size) : 0;

    if (!err && key == FW_CFG_KERNEL && path)
        err = image_unpack(&img, vm->desc.memory, why, why_size);
    if (!err)
        err = image_own(&img, why, why_size);
    if (err)
        return err;
    for (unsigned i = 0; i < 4; i++)
        size[i] = (uint8_t)(img.size >> (8 * i));
    err = fw_cfg_set(fw, size_key, size, sizeof(size));
    if (!err)
        return fw_cfg_give(fw, key, img.data, img.size);
    image_free(&img);
    return err;
}

static int give_cmdline(struct vm *vm, struct device *fw)
{
    const char *append = vm->desc.append ? vm->desc.append : "";
    size_t len = strlen(append) + 1;
    const uint8_t size[4] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16)};
    int err = fw_cfg_set(fw, FW_CFG_CMDLINE_SIZE, size, sizeof(size));

    return err ? err : fw_cfg_set(fw, FW_CFG_CMDLINE, append, len);
}

static int boot_firmware(struct vm *vm, char *why, size_t why_size)
{
    struct boot_plan p = {.fdt = VIRT_RAM};
    struct device *fw = vm_device(vm, "fw-cfg");
    const struct vm_desc *d = &vm->desc;
    int err = give_file(vm, fw, FW_CFG_KERNEL, FW_CFG_KERNEL_SIZE, d->kernel, why, why_size);

    if (!err)
        err = give_file(vm, fw, FW_CFG_INITRD, FW_CFG_INITRD_SIZE, d->initrd, why, why_size);
    if (!err)
        err = give_cmdline(vm, fw);
    if (!err)
        err = boot_place_fdt(vm, p.fdt, &p.initrd, fill_fdt, why, why_size);
    if (err)
        return err;
    vcpu_set_entry(vm->vcpu[0], VIRT_FLASH, 0, p.fdt);
    atomic_store(&vm->vcpu[0]->power, VCPU_ON);
    return 0;
}

int virt_arm64_boot(struct vm *vm, char *why, size_t why_size)
{
    struct boot_plan p = {0};
    int err;

    if (vm->desc.firmware)
        return boot_firmware(vm, why, why_size);
    err = load_all(vm, &p, why, why_size);
    if (!err)
        err = boot_place_fdt(vm, p.fdt, &p.initrd, fill_fdt, why, why_size);
    if (err)
        return err;
    vcpu_set_entry(vm->vcpu[0], p.kernel.entry, 0, p.fdt);
    atomic_store(&vm->vcpu[0]->power, VCPU_ON);
    return 0;
}
