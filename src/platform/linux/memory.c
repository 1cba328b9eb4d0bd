/* Host memory: the monitor's own, guest RAM, generated code. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "core/platform.h"

void *plat_alloc(size_t size)
{
    return calloc(1, size ? size : 1);
}

void plat_free(void *p)
{
    free(p);
}

void *plat_ram_map(uint64_t size, const char *name)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
#ifdef PR_SET_VMA
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, size, name); /* for the reader of /proc/PID/maps; may fail */
#else
    (void)name;
#endif
    madvise(p, size, MADV_DONTDUMP);
    return p;
}

void plat_ram_unmap(void *p, uint64_t size)
{
    munmap(p, size);
}

void plat_ram_discard(void *p, uint64_t size)
{
    madvise(p, size, MADV_DONTNEED);
}

int plat_code_map(struct plat_code *code, size_t size)
{
    int fd = memfd_create("carbovisor-code", MFD_CLOEXEC);
    int err = 0;

    if (fd < 0)
        return -errno;
    code->size = size;
    code->rw = MAP_FAILED;
    code->rx = MAP_FAILED;
    if (ftruncate(fd, (off_t)size))
        err = -errno;
    if (!err)
        code->rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!err && code->rw != MAP_FAILED)
        code->rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (!err && (code->rw == MAP_FAILED || code->rx == MAP_FAILED))
        err = -errno;
    if (err && code->rw != MAP_FAILED)
        munmap(code->rw, size);
    close(fd);
    return err;
}

void plat_code_unmap(struct plat_code *code)
{
    munmap(code->rw, code->size);
    munmap((void *)code->rx, code->size);
    *code = (struct plat_code){0};
}
