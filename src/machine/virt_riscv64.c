/* riscv64 "virt": memory map, devices, and which hart gets which interrupt. Booting is in
 * virt_riscv64_boot.c. */
#include "machine/virt_riscv64.h"
#include "device/intc/aclint.h"
#include "device/intc/aplic.h"
#include "device/intc/imsic.h"
#include "device/intc/plic.h"
#include "device/misc/finisher.h"
#include "device/rtc/goldfish_rtc.h"
#include "device/uart/ns16550.h"
#include "isa/riscv64/cause.h"
#include "isa/riscv64/dt.h"
#include "isa/riscv64/sbi.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "machine/virt.h"
#include "machine/virt_riscv64_map.h"

static const char *const options[] = {"aia=none", "aia=aplic", "aia=aplic-imsic", "vars=", NULL};

static const struct virt_board board = {
    .options = options,
    .ram_min = VIRT_RAM_MIN,
    .ram_max = VIRT_RAM_MAX,
    .slots = {VIRT_VIRTIO, VIRT_VIRTIO_STRIDE, VIRT_VIRTIO_SLOTS, VIRT_IRQ_VIRTIO},
    .pci = VIRT_PCI_WINDOWS,
    .pci_irq = VIRT_IRQ_PCI,
};

/* Contexts in the order software expects: M, then S, of each hart. */
static struct device *build_plic(struct vm *vm, char *why, size_t why_size)
{
    struct plic_context c[VM_MAX_VCPUS * 2];
    unsigned n = 0;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        c[n++] = (struct plic_context){(uint16_t)i, RV_INT_MEI, RISCV_PHANDLE_CPU_INTC(i)};
        c[n++] = (struct plic_context){(uint16_t)i, RV_INT_SEI, RISCV_PHANDLE_CPU_INTC(i)};
    }
    return plic_create(vm, "plic", VIRT_PLIC, c, n, VIRT_PHANDLE_PLIC, why, why_size);
}

static uint32_t cpu_phandle(unsigned hart)
{
    return RISCV_PHANDLE_CPU_INTC(hart);
}

enum aia { AIA_NONE, AIA_APLIC, AIA_IMSIC };

static enum aia aia_of(const struct vm_desc *d)
{
    char value[32];

    if (!machine_option(d->machine_options, "aia", value, sizeof(value)))
        return AIA_NONE;
    return !strcmp(value, "aplic") ? AIA_APLIC : !strcmp(value, "aplic-imsic") ? AIA_IMSIC : AIA_NONE;
}

/* One privilege level of the AIA: a domain, and the interrupt files that it sends to, if any. */
static struct device *build_aia_level(struct vm *vm, bool supervisor, struct device *child, char *why,
                                      size_t why_size)
{
    bool msi = aia_of(&vm->desc) == AIA_IMSIC;
    const struct imsic_config imsic = {
        .base = supervisor ? VIRT_IMSIC_S : VIRT_IMSIC_M,
        .supervisor = supervisor,
        .input = supervisor ? RV_INT_SEI : RV_INT_MEI,
        .phandle = supervisor ? VIRT_PHANDLE_IMSIC_S : VIRT_PHANDLE_IMSIC_M,
        .cpu_phandle = cpu_phandle,
    };
    const struct aplic_config aplic = {
        .base = supervisor ? VIRT_APLIC_S : VIRT_APLIC_M,
        .phandle = supervisor ? VIRT_PHANDLE_APLIC_S : VIRT_PHANDLE_APLIC_M,
        .msi_phandle = msi ? imsic.phandle : 0,
        .msi_base = imsic.base,
        .input = imsic.input,
        .cpu_phandle = cpu_phandle,
        .child = child,
    };

    if (msi && !imsic_create(vm, supervisor ? "imsic-s" : "imsic-m", &imsic, why, why_size))
        return NULL;
    return aplic_create(vm, supervisor ? "aplic-s" : "aplic-m", &aplic, why, why_size);
}

/*
 * The M-level half is for firmware, which delegates every source. A kernel that boots directly finds the
 * state that firmware leaves behind: only the S-level domain, with all sources.
 */
static struct device *build_aia(struct vm *vm, char *why, size_t why_size)
{
    struct device *s = build_aia_level(vm, true, NULL, why, why_size);

    return s && vm->desc.firmware ? build_aia_level(vm, false, s, why, why_size) : s;
}

static int build_wiring(struct vm *vm, struct wiring *w, char *why, size_t why_size)
{
    if (aia_of(&vm->desc) != AIA_NONE)
        *w = (struct wiring){build_aia(vm, why, why_size), aplic_line};
    else
        *w = (struct wiring){build_plic(vm, why, why_size), plic_line};
    return w->controller ? 0 : -ENOMEM;
}

static int build_core(struct vm *vm, char *why, size_t why_size)
{
    const struct aclint_config aclint = {
        .base = VIRT_ACLINT,
        .timebase_hz = clock_counter_hz(vm, VIRT_TIMEBASE_HZ),
        .input_soft = RV_INT_MSI,
        .input_timer = RV_INT_MTI,
        .cpu_phandle = cpu_phandle,
    };

    if (mem_add_ram(&vm->mem, VIRT_RAM, vm->desc.memory, MEM_RAM, "ram", why, why_size))
        return -ENOMEM;
    if (mem_add_ram(&vm->mem, VIRT_BOOTROM, VIRT_BOOTROM_SIZE, MEM_ROM, "boot-rom", why, why_size))
        return -ENOMEM;
    if (!finisher_create(vm, "finisher", VIRT_FINISHER, why, why_size) ||
        !aclint_create(vm, "aclint", &aclint, why, why_size))
        return -ENOMEM;
    return 0;
}

/* Two banks; the second is that of firmware's variables. */
static int build_flash(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    static const char *const ids[2] = {"flash0", "flash1"};

    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct cfi_config c = {.base = VIRT_FLASH + (gpa_t)i * VIRT_FLASH_SIZE,
                                     .size = VIRT_FLASH_SIZE,
                                     .file = i ? b->vars : NULL};
        int err = virt_build_flash(vm, ids[i], &c, why, why_size);

        if (err)
            return err;
    }
    return 0;
}

/* The built-in SBI's console is the serial port; what is typed goes to the UART alone. */
static size_t sbi_write(void *opaque, const uint8_t *data, size_t len)
{
    struct chardev *serial = opaque;

    serial->ops->write(serial, data, len);
    return len;
}

static void lend_console(struct vm *vm, struct chardev *serial)
{
    struct rv_sbi_console *console = vm->guest_vm;

    if (console && serial)
        *console = (struct rv_sbi_console){.write = sbi_write, .opaque = serial};
}

static void virt_destroy(struct vm *vm)
{
    plat_free(vm->machine);
    vm->machine = NULL;
}

static int build_machine(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    struct virt_riscv64 *m = device_alloc(sizeof(*m), why, why_size);

    if (!m)
        return -ENOMEM;
    m->tohost.console = b->serial;
    vm->machine = m;
    vm->machine_destroy = virt_destroy;
    return 0;
}

/* Messages go to the interrupt files of S-level; without them there are none. */
static struct pci_host_config pci_config(const struct vm *vm)
{
    struct pci_host_config c = board.pci;

    c.intc_phandle = aia_of(&vm->desc) ? VIRT_PHANDLE_APLIC_S : VIRT_PHANDLE_PLIC;
    c.msi_phandle = aia_of(&vm->desc) == AIA_IMSIC ? VIRT_PHANDLE_IMSIC_S : 0;
    return c;
}

static int build(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    struct pci_host_config pci;
    struct wiring w;
    int err = build_machine(vm, b, why, why_size);

    if (!err)
        err = build_core(vm, why, why_size);
    if (!err)
        err = build_wiring(vm, &w, why, why_size);
    if (err)
        return err;
    if (!ns16550_create(vm, "serial0", VIRT_UART, w.line(w.controller, VIRT_IRQ_UART), b->serial, why,
                        why_size))
        return -ENOMEM;
    lend_console(vm, b->serial);
    if (!goldfish_rtc_create(vm, "rtc", VIRT_RTC, w.line(w.controller, VIRT_IRQ_RTC), why, why_size))
        return -ENOMEM;
    err = build_flash(vm, b, why, why_size);
    if (err)
        return err;
    pci = pci_config(vm);
    err = virt_build_buses(vm, &board, &pci, &w, b, why, why_size);
    if (err)
        return err;
    vm->boot = virt_riscv64_boot;
    return 0;
}

static int check(const struct vm_desc *d, char *why, size_t why_size)
{
    return virt_check(&board, d, why, why_size);
}

const struct machine_ops machine_virt_riscv64 = {
    .name = "virt",
    .guest_arch = "riscv64",
    .summary = "generic RISC-V board: PLIC or AIA, NS16550, virtio-mmio, PCI",
    .options = "aia=none|aplic|aplic-imsic,vars=FILE",
    .vars_size = VIRT_FLASH_SIZE,
    .cpu_max = VM_MAX_VCPUS,
    .check = check,
    .build = build,
};
