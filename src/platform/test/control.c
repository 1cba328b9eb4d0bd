/* The test platform's switch, allocations, clock, log. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "lib/err.h"
#include "platform/test/internal.h"
#include "platform/test/test_platform.h"

/* One state for the process: a platform has no object of its own. */
static struct {
    _Atomic uint64_t at, requests, live, clock;
    _Atomic bool failed, clock_set;
    pthread_mutex_t lock; /* log */
    char log[1024];
    unsigned lines;
} control = {.lock = PTHREAD_MUTEX_INITIALIZER};

void test_fail_at(uint64_t n)
{
    atomic_store(&control.at, n);
    atomic_store(&control.requests, 0);
    atomic_store(&control.failed, false);
}

bool test_failed(void)
{
    return atomic_load(&control.failed);
}

uint64_t test_requests(void)
{
    return atomic_load(&control.requests);
}

bool request_fails(void)
{
    uint64_t n = atomic_fetch_add(&control.requests, 1) + 1;

    if (n != atomic_load(&control.at))
        return false;
    atomic_store(&control.failed, true);
    return true;
}

void live_add(int n)
{
    atomic_fetch_add(&control.live, (uint64_t)(int64_t)n);
}

uint64_t test_live(void)
{
    return atomic_load(&control.live);
}

void test_reset(void)
{
    test_fail_at(0);
    files_reset();
    pthread_mutex_lock(&control.lock);
    control.lines = 0;
    control.log[0] = 0;
    pthread_mutex_unlock(&control.lock);
    atomic_store(&control.clock_set, false);
}

/* ---- memory: size in front, so that double frees and foreign pointers are the C library's to find ---- */

void *plat_alloc(size_t size)
{
    void *p = request_fails() ? NULL : calloc(1, size ? size : 1);

    if (p)
        live_add(1);
    return p;
}

void plat_free(void *p)
{
    if (p)
        live_add(-1);
    free(p);
}

/* Much is not written before it is used, and stands between pages that nobody may touch. */
#define MUCH  (8u << 20)
#define GUARD 4096u

static void *map_much(uint64_t size)
{
    uint8_t *p = mmap(NULL, size + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + GUARD, size, PROT_READ | PROT_WRITE))
        return NULL;
    return p + GUARD;
}

void *plat_ram_map(uint64_t size, const char *name)
{
    void *p = NULL;

    (void)name;
    if (request_fails())
        return NULL;
    if (size >= MUCH)
        p = map_much(size);
    else if (!posix_memalign(&p, 4096, size ? size : 1))
        memset(p, 0, size);
    if (p)
        live_add(1);
    return p;
}

void plat_ram_unmap(void *p, uint64_t size)
{
    live_add(-1);
    if (size >= MUCH)
        munmap((uint8_t *)p - GUARD, size + 2 * GUARD);
    else
        free(p);
}

void plat_ram_discard(void *p, uint64_t size)
{
    memset(p, 0, size);
}

/* It does run, for VMs whose engine makes code: one memory, two mappings. */
int plat_code_map(struct plat_code *code, size_t size)
{
    int fd = request_fails() ? -1 : memfd_create("code", MFD_CLOEXEC);
    void *rw = MAP_FAILED, *rx = MAP_FAILED;

    if (fd >= 0 && !ftruncate(fd, (off_t)size)) {
        rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    if (fd >= 0)
        close(fd);
    if (rw == MAP_FAILED || rx == MAP_FAILED)
        return -ENOMEM;
    *code = (struct plat_code){.rw = rw, .rx = rx, .size = size};
    live_add(1);
    return 0;
}

void plat_code_use(struct plat_code *code, size_t offset, size_t size)
{
    (void)code;
    (void)offset;
    (void)size;
}

void plat_code_unmap(struct plat_code *code)
{
    munmap(code->rw, code->size);
    munmap((void *)(uintptr_t)code->rx, code->size);
    live_add(-1);
}

#ifdef CV_DELAYS
void plat_meet(void)
{
}
#endif

/* ---- time, chance, messages ---- */

void test_clock_set(uint64_t ns)
{
    atomic_store(&control.clock, ns);
    atomic_store(&control.clock_set, true);
}

uint64_t plat_clock_ns(void)
{
    struct timespec ts;

    if (atomic_load(&control.clock_set))
        return atomic_load(&control.clock);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t plat_wall_ns(void)
{
    /* It goes with the clock where a test moves that one. */
    return UINT64_C(1700000000) * 1000000000 + (atomic_load(&control.clock_set) ? plat_clock_ns() : 0);
}

int plat_random(void *buf, size_t size)
{
    if (request_fails())
        return -EIO;
    memset(buf, 0x5a, size);
    return 0;
}

void plat_log_line(const char *line, size_t len)
{
    pthread_mutex_lock(&control.lock);
    snprintf(control.log, sizeof(control.log), "%.*s", (int)len, line);
    control.lines++;
    pthread_mutex_unlock(&control.lock);
}

const char *test_log(unsigned *count)
{
    if (count)
        *count = control.lines;
    return control.log;
}

const char *plat_getenv(const char *name)
{
    (void)name;
    return NULL;
}

void bug_stop(const char *file, int line, const char *what)
{
    fprintf(stderr, "bug: %s:%d: %s\n", file, line, what);
    abort();
}
