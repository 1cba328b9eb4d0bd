/* Tasks, locks and events of the test platform, with checks of their use. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "core/platform.h"
#include "platform/test/internal.h"

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct plat_lock), "lock storage");

void plat_lock_init(struct plat_lock *l)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init((pthread_mutex_t *)l, &attr);
    pthread_mutexattr_destroy(&attr);
}

void plat_lock_fini(struct plat_lock *l)
{
    BUG_ON(pthread_mutex_destroy((pthread_mutex_t *)l)); /* still held */
}

void plat_lock(struct plat_lock *l)
{
    BUG_ON(pthread_mutex_lock((pthread_mutex_t *)l));
}

void plat_unlock(struct plat_lock *l)
{
    BUG_ON(pthread_mutex_unlock((pthread_mutex_t *)l));
}

struct test_event {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken;
};
_Static_assert(sizeof(struct test_event) <= sizeof(struct plat_event), "event storage");

static struct test_event *event_of(struct plat_event *e)
{
    return (struct test_event *)e;
}

void plat_event_init(struct plat_event *e)
{
    pthread_condattr_t attr;

    event_of(e)->woken = false;
    pthread_mutex_init(&event_of(e)->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&event_of(e)->cond, &attr);
    pthread_condattr_destroy(&attr);
}

void plat_event_fini(struct plat_event *e)
{
    pthread_cond_destroy(&event_of(e)->cond);
    pthread_mutex_destroy(&event_of(e)->lock);
}

void plat_event_wake(struct plat_event *e)
{
    pthread_mutex_lock(&event_of(e)->lock);
    event_of(e)->woken = true;
    pthread_cond_signal(&event_of(e)->cond);
    pthread_mutex_unlock(&event_of(e)->lock);
}

bool plat_event_wait(struct plat_event *pe, uint64_t deadline_ns)
{
    struct timespec until = {(time_t)(deadline_ns / 1000000000), (long)(deadline_ns % 1000000000)};
    struct test_event *e = event_of(pe);
    bool woken, late = false;

    pthread_mutex_lock(&e->lock);
    while (!e->woken && !late) {
        if (deadline_ns == PLAT_FOREVER)
            pthread_cond_wait(&e->cond, &e->lock);
        else
            late = pthread_cond_timedwait(&e->cond, &e->lock, &until) == ETIMEDOUT;
    }
    woken = e->woken;
    e->woken = false;
    pthread_mutex_unlock(&e->lock);
    return woken;
}

struct plat_task {
    pthread_t thread;
    void (*fn)(void *);
    void *arg;
};

static void *task_run(void *opaque)
{
    struct plat_task *t = opaque;

    t->fn(t->arg);
    return NULL;
}

int plat_task_start(struct plat_task **task, const char *name, void (*fn)(void *), void *arg)
{
    struct plat_task *t;

    (void)name;
    *task = NULL;
    if (request_fails())
        return -EAGAIN;
    t = malloc(sizeof(*t));
    *t = (struct plat_task){.fn = fn, .arg = arg};
    BUG_ON(pthread_create(&t->thread, NULL, task_run, t));
    live_add(1);
    *task = t;
    return 0;
}

void plat_task_join(struct plat_task *task)
{
    pthread_join(task->thread, NULL);
    live_add(-1);
    free(task);
}

static _Thread_local struct vcpu *current;

struct vcpu *plat_current(void)
{
    return current;
}

void plat_current_set(struct vcpu *v)
{
    current = v;
}
