/* riscv64 "virt": memory map, devices, and which hart gets which interrupt. Booting is in
 * virt_riscv64_boot.c. */
#include "machine/virt_riscv64.h"
#include "device/intc/aclint.h"
#include "device/intc/plic.h"
#include "device/misc/finisher.h"
#include "device/uart/ns16550.h"
#include "isa/riscv64/cause.h"
#include "isa/riscv64/dt.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "machine/virt_riscv64_map.h"

/* Contexts in the order software expects: M, then S, of each hart. */
static struct device *build_plic(struct vm *vm, char *why, size_t why_size)
{
    struct plic_context c[VM_MAX_VCPUS * 2];
    unsigned n = 0;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        c[n++] = (struct plic_context){(uint16_t)i, RV_IRQ_M_EXT, RISCV_PHANDLE_CPU_INTC(i)};
        c[n++] = (struct plic_context){(uint16_t)i, RV_IRQ_S_EXT, RISCV_PHANDLE_CPU_INTC(i)};
    }
    return plic_create(vm, "plic", VIRT_PLIC, c, n, VIRT_PHANDLE_PLIC, why, why_size);
}

static uint32_t cpu_phandle(unsigned hart)
{
    return RISCV_PHANDLE_CPU_INTC(hart);
}

static int build_core(struct vm *vm, char *why, size_t why_size)
{
    const struct aclint_config aclint = {
        .base = VIRT_ACLINT,
        .timebase_hz = VIRT_TIMEBASE_HZ,
        .input_soft = RV_IRQ_M_SOFT,
        .input_timer = RV_IRQ_M_TIMER,
        .cpu_phandle = cpu_phandle,
    };

    if (mem_add_ram(&vm->mem, VIRT_RAM, vm->desc.memory, MEM_RAM, "ram", why, why_size))
        return -ENOMEM;
    if (mem_add_ram(&vm->mem, VIRT_BOOTROM, VIRT_BOOTROM_SIZE, MEM_ROM, "boot-rom", why, why_size))
        return -ENOMEM;
    if (!finisher_create(vm, "finisher", VIRT_FINISHER, why, why_size) ||
        !aclint_create(vm, "aclint", &aclint, why, why_size))
        return -EINVAL;
    return 0;
}

static int virt_build(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    struct device *plic;
    int err = build_core(vm, why, why_size);

    if (err)
        return err;
    plic = build_plic(vm, why, why_size);
    if (!plic)
        return -EINVAL;
    if (!ns16550_create(vm, "serial0", VIRT_UART, plic_line(plic, VIRT_IRQ_UART), b->serial, why, why_size))
        return -EINVAL;
    vm->boot = virt_riscv64_boot;
    return 0;
}

static int virt_check(const struct vm_desc *d, char *why, size_t why_size)
{
    if (!d->kernel && !d->firmware) {
        fmt_snprintf(why, why_size, "nothing to boot; name a kernel (--kernel) or a firmware (--firmware)");
        return -EINVAL;
    }
    if (d->memory < VIRT_RAM_MIN || d->memory > VIRT_RAM_MAX || d->memory % MEM_PAGE_SIZE) {
        fmt_snprintf(why, why_size,
                     "memory: %llu bytes; machine virt takes %llu MiB to %llu GiB in whole pages",
                     (unsigned long long)d->memory, (unsigned long long)(VIRT_RAM_MIN >> 20),
                     (unsigned long long)(VIRT_RAM_MAX >> 30));
        return -EINVAL;
    }
    return 0;
}

const struct machine_ops machine_virt_riscv64 = {
    .name = "virt",
    .guest_arch = "riscv64",
    .summary = "generic RISC-V board: PLIC or AIA, NS16550, virtio-mmio",
    .cpu_max = VM_MAX_VCPUS,
    .check = virt_check,
    .build = virt_build,
};
