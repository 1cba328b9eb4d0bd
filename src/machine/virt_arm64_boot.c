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

#define FDT_MAX   (64u << 10)
#define KEY_POWER 116 /* of Linux's input event codes */
#define CLOCK_HZ  24000000
#define LOW_4G    (UINT64_C(1) << 32)

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

static int build_fdt(struct vm *vm, uint8_t *buf, gpa_t initrd, uint64_t initrd_size, size_t *size)
{
    char console[32];
    struct dtw w;

    fmt_snprintf(console, sizeof(console), "/serial@%x", VIRT_UART);
    dtw_init(&w, buf, FDT_MAX);
    dtw_begin_node(&w, "");
    dtw_prop_str(&w, "compatible", "linux,dummy-virt");
    dtw_prop_str(&w, "model", "linux,dummy-virt");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    dtw_prop_u32(&w, "interrupt-parent", VIRT_PHANDLE_GIC);
    dtw_prop_empty(&w, "dma-coherent");
    boot_describe_chosen(vm, &w, console, initrd, initrd_size);
    boot_describe_memory(&w, (struct boot_ram){VIRT_RAM, vm->desc.memory});
    if (vm->guest->describe(vm, &w))
        return -ENOSPC;
    describe_clock(&w);
    for (struct device *d = vm->devices; d; d = d->next) {
        if (d->ops->describe)
            d->ops->describe(d, &w);
    }
    describe_power_key(&w);
    dtw_end_node(&w);
    return dtw_finish(&w, size);
}

/* ---- entry ---- */

struct boot_plan {
    struct loaded kernel;
    gpa_t initrd, fdt;
    uint64_t initrd_size;
};

/* The device tree at the end of RAM (of what lies below 4 GiB), under it the initrd. */
static int load_all(struct vm *vm, struct boot_plan *p, char *why, size_t why_size)
{
    const struct vm_desc *d = &vm->desc;
    const struct boot_ram ram = {VIRT_RAM, d->memory};
    gpa_t top = MIN(VIRT_RAM + d->memory, LOW_4G) - FDT_MAX;
    int err = boot_load_file(vm, d->kernel, ram, VIRT_RAM + VIRT_RAW_OFFSET, &p->kernel, why, why_size);

    if (err)
        return err;
    p->fdt = ALIGN_DOWN(top, 8);
    if (p->kernel.end > p->fdt && p->kernel.base < VIRT_RAM + d->memory) {
        fmt_snprintf(why, why_size,
                     "%s: leaves no room for the device tree; give the guest more memory (--memory)",
                     d->kernel);
        return -EFBIG;
    }
    return boot_load_initrd(vm, p->kernel.end, p->fdt, &p->initrd, &p->initrd_size, why, why_size);
}

static int place_fdt(struct vm *vm, const struct boot_plan *p, char *why, size_t why_size)
{
    uint8_t *buf = plat_alloc(FDT_MAX);
    size_t size = 0;
    int err = buf ? build_fdt(vm, buf, p->initrd, p->initrd_size, &size) : -ENOMEM;

    if (!err)
        err = mem_load(&vm->mem, p->fdt, buf, size);
    plat_free(buf);
    if (err)
        fmt_snprintf(
            why, why_size,
            "the device tree does not fit into %u KiB; use a shorter --append, fewer devices or fewer CPUs",
            FDT_MAX >> 10);
    return err;
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
        err = place_fdt(vm, &p, why, why_size);
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
        err = place_fdt(vm, &p, why, why_size);
    if (err)
        return err;
    vcpu_set_entry(vm->vcpu[0], p.kernel.entry, 0, p.fdt);
    atomic_store(&vm->vcpu[0]->power, VCPU_ON);
    return 0;
}
