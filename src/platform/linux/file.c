/* Files: whole reads and writes at an offset. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>
#include "core/platform.h"

struct plat_file {
    int fd;
    char *path; /* PLAT_REPLACE: where it shall be, until it is */
    char *part; /* what it is called until then; NULL: it has no name yet, and none is left behind */
};

static int open_flags(unsigned flags)
{
    int f = O_CLOEXEC | O_NONBLOCK | O_NOCTTY; /* a pipe's open would wait for its other side */

    f |= (flags & PLAT_WRITE) ? O_RDWR : O_RDONLY;
    f |= (flags & PLAT_CREATE) ? O_CREAT : 0;
    f |= (flags & (PLAT_TRUNC | PLAT_REPLACE)) ? O_TRUNC : 0;
    return f;
}

/* A nameless file in the folder of f->path. -1: that kind of folder has none, or it could not be named later.
 */
static int open_nameless(const struct plat_file *f)
{
    const char *slash = strrchr(f->path, '/');
    char *folder = slash ? strndup(f->path, (size_t)(slash - f->path) + 1) : strdup(".");
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
    char link[32];

    free(folder);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (fd >= 0 && access(link, F_OK)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A name beside the file that was nobody's before: of the nameless file, else of a new one. */
static int make_part(struct plat_file *f)
{
    const char *slash = strrchr(f->path, '/');
    int folder = slash ? (int)(slash - f->path) + 1 : 0, fd = f->fd, err = EEXIST;
    char link[32];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    for (unsigned i = 0; err == EEXIST && i < 1000; i++) {
        if (asprintf(&f->part, "%.*scarbovisor-%d-%u.part", folder, f->path, (int)getpid(), i) < 0) {
            f->part = NULL;
            return -ENOMEM;
        }
        if (f->fd < 0)
            fd = open(f->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        else if (linkat(AT_FDCWD, link, AT_FDCWD, f->part, AT_SYMLINK_FOLLOW))
            fd = -1;
        if (fd >= 0) {
            f->fd = fd;
            return 0;
        }
        err = errno;
        free(f->part);
        f->part = NULL;
        fd = f->fd;
    }
    return -err;
}

/* Beside the file that the path leads to. What is no file, a disk for instance, is written itself. */
static int replacement(struct plat_file *f, const char *path)
{
    struct stat st;
    bool there = !stat(path, &st);

    if (!path[0])
        return -ENOENT;
    if (there && !S_ISREG(st.st_mode))
        return 0;
    if (there && access(path, W_OK))
        return -errno;
    f->path = there ? realpath(path, NULL) : strdup(path);
    if (!f->path)
        return -ENOMEM;
    f->fd = open_nameless(f);
    return f->fd < 0 ? make_part(f) : 0;
}

int plat_file_open(struct plat_file **out, const char *path, unsigned flags)
{
    struct plat_file *f = calloc(1, sizeof(*f));
    struct stat st;
    int err;

    if (!f)
        return -ENOMEM;
    f->fd = -1;
    err = (flags & PLAT_REPLACE) ? replacement(f, path) : 0;
    if (!err && !f->path)
        f->fd = open(path, open_flags(flags), 0666);
    if (!err && f->fd < 0)
        err = -errno;
    if (err) {
        free(f->path);
        free(f);
        return err;
    }
    if (fstat(f->fd, &st))
        err = -errno;
    else if (S_ISDIR(st.st_mode))
        err = -EISDIR;
    else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        err = -ENODEV;
    else if ((flags & PLAT_LOCK) && flock(f->fd, ((flags & PLAT_WRITE) ? LOCK_EX : LOCK_SH) | LOCK_NB))
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (err) {
        plat_file_close(f);
        return err;
    }
    *out = f;
    return 0;
}

int plat_file_commit(struct plat_file *f)
{
    int err;

    if (!f->path)
        return 0;
    if (fsync(f->fd))
        return -errno;
    err = f->part ? 0 : make_part(f);
    if (err)
        return err;
    if (rename(f->part, f->path))
        return -errno;
    free(f->part);
    free(f->path);
    f->path = f->part = NULL;
    return 0;
}

void plat_file_close(struct plat_file *f)
{
    close(f->fd);
    if (f->part)
        unlink(f->part);
    free(f->part);
    free(f->path);
    free(f);
}

int plat_file_size(struct plat_file *f, uint64_t *size)
{
    struct stat st;

    if (fstat(f->fd, &st))
        return -errno;
    if (S_ISBLK(st.st_mode))
        return ioctl(f->fd, BLKGETSIZE64, size) ? -errno : 0;
    *size = (uint64_t)st.st_size;
    return 0;
}

int plat_file_identity(struct plat_file *f, uint64_t id[2])
{
    struct stat st;

    if (fstat(f->fd, &st))
        return -errno;
    id[0] = S_ISBLK(st.st_mode) ? UINT64_MAX : st.st_dev;
    id[1] = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_ino;
    return 0;
}

int plat_file_read(struct plat_file *f, uint64_t offset, void *buf, size_t size)
{
    char *p = buf;

    while (size) {
        ssize_t n = pread(f->fd, p, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -ENODATA;
        p += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

const void *plat_file_map(struct plat_file *f, uint64_t *sum)
{
    (void)f;
    *sum = 0;
    return NULL;
}

int plat_file_write(struct plat_file *f, uint64_t offset, const void *buf, size_t size)
{
    const char *p = buf;

    while (size) {
        ssize_t n = pwrite(f->fd, p, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int plat_file_reserve(struct plat_file *f, uint64_t size)
{
    if (size > INT64_MAX)
        return -EFBIG;
    if (!fallocate(f->fd, 0, 0, (off_t)size))
        return 0;
    return errno == ENOSPC || errno == EFBIG ? -errno : 0;
}

int plat_file_sync(struct plat_file *f)
{
    return fdatasync(f->fd) ? -errno : 0;
}

int plat_file_punch(struct plat_file *f, uint64_t offset, uint64_t size)
{
    if (!fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size))
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == ENODEV ? -ENOTSUP : -errno;
}
