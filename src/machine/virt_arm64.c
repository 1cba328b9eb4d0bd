/* arm64 "virt": memory map, devices, and which interrupt each has. Booting is in virt_arm64_boot.c. */
#include "machine/virt_arm64.h"
#include "device/gpio/pl061.h"
#include "device/intc/gicv2.h"
#include "device/intc/gicv2m.h"
#include "device/intc/gicv3.h"
#include "device/intc/gicv3_its.h"
#include "device/misc/fw_cfg.h"
#include "device/rtc/pl031.h"
#include "device/uart/pl011.h"
#include "isa/arm64/irq.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "loader/loader.h"
#include "machine/virt.h"
#include "machine/virt_arm64_map.h"

static const char *const options[] = {"gic=2", "gic=3", "vars=", NULL};

static const struct virt_board board = {
    .options = options,
    .ram_min = VIRT_RAM_MIN,
    .ram_max = VIRT_RAM_MAX,
    .slots = {VIRT_VIRTIO, VIRT_VIRTIO_STRIDE, VIRT_VIRTIO_SLOTS, VIRT_SPI_VIRTIO},
    .pci = VIRT_PCI_WINDOWS,
    .pci_irq = VIRT_SPI_PCI,
};

static int build_gicv3(struct vm *vm, struct wiring *w, char *why, size_t why_size)
{
    const struct gicv3_config c = {
        .dist = VIRT_GICD,
        .redist = VIRT_GICR,
        .affinity = a64_affinity,
        .phandle = VIRT_PHANDLE_GIC,
        .lpis = true,
    };

    *w = (struct wiring){gicv3_create(vm, "gic", &c, why, why_size), gicv3_line};
    if (!w->controller ||
        !gicv3_its_create(vm, "its", w->controller, VIRT_ITS, VIRT_PHANDLE_MSI, why, why_size))
        return -ENOMEM;
    return 0;
}

static int build_gicv2(struct vm *vm, struct wiring *w, char *why, size_t why_size)
{
    const struct gicv2_config c = {
        .dist = VIRT_GICD,
        .cpu = VIRT_GICC,
        .input_irq = A64_INPUT_IRQ,
        .input_fiq = A64_INPUT_FIQ,
        .phandle = VIRT_PHANDLE_GIC,
    };

    struct gicv2m_config frame = {
        .base = VIRT_GICV2M, .first_spi = VIRT_SPI_MSI, .spis = VIRT_MSI_COUNT, .phandle = VIRT_PHANDLE_MSI};

    *w = (struct wiring){gicv2_create(vm, "gic", &c, why, why_size), gicv2_line};
    frame.gic = w->controller;
    return w->controller && gicv2m_create(vm, "v2m", &frame, why, why_size) ? 0 : -ENOMEM;
}

static bool wants_gicv2(const struct vm_desc *d)
{
    char value[8];

    return machine_option(d->machine_options, "gic", value, sizeof(value)) && !strcmp(value, "2");
}

/* Firmware is in the first bank, its variables in the second. */
static int build_flash(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    struct cfi_config c = {.base = VIRT_FLASH, .size = VIRT_FLASH_SIZE};
    struct image img = {0};
    int err = 0;

    if (vm->desc.firmware)
        err = image_read(&img, vm->desc.firmware, VIRT_FLASH_SIZE, why, why_size);
    if (err == -EFBIG)
        fmt_snprintf(
            why, why_size, "%s: needs %llu MiB, the flash that firmware is in has %u MiB; name a smaller one",
            vm->desc.firmware, (unsigned long long)((img.size - 1) >> 20) + 1, VIRT_FLASH_SIZE >> 20);
    if (!err)
        err = image_verify(&img, why, why_size);
    if (!err) {
        c.image = img.data;
        c.image_size = img.size;
        err = virt_build_flash(vm, "flash0", &c, why, why_size);
    }
    image_free(&img);
    if (err)
        return err;
    c = (struct cfi_config){.base = VIRT_FLASH + VIRT_FLASH_SIZE, .size = VIRT_FLASH_SIZE, .file = b->vars};
    return virt_build_flash(vm, "flash1", &c, why, why_size);
}

/* vm->machine. */
struct virt_arm64 {
    struct device *gpio;
    struct timer key; /* the power key comes up again */
};

/* Long enough for drivers that wait for a key to stop bouncing. */
#define KEY_NS UINT64_C(100000000)

static void key_up(void *opaque)
{
    struct virt_arm64 *m = opaque;

    pl061_input_set(m->gpio, VIRT_GPIO_POWER_KEY, false);
}

static void press_key(struct vm *vm)
{
    struct virt_arm64 *m = vm->machine;

    pl061_input_set(m->gpio, VIRT_GPIO_POWER_KEY, true);
    timer_set(&m->key, clock_now_ns(vm) + KEY_NS);
}

static void virt_destroy(struct vm *vm)
{
    struct virt_arm64 *m = vm->machine;

    timer_fini(&m->key);
    plat_free(m);
    vm->machine = NULL;
}

static int build_key(struct vm *vm, struct device *gpio, char *why, size_t why_size)
{
    struct virt_arm64 *m = device_alloc(sizeof(*m), why, why_size);

    if (!m)
        return -ENOMEM;
    m->gpio = gpio;
    if (timer_init(&m->key, vm, key_up, m)) {
        plat_free(m);
        fmt_snprintf(why, why_size, "gpio: no memory for a timer");
        return -ENOMEM;
    }
    vm->machine = m;
    vm->machine_destroy = virt_destroy;
    vm->power_button = press_key;
    return 0;
}

static int build_board(struct vm *vm, const struct machine_backends *b, const struct wiring *w, char *why,
                       size_t why_size)
{
    struct device *gpio;

    if (!pl011_create(vm, "serial0", VIRT_UART, w->line(w->controller, VIRT_SPI_UART), VIRT_PHANDLE_CLOCK,
                      b->serial, why, why_size))
        return -ENOMEM;
    if (!pl031_create(vm, "rtc", VIRT_RTC, w->line(w->controller, VIRT_SPI_RTC), VIRT_PHANDLE_CLOCK, why,
                      why_size))
        return -ENOMEM;
    gpio = pl061_create(vm, "gpio", VIRT_GPIO, w->line(w->controller, VIRT_SPI_GPIO), VIRT_PHANDLE_CLOCK,
                        VIRT_PHANDLE_GPIO, why, why_size);
    if (!gpio || build_key(vm, gpio, why, why_size))
        return -ENOMEM;
    return fw_cfg_create(vm, "fw-cfg", VIRT_FW_CFG, why, why_size) ? 0 : -ENOMEM;
}

/* Messages go to the ITS, which tells devices by their numbers, or to the frame of GICv2. */
static struct pci_host_config pci_config(struct vm *vm)
{
    struct pci_host_config c = board.pci;

    c.intc_phandle = VIRT_PHANDLE_GIC;
    c.intc_address_cells = 2;
    c.msi_phandle = VIRT_PHANDLE_MSI;
    c.msi_by_requester = vm_device(vm, "its");
    return c;
}

static int build(struct vm *vm, const struct machine_backends *b, char *why, size_t why_size)
{
    struct pci_host_config pci;
    struct wiring w;
    int err = mem_add_ram(&vm->mem, VIRT_RAM, vm->desc.memory, MEM_RAM, "ram", why, why_size);

    if (!err)
        err =
            wants_gicv2(&vm->desc) ? build_gicv2(vm, &w, why, why_size) : build_gicv3(vm, &w, why, why_size);
    if (err)
        return err;
    err = build_flash(vm, b, why, why_size);
    if (!err)
        err = build_board(vm, b, &w, why, why_size);
    if (err)
        return err;
    pci = pci_config(vm);
    err = virt_build_buses(vm, &board, &pci, &w, b, why, why_size);
    if (err)
        return err;
    vm->boot = virt_arm64_boot;
    return 0;
}

static int check(const struct vm_desc *d, char *why, size_t why_size)
{
    int err = virt_check(&board, d, why, why_size);

    if (!err && wants_gicv2(d) && d->smp > GICV2_CPUS) {
        fmt_snprintf(why, why_size, "smp: %u CPUs asked for; gic=2 takes 1 to %u, gic=3 more (--machine)",
                     d->smp, GICV2_CPUS);
        err = -ERANGE;
    }
    return err;
}

const struct machine_ops machine_virt_arm64 = {
    .name = "virt",
    .guest_arch = "arm64",
    .summary = "generic Arm board: GICv2 or GICv3, PL011, virtio-mmio, PCI",
    .options = "gic=2|3,vars=FILE",
    .vars_size = VIRT_FLASH_SIZE,
    .cpu_max = VM_MAX_VCPUS,
    .check = check,
    .build = build,
};
