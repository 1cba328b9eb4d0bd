/* Work items: a list, and the worker task that empties it. */
#include "core/vm.h"

void work_init(struct work *w, struct vm *vm, void (*fn)(void *), void *opaque)
{
    *w = (struct work){.vm = vm, .fn = fn, .opaque = opaque};
}

void work_queue(struct work *w)
{
    struct vm *vm = w->vm;

    plat_lock(&vm->work.lock);
    if (!w->queued) {
        w->queued = true;
        w->next = NULL;
        *vm->work.tail = w;
        vm->work.tail = &w->next;
        atomic_store(&vm->work.pending, true);
    }
    plat_unlock(&vm->work.lock);
    if (vm->work.task)
        plat_event_wake(&vm->work.wake);
    else if (!plat_current())
        vcpu_request(vm->vcpu[0], VCPU_REQ_KICK);
}

/* Takes the first item off the list and runs it; false when there is none. */
static bool work_one(struct vm *vm)
{
    struct work *w;

    plat_lock(&vm->work.lock);
    w = vm->work.head;
    if (!w) {
        atomic_store(&vm->work.pending, false);
        plat_unlock(&vm->work.lock);
        return false;
    }
    vm->work.head = w->next;
    if (!w->next)
        vm->work.tail = &vm->work.head;
    w->queued = false;
    w->running = true;
    plat_unlock(&vm->work.lock);

    w->fn(w->opaque);

    plat_lock(&vm->work.lock);
    w->running = false;
    plat_unlock(&vm->work.lock);
    plat_event_wake(&vm->work.idle);
    return true;
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
        bool busy;

        plat_lock(&vm->work.lock);
        busy = w->queued || w->running;
        plat_unlock(&vm->work.lock);
        if (!busy)
            return;
        if (vm->work.task)
            plat_event_wait(&vm->work.idle, plat_clock_ns() + 1000000);
        else
            work_drain(vm);
    }
}

void work_task(void *opaque)
{
    struct vm *vm = opaque;

    for (;;) {
        while (work_one(vm))
            ;
        plat_lock(&vm->work.lock);
        bool stop = vm->work.stop;
        plat_unlock(&vm->work.lock);
        if (stop)
            return;
        plat_event_wait(&vm->work.wake, PLAT_FOREVER);
    }
}
