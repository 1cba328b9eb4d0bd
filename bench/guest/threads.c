/* Rows for two vCPUs: independent work against the same work in a row, then shared words and locks. */
#define _GNU_SOURCE
#include "row.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct job {
    unsigned long n;
    int id;
    uint64_t sum;
};

static void on_cpu(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* Mixed integer and memory work on buffers of its own. */
static void *compute(void *arg)
{
    static uint64_t tables[2][8192];
    struct job *j = arg;
    uint64_t s = (uint64_t)j->id + 41, *t = tables[j->id];
    uint64_t sum = 0; /* not in the jobs, which share a cache line */

    on_cpu(j->id);
    for (unsigned long i = 0; i < j->n; i++) {
        uint64_t r = rnd(&s);

        t[r & 8191] += r ^ i;
        sum = mix(sum, t[r >> 16 & 8191]);
    }
    j->sum = sum;
    return NULL;
}

static void both(void *(*fn)(void *), struct job *jobs)
{
    pthread_t t[2];

    for (int i = 0; i < 2; i++)
        if (pthread_create(&t[i], NULL, fn, &jobs[i]))
            die("pthread_create");
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

static uint64_t run_sequential(unsigned long n)
{
    struct job jobs[2] = {{n, 0, 0}, {n, 1, 0}};

    for (int i = 0; i < 2; i++) {
        pthread_t t;

        if (pthread_create(&t, NULL, compute, &jobs[i]))
            die("pthread_create");
        pthread_join(t, NULL);
    }
    return jobs[0].sum ^ jobs[1].sum;
}

static uint64_t run_parallel(unsigned long n)
{
    struct job jobs[2] = {{n, 0, 0}, {n, 1, 0}};

    both(compute, jobs);
    return jobs[0].sum ^ jobs[1].sum;
}

static _Atomic uint64_t shared, swapped;

static void *add_shared(void *arg)
{
    struct job *j = arg;

    on_cpu(j->id);
    for (unsigned long i = 0; i < j->n; i++) {
        uint64_t seen = atomic_load_explicit(&swapped, memory_order_relaxed);

        atomic_fetch_add(&shared, i);
        while (!atomic_compare_exchange_weak(&swapped, &seen, seen + 3))
            ;
    }
    return NULL;
}

static uint64_t run_atomics(unsigned long n)
{
    struct job jobs[2] = {{n, 0, 0}, {n, 1, 0}};

    both(add_shared, jobs);
    return mix(atomic_load(&shared), atomic_load(&swapped));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t guarded;

static void *take_lock(void *arg)
{
    struct job *j = arg;
    uint64_t own = (uint64_t)j->id;

    on_cpu(j->id);
    for (unsigned long i = 0; i < j->n; i++) {
        pthread_mutex_lock(&lock);
        guarded += 2;
        pthread_mutex_unlock(&lock);
        /* Work outside the lock, so that not every attempt meets the other thread. */
        for (int k = 0; k < 40; k++)
            own = mix(own, i);
    }
    j->sum = own;
    return NULL;
}

static uint64_t run_mutex(unsigned long n)
{
    struct job jobs[2] = {{n, 0, 0}, {n, 1, 0}};

    both(take_lock, jobs);
    return mix(guarded, jobs[0].sum + jobs[1].sum);
}

const struct row rows_threads[] = {
    {"threads", "sequential", run_sequential, 50000000, NULL, 2},
    {"threads", "parallel", run_parallel, 50000000, NULL, 2},
    {"threads", "atomics", run_atomics, 1500000, NULL, 2},
    {"threads", "mutex", run_mutex, 380000, NULL, 2},
    {NULL, NULL, NULL, 0, NULL, 0},
};
