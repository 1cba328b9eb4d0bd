/* The board description, from the device tree (Devicetree Specification 0.4, 3). */
#include "platform/bare/board.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define PAGE UINT64_C(4096)

static int fail(char *why, size_t why_size, int err, const char *text)
{
    fmt_snprintf(why, why_size, "%s", text);
    return err;
}

/* ---- sets of ranges, sorted ---- */

/* What does not fit is not there: memory that goes unused. */
static void range_add(struct board_range *r, unsigned *count, uint64_t base, uint64_t size)
{
    unsigned i = *count;

    if (!size || i == BOARD_RANGES || base + size < base)
        return;
    while (i && r[i - 1].base > base) {
        r[i] = r[i - 1];
        i--;
    }
    r[i] = (struct board_range){base, size};
    ++*count;
}

/* Cuts [base, end) out, page by page. */
static void range_cut(struct board_range *r, unsigned *count, uint64_t base, uint64_t end)
{
    base = ALIGN_DOWN(base, PAGE);
    end = ALIGN_UP(end, PAGE);
    for (unsigned i = 0; i < *count; i++) {
        uint64_t from = r[i].base, to = from + r[i].size;

        if (end <= from || base >= to)
            continue;
        r[i].size = base > from ? base - from : 0;
        if (to > end)
            range_add(r, count, end, to - end);
    }
    for (unsigned i = 0, n = *count; i < n; i++) { /* empty ones go */
        while (i < *count && !r[i].size) {
            --*count;
            memmove(&r[i], &r[i + 1], sizeof(*r) * (*count - i));
        }
    }
}

/* ---- what the tree says ---- */

static bool disabled(const struct dtb *d, dtb_node n)
{
    const char *status = dtb_str(d, n, "status");

    return status && strcmp(status, "okay") && strcmp(status, "ok");
}

static bool has_type(const struct dtb *d, dtb_node n, const char *type)
{
    const char *s = dtb_str(d, n, "device_type");

    return s && !strcmp(s, type);
}

static void read_ram(struct board *b)
{
    const struct dtb *d = &b->dtb;
    uint64_t base, size;

    for (dtb_node n = dtb_child(d, dtb_root(d)); n != DTB_NONE; n = dtb_sibling(d, n)) {
        if (!has_type(d, n, "memory") || disabled(d, n))
            continue;
        for (unsigned i = 0; !dtb_reg(d, n, i, &base, &size); i++) {
            uint64_t end = ALIGN_DOWN(base + size, PAGE);

            base = ALIGN_UP(base, PAGE);
            if (base >= end)
                continue;
            range_add(b->ram, &b->ram_count, base, end - base);
            b->ram_size += end - base;
        }
    }
}

static void reserve(struct board *b, uint64_t base, uint64_t size, bool no_map)
{
    if (base + size < base)
        size = -base;
    range_cut(b->free, &b->free_count, base, base + size);
    if (no_map)
        range_add(b->no_map, &b->no_map_count, ALIGN_DOWN(base, PAGE),
                  ALIGN_UP(base + size, PAGE) - ALIGN_DOWN(base, PAGE));
}

/* Reservation blocks and /reserved-memory (3.5); of dynamic ones nobody but us is there to ask. */
static void read_reservations(struct board *b)
{
    const struct dtb *d = &b->dtb;
    dtb_node parent = dtb_path(d, "/reserved-memory");
    uint64_t base, size;
    uint32_t bytes;

    for (unsigned i = 0; dtb_reserved(d, i, &base, &size); i++)
        reserve(b, base, size, false);
    if (parent == DTB_NONE)
        return;
    for (dtb_node n = dtb_child(d, parent); n != DTB_NONE; n = dtb_sibling(d, n)) {
        if (disabled(d, n))
            continue;
        for (unsigned i = 0; !dtb_reg(d, n, i, &base, &size); i++)
            reserve(b, base, size, dtb_prop(d, n, "no-map", &bytes));
    }
}

static void cpu_add(struct board *b, uint64_t hw_id, dtb_node n, uint64_t boot)
{
    if (hw_id == boot) {
        b->cpu[0].hw_id = hw_id;
        b->cpu[0].node = n;
        return;
    }
    if (b->cpu_count == CPU_MAX) {
        b->cpu_left_out++;
        return;
    }
    b->cpu[b->cpu_count].hw_id = hw_id;
    b->cpu[b->cpu_count++].node = n;
}

static void read_cpus(struct board *b, uint64_t boot)
{
    const struct dtb *d = &b->dtb;
    dtb_node cpus = dtb_path(d, "/cpus");
    uint64_t hw_id, none;

    b->cpu_count = 1;
    b->cpu[0].hw_id = boot;
    b->cpu[0].node = DTB_NONE;
    if (cpus == DTB_NONE)
        return;
    dtb_u32(d, cpus, "timebase-frequency", 0, &b->timebase);
    for (dtb_node n = dtb_child(d, cpus); n != DTB_NONE; n = dtb_sibling(d, n)) {
        if (has_type(d, n, "cpu") && !disabled(d, n) && !dtb_reg(d, n, 0, &hw_id, &none))
            cpu_add(b, hw_id, n, boot);
    }
}

static dtb_node stdout_of(const struct dtb *d, dtb_node chosen)
{
    const char *path = dtb_str(d, chosen, "stdout-path"), *alias;
    char name[128];
    const char *end;
    dtb_node aliases;

    if (!path)
        return DTB_NONE;
    end = strchr(path, ':'); /* what follows are options: ":115200n8" (3.6) */
    fmt_snprintf(name, sizeof(name), "%.*s", (int)(end ? (size_t)(end - path) : strlen(path)), path);
    if (name[0] == '/')
        return dtb_path(d, name);
    aliases = dtb_path(d, "/aliases");
    alias = aliases != DTB_NONE ? dtb_str(d, aliases, name) : NULL;
    return alias ? dtb_path(d, alias) : DTB_NONE;
}

static void read_chosen(struct board *b)
{
    const struct dtb *d = &b->dtb;
    dtb_node chosen = dtb_path(d, "/chosen");
    uint64_t start, end;
    const char *args;

    b->stdout_node = DTB_NONE;
    if (chosen == DTB_NONE)
        return;
    args = dtb_str(d, chosen, "bootargs");
    fmt_snprintf(b->bootargs, sizeof(b->bootargs), "%s", args ? args : "");
    b->stdout_node = stdout_of(d, chosen);
    if (dtb_u64(d, chosen, "linux,initrd-start", &start) || dtb_u64(d, chosen, "linux,initrd-end", &end) ||
        end <= start)
        return;
    b->bundle = (struct board_range){start, end - start};
    reserve(b, start, end - start, false);
}

/* The header says how large it is; bytes 4..7, big endian (5.2). */
static uint64_t blob_size(const void *fdt)
{
    const uint8_t *p = fdt;

    return (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7];
}

int board_read(struct board *b, const void *fdt, uint64_t fdt_pa, uint64_t image, uint64_t image_end,
               uint64_t hw_id, char *why, size_t why_size)
{
    static const uint8_t magic[4] = {0xd0, 0x0d, 0xfe, 0xed};
    const char *model;

    memset(b, 0, sizeof(*b));
    if (memcmp(fdt, magic, sizeof(magic)) || dtb_open(&b->dtb, fdt, blob_size(fdt)))
        return fail(why, why_size, -EINVAL, "the loader gave no device tree, or a broken one");
    b->fdt_pa = fdt_pa;
    b->fdt_size = blob_size(fdt);
    model = dtb_str(&b->dtb, dtb_root(&b->dtb), "model");
    fmt_snprintf(b->model, sizeof(b->model), "%s", model ? model : "unknown");
    read_ram(b);
    memcpy(b->free, b->ram, sizeof(b->free));
    b->free_count = b->ram_count;
    read_reservations(b);
    read_chosen(b);
    reserve(b, image, image_end - image, false);
    reserve(b, fdt_pa, b->fdt_size, false);
    read_cpus(b, hw_id);
    if (!b->free_count)
        return fail(why, why_size, -ENOMEM, "the device tree has no free memory");
    return 0;
}

const char *board_arg(const struct board *b, const char *name, char *buf, size_t size)
{
    size_t len = strlen(name);

    for (const char *s = b->bootargs; *s;) {
        const char *end = s;

        while (*end && *end != ' ')
            end++;
        if ((size_t)(end - s) >= len && !strncmp(s, name, len) && (s + len == end || s[len] == '=')) {
            const char *value = s + len == end ? end : s + len + 1;

            fmt_snprintf(buf, size, "%.*s", (int)(end - value), value);
            return buf;
        }
        s = *end ? end + 1 : end;
    }
    return NULL;
}

/* ---- addresses of devices ---- */

static uint32_t cells_of(const struct dtb *d, dtb_node n, const char *name, uint32_t usual)
{
    uint32_t cells;

    return dtb_u32(d, n, name, 0, &cells) ? usual : cells;
}

static bool cells_read(const struct dtb *d, dtb_node n, unsigned *at, uint32_t cells, uint64_t *out)
{
    uint32_t cell;

    *out = 0;
    while (cells--) {
        if (dtb_u32(d, n, "ranges", (*at)++, &cell))
            return false;
        *out = *out << 32 | cell;
    }
    return true;
}

/* One level up by the "ranges" of bus (2.3.8); false: the bus does not show this address. */
static bool translate(const struct dtb *d, dtb_node bus, uint64_t *address)
{
    uint32_t bytes, child = cells_of(d, bus, "#address-cells", 2), size = cells_of(d, bus, "#size-cells", 1);
    uint32_t parent = cells_of(d, dtb_parent(d, bus), "#address-cells", 2);
    uint64_t from, to, length;
    unsigned at = 0;

    if (!dtb_prop(d, bus, "ranges", &bytes))
        return false;
    if (!bytes)
        return true;
    while (cells_read(d, bus, &at, child, &from) && cells_read(d, bus, &at, parent, &to) &&
           cells_read(d, bus, &at, size, &length)) {
        if (*address >= from && *address - from < length) {
            *address += to - from;
            return true;
        }
    }
    return false;
}

int board_reg(const struct board *b, dtb_node n, unsigned i, uint64_t *pa, uint64_t *size)
{
    const struct dtb *d = &b->dtb;
    int err = dtb_reg(d, n, i, pa, size);

    for (dtb_node bus = dtb_parent(d, n); !err && bus != DTB_NONE && bus != dtb_root(d);
         bus = dtb_parent(d, bus)) {
        if (!translate(d, bus, pa))
            err = -ENOENT;
    }
    return err;
}
