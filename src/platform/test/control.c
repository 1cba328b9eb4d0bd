/* The test platform's switch, allocations, clock, log. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

void *plat_ram_map(uint64_t size, const char *name)
{
    void *p = NULL;

    (void)name;
    if (request_fails() || posix_memalign(&p, 4096, size ? size : 1))
        return NULL;
    memset(p, 0, size);
    live_add(1);
    return p;
}

void plat_ram_unmap(void *p, uint64_t size)
{
    (void)size;
    live_add(-1);
    free(p);
}

void plat_ram_discard(void *p, uint64_t size)
{
    memset(p, 0, size);
}

/* Not executable: whoever runs code needs a real platform. */
int plat_code_map(struct plat_code *code, size_t size)
{
    code->rw = plat_ram_map(size, "code");
    code->rx = code->rw;
    code->size = size;
    return code->rw ? 0 : -ENOMEM;
}

void plat_code_unmap(struct plat_code *code)
{
    plat_ram_unmap(code->rw, code->size);
}

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
