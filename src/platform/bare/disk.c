/* Disks: bytes from sectors, and partition tables, which anybody may have written. */
#include "platform/bare/disk.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* The sector at offset's place, whole; then the part of it in or out. */
static int edge_io(struct disk *d, bool write, uint64_t offset, uint8_t *buf, size_t n)
{
    uint8_t sector[DISK_SECTOR];
    int err;

    plat_lock(&d->edge);
    err = d->ops->io(d->opaque, false, offset / DISK_SECTOR, sector, 1);
    if (!err && write) {
        memcpy(sector + offset % DISK_SECTOR, buf, n);
        err = d->ops->io(d->opaque, true, offset / DISK_SECTOR, sector, 1);
    } else if (!err) {
        memcpy(buf, sector + offset % DISK_SECTOR, n);
    }
    plat_unlock(&d->edge);
    return err;
}

static int bytes_io(struct disk *d, bool write, uint64_t offset, uint8_t *buf, size_t size)
{
    int err = 0;

    while (size && !err) {
        size_t n = size & ~(size_t)(DISK_SECTOR - 1);

        if (offset % DISK_SECTOR || !n) {
            n = MIN(size, DISK_SECTOR - offset % DISK_SECTOR);
            err = edge_io(d, write, offset, buf, n);
        } else {
            err = d->ops->io(d->opaque, write, offset / DISK_SECTOR, buf, n / DISK_SECTOR);
        }
        offset += n;
        buf += n;
        size -= n;
    }
    return err;
}

int disk_read(struct disk *d, uint64_t offset, void *buf, size_t size)
{
    return bytes_io(d, false, offset, buf, size);
}

int disk_write(struct disk *d, uint64_t offset, const void *buf, size_t size)
{
    return d->read_only ? -EROFS : bytes_io(d, true, offset, (uint8_t *)buf, size);
}

/* ---- partitions ---- */

static uint64_t le(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

static void part_set(const struct disk *d, struct disk_range *part, uint64_t start, uint64_t count)
{
    if (start && start < d->sectors && count <= d->sectors - start)
        *part = (struct disk_range){start, count};
}

/* UEFI 2.10, 5.3: the header in sector 1, entries where it says, 128 bytes or more each. */
static unsigned read_gpt(struct disk *d, struct disk_range part[DISK_PARTITIONS])
{
    uint8_t s[DISK_SECTOR];
    uint64_t at;
    unsigned count, size;

    if (disk_read(d, DISK_SECTOR, s, sizeof(s)) || memcmp(s, "EFI PART", 8))
        return 0;
    at = le(s + 72, 8);
    count = (unsigned)MIN(le(s + 80, 4), (uint64_t)DISK_PARTITIONS);
    size = (unsigned)le(s + 84, 4);
    if (size < 128 || size > DISK_SECTOR || DISK_SECTOR % size || at >= d->sectors)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = at * DISK_SECTOR + (uint64_t)i * size, first, last;

        if (offset / DISK_SECTOR >= d->sectors || disk_read(d, offset, s, size))
            return i;
        first = le(s + 32, 8);
        last = le(s + 40, 8);
        if ((le(s, 8) || le(s + 8, 8)) && last >= first && last < d->sectors)
            part_set(d, &part[i], first, last - first + 1);
    }
    return count;
}

unsigned disk_partitions(struct disk *d, struct disk_range part[DISK_PARTITIONS])
{
    uint8_t s[DISK_SECTOR];
    unsigned n;

    memset(part, 0, sizeof(*part) * DISK_PARTITIONS);
    if (d->sectors < 2 || disk_read(d, 0, s, sizeof(s)))
        return 0;
    n = read_gpt(d, part);
    if (n || s[510] != 0x55 || s[511] != 0xaa)
        return n;
    for (unsigned i = 0; i < 4; i++) { /* MBR: type at +4, first sector at +8, count at +12 */
        const uint8_t *e = s + 446 + 16 * i;

        if (e[4] && e[4] != 0x05 && e[4] != 0x0f) /* not an extended one */
            part_set(d, &part[i], le(e + 8, 4), le(e + 12, 4));
    }
    return 4;
}

int disk_add(struct disk *d)
{
    struct disk_range part[DISK_PARTITIONS];
    char name[32];
    int err;

    plat_lock_init(&d->edge);
    fmt_snprintf(name, sizeof(name), "board:%s", d->name);
    err = diskfile_add(name, d, 0, d->sectors * DISK_SECTOR);
    for (unsigned i = 0, n = disk_partitions(d, part); !err && i < n; i++) {
        fmt_snprintf(name, sizeof(name), "board:%s%u", d->name, i + 1);
        if (part[i].count)
            err = diskfile_add(name, d, part[i].start * DISK_SECTOR, part[i].count * DISK_SECTOR);
    }
    return err;
}
