/*
 * Firmware configuration: a selector, a data register that walks through the selected item, and DMA (QEMU,
 * docs/specs/fw_cfg.rst). Selector and DMA registers are big endian; the data register keeps the order of
 * bytes.
 */
#include "device/misc/fw_cfg.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define WINDOW 0x18
#define ITEMS  (FW_CFG_FILE_FIRST + FW_CFG_FILES)

enum { DATA = 0x0, SELECTOR = 0x8, DMA = 0x10 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */

struct item {
    uint8_t *data;
    uint64_t size;
};

/* An entry of the directory, as the guest reads it. */
struct dir_entry {
    uint32_t size; /* big endian, as the next */
    uint16_t key, reserved;
    char name[FW_CFG_NAME];
};

struct dir {
    uint32_t count; /* big endian */
    struct dir_entry file[FW_CFG_FILES];
};
_Static_assert(sizeof(struct dir) == 4 + FW_CFG_FILES * 64, "no padding");

struct fw_cfg {
    struct device dev;
    struct item item[ITEMS];
    struct dir dir;
    unsigned files;
    uint32_t selected;
    uint64_t at; /* within the item; may be behind its end, where zeros are */
    uint64_t dma;
};

static const struct state_field fw_cfg_state[] = {
    STATE_FIELD(struct fw_cfg, selected, 0, 0),
    STATE_FIELD(struct fw_cfg, at, 0, 0),
    STATE_FIELD(struct fw_cfg, dma, 0, 0),
    STATE_END,
};

/* ---- contents ---- */

int fw_cfg_give(struct device *d, unsigned key, void *data, size_t size)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);

    if (key >= ITEMS || key == FW_CFG_DIRECTORY) {
        plat_free(data);
        return -EINVAL;
    }
    plat_free(f->item[key].data);
    f->item[key] = (struct item){data, size};
    return 0;
}

int fw_cfg_set(struct device *d, unsigned key, const void *data, size_t size)
{
    uint8_t *copy = plat_alloc(MAX(size, 1u));

    if (!copy)
        return -ENOMEM;
    memcpy(copy, data, size);
    return fw_cfg_give(d, key, copy, size);
}

int fw_cfg_file(struct device *d, const char *name, const void *data, size_t size)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);
    unsigned i = 0;
    int err;

    while (i < f->files && strcmp(f->dir.file[i].name, name))
        i++;
    if (i == FW_CFG_FILES || strlen(name) >= FW_CFG_NAME || size > UINT32_MAX)
        return -ENOSPC;
    err = fw_cfg_set(d, FW_CFG_FILE_FIRST + i, data, size);
    if (err)
        return err;
    memcpy(f->dir.file[i].name, name, strlen(name) + 1);
    f->dir.file[i].size = __builtin_bswap32((uint32_t)size);
    f->dir.file[i].key = __builtin_bswap16((uint16_t)(FW_CFG_FILE_FIRST + i));
    f->files = MAX(f->files, i + 1);
    f->dir.count = __builtin_bswap32(f->files);
    return 0;
}

/* ---- reading ---- */

static struct item selected(const struct fw_cfg *f)
{
    if (f->selected == FW_CFG_DIRECTORY)
        return (struct item){(uint8_t *)&f->dir, sizeof(f->dir)};
    return f->selected < ITEMS ? f->item[f->selected] : (struct item){0};
}

static void select_item(struct fw_cfg *f, uint32_t key)
{
    f->selected = key;
    f->at = 0;
}

/* Bytes from where the item was left; behind its end zeros. */
static void item_read(struct fw_cfg *f, uint8_t *to, uint64_t len)
{
    struct item item = selected(f);
    uint64_t n = f->at < item.size ? MIN(len, item.size - f->at) : 0;

    if (n)
        memcpy(to, item.data + f->at, n);
    memset(to + n, 0, len - n);
    f->at += len;
}

struct dma_command {
    uint32_t control, length; /* big endian, all */
    uint64_t address;
};

/* The transfer itself; false: it cannot be done, and nothing was. */
static bool dma_transfer(struct fw_cfg *f, uint32_t control, uint32_t length, gpa_t address)
{
    struct mem *m = &f->dev.vm->mem;
    void *to;

    if (control & DMA_READ) {
        to = length ? mem_ptr(m, address, length, true) : NULL;
        if (length && !to)
            return false;
        if (length) {
            item_read(f, to, length);
            mem_dirty(m, address, length);
        }
    } else if (control & DMA_WRITE) {
        return length == 0;
    } else if (control & DMA_SKIP) {
        f->at += length;
    }
    return true;
}

/* The command's control word tells of the end: 0, or the error bit. */
static void dma_run(struct fw_cfg *f)
{
    struct mem *m = &f->dev.vm->mem;
    gpa_t at = f->dma;
    struct dma_command c;
    uint32_t control;

    f->dma = 0;
    if (mem_read(m, at, &c, sizeof(c)))
        return;
    control = __builtin_bswap32(c.control);
    if (control & DMA_SELECT)
        select_item(f, control >> 16);
    control = dma_transfer(f, control, __builtin_bswap32(c.length), __builtin_bswap64(c.address))
                  ? 0
                  : __builtin_bswap32(DMA_ERROR);
    (void)!mem_write(m, at, &control, sizeof(control));
}

/* ---- registers ---- */

static uint64_t fw_cfg_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);
    uint64_t value = 0;

    (void)region;
    if (offset == DATA) {
        item_read(f, (uint8_t *)&value, size);
        return value;
    }
    if (offset < DMA || offset + size > DMA + 8)
        return 0;
    value = __builtin_bswap64(DMA_SIGNATURE) >> (8 * (offset - DMA));
    return size == 8 ? value : value & (BIT(8 * size) - 1);
}

static void fw_cfg_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);

    (void)region;
    if (offset == SELECTOR && size == 2) {
        select_item(f, __builtin_bswap16((uint16_t)value));
    } else if (offset == DMA && size == 8) {
        f->dma = __builtin_bswap64(value);
        dma_run(f);
    } else if (offset == DMA && size == 4) {
        f->dma = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
    } else if (offset == DMA + 4 && size == 4) {
        f->dma |= __builtin_bswap32((uint32_t)value);
        dma_run(f);
    }
}

/* ---- life ---- */

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);

    f->dma = 0;
    select_item(f, 0);
}

static void fw_cfg_destroy(struct device *d)
{
    struct fw_cfg *f = container_of(d, struct fw_cfg, dev);

    for (unsigned i = 0; i < ITEMS; i++)
        plat_free(f->item[i].data);
    device_fini(d);
    plat_free(f);
}

static int fw_cfg_describe(struct device *d, struct dtw *w)
{
    device_node_begin(d, w, "fw-cfg");
    dtw_prop_str(w, "compatible", "qemu,fw-cfg-mmio");
    dtw_prop_empty(w, "dma-coherent");
    dtw_end_node(w);
    return 0;
}

static const struct device_ops fw_cfg_ops = {
    .name = "fw-cfg",
    .summary = "configuration and files for firmware",
    .state = fw_cfg_state,
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .reset = fw_cfg_reset,
    .destroy = fw_cfg_destroy,
    .describe = fw_cfg_describe,
};

static int own_items(struct fw_cfg *f)
{
    const uint8_t id[4] = {3}; /* data register and DMA */
    const uint8_t cpus[2] = {(uint8_t)f->dev.vm->vcpu_count, 0};
    int err = fw_cfg_set(&f->dev, FW_CFG_SIGNATURE, "QEMU", 4);

    if (!err)
        err = fw_cfg_set(&f->dev, FW_CFG_ID, id, sizeof(id));
    if (!err)
        err = fw_cfg_set(&f->dev, FW_CFG_CPUS, cpus, sizeof(cpus));
    if (!err)
        err = fw_cfg_set(&f->dev, FW_CFG_CPUS_MAX, cpus, sizeof(cpus));
    return err;
}

struct device *fw_cfg_create(struct vm *vm, const char *id, gpa_t base, char *why, size_t why_size)
{
    struct fw_cfg *f = device_alloc(sizeof(*f), why, why_size);

    if (!f)
        return NULL;
    device_init(&f->dev, &fw_cfg_ops, vm, id);
    if (own_items(f)) {
        fmt_snprintf(why, why_size, "no memory for the contents of %s", id);
        fw_cfg_destroy(&f->dev);
        return NULL;
    }
    if (device_map(&f->dev, 0, base, WINDOW, why, why_size)) {
        fw_cfg_destroy(&f->dev);
        return NULL;
    }
    device_add(&f->dev);
    return &f->dev;
}
