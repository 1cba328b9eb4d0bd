/* Tasks are threads; locks, events, clocks, randomness, the way of a message, and our own bugs. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "core/platform.h"
#include "platform/linux/terminal.h"

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct plat_lock), "lock storage");

void plat_lock_init(struct plat_lock *l)
{
    pthread_mutex_init((pthread_mutex_t *)l, NULL);
}

void plat_lock_fini(struct plat_lock *l)
{
    pthread_mutex_destroy((pthread_mutex_t *)l);
}

void plat_lock(struct plat_lock *l)
{
    pthread_mutex_lock((pthread_mutex_t *)l);
}

void plat_unlock(struct plat_lock *l)
{
    pthread_mutex_unlock((pthread_mutex_t *)l);
}

struct event {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken;
};
_Static_assert(sizeof(struct event) <= sizeof(struct plat_event), "event storage");

void plat_event_init(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;
    pthread_condattr_t attr;

    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->cond, &attr);
    pthread_condattr_destroy(&attr);
    e->woken = false;
}

void plat_event_fini(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;

    pthread_cond_destroy(&e->cond);
    pthread_mutex_destroy(&e->lock);
}

void plat_event_wake(struct plat_event *pe)
{
    struct event *e = (struct event *)pe;

    pthread_mutex_lock(&e->lock);
    e->woken = true;
    pthread_cond_signal(&e->cond);
    pthread_mutex_unlock(&e->lock);
}

bool plat_event_wait(struct plat_event *pe, uint64_t deadline_ns)
{
    struct event *e = (struct event *)pe;
    struct timespec ts = {.tv_sec = (time_t)(deadline_ns / 1000000000),
                          .tv_nsec = (long)(deadline_ns % 1000000000)};
    bool woken;
    int err = 0;

    pthread_mutex_lock(&e->lock);
    while (!e->woken && !err) {
        if (deadline_ns == PLAT_FOREVER)
            pthread_cond_wait(&e->cond, &e->lock);
        else
            err = pthread_cond_timedwait(&e->cond, &e->lock, &ts);
    }
    woken = e->woken;
    e->woken = false;
    pthread_mutex_unlock(&e->lock);
    return woken;
}

struct plat_task {
    pthread_t thread;
    char name[16];
    void (*fn)(void *);
    void *arg;
};

static void *task_main(void *opaque)
{
    struct plat_task *t = opaque;

    pthread_setname_np(pthread_self(), t->name);
    t->fn(t->arg);
    return NULL;
}

/* Signals are for the program's main task: ours start with all of them blocked. */
int plat_task_start(struct plat_task **task, const char *name, void (*fn)(void *), void *arg)
{
    struct plat_task *t = calloc(1, sizeof(*t));
    sigset_t all, old;
    int err;

    if (!t)
        return -ENOMEM;
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof(t->name), "%s", name);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&t->thread, NULL, task_main, t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err) {
        free(t);
        return -err;
    }
    *task = t;
    return 0;
}

void plat_task_join(struct plat_task *task)
{
    pthread_join(task->thread, NULL);
    free(task);
}

static uint64_t clock_read(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t plat_clock_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

uint64_t plat_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

int plat_random(void *buf, size_t size)
{
    uint8_t *p = buf;

    while (size) {
        ssize_t n = getrandom(p, size, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

/* The one mutable thing at file scope: which vCPU this thread runs. */
static __thread struct vcpu *current;

struct vcpu *plat_current(void)
{
    return current;
}

void plat_current_set(struct vcpu *v)
{
    current = v;
}

/* One write call a line, so that lines of several tasks do not mix; raw terminals need the CR. */
void plat_log_line(const char *line, size_t len)
{
    struct iovec iov[2] = {{(void *)line, len}, {(void *)"\n", 1}};

    if (terminal_is_raw())
        iov[1] = (struct iovec){(void *)"\r\n", 2};
    if (writev(STDERR_FILENO, iov, 2) < 0)
        return; /* nowhere left to say so */
}

const char *plat_getenv(const char *name)
{
    return getenv(name);
}

void bug_stop(const char *file, int line, const char *what)
{
    terminal_restore();
    fprintf(stderr, "carbovisor: internal error at %s:%d: %s; please report it\n", file, line, what);
    abort();
}
