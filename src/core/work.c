/* Work items: a list, and the worker task that empties it, unless it is held. */
#include "core/vm.h"

void work_init(struct work *w, struct vm *vm, void (*fn)(void *), void *opaque)
{
    *w = (struct work){.vm = vm, .fn = fn, .opaque = opaque};
}

void work_queue(struct work *w)
{
    struct vm *vm = w->vm;
    bool worker;

    plat_lock(&vm->work.lock);
    worker = vm->work.worker;
    if (!w->queued) {
        w->queued = true;
        w->next = NULL;
        *vm->work.tail = w;
        vm->work.tail = &w->next;
        atomic_store(&vm->work.pending, true);
    }
    plat_unlock(&vm->work.lock);
    if (worker)
        plat_event_wake(&vm->work.wake);
    else if (!plat_current())
        vcpu_request(vm->vcpu[0], VCPU_REQ_KICK);
}

/* Lock held: takes w, which is queued, off the list. */
static void work_unlink(struct vm *vm, struct work *w)
{
    struct work **at = &vm->work.head;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (!w->next)
        vm->work.tail = at;
    w->queued = false;
}

/* Lock held, and let go of while w, off the list, runs. */
static void work_run(struct vm *vm, struct work *w)
{
    w->running = true;
    vm->work.running++;
    plat_unlock(&vm->work.lock);

    w->fn(w->opaque);

    plat_lock(&vm->work.lock);
    w->running = false;
    vm->work.running--;
    plat_event_wake(&vm->work.idle);
}

/* The first that no other task is in: a flush may run one. NULL also where they are held. Lock held. */
static struct work *work_first(struct vm *vm)
{
    struct work *w = vm->work.held ? NULL : vm->work.head;

    while (w && w->running)
        w = w->next;
    return w;
}

/* Runs one item; false when there is none that may run. */
static bool work_one(struct vm *vm)
{
    struct work *w;

    plat_lock(&vm->work.lock);
    w = work_first(vm);
    if (w) {
        work_unlink(vm, w);
        work_run(vm, w);
    }
    atomic_store(&vm->work.pending, vm->work.head != NULL);
    plat_unlock(&vm->work.lock);
    return w != NULL;
}

void work_drain(struct vm *vm)
{
    while (atomic_load(&vm->work.pending) && work_one(vm))
        ;
}

void work_flush(struct work *w)
{
    struct vm *vm = w->vm;

    for (;;) {
        bool busy, wait, drain;

        plat_lock(&vm->work.lock);
        if (vm->work.held && w->queued && !w->running) {
            work_unlink(vm, w);
            work_run(vm, w);
            plat_event_wake(&vm->work.wake); /* it may have been queued while it ran, and passed over */
        }
        busy = w->queued || w->running;
        wait = vm->work.worker || w->running;
        drain = !vm->work.worker && !vm->work.held;
        plat_unlock(&vm->work.lock);
        if (!busy)
            return;
        if (drain)
            work_drain(vm);
        else if (wait)
            plat_event_wait(&vm->work.idle, plat_clock_ns() + 1000000);
    }
}

void work_hold(struct vm *vm, bool held)
{
    plat_lock(&vm->work.lock);
    vm->work.held = held;
    plat_unlock(&vm->work.lock);
    plat_event_wake(&vm->work.wake);
}

void work_settle(struct vm *vm)
{
    unsigned running;

    do {
        plat_lock(&vm->work.lock);
        running = vm->work.running;
        plat_unlock(&vm->work.lock);
        if (running)
            plat_event_wait(&vm->work.idle, plat_clock_ns() + 1000000);
    } while (running);
}

/* ---- the worker task ---- */

static void work_task(void *opaque)
{
    struct vm *vm = opaque;
    bool stop;

    do {
        while (work_one(vm))
            ;
        plat_lock(&vm->work.lock);
        stop = vm->work.stop;
        plat_unlock(&vm->work.lock);
        if (!stop)
            plat_event_wait(&vm->work.wake, PLAT_FOREVER);
    } while (!stop);
}

static void worker_set(struct vm *vm, bool worker, bool stop)
{
    plat_lock(&vm->work.lock);
    vm->work.worker = worker;
    vm->work.stop = stop;
    plat_unlock(&vm->work.lock);
}

int work_start(struct vm *vm)
{
    int err;

    if (vm->work.task)
        return 0;
    /* First the flag: an item queued while the task starts is the task's, which looks before it sleeps. */
    worker_set(vm, true, false);
    err = plat_task_start(&vm->work.task, "worker", work_task, vm);
    if (err) {
        vm->work.task = NULL;
        worker_set(vm, false, false);
    }
    return err;
}

void work_stop(struct vm *vm)
{
    work_hold(vm, false); /* a paused VM ends too, and flushes are not to wait for a resume */
    if (!vm->work.task)
        return;
    worker_set(vm, true, true);
    plat_event_wake(&vm->work.wake);
    plat_task_join(vm->work.task);
    vm->work.task = NULL;
    worker_set(vm, false, false);
}
