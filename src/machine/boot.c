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
    int err = image_read(&img, path, vm->desc.memory, why, why_size);

    if (!err)
        err = image_unpack(&img, vm->desc.memory, why, why_size);
    if (err)
        return err;
    switch (image_kind(&img, &arch)) {
    case IMAGE_LINUX:
        err = load_linux(&vm->mem, &img, ram.base, ram.size, vm->guest->name, out, why, why_size);
        break;
    case IMAGE_ELF:
        err = load_elf(&vm->mem, &img, vm->guest->name, out, why, why_size);
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

int boot_load_initrd(struct vm *vm, gpa_t floor, gpa_t top, gpa_t *at, uint64_t *size, char *why,
                     size_t why_size)
{
    struct image img;
    struct loaded l;
    int err;

    *at = *size = 0;
    if (!vm->desc.initrd)
        return 0;
    err = image_read(&img, vm->desc.initrd, vm->desc.memory, why, why_size);
    if (err)
        return err;
    *at = ALIGN_DOWN(top - img.size, MEM_PAGE_SIZE);
    *size = img.size;
    if (floor > top || img.size > top - floor || *at < floor) {
        fmt_snprintf(why, why_size,
                     "%s: its %llu MiB do not fit beside the kernel; give the guest more (--memory)",
                     vm->desc.initrd, (unsigned long long)(img.size >> 20) + 1);
        err = -EFBIG;
    } else {
        err = load_raw(&vm->mem, &img, *at, &l, why, why_size);
    }
    image_free(&img);
    return err;
}

void boot_describe_chosen(struct vm *vm, struct dtw *w, const char *console, gpa_t initrd,
                          uint64_t initrd_size)
{
    uint8_t seed[64];

    dtw_begin_node(w, "chosen");
    if (vm->desc.append)
        dtw_prop_str(w, "bootargs", vm->desc.append);
    dtw_prop_str(w, "stdout-path", console);
    if (initrd_size) {
        dtw_prop_u64(w, "linux,initrd-start", initrd);
        dtw_prop_u64(w, "linux,initrd-end", initrd + initrd_size);
    }
    if (vm->desc.deterministic)
        memset(seed, 0x5a, sizeof(seed));
    else if (plat_random(seed, sizeof(seed)))
        memset(seed, 0, sizeof(seed));
    dtw_prop_bytes(w, "rng-seed", seed, sizeof(seed));
    dtw_end_node(w);
}

void boot_describe_memory(struct dtw *w, struct boot_ram ram)
{
    const uint64_t reg[2] = {ram.base, ram.size};

    dtw_begin_unit(w, "memory", ram.base);
    dtw_prop_str(w, "device_type", "memory");
    dtw_prop_u64s(w, "reg", reg, 2);
    dtw_end_node(w);
}
