/* Raw disk images: offsets on the disk are offsets in the file. */
#include "backend/block_raw.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"

#define SECTOR 512
#define ZEROS  4096u

struct block_raw {
    struct blockdev b;
    struct plat_file *file;
};

static struct block_raw *raw_of(struct blockdev *b)
{
    return container_of(b, struct block_raw, b);
}

static bool inside(const struct blockdev *b, uint64_t offset, uint64_t len)
{
    return offset <= b->size && len <= b->size - offset;
}

static int raw_read(struct blockdev *b, uint64_t offset, void *buf, size_t len)
{
    return inside(b, offset, len) ? plat_file_read(raw_of(b)->file, offset, buf, len) : -EINVAL;
}

static int raw_write(struct blockdev *b, uint64_t offset, const void *buf, size_t len)
{
    if (b->read_only)
        return -EROFS;
    return inside(b, offset, len) ? plat_file_write(raw_of(b)->file, offset, buf, len) : -EINVAL;
}

static int raw_flush(struct blockdev *b)
{
    return b->read_only ? 0 : plat_file_sync(raw_of(b)->file);
}

/* The file of a discarded range need not become smaller: where it cannot, nothing is done. */
static int raw_discard(struct blockdev *b, uint64_t offset, uint64_t len)
{
    int err;

    if (b->read_only)
        return -EROFS;
    if (!inside(b, offset, len))
        return -EINVAL;
    err = len ? plat_file_punch(raw_of(b)->file, offset, len) : 0;
    return err == -ENOTSUP ? 0 : err;
}

static int write_zeros(struct block_raw *r, uint64_t offset, uint64_t len)
{
    static uint8_t zeros[ZEROS]; /* nobody writes it; a const one would take its room in the bare image */
    int err = 0;

    while (len && !err) {
        size_t n = (size_t)MIN(len, (uint64_t)ZEROS);

        err = plat_file_write(r->file, offset, zeros, n);
        offset += n;
        len -= n;
    }
    return err;
}

static int raw_zero(struct blockdev *b, uint64_t offset, uint64_t len)
{
    int err;

    if (b->read_only)
        return -EROFS;
    if (!inside(b, offset, len))
        return -EINVAL;
    err = len ? plat_file_punch(raw_of(b)->file, offset, len) : 0;
    return err == -ENOTSUP ? write_zeros(raw_of(b), offset, len) : err;
}

static void raw_destroy(struct blockdev *b)
{
    plat_file_close(raw_of(b)->file);
    plat_free(raw_of(b));
}

static const struct blockdev_ops block_raw_ops = {
    .name = "raw",
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
    .zero = raw_zero,
    .destroy = raw_destroy,
};

/* ---- opening ---- */

/* What an error of open means to the user. */
static const struct {
    int err;
    const char *text;
} open_errors[] = {
    {-ENOENT, "there is no such file; create it (truncate -s 4G FILE makes an empty one)"},
    {-EACCES, "the file's permissions forbid it; change them, or open the disk read-only (,ro)"},
    {-EPERM, "the file's permissions forbid it; change them, or open the disk read-only (,ro)"},
    {-EROFS, "it is on a read-only file system; open the disk read-only (,ro)"},
    {-EISDIR, "is a directory; name the image file in it"},
    {-ENODEV, "is neither a file nor a disk of the host; name one"},
    {-ENOTDIR, "there is no such file; check the path"},
    {-ENAMETOOLONG, "the path is too long; shorten it"},
    {-ELOOP, "links lead in a circle; name the image itself"},
    {-ENOMEM, "no memory to open it; free some on the host"},
    {-EMFILE, "too many files are open; raise the limit (ulimit -n)"},
    {-ENFILE, "too many files are open on the host; close some"},
};

static int open_failed(const char *path, bool read_only, int err, char *why, size_t why_size)
{
    if (err == -EBUSY) {
        fmt_snprintf(why, why_size, "disk: %s: in use by another VM; stop that one%s", path,
                     read_only ? "" : ", or open the disk read-only (,ro) in both");
        return err;
    }
    for (size_t i = 0; i < ARRAY_SIZE(open_errors); i++) {
        if (open_errors[i].err == err) {
            fmt_snprintf(why, why_size, "disk: %s: %s", path, open_errors[i].text);
            return err;
        }
    }
    fmt_snprintf(why, why_size, "disk: %s: the host cannot open it (error %d); check the file", path, -err);
    return err;
}

static int size_check(struct block_raw *r, const char *path, char *why, size_t why_size)
{
    int err = plat_file_size(r->file, &r->b.size);

    if (err) {
        fmt_snprintf(why, why_size, "disk: %s: its size cannot be read (error %d); check the file", path,
                     -err);
        return err;
    }
    if (r->b.size && r->b.size % SECTOR == 0)
        return 0;
    fmt_snprintf(why, why_size,
                 "disk: %s: its size, %llu bytes, is no multiple of 512; extend it with "
                 "truncate -s %%512, or name a raw image",
                 path, (unsigned long long)r->b.size);
    if (!r->b.size)
        fmt_snprintf(why, why_size, "disk: %s: is empty; give it a size (truncate -s 4G FILE)", path);
    return -EINVAL;
}

static int raw_open(struct blockdev **out, const char *path, bool read_only, unsigned lock, char *why,
                    size_t why_size)
{
    struct block_raw *r = plat_alloc(sizeof(*r));
    int err;

    if (!r)
        return open_failed(path, read_only, -ENOMEM, why, why_size);
    err = plat_file_open(&r->file, path, PLAT_READ | lock | (read_only ? 0 : PLAT_WRITE));
    if (err) {
        plat_free(r);
        return open_failed(path, read_only, err, why, why_size);
    }
    r->b.ops = &block_raw_ops;
    r->b.read_only = read_only;
    err = size_check(r, path, why, why_size);
    if (err) {
        raw_destroy(&r->b);
        return err;
    }
    *out = &r->b;
    return 0;
}

int block_raw_create(struct blockdev **out, const char *path, bool read_only, char *why, size_t why_size)
{
    return raw_open(out, path, read_only, PLAT_LOCK, why, why_size);
}

int block_raw_inspect(struct blockdev **out, const char *path, bool read_only, char *why, size_t why_size)
{
    return raw_open(out, path, read_only, 0, why, why_size);
}

bool block_raw_same(const char *a, const char *b)
{
    const char *const paths[2] = {a, b};
    uint64_t id[2][2] = {{0}};
    int err = 0;

    for (unsigned i = 0; !err && i < 2; i++) {
        struct plat_file *f;

        err = plat_file_open(&f, paths[i], PLAT_READ);
        if (err)
            break;
        err = plat_file_identity(f, id[i]);
        plat_file_close(f);
    }
    return !err && id[0][0] == id[1][0] && id[0][1] == id[1][1];
}
