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

#define KERNEL_OFFSET (UINT64_C(2) << 20) /* where firmware's next stage is expected */

/* ---- device tree ---- */

static void describe_soc(struct vm *vm, struct dtw *w)
{
    dtw_begin_node(w, "soc");
    dtw_prop_str(w, "compatible", "simple-bus");
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    dtw_prop_u32(w, "interrupt-parent", vm_device(vm, "aplic-s") ? VIRT_PHANDLE_APLIC_S : VIRT_PHANDLE_PLIC);
    dtw_prop_empty(w, "ranges");
    boot_describe_devices(vm, w);
    dtw_end_node(w);
}

static int fill_fdt(struct vm *vm, struct dtw *w, const struct boot_initrd *initrd)
{
    const struct boot_ram ram = {VIRT_RAM, vm->desc.memory};
    char console[32];

    fmt_snprintf(console, sizeof(console), "/soc/serial@%x", VIRT_UART);
    dtw_prop_str(w, "compatible", "riscv-virtio");
    dtw_prop_str(w, "model", "riscv-virtio,carbovisor");
    dtw_prop_u32(w, "#address-cells", 2);
    dtw_prop_u32(w, "#size-cells", 2);
    if (boot_describe_guest(vm, w, console, ram, initrd))
        return -ENOSPC;
    describe_soc(vm, w);
    return 0;
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
    struct boot_initrd initrd;
    gpa_t fdt;
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
    int err = 0;

    if (d->firmware)
        err = boot_load_file(vm, d->firmware, ram, VIRT_RAM, &p->firmware, why, why_size);
    if (!err && d->kernel)
        err = boot_load_file(vm, d->kernel, ram, d->firmware ? VIRT_RAM + KERNEL_OFFSET : 0, &p->kernel, why,
                             why_size);
    if (!err)
        err = check_overlap(d, p, why, why_size);
    if (!err && d->firmware)
        err = boot_check_fdt(ram, d->firmware, &p->firmware, why, why_size);
    if (!err && d->kernel)
        err = boot_check_fdt(ram, d->kernel, &p->kernel, why, why_size);
    if (err)
        return err;
    p->fdt = boot_fdt_at(ram);
    return boot_load_initrd(vm, MAX(VIRT_RAM, MAX(p->kernel.end, p->firmware.end)), p->fdt, &p->initrd, why,
                            why_size);
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
        err = boot_place_fdt(vm, p.fdt, &p.initrd, fill_fdt, why, why_size);
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
