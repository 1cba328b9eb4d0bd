/* Loading images and describing what was loaded, for every board. */
#include "machine/boot.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

int boot_load_file(struct vm *vm, const char *path, struct boot_ram ram, gpa_t raw_at, struct loaded *out,
                   char *why, size_t why_size)
{
    struct image img;
    const char *arch;
    int err = image_open(&img, path, vm->desc.memory, why, why_size);

    if (!err)
        err = image_unpack(&img, vm->desc.memory, why, why_size);
    if (err)
        return err;
    switch (image_kind(&img, &arch)) {
    case IMAGE_LINUX:
        err = load_linux(&vm->mem, &img, ram.base, ram.size, vm->guest->name, out, why, why_size);
        break;
    case IMAGE_ELF:
        err = image_whole(&img, why, why_size);
        if (!err)
            err = load_elf(&vm->mem, &img, vm->guest->name, ram.base, out, why, why_size);
        break;
    case IMAGE_PACKED:
        fmt_snprintf(why, why_size, "%s: is compressed twice; unpack it first (gunzip)", path);
        err = -EINVAL;
        break;
    case IMAGE_RAW:
        err = raw_at ? load_raw(&vm->mem, &img, raw_at, out, why, why_size) : -EINVAL;
        if (!raw_at)
            fmt_snprintf(why, why_size, "%s: is neither a Linux Image nor an ELF program; name one of these",
                         path);
        break;
    }
    image_free(&img);
    return err;
}

int boot_load_initrd(struct vm *vm, gpa_t floor, gpa_t top, struct boot_initrd *out, char *why,
                     size_t why_size)
{
    struct image img;
    struct loaded l;
    int err;

    *out = (struct boot_initrd){0};
    if (!vm->desc.initrd)
        return 0;
    err = image_open(&img, vm->desc.initrd, vm->desc.memory, why, why_size);
    if (err)
        return err;
    *out = (struct boot_initrd){ALIGN_DOWN(top - img.size, MEM_PAGE_SIZE), img.size};
    if (floor > top || img.size > top - floor || out->at < floor) {
        fmt_snprintf(why, why_size,
                     "%s: its %llu MiB do not fit beside the kernel; give the guest more (--memory)",
                     vm->desc.initrd, (unsigned long long)(img.size >> 20) + 1);
        err = -EFBIG;
    } else {
        err = load_raw(&vm->mem, &img, out->at, &l, why, why_size);
    }
    image_free(&img);
    return err;
}

/* ---- the device tree ---- */

#define FDT_MAX (64u << 10)
#define LOW_4G  (UINT64_C(1) << 32)

gpa_t boot_fdt_at(struct boot_ram ram)
{
    return ALIGN_DOWN(MIN(ram.base + ram.size, LOW_4G) - FDT_MAX, 8);
}

int boot_check_fdt(struct boot_ram ram, const char *path, const struct loaded *l, char *why, size_t why_size)
{
    if (l->end <= boot_fdt_at(ram) || l->base >= ram.base + ram.size)
        return 0;
    fmt_snprintf(why, why_size,
                 "%s: leaves no room for the device tree; give the guest more memory (--memory)", path);
    return -EFBIG;
}

int boot_place_fdt(struct vm *vm, gpa_t at, const struct boot_initrd *initrd,
                   int (*fill)(struct vm *vm, struct dtw *w, const struct boot_initrd *initrd), char *why,
                   size_t why_size)
{
    uint8_t *buf = plat_alloc(FDT_MAX);
    struct dtw w;
    size_t size;
    int err;

    if (!buf) {
        fmt_snprintf(why, why_size, "no memory for the device tree; free some on the host");
        return -ENOMEM;
    }
    dtw_init(&w, buf, FDT_MAX);
    dtw_begin_node(&w, "");
    err = fill(vm, &w, initrd);
    dtw_end_node(&w);
    if (!err)
        err = dtw_finish(&w, &size);
    if (!err)
        err = mem_load(&vm->mem, at, buf, size);
    plat_free(buf);
    if (!err)
        return 0;
    fmt_snprintf(
        why, why_size,
        "the device tree does not fit into %u KiB; use a shorter --append, fewer devices or fewer CPUs",
        FDT_MAX >> 10);
    return -EFBIG;
}

static void describe_chosen(struct vm *vm, struct dtw *w, const char *console,
                            const struct boot_initrd *initrd)
{
    uint8_t seed[64];

    dtw_begin_node(w, "chosen");
    if (vm->desc.append)
        dtw_prop_str(w, "bootargs", vm->desc.append);
    dtw_prop_str(w, "stdout-path", console);
    if (initrd->size) {
        dtw_prop_u64(w, "linux,initrd-start", initrd->at);
        dtw_prop_u64(w, "linux,initrd-end", initrd->at + initrd->size);
    }
    if (vm->desc.deterministic)
        memset(seed, 0x5a, sizeof(seed));
    else if (plat_random(seed, sizeof(seed)))
        memset(seed, 0, sizeof(seed));
    dtw_prop_bytes(w, "rng-seed", seed, sizeof(seed));
    dtw_end_node(w);
}

static void describe_memory(struct dtw *w, struct boot_ram ram)
{
    const uint64_t reg[2] = {ram.base, ram.size};

    dtw_begin_unit(w, "memory", ram.base);
    dtw_prop_str(w, "device_type", "memory");
    dtw_prop_u64s(w, "reg", reg, 2);
    dtw_end_node(w);
}

int boot_describe_guest(struct vm *vm, struct dtw *w, const char *console, struct boot_ram ram,
                        const struct boot_initrd *initrd)
{
    describe_chosen(vm, w, console, initrd);
    describe_memory(w, ram);
    return vm->guest->describe(vm, w);
}

void boot_describe_devices(struct vm *vm, struct dtw *w)
{
    for (struct device *d = vm->devices; d; d = d->next) {
        if (d->ops->describe)
            d->ops->describe(d, w);
    }
}
