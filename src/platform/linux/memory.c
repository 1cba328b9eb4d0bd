/* Host memory: the monitor's own, guest RAM, generated code. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* A large page. */
#define PIECE ((size_t)2 << 20)

/* Address space that begins at a multiple of PIECE; NULL when refused. */
static uint8_t *reserve(size_t size, int prot)
{
    uint8_t *p = mmap(NULL, size + PIECE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before = -(uintptr_t)p & (PIECE - 1);

    if (p == MAP_FAILED)
        return NULL;
    if (before)
        munmap(p, before);
    munmap(p + before + size, PIECE - before);
    return p + before;
}

/* By large pages where the host has some: fewer faults, and fewer walks of the host's. */
void *plat_ram_map(uint64_t size, const char *name)
{
    void *p = reserve(size, PROT_READ | PROT_WRITE);

    if (!p)
        return NULL;
#ifdef PR_SET_VMA
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, size, name); /* for the reader of /proc/PID/maps; may fail */
#else
    (void)name;
#endif
    madvise(p, size, MADV_DONTDUMP);
    if (size >= PIECE)
        madvise(p, size, MADV_HUGEPAGE);
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

#ifndef MADV_COLLAPSE /* Linux 6.1 */
#define MADV_COLLAPSE 25
#endif

/* So that both mappings of code begin at a large page, which may serve both. */
static size_t whole_pieces(size_t size)
{
    return (size + PIECE - 1) & ~(PIECE - 1);
}

int plat_code_map(struct plat_code *code, size_t size)
{
    size_t room = whole_pieces(size);
    struct rlimit limit;
    uint8_t *at;
    int fd, err = 0;

    /* Else ftruncate() would end the process by SIGXFSZ. */
    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < room)
        return -EFBIG;
    fd = memfd_create("carbovisor-code", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    at = reserve(2 * room, PROT_NONE);
    if (!at || ftruncate(fd, (off_t)room) ||
        mmap(at, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
        mmap(at + room, room, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
        err = -errno;
    close(fd);
    if (err && at)
        munmap(at, 2 * room);
    if (!err)
        *code = (struct plat_code){.rw = at, .rx = at + room, .size = size};
    return err;
}

/* Where the kernel refuses, small pages do. */
void plat_code_use(struct plat_code *code, size_t offset, size_t size)
{
    size_t end = MIN(offset + size, code->size);

    for (size_t at = MAX(code->used, offset) & ~(PIECE - 1); at < end; at += PIECE) {
        volatile uint8_t *first = code->rw + at;

        if (at < code->used)
            continue;
        *first = *first; /* it wants a page to start from */
        madvise(code->rw + at, PIECE, MADV_COLLAPSE);
        madvise((void *)(code->rx + at), PIECE, MADV_COLLAPSE);
        code->used = at + PIECE;
    }
}

void plat_code_unmap(struct plat_code *code)
{
    munmap(code->rw, 2 * whole_pieces(code->size));
    *code = (struct plat_code){0};
}
