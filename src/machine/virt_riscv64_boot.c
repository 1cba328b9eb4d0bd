/*
 * Booting riscv64 "virt": a kernel directly in S-mode over the built-in SBI, or firmware in M-mode from
 * the boot ROM, and the device tree for both.
 */
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "machine/boot.h"
#include "machine/virt_riscv64_map.h"

#define FDT_MAX       (64u << 10)
#define KERNEL_OFFSET (UINT64_C(2) << 20) /* where firmware's next stage is expected */
#define LOW_4G        (UINT64_C(1) << 32)

/* ---- device tree ---- */

static void describe_devices(struct vm *vm, struct dtw *w)
{
    dtw_begin_node(w, "soc");
    dtw_prop_str(w, "compatible", "simple-bus");
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_u32(w, "interrupt-parent", vm_device(vm, "aplic-s") ? VIRT_PHANDLE_APLIC_S : VIRT_PHANDLE_PLIC);
    dtw_prop_empty(w, "ranges");
    for (struct device *d = vm->devices; d; d = d->next) {
        if (d->ops->describe)
            d->ops->describe(d, w);
    }
    dtw_end_node(w);
}

static int build_fdt(struct vm *vm, uint8_t *buf, gpa_t initrd, uint64_t initrd_size, size_t *size)
{
    char console[32];
    struct dtw w;

    fmt_snprintf(console, sizeof(console), "/soc/serial@%x", VIRT_UART);
    dtw_init(&w, buf, FDT_MAX);
    dtw_begin_node(&w, "");
    dtw_prop_str(&w, "compatible", "riscv-virtio");
    dtw_prop_str(&w, "model", "riscv-virtio,carbovisor");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    boot_describe_chosen(vm, &w, console, initrd, initrd_size);
    boot_describe_memory(&w, (struct boot_ram){VIRT_RAM, vm->desc.memory});
    if (vm->guest->describe(vm, &w))
        return -ENOSPC;
    describe_devices(vm, &w);
    dtw_end_node(&w);
    return dtw_finish(&w, size);
}

/* ---- boot ROM ---- */

/*
 * What every hart executes first under firmware: hart id in a0, device tree in a1, and in a2 the
 * structure of OpenSBI's fw_dynamic (docs/firmware/fw_dynamic.md), then the firmware.
 */
struct boot_rom {
    uint32_t code[6];
    uint64_t fdt, entry;
    struct {
        uint64_t magic, version, next_addr, next_mode, options, boot_hart;
    } dynamic;
};

static int write_boot_rom(struct vm *vm, gpa_t fdt, gpa_t entry, gpa_t next)
{
    const struct boot_rom rom = {
        .code =
            {
                0x00000297, /* auipc t0, 0 */
                0x02828613, /* addi a2, t0, 40 */
                0xf1402573, /* csrr a0, mhartid */
                0x0182b583, /* ld a1, 24(t0) */
                0x0202b283, /* ld t0, 32(t0) */
                0x00028067, /* jr t0 */
            },
        .fdt = fdt,
        .entry = entry,
        .dynamic = {.magic = 0x4942534f, .version = 2, .next_addr = next, .next_mode = next ? 1 : 3},
    };

    _Static_assert(offsetof(struct boot_rom, fdt) == 24 && offsetof(struct boot_rom, dynamic) == 40, "code");
    return mem_load(&vm->mem, VIRT_BOOTROM, &rom, sizeof(rom));
}

/* ---- entry ---- */

static void start_cpu(struct vcpu *v, gpa_t entry, gpa_t fdt)
{
    vcpu_set_entry(v, entry, v->id, fdt);
    atomic_store(&v->power, VCPU_ON);
}

struct boot_plan {
    struct loaded kernel, firmware;
    gpa_t initrd, fdt;
    uint64_t initrd_size;
};

/* A kernel linked to where the firmware is (one for M-mode) would start half overwritten, or overwrite it. */
static int check_overlap(const struct vm_desc *d, const struct boot_plan *p, char *why, size_t why_size)
{
    if (!d->kernel || !d->firmware || p->kernel.base >= p->firmware.end || p->firmware.base >= p->kernel.end)
        return 0;
    fmt_snprintf(
        why, why_size, "%s: needs the memory that %s is in, 0x%llx to 0x%llx; start one without the other",
        d->kernel, d->firmware, (unsigned long long)p->firmware.base, (unsigned long long)p->firmware.end);
    return -EINVAL;
}

static int load_all(struct vm *vm, struct boot_plan *p, char *why, size_t why_size)
{
    const struct vm_desc *d = &vm->desc;
    const struct boot_ram ram = {VIRT_RAM, d->memory};
    gpa_t ram_end = VIRT_RAM + d->memory;
    gpa_t top = MIN(ram_end, LOW_4G) - FDT_MAX;
    gpa_t floor = VIRT_RAM;
    int err = 0;

    if (d->firmware)
        err = boot_load_file(vm, d->firmware, ram, VIRT_RAM, &p->firmware, why, why_size);
    if (!err && d->kernel)
        err = boot_load_file(vm, d->kernel, ram, d->firmware ? VIRT_RAM + KERNEL_OFFSET : 0, &p->kernel, why,
                             why_size);
    if (!err)
        err = check_overlap(d, p, why, why_size);
    if (err)
        return err;
    floor = MAX(floor, MAX(p->kernel.end, p->firmware.end));
    p->fdt = ALIGN_DOWN(top, 8);
    return boot_load_initrd(vm, floor, p->fdt, &p->initrd, &p->initrd_size, why, why_size);
}

static int place_fdt(struct vm *vm, const struct boot_plan *p, char *why, size_t why_size)
{
    uint8_t *buf = plat_alloc(FDT_MAX);
    size_t size = 0;
    int err = buf ? build_fdt(vm, buf, p->initrd, p->initrd_size, &size) : -ENOMEM;

    if (!err)
        err = mem_load(&vm->mem, p->fdt, buf, size);
    plat_free(buf);
    if (err && err != -ENOMEM) {
        err = -EFBIG;
        fmt_snprintf(
            why, why_size,
            "the device tree does not fit into %u KiB; use a shorter --append, fewer devices or fewer CPUs",
            FDT_MAX >> 10);
    }
    return err;
}

static void watch_tohost(struct vm *vm, const struct loaded *l)
{
    struct virt_riscv64 *m = vm->machine;

    m->tohost.tohost = l->tohost;
    m->tohost.fromhost = l->fromhost;
    tohost_watch(vm, &m->tohost);
}

int virt_riscv64_boot(struct vm *vm, char *why, size_t why_size)
{
    struct boot_plan p = {0};
    int err = load_all(vm, &p, why, why_size);

    if (!err)
        err = place_fdt(vm, &p, why, why_size);
    if (err)
        return err;
    watch_tohost(vm, p.firmware.tohost ? &p.firmware : &p.kernel);
    if (!vm->desc.firmware) {
        start_cpu(vm->vcpu[0], p.kernel.entry, p.fdt);
        return 0;
    }
    err = write_boot_rom(vm, p.fdt, p.firmware.entry, vm->desc.kernel ? p.kernel.entry : 0);
    for (unsigned i = 0; !err && i < vm->vcpu_count; i++)
        start_cpu(vm->vcpu[i], VIRT_BOOTROM, p.fdt);
    return err;
}
