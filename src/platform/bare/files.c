/*
 * Files of the bare form: named bytes in memory (what the boot bundle has). A file opened for writing is copy
 * on write: pages that were written are its own until it is closed.
 */
#include "core/platform.h"
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/app.h"
#include "platform/bare/disk.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/sync/spin.h"

struct memfile {
    struct memfile *next;
    const uint8_t *data;
    uint64_t size, sum;
    struct disk *disk;         /* NULL: in memory */
    uint64_t offset;           /* in the disk */
    unsigned readers, writers; /* open_lock; of a disk, locked ones */
    char name[];
};

struct plat_file {
    struct memfile *of;
    bool writable, locked;
    uint8_t **page;        /* of each page that was written; NULL where none was */
    struct plat_lock lock; /* page */
};

static struct memfile *_Atomic files; /* only ever grows */

static void (*start_disks)(void); /* set at boot */
static struct spin open_lock = SPIN_INIT(RANK_USER);

static struct memfile *find(const char *name)
{
    struct memfile *m = atomic_load(&files);

    while (m && strcmp(m->name, name))
        m = m->next;
    return m;
}

static int add(const char *name, const struct memfile *what)
{
    size_t len = strlen(name) + 1;
    struct memfile *m;

    if (find(name))
        return -EEXIST;
    m = plat_alloc(sizeof(*m) + len);
    if (!m)
        return -ENOMEM;
    *m = *what;
    memcpy(m->name, name, len);
    m->next = atomic_load(&files);
    while (!atomic_compare_exchange_weak(&files, &m->next, m))
        ;
    return 0;
}

int memfile_add(const char *name, const void *data, uint64_t size, uint64_t sum)
{
    return add(name, &(struct memfile){.data = data, .size = size, .sum = sum});
}

void diskfile_start_hook(void (*start)(void))
{
    start_disks = start;
}

int diskfile_add(const char *name, struct disk *d, uint64_t offset, uint64_t size)
{
    return add(name, &(struct memfile){.disk = d, .offset = offset, .size = size});
}

/* ---- one writer of a place on a disk, or readers; a partition is a place of its disk ---- */

static bool overlap(const struct memfile *a, const struct memfile *b)
{
    return a->disk == b->disk && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static int disk_lock(struct memfile *m, bool write)
{
    bool on = spin_lock_irq(&open_lock);
    int err = 0;

    for (struct memfile *o = atomic_load(&files); o; o = o->next) {
        if (o->disk && overlap(o, m) && (o->writers || (write && o->readers)))
            err = -EBUSY;
    }
    if (!err && write)
        m->writers++;
    else if (!err)
        m->readers++;
    spin_unlock_irq(&open_lock, on);
    return err;
}

static void disk_unlock(struct memfile *m, bool write)
{
    bool on = spin_lock_irq(&open_lock);

    if (write)
        m->writers--;
    else
        m->readers--;
    spin_unlock_irq(&open_lock, on);
}

static uint64_t pages_of(const struct plat_file *f)
{
    return ALIGN_UP(f->of->size, FRAME_BYTES) / FRAME_BYTES;
}

int plat_file_open(struct plat_file **out, const char *path, unsigned flags)
{
    struct memfile *m = find(path);
    struct plat_file *f;
    int err;

    if (!m && start_disks && !strncmp(path, "board:", 6)) {
        start_disks();
        m = find(path);
    }
    if (!m)
        return flags & PLAT_CREATE ? -EROFS : -ENOENT;
    if (m->disk && flags & PLAT_WRITE && m->disk->read_only)
        return -EROFS;
    f = plat_alloc(sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->of = m;
    f->writable = flags & PLAT_WRITE;
    f->locked = m->disk && flags & PLAT_LOCK;
    if (f->locked) {
        err = disk_lock(m, f->writable);
        if (err) {
            plat_free(f);
            return err;
        }
    }
    if (f->writable && !m->disk) {
        f->page = plat_alloc(MAX(pages_of(f), UINT64_C(1)) * sizeof(*f->page));
        if (!f->page) {
            plat_free(f);
            return -ENOMEM;
        }
    }
    plat_lock_init(&f->lock);
    *out = f;
    return 0;
}

void plat_file_close(struct plat_file *f)
{
    for (uint64_t i = 0; f->page && i < pages_of(f); i++) {
        if (f->page[i])
            frame_free(f->page[i]);
    }
    if (f->locked)
        disk_unlock(f->of, f->writable);
    plat_free(f->page);
    plat_lock_fini(&f->lock);
    plat_free(f);
}

int plat_file_size(struct plat_file *f, uint64_t *size)
{
    *size = f->of->size;
    return 0;
}

/* Files opened for writing are different ones, even of one name. */
int plat_file_identity(struct plat_file *f, uint64_t id[2])
{
    id[0] = (uintptr_t)f->of;
    id[1] = f->writable && !f->of->disk ? (uintptr_t)f : 0;
    return 0;
}

const void *plat_file_map(struct plat_file *f, uint64_t *sum)
{
    *sum = f->of->sum;
    return f->writable ? NULL : f->of->data;
}

int plat_file_read(struct plat_file *f, uint64_t offset, void *buf, size_t size)
{
    uint8_t *to = buf;

    if (offset > f->of->size || size > f->of->size - offset)
        return -ENODATA;
    if (f->of->disk)
        return disk_read(f->of->disk, f->of->offset + offset, buf, size);
    if (!f->writable) {
        memcpy(to, f->of->data + offset, size);
        return 0;
    }
    plat_lock(&f->lock);
    while (size) {
        size_t at = offset % FRAME_BYTES, n = MIN(size, FRAME_BYTES - at);
        const uint8_t *page = f->page[offset / FRAME_BYTES];

        memcpy(to, page ? page + at : f->of->data + offset, n);
        to += n;
        offset += n;
        size -= n;
    }
    plat_unlock(&f->lock);
    return 0;
}

/* A page of its own for number i, with what the file has there. */
static uint8_t *page_own(struct plat_file *f, uint64_t i)
{
    uint64_t offset = i * FRAME_BYTES, n = MIN((uint64_t)FRAME_BYTES, f->of->size - offset);
    uint8_t *p = frame_alloc(0, FRAME_PLAIN);

    if (p) {
        memcpy(p, f->of->data + offset, n);
        memset(p + n, 0, FRAME_BYTES - n);
        f->page[i] = p;
    }
    return p;
}

int plat_file_write(struct plat_file *f, uint64_t offset, const void *buf, size_t size)
{
    const uint8_t *from = buf;
    int err = 0;

    if (!f->writable)
        return -EACCES;
    if (offset > f->of->size || size > f->of->size - offset)
        return -ENOSPC;
    if (f->of->disk)
        return disk_write(f->of->disk, f->of->offset + offset, buf, size);
    plat_lock(&f->lock);
    while (size && !err) {
        size_t at = offset % FRAME_BYTES, n = MIN(size, FRAME_BYTES - at);
        uint8_t *page = f->page[offset / FRAME_BYTES];

        if (!page)
            page = page_own(f, offset / FRAME_BYTES);
        if (page)
            memcpy(page + at, from, n);
        else
            err = -ENOSPC;
        from += n;
        offset += n;
        size -= n;
    }
    plat_unlock(&f->lock);
    return err;
}

int plat_file_commit(struct plat_file *f)
{
    (void)f;
    return 0;
}

int plat_file_sync(struct plat_file *f)
{
    struct disk *d = f->of->disk;

    return d && d->ops->flush ? d->ops->flush(d->opaque) : 0;
}

int plat_file_punch(struct plat_file *f, uint64_t offset, uint64_t size)
{
    (void)f;
    (void)offset;
    (void)size;
    return -ENOTSUP;
}
